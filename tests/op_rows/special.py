"""Rows of `autograd/special`; far out and at singular points, where rows say so in brackets."""

import importlib
import math

import numpy as np
from op_table import Case, Row

from autograd import special
from autograd._optional import available
from autograd.engine.primitive import PRIMITIVES
from autograd.special import error_functions, gamma_functions, student

CASES = [Case((3, 4)), Case((2, 3), domain=lambda rng, shape: rng.uniform(-6, 6, shape))]


def _each(function):
    """Return the function of an array that calls `function` with each number."""
    vectorized = np.vectorize(function)
    return lambda x: vectorized(x)


def _row(name, *cases, twin=None, function=None, **options):
    """Return the row of a function that SciPy has under the same name."""
    ours = function or getattr(special, name)
    theirs = twin or getattr(scipy_special, name)

    def compute(*args):  # a ufunc itself would be called with Variables
        return theirs(*args)

    return Row(f"special.{name}", ours, compute, cases, method=False, **options)


def _at(name, *points, kind="at", order=None, function=None, twin=None, **options):
    """Return the row of a function at given points, with an order or degree before them."""
    before = () if order is None else (order,)
    cases = [Case(make=lambda rng: (*before, np.array(points)))]
    ours, theirs = function or getattr(special, name), twin or getattr(scipy_special, name)
    label = kind if order is None else f"{kind}, {order}"
    return Row(
        f"special.{name}[{label}]",
        lambda *args: ours(*args),
        lambda *args: theirs(*args),
        cases,
        method=False,
        **options,
    )


def _between(low, high):
    return lambda rng, shape: rng.uniform(low, high, shape)


def _parameter(value, low, high):
    """Return a case of a function whose first argument is a constant."""
    return Case(make=lambda rng: (value, rng.uniform(low, high, size=(2, 3))))


def _neighbours(name, half, x):
    f = getattr(scipy_special, name)
    return half * (f(0.5, x) + f(2.5, x))


def _t_logpdf(df, x):
    norm = scipy_special.gammaln((df + 1) / 2) - scipy_special.gammaln(df / 2)
    return norm - 0.5 * np.log(df * np.pi) - (df + 1) / 2 * np.log1p(x * x / df)


def _t_hazard(df, x):
    return np.exp(_t_logpdf(df, x)) / scipy_special.stdtr(df, x)


ROWS = [
    Row("special.erf", special.erf, _each(math.erf), CASES, elementwise=True, method=False),
    Row("special.erfc", special.erfc, _each(math.erfc), CASES, elementwise=True, method=False),
]

