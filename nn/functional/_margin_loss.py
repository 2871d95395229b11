"""Losses that are 0 beyond a margin, and their smooth kin. Imports `_loss` and `autograd`.

At the margin itself the gradient is PyTorch's, which is one-sided in some losses and the other side
in others: `_hinge` has the slope 1 at 0, `relu` the slope 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd.engine.calls import holds
from nn.functional._activation import logsigmoid, relu, softplus
from nn.functional._loss import check_reduction, reduced
from nn.functional._numbers import constant, raw, real, within

__all__ = [
    "alike",
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def alike(operation: str, **operands: Any) -> list[Any]:
    """Return operands as arrays or Variables of one shape; numbers take the first one's dtype.

    Raises:
        ValueError: where a shape is another than that of the first.
    """
    name, first = next(iter(operands.items()))
    if not hasattr(first, "dtype"):
        first = np.asarray(first)
    found = [real(operation, first)]
    for other, value in list(operands.items())[1:]:
        if not hasattr(value, "dtype") or value.dtype.kind in "biu":
            value = constant(value).astype(first.dtype)
        if value.shape != first.shape:
            raise ValueError(
                f"{operation}: wanted {other} of the shape of {name} {first.shape}, got "
                f"{value.shape}"
            )
        found.append(real(operation, value))
    return found


def _signs(operation: str, target: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return targets that are 1 or -1."""
    target = constant(target)
    if target.shape != shape:
        raise ValueError(f"{operation}: wanted a target of shape {shape}, got {target.shape}")
    if not holds(np.isin(target, (-1, 1)).all(), traced=True):
        raise ValueError(
            f"{operation}: wanted targets 1 or -1, got {target.flat[0]}; write 2 * target - 1 for "
            "targets 1 or 0"
            if np.isin(target, (0, 1)).all()
            else f"{operation}: wanted targets 1 or -1, got {np.unique(target).tolist()[:5]}"
        )
    return target.astype(dtype)


def _hinge(x: Any) -> Any:
    return np.clip(x, 0.0, None)


