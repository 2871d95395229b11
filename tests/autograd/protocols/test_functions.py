"""NumPy's own functions on Variables: recorded, plain or refused, and never a gradient lost."""

import math
import struct
import warnings

import numpy as np
import pytest

import autograd
from autograd import Variable
from autograd.protocols import functions as _protocols

MODULES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}


def is_dispatched(function):
    """Whether NumPy asks Variables what to do: all ufuncs, and the functions with a dispatcher."""
    return isinstance(function, np.ufunc) or hasattr(function, "_implementation")


def public(module):
    for name in sorted(vars(module)):
        function = getattr(module, name, None)
        if not name.startswith("_") and callable(function) and not isinstance(function, type):
            yield name, function


DISPATCHED = {
    f"{prefix}.{name}": function
    for prefix, module in MODULES.items()
    for name, function in public(module)
    if is_dispatched(function)
}

# Functions that NumPy does not dispatch and that convert their argument, which Variables refuse.
CONVERTING = {
    "array": "asarray",
    "asanyarray": "asarray",
    "asarray": "asarray",
    "asarray_chkfinite": "asarray",
    "ascontiguousarray": "asarray",
    "asfortranarray": "asarray",
    "asmatrix": "asarray",
    "require": "asarray",
    "full": "full",
}
# Functions that NumPy does not dispatch and that compute nothing from floating arrays.
WITHOUT_ARRAYS = (
    "arange bartlett base_repr binary_repr blackman bmat broadcast_shapes datetime_data "
    "diag_indices empty eye format_float_positional format_float_scientific from_dlpack frombuffer "
    "fromfile fromfunction fromiter frompyfunc fromregex fromstring genfromtxt get_include "
    "get_printoptions getbufsize geterr geterrcall hamming hanning identity indices info isdtype "
    "isfortran isscalar issubdtype iterable kaiser load loadtxt mask_indices mintypecode "
    "nested_iters ones printoptions promote_types row_stack set_printoptions setbufsize seterr "
    "seterrcall show_config show_runtime test tri tril_indices triu_indices typename zeros "
    "fftfreq rfftfreq in1d trapz"
)


def leaf(*values):
    return Variable(np.array(values), requires_grad=True)


# -- the table -------------------------------------------------------------------------------------


def test_every_function_of_numpy_is_recorded_or_plain_or_refused_with_advice():
    undecided = [
        name
        for name, function in DISPATCHED.items()
        if _protocols.classify(function) == "refused" and function not in _protocols.REFUSED
    ]
    assert not undecided


def test_every_other_function_of_numpy_converts_or_takes_no_arrays():
    others = {
        name
        for module in MODULES.values()
        for name, function in public(module)
        if not is_dispatched(function)
    }
    assert others <= CONVERTING.keys() | set(WITHOUT_ARRAYS.split())


def test_no_function_is_in_two_tables():
    _protocols.open_rooms()
    recorded, refused = _protocols.HANDLERS.keys(), _protocols.REFUSED.keys()
    assert not recorded & refused
    assert not _protocols.PLAIN & refused
    # A few have a function of ours that also leaves Variables plain.
    assert not {f for f in _protocols.PLAIN & recorded if _protocols.classify(f) != "recorded"}


@pytest.mark.parametrize("name", DISPATCHED)
def test_arguments_by_position_mean_the_same_in_numpy_and_here(name):
    function = DISPATCHED[name]
    if _protocols.classify(function) != "recorded":
        return
    theirs = _protocols.parameters(function)[0]
    ours = _protocols.parameters(_protocols.HANDLERS[function])[0]
    for a, b in zip(theirs, ours, strict=False):
        # Operands may be called otherwise, but no name may stand in another place.
        assert a == b or (a not in ours and b not in theirs), (theirs, ours)


# -- behaviour, whatever the table says ------------------------------------------------------------

