"""The backward pass, where the chain rule happens. Third file to read, after `graph`.

Topological order is: collect what is reachable, sort by number, descending. Nothing here recurses;
a chain of a million nodes is walked by a loop. Imports NumPy, `mode`, `graph` and `arrays`.
"""

from __future__ import annotations

import functools
import weakref
from _thread import allocate_lock  # without `threading`, which takes 1 ms to import
from collections.abc import Iterable, Iterator, Sequence
from contextvars import Context, copy_context
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from autograd.arrays import (
    Array,
    has_zeros,
    holds_nan,
    is_foreign,
    overlap,
    owner,
    references,
    separate,
)
from autograd.engine import graph
from autograd.engine.graph import FREED, LEAF, OUTPUT, Cotangent, Deferred, Node, unwrap, wrap
from autograd.engine.mode import current_mode

__all__ = ["Route", "Sums", "cast", "conjugated", "find_route", "mark_changed", "masked_by",
           "run_backward", "unbroadcast"]  # fmt: skip


_ndarray = np.ndarray


class Route(NamedTuple):
    """What a backward pass walks."""

    order: list[Node]  # youngest first
    wanted: set[Node] | None  # those that lead to its inputs; None: all


def run_backward(
    seeds: Sequence[tuple[Node, Cotangent]],
    inputs: Sequence[Node] | None = None,
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    route: Route | None = None,
) -> dict[Node, Cotangent]:
    """Pull cotangents back from `seeds` to the leaves, or to `inputs`.

    Args:
        seeds: pairs of a node and the cotangent of its output (an array; a Variable where
            `create_graph`).
        inputs: the nodes whose cotangents are returned; None accumulates in the leaves instead.
        create_graph: run the rules on Variables, so that the result can be differentiated again.
        retain_graph: keep the saved values for another pass.
        route: what `find_route` gave for the same seeds and inputs in a graph not changed since.

    Returns:
        The cotangents of those of `inputs` that the seeds depend on; empty where `inputs` is None.
    """
    sums = Sums(seeds)
    order, wanted = route or find_route(sums, inputs)
    take, targets = sums.pop, frozenset(inputs or ())
    inspect, outside = current_mode().inspector, copy_context()
    zeros, deferred = any(has_zeros(unwrap(g)) for g in sums.values()), False
    reports: list[str] = []  # of invalid values: see `_settled`
    with np.errstate(divide="ignore", invalid="call", call=lambda kind, _: reports.append(kind)):
        for node in order:
            if (g := take(node, None)) is None:
                continue
            if deferred and isinstance(g, Deferred):
                g = g.materialize()
            if node.hooks is not None:
                g = _run_hooks(node, g, outside)
                zeros = zeros or has_zeros(unwrap(g))
            plan, parents = node.plan, node.parents
            if node in targets:
                sums[node] = g
                if not wanted or wanted.isdisjoint(parents):
                    continue
            elif plan is LEAF:
                if wanted is None:
                    _accumulate(node, g)
                continue
            g = _owned(g, recorded=create_graph) if plan.overwrites else g
            saved = plan.rewrap(node) if create_graph else node.saved
            if not retain_graph and plan is not OUTPUT:
                node.saved, node.plan, node.parents = plan.name, FREED, ()
            pulls = inspect(node, plan, parents, g, saved) if inspect else plan.pulls
            if plan.joint is not None and inspect is None:
                saved = plan.joint(g, saved)
            fit = plan.fit
            for parent, pull, operand in zip(parents, pulls, plan.operands):  # noqa: B905 - 0.1 us
                if wanted is None or parent in wanted:
                    gx = g if pull is None else pull(g, saved)
                    if gx is None:
                        continue
                    if (zeros or reports) and pull is not None and plan.elementwise:
                        gx = _settled(reports, g, gx)
                    if fit and (gx.shape != parent.shape or gx.dtype is not parent.dtype):
                        gx = fit(gx, parent, operand)
                    sums[parent] = sums.plus(parent, gx) if parent in sums else gx
            gx = saved = None  # the leaf would find its array held here, too
            zeros, deferred = zeros or plan.makes_zeros, deferred or plan.deferred
    return {n: _owned(conjugated(n, take(n)), recorded=create_graph) for n in targets if n in sums}


