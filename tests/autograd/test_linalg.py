"""Linear algebra: singular points, conventions and errors, beside what the op table proves."""

import warnings

import numpy as np
import pytest

import autograd
from autograd import Variable, grad, hessian, linalg
from autograd.ops import contractions


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def leaf(*shape, seed=0):
    return Variable(random(*shape, seed=seed), requires_grad=True)


def slope(function, x, direction, h=1e-6):
    return (function(x + h * direction) - function(x - h * direction)) / (2 * h)


# -- norms -----------------------------------------------------------------------------------------

ORDERS = [None, 0, 0.5, 1, 2, 3, np.inf, -np.inf]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


@pytest.mark.parametrize("ord", ORDERS)
def test_norms_of_the_zero_vector_have_gradient_zero(ord):
    np.testing.assert_array_equal(grad(lambda x: linalg.norm(x, ord))(np.zeros(3)), np.zeros(3))
    np.testing.assert_array_equal(
        grad(lambda x: linalg.norm(x, ord) ** 2)(np.zeros(3)), np.zeros(3)
    )


@pytest.mark.parametrize("ord", MATRIX_ORDERS)
def test_norms_of_the_zero_matrix_have_gradient_zero(ord):
    zero = np.zeros((2, 3))
    np.testing.assert_array_equal(grad(lambda x: linalg.norm(x, ord))(zero), zero)


def test_zero_rows_leave_the_gradients_of_other_rows_alone():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    for keepdims in (False, True):
        g = grad(lambda x, k=keepdims: linalg.norm(x, axis=1, keepdims=k).sum())(x)
        np.testing.assert_allclose(g, [[0, 0], [0.6, 0.8]])


def test_the_second_derivative_of_a_norm_at_zero_is_zero_not_nan():
    np.testing.assert_array_equal(hessian(linalg.norm)(np.zeros(2)), np.zeros((2, 2)))


def test_zero_elements_of_a_norm_below_one_have_gradient_zero():
    g = grad(lambda x: linalg.norm(x, 0.5))(np.array([0.0, 4.0]))
    np.testing.assert_allclose(g, [0.0, 1.0])


def test_the_largest_elements_of_an_infinity_norm_share_the_gradient():
    x = np.array([3.0, -3.0, 1.0])
    np.testing.assert_allclose(grad(lambda x: linalg.norm(x, np.inf))(x), [0.5, -0.5, 0.0])
    np.testing.assert_allclose(grad(lambda x: linalg.norm(x, -np.inf))(x), [0.0, 0.0, 1.0])


def test_equal_singular_values_share_the_gradient_of_the_spectral_norm():
    np.testing.assert_allclose(grad(lambda x: linalg.norm(x, 2))(np.eye(2)), np.eye(2) / 2)
    np.testing.assert_allclose(grad(lambda x: linalg.norm(x, "nuc"))(np.eye(2)), np.eye(2))


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (("nuc", 0), ValueError, "wanted a number as norm of vectors, got 'nuc'"),
        ((3, (0, 1)), ValueError, "wanted a matrix norm None, 'fro', .* got 3"),
        ((2, (0, 0)), ValueError, "wanted two different axes, got 0 twice"),
        ((2, "a"), (TypeError, ValueError), "axis|invalid literal"),
    ],
)
def test_norm_names_what_is_wrong(arguments, error, message):
    with pytest.raises(error, match=message):
        linalg.norm(leaf(2, 2), *arguments)


@pytest.mark.parametrize("ord", [2, "fro"])
def test_norm_of_three_axes_asks_for_axes(ord):
    with pytest.raises(ValueError, match=rf"norm: wanted .* for ord={ord!r}, got 3 axes"):
        linalg.norm(leaf(2, 2, 2), ord)


# -- determinants ----------------------------------------------------------------------------------


