"""What becomes of the memory of freed arrays: given back to the system, or kept for the next ones.

glibc gives the end of its heap back to the system as soon as 128 KiB are free there, and takes
large arrays from the system one by one. The system clears each page before it hands it out again,
which takes longer than NumPy's arithmetic: where freed memory is kept, softmax of (200, 500) and
its gradient run three times as fast, layer normalisation and GELU twice. So importing `autograd`
raises the thresholds a little (a process may hold 64 MiB that it does not use), and `keep_memory`
raises them as far as a user likes. Imports the standard library only.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable

__all__ = ["keep_memory"]

_MIB = 1 << 20
# Parameters of mallopt(3).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
_VARIABLE = "GRADLOOM_KEEP_MEMORY"


def keep_memory(limit: int = 1 << 30) -> None:
    """Keep memory of freed arrays for the next ones, instead of giving it back to the system.

    What it costs: other processes cannot have up to `limit` bytes that are free at the end of this
    one's heap, nor the holes inside it, and the memory of the process is not seen to fall when
    large arrays are freed. What it brings: no time of the system for clearing pages, a fifth to a
    half of the time of work on arrays of megabytes (docs/performance.md has a column). It holds for
    the whole process, until the next call.

    `import autograd` does the same with 64 MiB, for arrays below 32 MiB. Set the environment
    variable GRADLOOM_KEEP_MEMORY to a number of bytes for another limit from the start, or to 0 to
    leave the allocator alone.

    Args:
        limit: bytes, below 2 GiB.

    Raises:
        ValueError: for a limit outside of 0 to 2**31 - 1.

    Warns:
        RuntimeWarning: where the process does not run on glibc (macOS, Windows, musl), whose
            thresholds these are; nothing changes.
    """
    if not 0 <= limit < 1 << 31:
        raise ValueError(f"keep_memory: wanted a limit from 0 to {2**31 - 1} bytes, got {limit}")
    set_option = _mallopt()
    if set_option is None:
        warnings.warn(
            f"keep_memory: wanted glibc, whose thresholds it raises, got {sys.platform} without "
            "it; nothing has changed",
            RuntimeWarning,
            stacklevel=2,
        )
        return
    set_option(_MMAP_MAX, 0)  # no array comes from the system directly, however large
    _raise_thresholds(set_option, limit)


def _raise_thresholds(set_option: Callable[[int, int], int], limit: int) -> None:
    set_option(_TRIM_THRESHOLD, limit)
    set_option(_TOP_PAD, min(limit, 16 * _MIB))
    set_option(_MMAP_THRESHOLD, 32 * _MIB)  # the largest that glibc takes


def _mallopt() -> Callable[[int, int], int] | None:
    """Return glibc's mallopt, None where there is another C library."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    library = ctypes.CDLL(None)
    return library.mallopt if hasattr(library, "gnu_get_libc_version") else None


def _begin(asked: str | None) -> None:
    """Do at import what the environment says, by default little."""
    set_option = _mallopt()
    if asked and asked.isdigit() and int(asked):
        keep_memory(int(asked))
    elif set_option is not None and not asked:
        _raise_thresholds(set_option, 64 * _MIB)


_begin(os.environ.get(_VARIABLE))
