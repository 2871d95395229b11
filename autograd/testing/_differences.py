"""Derivatives by numbers, with an error estimate, and the verdict on an analytic one.

A directional derivative is taken from central differences at three halved steps, extrapolated to
step zero; how well the extrapolations agree is its error estimate. An analytic value that agrees
costs nothing more. The others are looked at with other steps, from both sides, and at points
around: at a kink every value between the derivatives that the function has around there is a legal
subgradient (Clarke). Where the function jumps or is not finite there is nothing to judge.

References:
    Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software 4
    (1982). Clarke, "Optimization and Nonsmooth Analysis" (1983), section 2.5.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autograd.testing._arrays import Array, pack
from autograd.testing._problem import Problem

# Steps are powers of two times the size of an input, which is at least this, or 1/128 of the
# largest element beside it.
FIRST_STEP = 2.0**-8
SMALLEST_SIZE = 2.0**-8
# An error estimate counts this often: it is an estimate, taken where it is smallest.
SAFETY = 10.0
# The error, in parts of the scale, that other steps are tried for, and that decides nothing.
SHARP = 1e-6
CONCLUSIVE = 1e-3
# Halvings of the first step at which a suspicious value is looked at again.
SHIFTS = (0, -3, 4, 8, 12, 16)
SIDE_SHIFTS = (0, 8, 16)
# How many points in a row tell how rough a function is.
SAMPLES = 8
# How many random points around a kink are looked at, how far away at most, in parts of the inputs'
# size, how far apart, and the halvings that make the first step there small against that.
NEARBY = 14
FARTHEST = 2.0**-12
APART = 2.0**-18


class Estimate(NamedTuple):
    """A derivative per output, its error, whether the function bends there, and the step."""

    value: Array
    error: Array
    bent: Array
    step: float


class Tolerance(NamedTuple):
    """How far an analytic value may be from the truth besides the error of the estimate."""

    rtol: float
    atol: Array
    scale: Array

    def around(self, *values: Array) -> Array:
        """Return the absolute tolerance of each entry."""
        size = np.fmax.reduce([np.abs(v) for v in values])
        return np.asarray(np.where(np.isfinite(size), self.rtol * size, 0.0) + self.atol)

    def known(self, estimate: Estimate, part: float) -> Array:
        """Tell which entries of an estimate are known to a part of the scale."""
        size = np.fmax(np.abs(estimate.value), self.scale)
        size = np.where(np.isfinite(size), size, 0.0)
        return np.asarray((estimate.error <= part * size + self.atol) & ~np.isnan(estimate.value))

    def close(self, analytic: Array, estimate: Estimate, part: float = CONCLUSIVE) -> Array:
        """Tell which values agree with an estimate that is known to a part of the scale."""
        allowed = SAFETY * estimate.error + self.around(analytic, estimate.value)
        near = np.abs(analytic - estimate.value) <= allowed
        return np.asarray((near | (analytic == estimate.value)) & self.known(estimate, part))


class Verdict(NamedTuple):
    """What became of the derivatives along one direction, per output."""

    wrong: Array
    kink: Array
    estimate: Estimate
    low: Array
    high: Array


class Oracle:
    """The numeric derivatives of a Problem at its point.

    Attributes:
        problem: the function.
        x: the point, as a vector of reals.
        fx: the outputs there.
        sizes: the size that each coordinate is taken to have, which scales the steps.
        epsilon: rounding unit of the function.
        noise: what moving the inputs by their rounding unit does to the outputs, once measured.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.x = np.concatenate([np.zeros(0), *map(_vector, problem.leaves)])
        self.fx = problem(self.x)
        self.epsilon = problem.epsilon
        # Functions that compute in single precision need steps that rise above their rounding.
        self.step = FIRST_STEP if self.epsilon < 1e-10 else 2.0**-3
        self.noise = np.zeros(self.fx.shape)
        self._measured = False
        sizes = [np.zeros(0)]
        for leaf in problem.leaves:
            parts = np.abs(_vector(leaf))
            top = np.max(parts, initial=0.0)
            sizes.append(np.maximum(parts, max(SMALLEST_SIZE, 2.0**-7 * top)))
        found = np.concatenate(sizes)
        self.sizes = np.exp2(np.floor(np.log2(np.where(np.isfinite(found), found, 1.0))))

    def f(self, x: Array) -> Array:
        """Evaluate; what fails at a moved point is outside the domain, so not a number."""
        try:
            return self.problem(x)
        except (ArithmeticError, ValueError, TypeError, RuntimeError, Warning):
            return np.full(self.fx.shape, np.nan)

    def size(self, d: Array) -> float:
        """Return the size of the inputs along a direction, at most what every coordinate bears."""
        moved = d != 0
        return float(np.min(self.sizes[moved] / np.abs(d[moved]))) if moved.any() else 1.0

    def rounding(self, a: Array, b: Array) -> Array:
        """Return by how much a difference of two values may be off."""
        return np.asarray(self.epsilon * (np.abs(a) + np.abs(b)) + self.noise)

    def measure_noise(self) -> Array:
        """Measure the noise of the outputs, and count it in all estimates from now on.

        Outputs that are small because large numbers cancel have more of it than their own rounding.
        """
        if not self._measured:
            self._measured = True
            d = self.sizes * np.random.default_rng(0).choice((-1.0, 1.0), self.x.size)
            spread = 8 * self.epsilon
            values = [self.f(self.x + k * spread * d) for k in range(SAMPLES)]
            found = 2 * roughness(values)
            self.noise = np.where(np.isfinite(found), found, 0.0)
        return self.noise

    def differences(self, d: Array, shift: int = 0, x: Array | None = None) -> Estimate:
        """Return central differences along `d`, the first step halved `shift` times, here or at
        another point.
        """
        x = self.x if x is None else x
        steps = self.step * self.size(d) * 2.0 ** -(shift + np.arange(3.0))
        pairs = [(self.f(x + h * d), self.f(x - h * d)) for h in steps]
        slopes = [(p - m) / (2 * h) for (p, m), h in zip(pairs, steps, strict=True)]
        noises = [self.rounding(p, m) / h for (p, m), h in zip(pairs, steps, strict=True)]
        bends = [np.abs(p - 2 * self.fx + m) / h for (p, m), h in zip(pairs, steps, strict=True)]
        # In a smooth function the bend shrinks with the step; at a kink it stays.
        steep = np.max(np.abs(slopes[2]), initial=0.0, where=np.isfinite(slopes[2]))
        bent = (bends[2] > 0.5 * bends[0]) & (bends[2] > 100 * noises[2] + 1e-6 * steep)
        value, error = _extrapolated(slopes, noises, 4.0)
        return Estimate(value, error, bent, float(steps[2]))

    def side(self, d: Array, shift: int) -> Estimate:
        """Return the derivative along `d` from that side alone.

        Infinite where the slopes grow without end as the step shrinks, as those of the square root
        at zero do.
        """
        steps = 2.0**-8 * self.size(d) * 2.0 ** -(shift + np.arange(5.0))
        values = [self.f(self.x + h * d) for h in steps]
        slopes = [(v - self.fx) / h for v, h in zip(values, steps, strict=True)]
        noises = [self.rounding(v, self.fx) / h for v, h in zip(values, steps, strict=True)]
        value, error = _extrapolated(slopes, noises, 2.0)
        growth = [np.abs(b) > 1.2 * np.abs(a) for a, b in itertools.pairwise(slopes)]
        grows = np.all(growth, axis=0) & (np.abs(slopes[-1]) > 100 * noises[-1])
        value = np.where(grows, np.sign(slopes[-1]) * np.inf, value)
        return Estimate(value, np.where(grows, 0.0, error), grows, float(steps[-1]))

    def windows(self, d: Array) -> list[Estimate]:
        """Return estimates at several steps, the noise measured."""
        self.measure_noise()
        return [self.differences(d, shift) for shift in SHIFTS]

    def around(self, d: Array) -> tuple[Array, Array]:
        """Return the lowest and the highest derivative along `d` that the function has at points
        around, where these differ much; else an empty interval.

        Where three values tie, the middle one of the sorted values has slope 0 in each of them,
        from both sides, and still it is one of them: a limit of gradients at points nearby. The
        points break ties in the order of the elements, against it, and at random, with the element
        that moves in every place among the others.
        """
        rng = np.random.default_rng(0)
        count = self.x.size
        rank = np.arange(1.0, count + 1)
        moving = int(np.argmax(np.abs(d)))
        orders = [rank, -rank]
        for k in range(NEARBY):
            order = rng.permutation(rank)
            place = 1.0 + k * count // NEARBY
            order[order == place], order[moving] = order[moving], place
            orders.append(order)
        distance = min(APART, FARTHEST / max(count, 1))
        shift = int(np.log2(self.step / distance)) + 4
        points = [self.x + distance * self.sizes * order for order in orders]
        found = [self.differences(d, shift, point) for point in points]
        values = np.array([estimate.value for estimate in found])
        size = np.max(np.abs(values), axis=0, initial=0.0, where=np.isfinite(values))
        known = np.array([e.error for e in found]) <= 1e-4 * size
        low = np.min(values, axis=0, initial=np.inf, where=known)
        high = np.max(values, axis=0, initial=-np.inf, where=known)
        apart = high - low > 1e-2 * size
        slack = 1e-4 * size
        return np.where(apart, low - slack, np.inf), np.where(apart, high + slack, -np.inf)

    def sides(self, d: Array, tolerance: Tolerance) -> tuple[Array, Array, Array]:
        """Return the derivatives from the left and from the right, nan where one is not known, and
        the slack to compare them with.
        """
        ends = []
        slack = tolerance.atol
        for sign in (-1.0, 1.0):
            value = np.full(self.fx.shape, np.nan)
            for shift in SIDE_SHIFTS:
                side = self.side(sign * d, shift)
                new = np.isnan(value) & tolerance.known(side, 1e-4)
                value = np.where(new, sign * side.value, value)
                slack = slack + SAFETY * np.where(new, side.error, 0.0)
            ends.append(value)
        return ends[0], ends[1], slack + tolerance.around(*ends)

    def jumps(self, d: Array) -> Array:
        """Tell which outputs jump here: they move as far in a step as in one sixteen times as
        long.
        """
        jumps = np.zeros(self.fx.shape, dtype=bool)
        h = 2.0**-20 * self.size(d)
        for sign in (1.0, -1.0):
            far = np.abs(self.f(self.x + sign * h * d) - self.fx)
            near = np.abs(self.f(self.x + sign * h / 16 * d) - self.fx)
            jumps |= (far > 1e4 * self.epsilon * np.abs(self.fx)) & (near > 0.9 * far)
        return jumps


