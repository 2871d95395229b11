"""Nested inputs and outputs as lists of arrays, and lists of arrays as one vector of reals.

Imports the Variable and NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.variable import Variable

Array = np.ndarray[Any, Any]


class Slot(NamedTuple):
    """Where an array stands among the inputs or outputs, and what it looks like."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def reals(self) -> int:
        """Number of real coordinates."""
        size = math.prod(self.shape)
        return 2 * size if self.dtype.kind == "c" else size

    def position(self, coordinate: int) -> tuple[int, ...]:
        """Return the array index that a real coordinate belongs to."""
        flat = coordinate // 2 if self.dtype.kind == "c" else coordinate
        return tuple(int(i) for i in np.unravel_index(flat, self.shape)) if self.shape else ()

    def part(self, coordinate: int) -> str:
        """Tell which part of a complex number a coordinate is."""
        return ("real part", "imaginary part")[coordinate % 2] if self.dtype.kind == "c" else ""


def flatten(value: Any, path: str) -> Iterator[tuple[str, Any]]:
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
    """Return the containers of `value` around new leaves, which are taken in the order of
    `flatten`.
    """
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


def pack(arrays: Sequence[Any]) -> Array:
    """Return all arrays as one vector of reals."""
    parts = []
    for array in arrays:
        flat = np.ascontiguousarray(array).reshape(-1)
        parts.append(flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat)
    return np.concatenate(parts) if parts else np.zeros(0)


def unpack(vector: Array, slots: Sequence[Slot]) -> list[Array]:
    """Return the arrays that `pack` made a vector of; a complex vector gives complex arrays (the
    complex step).
    """
    arrays = []
    start = 0
    for slot in slots:
        part = vector[start : start + slot.reals]
        start += slot.reals
        if vector.dtype.kind == "c":
            arrays.append(part.reshape(slot.shape).copy())
        elif slot.dtype.kind == "c":
            pairs = np.ascontiguousarray(part, dtype=np.finfo(slot.dtype).dtype)
            arrays.append(pairs.view(slot.dtype).reshape(slot.shape))
        else:
            arrays.append(part.astype(slot.dtype).reshape(slot.shape))
    return arrays
