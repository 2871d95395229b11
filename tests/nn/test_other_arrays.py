"""Models whose parameters are arrays of another library, by the strict duck of `tests/duck.py`."""

import copy
import importlib
import pickle

import duck
import numpy as np
import pytest
from duck import Duck, gotten

import autograd
import nn
import optim
from autograd import Variable
from autograd.arrays import to_numpy

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.1),
    "amsgrad": lambda p: optim.Adam(p, lr=0.1, amsgrad=True, weight_decay=0.1),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1),
    "Adadelta": lambda p: optim.Adadelta(p, lr=0.1),
    "Adamax": lambda p: optim.Adamax(p, lr=0.1),
    "NAdam": lambda p: optim.NAdam(p, lr=0.1),
    "RAdam": lambda p: optim.RAdam(p, lr=0.1),
    "ASGD": lambda p: optim.ASGD(p, lr=0.1),
    "Lion": lambda p: optim.Lion(p, lr=0.1),
    "Adafactor": lambda p: optim.Adafactor(p, lr=0.1),
    "Muon": lambda p: optim.Muon([v for v in p if v.ndim == 2], lr=0.1),
}


def network():
    """Return a model with what a multi-layer perceptron may have."""
    autograd.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 8, bias=False),  # BatchNorm would leave its gradient to rounding
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Dropout(0.25),
        nn.Linear(8, 8),
        nn.LayerNorm(8),
        nn.Tanh(),
        nn.Linear(8, 3),
    ).double()


def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(16, 4)), rng.integers(0, 3, 16)


def train(model, optimizer, inputs, targets, steps=3, before_step=lambda model: None):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        before_step(model)
        optimizer.step()
    return loss


def same(model, other, rtol=1e-9):
    ours, theirs = model.state_dict(), other.state_dict()
    for name, value in ours.items():
        assert type(value) is np.ndarray
        np.testing.assert_allclose(value, theirs[name], rtol=rtol, atol=rtol / 10, err_msg=name)


@pytest.mark.parametrize(
    "name, host_targets", [("Adam", False), *((name, True) for name in OPTIMIZERS)]
)
def test_training_equals_that_on_numpys_arrays(name, host_targets):
    wanted, model = network(), network().to_array_module(duck)
    inputs, targets = batch()
    train(wanted, OPTIMIZERS[name](wanted.parameters()), inputs, targets)
    given = targets if host_targets else duck.asarray(targets)
    loss = train(model, OPTIMIZERS[name](model.parameters()), duck.asarray(inputs), given)
    assert type(loss.data) is Duck
    arrays = [p.data for p in model.parameters()] + list(model.buffers())
    assert {type(a) for a in arrays} == {Duck}
    assert {type(p.grad) for p in model.parameters()} == {Duck}
    same(model, wanted)


@pytest.mark.parametrize("name", ["Rprop", "LBFGS"])
def test_an_optimizer_that_needs_numpys_arrays_says_so(name):
    x = Variable(duck.asarray([1.0]), requires_grad=True)
    (x * x).sum().backward()
    with pytest.raises(TypeError, match=f"{name}: wanted parameters of NumPy, got duck.Duck; use"):
        getattr(optim, name)([x]).step(lambda: x.sum())


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_complex_parameters_are_trained_as_pairs(name):
    found = []
    for kind in (np.asarray, duck.asarray):
        x = Variable(kind(np.array([[1.0 + 2.0j, -1.0j]])), requires_grad=True)
        optimizer = OPTIMIZERS[name]([x])
        for _ in range(2):
            optimizer.zero_grad()
            np.abs(x * x).sum().backward()
            optimizer.step()
        found.append(to_numpy(x.data))
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_the_state_of_an_optimizer_follows_the_model_there_and_back():
    wanted, model = network(), network()
    inputs, targets = batch()
    steady, moving = (optim.Adam(m.parameters(), lr=0.1) for m in (wanted, model))
    train(wanted, steady, inputs, targets, 6)
    train(model, moving, inputs, targets, 2)
    train(model.to_array_module(duck), moving, duck.asarray(inputs), targets, 2)
    states = [v for s in moving.state.values() for v in s.values() if np.ndim(v)]
    assert {type(v) for v in states} == {Duck}
    saved = moving.state_dict()["state"]
    assert {type(v) for s in saved.values() for k, v in s.items() if k != "step"} == {np.ndarray}
    train(model.to_array_module(np), moving, inputs, targets, 2)
    assert all(type(p.data) is np.ndarray for p in model.parameters())
    same(model, wanted)


