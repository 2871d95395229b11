"""The check of one Problem, that is of one order of derivative: values, purity, Jacobian,
projections, forward mode.

Imports the modules beside it and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.testing._diagnosis import Block, GradientError, explain
from autograd.testing._judge import SAFETY, Tolerance, Verdict, close, judge
from autograd.testing._oracle import Estimate, Oracle
from autograd.testing._problem import Array, Problem, Slot, Tape, flatten, raw, unpack

# Above so many coordinates of inputs and outputs together, random projections replace the Jacobian.
FULL_LIMIT = 256
# A projection that disagrees is looked into by the full Jacobian up to this size, by bisection
# above.
LOCALISE_LIMIT = 2048
ATOL = 1e-10


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


@dataclass
class Direction:
    """One move of the inputs: of one coordinate, or of a symmetric pair."""

    leaf: int
    coordinate: int  # among the reals of the leaf
    vector: Array


class Level:
    """The check of one Problem; `check` raises GradientError, or returns after leaving `tape` and
    `fx` behind.
    """

    def __init__(self, problem: Problem, options: Options) -> None:
        self.problem = problem
        self.options = options
        self.x = problem.point()
        self.mode = "reverse"

    def check(self, modes: Collection[str]) -> None:
        """Check values, then derivatives in the modes wanted."""
        if not self._check_values():
            return
        self.oracle = Oracle(self.problem, self.fx, method=self.options.oracle)
        size = self.x.size + self.fx.size
        fast = self.options.fast if self.options.fast is not None else size > FULL_LIMIT
        for mode in ("reverse", "forward"):
            if mode in modes:
                self.mode = mode
                if fast:
                    self._check_projections(size)
                elif mode == "reverse":
                    self._check_columns(self._reverse_columns())
                else:
                    self._check_columns(self.problem.tangent)

    # -- values ----------------------------------------------------------------------------------

    def _check_values(self) -> bool:
        """Check that evaluation is repeatable and touches nothing; return whether there is anything
        to differentiate.
        """
        problem = self.problem
        seen = [(value, value.copy()) for value in self._arrays()]
        self.tape = Tape(problem, problem.leaves)
        recorded = self.tape.values()
        v = self.options.rng.uniform(0.5, 1.5, recorded.size)
        g = self.gradient(v)
        self.fx = np.array(problem(self.x))
        where = problem.inputs[0].name if problem.inputs else "input"
        for value, copy in seen:
            if not np.array_equal(value, copy, equal_nan=value.dtype.kind in "fc"):
                raise self._error(
                    "purity",
                    where,
                    "an input array was changed in place: copy it before writing into it",
                )
        moved = [
            np.array_equal(x.data, leaf, equal_nan=True)
            for x, leaf in zip(self.tape.inputs, problem.leaves, strict=True)
        ]
        if not all(moved):
            where = problem.inputs[moved.index(False)].name
            raise self._error(
                "purity",
                where,
                "the function changes this input in place: copy it before writing into it",
            )
        if recorded.shape != self.fx.shape or not np.allclose(
            recorded, self.fx, rtol=1e-12, atol=0.0, equal_nan=True
        ):
            # A sum of other order may differ in rounding where Variables take another path than
            # arrays.
            again = problem(self.x)
            same = again.shape == self.fx.shape and np.array_equal(again, self.fx, equal_nan=True)
            scale = np.max(np.abs(self.fx), initial=0.0, where=np.isfinite(self.fx))
            if (
                not same
                or recorded.shape != self.fx.shape
                or not np.allclose(recorded, self.fx, rtol=1e-9, atol=1e-9 * scale, equal_nan=True)
            ):
                raise self._error("values", where, self._why_values_differ(same=same))
        if not self.fx.size:
            return False
        if not np.isfinite(self.fx).any():
            raise ValueError(
                f"check_gradients: wanted a point where {problem.title} is finite, got outputs that are all nan or infinite; "
                "choose other inputs"
            )
        second = self.gradient(-2.0 * v)
        top = np.max(np.abs(g), initial=0.0, where=np.isfinite(g))
        if not np.allclose(second, -2.0 * g, rtol=1e-9, atol=1e-12 * top, equal_nan=True):
            third = self.gradient(v)
            stale = not np.allclose(third, g, rtol=1e-9, atol=0.0, equal_nan=True)
            reason = (
                "stale buffer: a second pass over the same graph gives another gradient; the rule writes into an array it was given"
                if stale
                else "the rule is not linear in the incoming gradient"
            )
            raise self._error("linearity", where, reason)
        self.v, self.g = v, g
        return True

    def _arrays(self) -> Iterator[Array]:
        for _, value in flatten(list(self.options.arguments), ""):
            array = raw(value)
            if isinstance(array, np.ndarray):
                yield array

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
            raise self._error("shape", self.problem.inputs[0].name, reason) from error

    def _error(self, kind: str, where: str, reason: str) -> GradientError:
        return GradientError.plain(
            self.problem,
            self.options.arguments,
            kind=kind,
            mode=self.mode,
            input=where,
            cause=reason,
        )

    # -- the full Jacobian -----------------------------------------------------------------------

    def _reverse_columns(self) -> Callable[[Array], Array]:
        """Return the function u -> J u, from the Jacobian by one backward pass per output
        coordinate.
        """
        jacobian = np.array([self.gradient(unit) for unit in np.eye(self.fx.size)])
        return lambda u: np.asarray(
            jacobian[:, u != 0] @ u[u != 0]
        )  # 0 * inf would spoil other columns

    def directions(self) -> Iterator[Direction]:
        """Yield the moves of the inputs; at higher orders the cotangents move along one random
        direction each.
        """
        start = 0
        for k, slot in enumerate(self.problem.inputs):
            if k >= self.problem.checked:
                vector = np.zeros(self.x.size)
                vector[start : start + slot.reals] = self.options.rng.uniform(0.5, 1.0, slot.reals)
                if slot.reals:
                    yield Direction(k, 0, vector)
            else:
                for coordinate in range(slot.reals):
                    partner, sign = (
                        _mirror(slot, coordinate) if self._is_symmetric(k) else (coordinate, 1.0)
                    )
                    if partner < coordinate or not sign:
                        continue
                    vector = np.zeros(self.x.size)
                    vector[start + coordinate] = 1.0
                    vector[start + partner] = sign
                    yield Direction(k, coordinate, vector)
            start += slot.reals

    def _is_symmetric(self, leaf: int) -> bool:
        symmetric = self.options.symmetric
        return symmetric if isinstance(symmetric, bool) else leaf in symmetric

    def _check_columns(self, column: Callable[[Array], Array]) -> None:
        """Judge the derivative of every output along every direction."""
        self.oracle.choose(self.options.rng)
        directions = list(self.directions())
        estimates = [self.oracle.along(d.vector) for d in directions]
        analytic = [column(d.vector) for d in directions]
        if not directions:
            return
        numeric = np.array([e.value for e in estimates]).T
        scales = self._block_scales(directions, numeric)
        kinks: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        verdicts = []
        for k, (direction, estimate) in enumerate(zip(directions, estimates, strict=True)):
            verdict = judge(
                self.oracle,
                direction.vector,
                analytic[k],
                estimate,
                self._tolerance(scales[:, k], direction.vector),
            )
            verdicts.append(verdict)
            numeric[:, k] = np.where(
                np.isnan(numeric[:, k]) | verdict.wrong, verdict.numeric, numeric[:, k]
            )
        matrix = np.array(analytic).T
        wrong = np.array([v.wrong for v in verdicts]).T
        wrong &= ~self._is_ill_conditioned(matrix, numeric, wrong, directions)
        if wrong.any():
            raise self._explain(matrix, numeric, wrong, directions, verdicts)
        kinked = np.array([v.kink for v in verdicts]).T
        for row in np.flatnonzero(kinked.sum(axis=1) > 1):
            kinks.setdefault((0, tuple(np.flatnonzero(kinked[row]))), []).append(int(row))
        for (_, members), rows in kinks.items():
            self._check_tie(matrix, directions, members, rows, scales)

    def _block_scales(self, directions: list[Direction], numeric: Array) -> Array:
        """Return, for each entry, the largest entry of its block: one output array by one input
        array.
        """
        scales = np.zeros(numeric.shape)
        finite = np.where(np.isfinite(numeric), np.abs(numeric), 0.0)
        leaves = np.array([d.leaf for d in directions])
        start = 0
        for slot in self.problem.outputs:
            rows = slice(start, start + slot.reals)
            start += slot.reals
            for leaf in np.unique(leaves):
                columns = leaves == leaf
                scales[rows, columns] = np.max(finite[rows, columns], initial=0.0)
        return scales

    def _tolerance(self, scale: Array, d: Array) -> Tolerance:
        if self.options.atol is not None:
            return Tolerance(self.options.rtol, np.full(scale.shape, self.options.atol), scale)
        rounding = 4 * self.oracle.epsilon * np.abs(np.where(np.isfinite(self.fx), self.fx, 0.0))
        return Tolerance(self.options.rtol, ATOL * scale + rounding / self.oracle.size(d), scale)

    def _is_ill_conditioned(
        self, matrix: Array, numeric: Array, wrong: Array, directions: list[Direction]
    ) -> Array:
        """Tell which small errors are no larger than what moving the inputs by their own rounding
        does to the gradient.
        """
        with np.errstate(invalid="ignore"):
            error = np.abs(matrix - numeric)
            excused = wrong & (error <= 1e-3 * np.fmax(np.abs(matrix), np.abs(numeric)))
        moved = self._moved(
            1 + self.oracle.epsilon * self.options.rng.choice((-4.0, 4.0), self.x.size)
        )
        for k in np.flatnonzero(excused.any(axis=0))[:16]:
            wobble = np.abs(
                moved.along(directions[k].vector).value
                - self.oracle.along(directions[k].vector).value
            )
            excused[:, k] &= error[:, k] <= SAFETY * wobble
        return excused

    def _moved(self, factor: Array) -> Oracle:
        """Return the oracle of the same function at another point."""
        near = Problem(
            self.problem.title,
            self.problem.call,
            unpack(self.x * factor, self.problem.inputs),
            self._names(),
        )
        near.outputs = self.problem.outputs
        oracle = Oracle(near, near(near.point()), method="difference")
        oracle.analytic = self.oracle.analytic
        return oracle

    def _names(self) -> list[str]:
        return [slot.name for slot in self.problem.inputs]

    def _check_tie(
        self,
        matrix: Array,
        directions: list[Direction],
        members: tuple[int, ...],
        rows: list[int],
        scales: Array,
    ) -> None:
        """Judge several kinked inputs of the same outputs moved together: shares that are legal
        alone may not be so in sum.
        """
        signs = [np.ones(len(members)), self.options.rng.choice((-1.0, 1.0), len(members))]
        for sign in signs:
            d = sum(s * directions[k].vector for s, k in zip(sign, members, strict=True))
            analytic = sum(s * matrix[:, k] for s, k in zip(sign, members, strict=True))
            tolerance = self._tolerance(np.max(scales[:, list(members)], axis=1), d)
            first = self.oracle.differences(d)
            verdict = judge(self.oracle, d, analytic, first, tolerance)
            bad = [row for row in rows if verdict.wrong[row]]
            if bad:
                row = bad[0]
                raise self._explain_entry(
                    directions[members[0]],
                    row,
                    float(analytic[row]),
                    verdict,
                    cause="only at a kink: each input's share of the tie is legal alone, but their sum is not",
                )

    # -- projections -----------------------------------------------------------------------------

    def _check_projections(self, size: int) -> None:
        """Judge one random direction of all inputs; look closer where it disagrees."""
        u = np.zeros(self.x.size)
        start = 0
        for k, slot in enumerate(self.problem.inputs):
            part = self.options.rng.uniform(0.5, 1.0, slot.reals) * self.options.rng.choice(
                (-1.0, 1.0), slot.reals
            )
            part *= self.oracle.sizes[start : start + slot.reals]
            if k < self.problem.checked and self._is_symmetric(k):
                part = _symmetrised(slot, part)
            u[start : start + slot.reals] = part
            start += slot.reals
        estimate = self.oracle.differences(u)
        if self.mode == "forward":
            analytic = self.problem.tangent(u)
            tolerance = self._tolerance(
                np.abs(np.where(np.isfinite(estimate.value), estimate.value, 0.0)), u
            )
            agrees = bool((close(analytic, estimate, tolerance) | ~np.isfinite(self.fx)).all())
        else:
            agrees = self._projection_agrees(u, estimate)
        if agrees:
            return
        if size <= LOCALISE_LIMIT:
            self._check_columns(
                self._reverse_columns() if self.mode == "reverse" else self.problem.tangent
            )
        else:
            self._bisect(u)

    def _projection_agrees(self, u: Array, estimate: Estimate) -> bool:
        """Compare v . J u with J^T v . u."""
        terms = self.v * estimate.value
        numeric, analytic = float(np.sum(terms)), float(self.g @ u)
        error = float(np.abs(self.v) @ estimate.error)
        scale = max(
            float(np.max(np.abs(terms), initial=0.0)),
            float(np.max(np.abs(self.g * u), initial=0.0)),
        )
        atol = self.options.atol
        rounding = (
            4 * self.oracle.epsilon * float(np.abs(self.v) @ np.abs(self.fx)) / self.oracle.size(u)
        )
        allowed = self.options.rtol * max(abs(numeric), abs(analytic)) + (
            rounding + ATOL * scale if atol is None else atol
        )
        return bool(
            error <= 1e-4 * max(scale, abs(numeric)) + allowed
            and abs(numeric - analytic) <= allowed + SAFETY * error
        )

    def _bisect(self, u: Array) -> None:
        """Find one wrong coordinate of a large problem by halving the set of inputs that move."""
        left = np.flatnonzero(u)
        while left.size > 1:
            for half in (left[: left.size // 2], left[left.size // 2 :]):
                d = np.zeros_like(u)
                d[half] = u[half]
                if not self._projection_agrees(d, self.oracle.differences(d)):
                    left = half
                    break
            else:
                return  # only the sum of both halves disagrees: rounding
        d = np.zeros_like(u)
        d[left] = 1.0
        estimate = self.oracle.differences(d)
        rows = np.argsort(-np.abs(np.nan_to_num(estimate.value)))[:8]
        analytic = np.where(np.isfinite(estimate.value), estimate.value, 0.0)
        if self.mode == "reverse":
            for row in rows:
                unit = np.zeros(self.fx.size)
                unit[row] = 1.0
                analytic[row] = self.gradient(unit) @ d
        else:
            analytic = self.problem.tangent(d)
        tolerance = self._tolerance(
            np.abs(np.nan_to_num(estimate.value, posinf=0.0, neginf=0.0)), d
        )
        verdict = judge(self.oracle, d, analytic, estimate, tolerance)
        bad = np.flatnonzero(verdict.wrong)
        if bad.size:
            leaf, coordinate = self._locate(int(left[0]))
            raise self._explain_entry(
                Direction(leaf, coordinate, d), int(bad[0]), float(analytic[bad[0]]), verdict
            )

    def _locate(self, coordinate: int) -> tuple[int, int]:
        for k, slot in enumerate(self.problem.inputs):
            if coordinate < slot.reals:
                return k, coordinate
            coordinate -= slot.reals
        raise AssertionError

    # -- explaining ------------------------------------------------------------------------------

    def _explain(
        self,
        matrix: Array,
        numeric: Array,
        wrong: Array,
        directions: list[Direction],
        verdicts: list[Verdict],
    ) -> GradientError:
        """Return the error for the worst entry, diagnosed from its whole block of the Jacobian."""
        with np.errstate(invalid="ignore"):
            excess = np.where(
                wrong, np.abs(matrix - numeric) / (np.abs(numeric) + np.abs(matrix) + 1e-300), -1.0
            )
        excess = np.where(wrong & np.isnan(excess), np.inf, excess)
        row, k = np.unravel_index(int(np.argmax(excess)), excess.shape)
        direction = directions[k]
        output, start = self._output(int(row))
        columns = [i for i, d in enumerate(directions) if d.leaf == direction.leaf]
        rows = slice(start, start + output.reals)
        block = Block(
            matrix[rows][:, columns],
            numeric[rows][:, columns],
            wrong[rows][:, columns],
            output,
            self.problem.inputs[direction.leaf],
            whole=len(columns) == self.problem.inputs[direction.leaf].reals,
        )
        cause = explain(
            block,
            at_kink=bool(verdicts[k].kink[row]),
            elsewhere=lambda: self._is_right_nearby(direction, int(row)),
        )
        return self._explain_entry(
            direction,
            int(row),
            float(matrix[row, k]),
            verdicts[k],
            cause=cause,
            wrong=(int(wrong.sum()), wrong.size),
        )

    def _is_right_nearby(self, direction: Direction, row: int) -> bool:
        """Tell whether the same derivative is right at a point close by, where there is no kink."""
        x = self.x + self.oracle.sizes * self.options.rng.uniform(0.05, 0.1, self.x.size)
        near = Problem(
            self.problem.title, self.problem.call, unpack(x, self.problem.inputs), self._names()
        )
        try:
            level = Level(near, self.options)
            level.tape = Tape(near, near.leaves)
            level.fx = near(x)
            oracle = Oracle(near, level.fx, method="difference")
            level.oracle = oracle
            estimate = oracle.differences(direction.vector)
            unit = np.zeros(level.fx.size)
            unit[row] = 1.0
            value = (
                level.tape.gradient(unit) @ direction.vector
                if self.mode == "reverse"
                else near.tangent(direction.vector)[row]
            )
            analytic = np.where(np.arange(unit.size) == row, value, estimate.value)
            tolerance = level._tolerance(np.abs(estimate.value), direction.vector)
            return not judge(oracle, direction.vector, analytic, estimate, tolerance).wrong[row]
        except (ArithmeticError, ValueError, RuntimeError):
            return False

    def _output(self, row: int) -> tuple[Slot, int]:
        start = 0
        for slot in self.problem.outputs:
            if row < start + slot.reals:
                return slot, start
            start += slot.reals
        raise AssertionError

    def _explain_entry(
        self,
        direction: Direction,
        row: int,
        analytic: float,
        verdict: Verdict,
        *,
        cause: str = "",
        wrong: tuple[int, int] = (1, 1),
    ) -> GradientError:
        output, start = self._output(row)
        slot = self.problem.inputs[direction.leaf]
        return GradientError.entry(
            self.problem,
            self.options.arguments,
            mode=self.mode,
            slot=slot,
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
            cause=cause or "unknown",
            wrong=wrong,
        )

    # -- low precision ---------------------------------------------------------------------------

    def check_precision(self, low: Problem) -> None:
        """Compare the gradient of the same function in its own precision with the one in double
        precision.
        """
        tape = Tape(low, low.leaves)
        epsilon = low.epsilon
        v = np.round(self.v * 64) / 64  # exact in every precision
        precise = self.gradient(v)
        coarse = tape.gradient(v)
        rough = unpack(
            self.x * (1 + epsilon * self.options.rng.choice((-1.0, 1.0), self.x.size)),
            self.problem.inputs,
        )
        wobble = np.abs(Tape(self.problem, rough).gradient(v) - precise)
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
                    method=f"the same gradient in double precision, for data of {low.inputs[0].dtype}",
                    cause="dtype: right in double precision, wrong in the precision of the inputs",
                    wrong=(int(off.sum()), off.size),
                )


def _mirror(slot: Slot, coordinate: int) -> tuple[int, float]:
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


def _symmetrised(slot: Slot, part: Array) -> Array:
    """Return a direction made symmetric (Hermitian)."""
    new = part.copy()
    for coordinate in range(part.size):
        partner, sign = _mirror(slot, coordinate)
        if not sign:
            new[coordinate] = 0.0
        elif partner > coordinate:
            new[partner] = sign * new[coordinate]
    return new
