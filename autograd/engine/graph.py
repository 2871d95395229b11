"""The recorded graph: what a node is, and `record`, the one place that every call passes. Second
file to read, after `mode`.

A `Node` stands for one recorded operation: its parents, the values its rules asked for, and the
shape and dtype of its output. It holds no reference to the output itself, so a graph contains no
reference cycles and dead intermediates are freed at once. A `Leaf` is a node without parents that
collects a gradient. Nodes carry an increasing number, and parents are always older than children.

Imports `mode` and the standard library. `autograd.variable` puts its class in here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeAlias

from autograd.arrays import Array
from autograd.engine.mode import current_mode

__all__ = ["FREED", "LEAF", "OUTPUT", "Cotangent", "Deferred", "Leaf", "Node", "Plan",
           "Pull", "Traits", "Variable", "next_number", "output_node", "record", "recorded",
           "unwrap", "wrap"]  # fmt: skip

# The gradient of the final scalar with respect to a value: an array, or a Variable where the
# backward pass is itself recorded.
Cotangent: TypeAlias = Any
# (cotangent of the output, what the node saved) -> cotangent of one operand, None for zero.
Pull: TypeAlias = Callable[[Cotangent, Any], Cotangent]

next_number = itertools.count(1).__next__
_new = object.__new__

Variable: type[Any] = object  # until `autograd.variable` has defined it, of operations


def wrap(data: Array, node: Node | None = None) -> Any:
    """Make a Variable of what an operation returned, without checks; of a tuple, a tuple, of which
    integers and truth values are constants.
    """
    if type(data) is tuple:
        nodes = [
            output_node(node, (i, len(data)), x) if node and x.dtype.kind in "fc" else None
            for i, x in enumerate(data)
        ]
        return tuple(map(wrap, data, nodes))
    variable = _new(Variable)
    variable._data = data
    variable._node = node
    return variable


def unwrap(value: Any) -> Any:
    """Return the array of a Variable, anything else as it is."""
    return value._data if isinstance(value, Variable) else value


class Traits:
    """What the backward pass must know of an operation."""

    name: str = ""
    # The output broadcasts the operands against each other, and each of its elements depends on one
    # element of each: the engine undoes the broadcasting, and a vjp rule is its own jvp.
    elementwise: bool = False
    makes_zeros: bool = False  # rules put exact zeros into cotangents (where, indexing ...)
    deferred: bool = False  # rules return `Deferred` cotangents
    overwrites: bool = False  # rules may write into an array `g`, which nobody else holds
    plain: bool = False  # without rules; results are arrays also where operands are Variables


class Plan(Traits):
    """How one primitive pulls cotangents back for one choice of operands that require a gradient.

    Made once per choice and shared by all nodes of that kind. All policy is decided here, so that
    the loop of the backward pass has none.
    """

    primitive: Any = None  # what the plan belongs to
    positions: tuple[int, ...] = ()  # the place of each parent among the arguments of a call
    operands: tuple[str, ...] = ()  # the name of each parent
    # Picks from the values of a call what the rules need (a bare value where it is one, else a
    # tuple; None: nothing), and makes Variables of that again, for derivatives of higher order.
    save: Callable[[tuple[Any, ...]], Any] | None = None
    rewrap: Callable[[Node], Any] = attrgetter("saved")
    # A joint rule runs first; what it returns takes the place of what was saved.
    joint: Callable[[Cotangent, Any], Any] | None = None
    pulls: tuple[Pull | None, ...] = ()  # one per parent, None where the cotangent passes unchanged
    # Brings the cotangent of a parent, of this name, into its shape and dtype; None: it is so.
    fit: Callable[[Cotangent, Node, str], Cotangent] | None = None

    def __init__(self, primitive: Any = None, **fields: Any) -> None:
        known = {key: getattr(primitive or Traits, key) for key in Traits.__annotations__}
        if "joint" in fields:  # each parent takes its part of what the rule returns
            places = fields.get("positions") or range(len(fields["operands"]))
            fields["pulls"] = tuple([lambda _, parts, p=p: parts[p] for p in places])
        fields = known | {"primitive": primitive} | fields
        for key in (*Traits.__annotations__, *Plan.__annotations__):  # Python reads these fastest
            setattr(self, key, fields.get(key, getattr(Plan, key)))


LEAF = Plan(name="leaf")
FREED = Plan(name="freed")  # its nodes have saved the name of their operation


class Node:
    """One recorded operation. `grad` is set only where the user asked to retain it."""

    __slots__ = ("dtype", "grad", "hooks", "number", "parents", "plan", "saved", "shape")

    number: int
    plan: Plan
    parents: tuple[Node, ...]
    saved: Any
    hooks: dict[Any, Callable[[Any], Any] | None] | None  # None among them: retain the gradient
    shape: Any  # a tuple; None, as dtype, on a node with several outputs
    dtype: Any
    grad: Any

    def _fill(self, plan: Plan, parents: tuple[Node, ...], saved: Any, out: Array) -> Node:
        self.number, self.plan, self.parents = next_number(), plan, parents
        self.saved, self.hooks, self.shape, self.dtype = saved, None, out.shape, out.dtype
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
    mode, node = current_mode(), None
    if parents and mode.recording:
        if mode.tracing and values:  # the program of the rules shall name constants, too
            known = zip(values[:-1], arguments, strict=False)
            values = (*(v if getattr(a, "_node", None) else a for v, a in known), values[-1])
        node = Node()
        node.number = next_number()
        node.plan = plan
        node.parents = parents
        save = plan.save
        node.saved = None if save is None else save(values)
        node.hooks = None
        if type(out) is tuple:
            node.shape = node.dtype = None
        else:
            node.shape = out.shape
            node.dtype = out.dtype
    if plan.plain and not mode.tracing:
        result = out
    elif type(out) is tuple:
        result = wrap(out, node)
    else:
        result = _new(Variable)
        result._data = out
        result._node = node
    if mode.observers:
        for observe in mode.observers:
            observe(plan.primitive, arguments, result)
    return result


def recorded(result: Any) -> Node | None:
    """Return the node of a call that gave `result`, None where it was not recorded."""
    if type(result) is tuple:
        return next((part._node.parents[0] for part in result if part._node is not None), None)
    return getattr(result, "_node", None)


# -- deferred cotangents, and nodes with several outputs -------------------------------------------


class Deferred:
    """A cotangent that is cheaper to add up than to write out.

    `total + deferred` is the new total; one that is deferred itself may be changed by that.
    `materialize()` writes it out, `add_into(total)` adds it to an array in place.
    """

    __slots__ = ()
    __array_ufunc__ = None  # `array + deferred` is left to `__radd__`
    recorded = False  # holds Variables: nothing is added in place
    materialize: Callable[..., Any]
    add_into: Callable[..., None]


class _Parts(Deferred):
    """Cotangents of some of the `count` outputs of a node, by their place."""

    __slots__ = ("count", "parts")

    def __init__(self, g: Cotangent, place: tuple[int, int]) -> None:
        self.parts, self.count = {place[0]: g}, place[1]

    def materialize(self) -> tuple[Any, ...]:
        """Return a tuple with None for the outputs that nothing used."""
        return tuple(map(self.parts.get, range(self.count)))

    def __add__(self, other: _Parts) -> _Parts:
        for i, g in other.parts.items():
            self.parts[i] = self.parts[i] + g if i in self.parts else g
        return self


OUTPUT = Plan(name="output", operands=("outputs",), pulls=(_Parts,), deferred=True)


def output_node(node: Node, place: tuple[int, int], out: Array) -> Node:
    """Make the node of one output of a node with several; `place` is (which, of how many)."""
    return Node()._fill(OUTPUT, (node,), place, out)
