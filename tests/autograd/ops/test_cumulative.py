"""Running sums and products, differences, gradients of samples, piecewise functions."""

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
def arrays_and_axes(draw, min_dims=0, optional=True):
    x = draw(
        hnp.arrays(
            np.float64,
            hnp.array_shapes(min_dims=min_dims, max_dims=3, max_side=4),
            elements=ELEMENTS,
        )
    )
    axes = st.integers(-max(x.ndim, 1), max(x.ndim, 1) - 1)
    return x, draw(st.none() | axes if optional else axes)


def products_of_others(x):
    """The Jacobian of the running products of a vector, entry by entry."""
    n = len(x)
    return [
        [np.prod(np.delete(x[: i + 1], j)) if j <= i else 0.0 for j in range(n)] for i in range(n)
    ]


# -- running sums and products ---------------------------------------------------------------------


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


# -- differences -----------------------------------------------------------------------------------


@given(arrays_and_axes(min_dims=1, optional=False), st.integers(0, 4))
def test_differences_equal_numpy_and_are_adjoint(case, n):
    a, axis = case
    x = Variable(a, requires_grad=True)
    out = np.diff(x, n, axis)
    wanted = np.diff(a, n, axis)
    np.testing.assert_array_equal(out.data, wanted)
    weights = np.cos(np.arange(wanted.size)).reshape(wanted.shape)
    out.backward(weights)
    other = np.sin(np.arange(a.size)).reshape(a.shape)
    assert (x.grad * other).sum() == pytest.approx((weights * np.diff(other, n, axis)).sum())


def test_differences_of_bools_and_none_at_all():
    np.testing.assert_array_equal(autograd.diff(np.array([True, False, False])), [True, False])
    x = leaf([1.0])
    assert np.diff(x, 0) is x
    with pytest.raises(ValueError, match="diff: wanted a number of differences n of at least 0"):
        np.diff(x, -1)
    with pytest.raises(ValueError, match=r"diff: wanted an axis in \[0, 0\)"):
        autograd.diff(1.0)


def test_ends_of_ediff1d_must_fit_its_dtype():
    with pytest.raises(TypeError, match=r"ediff1d: wanted to_end of a dtype that fits int64"):
        autograd.ediff1d(np.arange(3), to_end=leaf([0.5]))


# -- gradients and integrals of samples ------------------------------------------------------------


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=1, max_dims=3, min_side=3, max_side=5),
        elements=st.floats(-4, 4),
    ),
    st.sampled_from([1, 2]),
    st.data(),
)
def test_gradient_equals_numpy_for_all_spacings(a, edge_order, data):
    axes = data.draw(
        st.none()
        | st.lists(st.integers(0, a.ndim - 1), min_size=1, max_size=a.ndim, unique=True).map(tuple)
    )
    spacings = [
        data.draw(
            st.sampled_from([0.5, 2, np.arange(n) * 0.25, np.arange(n), np.arange(n) ** 2 / 7])
        )
        for n in (a.shape[i] for i in (range(a.ndim) if axes is None else axes))
    ]
    found = np.gradient(leaf(a), *spacings, axis=axes, edge_order=edge_order)
    wanted = np.gradient(a, *spacings, axis=axes, edge_order=edge_order)
    assert isinstance(found, tuple) == isinstance(wanted, tuple)
    if not isinstance(wanted, tuple):
        found, wanted = (found,), (wanted,)
    for f, w in zip(found, wanted, strict=True):
        np.testing.assert_allclose(f.data, w, rtol=1e-12, atol=1e-12)


def test_gradient_of_float32_samples_stays_float32_with_float64_coordinates():
    x = Variable(np.array([1.0, 2.0, 4.0], np.float32), requires_grad=True)
    out = np.gradient(x, np.array([0.0, 0.5, 2.0]), edge_order=2)
    wanted = np.gradient(x.data, np.array([0.0, 0.5, 2.0]), edge_order=2)
    assert out.dtype == wanted.dtype == np.float32
    np.testing.assert_allclose(out.data, wanted, rtol=1e-6)


def test_equally_spaced_coordinates_have_a_gradient_too():
    t = np.arange(4.0)
    g = grad(lambda t: np.gradient(t**2, t).sum())(t)
    # The slopes of t^2 are t0 + t1 at one end, t2 + t3 at the other and 2 t between.
    np.testing.assert_allclose(g, [1.0, 3.0, 3.0, 1.0])


