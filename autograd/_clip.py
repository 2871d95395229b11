r"""Clipping gradients, by their common norm or value by value; between `backward` and `step`.

Imports `variable`; `optim` and `nn.utils` both offer it.

References:
    Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, ICML
    2013, algorithm 1.
"""

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.arrays import is_array, number
from autograd.variable import Variable

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]

# PyTorch's guard against a division by zero, kept for equal numbers.
_TINY = 1e-6


def get_total_norm(
    tensors: npt.NDArray[Any] | Variable | Iterable[npt.NDArray[Any] | Variable],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Return the norm of all arrays together, as of one long vector: (sum |x|**p) ** (1 / p).

    Args:
        tensors: an array or a Variable, or several of any shapes.
        norm_type: p; `math.inf` for the largest absolute value, 0 for the number of non-zeros.
        error_if_nonfinite: raise where the norm is inf or nan.

    Raises:
        RuntimeError: see `error_if_nonfinite`.

    Example:
        >>> import numpy as np, optim
        >>> optim.get_total_norm([np.array([3.0]), np.array([[4.0]])])
        5.0
    """
    several = [tensors] if isinstance(tensors, (np.ndarray, Variable)) else tensors
    arrays = [x.data if isinstance(x, Variable) else x for x in several]
    arrays = [x if is_array(x) else np.asarray(x) for x in arrays]
    order = float(norm_type)
    with np.errstate(over="ignore"):  # seen below as inf
        total = (
            math.sqrt(sum(number(np.vdot(x, x).real) for x in arrays)) if order == 2 else math.inf
        )
        if math.isinf(total):
            # The norm of a vector is the norm of the norms of its parts.
            norms = [_norm(x.reshape(-1), order) for x in arrays if x.size]
            combine = sum if order == 0 else lambda parts: _norm(np.array(parts), order)
            total = float(combine(norms)) if norms else 0.0
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"get_total_norm: wanted a finite norm of order {norm_type}, got {total}; look for the "
            "first nan in the loss, or pass error_if_nonfinite=False"
        )
    return total


def _norm(flat: npt.NDArray[Any], order: float) -> float:
    norm = number(np.linalg.norm(flat, order))
    if math.isinf(norm) and order not in (math.inf, -math.inf, 0.0):
        # Squares overflow (in float32 from 2e19 on) long before the norm does.
        largest = number(np.abs(flat).max())
        if math.isfinite(largest):
            return largest * number(np.linalg.norm(flat / largest, order))
    return norm


def clip_grad_norm_(
    parameters: Variable | Iterable[Variable],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients together, in place, so that their common norm is at most `max_norm`.

    Args:
        parameters: those without a gradient are passed over.
        max_norm: the largest norm allowed.
        norm_type: order of the norm, see `get_total_norm`.
        error_if_nonfinite: raise where the norm is inf or nan; otherwise such gradients become
            zeros and nans.

    Returns:
        The norm before clipping.

    Raises:
        RuntimeError: see `error_if_nonfinite`; no gradient has changed.
        ValueError: `max_norm` is negative.

    Example:
        >>> import optim
        >>> from autograd import Variable
        >>> x = Variable([3.0, 4.0], requires_grad=True)
        >>> (x * x / 2).sum().backward()
        >>> optim.clip_grad_norm_([x], max_norm=1.0)
        5.0
        >>> x.grad
        array([0.6, 0.8])
    """
    max_norm = float(max_norm)
    if max_norm < 0:
        raise ValueError(f"clip_grad_norm_: wanted max_norm >= 0, got {max_norm}")
    grads = _gradients("clip_grad_norm_", parameters)
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    _shrink(grads, max_norm, total)
    return total


def clip_grads_with_norm_(
    parameters: Variable | Iterable[Variable], max_norm: float, total_norm: float
) -> None:
    """Scale all gradients, in place, as `clip_grad_norm_` does for a norm that is known.

    Args:
        parameters: those without a gradient are passed over.
        max_norm: the largest norm allowed.
        total_norm: the norm of all gradients together, as `get_total_norm` returns it.

    Raises:
        ValueError: `max_norm` is negative.
    """
    if float(max_norm) < 0:
        raise ValueError(f"clip_grads_with_norm_: wanted max_norm >= 0, got {max_norm}")
    _shrink(_gradients("clip_grads_with_norm_", parameters), float(max_norm), float(total_norm))


def _shrink(grads: list[npt.NDArray[Any]], max_norm: float, total: float) -> None:
    factor = max_norm / (total + _TINY)
    if not factor >= 1:  # a nan must reach the gradients
        for gradient in grads:
            np.multiply(gradient, factor, out=gradient)


def clip_grad_value_(parameters: Variable | Iterable[Variable], clip_value: float) -> None:
    """Move every element of every gradient, in place, into [-clip_value, clip_value].

    Args:
        parameters: those without a gradient are passed over.
        clip_value: the largest absolute value allowed.

    Raises:
        ValueError: `clip_value` is negative.

    Example:
        >>> import optim
        >>> from autograd import Variable
        >>> x = Variable([0.5, -9.0], requires_grad=True)
        >>> (x * x / 2).sum().backward()
        >>> optim.clip_grad_value_([x], 1.0)
        >>> x.grad
        array([ 0.5, -1. ])
    """
    clip_value = float(clip_value)
    if clip_value < 0:
        raise ValueError(f"clip_grad_value_: wanted clip_value >= 0, got {clip_value}")
    for gradient in _gradients("clip_grad_value_", parameters):
        np.clip(gradient, -clip_value, clip_value, out=gradient)


def _gradients(owner: str, parameters: Variable | Iterable[Variable]) -> list[npt.NDArray[Any]]:
    if isinstance(parameters, Variable):
        parameters = [parameters]
    if not isinstance(parameters, Iterable):
        raise TypeError(
            f"{owner}: wanted parameters, got {type(parameters).__name__}; pass model.parameters()"
        )
    params = list(parameters)
    if not params:
        warnings.warn(
            f"{owner}: got no parameters, so nothing was clipped; is the generator used up?",
            stacklevel=3,
        )
    return [p.grad for p in params if p.grad is not None]
