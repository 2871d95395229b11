import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch_twin import compare, compare_signatures, torch

import autograd
import nn
from autograd import Variable
from nn import functional

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


def tied(*shape):
    """Draw small integers, so that windows hold their largest element several times."""
    return RNG.integers(0, 3, shape).astype(float)


WINDOWS = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2},
    {"kernel_size": 3, "stride": 1, "padding": 1},
    {"kernel_size": 2, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 3, "padding": 1, "ceil_mode": True},
    {"kernel_size": 1, "stride": 3},
]
each_window = pytest.mark.parametrize("windows", WINDOWS)
each_space = pytest.mark.parametrize("n", [1, 2, 3])
each_batch = pytest.mark.parametrize("batch", [(2,), ()])


def layers(name, n, *args, **kwargs):
    name = f"{name}{n}d"
    return getattr(nn, name)(*args, **kwargs), getattr(torch().nn, name)(*args, **kwargs)


# -- beside PyTorch --------------------------------------------------------------------------------


@pytest.mark.torch
@each_space
@each_batch
@each_window
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("draw", [normal, tied])
def test_max_pooling_equals_pytorchs(n, batch, windows, dilation, draw):
    x = draw(*batch, 3, *range(7, 7 + n))
    compare(*layers("MaxPool", n, **windows, dilation=dilation), [x])
    compare(*layers("MaxPool", n, **windows, dilation=dilation, return_indices=True), [x])


@pytest.mark.torch
@each_space
@each_batch
@each_window
def test_average_pooling_equals_pytorchs(n, batch, windows):
    x = normal(*batch, 3, *range(7, 7 + n))
    for count in (True, False):
        compare(*layers("AvgPool", n, **windows, count_include_pad=count), [x])
        if n > 1:
            given = {**windows, "count_include_pad": count, "divisor_override": 5}
            compare(*layers("AvgPool", n, **given), [x])


@pytest.mark.torch
@each_space
@each_batch
@pytest.mark.parametrize("p", [1, 2, 2.5, 3.0])
@pytest.mark.parametrize("windows", [w for w in WINDOWS if "padding" not in w])
def test_lp_pooling_equals_pytorchs(n, batch, p, windows):
    compare(*layers("LPPool", n, p, **windows), [np.abs(normal(*batch, 3, *range(6, 6 + n)))])


@pytest.mark.torch
@each_space
@each_batch
@pytest.mark.parametrize("output_size", [1, 2, 3, 5, 8, (None, 4, 3)])
def test_adaptive_pooling_equals_pytorchs(n, batch, output_size):
    if isinstance(output_size, tuple):
        output_size = output_size[-n:]
    shape = (*batch, 3, *range(6, 6 + n))
    compare(*layers("AdaptiveAvgPool", n, output_size), [normal(*shape)])
    for x in (normal(*shape), tied(*shape)):
        compare(*layers("AdaptiveMaxPool", n, output_size), [x])
        compare(*layers("AdaptiveMaxPool", n, output_size, return_indices=True), [x])


@pytest.mark.torch
@each_space
@each_batch
@pytest.mark.parametrize(
    "windows",
    [{"kernel_size": 2}, {"kernel_size": 2, "padding": 1}, {"kernel_size": 2, "stride": 3}],
)
def test_unpooling_equals_pytorchs(n, batch, windows):
    x = normal(*batch, 3, *range(6, 6 + n))
    pool, _ = layers("MaxPool", n, **windows, return_indices=True)
    values, indices = pool(x)
    ours, theirs = layers("MaxUnpool", n, **windows)
    size = x.shape if batch else x.shape[1:]
    compare(ours, theirs, [values, indices], kwargs={"output_size": size})
    if windows == {"kernel_size": 2}:
        small = tuple(2 * c for c in values.shape[-n:])
        if all(index < np.prod(small) for index in indices.ravel()):
            compare(ours, theirs, [values, indices])


