"""The pass `dead_code`. Imports `graph`."""

from __future__ import annotations

from autograd.compiler.graph import Graph

__all__ = ["dead_code"]


def dead_code(graph: Graph) -> None:
    """Drop operations that nothing wanted depends on."""
    wanted = set(graph.outputs)
    kept = []
    for op in reversed(graph.ops):
        if not wanted.isdisjoint(op.outputs):
            wanted.update(op.inputs)
            kept.append(op)
    graph.ops = kept[::-1]
