"""DataParallel: one model on several processes, each with its share of every batch.

The model is called as it is, into a graph of its own (`autograd.transforms.enclosed`). Going back
through it, every gradient is handed to a bucket as soon as it is complete, and the means over all
ranks are what the call returns. So hooks, clipping and optimizers see what they would see in one
process. Imports `autograd`, `_buckets` and `_group`.
"""

from __future__ import annotations

import contextlib
import functools
import json
import warnings
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from autograd.engine.mode import current_mode
from autograd.transforms.containers import flatten
from autograd.transforms.enclosed import Enclosed, enclosed
from nn._module import Module
from nn._parameter import Parameter
from nn.parallel._buckets import Buckets
from nn.parallel._group import group_of

__all__ = ["DataParallel"]


class DataParallel(Module):
    """Train one model on several processes, started by ``mpiexec -n 4 python train.py``.

    Every process makes the same model and optimizer, and reads its own share of the data, by a
    ``DistributedSampler``. The parameters of rank 0 are copied to all at first; after ``backward``
    every rank has the gradient of the loss over all samples, so equal steps follow. The same global
    batch gives the same parameters on any number of ranks, up to rounding. Without ``mpiexec``
    there is one rank, and nothing is added to the model.

    Gradients travel in buckets, which are summed while backward goes on with older layers.
    A loss that is a mean is weighed by the samples of each rank, the length of the first axis of
    the first array that the model is called with: a smaller last batch counts as it should.
    Buffers, such as running statistics, are those of rank 0 after every backward pass; see
    ``SyncBatchNorm`` for statistics over all ranks.

    Args:
        module: The model.
        comm: An MPI communicator; all processes that mpiexec has started by default.
        reduction: ``"mean"`` where the loss is a mean over the samples, ``"sum"`` where it is
            their sum.
        bucket_bytes: Gradients are summed in pieces of about this size.
        timeout: Seconds to wait for another rank before the job ends with a message that names it.

    Attributes:
        module: The model: what to save, ``nn.save(path, model=parallel.module)``.
        rank: The number of this process, from 0.
        size: How many processes there are.

    Raises:
        TypeError: Not a Module, or not a communicator.
        ValueError: The ranks have different models, or nothing to train.

    References:
        Li et al., PyTorch Distributed: Experiences on accelerating data parallel training, VLDB
        2020, https://arxiv.org/abs/2006.15704.

    Example:
        >>> import numpy as np, nn
        >>> model = nn.parallel.DataParallel(nn.Linear(2, 1))
        >>> model(np.ones((4, 2), np.float32)).shape
        (4, 1)
    """

    def __init__(
        self,
        module: Module,
        comm: Any = None,
        *,
        reduction: Literal["mean", "sum"] = "mean",
        bucket_bytes: int = 1 << 20,
        timeout: float = 300.0,
    ) -> None:
        super().__init__()
        if not isinstance(module, Module):
            raise TypeError(f"DataParallel: wanted a Module, got {type(module).__name__}")
        if reduction not in ("mean", "sum"):
            raise ValueError(f"DataParallel: wanted reduction 'mean' or 'sum', got {reduction!r}")
        self.module = module
        self._group = group_of("DataParallel", comm, timeout)
        self.rank, self.size = self._group.rank, self._group.size
        self._layout, self._seen = _layout(module), _Seen(module)
        if not any(trained for *_, trained in self._layout):
            raise ValueError("DataParallel: wanted a model with parameters to train, got none")
        self._check_layouts()
        self._share([p.data for p in module.parameters()], "the first parameters")
        self._share(list(module.buffers()), "the first buffers")
        trained = [p for _, p in self._seen.trained]
        self.buckets = Buckets(self._group, trained, bucket_bytes, mean=reduction == "mean")
        self._syncing = True
        self._held: dict[int, Any] = {}  # gradients of calls inside `no_sync`
        self._held_samples = 0
        self._warned = False

    def _share(self, arrays: list[np.ndarray[Any, Any]], what: str) -> None:
        self._group.broadcast(arrays, what)

    # -- the ranks are in step -----------------------------------------------------------------

    def _check_layouts(self) -> None:
        """Refuse models that are not the same everywhere."""
        texts = self._group.gather(json.dumps(self._layout), "the models of all ranks")
        for rank, text in enumerate(texts):
            if text != texts[0]:
                first, other = json.loads(texts[0]), json.loads(text)
                pairs = [(a, b) for a, b in zip(first, other, strict=False) if a != b]
                a, b = pairs[0] if pairs else (f"{len(first)} entries", f"{len(other)} entries")
                raise ValueError(
                    f"DataParallel: wanted the same model on all ranks, got {_said(a)} on rank 0 "
                    f"and {_said(b)} on rank {rank}; make it by the same code everywhere"
                )

    def check_in_step(self) -> None:
        """Compare the parameters of all ranks, bit for bit; ``nn.fit`` does after each epoch.

        Raises:
            RuntimeError: They differ; the message names the first parameter and rank.
        """
        sums = [zlib.crc32(np.ascontiguousarray(p.data).data) for p in self.module.parameters()]
        texts = self._group.gather(json.dumps(sums), "the parameters of all ranks")
        for rank, text in enumerate(texts):
            for (name, _), ours, theirs in zip(
                self.module.named_parameters(), json.loads(texts[0]), json.loads(text), strict=True
            ):
                if ours != theirs:
                    raise RuntimeError(
                        f"DataParallel: wanted the same parameters on all ranks, got another "
                        f"{name} on rank {rank} than on rank 0; change parameters by the "
                        "optimizer, in the same way everywhere"
                    )

    def counts(self, number: int, what: str) -> list[int]:
        """Return a number of every rank, when all of them have come here."""
        numbers = np.zeros(self.size, np.int64)
        numbers[self.rank] = number
        return [int(n) for n in self._group.sum(numbers, what)]

    def total(self, numbers: list[float]) -> list[float]:
        """Return the sums of some numbers over the ranks."""
        return [float(n) for n in self._group.sum(np.array(numbers, np.float64), "totals")]

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Keep the gradients of calls inside on this rank; they are added to those of the next
        call outside, so that several batches cost one exchange.
        """
        before, self._syncing = self._syncing, False
        try:
            yield
        finally:
            self._syncing = before

    # -- calls ---------------------------------------------------------------------------------

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model with the samples of this rank."""
        if self.size == 1 or not current_mode().recording:
            return self.module(*args, **kwargs)
        if not self._seen.unchanged():
            self._compare()
        leaves, _ = flatten((args, kwargs))
        samples = next((len(v) for v in leaves if getattr(v, "ndim", 0)), 1)
        pull = functools.partial(self._average, samples, self._syncing)
        parameters = [p for _, p in self._seen.trained]
        return enclosed("DataParallel", self.module, args, kwargs, parameters, pull)

    def _compare(self) -> None:
        """Refuse a model of another layout than that which was wrapped."""
        if _layout(self.module) != self._layout:
            changed = next(
                (a for a in _layout(self.module) if a not in self._layout),
                f"{len(self._layout)} entries before",
            )
            raise RuntimeError(
                "DataParallel: wanted the model as it was when it was wrapped, got a changed one "
                f"({_said(changed)}); wrap it again after adding, removing or freezing parameters"
            )
        self._seen = _Seen(self.module)

    def _average(
        self, samples: int, syncing: bool, call: Enclosed, cotangents: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Return the gradients of the inputs of a call on this rank, and those of the parameters
        on all ranks; nothing for these where they are not exchanged yet.
        """
        self._held_samples += samples
        if syncing:
            self.buckets.begin(self._held_samples)

        def take(i: int, g: Any) -> None:
            g = g + self._held.pop(i) if i in self._held else g
            if syncing:
                self.buckets.add(i, g)
            else:
                self._held[i] = np.array(g)

        inputs = call.walk(cotangents, take)
        if not syncing:
            return inputs, [None] * len(self._seen.trained)
        for i in sorted(self._held):  # what only earlier calls have reached
            self.buckets.add(i, self._held.pop(i))
        self._held_samples = 0
        gradients = self.buckets.finish()
        self._share(list(self.module.buffers()), "the buffers of rank 0")
        unused = [n for (n, _), g in zip(self._seen.trained, gradients, strict=True) if g is None]
        if unused and not self._warned:
            self._warned = True
            warnings.warn(
                f"DataParallel: wanted a loss that depends on all parameters, got no gradient for "
                f"{', '.join(unused[:3])}{' ...' if len(unused) > 3 else ''} on any rank, for "
                "which the exchange of the others has waited; freeze them by requires_grad_(False)",
                UserWarning,
                stacklevel=2,
            )
        return inputs, gradients

    def extra_repr(self) -> str:
        """Return the ranks."""
        return f"rank {self.rank} of {self.size}"


class _Seen:
    """A model as it was at one moment, compared in a twentieth of the time that writing down its
    layout takes (a transformer of 72 parameters: 20 us).

    Attributes:
        trained: names and parameters that require a gradient.
    """

    def __init__(self, module: Module) -> None:
        self.trained = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        self._parts = [(vars(part), len(vars(part))) for part in module.modules()]
        self._places = [
            (entries, name, value)
            for entries, _ in self._parts
            for name, value in entries.items()
            if isinstance(value, (Module, Parameter)) or name in entries["_buffers"]
        ]
        self._kinds = [(p, p.dtype, p.requires_grad) for p in module.parameters()]

    def unchanged(self) -> bool:
        """Tell whether nothing was added, removed, replaced, converted or frozen since."""
        return (
            all(len(entries) == count for entries, count in self._parts)
            and all(entries.get(name) is value for entries, name, value in self._places)
            and all(p.dtype == dtype and p.requires_grad is g for p, dtype, g in self._kinds)
        )


def _layout(module: Module) -> list[list[Any]]:
    """Return what has to be the same on all ranks, as JSON has it."""
    return [
        [name, str(p.dtype), list(p.shape), p.requires_grad]
        for name, p in module.named_parameters()
    ] + [[name, str(b.dtype), list(b.shape), False] for name, b in module.named_buffers()]


def _said(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    name, dtype, shape, trained = entry
    return f"{name} {dtype} {tuple(shape)}{'' if trained else ', not trained'}"
