"""Losses of classes: cross entropy and negative log-likelihood. Imports `_loss` and `autograd`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
from autograd import Variable, log_softmax
from autograd.arrays import Many, is_array, is_foreign, surely
from autograd.engine.calls import primitive
from autograd.engine.mode import current_mode
from autograd.ops._shared import add_reduce, beside
from autograd.ops.plain import plain
from nn.functional._linear import linear
from nn.functional._loss import check_reduction, reduced
from nn.functional._numbers import constant, raw, real

__all__ = ["cross_entropy", "linear_cross_entropy", "nll_loss"]


def _picked(a: Any, target: Any, axis: int) -> Any:
    """Return the entry of `a` along `axis` that `target`, which lacks that axis, names."""
    if is_foreign(a):  # which may not read two indices at once
        return np.where(_one_hot(target, a.shape, axis), a, 0.0).sum(axis=axis)
    if a.ndim == 2:
        return a[np.arange(len(target)), target]
    if a.ndim == 1:
        return a[target]
    return np.take_along_axis(a, np.expand_dims(target, axis), axis).squeeze(axis)


def _one_hot(target: Any, shape: tuple[int, ...], axis: int) -> Any:
    classes = np.arange(shape[axis]).reshape((-1,) + (1,) * (len(shape) - 1 - axis))
    return np.expand_dims(target, axis) == beside(classes, target)


def _minus_sum(log_p: Any, coefficient: Any, summed: bool) -> Any:
    """Return -log_p * coefficient, 0 where the coefficient is, whatever the logarithm."""
    varies = is_array(coefficient) and coefficient.ndim
    if varies and not surely(coefficient.all()):
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
    if is_foreign(x):
        return x - _one_hot(target, x.shape, axis)
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
        for _ in range(2):  # the second time takes the rounding error of a share near 1 away
            g_p = g_p - (g_p * p).sum(axis=axis, keepdims=True)
        gx = g_p * p if gx is None else gx + g_p * p
    return gx


# The commonest loss, so one primitive instead of log_softmax and _nll, which keeps the softmax for
# the backward pass: 0.65 of their time on (512, 512), 0.85 on (32, 4) (benchmarks/layers.py).
@primitive(x=_softmax_nll_x, nondiff=("target", "coefficient"))
def _softmax_nll(x: Any, target: Any, coefficient: Any, axis: int, summed: bool) -> Any:
    """Return -coefficient * log_softmax(x)[target], per sample or in total, and softmax(x)."""
    shifted = x - (np.max if is_foreign(x) else np.maximum.reduce)(x, axis=axis, keepdims=True)
    p = np.exp(shifted)
    total = add_reduce(p, axis, None, None, True)
    p /= total
    log_p = _picked(shifted, target, axis) - np.log(total).reshape(target.shape)
    return _minus_sum(log_p, coefficient, summed), p


def _class_axis(operation: str, input: Any) -> int:
    if input is None:
        raise TypeError(
            f"{operation}: wanted a prediction, got None; does forward end with return?"
        )
    if not hasattr(input, "ndim"):
        raise TypeError(
            f"{operation}: wanted an array or a Variable as input, got {type(input).__name__}; "
            f"write np.array(input)"
        )
    real(operation, input)
    if input.ndim == 0:
        raise ValueError(
            f"{operation}: wanted an input of shape (C,), (N, C) or (N, C, ...), got a single "
            "number"
        )
    return 0 if input.ndim == 1 else 1


def _class_weight(operation: str, weight: Any, input: Any, axis: int) -> Any:
    if weight is None:
        return None
    weight = raw(weight)
    if not is_foreign(weight):
        weight = beside(np.asarray(weight, dtype=input.dtype), input)
    if weight.shape != (input.shape[axis],):
        raise ValueError(
            f"{operation}: wanted one weight for each of {input.shape[axis]} classes, got shape "
            f"{weight.shape}"
        )
    return weight


def _reshaped(shape: tuple[int, ...], input: Any, target: Any) -> str:
    """Say how targets of another shape become ones of `shape`."""
    if input.dtype.kind in "biu":
        return "; the order is (prediction, target)"
    if target.size == math.prod(shape):
        return f"; write target.reshape({shape})"
    return "; write target.argmax(axis=1) for one-hot rows" if target.shape == input.shape else ""


def _class_targets(
    operation: str, input: Any, target: Any, axis: int, ignore_index: int
) -> tuple[Any, Any]:
    """Return `target` as checked class indices, and which of them count (None: all)."""
    target = constant(target)
    unknown = isinstance(target, Variable) or is_foreign(target)
    shape = input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != shape:
        wanted = f"class indices of shape {shape}"
        raise ValueError(
            f"{operation}: wanted {wanted} for an input of shape {input.shape}, got {target.shape}"
            + _reshaped(shape, input, target)
        )
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"{operation}: wanted integers as class indices, got {target.dtype}; convert them with "
            ".astype(np.int64)"
        )
    if unknown:  # inside vmap, and of other libraries, where nobody looks at the indices
        kept = target != ignore_index
        return np.where(kept, target, 0), kept
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
    return beside(target, input), kept if kept is None else beside(kept, input)


def _coefficients(
    operation: str, target: Any, kept: Any, weight: Any, reduction: str, dtype: Any
) -> tuple[Any, float]:
    """Return what each sample's loss is multiplied with, and what the mean divides by."""
    total: Any = float(target.size)
    unknown = isinstance(raw(target), Many) or is_foreign(raw(target))
    if weight is not None:
        coefficient = autograd.take(weight, target)
        coefficient = coefficient if kept is None else coefficient * kept
        total = coefficient.sum()
    elif kept is not None:
        coefficient = kept.astype(dtype)
        total = coefficient.sum()
    else:
        coefficient = 1.0
    if reduction == "mean":
        if not unknown and total == 0:
            raise ValueError(
                f"{operation}: wanted at least one target that counts for a mean, got none (all "
                "are ignore_index, have weight "
                f"0, or the batch is empty); skip this batch, or use reduction='sum'"
            )
        coefficient = coefficient / total
    return coefficient, total if unknown else float(total)


