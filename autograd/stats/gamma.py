"""The gamma distribution with shape `a`, as `scipy.stats.gamma`: its mean is loc + a scale."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import special
from autograd.engine.calls import holds
from autograd.ops import elementwise
from autograd.special.gamma_functions import gamma_log_density
from autograd.stats._shared import (
    NO_ELEMENTARY_DERIVATIVE,
    constant,
    density,
    in_one_dtype,
    positive,
    standardized,
    supported,
)

__all__ = ["cdf", "logpdf", "pdf"]


def _arguments(name: str, x: Any, a: Any, loc: Any, scale: Any) -> tuple[Any, Any, Any]:
    """Return the standardized `x`, the shape and the scale, nan where they are not positive."""
    x, a, loc, scale = in_one_dtype(f"stats.gamma.{name}", x=x, a=a, loc=loc, scale=scale)
    a, scale = positive(a), positive(scale)
    return standardized(x, loc, scale), a, scale


def _logpdf(z: Any, a: Any, scale: Any) -> Any:
    log_scale = elementwise.log(scale)
    formula = lambda z: gamma_log_density(a, z) - log_scale
    return supported(z < 0, z, 1.0, formula, -math.inf)


def logpdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the density, (a - 1) log z - z - log Gamma(a) - log scale.

    Args:
        x: where to evaluate, of any shape; z = (x - loc) / scale.
        a: shape, broadcast against `x`; nan where it is not positive.
        loc: beginning of the support: below it the density is 0.
        scale: the unit of `x`, broadcast against it; nan where it is not positive.
    """
    return _logpdf(*_arguments("logpdf", x, a, loc, scale))


def pdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density; arguments as for `logpdf`."""
    z, a, scale = _arguments("pdf", x, a, loc, scale)
    out = density(_logpdf(z, a, scale))
    small = a < 1
    if not holds(np.any(small), traced=True):
        return out
    # With 1 / Gamma(a) as a / Gamma(a + 1), whose logarithm is regular at 0.
    norm = special.gammaln(a + 1) + elementwise.log(scale)
    formula = lambda z: special.xlogy(a - 1, z) - z - norm
    regular = a * density(supported(z < 0, z, 1.0, formula, -math.inf))
    return elementwise.where(small, regular, out)


def cdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of values up to `x`; arguments as for `logpdf`.

    Raises:
        TypeError: `a` requires a gradient.
    """
    a = constant("stats.gamma.cdf", "a", a, NO_ELEMENTARY_DERIVATIVE)
    x, a, loc, scale = in_one_dtype("stats.gamma.cdf", x=x, a=a, loc=loc, scale=scale)
    z = standardized(x, loc, positive(scale))
    return special.gammainc(positive(a), elementwise.clip(z, 0.0, None))
