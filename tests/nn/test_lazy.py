"""Layers that learn their sizes from the first input."""

import numpy as np
import pytest

import nn
import optim


def test_a_lazy_layer_becomes_the_layer_that_it_would_have_been():
    lazy, plain = nn.LazyLinear(4, generator=3), nn.Linear(5, 4, generator=3)
    x = np.ones((2, 5), np.float32)
    np.testing.assert_array_equal(lazy(x).data, plain(x).data)
    assert type(lazy) is nn.Linear
    assert repr(lazy) == repr(plain)
    assert list(lazy.state_dict()) == list(plain.state_dict())
    lazy.load_state_dict(plain.state_dict())


def test_an_optimizer_made_before_trains_its_parameters():
    model = nn.Sequential(nn.LazyLinear(8), nn.Tanh(), nn.LazyLinear(1))
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.MSELoss()(model(x), x * x)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_a_frozen_lazy_layer_stays_frozen():
    layer = nn.LazyLinear(2, bias=False, dtype=np.float64)
    layer.requires_grad_(False)
    layer(np.ones((1, 3)))
    assert layer.weight.shape == (2, 3)
    assert layer.weight.dtype == np.float64
    assert not layer.weight.requires_grad


@pytest.mark.torch
def test_initial_values_are_drawn_as_pytorchs():
    torch = pytest.importorskip("torch")
    ours, theirs = nn.LazyLinear(300), torch.nn.LazyLinear(300)
    ours(np.ones((1, 100), np.float32))
    theirs(torch.ones(1, 100))
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert p.shape == tuple(q.shape)
        assert np.abs(p.data).max() <= 0.1
        assert abs(p.data.std() - q.std().item()) < 0.006
