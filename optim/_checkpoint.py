"""Reading an optimizer's `state_dict`: everything is checked and copied before anything changes.

Imports `autograd` only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from autograd import Variable
from autograd._writes import converted
from autograd.arrays import to_numpy
from optim._options import (
    check_companions,
    check_spelling,
    plain_number,
    plain_options,
    without_loops,
)
from optim._runs import Array, State

__all__ = ["check_entries", "read_array", "read_entries", "read_number", "read_state_dict"]


class _Owner(Protocol):
    """What is asked of the optimizer whose state is read: see `Optimizer`."""

    assumed: ClassVar[Mapping[str, float]]
    scalars: ClassVar[Mapping[str, float]]
    param_groups: list[dict[str, Any]]

    def check(self, group: Mapping[str, Any]) -> None: ...
    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]: ...
    def shape_of(self, buffer: str, parameter: Variable) -> tuple[int, ...] | None: ...
    def read_entries(
        self,
        index: int,
        parameter: Variable,
        group: Mapping[str, Any],
        entries: Mapping[str, Any],
    ) -> State: ...


def read_state_dict(
    optimizer: _Owner, saved: Mapping[str, Any]
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
        _want(owner, f"the state of parameter {place}", entries, Mapping, "a dict")
        # None is what PyTorch stores for a buffer it does not use.
        held = {name: value for name, value in entries.items() if value is not None}
        read = optimizer.read_entries(place, parameter, group, held)
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
    optimizer: _Owner, number: int, group: dict[str, Any], loaded: Any
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
    options = without_loops(owner, plain_options(loaded), group)
    check_spelling(owner, options, group, own=False)
    check_companions(owner, options)
    new_group = {**group, **options}
    optimizer.check(new_group)
    return new_group


def read_entries(
    optimizer: _Owner,
    index: int,
    parameter: Variable,
    group: Mapping[str, Any],
    entries: Mapping[str, Any],
) -> State:
    """Return the state of one parameter: arrays in their shapes and its dtype, Python's numbers.

    Raises:
        ValueError: an entry is missing or does not fit.
    """
    owner, scalars = type(optimizer).__name__, optimizer.scalars
    state: State = {}
    for name, value in entries.items():
        if name in scalars:
            state[name] = read_number(owner, index, name, value, scalars[name])
        else:
            shape = optimizer.shape_of(name, parameter)
            if shape is not None:
                state[name] = read_array(owner, index, name, value, shape, parameter.dtype)
    if state:
        buffers = optimizer.buffers(group)
        state = {**type(optimizer).assumed, **state} if buffers else state
        wanted = [name for name in buffers if optimizer.shape_of(name, parameter) is not None]
        check_entries(owner, index, state, (*wanted, *(scalars if buffers else ())))
    return state


def check_entries(owner: str, index: int, state: Mapping[str, Any], wanted: Iterable[str]) -> None:
    """Check that the state of a parameter is complete.

    Raises:
        ValueError: it is not.
    """
    for name in wanted:
        if name not in state:
            raise ValueError(
                f"{owner}: wanted {name!r} in the state of parameter {index}, got "
                f"{', '.join(map(repr, state))}; the state_dict is incomplete or that of "
                "another algorithm"
            )


def read_number(
    owner: str, index: int, name: str, value: Any, like: float, low: float = 0.0
) -> float:
    """Return an entry that is a number, of the type of another one.

    Raises:
        ValueError: it is none, too low, not finite, or a fraction where `like` is an integer.
    """
    number = plain_number(value)
    fits = isinstance(number, (int, float)) and not isinstance(number, bool) and number >= low
    whole = isinstance(like, int)
    if not (fits and math.isfinite(number) and (not whole or number == int(number))):
        kind = "whole number" if whole else "number"
        wanted = f"a finite {kind}" if math.isinf(low) else f"a {kind} of at least {low:g}"
        raise ValueError(
            f"{owner}: wanted {wanted} as {name!r} of parameter {index}, got {value!r:.80}"
        )
    return type(like)(number)


def read_array(
    owner: str,
    index: int,
    name: str,
    value: Any,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
) -> Array:
    """Return an entry that is an array as a new one of the dtype.

    Raises:
        ValueError: it has another shape, or values that the dtype cannot hold.
    """
    place = f"{name!r} of parameter {index}"
    try:
        array = to_numpy(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{owner}: wanted an array as {place}, got {error}") from error
    if array.shape != shape:
        raise ValueError(
            f"{owner}: wanted {name!r} of shape {shape} for parameter {index}, got "
            f"{array.shape}; the state_dict belongs to another model"
        )
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise ValueError(
            f"{owner}: wanted {place} of a dtype that {dtype} can hold, got {array.dtype}"
        )
    try:
        return np.array(converted(array, dtype))
    except ValueError as error:
        raise ValueError(f"{owner}: wanted {place} that fits, got one {error}") from None
