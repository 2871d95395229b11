"""The lines that an error ends with, run as printed."""

import sys

import numpy as np
import pytest

from autograd import Function, Variable
from autograd.extend import unary
from autograd.testing import GradientError, check_gradients, differentiable_property

pytest_plugins = ["pytester"]


def again(check, monkeypatch, **scope):
    """Run a check that fails, then its reproducer where the user would; return both errors."""
    with pytest.raises(GradientError) as caught:
        check()
    error = caught.value
    printed = str(error).partition("reproduce:\n")[2]
    assert [line.strip() for line in printed.splitlines()] == error.reproducer.splitlines()
    monkeypatch.setattr(sys, "last_value", error, raising=False)
    with pytest.raises(GradientError) as second:
        exec(error.reproducer, {**globals(), **scope})
    assert second.value.cause == error.cause
    assert (second.value.order, second.value.mode) == (error.order, error.mode)
    return error, second.value


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        return g * 2 * ctx.saved_tensors[0] ** 2


twice_sine = unary(np.sin, name="sine", x=lambda g, x: 2 * g * np.cos(x))


@differentiable_property(dtypes=["float64"])
def property_of_twice_sine(x):
    return twice_sine(x)


def test_an_operation_is_called_by_the_name_it_has(monkeypatch):
    error, _ = again(lambda: check_gradients(twice_sine, np.ones(3, np.float32)), monkeypatch)
    assert "check_gradients(twice_sine, *inputs" in error.reproducer
    assert "dtype='float32'" in error.reproducer


def test_a_function_class_is_called_through_apply(monkeypatch):
    error, _ = again(lambda: check_gradients(Cube.apply, np.ones(2)), monkeypatch)
    assert "check_gradients(Cube.apply, *inputs" in error.reproducer


def test_a_property_is_called_through_its_function(monkeypatch):
    error, _ = again(property_of_twice_sine, monkeypatch)
    assert "check_gradients(property_of_twice_sine.function, *inputs" in error.reproducer


def test_a_lambda_is_printed(monkeypatch):
    error, _ = again(lambda: check_gradients(lambda x: twice_sine(x) + 1, np.ones(2)), monkeypatch)
    assert "check_gradients((lambda x: twice_sine(x) + 1), *inputs" in error.reproducer


def test_a_lambda_that_closes_over_something_is_taken_from_the_error(monkeypatch):
    y = 3.0
    error, _ = again(lambda: check_gradients(lambda x: twice_sine(x) * y, np.ones(2)), monkeypatch)
    assert "check_gradients(error.fn, *inputs" in error.reproducer


def test_a_local_function_is_called_by_its_name(monkeypatch):
    def local(x):
        return twice_sine(x)

    error, _ = again(lambda: check_gradients(local, np.ones(2)), monkeypatch, local=local)
    assert "check_gradients(local, *inputs" in error.reproducer


def test_large_inputs_are_taken_from_the_error(monkeypatch):
    x = np.linspace(0.1, 1.0, 100)
    error, second = again(lambda: check_gradients(twice_sine, x), monkeypatch)
    assert "inputs = error.inputs" in error.reproducer
    np.testing.assert_array_equal(second.inputs[0], x)


def scaled(xs, *, factor):
    return twice_sine(xs[0]) * factor


def test_everything_that_was_asked_for_is_repeated(monkeypatch):
    error, second = again(
        lambda: check_gradients(scaled, [np.ones((2, 2))], factor=2, rtol=1e-7, seed=3, fast=True),
        monkeypatch,
    )
    assert "kwargs={'factor': 2}, fast=True, rtol=1e-07, seed=3" in error.reproducer
    assert second.options == error.options


def test_parameters_are_taken_from_the_error(monkeypatch):
    weight = Variable(np.ones(2), requires_grad=True)
    error, second = again(
        lambda: check_gradients(lambda x: x * twice_sine(weight), np.ones(2), parameters=[weight]),
        monkeypatch,
    )
    assert "parameters=error.options['parameters']" in error.reproducer
    assert second.input == "parameters[0]"


def test_only_the_callers_frame_is_left_of_the_traceback():
    with pytest.raises(GradientError) as caught:
        check_gradients(twice_sine, np.ones(2))
    names = [entry.frame.code.name for entry in caught.traceback]
    assert names == ["test_only_the_callers_frame_is_left_of_the_traceback", "check_gradients"]
    assert caught.traceback[-1].ishidden(caught)


def test_the_report_of_pytest_shows_no_frame_of_the_library(pytester):
    pytester.makepyfile("""
        import numpy as np
        from autograd.extend import unary
        from autograd.testing import check_function, check_gradients, differentiable_property

        wrong = unary(np.sin, x=lambda g, x: g * np.sin(x))

        def test_plain():
            check_gradients(wrong, np.ones(2))

        def test_contract():
            check_function(wrong, np.ones(2))

        @differentiable_property
        def test_property(x):
            return wrong(x)
    """)
    result = pytester.runpytest("-p", "gradloom_pytest", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=3)
    shown = [line for line in result.outlines if line.startswith(("/", "autograd"))]
    assert [
        line for line in shown if "autograd/testing/" in line and "_property.py" not in line
    ] == []
    assert sum("_property.py" in line for line in shown) == 1
