"""ShardedOptimizer: the state of an optimizer in parts, one on each rank. Imports `_group`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nn.parallel._group import group_of

__all__ = ["ShardedOptimizer"]


class ShardedOptimizer:
    """An optimizer whose state is spread over the ranks: each rank steps its share of the
    parameters, and sends the result to the others.

    For Adam that leaves 2 / R numbers per parameter on each of R ranks, where the optimizer alone
    has 2 on every one. What comes out is the same, bit for bit.

    Args:
        optimizer: Made with all parameters, as without it; it must treat each parameter by itself.
        comm: An MPI communicator; all processes that mpiexec has started by default.

    Attributes:
        optimizer: The one given, which a learning-rate schedule is made of.
        param_groups: Its groups, options included.

    Raises:
        TypeError: No optimizer, or one that computes with all parameters together (LBFGS).

    References:
        Rajbhandari et al., ZeRO, SC 2020, section 5.1 (stage 1), https://arxiv.org/abs/1910.02054.

    Example:
        >>> import nn, optim
        >>> model = nn.Linear(2, 1)
        >>> optimizer = nn.parallel.ShardedOptimizer(optim.Adam(model.parameters(), lr=0.01))
    """

    def __init__(self, optimizer: Any, comm: Any = None) -> None:
        if isinstance(optimizer, type) or not hasattr(optimizer, "param_groups"):
            raise TypeError(
                "ShardedOptimizer: wanted an optimizer with its parameters, got "
                f"{optimizer!r:.60}; write ShardedOptimizer(optim.Adam(model.parameters()))"
            )
        if type(optimizer).__name__ == "LBFGS":  # the one that does not
            raise TypeError(
                "ShardedOptimizer: wanted an optimizer that treats each parameter by itself, got "
                f"{type(optimizer).__name__}; use it as it is, on every rank"
            )
        self.optimizer = optimizer
        self._group = group_of("ShardedOptimizer", comm)
        self._owners = self._shares()

    def _shares(self) -> list[int]:
        """Return the rank of each parameter: the largest first, each to the rank with least."""
        sizes = [p.size for p in self._parameters()]
        loads, owners = [0] * self._group.size, [0] * len(sizes)
        for i in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
            owners[i] = loads.index(min(loads))
            loads[owners[i]] += sizes[i]
        return owners

    def _parameters(self) -> list[Any]:
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    @property
    def param_groups(self) -> Any:
        """The groups of the optimizer."""
        return self.optimizer.param_groups

    def __repr__(self) -> str:
        return (
            f"ShardedOptimizer({self.optimizer!r}, rank {self._group.rank} of {self._group.size})"
        )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        self.optimizer.zero_grad(set_to_none)

    def step(self) -> None:
        """Change the parameters along their gradients, everywhere."""
        parameters = self._parameters()
        if len(parameters) != len(self._owners):
            self._owners = self._shares()
        others = [
            p
            for p, owner in zip(parameters, self._owners, strict=True)
            if owner != self._group.rank
        ]
        gradients = [p.grad for p in others]
        for p in others:
            p.grad = None
        try:
            self.optimizer.step()
        finally:
            for p, g in zip(others, gradients, strict=True):
                p.grad = g
        for rank in range(self._group.size):
            shares = zip(parameters, self._owners, strict=True)
            theirs = [p.data for p, owner in shares if owner == rank]
            self._group.broadcast(theirs, "stepped parameters", rank)
        for p in others:
            p.mark_changed()

    def state_dict(self) -> dict[str, Any]:
        """Return the state in the form of the optimizer without shares; all ranks must call this,
        and rank 0 gets all of it, the others what they have.
        """
        state: dict[str, Any] = self.optimizer.state_dict()
        for part in self._group.gather_objects(state["state"])[1:]:
            state["state"] |= part
        state["state"] = dict(sorted(state["state"].items()))
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a whole state, of any number of ranks or of the optimizer itself; each rank
        keeps its share.
        """
        own = {
            i: entry
            for i, entry in dict(state_dict["state"]).items()
            if self._owners[int(i)] == self._group.rank
        }
        self.optimizer.load_state_dict({**state_dict, "state": own})
