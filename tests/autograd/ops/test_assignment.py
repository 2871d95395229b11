"""Functional assignment: equal to NumPy's, with the gradient where each element comes from."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable


def leaf(values):
    return Variable(np.array(values, dtype=float), requires_grad=True)


SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)


@st.composite
def shapes_and_indices(draw):
    shape = draw(SHAPES)
    basic = hnp.basic_indices(shape, allow_newaxis=True)
    integers = hnp.integer_array_indices(shape)
    masks = hnp.arrays(bool, shape)
    return shape, draw(st.one_of(basic, integers, masks))


@given(shapes_and_indices())
def test_setting_is_numpys_assignment_for_every_index(case):
    shape, index = case
    x = Variable(np.arange(float(np.prod(shape))).reshape(shape), requires_grad=True)
    value = Variable(-1.0 - np.arange(float(x.data[index].size)), requires_grad=True)
    shaped = value.reshape(x.data[index].shape)
    out = autograd.set_at(x, index, shaped)
    expected = x.data.copy()
    expected[index] = shaped.data
    np.testing.assert_array_equal(out.data, expected)
    weights = np.cos(np.arange(out.size)).reshape(out.shape)
    out.backward(weights)
    # Where an element of the result comes from tells where its gradient goes.
    np.testing.assert_allclose(x.grad, np.where(expected >= 0, weights, 0.0))
    for i, v in enumerate(value.data):
        assert value.grad[i] == pytest.approx(float(weights[expected == v].sum()))


def test_setting_leaves_the_array_as_it_is():
    x = np.zeros(2)
    y = autograd.set_at(x, 0, 1.0)
    np.testing.assert_array_equal(x, 0.0)
    np.testing.assert_array_equal(y, [1.0, 0.0])
    assert type(y) is np.ndarray


def test_of_several_values_for_one_element_the_last_stays_and_gets_the_gradient():
    value = leaf([1.0, 2.0, 3.0])
    out = autograd.set_at(np.zeros(3), [0, 0, 2], value)
    np.testing.assert_array_equal(out.data, [2.0, 0.0, 3.0])
    out.sum().backward()
    np.testing.assert_array_equal(value.grad, [0.0, 1.0, 1.0])


def test_a_simulation_written_with_set_at_equals_one_written_with_stack():
    def with_set_at(rate):
        states = np.zeros(5)
        states = autograd.set_at(states, 0, 1.0)
        for i in range(4):
            states = autograd.set_at(states, i + 1, states[i] * (1 - rate))
        return (states * np.arange(5.0)).sum()

    def with_stack(rate):
        states = [1.0]
        for _ in range(4):
            states.append(states[-1] * (1 - rate))
        return (autograd.stack(states) * np.arange(5.0)).sum()

    rate = np.array(0.3)
    for derivative in (autograd.grad, lambda f: autograd.grad(autograd.grad(f))):
        np.testing.assert_allclose(derivative(with_set_at)(rate), derivative(with_stack)(rate))


def test_values_that_the_array_cannot_hold_are_refused():
    with pytest.raises(TypeError, match=r"set_at: wanted values that fit int64, got float64"):
        autograd.set_at(np.arange(3), 0, leaf(0.5))
    with pytest.raises(TypeError, match=r"add_at: wanted values that fit int64, got float64"):
        autograd.add_at(np.arange(3), 0, 0.5)
    assert autograd.set_at(np.zeros(2, np.float32), 0, leaf(0.5)).dtype == np.float32


def test_adding_at_duplicates_adds_each():
    value = leaf([1.0, 2.0])
    out = autograd.add_at(np.ones(2), [1, 1], value)
    np.testing.assert_array_equal(out.data, [1.0, 4.0])
    out.backward(np.array([5.0, 7.0]))
    np.testing.assert_array_equal(value.grad, [7.0, 7.0])


@pytest.mark.parametrize("operation", [autograd.set_at, autograd.add_at])
def test_leading_axes_of_length_1_are_dropped_from_values_as_in_numpy(operation):
    value = leaf([[1.0, 2.0, 3.0]])
    out = operation(np.zeros(3), slice(None), value)
    np.testing.assert_array_equal(out.data, [1.0, 2.0, 3.0])
    out.backward(np.array([4.0, 5.0, 6.0]))
    np.testing.assert_array_equal(value.grad, [[4.0, 5.0, 6.0]])


def test_values_are_broadcast_before_they_are_added():
    # np.add.at of NumPy 2.4 reads past the end of values that it has to broadcast.
    rows = np.array([[0, 0], [2, 2]])
    value = np.array([1.0, 2.0, 30.0, 40.0])[:2]
    np.testing.assert_array_equal(autograd.add_at(np.zeros(4), rows, value), [3.0, 0.0, 3.0, 0.0])
    value = leaf([1.0, 2.0])
    autograd.add_at(np.zeros(4), rows, value).backward(np.arange(4.0))
    np.testing.assert_array_equal(value.grad, [2.0, 2.0])


def test_one_element_is_added_to_by_arrays_of_no_axes():
    x = leaf([[0.0, 1.0], [2.0, 3.0]])
    out = autograd.add_at(x, (0, np.array(1)), x[1, 1] * 10)
    np.testing.assert_array_equal(out.data, [[0.0, 31.0], [2.0, 3.0]])
    out.backward([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(x.grad, [[1.0, 2.0], [3.0, 24.0]])
