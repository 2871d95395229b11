"""The schedule that leads to the constant rate of weight averaging. Imports `_base` only.

References:
    Izmailov et al., Averaging weights leads to wider optima and better generalization, UAI 2018.
"""

import math
from collections.abc import Sequence

from optim._optimizer import Optimizer
from optim.lr_scheduler._base import LRScheduler, check_count, per_group

__all__ = ["SWALR"]


class SWALR(LRScheduler):
    """From the rate that is to `swa_lr` in `anneal_epochs` steps, and constant from then on.

    Args:
        optimizer: whose rates are set.
        swa_lr: the rate at the end, one for all or one for each group.
        anneal_epochs: number of steps until then.
        anneal_strategy: "cos" along half a cosine, "linear" along a line.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: an unknown strategy, no whole number of steps, another number of
            rates than of groups.

    Example:
        >>> from autograd import Variable
        >>> from optim import SGD
        >>> x = Variable(1.0, requires_grad=True)
        >>> x.grad = 0.5
        >>> optimizer = SGD([x], lr=1.0)
        >>> schedule = SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
        >>> for _ in range(3):
        ...     optimizer.step(), schedule.step()
        ...     print(schedule.get_last_lr())
        (None, None)
        [0.75]
        (None, None)
        [0.5]
        (None, None)
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        self._attach(optimizer)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"SWALR: wanted anneal_strategy 'cos' or 'linear', got {anneal_strategy!r}"
            )
        check_count(self._name, "anneal_epochs", anneal_epochs, 0)
        rates = per_group(self._name, "swa_lr", swa_lr, optimizer)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        self.anneal_epochs = anneal_epochs
        self.anneal_strategy = anneal_strategy
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the point on the way whose predecessor is the present rate."""
        step = max(0, self._step_count - 1)
        if self.anneal_epochs == 0:
            step = max(1, step)
        done, share = self._share(step - 1), self._share(step)
        # The rate at the start follows from the present one, until nothing of it is left.
        left = (1 - share) / (1 - done) if done < 1 else 0.0
        return [
            group["swa_lr"] + (group["lr"] - group["swa_lr"]) * left
            for group in self.optimizer.param_groups
        ]

    def _restart(self) -> None:
        self._move_to(0)  # from the rate that the schedule before has left

    def _share(self, step: int) -> float:
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2
