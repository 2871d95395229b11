"""Primitives: a forward function beside one rule per operand. Fifth file to read, after `primitive`.

    tanh = unary(np.tanh, x=lambda g, out: g * (1 - out * out))
    multiply = binary(np.multiply, x=lambda g, y: g * y, y=lambda g, x: g * x)

    @primitive(x=lambda g, x_shape: g.reshape(x_shape))
    def reshape(x, shape): ...

A rule is a vjp: it takes the cotangent `g` of the output and returns the cotangent of its operand.
Its parameters after `g` name what it needs, and only that is kept until the backward pass:

- an operand or another parameter of the forward function (`y`, `axis`): its value;
- `<operand>_shape`, `<operand>_ndim`, `<operand>_dtype`: that fact alone, the data may go;
- `out`, `out_shape`, `out_ndim`, `out_dtype`: the same of the output;
- `index`, in a rule for variadic operands (`*arrays`): which of them is meant;
- `wanted`, in a joint rule: one bool per operand.

Rules are written in plain NumPy and run on two kinds: on arrays, which is the fast backward pass,
and on Variables, which records the rule itself and so gives derivatives of any order. They use
operators, array methods, `np.*` functions and other primitives; never `out=`, item assignment or
`np.asarray`.

Public functions are kind-preserving: arrays in, array out; any Variable in, Variable out. Imports
`graph`, `primitive` and NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container
from typing import Any, Protocol, overload

import numpy as np

from autograd.engine import graph
from autograd.engine.graph import record, wrap
from autograd.engine.primitive import PRIMITIVES, Primitive, Rule, same

__all__ = [
    "PRIMITIVES",
    "Operation",
    "Primitive",
    "as_operand",
    "binary",
    "primitive",
    "same",
    "unary",
]

Variable: type[Any] = object
# Operand types that need no look: everything else is converted or refused by `as_operand`.
_PLAIN = frozenset({np.ndarray, float, int, complex, bool, *np.sctypeDict.values()})
_SEQUENCES = frozenset({list, tuple})
_float64 = np.float64
_from_sequence: Callable[[Any], Any] = np.asarray


def bind_variable_class(cls: type[Any], from_sequence: Callable[[Any], Any]) -> None:
    """Take the Variable class, and what makes one array of a nested sequence of Variables; called
    once, at import.
    """
    global Variable, _from_sequence  # noqa: PLW0603 - see graph.bind_variable_class
    Variable = cls
    _from_sequence = from_sequence
    graph.bind_variable_class(cls)


class Operation(Protocol):
    """A public differentiable function, as the factories below make it."""

    __name__: str
    primitive: Primitive
    defvjp: Callable[..., None]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute; record where a Variable that requires a gradient is among the operands."""


def as_operand(name: str, operand: str, value: Any) -> Any:
    """Return `value` as something NumPy computes with: sequences become arrays (recorded where
    they hold Variables).

    Raises:
        TypeError: for None, strings and other things that are no numbers.
    """
    if type(value) in _PLAIN or isinstance(value, Variable):
        return value
    if isinstance(value, (list, tuple)):
        return _from_sequence(value)
    if isinstance(value, np.ndarray) and (isinstance(value, np.matrix) or hasattr(value, "mask")):
        kind = type(value).__name__  # whose operators mean something else
        msg = f"{name}: wanted a plain array as operand {operand!r}, got a {kind}; convert it first"
        raise TypeError(msg)
    if hasattr(value, "__array_ufunc__"):  # subclasses and other libraries' arrays
        return value
    if isinstance(value, (int, float, complex)) or hasattr(value, "__array__"):
        return np.asarray(value)
    msg = f"{name}: wanted an array or a number as operand {operand!r}, got {type(value).__name__}"
    raise TypeError(msg)


def holds(condition: Any, *, traced: bool) -> bool:
    """Tell whether `condition` holds: every branch on values in Python comes through here.

    While a program is traced, whose values are not known, `traced` is the answer.
    """
    del traced
    return bool(condition)


