"""Primitives: a forward function beside one gradient rule per operand. Third file to read, after
`_graph`.

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
`_graph` and NumPy.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any, Protocol, overload

import numpy as np

from autograd import _graph
from autograd._graph import Plan, Pull, record, wrap

Rule = Callable[..., Any]

# Every primitive of the library and of its users, by name; the op table of the tests must have a
# row for each of ours.
PRIMITIVES: dict[str, Primitive] = {}

Variable: type[Any] = object
# Operand types that need no look: everything else is converted or refused by `as_operand`.
_PLAIN = frozenset({np.ndarray, float, int, complex, bool, *np.sctypeDict.values()})
_float64 = np.float64
_METADATA: dict[str, Callable[[Any], Any]] = {
    "shape": np.shape,
    "ndim": np.ndim,
    "dtype": lambda a: a.dtype if hasattr(a, "dtype") else np.result_type(a),
}
_from_sequence: Callable[[Any], Any] = np.asarray


def bind_variable_class(cls: type[Any], from_sequence: Callable[[Any], Any]) -> None:
    """Take the Variable class, and what makes one array of a nested sequence of Variables; called
    once, at import.
    """
    global Variable, _from_sequence  # noqa: PLW0603 - see _graph.bind_variable_class
    Variable = cls
    _from_sequence = from_sequence
    _graph.bind_variable_class(cls)


class Operation(Protocol):
    """A public differentiable function, as the factories below make it."""

    __name__: str
    primitive: Primitive
    defvjp: Callable[..., None]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute; record where a Variable that requires a gradient is among the operands."""


