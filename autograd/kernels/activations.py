"""Loops over the elements of GELU and SiLU: one pass instead of thirty. Imports `polynomials` and
the mechanism.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels._arrays import alike, flat
from autograd.kernels._jit import loop
from autograd.kernels._switch import Chunks, instead_of, run_rows
from autograd.kernels.polynomials import erfc, exp, expit, tanh

__all__ = ["gelu", "gelu_tanh", "gelu_tanh_x", "gelu_x", "silu", "silu_x"]

_LARGE = 256  # elements from which a loop is faster than NumPy
_SQRT_HALF, _SQRT_TAU = math.sqrt(0.5), math.sqrt(2 * math.pi)
_A, _B, _END = math.sqrt(2 / math.pi), 0.044715 * math.sqrt(2 / math.pi), 20.0


def _run(kernel: Any, count: int, *arrays: Any) -> Any:
    """Run a loop of (inputs, outputs); return the outputs in the shape of the first input, or
    NotImplemented where one of them is not finite.
    """
    inputs = flat(*arrays)
    outputs = [np.empty(arrays[0].shape, arrays[0].dtype) for _ in range(count)]
    if not run_rows(kernel, Chunks(inputs[0].size, 1), *inputs, *flat(*outputs)):
        return NotImplemented
    return outputs[0] if count == 1 else tuple(outputs)


# Each loop adds up 0 times its results: that is 0 where all are finite. It runs over slices of its
# own, because a compiler cannot know that `start` is no index from the end.


@loop
def _gelu(part: int, start: int, stop: int, x: Any, out: Any, cdf: Any) -> bool:
    x, out, cdf = x[start:stop], out[start:stop], cdf[start:stop]
    real = x.dtype.type
    half, zero, slope, trouble = real(0.5), real(0), real(-_SQRT_HALF), real(0)
    for i in range(len(x)):
        share = half * erfc(slope * x[i])
        y = x[i] * share
        cdf[i], out[i] = share, y
        trouble += zero * y
    return bool(trouble == zero)


@instead_of("gelu")
def gelu(x: Any) -> Any:
    """Stand for the forward function of `gelu`."""
    return _run(_gelu, 2, x) if alike(_LARGE, x) else NotImplemented


@loop
def _gelu_x(part: int, start: int, stop: int, g: Any, x: Any, cdf: Any, gx: Any) -> bool:
    g, x, cdf, gx = g[start:stop], x[start:stop], cdf[start:stop], gx[start:stop]
    real = x.dtype.type
    minus_half, zero, factor, trouble = real(-0.5), real(0), real(1 / _SQRT_TAU), real(0)
    for i in range(len(x)):
        y = g[i] * (cdf[i] + x[i] * (exp(minus_half * (x[i] * x[i])) * factor))
        gx[i] = y
        trouble += zero * y
    return bool(trouble == zero)


@instead_of("gelu", "x")
def gelu_x(g: Any, x: Any, out: Any) -> Any:
    """Stand for the rule of `gelu`."""
    if g[1] is not None or not alike(_LARGE, g[0], x, out[1]):
        return NotImplemented
    return _run(_gelu_x, 1, g[0], x, out[1])


@loop
def _gelu_tanh(part: int, start: int, stop: int, x: Any, out: Any) -> bool:
    x, out = x[start:stop], out[start:stop]
    real = x.dtype.type
    a, b, half, one, zero, trouble = real(_A), real(_B), real(0.5), real(1), real(0), real(0)
    for i in range(len(x)):
        y = half * x[i] * (one + tanh(x[i] * (a + b * (x[i] * x[i]))))
        out[i] = y
        trouble += zero * y
    return bool(trouble == zero)


@instead_of("gelu_tanh")
def gelu_tanh(x: Any) -> Any:
    """Stand for the forward function of `gelu_tanh`."""
    return _run(_gelu_tanh, 1, x) if alike(_LARGE, x) else NotImplemented


@loop
def _gelu_tanh_x(part: int, start: int, stop: int, g: Any, x: Any, gx: Any) -> bool:
    g, x, gx = g[start:stop], x[start:stop], gx[start:stop]
    real = x.dtype.type
    a, b, one, two, end = real(_A), real(_B), real(1), real(2), real(_END)
    triple, zero, trouble = real(3 * _B), real(0), real(0)
    for i in range(len(x)):
        v = x[i]
        v = end if v > end else (-end if v < -end else v)
        # (1 + tanh u) / 2 = 1 / (1 + e^-2u), whose derivative loses no digits in this form.
        e = exp(-two * abs(v * (a + b * (v * v))))
        share = one / (one + e)
        rest = e * share
        y = g[i] * ((rest if v < zero else share) + two * v * (share * rest) * (a + triple * v * v))
        gx[i] = y
        trouble += zero * y
    return bool(trouble == zero)


@instead_of("gelu_tanh", "x")
def gelu_tanh_x(g: Any, x: Any) -> Any:
    """Stand for the rule of `gelu_tanh`."""
    return _run(_gelu_tanh_x, 1, g, x) if alike(_LARGE, g, x) else NotImplemented


@loop
def _silu(part: int, start: int, stop: int, x: Any, out: Any) -> bool:
    x, out = x[start:stop], out[start:stop]
    zero, trouble = x.dtype.type(0), x.dtype.type(0)
    for i in range(len(x)):
        y = x[i] * expit(x[i])
        out[i] = y
        trouble += zero * y
    return bool(trouble == zero)


@instead_of("silu")
def silu(x: Any) -> Any:
    """Stand for the forward function of `silu`."""
    return _run(_silu, 1, x) if alike(_LARGE, x) else NotImplemented


@loop
def _silu_x(part: int, start: int, stop: int, g: Any, x: Any, gx: Any) -> bool:
    g, x, gx = g[start:stop], x[start:stop], gx[start:stop]
    one, zero, trouble = x.dtype.type(1), x.dtype.type(0), x.dtype.type(0)
    for i in range(len(x)):
        s = expit(x[i])
        y = g[i] * (s * (one + x[i] * (one - s)))
        gx[i] = y
        trouble += zero * y
    return bool(trouble == zero)


@instead_of("silu", "x")
def silu_x(g: Any, x: Any) -> Any:
    """Stand for the rule of `silu`."""
    return _run(_silu_x, 1, g, x) if alike(_LARGE, g, x) else NotImplemented
