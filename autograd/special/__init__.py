"""Special functions, with the names and arguments of `scipy.special`: one row each.

NumPy has no kernels for most of them, so SciPy computes them where it is installed (the extra
`special`); without it they raise an ImportError that says so. `erf`, `erfc`, `expit` and what is
made of elementary functions work without. float32 stays float32. Derivatives are those of the NIST
Digital Library of Mathematical Functions (dlmf.nist.gov), whose sections are named.

Orders of Bessel functions and degrees (`v`, `n`) are constants, and so is the first argument of the
incomplete gamma and beta functions: there is no elementary derivative.

Imports `calls`, `ops` and NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd._optional import require
from autograd.engine.calls import binary, holds, primitive, unary
from autograd.ops.elementwise import sinc
from autograd.ops.exponential_sums import log_softmax, logsumexp, softmax
from autograd.publication import publish as _publish
from autograd.special import erf as _erf

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "beta",
    "betainc",
    "betaln",
    "dawsn",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "exp1",
    "expi",
    "expit",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kv",
    "kve",
    "log_expit",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "rgamma",
    "softmax",
    "spence",
    "spherical_bessel_j0",
    "stdtr",
    "xlog1py",
    "xlogy",
    "y0",
    "y1",
    "yn",
    "yv",
    "zeta",
]

_SQRT_2 = math.sqrt(2.0)
_SQRT_PI = math.sqrt(math.pi)
_SQRT_2PI = math.sqrt(2.0 * math.pi)


def _scipy(name: str) -> Callable[..., Any]:
    """Return a kernel of SciPy that is imported when it is first called."""

    def kernel(*args: Any) -> Any:
        out = getattr(require("scipy.special", extra="special"), name)(*args)
        # Some of SciPy's functions take a Python number for a float64 that promotes.
        dtype = np.result_type(*args)
        return out if isinstance(out, tuple) or dtype.kind != "f" else out.astype(dtype)

    kernel.__name__ = name
    return kernel


# -- the error function and the normal distribution (DLMF 7) ---------------------------------------
# fmt: off
erf       = unary(_erf.erf,           name="erf",      x=lambda g, x: g * (2 / _SQRT_PI * np.exp(-x * x)))
erfc      = unary(_erf.erfc,          name="erfc",     x=lambda g, x: g * (-2 / _SQRT_PI * np.exp(-x * x)))
erfcx     = unary(_scipy("erfcx"),    name="erfcx",    x=lambda g, x, out: g * (2 * x * out - 2 / _SQRT_PI))
erfinv    = unary(_scipy("erfinv"),   name="erfinv",   x=lambda g, out: g * (_SQRT_PI / 2 * np.exp(out * out)))
erfcinv   = unary(_scipy("erfcinv"),  name="erfcinv",  x=lambda g, out: -g * (_SQRT_PI / 2 * np.exp(out * out)))
dawsn     = unary(_scipy("dawsn"),    name="dawsn",    x=lambda g, x, out: g * (1 - 2 * x * out))
ndtri     = unary(_scipy("ndtri"),    name="ndtri",    x=lambda g, out: g * (_SQRT_2PI * np.exp(out * out / 2)))
log_ndtr  = unary(_scipy("log_ndtr"), name="log_ndtr", x=lambda g, x, out: g * (np.exp(-x * x / 2 - out) / _SQRT_2PI))

# -- exponential integrals, dilogarithm (DLMF 6, 25.12) --------------------------------------------
exp1      = unary(_scipy("exp1"), name="exp1", x=lambda g, x: -g * (np.exp(-x) / x))
expi      = unary(_scipy("expi"), name="expi", x=lambda g, x: g * (np.exp(x) / x))
# fmt: on


def ndtr(x: Any) -> Any:
    """Return the distribution function of the standard normal distribution."""
    return 0.5 * erfc(-x / _SQRT_2)


def _spence_slope(x: Any) -> Any:
    """Return log(x) / (1 - x), with its limit -1 at 1."""
    at_one = x == 1
    return np.where(at_one, -1.0, np.log(x) / np.where(at_one, 1.0, 1 - x))


spence = unary(_scipy("spence"), name="spence", x=lambda g, x: g * _spence_slope(x))


# -- logistic and entropies ------------------------------------------------------------------------


def _expit(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1 + e)


def _log_expit(x: Any) -> Any:
    return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))


def _logit(x: Any) -> Any:
    return np.log(x / (1 - x))


def _xlogy(x: Any, y: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((x == 0) & ~np.isnan(y), 0.0, x * np.log(y))[()]


def _xlog1py(x: Any, y: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((x == 0) & ~np.isnan(y), 0.0, x * np.log1p(y))[()]


def _entr(x: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x == 0, 0.0, np.where(x < 0, -math.inf, -x * np.log(x)))[()]


# fmt: off
expit     = unary(_expit,     name="expit",     x=lambda g, out: g * (out * (1 - out)))
log_expit = unary(_log_expit, name="log_expit", x=lambda g, x: g * expit(-x))
logit     = unary(_logit,     name="logit",     x=lambda g, x: g / (x * (1 - x)))
entr      = unary(_entr,      name="entr",      x=lambda g, x: -g * (np.log(x) + 1))
xlogy     = binary(_xlogy,    name="xlogy",     x=lambda g, y: g * np.log(y),   y=lambda g, x, y: g * (x / y))
xlog1py   = binary(_xlog1py,  name="xlog1py",   x=lambda g, y: g * np.log1p(y), y=lambda g, x, y: g * (x / (1 + y)))
# fmt: on


# -- gamma and beta (DLMF 5, 8) --------------------------------------------------------------------


def _weak(value: Any, *arguments: Any) -> Any:
    """Return what was computed from Python numbers as one, so that it leaves float32 alone."""
    return value.item() if all(isinstance(a, (int, float)) for a in arguments) else value


@primitive(x=lambda g, n, x: g * polygamma(n + 1, x), nondiff=("n",), elementwise=True)
def polygamma(n: Any, x: Any) -> Any:
    """Return the n-th derivative of `digamma`; `n` is a constant."""
    return _scipy("polygamma")(n, x)


def _rgamma_slope(x: Any, out: Any) -> Any:
    """Return -psi(x) / Gamma(x), with its limit (-1)^n n! at the poles x = -n (DLMF 5.7.1)."""
    pole = (x <= 0) & (x == np.floor(x))
    if not holds(np.any(pole), traced=True):
        return -out * digamma(x)
    inside = np.where(pole, 1.0, x)
    n = np.where(pole, -x, 0.0)
    return np.where(pole, np.cos(math.pi * n) * gamma(n + 1), -out * digamma(inside))


# fmt: off
digamma   = unary(_scipy("digamma"), name="digamma", x=lambda g, x: g * polygamma(1, x))
psi       = digamma
gamma     = unary(_scipy("gamma"),   name="gamma",   x=lambda g, x, out: g * (out * digamma(x)))
gammaln   = unary(_scipy("gammaln"), name="gammaln", x=lambda g, x: g * digamma(x))
rgamma    = unary(_scipy("rgamma"),  name="rgamma",  x=lambda g, x, out: g * _rgamma_slope(x, out))
gammasgn  = unary(_scipy("gammasgn"), name="gammasgn", x=lambda g: np.zeros_like(g))
beta      = binary(_scipy("beta"),   name="beta",
                   x=lambda g, x, y, out: g * (out * (digamma(x) - digamma(x + y))),
                   y=lambda g, x, y, out: g * (out * (digamma(y) - digamma(x + y))))
betaln    = binary(_scipy("betaln"), name="betaln",
                   x=lambda g, x, y: g * (digamma(x) - digamma(x + y)),
                   y=lambda g, x, y: g * (digamma(y) - digamma(x + y)))
zeta      = binary(_scipy("zeta"),   name="zeta",    y=lambda g, x, y: -g * (x * zeta(x + 1, y)))
gammainc  = binary(_scipy("gammainc"),  name="gammainc",
                   y=lambda g, x, y: g * np.exp(xlogy(x - 1, y) - y - _weak(gammaln(x), x)))
gammaincc = binary(_scipy("gammaincc"), name="gammaincc",
                   y=lambda g, x, y: -g * np.exp(xlogy(x - 1, y) - y - _weak(gammaln(x), x)))
# fmt: on


@primitive(
    x=lambda g, a, b, x: (
        g * np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - _weak(betaln(a, b), a, b))
    ),
    elementwise=True,
)
def betainc(a: Any, b: Any, x: Any) -> Any:
    """Return the regularized incomplete beta function, differentiable in `x`."""
    return _scipy("betainc")(a, b, x)


def _t_density(df: Any, x: Any) -> Any:
    """Return the density of Student's distribution: of the normal one for infinite `df`."""
    infinite = np.isinf(df)
    if holds(np.any(infinite), traced=True):
        df = np.where(infinite, 1.0, df).astype(np.result_type(df, x.dtype))
    log_norm = _weak(betaln(0.5, df / 2), df) + 0.5 * _weak(np.log(df), df)
    density = np.exp((df + 1) * -0.5 * np.log1p(x * x / df) - log_norm)
    if not holds(np.any(infinite), traced=True):
        return density
    return np.where(infinite, np.exp(x * x * -0.5) / _SQRT_2PI, density)


