"""Interpolation of values at points, with the names of `scipy.interpolate`.

Not imported by `import autograd`. Imports `ops`, `linalg` and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import linalg
from autograd.engine.calls import holds, holds_variable
from autograd.ops import diagonals, elementwise, joining, plain, shaping
from autograd.ops.contractions import as_array
from autograd.ops.indexing import getitem

__all__ = ["interp1d"]

_KINDS = ("cubic", "linear", "nearest", "next", "previous", "zero")


def interp1d(
    x: Any,
    y: Any,
    kind: str = "linear",
    axis: int = -1,
    bounds_error: bool | None = None,
    fill_value: Any = np.nan,
) -> Callable[[Any], Any]:
    """Return a function that interpolates the values `y` at the points `x`.

    Differentiable in `y`, in the argument of the function, and in `x`. A step ("nearest",
    "previous", "next") has gradient zero in its argument; between two pieces the slope is that of
    the piece to the right.

    Args:
        x: n increasing numbers.
        y: n values along `axis`; each may be an array.
        kind: "linear"; "cubic", the spline without a knot at the second and the last but one point
            (n >= 4); "nearest", "previous" (or "zero") and "next".
        axis: of `y`.
        bounds_error: raise ValueError outside of the points; by default, unless a `fill_value` is
            given.
        fill_value: the value outside, or "extrapolate".

    Returns:
        A function of points of any shape; their axes stand where `axis` was.

    Raises:
        ValueError: another kind, shapes that do not fit, points that do not increase, and points
            outside.

    References:
        C. de Boor, A practical guide to splines, 1978, chapter IV ("not-a-knot").

    Example:
        >>> import autograd
        >>> x = np.arange(4.0)
        >>> square = autograd.interpolate.interp1d(x, x**2, "cubic")
        >>> autograd.grad(square)(1.5)
        np.float64(3.0)
    """
    if kind not in _KINDS:
        known = ", ".join(map(repr, _KINDS))
        raise ValueError(f"interp1d: wanted one of the kinds {known}, got {kind!r}")
    x, y = as_array("interp1d", "x", x), as_array("interp1d", "y", y)
    if x.ndim != 1 or not y.ndim or y.shape[axis] != len(x):
        raise ValueError(
            f"interp1d: wanted n points and n values along axis {axis}, got shapes {x.shape} and "
            f"{y.shape}"
        )
    least = 4 if kind == "cubic" else 2 if kind == "linear" else 1
    if len(x) < least or holds(plain.any(x[1:] <= x[:-1]), traced=False):
        raise ValueError(
            f"interp1d: wanted at least {least} increasing points for kind={kind!r}, got "
            f"{len(x)}{'' if len(x) < least else ' that do not increase'}"
        )
    x, y = (v if v.dtype.kind in "fc" else v.astype(np.float64) for v in (x, y))
    values = shaping.moveaxis(y, axis, 0)
    slopes = _not_a_knot(x, values) if kind == "cubic" else None
    extrapolates = isinstance(fill_value, str)
    if extrapolates and fill_value != "extrapolate":
        raise ValueError(f"interp1d: wanted a number or 'extrapolate', got {fill_value!r}")
    given = extrapolates or holds_variable(fill_value) or not np.isnan(fill_value).all()
    strict = not given if bounds_error is None else bounds_error

    def interpolated(new: Any) -> Any:
        at = as_array("interp1d", "x", new)
        outside = (at < x[0]) | (at > x[-1])
        if strict and holds(plain.any(outside), traced=False):
            raise ValueError(
                f"interp1d: wanted points from {x[0]} to {x[-1]}, got some outside; pass "
                "fill_value='extrapolate', or a value"
            )
        out = _at(kind, x, values, slopes, at)
        if not extrapolates and holds(plain.any(outside), traced=True):
            mask = shaping.reshape(outside, at.shape + (1,) * (values.ndim - 1))
            out = elementwise.where(mask, fill_value, out)
        place = axis % y.ndim
        axes = tuple(range(at.ndim))
        return shaping.moveaxis(out, axes, tuple(place + axis for axis in axes))

    return interpolated


def _at(kind: str, x: Any, values: Any, slopes: Any, at: Any) -> Any:
    """Evaluate at points of any shape, whose axes come first."""
    n = len(x)
    if kind in ("nearest", "next", "previous", "zero"):
        if kind == "nearest":
            place = plain.searchsorted((x[1:] + x[:-1]) / 2, at, "left")
        elif kind == "next":
            place = plain.searchsorted(x, at, "left")
        else:
            place = plain.searchsorted(x, at, "right") - 1
        return getitem(values, np.clip(place, 0, n - 1)) + _zero(at, values)
    i = np.clip(plain.searchsorted(x, at, "right") - 1, 0, n - 2)
    start = getitem(x, i)
    width = getitem(x, i + 1) - start
    t = (at - start) / width
    t, width = (shaping.reshape(v, v.shape + (1,) * (values.ndim - 1)) for v in (t, width))
    left, right = getitem(values, i), getitem(values, i + 1)
    if slopes is None:
        return left + t * (right - left)
    # Hermite's form of the cubic with these values and slopes at both ends.
    rise, s0, s1 = right - left, getitem(slopes, i) * width, getitem(slopes, i + 1) * width
    return left + t * (s0 + t * (3 * rise - 2 * s0 - s1 + t * (s0 + s1 - 2 * rise)))


def _zero(at: Any, values: Any) -> Any:
    """Return zeros that depend on the points, so that the gradient there is zero, not missing."""
    zero = 0.0 * elementwise.where(plain.isfinite(at), at, 0.0)
    return shaping.reshape(zero, zero.shape + (1,) * (values.ndim - 1))


def _not_a_knot(x: Any, y: Any) -> Any:
    """Return the slopes of the cubic spline at its points, by the system of de Boor."""
    h = x[1:] - x[:-1]
    ends = x[2] - x[0], x[-1] - x[-3]
    column = (-1,) + (1,) * (y.ndim - 1)
    m = (y[1:] - y[:-1]) / shaping.reshape(h, column)
    main = joining.concatenate([h[1:2], 2 * (h[:-1] + h[1:]), h[-2:-1]])
    above = joining.concatenate([x[2:3] - x[:1], h[:-1]])
    below = joining.concatenate([h[1:], x[-1:] - x[-3:-2]])
    system = diagonals.diag(main) + diagonals.diag(above, 1) + diagonals.diag(below, -1)
    inner = 3 * (shaping.reshape(h[1:], column) * m[:-1] + shaping.reshape(h[:-1], column) * m[1:])
    first = ((h[0] + 2 * ends[0]) * h[1] * m[0] + h[0] ** 2 * m[1]) / ends[0]
    last = (h[-1] ** 2 * m[-2] + (2 * ends[1] + h[-1]) * h[-2] * m[-1]) / ends[1]
    right = joining.concatenate([first[np.newaxis], inner, last[np.newaxis]])
    flat = shaping.reshape(right, (len(right), -1))
    return shaping.reshape(linalg.solve(system, flat), right.shape)
