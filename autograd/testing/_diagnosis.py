"""What a wrong derivative is reported as: the numbers, the suspected cause, and two lines that
reproduce it.

Imports `_problem` and NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np

from autograd.testing._problem import Array, Problem, Slot, flatten, raw

# An array of more elements is not written out in a reproducer.
LARGEST_PRINTED = 64
_FACTORS = {
    2.0: "2",
    0.5: "1/2",
    math.log(2): "log 2",
    1 / math.log(2): "1 / log 2",
    math.log(10): "log 10",
    math.pi: "pi",
    1 / math.pi: "1 / pi",
    2 * math.pi: "2 pi",
    math.pi / 180: "pi / 180",
    180 / math.pi: "180 / pi",
    2 / math.sqrt(math.pi): "2 / sqrt(pi)",
}


class Block(NamedTuple):
    """The Jacobian of one output array by one input array, of shape (output coordinates,
    directions).
    """

    analytic: Array
    numeric: Array
    wrong: Array
    output: Slot
    input: Slot
    whole: bool  # one direction per coordinate, in order


class GradientError(AssertionError):
    """A derivative is wrong; the message says where, by how much, probably why, and how to see it
    again.

    Attributes:
        function: name of the function.
        order: 1 for the gradient, 2 for the gradient of the gradient.
        mode: "reverse" or "forward".
        kind: "value" for a wrong number; "purity", "values", "linearity" or "shape" for what is
            wrong before that.
        input: which input, such as `x` or `params['w']`.
        index: index of the element in that input.
        output: which output.
        output_index: index of the element in that output.
        analytic: the derivative that the rules give.
        numeric: the derivative by numbers.
        absolute: absolute error.
        relative: error relative to the larger of both.
        step: the step of the numeric derivative.
        cause: the suspected cause, in words.
        reproducer: Python source that raises this error again.
        inputs: the inputs of the failing call.
    """

    function: str
    order: int
    mode: str
    kind: str
    input: str
    cause: str
    reproducer: str
    inputs: tuple[Any, ...]
    index: tuple[int, ...] = ()
    output: str = ""
    output_index: tuple[int, ...] = ()
    analytic: float = math.nan
    numeric: float = math.nan
    absolute: float = math.nan
    relative: float = math.nan
    step: float = math.nan

    @classmethod
    def _make(
        cls, problem: Problem, arguments: tuple[Any, ...], lines: list[str], **facts: Any
    ) -> Self:
        code = reproducer(problem.title, arguments, facts["order"], str(facts["mode"]))
        lines.append("reproduce:")
        error = cls(
            "\n".join(
                [lines[0], *("  " + line for line in lines[1:]), *("    " + line for line in code)]
            )
        )
        error.function = problem.title
        error.inputs = arguments
        error.reproducer = "\n".join(code)
        for name, value in facts.items():
            setattr(error, name, value)
        return error

    @classmethod
    def plain(
        cls,
        problem: Problem,
        arguments: tuple[Any, ...],
        *,
        kind: str,
        mode: str,
        input: str,
        cause: str,
    ) -> Self:
        """Return the error for what is wrong before any number is compared."""
        lines = [f"{headline(problem, mode)}", f"input:     {input}", f"suspected: {cause}"]
        return cls._make(
            problem,
            arguments,
            lines,
            order=problem.order,
            mode=mode,
            kind=kind,
            input=input,
            cause=cause,
        )

    @classmethod
    def entry(
        cls,
        problem: Problem,
        arguments: tuple[Any, ...],
        *,
        mode: str,
        slot: Slot,
        coordinate: int,
        output: Slot | None,
        output_coordinate: int,
        analytic: float,
        numeric: float,
        error: float,
        sides: tuple[float, float],
        kink: bool,
        step: float,
        method: str,
        cause: str,
        wrong: tuple[int, int],
    ) -> Self:
        """Return the error for one wrong entry of a Jacobian."""
        index = slot.position(coordinate)
        output_name = output.name if output else "output"
        output_index = output.position(output_coordinate) if output else ()
        reference = f"between {sides[0]:.10g} and {sides[1]:.10g}" if kink else f"{numeric:.10g}"
        truth = numeric if not kink else min(sides, key=lambda side: abs(side - analytic))
        absolute = abs(analytic - truth)
        relative = absolute / max(abs(analytic), abs(truth), 1e-300)
        how = method if not step else f"{method}, step {step:.1e}"
        how = "left and right derivative at a kink" if kink else f"{how}, error about {error:.0e}"
        aim = _where(output, output_coordinate) if output else "a weighted sum of all elements"
        count = f"{wrong[0]} of {wrong[1]} entries are wrong"
        lines = [
            headline(problem, mode),
            f"input:     {_where(slot, coordinate)}",
            f"output:    {aim}",
            f"analytic:  {analytic:.10g}",
            f"numeric:   {reference}   ({how})",
            f"error:     {absolute:.3g} absolute, {relative:.3g} relative; {count}",
            f"suspected: {cause}",
        ]
        return cls._make(
            problem,
            arguments,
            lines,
            order=problem.order,
            mode=mode,
            kind="value",
            input=slot.name,
            index=index,
            output=output_name,
            output_index=output_index,
            analytic=analytic,
            numeric=numeric,
            absolute=absolute,
            relative=relative,
            step=step,
            cause=cause,
        )


def headline(problem: Problem, mode: str) -> str:
    """Return the first line of a message."""
    what = {1: "gradient", 2: "second derivative"}.get(
        problem.order, f"derivative of order {problem.order}"
    )
    return (
        f"{problem.title}: wanted the {what} that the function has, got another one ({mode} mode)"
    )


def _where(slot: Slot, coordinate: int) -> str:
    part = slot.part(coordinate)
    index = slot.position(coordinate)
    at = f"{slot.name}[{', '.join(map(str, index))}]" if index else slot.name
    return f"{at}{f' ({part})' if part else ''}, of shape {slot.shape} and dtype {slot.dtype}"


def reproducer(title: str, arguments: tuple[Any, ...], order: int, mode: str) -> list[str]:
    """Return two lines of Python that repeat the failing check, given the function by its name."""
    size = sum(np.size(raw(leaf)) for _, leaf in flatten(list(arguments), ""))
    if size > LARGEST_PRINTED:
        first = "inputs = error.inputs  # of the GradientError: too large to print"
    else:
        first = f"inputs = ({', '.join(map(_source, arguments))},)"
    name = title if title.isidentifier() else "fn"
    return [
        first,
        f"autograd.testing.check_gradients({name}, *inputs, order={order}, modes=({mode!r},))",
    ]


def _source(value: Any) -> str:
    """Return an expression for an argument, exact to the last bit."""
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        inner = ", ".join(map(_source, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_source(item)}" for key, item in value.items()) + "}"
    array = raw(value)
    if not isinstance(array, (np.ndarray, np.generic)):
        return repr(array)
    text = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    if array.size == 0:
        return f"np.zeros({array.shape}, dtype={str(array.dtype)!r})"
    suffix = (
        ""
        if array.dtype in (np.float64, np.complex128, np.int64, np.bool_)
        else f", dtype={str(array.dtype)!r}"
    )
    source = f"np.array({text}{suffix})"
    requires = getattr(value, "requires_grad", False)
    return f"autograd.Variable({source}, requires_grad=True)" if requires else source


# -- suspicion -----------------------------------------------------------------------------------


def explain(block: Block, *, at_kink: bool, elsewhere: Callable[[], bool]) -> str:
    """Name the suspected cause of a wrong block of a Jacobian.

    Args:
        block: the analytic and the numeric values.
        at_kink: the worst entry's left and right derivatives differ.
        elsewhere: tells whether the same entry is right at a point nearby.
    """
    a, n = block.analytic, block.numeric
    known = np.isfinite(a) & np.isfinite(n)
    if not known.all():
        if np.isnan(a).any():
            return "not a number: the rule divides zero by zero, or multiplies zero by infinity"
        return "infinite: the rule divides by zero" if np.isinf(a).any() else "unknown"
    scale = float(np.max(np.abs(n), initial=0.0))
    if at_kink or elsewhere():
        return "only at a kink: the same derivative is right at points nearby"
    for suspect in _SUSPECTS:
        found = suspect(block, scale)
        if found:
            return found
    if n.size == 1:
        return "the formula: one entry shows no pattern, a larger input may"
    return "the formula: no sign, factor, transposition or missing sum explains the values"


def _equal(a: Array, b: Array, scale: float) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=1e-7 * scale + 1e-300))


def _no_gradient(block: Block, scale: float) -> str:
    if scale and not block.analytic.any():
        return (
            "no gradient at all: a rule returns None or zeros, "
            "or the graph is cut (detach, .data, no_grad)"
        )
    return ""


def _wrong_sign(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    if scale and _equal(a, -n, scale):
        return "wrong sign"
    if block.input.dtype.kind == "c" and block.whole:
        conjugate = np.where(np.arange(n.shape[1]) % 2, -n, n)
        if _equal(a, conjugate, scale):
            return "conjugated: the gradient is the complex conjugate of what it should be"
    return ""


def _constant_factor(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    square = float(np.sum(n * n))
    if not square:
        return ""
    factor = float(np.sum(a * n)) / square
    if abs(factor - 1) < 1e-9 or not factor or not _equal(a, factor * n, scale * abs(factor)):
        return ""
    name = _named(factor, block)
    if np.count_nonzero(n) == 1 and name == _unnamed(factor):
        return ""  # any two numbers have a ratio
    return f"constant factor: every entry is {name} times what it should be"


def _named(factor: float, block: Block) -> str:
    sizes = {
        float(v)
        for slot in (block.output, block.input)
        for v in (*slot.shape, math.prod(slot.shape))
        if v > 1
    }
    names = dict(_FACTORS)
    for size in sorted(sizes):
        names.setdefault(size, f"{size:.0f} (a length of the arrays)")
        names.setdefault(1 / size, f"1/{size:.0f} (a length of the arrays)")
    for value, name in names.items():
        for sign, prefix in ((1, ""), (-1, "-")):
            if abs(factor - sign * value) <= 1e-6 * value:
                return prefix + name
    return _unnamed(factor)


def _unnamed(factor: float) -> str:
    return f"{factor:.6g}"


def _rounded(block: Block, scale: float) -> str:
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.max(np.abs(block.analytic - block.numeric)) / scale if scale else 1.0
    if relative < 2e-7:
        return "dtype: an error of single precision; somewhere float64 data pass through float32"
    if relative < 2e-3:
        return "precision: a rounded constant, or float16 data on the way"
    return ""


def _transposed(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    if not block.whole:
        return ""
    shape = block.input.shape
    if len(shape) >= 2 and block.input.dtype.kind != "c":
        rows = n.reshape(n.shape[0], *shape)
        if shape[-1] == shape[-2] and _equal(a, np.swapaxes(rows, -1, -2).reshape(n.shape), scale):
            return "transposed: the last two axes of the gradient are exchanged"
        if _equal(a, np.swapaxes(rows, -1, -2).reshape(n.shape), scale):
            return (
                "transposed and reshaped: the last two axes were exchanged, then the shape forced"
            )
    if n.shape[0] == n.shape[1] and _equal(a, n.T, scale):
        return "transposed: the rule multiplies by the Jacobian where its transpose belongs"
    return ""


def _missing_sum(block: Block, scale: float) -> str:
    """Some outputs' shares of a sum are there, and the others missing or averaged."""
    a, n = block.analytic, block.numeric
    if math.prod(block.output.shape) <= math.prod(block.input.shape):
        return ""
    there = np.isclose(a, n, rtol=1e-6, atol=1e-7 * scale)
    missing = (a == 0) & (n != 0)
    if missing.any() and (there | missing).all():
        return (
            "missing broadcast sum: the gradient takes only some of the elements that an input "
            "went into by broadcasting, repetition or duplicate indices"
        )
    return ""


