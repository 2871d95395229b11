"""Rows of `autograd/ops/contractions.py`, `einstein.py`, `covariance.py` and `filtering.py`."""

import numpy as np
from op_table import Case, Row

import autograd


def _einsum(name, *cases, **options):
    """Return a row of einsum; each case is subscripts and the shapes of the operands."""
    made = [
        Case(make=lambda rng, s=subscripts, sh=shapes: (s, *(rng.normal(size=n) for n in sh)))
        for subscripts, *shapes in cases
    ]
    return Row(name, autograd.einsum, np.einsum, made, primitives=("einsum",), **options)


def _any(rng, shape):
    """Draw an array, 0-d where the shape is ()."""
    return np.asarray(rng.normal(size=shape))


def _interleaved(rng):
    return rng.normal(size=(2, 3)), [0, 1], rng.normal(size=(3, 4)), [1, ...], [..., 0]


def _points(rng):
    """Return points inside and outside, none of them near a knot; knots; values."""
    xp = np.array([0.0, 1.0, 2.5, 3.0, 4.2])
    x = np.array([[0.4, 1.7, 2.8], [3.6, -0.7, 5.1]])
    return x, xp, rng.normal(size=5)


def _unordered(rng):
    xp = np.array([0.5, 4.1, 2.6, 1.4])
    return np.array([0.2, 1.1, 3.0, 4.7, 7.9, -1.3]), xp, rng.normal(size=4)


