"""Convolution: what the rows of the op table (tests/op_rows/signal.py) do not show."""

import numpy as np
import pytest

import autograd
from autograd import Variable, signal


def summed(x, y, mode="full"):
    """Convolve by the definition, over all axes."""
    out = np.zeros([m + n - 1 for m, n in zip(x.shape, y.shape, strict=True)])
    for k in np.ndindex(*y.shape):
        out[tuple(slice(i, i + m) for i, m in zip(k, x.shape, strict=True))] += x * y[k]
    return out


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("method", ["direct", "fft", "auto"])
@pytest.mark.parametrize("shapes", [((7,), (3,)), ((2, 9), (4, 3)), ((40, 30), (25, 20))])
def test_convolution_is_the_sum_of_its_definition(shapes, method, rng):
    x, y = (rng.normal(size=shape) for shape in shapes)
    got = signal.convolve(x, y, method=method)
    np.testing.assert_allclose(got, summed(x, y), rtol=1e-10, atol=1e-12)


def test_free_axes_of_both_come_first_and_named_ones_are_summed(rng):
    x, y = rng.normal(size=(2, 5, 3)), rng.normal(size=(3, 4, 2))
    out = signal.convolve(x, y, axes=([1], [-1]), dot_axes=([-1], [0]))
    assert out.shape == (2, 4, 6)
    for i in range(2):
        for j in range(4):
            wanted = sum(np.convolve(x[i, :, d], y[d, j]) for d in range(3))
            np.testing.assert_allclose(out[i, j], wanted)


def test_the_third_argument_may_be_the_mode_as_in_scipy(rng):
    x, y = rng.normal(size=6), rng.normal(size=3)
    np.testing.assert_allclose(signal.convolve(x, y, "valid"), np.convolve(x, y, "valid"))
    np.testing.assert_allclose(signal.convolve(x, y, "same", "fft"), np.convolve(x, y, "same"))


def test_a_large_convolution_goes_through_transforms_and_back(rng):
    x = Variable(rng.normal(size=4096), requires_grad=True)
    y = Variable(rng.normal(size=3000), requires_grad=True)
    weights = rng.normal(size=7095)
    (signal.convolve(x, y) * weights).sum().backward()
    np.testing.assert_allclose(x.grad, np.correlate(weights, y.data, "valid"), atol=1e-9)
    np.testing.assert_allclose(y.grad, np.correlate(weights, x.data, "valid"), atol=1e-9)


def test_whole_numbers_stay_exact():
    x, y = np.array([10**15, 1, 2]), np.array([1, 3])
    assert signal.convolve(x, y).tolist() == np.convolve(x, y).tolist()
    small = signal.convolve(np.array([1, 2]), np.array([1, 3]), method="fft")
    assert (small.dtype.kind, small.tolist()) == ("i", [1, 5, 6])


@pytest.mark.torch
def test_a_layer_is_that_of_pytorch(rng):
    torch = pytest.importorskip("torch")
    x = rng.normal(size=(2, 3, 8, 7))
    w = rng.normal(size=(4, 3, 3, 2))

    def layer(x, w):
        return signal.convolve(x, w[..., ::-1, ::-1], ([2, 3], [2, 3]), ([1], [1]), "valid")

    out, pullback = autograd.vjp(layer, x, w)
    theirs = [torch.tensor(a, requires_grad=True) for a in (x, w)]
    wanted = torch.nn.functional.conv2d(*theirs)
    np.testing.assert_allclose(out, wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
    wanted.square().sum().backward()
    for got, t in zip(pullback(2 * out), theirs, strict=True):
        np.testing.assert_allclose(got, t.grad.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"mode": "wrap"}, ValueError, "wanted mode 'full', 'same' or 'valid', got 'wrap'"),
        ({"method": "slow"}, ValueError, "wanted method 'auto', 'direct' or 'fft', got 'slow'"),
        ({"axes": ([0], [2])}, ValueError, "wanted different axes of an array of shape"),
        ({"axes": ([0, 0], [0, 1])}, ValueError, r"different axes .* got \(0, 0\)"),
        ({"axes": ([0], [0, 1])}, ValueError, "wanted as many axes of both operands"),
        ({"axes": 1}, TypeError, "wanted axes as a pair of sequences"),
        ({"dot_axes": ([0], [0])}, ValueError, "wanted dot_axes of equal lengths"),
        ({"axes": ([0], [0]), "dot_axes": ([0], [0])}, ValueError, "not convolved"),
        ({"mode": "valid"}, ValueError, r"got sizes \(2, 5\) and \(3, 4\)"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        signal.convolve(np.ones((2, 5)), np.ones((3, 4)), **arguments)


def test_nothing_to_convolve_is_an_error():
    with pytest.raises(ValueError, match="wanted at least one element along convolved axes"):
        signal.convolve(np.ones(3), np.ones(0))
