"""Random programs: expression graphs with shared subexpressions, for testing engines.

A program is Python source over NumPy functions, so that it runs on arrays, on Variables, and in
any other library that speaks NumPy's protocols, and so that a counterexample can be read. What is
random comes from a function `pick(options)`, which hypothesis or a generator provides. Imports
NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Pick = Callable[[Sequence[Any]], Any]

# Bounded and smooth everywhere, so that programs stay finite and have derivatives of all orders.
SMOOTH_UNARY = (
    "np.sin({0})",
    "np.tanh({0})",
    "np.cos({0})",
    "-{0}",
    "np.exp(np.sin({0}))",
    "np.sqrt(1 + {0} ** 2)",
    "np.log1p({0} ** 2)",
    "1 / (1 + np.exp(-{0}))",
    "np.arctan({0})",
    "0.5 * {0} + 1",
    "{0} ** 3 / (1 + {0} ** 2)",
    "np.logaddexp({0}, 0.0)",
)
SMOOTH_BINARY = (
    "{0} + {1}",
    "{0} * {1}",
    "{0} - {1}",
    "{0} / (1 + {1} ** 2)",
    "np.hypot({0}, 1 + {1} ** 2)",
    "np.arctan2({0}, 1 + {1} ** 2)",
)
KINKED_UNARY = (
    "np.abs({0})",
    "np.maximum({0}, 0.0)",
    "np.clip({0}, -1.0, 1.0)",
    "np.sort({0}, axis=None)",
)
KINKED_BINARY = ("np.maximum({0}, {1})", "np.minimum({0}, {1})")


@dataclass(frozen=True)
class Program:
    """A function of arrays in source form.

    Attributes:
        shapes: the shapes of its inputs.
        lines: its statements, which assign to `v0`, `v1` ...
        result: the expression it returns.
    """

    shapes: tuple[Shape, ...]
    lines: tuple[str, ...]
    result: str

    @property
    def source(self) -> str:
        """Return the program as the definition of a function."""
        parameters = ", ".join(f"x{i}" for i in range(len(self.shapes)))
        body = "\n".join(f"    {line}" for line in (*self.lines, f"return {self.result}"))
        return f"def program({parameters}):\n{body}\n"

    def compile(self) -> Callable[..., Any]:
        """Return the function."""
        return _compiled(self.source)

    def __call__(self, *inputs: Any) -> Any:
        """Run on arrays or Variables."""
        return self.compile()(*inputs)

    def __repr__(self) -> str:
        return f"<Program of inputs of shapes {', '.join(map(str, self.shapes))}>\n{self.source}"


@functools.lru_cache(maxsize=64)
def _compiled(source: str) -> Callable[..., Any]:
    names: dict[str, Any] = {"np": np}
    exec(compile(source, "<program>", "exec"), names)  # noqa: S102 - our own source
    return names["program"]  # type: ignore[no-any-return]


def build_program(
    pick: Pick, shapes: Sequence[Shape], length: int, *, kinks: bool = False
) -> Program:
    """Return a program of `length` statements on inputs of the shapes given.

    Args:
        pick: chooses one of a sequence of options; the first is the simplest.
        shapes: of the inputs, each of at least one element.
        length: number of statements.
        kinks: use abs, maximum, clip, sort and max as well.
    """
    names = [f"x{i}" for i in range(len(shapes))]
    known: dict[str, Shape] = dict(zip(names, shapes, strict=True))
    lines = []
    used: set[str] = set()
    for k in range(length):
        kind = pick(("unary", "binary", "reduce", "shape", "index", "join", "matmul", "where"))
        first = pick(list(known))
        second = pick(list(known))
        text = _statement(pick, kind, first, second, known, kinks=kinks)
        used.update(name for name in (first, second) if name in text.replace("np.", ""))
        value = _evaluate(text, known)
        name = f"v{k}"
        known[name] = value
        lines.append(f"{name} = {text}")
    # Everything that nothing used yet takes part in the result, so that no statement is dead.
    ends = [name for name in known if name not in used] or [list(known)[-1]]
    result = " + ".join(f"np.sum({name})" for name in ends[:-1])
    last = ends[-1]
    return Program(tuple(shapes), tuple(lines), f"{last} + {result}" if result else last)


def _evaluate(text: str, known: dict[str, Shape]) -> Shape:
    """Return the shape of an expression."""
    values = {name: np.full(shape, 0.5) for name, shape in known.items()}
    return np.shape(eval(text, {"np": np}, values))  # noqa: S307 - our own source


def _statement(
    pick: Pick, kind: str, first: str, second: str, known: dict[str, Shape], *, kinks: bool
) -> str:
    """Return an expression of one kind; where the shapes do not allow it, an elementwise one."""
    shape = known[first]
    binary = (*SMOOTH_BINARY, *(KINKED_BINARY if kinks else ()))
    unary = (*SMOOTH_UNARY, *(KINKED_UNARY if kinks else ()))
    if kind == "binary" and _broadcast(shape, known[second]):
        return str(pick(binary)).format(first, second)
    if kind == "where" and _broadcast(shape, known[second]):
        length = shape[-1] if shape else 1
        mask = [bool(pick((True, False))) for _ in range(length)] if length <= 3 else [True]
        if _broadcast(_broadcast(shape, known[second]), (len(mask),)):
            return f"np.where({mask}, {first}, {second})"
    if kind == "matmul" and shape and known[second]:
        inner = known[second][-2] if len(known[second]) > 1 else known[second][0]
        if shape[-1] == inner and _broadcast(shape[:-2], known[second][:-2]) is not None:
            return f"{first} @ {second}"
    if kind == "reduce":
        function = pick(("sum", "mean", "var", "max") if kinks else ("sum", "mean", "var"))
        axis = pick((None, *range(-len(shape), len(shape))))
        return f"np.{function}({first}, axis={axis}, keepdims={pick((False, True))})"
    if kind == "shape":
        choices = [f"np.transpose({first})", f"np.reshape({first}, -1)", f"{first}[None]"]
        if len(shape) > 1:
            choices += [f"np.swapaxes({first}, 0, 1)", f"np.moveaxis({first}, 0, -1)"]
        if len(shape) < 3:
            choices.append(f"np.broadcast_to({first}, {(2, *shape)})")
        return str(pick(choices))
    if kind == "index" and shape:
        choices = [
            "0",
            "-1",
            "::-1",
            "..., :1",
            "[0, -1, 0]",
            f"np.arange({shape[0]}) % 2 == 0",
            "None, ..., 0",
        ]
        return f"{first}[{pick(choices)}]"
    if kind == "join" and np.prod(shape) <= 12 and shape:
        if pick((True, False)):
            return (
                f"np.stack([{first}, {first}], axis={pick((0, -1))})"
                if len(shape) < 3
                else f"-{first}"
            )
        return f"np.concatenate([{first}, np.sin({first})], axis={pick((0, -1))})"
    return str(pick(unary)).format(first)


def _broadcast(one: Shape | None, two: Shape) -> Shape | None:
    """Return the shape of two operands together, or None."""
    if one is None:
        return None
    try:
        return np.broadcast_shapes(one, two)
    except ValueError:
        return None
