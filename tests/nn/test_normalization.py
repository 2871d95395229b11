import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch_twin import compare_signatures

import nn
from autograd import Variable
from autograd.testing import check_gradients
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


@pytest.mark.torch
@pytest.mark.parametrize("batch", [(4,), ()])
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"affine": True, "eps": 0.1},
        {"track_running_stats": True, "momentum": 0.3},
        {"affine": True, "track_running_stats": True, "momentum": None},
        {"affine": True, "bias": False},
    ],
)
def test_instance_norm_equals_pytorchs_in_training_and_in_evaluation(n, batch, arguments):
    torch = pytest.importorskip("torch")
    ours = getattr(nn, f"InstanceNorm{n}d")(3, **arguments, dtype=np.float64)
    theirs = getattr(torch.nn, f"InstanceNorm{n}d")(3, **arguments, dtype=torch.float64)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    randomise(torch, ours, theirs)
    shape = (*batch, 3, *range(2, 2 + n))
    for _ in range(3):
        compare(torch, ours, theirs, RNG.normal(3, 2, size=shape))
    compare(torch, ours.eval(), theirs.eval(), RNG.normal(3, 2, size=shape))


@pytest.mark.torch
@pytest.mark.parametrize("name", ["BatchNorm2d", "GroupNorm"])
def test_a_scale_without_a_shift_equals_pytorchs(name):
    torch = pytest.importorskip("torch")
    sizes = (2, 4) if name == "GroupNorm" else (4,)
    ours = getattr(nn, name)(*sizes, bias=False, dtype=np.float64)
    theirs = getattr(torch.nn, name)(*sizes, bias=False, dtype=torch.float64)
    randomise(torch, ours, theirs)
    compare(torch, ours, theirs, RNG.normal(3, 2, size=(3, 4, 2, 2)))


@pytest.mark.torch
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("shape", [(2, 4, 3), (2, 5, 3, 2), (1, 3, 2, 2, 2)])
def test_local_response_norm_equals_pytorchs(size, shape):
    torch = pytest.importorskip("torch")
    arguments = {"alpha": 0.5, "beta": 0.6, "k": 1.5}
    x = RNG.normal(size=shape)
    compare(
        torch,
        nn.LocalResponseNorm(size, **arguments),
        torch.nn.LocalResponseNorm(size, **arguments),
        x,
    )


