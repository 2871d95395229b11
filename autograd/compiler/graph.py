"""The program as data: values and the operations between them. First file to read.

A `Graph` is in single-assignment form: each `Value` is made once, by one `Op` or from outside, and
knows shape and dtype. Arguments of an operation are what was passed, with a `Value` in the place of
each array: numbers, axes and strings stay as they are. Imports `engine` and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autograd.engine.primitive import Primitive

__all__ = ["Graph", "Op", "Value", "mapped", "values_in"]


class Value:
    """One array of a program. `origin` says where it comes from: an `Op`, or a pair of
    "argument" and its number, "captured" and the Variable, "constant" and the array, "cotangent"
    and the number of the output. `own` is a constant that nobody else can change.
    """

    __slots__ = ("dtype", "is_variable", "origin", "own", "shape", "size")

    def __init__(self, origin: Any, like: Any, *, is_variable: bool = False) -> None:
        self.origin = origin
        self.shape, self.dtype, self.size = like.shape, like.dtype, like.size
        self.is_variable = is_variable  # what eager code would have here, and not an array
        self.own = False

    @property
    def op(self) -> Op | None:
        """The operation that made it, if one did."""
        return self.origin if type(self.origin) is Op else None

    @property
    def constant(self) -> Any:
        """The array, where it is the same in every run; else None."""
        return (
            self.origin[1] if type(self.origin) is tuple and self.origin[0] == "constant" else None
        )

    def __repr__(self) -> str:
        made = self.op.primitive.name if self.op else self.origin[0]
        return f"<{made} {self.dtype}{list(self.shape)}>"


class Op:
    """One call of a primitive."""

    __slots__ = ("arguments", "calm", "line", "outputs", "primitive", "quiet", "several")

    def __init__(
        self, primitive: Primitive, arguments: tuple[Any, ...], line: str, *, quiet: bool = False
    ) -> None:
        self.primitive, self.arguments, self.line = primitive, arguments, line
        self.calm = False  # overflows without a warning, as its kernel does
        # Of a backward pass, which divides by zero without a warning and hears of invalid values.
        self.quiet = quiet
        self.outputs: tuple[Value, ...] = ()
        self.several = False

    @property
    def out(self) -> Value:
        """Its only output."""
        return self.outputs[0]

    @property
    def inputs(self) -> list[Value]:
        """The values among its arguments, in order."""
        return list(values_in(self.arguments))

    def __repr__(self) -> str:
        return f"{self.primitive.name}({', '.join(map(repr, self.arguments))})"


class Graph:
    """Operations in an order in which they can run, and what is wanted of them."""

    def __init__(self, ops: list[Op], outputs: list[Value]) -> None:
        self.ops, self.outputs = ops, outputs

    @property
    def inputs(self) -> list[Value]:
        """What comes from outside, in order of first use."""
        found: dict[Value, None] = {}
        own: set[Value] = set()
        for op in self.ops:
            found.update((v, None) for v in op.inputs if v not in own)
            own.update(op.outputs)
        found.update((v, None) for v in self.outputs if v not in own)
        return list(found)

    def users(self) -> dict[Value, list[Op]]:
        """Map each value to the operations that read it."""
        found: dict[Value, list[Op]] = {}
        for op in self.ops:
            for v in dict.fromkeys(op.inputs):
                found.setdefault(v, []).append(op)
        return found

    def replaced(self, known: dict[Value, Value]) -> None:
        """Put other values in the place of some, everywhere."""
        if known:

            def change(v: Value) -> Value:
                while v in known:
                    v = known[v]
                return v

            for op in self.ops:
                op.arguments = mapped(change, op.arguments)
            self.outputs = list(map(change, self.outputs))


def mapped(change: Callable[[Value], Any], tree: Any) -> Any:
    """Return nested arguments with `change` applied to each Value."""
    kind = type(tree)
    if kind is Value:
        return change(tree)
    if kind is tuple or kind is list:
        return kind([mapped(change, part) for part in tree])
    if kind is dict:
        return {key: mapped(change, part) for key, part in tree.items()}
    return tree


def values_in(tree: Any) -> Iterator[Value]:
    """Yield each Value in nested arguments."""
    kind = type(tree)
    if kind is Value:
        yield tree
    elif kind is tuple or kind is list or kind is dict:
        parts: Iterable[Any] = tree.values() if kind is dict else tree
        for part in parts:
            yield from values_in(part)
