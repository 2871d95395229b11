"""How an operation is called: functions that unwrap their operands, compute, and record themselves.
Fifth file to read, after `primitive`.

Public functions are kind-preserving: arrays in, array out; any Variable in, Variable out. All end
in `record` where a Variable is among their arguments. Imports `graph`, `primitive` and NumPy.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from autograd.advice import wrong_arguments, wrong_shapes
from autograd.arrays import (
    KINDS,
    Kernel,
    Many,
    UnreadError,
    is_array,
    is_foreign,
    kind_of,
    one_kind,
    plain_array,
    refuse_mask,
    same_library,
    unread,
)
from autograd.engine import graph
from autograd.engine.graph import Node, record, unwrap, wrap
from autograd.engine.mode import current_mode
from autograd.engine.primitive import PRIMITIVES, Primitive, Rule, written

__all__ = ["Operation", "as_operand", "binary", "binary_call", "concrete", "detached",
           "general_call", "holds", "holds_variable", "named", "primitive", "signature_of",
           "unary", "unary_call", "unwrap_all"]  # fmt: skip

# Operand types that need no look: everything else is converted or refused by `as_operand`.
_PLAIN = frozenset({np.ndarray, float, int, complex, bool, *np.sctypeDict.values()})
_SEQUENCES = frozenset({list, tuple})
_KNOWN = _PLAIN | _SEQUENCES | {str, slice, dict, type(None), type(...)}
_float64 = np.float64


class Operation(Protocol):
    """A public function, as the factories below make it."""

    __name__: str
    primitive: Primitive
    defvjp: Callable[..., None]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute; record where a Variable that requires a gradient is among the operands."""


# -- the library's door: users' functions come in by `autograd.extend`, which says more ------------


def unary(forward: Kernel, *, x: Rule, name: str | None = None, **known: Any) -> Operation:
    """Make an elementwise function of one operand `x` from a NumPy function and its rule."""
    made = Primitive(name or forward.__name__, forward, ("x",), x=x, elementwise=True, **known)
    return named(unary_call(made), made, PRIMITIVES)


def binary(
    forward: Kernel, *, name: str | None = None, fast: Kernel | None = None, **known: Any
) -> Operation:
    """Make a broadcasting function of two operands `x` and `y` from a NumPy function and its rules.

    `fast` is the same as an operator, if there is one: on NumPy scalars it is ten times as fast as
    a ufunc (40 ns to 450 ns), and on arrays a little faster.
    """
    known = {"elementwise": True} | known
    made = Primitive(name or forward.__name__, forward, ("x", "y"), **known)
    return named(binary_call(made, fast), made, PRIMITIVES)


def primitive(name: str | None = None, **known: Any) -> Callable[[Kernel], Operation]:
    """Decorate a function of raw arrays; `known` are vjp rules by operand name, and attributes of
    `Primitive`.
    """

    def decorate(forward: Kernel) -> Operation:
        made = Primitive(name or forward.__name__, forward, **signature_of(forward, known))
        return named(general_call(made), made, PRIMITIVES)

    return decorate


def named(call: Any, made: Primitive, registry: dict[str, Primitive] | None = None) -> Operation:
    """Name a public function after its primitive, and enter that in a registry."""
    call.__name__ = call.__qualname__ = made.name
    call.primitive, call.defvjp, made.call = made, made.defvjp, call
    if registry is not None:
        registry[made.name] = made
    return call  # type: ignore[no-any-return]


def holds(condition: Any, *, traced: bool) -> bool:
    """Tell whether `condition` holds: every branch on values in Python comes through here.

    While a program is traced, whose values are not known, `traced` is the answer, and of an array
    of another library, whose values are not here.
    """
    if isinstance(condition, graph.Variable):
        if current_mode().tracing or isinstance(condition._data, Many):
            return traced
        condition = condition._data
    unknown = condition.__class__ not in _PLAIN and is_foreign(condition)
    return traced if unknown else bool(condition)


def concrete(value: Any, what: str) -> Any:
    """Return `value` unwrapped, also in lists and tuples, for what must know numbers: a shape that
    depends on them, how many steps the operation `what` takes.

    Raises:
        RuntimeError: a Variable while a program is traced, whose values are not known.
        TypeError: an array of another library.
    """
    if current_mode().tracing and holds_variable(value):
        raise RuntimeError(
            f"{what}: wanted values that are known while a program is traced, got a Variable that "
            f"a shape or a number of steps depends on; call {what} outside of the traced function, "
            "or give it a plain array"
        )
    known = unwrap_all(value)
    if is_foreign(known):
        raise TypeError(
            f"{what}: wanted an array of NumPy where a shape depends on its numbers, got "
            f"{kind_of(known)}; convert it first, as x.detach().numpy() does for a Variable"
        )
    return known


