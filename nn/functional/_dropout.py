"""Dropout: zeros at random, in training. Imports `autograd`, `_selection`, `_windows`."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.extend import primitive
from autograd.ops._shared import beside
from autograd.ops.effects import draw
from nn.functional._selection import selected
from nn.functional._windows import over_axes

__all__ = [
    "alpha_dropout",
    "check_probability",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
    "masked",
]

# The least value of selu, -scale alpha.
_LEAST = -1.7580993408473766


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Any:
    """Set elements to 0 with probability `p` and divide the others by 1 - p, which keeps the mean.

    Args:
        input: any shape.
        p: probability of a zero, from 0 to 1.
        training: False returns `input` itself.
        inplace: accepted for PyTorch's sake; nothing is ever changed in place.
        generator: a seed or np.random.Generator; None derives a stream from `autograd.manual_seed`.

    Raises:
        ValueError: where `p` is not a probability.

    References:
        N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting,
        JMLR 15 (2014), section 4.

    Example:
        >>> import numpy as np, nn
        >>> sorted(set(nn.functional.dropout(np.ones(99), p=0.5, generator=0).tolist()))
        [0.0, 2.0]
    """
    del inplace
    check_probability("dropout", p)
    return _dropped(input, input.shape, p, generator) if training and p > 0 else input


def _channel_dropout(
    n: int,
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Any:
    """Set whole channels to 0 with probability `p`, as `dropout` does with elements.

    Args:
        input: shape (N, C, *size) or (C, *size).
        p: probability of a zero channel, from 0 to 1.
        training: False returns `input` itself.
        inplace: accepted for PyTorch's sake; nothing is ever changed in place.
        generator: a seed or np.random.Generator; None derives a stream from `autograd.manual_seed`.

    Raises:
        ValueError: where `input` has another number of axes, or `p` is not a probability.
    """
    del inplace
    check_probability(f"dropout{n}d", p)
    if input.ndim not in (n + 1, n + 2):
        raise ValueError(
            f"dropout{n}d: wanted an input with a channel axis and {n} more, with or without a "
            f"batch axis before them, got shape {input.shape}"
        )
    if not training or p == 0:
        return input
    return _dropped(input, (*input.shape[:-n], *(1,) * n), p, generator)


dropout1d, dropout2d, dropout3d = over_axes("dropout", _channel_dropout)


def alpha_dropout(
    input: Any,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Any:
    """Set elements to the least value of selu with probability `p`; keep mean 0 and variance 1.

    Args:
        input: any shape, of mean 0 and variance 1.
        p: probability that an element is set, from 0 to 1.
        training: False returns `input` itself.
        inplace: accepted for PyTorch's sake; nothing is ever changed in place.
        generator: a seed or np.random.Generator; None derives a stream from `autograd.manual_seed`.

    Raises:
        ValueError: where `p` is not a probability.

    References:
        G. Klambauer et al., Self-normalizing neural networks, NeurIPS 2017,
        https://arxiv.org/abs/1706.02515, section "New dropout technique".
    """
    del inplace
    check_probability("alpha_dropout", p)
    return _shrunk(input, input.shape, p, generator) if training and p > 0 else input


def feature_alpha_dropout(
    input: Any,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Any:
    """Set whole channels to the least value of selu, as `alpha_dropout` does with elements.

    Args:
        input: shape (N, C, ...), of mean 0 and variance 1.
        p: probability that a channel of a sample is set, from 0 to 1.
        training: False returns `input` itself.
        inplace: accepted for PyTorch's sake; nothing is ever changed in place.
        generator: a seed or np.random.Generator; None derives a stream from `autograd.manual_seed`.

    Raises:
        ValueError: where `p` is not a probability, or `input` has no channels.
    """
    del inplace
    check_probability("feature_alpha_dropout", p)
    if input.ndim < 2:
        raise ValueError(
            f"feature_alpha_dropout: wanted an input of shape (N, C, ...), got {input.shape}"
        )
    if not training or p == 0:
        return input
    return _shrunk(input, (*input.shape[:2], *(1,) * (input.ndim - 2)), p, generator)


def check_probability(operation: str, p: float) -> None:
    """Refuse what is not a probability."""
    if not isinstance(p, int | float | np.number):
        raise TypeError(f"{operation}: wanted a probability p, got {type(p).__name__} {p!r:.40}")
    if not 0 <= p <= 1:
        raise ValueError(f"{operation}: wanted a probability p from 0 to 1, got {p}")


def _kept(x: Any, shape: tuple[int, ...], p: float, generator: Any) -> Any:
    # float32 draws are multiples of 2^-24, and never 1: p = 1 drops everything.
    kept = draw(generator, "random", shape, dtype=np.float32) >= p
    return beside(np.asarray(kept) if isinstance(kept, np.bool_) else kept, x)


def _dropped(input: Any, shape: tuple[int, ...], p: float, generator: Any) -> Any:
    return masked(input, _kept(input, shape, p, generator), 1.0 / (1.0 - p) if p < 1 else 0.0)


def _shrunk(input: Any, shape: tuple[int, ...], p: float, generator: Any) -> Any:
    """Return scale x + shift, with the least value of selu for x where it is dropped."""
    kept = _kept(input, shape, p, generator)
    if p == 1:
        return masked(input, kept, 0.0)  # as PyTorch: the formula would divide by 0
    scale = ((1 - p) * (1 + p * _LEAST * _LEAST)) ** -0.5
    rest = (1 - p) * scale * _LEAST  # scale least + shift, with shift = - scale p least
    return masked(input, kept, scale) + np.where(kept, rest - scale * _LEAST, rest).astype(
        input.dtype
    )


@primitive(
    x=lambda g, kept, scale: masked(g, kept, scale),
    nondiff=("kept",),
    linear=True,
    makes_zeros=True,
    name="dropout",
)
def masked(x: Any, kept: Any, scale: float) -> Any:
    """Return x scale where `kept`, 0 elsewhere; saves one byte per element."""
    return selected(x * scale, kept)
