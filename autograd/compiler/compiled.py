"""`compile`, and its cache of programs. Last file to read. Imports everything that is older."""

from __future__ import annotations

import functools
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np

from autograd._optional import require
from autograd.arrays import Many
from autograd.compiler.guards import Same, frozen
from autograd.compiler.passes import PASSES
from autograd.compiler.run import Entry, Options
from autograd.compiler.trace import Trace
from autograd.engine.graph import unwrap
from autograd.engine.mode import current_mode
from autograd.engine.primitive import Primitive
from autograd.transforms.containers import flatten
from autograd.transforms.trace import a_kind
from autograd.typed import user_level
from autograd.variable import Variable

__all__ = ["Compiled", "compile"]

_ARRAYS = (np.ndarray, np.generic)
_FLAT = frozenset({np.ndarray, Variable, np.float64, np.float32, float, int, bool, str})
_MANY = 16  # programs for one kind of arguments, because something outside changes


class Compiled:
    """A function that is traced once for each kind of arguments, and then run as NumPy."""

    def __init__(self, function: Callable[..., Any], options: Options, name: str = "") -> None:
        self.function, self.options = function, options
        functools.update_wrapper(self, function)
        self.name = name or getattr(function, "__name__", type(function).__name__)
        self.name = self.name if self.name.isidentifier() else "program"
        self.primitive = Primitive(self.name, function, ("inputs",), {}, variadic=True)
        self.lock = threading.RLock()
        self._entries: dict[Any, list[Entry]] = {}
        self._last: Entry | None = None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind it where it is a method."""
        return self if instance is None else MethodType(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute what the function does; trace it first where these arguments are new to it."""
        mode = current_mode()
        if mode.tracing or mode.inspector is not None:  # a part of a larger program
            return self.function(*args, **kwargs)
        leaves: Any = args
        structure = None
        if kwargs or not _FLAT.issuperset(map(type, args)):
            leaves, structure = flatten((args, kwargs))[0], _structure((args, kwargs))
        key = (mode.recording, structure, *map(_kind, leaves))
        for entry in self._entries.get(key, ()):
            if entry.changed() is None:
                return entry(leaves)
        if any(isinstance(unwrap(x), Many) for x in leaves):  # one call for a batch of examples
            return self.function(*args, **kwargs)
        return self._made(key, [*leaves], flatten((args, kwargs))[1], mode.recording)(leaves)

    def _made(self, key: Any, leaves: list[Any], rebuild: Any, recording: bool) -> Entry:
        """Trace the function anew."""
        with self.lock:
            entries = self._entries.setdefault(key, [])
            if len(entries) == _MANY:
                warnings.warn(
                    f"compile: {self.name} was traced {_MANY} times for arguments of one kind, "
                    f"because {entries[0].changed()} changes; give it as an argument (numbers as "
                    "np.float64) to trace once",
                    UserWarning,
                    user_level(),
                )
            entry = self._last = self._traced(leaves, rebuild, recording=recording)
            entries.insert(0, entry)
            del entries[_MANY + 1 :]
        return entry

    def _traced(
        self, leaves: Any, rebuild: Any, *, recording: bool, guarded: bool = False
    ) -> Entry:
        example = [_like(x) for x in leaves]
        again = functools.partial(self._traced, example, rebuild, recording=recording, guarded=True)
        trace = Trace(self.function, leaves, rebuild, recording=recording, guarded=guarded)
        return Entry(self, trace, again)

    # -- what can be seen of it --------------------------------------------------------------------

    def _entry(self, what: str) -> Entry:
        if self._last is None:
            raise RuntimeError(
                f"{what}: wanted a compiled function that was called, got one that was not, so "
                "there is no program yet; call it once"
            )
        return self._last

    @property
    def source(self) -> str:
        """The text of the program that was made last, and of that of its gradients.

        Raises:
            RuntimeError: before the first call.
        """
        return "\n\n".join(p.source for p in self._entry("source").programs)

    def report(self, *args: Any, **kwargs: Any) -> str:
        """Return what became of the operations of the program that was made last; given arguments,
        call the function with them, and tell where the time goes, its backward pass included.

        Raises:
            RuntimeError: before the first call.
        """
        from autograd.compiler import seen

        if not args and not kwargs:
            return seen.report(self.name, self._entry("report"))
        self(*args, **kwargs)
        key, leaves = None, flatten((args, kwargs))[0]
        for key, entries in self._entries.items():
            if key[2:] == tuple(map(_kind, leaves)) and entries[0].changed() is None:
                return seen.report(self.name, entries[0], leaves)
        return seen.report(self.name, self._entry("report"))

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write the program that was made last as a file of Python that needs NumPy and nothing
        else; see `autograd.compiler.export`.

        Raises:
            RuntimeError: before the first call, and for a program that draws random numbers or
                calls a function whose text cannot be found.
        """
        from autograd.compiler.export import exported  # with `ast` and `base64`

        entry = self._entry("export")
        if self.options.backend != "numpy":
            plain = Compiled(self.function, self.options._replace(backend="numpy"), self.name)
            entry = plain._traced(*entry.recall.args, **entry.recall.keywords)
        Path(path).write_text(exported(self.name, entry.safe), encoding="utf-8")

    def __repr__(self) -> str:
        from autograd.compiler import seen

        return seen.lines(self.name, [e for entries in self._entries.values() for e in entries])

    def _repr_html_(self) -> str:
        from autograd.compiler import seen

        return seen.html(repr(self), self.source if self._last else "")


def _like(x: Any) -> Any:
    """Return ones in the place of an array, so that no memory is held; anything else as it is."""
    data = unwrap(x)
    if not isinstance(data, _ARRAYS):
        return x
    data = np.ones_like(data)
    return Variable(data, requires_grad=x.requires_grad) if isinstance(x, Variable) else data


def _structure(tree: Any) -> Any:
    kind = type(tree)
    if kind is tuple or kind is list:
        return kind, tuple(map(_structure, tree))
    if kind is dict:
        return dict, tuple((k, _structure(v)) for k, v in tree.items())
    if hasattr(tree, "_fields"):
        return kind, tuple(map(_structure, tree))
    return tree is None


def _kind(leaf: Any) -> Any:
    """Return what two leaves have in common that one program serves."""
    if isinstance(leaf, Variable):
        data, kind = leaf._data, 2 if leaf._node is None else 3
    else:
        data, kind = leaf, 1
    if isinstance(data, _ARRAYS):
        odd = None if data.__class__ is np.ndarray or isinstance(data, np.generic) else type(data)
        return kind, data.shape, data.dtype, odd
    form = frozen(leaf)
    try:
        return leaf if form.__class__ is Same and hash(leaf) is not None else form
    except TypeError:  # what has no hash is itself only
        return form


def compile(
    function: Callable[..., Any],
    *,
    threads: int = 1,
    without: Sequence[str] = (),
    backend: str = "numpy",
) -> Compiled:
    """Return a function that computes the same as `function`, traced once and run as NumPy.

    The program is one node in a graph, with a compiled backward pass. It is traced for each
    structure, shape and dtype of the arrays among the arguments, for which of them require a
    gradient, for the grad mode and the mode of modules, and for each value of everything that is no
    array. Parameters and other Variables from outside are read at each call, plain arrays from
    outside are constants by reference. See docs/compile.md.

    Args:
        function: of arrays, Variables, containers of them, and whatever else; a Module.
        threads: how many work on the loops over blocks; the same number, the same bits.
        without: names of passes to leave out: "fold", "common", "exact", "spread", "lower", "fuse",
            "scalars".
        backend: "numpy", or "numba" for groups of operations as compiled loops, with the extra
            `fast`; tracing takes a second or more then.

    Raises:
        TypeError: for what is no function.
        ValueError: for a pass or a backend that is not known, or less than one thread.
        ImportError: for "numba" where that is not installed.

    Example:
        >>> import numpy as np
        >>> step = compile(lambda x: np.tanh(x * 2.0).sum())
        >>> step(np.zeros(3))
        np.float64(0.0)
        >>> print(step)
        <compiled program: 1 program>
          (x: float64[3]), 3 operations
    """
    if not callable(function):  # as a Variable is not
        raise TypeError(f"compile: wanted a function, got {a_kind(function)}; write compile(f)(x)")
    known = {*PASSES, "fuse", "scalars"}
    if not known.issuperset(without):
        got = sorted({*without} - known)
        raise ValueError(f"compile: wanted passes among {', '.join(sorted(known))}, got {got}")
    if threads < 1:
        raise ValueError(f"compile: wanted at least one thread, got {threads}")
    if backend not in ("numpy", "numba"):
        raise ValueError(f"compile: wanted the backend 'numpy' or 'numba', got {backend!r}")
    if backend == "numba":
        require("numba", extra="fast")
    return Compiled(function, Options(tuple(without), int(threads), backend))
