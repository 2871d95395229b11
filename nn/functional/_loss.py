"""Losses. Inputs are arrays or Variables; targets may be lists, too. Imports `autograd` only.

`reduction` is "mean" (over all elements, or all samples where a loss sums over classes), "sum" or
"none". Shapes must be
equal: broadcasting (N, 1) against (N,) gives N x N numbers and a model that learns the mean, so it
    is an error here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
from autograd import Variable, log_softmax
from autograd._primitive import primitive
from nn.functional._activation import sigmoid, softplus

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
]

_REDUCTIONS = ("mean", "sum", "none")


def check_reduction(operation: str, reduction: str, allowed: tuple[str, ...] = _REDUCTIONS) -> None:
    """Refuse an unknown reduction."""
    if reduction not in allowed:
        raise ValueError(
            f"{operation}: wanted reduction {', '.join(map(repr, allowed))}, got {reduction!r}"
        )


def _reduced(loss: Any, reduction: str) -> Any:
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def _raw(x: Any) -> Any:
    return x.data if isinstance(x, Variable) else x


def _pair(operation: str, input: Any, target: Any, reduction: str) -> tuple[Any, Any]:
    """Check shapes; a target of Python numbers or integers gets the dtype of the input."""
    check_reduction(operation, reduction)
    if not isinstance(input, (Variable, np.ndarray)) and not hasattr(input, "__array_ufunc__"):
        input = np.asarray(input)
    if not hasattr(target, "dtype") or target.dtype.kind in "biu":
        target = np.asarray(_raw(target), dtype=input.dtype)
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
    return _reduced(abs(input - target), reduction)


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
    return _reduced(_huber(input, target, delta), reduction)


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
    return _reduced(loss, reduction)


# -- of probabilities ------------------------------------------------------------------------------


@primitive(
    x=lambda g, x, y: g * ((x - y) / np.maximum(x * (1.0 - x), 1e-12)),
    y=lambda g, x: g * (_log(1.0 - x) - _log(x)),
    elementwise=True,
)
def _binary_cross_entropy(x: Any, y: Any) -> Any:
    return (y - 1.0) * _log(1.0 - x) - y * _log(x)


def _log(p: Any) -> Any:
    """Return log(p), at least -100: the loss of a wrong certainty is large, not infinite."""
    zero = p == 0
    return np.where(zero, -100.0, np.maximum(np.log(np.where(zero, 1.0, p)), -100.0))


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
    p = _raw(input)
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        raise ValueError(
            f"binary_cross_entropy: wanted inputs from 0 to 1, got values from {p.min():.6g} to "
            f"{p.max():.6g}; "
            f"apply a sigmoid first, or use binary_cross_entropy_with_logits"
        )
    return _reduced(
        _weighted("binary_cross_entropy", _binary_cross_entropy(input, target), weight), reduction
    )


@primitive(
    x=lambda g, x, y: g * (sigmoid(x) - y),
    y=lambda g, x: -g * x,
    elementwise=True,
)
def _logit_cross_entropy(x: Any, y: Any) -> Any:
    return np.maximum(x, 0.0) - x * y + np.log1p(np.exp(-np.abs(x)))


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
        positive = _weighted(name, target, pos_weight)
        # softplus(x) = x + softplus(-x); its default threshold would cut the tail of the loss.
        tail = softplus(-input, threshold=math.inf)
        loss = (1.0 - target) * input + (1.0 - target + positive) * tail
    return _reduced(_weighted(name, loss, weight), reduction)


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
        positive = _raw(target) > 0
        loss = target * (np.log(autograd.where(positive, target, 1.0)) - input)
    if reduction == "batchmean":
        return loss.sum() / input.shape[0] if input.ndim else loss
    return _reduced(loss, reduction)


# -- of classes ------------------------------------------------------------------------------------


def _picked(a: Any, target: Any, axis: int) -> Any:
    """Return the entry of `a` along `axis` that `target`, which lacks that axis, names."""
    if a.ndim == 2:
        return a[np.arange(len(target)), target]
    if a.ndim == 1:
        return a[target]
    return np.take_along_axis(a, np.expand_dims(target, axis), axis).squeeze(axis)


def _one_hot(target: Any, shape: tuple[int, ...], axis: int) -> Any:
    classes = np.arange(shape[axis]).reshape((-1,) + (1,) * (len(shape) - 1 - axis))
    return np.expand_dims(target, axis) == classes


def _minus_sum(log_p: Any, coefficient: Any, summed: bool) -> Any:
    """Return -log_p * coefficient, 0 where the coefficient is, whatever the logarithm."""
    if isinstance(coefficient, np.ndarray) and not coefficient.all():
        log_p = np.where(coefficient == 0, 0.0, log_p)
    loss = log_p * -coefficient
    return loss.sum() if summed else loss


def _along(g: Any, coefficient: Any, axis: int) -> Any:
    """Return g * coefficient with the class axis in, ready to meet an array over classes."""
    scale = g * coefficient
    return np.expand_dims(scale, axis) if scale.ndim else scale


@primitive(
    x=lambda g, x_shape, target, coefficient, axis: (
        _along(-g, coefficient, axis) * _one_hot(target, x_shape, axis)
    ),
    nondiff=("target", "coefficient"),
)
def _nll(x: Any, target: Any, coefficient: Any, axis: int, summed: bool) -> Any:
    """Return -coefficient * x[target], per sample or in total."""
    return _minus_sum(_picked(x, target, axis), coefficient, summed)


@primitive(x=lambda g: g, nondiff=("target",))
def _less_one(x: Any, target: Any, axis: int) -> Any:
    """Subtract 1 from the entry along `axis` that `target` names."""
    out = np.array(x)
    if axis == 0 and out.ndim == 1:
        out[target] -= 1.0
    elif out.ndim == 2:
        out[np.arange(len(target)), target] -= 1.0
    else:
        place = np.expand_dims(target, axis)
        np.put_along_axis(out, place, np.take_along_axis(out, place, axis) - 1.0, axis)
    return out


def _softmax_nll_x(g: Any, out: Any, target: Any, coefficient: Any, axis: int) -> Any:
    g_loss, g_p = g
    p = out[1]
    gx = None
    if g_loss is not None:
        gx = _less_one(p, target, axis) * _along(g_loss, coefficient, axis)
    if g_p is not None:  # in derivatives of higher order, which come through the line above
        weighted = g_p * p
        g_through_p = weighted - p * weighted.sum(axis=axis, keepdims=True)
        gx = g_through_p if gx is None else gx + g_through_p
    return gx


# The commonest loss, so one primitive instead of log_softmax and _nll, which keeps the softmax for
# the backward pass: 0.65 of their time on (512, 512), 0.85 on (32, 4) (benchmarks/layers.py).
@primitive(x=_softmax_nll_x, nondiff=("target", "coefficient"))
def _softmax_nll(x: Any, target: Any, coefficient: Any, axis: int, summed: bool) -> Any:
    """Return -coefficient * log_softmax(x)[target], per sample or in total, and softmax(x)."""
    shifted = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    p = np.exp(shifted)
    total = np.add.reduce(p, axis=axis, keepdims=True)
    p /= total
    log_p = _picked(shifted, target, axis) - np.log(total).reshape(target.shape)
    return _minus_sum(log_p, coefficient, summed), p


def _class_axis(operation: str, input: Any) -> int:
    if not hasattr(input, "ndim"):
        raise TypeError(
            f"{operation}: wanted an array or a Variable as input, got {type(input).__name__}; "
            f"write np.array(input)"
        )
    if input.ndim == 0:
        raise ValueError(
            f"{operation}: wanted an input of shape (C,), (N, C) or (N, C, ...), got a single "
            "number"
        )
    return 0 if input.ndim == 1 else 1


def _class_weight(operation: str, weight: Any, input: Any, axis: int) -> Any:
    if weight is None:
        return None
    weight = np.asarray(_raw(weight), dtype=input.dtype)
    if weight.shape != (input.shape[axis],):
        raise ValueError(
            f"{operation}: wanted one weight for each of {input.shape[axis]} classes, got shape "
            f"{weight.shape}"
        )
    return weight


def _class_targets(
    operation: str, input: Any, target: Any, axis: int, ignore_index: int
) -> tuple[Any, Any]:
    """Return `target` as checked class indices, and which of them count (None: all)."""
    target = np.asarray(_raw(target))
    shape = input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != shape:
        wanted = f"class indices of shape {shape}"
        raise ValueError(
            f"{operation}: wanted {wanted} for an input of shape {input.shape}, got {target.shape}"
        )
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"{operation}: wanted integers as class indices, got {target.dtype}; convert them with "
            ".astype(np.int64)"
        )
    kept = None
    count = input.shape[axis]
    if not target.size:
        return target, kept
    low, high = np.minimum.reduce(target, axis=None), np.maximum.reduce(target, axis=None)
    if low < 0 or high >= count or 0 <= ignore_index < count:
        kept = target != ignore_index
        if kept.all():
            kept = None
        else:
            target = np.where(kept, target, 0)
            low, high = target.min(), target.max()
        if low < 0 or high >= count:
            raise ValueError(
                f"{operation}: wanted class indices from 0 to {count - 1} (or ignore_index, "
                f"{ignore_index}), "
                f"got {low if low < 0 else high}"
            )
    return target, kept


def _coefficients(
    operation: str, target: Any, kept: Any, weight: Any, reduction: str, dtype: Any
) -> tuple[Any, float]:
    """Return what each sample's loss is multiplied with, and what the mean divides by."""
    if weight is not None:
        coefficient = weight[target] if kept is None else weight[target] * kept
        total = float(coefficient.sum())
    elif kept is not None:
        coefficient = kept.astype(dtype)
        total = float(kept.sum())
    else:
        coefficient, total = 1.0, float(target.size)
    if reduction == "mean":
        if total == 0:
            raise ValueError(
                f"{operation}: wanted at least one target that counts for a mean, got none (all "
                "are ignore_index, have weight "
                f"0, or the batch is empty); skip this batch, or use reduction='sum'"
            )
        coefficient = coefficient / total
    return coefficient, total


