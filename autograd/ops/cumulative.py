"""Running sums and products, differences, finite-difference gradients, and piecewise functions.

Running sums and differences are closed families: the adjoint of each is another of its kind, read
from the other end. Imports `_graph`, `_primitive`, `_shared` and families of operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import _graph
from autograd._primitive import as_operand, primitive, same
from autograd.ops import elementwise, joining, shaping
from autograd.ops._shared import backwards, operand, part, raw, refuse_out
from autograd.ops.assignment import set_at
from autograd.ops.indexing import getitem, normal_axis

__all__ = [
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "ediff1d",
    "gradient",
    "nancumprod",
    "nancumsum",
    "piecewise",
    "real_if_close",
    "trapezoid",
    "unwrap",
]

# -- running sums ----------------------------------------------------------------------------------


def _cumsum_x(g: Any, axis: int, reverse: bool) -> Any:
    return _cumsum(g, axis, not reverse)


@primitive(name="cumsum", x=_cumsum_x, linear=True)
def _cumsum(x: Any, axis: int, reverse: bool = False) -> Any:
    """Add up along `axis`, from its end where `reverse`: the two are adjoint."""
    if reverse:
        return backwards(backwards(x, axis).cumsum(axis), axis)
    return x.cumsum(axis)


def _along(name: str, x: Any, axis: Any, dtype: Any, out: Any) -> tuple[Any, int]:
    """Return what to accumulate in its dtype, flattened where `axis` is None, and the axis."""
    refuse_out(name, out)
    x = operand(name, x)
    if dtype is not None:
        if np.dtype(dtype).kind not in "fc" and isinstance(x, _graph.Variable) and x.requires_grad:
            raise TypeError(
                f"{name}: wanted a floating dtype for a Variable that requires a gradient, got "
                f"{np.dtype(dtype)}; convert the result with .astype()"
            )
        x = shaping.astype(x, np.dtype(dtype))
    if axis is None or not x.ndim:
        if axis is not None:
            normal_axis(name, axis, 1)
        return (x if x.ndim == 1 else x.reshape(-1)), 0
    return x, normal_axis(name, axis, x.ndim)


def cumsum(x: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Return the running sums of `x` along `axis`; None flattens it first.

    Args:
        x: array (..., n, ...); the result has its shape, or (size,) where `axis` is None.
        axis: along which to add.
        dtype: the dtype to add in.
        out: not supported.
    """
    x, axis = _along("cumsum", x, axis, dtype, out)
    return _cumsum(x, axis)


# -- running products ------------------------------------------------------------------------------


def _one_later(x: Any, axis: int, first: float) -> Any:
    """Move elements one place on along `axis`, with `first` in the first place."""
    start = np.full_like(raw(part(x, axis, None, 1)), first)
    return np.concatenate((start, part(x, axis, None, -1)), axis)


def _recurrence_x(g: Any, factor: Any, axis: int) -> Any:
    """Run the recurrence from the other end, each factor one place earlier."""
    turned = backwards(part(factor, axis, 1, None), axis)
    unused = np.zeros_like(raw(part(factor, axis, None, 1)))
    turned = np.concatenate((unused, turned), axis)
    return backwards(_recurrence(backwards(g, axis), turned, axis), axis)


# Linear in each operand, not in both together, so tangents are derived.
@primitive(
    name="recurrence",
    x=_recurrence_x,
    factor=lambda g, factor, out, axis: _recurrence_x(g, factor, axis) * _one_later(out, axis, 0.0),
)
def _recurrence(x: Any, factor: Any, axis: int) -> Any:
    """Return s with s[i] = x[i] + factor[i] s[i - 1] along `axis`, from s[0] = x[0].

    Windows of length 1, 2, 4, ... are combined, which takes log n passes over the arrays instead
    of n steps in Python: 11 passes for 2000 elements.
    """
    out, scale = np.array(x), np.array(factor)
    width = 1
    while width < out.shape[axis]:
        later, earlier = part(scale, axis, width, None), part(scale, axis, None, -width)
        gain = later * part(out, axis, None, -width)
        grown = later * earlier
        tail = part(out, axis, width, None)
        tail += gain
        later[...] = grown
        width *= 2
    return out


def _cumprod_x(g: Any, x: Any, out: Any, axis: int) -> Any:
    products = raw(out)
    if np.all(products) and np.all(np.isfinite(products)):
        return _cumsum(g * out, axis, True) / x
    # A zero, an underflow or an overflow somewhere: no quotient will do. The cotangent of x[j] is
    # the product of all before it times s[j] = g[j] + x[j+1] s[j+1], exact for any zeros and to
    # any order, at several times the cost.
    return _one_later(out, axis, 1.0) * _recurrence_x(g, x, axis)


