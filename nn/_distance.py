"""Distances and similarities as layers; `nn.functional` computes."""

from __future__ import annotations

from typing import Any

from nn import functional
from nn._module import Module
from nn.functional._names import dim_is_axis

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Module):
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) of the vectors along an axis.

    Args:
        axis: the axis of the vectors (`dim` in PyTorch, which is accepted).
        eps: the least norm that is divided by.

    Shape:
        (..., n, ...), (..., n, ...) -> (..., ...)
    """

    @dim_is_axis
    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.axis = axis
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """Return the similarities of `x1` and `x2`."""
        return functional.cosine_similarity(x1, x2, self.axis, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"axis={self.axis}, eps={self.eps}"


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps along the last axis.

    Args:
        p: order of the norm.
        eps: added to each difference, so that none is zero.
        keepdims: keep the last axis, with length 1 (`keepdim` in PyTorch, which is accepted).

    Shape:
        (..., n), (..., n) -> (...) or (..., 1)
    """

    @dim_is_axis
    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> None:
        super().__init__()
        self.p = p
        self.eps = eps
        self.keepdims = keepdims

    def forward(self, x1: Any, x2: Any) -> Any:
        """Return the distances of `x1` and `x2`."""
        return functional.pairwise_distance(x1, x2, self.p, self.eps, self.keepdims)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"p={self.p}, eps={self.eps}, keepdims={self.keepdims}"
