"""Tracing: one call of a function becomes a `Graph`. Third file to read, after `guards`.

The function is called once, on Variables, while an observer is told of every operation (see "one
recording point" in the engine). What it is told are the operations in order, with their arguments
and results; which value an argument is follows from the node of the Variable, from the array that
it holds, or from the Variable itself. The rules of backward passes are seen the same way.
"""

from __future__ import annotations

import functools
import linecache
import sys
import weakref
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograd import random
from autograd.arrays import Many, plain_array, references
from autograd.compiler.graph import Op, Value, values_in
from autograd.compiler.guards import ARRAYS, PLAIN, Guard, content, guards_of
from autograd.engine.backward import conjugated, masked_by, run_backward
from autograd.engine.calls import holds_variable
from autograd.engine.graph import OUTPUT, Node, next_number, unwrap, wrap
from autograd.engine.mode import enable_grad, no_grad, watching
from autograd.engine.primitive import Primitive
from autograd.function import Function
from autograd.ops.effects import OVERWRITE
from autograd.ops.shaping import copy
from autograd.transforms.containers import flatten
from autograd.transforms.trace import IDENTITY, InputLeaf
from autograd.typed import user_frame
from autograd.variable import Variable

__all__ = ["PULL", "RUN", "Trace"]

# Shapes that depend on values.
_COUNTED = {"nonzero", "flatnonzero", "argwhere", "unique", "unique_values", "unique_counts",
            "unique_inverse", "unique_all", "intersect1d", "setdiff1d", "setxor1d", "union1d",
            "trim_zeros", "roots"}  # fmt: skip
_SINGLE = (bool, np.bool_)  # of which there are only two objects: their identity says nothing


