"""Loss layers: a reduction and arguments; `nn.functional` computes, and states shapes and errors.

All are called as `loss(input, target)`. Class weights and other constant arrays are buffers, as in
PyTorch.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np

from autograd import Variable
from nn import functional
from nn._linear import Linear
from nn._module import Module
from nn.functional._loss import check_reduction

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LinearCrossEntropyLoss",
    "Loss",
    "MSELoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


class Loss(Module):
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


class MSELoss(Loss):
    """The squared difference (input - target)^2, its mean by default.

    Example:
        >>> import numpy as np, nn
        >>> nn.MSELoss(reduction="sum")(np.array([1.0, 2.0]), [1.0, 4.0])
        np.float64(4.0)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of `input` against `target`, of equal shapes."""
        return functional.mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """The absolute difference |input - target|, its mean by default."""

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of `input` against `target`, of equal shapes."""
        return functional.l1_loss(input, target, self.reduction)


class HuberLoss(Loss):
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


class SmoothL1Loss(Loss):
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


class CrossEntropyLoss(Loss):
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


class NLLLoss(Loss):
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


class BCELoss(Loss):
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


class BCEWithLogitsLoss(Loss):
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


class KLDivLoss(Loss):
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


class PoissonNLLLoss(Loss):
    """rate - target log(rate), for counts that are distributed as Poisson(rate).

    Args:
        log_input: whether `input` is the logarithm of the rate.
        full: whether an approximation of log(target!) is added, which is constant.
        eps: added to a rate before its logarithm is taken.
        reduction: "mean", "sum" or "none".
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Any, target: Any) -> Any:
        """Return the loss of the (log) rates `log_input` against the counts `target`."""
        return functional.poisson_nll_loss(
            log_input, target, self.log_input, self.full, self.eps, self.reduction
        )


class GaussianNLLLoss(Loss):
    """(log(var) + (input - target)^2 / var) / 2, for targets distributed as N(input, var).

    Args:
        full: whether log(2 pi) / 2 is added.
        eps: smaller variances are raised to it.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        """Return the loss of the expectations `input` and variances `var` against `target`."""
        return functional.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class CTCLoss(Loss):
    """Minus the log-probability of all ways to read the targets out of a sequence.

    Args:
        blank: the class of the blank.
        reduction: "mean" (each loss divided by the number of targets, then averaged), "sum" or
            "none".
        zero_infinity: whether losses are 0 where a sequence is too short for its targets.

    Shape:
        log_probs (T, N, C); targets (N, S) or (sum of lengths,); lengths (N,).
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        """Return the loss of `log_probs` against `targets`; see `functional.ctc_loss`."""
        return functional.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )


class LinearCrossEntropyLoss(Loss):
    """The cross entropy of logits that a linear map of its own makes of the input.

    Args:
        in_features: length of the last axis of the input.
        num_classes: number C of classes.
        out_features: further axes of the logits, after the classes.
        bias: whether the linear map has a bias.
        reduction: "mean", "sum" or "none".
        weight: one weight per class.
        ignore_index: a class index that does not count, by default -100.
        label_smoothing: part of each target that is spread evenly over all classes.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for the initial values.

    Shape:
        input (in_features,) or (N, in_features); target: classes or class probabilities for logits
        (N, C, *out_features).
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Any = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        generator: Any = None,
    ) -> None:
        super().__init__(reduction)
        self.num_classes = num_classes
        self.out_features = tuple(out_features)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        count = math.prod((num_classes, *self.out_features))
        self.linear = Linear(in_features, count, bias, dtype=dtype, generator=generator)

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss of the logits of `input` against `target`."""
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return functional.linear_cross_entropy(
            input,
            self.linear.weight.reshape((*shape, -1)),
            target,
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
        )
