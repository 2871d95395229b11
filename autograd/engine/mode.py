"""The mode: whether calls are recorded, and who watches them. First file to read.

A `Mode` is a value, never changed, in a context variable: each thread and each asyncio task has its
own, and reading it takes 20 ns. Imports the standard library and `run_inside`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar

from autograd._decorators import run_inside

__all__ = ["Mode", "Observer", "current_mode", "enable_grad", "is_grad_enabled", "no_grad",
           "set_grad_enabled", "watching"]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])
# Called with (primitive, arguments in the order of its parameters, output) after every call of an
# operation that has a Variable among its arguments.
Observer: TypeAlias = Callable[[Any, tuple[Any, ...], Any], None]


class Mode:
    """How calls are treated here and now."""

    recording: bool = True  # whether operations on Variables that require a gradient are recorded
    observers: tuple[Observer, ...] = ()  # told of every call, whether or not it is recorded
    # An observer asks to see whole programs: operations without rules return Variables, and no
    # branch may be taken on a value.
    tracing: bool = False
    inspector: Callable[..., Any] | None = None  # replaces the rules in backward passes (debug)
    outer: Any = None  # the mode to return to; None outside of every `with`
    changes: Any = None  # what a switch has changed, which tells whose mode it is

    def __init__(self, like: Mode | None = None, **changes: Any) -> None:
        for name in Mode.__annotations__:  # not a NamedTuple: `record` reads these 20 ns faster
            setattr(self, name, changes.get(name, getattr(like or Mode, name)))


_MODE: ContextVar[Mode] = ContextVar("mode", default=Mode())  # noqa: B039 - never changed
current_mode = _MODE.get


def is_grad_enabled() -> bool:
    """Tell whether operations on Variables that require a gradient are recorded here."""
    return current_mode().recording


class _Switch:
    """A change of mode, as a context manager or a decorator; one object may be used many times, in
    several threads and tasks, nested.
    """

    _changes: Any = None  # for `__del__`, where Ctrl-C has struck in `__init__`
    _called: Mode | None = None  # the mode that holds until further notice
    _before: Mode

    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    def __enter__(self) -> Any:
        self._take_back()
        outer = current_mode()
        _MODE.set(Mode(outer, **self._changes, outer=outer, changes=self._changes))
        return self

    def __exit__(self, *error: object) -> None:
        mode = current_mode()
        _MODE.set(mode.outer or mode)

    def __del__(self) -> None:
        """Leave what was not left: Ctrl-C can strike where `__exit__` has not begun."""
        mode = current_mode()
        while mode.outer is not None and mode.changes is not self._changes:
            mode = mode.outer
        if mode.outer is not None:
            _MODE.set(mode.outer)

    def __repr__(self) -> str:
        names = {False: "no_grad()", True: "enable_grad()"}
        observer = self._changes.get("observers", (None,))[-1]
        return names.get(self._changes.get("recording"), getattr(observer, "name", "watching()"))

    def __call__(self, function: F) -> F:
        """Decorate a function, coroutine function or (asynchronous) generator function."""
        self._take_back()
        return run_inside(functools.partial(_Switch, **self._changes), function)

    def _call(self) -> _Switch:
        """Change the mode until further notice."""
        self._before = current_mode()
        self._called = Mode(self._before, **self._changes)
        _MODE.set(self._called)
        return self

    def _take_back(self) -> None:
        """Undo that, where nothing was switched since; `with` and a decorator mean no more."""
        if current_mode() is self._called:
            _MODE.set(self._before)


def set_grad_enabled(enabled: bool) -> _Switch:
    """Switch recording on or off: as a context manager, a decorator, or (the plain call) until
    further notice.

    Example:
        >>> import autograd
        >>> x = autograd.Variable(2.0, requires_grad=True)
        >>> with autograd.set_grad_enabled(False):
        ...     (x * x).requires_grad
        False

    Raises:
        TypeError: neither True nor False.
    """
    if getattr(enabled, "ndim", 0) or enabled not in (True, False):
        kind = type(enabled).__name__
        raise TypeError(f"set_grad_enabled: wanted True or False, got {enabled!r:.40} ({kind})")
    return _Switch(recording=bool(enabled))._call()


def no_grad(function: Callable[..., Any] | None = None) -> _Switch:
    """Record nothing inside: a context manager, or a decorator (`@no_grad()` or `@no_grad`).

    Example:
        >>> import autograd
        >>> x = autograd.Variable(2.0, requires_grad=True)
        >>> with autograd.no_grad():
        ...     (x * x).requires_grad
        False
    """
    switch = _Switch(recording=False)
    return switch if function is None else switch(function)  # type: ignore[return-value]


def enable_grad(function: Callable[..., Any] | None = None) -> _Switch:
    """Record inside, also within `no_grad`: a context manager, or a decorator (`@enable_grad()` or
    `@enable_grad`).
    """
    switch = _Switch(recording=True)
    return switch if function is None else switch(function)  # type: ignore[return-value]


def watching(
    observer: Observer | None = None, *, tracing: bool = False, inspector: Any = None
) -> _Switch:
    """Return a context manager in which `observer` is told of every call, beside the observers that
    are, and `inspector` runs the rules of backward passes.
    """
    mode = current_mode()
    return _Switch(
        observers=mode.observers if observer is None else (*mode.observers, observer),
        tracing=tracing or mode.tracing,
        inspector=inspector or mode.inspector,
    )
