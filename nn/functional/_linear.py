"""Affine maps and what reshapes around them. Imports `autograd` only."""

from __future__ import annotations

from typing import Any

from autograd.engine.calls import primitive
from nn.functional._numbers import check_numbers

__all__ = ["bilinear", "linear"]


def _rows(a: Any) -> Any:
    """Join all axes but the last: one matrix product is faster than a batch of them."""
    return a if a.ndim == 2 else a.reshape((-1, a.shape[-1]))


def _linear_input(g: Any, weight: Any, input_shape: tuple[int, ...]) -> Any:
    gx = g @ weight if g.ndim <= 2 else _rows(g) @ weight
    return gx if gx.shape == input_shape else gx.reshape(input_shape)


def _linear_weight(g: Any, input: Any) -> Any:
    return _rows(g).T @ _rows(input)


def _linear_bias(g: Any) -> Any:
    return _rows(g).sum(axis=0)


# One primitive, not matmul and add: 0.6 of their time on a small batch (benchmarks/layers.py).
@primitive(input=_linear_input, weight=_linear_weight, bias=_linear_bias)
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """Return input @ weight.T + bias.

    Args:
        input: shape (..., in_features); integers are taken as numbers of the weight's dtype.
        weight: shape (out_features, in_features).
        bias: shape (out_features,), or None.

    Returns:
        Shape (..., out_features).

    Raises:
        ValueError: where the last axis of `input` is not as long as that of `weight`, or `bias` has
            another shape.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.linear(np.ones((2, 3)), np.eye(2, 3), np.array([0.5, 1.0]))
        array([[1.5, 2. ],
               [1.5, 2. ]])
    """
    try:
        kind = input.dtype.kind
        if kind not in "fc":
            if kind not in "biu":
                raise _linear_mismatch(input, weight)
            input = input.astype(weight.dtype)
        out = (
            input @ weight.T
            if input.ndim <= 2
            else (_rows(input) @ weight.T).reshape((*input.shape[:-1], weight.shape[0]))
        )
    except (ValueError, AttributeError, TypeError):
        raise _linear_mismatch(input, weight) from None
    if bias is None:
        return out
    if bias.shape != weight.shape[:1]:
        raise ValueError(
            f"linear: wanted a bias of shape {weight.shape[:1]} for a weight of shape "
            f"{weight.shape}, got {bias.shape}"
        )
    if bias.dtype.kind == "c" != out.dtype.kind:
        return out + bias
    out += bias
    return out


def _linear_mismatch(x: Any, weight: Any) -> Exception:
    if not hasattr(x, "shape"):
        return TypeError(
            f"linear: wanted an array or a Variable, got {type(x).__name__}; write np.array(input)"
        )
    if x.dtype.kind not in "biufc":
        return TypeError(
            f"linear: wanted an input of numbers, got dtype {x.dtype}; write .astype(np.float32) "
            "where it holds numbers"
        )
    return ValueError(
        f"linear: wanted an input of shape (..., {weight.shape[-1]}) for a weight of shape "
        f"{weight.shape}, got {x.shape}; "
        f"make the last axis of the input as long as in_features"
    )


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """Return the sums of x[i] weight[o, i, j] y[j] over i and j, plus bias[o].

    Args:
        input1: x, of shape (..., in1_features).
        input2: y, of shape (..., in2_features), with the same leading axes.
        weight: shape (out_features, in1_features, in2_features).
        bias: shape (out_features,), or None.

    Returns:
        Shape (..., out_features).

    Raises:
        ValueError: where shapes do not fit.
    """
    check_numbers("bilinear", "an input1", input1)
    check_numbers("bilinear", "an input2", input2)
    wanted = (*input1.shape[:-1], weight.shape[1]), (*input1.shape[:-1], weight.shape[2])
    if (input1.shape, input2.shape) != wanted:
        raise ValueError(
            f"bilinear: wanted inputs of shapes (..., {weight.shape[1]}) and (..., "
            f"{weight.shape[2]}) with equal leading "
            f"axes, got {input1.shape} and {input2.shape}"
        )
    product = input1[..., None, None, :] @ weight  # (..., out, 1, in2)
    out = (product * input2[..., None, None, :]).sum(axis=(-2, -1))
    return out if bias is None else out + bias
