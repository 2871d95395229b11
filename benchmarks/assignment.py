"""What assignment costs: n assignments x[i] = v to one array, forward and backward, divided by n.

    OMP_NUM_THREADS=1 python benchmarks/assignment.py [--smoke]

A constant means that n assignments cost O(n), in the second table in forward mode (jvp). So does
that of the bytes at the peak, of those libraries whose memory is NumPy's. "scalars" is
x[i] = x[i - 1] * a on n elements, "rows" the same on n rows of four. PyTorch refuses to
differentiate them as they stand, because the product saves a view of what is assigned to later, so
its elements are cloned when they are read. MyGrad copies the array at each assignment: it takes
part for the smaller n. Both where installed.
"""

import functools
import tracemalloc

import _timing
import numpy as np

import autograd

MYGRAD_UP_TO = 1_000


def chain(leaf, zeros, read, shape):
    """Return forward and backward of a recurrence in any library."""

    def once():
        a, x = leaf(), zeros(shape)
        x[0] = a
        for i in range(1, shape[0]):
            x[i] = read(x[i - 1]) * a
        x.sum().backward()

    return once


def tangent(shape):
    """Return the recurrence in forward mode."""

    def total(a):
        x = autograd.zeros(shape)
        x[0] = a
        for i in range(1, shape[0]):
            x[i] = x[i - 1] * a
        return x.sum()

    return lambda: autograd.jvp(total, (0.999,), (1.0,))


def peak(once):
    """Return the bytes that a run takes at its peak."""
    once()  # what is made once
    tracemalloc.start()
    once()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def libraries(torch, mygrad, n):
    """Return name -> (leaf, zeros, read) of each library that takes part at n."""
    found = {
        "gradloom": (
            lambda: autograd.Variable(0.999, requires_grad=True),
            autograd.zeros,
            lambda part: part,
        )
    }
    if torch:
        make = functools.partial(torch.tensor, 0.999, dtype=torch.float64, requires_grad=True)
        zeros = functools.partial(torch.zeros, dtype=torch.float64)
        found["torch"] = make, zeros, lambda part: part.clone()
    if mygrad and n <= MYGRAD_UP_TO:
        found["mygrad"] = (
            lambda: mygrad.tensor(0.999),
            lambda shape: mygrad.zeros(shape, dtype=np.float64) * 1.0,
            lambda part: part,
        )
    return found


def main():
    chosen = _timing.arguments(__doc__.splitlines()[0])
    about = _timing.header("torch", "mygrad")
    torch, mygrad = _timing.optional("torch"), _timing.optional("mygrad")
    rows, memory = {}, {}
    for n in (50, 100) if chosen.smoke else (1_000, 100_000):
        for case, shape in (("scalars", (n,)), ("rows", (n, 4))):
            found = libraries(torch, mygrad, n)
            rivals = {name: chain(*parts, shape) for name, parts in found.items()}
            times = _timing.compare(rivals, min(chosen.repeats, 3), 1)
            rows[f"{case}, n = {n}"] = {name: t / n for name, t in times.items()}
            rivals.pop("torch", None)
            memory[f"{case}, n = {n}"] = {name: peak(run) / n for name, run in rivals.items()}
    _timing.table("per assignment", rows, "gradloom")
    forward = {}
    for n in (50, 100) if chosen.smoke else (1_000, 10_000):
        for case, shape in (("scalars", (n,)), ("rows", (n, 4))):
            times = _timing.compare({"jvp": tangent(shape)}, min(chosen.repeats, 3), 1)
            forward[f"{case}, n = {n}"] = {name: t / n for name, t in times.items()}
    _timing.table("per assignment in forward mode", forward, "jvp")
    for case, row in memory.items():
        found = ", ".join(f"{name} {value:,.0f} bytes" for name, value in row.items())
        print(f"{case}: {found} per assignment")
    results = {
        "us per assignment": rows,
        "us in forward mode": forward,
        "bytes per assignment": memory,
    }
    _timing.emit("assignment", results, about, chosen.json)


if __name__ == "__main__":
    main()
