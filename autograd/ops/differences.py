"""Differences of neighbours, and what samples of a function are differentiated and integrated with.

Differences are a closed family: the adjoint is minus the difference with zeros at both ends.
Imports `graph`, `calls`, `_shared` and families of operations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.arrays import refuse_complex
from autograd.engine import graph
from autograd.engine.calls import as_operand, holds, primitive
from autograd.engine.primitive import same
from autograd.ops import joining, shaping
from autograd.ops._shared import operand, reverse_along, slice_along
from autograd.ops.indexing import normal_axis

__all__ = ["diff", "ediff1d", "gradient", "trapezoid", "unwrap"]

# -- differences -----------------------------------------------------------------------------------


def _diff_x(g: Any, axis: int, ends: bool) -> Any:
    return -_diff(g, axis, not ends)


@primitive(name="diff", x=_diff_x, linear=True)
def _diff(x: Any, axis: int, ends: bool = False) -> Any:
    """Subtract neighbours along `axis`, n to n - 1; with `ends`, also a zero before and one behind,
    n to n + 1. Each is minus the adjoint of the other.
    """
    if ends:
        zero = np.zeros_like(x, shape=[1 if i == axis else n for i, n in enumerate(x.shape)])
        x = np.concatenate((zero, x, zero), axis)
    later, earlier = slice_along(x, axis, 1, None), slice_along(x, axis, None, -1)
    return later != earlier if x.dtype == bool else later - earlier


def _border(name: str, values: Any, shape: tuple[int, ...], axis: int) -> Any:
    """Return what to put before or behind an array; numbers fill one place along `axis`."""
    values = operand(name, values)
    if values.ndim:
        return values
    return shaping.broadcast_to(values, (*shape[:axis], 1, *shape[axis + 1 :]))


def diff(
    a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue
) -> Any:
    """Subtract each element from the next along `axis`, `n` times over.

    Args:
        a: array (..., m, ...); the result has max(m - n, 0) elements along the axis.
        n: how many times.
        axis: along which.
        prepend: a number, or an array that joins `a` along the axis in front; has a gradient.
        append: the same behind.
    """
    if n < 0:
        raise ValueError(f"diff: wanted a number of differences n of at least 0, got {n}")
    if n == 0:
        return a
    a = operand("diff", a)
    axis = normal_axis("diff", axis, a.ndim)
    pieces = [
        piece if piece is a else _border("diff", piece, a.shape, axis)
        for piece in (prepend, a, append)
        if piece is not np._NoValue
    ]
    if len(pieces) > 1:
        a = joining.concatenate(pieces, axis)
    for _ in range(n):
        a = (
            _diff(a, axis) if a.shape[axis] else slice_along(a, axis, 1, None)
        )  # of nothing: nothing
    return a


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Return the differences of the flattened array, between `to_begin` and `to_end`.

    Args:
        ary: any array; the result is a vector of its dtype.
        to_end: numbers or arrays to put behind the differences; they have gradients.
        to_begin: the same in front.

    Raises:
        TypeError: for ends whose dtype does not fit that of `ary`.
    """
    ary = operand("ediff1d", ary)
    steps = diff(ary.reshape(-1))
    pieces = []
    for name, piece in (("to_begin", to_begin), ("", steps), ("to_end", to_end)):
        if piece is None:
            continue
        if piece is steps:
            pieces.append(steps)
            continue
        given = operand("ediff1d", piece)
        if not np.can_cast(given.dtype, ary.dtype, "same_kind"):
            raise TypeError(
                f"ediff1d: wanted {name} of a dtype that fits {ary.dtype}, got {given.dtype}; "
                f"convert x first, as in x.astype(float)"
            )
        pieces.append(shaping.astype(given.reshape(-1), ary.dtype))
    return joining.concatenate(pieces) if len(pieces) > 1 else steps


# -- derivatives and integrals of samples ----------------------------------------------------------


def _spacings(f: Any, axes: Sequence[int], given: Sequence[Any]) -> list[Any]:
    """Return, for each axis, the step as a number or the steps (n - 1,)."""
    given = [operand("gradient", s) if np.ndim(s) else s for s in given]
    if not given:
        return [1.0] * len(axes)
    if len(given) == 1 and not np.ndim(given[0]):
        return list(given) * len(axes)
    if len(given) != len(axes):
        raise TypeError(
            f"gradient: wanted no spacing, one number, or one spacing for each of {len(axes)} "
            f"axes, got {len(given)}"
        )
    steps = []
    for spacing, axis in zip(given, axes, strict=True):
        if not np.ndim(spacing):
            steps.append(spacing)
            continue
        if spacing.shape != (f.shape[axis],):
            raise ValueError(
                f"gradient: wanted a number or coordinates ({f.shape[axis]},) as spacing of axis "
                f"{axis}, got shape {spacing.shape}"
            )
        if spacing.dtype.kind not in "fc":
            spacing = spacing.astype(np.float64)
        h = _diff(spacing, 0)
        fixed = not isinstance(h, graph.Variable) or not h.requires_grad
        steps.append(h[0] if fixed and holds((h == h[0]).all(), traced=False) else h)
    return steps


