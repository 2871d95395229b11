"""Decompositions without a gauge: what stays the same whatever sign or phase a vector has.

Eigenvectors and singular vectors are determined only up to a sign (a phase, if complex), so their
derivatives are too, and no two libraries need agree on them. What is built from the projectors on
them is unique.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.testing._problem import name_of
from autograd.testing._vectors import raw

__all__ = [
    "gauge_invariant",
]


def gauge_invariant(fn: Callable[..., Any], kind: str | None = None) -> Callable[..., Any]:
    """Return `fn`, a decomposition, with its outputs replaced by gauge-invariant ones.

    With weights c = 1, 2, 3 ... that keep the vectors apart:

    - "eigh": (w, V) becomes (w, V diag(c) V^H);
    - "svd": (U, s, V^H) becomes (s, U diag(c) U^H, V diag(c) V^H, U diag(c) V^H), of the first
      min(m, n) vectors;
    - "eig": (w, V) becomes (w, V diag(c) V^-1), both ordered by real, then imaginary part of w.

    Args:
        fn: returns the tuple that the NumPy function of that name returns.
        kind: which decomposition; by default what the name of `fn` ends in.

    Raises:
        ValueError: the kind is none of these.

    Example:
        >>> import numpy as np
        >>> w, projector = gauge_invariant(np.linalg.eigh)(np.diag([1.0, 3.0]))
        >>> projector
        array([[1., 0.],
               [0., 2.]])
    """
    chosen = kind or name_of(fn).rpartition(".")[2]
    if chosen not in _FORMS:
        raise ValueError(
            f"gauge_invariant: wanted kind 'eig', 'eigh' or 'svd', got {chosen!r}; pass kind="
        )
    form = _FORMS[chosen]

    @functools.wraps(fn)
    def invariant(*args: Any, **kwargs: Any) -> Any:
        return form(*fn(*args, **kwargs))

    return invariant


def _adjoint(x: Any) -> Any:
    return np.swapaxes(np.conj(x), -1, -2)


def _weighted(v: Any, count: int) -> Any:
    return v * np.arange(1, count + 1).astype(raw(v).real.dtype)


def _eigh(w: Any, v: Any) -> tuple[Any, ...]:
    return w, _weighted(v, w.shape[-1]) @ _adjoint(v)


def _svd(u: Any, s: Any, vh: Any) -> tuple[Any, ...]:
    count = s.shape[-1]
    u, v = u[..., :count], _adjoint(vh[..., :count, :])
    scaled = _weighted(u, count)
    return s, scaled @ _adjoint(u), _weighted(v, count) @ _adjoint(v), scaled @ _adjoint(v)


def _eig(w: Any, v: Any) -> tuple[Any, ...]:
    values = raw(w)
    order = np.lexsort((values.imag, values.real))
    w = np.take_along_axis(w, order, axis=-1)
    v = np.take_along_axis(v, np.broadcast_to(order[..., None, :], v.shape), axis=-1)
    return w, _weighted(v, w.shape[-1]) @ np.linalg.inv(v)


_FORMS: dict[str, Callable[..., tuple[Any, ...]]] = {"eig": _eig, "eigh": _eigh, "svd": _svd}
