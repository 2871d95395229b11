"""Joining and splitting arrays: each is the other's derivative.

Parts of a split are views that read the array; parts nobody uses cost nothing backward. Imports
`calls`, `indexing`, `shaping` and NumPy.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.engine import graph
from autograd.engine.calls import as_operand, concrete, primitive
from autograd.ops.indexing import as_integers, getitem, normal_axis, shape_of, take
from autograd.ops.shaping import (
    astype,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_to,
    moveaxis,
    ravel,
    reshape,
)

__all__ = [
    "append",
    "array_split",
    "block",
    "column_stack",
    "concat",
    "concatenate",
    "delete",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "insert",
    "row_stack",
    "split",
    "stack",
    "unstack",
    "vsplit",
    "vstack",
]

# -- joining ---------------------------------------------------------------------------------------


def _split_back(g: Any, arrays_shape: tuple[Any, ...], axis: int, wanted: tuple[bool, ...]) -> Any:
    """Cut `g` where the arrays met; one rule for all, so that n arrays cost O(n)."""
    before = (slice(None),) * (axis % g.ndim)
    parts = []
    start = 0
    for shape, want in zip(arrays_shape, wanted, strict=False):  # wanted has the keywords, too
        stop = start + shape[axis]
        parts.append(g[(*before, slice(start, stop))] if want else None)
        start = stop
    return parts


@primitive(joint=_split_back, linear=True, name="concatenate")
def _concatenate(*arrays: Any, axis: int = 0, dtype: Any = None, casting: str = "same_kind") -> Any:
    if dtype is None and casting == "same_kind":  # which other libraries may not know
        return np.concatenate(arrays, axis=axis)
    return np.concatenate(arrays, axis=axis, dtype=dtype, casting=casting)  # type: ignore[call-overload]


def _unstack_back(g: Any, axis: int, wanted: tuple[bool, ...]) -> Any:
    """Hand each array its slice of `g`."""
    before = (slice(None),) * (axis % g.ndim)
    return [g[(*before, i)] if want else None for i, want in enumerate(wanted)]


@primitive(joint=_unstack_back, linear=True, name="stack")
def stack_arrays(*arrays: Any, axis: int = 0, dtype: Any = None, casting: str = "same_kind") -> Any:
    if dtype is None and casting == "same_kind":
        return np.stack(arrays, axis=axis)
    return np.stack(arrays, axis=axis, dtype=dtype, casting=casting)  # type: ignore[call-overload]


def _parts(name: str, arrays: Any) -> list[Any]:
    """Return the arrays of a sequence, or the rows of an array."""
    parts = [as_operand(name, "arrays", a) for a in arrays]
    if not parts:
        msg = f"{name}: wanted at least one array, got an empty sequence"
        raise ValueError(msg)
    return parts


def concatenate(
    arrays: Any, axis: int | None = 0, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    """Join arrays along an axis that they have.

    Args:
        arrays: a sequence of arrays of equal shape but for the axis.
        axis: where to join; None joins the flattened arrays.
        dtype: of the result; by default what the arrays promote to.
        casting: which conversions to `dtype` are allowed.
    """
    parts = _parts("concatenate", arrays)
    if axis is None:
        parts = [ravel(a) for a in parts]
        axis = 0
    require_floating("concatenate", parts, dtype)
    return _concatenate(*parts, axis=axis, dtype=dtype, casting=casting)


concat = concatenate


def require_floating(name: str, parts: Sequence[Any], dtype: Any) -> None:
    """Refuse an integer result that would drop gradients."""
    if dtype is None or np.dtype(dtype).kind in "fc":
        return
    if any(isinstance(p, graph.Variable) and p.requires_grad for p in parts):
        msg = (
            f"{name}: wanted a floating dtype for Variables that require a gradient, got "
            f"{np.dtype(dtype)}; convert the result with .astype()"
        )
        raise TypeError(msg)


def stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Join arrays of one shape along a new axis, whose place in the result is `axis`."""
    parts = _parts("stack", arrays)
    require_floating("stack", parts, dtype)
    return stack_arrays(*parts, axis=axis, dtype=dtype, casting=casting)


