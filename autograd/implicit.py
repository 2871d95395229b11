"""Fixed points and solutions of equations, differentiated by the implicit function theorem.

Not imported by `import autograd`. Imports the engine, `linalg` and the transforms.

References:
    Christianson, "Reverse accumulation and attractive fixed points", Optimization Methods and
    Software 3 (1994), 311-326: the gradient is itself a fixed point.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.batching.values import shown, worst
from autograd.engine.calls import concrete
from autograd.engine.graph import next_number, unwrap, wrap
from autograd.engine.mode import is_grad_enabled, no_grad
from autograd.linalg import solve
from autograd.ops.joining import stack
from autograd.ops.plain import power_of_two
from autograd.transforms.trace import Replay, free_nodes, fresh, node_of, record_jointly
from autograd.variable import Variable

__all__ = ["fixed_point", "solution"]

_STEPS = 100_000


def fixed_point(
    f: Callable[[Any], Callable[[Any], Any]],
    a: Any,
    x0: Any,
    distance: Callable[[Any, Any], Any],
    tol: float,
) -> Any:
    """Return the x with `f(a)(x) == x` that repeated application of `f(a)` to `x0` comes to.

    Only the solution is kept for the backward pass, not the steps to it: with J the derivative of
    `f(a)` at the solution, the cotangent g becomes the fixed point of u -> g + J^T u, which is
    pulled back through one application of `f`. Differentiable in `a`, and in whatever else `f` uses
    (Variables that it closes over), to any order. The gradient of `x0` is zero: it only says where
    to begin.

    Args:
        f: takes the parameters and returns the function of x that is iterated; that function
            contracts near the solution.
        a: parameters: an array, or nested lists, tuples and dicts of arrays.
        x0: where to begin; a floating array of the shape of x.
        distance: `distance(x, previous_x)`, a number; also called with cotangents, of the same
            shape.
        tol: the iteration ends when the distance of two steps is at most `tol`. The error of the
            gradient is of this size as well, for cotangents of any size: they are scaled to 1.

    Raises:
        RuntimeError: the iteration has not ended after 100,000 steps, or came to nan.

    Example:
        >>> import autograd
        >>> def newton(a):
        ...     return lambda x: 0.5 * (x + a / x)
        >>> def sqrt(a):
        ...     return fixed_point(newton, a, 1.0, lambda x, y: abs(x - y), 1e-12)
        >>> autograd.value_and_grad(sqrt)(4.0)
        (np.float64(2.0), np.float64(0.25))
    """
    x = np.asarray(unwrap(x0) if isinstance(x0, Variable) else x0)
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    with no_grad():
        out = _iterate(_step(f, a), x0 if isinstance(x0, Variable) else x[()], distance, tol)
    if not isinstance(out, Variable):
        return wrap(out) if isinstance(x0, Variable) else out
    if not is_grad_enabled():
        return out
    x = unwrap(out)

    first = next_number()
    y = f(a)(fresh(x))
    free = free_nodes([node_of(y)], first) if y.requires_grad else []
    if not free:
        return out

    def joint(g: Any, solution: Any) -> list[Any]:
        again = Replay(lambda at: [f(a)(at[0])], [solution], free)

        def adjoint(g: Any) -> Callable[[Any], Any]:
            def step(u: Any) -> Any:
                pulled = again.pull([u], retain_graph=True)[0]
                return g if pulled is None else g + pulled

            return step

        g = shown(g)
        size = power_of_two(g).reshape(())[()]
        g = g / size
        with np.errstate(divide="warn", invalid="warn"):
            if isinstance(g, Variable):
                u = fixed_point(adjoint, g, np.zeros_like(g._data), distance, tol) * size
            else:
                u = unwrap(_iterate(adjoint(g), np.zeros_like(g), distance, tol)) * size
        return again.pull([u], retain_graph=True)[1:]

    return record_jointly("fixed_point", joint, free, x, (a, x0))


def _step(f: Callable[[Any], Callable[[Any], Any]], a: Any) -> Callable[[Any], Any]:
    """Return `f(a)`, which must be a function."""
    wanted = "fixed_point: wanted f(a) to be a function of x"
    fix = "write lambda a: lambda x: ..."
    try:
        inspect.signature(f).bind(a)
    except ValueError:  # a function of C, which has no signature
        pass
    except TypeError as error:
        raise TypeError(f"{wanted}, got an f for which this is {error}; {fix}") from None
    step = f(a)
    if not callable(step):
        raise TypeError(f"{wanted}, got {type(step).__name__}; {fix}")
    return step


def _iterate(step: Callable[[Any], Any], x: Any, distance: Callable[..., Any], tol: float) -> Any:
    """Apply `step` until the result stays; it is a Variable where `step` makes one of an array."""
    out, x = x, unwrap(x)
    for _ in range(_STEPS):
        previous, out = x, step(x)
        x = shown(concrete(out, "fixed_point"))
        if np.shape(x) != np.shape(previous):
            raise ValueError(
                f"fixed_point: wanted a step that keeps the shape {np.shape(previous)}, got "
                f"{np.shape(x)}"
            )
        moved = distance(x, previous)
        if np.size(moved) != 1:
            raise ValueError(
                "fixed_point: wanted a distance that is one number, got one of shape "
                f"{np.shape(moved)}; write lambda x, y: np.max(np.abs(x - y))"
            )
        moved = worst(moved)
        if moved <= tol:
            return out
        if np.isnan(moved):
            break
    raise RuntimeError(
        f"fixed_point: wanted an iteration that comes to a point, got a distance of {moved} after "
        f"many steps; begin closer to the solution, damp the step, or raise tol={tol}"
    )


# -- solutions of equations ------------------------------------------------------------------------


def solution(f: Callable[[Any], Any], x: Any) -> Any:
    """Return `x`, which solves `f(x) == 0`, with the gradient that the equation gives it.

    For solvers of any kind: `x` is what one has found, and `f` says what it is. Where f depends on
    a, dx = -J^-1 (df/da) da with J = df/dx at the solution. Differentiable in whatever `f` uses, to
    any order; the error of a gradient is of the size of the error of `x`. The backward pass
    computes J row by row and solves one system of its size.

    Args:
        f: of an array of the shape of `x`, returns one of this shape.
        x: the solution, an array of real numbers.

    Raises:
        ValueError: `f` returns another shape.
        LinAlgError: in the backward pass, J is singular: there is no one solution nearby.

    Example:
        >>> import autograd
        >>> def cube_root(a):
        ...     found = np.cbrt(a.data)  # by any means
        ...     return solution(lambda x: x**3 - a, found)
        >>> autograd.grad(cube_root)(8.0)
        np.float64(0.0833...)
    """
    x = np.array(unwrap(x), copy=True)[()]
    if x.dtype.kind != "f":
        raise TypeError(f"solution: wanted an array of real floating-point numbers, got {x.dtype}")
    if not is_grad_enabled():
        return x
    first = next_number()
    y = f(fresh(x))
    if np.shape(y) != x.shape:
        raise ValueError(
            f"solution: wanted a function that keeps the shape {x.shape}, got {np.shape(y)}; as "
            "many equations as unknowns"
        )
    free = free_nodes([y._node], first) if getattr(y, "requires_grad", False) else []
    if not free:
        return x

    def joint(g: Any, at: Any) -> list[Any]:
        again = Replay(lambda at: [f(at[0])], [at], free)
        rows = []
        for i in range(x.size):
            unit = np.zeros(x.size, x.dtype)
            unit[i] = 1
            unit = unit.reshape(x.shape)
            row = again.pull([wrap(unit) if isinstance(g, Variable) else unit], retain_graph=True)[
                0
            ]
            rows.append(np.zeros(x.size, x.dtype) if row is None else row.reshape((-1,)))
        try:
            u = solve(stack(rows).T, -g.reshape((-1,)))
        except np.linalg.LinAlgError as error:
            raise np.linalg.LinAlgError(
                "solution: wanted a solution that no other one is near, got a singular Jacobian, "
                "so it has no derivative; add an equation or a penalty that decides"
            ) from error
        return again.pull([u.reshape(x.shape)], retain_graph=True)[1:]

    return record_jointly("solution", joint, free, x, (None, x))
