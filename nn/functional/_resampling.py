"""Resampling along an axis: a product with a sparse matrix, and the tables of such matrices.

Interpolation, area averages and nearest neighbours are linear and separable: one matrix per axis,
with few elements in each row. Its transpose is of the same kind, so that `resample` is its own
derivative. Imports `autograd`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd.extend import primitive

__all__ = ["Table", "area", "cubic_far", "cubic_near", "nearest", "resample", "smooth", "stretches"]


@dataclass(frozen=True, eq=False)
class Table:
    """A matrix with m rows of at most T elements other than zero, and n columns.

    Attributes:
        index: columns of the elements, shape (T, m).
        weight: the elements, shape (T, m); where a row has fewer, zeros.
        n: number of columns.
    """

    index: Any
    weight: Any
    n: int

    @cached_property
    def transposed(self) -> Table:
        """The transposed matrix, n rows and m columns."""
        m = self.index.shape[1]
        order = np.argsort(self.index, axis=None, kind="stable")
        columns = self.index.ravel()[order]  # each column's elements, one after the other
        counts = np.bincount(columns, minlength=self.n)
        place = np.arange(columns.size) - (np.cumsum(counts) - counts)[columns]
        shape = (int(counts.max(initial=1)), self.n)
        index, weight = np.zeros(shape, np.intp), np.zeros(shape, self.weight.dtype)
        index[place, columns] = order % m
        weight[place, columns] = self.weight.ravel()[order]
        return Table(index, weight, m)


@primitive(x=lambda g, axis, table: resample(g, axis, table.transposed), linear=True)
def resample(x: Any, axis: int, table: Table) -> Any:
    """Return out[..., p, ...] = sum over t of weight[t, p] x[..., index[t, p], ...]."""
    shape = [1] * x.ndim
    shape[axis] = -1
    out: Any = None
    for index, weight in zip(table.index, table.weight, strict=True):
        part = x.take(index, axis)
        if not (weight == 1).all():
            part *= weight.astype(part.real.dtype).reshape(shape)
        if out is None:
            out = part
        else:
            out += part
    return out


# -- tables ----------------------------------------------------------------------------------------
# Coordinates are computed in the dtype of the input, as PyTorch does: where an output lies between
# two inputs depends on rounding, for scales such as 0.7.


@functools.lru_cache(maxsize=256)
def area(n: int, m: int) -> Table:
    """Average n elements over m stretches of nearly equal length, which share elements."""
    low, high = stretches(n, m)
    index = low + np.arange((high - low).max())[:, None]
    weight = np.where(index < high, 1 / (high - low), 0.0)
    return Table(np.minimum(index, high - 1), weight, n)


def stretches(n: int, m: int) -> tuple[Any, Any]:
    """Return where m stretches of nearly equal length begin and end in n elements."""
    p = np.arange(m)
    return p * n // m, -((p + 1) * -n // m)


@functools.lru_cache(maxsize=256)
def nearest(n: int, m: int, scale: float, shift: float, dtype: Any) -> Table:
    """Take the element at floor((p + shift) scale) of n elements for each of m places p."""
    place = (np.arange(m, dtype=dtype) + dtype.type(shift)) * dtype.type(scale)
    return Table(np.minimum(place.astype(np.intp), n - 1)[None], np.ones((1, m), dtype), n)


@functools.lru_cache(maxsize=256)
def smooth(
    kind: str, n: int, m: int, scale: float, align_corners: bool, antialias: bool, dtype: Any
) -> Table:
    """Interpolate between n elements at m places.

    Args:
        kind: "linear" or "cubic".
        n: length of the input.
        m: length of the output.
        scale: distance of two places, in elements of the input.
        align_corners: whether the first and last places are the first and last elements, or else
            the middles of stretches.
        antialias: whether the filter is as wide as the distance of places, where that is above 1.
        dtype: of the coordinates.
    """
    p, step, half = np.arange(m, dtype=dtype), dtype.type(scale), dtype.type(0.5)
    place = p * step if align_corners and not antialias else (p + half) * step - half
    if antialias:
        width = max(step, dtype.type(1))
        kernel, reach = _FILTERS[kind, True]
        first = np.ceil(place - reach * width)
        index = first.astype(np.intp) + np.arange(math.ceil(2 * reach * width) + 1)[:, None]
        weight = np.where((index < 0) | (index >= n), 0, kernel((index - place) / width))
        weight /= weight.sum(axis=0)
    else:
        place = np.maximum(place, 0) if kind == "linear" else place
        kernel, reach = _FILTERS[kind, False]
        index = np.floor(place).astype(np.intp) + np.arange(1 - reach, 1 + reach)[:, None]
        weight = kernel(index - place)
    return Table(np.clip(index, 0, n - 1), weight.astype(dtype), n)


def _triangle(x: Any) -> Any:
    return np.maximum(1 - np.abs(x), 0)


def cubic_near(x: Any, a: float) -> Any:
    """Return the weight of an element at distance x, from 0 to 1.

    References:
        R. Keys, Cubic convolution interpolation for digital image processing, IEEE Transactions on
        Acoustics, Speech and Signal Processing 29 (1981), eq. 4 with A free.
    """
    return ((a + 2) * x - (a + 3)) * x * x + 1


def cubic_far(x: Any, a: float) -> Any:
    """Return the weight of an element at distance x, from 1 to 2; see `cubic_near`."""
    return ((x - 5) * x + 8) * x * a - 4 * a


def _cubic(x: Any, a: float) -> Any:
    x = np.abs(x)
    return np.where(x <= 1, cubic_near(x, a), np.where(x < 2, cubic_far(x, a), 0))


# Filter and reach by kind and antialias; PyTorch's and Pillow's cubics differ in a.
_FILTERS: dict[tuple[str, bool], tuple[Any, int]] = {
    ("linear", False): (_triangle, 1),
    ("linear", True): (_triangle, 1),
    ("cubic", False): (lambda x: _cubic(x, -0.75), 2),
    ("cubic", True): (lambda x: _cubic(x, -0.5), 2),
}
