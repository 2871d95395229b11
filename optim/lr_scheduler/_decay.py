"""Schedules that are one formula of the step t: factors, stairs, lines and powers.

Below, r is the rate, r0 the initial one, and t counts the calls of `step`. Imports `_base` only.
"""

from collections.abc import Callable, Sequence

from optim._optimizer import Optimizer
from optim.lr_scheduler._base import (
    LRScheduler,
    check_count,
    check_functions,
    check_numbers,
    per_group,
)

__all__ = [
    "ConstantLR",
    "ExponentialLR",
    "Factor",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "PolynomialLR",
    "StepLR",
]

Factor = Callable[[int], float]


class LambdaLR(LRScheduler):
    """r = r0 * f(t).

    Args:
        optimizer: whose rates are set.
        lr_lambda: f, or one for each parameter group. Functions are not part of `state_dict`.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: another number of functions than of groups.

    Example:
        >>> from autograd import Variable
        >>> from optim import SGD
        >>> x = Variable(1.0, requires_grad=True)
        >>> x.grad = 0.5
        >>> optimizer = SGD([x], lr=0.8)
        >>> scheduler = LambdaLR(optimizer, lambda t: 0.5**t)
        >>> optimizer.step(), scheduler.step()
        (None, None)
        >>> scheduler.get_last_lr()
        [0.4]
    """

    _not_saved = ("optimizer", "lr_lambdas")

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        self._attach(optimizer)
        self.lr_lambdas: list[Factor] = per_group(
            self._name, "lr_lambda", lr_lambda, optimizer, check_functions
        )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return r0 * f(t)."""
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * factor(self.last_epoch) for base, factor in pairs]


class MultiplicativeLR(LambdaLR):
    """r <- r * f(t) at every step but the first.

    Args:
        optimizer: whose rates are set.
        lr_lambda: f, or one for each parameter group. Functions are not part of `state_dict`.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: another number of functions than of groups.
    """

    def get_lr(self) -> list[float]:
        """Return r * f(t)."""
        if self._beginning:
            return self._rates()
        pairs = zip(self._rates(), self.lr_lambdas, strict=True)
        return [rate * factor(self.last_epoch) for rate, factor in pairs]

    def _restart(self) -> None:
        self._move_to(0)


class StepLR(LRScheduler):
    """r <- r * gamma at every multiple of `step_size`.

    Args:
        optimizer: whose rates are set.
        step_size: number of steps between two changes.
        gamma: factor of a change.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: `step_size` is no positive integer.
    """

    _counts = ("step_size",)

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check_count(self._name, "step_size", step_size)
        check_numbers(self._name, gamma=gamma)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return r * gamma on a stair, else r."""
        on_stair = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return [rate * self.gamma if on_stair else rate for rate in self._rates()]


class MultiStepLR(LRScheduler):
    """r <- r * gamma at every milestone.

    Args:
        optimizer: whose rates are set.
        milestones: steps of the changes; one named twice counts twice.
        gamma: factor of a change.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        check_numbers(self._name, gamma=gamma)
        if not isinstance(milestones, Sequence):
            raise TypeError(f"MultiStepLR: wanted a list of milestones, got {milestones!r}")
        for milestone in milestones:
            check_numbers(self._name, milestones=milestone)
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return r * gamma at a milestone, else r."""
        count = self.milestones.count(self.last_epoch)
        return [rate * self.gamma**count if count else rate for rate in self._rates()]


class ConstantLR(LRScheduler):
    """r = r0 * factor before step `total_iters`, r0 from then on.

    Args:
        optimizer: whose rates are set.
        factor: between 0 (excluded) and 1.
        total_iters: step of the change.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: `factor` is outside its interval.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_numbers(self._name, factor=factor, total_iters=total_iters)
        if not 0 < factor <= 1:
            raise ValueError(f"ConstantLR: wanted 0 < factor <= 1, got {factor!r}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return r, multiplied at the start and divided at the end."""
        factors = {self.total_iters: 1.0 / self.factor, 0: self.factor}
        factor = factors.get(self.last_epoch, 1.0)
        return [rate * factor for rate in self._rates()]


class LinearLR(LRScheduler):
    """r = r0 * (start + (end - start) * t / total_iters), and r0 * end from then on.

    Args:
        optimizer: whose rates are set.
        start_factor: start, between 0 (excluded) and 1.
        end_factor: end, between 0 and 1.
        total_iters: number of steps from start to end.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: a factor is outside its interval.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_numbers(
            self._name, start_factor=start_factor, end_factor=end_factor, total_iters=total_iters
        )
        if not 0 < start_factor <= 1:
            raise ValueError(f"LinearLR: wanted 0 < start_factor <= 1, got {start_factor!r}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: wanted 0 <= end_factor <= 1, got {end_factor!r}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return r times the quotient of two neighbours on the line."""
        t, start, slope = self.last_epoch, self.start_factor, self.end_factor - self.start_factor
        factor = 1.0
        if t == 0:
            factor = start
        elif not self._beginning and t <= self.total_iters:
            factor += slope / (self.total_iters * start + (t - 1) * slope)
        return [rate * factor for rate in self._rates()]


class ExponentialLR(LRScheduler):
    """r <- r * gamma at every step.

    Args:
        optimizer: whose rates are set.
        gamma: factor of a step.
        last_epoch: see `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        check_numbers(self._name, gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return r * gamma."""
        return [rate if self._beginning else rate * self.gamma for rate in self._rates()]


class PolynomialLR(LRScheduler):
    """r = r0 * (1 - t / total_iters) ** power, and 0 from then on.

    Args:
        optimizer: whose rates are set.
        total_iters: number of steps until the rate is 0.
        power: exponent.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        check_numbers(self._name, total_iters=total_iters, power=power)
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return r times the quotient of two neighbours on the curve."""
        t, total = self.last_epoch, self.total_iters
        if self._beginning or t > total:
            return self._rates()
        factor = ((1.0 - t / total) / (1.0 - (t - 1) / total)) ** self.power
        return [rate * factor for rate in self._rates()]
