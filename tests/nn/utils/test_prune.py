"""Pruning: what is chosen beside PyTorch, and what a pruned parameter does."""

import copy

import numpy as np
import pytest

import nn
import optim
from nn.utils import prune


def layer(seed=0):
    return nn.Linear(6, 4, dtype=np.float64, generator=seed)


@pytest.mark.torch
@pytest.mark.parametrize("amount", [0, 5, 24, 0.0, 0.3, 1.0])
def test_single_entries_are_chosen_as_in_pytorch_again_and_again(amount):
    torch = pytest.importorskip("torch")
    theirs_prune = pytest.importorskip("torch.nn.utils.prune")
    ours, theirs = layer(), torch.nn.Linear(6, 4, dtype=torch.float64)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    scores = np.random.default_rng(0).normal(size=(4, 6))
    prune.l1_unstructured(ours, "weight", amount)
    theirs_prune.l1_unstructured(theirs, "weight", amount)
    np.testing.assert_array_equal(ours.weight_mask, theirs.weight_mask.numpy())
    if amount != 24:
        prune.l1_unstructured(ours, "weight", 0.5, importance_scores=scores)
        theirs_prune.l1_unstructured(theirs, "weight", 0.5, importance_scores=torch.tensor(scores))
        np.testing.assert_array_equal(ours.weight_mask, theirs.weight_mask.numpy())
    assert set(ours.state_dict()) == set(theirs.state_dict())
    np.testing.assert_array_equal(ours.weight.data, theirs.weight.detach().numpy())


@pytest.mark.torch
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("order", [1, 2, np.inf])
def test_channels_are_chosen_as_in_pytorch_again_and_again(axis, order):
    torch = pytest.importorskip("torch")
    theirs_prune = pytest.importorskip("torch.nn.utils.prune")
    ours, theirs = layer(), torch.nn.Linear(6, 4, dtype=torch.float64)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    for amount in (0.34, 1):
        prune.ln_structured(ours, "weight", amount, n=order, dim=axis)
        theirs_prune.ln_structured(theirs, "weight", amount, n=float(order), dim=axis)
        np.testing.assert_array_equal(ours.weight_mask, theirs.weight_mask.numpy())


@pytest.mark.torch
def test_entries_of_several_layers_are_chosen_as_in_pytorch():
    torch = pytest.importorskip("torch")
    theirs_prune = pytest.importorskip("torch.nn.utils.prune")
    ours = [layer(0), layer(1)]
    theirs = [torch.nn.Linear(6, 4, dtype=torch.float64) for _ in ours]
    for a, b in zip(ours, theirs, strict=True):
        b.load_state_dict({k: torch.tensor(v) for k, v in a.state_dict().items()})
    for modules, library in ((ours, prune), (theirs, theirs_prune)):
        pairs = [(m, name) for m in modules for name in ("weight", "bias")]
        library.global_unstructured(pairs, library.L1Unstructured, amount=0.4)
        library.global_unstructured(pairs, library.L1Unstructured, amount=5)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.weight_mask, b.weight_mask.numpy())
        np.testing.assert_array_equal(a.bias_mask, b.bias_mask.numpy())


def test_a_pruned_weight_is_zero_and_stays_zero_in_training():
    module = prune.l1_unstructured(layer(), "weight", amount=0.5)
    before = module.weight_orig
    optimizer = optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        module(np.ones((2, 6))).sum().backward()
        optimizer.step()
    assert (module.weight.data == 0).sum() == 12
    assert module.weight_orig is before
    np.testing.assert_array_equal(before.grad != 0, module.weight_mask == 1)


def test_random_pruning_takes_what_it_is_told():
    module = prune.random_unstructured(layer(), "weight", amount=7, generator=0)
    assert (module.weight.data == 0).sum() == 7
    prune.random_unstructured(module, "weight", amount=7, generator=0)
    assert (module.weight.data == 0).sum() == 14
    module = prune.random_structured(layer(), "weight", amount=2, dim=1, generator=0)
    assert (module.weight.data == 0).all(axis=0).sum() == 2
    prune.random_structured(module, "weight", amount=0.5, axis=1, generator=0)
    assert (module.weight.data == 0).all(axis=0).sum() == 4


