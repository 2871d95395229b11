"""Gradients of each example through every class of `nn`: vmap(grad(loss)) against a Python loop."""

import inspect
import os
import re
import zlib

import numpy as np
import pytest

import autograd
import nn
from autograd import grad, vmap
from nn.utils import functional_call

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "dev") != "dev"
SIZE = 3


def integers(high, *shape):
    return lambda rng: rng.integers(0, high, shape)


def classes(*shape):
    """Targets of margins over several labels: those before the first -1 count."""

    def make(rng):
        return np.stack([rng.permutation(shape[-1]) for _ in range(shape[0])]) * 0 + [1, 0, -1, 2]

    return make


def signs(*shape):
    return lambda rng: rng.choice([-1.0, 1.0], shape)


def positive(*shape):
    return lambda rng: rng.uniform(0.1, 0.9, shape)


def logs(*shape):
    def make(rng):
        x = rng.normal(size=shape)
        return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))

    return make


def pooled(layer, name, n):
    """A network that pools and puts back where the largest elements were."""

    class Unpooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool = getattr(nn, f"MaxPool{n}d")(2, return_indices=True)
            self.unpool = layer

        def forward(self, x):
            return self.unpool(*self.pool(x))

    return Unpooled()


class Bag(nn.Module):
    """What the containers of parameters and modules hold."""

    def __init__(self):
        super().__init__()
        values = (np.ones(3, np.float32), np.full(3, 2.0, np.float32))
        self.several = nn.ParameterList([nn.Parameter(v) for v in values])
        self.named = nn.ParameterDict({"a": nn.Parameter(values[0])})
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Tanh()])
        self.by_name = nn.ModuleDict({"last": nn.Linear(3, 2)})

    def forward(self, x):
        for p in (*self.several, self.named["a"]):
            x = x * p
        for layer in self.layers:
            x = layer(x)
        return self.by_name["last"](x)


def recurrent(cls, *sizes, **options):
    return lambda: cls(*sizes, **options)


