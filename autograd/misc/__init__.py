"""Tools of HIPS autograd: structures as vectors, optimizers in one call, fixed points.

For new code: `optim` has the optimizers, `autograd.implicit` the fixed points.
"""

from autograd.misc.flatten import flatten
from autograd.misc.tracers import const_graph

__all__ = ["const_graph", "flatten"]
