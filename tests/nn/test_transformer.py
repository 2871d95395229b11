"""Transformers: beside PyTorch, in all arrangements, and what their copies share."""

import numpy as np
import pytest
import torch_nested

import autograd
import nn
from autograd import Variable
from nn import functional

ARRANGEMENTS = [
    {},
    {"norm_first": True},
    {"batch_first": True, "activation": "gelu"},
    {"bias": False, "layer_norm_eps": 1e-3},
]
each_arrangement = pytest.mark.parametrize("options", ARRANGEMENTS, ids=str)
LATER = np.triu(np.ones((4, 4), bool), 1)
PADDED = np.array([[0, 0, 0, 1], [0, 0, 0, 0]], bool)
PADDED_MEMORY = np.array([[0, 0, 0, 0, 0], [0, 0, 1, 1, 1]], bool)


def modules(torch, name, *args, **options):
    """Return a module of ours and of PyTorch, in which no parameter is 0 or 1."""
    options = {"dropout": 0.0} | options
    ours = getattr(nn, name)(*args, dtype=np.float64, **options)
    theirs = getattr(torch.nn, name)(*args, dtype=torch.float64, **options)
    for i, p in enumerate(ours.parameters()):
        p.data = np.random.default_rng(i).normal(size=p.shape, scale=0.4)
    return ours, theirs


def sequences(options, *lengths, features=8):
    rng = np.random.default_rng(0)
    swap = options.get("batch_first", False)
    return [rng.normal(size=(2, n, features) if swap else (n, 2, features)) for n in lengths]


@pytest.mark.torch
@each_arrangement
@pytest.mark.parametrize(
    "call",
    [
        {},
        {"src_mask": LATER},
        {"src_key_padding_mask": PADDED},
        {"src_mask": LATER, "src_key_padding_mask": PADDED},
    ],
    ids="+".join,
)
def test_encoder_layers_and_their_gradients_equal_pytorchs(options, call):
    torch = pytest.importorskip("torch")
    ours, theirs = modules(torch, "TransformerEncoderLayer", 8, 2, 12, **options)
    torch_nested.compare_modules(torch, ours, theirs, *sequences(options, 4), **call)


@pytest.mark.torch
@each_arrangement
@pytest.mark.parametrize(
    "call",
    [
        {},
        {"tgt_mask": LATER, "tgt_key_padding_mask": PADDED},
        {"memory_mask": np.eye(4, 5, dtype=bool)},
        {"tgt_mask": LATER, "memory_key_padding_mask": PADDED_MEMORY},
    ],
    ids="+".join,
)
def test_decoder_layers_and_their_gradients_equal_pytorchs(options, call):
    torch = pytest.importorskip("torch")
    ours, theirs = modules(torch, "TransformerDecoderLayer", 8, 2, 12, **options)
    torch_nested.compare_modules(torch, ours, theirs, *sequences(options, 4, 5), **call)


@pytest.mark.torch
@each_arrangement
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_stacks_and_their_gradients_equal_pytorchs(options):
    torch = pytest.importorskip("torch")
    for name, call in (
        ("Encoder", {"mask": LATER, "src_key_padding_mask": PADDED}),
        ("Decoder", {"tgt_mask": LATER, "memory_key_padding_mask": PADDED_MEMORY}),
    ):
        ours, theirs = modules(torch, f"Transformer{name}Layer", 8, 2, 12, **options)
        ours = getattr(nn, f"Transformer{name}")(ours, 2, nn.LayerNorm(8, dtype=np.float64))
        norm = torch.nn.LayerNorm(8, dtype=torch.float64)
        theirs = getattr(torch.nn, f"Transformer{name}")(theirs, 2, norm)
        ours.layers[1].linear1.weight.data *= 2.0  # layers that differ
        x = sequences(options, 4) if name == "Encoder" else sequences(options, 4, 5)
        torch_nested.compare_modules(torch, ours, theirs, *x, **call)


@pytest.mark.torch
@each_arrangement
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_whole_transformers_and_their_gradients_equal_pytorchs(options):
    torch = pytest.importorskip("torch")
    ours, theirs = modules(torch, "Transformer", 8, 2, 2, 2, 12, **options)
    call = {"tgt_mask": LATER, "src_key_padding_mask": PADDED_MEMORY}
    call |= {"memory_key_padding_mask": PADDED_MEMORY, "tgt_key_padding_mask": PADDED}
    torch_nested.compare_modules(torch, ours, theirs, *sequences(options, 5, 4), **call)
    torch_nested.compare_modules(torch, ours, theirs, *sequences(options, 5, 4))


