"""Reverse-mode automatic differentiation for people who think in NumPy."""
from autograd._mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from autograd._variable import Variable
from autograd import _protocols
from autograd.ops.elementwise import *
from autograd.ops.reductions import *
from autograd.ops.shaping import *
from autograd.ops.joining import *
from autograd.ops.indexing import *
from autograd.ops.contractions import *
from autograd import _protocols as _p
import numpy as _np
_p.register([n for n in dir() if not n.startswith("_")], globals(), _np)
