"""Fit a sine: initial values, weight decay, reductions of a loss.

100 noisy points of 2 sin(x) on [-pi, pi], a 1-16-64-16-1 network with ReLU, gradient descent with
momentum on batches of 4. The same network is trained from different initial weights: where they
are drawn from a normal distribution of width 0.01, each layer shrinks its signal until next to
nothing depends on x, and training does not get anywhere; where the width suits the size of the
layer (Xavier, uniform by the number of inputs, orthogonal), it does.

    python sine.py                            # all initialisers; draws sine.png
    python sine.py --penalty l1 --strength 1e-4
    python sine.py --reduction sum
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np

import autograd
import nn
import optim

NOISE = 0.2


def make_points(seed=0):
    """Return x and noisy 2 sin(x), both of shape (100, 1) and dtype float32."""
    rng = np.random.default_rng(seed)
    x = np.linspace(-np.pi, np.pi, 100)[:, np.newaxis]
    y = 2 * np.sin(x) + rng.normal(scale=NOISE, size=x.shape)
    return x.astype(np.float32), y.astype(np.float32)


def narrow(weight, rng):
    """Draw from Normal(0, 0.01), whatever the size of the layer."""
    nn.init.normal_(weight, mean=0.0, std=0.01, generator=rng)


def xavier(weight, rng):
    """Draw with variance 2 / (inputs + outputs)."""
    nn.init.xavier_normal_(weight, generator=rng)


def uniform(weight, rng):
    """Draw from [-b, b) with b = 1 / sqrt(inputs): what `nn.Linear` does unasked."""
    bound = weight.shape[1] ** -0.5
    nn.init.uniform_(weight, -bound, bound, generator=rng)


def orthogonal(weight, rng):
    """Draw a matrix with orthonormal rows or columns, which keeps lengths."""
    nn.init.orthogonal_(weight, generator=rng)


INITIALISERS = {
    "Normal(0, 0.01)": narrow,
    "Xavier": xavier,
    "uniform": uniform,
    "orthogonal": orthogonal,
}


def make_model(initialise, seed=1):
    """Return the 1-16-64-16-1 network; biases start from 0."""
    sizes = (1, 16, 64, 16, 1)
    rng = autograd.new_generator(seed)
    model = nn.Sequential()
    for inputs, outputs in pairwise(sizes):
        layer = nn.Linear(inputs, outputs)
        initialise(layer.weight, rng)
        nn.init.zeros_(layer.bias)
        model.append(layer)
        if outputs > 1:
            model.append(nn.ReLU())
    return model


def make_optimizer(model, penalty, strength, lr=0.01):
    """Return momentum SGD with an L1, an L2 or no penalty on the size of the weights.

    L2 adds strength * w to each gradient, which shrinks large weights most; L1 adds
    strength * sign(w), which pulls small weights to zero.
    """
    decay = {"l1": {"weight_decay_l1": strength}, "l2": {"weight_decay": strength}, "none": {}}
    return optim.SGD(model.parameters(), lr=lr, momentum=0.9, **decay[penalty])


def train(model, x, y, *, epochs, penalty="l2", strength=1e-4, reduction="mean"):
    """Train on batches of 4; return the mean squared error of each epoch."""
    loader = nn.DataLoader(
        nn.ArrayDataset(x, y), batch_size=4, shuffle=True, drop_last=True, generator=0
    )
    optimizer = make_optimizer(model, penalty, strength)
    criterion = nn.MSELoss(reduction=reduction)
    losses = []
    for _ in range(epochs):
        errors = []
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            # backward starts from one number. "mean" is one already; "none" keeps an error per
            # point and "sum" adds them up: dividing by their number makes the same step.
            if reduction == "none":
                loss = loss.mean()
            elif reduction == "sum":
                loss = loss / targets.size
            loss.backward()
            optimizer.step()
            errors.append(loss.item())
        losses.append(float(np.mean(errors)))
    return losses


def compare_reductions(model, x, y):
    """Return the gradient of the first weight for each reduction, by name."""
    gradients = {}
    for reduction in ("mean", "none", "sum"):
        model.zero_grad()
        loss = nn.MSELoss(reduction=reduction)(model(x), y)
        if reduction == "none":
            assert loss.shape == y.shape
            loss.backward(np.full(y.shape, 1 / y.size, dtype=y.dtype))
        else:
            loss.backward()
        gradients[reduction] = model[0].weight.grad
    model.zero_grad()
    return gradients


def print_weights(model):
    for name, parameter in model.named_parameters():
        values = np.array2string(
            parameter.data.ravel(), precision=3, suppress_small=True, threshold=10
        )
        print(f"  {name:8} {parameter.shape!s:9} {values}")


def fitted(model, x):
    with autograd.no_grad():
        return np.asarray(model(x))


def draw(models, x, y, path):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    axes.scatter(x, y, s=12, color="gray", label="data")
    axes.plot(x, 2 * np.sin(x), "k:", label="2 sin x")
    for name, model in models.items():
        axes.plot(x, fitted(model, x), label=name)
    axes.legend()
    axes.figure.savefig(path)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Fit 2 sin(x) with a network of ReLUs.")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--penalty", choices=("l1", "l2", "none"), default="l2")
    parser.add_argument("--strength", type=float, default=1e-4, help="of the penalty")
    parser.add_argument("--reduction", choices=("mean", "none", "sum"), default="mean")
    parser.add_argument("--output", type=Path, default=Path("sine.png"), help="the figure")
    options = parser.parse_args(arguments)

    x, y = make_points()
    models, losses = {}, {}
    for name, initialise in INITIALISERS.items():
        models[name] = make_model(initialise)
        losses[name] = train(
            models[name],
            x,
            y,
            epochs=options.epochs,
            penalty=options.penalty,
            strength=options.strength,
            reduction=options.reduction,
        )
        first, last = losses[name][0], losses[name][-1]
        print(f"{name:15} mean squared error {first:.3f} -> {last:.3f}")
    print("the weights that started orthogonal:")
    print_weights(models["orthogonal"])
    try:
        draw(models, x, y, options.output)
        print(f"drew {options.output}")
    except ImportError:
        print("no figure: run pip install 'gradloom[plot]'")
    return models, losses


if __name__ == "__main__":
    main()
