"""How a batch is judged: by a loss and metrics or by the user's step, and what an epoch comes to.

Imports `autograd` only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

import autograd
from autograd import Variable
from autograd.engine.graph import unwrap

__all__ = [
    "Judge",
    "Judged",
    "Loss",
    "Meter",
    "Metric",
    "Metrics",
    "Step",
    "accuracy",
    "judge_of",
    "kind",
    "leaves",
]

Loss: TypeAlias = Callable[[Any, Any], Variable]
Metric: TypeAlias = Callable[[Any, Any], Any]
Metrics: TypeAlias = Mapping[str, Metric | str] | Sequence[Metric | str]
Step: TypeAlias = Callable[[Any, Any], Variable | Mapping[str, Any]]


class Judged(NamedTuple):
    """What a batch came to."""

    loss: Any
    size: int
    prediction: Any
    numbers: Callable[[], dict[str, float]]


class Judge:
    """Called with (model, batch)."""

    summed = False  # whether the loss of two batches together is the sum of their losses

    def __call__(self, model: Any, batch: Any) -> Judged:
        """Return what the batch comes to."""
        raise NotImplementedError

    def size(self, batch: Any) -> int:
        """Return the number of samples."""
        raise NotImplementedError

    def shares(self, batches: Sequence[Any]) -> list[float]:
        """Return the factors of the batches' losses in the loss of all of them together."""
        if self.summed or len(batches) == 1:
            return [1.0] * len(batches)
        sizes = [self.size(batch) for batch in batches]
        return [size / sum(sizes) for size in sizes]


def judge_of(who: str, loss: Any, step: Any, metrics: Any, *, compiled: bool = False) -> Judge:
    """Return how a batch is judged: by a loss of prediction and target, or by the user's step;
    `compiled`, where that is wanted.
    """
    change = autograd.compile if compiled else lambda function: function
    if step is not None:
        if loss is not None or metrics is not None:
            raise TypeError(
                f"{who}: wanted either a loss with metrics or a step, got both; a step returns its "
                'metrics with the loss, as in {"loss": loss, "accuracy": share}'
            )
        return _ByStep(who, change(step) if callable(step) else step)
    if isinstance(loss, type):
        raise TypeError(
            f"{who}: wanted a loss, got the class {loss.__name__}; write {loss.__name__}()"
        )
    if not callable(loss):
        raise TypeError(
            f"{who}: wanted a loss as a function of (prediction, target), got {kind(loss)}; write "
            "nn.MSELoss() or nn.CrossEntropyLoss()"
        )
    return _ByLoss(who, loss, _named_metrics(who, metrics), change(_predicted))


def _predicted(
    who: str, model: Any, loss: Any, inputs: Sequence[Any], target: Any
) -> tuple[Any, Any]:
    """Return the loss and the prediction."""
    prediction = model(*inputs)
    if prediction is None:
        raise TypeError(
            f"{who}: wanted a prediction from {type(model).__name__}.forward, got None; end it "
            "with return"
        )
    return loss(prediction, target), prediction


class _ByLoss(Judge):
    def __init__(self, who: str, loss: Loss, metrics: dict[str, Metric], predict: Any) -> None:
        self.who, self.loss, self.metrics, self.predict = who, loss, metrics, predict
        self.summed = getattr(loss, "reduction", "mean") == "sum"

    def size(self, batch: Any) -> int:
        return _length(self._parts(batch)[-1])

    def _parts(self, batch: Any) -> Sequence[Any]:
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            of = f" of {len(batch)}" if isinstance(batch, tuple | list) else ""
            raise TypeError(
                f"{self.who}: wanted batches (inputs, target), got {type(batch).__name__}{of}; "
                "DataLoader(ArrayDataset(x, y), batch_size=32) yields such batches, and step= "
                "takes others"
            )
        return batch

    def __call__(self, model: Any, batch: Any) -> Judged:
        *inputs, target = self._parts(batch)
        loss, prediction = self.predict(self.who, model, self.loss, inputs, target)
        return Judged(loss, _length(target), prediction, lambda: self._rate(prediction, target))

    def _rate(self, prediction: Any, target: Any) -> dict[str, float]:
        prediction = unwrap(prediction)
        return {name: float(metric(prediction, target)) for name, metric in self.metrics.items()}


class _ByStep(Judge):
    def __init__(self, who: str, step: Any) -> None:
        if not callable(step) or isinstance(step, type):
            raise TypeError(
                f"{who}: wanted a step as a function of (model, batch), got {kind(step)}"
            )
        self.who, self.step = who, step

    def size(self, batch: Any) -> int:
        return _batch_size(batch)

    def __call__(self, model: Any, batch: Any) -> Judged:
        result = self.step(model, batch)
        numbers = dict(result) if isinstance(result, Mapping) else {"loss": result}
        if "loss" not in numbers:
            raise ValueError(
                f"{self.who}: wanted 'loss' among what step returned, got {', '.join(numbers)}"
            )
        loss = numbers.pop("loss")
        return Judged(loss, self.size(batch), None, lambda: _floats(numbers))


