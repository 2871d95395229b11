"""Products with derivatives: `vjp`, `jvp` and `hvp`. Imports `gradients` and what is older."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.engine.graph import Node, unwrap, wrap
from autograd.engine.mode import current_mode, is_grad_enabled
from autograd.transforms.containers import flatten, rebuilt
from autograd.transforms.forward import Listener, push_forward
from autograd.transforms.gradients import gradient_function
from autograd.transforms.trace import Trace, node_of, own_array, positions_of, unwrap_unless_nested
from autograd.variable import Variable, as_cotangent

__all__ = [
    "Listener",
    "as_variable",
    "direction_like",
    "hvp",
    "jvp",
    "push_tangents",
    "vjp",
]


def vjp(function: Callable[..., Any], *primals: Any) -> Any:
    """Return `function(*primals)` and the pullback, which maps a cotangent of the output to one
    cotangent per argument.

    The pullback returns a tuple, one entry per argument, and may be called any number of times.
    Without `primals`, return the function that takes them.

    Example:
        >>> import numpy as np
        >>> out, pullback = vjp(lambda x, y: x * y, np.array([1.0, 2.0]), 3.0)
        >>> pullback(np.array([1.0, 1.0]))
        (array([3., 3.]), np.float64(3.0))
    """
    positions_of("vjp", function, ())
    if not primals:
        return functools.partial(vjp, function)
    trace = Trace("vjp", function, primals, {}, range(len(primals)))

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        given, _ = flatten(cotangent)
        if len(given) != len(trace.outputs):
            msg = (
                f"vjp: wanted a cotangent with the structure of the output, {len(trace.outputs)} "
                f"arrays, got {len(given)}"
            )
            raise ValueError(msg)
        cotangents = [
            direction_like("vjp", g, o, nested=trace.nested)
            for g, o in zip(given, map(as_variable, trace.outputs), strict=True)
        ]
        return trace.arrange(trace.pull(cotangents, retain_graph=True), ())  # type: ignore[no-any-return]

    return trace.value(), pullback


def direction_like(what: str, given: Any, like: Variable, *, nested: bool) -> Any:
    """Return a tangent or cotangent of the shape and dtype of `like`: an array, or the Variable
    that was given, where its own gradient is wanted or the result is part of an outer graph.
    """
    kind, of = ("cotangent", "output") if what == "vjp" else ("tangent", "argument")
    array = as_cotangent(what, given, like, kind=kind, fix=f"it must have the shape of its {of}")
    if not isinstance(given, Variable) or not (
        nested or current_mode().tracing or (is_grad_enabled() and given.requires_grad)
    ):
        return array
    return given if given.dtype == like.dtype else given.astype(like.dtype)


def as_variable(value: Any) -> Variable:
    """Return an output of a function as a Variable."""
    return value if isinstance(value, Variable) else wrap(np.asarray(value))


def jvp(function: Callable[..., Any], primals: Any = None, tangents: Any = None) -> Any:
    """Return `function(*primals)` and its derivative in the direction `tangents`, in one forward
    sweep (forward mode).

    Args:
        function: takes the primals as arguments.
        primals: a tuple of arguments. Without it, return the function of `primals` and `tangents`.
        tangents: a tuple of directions, with the structure and shapes of `primals`.

    Example:
        >>> jvp(lambda x: x**3, (2.0,), (1.0,))
        (np.float64(8.0), np.float64(12.0))
    """
    positions_of("jvp", function, ())
    if primals is None:
        return functools.partial(jvp, function)
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        msg = (
            f"jvp: wanted tuples of primals and tangents, got {type(primals).__name__} and "
            f"{type(tangents).__name__}"
        )
        raise TypeError(msg)
    listener = Listener()
    trace = Trace("jvp", function, tuple(primals), {}, range(len(primals)), observer=listener)
    value = trace.value()
    return value, push_tangents(trace, listener, flatten(list(tangents))[0])


def push_tangents(trace: Trace, listener: Listener, tangents: list[Any]) -> Any:
    """Return the tangents of the outputs of a trace for tangents of its inputs."""
    if len(tangents) != len(trace.inputs):
        msg = (
            f"jvp: wanted tangents with the structure of the primals, {len(trace.inputs)} arrays, "
            f"got {len(tangents)}"
        )
        raise ValueError(msg)
    seeds: dict[Node, Any] = {}
    nested = trace.nested or (
        trace.outer and any(isinstance(t, Variable) and t.requires_grad for t in tangents)
    )
    create_graph = nested or current_mode().tracing
    for v, t in zip(trace.inputs, tangents, strict=True):
        seeds[node_of(v)] = direction_like("jvp", t, v, nested=nested)
    roots = [v._node for v in trace.roots]
    found = push_forward(seeds, roots, listener.calls, create_graph=create_graph)
    results = []
    for o in trace.outputs:
        t = found.get(node_of(o)) if isinstance(o, Variable) and o.requires_grad else None
        t = np.zeros_like(unwrap(o)) if t is None else t
        t = wrap(t) if nested and not isinstance(t, Variable) else t  # of rules that give zeros
        results.append(own_array(unwrap_unless_nested(t, nested=nested), tangents))
    return rebuilt(trace.rebuild, results)


def hvp(function: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return `product(*args, v)`, the Hessian of a scalar function times `v`, at the cost of two
    gradients.

    `v` comes after the arguments of `function` and has the structure of argument `argnum`.

    Example:
        >>> import numpy as np
        >>> hvp(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
        array([4., 2.])
    """
    positions = positions_of("hvp", function, argnum)
    gradient = gradient_function(function, argnum, "hvp")

    @functools.wraps(function)
    def product(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            msg = f"hvp: wanted the arguments of the function and then v, got {len(args)} argument"
            raise TypeError(msg)
        trace = Trace("hvp", gradient, args[:-1], kwargs, positions)
        vectors = flatten(args[-1])[0]
        if len(vectors) != len(trace.outputs):
            msg = (
                f"hvp: wanted v with the structure of argument {argnum}, {len(trace.outputs)} "
                f"arrays, got {len(vectors)}"
            )
            raise ValueError(msg)
        cotangents = [
            direction_like("hvp", v, as_variable(o), nested=trace.nested)
            for v, o in zip(vectors, trace.outputs, strict=True)
        ]
        return trace.arrange(trace.pull(cotangents), argnum)

    return product
