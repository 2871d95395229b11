"""Optimizers, gradient clipping and learning rate schedules, with PyTorch's names and numbers."""

from optim import lr_scheduler
from optim._adagrad import Adagrad
from optim._adam import Adam
from optim._adamw import AdamW
from optim._clip import clip_grad_norm_, clip_grad_value_, get_total_norm
from optim._optimizer import Optimizer
from optim._rmsprop import RMSprop
from optim._sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    "lr_scheduler",
]
