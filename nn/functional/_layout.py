"""Where the arrays of a convolution lie in memory, and the rows of windows (im2col).

Windows are copied to the rows of a matrix, so that one matrix product does the work. For G groups
of C/G channels, K elements of the kernel and P windows, arrays have these logical axes:

    space   (G, N, *size, C/G)
    rows    (G, N, *count, *kernel, C/G), reshaped to (G, N P, K C/G)

Their order in memory is chosen by how much is copied at a time. "Channels first" copies runs along
the last axis of the space: 5 x 5 kernels on 1 x 28 x 28 take 0.7 ms, 2 ms the other way. "Channels
last" copies the channels of all elements in a line of the kernel: 3 x 3 on 64 x 8 x 8 take 1.9 ms,
3.4 ms the other way. Results stay as they lie, seen as (N, C, *size): elementwise functions,
pooling and the next convolution take them so. Imports NumPy and `_windows`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from nn.functional._windows import Sizes, Windows

# Elements of the scratch that rows are copied to, part by part: 1 MB of float32 stays in cache
# (3 x 3 on 16 x 64 x 32 x 32: 15 ms; all rows at once 22 ms).
SCRATCH = 1 << 18


class _Order:
    """An order of axes in memory."""

    def __init__(self, axes: Sizes) -> None:
        self.axes = axes
        self.inverse = sorted(range(len(axes)), key=axes.__getitem__)

    def new(self, shape: Sizes, dtype: Any, make: Any = np.empty) -> Any:
        """Make an array of `shape` whose axes lie in memory in this order."""
        return make([shape[axis] for axis in self.axes], dtype).transpose(self.inverse)

    def ordered(self, x: Any) -> Any:
        """Return `x` with its axes in memory in this order, copied where they are not."""
        return np.ascontiguousarray(x.transpose(self.axes)).transpose(self.inverse)


@functools.lru_cache(maxsize=1024)
class Layout:
    """The shapes of one convolution, and where the axes of its arrays lie in memory."""

    def __init__(self, windows: Windows, n: int, channels: int, out: int, groups: int) -> None:
        self.windows, self.n, self.groups = windows, n, groups
        self.channels, self.out = channels // groups, out // groups
        d = len(windows.size)
        spatial, kernel = tuple(range(2, d + 2)), tuple(range(d + 2, 2 * d + 2))
        run = windows.kernel[-1] * channels if groups == 1 else self.channels
        if run > windows.count[-1]:  # channels last
            self.space = _Order((1, *spatial, 0, d + 2))
            self.rows = _Order((0, 1, *spatial, *kernel, 2 * d + 2))
        else:
            self.space = _Order((0, d + 2, 1, *spatial))
            self.rows = _Order((0, *kernel, 2 * d + 2, 1, *spatial))

    def grouped(self, x: Any) -> Any:
        """View (N, C, *size) as (G, N, *size, C/G)."""
        n, c, *size = x.shape
        x = x.reshape((n, self.groups, c // self.groups, *size))
        return x.transpose((1, 0, *range(3, x.ndim), 2))

    def ungrouped(self, x: Any) -> Any:
        """View (G, N, *size, C/G) as (N, C, *size)."""
        x = x.transpose((1, 0, x.ndim - 1, *range(2, x.ndim - 1)))
        n, g, c, *size = x.shape
        return x.reshape((n, g * c, *size))

    def new(self, size: Sizes, channels: int, dtype: Any, make: Any = np.empty) -> Any:
        """Make an array of shape (G, N, *size, channels)."""
        return self.space.new((self.groups, self.n, *size, channels), dtype, make)

    def fit(self, elements: int) -> int:
        """Return how many parts of so many elements for each group fit the scratch, at least 1."""
        return max(1, SCRATCH // max(1, self.groups * elements))

    def matrices(self, x: Any, dtype: Any) -> Iterator[tuple[slice, Any]]:
        """Yield some rows of windows at a time, (G, rows, K C/G), of `x` (N, C, *size).

        Each comes with the slice of the N P rows that they are.
        """
        windows = self.windows
        x = self.grouped(x)
        if windows.span == windows.size:
            padded = self.space.ordered(x)
        else:
            padded = self.new(windows.span, self.channels, dtype, np.zeros)
            padded[(*windows.inside, slice(None))] = x
        view = windows.view(padded)
        lines, line = windows.count[0], math.prod(windows.count[1:])
        width = math.prod(windows.kernel) * self.channels
        fit = self.fit(line * width)
        samples, fit = max(1, min(fit // lines, self.n)), min(fit, lines)
        shape = (self.groups, samples, fit, *view.shape[3:])
        scratch = self.rows.new(shape, dtype)
        for i in range(0, self.n, samples):
            for p in range(0, lines, fit):
                some = view[:, i : i + samples, p : p + fit]
                rows = scratch[:, : some.shape[1], : some.shape[2]]
                rows[...] = some
                start = (i * lines + p) * line
                stop = start + some.shape[1] * some.shape[2] * line
                yield slice(start, stop), rows.reshape((self.groups, stop - start, width))
