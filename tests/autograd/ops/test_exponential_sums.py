"""The softmax family far from the origin, where its formulas overflow."""

import math

import numpy as np
import pytest

import autograd
from autograd import Variable
from autograd.testing import check_gradients


def gradient(function, x, **kwargs):
    leaf = Variable(np.array(x), requires_grad=True)
    function(leaf, **kwargs).sum().backward()
    return leaf.grad


@pytest.mark.parametrize("shift", [-1e4, 0.0, 700.0, 1e4])
def test_large_numbers_do_not_overflow(shift):
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(
        autograd.logsumexp(x + shift) - shift, math.log(sum(map(math.exp, x))), rtol=1e-11
    )
    np.testing.assert_allclose(autograd.softmax(x + shift), autograd.softmax(x), rtol=1e-11)
    np.testing.assert_allclose(
        gradient(autograd.logsumexp, x + shift), autograd.softmax(x), rtol=1e-11
    )


def test_lists_and_numbers_are_taken_as_arrays():
    assert autograd.softmax([0.0, 0.0]).tolist() == [0.5, 0.5]
    assert autograd.log_softmax([[0, 0]]).tolist() == [[-math.log(2), -math.log(2)]]
    assert autograd.softmax(3.0) == 1.0
    assert autograd.logsumexp([0, 0]) == math.log(2)


def test_log_softmax_keeps_what_the_logarithm_of_softmax_loses():
    assert autograd.log_softmax(np.array([0.0, 1000.0]))[0] == -1000.0
    assert gradient(lambda v: autograd.log_softmax(v)[0], [0.0, 1000.0]).tolist() == [1.0, -1.0]


@pytest.mark.parametrize(
    "x, value, wanted",
    [
        ([-math.inf, 1.0], 1.0, [0.0, 1.0]),
        ([-math.inf, -math.inf], -math.inf, [0.5, 0.5]),
        ([math.inf, 1.0, math.inf], math.inf, [0.5, 0.0, 0.5]),
    ],
)
def test_equal_infinities_share_the_gradient_of_logsumexp(x, value, wanted):
    assert autograd.logsumexp(np.array(x)) == value
    assert gradient(autograd.logsumexp, x).tolist() == wanted


def test_a_masked_row_leaves_the_others_alone():
    x = np.array([[-math.inf, -math.inf], [0.0, 0.0]])
    assert gradient(autograd.logsumexp, x, axis=1).tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_masked_elements_have_probability_and_gradient_zero():
    x = [0.0, -math.inf, 0.0]
    assert autograd.softmax(np.array(x)).tolist() == [0.5, 0.0, 0.5]
    assert gradient(lambda v: autograd.softmax(v)[0], x).tolist() == [0.25, 0.0, -0.25]


def test_logsumexp_of_two_is_logaddexp():
    x = np.array([[0.3, -2.0], [5.0, 5.0]])
    np.testing.assert_allclose(
        gradient(autograd.logsumexp, x, axis=1),
        gradient(lambda v: autograd.logaddexp(v[:, 0], v[:, 1]), x),
    )


def test_integers_are_computed_as_floats():
    np.testing.assert_allclose(autograd.logsumexp([0, 0]), math.log(2))


def test_running_sums_of_exponentials_neither_overflow_nor_lose_masked_beginnings():
    x = np.array([-math.inf, -1e4, 0.0, 1e4])
    assert autograd.logcumsumexp(x).tolist() == [-math.inf, -1e4, 0.0, 1e4]
    weights = np.array([1.0, 2.0, 4.0, 8.0])
    finite = np.array([0.0, 1.0, 1.0, 1.0])
    g = gradient(lambda v: autograd.where(finite == 0, 0.0, autograd.logcumsumexp(v)) * weights, x)
    assert g.tolist() == [0.0, 2.0, 4.0, 8.0]


def test_the_last_running_sum_is_logsumexp():
    x = np.random.default_rng(0).normal(size=(3, 6)) * 9
    np.testing.assert_allclose(
        gradient(lambda v: autograd.logcumsumexp(v, axis=1)[:, -1], x),
        gradient(autograd.logsumexp, x, axis=1),
        atol=1e-15,
    )


