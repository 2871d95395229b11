"""What a training recorded, epoch by epoch. Imports the standard library; matplotlib to plot."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autograd._optional import require

__all__ = ["VALIDATION", "History"]

# What the names of numbers that were measured on validation data begin with.
VALIDATION = "validation_"


class History:
    """The numbers of each epoch: ``loss``, metrics, their ``validation_`` twins, ``learning_rate``.

    Attributes:
        epochs: One dict of numbers per finished epoch.
        interrupted: Whether Ctrl-C ended the training.
        stop_reason: Why a callback ended it, None if none did.
        best_epoch: The number of the epoch that `EarlyStopping` found best, counted from 1.

    Example:
        >>> history = History([{"loss": 0.5}, {"loss": 0.25}])
        >>> history["loss"], len(history)
        ([0.5, 0.25], 2)
        >>> "loss" in history, list(history)
        (True, ['loss'])
        >>> history
        History(2 epochs, loss=0.25)
    """

    def __init__(self, epochs: Iterable[Mapping[str, float]] = ()) -> None:
        self.epochs: list[dict[str, float]] = [dict(numbers) for numbers in epochs]
        self.interrupted = False
        self.stop_reason: str | None = None
        self.best_epoch: int | None = None

    @property
    def names(self) -> list[str]:
        """What was recorded, in the order of appearance."""
        return list(dict.fromkeys(name for numbers in self.epochs for name in numbers))

    def __getitem__(self, name: str) -> list[float]:
        """Return one number per epoch, nan for an epoch that did not record it."""
        if name not in self.names:
            recorded = ", ".join(self.names) or "nothing yet"
            raise KeyError(f"History: wanted one of {recorded}, got {name!r}")
        return [numbers.get(name, math.nan) for numbers in self.epochs]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        last = self.epochs[-1] if self.epochs else {}
        shown = [f"{name}={value:.4g}" for name, value in last.items()]
        count = f"{len(self)} epoch{'s' if len(self) != 1 else ''}"
        end = ["interrupted"] if self.interrupted else []
        return f"History({', '.join([count, *shown, *end])})"

    def to_dict(self) -> dict[str, list[float]]:
        """Return all numbers by name, one per epoch: what a DataFrame or a JSON file takes."""
        return {name: self[name] for name in self.names}

    def _repr_html_(self) -> str:
        """Return the text, and curves of the loss and each metric; without other packages."""
        import html

        from autograd.drawing.chart import chart

        mark = None if self.best_epoch is None else (self.best_epoch, f"best: {self.best_epoch}")
        pictures = []
        for name in self._panels() if self.epochs else ():
            curves = self._curves(name)
            values = [abs(value) for curve in curves.values() for value in curve]
            wide = max(values) > 50 * min(values)  # a straight axis would hide what is small
            pictures.append(chart(name, curves, xlabel="epoch", first=1, mark=mark, log=wide))
        return f"<pre>{html.escape(repr(self))}</pre>{''.join(pictures)}"

    def _panels(self) -> list[str]:
        """Return what has a panel of its own."""
        others = ("learning_rate",)
        return [n for n in self.names if not n.startswith(VALIDATION) and n not in others]

    def _curves(self, name: str) -> dict[str, list[float]]:
        """Return the curves of a panel."""
        pairs = (("training", name), ("validation", VALIDATION + name))
        return {label: self[key] for label, key in pairs if key in self.names}

    def plot(self, path: str | os.PathLike[str] | None = None, *, log: bool = False) -> Any:
        """Draw the loss, and each metric below it, over the epochs; needs the ``plot`` extra.

        Where `EarlyStopping` has found the best epoch, a line marks it.

        Args:
            path: Where to save the figure; the suffix chooses the format. Without it, the figure
                belongs to ``matplotlib.pyplot``, whose ``show()`` shows it; in a notebook, which
                shows both what pyplot holds and what a cell returns, it is only returned.
            log: Draw losses and metrics that are positive on a logarithmic axis.

        Returns:
            The matplotlib figure.

        Raises:
            ImportError: matplotlib is not installed.
            ValueError: Nothing has been recorded.
        """
        if not self.epochs:
            raise ValueError("History.plot: wanted at least one finished epoch, got none")
        names = self._panels()
        size = (6.4, 1.2 + 2.4 * len(names))
        pyplot = require("matplotlib.pyplot", extra="plot") if path is None else None
        if pyplot is not None and "inline" not in pyplot.get_backend():
            figure = pyplot.figure(figsize=size)
        else:
            # A figure of its own needs no window system and stays out of pyplot's list.
            figure = require("matplotlib.figure", extra="plot").Figure(figsize=size)
        for row, (axes, name) in enumerate(
            zip(figure.subplots(len(names), squeeze=False, sharex=True)[:, 0], names, strict=True)
        ):
            curves = self._curves(name)
            for label, curve in curves.items():
                axes.plot(range(1, len(self) + 1), curve, label=label)
            if log and all(value > 0 for curve in curves.values() for value in curve):
                axes.set_yscale("log")
            if self.best_epoch is not None:
                label = f"best epoch, {self.best_epoch}"
                axes.axvline(self.best_epoch, color="gray", linestyle=":", label=label)
            axes.set_ylabel(name)
            axes.grid(alpha=0.3)
            if row == 0 and len(axes.lines) > 1:
                axes.legend()
        axes.set_xlabel("epoch")
        if path is not None:
            figure.savefig(path, bbox_inches="tight")
        return figure
