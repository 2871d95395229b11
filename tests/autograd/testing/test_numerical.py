"""Gradients by numbers for functions that have no rules."""

import math

import numpy as np
import pytest

from autograd import Variable
from autograd.extend import primitive
from autograd.testing import GradientError, check_gradients, numerical_vjp


def test_the_gradient_is_that_of_the_rule(rng):
    x, y = rng.normal(size=(2, 3)), rng.normal(size=3)
    leaves = [Variable(x, requires_grad=True), Variable(y, requires_grad=True)]
    output = numerical_vjp(lambda x, y: np.sin(x) * y)(*leaves)
    output.backward(np.ones((2, 3)))
    np.testing.assert_allclose(leaves[0].grad, np.cos(x) * y, rtol=1e-10)
    np.testing.assert_allclose(leaves[1].grad, np.sin(x).sum(axis=0), rtol=1e-10)


def test_any_code_will_do():
    gamma = numerical_vjp(lambda x: np.array([math.lgamma(float(v)) for v in np.ravel(x)]))
    assert check_gradients(gamma, np.array([0.7, 3.2]), order=1)


def test_several_outputs_and_constants_work(rng):
    fn = numerical_vjp(lambda x, n, y: (x**n, np.sum(np.abs(x) * y)))
    assert check_gradients(
        lambda x, y: fn(x, 3, y), rng.normal(size=3), rng.normal(size=3), order=1
    )


def test_second_derivatives_work_to_six_digits(rng):
    cube = numerical_vjp(lambda x: np.abs(x) ** 3)
    x = rng.normal(size=1)
    assert check_gradients(cube, x, rtol=1e-6, atol=1e-6, modes=("reverse",))


def test_single_precision_stays():
    x = Variable(np.array([1.0, 2.0], dtype=np.float32), requires_grad=True)
    numerical_vjp(np.square)(x).sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_allclose(x.grad, [2.0, 4.0], rtol=1e-6)


def test_it_is_labelled():
    square = numerical_vjp(np.square)
    assert square.is_numerical
    assert "numerical(square)" in repr(square)
    assert "numerical(square)" in repr(square(Variable(2.0, requires_grad=True)))


def test_arrays_give_arrays():
    assert type(numerical_vjp(np.square)(np.ones(2))) is np.ndarray


def test_a_keyword_with_a_gradient_is_refused():
    fn = numerical_vjp(lambda x, scale=1.0: x * scale)
    with pytest.raises(TypeError, match="got one as 'scale'"):
        fn(np.ones(2), scale=Variable(2.0, requires_grad=True))


def test_the_replacement_is_checked_against_it():
    cube = numerical_vjp(lambda x: x**3)
    right = primitive(x=lambda g, x: g * 3 * x**2)(lambda x: x**3)
    assert cube.check_against(right, np.array([1.0, -2.0]))
    with pytest.raises(AssertionError, match="wanted the values of numerical"):
        cube.check_against(primitive(x=lambda g, x: g * 2 * x)(lambda x: x**2), np.array([2.0]))
    with pytest.raises(GradientError, match="constant factor"):
        cube.check_against(
            primitive(x=lambda g, x: g * x**2)(lambda x: x**3), np.array([1.0, -2.0])
        )
