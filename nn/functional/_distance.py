"""Distances and similarities of vectors, composed of norms. Imports `autograd`, `_names`."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from nn.functional._names import dim_is_axis
from nn.functional._numbers import check_numbers, real

__all__ = ["cdist", "cosine_similarity", "pairwise_distance", "pdist"]


@dim_is_axis
def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8) -> Any:
    """Return x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) of the vectors along an axis.

    Args:
        x1: shape (..., n, ...).
        x2: a shape that broadcasts with it.
        axis: the axis of the vectors in both together.
        eps: the least norm that is divided by.

    Returns:
        The shape of both together, without the axis.

    Raises:
        TypeError: for what are no real numbers.
        ValueError: where the shapes do not broadcast or lack the axis.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.cosine_similarity(np.array([[3.0, 4.0]]), np.array([[3.0, 0.0]]))
        array([0.6])
    """
    shape = _together("cosine_similarity", x1, x2)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(
            f"cosine_similarity: wanted vectors along axis {axis}, got shapes {x1.shape} and "
            f"{x2.shape}"
        )
    x1, x2 = (real("cosine_similarity", x) for x in autograd.broadcast_arrays(x1, x2))
    norms = [np.maximum(autograd.linalg.norm(x, axis=axis), eps) for x in (x1, x2)]
    return (x1 * x2).sum(axis=axis) / (norms[0] * norms[1])


@dim_is_axis
def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False
) -> Any:
    """Return the p-norms of x1 - x2 + eps along the last axis.

    Args:
        x1: shape (..., n).
        x2: a shape that broadcasts with it.
        p: order of the norm.
        eps: added to each difference, so that none is zero.
        keepdims: keep the last axis, with length 1.

    Returns:
        The shape of both together, without the last axis.

    Raises:
        TypeError: for what are no numbers.
        ValueError: where the shapes do not broadcast.
    """
    _together("pairwise_distance", x1, x2)
    return autograd.linalg.norm(x1 - x2 + eps, ord=p, axis=-1, keepdims=keepdims)


def cdist(x1: Any, x2: Any, p: float = 2.0) -> Any:
    """Return the p-norms of all differences of a row of `x1` and a row of `x2`.

    The gradient at a difference of zero is 0.

    Args:
        x1: shape (..., P, n).
        x2: shape (..., R, n); leading axes broadcast.
        p: order of the norm, at least 0; 0 counts the elements that differ.

    Returns:
        Shape (..., P, R).

    Raises:
        TypeError: for what are no numbers.
        ValueError: where the shapes do not fit each other, or p is negative.
    """
    check_numbers("cdist", "an x1", x1)
    check_numbers("cdist", "an x2", x2)
    if min(x1.ndim, x2.ndim) < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ValueError(
            f"cdist: wanted shapes (..., P, n) and (..., R, n), got {x1.shape} and {x2.shape}"
        )
    first, second = x1[..., :, None, :], x2[..., None, :, :]
    _together("cdist", first, second)
    return _norms("cdist", first - second, p)


def pdist(input: Any, p: float = 2.0) -> Any:
    """Return the p-norms of the differences of all pairs of rows, i < j.

    Args:
        input: shape (N, n).
        p: order of the norm, at least 0; 0 counts the elements that differ.

    Returns:
        Shape (N (N - 1) / 2,), in the order (0, 1), (0, 2), ... (1, 2), ...

    Raises:
        TypeError: for what are no numbers.
        ValueError: where the input has another number of axes, or p is negative.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.pdist(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
        array([5.  , 1.  , 4.243])
    """
    check_numbers("pdist", "an input", input)
    if input.ndim != 2:
        raise ValueError(f"pdist: wanted an input of shape (N, n), got {input.shape}")
    i, j = np.triu_indices(len(input), 1)
    return _norms("pdist", input[i] - input[j], p)


def _norms(name: str, difference: Any, p: float) -> Any:
    if not p >= 0:
        raise ValueError(f"{name}: wanted an order p of at least 0, got {p}")
    return autograd.linalg.norm(difference, ord=p, axis=-1)


def _together(name: str, x1: Any, x2: Any) -> tuple[int, ...]:
    check_numbers(name, "an x1", x1)
    check_numbers(name, "an x2", x2)
    try:
        return np.broadcast_shapes(x1.shape, x2.shape)
    except ValueError:
        raise ValueError(
            f"{name}: wanted shapes that broadcast, got {x1.shape} and {x2.shape}"
        ) from None
