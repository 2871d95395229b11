"""Arguments of array functions: axes, index expressions, einsum. Imports NumPy, hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.testing.strategies._arrays import Domain, Shape, arrays, shapes
from autograd.testing.strategies._hypothesis import hnp, st

Array = np.ndarray[Any, Any]


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
        if tuples:
            chosen = st.lists(st.integers(0, ndim - 1), unique=True, max_size=ndim)
            signs = st.lists(st.booleans(), min_size=ndim, max_size=ndim)
            options.append(
                st.tuples(chosen, signs).map(
                    lambda pair: tuple(a - ndim if pair[1][a] else a for a in pair[0])
                )
            )
    return draw(st.one_of(options))  # type: ignore[no-any-return]


@st.composite
def reductions(
    draw: st.DrawFn,
    *,
    dtype: Any = np.float64,
    domain: Domain = "real",
    min_side: int = 1,
    tuples: bool = True,
) -> tuple[Array, dict[str, Any]]:
    """Return an array with keywords for a reduction of it: `axis` and `keepdims`.

    Axes of length 0 are left out by default: not every reduction has a value there.
    """
    array = draw(arrays(shapes(min_side=min_side), dtype=dtype, domain=domain))
    kwargs: dict[str, Any] = {}
    axis = draw(axes(array.ndim, tuples=tuples))
    if axis is not None:
        kwargs["axis"] = axis
    if draw(st.booleans()):
        kwargs["keepdims"] = True
    return array, kwargs


def indices(shape: Shape) -> st.SearchStrategy[Any]:
    """Return index expressions that are valid for an array of a shape, of every kind that NumPy
    has.

    Integers and slices of both signs, `...`, None, integer arrays with duplicates, lists, boolean
    masks of the whole or of leading axes, and mixtures of these.
    """
    kinds: list[st.SearchStrategy[Any]] = [
        hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True),
        hnp.arrays(bool, shape),
    ]
    if shape:
        kinds.append(hnp.arrays(bool, shape[:1]))
        kinds.append(st.integers(0, len(shape)).flatmap(lambda k: hnp.arrays(bool, shape[:k])))
    if shape and all(shape):
        kinds.append(hnp.integer_array_indices(shape, result_shape=_small_shapes()))
        kinds.append(st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=3))
        kinds.append(_mixed(shape))
    return st.one_of(kinds)


def _small_shapes() -> st.SearchStrategy[Shape]:
    return shapes(max_dims=2, max_side=3)


@st.composite
def _mixed(draw: st.DrawFn, shape: Shape) -> tuple[Any, ...]:
    """Integer arrays of one shape on some axes; slices, integers, None and ... on the others."""
    result = draw(_small_shapes())
    parts: list[Any] = []
    for length in shape:
        kind = draw(st.sampled_from(["slice", "array", "integer", "newaxis"]))
        if kind == "newaxis":
            parts.append(None)
        if kind == "array":
            parts.append(draw(hnp.arrays(int, result, elements=st.integers(-length, length - 1))))
        elif kind == "integer":
            parts.append(draw(st.integers(-length, length - 1)))
        else:
            parts.append(draw(st.slices(length)))
    if draw(st.booleans()):
        start = draw(st.integers(0, len(parts)))
        whole = slice(None, None, None)
        parts[start:] = (
            [Ellipsis]
            if all(p == whole for p in parts[start:] if isinstance(p, slice))
            and all(isinstance(p, slice) for p in parts[start:])
            else parts[start:]
        )
    return tuple(parts)


@st.composite
def einsum_calls(
    draw: st.DrawFn,
    *,
    dtype: Any = np.float64,
    domain: Domain = "real",
    max_operands: int = 3,
    max_side: int = 3,
    repeated: bool = True,
    ellipsis: bool = True,
) -> tuple[str, tuple[Array, ...]]:
    """Return subscripts for einsum and operands that fit them.

    Args:
        draw: hypothesis' own.
        dtype: of the operands.
        domain: of the operands.
        max_operands: at most so many.
        max_side: longest axis.
        repeated: a letter may stand twice in one operand (diagonals).
        ellipsis: operands may broadcast over `...`.
    """
    letters = "ijkl"
    sides = dict(
        zip(letters, draw(st.lists(st.integers(1, max_side), min_size=4, max_size=4)), strict=True)
    )
    count = draw(st.integers(1, max_operands))
    terms = [
        draw(st.lists(st.sampled_from(letters), max_size=3, unique=not repeated).map("".join))
        for _ in range(count)
    ]
    used = sorted(set("".join(terms)))
    dotted = ellipsis and draw(st.booleans())
    stacks: list[Shape] = [()] * count
    if dotted:
        found = draw(
            hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=1, max_side=max_side)
        )
        stacks = list(found.input_shapes)
    operands = tuple(
        draw(arrays((*stack, *(sides[letter] for letter in term)), dtype=dtype, domain=domain))
        for stack, term in zip(stacks, terms, strict=True)
    )
    dots = "..." if dotted else ""
    left = ",".join(dots + term for term in terms)
    if not dotted and draw(st.booleans()):
        return left, operands  # the implicit form
    kept = draw(st.permutations(used)) if used else []
    kept = kept[: draw(st.integers(0, len(kept)))]
    return f"{left}->{dots}{''.join(kept)}", operands