# Without SciPy there is neither a kernel nor a twin for the rest.
scipy_special = importlib.import_module("scipy.special") if available("scipy") else None
if scipy_special:
    unary = {"elementwise": True}
    positive, shape = _between(0.5, 4.0), (2, 3)
    ROWS += [
        *[_row(name, Case(shape), **unary) for name in ("erfcx", "dawsn", "ndtr", "log_ndtr")],
        _row("erfinv", Case(shape, domain="unit"), **unary),
        _row("erfcinv", Case(shape, domain=_between(0.2, 1.8)), **unary),
        _row("ndtri", Case(shape, domain="probability"), **unary),
        _row("exp1", Case(shape, domain="positive"), **unary),
        _row("expi", Case(shape, domain="positive"), **unary),
        _row("spence", Case(shape, domain="above_one"), **unary),
        _row("expit", Case(shape), **unary),
        _row("log_expit", Case(shape), **unary),
        _row("logit", Case(shape, domain="probability"), **unary),
        _row("entr", Case(shape, domain="positive"), **unary),
        _row("xlogy", Case(shape, shape, domain="positive"), elementwise=True),
        _row("xlog1py", Case(shape, shape, domain="positive"), elementwise=True),
        *[
            _row(name, Case(shape, domain=positive), **unary)
            for name in ("digamma", "gamma", "gammaln", "rgamma", "gammasgn")
        ],
        _row("polygamma", _parameter(1, 0.5, 3.0), _parameter(2, 0.5, 3.0)),
        _row("multigammaln", Case(make=lambda rng: (rng.uniform(2, 4, size=(3,)), 3))),
        _row("beta", Case(shape, shape, domain=positive), elementwise=True),
        _row("betaln", Case(shape, shape, domain=positive), elementwise=True),
        _row("zeta", _parameter(2.5, 0.5, 3.0)),
        _row("stdtr", _parameter(2.5, -3.0, 3.0)),
        _row("gammainc", _parameter(1.7, 0.5, 3.0)),
        _row("gammaincc", _parameter(1.7, 0.5, 3.0)),
        _row("betainc", Case(make=lambda rng: (1.5, 2.5, rng.uniform(0.2, 0.8, size=(2, 3))))),
        *[_row(name, _parameter(1.5, 0.5, 4.0)) for name in ("jv", "yv", "iv", "kv", "ive", "kve")],
        *[_row(name, Case(shape), **unary) for name in ("j0", "j1", "i0", "i1", "i0e", "i1e")],
        *[
            _row(name, Case(shape, domain=positive), **unary)
            for name in ("y0", "y1", "k0", "k1", "k0e", "k1e")
        ],
        _row("spherical_bessel_j0", Case(shape), twin=lambda x: np.sinc(x / np.pi), **unary),
        _row("airy_ai", Case(shape), twin=lambda x: scipy_special.airy(x)[0], **unary),
        # derivatives that are functions of their own
        *[
            _row(
                f"{name}_derivative",
                Case(shape, domain=positive),
                function=lambda x, name=name, before=before: PRIMITIVES[f"{name}_derivative"].call(
                    1, *before, x
                ),
                twin=twin,
            )
            for name, before, twin in (
                ("erfcx", (), lambda x: 2 * x * scipy_special.erfcx(x) - 2 / math.sqrt(math.pi)),
                ("dawsn", (), lambda x: 1 - 2 * x * scipy_special.dawsn(x)),
                ("ive", (1.5,), lambda x: _neighbours("ive", 0.5, x) - scipy_special.ive(1.5, x)),
                ("kve", (1.5,), lambda x: scipy_special.kve(1.5, x) - _neighbours("kve", 0.5, x)),
            )
        ],
        # at removable singularities, poles, and where the usual formulas cancel
        _at("spence", 1.0, 1 + 1e-9, 0.99, 1.2, 0.76, 1.31, 5.0, kind="around 1"),
        _at("logit", 0.5, 0.5 + 1e-9, 0.3, 0.74, 0.76, 0.9, kind="around 1/2"),
        _at("rgamma", 0.0, -1.0, -2.0, -2 + 1e-8, 1e-20, -0.5, 0.5, 3.0, kind="at poles"),
        _at("gamma", -0.5, -1.3, -2.7, kind="below 0"),
        _at("gammaln", -0.5, -1.3, -2.7, kind="below 0"),
        _at("digamma", -0.5, -1.3, -2.7, kind="below 0"),
        _at("erfcx", -3.0, 0.9, 1.1, 4.9, 5.1, 40.0, 1e4, kind="far"),
        _at("dawsn", -40.0, -5.1, -1.4, 1.6, 6.4, 6.6, 1e4, kind="far"),
        _at("log_ndtr", -200.0, -40.0, -1.6, -1.4, 5.0, 20.0, kind="far"),
        _at("log_expit", -40.0, -3.0, 3.0, 40.0, kind="far"),
        _at("expit", -40.0, -3.0, 0.0, 3.0, 40.0, kind="far"),
        *[_at(name, -60.0, -3.1, 2.9, 11.0, 300.0, kind="far") for name in ("i0e", "i1e")],
        *[_at(name, 0.5, 0.9, 1.1, 3.1, 11.0, 300.0, kind="far") for name in ("k0e", "k1e")],
        *[
            _at(name, 0.5, 0.9, 1.1, 3.0, 11.0, 300.0, kind="far", order=v)
            for name in ("ive", "kve")
            for v in (0, 0.25, 4.0, np.uint8(2))
        ],
        *[_at(name, 0.5, 3.0, 30.0, kind="at", order=np.uint8(0)) for name in ("jv", "yv", "iv")],
        _at("kv", 0.5, 3.0, 10.0, kind="at", order=np.uint8(0)),
        _at("polygamma", 0.7, 3.0, 50.0, kind="at", order=np.uint8(0)),
        _at("stdtr", -30.0, -1.0, 0.0, 5.0, kind="at", order=np.uint8(255)),
        _at("gammainc", 0.5, 3.0, kind="at", order=np.uint8(1)),
        _at("zeta", 0.5, 3.0, kind="at", order=np.uint8(2)),
        Row(
            "special.xlogy[at 0]",
            special.xlogy,
            lambda x, y: scipy_special.xlogy(x, y),
            [Case(make=lambda rng: (np.zeros(2), np.array([0.5, 2.0])))],
            method=False,
        ),
        Row(
            "special.xlog1py[at 0]",
            special.xlog1py,
            lambda x, y: scipy_special.xlog1py(x, y),
            [Case(make=lambda rng: (np.zeros(3), np.array([0.0, 2.0, -0.5])))],
            method=False,
        ),
        *[
            Row(
                f"special.{name}[beside]",
                getattr(special, name),
                None,
                [Case(make=lambda rng: (np.array([0.5, 3.0, 50.0]), np.array([40.0, 300.0, 0.3])))],
                method=False,
            )
            for name in ("beta", "betaln")
        ],
        # what the derivatives of others are made of
        _at(
            "hazard",
            -30.0,
            -2.0,
            0.0,
            3.0,
            function=error_functions.hazard,
            twin=lambda x: np.exp(-x * x / 2 - scipy_special.log_ndtr(x)) / np.sqrt(2 * np.pi),
        ),
        *[
            _at(
                "t_hazard",
                -30.0,
                -2.0,
                -1.4,
                0.0,
                3.0,
                order=df,
                function=student.t_hazard,
                twin=_t_hazard,
            )
            for df in (2.5, 100.0)
        ],
        *[
            _at(
                "log_stdtr",
                -30.0,
                -2.0,
                -1.4,
                0.0,
                3.0,
                order=df,
                function=student.log_stdtr,
                twin=lambda df, x: np.log(scipy_special.stdtr(df, x)),
            )
            for df in (2.5, 100.0)
        ],
        Row(
            "special.student_logpdf",
            student.student_logpdf,
            _t_logpdf,
            [
                Case(make=lambda rng: (rng.uniform(0.5, 30.0, 3), rng.normal(size=3))),
                Case(make=lambda rng: (np.array([19.9, 20.1, 50.0]), np.array([0.6, 3.0, -9.0]))),
            ],
            method=False,
            rtol=1e-5,
        ),
        Row(
            "special.gamma_log_density",
            gamma_functions.gamma_log_density,
            lambda a, z: (a - 1) * np.log(z) - z - scipy_special.gammaln(a),
            [
                Case(make=lambda rng: (rng.uniform(0.3, 30.0, 4), rng.uniform(0.3, 30.0, 4))),
                Case(make=lambda rng: (np.array([9.9, 10.1, 30.0]), np.array([10.0, 10.0, 90.0]))),
            ],
            method=False,
        ),
        Row(
            "special.polygamma_rise",
            gamma_functions.polygamma_rise,
            lambda n, x, y: scipy_special.polygamma(n, x + y) - scipy_special.polygamma(n, x),
            [
                Case(
                    make=lambda rng, n=n: (n, rng.uniform(0.3, 20.0, 4), rng.uniform(0.3, 20.0, 4))
                )
                for n in (0, 1, 2)
            ],
            method=False,
        ),
    ]
