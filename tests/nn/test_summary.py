"""nn.summary against numbers worked out by hand, PyTorch's counter, and the memory taken."""

import gc
import tracemalloc

import numpy as np
import pytest

import autograd
import nn


def zeros(*shape):
    return np.zeros(shape, np.float32)


def lenet(library):
    """The network of LeCun et al. (1998) in its usual form."""
    return library.Sequential(
        library.Conv2d(1, 6, 5, padding=2),
        library.Tanh(),
        library.AvgPool2d(2),
        library.Conv2d(6, 16, 5),
        library.Tanh(),
        library.AvgPool2d(2),
        library.Flatten(),
        library.Linear(400, 120),
        library.Tanh(),
        library.Linear(120, 84),
        library.Tanh(),
        library.Linear(84, 10),
    )


def test_lenet_has_the_numbers_of_the_textbook():
    found = nn.summary(lenet(nn), zeros(3, 1, 28, 28))
    by_name = {layer.name: layer for layer in found.layers}
    # Outputs times weights per output; two per multiplication with its addition.
    wanted = {
        "0": 2 * (6 * 28 * 28) * (1 * 5 * 5),
        "3": 2 * (16 * 10 * 10) * (6 * 5 * 5),
        "7": 2 * 120 * 400,
        "9": 2 * 84 * 120,
        "11": 2 * 10 * 84,
    }
    assert {n: x.flops for n, x in by_name.items() if n and x.flops} == {
        name: 3 * flops for name, flops in wanted.items()
    }
    assert found.flops == 3 * sum(wanted.values()) == 3 * 833_040
    assert found.parameters == found.trainable == 61_706
    assert found.state == 4 * 61_706
    assert by_name["3"].parameters == 16 * 6 * 25 + 16
    assert by_name["3"].output == [(3, 16, 10, 10)]
    assert by_name["3"].kind == "Conv2d"


def test_a_transformer_layer_has_the_flops_of_its_products():
    n, t, e, hidden = 2, 10, 64, 256
    layer = nn.TransformerEncoderLayer(e, 4, hidden, batch_first=True)
    projections = 4 * e * e  # queries, keys, values and the output
    scores_and_averages = 2 * t * e
    wanted = 2 * n * t * (projections + scores_and_averages + 2 * e * hidden)
    assert nn.summary(layer, zeros(n, t, e)).flops == wanted


@pytest.mark.parametrize("kind, gates", [("RNN", 1), ("LSTM", 4), ("GRU", 3)])
def test_a_recurrent_layer_has_the_flops_of_its_steps(kind, gates):
    t, n, e, h = 5, 2, 8, 16
    layer = getattr(nn, kind)(e, h, num_layers=2, bidirectional=True)
    first, second = e + h, 2 * h + h
    wanted = 2 * t * n * 2 * gates * h * (first + second)
    found = nn.summary(layer, zeros(t, n, e))
    assert found.flops == wanted
    assert found.layers[0].output[:2] == [(t, n, 2 * h), (4, n, h)]
    projected = nn.LSTM(e, h, proj_size=4)
    assert nn.summary(projected, zeros(t, n, e)).flops == 2 * t * n * (4 * h * (e + 4) + 4 * h)


