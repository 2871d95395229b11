"""The check of what kind of numbers a function is given. Imports NumPy only."""

from typing import Any

import numpy as np

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


def real(operation: str, x: Any) -> Any:
    """Return `x`; refuse complex numbers, which have no order, and what are no numbers.

    What has no dtype goes on to NumPy.
    """
    dtype = getattr(x, "dtype", None)
    if dtype is None or dtype.kind in "fiub":
        return x
    fix = "write x.real or abs(x)" if dtype.kind == "c" else "write .astype(np.float32)"
    raise TypeError(f"{operation}: wanted real numbers, got dtype {dtype}; {fix}")
