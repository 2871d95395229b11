"""Functions of one or several numbers, their references in `mpmath`, and where they are compared.

An `Entry` is a function of `autograd` or `nn`, elementwise in each of its operands, beside the same
function in multiple precision. `tests/autograd/test_accuracy.py` compares the value and the first
and second derivative with respect to each operand, in float64 and float32: each of these is a cell.
The points are numbers of float32, so that both precisions share the references, and numbers of
float64 beyond its range; they cover the whole domain.

What is allowed: `UNITS` units in the last place of the result, as well as what as many units in the
last place of an operand do to it (conditioning), which is nothing where the entry is `strict`:
differences of operands decide there, and differences are exact.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp
import numpy as np

import autograd
import nn
from autograd import special, stats

F = nn.functional


class Entry:
    """A function, its reference and where to compare them.

    Attributes:
        name: of the function; the cells of several operands add theirs in brackets.
        function: of arrays or Variables, elementwise.
        reference: the same of numbers of `mpmath`.
        points: tuples of operands.
        operands: names of those that are differentiated, by place; None where one is a constant.
        orders: how many derivatives are compared, the value included: 2 where the second is 0.
        strict: whether errors of operands are no excuse.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        reference: Callable[..., Any],
        points: Sequence[Any],
        operands: str = "x",
        *,
        orders: int = 3,
        strict: bool = False,
    ) -> None:
        self.name = name
        self.function = function
        self.reference = reference
        self.points = [p if isinstance(p, tuple) else (p,) for p in points]
        self.operands = operands.split()
        self.orders = orders
        self.strict = strict

    def cells(self) -> list[tuple[str, int]]:
        """Return names, and the place of the operand that is differentiated."""
        chosen = [(i, o) for i, o in enumerate(self.operands) if not o.startswith("_")]
        if len(self.operands) == 1:
            return [(self.name, 0)]
        return [(f"{self.name}[{o}]", i) for i, o in chosen]


# -- where -----------------------------------------------------------------------------------------


def single(*values: float) -> list[float]:
    """Round to float32 what lies within its range."""
    return [float(np.float32(v)) if 1e-37 < abs(v) < 1e38 else float(v) for v in values]


def both(values: Sequence[float]) -> list[float]:
    return [-v for v in reversed(values)] + list(values)


def up_to(limit: float, values: Sequence[float], least: float = 0.0) -> list[float]:
    return [v for v in values if least <= abs(v) <= limit]


POSITIVE = single(
    1e-300, 1e-105, 1e-30, 1e-20, 1.1e-8, 1.7e-5, 1.3e-3, 0.021, 0.13, 0.37, 0.72, 1.3, 2.1, 3.3,
    5.6, 9.2, 17, 42, 95, 310, 1.1e3, 2.3e4, 1.2e6, 1.3e8, 1.1e10, 1.4e15, 1e20, 1e30, 1e60, 1e100,
    1e154, 1e200, 1e300,
)  # fmt: skip
REAL = both(POSITIVE)
MODERATE = both(up_to(1e20, POSITIVE, 1e-30))
FEW = single(1e-20, 1.7e-5, 0.021, 0.37, 1.3, 3.3, 9.2, 42, 310, 2.3e4, 1.3e8, 1e20)
UNIT = single(1e-30, 1e-20, 1.1e-8, 1.7e-5, 1.3e-3, 0.021, 0.13, 0.37, 0.49, 0.72, 0.93, 0.996)
UNIT += [1 - 2.0**-12, 1 - 2.0**-23, 1 - 2.0**-40, 1 - 2.0**-53]
PROBABILITY = [*UNIT, 0.5 + 2.0**-10, 0.5 - 2.0**-20, 0.5 + 2.0**-33, 0.5 + 2.0**-50, 1e-300]
BEYOND_ONE = [1 + 2.0**-52, 1 + 2.0**-30, 1 + 2.0**-22, *up_to(1e300, POSITIVE, 1.0)]
NEAR_ONE = [1 + s * 2.0**-k for k in (52, 40, 22, 10, 5) for s in (-1, 1)] + [1.0]


def pairs(xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float]]:
    return list(itertools.product(xs, ys))


# Far from 0, near each other.
CLOSE = [
    (x, x + d)
    for x in single(-1e30, -1e15, -1e8, -1e4, 0.0, 3.0, 1e4, 1e7, 1e15)
    for d in single(-30.0, -2.0, 0.0, 0.5, 8.0, 100.0)
] + [(1e8, 1e8 + 1), (1e7, 1e7 + 3), (0.0, 1e-8), (-1e-20, 0.0), (3e5, -3e5)]

# -- references ------------------------------------------------------------------------------------

one, two, half = mp.mpf(1), mp.mpf(2), mp.mpf(1) / 2


