"""Which arrays loops take, and how they are seen there. Imports NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["alike", "flat", "lines", "new_lines"]

_DTYPES = frozenset({np.dtype(np.float32), np.dtype(np.float64)})
_ndarray = np.ndarray


def alike(least: int, x: Any, *others: Any) -> bool:
    """Tell whether all are arrays of one shape and dtype, float32 or float64, of at least so many
    elements.
    """
    return (
        x.__class__ is _ndarray
        and x.size >= least
        and x.dtype in _DTYPES
        and all(
            y.__class__ is _ndarray and y.shape == x.shape and y.dtype == x.dtype for y in others
        )
    )


def flat(*arrays: Any) -> list[Any]:
    """See arrays as lists of numbers; those that do not lie so in memory are copied."""
    return [np.ascontiguousarray(x).reshape(-1) for x in arrays]


def lines(axis: Any, least: int, x: Any, *others: Any) -> list[Any] | None:
    """See arrays that are alike as matrices, of which a row is a line along `axis`; None where that
    is not the last one, or the arrays are none for loops.
    """
    if not alike(least, x, *others):
        return None
    if axis != -1 and axis != x.ndim - 1 and axis not in ((-1,), (x.ndim - 1,)):
        return None
    return [np.ascontiguousarray(a).reshape(-1, x.shape[-1]) for a in (x, *others)]


def new_lines(x: Any) -> tuple[Any, Any]:
    """Return a new array of the shape of `x`, and the same as a matrix of its last lines.

    A view would not do as a result: the engine copies what is not alone in its memory.
    """
    out = np.empty(x.shape, x.dtype)
    return out, out.reshape(-1, x.shape[-1])