def _permuted(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    if n.shape[1] > 1 and _equal(np.sort(a, axis=1), np.sort(n, axis=1), scale):
        return "permuted: right values at wrong places (an axis, an order of indices, a roll)"
    if n.shape[0] > 1 and _equal(np.sort(a, axis=0), np.sort(n, axis=0), scale):
        return "permuted: right values for wrong outputs (an axis, an order of indices, a roll)"
    return ""


def _partly_zero(block: Block, scale: float) -> str:
    a, n = block.analytic, block.numeric
    if (a[block.wrong] == 0).all():
        return "a missing term: entries that should not be zero are, the others are right"
    if (np.abs(n[block.wrong]) <= 1e-7 * scale).all():
        return "a term too much: entries that should be zero are not, the others are right"
    return ""


def _factor_by_entry(block: Block, _: float) -> str:
    a, n = block.analytic[block.wrong], block.numeric[block.wrong]
    if n.all() and a.size > 1:
        ratio = a / n
        if _equal(np.abs(ratio), np.ones_like(ratio), 1.0):
            return "wrong sign of some entries"
        if ratio.max() - ratio.min() <= 1e-6 * abs(ratio[0]):
            factor = _named(float(ratio[0]), block)
            return f"constant factor: the wrong entries are {factor} times what they should be"
    return ""


_SUSPECTS: tuple[Callable[[Block, float], str], ...] = (
    _no_gradient,
    _wrong_sign,
    _rounded,
    _constant_factor,
    _transposed,
    _missing_sum,
    _permuted,
    _partly_zero,
    _factor_by_entry,
)
