"""Reading an optimizer's `state_dict`: everything is checked and copied before anything changes.

Imports `autograd` only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Variable
from optim._options import plain_options
from optim._runs import State

__all__ = ["read_state_dict"]


def read_state_dict(
    owner: str,
    groups: Sequence[Mapping[str, Any]],
    scalars: Mapping[str, float],
    saved: Mapping[str, Any],
) -> tuple[list[dict[str, Any]], dict[Variable, State]]:
    """Return new parameter groups and new state for the parameters of `groups`.

    Args:
        owner: name of the optimizer, for errors.
        groups: the present parameter groups.
        scalars: name -> initial value of the numbers of a state; all other entries are arrays.
        saved: {"state": ..., "param_groups": ...}; arrays may be anything NumPy can read.

    Raises:
        KeyError: "state" or "param_groups" is missing.
        ValueError: groups, sizes or shapes differ.
    """
    for key in ("state", "param_groups"):
        if key not in saved:
            raise KeyError(
                f"{owner}: wanted a state_dict with the keys 'state' and 'param_groups', got "
                f"{sorted(map(str, saved))}"
            )
    saved_groups = saved["param_groups"]
    if len(saved_groups) != len(groups):
        raise ValueError(
            f"{owner}: wanted a state_dict with {len(groups)} parameter groups, got "
            f"{len(saved_groups)}; build the optimizer with the groups it was saved with"
        )
    parameter_of: dict[int, Variable] = {}
    new_groups = []
    for number, (group, loaded) in enumerate(zip(groups, saved_groups, strict=True)):
        params, indices = group["params"], list(loaded["params"])
        if len(indices) != len(params):
            raise ValueError(
                f"{owner}: wanted {len(params)} parameters in group {number} of the state_dict, "
                f"got {len(indices)}; build the optimizer with the parameters it was saved with"
            )
        parameter_of.update(zip(map(int, indices), params, strict=True))
        new_groups.append({**group, **plain_options(loaded)})
    state: dict[Variable, State] = {}
    for index, entries in saved["state"].items():
        if int(index) not in parameter_of:
            raise ValueError(
                f"{owner}: the state_dict has state for parameter {index}, which is in none of "
                "its groups"
            )
        parameter = parameter_of[int(index)]
        read = _read_entries(owner, int(index), parameter, entries, scalars)
        if read:
            state[parameter] = read
    return new_groups, state


def _read_entries(
    owner: str,
    index: int,
    parameter: Variable,
    entries: Mapping[str, Any],
    scalars: Mapping[str, float],
) -> State:
    """Return the state of one parameter: arrays in its shape and dtype, numbers as Python's."""
    state: State = {}
    for name, value in entries.items():
        if value is None:  # what PyTorch stores for a buffer it does not use
            continue
        if name in scalars:
            state[name] = type(scalars[name])(value)
            continue
        array = np.asarray(value).astype(parameter.dtype)  # always a copy
        if array.shape != parameter.shape:
            raise ValueError(
                f"{owner}: wanted {name!r} of shape {parameter.shape} for parameter {index}, got "
                f"{array.shape}; the state_dict belongs to another model"
            )
        state[name] = array
    # PyTorch's SGD does not count; that a buffer exists means that it has been filled once.
    if state and "step" in scalars:
        state.setdefault("step", 1)
    return state
