"""Loss layers that are 0 beyond a margin, and their smooth kin; `nn.functional` computes.

A call hands its inputs to the function of the same name there, which states shapes, formulas and
errors. Class weights are buffers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nn import functional
from nn._loss import Loss

__all__ = [
    "CosineEmbeddingLoss",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class _Configured(Loss):
    """A function of `nn.functional` with its arguments as attributes."""

    _function: ClassVar[Callable[..., Any]]
    _arguments: ClassVar[tuple[str, ...]] = ()

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Return the loss of the inputs, as the function of this name in `nn.functional` does."""
        arguments = {name: getattr(self, name) for name in (*self._arguments, "reduction")}
        return self._function(*inputs, **named, **arguments)

    def extra_repr(self) -> str:
        """Return the arguments, but arrays."""
        names = [n for n in self._arguments if n not in self._buffers]
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in (*names, "reduction"))


class MarginRankingLoss(_Configured):
    """max(0, margin - target (input1 - input2)): the larger of two scores, by a margin.

    Args:
        margin: by how much one shall be the larger.
        reduction: "mean", "sum" or "none".

    Shape:
        input1, input2 and target (1 or -1) of any one shape.

    Example:
        >>> import numpy as np, nn
        >>> nn.MarginRankingLoss(1.0)(np.array([0.5]), np.array([0.0]), [1])
        np.float64(0.5)
    """

    _function = staticmethod(functional.margin_ranking_loss)
    _arguments = ("margin",)

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin


class HingeEmbeddingLoss(_Configured):
    """A distance where the target is 1, max(0, margin - distance) where it is -1.

    Args:
        margin: how far apart pairs with the target -1 shall be.
        reduction: "mean", "sum" or "none".
    """

    _function = staticmethod(functional.hinge_embedding_loss)
    _arguments = ("margin",)

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin


class CosineEmbeddingLoss(_Configured):
    """1 - c where the target is 1, max(0, c - margin) where it is -1; c the cosine of two vectors.

    Args:
        margin: cosines below it are good enough for pairs with the target -1.
        reduction: "mean", "sum" or "none".
    """

    _function = staticmethod(functional.cosine_embedding_loss)
    _arguments = ("margin",)

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin


class TripletMarginLoss(_Configured):
    """max(0, margin + |anchor - positive| - |anchor - negative|).

    Args:
        margin: by how much the negative shall be farther away, positive.
        p: the order of the norm.
        eps: added to the differences, so that no norm is 0.
        swap: take the distance of the negative to the positive where that is smaller.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the margin is not positive.
    """

    _function = staticmethod(functional.triplet_margin_loss)
    _arguments = ("margin", "p", "eps", "swap")

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        _check_margin("TripletMarginLoss", margin)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap


class TripletMarginWithDistanceLoss(_Configured):
    """max(0, margin + d(anchor, positive) - d(anchor, negative)) with a distance d of your own.

    Args:
        distance_function: of two inputs; by default the Euclidean distance along the last axis.
        margin: by how much the negative shall be farther away, positive.
        swap: take the distance of the negative to the positive where that is smaller.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the margin is not positive.
    """

    _function = staticmethod(functional.triplet_margin_with_distance_loss)
    _arguments = ("distance_function", "margin", "swap")

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        _check_margin("TripletMarginWithDistanceLoss", margin)
        self.distance_function = distance_function
        self.margin = margin
        self.swap = swap


def _check_margin(layer: str, margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"{layer}: wanted a positive margin, got {margin}")


class SoftMarginLoss(_Configured):
    """log(1 + exp(-target input)), for targets 1 and -1.

    Args:
        reduction: "mean", "sum" or "none".
    """

    _function = staticmethod(functional.soft_margin_loss)


class MultiMarginLoss(_Configured):
    """The mean over other classes i of max(0, margin - input[target] + input[i])^p.

    Args:
        p: 1 or 2.
        margin: by how much the target's score shall be the largest.
        weight: one weight per class.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where `p` is neither 1 nor 2.

    Shape:
        input (N, C) or (C,); target: class indices without the C axis.
    """

    _function = staticmethod(functional.multi_margin_loss)
    _arguments = ("p", "margin", "weight")

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: wanted p = 1 or 2, got {p}")
        self.p = p
        self.margin = margin
        self.register_buffer("weight", weight)


class MultiLabelMarginLoss(_Configured):
    """The sum over targets t and other classes i of max(0, 1 - input[t] + input[i]) / C.

    Args:
        reduction: "mean", "sum" or "none".

    Shape:
        input (N, C) or (C,); target of the same shape: class indices, which a -1 ends.
    """

    _function = staticmethod(functional.multilabel_margin_loss)


class MultiLabelSoftMarginLoss(_Configured):
    """The binary cross entropy of sigmoid(input), averaged over the classes.

    Args:
        weight: one weight per class.
        reduction: "mean", "sum" or "none".

    Shape:
        input (..., C); target of the same shape, 1 where a sample belongs to a class.
    """

    _function = staticmethod(functional.multilabel_soft_margin_loss)
    _arguments = ("weight",)

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
