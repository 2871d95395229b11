"""The grad switch: whether operations are recorded, per thread. Imports the standard library only.

`mode.recording` is read once per recorded operation. It is True (record), False (do not) or a
callable: record, and tell the callable about every new node (forward mode and the debug mode
    listen this way).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
Observer = Callable[[Any, tuple[Any, ...]], None]


class _Mode(threading.local):
    """Thread-local state; a class attribute is the default, so every new thread starts with
    recording on.
    """

    recording: bool | Observer = True
    inspector: Any = None  # the debug mode, while it is on


mode = _Mode()


def is_grad_enabled() -> bool:
    """Tell whether operations on Variables that require a gradient are recorded in this thread."""
    return bool(mode.recording)


class set_grad_enabled:  # noqa: N801 - reads as a function, as in PyTorch
    """Switch recording on or off: as a context manager, a decorator, or (the plain call) until
    further notice.

    Example:
        >>> import autograd
        >>> x = autograd.Variable(2.0, requires_grad=True)
        >>> with autograd.set_grad_enabled(False):
        ...     (x * x).requires_grad
        False
    """

    def __init__(self, enabled: bool | Observer) -> None:
        self._previous = [mode.recording]
        self._enabled = enabled
        mode.recording = enabled

    def __enter__(self) -> None:
        self._previous.append(mode.recording)
        mode.recording = self._enabled

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._previous.pop()
        mode.recording = self._previous[0]

    def __call__(self, function: F) -> F:
        mode.recording = self._previous[0]
        return _decorate(function, self._enabled)


class _Switch:
    """A reusable, re-entrant switch to a fixed setting; `no_grad` and `enable_grad` differ in
    nothing else.
    """

    _enabled: bool

    def __init__(self) -> None:
        self._previous: list[bool | Observer] = []

    def __enter__(self) -> None:
        previous = mode.recording
        self._previous.append(previous)
        # An observer that listens already goes on listening: True means "record", not "stop
        # telling".
        mode.recording = (previous or True) if self._enabled else False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        mode.recording = self._previous.pop()

    def __call__(self, function: F) -> F:
        return _decorate(function, self._enabled)


class no_grad(_Switch):  # noqa: N801 - reads as a function, as in PyTorch
    """Record nothing inside: a context manager, or a decorator (`@no_grad()` or `@no_grad`).

    Example:
        >>> import autograd
        >>> x = autograd.Variable(2.0, requires_grad=True)
        >>> with autograd.no_grad():
        ...     (x * x).requires_grad
        False
    """

    _enabled = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        return super().__new__(cls) if function is None else _decorate(function, cls._enabled)


class enable_grad(_Switch):  # noqa: N801
    """Record inside, also within `no_grad`: a context manager, or a decorator (`@enable_grad()` or
    `@enable_grad`).
    """

    _enabled = True

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        return super().__new__(cls) if function is None else _decorate(function, cls._enabled)


def _decorate(function: F, enabled: bool | Observer) -> F:
    if getattr(getattr(function, "__code__", None), "co_flags", 0) & _GENERATOR:

        @functools.wraps(function)
        def generate(*args: Any, **kwargs: Any) -> Any:
            return _steps(function(*args, **kwargs), enabled)

        return generate  # type: ignore[return-value]

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        previous = mode.recording
        mode.recording = enabled
        try:
            return function(*args, **kwargs)
        finally:
            mode.recording = previous

    return wrapper  # type: ignore[return-value]


_GENERATOR = 0x20  # the flag of a generator function's code, as inspect.CO_GENERATOR


def _steps(generator: Generator[Any, Any, Any], enabled: bool | Observer) -> Any:
    """Run each step of a generator in the mode, and what its caller does between them outside."""
    step, argument = generator.send, None
    while True:
        previous = mode.recording
        mode.recording = enabled
        try:
            value = step(argument)
        except StopIteration as end:
            return end.value
        finally:
            mode.recording = previous
        try:
            argument = yield value
        except BaseException as error:  # noqa: BLE001 - the generator decides what to do with it
            step, argument = generator.throw, error
        else:
            step = generator.send
