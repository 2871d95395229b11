"""Rows of `autograd/integrate.py` and `autograd/implicit.py`."""

import numpy as np
from op_table import Case, Row

from autograd.implicit import fixed_point
from autograd.integrate import odeint
from autograd.integrate._odeint import _weighted_sum


def _pendulum(y0, rate, t):
    """The error of differences is the tolerance by their step, so it has to be small."""
    return odeint(
        lambda y, t, rate: np.stack([y[1], -rate * np.sin(y[0]) + 0.1 * t]),
        y0,
        t,
        (rate,),
        rtol=1e-12,
        atol=1e-12,
    )


def _distance(x, y):
    return np.abs(x - y).max()


def _attractor(a, b):
    return fixed_point(
        lambda a: lambda x: 0.5 * np.tanh(a * x) + b, a, np.zeros(a.shape, a.dtype), _distance, 1e-7
    )


ROWS = [
    Row(
        "integrate.weighted_sum",
        lambda x, y, z: _weighted_sum(x, y, z, weights=(0.5, -2.0, 3.0)),
        lambda x, y, z: 0.5 * x - 2 * y + 3 * z,
        [Case((3,), (3,), (3,)), Case((), (), ())],
        complex=True,
        method=False,
    ),
    Row(
        "integrate.odeint",
        _pendulum,
        None,
        [
            Case(
                make=lambda rng: (
                    rng.normal(size=2),
                    rng.uniform(0.5, 1.5, ()),
                    np.array([0.0, 0.2, 0.5]),
                )
            )
        ],
        rtol=1e-5,
        method=False,
    ),
    Row(
        "implicit.fixed_point",
        _attractor,
        None,
        [Case((2,), (2,), domain="positive")],
        rtol=2e-5,
        method=False,
    ),
]
