"""The pass `exact`: identities that hold for all numbers. Imports `graph` and NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.compiler.graph import Graph, Op, Value, mapped

__all__ = ["exact"]


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
