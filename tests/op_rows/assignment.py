"""Rows of autograd.ops.assignment."""

import numpy as np
from op_table import Case, Row

import autograd


def assigned(x, index, value):
    """x[index] = value in NumPy."""
    x = x.copy()
    x[index] = value
    return x


def added(x, index, value):
    x = x.copy()
    np.add.at(x, index, value)
    return x


WRITES = [
    Case(
        make=lambda rng, i=index, s=shape: (
            rng.normal(size=(3, 4)),
            i,
            np.asarray(rng.normal(size=s)),
        )
    )
    for index, shape in [
        (1, (4,)),
        ((slice(None), -1), ()),
        ((slice(0, 2), slice(None, None, 2)), (2, 1)),
        (([0, 2, 0], [1, 3, 1]), (3,)),
        (np.array([2, 2]), (2, 4)),
        (Ellipsis, (3, 4)),
        ((None, [1, 1]), (4,)),
        (np.eye(3, 4, dtype=bool), (3,)),
    ]
]

ROWS = [
    Row("set_at", autograd.set_at, assigned, WRITES, complex=True),
    Row("add_at", autograd.add_at, added, WRITES, complex=True),
]
