"""Norms of vectors and matrices, condition numbers, ranks. Imports `_base`, `_spectral` and NumPy.

All are made of one primitive, `vector_norm`, and of the singular values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.engine.calls import primitive
from autograd.linalg._base import conj
from autograd.linalg._solve import inv
from autograd.linalg._spectral import svdvals
from autograd.ops import shaping
from autograd.ops._shared import safe_divide, with_reduced_axes
from autograd.ops.contractions import as_array
from autograd.ops.plain import plain

__all__ = ["cond", "matrix_norm", "matrix_rank", "norm", "vector_norm"]


def _sign(x: Any) -> Any:
    """Return x / |x|, 0 at 0; as a quotient where x is complex, because its sign has slopes."""
    return safe_divide(x, np.abs(x)) if x.dtype.kind == "c" else np.sign(x)


def _direction_x(g: Any, x: Any, out: Any, axis: Any, ord: Any) -> Any:
    """Return (p - 1) |u|^(p-2) (g - u sum of out g) / length for the unit vectors u, p = ord.

    The part along u is removed twice, which makes no difference but for rounding: where one element
    is much larger than the others, the first time leaves them beside a rounding error of it.
    """
    length = vector_norm(x, axis=axis, keepdims=True, ord=ord)
    unit = safe_divide(x, length)
    for _ in range(2):
        g = g - unit * (out * g).sum(axis=axis, keepdims=True)
    if ord != 2:
        size = np.abs(unit)
        zero = size == 0
        g = g * np.where(zero, 0.0, (ord - 1) * np.where(zero, 1.0, size) ** (ord - 2))
    return safe_divide(g, length)


@primitive(x=_direction_x, nondiff=("length",), name="linalg.direction", makes_zeros=True)
def direction(x: Any, length: Any, axis: Any, ord: Any) -> Any:  # noqa: ARG001 - the rule needs axis
    """Return sign(x) (|x| / length)^(ord-1), the gradient of the length, 0 where that is 0."""
    unit = safe_divide(x, length)
    if ord == 2:
        return unit
    size = np.abs(unit)
    return np.sign(unit) * np.where(size == 0, 0.0, np.where(size == 0, 1.0, size) ** (ord - 1))


def _vector_norm_x(g: Any, x: Any, out: Any, axis: Any, ord: Any) -> Any:
    """Pull back to the vectors: subgradients at the kinks, and 0 at the zero vector."""
    out = with_reduced_axes(out, x.shape, axis)
    g = with_reduced_axes(g, x.shape, axis)
    if ord == 0:
        return g * (x * 0.0)
    if ord == 1:
        return g * conj(_sign(x))
    if math.isinf(ord):
        size = np.abs(x)
        ties = size == out
        shares = ties / np.sum(ties, axis=axis, keepdims=True)
        return g * conj(_sign(x)) * shares.astype(out.dtype)
    if x.dtype.kind != "c":
        return g * direction(x, out, axis, ord)
    if ord == 2:
        return safe_divide(g, out) * conj(x)
    relative = safe_divide(np.abs(x), out)
    zero = relative == 0
    return g * conj(_sign(x)) * np.where(zero, 0.0, np.where(zero, 1.0, relative) ** (ord - 1))


@primitive(x=_vector_norm_x, name="linalg.vector_norm", makes_zeros=True, reduces=True)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Return (sum of |x|^ord)^(1/ord) over `axis`.

    At the zero vector the gradient is 0, and so is that of each zero element where the norm has a
    kink there; the largest element shares its gradient with its equals.

    Args:
        x: an array.
        axis: the axes of the vectors, None for all.
        keepdims: keep those axes, with length 1.
        ord: any number; inf and -inf are the largest and the smallest absolute value, 0 is the
            number of elements that are not 0, which has gradient 0.
    """
    if axis is None and ord == 2:
        return np.linalg.norm(x, None, None, keepdims)  # 0.8 us against 1.9 us on small vectors
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


