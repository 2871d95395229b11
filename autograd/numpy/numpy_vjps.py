"""Undoing of broadcasting in rules, under the name that HIPS autograd has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.engine.backward import unbroadcast
from autograd.ops.indexing import shape_of

__all__ = ["unbroadcast_f"]


def unbroadcast_f(target: Any, pull: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return `pull` with what it returns summed over the axes along which `target` is broadcast."""
    shape = shape_of(target)
    return lambda g: unbroadcast(pull(g), shape)
