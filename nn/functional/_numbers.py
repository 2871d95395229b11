"""The check of what kind of numbers a function is given. Imports `autograd.arrays`."""

from typing import Any

import numpy as np

from autograd.arrays import refuse_complex, refuse_mask

__all__ = ["check_numbers", "real"]


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
