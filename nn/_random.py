"""Random: a module that draws random numbers, and whose generator is saved with the model."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import numpy as np

from autograd import new_generator
from nn._module import Module

__all__ = ["Random", "fresh_copy"]

M = TypeVar("M", bound=Module)


class Random(Module):
    """Base of modules with a random generator, whose state is an extra state."""

    generator: np.random.Generator | None = None

    def get_extra_state(self) -> Any:
        """Return the state of the random generator."""
        return None if self.generator is None else _plain(self.generator.bit_generator.state)

    def set_extra_state(self, state: Any) -> None:
        """Take back the state of the random generator.

        Raises:
            ValueError: where it is the state of another kind of generator.
        """
        assert self.generator is not None
        try:
            self.generator.bit_generator.state = state
        except (TypeError, ValueError, KeyError) as error:
            raise ValueError(
                f"{type(self).__name__}: wanted the state of a "
                f"{type(self.generator.bit_generator).__name__} generator, "
                f"got {state!r}; build the model with the rng it was saved with"
            ) from error


def fresh_copy(module: M) -> M:
    """Return a deep copy with streams of its own, derived from the original's: copies must not drop
    the same elements.
    """
    twin = copy.deepcopy(module)
    for part, original in zip(twin.modules(), module.modules(), strict=True):
        if isinstance(original, Random) and original.generator is not None:
            seed: Any = original.generator.bit_generator.seed_seq
            vars(part)["generator"] = new_generator(seed.spawn(1)[0])
    return twin


def _plain(state: Any) -> Any:
    """Return a generator's state without arrays, which JSON lacks."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, (np.ndarray, np.generic)) else state
