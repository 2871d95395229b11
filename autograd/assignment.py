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

from autograd.arrays import Array, Many, is_foreign, kind_of, overlap, owner, references
from autograd.engine.backward import mark_changed
from autograd.engine.graph import LEAF, Node, record, recorded, unwrap, wrap
from autograd.engine.mode import current_mode
from autograd.engine.primitive import PRIMITIVES
from autograd.ops import indexing
from autograd.ops.assignment import as_value, require_same_kind, set_plan
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
        if type(read) is not Variable or not np.may_share_memory(read._data, self._data):
            return read
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
        if not self._filling.readings:
            return []
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
    if type(value) is not Filled and id(getattr(value._data, "base", None)) in _FILLED:
        past._data = value._data.copy()  # what is read from an array to fill may be a view
    return past


class _Filling:
    """Where a filled Variable was read from, and what was read from it."""

    __slots__ = ("index", "readings", "since", "source")

    def __init__(self, source: Filled | None = None, index: Any = None) -> None:
        self.source, self.index = source, index
        self.since: list[Any] = []  # an object that is older than all that look at its memory
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
    if is_foreign(self._data):
        raise TypeError(
            f"x[i] = v: wanted a Variable over an array of NumPy, got {kind_of(self._data)}; write "
            "x = autograd.set_at(x, i, v), which returns a new array"
        )
    index, value = indexing.checked_index(index, "setitem"), as_value("setitem", value)
    mode = current_mode()
    parts = index if type(index) is tuple else (index,)
    if any(isinstance(x, Many) for x in (self._data, unwrap(value), *parts)):  # no name holds them
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
    if not all(getattr(o, "in_place", False) for o in mode.observers):
        # They remember x as it was, and see an operation.
        result = new_with(as_now(self), index, value)
        _own_memory(self)
        _settle_family(self, index)
        self._data[...], self._node = unwrap(result), recorded(result)
        _tell_observers(self, result)
    else:
        constant = self._node is None and not getattr(value, "requires_grad", False)
        if _own_memory(self, constant=constant):
            mark_changed(self._data)  # several constants see the new elements, as in NumPy
        if type(self) is Filled:
            _settle_family(self, index)
        _write(self._data, index, unwrap(value))
        nodes = self._node, None, getattr(value, "_node", None) if mode.recording else None
        parents = tuple(filter(None, nodes))
        if parents:
            plan = set_plan(tuple(node is not None for node in nodes))
            index = indexing.own_index(index)
            values = self._data, index, unwrap(value), self._data
            self._node = recorded(record(plan, parents, values, self._data, (None, index, None)))
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
    whole = _elements(x._data)
    if type(x) is Filled and x.readings():
        others = True
    elif _holders(x) > _ONE_HOLDER or references(whole) > _ONE_ELEMENTS or whole.base is not None:
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


def _elements(data: Any) -> Any:
    return data.all_elements() if isinstance(data, Many) else data


def _overlap(data: Any, whole: Array) -> bool:
    part = _elements(data)
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
    mark_changed(x.data)
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


def _is_viewed(x: Any) -> bool:
    """Tell whether something looks at the memory of `x` besides its own array."""
    if x._data.base is None:  # in a name of its own it would have one reference more
        return False
    return getattr(x._data.base, "base", x) is not None or _viewers(x) > _ONE_VIEWER


_ALONE = wrap(np.empty(1).view())
_ONE_HOLDER, _ONE_VIEWER = _holders(_ALONE), _viewers(_ALONE)


def _references_to_elements() -> int:
    """Count what `_refuse_onlookers` finds where nobody else looks at the elements."""
    holder = wrap(np.empty(1))
    whole = _elements(holder._data)
    return references(whole)


_ONE_ELEMENTS = _references_to_elements()


def _own_memory(x: Any, *, constant: bool = False) -> bool:
    """Make `x` filled, and its data such that they can be overwritten.

    Args:
        x: what is assigned to.
        constant: nothing of it is recorded, nor of the value: other constants may look on.

    Returns:
        Whether others look on: then nothing was made.
    """
    if isinstance(x._data, np.generic):
        x._data = np.array(x._data)
    filled = type(x) is Filled
    saved = _holders(x) > _ONE_HOLDER
    viewed = _is_viewed(x)
    if filled and not saved and not viewed:
        return False
    if (viewed or (saved and not filled)) and _settle_others(x, constant=constant):
        return True
    if type(x) is not Filled:
        _fill(x)
    elif not filled and x._filling.source is not None:  # settled, as a reading of another one
        return False
    copied = saved or viewed or not x._data.flags.writeable
    _give(x, np.array(x._data) if copied else x._data)
    return False


# Arrays that filled Variables own, by identity.
_FILLED: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def _give(x: Filled, data: Array) -> None:
    """Make `data`, which nobody else owns, the memory of `x`."""
    x._data, x._filling.since = data.view(), []
    _FILLED[id(data)] = data


