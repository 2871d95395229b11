"""Callbacks: what `fit` tells, to whom, and when; imports what their state is made of.

The protocol: `fit` calls the methods of each callback, in the order of the list, with one
`FitState` that says where the training is. A plain function in the list is called at the end of
each epoch.
"""

import math
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Protocol

from autograd.random import random_state, set_random_state
from nn._checkpoint import read_tree, restore, save
from nn._history import History
from nn._judging import Meter
from nn._module import Module

__all__ = ["Callback", "FitState", "SupportsStep", "is_count"]


class SupportsStep(Protocol):
    """What `fit` asks of an optimizer."""

    def zero_grad(self) -> Any:
        """Forget the gradients."""

    def step(self) -> Any:
        """Change the parameters along their gradients."""


@dataclass(repr=False)
class FitState:
    """Where a training is: the one argument of every callback method.

    Attributes:
        model: The module in training.
        optimizer: Its optimizer.
        scheduler: The learning-rate schedule, or None.
        data: The batches of an epoch.
        callbacks: All callbacks of this training.
        epochs: The number of epochs asked for.
        epoch: The number of the current epoch, counted from 1; 0 before the first.
        batch: The number of the current batch in its epoch, counted from 1.
        step: How many steps the optimizer has made, in all epochs.
        loss: The loss of the current batch, of several together where their gradients accumulate.
        logs: The numbers of the current epoch; filled in when it ends, and recorded in `history`
            then, together with what callbacks have added by then.
        history: The finished epochs.
        meter: What the batches of an epoch came to, while they are read.
        validation_data: The batches that are measured after each epoch, or None.
        team: The model on all ranks where several processes train, a ``DataParallel``; or None.
    """

    model: Module
    optimizer: SupportsStep
    scheduler: Any
    data: Any
    callbacks: Sequence["Callback"]
    epochs: int
    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = math.nan
    logs: dict[str, float] = field(default_factory=dict)
    history: History = field(default_factory=History)
    meter: Meter | None = None
    validation_data: Any = None
    team: Any = None

    def __repr__(self) -> str:
        return (
            f"FitState({type(self.model).__name__}, epoch {self.epoch} of {self.epochs}, "
            f"batch {self.batch}, loss {self.loss:.4g})"
        )

    def stop(self, reason: str) -> None:
        """End the training after this epoch; `fit` notes the reason in the history."""
        self.history.stop_reason = reason

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that `fit(..., resume=path)` needs to continue from here: after this epoch, or
        in the middle of it after this batch. Where several processes train, all of them call this,
        and rank 0 writes.
        """
        middle = self.meter is not None
        values = {
            "epoch": self.epoch - middle,  # finished ones
            "batch": self.batch if middle else 0,
            "step": self.step,
            "meter": asdict(self.meter) if self.meter is not None else None,
            "history": self.history.epochs,
        }
        parts = self._parts()
        if self.team is not None:
            # An optimizer with its state in parts collects them on rank 0.
            parts["optimizer"] = self.optimizer.state_dict()  # type: ignore[attr-defined]
        if self.team is None or self.team.rank == 0:
            save(path, **parts, **values)
        if self.team is not None:
            self.team.counts(0, "the checkpoint of rank 0")

    def load(self, path: str | os.PathLike[str]) -> None:
        """Continue from a file that `save` has written; nothing changes unless all of it fits."""
        tree = read_tree(path)
        parts = self._parts()
        # What may be new in a resumed training starts afresh; all else has to be there.
        new = [self.validation_data, *self.callbacks]
        known = {
            name: part
            for name, part in parts.items()
            if name in tree or all(part is not one for one in new)
        }
        # Version 0.1 saved between epochs only.
        counts = [tree.get("epoch"), tree.get("batch", 0), tree.get("step", 0)]
        meter: Any = tree.get("meter")
        history: Any = tree.get("history")
        if not (all(map(is_count, counts)) and _is_meter(meter) and _is_history(history)):
            raise ValueError(
                f"fit: wanted a file that the Checkpoint callback has written, got {path}; "
                "nn.load reads the others"
            )
        restore(path, tree, known)
        self.epoch, self.batch, self.step = counts
        self.history.epochs = history
        self.meter = None if meter is None else Meter(**meter)

    def _parts(self) -> dict[str, Any]:
        parts = {
            "model": self.model,
            "optimizer": self.optimizer,
            "scheduler": self.scheduler,
            "data": self.data,
            "validation_data": self.validation_data,
            "random": _GlobalStream(),
        }
        seen: Counter[str] = Counter()
        for callback in self.callbacks:
            name = type(callback).__name__
            parts[f"{name}.{seen[name]}"] = callback
            seen[name] += 1
        return {name: part for name, part in parts.items() if hasattr(part, "load_state_dict")}


def is_count(value: Any) -> bool:
    """Tell whether a value from a file is a number of things."""
    return type(value) is int and 0 <= value <= sys.maxsize


def _is_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(n, int | float) for n in value.values())


def _is_history(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_numbers, value))


def _is_meter(value: Any) -> bool:
    if value is None:
        return True
    names = {one.name for one in fields(Meter)}
    return (
        isinstance(value, dict)
        and set(value) == names
        and _is_numbers(value["totals"])
        and _is_numbers({name: value[name] for name in names - {"totals"}})
    )


class _GlobalStream:
    """The stream of `autograd.manual_seed` as a part of a checkpoint."""

    def state_dict(self) -> dict[str, int]:
        return random_state()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        set_random_state(state)


class Callback:
    """Base of callbacks: override what you need, all methods do nothing here.

    A callback whose own state matters for resuming also defines ``state_dict`` and
    ``load_state_dict``.

    Example:
        >>> class ClipValues(Callback):
        ...     def on_backward_end(self, state):
        ...         for parameter in state.model.parameters():
        ...             np.clip(parameter.grad, -1, 1, out=parameter.grad)
    """

    # Whether it only writes what rank 0 knows, where several processes train.
    only_on_rank_0: ClassVar[bool] = False
    hooks: ClassVar[tuple[str, ...]] = (
        "on_fit_begin",
        "on_epoch_begin",
        "on_backward_end",
        "on_batch_end",
        "after_batch_end",
        "on_epoch_end",
        "after_epoch_end",
        "on_fit_end",
    )

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if not name.startswith("_") and isinstance(value, str | int | float | None)
        )
        return f"{type(self).__name__}({shown})"

    def on_fit_begin(self, state: FitState) -> None:
        """Called once, before a checkpoint to resume from is read: forget earlier trainings."""

    def on_epoch_begin(self, state: FitState) -> None:
        """Called before an epoch; ``state.stop`` prevents it. Not called again where a training is
        resumed in the middle of it.
        """

    def on_backward_end(self, state: FitState) -> None:
        """Called when the gradients of a batch are there and not yet used: the place to clip."""

    def on_batch_end(self, state: FitState) -> None:
        """Called after the optimizer's step; ``state.loss`` is the loss before it."""

    def after_batch_end(self, state: FitState) -> None:
        """Called when every callback has seen the step: the place to save."""

    def on_epoch_end(self, state: FitState) -> None:
        """Called when ``state.logs`` is complete: the place to decide, and to add numbers."""

    def after_epoch_end(self, state: FitState) -> None:
        """Called when every callback has seen the end of the epoch: the place to save."""

    def on_fit_end(self, state: FitState) -> None:
        """Called when the training ends by itself, by ``state.stop`` or by Ctrl-C."""
