"""The program as text: one line of NumPy for each operation. Seventh file to read.

What a primitive is in NumPy stands in the table `_LINES`; one that is not there is called as it is
(`softmax(v3, -1)`), by the name under which the text finds its forward function. Imports `graph`,
`fuse` and NumPy.
"""

from __future__ import annotations

import keyword
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.compiler import fuse
from autograd.compiler.fuse import Group, moves, row_axes
from autograd.compiler.graph import Op, Value
from autograd.engine.primitive import Primitive

__all__ = ["INFIX", "WORTH_FREEING", "Blocks", "Names", "Writer", "expression", "written"]

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "remainder": "%",
    "floor_divide": "//", "power": "**", "less": "<", "less_equal": "<=", "greater": ">",
    "greater_equal": ">=", "equal": "==", "not_equal": "!=", "bitwise_and": "&",
    "bitwise_or": "|", "bitwise_xor": "^", "matmul": "@",
}  # fmt: skip
_VIEW_NAMES = {"reshape", "expand_dims", "squeeze"}
_ROW_NAMES = {"sum", "mean", "max", "min", "softmax", "log_softmax", "shares_of"}
WORTH_FREEING = 4096  # elements
_ANY = ("args", "kwargs")  # the parameters of what takes any arguments: see `ops.plain`


class Names:
    """Names of the values of a program, and of the objects its text refers to."""

    def __init__(self, objects: dict[str, Any] | None = None, chosen: Any = None) -> None:
        self.chosen = chosen or (lambda _, forward: forward)  # what computes a primitive
        self.before: dict[str, str] = {}  # texts that stand before the program's
        self.objects = objects or {"np": np}
        self._of: dict[Any, str] = {}
        self._held: list[Any] = []  # objects known by identity
        self.taken = {
            *self.objects,
            "min",
            "range",
            "i",
            "n",
            "kept",
            "report",
            "rows",
            "start",
            "stop",
            *keyword.kwlist,
        }

    def of(self, value: Value, stem: str | None = None) -> str:
        """Return the name of a value; `stem` is what a new one begins with."""
        if value not in self._of:
            if value.constant is not None:
                return self.text(value.constant)
            self._of[value] = self._new(stem or ("v" if value.op else "x"), numbered=stem is None)
        return self._of[value]

    def object(self, thing: Any, stem: str) -> str:
        """Return the name by which the text refers to a constant or a function."""
        key = id(thing)
        if key not in self._of:
            self._held.append(thing)
            self._of[key] = self._new(stem, numbered=len(stem) == 1)
            self.objects[self._of[key]] = thing
        return self._of[key]

    def _new(self, stem: str, *, numbered: bool) -> str:
        stem = re.sub(r"\W", "_", stem)
        count, name = 0, stem
        while numbered or name in self.taken:
            count, numbered = count + 1, False
            name = f"{stem}{count}"
        self.taken.add(name)
        return name

    def text(self, tree: Any) -> str:
        """Return an argument as it stands in the text."""
        kind = type(tree)
        if kind is Value:
            return self.of(tree)
        if kind is tuple:
            return f"({', '.join(map(self.text, tree))}{',' * (len(tree) == 1)})"
        if kind is list:
            return f"[{', '.join(map(self.text, tree))}]"
        if kind is dict:
            return f"{{{', '.join(f'{k!r}: {self.text(v)}' for k, v in tree.items())}}}"
        if kind in (int, bool, str, type(None)):
            return repr(tree)
        if kind in (float, complex) and np.isfinite(tree):
            return f"({tree!r})" if repr(tree).startswith("-") else repr(tree)
        if kind is type(...):
            return "..."
        if kind is slice:
            return f"slice({self.text(tree.start)}, {self.text(tree.stop)}, {self.text(tree.step)})"
        if isinstance(tree, np.dtype) and tree.kind in "biufc" and tree.isnative:
            return f"np.{tree.name}" + "_" * (tree.kind == "b")
        if isinstance(tree, type) and issubclass(tree, np.generic):
            return f"np.{tree.__name__}"
        if isinstance(tree, np.generic) and tree.dtype.kind in "iuf" and np.isfinite(tree):
            return f"np.{tree.dtype.name}({tree.item()!r})"
        return self.object(tree, "c" if isinstance(tree, (np.ndarray, np.generic)) else "k")

    def scalar(self, tree: Any) -> str:
        """Return a number as it stands in a program of floats."""
        if type(tree) is Value and tree.constant is None:
            return self.of(tree)
        number = float(tree.constant if type(tree) is Value else tree)
        return f"({number!r})" if math.isfinite(number) else f'float("{number!r}")'

    def index(self, tree: Any) -> str:
        """Return an index as it stands between brackets."""
        if type(tree) is tuple and tree:
            return ", ".join(map(self.index, tree)) + "," * (len(tree) == 1)
        if type(tree) is slice:
            parts = ["" if p is None else self.text(p) for p in (tree.start, tree.stop, tree.step)]
            return ":".join(parts[: 2 if tree.step is None else 3])
        return self.text(tree)