def test_a_model_is_saved_from_and_loaded_to_where_it_is(tmp_path):
    model, other = network().to_array_module(duck), network().to_array_module(duck)
    inputs, targets = batch()
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    train(model, optimizer, duck.asarray(inputs), targets)
    nn.save(tmp_path / "model.npz", model.state_dict())
    other.load_state_dict(nn.load(tmp_path / "model.npz"))
    same(model, other, 0)
    assert all(type(p.data) is Duck for p in other.parameters())
    assert all(type(b) is Duck for b in other.buffers())
    again = optim.Adam(other.parameters(), lr=0.1)
    again.load_state_dict(optimizer.state_dict())
    for m, o in ((model, optimizer), (other, again)):
        m.eval()  # no draws
        train(m, o, duck.asarray(inputs), targets, 1)
    same(model, other, 0)


def test_moving_keeps_what_is_shared_and_leaves_what_is_there():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    weight = model[0].weight
    before = weight.data
    assert model.to_array_module(np) is model
    assert weight.data is before
    model.to_array_module(duck)
    assert model[1].weight is model[0].weight is weight
    assert weight.requires_grad
    moved = weight.data
    model.to_array_module(duck)
    assert weight.data is moved


@pytest.mark.parametrize("module", [None, "cupy", pickle, copy])
def test_what_is_no_module_of_arrays_is_refused(module):
    with pytest.raises(TypeError, match="to_array_module: wanted a module with asarray, such as"):
        nn.Linear(2, 1).to_array_module(module)


def test_clipping_and_initialising_reach_the_arrays():
    layer = nn.Linear(2, 1).to_array_module(duck)
    nn.init.constant_(layer.weight, 2.0)
    nn.init.normal_(layer.bias, generator=0)
    assert gotten(layer.weight.data).tolist() == [[2.0, 2.0]]
    layer(duck.asarray(np.array([[3.0, 4.0]], np.float32))).sum().backward()
    norm = optim.clip_grad_norm_(layer.parameters(), 1.0)
    assert norm == pytest.approx(26**0.5)
    total = sum(np.vdot(g, g) for g in (gotten(p.grad) for p in layer.parameters()))
    assert total == pytest.approx(1.0)
    optim.clip_grad_value_(layer.parameters(), 0.1)
    assert max(np.max(gotten(p.grad)) for p in layer.parameters()) == pytest.approx(0.1)


def test_a_step_makes_graphs_that_saved_the_parameters_stale():
    layer = nn.Linear(2, 1).to_array_module(duck)
    x = Variable(duck.asarray(np.ones((3, 2), np.float32)), requires_grad=True)
    optimizer = optim.Adam(layer.parameters(), lr=0.1)
    layer(x).sum().backward()
    out = layer(x).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="was changed .* after linear saved it"):
        out.backward()


def test_astype_and_copies_stay_where_they_are():
    layer = nn.Linear(2, 1).to_array_module(duck).double()
    assert type(layer.weight.data) is Duck
    assert layer.weight.dtype == np.float64
    twin = copy.deepcopy(layer)
    assert type(twin.weight.data) is Duck
    assert twin.weight.data is not layer.weight.data
    same(layer, twin, 0)


ROWS = {
    "nn_activation": {"nn.gelu": "the error function is computed by kernels on NumPy's arrays"},
    "nn_layers": {"nn.local_response_norm": "pools windows of memory"},
    "nn_loss": {},
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_the_op_table_run_on_another_librarys_arrays(name):
    for row in importlib.import_module(f"op_rows.{name}").ROWS:
        if row.name not in ROWS[name]:
            duck.compare(row, 1)