def _fitting(factor: Any, f: Any) -> Any:
    """Convert what multiplies `f` to its precision, so that float64 steps keep float32 samples."""
    if isinstance(factor, (int, float)) and not isinstance(factor, np.generic):
        return factor
    if f.dtype.kind != "c":
        refuse_complex("gradient", factor)  # steps and coordinates of real samples
    dtype = np.finfo(f.dtype).dtype
    return factor if factor.dtype in (dtype, f.dtype) else factor.astype(dtype)


def _slope_at_end(f: Any, h: Any, axis: int, edge_order: int, sign: int) -> Any:
    """Return the one-sided difference at the first element of `f`, or the last of it turned round.

    `h` holds one step or two, from the end inwards; `sign` is -1 where `f` was turned round.
    """
    f0, f1 = slice_along(f, axis, 0, 1), slice_along(f, axis, 1, 2)
    if edge_order == 1:
        return (f1 - f0) / _fitting(sign * h[0], f)
    h1, h2 = sign * h[0], sign * h[1]
    a = _fitting(-(2.0 * h1 + h2) / (h1 * (h1 + h2)), f)
    b = _fitting((h1 + h2) / (h1 * h2), f)
    c = _fitting(-h1 / (h2 * (h1 + h2)), f)
    return a * f0 + b * f1 + c * slice_along(f, axis, 2, 3)


def _slope(f: Any, h: Any, axis: int, edge_order: int) -> Any:
    """Differentiate `f` along one axis, with steps `h` between neighbours."""
    before, after = slice_along(f, axis, None, -2), slice_along(f, axis, 2, None)
    if np.ndim(h):
        first = [h[i] for i in range(edge_order)]
        last = [h[-1 - i] for i in range(edge_order)]
        column = (-1,) + (1,) * (f.ndim - 1 - axis)
        h1, h2 = h[:-1].reshape(column), h[1:].reshape(column)
        inner = (
            _fitting(-h2 / (h1 * (h1 + h2)), f) * before
            + _fitting((h2 - h1) / (h1 * h2), f) * slice_along(f, axis, 1, -1)
            + _fitting(h1 / (h2 * (h1 + h2)), f) * after
        )
    else:
        first = last = [h] * edge_order
        inner = (after - before) / _fitting(2.0 * h, f)
    start = _slope_at_end(f, first, axis, edge_order, 1)
    turned = reverse_along(slice_along(f, axis, -1 - edge_order, None), axis)
    end = _slope_at_end(turned, last, axis, edge_order, -1)
    return joining.concatenate((start, inner, end), axis)


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Differentiate samples: central differences, one-sided at the ends.

    Args:
        f: samples (d0, ..., dn), at least `edge_order + 1` along each axis.
        *varargs: nothing (steps of 1), one step for all axes, or for each axis a step or the
            coordinates of the samples, (d,). Steps and coordinates have gradients.
        axis: which axes; None for all.
        edge_order: 1 or 2, the order of accuracy at the ends.

    Returns:
        An array like `f` for one axis, otherwise one for each, as a tuple.
    """
    if not any(isinstance(v, graph.Variable) for v in (f, *varargs)):
        f = as_operand("gradient", "f", f)  # lists may hold Variables
        if not isinstance(f, graph.Variable):
            return np.gradient(f, *varargs, axis=axis, edge_order=edge_order)  # type: ignore[call-overload]
    f = operand("gradient", f)
    if f.dtype.kind not in "fc":
        f = f.astype(np.float64)
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: wanted edge_order 1 or 2, got {edge_order}")
    given = range(f.ndim) if axis is None else axis if np.iterable(axis) else (axis,)
    axes = [normal_axis("gradient", a, f.ndim) for a in given]
    if len(set(axes)) < len(axes):
        raise ValueError(f"gradient: wanted different axes, got {axis}")
    for a in axes:
        if f.shape[a] <= edge_order:
            raise ValueError(
                f"gradient: wanted at least {edge_order + 1} samples along axis {a} for "
                f"edge_order={edge_order}, got {f.shape[a]}"
            )
    slopes = []
    for a, h in zip(axes, _spacings(f, axes, varargs), strict=True):
        slope = _slope(f, h, a, edge_order)
        slopes.append(slope if slope.dtype == f.dtype else slope.astype(f.dtype))
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integrate samples along `axis` by the trapezoidal rule.

    Args:
        y: samples (..., n, ...); the result lacks the axis.
        x: where they were taken, (n,) or broadcasting with `y`; has a gradient.
        dx: the distance between samples, where `x` is None; has a gradient.
        axis: along which.
    """
    y = operand("trapezoid", y)
    place = normal_axis("trapezoid", axis, y.ndim)
    width = dx
    if x is not None:
        x = operand("trapezoid", x)
        width = diff(x, axis=0 if x.ndim == 1 else axis)
        if x.ndim == 1:
            width = width.reshape((-1,) + (1,) * (y.ndim - 1 - place))
    pairs = slice_along(y, place, 1, None) + slice_along(y, place, None, -1)
    return (width * pairs / 2.0).sum(axis=axis)


# Locally, each element is shifted by a constant, so this is elementwise where it has a derivative.
@primitive(p=same, elementwise=True)
def unwrap(
    p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi
) -> Any:
    """Add multiples of `period` so that neighbours along `axis` differ by at most half of it.

    The multiples are piecewise constant: the gradient passes unchanged.

    Args:
        p: angles (..., n, ...), in radians where `period` is that.
        discont: the least jump that is taken away, by default half the period.
        axis: along which.
        period: the length of one turn.
    """
    return np.unwrap(p, discont, axis, period=period)
