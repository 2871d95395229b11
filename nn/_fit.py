"""fit: the loop that everybody writes, once. Imports `autograd` and the data and callback modules.

One batch is: forget the gradients, compute the loss, go backward, step. Everything else here is
bookkeeping around these four lines (`_train_batch`).
"""

import inspect
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import autograd
from autograd import Variable
from nn._callbacks import Callback, FitState, SupportsStep
from nn._data import Dataset
from nn._history import History
from nn._module import Module
from nn._progress import Report, reporter

__all__ = ["accuracy", "evaluate", "fit"]

Loss: TypeAlias = Callable[[Any, Any], Variable]
Metrics: TypeAlias = Mapping[str, Callable[[Any, Any], Any]] | Sequence[Callable[[Any, Any], Any]]


def fit(
    model: Module,
    data: Iterable[Any],
    loss: Loss,
    optimizer: SupportsStep,
    epochs: int,
    *,
    validation_data: Iterable[Any] | None = None,
    metrics: Metrics | None = None,
    callbacks: Iterable[Callback | Callable[[FitState], Any]] = (),
    scheduler: Any = None,
    progress: bool = True,
    resume: str | os.PathLike[str] | None = None,
) -> History:
    """Train a model, and return what happened.

    Ctrl-C ends the training early and keeps what was trained; the history says so. An epoch that
    was not finished is not recorded.

    Args:
        model: A ``Module``; put into training mode for the epochs, into evaluation mode for the
            validation, and left in the mode in which it came.
        data: A ``DataLoader`` or anything that can be iterated again and again and yields batches
            ``(inputs, target)`` or ``(input, input, ..., target)``.
        loss: Called as ``loss(model(inputs), target)``; returns a scalar Variable.
        optimizer: Holds the parameters of the model; has ``zero_grad()`` and ``step()``.
        epochs: How often ``data`` is read, in total: a resumed training makes the rest.
        validation_data: Like ``data``; measured after each epoch.
        metrics: Functions of (prediction, target), both arrays, that return a number; as a dict
            of names or as a list, where each goes by its own name.
        callbacks: ``Callback`` objects, or functions called with the ``FitState`` at the end of
            each epoch.
        scheduler: A learning-rate schedule, stepped after each epoch; one whose ``step`` needs a
            number gets the validation loss, or without it the training loss.
        progress: Show a bar where tqdm and a terminal are there, and at most about twenty lines
            otherwise; False shows nothing.
        resume: A file of the ``Checkpoint`` callback to continue from, with exactly the
            parameters that an unbroken training would have.

    Returns:
        One number per epoch of ``loss``, of each metric, both also with the prefix
        ``validation_``, and of ``learning_rate``. Losses and metrics of batches are weighted by
        the number of targets, so that a smaller last batch counts as it should; a loss whose
        ``reduction`` is ``"sum"`` is summed.

    Raises:
        TypeError: Data that cannot be read again, a loss that is no Variable.
        ValueError: No batches, a loss that is not a scalar or depends on no parameter.
        FloatingPointError: The loss has become nan or infinite; the parameters are those with
            which it did.

    Example:
        >>> import nn, optim
        >>> x = np.linspace(-1, 1, 32, dtype=np.float32).reshape(-1, 1)
        >>> data = nn.DataLoader(nn.ArrayDataset(x, 3 * x), batch_size=8, shuffle=True, seed=0)
        >>> model = nn.Linear(1, 1)
        >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
        >>> history = nn.fit(model, data, nn.MSELoss(), optimizer, epochs=50, progress=False)
        >>> history["loss"][-1] < 1e-3
        True
    """
    _check_data(data, "data")
    if validation_data is not None:
        _check_data(validation_data, "validation_data")
    named = _named_metrics(metrics)
    listeners = [one if isinstance(one, Callback) else _AtEpochEnd(one) for one in callbacks]
    hooks = {name: _overridden(listeners, name) for name in Callback.hooks}
    state = FitState(model, optimizer, scheduler, data, listeners, epochs)
    report = reporter(progress, state)
    was_training = model.training
    _call(hooks["on_fit_begin"], state)
    if resume is not None:
        state.load(resume)
    report.begin(state)
    try:
        while state.epoch < epochs:
            state.epoch += 1
            state.logs = {}
            _call(hooks["on_epoch_begin"], state)
            if state.history.stop_reason is not None:
                state.epoch -= 1
                break
            model.train()
            state.logs = _train_epoch(state, loss, named, hooks, report)
            if validation_data is not None:
                measured = evaluate(model, validation_data, loss, named)
                state.logs |= {f"validation_{name}": value for name, value in measured.items()}
            rate = _learning_rate(optimizer)
            if rate is not None:
                state.logs["learning_rate"] = rate
            if scheduler is not None:
                _step_schedule(scheduler, state.logs)
            _call(hooks["on_epoch_end"], state)
            state.history.epochs.append(state.logs)
            _call(hooks["after_epoch_end"], state)
            report.epoch(state)
            if state.history.stop_reason is not None:
                break
    except KeyboardInterrupt:
        state.history.interrupted = True
    finally:
        report.end(state)
        model.train(was_training)
    _call(hooks["on_fit_end"], state)
    return state.history


