"""Guards: what a function reads outside that is no array, and a trace therefore bakes in.

Which names a function reads stands in its code: those that are found in its globals, in its
closure, or as attributes of objects found there (modules, configurations, `self`) are looked up
before the trace, and again before each run. Functions that are found are read likewise. Numbers,
strings and small containers of them are compared, anything else must be the same object. Second
file to read; imports Variables and NumPy.
"""

from __future__ import annotations

import dis
import functools
import itertools
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from autograd.variable import Variable

__all__ = ["ARRAYS", "PLAIN", "Guard", "Same", "changed", "content", "frozen", "guards_of"]

_MANY = 256  # elements of a container that are compared; a longer one has to be the same
_MISSING = object()
_WRITING = ("add", "append", "extend")
_SLOT = types.MemberDescriptorType
_NUMBERS = (bool, int, float, complex, np.generic)
PLAIN = (*_NUMBERS, str, bytes, type(None))
ARRAYS = (Variable, np.ndarray, np.generic)
_LIBRARIES = {*sys.stdlib_module_names, "numpy", "scipy", "autograd", "nn", "optim"} - {"__main__"}


class Guard(NamedTuple):
    """What a name meant: `get()` tells what it means now."""

    name: str
    get: Callable[[], Any]
    held: Any
    parts: list[tuple[Any, list[Any]]]  # containers in it, with what they held
    form: Any


class Same:
    """What only is equal to itself; keeps it alive."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def __hash__(self) -> int:
        return id(self.held)

    def __eq__(self, other: object) -> bool:
        return type(other) is Same and other.held is self.held


def frozen(x: Any) -> Any:
    """Return what two values have in common that one program serves: equal, with a hash."""
    kind: Any = type(x)
    if isinstance(x, _NUMBERS):
        return kind, repr(x)  # which tells 0.0 and -0.0 apart, and finds nan equal to itself
    if kind is str or x is None:
        return x
    if kind in (list, tuple, dict, set) and len(x) <= _MANY:
        if kind is set:
            return kind, frozenset(map(frozen, x))
        if kind is dict:
            return kind, tuple((frozen(k), frozen(v)) for k, v in x.items())
        return kind, tuple(map(frozen, x))
    return Same(x)


def changed(guards: Iterable[Guard]) -> str | None:
    """Return the first name that means something else now."""
    for name, get, held, parts, form in guards:
        now = get()
        if now is held and (not parts or _unchanged(parts)):
            continue
        if frozen(now) != form:
            return name
    return None


def _unchanged(parts: list[tuple[Any, list[Any]]]) -> bool:
    """Tell whether containers hold the same objects: in a tenth of the time of `frozen`."""
    return all(len(now) == len(then) and all(map(is_, now, then)) for now, then in parts)


def _containers(x: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Yield what lists, tuples, dicts and sets in `x` hold, in views that follow what happens."""
    if type(x) in (list, tuple, dict, set) and len(x) <= _MANY:
        for view in (x, x.values()) if type(x) is dict else (x,):
            yield view, list(view)
            for part in view:
                yield from _containers(part)


def guards_of(*roots: Any) -> list[Guard]:
    """Return a guard for each name that functions and objects are seen to read outside."""
    names: set[str] = set()
    while True:  # a function that is found may read attributes of an object seen before
        reader, count = _Reader(names), len(names)
        for root in roots:
            reader.visit(root)
        if len(names) == count:
            return list(reader.guards.values())


class _Reader:
    def __init__(self, names: set[str]) -> None:
        self.names = names  # all that the code of the functions found names
        self.guards: dict[Any, Guard] = {}
        self.seen: dict[int, Any] = {}

    def visit(self, x: Any) -> None:
        """Read what can be reached from `x`."""
        if id(x) in self.seen or isinstance(x, (*PLAIN, *ARRAYS)):
            return
        self.seen[id(x)] = x
        inner = vars(x).get("__wrapped__") if hasattr(x, "__dict__") else None
        if inner is not None:
            self.visit(inner)
        elif isinstance(x, types.FunctionType):
            self._function(x)
        elif isinstance(x, types.MethodType):
            self.visit((x.__func__, x.__self__))
        elif isinstance(x, functools.partial):
            self.visit((x.func, x.args, x.keywords))
        elif isinstance(x, (staticmethod, classmethod)):
            self.visit(x.__func__)
        elif isinstance(x, property):
            self.visit(x.fget)
        elif isinstance(x, (list, tuple, dict)):
            for part in x.values() if isinstance(x, dict) else x if len(x) <= _MANY else ():
                self.visit(part)
        elif not _of_a_library(x):
            self._object(x)

    def _function(self, function: Any) -> None:
        code, ours = function.__code__, _of_a_library(function)
        parts, scope = list(_parts(code)), function.__globals__
        read = set[str]().union(*map(_read, parts))
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            if ours:  # as of `autograd.grad(f)`
                self.visit(content(cell))
            elif name in read:
                self._guard((id(cell), ""), name, functools.partial(content, cell))
        if ours:
            return
        self.names.update(name for part in parts for name in part.co_names)
        for name in read & scope.keys():
            self._guard((id(scope), name), name, functools.partial(scope.get, name, _MISSING))
        for name in ("__defaults__", "__kwdefaults__"):
            if getattr(function, name):
                get = functools.partial(getattr, function, name)
                self._guard((id(function), name), f"{function.__name__}.{name}", get)

    def _object(self, x: Any) -> None:
        """Guard the attributes of an object, class or module that have a name in question."""
        own = getattr(x, "__dict__", {})
        kinds = (x if isinstance(x, type) else type(x)).__mro__
        shared = {n: v for c in reversed(kinds) if not _of_a_library(c) for n, v in vars(c).items()}
        if not isinstance(x, type):
            self.visit([shared.get(name) for name in ("__call__", "forward")])
        for name in self.names & {*own, *shared}:
            value = own.get(name, shared.get(name))
            if name not in own and hasattr(value, "__get__") and type(value) is not _SLOT:
                self.visit(value)  # a method, or a property
            else:
                what = f"{getattr(x, '__name__', type(x).__name__)}.{name}"
                self._guard((id(x), name), what, functools.partial(getattr, x, name, _MISSING))

    def _guard(self, key: Any, name: str, get: Callable[[], Any]) -> None:
        value = get()
        if isinstance(value, (types.ModuleType, type)) and _of_a_library(value):
            return
        if key not in self.guards:
            self.guards[key] = Guard(name, get, value, list(_containers(value)), frozen(value))
        self.visit(value)


def _parts(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield code, and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _parts(constant)


def _read(code: types.CodeType) -> set[str]:
    """Return the globals and closed-over names that code reads, but to append to them."""
    steps = [i for i in dis.get_instructions(code) if i.opname not in ("CACHE", "PUSH_NULL")]
    return {
        step.argval
        for step, after in itertools.pairwise(steps)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF")
        and not (after.opname in ("LOAD_METHOD", "LOAD_ATTR") and after.argval in _WRITING)
    }


def content(cell: Any) -> Any:
    """Return what a cell of a closure holds."""
    try:
        return cell.cell_contents
    except ValueError:  # nothing yet
        return _MISSING


def _of_a_library(x: Any) -> bool:
    """Tell whether a function, class, module or object comes from a library that is known."""
    kind = x if isinstance(x, (type, types.FunctionType)) else type(x)
    home = x.__name__ if isinstance(x, types.ModuleType) else kind.__module__
    return (home or "").partition(".")[0] in _LIBRARIES
