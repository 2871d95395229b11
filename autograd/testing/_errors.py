"""What a wrong derivative is reported as: the numbers, the suspected cause, how to see it again."""

from __future__ import annotations

import ast
import linecache
import math
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd
from autograd.testing._arrays import Slot, flatten, raw
from autograd.testing._problem import Problem

# Arrays of more elements together are not written out in a reproducer.
LARGEST_PRINTED = 64


class Wrong(Exception):  # noqa: N818 - becomes the GradientError that users see
    """What a check found; `check_gradients` makes the error of it, away from the frames here."""

    def __init__(self, problem: Problem, lines: list[str], **facts: Any) -> None:
        super().__init__(lines)
        self.problem = problem
        self.lines = lines
        self.facts = facts


def wrong_number(
    problem: Problem,
    mode: str,
    place: tuple[Slot, int] | None,
    output: tuple[Slot, int] | None,
    values: tuple[float, float],
    how: str,
    cause: str,
    *,
    count: str = "",
    reference: str = "",
    step: float = math.nan,
) -> Wrong:
    """Return the finding for one derivative.

    Args:
        problem: the function.
        mode: "reverse" or "forward".
        place: the input and its coordinate, or None for all of them together.
        output: likewise.
        values: analytic and numeric.
        how: where the numeric value comes from.
        cause: the suspected cause.
        count: how many entries are wrong.
        reference: the numeric value in words.
        step: of the differences.
    """
    analytic, numeric = map(float, values)
    absolute = abs(analytic - numeric)
    relative = absolute / max(abs(analytic), abs(numeric), 1e-300)
    everything = "all elements, moved together along a random direction"
    weighted = "a weighted sum of all elements"
    lines = [
        f"input:     {place[0].describe(place[1]) if place else everything}",
        f"output:    {output[0].describe(output[1]) if output else weighted}",
        f"analytic:  {analytic:.10g}",
        f"numeric:   {reference or f'{numeric:.10g}'}   ({how})",
        f"error:     {absolute:.3g} absolute, {relative:.3g} relative{count and '; '}{count}",
    ]
    facts: dict[str, Any] = {"input": "all"}
    if place:
        facts = {"input": place[0].name, "index": place[0].place(place[1])}
    if output:
        facts |= {"output": output[0].name, "output_index": output[0].place(output[1])}
    facts |= {"analytic": analytic, "numeric": numeric, "absolute": absolute, "relative": relative}
    return Wrong(problem, lines, mode=mode, kind="value", cause=cause, step=step, **facts)


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
        problem, facts = wrong.problem, wrong.facts
        again = {**options, "order": problem.order, "modes": (facts["mode"],)}
        code = _reproducer(fn, inputs, again)
        what = {1: "gradient", 2: "second derivative"}.get(
            problem.order, f"derivative of order {problem.order}"
        )
        head = (
            f"{problem.title}: wanted the {what} that the function has, got another one "
            f"({facts['mode']} mode)"
        )
        lines = [*wrong.lines, f"suspected: {facts['cause']}", "reproduce:"]
        error = cls("\n  ".join([head, *lines, *("  " + line for line in code)]))
        given = {"function": problem.title, "order": problem.order, "reproducer": "\n".join(code)}
        for name, value in {**given, **facts}.items():
            setattr(error, name, value)
        error.fn, error.inputs, error.options = fn, inputs, again
        return error


# -- reproducers -----------------------------------------------------------------------------------


def _reproducer(
    fn: Callable[..., Any], inputs: tuple[Any, ...], options: dict[str, Any]
) -> list[str]:
    """Return lines of Python that repeat the failing call where the function can be named."""
    name = _spelled(fn)
    small = sum(np.size(raw(leaf)) for _, leaf in flatten(list(inputs))) <= LARGEST_PRINTED
    given = {key: value for key, value in options.items() if key != "parameters"}
    whole = name is not None and small and given == options
    arguments = [f"{key}={_source(value)}" for key, value in given.items()]
    lines = ["import numpy as np, autograd.testing"]
    if not whole:
        lines += ["from sys import last_value as error  # this one, in the session it ended"]
    lines += [
        f"inputs = ({', '.join(map(_source, inputs))},)" if small else "inputs = error.inputs"
    ]
    if given != options:
        arguments.append("parameters=error.options['parameters']")
    call = ", ".join([name or "error.fn", "*inputs", *arguments])
    return [*lines, f"autograd.testing.check_gradients({call})"]


def _spelled(fn: Any) -> str | None:
    """Return an expression for a function, in the words of the code that has it checked."""
    if getattr(fn, "__name__", "") == "<lambda>" and not fn.__code__.co_freevars:
        found = _lambda_source(fn)
        if found:
            return f"({found})"
    if isinstance(fn, types.MethodType):  # MyFunction.apply
        base = _spelled(fn.__self__)
        return base and f"{base}.{fn.__name__}"
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
    for prefix, module in (("np", np), ("autograd", autograd)):
        title = str(getattr(fn, "__name__", ""))
        if getattr(module, title, None) is fn:
            return f"{prefix}.{title}"
    return None


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
            span = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
            if span in spans:
                return ast.unparse(node)
    return ""


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
    if array.size == 0:
        return f"np.zeros({array.shape}, dtype={array.dtype.str!r})"
    text = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    plain = array.dtype in (np.float64, np.complex128, np.int64, np.bool_)
    source = f"np.array({text}{'' if plain else f', dtype={array.dtype.name!r}'})"
    requires = getattr(value, "requires_grad", False)
    return f"autograd.Variable({source}, requires_grad=True)" if requires else source


# -- the contract ----------------------------------------------------------------------------------


class ContractError(AssertionError):
    """A function breaks its contract; `report` tells all that was checked."""

    report: ContractReport


@dataclass
class ContractReport:
    """What `check_function` found, by name of the check.

    Attributes:
        function: name of the function.
        passed: checks that hold.
        skipped: checks that do not apply, with the reason.
        failed: checks that do not hold, with what is wrong.
    """

    function: str
    passed: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = (
            f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"
        )
        lines = [f"{self.function}: {counts}"]
        lines += [f"  failed   {name}: {why}" for name, why in self.failed.items()]
        lines += [f"  skipped  {name}: {why}" for name, why in self.skipped.items()]
        return "\n".join(lines)