@pytest.mark.torch
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_gradients_agree_with_pytorch(name):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(3, 4)) * 20
    theirs = torch.tensor(x, requires_grad=True)
    out = getattr(torch, name)(theirs, 1)
    weights = np.random.default_rng(1).normal(size=tuple(out.shape))
    (out * torch.tensor(weights)).sum().backward()
    ours = gradient(lambda v: getattr(autograd, name)(v, axis=1) * weights, x)
    np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-10, atol=1e-14)


# -- far from 0 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype, shift", [(np.float32, 1e5), (np.float32, 1e7), (np.float32, 1e8), (np.float64, 1e15)]
)
def test_shares_far_from_0_come_from_differences_and_add_up_to_1(dtype, shift):
    x = np.full(2, shift, dtype)
    np.testing.assert_array_equal(gradient(autograd.logsumexp, x), [0.5, 0.5])
    np.testing.assert_allclose(
        autograd.hessian(autograd.logsumexp)(x), [[0.25, -0.25]] * 1 + [[-0.25, 0.25]]
    )
    last = gradient(lambda v: autograd.logcumsumexp(v)[-1], x)
    np.testing.assert_allclose(last, [0.5, 0.5], rtol=1e-6)
    step = np.spacing(dtype(shift))
    near = np.array([shift, shift + step], dtype)
    np.testing.assert_allclose(
        gradient(autograd.logsumexp, near), autograd.softmax(near.astype(float)), rtol=1e-6
    )


def test_a_share_near_1_leaves_the_digits_of_the_others_in_second_derivatives():
    x = np.array([0.0, 40.0])
    small = np.exp(-40.0)
    for function in (autograd.logsumexp, lambda v: -autograd.log_softmax(v)[0]):
        found = autograd.hessian(function)(x)
        np.testing.assert_allclose(found, [[small, -small], [-small, small]], rtol=1e-12)


def test_logsumexp_broadcasts_its_factors():
    x, b = np.zeros(3), np.ones((2, 3))
    np.testing.assert_allclose(autograd.logsumexp(x, axis=-1, b=b), [math.log(3)] * 2)
    np.testing.assert_allclose(autograd.logsumexp(b, axis=0, b=np.ones(3)), [1 + math.log(2)] * 3)
    assert autograd.logsumexp(x, b=[1, 0, 2], keepdims=True) == pytest.approx(math.log(3))
    g = gradient(lambda v: autograd.logsumexp(v, axis=-1, b=b), x)
    np.testing.assert_allclose(g, [2 / 3] * 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_factor_of_0_leaves_its_element_out_however_large(dtype):
    x = np.array([0.0, 800.0], dtype)
    b = np.array([1.0, 0.0], dtype)
    assert autograd.logsumexp(x, b=b) == 0.0
    assert gradient(autograd.logsumexp, x, b=b).tolist() == [1.0, 0.0]
    assert autograd.grad(lambda b: autograd.logsumexp(x[:1] + 2, b=b))(b[:1]) == 1.0
    slopes = autograd.grad(lambda b: autograd.logsumexp(np.array([0.0, 3.0]), b=b))(b)
    np.testing.assert_allclose(slopes, [1.0, math.exp(3.0)], rtol=1e-6)


def test_logsumexp_of_complex_numbers_is_the_principal_logarithm():
    z = np.array([[1.0 + 3.0j, 0.9 - 2.5j], [800.0 + 3.0j, 799.0 + 2.0j]])
    wanted = [np.log(np.exp(z[0]).sum()), 800 + np.log(np.exp(z[1] - 800).sum())]
    np.testing.assert_allclose(autograd.logsumexp(z, axis=1), wanted)
    np.testing.assert_allclose(autograd.logsumexp(z, axis=1, b=np.ones(2)), wanted)
    assert check_gradients(lambda z: autograd.logsumexp(z, axis=1), z)