@pytest.mark.torch
@each_batch
@pytest.mark.parametrize("n", [2, 3])
def test_fractional_pooling_equals_pytorchs(n, batch):
    x = normal(*batch, 3, *range(7, 7 + n))
    samples = RNG.random((*(batch or (1,)), 3, n))
    name = f"fractional_max_pool{n}d"
    ours, theirs = getattr(functional, name), getattr(torch().nn.functional, name)
    for size in (
        {"output_size": 4},
        {"output_ratio": (0.6,) * n},
        {"output_size": tuple(range(3, 3 + n))},
        {"output_size": 1},
    ):
        for kernel in (1, 2, 3):
            given = {**size, "_random_samples": samples}
            compare(ours, theirs, [x], [kernel], given)
            compare(ours, theirs, [x], [kernel], {**given, "return_indices": True})


@pytest.mark.torch
@pytest.mark.parametrize("kernel, stride, padding", [(2, 2, 0), (3, 2, 1), (2, 1, 1)])
def test_nan_and_infinity_are_pooled_as_pytorch_does(kernel, stride, padding):
    nan, inf = np.nan, np.inf
    x = np.array([[[nan, 1, 2, nan, -inf, -inf, 0, 3, inf, inf, nan, nan, -inf]]])
    given = {"kernel_size": kernel, "stride": stride, "padding": padding}
    compare(*layers("MaxPool", 1, **given, return_indices=True), [x])


NAMES = ["MaxPool", "AvgPool", "LPPool", "AdaptiveMaxPool", "AdaptiveAvgPool", "MaxUnpool"]


@pytest.mark.torch
@each_space
@pytest.mark.parametrize("name", NAMES)
def test_signatures_and_representations_are_pytorchs(name, n):
    compare_signatures(getattr(nn, f"{name}{n}d"), getattr(torch().nn, f"{name}{n}d"))
    stem = {"LPPool": "lp_pool"}.get(name, "")
    stem = stem or "".join("_" + c.lower() if c.isupper() else c for c in name)[1:]
    F = torch().nn.functional
    theirs = getattr(F, f"{stem}{n}d_with_indices", None) or getattr(F, f"{stem}{n}d")
    compare_signatures(getattr(functional, f"{stem}{n}d"), theirs)
    if name not in ("MaxUnpool", "AvgPool"):  # which show tuples where others show integers
        ours, theirs = layers(name, n, *((2, 3) if name == "LPPool" else (2,)))
        assert repr(ours) == repr(theirs)


@pytest.mark.torch
@pytest.mark.parametrize("n", [2, 3])
def test_the_signatures_of_fractional_pooling_are_pytorchs(n):
    name = f"FractionalMaxPool{n}d"
    compare_signatures(getattr(nn, name), getattr(torch().nn, name))
    F = torch().nn.functional
    theirs = getattr(F, f"fractional_max_pool{n}d_with_indices")
    compare_signatures(getattr(functional, f"fractional_max_pool{n}d"), theirs)


# -- without PyTorch -------------------------------------------------------------------------------


@st.composite
def pooled(draw):
    """Draw an array, windows over it, and a choice of one element of each."""
    from nn.functional import _pooling as pooling
    from nn.functional._windows import windows_over

    n = draw(st.integers(1, 3))
    kernel = tuple(draw(st.lists(st.integers(1, 3), min_size=n, max_size=n)))
    stride = tuple(draw(st.lists(st.integers(1, 3), min_size=n, max_size=n)))
    dilation = tuple(draw(st.lists(st.integers(1, 2), min_size=n, max_size=n)))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    size = tuple(d * (k - 1) + 1 + draw(st.integers(0, 3)) for d, k in zip(dilation, kernel))  # noqa: B905
    ceil = draw(st.booleans())
    windows = windows_over(
        "pool", size, kernel, stride, (padding, padding), dilation, ceil_mode=ceil
    )
    x = normal(2, 2, *size)
    return x, windows, pooling.chosen(x, pooling.max_pool(x, windows), windows)


