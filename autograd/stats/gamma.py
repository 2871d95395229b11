"""The gamma distribution with shape `a`, as `scipy.stats.gamma`: its mean is loc + a scale."""

from __future__ import annotations

from typing import Any

from autograd import special
from autograd.ops import elementwise
from autograd.stats._shared import (
    NO_ELEMENTARY_DERIVATIVE,
    constant,
    in_one_dtype,
    positive,
    standardized,
    supported,
)

__all__ = ["cdf", "logpdf", "pdf"]


def logpdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the density, (a - 1) log z - z - log Gamma(a) - log scale.

    Args:
        x: where to evaluate, of any shape; z = (x - loc) / scale.
        a: shape, broadcast against `x`; nan where it is not positive.
        loc: beginning of the support: below it the density is 0.
        scale: the unit of `x`, broadcast against it; nan where it is not positive.
    """
    x, a, loc, scale = in_one_dtype("stats.gamma.logpdf", x=x, a=a, loc=loc, scale=scale)
    a, scale = positive(a), positive(scale)
    z = standardized(x, loc, scale)
    norm = special.gammaln(a) + elementwise.log(scale)
    return supported(z < 0, z, 1.0, lambda z: special.xlogy(a - 1, z) - z - norm, -float("inf"))


def pdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density; arguments as for `logpdf`."""
    return elementwise.exp(logpdf(x, a, loc, scale))


def cdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of values up to `x`; arguments as for `logpdf`.

    Raises:
        TypeError: `a` requires a gradient.
    """
    a = constant("stats.gamma.cdf", "a", a, NO_ELEMENTARY_DERIVATIVE)
    x, a, loc, scale = in_one_dtype("stats.gamma.cdf", x=x, a=a, loc=loc, scale=scale)
    z = standardized(x, loc, positive(scale))
    return special.gammainc(positive(a), elementwise.clip(z, 0.0, None))
