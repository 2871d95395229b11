"""Dropout layers. Each holds a probability; `nn.functional` computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nn import functional
from nn._random import RandomModule
from nn.functional._dropout import check_probability

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class Dropout(RandomModule):
    """Set elements to 0 at random in training and divide the others by 1 - p; else do nothing.

    Args:
        p: probability of a zero.
        inplace: accepted for PyTorch's sake; nothing is ever changed in place.
        generator: a seed or np.random.Generator; None derives a stream of its own from
            `autograd.manual_seed`.

    Raises:
        ValueError: where `p` is not from 0 to 1.

    References:
        N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting,
        JMLR 15 (2014), section 4.

    Example:
        >>> import numpy as np, nn
        >>> nn.Dropout(0.5).eval()(np.ones(3))
        array([1., 1., 1.])
    """

    _function: ClassVar[Callable[..., Any]] = staticmethod(functional.dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False, *, generator: Any = None) -> None:
        super().__init__(generator)
        check_probability(type(self).__name__, p)
        self.p = p
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Return `input` with zeros at random in training, `input` itself in evaluation."""
        return self._function(input, self.p, self.training, generator=self.generator)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}"


class Dropout1d(Dropout):
    """Dropout of whole channels, for inputs of shape (N, C, L) or (C, L)."""

    _function = staticmethod(functional.dropout1d)


class Dropout2d(Dropout):
    """Dropout of whole channels, for inputs of shape (N, C, H, W) or (C, H, W)."""

    _function = staticmethod(functional.dropout2d)


class Dropout3d(Dropout):
    """Dropout of whole channels, for inputs of shape (N, C, D, H, W) or (C, D, H, W)."""

    _function = staticmethod(functional.dropout3d)


class AlphaDropout(Dropout):
    """Dropout that keeps mean 0 and variance 1, for networks with `SELU`.

    In training, elements are set to the least value of selu with probability `p`, and all are
    scaled and shifted.

    Args:
        p: probability that an element is set.
        inplace: accepted for PyTorch's sake; nothing is ever changed in place.
        generator: a seed or np.random.Generator; None derives a stream of its own from
            `autograd.manual_seed`.

    Raises:
        ValueError: where `p` is not from 0 to 1.

    References:
        G. Klambauer et al., Self-normalizing neural networks, NeurIPS 2017,
        https://arxiv.org/abs/1706.02515, section "New dropout technique".
    """

    _function = staticmethod(functional.alpha_dropout)


class FeatureAlphaDropout(Dropout):
    """`AlphaDropout` of whole channels, for inputs of shape (N, C, ...)."""

    _function = staticmethod(functional.feature_alpha_dropout)
