"""Explicit Runge-Kutta methods with step size control, as `scipy.integrate` chooses its steps.

States are vectors, recorded where `fun` records; step sizes are constants. Imports `_odeint` and
what is older than the transforms.

References:
    Hairer, Norsett and Wanner, "Solving ordinary differential equations I" (Springer, 1993),
    section II.4: step sizes; II.5 and II.6: the method of order 8 and its interpolation.
    Bogacki and Shampine, "A 3(2) pair of Runge-Kutta formulas" (1989): RK23.
    Dormand and Prince (1980): RK45; Shampine, "Some practical Runge-Kutta formulas", Mathematics of
    Computation 46 (1986): its interpolation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd._optional import require
from autograd.engine.calls import concrete
from autograd.engine.mode import no_grad
from autograd.integrate._odeint import combined
from autograd.ops import joining

__all__ = ["METHODS", "Clock", "Segment", "Solution", "Tolerance", "integrate", "method_of"]


class _Method(NamedTuple):
    """A tableau: stage i is at time c_i, at y + h sum_j a_ij k_j; the new state has weights b."""

    name: str
    order: int  # of the error estimate
    times: Sequence[float]
    stages: Sequence[Sequence[float]]
    weights: Sequence[float]
    errors: Sequence[Sequence[float]]
    # Column p is the weights of the slopes in the coefficient of x^(p + 1) between two steps.
    between: Any
    more: Any = None  # further stages for the interpolation of order 7


_RK23 = _Method(
    "RK23",
    2,
    (0.0, 1 / 2, 3 / 4),
    ((), (1 / 2,), (0.0, 3 / 4)),
    (2 / 9, 1 / 3, 4 / 9),
    ((5 / 72, -1 / 12, -1 / 9, 1 / 8),),
    ((1, -4 / 3, 5 / 9), (0, 1, -2 / 3), (0, 4 / 3, -8 / 9), (0, -1, 1)),
)
_RK45 = _Method(
    "RK45",
    4,
    (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0),
    (
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    ),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    ((-71 / 57600, 0.0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40),),
    (
        (1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432),
        (0, 0, 0, 0),
        (0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799),
        (0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072),
        (0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632),
        (0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844),
        (0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423),
    ),
)
METHODS = ("RK23", "RK45", "DOP853")


def method_of(name: str) -> _Method:
    """Return a method by name; the many coefficients of the one of order 8 are those of SciPy."""
    if name != "DOP853":
        return {"RK23": _RK23, "RK45": _RK45}[name]
    theirs = require("scipy.integrate", extra="special").DOP853
    return _Method(
        name,
        7,
        theirs.C,
        [row[:i] for i, row in enumerate(theirs.A)],
        theirs.B,
        (theirs.E5, theirs.E3),
        theirs.D,
        list(zip(theirs.A_EXTRA, theirs.C_EXTRA, strict=True)),
    )


def _sum(weights: Sequence[float], slopes: Sequence[Any]) -> Any:
    return combined([float(w) for w in weights], [[k] for k in slopes[: len(weights)]])[0]


class Tolerance(NamedTuple):
    """How large errors may be, and how long steps."""

    rtol: Any
    atol: Any
    first_step: float | None
    max_step: float

    def size(self, error: Any, *states: Any) -> Any:
        """Return an error as multiples of what is allowed."""
        return error / (self.atol + np.max(np.abs(states), axis=0) * self.rtol)


class Clock:
    """Times: as numbers for the choice of steps, and as `fun` sees them, recorded where the ends
    are.
    """

    def __init__(self, start: Any, end: Any, real: Any) -> None:
        self.start, self.end = (
            float(concrete(start, "solve_ivp")),
            float(concrete(end, "solve_ivp")),
        )
        self.recorded = any(getattr(t, "requires_grad", False) for t in (start, end))
        self.real = real
        if self.recorded:
            self._start, self._length = start, end - start

    def at(self, time: float) -> Any:
        """Return a time between start and end."""
        if not self.recorded:
            return self.real(time)
        share = self.real((time - self.start) / (self.end - self.start))
        return (self._start + self._length * share).astype(self.real)

    def span(self, length: float) -> Any:
        """Return a length of time."""
        if not self.recorded:
            return self.real(length)
        return (self._length * self.real(length / (self.end - self.start))).astype(self.real)


class Segment:
    """One accepted step, and the solution within it."""

    def __init__(self, method: _Method, clock: Clock, fun: Any, end: float, parts: Any) -> None:
        self.method, self.fun, self.end = method, fun, end
        self.begin, self.h, self.y, self.new, self.slopes = parts
        self.time, self.length = clock.at(self.begin), clock.span(self.h)
        self._coefficients: list[Any] | None = None

    def __call__(self, times: Any) -> Any:
        """Return the states at times (m,) as (n, m)."""
        x = (times - self.time) / self.length
        if self._coefficients is None:
            make = self._polynomial if self.method.more is None else self._of_order_7
            self._coefficients = make()
        y = None
        for i, f in enumerate(reversed(self._coefficients)):
            factor = x if self.method.more is None or i % 2 == 0 else 1 - x
            y = factor * (f[:, None] if y is None else y + f[:, None])
        return self.y[:, None] + y

    def _polynomial(self) -> list[Any]:
        columns = zip(*self.method.between, strict=True)
        return [self.length * _sum(column, self.slopes) for column in columns]

    def _of_order_7(self) -> list[Any]:
        slopes = list(self.slopes)
        for weights, c in self.method.more:
            moved = self.y + self.length * _sum(weights[: len(slopes)], slopes)
            slopes.append(self.fun(self.time + float(c) * self.length, moved))
        h, first, last = self.length, slopes[0], self.slopes[-1]
        change = self.new - self.y
        return [
            change,
            h * first - change,
            2.0 * change - h * (first + last),
            *(h * _sum(row, slopes) for row in self.method.between),
        ]


class Solution:
    """The solution at any time between the first and the last step: `sol(t)`.

    Attributes:
        ts: the times of the steps.
        t_min: the earliest time.
        t_max: the latest time.
    """

    def __init__(self, segments: list[Segment]) -> None:
        self._segments = segments
        self.ts = np.array([segments[0].begin, *(s.end for s in segments)])
        self.t_min, self.t_max = self.ts.min(), self.ts.max()

    def __repr__(self) -> str:
        return f"Solution({len(self._segments)} steps from {self.ts[0]:.4g} to {self.ts[-1]:.4g})"

    def __call__(self, t: Any) -> Any:
        """Return the state at time t (n,), or at times (m,) as (n, m)."""
        numbers = np.asarray(concrete(t, "solve_ivp"), dtype=float)
        times = t.reshape((-1,)) if hasattr(t, "reshape") else numbers.reshape(-1)
        forward = self.ts[-1] >= self.ts[0]
        ends = self.ts[1:] if forward else -self.ts[1:]
        flat = numbers.ravel() if forward else -numbers.ravel()
        which = np.minimum(np.searchsorted(ends, flat), len(self._segments) - 1)
        order = np.argsort(which, kind="stable")
        parts = [
            self._segments[i](times[order[which[order] == i]]) for i in np.unique(which).tolist()
        ]
        y = joining.concatenate(parts, axis=1) if parts else self._segments[0](times)
        y = y[:, np.argsort(order)]
        return y if numbers.ndim else y[:, 0]


def _first_step(
    fun: Any, clock: Clock, y: Any, slope: Any, tolerance: Tolerance, order: int
) -> float:
    """Guess a step size: the slope shall change little within it."""
    span = abs(clock.end - clock.start)
    d0, d1 = (_norm(tolerance.size(v, y)) for v in (y, slope))
    h = min(1e-6 if min(d0, d1) < 1e-5 else 0.01 * d0 / d1, span)
    signed = math.copysign(h, clock.end - clock.start)
    with no_grad():
        there = concrete(fun(clock.at(clock.start + signed), y + signed * slope), "solve_ivp")
    d2 = _norm(tolerance.size(there - slope, y)) / h
    steepest = max(d1, d2)
    second = max(1e-6, h * 1e-3) if steepest <= 1e-15 else (0.01 / steepest) ** (1 / (order + 1))
    return min(100 * h, second, span, tolerance.max_step)


def _norm(x: Any) -> float:
    """Return the root mean square."""
    return float(np.linalg.norm(x) / max(x.size, 1) ** 0.5)


def _error(method: _Method, slopes: Any, h: float, y: Any, new: Any, tolerance: Tolerance) -> float:
    """Return the estimated error of a step in multiples of what is allowed."""
    slopes, y, new = (concrete(v, "solve_ivp") for v in (slopes, y, new))
    parts = [tolerance.size(_sum(weights, slopes), y, new) for weights in method.errors]
    if len(parts) == 1:
        return _norm(parts[0] * h)
    fifth, third = (float(np.linalg.norm(part) ** 2) for part in parts)
    if not fifth and not third:
        return 0.0
    return abs(h) * fifth / math.sqrt((fifth + 0.01 * third) * max(y.size, 1))


def integrate(
    fun: Callable[[Any, Any], Any], clock: Clock, y: Any, method: _Method, tolerance: Tolerance
) -> tuple[list[Segment], str]:
    """Return the steps from start to end, and what has gone wrong, "" for nothing.

    Args:
        fun: the slope (n,) at a time and a state.
        clock: from when to when.
        y: the state to begin with.
        method: how to step.
        tolerance: how far.
    """
    if clock.end == clock.start:
        return [], ""
    direction = math.copysign(1.0, clock.end - clock.start)
    slope, time = fun(clock.at(clock.start), y), clock.start
    size = tolerance.first_step
    if size is None:
        plain, plain_slope = (concrete(v, "solve_ivp") for v in (y, slope))
        size = _first_step(fun, clock, plain, plain_slope, tolerance, method.order)
    segments: list[Segment] = []
    while direction * (clock.end - time) > 0:
        least = 10 * abs(math.nextafter(time, direction * math.inf) - time)
        size, rejected = min(max(size, least), max(tolerance.max_step, least)), False
        while True:
            if not size >= least:
                return segments, "Required step size is less than spacing between numbers."
            end = time + size * direction
            end = clock.end if direction * (end - clock.end) > 0 else end
            size = abs(end - time)
            t, h = clock.at(time), clock.span(end - time)
            slopes = [slope]
            for c, weights in zip(method.times[1:], method.stages[1:], strict=True):
                slopes.append(fun(t + h * float(c), y + h * _sum(weights, slopes)))
            new = y + h * _sum(method.weights, slopes)
            slopes.append(fun(clock.at(end), new))
            error = _error(method, slopes, end - time, y, new, tolerance)
            factor = 0.9 * error ** (-1 / (method.order + 1)) if error > 0 else 10.0
            if error < 1:
                size *= min(10.0, factor, 1.0 if rejected else 10.0)
                break
            size *= max(0.2, factor) if factor == factor else math.nan  # noqa: PLR0124 - nan
            rejected = True
        parts = time, end - time, y, new, slopes
        segments.append(Segment(method, clock, fun, end, parts))
        time, y, slope = end, new, slopes[-1]
    return segments, ""
