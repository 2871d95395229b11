"""Determinants, inverses and linear equations. Imports `_base`, `ops` and NumPy.

References:
    Giles, "An extended collection of matrix derivative results for forward and reverse mode
    algorithmic differentiation" (2008), sections 2.2: inverse, determinant, linear equations.
    Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems
    whose variables separate", SIAM Journal on Numerical Analysis 10 (1973), equation 4.12.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.engine import graph
from autograd.engine.backward import unbroadcast
from autograd.engine.calls import primitive
from autograd.linalg._base import SlogdetResult, conj, identity, mH, mT, real_dtype, square_matrices
from autograd.ops import elementwise, shaping
from autograd.ops._shared import raw
from autograd.ops.contractions import as_array, matmul

__all__ = [
    "det",
    "inv",
    "lstsq",
    "matrix_power",
    "pinv",
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


def _pinv_a(g: Any, out: Any, a: Any, hermitian: bool) -> Any:
    """Pull back by Golub and Pereyra's formula; the rank must not change nearby."""
    G, P, PH = conj(g), out, mH(out)
    GH = mH(G)
    ga = PH @ P @ (GH - (GH @ P) @ a) + (GH @ P - a @ (P @ (GH @ P))) @ PH - PH @ G @ PH
    ga = (ga + mH(ga)) / 2 if hermitian else ga
    return conj(ga)


@primitive(a=_pinv_a, name="linalg.pinv")
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Any:
    """Return the Moore-Penrose inverse: (..., m, n) -> (..., n, m).

    The gradient holds where the rank does not change nearby: for matrices of full rank always.

    Args:
        a: matrices.
        rcond: singular values up to `rcond` times the largest count as 0.
        hermitian: take `a` as Hermitian; its gradient is Hermitian, too.
        rtol: the same as `rcond`.
    """
    if rtol is np._NoValue:
        return np.linalg.pinv(a, rcond, hermitian)
    return np.linalg.pinv(a, hermitian=hermitian, rtol=rtol)


# -- determinants ----------------------------------------------------------------------------------


def _regular_inverse(a: Any, det: Any) -> Any:
    """Return A^-1 if det(A) A^-1 is accurate to half of the digits for all matrices, else None."""
    if not np.all(det) or not np.all(np.isfinite(det)):
        return None
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return None
    if a.size:
        condition = np.abs(a).sum(-1).max(-1) * np.abs(inverse).sum(-1).max(-1)
        if not np.all(condition < np.finfo(real_dtype(a)).eps ** -0.5):
            return None
    return inverse


def _cofactors(a: Any) -> Any:
    """Return the matrix of cofactors from a singular value decomposition: right at any rank.

    adj(A) = det(U) det(Vh) V diag(product of the other singular values) U^H; this is its transpose.
    """
    u, s, vh = np.linalg.svd(a)
    ones = np.ones_like(s[..., :1])
    left = np.cumprod(np.concatenate((ones, s[..., :-1]), axis=-1), axis=-1)
    right = np.cumprod(np.concatenate((ones, s[..., :0:-1]), axis=-1), axis=-1)[..., ::-1]
    phase = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    return phase * ((u.conj() * (left * right)[..., None, :]) @ vh.conj())


def _minors(a: Any) -> Any:
    """Return the matrix of cofactors as determinants of minors: recorded, so of any order.

    Takes n^2 determinants. Used for derivatives of second order at singular matrices only.
    """
    n = a.shape[-1]
    rest = np.array([[j for j in range(n) if j != i] for i in range(n)], dtype=int).reshape(
        n, n - 1
    )
    parity = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    minors = a[..., rest[:, None, :, None], rest[None, :, None, :]]
    return det(minors) * parity.astype(real_dtype(a))


def _det_a(g: Any, a: Any, out: Any) -> Any:
    """Pull back to the matrix: its cofactors, which are det(A) A^-T where it is regular."""
    g = g[..., None, None]
    recorded = isinstance(a, graph.Variable)
    inverse = _regular_inverse(raw(a), raw(out))
    if inverse is None:
        return g * (_minors(a) if recorded else _cofactors(a))
    return g * (out[..., None, None] * mT(inv(a) if recorded else inverse))


def _det_push(tangents: Any, out: Any, a: Any) -> Any:
    """Return tr(adj(A) dA), with the cofactors of the gradient."""
    return (_det_a(np.ones_like(out), a, out) * tangents[0]).sum(axis=(-2, -1))


@primitive(a=_det_a, jvp=_det_push, name="linalg.det")
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
    return None if slope is None else slope[..., None, None] * mT(_inverse_where(slope, a))


def _inverse_where(used: Any, a: Any) -> Any:
    """Invert matrices; singular ones are an error only where `used` is not 0."""
    try:
        return inv(a)
    except np.linalg.LinAlgError:
        unused = raw(used) == 0
        if not np.any(unused):
            raise
        return inv(elementwise.where(unused[..., None, None], identity(a.shape[-1], a), a))


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


def _lstsq_rule(g: Any, a: Any, b: Any, out: Any, rcond: Any, wanted: Any) -> Any:
    """Pull back by the derivative of the pseudo-inverse P: x = P b, r = b - A x.

    dx = P (db - dA x) + P P^H dA^H r + (I - P A) dA^H P^H x. The sum of squares of r does not
    change with x, which minimises it.
    """
    gx, g_residuals, _, g_s = (conj(part) for part in g)
    vector = b.ndim == 1
    x = out[0]
    if vector:
        x, b = x[..., None], b[..., None]
        gx = gx if gx is None else gx[..., None]
    ga = gb = None
    r = b - a @ x
    if gx is not None:
        P = pinv(a, rtol=_rcond(a, rcond))
        PH = mH(P)
        gb = PH @ gx
        if wanted[0]:
            free = PH @ x
            ga = r @ mH(P @ gb) - gb @ mH(x) + free @ mH(gx - P @ (a @ gx))
    if g_residuals is not None and g_residuals.size:
        of_r = 2 * r * g_residuals
        gb = of_r if gb is None else gb + of_r
        ga = -(of_r @ mH(x)) if ga is None else ga - of_r @ mH(x)
    if g_s is not None and wanted[0]:
        from autograd.linalg._spectral import svd  # that module needs this one

        u, _, vh = svd(a, full_matrices=False)
        of_s = (u * g_s) @ vh
        ga = of_s if ga is None else ga + of_s
    if gb is None or not wanted[1]:
        return conj(ga), None
    return conj(ga), conj(gb[:, 0] if vector else gb)


def _rcond(a: Any, rcond: Any) -> Any:
    """Return NumPy's default of `lstsq`."""
    return np.finfo(real_dtype(a)).eps * max(a.shape) if rcond is None or rcond < 0 else rcond


@primitive(joint=_lstsq_rule, name="linalg.lstsq")
def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    return tuple(np.linalg.lstsq(a, b, rcond=rcond))


def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """Find the x that minimises |b - a x|, of smallest norm where there are several.

    Args:
        a: (m, n).
        b: (m,) or (m, k).
        rcond: singular values up to `rcond` times the largest count as 0.

    Returns:
        x (n,) or (n, k), the sums of squares of the residuals, the rank of `a` (plain), and its
        singular values. The gradient holds where the rank does not change nearby.
    """
    x, residuals, rank, s = _lstsq(a, b, rcond)
    return x, residuals, raw(rank), s


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
