"""Running: `compile`, its cache of programs, and the node that a program is in a graph. Last file
to read. Imports everything that is older.
"""

from __future__ import annotations

import builtins
import functools
import linecache
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.arrays import holds_nan
from autograd.compiler.fuse import grouped
from autograd.compiler.graph import Graph, Value, values_in
from autograd.compiler.passes import PASSES, dead_code
from autograd.compiler.source import Names, written
from autograd.compiler.trace import RUN, Trace
from autograd.engine.calls import detached
from autograd.engine.graph import Node, Plan, record, unwrap, wrap
from autograd.engine.mode import current_mode
from autograd.engine.primitive import Primitive
from autograd.ops.effects import DRAW, OVERWRITE, write
from autograd.transforms.containers import flatten, rebuilt
from autograd.variable import Variable

__all__ = ["Compiled", "Entry", "Program", "compile"]

_ARRAYS = (np.ndarray, np.generic)


class Program:
    """A graph as a function of arrays."""

    def __init__(self, name: str, graph: Graph, without: Sequence[str], *, mixed: bool) -> None:
        self.graph, self.names = graph, Names()
        self.inputs = [v for v in graph.inputs if v.constant is None]
        self.units = graph.ops if "fuse" in without else grouped(graph, mixed=mixed)
        self.source = written(name, self.units, self.inputs, graph.outputs, self.names)
        self.quiet = any(op.quiet for op in graph.ops)
        place = f"<compiled {name} {id(self)}>"
        linecache.cache[place] = len(self.source), None, self.source.splitlines(True), place
        exec(builtins.compile(self.source, place, "exec"), self.names.objects)  # noqa: S102 - our own text
        self.run: Callable[..., tuple[Any, ...]] = self.names.objects[name]


