"""What `test_parallel.py` has mpiexec run: `python parallel_program.py SCENARIO FOLDER`.

Not a test: each scenario is a function, and rank 0 writes what it returns as arrays.
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

import autograd
import nn
import optim
from nn.parallel import DataParallel, DistributedSampler, ShardedOptimizer, SyncBatchNorm

F64 = np.float64


def problem(n=52):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 5)), rng.integers(3, size=n)


def network():
    autograd.manual_seed(0)
    return nn.Sequential(
        *(nn.Linear(5, 8, dtype=F64), nn.Tanh(), nn.Linear(8, 8, bias=False, dtype=F64)),
        *(nn.Tanh(), nn.Linear(8, 3, dtype=F64)),
    )


def values(model):
    return np.concatenate([p.data.ravel() for p in model.parameters()])


def share(indices, parallel):
    return np.array_split(indices, parallel.size)[parallel.rank]


def steps(folder):
    """Adam on batches of 12 and a last one of 4, clipped; rank r begins with other numbers."""
    x, y = problem()
    model = network()
    if DataParallel(nn.Linear(1, 1)).rank:
        for p in model.parameters():
            p.data += 1.0  # replaced by those of rank 0
    parallel = DataParallel(model, bucket_bytes=500)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    norms = []
    for begin in (*range(0, 52, 12), *range(0, 52, 12)):
        mine = share(np.arange(begin, min(begin + 12, 52)), parallel)
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(parallel(x[mine]), y[mine]).backward()
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.5))
        optimizer.step()
    parallel.check_in_step()
    return {"values": values(model), "norms": norms, "buckets": len(parallel.buckets)}


def unequal(folder):
    """A batch of 12 in parts of any sizes, summed losses, two calls in one pass, accumulation."""
    x, y = problem(12)
    model = network()
    parallel = DataParallel(model)
    ends = {1: [0, 12], 2: [0, 3, 12], 4: [0, 1, 6, 8, 12]}[parallel.size]
    mine = np.arange(*ends[parallel.rank : parallel.rank + 2])
    nn.CrossEntropyLoss()(parallel(x[mine]), y[mine]).backward()
    first = [p.grad.copy() for p in model.parameters()]
    model.zero_grad()
    summed = DataParallel(model, reduction="sum")
    loss = nn.CrossEntropyLoss(reduction="sum")
    (loss(summed(x[mine]), y[mine]) + loss(summed(2 * x[mine]), y[mine])).backward()
    second = [p.grad.copy() for p in model.parameters()]
    model.zero_grad()
    halves = [share(np.arange(a, a + 6), parallel) for a in (0, 6)]
    count = sum(map(len, halves))
    with parallel.no_sync():
        part = nn.CrossEntropyLoss()(parallel(x[halves[0]]), y[halves[0]])
        (part * (len(halves[0]) / count)).backward()
    assert parallel.size == 1 or all(p.grad is None for p in model.parameters())
    part = nn.CrossEntropyLoss()(parallel(x[halves[1]]), y[halves[1]])
    (part * (len(halves[1]) / count)).backward()
    third = [p.grad.copy() for p in model.parameters()]
    return {
        f"{i}.{j}": g for i, part in enumerate((first, second, third)) for j, g in enumerate(part)
    }


def images(folder):
    """Batch normalisation over all ranks, hooks, and the state of Adam in parts."""
    autograd.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 4, 3, bias=False, dtype=F64), nn.BatchNorm2d(4, dtype=F64), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(64, 3, dtype=F64)),
    )
    model = SyncBatchNorm.convert(model)
    parallel = DataParallel(model, bucket_bytes=100)
    optimizer = ShardedOptimizer(optim.Adam(model.parameters(), lr=0.01))
    seen = []
    model[0].weight.register_hook(lambda g: seen.append(g.copy()))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 1, 6, 6)), rng.integers(3, size=24)
    for _ in range(5):
        mine = share(np.arange(24), parallel)
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(parallel(x[mine]), y[mine]).backward()
        optimizer.step()
    own = len(optimizer.optimizer.state_dict()["state"])
    state = optimizer.state_dict()
    found = {"values": values(model), "hook": np.array(seen), "own": own}
    found |= {f"buffer {name}": b for name, b in model.named_buffers()}
    if parallel.rank == 0:
        found |= {f"m{i}": s["exp_avg"] for i, s in state["state"].items()}
    return found


def training(folder):
    """`fit`: accumulation, validation, and a checkpoint; then some epochs more."""
    path = Path(folder) / "run.npz"
    x, y = problem(48)
    logs = Path(folder) / "log.csv"
    model = network()
    size = DataParallel(nn.Linear(1, 1)).size
    sampler = DistributedSampler(x, seed=3)
    data = nn.DataLoader(nn.ArrayDataset(x, y), batch_size=8 // size, sampler=sampler)
    optimizer = ShardedOptimizer(optim.Adam(model.parameters(), lr=0.01))
    given = {
        "validation_data": nn.DataLoader(nn.ArrayDataset(x, y), batch_size=16),
        "metrics": ["accuracy"],
        "callbacks": [nn.Checkpoint(path), nn.CSVLogger(logs), nn.EarlyStopping(patience=50)],
        "accumulate": 2,
        "progress": True,
        "resume": path if path.exists() else None,
        "parallel": True,
    }
    epochs = 5 if path.exists() else 3
    history = nn.fit(model, data, nn.CrossEntropyLoss(), optimizer, epochs, **given)
    return {"values": values(model)} | {name: history[name] for name in history.names}


# -- what ends a job -------------------------------------------------------------------------------


def trouble(what):
    rank = DataParallel(nn.Linear(1, 1)).rank
    model = nn.Linear(3, 4 if what == "model" and rank == 1 else 2)
    x = np.ones((4, 3), np.float32)
    outside = autograd.Variable(np.ones(2, np.float32), requires_grad=True)
    if what == "closure":
        model.forward = lambda x, call=model.forward: call(x) * outside
    parallel = DataParallel(model, timeout=1.0)
    if what == "batches":
        data = nn.DataLoader(nn.ArrayDataset(x[: 2 + rank], x[: 2 + rank, :2]), batch_size=1)
        nn.fit(model, data, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), 1, parallel=True)
    for step in range(3):
        if step == 1 and rank == 1:
            if what == "raise":
                raise ZeroDivisionError("by hand")
            if what == "hang":
                time.sleep(60)
            if what == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if what == "drift":
                model.weight.data += 1
        if what == "freeze" and step == 1:
            model.bias.requires_grad_(False)
        parallel(x).sum().backward()
    parallel.check_in_step()
    return {}


if __name__ == "__main__":
    scenario, folder = sys.argv[1:]
    found = globals()[scenario](folder) if scenario in globals() else trouble(scenario)
    if DataParallel(nn.Linear(1, 1)).rank == 0:
        np.savez(Path(folder) / "found.npz", **found)
