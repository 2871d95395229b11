"""Table look-up, of vectors and of bags of them. Imports `autograd` only."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import Variable
from autograd.arrays import is_foreign
from autograd.extend import primitive
from autograd.ops.plain import plain

__all__ = ["as_indices", "embedding", "embedding_bag", "one_hot"]


@primitive(
    name="scaled_gradient",
    x=lambda g, scale: np.where(scale == 0, 0.0, g * scale),
    nondiff=("scale",),
    makes_zeros=True,
)
def _scaled_gradient(x: Any, scale: Any) -> Any:
    """Return `x` itself, whose gradient is multiplied with `scale`."""
    del scale
    return x


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,  # noqa: ARG001 - see the docstring
) -> Any:
    """Return the rows of `weight` that `input` names.

    Args:
        input: integers of any shape, each at least 0 and below num_embeddings.
        weight: shape (num_embeddings, embedding_dim).
        padding_idx: a row that gets no gradient; negative counts from the end.
        max_norm: rows that are named and longer are first shortened to this norm, in place.
        norm_type: the order of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often `input` names it.
        sparse: accepted for PyTorch's sake; gradients are dense.

    Returns:
        Shape (*input.shape, embedding_dim).

    Raises:
        TypeError: where `input` holds no integers.
        ValueError: where an index is out of range.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.embedding([2, 0], np.arange(6.0).reshape(3, 2))
        array([[4., 5.],
               [0., 1.]])
    """
    count = weight.shape[0]
    index = as_indices("embedding", input, count)
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    rows = weight[index]
    if padding_idx is None and not scale_grad_by_freq:
        return rows
    unmoved = None if padding_idx is None else _row("embedding", padding_idx, count)
    return _scaled_gradient(rows, _scales(index, unmoved, scale_grad_by_freq, rows.dtype))


@plain
def _scales(index: Any, unmoved: int | None, by_frequency: bool, dtype: Any) -> Any:
    """Return what the gradient of each row is multiplied with."""
    scale = np.ones((*index.shape, 1), dtype)
    if by_frequency:
        scale[..., 0] /= np.bincount(index.reshape(-1))[index]
    if unmoved is not None:
        scale[index == unmoved] = 0.0
    return scale


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,  # noqa: ARG001 - see the docstring
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Return the sum, mean or maximum of the rows of `weight` in each bag; zeros for empty bags.

    Args:
        input: integers of shape (B, n), B bags of equal size; or (n,), all bags together.
        weight: shape (num_embeddings, embedding_dim).
        offsets: where each bag starts in an `input` of one axis.
        max_norm: rows that are named and longer are first shortened to this norm, in place.
        norm_type: the order of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often `input` names it.
        mode: "sum", "mean" or "max".
        sparse: accepted for PyTorch's sake; gradients are dense.
        per_sample_weights: factors of the rows, of the shape of `input`, with mode "sum".
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: a row that counts in no bag and gets no gradient.

    Returns:
        Shape (B, embedding_dim).

    Raises:
        TypeError: where `input` or `offsets` hold no integers.
        ValueError: where an index is out of range, offsets decrease, or arguments do not fit.

    Example:
        >>> import numpy as np, nn
        >>> table = np.array([[1.0], [10.0], [100.0]])
        >>> nn.functional.embedding_bag([0, 1, 2], table, [0, 2], mode="sum")
        array([[ 11.],
               [100.]])
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: wanted mode 'sum', 'mean' or 'max', got {mode!r}")
    index = as_indices("embedding_bag", input, weight.shape[0])
    if per_sample_weights is not None and (mode, per_sample_weights.shape) != ("sum", index.shape):
        raise ValueError(
            f"embedding_bag: wanted per_sample_weights of the shape of the input {index.shape} and "
            f"mode 'sum', got {per_sample_weights.shape} and {mode!r}"
        )
    starts, count = _bags(index, offsets, include_last_offset)
    shape = index.shape
    index = index.reshape(-1)
    bag = np.repeat(np.arange(count), np.diff(starts))
    if padding_idx is not None:
        kept = index != _row("embedding_bag", padding_idx, weight.shape[0])
        index, bag = index[kept], bag[kept]
    rows = embedding(index, weight, None, max_norm, norm_type, scale_grad_by_freq)
    if per_sample_weights is not None:
        factors = per_sample_weights.reshape(-1)
        rows = rows * (factors if padding_idx is None else factors[kept])[:, None]
    if len(shape) == 2 and shape[1] and padding_idx is None:  # a tenth of the time of adding at
        return getattr(rows.reshape((*shape, rows.shape[1])), mode)(axis=1)
    sizes = np.bincount(bag, minlength=count)
    if mode == "max":
        return _largest(rows, bag, sizes)
    out = autograd.add_at(np.zeros((count, rows.shape[1]), rows.dtype), bag, rows)
    if mode == "mean":
        out = out / np.maximum(sizes, 1).astype(rows.dtype)[:, None]
    return out


def _bags(index: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, int]:
    """Return where bags start in the flat index, with the end of the last, and their number."""
    if index.ndim == 2 and offsets is None:
        count, size = index.shape
        return np.arange(count + 1) * size, count
    starts = None if offsets is None else as_indices("embedding_bag", offsets, index.size + 1)
    if index.ndim != 1 or starts is None or starts.ndim != 1:
        raise ValueError(
            "embedding_bag: wanted an input of two axes, or of one with offsets, got shape "
            f"{index.shape} and offsets {None if starts is None else starts.shape}"
        )
    if not include_last_offset:
        starts = np.append(starts, index.size)
    if not starts.size or starts[0] != 0 or (np.diff(starts) < 0).any():
        raise ValueError(
            "embedding_bag: wanted offsets that start with 0 and never decrease, got "
            f"{starts.tolist()}"
        )
    return starts, starts.size - 1


def _largest(rows: Any, bag: Any, sizes: Any) -> Any:
    """Return the maximum over each bag, from bags that are padded to one size."""
    place = np.arange(len(bag)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shape = (len(sizes), max(1, sizes.max(initial=0)), rows.shape[1])
    padded = autograd.set_at(np.full(shape, -np.inf, rows.dtype), (bag, place), rows)
    return autograd.where(sizes[:, None] > 0, padded.max(axis=1), 0.0)


def _shorten(weight: Any, index: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are named to at most `max_norm`, in place."""
    data = weight.data if isinstance(weight, Variable) else weight
    rows = np.unique(index)
    norms = np.linalg.norm(data[rows], norm_type, axis=1)
    long = norms > max_norm
    if long.any():
        data[rows[long]] *= (max_norm / (norms[long] + 1e-7))[:, None]  # as PyTorch
        if isinstance(weight, Variable):
            weight.mark_changed()