class Products(nn.Module):
    """Layers of one's own are counted like those of the library."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(np.ones((4, 5)))

    def forward(self, x):  # (3, 4)
        a = x @ self.w  # (3, 5)
        b = np.einsum("ni,ij,kj->nk", x, self.w, self.w[:2])
        c = np.tensordot(x, x, axes=([0], [0]))  # no parameter is in it
        return a.sum() + b.sum() + c.sum() + (self.w * 2).sum()


def test_operations_of_ones_own_are_counted_where_they_are_recorded():
    found = nn.summary(Products(), np.ones((3, 4)))
    assert found.flops == 2 * 3 * 5 * 4 + 3 * (3 * 4 * 5 * 2) + 2 * 4 * 4 * 3


def test_shared_layers_count_their_calls_and_frozen_parameters_once():
    layer = nn.Linear(4, 4)
    layer.bias.requires_grad = False
    found = nn.summary(nn.Sequential(layer, nn.Tanh(), layer), zeros(2, 4))
    assert found.flops == 2 * (2 * 2 * 4 * 4)
    assert (found.parameters, found.trainable) == (20, 16)
    assert [x.name for x in found.layers] == ["", "0", "1"]
    assert "20 parameters, 4 of them frozen; 80 B with the buffers" in repr(found)


def test_memory_is_what_a_recorded_call_keeps():
    model = lenet(nn).eval()
    x = np.random.default_rng(0).normal(size=(64, 1, 28, 28)).astype(np.float32)
    promised = nn.summary(model, x).memory
    model(x)  # what is cached is cached
    gc.collect()
    tracemalloc.start()
    try:
        out = model(x)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert promised + out.data.nbytes == pytest.approx(taken, rel=0.02)


def test_a_summary_leaves_the_model_as_it_was():
    class Noise(nn.Dropout):
        def forward(self, x):
            return x + self.generator.normal(size=x.shape)

    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), Noise(0.5))
    model[1].eval()
    before, stream = model.state_dict(), model.extra_state()
    nn.summary(model, zeros(5, 3))
    assert [module.training for module in model.modules()] == [True, True, False, True]
    after = model.state_dict()
    assert all(np.array_equal(after[name], before[name]) for name in before)
    assert model.extra_state() == stream
    assert all(p.grad is None for p in model.parameters())
    assert not any(module._hooked for module in model.modules())
    with pytest.raises(ValueError, match="linear: wanted"):
        nn.summary(model, zeros(5, 2))
    assert not any(module._hooked for module in model.modules())
    assert model.training


def test_a_table_fits_into_80_columns():
    deep = nn.Linear(8, 8)
    for _ in range(12):
        deep = nn.Sequential(deep)
    table = repr(nn.summary(deep, zeros(1000, 1000, 8)))
    assert max(map(len, table.splitlines())) < 80
    assert "(1000, 1000, 8)" in table
    assert "128.0 M" in table


@pytest.mark.parametrize(
    "arguments, match",
    [
        (
            (nn.Linear, zeros(1)),
            r"summary: wanted a Module, got the class Linear \(write",
        ),
        ((nn.Linear(1, 1),), "summary: wanted the inputs of a call, got none; pass arrays"),
    ],
)
def test_a_wrong_call_is_explained(arguments, match):
    with pytest.raises(TypeError, match=match):
        nn.summary(*arguments)


MODELS = {
    "lenet": (lenet, (2, 1, 28, 28)),
    "convolutions": (
        lambda library: library.Sequential(
            library.Conv2d(4, 8, 3, stride=2, padding=1, groups=2),
            library.ReLU(),
            library.ConvTranspose2d(8, 6, 4, stride=2, padding=1, groups=2),
            library.Conv2d(6, 2, 3, dilation=2),
        ),
        (3, 4, 12, 10),
    ),
    "transformer": (
        lambda library: library.TransformerEncoder(
            library.TransformerEncoderLayer(32, 4, 48, batch_first=True),
            2,
            **({} if library is nn else {"enable_nested_tensor": False}),
        ),
        (2, 7, 32),
    ),
}


@pytest.mark.torch
@pytest.mark.parametrize("name", MODELS)
def test_flops_and_parameters_are_those_of_torch(name):
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    build, shape = MODELS[name]
    theirs = build(torch.nn)  # in training mode, or a fused kernel would hide its products
    for module in theirs.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    with FlopCounterMode(display=False) as counter:
        theirs(torch.zeros(shape))
    found = nn.summary(build(nn), zeros(*shape))
    assert found.parameters == sum(p.numel() for p in theirs.parameters())
    assert found.flops == counter.get_total_flops()


def test_without_recording_outside_memory_is_counted_all_the_same():
    with autograd.no_grad():
        assert nn.summary(nn.Sequential(nn.Linear(3, 3), nn.Tanh()), zeros(2, 3)).memory == 24
