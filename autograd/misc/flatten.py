"""Nested structures of numbers and arrays as one vector, and back, recorded."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.ops import joining, shaping
from autograd.ops.indexing import shape_of
from autograd.transforms import containers

__all__ = ["flatten", "flatten_func"]


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return the numbers in nested lists, tuples and dicts as one vector, and the function that
    puts such a vector back into the structure.

    Dicts are read in the order of their sorted keys.

    Example:
        >>> import numpy as np
        >>> vector, unflatten = flatten({"w": np.ones((1, 2)), "b": 3.0})
        >>> vector
        array([3., 1., 1.])
        >>> unflatten(2 * vector)
        {'b': np.float64(6.0), 'w': array([[2., 2.]])}
    """
    leaves, rebuild = containers.flatten(_sorted(value))
    shapes = [shape_of(leaf) for leaf in leaves]
    ends = np.cumsum([0, *(np.prod(shape, dtype=int) for shape in shapes)])

    def unflatten(vector: Any) -> Any:
        parts = (vector[a:b] for a, b in itertools.pairwise(ends))
        return containers.rebuilt(
            rebuild, [shaping.reshape(x, shape)[()] for x, shape in zip(parts, shapes, strict=True)]
        )

    if not leaves:
        return np.zeros(0), unflatten
    return joining.concatenate([shaping.ravel(leaf) for leaf in leaves]), unflatten


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        parts = map(_sorted, value)
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def flatten_func(
    func: Callable[..., Any], example: Any
) -> tuple[Callable[..., Any], Callable[[Any], Any], Any]:
    """Return `func` as a function from vectors to vectors, the function that undoes `flatten`, and
    `example` as a vector.

    Args:
        func: takes a structure like `example` first, and returns one of any kind.
        example: nested lists, tuples or dicts of arrays.
    """
    vector, unflatten = flatten(example)

    def of_vectors(x: Any, *args: Any, **kwargs: Any) -> Any:
        return flatten(func(unflatten(x), *args, **kwargs))[0]

    return of_vectors, unflatten, vector
