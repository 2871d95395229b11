"""Why a derivative is wrong: patterns that wrong rules leave in a block of the Jacobian."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from autograd.testing._arrays import Array, Slot

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


def explain(block: Block, *, at_kink: bool) -> str:
    """Name the suspected cause of a wrong block of a Jacobian.

    Args:
        block: the analytic and the numeric values.
        at_kink: the worst entry is right at a point nearby, or its left and right derivatives
            differ.
    """
    a, n = block.analytic, block.numeric
    if np.isnan(a).any():
        return "not a number: the rule divides zero by zero, or multiplies zero by infinity"
    if not (np.isfinite(a) & np.isfinite(n)).all():
        return "infinite: the rule divides by zero" if np.isinf(a).any() else "unknown"
    if at_kink:
        return "only at a kink: the same derivative is right at points nearby"
    scale = float(np.max(np.abs(n), initial=0.0))
    found = next(filter(None, (suspect(block, scale) for suspect in _SUSPECTS)), "")
    if not found and n.size == 1:
        return "the formula: one entry shows no pattern, a larger input may"
    return found or "the formula: no sign, factor, transposition or missing sum explains the values"


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
    return "wrong sign" if scale and _equal(block.analytic, -block.numeric, scale) else ""


def _conjugated(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    if block.input.parts == 1 or not block.whole:
        return ""
    if block.output.parts == 2:
        # A complex factor is the matrix [[re, -im], [im, re]]; its transpose is the conjugate.
        grid = n.reshape(n.shape[0] // 2, 2, n.shape[1] // 2, 2)
        if _equal(a, grid.transpose(0, 3, 2, 1).reshape(n.shape), scale):
            return (
                "conjugated: the factor is the complex conjugate of what it should be; write "
                "g * factor in a rule of a primitive, g * np.conj(factor) in Function.backward"
            )
    if _equal(a, np.where(np.arange(n.shape[1]) % 2, -n, n), scale):
        return "conjugated: the gradient is the complex conjugate of what it should be"
    return ""


def _rounded(block: Block, scale: float) -> str:
    error = float(np.max(np.abs(block.analytic - block.numeric)))
    if error < 2e-7 * scale:
        return "dtype: an error of single precision; somewhere float64 data pass through float32"
    if error < 2e-3 * scale:
        return "precision: a rounded constant, or float16 data on the way"
    return ""


def _constant_factor(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    factor = float(np.sum(a * n)) / (float(np.sum(n * n)) or 1.0)
    if abs(factor - 1) < 1e-9 or not factor or not _equal(a, factor * n, scale * abs(factor)):
        return ""
    name = _named(factor, block)
    if np.count_nonzero(n) == 1 and name == f"{factor:.6g}":
        return ""  # any two numbers have a ratio
    return f"constant factor: every entry is {name} times what it should be"


def _named(factor: float, block: Block) -> str:
    names = dict(_FACTORS)
    for slot in (block.output, block.input):
        for size in sorted({*slot.shape, math.prod(slot.shape)} - {0, 1}):
            names.setdefault(size, f"{size} (a length of the arrays)")
            names.setdefault(1 / size, f"1/{size} (a length of the arrays)")
    for value, name in names.items():
        for sign, prefix in ((1, ""), (-1, "-")):
            if abs(factor - sign * value) <= 1e-6 * value:
                return prefix + name
    return f"{factor:.6g}"


def _transposed(block: Block, scale: float) -> str:
    a, n, shape = block.analytic, block.numeric, block.input.shape
    if not block.whole:
        return ""
    if len(shape) >= 2 and block.input.parts == 1:
        swapped = np.swapaxes(n.reshape(n.shape[0], *shape), -1, -2).reshape(n.shape)
        if _equal(a, swapped, scale):
            forced = "" if shape[-1] == shape[-2] else ", then the shape forced"
            return f"transposed: the last two axes of the gradient are exchanged{forced}"
    if n.shape[0] == n.shape[1] and _equal(a, n.T, scale):
        return "transposed: the rule multiplies by the Jacobian where its transpose belongs"
    return ""


def _missing_sum(block: Block, scale: float) -> str:
    """Some outputs' shares of a sum are there, and the others missing."""
    a, n = block.analytic, block.numeric
    missing = (a == 0) & (n != 0)
    fewer = math.prod(block.output.shape) > math.prod(block.input.shape)
    if fewer and missing.any() and _equal(a[~missing], n[~missing], scale):
        return (
            "missing broadcast sum: the gradient takes only some of the elements that an input "
            "went into by broadcasting, repetition or duplicate indices"
        )
    return ""


def _permuted(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    for axis, what in ((1, "at wrong places"), (0, "for wrong outputs")):
        if n.shape[axis] > 1 and _equal(np.sort(a, axis=axis), np.sort(n, axis=axis), scale):
            return f"permuted: right values {what} (an axis, an order of indices, a roll)"
    return ""


def _partly(block: Block, scale: float) -> str:
    a, n = block.analytic[block.wrong], block.numeric[block.wrong]
    if (a == 0).all():
        return "a missing term: entries that should not be zero are, the others are right"
    if (np.abs(n) <= 1e-7 * scale).all():
        return "a term too much: entries that should be zero are not, the others are right"
    if n.all() and a.size > 1:
        ratio = a / n
        if _equal(np.abs(ratio), np.ones_like(ratio), 1.0):
            return "wrong sign of some entries"
        if np.ptp(ratio) <= 1e-6 * abs(ratio[0]):
            factor = _named(float(ratio[0]), block)
            return f"constant factor: the wrong entries are {factor} times what they should be"
    return ""


_SUSPECTS: tuple[Callable[[Block, float], str], ...] = (
    _no_gradient,
    _wrong_sign,
    _conjugated,
    _rounded,
    _constant_factor,
    _transposed,
    _missing_sum,
    _permuted,
    _partly,
)