def unary(
    forward: Callable[..., Any],
    *,
    name: str | None = None,
    masks: bool = False,
    exact: bool = True,
    trusted: bool = True,
    x: Rule,
) -> Operation:
    """Make a differentiable elementwise function of one operand `x` from a NumPy function and its
    rule.

    Args:
        forward: computes the output from a raw array.
        name: the public name; by default that of `forward`.
        masks: the rule makes exact zeros in cotangents.
        exact: False where the output may be real for a complex operand, so that dtypes differ.
        trusted: internal; False has results of the rule checked.
        x: the vjp rule, which may need `x`, `out` and their `_shape`, `_ndim`, `_dtype`.
    """
    spec = Primitive(
        name or forward.__name__,
        forward,
        ("x",),
        {"x": x},
        elementwise=True,
        exact=exact,
        masks=masks,
        trusted=trusted,
    )
    plan = spec.plan((0,))

    def apply(x: Any, /) -> Any:
        if isinstance(x, Variable):
            node = x._node
            x = x._data
            out = forward(x)
            return wrap(out) if node is None else record(plan, (node,), (x, out), out)
        if type(x) in (list, tuple):
            x = _from_sequence(x)
            if isinstance(x, Variable):
                return apply(x)
        return forward(x)

    return _publish(apply, spec)


def binary(
    forward: Callable[..., Any],
    *,
    name: str | None = None,
    fast: Callable[[Any, Any], Any] | None = None,
    masks: bool = False,
    elementwise: bool = True,
    trusted: bool = True,
    x: Rule | None = None,
    y: Rule | None = None,
) -> Operation:
    """Make a differentiable, broadcasting function of two operands `x` and `y`.

    Args:
        forward: computes the output from two raw operands, arrays or Python scalars.
        name: the public name; by default that of `forward`.
        fast: the same as an operator, if there is one: on NumPy scalars it is ten times as fast as
            a ufunc (40 ns to 450 ns), and on arrays a little faster.
        masks: the rules make exact zeros in cotangents.
        elementwise: False for matmul, whose rules undo broadcasting themselves.
        trusted: internal; False has results of the rules checked.
        x: the vjp rule of the first operand.
        y: the vjp rule of the second.
    """
    rules = {key: rule for key, rule in (("x", x), ("y", y)) if rule is not None}
    spec = Primitive(
        name or forward.__name__,
        forward,
        ("x", "y"),
        rules,
        elementwise=elementwise,
        masks=masks,
        trusted=trusted,
    )
    compute = fast or forward
    has_x, has_y = "x" in rules, "y" in rules
    plan_x = spec.plan((0,)) if has_x else None
    plan_y = spec.plan((1,)) if has_y else None
    plan_xy = spec.plan((0, 1)) if has_x and has_y else None
    # Operands of one shape and dtype need no broadcasting undone. Telling so here costs 0.1 us on
    # arrays and next to nothing on NumPy scalars; the backward pass saves 0.1 us for each operand.
    plan_alike = spec.plan((0, 1), exact=True) if elementwise and plan_xy else None
    public = spec.name

    def apply(x: Any, y: Any, /) -> Any:
        if isinstance(x, Variable):
            node_x = x._node
            x = x._data
            if isinstance(y, Variable):
                node_y = y._node
                y = y._data
            elif type(y) in _PLAIN:
                node_y = None
            else:
                return _second_look(apply, wrap(x, node_x), y, public)
        elif isinstance(y, Variable):
            if type(x) not in _PLAIN:
                return _second_look(apply, x, y, public)
            node_x = None
            node_y = y._node
            y = y._data
            if x.__class__ is complex and y.__class__ is _float64:
                x = np.complex128(x)  # a Python complex takes np.float64, a float, into Python's
        else:
            if type(x) in _PLAIN and type(y) in _PLAIN:
                return forward(x, y)
            return _second_look(apply, x, y, public, forward)
        try:
            out = compute(x, y)
        except ValueError as error:
            raise _explained(public, x, y, error) from None
        if node_x is None:
            if node_y is None:
                return wrap(out)
            return record(plan_y or spec.plan((1,)), (node_y,), (x, y, out), out)
        if node_y is None:
            return record(plan_x or spec.plan((0,)), (node_x,), (x, y, out), out)
        if plan_alike and (
            x.__class__ is y.__class__ is _float64
            or (x.shape == y.shape and x.dtype is y.dtype is out.dtype)
        ):
            return record(plan_alike, (node_x, node_y), (x, y, out), out)
        return record(plan_xy or spec.plan((0, 1)), (node_x, node_y), (x, y, out), out)

    return _publish(apply, spec)


