"""The verdict on one directional derivative: right, wrong, a legal choice at a kink, or beyond
judging.

An analytic value that agrees with the oracle at once costs nothing more. The others are looked at
with several step sizes and from both sides: at a kink, any value between the left and the right
derivative is a legal subgradient. Where the function jumps or is not finite, no derivative exists
and nothing is judged. Imports `_oracle` and NumPy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autograd.testing._oracle import Estimate, Oracle
from autograd.testing._packing import Array

# An error estimate counts this often: it is an estimate, taken where it is smallest.
SAFETY = 10.0
# Estimates that are not known to this part of the scale decide nothing.
CONCLUSIVE = 1e-4
# Halvings of the first step at which a suspicious entry is looked at again.
SHIFTS = (0, 4, 8, 12, 16)
SIDE_SHIFTS = (0, 8, 16)
# How many random points around a kink are looked at, how far apart in parts of the inputs' size,
# and the halvings that make the first step there small against that.
NEARBY = 14
DISTANCE = 2.0**-18
NEARBY_SHIFT = 17


class Tolerance(NamedTuple):
    """How far an analytic value may be from the truth, besides the error of the oracle; one scale
    per output.
    """

    rtol: float
    atol: Array
    scale: Array

    def around(self, analytic: Array, numeric: Array) -> Array:
        """Return the absolute tolerance of each entry."""
        magnitude = np.fmax(np.abs(analytic), np.abs(numeric))
        relative = np.where(np.isfinite(magnitude), self.rtol * magnitude, 0.0)
        return np.asarray(relative + self.atol)

    def conclusive(self, estimate: Estimate) -> Array:
        """Tell which entries of an estimate are known well enough to decide anything."""
        size = np.fmax(np.abs(estimate.value), self.scale)
        size = np.where(np.isfinite(size), size, 0.0)
        known = estimate.error <= CONCLUSIVE * size + self.atol
        return np.asarray(known & ~np.isnan(estimate.value))


class Verdict(NamedTuple):
    """What became of one direction, per output coordinate."""

    wrong: Array
    kink: Array
    unjudged: Array
    numeric: Array
    error: Array
    left: Array
    right: Array
    step: float
    method: str


def close(analytic: Array, estimate: Estimate, tolerance: Tolerance) -> Array:
    """Tell which entries agree with a conclusive estimate."""
    with np.errstate(invalid="ignore"):
        allowed = SAFETY * estimate.error + tolerance.around(analytic, estimate.value)
        near = np.abs(analytic - estimate.value) <= allowed
    return np.asarray((near | (analytic == estimate.value)) & tolerance.conclusive(estimate))


def judge(
    oracle: Oracle, d: Array, analytic: Array, first: Estimate, tolerance: Tolerance
) -> Verdict:
    """Judge the analytic directional derivatives `analytic` along `d`, given what the oracle said
    first.
    """
    finite = np.isfinite(oracle.fx)
    settled = close(analytic, first, tolerance) | ~finite
    nothing = np.zeros(analytic.shape, dtype=bool)
    unknown = np.full(analytic.shape, np.nan)
    if settled.all():
        return Verdict(
            nothing,
            nothing,
            ~finite,
            first.value,
            first.error,
            unknown,
            unknown,
            first.step,
            first.method,
        )

    noise = oracle.measure_noise()
    tolerance = tolerance._replace(atol=tolerance.atol + 3 * noise / oracle.size(d))
    windows = [oracle.differences(d, shift) for shift in SHIFTS]
    if oracle.analytic:
        windows.insert(0, first)
    best = windows[0]
    best_known = tolerance.conclusive(best)
    for window in windows[1:]:
        known = tolerance.conclusive(window)
        better = known & (~best_known | (window.error < best.error))
        value = np.where(better, window.value, best.value)
        used = window if better[~settled].any() else best
        error = np.where(better, window.error, best.error)
        best = Estimate(value, error, used.step, used.method)
        best_known |= known
    right = settled | close(analytic, best, tolerance)
    for window in windows:
        # Step sizes that contradict each other lie on different sides of a kink nearby.
        with np.errstate(invalid="ignore"):
            apart = np.abs(window.value - best.value) > SAFETY * (window.error + best.error)
        right |= apart & close(analytic, window, tolerance)
    if right.all():
        return Verdict(
            nothing,
            nothing,
            ~finite,
            best.value,
            best.error,
            unknown,
            unknown,
            best.step,
            best.method,
        )

    left_side, right_side, between = _between_sides(oracle, d, analytic, tolerance, ~best_known)
    left_known, right_known = tolerance.conclusive(left_side), tolerance.conclusive(right_side)
    with np.errstate(invalid="ignore"):
        gap = np.abs(left_side.value - right_side.value)
        allowed = SAFETY * (left_side.error + right_side.error) + tolerance.around(
            left_side.value, right_side.value
        )
    kink = left_known & right_known & ~(gap <= allowed)
    # Where one side is outside the domain, the other side's derivative is the derivative.
    edge = left_known ^ right_known
    numeric = np.where(
        edge & ~best_known, np.where(left_known, left_side.value, right_side.value), best.value
    )
    error = np.where(edge & ~best_known, np.fmin(left_side.error, right_side.error), best.error)
    infinite = np.isinf(left_side.value) & (left_side.value == right_side.value)
    numeric = np.where(infinite, left_side.value, numeric)
    jumps = _jumps(oracle, d)
    unjudged = ~finite | jumps | ~(best_known | left_known | right_known)
    wrong = ~(right | between | unjudged)
    if wrong.any():
        chosen = _is_derivative_nearby(oracle, d, analytic, tolerance)
        kink |= chosen & wrong
        wrong &= ~chosen
    return Verdict(
        wrong,
        kink & ~unjudged & ~settled,
        unjudged,
        numeric,
        error,
        left_side.value,
        right_side.value,
        best.step,
        best.method,
    )


def _between_sides(
    oracle: Oracle, d: Array, analytic: Array, tolerance: Tolerance, blind: Array
) -> tuple[Estimate, Estimate, Array]:
    """Return the derivatives from the left and the right, and which analytic values lie between
    them, where they differ or where nothing else is known (`blind`).
    """
    legal = np.zeros(analytic.shape, dtype=bool)
    sides: list[Estimate] = []
    for shift in SIDE_SHIFTS:
        right = oracle.side(d, shift)
        left = oracle.side(-d, shift)
        left = left._replace(value=-left.value)
        left_known, right_known = tolerance.conclusive(left), tolerance.conclusive(right)
        left_value = np.where(left_known, left.value, np.nan)
        right_value = np.where(right_known, right.value, np.nan)
        low, high = np.fmin(left_value, right_value), np.fmax(left_value, right_value)
        slack = SAFETY * (
            np.where(left_known, left.error, 0.0) + np.where(right_known, right.error, 0.0)
        )
        slack += tolerance.around(low, high)
        with np.errstate(invalid="ignore"):
            within = (analytic >= low - slack) & (analytic <= high + slack)
            legal |= within & ((high - low > slack) | blind)
        if not sides:
            sides = [left, right]
        else:
            sides = [
                _merge(old, new, tolerance) for old, new in zip(sides, (left, right), strict=True)
            ]
    return sides[0], sides[1], legal


def _is_derivative_nearby(oracle: Oracle, d: Array, analytic: Array, tolerance: Tolerance) -> Array:
    """Tell which analytic values lie between derivatives at points around, where these differ much.

    Where three values tie, the middle one of the sorted values has slope 0 in each of them, from
    both sides, and still it is one of them: a subgradient in the sense of Clarke, a limit of
    gradients at points nearby. The points break ties in the order of the elements, against it, and
    at random, with the element that moves in every place among the others.
    """
    rng = np.random.default_rng(0)
    count = oracle.x.size
    rank = np.arange(1.0, count + 1)
    orders = [rank, -rank]
    moving = int(np.argmax(np.abs(d)))
    for k in range(NEARBY):
        order = rng.permutation(rank)
        place = 1.0 + k * count // NEARBY
        order[order == place], order[moving] = order[moving], place
        orders.append(order)
    found = [
        oracle.differences(d, NEARBY_SHIFT, oracle.x + DISTANCE * oracle.sizes * order)
        for order in orders
    ]
    values = np.array([estimate.value for estimate in found])
    errors = np.array([estimate.error for estimate in found])
    size = np.max(np.abs(values), axis=0, initial=0.0, where=np.isfinite(values))
    known = (errors <= CONCLUSIVE * size + tolerance.atol) & np.isfinite(values)
    low = np.min(values, axis=0, initial=np.inf, where=known)
    high = np.max(values, axis=0, initial=-np.inf, where=known)
    slack = CONCLUSIVE * size
    with np.errstate(invalid="ignore"):
        apart = high - low > 1e-2 * np.fmax(tolerance.scale, size)
        return np.asarray(apart & (analytic >= low - slack) & (analytic <= high + slack))


def _merge(old: Estimate, new: Estimate, tolerance: Tolerance) -> Estimate:
    """Keep what is known already; fill in what is known only at smaller steps."""
    fill = ~tolerance.conclusive(old) & tolerance.conclusive(new)
    return old._replace(
        value=np.where(fill, new.value, old.value), error=np.where(fill, new.error, old.error)
    )


def _jumps(oracle: Oracle, d: Array) -> Array:
    """Tell which outputs jump at the point: they move as far in a step as in one sixteen times as
    long.
    """
    jumps = np.zeros(oracle.fx.shape, dtype=bool)
    h = 2.0**-20 * oracle.size(d)
    with np.errstate(all="ignore"):
        for sign in (1.0, -1.0):
            far = np.abs(oracle.f(oracle.x + sign * h * d) - oracle.fx)
            near = np.abs(oracle.f(oracle.x + sign * h / 16 * d) - oracle.fx)
            jumps |= (far > 1e4 * oracle.epsilon * np.abs(oracle.fx)) & (near > 0.9 * far)
    return jumps
