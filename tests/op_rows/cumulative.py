"""Rows of autograd.ops.cumulative."""

import numpy as np
from op_table import Case, Row

import autograd
from autograd.ops import cumulative


def with_zeros(*places):
    """Make a (3, 4) array with zeros at the given places."""

    def make(rng):
        x = rng.uniform(0.5, 1.5, (3, 4))
        for place in places:
            x[place] = 0.0
        return (x,)

    return make


def filled(name, value):
    """Return a function of the elements that are no nan, so that differences can be taken."""

    def call(module):
        def function(x, **kwargs):
            gaps = np.full((3, 2), np.nan, x.dtype)
            return getattr(module, name)(module.concatenate((x, gaps, x * value), 1), **kwargs)

        return function

    return call(autograd), call(np)


ALONG = [
    Case((3, 4)),
    Case((3, 4), args=(0,)),
    Case((2, 3, 2), kwargs={"axis": -2}),
    Case((4,), args=(-1,)),
    Case((), args=()),
    Case((), args=(0,)),
    Case((1, 3), args=(0,)),
    Case((0, 3), args=(0,)),
    Case((2, 0)),
]

ROWS = [
    Row("cumsum", autograd.cumsum, np.cumsum, ALONG, complex=True),
    Row(
        "cumprod",
        autograd.cumprod,
        np.cumprod,
        [
            *ALONG,
            Case(make=with_zeros((0, 1))),
            *[
                Case(make=with_zeros((0, 0), (1, 1), (2, 1), (2, 2)), kwargs={"axis": axis})
                for axis in (None, 0, -1)
            ],
        ],
        complex=True,
    ),
    Row(
        "recurrence",
        cumulative.recurrence,
        None,
        [Case((5,), (5,), args=(0,)), Case((2, 3), (2, 3), args=(1,)), Case((1,), (1,), args=(0,))],
        complex=True,
    ),
    Row("nancumsum", *filled("nancumsum", 2.0), [Case((3, 2)), Case((3, 2), kwargs={"axis": 1})]),
    Row("nancumprod", *filled("nancumprod", 2.0), [Case((3, 2)), Case((3, 2), kwargs={"axis": 1})]),
    *[
        Row(
            name,
            getattr(autograd, name),
            getattr(np, name, None),  # NumPy 2.0 has none
            [
                Case((4,)),
                Case((4,), kwargs={"include_initial": True}),
                Case((3, 4), kwargs={"axis": 0, "include_initial": True}),
                Case((3, 4), kwargs={"axis": -1, "include_initial": True}),
            ],
            complex=True,
        )
        for name in ("cumulative_sum", "cumulative_prod")
    ],
]