def test_the_gradient_of_det_at_a_singular_matrix_is_the_cofactor_matrix():
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(grad(linalg.det)(a), [[4, -2], [-2, 1]], atol=1e-14)
    np.testing.assert_array_equal(grad(linalg.det)(np.zeros((3, 3))), np.zeros((3, 3)))
    np.testing.assert_array_equal(grad(linalg.det)(np.zeros((1, 1))), [[1.0]])


def test_the_second_derivative_of_det_is_right_at_singular_matrices():
    exact = np.zeros((2, 2, 2, 2))
    exact[0, 0, 1, 1] = exact[1, 1, 0, 0] = 1
    exact[0, 1, 1, 0] = exact[1, 0, 0, 1] = -1
    for a in ([[1.0, 2.0], [2.0, 4.0]], np.zeros((2, 2)), [[1.0, 2.0], [3.0, 4.0]]):
        np.testing.assert_allclose(hessian(linalg.det)(np.array(a)), exact, atol=1e-12)


def test_one_singular_matrix_in_a_stack_does_not_spoil_the_others():
    stack = np.stack([np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([[1.0, 2.0], [3.0, 5.0]])])
    g = grad(lambda a: linalg.det(a).sum())(stack)
    np.testing.assert_allclose(g, [[[4, -2], [-2, 1]], [[5, -3], [-2, 1]]], rtol=1e-13)


def test_det_survives_the_underflow_of_its_own_value():
    a = 1e-200 * np.eye(2)
    np.testing.assert_allclose(grad(linalg.det)(a), a, rtol=1e-12)


def test_the_gradient_of_det_is_accurate_at_badly_conditioned_matrices():
    a = np.array([[1.0, 2.0], [2.0, 4.0 + 1e-13]])
    exact = [[a[1, 1], -2.0], [-2.0, 1.0]]
    np.testing.assert_allclose(grad(linalg.det)(a), exact, rtol=1e-14)


def test_slogdet_of_a_singular_matrix_raises_numpys_error_in_backward():
    out = linalg.slogdet(Variable(np.ones((2, 2)), requires_grad=True))
    assert out.logabsdet.data == -np.inf
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        out.logabsdet.backward()


def test_a_singular_matrix_whose_logarithm_is_not_taken_is_no_error():
    stack = np.stack([np.ones((2, 2)), 2 * np.eye(2)])

    def f(a):
        sign, log = linalg.slogdet(a)
        return autograd.where(sign.data == 0, 0.0, log).sum()

    with np.errstate(all="ignore"):
        np.testing.assert_allclose(grad(f)(stack), [np.zeros((2, 2)), np.eye(2) / 2])


# -- symmetric matrices ----------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["lower", "upper"])
def test_the_gradient_of_cholesky_is_symmetric_and_right_along_symmetric_directions(part):
    a = random(3, 3)
    a = a @ a.T + np.eye(3)
    weights = random(3, 3, seed=1)
    direction = random(3, 3, seed=2)
    direction = direction + direction.T

    def f(a):
        return (linalg.cholesky(a, upper=part == "upper") * weights).sum()

    g = grad(f)(a)
    np.testing.assert_array_equal(g, g.T)
    np.testing.assert_allclose(np.sum(g * direction), slope(f, a, direction), rtol=1e-7)


@pytest.mark.parametrize("triangle", ["L", "U"])
def test_the_gradient_of_eigh_is_symmetric_whichever_triangle_is_read(triangle):
    a = np.diag([1.0, 2.0, 4.0]) + 0.3
    weights = random(3, 3, seed=1)
    direction = random(3, 3, seed=2)
    direction = direction + direction.T

    def f(a):
        w, v = linalg.eigh(a, triangle)
        return (w**3).sum() + (v**2 * weights).sum()

    g = grad(f)(a)
    np.testing.assert_allclose(g, g.T, rtol=1e-14)
    np.testing.assert_allclose(np.sum(g * direction), slope(f, a, direction), rtol=1e-7)


