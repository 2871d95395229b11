"""Rows of autograd.ops.creation."""

import numpy as np
from op_table import Case, Row

import autograd
from autograd.ops import creation


def pair(low, high, *shapes):
    """Positive operands, the second about `high`."""
    shapes = shapes or ((), ())
    return lambda rng: (
        np.asarray(low + 0.3 * rng.uniform(size=shapes[0])),
        np.asarray(high + 0.3 * rng.uniform(size=shapes[1])),
    )


def filled_like(x, value, **settings):
    """np.full_like, which does not look for a Variable in its second operand."""
    return np.full_like(x, value, **settings)


def ranges(*settings):
    return [
        Case(make=lambda rng, rest=rest: (*pair(0.5, 2.0)(rng), *rest)) for rest in settings
    ] + [
        Case(make=lambda rng: (*pair(0.5, 2.0, (2,), (3, 1))(rng), 4), kwargs={"axis": -1}),
        Case(make=lambda rng: (*pair(0.5, 2.0, (2,), ())(rng), 3), kwargs={"axis": 1}),
    ]


nested = Case(make=lambda rng: ([[np.array(rng.normal()), 2.0], [3.0, np.array(rng.normal())]],))

ROWS = [
    Row(
        "array",
        autograd.array,
        None,
        [nested, Case((2, 3)), Case((3,), kwargs={"ndmin": 3})],
        complex=True,
        float32=False,
    ),
    Row("asarray", autograd.asarray, None, [nested], complex=True, float32=False),
    Row(
        "full",
        lambda x: creation.full((2, 3), x),
        lambda x: np.full((2, 3), x),
        [Case(()), Case((3,))],
        complex=True,
    ),
    Row(
        "full_like",
        creation.full_like,
        filled_like,
        [
            Case(make=lambda rng: (rng.normal(size=(2, 3)), rng.normal(size=3)), diff=[1]),
            Case(
                make=lambda rng: (np.ones(2), np.array(rng.normal())),
                diff=[1],
                kwargs={"shape": (3, 1)},
            ),
        ],
    ),
    Row(
        "linspace",
        autograd.linspace,
        np.linspace,
        ranges((5,), (5, False), (1,), (0,), (4, True, True)),
    ),
    Row("logspace", autograd.logspace, np.logspace, ranges((5,), (5, False), (3, True, 2.0))),
    Row(
        "logspace[base]",
        autograd.logspace,
        np.logspace,
        [
            Case(
                make=lambda rng: (np.array(0.5), np.array(1.5), 4, True, rng.uniform(2, 3, (2,))),
                kwargs={"axis": ax},
            )
            for ax in (0, -1)
        ],
    ),
    Row(
        "geomspace", autograd.geomspace, np.geomspace, ranges((5,), (5, False), (2,)), float32=False
    ),
    Row(
        "geomspace[negative]",
        lambda x, y: autograd.geomspace(-x, -y, 4),
        lambda x, y: np.geomspace(-x, -y, 4),
        [Case(make=pair(0.5, 2.0))],
        float32=False,  # NumPy's result is float64 here
    ),
    Row(
        "meshgrid",
        autograd.meshgrid,
        np.meshgrid,
        [
            Case((2,), (3,)),
            Case((2,), (3,), (), kwargs={"indexing": "ij"}),
            Case((2,), (3,), kwargs={"sparse": True, "copy": False}),
            Case((2,)),
        ],
        complex=True,
    ),
    Row(
        "vander",
        autograd.vander,
        np.vander,
        [Case((3,)), Case((3,), args=(4, True)), Case((2,), args=(1,)), Case((2,), args=(0,))],
        complex=True,
        float32=False,
    ),
    Row(
        "r_",
        lambda x, y: autograd.r_[x, 1:4, 2.0, y],
        lambda x, y: np.r_[x, 1:4, 2.0, y],
        [Case((3,), ()), Case((2,), (1,))],
        complex=True,
        float32=False,
    ),
    Row(
        "r_[directive]",
        lambda x, y: autograd.r_["-1,2,0", x, y],
        lambda x, y: np.r_["-1,2,0", x, y],
        [Case((3,), (3, 2))],
    ),
    Row("r_[range]", lambda x, y: autograd.r_[x:y:5j], lambda x, y: np.r_[x:y:5j], [Case((), ())]),
    Row(
        "c_",
        lambda x, y: autograd.c_[x, y],
        lambda x, y: np.c_[x, y],
        [Case((3,), (3,)), Case((2, 2), (2,))],
        complex=True,
    ),
]
