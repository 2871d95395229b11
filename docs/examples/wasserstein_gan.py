"""A generative adversarial network with gradient penalty: from one cloud of points to eight.

A generator moves points of one round cloud; a critic looks at points and scores them, high where
real ones are and low where generated ones are. The real ones stand in eight small clouds on a
circle. Each is trained against the other: what the critic has learned, the generator uses to move
its points uphill. For that the critic must be a landscape with a finite slope, and is punished
where the steepness differs from 1 between real and generated points. The steepness is a gradient,
so learning from the punishment takes the gradient of a gradient: `grad(..., create_graph=True)`.
(Gulrajani et al., Improved Training of Wasserstein GANs, 2017.)

    python wasserstein_gan.py     # needs pip install 'gradloom[plot]' for the picture

The exit status is 0 when every cloud is met by 5 % or more of the generated points, and 80 % are
within four standard deviations of a cloud's centre.
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

ANGLES = np.arange(8) * (math.pi / 4)
CENTRES = 2 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype(np.float32)
WIDTH = 0.1  # standard deviation of a cloud


def real_points(count, rng):
    """Return points (count, 2) of the eight clouds."""
    noise = rng.standard_normal((count, 2), np.float32)
    return CENTRES[rng.integers(0, 8, count)] + WIDTH * noise


def make_network(outputs, width=64):
    return nn.Sequential(
        nn.Linear(2, width),
        nn.Tanh(),
        nn.Linear(width, width),
        nn.Tanh(),
        nn.Linear(width, outputs),
    )


def gradient_penalty(critic, real, generated, rng):
    """Return how far the critic's steepness is from 1, somewhere between points (N, 2)."""
    share = rng.random((len(real), 1), np.float32)
    between = Variable(share * real + (1 - share) * generated, requires_grad=True)
    # create_graph: the gradient is to be differentiated again, by the weights of the critic.
    (slope,) = grad(critic(between).sum(), between, create_graph=True)
    steepness = np.sqrt((slope**2).sum(axis=1) + 1e-12)
    return ((steepness - 1) ** 2).mean()


def sample(generator, count, rng):
    """Return generated points (count, 2)."""
    return generator(rng.standard_normal((count, 2), np.float32))


def train(generator, critic, steps, batch_size=128, report=print):
    """Train both; return snapshots of the generated points and of the critic, early to late."""
    rng = autograd.new_generator(0)
    of_generator = optim.Adam(generator.parameters(), lr=3e-3, betas=(0.5, 0.9))
    of_critic = optim.Adam(critic.parameters(), lr=6e-3, betas=(0.5, 0.9))
    schedules = [
        optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
        for optimizer in (of_generator, of_critic)
    ]
    snapshots, distances = [], []
    for step in range(1, steps + 1):
        for _ in range(2):  # the generator can only become as good as the critic sees
            real = real_points(batch_size, rng)
            generated = sample(generator, batch_size, rng).data
            distance = critic(real).mean() - critic(generated).mean()
            loss = 0.05 * gradient_penalty(critic, real, generated, rng) - distance
            of_critic.zero_grad()
            loss.backward()
            of_critic.step()
            distances.append(distance.item())
        loss = -critic(sample(generator, batch_size, rng)).mean()
        of_generator.zero_grad()
        loss.backward()
        of_generator.step()
        for schedule in schedules:
            schedule.step()
        if step % 200 == 0 or step == steps:
            report(f"step {step:4}/{steps}  distance of the clouds {np.mean(distances):.3f}")
            distances = []
        if step in {steps // 40, steps // 8, steps}:
            snapshots.append((step, *look(generator, critic)))
    return snapshots


def look(generator, critic):
    """Return 2,000 generated points, and the critic's scores (61, 61) on a square."""
    x, y = np.meshgrid(np.linspace(-3, 3, 61), np.linspace(-3, 3, 61))
    with autograd.no_grad():
        points = sample(generator, 2000, np.random.default_rng(1)).data
        scores = critic(np.stack([x, y], axis=-1).astype(np.float32)).data[..., 0]
    return points, scores


def quality(points):
    """Return the share of points within four standard deviations of each centre: (8,)."""
    apart = np.linalg.norm(points[:, np.newaxis] - CENTRES, axis=2)
    return np.mean(apart < 4 * WIDTH, axis=0)


def draw(snapshots, path):
    from matplotlib.figure import Figure

    real = real_points(1000, np.random.default_rng(2))
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    for axes, (step, points, scores) in zip(figure.subplots(1, 3), snapshots, strict=True):
        square = {"extent": (-3, 3, -3, 3), "origin": "lower", "interpolation": "bilinear"}
        axes.imshow(scores, cmap="Greens", alpha=0.6, **square)
        axes.plot(*real.T, ".", color="k", markersize=3, markeredgewidth=0, alpha=0.5)
        axes.plot(*points.T, ".", color="tab:purple", markersize=5, markeredgewidth=0, alpha=0.5)
        axes.set(title=f"after {step} steps", xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[])
    figure.suptitle(
        "real points (black), generated ones (violet), and how the critic scores places\n"
    )
    figure.savefig(path, dpi=120)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Turn one cloud of points into eight.")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into")
    options = parser.parse_args(arguments)

    autograd.manual_seed(0)
    generator, critic = make_network(2), make_network(1)
    snapshots = train(generator, critic, options.steps)
    path = options.output / "wasserstein_gan.npz"
    nn.save(path, generator=generator, critic=critic)
    print(f"saved {path}")

    generator = make_network(2)
    nn.load(path, generator=generator)
    shares = quality(look(generator, critic)[0])
    print(f"share of the points at each cloud: {np.round(shares, 3)}, in all {shares.sum():.1%}")
    try:
        draw(snapshots, options.output / "wasserstein_gan.png")
        print(f"drew {options.output / 'wasserstein_gan.png'}")
    except ImportError:
        print("no picture: pip install 'gradloom[plot]'")
    return 0 if shares.min() >= 0.05 and shares.sum() >= 0.8 else 1


if __name__ == "__main__":
    sys.exit(main())
