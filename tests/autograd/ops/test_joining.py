"""Joining and splitting: what the op table does not say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable
from autograd.ops import joining


def leaf(*shape):
    return Variable(np.arange(float(np.prod(shape))).reshape(shape), requires_grad=True)


@given(st.data())
def test_insert_and_delete_place_elements_as_numpy(data):
    n = data.draw(st.integers(1, 5))
    x = leaf(n)
    places = data.draw(
        st.one_of(
            st.integers(-n, n - 1),
            st.lists(st.integers(-n, n - 1), min_size=1, max_size=4),
            st.slices(n),
        )
    )
    count = len(np.insert(x.data, places, 0.0)) - n
    values = Variable(-1.0 - np.arange(count), requires_grad=True)
    if isinstance(places, int):
        values = values.reshape(())
    out = autograd.insert(x, places, values)
    np.testing.assert_array_equal(out.data, np.insert(x.data, places, values.data))
    kept = autograd.delete(x, places)
    np.testing.assert_array_equal(kept.data, np.delete(x.data, places))
    (out.sum() + (2 * kept).sum()).backward()
    np.testing.assert_array_equal(x.grad, 1.0 + 2.0 * np.isin(x.data, kept.data))


def test_a_mask_of_places_stands_for_the_places_where_it_holds():
    x = leaf(3)
    mask = np.array([True, False, True])
    np.testing.assert_array_equal(autograd.insert(x, mask, -1.0).data, [-1, 0, 1, -1, 2])
    np.testing.assert_array_equal(autograd.delete(x, mask).data, [1.0])


def test_a_dtype_that_would_lose_the_gradient_is_refused():
    x = leaf(2)
    with pytest.raises(TypeError, match=r"concatenate: wanted a floating dtype .*got int64"):
        np.concatenate([x, x], dtype=np.int64, casting="unsafe")
    with pytest.raises(TypeError, match="stack: wanted a floating dtype"):
        autograd.stack([x, x], dtype=int)
    with pytest.raises(TypeError, match="insert: wanted values that fit int64, got float64"):
        autograd.insert(np.arange(3), 0, x)


def test_a_dtype_converts_and_the_gradient_comes_back_in_the_operands():
    x = Variable(np.ones(2, np.float32), requires_grad=True)
    out = np.concatenate([x, np.ones(1)], dtype=np.float64)
    assert out.dtype == np.float64
    out.sum().backward()
    assert x.grad.dtype == np.float32


def test_nothing_to_join_is_an_error():
    for join in (autograd.concatenate, autograd.stack, autograd.vstack, autograd.hstack):
        with pytest.raises(ValueError, match="wanted at least one array, got an empty sequence"):
            join([])


def test_blocks_of_unequal_depth_are_refused():
    with pytest.raises(ValueError, match="block: wanted lists of equal depth"):
        autograd.block([[leaf(2)], leaf(2)])
    with pytest.raises(TypeError, match="block: wanted nested lists of arrays, got a tuple"):
        autograd.block((leaf(2), leaf(2)))


def test_parts_that_do_not_come_out_even_are_refused_with_the_alternative():
    with pytest.raises(
        ValueError, match=r"split: wanted a number of parts that divides 5.*array_sp"
    ):
        np.split(leaf(5), 2)
    with pytest.raises(ValueError, match="array_split: wanted at least one part, got 0"):
        autograd.array_split(leaf(5), 0)
    with pytest.raises(ValueError, match=r"dsplit: wanted at least 3 axes, got shape \(2, 2\)"):
        np.dsplit(leaf(2, 2), 2)


def test_parts_are_views_and_unused_ones_are_not_recorded_in_the_graph():
    x = leaf(6)
    parts = np.split(x, 3)
    assert all(np.shares_memory(p.data, x.data) for p in parts)
    parts[1].sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0, 1, 1, 0, 0])


def test_rows_of_an_array_can_be_joined_like_a_list():
    x = leaf(2, 3)
    np.testing.assert_array_equal(autograd.concatenate(x).data, np.concatenate(x.data))
    np.testing.assert_array_equal(np.vstack(x).data, np.vstack(x.data))
    autograd.hstack(x).sum().backward()
    np.testing.assert_array_equal(x.grad, np.ones((2, 3)))


def test_unstacking_undoes_stacking():
    x = leaf(2, 3)
    for axis in (0, 1, -1):
        again = autograd.stack(autograd.unstack(x, axis=axis), axis=axis)
        np.testing.assert_array_equal(again.data, x.data)


def test_lists_of_many_lengths_leave_nothing_behind():
    plan = joining._concatenate.primitive.plan
    parts = [Variable(np.ones(1), requires_grad=True) for _ in range(300)]
    for count in range(50, 300):
        autograd.concatenate(parts[:count])
    assert 0 < plan.cache_info().currsize <= 200


def test_ten_thousand_arrays_are_joined_by_one_rule():
    parts = [Variable(np.array([float(i)]), requires_grad=True) for i in range(10_000)]
    joined = autograd.concatenate(parts)
    joined.backward(np.arange(10_000.0))
    assert parts[1234].grad == [1234.0]
