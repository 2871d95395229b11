"""Thresholds of the allocator, and what nodes and checkpoints keep."""

import inspect
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from op_table import calls, collect

import autograd
from autograd import Variable, memory
from autograd.arrays import owner
from autograd.engine.calls import unwrap_all
from autograd.engine.graph import recorded
from autograd.engine.mode import watching


@pytest.fixture
def options(monkeypatch):
    """What is said to the allocator, which is not touched."""
    said = {}
    monkeypatch.setattr(memory, "_mallopt", lambda: said.__setitem__)
    return said


def test_keep_memory_raises_the_thresholds(options):
    autograd.keep_memory(100 << 20)
    assert options == {-1: 100 << 20, -2: 16 << 20, -3: 32 << 20, -4: 0}


@pytest.mark.parametrize("limit", [-1, 1 << 31])
def test_a_limit_that_the_allocator_cannot_take_is_refused(limit, options):
    with pytest.raises(ValueError, match=f"keep_memory: wanted a limit from 0 to .*got {limit}"):
        autograd.keep_memory(limit)
    assert not options


def test_without_glibc_keep_memory_says_so(monkeypatch):
    monkeypatch.setattr(memory, "_mallopt", lambda: None)
    with pytest.warns(RuntimeWarning, match="keep_memory: wanted glibc.*nothing has changed"):
        autograd.keep_memory()


@pytest.mark.parametrize(
    "asked, trim", [(None, 64 << 20), ("", 64 << 20), ("0", None), ("5000000", 5_000_000)]
)
def test_the_environment_chooses_the_limit(asked, trim, options):
    memory._begin(asked)
    assert options.get(-1) == trim


@pytest.mark.skipif(memory._mallopt() is None, reason="glibc's allocator")
def test_freed_memory_is_used_again():
    """Page faults are what giving memory back costs; kept memory causes none."""
    program = (
        "import resource, numpy as np, autograd\n"
        "def run():\n"
        "    arrays = [np.ones(10**6) for _ in range(5)]\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    return before\n"
        "run(); run(); first = run(); print(run() - first)\n"
    )

    def faults(limit):
        environment = os.environ | {"GRADLOOM_KEEP_MEMORY": limit}
        command = [sys.executable, "-c", program]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return int(run.stdout)

    assert faults("1000000000") < 100


# -- what is kept for the backward pass ------------------------------------------------------------


def arrays_in(values):
    """Return the arrays in values; numbers in lists count as arrays, which they become."""
    for value in values:
        if isinstance(value, (tuple, list)):
            yield from arrays_in(value)
        elif isinstance(value, (np.ndarray, int)):
            yield np.asarray(value)


def fault_of_what_is_kept(primitive, arguments, out):
    """Say which arrays a node keeps that its rules do not name, "" for none."""
    node = recorded(out)
    if node is None or node.plan.primitive is not primitive or not node.plan.positions:
        return ""
    plan = node.plan
    rules = [primitive.joint] if primitive.joint else [primitive.rules[o] for o in plan.operands]
    needs = {name for rule in rules for name in list(inspect.signature(rule).parameters)[1:]}
    values = unwrap_all(list(arguments))
    count = len(values) - len(primitive.parameters) + 1 if primitive.variadic else 1
    by_name = {primitive.parameters[0]: values[:count] if primitive.variadic else values[0]}
    by_name |= dict(zip(primitive.parameters[1:], values[count:], strict=True))
    by_name["out"] = unwrap_all(out)
    # A copy may be kept of what is named, one for each time.
    named = sum(
        owner(x).nbytes for name in needs & by_name.keys() for x in arrays_in([by_name[name]])
    )
    kept = {id(owner(x)): owner(x).nbytes for x in arrays_in([node.saved]) if x.ndim}
    more = sum(kept.values()) - named
    return f"{primitive.name} keeps {more} bytes more" if more > 0 else ""


def test_a_node_keeps_no_bytes_that_its_rules_do_not_name():
    faults, seen = set(), set()

    def look(primitive, arguments, out):
        seen.add(primitive.name)
        faults.add(fault_of_what_is_kept(primitive, arguments, out))

    for row in collect():
        for _, call in calls(row)[:2]:
            with watching(look), np.errstate(all="ignore"):
                call([Variable(x, requires_grad=True) for x in call.operands])
    assert len(seen) > 250
    assert faults == {""}


def test_a_rule_that_keeps_too_much_is_found():
    out = Variable([1.0, 2.0], requires_grad=True) * 3.0
    node, multiply = recorded(out), recorded(out).plan.primitive
    arguments = (Variable([1.0, 2.0]), 3.0)
    assert not fault_of_what_is_kept(multiply, arguments, out)
    node.saved = np.ones(7)
    assert "multiply keeps 56 bytes more" in fault_of_what_is_kept(multiply, arguments, out)


def test_checkpoints_of_48_layers_take_about_the_square_root_of_the_memory():
    rng = np.random.default_rng(0)
    start = rng.normal(size=(400, 20))
    weights = [Variable(w, requires_grad=True) for w in rng.normal(size=(48, 20, 20)) / 5]

    def segment(x, *weights):
        for w in weights:
            x = np.tanh(x @ w)
        return x

    def run(function):
        for w in weights:
            w.grad = np.zeros((20, 20))
        tracemalloc.start()
        x = start
        for i in range(0, 48, 7):
            x = function(x, *weights[i : i + 7])
        (x * x).sum().backward()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak, [w.grad for w in weights]

    peak, expected = run(segment)
    least, gradients = run(autograd.checkpoint(segment))
    for g, wanted in zip(gradients, expected, strict=True):
        np.testing.assert_array_equal(g, wanted)
    # 48 outputs of 64 kB, against 7 between the segments and 7 inside of one, and temporaries.
    assert peak > 48 * 64_000
    assert least < peak / 2.5
