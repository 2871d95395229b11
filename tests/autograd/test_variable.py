"""Variable: construction, operators, conversions, copies, text, and every newcomer's error."""

import array
import copy
import math
import operator
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd
import nn
from autograd import Variable
from autograd.testing import check_gradients


def leaf(*values, dtype=float):
    return Variable(np.array(values, dtype=dtype), requires_grad=True)


def slope(function, x, h=1e-6):
    """Return the derivative of a function of arrays, elementwise, by central differences."""
    return (function(x + h) - function(x - h)) / (2 * h)


# -- construction ----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, ">f8"])
def test_a_variable_copies_its_data_as_np_array_does(dtype, order):
    a = np.array([[1, 2], [3, 4]], dtype, order=order)
    for b, keywords in [(a, {}), (a.T, {}), (a, {"dtype": dtype}), (a.view(np.ndarray)[:1], {})]:
        x = Variable(b, **keywords)
        assert not np.may_share_memory(x.data, a)
        assert x.dtype == a.dtype
        assert x.data.strides == b.strides or b.size < a.size
        x.data[...] = 0
    np.testing.assert_array_equal(a, [[1, 2], [3, 4]])


def test_copy_false_shares_the_memory_where_np_asarray_does():
    a = np.array([1.0, 2.0])
    assert Variable(a, copy=False).data is a
    assert Variable(a, copy=False, dtype=np.float64).data is a
    assert Variable(a, copy=False, dtype=np.float32).dtype == np.float32
    assert Variable(a[:1], copy=False).data.base is a


def test_things_that_only_look_like_arrays_are_copied():
    memory = bytearray(16)
    for lent in (array.array("d", [1.0, 2.0]), memoryview(memory).cast("d")):
        x = Variable(lent)
        x.data[...] = 5.0
        assert list(lent) != [5.0, 5.0]

    class Lender:
        inside = np.array([1.0, 2.0])

        def __array__(self, dtype=None, copy=None):
            return self.inside

    x = Variable(Lender())
    x.data[...] = 5.0
    np.testing.assert_array_equal(Lender.inside, [1.0, 2.0])


def test_assigned_data_are_shared():
    x, a = Variable([1.0, 2.0]), np.array([3.0, 4.0])
    x.data = a
    assert x.data is a


@pytest.mark.parametrize(
    "use",
    [
        Variable,
        nn.Parameter,
        lambda m: setattr(Variable([0.0, 0.0]), "data", m),
        lambda m: setattr(leaf(0.0, 0.0), "grad", m),
        lambda m: leaf(0.0, 0.0).backward(m),
        autograd.grad(np.sum),
        lambda m: nn.functional.mse_loss(leaf(0.0, 0.0), m),
        nn.ArrayDataset,
        lambda m: check_gradients(np.exp, m),
        lambda m: autograd.array([leaf(0.0, 0.0), m]),
        lambda m: nn.functional.conv1d(m[None, None], np.ones((1, 1, 1))),
    ],
    ids=[
        "Variable",
        "Parameter",
        "data",
        "grad",
        "backward",
        "point",
        "loss",
        "dataset",
        "checker",
        "list",
        "conv",
    ],
)
def test_masked_arrays_are_refused_because_hidden_values_would_count(use):
    masked = np.ma.array([1.0, 100.0], mask=[False, True])
    with pytest.raises(TypeError, match=r"wanted an array without a mask.*data\.filled\(value\)"):
        use(masked)


@pytest.mark.parametrize("gradient", [1j * np.ones(2), np.array([None, 1.0])])
def test_gradients_that_would_be_cut_are_refused(gradient):
    x = leaf(1.0, 2.0)
    with pytest.raises(TypeError, match="backward: wanted a gradient of dtype float64, got"):
        (x * 1).backward(gradient)
    with pytest.raises(TypeError, match="grad: wanted a gradient of dtype float64, got"):
        x.grad = gradient
    with pytest.raises(TypeError, match="grad: wanted a gradient of dtype float64, got"):
        autograd.grad(x * 1, x, gradient)
    with pytest.raises(TypeError, match="vjp: wanted a cotangent of dtype float64, got"):
        autograd.vjp(np.exp, x.data)[1](gradient)
    with pytest.raises(TypeError, match="jvp: wanted a tangent of dtype float64, got"):
        autograd.jvp(np.exp, (x.data,), (gradient,))


