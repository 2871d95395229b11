# ruff: noqa: ARG005 - one signature for all calls of a table
"""What `compare.py` measures: each workload once, for every library that takes part in it.

Run by `compare.py` in each library's own environment, as `python _workloads.py LIBRARY WORKLOAD
[--smoke]`: builds the workload, answers one line of JSON with the numbers it computes and the peak
of its memory, then for each line of input (seconds per case) a line with the fastest time of each
case. gradloom and PyTorch share the text of a workload, because their layers have the same names.

Nothing here imports a library at the top: no environment has all of them.
"""

import importlib
import itertools
import json
import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

WORKLOADS = {}


class Case(NamedTuple):
    """One thing that is timed, and the numbers by which all libraries are seen to do the same."""

    step: Callable
    numbers: Callable


def workload(name, *libraries):
    """Register how some libraries do a workload: `build(lib, smoke)` returns cases by name."""

    def register(build):
        for library in libraries:
            WORKLOADS.setdefault(name, {})[library] = build
        return build

    return register


# -- what gradloom and PyTorch call the same -------------------------------------------------------


def load(library):
    """Return a library's namespaces, and what it calls differently."""
    if library == "torch":
        import torch

        torch.set_num_threads(1)
        return SimpleNamespace(
            np=torch, nn=torch.nn, F=torch.nn.functional, optim=torch.optim,
            data=torch.utils.data, dataset=torch.utils.data.TensorDataset,
            constant=torch.tensor, leaf=lambda a: torch.tensor(a, requires_grad=True),
            detached=lambda t: t.detach().numpy(),
        )  # fmt: skip
    import autograd
    import nn
    import optim

    if library == "gradloom, memory kept":
        autograd.keep_memory()
    if library == "gradloom, numba":
        autograd.use_kernels("numba")
    return SimpleNamespace(
        np=autograd, nn=nn, F=nn.functional, optim=optim, data=nn, dataset=nn.ArrayDataset,
        constant=lambda a: a, leaf=lambda a: autograd.Variable(a, requires_grad=True),
        detached=lambda v: v.data if isinstance(v, autograd.Variable) else np.asarray(v),
    )  # fmt: skip


BOTH = ("gradloom", "gradloom, memory kept", "gradloom, numba", "torch")


def total(a):
    """Return numbers that depend on all elements of an array, and on their order."""
    a = np.asarray(a, np.float64).ravel()
    return [float(np.abs(a).sum()), float(a @ np.cos(np.arange(a.size)) / math.sqrt(a.size or 1))]


def fill(lib, model):
    """Give the parameters of a model numbers that are the same in all libraries."""
    rng = np.random.default_rng(1)
    for _, parameter in sorted(model.named_parameters()):
        shape = tuple(parameter.shape)
        fan_in = math.prod(shape[1:]) or 1
        a = rng.normal(size=shape) / math.sqrt(fan_in) * (1.0 if len(shape) > 1 else 0.1)
        parameter.data = lib.constant(a.astype(np.float32))


def training(lib, model, loss, x, y, optimizer=None):
    """Return a training step; without an optimizer only the passes."""
    fill(lib, model)
    x, y = lib.constant(x), lib.constant(y)
    parameters = [p for _, p in sorted(model.named_parameters())]
    optimizer = optimizer and optimizer(parameters)

    def step():
        for p in parameters:
            p.grad = None
        value = loss(model(x), y)
        value.backward()
        if optimizer is not None:
            optimizer.step()
        return value

    def numbers():
        value = float(lib.detached(step()))
        return [value, *(n for p in parameters for n in total(lib.detached(p.grad)))]

    return {"": Case(step, numbers)}


def differentiated(lib, function, *arrays):
    """Return forward and backward passes of `function`, with a cotangent of ones."""
    leaves = [lib.leaf(a) for a in arrays]
    ones = lib.constant(np.ones_like(lib.detached(function(*leaves))))

    def step():
        for leaf in leaves:
            leaf.grad = None
        out = function(*leaves)
        out.backward(ones)
        return out

    def numbers():
        out, grads = lib.detached(step()), [leaf.grad for leaf in leaves]
        return [*total(out), *(n for g in grads if g is not None for n in total(lib.detached(g)))]

    return Case(step, numbers)


# -- scalars and small arrays ----------------------------------------------------------------------


