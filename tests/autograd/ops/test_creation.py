"""Making arrays: what the op table does not say."""

import numpy as np
import pytest

import autograd
import nn
from autograd import Variable


def leaf(value):
    return Variable(np.array(value, dtype=float), requires_grad=True)


def test_the_gradient_of_full_like_goes_to_the_fill_value():
    x, value = leaf([1.0, 2.0, 3.0]), leaf(5.0)
    out = autograd.full_like(x, value)
    out.sum().backward()
    assert value.grad == 3.0
    assert x.grad is None
    assert np.full_like(x, 2.0).data.tolist() == [2.0] * 3


def test_nested_lists_of_variables_and_numbers_become_one_recorded_array():
    a, b = leaf(1.0), leaf([2.0, 3.0])
    made = autograd.array([[a, 4.0], b])
    np.testing.assert_array_equal(made.data, [[1.0, 4.0], [2.0, 3.0]])
    made.backward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert a.grad == 1.0
    np.testing.assert_array_equal(b.grad, [3.0, 4.0])


def test_array_copies_and_asarray_does_not():
    x = leaf([1.0, 2.0])
    assert autograd.asarray(x) is x
    assert not np.shares_memory(autograd.array(x).data, x.data)
    assert autograd.array(x, ndmin=3).shape == (1, 1, 2)
    assert autograd.array(x, dtype=np.float32).dtype == np.float32
    assert type(autograd.array([1, 2])) is np.ndarray


def test_integer_results_that_would_lose_a_gradient_are_refused():
    x = leaf(2.5)
    for make in (
        lambda: autograd.array([x], dtype=int),
        lambda: autograd.asarray(x, dtype=int),
        lambda: autograd.full(3, x, dtype=int),
        lambda: autograd.full_like(np.arange(3), x),
        lambda: autograd.linspace(0, x, 3, dtype=int),
        lambda: autograd.logspace(0, x, 3, dtype=int),
        lambda: autograd.geomspace(1, x, 3, dtype=int),
    ):
        with pytest.raises(TypeError, match="wanted a floating dtype for Variables"):
            make()


def test_one_end_of_a_range_may_be_constant():
    x = leaf(2.0)
    np.linspace(0.0, x, 5).backward(np.ones(5))
    assert x.grad == 2.5
    x.grad = None
    numbers, step = autograd.linspace(x, 4.0, 5, retstep=True)
    step.backward()
    assert x.grad == -0.25
    tangent = autograd.jvp(
        lambda t: autograd.linspace(t, 4.0, 5), (np.array(2.0),), (np.array(1.0),)
    )
    np.testing.assert_allclose(tangent[1], [1.0, 0.75, 0.5, 0.25, 0.0])
    assert np.isnan(autograd.linspace(x, 4.0, 1, retstep=True)[1])
    assert numbers.shape == (5,)


@pytest.mark.parametrize(
    "key",
    [
        np.s_[1:4, 0, 5],
        np.s_[0:1:5j],
        ("0,2", [1.0, 2.0], [3.0, 4.0]),
        ("1,2,0", [1.0, 2.0], [3.0, 4.0]),
        ("-1", [[1.0]], [[2.0]]),
    ],
)
def test_joining_by_index_expression_equals_numpys(key):
    np.testing.assert_array_equal(autograd.r_[key], np.r_[key])
    recorded = (
        tuple(leaf(k) if isinstance(k, list) else k for k in key) if type(key) is tuple else key
    )
    result = autograd.r_[recorded]
    np.testing.assert_array_equal(getattr(result, "data", result), np.r_[key])


def test_joining_plain_columns_equals_numpys():
    key = np.s_[0:2, [3.0, 4.0]]
    np.testing.assert_array_equal(autograd.c_[key], np.c_[key])


def test_an_unknown_directive_is_refused():
    with pytest.raises(ValueError, match=r"r_: wanted integers 'axis,ndim,place'.*got 'r'"):
        autograd.r_["r", leaf([1.0])]


def test_a_grid_counts_in_one_of_two_ways():
    with pytest.raises(ValueError, match="meshgrid: wanted indexing 'xy' or 'ij', got 'yx'"):
        autograd.meshgrid(leaf([1.0]), leaf([1.0]), indexing="yx")
    x, y = leaf([1.0, 2.0, 3.0]), leaf([1.0, 2.0])
    across, down = np.meshgrid(x, y)
    (across * down).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0] * 3)
    np.testing.assert_array_equal(y.grad, [6.0] * 2)


# -- memory shared with other libraries ------------------------------------------------------------


def test_dlpack_shares_memory_both_ways():
    array = np.arange(4.0)
    v = autograd.from_dlpack(array)
    assert isinstance(v, Variable)
    assert np.shares_memory(v.data, array)
    assert np.shares_memory(np.from_dlpack(Variable(array, copy=False)), array)
    assert not np.shares_memory(autograd.from_dlpack(array, copy=True).data, array)
    assert v.__dlpack_device__() == array.__dlpack_device__()
    v.requires_grad = True
    (v * v).sum().backward()
    np.testing.assert_array_equal(v.grad, 2 * array)
    with pytest.raises(BufferError, match="wanted a Variable that requires no gradient, .*detach"):
        np.from_dlpack(v)
    assert np.shares_memory(np.from_dlpack(Variable(array, copy=False).detach()), array)
    assert np.from_dlpack(Variable(2.0)).shape == ()
    assert autograd.from_dlpack(Variable(array)).is_leaf


def test_dlpack_keeps_read_only_data_read_only():
    array = np.arange(3.0)
    array.flags.writeable = False
    if np.lib.NumpyVersion(np.__version__) < "2.1.0":
        with pytest.raises(BufferError):  # its protocol could not say so yet
            autograd.from_dlpack(array)
    else:
        assert not autograd.from_dlpack(array).data.flags.writeable
        assert autograd.from_dlpack(array, copy=True).data.flags.writeable


def test_what_has_no_dlpack_is_refused():
    with pytest.raises(
        TypeError, match="wanted an array with __dlpack__, got list; write Variable"
    ):
        autograd.from_dlpack([1.0])


@pytest.mark.torch
def test_dlpack_goes_to_pytorch_and_back():
    torch = pytest.importorskip("torch")
    for dtype in (torch.float16, torch.float32, torch.float64, torch.complex64, torch.int64):
        tensor = torch.arange(6).reshape(2, 3).to(dtype).T
        v = autograd.from_dlpack(tensor)
        np.testing.assert_array_equal(v.data, tensor.numpy(), strict=True)
        tensor[0, 0] = 9
        assert v.data[0, 0] == 9
        again = torch.from_dlpack(v)
        assert again.data_ptr() == tensor.data_ptr()
        assert again.stride() == tensor.stride()
    with pytest.raises(BufferError, match=r"\.detach\(\)"):
        torch.from_dlpack(Variable([1.0], requires_grad=True))
    with pytest.raises(BufferError, match="requires? gradient"):
        autograd.from_dlpack(torch.ones(2, requires_grad=True))
    parameter = nn.Parameter(autograd.from_dlpack(torch.ones(2)))
    assert parameter.dtype == np.float32
