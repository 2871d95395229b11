"""Convolution layers: weights and where the kernel stands; `nn.functional` computes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from nn import functional
from nn._linear import uniform_by_fan_in
from nn._module import Module
from nn._parameter import Parameter
from nn.functional._conv import same_padding
from nn.functional._windows import check_sizes, per_axis

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Lengths",
]

Lengths = int | Sequence[int]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Kernel(Module):
    """What convolution and its transpose have in common: channels, a kernel, its places."""

    _axes: ClassVar[int]
    _function: ClassVar[Callable[..., Any]]
    weight: Parameter
    bias: Parameter | None
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: str | tuple[int, ...]

    _least_channels: ClassVar[int] = 1

    def __init__(
        self, in_channels: int, out_channels: int, groups: int, lengths: dict[str, Any]
    ) -> None:
        super().__init__()
        name = type(self).__name__
        for key, value in lengths.items():
            sizes = value if isinstance(value, str) else per_axis(name, key, value, self._axes)
            setattr(self, key, sizes)
        check_sizes(
            name, 1, kernel_size=self.kernel_size, stride=self.stride, dilation=self.dilation
        )
        check_sizes(name, self._least_channels, in_channels=(in_channels,))
        check_sizes(name, 1, out_channels=(out_channels,))
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: wanted groups that divide {in_channels} and {out_channels} channels, got "
                f"{groups}"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.groups = groups

    def _add_parameters(
        self, shape: tuple[int, ...], bias: bool, dtype: Any, generator: Any
    ) -> None:
        dtype = np.float32 if dtype is None else dtype
        self.weight = Parameter(np.empty((*shape, *self.kernel_size), dtype))
        self.bias = Parameter(np.empty(self.out_channels, dtype)) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw new weights and biases."""
        uniform_by_fan_in(math.prod(self.weight.shape[1:]), [self.weight, self.bias], generator)

    def extra_repr(self) -> str:
        """Return the arguments."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        usual = {"padding": 0, "output_padding": 0, "dilation": 1, "groups": 1}
        for key, value in usual.items():
            found = getattr(self, key, value)
            if found not in (value, (value,) * self._axes):
                text += f", {key}={found}"
        return text if self.bias is not None else text + ", bias=False"


class _Conv(_Kernel):
    """A convolution; see `Conv2d`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths = 1,
        padding: str | Lengths = 0,
        dilation: Lengths = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        lengths = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        super().__init__(in_channels, out_channels, groups, lengths)
        name = type(self).__name__
        if padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"{name}: wanted a padding_mode among {', '.join(_PADDING_MODES)}, got "
                f"{padding_mode!r}"
            )
        if not isinstance(self.padding, str):
            check_sizes(name, 0, padding=self.padding)
            before = after = self.padding
        elif self.padding == "same" and set(self.stride) == {1}:
            before, after = same_padding(self.kernel_size, self.dilation)
        elif self.padding == "valid":
            before = after = (0,) * self._axes
        else:
            raise ValueError(
                f"{name}: wanted padding of 'valid', 'same' (with stride 1) or integers, got "
                f"{padding!r} with stride {self.stride}"
            )
        self.padding_mode = padding_mode
        # In the order of `functional.pad`: the last axis first.
        pairs = list(zip(before, after, strict=True))
        self._ends = tuple(length for pair in reversed(pairs) for length in pair)
        self._add_parameters((out_channels, in_channels // groups), bias, dtype, generator)

    def forward(self, input: Any) -> Any:
        """Convolve `input`."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = functional.pad(input, self._ends, self.padding_mode), 0
        return self._function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        """Return the arguments."""
        text = super().extra_repr()
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class Conv1d(_Conv):
    """`Conv2d` for inputs of shape (N, C, L) or (C, L)."""

    _axes = 1
    _function = staticmethod(functional.conv1d)


class Conv2d(_Conv):
    """A kernel moved over an image: sums of weight[o, c, k] x[c, stride p + dilation k], plus bias.

    Weight and bias start from U(-b, b) with b = 1/sqrt(in_channels / groups * elements of the
    kernel). Lengths are one integer, or one for each axis.

    Args:
        in_channels: C.
        out_channels: O.
        kernel_size: lengths of the kernel.
        stride: distance of neighbouring windows.
        padding: length of the padding before and after each axis; "valid" for none, "same" for as
            much as keeps the size, which needs stride 1.
        dilation: distance of neighbouring elements of the kernel.
        groups: number of groups of channels; outputs of a group see the inputs of that group.
        bias: whether a bias is added.
        padding_mode: what the padding holds: "zeros", "reflect" (the image mirrored at its edge),
            "replicate" (the edge) or "circular".
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for the initial values.

    Attributes:
        weight: Parameter of shape (O, C/groups, *kernel_size).
        bias: Parameter of shape (O,), or None.

    Raises:
        TypeError: for lengths that are no integers.
        ValueError: for lengths out of range, or groups that do not divide the channels.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, O, H', W') or (O, H', W'), with
        H' = (H + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1.

    References:
        Y. LeCun et al., Gradient-based learning applied to document recognition, Proceedings of
        the IEEE 86 (1998), section II.A.

    Example:
        >>> import numpy as np, nn
        >>> nn.Conv2d(3, 8, kernel_size=5, padding="same")(np.ones((2, 3, 9, 7), np.float32)).shape
        (2, 8, 9, 7)
    """

    _axes = 2
    _function = staticmethod(functional.conv2d)


class Conv3d(_Conv):
    """`Conv2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _axes = 3
    _function = staticmethod(functional.conv3d)


class _ConvTranspose(_Kernel):
    """A transposed convolution; see `ConvTranspose2d`."""

    padding: tuple[int, ...]
    output_padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths = 1,
        padding: Lengths = 0,
        output_padding: Lengths = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Lengths = 1,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        lengths = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "output_padding": output_padding,
            "dilation": dilation,
        }
        name = type(self).__name__
        if isinstance(padding, str):
            raise TypeError(f"{name}: wanted integers as padding, got {padding!r}")
        super().__init__(in_channels, out_channels, groups, lengths)
        check_sizes(name, 0, padding=self.padding, output_padding=self.output_padding)
        if padding_mode != "zeros":
            raise ValueError(f"{name}: wanted padding_mode 'zeros', got {padding_mode!r}")
        self.padding_mode = padding_mode
        self._add_parameters((in_channels, out_channels // groups), bias, dtype, generator)

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Any:
        """Convolve `input`, transposed.

        Args:
            input: shape (N, C, *count) or (C, *count).
            output_size: lengths of the output (the axes before may be given, too), for
                `output_padding` that makes them so.

        Raises:
            ValueError: where no output_padding leads to `output_size`.
        """
        more = self.output_padding if output_size is None else self._more(input, output_size)
        return self._function(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            more,
            self.groups,
            self.dilation,
        )

    def _more(self, input: Any, output_size: Sequence[int]) -> tuple[int, ...]:
        """Return the output_padding for an output size."""
        n, name = self._axes, type(self).__name__
        given = tuple(output_size)
        sizes = per_axis(name, "output_size", given[-n:], n)
        least = tuple(
            (c - 1) * s - 2 * p + d * (k - 1) + 1
            for c, s, p, d, k in zip(
                input.shape[-n:],
                self.stride,
                self.padding,
                self.dilation,
                self.kernel_size,
                strict=True,
            )
        )
        more = tuple(a - b for a, b in zip(sizes, least, strict=True))
        if any(not 0 <= m < s for m, s in zip(more, self.stride, strict=True)):
            most = tuple(b + s - 1 for b, s in zip(least, self.stride, strict=True))
            raise ValueError(
                f"{name}: wanted an output_size from {least} to {most} for an input of shape "
                f"{input.shape}, got {given}"
            )
        return more


class ConvTranspose1d(_ConvTranspose):
    """`ConvTranspose2d` for inputs of shape (N, C, L) or (C, L)."""

    _axes = 1
    _function = staticmethod(functional.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The transpose of a convolution, which makes images larger: the gradient of `Conv2d`.

    Weight and bias start from U(-b, b) with b = 1/sqrt(out_channels / groups * elements of the
    kernel). Lengths are one integer, or one for each axis.

    Args:
        in_channels: C.
        out_channels: O.
        kernel_size: lengths of the kernel.
        stride: distance of neighbouring windows in the output.
        padding: how much is cut off before and after each axis of the output.
        output_padding: length added after each axis of the output, below stride or dilation.
        groups: number of groups of channels; outputs of a group see the inputs of that group.
        bias: whether a bias is added.
        dilation: distance of neighbouring elements of the kernel.
        padding_mode: "zeros".
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for the initial values.

    Attributes:
        weight: Parameter of shape (C, O/groups, *kernel_size).
        bias: Parameter of shape (O,), or None.

    Raises:
        TypeError: for lengths that are no integers.
        ValueError: for lengths out of range, or groups that do not divide the channels.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, O, H', W') or (O, H', W'), with
        H' = (H - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1.

    References:
        M. Zeiler et al., Deconvolutional networks, CVPR 2010.

    Example:
        >>> import numpy as np, nn
        >>> nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1)(np.ones((2, 8, 5, 6), "f")).shape
        (2, 3, 10, 12)
    """

    _axes = 2
    _function = staticmethod(functional.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """`ConvTranspose2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _axes = 3
    _function = staticmethod(functional.conv_transpose3d)
