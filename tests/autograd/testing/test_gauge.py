"""Gauge-invariant forms of decompositions."""

import numpy as np
import pytest

import autograd
from autograd.testing import check_gradients, gauge_invariant


def turned(decompose, signs):
    """A decomposition with other signs of its vectors, as another library might return."""

    def fn(a):
        w, v = decompose(a)
        return w, v * signs

    return fn


def test_signs_of_eigenvectors_do_not_matter(rng):
    a = rng.normal(size=(3, 3))
    a = a + a.T
    one = gauge_invariant(np.linalg.eigh)(a)
    two = gauge_invariant(turned(np.linalg.eigh, [1, -1, -1]), kind="eigh")(a)
    for x, y in zip(one, two, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-12)


def test_phases_of_complex_singular_vectors_do_not_matter(rng):
    a = rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2))
    u, s, vh = np.linalg.svd(a)
    phases = np.exp(1j * np.array([0.3, 2.0]))

    def other(a):
        return u[:, :2] * phases, s, phases.conj()[:, None] * vh

    one, two = gauge_invariant(np.linalg.svd)(a), gauge_invariant(other, kind="svd")(a)
    for x, y in zip(one, two, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-12)


def test_eigenvalues_come_in_one_order(rng):
    a = rng.normal(size=(4, 4))
    w, v = np.linalg.eig(a)
    order = rng.permutation(4)
    one = gauge_invariant(np.linalg.eig)(a)
    two = gauge_invariant(lambda a: (w[order], v[:, order] * 2.0), kind="eig")(a)
    for x, y in zip(one, two, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-10)


def test_gradients_of_eigenvectors_can_be_checked(rng):
    a = rng.normal(size=(3, 3))
    a = a + a.T + np.diag([0.0, 4.0, 8.0])
    assert check_gradients(gauge_invariant(autograd.linalg.eigh), a, symmetric=True)


def test_an_unknown_decomposition_is_refused():
    with pytest.raises(ValueError, match="wanted kind 'eig', 'eigh' or 'svd', got 'qr'"):
        gauge_invariant(np.linalg.qr)