def logistic(x):
    return 1 / (1 + mp.exp(-x))


def softplus(x):
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def log_normal_cdf(x):
    return mp.log(normal_cdf(x)) if x < 0 else mp.log1p(-normal_cdf(-x))


def normal_logpdf(z):
    return -z * z / 2 - mp.log(2 * mp.pi) / 2


def inverse_erf(p, q):
    """Return y with erf(y) = p, where q = 1 - p."""
    with mp.workdps(mp.mp.dps + int(-2 * mp.log10(min(1 + p, q)) + 20)):
        return +mp.erfinv(p)


def bessel_k(v, x):
    """Return K_v(x), for whole v from its integral: mpmath's limit takes a second."""
    return mp.besselk(v, x) if v != int(v) or x > 500 else bessel_k_integral(v, x, mp.mp.dps)


@functools.cache
def bessel_k_integral(v, x, dps):
    digits = 2.4 * dps
    h = mp.pi**2 / digits / max(1, mp.sqrt(x))  # the error of the trapezoidal rule is exp(-digits)
    end = mp.acosh(1 + digits / x)
    points = (i * h for i in range(1, int(end / h) + 1))
    total = mp.exp(-x) / 2 + mp.fsum(mp.exp(-x * mp.cosh(t)) * mp.cosh(v * t) for t in points)
    return h * total


def student_tail(df, x):
    """Return the distribution function at -|x|."""
    return mp.betainc(df / 2, half, 0, df / (df + x * x), regularized=True) / 2


def student_cdf(df, x):
    return student_tail(df, x) if x < 0 else 1 - student_tail(df, x)


def student_logpdf(x, df):
    norm = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(df * mp.pi) / 2
    return norm - (df + 1) / 2 * mp.log1p(x * x / df)


def gamma_logpdf(z, a):
    return (a - 1) * mp.log(z) - z - mp.loggamma(a)


def beta_logpdf(z, a, b):
    norm = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
    return (a - 1) * mp.log(z) + (b - 1) * mp.log1p(-z) - norm


def scaled(logpdf):
    """Return the log-density of (x, ..., loc, scale)."""
    return lambda x, *rest: logpdf((x - rest[-2]) / rest[-1], *rest[:-2]) - mp.log(rest[-1])


def exponential(f):
    return lambda *args: mp.exp(f(*args))


def at(cdf):
    """Return the distribution function of (x, ..., loc, scale)."""
    return lambda x, *rest: cdf((x - rest[-2]) / rest[-1], *rest[:-2])


def log_abs(f):
    return lambda *args: mp.log(abs(f(*args)))


def logsumexp(*xs):
    top = max(xs)
    return top + mp.log(mp.fsum(mp.exp(x - top) for x in xs))


def share(*xs):
    return mp.exp(xs[0] - logsumexp(*xs))


def elu(x, alpha=1, scale=1, rate=1):
    return scale * (x if x > 0 else alpha * mp.expm1(rate * x))


def gelu_tanh(x):
    u = mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)
    return x * logistic(2 * u)


def tanhshrink(x):
    with mp.workdps(mp.mp.dps + 650):
        return x - mp.tanh(x)


def stacked(f, **kwargs):
    """Return what `f` makes of a vector of numbers; of a result that is one, its first element."""

    def function(*xs):
        out = f(autograd.stack(xs, axis=-1), axis=-1, **kwargs)
        return out[..., 0] if out.ndim > xs[0].ndim else out

    return function


def last(f):
    return lambda *xs: f(autograd.stack(xs, axis=-1), axis=-1)[..., -1]


def mean_of(xs):
    return mp.fsum(xs) / len(xs)


def variance(*xs):
    m = mean_of(xs)
    return mp.fsum((x - m) ** 2 for x in xs) / len(xs)


def p_norm(p):
    return lambda *xs: mp.fsum(abs(x) ** p for x in xs) ** (one / p)


# -- elementary functions --------------------------------------------------------------------------


def _np(name, reference, points=REAL, **options):
    return Entry(name, getattr(autograd, name), reference, points, **options)


