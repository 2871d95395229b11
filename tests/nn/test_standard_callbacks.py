"""Clipping, schedules per step, accumulated gradients, and resuming in the middle of an epoch."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn
import optim
from nn import Callback, Checkpoint

ROOT = Path(nn.__file__).parent.parent
X = np.random.default_rng(0).normal(size=(22, 3))
Y = X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3


def linear():
    model = nn.Linear(3, 1, dtype=np.float64)
    for parameter in model.parameters():
        parameter.data = np.full(parameter.shape, 0.1)
    return model


def batches(size, **options):
    return nn.DataLoader(nn.ArrayDataset(X, Y), size, **options)


def fit(model, data, epochs=2, lr=0.05, loss=None, **options):
    optimizer = optim.SGD(model.parameters(), lr=lr)
    options = {"progress": False} | options
    return nn.fit(model, data, loss or nn.MSELoss(), optimizer, epochs, **options)


class Noting(Callback):
    """Notes what a function returns after each step."""

    def __init__(self, what):
        self.what, self.noted = what, []

    def on_batch_end(self, state):
        self.noted.append(self.what(state))


# -- accumulation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("workers", [0, 2])
def test_accumulated_batches_make_the_step_of_one_large_batch(reduction, workers):
    """Also at the end of an epoch, with fewer and smaller batches: 22 = 2 * 9 + 3 + 1."""
    loss = nn.MSELoss(reduction=reduction)
    lr = 0.05 if reduction == "mean" else 0.002
    large, small = linear(), linear()
    steps = Noting(lambda state: (state.step, state.batch, state.loss))
    expected = fit(large, batches(9), loss=loss, lr=lr)
    found = fit(
        small,
        batches(3, num_workers=workers),
        loss=loss,
        lr=lr,
        accumulate=3,
        callbacks=[steps],
        metrics=["mse"],
    )
    np.testing.assert_allclose(small.weight.data, large.weight.data, rtol=1e-13)
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-13)
    assert [noted[:2] for noted in steps.noted] == [(1, 3), (2, 6), (3, 8), (4, 3), (5, 6), (6, 8)]
    if reduction == "mean":
        np.testing.assert_allclose(found["mse"], expected["loss"], rtol=1e-13)
        first = (((X[:9] @ np.full((3, 1), 0.1) + 0.1) - Y[:9]) ** 2).mean()
        assert steps.noted[0][2] == pytest.approx(first, rel=1e-13)


def test_a_step_of_ones_own_accumulates_as_well():
    def step(model, batch):
        return nn.functional.mse_loss(model(batch["x"]), batch["y"])

    def samples(size):
        return nn.DataLoader([{"x": x, "y": y} for x, y in zip(X, Y, strict=True)], size)

    models = [linear(), linear()]
    for model, size, count in zip(models, (8, 2), (1, 4), strict=True):
        optimizer = optim.SGD(model.parameters(), lr=0.05)
        nn.fit(
            model,
            samples(size),
            step=step,
            optimizer=optimizer,
            epochs=1,
            accumulate=count,
            progress=False,
        )
    np.testing.assert_allclose(models[0].weight.data, models[1].weight.data, rtol=1e-13)


@pytest.mark.parametrize("accumulate", [0, 1.5, True])
def test_a_wrong_number_of_batches_is_refused(accumulate):
    with pytest.raises(ValueError, match="fit: wanted accumulate as a number of batches, got"):
        fit(linear(), batches(4), accumulate=accumulate)


# -- clipping --------------------------------------------------------------------------------------


def norm(state):
    return math.sqrt(sum((p.grad**2).sum() for p in state.model.parameters()))


def test_gradients_are_clipped_before_the_step():
    plain, clipped, small = Noting(norm), Noting(norm), Noting(norm)
    fit(linear(), batches(9), callbacks=[plain])
    model = linear()
    before = model.weight.data.copy(), model.bias.data.copy()
    fit(model, batches(22), 1, lr=1.0, callbacks=[nn.ClipGradNorm(0.5), clipped])
    moved = [a - b for a, b in zip(before, (model.weight.data, model.bias.data), strict=True)]
    assert min(plain.noted[:3]) > 0.6
    assert clipped.noted == [pytest.approx(0.5, rel=1e-5)]
    assert math.sqrt(sum((m**2).sum() for m in moved)) == pytest.approx(0.5, rel=1e-5)
    fit(linear(), batches(22), 1, callbacks=[nn.ClipGradNorm(0.5, math.inf), small])
    largest = Noting(lambda state: max(abs(p.grad).max() for p in state.model.parameters()))
    fit(linear(), batches(22), 1, callbacks=[nn.ClipGradValue(0.25), largest])
    assert largest.noted == [0.25]
    assert small.noted[0] > 0.5


# -- schedules -------------------------------------------------------------------------------------


def test_a_schedule_is_stepped_after_each_step_of_the_optimizer():
    model = linear()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    schedule = optim.lr_scheduler.LinearLR(optimizer, 0.5, 1.0, total_iters=4)
    rates = Noting(lambda state: state.optimizer.param_groups[0]["lr"])
    nn.fit(
        model,
        batches(4),
        nn.MSELoss(),
        optimizer,
        1,
        accumulate=2,
        callbacks=[nn.StepSchedule(schedule), rates],
        progress=False,
    )
    np.testing.assert_allclose(rates.noted, [0.0625, 0.075, 0.0875])


def test_a_schedule_per_step_must_be_one_of_this_optimizer():
    with pytest.raises(TypeError, match="StepSchedule: wanted a schedule with a method step"):
        nn.StepSchedule(optim.lr_scheduler.StepLR)
    other = optim.lr_scheduler.StepLR(optim.SGD(linear().parameters(), 0.1), 1)
    with pytest.raises(ValueError, match="StepSchedule: wanted a schedule of this optimizer"):
        fit(linear(), batches(4), callbacks=[nn.StepSchedule(other)])
    model = linear()
    optimizer = optim.SGD(model.parameters(), 0.1)
    plateau = optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(TypeError, match=r"StepSchedule: wanted a schedule whose step\(\) needs no"):
        nn.StepSchedule(plateau)


# -- resuming in the middle of an epoch ------------------------------------------------------------

SCRIPT = """
import sys
import numpy as np
import autograd, nn, optim


