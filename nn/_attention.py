"""Attention in several heads: projections and their names; `nn.functional` computes."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import new_generator
from nn import functional, init
from nn._linear import Linear
from nn._parameter import Parameter
from nn._random import RandomModule
from nn.functional._dropout import check_probability

__all__ = ["MultiheadAttention"]


class MultiheadAttention(RandomModule):
    """Attention in `num_heads` projections to embed_dim / num_heads features each, joined again.

    Args:
        embed_dim: number E of features of queries and of the output.
        num_heads: number of heads, a divisor of E.
        dropout: probability, in training, that a weight is set to 0.
        bias: whether the projections have biases.
        add_bias_kv: whether one more, learned, key and value is there for every sequence.
        add_zero_attn: whether there is one more key and value of zeros.
        kdim: number of features of keys, by default E.
        vdim: number of features of values, by default E.
        batch_first: whether inputs and outputs are (N, L, E) instead of (L, N, E).
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for initial values and dropout.

    Attributes:
        in_proj_weight: Parameter of shape (3 E, E), queries, keys and values; or None where `kdim`
            or `vdim` is not E, and instead
        q_proj_weight, k_proj_weight, v_proj_weight: Parameters (E, E), (E, kdim), (E, vdim).
        in_proj_bias: Parameter of shape (3 E,), or None.
        out_proj: the Linear that the joined heads go through.
        bias_k, bias_v: Parameters of shape (1, 1, E), or None.

    Raises:
        ValueError: where heads do not divide E, or `dropout` is no probability.

    Shape:
        (L, N, E), (S, N, kdim), (S, N, vdim) -> (L, N, E), weights (N, L, S)

    References:
        A. Vaswani et al., Attention is all you need, NeurIPS 2017, https://arxiv.org/abs/1706.03762,
        section 3.2.2.

    Example:
        >>> import numpy as np, nn
        >>> x = np.ones((5, 2, 8), np.float32)
        >>> out, weights = nn.MultiheadAttention(8, 4)(x, x, x)
        >>> out.shape, weights.shape
        ((5, 2, 8), (2, 5, 5))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__(generator)
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                "MultiheadAttention: wanted an embed_dim that num_heads divides, got "
                f"{embed_dim} and {num_heads}"
            )
        check_probability("MultiheadAttention", dropout)
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        self.add_zero_attn = add_zero_attn

        def parameter(*shape: int, wanted: bool = True) -> Parameter | None:
            if not wanted:
                return None
            return Parameter(np.empty(shape, np.float32 if dtype is None else dtype))

        separate = self.kdim != embed_dim or self.vdim != embed_dim
        self.in_proj_weight = parameter(3 * embed_dim, embed_dim, wanted=not separate)
        self.q_proj_weight = parameter(embed_dim, embed_dim, wanted=separate)
        self.k_proj_weight = parameter(embed_dim, self.kdim, wanted=separate)
        self.v_proj_weight = parameter(embed_dim, self.vdim, wanted=separate)
        self.in_proj_bias = parameter(3 * embed_dim, wanted=bias)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, generator=self.generator)
        self.bias_k = parameter(1, 1, embed_dim, wanted=add_bias_kv)
        self.bias_v = parameter(1, 1, embed_dim, wanted=add_bias_kv)
        self.reset_parameters(self.generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw the projections of the inputs anew, and set all biases to 0."""
        generator = new_generator(generator)
        for name, value in list(vars(self).items()):
            if not isinstance(value, Parameter):
                continue
            if name.endswith("weight"):
                init.xavier_uniform_(value, generator=generator)
            elif name in ("bias_k", "bias_v"):
                init.xavier_normal_(value, generator=generator)
            else:
                init.zeros_(value)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Return what the queries read, and with which weights.

        Args:
            query: shape (L, N, E) or, where `batch_first`, (N, L, E); (L, E) for one sequence.
            key: shape (S, N, kdim), likewise.
            value: shape (S, N, vdim), likewise.
            key_padding_mask: shape (N, S): bool, True for keys that are left out, or numbers that
                are added to the scores.
            need_weights: False returns None in place of the weights.
            attn_mask: shape (L, S) or (N * heads, L, S), likewise.
            average_attn_weights: whether weights are averaged over the heads.
            is_causal: let query i attend to the keys 0 to i only; not needed beside an `attn_mask`
                that says so.
        """
        swapped = self.batch_first and query.ndim == 3
        if swapped:
            turned = {id(x): x.swapaxes(0, 1) for x in (query, key, value)}
            query, key, value = (turned[id(x)] for x in (query, key, value))
        out, weights = functional.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            self.training,
            key_padding_mask,
            need_weights,
            attn_mask,
            self.in_proj_weight is None,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            generator=self.generator,
        )
        return (out.swapaxes(0, 1) if swapped else out), weights

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}"