class Primitive:
    """What is known of one primitive: the entry of `PRIMITIVES`, reached from the public function
    as `.primitive`.

    Attributes:
        name: the public name.
        forward: the function of raw arrays.
        parameters: names of all parameters, operands first.
        defaults: default values by parameter name.
        variadic: whether the first parameter collects any number of operands.
        rules: the vjp rule of each operand.
        joint: one rule for all operands instead.
        nondiff: operands that have no gradient by nature (conditions, indices).
        elementwise: the engine undoes broadcasting, and a vjp rule is its own jvp.
        linear: linear in all operands that have rules, taken together, so the jvp is the primitive
            itself.
        masks: rules make exact zeros in cotangents.
        exact: rules return the shape and dtype of their operand, so the engine need not look.
        defers: rules return `Deferred` cotangents.
        jvp: tangent rule `(tangents, out, *arguments)` for the few that are neither elementwise
            nor linear and where it is faster than what forward mode derives; `tangents` has an
            entry per argument, None for zero.
        positional: how many arguments the public function takes by position, besides variadic
            operands.
        trusted: False for primitives made outside the library, whose results are checked.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        parameters: tuple[str, ...],
        rules: Mapping[str, Rule],
        *,
        defaults: Mapping[str, Any] | None = None,
        variadic: bool = False,
        positional: int | None = None,
        joint: Rule | None = None,
        nondiff: tuple[str, ...] = (),
        elementwise: bool = False,
        linear: bool = False,
        masks: bool = False,
        exact: bool = False,
        defers: bool = False,
        trusted: bool = True,
    ) -> None:
        self.name = name
        self.forward = forward
        self.parameters = parameters
        self.defaults = dict(defaults or {})
        self.variadic = variadic
        self.positional = len(parameters) if positional is None else positional
        self.rules: dict[str, Rule] = {}
        self.joint = joint
        self.nondiff = nondiff
        self.elementwise = elementwise
        self.linear = linear
        self.masks = masks
        self.exact = exact
        self.defers = defers
        self.jvp: Rule | None = None
        self.apply: Callable[..., Any] = forward  # replaced by the public function
        self.trusted = trusted
        self._plans: dict[Any, Plan] = {}
        self.defvjp(**rules)

    def defvjp(self, **rules: Rule) -> None:
        """Attach vjp rules by operand name.

        Raises:
            TypeError: for a name that is no parameter, or a rule that asks for something the call
                does not have.
        """
        for operand, rule in rules.items():
            if operand not in self.parameters:
                msg = (
                    f"{self.name}: wanted a rule for one of {', '.join(self.parameters)}, got one "
                    f"for {operand!r}"
                )
                raise TypeError(msg)
            for need in _needs(rule):
                self._getter(need)
        self.rules.update(rules)
        self._plans.clear()

    def plan(
        self, positions: tuple[int, ...], count: int | None = None, *, exact: bool = False
    ) -> Plan:
        """Return the plan for operands at `positions` requiring a gradient.

        Args:
            positions: places among the arguments.
            count: the number of variadic operands, where there are any.
            exact: operands and output are known to have one shape and dtype.
        """
        key = positions if count is None and not exact else (positions, count, exact)
        found = self._plans.get(key)
        if found is None:
            found = self._plans[key] = self._make_plan(positions, count, exact=exact)
        return found

    def _make_plan(self, positions: tuple[int, ...], count: int | None, *, exact: bool) -> Plan:
        names = [
            self.parameters[0 if count is not None and p < count else p - (count or 1) + 1]
            for p in positions
        ]
        if self.joint is not None:
            rules: list[Rule] = [self.joint]
        else:
            for name in names:
                if name not in self.rules:
                    raise self._no_rule(name)
            rules = [self.rules[name] for name in names]
        constants = self._constants()
        slots: list[str] = []
        for rule in rules:
            slots += [n for n in _needs(rule) if n not in constants and n not in slots]

        operands = (
            self.parameters
            if count is None
            else (self.parameters[0],) * count + self.parameters[1:]
        )
        chosen = frozenset(positions)
        wanted = tuple(i in chosen for i in range(len(operands)))

        def pull_of(rule: Rule, position: int) -> Pull | None:
            fixed = {"index": position, "wanted": wanted}
            return _pull(
                rule,
                [fixed[n] if n in constants else n for n in _needs(rule)],
                constants,
                slots,
                _needs(rule),
            )

        if self.joint is not None:
            everything = pull_of(self.joint, 0)
            assert everything is not None

            def joint(g: Any, saved: Any) -> Any:
                pulled = everything(g, saved)
                return [pulled[p] for p in positions]

            pulls: tuple[Pull | None, ...] = ()
        else:
            joint = None  # type: ignore[assignment]
            pulls = tuple(pull_of(rule, p) for rule, p in zip(rules, positions, strict=True))

        sources = []
        for slot, need in enumerate(slots):
            at = None if len(slots) == 1 else slot
            for order, (position, name) in enumerate(zip(positions, names, strict=True)):
                if need == name:
                    inner = position if count is not None and position < count else None
                    sources.append((at, inner, order))
        outputs = tuple(
            (None if len(slots) == 1 else i, None) for i, need in enumerate(slots) if need == "out"
        )
        return Plan(
            self.name,
            pulls=pulls,
            joint=joint,
            operands=tuple(names),
            keep=self._keeper(slots, count),
            sources=tuple(sources),
            outputs=outputs,
            elementwise=self.elementwise,
            exact=(exact or self.exact) and self.trusted,
            defers=self.defers,
            masks=self.masks,
            trusted=self.trusted,
            primitive=self,
            positions=positions,
        )

    def _constants(self) -> set[str]:
        """Return the needs that are known per plan: nothing is saved for them."""
        return ({"index"} if self.variadic else set()) | (
            {"wanted"} if self.joint is not None else set()
        )

    def _no_rule(self, operand: str) -> TypeError:
        return TypeError(
            f"{self.name}: wanted operand {operand!r} without a gradient, because {self.name} has "
            "no rule for it, got a "
            f"Variable that requires one; pass {operand}.detach() to treat it as a constant"
        )

    def _getter(self, need: str) -> tuple[str, Callable[[Any], Any] | None]:
        """Split a need into the value it is about and what to take of it (None: the value)."""
        if need in self.parameters or need == "out" or need in self._constants():
            return need, None
        base, _, fact = need.rpartition("_")
        if fact in _METADATA and (base in self.parameters or base == "out"):
            return base, _METADATA[fact]
        msg = (
            f"{self.name}: wanted a rule that needs operands, 'out' or parameters of {self.name} "
            f"({', '.join(self.parameters)}), got one that needs {need!r}"
        )
        raise TypeError(msg)

    def _keeper(
        self, slots: list[str], count: int | None
    ) -> Callable[[tuple[Any, ...]], Any] | None:
        """Return what picks the saved values from the values of a call (arguments, then out)."""
        if not slots:
            return None
        where = {
            name: i + (count - 1 if count is not None and i else 0)
            for i, name in enumerate(self.parameters)
        }
        where["out"] = -1
        takes = [self._getter(slot) for slot in slots]
        if all(fact is None for _, fact in takes) and (
            count is None or all(b != self.parameters[0] for b, _ in takes)
        ):
            return operator.itemgetter(*(where[base] for base, _ in takes))
        first = self.parameters[0] if count is not None else None

        def take(values: tuple[Any, ...], base: str, fact: Callable[[Any], Any] | None) -> Any:
            if base == first:
                operands = values[:count]
                return operands if fact is None else tuple(map(fact, operands))
            value = values[where[base]]
            return (
                value
                if fact is None
                else tuple(map(fact, value))
                if type(value) is tuple and base == "out"
                else fact(value)
            )

        if len(takes) == 1:
            return lambda values: take(values, *takes[0])
        return lambda values: tuple([take(values, base, fact) for base, fact in takes])


def same(g: Any) -> Any:
    """Pass the cotangent unchanged: the rule of addition, named so that the engine can skip it."""
    return g


def _needs(rule: Rule) -> tuple[str, ...]:
    """Return the names of a rule's parameters after `g`."""
    code = getattr(rule, "__code__", None)
    if code is None:
        import inspect

        return tuple(inspect.signature(rule).parameters)[1:]
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return names[1:]