class Augmented(nn.Dataset):
    def __init__(self):
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=(26, 3)).astype(np.float32)
        self.y = self.x.sum(axis=1, keepdims=True)

    def __getitem__(self, index):
        noise = nn.batch_generator().normal(scale=0.1, size=3).astype(np.float32)
        return self.x[index] + noise, self.y[index]

    def __len__(self):
        return len(self.x)


def train(folder, seed, workers=0, resume=None):
    autograd.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.01, amsgrad=True)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=40)
    history = nn.fit(
        model,
        nn.DataLoader(Augmented(), 4, shuffle=True, generator=seed, num_workers=workers),
        nn.MSELoss(),
        optimizer,
        3,
        accumulate=2,
        validation_data=nn.DataLoader(Augmented(), 26, generator=5),
        metrics=["mae"],
        callbacks=[
            nn.Checkpoint(f"{folder}/{{step}}.npz", steps=1),  # before the schedule on purpose
            nn.ClipGradNorm(1.0),
            nn.StepSchedule(schedule),
            nn.EarlyStopping(patience=9, restore_best=False),
        ],
        resume=resume,
        progress=False,
    )
    nn.save(f"{folder}/end.npz", model=model, optimizer=optimizer, schedule=schedule,
            history=history.epochs, best=history.best_epoch)


if __name__ == "__main__":
    for step in sys.argv[2:]:
        train(f"{sys.argv[1]}/from{step}", 99, 2, f"{sys.argv[1]}/{step}.npz")
