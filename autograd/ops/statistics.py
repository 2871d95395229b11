"""Averages, and reductions that leave out nan. Imports `graph`, `_shared`,
`elementwise`, `reductions` and `shaping`.

`axis` is None (all axes), an integer or a tuple. The functions whose names begin with nan take the
elements that are not nan; the others have gradient 0. Median and quantiles are in `sorting`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.engine import graph
from autograd.engine.calls import holds
from autograd.engine.graph import wrap
from autograd.ops import elementwise, plain, shaping
from autograd.ops._shared import beside, inexact, operand, refuse_out
from autograd.ops.reductions import (
    bounded_extreme,
    make_extreme,
    mean,
    prod,
    root_of_variance,
    share_among_ties,
    sum,
    variance,
)

__all__ = [
    "average",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """Return the weighted average over `axis`, sum(weights * a) / sum(weights).

    Args:
        a: an array.
        axis: the axes to reduce.
        weights: of the shape of `a`, or of its axes `axis`; None gives all elements the same.
        returned: return a pair of the average and the sum of the weights.
        keepdims: keep the reduced axes, with length 1.

    Raises:
        ZeroDivisionError: weights that add up to 0.
        ValueError: weights of another shape.
    """
    a = operand("average", a)
    if weights is None:
        result = mean(a, axis, keepdims=keepdims)
        total = result.dtype.type(a.size / (result.size or 1))
        if isinstance(result, graph.Variable):
            total = wrap(beside(total, result))
    else:
        weights = _aligned(a, axis, operand("average", weights))
        total = sum(weights, axis, keepdims=keepdims)
        if holds((total == 0).any(), traced=False):
            raise ZeroDivisionError(
                "average: wanted weights with a sum other than 0, got some that add up to 0"
            )
        result = inexact(sum(a * weights, axis, keepdims=keepdims)) / total
    if not returned:
        return result
    return result, total if total.shape == result.shape else np.broadcast_to(total, result.shape)


def _aligned(x: Any, axis: Any, weights: Any) -> Any:
    """Reshape weights of the axes `axis` so that they broadcast against `x`."""
    if weights.shape == x.shape:
        return weights
    axes = () if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(a % x.ndim for a in axes)
    if weights.shape != tuple(x.shape[a] for a in axes) or not axes:
        raise ValueError(
            f"average: wanted weights of shape {x.shape} or of the lengths of axis={axis}, got "
            f"shape {weights.shape}; give one weight per element, or one per index of these axes"
        )
    weights = shaping.transpose(weights, tuple(np.argsort(axes).tolist()))
    return weights.reshape(tuple(n if a in axes else 1 for a, n in enumerate(x.shape)))


def _extreme_unless_nan_x(g: Any, x: Any, out: Any, axis: Any) -> Any:
    """Share `g` among ties; none of it goes to a slice of nan only."""
    empty = np.isnan(out)
    if holds(empty.any(), traced=True):
        g = np.where(empty, 0.0, g)
    return share_among_ties(g, x, out, axis)


_nanmax = make_extreme("nanmax", np.nanmax, _extreme_unless_nan_x)
_nanmin = make_extreme("nanmin", np.nanmin, _extreme_unless_nan_x)


def _unless_nan(x: Any, where: Any) -> Any:
    """Return what `where` becomes when nan is left out as well: True if nothing is left out."""
    there = ~plain.isnan(x)
    if where is not True:
        return np.logical_and(there, where)
    return True if holds(there.all(), traced=False) else there


def nansum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Add up the elements that are not nan; the others have gradient 0."""
    refuse_out("nansum", out)
    return sum(a, axis, dtype, None, keepdims, initial, _unless_nan(a, where))


def nanprod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Multiply the elements that are not nan; the others have gradient 0."""
    refuse_out("nanprod", out)
    return prod(a, axis, dtype, None, keepdims, initial, _unless_nan(a, where))


def nanmean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Any:
    """Average the elements that are not nan; the others have gradient 0."""
    refuse_out("nanmean", out)
    return mean(a, axis, dtype, None, keepdims, where=_unless_nan(a, where))


def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Return the variance of the elements that are not nan; see `var`."""
    there = _unless_nan(a, where)
    return variance("nanvar", a, axis, dtype, out, ddof, keepdims, there, mean, correction)


def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Return the standard deviation of the elements that are not nan; see `std`."""
    there = _unless_nan(a, where)
    return root_of_variance(
        variance("nanstd", a, axis, dtype, out, ddof, keepdims, there, mean, correction)
    )


def nanmax(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Return the largest element that is not nan; elements that tie share the gradient."""
    return bounded_extreme(
        _nanmax, elementwise.fmax, -math.inf, a, axis, out, keepdims, initial, where
    )


def nanmin(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Return the smallest element that is not nan; elements that tie share the gradient."""
    return bounded_extreme(
        _nanmin, elementwise.fmin, math.inf, a, axis, out, keepdims, initial, where
    )
