"""Forward mode, derived from the reverse rules: tangents are pushed along a recorded graph, oldest
node first.

- Elementwise operations: the Jacobian is diagonal, so the vjp rule applied to the tangent is the
  jvp.
- Reductions: the vjp rule gives the slope of each element; slopes times tangents are added up.
- Linear operations: the jvp is the operation itself, applied to the tangents.
- A few operations that are neither state a tangent rule (`Primitive.jvp`), where that is faster
  than
- the rest: the vjp is linear in its cotangent, so its own vjp is the jvp. No operation is without
  forward mode.

Imports `graph`, `calls` and NumPy.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from autograd.arrays import holds_nan, references
from autograd.assignment import as_now
from autograd.batching.values import innermost, lifted, shown
from autograd.engine import graph
from autograd.engine.backward import cast, conjugated, masked_by, run_backward
from autograd.engine.calls import unwrap_all
from autograd.engine.graph import LEAF, OUTPUT, Deferred, Leaf, Node, recorded, unwrap, wrap
from autograd.engine.mode import current_mode, set_grad_enabled

__all__ = ["Listener", "kind", "push_forward"]


def kind(spec: Any) -> str:
    """Tell how a primitive comes by its tangent rule: "elementwise", "reduction", "own", "linear"
    or "transposed".
    """
    if spec.elementwise or spec.reduces:
        return "elementwise" if spec.elementwise else "reduction"
    if spec.jvp is not None:
        return "own"
    return "linear" if spec.linear else "transposed"


def push_forward(
    tangents: dict[Node, Any],
    roots: list[Any],
    calls: dict[Node, tuple[tuple[Any, ...], Any]],
    *,
    create_graph: bool,
) -> dict[Node, Any]:
    """Return the tangents of all nodes that depend on those in `tangents` and that `roots` depend
    on.

    Args:
        tangents: tangent arrays (Variables where `create_graph`) by input node.
        roots: the nodes of the outputs.
        calls: the arguments and the output of each recorded call.
        create_graph: record the sweep, so that the result can be differentiated.
    """
    found: dict[Node, Any] = dict(tangents)
    readers = dict.fromkeys((*tangents, *roots), 1)  # of a tangent, which goes with the last one
    parts: dict[Node, tuple[Any, ...]] = {}  # tangents of the outputs of nodes with several
    outputs: dict[Node, list[Node]] = {}  # their output nodes
    seen = set(roots)
    stack = list(seen)
    order = []
    while stack:
        node = stack.pop()
        if node in tangents:
            continue
        order.append(node)
        if node.plan is OUTPUT:
            outputs.setdefault(node.parents[0], []).append(node)
        for parent in node.parents:
            readers[parent] = readers.get(parent, 0) + 1
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    order.sort(key=lambda n: n.number)
    overwrites = any(node.plan.overwrites for node in order)
    if create_graph:
        found = {
            n: wrap(t) if isinstance(t, (np.ndarray, np.generic)) else t for n, t in found.items()
        }
    with np.errstate(all="ignore"), set_grad_enabled(create_graph):
        for node in order:
            if node.plan is LEAF:
                continue
            if node.plan is OUTPUT:
                t = parts[node.parents[0]][node.saved[0]] if node.parents[0] in parts else None
            elif any(p in found for p in node.parents):
                directions = [found.get(p) for p in node.parents]
                for p in node.parents:
                    readers[p] -= 1
                    if not readers[p]:
                        found.pop(p, None)
                t = _push(
                    node, directions, calls.get(node), outputs.get(node), create_graph=create_graph
                )
            else:
                t = None
            if isinstance(t, tuple):
                parts[node] = t
            elif t is not None:
                if overwrites and isinstance(t, np.ndarray) and node.plan.name == "getitem":
                    t = t.copy()  # of a view, all elements would be copied later
                found[node] = t if t.dtype == node.dtype else cast(t, node.dtype)
            t = None  # which would count as another holder
    return found


class Listener:
    """Remembers of every recorded call what the forward sweep needs besides the graph: no operands,
    but where a tangent rule asks for them. It asks for those that it names without a `_` in front.
    """

    in_place = True  # elements may be overwritten: who needs the old ones holds them

    def __init__(self) -> None:
        self.calls: dict[Node, tuple[tuple[Any, ...], Any]] = {}

    def __call__(self, _primitive: Any, arguments: tuple[Any, ...], out: Any) -> None:
        """Remember one call."""
        node = recorded(out)
        if node is None or (node.plan.primitive.elementwise and node.shape is not None):
            return
        spec = node.plan.primitive
        if spec.reduces or spec.jvp is None:
            if not (spec.reduces or spec.linear):
                return
            count = len(arguments) - len(spec.parameters) + 1 if spec.variadic else 0
            named = [spec.parameters[0]] * count + list(spec.parameters[bool(count) :])
            kept = [
                _Kind.of(a) if p in spec.rules else as_now(a)
                for p, a in zip(named, arguments, strict=True)
            ]
            self.calls[node] = tuple(kept), None
            return
        wants_out, *wants = _asked_for(spec.jvp, len(arguments))
        kept = [as_now(a) if wanted else None for a, wanted in zip(arguments, wants, strict=True)]
        self.calls[node] = tuple(kept), as_now(out) if wants_out else None


class _Kind(NamedTuple):
    """Stands for an operand of a linear operation, of which nothing else is needed."""

    shape: tuple[int, ...]
    dtype: Any

    @classmethod
    def of(cls, value: Any) -> Any:
        return cls(value.shape, value.dtype) if isinstance(value, graph.Variable) else value

    def zeros(self) -> Any:
        return np.zeros(self.shape, self.dtype)


@functools.lru_cache(1000)
def _asked_for(rule: Any, count: int) -> list[bool]:
    """Tell whether a tangent rule asks for the output, and each of `count` arguments."""
    code = getattr(rule, "__code__", None)
    names = code.co_varnames[1 : code.co_argcount] if code else ()
    found = [not name.startswith("_") for name in names]
    return found + [True] * (count + 1 - len(found))  # *arguments


def _push(
    node: Node,
    tangents: list[Any],
    call: tuple[tuple[Any, ...], Any] | None,
    outputs: list[Node] | None,
    *,
    create_graph: bool,
) -> Any:
    """Return the tangent of one node's output, given those of its parents (None: zero)."""
    plan = node.plan
    spec = plan.primitive
    if spec.elementwise and node.shape is not None:  # not one with several outputs
        return _push_elementwise(node, tangents, create_graph=create_graph)
    if call is None or not (spec.reduces or spec.jvp or spec.linear):
        return _push_transposed(node, tangents, outputs, create_graph=create_graph)
    given, out = call if create_graph else shown(unwrap_all(call))
    arguments = list(given)
    if spec.reduces:
        named = dict(zip(spec.parameters, arguments, strict=True))
        return _push_reduction(node, tangents[0], named, create_graph=create_graph)
    if spec.jvp is not None:
        directions: list[Any] = [None] * len(arguments)
        for i, position in enumerate(plan.positions):
            directions[position], tangents[i] = tangents[i], None
        if plan.overwrites:
            directions[0] = _own(directions, node)
        return spec.jvp(directions, out, *arguments)
    count = len(arguments) - len(spec.parameters) + 1 if spec.variadic else spec.positional
    for position in range(count):
        # Operands that are constant here have a tangent of zero, too.
        if spec.variadic or position in plan.positions or spec.parameters[position] in spec.rules:
            given = arguments[position]
            arguments[position] = (
                given.zeros() if type(given) is _Kind else np.zeros_like(unwrap(given))
            )
    for position, t in zip(plan.positions, tangents, strict=True):
        if t is not None:
            arguments[position] = t
    names = spec.parameters[1 if spec.variadic else count :]
    return spec.call(*arguments[:count], **dict(zip(names, arguments[count:], strict=True)))


