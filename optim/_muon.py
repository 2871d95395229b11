r"""Muon: momentum whose matrices are made orthogonal.

With gradient g of a matrix of shape (n, m) and momentum mu:

    b <- mu * b + (1 - mu) * g
    o  = orthogonal(g + mu * (b - g)  if nesterov else  b)
    p <- p - lr * weight_decay * p
    p <- p - lr * ratio * o            ratio = sqrt(max(1, n / m)), or 0.2 * sqrt(max(n, m))

`orthogonal` moves all singular values near to 1 by a few steps of an iteration of Newton and
Schulz, x <- A x + (B s + C s**2) x with s = x x.T, from x / norm(x).

References:
    Jordan, Muon: an optimizer for hidden layers in neural networks, 2024,
    https://kellerjordan.github.io/posts/muon/ (the iteration, and the first ratio).
    Liu et al., Muon is scalable for LLM training, arXiv 2502.16982, 2025, equation 4 (the other).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd import Variable
from autograd.arrays import number
from optim._optimizer import Optimizer
from optim._options import option
from optim._runs import Array, State

__all__ = ["Muon"]


class Muon(Optimizer):
    """Muon, for the matrices of hidden layers; vectors and embeddings go to another optimizer.

    The iteration runs in the dtype of the parameter, where PyTorch's rounds to bfloat16.

    Raises:
        ValueError: an option outside its interval, or a parameter that is no real matrix.

    Example:
        >>> from autograd import Variable
        >>> w = Variable(np.diag([4.0, 0.04]), requires_grad=True)
        >>> optimizer = Muon([w], lr=0.5, weight_decay=0.0)
        >>> (w * w).sum().backward()
        >>> optimizer.step()  # about the same way along both axes
        >>> w.data.round(1)
        array([[ 3.7,  0. ],
               [ 0. , -0.3]])
    """

    lr: float = option("learning rate", default=1e-3)
    weight_decay: float = option(
        "each step multiplies the weights by (1 - lr * weight_decay)", default=0.1
    )
    momentum: float = option("share of the previous momentum in the next", default=0.95)
    nesterov: bool = option("look one momentum step ahead", default=True)
    ns_coefficients: tuple[float, float, float] = option(
        "A, B and C of the iteration", default=(3.4445, -4.775, 2.0315), low=-math.inf
    )
    eps: float = option("the least norm to divide by", default=1e-7)
    ns_steps: int = option("number of iterations, below 100", default=5, below=100, whole=True)
    adjust_lr_fn: str | None = option(
        "the ratio: 'original' (as None), the first, or 'match_rms_adamw', the second, with which "
        "the learning rate and decay of AdamW fit",
        default=None,
        choices=("original", "match_rms_adamw"),
    )

    scalars: ClassVar = {}
    elementwise: ClassVar = False

    def check_shape(self, label: str, parameter: Variable) -> None:
        """Refuse all but real matrices."""
        if parameter.ndim != 2 or parameter.dtype.kind == "c":
            raise ValueError(
                f"Muon: wanted real matrices (2 axes), got shape {parameter.shape} and dtype "
                f"{parameter.dtype} in {label}; give the others to AdamW: "
                "[p for p in model.parameters() if p.ndim != 2]"
            )

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """Return the momentum."""
        return {"momentum_buffer": 0.0}

    def update(
        self,
        p: Array,
        g: Array,
        state: State,
        group: dict[str, Any],
        scratch: Sequence[Array],  # noqa: ARG002
    ) -> None:
        """Apply the formula at the top of this file."""
        if p.size == 0:
            return
        lr, momentum, buffer = group["lr"], group["momentum"], state["momentum_buffer"]
        work = g - buffer
        work *= 1 - momentum
        buffer += work
        if group["nesterov"]:
            np.subtract(buffer, g, out=work)
            work *= momentum
            work += g
        else:
            work[...] = buffer
        step = _orthogonal(work, group["ns_coefficients"], group["ns_steps"], group["eps"])
        n, m = p.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            lr *= 0.2 * math.sqrt(max(n, m))
        else:
            lr *= math.sqrt(max(1.0, n / m))
        p *= 1 - group["lr"] * group["weight_decay"]
        step *= lr
        p -= step


def _orthogonal(x: Array, coefficients: tuple[float, ...], steps: int, eps: float) -> Array:
    """Return U V.T for x = U S V.T, roughly; `x` is overwritten."""
    if x.shape[0] > x.shape[1]:  # the smaller of x x.T and x.T x
        return _orthogonal(x.T, coefficients, steps, eps).T
    a, b, c = coefficients
    x /= max(number(np.linalg.norm(x)), eps)
    for _ in range(steps):
        square = x @ x.T
        polynomial = square @ square
        polynomial *= c
        square *= b
        polynomial += square
        new = polynomial @ x
        x *= a
        new += x
        x = new
    return x
