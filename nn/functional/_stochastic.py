"""Activations that draw random numbers. Imports `autograd` only."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd.ops._shared import beside
from autograd.ops.effects import draw
from nn.functional._activation import leaky_relu
from nn.functional._names import dim_is_axis
from nn.functional._numbers import real
from nn.functional._softmax import softmax

__all__ = ["gumbel_softmax", "rrelu"]


def rrelu(
    input: Any,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,  # noqa: ARG001 - see the docstring
    *,
    generator: Any = None,
) -> Any:
    """Return the input where it is positive, a random slope times it elsewhere.

    Args:
        input: numbers of any shape.
        lower: the least slope.
        upper: the largest slope.
        training: False takes the mean of both as the slope.
        inplace: accepted for PyTorch's sake; nothing is ever changed in place.
        generator: a seed or np.random.Generator; None derives a stream from `autograd.manual_seed`.

    Raises:
        ValueError: where `lower` is above `upper`.

    References:
        B. Xu et al., Empirical evaluation of rectified activations in convolutional network, 2015,
        https://arxiv.org/abs/1505.00853.
    """
    if lower > upper:
        raise ValueError(f"rrelu: wanted lower of at most upper, got {lower} and {upper}")
    real("rrelu", input)
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    slopes = draw(generator, "uniform", lower, upper, input.shape).astype(input.dtype)
    slopes = beside(slopes, input)
    return autograd.where(input > 0, input, input * slopes)


@dim_is_axis
def gumbel_softmax(
    logits: Any,
    tau: float = 1.0,
    hard: bool = False,
    eps: float = 1e-10,  # noqa: ARG001 - see the docstring
    axis: int = -1,
    *,
    generator: Any = None,
) -> Any:
    """Draw from the distribution softmax(logits), in a way that has a gradient.

    The result is softmax((logits + noise) / tau), whose largest entry is distributed as softmax
    says.

    Args:
        logits: numbers of any shape.
        tau: temperature: the lower, the nearer to a one-hot vector.
        hard: return that one-hot vector, with the gradient of the soft one.
        eps: accepted for PyTorch's sake; it has no effect.
        axis: the axis of the classes; `dim` is taken for it.
        generator: a seed or np.random.Generator; None derives a stream from `autograd.manual_seed`.

    Raises:
        ValueError: where `tau` is not positive.

    References:
        E. Jang, S. Gu, B. Poole, Categorical reparameterization with Gumbel-softmax, ICLR 2017,
        https://arxiv.org/abs/1611.01144.
    """
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: wanted a positive tau, got {tau}")
    noise = draw(generator, "gumbel", size=logits.shape).astype(logits.dtype)
    noise = beside(noise, logits)
    soft = softmax((logits + noise) / tau, axis)
    if not hard:
        return soft
    fixed = soft.detach() if isinstance(soft, autograd.Variable) else soft
    following = soft.ndim - 1 - axis % soft.ndim
    classes = np.arange(soft.shape[axis]).reshape((-1,) + (1,) * following)
    one_hot = np.expand_dims(np.argmax(fixed, axis=axis), axis) == classes
    return (one_hot - fixed) + soft
