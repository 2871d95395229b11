"""Schedules that fall along half a cosine. Imports `_base` only.

References:
    Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017,
    equation 5.
"""

import math

from optim._optimizer import Optimizer
from optim.lr_scheduler._base import LRScheduler, check_count, check_numbers

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """r = eta_min + (r0 - eta_min) * (1 + cos(pi * t / T_max)) / 2, up again after T_max.

    Args:
        optimizer: whose rates are set.
        T_max: number of steps from r0 down to `eta_min`.
        eta_min: the lowest rate.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: `T_max` is no positive integer.

    Example:
        >>> from autograd import Variable
        >>> from optim import SGD
        >>> x = Variable(1.0, requires_grad=True)
        >>> x.grad = 0.5
        >>> optimizer = SGD([x], lr=1.0)
        >>> scheduler = CosineAnnealingLR(optimizer, T_max=2)
        >>> optimizer.step(), scheduler.step()
        (None, None)
        >>> scheduler.get_last_lr()
        [0.5]
    """

    _counts = ("T_max",)

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        check_count(self._name, "T_max", T_max)
        check_numbers(self._name, eta_min=eta_min)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return r moved to the next point of the curve, from wherever it is now."""
        t, period, low = self.last_epoch, self.T_max, self.eta_min
        if self._beginning:
            return self._rates()
        if (t - 1 - period) % (2 * period) == 0:
            # The rate is at its lowest, where the quotient below is 0 / 0.
            rise = (1 - math.cos(math.pi / period)) / 2
            pairs = zip(self._rates(), self.base_lrs, strict=True)
            return [rate + (base - low) * rise for rate, base in pairs]
        quotient = (1 + math.cos(math.pi * t / period)) / (1 + math.cos(math.pi * (t - 1) / period))
        return [quotient * (rate - low) + low for rate in self._rates()]


class CosineAnnealingWarmRestarts(LRScheduler):
    """As `CosineAnnealingLR`, but at the lowest rate it jumps up to r0, each period longer.

    Args:
        optimizer: whose rates are set.
        T_0: number of steps until the first restart.
        T_mult: each period is `T_mult` times as long as the one before.
        eta_min: the lowest rate.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: `T_0` or `T_mult` is no positive integer.
    """

    _counts = ("T_0", "T_mult", "T_i")

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        check_count(self._name, "T_0", T_0)
        check_count(self._name, "T_mult", T_mult)
        check_numbers(self._name, eta_min=eta_min)
        self.T_0 = self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the point of the curve `T_cur` steps after the last restart."""
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Move one step on, or to `epoch`, which may be a fraction: `epoch + batch / batches`.

        Raises:
            ValueError: `epoch` is negative.
        """
        if epoch is None:
            super().step()
            return
        if epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: wanted epoch >= 0, got {epoch!r}")
        self._step_count += 1
        self._place(epoch)
        super()._move_to(math.floor(epoch))

    def _move_to(self, epoch: int) -> None:
        if self._beginning and epoch == 0:
            self.T_cur, self.T_i = 0, self.T_0
        else:
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        super()._move_to(epoch)

    def _place(self, epoch: float) -> None:
        """Find the period that holds `epoch`: T_0 * (1 + T_mult + ... + T_mult**n) before it."""
        start, length = 0, self.T_0
        if self.T_mult == 1:
            start = math.floor(epoch / length) * length
        else:
            while epoch >= start + length:
                start += length
                length *= self.T_mult
        self.T_cur, self.T_i = epoch - start, length
