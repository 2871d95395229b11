"""Running sums and products, a closed family: the adjoint of a running sum is one from the other
end.

Imports `graph`, `calls`, `_shared` and families of operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import is_foreign
from autograd.engine import graph
from autograd.engine.calls import holds, primitive
from autograd.ops import elementwise, joining, shaping
from autograd.ops._shared import operand, refuse_out, reverse_along, slice_along
from autograd.ops.indexing import normal_axis
from autograd.ops.reductions import is_normal

__all__ = [
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "nancumprod",
    "nancumsum",
]

# -- running sums ----------------------------------------------------------------------------------


def _cumsum_x(g: Any, axis: int, reverse: bool) -> Any:
    return _cumsum(g, axis, not reverse)


@primitive(name="cumsum", x=_cumsum_x, linear=True)
def _cumsum(x: Any, axis: int, reverse: bool = False) -> Any:
    """Add up along `axis`, from its end where `reverse`: the two are adjoint."""
    if reverse:
        return reverse_along(reverse_along(x, axis).cumsum(axis), axis)
    return x.cumsum(axis)


def _along(name: str, x: Any, axis: Any, dtype: Any, out: Any) -> tuple[Any, int]:
    """Return what to accumulate in its dtype, flattened where `axis` is None, and the axis."""
    refuse_out(name, out)
    x = operand(name, x)
    if dtype is not None:
        if np.dtype(dtype).kind not in "fc" and isinstance(x, graph.Variable) and x.requires_grad:
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


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Return the running sums of `a` along `axis`; None flattens it first.

    Args:
        a: array (..., n, ...); the result has its shape, or (size,) where `axis` is None.
        axis: along which to add.
        dtype: the dtype to add in.
        out: not supported.
    """
    a, axis = _along("cumsum", a, axis, dtype, out)
    return _cumsum(a, axis)


# -- running products ------------------------------------------------------------------------------


def _one_later(x: Any, axis: int, first: float) -> Any:
    """Move elements one place on along `axis`, with `first` in the first place."""
    start = np.full_like(slice_along(x, axis, None, 1), first)
    return np.concatenate((start, slice_along(x, axis, None, -1)), axis)


def _reverse_recurrence(g: Any, factor: Any, axis: int) -> Any:
    """Run the recurrence from the other end, each factor one place earlier."""
    turned = reverse_along(slice_along(factor, axis, 1, None), axis)
    unused = np.zeros_like(slice_along(factor, axis, None, 1))
    turned = np.concatenate((unused, turned), axis)
    return reverse_along(recurrence(reverse_along(g, axis), turned, axis), axis)


# Linear in each operand, not in both together, so tangents are derived.
@primitive(
    name="recurrence",
    x=_reverse_recurrence,
    factor=lambda g, factor, out, axis: (
        _reverse_recurrence(g, factor, axis) * _one_later(out, axis, 0.0)
    ),
)
def recurrence(x: Any, factor: Any, axis: int) -> Any:
    """Return s with s[i] = x[i] + factor[i] s[i - 1] along `axis`, from s[0] = x[0].

    Windows of length 1, 2, 4, ... are combined, which takes log n passes over the arrays instead
    of n steps in Python: 11 passes for 2000 elements.
    """
    if is_foreign(x):
        return _joined_windows(x, factor, axis)
    out, scale = np.array(x), np.array(factor)
    width = 1
    while width < out.shape[axis]:
        later, earlier = (
            slice_along(scale, axis, width, None),
            slice_along(scale, axis, None, -width),
        )
        gain = later * slice_along(out, axis, None, -width)
        grown = later * earlier
        tail = slice_along(out, axis, width, None)
        tail += gain
        later[...] = grown
        width *= 2
    return out


def _joined_windows(out: Any, scale: Any, axis: int) -> Any:
    """Do what `recurrence` does on arrays that may not be written to, or have no views."""
    width = 1
    while width < out.shape[axis]:
        head, factors = slice_along(out, axis, None, width), slice_along(scale, axis, None, width)
        later = slice_along(scale, axis, width, None)
        gain = later * slice_along(out, axis, None, -width)
        grown = later * slice_along(scale, axis, None, -width)
        out = np.concatenate((head, slice_along(out, axis, width, None) + gain), axis)
        scale = np.concatenate((factors, grown), axis)
        width *= 2
    return out


def _cumprod_x(g: Any, x: Any, out: Any, axis: int) -> Any:
    if holds(is_normal(out).all(), traced=False):
        return _cumsum(g * out, axis, True) / x
    # A zero, an underflow or an overflow somewhere: no quotient will do. The cotangent of x[j] is
    # the product of all before it times s[j] = g[j] + x[j+1] s[j+1], exact for any zeros and to
    # any order, at several times the cost.
    return _one_later(out, axis, 1.0) * _reverse_recurrence(g, x, axis)


@primitive(name="cumprod", x=_cumprod_x)
def _cumprod(x: Any, axis: int) -> Any:
    return x.cumprod(axis)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Return the running products of `a` along `axis`, with the arguments of `cumsum`.

    Gradients are right with any number of zeros, to any order.
    """
    a, axis = _along("cumprod", a, axis, dtype, out)
    return _cumprod(a, axis)


# -- variants of both ------------------------------------------------------------------------------


def _without_nan(name: str, x: Any, value: float) -> Any:
    x = operand(name, x)
    if x.dtype.kind not in "fc":
        return x
    missing = np.isnan(x)
    return elementwise.where(missing, value, x) if holds(np.any(missing), traced=True) else x


def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Return running sums as `cumsum` does, with nan as 0; the gradient of a nan is 0."""
    a, axis = _along("nancumsum", _without_nan("nancumsum", a, 0.0), axis, dtype, out)
    return _cumsum(a, axis)


def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Return running products as `cumprod` does, with nan as 1; the gradient of a nan is 0."""
    a, axis = _along("nancumprod", _without_nan("nancumprod", a, 1.0), axis, dtype, out)
    return _cumprod(a, axis)


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
    start = np.full_like(result, identity, shape=shape)
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
