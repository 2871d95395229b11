"""The debug mode: changed arrays, the first nan, and the user's line in every message."""

import asyncio
import re
import warnings

import numpy as np
import pytest

import autograd
from autograd import Variable
from autograd.engine import mode as _mode


def leaf(data):
    return Variable(data, requires_grad=True)


def test_an_array_changed_through_numpy_is_found_and_named():
    x = leaf([1.0, 2.0])
    with autograd.detect_anomaly():
        y = (x * x).sum()  # the line to be named
        x.data[0] = 5.0
        with pytest.raises(RuntimeError, match=r"multiply: wanted the arrays it saved.*the line"):
            y.backward()


@pytest.mark.parametrize(
    "size, function, told",
    [
        (3, lambda x, w: np.tanh(x) * w, r"multiply: .* operand 'y' \(w\) changed since"),
        (3, lambda x, w: np.hypot(w, x), r"hypot: .* operand 'x' \(w\) changed since"),
        (20_000, lambda x, w: x * w, r"multiply: .* operand 'y' \(w\) changed since"),
    ],
)
def test_the_variable_that_was_changed_is_named(size, function, told):
    x, w = leaf(np.linspace(0.1, 1.0, size)), np.ones(size)
    with autograd.detect_anomaly():
        y = function(x, w).sum()
        w[-1] = np.nextafter(w[-1], 2.0)  # the last bit of the last element
        with pytest.raises(RuntimeError, match=told):
            y.backward()


def test_a_result_changed_through_numpy_and_a_permutation_are_found():
    x = leaf(np.random.default_rng(0).normal(size=(80, 90)))
    with autograd.detect_anomaly():
        y = np.exp(x)
        y.data[:] = y.data[::-1].copy()
        with pytest.raises(RuntimeError, match="exp: .* got its result changed since"):
            y.sum().backward()


def test_arrays_of_any_layout_are_watched_without_false_alarms():
    x = leaf(np.random.default_rng(0).normal(size=(70, 80)))
    with autograd.detect_anomaly():
        y = np.tanh(x.T) * x[::-1, ::-1].T.astype(np.float32)
        (y @ x[::-1]).sum().backward()
    assert x.grad is not None


def test_a_plain_constant_changed_through_numpy_is_found():
    x, factor = leaf([1.0, 2.0]), np.array([3.0, 4.0])
    with autograd.detect_anomaly():
        y = (x * factor).sum()
        factor *= 2
        with pytest.raises(RuntimeError, match="multiply: wanted the arrays it saved"):
            y.backward()


def test_without_the_debug_mode_the_change_is_not_noticed():
    x, factor = leaf([1.0, 2.0]), np.array([3.0, 4.0])
    y = (x * factor).sum()
    factor *= 2
    y.backward()
    np.testing.assert_array_equal(x.grad, [6.0, 8.0])


def test_unchanged_arrays_give_the_usual_gradients():
    x = leaf(np.linspace(0.1, 1.0, 5))
    (np.sin(x) * x).sum().backward()
    expected, x.grad = x.grad, None
    with autograd.detect_anomaly():
        (np.sin(x) * x).sum().backward()
    np.testing.assert_array_equal(x.grad, expected)


def test_the_first_rule_that_makes_nan_is_named_with_its_line():
    x = leaf([-1.0, 1.0])
    with np.errstate(invalid="ignore"), autograd.detect_anomaly():
        y = np.sqrt(x).sum()  # the square root
        with pytest.raises(
            FloatingPointError,
            match=r"sqrt: .*operand 'x'.*1 of 2 elements, from g in \[1, 1\], out in \[1, 1\] "
            "with 1 nan; .*the square root",
        ):
            y.backward()


def test_masked_cotangents_are_no_anomaly():
    x = leaf([0.0, 4.0])
    with autograd.detect_anomaly():
        np.where(x.data > 0, np.sqrt(x), 0.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.25])


def test_nan_can_be_let_pass():
    x = leaf([0.0, 1.0])
    with autograd.detect_anomaly(nan=False):
        np.sqrt(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [np.inf, 0.5])