def test_numbers_and_nested_lists_become_arrays():
    assert Variable(2.0).shape == ()
    assert Variable(2).dtype == np.int64
    assert Variable([[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2)
    assert Variable(1 + 2j).dtype == np.complex128
    assert type(Variable(2.0).data) is np.ndarray


def test_dtype_converts_the_data():
    assert Variable([1, 2], dtype=np.float32, requires_grad=True).dtype == np.float32
    assert Variable(3, dtype=float).dtype == np.float64


def test_attributes_are_those_of_the_array():
    x = Variable(np.zeros((2, 3), np.float32), name="weights")
    assert (x.shape, x.ndim, x.size, x.dtype, x.itemsize, x.nbytes) == (
        (2, 3),
        2,
        6,
        np.float32,
        4,
        24,
    )
    assert len(x) == 2
    assert x.name == "weights"
    assert Variable(1.0).name is None
    assert not x.requires_grad
    assert x.is_leaf
    assert x.grad is None


def test_integer_data_cannot_require_a_gradient():
    with pytest.raises(
        TypeError,
        match=r"requires_grad: wanted floating or complex data, got int64; write Variable",
    ):
        Variable([1, 2], requires_grad=True)
    with pytest.raises(TypeError, match="got bool"):
        Variable([True], requires_grad=True)
    x = Variable([1, 2])
    with pytest.raises(TypeError, match="requires_grad"):
        x.requires_grad = True


def test_a_variable_of_a_variable_is_refused():
    with pytest.raises(
        TypeError, match=r"Variable: wanted an array.*got a Variable; use it as it is"
    ):
        Variable(leaf(1.0))


def test_a_variable_of_a_list_of_variables_names_array():
    with pytest.raises(TypeError, match=r"got a list that holds Variables; write autograd\.array"):
        Variable([leaf(1.0), leaf(2.0)])
    with pytest.raises(TypeError, match="list that holds Variables"):
        Variable([[1.0, Variable(2.0)]])


@pytest.mark.parametrize("data", ["text", None, object(), {"a": 1}])
def test_data_that_is_no_number_is_refused(data):
    with pytest.raises(TypeError, match="Variable: wanted numbers, got"):
        Variable(data)


def test_nested_lists_of_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="Variable: wanted nested lists of equal lengths"):
        Variable([[1.0, 2.0], [3.0]])


def test_requires_grad_can_be_switched_on_leaves_only():
    x = Variable([1.0, 2.0])
    x.requires_grad = True
    y = x * 2
    assert y.requires_grad
    assert not y.is_leaf
    y.requires_grad = True  # says what is already so
    with pytest.raises(
        RuntimeError,
        match=r"requires_grad: wanted a leaf, got the result of an operation; use variable\.detach",
    ):
        y.requires_grad = False
    x.requires_grad = False
    assert not (x * 2).requires_grad


def test_a_leaf_frozen_and_thawed_keeps_its_gradient_its_hooks_and_its_graphs():
    w, seen = leaf(1.0, 2.0), []
    w.register_hook(lambda g: seen.append(1))
    (w * 2).sum().backward()
    pending = (w * w).sum()
    w.requires_grad = False
    np.testing.assert_array_equal(w.grad, [2.0, 2.0])
    assert not (w * 3).requires_grad
    w.requires_grad = True
    pending.backward()
    np.testing.assert_array_equal(w.grad, [4.0, 6.0])
    assert len(seen) == 2
    w.requires_grad = False
    w.zero_grad()
    assert w.grad is None


def test_a_change_of_a_frozen_leaf_is_detected():
    w = leaf(1.0, 2.0)
    pending = (w * w).sum()
    w.requires_grad = False
    w.data = np.zeros(2)
    with pytest.raises(RuntimeError, match="was changed"):
        pending.backward()


def test_pickle_and_deepcopy_of_a_frozen_leaf_keep_its_gradient():
    w = leaf(1.0, 2.0)
    (w * 2).sum().backward()
    w.requires_grad = False
    for again in (pickle.loads(pickle.dumps(w)), copy.deepcopy(w)):
        assert not again.requires_grad
        np.testing.assert_array_equal(again.grad, [2.0, 2.0])


def test_detach_shares_memory_and_forgets_the_graph():
    x = leaf(1.0, 2.0)
    d = (x * 1).detach()
    assert not d.requires_grad
    assert np.shares_memory(x.detach().data, x.data)
    (x * d).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 2.0])


