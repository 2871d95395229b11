"""Recurrent layers: beside PyTorch, beside a plain loop in NumPy, packed, twice differentiated."""

import copy

import numpy as np
import pytest
import torch_nested
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Variable
from nn import functional
from nn.utils import rnn

LAYERS = {
    "RNN": {},
    "RNN relu": {"nonlinearity": "relu"},
    "LSTM": {},
    "LSTM projected": {"proj_size": 2},
    "GRU": {},
}
each_layer = pytest.mark.parametrize("kind", LAYERS)
each_cell = pytest.mark.parametrize("kind", ["RNN", "RNN relu", "LSTM", "GRU"])


def build(library, kind, *sizes, dtype=np.float64, **options):
    """Make a layer, by default in float64."""
    if library is not nn:
        dtype = getattr(library, np.dtype(dtype).name)
        library = library.nn
    name = kind.split()[0]
    return getattr(library, name)(*sizes, dtype=dtype, **(LAYERS[kind] | options))


def states(rng, kind, layer, *batch):
    """Draw initial states for a layer."""
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    h = rng.normal(size=(count, *batch, layer.proj_size or layer.hidden_size))
    c = rng.normal(size=(count, *batch, layer.hidden_size))
    return (h, c) if kind.startswith("LSTM") else h


# -- a plain loop ----------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(kind, x, state, w_ih, w_hh, b_ih, b_hh, w_hr=None):
    """One step of one sequence, as the papers write it."""
    h, c = state
    a, r = w_ih @ x + b_ih, w_hh @ h + b_hh
    if kind == "RNN":
        return np.tanh(a + r), c
    if kind == "RNN relu":
        return np.maximum(a + r, 0), c
    if kind == "GRU":
        (ar, az, an), (rr, rz, rn) = np.split(a, 3), np.split(r, 3)
        reset, update = sigmoid(ar + rr), sigmoid(az + rz)
        return (1 - update) * np.tanh(an + reset * rn) + update * h, c
    i, f, g, o = np.split(a + r, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h if w_hr is None else w_hr @ h), c


def loop(kind, layer, sequence, state=None):
    """Run a layer over one sequence (T, E); return outputs (T, ...) and last states."""
    outputs, last = np.asarray(sequence), []
    for k in range(layer.num_layers):
        sides = []
        for side in ("", "_reverse")[: 2 if layer.bidirectional else 1]:
            p = [
                getattr(layer, f"{name}_l{k}{side}").data
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            ]
            if layer.proj_size:
                p.append(getattr(layer, f"weight_hr_l{k}{side}").data)
            h = np.zeros(layer.proj_size or layer.hidden_size), np.zeros(layer.hidden_size)
            if state is not None:
                h = tuple(s[len(last)] for s in state)
            found = []
            for x in outputs[::-1] if side else outputs:
                h = step(kind.split(" proj")[0], x, h, *p)
                found.append(h[0])
            sides.append(np.array(found[::-1] if side else found))
            last.append(h)
        outputs = np.concatenate(sides, axis=1)
    return outputs, [np.array(parts) for parts in zip(*last, strict=True)]


@each_layer
@pytest.mark.parametrize("bidirectional", [False, True])
def test_layers_equal_a_plain_loop(kind, bidirectional):
    rng = np.random.default_rng(0)
    layer = build(nn, kind, 3, 4, num_layers=2, bidirectional=bidirectional, generator=1)
    x, hx = rng.normal(size=(5, 2, 3)), states(rng, kind, layer, 2)
    out, last = layer(x, hx)
    pair = (hx, hx) if not isinstance(hx, tuple) else hx
    for n in range(2):
        wanted, ends = loop(kind, layer, x[:, n], [s[:, n] for s in pair])
        np.testing.assert_allclose(out.data[:, n], wanted, rtol=1e-12, atol=1e-14)
        for got, end in zip(last if isinstance(last, tuple) else [last], ends, strict=False):
            np.testing.assert_allclose(got.data[:, n], end, rtol=1e-12, atol=1e-14)


