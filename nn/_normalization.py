"""Normalisation layers: learned scales and shifts, running statistics; `nn.functional` computes."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from autograd import Variable
from nn import functional
from nn._module import Module
from nn._parameter import Parameter
from nn._sizes import check_sizes
from nn.functional._normalization import batch_statistics


def _parameter(
    shape: tuple[int, ...], value: float, dtype: Any, wanted: bool = True
) -> Parameter | None:
    if not wanted:
        return None
    return Parameter(np.full(shape, value, np.float32 if dtype is None else dtype))


def _shape(owner: str, lengths: Any) -> tuple[int, ...]:
    shape = tuple(lengths) if isinstance(lengths, tuple | list) else (lengths,)
    for length in shape:
        check_sizes(owner, normalized_shape=length)
    return shape


class LayerNorm(Module):
    """Mean 0 and variance 1 over the last axes of each sample, then a learned scale and shift.

    Args:
        normalized_shape: lengths of the last axes, or the length of the last axis.
        eps: added to the variance.
        elementwise_affine: whether there are a scale and a shift.
        bias: whether there is a shift.
        dtype: of the parameters; float32 by default.

    Attributes:
        weight: Parameter of shape `normalized_shape`, ones at first, or None.
        bias: Parameter of shape `normalized_shape`, zeros at first, or None.

    Shape:
        (..., *normalized_shape) -> the same

    References:
        J. Ba, J. Kiros, G. Hinton, Layer normalization, 2016, https://arxiv.org/abs/1607.06450, eq.
        4.

    Example:
        >>> import numpy as np, nn
        >>> nn.LayerNorm(2, dtype=np.float64)(np.array([[1.0, 3.0]])).data.round(3)
        array([[-1.,  1.]])
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(type(self).__name__, normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.weight = _parameter(self.normalized_shape, 1.0, dtype, elementwise_affine)
        self.bias = _parameter(self.normalized_shape, 0.0, dtype, elementwise_affine and bias)

    def forward(self, x: Any) -> Any:
        """Normalise `x`."""
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class RMSNorm(Module):
    """Division by the root mean square over the last axes of each sample, then a learned scale.

    Args:
        normalized_shape: lengths of the last axes, or the length of the last axis.
        eps: added to the mean square; None takes the machine epsilon of the input's dtype.
        elementwise_affine: whether there is a scale.
        dtype: of the parameter; float32 by default.

    Attributes:
        weight: Parameter of shape `normalized_shape`, ones at first, or None.

    Shape:
        (..., *normalized_shape) -> the same

    References:
        B. Zhang, R. Sennrich, Root mean square layer normalization, NeurIPS 2019,
        https://arxiv.org/abs/1910.07467, eq. 4.
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(type(self).__name__, normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.weight = _parameter(self.normalized_shape, 1.0, dtype, elementwise_affine)

    def forward(self, x: Any) -> Any:
        """Normalise `x`."""
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Mean 0 and variance 1 over groups of channels of a sample, then a learned scale and shift.

    Args:
        num_groups: number of groups; divides `num_channels`.
        num_channels: C.
        eps: added to the variance.
        affine: whether there are a scale and a shift.
        dtype: of the parameters; float32 by default.

    Attributes:
        weight: Parameter of shape (C,), ones at first, or None.
        bias: Parameter of shape (C,), zeros at first, or None.

    Raises:
        ValueError: where the groups do not divide the channels.

    Shape:
        (N, C, ...) -> the same

    References:
        Y. Wu, K. He, Group normalization, ECCV 2018, https://arxiv.org/abs/1803.08494, eq. 7.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_groups == 0 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: wanted num_groups that divides {num_channels} channels, got "
                f"{num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.weight = _parameter((num_channels,), 1.0, dtype, affine)
        self.bias = _parameter((num_channels,), 0.0, dtype, affine)

    def forward(self, x: Any) -> Any:
        """Normalise `x`."""
        return functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class _BatchNorm(Module):
    """Mean 0 and variance 1 of each channel over the batch; see `BatchNorm1d`."""

    _ndims: ClassVar[tuple[int, ...]]
    _shapes: ClassVar[str]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_sizes(type(self).__name__, num_features=num_features)
        dtype = np.float32 if dtype is None else dtype
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = _parameter((num_features,), 1.0, dtype, affine)
        self.bias = _parameter((num_features,), 0.0, dtype, affine)
        tracked = track_running_stats
        self.register_buffer("running_mean", np.zeros(num_features, dtype) if tracked else None)
        self.register_buffer("running_var", np.ones(num_features, dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", np.zeros((), np.int64) if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget the running statistics."""
        if self.track_running_stats:
            self.running_mean = np.zeros_like(self.running_mean)
            self.running_var = np.ones_like(self.running_var)
            self.num_batches_tracked = np.zeros_like(self.num_batches_tracked)

    def forward(self, x: Any) -> Any:
        """Normalise `x` by its own statistics in training, by the running ones in evaluation.

        Raises:
            ValueError: for another number of axes or channels, and in training for one value per
                channel.
        """
        if x.ndim not in self._ndims or x.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: wanted an input of shape {self._shapes} with C = "
                f"{self.num_features}, got {x.shape}"
            )
        if not self.training and self.running_mean is not None:
            return functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, False, self.eps
            )
        z, mean, variance = batch_statistics(x, self.eps)
        if self.training and self.running_mean is not None:
            self._track(
                _raw(mean).reshape(-1),
                _raw(variance).reshape(-1),
                math.prod(x.shape) // self.num_features,
            )
        if self.affine:
            shape = (-1,) + (1,) * (x.ndim - 2)
            assert self.weight is not None
            assert self.bias is not None
            z = z * self.weight.reshape(shape) + self.bias.reshape(shape)
        return z

    def _track(self, mean: Any, variance: Any, count: int) -> None:
        """Move the running statistics, to new arrays: a graph may have saved the old ones."""
        self.num_batches_tracked = self.num_batches_tracked + 1
        part = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        unbiased = variance * (count / (count - 1))
        self.running_mean = (1.0 - part) * self.running_mean + (part * mean).astype(
            self.running_mean.dtype
        )
        self.running_var = (1.0 - part) * self.running_var + (part * unbiased).astype(
            self.running_var.dtype
        )

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Mean 0 and variance 1 of each feature over the batch, then a learned scale and shift.

    In training the statistics are those of the batch; running averages of mean and unbiased
    variance are kept, and used in evaluation.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how far one batch moves the running statistics, from 0 to 1; None averages over
            all batches evenly.
        affine: whether there are a scale and a shift.
        track_running_stats: whether there are running statistics; without, evaluation uses those of
            the batch, too.
        dtype: of the parameters and statistics; float32 by default.

    Attributes:
        weight: Parameter of shape (C,), ones at first, or None.
        bias: Parameter of shape (C,), zeros at first, or None.
        running_mean: buffer of shape (C,), or None.
        running_var: buffer of shape (C,), or None.
        num_batches_tracked: buffer of shape (), int64, or None.

    Shape:
        (N, C) or (N, C, L) -> the same

    References:
        S. Ioffe, C. Szegedy, Batch normalization, ICML 2015, https://arxiv.org/abs/1502.03167,
        algorithms 1 and 2.
    """

    _ndims = (2, 3)
    _shapes = "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for inputs of shape (N, C, H, W)."""

    _ndims = (4,)
    _shapes = "(N, C, H, W)"


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` for inputs of shape (N, C, D, H, W)."""

    _ndims = (5,)
    _shapes = "(N, C, D, H, W)"


def _raw(x: Any) -> Any:
    return x.data if isinstance(x, Variable) else x
