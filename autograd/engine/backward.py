"""The backward pass, where the chain rule happens. Third file to read, after `graph`.

Topological order is: collect what is reachable, sort by number, descending. Nothing here recurses;
a chain of a million nodes is walked by a loop. Imports NumPy, `mode` and `graph`.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from autograd.engine import graph
from autograd.engine.graph import (
    FREED,
    LEAF,
    Deferred,
    Leaf,
    Node,
    Plan,
    Pull,
    cast,
    rewrap,
    unbroadcast,
    wrap,
)
from autograd.engine.mode import mode

_by_number = attrgetter("number")

# -- shapes and dtypes -----------------------------------------------------------------------------


def fitted(plan: Plan, position: int, gx: Any, parent: Node) -> Any:
    """Undo broadcasting and promotion: return `gx` in the shape and dtype of its operand."""
    if not plan.trusted:
        gx = _checked(plan, position, gx, parent)
    if gx.shape != parent.shape:
        if not plan.elementwise:
            msg = (
                f"{plan.name}: wanted a gradient of shape {parent.shape} for operand "
                f"{plan.operands[position]!r}, got shape {gx.shape}; the rule must return the "
                f"shape of its operand"
            )
            raise ValueError(msg)
        gx = unbroadcast(gx, parent.shape)
    return gx if gx.dtype == parent.dtype else cast(gx, parent.dtype)


def _checked(plan: Plan, position: int, gx: Any, parent: Node) -> Any:
    """Check what a rule from outside the library returned; shapes are checked for all."""
    if isinstance(gx, (bool, int, float, complex)):
        gx = np.asarray(gx)
    if isinstance(gx, _arrays()):
        kind = gx.dtype.kind
        if kind in "fiub" or (kind == "c" and (parent.dtype.kind == "c" or plan.elementwise)):
            return gx
        got = f"dtype {gx.dtype}"
    else:
        got = type(gx).__name__
    msg = (
        f"{plan.name}: wanted a gradient array of dtype {parent.dtype} for operand "
        f"{plan.operands[position]!r}, got {got}; return an array of the operand's shape, or None "
        f"for no gradient"
    )
    raise TypeError(msg)


# -- masked cotangents -----------------------------------------------------------------------------
# A cotangent that is exactly zero contributes zero, even where the local derivative is infinite or
# nan: the branch that `where` did not take cannot spoil the one it took. The regular path pays
# nothing for 0 * inf and 0 / 0: the whole pass runs with NumPy's own floating-point check set to
# tell us (NumPy looks at those flags in any case), and only after such a report the result of an
# elementwise rule gets zeros where g is zero. A nan that was saved in the forward pass raises no
# flag, so after an operation that made exact zeros the results of elementwise rules are looked at,
# one dot product each.


def _arrays() -> tuple[type[Any], ...]:
    """Return the types that a cotangent may have."""
    return np.ndarray, np.generic, graph.Variable


def holds_nan(gx: Any) -> bool:
    """Tell whether an array or Variable holds a nan (or numbers too large to be squared)."""
    if isinstance(gx, graph.Variable):
        gx = gx._data
    square = np.vdot(gx, gx)
    return bool(square != square)  # noqa: PLR0124 - true of nan only


def _has_zeros(g: Any) -> bool:
    """Tell whether a seed holds exact zeros, as one row of a Jacobian does."""
    if isinstance(g, graph.Variable):
        g = g._data
    return bool(np.count_nonzero(g) < g.size) if isinstance(g, np.ndarray) else not g


def masked_by(g: Any, gx: Any) -> Any:
    """Return `gx` with zero where the cotangent `g`, or each of several, is zero (both kinds)."""
    if type(g) is tuple:
        parts = [part == 0 for part in g if part is not None]
        return np.where(functools.reduce(np.logical_and, parts), gx.dtype.type(0), gx)
    return np.where(g == 0, gx.dtype.type(0), gx)


def pull_jointly(plan: Plan, g: Any, saved: Any) -> tuple[Pull | None, ...]:
    """Run a joint rule; return its results as pulls.

    What is not elementwise takes care of its singular points itself.
    """
    joint = plan.joint
    assert joint is not None
    pulled = list(joint(g, saved))
    seen = set()
    for i, gx in enumerate(pulled):  # one array for two operands must not become two gradients
        if isinstance(gx, np.ndarray) and id(gx) in seen:
            pulled[i] = gx.copy()
        seen.add(id(gx))
    return tuple(functools.partial(constant_pull, gx) for gx in pulled)


def constant_pull(gx: Any, _g: Any, _saved: Any) -> Any:
    return gx


# -- the backward pass -----------------------------------------------------------------------------


def _collect(roots: Iterable[Node], inputs: Sequence[Node], *, closed: bool = False) -> list[Node]:
    """List what is reachable from `roots` and not older than all `inputs`, youngest first; where
    `closed`, not through any of them.
    """
    ends = frozenset(inputs) if closed else frozenset()
    oldest = min(n.number for n in inputs) if inputs else 0
    seen = set(roots)
    stack = list(seen)
    order = []
    freed = []
    changed = 0
    while stack:
        node = stack.pop()
        order.append(node)
        parents = () if ends and node in ends else node.parents
        for parent in parents:
            if parent not in seen and parent.number >= oldest:
                seen.add(parent)
                stack.append(parent)
        if not node.parents:
            if node.plan is FREED:
                freed.append(node)
            if isinstance(node, Leaf) and node.changed > changed:
                changed = node.changed
    # An input may itself be freed, as long as no other is looked for in what it was computed from.
    if freed and not (seen.issuperset(inputs) and set(inputs).issuperset(freed)):
        msg = (
            "backward: this graph was freed by an earlier backward pass; pass retain_graph=True to "
            "the first pass, or compute the output again"
        )
        raise RuntimeError(msg)
    order.sort(key=_by_number, reverse=True)
    if changed:
        _refuse_stale(order, changed)
    return order


class Route(NamedTuple):
    """What a backward pass walks: nodes, youngest first, and which of them lead to its inputs.

    Where `closed`, it ends at the inputs, although there is a way on from one of them to another:
    what lies behind them belongs to somebody else's pass.
    """

    order: list[Node]
    wanted: set[Node] | None
    closed: bool = False


def find_route(
    roots: Iterable[Node], inputs: Sequence[Node] | None, *, closed: bool = False
) -> Route:
    """Find what lies between `roots` and `inputs` (None: the leaves).

    It is the same for every pass over one graph that is retained: a Jacobian finds it once for all
    of its rows, which takes a third off the time of the Hessian of Rosenbrock's function.
    """
    order = _collect(roots, inputs or (), closed=closed)
    return Route(order, None if inputs is None else _leading_to(inputs, order), closed)


def _refuse_stale(order: list[Node], changed: int) -> None:
    """Raise where a node older than a change of a leaf's data has saved that data."""
    leaves = [node for node in order if isinstance(node, Leaf) and node.changed]
    for node in reversed(order):
        if node.number >= changed:
            return
        if node.plan is LEAF:
            continue
        arrays = [a for a in _flat(node.saved) if isinstance(a, np.ndarray)]
        sourced = {node.parents[position] for _, _, position in node.plan.sources}
        for leaf in leaves:
            if leaf.changed > node.number and (
                leaf in sourced or any(_overlap(a, leaf.memory) for a in arrays)
            ):
                msg = (
                    f"backward: the data of a leaf of shape {leaf.shape} was changed (optimizer "
                    "step, load_state_dict or "
                    f".data =) after {node.plan.name} saved it; compute the output again after the "
                    "change"
                )
                raise RuntimeError(msg)


