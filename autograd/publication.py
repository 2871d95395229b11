"""What public functions are called, where they live and what `help` says of them.

A function is made in a room of its own and is public in the package that lists it: `autograd.exp`
is made by `unary` in `ops.elementwise`. `publish` gives it that address, so that it can be pickled,
and the signature and the text of its entry in `docstrings`. Imports the standard library only.
"""

from __future__ import annotations

import functools
import inspect
import sys
from types import FunctionType

from autograd.docstrings import TABLES, Entry

__all__ = ["publish"]

_packages: set[str] = set()


def publish(package: str) -> None:
    """Say of the functions that `package` lists in its `__all__` that they live there.

    One that is in several packages lives in the outermost: `autograd.linalg.matmul` is
    `autograd.matmul`. One that has several names keeps its own: `autograd.abs` is `absolute`.
    """
    _packages.add(package)
    table = TABLES.get(package, {})
    contents = vars(sys.modules[package])
    for name in contents["__all__"]:
        function = contents[name]
        if type(function) is not FunctionType or _is_numpys(function):
            continue
        own = function.__name__.rpartition(".")[2]
        if own in table:
            _describe(function, table[own])
        home = function.__module__
        if home in _packages and home != package and home.count(".") <= package.count("."):
            continue
        function.__module__ = package
        function.__name__ = function.__qualname__ = own if contents.get(own) is function else name


def _is_numpys(function: FunctionType) -> bool:
    """Tell whether a function is one of NumPy itself, as `fft.fftfreq`."""
    return str(function.__globals__["__name__"]).startswith("numpy.")


def _describe(function: FunctionType, entry: Entry) -> None:
    function.__doc__ = entry.docstring()
    if len(entry.derivatives) > 1 or (entry.derivatives and hasattr(function, "__wrapped__")):
        # Operands have other names inside; a ufunc without rules takes its keywords, too.
        keywords = hasattr(function, "__wrapped__")
        function.__signature__ = _signature(*entry.derivatives, keywords=keywords)  # type: ignore[attr-defined]


@functools.cache
def _signature(*operands: str, keywords: bool) -> inspect.Signature:
    """Return the signature of a function of operands by position."""
    kind = inspect.Parameter.POSITIONAL_ONLY
    parameters = [inspect.Parameter(name, kind) for name in operands]
    if keywords:
        parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD))
    return inspect.Signature(parameters)
