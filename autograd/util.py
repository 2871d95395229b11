"""Small tools, under the names that HIPS autograd has. Imports the standard library only."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

__all__ = ["func", "subval", "subvals", "toposort"]


def subvals(x: Sequence[Any], ivs: Iterable[tuple[int, Any]]) -> tuple[Any, ...]:
    """Return `x` as a tuple with the values at some places replaced.

    Example:
        >>> subvals((1, 2, 3), [(0, 7), (2, 9)])
        (7, 2, 9)
    """
    new = list(x)
    for i, value in ivs:
        new[i] = value
    return tuple(new)


def subval(x: Sequence[Any], i: int, v: Any) -> tuple[Any, ...]:
    """Return `x` as a tuple with the value at place `i` replaced by `v`."""
    return subvals(x, [(i, v)])


def func(f: Any) -> Any:
    """Return a function as it is."""
    return f


def toposort(
    end_node: Any, parents: Callable[[Any], Iterable[Any]] = operator.attrgetter("parents")
) -> Iterator[Any]:
    """Go through a graph from its end, each node after all that it is a parent of."""
    counts: Counter[Any] = Counter()
    stack = [end_node]
    while stack:
        node = stack.pop()
        counts[node] += 1
        if counts[node] == 1:
            stack.extend(parents(node))
    ready = [end_node]
    while ready:
        node = ready.pop()
        yield node
        for parent in parents(node):
            counts[parent] -= 1
            if not counts[parent]:
                ready.append(parent)
