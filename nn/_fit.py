"""fit: the loop that everybody writes, once. Imports `autograd` and the data and callback modules.

One batch is: forget the gradients, compute the loss, go backward, step. Everything else here is
bookkeeping around these four lines (`_train_batch`).
"""

import inspect
import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

import autograd
from autograd import Variable
from autograd.engine.graph import unwrap
from nn._callbacks import Callback, FitState, SupportsStep
from nn._data import Dataset
from nn._history import History
from nn._module import Module
from nn._progress import Report, reporter

__all__ = ["Judge", "Loss", "Metric", "Metrics", "Step", "accuracy", "evaluate", "fit"]

Loss: TypeAlias = Callable[[Any, Any], Variable]
Metric: TypeAlias = Callable[[Any, Any], Any]
Metrics: TypeAlias = Mapping[str, Metric | str] | Sequence[Metric | str]
Step: TypeAlias = Callable[[Any, Any], Variable | Mapping[str, Any]]


def fit(
    model: Module,
    data: Iterable[Any],
    loss: Loss | None = None,
    optimizer: SupportsStep | None = None,
    epochs: int | None = None,
    *,
    step: Step | None = None,
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
        step: Instead of ``loss``, for batches of any other form: called as ``step(model, batch)``;
            returns the loss, or a dict of numbers with the loss under ``"loss"``.
        validation_data: Like ``data``; measured after each epoch.
        metrics: Functions of (prediction, target), both arrays, that return a number; as a dict
            of names or as a list, where each goes by its own name. ``"accuracy"``, ``"mae"`` and
            ``"mse"`` stand for the mean of right classes, absolute and squared differences.
        callbacks: ``Callback`` objects, or functions called with the ``FitState`` at the end of
            each epoch.
        scheduler: A learning-rate schedule, stepped after each epoch; one whose ``step`` needs a
            number gets the validation loss, or without it the training loss.
        progress: Show a bar and a line per epoch in a terminal, and at most about twenty lines
            elsewhere; False shows nothing.
        resume: A file of the ``Checkpoint`` callback to continue from, with exactly the
            parameters that an unbroken training would have.

    Returns:
        One number per epoch of ``loss``, of each metric, both also with the prefix
        ``validation_``, and of ``learning_rate``. Losses and metrics of batches are weighted by
        the number of targets, so that a smaller last batch counts as it should; a loss whose
        ``reduction`` is ``"sum"`` is summed.

    Warns:
        UserWarning: The parameters are float32 and the loss is float64, at twice the cost; the
            text says where that begins.

    Raises:
        TypeError: An argument of the wrong kind, data that cannot be read again, a loss that is no
            Variable.
        ValueError: No batches, a loss that is not a scalar or depends on no parameter, an optimizer
            or a schedule of something else.
        FloatingPointError: The loss has become nan or infinite; the parameters are those with
            which it did.

    Example:
        >>> import numpy as np, nn, optim
        >>> x = np.linspace(-1, 1, 32, dtype=np.float32).reshape(-1, 1)
        >>> data = nn.DataLoader(nn.ArrayDataset(x, 3 * x), batch_size=8, shuffle=True, generator=0)
        >>> model = nn.Linear(1, 1)
        >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
        >>> history = nn.fit(model, data, nn.MSELoss(), optimizer, epochs=50, progress=False)
        >>> history["loss"][-1] < 1e-3
        True
    """
    if not isinstance(model, Module):
        raise TypeError(f"fit: wanted a Module as model, got {_kind(model)}")
    _check_data(data, "data")
    if validation_data is not None:
        _check_data(validation_data, "validation_data")
    judge = _judge("fit", loss, step, metrics)
    _check_kinds(optimizer, epochs, scheduler, callbacks)
    _check_parameters(optimizer, model, loss)
    assert optimizer is not None
    assert epochs is not None
    listeners = [one if isinstance(one, Callback) else _AtEpochEnd(one) for one in callbacks]
    hooks = {name: _overridden(listeners, name) for name in Callback.hooks}
    state = FitState(model, optimizer, scheduler, data, listeners, epochs)
    report = reporter(progress, state)
    was_training = model.training
    _call(hooks["on_fit_begin"], state)
    if resume is not None:
        state.load(resume)
    report.begin(state)
    begun = state.epoch
    try:
        while state.epoch < epochs:
            state.epoch += 1
            state.logs = {}
            _call(hooks["on_epoch_begin"], state)
            if state.history.stop_reason is not None:
                state.epoch -= 1
                break
            model.train()
            state.logs = _train_epoch(state, judge, hooks, report, state.epoch == begun + 1)
            if validation_data is not None:
                measured = _measure(model, validation_data, judge)
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
    model: Module,
    data: Iterable[Any],
    loss: Loss | None = None,
    metrics: Metrics | None = None,
    *,
    step: Step | None = None,
) -> dict[str, float]:
    """Return the loss and the metrics of a model, in evaluation mode and without recording.

    Arguments are those of ``fit``; the model is left in the mode in which it came.

    Raises:
        TypeError: Batches that are no tuples.
        ValueError: No batches, or a loss that is not a scalar.
    """
    return _measure(model, data, _judge("evaluate", loss, step, metrics))


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


class _Judged(NamedTuple):
    """What a batch came to."""

    loss: Any
    size: int
    prediction: Any
    numbers: Callable[[], dict[str, float]]


Judge: TypeAlias = Callable[[Module, Any], _Judged]


def _train_epoch(
    state: FitState, judge: Judge, hooks: dict[str, list[Any]], report: Report, first: bool
) -> dict[str, float]:
    meter = _Meter(judge)
    on_backward_end, on_batch_end = hooks["on_backward_end"], hooks["on_batch_end"]
    state.batch = 0
    with autograd.enable_grad():
        for batch in state.data:
            state.batch += 1
            judged = _train_batch(state, judge, batch, on_backward_end)
            if first and state.batch == 1:
                _warn_of_float64(state.model, batch, judged)
            meter.add(state.loss, judged)
            _call(on_batch_end, state)
            report.batch(state)
    return meter.result("fit")


def _train_batch(state: FitState, judge: Judge, batch: Any, on_backward_end: list[Any]) -> _Judged:
    state.optimizer.zero_grad()
    judged = judge(state.model, batch)
    state.loss = _checked_loss(judged.loss, state)
    judged.loss.backward()
    _call(on_backward_end, state)
    state.optimizer.step()
    return judged


def _measure(model: Module, data: Iterable[Any], judge: Judge) -> dict[str, float]:
    meter = _Meter(judge)
    was_training = model.training
    model.eval()
    try:
        with autograd.no_grad():
            for batch in data:
                judged = judge(model, batch)
                _check_scalar(judged.loss)
                meter.add(float(unwrap(judged.loss)), judged)
    finally:
        model.train(was_training)
    return meter.result("evaluate")


def _judge(who: str, loss: Any, step: Any, metrics: Any) -> Judge:
    """Return how a batch is judged: by a loss of prediction and target, or by the user's step."""
    if step is not None:
        if loss is not None or metrics is not None:
            raise TypeError(
                f"{who}: wanted either a loss with metrics or a step, got both; a step returns its "
                'metrics with the loss, as in {"loss": loss, "accuracy": share}'
            )
        return _ByStep(who, step)
    if isinstance(loss, type):
        raise TypeError(
            f"{who}: wanted a loss, got the class {loss.__name__}; write {loss.__name__}()"
        )
    if not callable(loss):
        raise TypeError(
            f"{who}: wanted a loss as a function of (prediction, target), got {_kind(loss)}; write "
            "nn.MSELoss() or nn.CrossEntropyLoss()"
        )
    return _ByLoss(who, loss, _named_metrics(who, metrics))


class _ByLoss:
    def __init__(self, who: str, loss: Loss, metrics: dict[str, Metric]) -> None:
        self.who, self.loss, self.metrics = who, loss, metrics
        self.summed = getattr(loss, "reduction", "mean") == "sum"

    def __call__(self, model: Module, batch: Any) -> _Judged:
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            of = f" of {len(batch)}" if isinstance(batch, tuple | list) else ""
            raise TypeError(
                f"{self.who}: wanted batches (inputs, target), got {type(batch).__name__}{of}; "
                "DataLoader(ArrayDataset(x, y), batch_size=32) yields such batches, and step= "
                "takes others"
            )
        *inputs, target = batch
        prediction = model(*inputs)
        if prediction is None:
            raise TypeError(
                f"{self.who}: wanted a prediction from {type(model).__name__}.forward, got None; "
                "end it with return"
            )
        loss = self.loss(prediction, target)
        return _Judged(loss, _length(target), prediction, lambda: self._rate(prediction, target))

    def _rate(self, prediction: Any, target: Any) -> dict[str, float]:
        prediction = unwrap(prediction)
        return {name: float(metric(prediction, target)) for name, metric in self.metrics.items()}


class _ByStep:
    summed = False

    def __init__(self, who: str, step: Any) -> None:
        if not callable(step) or isinstance(step, type):
            raise TypeError(
                f"{who}: wanted a step as a function of (model, batch), got {_kind(step)}"
            )
        self.who, self.step = who, step

    def __call__(self, model: Module, batch: Any) -> _Judged:
        result = self.step(model, batch)
        numbers = dict(result) if isinstance(result, Mapping) else {"loss": result}
        if "loss" not in numbers:
            raise ValueError(
                f"{self.who}: wanted 'loss' among what step returned, got {', '.join(numbers)}"
            )
        loss = numbers.pop("loss")
        return _Judged(loss, _batch_size(batch), None, lambda: _floats(numbers))


def _floats(numbers: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(unwrap(value)) for name, value in numbers.items()}


class _Meter:
    """Means over an epoch, in which every sample counts the same."""

    def __init__(self, judge: Any) -> None:
        self.summed = judge.summed
        self.samples = 0
        self.loss = 0.0
        self.totals: dict[str, float] = {}

    def add(self, loss: float, judged: _Judged) -> None:
        size = judged.size
        self.samples += size
        self.loss += loss if self.summed else loss * size
        for name, number in judged.numbers().items():
            self.totals[name] = self.totals.get(name, 0.0) + number * size

    def result(self, who: str) -> dict[str, float]:
        if not self.samples:
            raise ValueError(
                f"{who}: wanted at least one batch with something in it, got none; drop_last=True "
                "leaves nothing where there are fewer items than batch_size"
            )
        loss = self.loss if self.summed else self.loss / self.samples
        return {"loss": loss} | {n: total / self.samples for n, total in self.totals.items()}


def _length(array: Any) -> int:
    return int(np.shape(array)[0]) if np.ndim(array) else 1


def _leaves(batch: Any) -> Iterator[Any]:
    """Yield the arrays of a batch of any form."""
    if isinstance(batch, Mapping):
        batch = list(batch.values())
    if isinstance(batch, tuple | list):
        for entry in batch:
            yield from _leaves(entry)
    elif hasattr(batch, "dtype"):
        yield batch


def _batch_size(batch: Any) -> int:
    first = next(_leaves(batch), None)
    return 1 if first is None else _length(first)


# -- checks and small parts ----------------------------------------------------------------------


def _check_data(data: Any, name: str) -> None:
    if isinstance(data, Dataset | np.ndarray | Variable | tuple):
        raise TypeError(
            f"fit: wanted {name} in batches, got {type(data).__name__}; "
            "write DataLoader(ArrayDataset(x, y), batch_size=32, shuffle=True)"
        )
    if isinstance(data, Iterator) or not isinstance(data, Iterable):
        raise TypeError(
            f"fit: wanted {name} that can be read once per epoch, got {type(data).__name__}; "
            "pass a DataLoader or a list of batches"
        )


def _kind(value: Any) -> str:
    """Return how an error calls what somebody passed."""
    if value is None:
        return "none"
    if isinstance(value, type):
        return f"the class {value.__name__} (write {value.__name__}(...))"
    return f"the text {value!r:.40}" if isinstance(value, str) else type(value).__name__


def _check_kinds(optimizer: Any, epochs: Any, scheduler: Any, callbacks: Any) -> None:
    """Check that each argument is what it should be: a class, a text or nothing is none of them."""
    if isinstance(optimizer, type) or not all(
        hasattr(optimizer, name) for name in ("zero_grad", "step")
    ):
        raise TypeError(
            f"fit: wanted an optimizer with zero_grad() and step(), got {_kind(optimizer)}; write "
            "optim.Adam(model.parameters())"
        )
    if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer):
        raise TypeError(f"fit: wanted the number of epochs, got {_kind(epochs)}; write epochs=10")
    if scheduler is not None and (isinstance(scheduler, type) or not hasattr(scheduler, "step")):
        raise TypeError(f"fit: wanted a schedule with a method step(), got {_kind(scheduler)}")
    if getattr(scheduler, "optimizer", optimizer) is not optimizer:
        raise ValueError("fit: wanted a schedule of this optimizer, got that of another one")
    if not isinstance(callbacks, Iterable):
        raise TypeError(f"fit: wanted a list of callbacks, got {_kind(callbacks)}")


