"""Packing and padding: beside PyTorch, and undone."""

import numpy as np
import pytest
import torch_nested
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable
from nn.utils import rnn

lengths = st.lists(st.integers(1, 5), min_size=1, max_size=5)
features = st.sampled_from([(), (2,), (2, 3)])


def draw_sequences(sizes, shape):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, *shape)) for n in sizes]


def equal(ours, theirs):
    np.testing.assert_array_equal(ours, theirs.numpy())


@pytest.mark.torch
@given(sizes=lengths, shape=features, batch_first=st.booleans(), extra=st.integers(0, 2))
def test_packing_and_padding_equal_pytorchs(sizes, shape, batch_first, extra):
    torch = pytest.importorskip("torch")
    other = torch.nn.utils.rnn
    sequences = draw_sequences(sizes, shape)
    tensors = [torch.tensor(s) for s in sequences]
    for side in ("right", "left"):
        options = {"batch_first": batch_first, "padding_value": -1.0, "padding_side": side}
        equal(rnn.pad_sequence(sequences, **options), other.pad_sequence(tensors, **options))
    options = {"batch_first": batch_first}
    padded = rnn.pad_sequence(sequences, **options)
    packed = rnn.pack_padded_sequence(padded, sizes, enforce_sorted=False, **options)
    theirs = other.pack_padded_sequence(
        torch.tensor(padded), torch.tensor(sizes), enforce_sorted=False, **options
    )
    equal(packed.batch_sizes, theirs.batch_sizes)
    options |= {"padding_value": 0.5, "total_length": max(sizes) + extra}
    (got, got_sizes), (wanted, wanted_sizes) = (
        rnn.pad_packed_sequence(packed, **options),
        other.pad_packed_sequence(theirs, **options),
    )
    equal(got, wanted)
    equal(got_sizes, wanted_sizes)
    if len(set(sizes)) == len(sizes):  # of equal lengths PyTorch may take any order
        equal(packed.data, theirs.data)
        equal(packed.sorted_indices, theirs.sorted_indices)
        equal(packed.unsorted_indices, theirs.unsorted_indices)


@given(sizes=lengths, shape=features)
def test_unpacking_undoes_packing(sizes, shape):
    sequences = draw_sequences(sizes, shape)
    packed = rnn.pack_sequence(sequences, enforce_sorted=False)
    for got, wanted in zip(rnn.unpack_sequence(packed), sequences, strict=True):
        np.testing.assert_array_equal(got, wanted)
    for batch_first in (False, True):
        padded = rnn.pad_sequence(sequences, batch_first)
        for got, wanted in zip(
            rnn.unpad_sequence(padded, sizes, batch_first), sequences, strict=True
        ):
            np.testing.assert_array_equal(got, wanted)


def test_steps_stand_one_after_the_other_longest_sequences_first():
    packed = rnn.pack_sequence([np.array([1, 2]), np.array([3, 4, 5])], enforce_sorted=False)
    assert packed.data.tolist() == [3, 1, 4, 2, 5]
    assert packed.batch_sizes.tolist() == [2, 2, 1]
    assert packed.sorted_indices.tolist() == packed.unsorted_indices.tolist() == [1, 0]
    packed = rnn.pack_sequence([np.array([3, 4, 5]), np.array([1, 2])])
    assert packed.sorted_indices is packed.unsorted_indices is None


def test_gradients_pass_there_and_back():
    x = Variable(np.arange(12.0).reshape(3, 2, 2), requires_grad=True)
    packed = rnn.pack_padded_sequence(x, Variable(np.array([3, 1])))
    padded, _ = rnn.pad_packed_sequence(packed, total_length=4)
    (padded * padded).sum().backward()
    wanted = 2 * x.data
    wanted[1:, 1] = 0.0
    np.testing.assert_array_equal(x.grad, wanted)
    autograd.testing.check_gradients(
        lambda a, b: rnn.pad_sequence([a, b], padding_side="left"), np.ones((2, 2)), np.ones((3, 2))
    )


def test_permutations_are_inverted():
    assert rnn.invert_permutation(np.array([2, 0, 1])).tolist() == [1, 2, 0]
    assert rnn.invert_permutation(None) is None


BATCH = np.ones((4, 2, 3))


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: rnn.pack_padded_sequence(BATCH, [4, 5]),
            ValueError,
            r"wanted 2 lengths from 1 to 4 .*, got \[4, 5\]",
        ),
        (
            lambda: rnn.pack_padded_sequence(BATCH, [4, 0]),
            ValueError,
            r"wanted 2 lengths from 1 to 4 .*, got \[4, 0\]",
        ),
        (
            lambda: rnn.pack_padded_sequence(BATCH, [4]),
            ValueError,
            r"wanted 2 lengths from 1 to 4 .*, got \[4\]",
        ),
        (
            lambda: rnn.pack_padded_sequence(BATCH, [1, 4]),
            ValueError,
            r"wanted lengths that never increase, got \[1, 4\]; pass enforce_sorted=False",
        ),
        (
            lambda: rnn.pack_padded_sequence(BATCH, [1.0, 4.0]),
            TypeError,
            "pack_padded_sequence: wanted integers as lengths, got float64",
        ),
        (
            lambda: rnn.pad_packed_sequence(BATCH),
            TypeError,
            "pad_packed_sequence: wanted a PackedSequence, got ndarray",
        ),
        (
            lambda: rnn.pad_packed_sequence(
                rnn.pack_padded_sequence(BATCH, [4, 1]), total_length=3
            ),
            ValueError,
            "wanted a total_length of at least 4, the longest sequence, got 3",
        ),
        (
            lambda: rnn.pad_sequence([np.ones((2, 3)), np.ones((2, 4))]),
            ValueError,
            r"wanted one or more sequences .* differ in length only, got shapes \[\(2, 3\)",
        ),
        (lambda: rnn.pad_sequence([]), ValueError, "pad_sequence: wanted one or more sequences"),
        (
            lambda: rnn.pad_sequence([np.ones(2)], padding_side="top"),
            ValueError,
            "pad_sequence: wanted padding_side 'right' or 'left', got 'top'",
        ),
        (
            lambda: rnn.unpad_sequence(BATCH, [1, 2, 3]),
            ValueError,
            r"unpad_sequence: wanted 2 lengths, got \[1, 2, 3\]",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.torch
def test_gradients_through_a_pack_equal_pytorchs():
    torch = pytest.importorskip("torch")

    def through(library):
        def run(x):
            return library.pad_packed_sequence(
                library.pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False)
            )[0]

        return run

    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    torch_nested.compare_functions(torch, through(rnn), through(torch.nn.utils.rnn), x)
