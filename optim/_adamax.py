r"""Adamax: Adam with the largest gradient in place of the root mean square.

With gradient g (negated to maximize, plus weight_decay * p), step t and betas (b1, b2):

    m <- b1 * m + (1 - b1) * g
    u <- max(b2 * u, |g| + eps)
    p <- p - lr / (1 - b1**t) * m / u

References:
    Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 2.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam with the largest gradient in place of the root mean square.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = Adamax([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data.round(4)
        array([3.5])
    """

    lr: float = option("learning rate", default=2e-3)
    betas: tuple[float, float] = option(
        "decay of the running mean and of the running maximum",
        default=(0.9, 0.999),
        below=1.0,
    )
    eps: float = option("added to |g|, so that the quotient stays finite", default=1e-8)
    weight_decay: float = option("factor of the L2 penalty's gradient", default=0.0)
    maximize: bool = option("go uphill", default=False, kw_only=True)

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """Return the running mean and the running maximum."""
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        g = penalised(p, g, group, out=scratch[0])
        work = scratch[1]
        beta1, beta2 = group["betas"]
        mean, largest = state["exp_avg"], state["exp_inf"]
        mean *= beta1
        mean += np.multiply(g, 1 - beta1, out=work)
        np.abs(g, out=work)
        work += group["eps"]
        largest *= beta2
        np.maximum(largest, work, out=largest)
        np.divide(mean, largest, out=work)
        work *= group["lr"] / (1 - beta1 ** state["step"])
        p -= work
