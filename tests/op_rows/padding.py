"""Rows of autograd.ops.padding."""

import numpy as np
from op_table import Case, Row

import autograd

WIDTHS = (1, ((2, 0), (1, 3)), (2, 1))


def cases(mode, **kwargs):
    return [Case((3, 4), domain="distinct", args=(w, mode), kwargs=kwargs) for w in WIDTHS]


def row(name, cases, **settings):
    return Row(f"pad[{name}]", autograd.pad, np.pad, cases, method=False, **settings)


ROWS = [
    row(
        "constant",
        [
            *cases("constant"),
            *cases("constant", constant_values=((1, 2), (3, 4))),
            Case((2, 3), args=(1,)),
            Case((), args=(0,)),
            Case((0,), args=(2,)),
            Case((3,), args=((0, 0),)),
        ],
        complex=True,
    ),
    row("edge", [*cases("edge"), Case((1,), args=(4, "edge"))], complex=True),
    row("wrap", [*cases("wrap"), Case((2,), args=(5, "wrap"))], complex=True),
    row(
        "reflect",
        [*cases("reflect"), *cases("reflect", reflect_type="odd"), Case((3,), args=(7, "reflect"))],
    ),
    row(
        "symmetric",
        [
            *cases("symmetric"),
            *cases("symmetric", reflect_type="odd"),
            Case((2,), args=(5, "symmetric")),
        ],
    ),
    row(
        "linear_ramp",
        [*cases("linear_ramp"), *cases("linear_ramp", end_values=((1.0, 2.0), (0.0, -1.0)))],
    ),
    row("mean", [*cases("mean"), *cases("mean", stat_length=2)]),
    row("maximum", [*cases("maximum"), *cases("maximum", stat_length=((1, 2), (3, 9)))]),
    row("minimum", [*cases("minimum"), *cases("minimum", stat_length=2)]),
    row("median", [*cases("median"), *cases("median", stat_length=2)]),
]
