"""Rows of `autograd/ops/reciprocal_trigonometry.py` and `autograd/ops/sequences.py`."""

import numpy as np
from op_table import Case, Row

import autograd


def _beyond_one(rng, shape):
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(1.3, 4.0, shape)


def _row(name, inverse_of, domain):
    """Return the row of the reciprocal of a function, or of the inverse of that."""
    twin = getattr(np, inverse_of)
    of_reciprocal = name.startswith("arc")
    return Row(
        name,
        getattr(autograd, name),
        lambda x: twin(1 / x) if of_reciprocal else 1 / twin(x),
        [Case((2, 3), domain=domain)],
        elementwise=True,
        complex=True,
        method=False,
        rtol=1e-5,
    )


ROWS = [
    _row("sec", "cos", "unit"),
    _row("csc", "sin", "positive"),
    _row("cot", "tan", "positive"),
    _row("sech", "cosh", "real"),
    _row("csch", "sinh", "real"),
    _row("coth", "tanh", "real"),
    _row("arcsec", "arccos", _beyond_one),
    _row("arccsc", "arcsin", _beyond_one),
    _row("arccot", "arctan", "real"),
    _row("arcsech", "arccosh", lambda rng, shape: rng.uniform(0.2, 0.8, shape)),
    _row("arccsch", "arcsinh", "real"),
    _row("arccoth", "arctanh", _beyond_one),
    Row(
        "add_sequence",
        autograd.add_sequence,
        lambda x, y, z: x + y + z,
        [Case((2, 3), (3,), ()), Case((2,), (2,), (2,))],
        complex=True,
        method=False,
    ),
    Row(
        "multiply_sequence",
        autograd.multiply_sequence,
        lambda x, y, z: x * y * z,
        [Case((2, 3), (3,), ()), Case((2,), (2,), (2,))],
        complex=True,
        method=False,
    ),
    Row(
        "multi_matmul",
        lambda *arrays: autograd.multi_matmul(arrays),
        lambda x, y, z: x @ y @ z,
        [
            Case((2, 3), (3, 4), (4, 2)),
            Case((3,), (3, 4), (4,)),
            Case((2, 1, 2, 3), (3, 4), (3, 4, 2)),
        ],
        complex=True,
        method=False,
    ),
]