# -- degenerate spectra ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        lambda a: linalg.eigh(a).eigenvalues,
        linalg.eigvalsh,
        linalg.eigvals,
        linalg.svdvals,
        lambda a: linalg.svd(a).S,
    ],
)
def test_sums_of_equal_values_have_their_gradient_without_a_warning(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = grad(lambda a: values(a).sum())(np.eye(3))
    np.testing.assert_allclose(g, np.eye(3), atol=1e-14)


@pytest.mark.parametrize(
    "name, vectors",
    [
        ("eigh", lambda a: linalg.eigh(a).eigenvectors),
        ("svd", lambda a: linalg.svd(a).U),
        ("eig", lambda a: linalg.eig(a).eigenvectors),
    ],
)
def test_vectors_of_equal_values_warn_and_have_a_finite_gradient(name, vectors):
    with pytest.warns(RuntimeWarning, match=rf"linalg\.{name}: the gradient of vectors of equal"):
        g = grad(lambda a: (vectors(a) * random(3, 3)).sum())(np.eye(3))
    assert np.all(np.isfinite(g))


def test_only_the_equal_pair_is_left_out():
    a = np.diag([1.0, 1.0, 3.0])
    weights = random(3, 3)
    # The projection onto the eigenspace of the equal pair is determined, and so is its gradient.
    direction = random(3, 3, seed=1)
    direction = direction + direction.T

    def f(a):
        v = linalg.eigh(a).eigenvectors[:, :2]
        return (v @ v.T * weights).sum()

    with pytest.warns(RuntimeWarning, match="equal eigenvalues"):
        g = grad(f)(a)
    np.testing.assert_allclose(np.sum(g * direction), slope(f, a, direction), rtol=1e-7)


def test_values_that_are_equal_up_to_rounding_are_equal():
    q, _ = np.linalg.qr(random(3, 3))
    a = q @ np.diag([1.0, 1.0, 3.0]) @ q.T
    gap = np.diff(np.linalg.eigvalsh(a))[0]
    assert 0 < gap < 1e-14
    with pytest.warns(RuntimeWarning, match="equal eigenvalues"):
        g = grad(lambda a: (linalg.eigh(a).eigenvectors * random(3, 3)).sum())(a)
    assert np.abs(g).max() < 100


def test_zero_singular_values_of_a_rank_deficient_matrix_keep_vectors_finite():
    a = np.outer([1.0, 2.0, 3.0], [1.0, -1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        g = grad(lambda a: (linalg.svd(a, full_matrices=False).U ** 3).sum())(a)
    assert np.all(np.isfinite(g))


def test_a_defective_matrix_raises_numpys_error_in_backward():
    out = linalg.eigvals(Variable([[1.0, 1.0], [0.0, 1.0]], requires_grad=True))
    with np.errstate(all="ignore"):
        try:
            out.sum().backward()
        except np.linalg.LinAlgError as error:
            assert "ingular" in str(error)  # noqa: PT017 - LAPACK may round and succeed


# -- factors ---------------------------------------------------------------------------------------


def test_qr_names_the_modes_it_has():
    with pytest.raises(ValueError, match="qr: wanted mode 'reduced', 'complete' or 'r', got 'raw'"):
        linalg.qr(leaf(3, 2), "raw")


def test_qr_of_dependent_columns_raises_numpys_error_in_backward():
    q, _ = linalg.qr(Variable(np.zeros((3, 2)), requires_grad=True))
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        q.sum().backward()


def test_results_have_numpys_names():
    a = leaf(3, 3)
    assert linalg.eigh(a)._fields == np.linalg.eigh(a.data)._fields
    assert linalg.eig(a)._fields == np.linalg.eig(a.data)._fields
    assert linalg.svd(a)._fields == np.linalg.svd(a.data)._fields
    assert linalg.qr(a)._fields == np.linalg.qr(a.data)._fields
    assert linalg.slogdet(a)._fields == np.linalg.slogdet(a.data)._fields


def test_outputs_that_nothing_uses_cost_no_singular_vectors(monkeypatch):
    """The gradient of singular values alone does not invert gaps between them."""
    a = leaf(3, 3)
    s = linalg.svd(a).S
    monkeypatch.setattr("autograd.linalg._spectral.inverse_gaps", None)
    s.sum().backward()
    u, _, vh = np.linalg.svd(a.data)
    np.testing.assert_allclose(a.grad, u @ vh, rtol=1e-12, atol=1e-13)


# -- equations -------------------------------------------------------------------------------------


def test_numpys_spelling_is_recorded_for_every_name_of_numpys_namespace():
    missing = [
        name for name in np.linalg.__all__ if name != "LinAlgError" and not hasattr(linalg, name)
    ]
    assert missing == []


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "eigh", "eigvals"])
def test_matrices_that_are_not_square_raise_numpys_error(name):
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        getattr(np.linalg, name)(leaf(2, 3))


def test_a_singular_system_raises_numpys_error():
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        linalg.solve(Variable(np.ones((2, 2)), requires_grad=True), np.ones(2))
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        linalg.cholesky(Variable(-np.eye(2), requires_grad=True))


def test_matrix_rank_is_plain():
    assert linalg.matrix_rank(leaf(3, 2)) == 2
    assert not isinstance(linalg.matrix_rank(leaf(3, 2)), Variable)


def test_lstsq_returns_a_plain_rank_and_differentiates_the_rest():
    x, residuals, rank, s = linalg.lstsq(leaf(4, 2), random(4, seed=1))
    assert rank == 2
    assert not isinstance(rank, Variable)
    assert x.requires_grad
    assert residuals.requires_grad
    assert s.requires_grad


def test_solve_shares_one_solution_between_its_operands(monkeypatch):
    a, b = leaf(3, 3), leaf(3, seed=1)
    out = linalg.solve(a, b)
    count = []
    original = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda *args: count.append(1) or original(*args))
    out.sum().backward()
    assert len(count) == 1


