"""The check of what kind of numbers a function is given. Imports `autograd`."""

from typing import Any

import numpy as np

from autograd import Variable
from autograd.arrays import Many, is_foreign, refuse_complex, refuse_mask
from autograd.ops.plain import plain

__all__ = ["check_numbers", "constant", "raw", "real", "within"]


def raw(x: Any) -> Any:
    """Return the array of a Variable, anything else as it is."""
    return x.data if isinstance(x, Variable) else x


def constant(x: Any) -> Any:
    """Return what has no gradient as an array: targets, indices, weights. Inside vmap it stays a
    Variable, as nobody looks at the values of one example.
    """
    data = raw(x)
    return x if isinstance(data, Many) else data if is_foreign(data) else np.asarray(data)


@plain
def within(x: Any, wanted: str, least: float, most: float) -> Any:
    """Return `x`, all of whose elements are in [least, most]; the error begins with `wanted`. The
    values of another library's array are not looked at.
    """
    if x.size and not is_foreign(x) and not (x.min() >= least and x.max() <= most):
        wrong = x.min() if x.min() < least else x.max()
        raise ValueError(f"{wanted}, got {wrong}")
    return x


def check_numbers(operation: str, what: str, value: Any) -> None:
    """Refuse what is no array of numbers."""
    dtype = getattr(value, "dtype", None)
    if not isinstance(dtype, np.dtype):
        raise TypeError(
            f"{operation}: wanted an array or a Variable as {what.partition(' ')[2]}, got "
            f"{type(value).__name__}; write np.array(...)"
        )
    if dtype.kind not in "biufc":
        raise TypeError(
            f"{operation}: wanted {what} of numbers, got dtype {dtype}; write "
            ".astype(np.float32) where it holds numbers"
        )
    refuse_mask(operation, value)


def real(operation: str, x: Any) -> Any:
    """Return `x`; refuse complex numbers, which have no order, and arrays of no numbers."""
    dtype = getattr(x, "dtype", None)
    if dtype is None or dtype.kind not in "fiub":
        refuse_complex(operation, x)
        if dtype is not None:
            raise TypeError(
                f"{operation}: wanted real numbers, got dtype {dtype}; write .astype(np.float32)"
            )
    return x
