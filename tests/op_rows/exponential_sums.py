"""Rows of `autograd/ops/exponential_sums.py`; the twins are the plain formulas."""

import numpy as np
from op_table import Case, Row

import autograd

AXES = (
    Case((2, 3)),
    Case((2, 3, 2), kwargs={"axis": 1}),
    Case((2, 3, 2), kwargs={"axis": (0, -1)}),
    Case((2, 3), kwargs={"axis": None}),
)


def _logsumexp(x, axis=None, keepdims=False):
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def _softmax(x, axis=-1):
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


def _far(rng, shape):
    return 1e3 + rng.normal(size=shape)


ROWS = [
    Row(
        "logsumexp",
        autograd.logsumexp,
        _logsumexp,
        [*AXES, Case((2, 3), kwargs={"axis": -1, "keepdims": True}), Case(())],
    ),
    Row(
        "logsumexp[b]",
        lambda x, b: autograd.logsumexp(x, axis=1, b=b),
        lambda x, b: np.log(np.sum(b * np.exp(x), axis=1)),
        [
            Case((2, 3), (2, 3), domain=("real", "positive")),
            Case((2, 3), (3,), domain=("real", "positive")),
        ],
        primitives=("log", "sum"),
    ),
    Row(
        "logsumexp[far]",
        autograd.logsumexp,
        lambda x, axis=None: 1e3 + _logsumexp(x - 1e3, axis),
        [Case((2, 3), domain=_far, kwargs={"axis": 1}), Case((4,), domain=_far)],
        method=False,
    ),
    Row(
        "logsumexp[b, zeros]",
        lambda x, b: autograd.logsumexp(x, axis=-1, b=b),
        None,
        [
            Case(make=lambda rng: (np.array([0.5, 800.0]), np.array([1.0, 0.0])), diff=[0]),
            Case(make=lambda rng: (rng.normal(size=3), np.array([[1.0, 2.0, 0.0]] * 2))),
            Case(make=lambda rng: (rng.normal(size=3), np.array([3, 0, 1], np.uint8))),
        ],
        method=False,
    ),
    Row("softmax", autograd.softmax, _softmax, AXES),
    Row("log_softmax", autograd.log_softmax, lambda x, axis=-1: np.log(_softmax(x, axis)), AXES),
    Row(
        "logcumsumexp",
        autograd.logcumsumexp,
        lambda x, axis=None: np.log(np.cumsum(np.exp(x), axis=axis)),
        [
            Case((5,)),
            Case((2, 3)),
            Case((2, 4), kwargs={"axis": 1}),
            Case((3, 2), kwargs={"axis": -2}),
            Case((1,)),
        ],
    ),
    Row(
        "logcumsumexp[far]",
        autograd.logcumsumexp,
        lambda x, axis=None: 1e3 + np.log(np.cumsum(np.exp(x - 1e3), axis=axis)),
        [Case((5,), domain=_far)],
        method=False,
    ),
]
