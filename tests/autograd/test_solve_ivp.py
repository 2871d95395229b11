"""`solve_ivp`: steps as SciPy's, and gradients of two kinds against each other, against differences
of SciPy's most exact solution, and against closed forms.
"""

import numpy as np
import pytest

import autograd
from autograd import Variable, grad, linalg
from autograd.integrate import solve_ivp

EXPLICIT = ["RK23", "RK45", "DOP853"]
W = np.random.default_rng(0).normal(size=(2, 4))
Y0, RATE, SPAN, TIMES = np.array([1.0, 0.3]), 1.3, np.array([0.0, 3.0]), np.array([0.2, 1, 2, 2.7])


def oscillator(t, y, a):
    """Van der Pol's, driven."""
    return [y[1], a * (1 - y[0] ** 2) * y[1] - y[0] + np.cos(t)]


@pytest.fixture(scope="module")
def scipy_solve():
    return pytest.importorskip("scipy.integrate").solve_ivp


# -- values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", EXPLICIT)
def test_steps_and_states_are_those_of_scipy(scipy_solve, method):
    between = np.array([[1.7, 0.0, 2.9], [3.0, 0.4, 1.1]])
    for span, options in (
        ((0, 3), {"rtol": 1e-6}),
        ((3, 0), {"atol": [1e-5, 1e-8]}),
        ((0, 3), {"first_step": 0.2, "max_step": 0.3}),
        ((0, 3), {"rtol": 1e-8, "t_eval": [0.0, 0.5, 2.0, 3.0]}),
        ((3, 0), {"t_eval": [2.0, 0.1]}),
    ):
        arguments = (span, Y0, method)
        ours = solve_ivp(oscillator, *arguments, args=(RATE,), dense_output=True, **options)
        theirs = scipy_solve(oscillator, *arguments, args=(RATE,), dense_output=True, **options)
        np.testing.assert_allclose(ours.t, theirs.t, atol=1e-9)
        np.testing.assert_allclose(ours.y, theirs.y, atol=1e-9)
        np.testing.assert_allclose(ours.sol(between[0]), theirs.sol(between[0]), atol=1e-9)
        np.testing.assert_allclose(ours.sol(1.3), theirs.sol(1.3), atol=1e-9)
        assert ours.success
        assert (ours.status, ours.message) == (theirs.status, theirs.message)
    turning = [0.3 + 1j, -2.0]
    ours, theirs = (
        solve(lambda t, y: 1j * y[::-1] * t, (0, 2), turning, method)
        for solve in (solve_ivp, scipy_solve)
    )
    np.testing.assert_allclose(ours.y, theirs.y, atol=1e-9)


def test_the_methods_have_the_coefficients_of_scipy():
    integrate = pytest.importorskip("scipy.integrate")
    from autograd.integrate._steps import method_of

    for name in ("RK23", "RK45"):
        ours, theirs = method_of(name), getattr(integrate, name)
        np.testing.assert_allclose(ours.between, theirs.P, rtol=1e-14)
        np.testing.assert_allclose(ours.errors[0], theirs.E, rtol=1e-14)
        np.testing.assert_allclose(ours.weights, theirs.B, rtol=1e-14)
        for row, wanted in zip(ours.stages, theirs.A, strict=True):
            np.testing.assert_allclose(row, wanted[: len(row)], rtol=1e-14)


@pytest.mark.parametrize("method", ["RK45", "Radau"])
def test_a_solution_that_ends_early_says_so(scipy_solve, method):
    ours, theirs = (
        solve(lambda t, y: y**2, (0, 2), [1.0], method, t_eval=[0.5, 1.5])
        for solve in (solve_ivp, scipy_solve)
    )
    assert (ours.status, ours.message, ours.success) == (-1, theirs.message, False)
    np.testing.assert_allclose(ours.t, [0.5])
    np.testing.assert_allclose(ours.y, theirs.y, rtol=1e-6)


def test_kinds_and_precision():
    plain = solve_ivp(oscillator, (0, 1), Y0, args=(RATE,))
    assert type(plain.y) is type(plain.t) is np.ndarray
    for gradient in ("discrete", "adjoint"):
        a = Variable(RATE, requires_grad=True)
        found = solve_ivp(oscillator, (0, 1), Y0, args=(a,), gradient=gradient)
        assert found.y.requires_grad
        assert type(found.t) is np.ndarray
        with autograd.no_grad():
            quiet = solve_ivp(oscillator, (0, 1), Y0, args=(a,), gradient=gradient)
            assert type(quiet.y) is Variable
            assert not quiet.y.requires_grad
        single = solve_ivp(lambda t, y: -t * y, (0, 1), np.ones(2, np.float32), gradient=gradient)
        assert single.y.dtype == np.float32
        assert single.y[0, -1] == pytest.approx(np.exp(-0.5), rel=1e-3)
        still = solve_ivp(oscillator, (1, 1), Variable(Y0), args=(a,), gradient=gradient)
        np.testing.assert_array_equal(still.y.data, np.stack([Y0, Y0], 1))


