"""Activation functions: a forward function beside one rule each.

All take arrays or Variables of any shape, called x in the texts, and return the same kind, shape
and dtype. `inplace` is taken for PyTorch's sake: nothing is ever changed in place. Most could be
composed of NumPy functions; they are primitives because that is one recorded operation instead of
three to six, whose rule keeps no more than the input or the output. Imports `autograd` only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
from autograd.arrays import holds_nan, surely
from autograd.blocks import in_blocks
from autograd.engine.calls import binary, holds, primitive, unary
from autograd.ops.gates import gate
from autograd.ops.gates import relu as _relu
from autograd.special import erfc, expit
from nn.functional._names import dim_is_axis
from nn.functional._numbers import real

__all__ = [
    "celu",
    "elu",
    "gate",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]

_vdot = np.vdot
_SQRT_HALF = math.sqrt(0.5)
_SQRT_TAU = math.sqrt(2 * math.pi)

# -- kernels on arrays -----------------------------------------------------------------------------


def _logistic(x: Any) -> Any:
    with np.errstate(over="ignore"):  # then the result is 0, as it should be
        divisor = np.exp(x * -1.0)  # not -x: of unsigned integers that is positive
    divisor += 1.0
    return 1.0 / divisor


def _log1pexp(x: Any) -> Any:
    """Return log(1 + exp(x))."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(np.abs(x) * -1.0))


def _normal_cdf(x: Any) -> Any:
    return 0.5 * erfc(x * -_SQRT_HALF)


def _normal_pdf(x: Any) -> Any:
    return np.exp(-0.5 * (x * x)) / _SQRT_TAU


def _scaled(x: Any, y: Any) -> Any:
    """Return x y, with 0 where y is 0 whatever x is."""
    out = x * y
    return np.where(y == 0, 0.0, out)[()] if holds_nan(out) else out


_scale = binary(_scaled, name="scale", x=lambda g, y: _scale(g, y), y=lambda g, x: g * x)


# -- of the input alone ----------------------------------------------------------------------------
# The gradient at a kink is PyTorch's: relu'(0) = 0. Pieces are chosen, not multiplied by 0, because
# an infinite cotangent contributes zero where the slope is zero. (nan goes through all of them but
# `threshold`, which is the one that has to say `masks`.)


def relu(input: Any, inplace: bool = False) -> Any:
    """Return max(x, 0); the gradient at 0 is 0.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.relu(np.array([-1.0, 0.0, 2.0]))
        array([0., 0., 2.])
    """
    return _relu(real("relu", input))


_relu6 = unary(
    lambda x: np.minimum(np.maximum(x, 0.0), 6.0),
    name="relu6",
    x=lambda g, out: gate(g, (out > 0) & (out < 6)),
)


def relu6(input: Any, inplace: bool = False) -> Any:
    """Return min(max(x, 0), 6)."""
    return _relu6(real("relu6", input))


_sigmoid = unary(_logistic, name="sigmoid", x=lambda g, out: g * (out * (1.0 - out)))


def tanh(input: Any) -> Any:
    """Return the hyperbolic tangent of x."""
    return autograd.tanh(input)


def sigmoid(input: Any) -> Any:
    """Return 1 / (1 + exp(-x)), without overflow for any x."""
    return _sigmoid(input)


_logsigmoid = unary(lambda x: -_log1pexp(x * -1.0), name="logsigmoid", x=lambda g, x: g * expit(-x))


def logsigmoid(input: Any) -> Any:
    """Return log(sigmoid(x)), finite where sigmoid(x) underflows to 0."""
    return _logsigmoid(real("logsigmoid", input))


def _silu_slope(x: Any) -> Any:
    s = sigmoid(x)
    return s * (1.0 + x * (1.0 - s))


_silu = unary(
    lambda x: in_blocks(lambda x: x * _logistic(x), x),
    name="silu",
    x=lambda g, x: in_blocks(lambda g, x: g * _silu_slope(x), g, x),
)


def silu(input: Any, inplace: bool = False) -> Any:
    """Return x sigmoid(x), also called swish.

    References:
        S. Elfwing, E. Uchibe, K. Doya, Sigmoid-weighted linear units for neural network function
        approximation in reinforcement learning, Neural Networks 107 (2018), eq. 5.
    """
    return _silu(input)


def _mish_slope(x: Any) -> Any:
    t = np.tanh(softplus(x))
    return t + x * (1.0 - t * t) * sigmoid(x)


