"""Eigenvalues and singular values. Imports `_base`, `_solve`, `ops` and NumPy.

Vectors are determined up to a sign, or a phase where they are complex: gradients are right for
functions that do not depend on it. Where values are equal the vectors are not determined at all:
the share of such pairs in the gradient is taken as 0, with a RuntimeWarning. The gradient of the
values is right everywhere.

References:
    Giles, "An extended collection of matrix derivative results for forward and reverse mode
    algorithmic differentiation" (2008), sections 3.1 and 3.2.
    Townsend, "Differentiating the singular value decomposition" (2016).
    Wan and Zhang, "Automatic differentiation for complex valued SVD" (2019), arXiv:1909.02659.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.engine.calls import primitive
from autograd.linalg._base import (
    EighResult,
    EigResult,
    SVDResult,
    conj,
    diagonal_of,
    inverse_gaps,
    make_diagonal,
    mH,
    rounding,
)
from autograd.linalg._solve import solve
from autograd.ops import elementwise, indexing
from autograd.ops.plain import plain

__all__ = ["eig", "eigh", "eigvals", "eigvalsh", "svd", "svdvals"]

# -- Hermitian matrices ----------------------------------------------------------------------------


def _eigh_a(g: Any, out: Any) -> Any:
    """Pull back: V (diag(gw) + F o (V^H GV)) V^H, made Hermitian; F_ij = 1 / (w_j - w_i)."""
    gw, gv = g
    w, v = out
    if gv is None:
        return conj((v * gw[..., None, :]) @ mH(v))
    f = inverse_gaps(w, w[..., None, :] - w[..., :, None], what="linalg.eigh", of="eigenvalues")
    middle = f * (mH(v) @ conj(gv))
    if gw is not None:
        middle = middle + make_diagonal(gw)
    ga = v @ middle @ mH(v)
    return conj((ga + mH(ga)) / 2)


@primitive(a=_eigh_a, name="linalg.eigh")
def _eigh(a: Any, UPLO: str) -> Any:
    return tuple(np.linalg.eigh(a, UPLO))  # type: ignore[call-overload]


def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """Return eigenvalues and eigenvectors of Hermitian matrices.

    `a` is taken as Hermitian whichever triangle is read, and its gradient is Hermitian: the change
    of the result under a change of `a` that keeps it Hermitian is the inner product with the
    gradient.

    Args:
        a: (..., n, n).
        UPLO: which triangle is read, "L" or "U".

    Returns:
        Eigenvalues (..., n) in ascending order, and eigenvectors (..., n, n) as columns.
    """
    return EighResult(*_eigh(a, UPLO))


def _eigvalsh_a(g: Any, a: Any, UPLO: str) -> Any:
    v = eigh(a, UPLO).eigenvectors
    return conj((v * g[..., None, :]) @ mH(v))


@primitive(a=_eigvalsh_a, name="linalg.eigvalsh")
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Return the eigenvalues of Hermitian matrices, ascending; gradients as those of `eigh`.

    The eigenvectors are computed in the backward pass, if there is one.
    """
    return np.linalg.eigvalsh(a, UPLO)  # type: ignore[call-overload]


# -- general matrices ------------------------------------------------------------------------------


def _eig_a(g: Any, out: Any) -> Any:
    """Pull back: V^-H (diag(Gw) + conj(F) o M) V^H, with M = V^H GV - V^H V diag(V^H GV).

    The second term of M keeps the length of the eigenvectors, and holds their phase.
    """
    gw, gv = (conj(part) for part in g)
    w, v = out
    middle = None if gw is None else make_diagonal(gw)
    if gv is not None:
        gaps = w[..., None, :] - w[..., :, None]
        f = inverse_gaps(w, gaps, what="linalg.eig", of="eigenvalues")
        vh = mH(v)
        product = vh @ gv
        product = product - (vh @ v) * diagonal_of(product)[..., None, :]
        turned = conj(f) * product
        middle = turned if middle is None else middle + turned
    return conj(solve(mH(v), middle @ mH(v)))


@primitive(a=_eig_a, name="linalg.eig")
def _eig(a: Any) -> Any:
    return tuple(np.linalg.eig(a))


def eig(a: Any) -> EigResult:
    """Return eigenvalues and right eigenvectors of square matrices.

    As in NumPy both are real for a real matrix whose eigenvalues all are. Matrices without a full
    set of eigenvectors have no gradient: the backward pass raises LinAlgError.

    Args:
        a: (..., n, n).

    Returns:
        Eigenvalues (..., n) in no particular order, and eigenvectors (..., n, n) as columns of
        length 1.
    """
    return EigResult(*_eig(a))


