r"""RAdam: Adam that waits until the second mean is worth dividing by.

With gradient g (negated to maximize, plus weight_decay * p unless decoupled), step t and betas
(b1, b2):

    m <- b1 * m + (1 - b1) * g                     v <- b2 * v + (1 - b2) * g**2
    r  = 2 / (1 - b2) - 1                          s  = r - 2 * t * b2**t / (1 - b2**t)
    q  = sqrt((s - 4) * (s - 2) * r / ((r - 4) * (r - 2) * s))
    p <- p - lr * m / (1 - b1**t) * q * sqrt(1 - b2**t) / (sqrt(v) + eps)     if s > 5
    p <- p - lr * m / (1 - b1**t)                                             otherwise

References:
    Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020, algorithm 2.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optim._adam import update_moments
from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["RAdam"]


class RAdam(Optimizer):
    """Rectified Adam.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = RAdam([x], lr=0.25)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data.round(4)
        array([2.])
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
    weight_decay: float = option(
        "factor of the L2 penalty's gradient, or of the decay", default=0.0
    )
    decoupled_weight_decay: bool = option(
        "multiply the weights by (1 - lr * weight_decay) instead", default=False
    )
    maximize: bool = option("go uphill", default=False, kw_only=True)

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """Return the running means of the gradient and of its square."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        work = scratch[1]
        beta1, beta2 = group["betas"]
        step = state["step"]
        decoupled = group["decoupled_weight_decay"]
        g = penalised(p, g, group, out=scratch[0], decoupled=decoupled)
        update_moments(g, state, group, work)
        factor = group["lr"] / (1 - beta1**step)
        r = 2 / (1 - beta2) - 1
        s = r - 2 * step * beta2**step / (1 - beta2**step)
        if s > 5:
            factor *= math.sqrt((s - 4) * (s - 2) * r / ((r - 4) * (r - 2) * s))
            factor *= math.sqrt(1 - beta2**step)
            np.sqrt(state["exp_avg_sq"], out=work)
            work += group["eps"]
            np.divide(state["exp_avg"], work, out=work)
            work *= factor
        else:
            np.multiply(state["exp_avg"], factor, out=work)
        p -= work
