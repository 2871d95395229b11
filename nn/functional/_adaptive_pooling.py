"""Pooling over stretches and windows of unequal lengths: adaptive and fractional.

The largest elements are found by gathering windows of one length for `max_pool`, the means by
`resample`. Imports `autograd`, `_pooling`, `_resampling` and `_windows`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import new_generator
from nn.functional._numbers import real
from nn.functional._pooling import answer_largest, numbered, pooling_windows
from nn.functional._resampling import area, resample, stretches
from nn.functional._windows import Sizes, batched, check_sizes, over_axes, per_axis

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "average",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
]


def _adaptive_max_pool(n: int, input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Return the largest element of each of `output_size` stretches of nearly equal length.

    Args:
        input: shape (N, C, *size) or (C, *size).
        output_size: number of stretches along each axis; None keeps an axis.
        return_indices: also return where each largest element is in its channel, flattened.

    Returns:
        Shape (N, C, *output_size), or without N; with `return_indices` a pair.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where the input is empty or has another number of axes.
    """
    name = f"adaptive_max_pool{n}d"
    x = batched(name, real(name, input), n)
    positions = numbered(x.shape[2:])
    # Windows of one length: the shorter ones repeat their last element, and of equals the first
    # is taken.
    kernel, given = [], x
    for axis, m in enumerate(_output_size(name, x.shape[2:], output_size), start=2):
        low, high = stretches(x.shape[axis], m)
        index = np.minimum(low[:, None] + np.arange((high - low).max(initial=0)), high[:, None] - 1)
        kernel.append(index.shape[1])
        if index.size != x.shape[axis]:
            given = autograd.take(given, index.ravel(), axis)
            positions = positions.take(index.ravel(), axis)
    windows = pooling_windows(name, given.shape[2:], tuple(kernel), None, 0, 1, False)
    return answer_largest(input, given, windows, positions, return_indices)


def _output_size(name: str, size: Sizes, output_size: Any) -> Sizes:
    """Return the output size of adaptive pooling, with None for the size of the input."""
    n = len(size)
    values = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * n
    filled = [s if v is None else v for v, s in zip(values, size, strict=False)]
    sizes = per_axis(name, "output_size", [*filled, *values[n:]], n)
    check_sizes(name, 1, output_size=sizes, input=size)
    return sizes


def _fractional_max_pool(
    n: int,
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
    *,
    generator: Any = None,
) -> Any:
    """Return the largest element of windows at random distances, drawn for each channel.

    Args:
        input: shape (N, C, *size) or (C, *size).
        kernel_size: lengths of a window.
        output_size: number of windows along each axis.
        output_ratio: the same as a part of the size, between 0 and 1; one of both is given.
        return_indices: also return where each largest element is in its channel, flattened.
        _random_samples: numbers in [0, 1) of shape (N, C, n), instead of drawing them.
        generator: a seed or np.random.Generator; None derives a stream from `autograd.manual_seed`.

    Returns:
        Shape (N, C, *output_size), or without N; with `return_indices` a pair.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where not one of `output_size` and `output_ratio` is given, or windows do not
            fit.

    References:
        B. Graham, Fractional max-pooling, 2014, https://arxiv.org/abs/1412.6071, section 2.
    """
    name = f"fractional_max_pool{n}d"
    x = batched(name, real(name, input), n)
    size, kernel = x.shape[2:], per_axis(name, "kernel_size", kernel_size, n)
    if (output_size is None) == (output_ratio is None):
        raise ValueError(
            f"{name}: wanted output_size or output_ratio, got "
            f"{'neither' if output_size is None else 'both'}"
        )
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * n
        if not all(0 < r < 1 for r in ratios):
            raise ValueError(f"{name}: wanted an output_ratio between 0 and 1, got {output_ratio}")
        output_size = tuple(int(s * r) for s, r in zip(size, ratios, strict=True))
    counts = per_axis(name, "output_size", output_size, n)
    check_sizes(name, 1, kernel_size=kernel, output_size=counts)
    if any(c + k - 1 > s for s, k, c in zip(size, kernel, counts, strict=True)):
        raise ValueError(
            f"{name}: wanted {counts} windows of lengths {kernel} in a space of at least "
            f"{tuple(c + k - 1 for c, k in zip(counts, kernel, strict=True))}, got {size}"
        )
    if _random_samples is None:
        _random_samples = new_generator(generator).random((*x.shape[:2], n))
    samples = np.asarray(_random_samples)
    if samples.shape != (*x.shape[:2], n):
        raise ValueError(
            f"{name}: wanted _random_samples of shape {(*x.shape[:2], n)}, got {samples.shape}"
        )
    if n == 2:
        samples = samples[..., ::-1]  # PyTorch's order: width first here, depth first in space
    index = []
    for axis, (s, k, c) in enumerate(zip(size, kernel, counts, strict=True)):
        places = _starts(samples[..., axis], s, k, c)[..., None] + np.arange(k)  # (N, C, c, k)
        index.append(places.reshape((*x.shape[:2], *(1,) * axis, c * k, *(1,) * (n - 1 - axis))))
    rows = np.arange(x.shape[0]).reshape((-1, *(1,) * (n + 1)))
    channels = np.arange(x.shape[1]).reshape((-1, *(1,) * n))
    given = x[(rows, channels, *index)]
    positions = numbered(size)[(0, 0, *index)]
    windows = pooling_windows(name, given.shape[2:], kernel, None, 0, 1, False)
    return answer_largest(input, given, windows, positions, return_indices)


def _starts(sample: Any, size: int, kernel: int, count: int) -> Any:
    """Return where windows begin, (N, C, count): at random distances, the last at the end."""
    free = size - kernel
    alpha = free / (count - 1) if count > 1 else 0.0
    steps = (np.arange(count) + sample[..., None]) * alpha
    starts = steps.astype(np.intp) - (sample[..., None] * alpha).astype(np.intp)
    return np.where(np.arange(count) == count - 1, free, starts)


def _adaptive_avg_pool(n: int, input: Any, output_size: Any) -> Any:
    """Return the mean of each of `output_size` stretches of nearly equal length.

    Args:
        input: shape (N, C, *size) or (C, *size).
        output_size: number of stretches along each axis; None keeps an axis.

    Returns:
        Shape (N, C, *output_size), or without N.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where the input is empty or has another number of axes.
    """
    name = f"adaptive_avg_pool{n}d"
    x = batched(name, input, n)
    for axis, m in enumerate(_output_size(name, x.shape[2:], output_size), start=2):
        x = average(x, axis, m)
    return x if x.ndim == input.ndim else x[0]


def average(x: Any, axis: int, m: int) -> Any:
    """Return the means of m stretches of nearly equal length along an axis."""
    n = x.shape[axis]
    if n % m:
        return resample(x, axis, area(n, m))
    return x.reshape((*x.shape[:axis], m, n // m, *x.shape[axis + 1 :])).mean(axis + 1)


adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = over_axes(
    "adaptive_max_pool", _adaptive_max_pool
)
adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = over_axes(
    "adaptive_avg_pool", _adaptive_avg_pool
)
_, fractional_max_pool2d, fractional_max_pool3d = over_axes(
    "fractional_max_pool", _fractional_max_pool
)