# -- one line for one operation --------------------------------------------------------------------


def expression(op: Op, names: Names) -> str:
    """Return what computes an operation, as NumPy."""
    primitive, text = op.primitive, names.text
    line = _LINES.get(primitive.name) if _is_ours(primitive) else None
    shown = op.arguments
    if primitive.parameters == _ANY:  # by position, as in a lookup in a table without gradient
        line, shown = (None, ()) if shown[1] else (line, shown[0])
    if line is not None and (found := line(shown, names)) is not None:
        return found
    if isinstance(primitive.forward, np.ufunc) and primitive.parameters != _ANY:
        return _ufunc(op, names)
    arguments, keywords = _split(primitive, op.arguments)
    given = [*map(text, arguments), *(f"{k}={text(v)}" for k, v in keywords.items())]
    return f"{_function(primitive, names)}({', '.join(given)})"


def _is_ours(primitive: Primitive) -> bool:
    home = getattr(primitive.forward, "__module__", None) or "numpy"
    return home.startswith(("autograd.", "nn.", "numpy"))


def _split(primitive: Primitive, arguments: tuple[Any, ...]) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of the forward function by position and by keyword."""
    if primitive.parameters == _ANY:
        return list(arguments[0]), arguments[1]
    keywords = primitive.parameters[1 if primitive.variadic else primitive.positional :]
    count = len(arguments) - len(keywords)
    named = dict(zip(keywords, arguments[count:], strict=True))
    return list(arguments[:count]), {
        k: v
        for k, v in named.items()
        if k not in primitive.defaults or v is not primitive.defaults[k]
    }


def _function(primitive: Primitive, names: Names) -> str:
    """Return the name of the forward function."""
    forward, name = primitive.forward, primitive.forward.__name__
    if primitive.parameters == _ANY:
        forward = getattr(primitive.call, "__wrapped__", forward)
        name = getattr(forward, "__name__", name)
    if getattr(np, name, None) is forward:
        return f"np.{name}"
    ufunc = getattr(forward, "__self__", None)
    if isinstance(ufunc, np.ufunc):
        return f"np.{ufunc.__name__}.{name}"
    return names.object(names.chosen(primitive, forward), primitive.name.replace(".", "_"))


def _ufunc(op: Op, names: Names) -> str:
    name = op.primitive.name
    arguments = list(map(names.text, op.arguments))
    if name in INFIX and not any(isinstance(a, complex) for a in op.arguments):
        return f"{arguments[0]} {INFIX[name]} {arguments[1]}"
    if name == "negative":
        return f"-{arguments[0]}"
    return f"np.{op.primitive.forward.__name__}({', '.join(arguments)})"


def _reduction(ufunc: str) -> Callable[..., str]:
    def line(a: Any, names: Names) -> str:
        x, axis, dtype, keepdims = a
        given = [names.text(x), f"axis={names.text(axis)}"]
        given += [f"dtype={names.text(dtype)}"] * (dtype is not None) + ["keepdims=True"] * keepdims
        return f"np.{ufunc}.reduce({', '.join(given)})"

    return line


def _extreme(ufunc: str) -> Callable[..., str | None]:
    def line(a: Any, names: Names) -> str | None:
        x, axis, keepdims, *others = a
        if any(other is not np._NoValue for other in others) or not x.size:
            return None
        keep = ", keepdims=True" if keepdims else ""
        return f"np.{ufunc}.reduce({names.text(x)}, axis={names.text(axis)}{keep})"

    return line


def _mean(a: Any, names: Names) -> str | None:
    x, axis, dtype, _ = a
    if dtype is not None or x.dtype.char not in "fdFD" or not x.size:
        return None
    axes = range(len(x.shape)) if axis is None else axis if type(axis) is tuple else (axis,)
    count = int(np.prod([x.shape[i] for i in axes])) if x.shape else 1
    return f"{_reduction('add')(a, names)} / {count}"


def _getitem(a: Any, names: Names) -> str:
    x, index = names.text(a[0]), a[1]
    if type(index) is Value and index.dtype.kind == "i" and index.shape and a[0].shape:
        return f"{x}.take({names.text(index)}, 0)"
    return f"{x}[{names.index(index) or '()'}]"


def _matmul(a: Any, names: Names) -> str | None:
    x, y = a
    if type(x) is not Value or type(y) is not Value:
        return None
    nx, ny = len(x.shape), len(y.shape)
    if 0 < nx < 3 and 0 < ny < 3:
        if nx == ny == 2 and y.shape[0] == 1:
            return f"{names.of(x)} * {names.of(y)}"
        return f"{names.of(x)}.dot({names.of(y)})"
    return None if ny == 2 and nx > 2 else f"{names.of(x)} @ {names.of(y)}"


def _expand_dims(a: Any, names: Names) -> str | None:
    x, axis = a  # as an index, in a tenth of the time
    if type(x) is not Value or type(axis) is not int:
        return None
    place = axis % (len(x.shape) + 1)
    return f"{names.of(x)}[{', '.join([*[':'] * place, 'None'])}]"


def _method(name: str) -> Callable[..., str | None]:
    def line(a: Any, names: Names) -> str | None:
        if type(a[0]) is not Value or not a[0].shape:
            return None
        return f"{names.of(a[0])}.{name}({', '.join(map(names.text, a[1:]))})"

    return line


def _reshape(a: Any, names: Names) -> str | None:
    plain_call = a[2] == "C" and a[3] is None and type(a[0]) is Value
    return f"{names.of(a[0])}.reshape({names.text(a[1])})" if plain_call else None


def _transpose(a: Any, names: Names) -> str | None:
    if type(a[0]) is not Value:
        return None
    return (
        f"{names.of(a[0])}.T" if a[1] is None else f"{names.of(a[0])}.transpose({names.text(a[1])})"
    )


def _call(name: str, count: int | None = None) -> Callable[..., str]:
    return lambda a, names: f"np.{name}({', '.join(map(names.text, a[:count]))})"


def _joined(name: str) -> Callable[..., str | None]:
    def line(a: Any, names: Names) -> str | None:
        *arrays, axis, dtype, _ = a
        if dtype is not None:
            return None
        return f"np.{name}({names.text(tuple(arrays))}, axis={names.text(axis)})"

    return line


_LINES: dict[str, Callable[[Any, Names], str | None]] = {
    "sum": _reduction("add"),
    "prod": _reduction("multiply"),
    "mean": _mean,
    "relu": lambda a, names: f"np.maximum({names.text(a[0])}, 0.0)",
    "max": _extreme("maximum"),
    "min": _extreme("minimum"),
    "getitem": _getitem,
    "matmul": _matmul,
    "reshape": _reshape,
    "transpose": _transpose,
    "swapaxes": _method("swapaxes"),
    "astype": _method("astype"),
    "broadcast_to": _call("broadcast_to"),
    "expand_dims": _expand_dims,
    "squeeze": _call("squeeze"),
    "where": _call("where"),
    "concatenate": _joined("concatenate"),
    "stack": _joined("stack"),
    "detach": lambda a, names: names.text(a[0]),
    "detached": lambda a, names: names.text(a[0]),
}


# -- a whole program -------------------------------------------------------------------------------


class Writer:
    """Writes the lines of one function."""

    def __init__(self, names: Names, threads: int = 1) -> None:
        self.names, self.lines, self.threads = names, [""], threads
        self.indent, self.last = "    ", ""

    def line(self, text: str, op: Op | None = None) -> None:
        """Write one line, with the user's line behind the first of those that it became."""
        comment = ""
        if op is not None and op.line and op.line != self.last:
            comment, self.last = f"  # {op.line}", op.line
        self.lines.append(f"{self.indent}{text}{comment}")

    def op(self, op: Op) -> None:
        """Write an operation as a line."""
        targets = ", ".join(map(self.names.of, op.outputs))
        comma = "," * (op.several and len(op.outputs) == 1)
        self.line(f"{targets}{comma} = {expression(op, self.names)}", op)