class Trace:
    """One traced call.

    Attributes:
        graph: the operations, with the outputs and, behind them, the gradients.
        flat: each argument is an array or a plain value, given by position.
        arguments: a value for each array among the arguments, None for each other leaf.
        captured: Variables from outside that the function read.
        guards: what else it read outside, see `guards`.
        met: modules that were called, each with its attributes as they were.
        targets: the values that gradients are for.
        outputs: for each leaf of what the function returned, a Value, or what it is itself.
        recorded: which of them require a gradient.
    """

    def __init__(
        self, function: Any, leaves: list[Any], rebuild: Any, *, recording: bool, guarded: bool
    ) -> None:
        self.ops: list[Op] = []
        self.arguments: list[Value | None] = []
        self.captured: dict[Value, Variable] = {}
        self.guards = guards_of(function, *[x for x in leaves if not isinstance(x, ARRAYS)])
        self.met: dict[int, tuple[Any, dict[str, Any]]] = {}
        self.guarded = guarded
        self._known: dict[Any, tuple[Any, Value]] = {}
        self._made: dict[Node, Op] = {}
        self._given: set[Node] = set()  # the leaves that stand for arguments
        self._overwritten: dict[int, Value] = {}  # the value an array began with
        self._first = next_number()
        self._line: str | None = None
        self._settling: tuple[Any, Any, Any] | None = None  # see `_is_mask`
        self._masks: dict[Node, Any] = {}
        self._assigned: dict[Value, str] = {}  # lines that assign to what may be outside
        args, kwargs = rebuild(iter([self._argument(i, x) for i, x in enumerate(leaves)]))
        self.flat = not kwargs and len(args) == len(leaves)
        back = random.snapshot()
        generators = [(g, g.bit_generator.state) for g in _generators(self.guards, leaves)]
        legacy = _legacy_state()
        with (
            np.errstate(all="ignore", divide="call", call=_ignored),
            enable_grad() if recording else no_grad(),
            watching(self, tracing=True, inspector=self._rules),
        ):
            result = function(*args, **kwargs)
            if (
                back()
                or legacy != _legacy_state()
                or any(repr(g.bit_generator.state) != repr(state) for g, state in generators)
            ):
                for g, state in generators:
                    g.bit_generator.state = state
                raise RuntimeError(
                    "compile: wanted a function that draws its random numbers through the library, "
                    "got one that draws them itself, which would be the same in every run; draw "
                    "them outside and pass them as an array, or use nn.functional.dropout"
                )
            found, self.rebuild = flatten(result)
            _refuse_hooks(self._known)
            self.outputs: list[Any] = [_checked(self._output(o), leaves) for o in found]
            self._differentiate(found)
        self.guards += guards_of(*[module for module, _ in self.met.values()])
        del result, found, args, kwargs
        self._known.clear()
        self._made.clear()
        self._masks.clear()
        self._settle()
        self._own()

    def _settle(self) -> None:
        """Tell constants, which the function made on its way, from what others can change."""
        for value in list(self.captured):
            variable = self.captured.pop(value)
            if references(variable) <= _ONE_HOLDER:
                value.origin = "constant", variable._data
            elif value in self._assigned:
                raise _writing(f"a Variable from outside at {self._assigned[value]}")
            else:
                self.captured[value] = variable

    def _own(self) -> None:
        """Find the constants that nobody else has, and copy those that are results, which the
        caller may change.
        """
        for value in {v for op in self.ops for v in op.inputs}.union(values_in(self.outputs)):
            made = value.constant
            value.own = made is not None and references(made) <= _ONE_HOLDER
        for i, value in enumerate(self.outputs):
            if type(value) is Value and value.own:
                op = Op(copy.primitive, (value, "K"), "")
                op.outputs = (Value(op, value.constant, is_variable=value.is_variable),)
                self.ops.append(op)
                self.outputs[i] = op.out

    # -- what it is called with, and what it returned ----------------------------------------------

    def _argument(self, i: int, leaf: Any) -> Any:
        if not isinstance(leaf, ARRAYS):
            self.arguments.append(None)
            return leaf
        data = plain_array("compile", unwrap(leaf))
        data = data.view() if isinstance(data, np.ndarray) else data.copy()
        fresh = wrap(data)
        if isinstance(leaf, Variable) and leaf.requires_grad:
            fresh._node = InputLeaf(data)
            self._given.add(fresh._node)
        value = Value(("argument", i), data, is_variable=isinstance(leaf, Variable))
        self.arguments.append(value)
        self._learn(fresh, value)
        return fresh

    def _output(self, leaf: Any) -> Any:
        if isinstance(leaf, Variable):
            return self._value(leaf)
        return self._array(leaf) if isinstance(leaf, (np.ndarray, np.generic)) else leaf

    def _differentiate(self, found: list[Any]) -> None:
        """Record the gradients of what requires one with respect to what did before the call."""
        targets = {v: n for n, v in self._leaves().items()}
        reached = _reached([o._node for o in found if isinstance(o, Variable)])
        wanted = frozenset(targets.values())
        self.recorded = (
            [
                isinstance(o, Variable)
                and o._node is not None
                and not wanted.isdisjoint(_reached([o._node]))
                for o in found
            ]
            if not wanted.isdisjoint(reached)
            else [False] * len(found)
        )
        self.targets = [v for v, n in targets.items() if n in reached] if any(self.recorded) else []
        self.cotangents: list[Value] = []
        seeds = []
        for i, (o, is_recorded) in enumerate(zip(found, self.recorded, strict=True)):
            if is_recorded:
                fresh = wrap(np.ones_like(o._data))
                self.cotangents.append(Value(("cotangent", i), o._data, is_variable=True))
                self._learn(fresh, self.cotangents[-1])
                seeds.append((o._node, conjugated(o._node, fresh)))
        nodes = [targets[v] for v in self.targets]
        forward = len(self.ops)
        self.gradients: list[Any] = []
        if seeds:
            with no_grad():
                pulled = run_backward(seeds, nodes, create_graph=True, retain_graph=True)
                for n in nodes:
                    g = pulled.get(n)
                    g = np.zeros(n.shape, n.dtype) if g is None else conjugated(n, g)
                    self.gradients.append(self._output(g))
        for op in self.ops[forward:]:
            op.quiet = True

    def _leaves(self) -> dict[Node, Value]:
        """Map the nodes of arguments, and of Variables from outside, to their values."""
        found = {}
        for key, (held, value) in self._known.items():
            if isinstance(key, Node) and held is key and value.op is None:
                found[key] = value
        # Not those of a transform inside.
        return {n: v for n, v in found.items() if n.number < self._first or n in self._given}

    # -- which value it is -------------------------------------------------------------------------

    def _names(self, variable: Any) -> list[tuple[Any, Any]]:
        """List what a value goes by, each with what keeps that name from being given again."""
        node, data = variable._node, variable._data
        names: list[tuple[Any, Any]] = []
        if node is not None:
            if node.plan is OUTPUT and node.parents:
                names.append(((node.parents[0], node.saved[0]), node))
            else:
                names.append((node, node))
        names.append((("variable", id(variable)), weakref.ref(variable)))
        if not isinstance(data, _SINGLE):
            names.append((id(data), data))
        return names

    def _learn(self, variable: Any, value: Value, *, anew: bool = False) -> None:
        for name, held in self._names(variable):
            # What is cut off from a graph has the array of what is not: that goes on by its name.
            if anew or type(name) is not int or name not in self._known:
                self._known[name] = held, value

    def alias(self, variable: Any, result: Any) -> None:
        """Take note that `variable` has the value of `result` from now on: it was assigned to."""
        before = self._value(variable)
        if before.op is None:
            if before.origin[0] == "argument":
                raise _writing(f"an argument at {_users_line()}")
            self._assigned[before] = _users_line()
        self._learn(variable, self._value(result), anew=True)

    def augmented(self, symbol: str, variable: Any, names: int) -> None:
        """Refuse `x += y`, where `x` has so many names, if NumPy would change an array in place
        that somebody else sees.

        Here it makes a new one; of what is recorded, or no array, eager code does, too.
        """
        x = variable._data
        if variable._node is not None or not x.shape or self._value(variable).is_variable:
            return
        held = [ref() for key, (ref, _) in self._known.items() if _is_variable(key)]
        others = [v._data for v in held if v is not None and v is not variable]
        if names > 1 or any(np.may_share_memory(x, y) for y in others):
            raise RuntimeError(
                f"compile: wanted {symbol} on an array that has one name, got one that is seen "
                f"elsewhere, too, which NumPy would change there, at {_users_line()}; write "
                f"x = x {symbol[:-1]} y for a new array, x[...] = x {symbol[:-1]} y for the same"
            )

    def _found(self, variable: Any) -> Value | None:
        for name, held in self._names(variable):
            if name in self._known:
                before, value = self._known[name]
                if not isinstance(before, weakref.ref) or before() is held():
                    return value
        return None

    def _value(self, variable: Variable) -> Value:
        value = self._found(variable)
        if value is None:  # from outside: read at each call
            value = Value(("captured", variable), variable._data, is_variable=True)
            self.captured[value] = variable
            self._learn(variable, value)
            if variable._node is not None:
                self._known[variable._node] = variable._node, value
        return value

    def _of_data(self, variable: Any, what: str) -> Value:
        """Return the value that has the array of a Variable."""
        if id(variable._data) not in self._known:
            raise RuntimeError(
                f"compile: wanted operations on a batch that can be traced, got {what} at "
                f"{_users_line()}; write autograd.vmap(autograd.compile(f)), which runs f as it is"
            )
        return self._known[id(variable._data)][1]

    def _array(self, array: Any) -> Any:
        """Return what a plain array is: that of a value, or a constant, by reference."""
        name = id(array)
        if name in self._known and not isinstance(array, _SINGLE):
            return self._known[name][1]
        if isinstance(array, np.generic):
            return array
        value = Value(("constant", array), array)
        self._known[name] = array, value
        return value

    def _argument_of(self, value: Any) -> Any:
        kind = type(value)
        if kind is tuple or kind is list:
            return kind([self._argument_of(part) for part in value])
        if kind is dict:
            return {key: self._argument_of(part) for key, part in value.items()}
        if isinstance(value, Variable):
            return self._value(value)
        return self._array(value) if isinstance(value, (np.ndarray, np.generic)) else value

    def meet(self, module: Any) -> None:
        """Take note of a Module, on whose attributes the program depends."""
        self.met.setdefault(id(module), (module, vars(module).copy()))

    def know(self, value: Any) -> None:
        """Take note of what a batch is about to compute with, as arrays."""
        if isinstance(value, Variable) and not isinstance(value._data, Many):
            self._value(value)
        elif isinstance(value, (np.ndarray, np.generic)) and not isinstance(value, _SINGLE):
            self._known.setdefault(id(value), (value, Value(("constant", value), value)))

    # -- what the observer is told -----------------------------------------------------------------

    def __call__(self, primitive: Any, arguments: tuple[Any, ...], out: Any) -> None:
        """Take note of one call."""
        writes = primitive.parameters == ("args", "kwargs") and "out" in arguments[1]
        if writes or out is None or getattr(out, "_data", out) is None:
            raise RuntimeError(
                f"compile: wanted operations that return their result, got np.{primitive.name}, "
                f"which writes it into an array, at {_users_line()}; use what is returned, or "
                "write x[...] = value"
            )
        if _is_batched(out):  # of one example: what is done to all of them was seen before
            if primitive.name == "detach":  # but for this, which makes an array of a Variable
                array = _all_of(out)
                op = Op(primitive, (self._array(array),), self._line or _users_line())
                op.outputs = (Value(op, array),)
                self.ops.append(op)
                self._known[id(array)] = array, op.out
            return
        if _is_batched(arguments):  # and this is one of them, which left the batch
            self._learn(out, self._of_data(out, primitive.name))
            return
        if self._is_mask(primitive, arguments, out):
            return
        if primitive is IDENTITY.primitive:
            self._learn(out, self._value(arguments[0]))
            return
        if primitive is OVERWRITE:
            target, data = arguments[0], unwrap(arguments[0])
            place = self._overwritten.setdefault(id(data), self._argument_of(target))
            self._add(primitive, (place, self._argument_of(arguments[1])), out)
            value = self._value(out)
            self._known[id(data)] = data, value
            if isinstance(target, Variable):
                self._learn(target, value, anew=True)
            return
        _refuse_counts(primitive, arguments)
        given = tuple(map(self._argument_of, arguments))
        opaque = getattr(primitive.forward, "__self__", None)
        if isinstance(opaque, type) and issubclass(opaque, Function):
            wanted = tuple(isinstance(a, Variable) and a.requires_grad for a in arguments)
            primitive, given = RUN, (primitive.forward, given, wanted)
        self._add(primitive, given, out)

    def _add(self, primitive: Any, given: tuple[Any, ...], out: Any) -> Op:
        op = Op(primitive, given, self._line or _users_line(), quiet=_in_a_backward_pass())
        op.several = type(out) is tuple
        parts = out if op.several else (out,)
        is_variable = not primitive.plain and any(v.is_variable for v in values_in(given))
        op.outputs = tuple(Value(op, part._data, is_variable=is_variable) for part in parts)
        for part, value in zip(parts, op.outputs, strict=True):
            self._learn(part, value)
            node = part._node
            if node is not None:
                self._made[node.parents[0] if node.plan is OUTPUT else node] = op
        if primitive is RUN and any(given[2]):
            op.several, op.outputs = True, (*op.outputs, Value(op, np.empty((), object)))
        self.ops.append(op)
        return op

    def _rules(self, node: Any, plan: Any, parents: Any, g: Any, saved: Any) -> Any:
        """Return the rules that a backward pass runs, as its inspector."""
        op = self._made.get(node)
        self._line = op.line if op is not None else None
        if op is not None and op.primitive is RUN:
            return self._pulled(op, parents, g)
        if node in self._masks:
            return (None,)  # of the one operand that is no constant
        ready = saved if plan.joint is None else plan.joint(g, saved)
        return tuple(p and functools.partial(self._apply, plan, p, g, ready) for p in plan.pulls)

    def _apply(self, plan: Any, pull: Any, g: Any, ready: Any, *_: Any) -> Any:
        """Run a rule; what the backward pass makes of its result may be a mask, see `_is_mask`."""
        self._settling = None
        gx = pull(g, ready)
        if self.guarded and plan.elementwise and gx is not None:
            return masked_by(g, gx)
        self._settling = None if self.guarded else (g, gx, None)
        return gx

    def _is_mask(self, primitive: Any, arguments: tuple[Any, ...], out: Any) -> bool:
        """Tell whether a call is the one by which a backward pass puts exact zeros into the result
        of a rule, `where(g == 0, 0, gx)`, which a program without guards goes without.
        """
        if self._settling is None:
            return False
        g, gx, mask = self._settling
        if mask is None and primitive.name == "equal" and _all_of(arguments[0]) is _all_of(g):
            self._settling = g, gx, _all_of(out)
            return False  # nothing will read it
        self._settling = None
        if mask is None or primitive.name != "where" or _all_of(arguments[0]) is not mask:
            return False
        if not isinstance(arguments[2], Variable) or _all_of(arguments[2]) is not _all_of(gx):
            return False
        self._learn(out, self._value(arguments[2]))
        if out._node is not None:
            self._masks[out._node] = out
        return True

    def _pulled(self, op: Op, parents: Any, g: Any) -> Any:
        parts = g if type(g) is tuple else (g,)
        out = tuple(wrap(np.zeros(p.shape, p.dtype)) for p in parents)
        self._add(PULL, (op.outputs[-1], self._argument_of(parts)), out)
        return tuple(functools.partial(_constant, part) for part in out)


