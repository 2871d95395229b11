"""One order of derivative at its point: what has to hold before any number is compared.

Evaluation is repeatable and leaves everything alone, and the pullback is a linear map, whatever the
size and the memory layout of the cotangent. Low precision is compared with double precision.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import autograd
from autograd.extend import unary
from autograd.testing._differences import (
    SAFETY,
    SAMPLES,
    Estimate,
    Oracle,
    Tolerance,
    Verdict,
    judge,
    roughness,
)
from autograd.testing._problem import Problem, pull
from autograd.testing._report import Wrong, wrong_number
from autograd.testing._vectors import LAYOUTS, Array, pack, slices, unpack

__all__ = ["ATOL", "Level", "global_state"]

ATOL = 1e-10
# Powers of two that cotangents are scaled by: exact, and far from 1.
_SCALES = (2.0**-40, 2.0**40)
_NOT_LINEAR = "the rule is not linear in the incoming gradient"
# How far apart the points are that tell the rounding error of low precision, in parts of the
# inputs, and how often the rounding unit counts besides.
_SPREAD = 2.0**-12
_UNITS = 8


class Level:
    """One Problem at its point.

    Attributes:
        problem: the function.
        rng: of random directions.
        rtol: what the user asked for, as `atol`; see `check_gradients`.
        mode: "reverse" or "forward", whichever is being checked.
        oracle: the numeric derivatives.
        fx: the outputs.
        v: a random cotangent.
        g: its pullback J^T v.
        magnitude: of the largest change of an output when an input changes by its own size.
    """

    def __init__(
        self,
        problem: Problem,
        rng: np.random.Generator,
        rtol: float,
        atol: float | None,
        magnitude: float = 0.0,
    ) -> None:
        self.problem = problem
        self.rng = rng
        self.rtol, self.atol = rtol, atol
        self.mode = "reverse"
        self.magnitude = magnitude
        self._leaves, self._outputs = problem.record()
        self._recorded = pack(self._outputs)
        self.v = rng.uniform(0.5, 1.5, self._recorded.size)
        self.g = self.gradient(self.v)
        self.oracle = Oracle(problem)
        self.fx = self.oracle.fx
        self._looks: dict[bytes, Estimate] = {}

    def gradient(self, v: Array) -> Array:
        """Return J^T v, or raise what is wrong with the rule that cannot compute it."""
        return pack(self._pull(unpack(v, self.problem.outputs)))

    def _pull(self, cotangents: list[Array]) -> list[Array]:
        try:
            return pull(self._outputs, self._leaves, cotangents)
        except (ValueError, TypeError) as error:
            if "read-only" in str(error):
                cause = f"stale buffer: the rule writes into an array it was given ({error})"
                raise self._wrong("purity", cause) from error
            if "wanted a gradient" in str(error):
                cause = f"missing broadcast sum or wrong shape: {error}"
                raise self._wrong("shape", cause) from error
            raise

    def _wrong(self, kind: str, cause: str, input: str = "") -> Wrong:
        where = input or self.problem.inputs[0].name
        lines = [f"input:     {where}"]
        return Wrong(self.problem, lines, mode=self.mode, kind=kind, input=where, cause=cause)

    # -- numeric derivatives ---------------------------------------------------------------------

    def look(self, d: Array) -> Estimate:
        """Return the first estimate along a direction; modes share it."""
        key = d.tobytes()
        if key not in self._looks:
            self._looks[key] = self.oracle.differences(d)
        return self._looks[key]

    def scales(self, numeric: Array, columns: list[slice]) -> Array:
        """Return the scale of the derivatives of all outputs along some directions: the largest of
        each block, one output array by the directions that belong together.
        """
        finite = np.where(np.isfinite(numeric), np.abs(numeric), 0.0)
        scales = np.zeros(finite.shape)
        for block in ((rows, part) for rows in slices(self.problem.outputs) for part in columns):
            scales[block] = np.max(finite[block], initial=0.0)
        return scales

    def grow(self, change: float) -> None:
        """Take note of how much an output changes when inputs change by their own size."""
        self.magnitude = max(self.magnitude, float(change))
        # A function that is zero all over but for rounding has no scale of its own.
        if self.magnitude < 1e-12:
            noise = np.max(self.oracle.measure_noise(), initial=0.0)
            self.magnitude = 1.0 if self.magnitude <= 100 * noise else self.magnitude

    def tolerance(self, scale: Array, d: Array) -> Tolerance:
        """Return how far the derivative along `d` may be off, for outputs' derivatives of a size
        `scale`.
        """
        size = self.oracle.size(d)
        values = np.abs(np.where(np.isfinite(self.fx), self.fx, 0.0))
        whole = np.maximum(scale, (1e-3 * values + 1e-5 * self.magnitude) / size)
        if self.atol is not None:
            return Tolerance(self.rtol, np.full(scale.shape, self.atol), whole)
        # What cancels to nearly zero in one output leaves rounding errors of the size of the
        # others.
        noise = self.oracle.epsilon * (4 * values + 16 * self.magnitude) / size
        return Tolerance(self.rtol, ATOL * whole + noise, whole)

    def judge(self, d: Array, analytic: Array, scale: Array, *, closely: bool = True) -> Verdict:
        """Judge the analytic derivatives along a direction."""
        tolerance = self.tolerance(scale, d)
        return judge(self.oracle, d, analytic, self.look(d), tolerance, closely=closely)

    # -- values ----------------------------------------------------------------------------------

    def check_values(self, before: list[tuple[Array, Array]], state: dict[str, Any]) -> bool:
        """Check that evaluation is repeatable and touches nothing; return whether there is anything
        to differentiate.

        Args:
            before: arrays that the function was given, with copies from before the first call.
            state: `global_state` before the first call.
        """
        problem = self.problem
        slots = zip(problem.inputs, self._leaves, problem.leaves, strict=True)
        given = [("", a, b) for a, b in before] + [(s.name, x.data, leaf) for s, x, leaf in slots]
        for name, array, copy in given:
            if not np.array_equal(array, copy, equal_nan=copy.dtype.kind in "fc"):
                cause = "the function changes this input in place: copy it before writing into it"
                raise self._wrong("purity", cause, name)
        self._check_repeatable()
        if not np.isfinite(self.fx).any():
            if problem.order > 1 or not self.fx.size:
                return False
            raise ValueError(
                f"check_gradients: wanted a point where {problem.title} is finite, got outputs "
                "that are all nan or infinite; choose other inputs"
            )
        self._check_linear()
        if problem.order == 1:
            self._check_side_by_side()
            self._check_layouts()
            self._check_side_effects(state)
            self.oracle.f(self.oracle.x * 1.01 if self.oracle.x.any() else self.oracle.x + 0.01)
            self.check_stale()
        return True

    def _check_repeatable(self) -> None:
        """Compare the recorded values with those of another, unrecorded evaluation."""
        fx, recorded = self.fx, self._recorded
        alike = recorded.shape == fx.shape
        if alike and np.allclose(recorded, fx, rtol=1e-12, atol=0.0, equal_nan=True):
            return
        again = self.problem(self.oracle.x)
        if again.shape != fx.shape or not np.array_equal(again, fx, equal_nan=True):
            cause = "two evaluations at one point differ: random numbers, or state between calls"
        else:
            # Where Variables take another path than arrays, sums may differ by rounding.
            scale = np.max(np.abs(fx), initial=0.0, where=np.isfinite(fx))
            allowed = 1e-9 * scale + 10 * self.oracle.measure_noise() + (self.atol or 0.0)
            if alike and np.isclose(recorded, fx, rtol=1e-9, atol=allowed, equal_nan=True).all():
                return
            cause = "the rule computes one gradient on arrays, another on Variables (create_graph)"
            if self.problem.order == 1:
                cause = "recording changes the value of the function"
        raise self._wrong("values", cause)

    # -- the pullback ----------------------------------------------------------------------------

    def _is_gradient(self, g: Array, expected: Array | None = None) -> bool:
        expected = self.g if expected is None else expected
        top = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
        rtol = max(1e-9, self.rtol)
        return np.allclose(g, expected, rtol=rtol, atol=1e-3 * rtol * top, equal_nan=True)

    def _check_linear(self) -> None:
        """Pull cotangents of other sizes; for derivatives of first order, of all sizes."""
        for scale in (-2.0, *(_SCALES if self.problem.order == 1 else ())):
            scaled = self.gradient(scale * self.v) / scale
            if self._is_gradient(scaled) or not (scale < 0 or np.isfinite(scaled).all()):
                continue
            if not self._is_gradient(self.gradient(self.v)):
                cause = "a second pass over the same graph gives another gradient; the rule writes"
                raise self._wrong("purity", f"stale buffer: {cause} into an array it was given")
            beyond = f": times {scale:.0e} it is another" if scale > 0 else ""
            raise self._wrong("linearity", f"{_NOT_LINEAR}{beyond}")

    def _check_side_by_side(self) -> None:
        """Pull large cotangents beside small ones."""
        where = self.rng.random(self.v.size) < 0.5
        large, small = np.where(where, 2.0**24 * self.v, 0.0), np.where(where, 0.0, self.v)
        parts = self.gradient(large), self.gradient(small)
        gap = np.abs(self.gradient(large + small) - parts[0] - parts[1])
        # Dense rules mix both, which loses the small ones 24 bits, and what cancels more.
        noise = np.abs(self.gradient(3 * large) / 3 - parts[0])
        tops = [np.max(np.abs(a), initial=0.0, where=np.isfinite(a)) for a in (self.g, noise)]
        allowed = 1e-9 * (np.abs(parts[0]) + np.abs(parts[1])) + 2.0**-12 * tops[0] + 64 * tops[1]
        if (gap > allowed).any():
            cause = f"{_NOT_LINEAR}: small parts beside large ones are lost"
            raise self._wrong("linearity", cause)

    def _check_layouts(self) -> None:
        """Pull cotangents in several memory layouts."""
        v = unpack(self.v, self.problem.outputs)
        given = {name: [layout(g) for g in v] for name, layout in LAYOUTS.items()}
        given["stride 0"] = [np.broadcast_to(g.dtype.type(1.25), g.shape) for g in v]
        for name, cotangents in given.items():
            expected = self.gradient(pack(cotangents)) if name == "stride 0" else self.g
            if not self._is_gradient(pack(self._pull(cotangents)), expected):
                cause = f"the rule depends on the memory layout of the incoming gradient, {name}"
                raise self._wrong("purity", cause)

    def _check_side_effects(self, before: dict[str, Any]) -> None:
        """Compare global state with that before the first call, and look at it around the rules."""
        inside: list[dict[str, Any]] = []

        def rule(g: Any) -> Any:
            inside.append(global_state())
            return g

        watch = unary(np.positive, name="watch", x=rule)
        outputs = self.problem.evaluate([watch(x) for x in self._leaves])
        outputs = [watch(o) if isinstance(o, autograd.Variable) else o for o in outputs]
        pull(outputs, self._leaves, unpack(self.v, self.problem.outputs))
        for states in ([before, global_state()], inside):
            for what in before:
                if any(state[what] != states[0][what] for state in states):
                    raise self._wrong("purity", f"a side effect: {what} is changed")

    def check_stale(self) -> None:
        """Check that evaluations since have left alone what the first one returned and saved."""
        same = np.array_equal(pack(self._outputs), self._recorded, equal_nan=True)
        if not same or not self._is_gradient(self.gradient(self.v)):
            what = "saved" if same else "returned"
            cause = f"other calls of the function change what an earlier one has {what}"
            raise self._wrong("purity", f"stale buffer: {cause}; return a new array every time")

    # -- low precision ---------------------------------------------------------------------------

    def check_precision(self, low: Problem) -> None:
        """Compare the gradient of the same function in its own precision with the one in double
        precision.

        How much of the difference is rounding shows at points nearby: a wrong rule is as wrong
        there, rounding errors differ.
        """
        epsilon, rng = low.epsilon, self.rng
        spread = max(_SPREAD, 8 * epsilon) * rng.choice((-1.0, 1.0), self.oracle.x.size)
        turn = rng.choice((-1.0, 1.0), self.v.size) / 64
        found = []
        for k in range(SAMPLES):
            x = pack(unpack(self.oracle.x * (1 + k * spread), low.inputs)).astype(float)
            v = np.round(self.v * 64) / 64 + k * turn  # exact in every precision
            values, coarse = low.at(x).pullback(v)
            if not np.isfinite(values).all() and not k:
                return  # more than the precision can hold
            found.append((coarse, self.problem.at(x).pullback(v)[1]))
        coarse, exact = found[0]
        noise = roughness([one - other for one, other in found])
        tiny = 16 * max(float(np.finfo(slot.dtype).tiny) for slot in (*low.inputs, *low.outputs))
        for part in slices(low.inputs):
            size = np.where(np.isfinite(exact[part]), np.abs(exact[part]), 0.0)
            allowed = _UNITS * epsilon * (size + np.max(size, initial=0.0)) + tiny
            off = np.abs(coarse - exact)[part] > SAFETY * noise[part] + allowed
            off |= ~np.isfinite(coarse[part]) & np.isfinite(exact[part])
            if off.any():
                k = int(np.argmax(off))
                raise wrong_number(
                    low,
                    part.start + k,
                    None,
                    (coarse[part][k], exact[part][k]),
                    f"the same rule in double precision, allowed {allowed[k]:.1e}",
                    count=f"{int(off.sum())} of {off.size} entries are wrong",
                    mode="reverse",
                    cause="dtype: right in double precision, wrong in the precision of the inputs",
                )


def global_state() -> dict[str, Any]:
    """Return the state that a function may use and must not change."""
    numbers: Any = np.random.get_state(legacy=False)  # noqa: NPY002 - what is looked after
    return {
        "NumPy's error state (np.seterr)": np.geterr(),
        "how NumPy prints": repr(np.get_printoptions()),
        "the state of np.random": [np.asarray(v).tolist() for v in numbers["state"].values()],
        "the state of random": random.getstate(),
        "the grad mode": autograd.is_grad_enabled(),
    }
