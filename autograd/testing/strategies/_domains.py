"""Where the values of arrays come from: named domains.

A domain of numbers is a strategy for single elements, short binary fractions throughout, so that
sums and differences of them are exact and counterexamples readable. A domain of arrays builds the
whole array: distinct values, or matrices with a structure. Imports NumPy, hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.testing.strategies._hypothesis import st

Array = np.ndarray[Any, Any]
# A builder takes (draw, shape, dtype).
Builder = Callable[[Any, tuple[int, ...], Any], Array]


def _grid(low: int, high: int, denominator: int, offset: float = 0.0) -> st.SearchStrategy[float]:
    """Return the numbers offset + k / denominator, simplest first."""
    return st.integers(low, high).map(lambda k: offset + k / denominator)


def _signed(elements: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    return st.tuples(elements, st.booleans()).map(lambda pair: -pair[0] if pair[1] else pair[0])


NUMBERS: dict[str, st.SearchStrategy[float]] = {
    "real": _grid(-24, 24, 8),
    "nonzero": _signed(_grid(2, 24, 8)),
    "positive": _grid(1, 24, 8),
    "unit": _grid(1, 15, 16),
    "symmetric_unit": _grid(-15, 15, 16),
    "above_one": _grid(1, 24, 8, offset=1.0),
    # Between the integers, where floor, round and remainder have no kinks.
    "between_integers": st.tuples(_grid(5, 7, 16), _grid(-4, 4, 1)).map(sum),
    "ties": _grid(-1, 1, 1),
    "finite": st.floats(-1e6, 1e6, width=32, allow_subnormal=False),
    "special": st.sampled_from([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 1e-300, 1e300]),
}


def numbers(
    draw: Any, elements: st.SearchStrategy[float], shape: tuple[int, ...], dtype: Any
) -> Array:
    """Draw an array of single numbers; complex where the dtype is."""
    size = int(np.prod(shape, dtype=int))
    kind = np.dtype(dtype)
    with np.errstate(over="ignore"):
        values = np.array(draw(st.lists(elements, min_size=size, max_size=size)), dtype=float)
        if kind.kind == "c":
            parts = np.empty(size, dtype=complex)
            parts.real = values
            parts.imag = draw(st.lists(elements, min_size=size, max_size=size))
            values = parts
        return values.astype(kind).reshape(shape)


def _distinct(draw: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Values that all differ by at least 1/4, in any order."""
    size = int(np.prod(shape, dtype=int))
    order = np.array(draw(st.permutations(range(size))), dtype=float)
    return ((order - size // 2) / 4 + 1 / 8).astype(dtype).reshape(shape)


def _simplex(draw: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Positive numbers that sum to one along the last axis."""
    values = numbers(draw, NUMBERS["positive"], shape, float)
    total = values.sum(axis=-1, keepdims=True)
    return np.asarray(values / total if values.size else values, dtype=dtype)


def _square(shape: tuple[int, ...], name: str) -> int:
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"arrays: wanted square matrices for domain {name!r}, got shape {shape}")
    return shape[-1]


def _adjoint(a: Array) -> Array:
    return np.conj(np.swapaxes(a, -1, -2))


def _symmetric(draw: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Symmetric (Hermitian) matrices with eigenvalues apart."""
    n = _square(shape, "symmetric")
    a = numbers(draw, NUMBERS["symmetric_unit"], shape, dtype)
    return ((a + _adjoint(a)) / 4 + np.diag(2.0 * n * np.arange(n))).astype(dtype)


def _positive_definite(draw: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    n = _square(shape, "positive_definite")
    a = numbers(draw, NUMBERS["symmetric_unit"], shape, dtype)
    return (a @ _adjoint(a) + np.diag(1.0 + np.arange(n))).astype(dtype)


def _well_conditioned(draw: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Square matrices with a dominant diagonal of distinct entries."""
    n = _square(shape, "well_conditioned")
    a = numbers(draw, NUMBERS["symmetric_unit"], shape, dtype)
    return (a / 2 + np.diag(n + np.arange(n, dtype=float))).astype(dtype)


def _triangular(draw: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    return np.asarray(np.tril(_well_conditioned(draw, shape, dtype)))


def _orthogonal(draw: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Orthogonal (unitary) matrices; the identity is the simplest."""
    if not _square(shape, "orthogonal") or not np.prod(shape, dtype=int):
        return np.zeros(shape, dtype)
    a = _well_conditioned(draw, shape, np.result_type(dtype, np.float64))
    q, r = np.linalg.qr(a)
    diagonal = np.diagonal(r, axis1=-2, axis2=-1)
    return np.asarray(q * (diagonal / np.abs(diagonal))[..., None, :], dtype=dtype)


BUILDERS: dict[str, Builder] = {
    "distinct": _distinct,
    "simplex": _simplex,
    "symmetric": _symmetric,
    "positive_definite": _positive_definite,
    "well_conditioned": _well_conditioned,
    "triangular": _triangular,
    "orthogonal": _orthogonal,
}
# Domains whose arrays are stacks of square matrices.
MATRICES = {"symmetric", "positive_definite", "well_conditioned", "triangular", "orthogonal"}


def domain_names() -> list[str]:
    """Return the names that `domain=` takes: domains of numbers, then of whole arrays.

    Example:
        >>> domain_names()[:4]
        ['real', 'nonzero', 'positive', 'unit']
    """
    return [*NUMBERS, *BUILDERS]


def register_domain(name: str, elements: st.SearchStrategy[float]) -> None:
    """Add a domain of numbers under a name.

    Raises:
        ValueError: the name is taken.
    """
    if name in NUMBERS or name in BUILDERS:
        raise ValueError(f"register_domain: wanted a new name, got {name!r}, which is taken")
    NUMBERS[name] = elements


def build(
    draw: Any, domain: str | st.SearchStrategy[float], shape: tuple[int, ...], dtype: Any
) -> Array:
    """Draw an array of a domain, given by name or as a strategy for its elements."""
    if not isinstance(domain, str):
        return numbers(draw, domain, shape, dtype)
    if domain in NUMBERS:
        return numbers(draw, NUMBERS[domain], shape, dtype)
    if domain in BUILDERS:
        return BUILDERS[domain](draw, shape, dtype)
    raise ValueError(f"arrays: wanted a domain among {', '.join(domain_names())}, got {domain!r}")
