"""Convolution over n spatial axes: three primitives that are each other's derivatives.

With windows p, elements k of the kernel and the padded input x, all of them are parts of

    sum over n, o, c, p, k of  output[n, o, p] weight[o, c, k] x[n, c, stride p + dilation k],

which is linear in three operands: `conv`, `conv_transpose` and `conv_weight` are its derivatives
with respect to output, input and weight, and so each one's derivatives are the other two. Imports
`autograd`, `_layout` and `_windows`.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from autograd.engine.calls import primitive
from nn.functional._layout import Layout
from nn.functional._numbers import check_numbers
from nn.functional._windows import (
    Sizes,
    Windows,
    batched,
    check_sizes,
    hashable,
    over_axes,
    per_axis,
    windows_over,
)

__all__ = [
    "conv",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "conv_weight",
    "same_padding",
]


def _by_element(weight: Any, groups: int) -> Any:
    """View a weight (O, C/G, *kernel) as (G, K, C/G, O/G)."""
    o, c = weight.shape[:2]
    return weight.reshape((groups, o // groups, c, -1)).transpose((0, 3, 2, 1))


# Channels from which one product of windows takes less time than one for each element of the
# kernel: 3 x 3 on 16 x 32 x 32 x 32 take 5.1 ms, 6.6 ms the other way.
_MANY = 16


def _turned(weight: Any, groups: int) -> Any:
    """Return a weight (O, C/G, *kernel) as (C, O/G, *kernel), the kernel turned over."""
    o, c, *kernel = weight.shape
    weight = weight.reshape((groups, o // groups, c, *kernel)).swapaxes(1, 2)
    weight = np.flip(weight, tuple(range(3, weight.ndim)))
    return weight.reshape((groups * c, o // groups, *kernel))


# -- the three primitives --------------------------------------------------------------------------


def _bias(g: Any) -> Any:
    return g.sum(axis=(0, *range(2, g.ndim)))


@primitive(
    x=lambda g, weight, windows, groups: conv_transpose(g, weight, None, windows, groups),
    weight=lambda g, x, windows, groups: conv_weight(x, g, windows, groups),
    bias=_bias,
)
def conv(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """Return out[n, o, p] = sum of weight[o, c, k] x[n, c, stride p + dilation k], plus bias[o].

    Args:
        x: shape (N, C, *size).
        weight: shape (O, C/G, *kernel).
        bias: shape (O,), or None.
        windows: where the kernel stands.
        groups: G; output channels of a group see the input channels of that group.

    Returns:
        Shape (N, O, *count).
    """
    layout = Layout(windows, len(x), x.shape[1], len(weight), groups)
    dtype = np.result_type(x, weight, *([] if bias is None else [bias]))
    output = layout.new(windows.count, layout.out, dtype)
    products = output.reshape((groups, -1, layout.out))
    matrix = _by_element(weight, groups).reshape((groups, -1, layout.out))
    for place, rows in layout.matrices(x, dtype):
        np.matmul(rows, matrix, out=products[:, place])
    if bias is not None:
        products += bias.reshape((groups, 1, -1))
    return layout.ungrouped(output)


@primitive(
    output=lambda g, weight, windows, groups: conv(g, weight, None, windows, groups),
    weight=lambda g, output, windows, groups: conv_weight(g, output, windows, groups),
    bias=_bias,
)
def conv_transpose(output: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """Return x[n, c, i] = sum of output[n, o, p] weight[o, c, k], i = stride p + dilation k.

    The bias[c] is added.

    Args:
        output: shape (N, O, *count).
        weight: shape (O, C/G, *kernel).
        bias: shape (C,), or None.
        windows: where the kernel stands.
        groups: G.

    Returns:
        Shape (N, C, *size).
    """
    layout = Layout(windows, len(output), weight.shape[1] * groups, len(weight), groups)
    if windows.turned is not None and _MANY <= layout.out <= layout.channels:
        return conv(output, _turned(weight, groups), bias, windows.turned, groups)
    dtype = np.result_type(output, weight, *([] if bias is None else [bias]))
    output = layout.space.ordered(layout.grouped(output))
    elements = _by_element(weight, groups).mT  # (G, K, O/G, C/G)
    padded = layout.new(windows.span, layout.channels, dtype, np.zeros)
    samples = max(1, min(layout.n, layout.fit(math.prod(windows.count) * layout.channels)))
    shape = (groups, samples, *windows.count, layout.channels)
    scratch = layout.space.new(shape, dtype)
    multiply = np.multiply if layout.out == 1 else np.matmul  # a sum of one term: 1/5 of the time
    for i in range(0, layout.n, samples):
        image = padded[:, i : i + samples]
        part = scratch[:, : image.shape[1]]
        rows = output[:, i : i + samples].reshape((groups, -1, layout.out))
        products = part.reshape((groups, -1, layout.channels))
        for k, tap in enumerate(windows.taps):
            multiply(rows, elements[:, k], out=products)
            if windows.disjoint:
                image[(*tap, slice(None))] = part
            else:
                image[(*tap, slice(None))] += part
    image = padded[(*windows.inside, slice(None))]
    if bias is not None:
        image += bias.reshape((groups, 1, *(1,) * len(windows.size), -1))
    return layout.ungrouped(image)


@primitive(
    x=lambda g, output, windows, groups: conv_transpose(output, g, None, windows, groups),
    output=lambda g, x, windows, groups: conv(x, g, None, windows, groups),
)
def conv_weight(x: Any, output: Any, windows: Windows, groups: int) -> Any:
    """Return weight[o, c, k] = sum over n and p of output[n, o, p] x[n, c, stride p + dilation k].

    Args:
        x: shape (N, C, *size).
        output: shape (N, O, *count).
        windows: where the kernel stands.
        groups: G.

    Returns:
        Shape (O, C/G, *kernel).
    """
    layout = Layout(windows, len(x), x.shape[1], output.shape[1], groups)
    dtype = np.result_type(x, output)
    columns = layout.space.ordered(layout.grouped(output)).reshape((groups, -1, layout.out)).mT
    weight = np.zeros((groups, layout.out, math.prod(windows.kernel) * layout.channels), dtype)
    for place, rows in layout.matrices(x, dtype):
        weight += columns[:, :, place] @ rows
    weight = weight.reshape((-1, *windows.kernel, layout.channels))
    return np.moveaxis(weight, -1, 1)


# -- the functions of users ------------------------------------------------------------------------


def _convolve(
    n: int,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Move a kernel over the space: out[o, p] = sum of weight[o, c, k] x[c, stride p + dilation k].

    Integers for an axis stand for all axes.

    Args:
        input: shape (N, C, *size) or (C, *size).
        weight: shape (O, C/groups, *kernel).
        bias: shape (O,), added to each output channel, or None.
        stride: distance of neighbouring windows.
        padding: zeros before and after each axis; "valid" for none, "same" for as many as keep the
            size (the odd one after).
        dilation: distance of neighbouring elements of the kernel.
        groups: number of groups of channels; outputs of a group see the inputs of that group.

    Returns:
        Shape (N, O, *count) with count = (size + 2 padding - dilation (kernel - 1) - 1) // stride
        + 1, or without N.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where shapes, groups, padding and kernel do not fit each other.
    """
    name = f"conv{n}d"
    x, weight = _operands(name, n, input, weight)
    windows = _conv_windows(
        name, x.shape, weight.shape, hashable(stride), hashable(padding), hashable(dilation), groups
    )
    _check_bias(name, bias, weight.shape[0])
    if windows.single and groups == 1:
        matrix = weight.reshape(weight.shape[:2])
        out = _per_element(matrix, x, bias)
    else:
        out = conv(x, weight, bias, windows, groups)
    return out if x.ndim == input.ndim else out[0]


