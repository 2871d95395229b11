"""The recorded graph, and the one place where the chain rule happens. Second file to read, after
`_mode`.

A `Node` stands for one recorded operation: its parents, the values its rules asked for, and the
shape and dtype of its output. It holds no reference to the output itself, so a graph contains no
reference cycles and dead intermediates are freed at once. A `Leaf` is a node without parents that
collects a gradient.

Nodes carry an increasing number and parents are always older than children, so "topological order"
is: collect what is reachable, sort by number, descending. Nothing here recurses; a chain of a
    million nodes is walked by a loop.

Imports NumPy and `_mode` only. The Variable class is handed in once, by `bind_variable_class`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from autograd._mode import mode

Pull = Callable[[Any, Any], Any]

next_number = itertools.count(1).__next__
_by_number = attrgetter("number")
_new = object.__new__

# Bound by autograd._variable when it has defined the class; operations exist before the class that
# they serve.
Variable: type[Any] = object


def bind_variable_class(cls: type[Any]) -> None:
    """Take the Variable class; called once, at import."""
    global Variable  # noqa: PLW0603 - the single late binding that lets operators stand in the class body
    Variable = cls


def wrap(data: Any, node: Node | None = None) -> Any:
    """Make a Variable without running its checks: `data` is an array or NumPy scalar that an
    operation returned.
    """
    variable = _new(Variable)
    variable._data = data
    variable._node = node
    return variable


class Plan:
    """How one primitive pulls cotangents back for one choice of operands that require a gradient.

    Made once per choice and shared by all nodes of that kind.

    Attributes:
        name: the operation's name, for messages.
        pulls: one function `(g, saved) -> cotangent` per parent, or None where the cotangent passes
            unchanged; empty where `joint` does the work.
        joint: `(g, saved) -> one cotangent or None per parent`, for operands that share costly
            work.
        operands: the operand name of each parent, for messages.
        keep: picks from the values of a call what `pulls` need (a bare value where it is one, else
            a tuple); None where they need nothing.
        sources: `(slot, index, position)`: slot of `saved` (None: all of it), index within a
            variadic slot (else None), and the parent whose value it is. Derivatives of higher
            order re-wrap these.
        outputs: `(slot, which)`: slots of `saved` that hold the node's own output, all of it
            (which is None) or one of several (which is its index and their number).
        elementwise: the output broadcasts the operands, so the engine sums cotangents back to the
            operands' shapes.
        exact: results always have shape and dtype of their operands (elementwise, one operand).
        defers: the rules return `Deferred` cotangents.
        masks: the rules put exact zeros into cotangents (where, clip, indexing ...).
        trusted: the rules are this library's: results are arrays and, unless they are `g` or
            views, new ones.
        primitive: what the plan belongs to; forward mode asks it for a tangent rule.
        positions: the place of each parent among the arguments of the call.
    """

    __slots__ = (
        "defers",
        "elementwise",
        "exact",
        "joint",
        "keep",
        "masks",
        "name",
        "operands",
        "outputs",
        "positions",
        "primitive",
        "pulls",
        "sources",
        "trusted",
    )

    def __init__(
        self,
        name: str,
        *,
        pulls: tuple[Pull | None, ...] = (),
        joint: Pull | None = None,
        operands: tuple[str, ...] = (),
        keep: Callable[[tuple[Any, ...]], Any] | None = None,
        sources: tuple[tuple[int | None, int | None, int], ...] = (),
        outputs: tuple[tuple[int | None, tuple[int, int] | None], ...] = (),
        elementwise: bool = False,
        exact: bool = False,
        defers: bool = False,
        masks: bool = False,
        trusted: bool = True,
        primitive: Any = None,
        positions: tuple[int, ...] = (),
    ) -> None:
        self.name = name
        self.pulls = pulls
        self.joint = joint
        self.operands = operands
        self.keep = keep
        self.sources = sources
        self.outputs = outputs
        self.elementwise = elementwise
        self.exact = exact
        self.defers = defers
        self.masks = masks
        self.trusted = trusted
        self.primitive = primitive
        self.positions = positions


LEAF = Plan("leaf")
FREED = Plan("freed")


class Node:
    """One recorded operation. `grad` is set only where the user asked to retain it."""

    __slots__ = ("dtype", "grad", "hooks", "number", "parents", "plan", "saved", "shape")

    number: int
    plan: Plan
    parents: tuple[Node, ...]
    saved: Any
    shape: Any  # a tuple; None, as dtype, on a node with several outputs
    dtype: Any
    hooks: list[Callable[[Any], Any]] | None
    grad: Any


class Leaf(Node):
    """The end of a graph: collects the gradient of a Variable that the user made.

    `changed` is the sequence number at which the data last changed through the library (0: never),
    `memory` the array that changed: together they tell whether a graph holds values from before
        the change.
    """

    __slots__ = ("changed", "memory")

    changed: int
    memory: Any

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.number = next_number()
        self.plan = LEAF
        self.parents = ()
        self.saved = None
        self.shape = shape
        self.dtype = dtype
        self.hooks = None
        self.grad = None
        self.changed = 0
        self.memory = None


def record(plan: Plan, parents: tuple[Node, ...], values: tuple[Any, ...], out: Any) -> Any:
    """Return `out` as a Variable, recorded unless the grad mode is off: the point that every
    operation passes.

    Args:
        plan: how to pull back for the operands that require a gradient.
        parents: their nodes.
        values: all arguments of the call in the order of the signature, then `out`.
        out: the array or NumPy scalar that the forward function returned; a tuple where it has
            several outputs.
    """
    recording = mode.recording
    if not recording:
        return tuple(map(wrap, out)) if type(out) is tuple else wrap(out)
    node = Node()
    node.number = next_number()
    node.plan = plan
    node.parents = parents
    keep = plan.keep
    node.saved = None if keep is None else keep(values)
    node.hooks = None
    if type(out) is tuple:
        node.shape = node.dtype = None
        result: Any = tuple(
            wrap(part, _output_node(node, (i, len(out)), part)) for i, part in enumerate(out)
        )
    else:
        node.shape = out.shape
        node.dtype = out.dtype
        result = _new(Variable)
        result._data = out
        result._node = node
    if recording is not True:
        recording(node, values)
    return result


# -- deferred cotangents ---------------------------------------------------------------------------


class Deferred:
    """A cotangent that is cheaper to add up than to write out.

    The engine calls `materialize` when a rule needs it.
    """

    __slots__ = ()
    __array_ufunc__ = None  # `array + deferred` is answered by `__radd__`

    def materialize(self) -> Any:
        """Write it out."""
        raise NotImplementedError


class Scatter(Deferred):
    """Values at indices of an otherwise zero array: what indexing rules return, so that n reads
    cost O(n).

    `scatter(*values, indices=..., shape=...)` builds the array; `once(index)` tells whether an
    index names each element at most once, otherwise duplicates add up. Sums of raw arrays are
    written out at the second reading. Sums of Variables (create_graph) are kept as a list, with
    what else is to be added as `dense`, and become one node.
    """

    __slots__ = ("dense", "dtype", "indices", "once", "scatter", "shape", "values")

    def __init__(
        self,
        scatter: Callable[..., Any],
        once: Callable[[Any], bool],
        value: Any,
        index: Any,
        shape: tuple[int, ...],
    ) -> None:
        self.scatter = scatter
        self.once = once
        self.values = [value]
        self.indices = [index]
        self.shape = shape
        self.dtype = value.dtype
        self.dense: Any = None

    def materialize(self) -> Any:
        """Write out the full array (recorded, where the values are Variables)."""
        total = self.scatter(*self.values, indices=tuple(self.indices), shape=self.shape)
        return total if self.dense is None else self.dense + total

    def add_into(self, total: Any) -> None:
        """Add to `total`, an array the engine owns, in place."""
        for index, value in zip(self.indices, self.values, strict=True):
            if self.once(index):
                total[index] += value
            else:
                np.add.at(total, index, value)

    def __add__(self, other: Any) -> Any:
        """Add a running total, which is extended if it is a list of Variables."""
        recorded = isinstance(self.values[-1], Variable)
        if isinstance(other, Scatter):
            if recorded or isinstance(other.values[-1], Variable):
                other.values += self.values
                other.indices += self.indices
                return other if self.dense is None else other + self.dense
            total = other.materialize()
        elif recorded or isinstance(other, Variable):
            self.dense = other if self.dense is None else self.dense + other
            return self
        else:
            total = np.array(other)
        self.add_into(total)
        return total

    def astype(self, dtype: np.dtype[Any]) -> Scatter:
        """Cast the values."""
        (value,), (index,) = self.values, self.indices
        return Scatter(self.scatter, self.once, cast(value, dtype), index, self.shape)


class _Parts(Deferred):
    """Cotangents of some of the outputs of a node with several; `shape` and `dtype` are None like
    the node's.
    """

    __slots__ = ("count", "parts")
    shape = dtype = None

    def __init__(self, count: int, parts: dict[int, Any]) -> None:
        self.count = count
        self.parts = parts

    def materialize(self) -> tuple[Any, ...]:
        """Return a tuple with None for the outputs that nothing used."""
        return tuple(map(self.parts.get, range(self.count)))

    def __add__(self, other: _Parts) -> _Parts:
        merged = dict(self.parts)
        for i, g in other.parts.items():
            merged[i] = merged[i] + g if i in merged else g
        return _Parts(max(self.count, other.count), merged)


def _output_node(bundle: Node, index: tuple[int, int], part: Any) -> Node:
    """Make the node of one output of a node with several; `index` is (which, of how many)."""
    node = Node()
    node.number = next_number()
    node.plan = OUTPUT
    node.parents = (bundle,)
    node.saved = index
    node.shape = part.shape
    node.dtype = part.dtype
    node.hooks = None
    return node


OUTPUT = Plan(
    "output",
    pulls=(lambda g, index: _Parts(index[1], {index[0]: g}),),
    operands=("outputs",),
    exact=True,
    defers=True,
)


# -- shapes and dtypes -----------------------------------------------------------------------------


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
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


def cast(g: Any, dtype: np.dtype[Any]) -> Any:
    """Cast a cotangent to its operand's dtype; a real operand keeps the real part (both kinds)."""
    if g.dtype.kind == "c" and dtype.kind != "c":
        g = g.real
    return g.astype(dtype)