@pytest.mark.torch
def test_arguments_and_defaults_are_pytorchs():
    torch = pytest.importorskip("torch")
    import inspect

    ours_only = {"dtype", "generator"}
    for name in (
        *("Transformer", "TransformerEncoder", "TransformerEncoderLayer", "TransformerDecoder"),
        *("TransformerDecoderLayer", "MultiheadAttention", "RNNBase", "RNNCell", "LSTMCell"),
        *("GRUCell", "Embedding", "EmbeddingBag", "AdaptiveLogSoftmaxWithLoss", "RReLU"),
    ):
        for method in ("__init__", "forward"):
            ours, theirs = (
                {
                    p.name: p.default
                    for p in inspect.signature(
                        getattr(getattr(lib, name), method)
                    ).parameters.values()
                    if p.name not in {*ours_only, "device"} and p.kind != p.VAR_POSITIONAL
                }
                for lib in (nn, torch.nn)
            )
            if name == "RNNBase" and method == "forward":
                continue
            theirs = {
                k.removesuffix("_") if method == "forward" else k: v for k, v in theirs.items()
            }
            if "activation" in theirs:
                assert theirs.pop("activation").__name__ == ours.pop("activation").__name__
            assert list(ours.items()) == list(theirs.items()), (name, method)


def test_an_encoder_layer_is_its_parts():
    layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, dtype=np.float64, generator=0)
    x = np.random.default_rng(0).normal(size=(4, 2, 8))

    def standardized(a):
        return (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + 1e-5)

    attended = layer.self_attn(x, x, x)[0].data
    first = standardized(x + attended)
    hidden = np.maximum(layer.linear1(first).data, 0)
    wanted = standardized(first + layer.linear2(hidden).data)
    np.testing.assert_allclose(layer(x).data, wanted, rtol=1e-11)


def test_a_causal_decoder_does_not_see_what_follows():
    model = nn.Transformer(8, 2, 1, 2, 12, dropout=0.0, dtype=np.float64, generator=0)
    src, tgt = sequences({}, 5, 4)
    out = model(src, tgt, tgt_is_causal=True).data
    np.testing.assert_allclose(model(src, tgt[:2], tgt_is_causal=True).data, out[:2], rtol=1e-11)
    mask = model.generate_square_subsequent_mask(4, dtype=np.float64)
    np.testing.assert_allclose(model(src, tgt, tgt_mask=mask).data, out, rtol=1e-11)


def test_second_derivatives_equal_differences():
    layer = nn.TransformerDecoderLayer(
        4, 2, 5, dropout=0.0, activation="gelu", dtype=np.float64, generator=0
    )
    x, memory = sequences({}, 3, 2, features=4)
    autograd.testing.check_gradients(
        lambda x, m: layer(x, m, tgt_is_causal=True), x, memory, order=2
    )


def test_layers_of_a_stack_start_alike_and_drop_differently():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, 0.5, generator=3), 2)
    first, second = encoder.layers
    np.testing.assert_array_equal(first.linear1.weight.data, second.linear1.weight.data)
    assert first.linear1.weight is not second.linear1.weight
    x = np.ones((4, 2, 8), np.float32)
    assert (first.dropout(x) != second.dropout(x)).any()
    again = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, 0.5, generator=3), 2)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, 0.5, generator=3), 2)
    np.testing.assert_array_equal(encoder(x).data, again(x).data)


def test_evaluation_drops_nothing():
    model = nn.Transformer(8, 2, 1, 1, 12, dropout=0.5, generator=0)
    src, tgt = (x.astype(np.float32) for x in sequences({}, 5, 4))
    assert (model(src, tgt).data != model(src, tgt).data).any()
    model.eval()
    np.testing.assert_array_equal(model(src, tgt).data, model(src, tgt).data)


def test_float32_stays_float32():
    layer = nn.TransformerEncoderLayer(8, 2, 12)
    x = Variable(np.ones((4, 2, 8), np.float32), requires_grad=True)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    out = layer(x, src_mask=mask)
    out.sum().backward()
    assert out.dtype == x.grad.dtype == np.float32


def test_encoder_and_decoder_can_be_ones_own():
    class Same(nn.Module):
        def forward(self, x, *args, **kwargs):
            return x

    model = nn.Transformer(8, 2, custom_encoder=Same(), custom_decoder=Same())
    tgt = np.ones((4, 2, 8))
    assert model(np.ones((5, 2, 8)), tgt) is tgt


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: nn.TransformerEncoderLayer(8, 2, activation="tanh"),
            "TransformerEncoderLayer: wanted activation 'relu', 'gelu' or a function, got 'tanh'",
        ),
        (
            lambda: nn.Transformer(8, 2, 1, 1, 4)(np.ones((5, 2, 7)), np.ones((4, 2, 8))),
            r"Transformer: wanted src of two or three axes with 8 features.* got \(5, 2, 7\)",
        ),
        (
            lambda: nn.Transformer(8, 2, 1, 1, 4)(np.ones((5, 2, 8)), np.ones((2, 4, 8))),
            "wanted as many sequences in src as in tgt.*is batch_first=False as it should be",
        ),
        (
            lambda: nn.TransformerEncoderLayer(8, 2, 4)(np.ones((5, 2, 8)), np.ones((4, 4), bool)),
            r"wanted an attn_mask of shape \(5, 5\) or \(4, 5, 5\), got \(4, 4\)",
        ),
    ],
)
def test_wrong_use_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_function_can_be_the_activation():
    layer = nn.TransformerEncoderLayer(8, 2, 12, activation=functional.silu, dropout=0.0)
    other = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0)
    other.load_state_dict(layer.state_dict())
    x = np.ones((4, 2, 8), np.float32)
    assert (layer(x).data != other(x).data).any()