def _convolve_transposed(
    n: int,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Put a kernel, times the input at p, at stride p, and add up: the transpose of a convolution.

    Integers for an axis stand for all axes.

    Args:
        input: shape (N, C, *count) or (C, *count).
        weight: shape (C, O/groups, *kernel).
        bias: shape (O,), added to each output channel, or None.
        stride: distance of neighbouring windows in the output.
        padding: how much is cut off before and after each axis of the output.
        output_padding: length added after each axis, below stride or dilation.
        groups: number of groups of channels; outputs of a group see the inputs of that group.
        dilation: distance of neighbouring elements of the kernel.

    Returns:
        Shape (N, O, *size) with size = (count - 1) stride - 2 padding + dilation (kernel - 1)
        + output_padding + 1, or without N.

    Raises:
        TypeError: for what are no numbers or no integers.
        ValueError: where shapes, groups, padding and kernel do not fit each other.
    """
    name = f"conv_transpose{n}d"
    x, weight = _operands(name, n, input, weight)
    windows = _transposed_windows(
        name,
        x.shape,
        weight.shape,
        *map(hashable, (stride, padding, output_padding, dilation)),
        groups,
    )
    _check_bias(name, bias, weight.shape[1] * groups)
    if windows.single and groups == 1:
        out = _per_element(weight.reshape(weight.shape[:2]).T, x, bias)
    else:
        out = conv_transpose(x, weight, bias, windows, groups)
    return out if x.ndim == input.ndim else out[0]


conv1d, conv2d, conv3d = over_axes("conv", _convolve)
conv_transpose1d, conv_transpose2d, conv_transpose3d = over_axes(
    "conv_transpose", _convolve_transposed
)


def _per_element(matrix: Any, x: Any, bias: Any) -> Any:
    """Multiply the channels of each element by a matrix: a kernel of length 1 copies nothing."""
    out = matrix @ x.reshape((*x.shape[:2], math.prod(x.shape[2:])))
    if bias is not None:
        out = out + bias[:, None]
    return out.reshape((x.shape[0], matrix.shape[0], *x.shape[2:]))


# -- checks ----------------------------------------------------------------------------------------


def _operands(name: str, n: int, input: Any, weight: Any) -> tuple[Any, Any]:
    """Return the input with a batch axis, in a floating-point dtype, and the weight."""
    x = batched(name, input, n)
    check_numbers(name, "a weight", weight)
    if weight.ndim != n + 2:
        raise ValueError(
            f"{name}: wanted a weight of {n + 2} axes, two for channels and {n} of the kernel, got "
            f"shape {weight.shape}"
        )
    return (x.astype(weight.dtype) if x.dtype.kind in "biu" else x), weight


def _check_bias(name: str, bias: Any, out: int) -> None:
    if bias is not None:
        check_numbers(name, "a bias", bias)
        if bias.shape != (out,):
            raise ValueError(
                f"{name}: wanted a bias of shape ({out},), one number for each output channel, got "
                f"{bias.shape}"
            )


def _check_channels(name: str, shape: Sizes, wanted: int, weight: Sizes, groups: Any) -> None:
    if shape[1] != wanted:
        last = (
            f"; write np.moveaxis(x, -1, {1 - len(shape)}) where the channels are in the last axis"
        )
        in_groups = f" in {groups} groups" if groups > 1 else ""
        raise ValueError(
            f"{name}: wanted an input of {wanted} channels for a weight of shape {weight}"
            f"{in_groups}, got {shape[1]} channels in shape {shape}"
            + (last if shape[-1] == wanted else "")
        )


def _check_groups(name: str, groups: Any, of_weight: int) -> None:
    check_sizes(name, 1, groups=per_axis(name, "groups", groups, 1))
    if of_weight % groups:
        raise ValueError(f"{name}: wanted groups that divide {of_weight} channels, got {groups}")


@functools.lru_cache(maxsize=1024, typed=True)  # 0.3 us instead of 15
def _conv_windows(
    name: str, shape: Sizes, weight: Sizes, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Windows:
    """Check the arguments of a convolution and return where its kernel stands."""
    n = len(shape) - 2
    _check_groups(name, groups, weight[0])
    _check_channels(name, shape, weight[1] * groups, weight, groups)
    kernel = weight[2:]
    stride = per_axis(name, "stride", stride, n)
    dilation = per_axis(name, "dilation", dilation, n)
    if not isinstance(padding, str):
        before = after = per_axis(name, "padding", padding, n)
    elif padding == "valid":
        before = after = (0,) * n
    elif padding == "same" and set(stride) == {1}:
        before, after = same_padding(kernel, dilation)
    else:
        raise ValueError(
            f"{name}: wanted padding of 'valid', 'same' (with stride 1) or integers, got "
            f"{padding!r} with stride {stride}"
        )
    return windows_over(name, shape[2:], kernel, stride, (before, after), dilation)


def same_padding(kernel: Sizes, dilation: Sizes) -> tuple[Sizes, Sizes]:
    """Return the lengths before and after each axis that keep its size at stride 1."""
    both = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return tuple(b // 2 for b in both), tuple(b - b // 2 for b in both)


@functools.lru_cache(maxsize=1024, typed=True)
def _transposed_windows(
    name: str,
    shape: Sizes,
    weight: Sizes,
    stride: Any,
    padding: Any,
    output_padding: Any,
    dilation: Any,
    groups: Any,
) -> Windows:
    """Check the arguments of a transposed convolution and return where its kernel stands."""
    n = len(shape) - 2
    _check_groups(name, groups, weight[0])
    _check_channels(name, shape, weight[0], weight, groups)
    count, kernel = shape[2:], weight[2:]
    stride = per_axis(name, "stride", stride, n)
    padding = per_axis(name, "padding", padding, n)
    dilation = per_axis(name, "dilation", dilation, n)
    more = per_axis(name, "output_padding", output_padding, n)
    check_sizes(name, 1, stride=stride, dilation=dilation, kernel_size=kernel)
    check_sizes(name, 0, padding=padding, output_padding=more)
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation, strict=True)):
        raise ValueError(
            f"{name}: wanted an output_padding below stride {stride} or dilation {dilation}, got "
            f"{more}"
        )
    size = tuple(
        (c - 1) * s - 2 * p + d * (k - 1) + m + 1
        for c, s, p, d, k, m in zip(count, stride, padding, dilation, kernel, more, strict=True)
    )
    if min(size) < 1:
        raise ValueError(
            f"{name}: wanted an output of at least one element along each axis, got {size}; make "
            f"the padding smaller than {padding}"
        )
    return Windows(size, kernel, stride, dilation, padding, count)
