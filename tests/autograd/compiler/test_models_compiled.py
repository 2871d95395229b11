"""The models of docs/examples/models and random programs, compiled: equal results."""

import importlib
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd
import optim
from autograd import Variable

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "examples" / "models"
sys.path.insert(0, str(ROOT / "benchmarks"))
build_program = importlib.import_module("_programs").build_program
sys.path.pop(0)
MODELS = {
    "ResNet18": ("resnet", {"classes": 3, "width": 2}, (2, 3, 32, 32)),
    "UNet": ("unet", {"width": 3, "depth": 2}, (2, 1, 8, 12)),
    "GPT": (
        "gpt",
        {"words": 11, "context": 6, "width": 8, "heads": 2, "layers": 2, "dropout": 0.1},
        11,
    ),
    "ViT": (
        "vit",
        {"size": 8, "patch": 4, "classes": 3, "width": 8, "heads": 2, "layers": 2, "dropout": 0.1},
        (2, 3, 8, 8),
    ),
    "LanguageModel": ("lstm", {"words": 11, "width": 6, "dropout": 0.1}, 11),
    "Generator": ("dcgan", {"noise": 5, "width": 2}, (3, 5, 1, 1)),
    "Discriminator": ("dcgan", {"width": 2}, (3, 3, 64, 64)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_the_examples_trains_as_in_eager_code(name):
    file, arguments, given = MODELS[name]

    def train(change):
        autograd.manual_seed(0)
        model = runpy.run_path(str(FOLDER / f"{file}.py"))[name](**arguments)
        optimizer = optim.SGD(model.parameters(), lr=0.01)

        def loss(x):
            out = model(x)
            out = out[0] if isinstance(out, tuple) else out
            return (out * out).mean() + out.sum() * 0.01

        step, rng, losses = change(loss), np.random.default_rng(0), []
        for _ in range(2):
            x = (
                Variable(rng.integers(0, given, (2, 5)))
                if isinstance(given, int)
                else rng.normal(size=given).astype(np.float32)
            )
            optimizer.zero_grad()
            losses.append(step(x))
            losses[-1].backward()
            optimizer.step()
        return [*losses, *model.state_dict().values()]

    for a, b in zip(train(autograd.compile), train(lambda f: f), strict=True):
        a, b = (v.data if isinstance(v, Variable) else v for v in (a, b))
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


COUNT = 2000 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 30


def test_random_programs_give_what_eager_code_gives():
    rng = np.random.default_rng(0)
    pick = lambda options: options[rng.integers(len(options))]
    for k in range(COUNT):
        shapes = [[(), (3,), (2, 3), (4, 1)][rng.integers(4)] for _ in range(rng.integers(1, 4))]
        program = build_program(pick, shapes, int(rng.integers(2, 9)), kinks=bool(k % 2))
        total = lambda *xs, program=program: np.sum(program(*xs))
        eager = autograd.value_and_grad(total, argnum=tuple(range(len(shapes))))
        fast, inner = autograd.compile(eager), autograd.compile(total)
        for _ in range(2):
            given = [rng.normal(size=shape) for shape in shapes]
            value, gradients = eager(*given)
            got, found = fast(*given)
            np.testing.assert_allclose(got, value, rtol=1e-11, atol=1e-12, err_msg=repr(program))
            leaves = [Variable(x, requires_grad=True) for x in given]
            inner(*leaves).backward()
            for a, b, c in zip(found, gradients, leaves, strict=True):
                scale = 1e-11 * max(1.0, np.abs(b).max())
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=scale, err_msg=repr(program))
                g = np.zeros(c.shape) if c.grad is None else c.grad
                np.testing.assert_allclose(g, b, rtol=1e-10, atol=scale, err_msg=repr(program))