def test_gradient_says_what_it_wanted():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(ValueError, match=r"wanted at least 3 samples along axis 0"):
        np.gradient(x, edge_order=2)
    with pytest.raises(ValueError, match=r"gradient: wanted edge_order 1 or 2, got 3"):
        np.gradient(x, edge_order=3)
    with pytest.raises(TypeError, match=r"one spacing for each of 2 axes, got 3"):
        np.gradient(x, 1.0, 2.0, 3.0)
    with pytest.raises(ValueError, match=r"coordinates \(2,\) as spacing of axis 0, got .*\(3,\)"):
        np.gradient(x, np.arange(3.0), 1.0)
    with pytest.raises(ValueError, match=r"gradient: wanted different axes, got \(0, 0\)"):
        np.gradient(x, axis=(0, 0))
    with pytest.raises(ValueError, match=r"gradient: wanted an axis in \[-2, 2\), got 2"):
        np.gradient(x, axis=2)


def test_the_trapezoidal_rule_has_gradients_for_samples_places_and_distance():
    y, x, dx = leaf([1.0, 2.0, 4.0]), leaf([0.0, 1.0, 3.0]), leaf(0.5)
    np.trapezoid(y, x).backward()
    np.testing.assert_array_equal(y.grad, [0.5, 1.5, 1.0])
    np.testing.assert_array_equal(x.grad, [-1.5, -1.5, 3.0])
    np.trapezoid(y.detach(), dx=dx).backward()
    assert dx.grad == 4.5


def test_unwrap_passes_the_gradient_and_has_none_for_the_period():
    x = leaf([0.0, 3.0, 7.0, -4.0])
    out = np.unwrap(x)
    np.testing.assert_array_equal(out.data, np.unwrap(x.data))
    out.backward(np.arange(4.0))
    np.testing.assert_array_equal(x.grad, np.arange(4.0))
    with pytest.raises(TypeError, match="period"):
        autograd.unwrap(x, period=leaf(1.0))


# -- piecewise functions ---------------------------------------------------------------------------


def test_a_piece_sees_only_its_own_elements():
    seen = []

    def root(v):
        seen.append(v.data.copy())
        return np.sqrt(v)

    x = leaf([-1.0, 4.0, 0.0, 9.0])
    np.piecewise(x, [x > 0], [root, 0.0]).sum().backward()
    np.testing.assert_array_equal(seen, [[4.0, 9.0]])
    np.testing.assert_allclose(x.grad, [0.0, 0.25, 0.0, 1 / 6])


def test_of_overlapping_pieces_the_last_one_counts():
    x = leaf([1.0, 2.0, 3.0])
    out = np.piecewise(x, [x > 0, x > 1.5], [lambda v: 2 * v, lambda v: v * v])
    np.testing.assert_array_equal(out.data, [2.0, 4.0, 9.0])
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0, 6.0])


def test_pieces_take_arguments_and_variables_of_their_own():
    w = leaf(3.0)
    x = np.array([-1.0, 2.0])
    out = autograd.piecewise(
        x, [x < 0, x >= 0], [lambda v, a, b: a * v, lambda v, a, b: b * v], w, b=5.0
    )
    np.testing.assert_array_equal(out.data, [-3.0, 10.0])
    out.sum().backward()
    assert w.grad == -1.0


@pytest.mark.parametrize("x", [-2.0, 0.5])
def test_pieces_of_a_number(x):
    value, slope = autograd.value_and_grad(
        lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda v: -v, lambda v: v * v])
    )(x)
    assert value == np.piecewise(x, [x < 0, x >= 0], [lambda v: -v, lambda v: v * v])
    assert slope == (-1.0 if x < 0 else 2 * x)


def test_pieces_that_are_constant_have_gradient_zero():
    g = grad(lambda x: np.piecewise(x, [x < 0], [-1.0, 1.0]).sum())(np.array([-2.0, 3.0]))
    np.testing.assert_array_equal(g, [0.0, 0.0])


def test_pieces_of_arrays_alone_are_numpys():
    x = np.arange(-2, 3)
    pieces = [lambda v: v * 0.6, 7]
    np.testing.assert_array_equal(
        autograd.piecewise(x, x < 0, pieces), np.piecewise(x, x < 0, pieces)
    )
    with pytest.raises(ValueError, match="piecewise: wanted 1 or 2 functions for 1 masks, got 3"):
        autograd.piecewise(leaf([1.0]), [[True]], [1, 2, 3])


def test_small_imaginary_parts_are_dropped_and_large_ones_kept():
    z = Variable(np.array([1.0 + 1e-15j, 2.0]), requires_grad=True)
    out = np.real_if_close(z)
    assert out.dtype == np.float64
    out.sum().backward()
    np.testing.assert_array_equal(z.grad, [1.0, 1.0])
    assert np.real_if_close(z + 1j).dtype == np.complex128
    x = leaf([1.0])
    assert np.real_if_close(x) is x
