"""Joining and splitting arrays. Imports `_primitive`, `indexing` and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import _graph
from autograd._primitive import primitive


@primitive(arrays=lambda g, index, axis: np.take(g, index, axis=axis), linear=True, name="stack_arrays")
def stack_arrays(*arrays: Any, axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis."""
    return np.stack(arrays, axis=axis)


def stack(arrays: Any, axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis."""
    return stack_arrays(*arrays, axis=axis)


def array(values: Any) -> Any:
    """Make one array of nested lists and tuples of numbers, arrays and Variables: recorded, so nothing is lost."""
    if isinstance(values, (list, tuple)):
        if not any(isinstance(v, (_graph.Variable, list, tuple)) for v in values):
            return np.asarray(values)
        parts = [array(v) for v in values]
        if any(isinstance(v, _graph.Variable) for v in parts):
            return stack_arrays(*parts)
        return np.asarray(parts)
    return values