# How to make a layer, and the arguments of one example: shapes of floats, or functions of a
# generator.
CASES = {
    "AdaptiveLogSoftmaxWithLoss": (
        lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2]),
        ((2, 4), integers(6, 2)),
    ),
    "BCELoss": (nn.BCELoss, (positive(2, 3), positive(2, 3))),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, ((2, 3), positive(2, 3))),
    "Bilinear": (lambda: nn.Bilinear(2, 3, 2), ((2, 2), (2, 3))),
    "CTCLoss": (
        nn.CTCLoss,
        (
            logs(6, 2, 4),
            lambda rng: rng.integers(1, 4, (2, 2)),
            lambda rng: rng.integers(5, 7, 2),
            lambda rng: rng.integers(0, 3, 2),
        ),
    ),
    "CTCLoss of one sequence": (
        lambda: nn.CTCLoss(reduction="sum"),
        (
            logs(5, 4),
            lambda rng: rng.integers(1, 4, 2),
            lambda _: np.int64(5),
            lambda _: np.int64(2),
        ),
    ),
    "ChannelShuffle": (lambda: nn.ChannelShuffle(2), ((1, 4, 2),)),
    "ConstantPad1d": (lambda: nn.ConstantPad1d(1, 0.5), ((1, 2, 3),)),
    "ConstantPad2d": (lambda: nn.ConstantPad2d(1, 0.5), ((1, 2, 3, 3),)),
    "ConstantPad3d": (lambda: nn.ConstantPad3d(1, 0.5), ((1, 2, 2, 2, 2),)),
    "CosineEmbeddingLoss": (nn.CosineEmbeddingLoss, ((2, 3), (2, 3), signs(2))),
    "CosineSimilarity": (nn.CosineSimilarity, ((2, 3), (2, 3))),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, ((2, 3), integers(3, 2))),
    "CrossEntropyLoss with smoothing": (
        lambda: nn.CrossEntropyLoss(weight=np.arange(1.0, 4.0), label_smoothing=0.1),
        ((2, 3), integers(3, 2)),
    ),
    "Embedding": (lambda: nn.Embedding(5, 3), (integers(5, 2, 3),)),
    "Embedding with frequencies": (
        lambda: nn.Embedding(5, 3, padding_idx=0, scale_grad_by_freq=True),
        (integers(5, 2, 3),),
    ),
    "EmbeddingBag": (lambda: nn.EmbeddingBag(5, 3), (integers(5, 2, 3),)),
    "Flatten": (nn.Flatten, ((2, 2, 3),)),
    "Fold": (lambda: nn.Fold((3, 3), (2, 2)), ((1, 8, 4),)),
    "FractionalMaxPool2d": (lambda: nn.FractionalMaxPool2d(2, (2, 2)), ((1, 1, 5, 5),)),
    "FractionalMaxPool3d": (lambda: nn.FractionalMaxPool3d(2, (2, 2, 2)), ((1, 1, 5, 5, 5),)),
    "GLU": (nn.GLU, ((2, 4),)),
    "GRU": (recurrent(nn.GRU, 2, 3, num_layers=2, bidirectional=True), ((4, 2),)),
    "GRUCell": (recurrent(nn.GRUCell, 2, 3), ((2,),)),
    "GaussianNLLLoss": (nn.GaussianNLLLoss, ((2, 3), (2, 3), positive(2, 3))),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), ((2, 4, 3),)),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss, ((2, 3), signs(2, 3))),
    "HuberLoss": (nn.HuberLoss, ((2, 3), (2, 3))),
    "KLDivLoss": (lambda: nn.KLDivLoss(reduction="batchmean"), ((2, 3), positive(2, 3))),
    "L1Loss": (nn.L1Loss, ((2, 3), (2, 3))),
    "LSTM": (recurrent(nn.LSTM, 2, 4, proj_size=3), ((4, 2, 2),)),
    "LSTMCell": (recurrent(nn.LSTMCell, 2, 3), ((2, 2),)),
    "LayerNorm": (lambda: nn.LayerNorm(3), ((2, 3),)),
    "LinearCrossEntropyLoss": (
        lambda: nn.LinearCrossEntropyLoss(3, 4),
        ((2, 3), integers(4, 2)),
    ),
    "Linear": (lambda: nn.Linear(3, 2), ((2, 3),)),
    "LocalResponseNorm": (lambda: nn.LocalResponseNorm(3), ((1, 4, 3),)),
    "MSELoss": (nn.MSELoss, ((2, 3), (2, 3))),
    "MarginRankingLoss": (nn.MarginRankingLoss, ((4,), (4,), signs(4))),
    "ModuleList": (Bag, ((2, 3),)),
    "MultiLabelMarginLoss": (nn.MultiLabelMarginLoss, ((2, 4), classes(2, 4))),
    "MultiLabelSoftMarginLoss": (nn.MultiLabelSoftMarginLoss, ((2, 3), positive(2, 3))),
    "MultiMarginLoss": (nn.MultiMarginLoss, ((2, 3), integers(3, 2))),
    "MultiheadAttention": (
        lambda: nn.MultiheadAttention(4, 2, batch_first=True),
        ((1, 3, 4), (1, 3, 4), (1, 3, 4)),
    ),
    "NLLLoss": (nn.NLLLoss, (logs(2, 3), integers(3, 2))),
    "PairwiseDistance": (nn.PairwiseDistance, ((2, 3), (2, 3))),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), ((1, 4, 2, 2),)),
    "PixelUnshuffle": (lambda: nn.PixelUnshuffle(2), ((1, 1, 4, 4),)),
    "PoissonNLLLoss": (nn.PoissonNLLLoss, ((2, 3), positive(2, 3))),
    "RMSNorm": (lambda: nn.RMSNorm(3), ((2, 3),)),
    "RNN": (recurrent(nn.RNN, 2, 3, nonlinearity="relu", batch_first=True), ((2, 4, 2),)),
    "RNNCell": (recurrent(nn.RNNCell, 2, 3), ((2,),)),
    "Sequential": (lambda: nn.Sequential(nn.Linear(3, 2), nn.Tanh()), ((2, 3),)),
    "SmoothL1Loss": (nn.SmoothL1Loss, ((2, 3), (2, 3))),
    "SoftMarginLoss": (nn.SoftMarginLoss, ((2, 3), signs(2, 3))),
    "Softmax2d": (nn.Softmax2d, ((1, 2, 3, 3),)),
    "Threshold": (lambda: nn.Threshold(0.1, 2.0), ((2, 3),)),
    "Transformer": (
        lambda: nn.Transformer(4, 2, 1, 1, 4, batch_first=True),
        ((1, 3, 4), (1, 2, 4)),
    ),
    "TransformerDecoder": (
        lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 4), 1),
        ((3, 1, 4), (2, 1, 4)),
    ),
    "TransformerDecoderLayer": (
        lambda: nn.TransformerDecoderLayer(4, 2, 4, norm_first=True),
        ((3, 1, 4), (2, 1, 4)),
    ),
    "TransformerEncoder": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 4), 2),
        ((3, 1, 4),),
    ),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(4, 2, 4), ((3, 4),)),
    "TripletMarginLoss": (nn.TripletMarginLoss, ((2, 3), (2, 3), (2, 3))),
    "TripletMarginWithDistanceLoss": (
        nn.TripletMarginWithDistanceLoss,
        ((2, 3), (2, 3), (2, 3)),
    ),
    "Unflatten": (lambda: nn.Unflatten(1, (2, 2)), ((2, 4),)),
    "Unfold": (lambda: nn.Unfold((2, 2)), ((1, 2, 3, 3),)),
    "Upsample": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), ((1, 1, 3, 3),)),
    "UpsamplingBilinear2d": (lambda: nn.UpsamplingBilinear2d(scale_factor=2), ((1, 1, 3, 3),)),
    "UpsamplingNearest2d": (lambda: nn.UpsamplingNearest2d(scale_factor=2), ((1, 1, 3, 3),)),
}
IMAGES = {n: (1, 2, *(5, 4, 4)[:n]) for n in (1, 2, 3)}
for n in (1, 2, 3):
    for name, arguments in {
        "AdaptiveAvgPool": (2,),
        "AdaptiveMaxPool": (2,),
        "AvgPool": (2,),
        "CircularPad": (1,),
        "Conv": (2, 3, 2),
        "ConvTranspose": (2, 3, 2),
        "InstanceNorm": (2, 1e-5, 0.1, True),
        "LPPool": (2, 2),
        "MaxPool": (2,),
        "ReflectionPad": (1,),
        "ReplicationPad": (1,),
        "ZeroPad": (1,),
    }.items():
        cls = getattr(nn, f"{name}{n}d")
        CASES[cls.__name__] = (lambda cls=cls, arguments=arguments: cls(*arguments), (IMAGES[n],))
    dropout = getattr(nn, f"Dropout{n}d")
    CASES[dropout.__name__] = (lambda cls=dropout: cls(0.5), (IMAGES[n],))
    norm = getattr(nn, f"BatchNorm{n}d")
    CASES[norm.__name__] = (lambda cls=norm: cls(2).eval(), ((3, 2, *IMAGES[n][2:]),))
    CASES[f"{norm.__name__} of batches"] = (
        lambda cls=norm: cls(2, track_running_stats=False),
        ((3, 2, *IMAGES[n][2:]),),
    )
    unpool = getattr(nn, f"MaxUnpool{n}d")
    CASES[unpool.__name__] = (
        lambda cls=unpool, n=n: pooled(cls(2), cls.__name__, n),
        ((1, 2, *(4,) * n),),
    )

