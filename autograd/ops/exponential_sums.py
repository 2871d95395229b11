"""Exponentials that sum: logsumexp, the same as running sums, softmax and log_softmax.

Shifted by the maximum, so that nothing overflows; one fused rule each, because classifiers spend
their backward pass here. Imports `calls`, `_shared` and families of operations.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.arrays import is_foreign, surely
from autograd.blocks import in_row_blocks
from autograd.engine.backward import unbroadcast
from autograd.engine.calls import binary, holds, primitive
from autograd.ops import elementwise, joining
from autograd.ops._shared import add_reduce, inexact, operand, slice_along, with_reduced_axes
from autograd.ops.cumulative import recurrence
from autograd.ops.indexing import normal_axis
from autograd.ops.reductions import sum as _sum

__all__ = ["log_softmax", "logcumsumexp", "logsumexp", "softmax"]

_largest: Any = np.maximum.reduce
_LARGE = 16.0  # below, a sum loses no more than 16 units in the last place of the shares

# -- what is subtracted before exponentials are taken ----------------------------------------------
# The result does not depend on it, so it has no gradient.


def _peak(x: Any, axis: Any) -> Any:
    """Return the maximum over `axis`, with 0 for infinities, keeping the axes.

    Of complex numbers the largest real part, so that the sum keeps its argument.
    """
    x = getattr(x, "real", x)  # a list has none
    if is_foreign(x):
        top = np.max(x, axis=axis, keepdims=True)
    else:
        top = _largest(x, axis, None, None, True)
        if np.isfinite(top).all():
            return top
    return np.where(np.isfinite(top), top, top.dtype.type(0))


@primitive(nondiff=("x", "b"))
def weighted_peak(x: Any, b: Any, axis: Any) -> Any:
    """Return the peak of the elements whose factor is not 0."""
    return _peak(np.where(b == 0, -np.inf, x), axis)


@primitive(nondiff=("x",))
def running_peak(x: Any, axis: int) -> Any:
    """Return the largest element so far, of infinities the largest finite number."""
    limit = np.finfo(x.dtype).max
    if is_foreign(x):  # without methods of ufuncs: windows of length 1, 2, 4, ... are combined
        width = 1
        while width < x.shape[axis]:
            later, earlier = slice_along(x, axis, width, None), slice_along(x, axis, None, -width)
            rest = slice_along(x, axis, None, width)
            x = np.concatenate((rest, np.maximum(later, earlier)), axis)
            width *= 2
        return np.clip(x, -limit, limit)
    return np.clip(np.maximum.accumulate(x, axis), -limit, limit)


# -- sums ------------------------------------------------------------------------------------------


def _centred(g: Any, out: Any, y_shape: tuple[int, ...]) -> Any:
    """Return out (g - sum of out g), what softmax does to a cotangent; sums have `y_shape`.

    Twice, which makes no difference but for rounding: where one share is nearly 1, the first pass
    leaves the others beside a rounding error of the largest, which the second removes.
    """
    g = g - unbroadcast(g * out, y_shape)
    return out * (g - unbroadcast(g * out, y_shape))


def _shares(x: Any, y: Any) -> Any:
    """Return exp(x - y) for a sum y, divided by its own sum where y is large.

    Which is 1 but for the rounding of y, the larger error by far. Elements that equal an infinite
    sum share alike.
    """
    out = np.exp(x - y)
    if surely(np.all(np.abs(y) < _LARGE)):
        return out
    infinite = np.isinf(y)
    out = np.where(infinite, x == y, out)
    return out / unbroadcast(out, y.shape)


# The derivative counts that of y in, which is the sum of x.
shares = binary(
    _shares,
    name="shares",
    elementwise=False,
    x=_centred,
    y=lambda g, y: np.zeros_like(y),  # noqa: ARG005 - a rule has a cotangent
)


def _sum_shape(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """Return the shape of a sum over `axis` that keeps the axes."""
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    reduced = {a % len(shape) for a in axes}
    return tuple(1 if a in reduced else n for a, n in enumerate(shape))


def _logsumexp_x(g: Any, x: Any, out: Any, axis: Any) -> Any:
    return with_reduced_axes(g, x.shape, axis) * shares(x, with_reduced_axes(out, x.shape, axis))


@primitive(name="logsumexp", x=_logsumexp_x, reduces=True)
def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    top = _peak(x, axis)
    total = add_reduce(np.exp(x - top), axis, None, None, keepdims)
    with np.errstate(divide="ignore"):
        return np.log(total) + (top if keepdims else top.reshape(np.shape(total)))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False, *, b: Any = None) -> Any:
    """Return log(sum(b exp(x))) over `axis`, without overflow.

    Elements that are equal infinities share the gradient, as in `logaddexp`.

    Args:
        x: any shape; of complex numbers the result is the principal logarithm.
        axis: the axes to reduce.
        keepdims: keep the reduced axes, with length 1.
        b: factors of the exponentials, broadcast against `x`; 1 by default.
    """
    x = inexact(operand("logsumexp", x))
    if b is None:
        return _logsumexp(x, axis, keepdims)
    b = operand("logsumexp", b)
    top = weighted_peak(x, b, axis)
    shifted = x - top
    if holds(np.any(b == 0), traced=True):  # where x may be so large that 0 exp(x) is nan
        largest = 0.99 * math.log(np.finfo(shifted.dtype).max)
        shifted = elementwise.where(b == 0, elementwise.minimum(shifted, largest), shifted)
    total = _sum(b * np.exp(shifted), axis, keepdims=keepdims)
    return np.log(total) + top.reshape(total.shape)


# -- shares ----------------------------------------------------------------------------------------


def _softmax_turn(g: Any, out: Any, axis: Any) -> Any:
    weighted = g * out
    return weighted - out * weighted.sum(axis=axis, keepdims=True)


def _softmax_x(g: Any, out: Any, axis: Any) -> Any:
    return in_row_blocks(_softmax_turn, axis, g, out)


def _softmax(x: Any, axis: Any) -> Any:
    powers = np.exp(x - _peak(x, axis))
    powers /= add_reduce(powers, axis, None, None, True)
    return powers


# The Jacobian is symmetric.
@primitive(x=_softmax_x, jvp=lambda tangents, out, _x, axis: _softmax_x(tangents[0], out, axis))
def softmax(x: Any, axis: Any = -1) -> Any:
    """Return exp(x) / sum(exp(x)) over `axis` (None: over all axes); shape as `x`."""
    return in_row_blocks(_softmax, axis, x)


# Its rule does what that of log_softmax does next, which changes nothing but for rounding.
@primitive(x=lambda g, out, axis: _centred(g, out, _sum_shape(out.shape, axis)))
def shares_of(x: Any, axis: Any) -> Any:  # noqa: ARG001 - the rule needs the axis
    """Return exp(x) for a result `x` of `log_softmax`."""
    return np.exp(x)


def _log_softmax_push(tangents: Any, out: Any, _x: Any, axis: Any) -> Any:
    (t, _) = tangents
    return t - (shares_of(out, axis) * t).sum(axis=axis, keepdims=True)


def _log_softmax_turn(g: Any, out: Any, axis: Any) -> Any:
    return g - shares_of(out, axis) * g.sum(axis=axis, keepdims=True)


def _log_softmax(x: Any, axis: Any) -> Any:
    shifted = x - _peak(x, axis)
    total = np.log(add_reduce(np.exp(shifted), axis, None, None, True))
    if shifted.dtype != total.dtype:  # integers
        return shifted - total
    shifted -= total
    return shifted


@primitive(
    x=lambda g, out, axis: in_row_blocks(_log_softmax_turn, axis, g, out), jvp=_log_softmax_push
)
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Return x - log(sum(exp(x))) over `axis` (None: over all axes); shape as `x`."""
    return in_row_blocks(_log_softmax, axis, x)


# -- running sums ----------------------------------------------------------------------------------


def logcumsumexp(x: Any, axis: int | None = None) -> Any:
    """Return the running log(sum(exp(x))) along `axis`, without overflow; None flattens `x` first.

    Args:
        x: real array (..., n, ...); the result has its shape, or (size,) where `axis` is None.
        axis: along which to add.
    """
    x = inexact(operand("logcumsumexp", x))
    if axis is None or not x.ndim:
        x, axis = x.reshape(-1), 0
    else:
        axis = normal_axis("logcumsumexp", axis, x.ndim)
    # Sums of exp(x - top) with the largest element so far as top: s[j] is its own term and what
    # s[j-1] has become by the new top. No exponent is positive, and all terms are.
    top = running_peak(x, axis)
    start = np.zeros_like(slice_along(top, axis, None, 1))
    factor = np.exp(slice_along(top, axis, None, -1) - slice_along(top, axis, 1, None))
    total = recurrence(np.exp(x - top), joining.concatenate((start, factor), axis), axis)
    nothing = total == 0
    if holds(np.any(nothing), traced=True):
        total = elementwise.where(nothing, 1.0, total)
        return elementwise.where(nothing, -np.inf, top + np.log(total))
    return top + np.log(total)
