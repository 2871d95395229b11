"""Schedules made of schedules: one after the other, or all at once. Imports its siblings only."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from autograd._writes import Writes
from optim._optimizer import Optimizer
from optim.lr_scheduler._base import LRScheduler
from optim.lr_scheduler._plateau import ReduceLROnPlateau

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Combined(LRScheduler):
    """What the two share: checks and checkpoints of the parts."""

    _not_saved = ("optimizer", "_schedulers")

    def _take(self, optimizer: Optimizer | None, schedulers: Sequence[LRScheduler]) -> None:
        if not schedulers:
            raise ValueError(f"{self._name}: wanted at least one schedule, got none")
        for index, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(
                    f"{self._name}: wanted learning rate schedules, got "
                    f"{type(scheduler).__name__} at index {index}"
                )
            if isinstance(scheduler, (ReduceLROnPlateau, _Combined)):
                raise TypeError(
                    f"{self._name}: wanted schedules that are a function of the step, got "
                    f"{type(scheduler).__name__} at index {index}; step it beside this one"
                )
        self._attach(schedulers[0].optimizer if optimizer is None else optimizer)
        for index, scheduler in enumerate(schedulers):
            if scheduler.optimizer is not self.optimizer:
                raise ValueError(
                    f"{self._name}: wanted schedules of one optimizer, got that of another at "
                    f"index {index}"
                )
        self._schedulers = list(schedulers)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of this schedule, and of its parts under "_schedulers"."""
        parts = [scheduler.state_dict() for scheduler in self._schedulers]
        return super().state_dict() | {"_schedulers": parts}

    def _plan_load(self, state_dict: Mapping[str, Any]) -> Writes:
        """Return the writes of this schedule and of its parts."""
        parts = state_dict.get("_schedulers") if hasattr(state_dict, "get") else None
        if isinstance(parts, list) and len(parts) != len(self._schedulers):
            raise ValueError(
                f"{self._name}: wanted a state_dict with {len(self._schedulers)} schedules, got "
                f"{len(parts)}"
            )
        writes = super()._plan_load(state_dict)
        for scheduler, part in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            writes.extend(scheduler._plan_load(part))  # noqa: SLF001 - schedules are one family
        return writes

    def __repr__(self) -> str:
        parts = "".join(f"  {scheduler!r},\n" for scheduler in self._schedulers)
        return f"{self._name}(\n{parts})"


class SequentialLR(_Combined):
    """One schedule after the other; each starts from the initial rate at its milestone.

    Args:
        optimizer: whose rates are set.
        schedulers: in their order; all of this optimizer.
        milestones: steps at which the second, third ... takes over.
        last_epoch: see `LRScheduler`.

    Raises:
        TypeError: a part that is no schedule, or not a function of the step.
        ValueError: no parts, parts of another optimizer, or another number of milestones than of
            changes.

    Example:
        >>> from autograd import Variable
        >>> from optim import SGD, lr_scheduler
        >>> optimizer = SGD([Variable(1.0, requires_grad=True)], lr=1.0)
        >>> warmup = lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
        >>> decay = lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
        >>> scheduler = SequentialLR(optimizer, [warmup, decay], milestones=[2])
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        self._take(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: wanted one milestone fewer than schedules, got {len(milestones)} "
                f"for {len(schedulers)} schedules"
            )
        if any(b <= a for a, b in pairwise(milestones)):
            raise ValueError(f"SequentialLR: wanted increasing milestones, got {list(milestones)}")
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        # Each part has made its first step when it was built; take these back, and let the one
        # whose turn it is begin.
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            scheduler.last_epoch -= 1
        current = self._schedulers[bisect_right(self._milestones, 0)]
        current._begin()  # noqa: SLF001 - schedules are one family
        self._last_lr = current.get_last_lr()

    def step(self) -> None:
        """Move the schedule whose turn it is one step on."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        current = self._schedulers[turn]
        if turn > 0 and self._milestones[turn - 1] == self.last_epoch:
            current._restart()  # noqa: SLF001
        else:
            current.step()
        self._last_lr = current.get_last_lr()


class ChainedScheduler(_Combined):
    """Several schedules in every step, one upon the result of the other.

    Args:
        schedulers: all of one optimizer.
        optimizer: that optimizer; may be left out.

    Raises:
        TypeError: a part that is no schedule, or not a function of the step.
        ValueError: no parts, or parts of another optimizer.
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self._take(optimizer, schedulers)
        self._last_lr = self._rates()

    def step(self) -> None:
        """Move all schedules one step on."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates()