def written(
    name: str,
    units: Sequence[Op | Group],
    parameters: Iterable[Value],
    outputs: Sequence[Value],
    names: Names,
    threads: int = 1,
    clock: str = "",
    kept: int = 0,
) -> str:
    """Return the text of a function that computes the outputs, and calls `clock` with the number
    of each unit that has ended, -1 before the first. So many of its parameters as `kept` says come
    in one list, which is emptied, so that each is freed when it is done with.
    """
    given = [names.of(v) for v in parameters]
    writer, state = Writer(names, threads), ""
    used = Counter(v for u in units for v in dict.fromkeys(u.inputs))
    used.update(outputs)
    last = {v: u for u in units for v in u.inputs}
    if kept:
        writer.line(f"{', '.join(given[:kept])}{',' * (kept == 1)} = kept")
        writer.line("kept.clear()")
        given[:kept] = ["kept"]
    if clock:
        writer.line(f"{clock}(-1)")
    for number, unit in enumerate(units):
        wanted = _state(unit)
        if wanted != state:
            state = wanted
            writer.indent = "    "
            if state:
                writer.line(f"with np.errstate({state}):")
                writer.indent += "    "
        if isinstance(unit, Group):
            (unit.writer or Blocks)(unit, used, writer).write()
        else:
            writer.op(unit)
        dead = [
            names.of(v)
            for v in _large(unit)
            if v not in outputs and v.constant is None and last.get(v, unit) is unit
        ]
        if dead:
            writer.line(f"del {', '.join(dead)}")
        if clock:
            writer.line(f"{clock}({number})")
    results = ", ".join(map(names.text, outputs))
    writer.indent = "    "
    writer.line(f"return ({results}{',' * (len(outputs) == 1)})")
    writer.lines[0] = f"def {name}({', '.join([*given, 'report=None'])}):"
    return "\n".join([*writer.lines, ""])


