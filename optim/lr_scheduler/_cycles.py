"""Schedules that rise and fall, and move the momentum the other way. Imports `_base` only.

References:
    Smith, Cyclical learning rates for training neural networks, WACV 2017 (`CyclicLR`).
    Smith and Topin, Super-convergence: very fast training of neural networks using large learning
    rates, 2019 (`OneCycleLR`).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from optim._optimizer import Optimizer
from optim.lr_scheduler._base import (
    LRScheduler,
    check_count,
    check_functions,
    check_numbers,
    per_group,
)

__all__ = ["CyclicLR", "OneCycleLR"]


class _WithMomentum(LRScheduler):
    """Sets what the optimizer calls momentum: `momentum`, or the first of `betas`."""

    def _take_momentum(
        self, base: float | Sequence[float], largest: float | Sequence[float]
    ) -> None:
        optimizer = self.optimizer
        self.use_beta1 = "betas" in optimizer.defaults
        if not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise ValueError(
                f"{self._name}: {type(optimizer).__name__} has neither momentum nor betas; pass "
                "cycle_momentum=False"
            )
        bases = per_group(self._name, "base_momentum", base, optimizer)
        peaks = per_group(self._name, "max_momentum", largest, optimizer)
        for group, low, high in zip(optimizer.param_groups, bases, peaks, strict=True):
            group["base_momentum"] = low
            group["max_momentum"] = high
            self._set_momentum(group, high)

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_WithMomentum):
    """Triangles between `base_lr` and `max_lr`, whose height may shrink; step it after each batch.

    Args:
        optimizer: whose rates are set.
        base_lr: the lowest rate, one for all or one for each group.
        max_lr: the highest rate of the first cycle, likewise.
        step_size_up: number of steps from low to high.
        step_size_down: number of steps from high to low, None for as many.
        mode: "triangular" keeps the height, "triangular2" halves it after each cycle,
            "exp_range" multiplies it by gamma at each step.
        gamma: for "exp_range".
        scale_fn: height as a function, instead of `mode`; not part of `state_dict`.
        scale_mode: "cycle" hands `scale_fn` the number of the cycle, from 1 on, "iterations" that
            of the step.
        cycle_momentum: move the momentum against the rate.
        base_momentum: momentum at the highest rate.
        max_momentum: momentum at the lowest rate.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: an unknown mode, a length that is not that of the groups, an optimizer without
            momentum.
    """

    _not_saved = ("optimizer", "scale_fn")

    _counts = ("total_size",)

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self._attach(optimizer)
        modes: dict[str, tuple[Callable[[float], float], str]] = {
            "triangular": (lambda _: 1.0, "cycle"),
            "triangular2": (lambda cycle: 2.0 ** (1 - cycle), "cycle"),
            "exp_range": (lambda step: self.gamma**step, "iterations"),
        }
        check_numbers(self._name, step_size_up=step_size_up, gamma=gamma)
        if step_size_down is not None:
            check_numbers(self._name, step_size_down=step_size_down)
        for steps in (step_size_up, step_size_down):
            if steps is not None and not 0 < steps < math.inf:
                raise ValueError(f"CyclicLR: wanted step sizes above 0, got {steps!r}")
        if scale_fn is not None:
            check_functions(self._name, scale_fn=scale_fn)
        elif mode not in list(modes):
            raise ValueError(f"CyclicLR: wanted mode as one of {sorted(modes)}, got {mode!r}")
        self.scale_fn, self.scale_mode = modes[mode] if scale_fn is None else (scale_fn, scale_mode)
        self.gamma = gamma
        self.total_size = step_size_up + (
            step_size_up if step_size_down is None else step_size_down
        )
        self.step_ratio = step_size_up / self.total_size
        lows = per_group(self._name, "base_lr", base_lr, optimizer)
        self.max_lrs = per_group(self._name, "max_lr", max_lr, optimizer)
        if last_epoch == -1:
            for group, low in zip(optimizer.param_groups, lows, strict=True):
                group["lr"] = group["initial_lr"] = low
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._take_momentum(base_momentum, max_momentum)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lows

    def get_lr(self) -> list[float]:
        """Return the point on the triangle, and set the momentum opposite to it."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                low, high = group["base_momentum"], group["max_momentum"]
                self._set_momentum(group, high - (high - low) * height)
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height for low, high in pairs]


class OneCycleLR(_WithMomentum):
    """Up from max_lr / div_factor to `max_lr`, then far down; step it after each batch.

    Args:
        optimizer: whose rates are set.
        max_lr: the highest rate, one for all or one for each group.
        total_steps: length of the cycle; or give `epochs` and `steps_per_epoch`.
        epochs: number of epochs.
        steps_per_epoch: number of batches in one.
        pct_start: share of the cycle that rises.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: move the momentum against the rate.
        base_momentum: momentum at the highest rate.
        max_momentum: momentum at the lowest rate.
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is the first one divided by this.
        three_phase: fall back to the first rate, symmetrically, before going far down.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: no length, an unknown strategy, a share outside [0, 1], an optimizer without
            momentum, or more steps than the cycle has.
    """

    _counts = ("total_steps",)

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self._attach(optimizer)
        if total_steps is None and epochs is not None and steps_per_epoch is not None:
            total_steps = epochs * steps_per_epoch
        if total_steps is None:
            raise ValueError(
                "OneCycleLR: wanted the length of the cycle, got none; pass total_steps, or epochs "
                "and steps_per_epoch"
            )
        check_count(self._name, "total_steps", total_steps)
        check_numbers(
            self._name,
            pct_start=pct_start,
            div_factor=div_factor,
            final_div_factor=final_div_factor,
        )
        if div_factor <= 0 or final_div_factor <= 0:
            raise ValueError(
                "OneCycleLR: wanted div_factor and final_div_factor above 0, got "
                f"{div_factor!r} and {final_div_factor!r}"
            )
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: wanted 0 <= pct_start <= 1, got {pct_start!r}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: wanted anneal_strategy 'cos' or 'linear', got {anneal_strategy!r}"
            )
        self.total_steps = total_steps
        self.anneal_strategy = anneal_strategy
        # (last step, rate there, momentum there), each a key of the group; the first row is step 0.
        peak = pct_start * total_steps - 1
        back = [(2 * peak, "initial_lr", "max_momentum")] if three_phase else []
        self._corners = [
            (0.0, "initial_lr", "max_momentum"),
            (peak, "max_lr", "base_momentum"),
            *back,
            (total_steps - 1.0, "min_lr", "max_momentum"),
        ]
        peaks = per_group(self._name, "max_lr", max_lr, optimizer)
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, peaks, strict=True):
                group["initial_lr"] = rate / div_factor
                group["max_lr"] = rate
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._take_momentum(base_momentum, max_momentum)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the point between two corners of the cycle, and set the momentum there."""
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(
                f"OneCycleLR: wanted at most {self.total_steps} steps, got step {t}; build it with "
                "total_steps = epochs * batches per epoch"
            )
        ends = [end for end, _, _ in self._corners[1:-1]]
        phase = next((i for i, end in enumerate(ends) if t <= end), len(ends))
        (start, *low), (end, *high) = self._corners[phase : phase + 2]
        share = (t - start) / (end - start)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                self._set_momentum(group, self._between(group[low[1]], group[high[1]], share))
        groups = self.optimizer.param_groups
        return [self._between(group[low[0]], group[high[0]], share) for group in groups]

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * share
        return end + (start - end) / 2.0 * (1 + math.cos(math.pi * share))
