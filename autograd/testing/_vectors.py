"""Nested arguments as lists of arrays, lists of arrays as one vector of reals, memory layouts.

Complex numbers are pairs of reals: with the gradient convention dL/dRe + i dL/dIm, a gradient
packed into reals is the gradient of the packed function, so nothing that judges derivatives needs
to know of complex numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import Variable

__all__ = [
    "LAYOUTS",
    "Array",
    "Slot",
    "flatten",
    "floating",
    "is_inexact",
    "locate",
    "pack",
    "precise",
    "raw",
    "rebuild",
    "slices",
    "unpack",
]

Array = np.ndarray[Any, Any]


class Slot(NamedTuple):
    """Where an array stands among the inputs or outputs, and what it looks like."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def parts(self) -> int:
        """Number of reals that make one element."""
        return 2 if self.dtype.kind == "c" else 1

    @property
    def reals(self) -> int:
        """Number of real coordinates."""
        return math.prod(self.shape) * self.parts

    def place(self, coordinate: int) -> tuple[int, ...]:
        """Return the array index that a real coordinate belongs to."""
        return tuple(map(int, np.unravel_index(coordinate // self.parts, self.shape)))

    def describe(self, coordinate: int) -> str:
        """Name one coordinate, for messages."""
        index = ", ".join(map(str, self.place(coordinate)))
        part = ("", " (imaginary part)" if coordinate % 2 else " (real part)")[self.parts - 1]
        at = f"{self.name}[{index}]" if index else self.name
        return f"{at}{part}, of shape {self.shape} and dtype {self.dtype}"


def slices(slots: Sequence[Slot]) -> list[slice]:
    """Return where each slot lies in the whole vector."""
    stops = np.cumsum([0, *(slot.reals for slot in slots)]).tolist()
    return [slice(start, stop) for start, stop in itertools.pairwise(stops)]


def locate(slots: Sequence[Slot], coordinate: int) -> tuple[Slot, int, slice]:
    """Return the slot that a coordinate of the whole vector lies in, its place there, and where the
    slot lies.
    """
    found = zip(slots, slices(slots), strict=True)
    slot, whole = next(pair for pair in found if coordinate < pair[1].stop)
    return slot, coordinate - whole.start, whole


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested lists, tuples and dicts with their paths."""
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from flatten(item, f"{path}[{i}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from flatten(item, f"{path}[{key!r}]")
    else:
        yield path, value


def rebuild(value: Any, leaves: Iterator[Any]) -> Any:
    """Return the containers of `value` around new leaves, taken in the order of `flatten`."""
    if isinstance(value, (list, tuple)):
        items = [rebuild(item, leaves) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {key: rebuild(item, leaves) for key, item in value.items()}
    return next(leaves)


def raw(value: Any) -> Any:
    """Return the array of a Variable, anything else as it is."""
    return value.data if isinstance(value, Variable) else value


def is_inexact(value: Any) -> bool:
    """Tell whether a value is a floating or complex array, NumPy scalar or Variable."""
    return isinstance(value, (Variable, np.ndarray, np.generic)) and value.dtype.kind in "fc"


def floating(result: Any) -> list[Any]:
    """List the floating arrays and Variables of a nested result."""
    return [value for _, value in flatten(result) if is_inexact(value)]


def precise(value: Any) -> Any:
    """Return floating data in at least double precision, anything else as it is."""
    if not is_inexact(value):
        return value
    wide = raw(value).astype(np.result_type(value.dtype, np.float64))
    return Variable(wide, requires_grad=value.requires_grad) if value is not raw(value) else wide


def pack(arrays: Sequence[Any]) -> Array:
    """Return all arrays as one vector of reals."""
    parts = [np.zeros(0, np.float16)]
    for array in map(raw, arrays):
        flat = np.ascontiguousarray(array).reshape(-1)
        native = flat.astype(flat.dtype.newbyteorder("="), copy=False)
        parts.append(native.view(native.real.dtype))
    return np.concatenate(parts)


def unpack(vector: Array, slots: Sequence[Slot]) -> list[Array]:
    """Return the arrays that `pack` made a vector of."""
    arrays = []
    for slot, whole in zip(slots, slices(slots), strict=True):
        part = vector[whole]
        if slot.parts == 2:
            half = np.finfo(slot.dtype).dtype
            part = np.array(part, half).view(np.result_type(half, np.complex64))
        arrays.append(part.astype(slot.dtype).reshape(slot.shape))
    return arrays


def _read_only(a: Array) -> Array:
    a = a.copy()
    a.flags.writeable = False
    return a


# The same values in other memory layouts.
LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "Fortran order": lambda a: np.asarray(a, order="F"),
    "strided": lambda a: np.repeat(a[..., None], 2, axis=-1)[..., 0],
    "negative strides": lambda a: np.asarray(np.flip(np.flip(a).copy())),
    "read-only": _read_only,
}
