"""Products that sum: matmul and what is made of it. Imports `calls`, `graph` and NumPy.

The primitives are `matmul`, `tensordot` and `cross`; the others are arrangements of those, of
`multiply` and of `einsum`. Rules are transposes, without conjugation: only the functions that NumPy
itself defines with a conjugate (vdot, vecdot, vecmat) conjugate their first operand, as recorded
operations of their own.

Shapes are written with `...` for the axes of a batch, which broadcast.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.engine.backward import unbroadcast
from autograd.engine.calls import as_operand, binary, primitive
from autograd.ops.elementwise import conjugate, multiply
from autograd.ops.shaping import reshape, transpose

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "vdot",
    "vecdot",
    "vecmat",
]


def as_array(name: str, operand: str, value: Any) -> Any:
    """Return an operand as something with a shape: an array, a NumPy scalar or a Variable."""
    value = as_operand(name, operand, value)
    return value if hasattr(value, "ndim") else np.asarray(value)


# -- matmul ----------------------------------------------------------------------------------------


def _product(x: Any, y: Any) -> Any:
    """Multiply matrices as `x @ y` does, by the fastest way NumPy has to that result.

    For matrices and vectors `x.dot(y)` is the same product without the ufunc machinery: 0.3 us
    against 0.7 us on small ones. A stack times one matrix is a single large product instead of one
    per matrix of the stack (32 products of (10, 64) and (64, 64): 22 us against 35 us); a column
    times a row is no sum at all (1000 x 1000: 0.4 ms against 0.9 ms).
    """
    try:
        nx, ny = x.ndim, y.ndim
        if 0 < nx < 3 and 0 < ny < 3:
            if nx == ny == 2 and len(y) == 1 == x.shape[1]:
                return x * y
            return x.dot(y)
        if ny == 2 and nx > 2 and x.__class__ is np.ndarray and x.size and x.flags.c_contiguous:
            return x.reshape(-1, x.shape[-1]).dot(y).reshape(*x.shape[:-1], y.shape[1])
        return x @ y
    except (AttributeError, ValueError) as error:
        raise ValueError(
            f"matmul: wanted shapes (..., m, k) and (..., k, n), or vectors (k,), got "
            f"{np.shape(x)} and {np.shape(y)}; transpose an operand, or use * for scalars"
        ) from error


def _times(x: Any, y: Any) -> Any:
    """Multiply within rules: arrays without the checks that the public function makes."""
    return _product(x, y) if x.__class__ is y.__class__ is np.ndarray else matmul(x, y)


def _matmul_x(g: Any, y: Any, x_shape: tuple[int, ...]) -> Any:
    """Pull back to the left operand: g @ y^T, with NumPy's treatment of vectors and batches."""
    if y.ndim == 2:
        return _times(g, y.T)
    if y.ndim == 1:
        gx = g[..., None] * y
    elif len(x_shape) == 1:
        gx = (y @ g[..., None])[..., 0]
    else:
        gx = g @ y.swapaxes(-1, -2)
    return gx if gx.shape == x_shape else unbroadcast(gx, x_shape)


