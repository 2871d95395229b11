"""Rows of autograd.ops.diagonals."""

import numpy as np
from op_table import Case, Row

import autograd
from autograd.ops import diagonals


def linear(name, cases):
    """A row of a function that moves elements: linear, so also in complex numbers."""
    return Row(name, getattr(autograd, name), getattr(np, name), cases, complex=True)


ROWS = [
    linear(
        "diagonal",
        [
            Case((3, 3)),
            Case((2, 4), args=(1,)),
            Case((4, 2), args=(-2,)),
            Case((2, 3, 4), args=(1, 2, 0)),
            Case((2, 3, 4), args=(0, -1, -2)),
            Case((2, 2), args=(5,)),
        ],
    ),
    Row(
        "make_diagonal",
        diagonals.make_diagonal,
        None,
        [
            Case((3,), args=((3, 3),)),
            Case((2,), args=((2, 4), 2)),
            Case((3, 2), args=((2, 3, 4), -1, 2, 0)),
        ],
        complex=True,
    ),
    linear("diag", [Case((3,)), Case((3,), args=(-1,)), Case((3, 4), args=(1,)), Case((3, 2))]),
    linear("diagflat", [Case((2, 2)), Case((3,), args=(2,))]),
    linear(
        "trace",
        [
            Case((3, 4)),
            Case((3, 4), args=(-1,)),
            Case((2, 3, 2), args=(0, 2, 0)),
            Case((2, 2), args=(4,)),
        ],
    ),
    linear("triu", [Case((3, 4)), Case((2, 3, 3), args=(1,)), Case((3,))]),
    linear("tril", [Case((3, 4), args=(-1,)), Case((2, 3, 3)), Case((3,))]),
]