def _pull(
    rule: Rule, arguments: list[Any], constants: set[str], slots: list[str], needs: tuple[str, ...]
) -> Pull | None:
    """Adapt a rule to the uniform `(g, saved)`.

    A rule that needs all that is saved is used as it is; `same` needs no call at all (None).
    """
    if rule is same:
        return None
    if not needs:
        return lambda g, _: rule(g)
    if constants.isdisjoint(needs):
        if len(slots) == 1:
            return rule
        places = [slots.index(n) for n in needs]
        if len(places) == 1:
            (i,) = places
            return lambda g, saved: rule(g, saved[i])
        if len(places) == 2:
            i, j = places
            return lambda g, saved: rule(g, saved[i], saved[j])
        return lambda g, saved: rule(g, *[saved[i] for i in places])
    recipe = [
        (None, value) if n in constants else (slots.index(n), None)
        for n, value in zip(needs, arguments, strict=True)
    ]
    if len(slots) <= 1:
        return lambda g, saved: rule(
            g, *[value if slot is None else saved for slot, value in recipe]
        )
    return lambda g, saved: rule(
        g, *[value if slot is None else saved[slot] for slot, value in recipe]
    )


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
    if hasattr(value, "__array_ufunc__") or isinstance(
        value, np.ndarray
    ):  # subclasses and other libraries' arrays
        return value
    if isinstance(value, (int, float, complex)) or hasattr(value, "__array__"):
        return np.asarray(value)
    msg = f"{name}: wanted an array or a number as operand {operand!r}, got {type(value).__name__}"
    raise TypeError(msg)


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
        else:
            if type(x) in _PLAIN and type(y) in _PLAIN:
                return forward(x, y)
            return _second_look(apply, x, y, public, forward)
        out = compute(x, y)
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
    code = forward.__code__
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


def _unwrap_all(spec: Primitive, values: list[Any]) -> tuple[list[int], list[Any], bool]:
    """Unwrap Variables in `values`, in place; return the positions that require a gradient, their
    nodes, any Variable.
    """
    positions: list[int] = []
    nodes: list[Any] = []
    found = False
    for i, value in enumerate(values):
        if isinstance(value, Variable):
            found = True
            values[i] = value._data
            if value._node is not None:
                positions.append(i)
                nodes.append(value._node)
        elif type(value) in (list, tuple) and _holds_variable(value):
            stacked = _from_sequence(value)
            found = True
            values[i] = stacked._data
            if stacked._node is not None:
                positions.append(i)
                nodes.append(stacked._node)
    if positions and spec.nondiff:
        names = spec.parameters
        kept = [k for k, p in enumerate(positions) if spec.variadic or names[p] not in spec.nondiff]
        positions = [positions[k] for k in kept]
        nodes = [nodes[k] for k in kept]
    return positions, nodes, found


def _holds_variable(values: Any) -> bool:
    return any(
        isinstance(v, Variable) or (type(v) in (list, tuple) and _holds_variable(v)) for v in values
    )


def _wrap_result(out: Any) -> Any:
    return tuple(map(wrap, out)) if type(out) is tuple else wrap(out)


def _plain_apply(spec: Primitive, n_positional: int) -> Callable[..., Any]:
    parameters, defaults, forward = spec.parameters, spec.defaults, spec.forward
    keywords = parameters[n_positional:]
    index_of = {name: i for i, name in enumerate(parameters)}
    template = [defaults.get(name, _MISSING) for name in parameters]
    count = len(parameters)

    def apply(*args: Any, **kwargs: Any) -> Any:
        given = len(args)
        if given > n_positional:
            msg = f"{spec.name}: wanted at most {n_positional} positional arguments, got {given}"
            raise TypeError(msg)
        values = [*args, *template[given:]] if given < count else list(args)
        for key, value in kwargs.items():
            i = index_of.get(key)
            if i is None:
                msg = f"{spec.name}: wanted keywords among {', '.join(parameters)}, got {key!r}"
                raise TypeError(msg)
            if i < given:
                msg = f"{spec.name}: got two values for {key!r}"
                raise TypeError(msg)
            values[i] = value
        for i, value in enumerate(values):
            if value is _MISSING:
                msg = f"{spec.name}: wanted a value for {parameters[i]!r}, got none"
                raise TypeError(msg)
        positions, nodes, found = _unwrap_all(spec, values)
        if keywords:
            out = forward(
                *values[:n_positional], **dict(zip(keywords, values[n_positional:], strict=True))
            )
        else:
            out = forward(*values)
        if not found:
            return out
        if not nodes:
            return _wrap_result(out)
        return record(spec.plan(tuple(positions)), tuple(nodes), (*values, out), out)

    return apply


def _variadic_apply(spec: Primitive) -> Callable[..., Any]:
    keywords = spec.parameters[1:]
    defaults, forward = spec.defaults, spec.forward

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
        positions, nodes, found = _unwrap_all(spec, values)
        out = forward(*values, **full)
        if not found:
            return out
        if not nodes:
            return _wrap_result(out)
        arguments = (*values, *[full[k] for k in keywords], out)
        return record(spec.plan(tuple(positions), len(values)), tuple(nodes), arguments, out)

    return apply


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