def _constant(gx: Any, *_: Any) -> Any:
    return gx


def _run(apply: Any, arguments: Any, wanted: Any) -> Any:
    """Call a Function; return its results and, where a gradient is wanted, its node."""
    inputs = [wrap(a, InputLeaf(a)) if w else a for a, w in zip(arguments, wanted, strict=True)]
    fresh = [wrap(a) if isinstance(a, (np.ndarray, np.generic)) else a for a in inputs]
    with enable_grad() if any(wanted) else no_grad():
        out = apply(*fresh)
    parts = out if type(out) is tuple else (out,)
    results = tuple(map(unwrap, parts))
    if not any(wanted):
        return results if type(out) is tuple else results[0]
    nodes = [v._node for v, w in zip(inputs, wanted, strict=True) if w]
    return (*results, (parts, nodes))


def _pull(node: Any, g: Any) -> Any:
    parts, inputs = node
    seeds = [
        (v._node, conjugated(v._node, c))
        for v, c in zip(parts, g, strict=True)
        if c is not None and v._node is not None
    ]
    found = run_backward(seeds, inputs, retain_graph=True)
    return tuple(
        conjugated(n, found[n]) if n in found else np.zeros(n.shape, n.dtype) for n in inputs
    )


# A Function keeps what its `backward` needs where no program sees it, so it is run as it is: its
# node is handed from the call to the pull.
RUN = Primitive("run", _run, ("apply", "arguments", "wanted"), {})
PULL = Primitive("pull", _pull, ("node", "g"), {})