class Entry:
    """What was made of one trace: a program, and one for its gradients where they are wanted."""

    def __init__(self, owner: Compiled, trace: Trace, recall: Any) -> None:
        self.owner, self.rebuild, self.outputs = owner, trace.rebuild, trace.outputs
        self.guarded = trace.guarded
        self.recall = recall  # makes the entry with guards, see `Compiled.guarded`
        self.recorded = [i for i, r in enumerate(trace.recorded) if r]
        self.targets, self.cotangents = trace.targets, trace.cotangents
        self.captured = [(x, _form(x)) for x in trace.captured.values()]
        self.met = [(vars(m), tuple(vars(m).items())) for m in trace.met.values()]
        self.kinds = [type(o) is Value and o.is_variable for o in trace.outputs]
        self.draws = [op for op in trace.ops if op.primitive is DRAW]
        self.effects = [op.arguments for op in trace.ops if op.primitive is OVERWRITE]
        updated = [value for _, value in self.effects]
        values = [o for o in trace.outputs if type(o) is Value]
        self.count = len(values) + len(updated)
        ops = [op for op in trace.ops if op.primitive not in (DRAW, OVERWRITE)]
        self.graph = Graph(ops, [*values, *updated, *trace.gradients])
        self.graph.replaced(
            {
                op.out: op.arguments[1]
                for op in trace.ops
                if op.primitive is OVERWRITE and type(op.arguments[1]) is Value
            }
        )
        # Before any pass: what looks alike in numbers may differ in its derivatives.
        self.tape = _tape(self.graph, self.graph.outputs[self.count :]) if self.targets else []
        for name, change in PASSES.items():
            if name not in owner.without:
                change(self.graph)
        self.results, self.gradients = (
            self.graph.outputs[: self.count],
            self.graph.outputs[self.count :],
        )
        front = Graph(list(self.graph.ops), self.results)
        dead_code(front)
        self.saved: list[Value] = []
        if self.targets:
            done = set(front.ops)
            back = Graph([op for op in self.graph.ops if op not in done], self.gradients)
            dead_code(back)
            self.backward = self._program("_backward", back)
            self.saved = [v for v in self.backward.inputs if v not in self.cotangents]
            front.outputs = [*self.results, *self.saved]
            self.wanted = trace.gradients
            self.needed = _leaves(self.tape, self.wanted, self.cotangents)
            self.makes_zeros = any(op.primitive.makes_zeros for op in ops)
        self.forward = self._program("", front)

    def _program(self, suffix: str, graph: Graph) -> Program:
        name, without = self.owner.name + suffix, self.owner.without
        return Program(name, graph, without, mixed=not self.guarded)

    def fits(self) -> bool:
        """Tell whether what was met on the way is still what it was."""
        return all(_form(x) == form for x, form in self.captured) and all(
            len(now) == len(then) and all(now.get(key, now) is value for key, value in then)
            for now, then in self.met
        )

    # -- a call ------------------------------------------------------------------------------------

    def __call__(self, leaves: list[Any], draws: list[Any] | None = None) -> Any:
        """Run the program; record it where a gradient is wanted."""
        if draws is None:
            draws = [np.asarray(op.primitive.evaluate(op.arguments)) for op in self.draws]

        def at(value: Value) -> Any:
            """Return what stands for a value that comes from outside: a Variable or an array."""
            if value.op is not None:
                return draws[next(i for i, op in enumerate(self.draws) if op is value.op)]
            kind, which = value.origin
            return leaves[which] if kind == "argument" else which

        reports: list[str] = []
        out = self.forward.run(
            *[unwrap(at(v)) for v in self.forward.inputs],
            report=lambda kind, _: reports.append(kind),
        )
        if self.forward.quiet and (reports or any(map(_spoiled, out[: self.count]))):
            safe = self.owner.guarded(self)
            if safe is not self:
                return safe(leaves, draws)
        found = iter(out)
        results = [next(found) if type(o) is Value else o for o in self.outputs]
        for (target, _), value in zip(self.effects, found, strict=False):
            write(at(target), value)
        if self.targets:
            self._record(results, at, out[self.count :])
        for i, (o, is_variable) in enumerate(zip(self.outputs, self.kinds, strict=True)):
            if type(o) is Value and o.op is None and o.constant is None:
                results[i] = at(o)
            elif is_variable and not isinstance(results[i], Variable):
                results[i] = wrap(results[i])
        return rebuilt(self.rebuild, results)

    # -- gradients ---------------------------------------------------------------------------------

    def _record(self, results: list[Any], at: Callable[[Value], Any], saved: Any) -> None:
        """Make of the results that require a gradient the outputs of one node."""
        outputs = tuple(results[i] for i in self.recorded)
        given = tuple(at(v) for v in self.needed)
        plan = Plan(
            name=self.owner.name,
            primitive=self.owner.primitive,
            joint=self._pull,
            operands=("argument",) * len(self.targets),
            fits=(None,) * len(self.targets),
            save=lambda values: values[0],
            rewrap=self._rewrapped,
            makes_zeros=self.makes_zeros,
        )
        out = record(
            plan,
            tuple(at(v)._node for v in self.targets),
            ((tuple(map(unwrap, given)), tuple(saved)),),
            outputs if len(outputs) > 1 else outputs[0],
            given,
        )
        for i, variable in zip(self.recorded, out if len(outputs) > 1 else (out,), strict=True):
            results[i] = variable

    def _rewrapped(self, node: Node) -> Any:
        given, saved = node.saved
        nodes = dict(zip(self.targets, node.parents, strict=True))
        return tuple(
            wrap(x, nodes[v]) if v in nodes else x for x, v in zip(given, self.needed, strict=True)
        ), saved

    def _pull(self, g: Any, kept: Any) -> list[Any]:
        """Return the gradients of one call: the rule of its node."""
        given, saved = kept
        parts = [
            np.zeros(self.outputs[i].shape, self.outputs[i].dtype) if p is None else p
            for i, p in zip(self.recorded, g if type(g) is tuple else (g,), strict=True)
        ]
        if any(isinstance(p, Variable) for p in parts):
            return self._second(given, tuple(parts))  # type: ignore[no-any-return]
        known = dict(zip(self.saved, saved, strict=True))
        known |= dict(zip(self.cotangents, parts, strict=True))
        reports: list[str] = []
        out = self.backward.run(
            *[known[v] for v in self.backward.inputs], report=lambda kind, _: reports.append(kind)
        )
        if reports or any(map(_spoiled, out)):
            safe = self.owner.guarded(self)
            if safe is not self:
                return safe.gradients_from(
                    dict(zip(map(_key, self.needed), given, strict=True)), parts
                )
        return list(out)

    def gradients_from(self, known: dict[Any, Any], parts: list[Any]) -> list[Any]:
        """Return the gradients, given what comes from outside and cotangents."""
        run = self._from_outside
        cotangents = dict(zip(self.cotangents, parts, strict=True))
        given = [cotangents[v] if v in cotangents else known[_key(v)] for v in run.inputs]
        return list(run.run(*given, report=lambda *_: None))

    @functools.cached_property
    def _from_outside(self) -> Program:
        graph = Graph(list(self.graph.ops), self.gradients)
        dead_code(graph)
        return self._program("_gradient", graph)

    @functools.cached_property
    def _second(self) -> Any:
        """The gradients as a compiled function, which can itself be differentiated."""
        values = [*self.needed, *self.cotangents]

        def gradients(given: Any, parts: Any) -> list[Any]:
            known = dict(zip(values, (*given, *parts), strict=True))
            return _replayed(self.tape, self.wanted, known)

        return Compiled(gradients, without=self.owner.without, name=f"{self.owner.name}_gradient")


