"""Reductions: sums, means, products, extremes and what is built on them. Imports `_primitive`, `shaping` and NumPy.

`axis` is None (all axes), an integer or a tuple, negative values count from the end. Shapes: x is (d0, ..., dn); the result
lacks the reduced axes, or has them with length 1 where `keepdims`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd._primitive import primitive


def expand(g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:  # noqa: FBT001
    """Put the reduced axes back and broadcast `g` to `shape`: the adjoint of a sum."""
    if axis is not None and not keepdims and g.ndim != len(shape):
        axes = axis if isinstance(axis, tuple) else (axis,)
        g = np.expand_dims(g, tuple(a % len(shape) for a in axes))
    return np.broadcast_to(g, shape)


def count_of(shape: tuple[int, ...], axis: Any) -> int:
    """Return how many elements a reduction over `axis` adds up."""
    if axis is None:
        return math.prod(shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    return math.prod(shape[a] for a in axes)


@primitive(
    x=lambda g, x_shape, axis, keepdims: expand(g, x_shape, axis, keepdims),
    linear=True,
)
def sum(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:  # noqa: A001 - NumPy's name
    """Add up elements over `axis`."""
    return np.add.reduce(x, axis=axis, keepdims=keepdims) if isinstance(x, np.ndarray) else np.sum(x, axis=axis, keepdims=keepdims)


@primitive(
    x=lambda g, x_shape, axis, keepdims: expand(g / count_of(x_shape, axis), x_shape, axis, keepdims),
    linear=True,
)
def mean(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Average elements over `axis`; nan for an empty axis."""
    return np.mean(x, axis=axis, keepdims=keepdims)