TURNS = [*MODERATE, 1e100, -1e300]
ELEMENTARY = [
    _np("negative", lambda x: -x),
    _np("absolute", abs),
    _np("fabs", abs),
    _np("reciprocal", lambda x: 1 / x),
    _np("square", lambda x: x * x),
    _np("sqrt", mp.sqrt, POSITIVE),
    _np("cbrt", lambda x: mp.sign(x) * mp.cbrt(abs(x))),
    _np("exp", mp.exp),
    _np("exp2", lambda x: two**x),
    _np("expm1", mp.expm1),
    _np("log", mp.log, POSITIVE + NEAR_ONE),
    _np("log2", lambda x: mp.log(x) / mp.log(2), POSITIVE + NEAR_ONE),
    _np("log10", lambda x: mp.log(x) / mp.log(10), POSITIVE + NEAR_ONE),
    _np("log1p", mp.log1p, [*POSITIVE, *(-x for x in UNIT)]),
    _np("sin", mp.sin, TURNS),
    _np("cos", mp.cos, TURNS),
    _np("tan", mp.tan, TURNS),
    _np("arcsin", mp.asin, both(UNIT)),
    _np("arccos", mp.acos, both(UNIT)),
    _np("arctan", mp.atan),
    _np("sinh", mp.sinh),
    _np("cosh", mp.cosh),
    _np("tanh", mp.tanh),
    _np("arcsinh", mp.asinh),
    _np("arccosh", mp.acosh, BEYOND_ONE),
    _np("arctanh", mp.atanh, both(UNIT)),
    _np("degrees", lambda x: x * 180 / mp.pi),
    _np("radians", lambda x: x * mp.pi / 180),
    _np("sinc", lambda x: mp.sin(mp.pi * x) / (mp.pi * x), both(up_to(400, POSITIVE))),
    _np("multiply", lambda x, y: x * y, pairs(both(FEW[1::2]), FEW[::2]), operands="x y"),
    _np("divide", lambda x, y: x / y, pairs(both(FEW[1::2]), FEW[::2]), operands="x y"),
    _np(
        "power",
        lambda x, y: x**y,
        pairs(FEW, single(-300, -17, -2.5, -1, -0.3, 0.4, 1, 2, 3, 7.5, 40, 1e8)),
        operands="x y",
    ),
    _np(
        "hypot",
        mp.hypot,
        [
            *pairs(both(FEW[1::2]), FEW[::2]),
            (1e5, 1.0),
            (1e200, 1e200),
            (1e-200, 3e-200),
            (1e300, 1.0),
        ],
        operands="x y",
    ),
    _np(
        "arctan2",
        mp.atan2,
        [*pairs(both(FEW[1::2]), FEW[::2]), (1e200, 1e200), (1e-200, 3e-200), (1e300, -1.0)],
        operands="x y",
    ),
    _np("logaddexp", logsumexp, CLOSE, operands="x y", strict=True),
    _np(
        "logaddexp2",
        lambda x, y: logsumexp(x * mp.log(2), y * mp.log(2)) / mp.log(2),
        CLOSE,
        operands="x y",
        strict=True,
    ),
    _np("sec", mp.sec, TURNS),
    _np("csc", mp.csc, TURNS),
    _np("cot", mp.cot, TURNS),
    _np("sech", mp.sech),
    _np("csch", mp.csch),
    _np("coth", mp.coth),
    _np("arcsec", mp.asec, both(BEYOND_ONE)),
    _np("arccsc", mp.acsc, both(BEYOND_ONE)),
    _np("arccot", lambda x: mp.atan(1 / x)),
    _np("arcsech", mp.asech, UNIT),
    _np("arccsch", mp.acsch),
    _np("arccoth", mp.acoth, both(BEYOND_ONE)),
]

# -- special functions -----------------------------------------------------------------------------


def _sp(name, reference, points, **options):
    return Entry(f"special.{name}", getattr(special, name), reference, points, **options)


def order(name, reference, v, points):
    """Return the entry of a function whose first argument is a constant."""
    f = getattr(special, name)
    return Entry(f"special.{name}({v:g})", lambda x: f(v, x), lambda x: reference(v, x), points)


