r"""L-BFGS: Newton's steps with an inverse Hessian made of the last few changes.

All parameters are one vector x with gradient g. From the pairs of changes s of x and y of g that
are remembered, the direction is

    d = -H g,    H = V' ... V' (s.y / y.y) V ... V + ...,    V = 1 - y s' / s.y

without writing H down (two loops over the pairs). The step is lr * d (at the very first one
min(1, 1 / sum |g|) * lr * d), or the one that a line search finds: t with

    f(x + t d) <= f(x) + 1e-4 * t * g.d      and      |g(x + t d).d| <= 0.9 * |g.d|.

References:
    Nocedal and Wright, Numerical optimization, 2006, algorithms 7.4 and 7.5 (the direction), 3.5
    and 3.6 (the search), equation 3.59 (the cubic between two points).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast

import numpy as np

from autograd import Variable, enable_grad
from optim._checkpoint import check_entries, read_array, read_number
from optim._optimizer import Optimizer
from optim._options import option, refuse_foreign
from optim._runs import Array, State, as_real, check_writeable

__all__ = ["LBFGS"]

Loss = TypeVar("Loss")

# A pair with less curvature than this is not remembered: H must stay positive.
_LEAST_CURVATURE = 1e-10
# What the state holds once a step has been made, as PyTorch calls it.
_NUMBERS = {"func_evals": 0, "n_iter": 0, "t": 0.0, "H_diag": 0.0, "prev_loss": 0.0}
_VECTORS = ("d", "prev_flat_grad")
_HISTORY = ("old_dirs", "old_stps", "ro")


class LBFGS(Optimizer):
    """L-BFGS, whose `step` calls the closure several times; for functions without noise.

    Memory is history_size * 2 vectors of the length of all parameters together.

    Raises:
        ValueError: an option outside its interval, or several groups of parameters.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([-1.2, 1.0], requires_grad=True)
        >>> optimizer = LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure).item().__round__(4)  # before the step, as PyTorch
        24.2
        >>> x.data.round(3)
        array([1., 1.])
    """

    lr: float = option("the step, or the first one that the line search tries", default=1.0)
    max_iter: int = option("the most iterations in one step", default=20, low=1, whole=True)
    max_eval: int | None = option(
        "the most calls of the closure in one step, None for max_iter * 5 // 4",
        default=None,
        low=1,
        whole=True,
    )
    tolerance_grad: float = option("a step ends where no |g| is larger", default=1e-7)
    tolerance_change: float = option(
        "a step ends where the loss, or all of x, change by less", default=1e-9
    )
    history_size: int = option("the most pairs remembered", default=100, low=1, whole=True)
    line_search_fn: str | None = option(
        "'strong_wolfe' for the line search, None for steps of lr",
        default=None,
        choices=("strong_wolfe",),
    )

    def add_param_group(self, param_group: Any) -> None:
        """Take the parameters; there is one group only.

        Raises:
            ValueError: a second group.
        """
        if getattr(self, "param_groups", None):
            raise ValueError(
                "LBFGS: wanted one group of parameters, got a second; all of them are one vector, "
                "so put them into one list"
            )
        super().add_param_group(param_group)
        (group,) = self.param_groups
        if group["max_eval"] is None:
            group["max_eval"] = max(1, group["max_iter"] * 5 // 4)

    # `step` of the base class says that there may be no closure; here it is an error.
    def _move(self, closure: Callable[[], Loss] | None) -> Loss | None:
        if closure is None:
            raise TypeError(
                "LBFGS: wanted a closure in step(closure), got none; it is a function that calls "
                "zero_grad(), computes the loss, calls backward() and returns the loss"
            )
        (group,) = self.param_groups
        first = group["params"][0]
        objective = _Objective(group["params"], closure)
        state = {**_NUMBERS, **self._state.get(first, {})}
        result, loss, g = objective.call()
        calls = 1
        self._state[first] = state | {"func_evals": state["func_evals"] + 1}
        if _largest(g) <= group["tolerance_grad"]:
            return result
        x = objective.point()
        for iteration in range(1, group["max_iter"] + 1):
            state = _turned(state, g, group)
            d, slope = state["d"], float(np.dot(g, state["d"]))
            before, more = loss, 0
            state["prev_flat_grad"], state["prev_loss"] = g, loss
            last = iteration == group["max_iter"]
            if slope > -group["tolerance_change"]:
                last = True  # nowhere to go
            elif group["line_search_fn"] is not None:
                found, more = _search(
                    objective.along(x, d),
                    _Trial(0.0, loss, g, slope),
                    state["t"],
                    _largest(d),
                    group["max_eval"] - calls,
                    group["tolerance_change"],
                )
                state["t"], loss, g = found.t, found.loss, found.gradient
                x = x + found.t * d
                objective.move(x)
            else:
                start, x = x, x + state["t"] * d
                objective.move(x)
                # The loss at the last point is for the next step to compute.
                if not last:
                    loss, g = objective.value(start)
                    more = 1
            calls += more
            state["n_iter"] += 1
            state["func_evals"] = self._state[first]["func_evals"] + more
            self._state[first] = state
            if (
                last
                or calls >= group["max_eval"]
                or _largest(g) <= group["tolerance_grad"]
                or _largest(d) * abs(state["t"]) <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        return result

    def read_entries(
        self,
        index: int,
        parameter: Variable,
        group: Mapping[str, Any],
        entries: Mapping[str, Any],
    ) -> State:
        """Return a copy of the state, which is that of the first parameter in PyTorch's layout."""
        owner, params = "LBFGS", self.param_groups[0]["params"]
        if parameter is not params[0]:
            raise ValueError(f"{owner}: wanted state for parameter 0 alone, got it for {index}")
        flat = _Objective(params, lambda: None).point()
        state: State = {}
        for name, value in entries.items():
            if name in _NUMBERS:
                state[name] = read_number(owner, index, name, value, _NUMBERS[name], low=-math.inf)
            elif name in _VECTORS:
                state[name] = read_array(owner, index, name, value, flat.shape, flat.dtype)
            elif name in _HISTORY:
                if not isinstance(value, Sequence) or len(value) > group["history_size"]:
                    raise ValueError(
                        f"{owner}: wanted a list of at most {group['history_size']} entries as "
                        f"{name!r}, got {type(value).__name__} {value!r:.80}"
                    )
                state[name] = [
                    read_number(owner, index, name, entry, 0.0)
                    if name == "ro"
                    else read_array(owner, index, name, entry, flat.shape, flat.dtype)
                    for entry in value
                ]
        if state.get("n_iter"):
            check_entries(owner, index, state, (*_NUMBERS, *_VECTORS, *_HISTORY))
            if len({len(state[name]) for name in _HISTORY}) > 1:
                raise ValueError(f"{owner}: wanted {', '.join(_HISTORY)} of one length")
        return state


