"""How an operation is run on batched values: the batch rule computes, the engine records.

A call that meets a batched value comes here by way of `ReadingError`. It is recorded in the graph
of all calls: nodes have the shape of one example, and their rules run on Variables that are
batched, so gradients of any order, forward mode and nested batches need nothing of their own. Two
pairs of operations are the border of a batch, each the other's derivative:

- `enter` makes an array of examples one batched value, and `leave` makes it an array again;
- `spread` takes in a Variable from outside, the same for all examples, and `total` adds up what
  the examples give back to it.

Imports the engine and `values`.
"""

from __future__ import annotations

import copy
import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import fft, linalg, ops  # noqa: F401 - so that their primitives are there
from autograd.arrays import Many, is_array
from autograd.batching.values import (
    Batched,
    Level,
    NoBatchRuleError,
    ReadingError,
    announce,
    belongs,
    inner,
    innermost,
    leaves,
    of_level,
    shown,
)
from autograd.engine import graph
from autograd.engine.calls import general_call, named, signature_of, unwrap_all
from autograd.engine.graph import Plan, record, unwrap, wrap
from autograd.engine.mode import current_mode
from autograd.engine.primitive import PRIMITIVES, Primitive

__all__ = ["Rule", "Run", "batch_rule", "elementwise", "enter", "leave", "rule_of", "spread"]

# (run, *values) -> output, or a tuple of them: see `batch_rule`.
Rule = Callable[..., Any]

# By primitive; those that no registry has by the name of their forward function.
_RULES: dict[Primitive | str, Rule] = {}


