"""What several processes cost: measured on 1, 2 and 4 ranks, simulated up to 1000.

    python benchmarks/parallel.py            # needs mpi4py and mpiexec for the measured part
    python benchmarks/parallel.py --smoke    # the simulation alone, on a small model

Measured: the time of a step of a multilayer perceptron whose global batch stays the same, the part
of it that a rank waits for gradients after its own backward pass has ended, and the bytes that are
summed over the ranks, beside those of the gradients: the least that is possible.

Simulated: one process records when each gradient is complete; a network then sums the buckets one
after the other, each in 2 (R - 1) latency + 2 (R - 1) / R bytes / bandwidth (a ring). What ends
after the backward pass is exposed. Weak scaling: every rank has the same work.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import _timing
import numpy as np

import autograd
import nn
import optim
from autograd.transforms.enclosed import enclosed
from nn.parallel import DataParallel

NETWORKS = {"10 Gbit Ethernet": (30e-6, 1.2e9), "100 Gbit InfiniBand": (2e-6, 12e9)}
RANKS = (2, 4, 16, 64, 256, 1000)
BUCKET = 1 << 20


def perceptron(width):
    autograd.manual_seed(0)
    return nn.Sequential(
        *(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()),
        *(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10)),
    )


def batch(size):
    rng = np.random.default_rng(0)
    return rng.normal(size=(size, 784)).astype(np.float32), rng.integers(10, size=size)


# -- simulated -------------------------------------------------------------------------------------


def recorded(model, size):
    """Return seconds of a step without its backward pass, of that, and when gradients come."""
    x, y = batch(size)
    parameters = list(model.parameters())
    times = {}

    def pull(call, cotangents):
        begin = time.perf_counter()
        inputs = call.walk(cotangents, lambda i, _: times.update({i: time.perf_counter() - begin}))
        times["end"] = time.perf_counter() - begin
        return inputs, [None] * len(parameters)

    best = None
    for _ in range(7):
        start = time.perf_counter()
        out = enclosed("benchmark", model, (x,), {}, parameters, pull)
        nn.CrossEntropyLoss()(out, y).backward()
        whole = time.perf_counter() - start
        if best is None or whole < best[0]:
            best = whole, dict(times)
    whole, times = best
    return whole - times["end"], times.pop("end"), times


def exposed(parameters, times, end, ranks, latency, bandwidth):
    """Return the seconds after the backward pass in which the network is not done yet."""
    network, size, ready = 0.0, 0, 0.0
    for i in reversed(range(len(parameters))):
        size += parameters[i].data.nbytes
        ready = max(ready, times[i])
        if size >= BUCKET or i == 0:
            cost = 2 * (ranks - 1) * latency + 2 * (ranks - 1) / ranks * size / bandwidth
            network = max(network, ready) + cost
            size = 0
    return max(0.0, network - end)


def simulate(width, size):
    model = perceptron(width)
    forward, backward, times = recorded(model, size)
    parameters = list(model.parameters())
    step = forward + backward
    return {
        name: {
            f"{ranks} ranks": step / (step + exposed(parameters, times, backward, ranks, *network))
            for ranks in RANKS
        }
        for name, network in NETWORKS.items()
    }


# -- measured --------------------------------------------------------------------------------------


def worker(width, size, steps):
    """Run under mpiexec; rank 0 prints its figures."""
    from mpi4py import MPI

    model = perceptron(width)
    parallel = DataParallel(model, bucket_bytes=BUCKET)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    x, y = batch(size // parallel.size)
    loss = nn.CrossEntropyLoss()
    waited, times = [], []
    finish = parallel.buckets.finish

    def timed():
        begin = time.perf_counter()
        found = finish()
        waited.append(time.perf_counter() - begin)
        return found

    parallel.buckets.finish = timed
    for _ in range(steps):
        MPI.COMM_WORLD.Barrier()
        begin = time.perf_counter()
        optimizer.zero_grad()
        loss(parallel(x), y).backward()
        optimizer.step()
        times.append(time.perf_counter() - begin)
    if parallel.rank == 0:
        gradients = sum(p.data.nbytes for p in model.parameters())
        exchanged = sum(b.flat.nbytes for b in parallel.buckets.buckets)
        print(json.dumps({
            "step": min(times) * 1e3,
            "waited": min(waited) * 1e3 if waited else 0.0,
            "gradients": gradients / 1e6,
            "exchanged": exchanged / 1e6 if waited else 0.0,
            "buckets": len(parallel.buckets),
        }))  # fmt: skip


def measure(width, size, steps):
    beside = Path(sys.executable).with_name("mpiexec")
    mpiexec = beside if beside.exists() else shutil.which("mpiexec")
    found = {}
    for ranks in (1, 2, 4):
        run = subprocess.run(
            [mpiexec, "-n", str(ranks), sys.executable, __file__, "--worker"]
            + [str(n) for n in (width, size, steps)],
            capture_output=True, text=True, check=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        found[f"{ranks} ranks"] = json.loads(run.stdout.splitlines()[-1])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="a pass of seconds, without MPI")
    parser.add_argument("--worker", nargs=3, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="append one line of JSON to this file")
    chosen = parser.parse_args()
    if chosen.worker:
        worker(*chosen.worker)
        return
    width, size = (64, 32) if chosen.smoke else (512, 512)
    results = {}
    if not chosen.smoke:
        results["measured"] = measure(width, size, 30)
        first = results["measured"]["1 ranks"]["step"]
        print(f"one step of batch {size}; time over that of one rank, and where it goes")
        for name, row in results["measured"].items():
            print(
                f"{name:>9}: {row['step'] / first:5.2f}   waiting for gradients "
                f"{row['waited'] / row['step']:4.0%} of the step   "
                f"{row['exchanged']:.2f} MB summed of {row['gradients']:.2f} MB of gradients, "
                f"in {row['buckets']} buckets"
            )
    results["simulated"] = simulate(width, size)
    print("\nsimulated share of the time in which a rank computes, the same work on every rank")
    print(f"{'ranks':>22}" + "".join(f"{ranks:>8}" for ranks in RANKS))
    for name, row in results["simulated"].items():
        print(f"{name:>22}" + "".join(f"{share:8.2f}" for share in row.values()))
    _timing.emit("parallel", results, _timing.header(), chosen.json)


if __name__ == "__main__":
    main()
