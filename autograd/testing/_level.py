"""The check of one Problem, that is of one order of derivative: what every comparison shares.

A `Level` holds the function, its point, one recorded evaluation and the oracle. Here it is checked
that evaluation is repeatable and touches nothing, that the pullback is linear, and that low
precision gives what double precision does; the modules `_jacobian` and `_projection` compare
derivatives. Imports the modules beside it and NumPy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.testing._errors import GradientError
from autograd.testing._judge import Tolerance, Verdict
from autograd.testing._oracle import Oracle
from autograd.testing._packing import Array, Slot, flatten, raw, unpack
from autograd.testing._problem import Problem, Tape

ATOL = 1e-10
_WRITES = (
    "a second pass over the same graph gives another gradient; the rule writes into an array it "
    "was given"
)
_SHARED = (
    "other calls of the function change what a recorded one has saved; return a new array from "
    "every call"
)


@dataclass
class Options:
    """What the user asked for; see `check_gradients`."""

    arguments: tuple[Any, ...]
    rng: np.random.Generator
    fast: bool | None = None
    symmetric: bool | Collection[int] = False
    oracle: str = "auto"
    rtol: float = 1e-9
    atol: float | None = None

    def is_symmetric(self, leaf: int) -> bool:
        """Tell whether a differentiated array moves symmetrically."""
        return self.symmetric if isinstance(self.symmetric, bool) else leaf in self.symmetric


@dataclass
class Direction:
    """One move of the inputs: of one coordinate, or of a symmetric pair."""

    leaf: int
    coordinate: int  # among the reals of the leaf
    vector: Array


class Level:
    """One Problem at its point.

    Attributes:
        problem: the function.
        options: of the check.
        mode: "reverse" or "forward", whichever is being checked.
        x: the point, as a vector.
        fx: the outputs, as a vector.
        tape: one recorded evaluation.
        oracle: the numeric derivatives.
        v: a random cotangent.
        g: its pullback J^T v.
        magnitude: of the largest change of an output when an input changes by its own size.
    """

    def __init__(self, problem: Problem, options: Options, magnitude: float = 0.0) -> None:
        self.problem = problem
        self.options = options
        self.mode = "reverse"
        self.x = problem.point()
        self.magnitude = magnitude
        self.tape = Tape(problem, problem.leaves)

    def at(self, x: Array) -> Level:
        """Return the same function at another point, with an oracle that takes differences."""
        names = [slot.name for slot in self.problem.inputs]
        leaves = unpack(x, self.problem.inputs)
        near = Level(Problem(self.problem.title, self.problem.call, leaves, names), self.options)
        near.fx = near.problem(x)
        near.oracle = Oracle(near.problem, near.fx, method="difference")
        return near

    # -- values ----------------------------------------------------------------------------------

    def check_values(self, before: list[tuple[Array, Array]]) -> bool:
        """Check that evaluation is repeatable and touches nothing; return whether there is anything
        to differentiate.

        Args:
            before: arrays that the function was given, with copies from before the first call.
        """
        __tracebackhide__ = True
        problem = self.problem
        recorded = self.tape.values()
        self.v = self.options.rng.uniform(0.5, 1.5, recorded.size)
        self.g = self.gradient(self.v)
        self.fx = np.array(problem(self.x))
        self.oracle = Oracle(problem, self.fx, method=self.options.oracle)
        self._check_untouched(before)
        self._check_repeatable(recorded)
        if not self.fx.size:
            return False
        if not np.isfinite(self.fx).any():
            if problem.order > 1:
                return False
            raise ValueError(
                f"check_gradients: wanted a point where {problem.title} is finite, got outputs "
                "that are all nan or infinite; choose other inputs"
            )
        self._check_linear()
        return True

    def _check_untouched(self, before: list[tuple[Array, Array]]) -> None:
        __tracebackhide__ = True
        for value, copy in before:
            if not np.array_equal(value, copy, equal_nan=value.dtype.kind in "fc"):
                reason = "an input array was changed in place: copy it before writing into it"
                raise self._error("purity", self._first(), reason)
        for slot, x, leaf in zip(
            self.problem.inputs, self.tape.inputs, self.problem.leaves, strict=True
        ):
            if not np.array_equal(x.data, leaf, equal_nan=True):
                reason = "the function changes this input in place: copy it before writing into it"
                raise self._error("purity", slot.name, reason)

    def _check_repeatable(self, recorded: Array) -> None:
        """Compare the recorded values with those of another, unrecorded evaluation."""
        __tracebackhide__ = True
        fx = self.fx
        if recorded.shape == fx.shape and np.allclose(
            recorded, fx, rtol=1e-12, atol=0.0, equal_nan=True
        ):
            return
        again = self.problem(self.x)
        same = again.shape == fx.shape and np.array_equal(again, fx, equal_nan=True)
        # Where Variables take another path than arrays, sums may differ by rounding.
        if not same or recorded.shape != fx.shape or not self._is_rounding(recorded):
            raise self._error("values", self._first(), self._why_values_differ(same=same))

    def _check_linear(self) -> None:
        __tracebackhide__ = True
        if self._is_gradient(self.gradient(-2.0 * self.v) / -2.0):
            return
        if self._is_gradient(self.gradient(self.v)):
            reason = "the rule is not linear in the incoming gradient"
            raise self._error("linearity", self._first(), reason)
        raise self._error("purity", self._first(), f"stale buffer: {_WRITES}")

    def check_stale(self) -> None:
        """Check that evaluations since then have left alone what the first one saved."""
        __tracebackhide__ = True
        if not self._is_gradient(self.gradient(self.v)):
            raise self._error("purity", self._first(), f"stale buffer: {_SHARED}")

    def _is_gradient(self, g: Array) -> bool:
        top = np.max(np.abs(self.g), initial=0.0, where=np.isfinite(self.g))
        return np.allclose(g, self.g, rtol=1e-9, atol=1e-12 * top, equal_nan=True)

    def _first(self) -> str:
        return self.problem.inputs[0].name

    def _is_rounding(self, recorded: Array) -> bool:
        scale = np.max(np.abs(self.fx), initial=0.0, where=np.isfinite(self.fx))
        allowed = 1e-9 * scale + 10 * self.oracle.measure_noise() + (self.options.atol or 0.0)
        return bool(np.all(np.isclose(recorded, self.fx, rtol=1e-9, atol=allowed, equal_nan=True)))

    def _why_values_differ(self, *, same: bool) -> str:
        if not same:
            return (
                "two evaluations at one point differ: random numbers, or state kept between calls"
            )
        if self.problem.order == 1:
            return "recording changes the value of the function"
        return "the rule computes one gradient on arrays and another on Variables (create_graph)"

    def gradient(self, cotangent: Array) -> Array:
        """Return J^T v, or raise what is wrong with the rule that cannot compute it."""
        try:
            return self.tape.gradient(cotangent)
        except ValueError as error:
            if "wanted a gradient of shape" not in str(error):
                raise
            reason = f"missing broadcast sum or wrong shape: {error}"
            raise self._error("shape", self._first(), reason) from error

    def _error(self, kind: str, where: str, reason: str) -> GradientError:
        return GradientError.plain(
            self.problem,
            self.options.arguments,
            kind=kind,
            mode=self.mode,
            input=where,
            cause=reason,
        )

    # -- what the comparisons share --------------------------------------------------------------

    def tolerance(self, scale: Array, d: Array) -> Tolerance:
        """Return how far the derivative along `d` may be off, for outputs' derivatives of a size
        `scale`.
        """
        if self.options.atol is not None:
            return Tolerance(self.options.rtol, np.full(scale.shape, self.options.atol), scale)
        values = np.abs(np.where(np.isfinite(self.fx), self.fx, 0.0))
        # What cancels to nearly zero in one output leaves rounding errors of the size of the
        # others.
        noise = self.oracle.epsilon * (4 * values + 16 * self.magnitude) / self.oracle.size(d)
        return Tolerance(self.options.rtol, ATOL * scale + noise, scale)

    def output(self, row: int) -> tuple[Slot, int]:
        """Return the output that a coordinate belongs to, and where that output begins."""
        k, start = _locate(self.problem.outputs, row)
        return self.problem.outputs[k], start

    def input(self, coordinate: int) -> tuple[int, int]:
        """Return the number of the input that a coordinate belongs to, and its place there."""
        k, start = _locate(self.problem.inputs, coordinate)
        return k, coordinate - start

    def error_at(
        self,
        direction: Direction,
        row: int,
        analytic: float,
        verdict: Verdict,
        *,
        cause: str,
        wrong: tuple[int, int] = (1, 1),
    ) -> GradientError:
        """Return the error for one entry of the Jacobian."""
        output, start = self.output(row)
        return GradientError.entry(
            self.problem,
            self.options.arguments,
            mode=self.mode,
            slot=self.problem.inputs[direction.leaf],
            coordinate=direction.coordinate,
            output=output,
            output_coordinate=row - start,
            analytic=analytic,
            numeric=float(verdict.numeric[row]),
            error=float(verdict.error[row]),
            sides=(float(verdict.left[row]), float(verdict.right[row])),
            kink=bool(verdict.kink[row]),
            step=verdict.step,
            method=verdict.method,
            cause=cause,
            wrong=wrong,
        )

    # -- low precision ---------------------------------------------------------------------------

    def check_precision(self, low: Problem) -> None:
        """Compare the gradient of the same function in its own precision with the one in double
        precision.
        """
        tape = Tape(low, low.leaves)
        epsilon = low.epsilon
        # What underflows on the way is lost; 16 allows for factors that come later.
        tiny = 16 * max(float(np.finfo(slot.dtype).tiny) for slot in (*low.inputs, *low.outputs))
        v = np.round(self.v * 64) / 64  # exact in every precision
        precise = self.gradient(v)
        coarse = tape.gradient(v)
        # What moving the inputs by their rounding unit does, in both precisions: the one shows how
        # well-conditioned the gradient is, the other how much of it is rounding error.
        moved = self.x * (1 + epsilon * self.options.rng.choice((-1.0, 1.0), self.x.size))
        wobble = np.fmax(
            np.abs(Tape(self.problem, unpack(moved, self.problem.inputs)).gradient(v) - precise),
            np.abs(Tape(low, unpack(moved, low.inputs)).gradient(v) - coarse),
        )
        start = 0
        for slot in self.problem.inputs:
            part = slice(start, start + slot.reals)
            start += slot.reals
            scale = np.max(np.abs(precise[part]), initial=0.0, where=np.isfinite(precise[part]))
            with np.errstate(invalid="ignore"):
                allowed = (
                    16 * np.max(wobble[part], initial=0.0)
                    + max(1e-2, 16 * epsilon**0.5) * np.abs(precise[part])
                    + 1e3 * epsilon * scale
                    + tiny
                )
                off = np.abs(coarse[part] - precise[part]) > allowed
            off |= np.isnan(coarse[part]) & np.isfinite(precise[part])
            if off.any():
                coordinate = int(np.argmax(off))
                raise GradientError.entry(
                    low,
                    self.options.arguments,
                    mode="reverse",
                    slot=slot,
                    coordinate=coordinate,
                    output=None,
                    output_coordinate=0,
                    analytic=float(coarse[part][coordinate]),
                    numeric=float(precise[part][coordinate]),
                    error=float(allowed[coordinate]),
                    sides=(np.nan, np.nan),
                    kink=False,
                    step=0.0,
                    method=f"double precision, for data of {low.inputs[0].dtype}",
                    cause="dtype: right in double precision, wrong in the precision of the inputs",
                    wrong=(int(off.sum()), off.size),
                )


def arrays_of(arguments: tuple[Any, ...]) -> Iterator[Array]:
    """Yield the arrays among arguments."""
    for _, value in flatten(list(arguments), ""):
        array = raw(value)
        if isinstance(array, np.ndarray):
            yield array


def _locate(slots: list[Slot], coordinate: int) -> tuple[int, int]:
    start = 0
    for k, slot in enumerate(slots):
        if coordinate < start + slot.reals:
            return k, start
        start += slot.reals
    raise IndexError(coordinate)
