"""Checks of what a user hands to an optimizer: hyperparameters and parameters.

Imports `autograd` only. Every check raises one sentence that says what was wanted, what came, and
what to write instead.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograd import Variable

__all__ = [
    "check_options",
    "check_parameter",
    "check_spelling",
    "list_groups",
    "plain_number",
    "plain_options",
    "split_names",
]

# What schedulers and users add to a group beside the options of the algorithm.
_COMPANIONS = frozenset(
    {"params", "param_names", "initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum"}
)


def plain_number(value: Any) -> Any:
    """Return NumPy scalars, 0-d arrays and scalar Variables as Python numbers, the rest as it is.

    A NumPy float64 scalar as learning rate would promote every float32 product to float64; a
    Python float takes the dtype of the array it meets.
    """
    if isinstance(value, (np.generic, Variable)) or (
        isinstance(value, np.ndarray) and value.ndim == 0
    ):
        return value.item()
    if isinstance(value, (list, tuple)):
        return tuple(plain_number(entry) for entry in value)
    return value


def plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a group, without its parameters and their names, as plain numbers."""
    return {
        name: plain_number(value)
        for name, value in options.items()
        if name not in ("params", "param_names")
    }


def check_options(
    owner: str, options: Mapping[str, Any], limits: Mapping[str, tuple[float, float]]
) -> None:
    """Check that each option lies in its half-open interval; a tuple is checked entry by entry.

    Args:
        owner: name of the optimizer, for the error.
        options: option name -> number or tuple of numbers.
        limits: option name -> (low, high), meaning low <= option < high.

    Raises:
        TypeError: an option is not a real number.
        ValueError: an option lies outside its interval.
    """
    for name, (low, high) in limits.items():
        value = options[name]
        for number in value if isinstance(value, tuple) else (value,):
            if not isinstance(number, (int, float)):
                raise TypeError(
                    f"{owner}: wanted a real number for {name}, got {type(number).__name__}"
                )
            if not low <= number < high:
                interval = f"{name} >= {low:g}" if math.isinf(high) else f"{low:g} <= {name} < 1"
                raise ValueError(f"{owner}: wanted {interval}, got {value!r}")


def check_spelling(owner: str, group: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Refuse a group key that looks like a misspelt option; other extra keys are the user's.

    Raises:
        ValueError: a key is not an option, but nearly one.
    """
    for key in group:
        if key in defaults or key in _COMPANIONS:
            continue
        near = difflib.get_close_matches(key, defaults, n=1, cutoff=0.85)
        if near:
            raise ValueError(
                f"{owner}: a parameter group has no option {key!r}; did you mean {near[0]!r}?"
            )


def check_parameter(owner: str, label: str, parameter: object) -> None:
    """Check that something is a leaf Variable that collects a gradient.

    Raises:
        TypeError: it is no Variable.
        ValueError: it is the result of an operation, or does not require a gradient.
    """
    if not isinstance(parameter, Variable):
        raise TypeError(
            f"{owner}: wanted Variables as parameters, got {type(parameter).__name__} as {label}; "
            "pass model.parameters(), or a list of Variables"
        )
    if not parameter.is_leaf:
        raise ValueError(
            f"{owner}: {label} is the result of an operation, and only leaves can be optimized; "
            "pass the Variables it was computed from, or make a new leaf of it with "
            "Variable(x.numpy().copy(), requires_grad=True)"
        )
    if not parameter.requires_grad:
        raise ValueError(
            f"{owner}: {label} does not require a gradient, so it would never change; create it "
            "with requires_grad=True or leave it out of the list"
        )


def list_groups(owner: str, params: object) -> list[dict[str, Any]]:
    """Return what a user handed to an optimizer as parameter groups, not yet checked.

    Raises:
        TypeError: a single Variable, where a list is meant.
    """
    if isinstance(params, Variable):
        raise TypeError(f"{owner}: wanted an iterable of Variables, got a single one; write [x]")
    if isinstance(params, dict):
        raise TypeError(
            f"{owner}: wanted an iterable of Variables or of groups, got a dict; for one group "
            "write [{'params': ...}], for a state_dict pass its values()"
        )
    entries = params if isinstance(params, (set, frozenset)) else _listed(owner, params)
    if entries and all(isinstance(entry, dict) for entry in entries):
        return list(entries)
    return [{"params": entries}] if entries else []


def _listed(owner: str, params: object) -> list[Any]:
    if not isinstance(params, Iterable):
        raise TypeError(
            f"{owner}: wanted an iterable of Variables, got {type(params).__name__}; "
            "pass model.parameters() or a list"
        )
    return list(params)


def split_names(owner: str, params: object) -> tuple[list[Any], list[str] | None]:
    """Return the parameters of a group as a list, with their names where pairs were given.

    Args:
        owner: name of the optimizer, for the error.
        params: a Variable, an iterable of Variables, or of (name, Variable) pairs.

    Raises:
        TypeError: `params` is not iterable, or a set, whose order changes from run to run.
        ValueError: some entries are pairs and some are not.
    """
    if isinstance(params, Variable):
        return [params], None
    if isinstance(params, (set, frozenset)):
        raise TypeError(
            f"{owner}: wanted parameters in a fixed order, got a set, whose order changes from run "
            "to run; pass a list"
        )
    entries = _listed(owner, params)
    pairs = [entry for entry in entries if isinstance(entry, tuple)]
    if not pairs:
        return entries, None
    if len(pairs) != len(entries) or any(len(p) != 2 or not isinstance(p[0], str) for p in pairs):
        raise ValueError(
            f"{owner}: wanted either Variables or (name, Variable) pairs, got a mixture; "
            "pass model.named_parameters() or model.parameters()"
        )
    return [parameter for _, parameter in pairs], [name for name, _ in pairs]
