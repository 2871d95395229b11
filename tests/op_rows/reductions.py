"""Rows of `autograd/ops/reductions.py`."""

import numpy as np
from op_table import Case, Row

import autograd

AXES = (
    Case((2, 3)),
    Case((2, 3, 2), kwargs={"axis": 1}),
    Case((2, 3, 2), kwargs={"axis": (0, -1), "keepdims": True}),
    Case((2, 3), args=(-1,)),
    Case((), kwargs={"keepdims": True}),
)
TIES_APART = (
    Case((2, 3), domain="distinct"),
    Case((2, 3, 2), domain="distinct", kwargs={"axis": 1}),
    Case((2, 3, 2), domain="distinct", kwargs={"axis": (0, -1), "keepdims": True}),
)
MASK = np.array([[True, False, True], [True, True, False]])
COLUMN = np.array([[True], [False], [True]])


def _with_zeros(count):
    """Return a function that draws a (2, 4) array whose first row has `count` zeros."""

    def make(rng):
        x = rng.uniform(0.5, 2.0, (2, 4)) * rng.choice([-1.0, 1.0], (2, 4))
        x[0, 1 : 1 + count] = 0.0
        return (x,)

    return make


def _variance_of(name):
    """Return the rows of `var` or `std`; `mean` is an operand."""
    function, twin = getattr(autograd, name), getattr(np, name)
    return [
        Row(
            name,
            function,
            twin,
            [*AXES[:4], Case((2, 5), args=(1,), kwargs={"ddof": 2})],
            complex=True,
        ),
        Row(
            f"{name}[keywords]",
            function,
            twin,
            [
                Case((2, 3), kwargs={"correction": 1, "axis": 0}),
                Case((2, 3), kwargs={"where": MASK}),
                Case((2, 3, 2), kwargs={"where": COLUMN, "axis": 1, "ddof": 1, "keepdims": True}),
            ],
            complex=True,
        ),
        Row(
            f"{name}[mean]",
            lambda x, m: function(x, axis=1, mean=m, ddof=1),
            lambda x, m: twin(x, axis=1, mean=m, ddof=1),
            [Case((2, 3), (2, 1))],
            primitives=("sum",),
            complex=True,
        ),
    ]


def _extreme(name):
    function, twin = getattr(autograd, name), getattr(np, name)
    return [
        Row(name, function, twin, TIES_APART, complex=False),
        Row(
            f"{name}[keywords]",
            function,
            twin,
            [
                Case((2, 3), domain="distinct", kwargs={"initial": 0.05, "axis": 0}),
                Case((2, 3), domain="distinct", kwargs={"initial": 0.05, "where": MASK, "axis": 1}),
            ],
        ),
    ]


ROWS = [
    Row("sum", autograd.sum, np.sum, AXES, complex=True),
    Row(
        "sum[keywords]",
        autograd.sum,
        np.sum,
        [
            Case((2, 3), kwargs={"where": MASK}),
            Case((2, 3), kwargs={"where": MASK, "axis": 0, "initial": 2.0}),
            Case((3, 3), kwargs={"where": COLUMN, "axis": 0, "keepdims": True}),
        ],
        complex=True,
    ),
    Row(
        "sum[dtype]",
        autograd.sum,
        np.sum,
        [Case((2, 3), kwargs={"dtype": np.complex128})],
        float32=False,
    ),
    Row("mean", autograd.mean, np.mean, AXES, complex=True),
    Row(
        "mean[keywords]",
        autograd.mean,
        np.mean,
        [
            Case((2, 3), kwargs={"where": MASK}),
            Case((3, 3), kwargs={"where": COLUMN, "axis": 0, "keepdims": True}),
        ],
        complex=True,
    ),
    Row(
        "mean[dtype]",
        autograd.mean,
        np.mean,
        [Case((2, 3), kwargs={"dtype": np.float64})],
        float32=False,
    ),
    Row("prod", autograd.prod, np.prod, AXES, complex=True),
    Row(
        "prod[zeros]",
        autograd.prod,
        np.prod,
        [
            Case(make=_with_zeros(1)),
            Case(make=_with_zeros(2), args=()),
            Case(make=_with_zeros(1), kwargs={"axis": 1}),
            Case(make=_with_zeros(2), kwargs={"axis": -1, "keepdims": True}),
            Case(make=_with_zeros(1), kwargs={"axis": (1, 0)}),
        ],
        complex=False,
    ),
    Row(
        "prod[keywords]",
        autograd.prod,
        np.prod,
        [Case((2, 3), kwargs={"where": MASK, "axis": 1, "initial": 0.5})],
        complex=True,
    ),
    *_variance_of("var"),
    *_variance_of("std"),
    *_extreme("max"),
    *_extreme("min"),
    *_extreme("amax"),
    *_extreme("amin"),
    Row("ptp", autograd.ptp, np.ptp, TIES_APART),
]
