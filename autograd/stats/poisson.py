"""The Poisson distribution of counts with mean `mu`, as `scipy.stats.poisson`.

`k` and `loc` are whole numbers, without a gradient; `mu` has one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import special
from autograd.engine.calls import holds
from autograd.ops import elementwise
from autograd.special.gamma_functions import gamma_log_density
from autograd.stats._shared import COUNTS, constant, density, in_one_dtype, supported

__all__ = ["cdf", "logpmf", "pmf"]


def _arguments(name: str, k: Any, mu: Any, loc: Any) -> tuple[Any, Any]:
    """Return the counts from `loc`, and the mean with nan where it is negative."""
    name = f"stats.poisson.{name}"
    k = constant(name, "k", k, COUNTS)
    loc = constant(name, "loc", loc, COUNTS)
    # Counts and their beginning do not take part in the choice of the dtype: mu does.
    (mu,) = in_one_dtype(name, mu=mu)
    k, loc = in_one_dtype(name, k=k, loc=loc)
    if holds(np.any(mu < 0), traced=True):
        mu = elementwise.where(mu < 0, np.nan, mu)
    return (k - loc).astype(mu.dtype), mu


def logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Return the logarithm of the probability of k, k log mu - mu - log k!.

    Args:
        k: counts, of any shape; the probability of other numbers is 0.
        mu: mean, broadcast against `k`; nan where it is negative.
        loc: where counting begins.

    Raises:
        TypeError: `k` or `loc` requires a gradient.
    """
    k, mu = _arguments("logpmf", k, mu, loc)
    impossible = (k < 0) | (k != np.floor(k))
    return supported(impossible, k, 1.0, lambda k: gamma_log_density(k + 1, mu), -float("inf"))


def pmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Return the probability of k; arguments as for `logpmf`."""
    return density(logpmf(k, mu, loc))


def cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Return the probability of counts up to k; arguments as for `logpmf`."""
    k, mu = _arguments("cdf", k, mu, loc)
    return supported(k < 0, k, 0.0, lambda k: special.gammaincc(np.floor(k) + 1, mu), 0.0)
