"""What the gradient is at ties, kinks and singular points: one test for each row of the table in
docs/numpy_coverage.md, first order, and second where it means something.
"""

import math

import numpy as np
import pytest

import autograd
from autograd import elementwise_grad, grad, hessian, jacobian, jvp
from nn import functional

ZERO = np.zeros(3)


def slope(f, x):
    """Return the derivative of an elementwise function at one number."""
    return float(elementwise_grad(f)(np.float64(x)))


def curvature(f, x):
    return float(elementwise_grad(elementwise_grad(f))(np.float64(x)))


@pytest.mark.parametrize("f", [np.abs, np.absolute, np.fabs], ids=lambda f: f.__name__)
def test_abs_at_zero_has_slope_zero(f):
    assert slope(f, 0.0) == 0.0
    assert curvature(f, 0.0) == 0.0


@pytest.mark.parametrize("f", [np.max, np.min, np.amax, np.amin])
def test_ties_of_max_and_min_share_the_gradient(f):
    x = np.array([1.0, 3.0, 3.0, 1.0])
    np.testing.assert_array_equal(grad(f)(x), (x == f(x)) / 2)
    table = np.array([[2.0, 2.0, 2.0], [1.0, 5.0, 1.0]])
    g = grad(lambda t: f(t, axis=0).sum())(np.ones((4, 2)))
    np.testing.assert_array_equal(g, np.full((4, 2), 0.25))
    rows = grad(lambda t: f(t, axis=1, keepdims=True).sum())(table)
    np.testing.assert_allclose(rows.sum(axis=1), [1.0, 1.0])
    np.testing.assert_array_equal(hessian(f)(x), np.zeros((4, 4)))


@pytest.mark.parametrize("f", [np.maximum, np.minimum, np.fmax, np.fmin], ids=lambda f: f.__name__)
def test_maximum_of_equal_operands_shares_the_gradient(f):
    gx, gy = grad(lambda x, y: f(x, y), (0, 1))(2.0, 2.0)
    assert (gx, gy) == (0.5, 0.5)
    assert slope(lambda x: f(x, x), 2.0) == 1.0
    assert slope(lambda x: f(x, 0.0), 0.0) == 0.5


def test_clip_at_a_bound_lets_the_gradient_pass():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    g = elementwise_grad(lambda x: np.clip(x, -1.0, 1.0))(x)
    np.testing.assert_array_equal(g, [0.0, 1.0, 1.0, 1.0, 0.0])
    with pytest.raises(ValueError, match="wanted a bound as a_min or min"):
        autograd.clip(x, -1.0, min=-1.0)


@pytest.mark.parametrize("order", [None, 2, 3, 1.5])
def test_norm_of_zero_has_gradient_zero(order):
    g = grad(lambda x: np.linalg.norm(x, order))(ZERO)
    np.testing.assert_array_equal(g, ZERO)
    g = grad(lambda x: np.linalg.norm(x, order) ** 2)(ZERO)
    np.testing.assert_array_equal(g, ZERO)
    g = grad(lambda x: autograd.linalg.vector_norm(x))(ZERO)
    np.testing.assert_array_equal(g, ZERO)


def test_norm_of_a_zero_row_leaves_the_other_rows_right():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    g = grad(lambda x: np.linalg.norm(x, axis=1).sum())(x)
    np.testing.assert_allclose(g, [[0.6, 0.8], [0.0, 0.0]])
    g = grad(lambda x: np.linalg.norm(x))(np.zeros((2, 2)))
    np.testing.assert_array_equal(g, np.zeros((2, 2)))


