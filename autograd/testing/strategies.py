"""Hypothesis strategies for code that computes with arrays and derivatives; needs hypothesis.

    from hypothesis import given
    from autograd.testing import check_gradients, strategies

    @given(strategies.broadcastable_arrays(2, domain="positive"))
    def test_division(arrays):
        check_gradients(np.divide, *arrays)

All of them shrink to small shapes and simple numbers: zeros, ones and short binary fractions, so
that sums and differences of them are exact and counterexamples readable.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Variable
from autograd.testing._vectors import LAYOUTS, Array

if TYPE_CHECKING:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp
else:
    try:
        st = importlib.import_module("hypothesis.strategies")
        hnp = importlib.import_module("hypothesis.extra.numpy")
    except ModuleNotFoundError as error:
        install = "run pip install 'gradloom[test]'"
        raise ImportError(f"{error.name} is not installed: {install}", name=error.name) from error

__all__ = [
    "arrays",
    "axes",
    "broadcastable_arrays",
    "broadcastable_shapes",
    "domain_names",
    "dtypes",
    "indices",
    "reductions",
    "register_domain",
    "shapes",
    "variables",
]

_Shape = tuple[int, ...]
_Domain = str | st.SearchStrategy[float]

# -- domains: where the values come from -----------------------------------------------------------


def _grid(low: int, high: int, denominator: int, offset: float = 0.0) -> st.SearchStrategy[float]:
    """Return the numbers offset + k / denominator, simplest first."""
    return st.integers(low, high).map(lambda k: offset + k / denominator)


_NUMBERS: dict[str, st.SearchStrategy[float]] = {
    "real": _grid(-24, 24, 8),
    "nonzero": st.builds(lambda x, minus: -x if minus else x, _grid(2, 24, 8), st.booleans()),
    "positive": _grid(1, 24, 8),
    "unit": _grid(1, 15, 16),
    "symmetric_unit": _grid(-15, 15, 16),
    "above_one": _grid(1, 24, 8, offset=1.0),
    # Between the integers, where floor, round and remainder have no kinks.
    "between_integers": st.builds(lambda a, b: a + b, _grid(5, 7, 16), _grid(-4, 4, 1)),
    "ties": _grid(-1, 1, 1),
    "finite": st.floats(-1e6, 1e6, width=32, allow_subnormal=False),
    "special": st.sampled_from([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 1e-300, 1e300]),
}


def _numbers(draw: Any, elements: st.SearchStrategy[float], shape: _Shape, dtype: Any) -> Array:
    """Draw an array of single numbers; complex where the dtype is."""
    size = math.prod(shape)
    values = np.zeros(size, dtype=complex if np.dtype(dtype).kind == "c" else float)
    values.real = draw(st.lists(elements, min_size=size, max_size=size))
    if values.dtype.kind == "c":
        values.imag = draw(st.lists(elements, min_size=size, max_size=size))
    with np.errstate(over="ignore"):
        return values.astype(dtype).reshape(shape)


def _distinct(draw: Any, shape: _Shape) -> Array:
    """Values that all differ by at least 1/4, in any order."""
    size = math.prod(shape)
    order = np.array(draw(st.permutations(range(size))), dtype=float)
    return ((order - size // 2) / 4 + 1 / 8).reshape(shape)


def _simplex(draw: Any, shape: _Shape) -> Array:
    """Positive numbers that sum to one along the last axis."""
    values = _numbers(draw, _NUMBERS["positive"], shape, float)
    return np.asarray(values / np.sum(values, axis=-1, keepdims=True))


_ARRAYS: dict[str, Callable[[Any, _Shape], Array]] = {"distinct": _distinct, "simplex": _simplex}


def _adjoint(a: Array) -> Array:
    return np.conj(np.swapaxes(a, -1, -2))


def _well_conditioned(a: Array, n: int) -> Array:
    return a / 2 + np.diag(n + np.arange(n, dtype=float))


def _orthogonal(a: Array, n: int) -> Array:
    q, r = np.linalg.qr(_well_conditioned(a, n))
    diagonal = np.diagonal(r, axis1=-2, axis2=-1)
    return np.asarray(q * (diagonal / np.abs(diagonal))[..., None, :])


# What becomes of a stack of n by n matrices of numbers between -1 and 1.
_MATRICES: dict[str, Callable[[Array, int], Array]] = {
    # With eigenvalues apart.
    "symmetric": lambda a, n: (a + _adjoint(a)) / 4 + np.diag(2.0 * n * np.arange(n)),
    "positive_definite": lambda a, n: a @ _adjoint(a) + np.diag(1.0 + np.arange(n)),
    "well_conditioned": _well_conditioned,
    "triangular": lambda a, n: np.tril(_well_conditioned(a, n)),
    "orthogonal": _orthogonal,
}


def domain_names() -> list[str]:
    """Return the names that `domain=` takes: domains of numbers, then of whole arrays.

    Example:
        >>> domain_names()[:4]
        ['real', 'nonzero', 'positive', 'unit']
    """
    return [*_NUMBERS, *_ARRAYS, *_MATRICES]


def register_domain(name: str, elements: st.SearchStrategy[float]) -> None:
    """Add a domain of numbers under a name.

    Raises:
        ValueError: the name is taken.
    """
    if name in domain_names():
        raise ValueError(f"register_domain: wanted a new name, got {name!r}, which is taken")
    _NUMBERS[name] = elements


def _values(draw: Any, domain: _Domain, shape: _Shape, dtype: Any) -> Array:
    """Draw an array of a domain."""
    if not isinstance(domain, str) or domain in _NUMBERS:
        elements = _NUMBERS[domain] if isinstance(domain, str) else domain
        return _numbers(draw, elements, shape, dtype)
    if domain in _ARRAYS:
        return _ARRAYS[domain](draw, shape).astype(dtype)
    if domain not in _MATRICES:
        known = ", ".join(domain_names())
        raise ValueError(f"arrays: wanted a domain among {known}, got {domain!r}")
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"arrays: wanted square matrices for domain {domain!r}, got shape {shape}")
    a = _numbers(draw, _NUMBERS["symmetric_unit"], shape, np.result_type(dtype, np.float64))
    return (_MATRICES[domain](a, shape[-1]) if a.size else a).astype(dtype)


# -- shapes, dtypes, arrays, Variables -------------------------------------------------------------


def shapes(
    *, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 3
) -> st.SearchStrategy[_Shape]:
    """Return shapes, 0-d and with axes of length 0 unless excluded; `()` is the simplest."""
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(
        tuple
    )


def broadcastable_shapes(
    count: int = 2, *, max_dims: int = 3, min_side: int = 0, max_side: int = 3
) -> st.SearchStrategy[tuple[_Shape, ...]]:
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
    real = ["float64", "float32", *(["float16"] if half else [])] if "f" in kinds else []
    found = real + (["complex128", "complex64"] if "c" in kinds else [])
    return st.sampled_from([np.dtype(name) for name in found])


def _strategy(value: Any) -> st.SearchStrategy[Any]:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: _Shape | st.SearchStrategy[_Shape] | None = None,
    *,
    dtype: Any = np.float64,
    domain: _Domain = "real",
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
        n = (draw(st.integers(1, 3)),) if domain in _MATRICES else ()
        shape = (*draw(shapes(max_dims=1, min_side=1, max_side=2) if n else shapes()), *n, *n)
    array = _values(draw, domain, tuple(draw(_strategy(shape))), draw(_strategy(dtype)))
    layout = draw(st.sampled_from([None, *LAYOUTS])) if layouts else None
    return LAYOUTS[layout](array) if layout else array


@st.composite
def variables(
    draw: st.DrawFn,
    shape: _Shape | st.SearchStrategy[_Shape] | None = None,
    *,
    dtype: Any = np.float64,
    domain: _Domain = "real",
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
    domain: _Domain | Sequence[_Domain] = "real",
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
    domains = domain if isinstance(domain, (list, tuple)) else [domain] * count
    return tuple(
        draw(arrays(shape, dtype=dtype, domain=d)) for shape, d in zip(found, domains, strict=True)
    )


# -- arguments of array functions ------------------------------------------------------------------


@st.composite
def axes(
    draw: st.DrawFn, ndim: int, *, none: bool = True, tuples: bool = True
) -> int | tuple[int, ...] | None:
    """Return valid `axis` arguments for an array of `ndim` axes: None, integers of both signs,
    tuples.
    """
    options: list[st.SearchStrategy[Any]] = [st.none()] if none or not ndim else []
    if ndim:
        options.append(st.integers(-ndim, ndim - 1))
    if ndim and tuples:
        options.append(
            st.lists(st.integers(-ndim, ndim - 1), unique_by=lambda a: a % ndim).map(tuple)
        )
    return draw(st.one_of(options))  # type: ignore[no-any-return]


@st.composite
def reductions(
    draw: st.DrawFn,
    *,
    dtype: Any = np.float64,
    domain: _Domain = "real",
    min_side: int = 1,
    tuples: bool = True,
) -> tuple[Array, dict[str, Any]]:
    """Return an array with keywords for a reduction of it: `axis` and `keepdims`.

    Axes of length 0 are left out by default: not every reduction has a value there.
    """
    array = draw(arrays(shapes(min_side=min_side), dtype=dtype, domain=domain))
    axis, keepdims = draw(axes(array.ndim, tuples=tuples)), draw(st.booleans())
    kwargs = {"axis": axis} if axis is not None else {}
    return array, {**kwargs, "keepdims": True} if keepdims else kwargs


def indices(shape: _Shape) -> st.SearchStrategy[Any]:
    """Return index expressions that are valid for an array of a shape, of every kind that NumPy
    has.

    Integers and slices of both signs, `...`, None, integer arrays with duplicates, lists, boolean
    masks of the whole or of leading axes, and mixtures of these.
    """
    kinds: list[st.SearchStrategy[Any]] = [
        hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True),
        st.integers(0, len(shape)).flatmap(lambda k: hnp.arrays(bool, shape[: len(shape) - k])),
    ]
    if shape and all(shape):
        small = shapes(max_dims=2, max_side=3)
        kinds.append(hnp.integer_array_indices(shape, result_shape=small))
        kinds.append(st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=3))
        kinds.append(_mixed(shape))
    return st.one_of(kinds)


@st.composite
def _mixed(draw: st.DrawFn, shape: _Shape) -> tuple[Any, ...]:
    """Integer arrays of one shape on some axes; slices, integers, None and ... on the others."""
    result = draw(shapes(max_dims=2, max_side=3))
    parts: list[Any] = []
    for length in shape:
        places = st.integers(-length, length - 1)
        array = hnp.arrays(int, result, elements=places)
        parts.append(draw(st.one_of(st.slices(length), array, places)))
        if draw(st.booleans()):
            parts.append(None)
    slices = [i for i, p in enumerate(parts) if isinstance(p, slice) and p == slice(None)]
    if draw(st.booleans()) and slices:
        parts[slices[0]] = Ellipsis
    return tuple(parts)
