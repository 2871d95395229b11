"""Differences, gradients and integrals of samples: every axis, spacings, ends."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable, grad


def leaf(values):
    return Variable(np.array(values, dtype=float), requires_grad=True)


@st.composite
def arrays_and_axes(draw):
    shapes = hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)
    x = draw(hnp.arrays(np.float64, shapes, elements=st.floats(-4, 4)))
    return x, draw(st.integers(-x.ndim, x.ndim - 1))


@given(arrays_and_axes(), st.integers(0, 4))
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


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("ends", [("prepend",), ("append",), ("prepend", "append")])
def test_one_end_of_a_difference_or_both_may_be_given(ends, n):
    x, end = leaf([1.0, 4.0, 9.0]), leaf([2.0, 7.0])
    out = np.diff(x, n, **dict.fromkeys(ends, end))
    wanted = np.diff(x.data, n, **dict.fromkeys(ends, end.data))
    np.testing.assert_array_equal(out.data, wanted)
    weights = np.cos(np.arange(out.size))
    out.backward(weights)
    # Adjoint: the difference is linear in its operand and its ends.
    moved = np.diff(np.zeros(3), n, **dict.fromkeys(ends, np.array([0.5, -0.25])))
    assert end.grad @ [0.5, -0.25] == pytest.approx(weights @ moved)


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
    with pytest.raises(TypeError, match=r"gradient: wanted real"):
        np.gradient(x, np.array([0.0, 1j]), axis=0)


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
