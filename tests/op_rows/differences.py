"""Rows of autograd.ops.differences."""

import numpy as np
from op_table import Case, Row

import autograd

STEPS = [
    Case((3, 4)),
    Case((3, 4), kwargs={"axis": 0}),
    Case((3, 4), kwargs={"n": 2}),
    Case((3, 4), kwargs={"n": 4, "axis": 1}),
    Case((3, 4), kwargs={"n": 3, "axis": -2}),
    Case((1,)),
    Case((0,)),
]
COORDINATES = np.array([0.0, 0.5, 1.5, 1.8, 3.0])


def rising(rng, shape):
    return np.cumsum(rng.uniform(0.5, 1.5, shape))


ROWS = [
    Row("diff", autograd.diff, np.diff, STEPS, complex=True),
    Row(
        "diff[constant ends]",
        lambda x: autograd.diff(x, prepend=1.0, append=np.ones((3, 2))),
        lambda x: np.diff(x, prepend=1.0, append=np.ones((3, 2))),
        [Case((3, 4))],
        float32=False,  # nor is it NumPy's: a number in front has dtype float64
    ),
    Row(
        "diff[ends]",
        lambda x, before, after: autograd.diff(x, 2, 0, before, after),
        lambda x, before, after: np.diff(x, 2, 0, before, after),
        [Case((3, 2), (), (2, 2)), Case((3, 2), (1, 2), ())],
    ),
    Row(
        "ediff1d",
        autograd.ediff1d,
        np.ediff1d,
        [
            Case((2, 3)),
            Case((4,), (2, 2)),
            Case((4,), (), (3,)),
            Case((1,), (), ()),
            Case((0,)),
            Case(make=lambda rng: (rng.normal(size=3), None, rng.normal(size=2))),
        ],
        complex=True,
    ),
    Row(
        "gradient",
        autograd.gradient,
        np.gradient,
        [
            Case((4,)),
            Case((2,)),
            Case((3, 4)),
            Case((3, 4), kwargs={"edge_order": 2}),
            Case((3, 4), args=(0.5,)),
            Case((3, 5), args=(0.5, 2), kwargs={"axis": (1, 0)}),
            Case((3, 5), args=(2,), kwargs={"axis": -1, "edge_order": 2}),
            Case((5, 3), args=(list(range(5)), 0.5), kwargs={"edge_order": 2}),
            Case((5,), (), domain="positive", kwargs={"edge_order": 2}),
            Case((2, 5), (5,), domain=("real", rising), kwargs={"axis": 1}),
            Case((5, 2), (5,), domain=("real", rising), kwargs={"axis": 0, "edge_order": 2}),
        ],
        method=False,
    ),
    Row(
        "gradient[complex]",
        lambda f: autograd.gradient(f, COORDINATES, axis=0, edge_order=2),
        lambda f: np.gradient(f, COORDINATES, axis=0, edge_order=2),
        [Case((5, 2))],
        complex=True,
    ),
    Row(
        "trapezoid",
        autograd.trapezoid,
        np.trapezoid,
        [
            Case((5,)),
            Case((3, 4), kwargs={"axis": 0, "dx": 0.5}),
            Case((3, 4), (4,)),
            Case((3, 4), (3,), kwargs={"axis": 0}),
            Case((2, 3), (2, 3)),
            Case((3,), (2, 3)),
            Case((1,)),
        ],
        complex=True,
    ),
    Row(
        "unwrap",
        autograd.unwrap,
        np.unwrap,
        [
            Case((5,), domain=lambda rng, shape: np.array([0.1, 3.0, -2.5, 6.0, 13.0])),
            Case((3, 4), kwargs={"axis": 0, "period": 1.5}),
            Case((3, 4), args=(2.5, -1)),
        ],
    ),
]
