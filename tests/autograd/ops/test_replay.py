"""One recording point: what an observer sees is the whole program.

Every row of the op table is traced on one set of inputs; replaying the calls that the observer saw
on *other* inputs must give what the function gives on them, and so for the program of its gradient.
A value that is read behind the engine's back, or a branch on one, would be baked in. So the other
inputs are drawn afresh, and also spoiled: by zeros, ties, large numbers of the other sign and nan,
where branches go the other way.
"""

import ast
import contextlib
import zlib
from pathlib import Path

import numpy as np
import pytest
from op_table import Call, calls, collect, leaves, rebuild
from ops_without_replay import EXCEPT, UNLIKE

import autograd
from autograd import Variable
from autograd.engine.graph import OUTPUT
from autograd.engine.mode import watching

ROWS = collect()


class Program:
    """The calls that an observer saw, in order."""

    def __init__(self):
        self.calls = []

    def __call__(self, primitive, arguments, out):
        self.calls.append((primitive, arguments, out))

    def replay(self, inputs, values, outputs):
        """Return the values of `outputs` where those of `inputs` are `values`."""
        known = {}
        for v, value in zip(inputs, values, strict=True):
            learn(known, v, value)
        for primitive, arguments, out in self.calls:
            given = rebuild(arguments, lambda v: value_of(known, v))
            for v, value in zip(leaves(out), leaves(primitive.evaluate(given)), strict=True):
                if isinstance(v, Variable):
                    learn(known, v, value)
        return [value_of(known, v) for v in outputs]


def names(variable):
    """Yield the keys of a value: its node, the Variable, its array."""
    node = variable._node
    if node is not None:
        yield (node.parents[0], node.saved[0]) if node.plan is OUTPUT and node.parents else node
    yield id(variable)
    if isinstance(variable._data, np.ndarray):
        yield id(variable._data)


def learn(known, variable, value):
    for name in names(variable):
        known[name] = variable, value  # which also keeps its identity


def value_of(known, value):
    if not isinstance(value, Variable):
        return value
    for name in names(value):
        if name in known:
            return known[name][1]
    return value._data


def other_operands(case, call, index, row):
    """Draw operands of the same shapes and dtypes from the same domain, not the same numbers."""
    rng = np.random.default_rng([zlib.crc32(row.name.encode()), index, 1])
    drawn = Call(row.function, case.arguments(rng), case).operands
    return [
        np.asarray(
            x + 1j * (0.3 * rng.normal(size=x.shape))
            if y.dtype.kind == "c" and x.dtype.kind != "c"
            else x
        ).astype(y.dtype)
        for x, y in zip(drawn, call.operands, strict=True)
    ]


def some(flat, rng):
    return rng.random(flat.size) < 0.4


SPOILERS = {
    "zeros": lambda flat, rng: flat.__setitem__(some(flat, rng), 0.0),
    "ties": lambda flat, rng: flat.__setitem__(some(flat, rng), flat[rng.integers(flat.size)]),
    "large": lambda flat, rng: flat.__setitem__(some(flat, rng), flat[0] * -40),
    "nan": lambda flat, rng: flat.__setitem__(rng.integers(flat.size), np.nan),
}


def spoiled(operands, kind):
    """Return copies of operands with special values among them."""
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    copies = [np.array(x) for x in operands]
    for x in copies:
        if x.size:
            SPOILERS[kind](x.reshape(-1), rng)
    return copies


def cases_of(row):
    """Yield each call of a row, and other operands of the same domain where they fit."""
    for case, call in calls(row):
        new = other_operands(case, call, row.cases.index(case), row)
        if [x.shape for x in new] == [x.shape for x in call.operands]:
            yield case, call, new


READS = ("__bool__", "__int__", "__float__", "__complex__", "__index__", "__array__")


@contextlib.contextmanager
def unread():
    """Refuse to look at the values of Variables, as a tracer does that does not know them."""

    def refuse(self, *args, **kwargs):
        raise AssertionError("a value of a Variable was looked at while a program was traced")

    with pytest.MonkeyPatch.context() as patch:
        for name in (*READS, "item", "tolist", "numpy"):
            patch.setattr(Variable, name, refuse)
        yield