@each_layer
def test_packed_sequences_equal_a_plain_loop_over_each(kind):
    rng = np.random.default_rng(0)
    layer = build(nn, kind, 3, 4, num_layers=2, bidirectional=True, generator=1)
    sequences = [rng.normal(size=(n, 3)) for n in (2, 5, 1, 4)]
    out, last = layer(rnn.pack_sequence(sequences, enforce_sorted=False))
    assert isinstance(out, rnn.PackedSequence)
    for n, (sequence, got) in enumerate(zip(sequences, rnn.unpack_sequence(out), strict=True)):
        wanted, ends = loop(kind, layer, sequence)
        np.testing.assert_allclose(got.data, wanted, rtol=1e-12, atol=1e-14)
        for state, end in zip(last if isinstance(last, tuple) else [last], ends, strict=False):
            np.testing.assert_allclose(state.data[:, n], end, rtol=1e-12, atol=1e-14)


# -- PyTorch ---------------------------------------------------------------------------------------


@pytest.mark.torch
@each_layer
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_layers": 2, "bidirectional": True},
        {"num_layers": 3, "bias": False, "batch_first": True},
        {"bidirectional": True, "batch_first": True},
    ],
    ids=str,
)
def test_layers_and_their_gradients_equal_pytorchs(kind, options):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    ours = build(nn, kind, 3, 4, **options)
    theirs = build(torch, kind, 3, 4, **options)
    x = rng.normal(size=(5, 2, 3))
    batch = 5 if options.get("batch_first") else 2
    torch_nested.compare_modules(torch, ours, theirs, x)
    torch_nested.compare_modules(torch, ours, theirs, x, states(rng, kind, ours, batch))
    torch_nested.compare_modules(torch, ours, theirs, x[0], states(rng, kind, ours))


def through_a_pack(library, layer, lengths, **options):
    """Return a function that runs `layer` over a padded batch without its padding."""

    def run(x, *states):
        packed = library.pack_padded_sequence(x, lengths, **options)
        out, last = layer(packed, *states)
        padded, _ = library.pad_packed_sequence(out, options.get("batch_first", False))
        return padded, last

    return run


@pytest.mark.torch
@each_layer
@pytest.mark.parametrize(
    "lengths, options",
    [
        ([6, 4, 4, 1], {}),
        ([1, 6, 2, 6], {"enforce_sorted": False}),
        ([2, 3, 3, 5], {"enforce_sorted": False, "batch_first": True}),
    ],
)
def test_packed_sequences_and_their_gradients_equal_pytorchs(kind, lengths, options):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    shape = {"num_layers": 2, "bidirectional": True}
    shape["batch_first"] = options.get("batch_first", False)
    ours = build(nn, kind, 3, 5, **shape)
    theirs = build(torch, kind, 3, 5, **shape)
    torch_nested.exchange(ours, theirs, torch)
    x = rng.normal(size=(4, 6, 3) if shape["batch_first"] else (6, 4, 3))
    args = (x, states(rng, kind, ours, 4))
    got = torch_nested.ours(
        through_a_pack(rnn, ours, lengths, **options), args, {}, list(ours.parameters())
    )
    wanted = torch_nested.theirs(
        torch,
        through_a_pack(torch.nn.utils.rnn, theirs, torch.tensor(lengths), **options),
        args,
        {},
        list(theirs.parameters()),
    )
    for a, b in zip(got, wanted, strict=True):
        torch_nested.same(a, b)


@pytest.mark.torch
@each_cell
@pytest.mark.parametrize("bias", [True, False])
def test_cells_and_their_gradients_equal_pytorchs(kind, bias):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    cells = kind.replace("RNN", "RNNCell").replace("LSTM", "LSTMCell").replace("GRU", "GRUCell")
    name, options = cells.split()[0], LAYERS[kind] | {"bias": bias}
    ours = getattr(nn, name)(3, 4, dtype=np.float64, **options)
    theirs = getattr(torch.nn, name)(3, 4, dtype=torch.float64, **options)
    h = rng.normal(size=(2, 4))
    hx = (h, rng.normal(size=(2, 4))) if kind == "LSTM" else h
    torch_nested.compare_modules(torch, ours, theirs, rng.normal(size=(2, 3)), hx)
    torch_nested.compare_modules(torch, ours, theirs, rng.normal(size=(2, 3)))
    one = tuple(s[0] for s in hx) if kind == "LSTM" else h[0]
    torch_nested.compare_modules(torch, ours, theirs, rng.normal(size=3), one)