_DETACH = Primitive("detach", lambda x: x, ("x",), {}, plain=True)


def detached(x: Any) -> Any:
    """Return `x` cut off its graph: an array; while a program is traced, a Variable."""
    if not holds_variable(x):
        return x
    out = record(_DETACH.constant, (), (), x._data, (x,))
    return wrap(out) if isinstance(out, Many) else out


# -- calls by arity --------------------------------------------------------------------------------


def unary_call(made: Primitive) -> Callable[..., Any]:
    """Return the function of an elementwise primitive of one operand."""
    forward = made.forward

    def call(x: Any) -> Any:
        if isinstance(x, graph.Variable):
            data, node = x._data, x._node
            try:
                out = forward(data)
            except UnreadError as reading:
                return reading.answer(made, [x])
            if node is None:
                return record(made.constant, (), (), out, (x,))
            return record(made.first, (node,), (data, out), out, (x,))
        if type(x) in _SEQUENCES:
            return call(as_operand(made.name, "x", x))
        return forward(x)

    return call


def binary_call(made: Primitive, fast: Kernel | None = None) -> Callable[..., Any]:
    """Return the function of a broadcasting primitive of two operands."""
    forward = made.forward
    compute, elementwise = fast or forward, made.elementwise

    def call(x: Any, y: Any, /) -> Any:
        a, b = x, y
        node_x = node_y = None
        if isinstance(x, graph.Variable):
            a, node_x = x._data, x._node
        elif type(x) not in _PLAIN:
            return _converted(call, made, x, y)
        if isinstance(y, graph.Variable):
            b, node_y = y._data, y._node
            if node_x is None and a.__class__ is complex and b.__class__ is _float64:
                a = np.complex128(a)  # Python's complex would take a float64, a float, with it
        elif type(y) not in _PLAIN:
            return _converted(call, made, x, y)
        elif a is x:
            return forward(x, y)
        parents: tuple[Node, ...]
        try:
            out = compute(a, b)
        except ValueError as error:
            raise wrong_shapes(made.name, a, b, error) from None
        except TypeError:
            if same_library(a, b):
                raise
            raise one_kind(made.name, a, b) from None
        except UnreadError as reading:
            return reading.answer(made, [x, y])
        if node_x is None:
            if node_y is None:
                return record(made.constant, (), (), out, (x, y))
            plan, parents = made.second, (node_y,)
        elif node_y is None:
            plan, parents = made.first, (node_x,)
        else:
            # Operands of one shape and dtype need no broadcasting undone. Telling so here costs
            # 0.1 us on arrays and next to nothing on NumPy scalars; the backward pass saves 0.1 us
            # for each operand.
            alike = elementwise and (
                a.__class__ is b.__class__ is _float64
                or (a.shape == b.shape and a.dtype is b.dtype is out.dtype)
            )
            plan, parents = made.alike if alike else made.both, (node_x, node_y)
        return record(plan, parents, (a, b, out), out, (x, y))

    return call


