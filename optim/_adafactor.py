r"""Adafactor: squared gradients remembered by rows and columns, steps in the units of the weights.

With gradient g (negated to maximize) of a matrix of shape (n, m), or of a stack of them, step t,
s = t**beta2_decay, RMS(x) = sqrt(mean(x**2)) and eps = (e1, e2):

    a  = max(e2, RMS(p)) * min(lr, 1 / sqrt(t))
    p <- p - lr * weight_decay * p
    r <- r + s * (mean of g**2 over columns - r)                    shape (n, 1)
    c <- c + s * (mean of g**2 over rows - c)                       shape (1, m)
    v  = r * c / max(mean(r), e1)          (of a vector: v <- v + s * (g**2 - v))
    u  = g / max(sqrt(v), e1)
    p <- p - a * u / max(1, RMS(u) / d)

References:
    Shazeer and Stern, Adafactor: adaptive learning rates with sublinear memory cost, ICML 2018,
    algorithms 4 and 5. As PyTorch: means for sums, e1 as a floor instead of an addend of g**2, and
    lr where they have 0.01.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd import Variable
from autograd.arrays import number
from optim._optimizer import Optimizer
from optim._options import option
from optim._runs import Array, State

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adafactor, whose state has n + m numbers for a matrix of n * m.

    Raises:
        ValueError: an option outside its interval, or a complex parameter.

    Example:
        >>> from autograd import Variable
        >>> x = Variable(np.full((3, 2), 4.0), requires_grad=True)
        >>> optimizer = Adafactor([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.data[0]
        array([2., 2.])
        >>> {name: np.shape(value) for name, value in optimizer.state[x].items()}
        {'step': (), 'row_var': (3, 1), 'col_var': (1, 2)}
    """

    lr: float = option("the largest relative step, and the factor of the decay", default=1e-2)
    beta2_decay: float = option(
        "step t takes the share t**beta2_decay of the new squared gradient; at most 0",
        default=-0.8,
        low=-math.inf,
    )
    eps: tuple[float | None, float] = option(
        "floors of the root of the second mean (None: the machine epsilon of the dtype) and of "
        "RMS(p)",
        default=(None, 1e-3),
    )
    d: float = option("steps with a larger RMS are scaled down to it", default=1.0, low=1.0)
    weight_decay: float = option(
        "each step multiplies the weights by (1 - lr * weight_decay)", default=0.0
    )
    maximize: bool = option("go uphill", default=False, kw_only=True)

    elementwise: ClassVar = False

    def check_group(self, group: Mapping[str, Any]) -> None:
        """Refuse shares that grow."""
        if group["beta2_decay"] > 0:
            raise ValueError(f"Adafactor: wanted beta2_decay <= 0, got {group['beta2_decay']!r}")

    def check_shape(self, label: str, parameter: Variable) -> None:
        """Refuse complex numbers."""
        if parameter.dtype.kind == "c":
            raise ValueError(
                f"Adafactor: wanted real parameters, got {parameter.dtype} in {label}; give it to "
                "another optimizer"
            )

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """Return the means of squared gradients: of rows and of columns, or of elements."""
        return {"row_var": 0.0, "col_var": 0.0, "variance": 0.0}

    def shape_of(self, buffer: str, parameter: Variable) -> tuple[int, ...] | None:
        """Return (..., n, 1) and (..., 1, m) for matrices, all elements for vectors."""
        shape = parameter.shape
        if len(shape) > 1:
            shapes = {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}
        else:
            shapes = {"variance": shape}
        return shapes.get(buffer)

    def update(
        self,
        p: Array,
        g: Array,
        state: State,
        group: dict[str, Any],
        scratch: Sequence[Array],  # noqa: ARG002
    ) -> None:
        """Apply the formula at the top of this file."""
        if p.size == 0:
            return
        lr, (tiny, least) = group["lr"], group["eps"]
        if tiny is None:
            tiny = float(np.finfo(p.dtype).eps)
        share = state["step"] ** group["beta2_decay"]
        size = max(least, _rms(p)) * min(lr, 1 / math.sqrt(state["step"]))
        if group["weight_decay"] != 0:
            p *= 1 - lr * group["weight_decay"]
        work = np.multiply(g, g, out=np.empty_like(p))
        if p.ndim > 1:
            row, column = state["row_var"], state["col_var"]
            row += share * (work.mean(-1, keepdims=True) - row)
            column += share * (work.mean(-2, keepdims=True) - column)
            np.multiply(row, column, out=work)
            work /= np.maximum(row.mean(-2, keepdims=True), tiny)
        else:
            variance = state["variance"]
            work -= variance
            work *= share
            variance += work
            work[...] = variance
        np.maximum(work, tiny * tiny, out=work)
        np.sqrt(work, out=work)
        np.divide(g, work, out=work)
        work *= (-size if group["maximize"] else size) / max(1.0, _rms(work) / group["d"])
        p -= work


def _rms(x: Array) -> float:
    flat = x.reshape(-1)
    return math.sqrt(number(np.dot(flat, flat)) / flat.size)
