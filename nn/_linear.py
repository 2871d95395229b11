"""Affine layers and layers that reshape. Each holds state and shapes; `nn.functional` computes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import new_generator
from nn import functional, init
from nn._module import Module
from nn._parameter import Parameter
from nn._sizes import check_sizes
from nn.functional._names import dim_is_axis

__all__ = ["Bilinear", "Flatten", "Identity", "Linear", "Unflatten", "uniform_by_fan_in"]


class Identity(Module):
    """Return the input. Arguments are ignored, so that it can stand in for any layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - see the docstring
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return `input`."""
        return input


class Linear(Module):
    """An affine map: input @ weight.T + bias.

    Weight and bias start from U(-1/sqrt(in_features), 1/sqrt(in_features)).

    Args:
        in_features: length of the last axis of the input.
        out_features: length of the last axis of the output.
        bias: whether a bias is added.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for the initial values.

    Attributes:
        weight: Parameter of shape (out_features, in_features).
        bias: Parameter of shape (out_features,), or None.

    Shape:
        (..., in_features) -> (..., out_features)

    Example:
        >>> import numpy as np, nn
        >>> nn.Linear(3, 2)(np.ones((5, 3), np.float32)).shape
        (5, 2)
    """

    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        check_sizes("Linear", in_features=in_features, out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(_empty((out_features, in_features), dtype))
        self.bias = Parameter(_empty((out_features,), dtype)) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw new weights and biases."""
        uniform_by_fan_in(self.in_features, [self.weight, self.bias], generator)

    def forward(self, input: Any) -> Any:
        """Return input @ weight.T + bias."""
        if input.__class__ is tuple:
            raise TypeError(
                f"linear: wanted an array or a Variable, got a tuple of {len(input)}; take one of "
                "its parts, as in out, state = lstm(x)"
            )
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """A map linear in each of two inputs: sums of x[i] weight[o, i, j] y[j], plus bias[o].

    Weight and bias start from U(-1/sqrt(in1_features), 1/sqrt(in1_features)).

    Args:
        in1_features: length of the last axis of the first input.
        in2_features: length of the last axis of the second input.
        out_features: length of the last axis of the output.
        bias: whether a bias is added.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for the initial values.

    Shape:
        (..., in1_features), (..., in2_features) -> (..., out_features)
    """

    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        check_sizes(
            "Bilinear",
            in1_features=in1_features,
            in2_features=in2_features,
            out_features=out_features,
        )
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(_empty((out_features, in1_features, in2_features), dtype))
        self.bias = Parameter(_empty((out_features,), dtype)) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw new weights and biases."""
        uniform_by_fan_in(self.in1_features, [self.weight, self.bias], generator)

    def forward(self, input1: Any, input2: Any) -> Any:
        """Return the bilinear form of both inputs."""
        return functional.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Flatten(Module):
    """Join the axes from `start_axis` to `end_axis`, both included; by default all but the first.

    Args:
        start_axis: the first axis that is joined (`start_dim` in PyTorch, which is accepted).
        end_axis: the last axis that is joined (`end_dim`).

    Example:
        >>> import numpy as np, nn
        >>> nn.Flatten()(np.ones((5, 2, 3))).shape
        (5, 6)
    """

    @dim_is_axis
    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        super().__init__()
        self.start_axis = start_axis
        self.end_axis = end_axis

    def forward(self, x: Any) -> Any:
        """Return `x` with the axes joined.

        Raises:
            ValueError: where `x` lacks these axes, or they are in the wrong order.
        """
        ndim = x.ndim
        if not (-ndim <= self.start_axis < ndim and -ndim <= self.end_axis < ndim):
            raise ValueError(
                f"Flatten: wanted an input with the axes {self.start_axis} to {self.end_axis}, got "
                f"shape {x.shape}; "
                f"add a batch axis with x[None]"
            )
        start, end = self.start_axis % ndim, self.end_axis % ndim
        if start > end:
            raise ValueError(
                f"Flatten: wanted start_axis before end_axis, got {self.start_axis} and "
                f"{self.end_axis}"
            )
        return x.reshape(
            (*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :])
        )

    def extra_repr(self) -> str:
        """Return the axes."""
        return f"start_axis={self.start_axis}, end_axis={self.end_axis}"


class Unflatten(Module):
    """Split one axis into several.

    Args:
        axis: the axis (`dim` in PyTorch, which is accepted).
        unflattened_size: lengths of the new axes; one may be -1.

    Example:
        >>> import numpy as np, nn
        >>> nn.Unflatten(1, (2, 3))(np.ones((5, 6))).shape
        (5, 2, 3)
    """

    @dim_is_axis
    def __init__(self, axis: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        self.axis = axis
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        """Return `x` with the axis split.

        Raises:
            ValueError: where `x` lacks the axis, or the lengths do not multiply to its length.
        """
        if not -x.ndim <= self.axis < x.ndim:
            raise ValueError(f"Unflatten: wanted an input with axis {self.axis}, got {x.shape}")
        axis = self.axis % x.ndim
        known = math.prod(size for size in self.unflattened_size if size != -1)
        if x.shape[axis] % known if -1 in self.unflattened_size else x.shape[axis] != known:
            raise ValueError(
                f"Unflatten: wanted axis {self.axis} to have a length that splits into "
                f"{self.unflattened_size}, got shape {x.shape}"
            )
        return x.reshape((*x.shape[:axis], *self.unflattened_size, *x.shape[axis + 1 :]))

    def extra_repr(self) -> str:
        """Return the axis and the lengths."""
        return f"axis={self.axis}, unflattened_size={self.unflattened_size}"


def _empty(shape: tuple[int, ...], dtype: Any) -> Any:
    return np.empty(shape, dtype=np.float32 if dtype is None else dtype)


def uniform_by_fan_in(fan_in: int, parameters: list[Parameter | None], generator: Any) -> None:
    """Fill from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), which is kaiming_uniform_ with a=sqrt(5)."""
    generator = new_generator(generator)
    bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
    for parameter in parameters:
        if parameter is not None:
            init.uniform_(parameter, -bound, bound, generator)
