"""SciPy's solvers with exact derivatives: against SciPy alone, closed forms and differences."""

import numpy as np
import pytest

import autograd
from autograd import Variable, grad, hessian, hvp, jacobian
from autograd.implicit import solution

scipy_optimize = pytest.importorskip("scipy.optimize")

from autograd.optimize import brentq, least_squares, minimize, root, root_scalar  # noqa: E402

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(8, 3)), RNG.normal(size=8)
TIGHT = {"options": {"gtol": 1e-11}}


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


# -- what SciPy is given ---------------------------------------------------------------------------

METHODS = {
    "none": None, "Nelder-Mead": None, "Powell": None, "CG": "jac", "BFGS": "jac",
    "L-BFGS-B": "jac", "TNC": "jac", "SLSQP": "jac", "Newton-CG": "hessp", "trust-ncg": "hessp",
    "trust-krylov": "hessp", "trust-constr": "hessp", "dogleg": "hess", "trust-exact": "hess",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Method .* does not use:RuntimeWarning")
@pytest.mark.parametrize("method", METHODS)
def test_each_method_gets_the_derivatives_that_it_takes(method, monkeypatch):
    """No derivative is estimated: SciPy calls the function as often as it needs values."""
    seen = {}
    theirs = scipy_optimize.minimize
    monkeypatch.setattr(
        scipy_optimize, "minimize", lambda *args, **kw: seen.update(kw) or theirs(*args, **kw)
    )
    start = np.array([0.9, 0.7])  # the Hessian is positive definite there
    asked = None if method == "none" else method
    found = minimize(rosenbrock, start, method=asked, tol=1e-8)
    np.testing.assert_allclose(found.x, 1.0, atol=2e-3)
    takes = "jac" if method == "none" else METHODS[method]
    assert ("jac" in seen) == (takes is not None)
    assert ("hessp" in seen) == (takes == "hessp")
    assert ("hess" in seen) == (takes == "hess")
    if takes == "jac":
        alone = theirs(rosenbrock, start, method=asked, tol=1e-8)
        assert found.nfev < alone.nfev
    if takes == "hessp":
        v = np.array([0.3, -0.5])
        for x in (start, start + 0.1, start):
            np.testing.assert_allclose(seen["hessp"](x, v), hessian(rosenbrock)(x) @ v)


def misfit(p, y):
    return ((A @ p["w"] + p["b"] * np.ones(8) - y) ** 2).sum() + 0.1 * (p["w"] ** 2).sum()


def ridge(y):
    """The minimum of `misfit` in closed form."""
    X = np.concatenate([A, np.ones((8, 1))], 1)
    return autograd.linalg.solve(X.T @ X + np.diag([0.1, 0.1, 0.1, 0.0]), X.T @ y)


NESTED = {"w": np.zeros(3), "b": 0.0}


def test_unknowns_come_back_in_the_structure_they_were_given_in():
    found = minimize(misfit, NESTED, (B,), **TIGHT)
    np.testing.assert_allclose([*found.x["w"], found.x["b"]], ridge(B), atol=1e-7)
    assert found.jac["w"].shape == (3,)
    assert type(found) is scipy_optimize.OptimizeResult
    single = minimize(misfit, {"w": np.zeros(3, np.float32), "b": 0.0}, (B,))
    assert single.x["w"].dtype == np.float32
    seen = []
    minimize(misfit, NESTED, (B,), method="BFGS", callback=lambda p: seen.append(p["w"].shape))
    minimize(
        misfit,
        NESTED,
        (B,),
        callback=lambda intermediate_result: seen.append(intermediate_result.x["w"].shape),
    )
    assert set(seen) == {(3,)}
    assert isinstance(minimize(lambda x: (x[0] - 2) ** 2, [1, 2]).x, np.ndarray)


def test_bounds_and_constraints_of_nested_unknowns():
    found = minimize(misfit, NESTED, (B,), bounds={"w": (0, [1, 0.1, None])}, tol=1e-12)
    alone = scipy_optimize.minimize(
        lambda x: misfit({"w": x[:3], "b": x[3]}, B),
        np.zeros(4),
        bounds=[(0, 1), (0, 0.1), (0, None), (None, None)],
        tol=1e-12,
    )
    np.testing.assert_allclose([*found.x["w"], found.x["b"]], alone.x, atol=1e-5)

    def sphere(p):
        return (p["w"] ** 2).sum() - 0.5

    for constraints, method in (
        ({"type": "eq", "fun": sphere}, "SLSQP"),
        (scipy_optimize.NonlinearConstraint(sphere, 0, 0), "trust-constr"),
    ):
        start = {"w": np.ones(3), "b": 0.0}
        found = minimize(misfit, start, (B,), method, constraints=constraints).x
        w = found["w"]
        assert w @ w == pytest.approx(0.5, abs=1e-6)
        slope = grad(misfit)(found, B)["w"]  # a multiple of that of the constraint
        np.testing.assert_allclose(slope, (slope @ w / 0.5) * w, atol=5e-3)


# -- gradients through what is found ---------------------------------------------------------------


def test_a_minimum_has_the_gradients_of_its_closed_form():
    def fitted(y):
        found = minimize(misfit, NESTED, (y,), **TIGHT).x
        return autograd.concatenate([found["w"], autograd.reshape(found["b"], (1,))])

    np.testing.assert_allclose(jacobian(fitted)(B), jacobian(ridge)(B), atol=1e-9)
    _, along = autograd.jvp(fitted, (B,), (B,))
    np.testing.assert_allclose(along, ridge(B), atol=1e-9)


def shrunk(a):
    """Closed over, no argument: argmin of (x - 1)^2 / 2 + exp(a) x^4 / 4."""
    return minimize(lambda x: ((x - 1) ** 2 / 2 + autograd.exp(a) * x**4 / 4).sum(), 0.5, **TIGHT).x


def test_second_derivatives_of_a_minimum_that_closes_over_its_parameter():
    def f(a):
        return shrunk(a)[0]

    a, x = 0.3, float(shrunk(0.3)[0])
    e = np.exp(a)
    assert x - 1 + e * x**3 == pytest.approx(0, abs=1e-10)
    first = -e * x**3 / (1 + 3 * e * x**2)
    assert grad(f)(a) == pytest.approx(first)
    step = 1e-4
    for derivative, below in ((grad(grad(f)), grad(f)), (grad(grad(grad(f))), grad(grad(f)))):
        difference = (below(a + step) - below(a - step)) / (2 * step)
        assert derivative(a) == pytest.approx(difference, rel=1e-6)


def test_unknowns_at_a_bound_stay_there():
    def found(y):
        return minimize(
            misfit, NESTED, (y,), "L-BFGS-B", bounds={"w": (0, None)}, tol=1e-15, **TIGHT
        ).x["w"]

    w = found(B)
    assert (w == 0).any()
    assert (w > 0.01).any()
    got = jacobian(found)(B)
    wanted = np.stack([(found(B + d) - found(B - d)) / 2e-5 for d in 1e-5 * np.eye(8)], -1)
    np.testing.assert_allclose(got, wanted, atol=1e-4)
    assert not got[w == 0].any()


def coupled(x, a):
    return {"p": x["p"] ** 3 + a * x["q"] - 2, "q": autograd.exp(x["q"]) - x["p"].sum() * a}


def test_a_root_of_nested_equations_has_gradients_of_any_order():
    start = {"p": np.ones(2), "q": 0.1}

    def solved(a):
        x = root(coupled, start, (a,), tol=1e-12).x
        return (x["p"] ** 2).sum() * x["q"]

    residual = coupled(root(coupled, start, (0.7,)).x, 0.7)
    assert abs(residual["p"]).max() + abs(residual["q"]) < 1e-9
    for f in (solved, grad(solved)):
        difference = (f(0.7 + 1e-5) - f(0.7 - 1e-5)) / 2e-5
        assert grad(f)(0.7) == pytest.approx(difference, rel=1e-7)
    assert root(lambda x: x**3 - 8, 1.0, method="krylov").x == pytest.approx(2)


T = np.linspace(0, 3, 12)


@pytest.mark.parametrize("loss", ["linear", "soft_l1", "huber", "cauchy", "arctan"])
def test_a_fit_by_least_squares_has_gradients_with_every_loss(loss):
    data = 2 * np.exp(-1.3 * T) + 0.1 * np.sin(7 * T)
    data[4] += 1.0

    def fitted(data):
        def residuals(p):
            return {"all": [p["a"] * np.exp(-p["k"] * T) - data]}

        tight = {"loss": loss, "f_scale": 0.3, "xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}
        return least_squares(residuals, {"a": 1.0, "k": 1.0}, **tight).x["k"]

    alone = scipy_optimize.least_squares(
        lambda p: p[0] * np.exp(-p[1] * T) - data, [1, 1], loss=loss, f_scale=0.3
    )
    assert fitted(data) == pytest.approx(alone.x[1], rel=1e-4)
    direction = RNG.normal(size=12)
    ahead, behind = fitted(data + 1e-4 * direction), fitted(data - 1e-4 * direction)
    assert grad(fitted)(data) @ direction == pytest.approx((ahead - behind) / 2e-4, rel=1e-4)


def test_least_squares_at_a_bound():
    def fitted(y):
        bounds = ({"w": 0.0, "b": -np.inf}, np.inf)
        return least_squares(
            lambda p: A @ p["w"] + p["b"] - y, NESTED, bounds=bounds, xtol=1e-15, gtol=1e-15
        ).x["w"]

    w = fitted(B)
    assert (w >= 0).all()
    assert not jacobian(fitted)(B)[w < 1e-9].any()


def test_the_solution_of_an_equation_found_by_any_means():
    def cholesky(a):
        """L with L L^T = a, in its lower triangle: against the rule of `linalg.cholesky`."""
        return solution(
            lambda x: autograd.tril(x @ x.T - a) + autograd.triu(x, 1), np.linalg.cholesky(a.data)
        )

    weights = RNG.normal(size=(3, 3))
    a = A.T @ A
    results = [
        hvp(lambda a, f=f: (f((a + a.T) / 2) * weights).sum() ** 2)(a, weights)
        for f in (cholesky, autograd.linalg.cholesky)
    ]
    np.testing.assert_allclose(*results, rtol=1e-9, atol=1e-12)


def kepler(e):
    """Return sin of the eccentric anomaly E at mean anomaly 0.8: E - e sin(E) = 0.8."""
    return np.sin(brentq(lambda x: x - e * np.sin(x) - 0.8, 0, 3, xtol=1e-14))


def test_a_scalar_root_has_gradients_in_arguments_and_in_what_is_closed_over():
    e, step = 0.3, 1e-5
    plain = [scipy_optimize.brentq(lambda x, c=c: x - c * np.sin(x) - 0.8, 0, 3, xtol=1e-15)
             for c in (e - step, e, e + step)]  # fmt: skip
    below, at, above = np.sin(plain)
    assert kepler(e) == pytest.approx(at, rel=1e-14)
    assert type(kepler(e)) is np.float64
    assert grad(kepler)(e) == pytest.approx((above - below) / (2 * step), rel=1e-8)
    assert grad(grad(kepler))(e) == pytest.approx((above - 2 * at + below) / step**2, rel=1e-4)
    in_args = grad(lambda a: root_scalar(lambda x, a: x**3 - a, a, bracket=(0, 9)).root)(8.0)
    assert in_args == pytest.approx(1 / 12)


@pytest.mark.parametrize("method", ["newton", "halley", "secant", "brenth", "bisect", None])
def test_methods_for_scalar_roots_get_the_derivatives_they_take(method):
    where = {"bracket": (1, 3)} if method in ("brenth", "bisect") else {"x0": 1.5}
    where |= {"x1": 2.5} if method == "secant" else {}
    found = root_scalar(lambda x: np.exp(x) - 5 * x, method=method, **where)
    assert found.converged
    assert np.exp(found.root) == pytest.approx(5 * found.root, rel=1e-8)
    if method in ("newton", "halley", None):  # a secant would need more steps
        assert found.iterations <= (5 if method == "halley" else 12)


def test_scalar_roots_say_what_failed():
    a = Variable(2.0, requires_grad=True)
    with pytest.raises(ValueError, match="root_scalar: wanted a bracket or x0, got neither"):
        root_scalar(lambda x: x - a)
    with pytest.raises(TypeError, match=r"wanted one number from f, got shape \(2,\); .*root"):
        brentq(lambda x: np.stack([x, x]), 0, 1)
    with pytest.raises(ValueError, match="different signs"):
        brentq(lambda x: x * x + a, 0, 1)
    with pytest.raises(RuntimeError, match="brentq: wanted a root within 2 steps"):
        brentq(lambda x: x * x - a, 0, 2, maxiter=2)
    with pytest.warns(RuntimeWarning, match="root_scalar: the gradient of the root supposes"):
        root_scalar(lambda x: x * x - a, method="bisect", bracket=(0, 2), maxiter=2)


# -- kinds and errors ------------------------------------------------------------------------------


def test_results_are_arrays_unless_a_variable_was_given():
    a = Variable(0.3, requires_grad=True)
    assert isinstance(minimize(lambda x: (x**2).sum(), np.ones(2)).x, np.ndarray)
    assert isinstance(minimize(lambda x: (x**2).sum(), Variable(np.ones(2))).x, Variable)
    assert shrunk(a).requires_grad
    with autograd.no_grad():
        assert not getattr(shrunk(a), "requires_grad", False)
    assert a.grad is None


def square(x, *rest):
    return ((x - sum(rest)) ** 2).sum()


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (
            lambda: minimize(square, np.ones(2, complex)),
            TypeError,
            "minimize: wanted real numbers in x0, got complex128; write complex unknowns as two",
        ),
        (
            lambda: grad(
                lambda a: minimize(
                    square, [1.0], (a,), constraints={"type": "ineq", "fun": lambda x: x}
                ).x[0]
            )(1.0),
            TypeError,
            "minimize: wanted a minimum without constraints where its gradient is asked for",
        ),
        (
            lambda: root(lambda x: x[:1], np.ones(2)),
            ValueError,
            "root: wanted as many equations as unknowns, 2, got 1; .*least_squares",
        ),
        (
            lambda: least_squares(square, [1.0], loss="l1"),
            ValueError,
            "least_squares: wanted a loss among 'linear'.*got 'l1'",
        ),
        (
            lambda: minimize(square, {"x": 1.0}, bounds=[(0, 1)]),
            TypeError,
            "minimize: wanted bounds with the structure of x0, a dict of pairs.*got list",
        ),
        (
            lambda: minimize(square, [np.ones(1)], bounds=[(0, 1), (0, 1)]),
            ValueError,
            "minimize: wanted bounds with the structure of x0, 1 parts, got 2",
        ),
        (
            lambda: least_squares(square, {"x": 1.0, "y": 2.0}, bounds=({"x": 0}, np.inf)),
            ValueError,
            "least_squares: wanted bounds with the structure of x0, 2 arrays, got 1",
        ),
        (
            lambda: solution(lambda x: x[:1], np.ones(2)),
            ValueError,
            r"solution: wanted a function that keeps the shape \(2,\), got \(1,\)",
        ),
        (
            lambda: solution(lambda x: x, np.ones(2, int)),
            TypeError,
            "solution: wanted an array of real floating-point numbers, got int",
        ),
        (
            lambda: grad(lambda a: solution(lambda x: a * x[:1] * np.ones(2), np.zeros(2)).sum())(
                1.0
            ),
            np.linalg.LinAlgError,
            "solution: wanted a solution that no other one is near, got a singular Jacobian",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


def test_a_gradient_at_what_is_no_solution_warns():
    def early(a):
        return minimize(lambda x: rosenbrock(x) + a * x[0], np.zeros(2), options={"maxiter": 1}).x[
            0
        ]

    with pytest.warns(RuntimeWarning, match="minimize: the gradient of the solution supposes"):
        grad(early)(0.1)