@pytest.mark.torch
@each_layer
def test_second_derivatives_equal_pytorchs(kind):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    ours = build(nn, kind, 3, 4, num_layers=2, bidirectional=True)
    theirs = build(torch, kind, 3, 4, num_layers=2, bidirectional=True)
    torch_nested.exchange(ours, theirs, torch)
    data = rng.normal(size=(4, 2, 3))

    def penalised(layer, x, gradient, power):
        out, last = layer(x)
        ends = sum((power(part, 2)).sum() for part in (last if type(last) is tuple else [last]))
        total = power(out, 2).sum() + ends
        (g,) = gradient(total, [x], create_graph=True)
        return power(g, 2).sum()

    x, t = Variable(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    penalised(ours, x, autograd.grad, np.power).backward()
    penalised(theirs, t, torch.autograd.grad, torch.pow).backward()
    got = [x.grad, *(p.grad for p in ours.parameters())]
    wanted = [t.grad, *(p.grad for p in theirs.parameters())]
    torch_nested.same(got, [w.numpy() for w in wanted])


@pytest.mark.torch
def test_initial_values_are_drawn_as_pytorchs():
    torch = pytest.importorskip("torch")
    for kind in LAYERS:
        ours, theirs = build(nn, kind, 30, 400), build(torch, kind, 30, 400)
        for (name, p), (other, q) in zip(
            ours.named_parameters(), theirs.named_parameters(), strict=True
        ):
            assert (name, p.shape) == (other, tuple(q.shape))
            assert max(np.abs(p.data).max(), q.abs().max().item()) <= 1 / 20
            # Uniform on [-b, b]: standard deviation b / sqrt(3), known from n draws to about
            # sqrt(0.2 / n) of itself.
            wanted = 1 / 20 / np.sqrt(3)
            error = 6 * wanted * np.sqrt(0.2 / p.size)
            assert abs(p.data.std() - wanted) < error
            assert abs(q.std().item() - wanted) < error


# -- derivatives -----------------------------------------------------------------------------------


@each_layer
def test_gradients_and_second_derivatives_equal_differences(kind):
    rng = np.random.default_rng(0)
    layer = build(nn, kind, 2, 3, bidirectional=True, generator=1)
    weights = [
        [
            tuple(
                p.data if (p := getattr(layer, f"{name}_l0{side}", None)) is not None else None
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
            )
            for side in ("", "_reverse")
        ]
    ]
    mode = layer.mode
    x = rng.normal(size=(5, 2))
    packed = rnn.PackedSequence(x, np.array([2, 2, 1]))
    hx = states(rng, kind, layer, 2)

    def run(data, hx, weights):
        out, last = functional.recurrent(mode, packed._replace(data=data), hx, weights)
        return (out.data, *(last if isinstance(last, tuple) else [last]))

    autograd.testing.check_gradients(run, x, hx, weights, order=2)


def test_a_hidden_part_of_a_network_is_differentiated_where_only_the_memory_counts():
    layer = build(nn, "LSTM", 2, 3, generator=0)
    x = Variable(np.ones((4, 1, 2)), requires_grad=True)
    _, (_, c) = layer(x)
    c.sum().backward()
    step = np.zeros_like(x.data)
    step[1, 0, 1] = 1e-6
    up, down = (layer(x.data + s)[1][1].data.sum() for s in (step, -step))
    np.testing.assert_allclose(x.grad[1, 0, 1], (up - down) / 2e-6, rtol=1e-7)
    assert layer.weight_hh_l0.grad.any()


# -- behaviour -------------------------------------------------------------------------------------


@each_cell
def test_a_layer_is_its_cell_step_by_step(kind):
    layer = build(nn, kind, 3, 4, generator=0)
    name = kind.split()[0] + "Cell"
    cell = getattr(nn, name)(3, 4, dtype=np.float64, **LAYERS[kind])
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(5, 2, 3))
    out, _ = layer(x)
    state = None
    for t in range(5):
        state = cell(x[t], state)
        h = state[0] if isinstance(state, tuple) else state
        np.testing.assert_allclose(h.data, out.data[t], rtol=1e-13)


