"""Padding layers: lengths and a mode; `nn.functional` computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from nn import functional
from nn._module import Module
from nn.functional._windows import per_axis

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Lengths",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

Lengths = int | Sequence[int]


class _Pad(Module):
    """Padding at the ends of the last axes; see `ReflectionPad2d`."""

    _axes: ClassVar[int]
    _mode: ClassVar[str]
    value: float | None = None

    def __init__(self, padding: Lengths) -> None:
        super().__init__()
        self.padding = per_axis(type(self).__name__, "padding", padding, 2 * self._axes)

    def forward(self, input: Any) -> Any:
        """Pad `input`.

        Raises:
            ValueError: where it has fewer axes, or not enough elements to repeat.
        """
        if input.ndim <= self._axes:
            raise ValueError(
                f"{type(self).__name__}: wanted an input with channels and {self._axes} more axes, "
                f"got shape {input.shape}"
            )
        return functional.pad(input, self.padding, self._mode, self.value)

    def extra_repr(self) -> str:
        """Return the lengths."""
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """`ReflectionPad2d` for inputs of shape (N, C, L) or (C, L)."""

    _axes, _mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """The input mirrored at its outermost elements, which are not repeated.

    Args:
        padding: one length for all ends, or lengths (left, right, top, bottom): before and after
            the last axis, then those of the axis before it, and so on. Negative ones cut off.

    Shape:
        (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'), with H' = H + top + bottom.

    Example:
        >>> import numpy as np, nn
        >>> nn.ReflectionPad2d((1, 1, 0, 0))(np.array([[[1, 2, 3]]]))
        array([[[2, 1, 2, 3, 2]]])
    """

    _axes, _mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """`ReflectionPad2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _axes, _mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """The outermost elements repeated, for inputs of shape (N, C, L) or (C, L)."""

    _axes, _mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """The outermost elements repeated; arguments are those of `ReflectionPad2d`."""

    _axes, _mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """The outermost elements repeated, for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _axes, _mode = 3, "replicate"


class CircularPad1d(_Pad):
    """The input continued periodically, for inputs of shape (N, C, L) or (C, L)."""

    _axes, _mode = 1, "circular"


class CircularPad2d(_Pad):
    """The input continued periodically; arguments are those of `ReflectionPad2d`."""

    _axes, _mode = 2, "circular"


class CircularPad3d(_Pad):
    """The input continued periodically, for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _axes, _mode = 3, "circular"


class ZeroPad1d(_Pad):
    """Zeros around the input, for inputs of shape (N, C, L) or (C, L)."""

    _axes, _mode = 1, "constant"


class ZeroPad2d(_Pad):
    """Zeros around the input; arguments are those of `ReflectionPad2d`."""

    _axes, _mode = 2, "constant"


class ZeroPad3d(_Pad):
    """Zeros around the input, for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _axes, _mode = 3, "constant"


class _ConstantPad(_Pad):
    """A number around the input; see `ConstantPad2d`."""

    _mode = "constant"

    def __init__(self, padding: Lengths, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Return the lengths and the number."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """`ConstantPad2d` for inputs of shape (N, C, L) or (C, L)."""

    _axes = 1


class ConstantPad2d(_ConstantPad):
    """A number around the input.

    Args:
        padding: as in `ReflectionPad2d`.
        value: the number.
    """

    _axes = 2


class ConstantPad3d(_ConstantPad):
    """`ConstantPad2d` for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _axes = 3