def test_data_can_be_replaced_by_an_array_of_the_same_shape():
    x = leaf(1.0, 2.0)
    x.data = [3, 4]
    assert x.dtype == np.float64
    np.testing.assert_array_equal(x.data, [3.0, 4.0])
    with pytest.raises(ValueError, match=r"data: wanted an array of shape \(2,\), got \(3,\)"):
        x.data = np.zeros(3)
    with pytest.raises(RuntimeError, match="data: wanted a leaf"):
        (x * 1).data = np.zeros(2)


def test_grad_of_what_requires_none_cannot_be_assigned():
    with pytest.raises(RuntimeError, match=r"grad: wanted a Variable that requires a gradient"):
        Variable(1.0).grad = 1.0


# -- operators -------------------------------------------------------------------------------------

BINARY = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "%": operator.mod,
    "//": operator.floordiv,
}
POINT, OTHER = np.array([1.3, 2.7, 3.1]), np.array([0.6, 1.9, 1.2])


@pytest.mark.parametrize("function", BINARY.values(), ids=BINARY)
@pytest.mark.parametrize(
    "other",
    [OTHER, 1.6, 2, np.float64(1.6), [0.6, 1.9, 1.2], Variable(OTHER)],
    ids=lambda o: type(o).__name__,
)
def test_binary_operators_on_both_sides(function, other):
    plain = np.asarray(other.data if isinstance(other, Variable) else other, dtype=float)
    x = Variable(POINT, requires_grad=True)
    left = function(x, other)
    np.testing.assert_allclose(left.data, function(POINT, plain))
    left.sum().backward()
    np.testing.assert_allclose(
        x.grad, slope(lambda v: function(v, plain), POINT), rtol=1e-6, atol=1e-8
    )
    x.zero_grad()
    right = function(other, x)
    np.testing.assert_allclose(right.data, function(plain, POINT))
    right.sum().backward()
    np.testing.assert_allclose(
        x.grad, slope(lambda v: function(plain, v), POINT), rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("function", BINARY.values(), ids=BINARY)
def test_binary_operators_of_two_variables(function):
    x, y = Variable(POINT, requires_grad=True), Variable(OTHER, requires_grad=True)
    function(x, y).sum().backward()
    np.testing.assert_allclose(
        x.grad, slope(lambda v: function(v, OTHER), POINT), rtol=1e-6, atol=1e-8
    )
    np.testing.assert_allclose(
        y.grad, slope(lambda v: function(POINT, v), OTHER), rtol=1e-6, atol=1e-8
    )


SAME_NODES = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "remainder": operator.mod,
    "floor_divide": operator.floordiv,
    "matmul": operator.matmul,
}


@pytest.mark.parametrize("name, operate", SAME_NODES.items(), ids=SAME_NODES)
def test_operator_function_and_numpys_spelling_give_the_same_node(name, operate):
    x = Variable(POINT, requires_grad=True)
    for left, right in [(x, OTHER), (OTHER, x), (x, x)]:
        results = [f(left, right) for f in (operate, getattr(autograd, name), getattr(np, name))]
        assert [r._node.plan.name for r in results] == [name] * 3
        for result in results[1:]:
            np.testing.assert_array_equal(result.data, results[0].data)


@pytest.mark.parametrize("other", [OTHER, 1.6], ids=["array", "number"])
def test_divmod_on_both_sides(other):
    x = Variable(POINT, requires_grad=True)
    for got, want in [
        (divmod(x, other), divmod(POINT, other)),
        (divmod(other, x), divmod(other, POINT)),
    ]:
        assert isinstance(got, tuple)
        np.testing.assert_allclose(got[0].data, want[0])
        np.testing.assert_allclose(got[1].data, want[1])
    (divmod(other, x)[1]).sum().backward()
    np.testing.assert_allclose(
        x.grad, slope(lambda v: divmod(other, v)[1], POINT), rtol=1e-6, atol=1e-8
    )


