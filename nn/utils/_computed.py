"""Attributes that one module computes from others: below parametrizations, norms and pruning.

The module gets a class of its own, a subclass of the one it had, whose property stands before the
attribute. So every reader sees the value of now, and nothing has to run before `forward`. Classes
are made anew and never changed, because copies of a module share them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nn._module import Module
from nn._parameter import Parameter

__all__ = ["compute", "computed", "fixed", "original_class", "parameter_of", "restore"]


def compute(
    module: Module,
    name: str,
    get: Callable[[Any], Any],
    put: Callable[[Any, Any], None],
    prefix: str = "",
) -> None:
    """Make `module.name` what `get(module)` returns, and its assignment a call of `put`.

    Args:
        module: the one module that changes.
        name: the attribute; what it held before has been removed.
        get: a function of the module; it must not refer to it otherwise, as copies keep it.
        put: a function of the module and a value.
        prefix: of the name of the module's class.
    """
    _dress(module, {**computed(module), name: property(get, put)}, prefix)


def restore(module: Module, name: str) -> None:
    """Make `module.name` an ordinary attribute again, which is still to be assigned."""
    _dress(module, {n: p for n, p in computed(module).items() if n != name})


def computed(module: Module) -> dict[str, property]:
    """Return the computed attributes of a module."""
    found: dict[str, property] = vars(type(module)).get("_computed", {})
    return found


def original_class(module: Module) -> type[Module]:
    """Return the class that the module had before any attribute was computed."""
    return type(module).__mro__[1] if computed(module) else type(module)


def parameter_of(operation: str, module: Module, name: str) -> Parameter:
    """Return a parameter of the module itself.

    Raises:
        ValueError: where there is none of this name.
    """
    found = vars(module).get(name)
    if isinstance(found, Parameter):
        return found
    raise ValueError(
        f"{operation}: wanted the name of a parameter of {type(module).__name__}, got {name!r}"
    )


def fixed(name: str, sources: str) -> Callable[[Any, Any], None]:
    """Return the `put` of an attribute that cannot be assigned."""

    def put(module: Any, _value: Any) -> None:
        raise AttributeError(
            f"{type(module).__name__}.{name}: wanted no assignment, because it is computed from "
            f"{sources}; change those, or remove what computes it first"
        )

    return put


def _dress(module: Module, properties: dict[str, property], prefix: str = "") -> None:
    base = original_class(module)
    cls = base
    if properties:
        before = type(module).__name__.removesuffix(base.__name__)
        entries = {**properties, "_computed": properties, "__module__": base.__module__}
        cls = type((prefix or before) + base.__name__, (base,), entries)
    object.__setattr__(module, "__class__", cls)