def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Join along the first axis; vectors (n,) count as rows (1, n)."""
    rows = [atleast_2d(a) for a in _parts("vstack", tup)]
    return concatenate(rows, 0, dtype=dtype, casting=casting)


row_stack = vstack


def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Join along the second axis, vectors along their only one."""
    parts = [atleast_1d(a) for a in _parts("hstack", tup)]
    return concatenate(parts, int(parts[0].ndim > 1), dtype=dtype, casting=casting)


def dstack(tup: Any) -> Any:
    """Join along the third axis; (n,) counts as (1, n, 1), (m, n) as (m, n, 1)."""
    return concatenate([atleast_3d(a) for a in _parts("dstack", tup)], 2)


def column_stack(tup: Any) -> Any:
    """Join along the second axis; vectors (n,) count as columns (n, 1)."""
    columns = [
        reshape(a, (-1, 1)) if len(shape_of(a)) < 2 else a for a in _parts("column_stack", tup)
    ]
    return concatenate(columns, 1)


def block(arrays: Any) -> Any:
    """Join nested lists of arrays: innermost lists along the last axis, outer ones before it."""
    depth = _depth(arrays)

    def leaves(value: Any) -> list[Any]:
        return [x for v in value for x in leaves(v)] if isinstance(value, list) else [value]

    ndim = max(depth, *(len(shape_of(x)) for x in leaves(arrays)))

    def join(value: Any, axis: int) -> Any:
        if isinstance(value, list):
            return concatenate([join(v, axis + 1) for v in value], axis)
        value = as_operand("block", "arrays", value)
        shape = shape_of(value)
        return value if len(shape) == ndim else reshape(value, (1,) * (ndim - len(shape)) + shape)

    return join(arrays, -depth) if depth else join(arrays, 0) + 0


def _depth(value: Any) -> int:
    """Return how deep lists are nested; the same everywhere."""
    if not isinstance(value, list):
        if isinstance(value, tuple):
            msg = "block: wanted nested lists of arrays, got a tuple; write lists"
            raise TypeError(msg)
        return 0
    depths = {_depth(v) for v in value}
    if len(depths) != 1:
        msg = f"block: wanted lists of equal depth, none of them empty, got depths {sorted(depths)}"
        raise ValueError(msg)
    return 1 + depths.pop()


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Join `values` to the end of `arr` along `axis`; None flattens both."""
    return concatenate((arr, values), axis)


# -- inserting and deleting ------------------------------------------------------------------------


def _flat_or_axis(name: str, x: Any, axis: Any) -> tuple[Any, int]:
    x = as_operand(name, "x", x)
    if axis is None:
        return (x if len(shape_of(x)) == 1 else ravel(x)), 0
    return x, normal_axis(name, axis, len(shape_of(x)))


def _plain_places(name: str, places: Any) -> Any:
    """Return what insert and delete take as places: a slice, an integer or integers."""
    if isinstance(places, slice):
        return places
    places = np.asarray(concrete(places, name))
    # A mask counts as the places where it holds, in old versions of NumPy, too.
    if places.dtype == bool and places.ndim:
        return np.flatnonzero(places)
    return as_integers(name, places)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Insert `values` before the places `obj` of `arr`.

    Args:
        arr: the array.
        obj: an integer, a slice, several integers or a mask, counted in `arr` as it is.
        values: what to insert, broadcasting to the places; converted to the dtype of `arr`.
        axis: along which; None flattens `arr`.
    """
    arr, axis = _flat_or_axis("insert", arr, axis)
    places = _plain_places("insert", obj)
    shape = shape_of(arr)
    # Where each inserted slice goes, found on row numbers: those of `values` count on from n.
    rows = np.arange(shape[axis])
    single = not isinstance(places, slice) and np.ndim(places) == 0
    values = as_operand("insert", "values", values)
    lacking = len(shape) - len(shape_of(values))
    if lacking > 0:
        values = reshape(values, (1,) * lacking + shape_of(values))
    if single:
        values = moveaxis(values, 0, axis)
        count = shape_of(values)[axis]
    elif not isinstance(places, slice) and np.size(places) == 1:
        count = shape_of(values)[axis]
    else:
        count = len(np.insert(rows, places, 0)) - len(rows)
    if not np.can_cast(values.dtype, arr.dtype, "same_kind"):
        msg = (
            f"insert: wanted values that fit {arr.dtype}, got {values.dtype}; convert the array "
            f"first, as in x.astype(float)"
        )
        raise TypeError(msg)
    values = broadcast_to(values, (*shape[:axis], count, *shape[axis + 1 :]))
    if values.dtype != arr.dtype:
        values = astype(values, arr.dtype)
    order = np.insert(rows, places, np.arange(shape[axis], shape[axis] + count))
    return take(concatenate((arr, values), axis), order, axis)


