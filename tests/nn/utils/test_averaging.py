"""Averages of weights: PyTorch's numbers, the formulas, statistics of batch norms, checkpoints."""

import copy

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.utils import averaging
from optim import swa_utils

DATA = np.random.default_rng(0).normal(size=(24, 3))


def network(library, dtype=None):
    options = {} if dtype is None else {"dtype": dtype}
    return library.Sequential(
        library.Linear(3, 4, **options), library.BatchNorm1d(4, **options), library.Tanh()
    )


def trained(steps=6, **options):
    """Yield (model, averaged) after each change of the model."""
    model = network(nn, np.float64)
    averaged = averaging.AveragedModel(model, **options)
    rng = np.random.default_rng(1)
    for _ in range(steps):
        for p in model.parameters():
            p.data = rng.normal(size=p.shape)
        model(rng.normal(size=(8, 3)))  # moves the running statistics
        averaged.update_parameters(model)
        yield model, averaged


FUNCTIONS = {
    "mean": lambda m: {},
    "mean of buffers, too": lambda m: {"use_buffers": True},
    "ema": lambda m: {"avg_fn": m.get_ema_avg_fn(0.75)},
    "ema of lists": lambda m: {"multi_avg_fn": m.get_ema_multi_avg_fn(0.75), "use_buffers": True},
    "mean of lists": lambda m: {"multi_avg_fn": m.get_swa_multi_avg_fn()},
    "own": lambda m: {"avg_fn": lambda a, w, n: (a * n + 2 * w) / (n + 2)},
}


@pytest.mark.torch
@pytest.mark.parametrize("name", FUNCTIONS)
def test_averages_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    peer_utils = torch.optim.swa_utils
    peer = network(torch.nn, torch.float64)
    peer_averaged = peer_utils.AveragedModel(peer, **FUNCTIONS[name](peer_utils))
    for model, ours in trained(**FUNCTIONS[name](averaging)):
        peer.load_state_dict({k: torch.tensor(v) for k, v in model.state_dict().items()})
        peer_averaged.update_parameters(peer)
        last = ours.state_dict()
    theirs = peer_averaged.state_dict()
    assert list(last) == list(theirs)
    # PyTorch's mean of lists divides by a number in float32.
    near = 1e-5 if name == "mean of lists" else 1e-12
    for key, value in last.items():
        np.testing.assert_allclose(value, theirs[key].numpy(), rtol=near, atol=1e-15)


@pytest.mark.torch
def test_statistics_of_batch_norms_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    *_, (_, averaged) = trained()
    peer = torch.optim.swa_utils.AveragedModel(network(torch.nn, torch.float64))
    peer.load_state_dict({k: torch.tensor(v) for k, v in averaged.state_dict().items()})
    averaging.update_bn([(DATA[:10], 0), (DATA[10:], 1)], averaged)
    torch.optim.swa_utils.update_bn([torch.tensor(DATA[:10]), torch.tensor(DATA[10:])], peer)
    theirs = peer.state_dict()
    for key, value in averaged.state_dict().items():
        np.testing.assert_allclose(value, theirs[key].numpy(), rtol=1e-12)


def test_the_mean_of_all_models_and_the_moving_average_follow_their_formulas():
    weights, expected = [], 0.0
    runs = zip(trained(), trained(avg_fn=averaging.get_ema_avg_fn(0.75)), strict=True)
    for (model, mean), (_, moving) in runs:
        weights.append(model[0].weight.data.copy())
        expected = 0.75 * expected + 0.25 * weights[-1] if len(weights) > 1 else weights[0]
        np.testing.assert_allclose(mean.module[0].weight.data, np.mean(weights, axis=0))
        np.testing.assert_allclose(moving.module[0].weight.data, expected)
        # Buffers are those of the last model.
        np.testing.assert_array_equal(mean.module[1].running_var, model[1].running_var)
    assert mean.n_averaged == 6


def test_statistics_are_those_of_all_the_data_and_modes_come_back():
    norm = nn.BatchNorm1d(3, momentum=0.3, dtype=np.float64)
    model = nn.Sequential(norm, nn.Dropout(0.5)).eval()
    model[1].train()
    norm.running_mean = np.full(3, 9.0)
    averaging.update_bn([DATA[:12], [DATA[12:]]], model)
    np.testing.assert_allclose(norm.running_mean, DATA.mean(axis=0))
    variances = [part.var(axis=0, ddof=1) for part in (DATA[:12], DATA[12:])]
    np.testing.assert_allclose(norm.running_var, np.mean(variances, axis=0))
    assert norm.momentum == 0.3
    assert [m.training for m in model.modules()] == [False, False, True]
    with pytest.raises(ValueError, match="wanted"):
        averaging.update_bn([np.zeros((2, 5))], model)
    assert norm.momentum == 0.3
    assert not model.training
    assert autograd.is_grad_enabled()
    averaging.update_bn(None, nn.Linear(1, 1))  # nothing to do, and no batch is asked for


