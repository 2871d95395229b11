"""Workers that read batches ahead, in threads or in processes. Imports `autograd` and `_workers`.

A worker is an executor with one thread or one process, and batch i belongs to worker i mod n. So
results come in the order of the tasks without being sorted, and which worker reads a batch does not
depend on how fast the others are. Loaded with the first worker: `multiprocessing` and the executors
take 20 ms.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from typing import Any

import numpy as np

from autograd.random import manual_seed
from nn._workers import Read, Task, WorkerInfo, here, read_batch

__all__ = ["Workers"]


class Workers:
    """Threads, or processes where there is a context to start them from.

    Args:
        count: How many.
        context: A context of `multiprocessing`, its name, or None for threads.
        read: Makes a batch of indices.
        dataset: What workers are told they read from.
        init: Called with the number of a worker in that worker, before anything else.
        root: Integers that the workers' seeds are made of.

    Raises:
        TypeError: Something cannot be sent to a process.
        RuntimeError: A process ended at once.
    """

    def __init__(
        self,
        count: int,
        context: Any,
        read: Read,
        dataset: Any,
        init: Callable[[int], Any] | None,
        root: tuple[int, ...],
    ) -> None:
        self.executors: list[Executor] = []
        parts: Any = (dataset, read, init)
        if context is not None:
            # Pickled here, once for all, so that an error comes before a process is started.
            parts = _pickled(parts)
            context = multiprocessing.get_context(context) if isinstance(context, str) else context
        try:
            starts = []
            for worker in range(count):
                self.executors.append(
                    ThreadPoolExecutor(1, f"DataLoader worker {worker}")
                    if context is None
                    else ProcessPoolExecutor(1, context)
                )
                seed = int(np.random.SeedSequence((*root, worker)).generate_state(1)[0])
                starts.append(self.executors[-1].submit(_start, parts, worker, count, seed))
            for worker, start in enumerate(starts):
                _result(start, worker)
        except BaseException:
            self.close()
            raise

    def run(self, tasks: Iterable[Task], ahead: int) -> Iterator[Any]:
        """Yield the batches of tasks in order; up to `ahead` of them are being read."""
        pending: deque[tuple[Future[Any], int]] = deque()
        try:
            for task in tasks:
                worker = task[0] % len(self.executors)
                pending.append((self._submit(worker, task), worker))
                if len(pending) > ahead:
                    yield _result(*pending.popleft())
            while pending:
                yield _result(*pending.popleft())
        finally:
            for future, _ in pending:
                future.cancel()

    def _submit(self, worker: int, task: Task) -> Future[Any]:
        try:
            return self.executors[worker].submit(_work, task)
        except BrokenExecutor as error:
            raise _ended(worker) from error

    def close(self) -> None:
        """End all of them, and wait until they have."""
        for executor in self.executors:
            executor.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[Any], worker: int) -> Any:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise _ended(worker) from error


def _ended(worker: int) -> RuntimeError:
    return RuntimeError(
        f"DataLoader: wanted a batch from worker {worker}, got the end of its process: it was "
        "killed, ran out of memory, or could not start; a script that starts processes does its "
        "work under if __name__ == '__main__':"
    )


def _pickled(parts: Any) -> bytes:
    try:
        return pickle.dumps(parts, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise TypeError(
            "DataLoader: wanted a dataset, collate_fn and worker_init_fn that can be sent to a "
            f"process, got {error}; define them at the top of a module, or leave out "
            "multiprocessing_context, which takes threads"
        ) from error


# -- in the worker -------------------------------------------------------------------------------


def _start(parts: Any, worker: int, count: int, seed: int) -> None:
    process = isinstance(parts, bytes)
    if process:
        # Ctrl-C reaches all processes of a terminal; the one that started the others ends them.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_end_with_parent, daemon=True).start()
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - what datasets written for NumPy 1 draw from
        manual_seed(seed)
        try:
            parts = pickle.loads(parts)  # noqa: S301 - from the process that started this one
        except AttributeError as error:
            raise TypeError(
                "DataLoader: wanted a dataset, collate_fn and worker_init_fn from modules that a "
                f"process can import, got {error}; a notebook's own are none: move them into a "
                "file, or leave out multiprocessing_context, which takes threads"
            ) from error
    dataset, here.read, init = parts
    here.info = WorkerInfo(worker, count, seed, dataset)
    if init is not None:
        init(worker)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Task) -> Any:
    assert here.read is not None
    try:
        return read_batch(here.read, task)
    except Exception as error:
        if multiprocessing.parent_process() is None or _survives(error):
            raise
        # An error that cannot be read back would end the worker.
        raise RuntimeError("".join(traceback.format_exception(error))) from None


def _survives(error: Exception) -> bool:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - it was made here
    except Exception:  # noqa: BLE001 - whatever its constructor raises
        return False
    return True
