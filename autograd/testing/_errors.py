"""What a wrong derivative is reported as: the numbers, the suspected cause, and two lines that
reproduce it.

Imports `_problem` and NumPy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from autograd.testing._packing import Slot, flatten, raw
from autograd.testing._problem import Problem

# An array of more elements is not written out in a reproducer.
LARGEST_PRINTED = 64


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