@each_layer
def test_float32_stays_float32(kind):
    layer = build(nn, kind, 3, 4, dtype=np.float32, num_layers=2, bidirectional=True)
    x = Variable(np.ones((5, 2, 3), np.float32), requires_grad=True)
    out, last = layer(x)
    out.sum().backward()
    assert out.dtype == x.grad.dtype == np.float32
    assert all(s.dtype == np.float32 for s in (last if isinstance(last, tuple) else [last]))
    assert all(p.grad.dtype == np.float32 for p in layer.parameters())


def test_integers_are_taken_as_numbers_of_the_weights_dtype():
    for layer in (nn.LSTM(3, 4), nn.GRUCell(3, 4)):
        steps = () if isinstance(layer, nn.GRUCell) else (5,)
        out = layer(np.ones((*steps, 2, 3), int))
        assert (out[0] if isinstance(out, tuple) else out).dtype == np.float32


def test_gates_stay_finite_without_a_warning_for_large_inputs():
    for kind in ("LSTM", "GRU", "RNN"):
        layer = build(nn, kind, 1, 2, dtype=np.float32, generator=0)
        with np.errstate(over="raise", invalid="raise"):
            out, _ = layer(np.array([[[1e4]], [[-1e4]], [[1e30]]], np.float32))
        assert np.isfinite(out.data).all()


def test_dropout_lies_between_layers_and_in_training_only():
    x = np.ones((50, 8, 3), np.float32)
    layer = nn.GRU(3, 64, num_layers=2, dropout=0.5, generator=0)
    a, b = layer(x)[0].data, layer(x)[0].data
    assert (a != b).any()
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].data, layer(x)[0].data)
    # The first layer's states are not dropped on their own way through time.
    layer.train()
    _, (first, _) = layer(x)
    _, (again, _) = layer(x)
    np.testing.assert_array_equal(first.data, again.data)
    everything = nn.RNN(3, 4, num_layers=2, dropout=1.0, generator=0)
    out, _ = everything(x)
    everything.weight_ih_l1.data[...] = 7.0
    everything.weight_ih_l1.mark_changed()
    np.testing.assert_array_equal(everything(x)[0].data, out.data)


def test_dropout_is_continued_from_a_saved_model(tmp_path):
    layer = nn.GRU(3, 4, num_layers=2, dropout=0.5, generator=0)
    x = np.ones((5, 2, 3), np.float32)
    nn.save(tmp_path / "gru.npz", model=layer)
    wanted = layer(x)[0].data
    other = nn.GRU(3, 4, num_layers=2, dropout=0.5, generator=9)
    nn.load(tmp_path / "gru.npz", model=other)
    np.testing.assert_array_equal(other(x)[0].data, wanted)


def test_what_stands_in_the_padding_does_not_count():
    layer = nn.LSTM(2, 3, bidirectional=True, generator=0)
    x = np.ones((4, 2, 2), np.float32)
    x[2:, 1] = np.nan
    v = Variable(x, requires_grad=True)
    out, (h, _) = layer(rnn.pack_padded_sequence(v, [4, 2]))
    padded, _ = rnn.pad_packed_sequence(out)
    (padded.sum() + h.sum()).backward()
    assert np.isfinite(padded.data).all()
    assert not padded.data[2:, 1].any()
    assert np.isfinite(v.grad).all()
    assert not v.grad[2:, 1].any()
    assert all(np.isfinite(p.grad).all() for p in layer.parameters())


def test_a_copy_and_its_original_are_independent():
    layer = nn.LSTM(2, 3, generator=0)
    twin = copy.deepcopy(layer)
    twin.weight_ih_l0.data[...] = 0.0
    assert layer.weight_ih_l0.data.any()


def test_parameters_are_listed_as_pytorch_lists_them():
    layer = nn.LSTM(2, 5, num_layers=2, bidirectional=True, proj_size=3)
    assert [p.shape for p in layer.all_weights[3]] == [(20, 6), (20, 3), (20,), (20,), (3, 5)]
    assert layer.all_weights[0][0] is layer.weight_ih_l0
    assert repr(layer) == "LSTM(2, 5, proj_size=3, num_layers=2, bidirectional=True)"
    layer.flatten_parameters()


