"""Indexing: every kind of index, duplicates, readings in great number, functional assignment."""

import tracemalloc

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable
from autograd.extend import unary


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
def test_reading_and_its_gradient_are_adjoint_for_every_index(case):
    shape, index = case
    x = Variable(np.arange(float(np.prod(shape))).reshape(shape), requires_grad=True)
    out = x[index]
    np.testing.assert_array_equal(out.data, x.data[index])
    weights = np.cos(np.arange(out.size)).reshape(out.shape)
    out.backward(weights)
    expected = np.zeros(shape)
    np.add.at(expected, index, weights)
    np.testing.assert_allclose(x.grad, expected)


def test_elements_read_twice_get_both_gradients():
    x = leaf([1.0, 2.0, 3.0])
    x[[0, 0, 2]].backward(np.array([1.0, 10.0, 100.0]))
    np.testing.assert_array_equal(x.grad, [11.0, 0.0, 100.0])


@pytest.mark.parametrize("dense_first", [True, False])
def test_readings_add_to_other_uses_of_the_array(dense_first):
    x = leaf([1.0, 2.0, 3.0])
    square = (x * x).sum() if dense_first else 0.0
    total = x[0] * x[1] + x[[1, 1]].sum() + x[2:].sum() + square
    total = total if dense_first else total + (x * x).sum()
    total.backward()
    np.testing.assert_array_equal(x.grad, [2.0 + 2.0, 4.0 + 1.0 + 2.0, 6.0 + 1.0])


@pytest.mark.parametrize("dense_first", [True, False])
def test_second_derivatives_of_many_readings(dense_first):
    def f(x):
        dense = (x * x * x).sum() if dense_first else 0.0
        total = dense
        for i in range(3):
            total = total + x[i] ** 2 * x[i - 1] + (x[[i, i]] * x[0]).sum()
        return total if dense_first else total + (x * x * x).sum()

    x = np.array([1.0, 2.0, 3.0])
    # The sum of x_i^2 x_(i-1), 2 x_i x_0 and x_i^3, differentiated by hand.
    wanted = np.diag(6 * x)
    for i in range(3):
        wanted[i, i] += 2 * x[i - 1]
        wanted[i, i - 1] += 2 * x[i]
        wanted[i - 1, i] += 2 * x[i]
        wanted[i, 0] += 2
        wanted[0, i] += 2
    np.testing.assert_allclose(autograd.hessian(f)(x), wanted)


def peak_of(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("flat_first", [False, True])
def test_readings_add_to_a_constant_that_a_rule_returns(flat_first):
    flat = unary(np.sign, name="flat", x=lambda g: np.zeros(3))
    x = leaf([1.0, 2.0, 3.0])
    parts = [flat(x).sum(), x[0] ** 2 + x[1] * x[2]]
    total = sum(parts if flat_first else parts[::-1]) + x[2] ** 3
    (g,) = autograd.grad(total, [x], create_graph=True)
    np.testing.assert_array_equal(g.data, [2.0, 3.0, 29.0])
    (gg,) = autograd.grad(g.sum(), [x])
    np.testing.assert_array_equal(gg, [2.0, 1.0, 19.0])


@pytest.mark.parametrize("create_graph", [False, True])
def test_n_readings_of_an_array_of_n_rows_take_memory_of_order_n(create_graph):
    def read(n):
        x = Variable(np.ones((n, 4)), requires_grad=True)
        total = 0.0
        for i in range(n):
            total = total + (x[i] * x[i]).sum()
        (g,) = autograd.grad(total, [x], create_graph=create_graph)
        np.testing.assert_array_equal(g.data if create_graph else g, 2.0)

    read(8)  # imports and caches
    assert peak_of(lambda: read(600)) < 8 * peak_of(lambda: read(150))


@pytest.mark.parametrize(
    "index",
    [
        np.arange(-300, 600) % 7,
        np.arange(-300, 300).reshape(30, 20) % 14 - 7,
        (slice(None), np.arange(500) % 5),
        (np.arange(400) % 7, slice(1, None)),
        (np.arange(900) % 7, np.arange(900) % 5),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, complex])
def test_large_gathers_add_up_duplicates(index, dtype):
    x = Variable(np.arange(35.0).reshape(7, 5).astype(dtype), requires_grad=True)
    out = x[index]
    weights = np.arange(out.size).reshape(out.shape).astype(dtype)
    (out * 2 + x[index]).backward(weights)
    expected = np.zeros((7, 5), dtype)
    np.add.at(expected, index, weights)
    np.testing.assert_allclose(x.grad, 3 * expected, rtol=1e-5)


def test_an_index_list_is_read_when_it_is_used():
    x = leaf([1.0, 2.0, 3.0])
    index = [0, 1]
    out = x[index]
    index[0] = 2
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0, 0.0])


