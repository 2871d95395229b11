"""Nested lists, tuples and dicts of arrays: taken apart and put together again. Imports the
standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["Rebuild", "flatten", "rebuilt"]

Rebuild = Callable[[Iterator[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """List the leaves of nested lists, tuples (named ones too) and dicts, in order; None is an
    empty container.

    Returns:
        The leaves, and a function that puts an iterator over as many new leaves into the same
        structure.

    Example:
        >>> leaves, rebuild = flatten({"a": 1, "b": (2, [3])})
        >>> leaves
        [1, 2, 3]
        >>> rebuild(iter("xyz"))
        {'a': 'x', 'b': ('y', ['z'])}
    """
    leaves: list[Any] = []
    rebuild = _walk(tree, leaves)
    return leaves, rebuild


def _walk(tree: Any, leaves: list[Any]) -> Rebuild:
    if tree is None:
        return lambda _: None
    if isinstance(tree, dict):
        keys = list(tree)
        parts = [_walk(tree[key], leaves) for key in keys]
        return lambda new: {key: part(new) for key, part in zip(keys, parts, strict=True)}
    if isinstance(tree, (list, tuple)):
        cls = type(tree)
        parts = [_walk(item, leaves) for item in tree]
        if hasattr(tree, "_fields"):
            return lambda new: cls(*[part(new) for part in parts])
        return lambda new: cls(part(new) for part in parts)
    leaves.append(tree)
    return next


def rebuilt(rebuild: Rebuild, leaves: Iterable[Any]) -> Any:
    """Put `leaves` into the structure that `rebuild` came from."""
    return rebuild(iter(leaves))
