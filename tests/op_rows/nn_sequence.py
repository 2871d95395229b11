"""Rows of what works on sequences and tables: recurrent cells, attention, bags, softmax.

Whole recurrent layers are compared with a plain loop in `tests/nn/test_recurrent.py`.
"""

import numpy as np
from op_table import Case, Row

from nn import functional
from nn.utils import rnn


def _row(name, function, twin, *cases, **options):
    return Row(f"nn.{name}", function, twin, cases, method=False, **options)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _elman(x, h, w_ih, w_hh, b_ih, b_hh):
    return np.tanh(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh)


def _lstm(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = np.split(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, axis=-1)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c), c


def _gru(x, h, w_ih, w_hh, b_ih, b_hh):
    (ar, az, an), (rr, rz, rn) = (
        np.split(a, 3, axis=-1) for a in (x @ w_ih.T + b_ih, h @ w_hh.T + b_hh)
    )
    update = _sigmoid(az + rz)
    return (1 - update) * np.tanh(an + _sigmoid(ar + rr) * rn) + update * h


def _both_ways(x, w, u):
    sides = []
    for sequence in (x, x[::-1]):
        h, found = np.zeros((x.shape[1], len(u))), []
        for row in sequence:
            h = np.tanh(row @ w.T + h @ u.T)
            found.append(h)
        sides.append(np.stack(found))
    return np.concatenate((sides[0], sides[1][::-1]), axis=-1)


def _cell(mode):
    if mode == "LSTM":
        return lambda x, h, c, *p: functional.recurrent_cell(mode, x, (h, c), *p)
    return lambda x, h, *p: functional.recurrent_cell(mode, x, h, *p)


def _shapes(gates, states, *batch):
    weights = ((gates * 3, 2), (gates * 3, 3), (gates * 3,), (gates * 3,))
    return [(*batch, 2), *[(*batch, 3)] * states, *weights]


def _attention(q, k, v, bias=0.0, scale=None):
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale) + bias
    powers = np.exp(scores)
    return powers / powers.sum(-1, keepdims=True) @ v


MASK = np.array([[1, 0, 1, 1], [0, 1, 0, 0], [1, 1, 1, 1]], bool)


def _bag(weight, bags, mode, factors=None):
    out = []
    for i, bag in enumerate(bags):
        rows = weight[list(bag)] * (1 if factors is None else np.array(factors[i])[:, None])
        found = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode](rows, 0) if bag else 0
        out.append(np.zeros(weight.shape[1]) + found)
    return np.array(out)


def _bags_of(mode):
    index, offsets = np.array([2, 0, 0, 1, 3, 3]), np.array([0, 3, 3, 5])
    return _row(
        f"embedding_bag[{mode}]",
        lambda w: functional.embedding_bag(index, w, offsets, mode=mode),
        lambda w: _bag(w, [(2, 0, 0), (), (1, 3), (3,)], mode),
        Case((4, 2), domain="distinct"),
    )


def _softmax(x, axis=-1, sign=1):
    powers = np.exp(sign * x)
    return powers / powers.sum(axis, keepdims=True)


LENGTHS = np.array([2, 3, 1])


def _unpacked(x):
    packed = rnn.pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    return rnn.pad_packed_sequence(packed, padding_value=7.0)[0]


ROWS = [
    _row("recurrent_cell[tanh]", _cell("RNN_TANH"), _elman, Case(*_shapes(1, 1, 4))),
    _row("recurrent_cell[LSTM]", _cell("LSTM"), _lstm, Case(*_shapes(4, 2, 2), order=2)),
    _row("recurrent_cell[GRU]", _cell("GRU"), _gru, Case(*_shapes(3, 1, 2)), Case(*_shapes(3, 1))),
    _row(
        "scaled_dot_product_attention",
        functional.scaled_dot_product_attention,
        _attention,
        Case((2, 3, 4), (2, 5, 4), (2, 5, 2)),
        Case((3, 4), (5, 4), (5, 2), kwargs={"scale": 0.2}),
    ),
    _row(
        "scaled_dot_product_attention[mask]",
        lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, MASK),
        lambda q, k, v: _attention(q, k, v, np.where(MASK, 0, -np.inf)),
        Case((2, 3, 2), (2, 4, 2), (2, 4, 3)),
    ),
    _row(
        "scaled_dot_product_attention[bias]",
        functional.scaled_dot_product_attention,
        _attention,
        Case((2, 3, 2), (2, 4, 2), (2, 4, 3), (3, 4)),
    ),
    _row(
        "scaled_dot_product_attention[causal]",
        lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, is_causal=True),
        lambda q, k, v: _attention(q, k, v, np.where(np.tri(3, 4) > 0, 0, -np.inf)),
        Case((3, 2), (4, 2), (4, 3)),
    ),
    _row(
        "recurrent[bidirectional]",
        lambda x, w, u: functional.recurrent("RNN_TANH", x, None, [[(w, u, None, None, None)] * 2])[
            0
        ],
        _both_ways,
        Case((3, 2, 2), (3, 2), (3, 3)),
    ),
    _row(
        "embedding[frequency]",
        lambda w: functional.embedding([2, 0], w, scale_grad_by_freq=True),
        lambda w: w[[2, 0]],
        Case((3, 2)),
    ),
    _bags_of("sum"),
    _bags_of("mean"),
    _bags_of("max"),
    _row(
        "embedding_bag[factors]",
        lambda w, f: functional.embedding_bag(
            [[2, 0], [1, 1]], w, mode="sum", per_sample_weights=f
        ),
        lambda w, f: _bag(w, [(2, 0), (1, 1)], "sum", f),
        Case((3, 2), (2, 2)),
    ),
    _row("softmax", functional.softmax, _softmax, Case((3, 4)), Case((2, 3, 2), args=(1,))),
    _row(
        "softmin[axis]",
        functional.softmin,
        lambda x, a=-1: _softmax(x, a, -1),
        Case((3, 4), args=(0,)),
    ),
    _row(
        "log_softmax",
        functional.log_softmax,
        lambda x, axis=-1: np.log(_softmax(x, axis)),
        Case((3, 4)),
        Case((2, 3, 2), kwargs={"axis": 1}),
    ),
    _row(
        "pack_padded_sequence",
        _unpacked,
        lambda x: np.where((np.arange(3)[:, None] < LENGTHS)[..., None], x[:3], 7.0),
        Case((4, 3, 2)),
    ),
    _row(
        "pad_sequence",
        lambda *xs: rnn.pad_sequence(xs, padding_side="left"),
        lambda x, y: np.stack([np.concatenate((np.zeros((2, 2)), x)), y], axis=1),
        Case((1, 2), (3, 2)),
    ),
]
