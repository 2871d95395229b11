"""Reading batches with workers, beside reading them where the loop runs.

    OMP_NUM_THREADS=1 python benchmarks/data_loading.py [--smoke]

Times are microseconds per epoch of a loop that spends 2 ms on each batch of 8 items, as a training
step does. Workers persist and have been started; `start` is what the first epoch takes longer.
Items wait (a disk, the network), inflate (NumPy and zlib let other threads run), or compute in
Python (which only processes do side by side).
"""

import multiprocessing
import time
import zlib

import _timing
import numpy as np

import nn

ITEMS, SIZE = 64, 8
PACKED = zlib.compress(np.arange(1 << 16, dtype=np.float32).tobytes(), 1)


class Waiting(nn.Dataset):
    """Items from a disk or a network."""

    def __getitem__(self, index):
        time.sleep(0.001)
        return np.float32(index)

    def __len__(self):
        return ITEMS


class Inflating(Waiting):
    """Items that a library unpacks."""

    def __getitem__(self, index):
        return np.frombuffer(zlib.decompress(PACKED), np.float32)[:256] + index


class Computing(Waiting):
    """Items that Python computes."""

    def __getitem__(self, index):
        return np.float32(sum(i % 7 for i in range(20_000)))


def epoch(loader):
    def run():
        for _ in loader:
            end = time.perf_counter() + 0.002
            while time.perf_counter() < end:
                np.dot(WORK, WORK)

    return run


WORK = np.ones((128, 128), np.float32)


def main():
    chosen = _timing.arguments(__doc__.splitlines()[0])
    about = _timing.header()
    multiprocessing.set_forkserver_preload(["nn"])
    workers = 2 if chosen.smoke else 4
    kinds = {
        "none": {},
        "threads": {"num_workers": workers},
        "processes": {"num_workers": workers, "multiprocessing_context": "forkserver"},
    }
    results, starts = {}, {}
    for data in (Waiting(), Inflating(), Computing()):
        rivals, first = {}, {}
        for name, options in kinds.items():
            loader = nn.DataLoader(
                data, SIZE, persistent_workers="num_workers" in options, **options
            )
            rivals[name] = epoch(loader)
            first[name] = _timing.best_of(rivals[name], 1, 1)
        label = type(data).__name__.lower()
        results[label] = _timing.compare(rivals, chosen.repeats, 1)
        starts[label] = {name: first[name] - results[label][name] for name in kinds}
    _timing.table(f"epoch of {ITEMS // SIZE} batches", results, "threads")
    _timing.table("start", starts, "threads")
    _timing.emit("data_loading", {"epoch": results, "start": starts}, about, chosen.json)


if __name__ == "__main__":
    main()
