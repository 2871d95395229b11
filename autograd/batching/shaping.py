"""Batch rules of what moves elements: shapes, orders, copies, joining, diagonals, filling.

Imports `run`, `_axes` and NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.batching._axes import behind, one_behind, spread_over, with_ndim
from autograd.batching.run import Run, batch_rule

__all__: list[str] = []


def _tuple(shape: Any) -> tuple[int, ...]:
    return tuple(shape) if np.ndim(shape) else (shape,)


# -- the same elements in another shape ------------------------------------------------------------


@batch_rule("reshape")
def _reshape(run: Run, a: Any, shape: Any, order: str, copy: Any) -> Any:
    own = a.shape[1:]
    wanted = _tuple(shape)
    if -1 in wanted:
        known = -math.prod(wanted)
        if known and math.prod(own) % known == 0:
            wanted = tuple(math.prod(own) // known if n == -1 else n for n in wanted)
    if math.prod(wanted) != math.prod(own):
        raise ValueError(f"cannot reshape array of size {math.prod(own)} into shape {shape}")
    if order == "C":
        return run(a, (run.size, *wanted), order, copy)
    moved = np.moveaxis(a, 0, -1)  # behind, as Fortran counts
    return np.moveaxis(run(moved, (*wanted, run.size), order, copy), -1, 0)


@batch_rule("squeeze")
def _squeeze(run: Run, a: Any, axis: Any) -> Any:
    ones = tuple(i for i, n in enumerate(a.shape) if i and n == 1)
    return run(a, ones if axis is None else behind(axis, a.ndim - 1))


@batch_rule("expand_dims")
def _expand_dims(run: Run, a: Any, axis: Any) -> Any:
    axes = _tuple(axis)
    return run(a, behind(axes, a.ndim - 1 + len(axes)))


@batch_rule("transpose")
def _transpose(run: Run, a: Any, axes: Any) -> Any:
    own = tuple(range(a.ndim - 1))[::-1] if axes is None else _tuple(axes)
    return run(a, (0, *(one_behind(axis, a.ndim - 1) for axis in own)))


@batch_rule("swapaxes")
def _swapaxes(run: Run, a: Any, axis1: int, axis2: int) -> Any:
    return run(a, one_behind(axis1, a.ndim - 1), one_behind(axis2, a.ndim - 1))


@batch_rule("broadcast_to")
def _broadcast_to(run: Run, array: Any, shape: Any) -> Any:
    shape = _tuple(shape)
    return run(with_ndim(array, len(shape)), (run.size, *shape))


@batch_rule("astype", "copy")
def _as_it_is(run: Run, *values: Any) -> Any:
    return run(*values)


# -- elements in another order, or more than once --------------------------------------------------


@batch_rule("roll")
def _roll(run: Run, a: Any, shift: Any, axis: Any) -> Any:
    if any(run.varies[1:]):
        raise run.refuse("shifts that differ from example to example")
    if axis is None:
        flat = np.reshape(a, (run.size, -1))
        return np.reshape(run(flat, shift, 1), a.shape)
    return run(a, shift, behind(axis, a.ndim - 1))


@batch_rule("rot90")
def _rot90(run: Run, m: Any, k: int, axes: Any) -> Any:
    return run(m, k, behind(tuple(axes), m.ndim - 1))


@batch_rule("repeat")
def _repeat(run: Run, a: Any, repeats: Any, axis: Any) -> Any:
    if run.varies[1]:
        raise run.refuse("counts that differ from example to example")
    if axis is None or a.ndim == 1:
        return run(np.reshape(a, (run.size, -1)), repeats, 1)
    return run(a, repeats, one_behind(axis, a.ndim - 1))


@batch_rule("tile")
def _tile(run: Run, a: Any, reps: Any) -> Any:
    counts = _tuple(reps)
    a = with_ndim(a, len(counts))
    return run(a, (1,) * (a.ndim - len(counts)) + counts)


@batch_rule("pad")
def _pad(run: Run, x: Any, width: Any, constants: Any) -> Any:
    if np.ndim(constants) == 2:
        constants = ((0, 0), *constants)
    return run(x, ((0, 0), *width), constants)


@batch_rule("concatenate")
def _concatenate(run: Run, *values: Any) -> Any:
    *arrays, axis, dtype, casting = values
    arrays = _all_spread(run, arrays)
    return run(*arrays, one_behind(axis, np.ndim(arrays[0]) - 1), dtype, casting)


@batch_rule("stack")
def _stack(run: Run, *values: Any) -> Any:
    *arrays, axis, dtype, casting = values
    arrays = _all_spread(run, arrays)
    return run(*arrays, one_behind(axis, np.ndim(arrays[0])), dtype, casting)


@batch_rule("autograd.integrate._odeint._weighted_sum")
def _weighted_sum(run: Run, *values: Any) -> Any:
    *arrays, weights = values
    return run(*_all_spread(run, arrays), weights)


def _all_spread(run: Run, arrays: list[Any]) -> list[Any]:
    return [
        spread_over(x, run.size, varies=varies)
        for x, varies in zip(arrays, run.varies, strict=False)
    ]


# -- diagonals and triangles -----------------------------------------------------------------------


@batch_rule("diagonal", "trace")
def _diagonal(run: Run, a: Any, offset: int, axis1: int, axis2: int, *dtype: Any) -> Any:
    ndim = a.ndim - 1
    return run(a, offset, one_behind(axis1, ndim), one_behind(axis2, ndim), *dtype)


@batch_rule("make_diagonal")
def _make_diagonal(run: Run, x: Any, shape: Any, offset: int, axis1: int, axis2: int) -> Any:
    axes = one_behind(axis1, len(shape)), one_behind(axis2, len(shape))
    return run(with_ndim(x, len(shape) - 1), (run.size, *shape), offset, *axes)


@batch_rule("triu", "tril")
def _triangle(run: Run, m: Any, k: int) -> Any:
    if m.ndim == 2:  # as NumPy has it, the rows of a square matrix
        m = np.broadcast_to(m[:, None, :], (*m.shape, m.shape[-1]))
    return run(m, k)


# -- filling ---------------------------------------------------------------------------------------


@batch_rule("full")
def _full(run: Run, fill_value: Any, shape: Any, dtype: Any) -> Any:
    shape = _tuple(shape)
    return run(with_ndim(fill_value, len(shape)), (run.size, *shape), dtype)


@batch_rule("linspace", "geomspace")
def _evenly(
    run: Run, start: Any, stop: Any, num: int, endpoint: bool, dtype: Any, axis: int
) -> Any:
    ndim = max(run.ndim((start, stop), 0), run.ndim((start, stop), 1))
    ends = [
        with_ndim(v, ndim) if varies else v
        for v, varies in zip((start, stop), run.varies, strict=False)
    ]
    return run(*ends, num, endpoint, dtype, one_behind(axis, ndim + 1))


@batch_rule("vander")
def _vander(run: Run, x: Any, N: Any, increasing: bool) -> Any:
    del run
    powers = np.arange(x.shape[-1] if N is None else N)
    return x[..., None] ** (powers if increasing else powers[::-1])


@batch_rule("polyval")
def _polyval(run: Run, p: Any, x: Any) -> Any:
    if not run.varies[0]:
        return run(p, x)
    ndim = run.ndim((p, x), 1)
    out = np.zeros_like(x) if run.varies[1] else np.zeros_like(x, shape=(run.size, *np.shape(x)))
    for i in range(p.shape[1]):
        out = out * x + np.reshape(p[:, i], (run.size, *(1,) * ndim))
    return out
