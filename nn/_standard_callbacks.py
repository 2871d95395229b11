"""Callbacks for what most trainings do: stop early, save, clip, step a schedule.

Imports `autograd`, `_callbacks` and `_files`.
"""

import math
import os
from collections.abc import Mapping
from typing import Any, Literal

from autograd._clip import clip_grad_norm_, clip_grad_value_
from nn._callbacks import Callback, FitState, is_count
from nn._files import as_path, check_suffix
from nn._fit_checks import check_schedule, needs_number

__all__ = ["Checkpoint", "ClipGradNorm", "ClipGradValue", "EarlyStopping", "StepSchedule"]


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
        state.history.best_epoch = self.best_epoch or None

    def _stop_when_waited(self, state: FitState) -> None:
        if self.waited >= self.patience:
            state.stop(
                f"{self.monitor} has not become better than {self.best:.6g} of epoch "
                f"{self.best_epoch} for {self.waited} epochs"
            )

    def on_fit_end(self, state: FitState) -> None:
        """Put the best parameters back, and tell the history which they are."""
        state.history.best_epoch = self.best_epoch or None
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
        if not (is_count(best_epoch) and is_count(waited) and is_state):
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
        path: Ends in ``.npz`` or ``.safetensors``; ``{epoch}`` and ``{step}`` in it become numbers.
        every: Save each so many epochs, and after the last.
        steps: Save in the middle of epochs as well, each so many steps of the optimizer; a training
            that is resumed there reads the rest of the epoch's batches.
        monitor: Save only when this number is the best so far.
        mode: ``"min"`` where less is better, ``"max"`` where more is.

    Raises:
        ValueError: An unknown suffix or mode, or ``every`` or ``steps`` below 1.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        every: int = 1,
        steps: int | None = None,
        monitor: str | None = None,
        mode: Literal["min", "max"] = "min",
    ) -> None:
        if every < 1:
            raise ValueError(f"Checkpoint: wanted every of at least 1 epoch, got {every}")
        if steps is not None and steps < 1:
            raise ValueError(f"Checkpoint: wanted steps of at least 1, got {steps}")
        check_suffix("Checkpoint", as_path("Checkpoint", path))
        self.path, self.every, self.steps = os.fspath(path), every, steps
        self.monitor, self.mode = monitor, mode
        self._best = _Best("Checkpoint", monitor or "loss", mode)

    def on_fit_begin(self, state: FitState) -> None:  # noqa: ARG002
        """Forget earlier trainings."""
        self._best = _Best("Checkpoint", self.monitor or "loss", self.mode)

    def after_batch_end(self, state: FitState) -> None:
        """Save, where it is time."""
        if self.steps is not None and state.step % self.steps == 0:
            self._save(state)

    def after_epoch_end(self, state: FitState) -> None:
        """Save, where it is time."""
        last = state.epoch >= state.epochs or state.history.stop_reason is not None
        due = self._best.improved(state) if self.monitor else last or state.epoch % self.every == 0
        if due:
            self._save(state)

    def _save(self, state: FitState) -> None:
        path = self.path.replace("{epoch}", str(state.epoch))
        state.save(path.replace("{step}", str(state.step)))

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


class ClipGradNorm(Callback):
    """Scale the gradients of each step down where their common norm exceeds a limit.

    Args:
        max_norm: The limit.
        norm_type: The order of the norm; ``math.inf`` for the largest absolute value.
    """

    def __init__(self, max_norm: float, norm_type: float = 2.0) -> None:
        self.max_norm, self.norm_type = max_norm, norm_type

    def on_backward_end(self, state: FitState) -> None:
        """Clip."""
        clip_grad_norm_(state.model.parameters(), self.max_norm, self.norm_type)


class ClipGradValue(Callback):
    """Bring each number of the gradients of each step into [-clip_value, clip_value]."""

    def __init__(self, clip_value: float) -> None:
        self.clip_value = clip_value

    def on_backward_end(self, state: FitState) -> None:
        """Clip."""
        clip_grad_value_(state.model.parameters(), self.clip_value)


class StepSchedule(Callback):
    """Step a learning-rate schedule after each step of the optimizer: `OneCycleLR`, for one.

    ``fit(..., scheduler=)`` is for those that are stepped after each epoch.

    Raises:
        TypeError: What was passed is no schedule, or one whose step needs a loss.
        ValueError: When `fit` begins: it is the schedule of another optimizer.
    """

    def __init__(self, scheduler: Any) -> None:
        check_schedule("StepSchedule", scheduler)
        if needs_number(scheduler):
            raise TypeError(
                "StepSchedule: wanted a schedule whose step() needs no number, got "
                f"{type(scheduler).__name__}; pass it as fit(..., scheduler=)"
            )
        self.scheduler = scheduler

    def __repr__(self) -> str:
        return f"StepSchedule({type(self.scheduler).__name__})"

    def on_fit_begin(self, state: FitState) -> None:
        """Check whose schedule it is."""
        check_schedule("StepSchedule", self.scheduler, state.optimizer)

    def on_batch_end(self, state: FitState) -> None:  # noqa: ARG002
        """Step."""
        self.scheduler.step()

    def state_dict(self) -> Any:
        """Return the state of the schedule."""
        return self.scheduler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue the schedule where ``state_dict`` was taken."""
        self.scheduler.load_state_dict(state)


def _check_state(callback: Any, state: Any) -> None:
    """Refuse what cannot be the state of a callback that keeps a best value."""
    name, wanted = type(callback).__name__, list(callback.state_dict())
    is_state = isinstance(state, Mapping) and set(state) == set(wanted)
    if not is_state or not isinstance(state["best"], int | float):
        raise ValueError(
            f"{name}: wanted a state with {', '.join(wanted)}, of which best is a number, got "
            f"{state!r:.80}"
        )
