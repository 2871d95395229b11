"""Sorting, partitioning, medians and quantiles: reading elements in an order that the values give.

The order is locally constant, so what is recorded is reading elements, whose gradient goes back to
them. Ties count in the order in which NumPy's argsort (argpartition) puts them. Without a Variable
among the operands NumPy itself answers: np.sort takes a third of the time of argsort and reading
(10^5 float64: 0.33 ms to 1.03 ms). Imports `graph`, `calls`, `plain`, `_shared` and families.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd.arrays import is_foreign
from autograd.engine import graph
from autograd.engine.calls import detached, holds, primitive
from autograd.ops import plain, shaping
from autograd.ops._shared import beside, operand, refuse_out
from autograd.ops.indexing import along, getitem, normal_axis
from autograd.ops.plain import plain as without_rules
from autograd.ops.reductions import mean
from autograd.typed import user_level

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "partition",
    "percentile",
    "quantile",
    "sort",
]

# -- orders ----------------------------------------------------------------------------------------


def _lined_up(name: str, x: Any, axis: Any) -> tuple[Any, int]:
    """Return `x` and the axis to sort, counted from the front; None flattens `x`."""
    if axis is None:
        return shaping.reshape(x, (-1,)), 0
    return x, normal_axis(name, axis, x.ndim)


def _read(x: Any, order: Any, axis: int) -> Any:
    """Read elements by places that NumPy gave: `take_along_axis` without its checks."""
    return getitem(x, along(x.shape, order, axis))


def sort(a: Any, axis: Any = -1, kind: Any = None, *, stable: bool | None = None) -> Any:
    """Return `a` in ascending order along `axis`, nan last.

    Each gradient goes to the element that came to that place; equal elements keep the order of
    `np.argsort` with the same `kind` and `stable`.

    Args:
        a: array of shape (..., n, ...).
        axis: where n is; None sorts `a` flattened.
        kind: NumPy's name of the algorithm.
        stable: keep equal elements in the order in which they are.

    Example:
        >>> import numpy as np, autograd
        >>> autograd.grad(lambda x: autograd.sort(x) @ [1.0, 2.0, 3.0])(np.array([5.0, 4.0, 6.0]))
        array([2., 1., 3.])
    """
    a = operand("sort", a)
    if not isinstance(a, graph.Variable):
        return np.sort(a, axis=axis, kind=kind, stable=stable)
    a, axis = _lined_up("sort", a, axis)
    return _read(a, plain.argsort(a, axis, kind, stable=stable), axis)


_partition = without_rules(np.partition)


def partition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect") -> Any:
    """Return `a` with the elements `kth` of the sorted order in their places along `axis`.

    Smaller elements stand before them and larger ones behind, in the order of `np.argpartition`.

    Args:
        a: array of shape (..., n, ...).
        kth: an integer or several, in [-n, n).
        axis: where n is; None takes `a` flattened.
        kind: NumPy's name of the algorithm.
    """
    a = operand("partition", a)
    if not isinstance(a, graph.Variable):
        return _partition(a, kth, axis, kind)
    a, axis = _lined_up("partition", a, axis)
    return _read(a, plain.argpartition(a, kth, axis, kind), axis)


# -- what medians and quantiles share --------------------------------------------------------------

_MANY = 16  # ranks, from which on a full sort is no slower than a partition


def _gathered(name: str, x: Any, axis: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """Move the axes that are reduced to one at the end.

    Returns:
        `x` as (kept axes..., n), the shape of a result, and its shape with `keepdims`.
    """
    shape = x.shape
    ndim = len(shape)
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    reduced = [normal_axis(name, a, ndim) for a in axes]
    if len(set(reduced)) < len(reduced):
        raise ValueError(f"{name}: wanted each axis once, got axis={axis}")
    reduced.sort()
    rest = [a for a in range(ndim) if a not in reduced]
    if rest + reduced != list(range(ndim)):
        x = shaping.transpose(x, (*rest, *reduced))
    kept = tuple(shape[a] for a in rest)
    if len(reduced) != 1:
        n = int(np.prod([shape[a] for a in reduced], dtype=int))
        x = shaping.reshape(x, (*kept, n))
    return x, kept, tuple(1 if a in reduced else n for a, n in enumerate(shape))


def _sizes(name: str, x: Any, *, ignoring: bool) -> Any:
    """Return how many elements along the last axis count, without nan where `ignoring` it:
    (kept axes..., 1), or (1,), for all, where there is none.
    """
    full = np.array([x.shape[-1]])
    if not ignoring:
        return full
    full = beside(full, x)
    counts = plain.count_nonzero(x == x, axis=-1, keepdims=True)  # noqa: PLR0124 - nan is not
    if holds((counts == full).all(), traced=False):
        return full
    if holds((counts == 0).any(), traced=False):
        warnings.warn(f"{name}: All-NaN slice encountered", RuntimeWarning, user_level())
    return counts


_elements = without_rules(np.take_along_axis, name="take_along_axis")


def _of_ranks(x: Any, *ranks: Any, spoiled: bool) -> list[Any]:
    """Read the elements of given ranks along the last axis.

    Args:
        x: (kept axes..., n).
        *ranks: integers (m,) or (kept axes..., m) in [0, n), counted from the smallest element.
        spoiled: read a nan wherever there is one among the n elements.

    Returns:
        One array (kept axes..., m) for each of `ranks`.
    """
    order = _order(x, *ranks)
    ends = order[..., -1:]  # nan, if there is any
    nan: Any = None
    if spoiled:
        nan = plain.isnan(_elements(x, ends, -1))
        spoiled = holds(nan.any(), traced=True)
    found = []
    for rank in ranks:
        there = np.broadcast_to(rank, (*x.shape[:-1], rank.shape[-1]))
        places = np.take_along_axis(order, there, -1)
        found.append(_read(x, np.where(nan, ends, places) if spoiled else places, x.ndim - 1))
    return found


@without_rules
def _order(x: Any, *ranks: Any) -> Any:
    """Return an order of the last axis that has `ranks` and the largest element in their places."""
    if is_foreign(x):  # which may not know the ranks, or not divide by several of them
        return np.argsort(x, axis=-1)
    kth = np.unique(np.concatenate([np.ravel(r) for r in ranks] + [[x.shape[-1] - 1]]))
    return np.argsort(x) if kth.size > _MANY else np.argpartition(x, kth)


# -- medians ---------------------------------------------------------------------------------------


def median(
    a: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,  # noqa: ARG001 - NumPy's permission, not needed here
    keepdims: bool = False,
) -> Any:
    """Return the middle element over `axis`, nan where there is a nan.

    Of an even number of elements it is the average of the two in the middle, and each of them gets
    half of the gradient. `overwrite_input` changes nothing: operands are never overwritten.
    """
    return _median("median", a, axis, out, keepdims)


def nanmedian(
    a: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,  # noqa: ARG001 - NumPy's permission, not needed here
    keepdims: bool = False,
) -> Any:
    """Return the median of the elements that are not nan; the others have gradient 0."""
    return _median("nanmedian", a, axis, out, keepdims)


def _median(name: str, x: Any, axis: Any, out: Any, keepdims: bool) -> Any:
    refuse_out(name, out)
    x = operand(name, x)
    if not isinstance(x, graph.Variable):
        return getattr(np, name)(x, axis=axis, keepdims=keepdims)
    x, kept, full = _gathered(name, x, axis)
    if x.shape[-1] == 0:
        return shaping.reshape(mean(x, -1), full if keepdims else kept)
    ignoring = name == "nanmedian"
    n = _sizes(name, x, ignoring=ignoring)
    low, high = np.maximum(n - 1, 0) // 2, np.minimum(n // 2, x.shape[-1] - 1)
    ranks = low if holds((low == high).all(), traced=False) else np.concatenate([low, high], -1)
    (middle,) = _of_ranks(x, ranks, spoiled=not ignoring)
    return shaping.reshape(mean(middle, -1), full if keepdims else kept)


# -- quantiles -------------------------------------------------------------------------------------


def _between(a: Any, b: Any, t: Any) -> Any:
    """Interpolate from the nearer end, as NumPy's quantiles do, so that t = 1 gives b exactly."""
    d = b - a
    return np.where(t < 0.5, a + d * t, b - d * (1 - t))