def _floats(numbers: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(unwrap(value)) for name, value in numbers.items()}


@dataclass
class Meter:
    """Means over an epoch, in which every sample counts the same.

    Attributes:
        summed: Whether losses are sums over their batches.
        samples: How many there were.
        loss: Sum of the losses of all samples.
        totals: The same of other numbers.
    """

    summed: bool
    samples: int = 0
    loss: float = 0.0
    totals: dict[str, float] = field(default_factory=dict)

    def add(self, loss: float, judged: Judged) -> None:
        """Count one batch."""
        size = judged.size
        self.samples += size
        self.loss += loss if self.summed else loss * size
        for name, number in judged.numbers().items():
            self.totals[name] = self.totals.get(name, 0.0) + number * size

    def summed_over(self, total: Callable[[list[float]], list[float]]) -> "Meter":
        """Return the meter of several processes; `total` adds numbers up over them."""
        samples, loss, *others = total([self.samples, self.loss, *self.totals.values()])
        return Meter(self.summed, int(samples), loss, dict(zip(self.totals, others, strict=True)))

    def result(self, who: str) -> dict[str, float]:
        """Return the numbers of the epoch.

        Raises:
            ValueError: There were none.
        """
        if not self.samples:
            raise ValueError(
                f"{who}: wanted at least one batch with something in it, got none; drop_last=True "
                "leaves nothing where there are fewer items than batch_size"
            )
        loss = self.loss if self.summed else self.loss / self.samples
        return {"loss": loss} | {n: total / self.samples for n, total in self.totals.items()}


def accuracy(prediction: npt.ArrayLike, target: npt.ArrayLike) -> float:
    """Return the share of right classes: a metric for ``fit``.

    Args:
        prediction: Scores or probabilities of K classes, shape (..., K).
        target: Class numbers of shape (...), or one-hot or probability rows of shape (..., K).

    Raises:
        ValueError: The shapes do not fit together.

    Example:
        >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
        0.5
    """
    scores, wanted = np.asarray(prediction), np.asarray(target)
    if wanted.shape == scores.shape:
        wanted = wanted.argmax(axis=-1)
    if wanted.shape != scores.shape[:-1]:
        raise ValueError(
            f"accuracy: wanted classes of shape {scores.shape[:-1]} or rows of shape "
            f"{scores.shape}, got {wanted.shape}"
        )
    return float((scores.argmax(axis=-1) == wanted).mean())


# -- small parts ---------------------------------------------------------------------------------


def kind(value: Any) -> str:
    """Return how an error calls what somebody passed."""
    if value is None:
        return "none"
    if isinstance(value, type):
        return f"the class {value.__name__} (write {value.__name__}(...))"
    return f"the text {value!r:.40}" if isinstance(value, str) else type(value).__name__


def _length(array: Any) -> int:
    return int(np.shape(array)[0]) if np.ndim(array) else 1


def leaves(batch: Any) -> Iterator[Any]:
    """Yield the arrays of a batch of any form."""
    if isinstance(batch, Mapping):
        batch = list(batch.values())
    if isinstance(batch, tuple | list):
        for entry in batch:
            yield from leaves(entry)
    elif hasattr(batch, "dtype"):
        yield batch


def _batch_size(batch: Any) -> int:
    first = next(leaves(batch), None)
    return 1 if first is None else _length(first)


def _named_metrics(who: str, metrics: Any) -> dict[str, Metric]:
    if metrics is None:
        return {}
    if isinstance(metrics, str) or not isinstance(metrics, Mapping | Sequence):
        raise TypeError(f"{who}: wanted metrics in a list or a dict, got {kind(metrics)}")
    if not isinstance(metrics, Mapping):
        metrics = {
            m if isinstance(m, str) else getattr(m, "__name__", type(m).__name__.lower()): m
            for m in metrics
        }
    if "loss" in metrics:
        raise ValueError(f"{who}: wanted another name than 'loss' for a metric, which is taken")
    return {name: _metric(who, metric) for name, metric in metrics.items()}


def _metric(who: str, metric: Any) -> Metric:
    if isinstance(metric, str) and metric in _METRICS:
        return _METRICS[metric]
    if not callable(metric) or isinstance(metric, type):
        raise TypeError(
            f"{who}: wanted a metric as a function of (prediction, target) or one of "
            f"{', '.join(map(repr, _METRICS))}, got {kind(metric)}"
        )
    return metric  # type: ignore[no-any-return]


_METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "mae": lambda prediction, target: np.abs(prediction - target).mean(),
    "mse": lambda prediction, target: np.square(prediction - target).mean(),
}
