"""Checkpointing: the same gradients, less memory, and what is refused."""

import gc

import numpy as np
import pytest

import autograd
import nn
from autograd import Variable, checkpoint, grad, hessian, jvp, no_grad

rng = np.random.default_rng(0)
X = rng.normal(size=(3,))
M = rng.normal(size=(4, 3))


def block(x, w):
    for _ in range(10):
        x = np.tanh(x @ w)
    return x


def test_checkpoint_gives_equal_gradients():
    w = rng.normal(size=(3, 3))
    loss = lambda f: lambda x, w: (f(f(x, w), w) ** 2).sum()
    plain = grad(loss(block), (0, 1))(M, w)
    saved = grad(loss(checkpoint(block)), (0, 1))(M, w)
    for a, b in zip(plain, saved, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def live_arrays(function, size):
    """Count arrays of `size` bytes that a recorded result keeps alive."""
    x = Variable(np.zeros(size // 8), requires_grad=True)
    import tracemalloc

    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    out = function(x)
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    out.sum().backward()
    return kept / size


def test_checkpoint_keeps_only_its_arguments():
    def deep(x):
        for _ in range(20):
            x = np.tanh(x)
        return x

    size = 80_000
    assert live_arrays(deep, size) > 19
    assert live_arrays(checkpoint(deep), size) < 2.5


def test_checkpoint_replays_dropout():
    drop = nn.Dropout(0.5)
    x = Variable(np.ones((50, 50)), requires_grad=True)
    autograd.manual_seed(3)
    out = checkpoint(lambda x: drop(x * 1.0))(x)
    after = autograd.new_generator().random()
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, out.data)
    autograd.manual_seed(3)
    drop(x * 1.0)
    assert autograd.new_generator().random() == after


def test_checkpoint_reaches_parameters_in_the_closure():
    layer = nn.Linear(3, 2, dtype=np.float64)
    checkpoint(lambda x: layer(x) ** 2)(Variable(M)).sum().backward()
    g = layer.weight.grad
    layer.zero_grad()
    (layer(M) ** 2).sum().backward()
    np.testing.assert_allclose(g, layer.weight.grad, rtol=1e-14)


def test_checkpoint_has_second_derivatives():
    f = checkpoint(lambda x: (np.exp(x) * x).sum())
    np.testing.assert_allclose(
        hessian(lambda x: f(x) ** 2)(X), hessian(lambda x: (np.exp(x) * x).sum() ** 2)(X)
    )
    np.testing.assert_allclose(jvp(f, (X,), (X,))[1], (np.exp(X) * (1 + X) * X).sum())


def test_checkpoint_works_with_grad_of_a_graph_and_containers():
    x, w = Variable(M, requires_grad=True), Variable(rng.normal(size=(3, 3)), requires_grad=True)
    f = checkpoint(lambda p: {"out": block(p["x"], p["w"]), "n": 3, "w": p["w"] * 2})
    out = f({"x": x, "w": w})
    assert out["n"] == 3
    got = grad([out["out"].sum(), out["w"].sum()], [x, w])
    wanted = grad([block(x, w).sum(), (w * 2).sum()], [x, w])
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_checkpoint_leaves_unused_outputs_and_nongradient_calls_alone():
    x = Variable(X, requires_grad=True)
    first, _ = checkpoint(lambda x: (x * 2, x * 3))(x)
    first.sum().backward()
    np.testing.assert_allclose(x.grad, 2 * np.ones(3))
    with no_grad():
        assert not checkpoint(np.sin)(x).requires_grad
    assert type(checkpoint(np.sin)(X)) is np.ndarray


def test_checkpoint_notices_another_result():
    count = []

    def f(x):
        count.append(1)
        return x * len(count)

    out = checkpoint(f)(Variable(X, requires_grad=True))
    with pytest.raises(RuntimeError, match="the same output from the second evaluation"):
        out.sum().backward()


@pytest.mark.parametrize("power", [1, 2])
def test_checkpoint_counts_what_it_closes_over_once(power):
    """An argument, or another closed-over Variable, may have been computed from it."""

    def fifth(c, wrapper):
        square = c * c
        return wrapper(lambda x: x * square * c)(square)

    def derivative(wrapper):
        f = lambda c: fifth(c, wrapper)
        for _ in range(power):
            f = autograd.grad(f)
        return f(1.3)

    assert derivative(checkpoint) == pytest.approx(derivative(lambda f: f))


def test_checkpoint_leaves_what_it_closes_over_to_a_second_pass():
    c = Variable(1.3, requires_grad=True)
    square = c * c
    out = checkpoint(lambda x: x * square * c)(2.0)
    out.backward(retain_graph=True)
    out.backward()
    assert c.grad == pytest.approx(2 * 6 * 1.3**2)


@pytest.mark.parametrize("power", [1, 2])
def test_hooks_of_what_checkpoint_closes_over_see_the_complete_gradient_once(power):
    w, x, seen = Variable(2.0, requires_grad=True), Variable(3.0, requires_grad=True), []
    w.register_hook(lambda g: (seen.append(float(g)), g * 2)[1])
    loss = checkpoint(lambda x: x * w)(x) ** power + w
    loss.backward()
    gradient = 2 * x.item() ** 2 if power == 2 else x.item()
    assert seen == [gradient * w.item() ** (power - 1) + 1]
    assert w.grad == 2 * seen[0]