lerp = primitive(
    name="lerp",
    elementwise=True,
    makes_zeros=True,
    a=lambda g, t: g * (1 - t),
    b=lambda g, t: g * t,
    t=lambda g, a, b: g * (b - a),
)(_between)

# The position of quantile q among n sorted elements moves by n + this for each unit of q
# (Hyndman & Fan 1996, table 1: n + 1 - alpha - beta); other methods make it jump.
_SPEED = {
    "linear": -1.0,
    "interpolated_inverted_cdf": 0.0,
    "hazen": 0.0,
    "weibull": 1.0,
    "median_unbiased": 1 / 3,
    "normal_unbiased": 1 / 4,
}


@without_rules
def _positions(q: Any, counts: Any, method: str) -> Any:
    """Return the places of quantiles in sorted samples of sizes `counts`: (..., 1) gives (..., m).

    They are NumPy's own, whatever the method: the quantiles of 0, 1, ..., n - 1. Fractions mean
    that the two neighbours are interpolated.
    """
    sizes, which = np.unique(counts, return_inverse=True)
    places = np.stack([np.quantile(np.arange(max(n, 1)), q, method=method) for n in sizes.tolist()])  # type: ignore[call-overload]
    return places[which.reshape(counts.shape[:-1])]


def _quantile(
    name: str,
    x: Any,
    q: Any,
    axis: Any,
    out: Any,
    method: str,
    keepdims: bool,
    weights: Any,
) -> Any:
    refuse_out(name, out)
    x = operand(name, x)
    given = operand(name, q)
    if not any(isinstance(v, graph.Variable) for v in (x, given, weights)):
        return getattr(np, name)(x, q, axis=axis, method=method, keepdims=keepdims, weights=weights)
    if weights is not None:
        raise TypeError(
            f"{name}: wanted a call without weights=, got some, which have no recorded "
            f"counterpart; detach the operands to compute without a gradient"
        )
    if x.dtype.kind == "c":
        raise TypeError(f"{name}: wanted real numbers, got dtype {x.dtype}; give x.real")
    weak = type(q) in (int, float)  # as in NumPy, a Python number leaves the dtype to x
    top = 100 if name.endswith("percentile") else 1
    if not holds(((given >= 0) & (given <= top)).all(), traced=True):
        raise ValueError(f"{name}: wanted q in [0, {top}], got {given.tolist()}")
    if top == 100:
        given = np.true_divide(given, 100)
    x, kept, full = _gathered(name, x, axis)
    ignoring = name.startswith("nan")
    if x.shape[-1] == 0:
        raise ValueError(
            f"{name}: wanted at least one element along axis={axis}, got an axis of length 0"
        )
    n = _sizes(name, x, ignoring=ignoring)
    fractions = detached(given).reshape(-1)
    at = _positions(q if weak and top == 1 else fractions, n, method)
    at = at.reshape((*n.shape[:-1], given.size))
    low = np.floor(at).astype(np.intp)
    if at.dtype.kind == "i":  # a method that never interpolates
        (result,) = _of_ranks(x, low, spoiled=not ignoring)
    else:
        high = np.minimum(low + 1, np.maximum(n - 1, 0))
        a, b = _of_ranks(x, low, high, spoiled=not ignoring)
        t = (at - low).astype(given.dtype if given.dtype.kind == "f" else np.float64)
        if weak:
            t = t.astype(a.dtype) if a.dtype.kind == "f" else t
            t = t.reshape(()) if t.size == 1 else t
        elif isinstance(given, graph.Variable) and method in _SPEED:
            inside = (at > 0) & (at < n - 1)
            speed = np.where(inside, n + _SPEED[method], 0.0).astype(t.dtype)
            t = t + (shaping.reshape(given, (-1,)) - fractions) * speed
        result = lerp(a, b, beside(t, x))
    if given.ndim:
        result = shaping.moveaxis(result, -1, 0)
    return shaping.reshape(result, (*given.shape, *(full if keepdims else kept)))


