"""Pseudo-inverses and least squares. Imports `_base`, `_spectral` and NumPy.

References:
    Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems
    whose variables separate", SIAM Journal on Numerical Analysis 10 (1973), equation 4.12.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.engine.calls import detached, primitive
from autograd.linalg._base import conj, mH, real_dtype
from autograd.linalg._spectral import svd

__all__ = ["lstsq", "pinv"]


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
    return x, residuals, detached(rank), s
