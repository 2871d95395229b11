"""The normal distribution of vectors, as `scipy.stats.multivariate_normal`; NumPy computes it.

The covariance is taken as symmetric, and its gradient is symmetric: the change of the result under
a change of `cov` that keeps it symmetric is the inner product with the gradient.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import linalg
from autograd.engine.calls import detached, holds
from autograd.ops import elementwise, reductions, shaping
from autograd.ops.contractions import as_array
from autograd.ops.plain import plain
from autograd.stats._shared import in_one_dtype

__all__ = ["entropy", "logpdf", "pdf"]

_LOG_2PI = math.log(2.0 * math.pi)


def _parameters(name: str, mean: Any, cov: Any) -> tuple[Any, Any]:
    """Return the mean (..., d) and the covariance (..., d, d).

    A number stands for the variance of all elements, a vector for one variance each.
    """
    mean, cov = as_array(name, "mean", mean), as_array(name, "cov", cov)
    if not mean.ndim:
        mean = shaping.reshape(mean, (1,))
    d = mean.shape[-1]
    if cov.ndim > 1 and mean.shape == (1,):  # no mean was given, or one for all elements
        d = cov.shape[-1]
        mean = shaping.broadcast_to(mean, (d,))
    elif cov.ndim == 1 and mean.shape == (1,):
        d = len(cov)
        mean = shaping.broadcast_to(mean, (d,))
    if cov.ndim < 2:
        cov = elementwise.multiply(cov, np.eye(d, dtype=cov.dtype))
    if cov.shape[-2:] != (d, d):
        raise ValueError(
            f"{name}: wanted a covariance (..., {d}, {d}) for a mean of shape {mean.shape}, got "
            f"shape {cov.shape}"
        )
    return mean, cov


def _cholesky(name: str, cov: Any) -> Any:
    try:
        return linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        raise np.linalg.LinAlgError(
            f"{name}: wanted a positive definite covariance, got one that is not; add a multiple "
            f"of the identity to it, or pass allow_singular=True"
        ) from None


def _log_det(lower: Any) -> Any:
    """Return the logarithm of the determinant of L L^T."""
    d = np.arange(lower.shape[-1])
    return 2 * reductions.sum(elementwise.log(lower[..., d, d]), axis=-1)


def _transform(deviation: Any, matrix: Any) -> Any:
    """Multiply each vector with the transpose of its matrix; one matrix may serve all vectors."""
    if matrix.ndim == 2:
        return deviation @ matrix
    return (deviation[..., None, :] @ matrix)[..., 0, :]


def logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """Return log of the density, -((x - mean)^T cov^-1 (x - mean) + log det(2 pi cov)) / 2.

    Args:
        x: vectors (..., d); where d is 1, numbers (...) as well, unless their last axis has length
            1.
        mean: (d,), or (..., d), broadcast against `x`; 0 by default.
        cov: (d, d) or (..., d, d), symmetric; one triangle is read. A vector (d,) is taken as
            variances, a number as the variance of all.
        allow_singular: take inverse and determinant on the subspace on which `cov` is not singular,
            and the density with regard to it: it is 0 outside. The gradient holds where the rank
            does not change.

    Returns:
        Array of shape (...).

    Raises:
        LinAlgError: `cov` is not positive definite, and `allow_singular` is not given.
    """
    name = "stats.multivariate_normal.logpdf"
    x, mean, cov = in_one_dtype(name, x=x, mean=0.0 if mean is None else mean, cov=cov)
    x = as_array(name, "x", x)
    mean, cov = _parameters(name, mean, cov)
    d = cov.shape[-1]
    if d == 1 and (x.ndim < 2 or x.shape[-1] != 1):
        x = x[..., None]
    if x.shape[-1:] != (d,):
        raise ValueError(f"{name}: wanted vectors (..., {d}) as 'x', got shape {x.shape}")
    deviation = x - mean
    if not allow_singular:
        lower = _cholesky(name, cov)
        log_det = _log_det(lower)
        z = _transform(deviation, linalg.matrix_transpose(linalg.inv(lower)))
        distance = reductions.sum(z * z, axis=-1)
        return -0.5 * (distance + log_det + d * _LOG_2PI)
    null, outside = _null_space(name, cov, deviation)
    values = elementwise.where(null, 1.0, linalg.eigvalsh(cov))
    log_det = reductions.sum(elementwise.log(values), axis=-1)
    inverse = linalg.pinv(cov, rtol=_rounding(cov), hermitian=True)
    distance = reductions.sum(_transform(deviation, inverse) * deviation, axis=-1)
    rank = np.count_nonzero(~null, axis=-1).astype(cov.dtype)
    inside = -0.5 * (distance + log_det + rank * _LOG_2PI)
    if not holds(np.any(outside), traced=True):
        return inside
    return elementwise.where(outside, -math.inf, inside)


def _rounding(cov: Any) -> float:
    """Return the size of eigenvalues that count as 0, relative to the largest, as in SciPy."""
    eps = np.finfo(cov.dtype).eps
    return float(eps * (1e6 if eps < 1e-10 else 1e3))


@plain
def _null_space(name: str, cov: Any, deviation: Any) -> tuple[Any, Any]:
    """Tell which eigenvalues are 0, and which vectors have a part where they are."""
    values, vectors = np.linalg.eigh(cov)
    least = _rounding(cov) * np.abs(values).max(axis=-1, keepdims=True)
    if np.any(values < -least):
        raise np.linalg.LinAlgError(
            f"{name}: wanted a covariance without negative eigenvalues, got {values.min()}"
        )
    null = values <= least
    part = _transform(deviation, vectors) * null
    return null, np.sqrt(np.sum(part * part, axis=-1)) > least[..., 0]


def pdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """Return the density; arguments as for `logpdf`."""
    return elementwise.exp(logpdf(x, mean, cov, allow_singular))


def entropy(mean: Any = None, cov: Any = 1) -> Any:
    """Return the differential entropy, log det(2 pi e cov) / 2, in nats.

    Args:
        mean: tells the number of elements where `cov` does not; the entropy does not depend on it.
        cov: as for `logpdf`.

    Raises:
        LinAlgError: `cov` is not positive definite.
    """
    name = "stats.multivariate_normal.entropy"
    mean, cov = in_one_dtype(name, mean=0.0 if mean is None else mean, cov=cov)
    mean, cov = _parameters(name, detached(mean), cov)
    log_det = _log_det(_cholesky(name, cov))
    return 0.5 * (cov.shape[-1] * (1.0 + _LOG_2PI) + log_det)
