"""Analytic and numeric derivatives compared: entry by entry, or along random directions.

A random direction of all inputs, and a random weighting of all outputs, give numbers that a wrong
entry anywhere changes. They are cheap, and blind to where the fault is; what disagrees is settled
by the full Jacobian, or, where that is too large, by halving the outputs and the inputs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograd.testing._arrays import Array, locate
from autograd.testing._diagnosis import Block, explain
from autograd.testing._differences import (
    SAFETY,
    SHARP,
    Estimate,
    Verdict,
    first_look,
    judge,
    sharpest,
)
from autograd.testing._errors import Wrong, wrong_number
from autograd.testing._level import ATOL, Level

# Up to so many coordinates of inputs and outputs together the full Jacobian settles what a
# projection leaves open.
SETTLE_LIMIT = 512
# So many outputs at kinks of a larger function are looked at one by one in reverse mode.
KINKS = 32
# In so many coordinates a small share of the whole may drown.
DROWNING = 64


def directions(level: Level) -> list[Array]:
    """Return a random direction in which everything moves; and one of what moves the outputs so
    little that it would drown there, where there is some.
    """
    rng, sizes = level.options.rng, level.oracle.sizes
    everything = rng.uniform(0.5, 1.0, sizes.size) * rng.choice((-1.0, 1.0), sizes.size) * sizes
    share = np.abs(level.g * everything)
    little = np.where(share < 1e-3 * np.max(share, initial=0.0), everything, 0.0)
    drowns = share.size > DROWNING and level.problem.order == 1 and little.any()
    return [everything, little] if drowns else [everything]


def unit(size: int, k: int) -> Array:
    """Return the vector that is one at `k` and zero elsewhere."""
    return np.asarray(np.eye(1, size, k)[0])


def only(v: Array, places: Array) -> Array:
    """Return `v` with zeros but in some places."""
    kept = np.zeros(v.shape)
    kept[places] = v[places]
    return kept


def pushed(level: Level, d: Array, rows: Array) -> Array:
    """Return the analytic derivatives of some outputs along `d`; zeros for the others."""
    if level.mode == "forward":
        return only(level.problem.tangent(d), rows)
    column = np.zeros(level.fx.size)
    moved = d != 0  # only the inputs that take part: 0 * inf would spoil the others
    for row in rows:
        column[row] = level.gradient(unit(level.fx.size, row))[moved] @ d[moved]
    return column


# -- entry by entry --------------------------------------------------------------------------------


class Comparison:
    """Analytic and numeric derivatives of every output by every input.

    Attributes:
        analytic: the Jacobian by the rules.
        numeric: the Jacobian by numbers.
        wrong: which entries are wrong; once one has proved to be, all that disagree.
        kinked: which entries lie at a kink.
    """

    def __init__(self, level: Level) -> None:
        self.level = level
        count = level.oracle.x.size
        units = [unit(count, k) for k in range(count)]
        if level.mode == "reverse":
            rows = [level.gradient(v) for v in np.eye(level.fx.size)]
            self.analytic = np.array(rows).reshape(level.fx.size, count)
        else:
            self.analytic = self._matrix([level.problem.tangent(d) for d in units])
        self.numeric = self._matrix([level.look(d).value for d in units])
        finite = np.where(np.isfinite(self.numeric), np.abs(self.numeric), 0.0)
        level.grow(np.max(finite * level.oracle.sizes, initial=0.0))
        # The scale of an entry is the largest of its block, one output array by one input array.
        scales = np.zeros(finite.shape)
        for rows_ in level.rows():
            for columns in level.columns():
                scales[rows_, columns] = np.max(finite[rows_, columns], initial=0.0)
        self.tolerances = [
            level.tolerance(scale, d) for scale, d in zip(scales.T, units, strict=True)
        ]
        self.verdicts = [
            first_look(level.oracle, self.analytic[:, k], level.look(units[k]), self.tolerances[k])
            for k in range(count)
        ]
        self._look_closer(units)
        self.wrong = self._matrix([v.wrong for v in self.verdicts]).astype(bool)
        self.kinked = self._matrix([v.kink for v in self.verdicts]).astype(bool)

    def _matrix(self, columns: list[Array]) -> Array:
        return np.array(columns).T.reshape(self.level.fx.size, len(columns))

    def _look_closer(self, units: list[Array]) -> None:
        """Judge the columns that disagree, the worst ones first, until one proves to be wrong."""
        gaps = [
            np.max(np.abs(self.analytic[:, k] - self.numeric[:, k])[v.wrong], initial=-1.0)
            for k, v in enumerate(self.verdicts)
        ]
        for k in np.argsort([-gap if np.isfinite(gap) else -np.inf for gap in gaps]):
            if not self.verdicts[k].wrong.any():
                return
            self.verdicts[k] = judge(
                self.level.oracle,
                units[k],
                self.analytic[:, k],
                self.level.look(units[k]),
                self.tolerances[k],
            )
            if self.verdicts[k].wrong.any():
                self.worst = int(k)
                return

    def check(self) -> None:
        """Raise for the worst wrong entry, or for shares of a tie that are wrong together."""
        if self.wrong.any():
            raise self._finding()
        for members in np.unique(self.kinked[self.kinked.sum(axis=1) > 1], axis=0):
            self._check_tie(members, np.flatnonzero((self.kinked == members).all(axis=1)))

    def _check_tie(self, members: Array, rows: Array) -> None:
        """Judge several kinked inputs of the same outputs moved together: shares that are legal
        alone may not be so in sum.
        """
        level, count = self.level, int(members.sum())
        for d in (members * 1.0, members * level.options.rng.choice((-1.0, 1.0), members.size)):
            analytic = self.analytic[:, members] @ d[members]
            scale = np.max([self.tolerances[k].scale for k in np.flatnonzero(members)], axis=0)
            tolerance = level.tolerance(scale, d)
            verdict = judge(level.oracle, d, analytic, level.look(d), tolerance)
            for row in rows[verdict.wrong[rows]]:
                cause = (
                    "only at a kink: each input's share of the tie is legal alone, but the sum "
                    f"over the {count} inputs, given here, is not"
                )
                raise entry(level, int(np.argmax(members)), row, analytic[row], verdict, cause)

    def _finding(self) -> Wrong:
        """Return the finding for the worst entry, diagnosed from its whole block."""
        level, k, verdict = self.level, self.worst, self.verdicts[self.worst]
        numeric = self.numeric.copy()
        numeric[:, k] = verdict.estimate.value
        excess = np.abs(self.analytic - numeric)[:, k]
        excess = np.where(np.isnan(excess), np.inf, excess)
        row = int(np.argmax(np.where(verdict.wrong, excess, -1.0)))
        (i, down), (j, across) = locate(level.problem.outputs, row), locate(level.problem.inputs, k)
        output, slot = level.problem.outputs[i], level.problem.inputs[j]
        at = np.ix_(
            range(row - down, row - down + output.reals), range(k - across, k - across + slot.reals)
        )
        block = Block(self.analytic[at], numeric[at], self.wrong[at], output, slot, whole=True)
        at_kink = bool(verdict.kink[row]) or is_right_nearby(level, k, row)
        count = f"{int(self.wrong.sum())} of {self.wrong.size} entries are wrong"
        cause = explain(block, at_kink=at_kink)
        return entry(level, k, row, self.analytic[row, k], verdict, cause, count)


def entry(
    level: Level,
    k: int,
    row: int,
    analytic: float,
    verdict: Verdict,
    cause: str,
    count: str = "",
) -> Wrong:
    """Return the finding for one wrong entry of the Jacobian."""
    (i, down), (j, across) = locate(level.problem.outputs, row), locate(level.problem.inputs, k)
    estimate, low, high = verdict.estimate, float(verdict.low[row]), float(verdict.high[row])
    numeric, reference = float(estimate.value[row]), ""
    how = f"differences, step {estimate.step:.1e}, error about {estimate.error[row]:.0e}"
    if verdict.kink[row]:
        numeric = min(low, high, key=lambda side: abs(side - analytic))
        reference = f"between {low:.10g} and {high:.10g}"
        how = "left and right derivative at a kink"
    return wrong_number(
        level.problem,
        level.mode,
        (level.problem.inputs[j], across),
        (level.problem.outputs[i], down),
        (analytic, numeric),
        how,
        cause,
        count=count,
        reference=reference,
        step=estimate.step,
    )


def is_right_nearby(level: Level, k: int, row: int) -> bool:
    """Tell whether the same derivative is right at a point close by, where there is no kink."""
    oracle, d = level.oracle, unit(level.oracle.x.size, k)
    try:
        moved = oracle.x + oracle.sizes * level.options.rng.uniform(0.05, 0.1, d.size)
        near = Level(level.problem.at(moved), level.options, level.magnitude)
        near.mode = level.mode
        analytic = pushed(near, d, np.array([row]))
    except (ArithmeticError, ValueError, TypeError, RuntimeError, Wrong):
        return False
    estimate = near.oracle.differences(d)
    scale = np.max(np.abs(estimate.value), initial=0.0, where=np.isfinite(estimate.value))
    tolerance = near.tolerance(np.full(analytic.shape, scale), d)
    return bool((tolerance.close(analytic, estimate) & np.isfinite(near.fx))[row])


# -- along random directions -----------------------------------------------------------------------


class Projection:
    """The derivatives along one direction of all inputs, compared."""

    def __init__(self, level: Level, u: Array) -> None:
        self.level = level
        self.u = u
        self.first = level.look(u)
        value = np.where(np.isfinite(self.first.value), np.abs(self.first.value), 0.0)
        self.scale = np.zeros(value.shape)
        for rows in level.rows():
            self.scale[rows] = np.max(value[rows], initial=0.0)
        level.grow(np.max(value, initial=0.0) * level.oracle.size(u))
        self.tolerance = level.tolerance(self.scale, u)

    def check(self) -> None:
        """Raise if anything is wrong along the direction, whether or not the place is found."""
        level = self.level
        everything = np.arange(level.fx.size)
        if level.mode == "forward":
            analytic = pushed(level, self.u, everything)
            if not first_look(level.oracle, analytic, self.first, self.tolerance).wrong.any():
                return
        elif (
            self._sure(self.first).all()
            and self._excess(self._weights(self.first), self.first) <= 1
        ):
            return
        if level.oracle.x.size + level.fx.size <= SETTLE_LIMIT:
            comparison = Comparison(level)
            comparison.check()
            moved = self.u != 0
            self._judge(comparison.analytic[:, moved] @ self.u[moved], everything, localise=False)
        elif level.mode == "forward":
            self._judge(analytic, everything)
        else:
            self._halve_outputs()

    # Reverse mode gives one number: the sum over all outputs, each weighted to count alike.

    def _sure(self, estimate: Estimate) -> Array:
        smooth = self.tolerance.known(estimate, SHARP) & ~estimate.bent
        return np.asarray(smooth | ~np.isfinite(self.level.fx))

    def _weights(self, estimate: Estimate) -> Array:
        size = np.fmax(np.abs(estimate.value), 1e-3 * self.scale)
        size = np.where((size > 0) & np.isfinite(size), size, 1.0)
        used = self._sure(estimate) & np.isfinite(self.level.fx)
        return np.where(used, self.level.v / size, 0.0)

    def _excess(self, v: Array, estimate: Estimate) -> float:
        """Return by how many times what is allowed J^T v . u and v . J u differ."""
        level, moved, used = self.level, self.u != 0, v != 0
        shares = level.gradient(v)[moved] * self.u[moved]
        terms, error = v[used] * estimate.value[used], estimate.error[used]
        analytic, numeric = float(np.sum(shares)), float(np.sum(terms))
        floor = level.tolerance(0.0 * self.scale, self.u).atol[used]
        allowed = float(np.abs(v[used]) @ (SAFETY * error + floor))
        allowed += level.options.rtol * max(abs(numeric), abs(analytic))
        if level.options.atol is None:
            allowed += ATOL * float(np.max(np.abs([*terms, *shares]), initial=0.0))
        gap = abs(numeric - analytic) / max(allowed, 1e-300)
        return gap if np.isfinite(analytic) else np.inf

    def _halve_outputs(self) -> None:
        """Look for the wrong output of a large problem."""
        level = self.level
        best = sharpest(level.oracle.windows(self.u), self.tolerance)
        unsure = np.flatnonzero(~self._sure(best))
        self._judge(None, level.options.rng.permutation(unsure)[:KINKS])
        v = self._weights(best)
        for _ in range(KINKS):
            if self._excess(v, best) <= 1:
                return
            rows = halved(np.flatnonzero(v), lambda half: self._excess(only(v, half), best))
            self._judge(None, rows)
            v[rows] = 0.0  # right as far as a kink allows
        numeric = float(v @ np.where(v != 0, best.value, 0.0))
        raise self._nowhere(None, (float(level.gradient(v) @ self.u), numeric))

    # What is wrong, and where.

    def _judge(self, analytic: Array | None, rows: Array, *, localise: bool = True) -> None:
        """Raise if one of some outputs is wrong."""
        if not rows.size:
            return
        if analytic is None:
            analytic = pushed(self.level, self.u, rows)
        verdict = judge(self.level.oracle, self.u, analytic, self.first, self.tolerance)
        error = np.abs(analytic - verdict.estimate.value)
        error = np.where(verdict.wrong, np.where(np.isnan(error), np.inf, error), -1.0)
        row = int(rows[np.argmax(error[rows])])
        if verdict.wrong[row]:
            values = float(analytic[row]), float(verdict.estimate.value[row])
            found = self._at_input(row, verdict) if localise else None
            raise found or self._nowhere(row, values)

    def _at_input(self, row: int, verdict: Verdict) -> Wrong | None:
        """Return the finding for the input that a wrong output owes most of its error to."""
        level, chosen = self.level, np.array([row])

        def gap(part: Array) -> float:
            d = only(self.u, part)
            numeric = level.oracle.differences(d).value
            found = float(np.abs(pushed(level, d, chosen) - numeric)[row])
            return np.inf if np.isnan(found) else found

        k = int(halved(np.flatnonzero(self.u), gap)[0])
        d = unit(self.u.size, k)
        estimate, analytic = level.oracle.differences(d), pushed(level, d, chosen)
        tolerance = level.tolerance(np.abs(estimate.value), d)
        here = judge(level.oracle, d, analytic, estimate, tolerance)
        if not here.wrong[row]:
            return None
        # The pattern shows in several outputs.
        rows = np.append(level.options.rng.integers(level.fx.size, size=7), row)
        shares, numeric = (
            pushed(level, self.u, rows)[rows, None],
            verdict.estimate.value[rows, None],
        )
        (i, _), (j, _) = locate(level.problem.outputs, row), locate(level.problem.inputs, k)
        output, slot = level.problem.outputs[i], level.problem.inputs[j]
        block = Block(shares, numeric, np.ones(shares.shape, bool), output, slot, whole=False)
        at_kink = bool(here.kink[row]) or is_right_nearby(level, k, row)
        return entry(level, k, row, analytic[row], here, explain(block, at_kink=at_kink))

    def _nowhere(self, row: int | None, values: tuple[float, float]) -> Wrong:
        """Return the finding for a sum that is wrong although no element was found to be."""
        problem, output = self.level.problem, None
        if row is not None:
            k, place = locate(problem.outputs, row)
            output = problem.outputs[k], place
        cause = "many small errors: the sum is wrong, and no single element was found to be"
        how, step = f"differences, step {self.first.step:.1e}", self.first.step
        return wrong_number(problem, self.level.mode, None, output, values, how, cause, step=step)


def halved(items: Array, gap: Callable[[Array], float]) -> Array:
    """Return the one of some items that is left when the half with the larger gap is kept."""
    while items.size > 1:
        items = max(np.array_split(items, 2), key=gap)
    return items
