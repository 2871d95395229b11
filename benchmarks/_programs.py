"""Random programs: functions with shared subexpressions, for testing engines.

A program is Python source over NumPy functions, so it runs on arrays, on Variables, and in any
other library that speaks NumPy's protocols, and a counterexample can be read. What is random comes
from a function `pick(options)`, which hypothesis or a generator provides.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Shape = tuple[int, ...]
LARGEST = 24  # elements of an intermediate result

# Bounded and smooth everywhere, so that programs stay finite and have derivatives of all orders.
UNARY = (
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
BINARY = (
    "{0} + {1}",
    "{0} * {1}",
    "{0} - {1}",
    "{0} / (1 + {1} ** 2)",
    "np.hypot({0}, 1 + {1} ** 2)",
    "np.arctan2({0}, 1 + {1} ** 2)",
    "{0} @ {1}",
    "np.where([True, False], {0}, {1})",
    "np.where([[True], [False]], {0}, {1})",
)
SHAPING = (
    *(f"np.{f}({{0}}{a})" for f in ("sum", "mean", "var") for a in ("", ", axis=0", ", axis=-1")),
    "np.sum({0}, axis=-1, keepdims=True)",
    "np.transpose({0})",
    "np.reshape({0}, -1)",
    "{0}[None]",
    "np.moveaxis({0}, 0, -1)",
    "np.broadcast_to({0}, (2, *{0}.shape))",
    "{0}[0]",
    "{0}[::-1]",
    "{0}[..., :1]",
    "{0}[[0, -1, 0]]",
    "{0}[np.arange(len({0})) % 2 == 0]",
    "np.stack([{0}, {0}], axis=-1)",
    "np.concatenate([{0}, np.sin({0})], axis=-1)",
)
KINKED = (
    "np.abs({0})",
    "np.maximum({0}, 0.0)",
    "np.clip({0}, -1.0, 1.0)",
    "np.sort({0}, axis=None)",
    "np.max({0}, axis=-1)",
    "np.maximum({0}, {1})",
    "np.minimum({0}, {1})",
)


@dataclass(frozen=True)
class Program:
    """A function of arrays in source form.

    Attributes:
        shapes: the shapes of its inputs.
        source: the definition of a function `program`.
    """

    shapes: tuple[Shape, ...]
    source: str

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
    exec(compile(source, "<program>", "exec"), names)
    return names["program"]  # type: ignore[no-any-return]


def build_program(
    pick: Callable[[Sequence[Any]], Any],
    shapes: Sequence[Shape],
    length: int,
    *,
    kinks: bool = False,
) -> Program:
    """Return a program of `length` statements on inputs of the shapes given.

    Args:
        pick: chooses one of a sequence of options; the first is the simplest.
        shapes: of the inputs, each of at least one element.
        length: number of statements.
        kinks: use abs, maximum, clip, sort and max as well.
    """
    known: dict[str, Any] = {f"x{i}": np.full(shape, 0.5) for i, shape in enumerate(shapes)}
    lines = [f"def program({', '.join(known)}):"]
    unused = list(known)
    for k in range(length):
        kinds = (UNARY, BINARY, SHAPING, *((KINKED,) if kinks else ()))
        names = [pick(list(known)) for _ in range(2)]
        text = pick(pick(kinds)).format(*names)
        try:
            value = eval(text, {"np": np}, known)
            fits = np.size(value) <= LARGEST and np.ndim(value) <= 3
        except (ValueError, IndexError, TypeError):
            fits = False
        if not fits:  # these shapes do not go together
            text = pick(UNARY).format(*names)
            value = known[names[0]]
        lines.append(f"    v{k} = {text}")
        known[f"v{k}"] = value
        unused = [name for name in unused if name not in text.replace("np.", "")] + [f"v{k}"]
    # Everything that nothing used yet takes part in the result, so that no statement is dead.
    ends = [*(f"np.sum({name})" for name in unused[:-1]), unused[-1]]
    return Program(tuple(shapes), "\n".join([*lines, f"    return {' + '.join(ends)}", ""]))