def evaluate(
    model: Module, data: Iterable[Any], loss: Loss, metrics: Metrics | None = None
) -> dict[str, float]:
    """Return the loss and the metrics of a model, in evaluation mode and without recording.

    Arguments are those of ``fit``; the model is left in the mode in which it came.

    Raises:
        TypeError: Batches that are no tuples.
        ValueError: No batches, or a loss that is not a scalar.
    """
    named = _named_metrics(metrics)
    meter = _Meter(loss, named)
    was_training = model.training
    model.eval()
    try:
        with autograd.no_grad():
            for inputs, target in _batches(data):
                prediction = model(*inputs)
                value = loss(prediction, target)
                _check_scalar(value)
                meter.add(float(_array(value)), prediction, target)
    finally:
        model.train(was_training)
    return meter.result("evaluate")


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


# -- one epoch -----------------------------------------------------------------------------------


def _train_epoch(
    state: FitState,
    loss: Loss,
    metrics: dict[str, Any],
    hooks: dict[str, list[Any]],
    report: Report,
) -> dict[str, float]:
    meter = _Meter(loss, metrics)
    on_backward_end, on_batch_end = hooks["on_backward_end"], hooks["on_batch_end"]
    state.batch = 0
    with autograd.enable_grad():
        for inputs, target in _batches(state.data):
            state.batch += 1
            prediction = _train_batch(state, loss, inputs, target, on_backward_end)
            meter.add(state.loss, prediction, target)
            _call(on_batch_end, state)
            report.batch()
    return meter.result("fit")


def _train_batch(
    state: FitState, loss: Loss, inputs: Sequence[Any], target: Any, on_backward_end: list[Any]
) -> Any:
    state.optimizer.zero_grad()
    prediction = state.model(*inputs)
    value = loss(prediction, target)
    state.loss = _checked_loss(value, state)
    value.backward()
    _call(on_backward_end, state)
    state.optimizer.step()
    return prediction


class _Meter:
    """Means over an epoch, in which every sample counts the same."""

    def __init__(self, loss: Loss, metrics: dict[str, Any]) -> None:
        self.summed = getattr(loss, "reduction", "mean") == "sum"
        self.metrics = metrics
        self.samples = 0
        self.loss = 0.0
        self.totals = dict.fromkeys(metrics, 0.0)

    def add(self, loss: float, prediction: Any, target: Any) -> None:
        size = np.shape(target)[0] if np.ndim(target) else 1
        self.samples += size
        self.loss += loss if self.summed else loss * size
        if self.metrics:
            prediction = _array(prediction)
            for name, metric in self.metrics.items():
                self.totals[name] += float(metric(prediction, target)) * size

    def result(self, who: str) -> dict[str, float]:
        if not self.samples:
            raise ValueError(
                f"{who}: wanted at least one batch with something in it, got none; drop_last=True "
                "leaves nothing where there are fewer items than batch_size"
            )
        loss = self.loss if self.summed else self.loss / self.samples
        return {"loss": loss} | {n: total / self.samples for n, total in self.totals.items()}


