"""Analytic and numeric derivatives compared: entry by entry, or along random directions.

A random direction of all inputs, and a random weighting of all outputs, give numbers that a wrong
entry anywhere changes. They are cheap, and blind to where the fault is; what disagrees is settled
by the full Jacobian, or, where that is too large, by halving the outputs and the inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

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


class Direction(NamedTuple):
    """One move of the inputs: of one coordinate, or of a symmetric pair."""

    leaf: int
    coordinate: int  # among the reals of the leaf
    vector: Array


class Moves:
    """How the inputs of a Level may move.

    Symmetric matrices stay symmetric, so two coordinates are one degree of freedom; at higher
    orders each cotangent moves along one random direction.

    Attributes:
        freedom: the degree of freedom that each coordinate follows.
        weight: how far it follows.
    """

    def __init__(self, level: Level) -> None:
        self.level = level
        symmetric, rng = level.options.symmetric, level.options.rng
        freedom, weights = [np.zeros(0, dtype=int)], [np.zeros(0)]
        for k, slot in enumerate(level.problem.inputs):
            index, weight = np.arange(slot.reals), np.ones(slot.reals)
            mirrored = symmetric if isinstance(symmetric, bool) else k in symmetric
            if k >= level.problem.checked:
                index, weight = np.zeros_like(index), rng.uniform(0.5, 1.0, slot.reals)
            elif mirrored and slot.shape[-1:] == slot.shape[-2:-1]:
                places = index.reshape(*slot.shape, slot.parts)
                partner = np.swapaxes(places, -3, -2)
                sign = np.array([1.0, -1.0])[: slot.parts]  # of real and imaginary part
                below = np.where(places == partner, (1.0 + sign) / 2, sign)
                weight = np.where(places < partner, 1.0, below).reshape(-1)
                index = np.minimum(places, partner).reshape(-1)
            freedom.append(sum(map(len, freedom)) + index)
            weights.append(weight)
        self.freedom, self.weight = np.concatenate(freedom), np.concatenate(weights)

    def unit(self, k: int) -> Direction:
        """Return the move of one degree of freedom."""
        leaf, coordinate = locate(self.level.problem.inputs, k)
        return Direction(leaf, coordinate, np.where(self.freedom == k, self.weight, 0.0))

    def units(self) -> list[Direction]:
        """Return the moves of all degrees of freedom, one by one."""
        return [self.unit(int(k)) for k in np.unique(self.freedom[self.weight != 0])]

    def at_random(self) -> list[Array]:
        """Return a direction in which everything moves; and one of what moves the outputs so little
        that it would drown there, where there is some.
        """
        rng, sizes = self.level.options.rng, self.level.oracle.sizes
        t = rng.uniform(0.5, 1.0, sizes.size) * rng.choice((-1.0, 1.0), sizes.size) * sizes
        everything = self.weight * t[self.freedom]
        share = np.abs(self.level.g * everything)
        t = np.where(share < 1e-3 * np.max(share, initial=0.0), t, 0.0)
        little = self.weight * t[self.freedom]
        drowns = share.size > DROWNING and self.level.problem.order == 1 and little.any()
        return [everything, little] if drowns else [everything]


def analytic_column(level: Level, d: Array, rows: Array) -> Array:
    """Return the analytic derivatives of some outputs along `d`; zeros for the others."""
    column = np.zeros(level.fx.size)
    if level.mode == "forward":
        column[rows] = level.problem.tangent(d)[rows]
    else:
        moved = d != 0  # only the inputs that take part: 0 * inf would spoil the others
        for row in rows:
            column[row] = level.gradient(np.eye(1, level.fx.size, row)[0])[moved] @ d[moved]
    return column


# -- entry by entry --------------------------------------------------------------------------------


class Comparison:
    """Analytic and numeric derivatives of every output along every direction.

    Attributes:
        analytic: of shape (outputs, directions).
        numeric: likewise.
        wrong: which entries are wrong; once one has proved to be, all that disagree.
        kinked: which entries lie at a kink.
        proved: the direction that has a proved one.
    """

    proved: int

    def __init__(self, level: Level, moves: Moves) -> None:
        self.level = level
        self.directions = moves.units()
        vectors = [d.vector for d in self.directions]
        estimates = [level.look(d) for d in vectors]
        if level.mode == "reverse":
            rows = [level.gradient(unit) for unit in np.eye(level.fx.size)]
            columns = [np.array([row[d != 0] @ d[d != 0] for row in rows]) for d in vectors]
        else:
            columns = [level.problem.tangent(d) for d in vectors]

        def matrix(parts: list[Array]) -> Array:
            return np.array(parts).T.reshape(level.fx.size, len(parts))

        self.analytic, self.numeric = matrix(columns), matrix([e.value for e in estimates])
        changes = np.abs(self.numeric) * np.array([level.oracle.size(d) for d in vectors])
        level.grow(np.max(changes, initial=0.0, where=np.isfinite(changes)))
        self.scales = self._block_scales()
        self.verdicts = [
            first_look(level.oracle, column, estimate, level.tolerance(scale, d))
            for d, column, estimate, scale in zip(
                vectors, columns, estimates, self.scales.T, strict=True
            )
        ]
        self._judge(vectors, columns, estimates)
        self.wrong = matrix([v.wrong for v in self.verdicts]).astype(bool)
        self.kinked = matrix([v.kink for v in self.verdicts]).astype(bool)

    def _judge(self, vectors: list[Array], columns: list[Array], first: list[Estimate]) -> None:
        """Look closer at what disagrees, until something proves to be wrong."""
        suspect = [k for k, verdict in enumerate(self.verdicts) if verdict.wrong.any()]
        gaps = {
            k: np.max(np.abs(columns[k] - first[k].value)[self.verdicts[k].wrong]) for k in suspect
        }
        for k in sorted(suspect, key=lambda k: -gaps[k] if np.isfinite(gaps[k]) else -np.inf):
            tolerance = self.level.tolerance(self.scales[:, k], vectors[k])
            self.verdicts[k] = judge(self.level.oracle, vectors[k], columns[k], first[k], tolerance)
            if self.verdicts[k].wrong.any():
                self.proved = k
                return

    def _block_scales(self) -> Array:
        """Return, for each entry, the largest entry of its block: one output array by one input
        array.
        """
        finite = np.where(np.isfinite(self.numeric), np.abs(self.numeric), 0.0)
        leaves = np.array([d.leaf for d in self.directions])
        scales = np.zeros(self.numeric.shape)
        for rows in self.level.rows():
            for leaf in np.unique(leaves):
                scales[rows, leaves == leaf] = np.max(finite[rows, leaves == leaf], initial=0.0)
        return scales

    def check(self) -> None:
        """Raise for the worst wrong entry, or for shares of a tie that are wrong together."""
        if self.wrong.any():
            raise self._worst()
        ties: dict[tuple[int, ...], list[int]] = {}
        for row in np.flatnonzero(self.kinked.sum(axis=1) > 1):
            ties.setdefault(tuple(np.flatnonzero(self.kinked[row]).tolist()), []).append(int(row))
        for members, rows in ties.items():
            self._check_tie(list(members), rows)

    def _check_tie(self, members: list[int], rows: list[int]) -> None:
        """Judge several kinked inputs of the same outputs moved together: shares that are legal
        alone may not be so in sum.
        """
        level = self.level
        signs = level.options.rng.choice((-1.0, 1.0), len(members))
        for chosen in (np.ones(len(members)), signs):
            d = sum(s * self.directions[k].vector for s, k in zip(chosen, members, strict=True))
            analytic = self.analytic[:, members] @ chosen
            tolerance = level.tolerance(np.max(self.scales[:, members], axis=1), d)
            verdict = judge(level.oracle, d, analytic, level.look(d), tolerance)
            for row in rows:
                if verdict.wrong[row]:
                    cause = (
                        "only at a kink: each input's share of the tie is legal alone, but the sum "
                        f"over the {len(members)} inputs, given here, is not"
                    )
                    first = self.directions[members[0]]
                    raise entry(level, first, row, analytic[row], verdict, cause)

    def along(self, u: Array) -> Array:
        """Return the analytic derivatives along a direction that the single ones make up."""
        parts = [(u[d.vector != 0], d.vector[d.vector != 0]) for d in self.directions]
        return np.asarray(self.analytic @ np.array([a[0] / b[0] for a, b in parts]))

    def _worst(self) -> Wrong:
        """Return the finding for the worst entry, diagnosed from its whole block."""
        level = self.level
        values = np.array([v.estimate.value for v in self.verdicts]).T.reshape(self.wrong.shape)
        numeric = np.where(np.isnan(self.numeric) | self.wrong, values, self.numeric)
        k = self.proved
        excess = np.abs(self.analytic - numeric)[:, k]
        excess = np.where(np.isnan(excess), np.inf, excess)
        row = int(np.argmax(np.where(self.wrong[:, k], excess, -1.0)))
        direction = self.directions[k]
        j, place = locate(level.problem.outputs, row)
        output, slot = level.problem.outputs[j], level.problem.inputs[direction.leaf]
        rows = slice(row - place, row - place + output.reals)
        columns = [i for i, d in enumerate(self.directions) if d.leaf == direction.leaf]
        analytic, numeric, wrong = (
            part[rows][:, columns] for part in (self.analytic, numeric, self.wrong)
        )
        block = Block(analytic, numeric, wrong, output, slot, whole=len(columns) == slot.reals)
        at_kink = bool(self.verdicts[k].kink[row]) or is_right_nearby(level, direction, row)
        cause = explain(block, at_kink=at_kink)
        count = f"{int(self.wrong.sum())} of {self.wrong.size} entries are wrong"
        return entry(level, direction, row, self.analytic[row, k], self.verdicts[k], cause, count)


def entry(
    level: Level,
    direction: Direction,
    row: int,
    analytic: float,
    verdict: Verdict,
    cause: str,
    count: str = "",
) -> Wrong:
    """Return the finding for one wrong entry of the Jacobian."""
    j, place = locate(level.problem.outputs, row)
    estimate, low, high = verdict.estimate, float(verdict.low[row]), float(verdict.high[row])
    numeric, reference = float(estimate.value[row]), ""
    how = f"differences, step {estimate.step:.1e}, error about {estimate.error[row]:.0e}"
    if verdict.kink[row]:
        numeric = min(low, high, key=lambda side: abs(side - analytic))
        reference, how = (
            f"between {low:.10g} and {high:.10g}",
            "left and right derivative at a kink",
        )
    return wrong_number(
        level.problem,
        level.mode,
        (level.problem.inputs[direction.leaf], direction.coordinate),
        (level.problem.outputs[j], place),
        (analytic, numeric),
        how,
        cause,
        count=count,
        reference=reference,
        step=estimate.step,
    )


def is_right_nearby(level: Level, direction: Direction, row: int) -> bool:
    """Tell whether the same derivative is right at a point close by, where there is no kink."""
    d, oracle = direction.vector, level.oracle
    try:
        moved = oracle.x + oracle.sizes * level.options.rng.uniform(0.05, 0.1, d.size)
        near = Level(level.problem.at(moved), level.options, level.magnitude)
        near.mode = level.mode
        analytic = analytic_column(near, d, np.array([row]))
    except (ArithmeticError, ValueError, TypeError, RuntimeError, Wrong):
        return False
    estimate = near.oracle.differences(d)
    scale = np.max(np.abs(estimate.value), initial=0.0, where=np.isfinite(estimate.value))
    tolerance = near.tolerance(np.full(analytic.shape, scale), d)
    return bool((tolerance.close(analytic, estimate) & np.isfinite(near.fx))[row])


# -- along random directions -----------------------------------------------------------------------


class Projection:
    """The derivatives along one direction of all inputs, compared."""

    def __init__(self, level: Level, moves: Moves, u: Array) -> None:
        self.level = level
        self.moves = moves
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
            analytic = analytic_column(level, self.u, everything)
            if (self.tolerance.close(analytic, self.first, SHARP) | ~np.isfinite(level.fx)).all():
                return
        elif (
            self._excess(self._weights(self.first), self.first) <= 1
            and self._sure(self.first).all()
        ):
            return
        if level.oracle.x.size + level.fx.size <= SETTLE_LIMIT:
            comparison = Comparison(level, self.moves)
            comparison.check()
            self._judge(comparison.along(self.u), everything, localise=False)
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
            rows = halved(np.flatnonzero(v), lambda half: self._excess(_only(v, half), best))
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
            analytic = analytic_column(self.level, self.u, rows)
        verdict = judge(self.level.oracle, self.u, analytic, self.first, self.tolerance)
        error = np.abs(analytic - verdict.estimate.value)
        error = np.where(np.isnan(error), np.inf, error)
        chosen = max(rows.tolist(), key=lambda row: error[row] if verdict.wrong[row] else -1.0)
        if verdict.wrong[chosen]:
            values = float(analytic[chosen]), float(verdict.estimate.value[chosen])
            found = self._at_input(chosen, verdict) if localise else None
            raise found or self._nowhere(chosen, values)

    def _at_input(self, row: int, verdict: Verdict) -> Wrong | None:
        """Return the finding for the input that a wrong output owes most of its error to."""
        level, freedom, chosen = self.level, self.moves.freedom, np.array([row])

        def gap(part: Array) -> float:
            d = np.where(np.isin(freedom, part), self.u, 0.0)
            numeric = level.oracle.differences(d).value
            found = float(np.abs(analytic_column(level, d, chosen) - numeric)[row])
            return np.inf if np.isnan(found) else found

        (k,) = halved(np.unique(freedom[self.u != 0]), gap)
        direction = self.moves.unit(int(k))
        d = direction.vector
        estimate = level.oracle.differences(d)
        analytic = analytic_column(level, d, chosen)
        tolerance = level.tolerance(np.abs(estimate.value), d)
        here = judge(level.oracle, d, analytic, estimate, tolerance)
        if not here.wrong[row]:
            return None
        # The pattern shows in several outputs.
        rows = np.append(level.options.rng.integers(level.fx.size, size=7), row)
        shares = analytic_column(level, self.u, rows)[rows, None]
        output = level.problem.outputs[locate(level.problem.outputs, row)[0]]
        slot = level.problem.inputs[direction.leaf]
        numeric = verdict.estimate.value[rows, None]
        block = Block(shares, numeric, np.ones(shares.shape, bool), output, slot, whole=False)
        at_kink = bool(here.kink[row]) or is_right_nearby(level, direction, row)
        return entry(level, direction, row, analytic[row], here, explain(block, at_kink=at_kink))

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


def _only(v: Array, rows: Array) -> Array:
    """Return `v` with zeros but in some rows."""
    kept = np.zeros(v.shape)
    kept[rows] = v[rows]
    return kept