def _fitted(plan: Plan, position: int, gx: Any, parent: Node) -> Any:
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
    if isinstance(gx, (np.ndarray, np.generic, Variable)):
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


def holds_nan(gx: Any) -> bool:
    if isinstance(gx, Variable):
        gx = gx._data
    square = np.vdot(gx, gx)
    return bool(square != square)  # noqa: PLR0124 - true of nan only


def masked_by(g: Any, gx: Any) -> Any:
    """Return `gx` with zero where the cotangent `g` is zero (both kinds)."""
    return np.where(g == 0, gx.dtype.type(0), gx)


def _pull_jointly(plan: Plan, g: Any, saved: Any) -> tuple[Pull | None, ...]:
    """Run a joint rule; return its results as pulls.

    What is not elementwise takes care of its singular points itself.
    """
    joint = plan.joint
    assert joint is not None
    pulled = list(joint(g, saved))
    for i, gx in enumerate(pulled):  # one array for two operands must not become two gradients
        if isinstance(gx, np.ndarray) and any(gx is other for other in pulled[:i]):
            pulled[i] = gx.copy()
    return tuple(functools.partial(_constant, gx) for gx in pulled)


def _constant(gx: Any, _g: Any, _saved: Any) -> Any:
    return gx


# -- the backward pass -----------------------------------------------------------------------------


