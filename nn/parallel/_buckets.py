"""Gradients in flat buckets, whose sums over the ranks begin while backward goes on.

Parameters are filled in from the last to the first, about the order in which backward reaches them
(Li et al., PyTorch Distributed, VLDB 2020, section 3.2). Imports `_group`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nn.parallel._group import Group

__all__ = ["Buckets"]

_WHAT = "the sum of gradients"


class _Bucket:
    """Some gradients of one dtype, side by side."""

    def __init__(self, dtype: np.dtype[Any], members: list[int], parameters: Sequence[Any]) -> None:
        ends = np.cumsum([parameters[i].size for i in members])
        self.flat = np.zeros(int(ends[-1]), dtype)
        parts = np.split(self.flat, ends[:-1])
        self.views = {
            i: part.reshape(parameters[i].shape) for i, part in zip(members, parts, strict=True)
        }
        self.left = set(members)  # whose gradients are not there yet


class Buckets:
    """The gradients of one backward pass, on their way to all ranks.

    All ranks begin the sums in the same order, whatever the order in which gradients come: a bucket
    waits until those before it have begun.

    Args:
        group: the ranks.
        parameters: in the order of the model.
        bucket_bytes: a bucket is closed when it holds as many.
        mean: weigh each rank by its samples, and divide by all of them.
    """

    def __init__(
        self, group: Group, parameters: Sequence[Any], bucket_bytes: int, *, mean: bool
    ) -> None:
        self._group, self._mean, self._count = group, mean, len(parameters)
        self.buckets: list[_Bucket] = []
        members: list[int] = []
        for i in reversed(range(len(parameters))):
            if members and parameters[i].dtype != parameters[members[0]].dtype:
                self._close(members, parameters)
                members = []
            members.append(i)
            if sum(parameters[j].data.nbytes for j in members) >= bucket_bytes:
                self._close(members, parameters)
                members = []
        if members:
            self._close(members, parameters)
        self._of = {i: bucket for bucket in self.buckets for i in bucket.views}
        self._requests: list[Any] = []
        self._begun = 0

    def _close(self, members: list[int], parameters: Sequence[Any]) -> None:
        self.buckets.append(_Bucket(parameters[members[0]].dtype, members, parameters))

    def __len__(self) -> int:
        return len(self.buckets)

    def begin(self, samples: int) -> None:
        """Forget the gradients of the pass before."""
        self._samples = samples
        self._seen = np.zeros(1 + self._count)
        self._seen[0] = samples
        self._requests, self._begun = [], 0
        for bucket in self.buckets:
            bucket.left = set(bucket.views)

    def add(self, i: int, g: Any) -> None:
        """Take the gradient of parameter `i`; begin the sums that are complete."""
        self._fill(i, g)
        self._seen[1 + i] = 1.0
        self._start()
        self._group.advance(self._requests)

    def _fill(self, i: int, g: Any) -> None:
        bucket = self._of[i]
        weight = self._samples if self._mean else 1
        # A mean over no samples is nan, and counts for nothing.
        if weight:
            np.multiply(g, weight, out=bucket.views[i])
        else:
            bucket.views[i].fill(0)
        bucket.left.discard(i)

    def _start(self) -> None:
        while self._begun < len(self.buckets) and not self.buckets[self._begun].left:
            self._requests.append(self._group.start_sum(self.buckets[self._begun].flat))
            self._begun += 1

    def finish(self) -> list[Any]:
        """Return the sums or means as new arrays, None where no rank had a gradient."""
        for bucket in self.buckets:
            for i in tuple(bucket.left):
                self._fill(i, 0.0)
        self._start()
        self._requests.append(self._group.start_sum(self._seen))
        self._group.wait(self._requests, _WHAT)
        found = []
        for i in range(self._count):
            g = self._of[i].views[i].copy() if self._seen[1 + i] else None
            if g is not None and self._mean:
                g /= self._seen[0]
            found.append(g)
        return found