VECTOR = np.array([0.3, 0.8, 0.55])
MATRIX = np.array([[2.0, 0.5, 0.1], [0.5, 3.0, 0.2], [0.1, 0.2, 4.0]])
CUBE = np.arange(24.0).reshape(4, 6, 1)
TEMPLATES = [
    (MATRIX,),
    (VECTOR,),
    (MATRIX, MATRIX),
    (VECTOR, VECTOR),
    ([MATRIX, MATRIX],),
    ([VECTOR, VECTOR],),
    (VECTOR, 1),
    (MATRIX, 1),
    (VECTOR, 0.5),
    (VECTOR, 3),
    (VECTOR, (3, 1)),
    (VECTOR, VECTOR, VECTOR),
    (MATRIX, 0, 1),
    (MATRIX, [0, 2]),
    (VECTOR, [0, 2]),
    (VECTOR, [0, 2], VECTOR[:2]),
    (VECTOR, [0], VECTOR[:1], 0),
    (VECTOR, np.array([0, 2]), 0),
    ([True, False, True], VECTOR),
    (VECTOR, [True, False, True], VECTOR),
    (VECTOR, [True, False, True], [np.sin]),
    (VECTOR, [VECTOR > 0.5], [np.sin]),
    ([VECTOR > 0.5], [VECTOR]),
    ([0, 1, 1], [VECTOR, VECTOR]),
    ([0, 1, 1], VECTOR),
    ("ij->ji", MATRIX),
    (np.sum, 0, MATRIX),
    (np.sum, MATRIX, [0]),
    ([1, 2], VECTOR[:2]),
    (VECTOR, VECTOR, 1),
    (MATRIX, VECTOR, 1),
    (np.eye(6).reshape(2, 3, 6), 2),
    (np.eye(6).reshape(2, 3, 6), np.ones((2, 3))),
    (np.zeros((2, 3)), np.ones((1, 3))),
    (CUBE, 2),
    (VECTOR[:1], (1, 1)),
    (VECTOR, float),
]
# Text, files, types, memory and changes in place; they have tests of their own.
SKIPPED = {
    "np.array2string", "np.array_repr", "np.array_str", "np.save", "np.savetxt", "np.savez",
    "np.savez_compressed", "np.copyto", "np.put", "np.place", "np.putmask", "np.fill_diagonal",
    "np.put_along_axis", "np.datetime_as_string", "np.busday_count", "np.busday_offset",
    "np.is_busday", "np.einsum_path", "np.can_cast", "np.common_type", "np.may_share_memory",
    "np.min_scalar_type", "np.result_type", "np.shares_memory",
}  # fmt: skip
# Functions of integers and of what is no array.
INTEGERS = (
    "np.bitwise_and np.bitwise_count np.bitwise_invert np.bitwise_left_shift np.bitwise_not "
    "np.bitwise_or np.bitwise_right_shift np.bitwise_xor np.gcd np.invert np.isnat np.ix_ np.lcm "
    "np.left_shift np.packbits np.ravel_multi_index np.right_shift np.unpackbits "
    "np.unravel_index"
)
# Floating results that depend on the shape alone.
CONSTANT = {"np.zeros_like", "np.ones_like", "np.empty_like"}


def as_leaves(value):
    if isinstance(value, np.ndarray) and value.dtype == float:
        return Variable(value.copy(), requires_grad=True)
    if isinstance(value, list):
        return [as_leaves(v) for v in value]
    return value


def flat(value):
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in flat(v)]
    return [value]


@pytest.mark.parametrize("name", sorted(DISPATCHED.keys() - SKIPPED - set(INTEGERS.split())))
def test_no_function_of_numpy_loses_a_gradient(name):
    function = DISPATCHED[name]
    for template in TEMPLATES:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                wanted = flat(function(*template))
            except (TypeError, ValueError, IndexError, AttributeError, np.linalg.LinAlgError):
                continue
            try:
                got = flat(function(*map(as_leaves, template)))
            except (TypeError, ValueError) as error:
                if _protocols.classify(function) == "recorded":
                    continue  # a shape or an operand that ours refuses: loud enough
                refusal = str(error)
                break
        refusal = None
        assert len(got) == len(wanted)
        for g, w in zip(got, wanted, strict=True):
            np.testing.assert_allclose(g.data if isinstance(g, Variable) else g, w)
            if isinstance(w, (np.ndarray, np.generic)) and w.dtype.kind in "fc":
                assert (isinstance(g, Variable) and g.requires_grad) or name in CONSTANT
        break
    else:
        pytest.fail(f"no template of arguments fits {name}")
    assert refusal is None or name in refusal


@pytest.mark.parametrize("name", CONVERTING)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_functions_that_numpy_does_not_dispatch_refuse_to_drop_the_gradient(name):
    function = getattr(np, name)
    arguments = (3, leaf(1.0)) if name == "full" else (leaf(1.0, 2.0),)
    with pytest.raises(TypeError, match=r"^function: wanted a Variable without a gradient.*detach"):
        function(*arguments)


def test_a_refusal_names_the_function_and_what_to_write():
    x = leaf(1.0, 2.0)
    with pytest.raises(TypeError, match=r"np\.polymul: .* write autograd\.convolve\(p, q\)"):
        np.polymul(x, x)
    with pytest.raises(TypeError, match=r"np\.unique: .*return_index=True"):
        np.unique(x)
    with pytest.raises(TypeError, match=r"np\.histogram: .*autograd\.bincount"):
        np.histogram(x)