def _collect(roots: Iterable[Node], oldest: int) -> list[Node]:
    """List what is reachable from `roots` and not older than number `oldest`, youngest first."""
    seen = set(roots)
    stack = list(seen)
    order = []
    changed = 0
    while stack:
        node = stack.pop()
        order.append(node)
        parents = node.parents
        for parent in parents:
            if parent not in seen and parent.number >= oldest:
                seen.add(parent)
                stack.append(parent)
        if not parents:
            if node.plan is FREED:
                msg = (
                    "backward: this graph was freed by an earlier backward pass; pass "
                    "retain_graph=True to the first "
                    "pass, or compute the output again"
                )
                raise RuntimeError(msg)
            if type(node) is Leaf and node.changed > changed:
                changed = node.changed
    order.sort(key=_by_number, reverse=True)
    if changed:
        _refuse_stale(order, changed)
    return order


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
                leaf in sourced or any(np.may_share_memory(a, leaf.memory) for a in arrays)
            ):
                msg = (
                    f"backward: the data of a leaf of shape {leaf.shape} was changed (optimizer "
                    "step, load_state_dict or "
                    f".data =) after {node.plan.name} saved it; compute the output again after the "
                    "change"
                )
                raise RuntimeError(msg)


def _flat(saved: Any) -> Iterable[Any]:
    if isinstance(saved, tuple):
        for value in saved:
            yield from _flat(value)
    else:
        yield saved


