"""Graphs kept from call to call, under the name that HIPS autograd has."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["const_graph"]


def const_graph(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Return `fun` with `args` and `kwargs` given, for code that promises a graph which is the same
    in every call.

    The promise is not needed: the function is recorded anew, and its branches are followed.
    """
    return functools.partial(fun, *args, **kwargs)
