"""Batched values: the data of a Variable that stands for one example of a batch, inside `vmap`.

`Batched` has the shape and dtype of one example, so that functions, rules and the engine see what
they would see in a loop, and holds the arrays of all examples behind one leading axis (none, where
they are all the same). It answers no question about its numbers: whatever reads them raises
`ReadingError`, which the call of an operation catches, and has answered by the batch rule of the
operation (see `run`); outside of a call it is the user's code that reads, and the message says
what to write instead.

Batches nest: the value inside may be `Batched` itself, of a `Level` further out. Imports `arrays`,
`graph` and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from autograd.arrays import Many, UnreadError, is_array
from autograd.engine import graph
from autograd.engine.graph import unwrap, wrap
from autograd.engine.mode import current_mode

__all__ = [
    "Batched",
    "Level",
    "NoBatchRuleError",
    "ReadingError",
    "announce",
    "back_at",
    "belongs",
    "current_level",
    "entered",
    "inner",
    "innermost",
    "leaves",
    "lifted",
    "of_level",
    "shown",
    "worst",
]


class NoBatchRuleError(NotImplementedError):
    """Raised for an operation that cannot be run on a batch."""


class Level:
    """One batch: how many examples it has, and how deep it is nested in others."""

    __slots__ = ("depth", "loop", "size")

    def __init__(self, size: int, depth: int, *, loop: bool) -> None:
        self.size, self.depth, self.loop = size, depth, loop


_LEVEL: ContextVar[Level | None] = ContextVar("level", default=None)
current_level = _LEVEL.get


@contextmanager
def entered(size: int, *, loop: bool = False) -> Iterator[Level]:
    """Run the body for a batch of `size` examples, inside of the batches that are open here.

    Args:
        size: the number of examples.
        loop: run operations without a batch rule example by example.
    """
    outer = current_level()
    level = Level(size, outer.depth + 1 if outer else 1, loop=loop)
    with back_at(level):
        yield level


@contextmanager
def back_at(level: Level | None) -> Iterator[None]:
    """Run the body where `level` is the innermost batch: what is evaluated again in a backward
    pass, which may be one of many, belongs where it was evaluated first.
    """
    token = _LEVEL.set(level)
    try:
        yield
    finally:
        _LEVEL.reset(token)


# -- the value -------------------------------------------------------------------------------------


class ReadingError(UnreadError):
    """The numbers of a batched value were read, by something that is named; `run` has the answers
    for operations.
    """

    def __str__(self) -> str:
        """Say what to write instead; written when it is asked for, as operations do not."""
        (what,) = self.args
        if what == "bool":
            return (
                "vmap: wanted a condition that holds for all examples or for none, got one that "
                "differs from example to example, in `if`, `while`, `and`, `or` or `not`; write "
                "np.where(condition, a, b)"
            )
        return (
            f"vmap: wanted operations that run on all examples at once, got {what}, which reads "
            "the numbers of one; compute with functions of autograd or NumPy (autograd.take(table, "
            "i, axis=0) for table[i]), and read what vmap returns"
        )


class Batched(Many):
    """One example of a batch, standing for all of them."""

    __slots__ = ("dtype", "level", "shape", "value", "varies")
    base = None  # for those who ask whose memory it is: nobody's else

    def __init__(self, value: Any, level: Level, *, varies: bool = True) -> None:
        self.value, self.level, self.varies = value, level, varies
        self.shape: tuple[int, ...] = value.shape[1:] if varies else value.shape
        self.dtype: np.dtype[Any] = value.dtype

    @property
    def ndim(self) -> int:
        """The number of axes of one example."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements of one example."""
        return int(np.prod(self.shape))

    def read(self) -> Any:
        """Raise the error for reading the numbers."""
        raise ReadingError("a value")

    def all_elements(self) -> Any:
        """Return the array of all examples of all batches."""
        return self.value.all_elements() if isinstance(self.value, Batched) else self.value

    def __repr__(self) -> str:
        return f"<one of {self.level.size} examples: {self.dtype} of shape {self.shape}>"

    def __len__(self) -> int:
        return self.shape[0]

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        del types
        if function in _OF_THE_KIND:
            return function(*_kinds(args), **{key: _kinds(v) for key, v in kwargs.items()})
        if function in _TEXTS:
            return repr(self)
        if function is np.vdot:  # the engine, which looks for nan
            return np.vdot(*[x.all_elements() if isinstance(x, Batched) else x for x in args])
        if function is np.count_nonzero and not kwargs:  # likewise, for zeros in any of them
            values = self.all_elements()
            return self.size - int(np.count_nonzero(values) < values.size)
        raise ReadingError(getattr(function, "__name__", "NumPy"))

    def __array_ufunc__(self, ufunc: Any, *_: Any, **__: Any) -> Any:
        raise ReadingError(ufunc.__name__)

    def __getattr__(self, name: str) -> Any:
        if name[:2] != "__" and hasattr(np.ndarray, name):
            raise ReadingError(f".{name}")
        raise AttributeError(name)