# Those without a call of their own: bases, and what `Bag` above holds.
WITHOUT = {"Module", "ModuleDict", "ParameterDict", "ParameterList", "RNNBase", "RNNCellBase"}
LAYERS = [
    name
    for name in nn.__all__
    if inspect.isclass(value := getattr(nn, name))
    and issubclass(value, nn.Module)
    and name not in WITHOUT
    and not name.startswith("Lazy")  # becomes another layer at its first call
]
NAMES = sorted({*LAYERS, *CASES})
# The quick run has the layers whose rules fold, loop or look up, and a sample of the others.
QUICK = (
    "AdaptiveLog|CTC|GRU|LSTM|RNN|Embedding|Transformer|MaxUnpool|Conv|ModuleList|BatchNorm1d|Group"
    "|MultiMargin|MultiLabelMargin|CosineEmbedding|Bilinear|FractionalMaxPool2d"
)


def is_quick(name):
    return re.match(QUICK, name) or zlib.crc32(name.encode()) % 6 == 0


def example(shape, rng):
    return shape(rng) if callable(shape) else rng.normal(size=shape)


def losses(name):
    """Return the parameters of a model of one layer, its loss of one example, and examples."""
    rng = np.random.default_rng(len(name))
    autograd.manual_seed(0)
    make, shapes = CASES[name] if name in CASES else (getattr(nn, name), ((2, 3),))
    layer = make()
    for p in layer.parameters():
        p.data = rng.normal(size=p.shape, scale=0.5)
    batch = [np.stack(parts) for parts in zip(*draws(shapes, rng), strict=True)]
    floats = next((i for i, x in enumerate(batch) if x.dtype.kind == "f"), None)
    parameters = {n: p.data for n, p in layer.named_parameters()}

    def loss(parameters, scale, *args):
        autograd.manual_seed(0)  # dropout draws once for all examples: begin anew for each
        layer = make()
        args = [x * scale if i == floats else x for i, x in enumerate(args)]
        outs = functional_call(layer, parameters, tuple(args))
        total = 0.0
        for out in outs if isinstance(outs, tuple) else (outs,):
            for part in out if isinstance(out, tuple) else (out,):
                weights = np.cos(np.arange(part.size)).reshape(part.shape)
                total = total + (part * weights).sum()
        return total

    return parameters, loss, batch


