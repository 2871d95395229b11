"""A variational autoencoder: digits are folded into a plane, and new ones are drawn from it.

An encoder says for each image where in a plane it belongs: a mean and a width in both directions. A
point is drawn there, and a decoder makes an image of the point. Both are trained to bring back the
images with as little information in the point as possible, so that similar images come to lie side
by side and no part of the plane is left empty. Walking through it, one digit turns into the next.

    python variational_autoencoder.py     # needs pip install 'gradloom[data,plot]'

The loss counts nats per image: those for the point, and those for what the decoded image misses
(Kingma and Welling, Auto-Encoding Variational Bayes, 2014). To show the mean of all digits each
time would miss 58. The exit status is 0 when images that were not learned from cost less than 35.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import autograd
import nn
import optim

NOISE = 0.2  # differences of this size are not worth mentioning


def load_digits(seed=0):
    """Return images (N, 64) from 0 to 1 and their classes (N,), for training and for the test."""
    from sklearn import datasets

    digits = datasets.load_digits()
    images = (digits.data / 16).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(images))
    return tuple((images[part], digits.target[part]) for part in (order[360:], order[:360]))


class Autoencoder(nn.Module):
    """An encoder to the mean and the log of the variance of points, and a decoder of points."""

    def __init__(self, width=128):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4)
        )
        self.decoder = nn.Sequential(
            nn.Linear(2, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, 64),
            nn.Sigmoid(),
        )
        self.generator = autograd.new_generator()

    def forward(self, images):
        """Return for images (N, 64): decoded images, means (N, 2), logs of variances (N, 2)."""
        code = self.encoder(images)
        mean, log_variance = code[:, :2], code[:, 2:]
        # The draw itself is no function of the weights, but where it is scaled and moved to is.
        noise = self.generator.standard_normal(mean.shape, np.float32)
        return self.decoder(mean + np.exp(log_variance / 2) * noise), mean, log_variance


def missed(images, decoded):
    """Return the nats that the difference to the decoded images costs, as noise of width NOISE."""
    return ((images - decoded) ** 2).sum() / (2 * NOISE**2) / len(images)


def information(mean, log_variance):
    """Return the nats that tell a point from one of N(0, 1): the Kullback-Leibler divergence."""
    nats = (mean**2 + np.exp(log_variance) - 1 - log_variance) / 2
    return nats.sum() / len(mean)


def step(model, batch):
    """Return what `fit` wants to know of a batch."""
    (images,) = batch
    decoded, mean, log_variance = model(images)
    pixels, point = missed(images, decoded), information(mean, log_variance)
    return {"loss": pixels + point, "pixels": pixels, "point": point}


def train(epochs):
    """Train an autoencoder; return it and the history."""
    autograd.manual_seed(0)
    (images, _), (others, _) = load_digits()
    model = Autoencoder()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    history = nn.fit(
        model,
        nn.DataLoader(nn.ArrayDataset(images), batch_size=64, shuffle=True, generator=0),
        step=step,
        optimizer=optimizer,
        epochs=epochs,
        validation_data=nn.DataLoader(nn.ArrayDataset(others), batch_size=360),
        scheduler=optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs),
    )
    return model, history


def tiled(images):
    """Return images (rows, columns, 8, 8) as one, with some air around each."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return padded.transpose(0, 2, 1, 3).reshape(10 * len(images), -1)


def draw(model, path):
    """Draw where the test digits lie, the plane as a grid of decoded points, and digits decoded."""
    from matplotlib.figure import Figure

    _, (images, classes) = load_digits()
    steps = np.linspace(-2.4, 2.4, 17, dtype=np.float32)
    grid = np.stack(np.meshgrid(steps, steps[::-1]), axis=-1)  # (17, 17, 2): like a map, y upwards
    with autograd.no_grad():
        places = model.encoder(images).data[:, :2]
        decoded = model.decoder(places[:16]).data
        plane = model.decoder(grid).data.reshape(17, 17, 8, 8)

    figure = Figure(figsize=(12, 7), layout="constrained")
    upper, lower = figure.subfigures(2, height_ratios=(5, 1))
    left, right = upper.subplots(1, 2)
    left.scatter(*places.T, s=0)  # sets the limits; the digits themselves are the markers
    for (x, y), digit in zip(places, classes, strict=True):
        left.text(x, y, digit, color=f"C{digit}", fontsize=9, ha="center", va="center")
    left.set(title="where the test digits lie", aspect="equal")
    right.imshow(tiled(plane), cmap="gray_r", extent=(-2.55, 2.55) * 2)
    right.set(title="what the decoder draws there")
    pairs = lower.subplots()
    pairs.imshow(tiled(np.stack([images[:16], decoded]).reshape(2, 16, 8, 8)), cmap="gray_r")
    pairs.axis("off")
    pairs.set_title("test digits, and below what comes back from their points")
    figure.savefig(path, dpi=120)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Fold digits into a plane, and draw new ones.")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into")
    options = parser.parse_args(arguments)

    model, _ = train(options.epochs)
    path = options.output / "variational_autoencoder.npz"
    nn.save(path, model.state_dict())
    print(f"saved {path}")

    model = Autoencoder()
    model.load_state_dict(nn.load(path))
    (images, _), (others, _) = load_digits()
    cost = nn.evaluate(model, [(others,)], step=step)["loss"]
    mean = missed(others, images.mean(axis=0))
    print(f"an image of the test costs {cost:.1f} nats, with the mean image {mean:.1f}")
    try:
        draw(model, options.output / "variational_autoencoder.png")
        print(f"drew {options.output / 'variational_autoencoder.png'}")
    except ImportError:
        print("no picture: pip install 'gradloom[plot]'")
    return 0 if cost < 35 else 1


if __name__ == "__main__":
    sys.exit(main())
