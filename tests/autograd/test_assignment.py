"""`x[index] = value`: the same programs in complex-step NumPy, and what is refused."""

import copy
import gc
import pickle
import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from op_table import calls, collect

import autograd
from autograd import Variable
from autograd.assignment import _SHARING
from autograd.engine.mode import watching
from autograd.engine.primitive import PRIMITIVES
from autograd.ops import assignment as ops_assignment
from autograd.testing import check_gradients

SHAPE = (3, 4)
INDICES = [
    0,
    -1,
    (1, 2),
    (slice(None), 1),
    slice(0, 2),
    slice(None, None, -1),
    (slice(1, None), slice(None, None, 2)),
    ...,
    (..., 0),
    np.array([0, 2]),
    np.array([1, 1, 0]),
    (np.array([0, 2, 0]), np.array([1, 1, 1])),
    [2, 0],
    np.array([True, False, True]),
    np.arange(12).reshape(SHAPE) % 5 > 1,
    np.array([[0], [2]]),
    (slice(None), np.array([3, 0])),
]
VIEWS = [
    lambda x: x.T,
    lambda x: x.reshape(-1),
    lambda x: x.reshape(-1, 1),
    lambda x: np.swapaxes(x, 0, -1),
    lambda x: np.squeeze(x),
    lambda x: x[None],
    lambda x: x[::-1],
    lambda x: np.split(x, [1])[-1],
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["assign", "assign", "add", "read", "alias", "compute", "view", "save"]),
        st.integers(0, 9),
        st.sampled_from(INDICES),
        st.integers(0, 9),
        st.sampled_from([0.5, -1.5]),
    ),
    min_size=1,
    max_size=8,
)


def fits(index, shape):
    try:
        return bool(np.empty(shape)[index].size)
    except IndexError:
        return False


def program(steps, v):
    """Run steps on any kind of array: reads, views, aliases, computations that save what they are
    given, and assignments between what there is.
    """
    names = [v * 1.0, np.sin(v)]
    total = 0.0
    for what, target, index, source, factor in steps:
        x, y = names[target % len(names)], names[source % len(names)]
        if what in ("read", "assign", "add") and (x.ndim == 0 or not fits(index, x.shape)):
            continue
        if what == "alias":
            names.append(x)
        elif what == "save":
            total = total + (x * x).sum() * factor
        elif what == "view":
            if x.size > 1:
                names.append(VIEWS[source % len(VIEWS)](x))
        elif what == "compute":
            names.append(np.sin(x) * factor)
        elif what == "read":
            names.append(x[index])
        else:
            part = x[index].shape
            value = y * factor if y.shape == part else y.mean() * factor
            if what == "assign":
                x[index] = value
            else:
                x[index] += value
            del value
        del x, y
    weights = (1.0, 0.7, -0.4, 0.9) * 3
    return total + sum((w * np.sin(n)).sum() for w, n in zip(weights, names, strict=False))


def tangent_of(f, x, direction):
    return f(x + 1e-30j * direction).imag * 1e30


@given(STEPS)
def test_programs_of_assignments_are_right_or_refused(steps):
    rng = np.random.default_rng(len(steps))
    at, direction = rng.normal(size=SHAPE), rng.normal(size=SHAPE)

    def along(t):
        return program(steps, at + t * direction)

    leaf = Variable(at, requires_grad=True)
    try:
        result = program(steps, leaf)
    except RuntimeError as error:
        assert "no other Variable looks at" in str(error)  # noqa: PT017
        assert any(what in ("read", "view") for what, *_ in steps)
        return
    assert result.data == pytest.approx(program(steps, at.copy()), rel=1e-12)
    result.backward()
    slope = tangent_of(lambda v: program(steps, v), at, direction)
    assert (leaf.grad * direction).sum() == pytest.approx(slope, rel=1e-9, abs=1e-9)
    _, tangent = autograd.jvp(lambda v: program(steps, v), (at,), (direction,))
    assert tangent == pytest.approx(slope, rel=1e-9, abs=1e-9)
    curvature = (tangent_of(along, 1e-6, 1.0) - tangent_of(along, -1e-6, 1.0)) / 2e-6
    second = autograd.grad(autograd.grad(along))(0.0)
    assert second == pytest.approx(curvature, rel=1e-4, abs=1e-4 * (1 + abs(slope)))
    _, forward = autograd.jvp(autograd.grad(along), (0.0,), (1.0,))
    assert forward == pytest.approx(second, rel=1e-9, abs=1e-9)


def leaf(*shape):
    return Variable(np.arange(1.0, 1.0 + int(np.prod(shape))).reshape(shape), requires_grad=True)


