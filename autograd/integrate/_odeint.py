"""`odeint`: states of any shape and structure at given times.

Discretised, then differentiated: the steps of an explicit Runge-Kutta method are ordinary recorded
operations, so the gradient is exactly that of the numbers which come out, of any order, in forward
mode, too, and with respect to everything `func` uses. Step sizes are constants. The alternative,
the adjoint equation (Chen et al., 2018, equation 5), needs memory for one state only, but its
gradient has an error of its own, from solving the equation backwards, which is large where the
forward flow contracts (Gholami et al., 2019); here memory grows with the number of steps.

Imports what is older than the transforms, and NumPy.

References:
    Dormand and Prince, "A family of embedded Runge-Kutta formulae", Journal of Computational and
    Applied Mathematics 6 (1980), 19-26: the method RK5(4)7M.
    Hairer, Norsett and Wanner, "Solving ordinary differential equations I" (Springer, 1993),
    section II.4: step sizes.
    Chen, Rubanova, Bettencourt and Duvenaud, "Neural ordinary differential equations" (2018).
    Gholami, Keutzer and Biros, "ANODE: unconditionally accurate memory-efficient gradients for
    neural ODEs" (2019).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.batching.values import shown, worst
from autograd.engine.calls import concrete, primitive
from autograd.engine.mode import no_grad
from autograd.ops import joining
from autograd.ops.contractions import as_array
from autograd.transforms.containers import flatten, rebuilt
from autograd.variable import Variable

__all__ = ["combined", "odeint"]

# The tableau: stage i is at time c_i, at y + h sum_j a_ij k_j. The last stage is the new state, so
# that its derivative is the first of the next step.
_TIMES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
_STAGES = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
# The difference to the method of order 4: the estimate of the error.
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)

_SAFETY, _LEAST, _MOST = 0.9, 0.2, 10.0  # of the change of a step size

_State = list[Any]


@primitive(
    arrays=lambda g, index, weights: g * weights[index], linear=True, name="integrate.weighted_sum"
)
def _weighted_sum(*arrays: Any, weights: tuple[float, ...]) -> Any:
    """Add up `weights[i] * arrays[i]`; all arrays have one shape."""
    total = weights[0] * arrays[0]
    for weight, array in zip(weights[1:], arrays[1:], strict=True):
        total += weight * array
    return total


def combined(weights: Sequence[float], slopes: Sequence[_State]) -> _State:
    """Return the weighted sum of slopes, for each array of the state."""
    used = [i for i, w in enumerate(weights) if w]
    chosen = tuple(weights[i] for i in used)
    return [
        _weighted_sum(*parts, weights=chosen)
        for parts in zip(*(slopes[i] for i in used), strict=True)
    ]


class _Problem:
    """The right-hand side as a function of lists of arrays, and how errors are measured.

    Attributes:
        time: the scalar type of times: the real type of the state.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        y0: Any,
        args: tuple[Any, ...],
        tolerances: tuple[float, float],
        tfirst: bool,
    ) -> None:
        if not isinstance(args, (tuple, list)):
            raise TypeError(
                f"odeint: wanted args as a tuple, got {type(args).__name__}; write args=(value,)"
            )
        self.func = func
        self.args = args
        self.tfirst = tfirst
        self.nested = isinstance(y0, (tuple, dict))
        leaves, self.rebuild = flatten(y0) if self.nested else ([y0], next)
        self.start = [_floating(as_array("odeint", "y0", leaf)) for leaf in leaves]
        self.shapes = [y.shape for y in self.start]
        self.dtypes = [y.dtype for y in self.start]
        self.time = np.empty(0, np.result_type(*self.dtypes)).real.dtype.type
        # Steps cannot be more exact than the numbers that they are made of.
        least = 10 * float(np.finfo(self.time).eps)
        self.rtol, self.atol = (max(float(tolerance), least) for tolerance in tolerances)

    def pack(self, state: _State) -> Any:
        return rebuilt(self.rebuild, state)

    def slope(self, state: _State, time: Any) -> _State:
        """Return the derivative of each array of the state."""
        y = self.pack(state)
        result = self.func(time, y, *self.args) if self.tfirst else self.func(y, time, *self.args)
        leaves = flatten(result)[0] if self.nested else [result]
        if len(leaves) != len(state):
            raise ValueError(
                f"odeint: wanted a derivative with the structure of y0, {len(state)} arrays, got "
                f"{len(leaves)}"
            )
        return [
            _fitting(as_array("odeint", "derivative", k), shape, dtype)
            for k, shape, dtype in zip(leaves, self.shapes, self.dtypes, strict=True)
        ]

    def size(self, errors: _State, *states: _State) -> float:
        """Return the root mean square of errors, as multiples of what is allowed; inside vmap that
        of the example with the largest, as all take the same steps.
        """
        total: Any = 0.0
        count = 0
        for error, *values in zip(errors, *states, strict=True):
            largest = functools.reduce(np.maximum, [np.abs(_number(v)) for v in values])
            scaled = np.abs(_number(error)) / (self.atol + self.rtol * largest)
            total = total + np.sum(scaled * scaled, dtype=np.float64)
            count += error.size
        return math.sqrt(worst(total) / max(count, 1))

    def first_step(self, slopes: _State, time: float, span: float) -> float:
        """Guess a step size: the slope shall change little within it."""
        y, k = _number(self.start), _number(slopes)
        d0, d1 = self.size(y, y), self.size(k, y)
        h = 0.01 * d0 / d1 if min(d0, d1) > 1e-5 else 1e-6
        h = min(h, abs(span))
        signed = math.copysign(h, span)
        with no_grad():
            ahead = [
                a + b * dtype.type(signed) for a, b, dtype in zip(y, k, self.dtypes, strict=True)
            ]
            there = self.slope(ahead, self.time(time + signed))
        d2 = self.size([_number(a) - b for a, b in zip(there, k, strict=True)], y) / h
        steepest = max(d1, d2)
        second = max(1e-6, 1e-3 * h) if steepest <= 1e-15 else (0.01 / steepest) ** 0.2
        return min(100 * h, second)


