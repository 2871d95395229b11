"""Back-propagation three ways: by hand, with the engine, with `nn` and `optim`.

Each of three networks is trained three times from the same weights: a single sigmoid neuron, a
1-3-1 network and a 4-16-8-3 network. By hand means that the chain rule is written out with NumPy;
the engine writes it for us; `nn` and `optim` also keep the parameters and make the steps. The three
must end with the same weights, up to rounding, and the script checks that they do.

Then the gradient of a 2-4-8-2 network is compared with finite differences and, where it is
installed, with PyTorch.

Why does d(xW + b)/dW have the shape of W?
------------------------------------------
Strictly, it does not. With x of shape (N, K) and W of shape (K, M), the layer y = xW + b has shape
(N, M), and the derivative of every y[n, m] with respect to every W[k, j] is an array with four
axes, (N, M, K, M):

    dy[n, m] / dW[k, j]  =  x[n, k] if m == j else 0

Training never needs that array, which is almost all zeros. It needs the derivative of the loss L,
and L is one number: there is one dL/dW[k, m] for each weight, so dL/dW has the shape of W, as the
step W - lr dL/dW demands. The chain rule sums the four-axis array against g = dL/dy, which has the
shape of y, and the zeros leave

    dL/dW[k, m]  =  sum over n of x[n, k] g[n, m],     that is,    dL/dW = x^T g:  (K, N) (N, M).

"d(xW + b)/dW = x^T" is a shorthand for this rule: multiply g by x^T from the left. For the same
reason dL/dx = g W^T has the shape of x, and dL/db is g summed over the N rows, the shape of b. The
function `shape_of_the_derivative` below computes the four-axis array and sums it, to be sure.

    python backpropagation.py
"""

import argparse
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

import autograd
import nn
import optim
from autograd import Variable


def sigmoid(z):
    """Return 1 / (1 + exp(-z)), for arrays as well as for Variables."""
    return 1 / (1 + np.exp(-z))


def relu(z):
    return np.maximum(z, 0)


# The derivative of each activation, expressed by its output: what the chain rule by hand needs.
SLOPES = {sigmoid: lambda out: out * (1 - out), relu: lambda out: out > 0}
LAYERS = {sigmoid: nn.Sigmoid, relu: nn.ReLU}


@dataclass
class Task:
    """A network to be trained on a few samples, with the loss sum((output - target)^2)."""

    sizes: tuple
    activations: tuple
    inputs: np.ndarray  # (N, sizes[0])
    targets: np.ndarray  # (N, sizes[-1])
    lr: float
    epochs: int = 520
    weights: list = field(init=False)  # of layer l: (sizes[l], sizes[l + 1])

    def __post_init__(self):
        rng = np.random.default_rng(0)
        self.weights = [
            rng.normal(scale=np.sqrt(2 / n), size=(n, m)) for n, m in pairwise(self.sizes)
        ]


TASKS = {
    "one sigmoid neuron": Task((1, 1), (sigmoid,), np.array([[1.0]]), np.array([[0.2]]), lr=0.3),
    "1-3-1": Task(
        (1, 3, 1),
        (sigmoid, sigmoid),
        np.array([[-3.0], [0.0], [3.0]]),
        np.array([[0.8], [0.5], [0.2]]),
        lr=0.1,
    ),
    # The four measurements of a flower (lengths and widths in cm, an Iris setosa) and a target.
    "4-16-8-3": Task(
        (4, 16, 8, 3),
        (relu, relu, sigmoid),
        np.array([[5.1, 3.5, 1.4, 0.2]]),
        np.array([[0.1, 0.1, 0.6]]),
        lr=0.01,
    ),
}


# -- three ways ------------------------------------------------------------------------------------


def by_hand(task):
    """Train with the chain rule written out; return weights, biases and the losses."""
    weights = [w.copy() for w in task.weights]
    biases = [np.zeros(w.shape[1]) for w in weights]
    losses = []
    for _ in range(task.epochs):
        outputs = [task.inputs]  # the input of the first layer, then what each layer returns
        for w, b, activation in zip(weights, biases, task.activations, strict=True):
            outputs.append(activation(outputs[-1] @ w + b))
        error = outputs[-1] - task.targets
        losses.append(np.sum(error**2))

        g = 2 * error  # dL/d(output of the last layer)
        for layer in reversed(range(len(weights))):
            g = g * SLOPES[task.activations[layer]](outputs[layer + 1])  # dL/d(xW + b)
            gradient_w = outputs[layer].T @ g
            gradient_b = g.sum(axis=0)
            g = g @ weights[layer].T  # dL/dx, with the weights before the step
            weights[layer] -= task.lr * gradient_w
            biases[layer] -= task.lr * gradient_b
    return weights, biases, losses


def with_the_engine(task):
    """Train with Variables: only the forward pass is written."""
    weights = [Variable(w.copy(), requires_grad=True) for w in task.weights]
    biases = [Variable(np.zeros(w.shape[1]), requires_grad=True) for w in weights]
    losses = []
    for _ in range(task.epochs):
        out = task.inputs
        for w, b, activation in zip(weights, biases, task.activations, strict=True):
            out = activation(out @ w + b)
        loss = np.sum((out - task.targets) ** 2)
        loss.backward()
        for parameter in weights + biases:
            parameter.data = parameter.data - task.lr * parameter.grad
            parameter.zero_grad()
        losses.append(loss.item())
    return [w.data for w in weights], [b.data for b in biases], losses


