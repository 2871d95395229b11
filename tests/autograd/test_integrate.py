"""Differential equations: values and gradients against closed forms and SciPy."""

import math

import numpy as np
import pytest

import autograd
from autograd import Variable, grad, linalg
from autograd.integrate import odeint

TIMES = np.array([0.0, 0.4, 1.3])


@pytest.fixture
def linear():
    rng = np.random.default_rng(0)
    return 0.7 * rng.normal(size=(3, 3)), rng.normal(size=3), TIMES


def solved(A, y0, t):
    return odeint(lambda y, t, A: A @ y, y0, t, (A,))


def exact(A, y0, t):
    """The solution of a linear equation with constant coefficients."""
    return autograd.stack([linalg.expm(A * (t[i] - t[0])) @ y0 for i in range(len(TIMES))])


def test_a_linear_equation_is_solved_by_the_matrix_exponential(linear):
    np.testing.assert_allclose(solved(*linear), exact(*linear), atol=5e-8)


@pytest.mark.parametrize("argnum", [0, 1, 2], ids=["args", "y0", "t"])
def test_gradients_of_a_linear_equation_are_those_of_the_matrix_exponential(linear, argnum):
    got = autograd.jacobian(solved, argnum)(*linear)
    np.testing.assert_allclose(got, autograd.jacobian(exact, argnum)(*linear), atol=2e-7)


def test_second_derivatives_of_a_linear_equation(linear):
    A, y0, t = linear
    got, wanted = (
        autograd.hessian(lambda A: (f(A, y0, t) ** 2).sum())(A)  # noqa: B023 - called at once
        for f in (solved, exact)
    )
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_what_the_derivative_closes_over_gets_its_gradient():
    rate = Variable(2.0, requires_grad=True)
    odeint(lambda y, t: -rate * y, 1.0, [0.0, 1.0])[-1].backward()
    assert rate.grad == pytest.approx(-np.exp(-2), rel=1e-6)


def test_the_gradient_of_time_is_the_derivative_there():
    def final(start, end):
        return odeint(lambda y, t: y * np.cos(t), 1.0, autograd.stack([start, end]))[-1]

    start, end = grad(final, argnum=(0, 1))(0.2, 1.5)
    value = np.exp(np.sin(1.5) - np.sin(0.2))
    assert end == pytest.approx(value * np.cos(1.5), rel=1e-6)
    assert start == pytest.approx(-value * np.cos(0.2), rel=1e-6)


def test_a_driven_pendulum_goes_as_in_scipy():
    integrate = pytest.importorskip("scipy.integrate")

    def pendulum(y, t, a):
        return np.stack([y[1], -a * np.sin(y[0]) + np.cos(t)])

    t = np.linspace(0, 10, 30)
    ours = odeint(pendulum, [1.0, 0.0], t, (2.0,))
    theirs = integrate.odeint(pendulum, [1.0, 0.0], t, (2.0,), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    np.testing.assert_array_equal(
        odeint(lambda t, y, a: pendulum(y, t, a), [1.0, 0.0], t, (2.0,), tfirst=True), ours
    )


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-10])
def test_the_error_follows_the_tolerance(tolerance):
    got = odeint(lambda y, t: -y, 1.0, [0.0, 5.0], rtol=tolerance, atol=tolerance)[-1]
    assert abs(got - np.exp(-5)) < 3 * tolerance


def test_time_may_run_backwards():
    assert odeint(lambda y, t: -y, 1.0, [1.0, 0.5, 0.0])[-1] == pytest.approx(np.e, rel=1e-7)


def test_states_may_be_nested_containers():
    start = {"x": np.ones(2), "v": np.zeros(2)}
    way = odeint(lambda s, t: {"x": s["v"], "v": -s["x"]}, start, TIMES)
    np.testing.assert_allclose(way["x"], np.cos(TIMES)[:, None] * np.ones(2), atol=1e-7)
    gradient = grad(
        lambda s: odeint(lambda s, t: {"x": s["v"], "v": -s["x"]}, s, TIMES)["x"][-1].sum()
    )(start)
    np.testing.assert_allclose(gradient["v"], np.sin(1.3) * np.ones(2), atol=1e-7)


def test_single_precision_stays_and_sees_times_of_its_own_kind():
    seen = set()

    def slope(y, t):
        seen.add(np.result_type(t))
        return -y * np.cos(t)

    y0 = Variable(np.array([1, 2], dtype=np.float32), requires_grad=True)
    out = odeint(slope, y0, [0.0, 1.0])
    out[-1].sum().backward()
    assert (out.dtype, y0.grad.dtype, seen) == (np.float32, np.float32, {np.dtype(np.float32)})
    np.testing.assert_allclose(y0.grad, np.exp(-np.sin(1)), rtol=1e-5)


def test_complex_states_rotate():
    out = odeint(lambda y, t: 1j * y, 1 + 0j, [0.0, 1.0])
    assert out[-1] == pytest.approx(np.exp(1j), rel=1e-7)


def test_one_time_is_the_start_alone():
    np.testing.assert_array_equal(odeint(lambda y, t: y, [1.0, 2.0], [0.5]), [[1.0, 2.0]])


def test_a_point_of_rest_stays():
    np.testing.assert_array_equal(odeint(lambda y, t: 0 * y, [0.0, 0.0], [0.0, 1e3])[-1], [0, 0])


@pytest.mark.parametrize(
    "slope",
    [
        lambda y, t: y * y,  # infinite at t = 1
        lambda y, t: y * np.nan,
        lambda y, t: -1e6 * (y - np.cos(t)),  # stiff
    ],
)
def test_a_solution_that_does_not_get_ahead_is_an_error(slope):
    with pytest.raises(RuntimeError, match="odeint: wanted a solution that at most 300 steps"):
        odeint(slope, 1.0, [0.0, 2.0], mxstep=300)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((lambda y, t: y, 1.0, [0.0, 1.0, 1.0]), "wanted increasing or decreasing times"),
        ((lambda y, t: y, 1.0, [[0.0, 1.0]]), r"wanted real times \(T,\), got shape \(1, 2\)"),
        ((lambda y, t: y[:1], [1.0, 2.0], [0.0, 1.0]), r"derivative of shape \(2,\)"),
        ((lambda y, t: 1j * y, 1.0, [0.0, 1.0]), "dtype float64, as the state has, got .* complex"),
        ((lambda y, t: y[:1], (1.0, 2.0), [0.0, 1.0]), "structure of y0, 2 arrays, got 1"),
    ],
)
def test_what_does_not_fit_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        odeint(*arguments)


@pytest.mark.parametrize(
    "args", [2.0, Variable(2.0, requires_grad=True)], ids=["float", "Variable"]
)
def test_an_argument_outside_of_a_tuple_is_refused(args):
    kind = type(args).__name__
    with pytest.raises(TypeError, match=rf"odeint: wanted args as a tuple, got {kind}; write"):
        odeint(lambda y, t, rate: -rate * y, 1.0, [0.0, 1.0], args=args)


def test_a_derivative_may_be_a_list():
    states = odeint(lambda y, t: [y[1], -y[0]], [1.0, 0.0], [0.0, math.pi])
    np.testing.assert_allclose(states[-1], [-1, 0], atol=1e-6)