def _form(x: Any) -> Any:
    return x._data.shape, x._data.dtype, x._node is not None


def _key(value: Value) -> Any:
    """Return what a value from outside has in common with that of another trace."""
    if value.op is not None:
        return "draw", repr(value.op.arguments), value.op.line
    kind, which = value.origin
    return kind, which if kind == "argument" else id(which)


def _tape(graph: Graph, outputs: list[Any]) -> list[tuple[Any, ...]]:
    """Return the operations that some outputs depend on, as they are now."""
    part = Graph(list(graph.ops), outputs)
    dead_code(part)
    return [(op.primitive, op.arguments, op.outputs, op.several) for op in part.ops]


def _leaves(tape: list[Any], outputs: list[Any], but: list[Value]) -> list[Value]:
    """List what comes from outside."""
    made = {v for _, _, values, _ in tape for v in values}
    read = [v for _, arguments, _, _ in tape for v in values_in(arguments)] + list(
        values_in(outputs)
    )
    return [v for v in dict.fromkeys(read) if v not in made and v not in but and v.constant is None]


def _spoiled(x: Any) -> bool:
    return x.dtype.kind in "fc" and holds_nan(x)


def _replayed(tape: list[Any], outputs: list[Any], known: dict[Value, Any]) -> list[Any]:
    """Evaluate a program by the public functions of its primitives, which record."""

    def value(tree: Any) -> Any:
        kind = type(tree)
        if kind is Value:
            return known[tree] if tree in known else tree.origin[1]
        if kind is tuple or kind is list:
            return kind([value(part) for part in tree])
        return {k: value(v) for k, v in tree.items()} if kind is dict else tree

    for made, arguments, outs, several in tape:
        given = value(arguments)
        if made.parameters == ("args", "kwargs"):
            out = made.call(*given[0], **given[1])
        elif made is RUN:
            out = (given[0](*given[1]),)
            out = out[0] if type(out[0]) is tuple else out
            out = (*out, None) if any(given[2]) else out if several else out[0]
        elif made.name in ("detach", "detached"):
            out = detached(given[0]) if made.name == "detach" else given[0].detach()
        else:
            names = made.parameters[1 if made.variadic else made.positional :]
            count = len(given) - len(names)
            out = made.call(*given[:count], **dict(zip(names, given[count:], strict=True)))
        known.update(zip(outs, out if several else (out,), strict=True))
    return [value(v) for v in outputs]