stdtr = binary(_scipy("stdtr"), name="stdtr", y=lambda g, x, y: g * _t_density(x, y))


def multigammaln(a: Any, d: int) -> Any:
    """Return the logarithm of the multivariate gamma function of dimension `d` (DLMF 35.3.4)."""
    if d != int(d) or d < 1:
        msg = f"multigammaln: wanted a positive integer dimension d, got {d!r}"
        raise ValueError(msg)
    total = d * (d - 1) / 4 * math.log(math.pi)
    for j in range(int(d)):
        total = gammaln(a - j / 2) + total
    return total


# -- Bessel functions (DLMF 10.6, 10.29) -----------------------------------------------------------
# fmt: off
jv   = binary(_scipy("jv"),  name="jv",  y=lambda g, x, y: g * ((jv(x - 1, y) - jv(x + 1, y)) / 2))
yv   = binary(_scipy("yv"),  name="yv",  y=lambda g, x, y: g * ((yv(x - 1, y) - yv(x + 1, y)) / 2))
iv   = binary(_scipy("iv"),  name="iv",  y=lambda g, x, y: g * ((iv(x - 1, y) + iv(x + 1, y)) / 2))
kv   = binary(_scipy("kv"),  name="kv",  y=lambda g, x, y: g * ((kv(x - 1, y) + kv(x + 1, y)) / -2))
ive  = binary(_scipy("ive"), name="ive",
              y=lambda g, x, y, out: g * ((ive(x - 1, y) + ive(x + 1, y)) / 2 - np.sign(y) * out))
