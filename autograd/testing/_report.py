"""What a wrong derivative is reported as: the numbers, why probably, how to see it again."""

from __future__ import annotations

import ast
import linecache
import math
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd.testing._problem import Problem
from autograd.testing._vectors import Array, Slot, flatten, locate, raw

__all__ = ["Block", "GradientError", "Wrong", "explain", "wrong_number"]

# Arrays of more elements together are not written out in a reproducer.
_LARGEST_PRINTED = 64


class Wrong(Exception):  # noqa: N818 - becomes the GradientError that users see
    """What a check found; `check_gradients` makes the error of it, away from the frames here."""

    def __init__(self, problem: Problem, lines: list[str], **facts: Any) -> None:
        super().__init__(lines)
        self.lines = lines
        self.facts = {"function": problem.title, "order": problem.order, **facts}


def wrong_number(
    problem: Problem,
    k: int | None,
    row: int | None,
    values: tuple[float, float],
    how: str,
    *,
    count: str = "",
    reference: str = "",
    **facts: Any,
) -> Wrong:
    """Return the finding for one derivative, an analytic and a numeric value.

    Args:
        problem: the function.
        k: the coordinate of the input, or None for all of them together.
        row: likewise, of the output.
        values: analytic and numeric.
        how: where the numeric value comes from.
        count: how many entries are wrong.
        reference: the numeric value in words.
        **facts: mode, cause, step.
    """
    analytic, numeric = map(float, values)
    absolute = abs(analytic - numeric)
    relative = absolute / max(abs(analytic), abs(numeric), 1e-300)
    place = "all elements, moved together along a random direction"
    output = "a weighted sum of all elements"
    facts |= {"kind": "value", "input": "all"}
    if k is not None:
        slot, at, _ = locate(problem.inputs, k)
        place = slot.describe(at)
        facts |= {"input": slot.name, "index": slot.place(at)}
    if row is not None:
        slot, at, _ = locate(problem.outputs, row)
        output = slot.describe(at)
        facts |= {"output": slot.name, "output_index": slot.place(at)}
    lines = [
        f"input:     {place}",
        f"output:    {output}",
        f"analytic:  {analytic:.10g}",
        f"numeric:   {reference or f'{numeric:.10g}'}   ({how})",
        f"error:     {absolute:.3g} absolute, {relative:.3g} relative{count and '; '}{count}",
    ]
    facts |= {"analytic": analytic, "numeric": numeric, "absolute": absolute, "relative": relative}
    return Wrong(problem, lines, **facts)


