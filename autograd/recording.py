"""What drawings and explanations look at: the operations behind a result, oldest first.

A graph by itself knows shapes, rules and what rules have saved; a backward pass frees it. What else
there is comes from Variables that are still alive, and from `Recorder`, an observer that leaves a
`Record` with each node: values, constants, the user's line, the modules that were being called.
Imports `variable` and what is older.
"""

from __future__ import annotations

import gc
import heapq
import inspect
import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from autograd.arrays import is_array
from autograd.docstrings import TABLES
from autograd.engine.graph import FREED, OUTPUT, Node, Plan, recorded
from autograd.engine.mode import enable_grad, watching
from autograd.engine.primitive import PRIMITIVES
from autograd.random import snapshot
from autograd.transforms.containers import flatten
from autograd.typed import Place, ours, variables
from autograd.variable import Variable

# fmt: off
__all__ = ["SMALL", "Call", "Path", "Record", "Recorder", "Step", "formulas_of", "names_of",
           "number", "operand_names", "run_recorded", "saved_by_name", "show",
           "show_range", "shown", "steps_behind"]
# fmt: on

SMALL = 9  # elements; of more, shape and range are told
_LARGE = 1000  # elements; arrays up to here are copied when they are recorded


class Call(NamedTuple):
    """One call of a module: its path in the model, its class, and which call it is."""

    path: str
    kind: str
    number: int


class Record:
    """What a node remembers of its call; it stands among the hooks, as one that does nothing."""

    def __init__(self, node: Node, value: Any, **others: Any) -> None:
        self.plan, self.parents, self.saved = node.plan, node.parents, _kept(node.saved)
        self.value = _kept(value)
        self.source: Record | None = None  # of one of several outputs: the record of them all
        self.given: list[tuple[Node | None, Any, str]] = []  # all arguments, with their names
        self.place: Place | None = None
        self.calls: tuple[Call, ...] = ()
        vars(self).update(others)

    def __call__(self, g: Any) -> None:
        """Leave a gradient as it is."""


def _kept(value: Any) -> Any:
    """Return what a record keeps of a value: small arrays are copied, before somebody changes them.

    A record is no reason to hold the memory of large arrays, but their rules may need them.
    """
    if isinstance(value, tuple | list):
        return type(value)(map(_kept, value)) if type(value) in (tuple, list) else value
    return value.copy() if isinstance(value, np.ndarray) and value.size <= _LARGE else value


def _record_of(node: Node) -> Record | None:
    found = (node.hooks or {}).get(Record)
    return found if isinstance(found, Record) else None


class Recorder:
    """The observer that records values, for `record_values` and for drawings of functions."""

    name = "record_values()"

    def __init__(self) -> None:
        self._stack: list[tuple[FrameType, Call]] = []  # the calls that the last operation was in
        # The paths of modules and parameters, by the identity of the model, which is held.
        self._models: dict[int, tuple[Any, dict[int, str], dict[Node | None, str]]] = {}
        self._count = itertools.count(1)

    def __call__(self, _: Any, arguments: tuple[Any, ...], out: Any) -> None:
        """Note a call of an operation."""
        node = recorded(out)
        if node is None:
            return
        place, names, calls = self._around(sys._getframe(2))
        given = [
            (v._node, _kept(v._data), _name(v) or names.get(v._node, ""))
            if isinstance(v, Variable)
            else (None, _kept(v), "")
            for v in arguments
        ]
        record = Record(node, None, given=given, place=place, calls=calls)
        for part in out if type(out) is tuple else (out,):
            own = part._node
            if own is node:
                record.value = _kept(part._data)
            elif own is not None:
                record = Record(own, part._data, source=record)
            if own is not None:
                part.retain_grad()
                own.hooks[Record] = record
                record = record.source or record

    def _around(
        self, frame: FrameType | None
    ) -> tuple[Place | None, Mapping[Node | None, str], tuple[Call, ...]]:
        """Return the user's place, names of parameters and all calls of modules around a frame.

        Two calls of one module are told apart by their frames: while neither has ended, no other
        can have the identity of one that the last operation was in, because that is held.
        """
        place = None
        around: list[tuple[FrameType, Any]] = []
        while frame is not None:
            if place is None and not ours(frame):
                place = Place.of(frame)
            if frame.f_code.co_name == "forward":
                module = variables(frame).get("self")
                if hasattr(module, "named_modules"):
                    around.append((frame, module))
            frame = frame.f_back
        around.reverse()
        same = 0
        while same < min(len(around), len(self._stack)) and around[same][0] is self._stack[same][0]:
            same += 1
        del self._stack[same:]
        if not around:
            return place, {}, ()
        model = around[0][1]
        if id(model) not in self._models:
            paths = {id(module): name for name, module in model.named_modules()}
            self._models[id(model)] = model, paths, _names_of_parameters(model)
        _, paths, names = self._models[id(model)]
        for inner, module in around[same:]:
            call = Call(paths.get(id(module), ""), type(module).__name__, next(self._count))
            self._stack.append((inner, call))
        return place, names, tuple(call for _, call in self._stack)