def test_refused_functions_compute_where_no_gradient_is_lost():
    x = Variable(np.array([2.0, 1.0, 2.0]))
    result = np.unique(x)
    assert isinstance(result, Variable)
    np.testing.assert_array_equal(result.data, [1.0, 2.0])
    counts, edges = np.histogram(x, bins=2)
    np.testing.assert_array_equal(counts, [1, 2])
    np.testing.assert_array_equal(edges.data, [1.0, 1.5, 2.0])


# -- arguments -------------------------------------------------------------------------------------


def test_operands_can_be_given_by_numpys_keywords():
    x = leaf(1.0, 2.0)
    assert np.sum(a=x).requires_grad
    assert np.clip(a=x, a_min=0.0, a_max=1.5).requires_grad
    np.testing.assert_array_equal(np.tensordot(a=x, b=x, axes=1).data, 5.0)
    np.testing.assert_array_equal(np.take(a=x, indices=[1]).data, [2.0])


def test_arguments_that_say_the_default_are_accepted():
    x = leaf(1.0, 2.0)
    assert np.sum(x, 0, None, None).requires_grad
    assert np.sum(x, out=None, dtype=None).requires_grad
    assert np.take(x, [0], 0, None, "wrap").requires_grad
    assert np.add(x, 1.0, where=True, casting="same_kind", order="K").requires_grad


def test_an_argument_without_a_counterpart_is_refused_by_name():
    x = leaf(1.0, 2.0)
    with pytest.raises(TypeError, match="out"):
        np.concatenate([x, x], out=np.zeros(4))
    with pytest.raises(TypeError, match=r"(?s)np\.reshape.*got nonsense|nonsense"):
        np.reshape(x, (2, 1), nonsense=3)


def test_where_with_a_condition_alone_gives_places():
    (places,) = np.where(leaf(0.0, 2.0, 3.0))
    np.testing.assert_array_equal(places, [1, 2])
    assert np.where(np.array([True, False]), leaf(1.0, 2.0), 0.0).requires_grad


def test_plain_functions_give_plain_results():
    x = leaf(1.0, 3.0, 2.0)
    assert np.argmax(x) == 1
    assert np.shape(x) == (3,)
    assert np.isnan(x).tolist() == [False] * 3
    assert type(np.argsort(x)) is np.ndarray
    assert np.allclose(x, x)
    assert np.result_type(x, np.float32(1)) == np.float64
    assert np.common_type(x) is np.float64
    assert np.shares_memory(x, x.detach())
    assert np.can_cast(x.dtype, np.float32, "same_kind")
    assert (np.array([2.0, 2.0, 2.0]) < x).tolist() == [False, True, False]
    assert type(np.zeros_like(x)) is np.ndarray


def test_printing_and_saving_need_no_gradient(tmp_path):
    x = leaf(1.0, 2.0)
    assert np.array2string(x) == "[1. 2.]"
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), [1.0, 2.0])
    with np.load(tmp_path / "x.npz") as saved:
        np.testing.assert_array_equal(saved["x"], [1.0, 2.0])


# -- writing into plain arrays ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        np.copyto,
        lambda a, v: np.put(a, [0, 1], v),
        lambda a, v: np.place(a, [True, True], v),
        lambda a, v: np.putmask(a, [True, True], v),
        lambda a, v: np.put_along_axis(a, np.array([0, 1]), v, 0),
        lambda a, v: np.fill_diagonal(np.diag(a), v),
        np.full_like,
        lambda a, v: a.put([0, 1], v),
        lambda a, v: a.__setitem__(slice(None), v),
        lambda a, v: a.__setitem__(slice(None), [v[0], v[1]]),
    ],
)
def test_writing_into_an_array_names_the_functional_spelling(write):
    a = np.zeros(2)
    with pytest.raises(TypeError, match=r"autograd\.(set_at|zeros)\("):
        write(a, leaf(1.0, 2.0))
    np.testing.assert_array_equal(a, 0.0)


def list_of(a, v):
    return np.fromiter([v, v], dtype=float)


@pytest.mark.parametrize(
    "write", [lambda a, v: a.__setitem__(0, v), lambda a, v: a.fill(v), list_of]
)
def test_writing_a_scalar_into_an_array_fails_with_the_functional_spelling_as_cause(write):
    a = np.zeros(2)
    # The first sentence is NumPy's, which hides any error of a conversion behind its own.
    with pytest.raises(ValueError, match="setting an array element") as caught:
        write(a, leaf(1.0, 2.0)[0])
    assert isinstance(caught.value.__cause__, TypeError)
    assert "autograd.zeros(shape)" in str(caught.value.__cause__)
    np.testing.assert_array_equal(a, 0.0)


