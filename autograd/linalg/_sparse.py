"""Sparse matrices of SciPy times Variables, and sparse linear equations. Imports `_base`, `calls`
and NumPy; SciPy when it is called.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from autograd._optional import require
from autograd.arrays import UnreadError
from autograd.engine.calls import primitive
from autograd.ops.contractions import as_array

__all__ = ["is_sparse", "sparse_matmul", "spsolve"]


def is_sparse(value: Any) -> bool:
    """Tell whether `value` is a sparse matrix or array of SciPy, which need not be there."""
    module = sys.modules.get("scipy.sparse")
    return module is not None and module.issparse(value)


class _Pattern:
    """Where the stored elements of a sparse matrix are, and what was made of them last."""

    def __init__(self, rows: Any, columns: Any, shape: tuple[int, int]) -> None:
        self.rows, self.columns, self.shape = rows, columns, shape
        # The data that the factors below are of, known by their identity, and those factors.
        self.factored: Any = None
        self.factors: Any = None
        self.transposed = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pattern) and (
            self.shape == other.shape
            and np.array_equal(self.rows, other.rows)
            and np.array_equal(self.columns, other.columns)
        )

    __hash__ = object.__hash__

    @property
    def T(self) -> _Pattern:  # noqa: N802 - NumPy's name
        """The pattern of the transpose, with the same factors."""
        other = _Pattern(self.columns, self.rows, self.shape[::-1])
        other.factored, other.factors = self.factored, self.factors
        other.transposed = not self.transposed
        return other

    def blocks(self, count: int) -> _Pattern:
        """Return the pattern of `count` such matrices along the diagonal of one."""
        (m, n), which = self.shape, np.arange(count)[:, None]
        rows, columns = (which * m + self.rows).ravel(), (which * n + self.columns).ravel()
        return _Pattern(rows, columns, (count * m, count * n))

    def matrix(self, data: Any) -> Any:
        """Return the sparse matrix of these elements, by columns."""
        sparse = require("scipy.sparse", extra="special")
        return sparse.coo_array((data, (self.rows, self.columns)), self.shape).tocsc()

    def solve(self, data: Any, b: Any) -> Any:
        """Return x with A x = b, by factors that are kept for the transpose."""
        if self.factored is not data:
            linalg = require("scipy.sparse.linalg", extra="special")
            try:
                self.factors = linalg.splu(self.matrix(data))
            except UnreadError:
                raise
            except RuntimeError as error:
                raise np.linalg.LinAlgError(
                    f"spsolve: wanted a regular matrix, got one of shape {self.shape} for which "
                    f"SciPy says: {error}"
                ) from None
            self.factored, self.transposed = data, False
        trans = "T" if self.transposed else "N"
        if b.dtype.kind == "c" and data.dtype.kind != "c":  # the factors are real
            return self.factors.solve(b.real.copy(), trans) + 1j * self.factors.solve(
                b.imag.copy(), trans
            )
        return self.factors.solve(b.astype(data.dtype), trans)


def _pattern(what: str, A: Any, data: Any) -> tuple[Any, _Pattern]:
    """Return the stored elements of a sparse matrix, or what stands for them, and their places."""
    if not is_sparse(A) or A.ndim != 2:
        kind = type(A).__name__ + (f" of shape {A.shape}" if is_sparse(A) else "")
        raise TypeError(
            f"{what}: wanted a sparse matrix of SciPy with two axes, got {kind}; write "
            "scipy.sparse.csr_array(A)"
        )
    if data is not None and A.format not in ("csr", "csc", "coo"):
        raise TypeError(
            f"{what}: wanted data= for a matrix in the format csr, csc or coo, got {A.format}; "
            "write A.tocsr() first, and its data"
        )
    places = A.tocoo()
    if data is None:
        return places.data, _Pattern(places.row, places.col, A.shape)
    data = as_array(what, "data", data)
    if data.shape != A.data.shape:
        raise ValueError(
            f"{what}: wanted data of shape {A.data.shape}, one number for each stored element, got "
            f"{data.shape}"
        )
    return data, _Pattern(places.row, places.col, A.shape)


def _to_data(g: Any, x: Any, pattern: Any) -> Any:
    """Return the elements of g x^T that are stored."""
    product = g[pattern.rows] * x[pattern.columns]
    return product.sum(axis=1) if product.ndim == 2 else product


# -- products --------------------------------------------------------------------------------------


def _to_x(g: Any, data: Any, pattern: Any) -> Any:
    return _matmul(data, g, pattern.T)


@primitive(data=_to_data, x=_to_x, name="linalg.sparse_matmul")
def _matmul(data: Any, x: Any, pattern: Any) -> Any:
    return pattern.matrix(data) @ x


def sparse_matmul(A: Any, x: Any, data: Any = None) -> Any:
    """Multiply a sparse matrix of SciPy by vectors: (m, n), (n,) or (n, k) -> (m,) or (m, k).

    `A @ v` and `v @ A` come here where v is a Variable that requires a gradient.

    Args:
        A: sparse, in any format; a constant.
        x: dense.
        data: the stored elements of `A`, in the order of `A.data`, where their gradient is wanted:
            they stand for those of `A`, which then says only where they are.

    Example:
        >>> import autograd, scipy.sparse
        >>> A = scipy.sparse.csr_array([[0.0, 2.0], [1.0, 0.0]])
        >>> v = autograd.Variable([1.0, 3.0], requires_grad=True)
        >>> (A @ v).sum().backward()
        >>> v.grad
        array([1., 2.])
    """
    x = as_array("linalg.sparse_matmul", "x", x)
    if is_sparse(A) and (x.ndim not in (1, 2) or A.shape[-1] != x.shape[0]):
        raise ValueError(
            f"linalg.sparse_matmul: wanted shapes (m, n) and (n,) or (n, k), got {A.shape} and "
            f"{x.shape}"
        )
    data, pattern = _pattern("linalg.sparse_matmul", A, data)
    return _matmul(data, x, pattern)


# -- equations -------------------------------------------------------------------------------------


def _solve_rule(g: Any, data: Any, out: Any, pattern: Any, wanted: Any) -> Any:
    """Pull back to both operands; the solution of the transposed system is shared."""
    gb = _solve(data, g, pattern.T)
    return -_to_data(gb, out, pattern) if wanted[0] else None, gb


def _solve_push(tangents: Any, out: Any, data: Any, _b: Any, pattern: Any) -> Any:
    """Return A^-1 (db - dA x)."""
    ta, tb, _ = tangents
    if ta is not None:
        moved = _matmul(ta, out, pattern)
        tb = -moved if tb is None else tb - moved
    return _solve(data, tb, pattern)


@primitive(joint=_solve_rule, jvp=_solve_push, name="linalg.spsolve")
def _solve(data: Any, b: Any, pattern: Any) -> Any:
    return pattern.solve(data, b)


def spsolve(A: Any, b: Any, data: Any = None) -> Any:
    """Solve A x = b for a sparse matrix of SciPy: (n, n), (n,) or (n, k) -> (n,) or (n, k).

    The backward pass uses the same factors again.

    Args:
        A: sparse, in any format; a constant.
        b: dense.
        data: the stored elements of `A`, in the order of `A.data`, where their gradient is wanted.

    Raises:
        LinAlgError: the matrix is singular, or not square.
        ImportError: SciPy is not installed.
    """
    b = as_array("linalg.spsolve", "b", b)
    if is_sparse(A) and (A.ndim != 2 or A.shape[0] != A.shape[1]):
        raise np.linalg.LinAlgError(f"linalg.spsolve: wanted a square matrix, got shape {A.shape}")
    if is_sparse(A) and (b.ndim not in (1, 2) or A.shape[0] != b.shape[0]):
        raise ValueError(
            f"linalg.spsolve: wanted shapes (n, n) and (n,) or (n, k), got {A.shape} and {b.shape}"
        )
    data, pattern = _pattern("linalg.spsolve", A, data)
    # A real matrix with a complex right-hand side stays real, in the precision of both.
    of_b = np.empty(0, b.dtype).real.dtype if data.dtype.kind != "c" else b.dtype
    dtype = np.result_type(data.dtype, of_b, np.float32)
    return _solve(data if data.dtype == dtype else data.astype(dtype), b, pattern)
