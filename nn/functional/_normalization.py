"""Normalisation: mean 0, variance 1, then a scale and a shift. Imports `autograd` only.

Statistics of float16 are taken in float32: a square leaves its range from 256 on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.engine.calls import primitive

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "normalize", "rms_norm"]


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
    mean = np.add.reduce(x, axis=axis, keepdims=True) / count
    centred = x - mean
    if axis == (-1,):
        variance = np.vecdot(centred, centred)[..., None] / count
    else:
        variance = np.add.reduce(centred * centred, axis=axis, keepdims=True) / count
    centred /= np.sqrt(variance + eps)
    return centred, mean, variance


def _affine(z: Any, weight: Any, bias: Any) -> Any:
    if weight is not None:
        z = z * weight
    return z if bias is None else z + bias


def layer_norm(
    x: Any,
    normalized_shape: int | tuple[int, ...],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    """Normalise over the last axes.

    Args:
        x: shape (..., *normalized_shape).
        normalized_shape: lengths of the last axes.
        weight: scale of shape `normalized_shape`, or None.
        bias: shift of shape `normalized_shape`, or None.
        eps: added to the variance.

    Raises:
        ValueError: where `x` does not end with `normalized_shape`.

    References:
        J. Ba, J. Kiros, G. Hinton, Layer normalization, 2016, https://arxiv.org/abs/1607.06450, eq.
        4.
    """
    axis = last_axes("layer_norm", x, normalized_shape)
    return _affine(standardize(x, axis, eps)[0], weight, bias)


def rms_norm(
    x: Any, normalized_shape: int | tuple[int, ...], weight: Any = None, eps: float | None = None
) -> Any:
    """Divide by the root of the mean square over the last axes.

    Args:
        x: shape (..., *normalized_shape).
        normalized_shape: lengths of the last axes.
        weight: scale of shape `normalized_shape`, or None.
        eps: added to the mean square; None takes the machine epsilon of the dtype.

    Raises:
        ValueError: where `x` does not end with `normalized_shape`.

    References:
        B. Zhang, R. Sennrich, Root mean square layer normalization, NeurIPS 2019,
        https://arxiv.org/abs/1910.07467, eq. 4.
    """
    axis = last_axes("rms_norm", x, normalized_shape)
    if eps is None:
        eps = float(np.finfo(x.dtype).eps)
    wide = _wide(x)
    z = wide / np.sqrt((wide * wide).mean(axis=axis, keepdims=True) + eps)
    return _affine(z if z.dtype == x.dtype else z.astype(x.dtype), weight, None)


def last_axes(operation: str, x: Any, normalized_shape: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return the (negative) axes that `normalized_shape` is about."""
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
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    eps: float = 1e-5,
) -> Any:
    """Normalise each channel over the batch and space axes, or by given statistics.

    The running statistics are not touched: `nn.BatchNorm1d` updates its own.

    Args:
        x: shape (N, C, ...).
        running_mean: shape (C,); used where `training` is False, or None.
        running_var: shape (C,); used where `training` is False, or None.
        weight: scale of shape (C,), or None.
        bias: shift of shape (C,), or None.
        training: whether the statistics of `x` are used; they are, too, where there are no running
            ones.
        eps: added to the variance.

    Raises:
        ValueError: in training with one value per channel, whose variance is 0.

    References:
        S. Ioffe, C. Szegedy, Batch normalization, ICML 2015, https://arxiv.org/abs/1502.03167,
        algorithm 1.
    """
    if training or running_mean is None or running_var is None:
        z = batch_statistics(x, eps)[0]
    else:
        deviation = np.sqrt(_per_channel(running_var, x.ndim) + eps)
        z = (x - _per_channel(running_mean, x.ndim)) / deviation
    return _affine(z, _per_channel(weight, x.ndim), _per_channel(bias, x.ndim))


def batch_statistics(x: Any, eps: float) -> Any:
    """Return `x` of shape (N, C, ...) normalised per channel, means and biased variances."""
    axis = tuple(a for a in range(x.ndim) if a != 1)
    if math.prod(x.shape[a] for a in axis) == 1:
        raise ValueError(
            f"batch_norm: wanted more than one value per channel in training, got shape {x.shape}; "
            "use a larger batch or eval()"
        )
    return standardize(x, axis, eps)


def instance_norm(x: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Normalise each channel of each sample over its space axes.

    Args:
        x: shape (N, C, ...).
        weight: scale of shape (C,), or None.
        bias: shift of shape (C,), or None.
        eps: added to the variance.

    Raises:
        ValueError: where `x` has fewer than three axes.
    """
    if x.ndim < 3:
        raise ValueError(
            f"instance_norm: wanted an input of shape (N, C, ...) with space axes, got {x.shape}"
        )
    z = standardize(x, tuple(range(2, x.ndim)), eps)[0]
    return _affine(z, _per_channel(weight, x.ndim), _per_channel(bias, x.ndim))


def group_norm(
    x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Normalise groups of channels of each sample.

    Args:
        x: shape (N, C, ...).
        num_groups: number of groups that the C channels are split into, in order.
        weight: scale of shape (C,), or None.
        bias: shift of shape (C,), or None.
        eps: added to the variance.

    Raises:
        ValueError: where C is not a multiple of `num_groups`.

    References:
        Y. Wu, K. He, Group normalization, ECCV 2018, https://arxiv.org/abs/1803.08494, eq. 7.
    """
    if x.ndim < 2 or x.shape[1] % num_groups:
        raise ValueError(
            f"group_norm: wanted an input of shape (N, C, ...) with C a multiple of {num_groups} "
            f"groups, got {x.shape}"
        )
    grouped = x.reshape((x.shape[0], num_groups, -1))
    z = standardize(grouped, (2,), eps)[0].reshape(x.shape)
    return _affine(z, _per_channel(weight, x.ndim), _per_channel(bias, x.ndim))


def normalize(x: Any, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Any:
    """Divide by the p-norm along `axis`, or by `eps` where that is larger.

    Args:
        x: input of any shape.
        p: order of the norm, positive.
        axis: the axis of the vectors.
        eps: the least divisor; 6e-5 for float16, in which smaller numbers lose digits.

    Raises:
        ValueError: where `p` is not positive.
    """
    if p <= 0:
        raise ValueError(f"normalize: wanted a positive order p, got {p}")
    wide = _wide(x)
    eps = max(eps, float(np.finfo(x.dtype).tiny))
    if p == 2:
        # Of the square, so that the gradient at a zero vector is finite.
        least = max(eps * eps, float(np.finfo(wide.dtype).tiny))
        z = wide / np.sqrt(np.maximum((wide * wide).sum(axis=axis, keepdims=True), least))
    else:
        size = (np.abs(wide) ** p).sum(axis=axis, keepdims=True)
        z = wide / np.maximum(size ** (1 / p), eps)
    return z if z.dtype == x.dtype else z.astype(x.dtype)
