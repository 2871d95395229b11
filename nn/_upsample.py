"""Layers that make images larger or smaller, and that fold them; `nn.functional` computes."""

from __future__ import annotations

from typing import Any

from nn import functional
from nn._module import Module

__all__ = [
    "ChannelShuffle",
    "Fold",
    "PixelShuffle",
    "PixelUnshuffle",
    "Unfold",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]


class Upsample(Module):
    """An image, a line or a volume of another size, by interpolation.

    Args:
        size: lengths of the output; one integer for all axes.
        scale_factor: factors from lengths of the input to those of the output, instead of `size`.
        mode: "nearest", "nearest-exact", "area", "linear", "bilinear", "bicubic" or "trilinear".
        align_corners: for the linear and cubic modes: whether the middles of the outermost
            elements stay where they are, instead of their outer ends.
        recompute_scale_factor: whether places are computed from the lengths instead of from
            `scale_factor`; the lengths are rounded down.

    Shape:
        (N, C, *space) -> (N, C, *size)

    Example:
        >>> import numpy as np, nn
        >>> nn.Upsample(scale_factor=2)(np.array([[[1, 2]]]))
        array([[[1, 1, 2, 2]]])
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Any) -> Any:
        """Interpolate `input`."""
        return functional.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        """Return the arguments."""
        what = "size" if self.scale_factor is None else "scale_factor"
        return f"{what}={getattr(self, what)}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` of images in mode "nearest"."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` of images in mode "bilinear" with `align_corners`."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", align_corners=True)


class PixelShuffle(Module):
    """Groups of r^2 channels turned into squares of r x r pixels.

    Args:
        upscale_factor: r.

    Shape:
        (..., C r^2, H, W) -> (..., C, H r, W r)

    References:
        W. Shi et al., Real-time single image and video super-resolution using an efficient
        sub-pixel convolutional neural network, CVPR 2016, https://arxiv.org/abs/1609.05158, eq. 4.
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Any) -> Any:
        """Shuffle `input`."""
        return functional.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """Return the factor."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Squares of r x r pixels turned into groups of r^2 channels, as they were before PixelShuffle.

    Args:
        downscale_factor: r.

    Shape:
        (..., C, H r, W r) -> (..., C r^2, H, W)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Any) -> Any:
        """Unshuffle `input`."""
        return functional.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """Return the factor."""
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """The channels of all groups dealt out in turns: the first of each group, then the second ...

    Args:
        groups: number of groups, which divides the channels.

    Shape:
        (N, C, ...) -> the same

    References:
        X. Zhang et al., ShuffleNet, CVPR 2018, https://arxiv.org/abs/1707.01083, section 3.1.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Any) -> Any:
        """Shuffle the channels of `input`."""
        return functional.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        """Return the number of groups."""
        return f"groups={self.groups}"


class Unfold(Module):
    """The elements of all windows as columns.

    Lengths are one integer, or one for each axis.

    Args:
        kernel_size: lengths of a window.
        dilation: distance of neighbouring elements of a window.
        padding: zeros before and after each axis.
        stride: distance of neighbouring windows.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, C K, P) or (C K, P), for windows of K elements at P places
    """

    def __init__(
        self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Any) -> Any:
        """Unfold `input`."""
        return functional.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Unfold):
    """The columns of `Unfold` added up where they are from: its transpose.

    Args:
        output_size: lengths H, W of the output.
        kernel_size: lengths of a window.
        dilation: distance of neighbouring elements of a window.
        padding: how much is cut off before and after each axis of the output.
        stride: distance of neighbouring windows.

    Shape:
        (N, C K, P) or (C K, P) -> (N, C, H, W) or (C, H, W), for windows of K elements at P places
    """

    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        """Fold `input`."""
        return functional.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"output_size={self.output_size}, {super().extra_repr()}"
