"""Special functions: the error function's kernel, limits, and derivatives where digits get lost."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd import elementwise_grad, grad, jvp, special
from autograd._optional import available


@pytest.mark.parametrize("name, units", [("erf", 5), ("erfc", 10)])
@given(x=hnp.arrays(np.float64, 50, elements=st.floats(-26, 26)))
def test_values_agree_with_the_c_library_to_a_few_units_in_the_last_place(name, units, x):
    wanted = np.array([getattr(math, name)(v) for v in x])
    np.testing.assert_array_equal(getattr(special, name)(x), wanted)  # of a few, that is itself
    error = np.abs(getattr(special, name)(np.tile(x, 10))[:50] - wanted)
    assert (error <= units * np.spacing(np.abs(wanted))).all()


@pytest.mark.parametrize("name, units", [("erf", 6), ("erfc", 10)])
@given(x=hnp.arrays(np.float32, 50, elements=st.floats(-9, 9, width=32)))
def test_float32_stays_float32_and_is_as_accurate(name, units, x):
    wanted = np.array([getattr(math, name)(v) for v in x])
    np.testing.assert_array_equal(getattr(special, name)(x), wanted.astype(np.float32))
    got = getattr(special, name)(np.tile(x, 10))[:50]
    assert got.dtype == np.float32
    error = np.abs(got.astype(np.float64) - wanted)
    assert (error <= units * np.spacing(np.abs(wanted).astype(np.float32))).all()


@pytest.mark.parametrize("many", [1, 100])
def test_limits(many):
    x = np.array([0.0, np.inf, -np.inf, np.nan, 1e300, -1e300] * many)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(special.erf(x), [0, 1, -1, np.nan, 1, -1] * many)
        np.testing.assert_array_equal(special.erfc(x), [1, 0, 2, np.nan, 0, 2] * many)


def test_shapes_and_other_dtypes():
    assert special.erf(np.zeros((2, 0))).shape == (2, 0)
    assert special.erf(np.ones(20_000)).shape == (20_000,)
    assert special.erf(np.array([1, 2])).dtype == np.float64
    assert special.erf(np.ones(2, np.float16)).dtype == np.float16
    assert special.erf(0.5) == pytest.approx(math.erf(0.5), rel=1e-15)
    with pytest.raises(
        TypeError, match="special.erf: wanted real numbers, got complex128; write x.real"
    ):
        special.erf(np.array([1j]))


# -- digits of derivatives (everywhere: tests/autograd/test_accuracy.py) ---------------------------


def digits(wanted, rel):
    return pytest.approx(wanted, rel=float(rel), abs=0)


def at(function, x, order=1, dtype=np.float64):
    """Return a derivative of a function of one number, without warnings."""
    for _ in range(order):
        function = grad(function)
    with np.errstate(all="ignore"):
        return function(dtype(x))


needs_scipy = pytest.mark.skipif(not available("scipy"), reason="SciPy computes these functions")


@needs_scipy
@pytest.mark.parametrize(
    "x, wanted", [(1.0, 0.5), (1 + 1e-6, 0.5 - 2e-6 / 3), (1 - 1e-9, 0.5 + 2e-9 / 3)]
)
def test_the_second_derivative_of_spence_at_1_is_that_of_its_series(x, wanted):
    assert at(special.spence, x, 2) == digits(wanted, rel=1e-9)
    first = grad(special.spence)
    assert jvp(first, (np.float64(x),), (np.float64(1.0),))[1] == digits(wanted, rel=1e-9)


EULER = 0.5772156649015329


@needs_scipy
@pytest.mark.parametrize(
    "x, first, second",
    [
        (0.0, 1.0, 2 * EULER),
        (1e-20, 1.0, 2 * EULER),
        (-1.0, -1.0, 2 - 2 * EULER),
        (-2.0, 2.0, -2 * (3 - 2 * EULER)),
        (-2 + 1e-8, 2.0, -2 * (3 - 2 * EULER)),
    ],
)
def test_rgamma_is_regular_at_and_near_the_poles_of_gamma(x, first, second):
    assert at(special.rgamma, x) == digits(first, rel=1e-7)
    assert at(special.rgamma, x, 2) == digits(second, rel=1e-6)
    assert jvp(grad(special.rgamma), (x,), (1.0,))[1] == digits(second, rel=1e-6)


@needs_scipy
def test_rgamma_keeps_float32_near_a_pole():
    assert at(special.rgamma, -1 - 1e-6, 2, np.float32) == digits(2 - 2 * EULER, rel=1e-5)


@needs_scipy
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("x", [-20.0, -50.0, -300.0, -1e3, -3e3, -1e4, -1e5, -1e8])
def test_the_slope_of_log_ndtr_is_minus_x_and_its_curvature_minus_1_far_to_the_left(x, dtype):
    eps = np.finfo(dtype).eps
    slope = -x * (1 + x**-2 - 2 * x**-4)  # (DLMF 7.12.1)
    assert at(special.log_ndtr, x, 1, dtype) == digits(slope, rel=64 * eps + 20 * x**-6)
    curvature = -1 + x**-2 - 6 * x**-4
    got = at(special.log_ndtr, x, 2, dtype)
    assert got == digits(curvature, rel=64 * eps + 100 * x**-6)


@needs_scipy
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("x", [20.0, 50.0, 1e3, 1e7, 1e8])
def test_erfcx_and_dawsn_keep_their_digits_far_out(x, dtype):
    eps = np.finfo(dtype).eps
    near = 64 * eps + 300 * x**-6
    square = x**-2
    first = -square * (1 - 1.5 * square + 3.75 * square**2) / math.sqrt(math.pi)
    second = 2 * square / x * (1 - 3 * square + 11.25 * square**2) / math.sqrt(math.pi)
    assert at(special.erfcx, x, 1, dtype) == digits(first, rel=near)
    assert at(special.erfcx, x, 2, dtype) == digits(second, rel=near)
    first = -square * (1 + 1.5 * square + 3.75 * square**2) / 2
    second = square / x * (1 + 3 * square + 11.25 * square**2)
    assert at(special.dawsn, x, 1, dtype) == digits(first, rel=near)
    assert at(special.dawsn, x, 2, dtype) == digits(second, rel=near)
    assert at(special.dawsn, -x, 2, dtype) == digits(-second, rel=near)


@pytest.mark.parametrize("d", [1e-2, 1e-6, 1e-10, 1e-15])
def test_logit_near_one_half_keeps_the_digits_of_the_distance(d):
    x = 0.5 + d
    assert special.logit(x) == digits(2 * math.atanh(2 * (x - 0.5)), rel=1e-15)
    y = np.float32(0.5 + 32 * d)
    assert special.logit(y) == digits(2 * math.atanh(2 * (float(y) - 0.5)), rel=3e-7)
    assert special.logit(y).dtype == np.float32


def test_logit_at_the_ends_and_outside():
    with np.errstate(all="ignore"):
        found = special.logit(np.array([0.0, 5e-324, 1e-300, 1.0, 1.5, np.nan]))
    wanted = [-np.inf, math.log(5e-324), math.log(1e-300), np.inf, np.nan, np.nan]
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


@needs_scipy
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("x, y", [(100.0, 1e-5), (1e8, 1e-5), (1e8, 3.25)])
def test_the_slope_of_betaln_in_the_larger_argument_is_no_difference_of_psi(x, y, dtype):
    """It is -y/x (1 - (y - 1) / 2x) to the second order (DLMF 5.11.12)."""
    wanted = -y / x * (1 - (y - 1) / (2 * x))
    found = grad(special.betaln)(dtype(x), dtype(y))
    assert found == digits(wanted, rel=1 / x**2 + 1e-6)
    found = grad(special.beta)(dtype(x), dtype(y))
    assert found == digits(wanted * special.beta(x, y), rel=1 / x**2 + 4e-6)
    found = grad(grad(special.betaln))(dtype(x), dtype(y))
    assert found == digits(-wanted / x, rel=1 / x + 1e-6)


@needs_scipy
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name, factor", [("i0e", 0.398942280401), ("k0e", 1.25331413732)])
@pytest.mark.parametrize("x", [1e3, 1e5, 1e8])
def test_scaled_bessel_functions_fall_as_a_root_far_out(name, factor, x, dtype):
    """They are factor / sqrt(x) to the first order (DLMF 10.40.1)."""
    function = getattr(special, name)
    assert at(function, x, 1, dtype) == digits(-0.5 * factor * x**-1.5, rel=1 / x + 1e-6)
    assert at(function, x, 2, dtype) == digits(0.75 * factor * x**-2.5, rel=1 / x + 1e-6)


@needs_scipy
@pytest.mark.parametrize("v", [0.25, 1.5, 4])
@pytest.mark.parametrize("name, factor", [("ive", 0.398942280401), ("kve", 1.25331413732)])
def test_so_do_those_of_any_order(name, factor, v):
    x = 1e8
    second = at(lambda x: getattr(special, name)(v, x), x, 2)
    assert second == digits(0.75 * factor * x**-2.5, rel=1e-6)


@needs_scipy
def test_slopes_that_overflow_are_infinite_and_not_nan():
    assert at(special.expi, 1100.0, 2) == np.inf
    assert at(special.logit, 1e-300, 2) == -np.inf
    assert at(lambda x: special.kve(4, x), 1e-20, 1, np.float32) == -np.inf
    assert at(lambda x: special.yv(4, x), 1e-20, 1, np.float32) == np.inf


@pytest.mark.parametrize("name", ["expit", "log_expit"])
def test_logistic_slopes_keep_their_digits_in_both_tails(name):
    function = getattr(special, name)
    assert at(function, 40.0) == digits(math.exp(-40), rel=1e-14)
    assert at(function, 40.0, 2) == digits(-math.exp(-40), rel=1e-14)
    found = at(function, -40.0, 2)
    assert found == digits(math.exp(-40) * (-1 if name == "log_expit" else 1), rel=1e-14)


def test_small_integers_are_taken_as_real_numbers():
    x = np.array([0, 3, 200], np.uint8)
    wide = x.astype(float)
    for name in ("expit", "log_expit", "entr"):
        np.testing.assert_array_equal(getattr(special, name)(x), getattr(special, name)(wide))
    np.testing.assert_array_equal(special.xlogy(x, x), special.xlogy(wide, wide))
    np.testing.assert_array_equal(special.xlog1py(x, x), special.xlog1py(wide, wide))


@needs_scipy
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_slopes_of_small_arguments_have_the_digits_of_the_careful_ones(dtype):
    # Arguments that are all small take formulas with what forward computed; one large one does not.
    near, positive = np.linspace(-3, 3, 41), np.geomspace(1e-3, 1, 21)
    functions = {
        special.erfcx: (near, 4.0),
        special.dawsn: (near, 4.0),
        **{functools.partial(special.ive, v): (3 * positive, 20.0) for v in (0.0, 0.25, 4.0)},
        **{functools.partial(special.kve, v): (positive, 20.0) for v in (0.0, 0.25, 4.0)},
    }
    for function, (x, far) in functions.items():
        x = x.astype(dtype)
        slope = elementwise_grad(function)(x)
        careful = elementwise_grad(function)(np.append(x, far).astype(np.float64))[:-1]
        assert slope.dtype == dtype
        units = np.finfo(dtype).eps * (np.abs(careful) + 0.1)  # the slope of dawsn has a zero
        assert np.max(np.abs(slope - careful) / units) < 32


@needs_scipy
def test_where_exp_of_minus_abs_jumps_the_middle_is_taken():
    """exp(-|x|) i1(x) has the curvature -1 to the right of 0 and 1 to the left."""
    assert at(special.i1e, 0.0, 2) == 0
    assert at(special.i1e, 0.0, 1) == 0.5
    assert at(special.i0e, 0.0, 1) == 0
    assert at(special.i0e, 0.0, 2) == 1.5
    assert at(lambda x: special.ive(3.0, x), 0.0, 2) == 0
