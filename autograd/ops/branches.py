"""Functions that choose by value: other formulas in other places, real numbers where that is all.

Imports `graph`, `_shared` and families of operations.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.engine import graph
from autograd.engine.calls import concrete, holds
from autograd.ops import elementwise, plain
from autograd.ops._shared import operand
from autograd.ops.assignment import set_at
from autograd.ops.indexing import getitem

__all__ = ["piecewise", "real_if_close"]


def _conditions(x: Any, condlist: Any, count: int) -> list[Any]:
    """Return one mask per function; if one is missing, the last is where no other holds."""
    several = isinstance(condlist, (list, tuple))
    first = condlist[0] if several or np.ndim(condlist) else None
    if first is None or (x.ndim and not isinstance(first, (list, tuple)) and not np.ndim(first)):
        condlist = [condlist]
    masks = [plain.not_equal(operand("piecewise", c), 0) for c in condlist]
    n = len(masks)
    if n == count - 1:
        masks.append(plain.invert(functools.reduce(plain.logical_or, masks)))
    elif n != count:
        raise ValueError(f"piecewise: wanted {n} or {n + 1} functions for {n} masks, got {count}")
    return masks


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Evaluate each function where its condition holds; 0 where none does.

    A function sees only the elements of its part, so what it would do elsewhere does not matter,
    for values and gradients alike.

    Args:
        x: any array; the result has its shape and dtype.
        condlist: one boolean array per function; of several that hold, the last one counts.
        funclist: functions of a vector of elements, or numbers; one more than conditions are given
            says what to do elsewhere. Functions may use Variables of their own.
        *args: further arguments of the functions.
        **kw: further keywords of the functions.
    """
    x = operand("piecewise", x)
    values = []
    masks = _conditions(x, condlist, len(funclist))
    for mask, function in zip(masks, funclist, strict=True):
        value = function
        if callable(function):
            there = holds(mask.any(), traced=True)
            value = function(getitem(x, mask), *args, **kw) if there else 0
        values.append(value)
    if not any(isinstance(v, graph.Variable) for v in (x, *masks, *values)):
        out = np.zeros_like(x)
        for mask, value in zip(masks, values, strict=True):
            out[mask] = value
        return out
    # Zeros that depend on x, so that a function of constants has a gradient, of zero, as well.
    out = set_at(x, ..., 0) if isinstance(x, graph.Variable) else np.zeros_like(x)
    for mask, value in zip(masks, values, strict=True):
        out = set_at(out, mask, value)
    return out


def real_if_close(a: Any, tol: float = 100) -> Any:
    """Drop imaginary parts that are all smaller than `tol`.

    Args:
        a: any array.
        tol: in units of the dtype's resolution where it is above 1, otherwise as it is.
    """
    a = operand("real_if_close", a)
    if a.dtype.kind != "c" or np.iscomplexobj(np.real_if_close(concrete(a, "real_if_close"), tol)):
        return a
    return elementwise.real(a)
