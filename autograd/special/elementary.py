"""Functions made of exponentials and logarithms: logistic, entropies, exponential integrals.

DLMF 6 and 25.12. Imports `calls`, `ops`, kernels and NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.engine.calls import binary, holds, unary
from autograd.ops.elementwise import expit
from autograd.special.kernels import of_reals, scipy_kernel

__all__ = [
    "entr",
    "exp1",
    "exp_over",
    "expi",
    "expit",
    "log_expit",
    "logit",
    "spence",
    "xlog1py",
    "xlogy",
]


# Factors of 1.0 take small integers to float64, which NumPy's logarithm does not, and -x wraps around.


def _log_expit(x: Any) -> Any:
    return np.minimum(x, 0.0) - np.log1p(np.exp(np.abs(x) * -1.0))


def _logit(x: Any) -> Any:
    """Return log(x / (1 - x)) as the logarithm of what the larger of the two exceeds the other by.

    At 1/2 the quotient itself would lose the digits of x - 1/2.
    """
    y = 1.0 - x
    with np.errstate(over="ignore"):
        out = np.copysign(np.log1p(np.abs(x - y) / np.minimum(x, y)), x - 0.5)
    return out if np.all(np.isfinite(out)) else np.where(np.isinf(out), np.log(x / y), out)[()]


def _xlogy(x: Any, y: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((x == 0) & ~np.isnan(y), 0.0, x * np.log(y * 1.0))[()]


def _xlog1py(x: Any, y: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((x == 0) & ~np.isnan(y), 0.0, x * np.log1p(y * 1.0))[()]


def _entr(x: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x == 0, 0.0, np.where(x < 0, -math.inf, x * -np.log(x * 1.0)))[()]


def _spence_slope(x: Any) -> Any:
    """Return log(x) / (1 - x); near 1 its series, which all derivatives can follow.

    With s = (x - 1) / (x + 1), log(x) is 2 (s + s^3/3 + s^5/5 + ...) and 1 - x is -2s / (1 - s).
    """
    near = (x > 0.75) & (x < 1.3)
    if not holds(np.any(near), traced=True):
        return np.log(x) / (1 - x)
    inside = np.where(near, x, 1.0)
    s = (inside - 1) / (inside + 1)
    square = s * s
    series = square / 21 + 1 / 19
    for k in range(17, 0, -2):
        series = series * square + 1 / k
    outside = np.where(near, 2.0, x)
    return np.where(near, (s - 1) * series, np.log(outside) / (1 - outside))


# fmt: off
log_expit = unary(of_reals(_log_expit, "log_expit"), name="log_expit", x=lambda g, x: g * expit(-x))
logit     = unary(of_reals(_logit, "logit"),         name="logit",     x=lambda g, x: g / x + g / (1 - x))
entr      = unary(_entr,      name="entr",      x=lambda g, x: -g * (np.log(x) + 1))
xlogy     = binary(_xlogy,    name="xlogy",     x=lambda g, y: g * np.log(y * 1.0),   y=lambda g, x, y: g * (x / y))
xlog1py   = binary(_xlog1py,  name="xlog1py",   x=lambda g, y: g * np.log1p(y * 1.0), y=lambda g, x, y: g * (x / (1 + y)))

exp_over  = unary(lambda x: np.exp(x) / x, name="exp_over", x=lambda g, x, out: g * (out * (1 - 1 / x)))
exp1      = unary(scipy_kernel("exp1"),    name="exp1",     x=lambda g, x: g * exp_over(-x))
expi      = unary(scipy_kernel("expi"),    name="expi",     x=lambda g, x: g * exp_over(x))
spence    = unary(scipy_kernel("spence"),  name="spence",   x=lambda g, x: g * _spence_slope(x))
# fmt: on