class _Objective(Generic[Loss]):
    """The loss as a function of all parameters as one vector of real numbers."""

    def __init__(self, params: Sequence[Variable], closure: Callable[[], Loss]) -> None:
        refuse_foreign("LBFGS", params)
        for index, parameter in enumerate(params):
            check_writeable("LBFGS", index, parameter.data)
        self.params = params
        self.closure = closure

    def point(self) -> Array:
        """Return where the parameters are."""
        return np.concatenate([as_real(np.ravel(p.data)) for p in self.params])

    def move(self, x: Array) -> None:
        """Move the parameters."""
        start = 0
        for parameter in self.params:
            target = parameter.data
            flat = as_real(np.empty(target.size, target.dtype))
            flat[...] = x[start : start + flat.size]
            target[...] = flat.view(target.dtype).reshape(target.shape)
            parameter.mark_changed()
            start += flat.size

    def call(self) -> tuple[Loss, float, Array]:
        """Return what the closure returns, as a number, too, and the gradient that it leaves."""
        with enable_grad():
            result = self.closure()
        if result is None:
            raise TypeError("LBFGS: wanted the loss from the closure, got None; add: return loss")
        grads = [
            as_real(np.zeros(p.size, p.dtype) if p.grad is None else np.ravel(p.grad))
            for p in self.params
        ]
        loss = float(result.item() if isinstance(result, Variable) else cast("Any", result))
        return result, loss, np.concatenate(grads)

    def value(self, start: Array) -> tuple[float, Array]:
        """Return loss and gradient; where that fails, the parameters go back to a point."""
        try:
            return self.call()[1:]
        except BaseException:
            self.move(start)
            raise

    def along(self, x: Array, d: Array) -> Callable[[float], "_Trial"]:
        """Return the function of t that moves the parameters to x + t d and looks."""

        def trial(t: float) -> _Trial:
            self.move(x + t * d)
            loss, g = self.value(x)
            return _Trial(t, math.inf if math.isnan(loss) else loss, g, float(np.dot(g, d)))

        return trial


def _largest(vector: Array) -> float:
    return float(np.max(np.abs(vector), initial=0.0))