def _number(value: Any) -> Any:
    """Return what step sizes are chosen by, which are constants: no program can be traced."""
    return shown(concrete(value, "odeint"))


def _floating(y: Any) -> Any:
    return y if y.dtype.kind in "fc" else y.astype(np.float64)


def _fitting(k: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    if k.shape != shape or (k.dtype.kind == "c" and dtype.kind != "c"):
        raise ValueError(
            f"odeint: wanted a derivative of shape {shape} and dtype {dtype}, as the state has, "
            f"got shape {k.shape} and dtype {k.dtype}"
        )
    return k if k.dtype == dtype else k.astype(dtype)


def _step(
    problem: _Problem, state: _State, slopes: _State, time: Any, h: Any
) -> tuple[_State, _State, float]:
    """Return the new state, its slopes, and the size of the error, of one step of length `h`."""
    stages = [slopes]
    new = state
    for c, weights in zip(_TIMES[1:], _STAGES[1:], strict=True):
        new = [y + h * k for y, k in zip(state, combined(weights, stages), strict=True)]
        stages.append(problem.slope(new, time + c * h))
    errors = [_number(h) * e for e in combined(_ERROR, _number(stages))]
    return new, stages[-1], problem.size(errors, state, new)


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    args: tuple[Any, ...] = (),
    rtol: float = 1.49012e-8,
    atol: float = 1.49012e-8,
    *,
    tfirst: bool = False,
    mxstep: int = 5000,
) -> Any:
    """Solve dy/dt = func(y, t, *args) from y(t[0]) = y0.

    Differentiable in `y0`, `t`, `args` and in whatever else `func` uses, to any order. The method
    is explicit and adaptive, of order 5: not for stiff problems, for which it takes many steps.

    Args:
        func: the derivative, `func(y, t, *args)`, of the shape of `y`.
        y0: the state at t[0]: an array of any shape, real or complex (a list is taken as one), or
            arrays in nested tuples and dicts. float32 stays float32.
        t: times (T,), in increasing or decreasing order: where the solution is wanted.
        args: further arguments of `func`.
        rtol: relative error allowed per step.
        atol: absolute error allowed per step, in units of y. Neither is taken smaller than ten
            units of rounding.
        tfirst: call `func(t, y, *args)` instead.
        mxstep: steps allowed between two times.

    Returns:
        The states at the times: (T, *y0.shape), in the structure of `y0`.

    Raises:
        ValueError: times that are not in order, or derivatives of another shape or structure.
        RuntimeError: `mxstep` was reached, or the derivative is nan.

    Example:
        >>> import numpy as np
        >>> import autograd
        >>> def last(rate):
        ...     return odeint(lambda y, t: -rate * y, 1.0, [0.0, 1.0])[-1]
        >>> value, slope = autograd.value_and_grad(last)(2.0)
        >>> round(value * np.e**2, 6), round(slope * np.e**2, 6)
        (np.float64(1.0), np.float64(-1.0))
    """
    problem = _Problem(func, y0, args, (rtol, atol), tfirst)
    moments, times = _moments(problem, as_array("odeint", "t", t))
    state = problem.start
    solution = [state]
    if len(times) > 1:
        slopes = problem.slope(state, moments[0])
        span = times[1] - times[0]
        if span:
            size = problem.first_step(slopes, times[0], span)
    for i in range(1, len(times)):
        span = times[i] - times[i - 1]
        recorded = isinstance(moments[i], Variable)
        length: Any = moments[i] - moments[i - 1] if recorded else span
        done, count = 0.0, 0
        while done < 1.0:
            count += 1
            _check_progress(size, times[i - 1] + done * span, count, mxstep)
            share = size / abs(span)
            last = done + share >= 1.0 - 1e-12
            share = 1.0 - done if last else share
            if recorded:
                h, time = length * share, moments[i - 1] + length * done
            else:
                h, time = problem.time(share * span), problem.time(times[i - 1] + done * span)
            new, new_slopes, error = _step(problem, state, slopes, time, h)
            grow = _LEAST if math.isnan(error) else _SAFETY * max(error, 1e-10) ** -0.2
            if error <= 1.0:
                done = 1.0 if last else done + share
                state, slopes = new, new_slopes
                proposed = share * abs(span) * min(_MOST, grow)
                size = max(size, proposed) if last else proposed
            else:
                size = share * abs(span) * max(_LEAST, min(grow, 1.0))
        solution.append(state)
    return problem.pack([joining.stack(parts) for parts in zip(*solution, strict=True)])