def test_augmented_assignment_to_an_array_explains_itself():
    a = np.zeros(2)
    with pytest.raises(TypeError, match=r"np\.add: .*as in a = a \+ v instead of a \+= v"):
        a += leaf(1.0, 2.0)
    with pytest.raises(TypeError, match=r"np\.matmul: .*without out="):
        np.matmul(np.eye(2), leaf(1.0, 2.0), out=a)
    np.testing.assert_array_equal(a, 0.0)


def test_a_variable_in_an_array_that_is_not_differentiated_is_written():
    a = np.zeros(2)
    a += Variable(np.array([1.0, 2.0]))
    a[0] = Variable(5.0)
    np.testing.assert_array_equal(a, [5.0, 2.0])


# -- leaving NumPy ---------------------------------------------------------------------------------


@pytest.mark.parametrize("convert", [float, complex, math.sin, np.float64, np.float32])
def test_a_conversion_to_a_number_refuses_to_drop_the_gradient(convert):
    with pytest.raises(TypeError, match=r"wanted a Variable without a gradient.*\.item\(\)"):
        convert(leaf(1.0)[0])


def test_other_ways_out_are_errors_too():
    x = leaf(1.0, 2.0)
    rng = np.random.default_rng(0)
    for leave in (
        lambda: np.array([x, x]),
        lambda: np.array([x[0], 1.0]),
        lambda: np.sum([x, x]),
        lambda: np.vectorize(lambda t: 2 * t)(x),
        lambda: np.frompyfunc(lambda t: 2 * t, 1, 1)(x),
        lambda: np.ma.array(x),
        lambda: np.broadcast(x, x),
        lambda: list(np.nditer(x)),
        lambda: list(np.ndenumerate(x)),
        lambda: np.arange(x[0]),
        lambda: rng.normal(x),
        lambda: memoryview(x),
        lambda: np.ones(2).dot(x),
        lambda: np.ones(2)[x],
    ):
        with pytest.raises(TypeError):
            leave()
    with pytest.raises(struct.error):
        struct.pack("d", x[0])


def test_lists_of_variables_given_to_our_functions_are_recorded():
    x = leaf(1.0, 2.0)
    total = autograd.sum([x, 2 * x])
    total.backward()
    np.testing.assert_array_equal(x.grad, [3.0, 3.0])
    assert np.add(x, [x[0], 3.0]).requires_grad
    assert sum([x, x]).requires_grad


@pytest.mark.parametrize("left", [[1.0, 2.0], (1.0, 2.0), np.array([1.0, 2.0]), np.float64(2), 2])
def test_anything_numeric_can_stand_on_the_left_of_an_operator(left):
    x = leaf(3.0, 4.0)
    a = np.asarray(left)
    for result, wanted in [
        (left + x, a + x.data),
        (left - x, a - x.data),
        (left * x, a * x.data),
        (left / x, a / x.data),
        (left**x, a**x.data),
        (left // x, a // x.data),
        (left % x, a % x.data),
    ]:
        assert isinstance(result, Variable)
        assert result.requires_grad
        np.testing.assert_allclose(result.data, wanted, rtol=1e-15)
    if a.ndim:
        np.testing.assert_allclose((left @ x).data, a @ x.data)


def test_iterating_and_unpacking_are_recorded():
    m = Variable(np.arange(6.0).reshape(2, 3), requires_grad=True)
    first, second = m
    (first * 2 + second).sum().backward()
    np.testing.assert_array_equal(m.grad, [[2.0] * 3, [1.0] * 3])
    m.grad = None
    total = 0.0
    for row in m[None][0]:
        for element in row:
            total = total + element
    total.backward()
    np.testing.assert_array_equal(m.grad, np.ones((2, 3)))


def test_attributes_that_only_arrays_have_are_explained():
    x = leaf(1.0, 2.0)
    with pytest.raises(AttributeError, match=r"fill: .*write x = autograd\.full_like"):
        x.fill(0.0)
    with pytest.raises(AttributeError, match=r"put: .*write x = autograd\.set_at"):
        x.put([0], 1.0)
    with pytest.raises(AttributeError, match=r"tobytes: .*x\.detach\(\)\.data\.tobytes"):
        x.tobytes()
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        x.nonsense  # noqa: B018
