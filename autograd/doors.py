"""Namespaces for code written for others: all names of NumPy or SciPy, recorded functions in front.

A name is looked up in the registry when it is first used, so that the doors cannot fall behind and
cost nothing to import. Without a Variable among its arguments, also in lists, a function is
NumPy's or SciPy's own. Imports `protocols` and what is older.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import numpy as np

from autograd import ops
from autograd._optional import require
from autograd.engine.calls import holds_variable, unwrap_all
from autograd.protocols.functions import (
    HANDLERS,
    PLAIN,
    QUESTIONS,
    array_function,
    open_rooms,
    parameters,
)

__all__ = ["distributions", "draws", "numpys", "requires_gradient", "scipys", "serve"]

_Find = Callable[[str], Any]
_LISTS = frozenset({list, tuple})


def serve(
    package: str, theirs: Any, find: _Find, more: Iterable[str]
) -> tuple[_Find, Any, list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of the module `package`.

    Args:
        package: the module, in which a name that has been looked up stays.
        theirs: the module whose public names it has.
        find: returns what a name stands for, or raises AttributeError.
        more: names besides.
    """
    public = {name for name in dir(theirs) if not name.startswith("_")} | {*more}

    def get(name: str) -> Any:
        if name not in public and name != "__version__":
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = find(name)
        setattr(sys.modules[package], name, found)
        return found

    return get, lambda: sorted(public), sorted(public)


def numpys(package: str, ours: Any) -> tuple[_Find, Any, list[str]]:
    """Return what `serve` does for a module of NumPy: `ours` is the room of its counterparts."""
    theirs = importlib.import_module(package.removeprefix("autograd."))
    open_rooms()

    def find(name: str) -> Any:
        found = getattr(theirs, name, None)
        if isinstance(found, ModuleType) and f"{package}.{name}" in _DOORS:
            return importlib.import_module(f"{package}.{name}")
        if found is None or isinstance(getattr(ours, name, None), _TAKEN_OVER):
            return getattr(ours, name, found)
        if isinstance(found, np.ufunc):
            return _ufunc(found, package)
        known = callable(found) and not isinstance(found, (type, ModuleType))
        if known and (found in HANDLERS or found in QUESTIONS or found in PLAIN):
            return _function(found, package, joins=name in _JOINING)
        return found

    return serve(package, theirs, find, ours.__all__)


_DOORS = {"autograd.numpy.fft", "autograd.numpy.linalg", "autograd.numpy.random"}
# What takes a sequence of arrays, in code written for HIPS autograd also a generator or a map.
_JOINING = {"concat", "concatenate", "stack"}
# What is ours though no function: `r_`, `c_` and `vectorize`.
_TAKEN_OVER = (type(ops.r_), type)


# What the texts of NumPy and SciPy close with; run from here they would be ours to keep right.
_EXAMPLES = re.compile(r"\n *Examples\n|>>>")


def _named(call: Any, function: Any, package: str) -> Any:
    functools.update_wrapper(call, function)
    call.__doc__ = _EXAMPLES.split(function.__doc__ or "")[0]
    call.__module__, call.__qualname__ = package, function.__name__
    return call


