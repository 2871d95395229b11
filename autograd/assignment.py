"""Assignment to elements, `x[index] = value`.

A Variable that is assigned to becomes `Filled`: it stays the same object, so that all names of it
see the new elements, and stands for a new node of the graph. Elements are overwritten in place, and
only where somebody else needs the old ones (a rule has saved them) in a copy: n assignments cost
O(n). As in NumPy, what was read by integers and slices (a row) follows the array it was read from,
and what is assigned to a row reaches the array. Where another Variable looks at the same memory in
a way that cannot follow (a transposed view), assignment is refused.

Imports `variable` and what is older; binds `Variable.__setitem__`.
"""

from __future__ import annotations

import gc
import operator
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.arrays import Array, Many, overlap, owner, references
from autograd.engine import changes
from autograd.engine.calls import as_operand
from autograd.engine.graph import LEAF, record, recorded, unwrap, wrap
from autograd.engine.mode import current_mode
from autograd.ops import indexing
from autograd.ops.assignment import require_same_kind, set_plan
from autograd.ops.assignment import set_at as new_with
from autograd.ops.in_place import REFERENCES_TO_AN_ITEM
from autograd.ops.indexing import names_each_once
from autograd.variable import Variable

__all__ = ["Filled", "Past", "as_now", "to_fill"]


class Filled(Variable):
    """A Variable whose elements are assigned to.

    Its data are a view of an array that nobody else owns: who refers to the view has saved all of
    it, who refers to the array looks at a part.
    """

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        """Read elements: a copy, which follows later assignments where NumPy has a view."""
        read = super().__getitem__(index)
        if type(read) is not Variable or read._data.base is None:
            return read
        read._data = read._data.copy()
        return _as_reading(read, self, indexing.checked_index(index))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def _kind(self) -> str:
        return "Variable"  # as which it is shown

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, (_, *given), state = super().__reduce__()
        return rebuild, (Variable, *given), state

    def readings(self) -> list[Filled]:
        """Return what was read from it and is still held."""
        held = [reading() for reading in list(self._filling.readings.values())]
        return [x for x in held if x is not None]


class Past(Variable):
    """A Variable as it was before an assignment: nobody who follows the new elements."""

    __slots__ = ()


def as_now(value: Any) -> Any:
    """Return a Variable, or each of several, as it is before elements of it are assigned to."""
    if type(value) is tuple:
        return tuple(map(as_now, value))
    if not isinstance(value, Variable):
        return value
    past = Past.__new__(Past)
    past._data, past._node = value._data, value._node
    return past


class _Filling:
    """Where a filled Variable was read from, and what was read from it."""

    __slots__ = ("index", "readings", "source")

    def __init__(self, source: Filled | None = None, index: Any = None) -> None:
        self.source, self.index = source, index
        self.readings: dict[int, weakref.ref[Filled]] = {}  # by identity; the dead leave


