import io
import math
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import optim
from nn import Callback, Checkpoint, EarlyStopping, History

X = np.random.default_rng(0).normal(size=(22, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]], dtype=np.float32)) + 0.3


def loader(batch_size=4, shuffle=True, seed=5, **options):
    return nn.DataLoader(nn.ArrayDataset(X, Y), batch_size, shuffle, generator=seed, **options)


class Net(nn.Module):
    """Everything that has a state of its own: parameters, buffers, a random stream."""

    def __init__(self, seed=1):
        super().__init__()
        autograd.manual_seed(seed)
        self.inner = nn.Linear(3, 8)
        self.norm = nn.BatchNorm1d(8)
        self.drop = nn.Dropout(0.4)
        self.outer = nn.Linear(8, 1)

    def forward(self, x):
        return self.outer(self.drop(nn.functional.tanh(self.norm(self.inner(x)))))


def linear(value=0.0):
    model = nn.Linear(3, 1)
    for parameter in model.parameters():
        parameter.data = np.full(parameter.shape, value, dtype=np.float32)
    return model


def sgd(model, lr=0.05, **options):
    return optim.SGD(model.parameters(), lr=lr, **options)


def assert_equal_states(one, other):
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def fit(model, data, *args, loss=None, **options):
    options.setdefault("progress", False)
    return nn.fit(model, data, loss or nn.MSELoss(), *args, **options)


# -- the loop ------------------------------------------------------------------------------------


def test_the_loop_is_gradient_descent_written_out_in_numpy():
    model = linear()
    history = fit(model, loader(8, shuffle=False), sgd(model, 0.1), 2)
    w, b, losses = np.zeros((3, 1)), 0.0, []
    for _ in range(2):
        total = 0.0
        for start in range(0, 22, 8):
            x, y = X[start : start + 8].astype(float), Y[start : start + 8]
            error = x @ w + b - y
            total += (error**2).sum()
            w, b = w - 0.1 * 2 * x.T @ error / len(x), b - 0.1 * 2 * error.mean()
        losses.append(total / 22)
    np.testing.assert_allclose(model.weight.data, w.T, rtol=1e-5)
    np.testing.assert_allclose(model.bias.data, [b], rtol=1e-5)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-5)
    assert history["learning_rate"] == [0.1, 0.1]


def test_numbers_of_an_epoch_do_not_depend_on_how_it_is_cut_into_batches():
    def shift(prediction, target):
        return float((prediction - target).mean())

    expected = float((Y.astype(float) ** 2).mean())
    for size in (22, 5, 4, 1):
        model = linear()
        history = fit(
            model,
            loader(size),
            sgd(model, lr=0.0),
            1,
            validation_data=loader(3),
            metrics=[shift],
        )
        np.testing.assert_allclose(history["loss"], [expected], rtol=1e-6)
        np.testing.assert_allclose(history["validation_loss"], [expected], rtol=1e-6)
        np.testing.assert_allclose(history["shift"], [-Y.mean(dtype=float)], rtol=1e-5)
        np.testing.assert_allclose(history["validation_shift"], history["shift"], rtol=1e-5)


def test_a_summed_loss_is_summed_over_the_epoch():
    model = linear()
    history = fit(model, loader(5), sgd(model, lr=0.0), 1, loss=nn.MSELoss(reduction="sum"))
    np.testing.assert_allclose(history["loss"], [(Y.astype(float) ** 2).sum()], rtol=1e-6)


def test_training_and_validation_run_in_their_modes_and_leave_the_model_in_its_own():
    modes = []

    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 1)

        def forward(self, x):
            modes.append((self.training, autograd.is_grad_enabled()))
            return self.inner(x)

    for training in (True, False):
        model = Spy().train(training)
        modes.clear()
        fit(model, loader(22), sgd(model), 2, validation_data=loader(22))
        assert modes == [(True, True), (False, False)] * 2
        assert model.training is training


def test_several_inputs_and_metrics_by_name():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(np.zeros(1))

        def forward(self, a, b):
            return a * self.w + b

    data = [(np.ones(2), np.ones(2), np.full(2, 3.0))]
    model = Pair()
    seen = []
    history = fit(
        model, data, sgd(model, 0.1), 3, metrics={"gap": lambda p, t: seen.append(p) or 7}
    )
    assert history["gap"] == [7, 7, 7]
    assert all(type(prediction) is np.ndarray for prediction in seen)
    assert history["loss"][0] == 4.0


def test_schedules_are_stepped_per_epoch_with_a_number_where_they_need_one():
    model = linear()
    optimizer = sgd(model, 0.08)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    history = fit(model, loader(), optimizer, 3, scheduler=schedule)
    assert history["learning_rate"] == [0.08, 0.04, 0.02]

    class Plateau:
        def __init__(self):
            self.given = []

        def step(self, metrics):
            self.given.append(metrics)

    for validation in (None, loader(22)):
        plateau = Plateau()
        history = fit(model, loader(), optimizer, 2, scheduler=plateau, validation_data=validation)
        assert plateau.given == history["loss" if validation is None else "validation_loss"]


