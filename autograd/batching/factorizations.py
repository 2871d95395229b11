"""Batch rules of linear algebra, which works on stacks of matrices already.

Imports `run`, `_axes` and NumPy.
"""

from __future__ import annotations

from typing import Any

from autograd.batching._axes import spread_over, with_ndim
from autograd.batching.run import Run, batch_rule

__all__: list[str] = []


@batch_rule(
    *("linalg.inv", "linalg.det", "linalg.slogdet", "linalg.cholesky", "linalg.qr", "linalg.expm"),
    *("linalg.sqrtm", "linalg.eigh", "linalg.eigvalsh", "linalg.eig", "linalg.svd"),
    "linalg.svdvals",
)
def _of_stacks(run: Run, *values: Any) -> Any:
    if any(run.varies[1:]):
        raise run.refuse("options that differ from example to example")
    return run(*values)


@batch_rule("linalg.pinv")
def _pinv(run: Run, *values: Any) -> Any:
    a, rcond, hermitian, rtol = values
    limits = [
        with_ndim(v, a.ndim - 3) if varies else v
        for v, varies in ((rcond, run.varies[1]), (rtol, run.varies[3]))
    ]
    return run(spread_over(a, run.size, varies=run.varies[0]), limits[0], hermitian, limits[1])


@batch_rule("linalg.cofactors")
def _cofactors(run: Run, *values: Any) -> Any:
    both = zip(values, run.varies, strict=True)
    return run(*[spread_over(v, run.size, varies=varies) for v, varies in both])


@batch_rule("linalg.solve")
def _solve(run: Run, a: Any, b: Any) -> Any:
    vector = run.ndim((a, b), 1) == 1
    b = b[..., None] if vector else b
    most = max(run.ndim((a, b), 0), run.ndim((a, b), 1))
    a, b = (
        with_ndim(v, most) if varies else v for v, varies in zip((a, b), run.varies, strict=True)
    )
    out = run(a, b)
    return out[..., 0] if vector else out
