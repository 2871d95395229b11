"""Kernels: SciPy's, asked for when they are first called, and what our own are made of.

All take and return arrays (or numbers), never Variables. Imports `_optional` and NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd._optional import require
from autograd.arrays import refuse_complex

__all__ = [
    "Kernel",
    "beyond",
    "in_double",
    "integral",
    "of_reals",
    "scipy_kernel",
    "where_holds",
]

Kernel = Callable[..., Any]


def scipy_kernel(name: str) -> Kernel:
    """Return a function of `scipy.special`, which is imported when it is first called."""

    def kernel(*args: Any) -> Any:
        function = getattr(require("scipy.special", extra="special"), name)
        try:
            out = function(*args)
        except TypeError:
            refuse_complex(f"special.{name}", *args)
            raise
        # Some of SciPy's functions take a Python number for a float64 that promotes.
        dtype = np.result_type(*args)
        return out if isinstance(out, tuple) or dtype.kind != "f" else out.astype(dtype)

    kernel.__name__ = name
    return kernel


def of_reals(kernel: Kernel, name: str | None = None) -> Kernel:
    """Return a kernel that refuses complex numbers, for which its derivative is not written."""
    name = f"special.{name or kernel.__name__}"

    def real(*args: Any) -> Any:
        refuse_complex(name, *args)
        return kernel(*args)

    return real


def in_double(kernel: Kernel, name: str = "derivative") -> Kernel:
    """Return a kernel that computes in float64, without warnings, and keeps the dtype it was given.

    Its arguments arrive as arrays of one shape, with at least one axis; complex ones are refused.
    """
    name = f"special.{name}"

    def computed(*args: Any) -> Any:
        refuse_complex(name, *args)
        dtype = np.result_type(*args)
        arrays = np.broadcast_arrays(*[np.asarray(a, np.float64) for a in args])
        with np.errstate(all="ignore"):
            out = kernel(*map(np.atleast_1d, arrays)).reshape(arrays[0].shape)
            return out.astype(dtype if dtype.kind == "f" else np.float64, copy=False)[()]

    return computed


def beyond(condition: Any, kernel: Kernel, out: Any, *arrays: Any) -> Any:
    """Return `out`, with `kernel(*arrays)` where `condition` holds, computed for these alone."""
    places = np.flatnonzero(condition)
    if not places.size:
        return out
    out = np.array(out)
    np.put(out, places, kernel(*[np.take(np.broadcast_to(a, out.shape), places) for a in arrays]))
    return out[()]


def where_holds(condition: Any, inside: Kernel, outside: Kernel, *arrays: Any) -> Any:
    """Return `inside(*arrays)` where `condition` holds and `outside(*arrays)` elsewhere.

    Each is computed for its own elements only.
    """
    if condition.all():
        return inside(*arrays)
    if not condition.any():
        return outside(*arrays)
    out = np.empty(condition.shape)
    out[condition] = inside(*[a[condition] for a in arrays])
    out[~condition] = outside(*[a[~condition] for a in arrays])
    return out


# -- integrals without cancellation ----------------------------------------------------------------
# Many a function is an integral of exp(-x p(t)) w(t), and its n-th derivative the same with a
# factor (-p(t))^n. The integrand has one sign, so that nothing cancels, where the usual recurrences
# lose digits with every power of x.

_COUNT = 64
_BLOCK = 256  # elements at a time: 128 kB per temporary


@functools.cache
def _nodes() -> tuple[Any, Any]:
    t, weight = np.polynomial.legendre.leggauss(_COUNT)
    return (t + 1) / 2, weight / 2


def integral(f: Kernel, upper: Any, *operands: Any) -> Any:
    """Integrate `f(t, *operands)` over t from 0 to `upper`, for each element.

    Gauss's rule with 64 points gives all digits for a decay by a factor of exp(42), beyond which
    there is nothing left to add.

    Args:
        f: the integrand, smooth; operands arrive with an axis for t behind.
        upper: the ends of the intervals.
        *operands: of the shape of `upper`.
    """
    t, weight = _nodes()
    shape, upper, operands = upper.shape, upper.ravel(), tuple(map(np.ravel, operands))
    out = np.empty_like(upper)
    for start in range(0, len(upper), _BLOCK):
        part = slice(start, start + _BLOCK)
        end = upper[part, None]
        out[part] = f(end * t, *[x[part, None] for x in operands]) @ weight * end[:, 0]
    return out.reshape(shape)