def test_matrix_power_zero_is_the_identity_with_gradient_zero():
    a = leaf(2, 2)
    out = linalg.matrix_power(a, 0)
    out.sum().backward()
    np.testing.assert_array_equal(out.data, np.eye(2))
    np.testing.assert_array_equal(a.grad, np.zeros((2, 2)))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: linalg.matrix_power(leaf(2, 3), 2), "matrix_power: wanted square matrices"),
        (lambda: linalg.cond(np.zeros((0, 2))), "cond: wanted matrices that are not empty"),
        (lambda: linalg.tensorsolve(leaf(2, 3), leaf(2)), r"tensorsolve: wanted an array of 3\^2"),
        (lambda: linalg.multi_dot([leaf(2, 2), leaf(2), leaf(2, 2)]), "multi_dot: wanted matrices"),
        (lambda: linalg.sqrtm(-np.eye(2)), "sqrtm: wanted matrices without eigenvalues at 0"),
    ],
)
def test_errors_of_linear_algebra_are_numpys_and_named(call, message):
    with pytest.raises(np.linalg.LinAlgError, match=message), np.errstate(all="ignore"):
        call()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: linalg.multi_dot([leaf(2, 2)]), "multi_dot: wanted at least two arrays, got 1"),
        (lambda: linalg.tensorinv(leaf(2, 2), 0), "tensorinv: wanted a positive number of axes"),
        (lambda: linalg.outer(leaf(2, 2), leaf(2)), "outer: wanted two vectors, got shapes"),
        (lambda: linalg.trace(leaf(2)), r"trace: wanted matrices \(..., m, n\), got shape"),
        (lambda: linalg.solve_triangular(leaf(2, 2), leaf(2), trans=3), "wanted trans 0, 1 or 2"),
        (lambda: linalg.solve_banded((1, 1), leaf(2, 3), leaf(3)), "wanted 1 [+] 1 [+] 1 rows"),
        (lambda: linalg.solve_sylvester(leaf(2, 2), leaf(3, 3), leaf(3, 2)), "wanted q of shape"),
    ],
)
def test_other_errors_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_multi_dot_takes_the_cheapest_order():
    arrays = [random(*shape) for shape in [(2, 50), (50, 3), (3, 40), (40, 1)]]
    best = contractions._splits([2, 50, 3, 40, 1])
    # A (B (C D)) takes 120 + 150 + 100 products, (A B) (C D) 300 + 120 + 6.
    assert best[0, 3] == 0
    assert best[1, 3] == 1
    np.testing.assert_allclose(linalg.multi_dot(arrays), np.linalg.multi_dot(arrays), rtol=1e-12)