_read_name = vars(Variable)["_name"].__get__


def _name(variable: Variable) -> str:
    """Return the name of a Variable: its property takes 10 us where there is none."""
    try:
        return _read_name(variable) or ""
    except AttributeError:
        return ""


def formulas_of(plan: Plan) -> dict[str, str | None]:
    """Return the derivatives that the documentation of an operation states, by operand."""
    if PRIMITIVES.get(plan.name) is not plan.primitive:
        return {}  # a user's own, whatever it is called
    for table in TABLES.values():
        if plan.name in table and table[plan.name].derivatives:
            return table[plan.name].derivatives
    return {}


def operand_names(step: Step) -> tuple[str, ...]:
    """Return the public names of the operands that gradients go to: NumPy's, where it has some."""
    public = tuple(formulas_of(step.plan))
    if public and len(public) > max(step.positions, default=0):
        return tuple(public[p] for p in step.positions)
    return step.plan.operands


# -- names -----------------------------------------------------------------------------------------


class Path(str):
    """The name of a parameter: its path in a model."""

    __slots__ = ()


def _names_of_parameters(model: Any) -> dict[Node | None, str]:
    return {
        parameter._node: Path(name)
        for name, parameter in model.named_parameters()
        if parameter._node is not None
    }


def names_of(frame: FrameType) -> dict[Node | None, str]:
    """Return what the code at a frame calls its Variables, and the parameters of its modules."""
    found: dict[Node | None, str] = {}
    for name, value in variables(frame).items():
        if name.startswith("_"):
            continue
        if isinstance(value, Variable):
            if value._node is not None:
                found.setdefault(value._node, name)
        elif hasattr(type(value), "named_parameters"):
            found |= _names_of_parameters(value)
    return found


def _living(nodes: Iterable[Node]) -> dict[Node, Any]:
    """Return a Variable for each node that has one still, one with a name if there is one.

    A node does not know its Variables, so that they can go; Python's collector knows all objects
    (about 10 ms for 100,000 of them).
    """
    wanted, found = set(nodes), dict[Node, Any]()
    for value in gc.get_objects():
        if issubclass(type(value), Variable):
            node = getattr(value, "_node", None)
            if node in wanted and (node not in found or _name(value)):
                found[node] = value
    return found


# -- steps -----------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Step:
    """One operation, or one leaf, behind a result.

    Attributes:
        parents: the nodes of the operands that gradients go to.
        value: the result; None where nobody remembers it.
        grad: its gradient, where that is kept.
        name: what the user calls the result; "" for nothing.
        given: all arguments as (node, value, name); none where they were not recorded.
        place: the user's line; None where it was not recorded.
        calls: the modules that were being called, the model first.
    """

    node: Node
    plan: Plan
    parents: tuple[Node, ...]
    saved: Any
    value: Any = None
    name: str = ""
    given: list[tuple[Node | None, Any, str]] = field(default_factory=list)
    place: Place | None = None
    calls: tuple[Call, ...] = ()

    @property
    def grad(self) -> Any:
        """The gradient of the result, None where there is none or nobody kept it."""
        return getattr(self.node, "grad", None)

    @property
    def is_leaf(self) -> bool:
        """Whether it is no operation."""
        return not self.parents

    @property
    def positions(self) -> tuple[int, ...]:
        """The place of each parent among the arguments, as far as that is known."""
        found = tuple(i for i, (node, _, _) in enumerate(self.given) if node in self.parents)
        return found if len(found) == len(self.parents) else self.plan.positions

    def constants(self) -> Iterator[tuple[int, str, Any]]:
        """Yield the arguments that no gradient goes to, with their positions and names, less those
        that have their default values.
        """
        primitive = self.plan.primitive
        parameters = getattr(primitive, "parameters", ())
        defaults = getattr(primitive, "defaults", {})
        count = len(self.given) - len(parameters)
        shift = max(0, count) if getattr(primitive, "variadic", False) else 0
        for i, (node, value, _) in enumerate(self.given):
            name = parameters[max(0, i - shift)] if i - shift < len(parameters) else ""
            if (
                node not in self.parents
                and value is not None
                and not _is(value, defaults.get(name))
            ):
                yield i, name, value


