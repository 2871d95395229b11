"""Embeddings: tables of vectors, looked up one by one or in bags."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from nn import functional, init
from nn._module import Module
from nn._parameter import Parameter
from nn._sizes import check_sizes

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """A table of vectors, and how its rows are read; arguments are those of the classes below."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
        sparse: bool,
        weight: Any,
        dtype: Any,
        generator: Any,
    ) -> None:
        super().__init__()
        name, shape = type(self).__name__, (num_embeddings, embedding_dim)
        check_sizes(name, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"{name}: wanted a padding_idx within {num_embeddings} rows, got {padding_idx}"
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if weight is None:
            self.weight = Parameter(np.empty(shape, np.float32 if dtype is None else dtype))
            self.reset_parameters(generator)
        elif weight.shape == shape:
            self.weight = weight if isinstance(weight, Parameter) else Parameter(weight)
        else:
            raise ValueError(f"{name}: wanted a _weight of shape {shape}, got {weight.shape}")

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw a new table."""
        init.normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0
            self.weight.mark_changed()

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, *args: Any, **kwargs: Any
    ) -> Self:
        """Make a layer of a given table, which is copied.

        Args:
            embeddings: shape (num_embeddings, embedding_dim).
            freeze: whether the table is not trained.
            *args: further arguments of the class, after the sizes.
            **kwargs: likewise.

        Raises:
            ValueError: where `embeddings` is no matrix.
        """
        weight = Parameter(embeddings, requires_grad=not freeze)
        if weight.ndim != 2:
            raise ValueError(
                f"from_pretrained: wanted a matrix of vectors, got shape {weight.shape}"
            )
        make: Any = cls
        layer: Self = make(*weight.shape, *args, _weight=weight, **kwargs)
        return layer

    def extra_repr(self) -> str:
        """Return the sizes, and what differs from the defaults."""
        shown = [str(self.num_embeddings), str(self.embedding_dim)]
        given = [n for n in ("padding_idx", "max_norm") if getattr(self, n) is not None]
        return ", ".join([*shown, *(f"{name}={getattr(self, name)}" for name in given)])


class Embedding(_Table):
    """A table of `num_embeddings` vectors, looked up by integers; entries start from N(0, 1).

    Args:
        num_embeddings: number of vectors.
        embedding_dim: length of each.
        padding_idx: a vector that starts as zeros and gets no gradient; negative counts from the
            end.
        max_norm: vectors that are longer when they are looked up are shortened to this norm, in
            the table.
        norm_type: the order of that norm.
        scale_grad_by_freq: divide the gradient of a vector by how often it was looked up.
        sparse: accepted for PyTorch's sake; gradients are dense.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for the initial values.

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
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight,
            dtype,
            generator,
        )
        if _freeze:
            self.weight.requires_grad = False

    def forward(self, input: Any) -> Any:
        """Return the vectors that `input` names."""
        return functional.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
        )


class EmbeddingBag(_Table):
    """Sums, means or maxima of vectors of a table, without the vectors themselves.

    Args:
        num_embeddings: number of vectors.
        embedding_dim: length of each.
        max_norm: vectors that are longer when they are looked up are shortened to this norm, in
            the table.
        norm_type: the order of that norm.
        scale_grad_by_freq: divide the gradient of a vector by how often it was looked up.
        mode: "sum", "mean" or "max".
        sparse: accepted for PyTorch's sake; gradients are dense.
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: a vector that starts as zeros, gets no gradient and counts in no bag.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for the initial values.

    Attributes:
        weight: Parameter of shape (num_embeddings, embedding_dim).

    Raises:
        ValueError: for an unknown `mode`, or a `padding_idx` that is no row of the table.

    Shape:
        integers of shape (B, n), or (n,) with B offsets -> (B, embedding_dim)

    Example:
        >>> import nn
        >>> nn.EmbeddingBag(10, 3)([1, 2, 4, 0], [0, 1]).shape
        (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Any = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f"EmbeddingBag: wanted mode 'sum', 'mean' or 'max', got {mode!r}")
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight,
            dtype,
            generator,
        )
        self.mode = mode
        self.include_last_offset = include_last_offset

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        """Return a vector for each bag.

        Args:
            input: integers of shape (B, n), or of shape (n,) with `offsets`.
            offsets: where each bag starts in an `input` of one axis.
            per_sample_weights: factors of the vectors, of the shape of `input`, with mode "sum".
        """
        return functional.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )

    def extra_repr(self) -> str:
        """Return the sizes, the mode, and what differs from the defaults."""
        return f"{super().extra_repr()}, mode={self.mode!r}"
