"""Memory that was changed through the library: by optimizers, `load_state_dict`, initialisers,
`.data =` and `mark_changed`.

A node that saved such memory before the change must not run its rules after it. What counts is the
memory, not whose it is: a frozen or detached parameter is watched like any other. Imports `graph`.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd.arrays import Array, is_foreign, overlap, owner
from autograd.engine.graph import Node, next_number

__all__ = ["mark", "refuse_stale"]

# By the identity of the array that owns the memory: a reference that ends the entry with the array,
# and, by the identity of each view through which it has changed, that view and the number of the
# change. No array is kept alive by this.
_CHANGED: dict[int, tuple[Any, dict[int, tuple[Any, int]]]] = {}
_last = 0


def mark(x: Array) -> None:
    """Note that the memory of an array changes now."""
    global _last  # noqa: PLW0603 - one number tells most passes that there is nothing to look for
    _last = next_number()
    if isinstance(x, np.ndarray) or is_foreign(x):  # a NumPy scalar cannot change
        whole = owner(x)
        key = id(whole)
        if key not in _CHANGED:
            _CHANGED[key] = weakref.ref(whole, lambda _: _CHANGED.pop(key, None)), {}
        _CHANGED[key][1][id(x)] = weakref.ref(x), _last


def refuse_stale(order: list[Node]) -> None:
    """Raise where a node, of those of a backward pass, youngest first, has saved memory that was
    changed after it was recorded.
    """
    for node in reversed(order):
        if not node.parents:
            continue
        if node.number >= _last:
            return
        for x in _arrays(node.saved):
            _, parts = _CHANGED.get(id(owner(x)), (None, {}))
            for view, number in parts.values():
                if number > node.number and (view() is None or overlap(x, view())):
                    raise RuntimeError(
                        f"backward: data of shape {x.shape} was changed (optimizer step, "
                        f"load_state_dict, mark_changed or .data =) after {node.plan.name} saved "
                        "it; compute the output again after the change"
                    )


def _arrays(saved: Any) -> Iterator[Array]:
    """Yield the arrays that a node has saved, also in containers of a custom function."""
    if isinstance(saved, np.ndarray) or is_foreign(saved):
        yield saved
    elif isinstance(saved, (tuple, list, dict)):
        for value in saved.values() if isinstance(saved, dict) else saved:
            yield from _arrays(value)
