"""Reading elements and its adjoint, scattering: each is the other's derivative. Imports `_primitive` and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import _graph
from autograd._graph import Scatter
from autograd._primitive import primitive

_BASIC = (int, slice, type(None), type(Ellipsis), np.integer)


def _is_basic(index: Any) -> bool:
    """Tell whether an index names each element at most once: slices, integers, None, ..., or one boolean mask."""
    if type(index) is tuple:
        return all(isinstance(i, _BASIC) for i in index)
    return isinstance(index, _BASIC) or (isinstance(index, np.ndarray) and index.dtype == bool)


def _plain_index(index: Any) -> Any:
    """Unwrap Variables in an index; they never carry a gradient (an index is integer or bool)."""
    if type(index) is tuple:
        return tuple([_plain_index(i) for i in index])
    if isinstance(index, _graph.Variable):
        return index._data
    return index


@primitive(values=lambda g, index: g[index], linear=True)
def scatter(values: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of `shape` with `values` added at `index`; duplicate indices add up.

    The adjoint of `x[index]`.
    """
    total = np.zeros_like(values, shape=shape)
    if _is_basic(index):
        total[index] = values
    else:
        np.add.at(total, index, values)
    return total


@primitive(
    x=lambda g, x_shape, index: Scatter(scatter, g, index, x_shape, unique=_is_basic(index)),
    linear=True,
    masks=True,
)
def take_index(x: Any, index: Any) -> Any:
    return x[index]


def getitem(x: Any, index: Any) -> Any:
    """Return `x[index]`: basic, advanced and boolean indices, None and Ellipsis."""
    return take_index(x, _plain_index(index))