def test_recurrences_have_first_and_second_derivatives():
    def last(a):
        x = autograd.zeros(5)
        x[0] = a
        for i in range(1, 5):
            x[i] = x[i - 1] * a
        return x[4]

    assert autograd.grad(last)(1.3) == pytest.approx(5 * 1.3**4)
    assert autograd.grad(autograd.grad(last))(1.3) == pytest.approx(20 * 1.3**3)
    assert autograd.jvp(last, (1.3,), (1.0,))[1] == pytest.approx(5 * 1.3**4)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_every_kind_of_index_is_right(index):
    def assigned(x, value):
        y = np.sin(x)
        y[index] = value * value
        y[index] *= x[index]
        return y

    rng = np.random.default_rng(0)
    at, value = rng.normal(size=SHAPE), rng.normal(size=np.empty(SHAPE)[index].shape)
    directions = rng.normal(size=at.shape), rng.normal(size=value.shape)
    expected = assigned(at + 1e-30j * directions[0], value + 1e-30j * directions[1])
    leaves = Variable(at, requires_grad=True), Variable(value, requires_grad=True)
    weights = rng.normal(size=SHAPE)
    assigned(*leaves).backward(weights)
    slope = sum((leaf.grad * d).sum() for leaf, d in zip(leaves, directions, strict=True))
    assert slope == pytest.approx((weights * expected.imag).sum() * 1e30, rel=1e-10)


def test_second_derivatives_of_overwritten_and_repeated_elements():
    def assigned(x):
        y = np.sin(x)
        y[1:] = y[:-1] * x[1:]
        y[np.array([0, 0])] *= x[1:]
        return y

    check_gradients(assigned, np.array([0.3, -0.7, 1.1]), order=2)


def test_masks_and_broadcast_values():
    check_gradients(
        lambda x, v: _with(x * 2, x.data > 0, v), np.array([-1.0, 2.0, 3.0]), np.array([0.5])
    )


def _with(x, index, value):
    x[index] = value
    return x


def test_all_names_and_rows_see_the_new_elements_and_rows_write_through():
    x = leaf(2, 3)
    y = x * 1.0
    other, row = y, y[0]
    y[0, 1] = 10.0
    row[2] = 20.0
    assert other.data.tolist() == [[1.0, 10.0, 20.0], [4.0, 5.0, 6.0]]
    assert row.data.tolist() == [1.0, 10.0, 20.0]
    (other[0] * row).sum().backward()
    assert x.grad.tolist() == [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_what_rules_have_saved_stays():
    x = leaf(3)
    y = np.exp(x)
    before = np.exp(x.data)
    z = (y * y).sum()
    y[:] = 0.0
    z.backward()
    assert x.grad == pytest.approx(2 * before**2)


def test_the_data_that_a_user_holds_stay():
    y = leaf(3) * 1.0
    held = y.data
    y[0] = 7.0
    assert held.tolist() == [1.0, 2.0, 3.0]


def test_elements_are_overwritten_in_place():
    x = autograd.zeros(4)
    v = leaf()
    x[0] = v
    address = x.data.__array_interface__["data"]
    x[1] = v * 2
    assert x.data.__array_interface__["data"] == address


def test_elements_and_their_tangents_are_overwritten_in_place_in_forward_mode(monkeypatch):
    written = []
    whole = ops_assignment._set_at_push

    def push(tangents, *others):
        out = whole(tangents, *others)
        written.append(out.__array_interface__["data"])
        return out

    monkeypatch.setattr(PRIMITIVES["set_at"], "jvp", push)
    seen = []

    def last(a):
        x = autograd.zeros((6, 2))
        x[0] = a
        for i in range(1, 6):
            x[i] = x[i - 1] * a
            seen.append(x._data.__array_interface__["data"])
        return x[5].sum()

    assert autograd.jvp(last, (1.3,), (1.0,))[1] == pytest.approx(12 * 1.3**5)
    assert len(written) == 6
    assert len({*written}) == len({*seen}) == 1


def test_tangents_that_somebody_else_needs_stay():
    def both(v):
        x = v * 1.0
        y = x * x
        row = x[:2]
        x[0] = 5.0
        return y, x, row[1]

    v, direction = np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 100.0])
    tangents = autograd.jvp(both, (v,), (direction,))[1]
    np.testing.assert_array_equal(tangents[0], 2 * v * direction)
    np.testing.assert_array_equal(tangents[1], [0.0, 10.0, 100.0])
    assert tangents[2] == 10.0
    np.testing.assert_array_equal(direction, [1.0, 10.0, 100.0])


def test_a_transposed_view_refuses_what_it_could_not_follow():
    y = leaf(2, 2) * 1.0
    turned = y.T
    with pytest.raises(RuntimeError, match=r"setitem: wanted elements that no other Variable"):
        y[0, 0] = 1.0
    assert y.data.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    del turned
    y[0, 0] = 5.0
    assert y.data[0, 0] == 5.0