def _scalar_network(value, relu, smoke):
    """Build the demonstration of micrograd, number by number: 2-16-16-1, hinge loss."""
    rng = np.random.default_rng(0)
    sizes = [(2, 4), (4, 1)] if smoke else [(2, 16), (16, 16), (16, 1)]
    layers = [
        [([value(w) for w in rng.normal(size=fan_in)], value(0.1)) for _ in range(fan_out)]
        for fan_in, fan_out in sizes
    ]
    parameters = [p for layer in layers for weights, bias in layer for p in (*weights, bias)]
    points = rng.normal(size=(3 if smoke else 20, 2)).tolist()

    def forward():
        loss = value(0.0)
        for point in points:
            row = point
            for layer in layers:
                outs = []
                for weights, bias in layer:
                    out = bias
                    for w, x in zip(weights, row, strict=True):
                        out = out + w * x
                    outs.append(relu(out) if layer is not layers[-1] else out)
                row = outs
            loss = loss + relu(1.0 - row[0] * (1.0 if point[0] > 0 else -1.0))
        return loss

    return parameters, forward


@workload("scalar MLP", "gradloom", "torch", "micrograd")
def scalar_mlp(library, smoke):
    if library == "micrograd":
        from micrograd.engine import Value

        parameters, forward = _scalar_network(Value, Value.relu, smoke)
    else:
        lib = load(library)
        relu = lib.F.relu
        parameters, forward = _scalar_network(lambda v: lib.leaf(np.float64(v)), relu, smoke)

    def step():
        for p in parameters:
            p.grad = 0.0 if library == "micrograd" else None
        loss = forward()
        loss.backward()
        return loss

    def numbers():
        value = step()
        grads = [0.0 if p.grad is None else float(p.grad) for p in parameters]
        return [float(getattr(value, "data", value)), *total(grads)]

    return {"": Case(step, numbers)}


FACTOR = np.linspace(0.9, 1.1, 8)


def _small(m, y, length):
    """600 operations of which none is worth its call."""
    for _ in range(length):
        y = m.tanh(m.sin(y * FACTOR_IN[m.__name__] + 0.1) * y + y)
    return y


FACTOR_IN = {}


@workload("600 small operations", "gradloom", "torch", "hips", "mygrad", "numpy")
def small_operations(library, smoke):
    length, start, ones = 2 if smoke else 100, np.linspace(0.1, 1.0, 8), np.ones(8)
    if library == "hips":
        import autograd.numpy as anp
        from autograd import make_vjp

        FACTOR_IN[anp.__name__] = FACTOR

        def step():
            pull, out = make_vjp(lambda x: _small(anp, x, length))(start)
            return out, pull(ones)

        return {"": Case(step, lambda: [n for a in step() for n in total(a)])}
    if library == "numpy":
        FACTOR_IN["numpy"] = FACTOR
        return {"": Case(*[lambda: _small_by_hand(start, length)] * 2)}
    if library == "mygrad":
        import mygrad

        FACTOR_IN[mygrad.__name__] = FACTOR

        def step():
            x = mygrad.tensor(start)
            out = _small(mygrad, x, length)
            out.backward(ones)
            return out.data, x.grad

        return {"": Case(step, lambda: [n for a in step() for n in total(a)])}
    lib = load(library)
    FACTOR_IN[lib.np.__name__] = lib.constant(FACTOR)
    return {"": differentiated(lib, lambda x: _small(lib.np, x, length), start)}


def _small_by_hand(x, length):
    saved = []
    for _ in range(length):
        inner = x * FACTOR + 0.1
        out = np.tanh(np.sin(inner) * x + x)
        saved.append((x, inner, out))
        x = out
    g = np.ones(8)
    for x0, inner, out in reversed(saved):
        g = g * (1 - out * out)
        g = g * (np.sin(inner) + 1 + x0 * np.cos(inner) * FACTOR)
    return [*total(x), *total(g)]


# -- the sweep -------------------------------------------------------------------------------------

