"""Pooling over n spatial axes: pairs of linear primitives, each the other's derivative.

`pool_at` reads one chosen element of each window, and `unpool` puts one number for each window
where it was chosen: max pooling is choosing and then reading. `sum_pool` adds the elements of each
window up, `sum_unpool` adds a number to all elements of its window. Imports `autograd`, `_windows`
and `_selection`.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

import autograd
from autograd.engine.calls import detached
from autograd.extend import primitive
from nn.functional._numbers import constant, real, within
from nn.functional._selection import selected
from nn.functional._windows import (
    Sizes,
    Windows,
    batched,
    hashable,
    over_axes,
    per_axis,
    windows_over,
)

__all__ = [
    "answer_largest",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "chosen",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "numbered",
    "pool_at",
    "pooling_windows",
    "sum_pool",
    "sum_unpool",
    "unpool",
]

# -- choosing one element of each window -----------------------------------------------------------


@primitive(
    x=lambda g, x, out, windows: unpool(g, chosen(x, out, windows), windows),
    makes_zeros=True,
)
def max_pool(x: Any, windows: Windows) -> Any:
    """Return the largest element of each window, (N, C, *size) to (N, C, *count)."""
    first, *rest = windows.taps
    padded = windows.padded(x, _lowest(x.dtype))
    out = np.array(padded[first])
    for tap in rest:
        np.maximum(out, padded[tap], out=out)
    return out


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind in "fc" else np.iinfo(dtype).min


@primitive(nondiff=("x", "out"))
def chosen(x: Any, out: Any, windows: Windows) -> Any:
    """Return which element of its window each element of `out` is: the first that is equal.

    Where the largest is nan, it is the last nan, as PyTorch has it.
    """
    padded = windows.padded(x, _lowest(x.dtype))
    first, *rest = windows.taps
    missing = padded[first] != out
    choice = missing.astype(np.uint8 if len(rest) < 256 else np.intp)
    for tap in rest[:-1]:  # the last one is what remains
        missing &= padded[tap] != out
        choice += missing
    if not np.isfinite(out).all():  # padding may be equal, and nan is not equal to itself
        inside = windows.padded(np.ones((1, 1, *windows.size), bool))
        for k, tap in reversed(list(enumerate(windows.taps))):
            np.copyto(choice, k, where=inside[tap] & (padded[tap] == out))
        for k, tap in enumerate(windows.taps):
            np.copyto(choice, k, where=padded[tap] != padded[tap])
    return choice


@primitive(
    values=lambda g, choice, windows: pool_at(g, choice, windows),
    nondiff=("choice",),
    linear=True,
    makes_zeros=True,
)
def unpool(values: Any, choice: Any, windows: Windows) -> Any:
    """Return zeros (N, C, *size) with each of `values` (N, C, *count) added where it was chosen."""
    padded = np.zeros_like(values, shape=(*values.shape[:2], *windows.span))
    for k, tap in enumerate(windows.taps):
        if windows.disjoint:
            padded[tap] = selected(values, choice == k)
        else:
            padded[tap] += selected(values, choice == k)
    return padded[windows.inside]


@primitive(
    x=lambda g, choice, windows: unpool(g, choice, windows),
    nondiff=("choice",),
    linear=True,
    makes_zeros=True,
)
def pool_at(x: Any, choice: Any, windows: Windows) -> Any:
    """Return the chosen element of each window, (N, C, *size) to (N, C, *count)."""
    padded = windows.padded(x)
    out = np.zeros_like(choice, dtype=x.dtype)
    for k, tap in enumerate(windows.taps):
        out += selected(padded[tap], choice == k)
    return out


def _largest(x: Any, windows: Windows, positions: Any) -> tuple[Any, Any]:
    """Return the largest elements and, read from `positions`, where they are."""
    out = max_pool(x, windows)
    indices = pool_at(positions, chosen(x, out, windows), windows)
    return out, detached(indices)


def numbered(size: Sizes) -> Any:
    """Number the elements of a space, (1, 1, *size)."""
    return np.arange(math.prod(size)).reshape((1, 1, *size))


# -- adding windows up -----------------------------------------------------------------------------


@primitive(x=lambda g, windows: sum_unpool(g, windows), linear=True)
def sum_pool(x: Any, windows: Windows) -> Any:
    """Return the sum of each window, (N, C, *size) to (N, C, *count)."""
    out = windows.padded(x)
    for first, *rest in windows.axes:  # one after the other: k + k additions, not k k
        total = np.array(out[first])
        for tap in rest:
            total += out[tap]
        out = total
    return out


@primitive(values=lambda g, windows: sum_pool(g, windows), linear=True)
def sum_unpool(values: Any, windows: Windows) -> Any:
    """Add each of `values` (N, C, *count) to all elements of its window, (N, C, *size)."""
    out = values
    for i, taps in enumerate(windows.axes, start=2):
        total = np.zeros_like(out, shape=(*out.shape[:i], windows.span[i - 2], *out.shape[i + 1 :]))
        for tap in taps:
            total[tap] += out
        out = total
    return out[windows.inside]


# -- the functions of users ------------------------------------------------------------------------


@functools.lru_cache(maxsize=1024, typed=True)
def pooling_windows(
    name: str,
    size: Sizes,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Windows:
    """Check the arguments of pooling and return where its windows stand."""
    n = len(size)
    kernel = per_axis(name, "kernel_size", kernel_size, n)
    strides = kernel if stride is None else per_axis(name, "stride", stride, n)
    ends = per_axis(name, "padding", padding, n)
    gaps = per_axis(name, "dilation", dilation, n)
    if any(p > (d * (k - 1) + 1) // 2 for p, d, k in zip(ends, gaps, kernel, strict=True)):
        raise ValueError(
            f"{name}: wanted a padding of at most half the kernel {kernel}, got {ends}"
        )
    return windows_over(name, size, kernel, strides, (ends, ends), gaps, ceil_mode=ceil_mode)


def _max_pool(
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest element of each window; integers for an axis stand for all axes.

    Args:
        input: shape (N, C, *size) or (C, *size).
        kernel_size: lengths of a window.
        stride: distance of neighbouring windows, by default `kernel_size`.
        padding: what counts as minus infinity before and after each axis, at most half a kernel.
        dilation: distance of neighbouring elements of a window.
        ceil_mode: also take a last window that reaches beyond the padding.
        return_indices: also return where each largest element is in its channel, flattened.

    Returns:
        Shape (N, C, *count) with count = (size + 2 padding - dilation (kernel - 1) - 1) // stride
        + 1, or without N; with `return_indices` a pair. Of equal elements the first is taken.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where the windows do not fit the space.
    """
    name = f"max_pool{n}d"
    x = batched(name, real(name, input), n)
    sizes = map(hashable, (kernel_size, stride, padding, dilation))
    windows = pooling_windows(name, x.shape[2:], *sizes, bool(ceil_mode))
    return answer_largest(input, x, windows, numbered(windows.size), return_indices)


