"""Normalisation: mean 0, variance 1, then a scale and a shift. Imports `autograd` only.

Statistics of float16 are taken in float32: a square leaves its range from 256 on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Variable, no_grad
from autograd.arrays import is_foreign
from autograd.blocks import in_row_blocks
from autograd.engine.calls import primitive
from autograd.ops._shared import add_reduce
from autograd.ops.effects import overwrite, present
from nn.functional._names import dim_is_axis
from nn.functional._numbers import check_numbers, real
from nn.functional._pooling import sum_pool
from nn.functional._windows import Windows, per_axis

__all__ = [
    "batch_norm",
    "channel_norm",
    "group_norm",
    "instance_norm",
    "last_axes",
    "layer_norm",
    "local_response_norm",
    "normalize",
    "rms_norm",
    "standardize",
]


def _standardize_x(g: Any, out: Any, axis: tuple[int, ...], eps: float) -> Any:
    """Pull back through z = (x - mean) / s with s = sqrt(variance + eps).

    dL/dx = (g - mean(g) - z mean(g z)) / s, plus, where they were used, g_mean / n and g_variance 2
    (x - mean) / n.
    """
    z, _, variance = out
    g_z, g_mean, g_variance = g
    count = math.prod(z.shape[a] for a in axis)
    deviation = np.sqrt(variance + eps)
    gx: Any = 0.0
    if g_z is not None:
        shift = g_z.sum(axis=axis, keepdims=True) / count
        turn = (g_z * z).sum(axis=axis, keepdims=True) / count
        gx = (g_z - shift - z * turn) / deviation
    if g_mean is not None:
        gx = gx + (g_mean + z * 0.0) / count
    if g_variance is not None:
        gx = gx + g_variance * (z * deviation) * (2 / count)
    return gx


def _wide(x: Any) -> Any:
    """Return float16 as float32."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def standardize(x: Any, axis: tuple[int, ...], eps: float) -> Any:
    """Return (x - mean) / sqrt(variance + eps), mean and biased variance over `axis` (kept)."""
    z, mean, variance = _standardize(_wide(x), axis, eps)
    return z if z.dtype == x.dtype else z.astype(x.dtype), mean, variance


@primitive(name="standardize", x=_standardize_x)
def _standardize(x: Any, axis: tuple[int, ...], eps: float) -> Any:
    count = math.prod(x.shape[a] for a in axis)
    # np.add.reduce, not x.mean(): the latter's Python wrapper costs 3 us per call. Two passes, so
    # that no digits cancel.
    mean = add_reduce(x, axis, None, None, True) / count
    centred = x - mean
    if axis == (-1,) and not is_foreign(x):
        variance = np.vecdot(centred, centred)[..., None] / count
    else:
        variance = add_reduce(centred * centred, axis, None, None, True) / count
    centred /= np.sqrt(variance + eps)
    return centred, mean, variance


def _channel_norm_back(
    g: Any, x: Any, weight: Any, axis: tuple[int, ...], eps: float, out: Any, wanted: Any
) -> Any:
    """Pull back through z weight + bias, of z and the statistics as in `_standardize_x`; the
    gradients of weight and bias are sums that this one needs as well.
    """
    g_out, g_mean, g_variance = g
    _, mean, variance = out
    count = math.prod(x.shape[a] for a in axis)
    scale, centred = _per_channel(weight, x.ndim), x - mean
    deviation = np.sqrt(variance + eps)
    gx: Any = 0.0
    of_weight = of_bias = None
    if g_out is not None:
        z = centred / deviation
        shift, turn = g_out.sum(axis=axis, keepdims=True), (g_out * z).sum(axis=axis, keepdims=True)
        gx = (g_out - shift / count - z * (turn / count)) * (scale / deviation)
        of_weight, of_bias = turn.reshape(weight.shape), shift.reshape(weight.shape)
    if g_mean is not None:
        gx = gx + (g_mean + centred * 0.0) / count
    if g_variance is not None:
        gx = gx + g_variance * centred * (2 / count)
    return gx, of_weight if wanted[1] else None, of_bias if wanted[2] else None


# One primitive with its scale and shift: 0.7 of the time of three on (16, 32, 32, 32).
@primitive(joint=_channel_norm_back)
def channel_norm(x: Any, weight: Any, bias: Any, axis: tuple[int, ...], eps: float) -> Any:
    """Return z weight + bias by channel (the second axis), mean and biased variance of `x`."""
    out, mean, variance = _standardize.primitive.forward(x, axis, eps)
    out *= _per_channel(weight, x.ndim)
    out += _per_channel(bias, x.ndim)
    return out, mean, variance


