"""Shapes: what the op table does not say: layouts, identities, errors."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable


def leaf(*shape):
    return Variable(np.arange(float(np.prod(shape))).reshape(shape), requires_grad=True)


def test_repeating_along_the_last_axis_adds_up_the_copies_of_each_element():
    x = leaf(2, 2)
    np.repeat(x, 2, axis=-1).backward(np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]]))
    np.testing.assert_array_equal(x.grad, [[3.0, 7.0], [11.0, 15.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "duplicate",
    [
        lambda x: x.copy(),
        lambda x: x.astype(np.float64),
        lambda x: x.astype(np.float32),
        copy.copy,
        np.copy,
        autograd.copy,
        autograd.array,
        lambda x: np.astype(x, np.float64) if hasattr(np, "astype") else x,
    ],
)
def test_copies_and_conversions_keep_the_gradient(duplicate, dtype):
    x = Variable(np.ones(2, dtype), requires_grad=True)
    duplicate(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])
    assert x.grad.dtype == dtype


def test_a_conversion_to_integers_carries_no_gradient():
    x = leaf(3)
    assert not x.astype(int).requires_grad
    assert x.astype(int).dtype == int
    assert x.astype(np.float64, copy=False) is x
    assert autograd.astype([1.5, 2.5], np.float32).dtype == np.float32


def test_flattening_in_the_order_of_memory():
    c, f = leaf(2, 3), Variable(np.arange(6.0).reshape(3, 2).T, requires_grad=True)
    for order in "CFAK":
        for x in (c, f):
            np.testing.assert_array_equal(x.ravel(order).data, x.data.ravel(order))
            np.testing.assert_array_equal(x.flatten(order).data, x.data.flatten(order))
            np.testing.assert_array_equal(np.ravel(x, order=order).data, x.data.ravel(order))
    f.ravel("K").backward(np.arange(6.0))
    np.testing.assert_array_equal(f.grad, f.data)


def test_reshape_says_what_it_cannot_do():
    x = leaf(2, 3)
    with pytest.raises(ValueError, match=r"reshape: wanted order 'C' or 'F', got 'A'"):
        autograd.reshape(x, 6, order="A")
    with pytest.raises(ValueError, match="cannot reshape array of size 6"):
        x.reshape(4)
    with pytest.raises(ValueError, match="reshape: wanted a view"):
        x.T.reshape(6, copy=False)
    assert np.shares_memory(x.reshape(6, copy=False).data, x.data)
    assert not np.shares_memory(x.reshape(6, copy=True).data, x.data)


def test_the_method_reshape_takes_separate_integers():
    assert leaf(2, 3).reshape(3, 2).shape == (3, 2)
    assert leaf(2, 3).reshape((3, -1)).shape == (3, 2)


@given(st.data())
def test_moveaxis_and_rollaxis_place_axes_as_numpy(data):
    ndim = data.draw(st.integers(1, 4))
    x = leaf(*range(1, ndim + 1))
    count = data.draw(st.integers(0, ndim))
    axes = st.permutations(range(ndim)).map(lambda p: tuple(p[:count]))
    source, target = data.draw(axes), data.draw(axes)
    signs = data.draw(st.lists(st.sampled_from([0, ndim]), min_size=count, max_size=count))
    source = tuple(a - s for a, s in zip(source, signs, strict=True))
    moved = np.moveaxis(x.data, source, target)
    np.testing.assert_array_equal(autograd.moveaxis(x, source, target).data, moved)
    axis, start = data.draw(st.integers(-ndim, ndim - 1)), data.draw(st.integers(-ndim, ndim))
    rolled = np.rollaxis(x.data, axis, start)
    np.testing.assert_array_equal(autograd.rollaxis(x, axis, start).data, rolled)


def test_axes_that_are_not_there_are_named():
    x = leaf(2, 3)
    with pytest.raises(ValueError, match=r"moveaxis: wanted an axis in \[-2, 2\), got 2"):
        autograd.moveaxis(x, 2, 0)
    with pytest.raises(ValueError, match="moveaxis: wanted as many different sources"):
        autograd.moveaxis(x, (0, 0), (0, 1))
    with pytest.raises(ValueError, match="matrix_transpose: wanted at least 2 axes"):
        autograd.matrix_transpose(x[0])
    with pytest.raises(ValueError, match="fliplr: wanted at least 2 axes"):
        autograd.fliplr(x[0])


def test_arrays_with_enough_axes_come_back_as_they_are():
    x = leaf(2, 3, 4)
    assert autograd.atleast_1d(x) is x
    assert autograd.atleast_3d(x) is x
    first, second = np.broadcast_arrays(x, x)
    assert first is x
    assert second is x


@pytest.mark.parametrize("trim", ["f", "b", "fb"])
def test_trimming_zeros_cuts_and_gives_the_rest_their_gradient(trim):
    x = Variable(np.array([0.0, 1.0, 0.0, 2.0, 0.0]), requires_grad=True)
    trimmed = np.trim_zeros(x, trim)
    np.testing.assert_array_equal(trimmed.data, np.trim_zeros(x.data, trim))
    trimmed.sum().backward()
    expected = np.ones(5)
    expected[0] -= "f" in trim
    expected[-1] -= "b" in trim
    np.testing.assert_array_equal(x.grad, expected)
    assert autograd.trim_zeros(np.zeros(3)).size == 0
    np.testing.assert_array_equal(autograd.trim_zeros(np.eye(3)[:, :2]), np.eye(2))


def test_resizing_repeats_elements_and_adds_up_their_gradients():
    x = leaf(3)
    np.resize(x, (2, 4)).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 3.0, 2.0])
    with pytest.raises(ValueError, match="resize: wanted at least one element"):
        autograd.resize(leaf(0), 3)


def test_counts_of_repeat_may_be_a_variable_but_have_no_gradient():
    x = leaf(2)
    np.repeat(x, Variable(np.array([1, 2]))).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 2.0])


@pytest.mark.parametrize(
    "transpose",
    [lambda x: x.transpose(0), lambda x: np.transpose(x, 0), lambda x: np.permute_dims(x, 0)],
)
def test_the_only_axis_may_be_named_by_a_number(transpose):
    x = Variable([1.0, 2.0], requires_grad=True)
    transpose(x).backward(np.array([3.0, 4.0]))
    np.testing.assert_array_equal(x.grad, [3.0, 4.0])


@pytest.mark.parametrize("shape", [(), (1,), (2, 0)])
def test_repeating_nothing_gives_a_gradient_of_zero(shape):
    x = Variable(np.ones(shape), requires_grad=True)
    out = np.repeat(x, 0, axis=0)
    assert out.shape == np.repeat(np.ones(shape), 0, axis=0).shape
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, np.zeros(shape))
