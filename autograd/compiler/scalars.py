"""Programs of single numbers, as Python: a sum of two floats takes 30 ns, one of two NumPy scalars
80 ns. Sixth file to read, after `fuse`.

Python raises where NumPy warns (a division by zero, an overflow, the logarithm of a negative
number), and only there or where a result is not finite may the two differ; then the program is run
once more, in NumPy. Functions such as `tanh` come from `math`, whose last digit may be another one.
Imports `graph` and NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.graph import Graph, Op, Value

__all__ = ["NAMES", "in_python", "is_scalar", "scalar_source"]

_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}
_MATH = ("tanh", "exp", "log", "sin", "cos", "tan", "sqrt", "sinh", "cosh", "log1p", "expm1")
_SAME = {"detach", "detached", "positive", "copy"}
_SHAPES = {"reshape", "broadcast_to", "astype", "sum", "mean"}  # of one number: itself


def is_scalar(graph: Graph) -> bool:
    """Tell whether all that a program computes are single float64, by operations known here."""
    values = [*graph.outputs, *(v for op in graph.ops for v in (*op.inputs, *op.outputs))]
    single = all(v.shape == () and v.dtype == np.float64 for v in values)
    return bool(graph.ops) and single and all(_text(op, lambda _: "x") for op in graph.ops)


def _text(op: Op, of: Callable[[Any], str]) -> str | None:
    """Return what computes an operation; None where that is not known."""
    name, given = op.primitive.name, op.arguments
    home = getattr(op.primitive.forward, "__module__", None) or "numpy"
    if not home.startswith(("numpy", "autograd")):
        return None
    x = of(given[0]) if given and isinstance(given[0], (Value, float, int, np.generic)) else ""
    if name in _INFIX and len(given) == 2:
        return f"{x} {_INFIX[name]} {of(given[1])}"
    if name in _MATH:
        return f"{name}({x})"
    if name in _SAME or name in _SHAPES:
        return x or None
    return {
        "negative": f"-{x}",
        "square": f"{x} * {x}",
        "reciprocal": f"1.0 / {x}",
        "absolute": f"abs({x})",
        "expit": f"1.0 / (1.0 + exp(-{x}))",
    }.get(name)


def scalar_source(
    name: str, graph: Graph, parameters: Sequence[Value], of: Callable[[Any], str]
) -> str:
    """Return the text of a function of Python floats."""
    lines, last = [f"def {name}({', '.join(map(of, parameters))}):"], ""
    for op in graph.ops:
        comment = "" if op.line == last else f"  # {op.line}"
        last = op.line
        lines.append(f"    {of(op.out)} = {_text(op, of)}{comment}")
    results = ", ".join(map(of, graph.outputs))
    return "\n".join([*lines, f"    return ({results}{',' * (len(graph.outputs) == 1)})", ""])


def in_python(
    run: Callable[..., tuple[Any, ...]], in_numpy: Callable[..., tuple[Any, ...]], count: int
) -> Callable[..., tuple[Any, ...]]:
    """Return a program of floats that turns to the one in NumPy where the two might differ; the
    first `count` results become NumPy scalars, the others are for another program like this.
    """

    def call(*given: Any, report: Any = None) -> tuple[Any, ...]:
        try:
            out = run(*map(float, given))
            if all(map(math.isfinite, out)):
                return (*map(np.float64, out[:count]), *out[count:])
        except (ArithmeticError, ValueError, TypeError):
            pass
        return in_numpy(*map(np.float64, given), report=report)

    return call


NAMES = {name: getattr(math, name) for name in _MATH}