def test_evaluate_changes_nothing():
    model = Net()
    before = model.state_dict()
    numbers = nn.evaluate(model, loader(), nn.MSELoss(), [nn.accuracy])
    assert set(numbers) == {"loss", "accuracy"}
    assert_equal_states(model.state_dict(), before)
    assert model.training


def test_accuracy_counts_right_classes():
    scores = np.array([[1.0, 3, 2], [0, 0, 1], [5, 1, 1], [0, 1, 0]])
    assert nn.accuracy(scores, [1, 2, 0, 0]) == 0.75
    assert nn.accuracy(scores, np.eye(3)[[1, 2, 0, 1]]) == 1.0
    with pytest.raises(ValueError, match=r"wanted classes of shape \(4,\) or rows of shape \(4, 3"):
        nn.accuracy(scores, [1, 2])


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, match",
    [
        (nn.ArrayDataset(X, Y), "wanted data in batches, got ArrayDataset; write DataLoader"),
        ((X, Y), "wanted data in batches, got tuple"),
        (X, "wanted data in batches, got ndarray"),
        (iter([(X, Y)]), "wanted data that can be read once per epoch, got list_iterator"),
        (3, "wanted data that can be read once per epoch, got int"),
        ([X], r"wanted batches \(inputs, target\), got ndarray"),
        ([(X,)], r"wanted batches \(inputs, target\), got tuple of 1"),
    ],
)
def test_data_that_is_not_batches_says_what_to_write(data, match):
    model = linear()
    with pytest.raises(TypeError, match=match):
        fit(model, data, sgd(model), 1)


def test_validation_data_is_checked_before_the_training():
    model = linear()
    with pytest.raises(TypeError, match="wanted validation_data in batches, got tuple"):
        fit(model, loader(), sgd(model), 1, validation_data=(X, Y))
    assert not model.weight.data.any()


@pytest.mark.parametrize("data", [[], loader(30, drop_last=True), [(X[:0], Y[:0])]])
def test_no_data_is_an_error(data):
    model = linear()
    with (
        np.errstate(all="ignore"),
        pytest.raises((ValueError, FloatingPointError), match="fit: "),
    ):
        fit(model, data, sgd(model), 1)


@pytest.mark.parametrize(
    "loss, error, match",
    [
        (lambda p, t: p - t, ValueError, r"wanted a scalar loss, got shape \(4, 1\); use reduct"),
        (lambda p, t: 1.0, TypeError, "wanted the loss as a Variable, got float"),
        (
            lambda p, t: ((p.detach() - t) ** 2).mean(),
            ValueError,
            "one without a gradient; is ever",
        ),
    ],
)
def test_a_loss_that_cannot_train_is_explained(loss, error, match):
    model = linear()
    with pytest.raises(error, match=match):
        fit(model, loader(), sgd(model), 1, loss=loss)


def test_a_loss_that_becomes_nan_names_epoch_and_batch_and_keeps_the_last_parameters():
    model = linear()
    y = Y.copy()
    y[9] = np.nan
    data = nn.DataLoader(nn.ArrayDataset(X, y), 4)
    kept = []
    with pytest.raises(FloatingPointError, match="the loss became nan in epoch 1, batch 3; try a"):
        fit(model, data, sgd(model), 5, callbacks=[Recorder(kept)])
    np.testing.assert_array_equal(model.weight.data, kept[-1])
    assert np.isfinite(kept[-1]).all()


def test_a_metric_may_not_take_the_name_of_the_loss():
    model = linear()
    with pytest.raises(ValueError, match="wanted another name than 'loss' for a metric"):
        fit(model, loader(), sgd(model), 1, metrics={"loss": nn.accuracy})


def test_callbacks_are_callbacks_or_functions():
    model = linear()
    with pytest.raises(TypeError, match="wanted a Callback or a function in callbacks, got int"):
        fit(model, loader(), sgd(model), 1, callbacks=[3])


MODEL = linear()


