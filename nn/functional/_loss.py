"""Losses. Inputs are arrays or Variables; targets may be lists, too. Imports `autograd` only.

`reduction` is "mean" (over all elements, or all samples where a loss sums over classes), "sum" or
"none". Shapes must be equal: broadcasting (N, 1) against (N,) would give N x N numbers and a model
that learns the mean, so it is an error here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
from autograd import Variable
from autograd.arrays import refuse_complex, refuse_mask
from autograd.engine.calls import binary, holds, primitive
from autograd.special import expit
from nn.functional._activation import softplus
from nn.functional._numbers import check_numbers, constant, raw

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "check_reduction",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "reduced",
    "smooth_l1_loss",
]

_REDUCTIONS = ("mean", "sum", "none")


def check_reduction(operation: str, reduction: str, allowed: tuple[str, ...] = _REDUCTIONS) -> None:
    """Refuse an unknown reduction."""
    if reduction not in allowed:
        raise ValueError(
            f"{operation}: wanted reduction {', '.join(map(repr, allowed))}, got {reduction!r}"
        )


def reduced(loss: Any, reduction: str) -> Any:
    """Apply a reduction that has been checked."""
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def _pair(operation: str, input: Any, target: Any, reduction: str) -> tuple[Any, Any]:
    """Check shapes; a target of Python numbers or integers gets the dtype of the input."""
    check_reduction(operation, reduction)
    if input is None:
        raise TypeError(
            f"{operation}: wanted a prediction, got None; does forward end with return?"
        )
    refuse_mask(operation, input)
    refuse_mask(operation, target)
    if not isinstance(input, (Variable, np.ndarray)) and not hasattr(input, "__array_ufunc__"):
        input = np.asarray(input)
    if not hasattr(target, "dtype") or target.dtype.kind in "biu":
        target = constant(target).astype(input.dtype)
    check_numbers(operation, "an input", input)
    check_numbers(operation, "a target", target)
    if operation != "l1_loss":  # whose absolute values are real whatever the operands
        refuse_complex(operation, input, target)
    if input.shape != target.shape:
        fix = (
            f"write target.reshape({input.shape})"
            if math.prod(input.shape) == target.size
            else "compare like with like"
        )
        raise ValueError(
            f"{operation}: wanted a target of the input's shape {input.shape}, got {target.shape}; "
            f"{fix}"
        )
    return input, target


def _weighted(operation: str, loss: Any, weight: Any) -> Any:
    if weight is None:
        return loss
    if not hasattr(weight, "dtype"):
        weight = np.asarray(weight, dtype=loss.dtype)
    try:
        fits = np.broadcast_shapes(weight.shape, loss.shape) == loss.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{operation}: wanted a weight that broadcasts to the input's shape {loss.shape}, got "
            f"{weight.shape}"
        )
    return loss * weight


# -- of a difference -------------------------------------------------------------------------------


def _squared_error_x(g: Any, x: Any, y: Any, reduction: str) -> Any:
    return (x - y) * (g * (2.0 / x.size if reduction == "mean" else 2.0))


# One primitive, not subtract, square and mean: 0.7 of their time (benchmarks/layers.py).
@primitive(
    x=_squared_error_x,
    y=lambda g, x, y, reduction: _squared_error_x(g, y, x, reduction),
)
def _squared_error(x: Any, y: Any, reduction: str) -> Any:
    difference = x - y
    if reduction == "none":
        return difference * difference
    total = np.vdot(difference, difference)
    return total / x.size if reduction == "mean" else total


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the squared difference (input - target)^2.

    Args:
        input: predictions of any shape.
        target: wanted values, of the same shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the shapes differ.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.mse_loss(np.array([1.0, 2.0]), [1.0, 4.0])
        np.float64(2.0)
    """
    input, target = _pair("mse_loss", input, target, reduction)
    return _squared_error(input, target, reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the absolute difference |input - target|; the gradient at 0 is 0.

    Args:
        input: predictions of any shape.
        target: wanted values, of the same shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the shapes differ.
    """
    input, target = _pair("l1_loss", input, target, reduction)
    return reduced(abs(input - target), reduction)


@primitive(
    x=lambda g, x, y, delta: g * np.clip(x - y, -delta, delta),
    y=lambda g, x, y, delta: g * np.clip(y - x, -delta, delta),
    elementwise=True,
)
def _huber(x: Any, y: Any, delta: float) -> Any:
    distance = np.abs(x - y)
    bent = np.minimum(distance, delta)
    # d^2 / 2 up to delta, delta (d - delta / 2) from there on, in one formula.
    return bent * (distance - 0.5 * bent)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Return d^2 / 2 up to a distance d = |input - target| of `delta`, then a line.

    The line is delta (d - delta / 2).

    Args:
        input: predictions of any shape.
        target: wanted values, of the same shape.
        reduction: "mean", "sum" or "none".
        delta: where the parabola turns into a line, positive.

    Raises:
        ValueError: where the shapes differ or `delta` is not positive.

    References:
        P. Huber, Robust estimation of a location parameter, Annals of Statistics 35 (1964), 73-101.
    """
    if delta <= 0:
        raise ValueError(
            f"huber_loss: wanted a positive delta, got {delta}; use l1_loss for its shape at 0"
        )
    input, target = _pair("huber_loss", input, target, reduction)
    return reduced(_huber(input, target, delta), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """Return d^2 / (2 beta) up to a distance d = |input - target| of `beta`, then d - beta / 2.

    Args:
        input: predictions of any shape.
        target: wanted values, of the same shape.
        reduction: "mean", "sum" or "none".
        beta: where the parabola turns into a line; 0 gives the L1 loss.

    Raises:
        ValueError: where the shapes differ or `beta` is negative.

    References:
        R. Girshick, Fast R-CNN, ICCV 2015, https://arxiv.org/abs/1504.08083, eq. 3.
    """
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: wanted a beta of at least 0, got {beta}")
    input, target = _pair("smooth_l1_loss", input, target, reduction)
    loss = _huber(input, target, beta) / beta if beta else abs(input - target)
    return reduced(loss, reduction)


# -- of probabilities ------------------------------------------------------------------------------


def _log(p: Any) -> Any:
    """Return log(p), at least -100: the loss of a wrong certainty is large, not infinite."""
    zero = p == 0
    return np.where(zero, -100.0, np.maximum(np.log(np.where(zero, 1.0, p)), -100.0))


def _log_complement(p: Any) -> Any:
    """Return log(1 - p), likewise."""
    one = p == 1
    return np.where(one, -100.0, np.maximum(np.log1p(-np.where(one, 0.0, p)), -100.0))


_CERTAIN = 1e-12  # the least x (1 - x) that the slope divides by, as in PyTorch

# The slope of the binary cross entropy, whose own would cancel near certainty.
_certainty_slope = binary(
    lambda x, y: (x - y) / np.maximum(x * (1.0 - x), _CERTAIN),
    name="certainty_slope",
    x=lambda g, x, y: g * ((1.0 - y) / _squared(1.0 - x) + y / _squared(x)),
    y=lambda g, x: -g / np.maximum(x * (1.0 - x), _CERTAIN),
)


def _squared(p: Any) -> Any:
    p = np.maximum(p, _CERTAIN)
    return p * p


@primitive(
    x=lambda g, x, y: g * _certainty_slope(x, y),
    y=lambda g, x: g * (_log_complement(x) - _log(x)),
    elementwise=True,
)
def _binary_cross_entropy(x: Any, y: Any) -> Any:
    return (y - 1.0) * _log_complement(x) - y * _log(x)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return -(target log(input) + (1 - target) log(1 - input)), with logarithms of at least -100.

    Args:
        input: probabilities of any shape. `binary_cross_entropy_with_logits` is more accurate than
            a sigmoid before this.
        target: numbers from 0 to 1, of the same shape.
        weight: rescales the elements; broadcasts to the shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the shapes differ or an input is not in [0, 1].
    """
    input, target = _pair("binary_cross_entropy", input, target, reduction)
    if not holds(np.all((input >= 0) & (input <= 1)), traced=True):
        p = raw(input)
        raise ValueError(
            f"binary_cross_entropy: wanted inputs from 0 to 1, got values from {p.min():.6g} to "
            f"{p.max():.6g}; "
            f"apply a sigmoid first, or use binary_cross_entropy_with_logits"
        )
    return reduced(
        _weighted("binary_cross_entropy", _binary_cross_entropy(input, target), weight), reduction
    )


@primitive(
    x=lambda g, x, y: g * (expit(x) - y),
    y=lambda g, x: -g * x,
    elementwise=True,
)
def _logit_cross_entropy(x: Any, y: Any) -> Any:
    return np.maximum(x, 0.0) - x * y + np.log1p(np.exp(-np.abs(x)))


def _softplus(x: Any) -> Any:
    return softplus(x, threshold=math.inf)  # the default would cut the tail


@primitive(
    x=lambda g, x, y, z: g * (z * expit(x) - y * expit(-x)),
    y=lambda g, x: g * _softplus(-x),
    z=lambda g, x: g * _softplus(x),
    elementwise=True,
)
def _log_odds_loss(x: Any, y: Any, z: Any) -> Any:
    """Return y softplus(-x) + z softplus(x), in which nothing cancels."""
    tail = np.log1p(np.exp(-np.abs(x)))
    return y * (np.maximum(-x, 0.0) + tail) + z * (np.maximum(x, 0.0) + tail)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """Return the binary cross entropy of sigmoid(input), without rounding probabilities to 0 or 1.

    Args:
        input: logits of any shape.
        target: numbers from 0 to 1, of the same shape.
        weight: rescales the elements; broadcasts to the shape.
        reduction: "mean", "sum" or "none".
        pos_weight: multiplies the term of the positive class; broadcasts to the shape.

    Raises:
        ValueError: where shapes do not fit.
    """
    name = "binary_cross_entropy_with_logits"
    input, target = _pair(name, input, target, reduction)
    if pos_weight is None:
        loss = _logit_cross_entropy(input, target)
    else:
        loss = _log_odds_loss(input, _weighted(name, target, pos_weight), 1.0 - target)
    return reduced(_weighted(name, loss, weight), reduction)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """Return target (log(target) - input), the divergence of exp(input) from `target`.

    Args:
        input: log-probabilities of any shape.
        target: probabilities of the same shape, 0 allowed.
        reduction: "batchmean" (the sum divided by the length of the first axis, the divergence by
            its definition), "mean" (over all elements), "sum" or "none".
        log_target: whether `target` holds log-probabilities, too.

    Raises:
        ValueError: where the shapes differ.

    References:
        S. Kullback, R. Leibler, On information and sufficiency, Annals of Mathematical Statistics
        22 (1951), 79-86.
    """
    check_reduction("kl_div", reduction, ("mean", "batchmean", "sum", "none"))
    input, target = _pair("kl_div", input, target, "none")
    if log_target:
        loss = np.exp(target) * (target - input)
    else:
        loss = target * (np.log(autograd.where(target > 0, target, 1.0)) - input)
    if reduction == "batchmean":
        return loss.sum() / input.shape[0] if input.ndim else loss
    return reduced(loss, reduction)
