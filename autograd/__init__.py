"""Reverse-mode automatic differentiation for people who think in NumPy."""

import numpy as _np

from autograd import _protocols, _ufuncs, fft, linalg
from autograd._mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from autograd._random import manual_seed, new_generator
from autograd._variable import Variable
from autograd.ops.assignment import *
from autograd.ops.contractions import *
from autograd.ops.covariance import *
from autograd.ops.einsum import *
from autograd.ops.creation import *
from autograd.ops.cumulative import *
from autograd.ops.diagonals import *
from autograd.ops.differences import *
from autograd.ops.elementwise import *
from autograd.ops.filtering import *
from autograd.ops.indexing import *
from autograd.ops.joining import *
from autograd.ops.padding import *
from autograd.ops.piecewise import *
from autograd.ops.reciprocal_trigonometry import *
from autograd.ops.reductions import *
from autograd.ops.sequences import *
from autograd.ops.softmax import *
from autograd.ops.statistics import *
from autograd.ops.shaping import *
from autograd.ops.sorting import *
from autograd._transforms import grad, value_and_grad, elementwise_grad, vjp, jvp, jacobian, hessian, hvp
from autograd._checkpoint import checkpoint
from autograd._coverage import coverage
from autograd._debug import detect_anomaly
from autograd._function import Function
from autograd.extend import primitive
from autograd import special
from autograd.special import i0

_protocols.register([n for n in dir() if not n.startswith("_")], globals(), _np)
_protocols.register(fft.__all__, vars(fft), _np.fft)
_protocols.register(linalg.__all__, vars(linalg), _np.linalg)
