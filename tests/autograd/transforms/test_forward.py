"""Forward mode: every row of the op table, and how each primitive comes by its tangent rule."""

import zlib

import numpy as np
import pytest
from op_table import Call, calls, collect, is_floating, rebuild

import autograd
from autograd import Variable, grad, jvp
from autograd.engine.mode import watching
from autograd.engine.primitive import PRIMITIVES
from autograd.transforms import forward as _forward

ROWS = [row for row in collect() if row.recorded]
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def random_for(row):
    return np.random.default_rng(zlib.crc32(row.name.encode()))


def direction(x, rng):
    """Draw a tangent of the kind of `x`, short enough to stay within its domain."""
    t = 0.3 * rng.normal(size=x.shape)
    return (t + 0.3j * rng.normal(size=x.shape) if x.dtype.kind == "c" else t).astype(x.dtype)


def along(function, operands, tangents, h=1e-3):
    """Differentiate a list of arrays along a direction: extrapolated central differences."""

    def at(step):
        moved = [x + step * t for x, t in zip(operands, tangents, strict=True)]
        return [np.asarray(out) for out in function(moved)]

    steps = zip(at(h), at(-h), at(2 * h), at(-2 * h), strict=True)
    return [(8 * (a - b) - (c - d)) / (12 * h) for a, b, c, d in steps]


def pushed(call, operands, tangents):
    return jvp(lambda *xs: call(xs), tuple(operands), tuple(tangents))


def assert_close(got, wanted, rtol):
    assert len(got) == len(wanted)
    scale = max([1.0, *(float(np.max(np.abs(w), initial=0.0)) for w in wanted)])
    for g, w in zip(got, wanted, strict=True):
        assert np.shape(g) == np.shape(w)
        np.testing.assert_allclose(g, w, rtol=0, atol=rtol * scale)


@each_row
def test_forward_mode_equals_differences(row):
    rng = random_for(row)
    for case, call in calls(row):
        tangents = [direction(x, rng) for x in call.operands]
        try:
            values, got = pushed(call, call.operands, tangents)
            assert_close(values, call(call.operands), 1e-12)
            assert_close(got, along(call, call.operands, tangents), row.rtol)
            assert not any(isinstance(part, Variable) for part in [*values, *got])
        except BaseException as error:
            error.add_note(f"in {case}")
            raise


@pytest.mark.parametrize("row", [r for r in ROWS if r.order > 1], ids=lambda row: row.name)
def test_a_recorded_sweep_can_be_differentiated(row):
    """Reverse over forward, along a line: the derivative of t -> <w, jvp(x + t d)>."""
    rng = random_for(row)
    case, call = calls(row)[0]
    if case.order == 1:
        pytest.skip("this case has no second derivative")
    tangents = [direction(x, rng) for x in call.operands]
    tilts = [direction(x, rng) for x in call.operands]
    weights = [rng.uniform(0.5, 1.5, np.shape(out)) for out in call(call.operands)]

    def slope(t):
        moved = [x + t * d for x, d in zip(call.operands, tilts, strict=True)]
        total = 0.0
        for w, out in zip(weights, pushed(call, moved, tangents)[1], strict=True):
            total = total + (w * out).real.sum()
        return total

    h = 1e-3
    wanted = (8 * (slope(h) - slope(-h)) - (slope(2 * h) - slope(-2 * h))) / (12 * h)
    got = grad(slope)(0.0)
    assert abs(got - wanted) <= 20 * row.rtol * max(1.0, abs(wanted), abs(slope(0.0)))


SINGLE = {np.dtype(np.float64): np.float32, np.dtype(np.complex128): np.complex64}


def in_single_precision(call):
    def convert(value):
        return value.astype(SINGLE[value.dtype]) if is_floating(value) else value

    single = Call.__new__(Call)
    single.function, single.diff = call.function, call.diff
    single.kwargs = {k: rebuild(v, convert) for k, v in call.kwargs.items()}
    single.arguments = tuple(rebuild(a, convert) for a in call.arguments)
    single.operands = [convert(x) for x in call.operands]
    return single


@pytest.mark.parametrize("row", [r for r in ROWS if r.float32], ids=lambda row: row.name)
def test_float32_stays_float32_in_forward_mode(row, monkeypatch):
    upcasts = []
    cast = _forward.cast

    def watched(t, dtype):
        if np.finfo(t.dtype).bits > 32 and np.finfo(dtype).bits == 32:
            upcasts.append(str(t.dtype))
        return cast(t, dtype)

    rng = random_for(row)
    for case, call in calls(row)[:1]:
        single = in_single_precision(call)
        tangents = [direction(x, rng) for x in single.operands]
        monkeypatch.setattr(_forward, "cast", watched)
        values, got = pushed(single, single.operands, tangents)
        monkeypatch.undo()
        for value, t in zip(values, got, strict=True):
            assert np.result_type(t) == np.result_type(value), case
            assert np.finfo(np.result_type(t)).bits == 32, case
        assert not upcasts, "a tangent rule returned double precision for single"


# -- how primitives come by it ---------------------------------------------------------------------


def kinds():
    """Return kind -> names of the library's primitives."""
    found = {k: set() for k in ("elementwise", "reduction", "linear", "own", "transposed")}
    for name, spec in PRIMITIVES.items():
        found[_forward.kind(spec)].add(name)
    return found


