"""A physics-informed network: ten measurements, and an equation that tells the rest.

A mass on a spring swings and loses energy. Its position was measured ten times, not quite exactly,
in the first part of the swing; the rest is wanted. A network that sees only the measurements passes
near them and knows nothing of the future. But there is more to know: the motion obeys

    u'' + 2 damping u' + frequency^2 u = 0

at every time. A network can be differentiated by its input, so how far it is from obeying can be a
loss as well: `grad(u.sum(), t, create_graph=True)` gives u' as something that can be differentiated
once more for u'', and then by the weights.

    python physics_informed.py     # needs pip install 'gradloom[plot]' for the picture

The exit status is 0 when the informed network stays within 0.03 of the exact motion, which begins
at 1, while the other one is off by more than 0.3.
"""

import argparse
import math
import sys
from pathlib import Path

import numpy as np

import autograd
import nn
import optim
from autograd import Variable, grad

DAMPING, FREQUENCY = 1.5, 15.0
EVERYWHERE = np.linspace(0, 1, 200, dtype=np.float32).reshape(-1, 1)


def exact(t):
    """Return the motion that begins at 1 and at rest."""
    w = math.sqrt(FREQUENCY**2 - DAMPING**2)
    return np.exp(-DAMPING * t) * (np.cos(w * t) + DAMPING / w * np.sin(w * t))


def measure():
    """Return ten times (10, 1), and the positions measured then."""
    times = np.linspace(0, 0.4, 10, dtype=np.float32).reshape(-1, 1)
    noise = np.random.default_rng(0).normal(0, 0.01, times.shape).astype(np.float32)
    return times, exact(times) + noise


class Curve(nn.Module):
    """A network from times (N, 1) to positions (N, 1), made of waves: its activations are sines."""

    def __init__(self, width=32):
        super().__init__()
        self.first, self.second = nn.Linear(1, width), nn.Linear(width, width)
        self.last = nn.Linear(width, 1)
        # Slow and fast waves of all phases to choose from; by default all would be slow.
        nn.init.uniform_(self.first.weight, -10, 10)
        nn.init.uniform_(self.first.bias, -math.pi, math.pi)

    def forward(self, t):
        """Return the positions (N, 1) at times (N, 1)."""
        return self.last(np.sin(self.second(np.sin(self.first(t)))))


def residual(curve, t):
    """Return what is left of the equation at times (N, 1), in units of frequency^2."""
    t = Variable(t, requires_grad=True)
    u = curve(t)
    # Each u depends on its own t only, so the gradient of the sum holds the derivative of each.
    (velocity,) = grad(u.sum(), t, create_graph=True)
    (acceleration,) = grad(velocity.sum(), t, create_graph=True)
    return acceleration / FREQUENCY**2 + 2 * DAMPING / FREQUENCY**2 * velocity + u


def train(informed, steps, report=print):
    """Train a network, with or without the equation; return it."""
    autograd.manual_seed(0)
    curve = Curve()
    optimizer = optim.Adam(curve.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    times, positions = measure()
    for step in range(1, steps + 1):
        loss = ((curve(times) - positions) ** 2).mean()
        if informed:
            loss = loss + 0.1 * (residual(curve, EVERYWHERE[::3]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 200 == 0 or step == steps:
            report(f"step {step:4}/{steps}  loss {loss.item():.2e}")
    return curve


def path_of(curve):
    """Return the positions (200, 1) that a network foretells."""
    with autograd.no_grad():
        return curve(EVERYWHERE).data


def draw(blind, informed, path):
    from matplotlib.figure import Figure

    axes = Figure(figsize=(8, 4.2), layout="constrained").subplots()
    axes.axvspan(0, 0.4, color="0.93", label="measured here")
    axes.plot(EVERYWHERE, exact(EVERYWHERE), color="0.7", linewidth=6, label="exact motion")
    axes.plot(EVERYWHERE, path_of(blind), "--", color="tab:red", label="measurements only")
    axes.plot(EVERYWHERE, path_of(informed), color="tab:blue", label="with the equation")
    axes.plot(*measure(), "o", color="k", markersize=5)
    axes.set(xlabel="time", ylabel="position", xlim=(0, 1), ylim=(-1.3, 1.3))
    axes.legend(ncols=2)
    axes.figure.savefig(path, dpi=120)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Foretell a swing from ten measurements.")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into")
    options = parser.parse_args(arguments)

    path = options.output / "physics_informed.npz"
    print("from the measurements alone:")
    blind = train(False, options.steps)
    print("with the equation:")
    informed = train(True, options.steps)
    nn.save(path, blind=blind, informed=informed)
    print(f"saved {path}")

    blind, informed = Curve(), Curve()
    nn.load(path, blind=blind, informed=informed)
    errors = [np.abs(path_of(curve) - exact(EVERYWHERE)).max() for curve in (blind, informed)]
    print(f"largest error: {errors[0]:.3f} without the equation, {errors[1]:.3f} with it")
    try:
        draw(blind, informed, options.output / "physics_informed.png")
        print(f"drew {options.output / 'physics_informed.png'}")
    except ImportError:
        print("no picture: pip install 'gradloom[plot]'")
    return 0 if errors[1] < 0.03 and errors[0] > 0.3 else 1


if __name__ == "__main__":
    sys.exit(main())
