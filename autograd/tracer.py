"""Whether a value is recorded, under the names that HIPS autograd has. Imports the engine."""

from __future__ import annotations

from typing import Any

from autograd.engine import graph
from autograd.engine.graph import unwrap

__all__ = ["getval", "isbox"]


def isbox(value: Any) -> bool:
    """Tell whether a value is a Variable."""
    return isinstance(value, graph.Variable)


def getval(value: Any) -> Any:
    """Return the array or number in a Variable, other values as they are."""
    return unwrap(value)
