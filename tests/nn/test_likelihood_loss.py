"""Likelihoods, CTC and the linear cross entropy beside PyTorch. Formulas: `tests/op_rows`."""

import numpy as np
import pytest
import torch_nested
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Variable
from nn import functional

REDUCTIONS = ("mean", "sum", "none")
each_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)


@pytest.mark.torch
@each_reduction
@pytest.mark.parametrize("log_input", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_poisson_likelihood_equals_pytorchs(reduction, log_input, full):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    options = {"log_input": log_input, "full": full, "reduction": reduction}
    x, target = rng.uniform(0.1, 3, (4, 3)), rng.integers(0, 6, (4, 3)).astype(float)
    ours, theirs = nn.PoissonNLLLoss(**options), torch.nn.PoissonNLLLoss(**options)
    torch_nested.compare_modules(torch, ours, theirs, x, target + 0.25)
    # PyTorch has no gradient of the target at 0, where a logarithm of 0 is masked.
    got, wanted = ours(x, target), theirs(torch.tensor(x), torch.tensor(target)).numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


@pytest.mark.torch
@each_reduction
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("shape", [(4, 3), (4, 1), (4,)])
def test_gaussian_likelihood_equals_pytorchs(reduction, full, shape):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    var = rng.uniform(0.1, 2.0, shape)
    var.flat[0] = 1e-9  # below eps: its gradient is that at eps
    options = {"full": full, "reduction": reduction, "eps": 1e-3}
    ours, theirs = nn.GaussianNLLLoss(**options), torch.nn.GaussianNLLLoss(**options)
    torch_nested.compare_modules(torch, ours, theirs, *rng.normal(size=(2, 4, 3)), var)


@pytest.mark.torch
@each_reduction
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("out_features", [(), (2, 3)])
def test_linear_cross_entropy_equals_pytorchs(reduction, bias, out_features):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.5, 2.0, 4)
    options = {"bias": bias, "out_features": out_features, "reduction": reduction}
    options |= {"label_smoothing": 0.1, "ignore_index": 2}
    ours = nn.LinearCrossEntropyLoss(5, 4, weight=weight, dtype=np.float64, **options)
    theirs = torch.nn.LinearCrossEntropyLoss(
        5, 4, weight=torch.tensor(weight), dtype=torch.float64, **options
    )
    target = rng.integers(0, 4, (6, *out_features))
    torch_nested.compare_modules(torch, ours, theirs, rng.normal(size=(6, 5)), target)


def test_a_variance_below_eps_gets_the_gradient_at_eps():
    gradients = []
    for value in (1e-9, 1e-3):
        var = Variable(np.full(2, value), requires_grad=True)
        functional.gaussian_nll_loss(np.ones(2), np.zeros(2), var, eps=1e-3).backward()
        gradients.append(var.grad)
    np.testing.assert_allclose(*gradients, rtol=1e-12)


def test_a_variance_of_zero_and_one_that_is_negative():
    loss = functional.gaussian_nll_loss(np.ones(2), np.ones(2), np.zeros(2), reduction="none")
    np.testing.assert_allclose(loss, 0.5 * np.log(1e-6))
    with pytest.raises(ValueError, match="wanted variances of at least 0, got -1"):
        functional.gaussian_nll_loss(np.ones(2), np.ones(2), np.array([1.0, -1.0]))
    with pytest.raises(
        ValueError, match=r"wanted a var of shape \(2, 3\), \(2,\) or with lengths of 1, got \(3,\)"
    ):
        functional.gaussian_nll_loss(np.ones((2, 3)), np.ones((2, 3)), np.ones(3))


def test_a_variance_may_be_shared_along_any_axis():
    x, target = np.random.default_rng(0).normal(size=(2, 4, 3, 5))
    for shape in ((1, 3, 5), (4, 1, 5), (1, 3, 1), (4, 3, 1), (1, 1, 1)):
        var = np.random.default_rng(1).uniform(1, 2, shape)
        np.testing.assert_allclose(
            functional.gaussian_nll_loss(x, target, var),
            functional.gaussian_nll_loss(x, target, np.broadcast_to(var, x.shape)),
        )


# -- CTC -------------------------------------------------------------------------------------------


