"""What a module's state is made of, and how it is written back. Imports `_parameter`.

`Module` walks the tree; the functions here see a flat list of (path, value, owner, name).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import Variable
from autograd._writes import Writes, converted
from autograd.arrays import moved, refuse_mask, to_numpy
from nn._parameter import Parameter

__all__ = ["Entry", "IncompatibleKeys", "convert", "join", "plain", "plan_load"]

# Dotted path, Parameter or buffer, the module that has it, its name there.
Entry = tuple[str, Any, object, str]


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def join(path: str, name: str) -> str:
    """Return the dotted path of `name` below `path`; either may be empty."""
    return f"{path}.{name}" if path and name else path or name


def plain(value: Any) -> Any:
    """Return the array of a Variable, anything else as it is."""
    return value.data if isinstance(value, Variable) else value


def plan_load(
    entries: Sequence[Entry], state: Mapping[str, Any], strict: bool, cls: str
) -> tuple[Writes, IncompatibleKeys]:
    """Return what to write to bring `state` into `entries`; see `Module.load_state_dict`.

    Raises:
        TypeError: `state` is no mapping.
        ValueError: naming all missing, unexpected, mis-shaped and mis-typed keys.
    """
    if isinstance(state, str | os.PathLike):
        path = os.fspath(state)
        raise TypeError(
            f"load_state_dict: wanted a dict of arrays, got the path {path!r}; write "
            f"model.load_state_dict(nn.load({path!r}))"
        )
    if not isinstance(state, Mapping):
        raise TypeError(
            f"load_state_dict: wanted a dict of arrays, got {type(state).__name__}; pass what "
            "state_dict() of a model returned"
        )
    known = {path for path, *_ in entries}
    # Of what has several paths, which some files hold once, any path will do.
    given = {id(value) for path, value, _, _ in entries if path in state}
    missing = [path for path, value, *_ in entries if path not in state and id(value) not in given]
    unexpected = [path for path in state if path not in known]
    problems = []
    if strict and missing:
        problems.append(f"missing keys {', '.join(map(repr, missing))}")
    if strict and unexpected:
        problems.append(f"unexpected keys {', '.join(map(repr, unexpected))}")
    owners = {_owner(plain(value)) for _, value, _, _ in entries}
    arrays: dict[str, Any] = {}
    for path, value, _, _ in entries:
        if path in state:
            try:
                arrays[path] = _read(state[path], plain(value), owners)
            except (TypeError, ValueError, RuntimeError) as error:
                problems.append(f"{path!r} {error}")
            else:
                flags = getattr(value.data, "flags", None) if isinstance(value, Parameter) else None
                if not getattr(flags, "writeable", True):
                    problems.append(
                        f"{path!r} for a parameter with read-only data (write p.data = "
                        "p.data.copy() first)"
                    )
    if problems:
        raise ValueError(
            f"load_state_dict: wanted the state of this {cls}, got {'; '.join(problems)}; nothing "
            f"was changed: build the model with the arguments it was saved with, or pass "
            f"strict=False for a partial state"
        )
    writes = Writes()
    replaced: dict[int, Any] = {}
    shared = {id(value): arrays[path] for path, value, _, _ in entries if path in arrays}
    for path, value, owner, name in entries:
        if id(value) not in shared:
            continue
        array = arrays.get(path, shared[id(value)])
        if isinstance(value, Parameter):
            writes.changed.append(value)
            writes.add(value.data, ..., moved(array, value.data))
        else:
            # A new array, because a recorded graph may have saved the old one; one for all owners.
            new = replaced.setdefault(id(value), moved(array.copy(), value))
            writes.add(vars(owner), name, new)
    return writes, IncompatibleKeys(missing, unexpected)


def _owner(array: Any) -> int:
    """Return the identity of the array that owns the memory of this one."""
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return id(array)


def _read(value: Any, wanted: Any, owners: set[int]) -> Any:
    """Return `value` as an array of the shape and dtype of `wanted`.

    Raises:
        ValueError: it does not fit; the text follows the name of the key.
    """
    given = plain(value)
    refuse_mask("load_state_dict", given)
    array = to_numpy(given)
    if array.shape != wanted.shape:
        raise ValueError(f"of shape {array.shape} where {wanted.shape} is wanted")
    if not np.can_cast(array.dtype, wanted.dtype, "same_kind"):
        raise ValueError(f"of dtype {array.dtype} where {wanted.dtype} is wanted")
    if array.dtype == wanted.dtype:
        # A parameter given as the state of another one changes before it is read.
        return array.copy() if _owner(array) in owners else array
    return converted(array, wanted.dtype)


def convert(parameter: Parameter, data: Any) -> None:
    """Give a parameter data of another kind: the same object, a fresh leaf without gradient."""
    requires_grad, name = parameter.requires_grad, parameter.name
    Variable.__init__(parameter, data, requires_grad, name=name, copy=False)
