"""Rows of `autograd/linalg`.

Hermitian arguments are made of general ones, because differences step off the Hermitian matrices
otherwise. Vectors that are unique up to a sign or a phase enter as projections, which are not.
"""

import numpy as np
from op_table import DOMAINS, Case, Row

import autograd
from autograd import linalg
from autograd.linalg import _solve


def hermitian(x):
    return (x + x.conj().swapaxes(-1, -2)) / 2


def adjoint(x):
    return x.conj().swapaxes(-1, -2)


def positive(x):
    """Make a positive definite matrix of any."""
    return x @ adjoint(x) + 0.5 * np.eye(x.shape[-1], dtype=x.real.dtype)


def cofactors(a):
    return _solve._cofactors(a, np.linalg.det(a))


def projections(vectors):
    """Return v v^H for each column v: (..., n, k) -> (..., k, n, n)."""
    columns = vectors.swapaxes(-1, -2)
    return columns[..., :, None] * columns.conj()[..., None, :]


def spectral(result):
    """Return what does not depend on the phases of eigenvectors, nor on their order."""
    values, vectors = result
    return ordered(values), (values[..., None, None] ** 2 * projections(vectors)).sum(-3)


def ordered(values):
    """Sort eigenvalues by their real parts, whatever order they were found in."""
    return autograd.take_along_axis(values, np.argsort(values.real + 0.1 * values.imag, -1), -1)


def singular(result):
    """Return what does not depend on the phases of singular vectors, and what joins both sides."""
    u, s, vh = result
    k = s.shape[-1]
    joined = u[..., :k].swapaxes(-1, -2)[..., :, None] * vh[..., :k, None, :]
    return s, joined, projections(u[..., :k]), projections(adjoint(vh[..., :k, :]))


def outer_spaces(result):
    """Return the projections onto the spaces of the additional vectors of a full decomposition."""
    u, s, vh = result
    k = s.shape[-1]
    return s, u[..., k:] @ adjoint(u[..., k:]), adjoint(vh[..., k:, :]) @ vh[..., k:, :]


def apart(rng, shape):
    """Draw matrices with well separated singular values, of any shape."""
    m, n = shape[-2:]
    return 0.2 * rng.normal(size=shape) + np.eye(m, n) * np.arange(1.0, n + 1)


def eigen_apart(rng, shape):
    """Draw general matrices with well separated real eigenvalues."""
    return 0.2 * rng.normal(size=shape) + np.diag(np.arange(1.0, shape[-1] + 1))


def rotating(rng, shape):
    """Draw real matrices with complex eigenvalues."""
    turn = np.array([[1.0, -2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 3.0]])
    return 0.1 * rng.normal(size=shape) + turn


def by_phase(result):
    """Turn each column of Q so that the diagonal of R is positive, which makes QR unique."""
    q, r = result
    k = min(r.shape[-2:])
    d = r[..., np.arange(k), np.arange(k)]
    phase = d / abs(d)
    return q[..., :k] * phase[..., None, :], r[..., :k, :] * phase.conj()[..., :, None]


def complement(result):
    """Return the unique factors, and the projection onto the columns that only "complete" has."""
    q, r = result
    k = min(r.shape[-2:])
    rest = q[..., k:]
    return (*by_phase(result), rest @ adjoint(rest))


def single(name, *cases, **options):
    """Return the row of a function of one square matrix."""
    options.setdefault("complex", True)
    cases = cases or (
        Case((3, 3), domain="well_conditioned"),
        Case((2, 2, 2), domain="well_conditioned"),
    )
    return Row(
        f"linalg.{name}", getattr(linalg, name), getattr(np.linalg, name, None), cases, **options
    )


def of_lists(*shapes):
    return Case(make=lambda rng: ([rng.normal(size=shape) for shape in shapes],))


