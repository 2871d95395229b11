"""Embedding: a table of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn import functional, init
from nn._module import Module
from nn._parameter import Parameter
from nn._sizes import check_sizes


class Embedding(Module):
    """A table of `num_embeddings` vectors, looked up by integers; entries start from N(0, 1).

    Args:
        num_embeddings: number of vectors.
        embedding_dim: length of each.
        padding_idx: a vector that starts as zeros and gets no gradient; negative counts from the
            end.
        dtype: of the parameters; float32 by default.
        rng: a seed or np.random.Generator for the initial values.

    Attributes:
        weight: Parameter of shape (num_embeddings, embedding_dim).

    Raises:
        ValueError: where `padding_idx` is no row of the table.

    Shape:
        integers of shape (...) -> (..., embedding_dim)

    Example:
        >>> import nn
        >>> nn.Embedding(10, 3)([[1, 2], [4, 0]]).shape
        (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: Any = None,
        rng: Any = None,
    ) -> None:
        super().__init__()
        check_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"Embedding: wanted a padding_idx within {num_embeddings} rows, got {padding_idx}"
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(
            np.empty((num_embeddings, embedding_dim), np.float32 if dtype is None else dtype)
        )
        self.reset_parameters(rng)

    def reset_parameters(self, rng: Any = None) -> None:
        """Draw a new table."""
        init.normal_(self.weight, rng=rng)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0
            self.weight.mark_changed()

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """Make a layer of a given table, which is copied.

        Raises:
            ValueError: where `embeddings` is no matrix.
        """
        weight = Parameter(embeddings, requires_grad=not freeze)
        if weight.ndim != 2:
            raise ValueError(
                f"from_pretrained: wanted a matrix of vectors, got shape {weight.shape}"
            )
        layer = cls(1, weight.shape[1], dtype=weight.dtype)
        layer.num_embeddings = weight.shape[0]
        layer.padding_idx = None if padding_idx is None else padding_idx % weight.shape[0]
        layer.weight = weight
        return layer

    def forward(self, x: Any) -> Any:
        """Return the vectors that `x` names."""
        return functional.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Return the sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
