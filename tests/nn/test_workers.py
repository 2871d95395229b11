"""Workers of a DataLoader: the same batches in the same order, and nothing left behind."""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import optim
from nn import DataLoader

ROOT = Path(nn.__file__).parent.parent


class Noisy(nn.Dataset):
    """Waits longer for earlier items, draws numbers, and fails where it is told to."""

    def __init__(self, bad=None, wait=0.0):
        self.bad, self.wait = bad, wait

    def __getitem__(self, index):
        time.sleep(self.wait * (index % 3))
        if index == self.bad:
            raise KeyError("unreadable")
        return {"x": np.full(3, index, np.float32), "noise": nn.batch_generator().random()}

    def __len__(self):
        return 22


def everything(loader, epochs=2):
    return [[(b["x"].tolist(), b["noise"].tolist()) for b in loader] for _ in range(epochs)]


def workers():
    return [thread for thread in threading.enumerate() if "DataLoader" in thread.name]


def alone():
    return not workers()


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": 1},
        {"num_workers": 3, "prefetch_factor": 1},
        {"num_workers": 2, "persistent_workers": True, "drop_last": True},
        {"num_workers": 2, "collate_fn": nn.default_collate},
    ],
)
def test_batches_and_their_order_are_those_without_workers(options):
    def loader(**more):
        autograd.manual_seed(7)
        return DataLoader(Noisy(wait=0.001), 4, shuffle=True, **more)

    same = {name: options[name] for name in ("drop_last", "collate_fn") if name in options}
    expected = everything(loader(**same))
    noise = [{x for _, several in epoch for x in several} for epoch in expected]
    assert noise[0].isdisjoint(noise[1]), "each epoch has its own"
    drawn = autograd.new_generator().random()
    with_workers = loader(**options)
    assert everything(with_workers) == expected
    assert autograd.new_generator().random() == drawn, "nothing is taken from the global stream"
    del with_workers
    gc.collect()
    assert alone()


def test_samplers_of_any_kind_are_read_ahead():
    data = np.arange(9)
    options = {"num_workers": 2}
    assert [b.tolist() for b in DataLoader(data, 2, sampler=[5, 3, 1], **options)] == [[5, 3], [1]]
    batches = DataLoader(data, batch_sampler=[[0, 1, 2], [8]], **options)
    assert [b.tolist() for b in batches] == [[0, 1, 2], [8]]


def test_batches_are_read_while_others_are_in_use_and_not_further_ahead():
    started = []

    class Watched(nn.Dataset):
        def __getitem__(self, index):
            started.append(index)
            return index

        def __len__(self):
            return 40

    batches = iter(DataLoader(Watched(), 1, num_workers=2, prefetch_factor=3))
    next(batches)
    deadline = time.monotonic() + 5
    while len(started) < 7 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.01)
    assert sorted(started) == list(range(7))
    batches.close()
    assert alone()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_carries_its_item_its_batch_and_its_own_traceback(workers):
    with pytest.raises(KeyError, match="unreadable") as caught:
        everything(DataLoader(Noisy(bad=9), 4, num_workers=workers))
    item, batch = caught.value.__notes__
    assert item == "Noisy: while reading item 9"
    where = " in worker 0" if workers else ""
    assert batch == f"DataLoader: while reading batch 3{where}, items 8, 9, 10, 11"
    assert [entry.name for entry in caught.traceback][-1] == "__getitem__"
    if workers:
        assert alone()
    with pytest.raises(ValueError, match="wanted items of equal shapes") as caught:
        list(DataLoader([np.ones(2), np.ones(3)] * 9, 12, num_workers=workers))
    assert caught.value.__notes__[0].endswith("items 0, 1, 2, 3, 4, 5, 6, 7, ...")


def test_leaving_a_loop_early_ends_the_workers():
    loader = DataLoader(Noisy(), 2, num_workers=3)
    for number, _ in enumerate(loader):
        assert not alone()
        if number == 1:
            break
    assert alone()
    assert loader.state_dict()["position"] == 0, "the next loop begins an epoch"


def test_an_error_in_a_training_ends_the_workers_while_it_is_looked_at():
    def step(model, batch):
        return (model(batch["x"]) * np.nan).mean()

    model = nn.Linear(3, 1)
    with pytest.raises(FloatingPointError) as caught:
        nn.fit(
            model,
            DataLoader(Noisy(), 2, num_workers=2),
            step=step,
            optimizer=optim.SGD(model.parameters(), lr=0.1),
            epochs=1,
            progress=False,
        )
    assert alone()
    assert caught.value.__traceback__ is not None