# -- checks and small parts ----------------------------------------------------------------------


def _check_data(data: Any, name: str) -> None:
    if isinstance(data, Dataset | np.ndarray | tuple):
        raise TypeError(
            f"fit: wanted {name} in batches, got {type(data).__name__}; "
            "write DataLoader(ArrayDataset(x, y), batch_size=32, shuffle=True)"
        )
    if isinstance(data, Iterator) or not isinstance(data, Iterable):
        raise TypeError(
            f"fit: wanted {name} that can be read once per epoch, got {type(data).__name__}; "
            "pass a DataLoader or a list of batches"
        )


def _batches(data: Iterable[Any]) -> Iterator[tuple[Sequence[Any], Any]]:
    for batch in data:
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise TypeError(
                f"fit: wanted batches (inputs, target), got {type(batch).__name__}"
                f"{f' of {len(batch)}' if isinstance(batch, tuple | list) else ''}; "
                "DataLoader(ArrayDataset(x, y), batch_size=32) yields such batches"
            )
        *inputs, target = batch
        yield inputs, target


def _check_scalar(value: Any) -> None:
    if np.ndim(_array(value)) != 0:
        raise ValueError(
            f"fit: wanted a scalar loss, got shape {np.shape(_array(value))}; "
            "use reduction='mean' or take .mean()"
        )


def _checked_loss(value: Any, state: FitState) -> float:
    if not isinstance(value, Variable):
        raise TypeError(
            f"fit: wanted the loss as a Variable, got {type(value).__name__}; compute it from the "
            "prediction without .data or .numpy()"
        )
    _check_scalar(value)
    if not value.requires_grad:
        raise ValueError(
            "fit: wanted a loss that depends on a parameter, got one without a gradient; is every "
            "parameter frozen, or was the prediction detached?"
        )
    number = float(value.data)
    if not math.isfinite(number):
        raise FloatingPointError(
            f"fit: the loss became {number} in epoch {state.epoch}, batch {state.batch}; try a "
            "lower learning rate, clip the gradients, or look for nan in the data"
        )
    return number


def _array(value: Any) -> Any:
    return value.data if isinstance(value, Variable) else value


def _named_metrics(metrics: Metrics | None) -> dict[str, Any]:
    if metrics is None:
        return {}
    if isinstance(metrics, Mapping):
        named = dict(metrics)
    else:
        named = {getattr(m, "__name__", type(m).__name__.lower()): m for m in metrics}
    if "loss" in named:
        raise ValueError("fit: wanted another name than 'loss' for a metric, which is taken")
    return named


def _learning_rate(optimizer: Any) -> float | None:
    groups = getattr(optimizer, "param_groups", None)
    return float(groups[0]["lr"]) if groups and "lr" in groups[0] else None


def _step_schedule(scheduler: Any, logs: dict[str, float]) -> None:
    needs_number = any(
        parameter.default is parameter.empty
        and parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
        for parameter in inspect.signature(scheduler.step).parameters.values()
    )
    if needs_number:
        scheduler.step(logs.get("validation_loss", logs["loss"]))
    else:
        scheduler.step()


class _AtEpochEnd(Callback):
    """A plain function as a callback."""

    def __init__(self, function: Callable[[FitState], Any]) -> None:
        if not callable(function):
            raise TypeError(
                f"fit: wanted a Callback or a function in callbacks, got {type(function).__name__}"
            )
        self.function = function

    def on_epoch_end(self, state: FitState) -> None:
        self.function(state)


def _overridden(callbacks: list[Callback], name: str) -> list[Any]:
    """Return the methods that do something, so that a batch pays for no empty calls."""
    base = getattr(Callback, name)
    return [getattr(one, name) for one in callbacks if getattr(type(one), name) is not base]


def _call(hooks: list[Any], state: FitState) -> None:
    for hook in hooks:
        hook(state)