def test_matmul_on_both_sides():
    w = Variable(np.arange(6.0).reshape(2, 3), requires_grad=True)
    a = np.array([[1.0, -1.0]])
    (a @ w).sum().backward()
    np.testing.assert_array_equal(w.grad, [[1, 1, 1], [-1, -1, -1]])
    w.zero_grad()
    (w @ np.array([1.0, 2.0, 3.0])).sum().backward()
    np.testing.assert_array_equal(w.grad, [[1, 2, 3], [1, 2, 3]])


def test_unary_operators():
    x = leaf(-1.5, 2.5)
    np.testing.assert_array_equal((-x).data, [1.5, -2.5])
    np.testing.assert_array_equal((+x).data, x.data)
    np.testing.assert_array_equal(abs(x).data, [1.5, 2.5])
    (abs(x) - x + (+x)).sum().backward()
    np.testing.assert_array_equal(x.grad, [-1.0, 1.0])


def test_round_has_a_gradient_of_zero():
    x = leaf(1.234, -2.718)
    np.testing.assert_array_equal(round(x).data, [1.0, -3.0])
    np.testing.assert_allclose(round(x, 2).data, [1.23, -2.72])
    np.testing.assert_allclose(round(x * 100, -2).data, [100.0, -300.0])
    round(x, 1).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.0])


def test_augmented_assignment_rebinds_and_stays_recorded():
    x = leaf(1.0, 2.0)
    before = y = x + 0
    y += 1
    y *= x
    y -= 0.5
    y /= 2
    y **= 2
    assert y is not before
    np.testing.assert_array_equal(x.data, [1.0, 2.0])
    y.sum().backward()
    np.testing.assert_allclose(
        x.grad, slope(lambda v: (((v + 1) * v - 0.5) / 2) ** 2, x.data), rtol=1e-8
    )


COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


@pytest.mark.parametrize("function", COMPARISONS)
def test_comparisons_give_plain_arrays(function):
    x, a = leaf(1.0, 2.0, 3.0), np.array([2.0, 2.0, 2.0])
    for got in (function(x, a), function(x, Variable(a)), function(x, 2.0)):
        assert type(got) is np.ndarray
        np.testing.assert_array_equal(got, function(x.data, a))
    reflected = function(a, x)
    assert type(reflected) is np.ndarray
    np.testing.assert_array_equal(reflected, function(a, x.data))


def test_an_operand_of_another_type_is_refused_by_name():
    for other in ("text", None, object()):
        with pytest.raises(TypeError, match=r"add|unsupported"):
            leaf(1.0) + other
        with pytest.raises(TypeError, match=r"multiply|unsupported"):
            other * leaf(1.0)


def test_shapes_that_do_not_broadcast_are_named_with_the_operation():
    with pytest.raises(ValueError, match=r"add: .*broadcast, got \(2,\) and \(3,\); reshape"):
        leaf(1.0, 2.0) + leaf(1.0, 2.0, 3.0)
    with pytest.raises(ValueError, match="matmul: wanted shapes"):
        leaf([1.0, 2.0]) @ leaf([1.0, 2.0])


def test_an_object_that_takes_over_with_array_ufunc_none_is_asked():
    class Other:
        __array_ufunc__ = None

        def __radd__(self, left):
            return "mine"

    assert leaf(1.0) + Other() == "mine"


@pytest.mark.parametrize("make", [np.ma.array, np.matrix], ids=["masked array", "matrix"])
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_arrays_whose_operators_mean_something_else_are_refused(make):
    other = make([[1.0, 2.0]])
    with pytest.raises(
        TypeError,
        match="multiply: wanted an array.* got a (masked one, whose hidden|matrix, whose arithm)",
    ):
        leaf([1.0, 2.0]) * other


