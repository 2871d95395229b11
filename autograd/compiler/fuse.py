"""Fusion: which operations run together, block by block. Fifth file to read, after `passes`.

A chain of operations on large arrays is bound by memory: each reads and writes it all. In blocks
that stay in the cache it is two to three times as fast (DESIGN, section 6). A `Group` is a set of
operations over one shape S, of which the first k axes are counted through in blocks of rows:

- elementwise operations, whose operands either move along with the rows or stand still;
- operations on single rows, over axes behind the k-th: sums, maxima, softmax ...;
- sums over all rows, which are added up block by block and known when the loop ends: the one thing
  here that changes the order of a sum.

Imports `graph` and NumPy.
"""

from __future__ import annotations

import heapq
import math
from typing import Any

import numpy as np

from autograd.compiler.graph import Graph, Op, Value

__all__ = ["BLOCK", "LEAST", "Group", "grouped", "is_total", "moves", "row_axes"]

BLOCK = 16_384  # elements: 128 KiB of float64, of which a few fit into a second-level cache
LEAST = 32_768  # elements of an array for which blocks are worth while
_ROWS = {
    "softmax": 1,
    "log_softmax": 1,
    "shares_of": 1,
    "standardize": 1,
}  # argument that is the axis
_SUMS = {"sum", "mean"}
_EXTREMES = {"max", "min"}
_VIEWS = {"reshape", "expand_dims", "squeeze"}


class Group:
    """Operations that run together. `ks` are the numbers of leading axes that may be counted."""

    least = 2  # operations, below which they run as they are
    writer: Any = None  # what makes text of it, where that is not `source.Blocks`

    def __init__(self, shape: tuple[int, ...], index: int) -> None:
        self.shape, self.index = shape, index
        self.ks = {k for k in range(1, len(shape) + 1) if math.prod(shape[k:]) <= BLOCK}
        self.ops: list[Op] = []
        self.totals: set[Value] = set()  # known only when the loop ends
        self.values: set[Value] = set()

    @property
    def k(self) -> int:
        """How many axes are counted: as many as possible, for blocks of equal size."""
        return max(self.ks)

    @property
    def quiet(self) -> bool:
        """Whether there is an operation of a backward pass in it."""
        return any(op.quiet for op in self.ops)

    @property
    def calm(self) -> bool:
        """Whether an operation in it may overflow without a warning."""
        return any(op.calm for op in self.ops)

    @property
    def inputs(self) -> list[Value]:
        """What it reads."""
        found = dict.fromkeys(v for op in self.ops for v in op.inputs)
        return [v for v in found if v not in self.values]

    @property
    def outputs(self) -> tuple[Value, ...]:
        """What it makes."""
        return tuple(v for op in self.ops for v in op.outputs)

    @staticmethod
    def may_join(op: Op) -> bool:
        """Tell whether an operation can be in a group at all."""
        primitive = op.primitive
        if primitive.checks or any(v.dtype.kind not in "biuf" for v in (*op.inputs, *op.outputs)):
            return False
        if op.several and primitive.name != "standardize":
            return False
        return primitive.elementwise or primitive.name in _VIEWS or row_axes(op) is not None

    @staticmethod
    def seed(op: Op) -> tuple[int, ...] | None:
        """Return the shape of a group that an operation can begin; None where it cannot."""
        large = op.out.size >= LEAST and op.primitive.elementwise
        return op.out.shape if large and op.primitive.name not in _VIEWS else None

    def fitting(self, op: Op) -> set[int]:
        """Return for which of `ks` an operation can be a part of this."""
        found = set()
        for k in self.ks:
            lead = self.shape[:k]
            if not all(v.shape[:k] == lead for v in op.outputs) and not is_total(op, self.shape, k):
                continue
            if op.primitive.elementwise:
                alike = len(op.out.shape) == len(self.shape)
                if all(
                    moves(v, op.out, k) or v.size == 1 or (alike and _stands(v, op.out, k))
                    for v in op.inputs
                ):
                    found.add(k)
                continue
            (x, *others), axes = op.inputs or (None,), row_axes(op)
            alone = x is not None and not others and x.shape[:k] == lead
            along_rows = axes is not None and min(axes, default=0) >= k
            view = op.primitive.name in _VIEWS
            if alone and (view or along_rows or is_total(op, self.shape, k)):
                found.add(k)
        return found


