"""Augmented assignment: results are replaced, leaves are updated or refused, views are refused."""

import operator

import numpy as np
import pytest

import nn
import optim
from autograd import Variable, checkpoint, grad, hessian, jvp, no_grad

OPERATIONS = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "//=": operator.ifloordiv,
    "%=": operator.imod,
    "**=": operator.ipow,
}


def leaf(*values):
    return Variable(np.array(values), requires_grad=True)


# -- results ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("operate", OPERATIONS.values(), ids=OPERATIONS)
def test_a_result_is_replaced_and_other_names_keep_it(operate):
    x = leaf(1.5, 2.5)
    y = other = x * 2
    y = operate(y, x)
    wanted = operate(other.data.copy(), x.data)
    np.testing.assert_array_equal(y.data, wanted)
    np.testing.assert_array_equal(other.data, [3.0, 5.0])
    h = 1e-6

    def function(v):
        w = v * 2
        return operate(w, v)

    y.sum().backward()
    slope = (function(x.data + h) - function(x.data - h)) / (2 * h)
    np.testing.assert_allclose(x.grad, slope, rtol=1e-6)


def test_a_constant_that_collects_is_replaced():
    x, total = leaf(1.0, 2.0), Variable(0.0)
    kept = total
    for v in x:
        total += v * v
    total.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    assert kept.item() == 0.0
    with no_grad():
        kept += 1.0
    assert kept.item() == 1.0


def test_matmul_rebinds_too():
    x = leaf([1.0, 2.0], [3.0, 4.0])
    y = x * 1
    y @= np.eye(2)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, np.ones((2, 2)))


@pytest.mark.parametrize(
    "transform, wanted",
    [
        (grad, [2.0, 4.0]),
        (lambda f: grad(lambda x: grad(f)(x).sum()), [2.0, 2.0]),
        (lambda f: lambda x: hessian(f)(x).sum(axis=0), [2.0, 2.0]),
        (lambda f: lambda x: jvp(f, (x,), (np.array([1.0, 0.0]),))[1], 2.0),
        (lambda f: grad(lambda x: checkpoint(f)(x * 1.0)), [2.0, 4.0]),
        (lambda f: grad(checkpoint(f)), [2.0, 4.0]),
    ],
)
def test_the_argument_of_a_transform_is_replaced_and_the_callers_array_stays(transform, wanted):
    def f(x):
        x -= 1.0
        x += 1.0
        x *= x
        return x.sum()

    for a in (np.array([1.0, 2.0]), np.array([[1.0, 2.0], [0.0, 0.0]])[0]):  # its own, or a view
        np.testing.assert_allclose(transform(f)(a), wanted)
        np.testing.assert_array_equal(a, [1.0, 2.0])


# -- leaves ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("symbol, operate", OPERATIONS.items(), ids=OPERATIONS)
def test_a_leaf_is_refused_while_operations_are_recorded(symbol, operate):
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError) as caught:
        operate(x, 2.0)
    assert str(caught.value).startswith(
        f"{symbol}: wanted a result of operations, or a leaf inside autograd.no_grad(), got a leaf "
        f"that requires a gradient; write `with autograd.no_grad(): x {symbol} ...` to update the "
        f"leaf, or x = x {symbol[:-1]} ... for a new value"
    )
    np.testing.assert_array_equal(x.data, [1.0, 2.0])


@pytest.mark.parametrize("operate", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_leaf_is_updated_in_place_inside_no_grad(operate, dtype):
    x = Variable(np.array([1.5, 2.5], dtype), requires_grad=True)
    same, memory = x, x.data
    with no_grad():
        x = operate(x, np.array([0.5, 2.0]))
    assert x is same
    assert x.data is memory
    assert x.requires_grad
    assert x.is_leaf
    wanted = operate(np.array([1.5, 2.5]), np.array([0.5, 2.0]))
    np.testing.assert_allclose(memory, wanted.astype(dtype), rtol=1e-6)


def test_matmul_updates_a_leaf():
    x = leaf([1.0, 2.0], [3.0, 4.0])
    with no_grad():
        x @= np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(x.data, [[2.0, 1.0], [4.0, 3.0]])


def test_pytorchs_manual_step_trains_as_sgd_does():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)).astype(np.float32), rng.normal(size=(20, 1)).astype(np.float32)
    nn_weights = rng.normal(size=(1, 3)).astype(np.float32)

    def trained(step):
        model = nn.Linear(3, 1)
        model.weight.data, model.bias.data = nn_weights.copy(), np.zeros(1, np.float32)
        losses = []
        for _ in range(50):
            loss = nn.functional.mse_loss(model(x), y)
            model.zero_grad()
            loss.backward()
            step(model)
            losses.append(loss.item())
        return losses

    def manual(model):
        with no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad

    losses = trained(manual)
    np.testing.assert_allclose(
        losses, trained(lambda model: optim.SGD(model.parameters(), lr=0.1).step()), rtol=1e-5
    )
    assert losses[-1] < 0.8 * losses[0]


