"""Gradients: `grad`, `value_and_grad` and `elementwise_grad`, of functions and of recorded graphs.

Functions in, functions out; arguments may be nested lists, tuples and dicts of arrays. Kinds are
kept: plain arrays come out unless there is an outer graph. Imports `trace` and what is older.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, overload

import numpy as np

from autograd.advice import wrong_arguments
from autograd.batching.values import belongs, innermost
from autograd.engine.calls import detached
from autograd.engine.graph import unwrap, wrap
from autograd.engine.mode import current_mode
from autograd.transforms.trace import (
    Trace,
    a_kind,
    backward_pass,
    node_of,
    own_gradient,
    positions_of,
)
from autograd.variable import Variable, as_cotangent, unit_cotangent

__all__ = ["elementwise_grad", "grad", "gradient_function", "value_and_grad"]


def _scalar_cotangent(what: str, trace: Trace) -> list[Any]:
    """Return the cotangent of a function that must return one real number."""
    if len(trace.outputs) != 1:
        msg = (
            f"{what}: wanted a function that returns one scalar, got {len(trace.outputs)} outputs; "
            "return the scalar alone, or take jacobian"
        )
        raise TypeError(msg)
    (out,) = trace.outputs
    if (out.size if isinstance(out, Variable) else np.size(out)) != 1:
        msg = (
            f"{what}: wanted a scalar as what the function returns, got shape {np.shape(out)}; sum "
            "it, or take jacobian or elementwise_grad"
        )
        raise RuntimeError(msg)
    return [unit_cotangent(what, out if isinstance(out, Variable) else wrap(np.asarray(out)))]


@overload
def grad(
    function: Callable[..., Any], /, argnum: int | Sequence[int] = 0
) -> Callable[..., Any]: ...
@overload
def grad(
    outputs: Variable | Iterable[Variable],
    /,
    inputs: Variable | Iterable[Variable],
    grad_outputs: Any = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> tuple[Any, ...]: ...
def grad(function_or_outputs: Any, *args: Any, **kwargs: Any) -> Any:
    """Differentiate: a function, `grad(f, argnum=0)`, or a recorded graph, `grad(outputs, inputs,
    ...)`.

    `grad(f, argnum=0)` returns the gradient function: it takes the arguments of `f` and returns
    the gradient of the scalar that `f` returns with respect to argument `argnum` (a tuple of
    gradients for a tuple of numbers), in the structure of that argument. It composes:
    `grad(grad(f))`.

    `grad(outputs, inputs, grad_outputs=None, create_graph=False, retain_graph=None,
    allow_unused=False)` returns a tuple with the gradient of the sum of `outputs` with respect to
    each of `inputs` (Variables), weighted by `grad_outputs`; leaves' `.grad` stay as they are.
    With `create_graph` the gradients are Variables that can be differentiated again. None stands
    for an input that nothing depends on, which is an error unless `allow_unused`.

    Raises:
        RuntimeError: an output is not scalar and has no `grad_outputs`, an input is unused, or the
            graph was freed.
        TypeError: integer arguments.

    Example:
        >>> import numpy as np
        >>> grad(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
        array([ 3., 12.])
        >>> x = Variable(2.0, requires_grad=True)
        >>> grad(x**3, x)
        (np.float64(12.0),)
    """
    of_function = callable(function_or_outputs) and not isinstance(function_or_outputs, Variable)
    bind: Any = _bind_function if of_function else _bind_graph
    try:
        arguments = bind(*args, **kwargs)
    except TypeError as error:
        if "has_aux" in kwargs:
            raise TypeError(
                "grad: wanted a function that returns the scalar alone, got has_aux; write "
                "aux.append(value) in it, to a list from outside"
            ) from None
        if args or kwargs:
            raise wrong_arguments("grad", bind.__code__.co_varnames, kwargs, error) from None
        raise TypeError(
            "grad: wanted a function, as in grad(f)(x), or outputs and inputs, as in grad(loss, w),"
            f" got {a_kind(function_or_outputs)} alone; for gradients of all leaves write "
            "loss.backward()"
        ) from None
    differentiate: Any = gradient_function if of_function else _gradients_of_graph
    return differentiate(function_or_outputs, *arguments)


# The two signatures after the first argument. Python itself binds to them, so that its errors do
# not name the functions below.
def _bind_function(argnum: Any = 0) -> Any:
    return (argnum,)


def _bind_graph(
    inputs: Any,
    grad_outputs: Any = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> Any:
    return inputs, grad_outputs, create_graph, retain_graph, allow_unused


def gradient_function(
    function: Callable[..., Any], argnum: int | Sequence[int] = 0, what: str = "grad"
) -> Callable[..., Any]:
    """Return the gradient function of a scalar function; `what` is the name in its errors."""
    positions = positions_of(what, function, argnum)

    @functools.wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(what, function, args, kwargs, positions)
        return trace.arrange(trace.pull(_scalar_cotangent(what, trace)), argnum)

    return gradient


def _gradients_of_graph(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any,
    create_graph: bool,
    retain_graph: bool | None,
    allow_unused: bool,
) -> tuple[Any, ...]:
    """Differentiate a recorded graph."""
    roots, targets = _variables("output", outputs), _variables("input", inputs)
    tracing = current_mode().tracing  # whose program has the gradients in it
    detaching, create_graph = tracing and not create_graph, create_graph or tracing
    level = innermost(roots)
    if level is not None and not all(belongs(v, level) for v in targets):
        raise RuntimeError(
            "grad: wanted inputs that have a gradient for each example of vmap, got one from "
            "outside of it; write autograd.grad(f)(x) for a function f of it"
        )
    single = isinstance(outputs, Variable)
    if grad_outputs is None:
        weights = [None] * len(roots)
    elif single and not (isinstance(grad_outputs, (list, tuple)) and len(grad_outputs) == 1):
        weights = [grad_outputs]
    else:
        weights = list(grad_outputs)
    if len(weights) != len(roots):
        msg = f"grad: wanted one of grad_outputs per output, {len(roots)}, got {len(weights)}"
        raise ValueError(msg)
    seeds = []
    for v, weight in zip(roots, weights, strict=True):
        if weight is None:
            g = unit_cotangent("grad", v)
        elif create_graph and isinstance(weight, Variable):
            g = weight
        else:
            g = as_cotangent("grad", weight, v)
        seeds.append((node_of(v), g))
    found = backward_pass(
        seeds,
        list(map(node_of, targets)),
        create_graph=create_graph,
        retain_graph=create_graph if retain_graph is None else retain_graph,
    )
    gradients = []
    for i, v in enumerate(targets):
        g = found.get(node_of(v))
        if g is None and not allow_unused:
            msg = (
                f"grad: wanted inputs that the outputs depend on, got an unused one, input {i}; "
                "pass allow_unused=True for None"
            )
            raise RuntimeError(msg)
        g = g if g is None else own_gradient(g, v)
        gradients.append(detached(g) if detaching else g)
    return tuple(gradients)


def _variables(kind: str, given: Any) -> list[Variable]:
    """Return outputs or inputs as a list of Variables that require a gradient."""
    several = isinstance(given, Iterable) and not isinstance(given, Variable)
    variables = list(given) if several else [given]
    for i, v in enumerate(variables):
        wanted = f"grad: wanted Variables that require a gradient as {kind}s, got"
        if not isinstance(v, Variable):
            raise TypeError(f"{wanted} {a_kind(v)} as {kind} {i}; write grad(f)(x) for a function")
        if not v.requires_grad:
            raise RuntimeError(f"{wanted} one that does not as {kind} {i}")
    return variables


def value_and_grad(
    function: Callable[..., Any], argnum: int | Sequence[int] = 0
) -> Callable[..., tuple[Any, Any]]:
    """Return a function that returns both the scalar value of `function` and its gradient, from
    one evaluation.

    Example:
        >>> value_and_grad(lambda x: x**3)(2.0)
        (np.float64(8.0), np.float64(12.0))
    """
    positions = positions_of("value_and_grad", function, argnum)

    @functools.wraps(function)
    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        trace = Trace("value_and_grad", function, args, kwargs, positions)
        gradients = trace.pull(_scalar_cotangent("value_and_grad", trace))
        return trace.value(), trace.arrange(gradients, argnum)

    return value_and_gradient


def elementwise_grad(
    function: Callable[..., Any], argnum: int | Sequence[int] = 0
) -> Callable[..., Any]:
    """Return the derivative of a function whose output elements depend on one input element each,
    for all elements at once.

    For other functions it is the gradient of the sum of the output.

    Example:
        >>> import numpy as np
        >>> elementwise_grad(np.sin)(np.array([0.0, np.pi]))
        array([ 1., -1.])
    """
    positions = positions_of("elementwise_grad", function, argnum)

    @functools.wraps(function)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        trace = Trace("elementwise_grad", function, args, kwargs, positions)
        ones = [np.ones_like(unwrap(o)) for o in trace.outputs]
        return trace.arrange(trace.pull(ones), argnum)

    return derivative
