"""`solve_ivp`: adaptive methods with SciPy's steps, dense output, and two kinds of gradient.

Discrete: the accepted steps are recorded operations, so the gradient is exactly that of the numbers
which come out, to any order, and memory grows with the number of steps. Adjoint: the equation of
the cotangent is solved backwards along the stored solution, which takes the memory of the states
only, and has an error of the size of the tolerance.

Imports `_steps`, the transforms and what is older.

References:
    Chen, Rubanova, Bettencourt and Duvenaud, "Neural ordinary differential equations" (2018),
    appendix C: the adjoint equation; here the state is not solved for backwards, but read from the
    interpolation between the steps of the forward solution.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd._optional import require
from autograd.engine.calls import concrete, holds_variable
from autograd.engine.graph import next_number, unwrap, wrap
from autograd.engine.mode import is_grad_enabled, no_grad
from autograd.integrate._steps import METHODS, Clock, Solution, Tolerance, integrate, method_of
from autograd.ops import joining
from autograd.ops.contractions import as_array
from autograd.ops.plain import power_of_two
from autograd.transforms.jacobian import jacobian
from autograd.transforms.trace import Replay, free_nodes, fresh, record_jointly
from autograd.variable import Variable

__all__ = ["OdeResult", "solve_ivp"]

_IMPLICIT = ("Radau", "BDF", "LSODA")
_NAMES = {method.lower(): method for method in (*METHODS, *_IMPLICIT)}
_DONE = "The solver successfully reached the end of the integration interval."


class OdeResult(types.SimpleNamespace):
    """What `solve_ivp` returns: `t` (T,), `y` (n, T), `sol` (a function of time, or None), `nfev`,
    `status` (0, or -1 where a step failed), `message`, `success`.
    """


class _Problem:
    """The equation, and how it is to be solved."""

    def __init__(
        self, fun: Callable[..., Any], y0: Any, args: Any, method: str, tolerance: Tolerance
    ) -> None:
        self.fun, self.args, self.tolerance, self.method = fun, args, tolerance, method
        self.shape, self.dtype = y0.shape, y0.dtype
        self.real = np.empty(0, y0.dtype).real.dtype.type
        self.calls = 0

    def slope(self, time: Any, y: Any) -> Any:
        """Return the derivative of the state."""
        self.calls += 1
        k = as_array("solve_ivp", "fun", self.fun(time, y, *self.args))
        if k.shape != self.shape or (k.dtype.kind == "c" and self.dtype.kind != "c"):
            raise ValueError(
                f"solve_ivp: wanted a derivative of shape {self.shape} and dtype {self.dtype}, as "
                f"the state has, got shape {k.shape} and dtype {k.dtype}"
            )
        return k if k.dtype == self.dtype else k.astype(self.dtype)

    def without_gradient(self) -> _Problem:
        """Return the same problem with plain arguments."""
        args = concrete(self.args, "solve_ivp")
        like = np.empty(self.shape, self.dtype)
        return _Problem(self.fun, like, args, self.method, self.tolerance)

    def reached(self, begin: float, end: float, y: Any) -> Any:
        """Return the state at `end`, from that at `begin`, of plain arrays."""
        if begin == end:
            return y
        clock = Clock(begin, end, self.real)
        solution, failed = (self.steps if self.method in METHODS else self.scipys)(clock, y)
        if failed:
            raise RuntimeError(
                f"solve_ivp: wanted an adjoint equation that can be solved from {begin:g} back to "
                f"{end:g}, got the message: {failed}"
            )
        return np.array(solution(end))

    def steps(self, clock: Clock, y0: Any) -> tuple[Any, str]:
        """Return the solution as a function of time, with `ts`, and what has gone wrong."""
        segments, failed = integrate(self.slope, clock, y0, method_of(self.method), self.tolerance)
        return Solution(segments) if segments else None, failed

    def scipys(self, clock: Clock, y0: Any) -> tuple[Any, str]:
        """Return what `steps` does for a method that SciPy alone has."""
        scipy = require("scipy.integrate", extra="special")
        tolerance = self.tolerance
        with no_grad():
            found = scipy.solve_ivp(
                lambda t, y: unwrap(self.slope(self.real(t), y)),
                (clock.start, clock.end),
                y0,
                self.method,
                dense_output=True,
                rtol=tolerance.rtol,
                atol=tolerance.atol,
                first_step=tolerance.first_step,
                max_step=tolerance.max_step,
                jac=lambda t, y: jacobian(lambda y: self.slope(self.real(t), y))(y),
            )
        return found.sol, "" if found.status == 0 else found.message


def solve_ivp(
    fun: Callable[..., Any],
    t_span: Any,
    y0: Any,
    method: str = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: None = None,
    *,
    args: tuple[Any, ...] | None = None,
    rtol: float = 1e-3,
    atol: Any = 1e-6,
    first_step: float | None = None,
    max_step: float = math.inf,
    gradient: str = "discrete",
) -> Any:
    """Solve dy/dt = fun(t, y, *args) from y(t_span[0]) = y0 to t_span[1], as SciPy's function does.

    Differentiable in `y0`, `args`, `t_span`, `t_eval` and in whatever else `fun` uses.

    Args:
        fun: the derivative (n,) at a time and a state (n,).
        t_span: the first time and the last, in any order.
        y0: the state to begin with (n,), real or complex; float32 stays float32.
        method: "RK45", "RK23", or "DOP853", which needs SciPy; "Radau", "BDF" and "LSODA", for
            stiff problems, are SciPy's own, with exact Jacobians and adjoint gradients.
        t_eval: times (T,) between the ends, in order; by default those of the steps.
        dense_output: give `sol`, a function of time, too.
        events: none: they have no recorded counterpart.
        args: further arguments of `fun`.
        rtol: relative error allowed per step.
        atol: absolute error allowed per step, in units of y.
        first_step: length of the first step.
        max_step: longest step allowed.
        gradient: "discrete": that of the steps that were taken, with their lengths as constants;
            of any order, memory for all steps. "adjoint": the adjoint equation, solved backwards by
            the same method with the same tolerances; memory for the states only. Derivatives of
            higher order are discrete in both cases.

    Returns:
        An `OdeResult`: `t`, `y` (n, T), `sol`, `nfev`, `status`, `message`, `success`.

    Raises:
        ValueError: times out of order or out of the span; derivatives of another shape.
        TypeError: events; a discrete gradient of a method that is SciPy's own.
        ImportError: a method that needs SciPy without it.

    Example:
        >>> import numpy as np
        >>> import autograd
        >>> def last(rate):
        ...     return solve_ivp(lambda t, y: -rate * y, (0, 1), [1.0], rtol=1e-9).y[0, -1]
        >>> autograd.grad(last)(2.0) * np.e**2
        np.float64(-1.000...)
    """
    name = _NAMES.get(str(method).lower())
    if name is None:
        names = ", ".join(_NAMES.values())
        raise ValueError(f"solve_ivp: wanted a method among {names}, got {method!r}")
    if gradient not in ("discrete", "adjoint"):
        raise ValueError(f"solve_ivp: wanted gradient 'discrete' or 'adjoint', got {gradient!r}")
    if events is not None:
        raise TypeError(
            "solve_ivp: wanted events=None, got events, whose times have no recorded counterpart; "
            "find the time t of an event without a gradient, and make it one by "
            "implicit.solution(lambda t: event(t, result.sol(t)), t)"
        )
    if dense_output and gradient == "adjoint":
        raise TypeError(
            "solve_ivp: wanted dense_output=False with gradient='adjoint', which knows the times "
            "that are asked for only; give them as t_eval, or write gradient='discrete'"
        )
    if not isinstance(args, (tuple, list, types.NoneType)):
        raise TypeError(
            f"solve_ivp: wanted args as a tuple, got {type(args).__name__}; write args=(value,)"
        )
    start = as_array("solve_ivp", "y0", y0)
    if start.ndim != 1:
        raise ValueError(
            f"solve_ivp: wanted y0 of shape (n,), got {start.shape}; odeint takes any shape"
        )
    start = start if start.dtype.kind in "fc" else start.astype(np.float64)
    least = 100 * np.finfo(start.dtype).eps
    tolerance = Tolerance(max(rtol, least), np.asarray(atol), first_step, max_step)
    problem = _Problem(fun, start, tuple(args or ()), name, tolerance)
    clock = Clock(t_span[0], t_span[1], problem.real)
    _check_steps(tolerance, clock)
    times = None if t_eval is None else _checked_times(t_eval, clock)
    if gradient == "adjoint" or name in _IMPLICIT:
        return _as_one_operation(problem, clock, start, times, gradient, dense_output)
    solution, failed = problem.steps(clock, start)
    moments, y = _states(clock, start, solution, times)
    return _result(problem, moments, y, solution if dense_output else None, failed)


def _result(problem: _Problem, t: Any, y: Any, sol: Any, failed: str) -> OdeResult:
    return OdeResult(
        t=t,
        y=y,
        sol=sol,
        t_events=None,
        y_events=None,
        nfev=problem.calls,
        status=-1 if failed else 0,
        message=failed or _DONE,
        success=not failed,
    )


def _states(clock: Clock, y0: Any, solution: Any, times: Any) -> tuple[Any, Any]:
    """Return times, and the states there as (n, T), of steps that are `Solution`."""
    segments = solution._segments if solution is not None else []
    if times is None:
        steps = [clock.start, *(s.end for s in segments)] if segments else [clock.start] * 2
        y = joining.stack([y0, *(s.new for s in segments)] if segments else [y0] * 2, axis=1)
        return _moments(clock, steps), y
    numbers = np.asarray(concrete(times, "solve_ivp"), dtype=float)
    if not segments:
        return times, joining.stack([y0] * len(numbers), axis=1)
    reached = abs(numbers - clock.start) <= abs(segments[-1].end - clock.start)
    times = times[reached]
    return times, solution(times)


def _moments(clock: Clock, numbers: Any) -> Any:
    if clock.recorded and clock.start != clock.end:
        return joining.stack([clock.at(t) for t in numbers])
    return np.array(numbers)


def _checked_times(t_eval: Any, clock: Clock) -> Any:
    times = as_array("solve_ivp", "t_eval", t_eval)
    numbers = np.asarray(concrete(times, "solve_ivp"), dtype=float)
    low, high = sorted((clock.start, clock.end))
    if numbers.ndim != 1 or (numbers < low).any() or (numbers > high).any():
        raise ValueError(
            f"solve_ivp: wanted t_eval (T,) from {low:g} to {high:g}, got shape {numbers.shape}"
            + (f" from {numbers.min():g} to {numbers.max():g}" if numbers.size else "")
        )
    steps = np.diff(numbers) * (1 if clock.end >= clock.start else -1)
    if not (steps > 0).all():
        raise ValueError(
            "solve_ivp: wanted t_eval in the order from t_span[0] to t_span[1], got others; sort "
            "them"
        )
    return times if isinstance(times, Variable) else numbers


def _check_steps(tolerance: Tolerance, clock: Clock) -> None:
    span = abs(clock.end - clock.start)
    first = tolerance.first_step
    if tolerance.max_step <= 0 or (first is not None and not 0 < first <= span):
        raise ValueError(
            f"solve_ivp: wanted 0 < first_step <= {span:g} and max_step > 0, got first_step="
            f"{first} and max_step={tolerance.max_step}"
        )


# -- the adjoint equation --------------------------------------------------------------------------


def _as_one_operation(
    problem: _Problem, clock: Clock, y0: Any, times: Any, gradient: str, dense_output: bool
) -> OdeResult:
    """Solve without recording the steps, and record the solution as one operation."""
    start, own = unwrap(y0), problem.method in METHODS
    plain = Clock(clock.start, clock.end, clock.real)
    quiet = problem.without_gradient()
    if times is not None:
        numbers = np.asarray(concrete(times, "solve_ivp"), dtype=float)
    with no_grad():
        solution, failed = None, ""
        if plain.end != plain.start:
            solution, failed = (quiet.steps if own else quiet.scipys)(plain, start)
        steps = np.array([plain.start] * 2) if solution is None else solution.ts
        if times is None:
            numbers = steps
        else:
            reached = abs(numbers - plain.start) <= abs(steps[-1] - plain.start)
            numbers = numbers[reached]
    if times is not None:
        times = times[reached]

    def dense(t: Any) -> Any:
        """Return the states at a time or at times, which nothing is recorded of."""
        with no_grad():
            alone = np.multiply.outer(start, np.ones(np.shape(t)))
            return unwrap(alone if solution is None else solution(t)).astype(problem.dtype)

    values = dense(numbers)
    moments = _moments(clock, numbers) if times is None else times
    free: list[Any] = []
    if is_grad_enabled():
        first = next_number()
        ends = [(clock.start, start), (clock.end, dense(steps[-1]))]
        slopes = [problem.slope(plain.at(t), fresh(y)) for t, y in ends]
        free = free_nodes([k._node for k in slopes if getattr(k, "requires_grad", False)], first)
    nodes = [getattr(v, "_node", None) for v in (y0, clock.at(clock.start), moments)]
    parents = list(dict.fromkeys(n for n in (*nodes, *free) if n is not None))
    if not parents or not is_grad_enabled():
        known = holds_variable((y0, problem.args)) and not isinstance(values, Variable)
        y = wrap(values) if known else values
        return _result(quiet, moments, y, dense if dense_output else None, failed)
    if gradient == "discrete":
        raise TypeError(
            "solve_ivp: wanted method RK23, RK45 or DOP853 for a discrete gradient, got "
            f"{problem.method}, whose steps are SciPy's; write gradient='adjoint'"
        )

    def joint(g: Any, _: Any) -> list[Any]:
        if not isinstance(g, Variable):
            pulled = _pulled(problem, plain, dense, numbers, g, free, nodes)
            return [pulled.get(node) for node in parents]
        if not own:
            raise TypeError(
                f"solve_ivp: wanted a first derivative of method {problem.method}, whose steps are "
                "SciPy's, got a higher one; write method='DOP853'"
            )

        def again(_: Any) -> list[Any]:
            solved = problem.steps(clock, y0)[0]
            return [_states(clock, y0, solved, times)[1]]

        return Replay(again, [], parents).pull([g])

    y = record_jointly("solve_ivp", joint, parents, values, (y0,))
    return _result(quiet, moments, y, None, failed)


def _pulled(
    problem: _Problem,
    clock: Clock,
    dense: Callable[[Any], Any],
    numbers: Any,
    g: Any,
    free: list[Any],
    nodes: list[Any],
) -> dict[Any, Any]:
    """Return the cotangents of what the solution depends on, by nodes, for that of its values.

    With a the cotangent of the state, da/dt = -a df/dy, to which each time asked for adds its own;
    the cotangent of a parameter is the integral of a df/dp.

    Args:
        problem: the equation.
        clock: from when to when.
        dense: the state at a time.
        numbers: the times asked for (T,).
        g: their cotangents (n, T).
        free: the nodes that `fun` uses.
        nodes: those of y0, of the first time and of the times, None where there is none.
    """
    size = power_of_two(g).reshape(())[()]
    g, n = g / size, len(g)
    ends = np.cumsum([n, *(math.prod(node.shape) for node in free)]).tolist()
    dtype = np.result_type(problem.dtype, *(node.dtype for node in free))

    def back(time: Any, state: Any) -> Any:
        def slope(at: list[Any]) -> list[Any]:
            k = problem.slope(clock.real(time), at[0])
            return [k if getattr(k, "requires_grad", False) else 0.0 * at[0]]

        again = Replay(slope, [dense(float(time))], free)
        a = state[:n].astype(problem.dtype) if problem.dtype.kind == "c" else state[:n].real
        parts = [
            np.zeros(end - begin, dtype) if c is None else np.ravel(c)
            for c, begin, end in zip(again.pull([a]), [0, *ends], ends, strict=False)
        ]
        return -np.concatenate(parts).astype(dtype)

    atol = problem.tolerance.atol
    if atol.ndim:
        atol = np.concatenate([atol, np.full(ends[-1] - n, atol.min())])
    tolerance = problem.tolerance._replace(atol=atol, first_step=None)
    backward = _Problem(back, np.empty(ends[-1], dtype), (), problem.method, tolerance)
    state = np.zeros(ends[-1], dtype)
    stops = np.flatnonzero(g.any(axis=0))[::-1]  # nothing happens at times without a cotangent
    for i, following in zip(stops, [*numbers[stops[1:]], clock.start], strict=False):
        state[:n] += g[:, i]
        state = backward.reached(numbers[i], following, state)
    found: dict[Any, Any] = dict.fromkeys(filter(None, nodes), 0.0)
    parts = np.split(state, ends[:-1])
    for node, part in zip(free, parts[1:], strict=True):
        found[node] = part.reshape(node.shape)
    of_y0, of_start, of_times = nodes
    if of_y0 is not None:
        found[of_y0] = found[of_y0] + parts[0]
    if of_start is not None or of_times is not None:
        with no_grad():
            at = [clock.start, *numbers.tolist()]
            slopes = [unwrap(problem.slope(clock.real(t), dense(t))) for t in at]
        if of_start is not None:
            found[of_start] = found[of_start] - (parts[0] * slopes[0]).sum().real
        if of_times is not None:
            moved = np.array([(g[:, i] * k).sum().real for i, k in enumerate(slopes[1:])])
            found[of_times] = found[of_times] + moved
    return {
        node: (np.asarray(c) if node.dtype.kind == "c" else np.real(c)).astype(node.dtype) * size
        for node, c in found.items()
    }