class Sums(dict[Node, Cotangent]):
    """Running sums of cotangents by node.

    An array may be changed in place, or become somebody's `.grad`, where nothing else refers to it:
    not the caller, a saved value, another sum or a cache of the rule. Python counts references, so
    this is a fact to look up (60 ns) and not a property that every rule would have to promise.
    """

    __slots__ = ()

    def __init__(self, seeds: Sequence[tuple[Node, Cotangent]]) -> None:
        for node, seed in seeds:
            g = conjugated(node, seed)
            self[node] = self[node] + g if node in self else g

    def plus(self, node: Node, g: Cotangent) -> Cotangent:
        """Return the sum of `node` with `g`, added in place where the sum is nobody else's."""
        total = self[node]
        if total.__class__ is _ndarray and _is_alone(total):
            if g.__class__ is _ndarray:
                total += g
                return total
            if isinstance(g, Deferred) and not g.recorded:
                g.add_into(total)
                return total
        return total + g


def _is_alone(x: Array) -> bool:
    """Tell whether an array owns its memory, and only its holder and the caller know it."""
    return references(x) <= _ALONE and x.base is None and x.flags.writeable


def _seen(x: Array) -> int:
    return references(x)


# What `_is_alone` finds for an array in a dictionary and a variable of its caller.
_ALONE = next(_seen(total) for total in {0: np.empty(1)}.values())
_accumulating = allocate_lock()


def _accumulate(node: Node, g: Cotangent) -> None:
    """Add `g` to `node.grad`, which never shares memory with anything else."""
    g = conjugated(node, unwrap(g))
    with _accumulating:  # 50 ns; without it, threads that share a leaf lose gradients
        total = node.grad
        if total is None:
            node.grad = g if isinstance(g, _ndarray) and _is_alone(g) else separate(g)
        elif isinstance(total, _ndarray):
            total += g
        else:
            node.grad = total + g


def _owned(g: Cotangent, *, recorded: bool) -> Cotangent:
    """Return `g` in memory of its own; a Variable where the pass is recorded."""
    g = g.materialize() if isinstance(g, Deferred) else g
    if recorded:
        return g if isinstance(g, graph.Variable) else wrap(g)  # of a rule constant in everything
    return g if isinstance(g, _ndarray) and _is_alone(g) else separate(g)


def unbroadcast(g: Cotangent, shape: tuple[int, ...]) -> Cotangent:
    """Sum `g` over the axes that broadcasting added to or stretched from `shape`; works on both
    kinds.
    """
    extra = g.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, size in enumerate(shape) if size == 1 and g.shape[i + extra] != 1
    )
    if axes:
        g = g.sum(axis=axes, keepdims=True)
    return g.reshape(shape) if extra else g


def cast(g: Cotangent, dtype: np.dtype[Any]) -> Cotangent:
    """Cast a cotangent to its operand's dtype; a real operand keeps the real part (both kinds)."""
    if g.dtype.kind == "c" and dtype.kind != "c":
        g = g.real
    return g.astype(dtype)


def conjugated(node: Node, g: Cotangent) -> Cotangent:
    """Cross between the convention of users and that of rules, in the dtype of the node, byte order
    included; real cotangents stay as they are.

    Outside, gradients follow PyTorch: the gradient of a real loss is dL/dRe(x) + i dL/dIm(x), the
    direction of steepest ascent. Inside a pass cotangents are the conjugate of that, so that rules
    are plain transposes, without a conj in any of them.
    """
    dtype = node.dtype
    if dtype is None:  # of a node with several outputs
        return g
    if g.dtype is not dtype and g.dtype != dtype:
        g = cast(g, dtype)
    return g.conj() if dtype.kind == "c" else g


def _settled(reports: list[str], g: Cotangent, gx: Cotangent) -> Cotangent:
    """Return what an elementwise rule made of `g`, with exact zeros where `g` has them.

    A cotangent that is exactly zero contributes zero, even where the local derivative is infinite
    or nan: the branch that `where` did not take cannot spoil the one it took. The regular path pays
    nothing for 0 * inf and 0 / 0: the whole pass runs with NumPy's own floating-point check set to
    tell us (NumPy looks at those flags in any case), and only after such a report the result of an
    elementwise rule gets zeros where g is zero. A nan that was saved in the forward pass raises no
    flag, so after an operation that made exact zeros the results are looked at, one dot product
    each. Rules that are not elementwise see to their singular points themselves.
    """
    if reports or current_mode().tracing or holds_nan(unwrap(gx)):
        gx = masked_by(g, gx)
    reports.clear()
    return gx


