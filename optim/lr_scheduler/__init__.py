"""Learning rate schedules, with PyTorch's names and numbers; time is counted in calls of `step`."""

from optim.lr_scheduler._base import LRScheduler
from optim.lr_scheduler._combined import ChainedScheduler, SequentialLR
from optim.lr_scheduler._cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from optim.lr_scheduler._cycles import CyclicLR, OneCycleLR
from optim.lr_scheduler._decay import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from optim.lr_scheduler._plateau import ReduceLROnPlateau

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
