"""Weight and spectral norm, as parametrizations and under the older names, beside PyTorch."""

import copy

import numpy as np
import pytest
import torch_nested

import nn
from nn import utils


def layer(**options):
    return nn.Linear(4, 3, dtype=np.float64, generator=0, **options)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("axis", [0, 1, None])
@pytest.mark.parametrize("make", ["Linear", "Bilinear", "RNNCell"])
def test_weight_norm_and_its_gradients_equal_pytorchs(older, axis, make):
    torch = pytest.importorskip("torch")
    sizes = {"Linear": (4, 3), "Bilinear": (2, 4, 3), "RNNCell": (4, 3)}[make]
    name = "weight_hh" if make == "RNNCell" else "weight"
    ours = getattr(nn, make)(*sizes, dtype=np.float64)
    theirs = getattr(torch.nn, make)(*sizes, dtype=torch.float64)
    homes = (
        (utils, torch.nn.utils)
        if older
        else (
            utils.parametrizations,
            torch.nn.utils.parametrizations,
        )
    )
    homes[0].weight_norm(ours, name, dim=axis)
    homes[1].weight_norm(theirs, name, dim=axis)
    rng = np.random.default_rng(0)
    for p in ours.parameters():
        p.data = rng.normal(size=p.shape)
    inputs = [rng.normal(size=(5, n)) for n in sizes[:-1]]
    if make == "RNNCell":
        inputs.append(rng.normal(size=(5, 3)))
    torch_nested.compare_modules(torch, ours, theirs, *inputs)


@pytest.mark.torch
@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("options", [{}, {"n_power_iterations": 3}, {"dim": 1}], ids=str)
def test_spectral_norm_its_gradients_and_its_vectors_equal_pytorchs(older, options):
    torch = pytest.importorskip("torch")
    ours, theirs = layer(), torch.nn.Linear(4, 3, dtype=torch.float64)
    homes = (
        (utils, torch.nn.utils)
        if older
        else (
            utils.parametrizations,
            torch.nn.utils.parametrizations,
        )
    )
    homes[0].spectral_norm(ours, **options)
    homes[1].spectral_norm(theirs, **options)
    x = np.random.default_rng(0).normal(size=(5, 4))
    torch_nested.compare_modules(torch, ours, theirs, x)
    for module in (ours, theirs):
        module.eval()
    torch_nested.compare_modules(torch, ours, theirs, x)


@pytest.mark.torch
def test_a_vector_of_spectral_norm_one_equals_pytorchs():
    torch = pytest.importorskip("torch")
    ours, theirs = layer(), torch.nn.Linear(4, 3, dtype=torch.float64)
    utils.parametrizations.spectral_norm(ours, "bias")
    torch.nn.utils.parametrizations.spectral_norm(theirs, "bias")
    torch_nested.compare_modules(torch, ours, theirs, np.ones((2, 4)))


def test_lengths_and_directions_are_learned_apart():
    module = utils.weight_norm(layer())
    start = module.weight.data.copy()
    np.testing.assert_allclose(module.weight_g.data[:, 0], np.linalg.norm(start, axis=1))
    module.weight_v.data = module.weight_v.data * 7.0
    np.testing.assert_allclose(module.weight.data, start)
    module.weight_g.data = np.ones((3, 1))
    np.testing.assert_allclose(np.linalg.norm(module.weight.data, axis=1), 1.0)


@pytest.mark.parametrize("older", [False, True])
def test_training_finds_the_largest_singular_value_and_evaluation_keeps_it(older):
    module = layer()
    exact = module.weight.data / np.linalg.norm(module.weight.data, 2)
    (utils if older else utils.parametrizations).spectral_norm(module, generator=0)
    for _ in range(200):
        module(np.ones(4))
    module.eval()
    np.testing.assert_allclose(module.weight.data, exact, rtol=1e-9)
    before = [b.copy() for b in module.buffers()]
    module(np.ones(4))
    for old, new in zip(before, module.buffers(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("kind", ["weight", "spectral"])
def test_removing_a_norm_keeps_the_weight(kind):
    module = getattr(utils, f"{kind}_norm")(layer()).eval()
    twin = copy.deepcopy(module)
    wanted = module.weight.data.copy()
    getattr(utils, f"remove_{kind}_norm")(module)
    np.testing.assert_array_equal(module.weight.data, wanted)
    assert sorted(module.state_dict()) == ["bias", "weight"]
    assert type(module) is nn.Linear
    np.testing.assert_array_equal(twin.weight.data, wanted)  # the copy still has its norm
    assert len(twin.state_dict()) > 2


def test_float32_stays_float32():
    for home in (utils, utils.parametrizations):
        for kind in ("weight_norm", "spectral_norm"):
            module = getattr(home, kind)(nn.Linear(4, 3))
            out = module(np.ones((2, 4), np.float32))
            out.sum().backward()
            assert out.dtype == module.weight.dtype == np.float32
            assert all(b.dtype == np.float32 for b in module.buffers())


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: utils.weight_norm(layer(), "wait"),
            ValueError,
            "weight_norm: wanted the name of a parameter of Linear, got 'wait'",
        ),
        (
            lambda: utils.spectral_norm(layer(bias=False), "bias"),
            ValueError,
            "spectral_norm: wanted the name of a parameter of Linear, got 'bias'",
        ),
        (
            lambda: utils.parametrizations.spectral_norm(layer(bias=False), "bias"),
            ValueError,
            "spectral_norm: wanted the name of a parameter of Linear, got 'bias'",
        ),
        (
            lambda: utils.spectral_norm(layer(), n_power_iterations=0),
            ValueError,
            "wanted at least 1 for n_power_iterations, got 0",
        ),
        (
            lambda: utils.remove_weight_norm(layer()),
            ValueError,
            "remove_weight_norm: wanted a parameter 'weight' with such a norm in Linear",
        ),
        (
            lambda: setattr(utils.weight_norm(layer()), "weight", nn.Parameter(np.ones((3, 4)))),
            AttributeError,
            "Linear.weight: wanted no assignment.*computed from weight_g and weight_v",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