def gradients_of(outputs, inputs, weights, *, create_graph=False):
    """Return the gradients of those outputs that have one."""
    used = [o for o in outputs if isinstance(o, Variable) and o.requires_grad]
    if not used:
        return []
    chosen = {"create_graph": create_graph, "allow_unused": True}
    return autograd.grad(used, inputs, weights[: len(used)], **chosen)


def weights_for(call):
    """Draw the cotangents of a call."""
    rng = np.random.default_rng(0)
    return [rng.uniform(0.5, 1.5, np.shape(o)).astype(o.dtype) for o in call(call.operands)]


def traced(call, operands, weights):
    """Return a call's inputs, its program with that of its gradient, and the results of both."""
    inputs = [Variable(np.array(x), requires_grad=True) for x in operands]
    program = Program()
    with watching(program, tracing=True), unread(), np.errstate(all="ignore"):
        outputs = call(inputs)
        gradients = gradients_of(outputs, inputs, weights, create_graph=True)
    return inputs, program, [*outputs, *(g for g in gradients if g is not None)]


def computed(call, operands, weights):
    """Return the outputs and gradients of a call on Variables, without an observer."""
    inputs = [Variable(np.array(x), requires_grad=True) for x in operands]
    outputs = call(inputs)
    gradients = gradients_of(outputs, inputs, weights)
    return [*map(plain, outputs), *(g for g in gradients if g is not None)]


def plain(value):
    return value.data if isinstance(value, Variable) else value


def check_replay(traces, call, new, weights, message):
    inputs, program, results = traces
    with np.errstate(all="ignore"):
        wanted = computed(call, new, weights)
        got = program.replay(inputs, new, results)
    assert len(got) == len(wanted)
    for value, want in zip(got, wanted, strict=True):
        np.testing.assert_allclose(value, want, rtol=1e-9, atol=1e-10, err_msg=message)


def check_same_program(one, other, case):
    """Require the same operations in the same order, and the same constants among their arguments:
    what is computed from the inputs by other means shows as a constant that differs.
    """
    assert [p.name for p, _, _ in one.calls] == [p.name for p, _, _ in other.calls], case
    for (primitive, first, _), (_, second, _) in zip(one.calls, other.calls, strict=True):
        for a, b in zip(leaves(first), leaves(second), strict=True):
            if not isinstance(a, Variable) and not callable(a):
                np.testing.assert_equal(a, b, err_msg=f"a constant of {primitive} in {case}")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of spoiled operands
@pytest.mark.parametrize(
    "row",
    [r for r in ROWS if r.name not in EXCEPT and r.name not in UNLIKE],
    ids=lambda row: row.name,
)
def test_what_an_observer_saw_computes_the_same_function_and_gradient(row):
    for case, call, new in cases_of(row):
        weights = weights_for(call)
        traces = traced(call, call.operands, weights)
        check_same_program(traces[1], traced(call, new, weights)[1], case)
        check_replay(traces, call, new, weights, str(case))
        for kind in SPOILERS:
            other = spoiled(new, kind)
            try:
                values = computed(call, other, weights)
            except (ValueError, ArithmeticError, IndexError):
                continue  # outside of the domain
            if [v.dtype for v in values] == [v.dtype for v in traces[2]]:  # of eig they may differ
                check_replay(traces, call, other, weights, f"{case} with {kind}")


@pytest.mark.parametrize("name", EXCEPT)
def test_what_depends_on_values_is_refused_by_a_clear_error(name):
    (row,) = [r for r in ROWS if r.name == name]
    (_, call), *_ = calls(row)
    with pytest.raises(RuntimeError, match=r"wanted values that are known while a program is tra"):
        traced(call, call.operands, [])


