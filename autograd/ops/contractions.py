"""Products that sum: matmul and what is made of it. Imports `_primitive`, `_graph` and NumPy.

The primitives are `matmul`, `tensordot` and `cross`; the others are arrangements of those, of
`multiply` and of `einsum`. Rules are transposes, without conjugation: only the functions that NumPy
itself defines with a conjugate (vdot, vecdot, vecmat) conjugate their first operand, as recorded
operations of their own.

Shapes are written with `...` for the axes of a batch, which broadcast.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd._graph import unbroadcast
from autograd._primitive import as_operand, binary, primitive
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
        if ny == 2 and nx > 2 and x.size and x.flags.c_contiguous:
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


matmul = binary(_product, name="matmul", elementwise=False, x=_matmul_x, y=_matmul_y)
matmul.primitive.jvp = lambda tangents, _out, x, y: _bilinear(matmul, tangents, x, y)


def _bilinear(product: Any, tangents: Any, x: Any, y: Any, **options: Any) -> Any:
    """Return the tangent of a product that is linear in each of its two operands."""
    dx, dy = tangents[:2]  # the others are no operands
    if dy is None:
        return product(dx, y, **options)
    second = product(x, dy, **options)
    return second if dx is None else product(dx, y, **options) + second


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


def _tensordot_x(g: Any, y: Any, axes: Any, x_ndim: int, y_ndim: int) -> Any:
    """Contract `g` with the free axes of `y`; the axes of the result go back to their places."""
    of_x, of_y = _axis_lists(axes, x_ndim, y_ndim)
    free_x = [a for a in range(x_ndim) if a not in of_x]
    free_y = [a for a in range(y_ndim) if a not in of_y]
    gx = tensordot(g, y, axes=(list(range(len(free_x), g.ndim)), free_y))
    # The axes of `gx`: the free ones of x, then the summed ones in the order in which y has them.
    order = free_x + [of_x[of_y.index(a)] for a in sorted(of_y)]
    return _in_place(gx, order)


def _tensordot_y(g: Any, x: Any, axes: Any, x_ndim: int, y_ndim: int) -> Any:
    of_x, of_y = _axis_lists(axes, x_ndim, y_ndim)
    free_x = [a for a in range(x_ndim) if a not in of_x]
    free_y = [a for a in range(y_ndim) if a not in of_y]
    gy = tensordot(x, g, axes=(free_x, list(range(len(free_x)))))
    return _in_place(gy, [of_y[of_x.index(a)] for a in sorted(of_x)] + free_y)


def _in_place(x: Any, order: list[int]) -> Any:
    """Move axis i of `x` to position `order[i]`."""
    if order == sorted(order):
        return x
    return transpose(x, tuple(sorted(range(len(order)), key=order.__getitem__)))


@primitive(x=_tensordot_x, y=_tensordot_y)
def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """Sum products over pairs of axes.

    Args:
        x: an array.
        y: an array.
        axes: a number n (the last n axes of `x` with the first n of `y`), or a pair of axes or of
            lists of axes.

    Returns:
        An array with the remaining axes of `x`, then those of `y`.
    """
    return np.tensordot(x, y, axes)


tensordot.primitive.jvp = lambda tangents, _out, x, y, axes: _bilinear(
    tensordot, tangents, x, y, axes=axes
)


def dot(x: Any, y: Any) -> Any:
    """Sum products over the last axis of `x` and the last but one of `y`.

    Of a vector it is the only one; scalars multiply. Records `matmul` for vectors and matrices,
    `tensordot` for more axes.
    """
    x = as_array("dot", "x", x)
    y = as_array("dot", "y", y)
    if not x.ndim or not y.ndim:
        return multiply(x, y)
    if y.ndim == 1 or (y.ndim == 2 and x.ndim < 3):
        return matmul(x, y)
    return tensordot(x, y, axes=((x.ndim - 1,), (y.ndim - 2,)))


def inner(x: Any, y: Any) -> Any:
    """Sum products over the last axes: x (..., n), y (*, n) -> (..., *). Scalars multiply."""
    x = as_array("inner", "x", x)
    y = as_array("inner", "y", y)
    if not x.ndim or not y.ndim:
        return multiply(x, y)
    if y.ndim == 1:
        return matmul(x, y)
    return tensordot(x, y, axes=((x.ndim - 1,), (y.ndim - 1,)))


def vdot(x: Any, y: Any) -> Any:
    """Sum conj(x) * y over all elements; both are flattened."""
    x = as_array("vdot", "x", x)
    y = as_array("vdot", "y", y)
    return matmul(_conjugated(reshape(x, (-1,))), reshape(y, (-1,)))


def outer(x: Any, y: Any) -> Any:
    """Multiply each element of `x` by each of `y`: (x.size, y.size); both are flattened."""
    x = as_array("outer", "x", x)
    y = as_array("outer", "y", y)
    return multiply(reshape(x, (-1, 1)), reshape(y, (1, -1)))


def _conjugated(x: Any) -> Any:
    return conjugate(x) if x.dtype.kind == "c" else x


# -- vectors and matrices along the last axes ------------------------------------------------------


def vecdot(x: Any, y: Any, /, *, axis: int = -1) -> Any:
    """Sum conj(x) * y over `axis`, the rest broadcasting: (..., n), (..., n) -> (...)."""
    x = _with_axes("vecdot", "x", x, 1)
    y = _with_axes("vecdot", "y", y, 1)
    n, m = x.shape[axis], y.shape[axis]
    if n != m:
        raise ValueError(
            f"vecdot: wanted equal lengths along axis {axis}, got shapes {x.shape} and {y.shape}"
        )
    if axis not in (-1, x.ndim - 1) or axis not in (-1, y.ndim - 1):
        x, y = _last(x, axis), _last(y, axis)
    return matmul(_conjugated(x)[..., None, :], y[..., None])[..., 0, 0]


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


def kron(x: Any, y: Any) -> Any:
    """Multiply all of `y` by each element of `x`, in blocks: (a, b), (c, d) -> (a c, b d)."""
    x = as_array("kron", "x", x)
    y = as_array("kron", "y", y)
    ndim = max(x.ndim, y.ndim)
    sizes_x = (1,) * (ndim - x.ndim) + x.shape
    sizes_y = (1,) * (ndim - y.ndim) + y.shape
    spread_x = tuple(s for size in sizes_x for s in (size, 1))
    spread_y = tuple(s for size in sizes_y for s in (1, size))
    blocks = multiply(reshape(x, spread_x), reshape(y, spread_y))
    return reshape(blocks, tuple(a * b for a, b in zip(sizes_x, sizes_y, strict=True)))


# -- the cross product -----------------------------------------------------------------------------


def _cross_x(g: Any, y: Any, x_shape: tuple[int, ...]) -> Any:
    return unbroadcast(_cross(y, g), x_shape)


def _cross_y(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    return unbroadcast(_cross(g, x), y_shape)


@primitive(x=_cross_x, y=_cross_y, name="cross")
def _cross(x: Any, y: Any) -> Any:
    """Take the cross product of vectors along the last axis: (..., 3), (..., 3) -> (..., 3)."""
    return np.cross(x, y)


_cross.primitive.jvp = lambda tangents, _out, x, y: _bilinear(_cross, tangents, x, y)


def cross(
    x: Any, y: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Take the cross product of vectors of length 3.

    Args:
        x: vectors along `axisa`.
        y: vectors along `axisb`; the other axes broadcast.
        axisa: the axis of the vectors in `x`.
        axisb: the axis of the vectors in `y`.
        axisc: the axis of the vectors in the result.
        axis: all three at once.

    Raises:
        ValueError: the vectors have another length; NumPy itself deprecates those of length 2.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x = _last(_with_axes("cross", "x", x, 1), axisa)
    y = _last(_with_axes("cross", "y", y, 1), axisb)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ValueError(
            f"cross: wanted vectors of length 3, got lengths {x.shape[-1]} and {y.shape[-1]}; add "
            f"a zero as third component to vectors in the plane"
        )
    out = _cross(x, y)
    place = axisc % out.ndim
    if place == out.ndim - 1:
        return out
    order = list(range(out.ndim - 1))
    order.insert(place, out.ndim - 1)
    return transpose(out, tuple(order))
