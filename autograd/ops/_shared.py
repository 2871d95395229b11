"""What families of reductions share: axes, the adjoint of a sum, quotients at 0.

`axis` is None (all axes), an integer or a tuple; negative values count from the end. What is here
works on both kinds, arrays and Variables. Imports `graph` and `calls`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.arrays import moved
from autograd.engine.calls import as_operand, holds
from autograd.engine.graph import unwrap

__all__ = [
    "add_reduce",
    "beside",
    "count_of",
    "expand",
    "inexact",
    "multiply_reduce",
    "operand",
    "refuse_out",
    "reverse_along",
    "safe_divide",
    "slice_along",
    "with_reduced_axes",
]

_NUMPY = (np.ndarray, np.generic)


# The plain reductions, without the 0.7 us of the functions np.sum and np.prod around them; other
# libraries' arrays have no methods of ufuncs.
_add: Any = np.add.reduce
_multiply: Any = np.multiply.reduce


def add_reduce(x: Any, axis: Any, dtype: Any, out: None, keepdims: bool) -> Any:
    """Add up elements over `axis`."""
    try:
        return _add(x, axis, dtype, out, keepdims)
    except TypeError:
        return np.sum(x, axis=axis, dtype=dtype, keepdims=keepdims)


def multiply_reduce(x: Any, axis: Any, dtype: Any, out: None, keepdims: bool) -> Any:
    """Multiply elements over `axis`."""
    try:
        return _multiply(x, axis, dtype, out, keepdims)
    except TypeError:
        return np.prod(x, axis=axis, dtype=dtype, keepdims=keepdims)


def beside(value: Any, x: Any) -> Any:
    """Return an array of NumPy as one of the library that the data of `x` are of (both kinds)."""
    return moved(value, unwrap(x))


def refuse_out(name: str, out: Any) -> None:
    """Raise a TypeError where the caller wants the result written into `out`."""
    if out is not None and out is not np._NoValue:
        raise TypeError(
            f"{name}: wanted a call without out=, got an array to write into, which the recorded "
            f"graph cannot follow; use the returned value"
        )


def operand(name: str, x: Any) -> Any:
    """Return `x` as something with a dtype: numbers and sequences become arrays or Variables."""
    if hasattr(x, "dtype"):
        return x
    x = as_operand(name, "a", x)
    return x if hasattr(x, "dtype") else np.asarray(x)


def inexact(x: Any) -> Any:
    """Convert integers and bools to float64, as NumPy does for averages."""
    return x if x.dtype.kind in "fc" else x.astype(np.float64)


def count_of(shape: tuple[int, ...], axis: Any) -> int:
    """Return how many elements a reduction over `axis` takes together."""
    if axis is None or not shape:
        return math.prod(shape)
    return math.prod(shape[a] for a in axis) if isinstance(axis, tuple) else shape[axis]


def with_reduced_axes(out: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """Give the result of a reduction of `shape` its reduced axes back, with length 1."""
    if axis is None or out.ndim == len(shape):
        return out
    lengths = list(shape)
    for a in axis if isinstance(axis, tuple) else (axis,):
        lengths[a] = 1
    return out.reshape(lengths)


def expand(g: Any, x_shape: tuple[int, ...], axis: Any) -> Any:
    """Broadcast the cotangent of a reduction over `axis` to `x_shape`: the adjoint of a sum."""
    g = with_reduced_axes(g, x_shape, axis)
    # np.broadcast_to costs 2 us; below this size, writing the elements out takes less (0.3 us).
    if math.prod(x_shape) > 4096 or not isinstance(g, _NUMPY):
        return np.broadcast_to(g, x_shape)
    full = np.empty_like(g, shape=x_shape)
    full[...] = g
    return full


def safe_divide(a: Any, b: Any) -> Any:
    """Return a / b, and 0 with derivatives 0 where b is 0."""
    zero = b == 0
    if not holds(zero.any(), traced=True):
        return a / b
    return np.where(zero, 0.0, a) / np.where(zero, 1.0, b)


def reverse_along(x: Any, axis: int) -> Any:
    """Reverse `x` along one axis."""
    index: list[Any] = [slice(None)] * x.ndim
    index[axis] = slice(None, None, -1)
    return x[tuple(index)]


def slice_along(
    x: Any, axis: int, start: int | None, stop: int | None, step: int | None = None
) -> Any:
    """Return the slice `start:stop:step` of `x` along one axis."""
    index: list[Any] = [slice(None)] * x.ndim
    index[axis] = slice(start, stop, step)
    return x[tuple(index)]