def _own(directions: list[Any], node: Node) -> Any:
    """Return the tangent of the first operand in memory that a rule may write to: its own, where
    nobody else holds it.
    """
    if directions[0] is None:
        return np.zeros(node.shape, node.dtype)
    t, directions[0] = directions[0], None
    if not isinstance(t, (np.ndarray, np.generic)):
        return t
    alone = t.base is None and references(t) <= _ALONE and t.flags.writeable
    return t if alone and t.dtype == node.dtype else np.array(t, node.dtype)


def _count(directions: list[Any]) -> int:
    t, directions[0] = directions[0], None
    return references(t)


_ALONE = _count([np.empty(1)])


def _saved(node: Node, *, create_graph: bool) -> Any:
    """Return what a node saved, as Variables where the sweep is recorded."""
    return node.plan.rewrap(node) if create_graph else node.saved


def _push_elementwise(node: Node, tangents: list[Any], *, create_graph: bool) -> Any:
    """Apply the vjp rules to the tangents: the Jacobian of each operand is diagonal."""
    saved, plan = _saved(node, create_graph=create_graph), node.plan
    total = None
    for place, t in enumerate(tangents):
        if t is None:
            continue
        full = t if t.shape == node.shape else np.broadcast_to(t, node.shape)
        # A joint rule is applied to each tangent alone, for the operand that it is of.
        needed = saved if plan.joint is None else plan.joint(full, saved)
        pull = plan.pulls[place]
        part = full if pull is None else pull(full, needed)
        if part is None:
            continue
        if _may_hold_nan(part):
            part = masked_by(full, part)  # a tangent of zero contributes zero, as a cotangent does
        total = part if total is None else total + part
    return total


