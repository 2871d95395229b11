"""What is known of an operation: its rules, and the plans made of them. Fourth file to read.

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
`np.asarray`. Imports `graph`, `backward` and NumPy.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from autograd.arrays import Kernel
from autograd.engine.backward import cast, guard, unbroadcast
from autograd.engine.graph import Cotangent, Fit, Node, Plan, Pull, rewrap_output, wrap

__all__ = ["PRIMITIVES", "Primitive", "Rule", "same"]

# (cotangent of the output, needs ...) -> cotangent of one operand.
Rule: TypeAlias = Callable[..., Any]

# Every primitive of the library by name; the op table of the tests must have a row for each.
PRIMITIVES: dict[str, Primitive] = {}

# The choices of operands whose plans stand in `Primitive.plans`: (positions, count, alike).
_FREQUENT = [((0,), None, False), ((1,), None, False), ((0, 1), None, False), ((0, 1), None, True)]
_MANY = 200  # plans of one primitive: those of long lists vary in length and would pile up


def same(g: Cotangent) -> Cotangent:
    """Pass the cotangent unchanged: the rule of addition, named so that the engine can skip it."""
    return g


class Primitive:
    """What is known of one operation; reached from its public function as `.primitive`."""

    name: str  # the public name
    forward: Kernel  # the function of raw arrays
    parameters: tuple[str, ...]  # names of all parameters, operands first
    rules: dict[str, Rule]  # the vjp rule of each operand
    call: Callable[..., Any]  # the public function
    plans: list[Plan | None]  # made already for the first operand, the second, both, both alike
    checks: bool = False  # outputs and cotangents are looked at: see `autograd.extend`

    # What else may be known, by keyword:
    joint: Rule | None = None  # one rule for all operands: a cotangent or None for each
    defaults: Mapping[str, Any] = MappingProxyType({})  # default values by parameter name
    variadic: bool = False  # the first parameter collects any number of operands
    positional: int = 0  # how many parameters are taken by position, besides variadic operands
    nondiff: tuple[str, ...] = ()  # operands without a gradient by nature: conditions
    nested: tuple[str, ...] = ()  # indices: parameters that may hold Variables in lists and tuples
    # The output broadcasts the operands against each other, and each of its elements depends on one
    # element of each: the engine undoes the broadcasting, and a vjp rule is its own jvp.
    elementwise: bool = False
    linear: bool = False  # in all operands that have rules, taken together: its own jvp
    # Each output element depends on those elements of `x` that lie along `axis`, and on no others:
    # the jvp is the sum of slopes times tangents.
    reduces: bool = False
    # (tangents, out, *arguments) -> tangent; tangents has an entry per argument, None for zero.
    # Stated where it is faster than what forward mode derives.
    jvp: Rule | None = None
    makes_zeros: bool = False  # rules put exact zeros into cotangents
    preserves_dtype: bool = True  # of one operand; not so for the absolute value of complex numbers
    deferred: bool = False  # rules return `Deferred` cotangents
    overwrites: bool = False  # rules may write into an array `g`, which nobody else holds
    plain: bool = False  # without rules; results are arrays also where operands are Variables

    def __init__(
        self,
        name: str,
        forward: Kernel,
        parameters: tuple[str, ...],
        rules: Mapping[str, Rule],
        **known: Any,
    ) -> None:
        self.name, self.forward, self.parameters, self.rules = name, forward, parameters, {}
        vars(self).update({"positional": len(parameters)} | known)
        # Needs that are known when a plan is made: nothing is saved for them.
        self._known = ("wanted",) if self.joint else ("index",) if self.variadic else ()
        self._plans: dict[Any, Plan] = {}
        self.plans = [None] * len(_FREQUENT)
        self.constant = Plan(name=name, primitive=self, plain=self.plain)  # records nothing
        self.defvjp(**rules)

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.parameters)})>"

    def evaluate(self, values: Sequence[Any]) -> Any:
        """Run the forward function on raw values in the order of the parameters."""
        keywords = self.parameters[1 if self.variadic else self.positional :]
        if not keywords:
            return self.forward(*values)
        count = len(values) - len(keywords)
        return self.forward(*values[:count], **dict(zip(keywords, values[count:], strict=True)))

    # -- rules -------------------------------------------------------------------------------------

    def defvjp(self, *makers: Any, **rules: Rule) -> None:
        """Attach vjp rules by operand name, also after the first call.

        Raises:
            TypeError: for a name that is no parameter, or a rule that asks for something the call
                does not have.
        """
        x = self.parameters[0]
        if makers:
            raise TypeError(
                f"{self.name}: wanted rules by operand name, got one by position; write "
                f"{self.name}.defvjp({x}=lambda g, out, {x}: ...), or for rules in two stages "
                f"autograd.extend.defvjp({self.name}, lambda ans, {x}: lambda g: ...)"
            )
        for operand, rule in rules.items():
            if operand not in self.parameters:
                names = ", ".join(self.parameters)
                raise TypeError(
                    f"{self.name}: wanted a rule for one of {names}, got one for {operand!r}"
                )
            for need in _needs(rule):
                self._source(need)
        self.rules.update(rules)
        self._plans.clear()
        self.plans[:] = [None] * len(_FREQUENT)

    def rule_of(self, operand: str) -> Rule:
        """Return the rule of one operand, or refuse a gradient there."""
        if operand in self.rules:
            return self.rules[operand]
        raise TypeError(
            f"{self.name}: wanted operand {operand!r} without a gradient, because {self.name} has "
            f"no rule for it, got a Variable that requires one; pass {operand}.detach() to treat "
            "it as a constant"
        )

    def checked(self, pull: Pull | None, operand: str) -> Pull | None:
        """Return the pull of an operand; what rules from outside return is looked at first."""
        del operand
        return pull

    def fit(self, operand: str) -> Fit:
        """Return what brings a cotangent into the shape and dtype of `operand`."""

        def fitted(gx: Cotangent, parent: Node) -> Cotangent:
            if gx.shape != parent.shape:
                if not self.elementwise:
                    raise ValueError(
                        f"{self.name}: wanted a gradient of shape {parent.shape} for operand "
                        f"{operand!r}, got shape {gx.shape}; the rule must return the shape of its "
                        "operand"
                    )
                gx = unbroadcast(gx, parent.shape)
            return gx if gx.dtype == parent.dtype else cast(gx, parent.dtype)

        return fitted

    # -- plans -------------------------------------------------------------------------------------

    def plan(
        self, positions: tuple[int, ...], count: int | None = None, *, alike: bool = False
    ) -> Plan:
        """Return the plan for operands at `positions` requiring a gradient.

        Args:
            positions: places among the arguments.
            count: the number of variadic operands, where there are any.
            alike: operands and output are known to have one shape and dtype.
        """
        key = positions, count, alike
        found = self._plans.get(key)
        if found is None:
            if len(self._plans) >= _MANY:
                self._plans.clear()
            found = self._plans[key] = self._make_plan(positions, count, alike=alike)
            if key in _FREQUENT:
                self.plans[_FREQUENT.index(key)] = found
        return found

    def _make_plan(self, positions: tuple[int, ...], count: int | None, *, alike: bool) -> Plan:
        # Variadic operands come first, and the other parameters after all of them.
        shift = 0 if count is None else count - 1
        operands = tuple(self.parameters[max(0, p - shift)] for p in positions)
        rules = [self.joint] if self.joint else list(map(self.rule_of, operands))
        slots = list(dict.fromkeys(n for r in rules for n in _needs(r) if n not in self._known))
        pulls: tuple[Pull | None, ...] = ()
        joint = None
        if self.joint:
            wanted = tuple(i in positions for i in range(len(self.parameters) + shift))
            checks: list[Any] = [self.checked(lambda gx, _: gx, name) for name in operands]
            everything: Any = _pull(self.joint, slots, {"wanted": wanted})

            def joint(g: Any, saved: Any) -> list[Any]:
                pulled = everything(g, saved)
                return [check(pulled[p], None) for check, p in zip(checks, positions, strict=True)]
        else:
            pulls = tuple(
                self.checked(_pull(rule, slots, {"index": p} if self.variadic else {}), name)
                for rule, p, name in zip(rules, positions, operands, strict=True)
            )
        exact = alike or (len(self.parameters) == 1 and self.elementwise and self.preserves_dtype)
        exact = exact and not self.checks
        return Plan(
            name=self.name,
            primitive=self,
            positions=positions,
            operands=operands,
            save=self._save(slots, count),
            rewrap=self._rewrap(slots, operands, positions, count),
            pulls=pulls,
            guarded=tuple(p and guard(p) for p in pulls) if self.elementwise else pulls,
            joint=joint,
            fits=(None,) * len(operands) if exact else tuple(map(self.fit, operands)),
            makes_zeros=self.makes_zeros,
            deferred=self.deferred,
            overwrites=self.overwrites,
            plain=False,
        )

    # -- what is saved -----------------------------------------------------------------------------

    def _source(self, need: str) -> tuple[str, str]:
        """Split a need into the value it is about and the fact to take of it ("": the value)."""
        if need in self.parameters or need == "out" or need in self._known:
            return need, ""
        base, _, fact = need.rpartition("_")
        if fact in _FACTS and (base in self.parameters or base == "out"):
            return base, fact
        raise TypeError(
            f"{self.name}: wanted a rule that needs operands, 'out' or parameters of {self.name} "
            f"({', '.join(self.parameters)}), got one that needs {need!r}"
        )

    def _save(self, slots: list[str], count: int | None) -> Callable[[tuple[Any, ...]], Any] | None:
        """Return what picks the saved values from the values of a call (arguments, then out)."""
        shift = 0 if count is None else count - 1
        where = {name: f"values[{i + shift}]" for i, name in enumerate(self.parameters)}
        where["out"] = "values[-1]"
        if count is not None:
            where[self.parameters[0]] = f"values[:{count}]"
        sources = map(self._source, slots)
        taken = [f"{fact}({where[base]})" if fact else where[base] for base, fact in sources]
        return _written("values", taken, **_FACTS) if slots else None

    def _rewrap(
        self,
        slots: list[str],
        operands: tuple[str, ...],
        positions: tuple[int, ...],
        count: int | None,
    ) -> Callable[[Node], Any] | None:
        """Return what makes Variables of the saved values again."""
        parts = _places("node.saved", slots)
        for i, need in enumerate(slots):
            if need == "out":
                parts[i] = f"rewrap_output(node, {parts[i]})"
            elif need in operands and count is not None:
                parts[i] = f"_rewrap_some({parts[i]}, {positions}, node.parents)"
            elif need in operands:
                parts[i] = f"wrap({parts[i]}, node.parents[{operands.index(need)}])"
        if not any("wrap" in part for part in parts):
            return None
        return _written(  # type: ignore[no-any-return]
            "node", parts, wrap=wrap, rewrap_output=rewrap_output, _rewrap_some=_rewrap_some
        )


def _rewrap_some(
    values: tuple[Any, ...], positions: tuple[int, ...], parents: tuple[Node, ...]
) -> tuple[Any, ...]:
    """Make Variables of those variadic operands that require a gradient."""
    nodes = dict(zip(positions, parents, strict=True))
    return tuple(wrap(v, nodes[i]) if i in nodes else v for i, v in enumerate(values))


# -- rules as functions of (g, saved) --------------------------------------------------------------


def _fact(name: str, otherwise: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what reads an attribute of an array, of each of several, or computes it."""

    def read(value: Any) -> Any:
        if type(value) is tuple:
            return tuple(map(read, value))
        return getattr(value, name) if hasattr(value, name) else otherwise(value)

    return read