class Compiled:
    """A function that is traced once for each kind of arguments, and then run as NumPy."""

    def __init__(
        self, function: Callable[..., Any], *, without: Sequence[str] = (), name: str = ""
    ) -> None:
        self.function, self.without = function, tuple(without)
        functools.update_wrapper(self, function)
        self.name = name or getattr(function, "__name__", type(function).__name__)
        self.name = self.name if self.name.isidentifier() else "program"
        self.primitive = Primitive(self.name, function, ("inputs",), {}, variadic=True)
        self._entries: dict[Any, list[Entry]] = {}
        self._safe: dict[Entry, Entry] = {}
        self._lock = threading.RLock()
        self._last: Entry | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute what the function does; trace it first where these arguments are new to it."""
        mode = current_mode()
        if mode.tracing or mode.inspector is not None:  # a part of a larger program
            return self.function(*args, **kwargs)
        leaves, rebuild = flatten((args, kwargs))
        key = (mode.recording, _structure((args, kwargs)), *map(_kind, leaves))
        for entry in self._entries.get(key, ()):
            if entry.fits():
                return entry(leaves)
        with self._lock:
            entry = self._traced(leaves, rebuild, recording=mode.recording)
            self._entries.setdefault(key, []).insert(0, entry)
        return entry(leaves)

    def _traced(
        self, leaves: Any, rebuild: Any, *, recording: bool, guarded: bool = False
    ) -> Entry:
        example = [_like(x) for x in leaves]
        again = functools.partial(self._traced, example, rebuild, recording=recording, guarded=True)
        trace = Trace(self.function, leaves, rebuild, recording=recording, guarded=guarded)
        self._last = Entry(self, trace, again)
        return self._last

    def guarded(self, entry: Entry) -> Entry:
        """Return the entry that lets exact zeros mask, as eager code does, instead of one that has
        met an invalid value.
        """
        with self._lock:
            if entry not in self._safe:
                safe = entry.recall()
                self._safe[entry] = self._safe[safe] = safe
            return self._safe[entry]

    @property
    def source(self) -> str:
        """The text of the program that was made last."""
        entry = self._last
        if entry is None:
            raise RuntimeError("source: wanted a function that was called, got one that was not")
        return "\n\n".join(
            p.source for p in (entry.forward, *([entry.backward] if entry.targets else ()))
        )


def _like(x: Any) -> Any:
    """Return ones in the place of an array, so that no memory is held; anything else as it is."""
    data = unwrap(x)
    if not isinstance(data, _ARRAYS):
        return x
    data = np.ones_like(data)
    return Variable(data, requires_grad=x.requires_grad) if isinstance(x, Variable) else data


def _structure(tree: Any) -> Any:
    kind = type(tree)
    if kind is tuple or kind is list:
        return kind, tuple(map(_structure, tree))
    if kind is dict:
        return dict, tuple((k, _structure(v)) for k, v in tree.items())
    if hasattr(tree, "_fields"):
        return kind, tuple(map(_structure, tree))
    return tree is None


def _kind(leaf: Any) -> Any:
    """Return what two leaves have in common that one program serves."""
    data = leaf._data if isinstance(leaf, Variable) else leaf
    if isinstance(data, _ARRAYS):
        variable = leaf is not data
        return variable, variable and leaf._node is not None, data.shape, data.dtype
    if isinstance(leaf, (bool, int, float, complex, str)):
        return type(leaf), repr(leaf)
    try:
        hash(leaf)
    except TypeError:
        return _Identity(leaf)
    return leaf


class _Identity:
    """A key for what has no hash, which keeps it alive."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def __hash__(self) -> int:
        return id(self.held)

    def __eq__(self, other: object) -> bool:
        return type(other) is _Identity and other.held is self.held


def compile(function: Callable[..., Any], *, without: Sequence[str] = ()) -> Compiled:
    """Return a function that computes the same, traced once and run as a program in NumPy."""
    return Compiled(function, without=without)
