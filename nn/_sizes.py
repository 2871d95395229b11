"""The check of the lengths that layers are made with. Imports NumPy only."""

from typing import Any

import numpy as np

__all__ = ["check_sizes"]


def check_sizes(owner: str, **sizes: Any) -> None:
    """Check that the lengths a layer is made with are integers of at least 0.

    Raises:
        TypeError: one is no integer.
        ValueError: one is negative.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int | np.integer):
            fix = (
                "; write int(...) around it" if isinstance(size, str | float | np.floating) else ""
            )
            raise TypeError(
                f"{owner}: wanted {name} as an int, got {type(size).__name__} {size!r:.40}{fix}"
            )
        if size < 0:
            raise ValueError(f"{owner}: wanted {name} of at least 0, got {size}")
