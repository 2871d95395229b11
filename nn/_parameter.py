"""Parameter: a Variable that a Module finds by itself. Imports `autograd` only."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Variable
from autograd.arrays import refuse_mask

__all__ = ["Parameter"]

# What numbers without a dtype become: the default of all layers.
_DEFAULTS = {"f": np.float32, "c": np.complex64}


class Parameter(Variable):
    """A Variable that becomes a parameter of the Module it is assigned to.

    Lists and Python numbers become float32, the default of all layers; floating-point and complex
    arrays keep their dtype. The data are copied, so that training does not change the array given.

    Args:
        data: initial values, of any shape.
        requires_grad: False freezes the parameter: it is saved with the model, but no gradient is
            computed for it.
        dtype: converts to this dtype instead.

    Raises:
        TypeError: integers or truth values without a `dtype`, and masked arrays.

    Example:
        >>> import nn
        >>> nn.Parameter([1.0, 2.0]).dtype
        dtype('float32')
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, *, dtype: Any = None) -> None:
        if isinstance(data, Variable):
            data = data.data
        refuse_mask("Parameter", data)
        counted = hasattr(data, "dtype")
        # Arrays of other libraries stay what they are; tensors and lists become NumPy's.
        data = data if hasattr(data, "__array_function__") else Variable(data, copy=False).data
        if dtype is None:
            if data.dtype.kind in "biu":
                raise TypeError(
                    f"Parameter: wanted floating-point or complex data, got {data.dtype}; write "
                    "nn.Parameter(data, dtype=np.float32)"
                )
            if not counted:
                dtype = _DEFAULTS.get(data.dtype.kind)
        super().__init__(data, requires_grad=requires_grad, dtype=dtype)