def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """Return `arr` without the places `obj`: an integer, a slice, several integers or a mask."""
    arr, axis = _flat_or_axis("delete", arr, axis)
    kept = np.delete(np.arange(shape_of(arr)[axis]), _plain_places("delete", obj))
    return take(arr, kept, axis)


# -- splitting -------------------------------------------------------------------------------------


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut `ary` along `axis` into parts, views all of them.

    Args:
        ary: the array.
        indices_or_sections: how many parts, the first ones longer where it does not come out even;
            or a sequence of the places to cut at.
        axis: along which.
    """
    ary = as_operand("array_split", "ary", ary)
    axis = normal_axis("array_split", axis, len(shape_of(ary)))
    total = shape_of(ary)[axis]
    where = concrete(indices_or_sections, "array_split")
    if np.ndim(where):
        cuts = [0, *map(int, where), total]
    else:
        sections = int(where)
        if sections < 1:
            msg = f"array_split: wanted at least one part, got {sections}"
            raise ValueError(msg)
        each, longer = divmod(total, sections)
        cuts = [i * each + min(i, longer) for i in range(sections + 1)]
    before = (slice(None),) * axis
    return [getitem(ary, (*before, slice(start, stop))) for start, stop in itertools.pairwise(cuts)]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut `ary` along `axis` into equal parts, or at the given places; see `array_split`.

    Raises:
        ValueError: for a number of parts that does not divide the length of the axis.
    """
    ary = as_operand("split", "ary", ary)
    if not np.ndim(indices_or_sections):
        total = shape_of(ary)[normal_axis("split", axis, len(shape_of(ary)))]
        if total % int(concrete(indices_or_sections, "split")):
            msg = (
                f"split: wanted a number of parts that divides {total}, got "
                f"{indices_or_sections}; use array_split for parts of unequal length"
            )
            raise ValueError(msg)
    return array_split(ary, indices_or_sections, axis)


def _at_least(name: str, x: Any, ndim: int) -> Any:
    x = as_operand(name, "x", x)
    if len(shape_of(x)) < ndim:
        msg = f"{name}: wanted at least {ndim} axes, got shape {shape_of(x)}"
        raise ValueError(msg)
    return x


def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Split along the second axis, a vector along its only one."""
    ary = _at_least("hsplit", ary, 1)
    return split(ary, indices_or_sections, int(len(shape_of(ary)) > 1))


def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Split along the first axis of at least two."""
    return split(_at_least("vsplit", ary, 2), indices_or_sections, 0)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Split along the third axis."""
    return split(_at_least("dsplit", ary, 3), indices_or_sections, 2)


def unstack(x: Any, *, axis: int = 0) -> tuple[Any, ...]:
    """Return the slices of `x` along `axis`, without it: `stack` undone."""
    x = _at_least("unstack", x, 1)
    before = (slice(None),) * normal_axis("unstack", axis, len(shape_of(x)))
    return tuple(getitem(x, (*before, i)) for i in range(shape_of(x)[axis]))
