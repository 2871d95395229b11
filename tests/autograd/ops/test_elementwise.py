"""Elementwise functions at ties, kinks and singular points; everywhere else the op table speaks."""

import math

import numpy as np
import pytest

import autograd
from autograd import Variable, grad


def slope(function, x, order=1):
    """Return a derivative of a function of one number, without the warnings of singular points."""
    for _ in range(order):
        function = grad(function)
    with np.errstate(all="ignore"):
        return float(function(float(x)))


def slopes(function, *points):
    """Return the partial derivatives of a function of several numbers."""
    inputs = [Variable(float(p), requires_grad=True) for p in points]
    with np.errstate(all="ignore"):
        found = autograd.grad(function(*inputs), inputs, allow_unused=True)
    return tuple(float(g) for g in found)


# -- kinks and ties --------------------------------------------------------------------------------


def test_the_absolute_value_has_slope_0_at_0():
    assert slope(np.abs, 0.0) == 0.0
    assert slope(np.fabs, 0.0) == 0.0
    assert slope(abs, -0.0) == 0.0


def test_the_absolute_value_of_a_complex_0_has_slope_0():
    z = Variable(0j, requires_grad=True)
    np.abs(z).backward()
    assert z.grad == 0


@pytest.mark.parametrize("function", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_a_tie_of_two_operands_is_shared(function):
    assert slopes(function, 2.0, 2.0) == (0.5, 0.5)
    assert slope(lambda x: function(x, x), 2.0) == 1.0
    assert slope(lambda x: function(x, 0.0), 0.0) == 0.5
    assert slope(lambda x: function(0.0, x), 0.0) == 0.5


def test_nan_wins_in_maximum_and_loses_in_fmax():
    assert slopes(np.maximum, np.nan, 1.0) == (1.0, 0.0)
    assert slopes(np.minimum, 1.0, np.nan) == (0.0, 1.0)
    assert slopes(np.fmax, np.nan, 1.0) == (0.0, 1.0)
    assert slopes(np.fmin, 1.0, np.nan) == (1.0, 0.0)


def test_clip_has_slope_1_at_its_bounds_and_0_outside():
    x = Variable(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), requires_grad=True)
    np.clip(x, -1.0, 1.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 1.0, 1.0, 1.0, 0.0])


def test_clip_gives_its_bounds_what_it_takes_from_x():
    inputs = [Variable(v, requires_grad=True) for v in (-2.0, -1.0, 1.0)]
    assert autograd.grad(autograd.clip(*inputs), inputs) == (0.0, 1.0, 0.0)
    inputs = [Variable(v, requires_grad=True) for v in (2.0, -1.0, 1.0)]
    assert autograd.grad(autograd.clip(*inputs), inputs) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    "x, low, high, wanted",
    [
        (1.0, 1.0, 1.0, (1.0, 0.0, 0.0)),
        (0.0, 1.0, 1.0, (0.0, 1.0, 0.0)),
        (2.0, 1.0, 1.0, (0.0, 0.0, 1.0)),
        (0.5, 1.0, 0.0, (0.0, 0.0, 1.0)),
        (0.0, 1.0, 0.0, (0.0, 0.0, 1.0)),
    ],
)
def test_clip_gives_its_slope_once_where_bounds_meet_or_cross(x, low, high, wanted):
    assert slopes(autograd.clip, x, low, high) == wanted


@pytest.mark.parametrize("function", [np.floor, np.ceil, np.trunc, np.rint, np.sign, round])
def test_steps_have_slope_0_everywhere(function):
    assert slope(function, 0.7) == 0.0
    assert slope(function, 1.0) == 0.0


def test_remainder_and_floor_divide():
    assert slopes(np.remainder, 7.5, 2.0) == (1.0, -3.0)
    assert slopes(np.remainder, -7.5, 2.0) == (1.0, 4.0)
    assert slopes(np.fmod, -7.5, 2.0) == (1.0, 3.0)
    x, y = 55.099999999999994, 2.9  # x / y rounds up to 19
    assert slopes(np.fmod, x, y) == (1.0, -18.0)
    assert slopes(np.floor_divide, 7.5, 2.0) == (0.0, 0.0)


def test_copysign_at_0_and_with_negative_zero():
    assert slopes(np.copysign, 0.0, 1.0) == (0.0, 0.0)
    assert slopes(np.copysign, 2.0, -0.0) == (-1.0, 0.0)
    assert slopes(np.copysign, -2.0, -1.0) == (1.0, 0.0)


