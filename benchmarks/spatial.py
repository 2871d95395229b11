"""Convolution, pooling and their kin, forward and backward, beside PyTorch on one CPU thread.

    OMP_NUM_THREADS=1 python benchmarks/spatial.py [--smoke]

All is float32; times are microseconds per forward and backward pass, or per forward pass. Most of a
convolution is one matrix product, so that OpenBLAS decides: where it does not know the processor,
it takes slower kernels. OPENBLAS_CORETYPE=SkylakeX, set before Python starts, took the product of
(4096, 576) and (576, 64) from 75 to 160 GFLOP/s on one with AVX-512 that it took for a Haswell.
"""

import _timing
import numpy as np

import nn
from autograd import Variable, no_grad

CONVOLUTIONS = {
    "1 - 6, 5x5, 64x28x28 (LeNet)": ((64, 1, 28, 28), 6, 5, {}),
    "6 - 16, 5x5, 64x12x12 (LeNet)": ((64, 6, 12, 12), 16, 5, {}),
    "3 - 64, 7x7 stride 2, 4x64x64": ((4, 3, 64, 64), 64, 7, {"stride": 2, "padding": 3}),
    "64 - 64, 3x3, 16x32x32": ((16, 64, 32, 32), 64, 3, {"padding": 1}),
    "64 - 64, 3x3, 32x8x8": ((32, 64, 8, 8), 64, 3, {"padding": 1}),
    "64 - 64, 3x3 stride 2, 16x32x32": ((16, 64, 32, 32), 64, 3, {"padding": 1, "stride": 2}),
    "256 - 64, 1x1, 16x14x14": ((16, 256, 14, 14), 64, 1, {}),
    "64 by channel, 3x3, 16x32x32": ((16, 64, 32, 32), 64, 3, {"padding": 1, "groups": 64}),
    "1 - 4, 3x3, 1x8x8 (overhead)": ((1, 1, 8, 8), 4, 3, {}),
}
OTHERS = {
    "transposed 64 - 32, 2x2 stride 2": ("ConvTranspose2d", (64, 32, 2), {"stride": 2}),
    "max pool 2x2": ("MaxPool2d", (2,), {}),
    "max pool 3x3 stride 2": ("MaxPool2d", (3,), {"stride": 2, "padding": 1}),
    "average pool 2x2": ("AvgPool2d", (2,), {}),
    "adaptive average pool 1": ("AdaptiveAvgPool2d", (1,), {}),
    "adaptive average pool 7": ("AdaptiveAvgPool2d", (7,), {}),
    "bilinear, twice the size": ("Upsample", (), {"scale_factor": 2, "mode": "bilinear"}),
    "nearest, twice the size": ("Upsample", (), {"scale_factor": 2}),
    "reflection pad 1": ("ReflectionPad2d", (1,), {}),
    "instance norm": ("InstanceNorm2d", (64,), {}),
    "batch norm": ("BatchNorm2d", (64,), {}),
}


def lenet(library):
    return library.Sequential(
        library.Conv2d(1, 6, 5),
        library.ReLU(),
        library.MaxPool2d(2),
        library.Conv2d(6, 16, 5),
        library.ReLU(),
        library.MaxPool2d(2),
        library.Flatten(),
        library.Linear(256, 120),
        library.ReLU(),
        library.Linear(120, 84),
        library.ReLU(),
        library.Linear(84, 10),
    )


def residual(library):
    def block():
        return library.Conv2d(64, 64, 3, padding=1), library.BatchNorm2d(64), library.ReLU()

    return library.Sequential(*block(), *block(), library.AdaptiveAvgPool2d(1), library.Flatten())


def training_step(model, x, wrap):
    """Return a step of a loss that needs no labels: forward, backward."""
    x = wrap(x)

    def step():
        for p in model.parameters():
            p.grad = None
        (model(x) ** 2).mean().backward()

    return step


def pass_through(layer, x, g):
    """Return forward and backward to the input and to the parameters."""

    def step():
        x.grad = None
        for p in layer.parameters():
            p.grad = None
        layer(x).backward(g)

    return step


def rivals(torch, make, x, g):
    found = {"gradloom": pass_through(make(nn), Variable(x, requires_grad=True), g)}
    if torch:
        t = torch.tensor(x, requires_grad=True)
        found["torch"] = pass_through(make(torch.nn), t, torch.tensor(g))
    return found


def convolutions(torch, rng):
    for label, (shape, out, kernel, options) in CONVOLUTIONS.items():
        x = rng.normal(size=shape).astype(np.float32)

        def make(library, given=(shape[1], out, kernel), options=options):
            return library.Conv2d(*given, **options)

        g = rng.normal(size=make(nn)(x).shape).astype(np.float32)
        yield label, rivals(torch, make, x, g)


def forward_only(torch, rng):
    for label, (shape, out, kernel, options) in CONVOLUTIONS.items():
        x = rng.normal(size=shape).astype(np.float32)
        ours = nn.Conv2d(shape[1], out, kernel, **options)

        def forward(layer=ours, x=x):
            with no_grad():
                layer(x)

        found = {"gradloom": forward}
        if torch:
            theirs, tensor = torch.nn.Conv2d(shape[1], out, kernel, **options), torch.tensor(x)

            def rival(layer=theirs, x=tensor):
                with torch.no_grad():
                    layer(x)

            found["torch"] = rival
        yield label, found


def others(torch, rng):
    x = rng.normal(size=(16, 64, 32, 32)).astype(np.float32)
    for label, (name, given, options) in OTHERS.items():

        def make(library, name=name, given=given, options=options):
            return getattr(library, name)(*given, **options)

        g = rng.normal(size=make(nn)(x).shape).astype(np.float32)
        yield label, rivals(torch, make, x, g)


def networks(torch, rng):
    for label, make, shape in (
        ("LeNet, batch 64", lenet, (64, 1, 28, 28)),
        ("2 x (conv 64, batch norm, relu), 16x32x32", residual, (16, 64, 32, 32)),
    ):
        x = rng.normal(size=shape).astype(np.float32)
        found = {"gradloom": training_step(make(nn), x, lambda a: a)}
        if torch:
            found["torch"] = training_step(make(torch.nn), x, torch.tensor)
        yield label, found


def main():
    chosen = _timing.arguments(__doc__.splitlines()[0])
    about = _timing.header("torch")
    torch = _timing.optional("torch")
    results = {}
    for group in (convolutions, forward_only, others, networks):
        rows = {}
        for label, found in group(torch, np.random.default_rng(0)):
            rows[label] = _timing.compare(found, chosen.repeats, 1 if chosen.smoke else None)
        _timing.table(group.__name__.replace("_", " "), rows, "gradloom")
        results[group.__name__] = rows
    _timing.emit("spatial", results, about, chosen.json)


if __name__ == "__main__":
    main()
