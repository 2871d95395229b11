"""Running sums and products: every axis, zeros, nan, dtypes."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable, grad, hessian, jacobian


def leaf(values):
    return Variable(np.array(values, dtype=float), requires_grad=True)


# Numbers whose products neither underflow nor overflow, many of them zero.
ELEMENTS = st.sampled_from([0.0, 0.0, -2.0, -0.5, 0.75, 1.0, 1.5])


@st.composite
def arrays_and_axes(draw):
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, max_side=4)
    x = draw(hnp.arrays(np.float64, shapes, elements=ELEMENTS))
    count = max(x.ndim, 1)
    return x, draw(st.none() | st.integers(-count, count - 1))


def products_of_others(x):
    """The Jacobian of the running products of a vector, entry by entry."""
    n = len(x)
    return [
        [np.prod(np.delete(x[: i + 1], j)) if j <= i else 0.0 for j in range(n)] for i in range(n)
    ]


@given(arrays_and_axes())
def test_running_sums_equal_numpy_and_their_gradient_counts_the_later_places(case):
    a, axis = case
    x = Variable(a, requires_grad=True)
    out = x.cumsum(axis)
    wanted = np.cumsum(a, axis)
    np.testing.assert_array_equal(out.data, wanted)
    out.backward(np.ones(wanted.shape))
    if axis is None or not a.ndim:
        counts = np.arange(a.size, 0, -1).reshape(a.shape)
    else:
        n = a.shape[axis]
        counts = np.moveaxis(
            np.broadcast_to(np.arange(n, 0, -1), np.moveaxis(a, axis, -1).shape), -1, axis
        )
    np.testing.assert_array_equal(x.grad, counts)


@given(arrays_and_axes())
def test_the_gradient_of_running_products_is_that_of_each_lane(case):
    a, axis = case
    x = Variable(a, requires_grad=True)
    out = x.cumprod(axis)
    wanted = np.cumprod(a, axis)
    np.testing.assert_array_equal(out.data, wanted)
    weights = np.cos(np.arange(wanted.size)).reshape(wanted.shape)
    out.backward(weights)
    lanes = a.reshape(1, -1) if axis is None or not a.ndim else np.moveaxis(a, axis, -1)
    cotangents = weights if weights.ndim == 1 else np.moveaxis(weights, axis, -1)
    n = lanes.shape[-1]
    pairs = zip(lanes.reshape(-1, n), cotangents.reshape(-1, n), strict=True)
    gradient = np.array([w @ np.array(products_of_others(v)) for v, w in pairs]).reshape(
        lanes.shape
    )
    gradient = (
        gradient.reshape(a.shape) if axis is None or not a.ndim else np.moveaxis(gradient, -1, axis)
    )
    np.testing.assert_allclose(x.grad, gradient, atol=1e-13)


@pytest.mark.parametrize("zeros", [(), (0,), (2,), (4,), (1, 3), (0, 1, 2), (0, 1, 2, 3, 4)])
def test_running_products_with_zeros_are_right_to_second_order(zeros):
    x = np.array([2.0, 3.0, 0.5, -1.5, 4.0])
    x[list(zeros)] = 0.0
    np.testing.assert_allclose(jacobian(np.cumprod)(x), products_of_others(x), atol=1e-14)
    weights = np.array([1.0, -2.0, 3.0, 0.5, 2.0])
    wanted = np.zeros((5, 5))
    for i, w in enumerate(weights):
        for j in range(i + 1):
            for k in range(i + 1):
                wanted[j, k] += w * np.prod(np.delete(x[: i + 1], [j, k])) if j != k else 0.0
    found = hessian(lambda x: (weights * np.cumprod(x)).sum())(x)
    np.testing.assert_allclose(found, wanted, atol=1e-13)


def test_third_derivatives_of_running_products_of_zeros():
    third = jacobian(hessian(lambda x: np.cumprod(x)[2]))(np.zeros(3))
    wanted = [[[float(len({i, j, k}) == 3) for k in range(3)] for j in range(3)] for i in range(3)]
    np.testing.assert_array_equal(third, wanted)


def test_running_products_that_underflow_have_finite_gradients():
    g = grad(lambda x: np.cumprod(x).sum())(np.full(5, 1e-100))
    np.testing.assert_allclose(g, [1.0, 1e-100, 1e-200, 1e-300, 0.0])


def test_a_zero_in_one_lane_leaves_the_other_lanes_right():
    x = np.array([[1.0, 2.0, 3.0], [0.0, 5.0, 7.0]])
    g = grad(lambda x: np.cumprod(x, 1)[:, -1].sum())(x)
    np.testing.assert_array_equal(g, [[6.0, 3.0, 2.0], [35.0, 0.0, 0.0]])


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "nancumprod"])
def test_dtype_is_that_of_the_accumulation(name):
    x = Variable(np.array([1.5, 2.0], np.float32), requires_grad=True)
    out = getattr(np, name)(x, dtype=np.float64)
    assert out.dtype == np.float64
    out.sum().backward()
    assert x.grad.dtype == np.float32
    with pytest.raises(TypeError, match=r"cum\w+: wanted a floating dtype for a Variable that"):
        getattr(np, name)(x, dtype=int)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "nancumprod"])
def test_out_is_refused_by_name(name):
    with pytest.raises(TypeError, match=name + r": wanted a call without out="):
        getattr(autograd, name)(leaf([1.0]), out=np.zeros(1))
    with pytest.raises(ValueError, match=r"wanted an axis in \[-1, 1\), got 1"):
        getattr(autograd, name)(leaf([1.0]), 1)


def test_a_nan_that_is_left_out_has_gradient_zero():
    x = [2.0, np.nan, 3.0]
    sums, products = leaf(x), leaf(x)
    np.testing.assert_array_equal(np.nancumsum(sums).data, [2.0, 2.0, 5.0])
    np.nancumsum(sums).sum().backward()
    np.testing.assert_array_equal(sums.grad, [3.0, 0.0, 1.0])
    np.nancumprod(products).sum().backward()
    np.testing.assert_array_equal(products.grad, [5.0, 0.0, 2.0])


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "nancumprod"])
def test_integers_accumulate_as_in_numpy(name):
    x = np.array([[1, 2], [3, 4]], np.int8)
    out = getattr(autograd, name)(x)
    assert out.dtype == getattr(np, name)(x).dtype
    np.testing.assert_array_equal(out, getattr(np, name)(x))


def test_cumulative_functions_need_an_axis_for_more_than_one():
    with pytest.raises(ValueError, match=r"cumulative_sum: wanted an axis .* got none for shape"):
        autograd.cumulative_sum(leaf([[1.0]]))
    np.testing.assert_array_equal(autograd.cumulative_prod(2.0, include_initial=True), [1.0, 2.0])


def test_running_products_that_are_subnormal_are_not_divided():
    tiny = np.full(5, 1e-9, np.float32)
    found = grad(lambda x: autograd.cumprod(x)[-1])(tiny)
    np.testing.assert_allclose(found, [1e-36] * 5, rtol=1e-6)
    x = np.array([1e-300, 1e-15, 1e15])
    with np.errstate(all="ignore"):
        second = hessian(lambda x: autograd.cumprod(x)[-1])(x)
    wanted = [[0, 1e15, 1e-15], [1e15, 0, 1e-300], [1e-15, 1e-300, 0]]
    np.testing.assert_allclose(second, wanted, rtol=1e-12)
