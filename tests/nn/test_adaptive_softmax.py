"""Adaptive softmax: beside PyTorch, and its own probabilities against one another."""

import numpy as np
import pytest
import torch_nested

import autograd
import nn


def layer(**options):
    return nn.AdaptiveLogSoftmaxWithLoss(
        8, 20, [5, 12], div_value=2.0, dtype=np.float64, generator=0, **options
    )


@pytest.mark.torch
@pytest.mark.parametrize("head_bias", [True, False])
def test_losses_gradients_and_probabilities_equal_pytorchs(head_bias):
    torch = pytest.importorskip("torch")
    ours = layer(head_bias=head_bias)
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(
        8, 20, [5, 12], div_value=2.0, head_bias=head_bias, dtype=torch.float64
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, 8))
    for target in (rng.integers(0, 20, 9), rng.integers(0, 5, 9), rng.integers(12, 20, 9)):
        torch_nested.compare_modules(torch, ours, theirs, x, target)
    torch_nested.compare_modules(torch, ours, theirs, x[0], np.array(7))
    np.testing.assert_allclose(
        ours.log_prob(x).data, theirs.log_prob(torch.tensor(x)).detach().numpy(), rtol=1e-10
    )
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(torch.tensor(x)).numpy())


def test_the_loss_is_that_of_all_probabilities():
    model, rng = layer(), np.random.default_rng(0)
    x, target = rng.normal(size=(9, 8)), rng.integers(0, 20, 9)
    log_p = model.log_prob(x).data
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1.0)
    output, loss = model(x, target)
    np.testing.assert_allclose(output.data, log_p[np.arange(9), target], rtol=1e-12)
    np.testing.assert_allclose(loss.item(), -output.data.mean())
    np.testing.assert_array_equal(model.predict(x), log_p.argmax(axis=1))


def test_second_derivatives_equal_differences():
    model = layer()
    target = np.array([0, 6, 19, 4])
    x = np.random.default_rng(0).normal(size=(4, 8))
    autograd.testing.check_gradients(lambda x: model(x, target).output, x, order=2)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 10, [5, 5]),
            ValueError,
            "wanted increasing cutoffs",
        ),
        (
            lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 10, [10]),
            ValueError,
            r"from 1 to 9.*got \[10\]",
        ),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 10, []), ValueError, "wanted increasing cutoffs"),
        (
            lambda: layer()(np.ones((3, 7)), [0, 1, 2]),
            ValueError,
            r"wanted an input of shape \(N, 8\) and a target of shape \(N,\).* got \(3, 7\)",
        ),
        (lambda: layer()(np.ones((1, 8)), [20]), ValueError, "wanted targets from 0 to 19, got 20"),
        (
            lambda: layer()(np.ones((1, 8)), [1.0]),
            TypeError,
            "wanted integers as targets, got float64",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
