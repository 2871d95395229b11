"""Whole Jacobians: `jacobian` and `hessian`, all rows or columns in one batched pass, and one by
one where an operation has no batch rule. Imports `products`, `batching` and what is older.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.batching.run import enter, leave
from autograd.batching.values import Level, entered
from autograd.checked import UnrecordedRuleError
from autograd.engine.backward import find_route
from autograd.engine.graph import unwrap
from autograd.ops import joining, shaping
from autograd.transforms.containers import flatten, rebuilt
from autograd.transforms.gradients import gradient_function
from autograd.transforms.products import Listener, as_variable, push_tangents
from autograd.transforms.trace import Trace, node_of, positions_of
from autograd.variable import Variable

__all__ = ["hessian", "jacobian"]


def jacobian(
    function: Callable[..., Any], argnum: int | Sequence[int] = 0, *, mode: str = "auto"
) -> Callable[..., Any]:
    """Return the function that computes the Jacobian: an array of shape `output.shape +
    argument.shape`.

    Where output or argument are containers, the result is the output's structure, with the
    argument's structure at each place.

    Args:
        function: returns an array or a container of arrays.
        argnum: the argument to differentiate; a tuple of numbers gives a tuple of Jacobians.
        mode: "reverse" (one backward pass per output element), "forward" (one forward sweep per
            input element), or "auto", which takes the smaller number.

    Example:
        >>> import numpy as np
        >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
        array([[2., 0.],
               [0., 4.]])
    """
    if mode not in ("auto", "forward", "reverse"):
        msg = f"jacobian: wanted mode 'auto', 'forward' or 'reverse', got {mode!r}"
        raise ValueError(msg)
    return _jacobian_function("jacobian", function, argnum, mode)


def _jacobian_function(
    what: str, function: Callable[..., Any], argnum: int | Sequence[int], mode: str
) -> Callable[..., Any]:
    """Return the function that computes a Jacobian; `what` is the name in its errors."""
    positions = positions_of(what, function, argnum)

    @functools.wraps(function)
    def compute(*args: Any, **kwargs: Any) -> Any:
        listener = Listener() if mode != "reverse" else None
        trace = Trace(what, function, args, kwargs, positions, observer=listener)
        m = sum(
            unwrap(o).size if isinstance(o, (Variable, np.ndarray, np.generic)) else 1
            for o in trace.outputs
        )
        n = sum(v.size for v in trace.inputs)
        complex_ = any(
            v.dtype.kind == "c" for v in (*trace.inputs, *map(as_variable, trace.outputs))
        )
        columns = None
        if mode == "forward" or (mode == "auto" and n < m and not complex_):
            try:
                columns = _jacobian_forward(trace, listener)  # type: ignore[arg-type]
            except UnrecordedRuleError:
                if mode == "forward":
                    raise
        if columns is None:
            columns = _jacobian_reverse(trace)
        return rebuilt(trace.rebuild, [trace.arrange(row, argnum) for row in columns])

    return compute


# -- passes ----------------------------------------------------------------------------------------
# One pass for many rows: their cotangents, rows of the unit matrix, are a batch. The 100 rows of
# the Hessian of Rosenbrock's function take a tenth of the time of 100 passes.

_ELEMENTS = 1 << 18  # of the largest array of a pass: beyond the caches, more rows gain nothing


def _units(like: Any, part: slice) -> Any:
    """Return the arrays shaped `like` that are one at one element and zero elsewhere, for the
    elements of a `part` of it.
    """
    numbers = np.arange(like.size)[part]
    units = np.zeros_like(like, shape=(len(numbers), like.size))
    units[np.arange(len(numbers)), numbers] = 1
    return units.reshape(len(numbers), *like.shape)


def _passes(size: int, largest: int, once: Callable[[slice, Level | None], Sequence[Any]]) -> Any:
    """Run passes for `size` units, and join what they give.

    Args:
        size: how many rows or columns there are.
        largest: the number of elements of the largest array of a single pass.
        once: runs one pass for a part of the units, batched, or for one unit where there is no
            batch; returns arrays, with the axis of the units in front.

    Returns:
        For each array of a pass, all units stacked.
    """
    step = max(2, _ELEMENTS // max(largest, size))
    parts = []
    try:
        for start in range(0, size, step):
            part = slice(start, min(start + step, size))
            with entered(part.stop - part.start) as level:
                parts.append(once(part, level if size > 1 else None))
    except Exception:  # noqa: BLE001 - no batch rule, mostly; whatever else is wrong comes again
        parts = [once(slice(i, i + 1), None) for i in range(size)]
    columns = zip(*parts, strict=True)
    return [_joined(column) for column in columns]


def _joined(parts: Sequence[Any]) -> Any:
    """Join what the passes gave; recorded where it is part of an outer graph."""
    if len(parts) == 1:
        return parts[0]
    recorded = any(isinstance(part, Variable) for part in parts)
    return joining.concatenate(parts) if recorded else np.concatenate(parts)


def _left(value: Any, level: Level | None) -> Any:
    """Return a result of a pass with the axis of the units in front."""
    if level is None:
        return value.reshape((1, *value.shape)) if value.ndim else np.reshape(value, (1,))
    return leave(value, level, 0)


def _jacobian_reverse(trace: Trace) -> list[list[Any]]:
    inputs = [node_of(v) for v in trace.inputs]
    result = []
    for k, o in enumerate(trace.outputs):
        out = unwrap(as_variable(o))
        shapes = [out.shape + v.shape for v in trace.inputs]
        if not isinstance(o, Variable) or not o.requires_grad or not out.size:
            zeros = zip(trace.inputs, shapes, strict=True)
            result.append([np.zeros_like(v._data, shape=shape) for v, shape in zeros])
            continue
        route = find_route([node_of(o)], inputs)

        def rows(
            part: slice, level: Level | None, k: int = k, out: Any = out, route: Any = route
        ) -> Any:
            units = _units(out, part)
            cotangents: list[Any] = [None] * len(trace.outputs)
            cotangents[k] = units[0] if level is None else enter(units, level, 0)
            gradients = trace.pull(cotangents, retain_graph=True, route=route)
            # The gradient of a complex output is the conjugate of the derivative (see
            # docs/conventions.md).
            turned = [g.conj() if out.dtype.kind == "c" else g for g in gradients]
            return [_left(g, level) for g in turned]

        largest = max(math.prod(n.shape) for n in route.order if n.shape is not None)
        found = _passes(out.size, largest, rows)
        result.append([g.reshape(shape) for g, shape in zip(found, shapes, strict=True)])
    return result


def _jacobian_forward(trace: Trace, listener: Listener) -> list[list[Any]]:
    result: list[list[Any]] = [[] for _ in trace.outputs]
    outs = [unwrap(as_variable(o)) for o in trace.outputs]
    largest = max([v.size for v in trace.inputs] + [o.size for o in outs])
    for v in trace.inputs:

        def columns(part: slice, level: Level | None, v: Any = v) -> Any:
            units = _units(v._data, part)
            unit = units[0] if level is None else enter(units, level, 0)
            tangents = [unit if w is v else np.zeros_like(w._data) for w in trace.inputs]
            pushed = flatten(push_tangents(trace, listener, tangents))[0]
            return [_left(t, level) for t in pushed]

        found = _passes(v.size, largest, columns)
        for row, out, t in zip(result, outs, found, strict=True):
            axes = (*range(1, out.ndim + 1), 0)
            row.append(shaping.transpose(t, axes).reshape(out.shape + v.shape))
    return result


def hessian(function: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return the function that computes the matrix of second derivatives of a scalar function.

    Its result has shape `argument.shape + argument.shape`, or that structure of containers.

    Example:
        >>> import numpy as np
        >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
        array([[4., 2.],
               [2., 0.]])
    """
    gradient = gradient_function(function, argnum, "hessian")
    return _jacobian_function("hessian", gradient, argnum, "reverse")
