"""Attention: values averaged with weights that queries and keys agree on. Imports `autograd` only.

Masks come in two conventions, both PyTorch's: a bool is True where a key takes part in
`scaled_dot_product_attention`, and True where it is left out in `multi_head_attention_forward`.
A mask of numbers is added to the scores in both. A query whose keys are all left out gets zeros.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from autograd import Variable
from autograd.arrays import refuse_complex
from autograd.engine.calls import primitive
from nn.functional._dropout import check_probability, dropout
from nn.functional._linear import linear

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def _weights_x(g: Any, out: Any) -> Any:
    return (g - np.vecdot(g, out)[..., None]) * out


# A softmax whose rows may be empty: `autograd.softmax` of minus infinities alone is 0 / 0. The bias
# is added here, in the array that becomes the weights, because these are the largest arrays of all.
@primitive(name="attention_weights", x=_weights_x, nondiff=("bias",))
def _attention_weights(x: Any, bias: Any) -> Any:
    """Return the softmax of x + bias over the last axis, zeros where all is minus infinity."""
    weights = np.array(x) if bias is None else x + bias
    top = np.max(weights, axis=-1, keepdims=True, initial=-np.inf)
    weights -= np.where(top == -np.inf, 0.0, top)
    np.exp(weights, out=weights)
    total = weights.sum(axis=-1, keepdims=True)
    weights /= np.where(total == 0, 1.0, total)
    return weights


def _attend(
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    dropout_p: float,
    scale: float | None,
    generator: Any,
) -> tuple[Any, Any]:
    """Return the averages (..., L, V) and the weights; a bool mask is True for taking part."""
    refuse_complex("attention", query, key, value)
    if scale is None:
        scale = 1.0 / math.sqrt(query.shape[-1])
    scores = (query * scale) @ key.swapaxes(-1, -2)
    if mask is not None:
        # Adding 0 or -inf takes 0.15 of the time of a selection.
        bias = np.where(mask, 0.0, -np.inf) if mask.dtype.kind == "b" else mask
        mask = bias.astype(scores.dtype)
        if isinstance(mask, Variable) and mask.requires_grad:
            scores, mask = scores + mask, None
    weights = _attention_weights(scores, mask)
    weights = dropout(weights, dropout_p, dropout_p > 0, generator=generator)
    return weights @ value, weights


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    generator: Any = None,
) -> Any:
    """Return softmax(query key^T scale + mask) value.

    Args:
        query: shape (..., L, E).
        key: shape (..., S, E).
        value: shape (..., S, V).
        attn_mask: bool, True where a key takes part, or numbers that are added to the scores;
            broadcasts to (..., L, S).
        dropout_p: probability that a weight is set to 0; pass 0.0 in evaluation.
        is_causal: let query i attend to the keys 0 to i only; instead of a mask.
        scale: of the scores, by default 1 / sqrt(E).
        enable_gqa: whether one head of keys and values (the axis before S) serves several heads of
            queries.
        generator: a seed or np.random.Generator for dropout.

    Returns:
        Shape (..., L, V).

    Raises:
        TypeError: for a mask of integers.
        ValueError: where shapes do not fit, or there is a mask beside `is_causal`.

    References:
        A. Vaswani et al., Attention is all you need, NeurIPS 2017, https://arxiv.org/abs/1706.03762,
        eq. 1; J. Ainslie et al., GQA, EMNLP 2023, https://arxiv.org/abs/2305.13245.

    Example:
        >>> import numpy as np, nn
        >>> keys, values = np.array([[9.0, 0.0], [0.0, 9.0]]), np.array([[1.0], [2.0]])
        >>> nn.functional.scaled_dot_product_attention(keys, keys, values).round(3)
        array([[1.],
               [2.]])
    """
    name = "scaled_dot_product_attention"
    check_probability(name, dropout_p)
    shapes = (query.shape, key.shape, value.shape)
    if enable_gqa:
        key, value = _for_each_head(name, query, key), _for_each_head(name, query, value)
    batch = _broadcast(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    if (
        batch is None
        or min(map(len, shapes)) < 2
        or query.shape[-1] != key.shape[-1]
        or key.shape[-2] != value.shape[-2]
    ):
        raise ValueError(
            f"{name}: wanted query (..., L, E), key (..., S, E) and value (..., S, V), got "
            f"{shapes[0]}, {shapes[1]} and {shapes[2]}"
        )
    scores = (*batch, query.shape[-2], key.shape[-2])
    if is_causal:
        if attn_mask is not None:
            raise ValueError(
                f"{name}: wanted is_causal or an attn_mask, got both; put the triangle into the "
                "mask"
            )
        attn_mask = np.tri(*scores[-2:], dtype=bool)
    elif attn_mask is not None:
        attn_mask = _checked_mask(name, "attn_mask", attn_mask)
        if _broadcast(attn_mask.shape, scores) != scores:
            raise ValueError(
                f"{name}: wanted an attn_mask that broadcasts to {scores}, got {attn_mask.shape}"
            )
    return _attend(query, key, value, attn_mask, dropout_p, scale, generator)[0]


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    *,
    generator: Any = None,
) -> tuple[Any, Any]:
    """Attend in several heads, each in a projection of its own to E / heads features.

    Args:
        query: shape (L, N, E), or (L, E) for a single sequence, and then the others likewise.
        key: shape (S, N, E), or as many features as `k_proj_weight` takes.
        value: shape (S, N, E), or as many features as `v_proj_weight` takes.
        embed_dim_to_check: the E that the weights were made for.
        num_heads: number of heads, a divisor of E.
        in_proj_weight: shape (3 E, E): the projections of queries, keys and values.
        in_proj_bias: shape (3 E,), or None.
        bias_k: shape (1, 1, E): one more key for every sequence, or None.
        bias_v: shape (1, 1, E): its value, or None.
        add_zero_attn: whether there is one more key and value of zeros.
        dropout_p: probability that a weight is set to 0 in training.
        out_proj_weight: shape (E, E): the projection of the joined heads.
        out_proj_bias: shape (E,), or None.
        training: whether there is dropout.
        key_padding_mask: shape (N, S): bool, True for keys that are left out, or numbers that are
            added to the scores.
        need_weights: whether the weights are returned.
        attn_mask: shape (L, S) or (N * heads, L, S); likewise.
        use_separate_proj_weight: take the three weights that follow, not `in_proj_weight`.
        q_proj_weight: shape (E, E).
        k_proj_weight: shape (E, features of the keys).
        v_proj_weight: shape (E, features of the values).
        static_k: shape (N * heads, S, E / heads): keys that are projected already.
        static_v: shape (N * heads, S, E / heads): values that are projected already.
        average_attn_weights: whether the weights are averaged over the heads.
        is_causal: let query i attend to the keys 0 to i only, where there is no `attn_mask`.
        generator: a seed or np.random.Generator for dropout.

    Returns:
        Shape (L, N, E), and the weights (N, L, S), (N, heads, L, S) where they are not averaged, or
        None where they are not needed; N is missing for a single sequence.

    Raises:
        TypeError: for a mask of integers.
        ValueError: where shapes do not fit.
    """
    name = "multi_head_attention"
    single = query.ndim == 2
    inputs: Any = (query, key, value)
    if single:
        inputs = tuple(x[:, None] for x in inputs)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask[None]
    steps, batch = _checked_inputs(name, inputs, embed_dim_to_check, num_heads)
    weights: Any
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
    elif query is key is value:
        weights = (in_proj_weight,)
        inputs = inputs[:1]
    else:
        weights = _thirds(in_proj_weight, 0)
    biases: Any = (in_proj_bias,)
    if len(weights) == 3:
        biases = (None,) * 3 if in_proj_bias is None else _thirds(in_proj_bias, 0)
    projected = [linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True)]
    q, k, v = _thirds(projected[0], 2) if len(projected) == 1 else projected

    width = embed_dim_to_check // num_heads

    def heads(x: Any) -> Any:  # (L, N, E) to (N, heads, L, E / heads)
        return x.reshape((x.shape[0], batch, num_heads, width)).transpose((1, 2, 0, 3))

    q = heads(q)
    k = heads(k) if static_k is None else static_k.reshape((batch, num_heads, *static_k.shape[1:]))
    v = heads(v) if static_v is None else static_v.reshape((batch, num_heads, *static_v.shape[1:]))
    scores = (batch, num_heads, steps, k.shape[2])
    mask = _joined_mask(name, attn_mask, key_padding_mask, scores, is_causal)
    further = []
    if bias_k is not None:
        everywhere = np.zeros((1, batch, 1), q.dtype)
        further.append((heads(bias_k + everywhere), heads(bias_v + everywhere)))
    if add_zero_attn:
        zeros = np.zeros((batch, num_heads, 1, q.shape[-1]), q.dtype)
        further.append((zeros, zeros))
    if further:
        more_k, more_v = zip(*further, strict=True)
        k = np.concatenate((k, *more_k), axis=2)
        v = np.concatenate((v, *more_v), axis=2)
        if mask is not None:
            free = np.full((*mask.shape[:-1], len(further)), mask.dtype.kind == "b", mask.dtype)
            mask = np.concatenate((mask, free), axis=-1)
    attended, shares = _attend(q, k, v, mask, dropout_p if training else 0.0, None, generator)
    joined = attended.transpose((2, 0, 1, 3)).reshape((steps, batch, embed_dim_to_check))
    out = linear(joined, out_proj_weight, out_proj_bias)
    if not need_weights:
        shares = None
    elif average_attn_weights:
        shares = shares.mean(axis=1)
    if single:
        return out[:, 0], None if shares is None else shares[0]
    return out, shares


def _thirds(x: Any, axis: int) -> list[Any]:
    """Return what belongs to queries, to keys and to values."""
    length = x.shape[axis] // 3
    before = (slice(None),) * axis
    return [x[(*before, slice(k * length, (k + 1) * length))] for k in range(3)]


# -- checks ----------------------------------------------------------------------------------------


def _broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def _for_each_head(name: str, query: Any, x: Any) -> Any:
    """Repeat the heads of keys or values, so that there are as many as those of the queries."""
    wanted, got = (a.shape[-3] if a.ndim > 2 else 1 for a in (query, x))
    if wanted % got:
        raise ValueError(
            f"{name}: wanted heads of queries that are a multiple of those of keys and values with "
            f"enable_gqa, got {wanted} and {got}"
        )
    return np.repeat(x, wanted // got, axis=-3)


def _checked_mask(name: str, which: str, mask: Any) -> Any:
    if not hasattr(mask, "dtype"):
        mask = np.asarray(mask)
    if mask.dtype.kind not in "bf":
        raise TypeError(
            f"{name}: wanted {which} of dtype bool, or of numbers to add to the scores, got "
            f"{mask.dtype}; write {which}.astype(bool)"
        )
    return mask


def _checked_inputs(
    name: str, inputs: tuple[Any, ...], features: int, num_heads: int
) -> tuple[int, int]:
    """Return the number of queries and of sequences."""
    query, key, value = (x.shape for x in inputs)
    if not len(query) == len(key) == len(value) == 3:
        raise ValueError(
            f"{name}: wanted query, key and value of three axes, or of two for a single sequence, "
            f"got {query}, {key} and {value}"
        )
    if query[2] != features or features % num_heads:
        raise ValueError(
            f"{name}: wanted a query of {features} features, embed_dim, which {num_heads} heads "
            f"divide, got shape {query}"
        )
    if key[:2] != value[:2] or key[1] != query[1]:
        raise ValueError(
            f"{name}: wanted a key and a value for each step, of {query[1]} sequences as the "
            f"query, got query {query}, key {key} and value {value}; is batch_first as it should?"
        )
    return query[0], query[1]


def _joined_mask(
    name: str,
    attn_mask: Any,
    key_padding_mask: Any,
    scores: tuple[int, int, int, int],
    is_causal: bool,
) -> Any:
    """Return both masks as one that broadcasts to `scores`; a bool is True for taking part."""
    batch, heads, steps, keys = scores
    masks = []
    if attn_mask is not None:
        mask = _checked_mask(name, "attn_mask", attn_mask)
        if mask.shape not in ((steps, keys), (batch * heads, steps, keys)):
            raise ValueError(
                f"{name}: wanted an attn_mask of shape {(steps, keys)} or "
                f"{(batch * heads, steps, keys)}, got {mask.shape}"
            )
        masks.append(mask.reshape((batch, heads, steps, keys)) if mask.ndim == 3 else mask)
    elif is_causal:
        masks.append(~np.tri(steps, keys, dtype=bool))
    if key_padding_mask is not None:
        mask = _checked_mask(name, "key_padding_mask", key_padding_mask)
        if mask.shape != (batch, keys):
            raise ValueError(
                f"{name}: wanted a key_padding_mask of shape {(batch, keys)}, got {mask.shape}"
            )
        masks.append(mask[:, None, None])
    if all(mask.dtype.kind == "b" for mask in masks):
        left_out = [mask.data if isinstance(mask, Variable) else mask for mask in masks]
        return ~functools.reduce(np.logical_or, left_out) if masks else None
    return sum(np.where(m, -np.inf, 0.0) if m.dtype.kind == "b" else m for m in masks)
