"""Shapes: every function here moves elements and computes none. Imports `_primitive` and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd._graph import cast, unbroadcast
from autograd._primitive import primitive


@primitive(x=lambda g, x_shape: g.reshape(x_shape), linear=True)
def reshape(x: Any, shape: Any) -> Any:
    """Give the elements of `x`, in C order, the shape `shape`; one entry may be -1."""
    return np.reshape(x, shape)


def _inverse(axes: Any, ndim: int) -> Any:
    return None if axes is None else tuple(np.argsort([a % ndim for a in axes]).tolist())


@primitive(x=lambda g, axes, x_ndim: np.transpose(g, _inverse(axes, x_ndim)), linear=True)
def transpose(x: Any, axes: Any = None) -> Any:
    """Permute the axes; None reverses them."""
    return np.transpose(x, axes)


@primitive(x=lambda g, x_shape: unbroadcast(g, x_shape), linear=True)
def broadcast_to(x: Any, shape: Any) -> Any:
    """Repeat `x` along new and length-1 axes up to `shape`, without copying."""
    return np.broadcast_to(x, shape)


@primitive(x=lambda g, x_shape: g.reshape(x_shape), linear=True)
def squeeze(x: Any, axis: Any = None) -> Any:
    """Drop axes of length 1."""
    return np.squeeze(x, axis)


@primitive(x=lambda g, x_shape: g.reshape(x_shape), linear=True)
def expand_dims(x: Any, axis: Any) -> Any:
    """Insert axes of length 1 at the positions `axis` of the result."""
    return np.expand_dims(x, axis)


@primitive(x=lambda g, axis1, axis2: np.swapaxes(g, axis1, axis2), linear=True)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes."""
    return np.swapaxes(x, axis1, axis2)


@primitive(x=lambda g, x_dtype: cast(g, x_dtype), linear=True)
def astype(x: Any, dtype: Any) -> Any:
    """Convert to another floating or complex dtype; the gradient comes back in the dtype of `x`.

    An integer or bool result carries no gradient.
    """
    return x.astype(dtype)


@primitive(x=lambda g: g, linear=True)
def copy(x: Any) -> Any:
    """Return an equal array with memory of its own."""
    return np.array(x)
