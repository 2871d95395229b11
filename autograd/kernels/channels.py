"""Loops over channels: batch normalisation, forward and backward in two passes over memory each.
Imports the mechanism.

Images lie in memory in one of two ways: a channel in planes, (A, C, B) with its numbers side by
side, or "channels last", (A, C), with the channels of a point side by side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels._arrays import alike
from autograd.kernels._jit import loop
from autograd.kernels._switch import Chunks, instead_of, run_rows

__all__ = ["channel_norm", "channel_norm_back"]

_LARGE = 2048  # elements from which a loop is faster than NumPy


def _seen(x: Any, *others: Any) -> list[Any] | None:
    """See arrays (N, C, ...) in one of the two ways; None where they lie otherwise."""
    axes = range(x.ndim)
    for order in ((*axes,), (1, 0, *axes[2:])) if x.ndim > 2 else ():
        turned = x.transpose(order)
        if turned.flags.c_contiguous:
            places = (1, x.shape[1], -1) if order[0] == 1 else (*x.shape[:2], -1)
            return [np.ascontiguousarray(a.transpose(order)).reshape(places) for a in (x, *others)]
    order = (0, *axes[2:], 1)
    if not x.transpose(order).flags.c_contiguous:
        return None
    return [np.ascontiguousarray(a.transpose(order)).reshape(-1, x.shape[1]) for a in (x, *others)]


def _like(x: Any) -> tuple[Any, Any]:
    """Return a new array that lies in memory as `x` does, and the same as loops see it."""
    out = np.empty_like(x)
    (seen,) = _seen(out) or [None]
    return out, seen


@loop
def _planes(
    part: int, start: int, stop: int, x: Any, weight: Any, bias: Any, eps: float,
    out: Any, mean: Any, variance: Any,
) -> bool:  # fmt: skip
    real, (n, _, m) = x.dtype.type, x.shape
    count = real(n * m)
    for c in range(start, stop):
        total, square = real(0), real(0)
        for i in range(n):
            for j in range(m):
                total += x[i, c, j]
        middle = total / count
        for i in range(n):
            for j in range(m):
                square += (x[i, c, j] - middle) * (x[i, c, j] - middle)
        square /= count
        mean[c], variance[c] = middle, square
        scale, shift = weight[c] / real(math.sqrt(square + real(eps))), bias[c]
        if not abs(scale) + square < math.inf:
            return False
        for i in range(n):
            for j in range(m):
                out[i, c, j] = (x[i, c, j] - middle) * scale + shift
    return True


# Channels last: several points are one row, so that a row is long, and its sums are short ones.


@loop
def _sums(part: int, start: int, stop: int, x: Any, some: Any, sums: Any) -> bool:
    total = sums[part]
    for i in range(start, stop):
        for c in range(x.shape[1]):
            total[c] += x[i, c]
    return True


@loop
def _squares(part: int, start: int, stop: int, x: Any, mean: Any, sums: Any) -> bool:
    total = sums[part]
    for i in range(start, stop):
        for c in range(x.shape[1]):
            total[c] += (x[i, c] - mean[c]) * (x[i, c] - mean[c])
    return True


@loop
def _shifted(
    part: int, start: int, stop: int, x: Any, mean: Any, scale: Any, bias: Any, out: Any
) -> bool:
    for i in range(start, stop):
        for c in range(x.shape[1]):
            out[i, c] = (x[i, c] - mean[c]) * scale[c] + bias[c]
    return True


class _Points:
    """Rows of several points of an array that is seen channels last, and what loops do on them."""

    def __init__(self, x: Any) -> None:
        self.channels, count = x.shape[1], len(x)
        self.times = next(t for t in (16, 8, 4, 2, 1) if count % t == 0 and t * x.shape[1] <= 2048)
        self.count, self.chunks = count, Chunks(count // self.times, self.times * x.shape[1])

    def rows(self, x: Any) -> Any:
        return x.reshape(-1, self.times * self.channels)

    def wide(self, parameter: Any) -> Any:
        return np.tile(parameter, self.times)

    def summed(self, kernel: Any, *arrays: Any, count: int = 1) -> Any:
        """Return sums over all points, of each channel."""
        sums = np.zeros((count, self.chunks.parts, self.times * self.channels), arrays[0].dtype)
        run_rows(kernel, self.chunks, *arrays, *sums)
        return sums.reshape(count, -1, self.channels).sum(axis=1)


def _points(x: Any, weight: Any, bias: Any, eps: float, out: Any, mean: Any, variance: Any) -> bool:
    points = _Points(x)
    x = points.rows(x)
    mean[:] = points.summed(_sums, x, mean)[0] / points.count
    variance[:] = points.summed(_squares, x, points.wide(mean))[0] / points.count
    scale = weight / np.sqrt(variance + eps)
    if not np.isfinite(scale + variance).all():
        return False
    wide = map(points.wide, (mean, scale, bias))
    return run_rows(_shifted, points.chunks, x, *wide, points.rows(out))


@loop
def _products(
    part: int, start: int, stop: int, g: Any, x: Any, mean: Any, inverse: Any, turns: Any,
    shifts: Any,
) -> bool:  # fmt: skip
    turn, shift = turns[part], shifts[part]
    for i in range(start, stop):
        for c in range(x.shape[1]):
            turn[c] += g[i, c] * ((x[i, c] - mean[c]) * inverse[c])
        for c in range(x.shape[1]):
            shift[c] += g[i, c]
    return True


@loop
def _turned(
    part: int, start: int, stop: int, g: Any, x: Any, mean: Any, shift: Any, turn: Any, factor: Any,
    gx: Any,
) -> bool:  # fmt: skip
    for i in range(start, stop):
        for c in range(x.shape[1]):
            gx[i, c] = (g[i, c] - shift[c] - (x[i, c] - mean[c]) * turn[c]) * factor[c]
    return True


def _points_back(
    g: Any, x: Any, mean: Any, inverse: Any, weight: Any, gx: Any, of_weight: Any, of_bias: Any
) -> bool:
    points = _Points(x)
    g, x = points.rows(g), points.rows(x)
    known = points.wide(mean), points.wide(inverse)
    of_weight[:], of_bias[:] = points.summed(_products, g, x, *known, count=2)
    if not np.isfinite(of_weight + of_bias).all():
        return False
    n = points.count
    parts = mean, of_bias / n, of_weight / n * inverse, weight * inverse
    return run_rows(_turned, points.chunks, g, x, *map(points.wide, parts), points.rows(gx))


def _of_channels(axis: Any, x: Any, *parameters: Any) -> bool:
    return alike(_LARGE, x) and axis == (0, *range(2, x.ndim)) and all(
        p.__class__ is np.ndarray and p.dtype == x.dtype and p.shape == x.shape[1:2]
        for p in parameters
    )  # fmt: skip


@instead_of("channel_norm")
def channel_norm(x: Any, weight: Any, bias: Any, axis: Any, eps: float) -> Any:
    """Stand for the forward function of `channel_norm`."""
    seen = _seen(x) if _of_channels(axis, x, weight, bias) else None
    if seen is None:
        return NotImplemented
    out, out_seen = _like(x)
    channels = x.shape[1]
    mean, variance = np.empty((2, channels), x.dtype)
    given = *seen, weight, bias, float(eps), out_seen, mean, variance
    chunks = Chunks(channels, x.size // channels)
    if not (_points(*given) if seen[0].ndim == 2 else run_rows(_planes, chunks, *given)):
        return NotImplemented
    shape = (1, channels, *(1,) * (x.ndim - 2))
    return out, mean.reshape(shape), variance.reshape(shape)


@loop
def _planes_back(
    part: int, start: int, stop: int, g: Any, x: Any, mean: Any, inverse: Any, weight: Any,
    gx: Any, of_weight: Any, of_bias: Any,
) -> bool:  # fmt: skip
    real, (n, _, m) = x.dtype.type, x.shape
    count = real(n * m)
    for c in range(start, stop):
        middle, scale, shift, turn = mean[c], inverse[c], real(0), real(0)
        for i in range(n):
            for j in range(m):
                shift += g[i, c, j]
                turn += g[i, c, j] * ((x[i, c, j] - middle) * scale)
        if not abs(shift) + abs(turn) < math.inf:
            return False
        of_weight[c], of_bias[c] = turn, shift
        factor, a, b = weight[c] * scale, shift / count, turn / count * scale
        for i in range(n):
            for j in range(m):
                gx[i, c, j] = (g[i, c, j] - a - (x[i, c, j] - middle) * b) * factor
    return True


@instead_of("channel_norm", "joint")
def channel_norm_back(
    g: Any, x: Any, weight: Any, axis: Any, eps: float, out: Any, wanted: Any
) -> Any:
    """Stand for the joint rule of `channel_norm`."""
    g_out, g_mean, g_variance = g
    if g_mean is not None or g_variance is not None or not _of_channels(axis, x, weight):
        return NotImplemented
    seen = _seen(x, g_out) if alike(_LARGE, g_out, x) else None
    if seen is None:
        return NotImplemented
    gx, gx_seen = _like(x)
    mean = np.ascontiguousarray(out[1]).reshape(-1)
    inverse = (1.0 / np.sqrt(out[2] + eps)).reshape(-1)
    of_weight, of_bias = np.empty_like(weight), np.empty_like(weight)
    weight = np.ascontiguousarray(weight)
    given = seen[1], seen[0], mean, inverse, weight, gx_seen, of_weight, of_bias
    if seen[0].ndim == 2:
        done = _points_back(*given)
    else:
        done = run_rows(_planes_back, Chunks(x.shape[1], x.size // x.shape[1]), *given)
    if not done:
        return NotImplemented
    return gx, of_weight if wanted[1] else None, of_bias if wanted[2] else None