def test_solve_triangular_does_not_read_the_other_triangle():
    a = np.array([[2.0, np.nan], [1.0, 4.0]])
    v = Variable(a, requires_grad=True)
    x = linalg.solve_triangular(v, np.array([2.0, 5.0]), lower=True)
    np.testing.assert_allclose(x.data, [1.0, 1.0])
    x.sum().backward()
    assert v.grad[0, 1] == 0
    assert np.all(np.isfinite(v.grad))


# -- functions of matrices -------------------------------------------------------------------------


def test_expm_of_a_rotation_and_of_large_matrices():
    angle = 0.3
    turn = linalg.expm(np.array([[0.0, -angle], [angle, 0.0]]))
    exact = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    np.testing.assert_allclose(turn, exact, rtol=1e-14)
    v = random(4, 4)
    d = np.array([-30.0, -3.0, 1.0, 5.0])
    a = v @ np.diag(d) @ np.linalg.inv(v)
    exact = v @ np.diag(np.exp(d)) @ np.linalg.inv(v)
    np.testing.assert_allclose(linalg.expm(a), exact, rtol=1e-10, atol=1e-9)
    identities = np.broadcast_to(np.eye(3), (2, 3, 3))
    np.testing.assert_allclose(linalg.expm(np.zeros((2, 3, 3))), identities, rtol=1e-15)


@pytest.mark.parametrize("size", [1e-200, 1e-12, 1e12, 1e200])
def test_derivatives_of_expm_and_sqrtm_have_their_digits_for_cotangents_of_any_size(size):
    a = 6 * random(3, 3)
    for fn, x in ((linalg.expm, a), (linalg.sqrtm, a @ a.T + np.eye(3))):
        _, pull = autograd.vjp(fn, x)
        g = random(3, 3, seed=1)
        np.testing.assert_allclose(pull(size * g)[0] / size, pull(g)[0], rtol=1e-11, atol=0)


def test_expm_and_sqrtm_equal_scipys():
    scipy_linalg = pytest.importorskip("scipy.linalg")
    for seed in range(5):
        a = 3 * random(5, 5, seed=seed)
        np.testing.assert_allclose(linalg.expm(a), scipy_linalg.expm(a), rtol=1e-9, atol=1e-9)
        p = a @ a.T + 1e-3 * np.eye(5)
        np.testing.assert_allclose(linalg.sqrtm(p), scipy_linalg.sqrtm(p), rtol=1e-8, atol=1e-8)


def test_solvers_equal_scipys():
    scipy_linalg = pytest.importorskip("scipy.linalg")
    a, b, q = random(3, 3), random(2, 2, seed=1), random(3, 2, seed=2)
    np.testing.assert_allclose(
        linalg.solve_sylvester(a, b, q), scipy_linalg.solve_sylvester(a, b, q), rtol=1e-9
    )
    for kwargs in ({"lower": True}, {"trans": "T"}, {"unit_diagonal": True, "lower": True}):
        np.testing.assert_allclose(
            linalg.solve_triangular(a, q, **kwargs),
            scipy_linalg.solve_triangular(a, q, **kwargs),
            rtol=1e-9,
        )
    ab = random(4, 5, seed=3) + np.array([[0.0], [0.0], [9.0], [0.0]])
    np.testing.assert_allclose(
        linalg.solve_banded((1, 2), ab, np.ones(5)),
        scipy_linalg.solve_banded((1, 2), ab, np.ones(5)),
        rtol=1e-10,
    )


# -- complex numbers -------------------------------------------------------------------------------


