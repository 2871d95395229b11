"""Rows of autograd.ops.shaping."""

import numpy as np
from op_table import Case, Row

import autograd


def linear(name, cases, twin=None, **settings):
    """A row of a function that moves elements: linear, so also in complex numbers."""
    function = getattr(autograd, name.partition("[")[0])
    twin = twin or getattr(np, name.partition("[")[0], None)
    return Row(name, function, twin, cases, complex=True, **settings)


def several(*shapes):
    return lambda rng: tuple(np.asarray(rng.normal(size=s)) for s in shapes)


ROWS = [
    linear(
        "reshape",
        [
            Case((2, 3), args=((3, 2),)),
            Case((2, 3), args=(-1,)),
            Case((2, 3, 2), args=((-1, 4),), kwargs={"order": "F"}),
            Case((), args=((1, 1),)),
            Case((0, 3), args=((3, 0, 2),)),
        ],
    ),
    linear(
        "ravel",
        [
            Case((2, 3)),
            Case(()),
            Case((2, 3), args=("F",)),
        ],
    ),
    linear(
        "squeeze", [Case((1, 3, 1)), Case((1, 3, 1), args=((0, -1),)), Case((1, 3, 1), args=(0,))]
    ),
    linear("expand_dims", [Case((3,), args=(0,)), Case((2, 3), args=((0, -1),))]),
    linear("transpose", [Case((2, 3, 4)), Case((2, 3, 4), args=((1, -1, 0),)), Case((3,))]),
    linear("permute_dims", [Case((2, 3, 4), args=((2, 0, 1),))]),
    linear("swapaxes", [Case((2, 3, 4), args=(0, -1))]),
    linear("matrix_transpose", [Case((2, 3, 4))]),
    linear("moveaxis", [Case((2, 3, 4), args=(0, -1)), Case((2, 3, 4, 1), args=((0, 1), (-1, 0)))]),
    linear(
        "rollaxis",
        [Case((2, 3, 4), args=(2,)), Case((2, 3, 4), args=(-3, 3)), Case((2, 3, 4), args=(1, -1))],
    ),
    linear("atleast_1d", [Case(()), Case(make=several((), ()))], method=False),
    linear("atleast_2d", [Case(()), Case((3,))], method=False),
    linear("atleast_3d", [Case(()), Case((3,)), Case((2, 3))], method=False),
    linear("flip", [Case((2, 3)), Case((2, 3), args=(-1,)), Case((2, 3, 2), args=((0, 2),))]),
    linear("flipud", [Case((3,)), Case((3, 2))]),
    linear("fliplr", [Case((3, 2))]),
    linear(
        "roll",
        [
            Case((2, 3), args=(4,)),
            Case((2, 3), args=(-1, 1)),
            Case((3, 4), args=((1, 2), (0, 1))),
            Case((3, 4), args=((1, 1), (1, 1))),
            Case((3, 4), args=(1, (0, 1))),
        ],
    ),
    linear("rot90", [Case((2, 3)), Case((2, 3), args=(2,)), Case((2, 3, 2), args=(-1, (1, 2)))]),
    linear(
        "broadcast_to",
        [
            Case((3,), args=((2, 3),)),
            Case((2, 1, 3), args=((4, 2, 5, 3),)),
            Case((1,), args=((0,),)),
            Case((), args=(3,)),
        ],
    ),
    linear("broadcast_arrays", [Case((3, 1), (2,))], method=False),
    linear(
        "repeat",
        [
            Case((2, 3), args=(2,)),
            Case((2, 3), args=(2, -1)),
            Case((2, 3), args=(3, 0)),
            Case((3, 2), args=([1, 0, 2], 0)),
            Case((3, 2), args=(np.array([2, 1]), -1)),
            Case((2, 2), args=([1, 0, 2, 3],)),
            Case((2, 2), args=([2], 1)),
            Case((2,), args=(0,)),
            Case((), args=(3,)),
        ],
    ),
    linear(
        "tile",
        [
            Case((3,), args=(2,)),
            Case((2, 3), args=((2, 1),)),
            Case((2, 3), args=((2, 1, 3),)),
            Case((2, 1, 2), args=(2,)),
            Case((2, 1, 2), args=((0, 2),)),
        ],
    ),
    linear("resize", [Case((2, 3), args=((3, 5),)), Case((4,), args=(3,))], method=False),
    linear("copy", [Case((2, 3)), Case(())]),
    Row(
        "astype",
        lambda x: autograd.astype(x, np.complex128 if x.dtype.itemsize > 4 else np.complex64),
        None,
        [Case((2, 3))],
        method=False,
    ),
    # Differences move zeros off zero, so there are none here; see ops/test_shaping.py for those.
    Row("trim_zeros", autograd.trim_zeros, np.trim_zeros, [Case((5,))], method=False),
]
