"""Shapes, dtypes, arrays and Variables. Imports NumPy, the engine, hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.testing._layouts import LAYOUTS
from autograd.testing.strategies._domains import MATRICES, Array, build
from autograd.testing.strategies._hypothesis import hnp, st
from autograd.variable import Variable

Shape = tuple[int, ...]
Domain = str | st.SearchStrategy[float]


def shapes(
    *, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 3
) -> st.SearchStrategy[Shape]:
    """Return shapes, 0-d and with axes of length 0 unless excluded; `()` is the simplest."""
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(
        tuple
    )


@st.composite
def _square_shapes(draw: st.DrawFn, max_dims: int, min_side: int, max_side: int) -> Shape:
    n = draw(st.integers(max(min_side, 1), max_side))
    stack = draw(shapes(max_dims=max(max_dims - 2, 0), min_side=min_side, max_side=2))
    return (*stack, n, n)


def broadcastable_shapes(
    count: int = 2, *, max_dims: int = 3, min_side: int = 0, max_side: int = 3
) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Return tuples of `count` shapes that broadcast with each other, 0-d and size 0 included."""
    return hnp.mutually_broadcastable_shapes(
        num_shapes=count, min_dims=0, max_dims=max_dims, min_side=min_side, max_side=max_side
    ).map(lambda found: tuple(found.input_shapes))


def dtypes(kinds: str = "f", *, half: bool = False) -> st.SearchStrategy[np.dtype[Any]]:
    """Return floating dtypes; `kinds` among "f" and "c", float64 the simplest.

    Args:
        kinds: which kinds, "fc" for both.
        half: include float16.
    """
    found: list[Any] = []
    if "f" in kinds:
        found += [np.float64, np.float32] + [np.float16] * half
    if "c" in kinds:
        found += [np.complex128, np.complex64]
    return st.sampled_from([np.dtype(t) for t in found])


def _strategy(value: Any) -> st.SearchStrategy[Any]:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def _laid_out(draw: st.DrawFn, array: Array) -> Array:
    """Return the same values in another memory layout."""
    kind = draw(st.sampled_from(["C order", *LAYOUTS]))
    return LAYOUTS[kind](array) if kind in LAYOUTS else array


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Shape | st.SearchStrategy[Shape] | None = None,
    *,
    dtype: Any = np.float64,
    domain: Domain = "real",
    layouts: bool = False,
) -> Array:
    """Return arrays of a shape, dtype and domain.

    Args:
        draw: hypothesis' own.
        shape: one shape or a strategy; None takes any small one that suits the domain.
        dtype: one dtype or a strategy.
        domain: a name out of `domain_names`, or a strategy for single elements.
        layouts: also arrays in Fortran order, strided, reversed and read-only ones.

    Raises:
        ValueError: the domain is unknown, or needs square matrices and the shape has none.
    """
    if shape is None:
        shape = _square_shapes(3, 1, 3) if domain in MATRICES else shapes()
    size = draw(_strategy(shape))
    array = build(draw, domain, tuple(size), draw(_strategy(dtype)))
    return _laid_out(draw, array) if layouts else array


@st.composite
def variables(
    draw: st.DrawFn,
    shape: Shape | st.SearchStrategy[Shape] | None = None,
    *,
    dtype: Any = np.float64,
    domain: Domain = "real",
    requires_grad: bool | st.SearchStrategy[bool] = True,
) -> Variable:
    """Return Variables on arrays of `arrays`."""
    data = draw(arrays(shape, dtype=dtype, domain=domain))
    return Variable(data, requires_grad=draw(_strategy(requires_grad)))


@st.composite
def broadcastable_arrays(
    draw: st.DrawFn,
    count: int = 2,
    *,
    dtype: Any = np.float64,
    domain: Domain | Sequence[Domain] = "real",
    max_dims: int = 3,
    min_side: int = 0,
    max_side: int = 3,
) -> tuple[Array, ...]:
    """Return tuples of arrays whose shapes broadcast with each other.

    Args:
        draw: hypothesis' own.
        count: how many.
        dtype: one dtype or a strategy, drawn for each.
        domain: one domain, or one for each array.
        max_dims: at most so many axes.
        min_side: shortest axis.
        max_side: longest axis.
    """
    found = draw(
        broadcastable_shapes(count, max_dims=max_dims, min_side=min_side, max_side=max_side)
    )
    single = isinstance(domain, (str, st.SearchStrategy))
    domains: Sequence[Domain] = [domain] * count if single else domain  # type: ignore[list-item,assignment]
    return tuple(
        draw(arrays(shape, dtype=dtype, domain=d)) for shape, d in zip(found, domains, strict=True)
    )
