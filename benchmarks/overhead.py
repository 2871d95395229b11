"""What recording costs: microseconds per operation, forward and backward, beside the peers.

    OMP_NUM_THREADS=1 python benchmarks/overhead.py [--smoke] [--hips PYTHON]

Chains of 100 operations on 8 float64, and on scalars. "numpy" is the same arithmetic without any
recording: the forward functions and the products of the chain rule, written by hand. PyTorch,
MyGrad and micrograd take part where they are installed; HIPS autograd has our import name, so
`--hips` names the interpreter of an environment that has it.
"""

import argparse
import functools
import subprocess
import sys
from pathlib import Path

import _timing
import numpy as np

import autograd
from autograd import Variable

LENGTH = 100
START = np.linspace(0.1, 1.0, 8)
FACTOR = np.linspace(0.9, 1.1, 8)
ONES = np.ones(8)


def step_of(case, library, factor):
    """Return one operation of the chain in any library."""
    return {
        "sin": library.sin,
        "tanh": library.tanh,
        "x + c": lambda y: y + factor,
        "x * c": lambda y: y * factor,
        "x * x": lambda y: y * y,
    }[case]


def chain(case, library, factor, leaf, gradient):
    """Return a forward and a backward pass over a chain; `leaf` makes its beginning."""
    step = step_of(case, library, factor)

    def once():
        y = leaf()
        for _ in range(LENGTH):
            y = step(y)
        y.backward(gradient)

    return once


def by_hand(case):
    """Return forward and backward of one chain in bare NumPy, keeping what the rules need."""

    def sin(x):
        return np.sin(x), lambda g: g * np.cos(x)

    def tanh(x):
        out = np.tanh(x)
        return out, lambda g: g * (1 - out * out)

    def square(x):
        def pull(g):
            return g * x + g * x

        return x * x, pull

    step = {
        "sin": sin,
        "tanh": tanh,
        "x + c": lambda x: (x + FACTOR, lambda g: g),
        "x * c": lambda x: (x * FACTOR, lambda g: g * FACTOR),
        "x * x": square,
    }[case]

    def once():
        y, pulls = START, []
        for _ in range(LENGTH):
            y, pull = step(y)
            pulls.append(pull)
        g = ONES
        for pull in reversed(pulls):
            g = pull(g)

    return once


def scalar_chain(make, backward):
    """Return micrograd's kind of program: a neuron's arithmetic, number by number."""

    def once():
        a, b, c = make(0.9), make(1.1), make(-0.1)
        y = a
        for _ in range(LENGTH // 2):
            y = y * b + c
        backward(y)

    return once


class Hips:
    """HIPS autograd in another process, asked case by case so that measurements interleave."""

    def __init__(self, python):
        self.process = subprocess.Popen(
            [python, str(Path(__file__).with_name("_hips.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def measure(self, case, repeats):
        """Return microseconds per operation."""
        print(case, LENGTH, repeats, sep="\t", file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def close(self):
        """End the other process."""
        self.process.stdin.close()
        self.process.wait()


def parse():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--hips", metavar="PYTHON")
    extra, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    return _timing.arguments(__doc__.splitlines()[0]), extra.hips


def main():
    chosen, hips_python = parse()
    about = _timing.header("torch", "mygrad", "micrograd")
    torch, mygrad = _timing.optional("torch"), _timing.optional("mygrad")
    engine = _timing.optional("micrograd.engine")
    hips = Hips(hips_python) if hips_python else None
    number = 1 if chosen.smoke else None
    rows = {}
    for case in ("sin", "tanh", "x + c", "x * c", "x * x"):
        rivals = {
            "gradloom": chain(
                case, autograd, FACTOR, lambda: Variable(START, requires_grad=True), ONES
            ),
            "numpy": by_hand(case),
        }
        if torch:
            factor, ones = torch.from_numpy(FACTOR), torch.from_numpy(ONES)
            leaf = functools.partial(torch.tensor, START, requires_grad=True)
            rivals["torch"] = chain(case, torch, factor, leaf, ones)
        if mygrad:
            leaf = functools.partial(mygrad.tensor, START)
            rivals["mygrad"] = chain(case, mygrad, FACTOR, leaf, ONES)
        times = _timing.compare(rivals, chosen.repeats, number)
        rows[case] = {name: t / LENGTH for name, t in times.items()}
        if hips:
            rows[case]["hips"] = hips.measure(case, chosen.repeats)
    if hips:
        hips.close()
    _timing.table("8 float64, per operation", rows, "gradloom")
    rivals = {
        "gradloom": scalar_chain(lambda v: Variable(v, requires_grad=True), Variable.backward)
    }
    if engine:
        rivals["micrograd"] = scalar_chain(engine.Value, engine.Value.backward)
    if torch:
        rivals["torch"] = scalar_chain(
            lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True),
            lambda y: y.backward(),
        )
    times = _timing.compare(rivals, chosen.repeats, number)
    scalars = {"y * b + c": {name: t / LENGTH for name, t in times.items()}}
    _timing.table("scalars, per operation", scalars, "gradloom")
    _timing.emit("overhead", rows | scalars, about, chosen.json)


if __name__ == "__main__":
    main()
