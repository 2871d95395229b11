"""The base of layers that draw random numbers. Imports `autograd` and `_module`."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import new_generator
from nn._module import Module

__all__ = ["RandomModule"]


class RandomModule(Module):
    """A module with a random generator of its own, whose state is saved with it.

    Args:
        generator: a seed or np.random.Generator; None derives a stream of its own from
            `autograd.manual_seed`.
    """

    def __init__(self, generator: Any) -> None:
        super().__init__()
        self.generator = new_generator(generator)

    def get_extra_state(self) -> Any:
        """Return the state of the random generator."""
        return _plain(self.generator.bit_generator.state)

    def set_extra_state(self, state: Any) -> None:
        """Take back the state of the random generator.

        Raises:
            ValueError: where it is the state of another kind of generator.
        """
        try:
            self.generator.bit_generator.state = state
        except (TypeError, ValueError, KeyError) as error:
            raise ValueError(
                f"{type(self).__name__}: wanted the state of a "
                f"{type(self.generator.bit_generator).__name__} generator, "
                f"got {state!r}; build the model with the kind of generator it was saved with"
            ) from error


def _plain(state: Any) -> Any:
    """Return a generator's state without arrays, which JSON lacks."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, (np.ndarray, np.generic)) else state