def _function(function: Any, package: str, *, joins: bool) -> Any:
    """Return a function of NumPy that looks for Variables in lists, too."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if joins and args and hasattr(args[0], "__next__"):
            args = [*args[0]], *args[1:]
        if holds_variable(args) or (kwargs and holds_variable(kwargs)):
            return array_function(None, function, (), args, kwargs)
        return function(*args, **kwargs)

    return _named(call, function, package)


def _ufunc(ufunc: np.ufunc, package: str) -> Any:
    """Return a ufunc of NumPy, with its methods, that looks for Variables in lists, too."""
    call = _of_lists(ufunc)
    for name in dir(ufunc):
        if not name.startswith("_"):
            value = getattr(ufunc, name)
            setattr(call, name, _of_lists(value) if callable(value) else value)
    return _named(call, ufunc, package)


def _of_lists(function: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        for x in args:
            if x.__class__ in _LISTS and holds_variable(x):
                args = tuple(ops.asarray(x) if x.__class__ in _LISTS else x for x in args)
                break
        return function(*args, **kwargs)

    return call


def draws(package: str, theirs: Any, ours: Any) -> tuple[_Find, Any, list[str]]:
    """Return what `serve` does for `numpy.random`: `ours` has draws that gradients flow through."""

    def find(name: str) -> Any:
        found = getattr(theirs, name)
        if not inspect.isroutine(found):
            return found
        return _draw(found, getattr(ours, name, None), ours, package)

    return serve(package, theirs, find, ())


def _draw(theirs: Any, mine: Any, ours: Any, package: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        if not holds_variable((args, kwargs)):
            return theirs(*args, **kwargs)
        if not requires_gradient([*args, *kwargs.values()]):
            return theirs(*unwrap_all(args), **unwrap_all(kwargs))
        if mine is None:
            raise TypeError(
                f"random.{theirs.__name__}: wanted parameters without a gradient, got a Variable "
                "that requires one, which no draw could pass on (those of "
                f"{', '.join(ours.__all__)} do); write .detach() to draw without it"
            )
        return mine(*map(_joined, args), **{key: _joined(x) for key, x in kwargs.items()})

    return _named(call, theirs, package)


def requires_gradient(value: Any) -> bool:
    """Tell whether a value, or something in a list, requires a gradient."""
    if isinstance(value, (list, tuple)):
        return any(map(requires_gradient, value))
    return bool(getattr(value, "requires_grad", False)) and holds_variable(value)


def _joined(x: Any) -> Any:
    return ops.asarray(x) if isinstance(x, (list, tuple)) and holds_variable(x) else x


def scipys(package: str, ours: Any) -> tuple[_Find, Any, list[str]]:
    """Return what `serve` does for a module of SciPy: `ours` is the room of its counterparts."""
    theirs = require(package.removeprefix("autograd."), extra="special")

    def find(name: str) -> Any:
        mine = getattr(ours, name) if name in ours.__all__ else None
        found = getattr(theirs, name, None) if mine is not None else getattr(theirs, name)
        if mine is None or isinstance(found, np.ufunc):  # SciPy's ufuncs know Variables
            return found
        return mine if found is None else _of_scipy(found, mine, package)

    return serve(package, theirs, find, ours.__all__)


def distributions(package: str, ours: Any) -> None:
    """Make modules of the distributions in the room `ours`: recorded functions, and the methods
    that only SciPy's distributions have.
    """
    for name in ours.__all__:
        made: Any = ModuleType(f"{package}.{name}", getattr(ours, name).__doc__)
        sys.modules[made.__name__] = made
        setattr(sys.modules[package], name, made)
        mine, theirs = getattr(ours, name), getattr(require("scipy.stats", extra="special"), name)
        found = functools.partial(_first, mine, theirs)
        made.__getattr__, made.__dir__, made.__all__ = serve(
            made.__name__, theirs, found, mine.__all__
        )


def _first(mine: Any, theirs: Any, name: str) -> Any:
    return getattr(mine, name) if name in mine.__all__ else getattr(theirs, name)


def _of_scipy(theirs: Any, ours: Any, package: str) -> Any:
    """Return a function of SciPy that is `ours` for Variables, and for keywords of ours alone."""
    names = parameters(theirs)[1]
    defaults = {name: p.default for name, p in inspect.signature(theirs).parameters.items()}

    def call(*args: Any, **kwargs: Any) -> Any:
        if not holds_variable((args, kwargs)) and names.issuperset(kwargs):
            return theirs(*args, **kwargs)
        return ours(*args, **_known(f"{package}.{ours.__name__}", ours, defaults, kwargs))

    return _named(call, theirs, package)


def _known(
    spelled: str, ours: Any, defaults: dict[str, Any], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Drop keywords that `ours` has not, where they say the default or how to compute."""
    taken = parameters(ours)[1]
    kept = {}
    for key, value in kwargs.items():
        if key in taken:
            kept[key] = value
        elif not (
            key == "check_finite"
            or key.startswith("overwrite_")
            or (key in defaults and value is defaults[key])
        ):
            raise TypeError(
                f"{spelled}: wanted arguments among {', '.join(sorted(taken))}, got "
                f"{key}, which has no recorded counterpart"
            )
    return kept
