"""One recording point: what an observer sees is the whole program.

Every row of the op table is traced on one set of inputs; replaying the calls that the observer saw
on *other* inputs must give what the function gives on them, and so for the program of its gradient.
A value that is read behind the engine's back, or a branch on one, would be baked in.
"""

import zlib

import numpy as np
import pytest
from op_table import Call, calls, collect, leaves, rebuild
from ops_without_replay import EXCEPT

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


def cases_of(row):
    for case, call in calls(row):
        index = row.cases.index(case)
        new = other_operands(case, call, index, row)
        if [x.shape for x in new] == [x.shape for x in call.operands]:
            yield case, call, new


@pytest.mark.parametrize("row", [r for r in ROWS if r.name not in EXCEPT], ids=lambda row: row.name)
def test_what_an_observer_saw_computes_the_same_function_and_gradient(row):
    rng = np.random.default_rng(0)
    for case, call, new in cases_of(row):
        inputs = [Variable(np.array(x), requires_grad=True) for x in call.operands]
        program = Program()
        with watching(program, tracing=True), np.errstate(all="ignore"):
            outputs = call(inputs)
            used = [o for o in outputs if isinstance(o, Variable) and o.requires_grad]
            weights = [rng.uniform(0.5, 1.5, o.shape).astype(o.dtype) for o in used]
            gradients = []
            if used:
                gradients = autograd.grad(
                    used, inputs, weights, create_graph=True, allow_unused=True
                )
        wanted = call(new)
        fresh = [Variable(np.array(x), requires_grad=True) for x in new]
        again = [o for o in call(fresh) if isinstance(o, Variable) and o.requires_grad]
        slopes = autograd.grad(again, fresh, weights, allow_unused=True) if used else []
        with np.errstate(all="ignore"):
            got = program.replay(inputs, new, [*outputs, *(g for g in gradients if g is not None)])
        wanted = [*wanted, *(g for g in slopes if g is not None)]
        assert len(got) == len(wanted)
        for value, want in zip(got, wanted, strict=True):
            np.testing.assert_allclose(value, want, rtol=1e-9, atol=1e-10, err_msg=str(case))


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
