"""Rows of pooling and unpooling in `nn/functional`, with loops over windows for twins."""

import itertools

import numpy as np
from op_rows.nn_conv import places, spread
from op_table import Case, Row

from nn import functional


def _pooled(reduce, x, kernel, stride=None, padding=0, dilation=1, fill=0.0):
    n = x.ndim - 2
    kernel = spread(kernel, n)
    stride = kernel if stride is None else spread(stride, n)
    dilation = spread(dilation, n)
    x = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in spread(padding, n)]], constant_values=fill)
    lengths = zip(x.shape[2:], kernel, stride, dilation, strict=True)
    count = tuple((z - d * (k - 1) - 1) // s + 1 for z, k, s, d in lengths)
    out = np.zeros((*x.shape[:2], *count), x.dtype)
    for p, window in places(count, kernel, stride, dilation):
        out[(..., *p)] = reduce(x[(..., *window)], axis=tuple(range(2, n + 2)))
    return out


def _max_pool(x, kernel, stride=None, padding=0, dilation=1):
    return _pooled(np.max, x, kernel, stride, padding, dilation, fill=-np.inf)


def _avg_pool(x, kernel, stride=None, padding=0):
    return _pooled(np.mean, x, kernel, stride, padding)


def _lp_pool(x, p, kernel, stride=None):
    return _pooled(lambda part, axis: (part**p).sum(axis) ** (1 / p), x, kernel, stride)


def _adaptive(reduce):
    def pooled(x, output_size):
        sizes = [m or z for m, z in zip(spread(output_size, x.ndim - 2), x.shape[2:], strict=True)]
        out = np.zeros((*x.shape[:2], *sizes), x.dtype)
        for p in itertools.product(*map(range, sizes)):
            stretch = [
                slice(int(np.floor(i * z / m)), int(np.ceil((i + 1) * z / m)))
                for i, z, m in zip(p, x.shape[2:], sizes, strict=True)
            ]
            out[(..., *p)] = reduce(x[(..., *stretch)], axis=tuple(range(2, x.ndim)))
        return out

    return pooled


def _max_unpool(x, indices, kernel, **_):
    out = np.zeros((*x.shape[:2], x.shape[2] * kernel))
    for n, c, i in np.ndindex(x.shape):
        out[n, c, indices[n, c, i]] = x[n, c, i]
    return out


def _windows(x):
    from nn.functional._windows import windows_over

    return windows_over("pool", x.shape[2:], (2, 2), (1, 2), ((0, 0), (0, 0)), (1, 1))


def _unpool(x, values):
    """Put numbers where the largest elements of overlapping windows are, and read them."""
    from nn.functional._pooling import chosen, max_pool, pool_at, unpool

    windows = _windows(x)
    choice = chosen(x, max_pool(x, windows), windows)
    return unpool(values, choice, windows), pool_at(x * x, choice, windows)


def _unpool_twin(x, values):
    wide = np.zeros_like(x)
    read = np.zeros_like(values)
    for p, window in places(values.shape[2:], (2, 2), (1, 2), 1):
        for n, c in np.ndindex(x.shape[:2]):
            part = x[(n, c, *window)]
            at = np.unravel_index(part.argmax(), part.shape)
            wide[(n, c, *window)][at] += values[(n, c, *p)]
            read[(n, c, *p)] = part[at] ** 2
    return wide, read


def _sum_unpool(values):
    from nn.functional._pooling import sum_unpool
    from nn.functional._windows import Windows

    return sum_unpool(values, Windows((4, 4), (2, 2), (1, 2), (1, 1), (0, 0), (3, 2)))


def _sum_unpool_twin(values):
    out = np.zeros((*values.shape[:2], 4, 4), values.dtype)
    for p, window in places((3, 2), (2, 2), (1, 2), 1):
        out[(..., *window)] += values[(..., *p)][..., None, None]
    return out


def _row(name, twin, *cases, **options):
    function = getattr(functional, name.partition("[")[0])
    return Row(f"nn.{name}", function, twin, cases, method=False, **options)


def _distinct(*shape, args=(), **kwargs):
    return Case(shape, domain="distinct", args=args, kwargs=kwargs)


ROWS = [
    _row(
        "max_pool1d",
        _max_pool,
        _distinct(2, 2, 6, args=(2,)),
        _distinct(2, 2, 7, args=(3,), stride=1, padding=1, dilation=2),
        primitives=["max_pool"],
    ),
    _row(
        "max_pool2d",
        _max_pool,
        _distinct(2, 2, 4, 5, args=(2,)),
        _distinct(1, 2, 5, 4, args=((3, 2), (2, 1)), padding=(1, 0)),
    ),
    _row("max_pool3d", _max_pool, _distinct(1, 2, 3, 2, 4, args=(2, 1))),
    Row(
        "nn.unpool",
        _unpool,
        _unpool_twin,
        [Case((1, 2, 3, 4), (1, 2, 2, 2), domain=("distinct", "real"))],
        method=False,
        primitives=["unpool", "pool_at"],
    ),
    _row(
        "max_unpool1d",
        _max_unpool,
        Case(
            make=lambda rng: (
                rng.normal(size=(2, 1, 3)),
                np.array([[[1, 2, 5]], [[0, 0, 4]]]),
                2,
            )
        ),
    ),
    _row("avg_pool1d", _avg_pool, Case((2, 2, 6), args=(2,)), complex=True),
    _row(
        "avg_pool2d",
        _avg_pool,
        Case((2, 2, 4, 4), args=(2,)),
        Case((1, 2, 5, 4), args=((3, 2), (2, 1), (1, 0))),
        primitives=["sum_pool"],
    ),
    _row("avg_pool3d", _avg_pool, Case((1, 2, 3, 2, 4), args=(2, 1))),
    Row(
        "nn.sum_unpool",
        _sum_unpool,
        _sum_unpool_twin,
        [Case((1, 2, 3, 2))],
        method=False,
        primitives=["sum_unpool"],
    ),
    _row("lp_pool1d", _lp_pool, Case((2, 2, 6), args=(2, 2))),
    _row("lp_pool2d", _lp_pool, Case((2, 1, 4, 4), domain="positive", args=(1.5, 3, 1))),
    _row("lp_pool3d", _lp_pool, Case((1, 1, 2, 3, 2), domain="positive", args=(3, 2, 1))),
    _row("adaptive_max_pool1d", _adaptive(np.max), _distinct(2, 2, 7, args=(3,))),
    _row(
        "adaptive_max_pool2d",
        _adaptive(np.max),
        _distinct(1, 2, 5, 4, args=((2, 4),)),
        _distinct(1, 2, 4, 4, args=(2,)),
    ),
    _row("adaptive_max_pool3d", _adaptive(np.max), _distinct(1, 2, 3, 2, 4, args=((2, None, 3),))),
    _row("adaptive_avg_pool1d", _adaptive(np.mean), Case((2, 2, 7), args=(3,))),
    _row(
        "adaptive_avg_pool2d",
        _adaptive(np.mean),
        Case((1, 2, 5, 4), args=((2, 4),)),
        Case((2, 2, 4, 4), args=(1,)),
        primitives=["resample"],
    ),
    _row("adaptive_avg_pool3d", _adaptive(np.mean), Case((1, 2, 3, 2, 4), args=((2, None, 3),))),
    Row(
        "nn.fractional_max_pool2d",
        lambda x: functional.fractional_max_pool2d(x, 2, output_size=3, generator=0),
        None,
        [_distinct(1, 2, 6, 5)],
        method=False,
    ),
    Row(
        "nn.fractional_max_pool3d",
        lambda x: functional.fractional_max_pool3d(x, 2, output_ratio=0.7, generator=0),
        None,
        [_distinct(1, 1, 3, 4, 3)],
        method=False,
    ),
]