def test_persistent_workers_stay_until_the_loader_goes():
    seen = []
    loader = DataLoader(
        Noisy(), 2, num_workers=2, persistent_workers=True, worker_init_fn=seen.append
    )
    everything(loader, 3)
    next(iter(loader))
    assert sorted(seen) == [0, 1]
    assert len(workers()) == 2
    assert everything(loader, 1)[0][0][0] == [[0.0] * 3, [1.0] * 3]
    del loader
    gc.collect()
    assert alone()


def test_a_worker_knows_itself():
    infos = {}

    class Asking(nn.Dataset):
        def __getitem__(self, index):
            info = nn.get_worker_info()
            infos.setdefault((info.id, info.seed), []).append(index)
            assert info.dataset is self
            assert info.num_workers == 2
            return index

        def __len__(self):
            return 8

    def seeds(seed):
        infos.clear()
        loader = DataLoader(Asking(), 1, num_workers=2, generator=seed)
        list(loader), list(loader)
        return sorted(infos)

    first = seeds(3)
    assert infos == {key: [key[0] + 2 * k for k in range(4)] for key in first}
    assert len({seed for _, seed in first}) == 4, "two workers in two epochs"
    assert seeds(3) == first != seeds(4)
    assert nn.get_worker_info() is None


def test_an_error_of_worker_init_fn_is_raised_where_the_loop_begins():
    def broken(worker):
        raise OSError(f"no disk for {worker}")

    with pytest.raises(OSError, match="no disk for 0"):
        next(iter(DataLoader(Noisy(), num_workers=2, worker_init_fn=broken)))
    assert alone()


@pytest.mark.parametrize(
    "options, match",
    [
        ({"num_workers": -1}, "wanted num_workers of at least 0, got -1"),
        ({"num_workers": 2.0}, "wanted num_workers of at least 0, got 2.0"),
        ({"num_workers": 1, "prefetch_factor": 0}, "wanted prefetch_factor of at least 1, got 0"),
        ({"prefetch_factor": 2}, "wanted num_workers of at least 1 for prefetch_factor, persis"),
        ({"persistent_workers": True}, "wanted num_workers of at least 1 for prefetch_factor"),
        ({"multiprocessing_context": "spawn"}, "wanted num_workers of at least 1 for prefetch"),
    ],
)
def test_wrong_options_are_refused(options, match):
    with pytest.raises(ValueError, match=f"DataLoader: {match}"):
        DataLoader(Noisy(), **options)


def test_what_cannot_be_sent_to_a_process_is_named_before_one_starts():
    loader = DataLoader([lambda: 1], num_workers=1, multiprocessing_context="spawn")
    with pytest.raises(TypeError, match="can be sent to a process, got .*lambda.*; define them at"):
        next(iter(loader))


# -- the middle of an epoch ------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 2])
def test_a_state_taken_in_a_loop_continues_with_the_rest_of_it(workers):
    def loader(seed, num_workers=workers):
        return DataLoader(Noisy(), 4, shuffle=True, generator=seed, num_workers=num_workers)

    whole = loader(3, 0)
    expected = everything(whole, 3)
    first = loader(3)
    everything(first, 1)
    batches = iter(first)
    for _ in range(2):
        next(batches)
    state = json.loads(json.dumps(first.state_dict()))
    assert state["position"] == 2
    batches.close()
    resumed = loader(99)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    assert everything(resumed, 2) == [expected[1][2:], expected[2]]
    ended = loader(99)
    ended.load_state_dict(state | {"position": 6})
    assert everything(ended, 2) == [[], expected[2]]
    with pytest.raises(ValueError, match="wanted position of at least 0, got -1"):
        ended.load_state_dict(state | {"position": -1})
    with pytest.raises(
        ValueError, match="wanted position of at most .*, got 1000000000000000000000"
    ):
        ended.load_state_dict(state | {"position": 10**21})


def test_the_state_of_version_0_1_still_loads():
    loader = DataLoader(Noisy(), 4, shuffle=True, generator=3)
    state = loader.state_dict()
    expected = everything(loader)
    resumed = DataLoader(Noisy(), 4, shuffle=True, generator=3)
    resumed.load_state_dict({"sampler": state["sampler"]})
    assert everything(resumed) == expected


