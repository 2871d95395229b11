"""Running: from a trace to programs, a call of them, and the node that a call is in a graph. Last
but one file to read, before `compiled`. Imports everything that is older.
"""

from __future__ import annotations

import builtins
import contextvars
import functools
import linecache
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd.arrays import holds_nan, references
from autograd.compiler.fuse import Group, grouped
from autograd.compiler.graph import Graph, Value, values_in
from autograd.compiler.guards import changed
from autograd.compiler.loop_text import kernel
from autograd.compiler.loops import Loop, is_one_loop
from autograd.compiler.passes import PASSES, dead_code
from autograd.compiler.scalars import NAMES, in_python, is_scalar, scalar_source
from autograd.compiler.source import Names, written
from autograd.compiler.trace import RUN, Trace
from autograd.engine.calls import detached
from autograd.engine.graph import Node, Plan, record, unwrap, wrap
from autograd.ops.effects import DRAW, OVERWRITE, write
from autograd.transforms.containers import rebuilt
from autograd.variable import Variable

__all__ = ["Entry", "Options", "Program", "in_threads"]


class Options(NamedTuple):
    """How programs are made."""

    without: tuple[str, ...] = ()
    threads: int = 1
    backend: str = "numpy"


@functools.cache
def _pool(threads: int) -> Any:
    from concurrent.futures import ThreadPoolExecutor  # 5 ms, for those who want threads

    return ThreadPoolExecutor(threads, thread_name_prefix="autograd.compile")


