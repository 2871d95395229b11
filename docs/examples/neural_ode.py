"""A neural differential equation: learn the law of a motion from what was seen of it.

A pendulum swings, slowly coming to rest; its angle and its velocity were noted at 161 times. What
is wanted is no curve through these notes but the law behind them, which says at each state how it
changes. The law is a network, dy/dt = f(y). `odeint` solves this equation from a note on, the loss
compares what follows from it with the next notes, and the gradient comes back through the solver's
own steps. (Chen et al., Neural Ordinary Differential Equations, 2018.)

    python neural_ode.py     # needs pip install 'gradloom[plot]' for the picture

The exit status is 0 when the learned law follows a swing that it never saw, pushed off in another
way, over three periods to within 0.2; its angle and its velocity go up to about 2.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import autograd
import nn
import optim
from autograd.integrate import odeint

TIMES = np.linspace(0, 16, 161, dtype=np.float32)
SEEN = np.array([2.6, 0.0], np.float32)  # let go high up
UNSEEN = np.array([-0.5, 1.7], np.float32)  # pushed off further down
PIECE = 5  # notes that follow from one


def pendulum(y, t):  # noqa: ARG001 - a law may depend on the time, this one does not
    """Return the change of states (..., 2): an angle, and the velocity of the angle."""
    angle, velocity = y[..., 0], y[..., 1]
    return np.stack([velocity, -2 * np.sin(angle) - 0.15 * velocity], axis=-1)


class Law(nn.Module):
    """A network in the place of `pendulum`."""

    def __init__(self, width=32):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2)
        )

    def forward(self, y, t):  # noqa: ARG002
        """Return the change of states (..., 2)."""
        return self.layers(y)


def follow(law, start, times=TIMES):
    """Return the states (T, ..., 2) that follow from a start (..., 2)."""
    return odeint(law, start, times, rtol=1e-4, atol=1e-4)


def train(law, steps, batch_size=24, report=print):
    """Learn from short pieces of the motion, each solved from its first note."""
    rng = autograd.new_generator(0)
    notes = follow(pendulum, SEEN)
    optimizer = optim.Adam(law.parameters(), lr=0.02)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(1, steps + 1):
        begin = rng.integers(0, len(notes) - PIECE, batch_size)
        pieces = notes[begin + np.arange(PIECE + 1)[:, np.newaxis]]  # (PIECE + 1, batch_size, 2)
        loss = ((follow(law, pieces[0], TIMES[: PIECE + 1]) - pieces) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps:
            report(f"step {step:3}/{steps}  loss {loss.item():.2e}")


def path_of(law, start):
    with autograd.no_grad():
        return np.asarray(follow(law, start))


def draw(law, path):
    """Draw the learned law as a stream, and on it the two motions: as they are, and as learned."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    plane, time = figure.subplots(1, 2)
    angle, velocity = np.meshgrid(np.linspace(-3, 3, 21), np.linspace(-3, 3, 21))
    with autograd.no_grad():
        change = law(np.stack([angle, velocity], axis=-1).astype(np.float32), 0).data
    plane.streamplot(
        angle,
        velocity,
        change[..., 0],
        change[..., 1],
        color="0.8",
        density=0.7,
        linewidth=0.7,
        arrowsize=0.7,
    )
    for start, color, name in ((SEEN, "tab:blue", "seen"), (UNSEEN, "tab:red", "not seen")):
        truth, learned = path_of(pendulum, start), path_of(law, start)
        plane.plot(*truth.T, color=color, linewidth=5, alpha=0.3)
        plane.plot(*learned.T, color=color)
        plane.plot(*start, "o", color=color)
        time.plot(TIMES, truth[:, 0], color=color, linewidth=5, alpha=0.3, label=f"{name}, truth")
        time.plot(TIMES, learned[:, 0], color=color, label=f"{name}, learned")
    plane.set(xlabel="angle", ylabel="velocity", xlim=(-3, 3), ylim=(-3, 3), title="the law")
    time.set(xlabel="time", ylabel="angle", title="what follows from it")
    time.legend(loc="upper right")
    figure.savefig(path, dpi=120)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Learn the law of a pendulum.")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into")
    options = parser.parse_args(arguments)

    autograd.manual_seed(0)
    law = Law()
    train(law, options.steps)
    path = options.output / "neural_ode.npz"
    nn.save(path, law.state_dict())
    print(f"saved {path}")

    law = Law()
    law.load_state_dict(nn.load(path))
    errors = {}
    for name, start in (("seen", SEEN), ("unseen", UNSEEN)):
        errors[name] = np.abs(path_of(law, start) - path_of(pendulum, start)).max()
        print(f"largest error on the {name} motion: {errors[name]:.3f}")
    try:
        draw(law, options.output / "neural_ode.png")
        print(f"drew {options.output / 'neural_ode.png'}")
    except ImportError:
        print("no picture: pip install 'gradloom[plot]'")
    return 0 if errors["unseen"] < 0.2 else 1


if __name__ == "__main__":
    sys.exit(main())
