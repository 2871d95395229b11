"""NumPy with recorded functions in front: `import autograd.numpy as np`.

All public names of NumPy are here, constants, dtypes and submodules included. A function is NumPy's
own until a Variable is among its arguments, also in lists: `np.array([v, 1.0])`, `np.mean([v, w])`,
`np.full(3, v)`, `np.r_[v, 1]` are recorded. Unlike in `autograd`, what `zeros`, `ones`, `empty` and
the like make are plain arrays.

    >>> import autograd
    >>> import autograd.numpy as np
    >>> autograd.grad(lambda x: np.sum(np.array([x, 2.0 * x])) * np.pi)(1.0)
    np.float64(9.42477...)

Not imported by `import autograd`.
"""

import importlib as _importlib
import typing

from autograd import doors as _doors
from autograd import ops as _ops

if typing.TYPE_CHECKING:

    def __getattr__(name: str) -> typing.Any: ...


def make_diagonal(D: typing.Any, offset: int = 0, axis1: int = -2, axis2: int = -1) -> typing.Any:
    """Return square matrices with the last axis of `D` on the `offset`-th diagonals, in the plane
    of two axes of the result: `diagonal` undone.

    Example:
        >>> import numpy as np
        >>> make_diagonal(np.array([1.0, 2.0]))
        array([[1., 0.],
               [0., 2.]])
    """
    *lead, n = _ops.indexing.shape_of(D)
    axes = [axis % (len(lead) + 2) for axis in (axis1, axis2)]
    rest = iter(lead)
    square = n + abs(offset)
    shape = tuple(square if i in axes else next(rest) for i in range(len(lead) + 2))
    return _ops.diagonals.make_diagonal(D, shape, offset, axis1, axis2)


if not typing.TYPE_CHECKING:
    _find, __dir__, __all__ = _doors.numpys(__name__, _ops)
    __all__ += ["make_diagonal"]
    # Modules of HIPS autograd, which are no part of NumPy's namespace.
    _MODULES = ("numpy_boxes", "numpy_vjps", "numpy_vspaces")

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return _importlib.import_module(f"{__name__}.{name}")
        return _find(name)