@pytest.mark.parametrize(
    "arguments, error, match",
    [
        ((MODEL, X, Y), TypeError, r"wanted data in batches, got ndarray; write DataLoader\(Array"),
        ((MODEL, autograd.Variable(X), Y), TypeError, "wanted data in batches, got Variable"),
        (
            (MODEL, loader()),
            TypeError,
            r"a function of \(prediction, target\), got none; write nn.M",
        ),
        ((MODEL, loader(), nn.MSELoss), TypeError, r"got the class MSELoss; write MSELoss\(\)"),
        ((MODEL, loader(), "mse"), TypeError, r"got the text 'mse'; write nn.MSELoss\(\)"),
        (
            (MODEL, loader(), nn.MSELoss()),
            TypeError,
            "wanted an optimizer with .*, got none; write",
        ),
        ((MODEL, loader(), nn.MSELoss(), "adam"), TypeError, "an optimizer .* got the text 'adam'"),
        ((MODEL, loader(), nn.MSELoss(), optim.Adam), TypeError, "got the class Adam .write Adam"),
        ((MODEL, loader(), nn.MSELoss(), 3), TypeError, "wanted an optimizer with .*, got int"),
        ((MODEL, loader(), nn.MSELoss(), sgd(MODEL)), TypeError, "the number of epochs, got none"),
        (
            (MODEL, loader(), nn.MSELoss(), sgd(MODEL), 2.0),
            TypeError,
            "number of epochs, got float",
        ),
        (
            (nn.Linear, loader(), nn.MSELoss(), sgd(MODEL), 2),
            TypeError,
            "got the class Linear .wri",
        ),
        (
            ("net", loader(), nn.MSELoss(), sgd(MODEL), 2),
            TypeError,
            "Module as model, got the text",
        ),
    ],
)
def test_a_wrong_argument_is_named_with_what_to_write(arguments, error, match):
    with pytest.raises(error, match=f"fit: .*{match}"):
        nn.fit(*arguments)


@pytest.mark.parametrize(
    "options, error, match",
    [
        ({"metrics": "accuracy"}, TypeError, "wanted metrics in a list or a dict, got the text"),
        ({"metrics": nn.accuracy}, TypeError, "wanted metrics in a list or a dict, got function"),
        ({"metrics": ["acc"]}, TypeError, "one of 'accuracy', 'mae', 'mse', got the text 'acc'"),
        ({"metrics": {"a": 3}}, TypeError, r"a metric as a function of \(prediction, target\) or"),
        ({"metrics": [History]}, TypeError, "a metric .* got the class History"),
        ({"callbacks": EarlyStopping()}, TypeError, "a list of callbacks, got EarlyStopping"),
        ({"callbacks": [EarlyStopping]}, TypeError, "got the class EarlyStopping .write EarlyStop"),
        (
            {"scheduler": "cosine"},
            TypeError,
            "a schedule with a method step.., got the text 'cosin",
        ),
        ({"scheduler": optim.lr_scheduler.StepLR}, TypeError, "got the class StepLR"),
        (
            {"scheduler": optim.lr_scheduler.StepLR(sgd(MODEL), 1)},
            ValueError,
            "wanted a schedule of this optimizer, got that of another one",
        ),
        (
            {"step": lambda model, batch: 1},
            TypeError,
            "wanted either a loss with metrics or a step",
        ),
    ],
)
def test_a_wrong_option_is_named_with_what_to_write(options, error, match):
    with pytest.raises(error, match=f"fit: .*{match}"):
        fit(MODEL, loader(), sgd(MODEL), 1, **options)


def test_an_optimizer_of_another_model_is_refused():
    model, other = linear(), linear()
    with pytest.raises(
        ValueError, match=r"got one that holds none of them; write SGD\(model.parameters\(\)\) aft"
    ):
        fit(model, loader(), sgd(other), 5)
    assert len(fit(model, loader(), optim.SGD([model.weight]), 1)) == 1


def test_an_optimizer_of_the_parameters_of_the_loss_is_none_of_another_model():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter([1.0])

        def forward(self, prediction, target):
            return ((prediction - self.scale * target) ** 2).mean()

    loss = Scaled()
    history = fit(linear(0.5), loader(), optim.SGD(loss.parameters(), 0.1), 2, loss=loss)
    assert history["loss"][1] < history["loss"][0]


def test_a_forward_without_return_is_explained():
    class Forgetful(nn.Linear):
        def forward(self, x):
            super().forward(x)

    model = Forgetful(3, 1)
    for run in (
        lambda: fit(model, loader(), sgd(model), 1),
        lambda: nn.evaluate(model, loader(), nn.MSELoss()),
    ):
        with pytest.raises(
            TypeError, match="wanted a prediction from Forgetful.forward, got None; end it with re"
        ):
            run()
    model = linear()
    with pytest.raises(TypeError, match="fit: wanted a loss, got None; end the function with retu"):
        fit(model, loader(), sgd(model), 1, loss=lambda p, t: None)


def test_metrics_go_by_well_known_names():
    model = linear()
    history = fit(model, loader(22), sgd(model, 0.0), 1, metrics=["mae", "mse"])
    np.testing.assert_allclose(history["mae"], np.abs(Y).mean(), rtol=1e-5)
    np.testing.assert_allclose(history["mse"], history["loss"], rtol=1e-5)
    classes = (Y[:, 0] > 0).astype(int)
    data = nn.DataLoader(nn.ArrayDataset(X, classes), 22)
    model = nn.Linear(3, 2)
    history = fit(
        model, data, sgd(model), 1, loss=nn.CrossEntropyLoss(), metrics={"right": "accuracy"}
    )
    assert 0 <= history["right"][0] <= 1


