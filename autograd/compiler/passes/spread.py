"""The pass `spread`: broadcasting. Imports `graph` and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiler.graph import Graph, Op, Value

__all__ = ["spread"]


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
