"""The text of a loop, which numba compiles, and of its call. Read it after `loops`.

Arithmetic is that of NumPy bit for bit; functions such as `exp` are those of `kernels.polynomials`
and `kernels.series`; sums have a fixed order. The processor notes, as it does for NumPy, where a
result was invalid, infinite by division, or too large. Where it has, the same operations run once
more as NumPy, which then warns, raises or reports in its own words. Imports `loops`, `source`,
`kernels`, and numba where a loop is made.
"""

from __future__ import annotations

import functools
import math
import platform
import re
import sys
from collections import Counter
from typing import Any

import numpy as np

from autograd._optional import require
from autograd.compiler.graph import Op, Value
from autograd.compiler.loops import (
    BEYOND,
    COMPARISONS,
    EXTREMES,
    ROW,
    Loop,
    form,
    is_view,
    operands,
    pattern,
)
from autograd.compiler.source import Writer
from autograd.engine.primitive import PRIMITIVES, Primitive

__all__ = ["CHUNK", "Loops", "kernel"]

CHUNK = 1024  # elements that are added up in their own precision, before the sum goes into float64


class Loops:
    """Writes a loop, its call, and the same operations as NumPy."""

    def __init__(self, group: Loop, used: Counter[Value], writer: Writer) -> None:
        self.group, self.writer, self.k = group, writer, group.k
        self.names, self.lead, self.n = writer.names, group.shape[: group.k], group.size(group.k)
        self.totals = [op for op in group.ops if group.is_total(op, self.k)]
        ends = {op.out for op in self.totals}
        self.kept = [v for v in group.outputs if used[v] and v not in ends]
        self.arrays: dict[tuple[Value, Any], str] = {}  # that come in, by how they move
        self.numbers: dict[Value, str] = {}
        self.outs: dict[Value, str] = {}  # arrays to write to
        self.results: dict[Value, int] = {}  # single numbers to write, by their place
        self.scratch: dict[Value, str] = {}
        self.of: dict[Value, str] = {v: f"v{i}" for i, v in enumerate(group.outputs, 1)}
        self.stages()
        self.flat = not self.k and self.n > CHUNK and not self.last
        parts = self.lead[0] if self.k else -(-self.n // CHUNK) if self.flat else 1
        self.threads = min(writer.threads, parts) if math.prod(group.shape) >= ROW else 1

    def stages(self) -> None:
        """Find out in which of the walks over a row each operation has its turn."""
        group, known = self.group, dict[Value, int]()
        self.at: dict[Op, int] = {}
        self.reductions = {op for op in group.ops if group.is_reduction(op, self.k)}
        for op in group.ops:
            self.at[op] = max((known.get(v, 0) for v in op.inputs), default=0)
            known.update((v, self.at[op] + (op in self.reductions)) for v in op.outputs)
        self.last = max(self.at.values())
        # As late as possible, so that little has to be held from one walk to the next.
        for op in reversed(group.ops):
            if op not in self.reductions and op not in self.totals and self.full(op.out):
                users = [self.at[u] for u in group.ops if op.out in u.inputs]
                self.at[op] = min(users, default=self.at[op])

    def full(self, v: Value) -> bool:
        """Tell whether a value has an element for each of S."""
        return bool(self.group.is_full(v, self.k))

    # -- lines of the loop -------------------------------------------------------------------------

    def body(self) -> list[str]:
        """Return the lines between those that count the rows."""
        self.row: list[str] = []
        self.lines, self.comment, self.limited = self.row, "", False
        self.loaded: set[str] = set()
        for stage in range(self.last + 1):
            ops = [op for op in self.group.ops if self.at[op] == stage]
            walked = [op for op in ops if self.in_walk(op)]
            for op in ops:
                if op not in walked:
                    self.line(f"{self.of[op.out]} = {self.text(op, {})}", op)
                    self.keep(op.out)
            if walked:
                self.walk(stage, walked)
        return self.row

    def in_walk(self, op: Op) -> bool:
        """Tell whether an operation is done for each element of a row."""
        return op in self.reductions or op in self.totals or self.full(op.out)

    def walk(self, stage: int, ops: list[Op]) -> None:
        """Write one walk over the elements of a row."""
        self.lines = []
        here: dict[Any, str] = {}
        sums = [
            op for op in ops if op in self.reductions or (op in self.totals and op.out.size == 1)
        ]
        for op in ops:
            v, name = op.out, self.of[op.out]
            if op in self.reductions or op in self.totals:
                x = " * ".join(self.operand(a, op, here, a.dtype) for a in op.inputs)
                if op not in sums:
                    self.line(f"{self.outs.setdefault(v, f't{len(self.outs) + 1}')}[e] += {x}", op)
                else:
                    part = name + "_part" * (self.n > CHUNK)
                    self.line(f"{part} = {_how(op)}({part}, {x})", op)
                continue
            self.line(f"{name} = {self.text(op, here)}", op)
            here[v] = name
            self.keep(v)
            if v not in self.kept and any(self.at[u] > stage for u in self.at if v in u.inputs):
                self.line(f"{self.scratch.setdefault(v, f's{len(self.scratch) + 1}')}[e] = {name}")
        inner, self.lines = self.lines, self.row
        whole = self.n <= CHUNK
        if not whole:
            for op in sums:
                self.line(f"{self.of[op.out]} = {_start(op, np.float64)}")
            begin, stop = ("begin", "stop") if self.flat and self.threads > 1 else (0, self.n)
            self.line(f"for start in range({begin}, {stop}, {CHUNK}):")
            span = f"span(start, min(start + {CHUNK}, {stop}))"
        parts = [self.of[op.out] + "_part" * (not whole) for op in sums]
        lines = [
            f"{p} = {_start(op, op.inputs[0].dtype)}" for p, op in zip(parts, sums, strict=True)
        ]
        lines.append(f"for e in {f'range({self.n})' if whole else span}:")
        lines += ["    " + line for line in inner]
        if not whole:
            for part, op in zip(parts, sums, strict=True):
                lines.append(f"{self.of[op.out]} = {_how(op)}({self.of[op.out]}, float64({part}))")
        self.row += ["    " * (not whole) + line for line in lines]
        for op in sums:
            v, name = op.out, self.of[op.out]
            if op in self.totals:
                self.line(f"r[{self.results.setdefault(v, len(self.results))}] += {name}")
            else:
                count = op.inputs[0].size // v.size
                mean = f" / {count}" if op.primitive.name == "mean" else ""
                self.line(f"{name} = {_cast(v.dtype, name + mean)}")
                self.keep(v)

    def line(self, text: str, op: Op | None = None) -> None:
        """Write one line, with the user's line behind the first of those that it became."""
        comment = ""
        if op is not None and op.line and op.line != self.comment:
            comment, self.comment = f"  # {op.line}", op.line
        self.lines.append(text + comment)

    def keep(self, v: Value) -> None:
        """Write a value to where it is read after the loop."""
        if v not in self.kept:
            return
        if v.size == 1:
            self.line(f"r[{self.results.setdefault(v, len(self.results))}] = {self.of[v]}")
        else:
            out = self.outs.setdefault(v, f"out{len(self.outs) + 1}")
            self.line(f"{self.place(out, tuple(range(self.k)), full=self.full(v))} = {self.of[v]}")

    def place(self, name: str, axes: tuple[int, ...], *, full: bool) -> str:
        """Return an element of an array that moves along some of the counted axes."""
        index = [f"i{a}" for a in axes if self.lead[a] > 1] + ["e"] * full
        return f"{name}[{', '.join(index)}]"

    def text(self, op: Op, here: dict[Any, str]) -> str:
        """Return what computes an operation."""
        given = operands(op)
        if is_view(op):
            return self.operand(op.inputs[0], op, here, op.out.dtype)
        dtype, name = op.out.dtype, op.primitive.name
        if name in COMPARISONS:
            dtype = np.result_type(*(a.dtype if type(a) is Value else a for a in given))
        truth = {"where": 0, "gate": 1}.get(name)
        dtypes = [np.dtype(bool) if i == truth else dtype for i in range(len(given))]
        parts = [self.operand(a, op, here, d) for a, d in zip(given, dtypes, strict=True)]
        if name in BEYOND:
            self.line(f"noted |= {BEYOND[name].format(*parts)}")
            self.limited = True
        one, zero = _literal(1, dtype), _literal(0, dtype)
        return (form(op) or "").format(*parts, one=one, zero=zero)

    def operand(self, a: Any, op: Op, here: dict[Any, str], dtype: Any) -> str:
        """Return what an operand is called at this place, as a number of `dtype`."""
        if type(a) is not Value:
            return _literal(a.item() if isinstance(a, np.generic) else a, dtype)
        if a in self.of:
            name = self.of[a]
            if self.full(a) and a not in here:
                source = self.outs.get(a) or self.scratch[a]
                axes = tuple(range(self.k)) if a in self.outs else ()
                self.line(f"{name} = {self.place(source, axes, full=True)}")
                here[a] = name
        elif a.size == 1:
            name = self.numbers.setdefault(a, f"n{len(self.numbers) + 1}")
        else:
            alike = is_view(op) or op in self.reductions or op in self.totals
            moves = pattern(a, a if alike else op.out, self.k)
            array = self.arrays.setdefault((a, moves), f"x{len(self.arrays) + 1}")
            axes, full = moves  # type: ignore[misc]
            name = f"{array}_"
            line = f"{name} = {self.place(array, axes, full=full)}"
            if full and array not in here:
                self.line(line)
                here[array] = name
            elif not full and array not in self.loaded:
                self.row.append(line)
                self.loaded.add(array)
        return name if a.dtype == dtype else _cast(dtype, name)

    def function(self) -> tuple[Any, str]:
        """Return the compiled loop and its text."""
        body = self.body()
        names = [*self.arrays.values(), *self.outs.values()]
        names += ["n"] * bool(self.numbers) + ["r"] * bool(self.results)
        names += ["begin", "stop"] * (self.threads > 1)
        group, inside = self.group, "    "
        lines = [f"def loop({', '.join(names)}):"]
        lines += [f"    # {len(group.ops)} operations on {group.shape}", "    feclearexcept(NOTED)"]
        for i, (v, name) in enumerate(self.numbers.items()):
            lines.append(
                f"    {name} = {f'n[{i}] != 0' if v.dtype == bool else _cast(v.dtype, f'n[{i}]')}"
            )
        for v, name in self.scratch.items():
            lines.append(f"    {name} = np.empty({self.n}, {self.names.text(v.dtype)})")
        many = self.threads > 1
        for a, count in enumerate(self.lead):
            if count > 1:
                span = "begin, stop" if many and not a else count
                lines.append(f"{inside}for i{a} in range({span}):")
                inside += "    "
        lines += [inside + line for line in body]
        if self.limited:
            lines.insert(2, "    noted = 0")
        more = " | noted" * self.limited
        text = "\n".join([*lines, f"    return fetestexcept(NOTED){more}", ""])
        types = [
            (v.dtype.char, len([a for a in axes if self.lead[a] > 1]) + full, True)
            for (v, (axes, full)) in self.arrays
        ]
        for v in self.outs:
            total = any(v is op.out for op in self.totals)
            types.append(("d" if total else v.dtype.char, len(self.shape(v)), False))
        types += [("d", 1, True)] * bool(self.numbers) + [("d", 1, False)] * bool(self.results)
        key = re.sub(r"  # .*", "", text)
        return _compiled(key, tuple(types), many), text

    def shape(self, v: Value) -> tuple[int, ...]:
        """Return the shape in which a loop has an array to write to."""
        if any(v is op.out for op in self.totals):
            return (self.n,)
        return tuple(n for n in self.lead if n > 1) + (self.n,) * self.full(v)

    # -- lines around it ---------------------------------------------------------------------------

    def write(self) -> None:
        """Write everything."""
        function, text = self.function()
        names, line, writer = self.names, self.writer.line, self.writer
        name = names.object(function, "loop")
        names.before.setdefault(name, text.replace("def loop(", f"def {name}(") + "\n\n")
        given = []
        for v, (axes, full) in self.arrays:
            shape = tuple(self.lead[a] for a in axes if self.lead[a] > 1) + (self.n,) * full
            again = "" if v.shape == shape else f".reshape({shape})"
            given.append(f"np.ascontiguousarray({names.of(v)}){again}")
        totals = {op.out: op for op in self.totals}
        local: dict[Value, str] = {}
        fresh: list[str] = []
        for v in self.outs:
            if v in totals:
                local[v] = names._new("t", numbered=True)
                fresh.append(f"{local[v]} = np.zeros({self.n})")
                given.append(local[v])
            else:
                line(f"{names.of(v)} = np.empty({v.shape}, {names.text(v.dtype)})")
                again = "" if v.shape == self.shape(v) else f".reshape({self.shape(v)})"
                given.append(f"{names.of(v)}{again}")
        if self.numbers:
            given.append(names._new("n", numbered=True))
            items = ", ".join(f"{names.of(v)}.item()" for v in self.numbers)
            line(f"{given[-1]} = np.array([{items}], np.float64)")
        if self.results:
            given.append(names._new("r", numbered=True))
            fresh.append(f"{given[-1]} = np.zeros({len(self.results)})")
        call = f"{name}({', '.join(given)})"
        if self.threads > 1:
            found = [*local.values(), *([given[-1]] if self.results else [])]
            line("def rows(start, stop):")
            for text in fresh:
                line(f"    {text}")
            line(f"    return {', '.join([f'{call[:-1]}, start, stop)', *found])},")
            total, step = (self.n, CHUNK) if self.flat else (self.lead[0], 1)
            found = ["noted", *found]
            line(f"{', '.join(found)}, = in_threads(rows, {total}, {step}, {self.threads})")
            call = "noted"
        else:
            for text in fresh:
                line(text)
        line(f"if {call}:  # once more, for NumPy to say what is wrong")
        writer.indent += "    "
        for op in self.group.ops:
            writer.op(op)
        writer.indent = writer.indent[:-4]
        writer.last = ""
        if not totals and not self.results:
            return
        line("else:")
        for v in [*local, *self.results]:
            value = local.get(v) or f"{given[-1]}[{self.results[v]}]"
            if v in totals and totals[v].primitive.name == "mean":
                value = f"{value} / {totals[v].inputs[0].size // v.size}"
            kind = names.text(v.dtype)
            if v.shape:
                value = f"np.asarray({value}, {kind}).reshape({v.shape})"
            elif v.dtype != np.float64:
                value = f"{kind}({value})"
            line(f"    {names.of(v)} = {value}")


def _how(op: Op) -> str:
    """Return what takes two parts of a row together."""
    return EXTREMES.get(op.primitive.name, "plus")


def _start(op: Op, dtype: Any) -> str:
    """Return what a walk over a row begins with."""
    return _literal({"larger": -math.inf, "smaller": math.inf}.get(_how(op), -0.0), dtype)


def _cast(dtype: Any, text: str) -> str:
    """Return a number as one of `dtype`."""
    return f"{np.dtype(dtype).name}({text})"


def _literal(x: Any, dtype: Any) -> str:
    """Return a constant as it stands in the text."""
    if np.dtype(dtype).kind == "b":
        return repr(bool(x))
    text = repr(float(x))
    text = f"({text})" if text.startswith("-") else text
    return _cast(dtype, text) if dtype == np.float32 else text


# -- compiled --------------------------------------------------------------------------------------


@functools.cache
def _namespace() -> dict[str, Any]:
    """Return what the text of a loop refers to."""
    numba = require("numba", extra="fast")
    from autograd.kernels import polynomials, series

    types = numba.types
    names = {n: getattr(polynomials, n) for n in ("erf", "erfc", "exp", "expm1", "tanh")}
    names |= {n: getattr(series, n) for n in series.__all__}
    for flag in ("feclearexcept", "fetestexcept"):  # of C
        names[flag] = types.ExternalFunction(flag, types.int32(types.int32))
    inline = numba.njit(error_model="numpy", forceinline=True)
    names |= {
        "np": np, "float32": np.float32, "float64": np.float64, "inf": math.inf, "nan": math.nan,
        "sqrt": math.sqrt, "NOTED": _noted(),
        "plus": numba.njit(lambda x, y: x + y, fastmath={"reassoc"}, forceinline=True),
        "larger": inline(lambda x, y: x if (x >= y) | (x != x) else y),  # noqa: PLR0124
        "smaller": inline(lambda x, y: x if (x <= y) | (x != x) else y),  # noqa: PLR0124
        "square": inline(lambda x: x * x),
        # Of unsigned integers, which are never counted from the end: those are not vectorised.
        "span": inline(lambda i, j: range(np.uint64(i), np.uint64(j))),
        "logistic": inline(lambda e, x, one: (e if x < 0 else one) / (e + one)),
        "slope": inline(lambda e, one: e / ((e + one) * (e + one))),
    }  # fmt: skip
    return names


def _noted() -> int:
    """Return the bits of C that stand for invalid, divided by zero and too large."""
    if sys.platform == "win32":
        return 28
    return 13 if platform.machine().lower() in ("x86_64", "amd64", "i686") else 7


@functools.cache
def _compiled(text: str, kinds: tuple[tuple[str, int, bool], ...], threads: bool) -> Any:
    """Return a loop, compiled; the same text is compiled once."""
    numba = require("numba", extra="fast")
    given = [
        numba.types.Array(numba.from_dtype(np.dtype(char)), ndim, "C", readonly=readonly)
        for char, ndim, readonly in kinds
    ]
    given += [numba.types.int64] * (2 * threads)
    names = dict(_namespace())
    exec(compile(text, "<loop>", "exec"), names)  # noqa: S102 - our own text
    make = numba.njit(numba.types.int32(*given), error_model="numpy", nogil=True)
    return make(names["loop"])


@functools.cache
def kernel(primitive: Primitive, forward: Any) -> Any:
    """Return what computes a primitive outside of loops: a compiled kernel, where there is one."""
    from autograd.kernels._switch import compiled

    ours = PRIMITIVES.get(primitive.name) is primitive
    return compiled(primitive.name, forward) if ours else forward


Loop.writer = Loops
