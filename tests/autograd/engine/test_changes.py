"""Memory that the library changes between forward and backward: found whoever it belongs to."""

import gc

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Function, Variable, no_grad

STALE = r"backward: data of shape .* was changed .*; compute the output again after the change"


def leaf(*values):
    return Variable(np.array(values), requires_grad=True)


def stepped(*variables):
    """Change data as training does."""
    for v in variables:
        v.requires_grad = True
        v.grad = np.ones(v.shape)
    optim.SGD(variables, lr=1.0).step()


# -- frozen and detached parameters ----------------------------------------------------------------


def test_loading_a_state_into_a_frozen_layer_is_found():
    layer = nn.Linear(2, 1).requires_grad_(False)
    x = Variable(np.ones((1, 2), np.float32), requires_grad=True)
    y = layer(x).sum()
    layer.load_state_dict({k: v + 10 for k, v in layer.state_dict().items()})
    with pytest.raises(RuntimeError, match=STALE):
        y.backward()


@pytest.mark.parametrize(
    "constant",
    [
        lambda w: w.detach(),
        lambda w: w.data,
        lambda w: w.detach().data[:],
        lambda w: w.requires_grad_(False),
        lambda w: w.detach().reshape(1, 2).reshape(2),
    ],
    ids=["detach", "data", "view", "frozen", "reshaped"],
)
@pytest.mark.parametrize(
    "change",
    [
        stepped,
        lambda w: setattr(w, "data", w.data * 2),
        nn.init.zeros_,
        lambda w: stepped(Variable(w.data, copy=False)),
        lambda w: nn.init.ones_(w.detach()),
    ],
    ids=["step", "assignment", "init", "another Variable", "init of a detached one"],
)
def test_a_constant_changed_before_the_backward_pass_is_found(constant, change):
    w, x = leaf(2.0, 3.0), leaf(1.0, 1.0)
    y = (x * constant(w)).sum()
    change(w)
    with pytest.raises(RuntimeError, match=STALE):
        y.backward()
    assert x.grad is None
    (x * constant(w)).sum().backward()
    np.testing.assert_array_equal(x.grad, w.data)


def test_the_update_of_a_gan_between_forward_and_backward_is_found():
    critic, generator = nn.Linear(2, 1), nn.Linear(2, 2)
    noise = np.ones((1, 2), np.float32)
    critic.requires_grad_(False)
    loss = critic(generator(noise)).mean()
    critic.requires_grad_(True)
    critic(generator(noise).detach()).mean().backward()
    optim.SGD(critic.parameters(), lr=1.0).step()
    with pytest.raises(RuntimeError, match=STALE):
        loss.backward()


def test_two_variables_over_one_buffer_are_one_memory():
    buffer = np.array([2.0, 3.0])
    one, other = (Variable(buffer, copy=False, requires_grad=True) for _ in range(2))
    x = leaf(1.0, 1.0)
    y = (x * one.detach()).sum()
    stepped(other)
    with pytest.raises(RuntimeError, match=STALE):
        y.backward()


def test_an_update_inside_no_grad_is_found():
    w, x = leaf(2.0, 3.0), leaf(1.0, 1.0)
    y = (x * w.detach()).sum()
    with no_grad():
        w -= 1.0
    with pytest.raises(RuntimeError, match=STALE):
        y.backward()


def test_what_a_function_keeps_in_containers_is_watched_as_well():
    class Scale(Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.kept = {"w": [w]}
            return x * w

        @staticmethod
        def backward(ctx, g):
            return g * ctx.kept["w"][0], None

    w, x = leaf(2.0, 3.0), leaf(1.0, 1.0)
    y = Scale.apply(x, w.detach()).sum()
    stepped(w)
    with pytest.raises(RuntimeError, match=STALE):
        y.backward()


def test_a_change_is_found_by_every_way_back():
    w, x = leaf(2.0, 3.0), leaf(1.0, 1.0)
    for back in (
        lambda y: autograd.grad(y, x),
        lambda y: autograd.grad(y, x, create_graph=True),
        lambda y: y.backward(retain_graph=True),
    ):
        y = (x * w.detach()).sum()
        stepped(w)
        with pytest.raises(RuntimeError, match=STALE):
            back(y)


# -- results ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [np.exp, np.tanh, np.sqrt, nn.functional.softmax])
def test_mark_changed_on_a_result_counts(function):
    x = leaf(1.0, 2.0)
    y = function(x)
    z = y.sum()
    y.data[...] = 5.0
    y.mark_changed()
    with pytest.raises(RuntimeError, match=STALE):
        z.backward()
    assert x.grad is None


def test_mark_changed_on_a_view_of_a_result_counts_where_it_overlaps():
    x = leaf(1.0, 2.0, 3.0)
    y = np.exp(x)
    left, right = y[:1], y[2:]
    z = (np.sin(left) * 2.0).sum()
    right.data[...] = 5.0
    right.mark_changed()
    with pytest.raises(RuntimeError, match="after exp saved it"):
        z.backward()
    y = x * 1.0  # saves nothing of its own
    left, right = y[:1], y[2:]
    z = np.sin(left).sum()
    right.data[...] = 5.0
    right.mark_changed()
    z.backward()
    np.testing.assert_allclose(x.grad, [np.cos(1.0), 0.0, 0.0])
    left = (x * 1.0)[:1]
    z = np.sin(left).sum()
    left.mark_changed()
    with pytest.raises(RuntimeError, match="after sin saved it"):
        z.backward()


def test_a_scalar_result_cannot_change_what_was_saved():
    x = Variable(1.0, requires_grad=True)
    y = np.exp(x)
    y.data[...] = 5.0
    y.mark_changed()
    y.backward()
    np.testing.assert_allclose(x.grad, np.e)


# -- what is not stale -----------------------------------------------------------------------------


def test_a_change_before_the_operation_is_nobodys_business():
    w, x = leaf(2.0, 3.0), leaf(1.0, 1.0)
    stepped(w)
    (x * w.detach()).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 2.0])


def test_a_copy_is_not_watched():
    w, x = leaf(2.0, 3.0), leaf(1.0, 1.0)
    y = (x * w.data.copy()).sum()
    stepped(w)
    y.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 3.0])


def test_the_registry_forgets_arrays_that_are_gone():
    from autograd.engine.backward import _CHANGED

    gc.collect()
    before = len(_CHANGED)
    for _ in range(100):
        w = leaf(2.0, 3.0)
        w.mark_changed()
        w.detach().mark_changed()
    del w
    gc.collect()
    assert len(_CHANGED) <= before + 1