def _counted(
    operation: str,
    input: Any,
    target: Any,
    axis: int,
    ignore_index: int,
    weight: Any,
    reduction: str,
) -> tuple[Any, Any, Any, Any]:
    """Return `_class_targets` and `_coefficients`; while a program is traced, as arrays whose
    shapes do not depend on the targets.
    """
    if isinstance(target, Variable) and current_mode().tracing:
        given = operation, input, target, axis, ignore_index, weight, reduction
        (target, coefficient), (kept, total) = _counted_anew(*given), _kept_anew(*given)
        return target, kept, coefficient, total
    target, kept = _class_targets(operation, input, target, axis, ignore_index)
    return target, kept, *_coefficients(operation, target, kept, weight, reduction, input.dtype)


@plain
def _counted_anew(
    operation: str,
    input: Any,
    target: Any,
    axis: int,
    ignore_index: int,
    weight: Any,
    reduction: str,
) -> tuple[Any, ...]:
    given = operation, input, target, axis, ignore_index, weight, reduction
    target, _, coefficient, _ = _counted(*given)
    return target, np.full(target.shape, coefficient, input.dtype)


@plain
def _kept_anew(
    operation: str,
    input: Any,
    target: Any,
    axis: int,
    ignore_index: int,
    weight: Any,
    reduction: str,
) -> tuple[Any, ...]:
    given = operation, input, target, axis, ignore_index, weight, reduction
    target, kept, _, total = _counted(*given)
    kept = np.ones(target.shape, bool) if kept is None else kept
    return kept, np.asarray(total, input.dtype)


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
    target, _, coefficient, _ = _counted(
        "nll_loss", input, target, axis, ignore_index, weight, reduction
    )
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
        ignore_index: a class index that does not count; for class indices only.
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
        if ignore_index >= 0 and target.dtype.kind == "f":
            raise ValueError(
                "cross_entropy: wanted class indices as targets for an ignore_index, got "
                f"probabilities and ignore_index={ignore_index}; give the class a weight of 0"
            )
        return _soft_cross_entropy(input, target, weight, axis, reduction, label_smoothing)
    target, kept, coefficient, total = _counted(
        "cross_entropy", input, target, axis, ignore_index, weight, reduction
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
    return reduced(loss, reduction)


def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
) -> Any:
    """Return the `cross_entropy` of the logits input @ linear_weight.T + linear_bias.

    Args:
        input: shape (in_features,) or (N, in_features).
        linear_weight: shape (C, ..., in_features).
        target: classes or class probabilities for logits of shape (C, ...) or (N, C, ...).
        linear_bias: shape (C, ...), or None.
        weight: one weight per class, shape (C,).
        reduction: "mean", "sum" or "none".
        ignore_index: a class index that does not count, by default -100.
        label_smoothing: part of each target that is spread evenly over all classes.

    Raises:
        TypeError: as `cross_entropy`.
        ValueError: where shapes do not fit.
    """
    shape = linear_weight.shape
    bias = None if linear_bias is None else linear_bias.reshape((-1,))
    logits = linear(input, linear_weight.reshape((-1, shape[-1])), bias)
    return cross_entropy(
        logits.reshape((*input.shape[:-1], *shape[:-1])),
        target,
        weight,
        -100 if ignore_index is None else ignore_index,
        reduction,
        label_smoothing,
    )
