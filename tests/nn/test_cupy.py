"""The same as `test_other_arrays.py`, on a GPU by CuPy: runs where there is one."""

import importlib

import numpy as np
import pytest
from duck import compare

import autograd
import nn
import optim
from autograd import Variable

cupy = pytest.importorskip("cupy")
try:
    cupy.zeros(1)
except Exception as error:  # noqa: BLE001 - whatever a machine without a device raises
    pytest.skip(f"no device for CuPy: {error}", allow_module_level=True)


def moved(value):
    """Return `value` with arrays of CuPy for NumPy's."""
    if isinstance(value, np.ndarray):
        return cupy.asarray(value)
    if type(value) in (tuple, list):
        return type(value)(map(moved, value))
    if type(value) is dict:
        return {key: moved(part) for key, part in value.items()}
    return value


def fetched(value):
    assert isinstance(value, cupy.ndarray)
    return value.get()


@pytest.mark.parametrize("name", ["elementwise", "reductions", "contractions", "nn_activation"])
def test_rows_of_the_op_table_run_on_the_device(name):
    refused = {"polyval[powers of 0]", "nn.gelu"}
    for row in importlib.import_module(f"op_rows.{name}").ROWS:
        if row.name not in refused:
            compare(row, 1, moved, fetched)


def train(model, module):
    rng = np.random.default_rng(0)
    inputs = module.asarray(rng.normal(size=(16, 4)))
    targets = rng.integers(0, 3, 16)
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    return model


def network():
    autograd.manual_seed(0)
    layers = nn.Linear(4, 8), nn.LayerNorm(8), nn.ReLU(), nn.Dropout(0.25), nn.Linear(8, 3)
    return nn.Sequential(*layers).double()


def test_training_stays_on_the_device_and_equals_that_on_numpys_arrays(tmp_path):
    wanted, model = train(network(), np), train(network().to_array_module(cupy), cupy)
    assert all(isinstance(p.data, cupy.ndarray) for p in model.parameters())
    assert all(isinstance(p.grad, cupy.ndarray) for p in model.parameters())
    nn.save(tmp_path / "model.npz", model.state_dict())
    for name, value in nn.load(tmp_path / "model.npz").items():
        np.testing.assert_allclose(value, wanted.state_dict()[name], rtol=1e-8)
    assert isinstance(model.to_array_module(np)[0].weight.data, np.ndarray)


def test_arrays_of_two_libraries_are_told_apart():
    x = Variable(cupy.ones(2), requires_grad=True)
    with pytest.raises(TypeError, match=r"one library, got (cupy.ndarray|NumPy) and"):
        x * np.ones(2)
