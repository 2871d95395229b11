"""Windows as columns and back, and channels as pixels and back. Imports `autograd`, `_windows`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.extend import primitive
from nn.functional._numbers import check_numbers
from nn.functional._windows import Windows, batched, hashable, per_axis, windows_over

__all__ = [
    "add_columns",
    "channel_shuffle",
    "columns_of",
    "fold",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
]

# -- windows as columns ----------------------------------------------------------------------------


@primitive(x=lambda g, windows: add_columns(g, windows), linear=True)
def columns_of(x: Any, windows: Windows) -> Any:
    """Return the elements of all windows, (N, C, *size) to (N, C, K, *count)."""
    padded = windows.padded(x)
    return np.stack([padded[tap] for tap in windows.taps], axis=2)


@primitive(columns=lambda g, windows: columns_of(g, windows), linear=True)
def add_columns(columns: Any, windows: Windows) -> Any:
    """Add elements of windows up where they are from, (N, C, K, *count) to (N, C, *size)."""
    padded = np.zeros_like(columns, shape=(*columns.shape[:2], *windows.span))
    for k, tap in enumerate(windows.taps):
        padded[tap] += columns[:, :, k]
    return padded[windows.inside]


def _columns(name: str, size: Any, *lengths: Any) -> Windows:
    names = ("kernel_size", "dilation", "padding", "stride")
    pairs = [per_axis(name, what, hashable(v), 2) for what, v in zip(names, lengths, strict=True)]
    kernel, dilation, padding, stride = pairs
    return windows_over(name, size, kernel, stride, (padding, padding), dilation)


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Return the elements of all windows as columns; integers for an axis stand for both.

    Args:
        input: shape (N, C, H, W) or (C, H, W).
        kernel_size: lengths of a window.
        dilation: distance of neighbouring elements of a window.
        padding: zeros before and after each axis.
        stride: distance of neighbouring windows.

    Returns:
        Shape (N, C K, P) for windows of K elements at P places, or without N.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where the windows do not fit the space.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.unfold(np.arange(6).reshape(1, 1, 2, 3), (2, 2))
        array([[[0, 1],
                [1, 2],
                [3, 4],
                [4, 5]]])
    """
    x = batched("unfold", input, 2)
    windows = _columns("unfold", x.shape[2:], kernel_size, dilation, padding, stride)
    rows, columns = x.shape[1] * len(windows.taps), math.prod(windows.count)
    out = columns_of(x, windows).reshape((len(x), rows, columns))
    return out if x.ndim == input.ndim else out[0]


def fold(
    input: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    """Add the columns of `unfold` up where they are from: its transpose.

    Args:
        input: shape (N, C K, P) or (C K, P), for windows of K elements at P places.
        output_size: lengths H, W of the output.
        kernel_size: lengths of a window.
        dilation: distance of neighbouring elements of a window.
        padding: how much is cut off before and after each axis of the output.
        stride: distance of neighbouring windows.

    Returns:
        Shape (N, C, H, W), or without N.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where the windows do not fit the output, or the input has another shape.
    """
    check_numbers("fold", "an input", input)
    size = per_axis("fold", "output_size", hashable(output_size), 2)
    windows = _columns("fold", size, kernel_size, dilation, padding, stride)
    k, places = len(windows.taps), math.prod(windows.count)
    if input.ndim not in (2, 3) or input.shape[-1] != places or input.shape[-2] % k:
        raise ValueError(
            f"fold: wanted an input of shape (N, C * {k}, {places}) or (C * {k}, {places}) for "
            f"{' x '.join(map(str, windows.count))} windows of {k} elements, got {input.shape}"
        )
    x = input if input.ndim == 3 else input[None]
    split = x.reshape((len(x), x.shape[1] // k, k, *windows.count))
    out = add_columns(split, windows)
    return out if x.ndim == input.ndim else out[0]


# -- channels as pixels ----------------------------------------------------------------------------


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Turn groups of r^2 channels into squares of r x r pixels.

    Args:
        input: shape (..., C r^2, H, W).
        upscale_factor: r.

    Returns:
        Shape (..., C, H r, W r).

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where r^2 does not divide the channels.

    References:
        W. Shi et al., Real-time single image and video super-resolution using an efficient
        sub-pixel convolutional neural network, CVPR 2016, https://arxiv.org/abs/1609.05158, eq. 4.
    """
    r = _factor("pixel_shuffle", "upscale_factor", input, upscale_factor)
    *batch, c, h, w = input.shape
    if c % (r * r):
        raise ValueError(
            f"pixel_shuffle: wanted a multiple of {r * r} channels for upscale_factor {r}, got {c}"
        )
    split = input.reshape((math.prod(batch), c // (r * r), r, r, h, w))
    return split.transpose((0, 1, 4, 2, 5, 3)).reshape((*batch, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Turn squares of r x r pixels into groups of r^2 channels: the inverse of `pixel_shuffle`.

    Args:
        input: shape (..., C, H r, W r).
        downscale_factor: r.

    Returns:
        Shape (..., C r^2, H, W).

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where r does not divide height and width.
    """
    r = _factor("pixel_unshuffle", "downscale_factor", input, downscale_factor)
    *batch, c, h, w = input.shape
    if h % r or w % r:
        raise ValueError(
            f"pixel_unshuffle: wanted height and width that are multiples of {r}, got {h} x {w}"
        )
    split = input.reshape((math.prod(batch), c, h // r, r, w // r, r))
    return split.transpose((0, 1, 3, 5, 2, 4)).reshape((*batch, c * r * r, h // r, w // r))


def _factor(name: str, what: str, input: Any, factor: Any) -> int:
    check_numbers(name, "an input", input)
    (r,) = per_axis(name, what, factor, 1)
    if r < 1 or input.ndim < 3:
        raise ValueError(
            f"{name}: wanted an input (..., C, H, W) and a {what} of at least 1, got shape "
            f"{input.shape} and {r}"
        )
    return r


def channel_shuffle(input: Any, groups: int) -> Any:
    """Deal the channels of all groups out in turns: the first of each group, the second of each ...

    Args:
        input: shape (N, C, ...).
        groups: number of groups, which divides C.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where the groups do not divide the channels.

    References:
        X. Zhang et al., ShuffleNet, CVPR 2018, https://arxiv.org/abs/1707.01083, section 3.1.
    """
    check_numbers("channel_shuffle", "an input", input)
    (g,) = per_axis("channel_shuffle", "groups", groups, 1)
    if input.ndim < 2 or g < 1 or input.shape[1] % g:
        raise ValueError(
            "channel_shuffle: wanted an input (N, C, ...) with groups that divide C, got shape "
            f"{input.shape} and {g} groups"
        )
    n, c, *rest = input.shape
    split = input.reshape((n, g, c // g, *rest))
    return split.swapaxes(1, 2).reshape(input.shape)
