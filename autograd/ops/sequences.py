"""Sums and products of any number of arrays, under the names that MyGrad has for them.

Composed of `add`, `multiply` and `matmul`. Imports families of operations.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.ops import elementwise
from autograd.ops.contractions import as_array, multiply_chain

__all__ = ["add_sequence", "multi_matmul", "multiply_sequence"]


def _at_least_two(name: str, arrays: Sequence[Any]) -> list[Any]:
    if len(arrays) < 2:
        raise ValueError(f"{name}: wanted at least two arrays, got {len(arrays)}")
    return [as_array(name, f"arrays[{i}]", a) for i, a in enumerate(arrays)]


def add_sequence(*arrays: Any) -> Any:
    """Add two or more arrays, which broadcast: `a + b + c + ...`."""
    return functools.reduce(elementwise.add, _at_least_two("add_sequence", arrays))


def multiply_sequence(*arrays: Any) -> Any:
    """Multiply two or more arrays, which broadcast: `a * b * c * ...`."""
    return functools.reduce(elementwise.multiply, _at_least_two("multiply_sequence", arrays))


def multi_matmul(arrays: Sequence[Any]) -> Any:
    """Multiply two or more (stacks of) matrices in the order that takes the fewest products.

    Args:
        arrays: (..., m, n), whose leading axes broadcast; the first and the last may be vectors.
            The order is chosen by the last two axes alone.

    Raises:
        ValueError: there are fewer than two, or shapes do not fit.
    """
    factors = _at_least_two("multi_matmul", arrays)
    last = len(factors) - 1
    for i, x in enumerate(factors):
        if x.ndim < 2 and not (x.ndim == 1 and i in (0, last)):
            raise np.linalg.LinAlgError(
                f"multi_matmul: wanted matrices, and vectors only at the ends, got shape {x.shape} "
                f"at position {i}"
            )
    return multiply_chain(factors)
