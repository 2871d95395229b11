"""Dropout: zeros at random, in training. Imports `autograd` only."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import new_generator
from autograd.engine.calls import primitive

__all__ = ["dropout", "dropout1d", "dropout2d", "dropout3d"]


def dropout(x: Any, p: float = 0.5, training: bool = True, rng: Any = None) -> Any:
    """Set elements to 0 with probability `p` and divide the others by 1 - p, which keeps the mean.

    Args:
        x: input of any shape.
        p: probability of a zero, from 0 to 1.
        training: False returns `x` itself.
        rng: a seed or np.random.Generator; None derives a new stream from `autograd.manual_seed`.

    Raises:
        ValueError: where `p` is not a probability.

    References:
        N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting,
        JMLR 15 (2014), section 4.

    Example:
        >>> import numpy as np, nn
        >>> sorted(set(nn.functional.dropout(np.ones(99), p=0.5, rng=0).tolist()))
        [0.0, 2.0]
    """
    check_probability("dropout", p)
    return _dropped(x, x.shape, p, rng) if training and p > 0 else x


def dropout1d(x: Any, p: float = 0.5, training: bool = True, rng: Any = None) -> Any:
    """Set whole channels to 0 with probability `p`, as `dropout` does with elements.

    Args:
        x: shape (N, C, L) or (C, L).
        p: probability of a zero channel, from 0 to 1.
        training: False returns `x` itself.
        rng: a seed or np.random.Generator; None derives a new stream from `autograd.manual_seed`.

    Raises:
        ValueError: where `x` has another number of axes, or `p` is not a probability.
    """
    return _channels("dropout1d", x, p, training, rng, 1)


def dropout2d(x: Any, p: float = 0.5, training: bool = True, rng: Any = None) -> Any:
    """As `dropout1d`, for `x` of shape (N, C, H, W) or (C, H, W)."""
    return _channels("dropout2d", x, p, training, rng, 2)


def dropout3d(x: Any, p: float = 0.5, training: bool = True, rng: Any = None) -> Any:
    """As `dropout1d`, for `x` of shape (N, C, D, H, W) or (C, D, H, W)."""
    return _channels("dropout3d", x, p, training, rng, 3)


def check_probability(operation: str, p: float) -> None:
    """Refuse what is not a probability."""
    if not isinstance(p, int | float | np.number):
        raise TypeError(f"{operation}: wanted a probability p, got {type(p).__name__} {p!r:.40}")
    if not 0 <= p <= 1:
        raise ValueError(f"{operation}: wanted a probability p from 0 to 1, got {p}")


def _channels(operation: str, x: Any, p: float, training: bool, rng: Any, space: int) -> Any:
    check_probability(operation, p)
    if x.ndim not in (space + 1, space + 2):
        raise ValueError(
            f"{operation}: wanted an input with a channel axis and {space} more, with or without a "
            "batch axis before "
            f"them, got shape {x.shape}"
        )
    if not training or p == 0:
        return x
    return _dropped(x, (*x.shape[:-space], *(1,) * space), p, rng)


def _dropped(x: Any, shape: tuple[int, ...], p: float, rng: Any) -> Any:
    draws = new_generator(rng).random(shape, dtype=np.float32)
    # float32 draws are multiples of 2^-24, and never 1: p = 1 drops everything.
    return _masked(x, draws >= p, 1.0 / (1.0 - p) if p < 1 else 0.0)


@primitive(
    x=lambda g, kept, scale: g * kept * scale,
    nondiff=("kept",),
    linear=True,
    name="dropout",
)
def _masked(x: Any, kept: Any, scale: float) -> Any:
    """Return x scale where `kept`, 0 elsewhere; saves one byte per element."""
    return x * kept * scale
