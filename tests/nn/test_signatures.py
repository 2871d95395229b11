"""What can be left out of a call means what it means in PyTorch, for everything that both have."""

import importlib

import pytest
from torch_twin import compare_defaults, torch

# Theirs is None: deprecated, a guess from the number of axes with a warning.
ANOTHER_DEFAULT = {"softmax": "axis", "log_softmax": "axis", "softmin": "axis", "GLU": "axis"}

ROOMS = ["", ".functional", ".init", ".utils", ".utils.rnn", ".utils.prune"]
ROOMS += [".utils.parametrize", ".utils.parametrizations"]


@pytest.mark.torch
@pytest.mark.parametrize("room", ROOMS)
def test_defaults_are_pytorchs(room):
    torch()
    ours, theirs = importlib.import_module(f"nn{room}"), importlib.import_module(f"torch.nn{room}")
    compared = 0
    for name in ours.__all__:
        if name in ANOTHER_DEFAULT:
            continue
        mine, peer = getattr(ours, name), getattr(theirs, name, None)
        if callable(mine) and callable(peer):
            try:
                compared += compare_defaults(mine, peer)
            except BaseException as error:
                error.add_note(f"in nn{room}.{name}")
                raise
    assert compared > 3