# -- float64 -------------------------------------------------------------------------------------


class Scaled(nn.Module):
    """A float32 model with a factor."""

    def __init__(self, factor, buffer=False):
        super().__init__()
        self.inner = nn.Linear(3, 1)
        self.factor = factor
        if buffer:
            self.register_buffer("mask", np.ones(1))

    def forward(self, x):
        out = self.inner(x) * self.factor
        return out * self.mask if hasattr(self, "mask") else out


def mean_of(scale):
    return lambda p, t: ((p - t) ** 2).mean() * scale


@pytest.mark.parametrize(
    "x, y, model, loss, where",
    [
        (X.astype(float), Y, Scaled(1), None, r"the inputs are: convert the data once, by .astype"),
        (X, Y, Scaled(np.sqrt(2)), None, "the prediction is: look in forward for NumPy numbers"),
        (X, Y, Scaled(1, buffer=True), None, "the buffer 'mask' is: register it as float32"),
        (X, Y.astype(float), Scaled(1), None, "the target is: convert it once"),
        (X, Y, Scaled(1), mean_of(np.sqrt(2)), "look in the loss for NumPy numbers such as np.sqr"),
    ],
)
def test_a_float32_model_with_a_float64_loss_warns_once_and_says_where(x, y, model, loss, where):
    data = nn.DataLoader(nn.ArrayDataset(x, y), 8)
    with pytest.warns(
        UserWarning, match=f"fit: the parameters are float32, but the loss is float64, .*{where}"
    ) as caught:
        nn.fit(model, data, loss or nn.MSELoss(), sgd(model), 3, progress=False)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_float64_loss_of_a_step_warns_as_well():
    model = Scaled(np.sqrt(2))
    with pytest.warns(UserWarning, match="look in forward and in step for NumPy numbers"):
        nn.fit(
            model,
            loader(),
            step=lambda model, batch: ((model(batch[0]) - batch[1]) ** 2).mean(),
            optimizer=sgd(model),
            epochs=2,
            progress=False,
        )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_model_of_the_dtype_of_its_data_does_not_warn(dtype):
    model = nn.Linear(3, 1, dtype=dtype)
    data = nn.DataLoader(nn.ArrayDataset(X.astype(dtype), Y.astype(dtype)), 8)
    fit(model, data, sgd(model), 2)


# -- a step of one's own -------------------------------------------------------------------------


def test_a_step_takes_batches_of_any_form():
    samples = [
        {"x": x, "y": y, "weight": 1.0 + i % 2} for i, (x, y) in enumerate(zip(X, Y, strict=True))
    ]
    data = nn.DataLoader(samples, 5, shuffle=True, generator=1)

    def step(model, batch):
        error = model(batch["x"]) - batch["y"]
        weight = batch["weight"].astype(np.float32)[:, None]
        return {"loss": (weight * error**2).mean(), "worst": np.abs(error).max()}

    model = linear()
    history = nn.fit(
        model,
        data,
        step=step,
        optimizer=sgd(model, 0.1),
        epochs=15,
        validation_data=nn.DataLoader(samples, 22),
        progress=False,
    )
    assert history.names == [
        "loss",
        "worst",
        "validation_loss",
        "validation_worst",
        "learning_rate",
    ]
    assert history["loss"][-1] < 0.05 * history["loss"][0]
    numbers = nn.evaluate(model, nn.DataLoader(samples, 22), step=step)
    assert numbers["loss"] == pytest.approx(history["validation_loss"][-1], rel=1e-5)


def test_a_step_counts_batches_as_a_loss_does():
    def step(model, batch):
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    results = []
    for options in ({"loss": nn.MSELoss()}, {"step": step}):
        model = linear()
        results.append(
            nn.fit(
                model, loader(4), optimizer=sgd(model), epochs=2, progress=False, **options
            ).to_dict()
        )
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "step, error, match",
    [
        (lambda m, b: {"mse": 1.0}, ValueError, "wanted 'loss' among what step returned, got mse"),
        (lambda m, b: None, TypeError, "wanted a loss, got None; end the function with return"),
        (lambda m, b: 1.0, TypeError, "wanted the loss as a Variable, got float"),
        ("step", TypeError, r"a step as a function of \(model, batch\), got the text 'step'"),
        (nn.MSELoss, TypeError, r"a step as a function of \(model, batch\), got the class MSELoss"),
    ],
)
def test_a_wrong_step_is_explained(step, error, match):
    with pytest.raises(error, match=match):
        nn.fit(MODEL, loader(), step=step, optimizer=sgd(MODEL), epochs=1, progress=False)


# -- callbacks -----------------------------------------------------------------------------------


