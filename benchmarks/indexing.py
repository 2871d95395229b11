"""What reading costs: n readings x[i] of one array of n rows, and one gather with duplicates.

    OMP_NUM_THREADS=1 python benchmarks/indexing.py [--smoke] [--hips PYTHON]

"per reading" is forward and backward of sum(x[i] * x[i]) over all i, divided by n: a constant
means that n readings cost O(n). "second order" differentiates the gradient again. PyTorch takes
part where it is installed; HIPS autograd has our import name, so `--hips` names the interpreter of
an environment that has it.
"""

import argparse
import subprocess
import sys
import tracemalloc

import _timing
import numpy as np

from autograd import Variable, grad

COLUMNS = 4
HIPS = """
import sys, time
import autograd.numpy as np
from autograd import grad

def read(x):
    total = 0.0
    for i in range(len(x)):
        total = total + np.sum(x[i] * x[i])
    return total

n, columns, repeats = map(int, sys.argv[1:])
x, best = np.ones((n, columns)), float("inf")
for _ in range(repeats):
    begin = time.perf_counter()
    grad(read)(x)
    best = min(best, time.perf_counter() - begin)
print(best / n * 1e6)
"""


def ours(n):
    start = np.ones((n, COLUMNS))

    def once():
        x = Variable(start, requires_grad=True)
        total = 0.0
        for i in range(n):
            row = x[i]
            total = total + (row * row).sum()
        total.backward()

    return once


def ours_twice(n):
    start = np.ones((n, COLUMNS))

    def once():
        x = Variable(start, requires_grad=True)
        total = 0.0
        for i in range(n):
            row = x[i]
            total = total + (row * row).sum()
        (g,) = grad(total, [x], create_graph=True)
        grad(g.sum(), [x])

    return once


def torch_readings(torch, n):
    start = torch.ones((n, COLUMNS), dtype=torch.float64)

    def once():
        x = start.clone().requires_grad_()
        total = 0.0
        for i in range(n):
            row = x[i]
            total = total + (row * row).sum()
        total.backward()

    return once


def hips_readings(python, n, repeats):
    """Return microseconds per reading in HIPS autograd, which runs in another process."""
    command = [python, "-I", "-c", HIPS, str(n), str(COLUMNS), str(repeats)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def gathers(torch, n):
    """Return rivals that read n rows of a table of n / 4 by one index with duplicates."""
    index = np.random.default_rng(0).integers(0, n // 4, n)
    table = np.ones((n // 4, 16))

    def numpy_once():
        out = table[index]
        g = np.zeros_like(table)
        np.add.at(g, index, out)

    def our_once():
        x = Variable(table, requires_grad=True)
        out = x[index]
        out.backward(out.data)

    rivals = {"gradloom": our_once, "numpy": numpy_once}
    if torch:
        where, start = torch.from_numpy(index), torch.from_numpy(table)

        def torch_once():
            x = start.clone().requires_grad_()
            out = x[where]
            out.backward(out.detach())

        rivals["torch"] = torch_once
    return rivals


def peak(function):
    """Return the peak of Python's and NumPy's memory in MB."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def parse():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--hips", metavar="PYTHON")
    extra, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    return _timing.arguments(__doc__.splitlines()[0]), extra.hips


def main():
    chosen, hips = parse()
    about = _timing.header("torch")
    torch = _timing.optional("torch")
    sizes = (100, 200) if chosen.smoke else (1_000, 10_000)
    rows, memory = {}, {}
    for n in sizes:
        rivals = {"gradloom": ours(n)} | ({"torch": torch_readings(torch, n)} if torch else {})
        times = _timing.compare(rivals, chosen.repeats, 1)
        rows[f"n = {n}"] = {name: t / n for name, t in times.items()}
        if hips:
            rows[f"n = {n}"]["hips"] = hips_readings(hips, n, min(chosen.repeats, 3))
        twice = _timing.best_of(ours_twice(n), chosen.repeats, 1)
        rows[f"n = {n}, second order"] = {"gradloom": twice / n}
        memory[f"n = {n}"] = {"gradloom": peak(ours(n)) * 1e6 / n}
    _timing.table("per reading", rows, "gradloom")
    _timing.table("peak memory per reading", memory, "gradloom", "bytes")
    n = 1_000 if chosen.smoke else 100_000
    number = 1 if chosen.smoke else None
    gather = {f"{n} rows": _timing.compare(gathers(torch, n), chosen.repeats, number)}
    _timing.table("one gather", gather, "gradloom")
    results = {"us per reading": rows, "bytes per reading": memory, "us per gather": gather}
    _timing.emit("indexing", results, about, chosen.json)


if __name__ == "__main__":
    main()
