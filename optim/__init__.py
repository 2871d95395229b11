"""Optimizers, gradient clipping and learning rate schedules, with PyTorch's names and numbers."""

import importlib
import sys
import typing

from autograd._clip import clip_grad_norm_, clip_grad_value_, get_total_norm
from autograd.advice import instead_of_name as _instead_of_name
from autograd.kernels import offer as _offer
from autograd.publication import publish as _publish
from optim import lr_scheduler
from optim._adadelta import Adadelta
from optim._adafactor import Adafactor
from optim._adagrad import Adagrad
from optim._adam import Adam
from optim._adamax import Adamax
from optim._adamw import AdamW
from optim._asgd import ASGD
from optim._lbfgs import LBFGS
from optim._lion import Lion
from optim._muon import Muon
from optim._nadam import NAdam
from optim._optimizer import Optimizer
from optim._options import option
from optim._radam import RAdam
from optim._rmsprop import RMSprop
from optim._rprop import Rprop
from optim._sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Muon",
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
_offer(SGD, Adam)

if typing.TYPE_CHECKING:
    from optim import swa_utils as swa_utils
else:

    def __getattr__(name: str) -> object:
        """Import `swa_utils`, which needs `nn`, when it is first asked for."""
        if name == "swa_utils":
            return importlib.import_module("optim.swa_utils")
        raise _instead_of_name(sys.modules[__name__], name)

    def __dir__() -> list[str]:
        return sorted({*globals(), "swa_utils"})