def test_a_number_is_updated_and_stays_a_number():
    w = Variable(3.0, requires_grad=True)
    for _ in range(30):
        w.zero_grad()
        (w * w).backward()
        with no_grad():
            w -= 0.1 * w.grad
    assert abs(w.item()) < 0.01
    assert type(w._data) is np.float64
    single = Variable(np.float32(3.0), requires_grad=True)
    with no_grad():
        single *= np.float64(0.5)
    assert (single.item(), single.dtype) == (1.5, np.float32)


def test_an_update_between_forward_and_backward_is_detected():
    w, x = leaf(1.0, 2.0), leaf(3.0, 4.0)
    loss = (w * x).sum()
    with no_grad():
        w -= 0.5
    with pytest.raises(RuntimeError, match=r"data of shape \(2,\) was changed .* after multiply"):
        loss.backward()


def test_a_frozen_leaf_is_updated_not_silently_left():
    """The target network of reinforcement learning: t += tau * (s - t) over frozen parameters."""
    target, source = nn.Linear(2, 1).requires_grad_(False), nn.Linear(2, 1)
    before = target.weight.data.copy()
    with no_grad():
        for t, s in zip(target.parameters(), source.parameters(), strict=True):
            t *= 0.5
            t += 0.5 * s
    np.testing.assert_allclose(
        target.weight.data, 0.5 * before + 0.5 * source.weight.data, rtol=1e-6
    )
    frozen = leaf(1.0, 2.0).requires_grad_(False)
    frozen *= 2.0  # nothing to record
    np.testing.assert_array_equal(frozen.data, [2.0, 4.0])
    with pytest.raises(RuntimeError, match=r"\+=: wanted a result"):
        frozen += leaf(1.0, 2.0)


def test_an_operand_that_does_not_fit_the_leaf_is_refused_and_nothing_changes():
    x = leaf(1.0, 2.0)
    with no_grad():
        with pytest.raises(
            ValueError, match=r"\+=: wanted an operand .* leaf, \(2,\), got \(3, 2\)"
        ):
            x += np.ones((3, 2))
        with pytest.raises(TypeError, match="same_kind"):
            x += 1j
        scalar = Variable(1.0, requires_grad=True)
        with pytest.raises(ValueError, match=r"leaf, \(\), got \(2,\)"):
            scalar += np.ones(2)
        with pytest.raises(TypeError, match="same_kind"):
            scalar += 1j
    loss = (x * x).sum()
    loss.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    assert scalar.item() == 1.0


# -- views -----------------------------------------------------------------------------------------

VIEWS = {
    "item": lambda y: y[0],
    "slice": lambda y: y[:, 1:],
    "reshape": lambda y: y.reshape(-1),
    "ravel": lambda y: y.ravel(),
    "T": lambda y: y.T,
    "swapaxes": lambda y: y.swapaxes(0, 1),
    "expand_dims": lambda y: y[None],
    "diagonal": lambda y: y.diagonal(),
    "squeeze": lambda y: y[None].squeeze(),
    "split": lambda y: np.split(y, 2)[0],
    "iteration": lambda y: next(iter(y)),
    "view of a view": lambda y: y.T[0],
    "detach": lambda y: y.detach(),
    "flip": np.flip,
}


@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_view_of_a_living_variable_is_refused_where_numpy_would_change_both(
    view, requires_grad, recording
):
    x = Variable(np.arange(4.0).reshape(2, 2), requires_grad=requires_grad)
    with no_grad() if not recording else pytest.MonkeyPatch.context():
        for y in (x, x * 1.0):
            part = view(y)
            assert np.shares_memory(part.data, y.data)
            with pytest.raises(
                RuntimeError,
                match=r"\*=: wanted an array of its own, got a view .*; write x = x \* \.\.\.",
            ):
                part *= 2.0
            np.testing.assert_array_equal(y.data, np.arange(4.0).reshape(2, 2))


def test_a_view_that_nobody_else_knows_is_replaced():
    x = leaf([1.0, 2.0], [3.0, 4.0])
    for make in (
        lambda: (x * 2).reshape(-1),
        lambda: np.exp(x).T,  # the graph holds the memory, too
        lambda: np.tanh(x * 2)[0],
        lambda: (x @ x).T[:, 0],
        lambda: np.exp(x).T.reshape(2, 2)[0],
    ):
        y = make()
        before = y.data.copy()
        y += 1.0
        np.testing.assert_array_equal(y.data, before + 1)
        y.sum().backward()


def test_augmented_assignment_to_an_item_is_left_to_setitem():
    for assign in (lambda x: operator.setitem(x, 0, x[0] + 1), augmented_item):
        x = leaf([1.0, 2.0], [3.0, 4.0]) * 1
        assign(x)
        assert x.data.tolist() == [[2.0, 3.0], [3.0, 4.0]]


def augmented_item(x):
    x[0] += 1.0


def test_scalars_are_never_views():
    x = leaf(1.0, 2.0)
    a = x[0]
    a += 1.0
    a.backward()
    np.testing.assert_array_equal(x.grad, [1.0, 0.0])