def test_heaviside_passes_its_value_at_0():
    assert slopes(np.heaviside, 0.0, 0.3) == (0.0, 1.0)
    assert slopes(np.heaviside, 1.0, 0.3) == (0.0, 0.0)


# -- powers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order, wanted", [(1, 0.0), (2, 2.0), (3, 0.0), (4, 0.0)])
def test_a_square_at_0_to_any_order(order, wanted):
    assert slope(lambda x: x**2, 0.0, order) == wanted
    assert slope(lambda x: x**2.0, 0.0, order) == wanted
    assert slope(np.square, 0.0, order) == wanted
    assert slope(lambda x: x * x, 0.0, order) == wanted


@pytest.mark.parametrize("order, wanted", [(1, 0.0), (2, 0.0), (3, 6.0), (4, 0.0)])
def test_a_cube_at_0_to_any_order(order, wanted):
    assert slope(lambda x: x**3, 0.0, order) == wanted
    assert slope(lambda x: np.power(x, 3.0), 0.0, order) == wanted


def test_powers_0_and_1_at_0():
    assert slope(lambda x: x**0, 0.0) == 0.0
    assert slope(lambda x: x**0.0, 0.0) == 0.0
    assert slope(lambda x: x**1, 0.0) == 1.0
    assert slope(lambda x: x**1, 0.0, 2) == 0.0


def test_variable_powers_at_0():
    assert slopes(np.power, 0.0, 0.0) == (0.0, 0.0)
    assert slopes(np.power, 0.0, 2.0) == (0.0, 0.0)
    assert slopes(np.power, 2.0, 0.0) == (0.0, math.log(2.0))


def test_a_negative_base_has_no_slope_in_its_exponent():
    gx, gy = slopes(np.power, -2.0, 3.0)
    assert gx == 12.0
    assert math.isnan(gy)
    assert slope(lambda x: x**3.0, -2.0) == 12.0


def test_the_gaussian_at_0_to_the_fourth_order():
    gaussian = lambda x: np.exp(-(x**2))
    assert [slope(gaussian, 0.0, n) for n in range(1, 5)] == [0.0, -2.0, 0.0, 12.0]


@pytest.mark.parametrize("base", [2, 2.0, 0.5])
def test_a_constant_base(base):
    assert slope(lambda y: base**y, 1.5) == pytest.approx(base**1.5 * math.log(base))
    assert slope(lambda y: base**y, 1.5, 2) == pytest.approx(base**1.5 * math.log(base) ** 2)


# -- singular points -------------------------------------------------------------------------------


def test_infinite_slopes_are_infinite():
    assert slope(np.sqrt, 0.0) == math.inf
    assert slope(np.cbrt, 0.0) == math.inf
    assert slope(np.log, 0.0) == math.inf
    assert slope(np.arccos, 1.0) == -math.inf
    assert slope(np.arcsin, 1.0) == math.inf
    assert slope(np.arctanh, 1.0) == math.inf
    assert slope(np.arccosh, 1.0) == math.inf


def test_the_root_of_a_square_has_no_slope_at_0():
    assert math.isnan(slope(lambda x: np.sqrt(x * x), 0.0))


def test_a_root_that_where_did_not_take_has_slope_0():
    assert slope(lambda x: np.where(x > 0, np.sqrt(x), 0.0), 0.0) == 0.0


def test_angles_and_lengths_at_the_origin():
    assert slopes(np.arctan2, 0.0, 0.0) == (0.0, 0.0)
    assert slopes(np.hypot, 0.0, 0.0) == (0.0, 0.0)
    z = Variable(0j, requires_grad=True)
    autograd.angle(z).backward()
    assert z.grad == 0


@pytest.mark.parametrize(
    "order, wanted", [(1, 0.0), (2, -(math.pi**2) / 3), (3, 0.0), (4, math.pi**4 / 5)]
)
def test_sinc_at_0_to_any_order(order, wanted):
    assert slope(np.sinc, 0.0, order) == pytest.approx(wanted, rel=1e-12)


def test_logaddexp_at_infinities():
    assert slopes(np.logaddexp, -np.inf, -np.inf) == (0.5, 0.5)
    assert slopes(np.logaddexp, np.inf, np.inf) == (0.5, 0.5)
    assert slopes(np.logaddexp, -np.inf, 1.0) == (0.0, 1.0)
    assert slopes(np.logaddexp, np.inf, 1.0) == (1.0, 0.0)
    assert slopes(np.logaddexp2, -np.inf, -np.inf) == (0.5, 0.5)