def test_views_of_rows_refuse_before_anything_is_written():
    for view in (lambda row: row.reshape(1, 3), np.squeeze, lambda row: row.real, np.flip):
        y = leaf(2, 3) * 1.0
        row = y[0]
        held = view(row)
        for x, index in ((y, (0, 1)), (row, 1)):
            with pytest.raises(
                RuntimeError, match=r"that one of shape \(1?,? ?3,?\) looks at, too"
            ):
                x[index] = 7.0
            assert [y.data[0, 1], row.data[1], held.data.ravel()[1]] == [2.0] * 3
        del held
        row[1] = 7.0
        assert y.data[0, 1] == 7.0
    turned, row = y.T, y[1]
    with pytest.raises(RuntimeError, match="looks at, too"):
        row[0] = 7.0
    assert [row.data[0], turned.data[0, 1]] == [4.0, 4.0]


def test_parts_that_cannot_follow_refuse_assignment_elsewhere():
    """The assignment might take the array away from them, and later ones would not be seen."""
    y = leaf(3, 2) * 1.0
    held = y[1:].reshape(-1)
    with pytest.raises(RuntimeError, match=r"one of shape \(4,\) looks at, too"):
        y[0] = 5.0
    del held
    y[0] = 5.0


def test_rows_of_rows_follow():
    y = leaf(2, 3) * 1.0
    row = y[0]
    part = row[1:]
    part[0] = 7.0
    row[2] = 8.0
    y[0, :2] *= 2.0
    for x in (y.data[0], row.data, [2.0, *part.data]):
        assert list(x) == [2.0, 14.0, 8.0]


def test_what_was_read_by_integer_arrays_is_a_copy():
    for index in (np.array([0, 1]), (slice(None), [1, 0]), np.array([[True] * 3] * 2)):
        x = autograd.zeros((2, 3))
        part = x[index]
        part[0] = 1.0
        assert not x.data.any()
        x[...] = 2.0
        assert part.data.max() == 1.0


def test_only_young_objects_are_looked_at(monkeypatch):
    """Others would take milliseconds for each assignment, forward mode included."""
    asked = []
    get = gc.get_objects
    monkeypatch.setattr(gc, "get_objects", lambda *which: asked.append(which) or get(*which))

    def steps(u):
        for _ in range(20):
            kept = np.exp(-u)  # saves its result
            square = kept * kept  # saves its operand
            kept[0] = square[1]
            row = (kept * 2.0).reshape(2, -1)
            row[0] = row[1] * kept[0]
            row[1, 0] = row[0, 1]
            u = row.reshape(-1)
        return u.sum()

    at = np.linspace(0.1, 1.0, 6)
    gradient = autograd.grad(steps)(at)
    _, tangent = autograd.jvp(steps, (at,), (np.ones(6),))
    assert tangent == pytest.approx(gradient.sum())
    assert asked.count(()) <= len(asked) / 20  # where the collector has just been
    assert {which for which in asked if which} <= {(0,), (1,)}


def test_operations_that_share_memory_with_an_operand_are_known():
    """By them memory is traced back to its maker; no result is the very array of an operand."""
    sharing = set()

    def observe(primitive, arguments, result):
        if PRIMITIVES.get(primitive.name) is not primitive:
            return
        given = [getattr(a, "_data", a) for a in arguments]
        given = [a for a in given if isinstance(a, np.ndarray) and a.size]
        for part in result if type(result) is tuple else (result,):
            out = getattr(part, "_data", part)
            assert not any(out is a for a in given), primitive.name
            if isinstance(out, np.ndarray) and any(np.may_share_memory(out, a) for a in given):
                sharing.add(primitive.name)

    with watching(observe), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in collect():
            if not row.name.startswith(("nn.", "special.", "stats.", "fft.", "linalg.")):
                (_, call), *_ = calls(row)
                call([Variable(x, requires_grad=True) for x in call.operands])
    assert sharing <= _SHARING
    assert {"reshape", "getitem", "transpose", "squeeze"} <= sharing


def test_a_detached_twin_refuses():
    y = leaf(2) * 1.0
    twin = y.detach()
    with pytest.raises(RuntimeError, match=r"looks at, too"):
        twin[0] = 1.0


def test_leaves_change_inside_no_grad_only():
    x = leaf(2)
    with pytest.raises(RuntimeError, match=r"wanted a result .*, got a leaf; write `with"):
        x[0] = 1.0
    y = (x * x).sum()
    with autograd.no_grad():
        x[0] = 5.0
    assert x.data.tolist() == [5.0, 2.0]
    with pytest.raises(RuntimeError, match="was changed"):
        y.backward()


def test_results_refuse_inside_no_grad():
    y = leaf(2) * 1.0
    with (
        autograd.no_grad(),
        pytest.raises(RuntimeError, match=r"constant or a leaf inside no_grad"),
    ):
        y[0] = 1.0