def _overlap(a: Any, b: Any) -> bool:
    """Tell whether two arrays have an element in common; parameters may be slices of one buffer."""
    try:
        return np.may_share_memory(a, b) and np.shares_memory(a, b, 1_000_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _flat(saved: Any) -> Iterable[Any]:
    if isinstance(saved, tuple):
        for value in saved:
            yield from _flat(value)
    else:
        yield saved


# -- complex numbers -------------------------------------------------------------------------------
# Outside, gradients follow PyTorch: the gradient of a real loss is dL/dRe(x) + i dL/dIm(x), the
# direction of steepest ascent. Inside a pass cotangents are the conjugate of that, so that rules
# are plain transposes, without a conj in any of them.


def conjugated(node: Node, g: Any) -> Any:
    """Cross between the convention of users and that of rules; real cotangents stay as they are."""
    return g.conj() if node.dtype is not None and node.dtype.kind == "c" else g


def _run_hooks(node: Node, g: Any) -> Any:
    g = conjugated(node, g)
    hooks = tuple(node.hooks or ())
    for hook in hooks:
        result = hook(g)
        if result is None:
            continue
        if not isinstance(result, _arrays()) or result.shape != node.shape:
            got = f"shape {result.shape}" if hasattr(result, "shape") else type(result).__name__
            msg = (
                f"hook: wanted None or a gradient of shape {node.shape}, got {got}; return an "
                "array of that shape"
            )
            raise ValueError(msg)
        g = result if result.dtype == node.dtype else cast(result, node.dtype)
    g = conjugated(node, g)
    if RETAIN in hooks:
        _accumulate(node, g, owned=False)
    return g


class Retain:
    """The hook behind `retain_grad`: the engine stores the cotangent on the node when it meets
    one.
    """

    __slots__ = ()

    def __call__(self, g: Any) -> None:
        """Do nothing; the mark is what counts."""


RETAIN = Retain()


_accumulating = threading.Lock()


def _accumulate(node: Node, g: Any, *, owned: bool) -> None:
    """Add `g` to `node.grad`, which never shares memory with anything else."""
    if isinstance(g, graph.Variable):
        g, owned = g._data, False
    g = conjugated(node, g)
    with _accumulating:  # 50 ns; without it, threads that share a leaf lose gradients
        total = node.grad
        if total is None:
            node.grad = g if owned or not isinstance(g, np.ndarray) else g.copy()
        elif isinstance(total, np.ndarray):
            total += g
        else:
            node.grad = total + g


def run_backward(
    seeds: Sequence[tuple[Node, Any]],
    inputs: Sequence[Node] | None = None,
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    route: Route | None = None,
) -> dict[Node, Any]:
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
    cotangents: dict[Node, Any] = {}
    masked = False  # whether exact zeros may be among the cotangents: see "masked cotangents"
    for node, seed in seeds:
        g = conjugated(node, seed)
        masked = masked or _has_zeros(g)
        cotangents[node] = cotangents[node] + g if node in cotangents else g
    order, wanted, closed = route or find_route(cotangents, inputs)
    targets = frozenset(inputs or ())
    captured: dict[Node, Any] = {}
    owned: set[Node] = set()  # nodes whose running sum is an array that only this pass holds
    deferred: set[Node] = set()  # nodes whose cotangent is not written out yet

    reports: list[str] = []  # of invalid values: see "masked cotangents"

    def report(kind: str, _: int) -> None:
        reports.append(kind)

    outside = np.geterr()
    inspector = mode.inspector
    with np.errstate(divide="ignore", invalid="call", call=report):
        for node in order:
            g = cotangents.pop(node, None)
            if g is None:
                continue
            if deferred and isinstance(g, Deferred):
                g = g.materialize()
                owned.add(node)
            if node.hooks is not None:
                with np.errstate(**outside):  # the user's code
                    g = _run_hooks(node, g)
                masked = masked or _has_zeros(g)
                owned.discard(node)
            plan = node.plan
            if node in targets:
                if create_graph:
                    if not isinstance(g, graph.Variable):
                        g = wrap(g)  # of a rule that is constant in everything, as that of floor
                elif node not in owned and isinstance(g, np.ndarray):
                    g = g.copy()  # it may be the seed, a saved array, or go to other inputs, too
                captured[node] = conjugated(node, g)
                if closed or wanted is None or wanted.isdisjoint(node.parents):
                    continue
            elif plan is LEAF:
                if wanted is None:
                    _accumulate(node, g, owned=node in owned)
                continue
            saved = rewrap(node) if create_graph else node.saved
            parents = node.parents
            if not retain_graph:
                node.saved = None
                node.plan = FREED
                node.parents = ()
            if inspector is not None:
                pulls = inspector(node, plan, parents, g, saved)
            else:
                pulls = plan.pulls if plan.joint is None else pull_jointly(plan, g, saved)
            for parent, pull in zip(parents, pulls):  # noqa: B905 - strict= costs 0.1 us a node
                if wanted is not None and parent not in wanted:
                    continue
                if pull is None:
                    gx = g
                else:
                    gx = pull(g, saved)
                    if gx is None:
                        continue
                    if plan.elementwise and (reports or (masked and holds_nan(gx))):
                        reports.clear()
                        gx = masked_by(g, gx)
                if not plan.exact and (
                    not plan.trusted or gx.shape != parent.shape or gx.dtype is not parent.dtype
                ):
                    gx = fitted(plan, pulls.index(pull), gx, parent)
                total = cotangents.get(parent)
                if total is None:
                    cotangents[parent] = gx
                    if plan.defers:
                        deferred.add(parent)
                    elif (
                        (parent.plan is LEAF or parent in targets)
                        and plan.trusted
                        and _is_new(gx, g)
                    ):
                        owned.add(parent)
                elif create_graph or parent not in owned or total.__class__ is not np.ndarray:
                    if plan.defers:
                        deferred.add(parent)
                        total, gx = gx, total  # the other way round: `total` may be an array
                    cotangents[parent] = total + gx
                    owned.add(parent)
                elif plan.defers:
                    gx.add_into(total)
                else:
                    total += gx
            if plan.masks:
                masked = True
    return captured


def _leading_to(inputs: Iterable[Node], order: list[Node]) -> set[Node]:
    """Return the nodes of `order` from which there is a path to one of `inputs`, and these."""
    wanted = set(inputs)
    for node in reversed(order):
        if not wanted.isdisjoint(node.parents):
            wanted.add(node)
    return wanted


def _is_new(gx: Any, g: Any) -> bool:
    """Tell whether what a trusted rule returned is an array that nothing else refers to."""
    if type(g) is tuple and any(gx is part for part in g):
        return False
    return gx is not g and gx.__class__ is np.ndarray and gx.base is None
