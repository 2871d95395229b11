r"""Stochastic gradient descent with momentum.

With gradient g (negated to maximize), momentum mu, dampening tau and learning rate lr:

    g <- g + weight_decay * p + weight_decay_l1 * sign(p)
    b <- mu * b + (1 - tau) * g          (b = g at the first step)
    d  = g + mu * b  if nesterov else  b
    p <- p - lr * d

References:
    Polyak, Some methods of speeding up the convergence of iteration methods, 1964 (momentum).
    Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep
    learning, ICML 2013, equations 3 and 4 (Nesterov's form).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, optionally with momentum and weight decay.

    The learning rate is factored out of the momentum buffer, as in PyTorch and unlike Sutskever
    et al., so that a change of `lr` acts at once.

    Raises:
        ValueError: an option outside its interval, or `nesterov` without momentum.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = SGD([x], lr=0.25)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data
        array([2.])
    """

    lr: float = option("learning rate", default=1e-3)
    momentum: float = option("factor of the previous direction, 0 for none", default=0.0)
    dampening: float = option(
        "takes (1 - dampening) of each new gradient into the momentum buffer",
        default=0.0,
        low=-math.inf,
    )
    weight_decay: float = option(
        "factor of the L2 penalty's gradient, that of weight_decay / 2 * sum(p**2)", default=0.0
    )
    nesterov: bool = option(
        "look one momentum step ahead; wants momentum > 0 and dampening = 0", default=False
    )
    maximize: bool = option("go uphill", default=False, kw_only=True)
    weight_decay_l1: float = option(
        "factor of the L1 penalty's gradient, that of weight_decay_l1 * sum(|p|); 0 is its "
        "subgradient at p = 0",
        default=0.0,
        kw_only=True,
    )

    # Its checkpoints do not count: that a buffer exists means that it has been filled once.
    assumed: ClassVar = {"step": 1}

    def check_group(self, group: Mapping[str, Any]) -> None:
        """Refuse Nesterov's form where its formula does not hold."""
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                "SGD: nesterov wants momentum > 0 and dampening = 0, got "
                f"momentum={group['momentum']!r} and dampening={group['dampening']!r}"
            )

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the momentum buffer, where there is momentum."""
        return {"momentum_buffer": 0.0} if group["momentum"] != 0 else {}

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        work, temporary, _ = scratch
        g = penalised(p, g, group, out=work)
        if group["weight_decay_l1"] != 0:
            np.sign(p, out=temporary)
            temporary *= group["weight_decay_l1"]
            g = np.add(g, temporary, out=work)
        if group["momentum"] != 0:
            buffer = state["momentum_buffer"]
            if state["step"] == 1:
                buffer[...] = g
            else:
                buffer *= group["momentum"]
                if group["dampening"] == 0:
                    buffer += g
                else:
                    buffer += np.multiply(g, 1 - group["dampening"], out=temporary)
            if group["nesterov"]:
                np.multiply(buffer, group["momentum"], out=temporary)
                g = np.add(g, temporary, out=work)
            else:
                g = buffer
        p -= np.multiply(g, group["lr"], out=work)