def in_threads(
    rows: Callable[[int, int], tuple[Any, ...]], total: int, step: int, threads: int
) -> tuple[Any, ...]:
    """Run `rows(start, stop)` for as many parts of 0 ... total as there are threads, each a
    multiple of `step`; return the sums of what the parts return, always added in the same order.
    """
    each = max(1, -(-total // (step * threads))) * step
    starts = range(0, total, each)
    parts = [
        _pool(threads).submit(contextvars.copy_context().run, rows, i, min(i + each, total))
        for i in starts
    ]
    results = [part.result() for part in parts]
    return tuple(functools.reduce(operator.add, column) for column in zip(*results, strict=True))


class Program:
    """A graph as a function of arrays."""

    def __init__(
        self,
        name: str,
        graph: Graph,
        options: Options,
        hints: dict[Value, str],
        *,
        mixed: bool,
        count: int,
        backward: bool = False,
    ) -> None:
        without, threads, backend = options
        loops = backend == "numba"
        self.graph, self.name, self.threads = graph, name, threads
        outside = {"np": np, "in_threads": in_threads} if threads > 1 else None
        self.names = Names(outside, kernel if loops else None)
        self.inputs = sorted([v for v in graph.inputs if v.constant is None], key=_place)
        for v in self.inputs:
            if v in hints:
                self.names.of(v, hints[v])
        kind = Loop if loops else Group
        self.units = graph.ops if "fuse" in without else grouped(graph, mixed=mixed, kind=kind)
        # What was saved comes in one list, see `written`.
        self.kept = sum(_place(v)[0] < _COTANGENT for v in self.inputs) if backward else 0
        self.source = written(
            name, self.units, self.inputs, graph.outputs, self.names, threads, kept=self.kept
        )
        self.quiet = any(op.quiet for op in graph.ops)
        place = f"<compiled {name} {id(self)}>"
        linecache.cache[place] = len(self.source), None, self.source.splitlines(True), place
        exec(builtins.compile(self.source, place, "exec"), self.names.objects)  # noqa: S102 - our own text
        self.run: Callable[..., tuple[Any, ...]] = self.names.objects[name]
        self.source = "".join(self.names.before.values()) + self.source
        if "scalars" not in without and is_scalar(graph) and not is_one_loop(self.units):
            names = Names({**NAMES, "abs": abs, "float": float})
            text = scalar_source(name, graph, self.inputs, names.scalar)
            exec(text, names.objects)  # noqa: S102 - likewise
            self.source, self.run = text, self._in_python(names.objects[name], count)

    def _in_python(self, run: Any, count: int) -> Callable[..., tuple[Any, ...]]:
        """Return the program of Python floats, with the arguments of the one in NumPy."""
        in_numpy, k = self.run, self.kept
        if not k:
            return in_python(run, in_numpy, count)
        flat = in_python(run, lambda *x, report: in_numpy([*x[:k]], *x[k:], report=report), count)
        return lambda kept, *others, report: flat(*kept, *others, report=report)


class Entry:
    """What was made of one trace: a program, and one for its gradients where they are wanted."""

    def __init__(self, owner: Any, trace: Trace, recall: Any) -> None:
        self.owner, self.rebuild, self.outputs = owner, trace.rebuild, trace.outputs
        self.guarded, self.guards = trace.guarded, trace.guards
        self.recall = recall  # makes the entry that lets exact zeros mask, see `safe`
        self.recorded = [i for i, r in enumerate(trace.recorded) if r]
        self.targets, self.cotangents = trace.targets, trace.cotangents
        self.hints = _hints(owner.function, trace)
        self.captured = [*trace.captured.values()]
        self.forms = [
            (x, x._node is None, type(x._data), x._data.shape, x._data.dtype) for x in self.captured
        ]
        self.met = [(vars(m), [*then], [*then.values()]) for m, then in trace.met.values()]
        self.draws = [op for op in trace.ops if op.primitive is DRAW]
        # What stands for a value at each call: an argument, a Variable from outside, a draw.
        given = [*trace.arguments, *trace.captured, *(op.out for op in self.draws)]
        self.places = {v: i for i, v in enumerate(given) if v is not None}
        self.kinds = [
            (i, self.places.get(o), o.is_variable)
            for i, o in enumerate(trace.outputs)
            if type(o) is Value
        ]
        effects = [op.arguments for op in trace.ops if op.primitive is OVERWRITE]
        self.effects = [target for target, _ in effects]
        updated = [value for _, value in effects]
        self.count = len(self.kinds) + len(updated)
        ops = [op for op in trace.ops if op.primitive not in (DRAW, OVERWRITE)]
        self.traced = len(trace.ops)
        results = [o for o in trace.outputs if type(o) is Value] + updated
        self.graph = Graph(ops, [*results, *trace.gradients])
        self.graph.replaced(
            {
                op.out: op.arguments[1]
                for op in trace.ops
                if op.primitive is OVERWRITE and type(op.arguments[1]) is Value
            }
        )
        # Before any pass: what looks alike in numbers may differ in its derivatives.
        loops = owner.options.backend == "numba"
        self.tape = _tape(self.graph, self.graph.outputs[self.count :]) if self.targets else []
        for name, change in PASSES.items():
            if name not in owner.options.without and (name != "lower" or not loops):
                change(self.graph)
        results, self.gradients = self.graph.outputs[: self.count], self.graph.outputs[self.count :]
        front = Graph(list(self.graph.ops), results)
        dead_code(front)
        self.saved: list[Value] = []
        if self.targets:
            small = loops and is_one_loop(grouped(self.graph, mixed=not self.guarded, kind=Loop))
            done = set() if small else set(front.ops)  # what is computed anew is not kept
            back = Graph([op for op in self.graph.ops if op not in done], self.gradients)
            dead_code(back)
            self.backward = self._program("_backward", back, len(self.gradients))
            self.saved = [v for v in self.backward.inputs if v not in self.cotangents]
            read = [self.cotangents.index(v) for v in self.backward.inputs if v in self.cotangents]
            self.parts_read = read
            front.outputs = [*results, *self.saved]
            self.wanted = trace.gradients
            self.needed = _leaves(self.tape, self.wanted, self.cotangents)
            self.needed_places = [self.places[v] for v in self.needed]
            self.target_places = [self.places[v] for v in self.targets]
            self.plan = Plan(
                owner.primitive,
                joint=self._pull,
                operands=("argument",) * len(self.targets),
                save=lambda values: values[0],
                rewrap=self._rewrapped,
                makes_zeros=any(op.primitive.makes_zeros for op in ops),
            )
            self.plan.pulls = tuple(map(_pulled, range(len(self.targets))))
        self.forward = self._program("", front, self.count)
        self.given = [self.places[v] for v in self.forward.inputs]

    @property
    def programs(self) -> list[Program]:
        """What can be run: the program, and that of its gradients."""
        return [self.forward, *([self.backward] if self.targets else [])]

    def _program(self, suffix: str, graph: Graph, count: int) -> Program:
        name, options, back = self.owner.name + suffix, self.owner.options, suffix == "_backward"
        mixed = not self.guarded
        return Program(name, graph, options, self.hints, mixed=mixed, count=count, backward=back)

    def changed(self) -> str | None:
        """Say which name, Variable or module from outside is not what it was, if one is not."""
        for x, constant, kind, shape, dtype in self.forms:
            data = x._data
            same = data.__class__ is kind and (x._node is None) is constant
            # A NumPy scalar, whose attributes take a while, is what its class says.
            if not same or (kind is np.ndarray and (data.shape != shape or data.dtype != dtype)):
                return f"the shape, dtype or requires_grad of {x.name or 'a Variable'}"
        for now, names, then in self.met:
            if len(now) != len(then) or not all(map(operator.is_, now.values(), then)):
                whose = zip(now, now.values(), names, then, strict=False)
                return next((n for n, x, m, y in whose if n != m or x is not y), "an attribute")
        return changed(self.guards)

    @functools.cached_property
    def safe(self) -> Entry:
        """The entry that lets exact zeros mask, as eager code does, for when an invalid value is
        met; itself, if this is one.
        """
        if self.guarded:
            return self
        with self.owner.lock:
            return self.recall()  # type: ignore[no-any-return]

    # -- a call ------------------------------------------------------------------------------------

    def __call__(self, leaves: Any, draws: list[Any] | None = None) -> Any:
        """Run the program; record it where a gradient is wanted."""
        if draws is None:
            draws = [np.asarray(op.primitive.evaluate(op.arguments)) for op in self.draws]
        known = [*leaves, *self.captured, *draws]
        reports: list[str] = []
        out = self.forward.run(
            *[unwrap(known[i]) for i in self.given], report=lambda kind, _: reports.append(kind)
        )
        if (
            self.forward.quiet
            and not self.guarded
            and (reports or any(map(_spoiled, out[: self.count])))
        ):
            return self.safe(leaves, draws)
        for target, value in zip(self.effects, out[len(self.kinds) :], strict=False):
            place = self.places.get(target)
            write(target.constant if place is None else known[place], value)
        results = [*self.outputs]
        for (i, _, _), x in zip(self.kinds, out, strict=False):
            results[i] = x
        if self.targets:
            self._record(results, known, out[self.count :])
        for i, place, is_variable in self.kinds:
            if place is not None:  # what went in comes out as it is
                results[i] = known[place]
            elif is_variable and not isinstance(results[i], Variable):
                results[i] = wrap(results[i])
        return results[0] if self.rebuild is next else rebuilt(self.rebuild, results)

    # -- gradients ---------------------------------------------------------------------------------

    def _record(self, results: list[Any], known: list[Any], saved: Any) -> None:
        """Make of the results that require a gradient the outputs of one node."""
        outputs = tuple([results[i] for i in self.recorded])
        given = tuple([known[i] for i in self.needed_places])
        out = record(
            self.plan,
            tuple([known[i]._node for i in self.target_places]),
            ((tuple(map(unwrap, given)), [*saved]),),
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

    def _pull(self, g: Any, kept: Any) -> dict[int, Any]:
        """Return the gradients of one call by their place: the joint rule of its node."""
        given, saved = kept
        parts = [
            np.zeros(self.outputs[i].shape, self.outputs[i].dtype) if p is None else p
            for i, p in zip(self.recorded, g if type(g) is tuple else (g,), strict=True)
        ]
        if any(isinstance(p, Variable) for p in parts):
            return dict(enumerate(self._second(given, tuple(parts))))
        if references(kept) > _ALONE:  # retained for another pass
            saved = [*saved]
        reports: list[str] = []
        out = self.backward.run(
            *([saved] if saved else ()),
            *[parts[i] for i in self.parts_read],
            report=lambda kind, _: reports.append(kind),
        )
        if not self.guarded and (reports or any(map(_spoiled, out))):
            known = dict(zip(map(_key, self.needed), given, strict=True))
            return self.safe.gradients_from(known, parts)
        return dict(enumerate(out))

    def gradients_from(self, known: dict[Any, Any], parts: list[Any]) -> dict[int, Any]:
        """Return the gradients, given what comes from outside and cotangents."""
        run = self._from_outside
        cotangents = dict(zip(self.cotangents, parts, strict=True))
        given = [cotangents[v] if v in cotangents else known[_key(v)] for v in run.inputs]
        return dict(enumerate(run.run(*given, report=lambda *_: None)))

    @functools.cached_property
    def _from_outside(self) -> Program:
        graph = Graph(list(self.graph.ops), self.gradients)
        dead_code(graph)
        return self._program("_gradient", graph, len(self.gradients))

    @functools.cached_property
    def _second(self) -> Any:
        """The gradients as a compiled function, which can itself be differentiated."""
        values = [*self.needed, *self.cotangents]

        def gradients(given: Any, parts: Any) -> list[Any]:
            known = dict(zip(values, (*given, *parts), strict=True))
            return _replayed(self.tape, self.wanted, known)

        owner = self.owner
        return type(owner)(gradients, owner.options, f"{owner.name}_gradient")


def _pulled(place: int) -> Any:
    """Return the pull of a gradient, which is forgotten, so that a leaf may keep its one."""
    return lambda _, gradients: gradients.pop(place)


def _references_in_a_pull() -> int:
    """Count the references to what a node saved that a joint rule sees where the graph is freed."""
    saved: Any = ([], [])
    return _seen(saved)


def _seen(kept: Any) -> int:
    return references(kept)


_ALONE = _references_in_a_pull()


_KINDS = ("argument", "captured", "made", "cotangent")
_COTANGENT = _KINDS.index("cotangent")


def _place(value: Value) -> tuple[int, int]:
    """Tell where an input of a program stands: arguments first, in their order."""
    kind, which = value.origin if value.op is None else ("made", 0)
    return _KINDS.index(kind), which if kind in ("argument", "cotangent") else 0


def _hints(function: Any, trace: Trace) -> dict[Value, str]:
    """Return names that the user gave: of parameters of the function, of Variables."""
    hints = {v: x.name for v, x in trace.captured.items() if x.name}
    hints |= {v: f"g{v.origin[1] + 1}" for v in trace.cotangents}
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    if code is not None and len(trace.arguments) == code.co_argcount and trace.flat:
        names = zip(trace.arguments, code.co_varnames, strict=False)
        hints |= {v: name for v, name in names if v is not None}
    return hints


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
    if x.__class__ is np.float64:
        return bool(x != x)  # noqa: PLR0124 - true of nan only
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