# -- of pairs and triplets -------------------------------------------------------------------------


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """Return max(0, margin - target (input1 - input2)): the first shall be larger, or smaller.

    Args:
        input1: numbers of any shape.
        input2: numbers of the same shape.
        target: 1 where `input1` shall be the larger one, -1 where it shall be the smaller one.
        margin: by how much.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the shapes differ or a target is neither 1 nor -1.
    """
    name = "margin_ranking_loss"
    check_reduction(name, reduction)
    input1, input2 = alike(name, input1=input1, input2=input2)
    signs = _signs(name, target, input1.shape, input1.dtype)
    return reduced(_hinge(margin - signs * (input1 - input2)), reduction)


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """Return a distance where the target is 1, and max(0, margin - distance) where it is -1.

    Args:
        input: distances of any shape.
        target: 1 for pairs that are alike, -1 for others; of the same shape.
        margin: how far apart others shall be.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the shapes differ or a target is neither 1 nor -1.
    """
    name = "hinge_embedding_loss"
    check_reduction(name, reduction)
    (input,) = alike(name, input=input)
    signs = _signs(name, target, input.shape, input.dtype)
    return reduced(autograd.where(signs > 0, input, _hinge(margin - input)), reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """Return 1 - c where the target is 1, and max(0, c - margin) where it is -1, c the cosine.

    Args:
        input1: vectors of shape (N, E) or (E,).
        input2: vectors of the same shape.
        target: 1 for pairs that are alike, -1 for others; shape (N,) or ().
        margin: cosines below it are good enough for others.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where shapes do not fit or a target is neither 1 nor -1.
    """
    name = "cosine_embedding_loss"
    check_reduction(name, reduction)
    x, y = alike(name, input1=input1, input2=input2)
    if x.ndim not in (1, 2):
        raise ValueError(f"{name}: wanted inputs of shape (N, E) or (E,), got {x.shape}")
    signs = _signs(name, target, x.shape[:-1], x.dtype)
    # As PyTorch, so that the cosine with a vector of zeros is 0.
    squares = ((x * x).sum(axis=-1) + 1e-12) * ((y * y).sum(axis=-1) + 1e-12)
    cosine = (x * y).sum(axis=-1) / np.sqrt(squares)
    return reduced(autograd.where(signs > 0, 1.0 - cosine, _hinge(cosine - margin)), reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """Return max(0, margin + |anchor - positive| - |anchor - negative|).

    Args:
        anchor: vectors of shape (N, E) or (E,).
        positive: vectors that shall be near, of the same shape.
        negative: vectors that shall be farther away by the margin, of the same shape.
        margin: by how much, positive.
        p: the order of the norm.
        eps: added to the differences, so that no norm is 0.
        swap: take the distance of the negative to the positive where that is smaller.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the shapes differ or the margin is not positive.

    References:
        V. Balntas et al., Learning local feature descriptors with triplets and shallow
        convolutional neural networks, BMVC 2016 (`swap`).
    """
    anchor, positive, negative = alike(
        "triplet_margin_loss", anchor=anchor, positive=positive, negative=negative
    )

    def distance(x: Any, y: Any) -> Any:
        return np.linalg.norm(x - y + eps, p, axis=-1)

    return _triplet(
        "triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction
    )


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """Return max(0, margin + d(anchor, positive) - d(anchor, negative)) with a distance d.

    Args:
        anchor: what `distance_function` takes.
        positive: what shall be near.
        negative: what shall be farther away by the margin.
        distance_function: of two inputs; by default the Euclidean distance along the last axis.
        margin: by how much, positive.
        swap: take the distance of the negative to the positive where that is smaller.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the margin is not positive.
    """
    if distance_function is None:
        return triplet_margin_loss(anchor, positive, negative, margin, 2.0, 1e-6, swap, reduction)
    name = "triplet_margin_with_distance_loss"
    return _triplet(name, anchor, positive, negative, distance_function, margin, swap, reduction)


def _triplet(
    name: str,
    anchor: Any,
    positive: Any,
    negative: Any,
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    check_reduction(name, reduction)
    if margin <= 0:
        raise ValueError(f"{name}: wanted a positive margin, got {margin}")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = np.minimum(far, distance(positive, negative))
    return reduced(_hinge(margin + near - far), reduction)


# -- of scores -------------------------------------------------------------------------------------


def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Return log(1 + exp(-target input)).

    Args:
        input: scores of any shape.
        target: 1 or -1, of the same shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the shapes differ.
    """
    check_reduction("soft_margin_loss", reduction)
    input, target = alike("soft_margin_loss", input=input, target=target)
    return reduced(softplus(-target * input, threshold=math.inf), reduction)


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return the mean over classes of the binary cross entropy of sigmoid(input).

    Args:
        input: scores of shape (..., C).
        target: 1 where a sample belongs to a class, else 0; of the same shape.
        weight: one weight per class, shape (C,).
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where shapes do not fit.
    """
    name = "multilabel_soft_margin_loss"
    check_reduction(name, reduction)
    input, target = alike(name, input=input, target=target)
    loss = -(target * logsigmoid(input) + (1.0 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * _class_weight(name, weight, input)
    return reduced(loss.mean(axis=-1), reduction)


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Return the mean over other classes i of max(0, margin - input[target] + input[i])^p.

    Args:
        input: scores of shape (N, C) or (C,).
        target: class indices of shape (N,) or ().
        p: 1 or 2.
        margin: by how much the target's score shall be the largest.
        weight: one weight per class, shape (C,), which multiplies the loss of that target.
        reduction: "mean", "sum" or "none".

    Raises:
        TypeError: for targets that are no integers.
        ValueError: where shapes do not fit, an index is out of range, or `p` is neither 1 nor 2.
    """
    name = "multi_margin_loss"
    check_reduction(name, reduction)
    if p not in (1, 2):
        raise ValueError(f"{name}: wanted p = 1 or 2, got {p}")
    input = _scores(name, input)
    classes = input.shape[-1]
    target = _indices(name, target, input.shape[:-1], 0, classes)
    wanted = target[..., None] == np.arange(classes)
    distance = relu(margin - autograd.where(wanted, input, 0.0).sum(axis=-1, keepdims=True) + input)
    loss = autograd.where(wanted, 0.0, distance if p == 1 else distance * distance)
    if weight is not None:
        loss = loss * autograd.take(_class_weight(name, weight, input), target)[..., None]
    return reduced(loss.mean(axis=-1), reduction)


def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the sum over targets t and other classes i of max(0, 1 - input[t] + input[i]) / C.

    Args:
        input: scores of shape (N, C) or (C,).
        target: class indices of the same shape; the first -1 in a row ends its targets.
        reduction: "mean", "sum" or "none".

    Raises:
        TypeError: for targets that are no integers.
        ValueError: where the shapes differ or an index is out of range.
    """
    name = "multilabel_margin_loss"
    check_reduction(name, reduction)
    input = _scores(name, input)
    classes = input.shape[-1]
    target = _indices(name, target, input.shape, -1, classes)
    counts = np.cumprod(target >= 0, axis=-1).astype(bool)
    if type(counts) is np.ndarray:  # few targets of many classes: N x C x C numbers take seconds
        most = int(counts.sum(axis=-1).max(initial=1))
        target, counts = target[..., :most], counts[..., :most]
    target = np.where(counts, target, 0)
    is_target = ((target[..., None] == np.arange(classes)) & counts[..., None]).any(axis=-2)
    chosen = np.take_along_axis(input, target, -1)
    distance = relu(1.0 - chosen[..., :, None] + input[..., None, :])  # (N, targets, C)
    loss = autograd.where(counts[..., :, None] & ~is_target[..., None, :], distance, 0.0)
    return reduced(loss.sum(axis=(-2, -1)) / classes, reduction)


def _scores(operation: str, input: Any) -> Any:
    (input,) = alike(operation, input=input)
    if input.ndim not in (1, 2) or not input.shape[-1]:
        raise ValueError(f"{operation}: wanted scores of shape (N, C) or (C,), got {input.shape}")
    return input


def _indices(operation: str, target: Any, shape: tuple[int, ...], least: int, classes: int) -> Any:
    target = constant(target)
    if target.shape != shape:
        raise ValueError(f"{operation}: wanted class indices of shape {shape}, got {target.shape}")
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"{operation}: wanted integers as class indices, got {target.dtype}; convert them with "
            ".astype(np.int64)"
        )
    wanted = f"{operation}: wanted class indices from {least} to {classes - 1}"
    return within(target, wanted, least, classes - 1)


def _class_weight(operation: str, weight: Any, input: Any) -> Any:
    weight = np.asarray(raw(weight), dtype=input.dtype)
    if weight.shape != input.shape[-1:]:
        raise ValueError(
            f"{operation}: wanted one weight for each of {input.shape[-1]} classes, got shape "
            f"{weight.shape}"
        )
    return weight