SMALL_AND_LARGE = up_to(1e10, POSITIVE, 1e-30)
BESSEL = single(1e-20, 1.7e-5, 0.021, 0.37, 1.3, 2.1, 3.3, 5.6, 9.2, 14, 17, 25, 42, 95, 310, 1.1e3)
BESSEL += single(2.3e4, 1.2e6, 1.3e8)
POLES = single(*(n + s * d for n in (0, -1, -2, -5) for s in (-1, 1) for d in (0.4, 0.03, 1e-3)))
POLES += [n + s * 2.0**-k for n in (-1, -2) for s in (-1, 1) for k in (20, 33, 45)]
POLES += single(1e-8, -1e-8, 1e-20, -1e-20)
SHAPES = pairs(
    single(1e-20, 1e-5, 0.021, 0.37, 1.3, 9.2, 42, 2.3e4, 1.3e8), single(1e-5, 0.37, 3.25, 42, 1e8)
)
SPECIAL = [
    _sp("erf", mp.erf, both(up_to(1e8, POSITIVE))),
    _sp("erfc", mp.erfc, both(up_to(1e8, POSITIVE))),
    _sp("erfcx", lambda x: mp.exp(x * x) * mp.erfc(x), [*up_to(1e15, POSITIVE), -0.3, -2.1, -5.6]),
    _sp("erfinv", lambda p: inverse_erf(p, 1 - p), both(UNIT)),
    _sp("erfcinv", lambda q: inverse_erf(1 - q, q), [*UNIT, 1.05, 1 + 2.0**-20]),
    _sp(
        "dawsn",
        lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
        both(up_to(1e15, [*POSITIVE, 4.5, 7.0])),
    ),
    _sp("ndtr", normal_cdf, both(up_to(1e8, POSITIVE))),
    _sp("ndtri", lambda p: mp.sqrt(2) * inverse_erf(2 * p - 1, 2 * (1 - p)), PROBABILITY[:-1]),
    _sp("log_ndtr", log_normal_cdf, both(up_to(1e10, [*POSITIVE, 20, 50, 1e3, 1e5]))),
    _sp("exp1", mp.e1, up_to(1e8, POSITIVE, 1e-30)),
    _sp("expi", mp.ei, both(up_to(1e8, POSITIVE, 1e-30))),
    _sp("spence", lambda x: mp.re(mp.polylog(2, 1 - x)), [*up_to(1e20, POSITIVE), *NEAR_ONE]),
    _sp("expit", logistic, REAL),
    _sp("log_expit", lambda x: -softplus(-x), REAL),
    _sp("logit", lambda x: mp.log(x) - mp.log1p(-x), PROBABILITY),
    _sp("entr", lambda x: -x * mp.log(x), POSITIVE + NEAR_ONE),
    _sp("xlogy", lambda x, y: x * mp.log(y), pairs(both(FEW[1::2]), FEW[::2]), operands="x y"),
    _sp("xlog1py", lambda x, y: x * mp.log1p(y), pairs(both(FEW[1::2]), FEW[::2]), operands="x y"),
    _sp("digamma", mp.digamma, SMALL_AND_LARGE + POLES),
    _sp("gamma", mp.gamma, up_to(160, SMALL_AND_LARGE) + POLES),
    _sp("gammaln", log_abs(mp.gamma), SMALL_AND_LARGE + POLES),
    _sp("rgamma", mp.rgamma, up_to(160, SMALL_AND_LARGE) + POLES),
    order("polygamma", lambda n, x: mp.psi(int(n), x), 1, SMALL_AND_LARGE),
    order("polygamma", lambda n, x: mp.psi(int(n), x), 3, SMALL_AND_LARGE),
    _sp("beta", mp.beta, SHAPES, operands="x y"),
    _sp("betaln", log_abs(mp.beta), SHAPES, operands="x y"),
    Entry(
        "special.multigammaln(3)",
        lambda a: special.multigammaln(a, 3),
        lambda a: mp.fsum([mp.log(mp.pi) * 3 / 2, *(mp.loggamma(a - half * j) for j in range(3))]),
        single(1.001, 1.3, 2.5, 9.2, 310, 2.3e4, 1.3e8),
    ),
    order("zeta", mp.zeta, 2.5, up_to(1e8, POSITIVE, 1e-20)),
    order("zeta", mp.zeta, 1.0625, up_to(1e8, POSITIVE, 1e-5)),
    *[
        order("gammainc", lambda a, x: mp.gammainc(a, 0, x, regularized=True), a, up_to(400, FEW))
        for a in (0.375, 1.75, 42.0)
    ],
    *[
        order("gammaincc", lambda a, x: mp.gammainc(a, x, regularized=True), a, up_to(400, FEW))
        for a in (0.375, 1.75, 42.0)
    ],
    *[
        Entry(
            f"special.betainc({a:g}, {b:g})",
            lambda x, a=a, b=b: special.betainc(a, b, x),
            lambda x, a=a, b=b: mp.betainc(a, b, 0, x, regularized=True),
            UNIT[1:-4],
        )
        for a, b in ((0.375, 2.5), (1.75, 0.5), (12.0, 7.0))
    ],
    *[order("stdtr", student_cdf, df, both(up_to(1e8, FEW))) for df in (1.0, 2.5, 100.0)],
    *[order("jv", mp.besselj, v, BESSEL) for v in (1.5, 4.0)],
    *[order("yv", mp.bessely, v, BESSEL) for v in (1.5, 3.25)],
    *[order("iv", mp.besseli, v, up_to(600, BESSEL)) for v in (1.5, 4.0)],
    *[order("kv", bessel_k, v, up_to(600, BESSEL)) for v in (1.5, 4.0)],
    *[order("ive", lambda v, x: mp.exp(-x) * mp.besseli(v, x), v, BESSEL) for v in (0.25, 1.5, 4)],
    *[order("kve", lambda v, x: mp.exp(x) * bessel_k(v, x), v, BESSEL) for v in (0.25, 1.5, 4)],
    _sp("j0", lambda x: mp.besselj(0, x), both(BESSEL)),
    _sp("j1", lambda x: mp.besselj(1, x), both(BESSEL)),
    _sp("y0", lambda x: mp.bessely(0, x), BESSEL[::2]),
    _sp("y1", lambda x: mp.bessely(1, x), BESSEL[1::2]),
    _sp("i0", lambda x: mp.besseli(0, x), both(up_to(600, BESSEL))),
    _sp("i1", lambda x: mp.besseli(1, x), both(up_to(600, BESSEL))),
    _sp("k0", lambda x: bessel_k(0, x), up_to(600, BESSEL)),
    _sp("k1", lambda x: bessel_k(1, x), up_to(600, BESSEL)),
    _sp("i0e", lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), both(BESSEL)),
    _sp("i1e", lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), both(BESSEL)),
    _sp("k0e", lambda x: mp.exp(x) * bessel_k(0, x), BESSEL),
    _sp("k1e", lambda x: mp.exp(x) * bessel_k(1, x), BESSEL),
    _sp("spherical_bessel_j0", lambda x: mp.sin(x) / x, both(BESSEL)),
    _sp("airy_ai", mp.airyai, both(up_to(100, BESSEL))),
]

