"""Layer by layer: what a framework does, written out, beside the same network in three lines.

A layer is a pair of functions. `forward` computes the output and remembers what it will need;
`backward` takes the gradient of the loss with respect to the output and returns that with respect
to the input, having stored the gradients of its own weights on the way. A network calls the
forwards in order and the backwards in reverse order. That is all of back-propagation.

The network is 2-2-2-1 with sigmoids, the task is XOR: 1 where exactly one of two inputs is 1. The
script trains the hand-written network and ours side by side from the same weights, and asserts
that all gradients agree in every epoch.

    python layer_by_layer.py
"""

import argparse

import numpy as np

import nn
import optim

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TARGETS = np.array([[0.0], [1.0], [1.0], [0.0]])


class Linear:
    """x @ weight.T + bias, with weight of shape (outputs, inputs)."""

    def __init__(self, inputs, outputs, rng):
        self.weight = rng.normal(size=(outputs, inputs))
        self.bias = np.zeros(outputs)

    def forward(self, x):
        """Return the output, (N, inputs) to (N, outputs); remember the input."""
        self.x = x  # (N, inputs): the gradient of the weight will need it
        return x @ self.weight.T + self.bias

    def backward(self, g):
        """Store the gradients of weight and bias; return that of the input."""
        self.weight_grad = g.T @ self.x  # (outputs, N) (N, inputs)
        self.bias_grad = g.sum(axis=0)
        return g @ self.weight  # (N, outputs) (outputs, inputs)


class Sigmoid:
    """1 / (1 + exp(-x)), whose derivative is out (1 - out)."""

    def forward(self, x):
        """Return the output, of the shape of the input; remember it."""
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, g):
        """Return the gradient of the input."""
        return g * self.out * (1 - self.out)


class Network:
    """Layers one after the other."""

    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        """Hand the input from layer to layer."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, g):
        """Hand the gradient back, from the last layer to the first."""
        for layer in reversed(self.layers):
            g = layer.backward(g)
        return g

    def linear_layers(self):
        """List the layers that have weights."""
        return [layer for layer in self.layers if isinstance(layer, Linear)]

    def step(self, lr):
        """Go down the gradient: weights change by -lr times theirs."""
        for layer in self.linear_layers():
            layer.weight -= lr * layer.weight_grad
            layer.bias -= lr * layer.bias_grad


def summed_squares(output, target):
    """Return the loss sum((output - target)^2) and its gradient with respect to the output."""
    return np.sum((output - target) ** 2), 2 * (output - target)


def make_networks(seed):
    """Return the hand-written network and ours with the same weights."""
    rng = np.random.default_rng(seed)
    by_hand = Network(
        Linear(2, 2, rng), Sigmoid(), Linear(2, 2, rng), Sigmoid(), Linear(2, 1, rng), Sigmoid()
    )
    # The same network in three lines:
    ours = nn.Sequential(
        nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1), nn.Sigmoid()
    ).double()
    for copy, original in pairs(ours, by_hand):
        copy.load_state_dict({"weight": original.weight, "bias": original.bias})
    return by_hand, ours


def pairs(ours, by_hand):
    """Return our linear layers, each with its hand-written twin."""
    return list(zip(ours[::2], by_hand.linear_layers(), strict=True))


def assert_equal(ours, by_hand):
    """Assert equal gradients and, up to rounding, equal weights."""
    for layer, twin in pairs(ours, by_hand):
        np.testing.assert_allclose(layer.weight.grad, twin.weight_grad, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(layer.bias.grad, twin.bias_grad, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(layer.weight.data, twin.weight, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(layer.bias.data, twin.bias, rtol=1e-10, atol=1e-14)


def train(epochs, lr, seed):
    """Train both networks side by side; return their outputs for the four inputs, and the losses.

    After each step the hand-written network takes over our weights, which differ from its own by
    rounding only: 4,000 epochs would let such differences grow.
    """
    by_hand, ours = make_networks(seed)
    criterion, optimizer = nn.MSELoss(reduction="sum"), optim.SGD(ours.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        loss, g = summed_squares(by_hand.forward(INPUTS), TARGETS)
        by_hand.backward(g)
        by_hand.step(lr)
        losses.append(loss)

        optimizer.zero_grad()
        criterion(ours(INPUTS), TARGETS).backward()
        optimizer.step()

        assert_equal(ours, by_hand)
        for layer, twin in pairs(ours, by_hand):
            twin.weight, twin.bias = layer.weight.data.copy(), layer.bias.data.copy()
    return by_hand.forward(INPUTS), ours(INPUTS).data, losses


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Hand-written layers beside the library's.")
    parser.add_argument("--epochs", type=int, default=4000)
    parser.add_argument("--lr", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    by_hand, ours, losses = train(options.epochs, options.lr, options.seed)
    print(f"gradients were equal in all {options.epochs} epochs")
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.2g}")
    for inputs, target, a, b in zip(INPUTS, TARGETS, by_hand, ours, strict=True):
        x, y = inputs.astype(int)
        print(f"{x} xor {y} = {int(target[0])}: by hand {a[0]:.4f}, ours {b[0]:.4f}")
    return by_hand, ours, losses


if __name__ == "__main__":
    main()
