"""Sequences of different lengths: padded to a common one, or packed without the padding.

Names and arguments are PyTorch's. Imports `autograd` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Variable

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence(NamedTuple):
    """Steps of a batch of sequences, one step's rows after the other's, without padding.

    Attributes:
        data: shape (sum of lengths, ...).
        batch_sizes: how many sequences have a row for each step; never increases.
        sorted_indices: the order, longest first, in which sequences stand in `data`; None where
            they came in that order.
        unsorted_indices: the order that undoes it.
    """

    data: Any
    batch_sizes: np.ndarray[Any, np.dtype[np.int64]]
    sorted_indices: np.ndarray[Any, np.dtype[np.int64]] | None = None
    unsorted_indices: np.ndarray[Any, np.dtype[np.int64]] | None = None


def invert_permutation(permutation: Any) -> Any:
    """Return the permutation that undoes another; None stays None."""
    return None if permutation is None else np.argsort(permutation)


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Drop the padding of a batch of sequences.

    Args:
        input: shape (T, N, ...), or (N, T, ...) where `batch_first`.
        lengths: N integers from 1 to T.
        batch_first: whether the batch is the first axis.
        enforce_sorted: refuse lengths that increase; False sorts them, which recurrent layers and
            `pad_packed_sequence` undo.

    Raises:
        ValueError: where the lengths do not fit, or are not sorted though they should be.

    Example:
        >>> packed = pack_padded_sequence(np.array([[1, 4], [2, 0], [3, 0]]), [3, 1])
        >>> packed.data, packed.batch_sizes
        (array([1, 4, 2, 3]), array([2, 1, 1]))
    """
    if batch_first:
        input = input.swapaxes(0, 1)
    steps, batch = input.shape[:2]
    lengths = _lengths("pack_padded_sequence", lengths)
    if lengths.shape != (batch,) or not batch or lengths.min() < 1 or lengths.max() > steps:
        raise ValueError(
            f"pack_padded_sequence: wanted {batch} lengths from 1 to {steps} for an input of "
            f"{batch} sequences of at most {steps} steps, got {lengths.tolist()}"
        )
    order = None
    if not enforce_sorted:
        order = np.argsort(-lengths, stable=True)
        lengths = lengths[order]
        input = input[:, order]
    elif (np.diff(lengths) > 0).any():
        raise ValueError(
            "pack_padded_sequence: wanted lengths that never increase, got "
            f"{lengths.tolist()}; pass enforce_sorted=False to have them sorted"
        )
    present = np.arange(lengths.max())[:, None] < lengths
    return PackedSequence(
        input[: len(present)][present], present.sum(axis=1), order, invert_permutation(order)
    )


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Any, Any]:
    """Undo `pack_padded_sequence`: return the padded batch and the lengths.

    Args:
        sequence: what was packed.
        batch_first: whether the batch becomes the first axis.
        padding_value: what fills the end of shorter sequences.
        total_length: number of steps of the result, by default that of the longest sequence.

    Returns:
        Shape (T, N, ...), or (N, T, ...) where `batch_first`; and the N lengths.

    Raises:
        TypeError: where `sequence` is no PackedSequence.
        ValueError: where `total_length` is less than the longest sequence.
    """
    if not isinstance(sequence, PackedSequence):
        raise TypeError(
            f"pad_packed_sequence: wanted a PackedSequence, got {type(sequence).__name__}"
        )
    data, sizes, _, unsorted = sequence
    steps = len(sizes) if total_length is None else total_length
    if steps < len(sizes):
        raise ValueError(
            f"pad_packed_sequence: wanted a total_length of at least {len(sizes)}, the longest "
            f"sequence, got {steps}"
        )
    present = np.zeros((steps, sizes[0]), dtype=bool)
    present[: len(sizes)] = np.arange(sizes[0]) < np.asarray(sizes)[:, None]
    padded = _placed(data, present, padding_value)
    lengths = present.sum(axis=0)
    if unsorted is not None:
        padded, lengths = padded[:, unsorted], lengths[unsorted]
    return (padded.swapaxes(0, 1) if batch_first else padded), lengths


def pad_sequence(
    sequences: Sequence[Any],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Any:
    """Join sequences of different lengths to one batch.

    Args:
        sequences: arrays or Variables of shape (length, ...).
        batch_first: whether the batch becomes the first axis.
        padding_value: what fills up shorter sequences.
        padding_side: "right" fills their ends, "left" their starts.

    Returns:
        Shape (T, N, ...), or (N, T, ...) where `batch_first`, T the largest length.

    Raises:
        ValueError: where there are none, their other axes differ, or the side is unknown.

    Example:
        >>> pad_sequence([np.array([1, 2]), np.array([3])], batch_first=True)
        array([[1, 2],
               [3, 0]])
    """
    if padding_side not in ("right", "left"):
        raise ValueError(
            f"pad_sequence: wanted padding_side 'right' or 'left', got {padding_side!r}"
        )
    shapes = [s.shape for s in sequences]
    if len({shape[1:] for shape in shapes}) != 1 or () in shapes:
        raise ValueError(
            "pad_sequence: wanted one or more sequences of shape (length, ...) that differ in "
            f"length only, got shapes {shapes}"
        )
    lengths = np.array([shape[0] for shape in shapes])
    steps = np.arange(lengths.max())
    present = steps < lengths[:, None]
    padded = _placed(
        np.concatenate(sequences),
        present if padding_side == "right" else present[:, ::-1],
        padding_value,
    )
    return padded if batch_first else padded.swapaxes(0, 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """Undo `pad_sequence`: return the sequences without what fills them up at the end."""
    if not batch_first:
        padded_sequences = padded_sequences.swapaxes(0, 1)
    lengths = _lengths("unpad_sequence", lengths)
    if lengths.shape != padded_sequences.shape[:1]:
        raise ValueError(
            f"unpad_sequence: wanted {padded_sequences.shape[0]} lengths, got {lengths.tolist()}"
        )
    return [padded_sequences[k, :n] for k, n in enumerate(lengths)]


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences of different lengths: `pack_padded_sequence` of `pad_sequence`."""
    lengths = [s.shape[0] for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """Undo `pack_sequence`."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def _lengths(operation: str, lengths: Any) -> Any:
    lengths = np.asarray(lengths.data if isinstance(lengths, Variable) else lengths)
    if lengths.dtype.kind not in "iu" and lengths.size:
        raise TypeError(f"{operation}: wanted integers as lengths, got {lengths.dtype}")
    return lengths.astype(np.int64)


def _placed(data: Any, present: Any, padding_value: float) -> Any:
    """Return an array of `padding_value` with the rows of `data` where `present` holds."""
    padding = np.full((*present.shape, *data.shape[1:]), padding_value, data.dtype)
    return autograd.set_at(padding, present, data)
