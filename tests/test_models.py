"""The models in docs/examples/models: their own source under PyTorch is what they are held to."""

import types
from pathlib import Path

import numpy as np
import pytest
from torch_twin import torch

import nn
import optim
from autograd import Variable

FOLDER = Path(__file__).parent.parent / "docs" / "examples" / "models"

# Class -> (module, arguments, input: a shape of images or noise, a number of words or None).
MODELS = {
    "ResNet18": ("resnet", {"classes": 3, "width": 4}, (4, 3, 48, 48)),
    "UNet": ("unet", {"width": 3, "depth": 2}, (2, 1, 8, 12)),
    "GPT": (
        "gpt",
        {"words": 11, "context": 6, "width": 8, "heads": 2, "layers": 2, "dropout": 0.0},
        11,
    ),
    "ViT": (
        "vit",
        {
            "size": 8,
            "patch": 4,
            "classes": 3,
            "width": 8,
            "heads": 2,
            "layers": 2,
            "dropout": 0.0,
        },
        (2, 3, 8, 8),
    ),
    "LanguageModel": ("lstm", {"words": 11, "width": 6, "dropout": 0.0}, 11),
    "Generator": ("dcgan", {"noise": 5, "width": 2}, (3, 5, 1, 1)),
    "Discriminator": ("dcgan", {"width": 2}, (3, 3, 64, 64)),
}


def make(name, imports=(), **changes):
    """Build a tiny model from its source, in which each pair of `imports` was exchanged."""
    file, arguments, _ = MODELS[name]
    source = (FOLDER / f"{file}.py").read_text(encoding="utf-8")
    for ours, theirs in imports:
        source = source.replace(f"\n{ours}\n", f"\n{theirs}\n")
    module = types.ModuleType(file)
    exec(compile(source, f"{file}.py", "exec"), vars(module))
    return getattr(module, name)(**(arguments | changes))


def make_twin(name):
    """Build the same model of PyTorch's modules: only the imports change."""
    torch().manual_seed(0)
    return make(
        name,
        [
            ("import nn", "from torch import nn"),
            ("from nn import functional as F", "from torch.nn import functional as F"),
            ("import numpy as np", "import torch as np"),
        ],
    )


def draw(name, dtype, rng):
    _, _, wanted = MODELS[name]
    if isinstance(wanted, int):
        return rng.integers(0, wanted, (2, 6))
    return rng.normal(size=wanted).astype(dtype)


def scores(result):
    return result[0] if isinstance(result, tuple) else result


def disturb(model, rng):
    """Move all parameters away from zeros, ones and each other."""
    for parameter in model.parameters():
        noise = rng.normal(0.0, 0.1, parameter.shape)
        parameter.data = (parameter.data + noise).astype(parameter.dtype)


def assert_close(found, wanted, tolerance, scale=1.0):
    """Compare up to `tolerance` of the largest entry, or of `scale`."""
    wanted = np.asarray(wanted)
    assert found.dtype == wanted.dtype
    atol = tolerance * max(scale, np.abs(wanted).max())
    np.testing.assert_allclose(found, wanted, rtol=0, atol=atol)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_gradient_of_its_loss_and_learns(name):
    rng = np.random.default_rng(0)
    model = make(name).double()
    disturb(model, rng)
    x = draw(name, np.float64, rng)
    weights = rng.normal(size=scores(model(x)).shape)

    def loss():
        return (scores(model(x)) * weights).mean()

    before = loss()
    before.backward()
    parameters = list(model.parameters())
    gradients, starts = [p.grad for p in parameters], [p.data.copy() for p in parameters]
    directions = [rng.normal(size=p.shape) for p in parameters]
    slope = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    values = []
    for h in (1e-6, -1e-6):
        for p, start, d in zip(parameters, starts, directions, strict=True):
            p.data = start + h * d
        values.append(loss().item())
    np.testing.assert_allclose((values[0] - values[1]) / 2e-6, slope, rtol=1e-5)

    for p, start in zip(parameters, starts, strict=True):
        p.data = start
    size = np.sqrt(sum((g**2).sum() for g in gradients))
    optim.SGD(parameters, lr=0.01 / size).step()
    assert loss().item() < before.item()


