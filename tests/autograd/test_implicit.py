"""Fixed points: gradients against closed forms, through everything that the step depends on."""

import numpy as np
import pytest

import autograd
from autograd import Variable, grad, no_grad
from autograd.implicit import fixed_point


def distance(x, y):
    return np.abs(x - y).max()


def newton(a):
    return lambda x: 0.5 * (x + a / x)


def root(a):
    return fixed_point(newton, a, 1.0, distance, 1e-14)


def test_derivatives_of_the_square_root_by_newtons_method():
    first = grad(root)
    second = grad(first)
    assert root(4.0) == 2.0
    assert first(4.0) == pytest.approx(1 / 4)
    assert second(4.0) == pytest.approx(-1 / 32)
    assert grad(second)(4.0) == pytest.approx(3 / 256)


@pytest.fixture
def affine():
    rng = np.random.default_rng(0)
    return 0.2 * rng.normal(size=(3, 3)), rng.normal(size=3)


def settled(A, b):
    """The parameters in a container, and one that the step closes over."""
    return fixed_point(lambda p: lambda x: p["A"] @ x + b, {"A": A}, np.zeros(3), distance, 1e-14)


def solved(A, b):
    return autograd.linalg.solve(np.eye(3) - A, b)


@pytest.mark.parametrize("argnum", [0, 1])
def test_a_linear_iteration_has_the_gradients_of_its_equation(affine, argnum):
    got = autograd.jacobian(settled, argnum)(*affine)
    np.testing.assert_allclose(got, autograd.jacobian(solved, argnum)(*affine), atol=1e-12)


def test_second_derivatives_and_forward_mode_of_a_linear_iteration(affine):
    A, b = affine
    for transform in (
        lambda f: autograd.hessian(lambda A: (f(A, b) ** 2).sum())(A),
        lambda f: autograd.jvp(lambda A: f(A, b), (A,), (A,))[1],
    ):
        np.testing.assert_allclose(transform(settled), transform(solved), atol=1e-11)


def test_complex_iterations(affine):
    A, b = affine
    A = A * (1 + 0.5j)

    def energy(f):
        return grad(lambda A: (np.abs(f(A, b)) ** 2).sum())(A)

    got = energy(
        lambda A, b: fixed_point(
            lambda A: lambda x: A @ x + b, A, np.zeros(3, complex), distance, 1e-14
        )
    )
    np.testing.assert_allclose(got, energy(solved), atol=1e-12)


@pytest.mark.parametrize(
    "f",
    [
        lambda c: fixed_point(lambda a: lambda x: np.cos(a * x) * c, c * c, 0.5, distance, 1e-14),
        lambda c: fixed_point(lambda a: lambda x: np.cos(a * a * x) * a, c, 0.5, distance, 1e-14),
    ],
    ids=["closed over", "handed over"],
)
def test_parameters_that_depend_on_each_other_count_once(f):
    """The same function, whether its second parameter is computed from the first outside or not."""
    h = 1e-4
    for _ in range(2):
        slope = grad(f)
        assert slope(0.9) == pytest.approx((f(0.9 + h) - f(0.9 - h)) / (2 * h), rel=1e-6)
        f = slope


def test_the_start_has_no_gradient_and_no_influence():
    assert grad(lambda x0: fixed_point(newton, 4.0, x0, distance, 1e-14) ** 2)(1.0) == 0
    assert fixed_point(newton, 4.0, 10, distance, 1e-14) == pytest.approx(2)


@pytest.mark.parametrize("size", [1e-12, 1e12])
def test_the_gradient_has_its_digits_for_cotangents_of_any_size(size):
    a = Variable(4.0, requires_grad=True)
    out = fixed_point(lambda a: lambda x: np.cos(x) * a / 8, a, 0.5, distance, 1e-10)
    (one,) = grad(out, [a], retain_graph=True)
    (other,) = grad(out, [a], [np.float64(size)])
    np.testing.assert_allclose(other / size, one, rtol=1e-9)


def test_nothing_is_recorded_without_need():
    assert isinstance(root(4.0), np.floating)
    a = Variable(4.0, requires_grad=True)
    with no_grad():
        assert not getattr(root(a), "requires_grad", False)


def test_only_the_solution_is_kept():
    a = Variable(4.0, requires_grad=True)
    out = root(a)
    assert list(out._node.parents) == [a._node]


def test_an_iteration_that_does_not_settle_is_an_error():
    with pytest.raises(RuntimeError, match="wanted an iteration that comes to a point"):
        fixed_point(lambda a: lambda x: x * np.nan, 1.0, 1.0, distance, 1e-8)
    with pytest.raises(ValueError, match="wanted a step that keeps the shape"):
        fixed_point(lambda a: lambda x: x[:1], 1.0, np.ones(2), distance, 1e-8)


def test_what_is_no_function_of_x_or_no_distance_is_explained():
    def decay(a):
        return lambda x: 0.5 * x + a

    with pytest.raises(ValueError, match=r"wanted a distance that is one number, got .* \(2,\)"):
        fixed_point(decay, np.ones(2), np.ones(2), lambda x, y: abs(x - y), 1e-8)
    with pytest.raises(TypeError, match=r"wanted f\(a\) to be a function .* lambda a: lambda x"):
        fixed_point(lambda x, a: 0.5 * x + a, 1.0, 1.0, distance, 1e-8)
    with pytest.raises(TypeError, match=r"wanted f\(a\) to be a function of x, got float"):
        fixed_point(lambda a: a, 1.0, 1.0, distance, 1e-8)
