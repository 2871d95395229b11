"""Functions of the array API standard, made of their signatures. Imports `ops`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import ops
from autograd.engine import graph

__all__ = ["as_variables", "on_cpu", "standard"]

_Find = Callable[[str], Any]
_LINE = re.compile(r"([\w ]+)\((.*)\)")


def standard(package: str, theirs: Any, signatures: str) -> tuple[_Find, Any, list[str]]:
    """Return `__getattr__`, `__dir__` and what belongs into `__all__` of a module of the standard.

    A function is made when it is first used: it calls NumPy's of the same name, which comes back to
    the recorded one where a Variable is among the arguments, and returns Variables always.

    Args:
        package: the module.
        theirs: NumPy's module of the same functions.
        signatures: lines of names, and the signature that they share.
    """
    known = {
        name: parameters
        for names, parameters in _LINE.findall(signatures)
        for name in names.split()
    }

    def get(name: str) -> Any:
        if name not in known:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        function = getattr(theirs, name, None) or getattr(ops, name)  # NumPy 2.0 lacks some
        made = _made(package, function, name, known[name])
        setattr(sys.modules[package], name, made)
        return made

    return get, lambda: sorted(sys.modules[package].__all__), list(known)


def _made(package: str, function: Any, name: str, parameters: str) -> Any:
    """Write the function that a person would write."""
    positional: list[str] = []
    named: list[str] = []
    optional: list[str] = []
    by_keyword = False
    for part in parameters.split(", "):
        spelled, _, default = part.partition("=")
        if part == "*":
            by_keyword = True
        elif part != "/" and by_keyword:
            (optional if default == "None" else named).append(spelled)
        elif part != "/":
            positional.append(spelled)
    keywords = [", ".join(f"'{n}': {n}" for n in names) for names in (named, optional)]
    source = (
        f"lambda {parameters}: call(function, [{', '.join(positional)}], "
        f"{{{keywords[0]}}}, {{{keywords[1]}}})"
    )
    made: Any = eval(source, {"call": _call, "function": function})  # noqa: S307 - our own text
    made.__name__ = made.__qualname__ = name
    made.__module__ = package
    made.__doc__ = (
        f"Return what `{getattr(function, '__module__', 'numpy')}.{name}` does, as Variables."
    )
    return made


def _call(function: Any, args: list[Any], named: dict[str, Any], optional: dict[str, Any]) -> Any:
    """Call a function of NumPy; among the optional ones None says what is the default there, too,
    under another name.
    """
    named.update({key: value for key, value in optional.items() if value is not None})
    return as_variables(function(*args, **named))


def as_variables(result: Any) -> Any:
    """Make Variables of arrays, also in tuples and lists."""
    if isinstance(result, (np.ndarray, np.generic)):
        return graph.wrap(result)
    if isinstance(result, (tuple, list)) and not isinstance(result, graph.Variable):
        parts = map(as_variables, result)
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return result


def on_cpu(what: str, device: Any) -> None:
    """Refuse devices other than the CPU.

    Raises:
        ValueError: `device` is neither None nor "cpu".
    """
    if device is not None and device != "cpu":
        raise ValueError(
            f"{what}: wanted device 'cpu', where all data are, got {device!r}; leave it out"
        )
