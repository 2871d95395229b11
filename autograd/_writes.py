"""Writes that happen together: how loading a state is all or nothing. Imports NumPy only.

Python handles signals between its own instructions, so a Ctrl-C can fall between any two
assignments of a loop, but not into one call of C code. Whoever loads a state first checks and
converts everything, collects what is to be written, and then commits it.
"""

from collections import deque
from itertools import starmap
from operator import setitem
from typing import Any

import numpy as np

__all__ = ["Writes", "converted"]


class Writes:
    """What is to be written: `container[key] = value`, several times.

    The containers are dicts and writeable arrays, the values of an array have its shape and dtype:
    nothing is left that could fail.

    Example:
        >>> state = {}
        >>> writes = Writes()
        >>> writes.add(state, "a", 1)
        >>> writes.add(state, "b", 2)
        >>> writes.commit()
        >>> state
        {'a': 1, 'b': 2}
    """

    def __init__(self) -> None:
        self.entries: list[tuple[Any, Any, Any]] = []
        # Variables whose data are among the containers; graphs that saved them become stale.
        self.changed: list[Any] = []

    def add(self, container: Any, key: Any, value: Any) -> None:
        """Plan `container[key] = value`."""
        self.entries.append((container, key, value))

    def extend(self, other: "Writes") -> None:
        """Plan the writes of another plan, too."""
        self.entries += other.entries
        self.changed += other.changed

    def commit(self) -> None:
        """Write everything, in one call that no interrupt can divide."""
        for variable in self.changed:
            variable.mark_changed()
        deque(starmap(setitem, self.entries), maxlen=0)


def converted(array: Any, dtype: np.dtype[Any]) -> Any:
    """Return an array in another dtype, itself where it has it; nothing becomes infinite or wraps.

    Raises:
        ValueError: a value that the dtype cannot hold; the text follows the name of the array.

    Example:
        >>> converted(np.array([1e6]), np.dtype(np.float16))
        Traceback (most recent call last):
        ValueError: with 1000000.0 in it, which float16 cannot hold
    """
    if array.dtype == dtype:
        return array
    if dtype.kind in "iufc":
        # Not by casting and looking for inf: a Ctrl-C in `np.errstate` would leave it changed.
        limits: Any = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
        # As Python's numbers, which compare without casting.
        low, high = np.array([limits.min, limits.max]).tolist()
        for part in (array.real, array.imag) if array.dtype.kind == "c" else (array,):
            finite = part[np.isfinite(part)] if part.dtype.kind == "f" else part
            for value in (finite.min().item(), finite.max().item()) if finite.size else ():
                if not low <= value <= high:
                    raise ValueError(f"with {value} in it, which {dtype} cannot hold")
    return array.astype(dtype)
