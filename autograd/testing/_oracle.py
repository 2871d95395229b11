"""Derivatives by numbers, with an error estimate: complex step, and extrapolated differences.

All functions here take `f`, a function from vectors to vectors (a `Problem`), a point `x` and a
direction `d`, and return an `Estimate` of the directional derivative for every output coordinate.
Where the error estimate is infinite, nothing is known. Imports NumPy and `_problem`.

References:
    Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software 4
    (1982): the tableau of extrapolated central differences that stops where its own entries agree
    best. Squire and Trapp, "Using complex variables to estimate derivatives of real functions",
    SIAM Review 40 (1998).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from autograd.testing._packing import Array
from autograd.testing._problem import Problem

VectorFunction = Callable[[Array], Array]
# Returns by how much the difference of two values of the function may be off by rounding.
Rounding = Callable[[Array, Array], Array]

# Steps are powers of two times the size of the input, so that x + h - x is h but for the rounding
# of x itself.
FIRST_STEP = 2.0**-5
LEVELS = 4
# The smallest size that an input coordinate is taken to have: steps around exact zeros start here.
SMALLEST_SIZE = 2.0**-8
COMPLEX_STEP = 1e-30


class Estimate(NamedTuple):
    """A derivative per output coordinate, an estimate of its error, and how it was found."""

    value: Array
    error: Array
    step: float
    method: str


def quietly(f: VectorFunction, x: Array, size: int) -> Array:
    """Evaluate `f` at a moved point: what fails or warns there is outside the domain, so not a
    number.
    """
    try:
        with np.errstate(all="ignore"):
            return f(x)
    except (ArithmeticError, ValueError, TypeError, RuntimeError, Warning, np.linalg.LinAlgError):
        return np.full(size, np.nan)


def central(
    f: VectorFunction, x: Array, d: Array, h: float, rounding: Rounding, levels: int = LEVELS
) -> Estimate:
    """Return extrapolated central differences with steps h, h/2, h/4 ... (Ridders' tableau, ratio
    2).
    """
    steps = [h * 0.5**k for k in range(levels)]
    pairs = [(f(x + step * d), f(x - step * d)) for step in steps]
    with np.errstate(all="ignore"):
        slopes = [(p - m) / (2 * step) for (p, m), step in zip(pairs, steps, strict=True)]
        noises = [rounding(p, m) / step for (p, m), step in zip(pairs, steps, strict=True)]
    return _extrapolate(slopes, noises, 4.0, h, "central differences")


def one_sided(
    f: VectorFunction,
    x: Array,
    fx: Array,
    d: Array,
    h: float,
    rounding: Rounding,
    levels: int = 5,
) -> Estimate:
    """Return the extrapolated one-sided derivative in the direction `d` (its sign says which side).

    Infinite where the slopes grow without end as the step shrinks, as those of the square root at
    zero do.
    """
    steps = [h * 0.5**k for k in range(levels)]
    values = [f(x + step * d) for step in steps]
    with np.errstate(all="ignore"):
        slopes = [(v - fx) / step for v, step in zip(values, steps, strict=True)]
        noises = [rounding(v, fx) / step for v, step in zip(values, steps, strict=True)]
        found = _extrapolate(slopes, noises, 2.0, h, "one-sided differences")
        growth = [np.abs(b) / np.abs(a) for a, b in itertools.pairwise(slopes)]
        grows = np.all([g > 1.2 for g in growth], axis=0) & (np.abs(slopes[-1]) > 100 * noises[-1])
        value = np.where(grows, np.sign(slopes[-1]) * np.inf, found.value)
    return found._replace(value=value, error=np.where(grows, 0.0, found.error))


def _extrapolate(
    slopes: list[Array], noises: list[Array], ratio: float, h: float, method: str
) -> Estimate:
    """Extrapolate slopes at halved steps to step zero; per coordinate, take the entry whose
    neighbours agree best.
    """
    best = np.full_like(slopes[0], np.nan)
    error = np.full_like(slopes[0], np.inf)
    row: list[Array] = []
    with np.errstate(all="ignore"):
        for slope, noise in zip(slopes, noises, strict=True):
            previous, row = row, [slope]
            factor = 1.0
            for left_above in previous:
                factor *= ratio
                entry = row[-1] + (row[-1] - left_above) / (factor - 1)
                # The amplification of rounding by extrapolation is bounded by 2.5; 3 covers the
                # difference as well.
                guess = np.maximum(np.abs(entry - row[-1]), np.abs(entry - left_above)) + 3 * noise
                row.append(entry)
                better = guess < error
                best = np.where(better, entry, best)
                error = np.where(better, guess, error)
    return Estimate(best, error, h * 0.5 ** (len(slopes) - 1), method)


class Oracle:
    """The numeric derivatives of one Problem at its point, by the method that suits it.

    Attributes:
        problem: the function.
        x: the point, as a vector of reals.
        fx: the outputs there.
        sizes: the size that each input coordinate is taken to have, which scales the steps.
        analytic: whether the complex step has been verified.
        noise: what moving the inputs by their rounding unit does to the outputs, once measured.
    """

    def __init__(self, problem: Problem, fx: Array, *, method: str = "auto") -> None:
        self.problem = problem
        self.x = problem.point()
        self.fx = fx
        self.epsilon = problem.epsilon
        self.method = method
        self.analytic = False
        self.noise: Array | None = None
        large = np.abs(self.x)
        floors = []
        for slot, leaf in zip(problem.inputs, problem.leaves, strict=True):
            top = float(np.max(np.abs(leaf), initial=0.0))
            floors.append(
                np.full(slot.reals, max(SMALLEST_SIZE, 2.0**-7 * top) if np.isfinite(top) else 1.0)
            )
        sizes = np.maximum(large, np.concatenate(floors) if floors else large)
        self.sizes = np.exp2(np.floor(np.log2(np.where(np.isfinite(sizes), sizes, 1.0))))
        # Functions that compute in single precision need steps that rise above their rounding.
        self.first_step = FIRST_STEP if self.epsilon < 1e-10 else 2.0**-3

    def f(self, x: Array) -> Array:
        """Evaluate; not-a-number where the function fails."""
        return quietly(self.problem, x, self.fx.size)

    def size(self, d: Array) -> float:
        """Return the size of the inputs along a direction, at most what every coordinate bears."""
        moved = d != 0
        return (
            float(np.min(self.sizes[moved] / np.abs(d[moved]), initial=np.inf))
            if moved.any()
            else 1.0
        )

    def rounding(self, a: Array, b: Array) -> Array:
        """Return by how much a difference of two values may be off."""
        rounding = self.epsilon * (np.abs(a) + np.abs(b))
        return rounding if self.noise is None else rounding + self.noise

    def measure_noise(self) -> Array:
        """Measure the noise of the outputs, and count it in all estimates from now on.

        Outputs that are small because large numbers cancel have more of it than their own rounding.
        """
        if self.noise is None:
            signs = np.random.default_rng(0).choice((-1.0, 1.0), (3, self.x.size))
            moved = [self.f(self.x + self.epsilon * self.sizes * s) for s in signs]
            with np.errstate(all="ignore"):
                spread = np.max([np.abs(value - self.fx) for value in moved], axis=0)
            self.noise = np.where(np.isfinite(spread), spread, 0.0)
        return self.noise

    def differences(self, d: Array, shift: int = 0, x: Array | None = None) -> Estimate:
        """Return central differences along `d`, the first step divided by 2^shift, here or at
        another point `x`.
        """
        h = self.first_step * self.size(d) * 2.0**-shift
        return central(self.f, self.x if x is None else x, d, h, self.rounding)

    def side(self, d: Array, shift: int = 0) -> Estimate:
        """Return the one-sided derivative along `d`."""
        h = 2.0**-8 * self.size(d) * 2.0**-shift
        return one_sided(self.f, self.x, self.fx, d, h, self.rounding)

    def along(self, d: Array) -> Estimate:
        """Return the derivative along `d` by the method chosen."""
        if not self.analytic:
            return self.differences(d)
        value = self._complex_step(d)
        return Estimate(value, 1e-13 * np.abs(value), COMPLEX_STEP, "complex step")

    def choose(self, rng: np.random.Generator) -> None:
        """Try the complex step, and keep it only if it agrees with differences along a random
        direction.

        Functions that are not analytic (abs, conj, comparisons of complex numbers, real parts) or
        that only look so do not agree, nor do iterations that stop when the real part has
        converged; functions that refuse complex numbers fail.
        """
        if self.method == "difference" or not self.problem.is_real:
            return
        d = self.sizes * rng.uniform(0.5, 1.0, self.x.size) * rng.choice((-1.0, 1.0), self.x.size)
        value = self._complex_step(d)
        if not np.isfinite(value).any():
            return
        check = self.differences(d)
        known = np.isfinite(check.error) & np.isfinite(value)
        bound = 20 * check.error + 1e-9 * np.abs(check.value)
        close = np.abs(value - check.value) <= bound
        scale = np.max(np.abs(check.value), initial=0.0, where=known)
        sharp = check.error <= 1e-8 * np.maximum(np.abs(check.value), scale) + self.epsilon
        self.analytic = bool(np.all((close & sharp)[known])) and bool(
            np.all(known == np.isfinite(self.fx))
        )

    def _complex_step(self, d: Array) -> Array:
        """Return Im f(x + i h d) / h."""
        h = COMPLEX_STEP * self.size(d)

        def step(x: Array) -> Array:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "error"
                )  # a ComplexWarning says that the imaginary part was lost
                out = self.problem.holomorphic(x)
            same = np.isclose(out.real, self.fx, rtol=1e-9, atol=0.0, equal_nan=True)
            return np.where(same | (self.fx == 0), out.imag, np.nan)

        return quietly(step, self.x + 1j * h * d, self.fx.size) / h
