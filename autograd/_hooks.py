"""HookHandle: what registering a hook returns, wherever hooks are. Imports the standard library."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

__all__ = ["HookHandle"]


class HookHandle:
    """Removes a hook: by `handle.remove()`, or at the end of a `with` block.

    Args:
        hooks: the hooks of an object, which gets one more.
        hook: the hook.
    """

    __slots__ = ("_hooks", "_key", "_name")

    def __init__(self, hooks: dict[Any, Any], hook: Any) -> None:
        self._hooks = hooks
        self._key = object()  # not the handle itself, which refers to the hooks: that were a circle
        self._name = getattr(hook, "__qualname__", type(hook).__name__)
        hooks[self._key] = hook

    def remove(self) -> None:
        """Remove the hook; a second time does nothing."""
        self._hooks.pop(self._key, None)

    # Calling it does the same, as when registering returned a function.
    __call__ = remove

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        state = "" if self._key in self._hooks else ", removed"
        return f"HookHandle({self._name}{state})"