def test_logaddexp_of_large_numbers():
    assert slopes(np.logaddexp, 800.0, 0.0) == (1.0, 0.0)
    assert slopes(np.logaddexp, 800.0, 800.0) == pytest.approx((0.5, 0.5))
    assert slope(lambda x: np.logaddexp(x, 0.0), 800.0) == 1.0


def test_saturated_functions_have_slope_0_and_no_nan():
    assert slope(np.tanh, 800.0) == 0.0
    assert slope(lambda x: 1 / (1 + np.exp(-x)), 800.0) == 0.0
    assert slope(np.exp, -800.0) == 0.0


def test_divisions_by_0_are_infinite():
    assert slopes(np.divide, 1.0, 0.0) == (math.inf, -math.inf)
    assert slope(np.reciprocal, 0.0) == -math.inf


def test_the_parts_of_a_complex_number_are_replaced_on_their_own():
    x = Variable(np.array([complex(math.nan, 1.0), complex(2.0, math.inf)]), requires_grad=True)
    autograd.nan_to_num(x).backward(np.array([1.0 + 1.0j, 1.0 + 1.0j]))
    np.testing.assert_array_equal(x.grad, [1.0j, 1.0])


def test_sinc_of_a_complex_number_with_a_small_real_part():
    x = Variable(np.array([0.01 + 0.5j]), requires_grad=True)
    np.sinc(x).backward(np.array([1.0 + 0.0j]))
    h = 1e-6
    wanted = (np.sinc(x.data + h) - np.sinc(x.data - h)) / (2 * h)
    np.testing.assert_allclose(x.grad, np.conj(wanted), rtol=1e-8)


def test_replaced_numbers_have_slope_0():
    x = Variable(np.array([1.0, np.nan, np.inf, -np.inf]), requires_grad=True)
    np.nan_to_num(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 0.0, 0.0, 0.0])


# -- dtypes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_python_numbers_do_not_widen(dtype):
    x = Variable(np.ones(3, dtype), requires_grad=True)
    y = (2.0 * x + 1) / 3 - x**2.5
    assert y.dtype == dtype
    y.sum().backward()
    assert x.grad.dtype == dtype


def test_promotion_is_numpys_and_gradients_come_back_in_the_dtype_of_their_operand():
    x = Variable(np.ones(3, np.float32), requires_grad=True)
    y = Variable(np.ones(3, np.float64), requires_grad=True)
    z = x * y
    assert z.dtype == np.float64
    z.sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)
    assert (x * np.arange(3)).dtype == (x.data * np.arange(3)).dtype


def test_real_operands_keep_real_gradients_beside_complex_ones():
    x = Variable(np.array([1.0, 2.0]), requires_grad=True)
    z = np.array([1 + 1j, 2 - 1j])
    np.abs(x * z).sum().backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_allclose(x.grad, np.abs(z))


def test_python_complex_numbers_stand_on_either_side_of_a_scalar():
    x = Variable(2.0, requires_grad=True)
    for product in (1j * x, x * 1j):
        assert product.dtype == np.complex128
        assert autograd.grad(product.imag, x) == (1.0,)
    assert (1j - Variable(2.0)).dtype == np.complex128


@pytest.mark.parametrize("dtype, tiny", [(np.float64, 1e-200), (np.float32, 1e-30)])
def test_the_angle_of_tiny_numbers_has_its_slope(dtype, tiny):
    x = Variable(np.array(tiny, dtype), requires_grad=True)
    y = Variable(np.array(tiny, dtype), requires_grad=True)
    gx, gy = autograd.grad(np.arctan2(x, y), [x, y])
    np.testing.assert_allclose([gx * tiny, gy * tiny], [0.5, -0.5], rtol=1e-6)


# -- digits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, base", [("logaddexp", math.e), ("logaddexp2", 2.0)])
@pytest.mark.parametrize("dtype, shift", [(np.float32, 1e7), (np.float32, 1e8), (np.float64, 1e15)])
def test_logaddexp_far_from_0_shares_by_the_difference(name, base, dtype, shift):
    function = getattr(autograd, name)
    x, y = dtype(shift), dtype(shift) + np.spacing(dtype(shift))
    share = 1 / (1 + base ** float(y - x))
    assert autograd.grad(function)(x, x) == 0.5
    assert autograd.grad(function)(x, y) == pytest.approx(share, rel=1e-6)
    assert autograd.grad(function, 1)(x, y) == pytest.approx(1 - share, rel=1e-6)
    second = autograd.grad(autograd.grad(function))(x, x)
    assert second == pytest.approx(math.log(base) / 4, rel=1e-6)