# Reading the array of a Variable: calls themselves, on their way to `record`; an index, which stays
# an operand of its call; the layout of the memory; changes in place, which are written there, and
# so is what a program overwrites.
READERS = {
    "_shared.beside",  # the library only
    "effects.overwrite",
    "effects.write",
    "in_place._updated",
    "in_place.augmented",
    "in_place.method",
    "indexing.getitem",
    "indexing._plain_index",
    "plain.call",
    "reductions._recorded",
    "reductions.mean",
    "reductions.sum",
    "shaping.astype",
    "shaping.ravel",
}
FAMILIES = ["autograd/ops", "autograd/linalg", "autograd/special", "autograd/stats"]
FILES = ["autograd/fft.py", "autograd/signal.py", "autograd/integrate/_odeint.py"]


def readers(path):
    """Yield the functions of a file that read the array of a Variable."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                name = getattr(node, "attr", getattr(node, "id", ""))
                numpys = path.stem == "differences"  # its `unwrap` is NumPy's
                if name in ("_data", "unwrap", "unwrap_all") and not numpys:
                    yield f"{path.stem}.{function.name}"


def test_no_rule_reads_raw_data_behind_the_engines_back():
    root = Path(autograd.__file__).parent.parent
    paths = [p for family in FAMILIES for p in (root / family).glob("*.py")]
    found = {name for path in (*paths, *(root / f for f in FILES)) for name in readers(path)}
    assert found - {"plain.plain", "plain._plain_binary"} == READERS


def test_the_example_of_comparisons_is_seen_whole():
    x, c = Variable(np.array([1.0, -2.0]), requires_grad=True), Variable(np.array([0.5, 0.1]))
    program = Program()
    with watching(program, tracing=True):
        d = np.exp(c) * 2
        m = x > 0
        y = np.where(~m | (x < -1), x * d, 0)
    assert [p.name for p, _, _ in program.calls] == [
        *("exp", "multiply", "greater", "invert", "less", "bitwise_or", "multiply", "where")
    ]
    new = [np.array([-3.0, 5.0]), np.array([0.2, 0.3])]
    (got,) = program.replay([x, c], new, [y])
    np.testing.assert_allclose(got, [-6 * np.exp(0.2), 0.0])


def test_an_observer_sees_calls_that_record_nothing():
    seen = []
    with watching(lambda p, a, o: seen.append(p.name)), autograd.no_grad():
        x = Variable([1.0, 2.0])
        assert isinstance(x > 1, np.ndarray)
        np.argsort(x), np.sum(x), x[0], np.isnan(x)
    assert seen == ["greater", "argsort", "sum", "getitem", "isnan"]


# -- operands without a gradient: indices, conditions, counts --------------------------------------

X = np.array([0.3, -1.2, 2.0, 0.7])
NEW_X = np.array([-0.4, 1.5, 0.9, -2.2])
INDEX, NEW_INDEX = np.array([2, 0, 2, 1]), np.array([3, 3, 0, 1])
MASK, NEW_MASK = np.array([True, False, True, False]), np.array([False, True, True, False])
WITHOUT_GRADIENT = {
    "x[i]": lambda x, i, m: x[i],
    "x[:, i]": lambda x, i, m: np.stack([x, x * x])[:, i],
    "x[[i, j]]": lambda x, i, m: x[[i[0], i[1]]],
    "x[i, j]": lambda x, i, m: np.stack([x, x * x])[i % 2, i],
    "x[mask]": lambda x, i, m: x[m] ** 2,
    "table[i]": lambda x, i, m: autograd.take(X, i) * x,
    "take": lambda x, i, m: np.take(x, [i[0], 1]),
    "take wrap": lambda x, i, m: autograd.take(x, i + 3, mode="wrap"),
    "take_along_axis": lambda x, i, m: np.take_along_axis(x, i, 0),
    "set_at": lambda x, i, m: autograd.set_at(x, i, x * x),
    "set_at mask": lambda x, i, m: autograd.set_at(x, m, x[m] * 3),
    "set_at tuple": lambda x, i, m: autograd.set_at(np.stack([x, x]), (0, i[1]), x[0] * 5),
    "add_at": lambda x, i, m: autograd.add_at(x, i, x * x),
    "compress": lambda x, i, m: np.compress(m, x) ** 2,
    "extract": lambda x, i, m: np.extract(m, x) ** 2,
    "select": lambda x, i, m: np.select([m, x > 0], [x * x, 2 * x], x),
    "choose": lambda x, i, m: np.choose(i % 3, [x, x * x, 3 * x]),
    "where": lambda x, i, m: np.where(m, x * x, x),
    "where of its own": lambda x, i, m: np.where(x - 0.8, x * x, x),
    "piecewise mask": lambda x, i, m: np.piecewise(x, [m], [lambda v: v**3, 1.0]),
    "sum where": lambda x, i, m: np.sum(x * x, where=m),
    "mean where": lambda x, i, m: np.mean(x * x, where=m),
    "max where": lambda x, i, m: np.max(x, where=m, initial=-9.0),
    "integers": lambda x, i, m: np.max(i, where=m, initial=-9) * x,
    "nansum where": lambda x, i, m: np.nansum(x * x, where=m),
    "reduce": lambda x, i, m: np.add.reduce(i) * x,
    "astype": lambda x, i, m: x.astype(int) * x,
    "partition": lambda x, i, m: np.partition(x, i[3]),
    "quantile": lambda x, i, m: np.quantile(x, i[3] / 4.0),
    "constant": lambda x, i, m: x * np.exp(i * 0.5),
    "number": lambda x, i, m: x * (i[0] > 2),
}


@pytest.mark.parametrize("name", WITHOUT_GRADIENT)
def test_indices_and_conditions_stay_operands_of_their_calls(name):
    function = WITHOUT_GRADIENT[name]
    call = lambda inputs: [function(*inputs)]
    given = [Variable(np.array(v)) for v in (X, INDEX, MASK)]
    given[0].requires_grad = True
    program = Program()
    with watching(program, tracing=True), unread():
        (out,) = call(given)
        weights = [np.arange(1.0, 1.0 + out.size).reshape(out.shape)]
        gradients = gradients_of([out], given[:1], weights, create_graph=True)
    new = [NEW_X, NEW_INDEX, NEW_MASK]
    fresh = [Variable(np.array(v)) for v in new]
    fresh[0].requires_grad = True
    wanted = call(fresh)
    slopes = gradients_of(wanted, fresh[:1], weights)
    for value, want in zip(
        program.replay(given, new, [out, *gradients]), [wanted[0].data, *slopes], strict=True
    ):
        np.testing.assert_allclose(value, want, rtol=1e-12)


def test_a_program_traced_on_regular_matrices_spares_singular_ones_that_are_not_used():
    regular, singular = np.stack([np.eye(2), 2 * np.eye(2)]), np.stack([np.eye(2), np.ones((2, 2))])
    call = lambda inputs: [np.where([True, False], autograd.linalg.slogdet(inputs[0])[1], 0.0)]
    weights = [np.ones(2)]
    check_replay(traced(call, [regular], weights), call, [singular], weights, "slogdet")


@pytest.mark.parametrize(
    "name, function",
    [
        ("bincount", lambda x, i: autograd.bincount(i, x)),
        ("insert", lambda x, i: np.insert(x, i, 0.0)),
        ("delete", np.delete),
        ("array_split", np.array_split),
        ("split", lambda x, i: np.split(x, i[3])),
        ("pad", lambda x, i: autograd.pad(x, i[:2])),
        ("repeat", lambda x, i: autograd.grad(np.repeat(x, i), x, np.ones(5), create_graph=True)),
        ("tile", lambda x, i: autograd.grad(np.tile(x, i[3]), x, np.ones(4), create_graph=True)),
    ],
)
def test_what_would_decide_a_shape_is_refused_by_name(name, function):
    x, i = Variable(X, requires_grad=True), Variable(INDEX)
    function(x, i)  # which is fine otherwise
    with (
        watching(Program(), tracing=True),
        pytest.raises(RuntimeError, match=f"^{name}: wanted values that are known while a program"),
    ):
        function(x, i)