def _augmented(operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return the method of `x += y`: all names of x see the result, as those of an array do."""

    def method(self: Any, other: Any) -> Any:
        if references(self) <= REFERENCES_TO_AN_ITEM:  # of `x[i] += y`, which assigns the result
            return operate(self, other)
        self[...] = operate(self, other)
        return self

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    setattr(Filled, f"__i{_name}__", _augmented(getattr(operator, _name)))


# -- x[index] = value ------------------------------------------------------------------------------


def _setitem(self: Any, index: Any, value: Any) -> None:
    """Assign to elements, `x[index] = value`, with any index that NumPy takes.

    Gradients flow to `value` where it was written, and to what `x` was elsewhere. All names of `x`
    see the new elements, and so does what was read from it by integers and slices.

    Raises:
        RuntimeError: for a leaf that requires a gradient, outside of `no_grad`; for a result inside
            of `no_grad`; where another Variable looks at the same memory and cannot follow.
        TypeError, ValueError: for a value that does not fit the dtype or the shape.

    Example:
        >>> import autograd
        >>> v = autograd.Variable(3.0, requires_grad=True)
        >>> x = autograd.zeros(3)
        >>> x[1] = v * v
        >>> x.sum().backward()
        >>> x.data, v.grad
        (array([0., 9., 0.]), array(6.))
    """
    index = indexing.checked_index(index)
    value = as_operand("setitem", "value", value)
    mode = current_mode()
    parts = index if type(index) is tuple else (index,)
    if any(isinstance(x, Many) for x in (self._data, unwrap(value), *parts)):
        _assign_batched(self, index, value)
        return
    if _is_leaf(self):
        _update_leaf(self, index, value, recording=mode.recording)
        return
    if self._node is not None and not mode.recording:
        raise RuntimeError(
            "setitem: wanted a constant or a leaf inside no_grad, got the result of recorded "
            "operations, whose gradient would not know; assign outside of no_grad, or to "
            "x.detach().copy()"
        )
    if mode.observers:  # they remember x as it was, and see an operation
        result = new_with(as_now(self), index, value)
        _own_memory(self, index)
        self._data[...], self._node = unwrap(result), recorded(result)
    else:
        constant = self._node is None and not getattr(value, "requires_grad", False)
        if _own_memory(self, index, constant=constant):
            changes.mark(self._data)  # several constants see the new elements, as in NumPy
        _write(self._data, index, unwrap(value))
        nodes = self._node, None, getattr(value, "_node", None) if mode.recording else None
        parents = tuple(filter(None, nodes))
        if parents:
            plan = set_plan(tuple(node is not None for node in nodes))
            values = self._data, indexing.own_index(index), unwrap(value), self._data
            self._node = recorded(record(plan, parents, values, self._data, ()))
    if type(self) is Filled:
        _tell(self, index)


def _assign_batched(x: Any, index: Any, value: Any) -> None:
    """Assign where something differs from example to example: `x` gets new data."""
    if _is_leaf(x):
        raise RuntimeError(
            "setitem: wanted a result of operations inside vmap, got an argument of the function "
            "that is differentiated, or a leaf; write x = x.copy() first"
        )
    _refuse_onlookers(x)
    result = new_with(as_now(x), index, value)
    x._data, x._node = result._data, result._node
    if type(x) is Filled:
        _tell(x, index)


def _refuse_onlookers(x: Any) -> None:
    """Refuse to assign to memory that another Variable looks at, and would not follow."""
    data = x._data
    whole = data.all_elements() if isinstance(data, Many) else data
    if type(x) is Filled and x.readings():
        others = True
    elif isinstance(whole, np.ndarray):
        kinds = _kinds(Variable) - {Past}
        others = any(
            type(v) in kinds and v is not x and _overlap(getattr(v, "_data", None), whole)
            for v in gc.get_objects()
        )
    else:
        others = False
    if others:
        raise RuntimeError(
            "setitem: wanted elements that no other Variable looks at, inside vmap, got some that "
            "one does; assign to the array itself, as in x[i, j] = v, or to a copy"
        )


def _overlap(data: Any, whole: Array) -> bool:
    part = data.all_elements() if isinstance(data, Many) else data
    return isinstance(part, np.ndarray) and owner(part) is owner(whole) and overlap(part, whole)


def _is_leaf(x: Any) -> bool:
    """Tell whether `x` is a leaf, or was one before it was frozen, or is of a class of its own."""
    if x._node is not None:
        return x._node.plan is LEAF or x._node.plan.name == "input"
    return hasattr(x, "_frozen") or type(x) not in (Variable, Filled)


def _update_leaf(x: Any, index: Any, value: Any, *, recording: bool) -> None:
    """Change the data of a leaf."""
    if recording and (x.requires_grad or getattr(value, "requires_grad", False)):
        raise RuntimeError(
            "setitem: wanted a result of operations or a constant, got a leaf; write `with "
            "autograd.no_grad(): x[i] = v` to update it, or x = x.copy() first, for a result that "
            "gradients flow through"
        )
    changes.mark(x.data)
    _write(x.data, index, unwrap(value))


def _write(data: Array, index: Any, value: Any) -> None:
    require_same_kind("setitem", data, value)
    try:
        data[index] = value
    except ValueError as error:
        if "broadcast" not in str(error) and "shape" not in str(error):
            raise
        raise ValueError(
            f"setitem: wanted a value that broadcasts to the shape of x[index], "
            f"{data[index].shape}, got shape {np.shape(value)}"
        ) from None


# -- whose memory it is ----------------------------------------------------------------------------
# Python counts references, so that it is a fact to look up whether somebody else needs the old
# elements: see "sums" in engine/backward.py.


def _holders(x: Any) -> int:
    return references(x._data)


def _viewers(x: Any) -> int:
    return references(x._data.base)


_ALONE = wrap(np.empty(1).view())
_ONE_HOLDER, _ONE_VIEWER = _holders(_ALONE), _viewers(_ALONE)


def _own_memory(x: Any, index: Any, *, constant: bool = False) -> bool:
    """Make `x` filled, and its data such that they can be overwritten at `index`.

    Args:
        x: what is assigned to.
        index: where.
        constant: nothing of it is recorded, nor of the value: other constants may look on.

    Returns:
        Whether others look on: then nothing was made.
    """
    if isinstance(x._data, np.generic):
        x._data = np.array(x._data)
    filled = type(x) is Filled
    saved = _holders(x) > _ONE_HOLDER
    viewed = _viewers(x) > _ONE_VIEWER if filled else x._data.base is not None
    if filled and not saved and not viewed:
        return False
    if (viewed or (saved and not filled)) and _settle_others(x, index, constant=constant):
        return True
    if type(x) is not Filled:
        _fill(x)
    elif not filled and x._filling.source is not None:  # settled, as a reading of another one
        return False
    copied = saved or viewed or not x._data.flags.writeable
    x._data = (np.array(x._data) if copied else x._data).view()
    return False


def _settle_others(x: Any, index: Any, *, constant: bool) -> bool:
    """Find the Variables that look at the memory of `x`. What was read from it, or what it was read
    from, follows from now on; the others must not look at what is overwritten, unless all are
    constant, which is returned.

    This asks Python's garbage collector for all objects (1e6 take 30 ms), in general once for a
    Variable that others look at.
    """
    whole = owner(x._data)
    kinds, seen = _kinds(Variable) - {Past}, False
    for other in [v for v in gc.get_objects() if type(v) in kinds and v is not x]:
        if not hasattr(other, "_data") or owner(other._data) is not whole:
            continue
        if _was_read_from(other, x):
            if type(x) is not Filled:
                _fill(x)
            _as_reading(other, x, other._node.saved[1])
        elif _was_read_from(x, other):
            _own_memory(other, ())  # settles x, too
        elif overlap(other._data, _part(x._data, index)):
            if constant and other._node is None:
                seen = True
                continue
            raise RuntimeError(
                "setitem: wanted elements that no other Variable looks at, got some that one of "
                f"shape {other.shape} looks at, too, and cannot follow; assign to x.copy(), or make"
                " the other one a copy"
            )
    return seen


def _kinds(kind: type[Any]) -> set[type[Any]]:
    return {kind}.union(*map(_kinds, kind.__subclasses__()))


def _was_read_from(reading: Any, x: Any) -> bool:
    """Tell whether `reading` was read from `x` by integers and slices."""
    node = reading._node
    if type(reading) is not Variable or node is None or node.plan.name != "getitem":
        return False
    index = node.saved[1]
    if not names_each_once(index) or len(node.saved[0]) != x._data.ndim:
        return False
    part = x._data[index]
    return bool(part.__array_interface__ == reading._data.__array_interface__)


def _part(data: Array, index: Any) -> Array:
    """Return the elements at `index`, or an array with them among its elements."""
    part = data[index] if names_each_once(index) else data
    return part if isinstance(part, np.ndarray) and part.base is not None else data


def to_fill(data: Array) -> Any:
    """Return a constant Variable over an array that nobody else holds, to assign to."""
    return _fill(wrap(data.view()))


# -- what was read from it -------------------------------------------------------------------------


def _fill(x: Any, source: Filled | None = None, index: Any = None) -> Any:
    x.__class__ = Filled
    x._filling = _Filling(source, index)
    return x


def _as_reading(read: Any, source: Any, index: Any) -> Any:
    """Let `read` follow `source`, and what is assigned to it reach that."""
    read._data = read._data.copy().view()
    readings, key = source._filling.readings, id(read)
    readings[key] = weakref.ref(read, lambda _: readings.pop(key, None))
    return _fill(read, source, index)


def _tell(x: Filled, index: Any) -> None:
    """Tell what was read from `x`, and what it was read from, of an assignment at `index`."""
    for reading in x.readings():
        _read_again(reading, x, index)
    filling = x._filling
    source, filling.source = filling.source, None  # it need not be read again
    if source is not None:
        try:
            source[filling.index] = as_now(x)
        finally:
            filling.source = source


def _read_again(reading: Filled, x: Filled, index: Any) -> None:
    where = reading._filling
    if where.source is not None and overlap(x._data[where.index], _part(x._data, index)):
        fresh = indexing.getitem(x, where.index)
        reading._data, reading._node = fresh._data.copy().view(), fresh._node
        for inner in reading.readings():
            _read_again(inner, reading, ...)


Variable.__setitem__ = _setitem
