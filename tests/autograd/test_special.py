"""The error function: gradients are in the op table; here accuracy and limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd import special


@pytest.mark.parametrize("name, units", [("erf", 5), ("erfc", 10)])
@given(x=hnp.arrays(np.float64, 50, elements=st.floats(-26, 26)))
def test_values_agree_with_the_c_library_to_a_few_units_in_the_last_place(name, units, x):
    wanted = np.array([getattr(math, name)(v) for v in x])
    error = np.abs(getattr(special, name)(x) - wanted)
    assert (error <= units * np.spacing(np.abs(wanted))).all()


@pytest.mark.parametrize("name, units", [("erf", 6), ("erfc", 10)])
@given(x=hnp.arrays(np.float32, 50, elements=st.floats(-9, 9, width=32)))
def test_float32_stays_float32_and_is_as_accurate(name, units, x):
    wanted = np.array([getattr(math, name)(v) for v in x])
    got = getattr(special, name)(x)
    assert got.dtype == np.float32
    error = np.abs(got.astype(np.float64) - wanted)
    assert (error <= units * np.spacing(np.abs(wanted).astype(np.float32))).all()


def test_limits():
    x = np.array([0.0, np.inf, -np.inf, np.nan, 1e300, -1e300])
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(special.erf(x), [0, 1, -1, np.nan, 1, -1])
        np.testing.assert_array_equal(special.erfc(x), [1, 0, 2, np.nan, 0, 2])


def test_shapes_and_other_dtypes():
    assert special.erf(np.zeros((2, 0))).shape == (2, 0)
    assert special.erf(np.ones(20_000)).shape == (20_000,)
    assert special.erf(np.array([1, 2])).dtype == np.float64
    assert special.erf(np.ones(2, np.float16)).dtype == np.float16
    assert special.erf(0.5) == pytest.approx(math.erf(0.5), rel=1e-15)
    with pytest.raises(TypeError, match="erf: wanted real numbers, got complex ones"):
        special.erf(np.array([1j]))