def _hermitian(x):
    return (x + x.conj().swapaxes(-1, -2)) / 2


def _loss(y, w):
    """Return a real function of a complex matrix that is not symmetric in it."""
    return (abs(y) ** 2).sum() + (y * w).real.sum()


def _phaseless(u, s, vh, w):
    return s.sum() + (abs(u) ** 4).sum() + (abs(vh) ** 4).sum() + _loss(u * s**2 @ vh, w)


COMPLEX = {
    "inv": lambda la, a, w: _loss(la.inv(a), w),
    "det": lambda la, a, w: abs(la.det(a) * (1 + 2j) + 1),
    "slogdet": lambda la, a, w: (la.slogdet(a)[0] * (1 + 2j)).real + 3 * la.slogdet(a)[1],
    "pinv": lambda la, a, w: _loss(la.pinv(a[:, :2]), w[:2]),
    "solve": lambda la, a, w: _loss(la.solve(a, w), w),
    "cholesky": lambda la, a, w: _loss(la.cholesky(_hermitian(a @ a.conj().swapaxes(-1, -2))), w),
    "qr": lambda la, a, w: (
        _loss(abs(la.qr(a[:, :2])[0]), w[:, :2]) + _loss(abs(la.qr(a[:, :2])[1]), w[:2, :2])
    ),
    "eigh": lambda la, a, w: (
        la.eigh(_hermitian(a))[0][1] ** 3 + (abs(la.eigh(_hermitian(a))[1]) ** 4).sum()
    ),
    "eig": lambda la, a, w: abs(la.eig(a)[0]).sum() + (abs(la.eig(a)[1]) ** 4).sum(),
    "svd": lambda la, a, w: _phaseless(*la.svd(a, full_matrices=False), w),
    "svd of a tall matrix": lambda la, a, w: _phaseless(
        *la.svd(a[:, :2], full_matrices=False), w[:, :2]
    ),
    "svd of a wide matrix": lambda la, a, w: _phaseless(*la.svd(a[:2], full_matrices=False), w[:2]),
    "norms": lambda la, a, w: (
        la.matrix_norm(a, ord="nuc")
        + la.matrix_norm(a, ord=2)
        + la.matrix_norm(a, ord=1)
        + la.matrix_norm(a, ord="fro")
    ),
}


@pytest.mark.torch
@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", COMPLEX)
def test_gradients_follow_pytorchs_convention(name, kind):
    torch = pytest.importorskip("torch")
    a = random(3, 3) + np.diag([1.0, 2.0, 4.0])
    w = random(3, 3, seed=2) + 1j * random(3, 3, seed=3)
    if kind == "complex":
        a = a + 0.5j * random(3, 3, seed=1)
    else:
        w = w.real.copy()
    v = Variable(a, requires_grad=True)
    t = torch.tensor(a, requires_grad=True)
    theirs = COMPLEX[name](torch.linalg, t, torch.tensor(w))
    ours = COMPLEX[name](linalg, v, w)
    np.testing.assert_allclose(float(ours.data), float(theirs.detach()), rtol=1e-10)
    ours.backward()
    theirs.backward()
    np.testing.assert_allclose(v.grad, t.grad.numpy(), rtol=1e-9, atol=1e-10)


def test_a_chain_of_decompositions_has_the_gradient_of_the_identity():
    """What U S Vh, Q R, L L^H and V w V^-1 multiply back to is the matrix itself."""
    a = random(3, 3) + 3 * np.eye(3)
    weights = random(3, 3, seed=1)

    def from_svd(a):
        u, s, vh = linalg.svd(a)
        return u * s @ vh

    def from_qr(a):
        q, r = linalg.qr(a)
        return q @ r

    def from_eig(a):
        w, v = linalg.eig(a)
        return (v * w @ linalg.inv(v)).real

    def from_cholesky(a):
        c = linalg.cholesky(a @ a.T)
        return c @ c.T

    for product in (
        from_svd,
        from_qr,
        from_eig,
        lambda a: linalg.inv(linalg.inv(a)),
        lambda a: linalg.pinv(linalg.pinv(a)),
        lambda a: linalg.solve(linalg.inv(a), np.eye(3)),
        lambda a: linalg.sqrtm(a @ a),
    ):
        g = grad(lambda a, p=product: (p(a) * weights).sum())(a)
        np.testing.assert_allclose(g, weights, rtol=1e-8, atol=1e-9)
    g = grad(lambda a: (from_cholesky(a) * weights).sum())(a)
    wanted = grad(lambda a: (a @ a.T * weights).sum())(a)
    np.testing.assert_allclose(g, wanted, rtol=1e-8, atol=1e-9)


