"""Adaptive softmax: rare classes are looked at only where their cluster is meant."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Variable, new_generator
from nn import functional
from nn._containers import ModuleList, Sequential
from nn._linear import Linear
from nn._module import Module
from nn.functional._numbers import constant, raw, within

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _Result(NamedTuple):
    """What `AdaptiveLogSoftmaxWithLoss` returns.

    Attributes:
        output: log-probability of the target of each sample.
        loss: minus their mean.
    """

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of very many classes, the frequent ones first, at the cost of few.

    The head decides between the most frequent classes and clusters of the others; each cluster has
    a smaller projection of its own.

    Args:
        in_features: number of features.
        n_classes: number of classes, ordered by falling frequency.
        cutoffs: where clusters begin: classes below the first are in the head.
        div_value: cluster i (from 1) has in_features / div_value^i features.
        head_bias: whether the head has a bias.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for the initial values.

    Attributes:
        head: a Linear from features to frequent classes and clusters.
        tail: a projection and a Linear for each cluster.

    Raises:
        ValueError: where the cutoffs are not increasing, positive and below `n_classes`.

    Shape:
        input (N, in_features) or (in_features,), target (N,) or () -> output (N,) or (), loss ()

    References:
        E. Grave et al., Efficient softmax approximation for GPUs, ICML 2017,
        https://arxiv.org/abs/1609.04309.

    Example:
        >>> import numpy as np, nn
        >>> layer = nn.AdaptiveLogSoftmaxWithLoss(8, 100, [10, 30])
        >>> layer.log_prob(np.ones((5, 8), np.float32)).shape
        (5, 100)
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        limits = [*map(int, cutoffs), n_classes]
        if len(limits) == 1 or limits[0] < 1 or (np.diff(limits) < 1).any():
            raise ValueError(
                "AdaptiveLogSoftmaxWithLoss: wanted increasing cutoffs from 1 to "
                f"{n_classes - 1}, below n_classes, got {list(cutoffs)}"
            )
        generator = new_generator(generator)
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = limits
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = limits[0]
        self.n_clusters = len(limits) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, dtype=dtype, generator=generator)
        self.tail = ModuleList()
        for i, (start, stop) in enumerate(itertools.pairwise(limits)):
            width = int(in_features // div_value ** (i + 1))
            inner = Linear(in_features, width, False, dtype=dtype, generator=generator)
            outer = Linear(width, stop - start, False, dtype=dtype, generator=generator)
            self.tail.append(Sequential(inner, outer))

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw new weights."""
        generator = new_generator(generator)
        for module in self.modules():
            if isinstance(module, Linear):
                module.reset_parameters(generator)

    def forward(self, input: Any, target: Any) -> _Result:
        """Return the log-probabilities of the targets, and the mean loss.

        Raises:
            TypeError: for targets that are no integers.
            ValueError: where shapes do not fit or a target is out of range.
        """
        target = self._checked(input, target)
        if not target.ndim:
            output, loss = self(input[None], target[None])
            return _Result(output[0], loss)
        cluster = np.searchsorted(self.cutoffs, target, side="right")  # 0: in the head
        in_head = np.where(cluster == 0, target, self.shortlist_size + cluster - 1)
        shares = functional.log_softmax(self.head(input), axis=1)
        output = shares[np.arange(len(target)), in_head]
        for i, tail in enumerate(self.tail):
            if isinstance(target, Variable):  # inside vmap: all tails for all samples
                within_ = functional.log_softmax(tail(input), axis=1)
                place = np.clip(target - self.cutoffs[i], 0, within_.shape[1] - 1)
                chosen = within_[np.arange(len(target)), place]
                output = output + np.where(cluster == i + 1, chosen, 0.0)
                continue
            rows = np.flatnonzero(cluster == i + 1)
            if rows.size:
                within = functional.log_softmax(tail(input[rows]), axis=1)
                chosen = within[np.arange(rows.size), target[rows] - self.cutoffs[i]]
                output = autograd.add_at(output, rows, chosen)
        return _Result(output, -output.mean())

    def log_prob(self, input: Any) -> Any:
        """Return the log-probabilities (N, n_classes) of all classes."""
        shares = functional.log_softmax(self.head(input), axis=1)
        parts = [shares[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            own = self.shortlist_size + i
            parts.append(shares[:, own : own + 1] + functional.log_softmax(tail(input), axis=1))
        return np.concatenate(parts, axis=1)

    def predict(self, input: Any) -> Any:
        """Return the most probable class of each sample, as an array of shape (N,)."""
        return raw(self.log_prob(input)).argmax(axis=1)

    def _checked(self, input: Any, target: Any) -> Any:
        name = "AdaptiveLogSoftmaxWithLoss"
        target = constant(target)
        if input.shape != (*target.shape, self.in_features) or target.ndim > 1:
            raise ValueError(
                f"{name}: wanted an input of shape (N, {self.in_features}) and a target of shape "
                f"(N,), or both without N, got {input.shape} and {target.shape}"
            )
        if target.dtype.kind not in "iu":
            raise TypeError(f"{name}: wanted integers as targets, got {target.dtype}")
        most = self.n_classes - 1
        return within(target, f"{name}: wanted targets from 0 to {most}", 0, most)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.in_features}, {self.n_classes}, cutoffs={self.cutoffs[:-1]}"
