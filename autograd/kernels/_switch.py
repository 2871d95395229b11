"""Which kernels compute: what a user chooses, and how it is put in place. Imports the engine."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable
from typing import Any, Self

from autograd._optional import require
from autograd.engine.primitive import PRIMITIVES, Primitive, written

__all__ = [
    "Chunks",
    "compiled",
    "instead_of",
    "offer",
    "run_rows",
    "set_num_threads",
    "use_kernels",
]

_VARIABLE = "GRADLOOM_KERNELS"
# The files whose kernels are taken, by what a user asks for.
_ROOMS: dict[str, tuple[str, ...]] = {
    "numpy": (),
    "numba": ("activations", "channels", "recurrent", "rows", "steps"),
}
# (owner, part) -> kernel; parts are "forward", "joint", an operand for its rule, or a method.
_KERNELS: dict[tuple[str, str], Callable[..., Any]] = {}
# What stands where a kernel stands now.
_ORIGINALS: dict[tuple[str, str], Callable[..., Any]] = {}
_OWNERS: dict[str, type] = {}  # the classes that have been offered
_name = "numpy"


def instead_of(owner: str, part: str = "forward") -> Callable[[Callable[..., Any]], Any]:
    """Decorate the kernel that stands for a part of a primitive or class of this name."""

    def declare(kernel: Callable[..., Any]) -> Callable[..., Any]:
        _KERNELS[owner, part] = kernel
        return kernel

    return declare


class use_kernels:  # noqa: N801 - called like a function
    """Compute large arrays by the kernels of this name: until further notice, or inside a `with`.

    "numpy" is the default. "numba" compiles loops for the operations that NumPy needs many passes
    for: softmax and its kin, normalisation, GELU, losses of classes, steps of optimizers
    (docs/performance.md lists them and what they bring). They agree with NumPy to 1e-6 in float32
    and 1e-13 in float64; all else, and all that is not a plain array of these dtypes, stays with
    NumPy. A kernel is compiled when it first runs, which takes a second, and kept on disk by
    numba. The choice holds for the whole process; GRADLOOM_KERNELS=numba in the environment makes
    it before Python starts.

    Args:
        name: "numpy" or "numba".

    Raises:
        ValueError: for another name.
        ImportError: where numba is not installed.

    Example:
        >>> import autograd
        >>> with autograd.use_kernels("numpy"):
        ...     autograd.softmax([0.0, 0.0])
        array([0.5, 0.5])
    """

    def __init__(self, name: str) -> None:
        self._before = _name
        _use(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        _use(self._before)

    def __repr__(self) -> str:
        return f"use_kernels({_name!r})"


def compiled(owner: str, forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return what asks the compiled kernel of a primitive first, whether kernels are in use or not;
    the forward function itself where there is none.
    """
    for room in _ROOMS["numba"]:
        importlib.import_module(f"autograd.kernels.{room}")
    kernel = _KERNELS.get((owner, "forward"))
    return forward if kernel is None else _either(kernel, forward)


def _use(name: str) -> None:
    global _name  # noqa: PLW0603 - the choice of the process
    if name not in _ROOMS:
        known = " or ".join(map(repr, _ROOMS))
        raise ValueError(f"use_kernels: wanted {known}, got {name!r}")
    if _ROOMS[name]:
        require("numba", extra="fast")
    for room in _ROOMS[name]:
        importlib.import_module(f"autograd.kernels.{room}")
    _name = name
    for place, original in list(_ORIGINALS.items()):
        _put(place, original)
    _ORIGINALS.clear()
    offer()


def offer(*classes: type) -> None:
    """Put kernels where they belong, if they are asked for: called by packages that have made
    primitives, and for classes of theirs whose methods may be replaced.
    """
    _OWNERS.update({owner.__name__: owner for owner in classes})
    for place in _KERNELS.keys() - _ORIGINALS.keys() if _name != "numpy" else ():
        original = _found(place)
        if original is not None:
            _ORIGINALS[place] = original
            _put(place, _either(_KERNELS[place], original))


# -- the places ------------------------------------------------------------------------------------


def _found(place: tuple[str, str]) -> Callable[..., Any] | None:
    """Return what stands in a place, None where its owner is not imported."""
    owner, part = place
    if owner in _OWNERS:
        return getattr(_OWNERS[owner], part)  # type: ignore[no-any-return]
    made = PRIMITIVES.get(owner)
    if made is None:
        return None
    return getattr(made, part) if part in ("forward", "joint") else made.rules[part]


def _put(place: tuple[str, str], function: Callable[..., Any]) -> None:
    owner, part = place
    if owner in _OWNERS:
        setattr(_OWNERS[owner], part, function)
        return
    made = PRIMITIVES[owner]
    if part == "forward":
        _cell(made).cell_contents = function
    elif part == "joint":
        made.joint = function
        made.defvjp()  # which forgets the plans
    else:
        made.defvjp(**{part: function})


def _cell(made: Primitive) -> Any:
    """Return the variable from which the public function of a primitive takes what it calls.

    The primitive itself keeps the NumPy function, which transformations and the compiler read.
    """
    call: Any = made.call
    return call.__closure__[call.__code__.co_freevars.index("forward")]


def _either(kernel: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the signature of `original` that asks the kernel first."""
    arguments = ", ".join(inspect.signature(original).parameters)  # none is by keyword only
    return written(  # type: ignore[no-any-return]
        arguments,
        [f"original({arguments}) if (_ := kernel({arguments})) is NotImplemented else _"],
        kernel=kernel,
        original=original,
    )


# -- threads ---------------------------------------------------------------------------------------


_threads = 1
_pool: Any = None
_LEAST = 1 << 16  # elements for each thread: to wake one takes 20 us


def set_num_threads(count: int) -> None:
    """Let compiled kernels run on `count` threads, where arrays are large enough; 1 at first.

    Matrix products are the BLAS's own (OPENBLAS_NUM_THREADS before Python starts), and
    `autograd.compile` has an option.

    Args:
        count: at least 1.

    Raises:
        ValueError: for less.
    """
    global _threads, _pool
    if type(count) is not int or count < 1:
        raise ValueError(f"set_num_threads: wanted an integer of at least 1, got {count!r}")
    _threads, _pool = count, None


class Chunks:
    """How `count` rows of `width` numbers are dealt out to threads."""

    def __init__(self, count: int, width: int) -> None:
        self.parts, self.bounds = 1, [(0, count)]
        if _threads > 1:
            step = -(-count // max(1, min(_threads, count, count * width // _LEAST)))
            self.bounds = [(i, min(i + step, count)) for i in range(0, count, step)]
            self.parts = len(self.bounds)


def run_rows(loop: Callable[..., bool], chunks: Chunks, *arguments: Any) -> bool:
    """Run loop(part, start, stop, *arguments) on all parts; return whether all return True."""
    global _pool  # noqa: PLW0603
    if chunks.parts == 1:
        return loop(0, *chunks.bounds[0], *arguments)
    if _pool is None:
        from concurrent.futures import ThreadPoolExecutor

        _pool = ThreadPoolExecutor(_threads, thread_name_prefix="autograd.kernels")
    running = [
        _pool.submit(loop, part, start, stop, *arguments)
        for part, (start, stop) in enumerate(chunks.bounds)
    ]
    clean = [future.result() for future in running]  # of all: none may write later
    return all(clean)


_asked = os.environ.get(_VARIABLE)
if _asked:
    _use(_asked)