def answer_largest(
    input: Any, x: Any, windows: Windows, positions: Any, return_indices: bool
) -> Any:
    """Return the largest elements of `x`, and where they are, with a batch axis where one was."""
    single = x.ndim > input.ndim
    if not return_indices:
        out = max_pool(x, windows)
        return out[0] if single else out
    out, indices = _largest(x, windows, positions)
    return (out[0], indices[0]) if single else (out, indices)


def _max_unpool(
    n: int,
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Any:
    """Put each element where `max_pool` found it, zeros elsewhere.

    Of several elements for one place the last one stays, and gets the gradient.

    Args:
        input: shape (N, C, *count) or (C, *count).
        indices: of the same shape: places in a channel, flattened, as `max_pool` returns them.
        kernel_size: lengths of the windows of `max_pool`.
        stride: their distance, by default `kernel_size`.
        padding: of `max_pool`.
        output_size: the size that `max_pool` had, which several sizes of the input have in common;
            by default the least, (count - 1) stride - 2 padding + kernel.

    Returns:
        Shape (N, C, *output_size), or without N.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where shapes differ, a place is outside of the output, or the output is further
            than a stride from the default.
    """
    name = f"max_unpool{n}d"
    x = batched(name, input, n)
    indices = constant(indices)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"{name}: wanted integers as indices, got dtype {indices.dtype}")
    if indices.shape != input.shape:
        raise ValueError(
            f"{name}: wanted indices of the shape {input.shape} of the input, got {indices.shape}"
        )
    kernel = per_axis(name, "kernel_size", kernel_size, n)
    strides = kernel if stride is None else per_axis(name, "stride", stride, n)
    ends = per_axis(name, "padding", padding, n)
    least = tuple(
        (c - 1) * s - 2 * p + k
        for c, s, p, k in zip(x.shape[2:], strides, ends, kernel, strict=True)
    )
    size = least
    if output_size is not None:
        size = per_axis(name, "output_size", list(output_size)[-n:], n)
        if any(abs(a - b) >= s for a, b, s in zip(size, least, strides, strict=True)):
            raise ValueError(
                f"{name}: wanted an output_size less than a stride from {least}, got {size}"
            )
    total = math.prod(size)
    wanted = f"{name}: wanted indices from 0 to {total - 1} for an output of size {size}"
    indices = within(indices, wanted, 0, total - 1)
    channels = math.prod(x.shape[:2])
    empty = np.zeros((channels, total), x.dtype)
    rows = np.arange(channels)[:, None]
    flat = (channels, math.prod(x.shape[2:]))
    out = autograd.set_at(empty, (rows, indices.reshape(flat)), x.reshape(flat))
    return out.reshape((*input.shape[:-n], *size))