def draws(shapes, rng):
    return [[example(shape, rng) for shape in shapes] for _ in range(SIZE)]


def compared(name):
    parameters, loss, batch = losses(name)
    of = (0, 1) if parameters else 1
    single = grad(loss, of)
    axes = (None, None, *[0] * len(batch))
    found = vmap(single, in_axes=axes)(parameters, 1.0, *batch)
    for i in range(SIZE):
        wanted = single(parameters, 1.0, *[x[i] for x in batch])
        by_name, scale = (wanted, found) if parameters else (({}, wanted), ({}, found))
        for key, value in by_name[0].items():
            got = scale[0][key][i]
            np.testing.assert_allclose(got, value, rtol=1e-8, atol=1e-10, err_msg=key)
        np.testing.assert_allclose(scale[1][i], by_name[1], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", [n for n in NAMES if THOROUGH or is_quick(n)])
def test_gradients_of_each_example_are_those_of_a_loop(name):
    compared(name)


def test_statistics_that_every_example_would_update_are_refused():
    layer = nn.BatchNorm1d(2)
    parameters = {name: p.data for name, p in layer.named_parameters()}
    run = vmap(lambda x: functional_call(layer, parameters, x).sum())
    x = np.random.default_rng(0).normal(size=(3, 4, 2))
    with pytest.raises(RuntimeError, match=r"call model.eval\(\) first, or make the layer with"):
        run(x)
    np.testing.assert_array_equal(layer.running_mean, 0.0)
    layer.eval()
    assert run(x).shape == (3,)


def test_a_list_of_parameters_holds_what_a_function_is_called_with():
    bag = Bag()
    values = {name: p.data * 2 for name, p in bag.named_parameters()}
    x = np.ones((2, 3), np.float32)
    wanted = functional_call(bag, values, x).data
    for name, p in bag.named_parameters():
        p.data = values[name]
    np.testing.assert_array_equal(bag(x).data, wanted)


def test_places_of_the_largest_elements_are_numbered_for_several_rows_in_each_example():
    x = np.random.default_rng(0).normal(size=(3, 2, 2, 6))

    def picked(x):
        out, places = nn.functional.max_pool1d(x, 2, return_indices=True)
        return (out * (1 + places)).sum()

    slopes = autograd.grad(picked)
    found = autograd.vmap(slopes)(x)
    np.testing.assert_allclose(found, np.stack([slopes(row) for row in x]), rtol=1e-12)