def sharpest(windows: list[Estimate], tolerance: Tolerance) -> Estimate:
    """Return, per output, the estimate with the smallest error; nan where none is known."""
    known = [np.where(tolerance.known(w, CONCLUSIVE), w.error, np.inf) for w in windows]
    chosen = np.argmin(known, axis=0)
    error = np.min(known, axis=0)
    value = np.choose(chosen, [w.value for w in windows])
    worst = int(chosen[np.argmax(error)]) if error.size else 0
    value = np.where(np.isfinite(error), value, np.nan)
    return Estimate(value, error, windows[0].bent, windows[worst].step)


def first_look(oracle: Oracle, analytic: Array, first: Estimate, tolerance: Tolerance) -> Verdict:
    """Tell which analytic derivatives disagree with an estimate, or are not settled by it."""
    settled = tolerance.close(analytic, first, SHARP) | ~np.isfinite(oracle.fx)
    return Verdict(~settled, np.zeros_like(settled), first, first.value, first.value)


def judge(
    oracle: Oracle, d: Array, analytic: Array, first: Estimate, tolerance: Tolerance
) -> Verdict:
    """Judge the analytic derivatives along `d`, given the first estimate of them."""
    verdict = first_look(oracle, analytic, first, tolerance)
    if not verdict.wrong.any():
        return verdict
    settled, dead = ~verdict.wrong, ~np.isfinite(oracle.fx)
    nothing = verdict.kink
    noise = 3 * oracle.measure_noise() / oracle.size(d)
    tolerance = tolerance._replace(atol=tolerance.atol + noise)
    windows = oracle.windows(d)
    best = sharpest(windows, tolerance)
    right = settled | tolerance.close(analytic, best)
    for window in windows:
        # Step sizes that contradict each other lie on different sides of a kink nearby.
        apart = np.abs(window.value - best.value) > SAFETY * (window.error + best.error)
        right |= apart & tolerance.close(analytic, window)
    if right.all():
        return Verdict(nothing, nothing, best, best.value, best.value)

    left_side, right_side, slack = oracle.sides(d, tolerance)
    low, high = np.fmin(left_side, right_side), np.fmax(left_side, right_side)
    kink = np.abs(left_side - right_side) > slack
    blind = np.isnan(best.value)  # at the edge of the domain one side is all there is
    right |= (kink | blind) & (analytic >= low - slack) & (analytic <= high + slack)
    unjudged = dead | oracle.jumps(d) | (blind & np.isnan(low))
    wrong = ~(right | unjudged)
    if wrong.any():
        lowest, highest = oracle.around(d)
        chosen = wrong & (analytic >= lowest) & (analytic <= highest)
        kink |= chosen
        wrong &= ~chosen
    best = best._replace(value=np.where(blind, np.where(np.isnan(high), low, high), best.value))
    return Verdict(wrong, kink & ~unjudged & ~settled, best, low, high)


