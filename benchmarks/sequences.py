"""Recurrent layers, attention and CTC, forward and backward, beside PyTorch on one CPU thread.

    OMP_NUM_THREADS=1 python benchmarks/sequences.py [--smoke]

All is float32; times are microseconds per forward and backward pass, with gradients of the input
and of all parameters. "cells" is the same layer as a loop over its cell.
"""

import _timing
import numpy as np

import nn
from autograd import Variable

RECURRENT = {
    "LSTM T=64 N=32 H=128": ("LSTM", (64, 32, 128), 128),
    "GRU T=64 N=32 H=128": ("GRU", (64, 32, 128), 128),
    "RNN T=64 N=32 H=128": ("RNN", (64, 32, 128), 128),
    "LSTM T=20 N=4 H=16": ("LSTM", (20, 4, 16), 16),
}


def backward(call, x, parameters, g):
    """Return a function that runs forward and backward passes."""

    def step():
        x.grad = None
        for p in parameters:
            p.grad = None
        out = call(x)
        (out[0] if isinstance(out, tuple) else out).backward(g)

    return step


def pair(torch, ours, theirs, x, g):
    """Return the rivals for a module of ours and one of PyTorch."""
    v = Variable(x, requires_grad=True)
    rivals = {"gradloom": backward(ours, v, list(ours.parameters()), g)}
    if torch:
        t = torch.tensor(x, requires_grad=True)
        rivals["torch"] = backward(theirs, t, list(theirs.parameters()), torch.tensor(g))
    return rivals


def by_steps(layer):
    """Return the same layer as a loop over its cell."""
    mode, weights = layer.mode, layer.all_weights[0]

    def run(x):
        state, out = None, []
        for t in range(x.shape[0]):
            state = nn.functional.recurrent_cell(mode, x[t], state, *weights)
            out.append(state[0] if isinstance(state, tuple) else state)
        return np.stack(out)

    return run


def recurrent(torch, rng):
    for label, (kind, shape, hidden) in RECURRENT.items():
        x = rng.normal(size=shape).astype(np.float32)
        g = np.ones((*shape[:2], hidden), np.float32)
        ours = getattr(nn, kind)(shape[2], hidden)
        theirs = getattr(torch.nn, kind)(shape[2], hidden) if torch else None
        rivals = pair(torch, ours, theirs, x, g)
        v = Variable(x, requires_grad=True)
        rivals["cells"] = backward(by_steps(ours), v, list(ours.parameters()), g)
        yield label, rivals


def attention(torch, rng):
    for steps, batch, width, heads in ((64, 32, 96, 4), (256, 4, 128, 8)):
        x = rng.normal(size=(batch, steps, width)).astype(np.float32)
        g = np.ones_like(x)
        made = [
            library.TransformerEncoderLayer(width, heads, 4 * width, 0.0, batch_first=True)
            for library in (nn, torch and torch.nn)
            if library
        ]
        yield f"encoder layer T={steps} N={batch} E={width}", pair(torch, made[0], made[-1], x, g)

        q = Variable(x.reshape(batch, steps, heads, -1).swapaxes(1, 2).copy(), requires_grad=True)
        attend = nn.functional.scaled_dot_product_attention
        g = np.ones(q.shape, np.float32)
        rivals = {
            "gradloom": backward(lambda x, a=attend: a(x, x, x, is_causal=True), q, [], g),
        }
        if torch:
            t = torch.tensor(q.data, requires_grad=True)
            other = torch.nn.functional.scaled_dot_product_attention
            rivals["torch"] = backward(
                lambda x, a=other: a(x, x, x, is_causal=True), t, [], torch.tensor(g)
            )
        yield f"causal attention T={steps} N={batch} E={width}", rivals


def ctc(torch, rng):
    steps, batch, classes, labels = 100, 16, 30, 20
    x = rng.normal(size=(steps, batch, classes)).astype(np.float32)
    targets = rng.integers(1, classes, (batch, labels))
    lengths = np.full(batch, steps), np.full(batch, labels)
    g = np.ones((), np.float32)
    v = Variable(x, requires_grad=True)

    def ours(x):
        return nn.functional.ctc_loss(nn.functional.log_softmax(x, -1), targets, *lengths)

    rivals = {"gradloom": backward(ours, v, [], g)}
    if torch:
        t = torch.tensor(x, requires_grad=True)
        tensors = [torch.tensor(a) for a in (targets, *lengths)]

        def theirs(x):
            return torch.nn.functional.ctc_loss(x.log_softmax(-1), *tensors)

        rivals["torch"] = backward(theirs, t, [], torch.tensor(g))
    yield f"CTC T={steps} N={batch} C={classes}", rivals


def main():
    chosen = _timing.arguments(__doc__.splitlines()[0])
    about = _timing.header("torch")
    torch = _timing.optional("torch")
    results = {}
    for group in (recurrent, attention, ctc):
        rows = {}
        for label, rivals in group(torch, np.random.default_rng(0)):
            rows[label] = _timing.compare(rivals, chosen.repeats, 1 if chosen.smoke else None)
        _timing.table(group.__name__, rows, "gradloom")
        results[group.__name__] = rows
    _timing.emit("sequences", results, about, chosen.json)


if __name__ == "__main__":
    main()