def both(torch, log_probs, targets, input_lengths, target_lengths, **options):
    """Compare losses, and their gradients through a log_softmax, which is where PyTorch's are."""

    def ours(x):
        log_p = autograd.log_softmax(x, axis=-1)
        return functional.ctc_loss(log_p, targets, input_lengths, target_lengths, **options)

    def theirs(x):
        return torch.nn.functional.ctc_loss(
            x.log_softmax(-1),
            torch.tensor(targets),
            torch.tensor(input_lengths),
            torch.tensor(target_lengths),
            **options,
        )

    torch_nested.compare_functions(torch, ours, theirs, log_probs)


@pytest.mark.torch
@given(st.data())
def test_ctc_and_its_gradient_equal_pytorchs(data):
    torch = pytest.importorskip("torch")
    draw = data.draw
    steps, batch, classes = (
        draw(st.integers(2, 8)),
        draw(st.integers(1, 3)),
        draw(st.integers(2, 4)),
    )
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    blank = draw(st.integers(0, classes - 1))
    input_lengths = rng.integers(1, steps + 1, batch)
    target_lengths = rng.integers(0, 4, batch)
    others = [k for k in range(classes) if k != blank]
    targets = rng.choice(others, (batch, 4))
    if draw(st.booleans()):
        targets = np.concatenate([t[:n] for t, n in zip(targets, target_lengths, strict=True)])
    both(
        torch,
        rng.normal(size=(steps, batch, classes)),
        targets,
        input_lengths,
        target_lengths,
        blank=blank,
        reduction=draw(st.sampled_from(REDUCTIONS)),
        zero_infinity=True,
    )


@pytest.mark.torch
@each_reduction
def test_ctc_of_a_single_sequence_equals_pytorchs(reduction):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(6, 4))
    both(torch, x, np.array([1, 3, 3]), 6, 3, reduction=reduction)


def test_a_target_that_does_not_fit_costs_infinity_or_nothing():
    x = Variable(np.log(np.full((2, 1, 3), 1 / 3)), requires_grad=True)
    assert functional.ctc_loss(x, [[1, 1]], [2], [2]).item() == np.inf
    loss = nn.CTCLoss(zero_infinity=True)(x, [[1, 1]], [2], [2])
    loss.backward()
    assert loss.item() == 0.0
    np.testing.assert_array_equal(x.grad, 0.0)


def test_ctc_counts_certain_paths_and_impossible_classes():
    certain = np.full((3, 1, 3), -np.inf)
    certain[[0, 1, 2], 0, [1, 0, 1]] = 0.0
    x = Variable(certain, requires_grad=True)
    loss = functional.ctc_loss(x, [[1, 1]], [3], [2], reduction="sum")
    loss.backward()
    assert loss.item() == 0.0
    np.testing.assert_array_equal(x.grad[:, 0], [[0, -1, 0], [-1, 0, 0], [0, -1, 0]])


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (
            ([[0, 1]], [3], [2]),
            ValueError,
            "wanted targets from 0 to 2 other than the blank, 0, got 0",
        ),
        (([[1, 3]], [3], [2]), ValueError, "wanted targets from 0 to 2 .* got 3"),
        (([[1, 2]], [4], [2]), ValueError, r"wanted 1 input_lengths from 1 to 3, got \[4\]"),
        (([[1, 2]], [3], [3]), ValueError, r"wanted 1 target_lengths from 0 to 2, got \[3\]"),
        (
            ([[1, 2]], [3, 3], [2]),
            ValueError,
            "wanted 1 input_lengths, one for each sequence, got 2",
        ),
        (([[1, 2]], [3.0], [2]), TypeError, "wanted integers as input_lengths, got float64"),
        (([[1.0, 2.0]], [3], [2]), TypeError, "wanted integers as targets, got float64"),
        (([1, 2, 1], [3], [2]), ValueError, "wanted 2 targets, the sum of target_lengths, got 3"),
        (
            ([[1, 2], [1, 2]], [3], [2]),
            ValueError,
            r"wanted targets of shape \(1, S\) or \(sum of target_lengths,\), got \(2, 2\)",
        ),
    ],
)
def test_wrong_use_of_ctc_is_explained(arguments, error, message):
    with pytest.raises(error, match=f"ctc_loss: {message}"):
        functional.ctc_loss(np.zeros((3, 1, 3)), *arguments)


def test_ctc_wants_three_axes_and_a_blank():
    with pytest.raises(ValueError, match=r"wanted log_probs of shape \(T, N, C\) or \(T, C\)"):
        functional.ctc_loss(np.zeros(3), [1], 3, 1)
    with pytest.raises(ValueError, match="wanted a blank within 3 classes, got 3"):
        functional.ctc_loss(np.zeros((3, 3)), [1], 3, 1, blank=3)