def _raising(name: str) -> Callable[..., Any]:
    def method(*_: Any, **__: Any) -> Any:
        raise ReadingError(name.strip("_"))

    return method


_METHODS = """bool array float int complex index iter getitem setitem contains abs neg pos invert
    add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul
    and rand or ror xor rxor lshift rlshift rshift rrshift lt le gt ge eq ne"""
for _name in _METHODS.split():
    setattr(Batched, f"__{_name}__", _raising(f"__{_name}__"))
Batched.__hash__ = object.__hash__  # type: ignore[method-assign]

# What NumPy tells of shape and dtype alone.
_OF_THE_KIND = {
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj,
    np.zeros_like, np.ones_like, np.empty_like, np.may_share_memory, np.shares_memory,
    np.common_type, np.min_scalar_type,
}  # fmt: skip
_TEXTS = {np.array2string, np.array_repr, np.array_str}


def _kinds(value: Any) -> Any:
    """Return arrays of zeros for batched values, also in lists and tuples."""
    if isinstance(value, Batched):
        return np.broadcast_to(np.zeros((), value.dtype), value.shape)
    return type(value)(map(_kinds, value)) if type(value) in (list, tuple) else value


# -- looking into it -------------------------------------------------------------------------------


def inner(value: Any) -> Any:
    """Return the value of all examples as an operand: an array, or a Variable where a batch further
    out goes on with it.
    """
    return shown(value.value)


def shown(value: Any) -> Any:
    """Return a batched value as a Variable, also in lists, tuples and dicts; others as they are.

    While a program is traced, arrays too: what is done to all examples is a part of the program.
    """
    if isinstance(value, Many):
        return wrap(value)
    if current_mode().tracing and is_array(value):
        announce(value)
        return wrap(value)
    if type(value) in (list, tuple):
        return type(value)(map(shown, value))
    if type(value) is dict:
        return {key: shown(part) for key, part in value.items()}
    return value


def announce(*values: Any) -> None:
    """Tell who traces a program what comes from outside of a batch, before operations on its arrays
    are seen.
    """
    for observe in current_mode().observers:
        if hasattr(observe, "know"):
            for value in leaves(values):
                observe.know(value)


def of_level(value: Any, level: Level) -> bool:
    """Tell whether raw data are batched at `level`."""
    return isinstance(value, Batched) and value.level is level


def leaves(value: Any) -> Iterator[Any]:
    """Yield what nested lists, tuples and dicts hold."""
    if type(value) in (list, tuple):
        for part in value:
            yield from leaves(part)
    elif type(value) is dict:
        yield from leaves(list(value.values()))
    else:
        yield value


def worst(value: Any) -> Any:
    """Return a number, of all examples the largest: what an iteration goes on for that runs for all
    of them as long as the slowest one needs.
    """
    data = unwrap(value)
    if not isinstance(data, Batched):
        return data
    if current_mode().tracing:
        raise RuntimeError(
            "compile: wanted a program that is the same for all values, got an iteration on a "
            "batch that goes on until values settle; write autograd.vmap(autograd.compile(f))"
        )
    return np.max(data.all_elements())


def innermost(values: Iterable[Any]) -> Level | None:
    """Return the innermost batch that values, also nested ones, belong to."""
    found: Level | None = None
    for value in values:
        data = value._data if isinstance(value, graph.Variable) else value
        if data.__class__ is Batched:
            level: Level | None = data.level
        elif type(data) in (list, tuple, dict):
            level = innermost(data.values() if type(data) is dict else data)
        else:
            continue
        if found is None or (level is not None and level.depth > found.depth):
            found = level
    return found


def belongs(value: Any, level: Level) -> bool:
    """Tell whether a Variable is one of `level`: whether its gradient is one for each example."""
    return of_level(unwrap(value), level)


def lifted(data: Any, level: Level | None) -> Any:
    """Return data as a value of a batch, the same for all examples; outside of batches as they are.

    What a transform inside of a batch differentiates has a gradient for each example.
    """
    if level is None or of_level(data, level) or isinstance(data, graph.Variable):
        return data
    return Batched(data, level, varies=False)
