"""Rules: what a primitive is, and how its gradient rules become the plans of nodes.

Fourth file to read, after `backward`; what a rule looks like stands at the top of `calls`.
Imports `graph` and NumPy.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd.engine.graph import Plan, Pull

Rule = Callable[..., Any]

# Every primitive of the library and of its users, by name; the op table of the tests must have a
# row for each of ours.
PRIMITIVES: dict[str, Primitive] = {}

Fact = Callable[[Any], Any]


def _shape_of(value: Any) -> Any:
    try:
        return value.shape
    except AttributeError:
        return np.shape(value)


def _ndim_of(value: Any) -> Any:
    try:
        return value.ndim
    except AttributeError:
        return np.ndim(value)


def _dtype_of(value: Any) -> Any:
    try:
        return value.dtype
    except AttributeError:
        return np.result_type(value)


def _of_outputs(fact: Fact) -> Fact:
    """Return the fact about an output, or the facts about each of several."""
    return lambda out: tuple(map(fact, out)) if type(out) is tuple else fact(out)


# What a rule may need of a value instead of the value, by the suffix of the need's name.
_FACTS: dict[str, Fact] = {"shape": _shape_of, "ndim": _ndim_of, "dtype": _dtype_of}

# Plans for more operands than this are made anew for each call (20 us for 100 operands).
_LONG = 64


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
        reduces: set where it is true: each output element depends on those elements of the operand
            `x` that lie along `axis`, and on no others; the tangent is the sum of slopes times
            tangents, 2.5 times as fast as what forward mode derives.
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
        self.reduces = False
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
            found = self._make_plan(positions, count, exact=exact)
            if len(positions) <= _LONG:  # long lists vary in length: their plans would pile up
                self._plans[key] = found
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
        known = self._known()
        slots: list[str] = []
        for rule in rules:
            slots += [n for n in _needs(rule) if n not in known and n not in slots]
        if self.joint is not None:
            total = len(self.parameters) + (0 if count is None else count - 1)
            chosen = frozenset(positions)
            everything = _pull(
                self.joint, slots, {"wanted": tuple(i in chosen for i in range(total))}
            )
            assert everything is not None

            def joint(g: Any, saved: Any) -> Any:
                pulled = everything(g, saved)
                return [pulled[p] for p in positions]

            pulls: tuple[Pull | None, ...] = ()
        else:
            joint = None  # type: ignore[assignment]
            pulls = tuple(
                _pull(rule, slots, {"index": p} if self.variadic else {})
                for rule, p in zip(rules, positions, strict=True)
            )

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

    def _known(self) -> set[str]:
        """Return the needs that are known per plan: nothing is saved for them."""
        if self.joint is not None:
            return {"wanted"}
        return {"index"} if self.variadic else set()

    def _no_rule(self, operand: str) -> TypeError:
        return TypeError(
            f"{self.name}: wanted operand {operand!r} without a gradient, because {self.name} has "
            "no rule for it, got a "
            f"Variable that requires one; pass {operand}.detach() to treat it as a constant"
        )

    def _getter(self, need: str) -> tuple[str, Fact | None]:
        """Split a need into the value it is about and what to take of it (None: the value)."""
        if need in self.parameters or need == "out" or need in self._known():
            return need, None
        base, _, fact = need.rpartition("_")
        if fact in _FACTS and base in self.parameters:
            return base, _FACTS[fact]
        if fact in _FACTS and base == "out":
            return base, _of_outputs(_FACTS[fact])
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
        first = self.parameters[0] if count is not None else None
        if all(fact is None and base != first for base, fact in takes):
            return operator.itemgetter(*(where[base] for base, _ in takes))
        getters = [
            _variadic_getter(fact, count) if base == first else _value_getter(fact, where[base])
            for base, fact in takes
        ]
        if len(getters) == 1:
            return getters[0]
        if len(getters) == 2:
            one, two = getters
            return lambda values: (one(values), two(values))
        return lambda values: tuple([get(values) for get in getters])


def _value_getter(fact: Fact | None, at: int) -> Callable[[tuple[Any, ...]], Any]:
    """Return what takes a value, or a fact about it, from the values of a call."""
    if fact is None:
        return operator.itemgetter(at)
    return lambda values: fact(values[at])


def _variadic_getter(fact: Fact | None, count: int | None) -> Callable[[tuple[Any, ...]], Any]:
    """Return what takes all variadic operands, or a fact about each."""
    if fact is None:
        return lambda values: values[:count]
    return lambda values: tuple(map(fact, values[:count]))


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


def _pull(rule: Rule, slots: list[str], known: Mapping[str, Any]) -> Pull | None:
    """Adapt a rule to the uniform `(g, saved)`, where `saved` holds `slots` (bare, if it is one).

    A rule that needs all that is saved is used as it is; `same` needs no call at all (None).
    """
    if rule is same:
        return None
    needs = _needs(rule)
    if not needs:
        return lambda g, _: rule(g)
    if not known.keys().isdisjoint(needs):
        values = {n: v for n, v in known.items() if n in needs}
        others = [n for n in needs if n not in values]
        if len(slots) == 1:
            return lambda g, saved: rule(g, **values, **dict.fromkeys(others, saved))
        named = [(n, slots.index(n)) for n in others]
        return lambda g, saved: rule(g, **values, **{n: saved[i] for n, i in named})
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
