"""Layers that learn the size of their input from the first one they see."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn._linear import Linear
from nn._parameter import Parameter

__all__ = ["LazyLinear"]


class LazyLinear(Linear):
    """A `Linear` whose `in_features` is the length of the last axis of the first input.

    With that input its weight gets its shape and both parameters their initial values; then the
    layer is a `Linear`. The parameters stay the objects that they are, so an optimizer may be made
    before.

    Args:
        out_features: length of the last axis of the output.
        bias: whether a bias is added.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for the initial values.

    Example:
        >>> import numpy as np, nn
        >>> layer = nn.LazyLinear(2)
        >>> layer(np.ones((5, 3), np.float32)).shape
        (5, 2)
        >>> layer
        Linear(in_features=3, out_features=2, bias=True)
    """

    def __init__(
        self, out_features: int, bias: bool = True, *, dtype: Any = None, generator: Any = None
    ) -> None:
        super().__init__(0, out_features, bias, dtype=dtype, generator=0)
        self._generator = generator

    def forward(self, input: Any) -> Any:
        """Become a `Linear` for inputs like this one, and return its output."""
        self.in_features = input.shape[-1]
        weight = self.weight
        empty = np.empty((self.out_features, self.in_features), weight.dtype)
        Parameter.__init__(weight, empty, weight.requires_grad)
        generator = self._generator
        del self._generator
        self.reset_parameters(generator)
        object.__setattr__(self, "__class__", Linear)
        return self(input)