# -- exponentials that sum, norms, statistics: of vectors ------------------------------------------

TRIPLES = [(x, y, x + d) for (x, y), d in zip(CLOSE, itertools.cycle([-3.0, 0.0, 1.0, 25.0]))]
TRIPLES = [t for t in TRIPLES if all(float(np.float64(v)) == v for v in t)]
SPREAD = [
    (1.3, -2.1, 0.37), (1e5, 1.0, -2.0), (1e-5, 1.0, 2.0), (3e8, 1.0, 5.0), (1.1e10, -1e10, 1e10),
    (2.0, 3.0, 4.0), (1e-8, 2e-8, -1e-8), (0.021, 42.0, 310.0),
]  # fmt: skip
SPREAD = [tuple(single(*t)) for t in SPREAD]
NAMES = "a b c"
VECTORS = [
    Entry("logsumexp", stacked(autograd.logsumexp), logsumexp, TRIPLES, NAMES, strict=True),
    Entry("softmax", stacked(autograd.softmax), share, TRIPLES, NAMES, strict=True),
    Entry(
        "log_softmax",
        stacked(autograd.log_softmax),
        lambda *xs: xs[0] - logsumexp(*xs),
        TRIPLES,
        NAMES,
        strict=True,
    ),
    Entry(
        "softmin",
        stacked(F.softmin),
        lambda *xs: share(*[-x for x in xs]),
        TRIPLES,
        NAMES,
        strict=True,
    ),
    Entry("logcumsumexp", last(autograd.logcumsumexp), logsumexp, TRIPLES, NAMES, strict=True),
    Entry(
        "logsumexp(b)",
        stacked(autograd.logsumexp, b=np.array([1.0, 3.0, 0.5], np.float32)),
        lambda a, b, c: logsumexp(a, b + mp.log(3), c - mp.log(2)),
        TRIPLES,
        NAMES,
        strict=True,
    ),
    *[
        Entry(f"linalg.norm({p:g})", stacked(autograd.linalg.norm, ord=p), p_norm(p), SPREAD, NAMES)
        for p in (2, 3, 1.5)
    ],
    Entry("var", stacked(autograd.var), variance, SPREAD, NAMES),
    Entry("std", stacked(autograd.std), lambda *xs: mp.sqrt(variance(*xs)), SPREAD, NAMES),
    Entry("mean", stacked(autograd.mean), lambda *xs: mean_of(xs), SPREAD, NAMES),
    Entry(
        "prod",
        stacked(autograd.prod),
        lambda a, b, c: a * b * c,
        [*SPREAD, (2.0, 1e-310, 5.0), tuple(single(1e-20, 1e-15, 3e-10))],
        NAMES,
        orders=2,
    ),
    Entry(
        "cumprod",
        last(autograd.cumprod),
        lambda a, b, c: a * b * c,
        [*SPREAD, (1e-300, 1e-15, 1e15), tuple(single(1e-30, 1e-10, 3e10))],
        NAMES,
        orders=2,
    ),
]

# -- distributions ---------------------------------------------------------------------------------

