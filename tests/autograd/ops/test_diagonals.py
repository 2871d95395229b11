"""Diagonals: what the op table does not say."""

import numpy as np
import pytest

import autograd
from autograd import Variable


def test_diag_of_a_batch_is_refused_with_the_alternative():
    with pytest.raises(ValueError, match=r"diag: wanted a vector or a matrix.*use diagonal"):
        autograd.diag(np.zeros((1, 2, 3)))


@pytest.mark.parametrize("k", [-2, -1, 0, 1, 3])
def test_the_trace_of_a_rectangular_matrix_is_the_sum_of_its_diagonal(k):
    x = Variable(np.arange(12.0).reshape(3, 4), requires_grad=True)
    np.trace(x, k).backward()
    np.testing.assert_array_equal(x.grad, np.eye(3, 4, k))
