"""The pass `common`: common subexpressions. Imports `graph` and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiler.graph import Graph, Op, Value, mapped

__all__ = ["common"]


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
