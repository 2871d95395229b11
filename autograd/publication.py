"""What public functions are called, where they live and what `help` says of them.

A function is made in a room of its own and is public in the package that lists it: `autograd.exp`
is made by `unary` in `ops.elementwise`. `publish` gives it that address, so that it can be pickled,
and the signature and the text of its entry in `docstrings`. Imports the standard library only.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Collection, Iterable, Mapping
from types import FunctionType

from autograd.docstrings import TABLES, Entry

__all__ = ["publish"]

_packages: set[str] = set()
_promised: dict[str, Collection[str]] = {}  # names that outer packages take of inner ones


def publish(
    package: str,
    names: Iterable[str] = (),
    *,
    promised: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Say of the functions that `package` lists in its `__all__` that they live there.

    One that is in several packages lives in the outermost: `autograd.linalg.matmul` is
    `autograd.matmul`. One that has several names keeps its own: `autograd.abs` is `absolute`.

    Args:
        package: as it is imported.
        names: those to publish, by default all that it has already.
        promised: names that it will have on demand, by the module inside that has them.
    """
    _packages.add(package)
    _promised.update({f"{package}.{room}": taken for room, taken in (promised or {}).items()})
    table = TABLES.get(package, {})
    contents = vars(sys.modules[package])
    for name in names or contents["__all__"]:
        function = contents.get(name)
        if type(function) is not FunctionType or _is_numpys(function):
            continue
        own = function.__name__.rpartition(".")[2]
        home = function.__module__
        is_outer = home in _packages and home != package and home.count(".") <= package.count(".")
        if own in table and (not is_outer or own not in TABLES.get(home, {})):
            _describe(function, table[own])
        if is_outer:
            continue
        outer = package.rpartition(".")[0]
        function.__module__ = outer if name in _promised.get(package, ()) else package
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
