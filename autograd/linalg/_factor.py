"""Cholesky and QR factors. Imports `_base`, `_solve`, `ops` and NumPy.

References:
    Murray, "Differentiation of the Cholesky decomposition" (2016), arXiv:1602.07527, section 3.
    Walter and Lehmann, "Algorithmic differentiation of linear algebra functions with application in
    optimum experimental design" (2010), arXiv:1001.1654, section 4.2: QR.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.engine.calls import primitive
from autograd.linalg._base import QRResult, conj, identity, mH, real_dtype
from autograd.linalg._solve import inv, solve, solve_triangular
from autograd.ops import joining
from autograd.ops.contractions import as_array

__all__ = ["cho_factor", "cho_solve", "cholesky", "qr"]


def _half_lower(n: int, x: Any) -> Any:
    """Return the mask that takes the lower triangle and half of the diagonal."""
    return np.tri(n, dtype=real_dtype(x)) - 0.5 * identity(n, x)


# -- Cholesky --------------------------------------------------------------------------------------


def _cholesky_a(g: Any, out: Any, upper: bool) -> Any:
    """Pull back: L^-H phi(L^H G) L^-1, made Hermitian; phi halves the diagonal, drops the upper."""
    L, G = (mH(out), mH(conj(g))) if upper else (out, conj(g))
    inverse = inv(L)
    ga = mH(inverse) @ (_half_lower(L.shape[-1], L) * (mH(L) @ G)) @ inverse
    return conj((ga + mH(ga)) / 2)


@primitive(a=_cholesky_a, name="linalg.cholesky")
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """Return the triangular L with L L^H = a: (..., n, n) -> (..., n, n).

    `a` is taken as Hermitian, and its gradient is Hermitian: the change of the result under a
    change of `a` that keeps it Hermitian is the inner product with the gradient.

    Args:
        a: Hermitian, positive definite; one triangle is read.
        upper: return U = L^H instead, reading the upper triangle.

    Raises:
        LinAlgError: a matrix is not positive definite, or not square.
    """
    return np.linalg.cholesky(a, upper=upper)


def cho_factor(a: Any, lower: bool = False) -> tuple[Any, bool]:
    """Return the Cholesky factor for `cho_solve`: (..., n, n) -> (..., n, n), and which triangle.

    As SciPy's function of this name, but for stacks, and with zeros in the other triangle. The
    gradient of `a` is that of `cholesky`.

    Args:
        a: Hermitian, positive definite; one triangle is read.
        lower: return L with L L^H = a, reading the lower triangle, instead of U with U^H U = a.

    Raises:
        LinAlgError: a matrix is not positive definite, or not square.
    """
    return cholesky(a, upper=not lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any) -> Any:
    """Solve a x = b for what `cho_factor` made of a: (..., n, k), or one vector (n,) for all.

    Args:
        c_and_lower: the factor and which triangle it is in; the other one is not read.
        b: right-hand sides.

    Example:
        >>> import numpy as np
        >>> cho_solve(cho_factor(np.array([[4.0, 2.0], [2.0, 3.0]])), np.array([2.0, 3.0]))
        array([0., 1.])
    """
    try:
        c, lower = c_and_lower
    except (TypeError, ValueError):
        raise TypeError(
            "linalg.cho_solve: wanted what cho_factor returns, a pair (c, lower), got "
            f"{type(c_and_lower).__name__}; write cho_solve(cho_factor(a), b)"
        ) from None
    b = as_array("linalg.cho_solve", "b", b)
    x = b[..., None] if b.ndim == 1 else b
    x = solve_triangular(c, x, trans=0 if lower else 2, lower=lower)
    x = solve_triangular(c, x, trans=2 if lower else 0, lower=lower)
    return x[..., 0] if b.ndim == 1 else x


# -- QR --------------------------------------------------------------------------------------------


def _square_or_tall(gq: Any, gr: Any, q: Any, r: Any) -> Any:
    """Pull back to (..., m, k) from reduced factors Q (..., m, k) and R (..., k, k).

    With X = Q^H dA R^-1 the factors change by dR = B R and dQ = dA R^-1 - Q B, where B is the upper
    triangle of X + X^H with half of the diagonal.
    """
    of_b = None if gr is None else gr @ mH(r)
    if gq is not None:
        product = mH(q) @ gq
        of_b = -product if of_b is None else of_b - product
    half = _half_lower(r.shape[-1], r).T * of_b
    total = q @ (half + mH(half))
    if gq is not None:
        total = total + gq
    return mH(solve(r, mH(total)))  # total R^-H


def _qr_a(g: Any, out: Any, a_shape: tuple[int, ...]) -> Any:
    gq, gr = (conj(part) for part in g)
    q, r = out
    m, n = a_shape[-2:]
    if m > n:
        if q.shape[-1] > n:  # complete: the other columns turn with the first ones
            first, rest = q[..., :n], q[..., n:]
            if gq is not None:
                gq = gq[..., :n] - rest @ (mH(gq[..., n:]) @ first)
            gr = gr if gr is None else gr[..., :n, :]
            q, r = first, r[..., :n, :]
        return conj(_square_or_tall(gq, gr, q, r))
    if m == n:
        return conj(_square_or_tall(gq, gr, q, r))
    # Wide: A = [A1 A2] with A1 = Q R1 square, and R2 = Q^H A2.
    r1, r2 = r[..., :m], r[..., m:]
    if gr is None:
        left = _square_or_tall(gq, None, q, r1)
        right = 0 * (q @ r2)
    else:
        g2 = gr[..., m:]
        through = q @ (r2 @ mH(g2))
        left = _square_or_tall(through if gq is None else gq + through, gr[..., :m], q, r1)
        right = q @ g2
    return conj(joining.concatenate((left, right), axis=-1))


@primitive(a=_qr_a, name="linalg.qr")
def _qr(a: Any, mode: str) -> Any:
    return tuple(np.linalg.qr(a, mode))  # type: ignore[call-overload]


def qr(a: Any, mode: str = "reduced") -> Any:
    """Factor matrices into unitary Q and upper triangular R.

    Gradients need the first min(m, n) columns to be independent. In mode "complete" the additional
    columns of Q are determined up to a rotation: gradients through them are right for functions
    that do not depend on it, such as projections.

    Args:
        a: (..., m, n).
        mode: "reduced" (Q has min(m, n) columns), "complete" (m columns), or "r" (R alone).

    Returns:
        Q and R, by name and by position; R alone in mode "r".

    Raises:
        ValueError: another mode; NumPy's "raw" has no gradient.
        LinAlgError: in the backward pass, the first columns are dependent.
    """
    if mode == "r":
        return _qr(a, "reduced")[1]
    if mode not in ("reduced", "complete"):
        raise ValueError(
            f"linalg.qr: wanted mode 'reduced', 'complete' or 'r', got {mode!r}; pass "
            f"variable.detach() for modes without a gradient"
        )
    return QRResult(*_qr(a, mode))
