"""The pass `lower`: kernels as the operations that they consist of. Imports `graph` and `ops`."""

from __future__ import annotations

from typing import Any

from autograd.compiler.graph import Graph, Op, Value
from autograd.ops import elementwise

__all__ = ["lower"]


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
