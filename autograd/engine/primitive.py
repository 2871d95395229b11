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

import functools
import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from autograd.arrays import Kernel
from autograd.engine.backward import cast, unbroadcast
from autograd.engine.graph import Cotangent, Node, Plan, Traits, part, wrap

__all__ = ["PRIMITIVES", "Primitive", "Rule", "same", "written"]

# (cotangent of the output, needs ...) -> cotangent of one operand.
Rule: TypeAlias = Callable[..., Any]

# Every primitive of the library by name; the op table of the tests must have a row for each.
PRIMITIVES: dict[str, Primitive] = {}


def same(g: Cotangent) -> Cotangent:
    """Pass the cotangent unchanged: the rule of addition, named so that the engine can skip it."""
    return g


# The arguments that require a gradient, of the plans that stand in `Primitive.plans`: the first
# operand, the second, both, both where these and the output have one shape and dtype.
_FREQUENT = ((True,), (False, True), (True, True), (True, True))


class Primitive(Traits):
    """What is known of one operation; reached from its public function as `.primitive`."""

    forward: Kernel  # the function of raw arrays
    parameters: tuple[str, ...]  # names of all parameters, operands first
    rules: dict[str, Rule]  # the vjp rule of each operand
    call: Callable[..., Any]  # the public function
    plans: list[Plan | None]  # frequent ones
    plan: Any  # returns that for any choice of arguments

    # What else may be known, by keyword, besides the traits; other keywords are rules:
    joint: Rule | None = None  # one rule for all operands: a cotangent or None for each
    defaults: Mapping[str, Any] = MappingProxyType({})  # default values by parameter name
    variadic: bool = False  # the first parameter collects any number of operands
    positional: int = 0  # how many parameters are taken by position, besides variadic operands
    nondiff: tuple[str, ...] = ()  # operands without a gradient by nature: conditions, indices
    linear: bool = False  # in all operands that have rules, taken together: its own jvp
    # Each output element depends on those elements of `x` that lie along `axis`, and on no others:
    # the jvp is the sum of slopes times tangents.
    reduces: bool = False
    # (tangents, out, *arguments) -> tangent; tangents has an entry per argument, None for zero.
    # Stated where it is faster than what forward mode derives.
    jvp: Rule | None = None
    preserves_dtype: bool = True  # of one operand; not so for the absolute value of complex numbers
    checks: bool = False  # what functions and rules return is looked at: see `autograd.extend`

    def __init__(
        self,
        name: str,
        forward: Kernel,
        parameters: tuple[str, ...],
        rules: Mapping[str, Rule] = MappingProxyType({}),
        **known: Any,
    ) -> None:
        attributes = Traits.__annotations__ | Primitive.__annotations__
        rules = {**rules} | {key: known.pop(key) for key in [*known] if key not in attributes}
        self.name, self.forward, self.parameters, self.rules = name, forward, parameters, {}
        vars(self).update({"positional": len(parameters)} | known)
        self.plans = [None] * len(_FREQUENT)
        # Those of long lists vary in length and would pile up.
        self.plan = functools.lru_cache(200)(self._make_plan)
        self.constant = Plan(self)  # records nothing
        self.defvjp(**rules)

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.parameters)})>"

    def evaluate(self, values: Sequence[Any]) -> Any:
        """Run the forward function on raw values in the order of the parameters."""
        keywords = self.parameters[1 if self.variadic else self.positional :]
        count = len(values) - len(keywords)
        return self.forward(*values[:count], **dict(zip(keywords, values[count:], strict=True)))

    # -- rules -------------------------------------------------------------------------------------

    def defvjp(self, *makers: Any, **rules: Rule) -> None:
        """Attach vjp rules by operand name, also after the first call.

        Raises:
            TypeError: for a name that is no parameter, or a rule that asks for something the call
                does not have.
        """
        x, names = self.parameters[0], ", ".join(self.parameters)
        if makers:
            raise TypeError(
                f"{self.name}: wanted rules by operand name, got one by position; write "
                f"{self.name}.defvjp({x}=lambda g, out, {x}: ...), or for rules in two stages "
                f"autograd.extend.defvjp({self.name}, lambda ans, {x}: lambda g: ...)"
            )
        for operand in rules.keys() - set(self.parameters):
            raise TypeError(
                f"{self.name}: wanted a rule for one of {names}, got one for {operand!r}"
            )
        for need in itertools.chain.from_iterable(map(_needs, rules.values())):
            self._taken(need)
        self.rules.update(rules)
        self.plans[:] = [None] * len(_FREQUENT)
        self.plan.cache_clear()

    def rule_of(self, operand: str) -> Rule:
        """Return the rule of one operand, or refuse a gradient there."""
        if operand in self.rules:
            return self.rules[operand]
        raise TypeError(
            f"{self.name}: wanted operand {operand!r} without a gradient, because {self.name} has "
            f"no rule for it, got a Variable that requires one; pass {operand}.detach() to treat "
            "it as a constant"
        )

    def fit(self, gx: Cotangent, parent: Node, operand: str) -> Cotangent:
        """Bring a cotangent into the shape and dtype of its operand."""
        if gx.shape != parent.shape:
            if not self.elementwise:
                raise ValueError(
                    f"{self.name}: wanted a gradient of shape {parent.shape} for operand "
                    f"{operand!r}, got shape {gx.shape}; the rule must return the shape of its "
                    "operand"
                )
            gx = unbroadcast(gx, parent.shape)
        return gx if gx.dtype == parent.dtype else cast(gx, parent.dtype)

    # -- plans -------------------------------------------------------------------------------------

    def frequent(self, place: int) -> Plan:
        """Return a plan that is to stand in `plans`."""
        kind = {"alike": True} if place == 3 else {}
        self.plans[place] = plan = self.plan(_FREQUENT[place], **kind)
        return plan  # type: ignore[no-any-return]

    def _make_plan(self, wanted: tuple[bool, ...], *, alike: bool = False) -> Plan:
        """Make the plan for the arguments that are `wanted`; `alike` says that operands and output
        have one shape and dtype.
        """
        positions = tuple(itertools.compress(itertools.count(), wanted))
        # Variadic operands come first, and the other parameters after all of them.
        more = len(wanted) - len(self.parameters) if self.variadic else 0
        operands = tuple(self.parameters[max(0, p - more)] for p in positions)
        rules = [self.joint] if self.joint else list(map(self.rule_of, operands))
        taken = {need: self._taken(need, more, operands) for rule in rules for need in _needs(rule)}
        needs = [need for need, value in taken.items() if value]
        places = [f"saved[{i}]" for i in range(len(needs))] if len(needs) > 1 else ["saved"]
        saved = dict(zip(needs, places, strict=False))
        rewrap = {need: f"node.{place}" for need, place in saved.items()}
        nodes = {p: f"node.parents[{k}]" for k, p in enumerate(positions)}
        for need, value in rewrap.items():
            if need in operands and self.variadic:
                each = ((f"{value}[{i}]", nodes.get(i)) for i in range(more + 1))
                parts = [f"wrap({part}, {node})" if node else part for part, node in each]
                rewrap[need] = f"({', '.join(parts)},)"
            elif need in operands:
                rewrap[need] = f"wrap({value}, {nodes[positions[operands.index(need)]]})"
            elif need == "out":
                rewrap[need] = f"wrap({value}, node)"
        if self.joint:
            joint, pulls = _pull(self.joint, saved, wanted=wanted), [*map(part, positions)]
        else:
            joint = None
            pulls = [_pull(r, saved, index=p) for r, p in zip(rules, positions, strict=True)]
        keeps = len(self.parameters) == 1 and self.elementwise and self.preserves_dtype
        return Plan(
            self,
            positions=positions,
            operands=operands,
            save=written("values", [taken[need] for need in needs], **_FACTS) if needs else None,
            rewrap=written("node", [*rewrap.values()], wrap=wrap),
            joint=joint,
            pulls=tuple(pulls),
            fit=None if alike or keeps else self.fit,
        )

    def _taken(self, need: str, more: int = 0, operands: tuple[str, ...] = ()) -> str:
        """Write what is taken of the values of a call for a rule; nothing for what a plan knows."""
        sources = (*self.parameters, "out")
        source, _, fact = (need, "", "") if need in sources else need.rpartition("_")
        if source in sources and (fact in _FACTS or need == source):
            place = sources.index(source)
            at = f":{more + 1}" if self.variadic and place == 0 else place + more
            if fact and source in operands and not self.variadic:  # an array, 0.1 us faster
                return f"values[{at}].{fact}"
            return f"{fact}(values[{at}])"
        if need == ("wanted" if self.joint else "index" if self.variadic else None):
            return ""
        raise TypeError(
            f"{self.name}: wanted a rule that needs operands, 'out' or parameters of {self.name} "
            f"({', '.join(self.parameters)}), got one that needs {need!r}"
        )


