"""Distributions: what the rows of the op table (tests/op_rows/stats.py) do not show."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd
from autograd import Variable, grad, stats

ROOT = Path(__file__).parents[2]
EDGES = np.array([-1.0, 0.0, 0.3, 1.0, 2.5])


@pytest.fixture
def scipy_stats():
    return pytest.importorskip("scipy.stats")


def central(f, x, h=1e-6):
    return (f(x + h) - f(x - h)) / (2 * h)


@pytest.mark.parametrize(
    "name, shapes",
    [("norm", ()), ("t", (2.5,)), ("gamma", (1.7,)), ("chi2", (2.7,)), ("beta", (1.7, 2.2))],
)
def test_values_at_and_outside_of_the_limits_are_those_of_scipy(name, shapes, scipy_stats):
    ours, theirs = getattr(stats, name), getattr(scipy_stats, name)
    for which in ours.__all__:
        for scale in (1.3, -1.0):
            got = getattr(ours, which)(EDGES, *shapes, 0.0, scale)
            wanted = getattr(theirs, which)(EDGES, *shapes, 0.0, scale)
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-14, err_msg=which)


@pytest.mark.parametrize(
    "logpdf",
    [
        lambda x: stats.gamma.logpdf(x, 0.5),
        lambda x: stats.chi2.logpdf(x, 3.0),
        lambda x: stats.beta.logpdf(x, 0.5, 0.5),
    ],
)
def test_outside_of_the_support_the_gradient_is_zero(logpdf):
    pytest.importorskip("scipy")
    x = np.array([-1.0, 0.3, -0.5])
    g = grad(lambda x: logpdf(x)[1] + np.exp(logpdf(x)).sum())(x)
    assert g[0] == g[2] == 0
    assert np.isfinite(g[1])
    assert np.isneginf(logpdf(x)[[0, 2]]).all()


@pytest.mark.parametrize("df", [0.5, 1.0, 2.5, 7.3])
@pytest.mark.parametrize("which", ["pdf", "logpdf"])
def test_chi2_has_a_gradient_for_any_number_of_degrees_of_freedom(df, which):
    """A peer returns 0 for numbers that are not whole."""
    pytest.importorskip("scipy")
    f = getattr(stats.chi2, which)
    slope = grad(f, 1)(1.7, df)
    assert slope == pytest.approx(central(lambda d: f(1.7, d), df), rel=1e-6)
    assert slope != 0


@pytest.mark.parametrize(
    "refused, message",
    [
        (lambda p: stats.gamma.cdf(1.0, p), "stats.gamma.cdf: wanted 'a' without a gradient"),
        (lambda p: stats.chi2.cdf(1.0, p), "stats.chi2.cdf: wanted 'df' without"),
        (lambda p: stats.beta.cdf(0.5, p, 1.0), "stats.beta.cdf: wanted 'a' without"),
        (lambda p: stats.beta.cdf(0.5, 1.0, p), "stats.beta.cdf: wanted 'b' without"),
        (lambda p: stats.t.cdf(1.0, p), "stats.t.cdf: wanted 'df' without"),
        (lambda p: stats.t.logcdf(1.0, p), "stats.t.logcdf: wanted 'df' without"),
        (lambda p: stats.poisson.pmf(p, 1.0), "'k' without a gradient, because .* whole numbers"),
        (lambda p: stats.poisson.cdf(1, 1.0, p), "stats.poisson.cdf: wanted 'loc' without"),
    ],
)
def test_parameters_without_a_gradient_are_refused_by_name(refused, message):
    with pytest.raises(TypeError, match=message):
        grad(refused)(2.0)


def test_parameters_without_a_gradient_may_be_constant_variables():
    pytest.importorskip("scipy")
    x = Variable(1.0, requires_grad=True)
    out = stats.gamma.cdf(x, Variable(2.0))
    out.backward()
    assert x.grad == pytest.approx(stats.gamma.pdf(1.0, 2.0))


def test_counts_that_cannot_be_have_probability_zero(scipy_stats):
    k = np.array([-1.0, 0.0, 1.5, 2.0])
    for which in ("pmf", "logpmf", "cdf"):
        np.testing.assert_allclose(
            getattr(stats.poisson, which)(k, 2.3), getattr(scipy_stats.poisson, which)(k, 2.3)
        )
    assert np.isnan(stats.poisson.logpmf(1, -1.0))


def test_no_events_are_certain_at_mean_zero():
    pytest.importorskip("scipy")
    assert stats.poisson.pmf(0, 0.0) == 1
    assert grad(stats.poisson.logpmf, 1)(0, 0.0) == -1


def test_counts_do_not_promote_float32():
    pytest.importorskip("scipy")
    mu = Variable(np.array([1.5, 2.5], dtype=np.float32), requires_grad=True)
    out = stats.poisson.logpmf(np.array([1, 2]), mu)
    assert out.dtype == np.float32
    out = stats.norm.logpdf(np.array([1, 2]), mu, 2)
    assert out.dtype == np.float32


def test_far_tails_of_the_normal_distribution_keep_their_gradient():
    pytest.importorskip("scipy")
    assert grad(stats.norm.logcdf)(-40.0) == pytest.approx(40.0249688, rel=1e-8)
    assert grad(stats.norm.logsf)(40.0) == pytest.approx(-40.0249688, rel=1e-8)
    assert stats.norm.sf(10.0) == pytest.approx(7.61985302416e-24, rel=1e-10)


def test_complex_numbers_and_text_are_refused():
    with pytest.raises(TypeError, match="stats.norm.pdf: wanted real numbers as 'x', got complex"):
        stats.norm.pdf(1j)
    with pytest.raises(TypeError, match="stats.norm.pdf: wanted an array or a number"):
        stats.norm.pdf("1")


def test_infinitely_many_degrees_of_freedom_are_the_normal_distribution(scipy_stats):
    df = np.array([2.5, np.inf])
    for which in stats.t.__all__:
        f = getattr(stats.t, which)
        np.testing.assert_allclose(f(0.7, df), getattr(scipy_stats.t, which)(0.7, df))
        slope = grad(lambda x: f(x, df)[1])(0.7)  # noqa: B023 - called at once
        assert slope == pytest.approx(grad(getattr(stats.norm, which))(0.7))
    assert grad(lambda df: stats.t.logpdf(0.7, df)[1])(df)[1] == 0


# -- multivariate ----------------------------------------------------------------------------------


@pytest.fixture
def gaussian():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 3))
    return rng.normal(size=(4, 3)), rng.normal(size=3), a @ a.T + 2 * np.eye(3)


def log_density(x, mean, cov):
    """The formula, for one vector."""
    d = x - mean
    log_det = np.linalg.slogdet(2 * math.pi * cov)[1]
    return -0.5 * (d @ np.linalg.solve(cov, d) + log_det)


def test_the_multivariate_normal_density_is_the_formula(gaussian):
    x, mean, cov = gaussian
    wanted = [log_density(row, mean, cov) for row in x]
    np.testing.assert_allclose(stats.multivariate_normal.logpdf(x, mean, cov), wanted)
    np.testing.assert_allclose(stats.multivariate_normal.pdf(x, mean, cov), np.exp(wanted))
    np.testing.assert_allclose(
        stats.multivariate_normal.logpdf(x[:, None], mean, np.stack([cov, 2 * cov])),
        [[log_density(row, mean, c) for c in (cov, 2 * cov)] for row in x],
    )


def test_the_gradient_of_the_covariance_has_the_right_sign(gaussian):
    """A peer shipped the opposite one: the likelihood grows with the covariance far from the mean.

    The derivative is (cov^-1 d d^T cov^-1 - cov^-1) / 2 (Petersen and Pedersen, The matrix
    cookbook, section 8.4).
    """
    x, mean, cov = gaussian
    gradient = grad(lambda c: stats.multivariate_normal.logpdf(x, mean, c).sum())(cov)
    inverse = np.linalg.inv(cov)
    d = (x - mean) @ inverse
    np.testing.assert_allclose(gradient, 0.5 * (d.T @ d - len(x) * inverse), rtol=1e-10)
    far = grad(lambda v: stats.multivariate_normal.logpdf(10.0, 0.0, v))(1.0)
    assert far == pytest.approx((10.0**2 - 1) / 2)


def test_the_gradient_of_the_mean_is_that_of_the_formula(gaussian):
    x, mean, cov = gaussian
    of_x, of_mean = grad(
        lambda x, m: stats.multivariate_normal.logpdf(x, m, cov).sum(), argnum=(0, 1)
    )(x, mean)
    wanted = -(x - mean) @ np.linalg.inv(cov)
    np.testing.assert_allclose(of_x, wanted, rtol=1e-10)
    np.testing.assert_allclose(of_mean, -wanted.sum(axis=0), rtol=1e-10)


def test_numbers_and_vectors_stand_for_diagonal_covariances(gaussian, scipy_stats):
    x, mean, _ = gaussian
    ours, theirs = stats.multivariate_normal.logpdf, scipy_stats.multivariate_normal.logpdf
    for cov in (2.0, [1.0, 2.0, 3.0]):
        np.testing.assert_allclose(ours(x, mean, cov), theirs(x, mean, cov))
    np.testing.assert_allclose(ours(x[:, 0]), theirs(x[:, 0]))
    assert ours(0.3) == pytest.approx(theirs(0.3))
    assert stats.multivariate_normal.entropy(mean, 2.0) == pytest.approx(
        scipy_stats.multivariate_normal.entropy(mean, 2.0)
    )


def test_a_singular_covariance_is_refused_unless_allowed(gaussian, scipy_stats):
    x, mean, cov = gaussian
    cov = cov[:, :2] @ cov[:, :2].T
    with pytest.raises(ValueError, match="positive definite covariance.*allow_singular=True"):
        stats.multivariate_normal.logpdf(x, mean, cov)
    assert np.isneginf(stats.multivariate_normal.logpdf(x, mean, cov, allow_singular=True)).all(), (
        "outside of the subspace"
    )
    x = mean + (x - mean) @ cov
    np.testing.assert_allclose(
        stats.multivariate_normal.logpdf(x, mean, cov, allow_singular=True),
        scipy_stats.multivariate_normal.logpdf(x, mean, cov, allow_singular=True),
    )
    with pytest.raises(ValueError, match="without negative eigenvalues"):
        stats.multivariate_normal.logpdf(x, mean, -cov, allow_singular=True)


def test_the_gradient_of_a_singular_covariance_holds_where_the_rank_stays(gaussian):
    x, mean, cov = gaussian
    factor = cov[:, :2]
    x = mean + x @ factor @ factor.T

    def likelihood(scale):
        return stats.multivariate_normal.logpdf(
            x, mean, scale * (factor @ factor.T), allow_singular=True
        ).sum()

    assert grad(likelihood)(1.3) == pytest.approx(central(likelihood, 1.3), rel=1e-6)


def test_shapes_that_do_not_fit_are_named(gaussian):
    x, mean, cov = gaussian
    with pytest.raises(ValueError, match=r"wanted vectors \(..., 2\) as 'x', got shape \(4, 3\)"):
        stats.multivariate_normal.logpdf(x, mean[:2], cov[:2, :2])
    with pytest.raises(ValueError, match=r"wanted a covariance \(..., 3, 3\)"):
        stats.multivariate_normal.logpdf(x, mean, cov[:2, :2])


def test_shares_that_do_not_sum_to_one_are_refused():
    with pytest.raises(ValueError, match="sum to 1, got a sum of 0.9.*divide x by its sum"):
        stats.dirichlet.logpdf([0.2, 0.3, 0.4], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="wanted 3 shares along the first axis.*got 4"):
        stats.dirichlet.logpdf([0.2, 0.3, 0.4, 0.1], [1.0, 2.0, 3.0])


def test_importing_the_package_does_not_import_the_distributions():
    script = "import sys, autograd; print([m for m in sys.modules if m.startswith('autograd.s')])"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "autograd.stats" not in result.stdout
    assert "autograd.signal" not in result.stdout
    assert autograd.stats.norm is stats.norm


# -- digits of derivatives (everywhere: test_accuracy.py) ------------------------------------------


def second(f, argnum=0):
    """Return the second derivative with respect to one argument."""
    return grad(grad(f, argnum), argnum)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("df", [1e3, 1e4, 1e7, 1e8, 1e15])
def test_the_slope_of_t_in_many_degrees_of_freedom_is_no_difference(df, dtype):
    """At x = 1 log pdf is that of the normal distribution - 1 / (2 df) + O(1 / df^2)."""
    pytest.importorskip("scipy")
    near = 1 / df + 1e-6
    found = grad(stats.t.logpdf, 1)(dtype(1), dtype(df))
    assert found == pytest.approx(0.5 / df**2, rel=near, abs=0)
    found = second(stats.t.logpdf, 1)(dtype(1), dtype(df))
    assert found == pytest.approx(-1 / df**3, rel=near, abs=0)
    density = stats.norm.pdf(1.0)
    found = grad(stats.t.pdf, 1)(dtype(1), dtype(df))
    assert found == pytest.approx(0.5 / df**2 * density, rel=near, abs=0)


def test_the_logarithm_of_the_tails_of_t_is_that_of_their_leading_terms():
    pytest.importorskip("scipy")
    # x^-df df^(df/2 - 1) / B(df/2, 1/2), from the power of the density far out
    norm = 49 * math.log(100) - (math.lgamma(50) + math.lgamma(0.5) - math.lgamma(50.5))
    assert stats.t.logcdf(-1e5, 100.0) == pytest.approx(norm - 100 * math.log(1e5), rel=1e-6)
    assert grad(stats.t.logcdf)(-1e5, 100.0) == pytest.approx(1e-3, rel=1e-6)
    assert second(stats.t.logcdf)(-1e5, 100.0) == pytest.approx(1e-8, rel=1e-6, abs=0)
    single = stats.t.logcdf(np.float32(-50), np.float32(100))
    assert single == pytest.approx(-166.10963, rel=1e-6)
    assert single.dtype == np.float32
    assert np.isfinite(grad(stats.t.logcdf)(np.float32(-50), np.float32(100)))
    assert stats.t.logcdf(1e5, 4.5) == pytest.approx(-stats.t.cdf(-1e5, 4.5), rel=1e-12, abs=0)


@pytest.mark.parametrize("df", [2.5, 19.0, 21.0, 300.0])
def test_the_logarithm_of_t_cdf_has_no_seams(df):
    pytest.importorskip("scipy")
    x = np.linspace(-12.0, 3.0, 61)
    np.testing.assert_allclose(stats.t.logcdf(x, df), np.log(stats.t.cdf(x, df)), rtol=1e-11)
    slopes = autograd.elementwise_grad(lambda x: stats.t.logcdf(x, df))(x)
    np.testing.assert_allclose(slopes, stats.t.pdf(x, df) / stats.t.cdf(x, df), rtol=1e-11)


@pytest.mark.parametrize("scale, dtype", [(1e-105, np.float64), (1e-13, np.float32)])
@pytest.mark.parametrize("which", ["norm.pdf", "norm.cdf", "norm.sf", "gamma.pdf", "t.pdf"])
def test_a_density_that_is_0_has_derivatives_0_however_small_the_scale(which, scale, dtype):
    pytest.importorskip("scipy")
    name, function = which.split(".")
    f = getattr(getattr(stats, name), function)
    shapes = () if name == "norm" else (dtype(30.0),)
    arguments = (dtype(1), *shapes, dtype(0), dtype(scale))
    with np.errstate(all="ignore"):
        for argnum in (0, len(arguments) - 2, len(arguments) - 1):
            assert grad(f, argnum)(*arguments) == 0
            assert second(f, argnum)(*arguments) == 0


@pytest.mark.parametrize("a", [1e-8, 1e-20])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_density_of_gamma_is_regular_at_shape_0(a, dtype):
    """At x = 1 it is exp(-1) / Gamma(a), whose second derivative at 0 is 2 gamma exp(-1)."""
    pytest.importorskip("scipy")
    euler = 0.5772156649015329
    with np.errstate(over="ignore"):
        of_gamma = second(stats.gamma.pdf, 1)(dtype(1), dtype(a))
        of_chi2 = second(stats.chi2.pdf, 1)(dtype(1), dtype(a))
        of_beta = second(stats.beta.pdf, 1)(dtype(0.5), dtype(a), dtype(2))
    assert of_gamma == pytest.approx(2 * euler * math.exp(-1), rel=1e-6)
    log_half = -math.log(2.0)  # (x / 2)^(a / 2) exp(-x / 2) / Gamma(a / 2)
    assert of_chi2 == pytest.approx((log_half + euler) * math.exp(-0.5) / 2, rel=1e-5)
    assert of_beta == pytest.approx(2 * (1 + math.log(0.5)), rel=1e-5)


def test_the_density_of_beta_is_regular_where_both_shapes_are_small():
    pytest.importorskip("scipy")
    a, b = 1e-20, 1e-15  # the density at 1/2 is near 4 a b / (a + b)
    assert stats.beta.pdf(0.5, a, b) == pytest.approx(4 * a, rel=1e-4)
    assert second(stats.beta.pdf, 1)(0.5, a, b) == pytest.approx(-8 / b, rel=1e-4)
    assert grad(stats.beta.pdf, 2)(0.5, a, b) == pytest.approx(4 * (a / b) ** 2, rel=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_counts_and_shapes_cost_no_digits(dtype):
    """At its mean the density is near 1 / sqrt(2 pi n) (1 - 1 / (12 n))."""
    pytest.importorskip("scipy")
    n = 23000.0
    wanted = -0.5 * math.log(2 * math.pi * n) - 1 / (12 * n)
    found = stats.poisson.logpmf(n, dtype(n))
    assert found == pytest.approx(wanted, rel=1e-6 if dtype == np.float32 else 1e-14)
    found = stats.gamma.logpdf(dtype(n), dtype(n + 1))
    assert found == pytest.approx(wanted, rel=1e-6 if dtype == np.float32 else 1e-14)
