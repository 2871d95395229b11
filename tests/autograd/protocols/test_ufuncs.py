"""Keywords and methods of NumPy's ufuncs on Variables."""

import numpy as np
import pytest

import autograd
from autograd import Variable


def leaf(*values, dtype=float):
    return Variable(np.array(values, dtype=dtype), requires_grad=True)


def numeric_gradient(function, x):
    """Central differences of sum(w * function(x)) with fixed weights w."""
    weights = np.cos(np.arange(np.size(function(x))))
    g = np.zeros_like(x)
    for i in range(x.size):
        step = np.zeros_like(x)
        step.flat[i] = 1e-6
        high, low = np.ravel(function(x + step)), np.ravel(function(x - step))
        g.flat[i] = weights @ (high - low) / 2e-6
    return g


def check(function, values):
    """Compare values and gradient of a function written with NumPy alone."""
    x = Variable(values.copy(), requires_grad=True)
    out = function(x)
    np.testing.assert_allclose(out.data, function(values), rtol=1e-14)
    weights = np.cos(np.arange(out.size)).reshape(out.shape)
    out.backward(weights)
    np.testing.assert_allclose(x.grad, numeric_gradient(function, values), rtol=1e-6, atol=1e-7)


VALUES = np.array([[0.5, 1.5, -0.7], [2.0, 0.3, 1.1]])


# -- keywords --------------------------------------------------------------------------------------


def test_where_with_out_takes_the_other_elements_from_out():
    mask = VALUES > 0
    rest = np.arange(6.0).reshape(2, 3)
    with np.errstate(invalid="ignore"):
        check(lambda x: np.sqrt(x, where=mask, out=rest.copy()), VALUES)
    x = leaf(-1.0, 0.0, 4.0)
    out = np.log(x, where=x > 0, out=np.zeros(3))
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.0, 0.25])


def test_where_with_out_leaves_the_array_as_it_is():
    rest = np.zeros(2)
    result = np.exp(leaf(1.0, 2.0), where=[True, False], out=rest)
    assert isinstance(result, Variable)
    np.testing.assert_array_equal(rest, 0.0)


def test_where_alone_is_refused_because_numpy_leaves_the_rest_undefined():
    with pytest.raises(TypeError, match=r"np\.sqrt: wanted where= together with out="):
        np.sqrt(leaf(1.0, 4.0), where=[True, False])


def test_out_alone_is_refused():
    with pytest.raises(TypeError, match=r"np\.exp: wanted a call without out="):
        np.exp(leaf(1.0), out=np.zeros(1))
    with pytest.raises(TypeError, match=r"np\.exp: wanted a call without out="):
        np.exp(np.ones(1), out=leaf(1.0))


def test_dtype_computes_in_that_dtype():
    x = leaf(0.1, 0.2, dtype=np.float32)
    out = np.multiply(x, x, dtype=np.float64)
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out.data, np.multiply(x.data, x.data, dtype=np.float64))
    out.sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_allclose(x.grad, 2 * x.data)
    assert np.exp(leaf(1.0), dtype=np.float32).dtype == np.float32


def test_a_dtype_that_would_lose_the_gradient_is_refused():
    with pytest.raises(TypeError, match=r"np\.add: wanted dtype= of a floating type"):
        np.add(leaf(1.0), 1, dtype=int)
    with pytest.raises(TypeError, match=r"np\.add: wanted dtype= .*rule 'safe'"):
        np.add(leaf(1.0), 1, dtype=np.float32, casting="safe")


def test_other_keywords_are_refused_by_name():
    with pytest.raises(TypeError, match=r"np\.add: .*does not take signature="):
        np.add(leaf(1.0), 1, signature="dd->d")


def test_keywords_work_as_in_numpy_where_nothing_is_recorded():
    x = Variable(np.array([1.0, 4.0]))
    target = np.zeros(2)
    assert np.sqrt(x, out=target) is target
    np.testing.assert_array_equal(target, [1.0, 2.0])
    assert isinstance(np.sqrt(x, dtype=np.float32), Variable)


# -- methods ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ufunc",
    [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.subtract, np.hypot, np.divide],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("settings", [{}, {"axis": 1}, {"axis": -1, "keepdims": True}])
def test_reduce_is_recorded(ufunc, settings):
    check(lambda x: ufunc.reduce(x, **settings), VALUES)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.logaddexp], ids=lambda f: f.__name__)
def test_reduce_over_several_axes_and_with_an_initial_value(ufunc):
    check(lambda x: ufunc.reduce(x, axis=None), VALUES)
    check(lambda x: ufunc.reduce(x, axis=(0, 1)), VALUES)
    check(lambda x: ufunc.reduce(x, axis=1, initial=0.5), VALUES)
    check(lambda x: ufunc.reduce(x, 1, None, None, True), VALUES)


