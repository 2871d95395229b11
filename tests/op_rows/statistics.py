"""Rows of `autograd/ops/statistics.py`."""

import numpy as np
from op_table import Case, Row

import autograd


def _holes(rng):
    """Draw a (2, 4) array of distinct numbers with three nan, not all of one row or column."""
    x = rng.permutation(np.arange(8) * 0.4 - 1.5).reshape(2, 4)
    x[0, 1] = x[1, 3] = x[1, 0] = np.nan
    return (x,)


def _filled(function):
    """Return the function of the numbers between the holes: differences of nan say nothing."""

    def of_numbers(values, holes, **kwargs):
        return function(autograd.where(holes, np.nan, values), **kwargs)

    return of_numbers


def _without_nan(name, **options):
    """Return the row of a function that leaves out nan; the holes are a constant operand."""

    def make(rng):
        (x,) = _holes(rng)
        return np.where(np.isnan(x), 0.5, x), np.isnan(x)

    cases = [
        Case(make=make, kwargs=kwargs)
        for kwargs in (
            {},
            {"axis": 0},
            {"axis": -1, "keepdims": True},
            {"axis": (0, 1)},
            *options.pop("more", ()),
        )
    ]
    twin = getattr(np, name)
    return [
        Row(
            f"{name}[nan]",
            _filled(getattr(autograd, name)),
            lambda values, holes, **kwargs: twin(np.where(holes, np.nan, values), **kwargs),
            cases,
            method=False,
            **options,
        ),
        Row(
            name,
            getattr(autograd, name),
            twin,
            [Case((2, 3), domain="distinct", kwargs={"axis": 1})],
        ),
    ]


WHERE = np.array([[True, True, True, False], [True, True, True, True]])

ROWS = [
    Row(
        "average",
        autograd.average,
        np.average,
        [
            Case((2, 3)),
            Case((2, 3), kwargs={"axis": 1, "keepdims": True}),
            Case((2, 3), kwargs={"axis": 0, "returned": True}),
            Case((2, 3), kwargs={"weights": np.array([1.0, 2.0, 4.0]), "axis": 1}),
        ],
        primitives=("mean",),
        float32=True,
    ),
    Row(
        "average[weights]",
        lambda x, w, axis=None, returned=False: autograd.average(
            x, axis, weights=w, returned=returned
        ),
        lambda x, w, axis=None, returned=False: np.average(x, axis, weights=w, returned=returned),
        [
            Case((2, 3), (2, 3), domain=("real", "positive")),
            Case((2, 3), (3,), domain=("real", "positive"), kwargs={"axis": -1, "returned": True}),
            Case((2, 3, 4), (4, 2), domain=("real", "positive"), kwargs={"axis": (2, 0)}),
        ],
        primitives=("sum", "divide"),
        complex=True,
    ),
    *_without_nan("nansum", more=({"where": WHERE, "initial": 1.5, "axis": 1},)),
    *_without_nan("nanprod", more=({"where": WHERE, "initial": 1.5, "axis": 1},)),
    *_without_nan("nanmean", more=({"where": WHERE, "axis": 1},)),
    *_without_nan("nanvar", more=({"where": WHERE, "axis": 1}, {"ddof": 1}, {"correction": 1})),
    *_without_nan("nanstd", more=({"where": WHERE, "ddof": 1},)),
    *_without_nan("nanmax", more=({"initial": 0.05, "where": WHERE, "axis": 1},)),
    *_without_nan("nanmin", more=({"initial": 0.05, "where": WHERE, "axis": 1},)),
]