def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,  # noqa: ARG001 - NumPy's permission, not needed here
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """Return the values below which the fractions `q` of the elements over `axis` lie.

    The gradient goes to the one or two elements that the result is made of, in the proportion of
    their weights; nan where there is a nan.

    Args:
        a: real array.
        q: fractions in [0, 1], of any shape S; the result begins with S. A Variable has a gradient,
            too: from the right where it hits an element, 0 at the smallest and the largest element
            and by methods that do not interpolate.
        axis: the axes to reduce.
        out: not supported.
        overwrite_input: changes nothing, operands are never overwritten.
        method: any of NumPy's.
        keepdims: keep the reduced axes, with length 1.
        weights: of arrays only, not of Variables.

    References:
        Hyndman & Fan (1996), Sample Quantiles in Statistical Packages.
    """
    return _quantile("quantile", a, q, axis, out, method, keepdims, weights)


def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,  # noqa: ARG001 - NumPy's permission, not needed here
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """Return quantiles by percentages `q` in [0, 100]; see `quantile`."""
    return _quantile("percentile", a, q, axis, out, method, keepdims, weights)


def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,  # noqa: ARG001 - NumPy's permission, not needed here
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """Return quantiles of the elements that are not nan; the others have gradient 0."""
    return _quantile("nanquantile", a, q, axis, out, method, keepdims, weights)


def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,  # noqa: ARG001 - NumPy's permission, not needed here
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """Return percentiles of the elements that are not nan; the others have gradient 0."""
    return _quantile("nanpercentile", a, q, axis, out, method, keepdims, weights)
