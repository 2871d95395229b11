"""The schedule that watches a metric. Imports `_base` only."""

import math
from collections.abc import Sequence
from typing import SupportsFloat

from optim._optimizer import Optimizer
from optim.lr_scheduler._base import LRScheduler, check_numbers, per_group

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate by `factor` when a metric has not improved for more than `patience` steps.

    Args:
        optimizer: whose rates are set.
        mode: "min" where a smaller metric is better, "max" where a larger one is.
        factor: of a reduction, below 1.
        patience: number of steps without improvement that are tolerated.
        threshold: by how much better counts as better.
        threshold_mode: "rel" multiplies the best value by (1 -+ threshold), "abs" subtracts or
            adds it.
        cooldown: number of steps after a reduction in which nothing is counted.
        min_lr: the lowest rate, one for all or one for each group.
        eps: a reduction by less is not made.

    Raises:
        ValueError: an unknown mode, a factor of 1 or more, another number of `min_lr` than of
            groups.

    Example:
        >>> from autograd import Variable
        >>> from optim import SGD
        >>> optimizer = SGD([Variable(1.0, requires_grad=True)], lr=1.0)
        >>> scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
        >>> for loss in (3.0, 2.0, 2.0, 2.0):
        ...     scheduler.step(loss)
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        self._attach(optimizer)
        check_numbers(
            self._name,
            factor=factor,
            patience=patience,
            threshold=threshold,
            cooldown=cooldown,
            eps=eps,
        )
        if not factor < 1:
            raise ValueError(f"ReduceLROnPlateau: wanted factor < 1, got {factor!r}")
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: wanted mode 'min' or 'max', got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: wanted threshold_mode 'rel' or 'abs', got {threshold_mode!r}"
            )
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lrs = per_group(self._name, "min_lr", min_lr, optimizer)
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self.last_epoch = 0
        self._last_lr = self._rates()

    def step(self, metrics: SupportsFloat) -> None:  # type: ignore[override]
        """Take the metric of an epoch, and reduce the learning rate where it is time.

        The one schedule whose `step` needs an argument, hence the override.
        """
        current = float(metrics)
        self.last_epoch += 1
        if self.is_better(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._rates()

    def is_better(self, value: float) -> bool:
        """Return whether a metric improves on the best one by more than the threshold."""
        margin = self.threshold if self.mode == "max" else -self.threshold
        bar = self.best * (1 + margin) if self.threshold_mode == "rel" else self.best + margin
        return value > bar if self.mode == "max" else value < bar

    def _reduce(self) -> None:
        for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            reduced = max(group["lr"] * self.factor, lowest)
            if group["lr"] - reduced > self.eps:
                group["lr"] = reduced