def _is(value: Any, default: Any) -> bool:
    """Tell whether an argument is the default."""
    plain = type(value) is type(default) and not is_array(value)
    return value is default or (plain and bool(value == default))


def steps_behind(what: str, roots: Iterable[Any], names: Mapping[Node | None, str]) -> list[Step]:
    """Return the steps behind Variables, oldest first.

    Raises:
        RuntimeError: a backward pass has freed the graph, and nothing was recorded of it.
    """
    steps = _collected(what, [root._node for root in roots])
    operands: dict[Node | None, tuple[Any, str]] = {}
    for step in steps.values():
        for node, value, name in step.given:
            operands.setdefault(node, (value, name))
        if step.node.plan is not FREED:
            for variable in _variables(step.plan.rewrap(step.node)):
                operands.setdefault(variable._node, (variable._data, ""))
    living = _living(steps)
    for node, step in steps.items():
        value, name = operands.get(node, (None, ""))
        variable = living.get(node)
        if step.value is None:
            step.value = value if variable is None else variable._data
        step.name = (_name(variable) if variable is not None else "") or name or names.get(node, "")
    # A line may be several operations, of which one alone gives what it assigns.
    inner = {
        parent
        for step in steps.values()
        for parent in step.parents
        if step.place is not None and parent in steps and steps[parent].place == step.place
    }
    for node, step in steps.items():
        step.name = step.name or ("" if node in inner else _assigned(step.place))
    return sorted(steps.values(), key=lambda step: step.node.number)


def _collected(what: str, roots: list[Node]) -> dict[Node, Step]:
    steps: dict[Node, Step] = {}
    sources: dict[Node, Record] = {}
    waiting = [(-node.number, node) for node in dict.fromkeys(roots)]
    roots = roots + [node.parents[0] for node in roots if node.plan is OUTPUT]  # of several
    heapq.heapify(waiting)
    while waiting:
        _, node = heapq.heappop(waiting)  # children before their parents
        if node in steps:
            continue
        record = _record_of(node) or sources.get(node)
        step = steps[node] = (
            Step(node, node.plan, node.parents, node.saved)
            if record is None
            else Step(
                node,
                record.plan,
                record.parents,
                record.saved,
                record.value,
                given=record.given,
                place=record.place,
                calls=record.calls,
            )
        )
        if record is not None and record.source is not None:
            sources[step.parents[0]] = record.source
        if step.plan is FREED and node in roots:
            raise RuntimeError(
                f"{what}: wanted a graph, got one that a backward pass has freed; call it before "
                "backward, pass retain_graph=True there, or compute inside "
                "autograd.record_values()"
            )
        for parent in step.parents:
            heapq.heappush(waiting, (-parent.number, parent))
    return steps


def _variables(value: Any) -> Iterator[Any]:
    """Yield the Variables on a node among what a node has saved."""
    if isinstance(value, tuple | list):
        for part in value:
            yield from _variables(part)
    elif isinstance(value, Variable) and value._node is not None:
        yield value


def _assigned(place: Place | None) -> str:
    """Return the name that the user's line gives to the result: "d" for `d = a * b`."""
    if place is None:
        return ""
    name, equals, text = place.line.partition("=")
    text = text.partition("#")[0].strip()
    is_name = equals and name.strip().isidentifier() and text == place.expression
    return name.strip() if is_name else ""


# -- functions at a point --------------------------------------------------------------------------


def run_recorded(
    what: str, function: Any, inputs: Sequence[Any]
) -> tuple[list[Any], list[Variable]]:
    """Call a function on fresh Variables while values are recorded; nothing else changes: modules
    are in evaluation mode, random numbers are drawn again.

    Returns:
        The results, and the Variables that it was called with.
    """
    modules = list(function.modules()) if hasattr(function, "named_modules") else []
    before = [module.training for module in modules]
    if not inputs:
        raise TypeError(f"{what}: wanted the inputs of the function, got none; write {what}(f, x)")
    given = [
        _input(what, value, name)
        for value, name in zip(inputs, _names(function, len(inputs)), strict=True)
    ]
    restore = snapshot()
    try:
        for module in modules[:1]:
            module.eval()
        with enable_grad(), watching(Recorder()):
            outputs, _ = flatten(function(*given))
    finally:
        for module, training in zip(modules, before, strict=True):
            module.training = training
        restore()
    return outputs, [v for v in given if isinstance(v, Variable)]