_mish = unary(lambda x: x * np.tanh(_log1pexp(x)), name="mish", x=lambda g, x: g * _mish_slope(x))


def mish(input: Any, inplace: bool = False) -> Any:
    """Return x tanh(softplus(x)).

    References:
        D. Misra, Mish: a self regularized non-monotonic activation function, 2019,
        https://arxiv.org/abs/1908.08681.
    """
    return _mish(real("mish", input))


_softsign = unary(
    lambda x: x / (1.0 + np.abs(x)),
    name="softsign",
    x=lambda g, x: g / (1.0 + np.abs(x)) / (1.0 + np.abs(x)),
)


def softsign(input: Any) -> Any:
    """Return x / (1 + |x|)."""
    return _softsign(real("softsign", input))


_tanhshrink = unary(
    lambda x: x - np.tanh(x), name="tanhshrink", x=lambda g, x: g * np.square(np.tanh(x))
)


def tanhshrink(input: Any) -> Any:
    """Return x - tanh(x)."""
    return _tanhshrink(input)


_hardsigmoid = unary(
    lambda x: np.minimum(np.maximum(x + 3.0, 0.0), 6.0) / 6.0,
    name="hardsigmoid",
    x=lambda g, x: gate(g, (x > -3) & (x < 3)) / 6.0,
)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """Return min(max(x + 3, 0), 6) / 6, a piecewise linear sigmoid."""
    return _hardsigmoid(real("hardsigmoid", input))


def _piecewise_slope(x: Any) -> Any:
    """Return 0 below -3, x / 3 + 1 / 2, and 1 from 3 on."""
    over = x >= 3
    return (x / 3.0 + 0.5) * ((x > -3) ^ over).astype(x.dtype) + over


_hardswish_slope = unary(
    _piecewise_slope, name="hardswish_slope", x=lambda g, x: gate(g, (x > -3) & (x < 3)) / 3.0
)
_hardswish = unary(
    lambda x: x * np.minimum(np.maximum(x + 3.0, 0.0), 6.0) / 6.0,
    name="hardswish",
    x=lambda g, x: _scale(g, _hardswish_slope(x)),
)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """Return x min(max(x + 3, 0), 6) / 6, a piecewise quadratic silu.

    References:
        A. Howard et al., Searching for MobileNetV3, ICCV 2019, section 5.2.
    """
    return _hardswish(real("hardswish", input))


def _gelu_x(g: Any, x: Any, out: Any) -> Any:
    g_out, g_cdf = g
    gx = None
    if g_out is not None:
        gx = in_blocks(lambda g, x, cdf: g * (cdf + x * _normal_pdf(x)), g_out, x, out[1])
    if g_cdf is None:
        return gx
    by_cdf = g_cdf * _normal_pdf(x)
    return by_cdf if gx is None else gx + by_cdf


def _gelu_and_cdf(x: Any) -> tuple[Any, Any]:
    cdf = _normal_cdf(x)
    return x * cdf, cdf


# The distribution function is most of the work, so it is an output that the rule uses again.
@primitive(name="gelu", x=_gelu_x, elementwise=True)
def _gelu(x: Any) -> Any:
    return in_blocks(_gelu_and_cdf, x)


# The approximation of Phi is (1 + tanh(u)) / 2 with u = x (A + B x^2).
_A, _B = math.sqrt(2 / math.pi), 0.044715 * math.sqrt(2 / math.pi)
_GELU_END = 20.0  # beyond, the slope is 0 or 1, and powers might overflow


def _gelu_tanh_forward(x: Any) -> Any:
    return 0.5 * x * (1.0 + np.tanh(x * (_A + _B * (x * x))))


def _gelu_tanh_slope_forward(x: Any) -> Any:
    x = np.minimum(np.maximum(x, -_GELU_END), _GELU_END)
    square = x * x
    t = np.tanh(x * (_A + _B * square))
    return 0.5 * (1.0 + t + x * (1.0 - t * t) * (_A + 3 * _B * square))


def _gelu_tanh_curvature(x: Any) -> Any:
    x = np.minimum(np.maximum(x, -_GELU_END), _GELU_END)
    square = x * x
    t = np.tanh(x * (_A + _B * square))
    slope = _A + 3 * _B * square  # of u; its curvature is 6 B x
    return (1.0 - t * t) * (slope + 3 * _B * square - t * x * (slope * slope))


