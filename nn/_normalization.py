"""Normalisation layers: scales, shifts, running statistics; long because half is docstrings.

`nn.functional` computes.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from autograd.ops.effects import overwrite, present
from nn import functional, init
from nn._module import Module
from nn._parameter import Parameter
from nn._sizes import check_sizes

__all__ = [
    "BatchNorm",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
]


def _parameter(
    shape: tuple[int, ...], value: float, dtype: Any, wanted: bool = True
) -> Parameter | None:
    if not wanted:
        return None
    return Parameter(np.full(shape, value, np.float32 if dtype is None else dtype))


def _without_shift(layer: Any) -> str:
    """Return the argument of a layer that has a scale alone, for its repr."""
    return ", bias=False" if layer.weight is not None and layer.bias is None else ""


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

    def forward(self, input: Any) -> Any:
        """Normalise `input`."""
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
            + _without_shift(self)
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

    def forward(self, input: Any) -> Any:
        """Normalise `input`."""
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)

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
        bias: whether there is a shift.
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
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: wanted num_groups that divides {num_channels} channels, got "
                f"{num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.weight = _parameter((num_channels,), 1.0, dtype, affine)
        self.bias = _parameter((num_channels,), 0.0, dtype, affine and bias)

    def forward(self, input: Any) -> Any:
        """Normalise `input`."""
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"
            + _without_shift(self)
        )


class _RunningNorm(Module):
    """State that batch and instance normalisation share; see `BatchNorm1d`."""

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
        bias: bool = True,
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
        self.bias = _parameter((num_features,), 0.0, dtype, affine and bias)
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

    def reset_parameters(self) -> None:
        """Forget the running statistics, and start again with a scale of 1 and a shift of 0."""
        self.reset_running_stats()
        for parameter, value in ((self.weight, 1.0), (self.bias, 0.0)):
            if parameter is not None:
                init.constant_(parameter, value)

    def _refuse(self, input: Any) -> ValueError:
        return ValueError(
            f"{type(self).__name__}: wanted an input of shape {self._shapes} with C = "
            f"{self.num_features}, got {input.shape}"
        )

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}{_without_shift(self)}"
        )


class BatchNorm(_RunningNorm):
    """Mean 0 and variance 1 of each channel over the batch; see `BatchNorm1d`."""

    def forward(self, input: Any) -> Any:
        """Normalise `input` by its own statistics in training, by the running ones in evaluation.

        Raises:
            ValueError: for another number of axes or channels, and in training for one value per
                channel.
        """
        if input.ndim not in self._ndims or input.shape[1] != self.num_features:
            raise self._refuse(input)
        momentum = self.momentum
        if self.training and self.num_batches_tracked is not None:
            count = present(self.num_batches_tracked) + 1
            overwrite(self.num_batches_tracked, count)
            if momentum is None:  # all batches count the same
                momentum = 1.0 / float(count)
        return functional.batch_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            momentum or 0.0,
            self.eps,
        )


class BatchNorm1d(BatchNorm):
    """Mean 0 and variance 1 of each feature over the batch, then a learned scale and shift.

    In training the statistics are those of the batch; running averages of mean and unbiased
    variance are kept, and used in evaluation.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how far one batch moves the running statistics, from 0 to 1; None averages over
            all batches evenly.
        affine: whether there are a scale and a shift.
        bias: whether there is a shift.
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


class BatchNorm2d(BatchNorm):
    """`BatchNorm1d` for inputs of shape (N, C, H, W)."""

    _ndims = (4,)
    _shapes = "(N, C, H, W)"


class BatchNorm3d(BatchNorm):
    """`BatchNorm1d` for inputs of shape (N, C, D, H, W)."""

    _ndims = (5,)
    _shapes = "(N, C, D, H, W)"


class _InstanceNorm(_RunningNorm):
    """Mean 0 and variance 1 of each channel of each sample; see `InstanceNorm1d`."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, bias=bias, dtype=dtype
        )

    def forward(self, input: Any) -> Any:
        """Normalise `input` by its own statistics, in evaluation by running ones if there are any.

        Raises:
            ValueError: for another number of axes or channels, and for one value per channel.
        """
        x = input[None] if input.ndim == self._ndims[0] else input
        if x.ndim != self._ndims[1] or x.shape[1] != self.num_features:
            raise self._refuse(input)
        out = functional.instance_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            self.momentum or 0.0,
            self.eps,
        )
        return out if x is input else out[0]


class InstanceNorm1d(_InstanceNorm):
    """Mean 0 and variance 1 of each channel of each sample, then a learned scale and shift if any.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how far one batch moves the running statistics, from 0 to 1.
        affine: whether there are a scale and a shift.
        bias: whether there is a shift.
        track_running_stats: whether there are running statistics, which evaluation uses then.
        dtype: of the parameters and statistics; float32 by default.

    Attributes:
        weight: Parameter of shape (C,), ones at first, or None.
        bias: Parameter of shape (C,), zeros at first, or None.
        running_mean: buffer of shape (C,), or None.
        running_var: buffer of shape (C,), or None.
        num_batches_tracked: buffer of shape (), int64, which stays 0 as in PyTorch, or None.

    Shape:
        (N, C, L) or (C, L) -> the same

    References:
        D. Ulyanov, A. Vedaldi, V. Lempitsky, Instance normalization, 2016,
        https://arxiv.org/abs/1607.08022, eq. 5.
    """

    _ndims = (2, 3)
    _shapes = "(N, C, L) or (C, L)"


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` for inputs of shape (N, C, H, W) or (C, H, W)."""

    _ndims = (3, 4)
    _shapes = "(N, C, H, W) or (C, H, W)"


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm1d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _ndims = (4, 5)
    _shapes = "(N, C, D, H, W) or (C, D, H, W)"


class LocalResponseNorm(Module):
    """Division by (k + alpha m)^beta, m the mean square of `size` neighbouring channels.

    Args:
        size: number of channels.
        alpha: factor of the mean square.
        beta: exponent.
        k: what is added.

    Shape:
        (N, C, ...) -> the same

    References:
        A. Krizhevsky, I. Sutskever, G. Hinton, ImageNet classification with deep convolutional
        neural networks, NeurIPS 2012, section 3.3 (with the sum instead of the mean).
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Any) -> Any:
        """Normalise `input`."""
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