"""


def flat(tree, path=""):
    if isinstance(tree, dict | list | tuple):
        pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
        return {k: v for n, part in pairs for k, v in flat(part, f"{path}/{n}").items()}
    return {path: tree.tobytes() if isinstance(tree, np.ndarray) else tree}


def test_a_training_resumed_in_a_new_process_in_the_middle_of_an_epoch_has_the_same_bits(tmp_path):
    """With other seeds, and workers where there were none: all that matters is in the file."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    names = {"__name__": "script"}
    exec(SCRIPT, names)
    names["train"](tmp_path, 1)
    whole = flat(nn.load(tmp_path / "end.npz"))
    # 7 batches are 4 steps: inside the second epoch, at its last step, between epochs, at the end.
    steps = ("6", "8", "12")
    for step in steps:
        (tmp_path / f"from{step}").mkdir()
    subprocess.run(
        [sys.executable, "-W", "error", path, tmp_path, *steps],
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    for step in steps:
        assert flat(nn.load(tmp_path / f"from{step}" / "end.npz")) == whole, step
    assert nn.load(tmp_path / "6.npz")["batch"] == 4
    assert any("exp_avg" in name for name in whole)


def test_data_that_cannot_tell_their_place_are_read_up_to_it(tmp_path):
    data = [(X[i : i + 4], Y[i : i + 4]) for i in range(0, 22, 4)]
    whole, resumed = linear(), linear()
    history = fit(whole, data, callbacks=[Checkpoint(tmp_path / "{step}.npz", steps=2)])
    calls = []

    class Begins(Callback):
        def on_epoch_begin(self, state):
            calls.append(state.epoch)

    again = fit(resumed, data, resume=tmp_path / "4.npz", callbacks=[Begins()])
    np.testing.assert_array_equal(resumed.weight.data, whole.weight.data)
    assert again.to_dict() == history.to_dict()
    assert calls == [2], "the first epoch had begun already"
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{n}.npz" for n in (10, 12, 2, 4, 6, 8)]


def test_a_checkpoint_with_a_wrong_place_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    fit(linear(), batches(4), 1, callbacks=[Checkpoint(path, steps=2, every=9)])
    tree = nn.load(path)
    for wrong in ({"batch": -1}, {"step": 1.5}, {"meter": {}}, {"meter": {"samples": "many"}}):
        nn.save(path, tree | wrong)
        with pytest.raises(ValueError, match="wanted a file that the Checkpoint callback has writ"):
            fit(linear(), batches(4), 1, resume=path)
    with pytest.raises(ValueError, match="Checkpoint: wanted steps of at least 1, got 0"):
        Checkpoint(path, steps=0)


# -- the best epoch --------------------------------------------------------------------------------


class Script(Callback):
    def __init__(self, *values):
        self.values = values

    def on_epoch_end(self, state):
        state.logs["validation_loss"] = self.values[state.epoch - 1]


def test_the_plot_marks_the_epoch_that_early_stopping_found_best(tmp_path):
    pytest.importorskip("matplotlib")

    def run(epochs, **options):
        stopping = nn.EarlyStopping(patience=3)
        callbacks = [Script(5, 3, 4, 4, 4), stopping, Checkpoint(tmp_path / "a.npz")]
        return fit(linear(), batches(22), epochs, callbacks=callbacks, metrics=["mae"], **options)

    history = run(5)
    assert history.best_epoch == 2
    figure = history.plot(tmp_path / "loss.png")
    for axes in figure.axes:
        (line,) = (line for line in axes.lines if line.get_label() == "best epoch, 2")
        assert list(line.get_xdata()) == [2, 2]
    shown = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert shown == ["training", "validation", "best epoch, 2"]
    assert run(5, resume=tmp_path / "a.npz").best_epoch == 2
    assert fit(linear(), batches(22)).best_epoch is None
