"""Rows of `autograd/special.py`."""

import importlib
import math

import numpy as np
from op_table import Case, Row

from autograd import special
from autograd._optional import available

CASES = [Case((3, 4)), Case((2, 3), domain=lambda rng, shape: rng.uniform(-6, 6, shape))]


def _each(function):
    """Return the function of an array that calls `function` with each number."""
    vectorized = np.vectorize(function)
    return lambda x: vectorized(x)  # noqa: PLW0108 - NumPy's own class would be called with Variables


def _row(name, *cases, twin=None, function=None, **options):
    """Return the row of a function that SciPy has under the same name."""
    ours = function or getattr(special, name)
    theirs = twin or getattr(scipy_special, name)

    def compute(*args):  # a ufunc itself would be called with Variables
        return theirs(*args)

    return Row(f"special.{name}", ours, compute, cases, method=False, **options)


def _between(low, high):
    return lambda rng, shape: rng.uniform(low, high, shape)


def _parameter(value, low, high):
    """Return a case of a function whose first argument is a constant."""
    return Case(make=lambda rng: (value, rng.uniform(low, high, size=(2, 3))))


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
    ]
