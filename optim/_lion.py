r"""Lion: the sign of a momentum, with decoupled weight decay.

With gradient g (negated to maximize) and betas (b1, b2):

    p <- p - lr * weight_decay * p
    p <- p - lr * sign(b1 * m + (1 - b1) * g)
    m <- b2 * m + (1 - b2) * g

References:
    Chen et al., Symbolic discovery of optimization algorithms, NeurIPS 2023, algorithm 2.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["Lion"]


class Lion(Optimizer):
    """Evolved sign momentum: half the state of Adam, and steps of one length.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = Lion([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data.round(4)
        array([3.5])
    """

    lr: float = option("learning rate, about a tenth of what Adam would take", default=1e-4)
    betas: tuple[float, float] = option(
        "share of the momentum in the step, and its decay", default=(0.9, 0.99), below=1.0
    )
    weight_decay: float = option(
        "each step multiplies the weights by (1 - lr * weight_decay)", default=0.0
    )
    maximize: bool = option("go uphill", default=False, kw_only=True)

    scalars: ClassVar = {}

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """Return the momentum."""
        return {"exp_avg": 0.0}

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        work, direction = scratch[1:]
        beta1, beta2 = group["betas"]
        mean = state["exp_avg"]
        g = penalised(p, g, group, out=scratch[0], decoupled=True)
        np.multiply(mean, beta1, out=direction)
        direction += np.multiply(g, 1 - beta1, out=work)
        np.sign(direction, out=direction)
        direction *= group["lr"]
        p -= direction
        mean *= beta2
        mean += np.multiply(g, 1 - beta2, out=work)
