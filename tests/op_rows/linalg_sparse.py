"""Rows of `autograd/linalg/_sparse.py`, which needs SciPy."""

import importlib

import numpy as np
from op_table import Case, Row

from autograd import linalg
from autograd._optional import available

sparse = importlib.import_module("scipy.sparse") if available("scipy") else None

# Regular, with 9 stored elements out of 16.
DENSE = np.array([[3.0, 0, 1, 0], [0, 4, 0, 1], [1, 0, 5, 0], [2, 0, 1, 3]])
STORED = DENSE != 0


def filled(data):
    """The dense matrix of these stored elements, row by row."""
    dense = np.zeros(DENSE.shape, np.result_type(data))
    dense[STORED] = data
    return dense


def elements(rng):
    return DENSE[STORED] + 0.2 * rng.normal(size=STORED.sum())


ROWS = (
    [
        Row(
            "linalg.sparse_matmul",
            lambda data, x: linalg.sparse_matmul(sparse.csr_array(DENSE), x, data),
            lambda data, x: filled(data) @ x,
            [
                Case(make=lambda rng, shape=shape: (elements(rng), rng.normal(size=shape)))
                for shape in ((4,), (4, 2))
            ],
            method=False,
        ),
        Row(
            "linalg.spsolve",
            lambda data, b: linalg.spsolve(sparse.csr_array(DENSE), b, data),
            lambda data, b: np.linalg.solve(filled(data), b),
            [
                Case(make=lambda rng, shape=shape: (elements(rng), rng.normal(size=shape)))
                for shape in ((4,), (4, 2))
            ],
            method=False,
        ),
    ]
    if sparse
    else []
)