def test_arrays_on_the_left_do_not_swallow_the_variable():
    x = leaf(1.0, 2.0)
    for result in (np.ones(2) * x, np.float64(2.0) * x, np.float32(2.0) + x, np.ones(()) - x):
        assert isinstance(result, Variable)
        assert result.requires_grad


# -- indexing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index",
    [
        0,
        -1,
        np.int64(1),
        slice(None, None, 2),
        (slice(1, 3), 0),
        (Ellipsis, 1),
        None,
        (slice(None), None, 2),
        [0, 2],
        np.array([1, 1, 0]),
        (np.array([0, 2]), np.array([1, 1])),
        (slice(None), [0, 0]),
        np.array([True, False, True]),
        np.arange(12).reshape(3, 4) % 5 == 0,
        (),
        Ellipsis,
        ([True, False, True], [0, 1]),
        slice(0, 0),
    ],
    ids=str,
)
def test_indexing_reads_as_numpy_and_scatters_back(index):
    data = np.arange(12.0).reshape(3, 4)
    x = Variable(data, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.data, data[index])
    weights = np.arange(1.0, y.size + 1).reshape(y.shape)
    y.backward(weights)
    wanted = np.zeros((3, 4))
    np.add.at(wanted, index, weights)
    np.testing.assert_array_equal(x.grad, wanted)


def test_an_index_that_is_a_variable_of_integers_is_unwrapped():
    x = leaf(1.0, 2.0, 3.0)
    y = x[Variable(np.array([2, 0]))]
    np.testing.assert_array_equal(y.data, [3.0, 1.0])
    assert x[Variable(1)].item() == 2.0
    np.testing.assert_array_equal(x[x > 1.5].data, [2.0, 3.0])


def test_duplicate_indices_add_up():
    x = leaf(1.0, 2.0)
    x[np.array([0, 0, 1, 0])].sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 1.0])


def test_an_index_out_of_range_is_numpys_error():
    with pytest.raises(IndexError, match="out of bounds"):
        leaf(1.0, 2.0)[5]


def test_iteration_and_unpacking_stay_recorded():
    x = leaf([1.0, 2.0], [3.0, 4.0])
    a, b = x
    (a * b).sum().backward()
    np.testing.assert_array_equal(x.grad, [[3.0, 4.0], [1.0, 2.0]])
    assert [v.item() for v in leaf(1.0, 2.0)] == [1.0, 2.0]
    assert sum(leaf(1.0, 2.0, 3.0)).item() == 6.0
    assert [v.item() for v in leaf([1.0], [2.0]).flat] == [1.0, 2.0]


def test_a_0d_variable_has_no_length():
    with pytest.raises(TypeError, match="len: wanted an array with at least one axis"):
        len(Variable(1.0))
    with pytest.raises(TypeError, match="len: wanted an array with at least one axis"):
        iter(Variable(1.0))


def test_membership_looks_at_values():
    x = leaf(1.0, 2.0)
    assert 2.0 in x
    assert 3.0 not in x
    assert Variable(1.0) in x


# -- conversions: what leaves the graph says so ----------------------------------------------------


@pytest.mark.parametrize(
    "convert", [float, int, complex, math.sin, math.exp], ids=lambda f: f.__name__
)
def test_conversions_to_a_python_number_refuse_a_variable_with_a_gradient(convert):
    with pytest.raises(
        TypeError, match=r"wanted a Variable without a gradient.*\.detach\(\) / \.item\(\)"
    ):
        convert(Variable(2.0, requires_grad=True))


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        np.ascontiguousarray,
        lambda v: np.array(v, dtype=object).tolist(),
        lambda v: v.numpy(),
        np.frombuffer,
        memoryview,
    ],
    ids=["asarray", "ascontiguousarray", "array of objects", "numpy", "frombuffer", "memoryview"],
)
def test_conversions_to_an_array_refuse_a_variable_with_a_gradient_or_keep_it(convert):
    x = leaf(1.0, 2.0)
    try:
        result = convert(x)
    except (TypeError, ValueError):
        return
    assert isinstance(result, Variable)
    assert result.requires_grad


def test_asarray_names_the_ways_out():
    with pytest.raises(
        TypeError,
        match=r"np\.asarray: wanted a Variable without a gradient.*use autograd or np functions",
    ):
        leaf(1.0).__array__()