def _vector(leaf: Array) -> Array:
    return pack([leaf])


def roughness(values: Sequence[Array]) -> Array:
    """Return how much values at points in a row scatter about a smooth course.

    Third differences take out the course and amplify what is random by sqrt(20) (Hamming,
    "Numerical Methods for Scientists and Engineers", chapter 6).
    """
    return np.asarray(np.max(np.abs(np.diff(values, n=3, axis=0)), axis=0) / 20**0.5)


def _extrapolated(slopes: list[Array], noises: list[Array], ratio: float) -> tuple[Array, Array]:
    """Extrapolate slopes at halved steps to step zero; per output, take the entry of the tableau
    whose neighbours agree best.
    """
    best = np.full_like(slopes[0], np.nan)
    error = np.full_like(slopes[0], np.inf)
    row: list[Array] = []
    for slope, noise in zip(slopes, noises, strict=True):
        previous, row = row, [slope]
        factor = 1.0
        for before in previous:
            factor *= ratio
            entry = row[-1] + (row[-1] - before) / (factor - 1)
            # Extrapolation amplifies rounding by 2.5 at most; 3 covers the difference as well.
            guess = np.maximum(np.abs(entry - row[-1]), np.abs(entry - before)) + 3 * noise
            row.append(entry)
            better = guess < error
            best, error = np.where(better, entry, best), np.where(better, guess, error)
    return best, error
