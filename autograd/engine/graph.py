"""The recorded graph: what a node is, and `record`, which makes one. Second file to read, after
`mode`.

A `Node` stands for one recorded operation: its parents, the values its rules asked for, and the
shape and dtype of its output. It holds no reference to the output itself, so a graph contains no
reference cycles and dead intermediates are freed at once. A `Leaf` is a node without parents that
collects a gradient.

Nodes carry an increasing number, and parents are always older than children.

Imports NumPy and `mode` only. The Variable class is handed in once, by `bind_variable_class`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.engine.mode import mode

Pull = Callable[[Any, Any], Any]

next_number = itertools.count(1).__next__
_new = object.__new__

# Bound by autograd.variable when it has defined the class; operations exist before the class that
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

    `scatter(*values, indices=..., shape=...)` builds the array; `add(total, index, value)` adds
    into one in place, duplicate indices each. Sums of raw arrays are written out at the second
    reading. Sums of Variables (create_graph) are kept as a list, with what else is to be added as
    `dense`, and become one node.
    """

    __slots__ = ("add", "dense", "dtype", "indices", "scatter", "shape", "values")

    def __init__(
        self,
        scatter: Callable[..., Any],
        add: Callable[[Any, Any, Any], None],
        value: Any,
        index: Any,
        shape: tuple[int, ...],
    ) -> None:
        self.scatter = scatter
        self.add = add
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
            self.add(total, index, value)

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
        return Scatter(self.scatter, self.add, cast(value, dtype), index, self.shape)


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


# -- what rules and the engine share ---------------------------------------------------------------


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
