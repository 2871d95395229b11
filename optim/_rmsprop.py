r"""RMSprop: divide the gradient by the root of a running mean of its square.

With gradient g (negated to maximize, plus weight_decay * p):

    v <- alpha * v + (1 - alpha) * g**2
    a <- alpha * a + (1 - alpha) * g,  r = sqrt(v - a**2)      if centered, else  r = sqrt(v)
    b <- momentum * b + g / (r + eps),  p <- p - lr * b        with momentum
    p <- p - lr * g / (r + eps)                                without

References:
    Hinton, Neural networks for machine learning, lecture 6e, 2012.
    Graves, Generating sequences with recurrent neural networks, arXiv 1308.0850, 2013, equations
    38 to 45 (centered, with momentum; there eps stands under the root).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop, optionally centered and with momentum.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = RMSprop([x], lr=0.1, alpha=0.75)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data
        array([3.8])
    """

    lr: float = option("learning rate", default=1e-2)
    alpha: float = option("decay of the running means", default=0.99)
    eps: float = option("added to the root", default=1e-8)
    weight_decay: float = option("factor of the L2 penalty's gradient", default=0.0)
    momentum: float = option("factor of the previous direction, 0 for none", default=0.0)
    centered: bool = option(
        "divide by the running standard deviation instead of the root mean square", default=False
    )
    maximize: bool = option("go uphill", default=False, kw_only=True)

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the running means and the momentum buffer, as far as the options use them."""
        used = {
            "square_avg": True,
            "momentum_buffer": group["momentum"] > 0,
            "grad_avg": group["centered"],
        }
        return {name: 0.0 for name, wanted in used.items() if wanted}

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        g = penalised(p, g, group, out=scratch[0])
        work, root = scratch[1:]
        alpha = group["alpha"]
        square = state["square_avg"]
        np.multiply(g, g, out=work)
        work *= 1 - alpha
        square *= alpha
        square += work
        if group["centered"]:
            mean = state["grad_avg"]
            mean *= alpha
            mean += np.multiply(g, 1 - alpha, out=work)
            np.multiply(mean, mean, out=work)
            np.subtract(square, work, out=root)
            # Where the variance is below what rounding leaves of it, the difference is noise, and
            # may be negative: with a constant gradient, nan after a thousand steps.
            np.multiply(square, np.finfo(square.dtype).eps, out=work)
            np.maximum(root, work, out=root)
            np.sqrt(root, out=root)
        else:
            np.sqrt(square, out=root)
        root += group["eps"]
        direction = np.divide(g, root, out=root)
        if group["momentum"] > 0:
            buffer = state["momentum_buffer"]
            buffer *= group["momentum"]
            buffer += direction
            direction = buffer
        p -= np.multiply(direction, group["lr"], out=work)
