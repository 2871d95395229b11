"""Piecewise functions: what each piece sees, constants, numbers, arrays alone."""

import numpy as np
import pytest

import autograd
from autograd import Variable, grad


def leaf(values):
    return Variable(np.array(values, dtype=float), requires_grad=True)


def test_a_piece_sees_only_its_own_elements():
    seen = []

    def root(v):
        seen.append(v.data.copy())
        return np.sqrt(v)

    x = leaf([-1.0, 4.0, 0.0, 9.0])
    np.piecewise(x, [x > 0], [root, 0.0]).sum().backward()
    np.testing.assert_array_equal(seen, [[4.0, 9.0]])
    np.testing.assert_allclose(x.grad, [0.0, 0.25, 0.0, 1 / 6])


def test_of_overlapping_pieces_the_last_one_counts():
    x = leaf([1.0, 2.0, 3.0])
    out = np.piecewise(x, [x > 0, x > 1.5], [lambda v: 2 * v, lambda v: v * v])
    np.testing.assert_array_equal(out.data, [2.0, 4.0, 9.0])
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0, 6.0])


def test_pieces_take_arguments_and_variables_of_their_own():
    w = leaf(3.0)
    x = np.array([-1.0, 2.0])
    out = autograd.piecewise(
        x, [x < 0, x >= 0], [lambda v, a, b: a * v, lambda v, a, b: b * v], w, b=5.0
    )
    np.testing.assert_array_equal(out.data, [-3.0, 10.0])
    out.sum().backward()
    assert w.grad == -1.0


@pytest.mark.parametrize("x", [-2.0, 0.5])
def test_pieces_of_a_number(x):
    value, slope = autograd.value_and_grad(
        lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda v: -v, lambda v: v * v])
    )(x)
    assert value == np.piecewise(x, [x < 0, x >= 0], [lambda v: -v, lambda v: v * v])
    assert slope == (-1.0 if x < 0 else 2 * x)


def test_pieces_that_are_constant_have_gradient_zero():
    g = grad(lambda x: np.piecewise(x, [x < 0], [-1.0, 1.0]).sum())(np.array([-2.0, 3.0]))
    np.testing.assert_array_equal(g, [0.0, 0.0])


def test_pieces_of_arrays_alone_are_numpys():
    x = np.arange(-2, 3)
    pieces = [lambda v: v * 0.6, 7]
    np.testing.assert_array_equal(
        autograd.piecewise(x, x < 0, pieces), np.piecewise(x, x < 0, pieces)
    )
    with pytest.raises(ValueError, match="piecewise: wanted 1 or 2 functions for 1 masks, got 3"):
        autograd.piecewise(leaf([1.0]), [[True]], [1, 2, 3])


def test_small_imaginary_parts_are_dropped_and_large_ones_kept():
    z = Variable(np.array([1.0 + 1e-15j, 2.0]), requires_grad=True)
    out = np.real_if_close(z)
    assert out.dtype == np.float64
    out.sum().backward()
    np.testing.assert_array_equal(z.grad, [1.0, 1.0])
    assert np.real_if_close(z + 1j).dtype == np.complex128
    x = leaf([1.0])
    assert np.real_if_close(x) is x
