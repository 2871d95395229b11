"""The full Jacobian, entry by entry: the comparison behind `check_gradients`.

Imports the modules beside it and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograd.testing._diagnosis import Block, explain
from autograd.testing._errors import GradientError
from autograd.testing._judge import SAFETY, Verdict, judge
from autograd.testing._level import Direction, Level
from autograd.testing._packing import Array, Slot


def columns_of(level: Level) -> Callable[[Array], Array]:
    """Return the function u -> J u in the mode being checked.

    Reverse mode needs one backward pass per output coordinate, made here.
    """
    if level.mode == "forward":
        return level.problem.tangent
    jacobian = np.array([level.gradient(unit) for unit in np.eye(level.fx.size)])
    # Only the columns that take part: 0 * inf would spoil the others.
    return lambda u: np.asarray(jacobian[:, u != 0] @ u[u != 0])


def directions_of(level: Level) -> Iterator[Direction]:
    """Yield the moves of the inputs; at higher orders the cotangents move along one random
    direction each.
    """
    start = 0
    for k, slot in enumerate(level.problem.inputs):
        if k >= level.problem.checked:
            vector = np.zeros(level.x.size)
            vector[start : start + slot.reals] = level.options.rng.uniform(0.5, 1.0, slot.reals)
            if slot.reals:
                yield Direction(k, 0, vector)
        else:
            mirrored = level.options.is_symmetric(k)
            for coordinate in range(slot.reals):
                partner, sign = mirror(slot, coordinate) if mirrored else (coordinate, 1.0)
                if partner >= coordinate and sign:
                    vector = np.zeros(level.x.size)
                    vector[start + coordinate] = 1.0
                    vector[start + partner] = sign
                    yield Direction(k, coordinate, vector)
        start += slot.reals


def mirror(slot: Slot, coordinate: int) -> tuple[int, float]:
    """Return the coordinate that mirrors one in a (stack of) symmetric or Hermitian matrices, and
    the sign it moves with.
    """
    if len(slot.shape) < 2 or slot.shape[-1] != slot.shape[-2]:
        return coordinate, 1.0
    per = 2 if slot.dtype.kind == "c" else 1
    flat, part = divmod(coordinate, per)
    n = slot.shape[-1]
    matrix, element = divmod(flat, n * n)
    i, j = divmod(element, n)
    if i == j:
        return coordinate, 0.0 if part else 1.0  # the diagonal of a Hermitian matrix is real
    return (matrix * n * n + j * n + i) * per + part, -1.0 if part else 1.0


class Comparison:
    """Analytic and numeric derivatives of every output along every direction.

    Attributes:
        analytic: of shape (outputs, directions).
        numeric: likewise.
        wrong: which entries are wrong.
    """

    def __init__(self, level: Level) -> None:
        self.level = level
        self.oracle = level.oracle
        self.oracle.choose(level.options.rng)
        self.directions = list(directions_of(level))
        column = columns_of(level)
        estimates = [self.oracle.along(d.vector) for d in self.directions]
        columns = [column(d.vector) for d in self.directions]
        shape = (level.fx.size, len(self.directions))
        self.analytic = np.array(columns).T.reshape(shape)
        self.numeric = np.array([e.value for e in estimates]).T.reshape(shape)
        self.scales = self._block_scales()
        sizes = np.array([self.oracle.size(d.vector) for d in self.directions])
        changes = np.where(np.isfinite(self.numeric), np.abs(self.numeric), 0.0) * sizes
        level.magnitude = float(np.max(changes, initial=level.magnitude))
        # A function that is zero all over but for rounding has no scale of its own.
        if level.magnitude < 1e-12 and level.magnitude <= 100 * np.max(self.oracle.measure_noise()):
            level.magnitude = 1.0
        self.verdicts: list[Verdict] = []
        for k, (direction, estimate) in enumerate(zip(self.directions, estimates, strict=True)):
            tolerance = level.tolerance(self.scales[:, k], direction.vector)
            verdict = judge(self.oracle, direction.vector, columns[k], estimate, tolerance)
            self.verdicts.append(verdict)
            replaced = np.isnan(self.numeric[:, k]) | verdict.wrong
            self.numeric[:, k] = np.where(replaced, verdict.numeric, self.numeric[:, k])
        self.wrong = np.array([v.wrong for v in self.verdicts]).T.reshape(shape)

    def _block_scales(self) -> Array:
        """Return, for each entry, the largest entry of its block: one output array by one input
        array.
        """
        scales = np.zeros(self.numeric.shape)
        finite = np.where(np.isfinite(self.numeric), np.abs(self.numeric), 0.0)
        leaves = np.array([d.leaf for d in self.directions])
        start = 0
        for slot in self.level.problem.outputs:
            rows = slice(start, start + slot.reals)
            start += slot.reals
            for leaf in np.unique(leaves):
                columns = leaves == leaf
                scales[rows, columns] = np.max(finite[rows, columns], initial=0.0)
        return scales

    def check(self) -> None:
        """Raise for the worst wrong entry, or for shares of a tie that are wrong together."""
        __tracebackhide__ = True
        if self.wrong.any():
            self.wrong &= ~self._is_ill_conditioned()
        if self.wrong.any():
            raise self._error()
        kinked = np.array([v.kink for v in self.verdicts]).T.reshape(self.wrong.shape)
        ties: dict[tuple[int, ...], list[int]] = {}
        for row in np.flatnonzero(kinked.sum(axis=1) > 1):
            ties.setdefault(tuple(np.flatnonzero(kinked[row]).tolist()), []).append(int(row))
        for members, rows in ties.items():
            self._check_tie(members, rows)

    def _is_ill_conditioned(self) -> Array:
        """Tell which small errors are no larger than what moving the inputs by their own rounding
        does to the true derivative.
        """
        with np.errstate(invalid="ignore"):
            error = np.abs(self.analytic - self.numeric)
            size = np.fmax(np.abs(self.analytic), np.abs(self.numeric))
            excused = self.wrong & (error <= 1e-3 * size)
        if not excused.any():
            return np.asarray(excused)
        signs = self.level.options.rng.choice((-4.0, 4.0), self.level.x.size)
        moved = self.level.at(self.level.x * (1 + self.oracle.epsilon * signs)).oracle
        moved.analytic = self.oracle.analytic
        for k in np.flatnonzero(excused.any(axis=0))[:16]:
            d = self.directions[k].vector
            wobble = np.abs(moved.along(d).value - self.oracle.along(d).value)
            excused[:, k] &= error[:, k] <= SAFETY * wobble
        return np.asarray(excused)

    def _check_tie(self, members: tuple[int, ...], rows: list[int]) -> None:
        """Judge several kinked inputs of the same outputs moved together: shares that are legal
        alone may not be so in sum.
        """
        __tracebackhide__ = True
        for signs in (
            np.ones(len(members)),
            self.level.options.rng.choice((-1.0, 1.0), len(members)),
        ):
            d = np.zeros(self.level.x.size)
            for sign, k in zip(signs, members, strict=True):
                d += sign * self.directions[k].vector
            analytic = self.analytic[:, list(members)] @ signs
            tolerance = self.level.tolerance(np.max(self.scales[:, list(members)], axis=1), d)
            verdict = judge(self.oracle, d, analytic, self.oracle.differences(d), tolerance)
            for row in rows:
                if verdict.wrong[row]:
                    raise self.level.error_at(
                        self.directions[members[0]],
                        row,
                        float(analytic[row]),
                        verdict,
                        cause="only at a kink: each input's share of the tie is legal alone, but "
                        f"the sum over the {len(members)} inputs, given here, is not",
                    )

    # -- explaining ------------------------------------------------------------------------------

    def _error(self) -> GradientError:
        """Return the error for the worst entry, diagnosed from its whole block of the Jacobian."""
        with np.errstate(invalid="ignore"):
            size = np.abs(self.numeric) + np.abs(self.analytic) + 1e-300
            excess = np.where(self.wrong, np.abs(self.analytic - self.numeric) / size, -1.0)
        excess = np.where(self.wrong & np.isnan(excess), np.inf, excess)
        row, k = map(int, np.unravel_index(int(np.argmax(excess)), excess.shape))
        direction = self.directions[k]
        output, start = self.level.output(row)
        slot = self.level.problem.inputs[direction.leaf]
        rows = slice(start, start + output.reals)
        columns = [i for i, d in enumerate(self.directions) if d.leaf == direction.leaf]
        block = Block(
            self.analytic[rows][:, columns],
            self.numeric[rows][:, columns],
            self.wrong[rows][:, columns],
            output,
            slot,
            whole=len(columns) == slot.reals,
        )
        cause = explain(
            block,
            at_kink=bool(self.verdicts[k].kink[row]),
            elsewhere=lambda: is_right_nearby(self.level, direction, row),
        )
        return self.level.error_at(
            direction,
            row,
            float(self.analytic[row, k]),
            self.verdicts[k],
            cause=cause,
            wrong=(int(self.wrong.sum()), self.wrong.size),
        )


def is_right_nearby(level: Level, direction: Direction, row: int) -> bool:
    """Tell whether the same derivative is right at a point close by, where there is no kink."""
    d = direction.vector
    try:
        near = level.at(level.x + level.oracle.sizes * level.options.rng.uniform(0.05, 0.1, d.size))
        near.mode, near.magnitude = level.mode, level.magnitude
        estimate = near.oracle.differences(d)
        if level.mode == "reverse":
            value = near.gradient(np.eye(1, near.fx.size, row)[0]) @ d
        else:
            value = near.problem.tangent(d)[row]
    except (ArithmeticError, ValueError, RuntimeError):
        return False
    analytic = estimate.value.copy()
    analytic[row] = value
    scale = np.max(np.abs(estimate.value), initial=0.0, where=np.isfinite(estimate.value))
    tolerance = near.tolerance(np.full(analytic.shape, scale), d)
    verdict = judge(near.oracle, d, analytic, estimate, tolerance)
    return not (verdict.wrong[row] or verdict.unjudged[row])