def test_a_forward_nan_is_found_on_demand():
    x = leaf([-1.0, 1.0])
    mode = autograd.detect_anomaly(forward=True)
    message = r"sqrt: wanted a finite result, .*, from x in \[-1, 1\]; recorded at .*forward line"
    with np.errstate(invalid="ignore"), mode, pytest.raises(FloatingPointError, match=message):
        np.sqrt(x)  # forward line


def test_an_error_in_a_rule_carries_the_line_of_the_forward_pass():
    @autograd.primitive(x=lambda g, x: g[:-1])
    def careless(x):
        return x * 1.0

    x = leaf([1.0, 2.0])
    with autograd.detect_anomaly():
        y = careless(x).sum()  # careless line
        with pytest.raises(ValueError, match="careless: wanted a gradient of shape") as caught:
            y.backward()
    assert any("careless line" in note for note in caught.value.__notes__)


def test_errors_of_hooks_and_of_changed_parameters_carry_the_line_too():
    x = leaf([1.0, 2.0])

    @autograd.detect_anomaly()
    def changed():
        y = (x * x).sum()  # the product
        x.mark_changed()
        y.backward()

    with pytest.raises(RuntimeError, match="was changed") as caught:
        changed()
    assert re.search("multiply was recorded at .*the product", caught.value.__notes__[-1])

    @autograd.detect_anomaly()
    def hooked():
        y = np.exp(x)  # with a hook
        y.register_hook(lambda _: 1 / 0)
        y.sum().backward()

    with pytest.raises(ZeroDivisionError) as caught:
        hooked()
    assert re.search("exp was recorded at .*with a hook", caught.value.__notes__[-1])


def test_second_derivatives_and_transforms_work_inside():
    with autograd.detect_anomaly():
        assert autograd.grad(autograd.grad(lambda x: x**3))(2.0) == 12.0
        assert autograd.jvp(lambda x: x**3, (2.0,), (1.0,))[1] == 12.0


def test_it_is_a_decorator_and_restores_the_mode_after_errors():
    @autograd.detect_anomaly()
    def fails():
        assert _mode.current_mode().inspector is not None
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fails()
    assert _mode.current_mode().inspector is None
    assert _mode.current_mode().recording


def test_it_nests():
    x = leaf([1.0])
    with autograd.detect_anomaly():
        with autograd.detect_anomaly():
            y = (x * x).sum()
        y.backward()
    np.testing.assert_array_equal(x.grad, [2.0])


def test_warnings_of_numpy_name_the_users_line():
    x = leaf([0.0, 1.0])
    with warnings.catch_warnings(record=True) as caught, autograd.detect_anomaly(nan=False):
        warnings.simplefilter("default")
        x.register_hook(lambda g: np.log(g - 1))
        np.log(x)
        y = x / 0
        (x * 2).sum().backward()
    said = [(str(w.message), w.lineno - caught[0].lineno) for w in caught]
    assert all(w.filename == __file__ and w.category is RuntimeWarning for w in caught)
    assert said == [
        ("divide by zero encountered in np.log(x)", 0),
        ("divide by zero encountered in x / 0", 1),
        ("invalid value encountered in x / 0", 1),
    ]
    del y
    with np.errstate(divide="raise"), autograd.detect_anomaly(), pytest.raises(FloatingPointError):
        np.log(x)


def test_its_repr_says_what_it_looks_for():
    assert repr(autograd.detect_anomaly(nan=False)) == "detect_anomaly(nan=False, forward=False)"


def test_what_runs_later_is_watched_where_it_runs():
    x = Variable([0.0, 1.0], requires_grad=True)

    @autograd.detect_anomaly()
    def losses():
        yield "begun"
        np.sqrt(x).sum().backward()
        yield "not reached"

    @autograd.detect_anomaly()
    async def train():
        np.sqrt(x).sum().backward()

    steps = losses()
    assert next(steps) == "begun"
    assert _mode.current_mode().inspector is None
    for run in (lambda: next(steps), lambda: asyncio.run(train())):
        with pytest.raises(FloatingPointError, match="sqrt: wanted a finite gradient"):
            run()