def _check_parameters(optimizer: Any, model: Module, loss: Any) -> None:
    """Check that an optimizer holds something that is trained here."""
    held = {id(p) for group in getattr(optimizer, "param_groups", ()) for p in group["params"]}
    parts = [part for part in (model, loss) if isinstance(part, Module)]
    own = {id(p) for part in parts for p in part.parameters()}
    if held and own and not held & own:
        raise ValueError(
            "fit: wanted an optimizer of this model's parameters, got one that holds none of them; "
            f"write {type(optimizer).__name__}(model.parameters()) after the model is built"
        )


_NARROW = {np.dtype(np.float16), np.dtype(np.float32)}


def _is_wide(values: Any) -> bool:
    return any(leaf.dtype == np.float64 for leaf in _leaves(values))


def _warn_of_float64(model: Module, batch: Any, judged: _Judged) -> None:
    """Warn where a float32 model is trained in float64, and say where that begins."""
    dtypes = {parameter.dtype for parameter in model.parameters()}
    if judged.loss.dtype != np.float64 or not dtypes or not dtypes <= _NARROW:
        return
    by_loss = judged.prediction is not None
    given = batch[:-1] if by_loss else batch
    buffers = [name for name, value in model.named_buffers() if _is_wide(value)]
    if _is_wide(given):
        where = "the inputs are: convert the data once, by .astype(np.float32)"
    elif buffers:
        where = f"the buffer {buffers[0]!r} is: register it as float32"
    elif not by_loss:
        where = (
            "look in forward and in step for NumPy numbers such as np.sqrt(2), which are float64, "
            "and write math.sqrt(2)"
        )
    elif _is_wide(judged.prediction):
        where = (
            "the prediction is: look in forward for NumPy numbers such as np.sqrt(2), which are "
            "float64, and write math.sqrt(2)"
        )
    elif _is_wide(batch[-1]):
        where = "the target is: convert it once, by .astype(np.float32)"
    else:
        where = "look in the loss for NumPy numbers such as np.sqrt(2), which are float64"
    warnings.warn(
        f"fit: the parameters are float32, but the loss is float64, at twice the cost; {where}",
        stacklevel=4,
    )


