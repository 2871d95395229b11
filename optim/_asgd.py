r"""ASGD: stochastic gradient descent that keeps the average of its points.

With gradient g (negated to maximize, plus weight_decay * p) and step t, where eta = lr and mu = 1
at the first step:

    p   <- p - eta * lambd * p - eta * g
    ax  <- ax + mu * (p - ax)            (ax = p while mu = 1)
    eta <- lr / (1 + lambd * lr * t)**alpha
    mu  <- 1 / max(1, t - t0)

References:
    Polyak and Juditsky, Acceleration of stochastic approximation by averaging, SIAM Journal on
    Control and Optimization 30, 1992.
    Bottou, Stochastic gradient descent tricks, 2012, section 5 (the schedules of eta and mu).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["ASGD"]


class ASGD(Optimizer):
    """Averaged stochastic gradient descent; the average is `state[p]["ax"]`.

    As in PyTorch, the parameters are the points themselves: copy the average into them when
    training is over.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = ASGD([x], lr=0.25, lambd=0.0, t0=1)
        >>> for _ in range(4):
        ...     optimizer.zero_grad()
        ...     (x * x).sum().backward()
        ...     optimizer.step()
        >>> x.data, optimizer.state[x]["ax"]
        (array([0.25]), array([0.375]))
    """

    lr: float = option("learning rate of the first step", default=1e-2)
    lambd: float = option("decay of the weights, and of the rate", default=1e-4)
    alpha: float = option("exponent of the rate's decay", default=0.75)
    t0: float = option("step after which the average begins", default=1e6)
    weight_decay: float = option("factor of the L2 penalty's gradient", default=0.0)
    maximize: bool = option("go uphill", default=False, kw_only=True)

    scalars: ClassVar = {"step": 0, "eta": 0.0, "mu": 1.0}

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """Return the average of the points."""
        return {"ax": 0.0}

    def advance(self, scalars: State, group: Mapping[str, Any]) -> None:
        """Count the step; the first one has the rate `lr`."""
        if scalars["step"] == 0:
            scalars["eta"] = group["lr"]
        scalars["step"] += 1

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        g = penalised(p, g, group, out=scratch[0])
        work, average, eta = scratch[1], state["ax"], state["eta"]
        p *= 1 - group["lambd"] * eta
        p -= np.multiply(g, eta, out=work)
        if state["mu"] == 1:
            average[...] = p
        else:
            np.subtract(p, average, out=work)
            work *= state["mu"]
            average += work

    def conclude(self, scalars: State, group: Mapping[str, Any]) -> None:
        """Move eta and mu on."""
        step, lr = scalars["step"], group["lr"]
        scalars["eta"] = lr / (1 + group["lambd"] * lr * step) ** group["alpha"]
        scalars["mu"] = 1 / max(1, step - group["t0"])
