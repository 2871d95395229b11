r"""Adam: step sizes from running means of the gradient and of its square.

With gradient g (negated to maximize, plus weight_decay * p), step t and betas (b1, b2):

    m <- b1 * m + (1 - b1) * g                     v <- b2 * v + (1 - b2) * g**2
    p <- p - lr * (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + eps)

With amsgrad, the largest v so far stands in its place.

References:
    Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.
    Reddi, Kale and Kumar, On the convergence of Adam and beyond, ICLR 2018, algorithm 2 (amsgrad).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["Adam", "follow_moments", "update_moments"]


class Adam(Optimizer):
    """Adam, with weight decay as an L2 penalty; `AdamW` decays the weights directly.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = Adam([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data
        array([3.5])
    """

    lr: float = option("learning rate", default=1e-3)
    betas: tuple[float, float] = option(
        "decay of the running means of the gradient and of its square",
        default=(0.9, 0.999),
        below=1.0,
    )
    eps: float = option(
        "added to the root of the second mean, so that the quotient stays finite", default=1e-8
    )
    weight_decay: float = option("factor of the L2 penalty's gradient", default=0.0)
    amsgrad: bool = option("divide by the largest second mean so far", default=False)
    maximize: bool = option("go uphill", default=False, kw_only=True)
    decoupled_weight_decay: bool = option(
        "multiply the weights by (1 - lr * weight_decay) instead, which is AdamW",
        default=False,
        kw_only=True,
    )

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the two running means, and the largest second one with amsgrad."""
        names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
        return dict.fromkeys(names if group["amsgrad"] else names[:2], 0.0)

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        decoupled = group["decoupled_weight_decay"]
        g = penalised(p, g, group, out=scratch[0], decoupled=decoupled)
        update_moments(g, state, group, scratch[1])
        follow_moments(p, state, group, scratch[1])


def update_moments(g: Array, state: State, group: Mapping[str, Any], work: Array) -> None:
    """Take a gradient into the running means of g and g**2; `g` may not be `work`."""
    beta1, beta2 = group["betas"]
    mean, square = state["exp_avg"], state["exp_avg_sq"]
    mean *= beta1
    mean += np.multiply(g, 1 - beta1, out=work)
    np.multiply(g, g, out=work)
    work *= 1 - beta2
    square *= beta2
    square += work


def follow_moments(p: Array, state: State, group: Mapping[str, Any], work: Array) -> None:
    """Subtract lr * (m / correction1) / (sqrt(v / correction2) + eps) from `p`.

    Numerator and denominator are multiplied by sqrt(correction2), which turns one pass over the
    arrays into a factor of two numbers.
    """
    beta1, beta2 = group["betas"]
    square = state["exp_avg_sq"]
    if group["amsgrad"]:
        largest = state["max_exp_avg_sq"]
        square = np.maximum(largest, square, out=largest)
    root = math.sqrt(1 - beta2 ** state["step"])
    np.sqrt(square, out=work)
    work += group["eps"] * root
    np.divide(state["exp_avg"], work, out=work)
    work *= group["lr"] * root / (1 - beta1 ** state["step"])
    p -= work
