"""Optimizers, gradient clipping and learning rate schedules, with PyTorch's names and numbers."""

import sys
import typing

from autograd._clip import clip_grad_norm_, clip_grad_value_, get_total_norm
from autograd.advice import instead_of_name as _instead_of_name
from autograd.publication import publish as _publish
from optim import lr_scheduler
from optim._adadelta import Adadelta
from optim._adagrad import Adagrad
from optim._adam import Adam
from optim._adamax import Adamax
from optim._adamw import AdamW
from optim._lion import Lion
from optim._nadam import NAdam
from optim._optimizer import Optimizer
from optim._options import option
from optim._radam import RAdam
from optim._rmsprop import RMSprop
from optim._rprop import Rprop
from optim._sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    "lr_scheduler",
    "option",
]

_publish(__name__)

if not typing.TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Say where a name is that is not here."""
        raise _instead_of_name(sys.modules[__name__], name)
