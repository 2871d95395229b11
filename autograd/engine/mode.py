"""The mode: whether calls are recorded, and who watches them. First file to read.

A `Mode` is a value, never changed, in a context variable: each thread and each asyncio task has its
own, and reading it takes 20 ns. Imports the standard library only.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias, TypeVar

# fmt: off
__all__ = ["Mode", "Observer", "current_mode", "enable_grad", "is_grad_enabled", "no_grad",
           "set_grad_enabled", "watching"]
# fmt: on

F = TypeVar("F", bound=Callable[..., Any])
# Called with (primitive, arguments in the order of its parameters, output) after every call of an
# operation that has a Variable among its arguments.
Observer: TypeAlias = Callable[[Any, tuple[Any, ...], Any], None]


class Mode(NamedTuple):
    """How calls are treated here and now."""

    recording: bool = True  # whether operations on Variables that require a gradient are recorded
    observers: tuple[Observer, ...] = ()  # told of every call, whether or not it is recorded
    # An observer asks to see whole programs: operations without rules return Variables, and no
    # branch may be taken on a value.
    tracing: bool = False
    inspector: Callable[..., Any] | None = None  # replaces the rules in backward passes (debug)
    outer: Any = None  # the mode to return to; None outside of every `with`


_MODE: ContextVar[Mode] = ContextVar("mode", default=Mode())  # noqa: B039 - never changed
current_mode = _MODE.get


def is_grad_enabled() -> bool:
    """Tell whether operations on Variables that require a gradient are recorded here."""
    return current_mode().recording


class _Switch:
    """A change of mode, as a context manager or a decorator; one object may be used many times, in
    several threads and tasks, nested.
    """

    _entered: list[Mode] = []  # noqa: RUF012 - for `__del__`, where Ctrl-C has struck in `__init__`

    def __init__(self, **changes: Any) -> None:
        self._changes = changes
        self._entered = []

    def __enter__(self) -> Any:
        outer = current_mode()
        mode = outer._replace(**self._changes, outer=outer)
        self._entered.append(mode)
        _MODE.set(mode)
        return self

    def __exit__(self, *error: object) -> None:
        mode = current_mode()
        _MODE.set(mode.outer or mode)
        self._entered = [entered for entered in self._entered if entered is not mode]

    def __del__(self) -> None:
        """Leave what was not left: Ctrl-C can strike where `__exit__` has not begun."""
        mode: Mode | None = current_mode()
        while mode is not None and not any(entered is mode for entered in self._entered):
            mode = mode.outer
        if mode is not None and mode.outer is not None:
            _MODE.set(mode.outer)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __call__(self, function: F) -> F:
        """Decorate a function, coroutine function or (asynchronous) generator function."""
        return _decorated(function, lambda: _Switch(**self._changes))


class set_grad_enabled(_Switch):  # noqa: N801 - reads as a function, as in PyTorch
    """Switch recording on or off: as a context manager, a decorator, or (the plain call) until
    further notice.

    Example:
        >>> import autograd
        >>> x = autograd.Variable(2.0, requires_grad=True)
        >>> with autograd.set_grad_enabled(False):
        ...     (x * x).requires_grad
        False
    """

    def __init__(self, enabled: bool) -> None:
        super().__init__(recording=enabled)
        self._before: Mode = current_mode()
        self._called: Mode | None = self._before._replace(recording=enabled)
        _MODE.set(self._called)

    def _take_back(self) -> None:
        """Undo the plain call, where nothing was switched since: more than that was meant."""
        if self._called is current_mode():
            _MODE.set(self._before)
        self._called = None

    def __enter__(self) -> Any:
        self._take_back()
        return super().__enter__()

    def __call__(self, function: F) -> F:
        """Decorate a function."""
        self._take_back()
        return super().__call__(function)


class no_grad(_Switch):  # noqa: N801
    """Record nothing inside: a context manager, or a decorator (`@no_grad()` or `@no_grad`).

    Example:
        >>> import autograd
        >>> x = autograd.Variable(2.0, requires_grad=True)
        >>> with autograd.no_grad():
        ...     (x * x).requires_grad
        False
    """

    _recording = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        """Decorate `function`, where it is there already."""
        return super().__new__(cls) if function is None else _decorated(function, cls)

    def __init__(self) -> None:
        super().__init__(recording=self._recording)


class enable_grad(no_grad):  # noqa: N801
    """Record inside, also within `no_grad`: a context manager, or a decorator (`@enable_grad()` or
    `@enable_grad`).
    """

    _recording = True


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


def _decorated(function: F, switch: Callable[[], _Switch]) -> F:
    def call(*args: Any, **kwargs: Any) -> Any:
        with switch():
            return function(*args, **kwargs)

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        with switch():
            return await function(*args, **kwargs)

    def steps(*args: Any, **kwargs: Any) -> Any:
        """Run each step of a generator in the mode, what its caller does between them outside."""
        generator = function(*args, **kwargs)
        step, argument = generator.send, None
        while True:
            try:
                with switch():
                    value = step(argument)
            except StopIteration as end:
                return end.value
            try:
                step, argument = generator.send, (yield value)
            except BaseException as error:  # noqa: BLE001 - the generator decides what to do with it
                step, argument = generator.throw, error

    async def async_steps(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        step, argument = generator.asend, None
        while True:
            try:
                with switch():
                    value = await step(argument)
            except StopAsyncIteration:
                return
            try:
                step, argument = generator.asend, (yield value)
            except BaseException as error:  # noqa: BLE001 - likewise
                step, argument = generator.athrow, error

    kinds: list[tuple[Callable[[Any], bool], Any]] = [
        (inspect.isgeneratorfunction, steps),
        (inspect.iscoroutinefunction, coroutine),
        (inspect.isasyncgenfunction, async_steps),
    ]
    called = function, getattr(function, "__call__", None)  # noqa: B004 - an object's own method
    wrapper = next((w for is_kind, w in kinds if any(map(is_kind, called))), call)
    return functools.wraps(function)(wrapper)  # type: ignore[return-value]
