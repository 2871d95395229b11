# ruff: noqa: NPY002 - NumPy's global generator is what these are about
"""Random draws as functions of their parameters and of noise that depends on none, so that
gradients flow to the parameters: normal(loc, scale) is loc + scale * standard_normal().

The noise comes from NumPy's global generator as in NumPy's own functions, of which these have the
names: the same seed gives the same draws, up to the last bit of exp and power, and leaves the
generator in the same state. Imports `ops` and what is older.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import random

from autograd import ops
from autograd.doors import requires_gradient
from autograd.engine.calls import unwrap_all

__all__ = [
    "choice",
    "exponential",
    "gamma",
    "gumbel",
    "laplace",
    "logistic",
    "lognormal",
    "multivariate_normal",
    "normal",
    "pareto",
    "permutation",
    "power",
    "rayleigh",
    "triangular",
    "uniform",
    "weibull",
]


def _size(size: Any, *parameters: Any) -> Any:
    """Return the shape of the draws; None for a single number."""
    return np.broadcast_shapes(*map(np.shape, parameters)) or None if size is None else size


def _require(what: str, wanted: str, holds: Any) -> None:
    if not np.all(unwrap_all(holds)):
        raise ValueError(f"random.{what}: wanted {wanted}, got others")


def _fixed(what: str, parameter: str, value: Any) -> Any:
    """Return a parameter that draws are no differentiable function of."""
    if requires_gradient(value):
        raise TypeError(
            f"random.{what}: wanted a {parameter} without a gradient, got a Variable that requires "
            f"one, which no draw could pass on; write {parameter}.detach() to draw without it"
        )
    return unwrap_all(value)


# -- location and scale ----------------------------------------------------------------------------


def _located(name: str, noise: Callable[..., Any]) -> Callable[..., Any]:
    def draw(loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        """Draw loc + scale * noise."""
        _require(name, "scale >= 0", scale >= 0)
        return loc + scale * noise(size=_size(size, loc, scale))

    draw.__name__ = draw.__qualname__ = name
    return draw


def _scaled(name: str, noise: Callable[..., Any]) -> Callable[..., Any]:
    def draw(scale: Any = 1.0, size: Any = None) -> Any:
        """Draw scale * noise."""
        _require(name, "scale >= 0", scale >= 0)
        return scale * noise(size=_size(size, scale))

    draw.__name__ = draw.__qualname__ = name
    return draw


normal = _located("normal", random.standard_normal)
gumbel = _located("gumbel", random.gumbel)
laplace = _located("laplace", random.laplace)
logistic = _located("logistic", random.logistic)
exponential = _scaled("exponential", random.standard_exponential)
rayleigh = _scaled("rayleigh", random.rayleigh)


def uniform(low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    """Draw low + (high - low) * u."""
    return low + (high - low) * random.random_sample(_size(size, low, high))


def lognormal(mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Any:
    """Draw exp(mean + sigma * z)."""
    _require("lognormal", "sigma >= 0", sigma >= 0)
    return ops.exp(mean + sigma * random.standard_normal(_size(size, mean, sigma)))


def gamma(shape: Any, scale: Any = 1.0, size: Any = None) -> Any:
    """Draw scale * z; z depends on `shape`, which has no gradient."""
    _require("gamma", "scale >= 0", scale >= 0)
    shape = _fixed("gamma", "shape", shape)
    return scale * random.standard_gamma(shape, _size(size, shape, scale))


def multivariate_normal(mean: Any, cov: Any, size: Any = None, *options: Any, **named: Any) -> Any:
    """Draw mean + z; z depends on `cov`, which has no gradient."""
    cov = _fixed("multivariate_normal", "cov", cov)
    return mean + random.multivariate_normal(np.zeros(np.shape(mean)), cov, size, *options, **named)


# -- inverse distribution functions ----------------------------------------------------------------


def weibull(a: Any, size: Any = None) -> Any:
    """Draw z^(1/a), with exponential z."""
    _require("weibull", "a > 0", a > 0)
    return random.standard_exponential(_size(size, a)) ** (1.0 / a)


def pareto(a: Any, size: Any = None) -> Any:
    """Draw exp(z / a) - 1, with exponential z."""
    _require("pareto", "a > 0", a > 0)
    return ops.exp(random.standard_exponential(_size(size, a)) / a) - 1.0


def power(a: Any, size: Any = None) -> Any:
    """Draw (1 - exp(-z))^(1/a), with exponential z."""
    _require("power", "a > 0", a > 0)
    return (1.0 - np.exp(-random.standard_exponential(_size(size, a)))) ** (1.0 / a)


def triangular(left: Any, mode: Any, right: Any, size: Any = None) -> Any:
    """Draw left + sqrt(u (right - left) (mode - left)) for small u, and likewise from the right."""
    width = right - left
    _require("triangular", "left <= mode <= right", (left <= mode) & (mode <= right))
    _require("triangular", "left < right", width > 0)
    u = random.random_sample(_size(size, left, mode, right))
    rises = u <= unwrap_all((mode - left) / width)
    rising = left + ops.sqrt(u * ((mode - left) * width))
    falling = right - ops.sqrt((1.0 - u) * ((right - mode) * width))
    return ops.where(rises, rising, falling)


# -- places ----------------------------------------------------------------------------------------


def choice(a: Any, size: Any = None, replace: bool = True, p: Any = None) -> Any:
    """Draw elements of `a`."""
    return a[random.choice(len(a), size, replace, _fixed("choice", "p", p))]


def permutation(x: Any) -> Any:
    """Return the rows of `x` in random order."""
    return x[random.permutation(len(x))]
