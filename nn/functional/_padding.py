"""Padding at the ends of the last axes, composed of slices and joins. Imports `autograd` only."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import autograd
from nn.functional._numbers import check_numbers

__all__ = ["pad"]


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Enlarge `input` at the ends of its last axes; negative lengths make it smaller.

    Args:
        input: shape (..., n).
        pad: lengths before and after the last axis, then those of the axis before it, and so on.
        mode: "constant", "reflect" (without the edge), "replicate" (the edge) or "circular".
        value: of "constant"; None is 0.

    Raises:
        TypeError: where `pad` is no sequence of integers.
        ValueError: for another mode, an odd number of lengths or more than there are axes, a value
            in another mode than "constant", or more elements than `input` has to repeat.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.pad(np.array([[1, 2, 3]]), (1, 2), mode="reflect")
        array([[2, 1, 2, 3, 2, 1]])
    """
    check_numbers("pad", "an input", input)
    widths = _widths(input.ndim, pad)
    if mode not in _MODES and mode != "constant":
        raise ValueError(f"pad: wanted a mode among constant, {', '.join(_MODES)}, got {mode!r}")
    if mode != "constant" and value:
        raise ValueError(f"pad: wanted no value in mode {mode!r}, got {value}")
    if any(n < 0 for ends in widths for n in ends):
        input = input[
            tuple(
                slice(max(-low, 0), max(size - max(-high, 0), 0))
                for size, (low, high) in zip(input.shape, widths, strict=True)
            )
        ]
        widths = [(max(low, 0), max(high, 0)) for low, high in widths]
    if mode == "constant":
        # None is zeros, faster than a number by 20 us.
        return autograd.pad(input, widths, constant_values=value or None)
    # Joined slices: backward takes a fifth of the time of a gather, as in autograd.pad.
    for axis, (low, high) in enumerate(widths):
        if low or high:
            most = _most(mode, input.shape[axis])
            if max(low, high) > most:
                raise ValueError(
                    f"pad: wanted at most {most} elements in mode {mode!r} at each end of axis "
                    f"{axis}, got {low} and {high} for shape {input.shape}"
                )
            ends = _MODES[mode](input, axis, low, high)
            parts = [part for part in (ends[0], input, ends[1]) if part.shape[axis]]
            input = autograd.concatenate(parts, axis)
    return input


def _part(x: Any, axis: int, *bounds: int | None) -> Any:
    return x[(*(slice(None),) * axis, slice(*bounds))]


def _reflected(x: Any, axis: int, low: int, high: int) -> tuple[Any, Any]:
    n = x.shape[axis]
    backwards = _part(x, axis, None, None, -1)
    return _part(backwards, axis, n - 1 - low, n - 1), _part(backwards, axis, 1, high + 1)


def _circular(x: Any, axis: int, low: int, high: int) -> tuple[Any, Any]:
    n = x.shape[axis]
    return _part(x, axis, n - low, n), _part(x, axis, 0, high)


def _replicated(x: Any, axis: int, low: int, high: int) -> tuple[Any, Any]:
    n = x.shape[axis]
    edges = _part(x, axis, 0, 1), _part(x, axis, n - 1, n)
    return autograd.repeat(edges[0], low, axis), autograd.repeat(edges[1], high, axis)


_MODES = {"reflect": _reflected, "replicate": _replicated, "circular": _circular}


def _most(mode: str, n: int) -> float:
    """Return how many elements can be put at an end of n."""
    return {"reflect": max(n - 1, 0), "circular": n}.get(mode, math.inf if n else 0)


def _widths(ndim: int, pad: Sequence[int]) -> list[tuple[int, int]]:
    """Return the lengths before and after each axis, in the order of the axes."""
    try:
        lengths = list(map(operator.index, pad))
    except TypeError:
        raise TypeError(f"pad: wanted a sequence of integers as pad, got {pad!r}") from None
    if len(lengths) % 2 or len(lengths) > 2 * ndim:
        raise ValueError(
            f"pad: wanted two lengths for each of at most {ndim} axes, the last axis first, got "
            f"{pad!r}"
        )
    pairs = list(zip(lengths[::2], lengths[1::2], strict=True))
    return [(0, 0)] * (ndim - len(pairs)) + pairs[::-1]
