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
from autograd.engine.graph import Cotangent, Node, Plan, Traits, wrap

__all__ = ["PRIMITIVES", "Primitive", "Rule", "same", "written"]

# (cotangent of the output, needs ...) -> cotangent of one operand.
Rule: TypeAlias = Callable[..., Any]

# Every primitive of the library by name; the op table of the tests must have a row for each.
PRIMITIVES: dict[str, Primitive] = {}


def same(g: Cotangent) -> Cotangent:
    """Pass the cotangent unchanged: the rule of addition, named so that the engine can skip it."""
    return g


class Primitive(Traits):
    """What is known of one operation; reached from its public function as `.primitive`."""

    forward: Kernel  # the function of raw arrays
    parameters: tuple[str, ...]  # names of all parameters, operands first
    rules: dict[str, Rule]  # the vjp rule of each operand
    call: Callable[..., Any]  # the public function

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
        rules = {**rules} | {key: known.pop(key) for key in [*known] if key not in _ATTRIBUTES}
        self.name, self.forward, self.parameters, self.rules = name, forward, parameters, {}
        vars(self).update({"positional": len(parameters)} | known)
        self.defvjp(**rules)

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.parameters)})>"

    def evaluate(self, values: Sequence[Any]) -> Any:
        """Run the forward function on raw values in the order of the parameters."""
        keywords = self.parameters[1 if self.variadic else self.positional :]
        count = len(values) - len(keywords)
        return self.forward(*values[:count], **dict(zip(keywords, values[count:], strict=True)))

    # -- rules -------------------------------------------------------------------------------------

    def defvjp(self, **rules: Rule) -> None:
        """Attach vjp rules by operand name, also after the first call.

        Raises:
            TypeError: for a name that is no parameter, or a rule that asks for something the call
                does not have.
        """
        names = self.parameters
        for operand, rule in rules.items():
            if operand not in names:
                raise TypeError(
                    f"{self.name}: wanted a rule for one of {', '.join(names)}, got one for "
                    f"{operand!r}"
                )
            for need in set(_needs(rule)).difference(names):
                self._kept(need, 0, {})
        self.rules.update(rules)
        for made in ("plan", "first", "second", "both", "alike"):
            vars(self).pop(made, None)

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

    constant = functools.cached_property(Plan)  # records nothing
    # Returns the plan for any choice of arguments that require a gradient. Those of long lists vary
    # in length and would pile up.
    plan = functools.cached_property(lambda self: functools.lru_cache(200)(self._make_plan))
    # Frequent plans: for the first operand, the second, both, and both where these and the output
    # have one shape and dtype.
    first = functools.cached_property(lambda self: self.plan((True,)))
    second = functools.cached_property(lambda self: self.plan((False, True)))
    both = functools.cached_property(lambda self: self.plan((True, True)))
    alike = functools.cached_property(lambda self: self.plan((True, True), alike=True))

    def _make_plan(self, wanted: tuple[bool, ...], *, alike: bool = False) -> Plan:
        """Make the plan for the arguments that are `wanted`; see `alike` above."""
        positions = tuple(itertools.compress(itertools.count(), wanted))
        # Variadic operands come first, and the other parameters after all of them.
        more = len(wanted) - len(self.parameters) if self.variadic else 0
        nodes = {p: f"node.parents[{k}]" for k, p in enumerate(positions)}
        operands = tuple(self.parameters[max(0, p - more)] for p in positions)
        rules = [self.joint] if self.joint else list(map(self.rule_of, operands))
        needs = dict.fromkeys(itertools.chain.from_iterable(map(_needs, rules)))
        kept = {need: found for need in needs if (found := self._kept(need, more, nodes))}
        places = [f"saved[{i}]" for i in range(len(kept))] if len(kept) > 1 else ["saved"]
        saved = dict(zip(kept, places, strict=False))
        again = [kept[need][1].format(f"node.{place}") for need, place in saved.items()]
        pulls = [
            _pull(rule, saved, index=place, wanted=wanted)
            for rule, place in zip(rules, positions, strict=False)
        ]
        keeps = len(self.parameters) == 1 and self.elementwise and self.preserves_dtype
        return Plan(
            self,
            positions=positions,
            operands=operands,
            save=written("values", [t for t, _ in kept.values()], **_FACTS) if kept else None,
            rewrap=written("node", again, wrap=wrap),
            fit=None if alike or keeps else self.fit,
            **({"joint": pulls[0]} if self.joint else {"pulls": tuple(pulls)}),
        )

    def _kept(self, need: str, more: int, nodes: Mapping[int, str]) -> tuple[str, str] | None:
        """Write what is kept of the `values` of a call for a rule, and what makes a Variable of
        that again; None for what a plan knows.
        """
        sources = (*self.parameters, "out")
        source, _, fact = (need, "", "") if need in sources else need.rpartition("_")
        if source in sources and (need == source or fact in _FACTS):
            place = sources.index(source) + more
            taken, node = f"values[{place}]", "node" if source == "out" else nodes.get(place)
            again = f"wrap({{0}}, {node})" if node else "{0}"
            if self.variadic and place == more:
                each = ((f"{{0}}[{i}]", nodes.get(i)) for i in range(more + 1))
                again = "".join(f"wrap({one}, {its}), " if its else f"{one}, " for one, its in each)
                taken, again = f"values[:{more + 1}]", f"({again})"
            elif fact and place in nodes:  # an array, whose attribute is read 0.1 us faster
                return f"{taken}.{fact}", "{0}"
            return (f"{fact}({taken})", "{0}") if fact else (taken, again)
        if need == ("wanted" if self.joint else "index" if self.variadic else None):
            return None
        raise TypeError(
            f"{self.name}: wanted a rule that needs operands, 'out' or parameters of {self.name} "
            f"({', '.join(self.parameters)}), got one that needs {need!r}"
        )


_ATTRIBUTES = frozenset(Traits.__annotations__ | Primitive.__annotations__)


# -- rules as functions of (g, saved) --------------------------------------------------------------


def _needs(rule: Rule) -> tuple[str, ...]:
    """Return the names of a rule's parameters after `g`."""
    code = getattr(rule, "__code__", None)
    if code is None:
        return tuple(inspect.signature(rule).parameters)[1:]
    return code.co_varnames[1 : code.co_argcount]  # type: ignore[no-any-return]


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
