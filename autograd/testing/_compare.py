"""Analytic and numeric derivatives compared: entry by entry, or along random directions.

A random direction of all inputs, and a random weighting of all outputs, give numbers that a wrong
entry anywhere changes. They are cheap, and blind to where the fault is; what disagrees is settled
by the full Jacobian, or, where that is too large, by halving the outputs and the inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from autograd.testing._differences import SAFETY, SHARP, Estimate, Verdict
from autograd.testing._level import ATOL, Level
from autograd.testing._report import Block, Wrong, explain, wrong_number
from autograd.testing._vectors import Array, locate, slices

__all__ = ["compare"]

# Above so many coordinates of inputs and outputs together, random projections replace the Jacobian.
_FULL_LIMIT = 256
# Up to so many coordinates the full Jacobian settles what a projection leaves open.
_SETTLE_LIMIT = 512
# So many outputs at kinks of a larger function are looked at one by one in reverse mode.
_KINKS = 32
# In so many coordinates a small share of the whole may drown.
_DROWNING = 64


def compare(level: Level, modes: Collection[str], *, fast: bool | None) -> None:
    """Compare the derivatives of a level in some modes, and raise what is wrong with them."""
    if fast is None:
        fast = level.oracle.x.size + level.fx.size > _FULL_LIMIT
    directions = _directions(level) if fast else []
    for level.mode in (mode for mode in ("reverse", "forward") if mode in modes):
        for u in directions:
            _Projection(level, u).check()
        if not fast:
            _Jacobian(level).check()


def _directions(level: Level) -> list[Array]:
    """Return a random direction in which everything moves; and one of what moves the outputs so
    little that it would drown there, where there is some.
    """
    rng, sizes = level.rng, level.oracle.sizes
    everything = rng.uniform(0.5, 1.0, sizes.size) * rng.choice((-1.0, 1.0), sizes.size) * sizes
    share = np.abs(level.g * everything)
    little = np.where(share < 1e-3 * np.max(share, initial=0.0), everything, 0.0)
    drowns = share.size > _DROWNING and level.problem.order == 1 and little.any()
    return [everything, little] if drowns else [everything]


def _unit(size: int, k: int) -> Array:
    return np.asarray(np.eye(1, size, k)[0])


def _only(v: Array, places: Array) -> Array:
    """Return `v` with zeros but in some places."""
    kept = np.zeros(v.shape)
    kept[places] = v[places]
    return kept


def _pushed(level: Level, d: Array, rows: Array) -> Array:
    """Return the analytic derivatives of some outputs along `d`; zeros for the others."""
    if level.mode == "forward":
        return _only(level.problem.tangent(d), rows)
    column = np.zeros(level.fx.size)
    moved = d != 0  # only the inputs that take part: 0 * inf would spoil the others
    for row in rows:
        column[row] = level.gradient(_unit(level.fx.size, row))[moved] @ d[moved]
    return column


def _worst(verdict: Verdict, analytic: Array) -> int:
    """Return the wrong output whose derivative is off most."""
    error = np.abs(analytic - verdict.estimate.value)
    error = np.where(np.isnan(error), np.inf, error)
    return int(np.argmax(np.where(verdict.wrong, error, -1.0)))


def _entry(
    level: Level,
    k: int,
    row: int,
    analytic: float,
    verdict: Verdict,
    cause: str,
    count: str = "",
) -> Wrong:
    """Return the finding for one wrong entry of the Jacobian."""
    estimate, low, high = verdict.estimate, float(verdict.low[row]), float(verdict.high[row])
    numeric, reference = float(estimate.value[row]), ""
    how = f"differences, step {estimate.step:.1e}, error about {estimate.error[row]:.0e}"
    if verdict.kink[row]:
        numeric = min(low, high, key=lambda side: abs(side - analytic))
        reference = f"between {low:.10g} and {high:.10g}"
        how = "left and right derivative at a kink"
    facts: dict[str, Any] = {"mode": level.mode, "cause": cause, "step": estimate.step}
    values = analytic, numeric
    return wrong_number(
        level.problem, k, row, values, how, count=count, reference=reference, **facts
    )


def _is_at_kink(level: Level, k: int, row: int, verdict: Verdict) -> bool:
    """Tell whether left and right derivative differ, or the same derivative is right at a point
    close by, where there is no kink.
    """
    if verdict.kink[row]:
        return True
    oracle, d = level.oracle, _unit(level.oracle.x.size, k)
    try:
        moved = oracle.x + oracle.sizes * level.rng.uniform(0.05, 0.1, d.size)
        there = level.problem.at(moved)
        near = Level(there, level.rng, level.rtol, level.atol, level.magnitude)
        near.mode = level.mode
        analytic = _pushed(near, d, np.array([row]))
    except (ArithmeticError, ValueError, TypeError, RuntimeError, Wrong):
        return False
    estimate = near.look(d)
    scale = np.max(np.abs(estimate.value), initial=0.0, where=np.isfinite(estimate.value))
    tolerance = near.tolerance(np.full(analytic.shape, scale), d)
    return bool((tolerance.close(analytic, estimate) & np.isfinite(near.fx))[row])


# -- entry by entry --------------------------------------------------------------------------------


class _Jacobian:
    """Analytic and numeric derivatives of every output by every input.

    Attributes:
        analytic: the Jacobian by the rules.
    """

    def __init__(self, level: Level) -> None:
        self._level = level
        shape = level.fx.size, level.oracle.x.size
        units = list(np.eye(shape[1]))
        if level.mode == "reverse":
            self.analytic = np.reshape([level.gradient(v) for v in np.eye(shape[0])], shape)
        else:
            self.analytic = np.reshape([level.problem.tangent(d) for d in units], shape[::-1]).T
        self._numeric = np.reshape([level.look(d).value for d in units], shape[::-1]).T
        size = np.abs(self._numeric) * level.oracle.sizes
        level.grow(np.max(size, initial=0.0, where=np.isfinite(size)))
        self._scales = level.scales(self._numeric, slices(level.problem.inputs))

    def check(self) -> None:
        """Raise for the worst wrong entry, or for shares of a tie that are wrong together."""
        columns = range(self.analytic.shape[1])
        wrong = np.zeros(self.analytic.shape, bool)
        for k in columns:
            wrong[:, k] = self._judge(k, closely=False).wrong
        kinked = np.zeros_like(wrong)
        gaps = np.abs(self.analytic - self._numeric)
        worst = [np.max(gaps[wrong[:, k], k], initial=-1.0) for k in columns]
        # What disagrees is judged, the worst first, until something proves to be wrong.
        for k in np.argsort([-gap if np.isfinite(gap) else -np.inf for gap in worst]).tolist():
            if wrong[:, k].any():
                verdict = self._judge(k, closely=True)
                wrong[:, k], kinked[:, k] = verdict.wrong, verdict.kink
                if wrong[:, k].any():
                    raise self._finding(k, verdict, wrong)
        for members in np.unique(kinked[kinked.sum(axis=1) > 1], axis=0):
            self._check_tie(members, np.flatnonzero((kinked == members).all(axis=1)))

    def _judge(self, k: int, *, closely: bool) -> Verdict:
        d, analytic = _unit(self.analytic.shape[1], k), self.analytic[:, k]
        return self._level.judge(d, analytic, self._scales[:, k], closely=closely)

    def _check_tie(self, members: Array, rows: Array) -> None:
        """Judge several kinked inputs of the same outputs moved together: shares that are legal
        alone may not be so in sum.
        """
        level, scale = self._level, np.max(self._scales[:, members], axis=1)
        for d in (members * 1.0, members * level.rng.choice((-1.0, 1.0), members.size)):
            analytic = self.analytic[:, members] @ d[members]
            verdict = level.judge(d, analytic, scale)
            for row in rows[verdict.wrong[rows]]:
                cause = (
                    "only at a kink: each input's share of the tie is legal alone, but the sum "
                    f"over the {int(members.sum())} inputs, given here, is not"
                )
                k = int(np.argmax(members))
                raise _entry(level, k, int(row), analytic[row], verdict, cause)

    def _finding(self, k: int, verdict: Verdict, wrong: Array) -> Wrong:
        """Return the finding for the worst entry of a column, diagnosed from its whole block."""
        level, numeric = self._level, self._numeric.copy()
        numeric[:, k] = verdict.estimate.value
        row = _worst(verdict, self.analytic[:, k])
        output, _, rows = locate(level.problem.outputs, row)
        slot, _, columns = locate(level.problem.inputs, k)
        a, n, off = (matrix[rows, columns] for matrix in (self.analytic, numeric, wrong))
        at_kink = _is_at_kink(level, k, row, verdict)
        cause = explain(Block(a, n, off, output, slot, whole=True), at_kink=at_kink)
        count = f"{int(wrong.sum())} of {wrong.size} entries are wrong"
        return _entry(level, k, row, self.analytic[row, k], verdict, cause, count)


# -- along random directions -----------------------------------------------------------------------


class _Projection:
    """The derivatives along one direction of all inputs, compared."""

    def __init__(self, level: Level, u: Array) -> None:
        self._level = level
        self._u = u
        self._first = level.look(u)
        self._scale = level.scales(self._first.value[:, None], [slice(0, 1)])[:, 0]
        level.grow(np.max(self._scale, initial=0.0) * level.oracle.size(u))
        self._tolerance = level.tolerance(self._scale, u)

    def check(self) -> None:
        """Raise if anything is wrong along the direction, whether or not the place is found."""
        level, first = self._level, self._first
        everything = np.arange(level.fx.size)
        if level.mode == "forward":
            analytic = _pushed(level, self._u, everything)
            if not level.judge(self._u, analytic, self._scale, closely=False).wrong.any():
                return
        elif self._sure(first).all() and self._excess(self._weights(first), first) <= 1:
            return
        if level.oracle.x.size + level.fx.size <= _SETTLE_LIMIT:
            jacobian = _Jacobian(level)
            jacobian.check()
            moved = self._u != 0
            self._judge(jacobian.analytic[:, moved] @ self._u[moved], everything, localise=False)
        elif level.mode == "forward":
            self._judge(analytic, everything)
        else:
            self._halve_outputs()

    # Reverse mode gives one number: the sum over all outputs, each weighted to count alike.

    def _sure(self, estimate: Estimate) -> Array:
        smooth = self._tolerance.known(estimate, SHARP) & ~estimate.bent
        return np.asarray(smooth | ~np.isfinite(self._level.fx))

    def _weights(self, estimate: Estimate) -> Array:
        size = np.fmax(np.abs(estimate.value), 1e-3 * self._scale)
        size = np.where((size > 0) & np.isfinite(size), size, 1.0)
        used = self._sure(estimate) & np.isfinite(self._level.fx)
        return np.where(used, self._level.v / size, 0.0)

    def _excess(self, v: Array, estimate: Estimate) -> float:
        """Return by how many times what is allowed J^T v . u and v . J u differ."""
        level, moved, used = self._level, self._u != 0, v != 0
        shares = level.gradient(v)[moved] * self._u[moved]
        terms, error = v[used] * estimate.value[used], estimate.error[used]
        analytic, numeric = float(np.sum(shares)), float(np.sum(terms))
        floor = level.tolerance(0.0 * self._scale, self._u).atol[used]
        allowed = float(np.abs(v[used]) @ (SAFETY * error + floor))
        allowed += level.rtol * max(abs(numeric), abs(analytic))
        if level.atol is None:
            allowed += ATOL * float(np.max(np.abs([*terms, *shares]), initial=0.0))
        gap = abs(numeric - analytic) / max(allowed, 1e-300)
        return gap if np.isfinite(analytic) else np.inf

    def _halve_outputs(self) -> None:
        """Look for the wrong output of a large problem."""
        level = self._level
        _, best = level.oracle.windows(self._u, self._tolerance)
        unsure = np.flatnonzero(~self._sure(best))
        self._judge(None, level.rng.permutation(unsure)[:_KINKS])
        v = self._weights(best)
        for _ in range(_KINKS):
            if self._excess(v, best) <= 1:
                return
            rows = _halved(np.flatnonzero(v), lambda half: self._excess(_only(v, half), best))
            self._judge(None, rows)
            v[rows] = 0.0  # right as far as a kink allows
        numeric = float(v @ np.where(v != 0, best.value, 0.0))
        raise self._nowhere(None, (float(level.gradient(v) @ self._u), numeric))

    # What is wrong, and where.

    def _judge(self, analytic: Array | None, rows: Array, *, localise: bool = True) -> None:
        """Raise if one of some outputs is wrong."""
        if not rows.size:
            return
        if analytic is None:
            analytic = _pushed(self._level, self._u, rows)
        verdict = self._level.judge(self._u, analytic, self._scale)
        verdict = verdict._replace(wrong=_only(verdict.wrong, rows).astype(bool))
        if verdict.wrong.any():
            row = _worst(verdict, analytic)
            values = float(analytic[row]), float(verdict.estimate.value[row])
            found = self._at_input(row, verdict) if localise else None
            raise found or self._nowhere(row, values)

    def _at_input(self, row: int, verdict: Verdict) -> Wrong | None:
        """Return the finding for the input that a wrong output owes most of its error to."""
        level, chosen = self._level, np.array([row])

        def gap(part: Array) -> float:
            d = _only(self._u, part)
            numeric = level.oracle.differences(d).value
            found = float(np.abs(_pushed(level, d, chosen) - numeric)[row])
            return np.inf if np.isnan(found) else found

        k = int(_halved(np.flatnonzero(self._u), gap)[0])
        d = _unit(self._u.size, k)
        analytic = _pushed(level, d, chosen)
        here = level.judge(d, analytic, np.abs(level.look(d).value))
        if not here.wrong[row]:
            return None
        # The pattern shows in several outputs.
        rows = np.append(level.rng.integers(level.fx.size, size=7), row)
        shares = _pushed(level, self._u, rows)[rows, None]
        numeric = verdict.estimate.value[rows, None]
        output, slot = locate(level.problem.outputs, row)[0], locate(level.problem.inputs, k)[0]
        block = Block(shares, numeric, np.ones(shares.shape, bool), output, slot, whole=False)
        cause = explain(block, at_kink=_is_at_kink(level, k, row, here))
        return _entry(level, k, row, analytic[row], here, cause)

    def _nowhere(self, row: int | None, values: tuple[float, float]) -> Wrong:
        """Return the finding for a sum that is wrong although no element was found to be."""
        cause = "many small errors: the sum is wrong, and no single element was found to be"
        facts: dict[str, Any] = {"mode": self._level.mode, "cause": cause}
        facts["step"] = self._first.step
        how = f"differences, step {self._first.step:.1e}"
        return wrong_number(self._level.problem, None, row, values, how, **facts)


def _halved(items: Array, gap: Callable[[Array], float]) -> Array:
    """Return the one of some items that is left when the half with the larger gap is kept."""
    while items.size > 1:
        items = max(np.array_split(items, 2), key=gap)
    return items
