r"""Adagrad: divide the gradient by the root of the sum of its squares so far.

With gradient g (negated to maximize, plus weight_decay * p) and step t:

    s <- s + g**2
    p <- p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

References:
    Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic
    optimization, JMLR 12, 2011, equation 1 with the diagonal of G.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Adagrad: frequent features take smaller and smaller steps.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = Adagrad([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data
        array([3.5])
    """

    lr: float = option("learning rate", default=1e-2)
    lr_decay: float = option(
        "the learning rate of step t is lr / (1 + (t - 1) * lr_decay)", default=0.0
    )
    weight_decay: float = option("factor of the L2 penalty's gradient", default=0.0)
    initial_accumulator_value: float = option("where the sum of squares starts", default=0.0)
    eps: float = option("added to the root", default=1e-10)
    maximize: bool = option("go uphill", default=False, kw_only=True)

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the sum of squares."""
        return {"sum": group["initial_accumulator_value"]}

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        g = penalised(p, g, group, out=scratch[0])
        work = scratch[1]
        total = state["sum"]
        total += np.multiply(g, g, out=work)
        np.sqrt(total, out=work)
        work += group["eps"]
        np.divide(g, work, out=work)
        work *= group["lr"] / (1 + (state["step"] - 1) * group["lr_decay"])
        p -= work