def eigvals(a: Any) -> Any:
    """Return the eigenvalues of square matrices: (..., n, n) -> (..., n); see `eig`."""
    return _eig(a)[0]


# -- singular values -------------------------------------------------------------------------------


def _turned(g: Any, vectors: Any, k: int) -> Any:
    """Fold the cotangent of the columns from k on, which span what is left, into the first k.

    The others stay orthogonal to the first ones: dU2 = -U1 dU1^H U2.
    """
    if g is None or g.shape[-1] == k:
        return g
    return g[..., :k] - vectors[..., k:] @ (mH(g[..., k:]) @ vectors[..., :k])


@plain
def _nearly_zero(s: Any) -> Any:
    """Tell which singular values are 0 up to rounding."""
    return s <= rounding(s)


def _svd_a(g: Any, out: Any, a_shape: tuple[int, ...]) -> Any:
    """Pull back by Townsend's equations; the phases of complex vectors by Wan and Zhang's."""
    u, s, vh = out
    m, n = a_shape[-2:]
    k = min(m, n)
    gu, gs, gvh = conj(g[0]), g[1], conj(g[2])
    gu = _turned(gu, u, k)
    gv = None if gvh is None else _turned(mH(gvh), mH(vh), k)
    u, vh = u[..., :k], vh[..., :k, :]
    if gu is None and gv is None:
        return conj((u * gs[..., None, :]) @ vh)

    row, column = s[..., None, :], s[..., :, None]
    gaps = (row - column) * (row + column)
    f = inverse_gaps(s, gaps, what="linalg.svd", of="singular values")
    zero = _nearly_zero(s)
    inverse = np.where(zero, 0.0, 1 / np.where(zero, 1.0, s))
    middle = 0.0 if gs is None else make_diagonal(gs)
    total = 0.0
    if gu is not None:
        product = mH(u) @ gu
        skew = product - mH(product)
        middle = middle + (f * skew) * row
        if u.dtype.kind == "c":
            middle = middle + make_diagonal(diagonal_of(product).imag * inverse) * 1j
        if m > k:
            total = total + ((gu - u @ product) * inverse[..., None, :]) @ vh
    if gv is not None:
        product = vh @ gv
        middle = middle + column * (f * (product - mH(product)))
        if n > k:
            total = total + (u * inverse[..., None, :]) @ mH(gv - mH(vh) @ product)
    return conj(u @ middle @ vh + total)


@primitive(a=_svd_a, name="linalg.svd")
def _svd(a: Any, full_matrices: bool) -> Any:
    return tuple(np.linalg.svd(a, full_matrices))


def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Return the singular value decomposition a = U diag(S) Vh.

    With `full_matrices` the vectors beyond the first k = min(m, n) are determined up to a rotation:
    gradients through them are right for functions that do not depend on it, such as projections.

    Args:
        a: (..., m, n).
        full_matrices: U is (..., m, m) and Vh (..., n, n) instead of (..., m, k) and (..., k, n).
        compute_uv: whether to return the vectors.
        hermitian: take `a` as Hermitian, which is faster; its gradient is Hermitian, too.

    Returns:
        U, S (..., k) in descending order, and Vh, by name and by position; S alone without
        `compute_uv`.
    """
    if hermitian:
        w, v = _eigh(a, "L")
        order = _largest_first(w)
        w = indexing.take_along_axis(w, order, axis=-1)
        s = elementwise.absolute(w)
        if not compute_uv:
            return s
        u = indexing.take_along_axis(v, order[..., None, :], axis=-1)
        sign = np.where(w < 0, -1.0, 1.0).astype(w.dtype)
        return SVDResult(u, s, mH(u * sign[..., None, :]))
    return SVDResult(*_svd(a, full_matrices)) if compute_uv else svdvals(a)


@plain
def _largest_first(w: Any) -> Any:
    """Return the order of falling absolute values."""
    return np.argsort(-np.abs(w), axis=-1)


def _svdvals_x(g: Any, x: Any) -> Any:
    u, _, vh = svd(x, full_matrices=False)
    return conj((u * g[..., None, :]) @ vh)


@primitive(x=_svdvals_x, name="linalg.svdvals")
def svdvals(x: Any, /) -> Any:
    """Return singular values in descending order: (..., m, n) -> (..., min(m, n)).

    The singular vectors are computed in the backward pass, if there is one. The gradient is right
    for equal values, too; at 0 it is that of the value's continuation below 0.
    """
    return np.linalg.svd(x, compute_uv=False)
