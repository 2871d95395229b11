"""What depends on the array library. Nothing here knows of Variables; imports NumPy only.

An array is NumPy's, or one of another library that answers NumPy's functions (`is_foreign`): those
run on it unchanged. What is asked of its values here is answered for all values, because its
numbers may be on another device, or not computed yet.
"""

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
    "copied",
    "has_zeros",
    "holds_nan",
    "in_chunks",
    "is_array",
    "is_foreign",
    "kind_of",
    "moved",
    "number",
    "one_kind",
    "overlap",
    "owner",
    "plain_array",
    "read_only",
    "references",
    "refuse_complex",
    "refuse_mask",
    "same_library",
    "separate",
    "surely",
    "to_numpy",
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
    _node = None  # no array of another library: see `is_foreign`

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
    return isinstance(value, (np.ndarray, np.generic)) or is_foreign(value)


# -- arrays of other libraries ---------------------------------------------------------------------


def is_foreign(value: Any) -> bool:
    """Tell whether `value` is an array of another library, which answers both of NumPy's protocols;
    our own classes stand for arrays, and know of nodes.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return False
    kind = type(value)
    if not hasattr(kind, "__array_function__") or hasattr(kind, "_node"):
        return False
    wanted = ("__array_ufunc__", "shape", "dtype", "reshape")
    return all(getattr(kind, name, None) is not None for name in wanted)


def kind_of(x: Array) -> str:
    """Name the library's array type that `x` is of, as in error messages."""
    kind = type(x)
    return f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}" if is_foreign(x) else "NumPy"


def same_library(x: Array, y: Array) -> bool:
    """Tell whether two arrays are of one library; numbers go with any."""
    if type(x) is type(y):
        return True
    pairs = ((x, y), (y, x))
    return not any(is_foreign(a) and (is_foreign(b) or isinstance(b, np.ndarray)) for a, b in pairs)


def one_kind(what: str, x: Array, y: Array) -> TypeError:
    """Return the error for two arrays that are not of one library."""
    foreign = x if is_foreign(x) else y
    library = type(foreign).__module__.partition(".")[0]
    return TypeError(
        f"{what}: wanted arrays of one library, got {kind_of(x)} and {kind_of(y)}; make both of "
        f"one, as in Variable(np.asarray(array, like=x)) for an x of {library}"
    )


def moved(value: Array, x: Array) -> Array:
    """Return an array of NumPy as one of the library that `x` is of."""
    return np.asarray(value, like=x) if is_foreign(x) and not is_foreign(value) else value


def to_numpy(x: Array) -> Array:
    """Return the numbers of any array as NumPy's: fetched from a device, computed where they are
    not yet.
    """
    if is_foreign(x):
        fetch = getattr(x, "get", None) or getattr(x, "compute", None)  # of CuPy, of Dask
        x = fetch() if fetch is not None else x
    return np.asarray(x)


def number(x: Array) -> float:
    """Return the one number in an array."""
    return float(to_numpy(x) if is_foreign(x) else x)


def in_chunks(x: Array, y: Array) -> Array:
    """Return `x` divided into the same chunks as `y`, an array of Dask's of its shape."""
    return x.rechunk(y.chunks) if hasattr(x, "rechunk") and hasattr(y, "chunks") else x


def separate(x: Array) -> Array:
    """Return a copy of an array; of a NumPy scalar, which cannot change, itself."""
    return x.copy() if isinstance(x, np.ndarray) or is_foreign(x) else x


def copied(x: Array, order: str = "K") -> Array:
    """Return an array with the elements of `x`, to be written to."""
    return x.copy() if is_foreign(x) else np.array(x, order=order)  # type: ignore[call-overload]


# -- questions about values ------------------------------------------------------------------------


def surely(condition: Any) -> bool:
    """Tell whether a kernel may take a short way: `condition` holds, and its value is at hand."""
    return not is_foreign(condition) and bool(condition)


def holds_nan(x: Array) -> bool:
    """Tell whether `x` holds a nan (or numbers too large to be squared), by one dot product."""
    if x.__class__ is not np.ndarray and is_foreign(x):
        return True
    square = np.vdot(x, x)
    return bool(square != square)  # noqa: PLR0124 - true of nan only


def has_zeros(x: Array) -> bool:
    """Tell whether `x` holds an exact zero."""
    if x.__class__ is not np.ndarray and is_foreign(x):
        return True
    if x.size > 4096:  # a comparison and a count of bools take a fifth of the time on 10^6 float32
        return bool(np.count_nonzero(x == 0))
    return bool(np.count_nonzero(x) < x.size)


def owner(x: Array) -> Array:
    """Return the array whose memory `x` looks at."""
    kind = np.ndarray if isinstance(x, np.ndarray) else type(x)
    while isinstance(base := getattr(x, "base", None), kind):
        x = base
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
    if is_foreign(x):
        return owner(x) is owner(y)
    try:
        return np.may_share_memory(x, y) and np.shares_memory(x, y, 1_000_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True