class Recorder(Callback):
    def __init__(self, kept):
        self.kept = kept

    def on_batch_end(self, state):
        self.kept.append(state.model.weight.data.copy())


def test_callbacks_are_called_in_the_documented_order():
    calls = []
    methods = {
        name: (lambda self, state, name=name: calls.append((name, state.epoch, state.batch)))
        for name in Callback.hooks
    }
    Noter = type("Noter", (Callback,), methods)
    model = linear()
    fit(model, loader(11), sgd(model), 2, callbacks=[Noter()])
    epoch = [
        ("on_epoch_begin", 1, 0),
        ("on_backward_end", 1, 1),
        ("on_batch_end", 1, 1),
        ("after_batch_end", 1, 1),
        ("on_backward_end", 1, 2),
        ("on_batch_end", 1, 2),
        ("after_batch_end", 1, 2),
        ("on_epoch_end", 1, 2),
        ("after_epoch_end", 1, 2),
    ]
    again = [(name, 2, batch) for name, _, batch in epoch]
    assert calls == [("on_fit_begin", 0, 0), *epoch, *again, ("on_fit_end", 2, 2)]


def test_every_method_of_a_callback_is_called_or_is_state():
    methods = {name for name, value in vars(Callback).items() if callable(value)}
    assert {name for name in methods if not name.startswith("_")} == set(Callback.hooks)


def test_gradients_can_be_changed_before_the_step():
    class Freeze(Callback):
        def on_backward_end(self, state):
            for parameter in state.model.parameters():
                parameter.grad[...] = 0

    model = linear(0.5)
    fit(model, loader(), sgd(model), 2, callbacks=[Freeze()])
    assert (model.weight.data == 0.5).all()


def test_a_function_sees_each_epoch_and_may_add_numbers_and_stop():
    def watch(state):
        state.logs["double"] = 2 * state.logs["loss"]
        if state.epoch == 3:
            state.stop("three are enough")

    model = linear()
    history = fit(model, loader(), sgd(model), 10, callbacks=[watch])
    assert len(history) == 3
    assert history["double"] == [2 * loss for loss in history["loss"]]
    assert history.stop_reason == "three are enough"


class Script(Callback):
    """Replaces the validation loss of each epoch by a given number."""

    def __init__(self, *values):
        self.values = values
        self.states = []

    def on_epoch_end(self, state):
        state.logs["validation_loss"] = self.values[state.epoch - 1]
        self.states.append(state.model.state_dict())


def test_early_stopping_waits_and_restores_the_best():
    script = Script(5.0, 3.0, 3.0, 4.0, math.nan, 1.0)
    model = linear()
    stopping = EarlyStopping(patience=3)
    history = fit(model, loader(), sgd(model), 6, callbacks=[script, stopping])
    assert len(history) == 5
    assert (stopping.best_epoch, stopping.best) == (2, 3.0)
    assert_equal_states(model.state_dict(), script.states[1])
    assert "has not become better than 3 of epoch 2 for 3 epochs" in history.stop_reason


@pytest.mark.parametrize("mode, sign", [("max", 1.0), ("min", -1.0)])
def test_early_stopping_options(mode, sign):
    script = Script(*(sign * value for value in (1.0, 2.0, 2.05, 2.2, 2.28, 0.0, 0.0)))
    model = linear()
    stopping = EarlyStopping(patience=2, mode=mode, min_delta=0.1, restore_best=False)
    history = fit(model, loader(), sgd(model), 7, callbacks=[script, stopping])
    assert (stopping.best_epoch, stopping.best, len(history)) == (4, sign * 2.2, 6)
    assert_equal_states(model.state_dict(), script.states[5])
    with pytest.raises(
        KeyError, match="wanted to monitor one of loss, learning_rate, got 'valida.*"
    ):
        fit(model, loader(), sgd(model), 1, callbacks=[EarlyStopping()])
    with pytest.raises(ValueError, match="wanted mode 'min' or 'max', got 'least'"):
        EarlyStopping(mode="least")
    with pytest.raises(ValueError, match="wanted patience of at least 1 epoch, got 0"):
        EarlyStopping(patience=0)


def test_a_callback_starts_afresh_in_a_second_training():
    model = linear()
    stopping = EarlyStopping(patience=1)
    fit(model, loader(), sgd(model), 4, callbacks=[Script(1, 2, 3, 4), stopping])
    history = fit(model, loader(), sgd(model), 3, callbacks=[Script(9, 8, 7), stopping])
    assert len(history) == 3
    assert stopping.best == 7


