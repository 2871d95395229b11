"""fit: the loop that everybody writes, once. Imports the data, judging and callback modules.

One step is: forget the gradients, compute the loss, go backward, step. Everything else here is
bookkeeping around these four lines (`_train_step`).
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

import autograd
from autograd.engine.graph import unwrap
from nn._callbacks import Callback, FitState, SupportsStep
from nn._fit_checks import (
    check_data,
    check_kinds,
    check_model,
    check_parameters,
    check_scalar,
    checked_loss,
    needs_number,
    warn_of_float64,
)
from nn._history import VALIDATION, History
from nn._judging import Judge, Loss, Meter, Metrics, Step, judge_of, kind
from nn._module import Module
from nn._progress import Report, reporter

__all__ = ["evaluate", "fit"]

# Calls a method of all callbacks by its name.
_Tell: TypeAlias = Callable[[str, FitState], None]


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
    accumulate: int = 1,
    progress: bool = True,
    resume: str | os.PathLike[str] | None = None,
    parallel: Any = False,
    compile: bool = False,
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
            number gets the validation loss, or without it the training loss. ``StepSchedule`` is
            the callback for those that are stepped after each step of the optimizer.
        accumulate: Batches whose gradients make one step: that of one batch of all their samples,
            in the memory of the largest.
        progress: Show a bar and a line per epoch in a terminal or a notebook, and at most about
            twenty lines elsewhere; False shows nothing.
        resume: A file of the ``Checkpoint`` callback to continue from, with exactly the
            parameters that an unbroken training would have.
        compile: Run the model and its loss, or the step, by ``autograd.compile``.
        parallel: True to train on all processes that ``mpiexec -n 4 python train.py`` has started,
            or an MPI communicator; each rank reads its share of the data, see
            ``nn.parallel.DistributedSampler``. Numbers are those of all ranks together; rank 0
            shows progress and writes files. Without ``mpiexec`` there is one rank.

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
        RuntimeError: Ranks have different models, parameters or numbers of batches.
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
    check_model(model)
    check_data(data, "data")
    if validation_data is not None:
        check_data(validation_data, "validation_data")
    judge = judge_of("fit", loss, step, metrics, compiled=compile)
    check_kinds(optimizer, epochs, scheduler, callbacks, accumulate)
    check_parameters(optimizer, model, loss)
    assert optimizer is not None
    assert epochs is not None
    team = _team(model, parallel, judge)
    listeners = [one if isinstance(one, Callback) else _AtEpochEnd(one) for one in callbacks]
    if team is not None and team.rank:
        listeners = [one for one in listeners if not one.only_on_rank_0]
        progress = False
    tell = _teller(listeners)
    state = FitState(
        *(model, optimizer, scheduler, data, listeners, epochs),
        validation_data=validation_data,
        team=team,
    )
    report = reporter(progress, state)
    was_training = model.training
    tell("on_fit_begin", state)
    if resume is not None:
        state.load(resume)
    report.begin(state)
    try:
        while state.epoch < epochs and state.history.stop_reason is None:
            if not _begun(state, judge, tell):
                break
            _train_epoch(state, judge, tell, report, accumulate)
            if validation_data is not None:
                measured = _measure(model, validation_data, judge, team)
                state.logs |= {VALIDATION + name: value for name, value in measured.items()}
            state.logs |= _learning_rate(optimizer)
            if scheduler is not None:
                _step_schedule(scheduler, state.logs)
            if team is not None:
                team.check_in_step()
            tell("on_epoch_end", state)
            state.history.epochs.append(state.logs)
            tell("after_epoch_end", state)
            report.epoch(state)
    except KeyboardInterrupt:
        state.history.interrupted = True
    finally:
        report.end(state)
        model.train(was_training)
    tell("on_fit_end", state)
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
    return _measure(model, data, judge_of("evaluate", loss, step, metrics))


# -- one epoch -----------------------------------------------------------------------------------


def _begun(state: FitState, judge: Judge, tell: _Tell) -> bool:
    """Begin an epoch, unless a callback prevents it."""
    state.epoch += 1
    if state.meter is not None:  # resumed in the middle of it
        return True
    state.batch, state.logs = 0, {}
    tell("on_epoch_begin", state)
    if state.history.stop_reason is not None:
        state.epoch -= 1
        return False
    state.meter = Meter(judge.summed)
    return True


def _train_epoch(
    state: FitState, judge: Judge, tell: _Tell, report: Report, accumulate: int
) -> None:
    """Train on the batches of an epoch, on the rest of them where it was resumed in the middle."""
    assert state.meter is not None
    state.model.train()
    # A loader continues by itself.
    skipped = 0 if hasattr(state.data, "load_state_dict") else state.batch
    with autograd.enable_grad(), _reading(state.data) as batches:
        batches = islice(batches, skipped, None)
        while _goes_on(several := list(islice(batches, accumulate)), state):
            _train_step(state, judge, several, tell)
            tell("on_batch_end", state)
            tell("after_batch_end", state)
            report.batch(state)
    state.logs, state.meter = _total(state.meter, state.team).result("fit"), None


def _train_step(state: FitState, judge: Judge, batches: list[Any], tell: _Tell) -> None:
    assert state.meter is not None
    state.optimizer.zero_grad()
    state.loss = 0.0
    model = state.model if state.team is None else state.team
    for left, batch, share in zip(
        reversed(range(len(batches))), batches, judge.shares(batches), strict=True
    ):
        state.batch += 1
        alone = state.team.no_sync() if state.team is not None and left else _NOTHING
        with alone:  # ranks exchange the gradients of all batches of a step at once
            judged = judge(model, batch)
            number = checked_loss(judged.loss, state)
            if state.step == 0 and state.batch == 1:
                warn_of_float64(state.model, batch, judged)
            judged.loss.backward(None if share == 1 else np.asarray(share, judged.loss.dtype))
        state.meter.add(number, judged)
        state.loss += share * number
    tell("on_backward_end", state)
    state.optimizer.step()
    state.step += 1


_NOTHING = contextlib.nullcontext()


def _measure(
    model: Module, data: Iterable[Any], judge: Judge, team: Any = None
) -> dict[str, float]:
    meter = Meter(judge.summed)
    was_training = model.training
    model.eval()
    try:
        with autograd.no_grad(), _reading(data) as batches:
            for batch in batches:
                judged = judge(model, batch)
                check_scalar(judged.loss)
                meter.add(float(unwrap(judged.loss)), judged)
    finally:
        model.train(was_training)
    return _total(meter, team).result("evaluate")


@contextlib.contextmanager
def _reading(data: Iterable[Any]) -> Iterator[Iterator[Any]]:
    """Read, and end what reads ahead however the reading ends: an error's traceback would keep it
    alive.
    """
    batches = iter(data)
    try:
        yield batches
    finally:
        if hasattr(batches, "close"):
            batches.close()


# -- several processes ---------------------------------------------------------------------------


def _team(model: Module, parallel: Any, judge: Judge) -> Any:
    """Return the model on all ranks, None where this process trains by itself."""
    if parallel is False or parallel is None:
        return None
    from nn.parallel import DataParallel

    return DataParallel(
        model,
        None if parallel is True else parallel,
        reduction="sum" if judge.summed else "mean",
    )


def _goes_on(batches: list[Any], state: FitState) -> bool:
    """Tell whether there are batches for one more step, on all ranks or on none."""
    if state.team is not None:
        counts = state.team.counts(len(batches), "the next batch")
        if len(set(counts)) > 1:
            raise RuntimeError(
                "fit: wanted equally many batches on all ranks, got "
                f"{', '.join(map(str, counts))} for step {state.step + 1} on ranks 0 to "
                f"{len(counts) - 1}; read the data by nn.parallel.DistributedSampler"
            )
    return bool(batches)


def _total(meter: Meter, team: Any) -> Meter:
    """Return what the batches of all ranks came to."""
    return meter if team is None else meter.summed_over(team.total)


# -- schedules and callbacks ---------------------------------------------------------------------


def _learning_rate(optimizer: Any) -> dict[str, float]:
    groups = getattr(optimizer, "param_groups", None)
    return {"learning_rate": float(groups[0]["lr"])} if groups and "lr" in groups[0] else {}


def _step_schedule(scheduler: Any, logs: dict[str, float]) -> None:
    if needs_number(scheduler):
        scheduler.step(logs.get("validation_loss", logs["loss"]))
    else:
        scheduler.step()


class _AtEpochEnd(Callback):
    """A plain function as a callback."""

    def __init__(self, function: Any) -> None:
        if not callable(function) or isinstance(function, type):
            raise TypeError(
                f"fit: wanted a Callback or a function in callbacks, got {kind(function)}"
            )
        self.function = function

    def on_epoch_end(self, state: FitState) -> None:
        self.function(state)


def _teller(callbacks: list[Callback]) -> _Tell:
    """Return what calls a method of all callbacks that define it: a batch pays for no others."""
    methods = {
        name: [getattr(c, name) for c in callbacks if getattr(type(c), name) is not method]
        for name, method in vars(Callback).items()
        if name in Callback.hooks
    }

    def tell(name: str, state: FitState) -> None:
        for method in methods[name]:
            method(state)

    return tell
