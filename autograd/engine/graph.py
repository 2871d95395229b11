"""The recorded graph: what a node is, and `record`, the one place that every call passes. Second
file to read, after `mode`.

A `Node` stands for one recorded operation: its parents, the values its rules asked for, and the
shape and dtype of its output. It holds no reference to the output itself, so a graph contains no
reference cycles and dead intermediates are freed at once. A `Leaf` is a node without parents that
collects a gradient. Nodes carry an increasing number, and parents are always older than children.

Imports NumPy and `mode` only. The Variable class is handed in once, by `bind_variable_class`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from autograd.arrays import Array
from autograd.engine.mode import current_mode

# fmt: off
__all__ = ["FREED", "LEAF", "OUTPUT", "Cotangent", "Deferred", "Fit", "Leaf", "Node", "Plan",
           "Pull", "Variable", "bind_variable_class", "next_number", "output_node", "record",
           "recorded", "rewrap_output", "unwrap", "wrap"]
# fmt: on

# The gradient of the final scalar with respect to a value: an array, or a Variable where the
# backward pass is itself recorded.
Cotangent: TypeAlias = Any
# (cotangent of the output, what the node saved) -> cotangent of one operand, None for zero.
Pull: TypeAlias = Callable[[Cotangent, Any], Cotangent]
# (cotangent of one operand, its node) -> the same in the shape and dtype of the operand.
Fit: TypeAlias = Callable[[Cotangent, "Node"], Cotangent]

next_number = itertools.count(1).__next__
_new = object.__new__

# Bound by autograd.variable when it has defined the class; operations exist before the class that
# they serve.
Variable: type[Any] = object


def bind_variable_class(cls: type[Any]) -> None:
    """Take the Variable class; called once, at import."""
    global Variable  # noqa: PLW0603 - the single late binding: operators stand in the class body
    Variable = cls


def wrap(data: Array, node: Node | None = None) -> Any:
    """Make a Variable of what an operation returned, without checks; of a tuple, a tuple."""
    if type(data) is tuple:
        return tuple(map(wrap, data))
    variable = _new(Variable)
    variable._data = data
    variable._node = node
    return variable


def unwrap(value: Any) -> Any:
    """Return the array of a Variable, anything else as it is."""
    return value._data if isinstance(value, Variable) else value


class Plan:
    """How one primitive pulls cotangents back for one choice of operands that require a gradient.

    Made once per choice and shared by all nodes of that kind. All policy is decided here, so that
    the loop of the backward pass has none.
    """

    name: str  # of the primitive, for messages
    primitive: Any = None  # what the plan belongs to
    positions: tuple[int, ...] = ()  # the place of each parent among the arguments of a call
    operands: tuple[str, ...] = ()  # the name of each parent
    # Picks from the values of a call what the rules need (a bare value where it is one, else a
    # tuple), and makes Variables of that again, for derivatives of higher order; None: nothing.
    save: Callable[[tuple[Any, ...]], Any] | None = None
    rewrap: Callable[[Node], Any] | None = None
    pulls: tuple[Pull | None, ...] = ()  # one per parent, None where the cotangent passes unchanged
    guarded: tuple[Pull | None, ...] = ()  # the same, with an eye on cotangents that are zero
    joint: Callable[[Cotangent, Any], Any] | None = None  # instead: returns one for each parent
    fits: tuple[Fit | None, ...] = ()  # one per parent, None where shape and dtype are right
    makes_zeros: bool = False  # the rules put exact zeros into cotangents (where, indexing ...)
    deferred: bool = False  # the rules return `Deferred` cotangents
    overwrites: bool = False  # the rules may write into the cotangent, which is given as their own
    plain: bool = False  # there are no rules: results are arrays unless a program is traced

    def __init__(self, **fields: Any) -> None:
        for name in Plan.__annotations__:  # one by one: Python reads such attributes fastest
            setattr(self, name, fields.get(name, getattr(Plan, name, None)))


LEAF = Plan(name="leaf")
FREED = Plan(name="freed")  # its nodes have saved the name of their operation


class Node:
    """One recorded operation. `grad` is set only where the user asked to retain it."""

    __slots__ = ("dtype", "grad", "hooks", "number", "parents", "plan", "saved", "shape")

    number: int
    plan: Plan
    parents: tuple[Node, ...]
    saved: Any
    shape: Any  # a tuple; None, as dtype, on a node with several outputs
    dtype: Any
    hooks: dict[Any, Callable[[Any], Any] | None] | None  # None among them: retain the gradient
    grad: Any

    def _fill(self, plan: Plan, parents: tuple[Node, ...], saved: Any, like: Any) -> Node:
        self.number = next_number()
        self.plan, self.parents, self.saved, self.hooks = plan, parents, saved, None
        self.shape, self.dtype = like.shape, like.dtype
        return self


class Leaf(Node):
    """The end of a graph: collects the gradient of a Variable that the user made on `data`."""

    __slots__ = ()

    def __init__(self, data: Array) -> None:
        self._fill(LEAF, (), None, data)
        self.grad = None


def record(
    plan: Plan, parents: tuple[Node, ...], values: tuple[Any, ...], out: Array, arguments: Any
) -> Any:
    """Return `out` as a Variable, recorded where an operand requires a gradient: the one place that
    every call with a Variable among its arguments passes, and where observers see it.

    Args:
        plan: how to pull back for the operands that require a gradient.
        parents: their nodes; none where no operand requires one.
        values: the arguments as raw arrays in the order of the parameters, then `out`; not looked
            at where there are no parents.
        out: the array or NumPy scalar that the forward function returned; a tuple where it has
            several outputs.
        arguments: a tuple of the arguments as they were given, Variables among them.
    """
    mode = current_mode()
    if parents and mode.recording:
        node = Node()
        node.number = next_number()
        node.plan = plan
        node.parents = parents
        save = plan.save
        node.saved = None if save is None else save(values)
        node.hooks = None
        if type(out) is tuple:
            node.shape = node.dtype = None
            result: Any = rewrap_output(node, out)
        else:
            node.shape = out.shape
            node.dtype = out.dtype
            result = _new(Variable)
            result._data = out
            result._node = node
    elif plan.plain and not mode.tracing:
        result = out
    elif type(out) is tuple:
        result = wrap(out)
    else:
        result = _new(Variable)
        result._data = out
        result._node = None
    if mode.observers:
        if mode.tracing and parents and mode.recording and plan.save is not None:
            node.saved = plan.save(_as_given(values, arguments))
        for observe in mode.observers:
            observe(plan.primitive, arguments, result)
    return result


def _as_given(values: tuple[Any, ...], arguments: Sequence[Any]) -> tuple[Any, ...]:
    """Return what a node saves while a program is traced: operands without a node stay Variables,
    so that the program of its rules names them, too.
    """
    pairs = zip(values[:-1], arguments, strict=False)
    return (*(v if getattr(a, "_node", None) else a for v, a in pairs), values[-1])


def recorded(result: Any) -> Node | None:
    """Return the node of a call that gave `result`, None where it was not recorded."""
    if type(result) is tuple:
        return next((part._node.parents[0] for part in result if part._node is not None), None)
    return getattr(result, "_node", None)


# -- deferred cotangents, and nodes with several outputs -------------------------------------------


class Deferred:
    """A cotangent that is cheaper to add up than to write out.

    `total + deferred` is the new total; one that is deferred itself may be changed by that.
    """

    __slots__ = ()
    __array_ufunc__ = None  # `array + deferred` is left to `__radd__`
    recorded = False  # holds Variables: nothing is added in place

    def materialize(self) -> Any:
        """Write it out."""
        raise NotImplementedError

    def add_into(self, total: Array) -> None:
        """Add it to an array in place."""
        raise NotImplementedError


class _Parts(Deferred):
    """Cotangents of some of the outputs of a node with several."""

    __slots__ = ("count", "parts")

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
        return _Parts(self.count, merged)


_to_parts: Pull = lambda g, index: _Parts(index[1], {index[0]: g})
OUTPUT = Plan(name="output", pulls=(_to_parts,), guarded=(_to_parts,), fits=(None,), deferred=True)


def output_node(bundle: Node, index: tuple[int, int], part: Array) -> Node:
    """Make the node of one output of a node with several; `index` is (which, of how many)."""
    return Node()._fill(OUTPUT, (bundle,), index, part)


def rewrap_output(node: Node, out: Array) -> Any:
    """Return the output of a node as a Variable on it, each of several."""
    if type(out) is not tuple:
        return wrap(out, node)
    parts = enumerate(out)
    return tuple(wrap(part, output_node(node, (i, len(out)), part)) for i, part in parts)