# -- gradients -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def differences(scipy_solve):
    """Slopes of the weighted states with respect to y0, args, t_span and t_eval."""

    def exact(y0, a, span, times):
        found = scipy_solve(
            oscillator, span, y0, "DOP853", args=(a,), t_eval=times, rtol=1e-13, atol=1e-13
        )
        return (found.y * W).sum()

    point = [Y0, np.array(RATE), SPAN, TIMES]
    slopes = []
    for i, x in enumerate(point):
        moved = [x + 1e-5 * unit.reshape(x.shape) for unit in [*np.eye(x.size), *-np.eye(x.size)]]
        values = [exact(*point[:i], m, *point[i + 1 :]) for m in moved]
        slopes.append(np.subtract(*np.split(np.array(values), 2)).reshape(x.shape) / 2e-5)
    return slopes


@pytest.mark.parametrize(
    "method, gradient, rtol, atol",
    [
        # What is read between two steps has an error of lower order, and so has its gradient.
        ("RK23", "discrete", 1e-6, 1e-4),
        ("RK45", "discrete", 1e-10, 1e-6),
        ("DOP853", "discrete", 1e-9, 1e-6),
        ("RK45", "adjoint", 1e-8, 1e-7),
        ("DOP853", "adjoint", 1e-9, 1e-7),
        ("LSODA", "adjoint", 1e-9, 1e-7),
        ("BDF", "adjoint", 1e-6, 1e-4),
    ],
)
def test_gradients_with_respect_to_everything(differences, method, gradient, rtol, atol):
    def loss(y0, a, span, times):
        options = {"t_eval": times, "rtol": rtol, "atol": rtol / 10, "gradient": gradient}
        return (solve_ivp(oscillator, span, y0, method, args=(a,), **options).y * W).sum()

    got = grad(loss, argnum=(0, 1, 2, 3))(Y0, RATE, SPAN, TIMES)
    for slope, wanted in zip(got, differences, strict=True):
        np.testing.assert_allclose(slope, wanted, atol=atol)


@pytest.mark.parametrize("gradient", ["discrete", "adjoint"])
def test_gradients_of_a_linear_equation_are_those_of_the_matrix_exponential(gradient):
    """At the times of the steps, which move with the ends; through what `fun` closes over."""
    A = np.array([[0.1, 1.0, 0.0], [-1.0, 0.0, 0.3], [0.2, 0.0, -0.5]])
    y0 = np.array([1.0, -0.5, 0.2])

    def ours(A, start, end):
        options = {"rtol": 1e-10, "atol": 1e-10, "gradient": gradient}
        found = solve_ivp(lambda t, y: A @ y, (start, end), y0, **options)
        last, between = found.y[:, -1], found.y[:, 5]
        return (last**2).sum() + between.sum(), found.t[5]

    def exact(A, start, end, share):
        between = linalg.expm(A * (share * (end - start))) @ y0
        return ((linalg.expm(A * (end - start)) @ y0) ** 2).sum() + between.sum()

    t = ours(A, 0.2, 1.9)[1]
    got = grad(lambda *x: ours(*x)[0], argnum=(0, 1, 2))(A, 0.2, 1.9)
    wanted = grad(exact, argnum=(0, 1, 2))(A, 0.2, 1.9, (t - 0.2) / 1.7)
    for slope, correct in zip(got, wanted, strict=True):
        np.testing.assert_allclose(slope, correct, atol=1e-7)


@pytest.mark.parametrize("method", EXPLICIT)
def test_a_discrete_gradient_is_that_of_the_numbers_that_come_out(method):
    """Steps of one length are the same everywhere, so that differences of coarse solutions are
    smooth.
    """
    if method == "DOP853":
        pytest.importorskip("scipy")
    steps = {"first_step": 0.5, "max_step": 0.5, "rtol": 1.0, "t_eval": [0.3, 1.7, 3.0]}

    def loss(a):
        return (solve_ivp(oscillator, (0, 3), Y0 * a, method, args=(a,), **steps).y ** 3).sum()

    for f in (loss, grad(loss)):
        slope = (f(1.3 + 1e-5) - f(1.3 - 1e-5)) / 2e-5
        assert grad(f)(1.3) == pytest.approx(slope, rel=1e-7)


def test_second_derivatives_of_both_kinds():
    pytest.importorskip("scipy")

    def loss(a, gradient):
        options = {"t_eval": [0.4, 0.8], "rtol": 1e-8, "atol": 1e-9, "gradient": gradient}
        found = solve_ivp(oscillator, (0, 0.8), Y0 * a, "DOP853", args=(a,), **options)
        return (found.y[0] ** 2 * [1.0, 2.0]).sum()

    slope = grad(loss)
    difference = (slope(1.3 + 1e-4, "adjoint") - slope(1.3 - 1e-4, "adjoint")) / 2e-4
    for kind in ("discrete", "adjoint"):
        assert grad(slope)(1.3, kind) == pytest.approx(difference, rel=1e-5)
    _, along = autograd.jvp(lambda a: loss(a, "adjoint"), (1.3,), (1.0,))
    assert along == pytest.approx(slope(1.3, "discrete"), rel=1e-6)


