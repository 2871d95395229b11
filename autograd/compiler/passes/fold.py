"""The pass `fold`: constants. Imports `graph` and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiler.graph import Graph, Op, Value, mapped

__all__ = ["fold"]


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