LOCATION = "x loc scale"
NORMAL_AT = [
    *((x, 0.0, 1.0) for x in both(single(1e-8, 0.021, 0.37, 1.3, 5.6, 12, 20, 35, 50, 1e3, 1e5))),
    *(tuple(single(*p)) for p in ((1.3, 0.4, 2.5), (1e5, 99998.5, 0.7), (1.0, 0.0, 1e-13))),
    *((1.0, 0.0, s) for s in (1e-105, 1e10)),
]
GAMMA_AT = [
    tuple(single(*p))
    for p in (
        (1.3, 2.5, 0.0, 1.0), (0.021, 0.37, 0.0, 1.0), (1.0, 1e-8, 0.0, 1.0),
        (1.0, 1e-20, 0.0, 1.0), (42.0, 40.0, 0.4, 1.3), (2.3e4, 2.3e4, 0.0, 1.0),
        (95.0, 2.5, 0.0, 1.0), (1.7e-5, 3.3, 0.0, 2.0), (1e3, 0.5, 0.0, 3.0),
    )
] + [(1.0, 2.5, 0.0, 1e-105)]  # fmt: skip
BETA_AT = [
    tuple(single(*p))
    for p in (
        (0.3, 2.5, 1.3, 0.0, 1.0), (0.021, 0.37, 0.4, 0.0, 1.0), (0.5, 1e-8, 2.0, 0.0, 1.0),
        (0.5, 1e-20, 1e-15, 0.0, 1.0), (0.7, 1e-10, 3.0, 0.1, 1.3), (0.5, 310.0, 300.0, 0.0, 1.0),
        (0.996, 2e4, 95.0, 0.0, 1.0), (1.7e-5, 1.3, 1.1e3, 0.0, 1.0), (0.3, 1e-5, 1e8, 0.0, 1.0),
    )
]  # fmt: skip
T_AT = [
    tuple(single(*p))
    for p in (
        (1.3, 2.5, 0.0, 1.0), (0.37, 0.02, 0.0, 1.0), (1.0, 100, 0, 1), (1.0, 1e3, 0, 1),
        (1.0, 1e4, 0, 1), (1.0, 1e8, 0, 1), (-3.3, 1e15, 0.2, 1.1), (1e5, 4.5, 0, 1),
        (-50, 100, 0, 1), (1e10, 0.7, 0, 1), (-1e20, 2.5, 0, 1), (1e-8, 7.5, 0, 1),
        (9.2, 42, 1.5, 0.6),
    )
] + [(1e160, 1.5, 0.0, 1.0), (1.0, 0.5, 0.0, 1e-60)]  # fmt: skip
T_TAIL = [p for p in T_AT[::2] if abs(p[0]) < 1e150 and p[1] < 1e5] + [
    (-1e5, 100.0, 0.0, 1.0),
    (-40.0, 1e4, 0.0, 1.0),
]


def t_logcdf(z, df):
    return mp.log(student_tail(df, z)) if z < 0 else mp.log1p(-student_tail(df, z))


DISTRIBUTIONS = [
    Entry("norm.logpdf", stats.norm.logpdf, scaled(normal_logpdf), NORMAL_AT, LOCATION),
    Entry("norm.pdf", stats.norm.pdf, exponential(scaled(normal_logpdf)), NORMAL_AT, LOCATION),
    Entry("norm.cdf", stats.norm.cdf, at(normal_cdf), NORMAL_AT, LOCATION),
    Entry("norm.sf", stats.norm.sf, at(lambda z: normal_cdf(-z)), NORMAL_AT, LOCATION),
    Entry("norm.logcdf", stats.norm.logcdf, at(log_normal_cdf), NORMAL_AT, LOCATION),
    Entry("norm.logsf", stats.norm.logsf, at(lambda z: log_normal_cdf(-z)), NORMAL_AT, LOCATION),
    Entry("t.logpdf", stats.t.logpdf, scaled(student_logpdf), T_AT, "x df loc scale"),
    Entry("t.pdf", stats.t.pdf, exponential(scaled(student_logpdf)), T_AT, "x df loc scale"),
    Entry("t.cdf", stats.t.cdf, at(lambda z, df: student_cdf(df, z)), T_TAIL, "x _df loc scale"),
    Entry("t.logcdf", stats.t.logcdf, at(t_logcdf), T_TAIL, "x _df loc scale"),
    Entry("gamma.logpdf", stats.gamma.logpdf, scaled(gamma_logpdf), GAMMA_AT, "x a loc scale"),
    Entry(
        "gamma.pdf", stats.gamma.pdf, exponential(scaled(gamma_logpdf)), GAMMA_AT, "x a loc scale"
    ),
    Entry(
        "gamma.cdf",
        stats.gamma.cdf,
        at(lambda z, a: mp.gammainc(a, 0, z, regularized=True)),
        [p for p in GAMMA_AT if p[0] < 1e4 and p[1] > 1e-7],
        "x _a loc scale",
    ),
    Entry(
        "chi2.logpdf",
        stats.chi2.logpdf,
        lambda x, df, loc, scale: scaled(gamma_logpdf)(x, df / 2, loc, 2 * scale),
        GAMMA_AT,
        "x df loc scale",
    ),
    Entry(
        "chi2.pdf",
        stats.chi2.pdf,
        lambda x, df, loc, scale: mp.exp(scaled(gamma_logpdf)(x, df / 2, loc, 2 * scale)),
        GAMMA_AT,
        "x df loc scale",
    ),
    Entry("beta.logpdf", stats.beta.logpdf, scaled(beta_logpdf), BETA_AT, "x a b loc scale"),
    Entry("beta.pdf", stats.beta.pdf, exponential(scaled(beta_logpdf)), BETA_AT, "x a b loc scale"),
    Entry(
        "beta.cdf",
        stats.beta.cdf,
        at(lambda z, a, b: mp.betainc(a, b, 0, z, regularized=True)),
        [p for p in BETA_AT if p[1] > 1e-4],
        "x _a _b loc scale",
    ),
    Entry(
        "poisson.logpmf",
        stats.poisson.logpmf,
        lambda k, mu: k * mp.log(mu) - mu - mp.loggamma(k + 1),
        pairs([0.0, 1.0, 7.0, 300.0], single(1e-20, 0.021, 1.3, 9.2, 310, 2.3e4)),
        "_k mu",
    ),
    Entry(
        "poisson.pmf",
        stats.poisson.pmf,
        lambda k, mu: mp.exp(k * mp.log(mu) - mu - mp.loggamma(k + 1)),
        pairs([0.0, 1.0, 7.0, 300.0], single(1e-20, 0.021, 1.3, 9.2, 310, 2.3e4)),
        "_k mu",
    ),
    Entry(
        "poisson.cdf",
        stats.poisson.cdf,
        lambda k, mu: mp.gammainc(k + 1, mu, regularized=True),
        pairs([0.0, 1.0, 7.0, 300.0], single(0.021, 1.3, 9.2, 310)),
        "_k mu",
    ),
    Entry(
        "multivariate_normal.logpdf",
        lambda x, m, v: autograd.stack(
            [stats.multivariate_normal.logpdf(x[i], m[i], v[i]) for i in range(len(x))]
        ),
        lambda x, m, v: -((x - m) ** 2) / v / 2 - mp.log(2 * mp.pi * v) / 2,
        [tuple(single(*p)) for p in ((1.3, 0.4, 2.5), (1e5, 99998.5, 0.7), (3.0, 1.0, 1e-8))],
        "x mean cov",
    ),
]

