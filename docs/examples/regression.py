"""Regression: a line by hand, a line as a Module, and a curve.

The data are 100 points of scikit-learn's `make_regression` with the target squared: a noisy
parabola. A line cannot follow it, a small network can. Each model sees one point at a time and
prints the mean loss of each epoch.

    python regression.py --plot     # needs pip install 'gradloom[data,plot]'
"""

import argparse
from pathlib import Path

import numpy as np

import nn
import optim
from autograd import Variable, no_grad


def make_data():
    """Return inputs and targets, both of shape (100, 1)."""
    from sklearn.datasets import make_regression

    x, y = make_regression(n_samples=100, n_features=1, n_informative=1, noise=10, random_state=0)
    return x, y[:, np.newaxis] ** 2


def batches(x, y):
    """Return a loader of single points in a new order every epoch."""
    return nn.DataLoader(nn.ArrayDataset(x, y), batch_size=1, shuffle=True, generator=0)


def line_with_variables(x, y, epochs, lr=0.001):
    """Fit y = slope x + offset with nothing but Variables; return both and the losses."""
    slope = Variable([[0.0]], requires_grad=True)
    offset = Variable([0.0], requires_grad=True)
    loader = batches(x, y)
    losses = []
    for epoch in range(1, epochs + 1):
        total = 0.0
        for inputs, targets in loader:
            loss = np.mean((inputs @ slope + offset - targets) ** 2)
            loss.backward()
            for variable in (slope, offset):
                variable.data = variable.data - lr * variable.grad
                variable.zero_grad()
            total += loss.item()
        losses.append(total / len(loader))
        show(epoch, epochs, losses[-1])
    return slope, offset, losses


class Line(nn.Module):
    """The same line as a Module, which knows its parameters."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(np.zeros((1, 1)))
        self.offset = nn.Parameter(np.zeros(1))

    def forward(self, x):
        """Return x @ slope + offset, shape (N, 1) to (N, 1)."""
        return x @ self.slope + self.offset


class Curve(nn.Module):
    """A network with one hidden layer: 1-16-1, tanh between.

    The targets go up to 13,000, for which small initial weights are a long way off. So the network
    computes in units of `scale`, the standard deviation of the targets.
    """

    def __init__(self, scale):
        super().__init__()
        self.scale = scale
        self.hidden = nn.Linear(1, 16, dtype=np.float64, generator=1)
        self.output = nn.Linear(16, 1, dtype=np.float64, generator=2)

    def forward(self, x):
        """Return the height of the curve at x, shape (N, 1) to (N, 1)."""
        return self.scale * self.output(np.tanh(self.hidden(x)))


def train(model, x, y, epochs, lr):
    """Fit a Module; return the mean loss of each epoch."""
    loader = batches(x, y)
    optimizer = optim.SGD(model.parameters(), lr=lr)
    criterion = nn.MSELoss()
    losses = []
    for epoch in range(1, epochs + 1):
        total = 0.0
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(loader))
        show(epoch, epochs, losses[-1])
    return losses


def show(epoch, epochs, loss):
    if epoch == 1 or epoch % 10 == 0 or epoch == epochs:
        print(f"  epoch {epoch:3}: loss {loss:.4g}")


def mean_squared_error(predict, x, y):
    with no_grad():
        return float(np.mean((np.asarray(predict(x)) - y) ** 2))


def best_line_error(x, y):
    """Return the smallest mean squared error that any line has, from the normal equations."""
    columns = np.hstack([x, np.ones_like(x)])
    solution, *_ = np.linalg.lstsq(columns, y, rcond=None)
    return float(np.mean((columns @ solution - y) ** 2))


def draw(models, x, y, path):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    axes.scatter(x, y, s=12, color="gray", label="data")
    grid = np.linspace(x.min(), x.max(), 200)[:, np.newaxis]
    with no_grad():
        for name, model in models.items():
            axes.plot(grid, np.asarray(model(grid)), label=name)
    axes.legend()
    axes.figure.savefig(path)
    print(f"drew {path}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Fit a line and a curve to a noisy parabola.")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--plot", action="store_true", help="draw regression.png")
    options = parser.parse_args(arguments)
    try:
        x, y = make_data()
    except ImportError:
        parser.exit(1, "regression.py: wanted scikit-learn; run pip install 'gradloom[data]'\n")

    print("a line, with Variables:")
    slope, offset, by_hand = line_with_variables(x, y, options.epochs)
    print("the same line, as a Module:")
    line = Line()
    as_module = train(line, x, y, options.epochs, lr=0.001)
    print("a curve:")
    scale = float(y.std())
    curve = Curve(scale)
    # Errors are `scale` times as large as in units of it, and so are the slopes of the network:
    # gradients are scale^2 times as large, which the learning rate makes up for.
    curved = train(curve, x, y, options.epochs, lr=0.02 / scale**2)

    errors = {
        "line": mean_squared_error(line, x, y),
        "best line": best_line_error(x, y),
        "curve": mean_squared_error(curve, x, y),
    }
    print("mean squared errors:", {name: round(error) for name, error in errors.items()})
    if options.plot:
        draw({"line": line, "curve": curve}, x, y, Path("regression.png"))
    return {
        "errors": errors,
        "losses": {"by hand": by_hand, "as Module": as_module, "curve": curved},
        "lines": ((slope.data, offset.data), (line.slope.data, line.offset.data)),
    }


if __name__ == "__main__":
    main()