def test_the_copy_shares_nothing_and_recorded_graphs_notice():
    model = nn.Linear(2, 1)
    averaged = averaging.AveragedModel(model)
    before = averaged.module.weight.data.copy()
    model.weight.data[...] = 5.0
    np.testing.assert_array_equal(averaged.module.weight.data, before)
    np.testing.assert_array_equal(
        averaged(DATA[:, :2]).data, nn.functional.linear(DATA[:, :2], before, model.bias).data
    )
    loss = (averaged.module.weight**2).sum()
    averaged.update_parameters(model)
    np.testing.assert_array_equal(averaged.module.weight.data, 5.0)
    with pytest.raises(RuntimeError, match="was changed"):
        loss.backward()


def test_a_checkpoint_continues_and_the_model_may_be_part_of_another(tmp_path):
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.student = nn.Linear(2, 1)
            self.teacher = averaging.AveragedModel(self.student, use_buffers=True)

    pair = Pair()
    pair.teacher.update_parameters(pair.student)
    pair.teacher.update_parameters(pair.student)
    nn.save(tmp_path / "pair.npz", model=pair)
    other = Pair()
    nn.load(tmp_path / "pair.npz", model=other)
    twin = copy.deepcopy(pair)
    for each in (pair, other, twin):
        each.student.weight.data[...] = 3.0
        each.teacher.update_parameters(each.student)
        assert each.teacher.n_averaged == 3
    for key, value in pair.state_dict().items():
        np.testing.assert_array_equal(value, other.state_dict()[key])
        np.testing.assert_array_equal(value, twin.state_dict()[key])


def test_training_with_averages_as_in_pytorch():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 3))
    y = x @ np.array([[1.0], [-2.0], [0.5]]) + rng.normal(size=(64, 1))
    best = np.linalg.lstsq(x, y, rcond=None)[0].T
    model = nn.Linear(3, 1, bias=False, dtype=np.float64)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    averaged = optim.swa_utils.AveragedModel(model)
    schedule = optim.swa_utils.SWALR(optimizer, swa_lr=0.25, anneal_epochs=5)
    errors = []
    for epoch in range(60):
        for part in rng.permutation(64).reshape(8, 8):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x[part]), y[part]).backward()
            optimizer.step()
        if epoch >= 10:
            averaged.update_parameters(model)
            schedule.step()
            errors.append(np.abs(model.weight.data - best).max())
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.25)
    assert np.abs(averaged.module.weight.data - best).max() < 0.5 * np.mean(errors)


def test_both_addresses_have_the_same_names():
    assert set(swa_utils.__all__) == {"SWALR", *averaging.__all__}
    assert swa_utils is optim.swa_utils
    assert "swa_utils" in dir(optim)
    with pytest.raises(AttributeError, match="module 'optim' has no attribute 'swa_util'"):
        optim.swa_util  # noqa: B018 - the attribute itself is asked for


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: averaging.AveragedModel(3), TypeError, "AveragedModel: wanted a Module, got int"),
        (
            lambda: averaging.AveragedModel(nn.ReLU(), None, max, max),
            ValueError,
            "AveragedModel: wanted avg_fn or multi_avg_fn, got both",
        ),
        (
            lambda: averaging.AveragedModel(nn.ReLU(), "cuda"),
            ValueError,
            "AveragedModel: wanted device None or 'cpu', got 'cuda'",
        ),
        (
            lambda: averaging.AveragedModel(nn.Linear(2, 1)).update_parameters(nn.Linear(1, 1)),
            ValueError,
            r"wanted a model with parameters of the shapes \[\(1, 2\), \(1,\)\], got \[\(1, 1\)",
        ),
        (lambda: averaging.get_ema_avg_fn(1.5), ValueError, "wanted 0 <= decay <= 1, got 1.5"),
        (lambda: averaging.get_ema_multi_avg_fn(-1), ValueError, "wanted 0 <= decay <= 1, got -1"),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