SWEEP = {
    "add": lambda m, F, x, y: x + y,
    "multiply": lambda m, F, x, y: x * y,
    "multiply row": lambda m, F, x, y: x * y[0],
    "divide": lambda m, F, x, y: x / y,
    "power": lambda m, F, x, y: x**3,
    "exp": lambda m, F, x, y: m.exp(x),
    "log": lambda m, F, x, y: m.log(y),
    "sqrt": lambda m, F, x, y: m.sqrt(y),
    "sin": lambda m, F, x, y: m.sin(x),
    "tanh": lambda m, F, x, y: m.tanh(x),
    "abs": lambda m, F, x, y: m.abs(x),
    "maximum": lambda m, F, x, y: m.maximum(x, y),
    "where": lambda m, F, x, y: m.where(x > 0, x, y),
    "sum": lambda m, F, x, y: m.sum(x, 1),
    "mean": lambda m, F, x, y: m.mean(x, 1),
    "largest": lambda m, F, x, y: m.amax(x, 1),
    "cumsum": lambda m, F, x, y: m.cumsum(x, 1),
    "transpose, add": lambda m, F, x, y: x.T + y.T,
    "slice": lambda m, F, x, y: x[1:],
    "concatenate": lambda m, F, x, y: m.concatenate([x, y, x, y], 1),
    "matmul": lambda m, F, x, y: x @ y.T[:, :8],
    "relu": lambda m, F, x, y: F.relu(x),
    "sigmoid": lambda m, F, x, y: F.sigmoid(x),
    "gelu": lambda m, F, x, y: F.gelu(x),
    "softmax": lambda m, F, x, y: F.softmax(x, -1),
    "log_softmax": lambda m, F, x, y: F.log_softmax(x, -1),
    "layer_norm": lambda m, F, x, y: F.layer_norm(x, x.shape[-1:], y[0], y[1]),
}
SIZES = {"10": (2, 5), "1e3": (20, 50), "1e5": (200, 500), "1e6": (1250, 800)}
# Row by row, at a size as in large language models.
ROWS = ("softmax", "log_softmax", "layer_norm", "gelu", "cross_entropy", "rms_norm")


def _operands(shape, dtype):
    rng = np.random.default_rng(0)
    return rng.normal(size=shape).astype(dtype), rng.uniform(0.5, 2, size=shape).astype(dtype)


@workload("sweep", *BOTH)
def sweep(library, smoke):
    lib, cases = load(library), {}
    for size, shape in list(SIZES.items())[: 2 if smoke else None]:
        for dtype in ("float32", "float64"):
            x, y = _operands(shape, dtype)
            for name, call in SWEEP.items():
                cases[f"{size} {dtype} {name}"] = differentiated(
                    lib, lambda x, y, call=call: call(lib.np, lib.F, x, y), x, y
                )
    return cases


@workload("rows", *BOTH)
def rows(library, smoke):
    lib, shape = load(library), (8, 16) if smoke else (4096, 768)
    x, y = _operands(shape, np.float32)
    target = lib.constant(np.random.default_rng(0).integers(0, shape[1], shape[0]))
    calls = SWEEP | {
        "cross_entropy": lambda m, F, x, y: F.cross_entropy(x, target) + 0.0 * y[0, 0],
        "rms_norm": lambda m, F, x, y: F.rms_norm(x, x.shape[-1:], y[0]),
    }
    return {
        name: differentiated(lib, lambda x, y, call=calls[name]: call(lib.np, lib.F, x, y), x, y)
        for name in ROWS
    }


# -- networks --------------------------------------------------------------------------------------


@workload("FizzBuzz step", "gradloom", "torch", "hips", "numpy")
def fizzbuzz(library, smoke):  # noqa: ARG001 - it is small
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (32, 10)).astype(np.float32)
    y = rng.integers(0, 4, 32)
    if library in ("hips", "numpy"):
        return _fizzbuzz_by_hand(library, x, y)
    lib = load(library)
    model = lib.nn.Sequential(lib.nn.Linear(10, 50), lib.nn.Tanh(), lib.nn.Linear(50, 4))
    descent = lambda p: lib.optim.SGD(p, lr=1e-6)
    return training(lib, model, lib.nn.CrossEntropyLoss(), x, y, descent)