def _dot(x: Any, y: Any) -> Any:
    """Return the sums of x y along the last axis, which stays."""
    if is_foreign(x):  # which may have no generalised ufuncs
        return (x * y).sum(axis=-1, keepdims=True)
    return np.vecdot(x, y)[..., None]


def _line_normal(x: Any, eps: float, *, centred: bool) -> tuple[Any, Any]:
    """Return z = (x - mean) / s and s = sqrt(variance + eps) along the last axis; the same about
    zero instead of the mean where not `centred`.
    """
    if centred:
        x = x - x.sum(axis=-1, keepdims=True) / x.shape[-1]
    deviation = np.sqrt(_dot(x, x) / x.shape[-1] + eps)
    return x / deviation, deviation


def _line_norm_back(
    g: Any, x: Any, weight: Any, eps: float, centred: bool, wanted: tuple[bool, ...]
) -> Any:
    """Pull back through z weight + bias; of z as in `_standardize_x`.

    The statistics are computed again: in blocks that takes less time than to fetch z, and memory
    only for x, which its own node mostly keeps as well.
    """

    def pull(g: Any, x: Any, _: int) -> Any:
        z, deviation = _line_normal(x, eps, centred=centred)
        g_z = g if weight is None else g * weight
        gx = g_z - z * (_dot(g_z, z) / x.shape[-1])
        if centred:
            gx = gx - g_z.sum(axis=-1, keepdims=True) / x.shape[-1]
        lines = tuple(range(x.ndim - 1))
        of_weight = [(g * z).sum(axis=lines)] if wanted[1] else []
        of_bias = [g.sum(axis=lines)] if wanted[2] else []
        return gx / deviation, *of_weight, *of_bias

    gx, *sums = in_row_blocks(pull, -1, g, x, sums=wanted[1] + wanted[2])
    return gx, *([sums.pop(0)] if wanted[1] else [None]), *(sums or [None])


# One primitive with its scale and shift, not three: a third of their time on (4096, 768).
@primitive(joint=_line_norm_back, name="layer_norm")
def _line_norm(x: Any, weight: Any, bias: Any, eps: float, centred: bool) -> Any:
    def normal(x: Any, _: int) -> Any:
        z, _ = _line_normal(x, eps, centred=centred)
        if weight is not None:
            z = z * weight
        if bias is not None:
            z = z + bias
        return z

    return in_row_blocks(normal, -1, x)


def _over_last(
    input: Any, axis: tuple[int, ...], weight: Any, bias: Any, eps: float, *, centred: bool
) -> Any:
    """Normalise over the last axes, taken as one."""
    x = _wide(input)
    if len(axis) > 1:
        x = x.reshape((*x.shape[: -len(axis)], -1))
        weight, bias = (p if p is None else p.reshape((-1,)) for p in (weight, bias))
    out = _line_norm(x, weight, bias, eps, centred)
    if out.dtype != input.dtype:
        out = out.astype(input.dtype)
    return out.reshape(input.shape) if len(axis) > 1 else out


def _affine(z: Any, weight: Any, bias: Any) -> Any:
    if weight is not None:
        z = z * weight
    return z if bias is None else z + bias