# -- activations and losses ------------------------------------------------------------------------


def _nn(name, reference, points=REAL, **options):
    return Entry(f"nn.{name}", getattr(F, name), reference, points, **options)


LOGITS = pairs(both(up_to(1e8, FEW)), single(0.0, 0.13, 0.5, 0.996, 1.0))
TARGETS = pairs(
    [p for p in PROBABILITY if 1e-9 < p < 1 - 1e-9] + single(1e-11), single(0.0, 0.13, 0.5, 1.0)
)
ERRORS = [(x, x + d) for x in single(-1e5, 0.0, 3.0) for d in single(-5.0, -0.75, 1e-3, 0.5, 20.0)]


def cross_entropy(a, b, c):
    return F.cross_entropy(
        autograd.stack((a, b, c), axis=-1), np.zeros(len(a), int), reduction="none"
    )


NETWORKS = [
    _nn("sigmoid", logistic),
    _nn("logsigmoid", lambda x: -softplus(-x)),
    _nn("silu", lambda x: x * logistic(x)),
    _nn("mish", lambda x: x * mp.tanh(softplus(x))),
    _nn("softsign", lambda x: x / (1 + abs(x))),
    _nn("tanhshrink", tanhshrink),
    _nn("gelu", lambda x: x * normal_cdf(x), both(up_to(1e30, POSITIVE))),
    Entry("nn.gelu(tanh)", lambda x: F.gelu(x, "tanh"), gelu_tanh, both(up_to(1e30, POSITIVE))),
    _nn("elu", elu),
    _nn(
        "selu",
        lambda x: elu(x, mp.mpf("1.6732632423543772848"), mp.mpf("1.0507009873554804934")),
    ),
    Entry("nn.celu(0.5)", lambda x: F.celu(x, 0.5), lambda x: elu(x, half, 1, 2), REAL),
    Entry(
        "nn.softplus",
        lambda x: F.softplus(x, threshold=np.inf),
        softplus,
        REAL,
    ),
    Entry(
        "nn.softplus(2)",
        lambda x: F.softplus(x, 2.0, np.inf),
        lambda x: softplus(2 * x) / 2,
        REAL,
    ),
    Entry(
        "nn.binary_cross_entropy",
        lambda x, y: F.binary_cross_entropy(x, y, reduction="none"),
        lambda x, y: -y * mp.log(x) - (1 - y) * mp.log1p(-x),
        TARGETS,
        "x y",
    ),
    Entry(
        "nn.binary_cross_entropy_with_logits",
        lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none"),
        lambda x, y: y * softplus(-x) + (1 - y) * softplus(x),
        LOGITS,
        "x y",
    ),
    Entry(
        "nn.binary_cross_entropy_with_logits(pos_weight)",
        lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none", pos_weight=3.0),
        lambda x, y: 3 * y * softplus(-x) + (1 - y) * softplus(x),
        LOGITS,
        "x y",
    ),
    Entry(
        "nn.cross_entropy",
        cross_entropy,
        lambda *xs: logsumexp(*xs) - xs[0],
        [t for t in TRIPLES if abs(t[0]) < 1e20],
        NAMES,
        strict=True,
    ),
    Entry(
        "nn.mse_loss",
        lambda x, y: F.mse_loss(x, y, "none"),
        lambda x, y: (x - y) ** 2,
        ERRORS,
        "x y",
        strict=True,
    ),
    Entry(
        "nn.huber_loss",
        lambda x, y: F.huber_loss(x, y, "none"),
        lambda x, y: (x - y) ** 2 / 2 if abs(x - y) < 1 else abs(x - y) - half,
        ERRORS,
        "x y",
        strict=True,
    ),
    Entry(
        "nn.smooth_l1_loss",
        lambda x, y: F.smooth_l1_loss(x, y, "none", 0.25),
        lambda x, y: 2 * (x - y) ** 2 if abs(x - y) < 0.25 else abs(x - y) - one / 8,
        ERRORS,
        "x y",
        strict=True,
    ),
    Entry(
        "nn.kl_div",
        lambda x, y: F.kl_div(x, y, "none"),
        lambda x, y: y * (mp.log(y) - x),
        pairs(single(-30.0, -2.1, -0.37, -1e-8), UNIT),
        "x y",
    ),
    Entry(
        "nn.normalize",
        stacked(F.normalize),
        lambda *xs: xs[0] / p_norm(2)(*xs),
        SPREAD,
        NAMES,
    ),
    Entry(
        "nn.layer_norm",
        lambda *xs: F.layer_norm(autograd.stack(xs, axis=-1), 3, eps=0.0)[..., 0],
        lambda *xs: (xs[0] - mean_of(xs)) / mp.sqrt(variance(*xs)),
        SPREAD,
        NAMES,
    ),
    Entry(
        "nn.rms_norm",
        lambda *xs: F.rms_norm(autograd.stack(xs, axis=-1), 3, eps=0.0)[..., 0],
        lambda *xs: xs[0] / mp.sqrt(mp.fsum(x * x for x in xs) / 3),
        SPREAD,
        NAMES,
    ),
]