# -- rules as functions of (g, saved) --------------------------------------------------------------


def _needs(rule: Rule) -> tuple[str, ...]:
    """Return the names of a rule's parameters after `g`."""
    code = getattr(rule, "__code__", None)
    if code is None:
        return tuple(inspect.signature(rule).parameters)[1:]
    return code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]  # type: ignore[no-any-return]


def _pull(rule: Rule, saved: Mapping[str, str], **known: Any) -> Any:
    """Adapt a rule to the uniform `(g, saved)`; `saved` says where its needs are to be found.

    A rule that needs all that is saved is used as it is; `same` needs no call at all (None).
    """
    needs = _needs(rule)
    if rule is same or (len(saved) == 1 and needs == (*saved,)):
        return None if rule is same else rule
    arguments = ", ".join(["g", *(saved.get(need, need) for need in needs)])
    return written("g, saved", [f"rule({arguments})"], rule=rule, **known)


def written(parameters: str, parts: Sequence[str], **names: Any) -> Any:
    """Return the function that a person would write for this one choice of operands, as
    `lambda g, saved: rule(g, saved[1])`, so that nothing is looked up when it runs.
    """
    result = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
    return eval(f"lambda {parameters}: {result}", names)  # noqa: S307 - of parameter names only


def _fact(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what reads a fact of an array, or of each of several."""
    return lambda value: tuple(map(read, value)) if type(value) is tuple else read(value)


# What a rule may need of a value instead of the value, by the suffix of the need's name.
_FACTS = {"shape": _fact(np.shape), "ndim": _fact(np.ndim), "dtype": _fact(np.result_type)}
