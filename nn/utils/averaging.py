r"""Averages of weights along a training: a model of its own that is often the better one.

    SWA: a <- a + (w - a) / (n + 1), the mean of n + 1 models        EMA: a <- d a + (1 - d) w

Imports `nn._module` and the batch norms. PyTorch's address is `optim.swa_utils`, which has these
names, too.

References:
    Izmailov, Podoprikhin, Garipov, Vetrov and Wilson, Averaging weights leads to wider optima and
    better generalization, UAI 2018 (SWA, and the statistics of batch norms).
    Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992 (EMA's idea).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from autograd import Variable, no_grad
from nn._module import Module
from nn._normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d

__all__ = [
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

# (average, new value, number of models in the average) -> new average
_Average: TypeAlias = Callable[[Any, Any, int], Any]
# (averages, written in place, new values, number of models in the averages)
_MultiAverage: TypeAlias = Callable[[Sequence[Any], Sequence[Any], int], None]


def get_ema_avg_fn(decay: float = 0.999) -> _Average:
    """Return the exponential moving average of one array: decay * average + (1 - decay) * value.

    Raises:
        ValueError: `decay` is outside [0, 1].

    Example:
        >>> get_ema_avg_fn(0.75)(4.0, 8.0, 1)
        5.0
    """
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"get_ema_avg_fn: wanted 0 <= decay <= 1, got {decay!r}")
    return lambda average, value, _: decay * average + (1 - decay) * value


def get_swa_avg_fn() -> _Average:
    """Return the plain mean of one array: average + (value - average) / (number + 1).

    Example:
        >>> get_swa_avg_fn()(4.0, 8.0, 3)
        5.0
    """
    return lambda average, value, number: average + (value - average) / (number + 1)


def get_ema_multi_avg_fn(decay: float = 0.999) -> _MultiAverage:
    """Return `get_ema_avg_fn` for lists of arrays, in place."""
    return _in_place(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> _MultiAverage:
    """Return `get_swa_avg_fn` for lists of arrays, in place."""
    return _in_place(get_swa_avg_fn())


def _in_place(average: _Average) -> _MultiAverage:
    def average_all(averages: Sequence[Any], values: Sequence[Any], number: int) -> None:
        for own, value in zip(averages, values, strict=True):
            # Counters, which are integers, are cut off as PyTorch cuts them.
            np.copyto(own, average(own, value, number), casting="unsafe")

    return average_all


class AveragedModel(Module):
    """A copy of a model whose parameters are averages over the calls of `update_parameters`.

    Args:
        model: the model; the copy is `module`.
        device: None or "cpu", for code written for PyTorch.
        avg_fn: `avg_fn(average, value, number)` returns the new average of one array, after
            `number` models; None for the plain mean. Not part of `state_dict`.
        multi_avg_fn: `multi_avg_fn(averages, values, number)` writes the new averages of lists of
            arrays into the first one, instead.
        use_buffers: average buffers, too; otherwise they are those of the model of the last call.

    Raises:
        TypeError: `model` is no Module.
        ValueError: both functions, or another device.

    Example:
        >>> import nn
        >>> model = nn.Linear(2, 1)
        >>> averaged = AveragedModel(model, avg_fn=get_ema_avg_fn(0.9))
        >>> for _ in range(3):
        ...     # ... a step of an optimizer ...
        ...     averaged.update_parameters(model)
        >>> list(averaged.state_dict())
        ['n_averaged', 'module.weight', 'module.bias']
    """

    n_averaged: Any

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: _Average | None = None,
        multi_avg_fn: _MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(model, Module):
            raise TypeError(f"AveragedModel: wanted a Module, got {type(model).__name__}")
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: wanted avg_fn or multi_avg_fn, got both")
        _check_device("AveragedModel", device)
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", np.array(0))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the averaged model returns."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of a model into the average; those of the first one are the average.

        Raises:
            ValueError: the parameters or buffers are not those of the copy; nothing has changed.
        """
        parameters = _pairs("parameter", self.module.parameters(), model.parameters())
        buffers = _pairs("buffer", self.module.buffers(), model.buffers())
        number = int(self.n_averaged)
        averaged, copied = parameters, buffers
        if self.use_buffers:
            averaged, copied = parameters + buffers, []
        if number == 0:
            averaged, copied = [], averaged + copied
        if averaged:
            average_all = self.multi_avg_fn or _in_place(self.avg_fn or get_swa_avg_fn())
            average_all([own for own, _ in averaged], [value for _, value in averaged], number)
        for own, value in copied:
            np.copyto(own, value)
        for parameter in self.module.parameters():
            parameter.mark_changed()
        self.n_averaged = np.array(number + 1)


def _pairs(kind: str, own: Iterable[Any], other: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Return the arrays of two models side by side."""
    sides = [
        [value.data if isinstance(value, Variable) else value for value in values]
        for values in (own, other)
    ]
    shapes = [[value.shape for value in side] for side in sides]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"update_parameters: wanted a model with {kind}s of the shapes {shapes[0]}, got "
            f"{shapes[1]}; pass the model that AveragedModel was made of"
        )
    return list(zip(*sides, strict=True))


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of all batch norms anew, from one pass over data.

    An average of weights has other activations than any of its models had, so that none of their
    statistics fit.

    Args:
        loader: batches; of a list or tuple, the first entry is what the model is called with.
        model: an `AveragedModel`, or any other.
        device: None or "cpu", for code written for PyTorch.

    Example:
        >>> import nn
        >>> model = nn.BatchNorm1d(1)
        >>> update_bn([np.array([[1.0], [3.0]])], model)
        >>> model.running_mean
        array([2.], dtype=float32)
    """
    _check_device("update_bn", device)
    norms = [m for m in model.modules() if isinstance(m, (BatchNorm1d, BatchNorm2d, BatchNorm3d))]
    if not norms:
        return
    before = [(module, module.training) for module in model.modules()]
    momenta = [norm.momentum for norm in norms]
    try:
        model.train()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
        for batch in loader:
            model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, training in before:
            module.training = training


def _check_device(owner: str, device: Any) -> None:
    if device is not None and str(device) != "cpu":
        raise ValueError(f"{owner}: wanted device None or 'cpu', got {device!r}")
