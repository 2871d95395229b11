"""Loops over rows: softmax and its kin, normalisation along the last axis, losses of classes.

NumPy makes a pass over memory for each operation; a loop keeps a row in the first-level cache from
the first sum to the last product. Imports `polynomials` and the mechanism.

What is finite in a row is finite in its sums: only these are looked at.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels._arrays import lines, new_lines
from autograd.kernels._jit import loop
from autograd.kernels._switch import Chunks, instead_of, run_rows
from autograd.kernels.polynomials import exp, from_order, order

__all__ = [
    "attention_weights",
    "attention_weights_x",
    "layer_norm",
    "layer_norm_back",
    "log_softmax",
    "log_softmax_x",
    "softmax",
    "softmax_nll",
    "softmax_nll_x",
    "softmax_x",
]

# Elements from which a loop is faster than NumPy: below, it is its call that counts.
_SMALL, _LARGE = 1, 2048
_GROUP = 128  # rows whose float32 are added up before they meet a large sum


def _run(kernel: Any, x: Any, *arguments: Any) -> bool:
    return run_rows(kernel, Chunks(*x.shape), x, *arguments)


# -- shares ----------------------------------------------------------------------------------------


@loop
def _softmax(part: int, start: int, stop: int, x: Any, out: Any) -> bool:
    for i in range(start, stop):
        peak = order(x[i, 0])
        for j in range(1, x.shape[1]):
            peak = max(peak, order(x[i, j]))
        top, total = from_order(peak), x.dtype.type(0)
        for j in range(x.shape[1]):
            e = exp(x[i, j] - top)
            out[i, j] = e
            total += e
        if not total < math.inf:
            return False
        scale = x.dtype.type(1) / total
        for j in range(x.shape[1]):
            out[i, j] *= scale
    return True


@instead_of("softmax")
def softmax(x: Any, axis: Any) -> Any:
    """Stand for the forward function of `softmax`."""
    seen = lines(axis, _LARGE, x)
    if seen is None:
        return NotImplemented
    out, out_lines = new_lines(x)
    return out if _run(_softmax, *seen, out_lines) else NotImplemented


@loop
def _softmax_x(part: int, start: int, stop: int, g: Any, out: Any, gx: Any) -> bool:
    for i in range(start, stop):
        turn = g.dtype.type(0)
        for j in range(g.shape[1]):
            turn += g[i, j] * out[i, j]
        if not abs(turn) < math.inf:
            return False
        for j in range(g.shape[1]):
            gx[i, j] = out[i, j] * (g[i, j] - turn)
    return True


@instead_of("softmax", "x")
def softmax_x(g: Any, out: Any, axis: Any) -> Any:
    """Stand for the rule of `softmax`."""
    seen = lines(axis, _LARGE, g, out)
    if seen is None:
        return NotImplemented
    gx, gx_lines = new_lines(g)
    return gx if _run(_softmax_x, *seen, gx_lines) else NotImplemented


@loop
def _log_softmax(part: int, start: int, stop: int, x: Any, out: Any) -> bool:
    for i in range(start, stop):
        peak = order(x[i, 0])
        for j in range(1, x.shape[1]):
            peak = max(peak, order(x[i, j]))
        top, total = from_order(peak), x.dtype.type(0)
        for j in range(x.shape[1]):
            total += exp(x[i, j] - top)
        if not total < math.inf:
            return False
        rest = x.dtype.type(math.log(total))
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - top) - rest
    return True


@instead_of("log_softmax")
def log_softmax(x: Any, axis: Any) -> Any:
    """Stand for the forward function of `log_softmax`."""
    seen = lines(axis, _LARGE, x)
    if seen is None:
        return NotImplemented
    out, out_lines = new_lines(x)
    return out if _run(_log_softmax, *seen, out_lines) else NotImplemented


@loop
def _log_softmax_x(part: int, start: int, stop: int, g: Any, out: Any, gx: Any) -> bool:
    for i in range(start, stop):
        total = g.dtype.type(0)
        for j in range(g.shape[1]):
            total += g[i, j]
        if not abs(total) < math.inf:
            return False
        for j in range(g.shape[1]):
            gx[i, j] = g[i, j] - exp(out[i, j]) * total
    return True


@instead_of("log_softmax", "x")
def log_softmax_x(g: Any, out: Any, axis: Any) -> Any:
    """Stand for the rule of `log_softmax`."""
    seen = lines(axis, _LARGE, g, out)
    if seen is None:
        return NotImplemented
    gx, gx_lines = new_lines(g)
    return gx if _run(_log_softmax_x, *seen, gx_lines) else NotImplemented


@loop
def _weights(part: int, start: int, stop: int, x: Any, bias: Any, out: Any) -> bool:
    zero = x.dtype.type(0)
    for i in range(start, stop):
        k = i % bias.shape[0]
        peak = order(x[i, 0] + bias[k, 0])
        for j in range(x.shape[1]):
            y = x[i, j] + bias[k, j]
            out[i, j] = y
            peak = max(peak, order(y))
        top, total = from_order(peak), zero
        top = zero if top == -math.inf else top
        for j in range(x.shape[1]):
            e = exp(out[i, j] - top)
            out[i, j] = e
            total += e
        if not total < math.inf:
            return False
        scale = x.dtype.type(1) / (x.dtype.type(1) if total == zero else total)
        for j in range(x.shape[1]):
            out[i, j] *= scale
    return True


@instead_of("attention_weights")
def attention_weights(x: Any, bias: Any) -> Any:
    """Stand for the forward function of `attention_weights`."""
    seen = lines(-1, _LARGE, x)
    if bias is None:
        bias = np.zeros((1, x.shape[-1]), x.dtype)
    if seen is None or bias.__class__ is not np.ndarray or bias.dtype != x.dtype:
        return NotImplemented
    if not bias.ndim or bias.shape != x.shape[-bias.ndim :]:
        return NotImplemented
    out, out_lines = new_lines(x)
    bias = np.ascontiguousarray(bias).reshape(-1, x.shape[-1])
    return out if _run(_weights, *seen, bias, out_lines) else NotImplemented


@instead_of("attention_weights", "x")
def attention_weights_x(g: Any, out: Any) -> Any:
    """Stand for the rule of `attention_weights`, which is that of `softmax`."""
    return softmax_x(g, out, -1)


# -- normalisation ---------------------------------------------------------------------------------


@loop
def _layer_norm(
    part: int, start: int, stop: int, x: Any, weight: Any, bias: Any, eps: float, centred: bool,
    out: Any,
) -> bool:  # fmt: skip
    real, n = x.dtype.type, x.shape[1]
    one = real(1)
    for i in range(start, stop):
        mean, square = real(0), real(0)
        if centred:
            for j in range(n):
                mean += x[i, j]
            mean /= real(n)
        for j in range(n):
            square += (x[i, j] - mean) * (x[i, j] - mean)
        if not square < math.inf:
            return False
        scale = one / real(math.sqrt(square / real(n) + real(eps)))
        if not scale < math.inf:
            return False
        for j in range(n):
            out[i, j] = (x[i, j] - mean) * scale * weight[j] + bias[j]
    return True


@instead_of("layer_norm")
def layer_norm(x: Any, weight: Any, bias: Any, eps: float, centred: bool) -> Any:
    """Stand for the forward function of `layer_norm`."""
    seen = lines(-1, _SMALL, x)
    if seen is None:
        return NotImplemented
    weight = np.ones(x.shape[-1:], x.dtype) if weight is None else weight
    bias = np.zeros(x.shape[-1:], x.dtype) if bias is None else bias
    for p in (weight, bias):
        if p.__class__ is not np.ndarray or p.shape != x.shape[-1:] or p.dtype != x.dtype:
            return NotImplemented
    out, out_lines = new_lines(x)
    done = _run(_layer_norm, *seen, weight, bias, float(eps), bool(centred), out_lines)
    return out if done else NotImplemented


@loop
def _layer_norm_back(
    part: int, start: int, stop: int, g: Any, x: Any, weight: Any, eps: float, centred: bool,
    gx: Any, sums: Any,
) -> bool:  # fmt: skip
    real, n = x.dtype.type, x.shape[1]
    one = real(1)
    some_weight, some_bias, of_weight, of_bias = (
        sums[part, 0], sums[part, 1], sums[part, 2], sums[part, 3],  # not unpacked: then LLVM knows
    )  # that they are contiguous  # fmt: skip
    for i in range(start, stop):
        mean, square = real(0), real(0)
        if centred:
            for j in range(n):
                mean += x[i, j]
            mean /= real(n)
        for j in range(n):
            square += (x[i, j] - mean) * (x[i, j] - mean)
        scale = one / real(math.sqrt(square / real(n) + real(eps)))
        shift, turn = real(0), real(0)
        for j in range(n):
            z, g_z = (x[i, j] - mean) * scale, g[i, j] * weight[j]
            shift += g_z
            turn += g_z * z
        if not (scale < math.inf and abs(shift) + abs(turn) < math.inf):
            return False
        shift = shift / real(n) if centred else real(0)
        turn /= real(n)
        for j in range(n):
            z = (x[i, j] - mean) * scale
            gx[i, j] = (g[i, j] * weight[j] - shift - z * turn) * scale
        for j in range(n):  # one loop would have more arrays than LLVM keeps apart
            some_weight[j] += g[i, j] * ((x[i, j] - mean) * scale)
            some_bias[j] += g[i, j]
        if (i - start) % _GROUP == _GROUP - 1 or i == stop - 1:
            for j in range(n):
                of_weight[j] += some_weight[j]
                of_bias[j] += some_bias[j]
                some_weight[j] = some_bias[j] = real(0)
    return True


@instead_of("layer_norm", "joint")
def layer_norm_back(
    g: Any, x: Any, weight: Any, eps: float, centred: bool, wanted: tuple[bool, ...]
) -> Any:
    """Stand for the joint rule of `layer_norm`."""
    seen = lines(-1, _SMALL, g, x)
    if seen is None:
        return NotImplemented
    n = x.shape[-1]
    weight = np.ones(n, x.dtype) if weight is None else weight
    if weight.__class__ is not np.ndarray or weight.dtype != x.dtype:
        return NotImplemented
    chunks, (gx, gx_lines) = Chunks(*seen[0].shape), new_lines(x)
    sums = np.zeros((chunks.parts, 4, n), x.dtype)
    options = float(eps), bool(centred)
    if not run_rows(_layer_norm_back, chunks, *seen, weight, *options, gx_lines, sums):
        return NotImplemented
    of_weight, of_bias = (sums[:, i].sum(axis=0) for i in (2, 3))
    return gx, of_weight if wanted[1] else None, of_bias if wanted[2] else None


# -- losses of classes -----------------------------------------------------------------------------


@loop
def _softmax_nll(
    part: int, start: int, stop: int, x: Any, target: Any, p: Any, log_p: Any
) -> bool:  # fmt: skip
    for i in range(start, stop):
        peak = order(x[i, 0])
        for j in range(1, x.shape[1]):
            peak = max(peak, order(x[i, j]))
        top, total = from_order(peak), x.dtype.type(0)
        for j in range(x.shape[1]):
            e = exp(x[i, j] - top)
            p[i, j] = e
            total += e
        if not total < math.inf:
            return False
        log_p[i] = x[i, target[i]] - top - x.dtype.type(math.log(total))
        scale = x.dtype.type(1) / total
        for j in range(x.shape[1]):
            p[i, j] *= scale
    return True


@instead_of("_softmax_nll")
def softmax_nll(x: Any, target: Any, coefficient: Any, axis: int, summed: bool) -> Any:
    """Stand for the forward function of the cross entropy of classes."""
    seen = lines(axis, _LARGE, x)
    if seen is None or x.ndim != 2 or target.__class__ is not np.ndarray:
        return NotImplemented
    p, log_p = np.empty_like(seen[0]), np.empty(len(x), x.dtype)
    if not _run(_softmax_nll, *seen, target.astype(np.int64, copy=False), p, log_p):
        return NotImplemented
    if not np.isfinite(log_p).all():  # NumPy knows what to do where the coefficient is 0
        return NotImplemented
    loss = log_p * -coefficient
    return (loss.sum() if summed else loss), p


@loop
def _softmax_nll_x(
    part: int, start: int, stop: int, p: Any, target: Any, scale: Any, gx: Any
) -> bool:  # fmt: skip
    for i in range(start, stop):
        factor = scale[i]
        for j in range(p.shape[1]):
            gx[i, j] = p[i, j] * factor
        gx[i, target[i]] = (p[i, target[i]] - p.dtype.type(1)) * factor
    return True


@instead_of("_softmax_nll", "x")
def softmax_nll_x(g: Any, out: Any, target: Any, coefficient: Any, axis: int) -> Any:
    """Stand for the rule of the cross entropy of classes."""
    g_loss, g_p = g
    seen = lines(axis, _LARGE, out[1]) if g_p is None else None
    if seen is None or out[1].ndim != 2 or target.__class__ is not np.ndarray:
        return NotImplemented
    scale = g_loss * coefficient
    if not isinstance(scale, (np.ndarray, np.generic)) or not np.isfinite(scale).all():
        return NotImplemented
    p, gx = seen[0], np.empty_like(seen[0])
    scale = np.ascontiguousarray(np.broadcast_to(scale, p.shape[:1]), p.dtype)
    _run(_softmax_nll_x, p, target.astype(np.int64, copy=False), scale, gx)
    return gx
