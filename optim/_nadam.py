r"""NAdam: Adam with Nesterov's look ahead.

With gradient g (negated to maximize, plus weight_decay * p unless decoupled), step t, betas
(b1, b2), momentum decay psi, and mu(t) = b1 * (1 - 0.96**(t * psi) / 2), M(t) = mu(1) ... mu(t):

    m <- b1 * m + (1 - b1) * g                     v <- b2 * v + (1 - b2) * g**2
    p <- p - lr * ((1 - mu(t)) / (1 - M(t)) * g + mu(t+1) / (1 - M(t+1)) * m)
                / (sqrt(v / (1 - b2**t)) + eps)

References:
    Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016, algorithm 2.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from optim._adam import update_moments
from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam with Nesterov momentum.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = NAdam([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data.round(4)
        array([3.4718])
    """

    lr: float = option("learning rate", default=2e-3)
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
    momentum_decay: float = option("psi, how fast the momentum rises to b1", default=4e-3)
    decoupled_weight_decay: bool = option(
        "multiply the weights by (1 - lr * weight_decay) instead", default=False
    )
    maximize: bool = option("go uphill", default=False, kw_only=True)

    scalars: ClassVar = {"step": 0, "mu_product": 1.0}

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """Return the running means of the gradient and of its square."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def advance(self, scalars: State, group: Mapping[str, Any]) -> None:
        """Count the step, and take its momentum into the product."""
        scalars["step"] += 1
        scalars["mu_product"] *= _momentum(scalars["step"], group)

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        work, root = scratch[1:]
        lr, step, product = group["lr"], state["step"], state["mu_product"]
        decoupled = group["decoupled_weight_decay"]
        g = penalised(p, g, group, out=scratch[0], decoupled=decoupled)
        update_moments(g, state, group, work)
        np.sqrt(state["exp_avg_sq"], out=root)
        root /= math.sqrt(1 - group["betas"][1] ** step)
        root += group["eps"]
        ahead = _momentum(step + 1, group)
        np.multiply(g, lr * (1 - _momentum(step, group)) / (1 - product), out=work)
        work /= root
        p -= work
        np.divide(state["exp_avg"], root, out=work)
        work *= lr * ahead / (1 - product * ahead)
        p -= work


def _momentum(step: int, group: Mapping[str, Any]) -> float:
    """Return mu(step)."""
    return float(group["betas"][0] * (1 - 0.5 * 0.96 ** (step * group["momentum_decay"])))