def test_variables_are_indices_like_the_arrays_they_hold():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    rows = Variable(np.array([1, 0]))
    np.testing.assert_array_equal(x[rows].data, x.data[[1, 0]])
    np.testing.assert_array_equal(x[rows, Variable(np.array(1))].data, [4.0, 2.0])
    np.testing.assert_array_equal(x[[Variable(np.array(1)), 0]].data, x.data[[1, 0]])
    np.testing.assert_array_equal(x[x > 2].data, [3.0, 4.0])
    np.testing.assert_array_equal(np.take(x, Variable(np.array([1])), axis=0).data, [[3.0, 4.0]])
    np.testing.assert_array_equal(autograd.take(x, [Variable(np.array(3)), 0]).data, [4.0, 1.0])


def test_an_index_that_requires_a_gradient_is_refused():
    x = leaf([1.0, 2.0])
    with pytest.raises(TypeError, match=r"getitem: wanted integers .*index\.astype\(int\)"):
        x[leaf(1.0)]
    with pytest.raises(TypeError, match=r"take: wanted integer indices, got dtype float64"):
        autograd.take(x, [0.5])


def test_one_mask_of_a_recorded_array_blocks_nan_of_what_it_leaves_out():
    x = leaf([-1.0, 4.0])
    with np.errstate(invalid="ignore"):
        np.sqrt(x)[x > 0].sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.25])


# -- NumPy's functions -----------------------------------------------------------------------------


def test_take_refuses_what_numpy_refuses():
    x = leaf([[1.0, 2.0]])
    with pytest.raises(IndexError, match="out of bounds"):
        autograd.take(x, [2], axis=1)
    with pytest.raises(ValueError, match=r"take: wanted mode 'raise', 'wrap' or 'clip'"):
        autograd.take(x, [0], mode="nonsense")
    with pytest.raises(ValueError, match=r"take: wanted an axis in \[-2, 2\), got 2"):
        autograd.take(x, [0], axis=2)
    with pytest.raises(ValueError, match="take_along_axis: wanted indices with 2 axes"):
        autograd.take_along_axis(x, np.array([0]), 0)


def test_select_and_choose_refuse_what_numpy_refuses():
    x = leaf([1.0, 2.0])
    with pytest.raises(ValueError, match=r"select: wanted as many choices as conditions"):
        autograd.select([x > 0], [x, x])
    with pytest.raises(TypeError, match=r"select: wanted boolean conditions"):
        autograd.select([[1, 0]], [x])
    with pytest.raises(ValueError, match=r"choose: wanted integers in \[0, 2\), got 0 to 2"):
        autograd.choose([0, 2], [x, x])
    with pytest.raises(ValueError, match=r"choose: wanted mode"):
        autograd.choose([0, 1], [x, x], mode="nonsense")


def test_choices_that_were_not_taken_get_a_gradient_of_exactly_zero():
    x = leaf([0.0, 4.0])
    with np.errstate(divide="ignore"):
        out = np.select([x > 0, x <= 0], [1 / x, x])
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, -1 / 16])


def test_bincount_counts_like_numpy_and_sums_recorded_weights():
    np.testing.assert_array_equal(autograd.bincount([0, 2, 2]), [1, 0, 2])
    weights = leaf([1.0, 2.0, 4.0])
    sums = np.bincount([0, 2, 2], weights)
    np.testing.assert_array_equal(sums.data, [1.0, 0.0, 6.0])
    sums.backward(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(weights.grad, [1.0, 3.0, 3.0])
    for places in ([], [0, 0]):
        places = np.array(places, dtype=int)
        ones = leaf(np.ones(len(places)))
        np.testing.assert_array_equal(np.bincount(places, ones).data, np.bincount(places))
    with pytest.raises(ValueError, match="bincount: wanted non-negative integers"):
        autograd.bincount([0, -1], leaf([1.0, 2.0]))


def test_readings_beside_functions_of_zero_derivative_have_second_derivatives():
    def f(x):
        whole, row = np.sum(np.sign(x)), np.sum(np.sign(x[0]))
        return np.sum(x[1] ** 2) + whole + row

    expected = np.zeros((2, 2, 2, 2))
    expected[1, 0, 1, 0] = expected[1, 1, 1, 1] = 2
    np.testing.assert_array_equal(autograd.hessian(f)(np.ones((2, 2))), expected)


@pytest.mark.parametrize("as_tuple", [False, True])
def test_an_index_array_may_change_after_it_was_used(as_tuple):
    x = Variable(np.arange(4.0), requires_grad=True)
    index = np.array([0, 1])
    y = x[(index,)] if as_tuple else x[index]
    index[0] = 3
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0, 0.0, 0.0])


def test_take_of_a_single_number_is_numpys():
    x = Variable(5.0, requires_grad=True)
    assert np.take(x, 0, axis=0).item() == np.take(np.array(5.0), 0, axis=0) == 5.0
    with pytest.raises(IndexError):
        np.take(x, 1)


def test_a_constant_zero_gradient_beside_a_reading_has_second_derivatives():
    h = autograd.hessian(lambda x: np.sum(x[1] ** 2) + np.sum(x // 1.0))(np.ones((2, 2)))
    assert h.sum() == 4