def test_complex_states_have_the_same_gradient_of_both_kinds():
    y0 = np.array([1.0 + 0.5j, -0.3])

    def loss(y0, a, gradient):
        options = {"rtol": 1e-9, "atol": 1e-10, "gradient": gradient, "t_eval": [0.5, 1.0]}
        found = solve_ivp(lambda t, y, a: a * y[::-1] * abs(y), (0, 1), y0, args=(a,), **options)
        return (abs(found.y) ** 2).sum()

    for a in (0.7, 0.7 - 0.4j):
        discrete, adjoint = (
            grad(loss, argnum=(0, 1))(y0, a, kind) for kind in ("discrete", "adjoint")
        )
        for one, other in zip(discrete, adjoint, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-7)


def test_dense_output_has_gradients_and_the_slope_of_the_equation():
    pytest.importorskip("scipy")

    def at(t, a, method):
        options = {"rtol": 1e-9, "atol": 1e-10, "dense_output": True}
        return solve_ivp(oscillator, (0, 0.8), Y0, method, args=(a,), **options).sol(t)

    times = np.array([0.7, 0.1])
    for method in ("RK45", "DOP853"):
        value = at(0.5, RATE, method)
        moved = autograd.jacobian(at)(0.5, RATE, method)
        np.testing.assert_allclose(moved, oscillator(0.5, value, RATE), atol=1e-6)
        got = autograd.jacobian(at, 1)(times, RATE, method)
        ahead, behind = (at(times, RATE + h, "DOP853") for h in (1e-5, -1e-5))
        np.testing.assert_allclose(got, (ahead - behind) / 2e-5, atol=1e-6)


def test_the_adjoint_solution_is_one_node_and_its_memory_is_that_of_the_states():
    a = Variable(RATE, requires_grad=True)
    found = solve_ivp(oscillator, (0, 3), Y0, args=(a,), gradient="adjoint")
    assert found.y._node.parents == (a._node,)
    assert found.y._node.saved is found.y._data


# -- errors ----------------------------------------------------------------------------------------


def solved(**options):
    a = Variable(RATE, requires_grad=True)
    arguments = {"t_span": (0, 3), "y0": Y0, "args": (a,)} | options
    return solve_ivp(arguments.pop("fun", oscillator), **arguments)


@pytest.mark.parametrize(
    "options, error, sentence",
    [
        ({"method": "Euler"}, ValueError, "wanted a method among RK23, RK45, .*got 'Euler'"),
        ({"gradient": "exact"}, ValueError, "wanted gradient 'discrete' or 'adjoint', got 'exact'"),
        ({"events": lambda t, y: y[0]}, TypeError, "wanted events=None.*no recorded counterpart"),
        (
            {"gradient": "adjoint", "dense_output": True},
            TypeError,
            "wanted dense_output=False with gradient='adjoint'",
        ),
        (
            {"method": "Radau"},
            TypeError,
            "wanted method RK23, RK45 or DOP853 for a discrete gradient, got Radau.*'adjoint'",
        ),
        ({"args": 1.3}, TypeError, r"wanted args as a tuple, got float; write args=\(value,\)"),
        ({"y0": 1.0}, ValueError, r"wanted y0 of shape \(n,\), got \(\); odeint"),
        ({"t_eval": [1.0, 4.0]}, ValueError, r"wanted t_eval \(T,\) from 0 to 3, .*from 1 to 4"),
        ({"t_eval": [2.0, 1.0]}, ValueError, "wanted t_eval in the order from"),
        ({"first_step": 5.0}, ValueError, "wanted 0 < first_step <= 3 and max_step > 0, got"),
        (
            {"fun": lambda t, y, a: y[:1]},
            ValueError,
            r"wanted a derivative of shape \(2,\) and dtype float64, .*got shape \(1,\)",
        ),
        ({"fun": lambda t, y, a: 1j * y}, ValueError, "wanted a derivative .*dtype complex128"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(options, error, sentence):
    if options.get("method") == "Radau":
        pytest.importorskip("scipy")
    with pytest.raises(error, match="solve_ivp: " + sentence):
        solved(**options)


def test_higher_derivatives_of_methods_of_scipy_are_refused():
    pytest.importorskip("scipy")

    def last(a):
        return solved(args=(a,), method="LSODA", gradient="adjoint").y[0, -1]

    with pytest.raises(TypeError, match="wanted a first derivative of method LSODA.*DOP853"):
        grad(grad(last))(RATE)