def _names(function: Any, count: int) -> list[str]:
    """Return what a function calls its inputs."""
    target = getattr(function, "forward", function)
    try:
        known = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):  # of a builtin
        known = []
    several = [p.name for p in known if p.kind is p.VAR_POSITIONAL]
    names = [p.name for p in known if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    extra = [f"{several[0] if several else 'input'}{i}" for i in range(count)]
    return [*names[:count], *extra[: count - len(names[:count])]]


def _input(what: str, value: Any, name: str) -> Any:
    data = value.data if isinstance(value, Variable) else value
    try:
        fresh = Variable(data)
    except TypeError:
        return value  # an option, a list of arrays ...
    if fresh.dtype.kind not in "fc":
        if isinstance(value, int) and not isinstance(value, bool):
            raise TypeError(
                f"{what}: wanted floating-point numbers as inputs, got {value!r}; write {value}.0"
            )
        return value
    fresh.requires_grad, fresh.name = True, name
    return fresh


# -- values in words -------------------------------------------------------------------------------


def number(value: Any) -> str:
    """Return a number in four digits."""
    return f"{value + 0 if isinstance(value, complex) else value:.4g}"  # no -0j


def show(value: Any) -> str:
    """Return a constant in a few characters."""
    if isinstance(value, bool | np.bool_) or value is None:
        return str(value)
    if isinstance(value, float | complex | np.inexact):
        return number(value)
    if isinstance(value, np.generic):
        return str(value)
    if is_array(value) and value.ndim == 0:
        return show(value[()])
    if is_array(value):
        small = value.ndim == 1 and value.size <= 3
        return f"[{', '.join(map(show, value))}]" if small else f"{value.dtype} {value.shape}"
    if isinstance(value, tuple):
        inner = ", ".join(map(show, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    if isinstance(value, slice):
        ends = ["" if end is None else show(end) for end in (value.start, value.stop)]
        return ":".join(ends if value.step is None else [*ends, show(value.step)])
    if value is Ellipsis:
        return "..."
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    text = str(value) if isinstance(value, str | int) else repr(value)
    return text if len(text) <= 24 and " at 0x" not in text else type(value).__name__


def shown(value: Any) -> str:
    """Return a value in one line: small arrays with their elements, others with their range."""
    if not is_array(value) or value.ndim == 0:
        return show(value)
    if value.size > SMALL:
        return f"{value.dtype} {value.shape} in {show_range(value)}"
    value = value + 0 if np.iscomplexobj(value) else value  # no -0.j
    text = np.array2string(value, precision=4, separator=", ", suppress_small=True)
    return " ".join(text.split())


def show_range(value: Any) -> str:
    """Return the smallest and the largest element; of complex numbers, by their absolute values."""
    data = np.asarray(value._data if isinstance(value, Variable) else value)
    data = abs(data) if data.dtype.kind == "c" else data + 0  # of bools, numbers
    ends = f"[{number(data.min())}, {number(data.max())}]"
    if not np.isnan(data.min()):
        return ends
    known = data[~np.isnan(data)]
    ends = f"[{number(known.min())}, {number(known.max())}]" if known.size else "[]"
    return f"{ends} with {data.size - known.size} nan"


def saved_by_name(plan: Plan, saved: Any) -> dict[str, Any]:
    """Return what a node has saved by the names under which its rules ask for it."""
    made = plan.primitive
    rules = [getattr(made, "joint", None)]
    if rules == [None]:
        rules = [getattr(made, "rules", {}).get(operand) for operand in plan.operands]
    names: dict[str, None] = {}
    for rule in rules:
        code = getattr(rule, "__code__", None)
        if code is None:
            return {}
        names |= dict.fromkeys(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
    found = [name for name in names if name not in ("wanted", "index")]
    values = saved if len(found) > 1 and isinstance(saved, tuple) else (saved,)
    return dict(zip(found, values, strict=True)) if len(found) == len(values) else {}
