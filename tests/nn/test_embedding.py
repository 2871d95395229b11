import numpy as np
import pytest
import torch_nested
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


@pytest.mark.torch
@given(
    index=hnp.arrays(
        np.int64, hnp.array_shapes(min_dims=1, max_dims=2, max_side=4), elements=st.integers(0, 4)
    ),
    padding=st.sampled_from([None, 2]),
    norm=st.sampled_from([(None, 2.0), (1.0, 2.0), (1.5, 1.0), (0.5, np.inf)]),
)
def test_shortened_vectors_and_gradients_by_frequency_equal_pytorchs(index, padding, norm):
    torch = pytest.importorskip("torch")
    options = dict(zip(("padding_idx", "max_norm", "norm_type"), (padding, *norm), strict=True))
    options["scale_grad_by_freq"] = True
    ours = nn.Embedding(5, 3, dtype=np.float64, generator=0, **options)
    theirs = torch.nn.Embedding(5, 3, dtype=torch.float64, **options)
    torch_nested.compare_modules(torch, ours, theirs, index)
    # Vectors that were looked up have been shortened in the table itself.
    torch_nested.same([ours.weight.data], [theirs.weight.detach().numpy()])


def test_shortening_leaves_other_vectors_and_is_noticed_by_recorded_graphs():
    layer = nn.Embedding(3, 2, max_norm=1.0, dtype=np.float64)
    layer.weight.data = np.array([[3.0, 4.0], [3.0, 4.0], [0.3, 0.4]])
    loss = (layer.weight * layer.weight).sum()
    np.testing.assert_allclose(layer([0, 2]).data, [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)
    np.testing.assert_array_equal(layer.weight.data[1], [3.0, 4.0])
    with pytest.raises(RuntimeError, match="changed"):
        loss.backward()


MODES = ("sum", "mean", "max")


@pytest.mark.torch
@pytest.mark.parametrize("mode", MODES)
@given(st.data())
def test_bags_and_their_gradients_equal_pytorchs(mode, data):
    torch = pytest.importorskip("torch")
    draw = data.draw
    padding = draw(st.sampled_from([None, 1]))
    options = {"mode": mode, "padding_idx": padding, "include_last_offset": draw(st.booleans())}
    options["max_norm"] = draw(st.sampled_from([None, 1.0]))
    ours = nn.EmbeddingBag(5, 3, dtype=np.float64, generator=0, **options)
    theirs = torch.nn.EmbeddingBag(5, 3, dtype=torch.float64, **options)
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    index = draw(hnp.arrays(np.int64, sum(sizes), elements=st.integers(0, 4)))
    offsets = np.cumsum([0, *sizes])[: None if options["include_last_offset"] else -1]
    torch_nested.compare_modules(torch, ours, theirs, index, offsets)
    square = draw(hnp.arrays(np.int64, (2, 3), elements=st.integers(0, 4)))
    torch_nested.compare_modules(torch, ours, theirs, square)
    if mode == "sum":
        factors = np.cos(np.arange(6.0)).reshape(2, 3)
        torch_nested.compare_modules(torch, ours, theirs, square, per_sample_weights=factors)


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_bags_are_vectors_reduced_also_where_gradients_go_by_frequency(mode):
    # PyTorch's bags divide by the frequency of another entry: 1 of [[1, 0, 0]] by that of 0.
    table = np.random.default_rng(0).normal(size=(5, 3))
    index = np.array([[1, 0, 0], [3, 0, 1]])
    gradients = []
    for function in (
        lambda w: functional.embedding_bag(index, w, mode=mode, scale_grad_by_freq=True),
        lambda w: getattr(functional.embedding(index, w, scale_grad_by_freq=True), mode)(axis=1),
    ):
        weight = Variable(table, requires_grad=True)
        function(weight).backward(np.arange(6.0).reshape(2, 3))
        gradients.append(weight.grad)
    np.testing.assert_allclose(*gradients, rtol=1e-13)
    assert gradients[0][3].any()


def test_bags_without_entries_are_zeros():
    table = np.ones((3, 2))
    for mode in MODES:
        out = functional.embedding_bag([1, 2], table, [0, 0, 2], mode=mode)
        np.testing.assert_array_equal(out[[0, 2]], 0.0)
        assert functional.embedding_bag(np.zeros((0, 4), int), table, mode=mode).shape == (0, 2)
        assert not functional.embedding_bag([[1, 1]], table, mode=mode, padding_idx=1).any()


def test_given_tables_are_copied_and_frozen():
    table = np.ones((4, 3))
    layer = nn.Embedding.from_pretrained(table, padding_idx=1)
    assert not layer.weight.requires_grad
    assert not np.shares_memory(layer.weight.data, table)
    np.testing.assert_array_equal(layer.weight.data, table)
    assert layer.padding_idx == 1
    bag = nn.EmbeddingBag.from_pretrained(table, freeze=False, mode="sum")
    assert bag.weight.requires_grad
    np.testing.assert_array_equal(bag([[0, 1]]).data, [[2.0, 2.0, 2.0]])
    assert repr(bag) == "EmbeddingBag(4, 3, mode='sum')"
    assert repr(nn.Embedding(4, 3, max_norm=2.0)) == "Embedding(4, 3, max_norm=2.0)"


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: nn.Embedding(3, 2, _weight=np.ones((2, 3))),
            ValueError,
            r"Embedding: wanted a _weight of shape \(3, 2\), got \(2, 3\)",
        ),
        (
            lambda: nn.EmbeddingBag(3, 2, padding_idx=3),
            ValueError,
            "EmbeddingBag: wanted a padding_idx within 3 rows, got 3",
        ),
        (
            lambda: nn.EmbeddingBag(3, 2, mode="min"),
            ValueError,
            "wanted mode 'sum', 'mean' or 'max'",
        ),
        (
            lambda: functional.embedding_bag([0, 1], np.ones((3, 2))),
            ValueError,
            r"wanted an input of two axes, or of one with offsets, got shape \(2,\)",
        ),
        (
            lambda: functional.embedding_bag([[0, 1]], np.ones((3, 2)), [0]),
            ValueError,
            r"wanted an input of two axes, or of one with offsets, got shape \(1, 2\)",
        ),
        (
            lambda: functional.embedding_bag([0, 1], np.ones((3, 2)), [1, 0]),
            ValueError,
            r"wanted offsets that start with 0 and never decrease, got \[1, 0, 2\]",
        ),
        (
            lambda: functional.embedding_bag([0, 3], np.ones((3, 2)), [0]),
            ValueError,
            "embedding_bag: wanted integers of at least 0 and below 3, got 3",
        ),
        (
            lambda: functional.embedding_bag(
                [[0, 1]], np.ones((3, 2)), per_sample_weights=np.ones((1, 2))
            ),
            ValueError,
            r"wanted per_sample_weights of the shape of the input \(1, 2\) and mode 'sum'",
        ),
        (
            lambda: functional.embedding([0], np.ones((3, 2)), padding_idx=5),
            ValueError,
            "embedding: wanted a padding_idx within 3 rows, got 5",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.torch
@pytest.mark.parametrize("classes", [-1, 5])
def test_one_hot_is_pytorchs(classes):
    torch = pytest.importorskip("torch")
    index = np.array([[0, 3], [2, 2]])
    expected = torch.nn.functional.one_hot(torch.tensor(index), classes).numpy()
    found = functional.one_hot(index, classes)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