def test_second_derivative_of_norm_at_zero_is_finite():
    h = hessian(lambda x: np.linalg.norm(x, axis=1).sum())(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert np.isfinite(h).all()
    np.testing.assert_allclose(h[0, :, 0, :], np.array([[16.0, -12.0], [-12.0, 9.0]]) / 125)


def test_sqrt_at_zero_has_infinite_slope():
    assert slope(np.sqrt, 0.0) == math.inf


def test_sqrt_of_a_square_at_zero_is_undetermined():
    assert math.isnan(slope(lambda x: np.sqrt(x * x), 0.0))


@pytest.mark.parametrize("zeros", [1, 2, 3])
def test_prod_with_zeros_has_the_products_of_the_others(zeros):
    x = np.array([2.0, 3.0, 5.0, 7.0])
    x[:zeros] = 0.0
    wanted = [np.prod(np.delete(x, i)) for i in range(4)]
    np.testing.assert_array_equal(grad(np.prod)(x), wanted)
    second = [
        [0.0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(4)] for i in range(4)
    ]
    np.testing.assert_allclose(hessian(np.prod)(x), second, atol=1e-14)


def test_cumprod_with_a_zero_has_the_products_of_the_others():
    x = np.array([2.0, 0.0, 5.0, 7.0])
    wanted = [
        [np.prod(np.delete(x[: i + 1], j)) if j <= i else 0.0 for j in range(4)] for i in range(4)
    ]
    np.testing.assert_allclose(jacobian(np.cumprod)(x), wanted)


def test_power_with_exponent_zero_has_slope_zero_at_zero():
    assert slope(lambda x: x**0, 0.0) == 0.0
    assert slope(lambda x: x**0.0, 0.0) == 0.0
    assert slope(lambda x: np.power(x, 1.0), 0.0) == 1.0
    assert curvature(lambda x: x**2, 0.0) == 2.0
    assert curvature(lambda x: x**1, 0.0) == 0.0
    assert curvature(lambda x: np.exp(-(x**2)), 0.0) == -2.0


def test_a_negative_base_has_no_slope_in_its_exponent():
    assert math.isnan(slope(lambda y: (-2.0) ** y, 3.0))
    gx = grad(lambda x: x**3.0)(-2.0)
    assert gx == 12.0


def test_a_zero_base_has_slope_zero_in_a_positive_exponent():
    assert slope(lambda y: 0.0**y, 2.0) == 0.0


MASKED = {
    "sqrt": np.sqrt,
    "log": np.log,
    "reciprocal": np.reciprocal,
    "power": lambda x: x**-1.5,
    "arccos": lambda x: np.arccos(x + 1),
    "divide": lambda x: 1.0 / x,
    "norm": lambda x: np.sqrt(x * x),
}


@pytest.mark.parametrize("name", MASKED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_branch_where_did_not_take_contributes_zero(name):
    f = MASKED[name]
    x = np.array([0.0, -0.25])

    def guarded(x):
        return np.where(x < 0, f(np.abs(x) if name in ("sqrt", "log", "power") else x), 0.0)

    g = elementwise_grad(guarded)(x)
    assert g[0] == 0.0
    assert np.isfinite(g[1])
    assert g[1] != 0.0
    h = elementwise_grad(elementwise_grad(guarded))(x)
    assert h[0] == 0.0
    t = jvp(guarded, (x,), (np.ones(2),))[1]
    assert t[0] == 0.0


def test_where_guards_a_square_root_at_zero():
    g = elementwise_grad(lambda x: np.where(x > 0, np.sqrt(x), 0))(np.array([0.0, 4.0]))
    np.testing.assert_array_equal(g, [0.0, 0.25])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_indexing_and_clip_guard_too():
    x = np.array([0.0, 4.0])
    np.testing.assert_array_equal(grad(lambda x: np.sqrt(x)[1])(x), [0.0, 0.25])
    np.testing.assert_array_equal(grad(lambda x: np.log(x)[x > 0].sum())(x), [0.0, 0.25])
    g = grad(lambda x: np.sum(np.sqrt(x), where=x > 0))(x)
    np.testing.assert_array_equal(g, [0.0, 0.25])
    g = grad(lambda x: np.clip(1 / x, -1.0, 1.0).sum())(x)
    np.testing.assert_array_equal(g, [0.0, -1 / 16])


@pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning")
def test_std_of_constants_and_of_one_element_has_gradient_zero():
    np.testing.assert_array_equal(grad(np.std)(np.full(4, 2.0)), np.zeros(4))
    np.testing.assert_array_equal(grad(np.std)(np.array([3.0])), [0.0])
    g = grad(lambda x: np.std(x, axis=1).sum())(np.array([[1.0, 3.0], [2.0, 2.0]]))
    np.testing.assert_allclose(g, [[-0.5, 0.5], [0.0, 0.0]])
    assert np.isfinite(hessian(np.std)(np.full(3, 2.0))).all()


@pytest.mark.parametrize("f", [np.arctan2, np.hypot], ids=lambda f: f.__name__)
def test_arctan2_and_hypot_at_the_origin_have_gradient_zero(f):
    gx, gy = grad(lambda x, y: f(x, y), (0, 1))(0.0, 0.0)
    assert (gx, gy) == (0.0, 0.0)


def test_sinc_at_zero_is_smooth():
    assert slope(np.sinc, 0.0) == 0.0
    np.testing.assert_allclose(curvature(np.sinc, 0.0), -(math.pi**2) / 3, rtol=1e-12)


@pytest.mark.parametrize("f, wanted", [(np.arccos, -math.inf), (np.arcsin, math.inf)])
def test_arccos_and_arcsin_at_one_have_infinite_slope(f, wanted):
    assert slope(f, 1.0) == wanted


@pytest.mark.parametrize("f", [np.logaddexp, np.logaddexp2], ids=lambda f: f.__name__)
def test_logaddexp_of_two_infinities_shares_the_gradient(f):
    gx, gy = grad(lambda x, y: f(x, y), (0, 1))(-math.inf, -math.inf)
    assert (gx, gy) == (0.5, 0.5)
    gx, gy = grad(lambda x, y: f(x, y), (0, 1))(-math.inf, 1.0)
    assert (gx, gy) == (0.0, 1.0)


def test_softplus_does_what_log1p_of_exp_cannot():
    assert slope(functional.softplus, 800.0) == 1.0
    assert slope(lambda x: np.logaddexp(0.0, x), 800.0) == 1.0
    assert curvature(functional.softplus, 800.0) == 0.0


def test_sort_gives_ties_the_gradient_of_their_place():
    x = np.array([2.0, 1.0, 2.0, 1.0])
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    g = grad(lambda x: (np.sort(x, kind="stable") * weights).sum())(x)
    np.testing.assert_array_equal(g, [100.0, 1.0, 1000.0, 10.0])


def test_median_of_an_even_count_shares_the_gradient():
    x = np.array([4.0, 1.0, 3.0, 2.0])
    np.testing.assert_array_equal(grad(np.median)(x), [0.0, 0.0, 0.5, 0.5])
    np.testing.assert_array_equal(hessian(np.median)(x), np.zeros((4, 4)))


def test_det_of_a_singular_matrix_has_its_cofactors():
    x = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(grad(np.linalg.det)(x), [[4.0, -2.0], [-2.0, 1.0]], atol=1e-14)
    np.testing.assert_allclose(grad(np.linalg.det)(np.zeros((3, 3))), np.zeros((3, 3)), atol=1e-14)
    h = hessian(np.linalg.det)(x)
    np.testing.assert_allclose(h[0, 0, 1, 1], 1.0, rtol=1e-10)
    np.testing.assert_allclose(h[0, 1, 1, 0], -1.0, rtol=1e-10)


def test_eigenvalues_of_the_identity_have_a_gradient():
    g = grad(lambda x: np.linalg.eigh(x)[0].sum())(np.eye(3))
    np.testing.assert_allclose(g, np.eye(3), atol=1e-15)
    np.testing.assert_allclose(grad(lambda x: np.linalg.eigvalsh(x).sum())(np.eye(3)), np.eye(3))


def test_eigenvectors_of_the_identity_are_masked_with_a_warning():
    with pytest.warns(RuntimeWarning, match="eigenvalues"):
        g = grad(lambda x: (np.linalg.eigh(x)[1] ** 2)[0].sum())(np.eye(3))
    assert np.isfinite(g).all()


def test_singular_values_of_the_identity_have_a_gradient():
    for values in (
        lambda x: np.linalg.svd(x, compute_uv=False),
        lambda x: np.linalg.svd(x)[1],
        np.linalg.svdvals,
    ):
        g = grad(lambda x, f=values: f(x).sum())(np.eye(3))
        np.testing.assert_allclose(g, np.eye(3), atol=1e-14)


def test_relu_at_zero_has_slope_zero():
    assert slope(functional.relu, 0.0) == 0.0


@pytest.mark.parametrize("f", [np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round])
def test_steps_have_slope_zero(f):
    assert slope(f, 0.3) == 0.0
    assert curvature(f, 0.3) == 0.0
