"""Calls in a graph of their own, for those who answer for the gradients of some leaves themselves:
several processes that train one model. Imports `trace` and what is older.

In the graph of the user stands one node for the whole call. Its rule is `pull`, which walks through
the graph of the call by `Enclosed.walk` and is shown the gradient of each leaf as soon as it is
complete; what it returns goes to the leaves.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from autograd.engine.backward import Route, conjugated, find_route, run_backward
from autograd.engine.graph import Node, next_number
from autograd.transforms.containers import flatten, rebuilt
from autograd.transforms.trace import free_nodes, fresh, node_of, record_jointly
from autograd.variable import Variable

__all__ = ["Enclosed", "enclosed"]


class Enclosed:
    """The graph of one call, from its outputs to its arguments and to the leaves."""

    def __init__(self, roots: list[Node], inputs: list[Node], leaves: list[Node]) -> None:
        self._roots, self._inputs, self._leaves = roots, inputs, leaves

    def walk(self, cotangents: Sequence[Any], take: Callable[[int, Any], None]) -> list[Any]:
        """Go back through the graph; call `take(i, g)` with the gradient of leaf `i`, which must
        not be written to, when it is complete. Hooks of the user see what the rule returns, later.

        Returns:
            The gradient of each argument that requires one, or None.
        """
        seeds = [
            (root, conjugated(root, g))
            for root, g in zip(self._roots, cotangents, strict=True)
            if g is not None
        ]
        targets = [*self._inputs, *self._leaves]
        route = _early(find_route([root for root, _ in seeds], targets), self._leaves)
        before = [leaf.hooks for leaf in self._leaves]
        for i, leaf in enumerate(self._leaves):
            leaf.hooks = {Enclosed: functools.partial(take, i)}
        try:
            found = run_backward(seeds, targets, retain_graph=True, route=route)
        finally:
            for leaf, hooks in zip(self._leaves, before, strict=True):
                leaf.hooks = hooks
        return [found.get(node) for node in self._inputs]


def enclosed(
    name: str,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    leaves: Sequence[Variable],
    pull: Callable[[Enclosed, Sequence[Any]], tuple[list[Any], list[Any]]],
) -> Any:
    """Call a function in a graph of its own.

    Args:
        name: for messages.
        function: what to call; it may use `leaves`.
        args: its arguments.
        kwargs: its keyword arguments.
        leaves: the Variables whose gradients `pull` answers for.
        pull: takes the call and the cotangents of its outputs; returns gradients, or None, of the
            arguments that require one, and of the leaves.

    Raises:
        RuntimeError: the function uses another Variable that requires a gradient; in a backward
            pass, derivatives of higher order.
    """
    given, rebuild = flatten((args, kwargs))
    outer = [v for v in given if isinstance(v, Variable) and v.requires_grad]
    first = next_number()
    inner = {id(v): fresh(v._data) for v in outer}
    args, kwargs = rebuilt(rebuild, [inner.get(id(v), v) for v in given])
    outputs, rebuild_out = flatten(function(*args, **kwargs))
    live = [o for o in outputs if isinstance(o, Variable) and o.requires_grad]
    if not live:
        return rebuilt(rebuild_out, outputs)
    nodes, roots = list(map(node_of, leaves)), list(map(node_of, live))
    if not set(free_nodes(roots, first)).issubset(nodes):
        raise RuntimeError(
            f"{name}: wanted a model that computes with its parameters and arguments only, got one "
            "that uses another Variable that requires a gradient; make that an nn.Parameter of "
            "the model, or pass it as an argument"
        )
    call = Enclosed(roots, [node_of(inner[id(v)]) for v in outer], nodes)

    def joint(g: Any, _out: Any) -> list[Any]:
        cotangents = g if type(g) is tuple else (g,)
        if any(isinstance(one, Variable) for one in cotangents):
            raise RuntimeError(
                f"{name}: wanted a plain backward pass, got create_graph=True, which this call "
                "does not record; compute derivatives of higher order with the model itself"
            )
        inputs, own = pull(call, cotangents)
        pairs = zip(parents, (*inputs, *own), strict=True)
        return [None if one is None else conjugated(node, one) for node, one in pairs]

    parents = (*map(node_of, outer), *nodes)
    out = tuple(o._data for o in live)
    result = record_jointly(name, joint, parents, out if len(out) > 1 else out[0], tuple(outer))
    results = iter(result if len(out) > 1 else (result,))
    known = set(map(id, live))
    return rebuilt(rebuild_out, [next(results) if id(o) in known else o for o in outputs])


def _early(route: Route, leaves: list[Node]) -> Route:
    """Have each leaf come right after the last operation that uses it, not at the end."""
    ends = set(leaves)
    last = {
        parent: i for i, node in enumerate(route.order) for parent in node.parents if parent in ends
    }
    after: dict[int, list[Node]] = {}
    for node, i in last.items():
        after.setdefault(i, []).append(node)
    order: list[Node] = []
    for i, node in enumerate(route.order):
        if node not in last:
            order.append(node)
        order += after.get(i, ())
    return route._replace(order=order)
