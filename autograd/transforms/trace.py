"""One call of a function on fresh Variables: what every transform begins with.

Nothing outside is touched, and derivatives nest: where an argument or a closed-over Variable is
itself being differentiated, the result is recorded in that outer graph. Imports everything that is
older.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.arrays import Many, is_array, plain_array
from autograd.batching.run import spread
from autograd.batching.values import back_at, belongs, current_level, lifted
from autograd.engine import graph
from autograd.engine.backward import Route, conjugated, find_route, run_backward
from autograd.engine.calls import detached
from autograd.engine.graph import Leaf, Node, Plan, record, unwrap, wrap
from autograd.engine.mode import Observer, current_mode, enable_grad, is_grad_enabled, watching
from autograd.engine.primitive import Primitive, same
from autograd.transforms.containers import Rebuild, flatten, rebuilt
from autograd.typed import user_level
from autograd.variable import Variable

__all__ = [
    "IDENTITY",
    "InputLeaf",
    "Replay",
    "Trace",
    "a_kind",
    "backward_pass",
    "free_nodes",
    "fresh",
    "here",
    "node_of",
    "own_array",
    "own_gradient",
    "positions_of",
    "record_jointly",
    "unwrap_unless_nested",
]

IDENTITY = Primitive("input", lambda x: x, ("x",), {"x": same}, elementwise=True).first


class InputLeaf(Leaf):
    """The leaf a transform puts in the place of a plain argument: nothing outside can ask for it,
    so a result that depends on it alone is not part of an outer graph.
    """

    __slots__ = ()


# -- one traced call -------------------------------------------------------------------------------


class Trace:
    """One call of a function on fresh Variables, and what is needed to differentiate it."""

    def __init__(
        self,
        what: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: Sequence[int],
        observer: Observer | None = None,
    ) -> None:
        self.what = what
        self.outer = is_grad_enabled()
        with enable_grad(), watching(observer):
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
            first = graph.next_number()
            try:
                self.result = function(*arguments, **kwargs)
            except (TypeError, ValueError, AttributeError, IndexError) as error:
                _note_lists(what, args, argnums, error)
                raise
        self.outputs, self.rebuild = flatten(self.result)
        if not any(isinstance(o, Variable) and o.dtype.kind in "fc" for o in self.outputs):
            _look_at_constants(what, self.outputs)
        self.roots = [o for o in self.outputs if isinstance(o, Variable) and o.requires_grad]
        self.nested = self.outer and self._reaches_outside(first)

    def _reaches_outside(self, first: int) -> bool:
        """Tell whether the outputs depend on anything recorded outside this call."""
        if any(v._node.plan is IDENTITY for v in self.inputs):  # type: ignore[union-attr]
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
        create_graph = (
            self.nested
            or current_mode().tracing
            or any(isinstance(g, Variable) and g.requires_grad for g in cotangents)
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
        gradients = [own_gradient(found.get(node_of(v)), v) for v in self.inputs]
        if self.nested:
            return [g if isinstance(g, Variable) else wrap(g) for g in gradients]
        if current_mode().tracing:
            return [detached(g) for g in gradients]
        if create_graph:
            return gradients
        # Of batched cotangents, which may have been recorded on the way, for nobody.
        return [wrap(g._data) if isinstance(g, Variable) else g for g in gradients]

    def arrange(self, gradients: Sequence[Any], argnum: int | Sequence[int]) -> Any:
        """Put gradients into the structure of the arguments."""
        left = iter(gradients)
        parts = [rebuild(left) for rebuild, _ in self.structures]
        return parts[0] if isinstance(argnum, int) else tuple(parts)

    def value(self) -> Any:
        """Return what the function returned, as plain arrays unless an outer graph goes on; in
        memory of their own.
        """
        given = [v._data for v in self.inputs]
        values = [unwrap_unless_nested(o, nested=self.nested) for o in self.outputs]
        return rebuilt(self.rebuild, [own_array(v, given) for v in values])


# -- what a transform was given --------------------------------------------------------------------


def positions_of(what: str, function: Any, argnum: int | Sequence[int]) -> tuple[int, ...]:
    """Check what a transform was given; return the argument numbers as a tuple."""
    if not callable(function) or isinstance(function, Variable):
        raise TypeError(
            f"{what}: wanted a function, got {a_kind(function)}; write {what}(f)(x) for a function "
            "f and a point x"
        )
    try:
        several = isinstance(argnum, (tuple, list))
        return tuple(map(operator.index, argnum if several else (argnum,)))  # type: ignore[arg-type]
    except TypeError:
        is_name = isinstance(argnum, str)
        advice = f"write {what}(f)(x) for the point x"
        raise TypeError(
            f"{what}: wanted argnum as the number of an argument, counted from 0, or a tuple of "
            f"them, got {repr(argnum) if is_name else a_kind(argnum)}; "
            + ("give that argument by position" if is_name else advice)
        ) from None


def a_kind(value: Any) -> str:
    """Say what a value is: its type, with an article."""
    name = "array" if isinstance(value, np.ndarray) else type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _note_lists(what: str, args: tuple[Any, ...], argnums: Sequence[int], error: Exception) -> None:
    """Tell who gave a list of numbers, on which a function of arrays failed, what it counts as."""
    for argnum in argnums:
        given = args[argnum]
        if isinstance(given, (list, tuple)) and given and all(map(_is_number, given)):
            kind = type(given).__name__
            error.add_note(
                f"{what}: argument {argnum} is a {kind} of {len(given)} numbers, which counts as "
                f"{len(given)} separate scalars; for a vector write np.array({kind}_of_numbers)"
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, complex))


def _look_at_constants(what: str, outputs: Sequence[Any]) -> None:
    """Refuse or warn of results that a function of Variables cannot have by accident.

    Raises:
        TypeError: for no result at all, and for booleans and integers, which have no derivative.
    """
    kinds = [getattr(unwrap(o), "dtype", None) or np.asarray(o).dtype for o in outputs]
    others = [o for o, kind in zip(outputs, kinds, strict=True) if kind.kind not in "biufc"]
    if others or not outputs:
        raise TypeError(
            f"{what}: wanted a function that returns numbers or arrays, got "
            f"{a_kind(others[0]) if others else None}; look at its return statement"
        )
    if all(kind.kind in "biu" for kind in kinds):
        raise TypeError(
            f"{what}: wanted a function that returns floating-point numbers, got {kinds[0]}, which "
            "has no derivative; return what the condition, count or index was computed from"
        )
    if not any(isinstance(o, Variable) for o in outputs):
        warnings.warn(
            f"{what}: the result does not depend on the argument, as the function returned "
            f"{a_kind(outputs[0])} and no Variable, so the derivative is 0; .item(), .data and "
            ".detach() on the way would be the cause",
            UserWarning,
            user_level(),
        )


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
    with enable_grad():
        return run_backward(
            seeds,
            inputs,
            create_graph=True,
            retain_graph=retain_graph,
            route=route,
        )


# -- calls that are evaluated again ----------------------------------------------------------------


class Replay:
    """A function evaluated again on what a node has saved, inside a joint rule, to be pulled back
    through: what checkpoints and fixed points are made of.

    Args:
        function: takes a list of Variables, returns a list of Variables that require a gradient.
        saved: its arguments: arrays, or Variables where a derivative of the rule is recorded.
        free: the nodes that the function closes over.
    """

    def __init__(
        self, function: Callable[[list[Any]], list[Any]], saved: Sequence[Any], free: list[Node]
    ) -> None:
        with enable_grad(), np.errstate(divide="warn", invalid="warn"):
            self.inputs = [
                fresh(unwrap(v)) if getattr(v, "_node", None) is None else _connected(v)
                for v in saved
            ]
            self.outputs = function(self.inputs)
        self.targets = [*map(node_of, self.inputs), *free]
        # What the arguments were computed from may be what the function closes over.
        roots = list(map(node_of, self.outputs))
        self._route = find_route(roots, self.targets, closed=True)

    def pull(self, cotangents: Sequence[Any], *, retain_graph: bool = False) -> list[Any]:
        """Return a cotangent or None for each of `saved` and `free`, from one for each output."""
        create_graph = any(isinstance(c, Variable) for c in cotangents)
        seeds = [
            (node_of(o), conjugated(node_of(o), c))
            for o, c in zip(self.outputs, cotangents, strict=True)
            if c is not None
        ]
        found = backward_pass(
            seeds,
            self.targets,
            create_graph=create_graph,
            retain_graph=retain_graph or create_graph,
            route=self._route,
        )
        return [conjugated(t, found[t]) if t in found else None for t in self.targets]


def here(joint: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a joint rule that runs in the batch that is open now, not in those of its pass."""
    level = current_level()

    def rule(g: Any, saved: Any) -> Any:
        with back_at(level):
            return joint(g, saved)

    return rule


