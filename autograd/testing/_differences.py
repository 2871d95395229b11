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

from autograd.testing._problem import Problem
from autograd.testing._vectors import Array, pack

__all__ = [
    "SAFETY",
    "SAMPLES",
    "SHARP",
    "Estimate",
    "Oracle",
    "Tolerance",
    "Verdict",
    "judge",
    "roughness",
]

# An error estimate counts this often: it is an estimate, taken where it is smallest.
SAFETY = 10.0
# The error, in parts of the scale, that other steps are tried for, and that decides nothing.
SHARP = 1e-6
_CONCLUSIVE = 1e-3
# How many points in a row tell how rough a function is.
SAMPLES = 8
# Steps are powers of two times the size of an input, which is at least this, or 1/128 of the
# largest element beside it.
_FIRST_STEP = 2.0**-8
_SMALLEST_SIZE = 2.0**-8
# Halvings of the first step at which a suspicious value is looked at again.
_SHIFTS = (0, -3, 4, 8, 12, 16)
_SIDE_SHIFTS = (0, 8, 16)
# What is smaller than its size by more is not looked at more closely.
_LARGEST_RATIO = 2.0**200
# How many random points around a kink are looked at, how far away at most, in parts of the inputs'
# size, and how far apart.
_NEARBY = 14
_FARTHEST = 2.0**-12
_APART = 2.0**-18


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

    def close(self, analytic: Array, estimate: Estimate, part: float = _CONCLUSIVE) -> Array:
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
        x: the point, as a vector of reals.
        fx: the outputs there.
        sizes: the size that each coordinate is taken to have, which scales the steps.
        epsilon: rounding unit of the function.
        noise: what moving the inputs by their rounding unit does to the outputs, once measured.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.x = pack(problem.leaves).astype(float)
        self.fx = problem(self.x)
        self.epsilon = problem.epsilon
        # Functions that compute in single precision need steps that rise above their rounding.
        self._step = _FIRST_STEP if self.epsilon < 1e-10 else 2.0**-3
        self.noise = np.zeros(self.fx.shape)
        self._measured = False
        sizes = [np.zeros(0)]
        for parts in (np.abs(pack([leaf])) for leaf in problem.leaves):
            least = max(_SMALLEST_SIZE, 2.0**-7 * np.max(parts, initial=0.0))
            sizes.append(np.maximum(parts, least))
        found = np.concatenate(sizes)
        self.sizes = np.exp2(np.floor(np.log2(np.where(np.isfinite(found), found, 1.0))))

    def f(self, x: Array) -> Array:
        """Evaluate; what fails at a moved point is outside the domain, so not a number."""
        try:
            return self._problem(x)
        except (ArithmeticError, ValueError, TypeError, RuntimeError, Warning):
            return np.full(self.fx.shape, np.nan)

    def size(self, d: Array) -> float:
        """Return the size of the inputs along a direction, at most what every coordinate bears."""
        moved = d != 0
        return float(np.min(self.sizes[moved] / np.abs(d[moved]))) if moved.any() else 1.0

    def finer(self, d: Array) -> tuple[int, ...]:
        """Return by how much the first step is halved to be small beside the elements that move,
        where one is smaller than the size that it was taken to have: log(x) at 1e-12 beside 1.
        """
        moved = (d != 0) & (self.x != 0)
        with np.errstate(over="ignore"):
            ratio = np.max(self.sizes[moved] / np.abs(self.x[moved]), initial=1.0)
        return (int(np.ceil(np.log2(ratio))),) if 1.0 < ratio < _LARGEST_RATIO else ()

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
            found = 2 * roughness([self.f(self.x + k * spread * d) for k in range(SAMPLES)])
            self.noise = np.where(np.isfinite(found), found, 0.0)
        return self.noise

    def differences(self, d: Array, shift: int = 0, x: Array | None = None) -> Estimate:
        """Return central differences along `d`, the first step halved `shift` times, here or at
        another point.
        """
        x = self.x if x is None else x
        steps = self._step * self.size(d) * 2.0 ** -(shift + np.arange(3.0))
        pairs = [(self.f(x + h * d), self.f(x - h * d), h) for h in steps]
        slopes = [(p - m) / (2 * h) for p, m, h in pairs]
        noises = [self.rounding(p, m) / h for p, m, h in pairs]
        bends = [np.abs(p - 2 * self.fx + m) / h for p, m, h in pairs]
        # In a smooth function the bend shrinks with the step; at a kink it stays.
        steep = np.max(np.abs(slopes[2]), initial=0.0, where=np.isfinite(slopes[2]))
        bent = (bends[2] > 0.5 * bends[0]) & (bends[2] > 100 * noises[2] + 1e-6 * steep)
        return Estimate(*_extrapolated(slopes, noises, 4.0), bent, float(steps[2]))

    def side(self, d: Array, shift: int) -> Estimate:
        """Return the derivative along `d` from that side alone, `bent` where the function jumps.

        Infinite where the slopes grow without end as the step shrinks, as those of the square root
        at zero do; at a jump they double with every halving.
        """
        steps = 2.0**-8 * self.size(d) * 2.0 ** -(shift + np.arange(5.0))
        values = [(self.f(self.x + h * d), h) for h in steps]
        slopes = [(v - self.fx) / h for v, h in values]
        noises = [self.rounding(v, self.fx) / h for v, h in values]
        value, error = _extrapolated(slopes, noises, 2.0)
        rates = [np.abs(b) / np.abs(a) for a, b in itertools.pairwise(slopes)]
        slowest = np.where(np.abs(slopes[-1]) > 100 * noises[-1], np.min(rates, axis=0), 0.0)
        grows = slowest > 1.2
        value = np.where(grows, np.sign(slopes[-1]) * np.inf, value)
        return Estimate(value, np.where(grows, 0.0, error), slowest > 1.9, float(steps[-1]))

    def sides(self, d: Array, tolerance: Tolerance) -> tuple[Array, Array, Array, Array]:
        """Return the derivatives from the left and from the right, nan where one is not known, the
        slack to compare them with, and where the function jumps.
        """
        ends, slack, jumps = [], tolerance.atol, np.zeros(self.fx.shape, dtype=bool)
        for sign in (-1.0, 1.0):
            value = np.full(self.fx.shape, np.nan)
            for shift in _SIDE_SHIFTS:
                side = self.side(sign * d, shift)
                new = np.isnan(value) & tolerance.known(side, 1e-4)
                value = np.where(new, sign * side.value, value)
                slack = slack + SAFETY * np.where(new, side.error, 0.0)
            ends.append(value)
            jumps |= side.bent
        return ends[0], ends[1], slack + tolerance.around(*ends), jumps

    def around(self, d: Array) -> tuple[Array, Array]:
        """Return the lowest and the highest derivative along `d` that the function has at points
        around, where these differ much; else an empty interval.

        Where three values tie, the middle one of the sorted values has slope 0 in each of them,
        from both sides, and still it is one of them: a limit of gradients at points nearby. The
        points break ties in the order of the elements, against it, and at random, with the element
        that moves in every place among the others.
        """
        rng, count = np.random.default_rng(0), self.x.size
        rank, moving = np.arange(1.0, count + 1), int(np.argmax(np.abs(d)))
        orders = [rank, -rank]
        for k in range(_NEARBY):
            order = rng.permutation(rank)
            place = 1.0 + k * count // _NEARBY
            order[order == place], order[moving] = order[moving], place
            orders.append(order)
        distance = min(_APART, _FARTHEST / max(count, 1))
        shift = int(np.log2(self._step / distance)) + 4  # steps small against the distance
        points = [self.x + distance * self.sizes * order for order in orders]
        found = [self.differences(d, shift, point) for point in points]
        values = np.array([estimate.value for estimate in found])
        size = np.max(np.abs(values), axis=0, initial=0.0, where=np.isfinite(values))
        known = np.array([e.error for e in found]) <= 1e-4 * size
        low = np.min(values, axis=0, initial=np.inf, where=known) - 1e-4 * size
        high = np.max(values, axis=0, initial=-np.inf, where=known) + 1e-4 * size
        apart = high - low > 1e-2 * size
        return np.where(apart, low, np.inf), np.where(apart, high, -np.inf)

    def windows(self, d: Array, tolerance: Tolerance) -> tuple[list[Estimate], Estimate]:
        """Return estimates at several steps, the noise measured, and of them, per output, the one
        with the smallest error; nan where none is known.
        """
        self.measure_noise()
        windows = [self.differences(d, shift) for shift in (*_SHIFTS, *self.finer(d))]
        known = [np.where(tolerance.known(w, _CONCLUSIVE), w.error, np.inf) for w in windows]
        error, chosen = np.min(known, axis=0), np.argmin(known, axis=0)
        value = np.choose(chosen, [w.value for w in windows])
        worst = int(chosen[np.argmax(error)]) if error.size else 0
        value = np.where(np.isfinite(error), value, np.nan)
        return windows, Estimate(value, error, windows[0].bent, windows[worst].step)


