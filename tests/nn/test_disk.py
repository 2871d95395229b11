"""Data on a disk and in streams: the same batches as from memory, in the memory of a batch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
import optim

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disk")
    rng = np.random.default_rng(0)
    arrays = rng.normal(size=(50, 3, 2)).astype(np.float32), rng.integers(9, size=50)
    paths = folder / "x.npy", folder / "y.npy"
    for path, array in zip(paths, arrays, strict=True):
        np.save(path, array)
    return paths, arrays


@given(indices=st.lists(st.integers(-50, 49), max_size=40))
def test_rows_are_those_of_the_arrays(files, indices):
    paths, arrays = files
    found = nn.NpyDataset(*paths).take(np.array(indices, dtype=np.intp))
    for got, wanted in zip(found, arrays, strict=True):
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted[np.array(indices, dtype=np.intp)])
        assert got.flags.owndata
        assert got.flags.c_contiguous


@pytest.mark.parametrize("workers", [{}, {"num_workers": 2}])
def test_a_loader_gives_what_it_gives_from_memory(files, workers):
    paths, arrays = files
    given = {"batch_size": 8, "shuffle": True, "generator": 0, **workers}
    read = nn.DataLoader(nn.NpyDataset(*paths), **given)
    held = nn.DataLoader(nn.ArrayDataset(*arrays), **given)
    for ours, theirs in zip(read, held, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(nn.NpyDataset(*paths)[-1][0], arrays[0][-1])
    assert repr(nn.NpyDataset(*paths)) == "NpyDataset(50 items: float32 (3, 2), int64 ())"


def test_a_file_that_was_cut_is_noticed(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((100, 10)))
    data = nn.NpyDataset(path)
    with path.open("r+b") as file:
        file.truncate(4000)
    with pytest.raises(ValueError, match=r"wanted 100 rows in .*x.npy, got fewer; the file has"):
        data.take(np.arange(100))


def save(path, array):
    np.save(path, array)
    return path


@pytest.mark.parametrize(
    "make, kind, sentence",
    [
        (lambda folder: nn.NpyDataset(), ValueError, "wanted at least one file, got none"),
        (
            lambda folder: nn.NpyDataset(save(folder / "x.npy", np.zeros(()))),
            ValueError,
            "in C order, got one number in",
        ),
        (
            lambda folder: nn.NpyDataset(save(folder / "x.npy", np.zeros((3, 4)).T)),
            ValueError,
            "got an array in Fortran order in .*; write np.save",
        ),
        (
            lambda folder: nn.NpyDataset(
                save(folder / "x.npy", np.zeros(3)), save(folder / "y.npy", np.zeros(4))
            ),
            ValueError,
            "wanted arrays of one length, got lengths 3, 4",
        ),
        (
            lambda folder: nn.NpyDataset(save(folder / "x.npy", np.zeros(3)))[3],
            IndexError,
            "wanted indices below 3, got 3",
        ),
        (lambda folder: nn.BlockSampler(range(3), 0), ValueError, "wanted block_size of at least"),
        (
            lambda folder: nn.BlockSampler(range(3)).load_state_dict({}),
            ValueError,
            "wanted a state with the key 'generator'",
        ),
        (
            lambda folder: nn.DataLoader(Numbers(3), shuffle=True),
            ValueError,
            "wanted an IterableDataset with its own order and at most one thread",
        ),
    ],
)
def test_bad_arguments_are_told(make, kind, sentence, tmp_path):
    with pytest.raises(kind, match=sentence):
        make(tmp_path)


# -- orders ----------------------------------------------------------------------------------------


@given(n=st.integers(0, 60), block=st.integers(1, 20), window=st.integers(1, 5))
def test_blocks_are_a_permutation_near_the_order_of_the_file(n, block, window):
    sampler = nn.BlockSampler(range(n), block, window=window, generator=0)
    state = sampler.state_dict()
    order = sampler.order()
    assert sorted(order) == list(range(n))
    for first in range(0, n, block * window):
        part = order[first : first + block * window]
        # The last block may be short: what comes after it is moved from its window to the next.
        assert len({int(i) // block for i in part}) <= 2 * window
    sampler.load_state_dict(state)
    assert sampler.order().tolist() == order.tolist()


# -- streams ---------------------------------------------------------------------------------------


class Numbers(nn.IterableDataset):
    def __init__(self, n):
        self.n, self.read = n, 0

    def __iter__(self):
        for i in range(self.n):
            self.read += 1
            yield np.float32(i), i % 2


class Counted(Numbers):
    def __len__(self):
        return self.n


@pytest.mark.parametrize("workers", [0, 1])
def test_a_stream_is_read_in_batches_anew_in_each_epoch(workers):
    loader = nn.DataLoader(Numbers(7), batch_size=3, num_workers=workers)
    for _ in range(2):
        batches = [(x.tolist(), y.tolist()) for x, y in loader]
        assert batches == [([0, 1, 2], [0, 1, 0]), ([3, 4, 5], [1, 0, 1]), ([6], [0])]
    dropped = nn.DataLoader(Numbers(7), batch_size=3, drop_last=True, num_workers=workers)
    assert [len(x) for x, _ in dropped] == [3, 3]
    with pytest.raises(TypeError, match="len"):
        len(loader)
    assert (len(nn.DataLoader(Counted(7), 3)), len(nn.DataLoader(Counted(7), 3, drop_last=True))) \
        == (3, 2)  # fmt: skip
    assert repr(nn.DataLoader(Counted(7))) == "DataLoader(Counted(7 items))"
    assert repr(nn.DataLoader(Numbers(7))) == "DataLoader(Numbers())"


def test_one_worker_reads_ahead_no_further_than_asked():
    data = Numbers(100)
    batches = iter(nn.DataLoader(data, batch_size=1, num_workers=1, prefetch_factor=3))
    next(batches)
    batches.close()
    assert 2 <= data.read <= 5


def test_a_stream_goes_on_where_a_checkpoint_was_taken():
    loader, other = (nn.DataLoader(Numbers(9), batch_size=2) for _ in range(2))
    batches = iter(loader)
    next(batches), next(batches)
    other.load_state_dict(loader.state_dict())
    assert [x.tolist() for x, _ in other] == [x.tolist() for x, _ in batches] == [
        [4, 5], [6, 7], [8]
    ]  # fmt: skip


def test_an_error_of_a_stream_names_the_batch():
    class Broken(nn.IterableDataset):
        def __iter__(self):
            yield 1.0
            raise OSError("the line is dead")

    with pytest.raises(OSError, match="line is dead") as caught:
        list(nn.DataLoader(Broken()))
    assert caught.value.__notes__ == ["DataLoader: while reading batch 2"]


def test_fit_trains_on_a_stream():
    class Line(nn.IterableDataset):
        def __iter__(self):
            rng = np.random.default_rng(0)
            for _ in range(64):
                x = rng.normal(size=1).astype(np.float32)
                yield x, 3 * x

    model = nn.Linear(1, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    data = nn.DataLoader(Line(), batch_size=8, num_workers=1)
    history = nn.fit(model, data, nn.MSELoss(), optimizer, 5, progress=False)
    assert history["loss"][-1] < 1e-3


# -- memory ----------------------------------------------------------------------------------------

EPOCH = """
import sys
import numpy as np
import nn
data = nn.NpyDataset(sys.argv[1])
loader = nn.DataLoader(data, batch_size=64, sampler=nn.BlockSampler(data, 256, generator=0),
                       num_workers=2)
status = lambda: open("/proc/self/status").read()
peak = lambda: int(status().split("VmHWM:")[1].split()[0]) / 1024
before, total = peak(), 0.0
for (x,) in loader:
    total += float(x[:, 0].sum())
assert total == len(data) * (len(data) - 1) / 2, total
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_epoch_takes_the_memory_of_some_batches_not_of_the_file(tmp_path):
    path = tmp_path / "x.npy"
    rows = np.lib.format.open_memmap(path, "w+", np.float32, (6400, 4096))  # 100 MiB
    rows[:, 0] = np.arange(6400)
    rows.flush()
    run = subprocess.run(
        [sys.executable, "-c", EPOCH, path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 0 < float(run.stdout) < 30  # MiB; ten batches of 1 MiB are on their way
