"""Gamma and beta functions (DLMF 5, 8) and their kin: one row each.

Imports `calls`, `elementary`, kernels and NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.engine.calls import binary, holds, primitive, unary
from autograd.ops.elementwise import floating
from autograd.special.elementary import xlog1py, xlogy
from autograd.special.kernels import in_double, of_reals, scipy_kernel, where_holds

__all__ = [
    "BERNOULLI",
    "LARGE",
    "beta",
    "betainc",
    "betaln",
    "digamma",
    "gamma",
    "gamma_log_density",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "multigammaln",
    "polygamma",
    "polygamma_rise",
    "psi",
    "rgamma",
    "zeta",
]

# B_2, B_4 ... B_20
BERNOULLI = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
)
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
LARGE = 10  # from here on the asymptotic series with these numbers has all digits

# -- differences of polygamma functions ------------------------------------------------------------


def _lost(p: float, ratio: Any) -> Any:
    """Return 1 - (1 + ratio)^-p, what a power loses when its base grows by a ratio."""
    return -np.expm1(-p * np.log1p(ratio))


def _rise_of_large(n: int, x: Any, y: Any) -> Any:
    """Return |psi^(n)(x + y) - psi^(n)(x)| from the asymptotic series (DLMF 5.11.2, 5.15.8)."""
    ratio = y / x
    scale = x**-n
    total = math.factorial(n - 1) * _lost(n, ratio) if n else np.log1p(ratio)
    total = total + math.factorial(n) / 2 * _lost(n + 1, ratio) / x
    for i, b in enumerate(BERNOULLI):
        k = 2 * i + 2
        factor = b * (math.factorial(k + n - 1) / math.factorial(k))
        total = total + factor * x**-k * _lost(k + n, ratio)
    return scale * total


def _rise_of_small(n: int, x: Any, y: Any) -> Any:
    """Step up by psi(x + 1) = psi(x) + 1/x until x is large: all terms have one sign."""
    total = _rise_of_large(n, x + LARGE, y)
    for k in range(LARGE):
        total = total + math.factorial(n) * (x + k) ** (-n - 1) * _lost(n + 1, y / (x + k))
    return total


def _rise_by_subtraction(n: int, x: Any, y: Any) -> Any:
    function = scipy_kernel("polygamma")
    return (-1) ** n * (function(n, x + y) - function(n, x))


def _rise_kernel(n: int, x: Any, y: Any) -> Any:
    def of_positive(x: Any, y: Any) -> Any:
        small = lambda x, y: _rise_of_small(n, x, y)
        return where_holds(x < LARGE, small, lambda x, y: _rise_of_large(n, x, y), x, y)

    subtracted = lambda x, y: _rise_by_subtraction(n, x, y)
    return (-1) ** n * where_holds((x > 0) & (y >= 0), of_positive, subtracted, x, y)


@primitive(
    x=lambda g, n, x, y: g * polygamma_rise(n + 1, x, y),
    y=lambda g, n, x, y: g * polygamma(n + 1, x + y),
    nondiff=("n",),
    elementwise=True,
)
def polygamma_rise(n: int, x: Any, y: Any) -> Any:
    """Return psi^(n)(x + y) - psi^(n)(x), with all digits for positive x and y.

    Each of the two may be large beside the difference, which is what the derivatives of the beta
    function and of Student's distribution are made of.
    """
    return in_double(lambda x, y: _rise_kernel(n, x, y))(x, y)


# -- one argument ----------------------------------------------------------------------------------


@primitive(
    x=lambda g, n, x: g * polygamma(floating(n, x.dtype) + 1, x), nondiff=("n",), elementwise=True
)
def polygamma(n: Any, x: Any) -> Any:
    """Return the n-th derivative of `digamma`; `n` is a constant."""
    return scipy_kernel("polygamma")(n, x)


def _rgamma_slope(x: Any, out: Any) -> Any:
    """Return -psi(x) / Gamma(x); below 1/2 by reflection (DLMF 5.5.3), regular at poles."""
    low = x < 0.5
    if not holds(np.any(low), traced=True):
        return -out * digamma(x)
    z = np.where(low, 1 - x, x)
    nearest = np.rint(x)
    angle = math.pi * (x - nearest)
    sign = 1 - 2 * np.remainder(nearest, 2)
    reflected = gamma(z) * (np.cos(angle) - digamma(z) * np.sin(angle) / math.pi)
    return np.where(low, sign * reflected, -out * digamma(z))


# fmt: off
digamma   = unary(scipy_kernel("digamma"), name="digamma", x=lambda g, x: g * polygamma(1, x))
psi       = digamma
gamma     = unary(scipy_kernel("gamma"),   name="gamma",   x=lambda g, x, out: g * (out * digamma(x)))
gammaln   = unary(scipy_kernel("gammaln"), name="gammaln", x=lambda g, x: g * digamma(x))
rgamma    = unary(of_reals(scipy_kernel("rgamma")), name="rgamma",  x=lambda g, x, out: g * _rgamma_slope(x, out))
gammasgn  = unary(scipy_kernel("gammasgn"), name="gammasgn", x=lambda g: np.zeros_like(g))
# fmt: on

# -- two arguments ---------------------------------------------------------------------------------


def _remainder(x: Any) -> Any:
    """Return log Gamma(x) - (x - 1/2) log x + x - log(2 pi) / 2 for large x (DLMF 5.11.1)."""
    total = np.zeros_like(x)
    for i, b in enumerate(BERNOULLI):
        j = 2 * i + 1
        total = total + b / (j * (j + 1)) * x ** float(-j)
    return total


def _log_beta(x: Any, y: Any) -> Any:
    """Return log B(x, y) without the large terms of Stirling's series, which cancel."""
    gammaln = scipy_kernel("gammaln")

    def both_large(x: Any, y: Any) -> Any:
        remainder = _remainder(x) + _remainder(y) - _remainder(x + y)
        rest = remainder + _HALF_LOG_2PI - 0.5 * np.log(y)
        return rest - (x - 0.5) * np.log1p(y / x) - y * np.log1p(x / y)

    def one_large(x: Any, y: Any) -> Any:
        rest = gammaln(y) + _remainder(x) - _remainder(x + y)
        return rest - (x - 0.5) * np.log1p(y / x) + y * (1 - np.log(x + y))

    def of_large(x: Any, y: Any) -> Any:
        return where_holds(y >= LARGE, both_large, one_large, x, y)

    def in_order(x: Any, y: Any) -> Any:
        return of_large(np.maximum(x, y), np.minimum(x, y))

    regular = (np.maximum(x, y) >= LARGE) & (np.minimum(x, y) > 0)
    return where_holds(regular, in_order, scipy_kernel("betaln"), x, y)


