"""Softmax in other dtypes, on empty arrays and under both names of its axis; random activations."""

import numpy as np
import pytest
import torch_nested

import autograd
import nn
from autograd import Variable
from nn import functional

FUNCTIONS = ("softmax", "log_softmax", "softmin")
each_function = pytest.mark.parametrize("name", FUNCTIONS)


@pytest.mark.torch
@each_function
@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 3), (0, 3), (3, 0), (), (2, 0, 4), (4,)])
def test_functions_equal_pytorchs_for_all_shapes_and_dtypes(name, dtype, shape):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=shape)
    got = getattr(functional, name)(x, dim=-1, dtype=dtype)
    wanted = getattr(torch.nn.functional, name)(
        torch.tensor(x), dim=-1, dtype=None if dtype is None else getattr(torch, dtype)
    ).numpy()
    assert np.shape(got) == wanted.shape
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got, wanted, rtol=1e-6 if dtype == "float32" else 1e-12)


@each_function
def test_a_dtype_converts_before_and_the_gradient_comes_back_in_the_old_one(name):
    x = Variable(np.array([1e3, 2.0], np.float16), requires_grad=True)
    out = getattr(functional, name)(x, dtype=np.float64)
    out.sum().backward()
    assert (out.dtype, x.grad.dtype) == (np.float64, np.float16)


@each_function
def test_empty_arrays_pass_gradients(name):
    x = Variable(np.ones((0, 3)), requires_grad=True)
    getattr(functional, name)(x, axis=0).sum().backward()
    assert x.grad.shape == (0, 3)


@pytest.mark.parametrize("layer", ["Softmax", "LogSoftmax", "Softmin", "GLU"])
def test_layers_take_their_axis_under_both_names(layer):
    x = np.random.default_rng(0).normal(size=(2, 4, 6))
    make = getattr(nn, layer)
    np.testing.assert_array_equal(make(dim=1)(x), make(axis=1)(x))
    np.testing.assert_array_equal(make(1)(x), make(axis=1)(x))
    with pytest.raises(TypeError, match="wanted axis or dim, got both"):
        make(axis=1, dim=1)


@pytest.mark.torch
def test_softmax2d_equals_pytorchs():
    torch = pytest.importorskip("torch")
    for shape in ((2, 3, 4, 5), (3, 4, 5)):
        x = np.random.default_rng(0).normal(size=shape)
        torch_nested.compare_modules(torch, nn.Softmax2d(), torch.nn.Softmax2d(), x)
    with pytest.raises(ValueError, match=r"Softmax2d: wanted an input of shape \(N, C, H, W\)"):
        nn.Softmax2d()(np.ones((2, 3)))


@each_function
def test_an_axis_that_is_not_there_is_explained(name):
    with pytest.raises(ValueError, match=rf"{name}: wanted an axis of .* shape \(2, 3\), got 2"):
        getattr(functional, name)(np.ones((2, 3)), 2)


# -- random activations ----------------------------------------------------------------------------


@pytest.mark.torch
def test_rrelu_equals_pytorchs_in_evaluation():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(3, 4))
    ours, theirs = nn.RReLU(0.2, 0.6).eval(), torch.nn.RReLU(0.2, 0.6).eval()
    torch_nested.compare_modules(torch, ours, theirs, x)


def test_rrelu_draws_slopes_in_training():
    x = Variable(-np.ones(10_000), requires_grad=True)
    out = nn.RReLU(0.2, 0.6, generator=0)(x)
    out.sum().backward()
    assert out.data.max() <= -0.2
    assert out.data.min() >= -0.6
    assert abs(out.data.mean() + 0.4) < 0.01
    np.testing.assert_array_equal(x.grad, -out.data)
    np.testing.assert_array_equal(functional.rrelu(np.ones(3), training=True), 1.0)
    with pytest.raises(ValueError, match="rrelu: wanted lower of at most upper, got 0.5 and 0.2"):
        functional.rrelu(np.ones(3), 0.5, 0.2)


def test_rrelu_is_continued_from_a_saved_model(tmp_path):
    layer, x = nn.RReLU(generator=0), -np.ones(5)
    nn.save(tmp_path / "rrelu.npz", model=layer)
    wanted = layer(x)
    other = nn.RReLU(generator=1)
    nn.load(tmp_path / "rrelu.npz", model=other)
    np.testing.assert_array_equal(other(x), wanted)


def test_gumbel_softmax_draws_classes_as_often_as_softmax_says():
    logits = np.log(np.tile([0.1, 0.6, 0.3], (20_000, 1)))
    hard = functional.gumbel_softmax(logits, hard=True, generator=0)
    assert set(np.unique(hard)) == {0.0, 1.0}
    np.testing.assert_allclose(hard.mean(axis=0), [0.1, 0.6, 0.3], atol=0.015)
    soft = functional.gumbel_softmax(logits, tau=0.5, generator=0)
    np.testing.assert_allclose(soft.sum(axis=1), 1.0)
    np.testing.assert_array_equal(soft.argmax(axis=1), hard.argmax(axis=1))


def test_the_hard_gumbel_softmax_has_the_gradient_of_the_soft_one():
    x, weights = np.random.default_rng(0).normal(size=(2, 3, 4))
    gradients = []
    for hard in (False, True):
        v = Variable(x, requires_grad=True)
        functional.gumbel_softmax(v, hard=hard, dim=0, generator=1).backward(weights)
        gradients.append(v.grad)
    np.testing.assert_array_equal(*gradients)
    check = autograd.testing.check_gradients
    check(lambda x: functional.gumbel_softmax(x, tau=2.0, generator=1), x)
    with pytest.raises(ValueError, match="gumbel_softmax: wanted a positive tau, got 0"):
        functional.gumbel_softmax(x, tau=0)


@pytest.mark.torch
@pytest.mark.parametrize("given", [{}, {"tau": 0.5, "axis": 0}, {"hard": True}])
def test_gumbel_softmax_is_pytorchs_for_the_same_draws(given, monkeypatch):
    torch = pytest.importorskip("torch")
    logits = np.random.default_rng(0).normal(size=(3, 4))
    leaf = Variable(logits, requires_grad=True)
    out = functional.gumbel_softmax(leaf, **given, generator=1)
    tensor = torch.tensor(logits, requires_grad=True)
    theirs = {"dim" if key == "axis" else key: value for key, value in given.items()}
    # The draws of ours are found back, up to what softmax does not see, and PyTorch takes them.
    axis = given.get("axis", -1)
    soft = functional.gumbel_softmax(Variable(logits), axis=axis, generator=1)
    gumbels = np.log(soft.data) - logits
    monkeypatch.setattr(
        torch.Tensor, "exponential_", lambda t: t.copy_(torch.tensor(np.exp(-gumbels)))
    )
    wanted = torch.nn.functional.gumbel_softmax(tensor, **theirs)
    np.testing.assert_allclose(out.data, wanted.detach().numpy(), rtol=1e-9, atol=1e-12)
    weights = np.cos(np.arange(12.0)).reshape(3, 4)
    out.backward(weights)
    wanted.backward(torch.tensor(weights))
    np.testing.assert_allclose(leaf.grad, tensor.grad.numpy(), rtol=1e-9, atol=1e-12)
