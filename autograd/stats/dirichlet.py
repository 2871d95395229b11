"""The Dirichlet distribution of K shares that sum to 1, as `scipy.stats.dirichlet`."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import special
from autograd.engine.calls import detached, holds
from autograd.ops import elementwise, joining, reductions, shaping
from autograd.ops.contractions import as_array
from autograd.stats._shared import in_one_dtype, positive

__all__ = ["logpdf", "pdf"]


def logpdf(x: Any, alpha: Any) -> Any:
    """Return log of the density, sum of (alpha_i - 1) log x_i, less the log of its normalisation.

    Args:
        x: shares (K,) or (K, ...), that sum to 1 along the first axis; or K - 1 of them, the last
            being what is left.
        alpha: concentrations (K,); nan where one is not positive.

    Returns:
        One number, or an array of the further axes of `x`.

    Raises:
        ValueError: shares of another number, negative ones, or such that do not sum to 1.
    """
    name = "stats.dirichlet.logpdf"
    x, alpha = in_one_dtype(name, x=x, alpha=alpha)
    x, alpha = as_array(name, "x", x), as_array(name, "alpha", alpha)
    if alpha.ndim != 1 or not x.ndim:
        raise ValueError(
            f"{name}: wanted shares (K, ...) and concentrations (K,), got shapes {x.shape} and "
            f"{alpha.shape}"
        )
    if len(x) == len(alpha) - 1:
        x = joining.concatenate((x, 1 - reductions.sum(x, axis=0, keepdims=True)))
    if len(x) != len(alpha):
        raise ValueError(
            f"{name}: wanted {len(alpha)} shares along the first axis, one per concentration, or "
            f"one less, got {len(x)}"
        )
    shares = detached(x)
    total = np.sum(shares, axis=0)
    tolerance = max(1e-9, 64 * np.finfo(x.dtype).eps * len(alpha))  # SciPy's, and for float32
    wrong = np.any(shares < 0) | np.any(np.abs(total - 1) > tolerance)
    if holds(wrong, traced=False):
        raise ValueError(
            f"{name}: wanted shares that are not negative and sum to 1, got a sum of "
            f"{total.flat[np.argmax(np.abs(total - 1))]} and a smallest share of {shares.min()}; "
            f"divide x by its sum"
        )
    alpha = positive(alpha)
    log_norm = reductions.sum(special.gammaln(alpha)) - special.gammaln(reductions.sum(alpha))
    powers = shaping.reshape(alpha - 1, (-1, *(1,) * (x.ndim - 1)))
    return reductions.sum(special.xlogy(powers, x), axis=0) - log_norm


def pdf(x: Any, alpha: Any) -> Any:
    """Return the density; arguments as for `logpdf`."""
    return elementwise.exp(logpdf(x, alpha))