@pytest.mark.parametrize("shape", [(), (2,)])
def test_assignment_of_a_recorded_variable_into_an_array_is_refused(shape):
    target = np.zeros((3, *shape))
    with pytest.raises((TypeError, ValueError)) as caught:
        target[0] = Variable(np.ones(shape), requires_grad=True)
    explained = [str(caught.value), str(caught.value.__cause__)]  # NumPy's word may stand in front
    assert any("wanted a Variable without a gradient" in text for text in explained)
    assert not target.any()


@pytest.mark.parametrize(
    "use",
    [
        lambda v: np.ma.array([1.0, 2.0], mask=[False, True]) * v,
        lambda v: np.ma.array([1.0, 2.0]) + v,
        np.ma.exp,
        np.ma.sum,
        lambda v: np.ma.where([True, False], v, 0.0),
        np.ma.array,
    ],
)
def test_masked_arrays_do_not_take_the_data_of_a_recorded_variable(use):
    with pytest.raises(TypeError, match="wanted a Variable without a gradient"):
        use(leaf(1.0, 2.0))
    use(Variable([1.0, 2.0]))  # of a constant nothing is lost


@pytest.mark.parametrize("shape", [(), (2,)])
def test_an_array_of_a_list_of_recorded_variables_is_refused(shape):
    values = [Variable(np.ones(shape), requires_grad=True) for _ in range(2)]
    with pytest.raises(
        (TypeError, ValueError), match="wanted a Variable without a gradient|gradient"
    ):
        np.array(values)


def test_a_ufunc_on_a_list_of_variables_stays_recorded_or_is_refused():
    a, b = Variable(1.0, requires_grad=True), Variable(2.0, requires_grad=True)
    autograd.sum([a, b * b]).backward()
    assert (a.grad, b.grad) == (1.0, 4.0)
    assert (autograd.exp([a, b])).requires_grad


@pytest.mark.parametrize(
    "operate", [operator.iadd, operator.imul, operator.isub, operator.itruediv, operator.ipow]
)
def test_augmented_assignment_to_an_array_is_refused(operate):
    a = np.ones(2)
    with pytest.raises(TypeError, match=r"without out=.*a = a \+ v instead of a \+= v"):
        operate(a, leaf(1.0, 2.0))
    np.testing.assert_array_equal(a, [1.0, 1.0])


def test_augmented_assignment_to_an_array_of_a_constant_works():
    a = np.ones(2)
    a += Variable([1.0, 2.0])
    assert type(a) is np.ndarray
    np.testing.assert_array_equal(a, [2.0, 3.0])


def test_constants_convert_freely():
    x = Variable(2.5)
    assert float(x) == 2.5
    assert int(x) == 2
    assert complex(x) == 2.5
    assert math.sqrt(Variable(4.0)) == 2.0
    a = np.asarray(Variable([1.0, 2.0]))
    assert type(a) is np.ndarray
    assert np.array(Variable([1.0, 2.0]), dtype=np.float32).dtype == np.float32
    b = Variable([1.0, 2.0])
    assert np.shares_memory(b.numpy(), b.data)
    assert not np.shares_memory(np.array(b), b.data)


def test_item_and_tolist_are_the_way_to_print_and_log():
    x = leaf(1.0, 2.0)
    assert x[1].item() == 2.0
    assert type(x[1].item()) is float
    assert x.item(0) == 1.0
    assert x.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="size 1|size one"):
        x.item()


def test_truth_is_that_of_the_array():
    assert Variable(1.0)
    assert not Variable([0.0], requires_grad=True)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(leaf(1.0, 2.0))


def test_integers_can_be_used_as_indices():
    n = Variable(2)
    assert [10, 20, 30][n] == 30
    assert list(range(n)) == [0, 1]
    assert operator.index(n) == 2
    with pytest.raises(TypeError, match=r"integer|index"):
        [1, 2][Variable(1.0)]


def test_a_variable_is_hashable_by_identity():
    x, y = Variable(1.0), Variable(1.0)
    assert len({x, y, x}) == 2
    assert {x: "x"}[x] == "x"


# -- copies and pickles ----------------------------------------------------------------------------


