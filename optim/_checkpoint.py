"""Reading an optimizer's `state_dict`: everything is checked and copied before anything changes.

Imports `autograd` only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Variable
from autograd._writes import converted
from optim._options import check_companions, check_spelling, plain_number, plain_options
from optim._runs import Array, State

if TYPE_CHECKING:
    from optim._optimizer import Optimizer

__all__ = ["read_state_dict"]

# How PyTorch's loops run, which says nothing about the numbers.
_IRRELEVANT = frozenset({"capturable", "differentiable", "foreach", "fused"})


def read_state_dict(
    optimizer: Optimizer, saved: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[Variable, State]]:
    """Return new parameter groups and new state for the parameters of an optimizer.

    Args:
        optimizer: says what fits; it is not changed.
        saved: {"state": ..., "param_groups": ...}; arrays may be anything NumPy can read.

    Raises:
        KeyError: "state" or "param_groups" is missing.
        TypeError: something is not of the kind it should be.
        ValueError: groups, options, sizes, shapes or the state of a parameter do not fit.
    """
    owner, groups = type(optimizer).__name__, optimizer.param_groups
    if not isinstance(saved, Mapping):
        raise TypeError(
            f"{owner}: wanted a state_dict, got {type(saved).__name__} {saved!r:.80}; a file is "
            "loaded by nn.load(path, optimizer=optimizer)"
        )
    for key in ("state", "param_groups"):
        if key not in saved:
            raise KeyError(
                f"{owner}: wanted a state_dict with the keys 'state' and 'param_groups', got "
                f"{sorted(map(str, saved))}"
            )
    saved_groups, saved_state = saved["param_groups"], saved["state"]
    _want(owner, "param_groups", saved_groups, Sequence, "a list of dicts")
    _want(owner, "state", saved_state, Mapping, "a dict")
    if len(saved_groups) != len(groups):
        raise ValueError(
            f"{owner}: wanted a state_dict with {len(groups)} parameter groups, got "
            f"{len(saved_groups)}; build the optimizer with the groups it was saved with"
        )
    group_of: dict[int, tuple[Variable, dict[str, Any]]] = {}
    new_groups = []
    for number, (group, loaded) in enumerate(zip(groups, saved_groups, strict=True)):
        new_group = _read_group(optimizer, number, group, loaded)
        for index, parameter in zip(loaded["params"], group["params"], strict=True):
            group_of[_read_index(owner, index)] = parameter, new_group
        new_groups.append(new_group)
    if len(group_of) != sum(len(group["params"]) for group in groups):
        raise ValueError(f"{owner}: wanted each parameter once in the state_dict's groups")
    state: dict[Variable, State] = {}
    for index, entries in saved_state.items():
        place = _read_index(owner, index)
        if place not in group_of:
            raise ValueError(
                f"{owner}: the state_dict has state for parameter {index}, which is in none of "
                "its groups"
            )
        parameter, group = group_of[place]
        read = _read_entries(optimizer, place, parameter, group, entries)
        if read:
            state[parameter] = read
    return new_groups, state


def _want(owner: str, name: str, value: Any, kind: type[Any], wanted: str) -> None:
    if not isinstance(value, kind) or isinstance(value, str):
        raise TypeError(
            f"{owner}: wanted {wanted} as {name} of the state_dict, got {type(value).__name__}"
        )


def _read_index(owner: str, index: Any) -> int:
    # Text: the keys of a dict that went through JSON.
    if isinstance(index, str) and index.isdecimal():
        return int(index)
    if isinstance(index, bool) or not isinstance(index, (int, np.integer)):
        raise TypeError(f"{owner}: wanted the numbers of parameters, got {index!r}")
    return int(index)


def _read_group(
    optimizer: Optimizer, number: int, group: dict[str, Any], loaded: Any
) -> dict[str, Any]:
    """Return a group with the saved options."""
    owner = type(optimizer).__name__
    _want(owner, f"group {number}", loaded, Mapping, "a dict")
    params = loaded.get("params")
    _want(owner, f"params in group {number}", params, Sequence, "a list of numbers")
    if len(params) != len(group["params"]):
        raise ValueError(
            f"{owner}: wanted {len(group['params'])} parameters in group {number} of the "
            f"state_dict, got {len(params)}; build the optimizer with the parameters it was saved "
            "with"
        )
    options = plain_options(loaded)
    for name in _IRRELEVANT.difference(group).intersection(options):
        del options[name]
    for name, value in type(optimizer).fixed.items():
        if options.pop(name, value) != value:
            raise ValueError(
                f"{owner}: wanted a state_dict with {name}={value!r}, got {not value!r}; it "
                "belongs to another algorithm"
            )
    check_spelling(owner, options, group, own=False)
    check_companions(owner, options)
    new_group = {**group, **options}
    optimizer.check(new_group)
    return new_group


def _read_entries(
    optimizer: Optimizer, index: int, parameter: Variable, group: Mapping[str, Any], entries: Any
) -> State:
    """Return the state of one parameter: arrays in its shape and dtype, numbers as Python's."""
    owner, scalars = type(optimizer).__name__, optimizer.scalars
    _want(owner, f"the state of parameter {index}", entries, Mapping, "a dict")
    state: State = {}
    for name, value in entries.items():
        if value is None:  # what PyTorch stores for a buffer it does not use
            continue
        if name in scalars:
            state[name] = _read_number(owner, index, name, value, scalars[name])
        else:
            state[name] = _read_array(owner, index, name, value, parameter)
    if state:
        buffers = optimizer.buffers(group)
        state = {**type(optimizer).assumed, **state} if buffers else state
        for name in (*buffers, *(scalars if buffers else ())):
            if name not in state:
                raise ValueError(
                    f"{owner}: wanted {name!r} in the state of parameter {index}, got "
                    f"{', '.join(map(repr, state))}; the state_dict is incomplete or that of "
                    "another algorithm"
                )
    return state


def _read_number(owner: str, index: int, name: str, value: Any, like: float) -> float:
    number = plain_number(value)
    fits = isinstance(number, (int, float)) and not isinstance(number, bool) and number >= 0
    whole = isinstance(like, int)
    if not (fits and math.isfinite(number) and (not whole or number == int(number))):
        wanted = "a whole number of at least 0" if whole else "a number of at least 0"
        raise ValueError(
            f"{owner}: wanted {wanted} as {name!r} of parameter {index}, got {value!r:.80}"
        )
    return type(like)(number)


def _read_array(owner: str, index: int, name: str, value: Any, parameter: Variable) -> Array:
    place = f"{name!r} of parameter {index}"
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{owner}: wanted an array as {place}, got {error}") from error
    if array.shape != parameter.shape:
        raise ValueError(
            f"{owner}: wanted {name!r} of shape {parameter.shape} for parameter {index}, got "
            f"{array.shape}; the state_dict belongs to another model"
        )
    if not np.can_cast(array.dtype, parameter.dtype, "same_kind"):
        raise ValueError(
            f"{owner}: wanted {place} of a dtype that {parameter.dtype} can hold, got {array.dtype}"
        )
    try:
        return np.array(converted(array, parameter.dtype))
    except ValueError as error:
        raise ValueError(f"{owner}: wanted {place} that fits, got one {error}") from None