def test_given_masks_join():
    module = layer()
    first, second = np.ones((4, 6)), np.ones((4, 6))
    first[0], second[:, 0] = 0, 0
    prune.custom_from_mask(module, "weight", first)
    prune.custom_from_mask(module, "weight", second)
    np.testing.assert_array_equal(module.weight_mask, first * second)
    assert prune.is_pruned(nn.Sequential(module))


def test_removing_makes_the_zeros_permanent():
    module = prune.l1_unstructured(layer(), "weight", amount=0.5)
    twin, wanted, parameter = copy.deepcopy(module), module.weight.data.copy(), module.weight_orig
    prune.remove(module, "weight")
    np.testing.assert_array_equal(module.weight.data, wanted)
    assert module.weight is parameter
    assert type(module) is nn.Linear
    assert sorted(module.state_dict()) == ["bias", "weight"]
    assert not prune.is_pruned(module)
    assert prune.is_pruned(twin)


def test_identity_prunes_nothing_and_methods_can_be_called_alone():
    module = layer()
    start = module.weight.data.copy()
    prune.identity(module, "weight")
    np.testing.assert_array_equal(module.weight.data, start)
    np.testing.assert_array_equal(
        prune.L1Unstructured(2).prune(np.array([3.0, -1.0, 2.0])), [3.0, 0.0, 0.0]
    )


def test_a_method_of_ones_own():
    class EverySecond(prune.BasePruningMethod):
        def compute_mask(self, t, default_mask):
            mask = default_mask.copy()
            mask.reshape(-1)[::2] = 0
            return mask

    module = layer()
    EverySecond.apply(module, "bias")
    np.testing.assert_array_equal(module.bias.data[::2], 0.0)
    with pytest.raises(NotImplementedError, match=r"wanted a method compute_mask\(self, t"):
        prune.BasePruningMethod.apply(layer(), "bias")


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: prune.l1_unstructured(layer(), "weight", 1.5),
            ValueError,
            "L1Unstructured: wanted an amount from 0.0 to 1.0, got 1.5",
        ),
        (
            lambda: prune.l1_unstructured(layer(), "weight", 25),
            ValueError,
            "L1Unstructured: wanted an amount from 0 to 24, got 25",
        ),
        (
            lambda: prune.l1_unstructured(layer(), "weight", "all"),
            TypeError,
            "L1Unstructured: wanted a number as amount, got 'all'",
        ),
        (
            lambda: prune.l1_unstructured(layer(), "wait", 1),
            ValueError,
            "L1Unstructured: wanted the name of a parameter of Linear, got 'wait'",
        ),
        (
            lambda: prune.l1_unstructured(layer(), "weight", 1, np.ones(3)),
            ValueError,
            r"wanted importance_scores of shape \(4, 6\), got \(3,\)",
        ),
        (
            lambda: prune.ln_structured(layer(), "bias", 1, n=2, dim=0),
            ValueError,
            r"LnStructured: wanted a parameter of two or more axes.*got shape \(4,\)",
        ),
        (
            lambda: prune.custom_from_mask(layer(), "weight", np.ones(3)),
            ValueError,
            r"CustomFromMask: wanted a mask of shape \(4, 6\), got \(3,\)",
        ),
        (
            lambda: prune.global_unstructured([(layer(), "weight")], prune.LnStructured, amount=1),
            TypeError,
            "wanted a method that prunes single entries, got LnStructured",
        ),
        (
            lambda: prune.remove(layer(), "weight"),
            ValueError,
            "remove: wanted a pruned parameter of Linear, got 'weight'",
        ),
        (
            lambda: setattr(prune.identity(layer(), "weight"), "weight", nn.Parameter([1.0])),
            AttributeError,
            "Linear.weight: wanted no assignment.*computed from weight_orig and weight_mask",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