def nll_loss(
    input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """Return minus the log-probability of the target class, times that class's weight.

    Args:
        input: log-probabilities of shape (C,), (N, C) or (N, C, ...).
        target: class indices of shape (), (N,) or (N, ...).
        weight: one weight per class, shape (C,); the mean divides by the sum of the targets'
            weights.
        ignore_index: a target that does not count.
        reduction: "mean", "sum" or "none".

    Raises:
        TypeError: for targets that are no integers.
        ValueError: where shapes do not fit, an index is out of range, or a mean is over nothing.
    """
    check_reduction("nll_loss", reduction)
    axis = _class_axis("nll_loss", input)
    weight = _class_weight("nll_loss", weight, input, axis)
    target, kept = _class_targets("nll_loss", input, target, axis, ignore_index)
    coefficient, _ = _coefficients("nll_loss", target, kept, weight, reduction, input.dtype)
    return _nll(input, target, coefficient, axis, reduction != "none")


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Return minus the log-probability of the target class under softmax(input).

    Args:
        input: logits of shape (C,), (N, C) or (N, C, ...).
        target: class indices of shape (), (N,) or (N, ...); or class probabilities of the input's
            shape, floating-point.
        weight: one weight per class, shape (C,); for class indices the mean divides by the sum of
            the targets' weights.
        ignore_index: a class index that does not count.
        reduction: "mean" (over the samples), "sum" or "none".
        label_smoothing: part of each target, from 0 to 1, that is spread evenly over all classes.

    Raises:
        TypeError: for class indices that are no integers, and probabilities that are.
        ValueError: where shapes do not fit, an index is out of range, or a mean is over nothing.

    References:
        C. Szegedy et al., Rethinking the Inception architecture, CVPR 2016, section 7 (label
        smoothing).

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.cross_entropy(np.array([[0.0, 0.0]]), [1])
        np.float64(0.69)
    """
    check_reduction("cross_entropy", reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"cross_entropy: wanted a label_smoothing from 0 to 1, got {label_smoothing}"
        )
    axis = _class_axis("cross_entropy", input)
    weight = _class_weight("cross_entropy", weight, input, axis)
    if not hasattr(target, "dtype"):
        target = np.asarray(target)
        if target.dtype.kind == "f":
            target = target.astype(input.dtype)
    if target.shape == input.shape:
        return _soft_cross_entropy(input, target, weight, axis, reduction, label_smoothing)
    target, kept = _class_targets("cross_entropy", input, target, axis, ignore_index)
    coefficient, total = _coefficients(
        "cross_entropy", target, kept, weight, reduction, input.dtype
    )
    summed = reduction != "none"
    if not label_smoothing:
        loss, _ = _softmax_nll(input, target, coefficient, axis, summed)
        return loss
    log_p = log_softmax(input, axis=axis)
    exact = _nll(log_p, target, coefficient, axis, summed)
    even = (
        log_p if weight is None else log_p * weight.reshape((-1,) + (1,) * (input.ndim - 1 - axis))
    )
    even = -even.sum(axis=axis)
    if kept is not None:
        even = autograd.where(kept, even, 0.0)
    if summed:
        even = even.sum() / (total if reduction == "mean" else 1.0)
    return (1.0 - label_smoothing) * exact + (label_smoothing / input.shape[axis]) * even


def _soft_cross_entropy(
    input: Any, target: Any, weight: Any, axis: int, reduction: str, label_smoothing: float
) -> Any:
    """Return the cross entropy of softmax(input) relative to the distributions `target`."""
    if target.dtype.kind != "f":
        raise TypeError(
            "cross_entropy: wanted floating-point probabilities for a target of the input's shape "
            f"{input.shape}, got "
            f"{target.dtype}; pass class indices without the class axis, or convert with "
            ".astype(np.float32)"
        )
    if label_smoothing:
        target = target * (1.0 - label_smoothing) + label_smoothing / input.shape[axis]
    if weight is not None:
        target = target * weight.reshape((-1,) + (1,) * (input.ndim - 1 - axis))
    loss = -(log_softmax(input, axis=axis) * target).sum(axis=axis)
    return _reduced(loss, reduction)