def test_copy_is_recorded():
    x = leaf(1.0, 2.0)
    for y in (copy.copy(x), x.copy(), np.copy(x)):
        assert y.requires_grad
        assert not np.shares_memory(y.data, x.data)
        x.zero_grad()
        (y * 3).sum().backward()
        np.testing.assert_array_equal(x.grad, [3.0, 3.0])


def test_deepcopy_of_a_leaf_is_a_leaf_of_its_own():
    x = Variable(np.array([1.0, 2.0]), requires_grad=True, name="w")
    (x * x).sum().backward()
    y = copy.deepcopy(x)
    assert y.is_leaf
    assert y.requires_grad
    assert y.name == "w"
    assert not np.shares_memory(x.data, y.data)
    assert not np.shares_memory(x.grad, y.grad)
    np.testing.assert_array_equal(y.grad, [2.0, 4.0])
    (y * 1).sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_deepcopy_keeps_shared_leaves_shared():
    x = leaf(1.0)
    pair = copy.deepcopy([x, x])
    assert pair[0] is pair[1]
    assert pair[0] is not x


def test_deepcopy_and_pickle_of_a_result_explain_themselves():
    y = leaf(1.0) * 2
    with pytest.raises(
        RuntimeError,
        match=r"deepcopy: wanted a leaf, got the result of .*; use variable\.detach",
    ):
        copy.deepcopy(y)
    with pytest.raises(RuntimeError, match="pickle: wanted a leaf"):
        pickle.dumps(y)
    assert copy.deepcopy(y.detach()).item() == 2.0


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_of_a_leaf_keeps_everything(protocol):
    x = Variable(np.array([1.0, 2.0], np.float32), requires_grad=True, name="w")
    (x * x).sum().backward()
    y = pickle.loads(pickle.dumps(x, protocol))
    assert (y.dtype, y.requires_grad, y.name, y.is_leaf) == (np.float32, True, "w", True)
    np.testing.assert_array_equal(y.data, x.data)
    np.testing.assert_array_equal(y.grad, x.grad)
    constant = pickle.loads(pickle.dumps(Variable(3.0), protocol))
    assert not constant.requires_grad
    assert constant.item() == 3.0


class Tagged(Variable):
    """A subclass with a dictionary of its own."""


def test_subclasses_survive_pickle_and_deepcopy():
    x = Tagged([1.0], requires_grad=True)
    x.tag = "kept"
    for y in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert type(y) is Tagged
        assert y.tag == "kept"
        assert y.requires_grad
    assert type(x * 2) is Variable


# -- text ------------------------------------------------------------------------------------------


def test_repr_says_what_it_is():
    assert repr(Variable([1.0, 2.0])) == "Variable([1., 2.])"
    assert repr(leaf(1.0, 2.0)) == "Variable([1., 2.], requires_grad=True)"
    y = leaf(1.0) * 2
    assert repr(y) == "Variable([2.], from multiply)"
    y.backward()
    assert repr(y) == "Variable([2.], from multiply, graph freed)"
    assert repr(Variable(np.float32(2.0), name="w")) == "Variable(2., dtype=float32, name='w')"
    assert len(repr(Variable(np.zeros(10_000)))) < 200
    q, r = np.linalg.qr(leaf([1.0]))
    assert repr(q) == "Variable([[1.]], from linalg.qr)"
    r.sum().backward()
    for output in (q, r):  # the one that nothing used, too
        assert repr(output) == "Variable([[1.]], from linalg.qr, graph freed)"


METHODS = [
    *("abs", "sign", "square", "sqrt", "exp", "expm1", "log", "log1p"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "sigmoid", "relu"),
]


@pytest.mark.parametrize("name", METHODS)
def test_elementwise_functions_are_methods_as_of_values_of_micrograd(name):
    function = {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "relu": lambda x: np.maximum(x, 0)}.get(
        name, getattr(np, name, None)
    )
    x = leaf(0.5, 1.5)
    y = getattr(x, name)()
    np.testing.assert_allclose(y.data, function(np.array([0.5, 1.5])))
    y.sum().backward()
    assert autograd.testing.check_gradients(lambda x: getattr(x, name)(), x.data)
    np.testing.assert_allclose(x.grad, autograd.elementwise_grad(function)(x.data))


