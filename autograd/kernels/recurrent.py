"""Loops over the gates of an LSTM, a step of time at a time: one pass instead of a dozen before
each matrix product. Imports `polynomials` and the mechanism.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels._arrays import alike
from autograd.kernels._jit import loop
from autograd.kernels._switch import instead_of
from autograd.kernels.polynomials import expit, tanh

__all__ = ["scan", "scan_back"]

_LARGE = 256  # numbers of a step from which a loop is faster than NumPy


# Slices, because a compiler does not know that `width + j` is no index from the end.


@loop
def _forward(x: Any, r: Any, bias: Any, before: Any, kept: Any, c: Any, h: Any) -> bool:
    n, width = c.shape
    zero = c.dtype.type(0)
    trouble = zero
    for row in range(n):
        for gate in range(4):
            places = slice(gate * width, (gate + 1) * width)
            inputs, states, shifts = x[row, places], r[row, places], bias[places]
            gates = kept[row, places]
            if gate == 2:
                for j in range(width):
                    gates[j] = tanh(inputs[j] + states[j] + shifts[j])
            else:
                for j in range(width):
                    gates[j] = expit(inputs[j] + states[j] + shifts[j])
        i, f = kept[row, :width], kept[row, width : 2 * width]
        new, o = kept[row, 2 * width : 3 * width], kept[row, 3 * width :]
        for j in range(width):
            c[row, j] = f[j] * before[row, j] + i[j] * new[j]
        for j in range(width):
            state = o[j] * tanh(c[row, j])
            h[row, j] = state
            trouble += zero * state
    return bool(trouble == zero)


def _starts(sizes: Any) -> list[int]:
    return [0, *np.cumsum(sizes).tolist()]


def _of_lstm(cell: Any, x: Any, *others: Any) -> bool:
    return type(cell).__name__ == "_LSTM" and all(
        a.__class__ is np.ndarray and a.dtype == x.dtype for a in (x, *others) if a is not None
    )


@instead_of("scan")
def scan(
    x: Any, h: Any, c: Any, weight: Any, bias: Any, projection: Any, cell: Any, sizes: Any
) -> Any:
    """Stand for the forward function of `scan` where the cell is an LSTM without projection."""
    if projection is not None or not _of_lstm(cell, x, h, c, weight, bias):
        return NotImplemented
    if weight.ndim != 2 or not alike(_LARGE, h, c):
        return NotImplemented
    width = weight.shape[1]
    bias = np.zeros(4 * width, x.dtype) if bias is None else np.ascontiguousarray(bias)
    x, h, c = map(np.ascontiguousarray, (x, h, c))
    hs, cs = np.empty((len(x), width), x.dtype), np.empty((len(x), width), x.dtype)
    kept, products = np.empty((len(x), 4 * width), x.dtype), np.empty((len(h), 4 * width), x.dtype)
    starts = _starts(sizes)
    for start, size in zip(starts, sizes, strict=False):
        here, r = slice(start, start + size), products[:size]
        np.matmul(h[:size], weight.T, out=r)
        if not _forward(x[here], r, bias, c[:size], kept[here], cs[here], hs[here]):
            return NotImplemented
        h, c = hs[here], cs[here]
    return hs, cs, kept


@loop
def _backward(
    g_h: Any, g_hs: Any, g_c: Any, g_cs: Any, kept: Any, c: Any, before: Any, gates: Any,
    bent: Any, into: Any,
) -> bool:  # fmt: skip
    """`bent` and `into` are rows to compute in: a loop over all arrays has too many of them."""
    n, width = c.shape
    one, zero = c.dtype.type(1), c.dtype.type(0)
    trouble = zero
    for row in range(n):
        i, f = kept[row, :width], kept[row, width : 2 * width]
        new, o = kept[row, 2 * width : 3 * width], kept[row, 3 * width :]
        of_i, of_f = gates[row, :width], gates[row, width : 2 * width]
        of_new, of_o = gates[row, 2 * width : 3 * width], gates[row, 3 * width :]
        for j in range(width):
            bent[j] = tanh(c[row, j])
        for j in range(width):
            g = g_h[row, j] + g_hs[row, j]
            of_o[j] = g * bent[j] * (o[j] * (one - o[j]))
            bent[j] = g * (o[j] * (one - bent[j] * bent[j]))
        for j in range(width):
            m = g_c[row, j] + g_cs[row, j] + bent[j]
            into[j] = m
            g_c[row, j] = m * f[j]
            trouble += zero * m
        for j in range(width):
            of_i[j] = into[j] * new[j] * (i[j] * (one - i[j]))
        for j in range(width):
            of_f[j] = into[j] * before[row, j] * (f[j] * (one - f[j]))
        for j in range(width):
            of_new[j] = into[j] * i[j] * (one - new[j] * new[j])
    return bool(trouble == zero)


@instead_of("scan", "joint")
def scan_back(
    g: Any, h: Any, c: Any, weight: Any, projection: Any, out: Any, cell: Any, sizes: Any,
    wanted: Any,
) -> Any:  # fmt: skip
    """Stand for the joint rule of `scan` likewise."""
    (hs, cs, kept), (g_hs, g_cs, g_kept) = out, g
    if projection is not None or g_kept is not None or weight.ndim != 2:
        return NotImplemented
    if not _of_lstm(cell, hs, h, c, weight, cs, kept, g_hs, g_cs) or not alike(_LARGE, h, c):
        return NotImplemented
    g_hs, g_cs = (
        np.zeros_like(hs) if part is None else np.ascontiguousarray(part) for part in (g_hs, g_cs)
    )
    h, c = np.ascontiguousarray(h), np.ascontiguousarray(c)
    # Sequences that have ended stand at the end, and have zeros there.
    g_h, g_c = np.zeros_like(h), np.zeros_like(c)
    gates, before = np.empty_like(kept), np.empty_like(hs)
    starts, work = _starts(sizes), np.empty((2, h.shape[1]), h.dtype)
    before[: sizes[0]] = h
    for t in reversed(range(len(sizes))):
        size = sizes[t]
        here = slice(starts[t], starts[t] + size)
        earlier = slice(starts[t - 1], starts[t - 1] + size)
        memories = cs[earlier] if t else c
        if t:
            before[here] = hs[earlier]
        known = kept[here], cs[here], memories, gates[here], *work
        if not _backward(g_h[:size], g_hs[here], g_c[:size], g_cs[here], *known):
            return NotImplemented
        np.matmul(gates[here], weight, out=g_h[:size])
    of_weight = gates.T @ before if wanted[3] else None
    of_bias = gates.sum(axis=0) if wanted[4] else None
    return gates if wanted[0] else None, g_h, g_c, of_weight, of_bias, None, None, None
