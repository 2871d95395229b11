"""Layers that learn the size of their input from the first one they see."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from nn._conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from nn._linear import Linear
from nn._module import Module
from nn._normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from nn._parameter import Parameter

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
]

_AFFINE = {"affine": True, "track_running_stats": True}


class _Lazy(Module):
    """A layer without its first argument, which becomes that layer with its first input.

    Until then parameters and buffers are empty. They stay the objects that they are, so an
    optimizer may be made before.
    """

    _layer: ClassVar[Any]
    # Where the size is among the axes of the input: counted from the end, so that the batch may be
    # missing.
    _axis: ClassVar[int]
    _least_channels = 0  # of a convolution
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "_axis" not in vars(cls):
            return
        cls._layer = cls.__mro__[2]
        owner, _, *others = inspect.signature(cls._layer.__init__).parameters.values()
        others = [p.replace(default=cls._defaults.get(p.name, p.default)) for p in others]
        signature = inspect.Signature([owner, *others], return_annotation=None)
        cls.__init__.__signature__ = signature  # type: ignore[attr-defined]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            given = inspect.signature(type(self)).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        given.apply_defaults()
        # Nothing is drawn yet, so no stream of random numbers is begun.
        seed = {"generator": 0} if "generator" in given.arguments else {}
        self._layer.__init__(self, 0, **(given.arguments | seed))
        self._arguments = given.arguments

    def forward(self, input: Any, *args: Any, **kwargs: Any) -> Any:
        """Become the layer for inputs like this one, and return its output."""
        if not -input.ndim <= self._axis < input.ndim:
            raise ValueError(
                f"{type(self).__name__}: wanted an input with an axis {self._axis}, got shape "
                f"{input.shape}"
            )
        made = self._layer(input.shape[self._axis], **self._arguments)
        entries = vars(self)
        for name, value in vars(made).items():
            if isinstance(value, Parameter):
                old = entries[name]
                Parameter.__init__(old, value.data.astype(old.dtype), old.requires_grad)
            elif name in made._buffers and value is not None:  # noqa: SLF001 - of a Module
                entries[name] = value.astype(entries[name].dtype)
            elif name not in ("training", "_buffers"):
                entries[name] = value
        del entries["_arguments"]
        object.__setattr__(self, "__class__", self._layer)
        return self.forward(input, *args, **kwargs)


class LazyLinear(_Lazy, Linear):
    """A `Linear` whose `in_features` is the length of the last axis of the first input.

    With that input its weight gets its shape and both parameters their initial values; then the
    layer is a `Linear`. The parameters stay the objects that they are, so an optimizer may be made
    before. Arguments are those of `Linear` but the first.

    Example:
        >>> import numpy as np, nn
        >>> layer = nn.LazyLinear(2)
        >>> layer(np.ones((5, 3), np.float32)).shape
        (5, 2)
        >>> layer
        Linear(in_features=3, out_features=2, bias=True)
    """

    _axis = -1


class LazyConv1d(_Lazy, Conv1d):
    """A `Conv1d` whose `in_channels` are those of the first input; see `LazyLinear`."""

    _axis = -2


class LazyConv2d(_Lazy, Conv2d):
    """A `Conv2d` whose `in_channels` are those of the first input; see `LazyLinear`."""

    _axis = -3


class LazyConv3d(_Lazy, Conv3d):
    """A `Conv3d` whose `in_channels` are those of the first input; see `LazyLinear`."""

    _axis = -4


class LazyConvTranspose1d(_Lazy, ConvTranspose1d):
    """A `ConvTranspose1d` whose `in_channels` are those of the first input; see `LazyLinear`."""

    _axis = -2


class LazyConvTranspose2d(_Lazy, ConvTranspose2d):
    """A `ConvTranspose2d` whose `in_channels` are those of the first input; see `LazyLinear`."""

    _axis = -3


class LazyConvTranspose3d(_Lazy, ConvTranspose3d):
    """A `ConvTranspose3d` whose `in_channels` are those of the first input; see `LazyLinear`."""

    _axis = -4


class LazyBatchNorm1d(_Lazy, BatchNorm1d):
    """A `BatchNorm1d` whose `num_features` are those of the first input; see `LazyLinear`."""

    _axis = 1


class LazyBatchNorm2d(_Lazy, BatchNorm2d):
    """A `BatchNorm2d` whose `num_features` are those of the first input; see `LazyLinear`."""

    _axis = 1


class LazyBatchNorm3d(_Lazy, BatchNorm3d):
    """A `BatchNorm3d` whose `num_features` are those of the first input; see `LazyLinear`."""

    _axis = 1


class LazyInstanceNorm1d(_Lazy, InstanceNorm1d):
    """An `InstanceNorm1d` whose `num_features` are those of the first input; see `LazyLinear`.

    As in PyTorch, it scales, shifts and has running statistics unless told otherwise.
    """

    _defaults = _AFFINE

    _axis = -2


class LazyInstanceNorm2d(_Lazy, InstanceNorm2d):
    """An `InstanceNorm2d` whose `num_features` are those of the first input; see `LazyLinear`.

    As in PyTorch, it scales, shifts and has running statistics unless told otherwise.
    """

    _defaults = _AFFINE

    _axis = -3


class LazyInstanceNorm3d(_Lazy, InstanceNorm3d):
    """An `InstanceNorm3d` whose `num_features` are those of the first input; see `LazyLinear`.

    As in PyTorch, it scales, shifts and has running statistics unless told otherwise.
    """

    _defaults = _AFFINE

    _axis = -4
