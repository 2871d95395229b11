"""Pooling layers: where the windows stand; long because there are twenty, mostly docstrings.

`nn.functional` computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from nn import functional
from nn._module import Module
from nn._random import RandomModule

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "Lengths",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]

Lengths = int | Sequence[int]


class _Pool(Module):
    """A layer whose arguments are those of its function, in its order, kept as attributes."""

    _function: ClassVar[Callable[..., Any]]
    _shown: ClassVar[tuple[str, ...]]

    def extra_repr(self) -> str:
        """Return the arguments."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self._shown)


# -- the largest -----------------------------------------------------------------------------------


class _MaxPool(_Pool):
    """The largest element of each window; see `MaxPool2d`."""

    _shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        dilation: Lengths = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Any) -> Any:
        """Pool `input`."""
        return self._function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )


class MaxPool1d(_MaxPool):
    """`MaxPool2d` for inputs of shape (N, C, L) or (C, L)."""

    _function = staticmethod(functional.max_pool1d)


class MaxPool2d(_MaxPool):
    """The largest element of each window; the first where several are equal.

    Lengths are one integer, or one for each axis.

    Args:
        kernel_size: lengths of a window.
        stride: distance of neighbouring windows, by default `kernel_size`.
        padding: what counts as minus infinity before and after each axis, at most half a kernel.
        dilation: distance of neighbouring elements of a window.
        return_indices: also return where each largest element is in its channel, flattened, for
            `MaxUnpool2d`.
        ceil_mode: also take a last window that reaches beyond the padding.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'), with
        H' = (H + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1.

    Example:
        >>> import numpy as np, nn
        >>> nn.MaxPool2d(2)(np.array([[[1, 2, 0, 0], [3, 0, 4, 5]]]))
        array([[[3, 5]]])
    """

    _function = staticmethod(functional.max_pool2d)


