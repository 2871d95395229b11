import copy
import pickle

import numpy as np
import pytest

import nn
import optim
from autograd import Variable


@pytest.mark.parametrize("data", [[1.5, 2.0], 0.5, (1.0,), [[1, 2.5]]])
def test_numbers_become_float32(data):
    p = nn.Parameter(data)
    assert p.dtype == np.float32
    assert p.requires_grad
    np.testing.assert_array_equal(p.data, np.asarray(data))
    assert nn.Parameter([1j]).dtype == np.complex64


@pytest.mark.parametrize(
    "data", [[1, 2], 3, True, np.array([1, 2]), np.array([True]), np.int8(1), np.ones(2, np.uint8)]
)
@pytest.mark.parametrize("requires_grad", [True, False])
def test_integers_and_truth_values_are_refused(data, requires_grad):
    with pytest.raises(
        TypeError,
        match=r"Parameter: wanted floating-point or complex data, got (u?int|bool)\d*; write "
        r"nn.Parameter\(data, dtype=np.float32\)",
    ):
        nn.Parameter(data, requires_grad)
    assert nn.Parameter(data, dtype=np.float32).dtype == np.float32


def test_masked_arrays_are_refused():
    with pytest.raises(TypeError, match=r"Parameter: wanted .* got a masked one, .*filled\(value"):
        nn.Parameter(np.ma.array([1.0, 100.0], mask=[False, True]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex128, ">f4"])
def test_floating_arrays_keep_their_dtype_and_are_copied(dtype):
    data = np.ones(3, dtype)
    for given in (data, Variable(data)):
        p = nn.Parameter(given)
        assert p.dtype == data.dtype
        assert not np.shares_memory(p.data, data)


@pytest.mark.parametrize("size", [3, 20_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_does_not_change_the_array_that_was_given(size, dtype):
    array = np.zeros(size, dtype)
    p = nn.Parameter(array)
    p.grad = np.ones(size)
    optim.SGD([p], lr=0.5).step()
    nn.init.ones_(p)
    assert not array.any()


def test_read_only_data_become_parameters_that_can_be_trained():
    p = nn.Parameter(np.frombuffer(np.ones(4, np.float32).tobytes(), np.float32))
    p.grad = np.ones(4)
    optim.SGD([p], lr=0.5).step()
    assert p.tolist() == [0.5] * 4


@pytest.mark.torch
def test_a_tensor_becomes_a_parameter_of_its_own():
    torch = pytest.importorskip("torch")
    tensor = torch.ones(2)
    p = nn.Parameter(tensor)
    p.data[...] = 0
    assert p.dtype == np.float32
    assert tensor.tolist() == [1.0, 1.0]


def test_the_dtype_can_be_chosen():
    assert nn.Parameter([1.0], dtype=np.float64).dtype == np.float64


def test_a_frozen_parameter_gets_no_gradient():
    p = nn.Parameter([1.0], requires_grad=False)
    assert not (p * 2).requires_grad


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
@pytest.mark.parametrize("requires_grad", [True, False])
def test_copies_are_parameters_of_their_own(copied, requires_grad):
    p = nn.Parameter(np.array([1.0, 2.0]), requires_grad)
    q = copied(p)
    assert type(q) is nn.Parameter
    assert q.requires_grad is requires_grad
    q.data[...] = 0
    np.testing.assert_array_equal(p.data, [1.0, 2.0])


def test_results_of_operations_are_no_parameters():
    assert type(nn.Parameter([1.0]) * 2) is Variable
