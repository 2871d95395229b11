import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Variable
from nn import functional

RNG = np.random.default_rng(0)


def to_torch(torch, module, other):
    """Give the torch module `other` the state of ours."""
    other.load_state_dict({k: torch.tensor(v) for k, v in module.state_dict().items()})
    return other


@pytest.mark.torch
@given(
    batch=st.lists(st.integers(0, 3), max_size=3),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    bias=st.booleans(),
)
def test_linear_and_its_gradients_equal_pytorchs(batch, sizes, bias):
    torch = pytest.importorskip("torch")
    ours = nn.Linear(*sizes, bias=bias, dtype=np.float64)
    theirs = to_torch(torch, ours, torch.nn.Linear(*sizes, bias=bias, dtype=torch.float64))
    x = RNG.normal(size=(*batch, sizes[0]))
    v, t = Variable(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out, wanted = ours(v), theirs(t)
    np.testing.assert_allclose(out.data, wanted.detach().numpy(), rtol=1e-12, atol=1e-12)
    weights = np.cos(np.arange(out.size)).reshape(out.shape)
    out.backward(weights)
    wanted.backward(torch.tensor(weights))
    np.testing.assert_allclose(v.grad, t.grad.numpy(), rtol=1e-12, atol=1e-12)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.torch
def test_bilinear_and_its_gradients_equal_pytorchs():
    torch = pytest.importorskip("torch")
    ours = nn.Bilinear(3, 2, 4, dtype=np.float64)
    theirs = to_torch(torch, ours, torch.nn.Bilinear(3, 2, 4, dtype=torch.float64))
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
    out, wanted = ours(x, y), theirs(torch.tensor(x), torch.tensor(y))
    np.testing.assert_allclose(out.data, wanted.detach().numpy(), rtol=1e-12)
    out.sum().backward()
    wanted.sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    "layer", [nn.Linear(400, 300, generator=0), nn.Bilinear(400, 30, 10, generator=0)]
)
def test_initial_weights_are_uniform_with_the_bound_of_pytorch(layer):
    bound = 1 / np.sqrt(400)
    for parameter in layer.parameters():
        assert parameter.dtype == np.float32
        assert np.abs(parameter.data).max() <= np.float32(bound)
    values = np.sort(layer.weight.data.ravel())
    uniform = np.linspace(-bound, bound, values.size)
    assert np.abs(values - uniform).max() < 0.01 * bound


def test_a_seed_fixes_the_initial_weights():
    first, again = nn.Linear(3, 2, generator=7), nn.Linear(3, 2, generator=7)
    np.testing.assert_array_equal(first.weight.data, again.weight.data)
    autograd.manual_seed(1)
    third = nn.Linear(3, 2)
    autograd.manual_seed(1)
    np.testing.assert_array_equal(third.weight.data, nn.Linear(3, 2).weight.data)
    assert not np.array_equal(third.weight.data, nn.Linear(3, 2).weight.data)


def test_integer_inputs_are_numbers_of_the_weights_dtype():
    layer = nn.Linear(3, 2)
    bits = np.array([[1, 0, 1], [0, 1, 1]])
    out = layer(bits)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out.data, layer(bits.astype(np.float32)).data)
    out.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, [[1, 1, 2], [1, 1, 2]])


