"""What depends on the array library. Nothing here knows of Variables; imports NumPy only."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np

__all__ = [
    "KINDS",
    "Array",
    "Kernel",
    "Many",
    "UnreadError",
    "has_zeros",
    "holds_nan",
    "is_array",
    "overlap",
    "owner",
    "plain_array",
    "read_only",
    "references",
    "refuse_complex",
    "refuse_mask",
    "unread",
]

# An array or, for 0-d results, a NumPy scalar, which is ten times as fast.
Array: TypeAlias = Any
# A function of raw arrays.
Kernel: TypeAlias = Any
# Counts the references to an array, among them those of the functions that hold it for this call.
references = sys.getrefcount


class Many:
    """What stands for many arrays of one shape, as one: see `autograd.batching`."""

    __slots__ = ()

    def read(self) -> Any:
        """Raise `UnreadError`."""
        raise NotImplementedError

    def all_elements(self) -> Any:
        """Return one array of all of them."""
        raise NotImplementedError


class UnreadError(RuntimeError):
    """Raised where a kernel, or a user, reads the numbers of `Many`. A call of an operation catches
    it and has it answered for all of the arrays at once.
    """

    def answer(self, primitive: Any, arguments: list[Any]) -> Any:
        """Return what the call returns, recorded."""
        raise NotImplementedError

    def answer_plain(self, primitive: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what a call of an operation without rules, of any arguments, returns."""
        raise NotImplementedError


def unread(error: Exception) -> UnreadError:
    """Return the `UnreadError` that an error is, or that NumPy made a ValueError of, as it does in
    `array[0] = many`; raise what is something else.
    """
    cause = error if isinstance(error, UnreadError) else error.__cause__
    if isinstance(cause, UnreadError):
        return cause
    raise error


def is_array(value: Any) -> bool:
    """Tell whether `value` is an array or a NumPy scalar."""
    return isinstance(value, (np.ndarray, np.generic))


def holds_nan(x: Array) -> bool:
    """Tell whether `x` holds a nan (or numbers too large to be squared), by one dot product."""
    square = np.vdot(x, x)
    return bool(square != square)  # noqa: PLR0124 - true of nan only


def has_zeros(x: Array) -> bool:
    """Tell whether `x` holds an exact zero."""
    if x.size > 4096:  # a comparison and a count of bools take a fifth of the time on 10^6 float32
        return bool(np.count_nonzero(x == 0))
    return bool(np.count_nonzero(x) < x.size)


def owner(x: Array) -> Array:
    """Return the array whose memory `x` looks at."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def read_only(x: Array) -> Array:
    """Return a view of an array that cannot be written to, anything else as it is."""
    if isinstance(x, np.ndarray):
        x = x.view()
        x.setflags(False)  # write=False, four times as fast as by keyword or by x.flags
    return x


def refuse_complex(name: str, *operands: Any) -> None:
    """Refuse complex operands of a function of real ones."""
    for x in operands:
        dtype = getattr(x, "dtype", None)
        if isinstance(x, complex) if dtype is None else dtype.kind == "c":
            raise TypeError(
                f"{name}: wanted real numbers, got {dtype or 'complex'}; write x.real or abs(x)"
            )


def refuse_mask(what: str, data: Any) -> None:
    """Refuse a masked array, whose mask NumPy would drop."""
    kind = type(data)  # not of the object: what a Variable has not, it explains at length
    if hasattr(kind, "mask") and hasattr(kind, "filled"):
        raise TypeError(
            f"{what}: wanted an array without a mask, got a masked one, whose hidden values would "
            "count; write data.filled(value)"
        )


# Subclasses of ndarray that count as ndarray, though their arithmetic is their own.
KINDS: set[type[Any]] = set()


def plain_array(what: str, data: Any) -> Any:
    """Return an array of a subclass of ndarray, such as np.memmap, as ndarray; others as they are.

    Raises:
        TypeError: for masked arrays, np.matrix and other subclasses whose arithmetic is their own.
    """
    kind = type(data)
    if kind is np.ndarray or not isinstance(data, np.ndarray):
        return data
    refuse_mask(what, data)
    own = kind.__array_ufunc__ is not np.ndarray.__array_ufunc__ and kind not in KINDS
    if isinstance(data, np.matrix) or own:
        raise TypeError(
            f"{what}: wanted an array, got a {kind.__name__}, whose arithmetic is its own; pass "
            "np.asarray(x), and convert back what comes out"
        )
    return data.view(np.ndarray)


def overlap(x: Array, y: Array) -> bool:
    """Tell whether two arrays have an element in common; parameters may be slices of one buffer."""
    try:
        return np.may_share_memory(x, y) and np.shares_memory(x, y, 1_000_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True
