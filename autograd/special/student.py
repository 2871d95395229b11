"""Student's t distribution: its distribution function, log-density and the logarithm of the tail.

The log-density is written so that nothing large cancels, whatever the degrees of freedom, which
have a gradient there. Imports `calls`, `ops`, `gamma_functions`, kernels and NumPy.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from autograd.engine.calls import binary, primitive, unary
from autograd.ops.elementwise import floating, hypot
from autograd.special.gamma_functions import BERNOULLI, LARGE, polygamma_rise
from autograd.special.kernels import in_double, integral, scipy_kernel, where_holds

__all__ = [
    "deficit",
    "half_step",
    "log1p_square",
    "log_stdtr",
    "scaled_log",
    "stdtr",
    "student_logpdf",
    "t_hazard",
    "t_hazard_excess",
]

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
_END = 42.0  # what decays by exp(-42) has ended
_FEW = 20.0  # degrees of freedom up to which the hypergeometric function is accurate
_LEFT = -1.5  # where the left tail begins

# -- what the gamma functions of the norm leave ----------------------------------------------------


def _series(n: int, z: Any) -> Any:
    """Return the n-th derivative of the asymptotic series of log(Gamma(z + 1/2)/Gamma(z)/sqrt(z)).

    From DLMF 5.11.8 with B_k(1/2) = (2^(1-k) - 1) B_k.
    """
    total = np.zeros_like(z)
    for i, b in enumerate(BERNOULLI):
        j = 2 * i + 1
        factor = (2.0**-j - 2) * b / (j * (j + 1)) * math.perm(j + n - 1, n)
        total = total + factor * z ** float(-j - n)
    return (-1) ** n * total


def _half_step(n: int, z: Any) -> Any:
    if n == 0:
        gammaln = scipy_kernel("gammaln")
        return gammaln(z + 0.5) - gammaln(z) - 0.5 * np.log(z)
    logarithm = (-1) ** n * math.factorial(n - 1) / (2 * z**n)
    return polygamma_rise(n - 1, z, np.full_like(z, 0.5)) + logarithm


@primitive(z=lambda g, n, z: g * half_step(n + 1, z), nondiff=("n",), elementwise=True)
def half_step(n: int, z: Any) -> Any:
    """Return the n-th derivative of log(Gamma(z + 1/2) / Gamma(z) / sqrt(z)), which tends to 0."""
    series, direct = functools.partial(_series, n), functools.partial(_half_step, n)
    return in_double(lambda z: where_holds(z >= LARGE, series, direct, z))(z)


# -- logarithms of 1 + w^2 -------------------------------------------------------------------------


def _length(w: Any) -> Any:
    return hypot(w, 1.0)


@in_double
def _log1p_square(w: Any) -> Any:
    return where_holds(
        np.abs(w) < 1, lambda w: np.log1p(w * w), lambda w: 2 * np.log(np.hypot(w, 1)), w
    )


def _small_deficit(w: Any) -> Any:
    """Return log(1 + u) - u / (1 + u) for u = w^2, with s = u / (2 + u): all terms are positive."""
    s = w * w / (2 + w * w)
    square = s * s
    series = np.full_like(s, 1 / 25)
    for k in range(23, 1, -2):
        series = series * square + 1 / k
    return 2 * (square / (1 + s) + series * square * s)


@in_double
def _deficit(w: Any) -> Any:
    direct = lambda w: _log1p_square(w) - (w / np.hypot(w, 1)) ** 2
    return where_holds(np.abs(w) < 0.7, _small_deficit, direct, w)


@in_double
def _scaled_log(z: Any, n: Any) -> Any:
    limit = lambda z, _: z * z
    return where_holds(np.isinf(n), limit, lambda z, n: n * _log1p_square(z / np.sqrt(n)), z, n)


# fmt: off
log1p_square = unary(_log1p_square, name="log1p_square", x=lambda g, x: g * (2 * x / _length(x) / _length(x)))
deficit      = unary(_deficit,      name="deficit",      x=lambda g, x: g * (2 * (x / _length(x)) ** 3 / _length(x)))
# y log(1 + x^2 / y), which tends to x^2
scaled_log   = binary(_scaled_log,  name="scaled_log",
                      x=lambda g, x, y: g * (2 * x / _length(x / np.sqrt(y)) / _length(x / np.sqrt(y))),
                      y=lambda g, x, y: g * deficit(x / np.sqrt(y)))
# fmt: on


def student_logpdf(df: Any, x: Any) -> Any:
    """Return the logarithm of the density with `df` degrees of freedom; infinity gives the normal.

    It is log Gamma((df + 1) / 2) / Gamma(df / 2) / sqrt(df pi) - (df + 1) / 2 log(1 + x^2 / df).
    """
    df = floating(df, x.dtype)
    norm = half_step(0, df / 2) - _HALF_LOG_2PI
    return norm - 0.5 * (scaled_log(x, df) + log1p_square(x / np.sqrt(df)))


# -- the hazard: density over distribution function ------------------------------------------------


def _by_hypergeometric(df: Any, x: Any) -> Any:
    """Return the distribution function over the density for x < 0 (DLMF 8.17.8)."""
    hyp2f1 = scipy_kernel("hyp2f1")
    return -x / df * hyp2f1(df / 2 + 0.5, 1.0, df / 2 + 1, 1 / (1 + x / df * x))


def _by_integral(df: Any, x: Any) -> Any:
    """Return the same for many degrees of freedom: the integral of exp(-df v / 2) r(v) over v > 0.

    By v = log of the ratio of 1 + t^2 / df at t < x to that at x, r(v) is (df + x^2) / (2 sqrt(p))
    with p = x^2 + df (1 - exp(-v)).
    """

    def f(v: Any, df: Any, square: Any) -> Any:
        return np.exp(-df / 2 * v) * (df + square) / (2 * np.sqrt(square - df * np.expm1(-v)))

    return integral(f, 2 * _END / df, df, x * x)


def _slope_by_integral(df: Any, x: Any) -> Any:
    """Return the derivative of that integral with respect to x."""

    def f(v: Any, df: Any, square: Any) -> Any:
        p = square - df * np.expm1(-v)
        return np.exp(-df / 2 * v) * (p - df * np.exp(-v)) / (4 * p * np.sqrt(p))

    return 2 * x * integral(f, 2 * _END / df, df, x * x)


def _tail(df: Any, x: Any) -> Any:
    return where_holds(df < _FEW, _by_hypergeometric, _by_integral, df, x)


def _score(df: Any, x: Any) -> Any:
    """Return the derivative of the log-density."""
    return -(1 + 1 / df) * x / (1 + x / df * x)


@in_double
def _log_stdtr(df: Any, x: Any) -> Any:
    stdtr = scipy_kernel("stdtr")

    def above(df: Any, x: Any) -> Any:
        return np.where(x < 0, np.log(stdtr(df, x)), np.log1p(-stdtr(df, -x)))

    def below(df: Any, x: Any) -> Any:
        return student_logpdf(df, x) + np.log(_tail(df, x))

    return where_holds(x < _LEFT, below, above, df, x)


@in_double
def _t_hazard(df: Any, x: Any) -> Any:
    def above(df: Any, x: Any) -> Any:
        return np.exp(student_logpdf(df, x)) / scipy_kernel("stdtr")(df, x)

    return where_holds(x < _LEFT, lambda df, x: 1 / _tail(df, x), above, df, x)


@in_double
def _t_hazard_excess(df: Any, x: Any) -> Any:
    """Return the score less the hazard, which agree in all but 1/df or 1/x^2 in the left tail."""
    return where_holds(
        (x < _LEFT) & (df >= _FEW),
        lambda df, x: -_slope_by_integral(df, x) / _by_integral(df, x),
        lambda df, x: _score(df, x) - _t_hazard(df, x),
        df,
        x,
    )


def _score_slope(df: Any, x: Any) -> Any:
    ratio = x / df * x
    return -(1 + 1 / df) * (1 - ratio) / (1 + ratio) / (1 + ratio)


# fmt: off
t_hazard        = binary(_t_hazard, name="t_hazard",
                         y=lambda g, x, y, out: g * (out * t_hazard_excess(x, y)))
t_hazard_excess = binary(_t_hazard_excess, name="t_hazard_excess",
                         y=lambda g, x, y, out: g * (_score_slope(x, y) - t_hazard(x, y) * out))
stdtr           = binary(scipy_kernel("stdtr"), name="stdtr",
                         y=lambda g, x, y: g * np.exp(student_logpdf(x, y)))
log_stdtr       = binary(_log_stdtr, name="log_stdtr",
                         y=lambda g, x, y: g * t_hazard(x, y))
# fmt: on
