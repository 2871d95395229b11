"""Initialisers: fill a Variable or an array in place. Imports `autograd` only.

Names, arguments and defaults are PyTorch's; `generator` is a seed or np.random.Generator, None
derives a stream from `autograd.manual_seed`. Nothing is recorded, graphs that saved the old values
are detected as out of date, and the argument is returned.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from autograd import Variable, new_generator
from autograd.arrays import moved

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

T = TypeVar("T")

_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 0.75,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor for weights before `nonlinearity` that keeps the variance across layers.

    Args:
        nonlinearity: "linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu" or a convolution's
            name.
        param: the negative slope of "leaky_relu", by default 0.01.

    Raises:
        ValueError: for an unknown name or a slope that is no number.

    Example:
        >>> calculate_gain("leaky_relu", 1.0)
        1.0
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(
                f"calculate_gain: wanted a number as the slope of leaky_relu, got {slope!r}"
            )
        return math.sqrt(2.0 / (1.0 + slope * slope))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"calculate_gain: wanted one of {known}, got {nonlinearity!r}")
    return _GAINS[nonlinearity]


def _fill(tensor: T, values: Any) -> T:
    if isinstance(tensor, Variable):
        tensor.data[...] = moved(values, tensor.data)
        tensor.mark_changed()
    else:
        tensor[...] = moved(values, tensor)  # type: ignore[index]
    return tensor


def _shape(operation: str, tensor: Any, least: int = 0) -> tuple[int, ...]:
    shape = getattr(tensor, "shape", None)
    if not isinstance(shape, tuple):
        raise TypeError(
            f"{operation}: wanted a Variable or an array to fill, got {type(tensor).__name__}"
        )
    if len(shape) < least:
        raise ValueError(
            f"{operation}: wanted at least {least} axes, got shape {shape}; use normal_ or "
            "uniform_ for vectors"
        )
    return shape


def constant_(tensor: T, val: float) -> T:
    """Fill with the number `val`."""
    _shape("constant_", tensor)
    return _fill(tensor, val)


def zeros_(tensor: T) -> T:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def ones_(tensor: T) -> T:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Any = None) -> T:
    """Fill from the uniform distribution on [`a`, `b`)."""
    return _fill(tensor, new_generator(generator).uniform(a, b, _shape("uniform_", tensor)))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> T:
    """Fill from the normal distribution with the given mean and standard deviation."""
    return _fill(tensor, new_generator(generator).normal(mean, std, _shape("normal_", tensor)))


def trunc_normal_(
    tensor: T,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> T:
    """Fill from the normal distribution, drawing again what falls outside [`a`, `b`].

    Raises:
        ValueError: where `a` is not below `b`, or the interval has next to no probability.
    """
    if not a < b:
        raise ValueError(f"trunc_normal_: wanted a below b, got a={a}, b={b}")
    low, high = (0.5 * math.erfc(-(limit - mean) / (std * math.sqrt(2))) for limit in (a, b))
    if high - low < 1e-3:
        raise ValueError(
            f"trunc_normal_: wanted limits near the mean {mean} (std {std}), got [{a}, {b}], with "
            "probability "
            f"{high - low:.1e}; move the limits or the mean"
        )
    generator = new_generator(generator)
    values = generator.normal(mean, std, _shape("trunc_normal_", tensor))
    outside = (values < a) | (values > b)
    while outside.any():
        values[outside] = generator.normal(mean, std, int(outside.sum()))
        outside = (values < a) | (values > b)
    return _fill(tensor, values)


def eye_(tensor: T) -> T:
    """Fill a matrix with the identity, as far as it goes.

    Raises:
        ValueError: for anything but two axes.
    """
    shape = _shape("eye_", tensor)
    if len(shape) != 2:
        raise ValueError(f"eye_: wanted a matrix, got shape {shape}")
    return _fill(tensor, np.eye(*shape))


def dirac_(tensor: T, groups: int = 1) -> T:
    """Fill the weight of a convolution such that it hands its input channels through.

    Raises:
        ValueError: for a shape that is no convolution's, or output channels that do not divide into
            `groups`.
    """
    shape = _shape("dirac_", tensor, 3)
    if shape[0] % groups:
        raise ValueError(
            f"dirac_: wanted output channels that divide into {groups} groups, got shape {shape}"
        )
    values = np.zeros(shape)
    centre = tuple(size // 2 for size in shape[2:])
    per_group = shape[0] // groups
    for group in range(groups):
        for channel in range(min(per_group, shape[1])):
            values[(group * per_group + channel, channel, *centre)] = 1.0
    return _fill(tensor, values)


def _fans(operation: str, tensor: Any) -> tuple[int, int]:
    """Return how many inputs one output of this weight depends on, and the reverse."""
    shape = _shape(operation, tensor, 2)
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Any = None) -> T:
    """Fill from U(-b, b) with b = gain sqrt(6 / (fan_in + fan_out)).

    Raises:
        ValueError: for fewer than two axes.

    References:
        X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural
        networks, AISTATS 2010, eq. 16.
    """
    bound = gain * math.sqrt(6.0 / max(1, sum(_fans("xavier_uniform_", tensor))))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Any = None) -> T:
    """Fill from N(0, s^2) with s = gain sqrt(2 / (fan_in + fan_out)).

    Raises:
        ValueError: for fewer than two axes.

    References:
        X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural
        networks, AISTATS 2010, eq. 12.
    """
    std = gain * math.sqrt(2.0 / max(1, sum(_fans("xavier_normal_", tensor))))
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(operation: str, tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    fan_in, fan_out = _fans(operation, tensor)
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{operation}: wanted mode 'fan_in' or 'fan_out', got {mode!r}")
    # A fan of 0 belongs to a tensor without elements, for which any number does.
    return calculate_gain(nonlinearity, a) / math.sqrt(
        max(1, fan_in if mode == "fan_in" else fan_out)
    )


def kaiming_uniform_(
    tensor: T,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> T:
    """Fill from U(-b, b) with b = gain sqrt(3 / fan).

    Args:
        tensor: what to fill, with at least two axes.
        a: the negative slope, where `nonlinearity` is "leaky_relu".
        mode: "fan_in" keeps the variance in the forward pass, "fan_out" in the backward pass.
        nonlinearity: what follows the layer, for `calculate_gain`.
        generator: a seed or np.random.Generator.

    Raises:
        ValueError: for fewer than two axes, or an unknown mode or nonlinearity.

    References:
        K. He et al., Delving deep into rectifiers, ICCV 2015, https://arxiv.org/abs/1502.01852, eq.
        10 and 14.
    """
    bound = math.sqrt(3.0) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: T,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> T:
    """Fill from N(0, s^2) with s = gain / sqrt(fan); arguments as in `kaiming_uniform_`.

    Raises:
        ValueError: for fewer than two axes, or an unknown mode or nonlinearity.

    References:
        K. He et al., Delving deep into rectifiers, ICCV 2015, https://arxiv.org/abs/1502.01852, eq.
        10 and 14.
    """
    return normal_(
        tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator
    )


def orthogonal_(tensor: T, gain: float = 1.0, generator: Any = None) -> T:
    """Fill with `gain` times orthonormal rows or columns, axes after the first taken as one.

    Raises:
        ValueError: for fewer than two axes.

    References:
        A. Saxe, J. McClelland, S. Ganguli, Exact solutions to the nonlinear dynamics of learning in
        deep linear neural networks, ICLR 2014, https://arxiv.org/abs/1312.6120.
    """
    shape = _shape("orthogonal_", tensor, 2)
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(
        new_generator(generator).normal(size=(max(rows, columns), min(rows, columns)))
    )
    q = q * np.sign(np.diag(r))  # makes the distribution uniform over all orthogonal matrices
    return _fill(tensor, gain * (q if rows >= columns else q.T).reshape(shape))


def sparse_(tensor: T, sparsity: float, std: float = 0.01, generator: Any = None) -> T:
    """Fill a matrix from N(0, `std`^2), then set the part `sparsity` of each column to 0.

    Raises:
        ValueError: for anything but two axes, or a part that is not from 0 to 1.

    References:
        J. Martens, Deep learning via Hessian-free optimization, ICML 2010, section 5.
    """
    shape = _shape("sparse_", tensor)
    if len(shape) != 2 or not 0 <= sparsity <= 1:
        raise ValueError(
            f"sparse_: wanted a matrix and a sparsity from 0 to 1, got shape {shape} and {sparsity}"
        )
    generator = new_generator(generator)
    values = generator.normal(0.0, std, shape)
    zeros = np.zeros(shape, dtype=bool)
    zeros[: math.ceil(sparsity * shape[0])] = True
    return _fill(tensor, np.where(generator.permuted(zeros, axis=0), 0.0, values))
