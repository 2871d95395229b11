"""What the user typed: the frame, the line and the expression behind a call. Only messages ask.

Imports NumPy, to know where it is, and the standard library.
"""

from __future__ import annotations

import itertools
import sys
from types import CodeType, FrameType
from typing import NamedTuple

import numpy as np

# fmt: off
__all__ = ["Place", "library_call", "ours", "user_frame", "user_level",
           "variables"]
# fmt: on

# Folders whose frames are not the user's (pathlib would add 3 ms to the import).
_AUTOGRAD = __file__.removesuffix("typed.py")
_ROOT, _SEP = _AUTOGRAD[:-1].removesuffix("autograd"), _AUTOGRAD[-1]
_OURS = tuple(_ROOT + name + _SEP for name in ("autograd", "nn", "optim"))
_NOT_THE_USER = (*_OURS, np.__file__.removesuffix("__init__.py"))
# Libraries that convert what they are given: the call that the user typed is outside of them.
_LIBRARIES = ("scipy", "matplotlib", "pandas", "sklearn", "xarray")


class _Files(dict[str, bool]):
    """Whether a file is of this library or of NumPy: looked up in a third of the time of a look."""

    def __missing__(self, name: str) -> bool:
        found = self[name] = name.startswith(_NOT_THE_USER)
        return found


_FILES = _Files()


def ours(frame: FrameType) -> bool:
    """Tell whether a frame is of this library or of NumPy."""
    return _FILES[frame.f_code.co_filename]


def user_frame(above: int = 1) -> FrameType:
    """Return the innermost frame that is neither ours nor NumPy's, `above` those that are known."""
    frame = sys._getframe(above)
    while _FILES[frame.f_code.co_filename] and frame.f_back is not None:
        frame = frame.f_back
    return frame


def user_level() -> int:
    """Return the `stacklevel` with which a warning of the caller names the user's line."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_NOT_THE_USER):
        frame, level = frame.f_back, level + 1
    return level


def variables(frame: FrameType) -> dict[str, object]:
    """Return the local variables of a frame.

    Before Python 3.13, reading them leaves a copy with the frame, which would keep them alive.
    """
    scope = frame.f_locals
    found = dict(scope)
    if type(scope) is dict and frame.f_code.co_flags & 0x1:
        scope.clear()
    return found


class Place(NamedTuple):
    """Where a frame was: taken in 0.1 us, put into words when a message or a drawing asks."""

    code: CodeType
    instruction: int  # the offset in bytes

    @classmethod
    def of(cls, frame: FrameType) -> Place:
        """Return where a frame is now."""
        return cls(frame.f_code, frame.f_lasti)

    def span(self) -> tuple[int, str]:
        """Return the line of the expression, and its text: "" where that cannot be found."""
        import linecache  # only for messages: importing the library must stay quick

        code = self.code
        at = next(itertools.islice(code.co_positions(), self.instruction // 2, None), (None,) * 4)
        first, last, begin, end = at
        if first is None or first != last:
            return first or code.co_firstlineno, ""
        return first, linecache.getline(code.co_filename, first).encode()[begin:end].decode()

    @property
    def expression(self) -> str:
        """The text of the expression; "" where it cannot be found."""
        return self.span()[1]

    @property
    def line(self) -> str:
        """The text of the line, without what is around it."""
        import linecache

        return linecache.getline(self.code.co_filename, self.span()[0]).strip()

    def __str__(self) -> str:
        where = f"{self.code.co_filename}:{self.span()[0]}, in {self.code.co_name}"
        return f"{where}: {self.line}" if self.line else where


def library_call(frame: FrameType) -> tuple[str, FrameType]:
    """Return the library that a frame is in, "" for the user's own code, and the frame of the
    user's code that called it.
    """
    library = ""
    while frame.f_back is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        ours = frame.f_code.co_filename.startswith(_NOT_THE_USER)
        if package not in _LIBRARIES and not ours:
            break
        library = frame.f_globals["__name__"] if package in _LIBRARIES else library
        frame = frame.f_back
    return library, frame
