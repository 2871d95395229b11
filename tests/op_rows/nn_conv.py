"""Rows of convolution and its kin in `nn/functional`, with loops over windows for twins."""

import itertools

import numpy as np
from op_table import Case, Row

from nn import functional


def spread(value, n):
    return (value,) * n if np.isscalar(value) else tuple(value)


def places(count, kernel, stride, dilation):
    """Yield each window's place and the index of what it meets in the padded space."""
    n = len(count)
    stride, dilation = spread(stride, n), spread(dilation, n)
    for p in itertools.product(*map(range, count)):
        yield (
            p,
            tuple(
                slice(s * i, s * i + d * (k - 1) + 1, d)
                for i, s, d, k in zip(p, stride, dilation, kernel, strict=True)
            ),
        )


def _count(size, kernel, stride, dilation):
    n = len(size)
    lengths = zip(size, kernel, spread(stride, n), spread(dilation, n), strict=True)
    return tuple((z - d * (k - 1) - 1) // s + 1 for z, k, s, d in lengths)


def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    n = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in spread(padding, n))])
    count = _count(x.shape[2:], w.shape[2:], stride, dilation)
    out = np.zeros((len(x), len(w), *count), np.result_type(x, w))
    c, o = w.shape[1], len(w) // groups
    for p, window in places(count, w.shape[2:], stride, dilation):
        for g in range(groups):
            part = x[(slice(None), slice(g * c, g * c + c), *window)].reshape(len(x), -1)
            weight = w[g * o : g * o + o].reshape(o, -1)
            out[(slice(None), slice(g * o, g * o + o), *p)] = part @ weight.T
    return out if b is None else out + b.reshape(-1, *(1,) * n)


def conv_transpose(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    n = x.ndim - 2
    padding, more = spread(padding, n), spread(output_padding, n)
    size = [
        (c - 1) * s + d * (k - 1) + 1 + m
        for c, s, d, k, m in zip(
            x.shape[2:], spread(stride, n), spread(dilation, n), w.shape[2:], more, strict=True
        )
    ]
    c, o = len(w) // groups, w.shape[1]
    out = np.zeros((len(x), o * groups, *size), np.result_type(x, w))
    for p, window in places(x.shape[2:], w.shape[2:], stride, dilation):
        for g in range(groups):
            part = x[(slice(None), slice(g * c, g * c + c), *p)]
            spot = (slice(None), slice(g * o, g * o + o), *window)
            out[spot] += np.tensordot(part, w[g * c : g * c + c], 1)
    out = out[(..., *(slice(p, z - p) for p, z in zip(padding, size, strict=True)))]
    return out if b is None else out + b.reshape(-1, *(1,) * n)


def _row(name, twin, *cases, **options):
    function = getattr(functional, name.partition("[")[0])
    return Row(f"nn.{name}", function, twin, cases, method=False, **options)


def _conv_weight(x, output):
    """Give the third primitive of the family its windows: 2 x 3 kernels, stride 2, padded by 1."""
    from nn.functional._conv import conv_weight
    from nn.functional._windows import windows_over

    windows = windows_over("conv", x.shape[2:], (2, 3), (2, 1), ((1, 1), (1, 1)), (1, 1))
    return conv_weight(x, output, windows, 2)


def _conv_weight_twin(x, output):
    """Take the weight's gradient from the definition: conv is linear in the weight."""
    shape = (output.shape[1], x.shape[1] // 2, 2, 3)
    found = np.zeros(shape, np.result_type(x, output))
    for index in np.ndindex(shape):
        unit = np.zeros(shape)
        unit[index] = 1.0
        found[index] = (conv(x, unit, None, (2, 1), 1, 1, 2) * output).sum()
    return found


ROWS = [
    _row(
        "conv1d",
        conv,
        Case((2, 2, 5), (3, 2, 2), (3,)),
        Case((2, 4, 6), (6, 2, 3), kwargs={"stride": 2, "padding": 2, "dilation": 2, "groups": 2}),
        complex=True,
        primitives=["conv", "conv_transpose", "conv_weight"],
    ),
    _row(
        "conv2d",
        conv,
        Case((2, 2, 4, 3), (3, 2, 2, 3), (3,), kwargs={"padding": (1, 0)}),
        Case((1, 1, 4, 9), (2, 1, 2, 2), kwargs={"stride": (1, 2)}),
        Case((2, 3, 3, 4), (3, 1, 2, 2), kwargs={"groups": 3, "padding": 1}),
        Case((2, 3, 2, 2), (2, 3, 1, 1), (2,)),
    ),
    _row("conv3d", conv, Case((1, 2, 3, 2, 3), (2, 2, 2, 1, 2), (2,), kwargs={"stride": 2})),
    _row(
        "conv_transpose1d",
        conv_transpose,
        Case((2, 2, 3), (2, 3, 2), (3,)),
        Case(
            (2, 4, 3),
            (4, 3, 3),
            kwargs={
                "stride": 3,
                "padding": 1,
                "output_padding": 2,
                "dilation": 2,
                "groups": 2,
            },
        ),
        complex=True,
        primitives=["conv", "conv_transpose", "conv_weight"],
    ),
    _row(
        "conv_transpose2d",
        conv_transpose,
        Case((2, 2, 2, 3), (2, 3, 2, 2), (3,), kwargs={"stride": (2, 1), "padding": (0, 1)}),
        Case((2, 3, 2, 2), (3, 1, 2, 2), kwargs={"groups": 3}),
        Case((2, 3, 2, 2), (3, 2, 1, 1), (2,)),
    ),
    _row("conv_transpose3d", conv_transpose, Case((1, 2, 2, 1, 2), (2, 2, 2, 2, 1), (2,))),
    Row(
        "nn.conv_weight",
        _conv_weight,
        _conv_weight_twin,
        [Case((2, 4, 3, 3), (2, 2, 2, 3))],
        method=False,
        primitives=["conv_weight"],
    ),
]