ROWS = [
    Row(
        "matmul",
        autograd.matmul,
        np.matmul,
        [
            Case((3,), (3,)),
            Case((3,), (3, 2)),
            Case((2, 3), (3,)),
            Case((2, 3), (3, 4)),
            Case((3, 1), (1, 4)),
            Case((2, 3, 4), (4, 2)),
            Case((2, 1, 2, 3), (4, 3, 2)),
            Case((3, 2), (4, 2, 3)),
            Case((3,), (2, 3, 2)),
            Case((2, 2, 3), (3,)),
        ],
        complex=True,
    ),
    Row(
        "tensordot",
        autograd.tensordot,
        np.tensordot,
        [
            Case((2, 3), (3, 4), args=(1,)),
            Case((2, 3, 4), (3, 4, 2)),
            Case((2, 3), (4,), args=(0,)),
            Case((2, 3, 4), (5, 4, 2), args=(([2, 0], [1, 2]),)),
            Case((2, 3, 4), (4, 3, 5), args=(((-1, 1), (0, -2)),)),
            Case((2, 3), (2, 4), args=((0, 0),)),
        ],
        complex=True,
    ),
    Row(
        "dot",
        autograd.dot,
        np.dot,
        [
            Case((), (2, 3), domain=_any, complex=False),
            Case((3,), (), domain=_any, complex=False),
            Case((3,), (3,)),
            Case((2, 3), (3, 4)),
            Case((2, 3), (3,)),
            Case((3,), (2, 3, 2)),
            Case((2, 2, 3), (3,)),
            Case((2, 2, 3), (3, 2)),
            Case((2, 2, 3), (2, 3, 4)),
        ],
        complex=True,
    ),
    Row(
        "inner",
        autograd.inner,
        np.inner,
        [
            Case((), (3,), domain=_any, complex=False),
            Case((3,), (3,)),
            Case((2, 3), (4, 3)),
            Case((2, 2, 3), (3,)),
            Case((3,), (2, 3)),
        ],
        complex=True,
    ),
    Row("vdot", autograd.vdot, np.vdot, [Case((3,), (3,)), Case((2, 3), (3, 2))], complex=True),
    Row(
        "vecdot",
        autograd.vecdot,
        np.vecdot,
        [Case((3,), (3,)), Case((2, 1, 3), (4, 3))],
        complex=True,
    ),
    Row(
        "vecdot[axis]",
        autograd.vecdot,
        lambda x, y, axis: np.vecdot(x, y, axis=axis),
        [
            Case((3, 2), (3, 2), kwargs={"axis": 0}),
            Case((3, 4, 2), (2, 3, 4, 2), kwargs={"axis": -3}),
        ],
        complex=True,
    ),
    Row(
        "outer",
        autograd.outer,
        np.outer,
        [Case((3,), (4,)), Case((2, 3), (2, 2)), Case((), (2,), domain=_any, complex=False)],
        complex=True,
    ),
    Row(
        "kron",
        autograd.kron,
        np.kron,
        [Case((3,), (2,)), Case((2, 3), (3, 2)), Case((2, 2), (3,)), Case((2,), (2, 1, 3))],
        complex=True,
    ),
    Row(
        "cross",
        autograd.cross,
        np.cross,
        [
            Case((3,), (3,)),
            Case((2, 1, 3), (4, 3)),
            Case((3, 2), (3, 2), kwargs={"axis": 0}),
            Case((3, 2), (2, 3), kwargs={"axisa": 0, "axisb": 1, "axisc": 0}),
        ],
        complex=True,
    ),
    _einsum(
        "einsum",
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("ij,jk", (2, 3), (3, 4)),
        ("ji", (2, 3)),
        ("i,j->", (2,), (3,)),
        ("ij->i", (2, 3)),
        ("...ij,...jk->...ik", (4, 2, 3), (3, 2)),
        ("...,...", (3, 1), (4,)),
        ("b...,b", (2, 3), (2,)),
        ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
        ("i,i->i", (1,), (3,)),
        ("ij,ij->j", (2, 1), (1, 3)),
        complex=True,
    ),
    _einsum(
        "einsum[repeated]",
        ("ii->i", (3, 3)),
        ("ii", (3, 3)),
        ("iij,j->ij", (2, 2, 3), (3,)),
        ("...ii->...i", (2, 3, 3)),
        ("ii,jj->ij", (2, 2), (3, 3)),
        ("iji->j", (2, 3, 2)),
        complex=True,
    ),
    Row(
        "einsum[lists]",
        autograd.einsum,
        np.einsum,
        [Case(make=_interleaved), Case(make=lambda rng: (rng.normal(size=(3, 3)), [4, 4]))],
    ),
    Row(
        "einsum[optimize]",
        autograd.einsum,
        np.einsum,
        [
            Case(
                make=lambda rng: ("ij,jk,kl->il", *(rng.normal(size=(3, 3)) for _ in range(3))),
                kwargs={"optimize": optimize},
            )
            for optimize in (True, "optimal", ["einsum_path", (0, 1), (0, 1)])
        ],
    ),
    Row(
        "convolve",
        autograd.convolve,
        np.convolve,
        [Case((5,), (3,), kwargs={"mode": mode}) for mode in ("full", "same", "valid")]
        + [Case((2,), (5,), kwargs={"mode": mode}) for mode in ("full", "same", "valid")]
        + [Case((4,), (4,), kwargs={"mode": "same"}), Case((1,), (3,))],
        complex=True,
    ),
    Row(
        "correlate",
        autograd.correlate,
        np.correlate,
        [
            Case(m, n, kwargs={"mode": mode})
            for mode in ("full", "same", "valid")
            for m, n in [((5,), (2,)), ((2,), (5,)), ((3,), (4,)), ((4,), (4,))]
        ],
        complex=True,
    ),
    Row(
        "polyval",
        autograd.polyval,
        np.polyval,
        [Case((4,), (2, 3)), Case((3,), (), domain=_any, complex=False), Case((1,), (2,))],
        complex=True,
    ),
    Row(
        "polyval[powers of 0]",
        lambda p: autograd.polyval(p, np.array([0, 2])),
        lambda p: np.polyval(p, np.array([0, 2])),
        [Case((3,))],
        float32=False,  # NumPy's promotion of float32 with int64
    ),
    Row("interp", autograd.interp, np.interp, [Case(make=_points)]),
    Row(
        "interp[ends]",
        autograd.interp,
        lambda x, xp, fp, left, right: np.interp(x, xp, fp, float(left), float(right)),
        [Case(make=lambda rng: (*_points(rng), np.array(1.5), np.array(-0.5)))],
    ),
    Row(
        "interp[period]",
        autograd.interp,
        np.interp,
        [Case(make=_unordered, kwargs={"period": 5.0})],
    ),
    Row(
        "cov",
        autograd.cov,
        np.cov,
        [
            Case((3, 5)),
            Case((6,)),
            Case((2, 5), (5,)),
            Case((5, 2), kwargs={"rowvar": False, "bias": True}),
            Case((2, 4), kwargs={"ddof": 2, "fweights": np.array([1, 2, 1, 3])}),
        ],
        complex=True,
    ),
    Row(
        "cov[aweights]",
        lambda x, w, **kwargs: autograd.cov(x, aweights=w, **kwargs),
        lambda x, w, **kwargs: np.cov(x, aweights=w, **kwargs),
        [
            Case((2, 4), (4,), domain=("real", "positive")),
            Case((2, 4), (4,), domain=("real", "positive"), kwargs={"ddof": 0}),
            Case(
                (2, 4),
                (4,),
                domain=("real", "positive"),
                kwargs={"fweights": np.array([1, 2, 1, 3])},
            ),
        ],
    ),
    Row(
        "corrcoef",
        autograd.corrcoef,
        np.corrcoef,
        [Case((3, 5)), Case((2, 5), (5,)), Case((5, 2), kwargs={"rowvar": False})],
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "apply_along_axis",
        lambda x, axis: autograd.apply_along_axis(lambda v: v[1:] * v[0], axis, x),
        lambda x, axis: np.apply_along_axis(lambda v: v[1:] * v[0], axis, x),
        [Case((2, 3), args=(0,)), Case((2, 3, 4), args=(1,)), Case((3,), args=(-1,))],
    ),
    Row(
        "apply_along_axis[matrices]",
        lambda x: autograd.apply_along_axis(lambda v: autograd.outer(v, v), 1, x),
        lambda x: np.apply_along_axis(lambda v: np.outer(v, v), 1, x),
        [Case((2, 3, 2))],
    ),
    Row(
        "apply_over_axes",
        lambda x, axes: autograd.apply_over_axes(autograd.sum, x, axes),
        lambda x, axes: np.apply_over_axes(np.sum, x, axes),
        [Case((2, 3, 4), args=([0, -1],)), Case((2, 3), args=(1,))],
    ),
]

if hasattr(np, "matvec"):  # NumPy 2.2
    ROWS += [
        Row(
            "matvec",
            autograd.matvec,
            np.matvec,
            [Case((2, 3), (3,)), Case((4, 2, 3), (4, 3)), Case((2, 3), (4, 3))],
            complex=True,
        ),
        Row(
            "vecmat",
            autograd.vecmat,
            np.vecmat,
            [Case((3,), (3, 2)), Case((4, 3), (4, 3, 2)), Case((4, 3), (3, 2))],
            complex=True,
        ),
    ]
