"""Callbacks: what `fit` tells, to whom, and when. Imports `autograd` and `_checkpoint`, `_history`.

The protocol: `fit` calls the methods of each callback, in the order of the list, with one
`FitState` that says where the training is. A plain function in the list is called at the end of
each epoch.
"""

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from autograd.random import random_state, set_random_state
from nn._checkpoint import read_tree, restore, save
from nn._files import as_path, check_suffix
from nn._history import History
from nn._module import Module

__all__ = ["Callback", "Checkpoint", "EarlyStopping", "FitState", "SupportsStep"]


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
        loss: The loss of the current batch.
        logs: The numbers of the current epoch; filled in when it ends, and recorded in `history`
            then, together with what callbacks have added by then.
        history: The finished epochs.
    """

    model: Module
    optimizer: SupportsStep
    scheduler: Any
    data: Any
    callbacks: Sequence["Callback"]
    epochs: int
    epoch: int = 0
    batch: int = 0
    loss: float = math.nan
    logs: dict[str, float] = field(default_factory=dict)
    history: History = field(default_factory=History)

    def __repr__(self) -> str:
        return (
            f"FitState({type(self.model).__name__}, epoch {self.epoch} of {self.epochs}, "
            f"batch {self.batch}, loss {self.loss:.4g})"
        )

    def stop(self, reason: str) -> None:
        """End the training after this epoch; `fit` notes the reason in the history."""
        self.history.stop_reason = reason

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that `fit(..., resume=path)` needs to continue after this epoch."""
        values = {"epoch": self.epoch, "history": self.history.epochs}
        save(path, **self._parts(), **values)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Continue from a file that `save` has written; nothing changes unless all of it fits."""
        tree = read_tree(path)
        parts = self._parts()
        # A callback that the file does not know starts afresh; all else has to be there.
        known = {
            name: part
            for name, part in parts.items()
            if name in tree or not isinstance(part, Callback)
        }
        epoch: Any = tree.get("epoch")
        history: Any = tree.get("history")
        if not _is_count(epoch) or not _is_history(history):
            raise ValueError(
                f"fit: wanted a file that the Checkpoint callback has written, got {path}; "
                "nn.load reads the others"
            )
        restore(path, tree, known)
        self.epoch, self.history.epochs = epoch, history

    def _parts(self) -> dict[str, Any]:
        parts = {
            "model": self.model,
            "optimizer": self.optimizer,
            "scheduler": self.scheduler,
            "data": self.data,
            "random": _GlobalStream(),
        }
        seen: Counter[str] = Counter()
        for callback in self.callbacks:
            name = type(callback).__name__
            parts[f"{name}.{seen[name]}"] = callback
            seen[name] += 1
        return {name: part for name, part in parts.items() if hasattr(part, "load_state_dict")}


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_history(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(numbers, dict) and all(isinstance(n, int | float) for n in numbers.values())
        for numbers in value
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

    hooks: ClassVar[tuple[str, ...]] = (
        "on_fit_begin",
        "on_epoch_begin",
        "on_backward_end",
        "on_batch_end",
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
        """Called before an epoch; ``state.stop`` prevents it."""

    def on_backward_end(self, state: FitState) -> None:
        """Called when the gradients of a batch are there and not yet used: the place to clip."""

    def on_batch_end(self, state: FitState) -> None:
        """Called after the optimizer's step; ``state.loss`` is the loss before it."""

    def on_epoch_end(self, state: FitState) -> None:
        """Called when ``state.logs`` is complete: the place to decide, and to add numbers."""

    def after_epoch_end(self, state: FitState) -> None:
        """Called when every callback has seen the end of the epoch: the place to save."""

    def on_fit_end(self, state: FitState) -> None:
        """Called when the training ends by itself, by ``state.stop`` or by Ctrl-C."""


