"""Whole Jacobians: `jacobian` and `hessian`, row by row or column by column. Imports `products` and
what is older.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

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
        if mode == "forward" or (mode == "auto" and n < m and not complex_):
            columns = _jacobian_forward(trace, listener)  # type: ignore[arg-type]
        else:
            columns = _jacobian_reverse(trace)
        return rebuilt(trace.rebuild, [trace.arrange(row, argnum) for row in columns])

    return compute


def _units(like: Any) -> Iterator[Any]:
    """Yield the arrays shaped `like` that are one at one element and zero elsewhere."""
    zeros = np.zeros_like(like).reshape(-1)
    for i in range(like.size):
        unit = zeros.copy()
        unit[i] = 1
        yield unit.reshape(like.shape)


def _stacked(rows: list[Any], shape: tuple[int, ...], like: Any) -> Any:
    """Join what single passes gave; recorded where it is part of an outer graph."""
    if any(isinstance(r, Variable) for r in rows):
        return joining.stack(rows).reshape(shape)
    return np.stack(rows).reshape(shape) if rows else np.zeros_like(like, shape=shape)


def _jacobian_reverse(trace: Trace) -> list[list[Any]]:
    inputs = [node_of(v) for v in trace.inputs]
    result = []
    for k, o in enumerate(trace.outputs):
        out = unwrap(as_variable(o))
        shapes = [out.shape + v.shape for v in trace.inputs]
        if not isinstance(o, Variable) or not o.requires_grad:
            zeros = zip(trace.inputs, shapes, strict=True)
            result.append([np.zeros_like(v._data, shape=shape) for v, shape in zeros])
            continue
        route = find_route([node_of(o)], inputs)
        rows: list[list[Any]] = [[] for _ in trace.inputs]
        for unit in _units(out):
            cotangents: list[Any] = [None] * len(trace.outputs)
            cotangents[k] = unit
            gradients = trace.pull(cotangents, retain_graph=True, route=route)
            for row, g in zip(rows, gradients, strict=True):
                # The gradient of a complex output is the conjugate of the derivative (see
                # docs/conventions.md).
                row.append(g.conj() if out.dtype.kind == "c" else g)
        result.append(
            [
                _stacked(r, shape, v._data)
                for r, shape, v in zip(rows, shapes, trace.inputs, strict=True)
            ]
        )
    return result


def _jacobian_forward(trace: Trace, listener: Listener) -> list[list[Any]]:
    columns: list[list[list[Any]]] = [[[] for _ in trace.inputs] for _ in trace.outputs]
    for j, v in enumerate(trace.inputs):
        for unit in _units(v._data):
            tangents = [unit if w is v else np.zeros_like(w._data) for w in trace.inputs]
            for k, t in enumerate(flatten(push_tangents(trace, listener, tangents))[0]):
                columns[k][j].append(t)
    result = []
    for k, o in enumerate(trace.outputs):
        shape = unwrap(as_variable(o)).shape
        row = []
        for j, v in enumerate(trace.inputs):
            first = _stacked(columns[k][j], (v.size, *shape), unwrap(as_variable(o)))
            row.append(
                shaping.transpose(first, (*range(1, len(shape) + 1), 0)).reshape(shape + v.shape)
            )
        result.append(row)
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
