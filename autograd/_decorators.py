"""Context managers as decorators of any kind of function. Imports the standard library."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

__all__ = ["run_inside"]

F = TypeVar("F", bound=Callable[..., Any])


def run_inside(make: Callable[[], AbstractContextManager[Any]], function: F) -> F:
    """Return a function, coroutine function or (asynchronous) generator function that runs inside a
    context manager, one that `make` returns for each call, and for each step of a generator: what
    its caller does in between runs outside.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        with make():
            return function(*args, **kwargs)

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        with make():
            return await function(*args, **kwargs)

    def steps(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        step, argument = generator.send, None
        while True:
            try:
                with make():
                    value = step(argument)
            except StopIteration as end:
                return end.value
            try:
                step, argument = generator.send, (yield value)
            except BaseException as error:  # noqa: BLE001 - the generator decides about it
                step, argument = generator.throw, error

    async def async_steps(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        step, argument = generator.asend, None
        while True:
            try:
                with make():
                    value = await step(argument)
            except StopAsyncIteration:
                return
            try:
                step, argument = generator.asend, (yield value)
            except BaseException as error:  # noqa: BLE001 - likewise
                step, argument = generator.athrow, error

    wrappers: dict[Any, Any] = {
        inspect.isgeneratorfunction: steps,
        inspect.iscoroutinefunction: coroutine,
        inspect.isasyncgenfunction: async_steps,
    }
    called = function, getattr(function, "__call__", None)  # noqa: B004 - an object's method
    found = [wrapper for is_kind, wrapper in wrappers.items() if any(map(is_kind, called))]
    return functools.wraps(function)((found or [call])[0])  # type: ignore[return-value]
