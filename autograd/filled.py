"""Arrays to fill: Variables that are constants until a Variable is assigned to their elements.

Imports `assignment` and what is older.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.assignment import to_fill
from autograd.engine.calls import as_operand
from autograd.engine.graph import unwrap
from autograd.ops import creation
from autograd.variable import Variable

__all__ = [
    "empty",
    "empty_like",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def zeros(shape: Any, dtype: Any = np.float64, order: Any = "C") -> Any:
    """Return a Variable of zeros to assign to; gradients flow through it to what is assigned.

    Example:
        >>> import autograd
        >>> v = autograd.Variable(3.0, requires_grad=True)
        >>> x = autograd.zeros(2)
        >>> x[0] = v
        >>> x[1] = x[0] * v
        >>> x.sum().backward()
        >>> v.grad
        array(7.)
    """
    return to_fill(np.zeros(shape, dtype, order))


def ones(shape: Any, dtype: Any = np.float64, order: Any = "C") -> Any:
    """Return a Variable of ones to assign to: see `zeros`."""
    return to_fill(np.ones(shape, dtype, order))


def empty(shape: Any, dtype: Any = np.float64, order: Any = "C") -> Any:
    """Return a Variable to assign to, with elements that mean nothing: see `zeros`."""
    return to_fill(np.empty(shape, dtype, order))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return a Variable of `shape` filled with `fill_value`, which gets the sum of the gradients;
    it can be assigned to, as `zeros` can.
    """
    made = creation.full(shape, fill_value, dtype)
    return made if isinstance(made, Variable) else to_fill(made)


def zeros_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Return a Variable of zeros with the shape and dtype of `a`, to assign to: see `zeros`."""
    return to_fill(np.zeros_like(_pattern(a), dtype, shape=shape))


def ones_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Return a Variable of ones with the shape and dtype of `a`, to assign to: see `zeros`."""
    return to_fill(np.ones_like(_pattern(a), dtype, shape=shape))


def empty_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Return a Variable with the shape and dtype of `a` to assign to: see `empty`."""
    return to_fill(np.empty_like(_pattern(a), dtype, shape=shape))


def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Return a Variable with the shape and dtype of `a`, filled with `fill_value`: see `full`.

    The gradient goes to `fill_value`; `a` gives no more than its shape and dtype.
    """
    made = creation.full_like(a, fill_value, dtype, shape=shape)
    return made if getattr(made, "_node", None) is not None else to_fill(unwrap(made))


def _pattern(a: Any) -> Any:
    return unwrap(as_operand("zeros_like", "a", a))
