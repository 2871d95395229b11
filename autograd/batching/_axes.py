"""What batch rules share: axes, numbers of axes, operands that are the same for all examples.

Works on both kinds. Imports NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["behind", "one_behind", "spread_over", "with_ndim"]


def one_behind(axis: int, ndim: int) -> int:
    """Return where the axis of one example is, in an array that has the examples in front."""
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim + 1


def behind(axis: Any, ndim: int) -> Any:
    """Return where axes of one example are: None stands for all of them, a scalar has none."""
    if axis is None or not ndim:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, (tuple, list)):
        return tuple([one_behind(a, ndim) for a in axis])
    return one_behind(axis, ndim)


def spread_over(x: Any, size: int, *, varies: bool) -> Any:
    """Return an operand with the axis of examples in front, repeated where it does not vary."""
    return x if varies else np.broadcast_to(x, (size, *np.shape(x)))


def with_ndim(x: Any, ndim: int) -> Any:
    """Give each example `ndim` axes, as broadcasting would: those that are missing are put in front
    of its own.
    """
    shape = np.shape(x)
    missing = ndim - len(shape) + 1
    return np.reshape(x, (*shape[:1], *(1,) * missing, *shape[1:])) if missing > 0 else x
