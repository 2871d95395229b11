"""PyTorch's names of parameters beside ours. Imports the standard library only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["dim_is_axis"]

R = TypeVar("R")

_OURS = {"dim": "axis", "start_dim": "start_axis", "end_dim": "end_axis", "keepdim": "keepdims"}


def dim_is_axis(function: Callable[..., R]) -> Callable[..., R]:
    """Let a function that has `axis` (`keepdims` ...) be called with `dim` (`keepdim` ...), too."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> R:
        if kwargs and not _OURS.keys().isdisjoint(kwargs):
            for theirs, ours in _OURS.items():
                if theirs in kwargs:
                    if ours in kwargs:
                        name = function.__qualname__.removesuffix(".__init__")
                        raise TypeError(f"{name}: wanted {ours} or {theirs}, got both")
                    kwargs[ours] = kwargs.pop(theirs)
        return function(*args, **kwargs)

    return call
