"""Rows of `autograd/special.py`."""

import math

import numpy as np
from op_table import Case, Row

from autograd import special

CASES = [Case((3, 4)), Case((2, 3), domain=lambda rng, shape: rng.uniform(-6, 6, shape))]


def _each(function):
    """Return the function of an array that calls `function` with each number."""
    vectorized = np.vectorize(function)
    return lambda x: vectorized(x)  # noqa: PLW0108 - NumPy's own class would be called with Variables


ROWS = [
    Row("special.erf", special.erf, _each(math.erf), CASES, elementwise=True, method=False),
    Row("special.erfc", special.erfc, _each(math.erfc), CASES, elementwise=True, method=False),
]
