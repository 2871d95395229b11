"""What `fit` shows while it trains: a bar, lines or nothing. Imports `_callbacks` only."""

import builtins
import shutil
import sys
import time
from typing import TextIO

from nn._callbacks import FitState

__all__ = ["Bar", "Lines", "Report", "reporter"]

# A training without a terminal reports this often at most, however many epochs it has.
_MOST_LINES = 20
# How often the bar is drawn again.
_SECONDS = 0.1


class Report:
    """What is told in the course of a training; this one says nothing."""

    def begin(self, state: FitState) -> None:
        """Before the first epoch, or the first after a resumed one."""

    def batch(self, state: FitState) -> None:
        """After each batch."""

    def epoch(self, state: FitState) -> None:
        """After each epoch, when its numbers are in the history."""

    def end(self, state: FitState) -> None:
        """When the training ends, in whatever way."""


class Lines(Report):
    """A line for some of the epochs, the first and the last among them."""

    most = _MOST_LINES

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.rate: float | None = None

    def begin(self, state: FitState) -> None:
        self.every = -(-state.epochs // self.most)
        self.first = state.epoch + 1
        self.shown = state.epoch

    def epoch(self, state: FitState) -> None:
        if state.epoch == self.first or state.epoch % self.every == 0:
            self._show(state)

    def end(self, state: FitState) -> None:
        if len(state.history) > self.shown:
            self._show(state)
        if state.history.stop_reason is not None:
            self.stream.write(f"stopped: {state.history.stop_reason}\n")
        if state.history.interrupted:
            self.stream.write(f"interrupted in epoch {state.epoch}\n")
        self.stream.flush()

    def _show(self, state: FitState) -> None:
        self.shown = len(state.history)
        numbers = dict(state.history.epochs[-1])
        # A rate is news when it is another one.
        if numbers.get("learning_rate") == self.rate:
            numbers.pop("learning_rate", None)
        self.rate = numbers.get("learning_rate", self.rate)
        self._write(_title(state, self.shown), [f"{n} {v:.4g}" for n, v in numbers.items()])

    def _write(self, title: str, numbers: list[str]) -> None:
        self.stream.write("  ".join([title, *numbers]) + "\n")


class Bar(Lines):
    """A bar for the batches of an epoch; when it is over, its numbers stay in the bar's place."""

    most = sys.maxsize

    def begin(self, state: FitState) -> None:
        super().begin(state)
        self.batches = len(state.data) if hasattr(state.data, "__len__") else None
        self.drawn = 0
        self.last = 0.0

    def batch(self, state: FitState) -> None:
        now = time.monotonic()
        if now - self.last < _SECONDS:
            return
        self.last = now
        parts = [_title(state, state.epoch)]
        if self.batches:
            full = min(20, 20 * state.batch // self.batches)
            parts += [f"[{'#' * full}{'.' * (20 - full)}]", f"{state.batch}/{self.batches}"]
        else:
            parts.append(f"batch {state.batch}")
        self._draw("  ".join([*parts, f"loss {state.loss:.4g}"])[: _width()])

    def end(self, state: FitState) -> None:
        self._draw("")
        super().end(state)

    def _draw(self, text: str) -> None:
        # Spaces over what stood there: not every terminal knows how to clear a line.
        if text or self.drawn:
            self.stream.write("\r" + text.ljust(self.drawn) + ("" if text else "\r"))
            self.stream.flush()
        self.drawn = len(text)

    def _write(self, title: str, numbers: list[str]) -> None:
        self._draw("")
        lines = [title]
        for number in numbers:
            if len(lines[-1]) + 2 + len(number) > _width() > len(title) + 2 + len(number):
                lines.append(" " * len(title))
            lines[-1] += "  " + number
        self.stream.write("\n".join(lines) + "\n")


def _title(state: FitState, epoch: int) -> str:
    return f"epoch {epoch:{len(str(state.epochs))}}/{state.epochs}"


def _width() -> int:
    """Return how much fits into a line without the cursor moving on to the next."""
    return shutil.get_terminal_size().columns - 1


def reporter(progress: bool, state: FitState) -> Report:
    """Return the report that suits the place where this runs."""
    if not progress or state.epochs < 1:
        return Report()
    if sys.stderr.isatty():
        return Bar(sys.stderr)
    if hasattr(builtins, "__IPYTHON__"):
        # A notebook knows how to go back in a line, and shows its error stream as if something had
        # gone wrong.
        return Bar(sys.stdout)
    return Lines(sys.stderr)
