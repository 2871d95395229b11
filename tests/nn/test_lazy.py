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


LAYERS = {
    **{f"Conv{n}d": ((4, 3), {"groups": 2, "padding": 1}, (2, 6, *[5] * n)) for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": ((4, 3), {"bias": False}, (6, *[5] * n)) for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": ((), {"momentum": 0.3}, (4, 6, *[3] * n)) for n in (1, 2, 3)},
    **{
        f"InstanceNorm{n}d": ((), {"affine": True, "track_running_stats": False}, (6, *[3] * n))
        for n in (1, 2, 3)
    },
}


@pytest.mark.parametrize("name", LAYERS)
def test_every_lazy_layer_learns_its_channels(name):
    args, kwargs, shape = LAYERS[name]
    if "Conv" in name:
        kwargs = kwargs | {"generator": 3}
    lazy, plain = (getattr(nn, p + name) for p in ("Lazy", ""))
    lazy, plain = lazy(*args, **kwargs), plain(6, *args, **kwargs)
    held = list(lazy.parameters())
    assert all(0 in p.shape for p in held if p is getattr(lazy, "weight", None))
    seen = []
    lazy.register_forward_hook(lambda module, args, out: seen.append(out.shape))
    lazy.double()
    plain.double()
    x = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_array_equal(lazy(x).data, plain(x).data)
    assert seen == [plain(x).shape]
    assert type(lazy) is type(plain)
    assert repr(lazy) == repr(plain)
    for p, q in zip(held, lazy.parameters(), strict=True):
        assert p is q
        assert p.dtype == np.float64
    assert {k: v.shape for k, v in lazy.state_dict().items()} == {
        k: v.shape for k, v in plain.state_dict().items()
    }


def test_wrong_use_of_a_lazy_layer_is_explained():
    with pytest.raises(ValueError, match=r"LazyConv2d: wanted an input with an axis -3, got shape"):
        nn.LazyConv2d(4, 3)(np.ones((3, 3)))
    with pytest.raises(ValueError, match="LazyBatchNorm1d: wanted an input with an axis 1, got"):
        nn.LazyBatchNorm1d()(np.ones(3))
    with pytest.raises(TypeError, match="out_channels"):
        nn.LazyConv1d()


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
