"""Covariance and correlation matrices. Imports the families of operations they are made of."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd.engine.calls import holds
from autograd.ops import elementwise, joining, reductions, shaping
from autograd.ops.contractions import as_array, matmul
from autograd.typed import user_level

__all__ = ["corrcoef", "cov"]


def _observations(name: str, operand: str, value: Any, rowvar: bool) -> Any:
    """Return (variables, observations): vectors are one variable."""
    x = as_array(name, operand, value)
    if x.ndim > 2:
        raise ValueError(f"{name}: wanted at most 2 axes for {operand!r}, got shape {x.shape}")
    if x.ndim < 2:
        return shaping.reshape(x, (1, -1))
    return x if rowvar else x.T


def _weights(operand: str, weights: Any, count: int) -> Any:
    w = as_array("cov", operand, weights)
    if w.shape != (count,):
        raise ValueError(
            f"cov: wanted one weight per observation ({count}) as {operand!r}, got shape {w.shape}"
        )
    return w


def _real_dtype(x: Any) -> Any:
    """Return the dtype of weights for observations of the dtype of `x`."""
    return x.real.dtype if x.dtype.kind in "fc" else np.dtype(float)


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """Estimate the covariance matrix of variables: sum of w (x - mean) conj(x' - mean') / N.

    Results keep float32, where NumPy converts to float64; `dtype` says otherwise.

    Args:
        m: (variables, observations), the other way round where not `rowvar`, or one variable.
        y: further variables.
        rowvar: whether rows are variables.
        bias: divide by the number of observations instead of by one less.
        ddof: divide by the number of observations minus `ddof`, whatever `bias` says.
        fweights: how often each observation was made (integers, without a gradient).
        aweights: importance of each observation.
        dtype: converts the data first.

    Returns:
        (variables, variables); 0-d for a single variable.
    """
    x = _observations("cov", "m", m, rowvar)
    if y is not None and x.shape[0]:  # no variables in `m` give (0, 0) whatever `y`, as in NumPy
        x = joining.concatenate((x, _observations("cov", "y", y, rowvar)), axis=0)
    if dtype is not None:
        x = shaping.astype(x, dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    count = x.shape[1]
    w = None
    if fweights is not None:
        w = _weights("fweights", fweights, count)
        if w.dtype.kind not in "iu":
            raise TypeError(f"cov: wanted integers as fweights, got dtype {w.dtype}")
        w = w.astype(_real_dtype(x))
    if aweights is not None:
        a = _weights("aweights", aweights, count)
        a = a if a.dtype.kind == "f" else a.astype(_real_dtype(x))
        w = a if w is None else w * a
    if w is None:
        freedom: Any = count - ddof
        centred = x - reductions.mean(x, axis=1, keepdims=True)
        weighted = centred
    else:
        total = w.sum()
        if ddof == 0:
            freedom = total
        elif aweights is None:
            freedom = total - ddof
        else:
            freedom = total - ddof * (w * a).sum() / total
        centred = x - (x * w).sum(axis=1, keepdims=True) / total
        weighted = centred * w
    few = freedom <= 0
    if holds(few, traced=False):
        warnings.warn(
            f"cov: wanted more observations than ddof={ddof}, got {count}",
            RuntimeWarning,
            user_level(),
        )
    if holds(few, traced=True):
        freedom = 0.0 if w is None else elementwise.where(few, 0.0, freedom)
    if weighted.dtype.kind == "c":
        weighted = elementwise.conjugate(weighted)
    # Not a product with the factor 1/freedom: at 0 both give nan or inf, as NumPy's does.
    out = elementwise.divide(matmul(centred, weighted.T), freedom)
    return shaping.squeeze(out)


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """Estimate the correlation coefficients of variables: cov_ij / sqrt(cov_ii cov_jj).

    Args:
        x: (variables, observations), the other way round where not `rowvar`, or one variable.
        y: further variables.
        rowvar: whether rows are variables.
        dtype: converts the data first.

    Returns:
        (variables, variables), within [-1, 1]; 0-d for a single variable.
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    n = np.arange(len(c))
    spread = elementwise.sqrt(c[n, n].real)
    c = c / spread[:, None] / spread[None, :]
    # Rounding may step over 1; the gradient passes at the bound.
    return elementwise.clip(c, -1.0, 1.0) if c.dtype.kind == "f" else c
