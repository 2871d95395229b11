"""What a module's state is made of, and how it is written back. Imports `_parameter`.

`Module` walks the tree; the functions here see a flat list of (path, value, owner, name).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import Variable
from nn._parameter import Parameter

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


def load(
    entries: Sequence[Entry], state: Mapping[str, Any], strict: bool, cls: str
) -> IncompatibleKeys:
    """Write `state` into `entries`, all of it or nothing; see `Module.load_state_dict`.

    Raises:
        ValueError: naming all missing, unexpected, mis-shaped and mis-typed keys.
    """
    known = {path for path, *_ in entries}
    missing = [path for path, *_ in entries if path not in state]
    unexpected = [path for path in state if path not in known]
    problems = []
    if strict and missing:
        problems.append(f"missing keys {', '.join(map(repr, missing))}")
    if strict and unexpected:
        problems.append(f"unexpected keys {', '.join(map(repr, unexpected))}")
    arrays = {path: np.asarray(plain(state[path])) for path, *_ in entries if path in state}
    for path, value, _, _ in entries:
        if path not in arrays:
            continue
        got, wanted = arrays[path], plain(value)
        if got.shape != wanted.shape:
            problems.append(f"{path!r} of shape {got.shape} where {wanted.shape} is wanted")
        elif not np.can_cast(got.dtype, wanted.dtype, "same_kind"):
            problems.append(f"{path!r} of dtype {got.dtype} where {wanted.dtype} is wanted")
    if problems:
        raise ValueError(
            f"load_state_dict: wanted the state of this {cls}, got {'; '.join(problems)}; nothing "
            f"was changed: build the model with the arguments it was saved with, or pass "
            f"strict=False for a partial state"
        )
    replaced: dict[int, Any] = {}
    for path, value, owner, name in entries:
        if path not in arrays:
            continue
        if isinstance(value, Parameter):
            value.data[...] = arrays[path]
            value.mark_changed()
        else:
            # A new array, because a recorded graph may have saved the old one; one for all owners.
            new = replaced.setdefault(id(value), arrays[path].astype(value.dtype, copy=True))
            object.__setattr__(owner, name, new)
    return IncompatibleKeys(missing, unexpected)


def convert(parameter: Parameter, dtype: np.dtype[Any]) -> None:
    """Give a parameter data of another dtype: the same object, a fresh leaf without gradient."""
    requires_grad, name = parameter.requires_grad, parameter.name
    Variable.__init__(parameter, parameter.data.astype(dtype), requires_grad, name=name)
