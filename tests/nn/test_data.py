import json
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Variable
from nn._data import (
    ArrayDataset,
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    default_collate,
    random_split,
)


class Pairs(Dataset):
    """The items of an ArrayDataset, read one by one."""

    def __init__(self, *arrays):
        self.arrays = arrays

    def __getitem__(self, index):
        return tuple(array[index] for array in self.arrays)

    def __len__(self):
        return len(self.arrays[0])


X = np.arange(22.0, dtype=np.float32).reshape(11, 2)
Y = np.arange(11)


def seen(loader):
    return [y.tolist() for _, y in loader]


@given(
    items=st.integers(0, 30),
    size=st.integers(1, 12),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
)
def test_an_epoch_reads_every_item_once(items, size, shuffle, drop_last):
    data = ArrayDataset(np.arange(items))
    loader = DataLoader(data, size, shuffle, drop_last=drop_last, generator=0)
    batches = [batch for (batch,) in loader]
    read = [int(item) for batch in batches for item in batch]
    assert len(loader) == len(batches)
    assert all(len(batch) == size for batch in batches[:-1])
    assert len(read) == len(set(read)) == (items - items % size if drop_last else items)
    if not shuffle:
        assert read == list(range(len(read)))


def test_batches_are_plain_arrays_of_the_same_dtype_and_new_memory():
    data = ArrayDataset(X, Y)
    x, y = next(iter(DataLoader(data, 4)))
    np.testing.assert_array_equal(x, X[:4])
    assert type(x) is np.ndarray
    assert (x.dtype, y.dtype) == (X.dtype, Y.dtype)
    assert not np.shares_memory(x, data.arrays[0])


def test_the_fast_path_and_item_by_item_reading_agree():
    fast = DataLoader(ArrayDataset(X, Y), 4, shuffle=True, generator=3)
    slow = DataLoader(Pairs(X, Y), 4, shuffle=True, generator=3)
    for (x, y), (x_slow, y_slow) in zip(fast, slow, strict=True):
        np.testing.assert_array_equal(x, x_slow)
        np.testing.assert_array_equal(y, y_slow)
        assert x.dtype == x_slow.dtype


