import copy
import pickle

import numpy as np
import pytest

import nn
from autograd import Variable


@pytest.mark.parametrize("data", [[1, 2], [1.5, 2.5], 3, 0.5, np.array([1, 2]), np.array([True])])
def test_numbers_and_integers_become_float32(data):
    p = nn.Parameter(data)
    assert p.dtype == np.float32
    assert p.requires_grad
    np.testing.assert_array_equal(p.data, np.asarray(data))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex128])
def test_floating_arrays_keep_their_dtype_and_memory(dtype):
    data = np.ones(3, dtype)
    assert nn.Parameter(data).data is data
    assert nn.Parameter(Variable(data)).data is data


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
