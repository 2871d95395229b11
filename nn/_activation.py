"""Activation layers: arguments and text; `nn.functional` computes and documents the formulas.

Shapes are kept, except where a layer says otherwise. `inplace` is accepted for PyTorch's sake:
nothing is ever changed in place, and the result is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from nn import functional
from nn._module import Module
from nn._parameter import Parameter
from nn._random import RandomModule
from nn._sizes import check_sizes

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _Activation(Module):
    """A function of `nn.functional` with its arguments: attributes, shown by `repr`."""

    _function: ClassVar[Callable[..., Any]]
    _arguments: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:  # noqa: ARG004 - those of __init__
        """Refuse what a layer is called with as what it is made with."""
        if args and np.ndim(args[0]):
            name = cls.__name__
            raise TypeError(
                f"{name}: wanted options, got an array; make the layer first, as in nn.{name}()(x)"
            )
        return super().__new__(cls)

    def forward(self, input: Any) -> Any:
        """Apply the function to `input`."""
        return self._function(input, **{name: getattr(self, name) for name in self._arguments})

    def extra_repr(self) -> str:
        """Return the arguments."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self._arguments)


class _Plain(_Activation):
    """A function of `nn.functional` without arguments: a call goes straight to it."""

    def forward(self, input: Any) -> Any:
        """Apply the function to `input`."""
        return self._function(input)


class _PlainInplace(_Plain):
    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class Sigmoid(_Plain):
    """1 / (1 + exp(-x))."""

    _function = staticmethod(functional.sigmoid)


class LogSigmoid(_Plain):
    """log(1 / (1 + exp(-x)))."""

    _function = staticmethod(functional.logsigmoid)


class Tanh(_Plain):
    """The hyperbolic tangent."""

    _function = staticmethod(functional.tanh)


class Tanhshrink(_Plain):
    """x - tanh(x)."""

    _function = staticmethod(functional.tanhshrink)


class Softsign(_Plain):
    """x / (1 + |x|)."""

    _function = staticmethod(functional.softsign)


class ReLU(_PlainInplace):
    """max(x, 0).

    Example:
        >>> import numpy as np, nn
        >>> nn.ReLU()(np.array([-1.0, 2.0]))
        array([0., 2.])
    """

    _function = staticmethod(functional.relu)


class ReLU6(_PlainInplace):
    """min(max(x, 0), 6)."""

    _function = staticmethod(functional.relu6)


class SELU(_PlainInplace):
    """An elu scaled such that mean 0 and variance 1 are kept from layer to layer."""

    _function = staticmethod(functional.selu)


class SiLU(_PlainInplace):
    """x sigmoid(x), also called swish."""

    _function = staticmethod(functional.silu)


class Mish(_PlainInplace):
    """x tanh(softplus(x))."""

    _function = staticmethod(functional.mish)


class Hardsigmoid(_PlainInplace):
    """min(max(x + 3, 0), 6) / 6."""

    _function = staticmethod(functional.hardsigmoid)


class Hardswish(_PlainInplace):
    """x min(max(x + 3, 0), 6) / 6."""

    _function = staticmethod(functional.hardswish)


class LeakyReLU(_Activation):
    """x where x > 0, `negative_slope` times x elsewhere."""

    _function = staticmethod(functional.leaky_relu)
    _arguments = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace


class ELU(_Activation):
    """x where x > 0, `alpha` (exp(x) - 1) elsewhere."""

    _function = staticmethod(functional.elu)
    _arguments = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class CELU(_Activation):
    """x where x > 0, `alpha` (exp(x / alpha) - 1) elsewhere."""

    _function = staticmethod(functional.celu)
    _arguments = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class GELU(_Activation):
    """x Phi(x), Phi the normal distribution function, or its approximation "tanh"."""

    _function = staticmethod(functional.gelu)
    _arguments = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate


class Hardtanh(_Activation):
    """x limited to [`min_val`, `max_val`].

    Raises:
        ValueError: where `min_val` is not below `max_val`.
    """

    _function = staticmethod(functional.hardtanh)
    _arguments = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if min_val >= max_val:
            raise ValueError(f"Hardtanh: wanted min_val below max_val, got {min_val} and {max_val}")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace


