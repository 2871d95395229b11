"""Rows of `autograd/ops/elementwise.py`."""

import numpy as np
from op_table import Case, Row

import autograd

ROWS = [
    Row("tanh", autograd.tanh, np.tanh, [Case((3, 4))], elementwise=True, complex=True),
    Row(
        "multiply",
        autograd.multiply,
        np.multiply,
        [Case((3, 4), (3, 4))],
        elementwise=True,
        complex=True,
    ),
    Row(
        "log",
        autograd.log,
        np.log,
        [Case((3, 4), domain="positive")],
        elementwise=True,
        complex=True,
    ),
    Row(
        "where",
        autograd.where,
        np.where,
        [Case((3, 4), (3, 4), (3, 4), domain=("bool", "real", "real"))],
        elementwise=True,
        complex=True,
    ),
    Row(
        "sum",
        autograd.sum,
        np.sum,
        [Case((2, 3, 4), kwargs={"axis": (0, -1), "keepdims": True})],
        complex=True,
    ),
    Row(
        "matmul",
        autograd.matmul,
        np.matmul,
        [Case((2, 3), (3, 4)), Case((3,), (3,)), Case((2, 2, 3), (3,))],
        complex=True,
    ),
]
