"""What the rules of linear algebra share. Imports `calls`, `ops` and NumPy.

Two conventions for complex matrices meet here. Inside a backward pass a cotangent g stands for
dL = Re(sum of g dA), so the rules of holomorphic functions (inv, solve, det ...) are plain
transposes. Papers, and PyTorch, write dL = Re(sum of conj(G) dA) = Re tr(G^H dA): the rules of
functions that are not holomorphic (cholesky, eigh, svd, pinv ...) are written with G and adjoints,
so that they read like their sources, and convert by `conj` on the way in and out. On real matrices
neither costs anything.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from autograd.engine.calls import holds
from autograd.ops.contractions import as_array
from autograd.ops.plain import plain
from autograd.typed import user_level

__all__ = [
    "EigResult",
    "EighResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "conj",
    "diagonal_of",
    "identity",
    "inverse_gaps",
    "mH",
    "mT",
    "make_diagonal",
    "real_dtype",
    "rounding",
    "square_matrices",
]


class EigResult(NamedTuple):
    """Eigenvalues (..., n) and right eigenvectors (..., n, n), one per column."""

    eigenvalues: Any
    eigenvectors: Any


class EighResult(NamedTuple):
    """Eigenvalues (..., n), ascending, and eigenvectors (..., n, n), one per column."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """Unitary Q and upper triangular R."""

    Q: Any
    R: Any


class SVDResult(NamedTuple):
    """Left singular vectors (columns), singular values, right singular vectors (rows)."""

    U: Any
    S: Any
    Vh: Any


class SlogdetResult(NamedTuple):
    """The sign (or phase) of a determinant, and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


def conj(x: Any) -> Any:
    """Conjugate a complex array; None and real arrays stay as they are."""
    return x.conj() if x is not None and x.dtype.kind == "c" else x


def mT(x: Any) -> Any:  # noqa: N802 - NumPy's name
    """Transpose matrices: (..., m, n) -> (..., n, m)."""
    return x.swapaxes(-1, -2)


def mH(x: Any) -> Any:  # noqa: N802 - like mT
    """Return the adjoint, the conjugate transpose: (..., m, n) -> (..., n, m)."""
    return conj(x).swapaxes(-1, -2)


def real_dtype(x: Any) -> Any:
    """Return the dtype of the real part of `x`."""
    return np.empty(0, x.dtype).real.dtype


def identity(n: int, x: Any) -> Any:
    """Return the identity matrix in the real dtype of `x`."""
    return np.eye(n, dtype=real_dtype(x))


def make_diagonal(x: Any) -> Any:
    """Put vectors on the diagonal of matrices: (..., n) -> (..., n, n)."""
    return x[..., None] * identity(x.shape[-1], x)


def diagonal_of(x: Any) -> Any:
    """Take the main diagonal of square matrices: (..., n, n) -> (..., n)."""
    n = np.arange(x.shape[-1])
    return x[..., n, n]


def square_matrices(name: str, value: Any) -> Any:
    """Return an operand as a stack of square matrices.

    Raises:
        LinAlgError: it is none.
    """
    a = as_array(f"linalg.{name}", "a", value)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(
            f"linalg.{name}: wanted square matrices (..., n, n), got shape {a.shape}"
        )
    return a


def rounding(values: Any) -> Any:
    """Return the errors of eigenvalues or singular values (..., n), relative to the largest, as
    (..., 1).
    """
    n = values.shape[-1]
    largest = np.abs(values).max(-1, initial=0, keepdims=True)
    return 8 * n * np.finfo(real_dtype(values)).eps * largest


@plain
def _close(values: Any) -> Any:
    """Tell which two of `values` are equal up to rounding: (..., n) -> (..., n, n)."""
    gaps = np.abs(values[..., None, :] - values[..., :, None])
    return gaps <= rounding(values)[..., None]


def inverse_gaps(values: Any, gaps: Any, *, what: str, of: str) -> Any:
    """Return 1 / `gaps`, with 0 where two of `values` are equal up to rounding, and warn of it.

    Args:
        values: (..., n), of which `gaps` (..., n, n) are differences or differences of squares.
        gaps: what is inverted.
        what: the operation, for the warning.
        of: the name of `values`.
    """
    close = _close(values)
    if holds(np.count_nonzero(close) > values.size, traced=False):
        warnings.warn(
            f"{what}: the gradient of vectors of equal {of} is not defined; their share in each "
            f"other's gradient was taken as 0 (the gradient of the {of} is right)",
            RuntimeWarning,
            stacklevel=user_level(),
        )
    return np.where(close, 0.0, 1 / np.where(close, 1.0, gaps))
