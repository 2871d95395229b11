"""How memory of freed arrays is treated: given back to the system, or kept for the next ones.

Imports the standard library only.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable

__all__ = ["keep_memory"]

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_VARIABLE = "GRADLOOM_KEEP_MEMORY"


def keep_memory(limit: int = 1 << 30) -> None:
    """Keep memory of freed arrays for the next ones, instead of giving it back to the system.

    By default glibc takes each array above some size from the system and gives it back when it is
    freed; the system then clears every page anew, which can take longer than the arithmetic. With
    this, a process holds on to up to `limit` bytes that are free at the end of its heap, and to
    holes inside it. That is all it costs: memory other processes cannot have, and which is not seen
    to fall when arrays are freed. It holds for the whole process, until its end. The environment
    variable GRADLOOM_KEEP_MEMORY=1 (or a number of bytes) does the same at import.

    Args:
        limit: bytes, below 2 GiB.

    Raises:
        ValueError: for a limit outside of 0 to 2**31 - 1.

    Warns:
        RuntimeWarning: where the process does not run on glibc (macOS, Windows, musl), whose
            allocators have no such threshold; nothing changes.
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
    # No array comes from the system directly: the threshold for that cannot be raised above 32 MiB.
    set_option(_MMAP_MAX, 0)
    set_option(_TRIM_THRESHOLD, limit)
    set_option(_TOP_PAD, min(limit, 1 << 26))


def _mallopt() -> Callable[[int, int], int] | None:
    """Return glibc's mallopt, None where there is another C library."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    library = ctypes.CDLL(None)
    is_glibc = hasattr(library, "gnu_get_libc_version")  # musl's mallopt, if any, does nothing
    return library.mallopt if is_glibc else None


_asked = os.environ.get(_VARIABLE, "0")
if _asked.isdigit() and int(_asked):
    keep_memory(int(_asked) if int(_asked) > 1 else 1 << 30)