# What a rule may need of a value instead of the value, by the suffix of the need's name.
_FACTS = {
    "shape": _fact("shape", np.shape),
    "ndim": _fact("ndim", np.ndim),
    "dtype": _fact("dtype", np.result_type),
}


def _needs(rule: Rule) -> tuple[str, ...]:
    """Return the names of a rule's parameters after `g`."""
    code = getattr(rule, "__code__", None)
    if code is None:
        return tuple(inspect.signature(rule).parameters)[1:]
    return code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]  # type: ignore[no-any-return]


def _pull(rule: Rule, slots: list[str], known: Mapping[str, Any]) -> Pull | None:
    """Adapt a rule to the uniform `(g, saved)`, where `saved` holds `slots` (bare, if it is one).

    A rule that needs all that is saved is used as it is; `same` needs no call at all (None).
    """
    needs = _needs(rule)
    if rule is same or (len(slots) == 1 and needs == tuple(slots)):
        return None if rule is same else rule
    places = dict(zip(slots, _places("saved", slots), strict=False))
    arguments = ", ".join(["g", *(n if n in known else places[n] for n in needs)])
    return _written("g, saved", [f"rule({arguments})"], rule=rule, **known)  # type: ignore[no-any-return]


def _places(saved: str, slots: list[str]) -> list[str]:
    return [f"{saved}[{i}]" for i in range(len(slots))] if len(slots) > 1 else [saved]


def _written(parameters: str, parts: list[str], **names: Any) -> Any:
    """Return the function that a person would write for this one choice of operands, as
    `lambda g, saved: rule(g, saved[1])`, so that nothing is looked up when it runs.
    """
    result = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
    return eval(f"lambda {parameters}: {result}", names)  # noqa: S307 - of parameter names only
