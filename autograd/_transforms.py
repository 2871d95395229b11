"""Transforms: functions in, functions out; arguments may be nested lists, tuples and dicts of
arrays.

Every transform calls the function on Variables of its own, so nothing outside is touched, and
derivatives nest: where an argument or a closed-over Variable is itself being differentiated, the
result is recorded in that outer graph. Kinds are kept: plain arrays come out unless there is an
outer graph. Imports everything that is older.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd import _graph, _random
from autograd._containers import Rebuild, flatten, rebuilt
from autograd._engine import Route, conjugated, find_route, run_backward
from autograd._forward import push_forward
from autograd._graph import Leaf, Node, Plan, record, wrap
from autograd._mode import mode, set_grad_enabled
from autograd._variable import Variable, as_cotangent, plain, unit_cotangent
from autograd.ops import joining, shaping

_IDENTITY = Plan("input", pulls=(lambda g, _: g,), operands=("x",), elementwise=True)


class _InputLeaf(Leaf):
    """The leaf a transform puts in the place of a plain argument: nothing outside can ask for it,
    so a result that depends on it alone is not part of an outer graph.
    """

    __slots__ = ()


# -- one traced call -------------------------------------------------------------------------------


class _Trace:
    """One call of a function on fresh Variables, and what is needed to differentiate it."""

    def __init__(
        self,
        what: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: Sequence[int],
        observer: Any = True,
    ) -> None:
        self.what = what
        outer = mode.recording
        self.outer = bool(outer)
        with set_grad_enabled(observer if observer is not True else outer or True):
            arguments = list(args)
            self.inputs: list[Variable] = []
            self.structures: list[tuple[Rebuild, int]] = []
            for argnum in argnums:
                if not -len(args) <= argnum < len(args):
                    msg = (
                        f"{what}: wanted argnum below the number of positional arguments, "
                        f"{len(args)}, got {argnum}"
                    )
                    raise ValueError(msg)
                leaves, rebuild = flatten(args[argnum])
                fresh = [_input(what, leaf, argnum, recording=self.outer) for leaf in leaves]
                self.inputs += fresh
                self.structures.append((rebuild, len(fresh)))
                arguments[argnum] = rebuilt(rebuild, fresh)
            first = _graph.next_number()
            self.result = function(*arguments, **kwargs)
        self.outputs, self.rebuild = flatten(self.result)
        self.roots = [o for o in self.outputs if isinstance(o, Variable) and o.requires_grad]
        self.nested = self.outer and self._reaches_outside(first)

    def _reaches_outside(self, first: int) -> bool:
        """Tell whether the outputs depend on anything recorded outside this call."""
        if any(v._node.plan is _IDENTITY for v in self.inputs):  # type: ignore[union-attr]
            return True
        own = {v._node for v in self.inputs}
        seen = {v._node for v in self.roots}
        stack = list(seen)
        while stack:
            node = stack.pop()
            outside = node.number < first or type(node) is Leaf  # type: ignore[union-attr]
            if outside and node not in own:
                return True
            for parent in node.parents:  # type: ignore[union-attr]
                if parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
        return False

    def pull(
        self,
        cotangents: Sequence[Any],
        *,
        retain_graph: bool = False,
        route: Route | None = None,
    ) -> list[Any]:
        """Return one gradient per input for one cotangent per output; zeros where nothing depends
        on an input; recorded where this call or a cotangent is part of an outer graph.
        """
        create_graph = self.nested or any(
            isinstance(g, Variable) and g.requires_grad for g in cotangents
        )
        seeds = [
            (v._node, g)
            for v, g in zip(self.outputs, cotangents, strict=True)
            if isinstance(v, Variable) and v.requires_grad and g is not None
        ]
        found = backward_pass(
            seeds,
            [v._node for v in self.inputs],
            create_graph=create_graph,
            retain_graph=retain_graph or create_graph,
            route=route,
        )
        return [_finished(found.get(v._node), v) for v in self.inputs]  # type: ignore[arg-type]

    def arrange(self, gradients: Sequence[Any], argnum: int | Sequence[int]) -> Any:
        """Put gradients into the structure of the arguments."""
        left = iter(gradients)
        parts = [rebuild(left) for rebuild, _ in self.structures]
        return parts[0] if isinstance(argnum, int) else tuple(parts)

    def value(self) -> Any:
        """Return what the function returned, as plain arrays unless an outer graph goes on."""
        return rebuilt(self.rebuild, [_leave(o, nested=self.nested) for o in self.outputs])


def backward_pass(
    seeds: list[Any],
    inputs: list[Any],
    *,
    create_graph: bool,
    retain_graph: bool,
    route: Route | None = None,
) -> dict[Node, Any]:
    """Run the engine; a pass that creates a graph records, whatever the grad mode, and has
    Variables as seeds.
    """
    if not create_graph:
        return run_backward(seeds, inputs, retain_graph=retain_graph, route=route)
    seeds = [(node, g if isinstance(g, Variable) else wrap(g)) for node, g in seeds]
    with set_grad_enabled(mode.recording or True):
        return run_backward(
            seeds,
            inputs,
            create_graph=True,
            retain_graph=retain_graph,
            route=route,
        )


def _node(variable: Variable) -> Node:
    """Return the node of a Variable that requires a gradient."""
    assert variable._node is not None
    return variable._node


def _input(what: str, leaf: Any, argnum: int, *, recording: bool) -> Variable:
    """Make the Variable that stands for one array of an argument; connected to an outer graph if
    there is one.
    """
    if isinstance(leaf, Variable):
        if leaf.requires_grad and recording:
            return record(_IDENTITY, (_node(leaf),), (leaf._data,), leaf._data)  # type: ignore[no-any-return]
        data = leaf._data
    else:
        data = leaf if isinstance(leaf, (np.ndarray, np.generic)) else Variable(leaf)._data
    if data.dtype.kind not in "fc":
        msg = (
            f"{what}: wanted floating or complex numbers in argument {argnum}, got {data.dtype}; "
            "write 2.0 instead of 2"
        )
        raise TypeError(msg)
    return wrap(data, _InputLeaf(data.shape, data.dtype))  # type: ignore[no-any-return]


def _finished(g: Any, variable: Variable) -> Any:
    """Return a gradient that shares memory with nothing: an array or NumPy scalar, or a Variable
    of the outer graph.
    """
    if isinstance(g, Variable):
        return g
    if g is None:
        g = np.zeros_like(variable._data)
    if isinstance(variable._data, np.generic):
        return g[()]
    return (
        g.copy()
        if isinstance(g, np.ndarray) and (g.base is not None or not g.flags.writeable)
        else g
    )


def _leave(value: Any, *, nested: bool) -> Any:
    return (
        value._data
        if isinstance(value, Variable) and not (nested and value.requires_grad)
        else value
    )


def _argnums(argnum: int | Sequence[int]) -> Sequence[int]:
    return (argnum,) if isinstance(argnum, int) else tuple(argnum)


def _scalar(what: str, trace: _Trace) -> list[Any]:
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
        trace = _Trace("grad", function, args, kwargs, _argnums(argnum))
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
        gradients.append(g if g is None or isinstance(g, Variable) else _finished(g, v))
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
        trace = _Trace("value_and_grad", function, args, kwargs, _argnums(argnum))
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
        trace = _Trace("elementwise_grad", function, args, kwargs, _argnums(argnum))
        ones = [np.ones_like(plain(o)) for o in trace.outputs]
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
    trace = _Trace("vjp", function, primals, {}, range(len(primals)))

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
    if not isinstance(given, Variable) or not (nested or (mode.recording and given.requires_grad)):
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
    trace = _Trace("jvp", function, tuple(primals), {}, range(len(primals)), observer=listener)
    value = trace.value()
    return value, _push(trace, listener, flatten(list(tangents))[0])


class _Listener:
    """Remembers the arguments of every recorded call, for the forward sweep; hands on to an
    observer that was there.
    """

    def __init__(self) -> None:
        self.calls: dict[Node, tuple[Any, ...]] = {}
        self._next = mode.recording

    def __call__(self, node: Node, values: tuple[Any, ...]) -> None:
        self.calls[node] = values
        if self._next not in (True, False):
            self._next(node, values)  # type: ignore[operator]


def _push(trace: _Trace, listener: _Listener, tangents: list[Any]) -> Any:
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
        seeds[_node(v)] = _direction("jvp", t, v, nested=nested)
    found = push_forward(seeds, [v._node for v in trace.roots], listener.calls, create_graph=nested)
    results = []
    for o in trace.outputs:
        t = found.get(_node(o)) if isinstance(o, Variable) and o.requires_grad else None
        results.append(np.zeros_like(plain(o)) if t is None else _leave(t, nested=nested))
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
        listener = _Listener() if mode != "reverse" else True
        trace = _Trace("jacobian", function, args, kwargs, _argnums(argnum), observer=listener)
        m = sum(
            plain(o).size if isinstance(o, (Variable, np.ndarray, np.generic)) else 1
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


def _stacked(rows: list[Any], shape: tuple[int, ...]) -> Any:
    """Join what single passes gave; recorded where it is part of an outer graph."""
    if any(isinstance(r, Variable) for r in rows):
        return joining.stack(rows).reshape(shape)
    return np.stack(rows).reshape(shape) if rows else np.zeros(shape)


def _jacobian_reverse(trace: _Trace) -> list[list[Any]]:
    inputs = [_node(v) for v in trace.inputs]
    result = []
    for k, o in enumerate(trace.outputs):
        out = plain(_variable(o))
        shapes = [out.shape + v.shape for v in trace.inputs]
        if not isinstance(o, Variable) or not o.requires_grad:
            zeros = zip(trace.inputs, shapes, strict=True)
            result.append([np.zeros_like(v._data, shape=shape) for v, shape in zeros])
            continue
        route = find_route([_node(o)], inputs)
        rows: list[list[Any]] = [[] for _ in trace.inputs]
        for unit in _units(out):
            cotangents: list[Any] = [None] * len(trace.outputs)
            cotangents[k] = unit
            gradients = trace.pull(cotangents, retain_graph=True, route=route)
            for row, g in zip(rows, gradients, strict=True):
                # The gradient of a complex output is the conjugate of the derivative (see
                # docs/conventions.md).
                row.append(g.conj() if out.dtype.kind == "c" else g)
        result.append([_stacked(r, shape) for r, shape in zip(rows, shapes, strict=True)])
    return result


def _jacobian_forward(trace: _Trace, listener: _Listener) -> list[list[Any]]:
    columns: list[list[list[Any]]] = [[[] for _ in trace.inputs] for _ in trace.outputs]
    for j, v in enumerate(trace.inputs):
        for unit in _units(v._data):
            tangents = [unit if w is v else np.zeros_like(w._data) for w in trace.inputs]
            for k, t in enumerate(flatten(_push(trace, listener, tangents))[0]):
                columns[k][j].append(t)
    result = []
    for k, o in enumerate(trace.outputs):
        shape = plain(_variable(o)).shape
        row = []
        for j, v in enumerate(trace.inputs):
            first = _stacked(columns[k][j], (v.size, *shape))
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
        trace = _Trace("hvp", gradient, args[:-1], kwargs, (argnum,))
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


# -- memory ----------------------------------------------------------------------------------------


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that keeps only its arguments for the backward pass and computes
    everything inside again.

    Memory for time: the intermediates of `function` are freed at once, and one more evaluation is
    paid in the backward pass. Random numbers repeat: the generators of the library are set back
    for the second evaluation. Variables that `function` closes over get their gradients, too.

    References:
        Chen, Xu, Zhang, Guestrin: Training deep nets with sublinear memory cost, 2016.
    """

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not mode.recording:
            return function(*args, **kwargs)
        constants, rebuild = flatten((args, kwargs))
        given = [i for i, v in enumerate(constants) if isinstance(v, Variable) and v.requires_grad]
        parents = [constants[i]._node for i in given]
        kept = tuple(constants[i]._data for i in given)
        for i in given:
            constants[i] = None
        rewind = _random.snapshot()

        def evaluate(inputs: list[Any]) -> tuple[list[Any], Rebuild]:
            full = list(constants)
            for i, v in zip(given, inputs, strict=True):
                full[i] = v
            new_args, new_kwargs = rebuilt(rebuild, full)
            return flatten(function(*new_args, **new_kwargs))

        first = _graph.next_number()
        outputs, rebuild_out = evaluate([wrap(d, Leaf(d.shape, d.dtype)) for d in kept])
        live = [o for o in outputs if isinstance(o, Variable) and o.requires_grad]
        if not live:
            return rebuilt(rebuild_out, outputs)
        free = _free_nodes([o._node for o in live], first)

        def joint(g: Any, saved: tuple[Any, ...]) -> list[Any]:
            cotangents = g if type(g) is tuple else (g,)
            create_graph = any(isinstance(c, Variable) for c in cotangents)
            back_to_now = _random.snapshot()
            rewind()
            try:
                with set_grad_enabled(True), np.errstate(divide="warn", invalid="warn"):
                    inputs = [
                        record(_IDENTITY, (_node(v),), (v._data,), v._data)
                        if isinstance(v, Variable)
                        else wrap(v, Leaf(v.shape, v.dtype))
                        for v in saved
                    ]
                    again = [
                        o
                        for o in evaluate(inputs)[0]
                        if isinstance(o, Variable) and o.requires_grad
                    ]
            finally:
                back_to_now()
            if [_digest(o._data) for o in again] != digests:
                msg = (
                    "checkpoint: wanted the same output from the second evaluation, got another "
                    "one; draw "
                    "random numbers from autograd.new_generator(), and change nothing the function "
                    "reads "
                    "before the backward pass"
                )
                raise RuntimeError(msg)
            seeds = [
                (_node(o), conjugated(_node(o), c))
                for o, c in zip(again, cotangents, strict=True)
                if c is not None
            ]
            targets = [*map(_node, inputs), *free]
            found = backward_pass(
                seeds, targets, create_graph=create_graph, retain_graph=create_graph
            )
            return [None if (p := found.get(t)) is None else conjugated(t, p) for t in targets]

        plan = Plan(
            "checkpoint",
            joint=joint,
            operands=tuple(f"argument {i}" for i in given) + ("closure",) * len(free),
            keep=lambda values: values[0],
            sources=tuple((i, None, i) for i in range(len(given))),
        )
        raw = tuple(o._data for o in live)
        digests = list(map(_digest, raw))
        recorded = record(plan, (*parents, *free), (kept,), raw if len(raw) > 1 else raw[0])
        fresh = iter(recorded if len(raw) > 1 else (recorded,))
        return rebuilt(
            rebuild_out, [next(fresh) if any(o is v for v in live) else o for o in outputs]
        )

    return checkpointed


def _digest(data: Any) -> int:
    """Return a checksum of an array, by which a second evaluation that differs is noticed."""
    return zlib.crc32(np.ascontiguousarray(data).data)


def _free_nodes(roots: list[Any], first: int) -> list[Node]:
    """List the nodes from before number `first` that a graph hangs on: the Variables that a
    function closed over.
    """
    seen = set(roots)
    stack = list(seen)
    free = []
    while stack:
        node = stack.pop()
        if node.number < first:
            free.append(node)
            continue
        for parent in node.parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(free, key=lambda n: n.number)
