"""Why a derivative is wrong: patterns that wrong rules leave in a block of the Jacobian."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd.testing._vectors import Array, Slot

__all__ = ["Block", "explain"]

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

    def equal(self, a: Array, b: Array, scale: float = 1.0) -> bool:
        """Tell whether two forms of the block agree; `scale` is that of their entries to its."""
        atol = 1e-7 * scale * float(np.max(np.abs(self.numeric), initial=0.0)) + 1e-300
        return bool(np.allclose(a, b, rtol=1e-6, atol=atol))

    def constant(self, factor: float) -> str:
        """Name a factor in words, if it is one of the usual ones."""
        names = dict(_FACTORS)
        for slot in (self.output, self.input):
            for size in sorted({*slot.shape, math.prod(slot.shape)} - {0, 1}):
                names.setdefault(size, f"{size} (a length of the arrays)")
                names.setdefault(1 / size, f"1/{size} (a length of the arrays)")
        for value, name in names.items():
            for sign, prefix in ((1, ""), (-1, "-")):
                if abs(factor - sign * value) <= 1e-6 * value:
                    return prefix + name
        return f"{factor:.6g}"


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
    unknown = "the formula: no sign, factor, transposition or missing sum explains the values"
    if n.size == 1:
        unknown = "the formula: one entry shows no pattern, a larger input may"
    return next((cause for shows, cause in _patterns(block) if shows), unknown)


def _patterns(block: Block) -> Iterator[tuple[Any, str]]:
    """Yield whether the block shows a pattern, and what it speaks for."""
    a, n, _, output, input_, whole = block
    equal, nonzero = block.equal, n.any()
    cut = "a rule returns None or zeros, or the graph is cut (detach, .data, no_grad)"
    yield nonzero and not a.any(), f"no gradient at all: {cut}"
    yield nonzero and equal(a, -n), "wrong sign"

    if whole and input_.parts == 2:
        conjugate = "is the complex conjugate of what it should be"
        if output.parts == 2:
            # A complex factor is the matrix [[re, -im], [im, re]]; its transpose is the conjugate.
            grid = n.reshape(n.shape[0] // 2, 2, n.shape[1] // 2, 2).transpose(0, 3, 2, 1)
            write = "g * factor in a rule of a primitive, g * np.conj(factor) in Function.backward"
            cause = f"conjugated: the factor {conjugate}; write {write}"
            yield equal(a, grid.reshape(n.shape)), cause
        mirrored = np.where(np.arange(n.shape[1]) % 2, -n, n)
        yield equal(a, mirrored), f"conjugated: the gradient {conjugate}"

    error, scale = (float(np.max(np.abs(b), initial=0.0)) for b in (a - n, n))
    single = "an error of single precision; somewhere float64 data pass through float32"
    yield error < 2e-7 * scale, f"dtype: {single}"
    yield error < 2e-3 * scale, "precision: a rounded constant, or float16 data on the way"

    factor = float(np.sum(a * n)) / (float(np.sum(n * n)) or 1.0)
    name = block.constant(factor)
    told = np.count_nonzero(n) > 1 or name != f"{factor:.6g}"  # any two numbers have a ratio
    cause = f"constant factor: every entry is {name} times what it should be"
    yield factor and told and equal(a, factor * n, abs(factor)), cause

    if whole and len(input_.shape) >= 2 and input_.parts == 1:
        swapped = np.swapaxes(n.reshape(n.shape[0], *input_.shape), -1, -2).reshape(n.shape)
        forced = "" if input_.shape[-1] == input_.shape[-2] else ", then the shape forced"
        cause = f"transposed: the last two axes of the gradient are exchanged{forced}"
        yield equal(a, swapped), cause
    cause = "transposed: the rule multiplies by the Jacobian where its transpose belongs"
    yield whole and n.shape[0] == n.shape[1] and equal(a, n.T), cause

    missing = (a == 0) & (n != 0)
    fewer = math.prod(output.shape) > math.prod(input_.shape)
    summed = "that an input went into by broadcasting, repetition or duplicate indices"
    cause = f"missing broadcast sum: the gradient takes only some of the elements {summed}"
    yield fewer and missing.any() and equal(a[~missing], n[~missing]), cause
    for axis, what in ((1, "at wrong places"), (0, "for wrong outputs")):
        cause = f"permuted: right values {what} (an axis, an order of indices, a roll)"
        yield n.shape[axis] > 1 and equal(np.sort(a, axis=axis), np.sort(n, axis=axis)), cause

    a, n = a[block.wrong], n[block.wrong]
    cause = "a missing term: entries that should not be zero are, the others are right"
    yield (a == 0).all(), cause
    cause = "a term too much: entries that should be zero are not, the others are right"
    yield (np.abs(n) <= 1e-7 * scale).all(), cause
    if n.all() and a.size > 1:
        ratio = a / n
        yield np.allclose(np.abs(ratio), 1.0, rtol=1e-6), "wrong sign of some entries"
        cause = f"the wrong entries are {block.constant(float(ratio[0]))} times what they should be"
        yield np.ptp(ratio) <= 1e-6 * abs(ratio[0]), f"constant factor: {cause}"
