"""DistributedSampler: the share of one rank in every epoch. Imports `_data` and `_group`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nn._data import Indices, Sampler
from nn.parallel._group import ranks_of

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler):
    """Read every item of a dataset on one rank, in an order that all ranks know.

    Rank r of R reads items r, r + R, r + 2 R ... of the order of an epoch, so batches of size B on
    each rank are together the batches of size R B of one process. The order depends on the seed and
    the number of the epoch alone: a training that is resumed on another number of ranks goes on
    with the same order.

    Args:
        data_source: Anything with a length, the same on all ranks.
        comm: An MPI communicator; all processes that mpiexec has started by default.
        shuffle: Whether each epoch has a new order.
        seed: Of the orders.
        pad: Repeat the first items of an order at its end, so that all ranks read equally many, as
            training needs; False gives each item to one rank, as measuring does.

    Raises:
        ValueError: A negative seed.

    Example:
        >>> import nn
        >>> sampler = nn.parallel.DistributedSampler(range(4), seed=0)
        >>> sorted(sampler)
        [0, 1, 2, 3]
    """

    def __init__(
        self,
        data_source: Any,
        comm: Any = None,
        *,
        shuffle: bool = True,
        seed: int = 0,
        pad: bool = True,
    ) -> None:
        if seed < 0:
            raise ValueError(f"DistributedSampler: wanted a seed of at least 0, got {seed}")
        self.rank, self.size = ranks_of("DistributedSampler", comm)
        self.data_source, self.shuffle, self.seed, self.pad = data_source, shuffle, seed, pad
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the number of the next epoch, from 0; reading an epoch sets the one after it."""
        self.epoch = epoch

    def order(self) -> Indices:
        """Return the items of this rank in the next epoch."""
        n = len(self.data_source)
        rng = np.random.default_rng((self.seed, self.epoch))
        order = rng.permutation(n) if self.shuffle else np.arange(n)
        if self.pad and n:
            order = np.resize(order, -(-n // self.size) * self.size)
        self.epoch += 1
        return order[self.rank :: self.size]

    def __len__(self) -> int:
        n = len(self.data_source)
        extra = self.size - 1 - (0 if self.pad else self.rank)
        return (n + extra) // self.size

    def __repr__(self) -> str:
        return (
            f"DistributedSampler({len(self)} of {len(self.data_source)} items, rank {self.rank} of "
            f"{self.size})"
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the number of the next epoch, and the seed."""
        return {"epoch": self.epoch, "seed": self.seed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue with the epochs of a saved state, on any number of ranks."""
        counts = list(state.values())
        if set(state) != {"epoch", "seed"} or not all(type(n) is int and n >= 0 for n in counts):
            raise ValueError(
                "DistributedSampler: wanted a state with the counts 'epoch' and 'seed', got "
                f"{sorted(state)}"
            )
        self.epoch, self.seed = state["epoch"], state["seed"]
