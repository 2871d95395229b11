"""The normal distribution with mean `loc` and standard deviation `scale`, as `scipy.stats.norm`."""

from __future__ import annotations

import math
from typing import Any

from autograd import special
from autograd.ops import elementwise
from autograd.stats._shared import density, in_one_dtype, positive, standardized

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def _arguments(name: str, x: Any, loc: Any, scale: Any) -> tuple[Any, Any]:
    """Return the standardized `x`, and `scale`."""
    x, loc, scale = in_one_dtype(f"stats.norm.{name}", x=x, loc=loc, scale=scale)
    scale = positive(scale)
    return standardized(x, loc, scale), scale


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of the density, -z^2 / 2 - log(scale sqrt(2 pi)), z = (x - loc) / scale.

    Args:
        x: where to evaluate, of any shape.
        loc: mean, broadcast against `x`.
        scale: standard deviation, broadcast against `x`; nan where it is not positive.
    """
    z, scale = _arguments("logpdf", x, loc, scale)
    return z * z * -0.5 - (elementwise.log(scale) + _HALF_LOG_2PI)


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density; arguments as for `logpdf`."""
    z, scale = _arguments("pdf", x, loc, scale)
    return density(z * z * -0.5) / (scale * math.sqrt(2.0 * math.pi))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of values up to `x`; arguments as for `logpdf`."""
    return special.ndtr(_arguments("cdf", x, loc, scale)[0])


def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of `cdf`, accurate far below the mean, too; needs SciPy."""
    return special.log_ndtr(_arguments("logcdf", x, loc, scale)[0])


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of values above `x`, 1 - cdf without cancellation."""
    return special.ndtr(-_arguments("sf", x, loc, scale)[0])


def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the logarithm of `sf`, accurate far above the mean, too; needs SciPy."""
    return special.log_ndtr(-_arguments("logsf", x, loc, scale)[0])
