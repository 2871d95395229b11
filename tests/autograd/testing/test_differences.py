"""The numeric derivatives themselves, on functions with known ones."""

import numpy as np
import pytest

from autograd.testing._oracle import Oracle
from autograd.testing._problem import make_problem


def oracle_of(fn, *inputs):
    problem = make_problem(fn, inputs)
    oracle = Oracle(problem, problem(problem.point()))
    oracle.choose(np.random.default_rng(0))
    return oracle


@pytest.mark.parametrize("fn, slope", [(np.exp, np.exp), (np.tanh, lambda x: 1 / np.cosh(x) ** 2)])
@pytest.mark.parametrize("x", [-2.5, -1e-3, 1e-6, 0.3, 4.0])
def test_the_error_estimate_holds(fn, slope, x):
    estimate = oracle_of(fn, np.array([x])).differences(np.ones(1))
    assert abs(estimate.value[0] - slope(x)) <= 10 * estimate.error[0]
    assert estimate.error[0] <= 1e-9 * abs(slope(x))


def test_analytic_functions_get_the_complex_step():
    oracle = oracle_of(lambda x: np.exp(x) / (1 + x**2), np.array([0.3, -1.2]))
    assert oracle.analytic
    x = np.array([0.3, -1.2])
    exact = np.exp(x) * (1 + x**2 - 2 * x) / (1 + x**2) ** 2
    np.testing.assert_allclose(oracle.along(np.array([1.0, 0.0])).value[0], exact[0], rtol=1e-14)


@pytest.mark.parametrize(
    "fn, count",
    [
        (np.abs, 1),
        (lambda x: np.real(x) * 2, 1),
        (lambda x: x * np.conj(x), 1),
        (np.arctan2, 2),  # refuses complex numbers
        (lambda x, y: np.where(np.imag(x) == 0, x, 3 * x) + y, 2),
    ],
)
def test_functions_that_only_look_analytic_do_not(fn, count):
    oracle = oracle_of(fn, *[np.array([0.3, -1.2]) + i for i in range(count)])
    assert not oracle.analytic
    assert oracle.along(np.eye(2 * count)[0]).method == "central differences"


def test_one_sided_derivatives_differ_at_a_kink():
    oracle = oracle_of(np.abs, np.zeros(1))
    assert oracle.side(np.ones(1)).value[0] == pytest.approx(1.0)
    assert -oracle.side(-np.ones(1)).value[0] == pytest.approx(-1.0)


def test_slopes_that_grow_without_end_are_infinite():
    assert oracle_of(np.sqrt, np.zeros(1)).side(np.ones(1)).value[0] == np.inf


def test_steps_that_leave_the_domain_are_left_out():
    estimate = oracle_of(np.log, np.array([1e-4])).differences(np.ones(1), shift=8)
    assert estimate.value[0] == pytest.approx(1e4, rel=1e-8)
