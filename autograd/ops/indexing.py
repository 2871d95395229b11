"""Reading elements and its adjoint, scattering: each is the other's derivative.

An index is data of its own: integers and booleans carry no gradient, so a Variable in an index is
read like the array it holds. Reading names elements, and elements that are named twice get the sum
of both gradients. Imports `calls`, `elementwise`, `plain` and NumPy.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.arrays import (
    Many,
    UnreadError,
    in_chunks,
    is_array,
    is_foreign,
    moved,
    references,
)
from autograd.engine import graph
from autograd.engine.backward import cast
from autograd.engine.calls import as_operand, concrete, holds, holds_variable, primitive
from autograd.engine.graph import Deferred, record
from autograd.engine.mode import current_mode
from autograd.ops import elementwise, plain

__all__ = [
    "bincount",
    "choose",
    "compress",
    "extract",
    "getitem",
    "select",
    "take",
    "take_along_axis",
]

_BASIC = (int, slice, type(None), type(Ellipsis), np.integer)
_FEW = 256
_AS_IS = frozenset({int, slice, type(None), type(Ellipsis), np.ndarray, np.int64})


def names_each_once(index: Any) -> bool:
    """Tell whether an index names each element at most once: slices, integers, None, ..., masks."""
    if type(index) is tuple:
        return all(isinstance(i, _BASIC) for i in index)
    if isinstance(index, _BASIC):
        return True
    is_mask = isinstance(index, (np.ndarray, graph.Variable)) or is_foreign(index)
    return is_mask and bool(index.dtype.kind == "b")


def checked_index(index: Any, what: str = "getitem") -> Any:
    """Return an index unwrapped, and as it is while a program is traced that shall name what is in
    it; refuse one that requires a gradient.
    """
    unwrapped = _plain_index(index, what)
    unknown = current_mode().tracing or isinstance(unwrapped, Many)
    return index if unknown and holds_variable(index) else unwrapped


def _plain_index(index: Any, what: str = "getitem") -> Any:
    """Unwrap Variables and convert lists, so that later changes of them do not matter.

    Raises:
        TypeError: for a Variable that requires a gradient: an index has none.
    """
    kind = type(index)
    if kind in _AS_IS:
        return index
    if kind is tuple:
        return tuple([_plain_index(i, what) for i in index])
    if isinstance(index, graph.Variable):
        if index._node is not None:
            msg = (
                f"{what}: wanted integers or booleans as index, got a Variable of dtype "
                f"{index.dtype} that requires a gradient; write index.astype(int)"
            )
            raise TypeError(msg)
        return index._data
    if kind is list:
        array = np.asarray([_plain_index(i, what) for i in index])
        return array if array.size else array.astype(np.intp)
    return index


def own_index(index: Any) -> Any:
    """Return an index of which nobody can change the arrays until the backward pass."""
    if type(index) is tuple:
        return tuple([own_index(i) for i in index])
    is_array = type(index) is np.ndarray or (type(index) not in _AS_IS and is_foreign(index))
    return index.copy() if is_array else index


class _Places:
    """Counts the references to an index that its caller does not keep, as in `x[mask > 0]`."""

    def __getitem__(self, index: Any) -> int:
        given = index
        return references(index) if given is index else 0


_REFERENCES_TO_AN_INDEX = _Places()[np.empty(0)]


def shape_of(x: Any) -> tuple[int, ...]:
    """Return the shape of anything array-like; np.shape would take 2 us on a Variable."""
    return x.shape if hasattr(x, "shape") else np.shape(x)


# -- reading and scattering ------------------------------------------------------------------------


def _read(x: Any, index: Any) -> Any:
    if type(index) is type(x) is np.ndarray and index.dtype.kind == "i" and x.ndim:
        return x.take(index, 0)  # twice as fast as x[index]
    return x[index]


def _add(total: Any, index: Any, value: Any) -> None:
    """Add `value` to `total[index]` in place, each of several values for one element."""
    if names_each_once(index):
        total[index] += value
        return
    # np.add.at is four times as fast on one axis as on rows (10^5 rows of 16: 2.7 ms to 11 ms).
    if value.size > _FEW and total.flags.c_contiguous and total.ndim > 1:
        places: Any = None
        if isinstance(index, np.ndarray):
            rows = np.where(index < 0, index + total.shape[0], index)
            row = total.size // total.shape[0]
            places = rows[..., None] * row + np.arange(row)
        elif 4 * value.size > total.size:
            places = np.arange(total.size).reshape(total.shape)[index]
        if places is not None:
            np.add.at(total.reshape(-1), places.reshape(-1), value.reshape(-1))
            return
    np.add.at(total, index, value)


def _spread_out(value: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of `shape` with `value` added at `index`, of arrays without `np.add.at`: what
    goes to each place is counted, weighted.
    """
    size = math.prod(shape)
    places = moved(np.arange(size).reshape(shape), value)[index]
    value, places = np.broadcast_to(value, places.shape).reshape(-1), places.reshape(-1)
    places = in_chunks(places, value)
    parts = (value.real, value.imag) if value.dtype.kind == "c" else (value,)
    sums = [np.bincount(places, weights=part, minlength=size).reshape(shape) for part in parts]
    return sums[0] if len(sums) == 1 else sums[0] + 1j * sums[1]


