"""Diagonals and triangles of matrices. Imports `calls`, `indexing`, `shaping` and NumPy.

`diagonal` and `make_diagonal` are each other's derivatives; a trace is a sum over a diagonal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import is_foreign, moved
from autograd.engine.backward import unbroadcast
from autograd.engine.calls import as_operand, primitive
from autograd.ops.indexing import shape_of
from autograd.ops.shaping import ravel

__all__ = ["diag", "diagflat", "diagonal", "trace", "tril", "triu"]


def _from_diagonal(g: Any, a_shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Any:
    return make_diagonal(g, a_shape, offset, axis1, axis2)


@primitive(a=_from_diagonal, linear=True, makes_zeros=True)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the diagonals of the matrices in the plane of two axes, as a new last axis.

    Args:
        a: array with at least two axes; the matrices may be rectangular.
        offset: how far above the main diagonal (below where negative).
        axis1: rows.
        axis2: columns.
    """
    return np.diagonal(a, offset, axis1, axis2)


def _to_diagonal(g: Any, offset: int, axis1: int, axis2: int) -> Any:
    return np.diagonal(g, offset, axis1, axis2)


@primitive(x=_to_diagonal, linear=True, makes_zeros=True)
def make_diagonal(
    x: Any, shape: tuple[int, ...], offset: int = 0, axis1: int = 0, axis2: int = 1
) -> Any:
    """Return zeros of `shape` with the last axis of `x` on the diagonals: `diagonal` undone."""
    if is_foreign(x):  # whose views may be copies
        return _spread_by_mask(x, shape, offset, axis1, axis2)
    total = np.zeros_like(x, shape=shape)
    rows = np.arange(shape_of(x)[-1])
    matrices = np.moveaxis(total, (axis1, axis2), (-2, -1))
    matrices[..., rows - min(offset, 0), rows + max(offset, 0)] = x
    return total


def _spread_by_mask(x: Any, shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Any:
    """Do what `make_diagonal` does by a sum: row i of x along its last axis, where the mask is."""
    rows, columns = shape[axis1], shape[axis2]
    mask = np.eye(rows, columns, offset, dtype=bool)
    before, behind = max(-offset, 0), rows - max(-offset, 0) - x.shape[-1]
    blank = [np.zeros_like(x, shape=(*x.shape[:-1], n)) for n in (before, behind)]
    along = np.concatenate((blank[0], x, blank[1]), -1)[..., None]
    spread = np.where(moved(mask, x), along, x.dtype.type(0))
    return np.moveaxis(spread, (-2, -1), (axis1, axis2))


def diag(v: Any, k: int = 0) -> Any:
    """Return the `k`-th diagonal of a matrix (m, n), or the square matrix of a diagonal (n,)."""
    v = as_operand("diag", "v", v)
    shape = shape_of(v)
    if len(shape) == 1:
        return make_diagonal(v, (shape[0] + abs(k),) * 2, k)
    if len(shape) != 2:
        msg = f"diag: wanted a vector or a matrix, got shape {shape}; use diagonal for a batch"
        raise ValueError(msg)
    return diagonal(v, k)


def diagflat(v: Any, k: int = 0) -> Any:
    """Return the square matrix with the elements of `v`, flattened, on its `k`-th diagonal."""
    return diag(ravel(v), k)


def _trace_x(g: Any, a_shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Any:
    rows, columns = a_shape[axis1], a_shape[axis2]
    count = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    spread = np.broadcast_to(g[..., None], (*g.shape, count))
    return make_diagonal(spread, a_shape, offset, axis1, axis2)


@primitive(a=_trace_x, linear=True, makes_zeros=True)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """Add up the diagonals of the matrices in the plane of two axes; arguments as `diagonal`."""
    return np.trace(a, offset, axis1, axis2, dtype)


@primitive(
    m=lambda g, m_shape, k: unbroadcast(np.triu(g, k), m_shape),
    linear=True,
    makes_zeros=True,
)
def triu(m: Any, k: int = 0) -> Any:
    """Put zeros below the `k`-th diagonal of matrices (..., m, n)."""
    return np.triu(m, k)


@primitive(
    m=lambda g, m_shape, k: unbroadcast(np.tril(g, k), m_shape),
    linear=True,
    makes_zeros=True,
)
def tril(m: Any, k: int = 0) -> Any:
    """Put zeros above the `k`-th diagonal of matrices (..., m, n)."""
    return np.tril(m, k)