def _avg_pool(
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Return the mean of each window; integers for an axis stand for all axes.

    Args:
        input: shape (N, C, *size) or (C, *size).
        kernel_size: lengths of a window.
        stride: distance of neighbouring windows, by default `kernel_size`.
        padding: zeros before and after each axis, at most half a kernel.
        ceil_mode: also take a last window that reaches beyond the padding.
        count_include_pad: whether zeros of the padding count as elements.
        divisor_override: what sums are divided by instead of the number of elements.

    Returns:
        Shape (N, C, *count) with count = (size + 2 padding - kernel) // stride + 1, or without N.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where the windows do not fit the space, or the divisor is 0.
    """
    name = f"avg_pool{n}d"
    x = batched(name, input, n)
    sizes = map(hashable, (kernel_size, stride, padding))
    windows = pooling_windows(name, x.shape[2:], *sizes, 1, bool(ceil_mode))
    if divisor_override == 0:
        raise ValueError(f"{name}: wanted a divisor_override other than 0, got 0")
    if divisor_override is None and (ceil_mode or (any(windows.before) and not count_include_pad)):
        divisor = _elements(windows, count_include_pad).astype(x.dtype)
    else:
        divisor = divisor_override or math.prod(windows.kernel)
    out = sum_pool(x, windows) / divisor
    return out if x.ndim == input.ndim else out[0]


@functools.lru_cache(maxsize=256)
def _elements(windows: Windows, padded: bool) -> Any:
    """Count the elements of each window, (*count), with or without those of the padding."""
    total = np.ones((), np.intp)
    for n, k, s, before, c in zip(
        windows.size, windows.kernel, windows.stride, windows.before, windows.count, strict=True
    ):
        low = np.arange(c) * s - before
        high = np.minimum(low + k, n + before if padded else n)
        total = total[..., None] * (high - (low if padded else np.maximum(low, 0)))
    return total


def _lp_pool(
    n: int,
    input: Any,
    norm_type: float,
    kernel_size: Any,
    stride: Any = None,
    ceil_mode: bool = False,
) -> Any:
    """Return (sum of x^p)^(1/p) over each window; integers for an axis stand for all axes.

    The gradient of a window of zeros is 0. In `ceil_mode`, the mean of a last window that reaches
    beyond the space counts for its missing elements, as in PyTorch.

    Args:
        input: shape (N, C, *size) or (C, *size).
        norm_type: p, positive.
        kernel_size: lengths of a window.
        stride: distance of neighbouring windows, by default `kernel_size`.
        ceil_mode: also take a last window that reaches beyond the space.

    Returns:
        Shape (N, C, *count), or without N.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where the windows do not fit the space, or p is not positive.
    """
    if not norm_type > 0:
        raise ValueError(f"lp_pool{n}d: wanted a positive norm_type, got {norm_type}")
    kernel = per_axis(f"lp_pool{n}d", "kernel_size", kernel_size, n)
    powers = _avg_pool(n, input**norm_type, kernel, stride, 0, ceil_mode) * math.prod(kernel)
    empty = powers == 0
    return np.where(empty, 0.0, np.where(empty, 1.0, powers) ** (1 / norm_type))


max_pool1d, max_pool2d, max_pool3d = over_axes("max_pool", _max_pool)
max_unpool1d, max_unpool2d, max_unpool3d = over_axes("max_unpool", _max_unpool)
avg_pool1d, avg_pool2d, avg_pool3d = over_axes("avg_pool", _avg_pool)
lp_pool1d, lp_pool2d, lp_pool3d = over_axes("lp_pool", _lp_pool)