def _one_holder() -> int:
    """Count the references to a Variable that only a value of a program holds."""
    kept = {0: wrap(np.empty(()))}
    value = Value(("captured", kept[0]), np.empty(()))
    for key in list(kept):
        variable = kept.pop(key)
        count = references(variable)
    del value.origin
    return count


_ONE_HOLDER = _one_holder()


def _generators(guards: list[Guard], leaves: list[Any]) -> list[np.random.Generator]:
    """List the generators that a function can be seen to have."""
    if "numpy.random" not in sys.modules:
        return []
    held = (*leaves, *(guard.held for guard in guards))
    return [g for g in held if isinstance(g, np.random.Generator)]


def _legacy_state() -> Any:
    """Return the state of the functions of `np.random`, where they were imported."""
    if "numpy.random" not in sys.modules:
        return None
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - which this is about
    return (kind, np.asarray(keys).tobytes(), *rest)


def _ignored(_kind: str, _flag: int) -> None:
    """Take no note of a division by zero: by this, a trace knows that it is in no backward pass."""


def _in_a_backward_pass() -> bool:
    return np.geterr()["divide"] != "call"


def _is_variable(key: Any) -> bool:
    return type(key) is tuple and key[0] == "variable"


def _is_batched(tree: Any) -> bool:
    """Tell whether there is one example of a batch among Variables."""
    if type(tree) in (tuple, list):
        return any(map(_is_batched, tree))
    if type(tree) is dict:
        return any(map(_is_batched, tree.values()))
    return isinstance(unwrap(tree), Many)