def masked_by(g: Cotangent, gx: Cotangent) -> Cotangent:
    """Return `gx` with zero in the place of nan where the cotangent `g`, or each of several, is
    zero (both kinds); numbers stay, whose derivatives count.
    """
    parts = [part == 0 for part in (g if type(g) is tuple else (g,)) if part is not None]
    zero = functools.reduce(np.logical_and, parts)
    if not current_mode().tracing:  # whose programs know a mask by its shape
        zero = zero & (gx != gx)  # noqa: PLR0124 - true of nan only
    return np.where(zero, gx.dtype.type(0), gx)


def _run_hooks(node: Node, g: Cotangent, outside: Context) -> Cotangent:
    """Show the gradient to the hooks of a node; each may return another one."""
    g, hooks = conjugated(node, g), list((node.hooks or {}).values())
    for hook in filter(None, hooks):
        result = outside.run(hook, g)  # with the floating-point settings of the user
        g = g if result is None else result
    g = conjugated(node, g)
    if None in hooks:
        _accumulate(node, g)
    return g


def find_route(
    roots: Iterable[Node], inputs: Sequence[Node] | None, *, closed: bool = False
) -> Route:
    """Find what is reachable from `roots` and not older than all `inputs` (None: down to the
    leaves); where `closed`, neither through any of them nor these themselves: what happens there
    belongs to somebody else's pass.

    It is the same for every pass over one graph that is retained: a Jacobian finds it once for all
    of its rows, which takes a third off the time of the Hessian of Rosenbrock's function.
    """
    targets, seen = set(inputs or ()), set(roots)
    oldest = min((node.number for node in targets), default=0)
    stack, order, freed = list(seen), [], set()
    while stack:
        node = stack.pop()
        order.append(node)
        if node.plan is FREED:
            freed.add(node)
        for parent in () if closed and node in targets else node.parents:
            if parent not in seen and parent.number >= oldest:
                seen.add(parent)
                stack.append(parent)
    # An input may itself be freed, as long as no other is looked for in what it was computed from.
    if freed and not freed <= targets <= seen:
        raise RuntimeError(
            "backward: this graph was freed by an earlier backward pass; pass retain_graph=True to "
            "the first pass, or compute the output again"
        )
    order.sort(key=attrgetter("number"), reverse=True)
    _refuse_stale(order)
    if inputs is None:
        return Route(order, None)
    order, wanted = [node for node in order if not (closed and node in targets)], targets
    for node in reversed(order):
        if not wanted.isdisjoint(node.parents):
            wanted.add(node)
    return Route(order, wanted)


# -- memory that the library has changed -----------------------------------------------------------
# Optimizers, `load_state_dict`, initialisers, `.data =` and `mark_changed` change it. A node that
# saved such memory before must not run its rules after it. What counts is the memory, not whose it
# is: a frozen or detached parameter is watched like any other.

# By the identity of the array that owns the memory and, each, of the views through which it has
# changed: that view, and the number of the change. No array is kept alive by this.
_CHANGED: dict[int, dict[int, tuple[Any, int]]] = {}
_last = 0


def mark_changed(x: Array) -> None:
    """Note that the memory of an array changes now."""
    global _last  # noqa: PLW0603 - one number tells most passes that there is nothing to look for
    _last = graph.next_number()
    if isinstance(x, np.ndarray) or is_foreign(x):  # a NumPy scalar cannot change
        whole = owner(x)
        if id(whole) not in _CHANGED:
            _CHANGED[id(whole)] = {}
            weakref.finalize(whole, _CHANGED.pop, id(whole))
        _CHANGED[id(whole)][id(x)] = weakref.ref(x), _last


def _refuse_stale(order: list[Node]) -> None:
    """Raise where a node, youngest first, has saved memory that was changed after that."""
    for node in reversed(order):
        if node.parents and node.number >= _last:
            return
        for x in _arrays(node.saved) if node.parents else ():
            for view, number in _CHANGED.get(id(owner(x)), {}).values():
                if number > node.number and (view() is None or overlap(x, view())):
                    raise RuntimeError(
                        f"backward: data of shape {x.shape} was changed (optimizer step, "
                        f"load_state_dict, mark_changed or .data =) after {node.plan.name} saved "
                        "it; compute the output again after the change"
                    )


def _arrays(saved: Any) -> Iterator[Array]:
    """Yield the arrays that a node has saved, also in containers of a custom function."""
    if isinstance(saved, np.ndarray) or is_foreign(saved):
        yield saved
    elif isinstance(saved, (tuple, list, dict)):
        for value in saved.values() if isinstance(saved, dict) else saved:
            yield from _arrays(value)
