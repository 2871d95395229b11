"""Data that do not fit into memory: rows of files, and orders that files like. Imports `_data`.

Rows are read, not mapped: mapped pages would count as memory of the process until the system wants
them back.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.random import Seed, new_generator
from nn._data import Dataset, Indices, Sampler

__all__ = ["BlockSampler", "NpyDataset"]


class NpyDataset(Dataset):
    """Rows of ``.npy`` files, which are read when they are asked for: data larger than memory.

    Like ``ArrayDataset`` of the files' arrays; a batch takes the memory of its own rows. Rows that
    follow each other in a file are read at once, so orders that keep neighbours together are fast:
    see ``BlockSampler``. ``np.lib.format.open_memmap(path, "w+", dtype, shape)`` makes such a file
    piece by piece.

    Args:
        *paths: Files of arrays of shape (N, ...) in C order, one or more.

    Raises:
        ValueError: No files, different lengths, an array without a first axis or in Fortran order,
            or of Python objects; later, a file that has become shorter.

    Example:
        >>> import tempfile, pathlib, numpy as np
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.npy"
        >>> np.save(path, np.arange(6.0).reshape(3, 2))
        >>> NpyDataset(path).take(np.array([2, 0]))
        (array([[4., 5.],
               [0., 1.]]),)
    """

    def __init__(self, *paths: str | os.PathLike[str]) -> None:
        if not paths:
            raise ValueError("NpyDataset: wanted at least one file, got none")
        self.paths = tuple(Path(path) for path in paths)
        self._files = tuple(_File(path) for path in self.paths)
        lengths = {file.shape[0] for file in self._files}
        if len(lengths) > 1:
            told = ", ".join(str(file.shape[0]) for file in self._files)
            raise ValueError(f"NpyDataset: wanted arrays of one length, got lengths {told}")

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Return row ``index`` of every file."""
        return tuple(part[0] for part in self.take(np.array([index])))

    def __len__(self) -> int:
        return int(self._files[0].shape[0])

    def __repr__(self) -> str:
        rows = ", ".join(f"{file.dtype} {file.shape[1:]}" for file in self._files)
        return f"NpyDataset({len(self)} items: {rows})"

    def take(self, indices: Indices) -> tuple[npt.NDArray[Any], ...]:
        """Return the rows ``indices`` of every file, as new arrays."""
        indices = np.asarray(indices, dtype=np.intp)
        n = len(self)
        outside = indices[(indices < -n) | (indices >= n)]
        if outside.size:
            raise IndexError(f"NpyDataset: wanted indices below {n}, got {outside[0]}")
        indices = np.where(indices < 0, indices + n, indices)
        return tuple(file.rows(indices) for file in self._files)


class _File:
    """One ``.npy`` file."""

    def __init__(self, path: Path) -> None:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        if found.ndim == 0 or not found.flags.c_contiguous:
            what = "one number" if found.ndim == 0 else "an array in Fortran order"
            raise ValueError(
                f"NpyDataset: wanted arrays of shape (N, ...) in C order, got {what} in {path}; "
                "write np.save(path, np.ascontiguousarray(array))"
            )
        self.path, self.dtype, self.shape = path, found.dtype, found.shape
        self._begin, self._bytes = int(found.offset), int(found[:1].nbytes)

    def rows(self, indices: Indices) -> npt.NDArray[Any]:
        """Return rows as a new array; each run of neighbours is read at once."""
        out = np.empty((len(indices), *self.shape[1:]), self.dtype)
        order = np.argsort(indices, kind="stable")
        ordered = indices[order]
        ends = np.flatnonzero(np.diff(ordered) != 1) + 1
        sequential = bool((order[1:] > order[:-1]).all())
        target = out if sequential else np.empty_like(out)
        with self.path.open("rb", buffering=0) as file:
            for begin, end in zip([0, *ends], [*ends, len(ordered)], strict=True):
                if begin == end or not self._bytes:
                    continue
                file.seek(self._begin + int(ordered[begin]) * self._bytes)
                flat: Any = target[begin:end].view(np.uint8).reshape(-1)
                wanted = memoryview(flat)
                while wanted:
                    got = file.readinto(wanted)
                    if not got:
                        raise ValueError(
                            f"NpyDataset: wanted {self.shape[0]} rows in {self.path}, got fewer; "
                            "the file has changed since it was opened"
                        )
                    wanted = wanted[got:]
        if not sequential:
            out[order] = target
        return out


class BlockSampler(Sampler):
    """A random order that keeps neighbours together: for data on a disk.

    Blocks of items that follow each other come in random order; the items of several blocks are
    mixed. So a batch is drawn from a window of ``block_size * window`` items, and a file is read in
    large pieces.

    Args:
        data_source: Anything with a length.
        block_size: Items of a block.
        window: How many blocks are mixed with each other.
        generator: A seed or np.random.Generator; see ``autograd.new_generator``.

    Raises:
        ValueError: ``block_size`` or ``window`` is not a positive integer.

    Example:
        >>> sorted(BlockSampler(range(10), block_size=3, generator=0)) == list(range(10))
        True
    """

    def __init__(
        self, data_source: Any, block_size: int = 1024, *, window: int = 8, generator: Seed = None
    ) -> None:
        given: dict[str, Any] = {"block_size": block_size, "window": window}
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"BlockSampler: wanted {name} of at least 1, got {value!r}")
        self.data_source, self.block_size, self.window = data_source, block_size, window
        self.generator = new_generator(generator)

    def order(self) -> Indices:
        """Draw the indices of an epoch."""
        n = len(self)
        order = np.empty(n, np.intp)
        blocks = self.generator.permutation(-(-n // self.block_size))
        done = 0
        for first in range(0, len(blocks), self.window):
            several = blocks[first : first + self.window]
            items = (np.arange(self.block_size) + several[:, np.newaxis] * self.block_size).ravel()
            items = self.generator.permutation(items[items < n])
            order[done : done + len(items)] = items
            done += len(items)
        return order

    def __len__(self) -> int:
        return len(self.data_source)

    def __repr__(self) -> str:
        return (
            f"BlockSampler({len(self)} items, block_size={self.block_size}, window={self.window})"
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generator."""
        return {"generator": dict(self.generator.bit_generator.state)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Return the generator to a saved state."""
        if set(state) != {"generator"}:
            raise ValueError(
                f"BlockSampler: wanted a state with the key 'generator', got {sorted(state)}"
            )
        self.generator.bit_generator.state = state["generator"]
