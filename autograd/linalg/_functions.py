"""Functions of matrices, equations of special form, products, and names that NumPy repeats here.

All kernels are NumPy's, for stacks of matrices. The derivative of a function of matrices is a block
of the same function of a larger matrix, so derivatives of any order stay in the family. Imports
`_base`, `_solve`, `ops` and NumPy.

References:
    Higham, "The scaling and squaring method for the matrix exponential revisited", SIAM Journal on
    Matrix Analysis and Applications 26 (2005): algorithm 2.3.
    Higham, "Functions of Matrices" (SIAM, 2008): theorem 3.6 (derivatives by blocks) and equation
    6.29 (the square root).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.engine.calls import primitive
from autograd.linalg._base import identity, mT, square_matrices
from autograd.linalg._solve import solve
from autograd.ops import contractions, elementwise, joining, reductions, shaping
from autograd.ops.contractions import as_array, multiply_chain
from autograd.ops.plain import power_of_two

__all__ = [
    "cross",
    "diagonal",
    "expm",
    "matrix_transpose",
    "multi_dot",
    "outer",
    "solve_banded",
    "solve_sylvester",
    "sqrtm",
    "tensordot",
    "trace",
]

# -- the matrix exponential ------------------------------------------------------------------------

# Coefficients of the numerator of the Pade approximant of degree 13, lowest power first.
_PADE = (
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
)
# Below this 1-norm the approximant is accurate in float64 (Higham, table 2.3).
_PADE_RADIUS = 5.371920351148152


def _expm_a(g: Any, a: Any) -> Any:
    """Pull back: the upper right block of the exponential of [[A^T, g], [0, A^T]]."""
    return _of_blocks(expm, a, g)


def _of_blocks(function: Any, a: Any, g: Any) -> Any:
    """Return the upper right block of f([[A^T, g], [0, A^T]]): the adjoint derivative of f at A.

    It is linear in g, which comes in the size of A, as the digits of f depend on its argument's.
    """
    n = a.shape[-1]
    transposed = mT(a)
    size, scale = (power_of_two(x, axis=(-2, -1)) for x in (a, g))
    top = joining.concatenate((transposed, g / scale * size), axis=-1)
    bottom = joining.concatenate((transposed * 0.0, transposed), axis=-1)
    return function(joining.concatenate((top, bottom), axis=-2))[..., :n, n:] / size * scale


def _inexact(a: Any) -> Any:
    a = a if hasattr(a, "dtype") else np.asarray(a)
    return a if a.dtype.kind in "fc" else a.astype(float)


@primitive(a=_expm_a, name="linalg.expm")
def expm(a: Any) -> Any:
    """Return the matrix exponential I + A + A^2 / 2 + ...: (..., n, n) -> (..., n, n).

    A stack is scaled by its largest matrix. The gradient is an exponential of twice the size.
    """
    a = _inexact(a)
    size = np.abs(a).sum(-2).max(initial=0.0)
    squarings = max(0, math.ceil(math.log2(size / _PADE_RADIUS))) if 0 < size < math.inf else 0
    a = a * 0.5**squarings
    one = np.eye(a.shape[-1], dtype=a.dtype)
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    b = _PADE
    odd = a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2)
    odd = a @ (odd + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2)
    even = even + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    result = np.linalg.solve(even - odd, even + odd)
    for _ in range(squarings):
        result = result @ result
    return result


# -- the square root -------------------------------------------------------------------------------


def _sqrtm_a(g: Any, a: Any) -> Any:
    """Pull back: the upper right block of the root of [[A^T, g], [0, A^T]], as for `expm`."""
    return _of_blocks(sqrtm, a, g)


@primitive(a=_sqrtm_a, name="linalg.sqrtm")
def sqrtm(a: Any) -> Any:
    """Return the principal square root x of matrices, x x = a: (..., n, n) -> (..., n, n).

    Raises:
        LinAlgError: a matrix has no principal root: an eigenvalue is 0 or (nearly) negative.
    """
    a = _inexact(a)
    if not a.size:
        return a.copy()
    n = a.shape[-1]
    one = np.eye(n, dtype=a.dtype)
    tolerance = 4 * n * np.finfo(a.dtype).eps
    x, m = a, a
    # Product form of the iteration of Denman and Beavers, scaled by the determinant at first.
    for _ in range(40):
        try:
            inverse = np.linalg.inv(m)
        except np.linalg.LinAlgError:
            break
        distance = np.abs(m - one).max(initial=0.0)
        if distance > 0.01:
            scale = np.abs(np.linalg.det(m)) ** (-0.5 / n)
            scale = scale.astype(np.abs(a).dtype)[..., None, None]
        else:
            scale = np.ones((1, 1), dtype=np.abs(a).dtype)
        x = (x @ (one + inverse / scale**2)) * (scale / 2)
        m = (one + (m * scale**2 + inverse / scale**2) / 2) / 2
        if distance < tolerance:
            return x
        if not np.isfinite(distance):
            break
    raise np.linalg.LinAlgError(
        "linalg.sqrtm: wanted matrices without eigenvalues at 0 or on the negative axis, got one "
        "whose square root was not found; pass a complex matrix for complex roots"
    )


# -- equations that NumPy has no kernel for --------------------------------------------------------


def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """Solve a x + x b = q: (..., m, m), (..., n, n), (..., m, n) -> (..., m, n).

    Solves one system of m n equations, so this is for small matrices: SciPy's function takes
    O(m^3 + n^3) where this takes O(m^3 n^3).
    """
    a = square_matrices("solve_sylvester", a)
    b = square_matrices("solve_sylvester", b)
    q = as_array("linalg.solve_sylvester", "q", q)
    m, n = a.shape[-1], b.shape[-1]
    if q.shape[-2:] != (m, n):
        raise ValueError(
            f"linalg.solve_sylvester: wanted q of shape (..., {m}, {n}), got {q.shape}"
        )
    of_a = a[..., :, None, :, None] * identity(n, a)[:, None, :]
    of_b = identity(m, b)[:, None, :, None] * mT(b)[..., None, :, None, :]
    system = of_a + of_b
    x = solve(
        shaping.reshape(system, (*system.shape[:-4], m * n, m * n)),
        shaping.reshape(q, (*q.shape[:-2], m * n, 1)),
    )
    return shaping.reshape(x, (*x.shape[:-2], m, n))


def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any) -> Any:
    """Solve a x = b for a band matrix, as SciPy's function of this name.

    NumPy has no kernel for band matrices; this takes as long as `solve`.

    Args:
        l_and_u: how many diagonals lie below and above the main one.
        ab: (l + u + 1, n), the diagonals as rows: ab[u + i - j, j] is a[i, j].
        b: (n,) or (n, k).
    """
    below, above = l_and_u
    ab = as_array("linalg.solve_banded", "ab", ab)
    if ab.ndim != 2 or len(ab) != below + above + 1:
        raise ValueError(
            f"linalg.solve_banded: wanted {below} + {above} + 1 rows, one per diagonal, got shape "
            f"{ab.shape}"
        )
    j = np.arange(ab.shape[1])
    row = above + j[:, None] - j
    inside = (row >= 0) & (row < len(ab))
    return solve(elementwise.where(inside, ab[np.where(inside, row, 0), j], 0.0), b)


# -- products --------------------------------------------------------------------------------------


def multi_dot(arrays: Sequence[Any]) -> Any:
    """Multiply two or more matrices in the order that takes the fewest products.

    Args:
        arrays: matrices; the first and the last may be vectors.

    Raises:
        ValueError: there are fewer than two.
    """
    factors = [as_array("linalg.multi_dot", f"arrays[{i}]", a) for i, a in enumerate(arrays)]
    count = len(factors)
    if count < 2:
        raise ValueError(f"linalg.multi_dot: wanted at least two arrays, got {count}")
    ends = (0, count - 1)
    for i, x in enumerate(factors):
        if x.ndim != 2 and not (x.ndim == 1 and i in ends):
            raise np.linalg.LinAlgError(
                f"linalg.multi_dot: wanted matrices, and vectors only at the ends, got shape "
                f"{x.shape} at position {i}"
            )
    return multiply_chain(factors)


# -- names that NumPy repeats in this namespace ----------------------------------------------------


def _diagonal_indices(x: Any, offset: int) -> Any:
    length = max(0, min(x.shape[-2] + min(offset, 0), x.shape[-1] - max(offset, 0)))
    i = np.arange(length)
    return (..., i - min(offset, 0), i + max(offset, 0))


def _matrices(name: str, value: Any) -> Any:
    x = as_array(f"linalg.{name}", "x", value)
    if x.ndim < 2:
        raise ValueError(f"linalg.{name}: wanted matrices (..., m, n), got shape {x.shape}")
    return x


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """Take diagonals of matrices: (..., m, n) -> (..., k)."""
    x = _matrices("diagonal", x)
    return x[_diagonal_indices(x, offset)]


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """Sum diagonals of matrices: (..., m, n) -> (...)."""
    x = _matrices("trace", x)
    return reductions.sum(x[_diagonal_indices(x, offset)], axis=-1, dtype=dtype)


def matrix_transpose(x: Any, /) -> Any:
    """Transpose matrices: (..., m, n) -> (..., n, m)."""
    return shaping.swapaxes(_matrices("matrix_transpose", x), -1, -2)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Take the cross product of vectors of length 3 along `axis`."""
    return contractions.cross(x1, x2, axis=axis)


def outer(x1: Any, x2: Any, /) -> Any:
    """Multiply each element of one vector by each of another: (m,), (n,) -> (m, n)."""
    x1 = as_array("linalg.outer", "x1", x1)
    x2 = as_array("linalg.outer", "x2", x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"linalg.outer: wanted two vectors, got shapes {x1.shape} and {x2.shape}")
    return contractions.outer(x1, x2)


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """Sum products over pairs of axes; see `autograd.tensordot`."""
    return contractions.tensordot(x1, x2, axes)
