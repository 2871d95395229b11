"""The examples in docs/examples run, and come to the results that they promise."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import optim

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "docs" / "examples"


def example(name):
    """Import an example as a module, without running it."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def run(folder, name, *arguments):
    """Run an example as a user would, in `folder`, with warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / f"{name}.py", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_every_example_is_tested_here():
    tested = Path(__file__).read_text(encoding="utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert f'"{path.stem}"' in tested, path.stem


# -- fizzbuzz --------------------------------------------------------------------------------------


def spoken(number):
    """Return what is said for a number: the rules of the game, told in another way."""
    return ("fizz" * (not number % 3) + "buzz" * (not number % 5)) or str(number)


def played(text):
    """Return number -> (predicted, actual) from the printed table."""
    rows = re.findall(r"^ *(\d+)  (\w+) +(\w+)", text, flags=re.MULTILINE)
    return {int(number): (predicted, actual) for number, predicted, actual in rows}


@pytest.fixture(scope="module")
def trained_fizzbuzz(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fizzbuzz")
    return folder, run(folder, "fizzbuzz")


def test_fizzbuzz_gets_100_of_100_right_in_a_new_process(trained_fizzbuzz):
    folder, result = trained_fizzbuzz
    assert result.returncode == 0, result.stderr
    table = played(result.stdout)
    assert list(table) == list(range(1, 101))
    for number, (predicted, actual) in table.items():
        assert predicted == actual == spoken(number)
    assert "accuracy: 100 of 100" in result.stdout
    assert (folder / "fizzbuzz.npz").exists()


def test_fizzbuzz_draws_its_loss_where_matplotlib_is(trained_fizzbuzz):
    folder, result = trained_fizzbuzz
    if importlib.util.find_spec("matplotlib") is None:
        assert "pip install 'gradloom[plot]'" in result.stdout
    else:
        assert (folder / "fizzbuzz_loss.png").read_bytes().startswith(b"\x89PNG")


def test_fizzbuzz_predicts_from_a_saved_file_in_another_folder(trained_fizzbuzz, tmp_path):
    result = run(tmp_path, "fizzbuzz", "--predict", trained_fizzbuzz[0] / "fizzbuzz.npz")
    assert result.returncode == 0, result.stderr
    assert len(played(result.stdout)) == 100


def test_fizzbuzz_fails_when_an_answer_is_wrong(tmp_path):
    result = run(tmp_path, "fizzbuzz", "--epochs", 1, "--output", tmp_path)
    assert result.returncode == 1, result.stderr
    wrong = [n for n, (predicted, actual) in played(result.stdout).items() if predicted != actual]
    assert f"accuracy: {100 - len(wrong)} of 100" in result.stdout
    assert wrong


def test_fizzbuzz_learns_from_the_numbers_above_100_only():
    fizzbuzz = example("fizzbuzz")
    for recipe in fizzbuzz.RECIPES.values():
        model, data, *_ = recipe()
        digits, _ = data.dataset[np.arange(len(data.dataset))]
        assert sorted(digits @ 2 ** np.arange(10)) == list(range(101, 1024))
        assert [layer.weight.shape for layer in (model.hidden, model.output)] == [(50, 10), (4, 50)]


def test_fizzbuzz_digits_and_classes():
    fizzbuzz = example("fizzbuzz")
    for number, digits in zip((101, 1023), fizzbuzz.binary_digits([101, 1023]), strict=True):
        assert "".join(str(int(d)) for d in digits[::-1]) == f"{number:010b}"
    for number in range(1, 1024):
        name = fizzbuzz.CLASSES[fizzbuzz.class_of(number)]
        assert (str(number) if name == "number" else name) == spoken(number)


def test_fizzbuzz_by_the_tutorials_recipe_descends_like_the_formula(capsys):
    # The first two epochs once more with NumPy alone: summed squares, p -= 0.001 g, batches of 32.
    fizzbuzz = example("fizzbuzz")
    model, data, loss, optimizer, schedule, epochs = fizzbuzz.tutorial_recipe()
    assert (epochs, schedule) == (5_000, None)
    assert (type(loss), loss.reduction) == (nn.MSELoss, "sum")
    assert type(optimizer) is optim.SGD
    w1, b1, w2, b2 = (p.data.astype(float) for p in model.parameters())
    expected = []
    for _ in range(2):
        total = 0.0
        for x, target in data:
            h = np.tanh(x @ w1.T + b1)
            error = h @ w2.T + b2 - target
            total += np.sum(error**2)
            g = 2 * error
            gh = (g @ w2) * (1 - h * h)
            w2, b2 = w2 - 0.001 * g.T @ h, b2 - 0.001 * g.sum(axis=0)
            w1, b1 = w1 - 0.001 * gh.T @ x, b1 - 0.001 * gh.sum(axis=0)
        expected.append(total)
    _, history = fizzbuzz.train("tutorial", epochs=40, print_losses=True)
    np.testing.assert_allclose(history["loss"][:2], expected, rtol=1e-4)
    assert history["loss"][-1] < history["loss"][0]
    assert len(re.findall(r"^epoch \d+: loss [\d.]+$", capsys.readouterr().out, re.MULTILINE)) == 40


# -- regression ------------------------------------------------------------------------------------


def test_regression_finds_the_best_line_twice_and_a_better_curve(capsys):
    pytest.importorskip("sklearn")
    result = example("regression").main([])
    errors, losses = result["errors"], result["losses"]
    assert errors["best line"] <= errors["line"] < 1.02 * errors["best line"]
    assert errors["curve"] < 0.2 * errors["best line"]
    for losses_of_one in losses.values():
        assert len(losses_of_one) == 60
        assert losses_of_one[-1] < 0.75 * losses_of_one[0]
    for by_hand, as_module in zip(*result["lines"], strict=True):
        np.testing.assert_allclose(by_hand, as_module, rtol=1e-10)
    assert "epoch  60: loss" in capsys.readouterr().out


# -- backpropagation -------------------------------------------------------------------------------


def test_backpropagation_agrees_three_ways_and_reaches_its_targets(capsys):
    results, deviations = example("backpropagation").main([])
    assert list(results) == ["one sigmoid neuron", "1-3-1", "4-16-8-3"]
    for losses, _ in results.values():
        assert len(losses) == 520
        assert losses[-1] < 0.01 * losses[0]
    np.testing.assert_allclose(results["one sigmoid neuron"][1], [[0.2]], atol=1e-6)
    np.testing.assert_allclose(results["1-3-1"][1], [[0.8], [0.5], [0.2]], atol=0.05)
    np.testing.assert_allclose(results["4-16-8-3"][1], [[0.1, 0.1, 0.6]], atol=0.005)
    assert deviations["finite differences"] < 1e-10
    assert "of shape (2, 4)" in capsys.readouterr().out


@pytest.mark.torch
def test_backpropagation_agrees_with_pytorch():
    pytest.importorskip("torch")
    assert example("backpropagation").verify()["PyTorch"] < 1e-10


# -- sine ------------------------------------------------------------------------------------------


def test_sine_needs_initial_weights_of_a_suitable_width(tmp_path, capsys):
    sine = example("sine")
    _, losses = sine.main(["--epochs", "60", "--output", str(tmp_path / "sine.png")])
    variance = np.var(2 * np.sin(np.linspace(-np.pi, np.pi, 100)))
    assert losses["Normal(0, 0.01)"][-1] > 0.9 * variance  # no better than a constant
    for name in ("Xavier", "uniform", "orthogonal"):
        assert losses[name][-1] < 0.15 * variance
    printed = capsys.readouterr().out
    assert re.search(r"2\.weight +\(64, 16\) +\[", printed)
    if importlib.util.find_spec("matplotlib") is not None:
        assert (tmp_path / "sine.png").read_bytes().startswith(b"\x89PNG")


def test_sine_fits_the_curve_behind_the_noise():
    sine = example("sine")
    x, y = sine.make_points()
    model = sine.make_model(sine.orthogonal)
    losses = sine.train(model, x, y, epochs=150)
    assert losses[-1] < 3 * sine.NOISE**2
    assert np.sqrt(np.mean((sine.fitted(model, x) - 2 * np.sin(x)) ** 2)) < 0.25


def test_sine_makes_the_same_steps_with_every_reduction():
    sine = example("sine")
    x, y = sine.make_points()
    losses = [
        sine.train(sine.make_model(sine.xavier), x, y, epochs=2, reduction=reduction)
        for reduction in ("mean", "none", "sum")
    ]
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-4)
    gradients = sine.compare_reductions(sine.make_model(sine.xavier), x, y)
    np.testing.assert_allclose(gradients["none"], gradients["mean"], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(gradients["sum"], 100 * gradients["mean"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_sine_penalties_shrink_the_weights(penalty):
    sine = example("sine")
    x, y = sine.make_points()

    def size(kind):
        model = sine.make_model(sine.xavier)
        sine.train(model, x, y, epochs=10, penalty=kind, strength=0.01)
        weights = np.concatenate([p.data.ravel() for p in model.parameters()])
        return np.abs(weights).sum() if penalty == "l1" else np.sum(weights**2)

    assert size(penalty) < 0.95 * size("none")


# -- layer by layer --------------------------------------------------------------------------------


def test_layer_by_layer_has_equal_gradients_and_learns_xor(capsys):
    by_hand, ours, losses = example("layer_by_layer").main([])
    np.testing.assert_allclose(by_hand, ours, rtol=1e-10)
    np.testing.assert_array_equal(np.round(ours).ravel(), [0, 1, 1, 0])
    assert losses[-1] < 0.01 < losses[0]
    assert "gradients were equal in all 4000 epochs" in capsys.readouterr().out


def test_layer_by_layer_notices_a_wrong_gradient():
    layers = example("layer_by_layer")
    by_hand, ours = layers.make_networks(0)
    loss, g = layers.summed_squares(by_hand.forward(layers.INPUTS), layers.TARGETS)
    by_hand.backward(g)
    nn.MSELoss(reduction="sum")(ours(layers.INPUTS), layers.TARGETS).backward()
    assert loss > 0
    layers.assert_equal(ours, by_hand)
    by_hand.layers[0].weight_grad[0, 0] += 1e-6
    with pytest.raises(AssertionError):
        layers.assert_equal(ours, by_hand)


# -- character GPT ---------------------------------------------------------------------------------


# In full, to its target, it is run by .ci/run, which asks for its exit status.
def test_the_character_gpt_writes_in_a_new_process_and_says_that_it_has_not_learned_enough(
    tmp_path,
):
    result = run(tmp_path, "character_gpt", "--steps", 5)
    assert result.returncode == 1, result.stdout + result.stderr
    assert result.stderr == ""
    pairs = float(re.search(r"counting pairs: ([\d.]+)", result.stdout)[1])
    assert 0.8 * pairs > 1.6
    _, sample = result.stdout.split("new process:\n\n")
    assert sample.startswith("The ")
    assert len(sample) > 400
    assert "held out: " in result.stdout.splitlines()[-1]
    assert result.stdout.endswith("target 1.6: missed\n")
    assert (tmp_path / "character_gpt.npz").exists()
    if importlib.util.find_spec("matplotlib") is not None:
        assert (tmp_path / "character_gpt.png").read_bytes().startswith(b"\x89PNG")


def test_the_character_gpt_does_not_look_ahead():
    gpt = example("character_gpt")
    model = gpt.CharacterGPT(width=8, heads=2)
    codes = np.arange(gpt.CONTEXT)[np.newaxis]
    changed = codes.copy()
    changed[0, 40:] = 0
    np.testing.assert_allclose(model(codes).data[0, :40], model(changed).data[0, :40], rtol=1e-5)


def test_the_character_gpt_starts_as_a_guess_and_learns(capsys):
    gpt = example("character_gpt")
    training, held_out = gpt.read_text()
    assert len(training) > 200_000
    assert max(training.max(), held_out.max()) < len(gpt.CHARACTERS) == 96
    model = gpt.CharacterGPT(width=16, heads=2, layers=1)
    before = gpt.evaluate(model, held_out, 8)
    assert abs(before - np.log(96)) < 0.7
    losses = gpt.train(model, training, held_out, steps=30)
    assert losses[-1][0] == 30
    assert gpt.evaluate(model, held_out, 8) < before - 0.5
    assert "step   30/30" in capsys.readouterr().out


# -- LSTM ------------------------------------------------------------------------------------------


def test_the_lstm_adds_numbers_four_times_as_long_as_those_it_learned_from(tmp_path):
    result = run(tmp_path, "lstm_sequence")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    assert "right: 100 of 100 sums of numbers with 40 digits" in result.stdout
    a, b, total = (int(x) for x in re.findall(r"^[ +=] +(\d+)$", result.stdout, re.MULTILINE))
    assert a + b == total
    if importlib.util.find_spec("matplotlib") is not None:
        assert (tmp_path / "lstm_sequence.png").read_bytes().startswith(b"\x89PNG")


def test_an_lstm_that_has_not_learned_enough_fails(tmp_path):
    result = run(tmp_path, "lstm_sequence", "--steps", 2)
    assert result.returncode == 1, result.stderr
    assert "right: 0 of 100" in result.stdout


def test_exercises_and_carries_are_those_of_addition_on_paper():
    lstm = example("lstm_sequence")
    pairs, total = lstm.exercise(5, np.random.default_rng(0))
    a, b = (lstm.number_of(pairs[:, k]) for k in range(2))
    assert lstm.number_of(total) == a + b
    carries = lstm.carries_of(pairs)
    np.testing.assert_array_equal(total, (pairs.sum(axis=1) + carries) % 10)


# -- digits ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained_digits(tmp_path_factory):
    pytest.importorskip("sklearn")
    folder = tmp_path_factory.mktemp("digits")
    return folder, run(folder, "digits_cnn")


def test_digits_are_read_by_a_network_saved_and_loaded_in_a_new_process(trained_digits, tmp_path):
    folder, result = trained_digits
    assert result.returncode == 0, result.stderr
    (right,) = re.findall(r"^accuracy: (\d+) of 360", result.stdout, re.MULTILINE)
    assert int(right) >= 0.985 * 360
    assert "epoch 20/20" in result.stderr
    again = run(tmp_path, "digits_cnn", "--predict", folder / "digits_cnn.npz")
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[-1] == result.stdout.splitlines()[-1]


def test_digits_are_drawn_where_matplotlib_is(trained_digits):
    folder, result = trained_digits
    if importlib.util.find_spec("matplotlib") is None:
        assert "pip install 'gradloom[plot]'" in result.stdout
    else:
        assert (folder / "digits_cnn.png").read_bytes().startswith(b"\x89PNG")


def test_digits_of_the_test_are_not_learned_from():
    pytest.importorskip("sklearn")
    (images, classes), (others, _) = example("digits_cnn").load_digits()
    assert (images.shape, classes.shape, others.shape) == ((1437, 1, 8, 8), (1437,), (360, 1, 8, 8))
    seen = {image.tobytes() for image in images}
    assert not any(image.tobytes() in seen for image in others)


def test_digits_fail_when_too_many_are_read_wrong(tmp_path, capfd):
    pytest.importorskip("sklearn")
    digits = example("digits_cnn")
    nn.save(tmp_path / "untrained.npz", digits.Digits().state_dict())
    assert digits.main(["--predict", str(tmp_path / "untrained.npz")]) == 1
    out = capfd.readouterr().out
    (right,) = re.findall(r"^accuracy: (\d+) of 360", out, re.MULTILINE)
    assert len(re.findall(r"^test digit \d+: read \d, is \d$", out, re.MULTILINE)) == 360 - int(
        right
    )


# -- two moons, logistic regression, physics, a neural differential equation, VAE, GAN -------------
# In full they are run by .ci/run, which asks for their exit status; here is what it stands on.


def test_two_moons_are_parted_by_a_border_with_a_margin(tmp_path):
    pytest.importorskip("sklearn")
    moons = example("two_moons")
    assert moons.main(["--output", str(tmp_path)]) == 0
    scores, side = np.array([[0.5], [2.0], [-0.5], [1.0]]), np.array([[1.0], [1.0], [1.0], [-1.0]])
    assert moons.margin_loss(scores, side) == (0.5 + 0 + 1.5 + 2) / 4
    assert moons.right(scores, side) == 0.5


def test_standard_errors_of_logistic_regression_are_the_textbooks(tmp_path, capsys):
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression

    logistic = example("logistic_regression")
    logistic.main(["--output", str(tmp_path), "--studies", "50"])
    found = nn.load(tmp_path / "logistic_regression.npz")
    x, y = logistic.load_tumours()
    theirs = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, solver="newton-cholesky")
    np.testing.assert_allclose(found["w"], theirs.fit(x, y).coef_[0], rtol=1e-6)
    p = theirs.predict_proba(x)
    information = sum(np.outer(row, row) * a * b for row, (a, b) in zip(x, p, strict=True))
    np.testing.assert_allclose(found["covariance"], np.linalg.inv(information), rtol=1e-6)
    (share,) = re.findall(r"^([\d.]+)% of all intervals", capsys.readouterr().out, re.MULTILINE)
    assert 90 < float(share) < 99


def test_the_equation_of_the_physics_informed_network_is_that_of_its_motion():
    physics = example("physics_informed")
    left = physics.residual(physics.exact, physics.EVERYWHERE).data
    np.testing.assert_allclose(left, 0, atol=1e-4)
    slower = physics.residual(lambda t: physics.exact(0.9 * t), physics.EVERYWHERE).data
    assert np.abs(slower).max() > 0.1


def test_the_pendulum_of_the_neural_equation_swings_as_scipys_does():
    integrate = pytest.importorskip("scipy.integrate")
    node = example("neural_ode")
    for start in (node.SEEN, node.UNSEEN):
        expected = integrate.odeint(node.pendulum, start, node.TIMES)
        np.testing.assert_allclose(node.follow(node.pendulum, start), expected, atol=5e-3)


def test_the_information_of_the_autoencoder_is_that_of_normal_distributions():
    vae = example("variational_autoencoder")
    mean, log_variance = np.array([[0.5, -1.0]]), np.array([[0.3, -0.7]])
    z = np.linspace(-12, 12, 4001)[:, np.newaxis]
    variance = np.exp(log_variance)
    density = np.exp(-((z - mean) ** 2) / variance / 2) / np.sqrt(2 * np.pi * variance)
    surprise_apart = -((z - mean) ** 2) / variance / 2 - log_variance / 2 + z**2 / 2
    expected = np.sum(density * surprise_apart) * (z[1] - z[0])
    np.testing.assert_allclose(vae.information(mean, log_variance), expected, rtol=1e-9)
    assert np.isclose(vae.missed(np.zeros((2, 64)), np.full((2, 64), vae.NOISE)), 32)


def test_the_gradient_penalty_is_a_function_of_the_critics_slope():
    gan = example("wasserstein_gan")
    w = autograd.Variable([[3.0], [4.0]], requires_grad=True)
    points = np.ones((6, 2))
    penalty = gan.gradient_penalty(lambda x: x @ w, points, -points, np.random.default_rng(0))
    np.testing.assert_allclose(penalty.item(), (5 - 1) ** 2)
    penalty.backward()
    np.testing.assert_allclose(w.grad, 2 * (5 - 1) * w.data / 5)


@pytest.mark.parametrize(
    "name, few",
    [
        ("physics_informed", ("--steps", "2")),
        ("neural_ode", ("--steps", "2")),
        ("variational_autoencoder", ("--epochs", "1")),
        ("wasserstein_gan", ("--steps", "40")),
    ],
)
def test_an_example_that_has_not_learned_enough_saves_draws_and_says_so(name, few, tmp_path):
    if name == "variational_autoencoder":
        pytest.importorskip("sklearn")
    assert example(name).main([*few, "--output", str(tmp_path)]) == 1
    assert nn.load(tmp_path / f"{name}.npz")
    if importlib.util.find_spec("matplotlib") is not None:
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


# -- all of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["regression", "backpropagation", "sine", "layer_by_layer"])
def test_an_example_runs_in_any_folder_without_a_warning(name, tmp_path):
    if name == "regression":
        pytest.importorskip("sklearn")
    arguments = {"sine": ("--epochs", 2), "layer_by_layer": ("--epochs", 20)}.get(name, ())
    result = run(tmp_path, name, *arguments)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout
