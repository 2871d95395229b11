"""What reductions do at ties, zeros and constants, and what they refuse."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Variable
from autograd.testing.strategies import reductions


def gradient(function, x, **kwargs):
    leaf = Variable(np.array(x), requires_grad=True)
    function(leaf, **kwargs).sum().backward()
    return leaf.grad


def hessian(function, x):
    return autograd.hessian(function)(np.array(x, dtype=float))


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "nanmax", "nanmin"])
def test_extremes_split_the_gradient_among_ties(name):
    x = [2.0, 2.0, 2.0]
    np.testing.assert_allclose(gradient(getattr(autograd, name), x), [1 / 3] * 3)
    assert hessian(getattr(autograd, name), x).tolist() == [[0.0] * 3] * 3


def test_ties_are_split_within_each_slice():
    x = [[1.0, 3.0, 3.0], [4.0, 0.0, 4.0]]
    wanted = [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5]]
    assert gradient(autograd.max, x, axis=1).tolist() == wanted
    assert gradient(autograd.max, x, axis=-1, keepdims=True).tolist() == wanted
    assert gradient(autograd.max, x).tolist() == [[0, 0, 0], [0.5, 0, 0.5]]


def test_the_gradient_of_an_extreme_that_is_nan_goes_to_the_nan():
    x = [[1.0, math.nan], [3.0, 2.0]]
    assert gradient(autograd.max, x, axis=1).tolist() == [[0, 1], [1, 0]]
    assert gradient(autograd.min, x, axis=1).tolist() == [[0, 1], [0, 1]]


def test_initial_takes_part_like_one_more_element():
    assert gradient(autograd.max, [1.0, 2.0], initial=3.0).tolist() == [0.0, 0.0]
    assert gradient(autograd.max, [1.0, 2.0], initial=1.5).tolist() == [0.0, 1.0]
    assert gradient(autograd.min, [1.0, 2.0], initial=1.0).tolist() == [0.5, 0.0]
    start = Variable(3.0, requires_grad=True)
    (
        autograd.sum(Variable([1.0, 2.0]), initial=start) + autograd.max([1.0], initial=start)
    ).backward()
    assert start.grad == 2.0
    assert autograd.max(Variable(np.zeros((0, 2))), axis=0, initial=1.0).data.tolist() == [1.0, 1.0]


def test_elements_left_out_by_where_get_no_gradient_whatever_they_are():
    mask = np.array([True, False, True])
    x = [1.0, math.inf, 2.0]
    for name in ("sum", "mean", "prod", "var", "std"):
        g = gradient(getattr(autograd, name), x, where=mask)
        kept = gradient(getattr(autograd, name), [1.0, 2.0])
        np.testing.assert_allclose(g, [kept[0], 0.0, kept[1]], err_msg=name)
    assert gradient(autograd.max, x, where=mask, initial=-9.0).tolist() == [0, 0, 1]


@pytest.mark.parametrize("name", ["max", "min"])
def test_where_without_initial_says_what_is_missing(name):
    function = getattr(autograd, name)
    with pytest.raises(ValueError, match=f"{name}: wanted initial= beside where="):
        function(Variable([1.0]), where=np.array([True]))


@pytest.mark.parametrize(
    "name", ["sum", "mean", "prod", "var", "std", "max", "min", "ptp", "nansum"]
)
def test_out_is_refused_by_name(name):
    x = Variable([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=f"{name}: wanted a call without out="):
        getattr(np, name)(x, out=np.zeros(()))


def test_an_axis_that_is_not_there_is_an_error_as_in_numpy():
    for name in ("sum", "mean", "prod", "var", "max"):
        with pytest.raises(np.exceptions.AxisError):
            getattr(autograd, name)(Variable(np.ones((2, 2)), requires_grad=True), axis=2)


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_products_with_zeros_have_right_first_and_second_derivatives(zeros):
    x = np.array([2.0, -3.0, 0.5, 4.0])
    x[:zeros] = 0.0
    others = [np.prod(np.delete(x, i)) for i in range(4)]
    pairs = [[0.0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(gradient(autograd.prod, x), others)
    np.testing.assert_allclose(hessian(autograd.prod, x), pairs, atol=1e-14)


def test_products_of_the_third_order_are_right_with_two_zeros():
    third = autograd.jacobian(autograd.hessian(autograd.prod))(np.array([0.0, 0.0, 5.0]))
    wanted = np.zeros((3, 3, 3))
    for i, j, k in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        wanted[i, j, k] = 1.0
    np.testing.assert_allclose(third, wanted, atol=1e-14)


def test_a_product_that_underflows_keeps_its_gradient():
    x = np.array([1e-200, 1e-200, 1e200])
    np.testing.assert_allclose(gradient(autograd.prod, x), [1.0, 1.0, 0.0], rtol=1e-12)


@pytest.mark.parametrize("x", [[3.0, 3.0, 3.0], [3.0]])
def test_the_standard_deviation_of_constants_has_gradient_zero(x):
    assert gradient(autograd.std, x).tolist() == [0.0] * len(x)
    assert gradient(autograd.nanstd, x).tolist() == [0.0] * len(x)
    assert np.all(np.isfinite(hessian(autograd.std, x)))


def test_one_constant_row_leaves_the_gradient_of_the_others_alone():
    x = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 4.0]])
    g = gradient(autograd.std, x, axis=1)
    assert g[0].tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(g[1], gradient(autograd.std, x[1]))


def test_a_variance_without_degrees_of_freedom_is_nan_with_numpys_warning():
    with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        out = autograd.var(Variable([1.0], requires_grad=True), ddof=1)
    assert math.isnan(out.item())


def test_ddof_and_correction_together_are_refused():
    with pytest.raises(ValueError, match="var: wanted ddof or correction"):
        autograd.var(Variable([1.0, 2.0]), ddof=1, correction=1)


def test_a_mean_computed_before_is_an_operand_of_the_variance():
    x = Variable(np.array([1.0, 2.0, 6.0]), requires_grad=True)
    m = Variable(np.array([2.0]), requires_grad=True)
    autograd.var(x, mean=m).backward()
    np.testing.assert_allclose(x.grad, 2 * (x.data - 2.0) / 3)
    np.testing.assert_allclose(m.grad, [-2 * np.sum(x.data - 2.0) / 3])


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "var", "std", "max", "min", "ptp"])
def test_integers_reduce_as_in_numpy(name):
    x = np.array([[1, 2, 3], [4, 5, 7]])
    for axis in (None, 0, (0, 1)):
        wanted = getattr(np, name)(x, axis=axis)
        for got in (
            getattr(autograd, name)(x, axis=axis),
            getattr(np, name)(Variable(x), axis=axis),
        ):
            assert got.dtype == wanted.dtype
            np.testing.assert_allclose(got.data if isinstance(got, Variable) else got, wanted)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "var", "std", "max", "min"])
def test_methods_are_the_functions(name):
    x = Variable(np.array([[1.0, 2.0], [4.0, 9.0]]), requires_grad=True)
    for kwargs in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}):
        method = getattr(x, name)(**kwargs)
        function = getattr(np, name)(x, **kwargs)
        np.testing.assert_array_equal(method.data, function.data)
        np.testing.assert_array_equal(
            gradient(lambda v, k=kwargs: getattr(v, name)(**k), x.data),
            gradient(getattr(np, name), x.data, **kwargs),
        )
    assert getattr(x, name)(0).shape == (2,)


def test_a_sum_to_a_wider_dtype_gives_the_gradient_of_its_operand():
    x = Variable(np.ones(3, dtype=np.float32), requires_grad=True)
    out = x.sum(dtype=np.float64)
    assert out.dtype == np.float64
    out.backward()
    assert x.grad.dtype == np.float32


def test_large_sums_give_the_same_gradient_as_small_ones():
    """Above a size the rule broadcasts without writing the elements out."""
    for shape in ((3, 5), (70, 80)):
        x = np.arange(math.prod(shape), dtype=float).reshape(shape)
        np.testing.assert_array_equal(
            gradient(lambda v: v.sum(axis=0) * np.arange(v.shape[1]), x),
            np.broadcast_to(np.arange(shape[1]), shape),
        )


def test_an_empty_sum_has_an_empty_gradient():
    x = Variable(np.zeros((0, 3)), requires_grad=True)
    x.sum().backward()
    assert x.grad.shape == (0, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert math.isnan(x.mean().item())


@pytest.mark.torch
@pytest.mark.parametrize(
    "name, other, x",
    [
        ("max", "amax", [[1.0, 1.0], [0.0, 2.0]]),
        ("min", "amin", [[1.0, 1.0], [0.0, 2.0]]),
        ("prod", "prod", [[0.0, 0.0], [3.0, 0.0]]),
        ("var", "var", [[1.0, 1.0], [3.0, 0.0]]),
        ("std", "std", [[1.0, 1.0], [3.0, 0.0]]),
    ],
)
def test_gradients_agree_with_pytorch(name, other, x):
    torch = pytest.importorskip("torch")
    theirs = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    options = {"unbiased": False} if name in {"var", "std"} else {}
    getattr(torch, other)(theirs, 1, **options).sum().backward()
    np.testing.assert_allclose(gradient(getattr(autograd, name), x, axis=1), theirs.grad.numpy())


@given(
    reductions(domain="distinct"),
    st.sampled_from(["sum", "mean", "prod", "var", "std", "max", "min", "ptp"]),
)
def test_every_shape_and_choice_of_axes_reduces_as_numpy_and_has_its_gradient(call, name):
    x, kwargs = call
    leaf = Variable(x, requires_grad=True)
    out = getattr(np, name)(leaf, **kwargs)
    twin = getattr(np, name)
    np.testing.assert_allclose(out.data, twin(x, **kwargs), rtol=1e-12)
    weights = np.arange(1.0, out.size + 1).reshape(out.shape)
    out.backward(weights)
    direction = np.cos(np.arange(x.size)).reshape(x.shape)

    def along(t):
        return np.sum(weights * twin(x + t * direction, **kwargs))

    h = 1e-5
    numeric = (along(h) - along(-h)) / (2 * h)
    np.testing.assert_allclose(
        np.sum(leaf.grad * direction), numeric, rtol=1e-5, atol=1e-6 * np.abs(weights).sum()
    )


# -- underflow and half precision ------------------------------------------------------------------


def test_products_that_are_subnormal_are_not_divided():
    tiny = np.full(5, 1e-9, np.float32)
    np.testing.assert_allclose(autograd.grad(autograd.prod)(tiny), [1e-36] * 5, rtol=1e-6)
    wanted = np.full((5, 5), 1e-27) * (1 - np.eye(5))
    np.testing.assert_allclose(autograd.hessian(autograd.prod)(tiny), wanted, rtol=1e-6)
    with np.errstate(all="ignore"):
        found = hessian(autograd.prod, [2.0, 1e-310, 5.0])
    np.testing.assert_allclose(found, [[0, 5, 1e-310], [5, 0, 2], [1e-310, 2, 0]], rtol=1e-12)


@pytest.mark.parametrize("name", ["var", "std", "nanvar", "nanstd"])
def test_statistics_of_float16_are_taken_in_float32(name):
    x = (1000 + np.arange(300)).astype(np.float16)
    function = getattr(autograd, name)
    wide = function(x.astype(float))
    assert function(x).dtype == np.float16
    assert function(x) == pytest.approx(wide, rel=1e-3)
    found = gradient(function, x)
    assert found.dtype == np.float16
    wanted = gradient(function, x.astype(float))
    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1e-5)
    kept = function(x.reshape(3, 100), axis=1, keepdims=True, ddof=1)
    assert kept.shape == (3, 1)
    assert np.isfinite(kept).all()


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
def test_an_initial_value_leaves_the_dtype_alone_as_in_numpy(name):
    f, x = getattr(np, name), np.ones(3, np.float32)
    initial = np.float64(2)
    out = f(Variable(x, requires_grad=True), initial=initial)
    assert out.dtype == f(x, initial=initial).dtype == np.float32