def test_reduce_of_nothing_is_the_identity():
    x = Variable(np.zeros((0, 2)), requires_grad=True)
    np.testing.assert_array_equal(np.hypot.reduce(x).data, [0.0, 0.0])


@pytest.mark.parametrize("shape", [(0, 2), (2, 0)])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_reduce_of_empty_arrays_is_numpys(shape, axis):
    x = np.ones(shape)
    result = np.logaddexp.reduce(Variable(x, requires_grad=True), axis=axis)
    np.testing.assert_array_equal(
        getattr(result, "data", result), np.logaddexp.reduce(x, axis=axis)
    )


def test_reduce_of_one_element_begins_with_the_identity():
    x = Variable([-3.0], requires_grad=True)
    out = np.hypot.reduce(x)
    out.backward()
    assert out.item() == 3.0 == np.hypot.reduce(x.data)
    np.testing.assert_array_equal(x.grad, [-1.0])


@pytest.mark.parametrize("ufunc", [np.hypot, np.add, np.maximum], ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [None, (0,)])
def test_accumulate_takes_the_only_axis_in_every_spelling(ufunc, axis):
    check(lambda x: ufunc.accumulate(x, axis=axis), np.array([0.5, -1.5, 2.0]))


def test_reduce_that_numpy_refuses_is_refused():
    with pytest.raises(ValueError, match="not reorderable"):
        np.subtract.reduce(Variable(VALUES, requires_grad=True), axis=(0, 1))


@pytest.mark.parametrize(
    "ufunc",
    [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.subtract],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("axis", [0, -1])
def test_accumulate_is_recorded(ufunc, axis):
    check(lambda x: ufunc.accumulate(x, axis=axis), VALUES)


@pytest.mark.parametrize(
    "ufunc", [np.add, np.multiply, np.maximum, np.power, np.arctan2], ids=lambda f: f.__name__
)
def test_outer_is_recorded_in_both_operands(ufunc):
    check(lambda x: ufunc.outer(x, np.array([0.3, 1.2])), np.abs(VALUES))
    check(lambda x: ufunc.outer(np.array([[0.4], [1.3]]), x), np.abs(VALUES[0]))
    check(lambda x: ufunc.outer(x, x), np.array([0.5, 1.6, 0.9]))


def test_methods_of_comparisons_are_plain():
    x = leaf(1.0, 2.0)
    assert type(np.less.outer(x, x)) is np.ndarray
    assert np.logical_and.reduce(x)


def test_methods_that_cannot_be_recorded_are_refused_by_name():
    x = leaf(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match=r"np\.add\.at: .*autograd\.add_at"):
        np.add.at(np.zeros(3), [0, 0], x[:2])
    with pytest.raises(TypeError, match=r"np\.add\.reduceat: .*autograd\.split"):
        np.add.reduceat(x, [0, 2])
    with pytest.raises(TypeError, match=r"np\.add: wanted a call without out="):
        np.add.reduce(x, out=np.zeros(()))
    with pytest.raises(TypeError, match="reduce does not take where="):
        np.logaddexp.reduce(x, where=[True, False, True], initial=0.0)


def test_second_derivatives_pass_through_methods():
    x = np.array([0.5, 1.5, 0.7])
    hessian = autograd.hessian(lambda v: np.multiply.reduce(v) + np.logaddexp.reduce(v))(x)
    p = np.exp(x) / np.exp(x).sum()
    wanted = np.prod(x) / np.outer(x, x)
    wanted[np.diag_indices(3)] = 0.0
    np.testing.assert_allclose(hessian, wanted + np.diag(p) - np.outer(p, p), rtol=1e-10)


class Table:
    """A type that answers NumPy's ufuncs and is no array, as xarray's tables."""

    def __init__(self, values):
        self.values = values

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        given = [x.values if isinstance(x, Table) else x for x in inputs]
        return Table(getattr(ufunc, method)(*given, **kwargs))

    def __rmul__(self, other):
        return np.multiply(other, self)


@pytest.mark.parametrize("of", [lambda v, t: v * t, lambda v, t: np.multiply(t, v)])
def test_a_type_that_answers_ufuncs_itself_is_left_to_do_so(of):
    v = autograd.Variable([1.0, 2.0], requires_grad=True)
    out = of(v, Table(np.array([3.0, 4.0])))
    assert type(out) is Table
    out.values.sum().backward()
    np.testing.assert_array_equal(v.grad, [3.0, 4.0])
