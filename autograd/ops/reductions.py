"""Reductions: sums, means, products, variances, extremes.

`axis` is None (all axes), an integer or a tuple, negative values count from the end. Shapes: x is
(d0, ..., dn); the result lacks the reduced axes, or has them with length 1 where `keepdims`. The
keywords are NumPy's, and all of them have gradients: `where` leaves elements out (their gradient is
0), `initial` takes part like one more element. Imports `graph`, `calls`, `_shared`, families.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import UnreadError, is_foreign
from autograd.engine import graph
from autograd.engine.calls import holds, primitive, unary
from autograd.engine.graph import record
from autograd.ops import elementwise, plain, shaping
from autograd.ops._shared import (
    add_reduce,
    beside,
    count_of,
    expand,
    inexact,
    multiply_reduce,
    operand,
    refuse_out,
    reverse_along,
    safe_divide,
    with_reduced_axes,
)

__all__ = [
    "amax",
    "amin",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]

_ndarray = np.ndarray
_add: Any = np.add.reduce
_FAST = "fdFD"  # dtypes that a plain sum and a division average as np.mean does

# -- sums and means --------------------------------------------------------------------------------


@primitive(name="sum", x=expand, linear=True)
def _sum(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return add_reduce(x, axis, dtype, None, keepdims)


def _average(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    if x.__class__ is not _ndarray:
        if is_foreign(x):
            return np.mean(x, axis=axis, dtype=dtype, keepdims=keepdims)
        x = np.asanyarray(x)
    if dtype is None and x.dtype.char in _FAST and x.size:
        return add_reduce(x, axis, None, None, keepdims) / count_of(x.shape, axis)
    return np.mean(x, axis=axis, dtype=dtype, keepdims=keepdims)


_mean = primitive(
    name="mean",
    x=lambda g, x_shape, axis: expand(g / count_of(x_shape, axis), x_shape, axis),
    linear=True,
)(_average)


_SUM, _MEAN = _sum.primitive, _mean.primitive


def _recorded(made: Any, x: Any, axis: Any, keepdims: bool, out: Any) -> Any:
    """Record a sum or a mean: losses end in one, so they go without the general path's 1.2 us."""
    node, arguments = x._node, (x, axis, None, keepdims)
    if node is None:
        return record(made.constant, (), (), out, arguments)
    values = x._data, axis, None, keepdims, out
    return record(made.first, (node,), values, out, arguments)


def _start(initial: Any, like: Any) -> Any:
    """Return `initial` in the dtype of the result, which it does not change."""
    kind, wanted = getattr(initial, "dtype", like.dtype), like.dtype
    narrower = kind != wanted and kind.kind == wanted.kind in "fc"
    return shaping.astype(initial, wanted) if narrower else initial


