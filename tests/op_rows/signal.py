"""Rows of `autograd/signal.py`."""

import importlib

import numpy as np
from op_table import Case, Row

from autograd import signal
from autograd._optional import available

SHAPES = [((5,), (3,)), ((2,), (4,)), ((4, 3), (2, 3)), ((2, 3, 2), (2, 2, 2))]


def _cases(*names):
    return [
        Case(*shapes, kwargs={"mode": mode, "method": method})
        for shapes in SHAPES[:3]
        for mode in names
        for method in ("direct", "fft")
    ] + [Case(*SHAPES[3], kwargs={"mode": names[0]})]


def _layer(x, y):
    """A layer of a network as a sum over windows, without reversal: (N, C, H), (F, C, K)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, y.shape[-1], axis=-1)
    return np.einsum("nchk,fck->nfh", windows, y)


ROWS = [
    Row(
        "signal.convolve[axes]",
        lambda x, y: signal.convolve(x, y[..., ::-1], ([2], [-1]), ([1], [1]), "valid"),
        _layer,
        [Case((2, 3, 5), (4, 3, 2))],
        complex=True,
        method=False,
        primitives=("signal.convolve",),
    ),
    Row(
        "signal.convolve[full, axes]",
        lambda x, y: signal.convolve(x, y, ([0, 2], [2, 1]), ([1], [0])),
        None,
        [Case((4, 3, 2), (3, 2, 3))],
        method=False,
        primitives=("signal.convolve",),
    ),
    Row(
        "signal.convolve[no axes]",
        lambda x, y: signal.convolve(x, y, ((), ()), ([1], [0])),
        lambda x, y: x @ y,
        [Case((2, 3), (3, 4))],
        method=False,
    ),
]

scipy_signal = importlib.import_module("scipy.signal") if available("scipy") else None
if scipy_signal:
    for name in ("convolve", "correlate"):
        ROWS += [
            Row(
                f"signal.{name}[{mode}]",
                getattr(signal, name),
                getattr(scipy_signal, name),
                _cases(mode),
                complex=True,
                method=False,
                primitives=("signal.convolve",),
            )
            for mode in ("full", "same", "valid")
        ]
