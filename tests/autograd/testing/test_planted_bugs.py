"""The checker against wrong rules in copies of real operations, and against the originals."""

import numpy as np
import pytest

from autograd.testing import check_gradients
from benchmarks import _planted
from benchmarks._planted import PLANTS

IDS = [f"{plant.kind}-{plant.name}" for plant in PLANTS]


def test_there_are_sixty_and_more():
    assert len(set(IDS)) == len(PLANTS) >= 60
    assert _planted.__doc__


@pytest.mark.parametrize("plant", PLANTS, ids=IDS)
def test_the_bug_is_caught_and_the_original_is_not_reported(plant, seed):
    fast = {"fast": bool(seed % 2)}
    # An operand that is written to is read-only: NumPy's own error.
    with pytest.raises((AssertionError, ValueError)):
        plant.checker(
            plant.wrong, *plant.make(np.random.default_rng(seed)), **plant.options, **fast
        )
    if plant.checker is check_gradients:
        arguments = plant.make(np.random.default_rng(seed))
        assert check_gradients(plant.original, *arguments, **plant.options, **fast)