def _turned(state: State, g: Array, group: Mapping[str, Any]) -> State:
    """Return the state with the next direction, the step to try, and the last pair taken in."""
    state = dict(state)
    if state["n_iter"] == 0:
        shortened = min(1.0, 1.0 / float(np.sum(np.abs(g))))
        return state | {
            "d": -g,
            "t": shortened * group["lr"],
            "H_diag": 1.0,
            "old_dirs": [],
            "old_stps": [],
            "ro": [],
        }
    y, s = g - state["prev_flat_grad"], state["d"] * state["t"]
    curvature = float(np.dot(y, s))
    if curvature > _LEAST_CURVATURE:
        for name, value in zip(_HISTORY, (y, s, 1.0 / curvature), strict=True):
            state[name] = [*state[name], value][-group["history_size"] :]
        state["H_diag"] = curvature / float(np.dot(y, y))
    pairs = list(zip(*(state[name] for name in _HISTORY), strict=True))
    d = -g
    shares = []
    for y, s, inverse in reversed(pairs):
        share = inverse * float(np.dot(s, d))
        d -= share * y
        shares.append(share)
    d *= state["H_diag"]
    for (y, s, inverse), share in zip(pairs, reversed(shares), strict=True):
        d += (share - inverse * float(np.dot(y, d))) * s
    return state | {"d": d, "t": group["lr"]}


# ---- the line search ------------------------------------------------------------------------

_DECREASE = 1e-4  # c1: how much of what the slope promises must be reached
_FLATTER = 0.9  # c2: how much of the slope may be left


class _Trial(NamedTuple):
    """A point on the line, and what is there."""

    t: float
    loss: float
    gradient: Array
    slope: float


def _search(
    trial_at: Callable[[float], _Trial],
    start: _Trial,
    t: float,
    reach: float,
    limit: int,
    tolerance: float,
) -> tuple[_Trial, int]:
    """Return a point where both conditions hold, or the best one met, and the number of trials.

    Args:
        trial_at: looks at a point.
        start: the point at t = 0, from which the line falls.
        t: the first one to try.
        reach: the largest change of an element of x for t = 1.
        limit: the most trials after the first one.
        tolerance: the search ends between points that are nearer to each other, in x.
    """

    def too_high(trial: _Trial) -> bool:
        return trial.loss > start.loss + _DECREASE * trial.t * start.slope

    def flat_enough(trial: _Trial) -> bool:
        return abs(trial.slope) <= -_FLATTER * start.slope

    # Go on, faster and faster, until a good point lies behind.
    before, trial, count = start, trial_at(t), 0
    while count < limit:
        if too_high(trial) or (count > 1 and trial.loss >= before.loss):
            ends = [before, trial]
            break
        if flat_enough(trial):
            return trial, count + 1
        if trial.slope >= 0:
            ends = [before, trial]
            break
        nearest = trial.t + 0.01 * (trial.t - before.t)
        t = _minimum(before, trial, nearest, 10 * trial.t)
        before, trial = trial, trial_at(t)
        count += 1
    else:
        ends = [start, trial]

    # Close in on it. `low` is the place of the lower end.
    low = 0 if ends[0].loss <= ends[1].loss else 1
    stuck = False
    while count < limit:
        left, right = sorted(end.t for end in ends)
        if (right - left) * reach < tolerance:
            break
        t = _minimum(ends[0], ends[1], left, right)
        # Twice near an end, or on one: a tenth of the interval away from it.
        margin = 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (stuck or t >= right or t <= left):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            near = False
        stuck = near
        trial = trial_at(t)
        count += 1
        if too_high(trial) or trial.loss >= ends[low].loss:
            ends[1 - low] = trial
            low = 0 if ends[0].loss <= ends[1].loss else 1
            continue
        if flat_enough(trial):
            return trial, count + 1
        if trial.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = trial
    return ends[low], count + 1


def _minimum(a: _Trial, b: _Trial, least: float, most: float) -> float:
    """Return where the cubic through two points with their slopes is lowest, within bounds."""
    if a.t > b.t:
        a, b = b, a
    width = b.t - a.t
    if width > 0 and math.isfinite(a.loss) and math.isfinite(b.loss):
        bend = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
        square = bend**2 - a.slope * b.slope
        if square >= 0:
            root = math.sqrt(square)
            across = b.slope - a.slope + 2 * root
            if across != 0:
                lowest = b.t - width * ((b.slope + root - bend) / across)
                return min(max(lowest, least), most)
    return (least + most) / 2