def test_float32_stays_float32_through_numpys_spelling():
    a = Variable(np.eye(3, dtype=np.float32) * 2, requires_grad=True)
    for out in (np.linalg.inv(a), np.linalg.norm(a), np.linalg.solve(a, a), np.linalg.svdvals(a)):
        assert out.dtype == np.float32
    assert autograd.linalg.cond(a).dtype == np.float32


def test_the_square_root_of_an_empty_matrix_is_empty():
    for shape in ((0, 0), (3, 0, 0), (0, 2, 2)):
        x = np.zeros(shape)
        assert linalg.sqrtm(x).shape == shape
        assert grad(lambda x: linalg.sqrtm(x).sum())(x).shape == shape


@pytest.mark.parametrize("x, y", [(1e5, 1.0), (1e7, 1.0), (1e8, 1.0)])
def test_the_second_derivative_of_a_norm_keeps_the_digits_of_smaller_elements(x, y):
    found = autograd.hessian(linalg.norm)(np.array([x, y]))
    np.testing.assert_allclose(
        found, np.array([[y * y, -x * y], [-x * y, x * x]]) / x**3, rtol=1e-9
    )


def test_the_second_derivative_of_a_norm_of_numbers_of_unlike_size_is_no_nan():
    x = np.array([1e200, 1e-200])
    with np.errstate(all="ignore"):
        for order in (1.5, 2, 3):
            found = autograd.hessian(lambda x: linalg.norm(x / 1e200, order))(x)  # noqa: B023
            assert not np.isnan(found).any()
            assert not np.isnan(autograd.hessian(lambda x: linalg.norm(x, order))(x)).any()  # noqa: B023


@pytest.mark.parametrize("lower", [False, True])
def test_cholesky_factors_for_solving_are_those_of_scipy(lower):
    scipy_linalg = pytest.importorskip("scipy.linalg")
    rng = np.random.default_rng(3)
    a = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    a = a @ a.conj().T + np.eye(3)
    c, side = linalg.cho_factor(a, lower)
    theirs = scipy_linalg.cho_factor(a, lower)
    triangle = np.tril if lower else np.triu
    np.testing.assert_allclose(c, triangle(theirs[0]))
    assert side is lower
    for b in (rng.normal(size=3), rng.normal(size=(3, 2))):
        # What the other triangle holds is not read.
        np.testing.assert_allclose(linalg.cho_solve(theirs, b), scipy_linalg.cho_solve(theirs, b))


def test_cho_solve_wants_what_cho_factor_returns():
    with pytest.raises(TypeError, match=r"wanted what cho_factor returns.*cho_solve\(cho_factor"):
        linalg.cho_solve(np.eye(3), np.ones(3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_singular_matrices_among_others_leave_these_their_inverses(dtype):
    a = np.random.default_rng(0).normal(size=(2, 3, 3, 3)).astype(dtype)
    a[0, 1, 2], a[1, 2] = a[0, 1, 1], 0.0
    found = autograd.grad(lambda a: np.real(np.linalg.det(a)).sum())(a)
    assert found.dtype == dtype
    for index in np.ndindex(2, 3):
        alone = autograd.grad(lambda a: np.real(np.linalg.det(a)))(a[index])
        np.testing.assert_allclose(found[index], alone, rtol=1e-5, atol=1e-6)
