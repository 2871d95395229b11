r"""Rprop: each element has a step size of its own, and only the sign of the gradient counts.

With gradient g (negated to maximize), the one before h, and etas (a, b) with a < 1 < b:

    s <- clip(s * b if g * h > 0, s * a if g * h < 0, else s)         (s = lr at first)
    g <- 0 where g * h < 0
    p <- p - s * sign(g)

References:
    Riedmiller and Braun, A direct adaptive method for faster backpropagation learning: the RPROP
    algorithm, ICNN 1993. Without going back after a change of sign, as in Igel and Huesken,
    Improving the Rprop learning algorithm, 2000 (iRprop-).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from optim._optimizer import Optimizer, penalised
from optim._options import option
from optim._runs import Array, State

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Resilient propagation; for whole data sets, not for batches.

    Raises:
        ValueError: an option outside its interval.

    Example:
        >>> from autograd import Variable
        >>> x = Variable([4.0], requires_grad=True)
        >>> optimizer = Rprop([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data.round(4)
        array([3.5])
    """

    lr: float = option("first step size", default=1e-2)
    etas: tuple[float, float] = option(
        "factors of the step size where the gradient changed its sign, and where it did not",
        default=(0.5, 1.2),
    )
    step_sizes: tuple[float, float] = option("smallest and largest step size", default=(1e-6, 50.0))
    maximize: bool = option("go uphill", default=False, kw_only=True)

    def check_group(self, group: Mapping[str, Any]) -> None:
        """Check that one eta shrinks and the other one grows, and that sizes are in order."""
        low, high = group["etas"]
        if not 0 < low < 1 < high:
            raise ValueError(f"Rprop: wanted etas with 0 < first < 1 < second, got {low}, {high}")
        low, high = group["step_sizes"]
        if low > high:
            raise ValueError(f"Rprop: wanted step_sizes in order, got {low}, {high}")

    anywhere: ClassVar = False  # `where=` is NumPy's own

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:
        """Return the gradient before, and the step sizes."""
        return {"prev": 0.0, "step_size": group["lr"]}

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Apply the formula at the top of this file."""
        work = scratch[1]
        g = penalised(p, g, group, out=scratch[0])
        before, size = state["prev"], state["step_size"]
        np.multiply(g, before, out=work)
        turned = work < 0
        np.multiply(size, group["etas"][1], out=size, where=work > 0)
        np.multiply(size, group["etas"][0], out=size, where=turned)
        np.clip(size, *group["step_sizes"], out=size)
        before[...] = g
        before[turned] = 0
        np.sign(before, out=work)
        work *= size
        p -= work
