"""Rows of autograd.ops.indexing."""

import numpy as np
from op_table import Case, Row

import autograd
from autograd.ops import indexing

MASK = np.array([[True, False, True], [False, False, True]])


def linear(name, cases, **settings):
    return Row(
        name, getattr(autograd, name), getattr(np, name, None), cases, complex=True, **settings
    )


ROWS = [
    linear(
        "getitem",
        [
            Case((3, 4), args=(index,))
            for index in [
                1,
                -1,
                (1, 2),
                slice(None, None, -2),
                (slice(1, None), 0),
                (Ellipsis, None, 1),
                None,
                (None, slice(None), None),
                [0, 2, 0],
                [],
                np.array([[1, 1], [0, 2]]),
                ([0, 1, 1], [2, 2, 2]),
                (slice(None), [3, 0, 3]),
                ([0, 1], slice(None), None),
                (np.array([0, 2])[:, None], np.array([1, 1, 3])),
                np.eye(3, 4, dtype=bool),
                np.array([True, False, True]),
                (np.array([True, False, True]), 1),
                True,
                (),
            ]
        ]
        + [Case((), args=((),)), Case((2, 0, 3), args=(0,))],
        method=False,
    ),
    Row(
        "scatter",
        indexing.scatter,
        None,
        [
            Case((2, 2), args=(np.array([1, 1]), (3, 2))),
            Case((2,), args=((slice(None), 1), (2, 3))),
            Case((3,), args=(([0, 1, 0], [1, 1, 1]), (2, 2))),
        ],
        complex=True,
    ),
    linear(
        "take",
        [
            Case((3, 4), args=([2, 0, 2], 1)),
            Case((3, 4), args=([[5, 0], [11, -1]],)),
            Case((3, 4), args=(1, -1)),
            Case((3, 4), args=(np.array([1, 1]), 0)),
            Case((3, 4), args=([5, -7], 1), kwargs={"mode": "wrap"}),
            Case((3, 4), args=([5, -7], 1), kwargs={"mode": "clip"}),
            Case((3, 4), args=([], 0)),
            Case((), args=([0, 0],)),
        ],
    ),
    linear(
        "take_along_axis",
        [
            Case((3, 4), args=(np.array([[0, 1, 1, 2]]), 0)),
            Case((3, 4), args=(np.array([[3], [3], [0]]), -1)),
            Case((2, 3), args=(np.array([5, 0, 0]), None)),
            Case((2, 3, 2), args=(np.zeros((1, 2, 2), int), 1)),
        ],
        method=False,
    ),
    linear(
        "compress",
        [
            Case(make=lambda rng: ([True, False, True], rng.normal(size=(3, 4)), 0)),
            Case(make=lambda rng: (np.array([0, 1, 0, 1]), rng.normal(size=(3, 4)), -1)),
            Case(make=lambda rng: ([False, True], rng.normal(size=(2, 2)))),
        ],
        method=False,
    ),
    Row(
        "bincount",
        autograd.bincount,
        np.bincount,
        [
            Case(make=lambda rng: ([0, 2, 0, 3], rng.normal(size=4))),
            Case(make=lambda rng: (np.array([1, 1]), rng.normal(size=2)), kwargs={"minlength": 4}),
        ],
    ),
    linear("extract", [Case(make=lambda rng: (MASK, rng.normal(size=(2, 3))))], method=False),
    linear(
        "select",
        [
            Case(
                make=lambda rng: (
                    [MASK, ~MASK[::-1]],
                    [rng.normal(size=(2, 3)), rng.normal(size=3)],
                    2.0,
                )
            ),
            Case(make=lambda rng: ([MASK], [rng.normal(size=(2, 1))], rng.normal(size=(2, 3)))),
        ],
        method=False,
    ),
    linear(
        "choose",
        [
            Case(
                make=lambda rng: (
                    [0, 2, 1],
                    [rng.normal(size=3), np.array(rng.normal()), rng.normal(size=(2, 1))],
                )
            ),
            Case(
                make=lambda rng: ([[4, 0], [-1, 1]], rng.normal(size=(2, 2))),
                kwargs={"mode": "wrap"},
            ),
            Case(
                make=lambda rng: ([[4, 0], [-1, 1]], rng.normal(size=(2, 2))),
                kwargs={"mode": "clip"},
            ),
        ],
        method=False,
    ),
]