def sum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Add up elements over `axis`, starting from `initial`."""
    if dtype is out is initial is None and where is True and isinstance(a, graph.Variable):
        try:
            total = _add(a._data, axis, None, None, keepdims)
        except UnreadError as reading:
            return reading.answer(_SUM, [a, axis, None, keepdims])
        except TypeError:  # of other libraries' arrays, which have no methods of ufuncs
            total = np.sum(a._data, axis=axis, keepdims=keepdims)
        return _recorded(_SUM, a, axis, keepdims, total)
    refuse_out("sum", out)
    if where is not True:
        a = elementwise.where(where, a, 0)
    result = _sum(a, axis, dtype, keepdims)
    return result if initial is None else result + _start(initial, result)


def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Any:
    """Average elements over `axis`; nan where there is none."""
    if dtype is out is None and where is True and isinstance(a, graph.Variable):
        try:
            average = _average(a._data, axis, None, keepdims)
        except UnreadError as reading:
            return reading.answer(_MEAN, [a, axis, None, keepdims])
        return _recorded(_MEAN, a, axis, keepdims, average)
    refuse_out("mean", out)
    if where is True:
        return _mean(a, axis, dtype, keepdims)
    total = inexact(sum(a, axis, dtype, keepdims=keepdims, where=where))
    return total / _counts(a, axis, where, keepdims).astype(total.dtype)


def _counts(x: Any, axis: Any, where: Any, keepdims: bool) -> Any:
    """Return how many elements `where` takes, per element of the result."""
    chosen = np.broadcast_to(where, np.shape(x))
    return beside(plain.count_nonzero(chosen, axis=axis, keepdims=keepdims), x)


# -- products --------------------------------------------------------------------------------------


def is_normal(x: Any) -> Any:
    """Tell which numbers have all their digits: not 0, subnormal, infinite or nan."""
    size = np.abs(x)
    return (size >= np.finfo(x.dtype).tiny) & (size < math.inf)


def _shifted(x: Any) -> Any:
    """Move the elements of the last axis one place on, with 1 in the first place."""
    n = x.shape[-1]
    return np.where(beside(np.arange(n) == 0, x), 1.0, x[..., np.maximum(np.arange(n) - 1, 0)])


def _products_of_others(x: Any) -> Any:
    """Return, for each element of the last axis, the product of the others; no division."""
    before = np.cumprod(_shifted(x), axis=-1)
    after = reverse_along(np.cumprod(_shifted(reverse_along(x, -1)), axis=-1), -1)
    return before * after


def _prod_x(g: Any, x: Any, out: Any, axis: Any) -> Any:
    g = expand(g, x.shape, axis)
    if holds(is_normal(out).all(), traced=False):
        return g * (with_reduced_axes(out, x.shape, axis) / x)
    # A zero, an underflow or an overflow somewhere: out / x will not do.
    if not x.ndim:
        return g
    if axis is None:
        return g * _products_of_others(x.reshape(-1)).reshape(x.shape)
    reduced = [a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
    order = [a for a in range(x.ndim) if a not in reduced] + reduced
    moved = np.transpose(x, order)
    flat = moved.reshape((*moved.shape[: x.ndim - len(reduced)], count_of(x.shape, tuple(reduced))))
    others = _products_of_others(flat).reshape(moved.shape)
    return g * np.transpose(others, np.argsort(order).tolist())


@primitive(name="prod", x=_prod_x, reduces=True)
def _prod(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return multiply_reduce(x, axis, dtype, None, keepdims)


def prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Multiply elements over `axis`, starting from `initial`.

    Gradients are right with any number of zeros, to any order.
    """
    refuse_out("prod", out)
    if where is not True:
        a = elementwise.where(where, a, 1)
    result = _prod(a, axis, dtype, keepdims)
    return result if initial is None else result * _start(initial, result)


# -- variances -------------------------------------------------------------------------------------


def _conjugate(x: Any) -> Any:
    return np.conjugate(x) if x.dtype.kind == "c" else x


def _var_x(g: Any, x: Any, axis: Any, ddof: Any) -> Any:
    n = count_of(x.shape, axis)
    deviation = x - x.sum(axis=axis, keepdims=True) / n
    return expand(g * (2 / (n - ddof) if n > ddof else math.nan), x.shape, axis) * (
        _conjugate(deviation)
    )