def _matrix_norm(x: Any, ord: Any, row: int, column: int, keepdims: bool) -> Any:
    row, column = row % x.ndim, column % x.ndim
    if row == column:
        raise ValueError(f"linalg.norm: wanted two different axes, got {row} twice")
    if ord in (None, "fro", "f"):
        return vector_norm(x, axis=(row, column), keepdims=keepdims)
    if ord in (2, -2, "nuc"):
        over = 1 if ord == "nuc" else math.copysign(math.inf, ord)
        values = svdvals(shaping.moveaxis(x, (row, column), (-2, -1)))
        # Singular values are not negative: the nuclear norm is their sum, the others are extremes.
        out = vector_norm(values, axis=-1, ord=over)
    elif ord in (1, -1, math.inf, -math.inf):
        inner, outer = (column, row) if math.isinf(ord) else (row, column)
        sums = vector_norm(x, axis=inner, keepdims=True, ord=1)
        over = math.copysign(math.inf, ord)
        out = vector_norm(sums, axis=(outer, inner), ord=over)
    else:
        raise ValueError(
            f"linalg.norm: wanted a matrix norm None, 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2, got "
            f"{ord!r}"
        )
    return shaping.expand_dims(out, (row, column)) if keepdims else out


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return norms of vectors or matrices.

    Args:
        x: an array; one or two axes unless `axis` or no `ord` is given.
        ord: None is the 2-norm of all elements. Of vectors any number, see `vector_norm`. Of
            matrices "fro", "nuc" (the sum of the singular values), 2 and -2 (the largest and the
            smallest one), 1 and -1 (of the sums of absolute values of columns), inf and -inf (of
            rows).
        axis: an integer for vectors, a pair for matrices, None for all.
        keepdims: keep those axes, with length 1.

    Returns:
        The norms; the gradient at a zero vector or matrix is 0.

    Example:
        >>> import numpy as np, autograd
        >>> autograd.grad(np.linalg.norm)(np.zeros(2))
        array([0., 0.])
    """
    x = as_array("linalg.norm", "x", x)
    if axis is None:
        if ord is None or (ord in ("f", "fro") and x.ndim == 2) or (ord == 2 and x.ndim == 1):
            return vector_norm(x, keepdims=keepdims)
        axis = tuple(range(x.ndim))
    elif not isinstance(axis, tuple):
        try:
            axis = (int(axis),)
        except TypeError as error:
            raise TypeError(
                f"linalg.norm: wanted None, an integer or a pair of integers as axis, got {axis!r}"
            ) from error
    if len(axis) == 1:
        if isinstance(ord, str):
            raise ValueError(f"linalg.norm: wanted a number as norm of vectors, got {ord!r}")
        return vector_norm(x, axis=axis[0], keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axis) == 2:
        return _matrix_norm(x, ord, axis[0], axis[1], keepdims)
    raise ValueError(
        f"linalg.norm: wanted vectors or matrices for ord={ord!r}, got {len(axis)} axes; name one "
        f"or two of them in axis="
    )


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Return norms of matrices (..., m, n) -> (...); see `norm`."""
    return norm(x, ord, (-2, -1), keepdims)


def cond(x: Any, p: Any = None) -> Any:
    """Return condition numbers: (..., m, n) -> (...).

    Args:
        x: matrices, square ones unless p is None, 2 or -2.
        p: the norm of `norm(x, p) * norm(inv(x), p)`; None, 2 and -2 take the singular values.
    """
    x = as_array("linalg.cond", "x", x)
    if x.ndim < 2 or not x.size:
        raise np.linalg.LinAlgError(
            f"linalg.cond: wanted matrices that are not empty, got shape {x.shape}"
        )
    if p in (None, 2, -2):
        s = svdvals(x)
        largest, smallest = s[..., 0], s[..., -1]
        with np.errstate(divide="ignore"):
            return smallest / largest if p == -2 else largest / smallest
    return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)


matrix_rank = plain(np.linalg.matrix_rank, name="linalg.matrix_rank")
