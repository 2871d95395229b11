import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch_twin import compare_signatures, torch

import nn
from autograd import Variable
from nn import functional
from nn.functional._selection import selected
from nn.functional._windows import windows_over


@st.composite
def geometries(draw):
    n = draw(st.integers(1, 3))
    sizes = st.lists(st.integers(1, 3), min_size=n, max_size=n).map(tuple)
    kernel, stride, dilation = draw(sizes), draw(sizes), draw(sizes)
    ends = st.lists(st.integers(0, 3), min_size=n, max_size=n).map(tuple)
    before, after = draw(ends), draw(ends)
    size = tuple(
        max(1, d * (k - 1) + 1 - b - a) + draw(st.integers(0, 4))
        for k, d, b, a in zip(kernel, dilation, before, after, strict=True)
    )
    return windows_over("test", size, kernel, stride, (before, after), dilation)


@given(windows=geometries())
def test_taps_and_the_view_meet_what_the_definition_says(windows):
    """Element k of window p meets element stride p + dilation k - before; 0 is the padding."""
    x = np.arange(1, np.prod(windows.size) + 1).reshape(windows.size)
    padded = windows.padded(x)
    assert padded.shape == windows.span
    np.testing.assert_array_equal(padded[windows.inside], x)
    view = windows.view(padded[None, None, ..., None])[0, 0, ..., 0]
    for index in np.ndindex(windows.count + windows.kernel):
        p, k = index[: x.ndim], index[x.ndim :]
        at = [
            s * i + d * j - b
            for s, i, d, j, b in zip(
                windows.stride, p, windows.dilation, k, windows.before, strict=True
            )
        ]
        inside = all(0 <= a < z for a, z in zip(at, windows.size, strict=True))
        wanted = x[tuple(at)] if inside else 0
        assert view[index] == wanted
        assert padded[windows.taps[np.ravel_multi_index(k, windows.kernel)]][p] == wanted
    if windows.disjoint:
        met = np.zeros(windows.span, int)
        for tap in windows.taps:
            met[tap] += 1
        assert met.max() == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda x: functional.conv2d(x, np.ones((2, 3, 3, 3)), np.ones(2), padding=1),
        lambda x: functional.conv2d(x, np.ones((2, 3, 1, 1))),
        lambda x: functional.conv_transpose2d(x, np.ones((3, 2, 2, 2)), stride=2),
        lambda x: functional.max_pool2d(x, 3, 1),
        lambda x: functional.max_pool2d(x, 2, return_indices=True)[0],
        lambda x: functional.max_unpool2d(x, np.zeros(x.shape, int), 2),
        lambda x: functional.avg_pool2d(x, 2, ceil_mode=True),
        lambda x: functional.lp_pool2d(x, 2, 2),
        lambda x: functional.adaptive_avg_pool2d(x, 3),
        lambda x: functional.adaptive_max_pool2d(x, 3, return_indices=True)[0],
        lambda x: functional.fractional_max_pool2d(x, 2, 3),
        lambda x: functional.interpolate(x, 4, mode="bicubic"),
        lambda x: functional.grid_sample(x, np.ones((0, 2, 2, 2))),
        lambda x: functional.fold(functional.unfold(x, 2), (8, 8), 2),
        lambda x: functional.pixel_shuffle(functional.pixel_unshuffle(x, 2), 2),
        lambda x: functional.channel_shuffle(x, 3),
        lambda x: functional.pad(x, (1, 1), "reflect"),
        lambda x: functional.group_norm(x, 3),
        functional.instance_norm,
        lambda x: functional.local_response_norm(x, 2),
        lambda x: functional.alpha_dropout(x, 0.5, True),
    ],
)
def test_an_empty_batch_goes_through(call):
    x = Variable(np.ones((0, 3, 8, 8)), requires_grad=True)
    out = call(x)
    assert out.shape[0] == 0
    out.sum().backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("two", [[2, 2], np.array([2, 2]), np.int64(2), (np.int8(2), 2)])
def test_lengths_may_be_lists_arrays_and_numpys_integers(two):
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(functional.max_pool2d(x, two), [[[[5, 7], [13, 15]]]])
    assert nn.Conv2d(1, 1, two, stride=two)(x).shape == (1, 1, 2, 2)


@pytest.mark.parametrize("wrong", [{2: 2}, [[2, 2]], "2", 2.0, True, None])
def test_other_lengths_are_refused(wrong):
    with pytest.raises(
        TypeError, match="max_pool2d: wanted an integer or 2 of them as kernel_size"
    ):
        functional.max_pool2d(np.ones((1, 1, 4, 4)), wrong)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex128, np.int32])
def test_selection_is_exact(dtype):
    values = np.array([1.0, -2.0, np.inf, np.nan, -0.0, 3.0])
    if np.dtype(dtype).kind == "i":
        values = np.arange(6)
    values = np.stack([values, values]).astype(dtype)
    for mask in (np.arange(12).reshape(2, 6) % 2 == 0, np.array([[True], [False]])):
        for some in (values, values[:, ::-1]):
            out = selected(some, mask)
            assert out.dtype == dtype
            np.testing.assert_array_equal(out, np.where(mask, some, 0))


def test_families_carry_the_names_of_their_members():
    assert functional.conv2d.__name__ == "conv2d"
    assert functional.max_pool3d.__doc__ == functional.max_pool1d.__doc__
    with pytest.raises(TypeError, match=r"^conv1d: wanted .*\(input, weight, .* missing"):
        functional.conv1d(np.ones((1, 1, 3)))


IMAGE, PAIR = np.ones((1, 1, 4, 4)), np.ones((2, 3))


@pytest.mark.parametrize(
    "name, call",
    [
        ("max_pool2d", lambda x: functional.max_pool2d(x, 2)),
        ("batch_norm", lambda x: functional.batch_norm(x, None, None, training=True)),
        ("cdist", lambda x: functional.cdist(x, PAIR)),
        ("cdist", lambda x: functional.cdist(PAIR, x)),
        ("pdist", functional.pdist),
        ("cosine_similarity", lambda x: functional.cosine_similarity(x, PAIR)),
        ("cosine_similarity", lambda x: functional.cosine_similarity(PAIR, x)),
        ("interpolate", lambda x: functional.interpolate(x, 2)),
        ("grid_sample", lambda x: functional.grid_sample(x, np.ones((1, 2, 2, 2)))),
        ("grid_sample", lambda x: functional.grid_sample(IMAGE, x)),
        ("affine_grid", lambda x: functional.affine_grid(x, (1, 1, 2, 2))),
        ("fold", lambda x: functional.fold(x, 2, 1)),
        ("pixel_shuffle", lambda x: functional.pixel_shuffle(x, 2)),
        ("channel_shuffle", lambda x: functional.channel_shuffle(x, 1)),
        ("pad", lambda x: functional.pad(x, (1, 1))),
        ("conv2d", lambda x: functional.conv2d(IMAGE, x)),
        ("conv2d", lambda x: functional.conv2d(IMAGE, np.ones((1, 1, 2, 2)), x)),
    ],
)
def test_lists_and_text_are_refused_by_name(name, call):
    with pytest.raises(TypeError, match=f"^{name}: wanted an array or a Variable as .*, got list"):
        call([[1.0]])
    with pytest.raises(TypeError, match=f"^{name}: wanted .*numbers, got dtype <U1"):
        call(np.full((1, 4), "a"))


@pytest.mark.torch
@pytest.mark.parametrize("name", ["Flatten", "Unflatten"])
def test_signatures_are_pytorchs(name):
    compare_signatures(getattr(nn, name), getattr(torch().nn, name))
