"""What `fit` shows while it trains: a bar, some lines or nothing. Imports `_callbacks` only."""

import sys

from autograd._optional import available, require
from nn._callbacks import FitState

__all__ = ["Report", "reporter"]

# A training without a bar reports this often at most, however many epochs it has.
_MOST_LINES = 20


class Report:
    """What is told in the course of a training; this one says nothing."""

    def begin(self, state: FitState) -> None:
        """Before the first epoch, or the first after a resumed one."""

    def batch(self) -> None:
        """After each batch."""

    def epoch(self, state: FitState) -> None:
        """After each epoch, when its numbers are in the history."""

    def end(self, state: FitState) -> None:
        """When the training ends, in whatever way."""


class Lines(Report):
    """A line for some of the epochs, the first and the last among them."""

    def begin(self, state: FitState) -> None:
        self.every = -(-state.epochs // _MOST_LINES)
        self.first = state.epoch + 1
        self.shown = state.epoch

    def epoch(self, state: FitState) -> None:
        if state.epoch == self.first or state.epoch % self.every == 0:
            self._show(state)

    def end(self, state: FitState) -> None:
        if len(state.history) > self.shown:
            self._show(state)
        if state.history.stop_reason is not None:
            self._write(f"stopped: {state.history.stop_reason}")
        if state.history.interrupted:
            self._write(f"interrupted in epoch {state.epoch}")

    def _show(self, state: FitState) -> None:
        self.shown = len(state.history)
        width = len(str(state.epochs))
        numbers = "  ".join(f"{n} {v:.4g}" for n, v in state.history.epochs[-1].items())
        self._write(f"epoch {self.shown:{width}}/{state.epochs}  {numbers}")

    def _write(self, line: str) -> None:
        sys.stderr.write(line + "\n")


class Bar(Report):
    """One tqdm bar for the whole training, which counts batches."""

    def begin(self, state: FitState) -> None:
        per_epoch = len(state.data) if hasattr(state.data, "__len__") else None
        self.bar = require("tqdm", extra="data").tqdm(
            total=per_epoch and per_epoch * state.epochs,
            initial=(per_epoch or 0) * state.epoch,
            unit="batch",
            dynamic_ncols=True,
        )

    def batch(self) -> None:
        self.bar.update()

    def epoch(self, state: FitState) -> None:
        self.bar.set_description(f"epoch {state.epoch}/{state.epochs}", refresh=False)
        numbers = {name: f"{value:.4g}" for name, value in state.logs.items()}
        self.bar.set_postfix(numbers, refresh=False)

    def end(self, state: FitState) -> None:
        self.bar.close()
        if state.history.stop_reason is not None:
            sys.stderr.write(f"stopped: {state.history.stop_reason}\n")


def reporter(progress: bool, state: FitState) -> Report:
    """Return the report that suits the place where this runs."""
    if not progress or state.epochs < 1:
        return Report()
    return Bar() if available("tqdm") and sys.stderr.isatty() else Lines()
