"""Sorting, medians and quantiles: order of ties, nan, NumPy's own values, what is refused."""

import warnings

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable

METHODS = [
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]
WITH_TIES = st.sampled_from([-1.5, 0.0, 0.1, 2.0, 7.0, np.nan])


def arrays(elements=WITH_TIES, min_dims=1):
    shapes = hnp.array_shapes(min_dims=min_dims, max_dims=3, max_side=6)
    return hnp.arrays(float, shapes, elements=elements)


def leaf(values, dtype=float):
    return Variable(np.array(values, dtype=dtype), requires_grad=True)


def gradient(function, x):
    """Return the gradient of a weighted sum of the results at `x`."""
    v = leaf(x)
    out = function(v)
    out.backward(np.arange(1.0, out.size + 1).reshape(out.shape))
    return v.grad


# -- sort and partition ----------------------------------------------------------------------------


@given(arrays(), st.data())
def test_sorting_gives_the_values_of_numpy_with_nan_last(x, data):
    axis = data.draw(st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1)))
    np.testing.assert_array_equal(np.sort(leaf(x), axis=axis).data, np.sort(x, axis=axis))


@given(arrays(), st.data())
def test_partitions_put_the_named_elements_in_their_sorted_places(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    n = x.shape[axis]
    kth = data.draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=3))
    out = np.partition(leaf(x), kth, axis=axis).data
    ordered = np.sort(x, axis=axis)
    np.testing.assert_array_equal(out.take(kth, axis), ordered.take(kth, axis))
    np.testing.assert_array_equal(np.sort(out, axis=axis), ordered)


def test_equal_elements_keep_the_order_of_argsort():
    x = [1.0, 0.0, 1.0, 0.0]
    np.testing.assert_array_equal(
        gradient(lambda v: np.sort(v, kind="stable"), x), [3.0, 1.0, 4.0, 2.0]
    )
    order = np.argsort(x)
    np.testing.assert_array_equal(gradient(np.sort, x)[order], [1.0, 2.0, 3.0, 4.0])


def test_elements_that_are_nan_get_the_gradients_of_the_last_places():
    np.testing.assert_array_equal(gradient(np.sort, [np.nan, 2.0, 1.0]), [3.0, 2.0, 1.0])


def test_a_scalar_has_no_axis_to_sort():
    with pytest.raises(ValueError, match="sort: wanted an axis"):
        autograd.sort(leaf(1.0))


def test_an_order_of_fields_is_refused():
    with pytest.raises(TypeError, match="order"):
        np.sort(leaf([1.0, 2.0]), order="field")


def test_an_array_sorted_without_variables_stays_an_array():
    assert type(autograd.sort([2.0, 1.0])) is np.ndarray
    assert type(autograd.partition(np.array([2.0, 1.0]), 0)) is np.ndarray
    assert type(autograd.median([2.0, 1.0])) is np.float64


# -- medians ---------------------------------------------------------------------------------------


def test_the_two_middle_elements_share_the_gradient_of_a_median():
    np.testing.assert_array_equal(gradient(np.median, [4.0, 1.0, 3.0, 2.0]), [0.0, 0.0, 0.5, 0.5])
    np.testing.assert_array_equal(gradient(np.median, [4.0, 1.0, 3.0]), [0.0, 0.0, 1.0])


@given(arrays(st.sampled_from([-1.5, 0.0, 2.0, np.nan, np.inf, -np.inf])), st.data())
def test_medians_are_those_of_numpy_with_nan_and_infinities(x, data):
    axis = data.draw(st.one_of(st.none(), hnp.valid_tuple_axes(x.ndim, min_size=1)))
    keepdims = data.draw(st.booleans())
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore")
        for function in (np.median, np.nanmedian):
            out = function(leaf(x), axis=axis, keepdims=keepdims)
            wanted = function(x, axis=axis, keepdims=keepdims)
            np.testing.assert_array_equal(out.data, wanted, strict=True)


def test_a_nan_takes_the_gradient_of_its_median():
    np.testing.assert_array_equal(gradient(np.median, [1.0, np.nan, 3.0]), [0.0, 1.0, 0.0])


def test_nanmedian_gives_no_gradient_to_what_it_leaves_out():
    x = [[1.0, np.nan, 3.0, 2.0], [4.0, 1.0, 3.0, 2.0]]
    np.testing.assert_array_equal(
        gradient(lambda v: np.nanmedian(v, axis=1), x), [[0, 0, 0, 1], [0, 0, 1, 1]]
    )


