import copy
import json

import numpy as np
import pytest
from torch_twin import compare_signatures

import autograd
import nn
from autograd import Variable
from nn import functional


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_part_p_is_zero_and_the_mean_stays(p):
    x = np.ones(200_000, np.float32)
    out = nn.Dropout(p, generator=0)(x)
    assert out.dtype == np.float32
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / (1 - p))}
    assert abs((out == 0).mean() - p) < 0.005
    assert abs(out.mean() - 1) < 0.03


def test_the_gradient_passes_where_the_input_did():
    x = Variable(np.ones(1000), requires_grad=True)
    out = nn.Dropout(0.25, generator=0)(x)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, out.data)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Dropout(0.5).eval(),
        nn.Dropout(0.0),
        nn.AlphaDropout(0.0),
        nn.FeatureAlphaDropout().eval(),
    ],
)
def test_evaluation_and_p_0_return_the_input_itself(layer):
    x = Variable(np.ones((3, 2)), requires_grad=True)
    assert layer(x) is x


def test_p_1_drops_everything():
    x = Variable(np.array([1.0, 2.0]), requires_grad=True)
    out = nn.Dropout(1.0)(x)
    out.sum().backward()
    np.testing.assert_array_equal(out.data, [0, 0])
    np.testing.assert_array_equal(x.grad, [0, 0])


@pytest.mark.parametrize(
    "layer, shape, space",
    [
        (nn.Dropout1d, (8, 50, 3), 1),
        (nn.Dropout2d, (50, 3, 2), 2),
        (nn.Dropout3d, (4, 50, 2, 2, 2), 3),
    ],
)
def test_channels_are_dropped_as_a_whole(layer, shape, space):
    out = layer(0.5, generator=0)(np.ones(shape))
    axes = tuple(range(-space, 0))
    assert set(np.unique(out)) == {0.0, 2.0}
    np.testing.assert_array_equal(out.min(axis=axes), out.max(axis=axes))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("layer", [nn.AlphaDropout, nn.FeatureAlphaDropout])
def test_alpha_dropout_keeps_mean_and_variance(layer, p):
    x = np.random.default_rng(0).normal(size=(1000, 400))
    out = layer(p, generator=0)(x)
    assert abs(out.mean()) < 0.01
    assert abs(out.var() - 1) < 0.02
    least = np.unique(out)[np.argmax(np.unique(out, return_counts=True)[1])]
    assert abs((out == least).mean() - p) < 0.005


@pytest.mark.torch
@pytest.mark.parametrize("p", [0.2, 0.7, 1.0])
def test_alpha_dropout_scales_and_shifts_as_pytorchs(p):
    """What is dropped differs, so the two values that 0 and 1 can become are compared."""
    torch = pytest.importorskip("torch")
    for name in ("alpha_dropout", "feature_alpha_dropout"):
        theirs = getattr(torch.nn.functional, name)
        for value in (0.0, 1.0):
            x = np.full((2000, 2), value)
            found = np.unique(getattr(functional, name)(x, p, True, generator=0))
            wanted = np.unique(theirs(torch.tensor(x), p, True).numpy())
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def test_feature_alpha_dropout_sets_whole_channels():
    out = nn.FeatureAlphaDropout(0.5, generator=0)(np.ones((20, 5, 3, 2)))
    np.testing.assert_array_equal(out.min(axis=(2, 3)), out.max(axis=(2, 3)))
    assert len(np.unique(out)) == 2


@pytest.mark.torch
@pytest.mark.parametrize(
    "name",
    [
        "Dropout",
        "Dropout1d",
        "Dropout2d",
        "Dropout3d",
        "AlphaDropout",
        "FeatureAlphaDropout",
        "dropout",
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "alpha_dropout",
        "feature_alpha_dropout",
    ],
)
def test_signatures_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    ours = getattr(nn, name, None) or getattr(functional, name)
    compare_signatures(ours, getattr(torch.nn, name, None) or getattr(torch.nn.functional, name))


def test_an_infinity_that_is_dropped_is_zero():
    x = Variable(np.full(100, np.inf), requires_grad=True)
    out = functional.dropout(x, 0.5, generator=0)
    assert set(np.unique(out.data)) == {0.0, np.inf}
    out.backward(np.full(100, np.inf))
    np.testing.assert_array_equal(x.grad, out.data)


def test_the_same_seed_gives_the_same_bits():
    x = np.ones(50)
    np.testing.assert_array_equal(nn.Dropout(generator=3)(x), nn.Dropout(generator=3)(x))
    autograd.manual_seed(5)
    first = nn.Dropout()(x)
    autograd.manual_seed(5)
    np.testing.assert_array_equal(nn.Dropout()(x), first)
    np.testing.assert_array_equal(
        functional.dropout(x, generator=3), functional.dropout(x, generator=3)
    )


def test_two_layers_draw_from_streams_of_their_own():
    x = np.ones(50)
    assert not np.array_equal(nn.Dropout()(x), nn.Dropout()(x))


@pytest.mark.parametrize("generator", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_the_generators_state_survives_json(generator):
    layer = nn.Sequential(nn.Dropout(generator=np.random.Generator(generator(1))))
    x = np.ones(50)
    layer(x)
    states = json.loads(json.dumps(layer.extra_state()))
    assert list(states) == ["0"]
    wanted = layer(x)
    other = nn.Sequential(nn.Dropout(generator=np.random.Generator(generator(2))))
    other.load_extra_state(states)
    np.testing.assert_array_equal(other(x), wanted)


def test_a_copy_continues_alike_and_apart():
    layer = nn.Dropout(generator=0)
    twin = copy.deepcopy(layer)
    x = np.ones(50)
    np.testing.assert_array_equal(layer(x), twin(x))
    layer(x)
    assert not np.array_equal(layer(x), twin(x))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: nn.Dropout(1.5), "Dropout: wanted a probability p from 0 to 1, got 1.5"),
        (lambda: functional.dropout(np.ones(2), -0.1), "dropout: wanted a probability"),
        (
            lambda: nn.Dropout2d()(np.ones((3, 4))),
            r"dropout2d: wanted an input with a channel axis and 2 more",
        ),
        (lambda: functional.alpha_dropout(np.ones(2), 2), "alpha_dropout: wanted a probability"),
        (
            lambda: functional.feature_alpha_dropout(np.ones(2)),
            r"feature_alpha_dropout: wanted an input of shape \(N, C, \.\.\.\), got \(2,\)",
        ),
        (
            lambda: nn.Dropout().set_extra_state({"bit_generator": "PCG63"}),
            "wanted the state of a PCG64 generator",
        ),
        (
            lambda: nn.Dropout().load_extra_state({}),
            r"load_extra_state: wanted states for \[''\], got \[\]",
        ),
    ],
)
def test_wrong_arguments_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