# -- processes -------------------------------------------------------------------------------------

SCRIPT = """
import json, multiprocessing, os, random, signal, sys, threading, time
import numpy as np, autograd, nn

class Stubborn(Exception):
    def __init__(self, one, two):
        super().__init__("stubborn")

class Slow(nn.Dataset):
    bad = None
    def __getitem__(self, index):
        if index == self.bad:
            raise KeyError("unreadable")
        if self.bad == "stubborn":
            raise Stubborn(1, 2)
        if self.bad == "wait":
            time.sleep(0.01)
        if self.bad == "die":
            os._exit(3)
        drawn = random.random(), np.random.random(), autograd.new_generator().random()
        return np.float32(index), nn.batch_generator().random(), np.array(drawn), os.getpid()
    def __len__(self):
        return 10

def loader(bad=None, processes=True, **more):
    data = Slow()
    data.bad = bad
    if processes:
        more = dict(num_workers=2, multiprocessing_context="forkserver") | more
    return nn.DataLoader(data, 2, shuffle=True, generator=5, **more)

def failure(bad):
    try:
        list(loader(bad))
    except Exception as error:
        return [type(error).__name__, str(error), getattr(error, "__notes__", []),
                str(error.__cause__)]

def main():
    # A job in the background of a shell inherits that it ignores Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    multiprocessing.set_forkserver_preload(["nn"])
    both = [list(loader()), list(loader()), list(loader(processes=False))]
    told = {
        "batches": [[[b[0].tolist(), b[1].tolist()] for b in batches] for batches in both],
        "drawn": [[b[2].tolist() for b in batches] for batches in both[:2]],
        "pids": len({int(pid) for b in both[0] for pid in b[3]} - {os.getpid()}),
        "errors": [failure(bad) for bad in (4, "stubborn", "die")],
    }
    Hidden = type("Hidden", (Slow,), {})
    Hidden.__qualname__ = Hidden.__name__ = "Late"
    Hidden.__module__ = "__main__"
    globals()["Late"] = Hidden  # where no new process finds it, as in a notebook
    try:
        next(iter(nn.DataLoader(Hidden(), num_workers=1, multiprocessing_context="forkserver")))
    except TypeError as error:
        told["hidden"] = str(error)
    ended = []
    for more in ({}, {"processes": False, "num_workers": 2}):
        try:
            for _ in loader("wait", **more):
                print("ready", flush=True)
                time.sleep(60)
        except KeyboardInterrupt:
            ended.append([len(multiprocessing.active_children()), threading.active_count()])
    told["ended"] = ended
    kept = loader(persistent_workers=True)
    told["orphans"] = sorted({int(pid) for b in kept for pid in b[3]})
    print(json.dumps(told), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    main()
"""


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_processes_read_the_same_and_end_with_the_loop_ctrl_c_or_their_parent(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    with subprocess.Popen(
        [sys.executable, "-W", "error", path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for _ in range(2):
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
        told = json.loads(process.stdout.readline())
        process.kill()
    first, again, without = told["batches"]
    assert first == again == without
    assert len(without) == 5
    assert told["drawn"][0] == told["drawn"][1], "global generators are seeded"
    assert len({x for batch in told["drawn"][0] for item in batch for x in item}) == 30
    assert told["pids"] == 2
    missing, stubborn, dead = told["errors"]
    assert missing[:2] == ["KeyError", "'unreadable'"]
    assert missing[2][0] == "Slow: while reading item 4"
    assert ", items " in missing[2][1]
    assert 'in __getitem__\n    raise KeyError("unreadable")' in missing[3], "its own traceback"
    assert stubborn[0] == "RuntimeError"
    assert "Stubborn: stubborn" in stubborn[1]
    assert dead[0] == "RuntimeError"
    assert "got the end of its process: it was killed" in dead[1]
    assert "a process can import, got Can't get attribute 'Late'" in told["hidden"]
    assert told["ended"] == [[0, 1], [0, 1]]
    assert len(told["orphans"]) == 2
    deadline = time.monotonic() + 10
    while any(map(is_running, told["orphans"])) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(is_running, told["orphans"])), "a killed parent leaves no process"
