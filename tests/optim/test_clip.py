"""Clipping by norm and by value."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import optim
from autograd import Variable

ORDERS = [1.0, 2.0, 3.5, math.inf, -math.inf, 0.0]


def leaves(dtype=np.float64, scale=1.0):
    rng = np.random.default_rng(0)
    result = []
    for shape in [(), (0,), (4,), (3, 5)]:
        x = Variable(np.zeros(shape, dtype), requires_grad=True)
        x.grad = (scale * rng.normal(size=shape)).astype(dtype)
        result.append(x)
    result.append(Variable(np.zeros(2, dtype), requires_grad=True))  # no gradient
    return result


def gradients(params):
    return [p.grad.copy() for p in params if p.grad is not None]


@pytest.mark.parametrize("order", ORDERS)
def test_the_norm_is_that_of_one_long_vector(order):
    arrays = gradients(leaves())
    vector = np.concatenate([a.ravel() for a in arrays])
    assert optim.get_total_norm(arrays, order) == pytest.approx(np.linalg.norm(vector, order))


def test_the_norm_takes_one_array_and_variables():
    assert optim.get_total_norm(np.array([[3.0], [4.0]])) == 5.0
    assert optim.get_total_norm(Variable([3.0, 4.0], requires_grad=True)) == 5.0
    assert optim.get_total_norm([]) == 0.0


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0])
def test_a_norm_whose_squares_overflow_is_still_right(order):
    vector = np.array([3e30, 4e30], np.float32)
    wanted = np.linalg.norm(vector.astype(np.float64), order)
    assert optim.get_total_norm([vector], order) == pytest.approx(wanted, rel=1e-6)


@given(max_norm=st.floats(0, 20), order=st.sampled_from([1.0, 2.0, math.inf]))
def test_clipping_bounds_the_norm_and_keeps_the_direction(max_norm, order):
    params = leaves()
    before = gradients(params)
    norm = optim.clip_grad_norm_(params, max_norm, order)
    assert norm == pytest.approx(optim.get_total_norm(before, order))
    assert optim.get_total_norm(gradients(params), order) <= max_norm * (1 + 1e-12)
    factor = min(1.0, max_norm / (norm + 1e-6))
    for a, b in zip(gradients(params), before, strict=True):
        np.testing.assert_allclose(a, b * factor, rtol=1e-12)


def test_small_gradients_are_left_alone_bit_for_bit():
    params = leaves()
    before = gradients(params)
    optim.clip_grad_norm_(params, 1e3)
    for a, b in zip(gradients(params), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_norm_that_is_not_finite_raises_on_request_and_changes_nothing():
    params = leaves()
    params[2].grad[0] = math.nan
    before = gradients(params)
    with pytest.raises(RuntimeError, match="wanted a finite norm of order 2.0, got nan"):
        optim.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    for a, b in zip(gradients(params), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_nan_spreads_to_all_gradients_otherwise():
    params = leaves()
    params[2].grad[0] = math.nan
    assert math.isnan(optim.clip_grad_norm_(params, 1.0))
    assert all(np.isnan(p.grad).all() for p in params if p.grad is not None)


def test_values_are_clipped_in_place_and_keep_their_dtype():
    params = leaves(np.float32)
    arrays = [p.grad for p in params]
    before = gradients(params)
    optim.clip_grad_value_(params, 0.5)
    for a, b in zip([a for a in arrays if a is not None], before, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, np.clip(b, -0.5, 0.5))


def test_one_variable_needs_no_list():
    x = Variable([1.0, 1.0], requires_grad=True)
    x.grad = [3.0, 4.0]
    assert optim.clip_grad_norm_(x, 1.0) == 5.0
    optim.clip_grad_value_(x, 0.1)
    np.testing.assert_array_equal(x.grad, [0.1, 0.1])


def test_a_generator_that_is_used_up_warns():
    with pytest.warns(UserWarning, match="got no parameters, so nothing was clipped"):
        assert optim.clip_grad_norm_(iter([]), 1.0) == 0.0


def test_negative_bounds_are_refused():
    with pytest.raises(ValueError, match=r"clip_grad_norm_: wanted max_norm >= 0, got -1\.0"):
        optim.clip_grad_norm_(leaves(), -1.0)
    with pytest.raises(ValueError, match=r"clip_grad_value_: wanted clip_value >= 0, got -1\.0"):
        optim.clip_grad_value_(leaves(), -1.0)


@pytest.mark.torch
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("order", [1.0, 2.0, 3.5, math.inf])
def test_clipping_gives_the_numbers_of_pytorch(order, scale):
    torch = pytest.importorskip("torch")
    params = leaves(scale=scale)
    tensors = [torch.zeros(p.shape, dtype=torch.float64) for p in params]
    for p, t in zip(params, tensors, strict=True):
        t.grad = None if p.grad is None else torch.tensor(p.grad)
    # PyTorch has no inf-norm of an empty tensor.
    tensors = [t for t in tensors if t.numel()]
    theirs = torch.nn.utils.clip_grad_norm_(tensors, 2.0, order)
    assert optim.clip_grad_norm_(params, 2.0, order) == pytest.approx(float(theirs), rel=1e-12)
    torch.nn.utils.clip_grad_value_(tensors, 0.3)
    optim.clip_grad_value_(params, 0.3)
    for p, t in zip([p for p in params if p.size], tensors, strict=True):
        assert (p.grad is None) == (t.grad is None)
        if p.grad is not None:
            np.testing.assert_allclose(p.grad, t.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("clip", [optim.clip_grad_norm_, optim.clip_grad_value_])
def test_a_model_in_place_of_its_parameters_is_told_so(clip):
    with pytest.raises(
        TypeError, match=r"wanted parameters, got object; pass model.parameters\(\)"
    ):
        clip(object(), 1.0)