def test_the_second_derivative_of_logaddexp_at_equal_operands_is_no_constant():
    assert slope(lambda x: autograd.logaddexp(x, 3.0), 3.0, 2) == 0.25
    assert slope(lambda x: autograd.logaddexp(x, x), 3.0, 2) == 0.0


def test_powers_with_small_integers_as_exponents():
    x = Variable(np.array([2.0], np.float32), requires_grad=True)
    (x ** np.arange(3, dtype=np.uint8)).sum().backward()
    assert x.grad.tolist() == [5.0]
    assert x.grad.dtype == np.float32
    for exponent in (np.int8(-128), np.array(-32768, np.int16), np.int64(-(2**63))):
        assert grad(lambda x: x**exponent)(1.0) == float(exponent)  # noqa: B023 - called at once
    found = grad(lambda x: (x ** np.array([-128], np.int8)).sum())(1.01)
    assert found == pytest.approx(-128 * 1.01**-129, rel=1e-13)
    assert slope(lambda x: (x ** np.array([1], np.uint8)).sum(), 1000.0, 2) == 0.0
    assert slope(lambda y: np.uint8(3) ** y, 2.0) == pytest.approx(9 * math.log(3))


@pytest.mark.parametrize("x", [1e10, 1e100, 1e154, 1e300])
def test_the_slope_of_arcsinh_far_out_is_one_over_x(x):
    for sign in (1, -1):
        assert slope(autograd.arcsinh, sign * x) == pytest.approx(1 / x, rel=1e-15, abs=0)
    single = grad(autograd.arcsinh)(np.float32(min(x, 1e37)))
    assert single == pytest.approx(1 / min(x, 1e37), rel=1e-6, abs=0)
    assert single.dtype == np.float32
    z = grad(lambda z: autograd.arcsinh(z).real)(1e200 - 1e200j)
    assert z == pytest.approx(np.conj(1 / (1e200 - 1e200j)), rel=1e-15, abs=0)


@pytest.mark.parametrize("x, y", [(1e5, 1.0), (1e7, 1.0), (1e8, 1.0), (-1e20, 1e-3)])
def test_the_second_derivative_of_hypot_keeps_the_digits_of_the_smaller_operand(x, y):
    wanted = (y / x) ** 2 / abs(x)
    assert slope(lambda x: autograd.hypot(x, y), x, 2) == pytest.approx(wanted, rel=1e-9, abs=0)
    assert slope(lambda x: autograd.hypot(y, x), x, 2) == pytest.approx(wanted, rel=1e-9, abs=0)
    assert slope(lambda x: autograd.hypot(x, y), x, 3) == pytest.approx(
        -3 * wanted / x, rel=1e-9, abs=0
    )


def test_the_second_derivative_of_arctan2_neither_overflows_nor_is_nan_where_it_is_0():
    x, y = np.float32(0.0), np.float32(1e-30)
    assert grad(grad(autograd.arctan2))(x, y) == 0.0
    assert slope(lambda x: autograd.arctan2(x, 1e-160), 0.0, 2) == 0.0
    assert slope(lambda x: autograd.arctan2(x, 1e150), 1e150, 2) == pytest.approx(
        -0.5e-300, rel=1e-12, abs=0
    )


def test_expm1_keeps_the_digits_of_a_small_slope():
    assert slope(autograd.expm1, -50.0) == pytest.approx(math.exp(-50), rel=1e-14, abs=0)
    assert slope(autograd.expm1, -50.0, 2) == pytest.approx(math.exp(-50), rel=1e-14, abs=0)


@pytest.mark.parametrize("x", [0.021, 0.24, 1e6 + 1])
def test_sinc_keeps_its_digits_near_0_and_at_large_integers(x):
    t = math.pi * x
    turn = math.pi * math.fmod(x, 2)
    wanted = (math.cos(turn) - math.sin(turn) / t) / x
    assert slope(autograd.sinc, x) == pytest.approx(wanted, rel=1e-12, abs=0)
    if x < 1:
        series = sum(
            (-1) ** k * 2 * k * t ** (2 * k) / x / math.factorial(2 * k + 1) for k in range(12)
        )
        assert slope(autograd.sinc, x) == pytest.approx(series, rel=1e-14)