ENTRIES = [*ELEMENTARY, *SPECIAL, *VECTORS, *DISTRIBUTIONS, *NETWORKS]

# -- what is not good ------------------------------------------------------------------------------


def exceptions() -> dict[str, str]:
    """Return {cell: reason}; a cell is "name order bits"."""
    return {
        f"{name} {order} {bits}": reason
        for reason, cells in NOT_GOOD.items()
        for names, orders, precisions in cells
        for name in names.split(", ")
        for order in orders
        for bits in precisions
    }


BOTH = (32, 64)
BY_RELEASE = "SciPy's value, which is good in some of its releases"
NOT_GOOD: dict[str, list[tuple[str, tuple[int, ...], tuple[int, ...]]]] = {
    "1 - tanh(x)^2 and s (1 - s) are 0 where the function has reached its limit; forms without "
    "cancellation take an exponential, half of the time again": [
        ("tanh, nn.sigmoid", (1, 2), BOTH),
        ("nn.silu, nn.mish, nn.tanhshrink", (2,), BOTH),
        ("softmin[a]", (1, 2), BOTH),
        ("softmin[c]", (2,), (64,)),
    ],
    "as PyTorch's x (1 + tanh(u)) / 2, which is 0 from x = -8 (-5.5 in float32) on; float32 has a "
    "fast tanh and no fast exponential": [("nn.gelu(tanh)", (0, 1, 2), BOTH)],
    "as PyTorch's x - tanh(x), which cancels near 0": [("nn.tanhshrink", (0,), BOTH)],
    "composed of a sum and its logarithm: a share p near 1 has the slope p - p^2": [
        ("logcumsumexp[b], logcumsumexp[c], logsumexp(b)[b], logsumexp(b)[c]", (2,), BOTH)
    ],
    "an element 1e5 and more times as large as the others: what is left beside its square (its "
    "cube, in norm(3)) has no digits": [
        ("nn.normalize[a], nn.rms_norm[a], nn.layer_norm[a]", (1, 2), BOTH),
        ("nn.layer_norm[b], nn.layer_norm[c]", (1,), BOTH),
        ("std[a], linalg.norm(3)[a]", (2,), BOTH),
        ("linalg.norm(1.5)[a]", (2,), (32,)),
    ],
    BY_RELEASE: [("special.stdtr(1)", (0,), (64,))],
}
