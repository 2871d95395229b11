"""Transformers: attention and small networks in residual blocks, stacked.

Sequences are (T, N, E), or (N, T, E) where `batch_first`; a single sequence is (T, E). Masks are
those of `MultiheadAttention`: a bool is True for what is left out, numbers are added to the scores.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from autograd import new_generator
from nn import functional, init
from nn._attention import MultiheadAttention
from nn._containers import ModuleList
from nn._dropout import Dropout
from nn._linear import Linear
from nn._module import Module
from nn._normalization import LayerNorm
from nn._random import RandomModule

__all__ = [
    "Activation",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = str | Callable[[Any], Any]


class _Layer(Module):
    """What encoder and decoder layers share: the network of two linear maps, and how blocks join.

    Args:
        d_model: number E of features.
        nhead: number of heads, a divisor of E.
        dim_feedforward: features between the two linear maps.
        dropout: probability of a zero, in training, after each block and within it.
        activation: between the two linear maps: "relu", "gelu" or a function.
        layer_norm_eps: added to the variance in the normalisations.
        batch_first: whether sequences are (N, T, E).
        norm_first: whether a block is normalised before it, not after it joins the residual path.
        bias: whether linear maps and normalisations have a bias.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for initial values and dropout.
    """

    _attentions: ClassVar[tuple[str, ...]] = ("self_attn",)
    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = functional.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        generator = new_generator(generator)
        for name in self._attentions:
            attention = MultiheadAttention(
                d_model,
                nhead,
                dropout,
                bias,
                batch_first=batch_first,
                dtype=dtype,
                generator=generator,
            )
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype, generator=generator)
        self.dropout = Dropout(dropout, generator=generator)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype, generator=generator)
        self.norm_first = norm_first
        for k in range(1, len(self._attentions) + 2):
            setattr(self, f"norm{k}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
            setattr(self, f"dropout{k}", Dropout(dropout, generator=generator))
        self.activation = _activation(type(self).__name__, activation)

    def _joined(self, x: Any, k: int, block: Callable[[Any], Any]) -> Any:
        """Add what the k-th block makes of `x` to `x`."""
        norm, drop = getattr(self, f"norm{k}"), getattr(self, f"dropout{k}")
        if self.norm_first:
            return x + drop(block(norm(x)))
        return norm(x + drop(block(x)))

    def _network(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a network of two linear maps, each in a residual block.

    Args:
        d_model: number E of features.
        nhead: number of heads, a divisor of E.
        dim_feedforward: features between the two linear maps.
        dropout: probability of a zero, in training, after each block and within it.
        activation: between the two linear maps: "relu", "gelu" or a function.
        layer_norm_eps: added to the variance in the normalisations.
        batch_first: whether sequences are (N, T, E).
        norm_first: whether a block is normalised before it, not after it joins the residual path.
        bias: whether linear maps and normalisations have a bias.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for initial values and dropout.

    References:
        A. Vaswani et al., Attention is all you need, NeurIPS 2017, https://arxiv.org/abs/1706.03762,
        section 3.1; R. Xiong et al., ICML 2020, https://arxiv.org/abs/2002.04745 (`norm_first`).

    Example:
        >>> import numpy as np, nn
        >>> nn.TransformerEncoderLayer(8, 2, 16)(np.ones((5, 3, 8), np.float32)).shape
        (5, 3, 8)
    """

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:
        """Return a sequence of the shape of `src`.

        Args:
            src: shape (T, N, E).
            src_mask: shape (T, T) or (N * heads, T, T).
            src_key_padding_mask: shape (N, T).
            is_causal: let each step attend to itself and earlier ones only.
        """

        def attend(x: Any) -> Any:
            return self.self_attn(
                x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal
            )[0]

        return self._joined(self._joined(src, 1, attend), 2, self._network)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to a memory, then a network of two linear maps.

    Arguments and references are those of `TransformerEncoderLayer`.

    Example:
        >>> import numpy as np, nn
        >>> target, memory = np.ones((4, 3, 8), np.float32), np.ones((5, 3, 8), np.float32)
        >>> nn.TransformerDecoderLayer(8, 2, 16)(target, memory, tgt_is_causal=True).shape
        (4, 3, 8)
    """

    _attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """Return a sequence of the shape of `tgt`.

        Args:
            tgt: shape (T, N, E).
            memory: what an encoder returned, of shape (S, N, E).
            tgt_mask: shape (T, T) or (N * heads, T, T).
            memory_mask: shape (T, S) or (N * heads, T, S).
            tgt_key_padding_mask: shape (N, T).
            memory_key_padding_mask: shape (N, S).
            tgt_is_causal: let each step attend to itself and earlier ones only.
            memory_is_causal: the same for the memory.
        """

        def attend(x: Any) -> Any:
            return self.self_attn(
                x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal
            )[0]

        def read(x: Any) -> Any:
            return self.multihead_attn(
                x,
                memory,
                memory,
                memory_key_padding_mask,
                False,
                memory_mask,
                is_causal=memory_is_causal,
            )[0]

        x = self._joined(self._joined(tgt, 1, attend), 2, read)
        return self._joined(x, 3, self._network)


def _copy(layer: Module) -> Module:
    """Return a deep copy that draws from streams of its own, derived from the original's."""
    twin = copy.deepcopy(layer)
    for part, original in zip(twin.modules(), layer.modules(), strict=True):
        if isinstance(part, RandomModule) and isinstance(original, RandomModule):
            seed: Any = original.generator.bit_generator.seed_seq
            part.generator = new_generator(seed.spawn(1)[0])
    return twin


