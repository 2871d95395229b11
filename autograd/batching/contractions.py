"""Batch rules of products: matmul, tensordot, einsum, cross, convolutions. The examples are one
more axis of a product, or rows of one large product where only one operand varies.

Imports `run`, `_axes` and NumPy.
"""

from __future__ import annotations

import functools
import math
import string
from typing import Any

import numpy as np

from autograd.batching._axes import spread_over, with_ndim
from autograd.batching.run import Run, batch_rule

__all__: list[str] = []


@batch_rule("matmul")
def _matmul(run: Run, x: Any, y: Any) -> Any:
    nx, ny = run.ndim((x, y), 0), run.ndim((x, y), 1)
    vx, vy = run.varies
    if not nx or not ny:
        raise ValueError("matmul: wanted vectors or matrices, got a number; use * for scalars")
    if not vy and (ny <= 2 or nx == 1):  # the examples are rows
        return (
            run(x, y)
            if ny <= 2
            else np.moveaxis(run(y.swapaxes(-1, -2), np.moveaxis(x, 0, -1)), -1, 0)
        )
    if not vx and nx <= 2 and ny == 1:
        return run(y, x if nx == 1 else x.swapaxes(0, 1))
    left = x[..., None, :] if nx == 1 else x
    right = y[..., None] if ny == 1 else y
    most = max(nx, ny, 2)
    out = run(with_ndim(left, most) if vx else left, with_ndim(right, most) if vy else right)
    if nx == 1:
        out = out[..., 0, :]
    return out[..., 0] if ny == 1 else out


@batch_rule("tensordot")
def _tensordot(run: Run, a: Any, b: Any, axes: Any) -> Any:
    na, nb = run.ndim((a, b), 0), run.ndim((a, b), 1)
    try:
        of_a, of_b = axes
    except TypeError:
        of_a, of_b = range(na - int(axes), na), range(int(axes))
    of_a, of_b = (
        [int(i) % n for i in ([given] if np.ndim(given) == 0 else given)]
        for given, n in ((of_a, na), (of_b, nb))
    )
    left, free_a = _as_matrices(a, of_a, varies=run.varies[0], last=True)
    right, free_b = _as_matrices(b, of_b, varies=run.varies[1], last=False)
    return np.reshape(np.matmul(left, right), (run.size, *free_a, *free_b))


def _as_matrices(x: Any, summed: list[int], *, varies: bool, last: bool) -> tuple[Any, list[int]]:
    """Return matrices, one for each example, with the summed axes `last` or first, and the lengths
    of the other axes.
    """
    shift = int(varies)
    ndim = np.ndim(x) - shift
    free = [i for i in range(ndim) if i not in summed]
    order = free + summed if last else summed + free
    shape = np.shape(x)[shift:]
    sizes = [
        math.prod(shape[i] for i in part) for part in ((free, summed) if last else (summed, free))
    ]
    moved = np.transpose(x, (*range(shift), *(i + shift for i in order)))
    return np.reshape(moved, (*np.shape(x)[:shift], *sizes)), [shape[i] for i in free]


@batch_rule("einsum", "einsum_diagonals")
def _einsum(run: Run, *values: Any) -> Any:
    *operands, inputs, result, optimize = values
    letter = _unused(run, inputs)
    terms = tuple(letter + t if v else t for t, v in zip(inputs, run.varies, strict=False))
    return run(*operands, terms, letter + result, bool(optimize))


@batch_rule("diagonal_scatter")
def _diagonal_scatter(run: Run, values: Any, term: str, shape: Any) -> Any:
    return run(values, _unused(run, [term]) + term, (run.size, *shape))


def _unused(run: Run, terms: Any) -> str:
    for letter in string.ascii_letters:
        if not any(letter in term for term in terms):
            return letter
    raise run.refuse("all 52 letters in its subscripts")


@batch_rule("cross")
def _cross(run: Run, *values: Any) -> Any:
    ndim = max(run.ndim(values, 0), run.ndim(values, 1))
    return run(
        *[
            with_ndim(spread_over(v, run.size, varies=varies), ndim)
            for v, varies in zip(values, run.varies, strict=True)
        ]
    )


@batch_rule("convolve")
def _convolve(run: Run, x: Any, y: Any, mode: str) -> Any:
    """Add up copies of the longer vectors, moved and multiplied by the elements of the others."""
    x, y = (
        spread_over(v, run.size, varies=varies)
        for v, varies in zip((x, y), run.varies, strict=False)
    )
    if x.shape[1] < y.shape[1]:
        x, y = y, x
    m, n = x.shape[1], y.shape[1]
    terms = [np.pad(x, ((0, 0), (k, n - 1 - k))) * y[:, k : k + 1] for k in range(n)]
    start, stop = {
        "full": (0, m + n - 1),
        "same": ((n - 1) // 2, (n - 1) // 2 + m),
        "valid": (n - 1, m),
    }[mode]
    return functools.reduce(np.add, terms)[:, start:stop]


@batch_rule("autograd.signal._convolve")
def _convolve_pairs(run: Run, x: Any, y: Any, mode: str, method: str) -> Any:
    """Convolve (I, D, ...) with (J, D, ...): examples of one operand are more rows of it. Where
    both differ, one by one, for 17 us each: pairs of the same example are wanted, not the B^2 of
    rows.
    """
    if all(run.varies[:2]):
        return run.one_by_one(x, y, mode, method)
    if run.varies[0]:
        out = run(np.reshape(x, (-1, *x.shape[2:])), y, mode, method)
        return np.reshape(out, (run.size, -1, *out.shape[1:]))
    out = run(x, np.reshape(y, (-1, *y.shape[2:])), mode, method)
    return np.moveaxis(np.reshape(out, (out.shape[0], run.size, -1, *out.shape[2:])), 1, 0)
