"""Transforms: functions in, functions out; arguments may be nested lists, tuples and dicts of
arrays.

Every transform traces the function on Variables of its own (`trace`). Kinds are kept: plain arrays
come out unless there is an outer graph. Imports everything that is older.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.engine.backward import find_route
from autograd.engine.graph import Node, recorded, unwrap
from autograd.engine.mode import is_grad_enabled
from autograd.ops import joining, shaping
from autograd.transforms.containers import flatten, rebuilt
from autograd.transforms.forward import push_forward
from autograd.transforms.trace import Trace, backward_pass, finished, leave, node_of
from autograd.variable import Variable, as_cotangent, unit_cotangent

__all__ = [
    "elementwise_grad",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "value_and_grad",
    "vjp",
]


def _argnums(argnum: int | Sequence[int]) -> Sequence[int]:
    return (argnum,) if isinstance(argnum, int) else tuple(argnum)


def _scalar(what: str, trace: Trace) -> list[Any]:
    """Return the cotangent of a function that must return one real number."""
    if len(trace.outputs) != 1:
        msg = (
            f"{what}: wanted a function that returns one scalar, got {len(trace.outputs)} outputs; "
            "see jacobian"
        )
        raise TypeError(msg)
    out = trace.outputs[0]
    return [unit_cotangent(what, out) if isinstance(out, Variable) else None]


# -- gradients -------------------------------------------------------------------------------------


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
    if callable(function_or_outputs) and not isinstance(function_or_outputs, Variable):
        return _grad_of_function(function_or_outputs, *args, **kwargs)
    return _grad_of_graph(function_or_outputs, *args, **kwargs)


def _grad_of_function(
    function: Callable[..., Any], argnum: int | Sequence[int] = 0
) -> Callable[..., Any]:
    @functools.wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        trace = Trace("grad", function, args, kwargs, _argnums(argnum))
        return trace.arrange(trace.pull(_scalar("grad", trace)), argnum)

    return gradient


def _grad_of_graph(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    roots = [outputs] if isinstance(outputs, Variable) else list(outputs)
    targets = [inputs] if isinstance(inputs, Variable) else list(inputs)
    weights = (
        [grad_outputs]
        if isinstance(outputs, Variable)
        else list(grad_outputs or [None] * len(roots))
    )
    if (
        isinstance(outputs, Variable)
        and isinstance(grad_outputs, (list, tuple))
        and len(grad_outputs) == 1
    ):
        weights = list(grad_outputs)
    if len(weights) != len(roots):
        msg = f"grad: wanted one of grad_outputs per output, {len(roots)}, got {len(weights)}"
        raise ValueError(msg)
    for kind, variables in (("output", roots), ("input", targets)):
        for i, v in enumerate(variables):
            if not isinstance(v, Variable) or not v.requires_grad:
                got = "one that does not" if isinstance(v, Variable) else type(v).__name__
                msg = f"grad: wanted Variables that require a gradient, got {got} as {kind} {i}"
                raise RuntimeError(msg) if isinstance(v, Variable) else TypeError(msg)
    seeds = []
    for v, weight in zip(roots, weights, strict=True):
        if weight is None:
            g = unit_cotangent("grad", v)
        elif create_graph and isinstance(weight, Variable):
            g = weight
        else:
            g = as_cotangent("grad", weight, v)
        seeds.append((v._node, g))
    found = backward_pass(
        seeds,
        [v._node for v in targets],
        create_graph=create_graph,
        retain_graph=create_graph if retain_graph is None else retain_graph,
    )
    gradients = []
    for i, v in enumerate(targets):
        g = found.get(v._node)  # type: ignore[arg-type]
        if g is None and not allow_unused:
            msg = (
                f"grad: wanted inputs that the outputs depend on, got an unused one, input {i}; "
                "pass allow_unused=True for None"
            )
            raise RuntimeError(msg)
        gradients.append(g if g is None or isinstance(g, Variable) else finished(g, v))
    return tuple(gradients)


def value_and_grad(
    function: Callable[..., Any], argnum: int | Sequence[int] = 0
) -> Callable[..., tuple[Any, Any]]:
    """Return a function that returns both the scalar value of `function` and its gradient, from
    one evaluation.

    Example:
        >>> value_and_grad(lambda x: x**3)(2.0)
        (np.float64(8.0), np.float64(12.0))
    """

    @functools.wraps(function)
    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        trace = Trace("value_and_grad", function, args, kwargs, _argnums(argnum))
        gradients = trace.pull(_scalar("value_and_grad", trace))
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

    @functools.wraps(function)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        trace = Trace("elementwise_grad", function, args, kwargs, _argnums(argnum))
        ones = [np.ones_like(unwrap(o)) for o in trace.outputs]
        return trace.arrange(trace.pull(ones), argnum)

    return derivative


# -- products with the Jacobian --------------------------------------------------------------------


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
            _direction("vjp", g, o, nested=trace.nested)
            for g, o in zip(given, map(_variable, trace.outputs), strict=True)
        ]
        return trace.arrange(trace.pull(cotangents, retain_graph=True), ())  # type: ignore[no-any-return]

    return trace.value(), pullback


def _direction(what: str, given: Any, like: Variable, *, nested: bool) -> Any:
    """Return a tangent or cotangent of the shape and dtype of `like`: an array, or the Variable
    that was given, where its own gradient is wanted or the result is part of an outer graph.
    """
    array = as_cotangent(what, given, like)
    if not isinstance(given, Variable) or not (
        nested or (is_grad_enabled() and given.requires_grad)
    ):
        return array
    return given if given.dtype == like.dtype else given.astype(like.dtype)


def _variable(value: Any) -> Variable:
    return value if isinstance(value, Variable) else Variable(value)


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
    if primals is None:
        return functools.partial(jvp, function)
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        msg = (
            f"jvp: wanted tuples of primals and tangents, got {type(primals).__name__} and "
            f"{type(tangents).__name__}"
        )
        raise TypeError(msg)
    listener = _Listener()
    trace = Trace("jvp", function, tuple(primals), {}, range(len(primals)), observer=listener)
    value = trace.value()
    return value, _push(trace, listener, flatten(list(tangents))[0])


class _Listener:
    """Remembers the arguments and the output of every recorded call, for the forward sweep."""

    def __init__(self) -> None:
        self.calls: dict[Node, tuple[tuple[Any, ...], Any]] = {}

    def __call__(self, _primitive: Any, arguments: tuple[Any, ...], out: Any) -> None:
        node = recorded(out)
        if node is not None:
            self.calls[node] = arguments, out


def _push(trace: Trace, listener: _Listener, tangents: list[Any]) -> Any:
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
    for v, t in zip(trace.inputs, tangents, strict=True):
        seeds[node_of(v)] = _direction("jvp", t, v, nested=nested)
    found = push_forward(seeds, [v._node for v in trace.roots], listener.calls, create_graph=nested)
    results = []
    for o in trace.outputs:
        t = found.get(node_of(o)) if isinstance(o, Variable) and o.requires_grad else None
        results.append(np.zeros_like(unwrap(o)) if t is None else leave(t, nested=nested))
    return rebuilt(trace.rebuild, results)


# -- whole Jacobians -------------------------------------------------------------------------------


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

    @functools.wraps(function)
    def compute(*args: Any, **kwargs: Any) -> Any:
        listener = _Listener() if mode != "reverse" else None
        trace = Trace("jacobian", function, args, kwargs, _argnums(argnum), observer=listener)
        m = sum(
            unwrap(o).size if isinstance(o, (Variable, np.ndarray, np.generic)) else 1
            for o in trace.outputs
        )
        n = sum(v.size for v in trace.inputs)
        complex_ = any(v.dtype.kind == "c" for v in (*trace.inputs, *map(_variable, trace.outputs)))
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
        out = unwrap(_variable(o))
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


def _jacobian_forward(trace: Trace, listener: _Listener) -> list[list[Any]]:
    columns: list[list[list[Any]]] = [[[] for _ in trace.inputs] for _ in trace.outputs]
    for j, v in enumerate(trace.inputs):
        for unit in _units(v._data):
            tangents = [unit if w is v else np.zeros_like(w._data) for w in trace.inputs]
            for k, t in enumerate(flatten(_push(trace, listener, tangents))[0]):
                columns[k][j].append(t)
    result = []
    for k, o in enumerate(trace.outputs):
        shape = unwrap(_variable(o)).shape
        row = []
        for j, v in enumerate(trace.inputs):
            first = _stacked(columns[k][j], (v.size, *shape), unwrap(_variable(o)))
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
    return jacobian(_grad_of_function(function, argnum), argnum, mode="reverse")


def hvp(function: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return `product(*args, v)`, the Hessian of a scalar function times `v`, at the cost of two
    gradients.

    `v` comes after the arguments of `function` and has the structure of argument `argnum`.

    Example:
        >>> import numpy as np
        >>> hvp(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
        array([4., 2.])
    """
    gradient = _grad_of_function(function, argnum)

    @functools.wraps(function)
    def product(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            msg = f"hvp: wanted the arguments of the function and then v, got {len(args)} argument"
            raise TypeError(msg)
        trace = Trace("hvp", gradient, args[:-1], kwargs, (argnum,))
        vectors = flatten(args[-1])[0]
        if len(vectors) != len(trace.outputs):
            msg = (
                f"hvp: wanted v with the structure of argument {argnum}, {len(trace.outputs)} "
                f"arrays, got {len(vectors)}"
            )
            raise ValueError(msg)
        cotangents = [
            _direction("hvp", v, _variable(o), nested=trace.nested)
            for v, o in zip(vectors, trace.outputs, strict=True)
        ]
        return trace.arrange(trace.pull(cotangents), argnum)

    return product
