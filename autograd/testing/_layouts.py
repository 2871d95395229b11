"""The same values in other memory layouts. Imports NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograd.testing._packing import Array


def _strided(a: Array) -> Array:
    if not a.ndim:
        return a
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


def _read_only(a: Array) -> Array:
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "Fortran order": lambda a: np.asarray(a, order="F"),
    "strided": _strided,
    "negative strides": lambda a: np.flip(np.flip(a).copy()),
    "read-only": _read_only,
}
