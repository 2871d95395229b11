"""Rows of the layers in `nn/functional`: linear, bilinear, embedding, dropout, normalisation."""

import numpy as np
from op_table import Case, Row

from nn import functional


def _row(name, twin, *cases, **options):
    return Row(
        f"nn.{name}",
        getattr(functional, name.partition("[")[0]),
        twin,
        cases,
        method=False,
        **options,
    )


def _normalised(x, axis, eps=1e-5):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)


def _channels(a, ndim):
    return a.reshape((-1,) + (1,) * (ndim - 2))


def _batch_norm(x, mean, var, weight=None, bias=None, training=False, eps=1e-5):
    if training:
        z = _normalised(x, (0, *range(2, x.ndim)), eps)
    else:
        z = (x - _channels(mean, x.ndim)) / np.sqrt(_channels(var, x.ndim) + eps)
    weight, bias = (
        (1.0, 0.0) if weight is None else (_channels(weight, x.ndim), _channels(bias, x.ndim))
    )
    return z * weight + bias


def _group_norm(x, groups, weight, bias, eps=1e-5):
    grouped = x.reshape((x.shape[0], groups, -1))
    z = _normalised(grouped, 2, eps).reshape(x.shape)
    return z * _channels(weight, x.ndim) + _channels(bias, x.ndim)


def _instance_norm(x, mean, var, weight=None, bias=None, use_input_stats=True, eps=1e-5):
    if not use_input_stats:
        return _batch_norm(x, mean, var, weight, bias, False, eps)
    axis = tuple(range(2, x.ndim))
    return _normalised(x, axis, eps) * _channels(weight, x.ndim) + _channels(bias, x.ndim)


def _local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    low = size // 2
    wide = np.pad(x * x, [(0, 0), (low, size - 1 - low), *[(0, 0)] * (x.ndim - 2)])
    mean = np.stack([wide[:, c : c + size].sum(1) for c in range(x.shape[1])], 1) / size
    return x / (k + alpha * mean) ** beta


def _used_statistics(x):
    from nn.functional._normalization import standardize

    z, mean, variance = standardize(x, (0,), 0.1)
    return z * mean, np.exp(variance) + z


ROWS = [
    _row(
        "linear",
        lambda x, w, b=None: np.einsum("...i,oi->...o", x, w) + (0.0 if b is None else b),
        Case((4, 3), (2, 3), (2,)),
        Case((4, 3), (2, 3)),
        Case((3,), (2, 3), (2,)),
        Case((2, 4, 3), (2, 3), (2,)),
        Case((0, 3), (2, 3), (2,)),
        complex=True,
        primitives=["linear"],
    ),
    _row(
        "bilinear",
        lambda x, y, w, b=None: (
            np.einsum("...i,oij,...j->...o", x, w, y) + (0.0 if b is None else b)
        ),
        Case((4, 3), (4, 2), (5, 3, 2), (5,)),
        Case((3,), (2,), (5, 3, 2)),
        Case((2, 2, 3), (2, 2, 2), (1, 3, 2), (1,)),
    ),
    _row(
        "embedding",
        lambda i, w: w[i],
        Case(make=lambda rng: ([[1, 0], [1, 2]], rng.normal(size=(4, 3)))),
        Case(make=lambda rng: (np.array(2), rng.normal(size=(4, 3)))),
    ),
    _row(
        "dropout",
        lambda x, generator, p=0.5: (
            x * (np.random.default_rng(generator).random(x.shape, np.float32) >= p) / (1 - p)
        ),
        Case((3, 4), kwargs={"generator": 0}),
        Case((3, 4), kwargs={"generator": 1, "p": 0.2}),
        primitives=["dropout"],
    ),
    Row(
        "nn.alpha_dropout",
        lambda x: functional.alpha_dropout(x, 0.3, True, generator=0),
        None,
        [Case((3, 4))],
        method=False,
    ),
    Row(
        "nn.feature_alpha_dropout",
        lambda x: functional.feature_alpha_dropout(x, 0.3, True, generator=0),
        None,
        [Case((2, 3, 4))],
        method=False,
    ),
    _row(
        "layer_norm",
        lambda x, shape, w=1.0, b=0.0, eps=1e-5: (
            _normalised(x, tuple(range(-len(shape), 0)), eps) * w + b
        ),
        Case(
            make=lambda rng: (rng.normal(size=(3, 4)), (4,), rng.normal(size=4), rng.normal(size=4))
        ),
        Case(make=lambda rng: (rng.normal(size=(2, 3, 2)), (3, 2)), kwargs={"eps": 0.1}),
        primitives=["layer_norm"],
        rtol=1e-5,
    ),
    _row(
        "rms_norm",
        lambda x, shape, w=1.0, eps=2.0**-52: x / np.sqrt((x**2).mean(-1, keepdims=True) + eps) * w,
        Case(make=lambda rng: (rng.normal(size=(3, 4)), (4,), rng.normal(size=4))),
        Case(make=lambda rng: (rng.normal(size=(3, 4)), (4,)), kwargs={"eps": 0.1}),
    ),
    _row(
        "batch_norm",
        _batch_norm,
        Case((4, 3), (3,), (3,), domain=("real", "real", "positive")),
        Case(
            (4, 3, 2), (3,), (3,), (3,), (3,), domain=("real", "real", "positive", "real", "real")
        ),
    ),
    _row(
        "batch_norm[training]",
        _batch_norm,
        Case(make=lambda rng: (rng.normal(size=(5, 3)), None, None), kwargs={"training": True}),
        Case(
            make=lambda rng: (
                rng.normal(size=(2, 3, 2)),
                None,
                None,
                rng.normal(size=3),
                rng.normal(size=3),
            ),
            kwargs={"training": True, "eps": 0.1},
        ),
        rtol=1e-5,
    ),
    _row(
        "group_norm",
        _group_norm,
        Case(
            make=lambda rng: (rng.normal(size=(2, 4, 3)), 2, rng.normal(size=4), rng.normal(size=4))
        ),
        Case(make=lambda rng: (rng.normal(size=(2, 6)), 2, rng.normal(size=6), rng.normal(size=6))),
        rtol=1e-5,
    ),
    _row(
        "instance_norm",
        _instance_norm,
        Case(
            make=lambda rng: (
                rng.normal(size=(2, 3, 4)),
                None,
                None,
                rng.normal(size=3),
                rng.normal(size=3),
            )
        ),
        Case(
            (2, 3, 4),
            (3,),
            (3,),
            domain=("real", "real", "positive"),
            kwargs={"use_input_stats": False},
        ),
        rtol=1e-5,
    ),
    _row(
        "local_response_norm",
        _local_response_norm,
        Case((2, 5, 3), args=(3,), kwargs={"alpha": 0.5}),
        Case((2, 3, 2, 2), args=(4, 0.5, 0.3, 2.0)),
    ),
    _row(
        "normalize",
        lambda x, p=2.0, axis=1: x / (np.abs(x) ** p).sum(axis, keepdims=True) ** (1 / p),
        Case((3, 4)),
        Case((3, 4), kwargs={"p": 3.0, "axis": 0}),
        Case((3, 4), kwargs={"p": 1.0}),
    ),
    Row("nn.standardize", _used_statistics, None, [Case((5, 3))], method=False),
]
