import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Variable
from nn import functional

RNG = np.random.default_rng(0)


def compare(torch, ours, theirs, x):
    """Check output, gradients of input and parameters, and buffers against PyTorch's layer."""
    v, t = Variable(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out, wanted = ours(v), theirs(t)
    np.testing.assert_allclose(out.data, wanted.detach().numpy(), rtol=1e-9, atol=1e-10)
    weights = np.cos(np.arange(out.size)).reshape(out.shape)
    out.backward(weights)
    wanted.backward(torch.tensor(weights))
    np.testing.assert_allclose(v.grad, t.grad.numpy(), rtol=1e-7, atol=1e-8)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-9, atol=1e-10)
    for (name, b), (other, c) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        assert name == other
        np.testing.assert_allclose(b, c.numpy(), rtol=1e-12)
    ours.zero_grad()
    theirs.zero_grad()


def randomise(torch, ours, theirs):
    """Give both layers the same parameters, other than ones and zeros."""
    for parameter in ours.parameters():
        parameter.data[...] = RNG.normal(size=parameter.shape)
        parameter.mark_changed()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})


@pytest.mark.torch
@pytest.mark.parametrize(
    "arguments", [{}, {"eps": 0.1, "bias": False}, {"elementwise_affine": False}]
)
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=4), data=st.data())
def test_layer_norm_equals_pytorchs(arguments, shape, data):
    torch = pytest.importorskip("torch")
    last = tuple(shape[-data.draw(st.integers(1, len(shape))) :])
    ours = nn.LayerNorm(last, **arguments, dtype=np.float64)
    theirs = torch.nn.LayerNorm(last, **arguments, dtype=torch.float64)
    randomise(torch, ours, theirs)
    compare(torch, ours, theirs, RNG.normal(3, 2, size=shape))


@pytest.mark.torch
@pytest.mark.parametrize("arguments", [{}, {"eps": 0.1}, {"elementwise_affine": False}])
def test_rms_norm_equals_pytorchs(arguments):
    torch = pytest.importorskip("torch")
    ours = nn.RMSNorm(4, **arguments, dtype=np.float64)
    theirs = torch.nn.RMSNorm(4, **arguments, dtype=torch.float64)
    randomise(torch, ours, theirs)
    compare(torch, ours, theirs, RNG.normal(3, 2, size=(2, 3, 4)))


@pytest.mark.torch
@pytest.mark.parametrize(
    "shape, groups", [((5, 6), 1), ((5, 6), 2), ((2, 6, 3), 6), ((2, 6, 3), 2), ((2, 6, 2, 3), 3)]
)
def test_group_norm_equals_pytorchs(shape, groups):
    torch = pytest.importorskip("torch")
    ours = nn.GroupNorm(groups, 6, dtype=np.float64)
    theirs = torch.nn.GroupNorm(groups, 6, dtype=torch.float64)
    randomise(torch, ours, theirs)
    compare(torch, ours, theirs, RNG.normal(3, 2, size=shape))


@pytest.mark.torch
@pytest.mark.parametrize(
    "name, shape",
    [
        ("BatchNorm1d", (5, 3)),
        ("BatchNorm1d", (4, 3, 2)),
        ("BatchNorm2d", (2, 3, 2, 2)),
        ("BatchNorm3d", (2, 3, 1, 2, 2)),
    ],
)
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"momentum": None},
        {"momentum": 0.5, "affine": False},
        {"track_running_stats": False, "eps": 0.1},
    ],
)
def test_batch_norm_equals_pytorchs_in_training_and_in_evaluation(name, shape, arguments):
    torch = pytest.importorskip("torch")
    ours = getattr(nn, name)(3, **arguments, dtype=np.float64)
    theirs = getattr(torch.nn, name)(3, **arguments, dtype=torch.float64)
    randomise(torch, ours, theirs)
    for _ in range(3):
        compare(torch, ours, theirs, RNG.normal(3, 2, size=shape))
    compare(torch, ours.eval(), theirs.eval(), RNG.normal(3, 2, size=shape))


LAYERS = [nn.LayerNorm(3), nn.RMSNorm(3), nn.GroupNorm(3, 3), nn.GroupNorm(1, 3), nn.BatchNorm1d(3)]


@pytest.mark.parametrize("layer", LAYERS)
def test_float32_stays_float32(layer):
    x = Variable(RNG.normal(size=(4, 3)).astype(np.float32), requires_grad=True)
    out = layer(x)
    assert out.dtype == np.float32
    out.sum().backward()
    assert all(b.dtype in (np.float32, np.int64) for b in layer.buffers())


@pytest.mark.parametrize("layer", LAYERS)
def test_constant_inputs_have_finite_gradients(layer):
    x = Variable(np.full((4, 3), 2.0), requires_grad=True)
    layer(x).sum().backward()
    assert np.isfinite(x.grad).all()


def test_layer_norm_of_far_numbers_loses_no_digits():
    x = np.array([[1e8, 1e8 + 1, 1e8 + 2]])
    np.testing.assert_allclose(
        functional.layer_norm(x, 3, eps=0.0), np.sqrt(1.5) * np.array([[-1, 0, 1]])
    )