kve  = binary(_scipy("kve"), name="kve",
              y=lambda g, x, y, out: g * (out - (kve(x - 1, y) + kve(x + 1, y)) / 2))
jn, yn = jv, yv

j0   = unary(_scipy("j0"),  name="j0",  x=lambda g, x: -g * j1(x))
j1   = unary(_scipy("j1"),  name="j1",  x=lambda g, x: g * ((j0(x) - jv(2.0, x)) / 2))
y0   = unary(_scipy("y0"),  name="y0",  x=lambda g, x: -g * y1(x))
y1   = unary(_scipy("y1"),  name="y1",  x=lambda g, x: g * ((y0(x) - yv(2.0, x)) / 2))
i0   = unary(_scipy("i0"),  name="special.i0",  x=lambda g, x: g * i1(x))
i1   = unary(_scipy("i1"),  name="i1",  x=lambda g, x: g * ((i0(x) + iv(2.0, x)) / 2))
i0e  = unary(_scipy("i0e"), name="i0e", x=lambda g, x, out: g * (i1e(x) - np.sign(x) * out))
i1e  = unary(_scipy("i1e"), name="i1e", x=lambda g, x, out: g * ((i0e(x) + ive(2.0, x)) / 2 - np.sign(x) * out))
k0   = unary(_scipy("k0"),  name="k0",  x=lambda g, x: -g * k1(x))
k1   = unary(_scipy("k1"),  name="k1",  x=lambda g, x: g * ((k0(x) + kv(2.0, x)) / -2))
k0e  = unary(_scipy("k0e"), name="k0e", x=lambda g, x, out: g * (out - k1e(x)))
k1e  = unary(_scipy("k1e"), name="k1e", x=lambda g, x, out: g * (out - (k0e(x) + kve(2.0, x)) / 2))
# fmt: on
bessel_j0, bessel_j1, bessel_y0, bessel_y1 = j0, j1, y0, y1


def spherical_bessel_j0(x: Any) -> Any:
    """Return sin(x) / x."""
    return sinc(x / math.pi)


def _airy(part: int) -> Callable[[Any], Any]:
    return lambda x: _scipy("airy")(x)[part]


# The Airy equation: Ai'' = x Ai (DLMF 9.2.1).
airy_ai = unary(_airy(0), name="airy_ai", x=lambda g, x: g * _airy_ai_slope(x))
_airy_ai_slope = unary(_airy(1), name="airy_ai_slope", x=lambda g, x: g * (x * airy_ai(x)))

_publish(__name__)
