"""The extension `linalg` of the array API standard: see `autograd.array_api`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.array_api import _made

_SIGNATURES = """
cholesky(x, /, *, upper=False)
cross vecdot(x1, x2, /, *, axis=-1)
det eigh eigvalsh inv matrix_transpose slogdet svdvals(x, /)
diagonal(x, /, *, offset=0)
matmul outer solve(x1, x2, /)
matrix_norm(x, /, *, keepdims=False, ord='fro')
matrix_power(x, n, /)
matrix_rank pinv(x, /, *, rtol=None)
qr(x, /, *, mode='reduced')
svd(x, /, *, full_matrices=True)
tensordot(x1, x2, /, *, axes=2)
trace(x, /, *, offset=0, dtype=None)
vector_norm(x, /, *, axis=None, keepdims=False, ord=2)
"""

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...

else:
    __getattr__, __dir__, __all__ = _made.standard(__name__, np.linalg, _SIGNATURES)
