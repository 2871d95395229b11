"""Passes that make a program smaller without changing a bit of its results.

Each takes a `Graph` and changes it in place; each can be switched off by its name
(`autograd.compile(f, without=("common",))`). Imports `graph` and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.compiler.graph import Graph, Op, Value, mapped
from autograd.ops import elementwise

__all__ = ["PASSES", "common", "dead_code", "exact", "fold", "lower", "spread"]


def dead_code(graph: Graph) -> None:
    """Drop operations that nothing wanted depends on."""
    wanted = set(graph.outputs)
    kept = []
    for op in reversed(graph.ops):
        if not wanted.isdisjoint(op.outputs):
            wanted.update(op.inputs)
            kept.append(op)
    graph.ops = kept[::-1]


def common(graph: Graph) -> None:
    """Compute once what is computed twice: the same primitive of the same arguments."""
    first: dict[Any, Op] = {}
    known: dict[Value, Value] = {}
    kept = []

    def now(v: Value) -> Value:
        return known.get(v, v)

    for op in graph.ops:
        op.arguments = mapped(now, op.arguments)
        before = first.setdefault((op.primitive, _key(op.arguments)), op)
        if before is op or len(before.outputs) != len(op.outputs):
            kept.append(op)
        else:
            known |= dict(zip(op.outputs, before.outputs, strict=True))
    graph.ops = kept
    graph.replaced(known)


def _key(tree: Any) -> Any:
    """Return what tells arguments apart: values by identity, numbers by type and digits."""
    if isinstance(tree, (tuple, list)):
        return type(tree), tuple(map(_key, tree))
    if isinstance(tree, dict):
        return dict, tuple((k, _key(v)) for k, v in tree.items())
    if isinstance(tree, (Value, slice)):
        return (slice, tree.start, tree.stop, tree.step) if isinstance(tree, slice) else id(tree)
    if isinstance(tree, (bool, int, float, complex, str, np.generic)):
        return type(tree), repr(tree)
    return id(tree)


def exact(graph: Graph) -> None:
    """Apply identities that hold for every number, nan, infinities and -0 included.

    - x * 1, 1 * x, x / 1, x ** 1 and x - 0 are x (x + 0 is not, where x is -0);
    - -(-x) is x, and so is conj(conj(x));
    - reshape, broadcast_to and astype to the shape or dtype that x has are x;
    - reshape of reshape is one reshape, and transposing twice back is nothing.
    """
    known: dict[Value, Value] = {}

    def now(v: Value) -> Value:
        return known.get(v, v)

    for op in graph.ops:
        op.arguments = mapped(now, op.arguments)
        same = _EXACT.get(op.primitive.name)
        x = same(op) if same and not op.several else None
        if type(x) is Value and (x.shape, x.dtype) == (op.out.shape, op.out.dtype):
            known[op.out] = known.get(x, x)
    graph.ops = [op for op in graph.ops if op.several or op.out not in known]
    graph.replaced(known)


def _is(x: Any, number: float) -> bool:
    """Tell whether an operand is a number, or an array of it that never changes."""
    if type(x) is Value and (op := x.op) is not None:
        return op.primitive.name == "broadcast_to" and _is(op.arguments[0], number)
    x = x.constant if type(x) is Value else x
    return isinstance(x, (int, float, np.generic)) and x == number and not np.signbit(x)


def _twice(op: Op) -> Any:
    inner = op.arguments[0]
    made = inner.op if type(inner) is Value else None
    return made.arguments[0] if made is not None and made.primitive is op.primitive else None


def _product(op: Op) -> Any:
    x, y = op.arguments
    return x if _is(y, 1) else y if _is(x, 1) else None


def _first(op: Op) -> Any:
    return op.arguments[0]


def _back(op: Op) -> Any:
    (inner, axes), made = op.arguments, None
    if type(axes) is tuple and axes == tuple(range(len(op.out.shape))):
        return inner
    made = inner.op if type(inner) is Value else None
    if axes is None and made is not None and made.primitive is op.primitive:
        return made.arguments[0] if made.arguments[1] is None else None
    return None


_EXACT: dict[str, Callable[[Op], Any]] = {
    "multiply": _product,
    "divide": lambda op: op.arguments[0] if _is(op.arguments[1], 1) else None,
    "subtract": lambda op: op.arguments[0] if _is(op.arguments[1], 0) else None,
    "power": lambda op: op.arguments[0] if _is(op.arguments[1], 1) else None,
    "negative": _twice,
    "conjugate": _twice,
    "reshape": _first,
    "broadcast_to": _first,
    "astype": _first,
    "detach": _first,
    "detached": _first,
    "transpose": _back,
}


def fold(graph: Graph) -> None:
    """Compute once what depends on nothing but constants that the function made on its way.

    What is large, what is not the library's own, and what NumPy reports anything about is left to
    each run; so is `copy`, which makes memory of its own.
    """
    known: dict[Value, Value] = {}
    kept = []
    for op in graph.ops:
        op.arguments = mapped(lambda v: known.get(v, v), op.arguments)
        out = _folded(op)
        if out is None:
            kept.append(op)
        else:
            value = known[op.out] = Value(("constant", out), out, is_variable=op.out.is_variable)
            value.own = True
    graph.ops = kept
    graph.replaced(known)


_FOLDED = 65_536  # elements


def _folded(op: Op) -> Any:
    pure = getattr(op.primitive.forward, "__module__", None) or "numpy"
    ready = all(v.own for v in op.inputs) and not op.several and op.primitive.name != "copy"
    if not ready or not op.inputs or not pure.startswith(("numpy", "autograd.", "nn.")):
        return None
    if op.out.size > max(_FOLDED, *(v.size for v in op.inputs)):
        return None
    try:
        with np.errstate(all="raise"):
            out = op.primitive.evaluate(mapped(lambda v: v.constant, op.arguments))
    except Exception:  # noqa: BLE001 - it is raised, or warned of, when the program runs
        return None
    alike = isinstance(out, (np.ndarray, np.generic)) and (out.shape, out.dtype) == (
        op.out.shape,
        op.out.dtype,
    )
    return out if alike else None


def spread(graph: Graph) -> None:
    """Let elementwise operations broadcast by themselves, instead of reading what `broadcast_to`
    gives, where another operand has the shape of the result.
    """
    for op in graph.ops:
        if op.primitive.elementwise and not op.several and not op.primitive.checks:
            _spread(op)


def _spread(op: Op) -> None:
    def narrow(v: Value) -> Any:
        made = v.op
        plain = made is not None and made.primitive.name == "broadcast_to"
        source = made.arguments[0] if made is not None and plain else v
        if type(source) is not Value and not isinstance(source, np.generic):
            return v
        return source

    for i, a in enumerate(op.arguments):
        if type(a) is not Value:
            continue
        others = [x.shape for j, x in enumerate(op.arguments) if j != i and type(x) is Value]
        source = narrow(a)
        if (
            source is not a
            and others
            and (np.broadcast_shapes(source.shape, *others) == op.out.shape)
        ):
            op.arguments = (*op.arguments[:i], source, *op.arguments[i + 1 :])


def lower(graph: Graph) -> None:
    """Write the logistic function and its slope as the operations that their kernels consist of,
    so that they can run in blocks, too.
    """
    ops: list[Op] = []
    for op in graph.ops:
        steps = _steps(op)
        if steps is None:
            ops.append(op)
            continue
        x = op.arguments[0]
        known = {"x": x}
        for name, primitive, given in steps:
            step = Op(primitive, tuple(known.get(a, a) for a in given), op.line, quiet=op.quiet)
            step.calm = op.primitive in _STEPS
            step.outputs = (op.out,) if name == "out" else (Value(step, op.out),)
            known[name] = step.out
            ops.append(step)
        op.out.origin = ops[-1]
    graph.ops = ops


def _steps(op: Op) -> list[tuple[str, Any, tuple[Any, ...]]] | None:
    """Return what an operation consists of."""
    if op.several or op.out.dtype.char not in "fd":
        return None
    if op.primitive is elementwise.power.primitive and op.out.shape:
        x, y = op.arguments  # cubes and fourth powers as products, as eager code has them
        if type(x) is Value and type(y) in (int, float) and y in (3, 4) and x.shape:
            return _CUBE if y == 3 else _FOURTH
    return _STEPS.get(op.primitive)


_CUBE = [
    ("square", elementwise.multiply.primitive, ("x", "x")),
    ("out", elementwise.multiply.primitive, ("square", "x")),
]
_FOURTH = [
    ("square", elementwise.multiply.primitive, ("x", "x")),
    ("out", elementwise.multiply.primitive, ("square", "square")),
]
_LOGISTIC = [
    ("minus", elementwise.multiply.primitive, ("x", -1.0)),
    ("e", elementwise.exp.primitive, ("minus",)),
    ("divisor", elementwise.add.primitive, ("e", 1.0)),
    ("out", elementwise.divide.primitive, (1.0, "divisor")),
]
_STEPS: dict[Any, list[tuple[str, Any, tuple[Any, ...]]]] = {
    elementwise.expit.primitive: _LOGISTIC,
    elementwise.logistic_slope.primitive: [
        ("size", elementwise.absolute.primitive, ("x",)),
        ("minus", elementwise.negative.primitive, ("size",)),
        ("e", elementwise.exp.primitive, ("minus",)),
        ("divisor", elementwise.add.primitive, ("e", 1.0)),
        ("square", elementwise.multiply.primitive, ("divisor", "divisor")),
        ("out", elementwise.divide.primitive, ("e", "square")),
    ],
}

PASSES: dict[str, Callable[[Graph], None]] = {
    "fold": fold,
    "common": common,
    "exact": exact,
    "spread": spread,
    "lower": lower,
    "again": common,
    "dead_code": dead_code,
}