def _may_hold_nan(x: Any) -> bool:
    return current_mode().tracing or holds_nan(unwrap(x))


def _push_reduction(node: Node, t: Any, arguments: dict[str, Any], *, create_graph: bool) -> Any:
    """Add up slopes times tangents over the axes that the operation reduces."""
    (pull,) = node.plan.pulls
    assert pull is not None
    slopes = pull(np.ones(node.shape, node.dtype), _saved(node, create_graph=create_graph))
    terms = slopes * t
    if _may_hold_nan(terms):
        terms = masked_by(t, terms)
    return terms.sum(axis=arguments["axis"], keepdims=arguments["keepdims"])


def _push_transposed(
    node: Node, tangents: list[Any], outputs: list[Node] | None, *, create_graph: bool
) -> Any:
    """Push tangents through any node: transpose the vjp, which is linear in its cotangent, once
    more.
    """
    plan = node.plan
    with set_grad_enabled(True):
        saved = _saved(node, create_graph=create_graph)
        level = innermost((saved, tangents))
        if outputs is None:
            cotangent: Any = _probe(node, level)
            probes = {0: cotangent}
        else:
            probes = {o.saved[0]: _probe(o, level) for o in outputs}
            cotangent = tuple(map(probes.get, range(outputs[0].saved[1])))
        if plan.joint is not None:
            saved = plan.joint(cotangent, saved)
        pulled = [cotangent if pull is None else pull(cotangent, saved) for pull in plan.pulls]
        total = None
        for g, t, parent in zip(pulled, tangents, node.parents, strict=True):
            if g is None or t is None:
                continue
            full = g.materialize() if isinstance(g, Deferred) else g
            full = full if full.dtype == parent.dtype else cast(full, parent.dtype)
            term = (full * t).sum()
            total = term if total is None else total + term
        if total is None or getattr(total, "_node", None) is None:  # or rules that are constant
            return None
        seeds = [
            (
                total._node,
                wrap(np.ones_like(total._data)) if create_graph else np.ones_like(total._data),
            )
        ]
        nodes = [p._node for p in probes.values()]
        found = run_backward(seeds, nodes, create_graph=create_graph, retain_graph=create_graph)
    result = {
        i: conjugated(p._node, found[p._node]) if p._node in found else None
        for i, p in probes.items()
    }
    return result[0] if outputs is None else tuple(map(result.get, range(outputs[0].saved[1])))


def _probe(node: Node, level: Any) -> Any:
    """Return a Variable that stands for the cotangent of a node's output, one for each example.

    Rules are linear, so that any value will do; but those of users may end early where it is zero.
    """
    size = math.prod(node.shape)
    data = lifted(np.linspace(1.0, 2.0, size).reshape(node.shape).astype(node.dtype), level)
    return wrap(data, Leaf(data))
