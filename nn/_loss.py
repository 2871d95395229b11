"""Loss layers: a reduction and arguments; `nn.functional` computes, and states shapes and errors.

All are called as `loss(input, target)`. Class weights and other constant arrays are buffers, as in
PyTorch.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from autograd import Variable
from nn import functional
from nn._module import Module
from nn.functional._loss import check_reduction


class _Loss(Module):
    """Base of all losses.

    Args:
        reduction: "mean", "sum" or "none".
    """

    _reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none")
    weight: Any
    pos_weight: Any

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:  # noqa: ARG004 - those of __init__
        """Refuse what a loss is called with as what it is made with."""
        if len(args) > 1 and isinstance(args[0], Variable | np.ndarray) and np.ndim(args[1]):
            raise TypeError(
                f"{cls.__name__}: wanted options, got arrays; make the loss first, as in "
                f"nn.{cls.__name__}()(prediction, target)"
            )
        return super().__new__(cls)

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        if not isinstance(reduction, str):
            raise TypeError(
                f"{type(self).__name__}: wanted a reduction as text, got "
                f"{type(reduction).__name__}; make the loss first, as in "
                f"nn.{type(self).__name__}()(prediction, target)"
            )
        check_reduction(type(self).__name__, reduction, self._reductions)
        self.reduction = reduction

    def extra_repr(self) -> str:
        """Return the reduction."""
        return f"reduction={self.reduction!r}"


class MSELoss(_Loss):
    """The squared difference (input - target)^2, its mean by default.

    Example:
        >>> import numpy as np, nn
        >>> nn.MSELoss(reduction="sum")(np.array([1.0, 2.0]), [1.0, 4.0])
        np.float64(4.0)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of `input` against `target`, of equal shapes."""
        return functional.mse_loss(input, target, self.reduction)


class L1Loss(_Loss):
    """The absolute difference |input - target|, its mean by default."""

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of `input` against `target`, of equal shapes."""
        return functional.l1_loss(input, target, self.reduction)


class HuberLoss(_Loss):
    """d^2 / 2 up to the distance `delta`, a line from there on.

    Args:
        reduction: "mean", "sum" or "none".
        delta: where the parabola turns into a line, positive.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of `input` against `target`, of equal shapes."""
        return functional.huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(_Loss):
    """d^2 / (2 beta) below the distance `beta`, d - beta / 2 from there on.

    Args:
        reduction: "mean", "sum" or "none".
        beta: where the parabola turns into a line; 0 gives the L1 loss.
    """

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of `input` against `target`, of equal shapes."""
        return functional.smooth_l1_loss(input, target, self.reduction, self.beta)


class CrossEntropyLoss(_Loss):
    """Minus the log-probability of the target class under softmax(input): a classifier's loss.

    Args:
        weight: one weight per class.
        ignore_index: a class index that does not count.
        reduction: "mean", "sum" or "none".
        label_smoothing: part of each target, from 0 to 1, that is spread evenly over all classes.

    Shape:
        input (C,), (N, C) or (N, C, ...); target: class indices without the C axis, or
        probabilities of the input's shape.

    Example:
        >>> import numpy as np, nn
        >>> logits = nn.Parameter([[2.0, 0.0, 0.0]])
        >>> nn.CrossEntropyLoss()(logits, [0]).backward()
        >>> logits.grad.round(2)
        array([[-0.21,  0.11,  0.11]], dtype=float32)
    """

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of the logits `input` against `target`."""
        return functional.cross_entropy(
            input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class NLLLoss(_Loss):
    """Minus the log-probability of the target class, where `input` holds log-probabilities.

    Args:
        weight: one weight per class.
        ignore_index: a class index that does not count.
        reduction: "mean", "sum" or "none".

    Shape:
        input (C,), (N, C) or (N, C, ...); target: class indices without the C axis.
    """

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of the log-probabilities `input` against `target`."""
        return functional.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class BCELoss(_Loss):
    """-(target log(input) + (1 - target) log(1 - input)), where `input` holds probabilities.

    Args:
        weight: rescales the elements; broadcasts to the shape.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of the probabilities `input` against `target`, of equal shapes."""
        return functional.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(_Loss):
    """The binary cross entropy of sigmoid(input), without rounding probabilities to 0 or 1.

    Args:
        weight: rescales the elements; broadcasts to the shape.
        reduction: "mean", "sum" or "none".
        pos_weight: multiplies the term of the positive class; broadcasts to the shape.
    """

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of the logits `input` against `target`, of equal shapes."""
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, self.reduction, self.pos_weight
        )


class KLDivLoss(_Loss):
    """target (log(target) - input), where `input` holds log-probabilities.

    Args:
        reduction: "batchmean" (the divergence by its definition, mean over samples), "mean" (over
            all elements), "sum" or "none".
        log_target: whether targets are log-probabilities, too.
    """

    _reductions = ("mean", "batchmean", "sum", "none")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of the log-probabilities `input` against `target`, of equal shapes."""
        return functional.kl_div(input, target, self.reduction, self.log_target)
