"""Callbacks that write the numbers of a training where other programs read them.

Imports `_callbacks` and the standard library; tensorboardX where it is used.
"""

import os
from pathlib import Path
from typing import Any

from autograd._optional import require
from nn._callbacks import Callback, FitState
from nn._history import VALIDATION

__all__ = ["CSVLogger", "TensorBoardLogger"]


class CSVLogger(Callback):
    """Write the numbers of each epoch as a row of a CSV file: what spreadsheets and pandas read.

    The file holds the whole history, also of a training that was resumed.

    Args:
        path: The file, which is replaced.
    """

    only_on_rank_0 = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._names: list[str] = []

    def on_fit_begin(self, state: FitState) -> None:  # noqa: ARG002
        """Forget earlier trainings."""
        self._names = []

    def after_epoch_end(self, state: FitState) -> None:
        """Add a row; write all of them anew at first, and where there is another column."""
        import csv  # 5 ms

        names, epochs = state.history.names, state.history.epochs
        anew = names != self._names
        with Path(self.path).open("w" if anew else "a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            if anew:
                writer.writerow(["epoch", *names])
            for number in range(1 if anew else len(epochs), len(epochs) + 1):
                numbers = epochs[number - 1]
                writer.writerow([number, *(numbers.get(name, "") for name in names)])
        self._names = names


class TensorBoardLogger(Callback):
    """Write the numbers for TensorBoard: ``tensorboard --logdir runs``; needs the ``log`` extra.

    Training and validation of a number stand beside each other, as ``loss/training`` and
    ``loss/validation``, over the epochs.

    Args:
        log_dir: The folder of this run, made where it does not exist.
        steps: Write the loss of a batch as well, as ``loss/step``, each so many steps.

    Raises:
        ImportError: tensorboardX is not installed; when `fit` begins.
        ValueError: ``steps`` is below 1.
    """

    only_on_rank_0 = True

    def __init__(self, log_dir: str | os.PathLike[str], *, steps: int | None = None) -> None:
        if steps is not None and steps < 1:
            raise ValueError(f"TensorBoardLogger: wanted steps of at least 1, got {steps}")
        self.log_dir, self.steps = os.fspath(log_dir), steps
        self._writer: Any = None

    def on_fit_begin(self, state: FitState) -> None:  # noqa: ARG002
        """Open the folder."""
        self._writer = require("tensorboardX", extra="log").SummaryWriter(self.log_dir)

    def on_batch_end(self, state: FitState) -> None:
        """Write the loss of a step."""
        if self.steps is not None and state.step % self.steps == 0:
            self._writer.add_scalar("loss/step", state.loss, state.step)

    def after_epoch_end(self, state: FitState) -> None:
        """Write the numbers of an epoch."""
        for name, value in state.history.epochs[-1].items():
            validation = name.startswith(VALIDATION)
            tag = f"{name.removeprefix(VALIDATION)}/{'validation' if validation else 'training'}"
            self._writer.add_scalar(tag, value, state.epoch)
        self._writer.flush()

    def on_fit_end(self, state: FitState) -> None:  # noqa: ARG002
        """Close the folder."""
        self._writer.close()