def layer_norm(
    input: Any,
    normalized_shape: int | tuple[int, ...],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    """Normalise over the last axes.

    Args:
        input: shape (..., *normalized_shape).
        normalized_shape: lengths of the last axes.
        weight: scale of shape `normalized_shape`, or None.
        bias: shift of shape `normalized_shape`, or None.
        eps: added to the variance.

    Raises:
        ValueError: where `input` does not end with `normalized_shape`.

    References:
        J. Ba, J. Kiros, G. Hinton, Layer normalization, 2016, https://arxiv.org/abs/1607.06450, eq.
        4.
    """
    axis = last_axes("layer_norm", input, normalized_shape)
    return _over_last(input, axis, weight, bias, eps, centred=True)


def rms_norm(
    input: Any,
    normalized_shape: int | tuple[int, ...],
    weight: Any = None,
    eps: float | None = None,
) -> Any:
    """Divide by the root of the mean square over the last axes.

    Args:
        input: shape (..., *normalized_shape).
        normalized_shape: lengths of the last axes.
        weight: scale of shape `normalized_shape`, or None.
        eps: added to the mean square; None takes the machine epsilon of the dtype.

    Raises:
        ValueError: where `input` does not end with `normalized_shape`.

    References:
        B. Zhang, R. Sennrich, Root mean square layer normalization, NeurIPS 2019,
        https://arxiv.org/abs/1910.07467, eq. 4.
    """
    axis = last_axes("rms_norm", input, normalized_shape)
    if eps is None:
        eps = float(np.finfo(input.dtype).eps)
    return _over_last(input, axis, weight, None, eps, centred=False)


def last_axes(operation: str, x: Any, normalized_shape: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return the (negative) axes that `normalized_shape` is about."""
    check_numbers(operation, "an input", x)
    real(operation, x)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape or x.shape[-len(shape) :] != shape:
        raise ValueError(
            f"{operation}: wanted an input of shape (..., {', '.join(map(str, shape))}), got "
            f"{x.shape}; "
            f"normalized_shape is the shape of the last axes"
        )
    return tuple(range(-len(shape), 0))


def _per_channel(parameter: Any, ndim: int) -> Any:
    """Reshape (C,) so that it meets the second of `ndim` axes."""
    return (
        parameter
        if parameter is None or ndim == 2
        else parameter.reshape((-1,) + (1,) * (ndim - 2))
    )


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise each channel over the batch and space axes, or by running statistics.

    Args:
        input: shape (N, C, ...).
        running_mean: array of shape (C,), or None. In training it is moved towards the mean of the
            batch, in place; else it is what is subtracted.
        running_var: array of shape (C,), or None; the same with the variance, in training with the
            unbiased one.
        weight: scale of shape (C,), or None.
        bias: shift of shape (C,), or None.
        training: whether the statistics of `input` are used; they are, too, where there are no
            running ones.
        momentum: how far the running statistics are moved, from 0 to 1.
        eps: added to the variance.

    Raises:
        ValueError: in training with one value per channel, whose variance is 0, and for shapes
            that do not fit.

    References:
        S. Ioffe, C. Szegedy, Batch normalization, ICML 2015, https://arxiv.org/abs/1502.03167,
        algorithm 1.
    """
    _check_channels("batch_norm", input, 2, running_mean, running_var, weight, bias)
    if not training and running_mean is not None and running_var is not None:
        z = _by_running(input, running_mean, running_var, eps)
    else:
        axis = (0, *range(2, input.ndim))
        if math.prod(input.shape[a] for a in axis) <= 1:
            raise ValueError(
                "batch_norm: wanted more than one value per channel in training, got shape "
                f"{input.shape}; use a larger batch or eval()"
            )
        if not training:
            running_mean = running_var = None
        affine = weight is not None and bias is not None
        if affine and np.float16 != input.dtype == weight.dtype == bias.dtype:
            found = channel_norm(input, weight, bias, axis, eps)
            return _followed(input, axis, running_mean, running_var, momentum, *found)
        z = _by_own(input, axis, running_mean, running_var, momentum, eps)
    return _affine(z, _per_channel(weight, input.ndim), _per_channel(bias, input.ndim))


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise each channel of each sample over its space axes, or by running statistics.

    Args:
        input: shape (N, C, ...).
        running_mean: array of shape (C,), or None. Where the statistics of `input` are used, it is
            moved towards their mean over the batch, in place; else it is what is subtracted.
        running_var: array of shape (C,), or None; the same with the unbiased variance.
        weight: scale of shape (C,), or None.
        bias: shift of shape (C,), or None.
        use_input_stats: whether the statistics of `input` are used.
        momentum: how far the running statistics are moved, from 0 to 1.
        eps: added to the variance.

    Raises:
        ValueError: where `input` has fewer than three axes or one value per channel, where
            running statistics are missing, and for shapes that do not fit.

    References:
        D. Ulyanov, A. Vedaldi, V. Lempitsky, Instance normalization, 2016,
        https://arxiv.org/abs/1607.08022, eq. 5.
    """
    _check_channels("instance_norm", input, 3, running_mean, running_var, weight, bias)
    if use_input_stats:
        if math.prod(input.shape[2:]) == 1:
            raise ValueError(
                "instance_norm: wanted more than one value per channel of a sample, got shape "
                f"{input.shape}"
            )
        axis = tuple(range(2, input.ndim))
        z = _by_own(input, axis, running_mean, running_var, momentum, eps)
    elif running_mean is None or running_var is None:
        raise ValueError(
            "instance_norm: wanted running_mean and running_var with use_input_stats=False, got "
            "None"
        )
    else:
        z = _by_running(input, running_mean, running_var, eps)
    return _affine(z, _per_channel(weight, input.ndim), _per_channel(bias, input.ndim))


def _check_channels(operation: str, input: Any, least: int, *parameters: Any) -> None:
    """Refuse an input without channels and parameters for another number of them."""
    check_numbers(operation, "an input", input)
    real(operation, input)
    if input.ndim < least:
        space = " with space axes" if least > 2 else ""
        raise ValueError(
            f"{operation}: wanted an input of shape (N, C, ...){space}, got {input.shape}"
        )
    for parameter in parameters:
        if parameter is not None and parameter.shape != input.shape[1:2]:
            raise ValueError(
                f"{operation}: wanted statistics, weight and bias of shape {input.shape[1:2]} for "
                f"an input of shape {input.shape}, got {parameter.shape}"
            )


def _by_running(input: Any, mean: Any, variance: Any, eps: float) -> Any:
    mean, variance = (_per_channel(present(x), input.ndim) for x in (mean, variance))
    return (input - mean) / np.sqrt(variance + eps)


def _by_own(
    input: Any,
    axis: tuple[int, ...],
    running_mean: Any,
    running_var: Any,
    momentum: float,
    eps: float,
) -> Any:
    """Normalise over `axis`, and move running statistics towards those of the input."""
    found = standardize(input, axis, eps)
    return _followed(input, axis, running_mean, running_var, momentum, *found)


def _followed(
    input: Any,
    axis: tuple[int, ...],
    running_mean: Any,
    running_var: Any,
    momentum: float,
    z: Any,
    mean: Any,
    variance: Any,
) -> Any:
    """Return `z`, and move running statistics towards those of the input."""
    count = math.prod(input.shape[a] for a in axis)
    for running, batch in ((running_mean, mean), (running_var, variance * (count / (count - 1)))):
        if running is not None:
            new = batch.detach() if isinstance(batch, Variable) else batch
            moved = momentum * new.reshape((-1, len(running))).mean(axis=0)
            with no_grad():
                overwrite(running, present(running) * (1.0 - momentum) + moved)
    return z


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Normalise groups of channels of each sample.

    Args:
        input: shape (N, C, ...).
        num_groups: number of groups that the C channels are split into, in order.
        weight: scale of shape (C,), or None.
        bias: shift of shape (C,), or None.
        eps: added to the variance.

    Raises:
        ValueError: where C is not a multiple of `num_groups`.

    References:
        Y. Wu, K. He, Group normalization, ECCV 2018, https://arxiv.org/abs/1803.08494, eq. 7.
    """
    _check_channels("group_norm", input, 2, weight, bias)
    if num_groups < 1 or input.shape[1] % num_groups:
        raise ValueError(
            f"group_norm: wanted an input of shape (N, C, ...) with C a multiple of {num_groups} "
            f"groups, got {input.shape}"
        )
    size = math.prod(input.shape[1:]) // num_groups
    grouped = input.reshape((input.shape[0], num_groups, size))
    z = _over_last(grouped, (-1,), None, None, eps, centred=True).reshape(input.shape)
    return _affine(z, _per_channel(weight, input.ndim), _per_channel(bias, input.ndim))


def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """Divide by (k + alpha m)^beta, m the mean square of `size` neighbouring channels.

    Args:
        input: shape (N, C, ...) with at least one axis of space.
        size: number of channels, half of them before the one that is divided; beyond the first and
            the last there are zeros.
        alpha: factor of the mean square.
        beta: exponent.
        k: what is added.

    Raises:
        TypeError: where `size` is no integer.
        ValueError: where `input` has fewer than three axes, or `size` is below 1.

    References:
        A. Krizhevsky, I. Sutskever, G. Hinton, ImageNet classification with deep convolutional
        neural networks, NeurIPS 2012, section 3.3 (with the sum instead of the mean).
    """
    _check_channels("local_response_norm", input, 3)
    (size,) = per_axis("local_response_norm", "size", size, 1)
    if size < 1:
        raise ValueError(f"local_response_norm: wanted a size of at least 1, got {size}")
    lines = (input.shape[1], math.prod(input.shape[2:]))
    windows = Windows(lines, (size, 1), (1, 1), (1, 1), (size // 2, 0), lines)
    squares = (input * input).reshape((input.shape[0], 1, *lines))
    total = sum_pool(squares, windows).reshape(input.shape)
    return input / (k + alpha / size * total) ** beta


@dim_is_axis
def normalize(input: Any, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Any:
    """Divide by the p-norm along `axis`, or by `eps` where that is larger.

    Args:
        input: any shape.
        p: order of the norm, positive.
        axis: the axis of the vectors.
        eps: the least divisor; 6e-5 for float16, in which smaller numbers lose digits.

    Raises:
        ValueError: where `p` is not positive.
    """
    if p <= 0:
        raise ValueError(f"normalize: wanted a positive order p, got {p}")
    wide = _wide(input)
    eps = max(eps, float(np.finfo(input.dtype).tiny))
    if p == 2:
        # Of the square, so that the gradient at a zero vector is finite.
        least = max(eps * eps, float(np.finfo(wide.dtype).tiny))
        square = wide * (wide.conj() if wide.dtype.kind == "c" else wide)
        z = wide / np.sqrt(np.maximum(square.real.sum(axis=axis, keepdims=True), least))
    else:
        size = (np.abs(wide) ** p).sum(axis=axis, keepdims=True)
        z = wide / np.maximum(size ** (1 / p), eps)
    return z if z.dtype == input.dtype else z.astype(input.dtype)
