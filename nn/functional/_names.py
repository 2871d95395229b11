"""Names: keywords that users of PyTorch type, taken for ours. Imports nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["accepts"]

F = TypeVar("F", bound=Callable[..., Any])


def accepts(**spellings: str) -> Callable[[F], F]:
    """Take other spellings of keywords, too: `@accepts(dim="axis")` takes `dim=1` as `axis=1`.

    Args:
        **spellings: the name of a parameter, by its other spelling.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for other, name in spellings.items():
                if other in kwargs:
                    if name in kwargs:
                        raise TypeError(
                            f"{function.__qualname__}: wanted {name} or {other}, got both"
                        )
                    kwargs[name] = kwargs.pop(other)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate
