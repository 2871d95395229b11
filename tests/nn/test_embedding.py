import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nn
from autograd import Variable
from nn import functional


@pytest.mark.torch
@given(
    index=hnp.arrays(
        np.int64, hnp.array_shapes(min_dims=0, max_dims=3, max_side=3), elements=st.integers(0, 4)
    ),
    padding=st.sampled_from([None, 0, 3, -1]),
)
def test_embedding_and_its_gradient_equal_pytorchs(index, padding):
    torch = pytest.importorskip("torch")
    ours = nn.Embedding(5, 3, padding, dtype=np.float64)
    theirs = torch.nn.Embedding(5, 3, padding, dtype=torch.float64)
    ours.weight.data[...] = np.arange(15.0).reshape(5, 3)
    theirs.load_state_dict({"weight": torch.tensor(ours.weight.data)})
    out, wanted = ours(index), theirs(torch.tensor(index))
    np.testing.assert_array_equal(out.data, wanted.detach().numpy())
    weights = np.cos(np.arange(out.size)).reshape(out.shape)
    out.backward(weights)
    wanted.backward(torch.tensor(weights))
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy(), rtol=1e-12, atol=1e-14)


def test_the_padding_vector_starts_as_zeros_and_the_others_as_normal():
    layer = nn.Embedding(1000, 50, padding_idx=-1)
    assert layer.padding_idx == 999
    assert not layer.weight.data[-1].any()
    rest = layer.weight.data[:-1]
    assert rest.dtype == np.float32
    assert abs(rest.mean()) < 0.02
    assert abs(rest.std() - 1) < 0.02


def test_a_given_table_is_frozen_by_default_and_copied():
    table = np.arange(6.0).reshape(3, 2)
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    assert not np.shares_memory(layer.weight.data, table)
    np.testing.assert_array_equal(layer([2]).data, [[4.0, 5.0]])
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    assert repr(layer) == "Embedding(3, 2)"


def test_an_empty_list_of_indices_gives_no_vectors():
    assert nn.Embedding(3, 2)([]).shape == (0, 2)


def test_one_hot_equals_rows_of_the_identity():
    index = Variable(np.array([[0, 2], [1, 1]]))
    np.testing.assert_array_equal(functional.one_hot(index, 4), np.eye(4, dtype=int)[index.data])
    np.testing.assert_array_equal(functional.one_hot([1]), [[0, 1]])


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: nn.Embedding(3, 2)([3]),
            ValueError,
            "embedding: wanted integers of at least 0 and below 3, got 3",
        ),
        (lambda: nn.Embedding(3, 2)([-1]), ValueError, "got -1"),
        (lambda: nn.Embedding(3, 2)([0.5]), TypeError, "embedding: wanted integers, got float64"),
        (
            lambda: nn.Embedding(3, 2, padding_idx=3),
            ValueError,
            "wanted a padding_idx within 3 rows, got 3",
        ),
        (
            lambda: functional.embedding([0], Variable(np.ones((3, 2))), 4),
            ValueError,
            "padding_idx within 3 rows, got 4",
        ),
        (
            lambda: nn.Embedding.from_pretrained(np.ones(3)),
            ValueError,
            r"wanted a matrix of vectors, got shape \(3,\)",
        ),
        (
            lambda: functional.one_hot([3], 3),
            ValueError,
            "one_hot: wanted integers of at least 0 and below 3, got 3",
        ),
        (
            lambda: functional.one_hot([-1]),
            ValueError,
            "one_hot: wanted integers of at least 0, got -1",
        ),
    ],
)
def test_wrong_arguments_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
