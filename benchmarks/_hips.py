"""Times HIPS autograd, in the interpreter of an environment of its own: it has our import name.

Started by the benchmarks with `--hips PYTHON`; reads "case length" lines, answers microseconds per
operation, forward and backward.
"""

import sys
import time


def cases():
    import autograd.numpy as np
    from autograd import make_vjp

    factor = np.linspace(0.9, 1.1, 8)
    steps = {
        "sin": np.sin,
        "tanh": np.tanh,
        "x + c": lambda y: y + factor,
        "x * c": lambda y: y * factor,
        "x * x": lambda y: y * y,
    }
    start, ones = np.linspace(0.1, 1.0, 8), np.ones(8)

    def chain(case, length):
        step = steps[case]

        def run(x):
            for _ in range(length):
                x = step(x)
            return x

        def once():
            pullback, _ = make_vjp(run)(start)
            pullback(ones)

        return once

    return chain


def main():
    chain = cases()
    for line in sys.stdin:
        case, length, repeats = line.rstrip("\n").split("\t")
        once = chain(case, int(length))
        best = float("inf")
        for _ in range(int(repeats)):
            begin = time.perf_counter()
            for _ in range(5):
                once()
            best = min(best, time.perf_counter() - begin)
        print(best / 5 / int(length) * 1e6, flush=True)


if __name__ == "__main__":
    main()
