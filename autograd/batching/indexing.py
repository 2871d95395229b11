"""Batch rules of reading and assigning elements.

An index that is the same for all examples gets `:` in front. Where it differs from example to
example, or where its arrays stand apart, the examples are counted by one more array of integers.
Imports `run`, `values`, `_axes` and NumPy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd.batching._axes import spread_over, with_ndim
from autograd.batching.run import Run, batch_rule
from autograd.batching.values import inner, of_level, shown

__all__: list[str] = []


class _Place(NamedTuple):
    """An index of all examples, and where NumPy puts what the index of one puts elsewhere."""

    items: tuple[Any, ...]
    found: tuple[int, ...] = ()  # axes of what NumPy reads ...
    wanted: tuple[int, ...] = ()  # ... and where they are to be

    def read(self, x: Any) -> Any:
        """Bring what was read into the order of axes that each example has."""
        return np.moveaxis(x, self.found, self.wanted) if self.found else x

    def written(self, x: Any) -> Any:
        """Bring what is to be written into the order of axes of NumPy."""
        return np.moveaxis(x, self.wanted, self.found) if self.found else x


def _parts(run: Run, index: Any, *, varies: bool) -> list[tuple[Any, bool]]:
    """List what an index is made of, each with whether it varies."""
    if varies and not isinstance(index, tuple) and not of_level(index, run.level):
        return [(index, True)]
    parts = []
    for part in index if isinstance(index, tuple) else (index,):
        if of_level(part, run.level):
            parts.append((inner(part), part.varies))
        else:
            parts.append((shown(part), False))
    return parts


def _is_mask(part: Any) -> bool:
    return isinstance(part, (bool, np.bool_)) or (hasattr(part, "dtype") and part.dtype.kind == "b")


def _place(run: Run, ndim: int, index: Any, *, of_x: bool, varies: bool) -> _Place:
    """Return the index of all examples for the index of one, into an array whose examples have
    `ndim` axes and which varies itself, or not (`of_x`).
    """
    parts: list[tuple[Any, bool]] = []
    for part, differs in _parts(run, index, varies=varies):
        if _is_mask(part):
            if differs or not isinstance(part, np.ndarray):
                raise run.refuse(
                    "a mask that differs from example to example (write np.where(mask, a, b))"
                )
            parts += [(where, False) for where in part.nonzero()]
        else:
            parts.append((part, differs))
    used = sum(part is not None and part is not Ellipsis for part, _ in parts)
    rest = [(slice(None), False)] * (ndim - used)
    dots = next((i for i, (part, _) in enumerate(parts) if part is Ellipsis), len(parts))
    parts[dots : dots + 1] = rest
    arrays = [
        i for i, (part, _) in enumerate(parts) if part is not None and not isinstance(part, slice)
    ]
    items = [part for part, _ in parts]
    if not any(differs or np.ndim(part) for part, differs in parts if hasattr(part, "ndim")):
        return _Place((slice(None), *items))
    most = max(np.ndim(parts[i][0]) - parts[i][1] for i in arrays)
    together = arrays[-1] - arrays[0] == len(arrays) - 1
    differs = any(parts[i][1] for i in arrays)
    for i in arrays:
        if parts[i][1]:
            items[i] = with_ndim(items[i], most)
    before = arrays[0]
    if of_x and together and not differs:
        return _Place((slice(None), *items))
    if of_x:  # the axes of the arrays come first, whatever stands before them
        count = np.arange(run.size).reshape((-1,) + (1,) * most)
        moved = tuple(range(1, most + 1)) if together and before else ()
        return _Place((count, *items), moved, tuple(a + before for a in moved))
    return _Place(tuple(items), (before,) if together and before else (), (0,) if before else ())


def _plain(index: Any) -> Any:
    return index[0] if isinstance(index, tuple) and len(index) == 1 else index


@batch_rule("getitem", "autograd.ops.indexing._read")
def _getitem(run: Run, x: Any, index: Any) -> Any:
    of_x, varies = run.varies
    place = _place(run, run.ndim((x, index), 0), index, of_x=of_x, varies=varies)
    if not of_x:
        place = place._replace(wanted=place.wanted[: len(place.found)])
    out = place.read(run.call(x, place.items))
    # A single element is a copy in NumPy, too; as a view, who saves it would keep all of x.
    return out.copy() if isinstance(out, np.ndarray) and out.ndim == 1 else out


@batch_rule("set_at", "add_at")
def _assign(run: Run, x: Any, index: Any, value: Any) -> Any:
    ndim = run.ndim((x,), 0)
    x = spread_over(x, run.size, varies=run.varies[0])
    if run.varies[1]:
        parts = _parts(run, index, varies=True)
        if len(parts) == 1 and _is_mask(parts[0][0]):
            return _assign_masked(run, x, parts[0][0], value)
    place = _place(run, ndim, index, of_x=True, varies=run.varies[1])
    shape = place.read(np.broadcast_to(np.empty(()), np.shape(x))[place.items]).shape
    if run.varies[2]:
        own = np.shape(value)[1:]
        extra = max(len(own) - len(shape) + 1, 0)
        value = with_ndim(np.reshape(value, (run.size, *own[extra:])), len(shape) - 1)
    if place.found:
        value = place.written(np.broadcast_to(value, shape))
    return run(x, place.items, value)


def _assign_masked(run: Run, x: Any, mask: Any, value: Any) -> Any:
    """Write where a mask of each example's own holds, what needs no counting of its elements."""
    ndim, own = np.ndim(x) - 1, run.ndim((0, 0, value), 2)
    if own > ndim - (np.ndim(mask) - 1):
        raise run.refuse("a mask that differs from example to example, and a value for each place")
    value = with_ndim(value, ndim) if run.varies[2] else value
    if not np.can_cast(np.result_type(value), x.dtype, "same_kind"):
        raise TypeError(
            f"{run.name}: wanted values that fit {x.dtype}, got {np.result_type(value)}; convert "
            "the array first, as in x.astype(float)"
        )
    new = x + value if run.name == "add_at" else value
    mask = np.reshape(mask, np.shape(mask) + (1,) * (ndim + 1 - np.ndim(mask)))
    return np.where(mask, new, x).astype(x.dtype)


@batch_rule("scatter")
def _scatter(run: Run, *values: Any) -> Any:
    *parts, indices, shape = values
    placed, places = [], []
    for i, (value, index) in enumerate(zip(parts, indices, strict=True)):
        place = _place(run, len(shape), index, of_x=True, varies=_differs(run, index))
        places.append(place.items)
        placed.append(place.written(spread_over(value, run.size, varies=run.varies[i])))
    return run(*placed, tuple(places), (run.size, *shape))


def _differs(run: Run, index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(of_level(part, run.level) and part.varies for part in parts)