@primitive(name="cumprod", x=_cumprod_x)
def _cumprod(x: Any, axis: int) -> Any:
    return x.cumprod(axis)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Return the running products of `x` along `axis`, with the arguments of `cumsum`.

    Gradients are right with any number of zeros, to any order.
    """
    x, axis = _along("cumprod", x, axis, dtype, out)
    return _cumprod(x, axis)


# -- variants of both ------------------------------------------------------------------------------


def _without_nan(name: str, x: Any, value: float) -> Any:
    x = operand(name, x)
    missing = np.isnan(raw(x)) if x.dtype.kind in "fc" else np.False_
    return elementwise.where(missing, value, x) if np.any(missing) else x


def nancumsum(x: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Return running sums as `cumsum` does, with nan as 0; the gradient of a nan is 0."""
    x, axis = _along("nancumsum", _without_nan("nancumsum", x, 0.0), axis, dtype, out)
    return _cumsum(x, axis)


def nancumprod(x: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Return running products as `cumprod` does, with nan as 1; the gradient of a nan is 0."""
    x, axis = _along("nancumprod", _without_nan("nancumprod", x, 1.0), axis, dtype, out)
    return _cumprod(x, axis)


def _cumulative(
    name: str,
    accumulate: Callable[..., Any],
    identity: float,
    x: Any,
    axis: int | None,
    dtype: Any,
    out: Any,
    include_initial: bool,
) -> Any:
    x = operand(name, x)
    if axis is None and x.ndim > 1:
        raise ValueError(
            f"{name}: wanted an axis for an array of more than one, got none for shape {x.shape}; "
            f"give axis=, or write x.ravel()"
        )
    x, axis = _along(name, x, axis, dtype, out)
    result = accumulate(x, axis)
    if not include_initial:
        return result
    shape = [1 if i == axis else n for i, n in enumerate(result.shape)]
    start = np.full_like(raw(result), identity, shape=shape)
    return joining.concatenate((start, result), axis)


def cumulative_sum(
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    out: None = None,
    include_initial: bool = False,
) -> Any:
    """Return running sums, starting with 0 where `include_initial`, which makes one element more.

    Args:
        x: array (..., n, ...).
        axis: along which to add; needed unless x has one axis.
        dtype: the dtype to add in.
        out: not supported.
        include_initial: put the empty sum in front.
    """
    return _cumulative("cumulative_sum", _cumsum, 0, x, axis, dtype, out, include_initial)


def cumulative_prod(
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    out: None = None,
    include_initial: bool = False,
) -> Any:
    """Return running products with the arguments of `cumulative_sum`; the empty product is 1."""
    return _cumulative("cumulative_prod", _cumprod, 1, x, axis, dtype, out, include_initial)


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
    later, earlier = part(x, axis, 1, None), part(x, axis, None, -1)
    return later != earlier if x.dtype == bool else later - earlier


def _border(name: str, values: Any, shape: tuple[int, ...], axis: int) -> Any:
    """Return what to put before or behind an array; numbers fill one place along `axis`."""
    values = operand(name, values)
    if values.ndim:
        return values
    return shaping.broadcast_to(values, (*shape[:axis], 1, *shape[axis + 1 :]))


def diff(
    x: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue
) -> Any:
    """Subtract each element from the next along `axis`, `n` times over.

    Args:
        x: array (..., m, ...); the result has max(m - n, 0) elements along the axis.
        n: how many times.
        axis: along which.
        prepend: a number, or an array that joins `x` along the axis in front; has a gradient.
        append: the same behind.
    """
    if n < 0:
        raise ValueError(f"diff: wanted a number of differences n of at least 0, got {n}")
    if n == 0:
        return x
    x = operand("diff", x)
    axis = normal_axis("diff", axis, x.ndim)
    pieces = [
        piece if piece is x else _border("diff", piece, x.shape, axis)
        for piece in (prepend, x, append)
        if piece is not np._NoValue
    ]
    if len(pieces) > 1:
        x = joining.concatenate(pieces, axis)
    for _ in range(n):
        x = _diff(x, axis) if x.shape[axis] else part(x, axis, 1, None)  # of nothing: nothing
    return x


def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Return the differences of the flattened array, between `to_begin` and `to_end`.

    Args:
        x: any array; the result is a vector of its dtype.
        to_end: numbers or arrays to put behind the differences; they have gradients.
        to_begin: the same in front.

    Raises:
        TypeError: for ends whose dtype does not fit that of `x`.
    """
    x = operand("ediff1d", x)
    steps = diff(x.reshape(-1))
    pieces = []
    for name, piece in (("to_begin", to_begin), ("", steps), ("to_end", to_end)):
        if piece is None:
            continue
        if piece is steps:
            pieces.append(steps)
            continue
        given = operand("ediff1d", piece)
        if not np.can_cast(given.dtype, x.dtype, "same_kind"):
            raise TypeError(
                f"ediff1d: wanted {name} of a dtype that fits {x.dtype}, got {given.dtype}; "
                f"convert x first, as in x.astype(float)"
            )
        pieces.append(shaping.astype(given.reshape(-1), x.dtype))
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
        fixed = not isinstance(h, _graph.Variable) or not h.requires_grad
        steps.append(h[0] if fixed and np.all(raw(h) == raw(h)[0]) else h)
    return steps


def _fitting(factor: Any, f: Any) -> Any:
    """Convert what multiplies `f` to its precision, so that float64 steps keep float32 samples."""
    if isinstance(factor, (int, float)) and not isinstance(factor, np.generic):
        return factor
    dtype = np.finfo(f.dtype).dtype
    return factor if factor.dtype in (dtype, f.dtype) else factor.astype(dtype)


def _slope_at_end(f: Any, h: Any, axis: int, edge_order: int, sign: int) -> Any:
    """Return the one-sided difference at the first element of `f`, or the last of it turned round.

    `h` holds one step or two, from the end inwards; `sign` is -1 where `f` was turned round.
    """
    f0, f1 = part(f, axis, 0, 1), part(f, axis, 1, 2)
    if edge_order == 1:
        return (f1 - f0) / _fitting(sign * h[0], f)
    h1, h2 = sign * h[0], sign * h[1]
    a = _fitting(-(2.0 * h1 + h2) / (h1 * (h1 + h2)), f)
    b = _fitting((h1 + h2) / (h1 * h2), f)
    c = _fitting(-h1 / (h2 * (h1 + h2)), f)
    return a * f0 + b * f1 + c * part(f, axis, 2, 3)


def _slope(f: Any, h: Any, axis: int, edge_order: int) -> Any:
    """Differentiate `f` along one axis, with steps `h` between neighbours."""
    before, after = part(f, axis, None, -2), part(f, axis, 2, None)
    if np.ndim(h):
        first = [h[i] for i in range(edge_order)]
        last = [h[-1 - i] for i in range(edge_order)]
        column = (-1,) + (1,) * (f.ndim - 1 - axis)
        h1, h2 = h[:-1].reshape(column), h[1:].reshape(column)
        inner = (
            _fitting(-h2 / (h1 * (h1 + h2)), f) * before
            + _fitting((h2 - h1) / (h1 * h2), f) * part(f, axis, 1, -1)
            + _fitting(h1 / (h2 * (h1 + h2)), f) * after
        )
    else:
        first = last = [h] * edge_order
        inner = (after - before) / _fitting(2.0 * h, f)
    start = _slope_at_end(f, first, axis, edge_order, 1)
    turned = backwards(part(f, axis, -1 - edge_order, None), axis)
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
    if not any(isinstance(v, _graph.Variable) for v in (f, *varargs)):
        f = as_operand("gradient", "f", f)  # lists may hold Variables
        if not isinstance(f, _graph.Variable):
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
    pairs = part(y, place, 1, None) + part(y, place, None, -1)
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


# -- piecewise functions ---------------------------------------------------------------------------


def _conditions(x: Any, condlist: Any, count: int) -> Any:
    """Return one mask per function; if one is missing, the last is where no other holds."""
    condlist = raw(condlist) if isinstance(condlist, _graph.Variable) else condlist
    if np.isscalar(condlist) or (
        x.ndim and not isinstance(condlist[0], (list, np.ndarray, _graph.Variable))
    ):
        condlist = [condlist]
    conditions = np.asarray([raw(c) for c in condlist], dtype=bool)
    if len(conditions) == count - 1:
        return np.concatenate((conditions, ~conditions.any(axis=0, keepdims=True)))
    if len(conditions) != count:
        n = len(conditions)
        raise ValueError(f"piecewise: wanted {n} or {n + 1} functions for {n} masks, got {count}")
    return conditions


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
    masks = list(map(np.asarray, _conditions(x, condlist, len(funclist))))
    for mask, function in zip(masks, funclist, strict=True):
        value = function
        if callable(function):
            value = function(getitem(x, mask), *args, **kw) if mask.any() else 0
        values.append(value)
    if not any(isinstance(v, _graph.Variable) for v in (x, *values)):
        out = np.zeros_like(x)
        for mask, value in zip(masks, values, strict=True):
            out[mask] = value
        return out
    # Zeros that depend on x, so that a function of constants has a gradient, of zero, as well.
    out = set_at(x, ..., 0) if isinstance(x, _graph.Variable) else np.zeros_like(x)
    for mask, value in zip(masks, values, strict=True):
        out = set_at(out, mask, value)
    return out


def real_if_close(x: Any, tol: float = 100) -> Any:
    """Drop imaginary parts that are all smaller than `tol`.

    Args:
        x: any array.
        tol: in units of the dtype's resolution where it is above 1, otherwise as it is.
    """
    x = operand("real_if_close", x)
    close = x.dtype.kind == "c" and not np.iscomplexobj(np.real_if_close(raw(x), tol))
    return elementwise.real(x) if close else x
