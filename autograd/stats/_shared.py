"""What the distributions share: arguments in one dtype, limits of the support, refusals.

Imports `graph`, `calls`, `ops` and NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.engine import graph
from autograd.engine.calls import as_operand, detached, holds
from autograd.ops import elementwise

__all__ = [
    "COUNTS",
    "NO_ELEMENTARY_DERIVATIVE",
    "constant",
    "density",
    "in_one_dtype",
    "positive",
    "standardized",
    "supported",
]


def in_one_dtype(name: str, **arguments: Any) -> list[Any]:
    """Return the arguments as real arrays, scalars or Variables of one floating dtype.

    It is that of the arguments that have a floating dtype; integers, Python numbers and lists of
    numbers follow, so float32 stays float32 beside counts and constants.

    Args:
        name: the function that was called, for messages.
        **arguments: its arguments by name.

    Raises:
        TypeError: an argument is complex, or no number at all.
    """
    values = [as_operand(name, key, value) for key, value in arguments.items()]
    pairs = zip(values, arguments.values(), strict=True)
    kinds = [getattr(value, "dtype", None) or np.result_type(value) for value in values]
    for key, kind in zip(arguments, kinds, strict=True):
        if kind.kind not in "fiub":
            raise TypeError(f"{name}: wanted real numbers as {key!r}, got {kind}")
    given = [isinstance(v, graph.Variable) or hasattr(a, "dtype") for v, a in pairs]
    floating = [kind for kind, has in zip(kinds, given, strict=True) if has and kind.kind == "f"]
    dtype = np.result_type(*floating) if floating else np.dtype(np.float64)
    return [
        value if kind == dtype and hasattr(value, "dtype") else _cast(value, dtype)
        for kind, value in zip(kinds, values, strict=True)
    ]


def _cast(value: Any, dtype: np.dtype[Any]) -> Any:
    return value.astype(dtype) if hasattr(value, "astype") else dtype.type(value)


def positive(value: Any) -> Any:
    """Return a parameter with nan where it is not positive: what depends on it becomes nan, too."""
    valid = value > 0
    return value if holds(np.all(valid), traced=False) else elementwise.where(valid, value, np.nan)


def density(log_density: Any) -> Any:
    """Return exp(log_density), cut off where it is 0.

    There, what leads to the logarithm may have infinite slopes, with which 0 would make nan.
    """
    nothing = log_density < math.log(np.finfo(log_density.dtype).smallest_subnormal) - 1
    if holds(np.any(nothing), traced=True):
        log_density = elementwise.where(nothing, -math.inf, log_density)
    return elementwise.exp(log_density)


def standardized(x: Any, loc: Any, scale: Any) -> Any:
    """Return (x - loc) / scale."""
    return (x - loc) / scale


def supported(
    outside: Any, z: Any, inner: float, formula: Callable[[Any], Any], value: float
) -> Any:
    """Return `formula(z)`, and the constant `value` where `outside` holds, with a gradient of 0.

    Args:
        outside: plain mask with the shape of `z`.
        z: where to evaluate.
        inner: a number inside of the support, at which `formula` is evaluated instead.
        formula: function of `z`; other parameters may broadcast.
        value: what stands outside.
    """
    if not holds(np.any(outside), traced=True):
        return formula(z)
    return elementwise.where(outside, value, formula(elementwise.where(outside, inner, z)))


def constant(name: str, parameter: str, value: Any, reason: str) -> Any:
    """Return a parameter that has no gradient.

    Args:
        name: the function that was called.
        parameter: the name of the parameter.
        value: what was given.
        reason: why there is no gradient.

    Raises:
        TypeError: a gradient with respect to it was asked for.
    """
    if isinstance(value, graph.Variable) and value.requires_grad:
        raise TypeError(
            f"{name}: wanted {parameter!r} without a gradient, because {reason}, got a Variable "
            f"that requires one; pass {parameter}.detach() to treat it as a constant"
        )
    return detached(value)


NO_ELEMENTARY_DERIVATIVE = "the derivative with respect to it is no elementary function"
COUNTS = "the probability is that of whole numbers"
