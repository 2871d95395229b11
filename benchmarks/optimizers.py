"""One optimizer step, beside PyTorch on one CPU thread (default loops, foreach and fused forms).

    OMP_NUM_THREADS=1 python benchmarks/optimizers.py [--smoke]

Parameters are float32 and gradients are there already, but for LBFGS, whose closure computes those
of a bowl; times are microseconds per step.
"""

import inspect

import _timing
import numpy as np

import optim
from autograd import Variable

ALGORITHMS = {
    "SGD": {"lr": 1e-4},
    "SGD momentum": {"lr": 1e-4, "momentum": 0.9},
    "Adam": {"lr": 1e-4},
    "AdamW": {"lr": 1e-4},
    "ASGD": {"lr": 1e-4},
    "Adafactor": {"lr": 1e-4},
    "Muon": {"lr": 1e-4},
    "LBFGS": {"lr": 1e-4, "max_iter": 2, "history_size": 10, "tolerance_change": 0.0},
}
SIZES = {
    "200 of 4x4": [(4, 4)] * 200,
    "FizzBuzz net": [(50, 10), (50,), (4, 50), (4,)],
    "24 of 64x64": [(64, 64)] * 24,
    "8 of 256x256": [(256, 256)] * 8,
    "1 of 1024x1024": [(1024, 1024)],
    "2 of 2048x2048": [(2048, 2048)] * 2,
}


def ours(algorithm, options, shapes):
    rng = np.random.default_rng(0)
    params = [Variable(rng.normal(size=s).astype(np.float32), requires_grad=True) for s in shapes]
    for p in params:
        p.grad = rng.normal(size=p.shape).astype(np.float32)
    bowl = [p.grad**2 + 1 for p in params]
    return stepped(getattr(optim, algorithm)(params, **options), params, bowl, lambda p: p.data)


def theirs(torch, algorithm, options, shapes):
    params = [torch.randn(s, requires_grad=True) for s in shapes]
    for p in params:
        p.grad = torch.randn(p.shape)
    bowl = [p.grad**2 + 1 for p in params]
    optimizer = getattr(torch.optim, algorithm)(params, **options)
    return stepped(optimizer, params, bowl, lambda p: p.detach())


def stepped(optimizer, params, bowl, data_of):
    """What is measured: a step, with a closure where there must be one."""
    if type(optimizer).__name__ != "LBFGS":
        return optimizer.step

    def closure():
        for p, bend in zip(params, bowl, strict=True):
            p.grad = bend * data_of(p)
        return 1.0

    return lambda: optimizer.step(closure)


def main():
    chosen = _timing.arguments(__doc__.splitlines()[0])
    about = _timing.header("torch")
    torch = _timing.optional("torch")
    sizes = dict(list(SIZES.items())[:2]) if chosen.smoke else SIZES
    results = {}
    for label, options in ALGORITHMS.items():
        algorithm = label.split()[0]
        rows = {}
        for size, every in sizes.items():
            shapes = [s for s in every if algorithm != "Muon" or len(s) == 2]
            if algorithm == "Muon" and shapes[0][0] > 256:
                continue  # a benchmark of matrix products, of seconds per step
            rivals = {"gradloom": ours(algorithm, options, shapes)}
            if torch:
                rivals["torch"] = theirs(torch, algorithm, options, shapes)
                known = inspect.signature(getattr(torch.optim, algorithm)).parameters
                for form in sorted({"foreach", "fused"}.intersection(known)):
                    rivals[form] = theirs(torch, algorithm, options | {form: True}, shapes)
            rows[size] = _timing.compare(rivals, chosen.repeats, 1 if chosen.smoke else None)
        _timing.table(label, rows, "gradloom")
        results[label] = rows
    _timing.emit("optimizers", results, about, chosen.json)


if __name__ == "__main__":
    main()
