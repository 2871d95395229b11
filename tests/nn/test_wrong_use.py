"""Inputs that do not fit: every layer says what it wanted and got, before NumPy would."""

import inspect

import numpy as np
import pytest

import nn

RNG = np.random.default_rng(0)


def real(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def numbered(*names, args, inputs):
    """Return entries of layers for 1, 2 and 3 axes of space, all of which have 6 elements."""
    return {
        f"{name}{n}d": (getattr(nn, f"{name}{n}d")(*args), inputs(*[6] * n))
        for name in names
        for n in (1, 2, 3)
        if hasattr(nn, f"{name}{n}d")
    }


def image(*size):
    return (real(2, 4, *size),)


def named(names, *inputs, args=()):
    return {name: (getattr(nn, name)(*args), inputs) for name in names.split()}


def entries():
    """Return name -> (layer, inputs that fit)."""
    small, scores, classes = real(2, 4), real(2, 4), np.array([0, 3])
    sequence, half = real(2, 5, 4), np.full((2, 4), 0.5, np.float32)
    signs = np.sign(real(2, 4))
    return {
        **numbered("Conv", "ConvTranspose", args=(4, 2, 3), inputs=image),
        **numbered("MaxPool", "AvgPool", "AdaptiveMaxPool", args=(2,), inputs=image),
        **numbered("AdaptiveAvgPool", args=(2,), inputs=image),
        **numbered("LPPool", args=(2, 2), inputs=image),
        **numbered("FractionalMaxPool", args=(2, 3), inputs=image),
        **numbered(
            "MaxUnpool", args=(2,), inputs=lambda *s: (*image(*s), np.zeros((2, 4, *s), int))
        ),
        **numbered("BatchNorm", "InstanceNorm", args=(4,), inputs=image),
        **numbered("ZeroPad", "ReflectionPad", args=(1,), inputs=image),
        **numbered("ReplicationPad", "CircularPad", args=(1,), inputs=image),
        **numbered("ConstantPad", args=(1, 0.5), inputs=image),
        **numbered("Dropout", args=(), inputs=image),
        **named("Linear", small, args=(4, 2)),
        **named("Bilinear", small, real(2, 3), args=(4, 3, 2)),
        **named("Embedding EmbeddingBag", np.array([[0, 1]]), args=(5, 2)),
        **named("LayerNorm RMSNorm", small, args=(4,)),
        **named("GroupNorm", real(2, 4, 3), args=(2, 4)),
        **named("LocalResponseNorm", real(2, 4, 6), args=(2,)),
        **named("RNN LSTM GRU", sequence, args=(4, 3)),
        **named("RNNCell LSTMCell GRUCell", small, args=(4, 3)),
        **named("MultiheadAttention", sequence, sequence, sequence, args=(4, 2)),
        **named("TransformerEncoderLayer", sequence, args=(4, 2, 8)),
        **named("TransformerDecoderLayer", sequence, real(3, 5, 4), args=(4, 2, 8)),
        **named("Transformer", sequence, real(3, 5, 4), args=(4, 2, 1, 1, 8)),
        **named("Upsample UpsamplingNearest2d UpsamplingBilinear2d", *image(6, 6), args=(12,)),
        **named("PixelShuffle PixelUnshuffle ChannelShuffle Unfold", *image(6, 6), args=(2,)),
        **named("Fold", real(2, 16, 25), args=(6, 2)),
        **named("Flatten", real(2, 4, 6)),
        **named("Unflatten", small, args=(1, (2, 2))),
        **named("CosineSimilarity PairwiseDistance", small, real(2, 4)),
        **named(f"{REAL_ACTIVATIONS} {OTHER_ACTIVATIONS}", *image(6, 6)),
        **named("Softmax LogSoftmax Softmin", *image(6, 6), args=(1,)),
        **named("Threshold", small, args=(0.0, 0.0)),
        **named("BCELoss", half, half),
        **named("BCEWithLogitsLoss MSELoss L1Loss SmoothL1Loss HuberLoss", scores, signs),
        **named("KLDivLoss PoissonNLLLoss SoftMarginLoss HingeEmbeddingLoss", scores, signs),
        **named("MultiLabelSoftMarginLoss", scores, abs(signs)),
        **named("GaussianNLLLoss", scores, signs, half),
        **named("CrossEntropyLoss NLLLoss MultiMarginLoss", scores, classes),
        **named("MultiLabelMarginLoss", scores, np.array([[0, 3, -1, 1], [1, -1, 0, 0]])),
        **named("CosineEmbeddingLoss", scores, signs, np.array([1, -1])),
        **named("MarginRankingLoss", scores, real(2, 4), signs),
        **named("TripletMarginLoss TripletMarginWithDistanceLoss", scores, signs, half),
        **named(
            "CTCLoss", np.log(np.full((6, 2, 4), 0.25)), np.array([[1, 2], [3, 1]]), [6, 6], [2, 2]
        ),
        **named("AdaptiveLogSoftmaxWithLoss", small, np.array([0, 8]), args=(4, 10, [4, 7])),
        **named("LinearCrossEntropyLoss", small, classes, args=(4, 5)),
    }


REAL_ACTIVATIONS = (
    "ReLU LeakyReLU PReLU ELU CELU SELU GELU Mish LogSigmoid Softplus Softsign Softmax2d RReLU "
    "ReLU6 Hardtanh Hardsigmoid Hardswish Hardshrink Softshrink"
)
OTHER_ACTIVATIONS = "SiLU Sigmoid Tanh GLU Tanhshrink Dropout AlphaDropout FeatureAlphaDropout"
LAYERS = entries()
# Made of other layers, bases, or a layer without its first argument, which test_lazy looks at.
COMPOSED = {"Module", "Sequential", "Identity", "RNNBase", "RNNCellBase"}
COMPOSED |= {"ModuleList", "ModuleDict", "ParameterList", "ParameterDict"}
COMPOSED |= {"TransformerEncoder", "TransformerDecoder"}

FAMILIES = {
    # What sizes of the input are known to, and refuse others in the second place ...
    "channels": "Conv ConvTranspose BatchNorm InstanceNorm GroupNorm Fold PixelShuffle "
    "ChannelShuffle Linear Bilinear LayerNorm RMSNorm RNNCell LSTMCell GRUCell Unflatten MSELoss "
    "BCELoss KLDivLoss TripletMarginLoss MaxUnpool LinearCrossEntropyLoss",
    # ... and in the last place.
    "features": "Linear Bilinear LayerNorm RMSNorm RNN LSTM GRU RNNCell LSTMCell GRUCell "
    "MultiheadAttention TransformerEncoderLayer TransformerDecoderLayer Transformer",
    # What compares its numbers with each other or with 0.
    "ordered": f"{REAL_ACTIVATIONS} Threshold Softmax LogSoftmax Softmin MaxPool AdaptiveMaxPool "
    "FractionalMaxPool BatchNorm InstanceNorm GroupNorm LayerNorm RMSNorm LocalResponseNorm "
    "TransformerEncoderLayer TransformerDecoderLayer Transformer Embedding EmbeddingBag *Loss",
    "numbers": "*",
    # What needs axes of space, of channels or of time.
    "axes": "Conv ConvTranspose MaxPool AvgPool LPPool AdaptiveMaxPool AdaptiveAvgPool "
    "FractionalMaxPool MaxUnpool BatchNorm InstanceNorm GroupNorm RNN LSTM GRU RNNCell LSTMCell "
    "GRUCell MultiheadAttention Transformer Upsample Fold Unfold PixelShuffle Linear LayerNorm "
    "Flatten Unflatten GLU CrossEntropyLoss NLLLoss CTCLoss ZeroPad ReflectionPad",
}
# Layers that only move what they get take objects, too, where nothing of theirs is in the way.
MOVING = "Flatten Unflatten Dropout AlphaDropout FeatureAlphaDropout"

BENDS = {
    "one more channel": (lambda a: np.concatenate([a, a[:, :1]], axis=1), "channels"),
    "one more feature": (lambda a: np.concatenate([a, a[..., :1]], axis=-1), "features"),
    "a single number": (lambda a: a.ravel()[0].reshape(()), "axes"),
    "three numbers": (lambda a: a.ravel()[:3], None),
    "six axes": (lambda a: a.reshape((1,) * (6 - a.ndim) + a.shape), None),
    "objects": (lambda a: a.astype(object), "numbers"),
    "text": (lambda a: a.astype(str), "numbers"),
    "complex numbers": (lambda a: a.astype(np.complex64), "ordered"),
    "no samples": (lambda a: a[:0], None),
    "nested lists": (lambda a: a.tolist(), None),
    "nothing": (lambda a: None, "numbers"),
}


def belongs(name, family):
    """Tell whether a layer, without its number of axes, is in one of `FAMILIES`."""
    stem = name[:-2] if name.endswith(("1d", "2d", "3d")) else name
    words = FAMILIES[family].split()
    return "*" in words or stem in words or ("*Loss" in words and name.endswith("Loss"))


def test_every_layer_is_in_the_table():
    layers = {
        name
        for name in nn.__all__
        if inspect.isclass(getattr(nn, name)) and issubclass(getattr(nn, name), nn.Module)
    }
    assert layers - set(LAYERS) - COMPOSED == {n for n in layers if n.startswith("Lazy")}
    for layer, inputs in LAYERS.values():
        layer(*inputs)


@pytest.mark.parametrize("bend", BENDS)
def test_a_layer_says_what_it_wanted(bend):
    change, family = BENDS[bend]
    problems = []
    for name, (layer, (first, *others)) in LAYERS.items():
        moves = name in MOVING.split() or name.startswith("Dropout")
        must = family is not None and belongs(name, family)
        must = must and not (moves and bend in ("objects", "text"))
        must = must and not (name == "L1Loss" and bend == "complex numbers")  # of real distances
        if bend == "one more channel" and first.ndim < 2:
            continue
        try:
            layer(change(first), *others)
        except (TypeError, ValueError) as error:
            if "wanted" not in str(error):
                problems.append(f"{name}: {error!r}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is none of ours
            problems.append(f"{name}: {error!r}")
        else:
            if must:
                problems.append(f"{name} takes {bend}")
    assert not problems, "\n".join(problems)


def test_the_error_names_the_layer_that_failed_and_keeps_numpys_as_its_cause():
    model = nn.Sequential(nn.Flatten(), nn.Sequential(nn.LayerNorm(3), nn.Tanh()))
    with pytest.raises(TypeError, match="layer_norm: wanted an input of numbers, got dtype object"):
        model(np.ones((2, 3), object))
    with pytest.raises(TypeError, match="Tanh: wanted numbers, got an array of dtype <U") as caught:
        nn.Sequential(nn.Tanh())(np.array(["a"]))
    assert "tanh" in str(caught.value.__cause__)
    with pytest.raises(TypeError, match="Flatten: wanted an array or a Variable, got list"):
        model([[1.0]])
    with pytest.raises(TypeError, match="got NoneType; does forward end with return?"):
        nn.Sigmoid()(None)


def test_an_error_of_a_model_of_the_user_stays_as_it_is():
    class Net(nn.Module):
        def forward(self, x):
            return x.shape[7]

    with pytest.raises(IndexError, match="tuple index out of range"):
        Net()(np.ones(3))
