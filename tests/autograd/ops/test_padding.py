"""Padding: what the op table does not say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable

MODES = [
    ("constant", {}),
    ("edge", {}),
    ("wrap", {}),
    ("reflect", {}),
    ("reflect", {"reflect_type": "odd"}),
    ("symmetric", {}),
    ("symmetric", {"reflect_type": "odd"}),
    ("linear_ramp", {"end_values": 2.0}),
    ("mean", {"stat_length": 2}),
    ("maximum", {}),
    ("minimum", {"stat_length": 1}),
]


@given(
    st.sampled_from(MODES),
    st.lists(st.integers(1, 4), min_size=1, max_size=2),
    st.data(),
)
def test_every_mode_pads_as_numpy_by_any_width(mode, shape, data):
    name, settings = mode
    width = data.draw(
        st.lists(
            st.tuples(st.integers(0, 6), st.integers(0, 6)),
            min_size=len(shape),
            max_size=len(shape),
        )
    )
    x = np.cos(np.arange(np.prod(shape))).reshape(shape)
    padded = autograd.pad(x, width, name, **settings)
    np.testing.assert_allclose(padded, np.pad(x, width, name, **settings), rtol=1e-12, atol=1e-12)
    v = Variable(x, requires_grad=True)
    np.pad(v, width, name, **settings).sum().backward()
    if name not in ("constant", "linear_ramp"):  # the others preserve a constant
        assert v.grad.sum() == pytest.approx(padded.size)


def test_widths_by_axis():
    x = np.ones((2, 3))
    np.testing.assert_array_equal(autograd.pad(x, {1: 2, 0: (0, 1)}), np.pad(x, ((0, 1), (2, 2))))
    np.testing.assert_array_equal(autograd.pad(x, {-1: 1}), np.pad(x, ((0, 0), (1, 1))))


def test_integers_are_rounded_as_in_numpy():
    x = np.array([1, 2, 4])
    for mode in ("mean", "median", "edge", "linear_ramp"):
        padded = autograd.pad(x, 2, mode)
        assert padded.dtype == int
        np.testing.assert_array_equal(padded, np.pad(x, 2, mode))


def test_constants_other_than_zero_get_no_gradient_and_say_so():
    x = Variable(np.ones(2), requires_grad=True)
    np.pad(x, 1, constant_values=(3.0, 4.0)).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])
    with pytest.raises(TypeError, match="pad: wanted operand 'constants' without a gradient"):
        autograd.pad(np.ones(2), 1, constant_values=x[0])


def test_what_numpy_refuses_is_refused_in_a_sentence():
    x = Variable(np.ones(2), requires_grad=True)
    with pytest.raises(ValueError, match=r"pad: wanted a mode among constant, .* got 'nonsense'"):
        autograd.pad(x, 1, "nonsense")
    with pytest.raises(
        ValueError, match="pad: wanted only keywords of mode 'edge', got stat_length"
    ):
        autograd.pad(x, 1, "edge", stat_length=1)
    with pytest.raises(ValueError, match="pad: wanted pad_width of at least 0"):
        autograd.pad(x, -1)
    with pytest.raises(TypeError, match="pad: wanted integers as pad_width, got 1.5"):
        autograd.pad(x, 1.5)
    with pytest.raises(ValueError, match="pad: wanted pad_width as a number, a pair or 1 pairs"):
        autograd.pad(x, (1, 2, 3))
    with pytest.raises(ValueError, match="pad: wanted elements to repeat along axis 0"):
        autograd.pad(x[:0], 1, "edge")
    with pytest.raises(ValueError, match="pad: wanted a stat_length of at least 1"):
        autograd.pad(x, 1, "mean", stat_length=0)


def test_what_numpy_leaves_undefined_is_zero_here():
    x = Variable(np.ones((2, 2)), requires_grad=True)
    padded = np.pad(x, 1, mode="empty")
    np.testing.assert_array_equal(padded.data, np.pad(x.data, 1))
    padded.sum().backward()
    np.testing.assert_array_equal(x.grad, np.ones((2, 2)))
