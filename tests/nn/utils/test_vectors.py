"""Parameters as one vector, clipping under its name in nn.utils, and folded batch norms."""

import numpy as np
import pytest

import nn
import optim
from autograd import Variable
from nn import utils


def test_parameters_become_a_vector_and_come_back():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    parameters = list(model.parameters())
    vector = utils.parameters_to_vector(parameters)
    np.testing.assert_array_equal(vector.data, np.concatenate([p.data.ravel() for p in parameters]))
    utils.vector_to_parameters(vector * 2.0, model.parameters())
    np.testing.assert_array_equal(utils.parameters_to_vector(parameters).data, 2.0 * vector.data)
    assert list(model.parameters()) == parameters
    utils.vector_to_parameters(np.arange(26), model.parameters())
    np.testing.assert_array_equal(model[0].weight.data, np.arange(12).reshape(4, 3))
    assert model[0].weight.dtype == np.float32


def test_the_vector_is_recorded():
    layer = nn.Linear(3, 2)
    (utils.parameters_to_vector(layer.parameters()) ** 2).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, 2 * layer.weight.data)


def test_a_vector_of_another_length_changes_nothing():
    layer = nn.Linear(3, 2)
    before = layer.state_dict()
    with pytest.raises(ValueError, match=r"wanted a vector of 8 numbers.*got shape \(7,\)"):
        utils.vector_to_parameters(np.zeros(7), layer.parameters())
    np.testing.assert_array_equal(layer.weight.data, before["weight"])
    with pytest.raises(ValueError, match="wanted at least one parameter, got none"):
        utils.parameters_to_vector([])


def test_clipping_is_that_of_optim():
    assert utils.clip_grad_norm_ is optim.clip_grad_norm_
    assert utils.clip_grad_value_ is optim.clip_grad_value_
    x = Variable([3.0, 4.0], requires_grad=True)
    x.grad = np.array([3.0, 4.0])
    utils.clip_grads_with_norm_([x], 1.0, utils.get_total_norm([x.grad]))
    np.testing.assert_allclose(x.grad, [0.6, 0.8], rtol=1e-6)
    with pytest.raises(ValueError, match="clip_grads_with_norm_: wanted max_norm >= 0, got -1"):
        utils.clip_grads_with_norm_([x], -1.0, 1.0)


def trained_norm(affine=True):
    norm = nn.BatchNorm1d(4, affine=affine, dtype=np.float64)
    rng = np.random.default_rng(0)
    norm.running_mean, norm.running_var = rng.normal(size=4), rng.uniform(0.5, 2.0, 4)
    if affine:
        norm.weight.data, norm.bias.data = rng.normal(size=(2, 4))
    return norm.eval()


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_a_folded_batch_norm_is_the_batch_norm(affine, bias):
    layer, norm = nn.Linear(3, 4, bias, dtype=np.float64).eval(), trained_norm(affine)
    x = np.random.default_rng(1).normal(size=(5, 3))
    fused = utils.fuse_linear_bn_eval(layer, norm)
    np.testing.assert_allclose(fused(x).data, norm(layer(x)).data, rtol=1e-12)
    assert fused is not layer
    assert type(fused) is nn.Linear


@pytest.mark.torch
@pytest.mark.parametrize("transpose", [False, True])
def test_folded_weights_of_convolutions_equal_pytorchs(transpose):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    shape = (3, 4, 2, 2) if transpose else (4, 3, 2, 2)
    args = [rng.normal(size=shape), *rng.normal(size=(2, 4)), rng.uniform(0.5, 2.0, 4)]
    rest = list(rng.normal(size=(2, 4)))
    got = utils.fuse_conv_bn_weights(*args, 1e-3, *rest, transpose=transpose)
    wanted = torch.nn.utils.fuse_conv_bn_weights(
        *map(torch.tensor, args), 1e-3, *map(torch.tensor, rest), transpose=transpose
    )
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-12)


def test_folding_wants_evaluation_and_running_statistics():
    layer, norm = nn.Linear(3, 4), trained_norm()
    with pytest.raises(ValueError, match="wanted both in evaluation, got training"):
        utils.fuse_linear_bn_eval(layer, norm)
    bare = nn.BatchNorm1d(4, track_running_stats=False).eval()
    with pytest.raises(ValueError, match="wanted a batch norm with running statistics"):
        utils.fuse_linear_bn_eval(layer.eval(), bare)