class _Best:
    """Keeps the best value of one of the epoch's numbers."""

    def __init__(self, owner: str, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        if mode not in {"min", "max"}:
            raise ValueError(f"{owner}: wanted mode 'min' or 'max', got {mode!r}")
        self.owner, self.monitor = owner, monitor
        self.sign = 1.0 if mode == "min" else -1.0
        self.min_delta = min_delta
        self.value = math.inf * self.sign

    def improved(self, state: FitState) -> bool:
        """Take this epoch's value, and tell whether it is the best so far."""
        if self.monitor not in state.logs:
            hint = "; pass validation_data" if self.monitor.startswith("validation_") else ""
            raise KeyError(
                f"{self.owner}: wanted to monitor one of {', '.join(state.logs)}, "
                f"got {self.monitor!r}{hint}"
            )
        value = state.logs[self.monitor]
        if self.sign * value < self.sign * self.value - self.min_delta:
            self.value = value
            return True
        return False


class EarlyStopping(Callback):
    """Stop when a number has not become better for some epochs, and go back to the best model.

    Args:
        monitor: The number to watch, a name in ``state.logs``.
        patience: Epochs without an improvement after which to stop.
        min_delta: What counts as an improvement must exceed this.
        mode: ``"min"`` where less is better, ``"max"`` where more is.
        restore_best: Whether the parameters of the best epoch are put back at the end, however
            the training ends, except by Ctrl-C, which keeps what was trained last.

    Attributes:
        best_epoch: The number of the best epoch, counted from 1; 0 before the first.

    Raises:
        ValueError: An unknown mode, or ``patience`` below 1.
        KeyError: At the end of the first epoch, when there is no such number.
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        patience: int = 5,
        min_delta: float = 0.0,
        mode: Literal["min", "max"] = "min",
        restore_best: bool = True,
    ) -> None:
        if patience < 1:
            raise ValueError(f"EarlyStopping: wanted patience of at least 1 epoch, got {patience}")
        self.monitor, self.patience, self.mode = monitor, patience, mode
        self.min_delta, self.restore_best = min_delta, restore_best
        self._forget()

    def _forget(self) -> None:
        self._best = _Best("EarlyStopping", self.monitor, self.mode, self.min_delta)
        self.best_epoch = 0
        self.waited = 0
        self._best_state: dict[str, Any] | None = None

    @property
    def best(self) -> float:
        """The best value so far."""
        return self._best.value

    def on_fit_begin(self, state: FitState) -> None:  # noqa: ARG002
        """Forget earlier trainings."""
        self._forget()

    def on_epoch_begin(self, state: FitState) -> None:
        """Stop where a resumed training had stopped already."""
        self._stop_when_waited(state)

    def on_epoch_end(self, state: FitState) -> None:
        """Compare, and remember or count."""
        if self._best.improved(state):
            self.best_epoch, self.waited = state.epoch, 0
            if self.restore_best:
                self._best_state = state.model.state_dict()
        else:
            self.waited += 1
            self._stop_when_waited(state)

    def _stop_when_waited(self, state: FitState) -> None:
        if self.waited >= self.patience:
            state.stop(
                f"{self.monitor} has not become better than {self.best:.6g} of epoch "
                f"{self.best_epoch} for {self.waited} epochs"
            )

    def on_fit_end(self, state: FitState) -> None:
        """Put the best parameters back."""
        if self._best_state is not None and not state.history.interrupted:
            state.model.load_state_dict(self._best_state)

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs."""
        return {
            "best": self._best.value,
            "best_epoch": self.best_epoch,
            "waited": self.waited,
            "best_state": self._best_state,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue to count where ``state_dict`` was taken.

        Raises:
            ValueError: It is no state of this callback; nothing has changed.
        """
        _check_state(self, state)
        best_epoch, waited, best_state = (state[n] for n in ("best_epoch", "waited", "best_state"))
        is_state = best_state is None or isinstance(best_state, Mapping)
        if not (_is_count(best_epoch) and _is_count(waited) and is_state):
            raise ValueError(
                "EarlyStopping: wanted two counts and the state of a model, got "
                f"{best_epoch!r:.40}, {waited!r:.40} and {type(best_state).__name__}"
            )
        self._best.value = state["best"]
        self.best_epoch, self.waited, self._best_state = best_epoch, waited, best_state


class Checkpoint(Callback):
    """Save the training at the end of epochs, so that ``fit(..., resume=path)`` continues it.

    The file holds model, optimizer, scheduler, the order of the data, all random generators, the
    other callbacks' states and the history. It replaces the one before only when it is complete.

    Args:
        path: Ends in ``.npz`` or ``.safetensors``; ``{epoch}`` in it becomes the epoch's number.
        every: Save each so many epochs, and after the last.
        monitor: Save only when this number is the best so far.
        mode: ``"min"`` where less is better, ``"max"`` where more is.

    Raises:
        ValueError: An unknown suffix or mode, or ``every`` below 1.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        every: int = 1,
        monitor: str | None = None,
        mode: Literal["min", "max"] = "min",
    ) -> None:
        if every < 1:
            raise ValueError(f"Checkpoint: wanted every of at least 1 epoch, got {every}")
        check_suffix("Checkpoint", as_path("Checkpoint", path))
        self.path, self.every, self.monitor, self.mode = os.fspath(path), every, monitor, mode
        self._best = _Best("Checkpoint", monitor or "loss", mode)

    def on_fit_begin(self, state: FitState) -> None:  # noqa: ARG002
        """Forget earlier trainings."""
        self._best = _Best("Checkpoint", self.monitor or "loss", self.mode)

    def after_epoch_end(self, state: FitState) -> None:
        """Save, where it is time."""
        last = state.epoch >= state.epochs or state.history.stop_reason is not None
        due = self._best.improved(state) if self.monitor else last or state.epoch % self.every == 0
        if due:
            state.save(self.path.replace("{epoch}", str(state.epoch)))

    def state_dict(self) -> dict[str, Any]:
        """Return the best value so far."""
        return {"best": self._best.value}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue to compare where ``state_dict`` was taken.

        Raises:
            ValueError: It is no state of this callback; nothing has changed.
        """
        _check_state(self, state)
        self._best.value = state["best"]


def _check_state(callback: Any, state: Any) -> None:
    """Refuse what cannot be the state of a callback that keeps a best value."""
    name, wanted = type(callback).__name__, list(callback.state_dict())
    is_state = isinstance(state, Mapping) and set(state) == set(wanted)
    if not is_state or not isinstance(state["best"], int | float):
        raise ValueError(
            f"{name}: wanted a state with {', '.join(wanted)}, of which best is a number, got "
            f"{state!r:.80}"
        )
