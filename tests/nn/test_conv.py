import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from op_rows import nn_conv as twins
from torch_twin import compare, compare_layers, compare_signatures, torch

import autograd
import nn
import optim
from autograd import Variable
from autograd.testing import check_gradients
from nn import functional
from nn.functional import _conv, _layout

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


# -- the definition, without PyTorch ---------------------------------------------------------------


@st.composite
def convolutions(draw, transposed=False):
    n = draw(st.integers(1, 3))
    groups = draw(st.integers(1, 3))
    each = st.lists(st.integers(1, 3), min_size=n, max_size=n).map(tuple)
    kernel, stride, dilation = draw(each), draw(each), draw(each)
    padding = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n).map(tuple))
    sizes = st.integers(0, 2)
    channels = [groups * draw(st.integers(1, 2)) for _ in range(2)]
    size = tuple(
        max(1, d * (k - 1) + 1 - (0 if transposed else 2 * p)) + draw(sizes)
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    )
    x = normal(draw(st.integers(1, 3)), channels[0], *size)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if transposed:
        more = tuple(
            draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)
        )
        w = normal(channels[0], channels[1] // groups, *kernel)
        return x, w, {**options, "output_padding": more}
    return x, normal(channels[1], channels[0] // groups, *kernel), options


@given(case=convolutions())
def test_convolution_is_what_loops_over_windows_give(case):
    x, w, options = case
    ours = getattr(functional, f"conv{x.ndim - 2}d")
    np.testing.assert_allclose(ours(x, w, **options), twins.conv(x, w, **options), atol=1e-12)


@given(case=convolutions(transposed=True))
def test_transposed_convolution_is_what_loops_over_windows_give(case):
    x, w, options = case
    wanted = twins.conv_transpose(x, w, **options)
    ours = getattr(functional, f"conv_transpose{x.ndim - 2}d")
    if 0 in wanted.shape:
        with pytest.raises(ValueError, match="wanted an output of at least one element"):
            ours(x, w, **options)
    else:
        np.testing.assert_allclose(ours(x, w, **options), wanted, atol=1e-12)


@given(case=convolutions())
def test_the_three_primitives_are_derivatives_of_one_trilinear_form(case):
    """<conv(x, w), g> = <x, conv_transpose(g, w)> = <w, conv_weight(x, g)>."""
    x, w, options = case
    lengths, groups = list(options.values())[:3], options["groups"]
    windows = _conv._conv_windows("conv", x.shape, w.shape, *lengths, groups)
    out = _conv.conv(x, w, None, windows, groups)
    g = normal(*out.shape)
    form = np.sum(out * g)
    of_input = _conv.conv_transpose(g, w, None, windows, groups)
    np.testing.assert_allclose(np.sum(x * of_input), form, atol=1e-10)
    of_weight = _conv.conv_weight(x, g, windows, groups)
    np.testing.assert_allclose(np.sum(w * of_weight), form, atol=1e-10)


@pytest.mark.parametrize("scratch", [1, 50, 10_000])
@pytest.mark.parametrize("last", [False, True])
def test_the_size_of_the_scratch_and_the_memory_of_the_input_change_nothing(
    scratch, last, monkeypatch
):
    monkeypatch.setattr(_layout, "SCRATCH", scratch)
    x, w, g = normal(3, 4, 5, 6), normal(6, 2, 3, 2), normal(3, 6, 3, 5)
    if last:
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        g = np.ascontiguousarray(g.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    v, p = Variable(x, requires_grad=True), Variable(w, requires_grad=True)
    functional.conv2d(v, p, groups=2).backward(g)
    np.testing.assert_allclose(
        functional.conv2d(x, w, groups=2), twins.conv(x, w, groups=2), atol=1e-12
    )
    np.testing.assert_allclose(v.grad, twins.conv_transpose(g, w, groups=2), atol=1e-12)
    unit = np.zeros_like(w)
    unit[4, 1, 2, 0] = 1.0
    wanted = np.sum(twins.conv(x, unit, groups=2) * g)
    np.testing.assert_allclose(p.grad[4, 1, 2, 0], wanted)


@pytest.mark.parametrize("n, transposed", list(itertools.product((1, 2, 3), (False, True))))
def test_derivatives_of_third_order_exist(n, transposed):
    name = f"conv_transpose{n}d" if transposed else f"conv{n}d"

    def cubic(x, w):
        return (getattr(functional, name)(x, w, stride=2, padding=1) ** 3).sum()

    def slopes(x, w):
        gx, gw = autograd.grad(cubic, (0, 1))(x, w)
        return (gx**2).sum() + (gw**2).sum()

    check_gradients(slopes, normal(1, 2, *(3,) * n), normal(2, 2, *(2,) * n), order=2, fast=n == 3)


# -- beside PyTorch --------------------------------------------------------------------------------

CASES = [
    {"kernel_size": 3},
    {"kernel_size": 3, "stride": 2, "padding": 1, "bias": False},
    {"kernel_size": 2, "dilation": 3, "groups": 2, "padding": 1},
    {"kernel_size": 3, "groups": 4, "padding": "same"},
    {"kernel_size": 2, "padding": "same", "dilation": 3},
    {"kernel_size": 2, "padding": "same"},
    {"kernel_size": 3, "padding": "valid"},
    {"kernel_size": 1},
    {"kernel_size": 1, "stride": 2, "padding": 1},
    {"kernel_size": 3, "padding": 2, "padding_mode": "reflect"},
    {"kernel_size": 3, "padding": 1, "padding_mode": "replicate", "stride": 2},
    {"kernel_size": 3, "padding": 2, "padding_mode": "circular"},
    {"kernel_size": 4, "padding": "same", "padding_mode": "circular"},
    {"kernel_size": 3, "padding": "valid", "padding_mode": "circular"},
]


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("batch", [(2,), ()])
@pytest.mark.parametrize("n, options", list(itertools.product((1, 2, 3), CASES)))
def test_conv_equals_pytorchs(n, options, batch):
    ours = getattr(nn, f"Conv{n}d")(4, 8, **options, dtype=np.float64)
    theirs = getattr(torch().nn, f"Conv{n}d")(4, 8, **options, dtype=torch().float64)
    compare_layers(ours, theirs, normal(*batch, 4, *range(6, 6 + n)))


TRANSPOSED = [
    {"kernel_size": 3},
    {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1, "bias": False},
    {"kernel_size": 2, "stride": 3, "groups": 2, "output_padding": 2},
    {"kernel_size": 2, "dilation": 3, "output_padding": 2, "padding": 2},
    {"kernel_size": 3, "groups": 4},
    {"kernel_size": 1},
]


@pytest.mark.torch
@pytest.mark.parametrize("batch", [(2,), ()])
@pytest.mark.parametrize("n, options", list(itertools.product((1, 2, 3), TRANSPOSED)))
def test_conv_transpose_equals_pytorchs(n, options, batch):
    ours = getattr(nn, f"ConvTranspose{n}d")(4, 8, **options, dtype=np.float64)
    theirs = getattr(torch().nn, f"ConvTranspose{n}d")(4, 8, **options, dtype=torch().float64)
    compare_layers(ours, theirs, normal(*batch, 4, *range(3, 3 + n)))


@pytest.mark.torch
def test_lengths_for_each_axis_equal_pytorchs():
    options = {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 2)}
    F = torch().nn.functional
    compare(functional.conv2d, F.conv2d, [normal(2, 3, 6, 7), normal(4, 3, 3, 2)], kwargs=options)
    options["output_padding"] = (1, 0)
    arrays = [normal(2, 3, 4, 5), normal(3, 4, 3, 2), normal(4)]
    compare(functional.conv_transpose2d, F.conv_transpose2d, arrays, kwargs=options)


@pytest.mark.torch
@pytest.mark.parametrize("size", [(11, 9), (12, 10), (2, 8, 12, 9)])
def test_output_size_equals_pytorchs(size):
    options = {"kernel_size": 3, "stride": (2, 2), "padding": (0, 1)}
    ours = nn.ConvTranspose2d(4, 8, **options, dtype=np.float64)
    theirs = torch().nn.ConvTranspose2d(4, 8, **options, dtype=torch().float64)
    compare_layers(ours, theirs, normal(2, 4, 5, 5))
    x = normal(2, 4, 5, 5)
    compare(ours, theirs, [x], kwargs={"output_size": size})


@pytest.mark.torch
@pytest.mark.parametrize(
    "name", [f"{kind}{n}d" for kind in ("Conv", "ConvTranspose") for n in (1, 2, 3)]
)
def test_signatures_and_representations_are_pytorchs(name):
    ours, theirs = getattr(nn, name), getattr(torch().nn, name)
    compare_signatures(ours, theirs)
    function = name.replace("Conv", "conv").replace("Transpose", "_transpose")
    compare_signatures(getattr(functional, function), getattr(torch().nn.functional, function))
    for options in ({}, {"stride": 2, "padding": 1, "groups": 2, "bias": False, "dilation": 2}):
        assert repr(ours(4, 2, 3, **options)) == repr(theirs(4, 2, 3, **options))


# -- layers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [nn.Conv2d, nn.ConvTranspose2d])
def test_parameters_start_uniform_in_the_range_of_the_kernels_size(layer):
    conv = layer(8, 24, 5, groups=2, generator=0)
    assert conv.weight.dtype == conv.bias.dtype == np.float32
    bound = 1 / np.sqrt(conv.weight.shape[1] * 25)
    for parameter in (conv.weight, conv.bias):
        assert np.abs(parameter.data).max() <= bound
        assert np.abs(parameter.data).max() > 0.9 * bound
    assert np.abs(conv.weight.data.mean()) < 0.02
    np.testing.assert_array_equal(
        layer(8, 24, 5, groups=2, generator=0).weight.data, conv.weight.data
    )


def test_integers_are_taken_as_numbers_of_the_weights_dtype():
    layer = nn.Conv1d(1, 1, 2, generator=0)
    pixels = np.array([[[0, 255, 3]]], np.uint8)
    out = layer(pixels)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out.data, layer(pixels.astype(np.float32)).data)


def test_a_network_of_convolutions_learns_to_find_edges():
    x = (np.random.default_rng(0).random((8, 1, 6, 6)) < 0.5).astype(np.float32)
    target = x[:, :, :, 1:] - x[:, :, :, :-1]
    layer = nn.Conv2d(1, 1, (1, 2), generator=0)
    optimizer = optim.SGD(layer.parameters(), lr=0.3)
    for _ in range(300):
        optimizer.zero_grad()
        ((layer(x) - target) ** 2).mean().backward()
        optimizer.step()
    np.testing.assert_allclose(layer.weight.data.ravel(), [-1, 1], atol=1e-3)


# -- wrong use -------------------------------------------------------------------------------------

X, W = np.ones((2, 3, 8, 8)), np.ones((6, 3, 5, 5))


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: functional.conv2d(np.ones((8, 1, 28, 28)), W),
            ValueError,
            r"conv2d: wanted an input of 3 channels for a weight of shape \(6, 3, 5, 5\), got 1 ch",
        ),
        (
            lambda: functional.conv2d(X, W, groups=2),
            ValueError,
            r"wanted an input of 6 channels for a weight of shape \(6, 3, 5, 5\) in 2 groups, got",
        ),
        (
            lambda: functional.conv2d(X, np.ones((5, 1, 3, 3)), groups=3),
            ValueError,
            "conv2d: wanted groups that divide 5 channels, got 3",
        ),
        (lambda: functional.conv2d(X, W, groups=0), ValueError, "wanted groups of at least 1"),
        (
            lambda: functional.conv2d(np.ones((3, 3)), W),
            ValueError,
            r"conv2d: wanted an input of shape \(N, C, H, W\) or \(C, H, W\), got \(3, 3\)",
        ),
        (
            lambda: functional.conv2d(X, np.ones((6, 3, 5))),
            ValueError,
            r"conv2d: wanted a weight of 4 axes, two for channels and 2 of the kernel, got shape",
        ),
        (
            lambda: functional.conv2d(X, W, np.ones(3)),
            ValueError,
            r"conv2d: wanted a bias of shape \(6,\), one number for each output channel, got \(3,",
        ),
        (
            lambda: functional.conv2d(X[..., :3, :4], W),
            ValueError,
            "conv2d: wanted a space of at least 5 x 5 with its padding, got 3 x 4; make the kernel",
        ),
        (lambda: functional.conv2d(X, W, stride=0), ValueError, "wanted stride of at least 1"),
        (lambda: functional.conv2d(X, W, padding=-1), ValueError, "wanted padding of at least 0"),
        (
            lambda: functional.conv2d(X, W, dilation=0),
            ValueError,
            "dilation of at least 1, got 0",
        ),
        (
            lambda: functional.conv2d(X, W, stride=1.5),
            TypeError,
            "conv2d: wanted an integer or 2 of them as stride, got 1.5",
        ),
        (
            lambda: functional.conv2d(X, W, padding=(1, 2, 3)),
            TypeError,
            r"conv2d: wanted an integer or 2 of them as padding, got \(1, 2, 3\)",
        ),
        (
            lambda: functional.conv2d(X, W, padding="some"),
            ValueError,
            "conv2d: wanted padding of 'valid', 'same' .* got 'some' with stride",
        ),
        (
            lambda: functional.conv2d(X, W, padding="same", stride=2),
            ValueError,
            r"'same' \(with stride 1\) or integers, got 'same' with stride \(2, 2\)",
        ),
        (
            lambda: functional.conv2d(X.tolist(), W),
            TypeError,
            r"conv2d: wanted an array or a Variable as input, got list; write np.array",
        ),
        (
            lambda: functional.conv2d(X.astype(str), W),
            TypeError,
            "conv2d: wanted an input of numbers, got dtype <U",
        ),
        (
            lambda: functional.conv_transpose2d(X, W),
            ValueError,
            "conv_transpose2d: wanted an input of 6 channels .* got 3 channels",
        ),
        (
            lambda: functional.conv_transpose2d(X, W[:3], output_padding=1),
            ValueError,
            r"wanted an output_padding below stride \(1, 1\) or dilation \(1, 1\), got \(1, 1\)",
        ),
        (
            lambda: functional.conv_transpose2d(X, W[:3, ..., :1, :1], padding=4),
            ValueError,
            r"wanted an output of at least one element along each axis, got \(0, 0\)",
        ),
        (
            lambda: nn.Conv2d(3, 4, 3, groups=3),
            ValueError,
            "Conv2d: wanted groups that divide 3 and 4",
        ),
        (lambda: nn.Conv2d(3, 4, 0), ValueError, "Conv2d: wanted kernel_size of at least 1"),
        (lambda: nn.Conv2d(0, 4, 1), ValueError, "Conv2d: wanted in_channels of at least 1"),
        (
            lambda: nn.Conv2d(3, 4, 2.5),
            TypeError,
            "Conv2d: wanted an integer or 2 of them as kernel",
        ),
        (
            lambda: nn.Conv2d(3, 4, 3, padding=-1),
            ValueError,
            "Conv2d: wanted padding of at least 0",
        ),
        (
            lambda: nn.Conv1d(3, 4, 3, padding="full"),
            ValueError,
            "Conv1d: wanted padding of 'valid'",
        ),
        (
            lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"),
            ValueError,
            "Conv2d: wanted a padding_mode among zeros, reflect, replicate, circular, got 'mirror'",
        ),
        (
            lambda: nn.Conv2d(1, 1, 3, padding=4, padding_mode="reflect")(np.ones((1, 1, 4, 4))),
            ValueError,
            "pad: wanted at most 3 elements in mode 'reflect'",
        ),
        (
            lambda: nn.ConvTranspose2d(3, 4, 3, padding="same"),
            TypeError,
            "ConvTranspose2d: wanted integers as padding, got 'same'",
        ),
        (
            lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="circular"),
            ValueError,
            "ConvTranspose2d: wanted padding_mode 'zeros', got 'circular'",
        ),
        (
            lambda: nn.ConvTranspose2d(3, 4, 3, stride=2)(X, output_size=(19, 20)),
            ValueError,
            r"wanted an output_size from \(17, 17\) to \(18, 18\) .* got \(19, 20\)",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    "kernel, padding, dilation", [((3, 3), (1, 1), 1), ((2, 3), (0, 2), 1), ((3, 2), (2, 1), 2)]
)
def test_with_many_channels_the_transpose_is_one_product_of_windows(
    kernel, padding, dilation, groups
):
    """At stride 1 it is a convolution with the kernel turned over; <conv(x), g> = <x, its pull>."""
    rng = np.random.default_rng(0)
    x = Variable(rng.normal(size=(2, 18 * groups, 5, 6)), requires_grad=True)
    weight = rng.normal(size=(16 * groups, 18, *kernel))
    arguments = {"padding": padding, "dilation": dilation, "groups": groups}
    out = functional.conv2d(x, weight, **arguments)
    g = rng.normal(size=out.shape)
    pulled = functional.conv_transpose2d(g, weight, rng.normal(size=18 * groups), **arguments)
    out.backward(g)
    np.testing.assert_allclose((x.grad * x.data).sum(), (out.data * g).sum(), rtol=1e-12)
    constant = (pulled - x.grad).reshape(2, 18 * groups, -1)  # the bias
    np.testing.assert_allclose(constant, np.repeat(constant[:1, :, :1], 30, 2).repeat(2, 0))
    few = [
        functional.conv_transpose2d(
            g[:, k : k + 16], weight[k : k + 16, :3], padding=padding, dilation=dilation
        )
        for k in range(0, 16 * groups, 16)
    ]
    parts = [x.grad[:, 18 * k : 18 * k + 3] for k in range(groups)]
    found, wanted = np.concatenate(few, 1), np.concatenate(parts, 1)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14 * np.abs(wanted).max())
