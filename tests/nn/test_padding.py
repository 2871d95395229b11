import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch_twin import compare, compare_layers, compare_signatures, torch

import nn
from nn import functional

RNG = np.random.default_rng(0)
KINDS = ["ReflectionPad", "ReplicationPad", "CircularPad", "ZeroPad", "ConstantPad"]
MODES = ["constant", "reflect", "replicate", "circular"]


@pytest.mark.torch
@pytest.mark.parametrize("batch", [(2,), ()])
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_layers_equal_pytorchs(kind, n, batch):
    x = RNG.normal(size=(*batch, 3, *range(4, 4 + n)))
    value = (1.5,) if kind == "ConstantPad" else ()
    for padding in (0, 2, tuple(range(2 * n))[-2 * n :], (1, -2) * n):
        padding = padding if isinstance(padding, int) else tuple(min(p, 3) for p in padding)
        ours = getattr(nn, f"{kind}{n}d")(padding, *value)
        theirs = getattr(torch().nn, f"{kind}{n}d")(padding, *value)
        assert repr(ours) == repr(theirs)
        compare_layers(ours, theirs, x)


@pytest.mark.torch
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_signatures_are_pytorchs(kind, n):
    compare_signatures(getattr(nn, f"{kind}{n}d"), getattr(torch().nn, f"{kind}{n}d"))


@pytest.mark.torch
@pytest.mark.parametrize(
    "shape, pad",
    [((5,), (1, 2)), ((2, 3), (0, 1, 2, 0)), ((2, 3, 4, 5), (1, -1, 2, 0, 0, 3, -1, 1))],
)
def test_constants_on_any_number_of_axes_equal_pytorchs(shape, pad):
    x = RNG.normal(size=shape)
    for options in ({}, {"value": 2.5}):
        compare(functional.pad, torch().nn.functional.pad, [x], [pad], options)
    compare_signatures(functional.pad, torch().nn.functional.pad)


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    mode=st.sampled_from(MODES),
    data=st.data(),
)
def test_padding_is_numpys(shape, mode, data):
    axes = data.draw(st.integers(1, len(shape)))
    most = [3 if mode in ("constant", "replicate") else n - (mode == "reflect") for n in shape]
    widths = [
        (0, 0) if i < len(shape) - axes else tuple(data.draw(st.integers(0, m)) for _ in range(2))
        for i, m in enumerate(most)
    ]
    lengths = [length for pair in widths[: -axes - 1 : -1] for length in pair]
    x = RNG.integers(0, 9, size=shape)
    names = {"replicate": "edge", "circular": "wrap"}
    out = functional.pad(x, lengths, mode)
    assert out.dtype == x.dtype
    np.testing.assert_array_equal(out, np.pad(x, widths, names.get(mode, mode)))


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: functional.pad(np.ones((2, 3)), (1, 1), "mirror"),
            ValueError,
            "pad: wanted a mode among constant, reflect, replicate, circular, got 'mirror'",
        ),
        (
            lambda: functional.pad(np.ones((2, 3)), (1, 1, 1)),
            ValueError,
            r"pad: wanted two lengths for each of at most 2 axes, the last axis first, got \(1, 1,",
        ),
        (
            lambda: functional.pad(np.ones(3), (1, 1, 1, 1)),
            ValueError,
            "pad: wanted two lengths for each of at most 1 axes",
        ),
        (
            lambda: functional.pad(np.ones(3), (1, 1.5)),
            TypeError,
            r"pad: wanted a sequence of integers as pad, got \(1, 1.5\)",
        ),
        (lambda: functional.pad(np.ones(3), 1), TypeError, "wanted a sequence of integers"),
        (
            lambda: functional.pad(np.ones(3), (3, 0), "reflect"),
            ValueError,
            "pad: wanted at most 2 elements in mode 'reflect' at each end of axis 0, got 3 and 0",
        ),
        (
            lambda: functional.pad(np.ones(3), (0, 4), "circular"),
            ValueError,
            "pad: wanted at most 3 elements in mode 'circular'",
        ),
        (
            lambda: functional.pad(np.ones((2, 0)), (0, 4), "replicate"),
            ValueError,
            "pad: wanted at most 0 elements in mode 'replicate'",
        ),
        (
            lambda: functional.pad(np.ones(3), (1, 1), "reflect", 1.0),
            ValueError,
            "pad: wanted no value in mode 'reflect', got 1.0",
        ),
        (lambda: functional.pad([1.0], (1, 1)), TypeError, "an array or a Variable as input"),
        (
            lambda: nn.ReflectionPad2d(1)(np.ones((4, 4))),
            ValueError,
            r"ReflectionPad2d: wanted an input with channels and 2 more axes, got shape \(4, 4\)",
        ),
        (
            lambda: nn.ZeroPad2d((1, 2)),
            TypeError,
            r"ZeroPad2d: wanted an integer or 4 of them as padding, got \(1, 2\)",
        ),
    ],
)
def test_wrong_use_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
