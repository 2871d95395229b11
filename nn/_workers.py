"""What code that reads data may ask: which worker it is in, for which batch. Imports `autograd`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from autograd.random import new_generator, random_state

__all__ = [
    "Read",
    "Task",
    "WorkerInfo",
    "batch_generator",
    "get_worker_info",
    "here",
    "read_batch",
    "root_of",
]

# (number of the batch in its epoch, where its random numbers begin, its indices).
Task: TypeAlias = tuple[int, tuple[int, ...], Any]
Read: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker of a `DataLoader` this code runs in.

    Attributes:
        id: Its number, from 0.
        num_workers: How many there are.
        seed: A number of its own in each epoch; in a process, ``random``, ``numpy.random`` and
            ``autograd.manual_seed`` were seeded with it.
        dataset: The dataset: the same object in a thread, a copy in a process.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Here(threading.local):
    """What a thread works on: the worker that it is, and the batch that it reads."""

    info: WorkerInfo | None = None
    read: Read | None = None
    root: tuple[int, ...] | None = None
    generator: np.random.Generator | None = None


here = _Here()


def get_worker_info() -> WorkerInfo | None:
    """Return the worker in which this is called, None outside of workers.

    Example:
        >>> get_worker_info() is None
        True
    """
    return here.info


def batch_generator() -> np.random.Generator:
    """Return the random generator of the batch that is being read, for a dataset that needs one.

    It depends on the loader's seed, the epoch and the number of the batch only, so that the numbers
    are the same with any number of workers, and where a training is resumed. Outside of a
    `DataLoader` it is a new generator.

    Example:
        >>> import nn
        >>> class Noise(nn.Dataset):
        ...     def __getitem__(self, index):
        ...         return nn.batch_generator().random()
        ...
        ...     def __len__(self):
        ...         return 4
        >>> alone = [b.tolist() for b in nn.DataLoader(Noise(), 2, generator=0)]
        >>> alone == [b.tolist() for b in nn.DataLoader(Noise(), 2, generator=0, num_workers=2)]
        True
    """
    if here.root is None:
        return new_generator()
    if here.generator is None:
        here.generator = np.random.default_rng(np.random.SeedSequence(here.root))
    return here.generator


def root_of(generator: Any) -> tuple[int, ...]:
    """Return the integers from which a loader's seeds are made, without drawing a number."""
    if generator is None:
        state = random_state()
        return state["entropy"], state["spawned"]
    if isinstance(generator, np.random.Generator):
        generator = generator.bit_generator.seed_seq
    elif not isinstance(generator, np.random.SeedSequence):
        generator = np.random.SeedSequence(generator)
    return tuple(generator.generate_state(4).tolist())


def read_batch(read: Read, task: Task) -> Any:
    """Read one batch; an error says which."""
    number, root, indices = task
    before = here.root, here.generator
    here.root, here.generator = root, None
    try:
        return read(indices)
    except Exception as error:
        few = ", ".join(map(str, indices[:8])) + (", ..." if len(indices) > 8 else "")
        items = f", items {few}" if few else ""  # of a stream, they have no numbers
        worker = "" if here.info is None else f" in worker {here.info.id}"
        error.add_note(f"DataLoader: while reading batch {number + 1}{worker}{items}")
        raise
    finally:
        here.root, here.generator = before
