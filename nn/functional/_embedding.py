"""Table look-up. Imports `autograd` only."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import Variable

__all__ = ["embedding", "one_hot"]


def embedding(x: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """Return the rows of `weight` that `x` names.

    Args:
        x: integers of any shape, each at least 0 and below num_embeddings.
        weight: shape (num_embeddings, embedding_dim).
        padding_idx: a row that gets no gradient; negative counts from the end.

    Returns:
        Shape (*x.shape, embedding_dim).

    Raises:
        TypeError: where `x` holds no integers.
        ValueError: where an index is out of range.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.embedding([2, 0], np.arange(6.0).reshape(3, 2))
        array([[4., 5.],
               [0., 1.]])
    """
    index = as_indices("embedding", x, weight.shape[0])
    rows = weight[index]
    if padding_idx is None or not isinstance(rows, Variable):
        return rows
    count = weight.shape[0]
    if not -count <= padding_idx < count:
        raise ValueError(f"embedding: wanted a padding_idx within {count} rows, got {padding_idx}")
    padding = index == padding_idx % count
    return autograd.where(padding[..., None], rows.detach(), rows) if padding.any() else rows


def one_hot(x: Any, num_classes: int = -1) -> Any:
    """Return a 1 at the place each integer names, 0 elsewhere, as int64.

    Args:
        x: integers of any shape, each at least 0.
        num_classes: length of the new last axis; -1 takes the largest integer plus 1.

    Returns:
        Shape (*x.shape, num_classes).

    Raises:
        TypeError: where `x` holds no integers.
        ValueError: where an integer is out of range.

    Example:
        >>> import nn
        >>> nn.functional.one_hot([0, 2])
        array([[1, 0, 0],
               [0, 0, 1]])
    """
    index = as_indices("one_hot", x, None if num_classes == -1 else num_classes)
    if num_classes == -1:
        num_classes = int(index.max()) + 1 if index.size else 0
    return (index[..., None] == np.arange(num_classes)).astype(np.int64)


def as_indices(operation: str, x: Any, count: int | None) -> Any:
    """Return `x` as an integer array whose entries are checked to be in [0, count)."""
    index = np.asarray(x.data if isinstance(x, Variable) else x)
    if index.dtype.kind not in "iu":
        if index.size:
            raise TypeError(
                f"{operation}: wanted integers, got {index.dtype}; convert them with "
                ".astype(np.int64)"
            )
        index = index.astype(np.int64)
    if index.size:
        low, high = index.min(), index.max()
        if low < 0 or (count is not None and high >= count):
            below = "" if count is None else f" and below {count}"
            raise ValueError(
                f"{operation}: wanted integers of at least 0{below}, got {low if low < 0 else high}"
            )
    return index