def _matmul_y(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    """Pull back to the right operand: x^T @ g, summed over the batch where `y` has none."""
    if len(y_shape) <= 2 and x.ndim > 1:
        if x.ndim > 2:  # one product over all rows of the batch, not one matrix per entry
            rows = 1
            for size in x.shape[:-1]:
                rows *= size
            x = x.reshape(rows, x.shape[-1])
            g = g.reshape(rows, *y_shape[1:])
        return _times(x.T, g)
    if x.ndim == 1:
        if len(y_shape) == 1:
            return x * g
        gy = x[:, None] * g[..., None, :]
    else:
        gy = x.swapaxes(-1, -2) @ g
    return gy if gy.shape == y_shape else unbroadcast(gy, y_shape)


def bilinear(product: Any, tangents: Any, x: Any, y: Any, **options: Any) -> Any:
    """Return the tangent of a product that is linear in each of its two operands."""
    dx, dy = tangents[:2]  # the others are no operands
    if dy is None:
        return product(dx, y, **options)
    second = product(x, dy, **options)
    return second if dx is None else product(dx, y, **options) + second


matmul = binary(
    _product,
    name="matmul",
    elementwise=False,
    x=_matmul_x,
    y=_matmul_y,
    jvp=lambda tangents, _out, x, y: bilinear(matmul, tangents, x, y),
)


# -- sums over named axes --------------------------------------------------------------------------


def _axis_lists(axes: Any, nx: int, ny: int) -> tuple[list[int], list[int]]:
    """Return the summed axes of both operands of `tensordot`, none of them negative."""
    try:
        of_x, of_y = axes
    except TypeError:
        count = int(axes)
        of_x, of_y = range(nx - count, nx), range(count)
    pair = []
    for given, ndim in ((of_x, nx), (of_y, ny)):
        listed = [given] if isinstance(given, (int, np.integer)) else list(given)
        pair.append([int(a) % ndim for a in listed])
    return pair[0], pair[1]


def _tensordot_a(g: Any, b: Any, axes: Any, a_ndim: int, b_ndim: int) -> Any:
    """Contract `g` with the free axes of `b`; the axes of the result go back to their places."""
    of_a, of_b = _axis_lists(axes, a_ndim, b_ndim)
    free_a = [i for i in range(a_ndim) if i not in of_a]
    free_b = [i for i in range(b_ndim) if i not in of_b]
    ga = tensordot(g, b, axes=(list(range(len(free_a), g.ndim)), free_b))
    # The axes of `ga`: the free ones of a, then the summed ones in the order in which b has them.
    order = free_a + [of_a[of_b.index(i)] for i in sorted(of_b)]
    return _in_place(ga, order)


def _tensordot_b(g: Any, a: Any, axes: Any, a_ndim: int, b_ndim: int) -> Any:
    of_a, of_b = _axis_lists(axes, a_ndim, b_ndim)
    free_a = [i for i in range(a_ndim) if i not in of_a]
    free_b = [i for i in range(b_ndim) if i not in of_b]
    gb = tensordot(a, g, axes=(free_a, list(range(len(free_a)))))
    return _in_place(gb, [of_b[of_a.index(i)] for i in sorted(of_a)] + free_b)


def _in_place(x: Any, order: list[int]) -> Any:
    """Move axis i of `x` to position `order[i]`."""
    if order == sorted(order):
        return x
    return transpose(x, tuple(sorted(range(len(order)), key=order.__getitem__)))


@primitive(
    a=_tensordot_a,
    b=_tensordot_b,
    jvp=lambda tangents, _out, a, b, axes: bilinear(tensordot, tangents, a, b, axes=axes),
)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum products over pairs of axes.

    Args:
        a: an array.
        b: an array.
        axes: a number n (the last n axes of `a` with the first n of `b`), or a pair of axes or of
            lists of axes.

    Returns:
        An array with the remaining axes of `a`, then those of `b`.
    """
    return np.tensordot(a, b, axes)


def dot(a: Any, b: Any) -> Any:
    """Sum products over the last axis of `a` and the last but one of `b`.

    Of a vector it is the only one; scalars multiply. Records `matmul` for vectors and matrices,
    `tensordot` for more axes.
    """
    a = as_array("dot", "a", a)
    b = as_array("dot", "b", b)
    if not a.ndim or not b.ndim:
        return multiply(a, b)
    if b.ndim == 1 or (b.ndim == 2 and a.ndim < 3):
        return matmul(a, b)
    return tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 2,)))


def inner(a: Any, b: Any) -> Any:
    """Sum products over the last axes: a (..., n), b (*, n) -> (..., *). Scalars multiply."""
    a = as_array("inner", "a", a)
    b = as_array("inner", "b", b)
    if not a.ndim or not b.ndim:
        return multiply(a, b)
    if b.ndim == 1:
        return matmul(a, b)
    return tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 1,)))


def vdot(a: Any, b: Any) -> Any:
    """Sum conj(a) * b over all elements; both are flattened."""
    a = as_array("vdot", "a", a)
    b = as_array("vdot", "b", b)
    return matmul(_conjugated(reshape(a, (-1,))), reshape(b, (-1,)))


def outer(a: Any, b: Any) -> Any:
    """Multiply each element of `a` by each of `b`: (a.size, b.size); both are flattened."""
    a = as_array("outer", "a", a)
    b = as_array("outer", "b", b)
    return multiply(reshape(a, (-1, 1)), reshape(b, (1, -1)))


def _conjugated(x: Any) -> Any:
    return conjugate(x) if x.dtype.kind == "c" else x


# -- vectors and matrices along the last axes ------------------------------------------------------


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Sum conj(x1) * x2 over `axis`, the rest broadcasting: (..., n), (..., n) -> (...)."""
    x1 = _with_axes("vecdot", "x1", x1, 1)
    x2 = _with_axes("vecdot", "x2", x2, 1)
    n, m = x1.shape[axis], x2.shape[axis]
    if n != m:
        raise ValueError(
            f"vecdot: wanted equal lengths along axis {axis}, got shapes {x1.shape} and {x2.shape}"
        )
    if axis not in (-1, x1.ndim - 1) or axis not in (-1, x2.ndim - 1):
        x1, x2 = _last(x1, axis), _last(x2, axis)
    return matmul(_conjugated(x1)[..., None, :], x2[..., None])[..., 0, 0]


def matvec(x: Any, y: Any, /) -> Any:
    """Multiply matrices by vectors: (..., m, n), (..., n) -> (..., m)."""
    x = _with_axes("matvec", "x", x, 2)
    y = _with_axes("matvec", "y", y, 1)
    return matmul(x, y) if y.ndim == 1 else matmul(x, y[..., None])[..., 0]


def vecmat(x: Any, y: Any, /) -> Any:
    """Multiply conjugated vectors by matrices: (..., n), (..., n, m) -> (..., m)."""
    x = _conjugated(_with_axes("vecmat", "x", x, 1))
    y = _with_axes("vecmat", "y", y, 2)
    return matmul(x, y) if x.ndim == 1 else matmul(x[..., None, :], y)[..., 0, :]


def _with_axes(name: str, operand: str, value: Any, least: int) -> Any:
    value = as_array(name, operand, value)
    if value.ndim < least:
        raise ValueError(
            f"{name}: wanted at least {least} axes for operand {operand!r}, got shape {value.shape}"
        )
    return value


def _last(x: Any, axis: int) -> Any:
    """Move one axis to the end."""
    axis = axis % x.ndim
    return transpose(x, (*(a for a in range(x.ndim) if a != axis), axis))


def kron(a: Any, b: Any) -> Any:
    """Multiply all of `b` by each element of `a`, in blocks: (m, n), (p, q) -> (m p, n q)."""
    a = as_array("kron", "a", a)
    b = as_array("kron", "b", b)
    ndim = max(a.ndim, b.ndim)
    sizes_x = (1,) * (ndim - a.ndim) + a.shape
    sizes_y = (1,) * (ndim - b.ndim) + b.shape
    spread_x = tuple(s for size in sizes_x for s in (size, 1))
    spread_y = tuple(s for size in sizes_y for s in (1, size))
    blocks = multiply(reshape(a, spread_x), reshape(b, spread_y))
    return reshape(blocks, tuple(m * n for m, n in zip(sizes_x, sizes_y, strict=True)))


# -- chains of matrices ----------------------------------------------------------------------------


def multiply_chain(factors: list[Any]) -> Any:
    """Multiply (stacks of) matrices in the order that takes the fewest products.

    The order is chosen by the last two axes alone; the first and the last may be vectors.
    """
    if len(factors) == 2:
        return matmul(*factors)
    last = factors[-1]
    rows = [1 if x.ndim == 1 else x.shape[-2] for x in factors[:-1]]
    best = _splits([*rows, *(last.shape[-2:] if last.ndim > 1 else (last.shape[0], 1))])

    def product(i: int, j: int) -> Any:
        if i == j:
            return factors[i]
        k = best[i, j]
        return matmul(product(i, k), product(k + 1, j))

    return product(0, len(factors) - 1)


def _splits(lengths: list[int]) -> dict[tuple[int, int], int]:
    """Return where to split each part of a chain of matrices (lengths[i], lengths[i + 1])."""
    count = len(lengths) - 1
    cost = {(i, i): 0 for i in range(count)}
    best = {}
    for width in range(1, count):
        for i in range(count - width):
            j = i + width
            options = [
                (cost[i, k] + cost[k + 1, j] + lengths[i] * lengths[k + 1] * lengths[j + 1], k)
                for k in range(i, j)
            ]
            cost[i, j], best[i, j] = min(options)
    return best


# -- the cross product -----------------------------------------------------------------------------


def _cross_x(g: Any, y: Any, x_shape: tuple[int, ...]) -> Any:
    return unbroadcast(_cross(y, g), x_shape)


def _cross_y(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    return unbroadcast(_cross(g, x), y_shape)


@primitive(
    x=_cross_x,
    y=_cross_y,
    name="cross",
    jvp=lambda tangents, _out, x, y: bilinear(_cross, tangents, x, y),
)
def _cross(x: Any, y: Any) -> Any:
    """Take the cross product of vectors along the last axis: (..., 3), (..., 3) -> (..., 3).

    Written out, because np.cross takes three times as long (11 us against 4 us on (100, 3)).
    """
    x0, x1, x2 = x[..., 0], x[..., 1], x[..., 2]
    y0, y1, y2 = y[..., 0], y[..., 1], y[..., 2]
    first = x1 * y2 - x2 * y1
    out = np.empty_like(first, shape=(*first.shape, 3))
    out[..., 0] = first
    out[..., 1] = x2 * y0 - x0 * y2
    out[..., 2] = x0 * y1 - x1 * y0
    return out


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Take the cross product of vectors of length 3.

    Args:
        a: vectors along `axisa`.
        b: vectors along `axisb`; the other axes broadcast.
        axisa: the axis of the vectors in `a`.
        axisb: the axis of the vectors in `b`.
        axisc: the axis of the vectors in the result.
        axis: all three at once.

    Raises:
        ValueError: the vectors have another length; NumPy itself deprecates those of length 2.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a = _last(_with_axes("cross", "a", a, 1), axisa)
    b = _last(_with_axes("cross", "b", b, 1), axisb)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(
            f"cross: wanted vectors of length 3, got lengths {a.shape[-1]} and {b.shape[-1]}; add "
            f"a zero as third component to vectors in the plane"
        )
    out = _cross(a, b)
    place = axisc % out.ndim
    if place == out.ndim - 1:
        return out
    order = list(range(out.ndim - 1))
    order.insert(place, out.ndim - 1)
    return transpose(out, tuple(order))