def rewrap(node: Node) -> Any:
    """Return what `node` saved as Variables: an operand on its parent's node, the output on the
    node itself.
    """
    plan = node.plan
    if not plan.sources and not plan.outputs:
        return node.saved
    bare = any(slot is None for slot, *_ in plan.sources) or any(
        slot is None for slot, _ in plan.outputs
    )
    saved = [node.saved] if bare else list(node.saved)
    for slot, index, position in plan.sources:
        at = slot or 0
        if index is None:
            saved[at] = wrap(saved[at], node.parents[position])
        else:
            operands = list(saved[at])
            operands[index] = wrap(operands[index], node.parents[position])
            saved[at] = tuple(operands)
    for slot, which in plan.outputs:
        at = slot or 0
        out = saved[at]
        if which is not None:
            saved[at] = wrap(out, _output_node(node, which, out))
        elif type(out) is tuple:
            saved[at] = tuple(
                wrap(part, _output_node(node, (i, len(out)), part)) for i, part in enumerate(out)
            )
        else:
            saved[at] = wrap(out, node)
    return saved[0] if bare else tuple(saved)


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
        if not isinstance(result, (np.ndarray, np.generic, Variable)) or result.shape != node.shape:
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


def _accumulate(node: Node, g: Any, *, owned: bool) -> None:
    """Add `g` to `node.grad`, which never shares memory with anything else."""
    if isinstance(g, Variable):
        g, owned = g._data, False
    g = conjugated(node, g)
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
    masked: bool = False,
) -> dict[Node, Any]:
    """Pull cotangents back from `seeds` to the leaves, or to `inputs`.

    Args:
        seeds: pairs of a node and the cotangent of its output (an array; a Variable where
            `create_graph`).
        inputs: the nodes whose cotangents are returned; None accumulates in the leaves instead.
        create_graph: run the rules on Variables, so that the result can be differentiated again.
        retain_graph: keep the saved values for another pass.
        masked: the seeds may contain exact zeros (see "masked cotangents").

    Returns:
        The cotangents of those of `inputs` that the seeds depend on; empty where `inputs` is None.
    """
    cotangents: dict[Node, Any] = {}
    for node, seed in seeds:
        g = conjugated(node, seed)
        cotangents[node] = cotangents[node] + g if node in cotangents else g
    order = _collect(cotangents, min(n.number for n in inputs) if inputs else 0)
    targets = frozenset(inputs or ())
    wanted = None if inputs is None else _leading_to(targets, order)
    captured: dict[Node, Any] = {}
    owned: set[Node] = set()  # nodes whose running sum is an array that only this pass holds
    deferred: set[Node] = set()  # nodes whose cotangent is not written out yet

    reports: list[str] = []  # of invalid values: see "masked cotangents"

    def report(kind: str, _: int) -> None:
        reports.append(kind)

    outside = np.geterr()
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
                owned.discard(node)
            plan = node.plan
            if node in targets:
                if create_graph:
                    if not isinstance(g, Variable):
                        g = wrap(g)  # of a rule that is constant in everything, as that of floor
                elif node not in owned and isinstance(g, np.ndarray):
                    g = g.copy()  # it may be the seed, a saved array, or go to other inputs, too
                captured[node] = conjugated(node, g)
                if wanted is None or wanted.isdisjoint(node.parents):
                    continue
            elif plan is LEAF:
                _accumulate(node, g, owned=node in owned)
                continue
            saved = rewrap(node) if create_graph else node.saved
            parents = node.parents
            if not retain_graph:
                node.saved = None
                node.plan = FREED
                node.parents = ()
            pulls = plan.pulls if plan.joint is None else _pull_jointly(plan, g, saved)
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
                    gx = _fitted(plan, pulls.index(pull), gx, parent)
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