def _explained(name: str, x: Any, y: Any, error: ValueError) -> ValueError:
    """Return a better error where the shapes of two elementwise operands are what is wrong."""
    shapes = np.shape(x), np.shape(y)
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        if not str(error).startswith(name):
            return ValueError(
                f"{name}: wanted operands whose shapes broadcast, got {shapes[0]} and {shapes[1]}; "
                f"reshape one so that their last axes are equal or 1"
            )
    return error


def _second_look(
    apply: Callable[[Any, Any], Any],
    x: Any,
    y: Any,
    name: str,
    forward: Callable[[Any, Any], Any] | None = None,
) -> Any:
    """Convert operands of unusual type and try again."""
    if any(getattr(type(v), "__array_ufunc__", True) is None for v in (x, y)):
        return NotImplemented  # a type that asks to answer arrays itself, through __radd__ ...
    x = as_operand(name, "x", x)
    y = as_operand(name, "y", y)
    if isinstance(x, Variable) or isinstance(y, Variable):
        if not isinstance(x, Variable) and type(x) not in _PLAIN:
            x = wrap(x)
        if not isinstance(y, Variable) and type(y) not in _PLAIN:
            y = wrap(y)
        return apply(x, y)
    return (forward or apply)(x, y)


@overload
def primitive(forward: Callable[..., Any], /) -> Operation: ...


@overload
def primitive(
    *,
    name: str | None = None,
    joint: Rule | None = None,
    nondiff: tuple[str, ...] = (),
    elementwise: bool = False,
    linear: bool = False,
    masks: bool = False,
    defers: bool = False,
    trusted: bool = True,
    **rules: Rule,
) -> Callable[[Callable[..., Any]], Operation]: ...


