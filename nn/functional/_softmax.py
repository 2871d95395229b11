"""Softmax and its kin along an axis: any axis, empty ones too, and computed in any dtype.

`dim` is taken for `axis`. Imports `autograd` only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from nn.functional._names import dim_is_axis
from nn.functional._numbers import real

__all__ = ["log_softmax", "softmax", "softmin"]


@dim_is_axis
def softmax(input: Any, axis: int | None = -1, dtype: Any = None) -> Any:
    """Return exp(input) divided by its sum along `axis`.

    Args:
        input: numbers of any shape.
        axis: the axis that sums to 1; None for all.
        dtype: convert the input to this first.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.softmax(np.zeros((1, 4), np.float32), dim=1)
        array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """
    return _along("softmax", autograd.softmax, input, axis, dtype)


@dim_is_axis
def log_softmax(input: Any, axis: int | None = -1, dtype: Any = None) -> Any:
    """Return the logarithm of `softmax`, finite where a probability underflows to 0.

    Args:
        input: numbers of any shape.
        axis: the axis whose exponentials sum to 1; None for all.
        dtype: convert the input to this first.
    """
    return _along("log_softmax", autograd.log_softmax, input, axis, dtype)


@dim_is_axis
def softmin(input: Any, axis: int | None = -1, dtype: Any = None) -> Any:
    """Return `softmax` of -input.

    Args:
        input: numbers of any shape.
        axis: the axis that sums to 1; None for all.
        dtype: convert the input to this first.
    """
    return _along("softmin", lambda x, a: autograd.softmax(-x, a), input, axis, dtype)


def _along(name: str, function: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    if not hasattr(x, "ndim"):
        x = np.asarray(x)
    real(name, x)
    if dtype is not None:
        x = x.astype(dtype)
    ndim = max(x.ndim, 1)
    if axis is not None and not -ndim <= axis < ndim:
        raise ValueError(f"{name}: wanted an axis of an input of shape {x.shape}, got {axis}")
    if 0 in x.shape:  # there is no maximum to shift by
        return x.astype(x.dtype if x.dtype.kind in "fc" else float)
    return function(x, axis if x.ndim else None)
