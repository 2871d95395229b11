"""Determinants, inverses and linear equations. Imports `_base`, `ops` and NumPy.

References:
    Giles, "An extended collection of matrix derivative results for forward and reverse mode
    algorithmic differentiation" (2008), sections 2.2: inverse, determinant, linear equations.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.engine.backward import unbroadcast
from autograd.engine.calls import detached, holds, primitive
from autograd.linalg._base import SlogdetResult, identity, mH, mT, real_dtype, square_matrices
from autograd.ops import elementwise, shaping
from autograd.ops.contractions import as_array, matmul
from autograd.ops.indexing import scatter
from autograd.ops.plain import plain

__all__ = [
    "det",
    "inv",
    "matrix_power",
    "slogdet",
    "solve",
    "solve_triangular",
    "tensorinv",
    "tensorsolve",
]

# -- inverses --------------------------------------------------------------------------------------


@primitive(
    a=lambda g, out: -(mT(out) @ g @ mT(out)),
    jvp=lambda tangents, out, _a: -(out @ tangents[0] @ out),
    name="linalg.inv",
)
def inv(a: Any) -> Any:
    """Invert matrices: (..., n, n) -> (..., n, n).

    Raises:
        LinAlgError: a matrix is singular, or not square.
    """
    return np.linalg.inv(a)


# -- determinants ----------------------------------------------------------------------------------


def _regular_inverse(a: Any, det: Any) -> Any:
    """Return A^-1 if det(A) A^-1 is accurate to half of the digits for all matrices, else None."""
    if not np.all(det) or not np.all(np.isfinite(det)):
        return None
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return None
    return inverse if _are_inverses(inverse, a).all() else None


def _are_inverses(inverse: Any, a: Any) -> Any:
    """Tell which inverses have half of their digits."""
    size = np.abs(a).sum(-1).max(-1, initial=0.0) * np.abs(inverse).sum(-1).max(-1, initial=0.0)
    return size < np.finfo(real_dtype(a)).eps ** -0.5


@plain
def _are_regular(a: Any, det: Any) -> bool:
    """Tell whether det(A) A^-1 is accurate for all matrices."""
    return _regular_inverse(a, det) is not None


def _cofactors_a(g: Any, a: Any, det: Any, out: Any) -> Any:
    """Pull back from C = det(A) A^-T: (<G, C> - C G^T) A^-T; from the minors at singular matrices,
    each of which has its own cofactors (n^2 matrices of n - 1 rows, so this is for small n).
    """
    if holds(_are_regular(a, det), traced=False):
        inner = (g * out).sum(axis=(-2, -1), keepdims=True)
        return (inner * identity(a.shape[-1], a) - out @ mT(g)) @ mT(inv(a))
    n = a.shape[-1]
    others = [[j for j in range(n) if j != i] for i in range(n)]
    rest = np.array(others, dtype=int).reshape(n, max(n - 1, 0))
    index = (..., rest[:, None, :, None], rest[None, :, None, :])
    parity = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    minors = a[index]
    cofactors = _cofactors(minors, np.linalg.det(detached(minors)))
    terms = (g * parity.astype(real_dtype(a)))[..., None, None]
    return scatter(terms * cofactors, index, a.shape)


@primitive(a=_cofactors_a, nondiff=("det",), name="linalg.cofactors")
def _cofactors(a: Any, det: Any) -> Any:
    """Return the matrices of cofactors, det(A) A^-T, right at any rank.

    Where A is singular or nearly so, they come from a singular value decomposition:
    det(U) det(Vh) conj(U) diag(product of the other singular values) conj(Vh).

    Args:
        a: (..., n, n).
        det: their determinants, which the caller has already.
    """
    inverse = _regular_inverse(a, det)
    if inverse is not None:
        return det[..., None, None] * mT(inverse)
    if a.ndim == 2:
        return _singular_cofactors(a)
    out, regular = np.zeros_like(a), (det != 0) & np.isfinite(det)
    inverse = np.linalg.inv(np.where(regular[..., None, None], a, identity(a.shape[-1], a)))
    regular &= _are_inverses(inverse, a)
    out[regular] = det[regular, None, None] * mT(inverse[regular])
    out[~regular] = _singular_cofactors(a[~regular])
    return out


def _singular_cofactors(a: Any) -> Any:
    """Return the matrices of cofactors from a singular value decomposition."""
    u, s, vh = np.linalg.svd(a)
    ones = np.ones_like(s[..., :1])
    left = np.cumprod(np.concatenate((ones, s[..., :-1]), axis=-1), axis=-1)
    right = np.cumprod(np.concatenate((ones, s[..., :0:-1]), axis=-1), axis=-1)[..., ::-1]
    phase = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    return phase * ((u.conj() * (left * right)[..., None, :]) @ vh.conj())


@primitive(
    a=lambda g, a, out: g[..., None, None] * _cofactors(a, out),
    jvp=lambda tangents, out, a: (_cofactors(a, out) * tangents[0]).sum(axis=(-2, -1)),
    name="linalg.det",
)
def det(a: Any) -> Any:
    """Return determinants: (..., n, n) -> (...).

    The gradient is the matrix of cofactors, so it is right at singular matrices, too.
    """
    return np.linalg.det(a)


def _slogdet_a(g: Any, a: Any, out: Any) -> Any:
    """Pull back both parts; with t = tr(A^-1 dA) they are Re(t) and i Im(t) times the sign."""
    g_sign, g_log = g
    slope = g_log
    if g_sign is not None and out[0].dtype.kind == "c":
        turned = (g_sign * out[0]).imag * 1j
        slope = turned if slope is None else slope + turned
    if slope is None:
        return None
    unused = (out[0] == 0) & (slope == 0)  # singular matrices are an error where they are used
    if holds(unused.any(), traced=True):
        a = elementwise.where(unused[..., None, None], identity(a.shape[-1], a), a)
    return slope[..., None, None] * mT(inv(a))


@primitive(a=_slogdet_a, name="linalg.slogdet")
def _slogdet(a: Any) -> Any:
    return tuple(np.linalg.slogdet(a))


def slogdet(a: Any) -> SlogdetResult:
    """Return sign and logarithm of the absolute value of determinants: (..., n, n) -> (...), (...).

    The sign of a real determinant has gradient 0; that of a complex one is its phase.
    """
    return SlogdetResult(*_slogdet(a))


# -- linear equations ------------------------------------------------------------------------------


def _solve_rule(g: Any, a: Any, out: Any, a_shape: Any, b_shape: Any, wanted: Any) -> Any:
    """Pull back to both operands; the second solution of a system is shared."""
    vector = len(b_shape) == 1
    if vector:
        g, out = g[..., None], out[..., None]
    gb = solve(mT(a), g)
    ga = unbroadcast(-(gb @ mT(out)), a_shape) if wanted[0] else None
    if not wanted[1]:
        return ga, None
    return ga, unbroadcast(gb[..., 0] if vector else gb, b_shape)


def _solve_push(tangents: Any, out: Any, a: Any, b: Any) -> Any:
    """Return A^-1 (db - dA x)."""
    ta, tb = tangents
    if ta is not None:
        moved = (ta @ out[..., None])[..., 0] if b.ndim == 1 else ta @ out
        tb = -moved if tb is None else tb - moved
    if b.ndim == 1 < out.ndim:  # one right-hand side for a stack of matrices
        return solve(a, shaping.broadcast_to(tb, out.shape)[..., None])[..., 0]
    return solve(a, tb)


@primitive(joint=_solve_rule, jvp=_solve_push, name="linalg.solve")
def solve(a: Any, b: Any) -> Any:
    """Solve a x = b: (..., n, n), (..., n, k) -> (..., n, k), or one vector (n,) for all matrices.

    Raises:
        LinAlgError: a matrix is singular, or not square.
    """
    return np.linalg.solve(a, b)


def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False
) -> Any:
    """Solve a x = b for triangular matrices, as SciPy's function of this name, but for stacks.

    What lies on the other side of the diagonal is not read, and its gradient is 0. NumPy has no
    kernel for triangular matrices; this takes as long as `solve`.

    Args:
        a: (..., n, n), triangular.
        b: (..., n, k) or (n,).
        trans: 0 or "N" for a x = b, 1 or "T" for a^T x = b, 2 or "C" for a^H x = b.
        lower: whether the lower triangle is meant.
        unit_diagonal: take the diagonal as ones, without reading it.
    """
    a = square_matrices("solve_triangular", a)
    n = a.shape[-1]
    kept = np.tri(n, k=-1 if unit_diagonal else 0, dtype=bool)
    a = elementwise.where(kept if lower else kept.T, a, identity(n, a) if unit_diagonal else 0.0)
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(f"linalg.solve_triangular: wanted trans 0, 1 or 2, got {trans!r}")
    if trans in (1, "T"):
        a = mT(a)
    elif trans in (2, "C"):
        a = mH(a)
    return solve(a, b)


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """Solve the equation tensordot(a, x, x.ndim) = b.

    Args:
        a: shape b.shape + q, with the product of q that of b.shape.
        b: any shape.
        axes: axes of `a` that are moved to the end first.

    Returns:
        x, of shape q.
    """
    a = as_array("linalg.tensorsolve", "a", a)
    b = as_array("linalg.tensorsolve", "b", b)
    if axes is not None:
        order = list(range(a.ndim))
        for axis in axes:
            order.remove(axis)
            order.insert(a.ndim, axis)
        a = shaping.transpose(a, tuple(order))
    shape = a.shape[b.ndim :]
    size = math.prod(shape)
    if size * size != a.size:
        raise np.linalg.LinAlgError(
            f"linalg.tensorsolve: wanted an array of {size}^2 elements, got shape {a.shape}"
        )
    return shaping.reshape(
        solve(shaping.reshape(a, (size, size)), shaping.reshape(b, (-1,))), shape
    )


def tensorinv(a: Any, ind: int = 2) -> Any:
    """Return the inverse of `a` with regard to tensordot over its first `ind` axes."""
    if ind <= 0:
        raise ValueError(f"linalg.tensorinv: wanted a positive number of axes, got ind={ind}")
    a = as_array("linalg.tensorinv", "a", a)
    size = math.prod(a.shape[ind:])
    return shaping.reshape(inv(shaping.reshape(a, (size, -1))), (*a.shape[ind:], *a.shape[:ind]))


# -- powers ----------------------------------------------------------------------------------------


def matrix_power(a: Any, n: int) -> Any:
    """Multiply square matrices n times with themselves: by squaring, of the inverse where n < 0."""
    a = square_matrices("matrix_power", a)
    n = n.__index__()
    if n == 0:
        return elementwise.where(np.False_, a, np.eye(a.shape[-1], dtype=a.dtype))
    if n == 1:
        return shaping.copy(a)
    if n < 0:
        a, n = inv(a), -n
    result = None
    while n:
        if n & 1:
            result = a if result is None else matmul(result, a)
        n >>= 1
        if n:
            a = matmul(a, a)
    return result