@given(st.data())
def test_shapes_are_pytorchs_for_all_sizes(data):
    draw = data.draw
    steps, batch, features, hidden, layers = (
        draw(st.integers(1, 3), label=n) for n in ("T", "N", "E", "H", "layers")
    )
    bidirectional, batch_first = draw(st.booleans()), draw(st.booleans())
    sides = 2 if bidirectional else 1
    layer = nn.LSTM(features, hidden, layers, batch_first=batch_first, bidirectional=bidirectional)
    shape = (batch, steps) if batch_first else (steps, batch)
    out, (h, c) = layer(np.zeros((*shape, features), np.float32))
    assert out.shape == (*shape, sides * hidden)
    assert h.shape == c.shape == (layers * sides, batch, hidden)


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: nn.LSTM(3, 4)(np.ones((5, 2, 2))),
            ValueError,
            r"LSTM: wanted an input of shape \(time, batch, 3\) or \(time, 3\).*got \(5, 2, 2\)",
        ),
        (
            lambda: nn.GRU(3, 4, batch_first=True)(np.ones((5, 0, 3))),
            ValueError,
            r"GRU: wanted an input of shape \(batch, time, 3\).*none of them 0, got \(5, 0, 3\)",
        ),
        (
            lambda: nn.RNN(3, 4)(np.ones(3)),
            ValueError,
            r"RNN_TANH: wanted an input of shape \(time, batch, 3\).*got \(3,\)",
        ),
        (
            lambda: nn.RNN(3, 4)([[1.0]]),
            TypeError,
            "RNN_TANH: wanted an array, a Variable or a PackedSequence, got list",
        ),
        (
            lambda: nn.LSTM(3, 4)(np.ones((5, 2, 3)), np.zeros((1, 2, 4))),
            TypeError,
            r"LSTM: wanted a pair \(h, c\) as hx, got ndarray",
        ),
        (
            lambda: nn.GRU(3, 4)(np.ones((5, 2, 3)), (np.zeros((1, 2, 4)),) * 2),
            TypeError,
            "GRU: wanted an array or a Variable as hx, got tuple",
        ),
        (
            lambda: nn.LSTM(3, 4)(np.ones((5, 2, 3)), (np.zeros((1, 2, 4)), np.zeros((1, 5, 4)))),
            ValueError,
            r"LSTM: wanted an initial state c of shape \(1, 2, 4\), got \(1, 5, 4\)",
        ),
        (
            lambda: nn.LSTM(3, 4)(rnn.PackedSequence(np.ones((2, 2)), np.array([2]))),
            ValueError,
            r"LSTM: wanted packed data of shape \(rows, 3\), got \(2, 2\)",
        ),
        (
            lambda: nn.LSTMCell(3, 4)(np.ones((2, 5))),
            ValueError,
            r"LSTM cell: wanted an input of shape \(batch, 3\) or \(3,\), got \(2, 5\)",
        ),
        (
            lambda: nn.GRUCell(3, 4)(np.ones((2, 3)), np.ones((3, 4))),
            ValueError,
            r"GRU cell: wanted an initial state h of shape \(2, 4\), got \(3, 4\)",
        ),
        (
            lambda: nn.RNN(3, 4, nonlinearity="sin"),
            ValueError,
            "RNN: wanted nonlinearity 'tanh' or 'relu', got 'sin'",
        ),
        (
            lambda: nn.LSTM(0, 4),
            ValueError,
            "LSTM: wanted input_size to be a positive integer, got 0",
        ),
        (
            lambda: nn.LSTM(2, 4.0),
            ValueError,
            "LSTM: wanted hidden_size to be a positive integer, got 4.0",
        ),
        (
            lambda: nn.GRU(2, 4, proj_size=2),
            ValueError,
            "GRU: wanted a proj_size only for an LSTM",
        ),
        (
            lambda: nn.LSTM(2, 4, proj_size=4),
            ValueError,
            "LSTM: wanted a proj_size only for an LSTM, and below hidden_size 4, got 4",
        ),
        (
            lambda: nn.LSTM(2, 4, dropout=2.0),
            ValueError,
            "LSTM: wanted a probability p from 0 to 1, got 2.0",
        ),
        (
            lambda: nn.RNNBase("CNN", 2, 4),
            ValueError,
            "RNNBase: wanted a mode among RNN_TANH, RNN_RELU, LSTM, GRU, got 'CNN'",
        ),
        (
            lambda: functional.recurrent("CNN", np.ones((2, 3)), None, []),
            ValueError,
            "recurrent: wanted a mode among RNN_TANH, RNN_RELU, LSTM, GRU, got 'CNN'",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