def with_nn_and_optim(task):
    """Train with layers, a loss and an optimizer."""
    model = nn.Sequential()
    for w, activation in zip(task.weights, task.activations, strict=True):
        layer = nn.Linear(*w.shape, dtype=np.float64)
        layer.weight.data = w.T.copy()  # nn.Linear keeps (outputs, inputs), as PyTorch does
        nn.init.zeros_(layer.bias)
        model.append(layer)
        model.append(LAYERS[activation]())
    criterion = nn.MSELoss(reduction="sum")
    optimizer = optim.SGD(model.parameters(), lr=task.lr)
    losses = []
    for _ in range(task.epochs):
        optimizer.zero_grad()
        loss = criterion(model(task.inputs), task.targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    layers = [layer for layer in model if isinstance(layer, nn.Linear)]
    return [layer.weight.data.T for layer in layers], [layer.bias.data for layer in layers], losses


def output_of(task, weights, biases):
    out = task.inputs
    for w, b, activation in zip(weights, biases, task.activations, strict=True):
        out = activation(out @ w + b)
    return out


def train_three_times(task):
    """Return the losses and the final output, after checking that the three ways agree."""
    results = [way(task) for way in (by_hand, with_the_engine, with_nn_and_optim)]
    weights, biases, losses = results[0]
    for other_weights, other_biases, other_losses in results[1:]:
        np.testing.assert_allclose(other_losses, losses, rtol=1e-10, atol=1e-14)
        for ours, theirs in zip(weights + biases, other_weights + other_biases, strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-10, atol=1e-12)
    return losses, output_of(task, weights, biases)


# -- verification ----------------------------------------------------------------------------------


def small_network(w1, w2, w3, x, target):
    """Return the loss of a 2-4-8-2 network without biases; arrays or Variables."""
    return np.sum((sigmoid(sigmoid(sigmoid(x @ w1) @ w2) @ w3) - target) ** 2)


def small_arguments():
    rng = np.random.default_rng(1)
    shapes = ((2, 4), (4, 8), (8, 2), (5, 2), (5, 2))
    return [rng.normal(size=shape) for shape in shapes]


def finite_differences(function, array, step=0.02):
    """Return the gradient of a scalar function by central differences, extrapolated twice.

    A central difference with step h errs by c h^2 + d h^4 + ...; three of them, with h, h/2 and
    h/4, are combined so that both terms cancel (Richardson's extrapolation).
    """
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):

        def difference(h, index=index):
            up, down = array.copy(), array.copy()
            up[index] += h
            down[index] -= h
            return (function(up) - function(down)) / (2 * h)

        d1, d2, d4 = (difference(step / k) for k in (1, 2, 4))
        once = (4 * d2 - d1) / 3, (4 * d4 - d2) / 3
        gradient[index] = (16 * once[1] - once[0]) / 15
    return gradient


def verify():
    """Return the largest deviation of dL/dW1 from each independent computation."""
    w1, *others = small_arguments()
    ours = autograd.grad(small_network)(w1, *others)
    numerical = finite_differences(lambda w: small_network(w, *others), w1)
    deviations = {"finite differences": np.max(np.abs(ours - numerical))}
    try:
        import torch
    except ImportError:
        return deviations
    t1, *rest = (torch.tensor(a) for a in (w1, *others))
    t1.requires_grad_()
    w2, w3, x, target = rest
    out = torch.sigmoid(torch.sigmoid(torch.sigmoid(x @ t1) @ w2) @ w3)
    ((out - target) ** 2).sum().backward()
    deviations["PyTorch"] = np.max(np.abs(ours - t1.grad.numpy()))
    return deviations


def shape_of_the_derivative():
    """Return dL/dW computed from the full derivative of xW + b, and x^T g: they are equal."""
    rng = np.random.default_rng(2)
    x, w, b, g = (rng.normal(size=shape) for shape in ((5, 2), (2, 4), (4,), (5, 4)))
    full = autograd.jacobian(lambda w: x @ w + b)(w)
    assert full.shape == (5, 4, 2, 4)
    return np.tensordot(g, full, axes=2), x.T @ g


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Back-propagation three ways.")
    parser.parse_args(arguments)
    results = {}
    for name, task in TASKS.items():
        losses, output = train_three_times(task)
        results[name] = losses, output
        print(
            f"{name}: lr {task.lr}, {task.epochs} epochs, "
            f"loss {losses[0]:.3g} -> {losses[-1]:.3g}\n"
            f"  target {task.targets.ravel()}, output {output.ravel().round(4)}; "
            "three ways, the same weights"
        )
    contracted, product = shape_of_the_derivative()
    np.testing.assert_allclose(contracted, product, rtol=1e-12, atol=1e-14)
    print("dL/dW from the four-axis derivative of xW + b equals x^T g, of shape", product.shape)
    deviations = verify()
    for oracle, deviation in deviations.items():
        print(f"dL/dW1 of a 2-4-8-2 network against {oracle}: deviation {deviation:.1e}")
        assert deviation < 1e-10, oracle
    return results, deviations


if __name__ == "__main__":
    main()