def test_every_primitive_has_one_kind_of_tangent_rule():
    found = kinds()
    assert {"exp", "multiply", "where"} <= found["elementwise"]
    assert {"reshape", "concatenate", "getitem", "sum"} <= found["linear"]
    assert {"linalg.vector_norm", "max", "nanmin", "prod", "var"} <= found["reduction"]
    assert {"linalg.eigh", "linalg.svd", "linalg.cholesky"} <= found["transposed"]


# The few that are neither elementwise nor linear and state a rule, because it is faster.
STATED = {
    *("cross", "einsum", "einsum_diagonals", "matmul", "pad", "tensordot"),
    *("linalg.det", "linalg.inv", "linalg.solve", "linalg.spsolve", "signal.convolve"),
    *("log_softmax", "set_at", "softmax"),
}


def test_the_list_of_primitives_that_state_a_tangent_rule():
    assert kinds()["own"] == STATED


def test_a_constant_operand_of_a_linear_primitive_has_no_tangent():
    x, c = np.array([1.0, 2.0]), np.array([5.0])
    joined = jvp(lambda x: np.concatenate([x, c]), (x,), (np.ones(2),))[1]
    np.testing.assert_array_equal(joined, [1.0, 1.0, 0.0])
    for function in (autograd.set_at, autograd.add_at):
        t = jvp(lambda x, f=function: f(x, 0, 5.0), (x,), (np.ones(2),))[1]
        np.testing.assert_array_equal(t, [float(function is autograd.add_at), 1.0])


# -- details ---------------------------------------------------------------------------------------


def test_a_tangent_of_zero_stays_zero_at_a_singular_point():
    x = np.array([0.0, 4.0])
    _out, t = jvp(np.sqrt, (x,), (np.array([0.0, 1.0]),))
    np.testing.assert_array_equal(t, [0.0, 0.25])
    masked = jvp(lambda x: np.where(x > 0, np.sqrt(x), 0.0), (x,), (np.ones(2),))[1]
    assert masked[1] == 0.25


def test_a_tangent_of_zero_stays_zero_at_an_infinite_slope_of_a_reduction():
    x, t = np.array([2.0, np.inf]), np.array([0.0, 1.0])
    assert jvp(np.prod, (x,), (t,))[1] == 2.0


def test_unused_outputs_and_unreached_arguments_have_zero_tangents():
    def f(x, y):
        _q, r = np.linalg.qr(x)
        return r, y

    x = np.array([[2.0, 1.0], [0.5, 3.0]])
    (_r, _y), (tr, ty) = jvp(f, (x, 1.0), (np.zeros((2, 2)), 2.0))
    np.testing.assert_allclose(tr, np.zeros((2, 2)), atol=1e-15)
    assert ty == 2.0
    assert jvp(lambda x, y: y * 2, (x, 3.0), (x, 1.0))[1] == 2.0


def test_a_user_primitive_without_a_tangent_rule_has_forward_mode():
    @autograd.primitive(x=lambda g, x: 2 * x * g.sum())
    def total_square(x):
        return np.sum(x * x)

    x, v = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    value, t = jvp(total_square, (x,), (v,))
    assert value == 5.0
    assert t == 2 * x @ v


def test_an_elementwise_joint_rule_has_forward_mode_with_broadcasting_and_constants():
    def both(g, x, y, wanted):
        e = np.exp(x * y)
        return (g * y * e if wanted[0] else None, g * x * e if wanted[1] else None)

    function = autograd.primitive(
        lambda x, y: np.exp(x * y), name="exp_of_product", joint=both, elementwise=True
    )
    x, y = np.array([[0.3], [0.5]]), np.array([0.2, -0.4, 1.0])
    dx, dy = np.array([[1.0], [2.0]]), np.array([0.5, -1.0, 0.0])
    out, tangent = jvp(function, (x, y), (dx, dy))
    np.testing.assert_allclose(tangent, (dx * y + x * dy) * out, rtol=1e-14)
    np.testing.assert_allclose(jvp(lambda x: function(x, y), (x,), (dx,))[1], dx * y * out)
    np.testing.assert_allclose(jvp(lambda y: function(x, y), (y,), (dy,))[1], x * dy * out)
    assert autograd.testing.check_gradients(function, x, y)

    def roots(g, x, y):
        return g * y / (2 * np.sqrt(x)), g * np.sqrt(x)

    edge = autograd.primitive(lambda x, y: np.sqrt(x) * y, joint=roots, elementwise=True)
    tangents = np.array([0.0, 1.0]), np.ones(2)
    pushed = jvp(edge, (np.array([0.0, 4.0]), np.ones(2)), tangents)[1]
    np.testing.assert_array_equal(pushed, [0.0, 2.25])


def test_a_function_subclass_has_forward_mode():
    class Cube(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    assert jvp(Cube.apply, (2.0,), (1.5,))[1] == 18.0
    second = jvp(lambda x: jvp(Cube.apply, (x,), (1.0,))[1], (2.0,), (1.0,))[1]
    assert second == 12.0


def test_forward_mode_runs_under_the_users_observer():
    seen = []
    with watching(lambda primitive, arguments, out: seen.append(primitive.name)):
        jvp(np.sin, (1.0,), (1.0,))
    assert "sin" in seen
