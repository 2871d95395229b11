"""Parametrizations: what is read, what is stored, and how they are removed."""

import copy

import numpy as np
import pytest

import nn
import optim
from autograd import Variable
from nn.utils import parametrize


class Symmetric(nn.Module):
    def forward(self, x):
        return (x + x.T) / 2


class Exponential(nn.Module):
    def forward(self, x):
        return np.exp(x)

    def right_inverse(self, y):
        return np.log(y)


class Product(nn.Module):
    """A matrix of rank 1, from two vectors."""

    def forward(self, u, v):
        return u[:, None] * v

    def right_inverse(self, y):
        return y[:, 0], y[0] / y[0, 0]


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(np.array(2.0))

    def forward(self, x):
        return x * self.scale


def linear():
    layer = nn.Linear(3, 3, dtype=np.float64, generator=0)
    layer.weight.data = np.abs(layer.weight.data) + 0.1
    return layer


def test_a_parametrized_weight_is_computed_whenever_it_is_read():
    layer = linear()
    before = layer.weight
    parametrize.register_parametrization(layer, "weight", Symmetric())
    np.testing.assert_array_equal(layer.weight.data, (before.data + before.data.T) / 2)
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert layer.parametrizations.weight.original is before
    assert isinstance(layer, nn.Linear)
    assert type(layer).__name__ == "ParametrizedLinear"
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    x = np.ones((2, 3))
    layer(x).sum().backward()
    np.testing.assert_array_equal(before.grad, np.full((3, 3), 2.0))
    before.data = before.data + 1
    np.testing.assert_allclose(layer(x).data, x @ layer.weight.data.T + layer.bias.data)


def test_a_chain_is_applied_in_order_and_trained():
    layer = linear()
    start = layer.weight.data.copy()
    for step in (Exponential(), Symmetric(), Scaled()):
        parametrize.register_parametrization(layer, "weight", step)
    np.testing.assert_allclose(layer.weight.data, start + start.T)  # scale 2, half the sum
    np.testing.assert_allclose(layer.parametrizations["weight"].original.data, np.log(start))
    names = [n for n, _ in layer.named_parameters()]
    assert names == [
        "bias",
        "parametrizations.weight.original",
        "parametrizations.weight.2.scale",
    ]
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    layer(np.ones((1, 3))).sum().backward()
    optimizer.step()
    weight = layer.weight.data
    np.testing.assert_array_equal(weight, weight.T)
    assert layer.parametrizations.weight[2].scale.data < 2.0


def test_assignment_goes_back_through_the_chain():
    layer = linear()
    parametrize.register_parametrization(layer, "weight", Exponential())
    value = np.full((3, 3), 5.0)
    layer.weight = value
    np.testing.assert_allclose(layer.weight.data, value)
    np.testing.assert_allclose(layer.parametrizations.weight.original.data, np.log(value))
    parametrize.register_parametrization(layer, "weight", Symmetric())
    with pytest.raises(
        NotImplementedError, match=r"wanted a method right_inverse\(value\) of Symm"
    ):
        layer.weight = value


def test_several_originals():
    layer = linear()
    layer.weight.data = np.outer([1.0, 2.0, 3.0], [1.0, 4.0, 5.0])
    start = layer.weight.data.copy()
    parametrize.register_parametrization(layer, "weight", Product())
    assert list(layer.state_dict())[1:] == [
        "parametrizations.weight.original0",
        "parametrizations.weight.original1",
    ]
    np.testing.assert_allclose(layer.weight.data, start)
    with pytest.raises(
        ValueError, match="wanted leave_parametrized=True for 'weight'.*2 originals"
    ):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(layer, "weight")
    np.testing.assert_allclose(layer.weight.data, start)
    assert list(layer.state_dict()) == ["bias", "weight"]