def _check_scalar(value: Any) -> None:
    if value is None:
        raise TypeError("fit: wanted a loss, got None; end the function with return")
    if np.ndim(unwrap(value)) != 0:
        raise ValueError(
            f"fit: wanted a scalar loss, got shape {np.shape(unwrap(value))}; "
            "use reduction='mean' or take .mean()"
        )


def _checked_loss(value: Any, state: FitState) -> float:
    _check_scalar(value)
    if not isinstance(value, Variable):
        raise TypeError(
            f"fit: wanted the loss as a Variable, got {type(value).__name__}; compute it from the "
            "prediction without .data or .numpy()"
        )
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


def _named_metrics(who: str, metrics: Any) -> dict[str, Metric]:
    if metrics is None:
        return {}
    if isinstance(metrics, str) or not isinstance(metrics, Mapping | Sequence):
        raise TypeError(f"{who}: wanted metrics in a list or a dict, got {_kind(metrics)}")
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
            f"{', '.join(map(repr, _METRICS))}, got {_kind(metric)}"
        )
    return metric  # type: ignore[no-any-return]


_METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "mae": lambda prediction, target: np.abs(prediction - target).mean(),
    "mse": lambda prediction, target: np.square(prediction - target).mean(),
}


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

    def __init__(self, function: Any) -> None:
        if not callable(function) or isinstance(function, type):
            raise TypeError(
                f"fit: wanted a Callback or a function in callbacks, got {_kind(function)}"
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
