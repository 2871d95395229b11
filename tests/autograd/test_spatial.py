"""Distances between points and interpolation equal SciPy's, with gradients."""

import numpy as np
import pytest

import autograd
from autograd import Variable, grad
from autograd.interpolate import interp1d
from autograd.spatial import cdist, pdist
from autograd.testing import check_gradients

distance = pytest.importorskip("scipy.spatial.distance")
interpolate = pytest.importorskip("scipy.interpolate")

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(4, 3)), RNG.normal(size=(5, 3))
METRICS = [
    "canberra",
    "chebyshev",
    "cityblock",
    "correlation",
    "cosine",
    "euclidean",
    "sqeuclidean",
]


@pytest.mark.parametrize("metric", METRICS)
def test_distances_are_those_of_scipy(metric):
    np.testing.assert_allclose(cdist(A, B, metric), distance.cdist(A, B, metric), rtol=1e-12)
    np.testing.assert_allclose(pdist(A, metric), distance.pdist(A, metric), rtol=1e-12)
    check_gradients(lambda a, b: cdist(a, b, metric), A, B, order=2, fast=True)
    check_gradients(lambda a: pdist(a, metric), A, fast=True)


def test_minkowski_takes_its_power():
    np.testing.assert_allclose(
        cdist(A, B, "minkowski", p=3), distance.cdist(A, B, "minkowski", p=3)
    )
    check_gradients(lambda a: cdist(a, B, "minkowski", p=3), A, fast=True)


def test_equal_points_have_gradient_zero():
    for metric in ("euclidean", "sqeuclidean", "cityblock", "minkowski"):
        slope = grad(lambda a, m=metric: cdist(a, A, m)[0, 0])(A)
        np.testing.assert_array_equal(slope, np.zeros_like(A))


X = np.sort(RNG.uniform(0, 4, 7))
NEW = RNG.uniform(X[0], X[-1], (2, 4))


@pytest.mark.parametrize("kind", ["cubic", "linear", "nearest", "next", "previous", "zero"])
@pytest.mark.parametrize("shape, axis", [((7,), -1), ((3, 7), 1), ((7, 2), 0)])
def test_interpolation_is_that_of_scipy(kind, shape, axis):
    y = RNG.normal(size=shape)
    wanted = interpolate.interp1d(X, y, kind, axis)(NEW)
    np.testing.assert_allclose(interp1d(X, y, kind, axis)(NEW), wanted, rtol=1e-9, atol=1e-12)
    check_gradients(lambda x, y, new: interp1d(x, y, kind, axis)(new), X, y, NEW, fast=True)


def test_outside_there_is_an_error_a_value_or_the_last_piece():
    y, outside = np.sin(X), np.array([X[0] - 1, X[2], X[-1] + 1])
    with pytest.raises(ValueError, match=r"interp1d: wanted points from .* got some outside; pass"):
        interp1d(X, y)(outside)
    for given in ("extrapolate", 5.0):
        wanted = interpolate.interp1d(X, y, bounds_error=False, fill_value=given)(outside)
        np.testing.assert_allclose(interp1d(X, y, fill_value=given)(outside), wanted)
    cubic = interp1d(X, y, "cubic", fill_value="extrapolate")
    wanted = interpolate.interp1d(X, y, "cubic", fill_value="extrapolate")(outside)
    np.testing.assert_allclose(cubic(outside), wanted)
    assert np.isnan(interp1d(X, y, bounds_error=False)(outside)[[0, 2]]).all()


def test_a_compiled_interpolation_looks_its_places_up_anew():
    y = np.sin(X)
    fast = autograd.compile(lambda new: interp1d(X, y, "cubic", fill_value="extrapolate")(new))
    fast(NEW)
    np.testing.assert_allclose(fast(NEW[::-1]), interp1d(X, y, "cubic")(NEW[::-1]), rtol=1e-12)


@pytest.mark.parametrize(
    "call, kind, sentence",
    [
        (lambda: cdist(A, B[:, :2]), ValueError, "points with equally many numbers, got shapes"),
        (lambda: cdist(A, B[0]), ValueError, "wanted XB as a matrix of points, got shape"),
        (lambda: cdist(A, B, "far"), ValueError, "wanted one of the metrics 'canberra'.*got 'far'"),
        (
            lambda: cdist(A, B, p=3),
            TypeError,
            "wanted p= for 'minkowski' as the only option",
        ),
        (lambda: interp1d(X, X, "quartic"), ValueError, "wanted one of the kinds .*got 'quartic'"),
        (lambda: interp1d(X, X[:3]), ValueError, r"got shapes \(7,\) and \(3,\)"),
        (lambda: interp1d(X[::-1], X), ValueError, "got 7 that do not increase"),
        (lambda: interp1d(X[:3], X[:3], "cubic"), ValueError, "at least 4 increasing points"),
        (lambda: interp1d(X, X, fill_value="far"), ValueError, "wanted a number or 'extrapolate'"),
    ],
)
def test_bad_arguments_are_told(call, kind, sentence):
    with pytest.raises(kind, match=sentence):
        call()


def test_values_that_are_variables_are_recorded():
    y = Variable(np.sin(X), requires_grad=True)
    interp1d(X, y)(NEW).sum().backward()
    assert y.grad.sum() == pytest.approx(NEW.size)
