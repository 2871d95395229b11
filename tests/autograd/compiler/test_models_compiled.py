"""The models of docs/examples/models and random programs, compiled: equal results."""

import importlib
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
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


# PROGRAMS=10000 is the whole draw: half an hour of one core.
CHECKS = os.environ.get("HYPOTHESIS_PROFILE") == "ci"
COUNT = int(os.environ.get("PROGRAMS", "1000" if CHECKS else "15"))


def agree(got, wanted, program, scale=1.0):
    for a, b in zip(got, wanted, strict=True):
        a = np.zeros(np.shape(b)) if a is None else a
        atol = 1e-11 * max(scale, np.abs(b).max(initial=0.0))
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=atol, err_msg=repr(program))


def test_random_programs_give_what_eager_code_gives_at_first_and_second_order():
    rng = np.random.default_rng(int(os.environ.get("PROGRAMS_SEED", "0")))
    pick = lambda options: options[rng.integers(len(options))]
    for k in range(COUNT):
        shapes = [[(), (3,), (2, 3), (4, 1)][rng.integers(4)] for _ in range(rng.integers(1, 4))]
        program = build_program(pick, shapes, int(rng.integers(2, 9)), kinks=bool(k % 2))
        places = tuple(range(len(shapes)))

        def total(*xs, program=program):
            return np.sum(program(*xs))

        def slope_of(function, places=places):
            first = autograd.grad(function, argnum=places)
            return lambda *xs: sum((g * np.cos(g)).sum() for g in first(*xs))

        eager = autograd.value_and_grad(total, argnum=places)
        second = autograd.grad(slope_of(total), argnum=places)
        inner = autograd.compile(total)
        fast, faster = autograd.compile(eager), autograd.compile(second)
        of_compiled = autograd.grad(slope_of(inner), argnum=places)
        for _ in range(2):
            given = [rng.normal(size=shape) for shape in shapes]
            value, gradients = eager(*given)
            got, found = fast(*given)
            agree([got, *found], [value, *gradients], program)
            leaves = [Variable(x, requires_grad=True) for x in given]
            inner(*leaves).backward()
            agree([v.grad for v in leaves], gradients, program)
            with np.errstate(all="ignore"):
                wanted = second(*given)
                finite = [
                    np.abs(w[np.isfinite(w)]).max(initial=0.0) for w in map(np.asarray, wanted)
                ]
                scale = max(1.0, *finite, *(np.abs(g).max(initial=0.0) for g in gradients))
                agree(faster(*given), wanted, program, scale)
                agree(of_compiled(*given), wanted, program, scale)


def example(name):
    return runpy.run_path(str(ROOT / "docs" / "examples" / f"{name}.py"), run_name=name)


def fizzbuzz():
    module = example("fizzbuzz")
    return module["FizzBuzz"], lambda: module["train"]("fast", epochs=2)[1]["loss"]


def regression():
    module, x = example("regression"), np.linspace(-1, 1, 20).reshape(-1, 1)
    make = lambda: module["Curve"](2.0)
    return module["Curve"], lambda: module["train"](make(), x, x**3, 2, 0.01)


def sine():
    module, x = example("sine"), np.linspace(-1, 1, 20, dtype=np.float32).reshape(-1, 1)
    make = lambda: module["make_model"](module["INITIALISERS"]["uniform"])
    return nn.Sequential, lambda: module["train"](make(), x, np.sin(x), epochs=3)


def lstm_sequence():
    module = example("lstm_sequence")

    def train():
        autograd.manual_seed(0)
        return module["train"](module["Adder"](8), 2, 4, report=str)[-1]

    return module["Adder"], train


def physics_informed():
    module = example("physics_informed")
    return module["Curve"], lambda: module["path_of"](module["train"](True, 5, report=str))


@pytest.mark.parametrize("make", [fizzbuzz, regression, sine, lstm_sequence, physics_informed])
def test_an_example_trains_as_in_eager_code_with_its_model_compiled(make, monkeypatch, capsys):
    model, train = make()
    wanted, forward = train(), model.forward
    fast = autograd.compile(forward)
    if make is lstm_sequence:  # how long the sequences are has to be known: a tuple of numbers

        def of_numbers(self, data, *others):
            sizes, *places = (None if o is None else np.array(o) for o in others)
            return forward(self, nn.utils.rnn.PackedSequence(data, sizes, *places))

        fast = autograd.compile(of_numbers)
        plain = lambda o: None if o is None else tuple(o.tolist())
        changed = lambda self, x: fast(self, x.data, *map(plain, x[1:]))
    monkeypatch.setattr(model, "forward", changed if make is lstm_sequence else fast)
    np.testing.assert_allclose(train(), wanted, rtol=1e-4, atol=1e-6)
    assert "operations" in repr(fast)
    capsys.readouterr()
