"""Sparse matrices of SciPy times Variables: against dense ones."""

import numpy as np
import pytest

import autograd
from autograd import Variable, grad, linalg

sparse = pytest.importorskip("scipy.sparse")

RNG = np.random.default_rng(0)
DENSE = np.where(RNG.random((4, 4)) < 0.5, RNG.normal(size=(4, 4)), 0) + 3 * np.eye(4)
FORMATS = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("format", FORMATS)
def test_products_from_both_sides_with_every_format(kind, format):
    S = kind(DENSE).asformat(format)
    x, X = RNG.normal(size=4), RNG.normal(size=(4, 3))
    for product, argument in (
        (lambda M, x: M @ x, x),
        (lambda M, x: M @ x, X),
        (lambda M, x: x @ M, x),
        (lambda M, x: x.T @ M, X),
        (lambda M, x: M.dot(x) if M is S and format != "coo" else M @ x, x),
        (lambda M, x: M @ (M.T @ x), x),
    ):
        result = product(S, Variable(argument, requires_grad=True))
        assert type(result) is Variable
        np.testing.assert_allclose(result.data, product(DENSE, argument))
        got, wanted = (
            grad(lambda x, M=M, f=product: (f(M, x) ** 3).sum())(argument) for M in (S, DENSE)
        )
        np.testing.assert_allclose(got, wanted)


def test_complex_and_single_precision():
    complex_matrix = DENSE + 1j * DENSE.T
    v = RNG.normal(size=4) + 1j * RNG.normal(size=4)
    for S, M in (
        (sparse.csr_array(complex_matrix), complex_matrix),
        (sparse.csr_array(DENSE), DENSE),
    ):
        for ours, theirs in (
            (lambda x, S=S: S @ x, lambda x, M=M: M @ x),
            (lambda x, S=S: linalg.spsolve(S, x), lambda x, M=M: linalg.solve(M, x)),
        ):
            for x in (v, v.real):
                got, wanted = (
                    grad(lambda x, f=f: (abs(f(x)) ** 2).sum())(x) for f in (ours, theirs)
                )
                np.testing.assert_allclose(got, wanted)
    single = sparse.csr_array(DENSE.astype(np.float32))
    x = Variable(v.real.astype(np.float32), requires_grad=True)
    assert (single @ x).dtype == linalg.spsolve(single, x).dtype == np.float32
    mixed = linalg.spsolve(single, v.real)
    np.testing.assert_allclose(mixed, np.linalg.solve(DENSE, v.real), rtol=1e-5)
    assert mixed.dtype == np.float64
    integers = sparse.csr_array(np.array([[2, 0], [1, 4]]))
    np.testing.assert_allclose(linalg.spsolve(integers, [2, 5]), [1, 1])


def test_the_stored_elements_get_gradients_in_every_format_that_lists_them():
    b = RNG.normal(size=4)

    def dense(S):
        return grad(lambda M: (linalg.solve(M, b) ** 2).sum() + (M @ b).sum())(S.toarray())

    for format in ("csr", "csc", "coo"):
        S = sparse.coo_array(DENSE).asformat(format)

        def loss(data, S=S):
            return (linalg.spsolve(S, b, data) ** 2).sum() + linalg.sparse_matmul(S, b, data).sum()

        places = S.tocoo()
        np.testing.assert_allclose(grad(loss)(S.data), dense(S)[places.row, places.col])


def test_the_backward_pass_uses_the_factors_again(monkeypatch):
    import scipy.sparse.linalg

    made = []
    splu = scipy.sparse.linalg.splu
    monkeypatch.setattr(scipy.sparse.linalg, "splu", lambda A: made.append(A) or splu(A))
    S = sparse.csr_array(DENSE)
    autograd.hessian(lambda b: (linalg.spsolve(S, b, S.data) ** 4).sum())(np.ones(4))
    assert len(made) == 1


def test_results_without_a_gradient_and_refusals():
    S = sparse.csr_array(DENSE)
    v = Variable(np.ones(4), requires_grad=True)
    with autograd.no_grad():
        assert not (S @ v).requires_grad
    np.testing.assert_array_equal(np.asarray(S @ v.detach()), DENSE @ np.ones(4))
    with pytest.raises(TypeError, match="wanted a Variable without a gradient"):
        np.asarray(v)


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (lambda S, v: S @ v[:3], ValueError, r"wanted shapes .* got \(4, 4\) and \(3,\)"),
        (lambda S, v: linalg.spsolve(S[:2], v), np.linalg.LinAlgError, "wanted a square matrix"),
        (lambda S, v: linalg.spsolve(S, v[:3]), ValueError, r"got \(4, 4\) and \(3,\)"),
        (lambda S, v: linalg.spsolve(DENSE, v), TypeError, "wanted a sparse matrix.*got ndarray"),
        (
            lambda S, v: linalg.sparse_matmul(S, v, v),
            ValueError,
            r"wanted data of shape \(\d+,\), one number for each stored element, got \(4,\)",
        ),
        (
            lambda S, v: linalg.sparse_matmul(S.todia(), v, v),
            TypeError,
            r"wanted data= for a matrix in the format csr, csc or coo, got dia; write A.tocsr",
        ),
        (
            lambda S, v: linalg.spsolve(0 * S, v),
            np.linalg.LinAlgError,
            "wanted a regular matrix.*singular",
        ),
        (
            lambda S, v: sparse.linalg.spsolve(S, v),
            TypeError,
            r"write matrix @ x, or autograd.linalg.spsolve\(matrix, x\)",
        ),
        (lambda S, v: v @ object(), TypeError, "matmul: wanted an array or a number"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(call, error, sentence):
    import scipy.sparse.linalg  # noqa: F401 - sparse.linalg

    with pytest.raises(error, match=sentence):
        call(sparse.csr_array(DENSE), Variable(np.ones(4), requires_grad=True))