def record_jointly(
    name: str, joint: Any, parents: Sequence[Node], out: Any, arguments: tuple[Any, ...]
) -> Any:
    """Return the array `out` as a Variable that depends on the nodes `parents`: one operation,
    whatever it was found by.

    Args:
        name: of the operation.
        joint: of its cotangent and `out`, the cotangent of each parent, or None.
        parents: what it depends on.
        out: the array.
        arguments: of the call, for observers.
    """
    plan = Plan(
        Primitive(name, lambda *given: given, ("given",), {}, variadic=True),
        joint=here(joint),
        operands=("argument",) * len(parents),
        save=lambda values: values[-1],
        rewrap=lambda node: wrap(node.saved, node),
    )
    return record(plan, tuple(parents), (out,), out, arguments)


def fresh(data: Any) -> Any:
    """Return a leaf on `data` that nothing outside knows of."""
    return wrap(data, InputLeaf(data))


def _connected(variable: Variable) -> Any:
    """Return a Variable that stands for one of an outer graph, and is connected to it."""
    return record(IDENTITY, (node_of(variable),), (), variable._data, (variable,))


def node_of(variable: Variable) -> Node:
    """Return the node of a Variable that requires a gradient."""
    assert variable._node is not None
    return variable._node


def _input(what: str, leaf: Any, argnum: int, *, recording: bool) -> Variable:
    """Make the Variable that stands for one array of an argument; connected to an outer graph if
    there is one.
    """
    if isinstance(leaf, Variable):
        if leaf.requires_grad and recording:
            level = current_level()
            if level is not None and not belongs(leaf, level):
                leaf = spread(leaf, level)
            return _connected(leaf)  # type: ignore[no-any-return]
        data = leaf._data
    elif is_array(leaf):
        data = plain_array(what, leaf)
    else:
        data = Variable(leaf)._data
    if data.dtype.kind not in "fc":
        number = isinstance(leaf, int) and not isinstance(leaf, bool)
        raise TypeError(
            f"{what}: wanted floating or complex numbers in argument {argnum}, got {data.dtype}; "
            + (f"write {leaf}.0 instead of {leaf}" if number else "write x.astype(float) for x")
        )
    data = lifted(data, current_level())
    return wrap(data, InputLeaf(data))  # type: ignore[no-any-return]


def own_gradient(g: Any, variable: Variable) -> Any:
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


def own_array(value: Any, given: Sequence[Any]) -> Any:
    """Return a copy of an array that looks at the memory of one of `given`, others as they are."""
    if isinstance(value, np.ndarray) and any(np.may_share_memory(value, x) for x in given):
        return value.copy()
    return value


def unwrap_unless_nested(value: Any, *, nested: bool) -> Any:
    """Return a result as a plain array, or as a Variable where an outer graph, or a batch, goes on
    with it.
    """
    if not nested and current_mode().tracing:
        return detached(value)
    return value if nested or isinstance(unwrap(value), Many) else unwrap(value)


def free_nodes(roots: list[Any], first: int) -> list[Node]:
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
