"""The program as text: one line of NumPy for each operation. Fourth file to read, after `passes`.

What a primitive is in NumPy stands in the table `_LINES`; a primitive that is not there is called as
it is (`softmax(v3, -1)`), by the name under which the text finds its forward function. Imports
`graph` and NumPy.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd.compiler.graph import Graph, Op, Value
from autograd.engine.primitive import Primitive

__all__ = ["INFIX", "Names", "expression", "written"]

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "remainder": "%",
    "floor_divide": "//", "power": "**", "less": "<", "less_equal": "<=", "greater": ">",
    "greater_equal": ">=", "equal": "==", "not_equal": "!=", "bitwise_and": "&",
    "bitwise_or": "|", "bitwise_xor": "^", "matmul": "@",
}  # fmt: skip
_ANY = ("args", "kwargs")  # the parameters of what takes any arguments: see `ops.plain`


class Names:
    """Names of the values of a program, and of the objects its text refers to."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {"np": np}
        self._of: dict[Any, str] = {}
        self._held: list[Any] = []  # objects known by identity
        self._taken = {"np", *keyword.kwlist}

    def of(self, value: Value, stem: str | None = None) -> str:
        """Return the name of a value; `stem` is what a new one begins with."""
        if value not in self._of:
            if value.constant is not None:
                return self.object(value.constant, "c")
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
        while numbered or name in self._taken:
            count, numbered = count + 1, False
            name = f"{stem}{count}"
        self._taken.add(name)
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
    if line is not None and (found := line(op.arguments, names)) is not None:
        return found
    if isinstance(primitive.forward, np.ufunc) and primitive.parameters != _ANY:
        return _ufunc(op, names)
    arguments, keywords = _split(primitive, op.arguments)
    given = [*map(text, arguments), *(f"{k}={text(v)}" for k, v in keywords.items())]
    return f"{_function(primitive, names)}({', '.join(given)})"


def _is_ours(primitive: Primitive) -> bool:
    return (getattr(primitive.forward, "__module__", None) or "numpy").startswith(
        ("autograd.", "numpy")
    )


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
    return names.object(forward, primitive.name.replace(".", "_"))


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
    "getitem": _getitem,
    "matmul": _matmul,
    "reshape": _reshape,
    "transpose": _transpose,
    "swapaxes": _method("swapaxes"),
    "astype": _method("astype"),
    "broadcast_to": _call("broadcast_to"),
    "expand_dims": _call("expand_dims"),
    "squeeze": _call("squeeze"),
    "where": _call("where"),
    "concatenate": _joined("concatenate"),
    "stack": _joined("stack"),
    "detach": lambda a, names: names.text(a[0]),
    "detached": lambda a, names: names.text(a[0]),
}


# -- a whole program -------------------------------------------------------------------------------


def written(
    name: str, graph: Graph, parameters: Iterable[Value], names: Names, body: Any = None
) -> str:
    """Return the text of a function that computes the outputs of a graph."""
    given = [names.of(v) for v in parameters]
    lines, quiet, last = [], False, ""
    for op in graph.ops:
        if op.quiet != quiet:
            quiet = op.quiet
            if quiet:
                lines.append('    with np.errstate(divide="ignore", invalid="call", call=report):')
        indent = "        " if quiet else "    "
        targets = ", ".join(map(names.of, op.outputs))
        text = f"{indent}{targets}{',' * (op.several and len(op.outputs) == 1)} = {expression(op, names)}"
        comment = "" if op.line == last else f"  # {op.line}"
        last = op.line
        lines.append(text + comment)
    results = ", ".join(map(names.text, graph.outputs))
    lines.append(f"    return ({results}{',' * (len(graph.outputs) == 1)})")
    return "\n".join([f"def {name}({', '.join([*given, 'report=None'])}):", *lines, ""])
