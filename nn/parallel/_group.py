"""The ranks that work together, and how a job ends in which one of them does not.

The only file that knows MPI, which mpi4py speaks (extra `mpi`). Every wait has a time limit: a rank
that raises, or that does not come, ends the job with a sentence that names it.
"""

from __future__ import annotations

import functools
import os
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd._optional import available, require

__all__ = ["Group", "group_of", "ranks_of"]

# By these a process knows that mpiexec has started it, of MPICH and its relatives or of Open MPI.
_STARTED = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")
_ROLL_CALL, _PRESENT = 7001, 7002  # tags


class Group:
    """Several processes with a communicator of their own, or one process without MPI.

    Args:
        comm: an MPI communicator that nobody else uses; None for one process.
        timeout: seconds that a rank waits for the others.

    Attributes:
        rank: the number of this process.
        size: how many there are.
    """

    def __init__(self, comm: Any, timeout: float) -> None:
        self.timeout = timeout
        self._comm = comm
        self.rank: int = 0 if comm is None else comm.Get_rank()
        self.size: int = 1 if comm is None else comm.Get_size()
        if self.size > 1:
            self._end_with_an_error()

    def __repr__(self) -> str:
        return f"Group(rank {self.rank} of {self.size})"

    # -- sums and copies -----------------------------------------------------------------------

    def start_sum(self, flat: np.ndarray[Any, Any]) -> Any:
        """Begin to replace a contiguous array by its sum over the ranks; `wait` for it."""
        return self._comm.Iallreduce(self._mpi.IN_PLACE, flat)

    def sum(self, flat: np.ndarray[Any, Any], what: str) -> np.ndarray[Any, Any]:
        """Replace a contiguous array by its sum over the ranks, and return it."""
        if self.size > 1:
            self.wait([self.start_sum(flat)], what)
        return flat

    def broadcast(self, arrays: Sequence[np.ndarray[Any, Any]], what: str, root: int = 0) -> None:
        """Give all ranks the values of rank `root`, in place: one message for each dtype."""
        if self.size == 1:
            return
        kinds: dict[np.dtype[Any], list[np.ndarray[Any, Any]]] = {}
        for array in arrays:
            kinds.setdefault(array.dtype, []).append(array)
        for several in kinds.values():
            flat = np.concatenate([array.ravel() for array in several])
            self.wait([self._comm.Ibcast(flat.view(np.uint8), root)], what)
            if self.rank != root:
                parts = np.split(flat, np.cumsum([array.size for array in several])[:-1])
                for array, part in zip(several, parts, strict=True):
                    array[...] = part.reshape(array.shape)

    def gather(self, text: str, what: str) -> list[str]:
        """Return the text of every rank."""
        if self.size == 1:
            return [text]
        own = np.frombuffer(text.encode(), np.uint8)
        counts = np.zeros(self.size, np.int64)
        counts[self.rank] = own.size
        self.sum(counts, what)
        found = np.empty(counts.sum(), np.uint8)
        place = np.concatenate([[0], np.cumsum(counts)[:-1]])
        request = self._comm.Iallgatherv(own, [found, (counts, place), self._mpi.BYTE])
        self.wait([request], what)
        return [part.tobytes().decode() for part in np.split(found, place[1:])]

    def gather_objects(self, value: Any) -> list[Any]:
        """Return the values of all ranks on rank 0, the own one elsewhere."""
        if self.size == 1:
            return [value]
        found = self._comm.gather(value)
        return found if self.rank == 0 else [value]

    # -- waiting -------------------------------------------------------------------------------

    def advance(self, requests: Sequence[Any]) -> bool:
        """Let MPI work on what was begun, and tell whether all of it is done: without threads of
        its own it moves data only when it is called.
        """
        return not requests or bool(self._mpi.Request.Testall(list(requests)))

    def wait(self, requests: Sequence[Any], what: str) -> None:
        """Wait for requests; end the job where a rank does not come in time."""
        start, turns = time.monotonic(), 0
        while not self.advance(requests):
            turns += 1
            # A waiting rank leaves its core to those that compute, at first at once.
            time.sleep(0 if turns < 200 else 5e-5)
            if turns % 2000 == 0:  # about 0.1 s
                self._answer()
                if time.monotonic() - start > self.timeout:
                    self._end(what)

    def _answer(self) -> None:
        """Say that this rank is here, where one asks that has waited too long."""
        status = self._mpi.Status()
        while self._comm.Iprobe(tag=_ROLL_CALL, status=status):
            self._comm.recv(source=status.Get_source(), tag=_ROLL_CALL)
            self._comm.isend(None, dest=status.Get_source(), tag=_PRESENT)

    def _end(self, what: str) -> None:
        """Find out who is missing, say so once, and end all processes."""
        others = set(range(self.size)) - {self.rank}
        for rank in others:
            self._comm.isend(None, dest=rank, tag=_ROLL_CALL)
        missing, status = set(others), self._mpi.Status()
        deadline = time.monotonic() + min(5.0, 1.0 + self.timeout)
        while missing and time.monotonic() < deadline:
            self._answer()
            while self._comm.Iprobe(tag=_PRESENT, status=status):
                self._comm.recv(source=status.Get_source(), tag=_PRESENT)
                missing.discard(status.Get_source())
            time.sleep(0.01)
        if min({self.rank, *(others - missing)}) < self.rank:
            time.sleep(2.0)  # another one speaks
        names = ", ".join(map(str, sorted(missing))) or "none: all are here, at different calls"
        self._say(
            f"rank {self.rank}: waited {self.timeout:g} s for {what}; missing rank: {names}. "
            "See where it hangs, or pass a longer timeout; the job ends"
        )
        self._comm.Abort(1)

    def _end_with_an_error(self) -> None:
        """Have an error that nobody catches end all processes, which would wait for this one."""

        def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
            # Where several ranks fail alike, the first ends the job before the others speak.
            time.sleep(min(0.2 * self.rank, 2.0))
            story = "".join(traceback.format_exception(kind, error, trace))
            self._say(
                f"{story}rank {self.rank} of {self.size}: ended by the {kind.__name__} above, and "
                "the job with it"
            )
            self._comm.Abort(1)

        sys.excepthook = hook

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - the last words of this process

    @functools.cached_property
    def _mpi(self) -> Any:
        return require("mpi4py.MPI", extra="mpi")


def group_of(who: str, comm: Any, timeout: float = 300.0) -> Group:
    """Return a group with a copy of a communicator, so that messages of the user stay apart; all
    processes that mpiexec has started by default. All of them have to call this.

    Raises:
        TypeError: it is no communicator.
        ImportError: mpiexec has started this process, and mpi4py is not installed.
    """
    comm = _communicator(who, comm)
    return Group(None if comm is None or comm.Get_size() == 1 else comm.Dup(), timeout)


def ranks_of(who: str, comm: Any) -> tuple[int, int]:
    """Return the number of this process and how many there are."""
    comm = _communicator(who, comm)
    return (0, 1) if comm is None else (comm.Get_rank(), comm.Get_size())


def _communicator(who: str, comm: Any) -> Any:
    if comm is None:
        if not any(name in os.environ for name in _STARTED) and not available("mpi4py"):
            return None
        comm = require("mpi4py.MPI", extra="mpi").COMM_WORLD
    if not hasattr(comm, "Iallreduce"):
        raise TypeError(
            f"{who}: wanted comm as an MPI communicator, got {type(comm).__name__}; write "
            "mpi4py.MPI.COMM_WORLD, or leave it out"
        )
    return comm