MATRIX_NORMS = (None, "fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2)
VECTOR_NORMS = (None, 0, 1, -1, 2, -2, 3, 2.5, 0.5, np.inf, -np.inf)


def cho_solved(lower):
    return lambda a, b: linalg.cho_solve(linalg.cho_factor(positive(a), lower), b)


ROWS = [
    *(
        Row(
            f"linalg.cho_solve {lower}",
            cho_solved(lower),
            lambda a, b: np.linalg.solve(positive(a), b),
            [Case((3, 3), (3,)), Case((2, 3, 3), (3, 2)), Case((2, 3, 3), (3,))][: 2 + lower],
            complex=True,
            method=False,
            order=1 if lower else 2,
        )
        for lower in (False, True)
    ),
    single("inv"),
    single("det", Case((3, 3)), Case((2, 2, 2)), Case((1, 1)), Case((4, 4), domain="symmetric")),
    Row(
        "linalg.det[singular]",
        lambda u, v: linalg.det(u @ v),
        lambda u, v: np.linalg.det(u @ v),
        [Case((3, 2), (2, 3)), Case((3, 1), (1, 3)), Case((2, 2, 1), (2, 1, 2))],
        complex=True,
    ),
    Row(
        "linalg.cofactors",
        cofactors,
        lambda a: np.linalg.det(a)[..., None, None] * np.linalg.inv(a).mT,
        [Case((3, 3)), Case((2, 2, 2)), Case((1, 1))],
        primitives=["linalg.cofactors"],
        complex=True,
    ),
    Row(
        "linalg.cofactors[singular]",
        lambda u, v: cofactors(u @ v),
        None,
        [Case((3, 2), (2, 3)), Case((4, 2), (2, 4)), Case((2, 2, 1), (2, 1, 2))],
        complex=True,
    ),
    single("slogdet"),
    single(
        "pinv",
        Case((3, 3), domain="well_conditioned"),
        Case((4, 2)),
        Case((2, 2, 3)),
        Case((3, 2), kwargs={"rcond": 1e-10}),
        Case((3, 2), kwargs={"rtol": 1e-10}),
        rtol=1e-5,
    ),
    Row(
        "linalg.pinv[rank]",
        lambda u, v: linalg.pinv(u @ v, rcond=1e-5),
        lambda u, v: np.linalg.pinv(u @ v, rcond=1e-5),
        [Case((4, 2), (2, 3))],
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "linalg.pinv[hermitian]",
        lambda x: linalg.pinv(hermitian(x), hermitian=True),
        lambda x: np.linalg.pinv(hermitian(x), hermitian=True),
        [Case((3, 3), domain="well_conditioned")],
        complex=True,
    ),
    Row(
        "linalg.solve",
        linalg.solve,
        np.linalg.solve,
        [
            Case((3, 3), (3,), domain=("well_conditioned", "real")),
            Case((3, 3), (3, 2), domain=("well_conditioned", "real")),
            Case((2, 3, 3), (3,), domain=("well_conditioned", "real")),
            Case((2, 1, 3, 3), (4, 3, 1), domain=("well_conditioned", "real")),
            Case((2, 2), (3, 2, 1), domain=("well_conditioned", "real")),
        ],
        complex=True,
    ),
    Row(
        "linalg.solve_triangular",
        linalg.solve_triangular,
        None,
        [
            Case((3, 3), (3, 2), domain=("well_conditioned", "real"), kwargs=kwargs)
            for kwargs in (
                {},
                {"lower": True},
                {"trans": 1},
                {"trans": "C", "lower": True},
                {"unit_diagonal": True},
            )
        ],
        complex=True,
    ),
    Row(
        "linalg.lstsq",
        linalg.lstsq,
        np.linalg.lstsq,
        [
            Case((4, 2), (4,)),
            Case((4, 2), (4, 3)),
            Case((2, 4), (2,)),
            Case((3, 3), (3, 2), domain=("well_conditioned", "real")),
        ],
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "linalg.lstsq[rank]",
        lambda u, v, b: linalg.lstsq(u @ v, b, rcond=1e-5)[0],
        lambda u, v, b: np.linalg.lstsq(u @ v, b, rcond=1e-5)[0],
        [Case((4, 2), (2, 3), (4,))],
        rtol=1e-5,
    ),
    Row(
        "linalg.tensorsolve",
        linalg.tensorsolve,
        np.linalg.tensorsolve,
        [
            Case((2, 3, 6), (2, 3)),
            Case((6, 2, 3), (6,)),
            Case((2, 6, 3), (2, 3), kwargs={"axes": (1,)}),
        ],
        rtol=1e-5,
    ),
    Row(
        "linalg.tensorinv",
        linalg.tensorinv,
        np.linalg.tensorinv,
        [Case((2, 3, 6)), Case((4, 2, 2), args=(1,))],
        rtol=1e-5,
    ),
    Row(
        "linalg.matrix_power",
        linalg.matrix_power,
        np.linalg.matrix_power,
        [Case((3, 3), domain="well_conditioned", args=(n,)) for n in (1, 2, 3, 5, -1, -2)]
        + [Case((2, 2, 2), args=(4,))],
        complex=True,
    ),
    Row(
        "linalg.cholesky",
        lambda x: linalg.cholesky(positive(x)),
        lambda x: np.linalg.cholesky(positive(x)),
        [Case((3, 3)), Case((2, 2, 2))],
        complex=True,
    ),
    Row(
        "linalg.cholesky[upper]",
        lambda x: linalg.cholesky(positive(x), upper=True),
        lambda x: np.linalg.cholesky(positive(x), upper=True),
        [Case((3, 3))],
        complex=True,
    ),
    Row(
        "linalg.qr",
        lambda x: by_phase(linalg.qr(x)),
        lambda x: by_phase(np.linalg.qr(x)),
        [Case((3, 3)), Case((4, 2)), Case((2, 4)), Case((2, 3, 2))],
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "linalg.qr[complete]",
        lambda x: complement(linalg.qr(x, "complete")),
        lambda x: complement(np.linalg.qr(x, "complete")),
        [Case((4, 2)), Case((2, 3)), Case((2, 3, 2))],
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "linalg.qr[r]",
        lambda x: adjoint(linalg.qr(x, "r")) @ linalg.qr(x, mode="r"),
        lambda x: adjoint(np.linalg.qr(x, "r")) @ np.linalg.qr(x, mode="r"),
        [Case((3, 3)), Case((4, 2)), Case((2, 3))],
        complex=True,
    ),
    Row(
        "linalg.eigh",
        lambda x: spectral(linalg.eigh(hermitian(x))),
        lambda x: spectral(np.linalg.eigh(hermitian(x))),
        [Case((3, 3), domain="symmetric"), Case((2, 2, 2), domain="symmetric")],
        complex=True,
    ),
    Row(
        "linalg.eigh[U]",
        lambda x: spectral(linalg.eigh(hermitian(x), UPLO="U")),
        lambda x: spectral(np.linalg.eigh(hermitian(x), UPLO="U")),
        [Case((3, 3), domain="symmetric")],
    ),
    Row(
        "linalg.eigvalsh",
        lambda x: linalg.eigvalsh(hermitian(x)),
        lambda x: np.linalg.eigvalsh(hermitian(x)),
        [Case((3, 3), domain="symmetric"), Case((2, 2, 2), domain="symmetric")],
        complex=True,
    ),
    Row(
        "linalg.eig",
        lambda x: spectral(linalg.eig(x)),
        lambda x: spectral(np.linalg.eig(x)),
        [
            Case((3, 3), domain=eigen_apart),
            Case((2, 2, 2), domain=eigen_apart),
            Case((3, 3), domain=rotating),
        ],
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "linalg.eigvals",
        lambda x: ordered(linalg.eigvals(x)),
        lambda x: ordered(np.linalg.eigvals(x)),
        [Case((3, 3), domain=eigen_apart), Case((3, 3), domain=rotating)],
        complex=True,
    ),
    Row(
        "linalg.svd",
        lambda x: singular(linalg.svd(x, full_matrices=False)),
        lambda x: singular(np.linalg.svd(x, full_matrices=False)),
        [
            Case((3, 3), domain=apart),
            Case((4, 2), domain=apart),
            Case((2, 4), domain=apart),
            Case((2, 3, 2), domain=apart),
        ],
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "linalg.svd[full]",
        lambda x: singular(linalg.svd(x)) + outer_spaces(linalg.svd(x)),
        lambda x: singular(np.linalg.svd(x)) + outer_spaces(np.linalg.svd(x)),
        [Case((4, 2), domain=apart), Case((2, 4), domain=apart), Case((2, 3, 2), domain=apart)],
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "linalg.svd[hermitian]",
        lambda x: singular(linalg.svd(hermitian(x) - 3.5 * np.eye(3), hermitian=True)),
        lambda x: singular(np.linalg.svd(hermitian(x) - 3.5 * np.eye(3), hermitian=True)),
        [Case((3, 3), domain=lambda rng, shape: DOMAINS["symmetric"](rng, shape) * 1.7)],
        float32=False,  # the shift is float64
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "linalg.svdvals",
        linalg.svdvals,
        np.linalg.svdvals,
        [Case((3, 3), domain=apart), Case((2, 4), domain=apart), Case((2, 3, 2), domain=apart)],
        complex=True,
    ),
    Row(
        "linalg.norm",
        linalg.norm,
        np.linalg.norm,
        [Case((3,)), Case((2, 3)), Case((2, 3, 2)), Case((2, 3), kwargs={"keepdims": True})],
        complex=True,
    ),
    Row(
        "linalg.norm[vectors]",
        linalg.norm,
        np.linalg.norm,
        [Case((4,), domain="distinct", args=(ord,)) for ord in VECTOR_NORMS]
        + [
            Case(
                (2, 3), domain="distinct", args=(ord,), kwargs={"axis": axis, "keepdims": keepdims}
            )
            for ord, axis, keepdims in [
                (1, 0, True),
                (3, -1, False),
                (np.inf, 1, True),
                (-np.inf, 0, False),
                (2, (0,), True),
            ]
        ],
        complex=True,
    ),
    Row(
        "linalg.norm[matrices]",
        linalg.norm,
        np.linalg.norm,
        [Case((3, 3), domain=apart, args=(ord,)) for ord in MATRIX_NORMS]
        + [
            Case((2, 3, 2), domain=apart, args=(ord, axes), kwargs={"keepdims": keepdims})
            for ord, axes, keepdims in [
                ("fro", (0, 2), True),
                ("nuc", (1, 2), False),
                (2, (2, 1), True),
                (1, (2, 0), False),
                (np.inf, (-1, 0), True),
                (-np.inf, (0, 1), False),
            ]
        ],
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "linalg.vector_norm",
        linalg.vector_norm,
        np.linalg.vector_norm,
        [
            Case((2, 3)),
            Case((2, 3), kwargs={"axis": 1, "ord": 1}),
            Case((2, 3, 2), kwargs={"axis": (0, 2), "ord": 3, "keepdims": True}),
        ],
        complex=True,
    ),
    Row(
        "linalg.matrix_norm",
        linalg.matrix_norm,
        np.linalg.matrix_norm,
        [
            Case((2, 3, 2), domain=apart),
            Case((3, 2), domain=apart, kwargs={"ord": "nuc", "keepdims": True}),
        ],
        complex=True,
    ),
    Row(
        "linalg.cond",
        linalg.cond,
        np.linalg.cond,
        [Case((3, 3), domain=apart, args=(p,)) for p in (None, 2, -2)]
        # NumPy 2.0 returns these as complex numbers for a complex matrix.
        + [Case((3, 3), domain=apart, args=(p,), complex=False) for p in (1, np.inf, "fro")]
        + [Case((2, 3, 2), domain=apart)],
        complex=True,
        rtol=1e-5,
    ),
    Row(
        "linalg.multi_dot",
        linalg.multi_dot,
        np.linalg.multi_dot,
        [
            of_lists((2, 3), (3, 4)),
            of_lists((4, 2), (2, 5), (5, 1)),
            of_lists((3,), (3, 2), (2, 4), (4,)),
        ],
        complex=True,
    ),
    Row("linalg.matmul", linalg.matmul, np.linalg.matmul, [Case((2, 3), (3, 2))]),
    Row("linalg.vecdot", linalg.vecdot, np.linalg.vecdot, [Case((2, 3), (3,))], complex=True),
    Row("linalg.outer", linalg.outer, np.linalg.outer, [Case((2,), (3,))], complex=True),
    Row(
        "linalg.cross",
        linalg.cross,
        np.linalg.cross,
        [Case((2, 3), (3,)), Case((3, 2), (3, 2), kwargs={"axis": 0})],
    ),
    Row(
        "linalg.tensordot",
        linalg.tensordot,
        np.linalg.tensordot,
        [Case((2, 3, 4), (3, 4, 2)), Case((2, 3), (3, 2), kwargs={"axes": 1})],
    ),
    Row(
        "linalg.trace",
        linalg.trace,
        np.linalg.trace,
        [Case((3, 4)), Case((2, 3, 3), kwargs={"offset": -1})],
        complex=True,
    ),
    Row(
        "linalg.diagonal",
        linalg.diagonal,
        np.linalg.diagonal,
        [Case((3, 4), kwargs={"offset": 2}), Case((2, 4, 3), kwargs={"offset": -2})],
    ),
    Row(
        "linalg.matrix_transpose",
        linalg.matrix_transpose,
        np.linalg.matrix_transpose,
        [Case((2, 3, 4))],
    ),
    Row(
        "linalg.expm",
        linalg.expm,
        None,
        [
            Case((3, 3)),
            Case((2, 2, 2), domain="small"),
            Case((2, 2), domain=lambda rng, shape: 6 * rng.normal(size=shape)),
        ],
        complex=True,
    ),
    Row(
        "linalg.sqrtm",
        lambda x: linalg.sqrtm(x @ x),
        lambda x: x,
        [Case((3, 3), domain="well_conditioned"), Case((2, 2, 2), domain="symmetric")],
        complex=True,
    ),
    Row(
        "linalg.solve_sylvester",
        lambda a, b, x: linalg.solve_sylvester(a, b, a @ x + x @ b),
        lambda a, b, x: x,
        [
            Case((3, 3), (2, 2), (3, 2), domain=("well_conditioned", "well_conditioned", "real")),
            Case((2, 2), (2, 2), (3, 2, 2), domain=("well_conditioned", "symmetric", "real")),
        ],
        complex=True,
    ),
    Row(
        "linalg.solve_banded",
        lambda ab, b: linalg.solve_banded((1, 2), ab + np.array([[0.0], [0], [9], [0]]), b),
        None,
        [Case((4, 5), (5,)), Case((4, 5), (5, 2))],
        float32=False,  # the shift is float64
    ),
]
