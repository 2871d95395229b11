"""Rows of autograd.ops.branches."""

import numpy as np
from op_table import Case, Row

import autograd


def sign_pieces(module):
    return lambda x, w: module.piecewise(
        x, [x < -0.5, x > 0.5], [lambda v: v * v, lambda v: v**3, w]
    )


ROWS = [
    Row(
        "piecewise",
        sign_pieces(autograd),
        sign_pieces(np),
        [Case(make=lambda rng: (np.array([-2.0, -0.3, 0.2, 0.9, 1.7]), np.array(0.7)))],
    ),
    Row(
        "real_if_close",
        autograd.real_if_close,
        np.real_if_close,
        [Case(make=lambda rng: (rng.normal(size=3) + 0.01j, 0.5))],
    ),
]
