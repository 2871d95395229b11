"""Batch rules of operations without a derivative: places, counts and questions.

These take any arguments, so their rules have signatures of their own. Imports `run`, `_axes` and
NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.batching._axes import behind, one_behind, spread_over, with_ndim
from autograd.batching.run import Run, batch_rule, elementwise
from autograd.linalg import matrix_rank
from autograd.ops import plain

__all__: list[str] = []

batch_rule(plain.isclose, plain.iscomplex, plain.isreal, plain.isneginf, plain.isposinf)(
    elementwise
)
batch_rule("autograd.ops.elementwise._exponent")(elementwise)


@batch_rule(
    matrix_rank,
    "autograd.linalg._base._close",
    "autograd.linalg._spectral._nearly_zero",
    "autograd.linalg._spectral._largest_first",
)
def _as_it_is(run: Run, *values: Any) -> Any:
    if any(run.varies[1:]):
        raise run.refuse("options that differ from example to example")
    return run(*values)


@batch_rule("autograd.linalg._solve._are_regular")
def _are_regular(run: Run, *_: Any) -> Any:
    """No: what holds for any matrices is what is asked for."""
    return np.zeros(run.size, bool)


@batch_rule(plain.all, plain.any, plain.count_nonzero, plain.power_of_two)
def _over_axis(run: Run, *values: Any) -> Any:
    (a, *rest), keywords = run.bound(values)
    axis = rest.pop(0) if rest else keywords.pop("axis", None)
    return run.call(a, behind(axis, np.ndim(a) - 1), *rest, **keywords)


@batch_rule(plain.argmax, plain.argmin, plain.nanargmax, plain.nanargmin, plain.argsort)
def _places(run: Run, *values: Any) -> Any:
    (a, *rest), keywords = run.bound(values)
    default = -1 if run.name == "argsort" else None
    axis = rest.pop(0) if rest else keywords.pop("axis", default)
    if axis is None:
        if keywords.get("keepdims"):
            raise run.refuse("axis=None and keepdims")
        a, axis = np.reshape(a, (run.size, -1)), 0
    return run.call(a, one_behind(axis, np.ndim(a) - 1), *rest, **keywords)


@batch_rule(plain.argpartition)
def _partition(run: Run, *values: Any) -> Any:
    (a, kth, *rest), keywords = run.bound(values)
    axis = rest.pop(0) if rest else keywords.pop("axis", -1)
    if axis is None or run.varies[1]:
        raise run.refuse("axis=None, or other places for each example")
    return run.call(a, kth, one_behind(axis, np.ndim(a) - 1), *rest, **keywords)


@batch_rule(plain.array_equal, plain.allclose, plain.array_equiv)
def _same(run: Run, *values: Any) -> Any:
    (x, y, *rest), keywords = run.bound(values)
    nx, ny = run.ndim((x, y), 0), run.ndim((x, y), 1)
    if run.name == "array_equal" and np.shape(x)[run.varies[0] :] != np.shape(y)[run.varies[1] :]:
        return np.zeros(run.size, bool)
    x = with_ndim(x, max(nx, ny)) if run.varies[0] else x
    y = with_ndim(y, max(nx, ny)) if run.varies[1] else y
    if run.name == "allclose":
        same = np.isclose(x, y, *rest, **keywords)
    elif rest or keywords:
        raise run.refuse("equal_nan")
    else:
        same = np.equal(x, y)
    return np.all(same, axis=behind(None, max(nx, ny)))


@batch_rule(plain.searchsorted, plain.isin, "_interval")
def _looked_up(run: Run, *values: Any) -> Any:
    """Look up what varies in something that does not."""
    varies = run.varies[0] if run.name == "isin" else run.varies[1]
    if sum(run.varies) > 1 or not varies:
        raise run.refuse("another array to look in for each example")
    return run(*values)


@batch_rule(plain.digitize)
def _digitize(run: Run, *values: Any) -> Any:
    if any(run.varies[1:]):
        raise run.refuse("other bins for each example")
    return run(*values)


@batch_rule("_order", "autograd.ops.sorting._order")
def _order(run: Run, x: Any, *_: Any) -> Any:
    del run
    return np.argsort(x, axis=-1)


@batch_rule(plain.nonzero, plain.argwhere, plain.flatnonzero)
def _of_unknown_shape(run: Run, *_: Any) -> Any:
    raise run.refuse("another shape of the result for each example, which np.where has not")


@batch_rule("autograd.ops.assignment._stays")
def _stays(run: Run, index: Any, *shapes: Any) -> Any:
    return np.stack([run(run.example(index, i), *shapes) for i in range(run.size)])


@batch_rule("numpy.take_along_axis")
def _take_along(run: Run, *values: Any) -> Any:
    (a, indices, *rest), keywords = run.bound(values)
    axis = rest[0] if rest else keywords.get("axis", -1)
    ndim = run.ndim(values, 0)
    if axis is None:
        raise run.refuse("axis=None")
    a, indices = (
        spread_over(v, run.size, varies=varies)
        for v, varies in zip((a, indices), run.varies, strict=False)
    )
    return run.call(a, indices, one_behind(axis, ndim))
