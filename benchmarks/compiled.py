"""Compiled functions beside the same in eager code, here and in PyTorch.

    OMP_NUM_THREADS=1 python benchmarks/compiled.py [--smoke] [--only CASE ...]

Each case is one forward and one backward pass (the MLP with a step of Adam, too). The models are
built from the same layers on both sides, in float32. micrograd, jax and numba (which compiles the
loops of `backend="numba"`) take part where they are installed.
"""

import argparse
import functools
import itertools
import math
import sys

import _timing
import numpy as np

import autograd
import nn
import optim
from autograd import Variable
from autograd.special import expit

torch = _timing.optional("torch")
jax = _timing.optional("jax")
numba = _timing.optional("numba")
looped = functools.partial(autograd.compile, backend="numba")
RNG = np.random.default_rng(0)


def floats(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def passes(function, inputs, parameters, zero=None):
    """Return one forward and backward pass that gives each parameter a gradient."""

    def once():
        for p in parameters:
            p.grad = zero
        function(*inputs).backward()

    return once


def elementwise_big():
    x, w, b, v = floats(1_000_000), *map(np.float32, (0.7, 0.1, 0.3))
    of = lambda x, w, b, v: np.sum(np.tanh(x * w + b) * expit(x * v))
    step = autograd.value_and_grad(of, argnum=(0, 1, 2, 3))
    fast = autograd.compile(step)
    rivals = {"compiled": lambda: fast(x, w, b, v), "eager": lambda: step(x, w, b, v)}
    if numba:
        loops = looped(step)
        rivals["numba"] = lambda: loops(x, w, b, v)
    if torch:
        leaves = [torch.tensor(a, requires_grad=True) for a in (x, w, b, v)]
        of_torch = lambda x, w, b, v: (torch.tanh(x * w + b) * torch.sigmoid(x * v)).sum()
        rivals["torch"] = passes(of_torch, leaves, leaves)
    if jax:
        of_jax = lambda x, w, b, v: jax.numpy.sum(jax.numpy.tanh(x * w + b) * jax.nn.sigmoid(x * v))
        step_jax = jax.jit(jax.value_and_grad(of_jax, argnums=(0, 1, 2, 3)))
        rivals["jax.jit"] = lambda: jax.block_until_ready(step_jax(x, w, b, v))
    return rivals


def chain(x, library):
    for _ in range(200):
        x = library.tanh(x * 0.9 + 0.1)
    return x.sum()


def small_operations():
    """600 operations on eight numbers."""
    x = np.linspace(0.1, 1.0, 8)
    leaf = Variable(x, requires_grad=True)
    fast = autograd.compile(lambda x: chain(x, np))
    rivals = {
        "compiled": passes(fast, [leaf], [leaf]),
        "eager": passes(lambda x: chain(x, np), [leaf], [leaf]),
    }
    if numba:
        rivals["numba"] = passes(looped(lambda x: chain(x, np)), [leaf], [leaf])
    if torch:
        other = torch.tensor(x, requires_grad=True)
        rivals["torch"] = passes(lambda x: chain(x, torch), [other], [other])
    return rivals


def scalar_network(make, tanh):
    """Return parameters and loss of an MLP (3, 4, 4, 1) on four samples, number by number."""
    rng = np.random.default_rng(0)
    sizes = (3, 4, 4, 1)
    layers = [
        [([make(w) for w in rng.normal(size=n)], make(0.0)) for _ in range(m)]
        for n, m in itertools.pairwise(sizes)
    ]
    samples = rng.normal(size=(4, 3)).tolist()
    targets = [1.0, -1.0, -1.0, 1.0]
    parameters = [p for layer in layers for row, b in layer for p in (*row, b)]

    def loss():
        total = 0.0
        for sample, target in zip(samples, targets, strict=True):
            values = sample
            for layer in layers:
                values = [
                    tanh(sum((w * v for w, v in zip(row, values, strict=True)), b))
                    for row, b in layer
                ]
            total = total + (values[0] - target) ** 2
        return total

    return parameters, loss


def tanh_of_micrograd(value):
    """Return tanh of a Value as micrograd's lectures define it; its package has no such method."""
    t = math.tanh(value.data)
    out = type(value)(t, (value,), "tanh")

    def backward():
        value.grad += (1 - t * t) * out.grad

    out._backward = backward  # noqa: SLF001 - as the lectures do
    return out


def scalar_mlp():
    parameters, loss = scalar_network(lambda v: Variable(float(v), requires_grad=True), np.tanh)
    rivals = {
        "compiled": passes(autograd.compile(loss), [], parameters),
        "eager": passes(loss, [], parameters),
    }
    if numba:
        rivals["numba"] = passes(looped(loss), [], parameters)
    engine = _timing.optional("micrograd.engine")
    if engine:
        others, of = scalar_network(lambda v: engine.Value(float(v)), tanh_of_micrograd)
        rivals["micrograd"] = passes(of, [], others, zero=0.0)
    if torch:
        make = lambda v: torch.tensor(float(v), dtype=torch.float64, requires_grad=True)
        others, of = scalar_network(make, torch.tanh)
        rivals["torch"] = passes(of, [], others)
    return rivals


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def hessian():
    x = np.linspace(-1, 1, 100)
    eager = autograd.hessian(rosenbrock)
    fast = autograd.compile(eager)
    rivals = {"compiled": lambda: fast(x), "eager": lambda: eager(x)}
    if numba:
        loops = looped(eager)
        rivals["numba"] = lambda: loops(x)
    if torch:
        y = torch.tensor(x)
        rivals["torch"] = lambda: torch.autograd.functional.hessian(rosenbrock, y)
    return rivals


# -- models, of the same layers on both sides ------------------------------------------------------


def network(*layers):
    return lambda L: L.Sequential(*(layer(L) for layer in layers))


def gpt(L):
    """Four layers of width 128 with two heads, on 64 tokens out of 65."""

    class Gpt(L.Module):
        def __init__(self, mask):
            super().__init__()
            self.tokens, self.places = L.Embedding(65, 128), L.Embedding(64, 128)
            for i in range(4):
                layer = L.TransformerEncoderLayer(
                    128, 4, 512, 0.0, activation="gelu", batch_first=True, norm_first=True
                )
                setattr(self, f"layer{i}", layer)
            self.norm, self.head = L.LayerNorm(128), L.Linear(128, 65)
            self.mask, self.at = mask

        def forward(self, x):
            x = self.tokens(x) + self.places(self.at)
            for i in range(4):
                x = getattr(self, f"layer{i}")(x, src_mask=self.mask)
            return self.head(self.norm(x)).reshape((-1, 65))

    mask = np.triu(np.full((64, 64), -np.inf, np.float32), 1), np.arange(64)
    return Gpt(tuple(map(torch.tensor, mask)) if L is not nn else mask)


def lstm(L):
    class Classifier(L.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = L.LSTM(32, 64, batch_first=True), L.Linear(64, 10)

        def forward(self, x):
            return self.head(self.lstm(x)[0][:, -1])

    return Classifier()


def residual(L):
    class Residual(L.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = L.Conv2d(32, 32, 3, padding=1), L.BatchNorm2d(32)
            self.conv2, self.bn2 = L.Conv2d(32, 32, 3, padding=1), L.BatchNorm2d(32)
            self.relu, self.head = L.ReLU(), L.Linear(32, 10)

        def forward(self, x):
            y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.head(self.relu(x + y).mean((2, 3)))

    return Residual()


MODELS = {
    "FizzBuzz": (
        network(lambda L: L.Linear(10, 50), lambda L: L.ReLU(), lambda L: L.Linear(50, 4)),
        lambda: floats(32, 10), 32, 4,
    ),
    "MLP with Adam": (
        network(
            lambda L: L.Linear(784, 256), lambda L: L.ReLU(),
            lambda L: L.Linear(256, 256), lambda L: L.ReLU(), lambda L: L.Linear(256, 10),
        ),
        lambda: floats(128, 784), 128, 10,
    ),
    "GPT": (gpt, lambda: RNG.integers(0, 65, (8, 64)), 512, 65),
    "LSTM": (lstm, lambda: floats(32, 28, 32), 32, 10),
    "LeNet": (
        network(
            lambda L: L.Conv2d(1, 6, 5, padding=2), lambda L: L.ReLU(), lambda L: L.MaxPool2d(2),
            lambda L: L.Conv2d(6, 16, 5), lambda L: L.ReLU(), lambda L: L.MaxPool2d(2),
            lambda L: L.Flatten(), lambda L: L.Linear(400, 120), lambda L: L.ReLU(),
            lambda L: L.Linear(120, 84), lambda L: L.ReLU(), lambda L: L.Linear(84, 10),
        ),
        lambda: floats(32, 1, 28, 28), 32, 10,
    ),
    "residual block": (residual, lambda: floats(8, 32, 16, 16), 8, 10),
}  # fmt: skip


def training(name):
    """Return training steps of a model."""
    make, inputs, count, classes = MODELS[name]
    x, target = inputs(), RNG.integers(0, classes, count)

    def ours(change):
        autograd.manual_seed(0)
        model = make(nn)
        loss = change(lambda x, y: nn.functional.cross_entropy(model(x), y))
        optimizer = optim.Adam(model.parameters())
        once = passes(loss, [x, Variable(target)], list(model.parameters()))
        return (lambda: (once(), optimizer.step())) if "Adam" in name else once

    rivals = {"compiled": ours(autograd.compile), "eager": ours(lambda f: f)}
    if numba:
        rivals["numba"] = ours(looped)
    if torch:
        model = make(torch.nn)
        of = lambda x, y: torch.nn.functional.cross_entropy(model(x), y)
        given = [torch.tensor(x), torch.tensor(target)]
        once = passes(of, given, list(model.parameters()))
        optimizer = torch.optim.Adam(model.parameters(), foreach=False)
        rivals["torch"] = (lambda: (once(), optimizer.step())) if "Adam" in name else once
    return rivals


CASES = {
    "elementwise_big": elementwise_big,
    "600 small operations": small_operations,
    "scalar MLP": scalar_mlp,
    "Hessian of Rosenbrock-100": hessian,
    **{name: (lambda name=name: training(name)) for name in MODELS},
}


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only", nargs="*", default=list(CASES))
    extra, sys.argv[1:] = parser.parse_known_args()
    chosen = _timing.arguments(__doc__.splitlines()[0])
    about = _timing.header("torch", "micrograd", "jax", "numba")
    rows = {}
    for name in extra.only:
        rivals = CASES[name]()
        for once in rivals.values():
            once()  # traces, and warms up
        rows[name] = _timing.compare(rivals, chosen.repeats, 1 if chosen.smoke else None)
    _timing.table("forward and backward", rows, "compiled")
    _timing.emit("compiled", rows, about, chosen.json)


if __name__ == "__main__":
    main()
