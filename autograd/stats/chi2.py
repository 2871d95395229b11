"""The chi-squared distribution, as `scipy.stats.chi2`: gamma of shape df / 2 and twice the scale.

`df`, the degrees of freedom, is any positive number, and has a gradient.
"""

from __future__ import annotations

from typing import Any

from autograd.stats import gamma
from autograd.stats._shared import NO_ELEMENTARY_DERIVATIVE, constant, in_one_dtype

__all__ = ["cdf", "logpdf", "pdf"]


def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the density.

    Args:
        x: where to evaluate, of any shape.
        df: degrees of freedom, broadcast against `x`; nan where it is not positive.
        loc: beginning of the support: below it the density is 0.
        scale: the unit of `x`, broadcast against it; nan where it is not positive.
    """
    x, df, loc, scale = in_one_dtype("stats.chi2.logpdf", x=x, df=df, loc=loc, scale=scale)
    return gamma.logpdf(x, df / 2, loc, 2 * scale)


def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density; arguments as for `logpdf`."""
    x, df, loc, scale = in_one_dtype("stats.chi2.pdf", x=x, df=df, loc=loc, scale=scale)
    return gamma.pdf(x, df / 2, loc, 2 * scale)


def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of values up to `x`; arguments as for `logpdf`.

    Raises:
        TypeError: `df` requires a gradient.
    """
    df = constant("stats.chi2.cdf", "df", df, NO_ELEMENTARY_DERIVATIVE)
    x, df, loc, scale = in_one_dtype("stats.chi2.cdf", x=x, df=df, loc=loc, scale=scale)
    return gamma.cdf(x, df / 2, loc, 2 * scale)
