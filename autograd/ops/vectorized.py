"""Functions of numbers applied to each element of arrays. Imports `creation` and what is older."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd.engine.calls import holds_variable
from autograd.ops.creation import asarray
from autograd.ops.indexing import shape_of
from autograd.ops.shaping import astype, broadcast_to, ravel, reshape

__all__ = ["vectorize"]


class vectorize(np.vectorize):  # noqa: N801 - NumPy's name
    """Apply a Python function of numbers to each element of arrays, which broadcast.

    As `np.vectorize`, and recorded where Variables are among the arguments: the function is called
    with Variables of one element then, and returns a number or a tuple of numbers.

    Raises:
        TypeError: `signature=` was given and there are Variables.

    Example:
        >>> import numpy as np, autograd
        >>> ramp = vectorize(lambda x, low: x if x > low else 0 * x)
        >>> autograd.grad(lambda x: ramp(x, 1.0).sum())(np.array([0.5, 2.0]))
        array([0., 1.])
    """

    def __repr__(self) -> str:
        return f"vectorize({getattr(getattr(self, 'pyfunc', None), '__name__', '')})"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the function."""
        function: Any = getattr(self, "pyfunc", None)
        if not callable(function) or not holds_variable((args, kwargs)):
            return super().__call__(*args, **kwargs)
        if self.signature is not None:
            raise TypeError(
                "vectorize: wanted Variables in a function of numbers, got one of arrays by "
                f"signature={self.signature!r}; call it for each row and autograd.stack the results"
            )
        keys = [*range(len(args)), *kwargs]
        given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
        arrays = {k: asarray(given[k]) for k in keys if k not in self.excluded}
        shape = np.broadcast_shapes(*map(shape_of, arrays.values()))
        if 0 in shape:
            raise ValueError(f"vectorize: wanted elements to call it with, got shape {shape}")
        flat = {k: ravel(broadcast_to(x, shape)) for k, x in arrays.items()}
        rows: Iterator[Any] = zip(*flat.values(), strict=True)
        results = []
        for row in rows:
            full = given | dict(zip(flat, row, strict=True))
            results.append(
                function(*[full[i] for i in range(len(args))], **{k: full[k] for k in kwargs})
            )
        if not isinstance(results[0], tuple):
            return self._gathered(results, shape, 0)
        columns = enumerate(zip(*results, strict=True))
        return tuple(self._gathered(list(column), shape, i) for i, column in columns)

    def _gathered(self, values: list[Any], shape: tuple[int, ...], place: int) -> Any:
        made = reshape(asarray(values), shape)
        return made if self.otypes is None else astype(made, self.otypes[place], copy=False)