def _fizzbuzz_by_hand(library, x, y):
    """Draw the same parameters; differentiate by HIPS autograd, or by hand."""
    rng = np.random.default_rng(1)
    order = {"0.bias": (50,), "0.weight": (50, 10), "2.bias": (4,), "2.weight": (4, 50)}
    scale = {n: 0.1 if len(s) == 1 else 1 / math.sqrt(s[1]) for n, s in order.items()}
    drawn = [(rng.normal(size=s) * scale[n]).astype(np.float32) for n, s in order.items()]
    b1, w1, b2, w2 = drawn
    rows = np.arange(32)
    if library == "hips":
        import autograd.numpy as anp
        from autograd import value_and_grad

        def loss(parameters):
            b1, w1, b2, w2 = parameters
            z = anp.dot(anp.tanh(anp.dot(x, w1.T) + b1), w2.T) + b2
            z = z - anp.max(z, axis=1, keepdims=True)
            return -anp.mean(z[rows, y] - anp.log(anp.sum(anp.exp(z), axis=1)))

        slope = value_and_grad(loss)

        def step():
            value, grads = slope(drawn)
            for p, g in zip(drawn, grads, strict=True):
                p -= np.float32(1e-6) * g
            return value, grads
    else:

        def step():
            h = np.tanh(x @ w1.T + b1)
            z = h @ w2.T + b2
            p = np.exp(z - z.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            value = -np.log(p[rows, y]).mean()
            p[rows, y] -= 1
            p /= 32
            gh = (p @ w2) * (1 - h * h)
            return value, [gh.sum(0), gh.T @ x, p.sum(0), p.T @ h]

    def numbers():
        value, grads = step()
        return [float(value), *(n for g in grads for n in total(g))]

    return {"": Case(step, numbers)}


@workload("MLP 784-512-512-10, Adam", *BOTH, "jax", "tinygrad")
def mlp(library, smoke):
    sizes, batch = ((8, 6, 6, 3), 4) if smoke else ((784, 512, 512, 10), 128)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, sizes[0])).astype(np.float32)
    y = rng.integers(0, sizes[-1], batch)
    if library == "jax":
        return _mlp_in_jax(sizes, x, y)
    if library == "tinygrad":
        return _mlp_in_tinygrad(sizes, x, y)
    lib = load(library)
    layers = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [lib.nn.Linear(fan_in, fan_out), lib.nn.ReLU()]
    model = lib.nn.Sequential(*layers[:-1])
    adam = lambda p: lib.optim.Adam(p, lr=1e-6)
    return training(lib, model, lib.nn.CrossEntropyLoss(), x, y, adam)


def _mlp_parameters(sizes):
    """Return the parameters that `fill` draws, by the names of the layers."""
    shapes = {}
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        shapes |= {f"{2 * i}.weight": (fan_out, fan_in), f"{2 * i}.bias": (fan_out,)}
    rng = np.random.default_rng(1)
    drawn = {}
    for name, shape in sorted(shapes.items()):
        scale = 0.1 if len(shape) == 1 else 1 / math.sqrt(shape[1])
        drawn[name] = (rng.normal(size=shape) * scale).astype(np.float32)
    return drawn


def _mlp_in_jax(sizes, x, y):
    import jax
    import jax.numpy as jnp

    parameters = {name: jnp.asarray(a) for name, a in _mlp_parameters(sizes).items()}
    count = len(sizes) - 1

    def loss(parameters):
        h = x
        for i in range(count):
            h = h @ parameters[f"{2 * i}.weight"].T + parameters[f"{2 * i}.bias"]
            h = jax.nn.relu(h) if i < count - 1 else h
        return -jnp.mean(jax.nn.log_softmax(h)[jnp.arange(len(y)), y])

    @jax.jit
    def step_of(parameters, m, v, t):
        value, grads = jax.value_and_grad(loss)(parameters)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
        change = lambda p, m, v: (
            p - 1e-6 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
        )
        return value, grads, jax.tree.map(change, parameters, m, v), m, v

    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = [parameters, zeros, zeros, 0.0]

    def step():
        state[3] += 1.0
        value, grads, *state[:3] = step_of(*state)
        jax.block_until_ready(state[0])
        return value, grads

    def numbers():
        value, grads = step()
        return [float(value), *(n for name in sorted(grads) for n in total(grads[name]))]

    return {"": Case(step, numbers)}


