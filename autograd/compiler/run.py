"""Running: `compile`, its cache of programs, and the node that a program is in a graph. Last file
to read. Imports everything that is older.
"""

from __future__ import annotations

import builtins
import contextvars
import functools
import linecache
import operator
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd._optional import require
from autograd.arrays import Many, holds_nan
from autograd.compiler.fuse import Group, grouped
from autograd.compiler.graph import Graph, Value, values_in
from autograd.compiler.loops import Loop, Loops, is_one_loop, kernel, texts
from autograd.compiler.passes import PASSES, dead_code
from autograd.compiler.scalars import NAMES, in_python, is_scalar, scalar_source
from autograd.compiler.source import Names, written
from autograd.compiler.trace import RUN, Trace
from autograd.engine.calls import detached
from autograd.engine.graph import Node, Plan, part, record, unwrap, wrap
from autograd.engine.mode import current_mode
from autograd.engine.primitive import Primitive
from autograd.ops.effects import DRAW, OVERWRITE, write
from autograd.transforms.containers import flatten, rebuilt
from autograd.transforms.trace import a_kind
from autograd.variable import Variable

__all__ = ["Compiled", "Entry", "Options", "Program", "compile", "in_threads"]

_ARRAYS = (np.ndarray, np.generic)
_FLAT = frozenset({np.ndarray, Variable, np.float64, np.float32, float, int, bool, str})


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
    ) -> None:
        without, threads, backend = options
        kind, blocks = (Loop, Loops) if backend == "numba" else (Group, None)
        self.graph, self.name, self.count = graph, name, count
        self.names = Names(
            {"np": np, "in_threads": in_threads} if threads > 1 else None,
            kernel if backend == "numba" else None,
        )
        self.inputs = sorted([v for v in graph.inputs if v.constant is None], key=_place)
        for v in self.inputs:
            if v in hints:
                self.names.of(v, hints[v])
        self.units = graph.ops if "fuse" in without else grouped(graph, mixed=mixed, kind=kind)
        given = self.inputs, graph.outputs, self.names, threads, blocks
        self.source = written(name, self.units, *given)
        self.quiet = any(op.quiet for op in graph.ops)
        place = f"<compiled {name} {id(self)}>"
        linecache.cache[place] = len(self.source), None, self.source.splitlines(True), place
        exec(builtins.compile(self.source, place, "exec"), self.names.objects)  # noqa: S102 - our own text
        self.run: Callable[..., tuple[Any, ...]] = self.names.objects[name]
        self.source = texts(self.names.objects) + self.source
        looped = backend == "numba" and is_one_loop(self.units)
        if not looped and "scalars" not in without and is_scalar(graph):
            names = Names({**NAMES, "abs": abs, "float": float})
            text = scalar_source(name, graph, self.inputs, names.scalar)
            exec(text, names.objects)  # noqa: S102 - likewise
            self.source, self.run = text, in_python(names.objects[name], self.run, count)