@primitive(
    joint=lambda g, indices, wanted: [
        g[index] if want else None for index, want in zip(indices, wanted, strict=False)
    ],
    linear=True,
    nondiff=("indices",),
    name="scatter",
)
def scatter_all(*values: Any, indices: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Return zeros of `shape` with each of `values` added at its index; duplicates add up."""
    total = np.zeros_like(values[0], shape=shape)
    if type(total) is not np.ndarray and is_foreign(total):
        return _scattered(total, values, indices)
    if len(values) == 1 and names_each_once(indices[0]):
        total[indices[0]] = values[0]
        return total
    for index, value in zip(indices, values, strict=True):
        _add(total, index, value)
    return total


def _scattered(total: Any, values: Sequence[Any], indices: Sequence[Any]) -> Any:
    """Do what `scatter_all` does on arrays of other libraries, whose views may be copies."""
    for index, value in zip(indices, values, strict=True):
        if names_each_once(index):
            part = np.zeros_like(total)
            if not is_array(index):  # new axes are no places
                index = index if type(index) is tuple else (index,)
                index = tuple(i for i in index if i is not None)
                value = value.reshape(part[index].shape)
            part[index] = value
        else:
            part = _spread_out(value, index, total.shape).astype(total.dtype)
        total = part if len(values) == 1 else total + part
    return total


class _Scatter(Deferred):
    """Values at indices of an otherwise zero array: what reading returns as its cotangent, so that
    n readings cost O(n).

    Sums of raw arrays are written out at the second reading. Sums of Variables (create_graph) are
    kept as a list, with what else is to be added as `dense`, and become one node.
    """

    __slots__ = ("dense", "dtype", "indices", "recorded", "shape", "values")
    recorded: bool

    def __init__(self, value: Any, index: Any, shape: tuple[int, ...]) -> None:
        self.values = [value]
        self.indices = [index]
        self.shape = shape
        self.dtype = value.dtype
        self.recorded = isinstance(value, graph.Variable)
        self.dense: Any = None

    def materialize(self) -> Any:
        """Write out the full array (recorded, where the values are Variables)."""
        total = scatter_all(*self.values, indices=tuple(self.indices), shape=self.shape)
        return total if self.dense is None else self.dense + total

    def add_into(self, total: Any) -> None:
        """Add to `total`, an array that nobody else holds, in place."""
        for index, value in zip(self.indices, self.values, strict=True):
            _add(total, index, value)

    def __add__(self, other: Any) -> Any:
        """Go on with this as the running total."""
        if not isinstance(other, _Scatter):
            return other + self
        if self.recorded or other.recorded:
            self.recorded = True
            self.values += other.values
            self.indices += other.indices
            return self
        total = self.materialize()
        if type(total) is not np.ndarray and is_foreign(total):
            return total + other.materialize()
        other.add_into(total)
        return total

    def __radd__(self, other: Any) -> Any:
        """Add to a running total that is an array or a Variable."""
        if self.recorded or isinstance(other, graph.Variable):
            self.recorded = True
            self.dense = other if self.dense is None else self.dense + other
            return self
        if type(other) is not np.ndarray and is_foreign(other):
            return other + self.materialize()
        total = np.array(other)
        self.add_into(total)
        return total

    def astype(self, dtype: np.dtype[Any]) -> _Scatter:
        """Cast the values."""
        (value,), (index,) = self.values, self.indices
        return _Scatter(cast(value, dtype), index, self.shape)


def scatter(values: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of `shape` with `values` added at `index`: the adjoint of `x[index]`."""
    return scatter_all(values, indices=(index,), shape=shape)


@primitive(
    x=lambda g, x_shape, index: _Scatter(g, index, x_shape),
    linear=True,
    makes_zeros=True,
    deferred=True,
    nondiff=("index",),
    name="getitem",
)
def _getitem(x: Any, index: Any) -> Any:
    return _read(x, index)


_GETITEM = _getitem.primitive
_look_up = plain.plain(_read, name="getitem")  # in an array without a gradient


def getitem(x: Any, index: Any) -> Any:
    """Return `x[index]`: basic, advanced and boolean indices, None and Ellipsis.

    n readings of one array of n rows cost O(n), forward and backward: the gradients are added
    where they belong, without an array of zeros for each. Elements read twice get both gradients.
    """
    given = index
    if type(index) not in _AS_IS:
        index = _plain_index(index)
        given = given if current_mode().tracing else index  # see `checked_index`
    if isinstance(x, graph.Variable):  # without the general treatment of arguments
        data = x._data
        try:
            out = _read(data, index) if type(index) is np.ndarray else data[index]
        except UnreadError as reading:
            return reading.answer(_GETITEM, [x, index])
        node = x._node
        if node is None:
            return record(_GETITEM.constant, (), (), out, (x, given))
        if type(index) is tuple:
            index = own_index(index)
        elif type(index) is np.ndarray:
            held = references(index) > _REFERENCES_TO_AN_INDEX  # by the caller, who may change it
            index = index.copy() if held or index.base is not None else index
        return record(_GETITEM.first, (node,), (data, index, out), out, (x, given))
    x = as_operand("getitem", "x", x)
    if isinstance(x, graph.Variable):
        return getitem(x, given)
    if given is not index and holds_variable(given):
        return _look_up(x, given)
    try:
        return x[index]
    except UnreadError as reading:
        return reading.answer(_GETITEM, [x, index])


# -- NumPy's functions of reading ------------------------------------------------------------------


def as_integers(name: str, indices: Any) -> Any:
    """Return indices, also in lists, as an integer array; as a Variable where they are one and a
    program is traced.
    """
    given = checked_index(indices, name)
    if isinstance(given, (list, tuple)):
        given = as_operand(name, "indices", given)
    given = given if hasattr(given, "dtype") else np.asarray(given)
    if given.size == 0 and given.dtype == float:  # an empty list
        return given.astype(np.intp)
    if given.dtype.kind not in "iub":
        msg = f"{name}: wanted integer indices, got dtype {given.dtype}; write indices.astype(int)"
        raise TypeError(msg)
    return given.astype(np.intp) if given.dtype == bool else given


def normal_axis(name: str, axis: Any, ndim: int) -> int:
    """Return `axis` counted from the front."""
    number = operator.index(axis)
    if not -ndim <= number < ndim:
        msg = f"{name}: wanted an axis in [{-ndim}, {ndim}), got {number}"
        raise ValueError(msg)
    return number % ndim


def take(a: Any, indices: Any, axis: Any = None, *, mode: str = "raise") -> Any:
    """Take the elements of `a` at `indices` along `axis`; None reads `a` flattened.

    Args:
        a: array of shape (..., n, ...).
        indices: integers of any shape S, also lists; the result has S in the place of the axis.
        axis: where n is; None for all of `a` as one axis.
        mode: "raise" for indices outside [-n, n), or "wrap" them around, or "clip" them to [0, n).
    """
    a = as_operand("take", "a", a)
    indices = as_integers("take", indices)
    if axis is None or not shape_of(a):
        a = np.reshape(a, (-1,)) if len(shape_of(a)) != 1 else a
        axis = 0 if axis is None else axis
    axis = normal_axis("take", axis, len(shape_of(a)))
    if mode == "wrap":
        indices = indices % shape_of(a)[axis]
    elif mode == "clip":
        indices = np.clip(indices, 0, shape_of(a)[axis] - 1)
    elif mode != "raise":
        msg = f"take: wanted mode 'raise', 'wrap' or 'clip', got {mode!r}"
        raise ValueError(msg)
    return getitem(a, (slice(None),) * axis + (indices,))


def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """Take elements by an array of indices that runs along with `arr`, as `argsort` returns it.

    Args:
        arr: array of shape (..., n, ...).
        indices: integers of shape (..., m, ...), broadcasting against `arr` outside the axis.
        axis: where n and m are; None for both flattened.
    """
    arr = as_operand("take_along_axis", "arr", arr)
    indices = as_integers("take_along_axis", indices)
    if axis is None:
        arr = np.reshape(arr, (-1,))
        axis = 0
    if len(shape_of(arr)) != indices.ndim:
        msg = (
            f"take_along_axis: wanted indices with {len(shape_of(arr))} axes like x, got shape "
            f"{indices.shape}"
        )
        raise ValueError(msg)
    axis = normal_axis("take_along_axis", axis, len(shape_of(arr)))
    return getitem(arr, along(shape_of(arr), indices, axis))


def along(shape: tuple[int, ...], indices: Any, axis: int) -> tuple[Any, ...]:
    """Return the index that reads `indices` along `axis` and every other axis in order."""
    ones = [1] * len(shape)
    return tuple(
        indices if i == axis else np.arange(n).reshape([*ones[:i], n, *ones[i + 1 :]])
        for i, n in enumerate(shape)
    )


def compress(condition: Any, a: Any, axis: Any = None) -> Any:
    """Take the slices of `a` along `axis` (None: of `a` flattened) where `condition` holds."""
    return take(a, plain.flatnonzero(condition), axis=axis)


def extract(condition: Any, arr: Any) -> Any:
    """Take the elements of `arr` where `condition` holds, flattened."""
    return take(arr, plain.flatnonzero(condition))


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Count each integer of `x`, or sum the weights of each.

    Args:
        x: non-negative integers (n,).
        weights: what to sum instead of ones, (n,); each gets the gradient of its bin.
        minlength: least length of the result, which otherwise is max(x) + 1.
    """
    places = concrete(as_integers("bincount", x), "bincount")  # which say how long the result is
    if weights is None:
        return np.bincount(places, minlength=minlength)
    weights = as_operand("bincount", "weights", weights)
    if places.ndim != 1 or shape_of(weights) != places.shape or (places < 0).any():
        msg = (
            f"bincount: wanted non-negative integers (n,) and weights (n,), got shapes "
            f"{places.shape} and {shape_of(weights)}"
        )
        raise ValueError(msg)
    count = max(int(places.max(initial=-1)) + 1, minlength)
    return scatter(weights, places, (count,))


# -- choosing among arrays -------------------------------------------------------------------------


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Take each element from the first of `choicelist` whose condition holds, else `default`.

    Choices that were not taken get a gradient of exactly zero.
    """
    if len(condlist) != len(choicelist) or not condlist:
        msg = (
            f"select: wanted as many choices as conditions, and at least one, got "
            f"{len(condlist)} conditions and {len(choicelist)} choices"
        )
        raise ValueError(msg)
    conditions = [as_operand("select", "condlist", c) for c in condlist]
    conditions = [c if hasattr(c, "dtype") else np.asarray(c) for c in conditions]
    if any(c.dtype != bool for c in conditions):
        msg = "select: wanted boolean conditions, got numbers; compare them first, as in x > 0"
        raise TypeError(msg)
    out = default
    for condition, choice in zip(reversed(conditions), reversed(choicelist), strict=True):
        out = elementwise.where(condition, choice, out)
    return out


def choose(a: Any, choices: Any, *, mode: str = "raise") -> Any:
    """Take each element from the array of `choices` whose number is in `a`.

    Args:
        a: integers in [0, len(choices)), broadcasting with the choices.
        choices: a sequence of arrays, or an array of which the first axis counts.
        mode: what happens to other integers: "raise", "wrap" around or "clip".
    """
    which = as_integers("choose", a)
    count = len(choices)
    if mode == "wrap":
        which = which % count
    elif mode == "clip":
        which = np.clip(which, 0, count - 1)
    elif mode != "raise":
        msg = f"choose: wanted mode 'raise', 'wrap' or 'clip', got {mode!r}"
        raise ValueError(msg)
    elif holds(((which < 0) | (which >= count)).any(), traced=False):
        low, high = int(np.min(which)), int(np.max(which))
        raise ValueError(f"choose: wanted integers in [0, {count}), got {low} to {high}")
    out = elementwise.where(which == 0, choices[0], choices[0])
    for i in range(1, count):
        out = elementwise.where(which == i, choices[i], out)
    return out