def _mlp_in_tinygrad(sizes, x, y):
    from tinygrad import Tensor, TinyJit
    from tinygrad.nn.optim import Adam

    drawn = {n: Tensor(a).is_param_() for n, a in _mlp_parameters(sizes).items()}
    x, y = Tensor(x), Tensor(y.astype(np.int32))
    optimizer, count = Adam(list(drawn.values()), lr=1e-6), len(sizes) - 1
    Tensor.training = True

    def forward():
        h = x
        for i in range(count):
            h = h.linear(drawn[f"{2 * i}.weight"].T, drawn[f"{2 * i}.bias"])
            h = h.relu() if i < count - 1 else h
        return h.sparse_categorical_crossentropy(y)

    @TinyJit
    def jitted():
        optimizer.zero_grad()
        value = forward().backward()
        return value.realize(*optimizer.schedule_step())

    def numbers():
        value = forward().backward()
        grads = [drawn[n].grad.numpy() for n in sorted(drawn)]
        optimizer.zero_grad()
        return [value.item(), *(n for g in grads for n in total(g))]

    return {"": Case(lambda: jitted().item(), numbers)}


@workload("LeNet, batch 64", *BOTH)
def lenet(library, smoke):
    lib, batch = load(library), 2 if smoke else 64
    rng, nn = np.random.default_rng(0), lib.nn
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    x = rng.normal(size=(batch, 1, 28, 28)).astype(np.float32)
    y = rng.integers(0, 10, batch)
    descent = lambda p: lib.optim.SGD(p, lr=1e-6)
    return training(lib, model, nn.CrossEntropyLoss(), x, y, descent)


@workload("residual block", *BOTH)
def residual(library, smoke):
    lib, (batch, channels, side) = load(library), (2, 3, 5) if smoke else (16, 32, 32)
    nn = lib.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(channels)
            self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(channels)

        def forward(self, x):
            y = lib.F.relu(self.bn1(self.conv1(x)))
            return lib.F.relu(self.bn2(self.conv2(y)) + x)

    x = np.random.default_rng(0).normal(size=(batch, channels, side, side)).astype(np.float32)
    y = np.ones_like(x)
    return training(lib, Block(), nn.MSELoss(), x, y)


