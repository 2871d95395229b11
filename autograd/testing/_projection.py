"""Random projections: one number that a wrong gradient anywhere would change.

Cheap, and blind to where the fault is; what disagrees is handed to the full Jacobian, or, where
that is too large, found by halving the set of inputs that move. Imports the modules beside it and
NumPy.
"""

from __future__ import annotations

import numpy as np

from autograd.testing._diagnosis import Block, explain
from autograd.testing._jacobian import Comparison, is_right_nearby, mirror
from autograd.testing._judge import SAFETY, close, judge
from autograd.testing._level import ATOL, Direction, Level
from autograd.testing._oracle import Estimate
from autograd.testing._packing import Array, Slot

# A projection that disagrees is looked into by the full Jacobian up to so many coordinates of
# inputs and outputs together.
LOCALISE_LIMIT = 2048


def check_projection(level: Level) -> None:
    """Judge one random direction of all inputs together."""
    __tracebackhide__ = True
    u = _random_direction(level)
    estimate = level.oracle.differences(u)
    if level.mode == "forward":
        analytic = level.problem.tangent(u)
        scale = np.max(np.abs(estimate.value), initial=0.0, where=np.isfinite(estimate.value))
        tolerance = level.tolerance(np.full(level.fx.shape, scale), u)
        agrees = bool((close(analytic, estimate, tolerance) | ~np.isfinite(level.fx)).all())
    else:
        agrees = _agrees(level, u, estimate)
    if agrees:
        return
    if level.x.size + level.fx.size <= LOCALISE_LIMIT:
        Comparison(level).check()
    else:
        _bisect(level, u)


def _random_direction(level: Level) -> Array:
    rng = level.options.rng
    u = rng.uniform(0.5, 1.0, level.x.size) * rng.choice((-1.0, 1.0), level.x.size)
    u *= level.oracle.sizes
    start = 0
    for k, slot in enumerate(level.problem.inputs):
        if k < level.problem.checked and level.options.is_symmetric(k):
            u[start : start + slot.reals] = _symmetrised(slot, u[start : start + slot.reals])
        start += slot.reals
    return np.asarray(u)


def _symmetrised(slot: Slot, part: Array) -> Array:
    """Return a direction made symmetric (Hermitian)."""
    new = part.copy()
    for coordinate in range(part.size):
        partner, sign = mirror(slot, coordinate)
        if not sign:
            new[coordinate] = 0.0
        elif partner > coordinate:
            new[partner] = sign * new[coordinate]
    return new


def _agrees(level: Level, u: Array, estimate: Estimate) -> bool:
    """Compare v . J u, by numbers, with J^T v . u."""
    oracle, options = level.oracle, level.options
    terms = level.v * estimate.value
    numeric, analytic = float(np.sum(terms)), float(level.g @ u)
    error = float(np.abs(level.v) @ estimate.error)
    scale = max(float(np.max(np.abs(part), initial=0.0)) for part in (terms, level.g * u))
    if options.atol is None:
        rounding = 4 * oracle.epsilon * float(np.abs(level.v) @ np.abs(level.fx)) / oracle.size(u)
        atol = rounding + ATOL * scale
    else:
        atol = options.atol
    allowed = options.rtol * max(abs(numeric), abs(analytic)) + atol
    known = error <= 1e-4 * max(scale, abs(numeric)) + allowed
    return bool(known and abs(numeric - analytic) <= allowed + SAFETY * error)


def _bisect(level: Level, u: Array) -> None:
    """Find one wrong coordinate of a large problem by halving the set of inputs that move."""
    __tracebackhide__ = True
    left = np.flatnonzero(u)
    while left.size > 1:
        for half in (left[: left.size // 2], left[left.size // 2 :]):
            d = np.zeros_like(u)
            d[half] = u[half]
            if not _agrees(level, d, level.oracle.differences(d)):
                left = half
                break
        else:
            return  # only the sum of both halves disagrees: rounding
    d = np.zeros_like(u)
    d[left] = 1.0
    estimate = level.oracle.differences(d)
    known = np.nan_to_num(estimate.value, posinf=0.0, neginf=0.0)
    rows = np.argsort(-np.abs(known))[:8]
    if level.mode == "reverse":
        analytic = known.copy()
        for row in rows:
            analytic[row] = level.gradient(np.eye(1, level.fx.size, row)[0]) @ d
    else:
        analytic = level.problem.tangent(d)
    verdict = judge(level.oracle, d, analytic, estimate, level.tolerance(np.abs(known), d))
    bad = np.flatnonzero(verdict.wrong)
    if not bad.size:
        return
    worst = int(bad[0])
    leaf, coordinate = level.input(int(left[0]))
    direction = Direction(leaf, coordinate, d)
    output, _ = level.output(worst)
    block = Block(
        analytic[rows][:, None],
        verdict.numeric[rows][:, None],
        verdict.wrong[rows][:, None],
        output,
        level.problem.inputs[leaf],
        whole=False,
    )
    cause = explain(
        block,
        at_kink=bool(verdict.kink[worst]),
        elsewhere=lambda: is_right_nearby(level, direction, worst),
    )
    counts = (int(verdict.wrong[rows].sum()), rows.size)
    raise level.error_at(
        direction, worst, float(analytic[worst]), verdict, cause=cause, wrong=counts
    )
