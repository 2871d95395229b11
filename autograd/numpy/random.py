"""`numpy.random` with draws that depend on Variables where that can be: see `autograd.draws`.

    >>> import autograd
    >>> import autograd.numpy.random as npr
    >>> def draw(scale):
    ...     npr.seed(0)
    ...     return npr.normal(1.0, scale)
    >>> autograd.grad(draw)(2.0), (draw(2.0) - 1.0) / 2.0
    (np.float64(1.764052...), 1.764052...)

A parameter that draws are no function of but by chance (of `poisson`, `beta` ...) refuses a
gradient, and so do `RandomState` and `Generator`, which are NumPy's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy import random as _random

from autograd import doors as _doors
from autograd import draws as _draws

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...

else:
    __getattr__, __dir__, __all__ = _doors.draws(__name__, _random, _draws)