def _row(operation: str, padding_idx: int, count: int) -> int:
    if not -count <= padding_idx < count:
        raise ValueError(
            f"{operation}: wanted a padding_idx within {count} rows, got {padding_idx}"
        )
    return padding_idx % count


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """Return a 1 at the place each integer names, 0 elsewhere, as int64.

    Args:
        tensor: integers of any shape, each at least 0.
        num_classes: length of the new last axis; -1 takes the largest integer plus 1.

    Returns:
        Shape (*tensor.shape, num_classes).

    Raises:
        TypeError: where `tensor` holds no integers.
        ValueError: where an integer is out of range.

    Example:
        >>> import nn
        >>> nn.functional.one_hot([0, 2])
        array([[1, 0, 0],
               [0, 0, 1]])
    """
    index = as_indices("one_hot", tensor, None if num_classes == -1 else num_classes)
    if num_classes == -1:
        num_classes = int(index.max()) + 1 if index.size else 0
    return (index[..., None] == np.arange(num_classes)).astype(np.int64)


def as_indices(operation: str, x: Any, count: int | None) -> Any:
    """Return `x` as an integer array whose entries are checked to be in [0, count)."""
    given = x if isinstance(x, Variable) or is_foreign(x) else np.asarray(x)
    return _checked(given, operation, count)


@plain
def _checked(index: Any, operation: str, count: int | None) -> Any:
    if index.dtype.kind not in "iu":
        if index.size:
            raise TypeError(
                f"{operation}: wanted integers, got {index.dtype}; convert them with "
                ".astype(np.int64)"
            )
        index = index.astype(np.int64)
    if index.size and not is_foreign(index):
        low, high = index.min(), index.max()
        if low < 0 or (count is not None and high >= count):
            below = "" if count is None else f" and below {count}"
            raise ValueError(
                f"{operation}: wanted integers of at least 0{below}, got {low if low < 0 else high}"
            )
    return index