def _large(unit: Op | Group) -> list[Value]:
    """Return the values with names that a unit reads or makes whose memory is worth freeing."""
    made = unit.outputs if isinstance(unit, Op) else ()
    return [v for v in dict.fromkeys((*unit.inputs, *made)) if v.size >= WORTH_FREEING]


def _state(unit: Op | Group) -> str:
    """Return how invalid values are heard of: in backward passes by a report."""
    calm = 'over="ignore"' if unit.calm else ""
    if not unit.quiet:
        return calm
    both = isinstance(unit, Group) and not all(op.quiet for op in unit.ops)
    divide = "call" if both else "ignore"
    return f'divide="{divide}", invalid="call", call=report' + (calm and f", {calm}")


# -- blocks ----------------------------------------------------------------------------------------


class Blocks:
    """Writes the loop of a group. Every value in it has a name for the rows of one block; results
    that nobody needs outside go to scratch, which is used again as soon as it can be.
    """

    def __init__(self, group: Group, used: Counter[Value], writer: Writer) -> None:
        self.group, self.names, self.line = group, writer.names, writer.line
        self.writer, self.k = writer, group.k
        self.rows = math.prod(group.shape[: self.k])
        inner = max(
            math.prod(v.shape[self.k :])
            for v in (*group.inputs, *group.outputs)
            if v.shape[: self.k] == group.shape[: self.k]
        )
        # Threads take turns at the lock of the interpreter: larger blocks, fewer turns.
        size = fuse.BLOCK * (1 if writer.threads == 1 else 8)
        self.step = max(1, size // max(1, inner))
        self.here: dict[Value, str] = {}  # names within the block
        inside = Counter(v for op in group.ops for v in dict.fromkeys(op.inputs))
        self.left = dict(inside)
        self.kept = {v for v in group.outputs if used[v] and v not in group.totals}
        self.free: dict[Any, list[str]] = {}
        self.scratch: dict[str, Any] = {}
        self.owner: dict[Value, str] = {}

    def write(self) -> None:
        """Write everything."""
        group, names, line, k = self.group, self.names, self.line, self.k
        body = Writer(names)
        body.indent = self.writer.indent + "    "
        body.last = self.writer.last
        moving: list[tuple[str, str]] = []
        before: list[str] = []
        for v in group.inputs:
            ops = [op for op in group.ops if v in op.inputs]
            if any(self._moves(v, op) for op in ops):
                rows = self._rows_of(v, names.of(v), before)
                here = self.here[v] = f"{names.of(v)}_"
                moving.append((here, rows))
            elif v.size == 1 and v.shape:
                self.here[v] = f"{names.of(v)}_"
                before.append(f"{names.of(v)}_ = {names.of(v)}.reshape(())[()]")
            elif len(v.shape) > max(0, len(group.shape) - k):
                self.here[v] = f"{names.of(v)}_"
                shape = v.shape[len(v.shape) - (len(group.shape) - k) :]
                before.append(f"{names.of(v)}_ = {names.of(v)}.reshape({shape})")
            else:
                self.here[v] = names.of(v)
        for op in group.ops:
            self._write_op(op, body)
        line(f"# {len(group.ops)} operations, {self.step} of {self.rows} rows at a time")
        for v in (v for v in group.outputs if v in self.kept):
            name = names.of(v)
            line(f"{name} = np.empty({v.shape}, {names.text(v.dtype)})")
            moving.append((f"{name}_", self._rows_of(v, name, before)))
        for text in before:
            line(text)
        outer, totals = self.writer.indent, [op for op in group.ops if op.out in group.totals]
        start, stop = ("start", "stop") if self.writer.threads > 1 else (0, self.rows)
        if self.writer.threads > 1:
            line("def rows(start, stop):")
            self.writer.indent += "    "
        for name, (shape, dtype) in self.scratch.items():
            line(f"{name} = np.empty({(self.step, *shape)}, {names.text(dtype)})")
        for op in totals:
            line(f"{names.of(op.out)} = np.float64(0.0)")
        line(f"for i in range({start}, {stop}, {self.step}):")
        self.writer.indent += "    "
        line(f"n = min({self.step}, {stop} - i)")
        for here, rows in moving:
            line(f"{here} = {rows}[i : i + n]")
        for name in self.scratch:
            line(f"{name}_ = {name}[:n]")
        deeper = "    " * (self.writer.threads > 1)
        self.writer.lines += [deeper + text for text in body.lines[1:]]
        self.writer.last = body.last
        found = "".join(f"{names.of(op.out)}, " for op in totals)
        if self.writer.threads > 1:
            self.writer.indent = self.writer.indent[:-4]
            line(f"return ({found})")
            self.writer.indent = outer
            equals = f"{found}= " if found else ""
            line(f"{equals}in_threads(rows, {self.rows}, {self.step}, {self.writer.threads})")
        self.writer.indent = outer
        for op in totals:
            self._finish(op)
        if self.writer.threads == 1:  # what looks at arrays that may be freed
            views = [name for pair in moving for name in pair if name[-1] == "_" or "_rows" in name]
            scratch = [name for s in self.scratch for name in (s, f"{s}_")]
            line(f"del {', '.join([*views, *scratch])}")

    def _finish(self, op: Op) -> None:
        """Write what a total needs behind the loop."""
        v, names = op.out, self.names
        name = names.of(v)
        value = f"{name} / {_count_of(op)}" if op.primitive.name == "mean" else name
        if not v.shape:
            self.line(f"{name} = {names.text(v.dtype)}({value})")
        else:
            self.line(f"{name} = np.asarray({value}, {names.text(v.dtype)}).reshape({v.shape})")

    def _moves(self, v: Value, op: Op) -> bool:
        if op.primitive.elementwise:
            return moves(v, op.out, self.k)
        return True

    def _rows_of(self, v: Value, name: str, before: list[str]) -> str:
        """Return the name of a value with its leading axes as one."""
        if self.k == 1:
            return name
        before.append(f"{name}_rows = {name}.reshape({(self.rows, *v.shape[self.k :])})")
        return f"{name}_rows"

    def _write_op(self, op: Op, body: Writer) -> None:
        names, k, v = self.names, self.k, op.out
        text = _Here(names, self.here)
        if v in self.group.totals:
            axis = tuple(a - k + 1 for a in row_axes(op) or () if a >= k)
            axes = "None" if not v.shape else (0, *axis)
            keep = ", keepdims=True" if op.arguments[3] and v.shape else ""
            body.line(
                f"{names.of(v)} += np.add.reduce({text.text(op.inputs[0])}, axis={axes}{keep})", op
            )
            self._release(op)
            return
        if op.primitive.name in _VIEW_NAMES:
            self.here[v] = f"{names.of(v)}_"
            source = text.text(op.inputs[0])
            if v in self.kept:
                body.line(f"{self.here[v]}[...] = {source}.reshape({self._shape(v)})", op)
            else:
                body.line(f"{self.here[v]} = {source}.reshape({self._shape(v)})", op)
            return  # its source stays where it is
        line = _in_place(op, text)
        last = [x for x in dict.fromkeys(op.inputs) if self.left.get(x) == 1 and x in self.owner]
        if op.several:
            targets = []
            for part in op.outputs:
                self.here[part] = f"{names.of(part)}_"
                targets.append(
                    self.here[part] if part not in self.kept else f"{self.here[part]}[...]"
                )
            body.line(f"{', '.join(targets)} = {self._along_rows(op, text)}", op)
            self._release(op)
            return
        if line is None or op.primitive.name in _ROW_NAMES:
            value = (
                self._along_rows(op, text) if not op.primitive.elementwise else expression(op, text)
            )
            self.here[v] = f"{names.of(v)}_"
            target = f"{self.here[v]}[...]" if v in self.kept else self.here[v]
            body.line(f"{target} = {value}", op)
            self._release(op)
            return
        if v in self.kept:
            self.here[v] = f"{names.of(v)}_"
        else:
            key = v.shape[k:], v.dtype
            same = next((x for x in last if (x.shape[k:], x.dtype) == key), None)
            if same is not None:  # written over what is read for the last time
                self.owner[v] = self.owner.pop(same)
            else:
                ready = self.free.setdefault(key, [])
                if not ready:
                    name = f"s{len(self.scratch) + 1}"
                    while name in names.taken:
                        name = f"s{int(name[1:]) + 1}"
                    names.taken.add(name)
                    self.scratch[name] = key
                    ready.append(name)
                self.owner[v] = ready.pop()
            self.here[v] = f"{self.owner[v]}_"
        body.line(line.replace("@out", self.here[v]), op)
        self._release(op)

    def _release(self, op: Op) -> None:
        for v in dict.fromkeys(op.inputs):
            self.left[v] -= 1
            if not self.left[v] and v in self.owner:
                name = self.owner.pop(v)
                self.free.setdefault(self.scratch[name], []).append(name)

    def _shape(self, v: Value) -> tuple[int, ...]:
        return (-1, *v.shape[self.k :])

    def _along_rows(self, op: Op, text: Names) -> str:
        """Return an operation along axes behind those of the rows, counted from the end."""
        ndim, axes = len(op.inputs[0].shape), row_axes(op) or []
        back: Any = tuple(a - ndim for a in axes)
        name, x = op.primitive.name, text.text(op.inputs[0])
        if name in ("sum", "mean", "max", "min"):
            ufunc = {"max": "maximum", "min": "minimum"}.get(name, "add")
            keep = ", keepdims=True" if op.arguments[3 if name in ("sum", "mean") else 2] else ""
            axis = back[0] if len(back) == 1 else back
            whole = f"np.{ufunc}.reduce({x}, axis={axis}{keep})"
            return f"{whole} / {_count_of(op)}" if name == "mean" else whole
        axis = back[0] if type(op.arguments[1]) is int else back
        rest = "".join(f", {text.text(a)}" for a in op.arguments[2:])
        return f"{_function(op.primitive, text)}({x}, {axis}{rest})"


class _Here(Names):
    """Names as they are within a block."""

    def __init__(self, names: Names, here: dict[Value, str]) -> None:
        self.__dict__ = names.__dict__ | {"_here": here}

    def of(self, value: Value, stem: str | None = None) -> str:
        """Return the name of a value within the block."""
        return self._here.get(value) or super().of(value, stem)  # type: ignore[attr-defined]


def _count_of(op: Op) -> int:
    """Return how many elements a reduction takes together."""
    return math.prod(op.inputs[0].shape[a] for a in row_axes(op) or ())


def _in_place(op: Op, names: Names) -> str | None:
    """Return the line that writes an elementwise operation into `@out`; None: there is none."""
    primitive, arguments = op.primitive, op.arguments
    forward = primitive.forward
    if primitive.name == "relu" and _is_ours(primitive):
        return f"np.maximum({names.text(arguments[0])}, 0.0, out=@out)"
    if not isinstance(forward, np.ufunc) or forward.nout != 1 or not primitive.elementwise:
        return None
    if any(isinstance(a, complex) for a in arguments):
        return None
    given = list(map(names.text, arguments))
    if forward is np.power and isinstance(arguments[1], (int, float)):
        for number, faster in ((2, "square"), (0.5, "sqrt"), (-1, "reciprocal")):
            if arguments[1] == number and op.out.dtype.kind == "f":
                return f"np.{faster}({given[0]}, out=@out)"
    return f"np.{forward.__name__}({', '.join(given)}, out=@out)"
