"""Networks, layers, activations and losses, forward and backward, beside PyTorch on one CPU thread.

    OMP_NUM_THREADS=1 python benchmarks/layers.py [--smoke]

All is float32; times are microseconds per forward and backward pass. The last table compares
primitives of ours with the same composed of NumPy-named functions, and the call of a Module with
that of its `forward`.
"""

import itertools

import _timing
import numpy as np

import autograd
import nn
from autograd import Variable

NETWORKS = {
    "10-50-4 tanh, MSE, 32": ((10, 50, 4), "Tanh", "MSELoss", 32),
    "10-50-4 tanh, CE, 32": ((10, 50, 4), "Tanh", "CrossEntropyLoss", 32),
    "784-256-10 relu, CE, 32": ((784, 256, 10), "ReLU", "CrossEntropyLoss", 32),
    "784-256-256-10 relu, CE, 128": ((784, 256, 256, 10), "ReLU", "CrossEntropyLoss", 128),
    "1-16-64-16-1 relu, MSE, 4": ((1, 16, 64, 16, 1), "ReLU", "MSELoss", 4),
}
LAYERS = {
    **dict.fromkeys(
        ["ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus"], ()
    ),
    "Dropout": (0.5,),
    "LayerNorm": ("features",),
    "RMSNorm": ("features",),
    "BatchNorm1d": ("features",),
    "Softmax": (-1,),
    "LogSoftmax": (-1,),
}
LOSSES = ["MSELoss", "L1Loss", "SmoothL1Loss", "BCEWithLogitsLoss", "CrossEntropyLoss"]
SHAPES = [(32, 64), (512, 512)]


def network(library, sizes, activation):
    layers = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [library.Linear(fan_in, fan_out), getattr(library, activation)()]
    return library.Sequential(*layers[:-1])


def training_step(model, loss, x, target):
    parameters = list(model.parameters())

    def step():
        for p in parameters:
            p.grad = None
        loss(model(x), target).backward()

    return step


def pass_through(module, x, g):
    def step():
        x.grad = None
        module(x).backward(g)

    return step


def loss_step(loss, x, target):
    def step():
        x.grad = None
        loss(x, target).backward()

    return step


def targets(rng, loss, shape):
    if loss == "CrossEntropyLoss":
        return rng.integers(0, shape[1], shape[0])
    return rng.random(shape, np.float32)


def networks(torch, rng):
    for label, (sizes, activation, loss, batch) in NETWORKS.items():
        x = rng.normal(size=(batch, sizes[0])).astype(np.float32)
        y = targets(rng, loss, (batch, sizes[-1]))
        model = network(nn, sizes, activation)
        rivals = {"gradloom": training_step(model, getattr(nn, loss)(), x, y)}
        if torch:
            other = network(torch.nn, sizes, activation)
            measure = getattr(torch.nn, loss)()
            rivals["torch"] = training_step(other, measure, torch.tensor(x), torch.tensor(y))
        yield label, rivals


def layers(torch, rng):
    for shape in SHAPES:
        x, g = rng.normal(size=shape).astype(np.float32), np.ones(shape, np.float32)
        v = Variable(x, requires_grad=True)
        for name, given in LAYERS.items():
            given = [shape[-1] if a == "features" else a for a in given]
            rivals = {"gradloom": pass_through(getattr(nn, name)(*given), v, g)}
            if torch:
                t = torch.tensor(x, requires_grad=True)
                module = getattr(torch.nn, name)(*given)
                rivals["torch"] = pass_through(module, t, torch.tensor(g))
            yield f"{name} {shape}", rivals
        for name in LOSSES:
            y = targets(rng, name, shape)
            rivals = {"gradloom": loss_step(getattr(nn, name)(), v, y)}
            if torch:
                t = torch.tensor(x, requires_grad=True)
                rivals["torch"] = loss_step(getattr(torch.nn, name)(), t, torch.tensor(y))
            yield f"{name} {shape}", rivals


def cross_entropies(v, y):
    rows = np.arange(len(y))
    return {
        "gradloom": lambda: nn.functional.cross_entropy(v, y).backward(),
        "composed": lambda: (-autograd.log_softmax(v)[rows, y].mean()).backward(),  # noqa: PLW0108 - each call makes a new graph
    }


def squared_errors(v, z):
    return {
        "gradloom": lambda: nn.functional.mse_loss(v, z).backward(),
        "composed": lambda: ((v - z) ** 2).mean().backward(),
    }


def fused(_, rng):
    layer = nn.Linear(10, 50)
    x = rng.normal(size=(32, 10)).astype(np.float32)
    g = np.ones((32, 50), np.float32)
    yield (
        "linear 10-50, 32",
        {
            "gradloom": lambda: layer(x).backward(g),
            "composed": lambda: (x @ layer.weight.T + layer.bias).backward(g),
        },
    )
    for shape in ((32, 4), (512, 512)):
        v = Variable(rng.normal(size=shape).astype(np.float32), requires_grad=True)
        y = targets(rng, "CrossEntropyLoss", shape)
        z = targets(rng, "MSELoss", shape)
        yield f"cross entropy {shape}", cross_entropies(v, y)
        yield f"squared error {shape}", squared_errors(v, z)
    identity = nn.Identity()
    yield (
        "a call of a Module",
        {"gradloom": lambda: identity(x), "composed": lambda: identity.forward(x)},
    )


def main():
    chosen = _timing.arguments(__doc__.splitlines()[0])
    about = _timing.header("torch")
    torch = _timing.optional("torch")
    results = {}
    for group in (networks, layers, fused):
        rows = {}
        for label, rivals in group(torch, np.random.default_rng(0)):
            rows[label] = _timing.compare(rivals, chosen.repeats, 1 if chosen.smoke else None)
        _timing.table(group.__name__, rows, "gradloom")
        results[group.__name__] = rows
    _timing.emit("layers", results, about, chosen.json)


if __name__ == "__main__":
    main()