class Softplus(_Activation):
    """log(1 + exp(`beta` x)) / `beta`, and x where `beta` x exceeds `threshold`."""

    _function = staticmethod(functional.softplus)
    _arguments = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold


class Softshrink(_Activation):
    """x moved towards 0 by `lambd`, 0 where it would cross.

    Raises:
        ValueError: where `lambd` is negative.
    """

    _function = staticmethod(functional.softshrink)
    _arguments = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        if lambd < 0:
            raise ValueError(f"Softshrink: wanted a lambd of at least 0, got {lambd}")
        self.lambd = lambd


class Hardshrink(_Activation):
    """x where |x| > `lambd`, 0 elsewhere."""

    _function = staticmethod(functional.hardshrink)
    _arguments = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd


class Threshold(_Activation):
    """x where x > `threshold`, `value` elsewhere."""

    _function = staticmethod(functional.threshold)
    _arguments = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace


class RReLU(RandomModule):
    """x where x > 0, elsewhere a slope times x that is drawn anew for each element in training.

    Args:
        lower: the least slope.
        upper: the largest slope; the mean of both is the slope in evaluation.
        inplace: accepted for PyTorch's sake; nothing is ever changed in place.
        generator: a seed or np.random.Generator.

    References:
        B. Xu et al., Empirical evaluation of rectified activations in convolutional network, 2015,
        https://arxiv.org/abs/1505.00853.
    """

    def __init__(
        self,
        lower: float = 1.0 / 8,
        upper: float = 1.0 / 3,
        inplace: bool = False,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__(generator)
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply the function to `input`."""
        return functional.rrelu(
            input, self.lower, self.upper, self.training, generator=self.generator
        )

    def extra_repr(self) -> str:
        """Return the slopes."""
        return f"lower={self.lower}, upper={self.upper}"


class PReLU(Module):
    """x where x > 0, a learned weight times x elsewhere.

    Args:
        num_parameters: 1, or the number of channels, for a weight each.
        init: where the weights start.
        dtype: of the parameter; float32 by default.

    Attributes:
        weight: Parameter of shape (num_parameters,).

    Shape:
        (N, C, ...) -> the same; any shape with one weight.

    References:
        K. He et al., Delving deep into rectifiers, ICCV 2015, https://arxiv.org/abs/1502.01852, eq.
        1.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = None) -> None:
        super().__init__()
        check_sizes("PReLU", num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(
            np.full(num_parameters, init, np.float32 if dtype is None else dtype)
        )

    def forward(self, input: Any) -> Any:
        """Apply the function to `input`."""
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Return the number of weights."""
        return f"num_parameters={self.num_parameters}"


class _AlongAxis(_Activation):
    _arguments = ("axis",)

    # `dim` is PyTorch's name of `axis`, under which its users pass it.
    def __init__(self, axis: int | None = None, *, dim: int | None = None) -> None:
        super().__init__()
        if axis is not None and dim is not None:
            raise TypeError(f"{type(self).__name__}: wanted axis or dim, got both; give one")
        given = dim if axis is None else axis
        self.axis = -1 if given is None else given


class Softmax(_AlongAxis):
    """exp(x) divided by its sum along `axis`.

    Example:
        >>> import numpy as np, nn
        >>> nn.Softmax(axis=-1)(np.zeros((1, 4)))
        array([[0.25, 0.25, 0.25, 0.25]])
    """

    _function = staticmethod(functional.softmax)


class Softmin(_AlongAxis):
    """exp(-x) divided by its sum along `axis`."""

    _function = staticmethod(functional.softmin)


class LogSoftmax(_AlongAxis):
    """The logarithm of softmax along `axis`."""

    _function = staticmethod(functional.log_softmax)


class Softmax2d(Module):
    """exp(x) divided by its sum over the channels, for inputs (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Any) -> Any:
        """Return the shares of the channels at each place.

        Raises:
            ValueError: where `input` has another number of axes.
        """
        if input.ndim not in (3, 4):
            raise ValueError(
                "Softmax2d: wanted an input of shape (N, C, H, W) or (C, H, W), got "
                f"{input.shape}; use Softmax(axis=1) for other shapes"
            )
        return functional.softmax(input, -3)


class GLU(_AlongAxis):
    """a sigmoid(b), where a and b are the halves of x along `axis`, which becomes half as long."""

    _function = staticmethod(functional.glu)
