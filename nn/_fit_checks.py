"""What `fit` refuses before it costs an hour, and what it warns of. Imports what `fit` imports."""

import inspect
import math
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from autograd import Variable
from autograd.engine.graph import unwrap
from nn._callbacks import FitState
from nn._data import Dataset
from nn._judging import Judged, kind, leaves
from nn._module import Module

__all__ = [
    "check_data",
    "check_kinds",
    "check_model",
    "check_parameters",
    "check_scalar",
    "check_schedule",
    "checked_loss",
    "needs_number",
    "warn_of_float64",
]


def check_model(model: Any) -> None:
    """Check that a model is one."""
    if not isinstance(model, Module):
        raise TypeError(f"fit: wanted a Module as model, got {kind(model)}")


def check_data(data: Any, name: str) -> None:
    """Check that data are batches that can be read again and again."""
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


def check_kinds(
    optimizer: Any, epochs: Any, scheduler: Any, callbacks: Any, accumulate: Any
) -> None:
    """Check that each argument is what it should be: a class, a text or nothing is none of them."""
    if isinstance(optimizer, type) or not all(
        hasattr(optimizer, name) for name in ("zero_grad", "step")
    ):
        raise TypeError(
            f"fit: wanted an optimizer with zero_grad() and step(), got {kind(optimizer)}; write "
            "optim.Adam(model.parameters())"
        )
    if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer):
        raise TypeError(f"fit: wanted the number of epochs, got {kind(epochs)}; write epochs=10")
    if scheduler is not None:
        check_schedule("fit", scheduler, optimizer)
    if isinstance(accumulate, bool) or not isinstance(accumulate, int) or accumulate < 1:
        raise ValueError(f"fit: wanted accumulate as a number of batches, got {accumulate!r}")
    if not isinstance(callbacks, Iterable):
        raise TypeError(f"fit: wanted a list of callbacks, got {kind(callbacks)}")


def check_schedule(who: str, scheduler: Any, optimizer: Any = None) -> None:
    """Check that a schedule is one, and of this optimizer where there is one."""
    if isinstance(scheduler, type) or not hasattr(scheduler, "step"):
        raise TypeError(f"{who}: wanted a schedule with a method step(), got {kind(scheduler)}")
    if optimizer is not None and getattr(scheduler, "optimizer", optimizer) is not optimizer:
        raise ValueError(f"{who}: wanted a schedule of this optimizer, got that of another one")


def needs_number(scheduler: Any) -> bool:
    """Tell whether the step of a schedule cannot be made without a loss."""
    return any(
        parameter.default is parameter.empty
        and parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
        for parameter in inspect.signature(scheduler.step).parameters.values()
    )


def check_parameters(optimizer: Any, model: Module, loss: Any) -> None:
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
    return any(leaf.dtype == np.float64 for leaf in leaves(values))


def warn_of_float64(model: Module, batch: Any, judged: Judged) -> None:
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
        stacklevel=5,
    )


def check_scalar(value: Any) -> None:
    """Check that a loss is one number."""
    if value is None:
        raise TypeError("fit: wanted a loss, got None; end the function with return")
    if np.ndim(unwrap(value)) != 0:
        raise ValueError(
            f"fit: wanted a scalar loss, got shape {np.shape(unwrap(value))}; "
            "use reduction='mean' or take .mean()"
        )


def checked_loss(value: Any, state: FitState) -> float:
    """Return a loss as a number, if it is one that can train."""
    check_scalar(value)
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
