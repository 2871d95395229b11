"""The error function and the normal distribution (DLMF 7): one row each.

`erf` and `erfc` have kernels of their own, because GELU needs them without SciPy. Imports `calls`,
kernels and NumPy.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from autograd.engine.calls import primitive, unary
from autograd.special import erf_kernel
from autograd.special.kernels import (
    beyond,
    in_double,
    integral,
    of_reals,
    scipy_kernel,
    where_holds,
)

__all__ = [
    "dawsn",
    "dawsn_derivative",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfcx_derivative",
    "erfinv",
    "hazard",
    "hazard_excess",
    "log_ndtr",
    "ndtr",
    "ndtri",
]

_SQRT_2 = math.sqrt(2.0)
_SQRT_PI = math.sqrt(math.pi)
_SQRT_2PI = math.sqrt(2.0 * math.pi)
_HUGE = 1e150  # beyond it the derivatives below are 0, and squares would overflow
_END = 42.0  # what decays by exp(-42) has ended
_NEAR = 3.0

# -- derivatives of any order ----------------------------------------------------------------------
# As products and sums these functions cancel: 2 x erfcx(x) and 2 / sqrt(pi) agree in all but 1/x^2.


def _erfcx_by_recurrence(n: int, x: Any) -> Any:
    y = scipy_kernel("erfcx")(x)
    slope = 2 * x * y - 2 / _SQRT_PI
    for k in range(1, n):
        y, slope = slope, 2 * (x * slope + k * y)
    return slope


def _erfcx_integral(n: int, x: Any) -> Any:
    """Integrate 2/sqrt(pi) (-2t)^n exp(-t (t + 2x))."""
    x = np.minimum(x, _HUGE)
    upper = _END / (x + np.sqrt(x * x + _END))
    total = integral(lambda t, x: (-2 * t) ** n * np.exp(-t * (t + 2 * x)), upper, x)
    return 2 / _SQRT_PI * total


def _erfcx_kernel(n: int, x: Any) -> Any:
    integrate, recur = (functools.partial(f, n) for f in (_erfcx_integral, _erfcx_by_recurrence))
    return where_holds(x > (5 if n == 1 else 1), integrate, recur, x)


def _dawsn_by_recurrence(n: int, x: Any) -> Any:
    y = scipy_kernel("dawsn")(x)
    slope = 1 - 2 * x * y
    for k in range(1, n):
        y, slope = slope, -2 * (x * slope + k * y)
    return slope


def _dawsn_integral(n: int, x: Any) -> Any:
    """Integrate (-2t)^n exp(-t (2x - t)) up to x > 0, and add what the moving end gives."""
    x = np.minimum(x, _HUGE)
    end = np.poly1d([0.0])
    for k in range(n):
        end = end.deriv() - np.poly1d([2.0, 0.0]) * end + np.poly1d([-2.0, 0.0]) ** k
    upper = np.where(x * x < _END, x, _END / (x + np.sqrt(np.maximum(x * x - _END, 0.0))))
    total = integral(lambda t, x: (-2 * t) ** n * np.exp(-t * (2 * x - t)), upper, x)
    near = np.minimum(x, 30.0)
    return total + end(near) * np.exp(-near * near)


def _dawsn_kernel(n: int, x: Any) -> Any:
    integrate, recur = (functools.partial(f, n) for f in (_dawsn_integral, _dawsn_by_recurrence))
    size = np.abs(x)
    out = where_holds(size > (5 if n == 1 else 1.5), integrate, recur, size)
    return out if n % 2 else np.copysign(1.0, x) * out


@primitive(x=lambda g, n, x: g * erfcx_derivative(n + 1, x), nondiff=("n",), elementwise=True)
def erfcx_derivative(n: int, x: Any) -> Any:
    """Return the n-th derivative of `erfcx`."""
    return in_double(functools.partial(_erfcx_kernel, n))(x)


@primitive(x=lambda g, n, x: g * dawsn_derivative(n + 1, x), nondiff=("n",), elementwise=True)
def dawsn_derivative(n: int, x: Any) -> Any:
    """Return the n-th derivative of `dawsn`."""
    return in_double(functools.partial(_dawsn_kernel, n))(x)


# Up to _NEAR the textbook's formulas lose at most 4 bits, and use what forward has computed.


@primitive(
    name="erfcx_slope",
    x=lambda g, x: g * erfcx_derivative(2, x),
    nondiff=("out",),
    elementwise=True,
)
def _erfcx_slope(x: Any, out: Any) -> Any:
    return beyond(x > _NEAR, functools.partial(erfcx_derivative, 1), 2 * x * out - 2 / _SQRT_PI, x)


@primitive(
    name="dawsn_slope",
    x=lambda g, x: g * dawsn_derivative(2, x),
    nondiff=("out",),
    elementwise=True,
)
def _dawsn_slope(x: Any, out: Any) -> Any:
    far = np.abs(x) > _NEAR
    return beyond(far, functools.partial(dawsn_derivative, 1), 1 - 2 * x * out, x)


# -- the hazard of the normal distribution ---------------------------------------------------------


@in_double
def _hazard(x: Any) -> Any:
    return math.sqrt(2 / math.pi) / scipy_kernel("erfcx")(x / -_SQRT_2)


@in_double
def _hazard_excess(x: Any) -> Any:
    """Return -x - hazard(x): for x < 0 a difference of numbers that agree in all but 1/x^2."""

    def below(x: Any) -> Any:
        y = x / -_SQRT_2
        return _erfcx_integral(1, y) / (_SQRT_2 * scipy_kernel("erfcx")(y))

    return where_holds(x < -1.5, below, lambda x: -x - _hazard(x), x)


# fmt: off
hazard   = unary(_hazard,        name="hazard",        x=lambda g, x, out: g * (out * hazard_excess(x)))
hazard_excess = unary(_hazard_excess, name="hazard_excess", x=lambda g, x, out: -g * (1 + hazard(x) * out))

erf      = unary(erf_kernel.erf,           name="erf",      x=lambda g, x: g * (2 / _SQRT_PI * np.exp(-x * x)))
erfc     = unary(erf_kernel.erfc,          name="erfc",     x=lambda g, x: g * (-2 / _SQRT_PI * np.exp(-x * x)))
erfcx    = unary(of_reals(scipy_kernel("erfcx")), name="erfcx",    x=lambda g, x, out: g * _erfcx_slope(x, out))
erfinv   = unary(scipy_kernel("erfinv"),   name="erfinv",   x=lambda g, out: g * (_SQRT_PI / 2 * np.exp(out * out)))
erfcinv  = unary(scipy_kernel("erfcinv"),  name="erfcinv",  x=lambda g, out: -g * (_SQRT_PI / 2 * np.exp(out * out)))
dawsn    = unary(of_reals(scipy_kernel("dawsn")), name="dawsn",    x=lambda g, x, out: g * _dawsn_slope(x, out))
ndtri    = unary(scipy_kernel("ndtri"),    name="ndtri",    x=lambda g, out: g * (_SQRT_2PI * np.exp(out * out / 2)))
log_ndtr = unary(of_reals(scipy_kernel("log_ndtr")), name="log_ndtr", x=lambda g, x: g * hazard(x))
# fmt: on


def ndtr(x: Any) -> Any:
    """Return the distribution function of the standard normal distribution."""
    return 0.5 * erfc(-x / _SQRT_2)