def moves(value: Value, out: Value, k: int) -> bool:
    """Tell whether an operand moves along with the rows of the result."""
    return bool(len(value.shape) == len(out.shape) and value.shape[:k] == out.shape[:k])


def _stands(value: Value, out: Value, k: int) -> bool:
    """Tell whether an operand is the same for all rows."""
    over = value.shape[: max(0, k - len(out.shape) + len(value.shape))]
    return all(n == 1 for n in over)


def row_axes(op: Op) -> list[int] | None:
    """Return the axes that an operation works along, counted from the front; None: not known."""
    name = op.primitive.name
    place = 1 if name in _SUMS | _EXTREMES else _ROWS.get(name)
    single = not op.inputs or not op.inputs[0].shape
    if place is None or single or (name in _SUMS and op.arguments[2] is not None):
        return None
    if name in _EXTREMES and any(a is not np._NoValue for a in op.arguments[3:]):
        return None
    ndim, axis = len(op.inputs[0].shape), op.arguments[place]
    axes = range(ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    return sorted(a % ndim for a in axes)


def is_total(op: Op, shape: tuple[int, ...], k: int) -> bool:
    """Tell whether an operation is a sum over all rows."""
    if op.primitive.name not in _SUMS or op.out.dtype.kind != "f" or op.inputs[0].shape != shape:
        return False
    axes = row_axes(op)
    alike: bool = op.inputs[0].dtype == op.out.dtype
    return alike and axes is not None and axes[:k] == list(range(k))


def grouped(graph: Graph, *, mixed: bool, kind: type[Group] = Group) -> list[Op | Group]:
    """Return the operations of a graph in an order in which they can run, those that run together
    as a `Group`.

    Args:
        graph: the program.
        mixed: whether operations of backward passes may run together with others.
        kind: of group.
    """
    unit: dict[Value, Any] = {}  # what makes a value
    needs: dict[Any, set[Any]] = {}  # what each unit reads from
    order: dict[Any, int] = {}
    groups: list[Group] = []

    def reaches(start: Any, goal: Any) -> bool:
        stack, seen = [start], {start}
        while stack:
            u = stack.pop()
            if u is goal:
                return True
            new = needs[u] - seen
            seen |= new
            stack += new
        return False

    def joins(op: Op, group: Group) -> bool:
        if not mixed and group.quiet != op.quiet:
            return False
        ks = group.fitting(op)
        if not ks or any(v in group.totals for v in op.inputs):
            return False
        others = {unit[v] for v in op.inputs if v in unit} - {group}
        if any(reaches(u, group) for u in others):
            return False
        group.ks = ks
        return True

    for index, op in enumerate(graph.ops):
        chosen: Any = None
        if kind.may_join(op):
            near = [u for v in op.inputs if isinstance(u := unit.get(v), Group)]
            seed, read = kind.seed(op), set(op.inputs)
            same = [g for g in groups if g.shape == seed and not read.isdisjoint(g.inputs)]
            chosen = next((g for g in dict.fromkeys([*near, *same]) if joins(op, g)), None)
            if chosen is None and seed is not None:
                fresh = kind(seed, index)
                needs[fresh] = set()
                if fresh.ks and joins(op, fresh):
                    chosen = fresh
                    groups.append(fresh)
                else:
                    del needs[fresh]
        if chosen is None:
            chosen = op
            needs[op] = set()
        else:
            chosen.ops.append(op)
            chosen.values.update(op.outputs)
            if is_total(op, chosen.shape, min(chosen.ks)):
                chosen.totals.add(op.out)
        needs[chosen] |= {unit[v] for v in op.inputs if v in unit} - {chosen}
        unit.update((v, chosen) for v in op.outputs)
        order[chosen] = index
    return _in_order(needs, order)


def _in_order(needs: dict[Any, set[Any]], order: dict[Any, int]) -> list[Any]:
    """Sort units so that each comes after what it needs, else as they came."""
    waiting = {u: len(n) for u, n in needs.items()}
    users: dict[Any, list[Any]] = {}
    for u, n in needs.items():
        for other in n:
            users.setdefault(other, []).append(u)
    ready = [(order[u], id(u), u) for u, count in waiting.items() if not count]
    heapq.heapify(ready)
    result: list[Any] = []
    while ready:
        u = heapq.heappop(ready)[2]
        single = isinstance(u, Group) and (
            sum(op.primitive.name not in _VIEWS for op in u.ops) < u.least
        )
        result += u.ops if single else [u]
        for user in users.get(u, ()):
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(ready, (order[user], id(user), user))
    return result