@pytest.mark.parametrize("leave", [True, False])
def test_removing_leaves_an_ordinary_parameter(leave):
    layer = linear()
    original = layer.weight
    start = original.data.copy()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.register_parametrization(layer, "bias", Scaled())
    assert parametrize.is_parametrized(layer)
    assert parametrize.is_parametrized(layer, "weight")
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=leave)
    assert not parametrize.is_parametrized(layer, "weight")
    assert parametrize.is_parametrized(layer, "bias")
    assert layer.weight is original
    np.testing.assert_array_equal(original.data, (start + start.T) / 2 if leave else start)
    parametrize.remove_parametrizations(layer, "bias", leave_parametrized=leave)
    assert type(layer) is nn.Linear
    assert not parametrize.is_parametrized(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]


def test_copies_are_independent():
    layer = linear()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    twin = copy.deepcopy(layer)
    parametrize.remove_parametrizations(layer, "weight")
    twin.parametrizations.weight.original.data[...] = 7.0
    np.testing.assert_array_equal(twin.weight.data, 7.0)
    assert (layer.weight.data != 7.0).any()


def test_buffers_can_be_parametrized():
    norm = nn.BatchNorm1d(2)
    parametrize.register_parametrization(norm, "running_var", Exponential())
    np.testing.assert_allclose(norm.running_var, 1.0)
    assert "parametrizations.running_var.original" in norm.state_dict()
    parametrize.remove_parametrizations(norm, "running_var")
    assert "running_var" in norm.state_dict()


def test_within_cached_a_weight_is_computed_once():
    calls = []

    class Counted(nn.Module):
        def forward(self, x):
            calls.append(1)
            return x * 1.0

    layer = linear()
    parametrize.register_parametrization(layer, "weight", Counted())
    calls.clear()
    with parametrize.cached():
        assert layer.weight is layer.weight
        with parametrize.cached():
            assert layer.weight is layer.weight
    assert len(calls) == 1
    assert layer.weight is not layer.weight
    assert len(calls) == 3


def test_a_state_dict_goes_through_a_file(tmp_path):
    layer, other = (
        parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
        for _ in range(2)
    )
    nn.save(tmp_path / "layer.npz", model=layer)
    nn.load(tmp_path / "layer.npz", model=other)
    np.testing.assert_array_equal(layer.weight.data, other.weight.data)


def test_what_does_not_fit_changes_nothing():
    class Longer(nn.Module):
        def forward(self, x):
            return np.concatenate([x, x])

        def right_inverse(self, x):
            return x * 0.0

    layer = linear()
    start = layer.weight.data.copy()
    with pytest.raises(ValueError, match=r"wanted a result of shape \(3, 3\).*got \(6, 3\)"):
        parametrize.register_parametrization(layer, "weight", Longer())
    assert type(layer) is nn.Linear
    np.testing.assert_array_equal(layer.weight.data, start)
    parametrize.register_parametrization(layer, "weight", Longer(), unsafe=True)
    assert layer.weight.shape == (6, 3)
    with pytest.raises(ValueError, match="wanted the name of a parameter or buffer.*got 'wait'"):
        parametrize.register_parametrization(linear(), "wait", Symmetric())
    with pytest.raises(ValueError, match="wanted a parametrized attribute of Linear, got 'weight'"):
        parametrize.remove_parametrizations(linear(), "weight")


@pytest.mark.torch
def test_state_dict_keys_and_names_are_pytorchs():
    torch = pytest.importorskip("torch")

    class Theirs(torch.nn.Module):
        def forward(self, x):
            return torch.exp(x)

        def right_inverse(self, y):
            return torch.log(y)

    theirs, ours = torch.nn.Linear(3, 3), nn.Linear(3, 3)
    theirs.weight.data.abs_().add_(0.1)
    ours.load_state_dict(theirs.state_dict())
    torch.nn.utils.parametrize.register_parametrization(theirs, "weight", Theirs())
    parametrize.register_parametrization(ours, "weight", Exponential())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours).splitlines()[0] == repr(theirs).splitlines()[0]
    ours.load_state_dict(theirs.state_dict())
    np.testing.assert_allclose(ours.weight.data, theirs.weight.detach().numpy(), rtol=1e-6)


def test_a_recorded_weight_is_a_variable_like_any_other():
    layer = linear()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert isinstance(layer.weight, Variable)
    assert layer.weight.requires_grad