def judge(
    oracle: Oracle,
    d: Array,
    analytic: Array,
    first: Estimate,
    tolerance: Tolerance,
    *,
    closely: bool = True,
) -> Verdict:
    """Judge the analytic derivatives along `d`, given the first estimate of them.

    Unless `closely`, all that the estimate does not settle is wrong.
    """
    dead = ~np.isfinite(oracle.fx)
    settled = tolerance.close(analytic, first, SHARP) | dead
    nothing = np.zeros_like(settled)
    if settled.all() or not closely:
        return Verdict(~settled, nothing, first, first.value, first.value)
    noise = 3 * oracle.measure_noise() / oracle.size(d)
    tolerance = tolerance._replace(atol=tolerance.atol + noise)
    windows, best = oracle.windows(d, tolerance)
    right = settled | tolerance.close(analytic, best)
    for window in windows:
        # Step sizes that contradict each other lie on different sides of a kink nearby.
        apart = np.abs(window.value - best.value) > SAFETY * (window.error + best.error)
        right |= apart & tolerance.close(analytic, window)
    if right.all():
        return Verdict(nothing, nothing, best, best.value, best.value)

    left_side, right_side, slack, jumps = oracle.sides(d, tolerance)
    low, high = np.fmin(left_side, right_side), np.fmax(left_side, right_side)
    kink = np.abs(left_side - right_side) > slack
    blind = np.isnan(best.value)  # at the edge of the domain one side is all there is
    right |= (kink | blind) & (analytic >= low - slack) & (analytic <= high + slack)
    unjudged = dead | jumps | (blind & np.isnan(low))
    wrong = ~(right | unjudged)
    if wrong.any():
        lowest, highest = oracle.around(d)
        chosen = wrong & (analytic >= lowest) & (analytic <= highest)
        kink |= chosen
        wrong &= ~chosen
    best = best._replace(value=np.where(blind, np.where(np.isnan(high), low, high), best.value))
    return Verdict(wrong, kink & ~unjudged & ~settled, best, low, high)


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
        previous, row, factor = row, [slope], 1.0
        for before in previous:
            factor *= ratio
            entry = row[-1] + (row[-1] - before) / (factor - 1)
            # Extrapolation amplifies rounding by 2.5 at most; 3 covers the difference as well.
            guess = np.maximum(np.abs(entry - row[-1]), np.abs(entry - before)) + 3 * noise
            row.append(entry)
            better = guess < error
            best, error = np.where(better, entry, best), np.where(better, guess, error)
    return best, error
