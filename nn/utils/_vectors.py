"""All parameters as one vector, and back. Imports `autograd` only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Variable

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """Return all parameters one after the other, as one recorded vector.

    Raises:
        ValueError: where there are none.

    Example:
        >>> import nn
        >>> parameters_to_vector(nn.Linear(3, 2).parameters()).shape
        (8,)
    """
    parts = [p.reshape(-1) for p in parameters]
    if not parts:
        raise ValueError("parameters_to_vector: wanted at least one parameter, got none")
    return np.concatenate(parts)


def vector_to_parameters(vec: Any, parameters: Iterable[Variable]) -> None:
    """Write a vector into parameters, in place: the reverse of `parameters_to_vector`.

    Args:
        vec: as many numbers as the parameters have together.
        parameters: they keep their shapes and dtypes.

    Raises:
        ValueError: where the numbers of elements differ; nothing has been changed then.
    """
    values = np.asarray(vec.data if isinstance(vec, Variable) else vec)
    targets = list(parameters)
    total = sum(p.size for p in targets)
    if values.shape != (total,):
        raise ValueError(
            f"vector_to_parameters: wanted a vector of {total} numbers, one for each element of "
            f"the parameters, got shape {values.shape}"
        )
    start = 0
    for parameter in targets:
        part = values[start : start + parameter.size]
        parameter.data[...] = part.reshape(parameter.shape)
        parameter.mark_changed()
        start += parameter.size