class Run:
    """One operation to be run on a batch: what a batch rule is given.

    `run(*arguments)` calls the operation itself, with arguments in the order of its parameters.

    Attributes:
        size: the number of examples.
        varies: for each argument, whether it has the axis of examples, in front.
    """

    __slots__ = ("_on_arrays", "level", "name", "primitive", "size", "varies")

    def __init__(
        self, primitive: Primitive, level: Level, varies: Sequence[bool], *, on_arrays: bool
    ) -> None:
        self.primitive, self.level, self.varies = primitive, level, varies
        self.name, self.size = primitive.name, level.size
        self._on_arrays = on_arrays  # no Variables of batches further out are among the arguments

    def __repr__(self) -> str:
        return f"BatchRun({self.name}, {self.size} examples)"

    def __call__(self, *arguments: Any) -> Any:
        """Call the operation itself, with arguments in the order of its parameters."""
        made = self.primitive
        if self._on_arrays:
            return made.evaluate(arguments)  # without the treatment of arguments
        given, keywords = self.bound(arguments)
        return made.call(*given, **keywords)

    def bound(self, arguments: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return arguments as they are given by position, and by keyword."""
        made = self.primitive
        names = made.parameters[1 if made.variadic else made.positional :]
        count = len(arguments) - len(names)
        return list(arguments[:count]), dict(zip(names, arguments[count:], strict=True))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the operation with arguments as users give them."""
        primitive = self.primitive
        return (primitive.forward if self._on_arrays else primitive.call)(*args, **kwargs)

    def example(self, argument: Any, i: int) -> Any:
        """Return what an argument that varies is for example `i`; indices keep their structure."""
        if type(argument) in (list, tuple):
            return _example(argument, self.level, i)
        return argument[i]

    def one_by_one(self, *arguments: Any) -> Any:
        """Call the operation for each example in turn, and stack what it returns: for those that
        NumPy has no kernel of stacks for. It takes the time of a Python loop.
        """
        both = list(zip(arguments, self.varies, strict=True))
        outs = [
            self(*[self.example(a, i) if varies else a for a, varies in both])
            for i in range(self.size)
        ]
        if type(outs[0]) is tuple:
            return tuple(map(_piled, zip(*outs, strict=True)))
        return _piled(outs)

    def ndim(self, arguments: Sequence[Any], i: int) -> int:
        """Return the number of axes that one example of argument `i` has."""
        return np.ndim(arguments[i]) - self.varies[i]

    def most_axes(self, arguments: Sequence[Any]) -> int:
        """Return the largest number of axes that one example of an array among arguments has."""
        kinds = (np.ndarray, np.generic, graph.Variable)
        return max(self.ndim(arguments, i) for i, a in enumerate(arguments) if isinstance(a, kinds))

    def refuse(self, why: str = "") -> NoBatchRuleError:
        """Return the error for an operation without a batch rule, or with arguments that its rule
        cannot do.
        """
        return NoBatchRuleError(
            f"vmap: no batch rule for {self.name!r}{why and f' with {why}'}; vmap(f, loop=True) "
            "runs it example by example"
        )


def batch_rule(*operations: Any) -> Callable[[Rule], Rule]:
    """Decorate the batch rule of operations: functions that are primitives, or names of those that
    the library has, or the full names of forward functions ("autograd.ops.assignment._stays").

    A batch rule takes a `Run` and the arguments of the call in the order of the parameters:
    operands that vary have the axis of examples in front, others are as in any single call. It
    returns the output, or a tuple of outputs, with the axis of examples in front. Elementwise
    operations need none.
    """

    def decorate(rule: Rule) -> Rule:
        for operation in operations:
            full_name = str(operation).startswith(("autograd.", "nn.", "numpy."))
            named_ = isinstance(operation, str) and not full_name
            key = PRIMITIVES[operation] if named_ else getattr(operation, "primitive", operation)
            _RULES[key] = rule
        return rule

    return decorate


def rule_of(primitive: Primitive) -> Rule | None:
    """Return the batch rule of a primitive, None where there is none."""
    found = _RULES.get(primitive)
    if found is not None:
        return found
    forward = primitive.forward
    if primitive.elementwise or isinstance(forward, np.ufunc):
        return elementwise
    return _RULES.get(f"{getattr(forward, '__module__', '')}.{getattr(forward, '__name__', '')}")


def elementwise(run: Run, *values: Any) -> Any:
    """Give all operands that vary the same number of axes, so that their examples meet."""
    both = zip(values, run.varies, strict=True)
    ndims = [v.ndim - varies if hasattr(v, "ndim") else np.ndim(v) for v, varies in both]
    most = max(ndims)
    operands = list(values)
    for i, (n, varies) in enumerate(zip(ndims, run.varies, strict=True)):
        if varies and n < most:
            shape = values[i].shape
            operands[i] = values[i].reshape((*shape[:1], *(1,) * (most - n), *shape[1:]))
    return run(*operands)


# -- one call --------------------------------------------------------------------------------------

_NESTED = frozenset({list, tuple, dict})


def _computed(made: Primitive, values: Sequence[Any], level: Level, rule: Rule | None) -> Any:
    """Return the raw output of an operation on raw values, batched at `level`."""
    operands, varies, on_arrays = [], [], True
    tracing = current_mode().tracing
    for value in values:
        if value.__class__ is Batched and value.level is level:
            operand, differs = value.value, value.varies
        elif value.__class__ in _NESTED:
            # An index stays as it is, if it varies: only its rule knows what the places mean.
            differs, on_arrays = _any_varies(value, level), False
            operand = value if differs else _stripped(value, level)
        else:
            operand, differs = value, False
        if isinstance(operand, Many) or (tracing and is_array(operand)):
            operand, on_arrays = shown(operand), False
        operands.append(operand)
        varies.append(differs)
    run = Run(made, level, varies, on_arrays=on_arrays)
    if not any(varies):
        return _closed(run(*operands), level, varies=False)
    try:
        return _closed((rule or _unruled)(run, *operands), level)
    except NoBatchRuleError:
        if not level.loop:
            raise
    return _closed(run.one_by_one(*operands), level)


def _unruled(run: Run, *_: Any) -> Any:
    raise run.refuse()


def _any_varies(value: Any, level: Level) -> bool:
    return any(of_level(d, level) and d.varies for d in leaves(value))


def _stripped(value: Any, level: Level) -> Any:
    if type(value) in (list, tuple):
        return type(value)(_stripped(v, level) for v in value)
    return inner(value) if of_level(value, level) else shown(value)


def _closed(out: Any, level: Level, *, varies: bool = True) -> Any:
    """Return what an operation gave as raw batched data, each of several outputs."""
    if type(out) in (tuple, list):
        return tuple([_closed(part, level, varies=varies) for part in out])
    data = unwrap(out)
    return Batched(data if hasattr(data, "shape") else np.asarray(data), level, varies=varies)


def _example(value: Any, level: Level, i: int) -> Any:
    """Return what an argument is for example `i`."""
    if type(value) in (list, tuple):
        return type(value)(_example(v, level, i) for v in value)
    if of_level(value, level):
        return inner(value)[i] if value.varies else inner(value)
    return shown(value)


def _piled(outs: Sequence[Any]) -> Any:
    shapes = {np.shape(out) for out in outs}
    if len(shapes) > 1:
        first, second = sorted(shapes)[:2]
        raise ValueError(
            f"vmap: wanted results of one shape for all examples, got {first} and {second}; call "
            "the function in a Python loop"
        )
    return np.stack(outs)


def _answer(reading: ReadingError, made: Primitive, arguments: list[Any]) -> Any:
    """Run and record one call of an operation with batched values among its arguments."""
    del reading
    try:
        return _recorded(made, list(arguments))
    except Exception as error:
        error.__suppress_context__ = True  # that the kernel could not read its operands is no news
        raise


def _recorded(made: Primitive, arguments: list[Any]) -> Any:
    announce(arguments)
    level = innermost(arguments)
    assert level is not None
    shift = len(arguments) - len(made.parameters) if made.variadic else 0
    wanted, parents = [False] * len(arguments), []
    for i, a in enumerate(arguments):
        if not isinstance(a, graph.Variable) or a._node is None:
            continue
        if made.parameters[max(0, i - shift)] in made.nondiff:
            continue
        if not belongs(a, level):
            a = arguments[i] = spread(a, level)
        wanted[i] = True
        parents.append(a._node)
    values = [unwrap_all(a) for a in arguments]
    out = _computed(made, values, level, rule_of(made))
    plan = made.constant
    if parents and _is_floating(out):
        plan = _on_batches(made.plan(tuple(wanted)))
    else:
        parents = []
    return shown(record(plan, tuple(parents), (*values, out), out, tuple(arguments)))


def _answer_plain(reading: ReadingError, made: Primitive, args: Any, kwargs: Any) -> Any:
    """Run a call of an operation without rules, of any arguments."""
    del reading
    announce((args, kwargs))
    try:
        given, named_ = unwrap_all(args), unwrap_all(kwargs)
        level = innermost((given, named_))
        assert level is not None
        # A primitive of its own for these keywords, so that the rule sees one list of arguments.
        names = tuple(f"argument {i}" for i in range(len(given)))
        call = Primitive(made.name, made.forward, (*names, *named_), {}, positional=len(given))
        call.call = made.call
        out = _computed(call, [*given, *named_.values()], level, rule_of(made))
        return shown(record(made.constant, (), (), out, (args, kwargs)))
    except Exception as error:
        error.__suppress_context__ = True
        raise


ReadingError.answer = _answer  # type: ignore[assignment, method-assign]
ReadingError.answer_plain = _answer_plain  # type: ignore[assignment, method-assign]


def _is_floating(out: Any) -> bool:
    return any(map(_is_floating, out)) if type(out) is tuple else out.dtype.kind in "fc"


# -- gradients -------------------------------------------------------------------------------------
# A rule needs operators, methods and functions that work on what was saved, so it is given
# Variables for batched values, whether or not the pass is recorded.

_PLANS: weakref.WeakKeyDictionary[Plan, Plan] = weakref.WeakKeyDictionary()


def _on_batches(plan: Plan) -> Plan:
    """Return the plan of a call of which an operand is batched."""
    found = _PLANS.get(plan)
    if found is None:
        found = _PLANS[plan] = copy.copy(plan)
        found.joint = _of_shown(plan.joint)
        if plan.joint is None:
            found.pulls = tuple(map(_of_shown, plan.pulls))
    return found


def _of_shown(pull: Any) -> Any:
    """Return a pull that sees Variables for the batched values that were saved."""
    if pull is None:
        return None
    return lambda g, saved: pull(_as_variable(g), shown(saved))


def _as_variable(g: Any) -> Any:
    """Return a cotangent as what the saved values are, a Variable; each of several."""
    if type(g) is tuple:
        return tuple(map(_as_variable, g))
    return g if g is None or isinstance(g, graph.Variable) else wrap(g)


# -- the border ------------------------------------------------------------------------------------


def _settled(result: Any) -> Any:
    """Return what goes over the border inside of a backward pass: a Variable where it is batched or
    recorded, an array otherwise.
    """
    if isinstance(result, graph.Variable) and result._node is None:
        result = result._data
    return shown(result)


def _border(forward: Any, **rules: Any) -> Any:
    """Make an operation of the border, which never is one of `PRIMITIVES`."""
    made = Primitive(
        forward.__name__.strip("_"), forward, **signature_of(forward, {"linear": True} | rules)
    )
    call = general_call(made)

    @functools.wraps(forward)
    def public(*args: Any) -> Any:
        announce(args)
        return _settled(call(*args))

    return named(public, made)


def _enter(x: Any, level: Level, axis: int) -> Any:
    return Batched(unwrap(np.moveaxis(shown(x), axis, 0)), level)


def _leave(x: Any, level: Level, axis: int) -> Any:
    if of_level(x, level) and x.varies:
        value = inner(x)
    else:
        value = inner(x) if of_level(x, level) else shown(x)
        value = np.broadcast_to(value, (level.size, *np.shape(value)))
    return unwrap(np.moveaxis(value, 0, axis))


def _spread(x: Any, level: Level) -> Any:
    return Batched(x, level, varies=False)


def _total(x: Any, level: Level) -> Any:
    if of_level(x, level) and x.varies:
        return unwrap(inner(x).sum(axis=0))
    return unwrap((inner(x) if of_level(x, level) else shown(x)) * level.size)


# The rules name what stands below them.
enter: Any = _border(_enter, x=lambda g, level, axis: leave(g, level, axis))  # noqa: PLW0108
leave: Any = _border(_leave, x=lambda g, level, axis: enter(g, level, axis))  # noqa: PLW0108
spread: Any = _border(_spread, x=lambda g, level: _sum_up(g, level))  # noqa: PLW0108
_sum_up: Any = _border(_total, x=lambda g, level: spread(g, level))  # noqa: PLW0108
