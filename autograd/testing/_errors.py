"""What a wrong derivative is reported as: the numbers, the suspected cause, how to see it again."""

from __future__ import annotations

import ast
import linecache
import math
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd.testing._problem import Problem
from autograd.testing._vectors import flatten, locate, raw

__all__ = ["GradientError", "Wrong", "wrong_number"]

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


# -- reproducers -----------------------------------------------------------------------------------


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