@primitive(name="var", x=_var_x, reduces=True)
def _var(x: Any, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
    total = add_reduce(x, axis, None, None, True)
    n = count_of(x.shape, axis)
    if x.dtype.char not in _FAST or n <= ddof:
        return np.var(x, axis=axis, ddof=ddof, keepdims=keepdims)
    deviation = x - total / n
    square = (deviation * _conjugate(deviation)).real
    return add_reduce(square, axis, None, None, keepdims) / (n - ddof)


def var(
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
    """Return the mean squared distance from the mean, over `axis`.

    Args:
        a: an array; the result is real where it is complex.
        axis: the axes to reduce.
        dtype: the dtype to compute in.
        out: not supported.
        ddof: subtracted from the number of elements that the sum of squares is divided by.
        keepdims: keep the reduced axes, with length 1.
        where: which elements count.
        mean: the mean, computed before with `keepdims=True`: an operand with a gradient of its own.
        correction: the array API's name of `ddof`.
    """
    return variance("var", a, axis, dtype, out, ddof, keepdims, where, mean, correction)


def variance(
    name: str,
    x: Any,
    axis: Any,
    dtype: Any,
    out: Any,
    ddof: Any,
    keepdims: bool,
    where: Any,
    average: Any,
    correction: Any,
) -> Any:
    refuse_out(name, out)
    if correction is not None and correction is not np._NoValue:
        if ddof:
            raise ValueError(
                f"{name}: wanted ddof or correction, two names of one thing, got both; give one"
            )
        ddof = correction
    x = operand(name, x)
    if dtype is not None:
        x = shaping.astype(x, np.dtype(dtype))
    if x.dtype == np.float16:  # which squares and sums soon overflow: as its mean, in float32
        wide = shaping.astype(x, np.dtype(np.float32))
        result = variance(name, wide, axis, None, None, ddof, keepdims, where, average, None)
        return shaping.astype(result, x.dtype)
    if where is True and (average is None or average is np._NoValue):
        return _var(x, axis, ddof, keepdims)
    x = inexact(x)
    if average is None or average is np._NoValue:
        average = mean(x, axis, keepdims=True, where=where)
    deviation = x - average
    square = elementwise.real(deviation * _conjugate(deviation))
    total = sum(square, axis, keepdims=keepdims, where=where)
    count = np.maximum(_counts(x, axis, where, keepdims) - ddof, 0)
    return total / count.astype(total.dtype)


# The square root of a variance: 0 where all elements are equal, and so is its gradient there.
root_of_variance = unary(np.sqrt, name="std", x=lambda g, out: safe_divide(g, 2 * out))


def std(
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
    """Return the standard deviation over `axis`, the square root of `var`, with its arguments.

    The gradient where all elements are equal, or there is only one, is 0.
    """
    return root_of_variance(
        variance("std", a, axis, dtype, out, ddof, keepdims, where, mean, correction)
    )


# -- extremes --------------------------------------------------------------------------------------


def share_among_ties(g: Any, x: Any, out: Any, axis: Any) -> Any:
    """Share `g` equally among the elements that equal the extreme; nan where it is nan."""
    extreme = with_reduced_axes(out, x.shape, axis)
    winners = x == extreme
    if holds((extreme != extreme).any(), traced=True):  # noqa: PLR0124 - true of nan only
        winners = winners | ((x != x) & (extreme != extreme))  # noqa: PLR0124
    count = add_reduce(winners, axis, g.dtype, None, True)
    return np.where(
        winners, expand(with_reduced_axes(g, x.shape, axis) / count, x.shape, axis), 0.0
    )


def make_extreme(name: str, forward: Callable[..., Any], rule: Callable[..., Any]) -> Any:
    def reduce(
        x: Any,
        axis: Any = None,
        keepdims: bool = False,
        initial: Any = np._NoValue,
        where: Any = np._NoValue,
    ) -> Any:
        if initial is where is np._NoValue:  # which other libraries do not know
            return forward(x, axis=axis, keepdims=keepdims)
        return forward(x, axis=axis, keepdims=keepdims, initial=initial, where=where)

    return primitive(name=name, makes_zeros=True, reduces=True, x=rule)(reduce)


_max = make_extreme("max", np.max, share_among_ties)
_min = make_extreme("min", np.min, share_among_ties)


def bounded_extreme(
    reduce: Any,
    choose: Any,
    weakest: float,
    x: Any,
    axis: Any,
    out: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Any:
    """Reduce with `initial` as one more element and `weakest` where `where` leaves one out."""
    name = reduce.__name__
    refuse_out(name, out)
    if initial is np._NoValue:
        initial = None
    if initial is None and where is True:
        return reduce(x, axis, keepdims)
    if initial is None:
        raise ValueError(
            f"{name}: wanted initial= beside where=, got none, so that nothing is there where all "
            f"elements are left out; give initial={-weakest if name.startswith('nan') else weakest}"
        )
    x = operand(name, x)
    if x.dtype.kind not in "fc":  # integers have no infinity, and no gradient
        return reduce(x, axis, keepdims, initial, where)
    if not count_of(x.shape, axis):
        return sum(x, axis, keepdims=keepdims) + _start(initial, x)
    if where is not True:
        x = elementwise.where(where, x, weakest)
    return choose(reduce(x, axis, keepdims), _start(initial, x))


def max(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Return the largest element over `axis`; elements that tie share the gradient equally."""
    return bounded_extreme(
        _max, elementwise.maximum, -math.inf, a, axis, out, keepdims, initial, where
    )


def min(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Return the smallest element over `axis`; elements that tie share the gradient equally."""
    return bounded_extreme(
        _min, elementwise.minimum, math.inf, a, axis, out, keepdims, initial, where
    )


amax = max
amin = min


def ptp(a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Any:
    """Return the largest minus the smallest element over `axis`."""
    refuse_out("ptp", out)
    return _max(a, axis, keepdims) - _min(a, axis, keepdims)
