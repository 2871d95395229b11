"""Products that sum: matmul and its family. Imports `_primitive`, `_graph` and NumPy."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd._graph import unbroadcast
from autograd._primitive import binary


def _matmul_x(g: Any, y: Any, x_shape: tuple[int, ...]) -> Any:
    """Pull back to the left operand: g @ y^T, with NumPy's treatment of vectors and batches."""
    if y.ndim == 1:
        gx = g[..., None] * y
    elif len(x_shape) == 1:
        gx = (y @ g[..., None])[..., 0]
    else:
        gx = g @ y.swapaxes(-1, -2)
    return gx if gx.shape == x_shape else unbroadcast(gx, x_shape)


def _matmul_y(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    """Pull back to the right operand: x^T @ g."""
    if x.ndim == 1:
        gy = x[:, None] * g[..., None, :] if len(y_shape) > 1 else x * g
    elif len(y_shape) == 1:
        gy = (x.swapaxes(-1, -2) @ g[..., None])[..., 0]
    else:
        gy = x.swapaxes(-1, -2) @ g
    return gy if gy.shape == y_shape else unbroadcast(gy, y_shape)


matmul = binary(np.matmul, fast=operator.matmul, elementwise=False, x=_matmul_x, y=_matmul_y)
