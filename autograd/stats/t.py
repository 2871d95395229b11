"""Student's t distribution with `df` degrees of freedom, as `scipy.stats.t`."""

from __future__ import annotations

from typing import Any

from autograd.ops import elementwise
from autograd.special import student
from autograd.stats._shared import (
    NO_ELEMENTARY_DERIVATIVE,
    constant,
    density,
    in_one_dtype,
    positive,
    standardized,
)

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]


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
    return student.student_logpdf(df, standardized(x, loc, scale)) - elementwise.log(scale)


def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density; arguments as for `logpdf`."""
    return density(logpdf(x, df, loc, scale))


def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of values up to `x`; arguments as for `logpdf`.

    Raises:
        TypeError: `df` requires a gradient.
    """
    df = constant("stats.t.cdf", "df", df, NO_ELEMENTARY_DERIVATIVE)
    x, df, loc, scale = in_one_dtype("stats.t.cdf", x=x, df=df, loc=loc, scale=scale)
    return student.stdtr(positive(df), standardized(x, loc, positive(scale)))


def logcdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of `cdf`, accurate in both tails, too; arguments as for `logpdf`.

    Raises:
        TypeError: `df` requires a gradient.
    """
    df = constant("stats.t.logcdf", "df", df, NO_ELEMENTARY_DERIVATIVE)
    x, df, loc, scale = in_one_dtype("stats.t.logcdf", x=x, df=df, loc=loc, scale=scale)
    return student.log_stdtr(positive(df), standardized(x, loc, positive(scale)))
