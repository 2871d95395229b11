r"""Adadelta: steps in the units of the parameter.

With gradient g (negated to maximize, plus weight_decay * p):

    v <- rho * v + (1 - rho) * g**2
    d  = sqrt(u + eps) / sqrt(v + eps) * g
    u <- rho * u + (1 - rho) * d**2
    p <- p - lr * d

References:
    Zeiler, Adadelta: an adaptive learning rate method, arXiv 1212.5701, 2012, algorithm 1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Adadelta, which needs no learning rate: leave it at 1.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = Adadelta([x], eps=1.0)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data.round(4)
        array([1.0591])
    """

    lr: float = option("factor of the step", default=1.0)
    rho: float = option(
        "decay of the running means of the squares of gradients and of steps",
        default=0.9,
        below=1.0,
    )
    eps: float = option("under both roots, so that the first steps are not 0", default=1e-6)
    weight_decay: float = option("factor of the L2 penalty's gradient", default=0.0)
    maximize: bool = option("go uphill", default=False, kw_only=True)

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """Return the running means of squared gradients and of squared steps."""
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        g = penalised(p, g, group, out=scratch[0])
        work, direction = scratch[1:]
        rho, eps = group["rho"], group["eps"]
        square, travelled = state["square_avg"], state["acc_delta"]
        np.multiply(g, g, out=work)
        work *= 1 - rho
        square *= rho
        square += work
        np.add(square, eps, out=work)
        np.add(travelled, eps, out=direction)
        direction /= work
        np.sqrt(direction, out=direction)
        direction *= g
        np.multiply(direction, direction, out=work)
        work *= 1 - rho
        travelled *= rho
        travelled += work
        p -= np.multiply(direction, group["lr"], out=work)
