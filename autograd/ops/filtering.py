"""Sampled functions: convolution, polynomials, interpolation, and mapping along axes.

Imports `calls`, the families of operations it is made of, and NumPy.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import is_foreign
from autograd.engine.calls import holds, primitive
from autograd.ops import elementwise, joining, shaping
from autograd.ops._shared import beside, inexact
from autograd.ops.contractions import as_array
from autograd.ops.indexing import getitem, scatter

__all__ = [
    "apply_along_axis",
    "apply_over_axes",
    "convolve",
    "correlate",
    "interp",
    "polyval",
]


def _vector(name: str, operand: str, value: Any) -> Any:
    value = as_array(name, operand, value)
    if value.ndim != 1 or not value.size:
        raise ValueError(
            f"{name}: wanted a vector of at least one element as operand {operand!r}, got shape "
            f"{value.shape}; use apply_along_axis for more axes"
        )
    return value


# -- convolution -----------------------------------------------------------------------------------


def _window(m: int, n: int, mode: str) -> slice:
    """Return which part of the full convolution (m + n - 1 elements) `mode` keeps."""
    shorter, longer = sorted((m, n))
    start = {"full": 0, "same": (shorter - 1) // 2, "valid": shorter - 1}[mode]
    count = {"full": m + n - 1, "same": longer, "valid": longer - shorter + 1}[mode]
    return slice(start, start + count)


def _transposed(g: Any, other: Any, count: int, mode: str) -> Any:
    """Pull back to one operand of length `count`: correlate the full cotangent with the other."""
    size = count + len(other) - 1
    if mode != "full":
        g = scatter(g, _window(count, len(other), mode), (size,))
    return _convolve(g, other[::-1], "valid")


@primitive(
    x=lambda g, y, x_shape, mode: _transposed(g, y, x_shape[0], mode),
    y=lambda g, x, y_shape, mode: _transposed(g, x, y_shape[0], mode),
    name="convolve",
)
def _convolve(x: Any, y: Any, mode: str) -> Any:
    return np.convolve(x, y, mode)  # type: ignore[call-overload]


def _check_mode(name: str, mode: str) -> None:
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"{name}: wanted mode 'full', 'same' or 'valid', got {mode!r}")


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Convolve two vectors: out[n] = sum over k of a[k] v[n - k].

    Args:
        a: m elements.
        v: n elements.
        mode: "full" (m + n - 1 elements), "same" (the middle max(m, n) of them) or "valid" (those
            that all elements of the shorter vector take part in: max - min + 1).
    """
    _check_mode("convolve", mode)
    return _convolve(_vector("convolve", "a", a), _vector("convolve", "v", v), mode)


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Correlate two vectors: out[k] = sum over n of a[n + k] conj(v[n]); modes as in `convolve`."""
    _check_mode("correlate", mode)
    a = _vector("correlate", "a", a)
    v = _vector("correlate", "v", v)
    reflected = (elementwise.conjugate(v) if v.dtype.kind == "c" else v)[::-1]
    m, n = len(a), len(v)
    if mode == "same" and m < n and m % 2 == 0:
        # NumPy swaps the operands and reverses the result, which moves the middle by one.
        return _convolve(a, reflected, "full")[m // 2 : m // 2 + n]
    return _convolve(a, reflected, mode)


# -- polynomials -----------------------------------------------------------------------------------


def _polyval_p(g: Any, x: Any, p_shape: tuple[int, ...]) -> Any:
    """Return sum over x of g x^k for each power k, highest first.

    Powers as products are 20 times as fast as with exponents.
    """
    (n,) = p_shape  # 0 in the derivative of a constant
    points = x.reshape(-1, 1)
    factors = np.broadcast_to(points, (points.shape[0], max(n - 1, 0)))
    powers = np.cumprod(np.concatenate((np.ones_like(points), factors), axis=1), axis=1)
    return g.reshape(-1) @ powers[:, :n][:, ::-1]


def _polyval_x(g: Any, p: Any, x: Any) -> Any:
    """Multiply by the derivative of the polynomial."""
    powers = beside(np.arange(len(p) - 1, 0, -1).astype(p.dtype), g)
    return g * _polyval(p[:-1] * powers, x)


@primitive(p=_polyval_p, x=_polyval_x, name="polyval")
def _polyval(p: Any, x: Any) -> Any:
    if not is_foreign(p) and not is_foreign(x):
        return np.polyval(p, x)
    return functools.reduce(lambda total, one: total * x + one, p, np.zeros_like(x))


def polyval(p: Any, x: Any) -> Any:
    """Evaluate the polynomial p[0] x^(n-1) + ... + p[n-1] at each element of `x`.

    Args:
        p: n coefficients, the highest power first.
        x: points, of any shape.
    """
    return _polyval(_vector("polyval", "p", p), as_array("polyval", "x", x))


# -- interpolation ---------------------------------------------------------------------------------


@primitive(nondiff=("xp", "x"))
def _interval(xp: Any, x: Any) -> Any:
    """Return between which two points `x` lies, by the first of them."""
    return np.clip(np.searchsorted(xp, x, side="right") - 1, 0, len(xp) - 2)


@primitive(nondiff=("xp",))
def _order(xp: Any) -> Any:
    return np.argsort(xp)


def _on_line(x: Any, x0: Any, x1: Any, f0: Any, f1: Any) -> Any:
    slope = (f1 - f0) / (x1 - x0)
    out = f0 + (x - x0) * slope
    broken = ~np.isfinite(slope)
    if not holds(np.any(broken), traced=True):
        return out
    # Next to an infinity, in NumPy's order: a point itself, from the left, from the right, level.
    right = elementwise.where(np.isnan(out), f1 + (x - x1) * slope, out)
    level = elementwise.where(np.isnan(right) & (f0 == f1), f0, right)
    point = elementwise.where(x == x0, f0, elementwise.where(x == x1, f1, level))
    return elementwise.where(broken, point, out)


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None
) -> Any:
    """Interpolate linearly between the points (xp, fp).

    Differentiable in `x`, `xp`, `fp` and both values outside. At a point of `xp` the slope is that
    of the piece to its right (at the last one, to its left); outside, it is 0. float32 is kept.

    Args:
        x: where to evaluate, of any shape.
        xp: n increasing numbers (any order where `period` is given).
        fp: the n values there.
        left: value below `xp[0]`, by default `fp[0]`.
        right: value above `xp[-1]`, by default `fp[-1]`.
        period: makes the function periodic; `left` and `right` are then ignored.

    Raises:
        ValueError: xp and fp are no vectors of one length, or the period is 0.
    """
    x = as_array("interp", "x", x)
    xp = _vector("interp", "xp", xp)
    fp = inexact(_vector("interp", "fp", fp))
    if len(xp) != len(fp):
        raise ValueError(f"interp: wanted xp and fp of one length, got {len(xp)} and {len(fp)}")
    if period is not None:
        if period == 0:
            raise ValueError("interp: wanted a period that is not 0, got 0")
        period = abs(period)
        x = elementwise.remainder(x, period)
        xp = elementwise.remainder(xp, period)
        order = _order(xp)
        last, first = order[-1:], order[:1]
        low, high = getitem(xp, last) - period, getitem(xp, first) + period
        xp = joining.concatenate((low, getitem(xp, order), high))
        fp = joining.concatenate([getitem(fp, i) for i in (last, order, first)])
        left = right = None
    left = fp[0] if left is None else left
    right = fp[-1] if right is None else right
    below, above = x < xp[0], x > xp[-1]
    if len(xp) == 1:
        inside = fp[0]
    else:
        at = _interval(xp, x)
        x0, x1, f0, f1 = (getitem(v, i) for v in (xp, fp) for i in (at, at + 1))
        with np.errstate(invalid="ignore"):
            inside = _on_line(x, x0, x1, f0, f1)
    return elementwise.where(below, left, elementwise.where(above, right, inside))


# -- mapping along axes ----------------------------------------------------------------------------


def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    """Apply a function of vectors to each vector along `axis`, and stack what it returns.

    Args:
        func1d: `func1d(vector, *args, **kwargs) -> scalar or array`, of one shape throughout.
        axis: the axis of the vectors; the axes of the results take its place.
        arr: an array with at least one element along the other axes.
        *args: further arguments of `func1d`.
        **kwargs: further keyword arguments of `func1d`.

    Raises:
        ValueError: there is no vector to apply the function to.
    """
    arr = as_array("apply_along_axis", "arr", arr)
    axis = range(arr.ndim)[axis]
    rest = (*arr.shape[:axis], *arr.shape[axis + 1 :])
    if 0 in rest:
        raise ValueError(
            f"apply_along_axis: wanted at least one vector along axis {axis}, got shape {arr.shape}"
        )
    results = [
        func1d(arr[(*i[:axis], slice(None), *i[axis:])], *args, **kwargs)
        for i in itertools.product(*map(range, rest))
    ]
    stacked = joining.stack(results)
    out = shaping.reshape(stacked, (*rest, *stacked.shape[1:]))
    inner = range(len(rest), out.ndim)
    return shaping.transpose(out, (*range(axis), *inner, *range(axis, len(rest))))


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """Apply `func(a, axis)` for each of `axes` in turn; an axis that it drops is put back.

    Args:
        func: a function that keeps or drops the axis it is given, such as `autograd.sum`.
        a: an array.
        axes: an axis, or several.

    Raises:
        ValueError: `func` returned another number of axes.
    """
    a = as_array("apply_over_axes", "a", a)
    for axis in [axes] if isinstance(axes, (int, np.integer)) else list(axes):
        place = range(a.ndim)[axis]
        result = func(a, place)
        if result.ndim == a.ndim - 1:
            result = shaping.expand_dims(result, place)
        if result.ndim != a.ndim:
            raise ValueError(
                f"apply_over_axes: wanted a function that keeps or drops one axis of {a.ndim}, got "
                f"a result with {result.ndim} axes"
            )
        a = result
    return a
