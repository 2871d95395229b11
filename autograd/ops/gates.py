"""What lets pass what is positive: a gate, and the rectifier whose rule it is.

`nn.functional` has them for layers, and `Variable.relu` for who writes single numbers. Imports
`calls` and NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.engine.calls import binary, unary

__all__ = ["gate", "relu"]

_ndarray, _vdot = np.ndarray, np.vdot


def _chosen(x: Any, y: Any) -> Any:
    """Return `x` where `y` holds, 0 elsewhere, even where `x` is infinite or nan.

    A product takes a twentieth of the time of `np.where` on a random mask of 10^5 float32, and a
    look for nan, by a dot product, a third of that.
    """
    if x.__class__ is _ndarray:
        out = x * y.astype(x.dtype)
        square = _vdot(out, out)
        if square == square:  # noqa: PLR0124 - false of nan only
            return out
    return np.where(y, x, 0.0)[()]


_gate = binary(_chosen, name="gate", x=lambda g, y: gate(g, y))  # noqa: PLW0108 - names `y`


def gate(g: Any, mask: Any) -> Any:
    """Return `g` where `mask` holds, as `_chosen` does (both kinds)."""
    return _chosen(g, mask) if g.__class__ is _ndarray else _gate(g, mask)


def _positive_part(x: Any) -> Any:
    """Return max(x, 0): with a row of zeros, which takes half the time of the number 0."""
    if x.size > 4096 and x.dtype.kind == "f":
        return np.maximum(x, np.zeros(x.shape[-1:], x.dtype))
    return np.maximum(x, 0.0)


relu = unary(_positive_part, name="relu", x=lambda g, out: gate(g, out > 0))
