"""Averages, and what nan does to the reductions that leave it out."""

import math

import numpy as np
import pytest

import autograd
from autograd import Variable

NAN = math.nan


def gradient(function, x, **kwargs):
    leaf = Variable(np.array(x), requires_grad=True)
    function(leaf, **kwargs).sum().backward()
    return leaf.grad


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "var", "std", "max", "min"])
def test_nan_elements_have_gradient_zero_and_do_not_disturb_the_others(name):
    x = np.array([1.5, NAN, 0.5, 4.0])
    plain = getattr(autograd, name)
    skipping = getattr(autograd, f"nan{name}")
    g = gradient(skipping, x)
    assert g[1] == 0.0
    np.testing.assert_allclose(np.delete(g, 1), gradient(plain, np.delete(x, 1)))


@pytest.mark.parametrize(
    "name", ["nansum", "nanmean", "nanprod", "nanvar", "nanstd", "nanmax", "nanmin"]
)
def test_without_nan_they_are_the_plain_reductions(name):
    x = np.array([[1.0, 3.0, 3.0], [2.0, 0.0, 5.0]])
    np.testing.assert_array_equal(
        gradient(getattr(autograd, name), x, axis=1),
        gradient(getattr(autograd, name[3:]), x, axis=1),
    )


def test_a_slice_of_nan_only_is_worth_what_numpy_says():
    x = Variable(np.array([[NAN, NAN], [1.0, 2.0]]), requires_grad=True)
    assert autograd.nansum(x, axis=1).data.tolist() == [0.0, 3.0]
    assert autograd.nanprod(x, axis=1).data.tolist() == [1.0, 2.0]
    with pytest.warns(RuntimeWarning, match="All-NaN"):
        out = autograd.nanmax(x, axis=1)
    out.sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0], [0.0, 1.0]]


def test_weights_of_an_average_have_gradients():
    x, w = np.array([1.0, 2.0, 6.0]), np.array([1.0, 1.0, 2.0])
    leaf = Variable(w, requires_grad=True)
    autograd.average(x, weights=leaf).backward()
    np.testing.assert_allclose(leaf.grad, (x - np.average(x, weights=w)) / w.sum())


def test_weights_that_add_up_to_zero_are_refused():
    with pytest.raises(ZeroDivisionError, match="average: wanted weights with a sum other than 0"):
        autograd.average(Variable([1.0, 2.0]), weights=[1.0, -1.0])


def test_weights_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"average: wanted weights of shape \(2, 3\)"):
        autograd.average(Variable(np.ones((2, 3))), axis=0, weights=[1.0, 2.0, 3.0])


@pytest.mark.parametrize("weights", [{}, {"aweights": np.array([1.0, 3.0])}])
def test_two_observations_are_enough_for_a_covariance(weights):
    """One degree of freedom: NumPy does not warn either."""
    x = np.array([[1.0, 3.0], [2.0, 8.0]])
    np.testing.assert_allclose(np.cov(Variable(x), **weights).data, np.cov(x, **weights))
