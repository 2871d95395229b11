"""Batch normalisation folded into the layer before it, for evaluation. Imports `_parameter`."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import numpy as np

from autograd import Variable
from nn._module import Module
from nn._parameter import Parameter
from nn._state import plain

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]

M = TypeVar("M", bound=Module)


def fuse_conv_bn_weights(
    conv_w: Any,
    conv_b: Any,
    bn_rm: Any,
    bn_rv: Any,
    bn_eps: float,
    bn_w: Any,
    bn_b: Any,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Return the weight and bias of a convolution that does what a batch norm after it adds.

    Args:
        conv_w: weight, with the output channels along its first axis.
        conv_b: bias (C,), or None.
        bn_rm: running mean (C,).
        bn_rv: running variance (C,).
        bn_eps: what the batch norm adds to the variance.
        bn_w: scale (C,), or None.
        bn_b: shift (C,), or None.
        transpose: whether the output channels are along the second axis.
    """
    weight, bias, scale, shift = (plain(x) for x in (conv_w, conv_b, bn_w, bn_b))
    factor = 1.0 / np.sqrt(bn_rv + bn_eps)
    if scale is not None:
        factor = factor * scale
    bias = (0.0 if bias is None else bias) - bn_rm
    new_bias = bias * factor + (0.0 if shift is None else shift)
    shape = [1] * weight.ndim
    shape[1 if transpose else 0] = -1
    new_weight = weight * factor.reshape(shape)
    dtype = weight.dtype
    grad = not isinstance(conv_w, Variable) or conv_w.requires_grad
    return Parameter(new_weight.astype(dtype), grad), Parameter(new_bias.astype(dtype), grad)


def fuse_linear_bn_weights(
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Parameter, Parameter]:
    """Return the weight and bias of a linear map that does what a batch norm after it adds."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def fuse_conv_bn_eval(conv: M, bn: Module, transpose: bool = False) -> M:
    """Return a copy of `conv` that does what the batch norm `bn` after it adds in evaluation.

    Args:
        conv: a layer with weight and bias.
        bn: a batch norm with running statistics.
        transpose: whether `conv` is a transposed convolution.

    Raises:
        ValueError: where one of them is in training mode, or `bn` keeps no running statistics.

    Example:
        >>> import numpy as np, nn
        >>> linear, bn = nn.Linear(3, 2).eval(), nn.BatchNorm1d(2).eval()
        >>> x = np.ones((4, 3), np.float32)
        >>> bool(np.allclose(fuse_conv_bn_eval(linear, bn)(x).data, bn(linear(x)).data))
        True
    """
    if conv.training or bn.training:
        raise ValueError("fuse_conv_bn_eval: wanted both in evaluation, got training; call eval()")
    layer, norm = copy.deepcopy(conv), vars(bn)
    if norm.get("running_mean") is None or norm.get("running_var") is None:
        raise ValueError(
            "fuse_conv_bn_eval: wanted a batch norm with running statistics, got one without"
        )
    entries = vars(layer)
    weight, bias = fuse_conv_bn_weights(
        entries["weight"],
        entries["bias"],
        norm["running_mean"],
        norm["running_var"],
        norm["eps"],
        norm["weight"],
        norm["bias"],
        transpose,
    )
    layer.register_parameter("weight", weight)
    layer.register_parameter("bias", bias)
    return layer


def fuse_linear_bn_eval(linear: M, bn: Module) -> M:
    """Return a copy of `linear` that does what the batch norm `bn` after it adds in evaluation."""
    return fuse_conv_bn_eval(linear, bn)
