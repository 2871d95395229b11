"""The beta distribution on [loc, loc + scale], as `scipy.stats.beta`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import special
from autograd.engine.calls import binary
from autograd.ops import elementwise
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


# x y / (x + y), with derivatives that do not cancel where one is much smaller.
_parallel = binary(
    lambda x, y: x * (y / (x + y)),
    name="stats.beta.parallel",
    x=lambda g, x, y: g * np.square(y / (x + y)),
    y=lambda g, x, y: g * np.square(x / (x + y)),
)


def _log_density(
    name: str, x: Any, a: Any, b: Any, loc: Any, scale: Any, step: float
) -> tuple[Any, Any, Any]:
    """Return the shapes, and the logarithm with B(a + step, b + step) in the place of B(a, b)."""
    x, a, b, loc, scale = in_one_dtype(f"stats.beta.{name}", x=x, a=a, b=b, loc=loc, scale=scale)
    a, b, scale = positive(a), positive(b), positive(scale)
    z = standardized(x, loc, scale)
    norm = special.betaln(a + step, b + step) + elementwise.log(scale)

    def inside(z: Any) -> Any:
        return special.xlogy(a - 1, z) + special.xlog1py(b - 1, -z) - norm

    return a, b, supported((z < 0) | (z > 1), z, 0.5, inside, -math.inf)


def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return log of the density, (a - 1) log z + (b - 1) log(1 - z) - log B(a, b) - log scale.

    Args:
        x: where to evaluate, of any shape; z = (x - loc) / scale.
        a: shape at the lower end, broadcast against `x`; nan where it is not positive.
        b: shape at the upper end, likewise.
        loc: lower end of the support; outside of it the density is 0.
        scale: length of the support; nan where it is not positive.
    """
    return _log_density("logpdf", x, a, b, loc, scale, 0)[2]


def pdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the density; arguments as for `logpdf`."""
    # 1 / B(a, b) is a b / (a + b) / (a + b + 1) / B(a + 1, b + 1), regular where a shape is 0.
    a, b, log_density = _log_density("pdf", x, a, b, loc, scale, 1)
    return density(log_density) / (a + b + 1) * _parallel(a, b)


def cdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Return the probability of values up to `x`; arguments as for `logpdf`.

    Raises:
        TypeError: `a` or `b` requires a gradient.
    """
    a = constant("stats.beta.cdf", "a", a, NO_ELEMENTARY_DERIVATIVE)
    b = constant("stats.beta.cdf", "b", b, NO_ELEMENTARY_DERIVATIVE)
    x, a, b, loc, scale = in_one_dtype("stats.beta.cdf", x=x, a=a, b=b, loc=loc, scale=scale)
    z = standardized(x, loc, positive(scale))
    return special.betainc(positive(a), positive(b), elementwise.clip(z, 0.0, 1.0))