class _Stack(Module):
    """Copies of a layer, one upon the other, and a normalisation at the end."""

    norm: Module | None

    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        super().__init__()
        self.layers = ModuleList(_copy(layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def _through(self, x: Any, *args: Any) -> Any:
        for layer in self.layers:
            x = layer(x, *args)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """`num_layers` copies of `encoder_layer`, one upon the other, then `norm` where it is given.

    Args:
        encoder_layer: a TransformerEncoderLayer; the copies start from its weights.
        num_layers: number of copies.
        norm: what comes after the last layer, or None.
        enable_nested_tensor: accepted for PyTorch's sake; padding is always computed.
        mask_check: likewise.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,  # noqa: ARG002 - see the docstring
        mask_check: bool = True,  # noqa: ARG002 - likewise
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self,
        src: Any,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool | None = None,
    ) -> Any:
        """Return a sequence of the shape of `src`; arguments as those of a layer."""
        return self._through(src, mask, src_key_padding_mask, bool(is_causal))


class TransformerDecoder(_Stack):
    """`num_layers` copies of `decoder_layer`, one upon the other, then `norm` where it is given.

    Args:
        decoder_layer: a TransformerDecoderLayer; the copies start from its weights.
        num_layers: number of copies.
        norm: what comes after the last layer, or None.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """Return a sequence of the shape of `tgt`; arguments as those of a layer."""
        return self._through(
            tgt,
            memory,
            tgt_mask,
            memory_mask,
            tgt_key_padding_mask,
            memory_key_padding_mask,
            bool(tgt_is_causal),
            memory_is_causal,
        )


class Transformer(Module):
    """An encoder of a source sequence, and a decoder of a target sequence that reads from it.

    Matrices start from Xavier's uniform distribution.

    Args:
        d_model: number E of features.
        nhead: number of heads, a divisor of E.
        num_encoder_layers: layers of the encoder.
        num_decoder_layers: layers of the decoder.
        dim_feedforward: features between the two linear maps of a layer.
        dropout: probability of a zero, in training, after each block and within it.
        activation: between the two linear maps: "relu", "gelu" or a function.
        custom_encoder: a module to use as the encoder instead.
        custom_decoder: a module to use as the decoder instead.
        layer_norm_eps: added to the variance in the normalisations.
        batch_first: whether sequences are (N, T, E).
        norm_first: whether blocks are normalised before them, not after.
        bias: whether linear maps and normalisations have a bias.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for initial values and dropout.

    Shape:
        (S, N, E), (T, N, E) -> (T, N, E)

    References:
        A. Vaswani et al., Attention is all you need, NeurIPS 2017, https://arxiv.org/abs/1706.03762,
        figure 1.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = functional.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        generator = new_generator(generator)

        def stack(kind: Any, layer: Any, count: int) -> Module:
            one = layer(
                d_model,
                nhead,
                dim_feedforward,
                dropout,
                activation,
                layer_norm_eps,
                batch_first,
                norm_first,
                bias,
                dtype=dtype,
                generator=generator,
            )
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
            made: Module = kind(one, count, norm)
            return made

        self.encoder = custom_encoder or stack(
            TransformerEncoder, TransformerEncoderLayer, num_encoder_layers
        )
        self.decoder = custom_decoder or stack(
            TransformerDecoder, TransformerDecoderLayer, num_decoder_layers
        )
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter, generator=generator)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """Return a sequence of the shape of `tgt`; masks are those of encoder and decoder.

        Raises:
            ValueError: where batches differ, or features are not d_model.
        """
        batch = 0 if self.batch_first else 1
        for name, x in (("src", src), ("tgt", tgt)):
            if x.ndim not in (2, 3) or x.shape[-1] != self.d_model:
                raise ValueError(
                    f"Transformer: wanted {name} of two or three axes with {self.d_model} "
                    f"features, d_model, got {x.shape}"
                )
        if src.ndim != tgt.ndim or (src.ndim == 3 and src.shape[batch] != tgt.shape[batch]):
            raise ValueError(
                f"Transformer: wanted as many sequences in src as in tgt, got {src.shape} and "
                f"{tgt.shape}; is batch_first={self.batch_first} as it should be?"
            )
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask,
            memory_mask,
            tgt_key_padding_mask,
            memory_key_padding_mask,
            tgt_is_causal,
            memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, *, dtype: Any = np.float32) -> Any:
        """Return the mask (sz, sz) that adds -inf where a step would look at a later one.

        Example:
            >>> import nn
            >>> nn.Transformer.generate_square_subsequent_mask(2)
            array([[  0., -inf],
                   [  0.,   0.]], dtype=float32)
        """
        return np.triu(np.full((sz, sz), -np.inf, dtype), 1)


def _activation(layer: str, activation: Activation) -> Callable[[Any], Any]:
    if callable(activation):
        return activation
    if activation not in ("relu", "gelu"):
        raise ValueError(
            f"{layer}: wanted activation 'relu', 'gelu' or a function, got {activation!r}"
        )
    found: Callable[[Any], Any] = getattr(functional, activation)
    return found