def test_values_must_fit():
    x = autograd.zeros((2, 3))
    with pytest.raises(ValueError, match=r"setitem: wanted a value that broadcasts .*\(3,\), got"):
        x[0] = np.ones(2)
    with pytest.raises(TypeError, match=r"setitem: wanted values that fit int"):
        autograd.zeros(2, int)[0] = 1.5
    with pytest.raises(TypeError, match=r"wanted values that fit float64, got complex128"):
        x[0] = 1j
    with pytest.raises(IndexError):
        x[7] = 1.0
    x[0] = range(3)
    x[0] = 0.0
    for value, message in [
        (None, r"setitem: wanted a number or an array as value, got None; write np\.nan"),
        ("1.5", r"setitem: wanted a number or an array as value, got text; write float\(value\)"),
        (
            [1.0, None],
            r"setitem: wanted numbers as values, got object; write np\.asarray\(value, fl",
        ),
        (["a", "b", "c"], r"setitem: wanted numbers as values, got <U1; write np\.asarray\("),
    ]:
        with pytest.raises(TypeError, match=message):
            x[0, : np.size(value)] = value
    for what, assign in [
        ("setitem", lambda i: x.__setitem__(i, 1.0)),
        ("set_at", lambda i: autograd.set_at(x, i, 1.0)),
        ("add_at", lambda i: autograd.add_at(x, (0, i), 1.0)),
        ("take", lambda i: autograd.take(x, i)),
    ]:
        with pytest.raises(TypeError, match=f"^{what}: wanted integers or booleans as index"):
            assign(Variable(1.0, requires_grad=True))
    with pytest.raises(TypeError, match=r"set_at: wanted a number .* got None"):
        autograd.set_at(x, 0, None)
    assert not x.data.any()


def test_arrays_to_fill_are_numpys():
    a = leaf(2, 3)
    for made, expected in [
        (autograd.zeros(3, np.float32), np.zeros(3, np.float32)),
        (autograd.ones((2, 2), order="F"), np.ones((2, 2), order="F")),
        (autograd.full(2, 1.5), np.full(2, 1.5)),
        (autograd.zeros_like(a), np.zeros((2, 3))),
        (autograd.ones_like(a, np.float32), np.ones((2, 3), np.float32)),
        (autograd.full_like(a, 2.0, shape=(1,)), np.array([2.0])),
    ]:
        assert made.dtype == expected.dtype
        assert made.data.flags.c_contiguous == expected.flags.c_contiguous
        assert made.data.tolist() == expected.tolist()
        assert not made.requires_grad
    assert autograd.empty((2, 0)).shape == (2, 0)
    assert autograd.empty_like(a).shape == (2, 3)


def test_augmented_assignment_changes_all_names():
    x = autograd.ones(2)
    other = x
    v = leaf()
    x += v
    other[0] *= v
    assert x is other
    x.sum().backward()
    assert v.grad == 1 + 2 * 1 + 1


def test_a_filled_variable_is_shown_copied_and_pickled_as_a_variable():
    x = autograd.zeros(2)
    x[0] = 1.0
    assert repr(x) == "Variable([1., 0.])"
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(twin) is Variable
        assert twin.data.tolist() == [1.0, 0.0]


def test_rows_that_nobody_holds_are_forgotten():
    x = autograd.zeros((3, 2))
    held = x[0]
    for i in range(3):
        x[i] = x[i - 1] + i
        x[i].sum()
    assert [r is held for r in x.readings()] == [True]
    assert len(x._filling.readings) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64])
def test_integers_are_written_into_integers_of_any_width_and_sign(dtype):
    x = autograd.zeros(3, dtype=dtype)
    x[0], x[1], x[2] = 5, np.int64(6), Variable(7)
    np.testing.assert_array_equal(x.data, [5, 6, 7])
    with pytest.raises(OverflowError):
        x[0] = -1 if dtype is np.uint64 else 300
    with pytest.raises(TypeError, match="wanted values that fit u?int"):
        x[0] = 1.5


def test_constants_that_share_memory_see_the_new_elements_as_arrays_do():
    x = Variable(np.zeros((2, 3)))
    turned, v = x.T, Variable(1.0, requires_grad=True)
    product = (v * x).sum()
    x[0, 1] = 5
    np.testing.assert_array_equal(turned.data, x.data.T)
    assert x.data[0, 1] == 5
    with pytest.raises(RuntimeError, match="changed"):
        product.backward()  # it has saved the memory
    with pytest.raises(RuntimeError, match="wanted elements that no other Variable looks at"):
        x[0, 1] = v
    recorded = Variable(turned.data, requires_grad=True, copy=False)
    with pytest.raises(RuntimeError, match="wanted elements that no other Variable looks at"):
        x[0, 1] = 6
    assert recorded.data[1, 0] == 5