@given(case=pooled())
def test_reading_and_unpooling_are_transposes(case):
    from nn.functional._pooling import max_pool, pool_at, sum_pool, sum_unpool, unpool

    x, windows, choice = case
    np.testing.assert_array_equal(pool_at(x, choice, windows), max_pool(x, windows))
    y = normal(*choice.shape)
    np.testing.assert_allclose(
        np.sum(pool_at(x, choice, windows) * y), np.sum(x * unpool(y, choice, windows))
    )
    np.testing.assert_allclose(
        np.sum(sum_pool(x, windows) * y), np.sum(x * sum_unpool(y, windows)), atol=1e-12
    )


def test_unpooling_puts_the_largest_elements_back():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    values, indices = nn.MaxPool2d(2, return_indices=True)(x)
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(indices.ravel(), [5, 7, 13, 15])
    restored = nn.MaxUnpool2d(2)(values, indices)
    np.testing.assert_array_equal(restored, np.where(np.isin(x, [5, 7, 13, 15]), x, 0))


def test_pooling_and_unpooling_overlapping_windows_has_the_right_gradient():
    """The one largest element of two windows is put back once, and so is its gradient."""
    x = Variable(np.array([[[0.0, 1.0, 5.0, 2.0, 0.0]]]), requires_grad=True)
    values, indices = functional.max_pool1d(x, 3, 1, return_indices=True)
    out = functional.max_unpool1d(values, indices, 3, 1)
    np.testing.assert_array_equal(out.data, [[[0, 0, 5, 0, 0]]])
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, [[[0, 0, 1, 0, 0]]])


def test_integers_are_pooled_as_integers():
    x = np.array([[[-3, -2, -7, -5]]])
    out = functional.max_pool1d(x, 2, padding=1)
    assert out.dtype == x.dtype
    np.testing.assert_array_equal(out, [[[-3, -2, -5]]])


def test_windows_of_zeros_have_no_gradient_in_lp_pooling():
    x = Variable(np.array([[[0.0, 0.0, 3.0, 4.0]]]), requires_grad=True)
    out = functional.lp_pool1d(x, 2, 2)
    np.testing.assert_allclose(out.data, [[[0, 5]]])
    out.sum().backward()
    np.testing.assert_allclose(x.grad, [[[0, 0, 0.6, 0.8]]])


def test_large_kernels_have_choices_beyond_a_byte():
    x = normal(1, 1, 20, 20)
    v = Variable(x, requires_grad=True)
    out, index = functional.max_pool2d(v, 18, 1, return_indices=True)
    out.sum().backward()
    assert v.grad.sum() == 9
    np.testing.assert_array_equal(x.ravel()[index.ravel()], out.data.ravel())


def test_fractional_windows_are_drawn_from_the_layers_own_stream():
    x = normal(2, 3, 9, 9)
    layer, twin = (nn.FractionalMaxPool2d(2, output_ratio=0.5, generator=1) for _ in range(2))
    first = layer(x)
    np.testing.assert_array_equal(twin(x), first)
    state = layer.extra_state()
    second = layer(x)
    assert not np.array_equal(first, second)
    twin.load_extra_state(state)
    np.testing.assert_array_equal(twin(x), second)
    autograd.manual_seed(3)
    third = functional.fractional_max_pool2d(x, 2, output_size=4)
    autograd.manual_seed(3)
    np.testing.assert_array_equal(functional.fractional_max_pool2d(x, 2, output_size=4), third)


def test_a_single_fractional_window_is_the_last_one():
    x = normal(2, 3, 5, 6)
    out = functional.fractional_max_pool2d(x, 2, output_size=1)
    np.testing.assert_array_equal(out[..., 0, 0], x[..., -2:, -2:].max(axis=(-2, -1)))


def test_float32_stays_float32():
    x = Variable(normal(1, 2, 7, 7).astype(np.float32), requires_grad=True)
    for out in (
        functional.max_pool2d(x, 2),
        functional.avg_pool2d(x, 2, ceil_mode=True),
        functional.lp_pool2d(abs(x), 2, 2),
        functional.adaptive_avg_pool2d(x, 3),
        functional.adaptive_max_pool2d(x, 3),
    ):
        assert out.dtype == np.float32