_gelu_tanh_slope = unary(
    _gelu_tanh_slope_forward, name="gelu_tanh_slope", x=lambda g, x: g * _gelu_tanh_curvature(x)
)
_gelu_tanh = unary(
    lambda x: in_blocks(_gelu_tanh_forward, x),
    name="gelu_tanh",
    x=lambda g, x: in_blocks(lambda g, x: g * _gelu_tanh_slope(x), g, x),
)


def gelu(input: Any, approximate: str = "none") -> Any:
    """Return x Phi(x), with Phi the distribution function of the standard normal distribution.

    Args:
        input: x, of any shape.
        approximate: "none" is exact; "tanh" is the approximation 0.5 x (1 + tanh(sqrt(2/pi) (x +
            0.044715 x^3))).

    Raises:
        ValueError: for another `approximate`.

    References:
        D. Hendrycks, K. Gimpel, Gaussian error linear units, 2016,
        https://arxiv.org/abs/1606.08415.
    """
    real("gelu", input)
    if approximate == "none":
        out, _ = _gelu(input)
        return out
    if approximate == "tanh":
        return _gelu_tanh(input)
    raise ValueError(f"gelu: wanted approximate 'none' or 'tanh', got {approximate!r}")


# -- with parameters -------------------------------------------------------------------------------


def _leaky_relu_x(g: Any, x: Any, negative_slope: float) -> Any:
    positive = x > 0
    if not negative_slope:
        return gate(g, positive)
    return g * (positive + ~positive * x.dtype.type(negative_slope))


@primitive(name="leaky_relu", x=_leaky_relu_x, elementwise=True)
def _leaky_relu(x: Any, negative_slope: float) -> Any:
    return np.maximum(x, 0.0) + np.minimum(x, 0.0) * negative_slope


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """Return x where x > 0, `negative_slope` times x elsewhere."""
    return _leaky_relu(real("leaky_relu", input), negative_slope)


def _exponential_linear_x(g: Any, x: Any, alpha: float, scale: float, rate: float) -> Any:
    at_zero = scale * alpha * rate  # the slope from the left
    below = np.exp(np.minimum(x, 0.0) * rate) * at_zero
    return g * (below + (x > 0) * x.dtype.type(scale - at_zero))


@primitive(x=_exponential_linear_x, elementwise=True)
def _exponential_linear(x: Any, alpha: float, scale: float, rate: float) -> Any:
    """Return scale x where x > 0, scale alpha (exp(rate x) - 1) elsewhere: elu, selu, celu."""
    below = np.expm1(np.minimum(x, 0.0) * rate)
    return np.maximum(x, 0.0) * scale + below * (scale * alpha)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Return x where x > 0, `alpha` (exp(x) - 1) elsewhere.

    References:
        D. Clevert, T. Unterthiner, S. Hochreiter, Fast and accurate deep network learning by
        exponential linear units, ICLR 2016, https://arxiv.org/abs/1511.07289, eq. 15.
    """
    return _exponential_linear(real("elu", input), alpha, 1.0, 1.0)


def selu(input: Any, inplace: bool = False) -> Any:
    """Return scale elu(x, alpha), with the numbers that keep mean 0 and variance 1 across layers.

    References:
        G. Klambauer et al., Self-normalizing neural networks, NeurIPS 2017,
        https://arxiv.org/abs/1706.02515, eq. 2 and appendix A1.
    """
    return _exponential_linear(
        real("selu", input),
        1.6732632423543772848170429916717,
        1.0507009873554804934193349852946,
        1.0,
    )


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Return x where x > 0, `alpha` (exp(x / alpha) - 1) elsewhere, of slope 1 at 0.

    Raises:
        ValueError: for `alpha` = 0.

    References:
        J. Barron, Continuously differentiable exponential linear units, 2017,
        https://arxiv.org/abs/1704.07483.
    """
    if alpha == 0:
        raise ValueError("celu: wanted an alpha other than 0, got 0; use relu, its limit")
    return _exponential_linear(real("celu", input), alpha, 1.0, 1.0 / alpha)


def _softplus_x(g: Any, x: Any, beta: float, threshold: float) -> Any:
    z = x * beta
    gx = g * expit(z)
    beyond = z > threshold
    return np.where(beyond, g, gx) if holds(np.any(beyond), traced=True) else gx


