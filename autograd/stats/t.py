"""Student's t distribution with `df` degrees of freedom, as `scipy.stats.t`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import special
from autograd.engine.calls import holds
from autograd.ops import elementwise
from autograd.stats._shared import (
    NO_ELEMENTARY_DERIVATIVE,
    constant,
    in_one_dtype,
    positive,
    standardized,
)

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return log of the density, -(df + 1)/2 log(1 + z^2/df) - log(B(1/2, df/2) sqrt(df) scale).

    Args:
        x: where to evaluate, of any shape; z = (x - loc) / scale.
        df: degrees of freedom, any positive number, broadcast against `x`; nan elsewhere. Infinity
            gives the normal distribution.
        loc: the middle.
        scale: the unit of `x`, broadcast against it; nan where it is not positive.
    """
    x, df, loc, scale = in_one_dtype("stats.t.logpdf", x=x, df=df, loc=loc, scale=scale)
    df, scale = positive(df), positive(scale)
    z = standardized(x, loc, scale)
    infinite = np.isinf(df)
    limit = holds(np.any(infinite), traced=True)
    if limit:
        df = elementwise.where(infinite, 1.0, df)
    half = df.dtype.type(0.5)
    norm = special.betaln(half, df / 2) + 0.5 * elementwise.log(df)
    out = (df + 1) * -0.5 * elementwise.log1p(z * z / df) - norm
    if limit:
        out = elementwise.where(infinite, z * z * -0.5 - _HALF_LOG_2PI, out)
    return out - elementwise.log(scale)


def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density; arguments as for `logpdf`."""
    return elementwise.exp(logpdf(x, df, loc, scale))


def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of values up to `x`; arguments as for `logpdf`.

    Raises:
        TypeError: `df` requires a gradient.
    """
    df = constant("stats.t.cdf", "df", df, NO_ELEMENTARY_DERIVATIVE)
    x, df, loc, scale = in_one_dtype("stats.t.cdf", x=x, df=df, loc=loc, scale=scale)
    return special.stdtr(positive(df), standardized(x, loc, positive(scale)))


def logcdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of `cdf`; arguments as for `logpdf`.

    Raises:
        TypeError: `df` requires a gradient.
    """
    df = constant("stats.t.logcdf", "df", df, NO_ELEMENTARY_DERIVATIVE)
    return elementwise.log(cdf(x, df, loc, scale))