def primitive(
    forward: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    joint: Rule | None = None,
    nondiff: tuple[str, ...] = (),
    elementwise: bool = False,
    linear: bool = False,
    masks: bool = False,
    defers: bool = False,
    trusted: bool = True,
    **rules: Rule,
) -> Any:
    """Make a function of raw arrays differentiable: a decorator, with vjp rules by operand name.

    The decorated function takes Variables, arrays or both, by position or by keyword. Rules can
    also be attached later, with `function.defvjp(x=...)`. A Variable that requires a gradient, in
    an operand without a rule, is an error.

    Args:
        forward: the function, when used as a bare decorator.
        name: the public name; by default that of the function.
        joint: one rule for all operands, returning a tuple with a cotangent or None for each.
        nondiff: operands that never have a gradient; Variables are unwrapped there.
        elementwise: the output broadcasts the operands against each other, and each output element
            depends on one element of each operand: the engine sums cotangents back to the
            operands' shapes.
        linear: jointly linear in the operands that have rules.
        masks: rules make exact zeros in cotangents.
        defers: internal; rules return `Deferred` cotangents.
        trusted: internal; False has shape, dtype and type of what the rules return checked.
        **rules: the vjp rule of each operand.

    Example:
        >>> import numpy as np, autograd
        >>> @autograd.primitive(x=lambda g, x: g * 3 * x**2)
        ... def cube(x):
        ...     return x**3
        >>> autograd.grad(cube)(2.0)
        np.float64(12.0)
    """
    if forward is None:
        return functools.partial(
            primitive,
            name=name,
            joint=joint,
            nondiff=nondiff,
            elementwise=elementwise,
            linear=linear,
            masks=masks,
            defers=defers,
            trusted=trusted,
            **rules,
        )
    code = getattr(forward, "__code__", None)
    if code is None:
        kind = type(forward).__name__
        msg = (
            f"primitive: wanted a Python function, whose parameters have names, got {forward!r} of "
            f"type {kind}; write a def around it, or for a ufunc autograd.extend.unary or binary"
        )
        raise TypeError(msg)
    variadic = bool(code.co_flags & 0x04)
    n_positional = code.co_argcount
    n_plain = n_positional + code.co_kwonlyargcount
    parameters: tuple[str, ...] = code.co_varnames[:n_plain]
    if variadic:
        if n_positional:
            msg = (
                f"{forward.__name__}: wanted *operands first and the other parameters as keywords, "
                "got both kinds of operand"
            )
            raise TypeError(msg)
        parameters = (code.co_varnames[n_plain], *parameters)
    if code.co_flags & 0x08:
        msg = (
            f"{forward.__name__}: wanted named parameters, got **keywords; name each, so that none "
            "can be swallowed"
        )
        raise TypeError(msg)
    positional = parameters[:n_positional]
    tail = forward.__defaults__ or ()
    defaults = dict(zip(positional[len(positional) - len(tail) :], tail, strict=True)) | dict(
        forward.__kwdefaults__ or {}
    )
    spec = Primitive(
        name or forward.__name__,
        forward,
        parameters,
        rules,
        defaults=defaults,
        variadic=variadic,
        positional=n_positional,
        joint=joint,
        nondiff=nondiff,
        elementwise=elementwise,
        linear=linear,
        masks=masks,
        defers=defers,
        trusted=trusted,
    )
    apply = _variadic_apply(spec) if variadic else _plain_apply(spec, n_positional)
    functools.update_wrapper(apply, forward)
    return _publish(apply, spec)


_MANY = 32


def _unwrap_all(
    values: list[Any], lists: Container[int], constant: Container[int]
) -> tuple[tuple[int, ...], tuple[Any, ...], bool]:
    """Unwrap Variables in `values`, in place.

    Args:
        values: the arguments of a call.
        lists: positions where nested lists of Variables are joined to one.
        constant: positions that never require a gradient.

    Returns:
        The positions that require a gradient, their nodes, and whether there was any Variable.
    """
    # Tuples are faster for few operands, but growing them takes time of order n^2.
    positions: Any = () if len(values) < _MANY else []
    nodes: Any = () if len(values) < _MANY else []
    found = False
    for i, value in enumerate(values):
        if isinstance(value, Variable):
            variable = value
        elif value.__class__ in _SEQUENCES and i in lists and _holds_variable(value):
            variable = _from_sequence(value)
        else:
            continue
        found = True
        values[i] = variable._data
        if variable._node is not None and i not in constant:
            positions += (i,)
            nodes += (variable._node,)
    return tuple(positions), tuple(nodes), found


def _holds_variable(values: Any) -> bool:
    for v in values:
        if isinstance(v, Variable) or (v.__class__ in _SEQUENCES and _holds_variable(v)):
            return True
    return False


def _wrap_result(out: Any) -> Any:
    return tuple(map(wrap, out)) if type(out) is tuple else wrap(out)


def _checked_output(name: str, out: Any) -> Any:
    """Return what a forward function from outside the library returned as arrays."""
    if isinstance(out, tuple):
        return tuple(_checked_output(name, part) for part in out)
    if isinstance(out, (bool, int, float, complex)) and not isinstance(out, np.generic):
        return np.asarray(out)[()]
    if isinstance(out, (np.ndarray, np.generic)):
        return out
    msg = (
        f"{name}: wanted an array or a tuple of arrays from the forward function, got "
        f"{type(out).__name__}"
    )
    raise TypeError(msg)


