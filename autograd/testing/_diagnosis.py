"""Why a derivative is wrong: patterns that wrong rules leave in a block of the Jacobian.

Imports `_problem` and NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from autograd.testing._packing import Array, Slot

_FACTORS = {
    2.0: "2",
    0.5: "1/2",
    math.log(2): "log 2",
    1 / math.log(2): "1 / log 2",
    math.log(10): "log 10",
    math.pi: "pi",
    1 / math.pi: "1 / pi",
    2 * math.pi: "2 pi",
    math.pi / 180: "pi / 180",
    180 / math.pi: "180 / pi",
    2 / math.sqrt(math.pi): "2 / sqrt(pi)",
}


class Block(NamedTuple):
    """The Jacobian of one output array by one input array, of shape (output coordinates,
    directions).
    """

    analytic: Array
    numeric: Array
    wrong: Array
    output: Slot
    input: Slot
    whole: bool  # one direction per coordinate, in order


def explain(block: Block, *, at_kink: bool, elsewhere: Callable[[], bool]) -> str:
    """Name the suspected cause of a wrong block of a Jacobian.

    Args:
        block: the analytic and the numeric values.
        at_kink: the worst entry's left and right derivatives differ.
        elsewhere: tells whether the same entry is right at a point nearby.
    """
    a, n = block.analytic, block.numeric
    known = np.isfinite(a) & np.isfinite(n)
    if not known.all():
        if np.isnan(a).any():
            return "not a number: the rule divides zero by zero, or multiplies zero by infinity"
        return "infinite: the rule divides by zero" if np.isinf(a).any() else "unknown"
    scale = float(np.max(np.abs(n), initial=0.0))
    if at_kink or elsewhere():
        return "only at a kink: the same derivative is right at points nearby"
    for suspect in _SUSPECTS:
        found = suspect(block, scale)
        if found:
            return found
    if n.size == 1:
        return "the formula: one entry shows no pattern, a larger input may"
    return "the formula: no sign, factor, transposition or missing sum explains the values"


def _equal(a: Array, b: Array, scale: float) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=1e-7 * scale + 1e-300))


def _no_gradient(block: Block, scale: float) -> str:
    if scale and not block.analytic.any():
        return (
            "no gradient at all: a rule returns None or zeros, "
            "or the graph is cut (detach, .data, no_grad)"
        )
    return ""


def _wrong_sign(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    if scale and _equal(a, -n, scale):
        return "wrong sign"
    if block.input.dtype.kind == "c" and block.whole:
        conjugate = np.where(np.arange(n.shape[1]) % 2, -n, n)
        if _equal(a, conjugate, scale):
            return "conjugated: the gradient is the complex conjugate of what it should be"
    return ""


def _constant_factor(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    square = float(np.sum(n * n))
    if not square:
        return ""
    factor = float(np.sum(a * n)) / square
    if abs(factor - 1) < 1e-9 or not factor or not _equal(a, factor * n, scale * abs(factor)):
        return ""
    name = _named(factor, block)
    if np.count_nonzero(n) == 1 and name == _unnamed(factor):
        return ""  # any two numbers have a ratio
    return f"constant factor: every entry is {name} times what it should be"


def _named(factor: float, block: Block) -> str:
    sizes = {
        float(v)
        for slot in (block.output, block.input)
        for v in (*slot.shape, math.prod(slot.shape))
        if v > 1
    }
    names = dict(_FACTORS)
    for size in sorted(sizes):
        names.setdefault(size, f"{size:.0f} (a length of the arrays)")
        names.setdefault(1 / size, f"1/{size:.0f} (a length of the arrays)")
    for value, name in names.items():
        for sign, prefix in ((1, ""), (-1, "-")):
            if abs(factor - sign * value) <= 1e-6 * value:
                return prefix + name
    return _unnamed(factor)


def _unnamed(factor: float) -> str:
    return f"{factor:.6g}"


def _rounded(block: Block, scale: float) -> str:
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.max(np.abs(block.analytic - block.numeric)) / scale if scale else 1.0
    if relative < 2e-7:
        return "dtype: an error of single precision; somewhere float64 data pass through float32"
    if relative < 2e-3:
        return "precision: a rounded constant, or float16 data on the way"
    return ""


def _transposed(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    if not block.whole:
        return ""
    shape = block.input.shape
    if len(shape) >= 2 and block.input.dtype.kind != "c":
        rows = n.reshape(n.shape[0], *shape)
        if shape[-1] == shape[-2] and _equal(a, np.swapaxes(rows, -1, -2).reshape(n.shape), scale):
            return "transposed: the last two axes of the gradient are exchanged"
        if _equal(a, np.swapaxes(rows, -1, -2).reshape(n.shape), scale):
            return (
                "transposed and reshaped: the last two axes were exchanged, then the shape forced"
            )
    if n.shape[0] == n.shape[1] and _equal(a, n.T, scale):
        return "transposed: the rule multiplies by the Jacobian where its transpose belongs"
    return ""


def _missing_sum(block: Block, scale: float) -> str:
    """Some outputs' shares of a sum are there, and the others missing or averaged."""
    a, n = block.analytic, block.numeric
    if math.prod(block.output.shape) <= math.prod(block.input.shape):
        return ""
    there = np.isclose(a, n, rtol=1e-6, atol=1e-7 * scale)
    missing = (a == 0) & (n != 0)
    if missing.any() and (there | missing).all():
        return (
            "missing broadcast sum: the gradient takes only some of the elements that an input "
            "went into by broadcasting, repetition or duplicate indices"
        )
    return ""


def _permuted(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    if n.shape[1] > 1 and _equal(np.sort(a, axis=1), np.sort(n, axis=1), scale):
        return "permuted: right values at wrong places (an axis, an order of indices, a roll)"
    if n.shape[0] > 1 and _equal(np.sort(a, axis=0), np.sort(n, axis=0), scale):
        return "permuted: right values for wrong outputs (an axis, an order of indices, a roll)"
    return ""


def _partly_zero(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    if (a[block.wrong] == 0).all():
        return "a missing term: entries that should not be zero are, the others are right"
    if (np.abs(n[block.wrong]) <= 1e-7 * scale).all():
        return "a term too much: entries that should be zero are not, the others are right"
    return ""


def _factor_by_entry(block: Block, _: float) -> str:
    a, n = block.analytic[block.wrong], block.numeric[block.wrong]
    if n.all() and a.size > 1:
        ratio = a / n
        if _equal(np.abs(ratio), np.ones_like(ratio), 1.0):
            return "wrong sign of some entries"
        if ratio.max() - ratio.min() <= 1e-6 * abs(ratio[0]):
            factor = _named(float(ratio[0]), block)
            return f"constant factor: the wrong entries are {factor} times what they should be"
    return ""


_SUSPECTS: tuple[Callable[[Block, float], str], ...] = (
    _no_gradient,
    _wrong_sign,
    _rounded,
    _constant_factor,
    _transposed,
    _missing_sum,
    _permuted,
    _partly_zero,
    _factor_by_entry,
)
