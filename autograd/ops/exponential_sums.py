"""Exponentials that sum: logsumexp, the same as running sums, softmax and log_softmax.

Shifted by the maximum, so that nothing overflows; one fused rule each, because classifiers spend
their backward pass here. Imports `calls`, `_shared` and families of operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.engine.calls import holds, primitive
from autograd.ops import joining
from autograd.ops._shared import (
    add_reduce,
    expand,
    inexact,
    operand,
    slice_along,
    with_reduced_axes,
)
from autograd.ops.cumulative import reverse_recurrence
from autograd.ops.indexing import normal_axis
from autograd.ops.plain import plain
from autograd.ops.reductions import sum as _sum

__all__ = ["log_softmax", "logcumsumexp", "logsumexp", "softmax"]

_largest: Any = np.maximum.reduce


def _peak(x: Any, axis: Any) -> Any:
    """Return the maximum over `axis`, with 0 for infinities, keeping the axes."""
    top = _largest(x, axis, None, None, True)
    return top if np.isfinite(top).all() else np.where(np.isfinite(top), top, top.dtype.type(0))


_constant_peak = plain(_peak)


def _logsumexp_x(g: Any, x: Any, out: Any, axis: Any) -> Any:
    out = with_reduced_axes(out, x.shape, axis)
    g = expand(g, x.shape, axis)
    infinite = np.isinf(out)
    if not holds(np.any(infinite), traced=True):
        return g * np.exp(x - out)
    winners = x == out
    share = winners / add_reduce(winners, axis, g.dtype, None, True)
    shifted = np.where(infinite, 0.0, x) - np.where(infinite, 0.0, out)
    return g * np.where(infinite, share.astype(g.dtype), np.exp(shifted))


@primitive(name="logsumexp", x=_logsumexp_x, reduces=True)
def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    top = _peak(x, axis)
    total = add_reduce(np.exp(x - top), axis, None, None, keepdims)
    with np.errstate(divide="ignore"):
        return np.log(total) + (top if keepdims else top.reshape(np.shape(total)))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False, *, b: Any = None) -> Any:
    """Return log(sum(exp(x))) over `axis`, without overflow.

    Elements that are equal infinities share the gradient, as in `logaddexp`.

    Args:
        x: real array.
        axis: the axes to reduce.
        keepdims: keep the reduced axes, with length 1.
        b: factors of the exponentials, broadcast against `x`.
    """
    if b is None:
        return _logsumexp(inexact(operand("logsumexp", x)), axis, keepdims)
    top = _constant_peak(x, axis)
    total = _sum(b * np.exp(x - top), axis, keepdims=keepdims)
    return np.log(total) + top.reshape(total.shape)


def _softmax_x(g: Any, out: Any, axis: Any) -> Any:
    weighted = g * out
    return weighted - out * weighted.sum(axis=axis, keepdims=True)


# The Jacobian is symmetric.
@primitive(x=_softmax_x, jvp=lambda tangents, out, _x, axis: _softmax_x(tangents[0], out, axis))
def softmax(x: Any, axis: Any = -1) -> Any:
    """Return exp(x) / sum(exp(x)) over `axis` (None: over all axes); shape as `x`."""
    powers = np.exp(x - _peak(x, axis))
    return powers / add_reduce(powers, axis, None, None, True)


def _log_softmax_push(tangents: Any, out: Any, _x: Any, axis: Any) -> Any:
    (t, _) = tangents
    return t - (np.exp(out) * t).sum(axis=axis, keepdims=True)


@primitive(
    x=lambda g, out, axis: g - np.exp(out) * g.sum(axis=axis, keepdims=True),
    jvp=_log_softmax_push,
)
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Return x - log(sum(exp(x))) over `axis` (None: over all axes); shape as `x`."""
    shifted = x - _peak(x, axis)
    return shifted - np.log(add_reduce(np.exp(shifted), axis, None, None, True))


def _logcumsumexp_x(g: Any, x: Any, out: Any, axis: int) -> Any:
    """Weigh by exp(x[j] - out[j]) what reaches out[j]: g[j] + exp(out[j] - out[j+1]) reach[j+1].

    No exponent is positive, so nothing overflows. Where nothing was added up yet (out is -inf), the
    weights are 0.
    """
    nothing = out == -np.inf
    total = np.where(nothing, 0.0, out) if holds(np.any(nothing), traced=True) else out
    own = np.exp(np.where(nothing, -np.inf, x) - total)
    before = slice_along(np.where(nothing, -np.inf, out), axis, None, -1)
    start = np.zeros_like(slice_along(out, axis, None, 1))
    factor = joining.concatenate((start, np.exp(before - slice_along(total, axis, 1, None))), axis)
    return own * reverse_recurrence(g, factor, axis)


@primitive(name="logcumsumexp", x=_logcumsumexp_x)
def _logcumsumexp(x: Any, axis: int) -> Any:
    return np.logaddexp.accumulate(x, axis)


def logcumsumexp(x: Any, axis: int | None = None) -> Any:
    """Return the running log(sum(exp(x))) along `axis`, without overflow; None flattens `x` first.

    Args:
        x: real array (..., n, ...); the result has its shape, or (size,) where `axis` is None.
        axis: along which to add.
    """
    x = inexact(operand("logcumsumexp", x))
    if axis is None or not x.ndim:
        return _logcumsumexp(x.reshape(-1), 0)
    return _logcumsumexp(x, normal_axis("logcumsumexp", axis, x.ndim))