def test_checkpoint_saves_when_it_should(tmp_path):
    model = linear()
    fit(model, loader(), sgd(model), 5, callbacks=[Checkpoint(tmp_path / "{epoch}.npz", every=2)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.npz", "4.npz", "5.npz"]
    best = Checkpoint(tmp_path / "best{epoch}.npz", monitor="validation_loss")
    fit(model, loader(), sgd(model), 4, callbacks=[Script(3, 4, 2, 5), best])
    assert sorted(path.name for path in tmp_path.glob("best*")) == ["best1.npz", "best3.npz"]
    with pytest.raises(ValueError, match="wanted every of at least 1 epoch, got 0"):
        Checkpoint("x.npz", every=0)


# -- resuming ------------------------------------------------------------------------------------


def training(path, suffix, epochs, resume=None, seed=1):
    """A training with every kind of state, in `epochs` epochs."""
    model = Net(seed)
    optimizer = optim.Adam(model.parameters(), lr=0.01, weight_decay=0.01)
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    stopping = EarlyStopping("loss", patience=50, restore_best=False)
    history = fit(
        model,
        loader(seed=seed + 10),
        optimizer,
        epochs,
        validation_data=loader(22),
        scheduler=schedule,
        callbacks=[Checkpoint(path / f"{epochs}{suffix}"), stopping],
        resume=resume,
    )
    return model, optimizer, schedule, history, stopping


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_resuming_gives_the_same_bits_as_not_having_stopped(suffix, tmp_path):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    whole = training(tmp_path, suffix, 6)
    training(tmp_path, suffix, 4)
    # Other seeds everywhere: all that matters has to come from the file.
    resumed = training(tmp_path, suffix, 6, resume=tmp_path / f"4{suffix}", seed=33)
    assert_equal_states(resumed[0].state_dict(), whole[0].state_dict())
    assert resumed[0].extra_state() == whole[0].extra_state()
    for mine, theirs in zip(
        resumed[1].state_dict()["state"].values(),
        whole[1].state_dict()["state"].values(),
        strict=True,
    ):
        for name in theirs:
            np.testing.assert_array_equal(mine[name], theirs[name])
    assert resumed[2].state_dict() == whole[2].state_dict()
    assert resumed[3].to_dict() == whole[3].to_dict()
    assert len(resumed[3]) == 6
    assert resumed[4].state_dict() == whole[4].state_dict()
    first = nn.load(tmp_path / f"6{suffix}")
    again = tmp_path / f"again{suffix}"
    nn.save(again, first)
    assert nn.load(again).keys() == first.keys()


def test_momentum_alone_resumes_exactly(tmp_path):
    def run(epochs, resume=None):
        model = linear()
        fit(
            model,
            loader(),
            sgd(model, momentum=0.9, nesterov=True),
            epochs,
            callbacks=[Checkpoint(tmp_path / f"{epochs}.npz")],
            resume=resume,
        )
        return model.state_dict()

    whole = run(5)
    run(2)
    assert_equal_states(run(5, tmp_path / "2.npz"), whole)
    with pytest.raises(AssertionError):
        assert_equal_states(run(3), whole)


def test_a_stopped_training_stays_stopped_when_resumed(tmp_path):
    def run(resume=None, patience=2):
        model = linear()
        script = Script(1, 2, 3, 4, 5, 6)
        callbacks = [Checkpoint(tmp_path / "a.npz"), script, EarlyStopping(patience=patience)]
        return fit(model, loader(), sgd(model), 6, callbacks=callbacks, resume=resume)

    assert len(run()) == 3
    stopped = run(tmp_path / "a.npz")
    assert len(stopped) == 3
    assert "for 2 epochs" in stopped.stop_reason
    assert len(run(tmp_path / "a.npz", patience=4)) == 5


def test_a_finished_training_resumes_to_nothing(tmp_path):
    model = linear()
    path = tmp_path / "a.npz"
    first = fit(model, loader(), sgd(model), 2, callbacks=[Checkpoint(path)])
    other = linear()
    history = fit(other, loader(), sgd(other), 2, resume=path)
    assert history.to_dict() == first.to_dict()
    assert_equal_states(other.state_dict(), model.state_dict())


def test_a_checkpoint_that_does_not_fit_changes_nothing(tmp_path):
    path = tmp_path / "a.npz"
    model = linear()
    fit(model, loader(), sgd(model), 1, callbacks=[Checkpoint(path)])
    other = linear()
    with pytest.raises(ValueError, match=r"'data' of .*a.npz does not fit: .*Sampler.*nothing"):
        fit(other, loader(shuffle=False), sgd(other), 2, resume=path)
    assert not other.weight.data.any()
    nn.save(path, model.state_dict())
    with pytest.raises(ValueError, match="wanted a file that the Checkpoint callback has written"):
        fit(other, loader(), sgd(other), 2, resume=path)
    for wrong in (
        {"epoch": -1},
        {"epoch": 10**21},
        {"epoch": "1"},
        {"history": 3},
        {"history": [{"loss": "x"}]},
    ):
        tree = {"epoch": 1, "history": [{"loss": 1.0}]} | wrong
        nn.save(path, model=model, optimizer=sgd(model), **tree)
        with pytest.raises(ValueError, match="wanted a file that the Checkpoint callback has writ"):
            fit(other, loader(), sgd(other), 2, resume=path)
    assert not other.weight.data.any()
    with pytest.raises(FileNotFoundError):
        fit(other, loader(), sgd(other), 2, resume=tmp_path / "absent.npz")


@pytest.mark.parametrize(
    "callback, state",
    [
        (EarlyStopping(), {"best": "x", "best_epoch": 1, "waited": 0, "best_state": None}),
        (EarlyStopping(), {"best": 1.0, "best_epoch": -1, "waited": 0, "best_state": None}),
        (EarlyStopping(), {"best": 1.0, "best_epoch": 1, "waited": 0.5, "best_state": None}),
        (EarlyStopping(), {"best": 1.0, "best_epoch": 1, "waited": 0, "best_state": [1]}),
        (EarlyStopping(), {"best": 1.0}),
        (Checkpoint("a.npz"), {"best": None}),
        (Checkpoint("a.npz"), None),
    ],
)
def test_a_callback_refuses_what_is_no_state_of_it(callback, state):
    before = callback.state_dict()
    with pytest.raises(ValueError, match=rf"{type(callback).__name__}: wanted"):
        callback.load_state_dict(state)
    assert callback.state_dict() == before


def test_a_checkpoint_with_a_wrong_suffix_is_refused_before_the_training():
    with pytest.raises(ValueError, match=r"Checkpoint: wanted a path ending in .npz or .*'run.pt'"):
        Checkpoint("run.pt")


# -- Ctrl-C --------------------------------------------------------------------------------------


class PressCtrlC(Callback):
    def __init__(self, epoch, batch):
        self.moment = (epoch, batch)

    def on_batch_end(self, state):
        if (state.epoch, state.batch) == self.moment:
            raise KeyboardInterrupt


def test_ctrl_c_keeps_what_was_trained():
    kept = []
    model = linear()
    callbacks = [Recorder(kept), Script(9, 8, 7, 6), EarlyStopping(), PressCtrlC(3, 2)]
    history = fit(model, loader(), sgd(model), 4, callbacks=callbacks)
    assert history.interrupted
    assert len(history) == 2
    assert len(kept) == 2 * 6 + 2
    np.testing.assert_array_equal(model.weight.data, kept[-1])
    assert "interrupted" in repr(history)


def test_a_real_ctrl_c_ends_a_real_training():
    script = textwrap.dedent(
        """
        import signal, numpy as np, nn, optim
        # A job in the background of a shell inherits that it ignores Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        model = nn.Linear(2, 1)
        data = nn.DataLoader(nn.ArrayDataset(np.ones((8, 2), "f4"), np.ones((8, 1), "f4")), 2)
        def ready(state):
            if state.epoch == 2:
                print("ready", flush=True)
        history = nn.fit(model, data, nn.MSELoss(), optim.SGD(model.parameters(), lr=1e-3),
                         100_000, callbacks=[ready], progress=False)
        print(history.interrupted, len(history) > 0)
        """
    )
    root = Path(nn.__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "True True\n"
    assert process.returncode == 0


# -- progress ------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_without_a_terminal_there_are_few_lines(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    model = linear()
    fit(model, [(X, Y)], sgd(model), 1000, progress=True)
    lines = stream.getvalue().splitlines()
    assert len(lines) <= 22
    assert lines[0].startswith("epoch    1/1000  loss ")
    assert lines[-1].startswith("epoch 1000/1000  loss ")


def test_lines_say_why_a_training_ended(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    model = linear()
    fit(
        model,
        [(X, Y)],
        sgd(model),
        100,
        progress=True,
        callbacks=[lambda state: state.epoch == 7 and state.stop("enough")],
    )
    assert [line.split()[:2] for line in stream.getvalue().splitlines()[-2:]] == [
        ["epoch", "7/100"],
        ["stopped:", "enough"],
    ]


def screen(written):
    """Return the lines that a terminal shows after what was written to it."""
    lines = []
    for line in written.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


def terminal(monkeypatch):
    """A terminal of 80 columns, in which the bar is drawn for every batch."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("nn._progress._SECONDS", 0.0)
    return stream


def test_in_a_terminal_every_epoch_leaves_its_numbers(monkeypatch):
    stream = terminal(monkeypatch)
    model = linear()
    history = fit(
        model,
        loader(),
        sgd(model),
        30,
        progress=True,
        validation_data=loader(22),
        metrics=["mae", "mse"],
    )
    lines = screen(stream.getvalue())
    assert max(map(len, lines)) < 80
    starts = [i for i, line in enumerate(lines) if line.startswith("epoch")]
    assert len(starts) == 30
    for numbers, start, end in zip(history.epochs, starts, [*starts[1:], None], strict=True):
        shown = " ".join(lines[start:end]).split()[2:]
        told = dict(zip(shown[::2], shown[1::2], strict=True))
        assert told == {n: f"{v:.4g}" for n, v in numbers.items() if n in told}
        assert set(numbers) - set(told) <= {"learning_rate"}


def test_in_a_terminal_a_bar_counts_the_batches_within_80_columns(monkeypatch):
    stream = terminal(monkeypatch)
    model = linear()
    fit(model, loader(), sgd(model), 2, progress=True)
    drawn = stream.getvalue().replace("\n", "\r").split("\r")
    assert max(map(len, drawn)) < 80
    bars = [line for line in drawn if "[" in line]
    assert len(bars) == 12
    assert bars[2].startswith("epoch 1/2  [##########..........]  3/6  loss ")
    assert bars[-1].startswith("epoch 2/2  [####################]  6/6  loss ")


def test_data_without_a_length_are_counted(monkeypatch):
    stream = terminal(monkeypatch)

    class Endless:
        def __iter__(self):
            return iter([(X, Y), (X, Y)])

    model = linear()
    fit(model, Endless(), sgd(model), 1, progress=True)
    assert "epoch 1/1  batch 2  loss " in stream.getvalue()


def test_the_bar_gives_way_to_what_ended_the_training(monkeypatch):
    stream = terminal(monkeypatch)
    model = linear()
    fit(model, loader(), sgd(model), 4, progress=True, callbacks=[PressCtrlC(2, 3)])
    assert screen(stream.getvalue())[-2:] == ["interrupted in epoch 2", ""]
    model = linear()
    fit(model, loader(), sgd(model), 4, progress=True, callbacks=[lambda s: s.stop("enough")])
    assert screen(stream.getvalue())[-2:] == ["stopped: enough", ""]


def test_a_learning_rate_is_shown_when_it_changes(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    model = linear()
    optimizer = sgd(model)
    schedule = optim.lr_scheduler.StepLR(optimizer, 2)
    fit(model, loader(), optimizer, 4, progress=True, scheduler=schedule)
    shown = ["learning_rate" in line for line in stream.getvalue().splitlines()]
    assert shown == [True, False, True, False]


def test_a_notebook_gets_bar_and_lines_in_the_output_stream(monkeypatch):
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr("builtins.__IPYTHON__", True, raising=False)
    model = linear()
    monkeypatch.setattr("nn._progress._SECONDS", 0.0)
    fit(model, loader(), sgd(model), 3, progress=True)
    lines = screen(out.getvalue())
    assert [line[:9] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3", ""]
    assert "[####################]  6/6" in out.getvalue()
    assert max(map(len, lines)) < 80
    assert err.getvalue() == ""


# -- history -------------------------------------------------------------------------------------


def test_a_history_is_read_by_name_and_as_a_whole():
    history = History([{"loss": 2.0}, {"loss": 1.0, "accuracy": 0.5}])
    assert history["loss"] == [2.0, 1.0]
    assert math.isnan(history["accuracy"][0])
    assert list(history.to_dict()) == ["loss", "accuracy"]
    assert repr(history) == "History(2 epochs, loss=1, accuracy=0.5)"
    with pytest.raises(KeyError, match="wanted one of loss, accuracy, got 'los'"):
        history["los"]


def test_a_history_plots_itself_into_a_file(tmp_path):
    pytest.importorskip("matplotlib")
    history = History(
        [
            {"loss": 1 / n, "accuracy": 0.1 * n, "validation_loss": 2 / n, "learning_rate": 0.1}
            for n in range(1, 5)
        ]
    )
    figure = history.plot(tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes()[:4] == b"\x89PNG"
    top, below = figure.axes
    assert [line.get_label() for line in top.lines] == ["training", "validation"]
    np.testing.assert_array_equal(top.lines[1].get_ydata(), history["validation_loss"])
    assert (below.get_ylabel(), below.get_xlabel()) == ("accuracy", "epoch")


def test_a_history_without_a_path_gives_pyplot_a_figure():
    pytest.importorskip("matplotlib")
    from matplotlib import pyplot as plt

    figure = History([{"loss": 1.0}]).plot()
    assert plt.get_fignums() == [figure.number]
    plt.close(figure)


def test_in_a_notebook_a_figure_is_returned_and_not_shown_as_well(monkeypatch):
    pytest.importorskip("matplotlib")
    from matplotlib import pyplot as plt

    monkeypatch.setattr(plt, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    figure = History([{"loss": 1.0}]).plot()
    assert plt.get_fignums() == []
    assert len(figure.axes) == 1


def test_plotting_needs_matplotlib_and_an_epoch(monkeypatch):
    with pytest.raises(ValueError, match="wanted at least one finished epoch, got none"):
        History().plot()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'gradloom\[plot\]'"):
        History([{"loss": 1.0}]).plot("x.png")