def test_linear_keeps_no_input_when_only_the_input_wants_a_gradient():
    """The rule of an operand nobody asked about must not keep the others alive."""
    layer = nn.Linear(3, 2).requires_grad_(False)
    x = Variable(np.ones((4, 3), np.float32), requires_grad=True)
    saved = layer(x)._node.saved
    assert not any(isinstance(s, np.ndarray) and s.shape == (4, 3) for s in saved)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: nn.Linear(3, 2)(np.ones((4, 5))),
            ValueError,
            r"linear: wanted an input of shape .* for a weight of shape \(2, 3\), got \(4, 5\)",
        ),
        (lambda: nn.Linear(3, 2)(np.float64(1.0)), ValueError, r"got \(\)"),
        (
            lambda: nn.Linear(3, 2)([1.0, 2.0, 3.0]),
            TypeError,
            "linear: wanted an array or a Variable, got list",
        ),
        (
            lambda: functional.linear(np.ones((4, 3)), np.ones((2, 3)), np.ones(1)),
            ValueError,
            r"linear: wanted a bias of shape \(2,\) for a weight of shape \(2, 3\), got \(1,\)",
        ),
        (lambda: nn.Linear(-1, 2), ValueError, "Linear: wanted in_features of at least 0, got -1"),
        (
            lambda: nn.Linear("3", 2),
            TypeError,
            r"Linear: wanted in_features as an int, got str '3'; write int\(...\) around it",
        ),
        (lambda: nn.Linear(3, 2.0), TypeError, "Linear: wanted out_features as an int, got float"),
        (lambda: nn.Linear(True, 2), TypeError, "wanted in_features as an int, got bool True"),
        (lambda: nn.Linear(np.ones(3), 2), TypeError, "as an int, got ndarray array"),
        (lambda: nn.Bilinear(1, 2.5, 1), TypeError, "Bilinear: wanted in2_features as an int, got"),
        (
            lambda: nn.Bilinear(3, 2, 4)(np.ones((5, 3)), np.ones((4, 2))),
            ValueError,
            r"bilinear: wanted inputs of shapes \(\.\.\., 3\) and \(\.\.\., 2\)",
        ),
        (
            lambda: nn.Flatten()(np.ones(3)),
            ValueError,
            r"Flatten: wanted an input with the axes 1 to -1, got shape \(3,\)",
        ),
        (
            lambda: nn.Flatten(2, 1)(np.ones((2, 2, 2))),
            ValueError,
            "Flatten: wanted start_axis before end_axis",
        ),
        (
            lambda: nn.Unflatten(1, (2, 2))(np.ones((2, 6))),
            ValueError,
            r"splits into \(2, 2\), got shape \(2, 6\)",
        ),
        (lambda: nn.Unflatten(1, (4, -1))(np.ones((2, 6))), ValueError, r"splits into \(4, -1\)"),
    ],
)
def test_wrong_arguments_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


@given(shape=st.lists(st.integers(1, 3), min_size=2, max_size=4), data=st.data())
def test_flatten_joins_the_axes_it_is_told_and_unflatten_splits_them_again(shape, data):
    start = data.draw(st.integers(0, len(shape) - 1))
    end = data.draw(st.integers(start, len(shape) - 1))
    x = np.arange(np.prod(shape)).reshape(shape)
    flat = nn.Flatten(start, end - len(shape))(x)
    wanted = (*shape[:start], int(np.prod(shape[start : end + 1])), *shape[end + 1 :])
    assert flat.shape == wanted
    np.testing.assert_array_equal(flat.ravel(), x.ravel())
    again = nn.Unflatten(start, tuple(shape[start : end + 1]))(flat)
    np.testing.assert_array_equal(again, x)


def test_identity_returns_its_input_and_ignores_arguments():
    x = np.ones(3)
    assert nn.Identity(54, unused=True)(x) is x


def test_sizes_show_in_repr():
    assert repr(nn.Linear(3, 2, bias=False)) == "Linear(in_features=3, out_features=2, bias=False)"
    assert repr(nn.Flatten()) == "Flatten(start_axis=1, end_axis=-1)"
    assert repr(nn.Unflatten(1, (2, 3))) == "Unflatten(axis=1, unflattened_size=(2, 3))"
    assert repr(nn.Bilinear(1, 2, 3)) == (
        "Bilinear(in1_features=1, in2_features=2, out_features=3, bias=True)"
    )


@pytest.mark.parametrize(
    "make, match",
    [
        (
            lambda: nn.Embedding("3", 2),
            "Embedding: wanted num_embeddings as an int, got str '3'; wri",
        ),
        (lambda: nn.LayerNorm("3"), "LayerNorm: wanted normalized_shape as an int, got str '3'"),
        (lambda: nn.LayerNorm((3, 2.0)), "LayerNorm: wanted normalized_shape as an int, got float"),
        (lambda: nn.RMSNorm(3.0), "RMSNorm: wanted normalized_shape as an int, got float 3.0"),
        (lambda: nn.BatchNorm2d(3.0), "BatchNorm2d: wanted num_features as an int, got float 3.0"),
        (lambda: nn.GroupNorm(2.0, 4), "GroupNorm: wanted num_groups as an int, got float 2.0"),
        (lambda: nn.PReLU("3"), "PReLU: wanted num_parameters as an int, got str '3'"),
        (lambda: nn.Dropout("0.5"), "Dropout: wanted a probability p, got str '0.5'"),
    ],
)
def test_sizes_of_the_wrong_kind_name_layer_and_argument(make, match):
    with pytest.raises(TypeError, match=match):
        make()
    with pytest.raises(
        ValueError, match="GroupNorm: wanted num_groups that divides 4 channels, got 0"
    ):
        nn.GroupNorm(0, 4)