@pytest.mark.torch
@pytest.mark.parametrize("training", [True, False])
def test_functional_forms_move_the_running_statistics_as_pytorchs_do(training):
    torch = pytest.importorskip("torch")
    x = RNG.normal(3, 2, size=(4, 3, 5))
    for name in ("batch_norm", "instance_norm"):
        mean, var = RNG.normal(size=3), RNG.random(3) + 0.5
        tensors = torch.tensor(mean), torch.tensor(var)
        given = {"batch_norm": "training", "instance_norm": "use_input_stats"}[name]
        out = getattr(functional, name)(x, mean, var, **{given: training}, momentum=0.3)
        wanted = getattr(torch.nn.functional, name)(
            torch.tensor(x), *tensors, **{given: training}, momentum=0.3
        )
        np.testing.assert_allclose(out, wanted.numpy(), rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(mean, tensors[0].numpy(), rtol=1e-12)
        np.testing.assert_allclose(var, tensors[1].numpy(), rtol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize(
    "name",
    [
        "BatchNorm1d",
        "BatchNorm2d",
        "BatchNorm3d",
        "InstanceNorm1d",
        "InstanceNorm2d",
        "InstanceNorm3d",
        "GroupNorm",
        "LayerNorm",
        "RMSNorm",
        "LocalResponseNorm",
        "batch_norm",
        "instance_norm",
        "group_norm",
        "layer_norm",
        "rms_norm",
        "local_response_norm",
        "normalize",
    ],
)
def test_signatures_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    ours = getattr(nn, name, None) or getattr(functional, name)
    compare_signatures(ours, getattr(torch.nn, name, None) or getattr(torch.nn.functional, name))


def test_running_statistics_may_be_variables():
    mean, var = Variable(np.zeros(2)), Variable(np.ones(2))
    functional.batch_norm(np.array([[0.0, 2.0], [2.0, 6.0]]), mean, var, training=True, momentum=1)
    np.testing.assert_array_equal(mean.data, [1, 4])
    np.testing.assert_array_equal(var.data, [2, 8])


def test_running_statistics_stay_where_there_are_none_to_move():
    x = RNG.normal(size=(4, 2, 3))
    out = functional.batch_norm(x, None, None, training=True)
    np.testing.assert_allclose(functional.batch_norm(x, None, None), out)
    np.testing.assert_allclose(out.mean(axis=(0, 2)), 0, atol=1e-12)


def test_parameters_and_statistics_start_again():
    layer = nn.InstanceNorm1d(2, affine=True, track_running_stats=True)
    fresh = layer.state_dict()
    layer(RNG.normal(size=(4, 2, 3)))
    layer.weight.data[...] = 3.0
    layer.reset_parameters()
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, fresh[name])


def test_scales_start_at_1_and_shifts_at_0():
    for layer in [nn.LayerNorm(3), nn.RMSNorm(3), nn.GroupNorm(1, 3), nn.BatchNorm1d(3)]:
        starts = {"weight": np.ones(3), "bias": np.zeros(3)}
        for name, parameter in layer.named_parameters():
            np.testing.assert_array_equal(parameter.data, starts[name])


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
            lambda: functional.batch_norm(np.ones((4, 3)), np.zeros(2), np.ones(2)),
            r"batch_norm: wanted statistics, weight and bias of shape \(3,\) .* got \(2,\)",
        ),
        (
            lambda: functional.group_norm(np.ones((2, 4)), 2, np.ones(2)),
            r"group_norm: wanted statistics, weight and bias of shape \(4,\)",
        ),
        (lambda: functional.batch_norm(np.ones(3), None, None), r"of shape \(N, C, \.\.\.\), got"),
        (
            lambda: functional.instance_norm(np.ones((2, 3, 1))),
            r"instance_norm: wanted more than one value per channel of a sample, got shape",
        ),
        (
            lambda: functional.instance_norm(np.ones((2, 3, 4)), use_input_stats=False),
            "instance_norm: wanted running_mean and running_var with use_input_stats=False",
        ),
        (
            lambda: nn.InstanceNorm2d(3)(np.ones((2, 4, 3, 3))),
            r"InstanceNorm2d: wanted an input of shape \(N, C, H, W\) or \(C, H, W\) with C = 3",
        ),
        (
            lambda: functional.local_response_norm(np.ones((2, 3)), 2),
            r"local_response_norm: wanted an input of shape \(N, C, \.\.\.\) with space axes",
        ),
        (
            lambda: functional.local_response_norm(np.ones((2, 3, 4)), 0),
            "local_response_norm: wanted a size of at least 1, got 0",
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
    assert repr(nn.LocalResponseNorm(2)) == "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)"
    assert repr(nn.InstanceNorm1d(3)) == (
        "InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False)"
    )
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
        lambda x: functional.normalize(x),
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


def test_normalize_divides_complex_vectors_by_their_length():
    """z * z, whose real part may be negative, is no square of a length."""
    z = np.array([[3.0j, 4.0], [1j, 1j]])
    for p in (2.0, 2.0000001):
        np.testing.assert_allclose(
            functional.normalize(z, p), z / np.array([[5.0], [2**0.5]]), rtol=1e-6
        )
    check_gradients(lambda z: functional.normalize(z), z)


def test_a_norm_without_shift_says_so():
    for layer in (nn.BatchNorm1d(4, bias=False), nn.LayerNorm(4, bias=False)):
        assert repr(layer).endswith(", bias=False)"), repr(layer)
    assert repr(nn.GroupNorm(2, 4, bias=False)).endswith("affine=True, bias=False)")
    assert "bias" not in repr(nn.GroupNorm(2, 4, affine=False)) + repr(nn.BatchNorm2d(3))