@pytest.mark.torch
@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize("name", MODELS)
def test_weights_travel_both_ways_and_compute_the_same(name, dtype, tolerance, tmp_path):
    files = pytest.importorskip("safetensors.torch")
    rng = np.random.default_rng(1)
    ours, theirs = make(name), make_twin(name)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs, ours = theirs.to(getattr(torch(), dtype)), ours.to(dtype)
    with torch().no_grad():
        for parameter in theirs.parameters():
            parameter += 0.1 * torch().randn(parameter.shape, dtype=parameter.dtype)

    # From PyTorch to us: as .safetensors, which holds a tied weight once, and as .npz.
    files.save_model(theirs, str(tmp_path / "theirs.safetensors"))
    ours.load_state_dict(nn.load(tmp_path / "theirs.safetensors"))
    wanted = {key: value.numpy().copy() for key, value in theirs.state_dict().items()}
    np.savez(tmp_path / "theirs.npz", **wanted)
    for state in (ours.state_dict(), nn.load(tmp_path / "theirs.npz")):
        assert list(state) == list(wanted)
        assert all(np.array_equal(state[key], wanted[key]) for key in wanted)

    x = draw(name, dtype, rng)
    trained = x.dtype.kind == "f"
    mine = Variable(x, requires_grad=True) if trained else x
    other = torch().tensor(x, requires_grad=trained)
    out, goal = scores(ours(mine)), scores(theirs(other))
    assert_close(out.data, goal.detach().numpy(), tolerance)
    weights = rng.normal(size=out.shape).astype(dtype)
    out.backward(weights)
    goal.backward(torch().tensor(weights))
    if trained:
        assert_close(mine.grad, other.grad, tolerance)
    # Some gradients cancel to 0, a bias before a norm: the largest of the model is the measure.
    largest = max(q.grad.abs().max().item() for q in theirs.parameters())
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(p.grad, q.grad, tolerance, largest)
    for b, c in zip(ours.buffers(), theirs.buffers(), strict=True):
        assert_close(b, c, tolerance)

    # And back, into a model that starts with other weights.
    disturb(ours, rng)
    nn.save(tmp_path / "ours.safetensors", ours.state_dict())
    again = make_twin(name).to(getattr(torch(), dtype)).eval()
    files.load_model(again, str(tmp_path / "ours.safetensors"))
    ours.eval()
    with torch().no_grad():
        assert_close(scores(ours(x)).data, scores(again(torch().tensor(x))), tolerance)
    nn.save(tmp_path / "ours.npz", ours.state_dict())
    arrays = nn.load(tmp_path / "ours.npz")
    again.load_state_dict({key: torch().tensor(value) for key, value in arrays.items()})
    with torch().no_grad():
        assert_close(scores(ours(x)).data, scores(again(torch().tensor(x))), tolerance)


@pytest.mark.torch
def test_an_lstm_goes_on_from_the_state_that_pytorch_left():
    ours, theirs = make("LanguageModel"), make_twin("LanguageModel")
    ours.load_state_dict(theirs.state_dict())
    words = np.random.default_rng(2).integers(0, 11, (2, 8))
    _, state = theirs(torch().tensor(words[:, :4]))
    found, _ = ours(words[:, 4:], tuple(part.detach().numpy() for part in state))
    wanted, _ = theirs(torch().tensor(words[:, 4:]), state)
    assert_close(found.data, wanted.detach().numpy(), 1e-6)


def test_a_resnet_of_full_size_has_the_parameters_of_the_paper():
    count = sum(p.size for p in make("ResNet18", width=64, classes=1000).parameters())
    assert count == 11_689_512  # as torchvision's
