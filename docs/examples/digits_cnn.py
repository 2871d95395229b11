"""Read handwritten digits with a convolutional network: train, save, load in a new process, test.

The data are the 1,797 digits of 8 x 8 pixels that come with scikit-learn. The network learns from
1,437 of them and is tested on the other 360, which it has not seen.

    python digits_cnn.py                            # needs pip install 'gradloom[data,plot]'
    python digits_cnn.py --predict digits_cnn.npz   # only test, a network trained before
    mpiexec -n 4 python digits_cnn.py               # train on four processes, with the extra mpi

The exit status is 0 when at least 98.5 % of the test digits are read right.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

import autograd
import nn
import optim

WANTED = 0.985


def load_digits(seed=0):
    """Return images (N, 1, 8, 8) from 0 to 1 and classes (N,), for training and for the test."""
    from sklearn import datasets

    digits = datasets.load_digits()
    images = (digits.images[:, np.newaxis] / 16).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(images))
    training, test = order[360:], order[:360]
    return (images[training], digits.target[training]), (images[test], digits.target[test])


class Digits(nn.Module):
    """Three 3 x 3 convolutions, each normalised, and a linear layer: 31 thousand parameters."""

    def __init__(self, width=32):
        super().__init__()
        self.features = nn.Sequential(  # the trailing shapes are those of one image
            *self.convolution(1, width),  # (32, 8, 8)
            *self.convolution(width, width),
            nn.MaxPool2d(2),  # (32, 4, 4)
            nn.Dropout2d(0.1),
            *self.convolution(width, 2 * width),  # (64, 4, 4)
            nn.MaxPool2d(2),  # (64, 2, 2)
        )
        self.classes = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(8 * width, 10))

    @staticmethod
    def convolution(inputs, outputs):
        """Return a convolution that keeps the size, with what follows it."""
        return nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()

    def forward(self, images):
        """Return the scores (N, 10) of images (N, 1, 8, 8)."""
        return self.classes(self.features(images))


def train(epochs, seed=0):
    """Train a network, on all processes that mpiexec has started; return it, the history, and
    whether this is the process that writes.
    """
    autograd.manual_seed(seed)
    training, test = load_digits()
    model = nn.parallel.SyncBatchNorm.convert(Digits())
    data = nn.ArrayDataset(*training)
    sampler = nn.parallel.DistributedSampler(data, seed=seed)
    if sampler.rank == 0:
        print(nn.summary(model, training[0][:1]))
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    history = nn.fit(
        model,
        nn.DataLoader(data, batch_size=64 // sampler.size, sampler=sampler),
        nn.CrossEntropyLoss(label_smoothing=0.05),
        optimizer,
        epochs,
        validation_data=nn.DataLoader(nn.ArrayDataset(*test), batch_size=360),
        metrics=[nn.accuracy],
        scheduler=optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs),
        parallel=True,
    )
    return model, history, sampler.rank == 0


def predict(model, images):
    """Return the class of each image."""
    with autograd.no_grad():
        return np.argmax(model.eval()(images), axis=1)


def test(path):
    """Load a network from `path` and print how well it reads the test digits; return the share."""
    model = Digits()
    model.load_state_dict(nn.load(path))
    _, (images, classes) = load_digits()
    predicted = predict(model, images)
    for i in np.flatnonzero(predicted != classes):
        print(f"test digit {i}: read {predicted[i]}, is {classes[i]}")
    right = int((predicted == classes).sum())
    print(f"accuracy: {right} of {len(classes)}, {right / len(classes):.2%}")
    return right / len(classes)


def draw(model, history, path):
    """Draw the accuracy, the first kernels, and test digits with what they were read as."""
    from matplotlib.figure import Figure

    _, (images, classes) = load_digits()
    predicted = predict(model, images)
    figure = Figure(figsize=(10, 7), layout="constrained")
    upper, lower = figure.subfigures(2, height_ratios=(2, 3))
    curve, kernels = upper.subplots(1, 2)
    for name in ("accuracy", "validation_accuracy"):
        curve.plot(range(1, len(history) + 1), history[name], label=name.replace("_", " "))
    curve.set(xlabel="epoch", ylabel="share of right classes", ylim=(0.9, 1.0))
    curve.legend()
    weights = model.features[0].weight.data.reshape(4, 8, 3, 3)
    tiles = np.pad(weights, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    kernels.imshow(tiles.transpose(0, 2, 1, 3).reshape(16, 32), cmap="coolwarm")
    kernels.set_title("the 32 kernels of the first layer")
    kernels.axis("off")
    # Wrong ones first, if there are any.
    order = np.argsort(predicted == classes, kind="stable")
    for axes, i in zip(lower.subplots(4, 12).ravel(), order, strict=False):
        axes.imshow(images[i, 0], cmap="gray_r")
        right = predicted[i] == classes[i]
        axes.set_title(predicted[i], color="black" if right else "red", fontsize=9)
        axes.axis("off")
    figure.savefig(path, dpi=120)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Read digits with a convolutional network.")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into")
    parser.add_argument("--predict", type=Path, metavar="FILE", help="load FILE, do not train")
    options = parser.parse_args(arguments)

    if options.predict:
        return 0 if test(options.predict) >= WANTED else 1

    model, history, writes = train(options.epochs, options.seed)
    if not writes:
        return 0
    path = options.output / "digits_cnn.npz"
    nn.save(path, model.state_dict())
    print(f"saved {path}")
    try:
        draw(model, history, options.output / "digits_cnn.png")
        print(f"drew {options.output / 'digits_cnn.png'}")
    except ImportError:  # matplotlib is optional
        print("no picture: pip install 'gradloom[plot]'")

    print("loading it in a new process:", flush=True)
    return subprocess.run([sys.executable, __file__, "--predict", path], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