def general_call(made: Primitive) -> Callable[..., Any]:
    """Return the function of a primitive with any signature: its arguments are brought into the
    order of the parameters, keywords included.
    """
    name, forward, parameters, variadic = made.name, made.forward, made.parameters, made.variadic
    first = 1 if variadic else made.positional
    is_mixed = first < len(parameters)
    checks = made.checks
    nondiff = {i for i, p in enumerate(parameters) if p in made.nondiff}
    operands = made.rules or parameters
    opened = {i for i, p in enumerate(parameters) if p in operands or p in made.nondiff}

    def bind(*args: Any, **kwargs: Any) -> list[Any]:
        """Bind the arguments as Python itself does, in a tenth of the time of a loop over the
        signature; written at the first call, because all of them would take 2 ms at import.
        """
        nonlocal bind
        options = [f"{p}=_{p}" if p in made.defaults else p for p in parameters]
        front = [f"*{parameters[0]}"] if variadic else options[:first] + ["*"] * is_mixed
        order = f"[{'*' * variadic}{', '.join(parameters)}]"
        defaults = {f"_{p}": value for p, value in made.defaults.items()}
        bind = written(", ".join(front + options[first:]), [order], **defaults)
        return bind(*args, **kwargs)

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            arguments = bind(*args, **kwargs)
        except TypeError as error:
            raise wrong_arguments(name, parameters, kwargs, error) from None
        nodes: list[Node] = []
        found, values, wanted = False, [*arguments], [False] * len(arguments)
        more = len(args) - 1 if variadic else 0
        for i, value in enumerate(arguments):
            if not isinstance(value, graph.Variable):
                if value.__class__ not in _SEQUENCES:
                    if value.__class__ not in _KNOWN:
                        refuse_mask(name, value)
                        if value.__class__ in KINDS:
                            values[i] = value.view(np.ndarray)
                    continue
                if not (variadic or i in opened) or not holds_variable(value):
                    continue
                if i - more in nondiff:
                    values[i], found = unwrap_all(value), True
                    continue
                value = arguments[i] = as_operand(name, name, value)
            found, values[i], node = True, value._data, value._node
            if node is not None and i - more not in nondiff:
                wanted[i] = True
                nodes.append(node)
            elif node is not None and current_mode().tracing:
                arguments[i] = detached(value)
        try:
            out = forward(*values) if not is_mixed else made.evaluate(values)
        except (UnreadError, ValueError) as error:
            return unread(error).answer(made, arguments)
        if not found:
            return out
        outs = out if type(out) is tuple else (out,)
        if checks and all(o.dtype.kind not in "fc" for o in outs):
            nodes = []
        plan = made.plan(tuple(wanted)) if nodes else made.constant
        return record(plan, tuple(nodes), (*values, out), out, tuple(arguments))

    return functools.update_wrapper(call, forward)


def signature_of(forward: Kernel, known: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `Primitive` that a function's signature tells, joined with what else
    is `known`.
    """
    names, star, _ = inspect.getargs(forward.__code__)
    count = forward.__code__.co_argcount
    tail = forward.__defaults__ or ()
    defaults = dict(zip(reversed(names[:count]), reversed(tail), strict=False))
    return {
        "parameters": (star, *names) if star else tuple(names),
        "defaults": defaults | (forward.__kwdefaults__ or {}),
        "variadic": bool(star),
        "positional": count,
        **known,
    }


# -- operands --------------------------------------------------------------------------------------


def as_operand(name: str, operand: str, value: Any) -> Any:
    """Return `value` as something NumPy computes with: sequences become arrays (recorded where
    they hold Variables).

    Raises:
        TypeError: for None, strings, masked arrays and other things that are no numbers.
    """
    if type(value) in _PLAIN or isinstance(value, graph.Variable):
        return value
    if isinstance(value, (list, tuple)):
        return graph.Variable._from_sequence(value)
    if hasattr(value, "__array_ufunc__"):  # a subclass, or another library's array
        return plain_array(name, value)
    if isinstance(value, (int, float, complex)) or hasattr(value, "__array__"):
        return np.asarray(value)
    kind = type(value).__name__
    raise TypeError(f"{name}: wanted an array or a number as operand {operand!r}, got {kind}")


def holds_variable(value: Any) -> bool:
    """Tell whether there is a Variable in `value`, also in lists, tuples and dicts."""
    if value.__class__ in _SEQUENCES:
        return any(map(holds_variable, value))
    if value.__class__ is dict:
        return any(map(holds_variable, value.values()))
    return isinstance(value, graph.Variable)


def unwrap_all(value: Any) -> Any:
    """Unwrap Variables, also in lists, tuples and dicts."""
    if value.__class__ in _SEQUENCES:
        return value.__class__(map(unwrap_all, value))
    if value.__class__ is dict:
        return {key: unwrap_all(part) for key, part in value.items()}
    return unwrap(value)


def _converted(call: Callable[..., Any], made: Primitive, x: Any, y: Any) -> Any:
    """Convert operands of unusual type and try again."""
    for v, other in ((x, y), (y, x)):
        answers = getattr(type(v), "__array_ufunc__", True)
        if answers is None:
            return NotImplemented  # a type that asks to answer arrays itself, through __radd__ ...
        # NumPy leaves the operation to tables of xarray and the like.
        ours = answers is True or is_array(v) or isinstance(v, graph.Variable)
        if not ours and type(v) is not type(unwrap(other)):
            return made.forward(x, y)
    x, y = as_operand(made.name, "x", x), as_operand(made.name, "y", y)
    if not holds_variable((x, y)):
        return made.forward(x, y)
    known = (type(v) in _PLAIN or isinstance(v, graph.Variable) for v in (x, y))
    return call(*(v if is_known else wrap(v) for v, is_known in zip((x, y), known, strict=True)))
