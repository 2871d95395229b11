"""Separate two moons by as wide a margin as possible, and draw the border between them.

A small network gives each point of the plane a score: positive for one moon, negative for the
other. A point costs nothing once its score is beyond 1 on the right side; until then it costs the
distance that is missing. What the network learns is therefore a street between the moons, and
points on or beyond its kerbs no longer matter: the maximum margin of support vector machines.

    python two_moons.py     # needs pip install 'gradloom[data,plot]'

The exit status is 0 when every point of the training and 99 % of a thousand new ones are on the
right side.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import autograd
import nn
import optim


def make_moons(count, seed):
    """Return points (count, 2), and which moon each is on, -1 or 1: (count, 1)."""
    from sklearn import datasets

    points, moon = datasets.make_moons(count, noise=0.1, random_state=seed)
    return points.astype(np.float32), np.where(moon == 1, 1, -1)[:, np.newaxis].astype(np.float32)


def make_model():
    return nn.Sequential(
        nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)
    )


def margin_loss(scores, side):
    """Return the mean of what each point lacks to a score of 1 on its side."""
    return np.maximum(0, 1 - side * scores).mean()


def right(scores, side):
    """Return the share of points on the right side of the border."""
    return np.mean(side * scores > 0)


def train(epochs):
    """Train with all points at once; return the network and the history."""
    autograd.manual_seed(1)
    model = make_model()
    # A short way from 0 to 1 needs steep weights; weight decay keeps them flat, the street wide.
    optimizer = optim.SGD(model.parameters(), lr=0.5, momentum=0.5, weight_decay=2e-4)
    history = nn.fit(
        model,
        [make_moons(100, seed=0)],
        margin_loss,
        optimizer,
        epochs,
        metrics=[right],
        scheduler=optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, epochs),
    )
    return model, history


def draw(model, path):
    """Draw the points, and the scores as the height of a landscape with the street marked."""
    from matplotlib.figure import Figure

    points, side = make_moons(100, seed=0)
    x, y = np.meshgrid(np.linspace(-1.6, 2.6, 211), np.linspace(-1.2, 1.7, 146))
    with autograd.no_grad():
        scores = model(np.stack([x, y], axis=-1).astype(np.float32)).data[..., 0]
    figure = Figure(figsize=(7.5, 5.4), layout="constrained")
    axes = figure.subplots()
    extent = (-1.6, 2.6, -1.2, 1.7)
    image = axes.imshow(
        scores, extent=extent, origin="lower", cmap="RdBu", vmin=-3, vmax=3, alpha=0.7
    )
    axes.contour(x, y, scores, [-1, 0, 1], colors="k", linestyles=["--", "-", "--"])
    for value, color in ((-1, "#8c1515"), (1, "#123b6d")):
        axes.scatter(*points[side[:, 0] == value].T, s=28, color=color, edgecolor="white")
    axes.set_title("two moons, the border, and the street of scores between -1 and 1")
    figure.colorbar(image, label="score", extend="both", shrink=0.8)
    figure.savefig(path, dpi=120)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Separate two moons by the maximum margin.")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into")
    options = parser.parse_args(arguments)

    model, _ = train(options.epochs)
    path = options.output / "two_moons.npz"
    nn.save(path, model.state_dict())
    print(f"saved {path}")

    # What counts is what the file holds: it is read into a new network, which meets new points.
    model = make_model()
    model.load_state_dict(nn.load(path))
    shares = []
    for name, data in (("training", make_moons(100, 0)), ("new", make_moons(1000, 1))):
        numbers = nn.evaluate(model, [data], margin_loss, metrics=[right])
        print(f"{name} points on the right side: {numbers['right']:.1%}")
        shares.append(numbers["right"])
    try:
        draw(model, options.output / "two_moons.png")
        print(f"drew {options.output / 'two_moons.png'}")
    except ImportError:
        print("no picture: pip install 'gradloom[plot]'")
    return 0 if shares[0] == 1 and shares[1] >= 0.99 else 1


if __name__ == "__main__":
    sys.exit(main())