def _all_of(value: Any) -> Any:
    """Return the array of a Variable: where it is one example of a batch, that of all."""
    data = unwrap(value)
    return data.all_elements() if isinstance(data, Many) else data


def _writing(where: str) -> RuntimeError:
    return RuntimeError(
        f"compile: wanted a function that writes only to what it made, got an assignment to {where}"
        "; assign to x.copy(), or return the new value and assign outside"
    )


def _refuse_hooks(known: dict[Any, tuple[Any, Value]]) -> None:
    """Refuse hooks on what the function computed, which would be called while tracing only."""
    for held, value in known.values():
        if isinstance(held, Node) and held.hooks and (value.op or value.origin[0] != "captured"):
            line = f" at {value.op.line}" if value.op is not None else ""
            raise RuntimeError(
                f"compile: wanted Variables without hooks inside, got one with a hook or "
                f"retain_grad(){line}, which a program has no place for; return that value, and "
                "take autograd.grad with respect to it, or leave the function eager"
            )


def _checked(leaf: Any, given: list[Any]) -> Any:
    """Refuse a result that would be the same in each call although it was made of traced values."""
    if isinstance(leaf, (Value, *PLAIN)) or any(leaf is x for x in given) or not _holds(leaf, 3):
        return leaf
    kind = type(leaf).__name__
    raise RuntimeError(
        f"compile: wanted arrays, numbers, and lists, tuples or dicts of them as results, got a "
        f"{kind} that was made while tracing and would be the same in each call; return what is in "
        "it, as a tuple or a dict"
    )


