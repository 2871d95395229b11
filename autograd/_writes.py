"""Writes that happen together: how loading a state is all or nothing. Imports the standard library.

Python handles signals between its own instructions, so a Ctrl-C can fall between any two
assignments of a loop, but not into one call of C code. Whoever loads a state first checks and
converts everything, collects what is to be written as (container, key, value), and then commits it.
"""

from collections import deque
from itertools import starmap
from operator import setitem
from typing import Any, TypeAlias

__all__ = ["Writes", "commit"]

Writes: TypeAlias = list[tuple[Any, Any, Any]]


def commit(writes: Writes) -> None:
    """Do `container[key] = value` for all entries, in one call that no interrupt can divide.

    The containers are dicts and writeable arrays, the values of an array have its shape and dtype:
    nothing is left that could fail.

    Example:
        >>> state = {}
        >>> commit([(state, "a", 1), (state, "b", 2)])
        >>> state
        {'a': 1, 'b': 2}
    """
    deque(starmap(setitem, writes), maxlen=0)