X = np.ones((2, 3, 8, 8))


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: functional.max_pool2d(np.ones((2, 3)), 2),
            ValueError,
            r"max_pool2d: wanted an input of shape \(N, C, H, W\) or \(C, H, W\), got \(2, 3\)",
        ),
        (
            lambda: functional.max_pool2d(X, 2, padding=2),
            ValueError,
            r"max_pool2d: wanted a padding of at most half the kernel \(2, 2\), got \(2, 2\)",
        ),
        (
            lambda: functional.max_pool2d(X, 9),
            ValueError,
            "max_pool2d: wanted a space of at least 9 x 9 with its padding, got 8 x 8",
        ),
        (
            lambda: functional.max_pool2d(X, 0),
            ValueError,
            "wanted kernel_size of at least 1",
        ),
        (lambda: functional.max_pool2d(X, 2, 0), ValueError, "wanted stride of at least 1, got 0"),
        (
            lambda: functional.max_pool2d(X, (2, 2, 2)),
            TypeError,
            r"max_pool2d: wanted an integer or 2 of them as kernel_size, got \(2, 2, 2\)",
        ),
        (lambda: functional.max_pool2d([[1.0]], 2), TypeError, "an array or a Variable as input"),
        (
            lambda: functional.avg_pool2d(X, 2, divisor_override=0),
            ValueError,
            "avg_pool2d: wanted a divisor_override other than 0",
        ),
        (
            lambda: functional.lp_pool2d(X, 0, 2),
            ValueError,
            "wanted a positive norm_type, got 0",
        ),
        (
            lambda: functional.adaptive_avg_pool2d(X, (1, 2, 3)),
            TypeError,
            "adaptive_avg_pool2d: wanted an integer or 2 of them as output_size",
        ),
        (
            lambda: functional.adaptive_max_pool2d(X, 0),
            ValueError,
            "adaptive_max_pool2d: wanted output_size of at least 1, got 0, 0",
        ),
        (
            lambda: functional.adaptive_max_pool2d(np.ones((1, 1, 0, 3)), 1),
            ValueError,
            "adaptive_max_pool2d: wanted input of at least 1, got 0, 3",
        ),
        (
            lambda: functional.max_unpool2d(X, np.zeros((2, 3, 8, 8)), 2),
            TypeError,
            "max_unpool2d: wanted integers as indices, got dtype float64",
        ),
        (
            lambda: functional.max_unpool2d(X, np.zeros((2, 3, 8, 7), int), 2),
            ValueError,
            r"max_unpool2d: wanted indices of the shape \(2, 3, 8, 8\) of the input, got \(2, 3",
        ),
        (
            lambda: functional.max_unpool2d(X, np.full(X.shape, 256), 2),
            ValueError,
            r"wanted indices from 0 to 255 for an output of size \(16, 16\), got 256",
        ),
        (
            lambda: functional.max_unpool2d(X, np.zeros(X.shape, int), 2, output_size=(18, 16)),
            ValueError,
            r"wanted an output_size less than a stride from \(16, 16\), got \(18, 16\)",
        ),
        (
            lambda: functional.fractional_max_pool2d(X, 2),
            ValueError,
            "fractional_max_pool2d: wanted output_size or output_ratio, got neither",
        ),
        (
            lambda: nn.FractionalMaxPool2d(2, 3, 0.5),
            ValueError,
            "FractionalMaxPool2d: wanted output_size or output_ratio, got both",
        ),
        (
            lambda: functional.fractional_max_pool2d(X, 2, output_ratio=1.5),
            ValueError,
            "wanted an output_ratio between 0 and 1, got 1.5",
        ),
        (
            lambda: functional.fractional_max_pool2d(X, 3, output_size=7),
            ValueError,
            r"wanted \(7, 7\) windows of lengths \(3, 3\) in a space of at least \(9, 9\), got",
        ),
        (
            lambda: functional.fractional_max_pool2d(
                X, 2, output_size=3, _random_samples=np.zeros((2, 3))
            ),
            ValueError,
            r"wanted _random_samples of shape \(2, 3, 2\), got \(2, 3\)",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
