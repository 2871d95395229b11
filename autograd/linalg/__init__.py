"""Linear algebra, with the names of `numpy.linalg`: batched, real and complex, of any order.

`np.linalg.solve(v, w)` on Variables calls the functions here. What a Hermitian argument, a
degenerate eigenvalue, a zero vector or a singular matrix means for gradients is said by each
function. `expm`, `sqrtm`, `cho_factor`, `cho_solve`, `solve_triangular`, `solve_banded` and
`solve_sylvester` have the names and arguments of `scipy.linalg`; they are computed by NumPy.
`spsolve` and `sparse_matmul` are for the sparse matrices of SciPy, and need it.
"""

from autograd.linalg._factor import cho_factor, cho_solve, cholesky, qr
from autograd.linalg._functions import (
    cross,
    diagonal,
    expm,
    matrix_transpose,
    multi_dot,
    outer,
    solve_banded,
    solve_sylvester,
    sqrtm,
    tensordot,
    trace,
)
from autograd.linalg._least_squares import lstsq, pinv
from autograd.linalg._norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from autograd.linalg._solve import (
    det,
    inv,
    matrix_power,
    slogdet,
    solve,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from autograd.linalg._sparse import sparse_matmul, spsolve
from autograd.linalg._spectral import eig, eigh, eigvals, eigvalsh, svd, svdvals
from autograd.ops.contractions import matmul, vecdot
from autograd.publication import publish as _publish

__all__ = [
    "cho_factor",
    "cho_solve",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_banded",
    "solve_sylvester",
    "solve_triangular",
    "sparse_matmul",
    "spsolve",
    "sqrtm",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]

_publish(__name__)
