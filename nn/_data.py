"""Data: what can be indexed, in which order it is read, and how items become batches.

Everything here is plain NumPy: a batch is made of arrays, and the model turns them into Variables
by computing with its parameters. Imports `autograd` and `_workers`.
"""

import contextlib
import copy
import functools
import sys
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from itertools import islice, repeat, takewhile
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from autograd.arrays import refuse_mask
from autograd.random import Seed, new_generator
from nn._workers import Task, read_batch, root_of

__all__ = [
    "ArrayDataset",
    "BatchSampler",
    "DataLoader",
    "Dataset",
    "Indices",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "default_collate",
    "random_split",
]

Indices: TypeAlias = npt.NDArray[np.intp]


class Dataset(ABC):
    """Items by number: subclass it with ``__getitem__`` and ``__len__``.

    Override ``take`` where a whole batch can be read faster than item by item.

    Example:
        >>> class Squares(Dataset):
        ...     def __getitem__(self, index):
        ...         return float(index), float(index) ** 2
        ...
        ...     def __len__(self):
        ...         return 4
        >>> Squares().take(np.array([1, 3]))
        (array([1., 3.]), array([1., 9.]))
    """

    @abstractmethod
    def __getitem__(self, index: int) -> Any:
        """Return item number ``index``."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of items."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} items)"

    def take(self, indices: Indices) -> Any:
        """Return the items at ``indices`` as one batch, collated by ``default_collate``."""
        return default_collate(_items(self, indices))


class ArrayDataset(Dataset):
    """Arrays of one length, read together: item ``i`` is the tuple of their rows ``i``.

    The arrays are kept, not copied; a batch is one indexing operation per array.

    Args:
        *arrays: Arrays (or what NumPy makes arrays of) of shape (N, ...), one or more.

    Raises:
        ValueError: No arrays, an array without a first axis, or different lengths.

    Example:
        >>> data = ArrayDataset(np.arange(6.0).reshape(3, 2), np.array([0, 1, 0]))
        >>> len(data), data[1]
        (3, (array([2., 3.]), np.int64(1)))
    """

    def __init__(self, *arrays: npt.ArrayLike) -> None:
        if not arrays:
            raise ValueError("ArrayDataset: wanted at least one array, got none")
        for array in arrays:
            refuse_mask("ArrayDataset", array)
        self.arrays = tuple(np.asarray(array) for array in arrays)
        for array in self.arrays:
            if array.ndim == 0:
                raise ValueError("ArrayDataset: wanted arrays of shape (N, ...), got a 0-d array")
        if len({len(array) for array in self.arrays}) > 1:
            lengths = ", ".join(str(len(array)) for array in self.arrays)
            raise ValueError(f"ArrayDataset: wanted arrays of one length, got lengths {lengths}")

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        """Return row ``index`` of every array; slices and index arrays work as well."""
        return tuple(array[index] for array in self.arrays)

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __repr__(self) -> str:
        rows = ", ".join(f"{array.dtype} {array.shape[1:]}" for array in self.arrays)
        return f"ArrayDataset({len(self)} items: {rows})"

    def take(self, indices: Indices) -> tuple[npt.NDArray[Any], ...]:
        """Return the rows ``indices`` of every array, as new arrays."""
        return tuple(array.take(indices, axis=0) for array in self.arrays)


class IterableDataset(ABC):
    """Items that come one after the other, as from a stream: subclass it with ``__iter__``.

    A ``DataLoader`` makes batches of them, in their order, and ``num_workers=1`` reads ahead; with
    ``__len__`` it has a length, too. Each epoch begins with a new ``iter(dataset)``; a resumed
    training reads over the items that it has seen.

    Example:
        >>> class Squares(IterableDataset):
        ...     def __iter__(self):
        ...         return (float(i) ** 2 for i in range(5))
        >>> [batch.tolist() for batch in DataLoader(Squares(), batch_size=2)]
        [[0.0, 1.0], [4.0, 9.0], [16.0]]
    """

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """Return the items of an epoch."""

    def __repr__(self) -> str:
        told = f"{len(self)} items" if isinstance(self, Sized) else ""
        return f"{type(self).__name__}({told})"


class Subset(Dataset):
    """Some items of another dataset, in the order given.

    Example:
        >>> list(Subset(["a", "b", "c"], [2, 0]))
        ['c', 'a']
    """

    def __init__(self, dataset: Dataset | Sequence[Any], indices: npt.ArrayLike) -> None:
        self.dataset = dataset
        self.indices = np.asarray(indices, dtype=np.intp)
        if self.indices.ndim != 1:
            raise ValueError(
                f"Subset: wanted a list of indices, got an array of shape {self.indices.shape}"
            )

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        return f"Subset({len(self)} of {len(self.dataset)} items of {_name(self.dataset)})"

    def take(self, indices: Indices) -> Any:
        """Return the items at ``indices`` of this subset as one batch."""
        return _take(self.dataset, self.indices[indices])


def random_split(
    dataset: Dataset | Sequence[Any], lengths: Sequence[float], generator: Seed = None
) -> list[Subset]:
    """Split a dataset at random into subsets without common items.

    Args:
        dataset: What to split.
        lengths: Numbers of items that add up to ``len(dataset)``, or fractions that add up to 1;
            items left over by rounding go to the first subsets, one each.
        generator: A seed or np.random.Generator; see ``autograd.new_generator``.

    Raises:
        ValueError: The lengths do not add up.

    Example:
        >>> [len(part) for part in random_split(range(10), [0.75, 0.25], generator=0)]
        [8, 2]
    """
    total = len(dataset)
    if any(isinstance(length, float) for length in lengths):
        if not np.isclose(sum(lengths), 1.0):
            raise ValueError(
                f"random_split: wanted fractions that add up to 1, got {list(lengths)}"
            )
        counts = [int(total * fraction) for fraction in lengths]
        for extra in range(total - sum(counts)):
            counts[extra % len(counts)] += 1
    else:
        counts = [int(length) for length in lengths]
    if sum(counts) != total or min(counts, default=0) < 0:
        raise ValueError(
            f"random_split: wanted lengths that add up to {total}, got {list(lengths)}"
        )
    order = new_generator(generator).permutation(total)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(counts)[:-1])]


class Sampler(ABC):
    """The order in which the items of a dataset are read: subclass it with ``order``.

    A sampler that keeps state (a generator, a position) extends ``state_dict`` and
    ``load_state_dict``, so that a resumed training reads in the same order.
    """

    @abstractmethod
    def order(self) -> Indices:
        """Return the indices of the next epoch, shape (number of items,)."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of indices of an epoch."""

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} items)"

    def state_dict(self) -> dict[str, Any]:
        """Return what must be saved between epochs to continue; nothing by default."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        if state:
            raise ValueError(
                f"{type(self).__name__}: wanted an empty state, got the keys {sorted(state)}"
            )


class SequentialSampler(Sampler):
    """First to last.

    Example:
        >>> list(SequentialSampler("abc"))
        [0, 1, 2]
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def order(self) -> Indices:
        """Return 0, 1, 2, ..."""
        return np.arange(len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """A new random order in each epoch.

    Args:
        data_source: Anything with a length.
        replacement: Draw each index independently instead of permuting all of them.
        num_samples: Indices per epoch; all by default, any number with ``replacement``.
        generator: A seed or np.random.Generator; see ``autograd.new_generator``.

    Raises:
        ValueError: More samples than items without replacement, or none with it.

    Example:
        >>> sorted(RandomSampler(range(4), generator=0))
        [0, 1, 2, 3]
    """

    def __init__(
        self,
        data_source: Any,
        *,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Seed = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self.num_samples = num_samples
        if num_samples is not None and not replacement and num_samples > len(data_source):
            raise ValueError(
                f"RandomSampler: wanted at most {len(data_source)} samples, got {num_samples}; "
                "replacement=True allows more"
            )
        self.generator = new_generator(generator)

    def order(self) -> Indices:
        """Draw the indices of an epoch."""
        if self.replacement:
            return self.generator.integers(len(self.data_source), size=len(self), dtype=np.intp)
        return self.generator.permutation(len(self.data_source))[: len(self)]

    def __len__(self) -> int:
        return len(self.data_source) if self.num_samples is None else self.num_samples

    def __repr__(self) -> str:
        return (
            f"RandomSampler({len(self)} of {len(self.data_source)} items, "
            f"replacement={self.replacement})"
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generator."""
        return {"generator": dict(self.generator.bit_generator.state)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Return the generator to a saved state."""
        if set(state) != {"generator"}:
            raise ValueError(
                f"RandomSampler: wanted a state with the key 'generator', got {sorted(state)}"
            )
        self.generator.bit_generator.state = state["generator"]


def _check_batch_size(owner: str, size: Any) -> None:
    if isinstance(size, bool) or not isinstance(size, int | np.integer):
        both = hasattr(size, "__array__") and owner == "DataLoader"
        raise TypeError(
            f"{owner}: wanted batch_size as an int, got {type(size).__name__}; write "
            + ("DataLoader(ArrayDataset(x, y), batch_size=32)" if both else "batch_size=32")
        )


class BatchSampler:
    """Group the indices of a sampler into batches.

    Args:
        sampler: A ``Sampler`` or any iterable of indices.
        batch_size: Indices per batch.
        drop_last: Leave out a last batch that is not full.

    Raises:
        ValueError: ``batch_size`` is not a positive integer.

    Example:
        >>> [batch.tolist() for batch in BatchSampler(SequentialSampler("abcde"), 2)]
        [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self, sampler: Sampler | Iterable[int], batch_size: int, drop_last: bool = False
    ) -> None:
        _check_batch_size("BatchSampler", batch_size)
        if batch_size < 1:
            raise ValueError(f"BatchSampler: wanted batch_size of at least 1, got {batch_size}")
        self.sampler = sampler
        self.batch_size = int(batch_size)
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[Indices]:
        size = self.batch_size
        if isinstance(self.sampler, Sampler):
            order = self.sampler.order()
            stop = len(order) - len(order) % size if self.drop_last else len(order)
            for start in range(0, stop, size):
                yield order[start : start + size]
            return
        indices = iter(self.sampler)
        while batch := list(islice(indices, size)):
            if len(batch) == size or not self.drop_last:
                yield np.array(batch, dtype=np.intp)

    def __len__(self) -> int:
        # An iterable without a length says so itself.
        items = len(self.sampler)  # type: ignore[arg-type]
        return items // self.batch_size if self.drop_last else -(-items // self.batch_size)

    def __repr__(self) -> str:
        sampler = repr(self.sampler) if isinstance(self.sampler, Sampler) else _name(self.sampler)
        return f"BatchSampler({sampler}, batch_size={self.batch_size}, drop_last={self.drop_last})"


class DataLoader:
    """Batches of a dataset, as often as wanted: each ``for`` loop over it is one epoch.

    With ``shuffle`` each epoch has a new order; the same seed gives the same sequence of orders.
    What ``state_dict`` returns, loaded into a loader of the same kind, continues exactly: with the
    next epoch, or in the middle of a loop with the batches that it has not yet given.

    Workers read batches ahead while others are in use. Order and contents are those of reading
    without workers. Threads share the dataset, and help where reading waits or computes in NumPy;
    processes, which help Python code as well, have a copy each.

    Args:
        dataset: A ``Dataset`` or anything with ``__getitem__`` and ``__len__``; or an
            ``IterableDataset``, which has an order of its own.
        batch_size: Items per batch.
        shuffle: Draw a new order for each epoch.
        sampler: Order of the indices, instead of ``shuffle``.
        batch_sampler: Iterable of lists of indices, instead of all of the above and ``drop_last``.
        drop_last: Leave out a last batch that is not full.
        collate_fn: Called with the list of a batch's items; ``default_collate`` by default.
        generator: A seed or np.random.Generator for ``shuffle``; see ``autograd.new_generator``.
        num_workers: Threads or processes that read; 0 reads where the loop runs.
        worker_init_fn: Called with the number of a worker when it starts, in that worker.
        prefetch_factor: Batches that each worker may be ahead; 2 by default.
        persistent_workers: Keep the workers between epochs.
        multiprocessing_context: ``"spawn"``, ``"forkserver"`` or another start method or context
            of ``multiprocessing``, for workers that are processes; None for threads.

    Raises:
        TypeError: ``dataset`` cannot be indexed or has no length.
        ValueError: Arguments that exclude each other.

    Example:
        >>> loader = DataLoader(ArrayDataset(np.arange(5)), batch_size=2)
        >>> [batch.tolist() for (batch,) in loader], len(loader)
        ([[0, 1], [2, 3], [4]], 3)
    """

    def __init__(
        self,
        dataset: Dataset | IterableDataset | Sequence[Any],
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        sampler: Sampler | Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int] | Indices] | None = None,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        generator: Seed = None,
        num_workers: int = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        multiprocessing_context: Any = None,
    ) -> None:
        streams = isinstance(dataset, IterableDataset)
        if streams and (
            shuffle
            or sampler is not None
            or batch_sampler is not None
            or num_workers > 1
            or persistent_workers
            or multiprocessing_context is not None
        ):
            raise ValueError(
                "DataLoader: wanted an IterableDataset with its own order and at most one thread "
                "to read ahead, got an option for another one; leave out shuffle, samplers, "
                "processes and persistent_workers, and write num_workers=1"
            )
        if not streams and not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
            raise TypeError(
                "DataLoader: wanted a dataset with __getitem__ and __len__, "
                f"got {type(dataset).__name__}"
            )
        if isinstance(dataset, tuple) and all(hasattr(entry, "dtype") for entry in dataset):
            raise TypeError(
                f"DataLoader: wanted a dataset, got a tuple of {len(dataset)} arrays; write "
                "DataLoader(ArrayDataset(x, y), ...)"
            )
        _check_batch_size("DataLoader", batch_size)
        if shuffle and sampler is not None:
            raise ValueError("DataLoader: wanted either shuffle=True or a sampler, got both")
        if batch_sampler is not None and (
            batch_size != 1 or shuffle or drop_last or sampler is not None
        ):
            raise ValueError(
                "DataLoader: batch_sampler decides everything; "
                "leave out batch_size, shuffle, sampler and drop_last"
            )
        _check_count("num_workers", num_workers, 0)
        _check_count("prefetch_factor", 2 if prefetch_factor is None else prefetch_factor, 1)
        if num_workers == 0 and (prefetch_factor or persistent_workers or multiprocessing_context):
            raise ValueError(
                "DataLoader: wanted num_workers of at least 1 for prefetch_factor, "
                "persistent_workers or multiprocessing_context, got 0"
            )
        # Before a sampler takes its own stream: seeds are the same whether or not it does.
        self._root = root_of(generator)
        if batch_sampler is None and not streams:
            if sampler is None:
                sampler = (
                    RandomSampler(dataset, generator=generator)
                    if shuffle
                    else SequentialSampler(dataset)
                )
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset: Any = dataset
        self.batch_sampler: Any = batch_sampler
        self._batch_size, self._drop_last = batch_size, drop_last
        self.collate_fn = collate_fn
        self.num_workers = num_workers
        self.worker_init_fn = worker_init_fn
        self.prefetch_factor = 2 if prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.multiprocessing_context = multiprocessing_context
        self._workers: Any = None  # those that persist
        self._loop: _Loop | None = None  # the latest, while it runs
        self._next = _Loop(0, 0, {})

    def __iter__(self) -> Iterator[Any]:
        begun = self._next
        loop = self._loop = _Loop(begun.epoch, begun.position, copy.deepcopy(self._part_states()))
        self._next = _Loop(begun.epoch + 1, 0, {})
        try:
            with contextlib.closing(self._read(loop.epoch, loop.position)) as batches:
                for batch in batches:
                    loop.position += 1
                    yield batch
        finally:
            if self._loop is loop:
                self._loop = None

    def _read(self, epoch: int, first: int) -> Generator[Any]:
        """Yield the batches of an epoch from number `first` on."""
        read: Any = functools.partial(_read, self.dataset, self.collate_fn)
        order: Iterable[tuple[int, Any]] = enumerate(repeat(()))
        if self.batch_sampler is None:
            read = self._next_of_stream(first)
        else:
            order = enumerate(self.batch_sampler)
        tasks: Iterator[Task] = (
            (number, (*self._root, 0, epoch, number), indices)
            for number, indices in islice(order, first, None)
        )
        if not self.num_workers:
            yield from takewhile(_is_batch, map(functools.partial(read_batch, read), tasks))
            return
        from nn._pool import Workers

        workers = self._workers or Workers(
            self.num_workers,
            self.multiprocessing_context,
            read,
            self.dataset,
            self.worker_init_fn,
            (*self._root, 1, epoch),
        )
        if self.persistent_workers and self._workers is None:
            self._workers = workers
            weakref.finalize(self, workers.close)
        try:
            batches = workers.run(tasks, self.num_workers * self.prefetch_factor)
            yield from takewhile(_is_batch, batches)
        finally:
            if workers is not self._workers:
                workers.close()

    def _next_of_stream(self, first: int) -> Callable[[Any], Any]:
        """Return what makes the next batch of a stream, from number `first` on, or `_END`."""
        stream = islice(iter(self.dataset), first * self._batch_size, None)

        def read(_indices: Any) -> Any:
            items = list(islice(stream, self._batch_size))
            if len(items) < (self._batch_size if self._drop_last else 1):
                return _END
            return (self.collate_fn or default_collate)(items)

        return read

    def __len__(self) -> int:
        if self.batch_sampler is None:
            n = len(self.dataset)  # says itself that it has none
            return n // self._batch_size if self._drop_last else -(-n // self._batch_size)
        return len(self.batch_sampler)

    def __repr__(self) -> str:
        if self.batch_sampler is None:
            return f"DataLoader({self.dataset!r})"
        return f"DataLoader({len(self.dataset)} items of {_name(self.dataset)})"

    def state_dict(self) -> dict[str, Any]:
        """Return what continues the sequence of orders: here, where a loop is running, and with
        the next epoch otherwise.
        """
        loop = self._loop or _Loop(self._next.epoch, self._next.position, self._part_states())
        counts = {"epoch": loop.epoch, "position": loop.position, "root": list(self._root)}
        return {**loop.parts, **counts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken: the next loop begins there.

        Raises:
            ValueError: The state is that of a loader of another kind.
        """
        parts = self._stateful()
        # Version 0.1 saved between epochs only, without the counts.
        epoch, position = state.get("epoch", 0), state.get("position", 0)
        root = state.get("root", self._root)
        if set(state) - {"epoch", "position", "root"} != set(parts):
            raise ValueError(
                f"DataLoader: wanted a state with the keys {sorted(parts)}, got {sorted(state)}; "
                "build the loader as it was when the state was saved"
            )
        _check_count("epoch", epoch, 0)
        _check_count("position", position, 0)
        if position > sys.maxsize:
            raise ValueError(
                f"DataLoader: wanted position of at most {sys.maxsize}, got {position}"
            )
        for number in root:
            _check_count("root", number, 0)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        self._loop, self._next = None, _Loop(epoch, position, {})
        self._root = tuple(root)

    def _part_states(self) -> dict[str, Any]:
        return {name: part.state_dict() for name, part in self._stateful().items()}

    def _stateful(self) -> dict[str, Any]:
        parts = {
            "batch_sampler": self.batch_sampler,
            "sampler": getattr(self.batch_sampler, "sampler", None),
        }
        return {name: part for name, part in parts.items() if hasattr(part, "state_dict")}


@dataclass
class _Loop:
    """One epoch: its number, how many batches it has given, and what it began with."""

    epoch: int
    position: int
    parts: dict[str, Any]


_END = object()  # after the last batch of a stream


def _is_batch(batch: Any) -> bool:
    return batch is not _END


def default_collate(items: Sequence[Any]) -> Any:
    """Put items together along a new first axis.

    Numbers and arrays are stacked; tuples, named tuples, lists and dicts are collated entry by
    entry; anything else (text, for one) stays a list.

    Raises:
        ValueError: The items have different shapes, lengths or keys.

    Example:
        >>> default_collate([{"x": [1.0, 2.0], "name": "a"}, {"x": [3.0, 4.0], "name": "b"}])
        {'x': [array([1., 3.]), array([2., 4.])], 'name': ['a', 'b']}
    """
    first = items[0]
    if isinstance(first, Mapping):
        _check_alike("keys", [tuple(sorted(item)) for item in items])
        return {key: default_collate([item[key] for item in items]) for key in first}
    if isinstance(first, tuple | list):
        _check_alike("lengths", [len(item) for item in items])
        entries = [default_collate(entry) for entry in zip(*items, strict=True)]
        if isinstance(first, list):
            return entries
        return type(first)(*entries) if hasattr(first, "_fields") else tuple(entries)
    if isinstance(first, np.ndarray | np.generic | int | float | complex):
        _check_alike("shapes", [np.shape(item) for item in items])
        return np.array(items)
    return list(items)


def _name(value: Any) -> str:
    return type(value).__name__


def _check_alike(what: str, found: list[Any]) -> None:
    for other in found:
        if other != found[0]:
            raise ValueError(
                f"default_collate: wanted items of equal {what}, got {found[0]} and {other}; "
                "pass a collate_fn that pads or groups them, or ArrayDataset(x, y) where the items "
                "are whole arrays"
            )


def _check_count(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"DataLoader: wanted {name} of at least {least}, got {value!r}")


def _read(dataset: Any, collate: Callable[[list[Any]], Any] | None, indices: Any) -> Any:
    """Return the batch of some indices; what a worker does."""
    if collate is None:
        return _take(dataset, np.asarray(indices, dtype=np.intp))
    return collate(_items(dataset, indices))


def _take(dataset: Dataset | Sequence[Any], indices: Indices) -> Any:
    if isinstance(dataset, Dataset):
        return dataset.take(indices)
    return default_collate(_items(dataset, indices))


def _items(dataset: Any, indices: Any) -> list[Any]:
    """Return items as a list; an error says which of them it was."""
    items = []
    for index in map(int, indices):
        try:
            items.append(dataset[index])
        except Exception as error:
            error.add_note(f"{_name(dataset)}: while reading item {index}")
            raise
    return items
