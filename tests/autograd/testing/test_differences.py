"""The numeric derivatives themselves, on functions with known ones."""

import numpy as np
import pytest

from autograd.testing._differences import Oracle, Tolerance
from autograd.testing._problem import make_problem


def oracle_of(fn, *inputs):
    return Oracle(make_problem(fn, inputs, {}))


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):  # as `check_gradients` has it
        yield


@pytest.mark.parametrize("fn, slope", [(np.exp, np.exp), (np.tanh, lambda x: 1 / np.cosh(x) ** 2)])
@pytest.mark.parametrize("x", [-2.5, -1e-3, 1e-6, 0.3, 4.0])
def test_the_error_estimate_holds(fn, slope, x):
    estimate = oracle_of(fn, np.array([x])).differences(np.ones(1))
    assert abs(estimate.value[0] - slope(x)) <= 10 * estimate.error[0]
    rounding = 1e-11 * abs(fn(x)) / max(abs(x), 2**-8)  # of the values, over the step
    assert estimate.error[0] <= 1e-9 * abs(slope(x)) + rounding


def test_one_sided_derivatives_differ_at_a_kink():
    oracle = oracle_of(np.abs, np.zeros(1))
    left, right, *_ = oracle.sides(np.ones(1), Tolerance(1e-9, np.zeros(1), np.ones(1)))
    assert left[0] == pytest.approx(-1.0)
    assert right[0] == pytest.approx(1.0)
    assert oracle.differences(np.ones(1)).bent[0]


def test_slopes_that_grow_without_end_are_infinite():
    assert oracle_of(np.sqrt, np.zeros(1)).side(np.ones(1), 0).value[0] == np.inf


def test_steps_that_leave_the_domain_are_left_out():
    estimate = oracle_of(np.log, np.array([1e-4])).differences(np.ones(1), shift=8)
    assert estimate.value[0] == pytest.approx(1e4, rel=1e-8)


@pytest.mark.parametrize("size", [1e-9, 1e-12])
def test_noise_is_measured(size):
    def rough(x):
        return np.sin(x) + size * np.sin(1e15 * x)  # as good as random

    assert 0.1 * size < oracle_of(rough, np.array([1.0])).measure_noise()[0] < 20 * size
