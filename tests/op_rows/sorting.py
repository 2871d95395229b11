"""Rows of autograd.ops.sorting."""

import numpy as np
from op_table import Case, Row

import autograd
from autograd.ops import sorting

Q = [0.0, 0.11, 0.5, 0.83, 1.0]
FRACTIONS = np.array([[0.14, 0.57], [0.28, 0.86]])  # between elements by every method
METHODS = [
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]


def distinct(*shape, **kwargs):
    return Case(shape, domain="distinct", **kwargs)


def row(name, cases, **settings):
    return Row(name, getattr(autograd, name), getattr(np, name), cases, method=False, **settings)


AXES = [
    {},
    {"axis": 0},
    {"axis": -1, "keepdims": True},
    {"axis": (2, 0)},
    {"axis": (0, -2), "keepdims": True},
    {"axis": None, "keepdims": True},
]


def without_holes(function):
    """Return `function` of an array with some nan added, a different number in each row."""
    places = np.zeros((4, 5))
    places[[0, 1, 1], [2, 0, 4]] = np.nan
    return lambda x, *args, **kwargs: function(
        np.where(np.isnan(places), np.nan, x), *args, **kwargs
    )


def ignoring(name, args=()):
    return Row(
        f"{name}[nan]",
        without_holes(getattr(autograd, name)),
        without_holes(getattr(np, name)),
        [distinct(4, 5, args=args, kwargs=k) for k in ({}, {"axis": 1}, {"axis": 0})],
        method=False,
        float32=not isinstance(args[0] if args else 0, list),
    )


ROWS = [
    row(
        "sort",
        [
            distinct(5),
            distinct(4, 3, args=(0,)),
            distinct(2, 3, 4, args=(1,)),
            distinct(3, 4, kwargs={"axis": None}),
            distinct(3, 4, args=(-1, "stable")),
            distinct(3, 4, kwargs={"stable": True}),
            distinct(0, 3),
        ],
        complex=True,
    ),
    row(
        "partition",
        [
            distinct(5, args=(2,)),
            distinct(4, 3, args=([1, -1], 0)),
            distinct(2, 5, 2, args=((0, 3), 1)),
            distinct(3, 4, args=(7, None)),
        ],
        complex=True,
    ),
    Row(
        "lerp",
        sorting.lerp,
        None,
        [Case((3,), (2, 3), (3,), domain=("real", "real", "unit"))],
        primitives=["lerp"],
        method=False,
        elementwise=True,
    ),
    row("median", [distinct(2, 3, 4, kwargs=k) for k in AXES] + [distinct(5), distinct(4, 1)]),
    row("nanmedian", [distinct(2, 3, 4, kwargs=k) for k in AXES[:4]]),
    row(
        "quantile",
        [distinct(2, 3, 4, args=(0.3,), kwargs=k) for k in AXES] + [distinct(1, args=(0.4,))],
    ),
    row(
        "percentile",
        [distinct(3, 4, args=(q,)) for q in (0, 37, 62.5, 100)] + [distinct(3, 4, args=(10.0, 1))],
    ),
    row("nanquantile", [distinct(2, 3, 4, args=(0.3,), kwargs=k) for k in AXES[:4]]),
    row("nanpercentile", [distinct(3, 4, args=(q, 0)) for q in (0, 37, 100)]),
    Row(
        "quantile[method]",
        autograd.quantile,
        np.quantile,
        [
            distinct(n, 2, args=(Q, 0), kwargs={"method": m})
            for m in METHODS
            for n in ((5, 6) if m.endswith("n") else (6,))
        ],
        method=False,
        float32=False,
    ),
    Row(
        "quantile[q]",
        autograd.quantile,
        np.quantile,
        [
            Case(
                make=lambda rng: (rng.permutation(np.arange(12.0) * 0.3), FRACTIONS.copy()),
                kwargs={"method": m, "keepdims": True},
            )
            for m in sorting._SPEED
        ]
        + [
            Case(
                make=lambda rng: (rng.permutation(np.arange(12.0)).reshape(4, 3), np.array(0.4), 0)
            )
        ],
        method=False,
    ),
    Row(
        "percentile[q]",
        autograd.percentile,
        np.percentile,
        [Case(make=lambda rng: (rng.permutation(np.arange(12.0)), np.array([13.0, 57.0])))],
        method=False,
    ),
    ignoring("nanmedian"),
    ignoring("nanquantile", (0.37,)),
    ignoring("nanpercentile", ([10.0, 81.0],)),
]