class Entry:
    """What was made of one trace: a program, and one for its gradients where they are wanted."""

    def __init__(self, owner: Compiled, trace: Trace, recall: Any) -> None:
        self.owner, self.rebuild, self.outputs = owner, trace.rebuild, trace.outputs
        self.guarded = trace.guarded
        self.recall = recall  # makes the entry with guards, see `Compiled.guarded`
        self.recorded = [i for i, r in enumerate(trace.recorded) if r]
        self.targets, self.cotangents = trace.targets, trace.cotangents
        self.known: dict[Value, Any] = dict(trace.captured)  # what stands for a value, each time
        self.arguments = trace.arguments
        self.hints = _hints(owner.function, trace)
        self.captured = [(x, _form(x)) for x in trace.captured.values()]
        self.met = [
            (vars(m).values(), [*map(id, vars(m).values())], [*vars(m).values()])
            for m in trace.met.values()
        ]
        self.kinds = [type(o) is Value and o.is_variable for o in trace.outputs]
        self.draws = [op for op in trace.ops if op.primitive is DRAW]
        self.effects = [op.arguments for op in trace.ops if op.primitive is OVERWRITE]
        updated = [value for _, value in self.effects]
        values = [o for o in trace.outputs if type(o) is Value]
        self.count = len(values) + len(updated)
        ops = [op for op in trace.ops if op.primitive not in (DRAW, OVERWRITE)]
        self.traced = len(trace.ops)
        self.graph = Graph(ops, [*values, *updated, *trace.gradients])
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
        self.results, self.gradients = (
            self.graph.outputs[: self.count],
            self.graph.outputs[self.count :],
        )
        front = Graph(list(self.graph.ops), self.results)
        dead_code(front)
        self.saved: list[Value] = []
        if self.targets:
            small = loops and is_one_loop(grouped(self.graph, mixed=not self.guarded, kind=Loop))
            done = set() if small else set(front.ops)  # what is computed anew is not kept
            back = Graph([op for op in self.graph.ops if op not in done], self.gradients)
            dead_code(back)
            self.backward = self._program("_backward", back, len(self.gradients))
            self.saved = [v for v in self.backward.inputs if v not in self.cotangents]
            front.outputs = [*self.results, *self.saved]
            self.wanted = trace.gradients
            self.needed = _leaves(self.tape, self.wanted, self.cotangents)
            self.plan = Plan(
                owner.primitive,
                joint=self._pull,
                operands=("argument",) * len(self.targets),
                pulls=tuple(map(part, range(len(self.targets)))),
                save=lambda values: values[0],
                rewrap=self._rewrapped,
                makes_zeros=any(op.primitive.makes_zeros for op in ops),
            )
        self.forward = self._program("", front, self.count)

    @property
    def programs(self) -> list[Program]:
        """What can be run: the program, and that of its gradients."""
        return [self.forward, *([self.backward] if self.targets else [])]

    def _program(self, suffix: str, graph: Graph, count: int) -> Program:
        name, options = self.owner.name + suffix, self.owner.options
        return Program(name, graph, options, self.hints, mixed=not self.guarded, count=count)

    def fits(self) -> bool:
        """Tell whether what was met on the way is still what it was."""
        for x, form in self.captured:
            if _form(x) != form:
                return False
        return all([*map(id, now)] == then for now, then, _ in self.met)

    # -- a call ------------------------------------------------------------------------------------

    def __call__(self, leaves: list[Any], draws: list[Any] | None = None) -> Any:
        """Run the program; record it where a gradient is wanted."""
        if draws is None:
            draws = [np.asarray(op.primitive.evaluate(op.arguments)) for op in self.draws]
        known: dict[Any, Any] = self.known | dict(zip(self.arguments, leaves, strict=False))
        if draws:
            known.update(zip((op.out for op in self.draws), draws, strict=True))
        reports: list[str] = []
        out = self.forward.run(
            *[unwrap(known[v]) for v in self.forward.inputs],
            report=lambda kind, _: reports.append(kind),
        )
        if self.forward.quiet and (reports or any(map(_spoiled, out[: self.count]))):
            safe = self.owner.guarded(self)
            if safe is not self:
                return safe(leaves, draws)
        found = iter(out)
        results = [next(found) if type(o) is Value else o for o in self.outputs]
        for (target, _), value in zip(self.effects, found, strict=False):
            write(known.get(target, target.constant), value)
        if self.targets:
            self._record(results, known, out[self.count :])
        for i, (o, is_variable) in enumerate(zip(self.outputs, self.kinds, strict=True)):
            if type(o) is Value and o in known:
                results[i] = known[o]
            elif is_variable and not isinstance(results[i], Variable):
                results[i] = wrap(results[i])
        return results[0] if self.rebuild is next else rebuilt(self.rebuild, results)

    # -- gradients ---------------------------------------------------------------------------------

    def _record(self, results: list[Any], known: dict[Value, Any], saved: Any) -> None:
        """Make of the results that require a gradient the outputs of one node."""
        outputs = tuple(results[i] for i in self.recorded)
        given = tuple([known[v] for v in self.needed])
        out = record(
            self.plan,
            tuple([known[v]._node for v in self.targets]),
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
        return _HandedOver(out)

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
        return self._program("_gradient", graph, len(self.gradients))

    @functools.cached_property
    def _second(self) -> Any:
        """The gradients as a compiled function, which can itself be differentiated."""
        values = [*self.needed, *self.cotangents]

        def gradients(given: Any, parts: Any) -> list[Any]:
            known = dict(zip(values, (*given, *parts), strict=True))
            return _replayed(self.tape, self.wanted, known)

        return Compiled(gradients, self.owner.options, f"{self.owner.name}_gradient")


class _HandedOver(list[Any]):
    """Gradients that are forgotten when they are asked for, so that a leaf may keep its one."""

    def __getitem__(self, place: Any) -> Any:
        g = super().__getitem__(place)
        self[place] = None
        return g


def _place(value: Value) -> tuple[int, int]:
    """Tell where an input of a program stands: arguments first, in their order."""
    kind, which = value.origin if value.op is None else ("made", 0)
    kinds = ("argument", "captured", "made", "cotangent")
    return kinds.index(kind), which if kind in ("argument", "cotangent") else 0


def _hints(function: Any, trace: Trace) -> dict[Value, str]:
    """Return names that the user gave: of parameters of the function, of Variables."""
    hints = {v: x.name for v, x in trace.captured.items() if x.name}
    hints |= {v: f"g{v.origin[1] + 1}" for v in trace.cotangents}
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    if code is not None and len(trace.arguments) == code.co_argcount and trace.flat:
        names = zip(trace.arguments, code.co_varnames, strict=False)
        hints |= {v: name for v, name in names if v is not None}
    return hints


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

    def __init__(self, function: Callable[..., Any], options: Options, name: str = "") -> None:
        self.function, self.options = function, options
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
        if not kwargs and _FLAT.issuperset(map(type, args)):
            leaves, structure = list(args), None
        else:
            leaves, structure = flatten((args, kwargs))[0], _structure((args, kwargs))
        if any(isinstance(unwrap(x), Many) for x in leaves):  # one call for a batch of examples
            return self.function(*args, **kwargs)
        key = (mode.recording, structure, *map(_kind, leaves))
        for entry in self._entries.get(key, ()):
            if entry.fits():
                return entry(leaves)
        with self._lock:
            rebuild = flatten((args, kwargs))[1]
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

    # -- what can be seen of it --------------------------------------------------------------------

    def _entry(self, what: str) -> Entry:
        if self._last is None:
            raise RuntimeError(
                f"{what}: wanted a compiled function that was called, got one that was not, so "
                "there is no program yet; call it once"
            )
        return self._last

    @property
    def source(self) -> str:
        """The text of the program that was made last, and of that of its gradients.

        Raises:
            RuntimeError: before the first call.
        """
        return "\n\n".join(p.source for p in self._entry("source").programs)

    def report(self) -> str:
        """Return what became of the operations of the program that was made last.

        Raises:
            RuntimeError: before the first call.
        """
        entry = self._entry("report")
        lines = [f"{self.name}: {entry.traced} operations seen"]
        for program in entry.programs:
            groups = [u for u in program.units if isinstance(u, Group)]
            fused = sum(len(g.ops) for g in groups)
            values = [v for op in program.graph.ops for v in op.outputs]
            inside = {v for g in groups for v in g.outputs} - {
                v for u in program.units for v in u.inputs
            }
            held = [v for v in values if v not in inside or v in program.graph.outputs]
            lines.append(
                f"{program.name}: {len(program.graph.ops)} operations, {fused} of them in "
                f"{len(groups)} loops over blocks; {_mebibytes(held)} MiB of arrays, "
                f"{_mebibytes(values)} MiB without the loops"
            )
        if entry.targets:
            lines.append(f"kept for the gradients: {_mebibytes(entry.saved)} MiB")
        return "\n".join(lines)

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write the program that was made last as a file of Python that needs NumPy and nothing
        else; see `autograd.compiler.export`.

        Raises:
            RuntimeError: before the first call, and for a program that draws random numbers or
                calls a function whose text cannot be found.
        """
        from autograd.compiler.export import exported  # with `ast` and `base64`

        entry = self._entry("export")
        Path(path).write_text(exported(self.name, self.guarded(entry)), encoding="utf-8")

    def __repr__(self) -> str:
        count = sum(map(len, self._entries.values()))
        return f"<compiled {self.name}: {count} program{'s' * (count != 1)}>"


def _mebibytes(values: Sequence[Value]) -> str:
    return f"{sum(v.size * v.dtype.itemsize for v in values) / 2**20:.2f}"


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


def compile(
    function: Callable[..., Any],
    *,
    threads: int = 1,
    without: Sequence[str] = (),
    backend: str = "numpy",
) -> Compiled:
    """Return a function that computes the same as `function`, traced once and run as NumPy.

    The program is one node in a graph, with a compiled backward pass. It is traced for each
    structure, shape and dtype of the arrays among the arguments, for which of them require a
    gradient, for the grad mode and the mode of modules, and for each value of everything that is no
    array. Parameters and other Variables from outside are read at each call, plain arrays from
    outside are constants by reference. See docs/compile.md.

    Args:
        function: of arrays, Variables, containers of them, and whatever else; a Module.
        threads: how many work on the loops over blocks; the same number, the same bits.
        without: names of passes to leave out: "common", "exact", "spread", "lower", "fuse",
            "scalars".
        backend: "numpy", or "numba" for groups of operations as compiled loops (the extra `fast`);
            a trace takes a second or so then.

    Raises:
        TypeError: for what is no function.
        ValueError: for a pass or a backend that is not known, or less than one thread.
        ImportError: for "numba" where that is not installed.

    Example:
        >>> import numpy as np
        >>> step = compile(lambda x: np.tanh(x * 2.0).sum())
        >>> step(np.zeros(3))
        np.float64(0.0)
        >>> print(step)
        <compiled program: 1 program>
    """
    if not callable(function):  # as a Variable is not
        raise TypeError(f"compile: wanted a function, got {a_kind(function)}; write compile(f)(x)")
    known = {*PASSES, "fuse", "scalars"}
    if not known.issuperset(without):
        got = sorted({*without} - known)
        raise ValueError(f"compile: wanted passes among {', '.join(sorted(known))}, got {got}")
    if threads < 1:
        raise ValueError(f"compile: wanted at least one thread, got {threads}")
    if backend not in ("numpy", "numba"):
        raise ValueError(f"compile: wanted the backend 'numpy' or 'numba', got {backend!r}")
    if backend == "numba":
        require("numba", extra="fast")
    return Compiled(function, Options(tuple(without), int(threads), backend))
