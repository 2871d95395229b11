"""Batch rules of operations without a derivative: places, counts and questions.

These take any arguments, so their rules have signatures of their own. Imports `calls`, `_axes` and
NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.batching._axes import behind, one_behind, with_ndim
from autograd.batching.calls import Run, batch_rule, elementwise

__all__: list[str] = []

batch_rule("isclose", "iscomplex", "isreal", "isneginf", "isposinf")(elementwise)


@batch_rule("all", "any", "count_nonzero", "power_of_two")
def _over_axis(run: Run, *values: Any) -> Any:
    (a, *rest), keywords = run.bound(values)
    axis = rest.pop(0) if rest else keywords.pop("axis", None)
    return run.call(a, behind(axis, np.ndim(a) - 1), *rest, **keywords)


@batch_rule("argmax", "argmin", "nanargmax", "nanargmin", "argsort")
def _places(run: Run, *values: Any) -> Any:
    (a, *rest), keywords = run.bound(values)
    default = -1 if run.name == "argsort" else None
    axis = rest.pop(0) if rest else keywords.pop("axis", default)
    if axis is None:
        if keywords.get("keepdims"):
            raise run.refuse("axis=None and keepdims")
        a, axis = np.reshape(a, (run.size, -1)), 0
    return run.call(a, one_behind(axis, np.ndim(a) - 1), *rest, **keywords)


@batch_rule("argpartition")
def _partition(run: Run, *values: Any) -> Any:
    (a, kth, *rest), keywords = run.bound(values)
    axis = rest.pop(0) if rest else keywords.pop("axis", -1)
    if axis is None or run.varies[1]:
        raise run.refuse("axis=None, or other places for each example")
    return run.call(a, kth, one_behind(axis, np.ndim(a) - 1), *rest, **keywords)


@batch_rule("array_equal", "allclose", "array_equiv")
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


@batch_rule("searchsorted", "isin", "_interval")
def _looked_up(run: Run, *values: Any) -> Any:
    """Look up what varies in something that does not."""
    of = values[0] if run.name == "isin" else values[1]
    varies = run.varies[0] if run.name == "isin" else run.varies[1]
    if sum(run.varies) > 1 or not varies:
        raise run.refuse("another array to look in for each example")
    del of
    return run(*values)


@batch_rule("digitize")
def _digitize(run: Run, *values: Any) -> Any:
    if any(run.varies[1:]):
        raise run.refuse("other bins for each example")
    return run(*values)


@batch_rule("_order")
def _order(run: Run, xp: Any) -> Any:
    return run(xp)


@batch_rule("nonzero", "argwhere", "flatnonzero", "compress", "unique", "unique_values")
def _of_unknown_shape(run: Run, *_: Any) -> Any:
    raise run.refuse("another shape of the result for each example, which np.where has not")


@batch_rule("_stays")
def _stays(run: Run, index: Any, *shapes: Any) -> Any:
    return np.stack([run(run.example(index, i), *shapes) for i in range(run.size)])