def test_gradients_flow_through_the_running_statistics_of_evaluation_only_to_the_input():
    layer = nn.BatchNorm1d(2, dtype=np.float64)
    layer.running_var = np.array([4.0, 9.0])
    x = Variable(np.ones((3, 2)), requires_grad=True)
    layer.eval()(x).sum().backward()
    np.testing.assert_allclose(x.grad, np.tile([1 / 2, 1 / 3], (3, 1)), rtol=1e-5)
    assert layer.num_batches_tracked == 0


def test_a_graph_keeps_the_statistics_it_was_recorded_with():
    layer = nn.BatchNorm1d(2, dtype=np.float64).eval()
    x = Variable(np.ones((3, 2)), requires_grad=True)
    out = layer(x).sum()
    layer.train()(RNG.normal(size=(9, 2)))
    out.backward()
    np.testing.assert_allclose(x.grad, 1.0, rtol=1e-5)


def test_statistics_can_be_forgotten():
    layer = nn.BatchNorm1d(2)
    fresh = layer.state_dict()
    layer(RNG.normal(size=(9, 2)))
    assert layer.num_batches_tracked == 1
    layer.reset_running_stats()
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, fresh[name])


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: nn.LayerNorm((2, 3))(np.ones((4, 3))),
            r"layer_norm: wanted an input of shape \(\.\.\., 2, 3\), got \(4, 3\)",
        ),
        (
            lambda: nn.RMSNorm(2)(np.ones((4, 3))),
            r"rms_norm: wanted an input of shape \(\.\.\., 2\)",
        ),
        (lambda: nn.GroupNorm(2, 3), "GroupNorm: wanted num_groups that divides 3 channels, got 2"),
        (
            lambda: functional.group_norm(np.ones((2, 3)), 2),
            r"group_norm: wanted an input of shape \(N, C, \.\.\.\) with C a",
        ),
        (
            lambda: functional.instance_norm(np.ones((2, 3))),
            r"instance_norm: wanted .* with space axes, got \(2, 3\)",
        ),
        (
            lambda: nn.BatchNorm1d(3)(np.ones((2, 4))),
            r"BatchNorm1d: wanted an input of shape \(N, C\) or \(N, C, L\) with C = 3",
        ),
        (
            lambda: nn.BatchNorm2d(3)(np.ones((2, 3))),
            r"BatchNorm2d: wanted an input of shape \(N, C, H, W\)",
        ),
        (
            lambda: nn.BatchNorm1d(3)(np.ones((1, 3))),
            "batch_norm: wanted more than one value per channel in training",
        ),
        (
            lambda: functional.normalize(np.ones((2, 2)), p=0),
            "normalize: wanted a positive order p, got 0",
        ),
    ],
)
def test_wrong_arguments_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_normalize_of_a_zero_vector_is_zero_with_a_finite_gradient():
    x = Variable(np.zeros((1, 3)), requires_grad=True)
    out = functional.normalize(x)
    out.sum().backward()
    np.testing.assert_array_equal(out.data, 0.0)
    assert np.isfinite(x.grad).all()


def test_arguments_show_in_repr():
    assert repr(nn.LayerNorm(3)) == "LayerNorm((3,), eps=1e-05, elementwise_affine=True)"
    assert repr(nn.RMSNorm((2, 3))) == "RMSNorm((2, 3), eps=None, elementwise_affine=True)"
    assert repr(nn.GroupNorm(2, 4)) == "GroupNorm(2, 4, eps=1e-05, affine=True)"
    assert repr(nn.BatchNorm1d(3)) == (
        "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"
    )


# -- half precision --------------------------------------------------------------------------------


def test_half_precision_is_normalised_in_single_precision():
    x = (1000 + np.arange(300)).astype(np.float16).reshape(2, 150)
    weights = np.linspace(-1, 1, 300).reshape(2, 150)
    for function in (
        lambda x: functional.layer_norm(x, 150),
        lambda x: functional.rms_norm(x, 150),
        lambda x: functional.normalize(x),  # noqa: PLW0108 - beside its kin
        lambda x: functional.group_norm(x.reshape(2, 15, 10), 3).reshape(2, 150),
        lambda x: functional.instance_norm(x.reshape(2, 15, 10)).reshape(2, 150),
        lambda x: functional.batch_norm(x.reshape(30, 10), None, None).reshape(2, 150),
    ):
        v, w = (Variable(a, requires_grad=True) for a in (x, x.astype(float)))
        out, wide = function(v), function(w)
        assert out.dtype == np.float16
        np.testing.assert_allclose(out.data, wide.data, rtol=2e-3, atol=2e-3)
        out.backward(weights.astype(np.float16))
        wide.backward(weights.astype(np.float16).astype(float))
        assert v.grad.dtype == np.float16
        np.testing.assert_allclose(v.grad, w.grad, rtol=5e-3, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("eps", [1e-12, 1e-30, 1e-300])
def test_zeros_are_normalised_to_zeros_with_a_finite_gradient(dtype, eps):
    x = Variable(np.zeros((2, 3), dtype), requires_grad=True)
    out = functional.normalize(x, eps=eps)
    np.testing.assert_array_equal(out.data, np.zeros((2, 3)))
    out.sum().backward()
    assert np.isfinite(x.grad).all()
    assert x.grad.dtype == dtype