@pytest.mark.parametrize("name", ["nanmedian", "nanquantile"])
def test_a_slice_of_nan_alone_warns_and_gives_nan(name):
    arguments = () if name == "nanmedian" else (0.5,)
    with pytest.warns(RuntimeWarning, match=f"{name}: All-NaN slice"):
        out = getattr(autograd, name)(leaf([[np.nan, np.nan], [1.0, 2.0]]), *arguments, axis=1)
    np.testing.assert_array_equal(out.data, [np.nan, 1.5])


def test_integers_have_medians_without_gradients():
    out = autograd.median(Variable(np.array([1, 2, 4, 3])))
    assert out.dtype == float
    assert out.item() == 2.5


# -- quantiles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@given(x=arrays(), data=st.data())
def test_quantiles_are_those_of_numpy_by_every_method(method, x, data):
    axis = data.draw(st.one_of(st.none(), hnp.valid_tuple_axes(x.ndim, min_size=1)))
    fractions = st.one_of(st.floats(0, 1), st.sampled_from([0, 0.25, 0.5, 0.75, 1]))
    q = data.draw(st.one_of(fractions, st.lists(fractions.map(float), min_size=1, max_size=4)))
    keywords = {"axis": axis, "keepdims": data.draw(st.booleans()), "method": method}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function in (np.quantile, np.nanquantile):
            out = function(leaf(x), q, **keywords)
            np.testing.assert_array_equal(out.data, function(x, q, **keywords), strict=True)


@pytest.mark.parametrize("q", [0.3, 1, np.float32(0.3), np.array(0.3), [0.3, 0.6]])
@pytest.mark.parametrize("method", ["linear", "lower", "midpoint", "averaged_inverted_cdf"])
def test_the_dtype_of_a_quantile_is_that_of_numpy(q, method):
    x = np.array([3.0, 1.0, 2.5, 7.0], np.float32)
    out = np.quantile(leaf(x, np.float32), q, method=method)
    want = np.quantile(x, q, method=method)
    assert (out.dtype, out.shape) == (want.dtype, want.shape)
    np.testing.assert_array_max_ulp(out.data, want, 1)  # NumPy 2.0 rounds the fractions otherwise


def test_neighbours_share_the_gradient_of_a_quantile_by_distance():
    np.testing.assert_allclose(
        gradient(lambda v: np.quantile(v, 0.3), [4.0, 1.0, 2.0]), [0.0, 0.4, 0.6]
    )
    np.testing.assert_array_equal(
        gradient(lambda v: np.percentile(v, 30, method="lower"), [4.0, 1.0, 2.0]), [0.0, 1.0, 0.0]
    )


def test_the_slope_of_a_quantile_is_the_distance_of_its_neighbours():
    x = np.array([0.0, 1.0, 5.0])
    q = leaf([0.1, 0.6, 0.0, 1.0])
    np.quantile(x, q).backward(np.ones(4))
    np.testing.assert_allclose(q.grad, [2.0, 8.0, 0.0, 0.0])


def test_fractions_have_no_gradient_by_methods_that_jump():
    q = leaf(0.4)
    out = np.quantile(leaf([1.0, 2.0, 4.0]), q, method="lower") + 0 * q
    out.backward()
    assert q.grad == 0.0


@pytest.mark.parametrize(
    "call,message",
    [
        (lambda x: np.quantile(x, 1.5), r"quantile: wanted q in \[0, 1\], got 1.5"),
        (lambda x: np.percentile(x, [50, 101]), r"percentile: wanted q in \[0, 100\]"),
        (lambda x: np.quantile(x, 0.5, method="best"), "best"),
        (lambda x: np.quantile(x, 0.5, axis=(0, 0)), "quantile: wanted each axis once"),
        (lambda x: np.quantile(x[:0], 0.5), "quantile: wanted at least one element"),
        (lambda x: np.median(x, axis=1), "median: wanted an axis in"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(leaf([1.0, 2.0, 3.0]))


def test_what_has_no_gradient_is_refused_by_name():
    x = leaf([1.0, 2.0])
    with pytest.raises(TypeError, match="quantile: wanted a call without weights="):
        np.quantile(x, 0.5, weights=[1.0, 2.0], method="inverted_cdf")
    with pytest.raises(TypeError, match="quantile: wanted real numbers"):
        np.quantile(x * 1j, 0.5)
    with pytest.raises(TypeError, match="without out="):
        np.median(x, out=np.empty(()))


def test_an_operand_is_not_overwritten():
    x = leaf([3.0, 1.0, 2.0])
    np.median(x, overwrite_input=True)
    np.quantile(x, 0.5, overwrite_input=True)
    np.testing.assert_array_equal(x.data, [3.0, 1.0, 2.0])


def test_a_single_slice_with_nan_has_a_quantile():
    out = np.nanquantile(leaf([[3.0, np.nan, 1.0]], np.float32), 0.25, axis=1)
    np.testing.assert_array_equal(out.data, np.array([1.5], np.float32), strict=True)
