"""What the user typed: the frame, the line and the expression behind a call. Only messages ask.

Imports NumPy, to know where it is, and the standard library.
"""

from __future__ import annotations

import itertools
import sys
from types import FrameType

import numpy as np

__all__ = ["expression", "is_users", "library_call", "line", "user_frame", "user_level"]

# Folders whose frames are not the user's (pathlib would add 3 ms to the import).
_AUTOGRAD = __file__.removesuffix("typed.py")
_ROOT, _SEP = _AUTOGRAD[:-1].removesuffix("autograd"), _AUTOGRAD[-1]
_OURS = tuple(_ROOT + name + _SEP for name in ("autograd", "nn", "optim"))
_NOT_THE_USER = (*_OURS, np.__file__.removesuffix("__init__.py"))
# Libraries that convert what they are given: the call that the user typed is outside of them.
_LIBRARIES = ("scipy", "matplotlib", "pandas", "sklearn", "xarray")


def is_users(frame: FrameType) -> bool:
    """Tell whether a frame is neither ours nor NumPy's."""
    return not frame.f_code.co_filename.startswith(_NOT_THE_USER)


def user_frame() -> FrameType:
    """Return the innermost frame that is neither ours nor NumPy's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_NOT_THE_USER):
        frame = frame.f_back
    return frame


def user_level() -> int:
    """Return the `stacklevel` with which a warning of the caller names the user's line."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_NOT_THE_USER):
        frame, level = frame.f_back, level + 1
    return level


def line(frame: FrameType) -> str:
    """Return file, line, function and text of where a frame is."""
    import linecache  # only for messages: importing the library must stay quick

    name, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, number).strip()
    return f"{name}:{number}, in {frame.f_code.co_name}" + (f": {text}" if text else "")


def expression(frame: FrameType) -> str:
    """Return the text of the expression that a frame is at; "" where it cannot be found."""
    import linecache  # likewise

    code = frame.f_code
    at = next(itertools.islice(code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    first, last, begin, end = at
    if first is None or first != last:
        return ""
    text = linecache.getline(code.co_filename, first).encode()
    return text[begin:end].decode()


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