@primitive(name="softplus", x=_softplus_x, elementwise=True)
def _softplus(x: Any, beta: float, threshold: float) -> Any:
    z = x * beta
    out = _log1pexp(z) / beta
    beyond = z > threshold
    return out if surely(~beyond.any()) else np.where(beyond, x, out)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Return log(1 + exp(beta x)) / beta, without overflow for any x.

    Args:
        input: x, of any shape.
        beta: sharpness of the bend.
        threshold: where beta x exceeds it, the result is x itself.
    """
    return _softplus(real("softplus", input), beta, threshold)


@primitive(
    name="hardtanh",
    x=lambda g, x, min_val, max_val: gate(g, (x > min_val) & (x < max_val)),
    elementwise=True,
)
def _hardtanh(x: Any, min_val: float, max_val: float) -> Any:
    return np.minimum(np.maximum(x, min_val), max_val)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """Return x limited to [`min_val`, `max_val`]; the gradient at the limits is 0.

    Raises:
        ValueError: where `min_val` is above `max_val`.
    """
    if min_val > max_val:
        raise ValueError(
            f"hardtanh: wanted min_val of at most max_val, got {min_val} and {max_val}"
        )
    return _hardtanh(real("hardtanh", input), min_val, max_val)


@primitive(name="hardshrink", x=lambda g, x, lambd: gate(g, np.abs(x) > lambd), elementwise=True)
def _hardshrink(x: Any, lambd: float) -> Any:
    return x * (np.abs(x) > lambd)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """Return x where |x| > `lambd`, 0 elsewhere."""
    return _hardshrink(real("hardshrink", input), lambd)


@primitive(name="softshrink", x=lambda g, x, lambd: gate(g, np.abs(x) > lambd), elementwise=True)
def _softshrink(x: Any, lambd: float) -> Any:
    return x - np.minimum(np.maximum(x, -lambd), lambd)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """Return x moved towards 0 by `lambd`, 0 where it would cross.

    Raises:
        ValueError: where `lambd` is negative.
    """
    if lambd < 0:
        raise ValueError(f"softshrink: wanted lambd of at least 0, got {lambd}")
    return _softshrink(real("softshrink", input), lambd)


@primitive(
    name="threshold",
    x=lambda g, x, threshold: gate(g, x > threshold),
    elementwise=True,
    makes_zeros=True,
)
def _threshold(x: Any, threshold: float, value: float) -> Any:
    return np.where(x > threshold, x, value)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """Return x where x > `threshold`, `value` elsewhere."""
    return _threshold(real("threshold", input), threshold, value)


def prelu(input: Any, weight: Any) -> Any:
    """Return x where x > 0, `weight` times x elsewhere.

    Args:
        input: x, of shape (N, C, ...), or any shape with a single weight.
        weight: shape (C,) or (1,).

    Raises:
        ValueError: where there is neither one weight nor one per channel.
    """
    shape = np.shape(weight)
    count = math.prod(shape)
    if count != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if shape != (channels,):
            raise ValueError(
                f"prelu: wanted 1 weight or one for each of {channels} channels, got shape "
                f"{shape}; set num_parameters={channels}"
            )
        weight = weight.reshape((-1,) + (1,) * (input.ndim - 2))
    elif input.ndim == 0:
        weight = weight.reshape(())
    return _prelu(real("prelu", input), weight)


_prelu = binary(
    lambda x, y: np.maximum(x, 0.0) + np.minimum(x, 0.0) * y,
    name="prelu",
    x=lambda g, x, y: gate(g, x > 0) + gate(g, ~(x > 0)) * y,
    y=lambda g, x: gate(g * x, ~(x > 0)),
)


# -- along an axis ---------------------------------------------------------------------------------


@dim_is_axis
def glu(input: Any, axis: int = -1) -> Any:
    """Split `input` into two halves a and b along `axis`, and return a sigmoid(b).

    Raises:
        ValueError: where the axis has an odd length.

    References:
        Y. Dauphin et al., Language modeling with gated convolutional networks, ICML 2017, eq. 1.
    """
    if not -input.ndim <= axis < input.ndim:
        raise ValueError(f"glu: wanted an input with axis {axis}, got shape {input.shape}")
    length = input.shape[axis]
    if length % 2:
        raise ValueError(
            f"glu: wanted an even length of axis {axis}, got shape {input.shape}; it is split into "
            "two halves"
        )
    before = (slice(None),) * (axis % input.ndim)
    return input[(*before, slice(length // 2))] * sigmoid(
        input[(*before, slice(length // 2, None))]
    )
