"""What is said about names that other libraries have."""

import pytest

import autograd
import nn
from autograd import Variable

X = Variable([[1.0, 2.0]], requires_grad=True)


@pytest.mark.parametrize(
    "holder, name, advice",
    [
        (autograd, "arange", "np.arange"),  # and not autograd.average, which looks like it
        (autograd, "eye", "np.eye"),
        (autograd, "float32", "np.float32"),
        (autograd, "randn", "np.random.default_rng().normal(size=shape)"),
        (autograd, "relu", "nn.functional.relu"),
        (autograd, "averag", "autograd.average"),
        (nn, "Dense", "nn.Linear"),
        (nn, "SyncBatchNorm", "nn.parallel.SyncBatchNorm"),
        (nn, "Conv2D", "nn.Conv2d"),
        (nn.functional, "softmax_cross_entropy", "nn.functional.cross_entropy"),
        (nn.functional, "sofmax", "nn.functional.softmax"),
        (nn.Sequential(), "add", "model.append(layer)"),
        (nn.Linear(1, 1), "cleargrads", "model.zero_grad()"),
        (X, "detach_", "x = x.detach()"),
        (X, "cleargrad", "x.zero_grad()"),
        (X, "matmul", "x @ y"),
        (X, "conv2d", "nn.functional.conv2d(x)"),
        (X, "add_", "x = x + y"),
    ],
)
def test_names_of_other_libraries_are_translated(holder, name, advice):
    with pytest.raises(AttributeError) as caught:
        getattr(holder, name)
    assert f"write {advice}" in str(caught.value)
