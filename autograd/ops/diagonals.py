"""Diagonals and triangles of matrices. Imports `calls`, `indexing`, `shaping` and NumPy.

`diagonal` and `make_diagonal` are each other's derivatives; a trace is a sum over a diagonal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.engine.backward import unbroadcast
from autograd.engine.calls import as_operand, primitive
from autograd.ops.indexing import shape_of
from autograd.ops.shaping import ravel

__all__ = ["diag", "diagflat", "diagonal", "trace", "tril", "triu"]


def _from_diagonal(g: Any, x_shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Any:
    return make_diagonal(g, x_shape, offset, axis1, axis2)


@primitive(x=_from_diagonal, linear=True, makes_zeros=True)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the diagonals of the matrices in the plane of two axes, as a new last axis.

    Args:
        x: array with at least two axes; the matrices may be rectangular.
        offset: how far above the main diagonal (below where negative).
        axis1: rows.
        axis2: columns.
    """
    return np.diagonal(x, offset, axis1, axis2)


def _to_diagonal(g: Any, offset: int, axis1: int, axis2: int) -> Any:
    return np.diagonal(g, offset, axis1, axis2)


@primitive(x=_to_diagonal, linear=True, makes_zeros=True)
def make_diagonal(
    x: Any, shape: tuple[int, ...], offset: int = 0, axis1: int = 0, axis2: int = 1
) -> Any:
    """Return zeros of `shape` with the last axis of `x` on the diagonals: `diagonal` undone."""
    total = np.zeros_like(x, shape=shape)
    rows = np.arange(shape_of(x)[-1])
    matrices = np.moveaxis(total, (axis1, axis2), (-2, -1))
    matrices[..., rows - min(offset, 0), rows + max(offset, 0)] = x
    return total


def diag(x: Any, k: int = 0) -> Any:
    """Return the `k`-th diagonal of a matrix (m, n), or the square matrix of a diagonal (n,)."""
    x = as_operand("diag", "x", x)
    shape = shape_of(x)
    if len(shape) == 1:
        return make_diagonal(x, (shape[0] + abs(k),) * 2, k)
    if len(shape) != 2:
        msg = f"diag: wanted a vector or a matrix, got shape {shape}; use diagonal for a batch"
        raise ValueError(msg)
    return diagonal(x, k)


def diagflat(x: Any, k: int = 0) -> Any:
    """Return the square matrix with the elements of `x`, flattened, on its `k`-th diagonal."""
    return diag(ravel(x), k)


def _trace_x(g: Any, x_shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Any:
    rows, columns = x_shape[axis1], x_shape[axis2]
    count = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    spread = np.broadcast_to(g[..., None], (*g.shape, count))
    return make_diagonal(spread, x_shape, offset, axis1, axis2)


@primitive(x=_trace_x, linear=True, makes_zeros=True)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """Add up the diagonals of the matrices in the plane of two axes; arguments as `diagonal`."""
    return np.trace(x, offset, axis1, axis2, dtype)


@primitive(
    x=lambda g, x_shape, k: unbroadcast(np.triu(g, k), x_shape),
    linear=True,
    makes_zeros=True,
)
def triu(x: Any, k: int = 0) -> Any:
    """Put zeros below the `k`-th diagonal of matrices (..., m, n)."""
    return np.triu(x, k)


@primitive(
    x=lambda g, x_shape, k: unbroadcast(np.tril(g, k), x_shape),
    linear=True,
    makes_zeros=True,
)
def tril(x: Any, k: int = 0) -> Any:
    """Put zeros above the `k`-th diagonal of matrices (..., m, n)."""
    return np.tril(x, k)