def _settle_others(x: Any, *, constant: bool = False) -> bool:
    """Find the Variables that look at the memory of `x`. What was read from it, or what it was read
    from, follows from now on; others cannot, and nothing is changed. They may be there where all
    are constant, which is returned.

    What follows has memory of its own, so that this is done once, in general.
    """
    whole = owner(x._data)
    others = [v for v in _look_around(x) if hasattr(v, "_data") and owner(v._data) is whole]
    others = [v for v in others if v is not x and overlap(v._data, x._data)]
    for source in others:
        if _was_read_from(x, source):
            _own_memory(source)  # settles x, too
            return False
    family: list[tuple[Any, Any]] = [(x, None)]
    for read, _ in family:  # which grows
        found = [v for v in others if _was_read_from(v, read)]
        family += [(v, read) for v in found]
        others = [v for v in others if all(v is not f for f in found)]
    if others and constant and all(v._node is None for v in others):
        return True
    if others:
        raise RuntimeError(
            "setitem: wanted elements that no other Variable looks at, got some that one of shape "
            f"{others[0].shape} looks at, too, and cannot follow; assign to x.copy(), or make the "
            "other one a copy"
        )
    for read, source in family[1:]:
        if type(source) is not Filled:
            _fill(source)
        _as_reading(read, source, read._node.saved[1])
    return False


def _look_around(x: Any) -> list[Any]:
    """List the Variables that may look at the memory of `x`, and others.

    This asks Python's garbage collector for objects, all of which would take 30 ms for 1e6 of them.
    But who looks at memory is younger than the node that it was made for, and objects grow old
    together: as long as that node is among the young ones, so are they (0.03 ms).
    """
    kinds = _kinds(Variable) - {Past}
    oldest = x._filling.since if type(x) is Filled else _maker(x)
    found: list[Any] = []
    for generation in () if oldest is None else (0, 1):
        objects = gc.get_objects(generation)
        found += [v for v in objects if type(v) in kinds]
        if any(v is oldest for v in objects):
            return found
    return [v for v in gc.get_objects() if type(v) in kinds]


# Operations whose result may be a view of their operand, or the operand itself.
# fmt: off
_SHARING = frozenset({
    "astype", "broadcast_to", "diagonal", "einsum", "einsum_diagonals", "expand_dims", "flip",
    "getitem", "imag", "output", "real", "reshape", "rot90", "squeeze", "swapaxes", "transpose",
})
# fmt: on


def _maker(x: Any) -> Node | None:
    """Return the node of the operation that the memory of `x` was made by; None where that is not
    known.
    """
    node = x._node
    while node is not None and node.plan.name in _SHARING:
        node = node.parents[0] if node.parents else None
    if node is None or node.plan.name == "set_at":
        return None
    return node if PRIMITIVES.get(node.plan.name) is node.plan.primitive else None


def _kinds(kind: type[Any]) -> set[type[Any]]:
    return {kind}.union(*map(_kinds, kind.__subclasses__()))


def _was_read_from(reading: Any, x: Any) -> bool:
    """Tell whether `reading` was read from `x` by integers and slices."""
    node = reading._node
    if type(reading) is not Variable or node is None or node.plan.name != "getitem":
        return False
    index = node.saved[1]
    if not names_each_once(index) or node.saved[0] != x._data.shape:
        return False
    part = x._data[index]
    return bool(part.__array_interface__ == reading._data.__array_interface__)


def _part(data: Array, index: Any) -> Array:
    """Return the elements at `index`, or an array with them among its elements."""
    part = data[index] if names_each_once(index) else data
    return part if isinstance(part, np.ndarray) and part.base is not None else data


def to_fill(data: Array) -> Any:
    """Return a constant Variable over an array that nobody else holds, to assign to."""
    x = _fill(wrap(data))
    _give(x, data)
    return x


# -- what was read from it -------------------------------------------------------------------------


def _fill(x: Any, source: Filled | None = None, index: Any = None) -> Any:
    x.__class__ = Filled
    x._filling = _Filling(source, index)
    return x


def _as_reading(read: Any, source: Any, index: Any) -> Any:
    """Let `read` follow `source`, and what is assigned to it reach that."""
    readings, key = source._filling.readings, id(read)
    readings[key] = weakref.ref(read, lambda _: readings.pop(key, None))
    _fill(read, source, index)
    _give(read, read._data.copy())
    return read


def _settle_family(x: Filled, index: Any, told: Any = None) -> None:
    """Settle those that look at what will be told of an assignment to `x` at `index`: see `_tell`.
    It is done before anything is written.
    """
    for reading in x.readings():
        if reading is told or not _follows(reading, x, index):
            continue
        if _holders(reading) > _ONE_HOLDER or _is_viewed(reading):
            _settle_others(reading)
        _settle_family(reading, ..., told=x)
    source = x._filling.source
    if source is not None and source is not told:
        _own_memory(source)
        _settle_family(source, x._filling.index, told=x)


def _follows(reading: Filled, x: Filled, index: Any) -> bool:
    """Tell whether what was read from `x` is among what is assigned at `index`."""
    where = reading._filling
    return where.source is not None and overlap(x._data[where.index], _part(x._data, index))


def _tell_observers(x: Any, result: Any) -> None:
    """Tell those who trace a program that `x` stands for another value of it from now on."""
    for observe in current_mode().observers:
        if hasattr(observe, "alias"):
            observe.alias(x, result)


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
    if _follows(reading, x, index):
        fresh = indexing.getitem(x, reading._filling.index)
        reading._node = fresh._node
        _give(reading, fresh._data.copy())
        _tell_observers(reading, fresh)
        for inner in reading.readings():
            _read_again(inner, reading, ...)


Variable.__setitem__ = _setitem