def test_relu_has_slope_0_at_0_and_keeps_float32():
    x = Variable(np.float32([-1, 0, 2]), requires_grad=True)
    y = x.relu()
    assert repr(y) == "Variable([0., 0., 2.], dtype=float32, from relu)"
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0, 1])
    with pytest.raises(TypeError, match="relu: wanted real numbers, got complex128"):
        Variable(1j).relu()


def test_format_works_on_single_elements():
    loss = leaf(0.123456)[0]
    assert f"{loss:.3f}" == "0.123"
    assert f"{leaf([0.5]):6.2f}" == "  0.50"
    assert f"{loss}" == repr(loss)
    assert f"{Variable(3):03d}" == "003"
    with pytest.raises(
        TypeError, match=r"format: wanted a single element for '\.2f', got shape \(2,\)"
    ):
        f"{leaf(1.0, 2.0):.2f}"


# -- methods ---------------------------------------------------------------------------------------


def test_reshape_and_transpose_take_numpys_spellings():
    x = Variable(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert x.reshape(3, 2).shape == x.reshape((3, 2)).shape == x.reshape([3, 2]).shape == (3, 2)
    assert x.reshape(-1).shape == (6,)
    assert (
        x.T.shape
        == x.transpose().shape
        == x.transpose(1, 0).shape
        == x.transpose((1, 0)).shape
        == (3, 2)
    )
    assert x.transpose(None).shape == (3, 2)
    assert x.mT.shape == (3, 2)
    with pytest.raises(ValueError, match=r"mT: wanted at least 2 axes, got shape \(1,\)"):
        leaf(1.0).mT  # noqa: B018


def test_astype_to_integers_gives_up_the_gradient_and_to_floats_keeps_it():
    x = leaf(1.7, 2.3)
    assert not x.astype(int).requires_grad
    y = x.astype(np.float32)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float64


def test_real_and_imag_of_a_complex_variable():
    z = Variable(np.array([1 + 2j, 3 - 1j]), requires_grad=True)
    (z.real * z.imag).sum().backward()
    np.testing.assert_array_equal(z.grad, [2 + 1j, -1 + 3j])  # d/dRe + i d/dIm


# fmt: off
NUMPY_METHODS = [
    "all", "any", "argmax", "argmin", "argsort", "astype", "clip", "conj", "conjugate", "copy",
    "cumprod", "cumsum", "diagonal", "dot", "flatten", "item", "max", "mean", "min", "nonzero",
    "prod", "ravel", "repeat", "reshape", "round", "searchsorted", "squeeze", "std", "sum",
    "swapaxes", "take", "tolist", "trace", "transpose", "var",
]
# fmt: on


@pytest.mark.parametrize("name", NUMPY_METHODS)
def test_the_methods_of_arrays_exist(name):
    assert callable(getattr(Variable, name))


@pytest.mark.parametrize("name", ["sort", "partition", "fill", "put", "resize"])
def test_methods_that_change_an_array_in_place_name_the_functional_spelling(name):
    with pytest.raises(
        AttributeError, match=rf"{name}: wanted a new Variable .*write x = autograd"
    ):
        getattr(leaf(1.0, 2.0), name)()


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
        elements=st.floats(-2, 2),
    ),
    st.data(),
)
def test_basic_indices_of_any_kind_scatter_back(a, data):
    index = data.draw(hnp.basic_indices(a.shape, allow_newaxis=True))
    x = Variable(a, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.data, a[index])
    y.backward(np.ones(y.shape))
    wanted = np.zeros(a.shape)
    wanted[index] += 1
    np.testing.assert_array_equal(x.grad, wanted)


@pytest.mark.parametrize("data", [np.complex64(1), np.ones(2, np.complex64), np.ones(2, "f")])
def test_a_python_complex_leaves_single_precision_alone(data):
    x = Variable(data, requires_grad=True)
    assert (1j * x).dtype == (x * 1j).dtype == np.complex64
    assert isinstance((1j * Variable(np.float64(1))).data, np.ndarray)