class GradientError(AssertionError):
    """A derivative is wrong; the message says where, by how much, probably why, and how to see it
    again.

    Attributes:
        function: name of the function.
        order: 1 for the gradient, 2 for the gradient of the gradient.
        mode: "reverse" or "forward".
        kind: "value" for a wrong number; "purity", "values", "linearity", "shape" or "rule" for
            what is wrong before that.
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
        fn: the function itself.
        inputs: the inputs of the failing call.
        options: its other arguments.
    """

    function: str
    order: int
    mode: str
    kind: str
    input: str
    cause: str
    reproducer: str
    fn: Callable[..., Any]
    inputs: tuple[Any, ...]
    options: dict[str, Any]
    index: tuple[int, ...] = ()
    output: str = ""
    output_index: tuple[int, ...] = ()
    analytic: float = math.nan
    numeric: float = math.nan
    absolute: float = math.nan
    relative: float = math.nan
    step: float = math.nan

    @classmethod
    def of(
        cls, wrong: Wrong, fn: Callable[..., Any], inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> GradientError:
        """Return the error for a finding in a call of `check_gradients`."""
        facts, order = wrong.facts, wrong.facts["order"]
        again = {**options, "order": order, "modes": (facts["mode"],)}
        code = _reproducer(fn, inputs, again)
        what = {1: "gradient", 2: "second derivative"}.get(order, f"derivative of order {order}")
        head = f"{facts['function']}: wanted the {what} that the function has, got another one"
        told = [
            *wrong.lines,
            f"suspected: {facts['cause']}",
            "reproduce:",
            *map("  ".__add__, code),
        ]
        error = cls("\n  ".join([f"{head} ({facts['mode']} mode)", *told]))
        given = {"fn": fn, "inputs": inputs, "options": again, "reproducer": "\n".join(code)}
        vars(error).update(facts, **given)
        return error


# -- why: patterns that wrong rules leave in a block of the Jacobian -------------------------------

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

    def equal(self, a: Array, b: Array, scale: float = 1.0) -> bool:
        """Tell whether two forms of the block agree; `scale` is that of their entries to its."""
        atol = 1e-7 * scale * float(np.max(np.abs(self.numeric), initial=0.0)) + 1e-300
        return bool(np.allclose(a, b, rtol=1e-6, atol=atol))

    def constant(self, factor: float) -> str:
        """Name a factor in words, if it is one of the usual ones."""
        names = dict(_FACTORS)
        for slot in (self.output, self.input):
            for size in sorted({*slot.shape, math.prod(slot.shape)} - {0, 1}):
                names.setdefault(size, f"{size} (a length of the arrays)")
                names.setdefault(1 / size, f"1/{size} (a length of the arrays)")
        for value, name in names.items():
            for sign, prefix in ((1, ""), (-1, "-")):
                if abs(factor - sign * value) <= 1e-6 * value:
                    return prefix + name
        return f"{factor:.6g}"


def explain(block: Block, *, at_kink: bool) -> str:
    """Name the suspected cause of a wrong block of a Jacobian.

    Args:
        block: the analytic and the numeric values.
        at_kink: the worst entry is right at a point nearby, or its left and right derivatives
            differ.
    """
    a, n = block.analytic, block.numeric
    if np.isnan(a).any():
        return "not a number: the rule divides zero by zero, or multiplies zero by infinity"
    if not (np.isfinite(a) & np.isfinite(n)).all():
        return "infinite: the rule divides by zero" if np.isinf(a).any() else "unknown"
    if at_kink:
        return "only at a kink: the same derivative is right at points nearby"
    unknown = "the formula: no sign, factor, transposition or missing sum explains the values"
    if n.size == 1:
        unknown = "the formula: one entry shows no pattern, a larger input may"
    return next((cause for shows, cause in _patterns(block) if shows), unknown)


def _patterns(block: Block) -> Iterator[tuple[Any, str]]:
    """Yield whether the block shows a pattern, and what it speaks for."""
    a, n, _, output, input_, whole = block
    equal, nonzero = block.equal, n.any()
    cut = "a rule returns None or zeros, or the graph is cut (detach, .data, no_grad)"
    yield nonzero and not a.any(), f"no gradient at all: {cut}"
    yield nonzero and equal(a, -n), "wrong sign"

    if whole and input_.parts == 2:
        conjugate = "is the complex conjugate of what it should be"
        if output.parts == 2:
            # A complex factor is the matrix [[re, -im], [im, re]]; its transpose is the conjugate.
            grid = n.reshape(n.shape[0] // 2, 2, n.shape[1] // 2, 2).transpose(0, 3, 2, 1)
            write = "g * factor in a rule of a primitive, g * np.conj(factor) in Function.backward"
            cause = f"conjugated: the factor {conjugate}; write {write}"
            yield equal(a, grid.reshape(n.shape)), cause
        mirrored = np.where(np.arange(n.shape[1]) % 2, -n, n)
        yield equal(a, mirrored), f"conjugated: the gradient {conjugate}"

    error, scale = (float(np.max(np.abs(b), initial=0.0)) for b in (a - n, n))
    single = "an error of single precision; somewhere float64 data pass through float32"
    yield error < 2e-7 * scale, f"dtype: {single}"
    yield error < 2e-3 * scale, "precision: a rounded constant, or float16 data on the way"

    factor = float(np.sum(a * n)) / (float(np.sum(n * n)) or 1.0)
    name = block.constant(factor)
    told = np.count_nonzero(n) > 1 or name != f"{factor:.6g}"  # any two numbers have a ratio
    cause = f"constant factor: every entry is {name} times what it should be"
    yield factor and told and equal(a, factor * n, abs(factor)), cause

    if whole and len(input_.shape) >= 2 and input_.parts == 1:
        swapped = np.swapaxes(n.reshape(n.shape[0], *input_.shape), -1, -2).reshape(n.shape)
        forced = "" if input_.shape[-1] == input_.shape[-2] else ", then the shape forced"
        cause = f"transposed: the last two axes of the gradient are exchanged{forced}"
        yield equal(a, swapped), cause
    cause = "transposed: the rule multiplies by the Jacobian where its transpose belongs"
    yield whole and n.shape[0] == n.shape[1] and equal(a, n.T), cause

    missing = (a == 0) & (n != 0)
    fewer = math.prod(output.shape) > math.prod(input_.shape)
    summed = "that an input went into by broadcasting, repetition or duplicate indices"
    cause = f"missing broadcast sum: the gradient takes only some of the elements {summed}"
    yield fewer and missing.any() and equal(a[~missing], n[~missing]), cause
    for axis, what in ((1, "at wrong places"), (0, "for wrong outputs")):
        cause = f"permuted: right values {what} (an axis, an order of indices, a roll)"
        yield n.shape[axis] > 1 and equal(np.sort(a, axis=axis), np.sort(n, axis=axis)), cause

    a, n = a[block.wrong], n[block.wrong]
    cause = "a missing term: entries that should not be zero are, the others are right"
    yield (a == 0).all(), cause
    cause = "a term too much: entries that should be zero are not, the others are right"
    yield (np.abs(n) <= 1e-7 * scale).all(), cause
    if n.all() and a.size > 1:
        ratio = a / n
        yield np.allclose(np.abs(ratio), 1.0, rtol=1e-6), "wrong sign of some entries"
        cause = f"the wrong entries are {block.constant(float(ratio[0]))} times what they should be"
        yield np.ptp(ratio) <= 1e-6 * abs(ratio[0]), f"constant factor: {cause}"


# -- how to see it again ---------------------------------------------------------------------------


def _reproducer(
    fn: Callable[..., Any], inputs: tuple[Any, ...], options: dict[str, Any]
) -> list[str]:
    """Return lines of Python that repeat the failing call where the function can be named."""
    name = _spelled(fn)
    small = sum(np.size(raw(leaf)) for _, leaf in flatten(inputs)) <= _LARGEST_PRINTED
    arguments = [f"{key}={_source(v)}" for key, v in options.items() if key != "parameters"]
    if "parameters" in options:
        arguments.append("parameters=error.options['parameters']")
    lines = ["import numpy as np, autograd.testing"]
    if name is None or not small or "parameters" in options:
        lines += ["from sys import last_value as error  # this one, in the session it ended"]
    lines += [f"inputs = {_source(inputs)}" if small else "inputs = error.inputs"]
    call = ", ".join([name or "error.fn", "*inputs", *arguments])
    return [*lines, f"autograd.testing.check_gradients({call})"]


def _spelled(fn: Any) -> str | None:
    """Return an expression for a function, in the words of the code that has it checked."""
    title = str(getattr(fn, "__name__", ""))
    if title == "<lambda>" and not fn.__code__.co_freevars and (found := _lambda_source(fn)):
        return f"({found})"
    if isinstance(fn, types.MethodType):  # MyFunction.apply
        base = _spelled(fn.__self__)
        return base and f"{base}.{title}"
    frame: types.FrameType = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _PASSED:
        frame = frame.f_back
    for scope in (frame.f_locals, frame.f_globals, getattr(fn, "__globals__", {})):
        for name, value in scope.items():
            if value is fn:
                return str(name)
            # A property test keeps the function that it was made of.
            if isinstance(value, types.FunctionType) and vars(value).get("function") is fn:
                return f"{name}.function"
    modules = {"np": np, "autograd": autograd}
    return next((f"{m}.{title}" for m in modules if getattr(modules[m], title, None) is fn), None)


_PASSED = {"autograd", "hypothesis"}


def _lambda_source(fn: Any) -> str:
    """Return the source of a lambda that stands in a file."""
    code = fn.__code__
    linecache.checkcache(code.co_filename)
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename, fn.__globals__)))
    except SyntaxError:
        return ""
    spans = set(code.co_positions())
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda):
            body = node.body
            if (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset) in spans:
                return ast.unparse(node)
    return ""


def _source(value: Any) -> str:
    """Return an expression for an argument, exact to the last bit."""
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        inner = ", ".join(map(_source, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if value else "()"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_source(item)}" for key, item in value.items()) + "}"
    array = raw(value)
    if not isinstance(array, (np.ndarray, np.generic)):
        return repr(array)
    if array.size == 0:
        return f"np.zeros({array.shape}, dtype={array.dtype.str!r})"
    text = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    plain = array.dtype in (np.float64, np.complex128, np.int64, np.bool_)
    source = f"np.array({text}{'' if plain else f', dtype={array.dtype.name!r}'})"
    requires = getattr(value, "requires_grad", False)
    return f"autograd.Variable({source}, requires_grad=True)" if requires else source
