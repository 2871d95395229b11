"""Products with Jacobians, spaces of vectors and a graph by hand, under the names that the core of
HIPS autograd has; what that passes on from other modules is here, too. Imported on demand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.engine.backward import run_backward
from autograd.engine.graph import unwrap
from autograd.extend import (
    def_linear,
    defjvp,
    defjvp_argnum,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    primitive,
)
from autograd.tracer import (
    Node,
    getval,
    isbox,
    new_box,
    toposort,
    trace,
)
from autograd.transforms.products import jvp, vjp
from autograd.util import func, subval, subvals
from autograd.vspace import Box, VJPNode, VSpace, vspace

__all__ = [
    "Box",
    "Node",
    "VJPNode",
    "VSpace",
    "backward_pass",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "func",
    "getval",
    "isbox",
    "make_jvp",
    "make_vjp",
    "new_box",
    "primitive",
    "subval",
    "subvals",
    "toposort",
    "trace",
    "vspace",
]


def make_vjp(fun: Callable[[Any], Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return the pullback of a function of one argument at `x`, and its value there.

    Unlike `autograd.make_vjp` it takes the point at once.

    Example:
        >>> pullback, value = make_vjp(lambda x: x**2, 3.0)
        >>> value, pullback(1.0)
        (np.float64(9.0), np.float64(6.0))
    """
    out, pullback = vjp(fun, x)
    return lambda g: pullback(g)[0], out


def make_jvp(fun: Callable[[Any], Any], x: Any) -> Callable[[Any], tuple[Any, Any]]:
    """Return the function of a direction that returns the value of `fun` at `x` and its derivative
    along it.
    """
    return lambda g: jvp(fun, (x,), (g,))


def backward_pass(g: Any, end_node: Any) -> Any:
    """Return the gradient at the start of a graph made with `new_box`, for the cotangent `g` of the
    output that `end_node` stands for; any number of times.

    Example:
        >>> from autograd.tracer import new_box, trace_stack
        >>> with trace_stack.new_trace() as t:
        ...     start = new_box(3.0, t, VJPNode.new_root())
        ...     end = start * start
        >>> backward_pass(1.0, end._node)
        np.float64(6.0)
    """
    seen = {end_node}
    stack = [end_node]
    while stack:
        for parent in stack.pop().parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    starts = [node for node in seen if isinstance(node, VJPNode)]
    if len(starts) != 1:
        raise ValueError(
            f"backward_pass: wanted a graph with one start made by new_box, got {len(starts)}; use "
            "make_vjp(f, x)"
        )
    cotangent = np.asarray(unwrap(g), end_node.dtype)
    if cotangent.shape != end_node.shape:
        raise ValueError(
            f"backward_pass: wanted a cotangent of shape {end_node.shape}, got {cotangent.shape}"
        )
    found = run_backward([(end_node, cotangent)], starts, retain_graph=True)
    gradient = found.get(starts[0])
    return np.zeros(starts[0].shape, starts[0].dtype) if gradient is None else gradient