def _is_floating(out: Any) -> bool:
    """Tell whether an output, or one of several, can carry a gradient."""
    return any(map(_is_floating, out)) if type(out) is tuple else out.dtype.kind in "fc"


def _plain_apply(spec: Primitive, n_positional: int) -> Callable[..., Any]:
    parameters, defaults, forward = spec.parameters, spec.defaults, spec.forward
    keywords = parameters[n_positional:]
    index_of = {name: i for i, name in enumerate(parameters)}
    template = [defaults.get(name, _MISSING) for name in parameters]
    required = max((i + 1 for i, v in enumerate(template) if v is _MISSING), default=0)
    count = len(parameters)
    constant = frozenset(index_of[name] for name in spec.nondiff)
    operands = {index_of[name] for name in spec.rules} or set(range(count))
    lists = constant | operands

    def bind(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """Return all arguments in the order of the signature."""
        given = len(args)
        if given > n_positional:
            msg = f"{spec.name}: wanted at most {n_positional} positional arguments, got {given}"
            raise TypeError(msg)
        values = [*args, *template[given:]]
        for key, value in kwargs.items():
            i = index_of.get(key)
            if i is None:
                msg = f"{spec.name}: wanted keywords among {', '.join(parameters)}, got {key!r}"
                raise TypeError(msg)
            if i < given:
                msg = f"{spec.name}: got two values for {key!r}"
                raise TypeError(msg)
            values[i] = value
        for i in range(given, required):
            if values[i] is _MISSING:
                msg = f"{spec.name}: wanted a value for {parameters[i]!r}, got none"
                raise TypeError(msg)
        return values

    def apply(*args: Any, **kwargs: Any) -> Any:
        values = bind(args, kwargs) if kwargs or len(args) != count else list(args)
        positions, nodes, found = _unwrap_all(values, lists, constant)
        if keywords:
            named = {key: values[index_of[key]] for key in keywords}
            out = forward(*values[:n_positional], **named)
        else:
            out = forward(*values)
        if not found:
            return out
        if not spec.trusted:
            out = _checked_output(spec.name, out)
            nodes = nodes if _is_floating(out) else ()
        if not nodes:
            return _wrap_result(out)
        return record(spec.plan(positions), nodes, (*values, out), out)

    return apply


def _variadic_apply(spec: Primitive) -> Callable[..., Any]:
    keywords = spec.parameters[1:]
    defaults, forward = spec.defaults, spec.forward
    everywhere = _Everywhere()

    def apply(*operands: Any, **kwargs: Any) -> Any:
        for key in kwargs:
            if key not in keywords:
                msg = f"{spec.name}: wanted keywords among {', '.join(keywords)}, got {key!r}"
                raise TypeError(msg)
        for key in keywords:
            if key not in kwargs and key not in defaults:
                msg = f"{spec.name}: wanted a value for {key!r}, got none"
                raise TypeError(msg)
        full = {**defaults, **kwargs}
        values = list(operands)
        positions, nodes, found = _unwrap_all(values, everywhere, ())
        out = forward(*values, **full)
        if not found:
            return out
        if not spec.trusted:
            out = _checked_output(spec.name, out)
            nodes = nodes if _is_floating(out) else ()
        if not nodes:
            return _wrap_result(out)
        arguments = (*values, *[full[k] for k in keywords], out)
        return record(spec.plan(positions, len(values)), nodes, arguments, out)

    return apply


class _Everywhere:
    """Contains every position."""

    def __contains__(self, position: object) -> bool:
        return True


class _Missing:
    """Stands for an argument that was not given."""


_MISSING = _Missing()


def _publish(apply: Any, spec: Primitive) -> Operation:
    """Name the public function after its primitive and enter it in the registry."""
    apply.__name__ = apply.__qualname__ = spec.name
    apply.primitive = spec
    spec.apply = apply
    apply.defvjp = spec.defvjp
    if spec.trusted:
        apply.__module__ = "autograd"
        PRIMITIVES[spec.name] = spec
    return apply  # type: ignore[no-any-return]
