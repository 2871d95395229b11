"""Reciprocal trigonometric functions and sequences: poles, large arguments, names in MyGrad."""

import numpy as np
import pytest

import autograd
from autograd import grad


def test_large_arguments_do_not_overflow():
    x = np.array([-1e3, 1e3])
    for name in ("sech", "csch"):
        f = getattr(autograd, name)
        np.testing.assert_array_equal(np.abs(f(x)), [0, 0])
        np.testing.assert_array_equal(grad(lambda x: f(x).sum())(x), [0, 0])  # noqa: B023
    np.testing.assert_array_equal(autograd.coth(x), [-1, 1])
    np.testing.assert_array_equal(grad(lambda x: autograd.coth(x).sum())(x), [0, 0])


def test_the_slope_of_coth_keeps_its_digits_far_out():
    assert grad(autograd.coth)(30.0) == pytest.approx(-4 * np.exp(-60), rel=1e-12)


def test_poles_are_infinite():
    with np.errstate(divide="ignore"):
        assert autograd.csc(0.0) == autograd.cot(0.0) == autograd.csch(0.0) == np.inf
        assert autograd.arccot(np.float64(0.0)) == np.pi / 2
    assert grad(lambda x: autograd.where(x > 0, autograd.csch(x), 0.0))(np.float64(-0.5)) == 0


def test_inverses_lead_back():
    x = np.array([0.2, 0.7])
    for name in ("sec", "csc", "cot", "sech", "csch", "coth"):
        back = getattr(autograd, f"arc{name}")(getattr(autograd, name)(x))
        np.testing.assert_allclose(back, x, rtol=1e-12)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: autograd.add_sequence(1.0), "add_sequence: wanted at least two arrays, got 1"),
        (autograd.multiply_sequence, "multiply_sequence: wanted at least two arrays"),
        (lambda: autograd.multi_matmul([np.eye(2)]), "multi_matmul: wanted at least two"),
        (
            lambda: autograd.multi_matmul([np.eye(2), np.ones(2), np.eye(2)]),
            r"vectors only at the ends, got shape \(2,\) at position 1",
        ),
    ],
)
def test_too_few_arrays_and_vectors_inside_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("dtype, x", [(np.float32, 1e-20), (np.float32, 1e-30), (float, 1e-200)])
def test_the_slopes_of_inverses_near_0_neither_underflow_nor_overflow(dtype, x):
    with np.errstate(over="ignore"):
        for name, sign in (("arccsch", 1), ("arccsch", -1), ("arcsech", 1)):
            found = grad(getattr(autograd, name))(dtype(sign * x))
            assert found == pytest.approx(-1 / x, rel=1e-6)
            assert found.dtype == dtype
    second = grad(grad(autograd.arccsch))(1e-100)
    assert second == pytest.approx(1e200, rel=1e-12)


def test_the_slopes_of_inverses_at_0_are_infinite():
    with np.errstate(all="ignore"):
        assert grad(autograd.arccsch)(0.0) == -np.inf
        assert grad(autograd.arcsech)(0.0) == -np.inf


@pytest.mark.parametrize("name", ["arcsec", "arccsc", "arccot", "arccoth"])
def test_second_derivatives_of_inverses_far_out_do_not_underflow(name):
    sign = 1 if name in ("arccsc", "arccot", "arccoth") else -1
    found = grad(grad(getattr(autograd, name)))(1e100)
    assert found == pytest.approx(sign * 2e-300, rel=1e-12, abs=0)