def _holds(x: Any, depth: int) -> bool:
    """Tell whether there are Variables in an object, or what they will be computed from."""
    if isinstance(x, (type, ModuleType)) or hasattr(type(x), "parameters"):
        return False
    if isinstance(x, Variable) or hasattr(x, "__next__"):
        return True
    parts = [content(cell) for cell in getattr(x, "__closure__", None) or ()]
    parts += vars(x).values() if hasattr(x, "__dict__") else ()
    parts += [getattr(x, name) for name in getattr(type(x), "__slots__", ()) if hasattr(x, name)]
    parts += x if isinstance(x, (set, frozenset, list, tuple)) else ()
    return depth > 0 and any(_holds(part, depth - 1) for part in parts)


def _reached(roots: list[Any]) -> set[Any]:
    seen = {n for n in roots if n is not None}
    stack = list(seen)
    while stack:
        for parent in stack.pop().parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return seen


def _users_line() -> str:
    """Return file, line and text of where the user's code is."""
    frame = user_frame()
    name, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, number).strip()
    return f"{Path(name).name}:{number}: {text}" if text else f"{Path(name).name}:{number}"


def _refuse_counts(primitive: Any, arguments: Any) -> None:
    """Refuse operations whose result has a shape that depends on values."""
    name = primitive.name
    masked = name in ("getitem", "scatter") and _has_mask(arguments[1:])
    if masked or (name in _COUNTED and holds_variable(arguments)):
        what = "x[mask]" if masked else f"np.{name}"
        raise RuntimeError(
            f"compile: wanted shapes that do not depend on values, got {what} at {_users_line()}; "
            "write np.where(mask, x, 0.0) and sum over it, or pass the places as an integer array"
        )


def _has_mask(index: Any) -> bool:
    if isinstance(index, (tuple, list)):
        return any(map(_has_mask, index))
    return isinstance(index, Variable) and index.dtype.kind == "b"
