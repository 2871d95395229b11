"""Fixed points, differentiated by the implicit function theorem.

Not imported by `import autograd`. Imports the engine and the transforms.

References:
    Christianson, "Reverse accumulation and attractive fixed points", Optimization Methods and
    Software 3 (1994), 311-326: the gradient is itself a fixed point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.engine import graph
from autograd.engine.backward import conjugated, find_route
from autograd.engine.graph import Leaf, Node, Plan, record, wrap
from autograd.engine.mode import mode, no_grad, set_grad_enabled
from autograd.transforms.trace import IDENTITY, backward_pass, free_nodes, node_of
from autograd.variable import Variable, plain

__all__ = ["fixed_point"]

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
            gradient is of this size as well.

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
    x = np.asarray(plain(x0) if isinstance(x0, Variable) else x0)
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    with no_grad():
        out = _iterate(f(a), x0 if isinstance(x0, Variable) else x[()], distance, tol)
    if not mode.recording or not isinstance(out, Variable):
        return out
    x = plain(out)

    first = graph.next_number()
    y = f(a)(wrap(x, Leaf(x.shape, x.dtype)))
    free = free_nodes([node_of(y)], first) if y.requires_grad else []
    if not free:
        return out

    def joint(g: Any, solution: Any) -> list[Any]:
        create_graph = isinstance(g, Variable)
        with set_grad_enabled(True), np.errstate(divide="warn", invalid="warn"):
            at = (
                record(IDENTITY, (node_of(solution),), (solution._data,), solution._data)
                if isinstance(solution, Variable)
                else wrap(solution, Leaf(solution.shape, solution.dtype))
            )
            start, end = at._node, node_of(f(a)(at))

        route = find_route([end], [start, *free], closed=True)

        def pull(u: Any, targets: list[Node]) -> dict[Node, Any]:
            return backward_pass(
                [(end, u)], targets, create_graph=create_graph, retain_graph=True, route=route
            )

        def adjoint(g: Any) -> Callable[[Any], Any]:
            def step(u: Any) -> Any:
                pulled = pull(u, [start]).get(start)
                return g if pulled is None else g + pulled

            return step

        g = conjugated(end, g)
        with np.errstate(divide="warn", invalid="warn"):
            if create_graph:
                u = fixed_point(adjoint, g, np.zeros_like(g._data), distance, tol)
            else:
                u = plain(_iterate(adjoint(g), np.zeros_like(g), distance, tol))
        found = pull(u, free)
        return [conjugated(n, found[n]) if n in found else None for n in free]

    plan = Plan(
        "fixed_point",
        joint=joint,
        operands=("a",) * len(free),
        keep=lambda values: values[-1],
        outputs=((None, None),),
    )
    return record(plan, tuple(free), (x,), x)


def _iterate(step: Callable[[Any], Any], x: Any, distance: Callable[..., Any], tol: float) -> Any:
    """Apply `step` until the result stays; it is a Variable where `step` makes one of an array."""
    out, x = x, plain(x)
    for _ in range(_STEPS):
        previous, out = x, step(x)
        x = plain(out)
        if np.shape(x) != np.shape(previous):
            raise ValueError(
                f"fixed_point: wanted a step that keeps the shape {np.shape(previous)}, got "
                f"{np.shape(x)}"
            )
        moved = distance(x, previous)
        if moved <= tol:
            return out
        if np.isnan(moved):
            break
    raise RuntimeError(
        f"fixed_point: wanted an iteration that comes to a point, got a distance of {moved} after "
        f"many steps; begin closer to the solution, damp the step, or raise tol={tol}"
    )
