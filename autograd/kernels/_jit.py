"""How the loops of this room are compiled: by numba where it is installed; else they are plain
Python, so that the files can be read and imported everywhere. Imports `_optional` and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd._optional import available, require

__all__ = ["bits_of", "float_of", "inlined", "loop"]

_numba = require("numba", extra="fast") if available("numba") else None
# Sums in any order, products and sums in one step; nan and infinity keep their meaning.
_LOOSE = {"reassoc", "contract"}


def loop(function: Callable[..., Any]) -> Any:
    """Compile a function of numbers and arrays at its first call, once for each choice of dtypes.

    The code is kept on disk by numba's own cache (docs/performance.md says where). The lock of the
    interpreter is not held, so that other threads run meanwhile.
    """
    if _numba is None:
        return function
    options = {"nogil": True, "error_model": "numpy", "fastmath": _LOOSE}
    try:
        return _numba.njit(function, cache=True, **options)
    except RuntimeError:  # there is no folder that could be written to
        return _numba.njit(function, **options)


def inlined(name: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Decorate what chooses, by the type of numbers, the code that stands for `name` in loops.

    Sums keep their order there: a polynomial is as exact as it is written.
    """
    if _numba is None:
        return lambda choose: choose
    options = {"error_model": "numpy", "fastmath": {"contract"}, "forceinline": True}
    return require("numba.extending", extra="fast").overload(name, jit_options=options)  # type: ignore[no-any-return]


# -- the bits of a number --------------------------------------------------------------------------


def bits_of(x: Any) -> Any:
    """Return a float32 or float64 as the integer of the same bits."""
    return x.view(np.dtype(f"i{x.itemsize}"))


def float_of(i: Any) -> Any:
    """Return an int32 or int64 as the floating-point number of the same bits."""
    return i.view(np.dtype(f"f{i.itemsize}"))


def _teach_bits() -> None:
    """Tell numba what the two functions above are: no instruction at all."""
    ir = require("llvmlite.ir", extra="fast")
    types = require("numba.types", extra="fast")
    extending = require("numba.extending", extra="fast")
    pairs = {
        types.float32: (types.int32, ir.IntType(32)),
        types.float64: (types.int64, ir.IntType(64)),
        types.int32: (types.float32, ir.FloatType()),
        types.int64: (types.float64, ir.DoubleType()),
    }

    def cast(_: Any, x: Any) -> Any:
        wanted, kind = pairs[x]
        return wanted(x), lambda _context, builder, _types, values: builder.bitcast(values[0], kind)

    same_bits = extending.intrinsic(cast)
    extending.overload(bits_of)(lambda x: lambda x: same_bits(x))  # noqa: ARG005, PLW0108
    extending.overload(float_of)(lambda i: lambda i: same_bits(i))  # noqa: ARG005, PLW0108


if _numba is not None:
    _teach_bits()