def _moments(problem: _Problem, t: Any) -> tuple[list[Any], list[float]]:
    """Return the times twice: as `func` shall see them, recorded where their gradient is wanted;
    and as plain numbers.
    """
    if t.ndim != 1 or not t.size or t.dtype.kind not in "fiu":
        raise ValueError(f"odeint: wanted real times (T,), got shape {t.shape} of dtype {t.dtype}")
    times = [float(x) for x in _number(t)]
    steps = np.diff(times)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise ValueError("odeint: wanted increasing or decreasing times, got others; sort them")
    if isinstance(t, Variable) and t.requires_grad:
        t = t if t.dtype == problem.time else t.astype(problem.time)
        return [t[i] for i in range(len(times))], times
    return [problem.time(x) for x in times], times


def _check_progress(size: float, time: float, count: int, mxstep: int) -> None:
    """Raise where the solution does not get ahead."""
    tiny = 1e-14 * max(abs(time), 1e-30)
    if count > mxstep or not size > tiny:
        raise RuntimeError(
            f"odeint: wanted a solution that at most {mxstep} steps lead to the next time, got "
            f"steps of {size:.3g} at t = {time:.6g}: the problem is stiff, or has a singularity "
            f"there; raise rtol, atol or mxstep, or check that func returns finite numbers"
        )
