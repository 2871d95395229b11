"""Parameter: a Variable that a Module finds by itself. Imports `autograd` only."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Variable


class Parameter(Variable):
    """A Variable that becomes a parameter of the Module it is assigned to.

    Lists, Python numbers and integer arrays become float32, the default of all layers;
    floating-point and complex arrays keep their dtype and are shared, not copied.

    Args:
        data: initial values, of any shape.
        requires_grad: False freezes the parameter: it is saved with the model, but no gradient is
            computed for it.
        dtype: converts to this dtype instead.

    Example:
        >>> import nn
        >>> nn.Parameter([1, 2]).dtype
        dtype('float32')
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, *, dtype: Any = None) -> None:
        if isinstance(data, Variable):
            data = data.data
        if dtype is None:
            given = getattr(data, "dtype", None)
            dtype = np.float32 if given is None or given.kind in "iub" else given
        super().__init__(data, requires_grad=requires_grad, dtype=dtype)