def _gpt(lib, width, heads, layers, context, words):
    nn, F = lib.nn, lib.F

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attn, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )

        def forward(self, x):
            n, t, _ = x.shape
            joined = self.attn(self.ln_1(x)).reshape((n, t, 3, heads, width // heads))
            q, k, v = (joined[:, :, i].swapaxes(1, 2) for i in range(3))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(y.swapaxes(1, 2).reshape((n, t, width)))
            return x + self.mlp(self.ln_2(x))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places = nn.Embedding(words, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(Block() for _ in range(layers)))
            self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)

        def forward(self, tokens):
            places = lib.constant(np.arange(tokens.shape[1]))
            x = self.blocks(self.words(tokens) + self.places(places))
            return self.head(self.ln(x)).reshape((-1, words))

    return GPT()


def _gpt_step(library, smoke, width, heads, layers, context, batch):
    if smoke:
        width, heads, layers, context, batch = 8, 2, 1, 4, 2
    lib, words = load(library), 65
    tokens = np.random.default_rng(0).integers(0, words, (batch, context + 1))
    model = _gpt(lib, width, heads, layers, context, words)
    adam = lambda p: lib.optim.AdamW(p, lr=1e-6)
    return training(
        lib, model, lib.nn.CrossEntropyLoss(), tokens[:, :-1], tokens[:, 1:].reshape(-1), adam
    )


@workload("GPT, width 128", *BOTH)
def gpt_128(library, smoke):
    return _gpt_step(library, smoke, 128, 4, 4, 64, 16)


@workload("GPT, width 512", *BOTH)
def gpt_512(library, smoke):
    return _gpt_step(library, smoke, 512, 8, 2, 128, 4)


@workload("LSTM, 64 steps", *BOTH)
def lstm(library, smoke):
    steps, batch, width = (3, 2, 4) if smoke else (64, 32, 128)
    lib = load(library)
    nn = lib.nn

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = nn.LSTM(width // 2, width), nn.Linear(width, 10)

        def forward(self, x):
            out, _ = self.lstm(x)
            return self.head(out[-1])

    rng = np.random.default_rng(0)
    x = rng.normal(size=(steps, batch, width // 2)).astype(np.float32)
    return training(lib, Last(), nn.CrossEntropyLoss(), x, rng.integers(0, 10, batch))


# -- large arrays, long chains ---------------------------------------------------------------------


def _wave(m, x):
    return (m.sin(x) * m.exp(-x * x) + m.tanh(x) / (1.0 + x * x)).sum()


@workload("elementwise on 1e6", *BOTH, "hips", "mygrad", "jax", "numpy")
def elementwise_big(library, smoke):
    x = np.random.default_rng(0).normal(size=100 if smoke else 10**6)
    if library == "hips":
        import autograd.numpy as anp
        from autograd import value_and_grad

        step_of = value_and_grad(lambda x: _wave(anp, x))
        return {"": Case(*_of(lambda: step_of(x)))}
    if library == "mygrad":
        import mygrad

        def step():
            leaf = mygrad.tensor(x)
            out = _wave(mygrad, leaf)
            out.backward()
            return out.data, leaf.grad

        return {"": Case(*_of(step))}
    if library == "jax":
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        step_of, start = jax.jit(jax.value_and_grad(lambda x: _wave(jnp, x))), jnp.asarray(x)
        return {"": Case(*_of(lambda: jax.block_until_ready(step_of(start))))}
    if library == "numpy":

        def by_hand():
            e, t, d = np.exp(-x * x), np.tanh(x), 1.0 + x * x
            g = np.cos(x) * e - 2 * x * np.sin(x) * e + (1 - t * t) / d - 2 * x * t / (d * d)
            return (np.sin(x) * e + t / d).sum(), g

        return {"": Case(*_of(by_hand))}
    lib = load(library)
    return {"": differentiated(lib, lambda x: _wave(lib.np, x), x)}


def _of(step):
    return step, lambda: [n for a in step() for n in total(a)]


def _chain(library, length):
    """Compute y b + c again and again, on one number."""
    if library == "hips":
        from autograd import value_and_grad

        def run(b):
            y = b
            for _ in range(length // 2):
                y = y * b + 0.1
            return y

        step_of = value_and_grad(run)
        return {"": Case(*_of(lambda: step_of(0.9)))}
    lib = load(library)

    def run(b):
        y = b
        for _ in range(length // 2):
            y = y * b + 0.1
        return y

    return {"": differentiated(lib, run, np.float64(0.9))}


@workload("chain of 1e5", "gradloom", "torch", "hips")
def chain_short(library, smoke):
    return _chain(library, 100 if smoke else 10**5)


@workload("chain of 1e6", "gradloom", "torch")
def chain_long(library, smoke):
    return _chain(library, 100 if smoke else 10**6)


def _rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


@workload("Hessian, 100 inputs", "gradloom", "torch", "jax", "hips", "numpy")
def hessian(library, smoke):
    x = np.linspace(-1.0, 1.0, 5 if smoke else 100)
    if library == "torch":
        import torch

        torch.set_num_threads(1)
        start, step_of = torch.tensor(x), torch.func.hessian(_rosenbrock)
        return {"": Case(lambda: step_of(start), lambda: total(step_of(start).numpy()))}
    if library == "jax":
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        step_of, start = jax.jit(jax.hessian(_rosenbrock)), jnp.asarray(x)
        step = lambda: step_of(start).block_until_ready()
        return {"": Case(step, lambda: total(step()))}
    if library == "numpy":

        def by_hand():
            h = np.zeros((x.size, x.size))
            i = np.arange(x.size - 1)
            h[i, i] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
            h[i + 1, i + 1] += 200
            h[i, i + 1] = h[i + 1, i] = -400 * x[:-1]
            return h

        return {"": Case(by_hand, lambda: total(by_hand()))}
    autograd = importlib.import_module("autograd")  # ours, or that of HIPS
    step = autograd.hessian(_rosenbrock)
    return {"": Case(lambda: step(x), lambda: total(step(x)))}


# -- around the gradient ---------------------------------------------------------------------------


@workload("optimizer steps", "gradloom", "gradloom, numba", "torch")
def optimizer_steps(library, smoke):
    lib, cases = load(library), {}
    shapes = {"1e4": [(20, 25)] * 20, "1e6": [(1000, 1000)], "1e7": [(2500, 4000)]}
    for size, parameters in list(shapes.items())[: 1 if smoke else None]:
        for name, options in {"SGD": {"momentum": 0.9}, "Adam": {}, "AdamW": {}}.items():
            cases[f"{name} {size}"] = _optimizer_step(lib, name, options, parameters)
    return cases


def _optimizer_step(lib, name, options, shapes):
    rng = np.random.default_rng(0)
    leaves = [lib.leaf(rng.normal(size=s).astype(np.float32)) for s in shapes]
    for leaf in leaves:
        leaf.grad = lib.constant(rng.normal(size=leaf.shape).astype(np.float32))
    optimizer = getattr(lib.optim, name)(leaves, lr=1e-3, **options)

    def numbers():
        optimizer.step()
        return [n for leaf in leaves for n in total(lib.detached(leaf))]

    return Case(optimizer.step, numbers)


@workload("data loading", "gradloom", "torch")
def data_loading(library, smoke):
    lib = load(library)
    x = np.random.default_rng(0).normal(size=(128 if smoke else 10_000, 784)).astype(np.float32)
    data = lib.dataset(lib.constant(x), lib.constant(np.arange(len(x))))
    loader = lib.data.DataLoader(data, batch_size=64, shuffle=True)

    def step():
        for _ in loader:
            pass

    def numbers():
        batches = [(np.asarray(a, np.float64).sum(), float(b.sum())) for a, b in loader]
        return [float(sum(n)) for n in zip(*batches, strict=True)]

    return {"": Case(step, numbers)}


def _stack(library, smoke, *, checkpointed):
    lib, (layers, batch, width) = load(library), (4, 2, 3) if smoke else (48, 256, 256)
    rng = np.random.default_rng(0)
    draw = lambda: lib.leaf((rng.normal(size=(width, width)) / width**0.5).astype(np.float32))
    weights = [draw() for _ in range(layers)]
    x = lib.constant(rng.normal(size=(batch, width)).astype(np.float32))

    def segment(x, *weights):
        for w in weights:
            x = lib.np.tanh(x @ w)
        return x

    run = segment
    if checkpointed and library == "torch":
        from torch.utils.checkpoint import checkpoint

        run = lambda *args: checkpoint(segment, *args, use_reentrant=False)
    elif checkpointed:
        run = lib.np.checkpoint(segment)
    length = round(layers**0.5)

    def step():
        for w in weights:
            w.grad = None
        y = x
        for i in range(0, layers, length):
            y = run(y, *weights[i : i + length])
        loss = (y * y).mean()
        loss.backward()
        return loss

    def numbers():
        value = float(lib.detached(step()))
        return [value, *(n for w in weights for n in total(lib.detached(w.grad)))]

    return {"": Case(step, numbers)}


@workload("48 layers", "gradloom", "torch")
def layers(library, smoke):
    return _stack(library, smoke, checkpointed=False)


@workload("48 layers, checkpointed", "gradloom", "torch")
def layers_checkpointed(library, smoke):
    return _stack(library, smoke, checkpointed=True)


# -- the process -----------------------------------------------------------------------------------


def _resident(field):
    """Return bytes of this process: VmRSS now, VmHWM at most since `_forget_peak`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0


def peak_of(step):
    """Return the bytes by which memory rises during three steps; None where nobody counts them."""
    try:
        before = _resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    for _ in range(3):
        step()
    return _resident("VmHWM") - before


def fastest(step, seconds):
    """Return seconds of this process per call: the fastest of the calls that fit in a time.

    The processor's time, not the clock's, because others may use the core in between.
    """
    best, number, calls, end = math.inf, 1, 0, time.process_time() + seconds
    while calls < 3 or time.process_time() < end:
        start = time.process_time()
        for _ in range(number):
            step()
        elapsed = time.process_time() - start
        best, calls = min(best, elapsed / number), calls + number
        if elapsed > seconds:
            break
        if elapsed < 1e-3:
            number *= 4
    return best


def main():
    library, name, *rest = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):  # one core, the same for all
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cases = WORKLOADS[name][library](library, "--smoke" in rest)
    peak = peak_of(next(iter(cases.values())).step) if len(cases) == 1 else None
    built = {"numbers": {case: list(map(float, c.numbers())) for case, c in cases.items()}}
    print(json.dumps(built | {"peak": peak}), flush=True)
    for line in sys.stdin:
        times = {case: fastest(c.step, float(line)) for case, c in cases.items()}
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