class MaxPool3d(_MaxPool):
    """`MaxPool2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _function = staticmethod(functional.max_pool3d)


class _MaxUnpool(_Pool):
    """The partial inverse of max pooling; see `MaxUnpool2d`."""

    _shown = ("kernel_size", "stride", "padding")

    def __init__(
        self, kernel_size: Lengths, stride: Lengths | None = None, padding: Lengths = 0
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding

    def forward(self, input: Any, indices: Any, output_size: Sequence[int] | None = None) -> Any:
        """Put `input` where `indices` say, zeros elsewhere.

        Args:
            input: what max pooling returned.
            indices: the indices that it returned.
            output_size: shape or size that its input had; by default the least possible.
        """
        return self._function(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool1d(_MaxUnpool):
    """`MaxUnpool2d` for inputs of shape (N, C, L) or (C, L)."""

    _function = staticmethod(functional.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Largest elements put back where `MaxPool2d(return_indices=True)` found them, among zeros.

    Lengths are one integer, or one for each axis.

    Args:
        kernel_size: lengths of the windows of the pooling layer.
        stride: their distance, by default `kernel_size`.
        padding: of the pooling layer.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'), with
        H' = (H - 1) stride - 2 padding + kernel_size, or as `output_size` says.

    Example:
        >>> import numpy as np, nn
        >>> values, indices = nn.MaxPool2d(2, return_indices=True)(np.array([[[1, 2], [3, 0]]]))
        >>> nn.MaxUnpool2d(2)(values, indices)
        array([[[0, 0],
                [3, 0]]])
    """

    _function = staticmethod(functional.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """`MaxUnpool2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _function = staticmethod(functional.max_unpool3d)


class _FractionalMaxPool(RandomModule):
    """Max pooling over windows at random distances; see `FractionalMaxPool2d`."""

    _function: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        kernel_size: Lengths,
        output_size: Lengths | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__(generator)
        if (output_size is None) == (output_ratio is None):
            raise ValueError(
                f"{type(self).__name__}: wanted output_size or output_ratio, got "
                f"{'neither' if output_size is None else 'both'}"
            )
        self.kernel_size = kernel_size
        self.output_size = output_size
        self.output_ratio = output_ratio
        self.return_indices = return_indices
        self._random_samples = _random_samples

    def forward(self, input: Any) -> Any:
        """Pool `input`."""
        return self._function(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            self._random_samples,
            generator=self.generator,
        )


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest elements of windows at random distances, drawn anew in each call.

    Args:
        kernel_size: lengths of a window.
        output_size: number of windows along each axis.
        output_ratio: the same as a part of the size, between 0 and 1; one of both is given.
        return_indices: also return where each largest element is in its channel, flattened.
        _random_samples: numbers in [0, 1) of shape (N, C, 2), instead of drawing them.
        generator: a seed or np.random.Generator; None derives a stream of its own from
            `autograd.manual_seed`.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, C, *output_size) or (C, *output_size)

    References:
        B. Graham, Fractional max-pooling, 2014, https://arxiv.org/abs/1412.6071, section 2.
    """

    _function = staticmethod(functional.fractional_max_pool2d)


class FractionalMaxPool3d(_FractionalMaxPool):
    """`FractionalMaxPool2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _function = staticmethod(functional.fractional_max_pool3d)


class _AdaptiveMaxPool(_Pool):
    """The largest element of each stretch; see `AdaptiveMaxPool2d`."""

    _shown = ("output_size",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        """Pool `input`."""
        return self._function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """`AdaptiveMaxPool2d` for inputs of shape (N, C, L) or (C, L)."""

    _function = staticmethod(functional.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest element of each of `output_size` stretches, whatever the size of the input.

    Stretch p of m in n elements goes from p n / m, rounded down, to (p + 1) n / m, rounded up.

    Args:
        output_size: number of stretches along each axis; None keeps an axis.
        return_indices: also return where each largest element is in its channel, flattened.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, C, *output_size) or (C, *output_size)
    """

    _function = staticmethod(functional.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """`AdaptiveMaxPool2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _function = staticmethod(functional.adaptive_max_pool3d)


# -- means -----------------------------------------------------------------------------------------


class AvgPool1d(_Pool):
    """The mean of each window, for inputs of shape (N, C, L) or (C, L); see `AvgPool2d`."""

    _function = staticmethod(functional.avg_pool1d)
    _shown = ("kernel_size", "stride", "padding")
    divisor_override: int | None = None

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Any) -> Any:
        """Pool `input`."""
        return self._function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool2d(AvgPool1d):
    """The mean of each window.

    Lengths are one integer, or one for each axis.

    Args:
        kernel_size: lengths of a window.
        stride: distance of neighbouring windows, by default `kernel_size`.
        padding: zeros before and after each axis, at most half a kernel.
        ceil_mode: also take a last window that reaches beyond the padding.
        count_include_pad: whether zeros of the padding count as elements.
        divisor_override: what sums are divided by instead of the number of elements.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'), with
        H' = (H + 2 padding - kernel_size) // stride + 1.

    Example:
        >>> import numpy as np, nn
        >>> nn.AvgPool2d(2)(np.array([[[1.0, 2.0, 0.0, 0.0], [3.0, 0.0, 4.0, 5.0]]]))
        array([[[1.5 , 2.25]]])
    """

    _function = staticmethod(functional.avg_pool2d)

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override


class AvgPool3d(AvgPool2d):
    """`AvgPool2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _function = staticmethod(functional.avg_pool3d)


class _LPPool(_Pool):
    """(sum of x^p)^(1/p) over each window; see `LPPool2d`."""

    _shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self,
        norm_type: float,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Any) -> Any:
        """Pool `input`."""
        return self._function(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(_LPPool):
    """`LPPool2d` for inputs of shape (N, C, L) or (C, L)."""

    _function = staticmethod(functional.lp_pool1d)


class LPPool2d(_LPPool):
    """(sum of x^p)^(1/p) over each window, with gradient 0 for a window of zeros.

    Lengths are one integer, or one for each axis.

    Args:
        norm_type: p, positive.
        kernel_size: lengths of a window.
        stride: distance of neighbouring windows, by default `kernel_size`.
        ceil_mode: also take a last window that reaches beyond the input.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'), with
        H' = (H - kernel_size) // stride + 1.
    """

    _function = staticmethod(functional.lp_pool2d)


class LPPool3d(_LPPool):
    """`LPPool2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _function = staticmethod(functional.lp_pool3d)


class _AdaptiveAvgPool(_Pool):
    """The mean of each stretch; see `AdaptiveAvgPool2d`."""

    _shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        """Pool `input`."""
        return self._function(input, self.output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """`AdaptiveAvgPool2d` for inputs of shape (N, C, L) or (C, L)."""

    _function = staticmethod(functional.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The mean of each of `output_size` stretches, whatever the size of the input.

    Stretch p of m in n elements goes from p n / m, rounded down, to (p + 1) n / m, rounded up.

    Args:
        output_size: number of stretches along each axis; None keeps an axis.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, C, *output_size) or (C, *output_size)

    Example:
        >>> import numpy as np, nn
        >>> nn.AdaptiveAvgPool2d(1)(np.arange(6.0).reshape(1, 2, 3))
        array([[[2.5]]])
    """

    _function = staticmethod(functional.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """`AdaptiveAvgPool2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _function = staticmethod(functional.adaptive_avg_pool3d)