def _beta(x: Any, y: Any) -> Any:
    exponential = lambda x, y: np.exp(_log_beta(x, y))
    far = (x > 0) & (y > 0) & (x + y > 170)  # where the gamma function overflows
    return where_holds(far, exponential, scipy_kernel("beta"), x, y)


def _surplus(k: Any, mu: Any) -> Any:
    """Return u - log(1 + u) for 1 + u = mu / k; near 0 from the series in s = u / (2 + u)."""
    u = (mu - k) / k

    def near(u: Any, _: Any) -> Any:
        s = u / (2 + u)
        square = s * s
        series = np.full_like(s, 1 / 25)
        for j in range(23, 1, -2):
            series = series * square + 1 / j
        return s * (u - 2 * square * series)

    return where_holds(np.abs(u) < 0.4, near, lambda u, ratio: u - np.log(ratio), u, mu / k)


def _gamma_log_density(a: Any, z: Any) -> Any:
    def small(a: Any, z: Any) -> Any:
        return xlogy(a - 1, z) - z - scipy_kernel("gammaln")(a)

    def large(a: Any, z: Any) -> Any:
        k = a - 1
        return -k * _surplus(k, z) - np.log(2 * math.pi * k) / 2 - _remainder(k)

    return where_holds((a > LARGE) & (z > 0), large, small, a, z)


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))


# Constants become floating where 1 is added: small integers would wrap around.
# fmt: off
beta      = binary(in_double(_beta, "beta"), name="beta",
                   x=lambda g, x, y, out: -g * (out * polygamma_rise(0, x, y)),
                   y=lambda g, x, y, out: -g * (out * polygamma_rise(0, y, x)))
betaln    = binary(in_double(_log_beta, "betaln"), name="betaln",
                   x=lambda g, x, y: -g * polygamma_rise(0, x, y),
                   y=lambda g, x, y: -g * polygamma_rise(0, y, x))
zeta      = binary(scipy_kernel("zeta"),   name="zeta",
                   y=lambda g, x, y: -g * (x * zeta(floating(x, y.dtype) + 1, y)))
# (x - 1) log y - y - log Gamma(x), whose terms cancel where x is large.
gamma_log_density = binary(in_double(_gamma_log_density), name="gamma_log_density",
                   x=lambda g, x, y: g * (np.log(y) - digamma(x)),
                   y=lambda g, x, y: g * (np.where(x == 1, 0.0, (x - 1) / y) - 1))
gammainc  = binary(scipy_kernel("gammainc"),  name="gammainc",
                   y=lambda g, x, y: g * np.exp(gamma_log_density(x, y)))
gammaincc = binary(scipy_kernel("gammaincc"), name="gammaincc",
                   y=lambda g, x, y: -g * np.exp(gamma_log_density(x, y)))
# fmt: on


@primitive(
    x=lambda g, a, b, x: g * _beta_density(floating(a, x.dtype), floating(b, x.dtype), x),
    elementwise=True,
)
def betainc(a: Any, b: Any, x: Any) -> Any:
    """Return the regularized incomplete beta function, differentiable in `x`."""
    return scipy_kernel("betainc")(a, b, x)


def multigammaln(a: Any, d: int) -> Any:
    """Return the logarithm of the multivariate gamma function of dimension `d` (DLMF 35.3.4)."""
    if d != int(d) or d < 1:
        msg = f"multigammaln: wanted a positive integer dimension d, got {d!r}"
        raise ValueError(msg)
    total = d * (d - 1) / 4 * math.log(math.pi)
    for j in range(int(d)):
        total = gammaln(a - j / 2) + total
    return total