def test_each_epoch_has_a_new_order_and_the_seed_repeats_all_of_them():
    first = DataLoader(ArrayDataset(X, Y), 4, shuffle=True, generator=3)
    second = DataLoader(ArrayDataset(X, Y), 4, shuffle=True, generator=3)
    epochs = [seen(first) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    assert [seen(second) for _ in range(3)] == epochs
    assert seen(DataLoader(ArrayDataset(X, Y), 4, shuffle=True, generator=4)) != epochs[0]


def test_the_state_continues_the_sequence_of_orders():
    loader = DataLoader(ArrayDataset(X, Y), 4, shuffle=True, generator=3)
    seen(loader)
    state = json.loads(json.dumps(loader.state_dict()))
    expected = [seen(loader) for _ in range(2)]
    resumed = DataLoader(ArrayDataset(X, Y), 4, shuffle=True, generator=99)
    resumed.load_state_dict(state)
    assert [seen(resumed) for _ in range(2)] == expected


def test_two_loops_over_one_loader_do_not_disturb_each_other():
    loader = DataLoader(ArrayDataset(X, Y), 4)
    pairs = list(zip(loader, loader, strict=True))
    assert all(np.array_equal(a[1], b[1]) for a, b in pairs)
    assert len(pairs) == 3


def test_a_state_of_another_kind_of_loader_is_refused():
    shuffled = DataLoader(ArrayDataset(X), 4, shuffle=True)
    plain = DataLoader(ArrayDataset(X), 4)
    with pytest.raises(ValueError, match="SequentialSampler: wanted an empty state, got the keys"):
        plain.load_state_dict(shuffled.state_dict())
    with pytest.raises(ValueError, match="RandomSampler: wanted a state with the key 'generator'"):
        shuffled.load_state_dict(plain.state_dict())
    with pytest.raises(ValueError, match=r"DataLoader: wanted a state with the keys \['sampler'\]"):
        plain.load_state_dict({})


def test_lists_are_datasets_and_collate_fn_sees_the_items():
    words = ["a", "bb", "ccc"]
    assert list(DataLoader(words, 2)) == [["a", "bb"], ["ccc"]]
    loader = DataLoader(words, 2, collate_fn=lambda items: [len(item) for item in items])
    assert list(loader) == [[1, 2], [3]]


def test_a_sampler_of_any_kind_gives_the_order():
    data = ArrayDataset(Y)
    assert [b.tolist() for (b,) in DataLoader(data, 2, sampler=[5, 3, 1])] == [[5, 3], [1]]
    loader = DataLoader(data, 2, sampler=iter([5, 3, 1]), drop_last=True)
    assert [b.tolist() for (b,) in loader] == [[5, 3]]

    class Backwards(Sampler):
        def order(self):
            return np.arange(len(self))[::-1]

        def __len__(self):
            return len(data)

    loader = DataLoader(data, 8, sampler=Backwards())
    assert [b.tolist() for (b,) in loader] == [[10, 9, 8, 7, 6, 5, 4, 3], [2, 1, 0]]
    assert len(loader) == 2


def test_a_batch_sampler_decides_everything():
    data = ArrayDataset(Y)
    loader = DataLoader(data, batch_sampler=[[0, 1, 2], [9]])
    assert [b.tolist() for (b,) in loader] == [[0, 1, 2], [9]]
    assert len(loader) == 2
    with pytest.raises(ValueError, match="batch_sampler decides everything"):
        DataLoader(data, 3, batch_sampler=[[0]])
    with pytest.raises(ValueError, match="either shuffle=True or a sampler, got both"):
        DataLoader(data, shuffle=True, sampler=[0])


@pytest.mark.parametrize(
    "size, error, match",
    [
        (0, ValueError, "wanted batch_size of at least 1, got 0"),
        (2.0, TypeError, "wanted batch_size as an int, got float"),
        (True, TypeError, "wanted batch_size as an int, got bool"),
    ],
)
def test_a_wrong_batch_size_is_refused(size, error, match):
    with pytest.raises(error, match=match):
        DataLoader(ArrayDataset(Y), size)


def test_what_cannot_be_indexed_is_no_dataset():
    with pytest.raises(TypeError, match="wanted a dataset with __getitem__ and __len__, got gene"):
        DataLoader(item for item in range(3))


def test_arrays_of_a_dataset_must_fit_together():
    with pytest.raises(ValueError, match="wanted arrays of one length, got lengths 11, 3"):
        ArrayDataset(X, Y[:3])
    with pytest.raises(ValueError, match="wanted at least one array"):
        ArrayDataset()
    with pytest.raises(ValueError, match="got a 0-d array"):
        ArrayDataset(3.0)


def test_a_subset_reads_its_items_in_its_order():
    for data in (ArrayDataset(X, Y), Pairs(X, Y)):
        subset = Subset(data, [7, 1, 4])
        assert len(subset) == 3
        assert subset[0][1] == 7
        assert seen(DataLoader(subset, 2)) == [[7, 1], [4]]
    assert seen(DataLoader(Subset(Subset(data, [7, 1, 4]), [2, 0]), 2)) == [[4, 7]]
    with pytest.raises(ValueError, match=r"wanted a list of indices, got an array of shape \(1, 1"):
        Subset(data, [[1]])


@given(items=st.integers(1, 50), first=st.floats(0, 1))
def test_a_split_by_fractions_loses_nothing(items, first):
    parts = random_split(range(items), [first, 1 - first], generator=0)
    assert sorted(item for part in parts for item in part) == list(range(items))
    assert abs(len(parts[0]) - first * items) <= 1


def test_a_split_by_lengths_is_exact_and_repeatable():
    parts = random_split(range(10), [7, 3], generator=5)
    assert [len(part) for part in parts] == [7, 3]
    again = random_split(range(10), [7, 3], generator=5)
    assert [list(part) for part in parts] == [list(part) for part in again]
    with pytest.raises(ValueError, match=r"wanted lengths that add up to 10, got \[7, 4\]"):
        random_split(range(10), [7, 4])
    with pytest.raises(ValueError, match=r"wanted fractions that add up to 1, got \[0.5, 0.4\]"):
        random_split(range(10), [0.5, 0.4])


def test_drawing_with_replacement_may_exceed_the_dataset():
    sampler = RandomSampler(range(3), replacement=True, num_samples=50, generator=0)
    drawn = list(sampler)
    assert len(drawn) == len(sampler) == 50
    assert set(drawn) == {0, 1, 2}
    with pytest.raises(ValueError, match="wanted at most 3 samples, got 4; replacement=True"):
        RandomSampler(range(3), num_samples=4)
    assert len(set(RandomSampler(range(9), num_samples=4))) == 4


def test_collating_keeps_structure():
    class Point(NamedTuple):
        x: int
        y: list

    batch = default_collate([Point(1, [2.0, "a"]), Point(3, [4.0, "b"])])
    assert type(batch) is Point
    np.testing.assert_array_equal(batch.x, [1, 3])
    np.testing.assert_array_equal(batch.y[0], [2.0, 4.0])
    assert batch.y[1] == ["a", "b"]


@pytest.mark.parametrize(
    "items, what",
    [
        ([np.zeros(3), np.zeros(4)], r"equal shapes, got \(3,\) and \(4,\)"),
        ([(1, 2), (1,)], "equal lengths, got 2 and 1"),
        ([{"a": 1}, {"b": 1}], "equal keys"),
    ],
)
def test_items_that_do_not_fit_name_the_way_out(items, what):
    with pytest.raises(ValueError, match=what + ".*; pass a collate_fn"):
        default_collate(items)


def test_a_batch_sampler_over_a_sequential_one_counts_like_it_iterates():
    for drop_last in (False, True):
        batches = BatchSampler(SequentialSampler(range(7)), 3, drop_last)
        assert len(batches) == len(list(batches)) == (2 if drop_last else 3)


@pytest.mark.parametrize(
    "dataset, match",
    [
        ((np.zeros(5), np.zeros(5)), "got a tuple of 2 arrays; write DataLoader.ArrayDataset"),
        ((np.zeros((20, 1)), np.zeros((20, 1)), np.zeros(20)), "got a tuple of 3 arrays"),
        ((Variable(np.zeros(5)), np.zeros(5)), "got a tuple of 2 arrays"),
    ],
)
def test_a_tuple_of_arrays_is_no_dataset(dataset, match):
    with pytest.raises(TypeError, match=f"DataLoader: wanted a dataset, {match}"):
        DataLoader(dataset)


def test_a_list_of_whole_arrays_is_told_about_array_dataset():
    with pytest.raises(ValueError, match=r"or ArrayDataset\(x, y\) where the items are whole arr"):
        list(DataLoader([np.zeros((20, 2)), np.zeros(20)], batch_size=2))
