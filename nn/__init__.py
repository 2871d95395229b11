"""Neural networks on top of `autograd`: modules, layers, losses, initialisers, data, training.

Names, arguments, defaults and weight layouts are PyTorch's, with `axis` for `dim`. Read `_module`
first.
"""

from autograd.publication import publish as _publish
from nn import functional, init
from nn._activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from nn._callbacks import Callback, Checkpoint, EarlyStopping, FitState
from nn._checkpoint import load, save
from nn._containers import ModuleDict, ModuleList, ParameterList, Sequential
from nn._data import (
    ArrayDataset,
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    default_collate,
    random_split,
)
from nn._dropout import Dropout, Dropout1d, Dropout2d, Dropout3d
from nn._embedding import Embedding
from nn._fit import accuracy, evaluate, fit
from nn._history import History
from nn._linear import Bilinear, Flatten, Identity, Linear, Unflatten
from nn._loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from nn._module import HookHandle, Module
from nn._normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d, GroupNorm, LayerNorm, RMSNorm
from nn._parameter import Parameter
from nn._state import IncompatibleKeys

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "ArrayDataset",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "BatchSampler",
    "Bilinear",
    "Callback",
    "Checkpoint",
    "CrossEntropyLoss",
    "DataLoader",
    "Dataset",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "EarlyStopping",
    "Embedding",
    "FitState",
    "Flatten",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "History",
    "HookHandle",
    "HuberLoss",
    "Identity",
    "IncompatibleKeys",
    "KLDivLoss",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "PReLU",
    "Parameter",
    "ParameterList",
    "RMSNorm",
    "RandomSampler",
    "ReLU",
    "ReLU6",
    "Sampler",
    "Sequential",
    "SequentialSampler",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Subset",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "Unflatten",
    "accuracy",
    "default_collate",
    "evaluate",
    "fit",
    "functional",
    "init",
    "load",
    "random_split",
    "save",
]

_publish(__name__)
