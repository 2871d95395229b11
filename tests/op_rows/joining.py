"""Rows of autograd.ops.joining."""

import numpy as np
from op_table import Case, Row

import autograd


def listed(*shapes, args=(), **settings):
    """One argument: a list of arrays."""
    return Case(
        make=lambda rng: ([np.asarray(rng.normal(size=s)) for s in shapes], *args), **settings
    )


def linear(name, cases, **settings):
    return Row(
        name,
        getattr(autograd, name),
        getattr(np, name, None),
        cases,
        complex=True,
        method=False,
        **settings,
    )


ROWS = [
    linear(
        "concatenate",
        [
            listed((2, 3), (1, 3)),
            listed((2, 3), (2, 1), args=(-1,)),
            listed((2, 3), (4,), args=(None,)),
            listed((0, 2), (2, 2)),
            Case((3, 2, 2)),
        ],
    ),
    linear("concat", [listed((2,), (3,))]),
    linear("stack", [listed((2, 3), (2, 3)), listed((2,), (2,), args=(-1,)), listed((), ())]),
    linear("vstack", [listed((3,), (2, 3)), listed((), ())]),
    linear("hstack", [listed((3,), (2,)), listed((2, 3), (2, 1)), listed((), (2,))]),
    linear("dstack", [listed((3,), (3,)), listed((2, 3), (2, 3, 2))]),
    linear("column_stack", [listed((3,), (3, 2), (3,))]),
    linear(
        "block",
        [
            Case(
                make=lambda rng: (
                    [[rng.normal(size=(2, 2)), rng.normal(size=(2, 1))], [rng.normal(size=3)]],
                )
            ),
            Case(
                make=lambda rng: (
                    [rng.normal(size=2), np.array(rng.normal()), rng.normal(size=(1, 1))],
                )
            ),
            Case(make=lambda rng: (rng.normal(size=(2, 2)),)),
        ],
    ),
    linear(
        "append",
        [Case((2, 3), (2,)), Case((2, 3), (1, 3), args=(0,)), Case((2, 3), (2, 2), args=(-1,))],
    ),
    linear(
        "insert",
        [
            Case(make=lambda rng: (rng.normal(size=4), 1, np.array(rng.normal()))),
            Case(make=lambda rng: (rng.normal(size=4), -1, rng.normal(size=2))),
            Case(make=lambda rng: (rng.normal(size=4), [1, 1, 3], rng.normal(size=3))),
            Case(make=lambda rng: (rng.normal(size=(2, 3)), 1, rng.normal(size=2), 1)),
            Case(make=lambda rng: (rng.normal(size=(2, 3)), [1], rng.normal(size=(2, 2)), 1)),
            Case(make=lambda rng: (rng.normal(size=(2, 3)), [0, 3], rng.normal(size=(2, 2)), -1)),
            Case(make=lambda rng: (rng.normal(size=(2, 3)), [0, 2], np.array(rng.normal()), 0)),
            Case(make=lambda rng: (rng.normal(size=(2, 2)), slice(0, 3, 2), rng.normal(size=2))),
        ],
    ),
    linear(
        "delete",
        [
            Case((5,), args=(1,)),
            Case((3, 4), args=([0, -1], 1)),
            Case((3, 4), args=(slice(None, None, 2), 0)),
            Case((2, 3), args=([True, False, False, True, False, False],)),
        ],
    ),
    linear("split", [Case((6,), args=(3,)), Case((2, 5), args=([1, 3], -1))]),
    linear(
        "array_split",
        [Case((7,), args=(3,)), Case((4, 2), args=([1, 1, 6],)), Case((3,), args=(4,))],
    ),
    linear("hsplit", [Case((4,), args=(2,)), Case((2, 4), args=([1],))]),
    linear("vsplit", [Case((4, 2), args=(2,))]),
    linear("dsplit", [Case((2, 1, 4), args=(2,))]),
    linear("unstack", [Case((2, 3)), Case((2, 3), kwargs={"axis": -1})]),
]
