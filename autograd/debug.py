"""The debug mode: says where in the user's code a wrong gradient begins. Imports `variable` and
what is older.

While it is on, every recorded operation remembers its line of code and a checksum of what it saved.
The backward pass then finds arrays that were changed behind the library's back, the first rule that
makes nan or infinity out of finite numbers, and the forward line of any rule that fails. Off, it
costs nothing; on, roughly the time of a traceback per operation and one pass over the saved arrays.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Self, TypeVar

import numpy as np

from autograd.engine.backward import masked_by
from autograd.engine.calls import unwrap_all
from autograd.engine.graph import Node, Plan, recorded
from autograd.engine.mode import watching
from autograd.typed import line, user_frame
from autograd.variable import Variable

__all__ = ["detect_anomaly"]

F = TypeVar("F", bound=Callable[..., Any])


def _arrays(saved: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(saved, tuple):
        for value in saved:
            yield from _arrays(value)
    elif isinstance(saved, np.ndarray):
        yield saved
    elif isinstance(saved, Variable):
        yield from _arrays(saved._data)


def _checksum(array: np.ndarray[Any, Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data)


def _broken(value: Any) -> int:
    """Count the elements of an array or Variable that are nan or infinite."""
    if value is None:
        return 0
    data = value._data if isinstance(value, Variable) else value
    return int(np.size(data) - np.count_nonzero(np.isfinite(data)))


class detect_anomaly:  # noqa: N801 - reads as a function, as in PyTorch
    """Find where wrong gradients begin: a context manager or decorator around forward and backward.

    Inside, in this thread, a backward pass raises

    - RuntimeError, where an array that an operation saved was changed by plain NumPy since then;
    - FloatingPointError, where a rule returns nan or infinity for a finite cotangent;
    - whatever a rule raises, with the line of the forward pass added to it;

    and every message names the operation and the user's line that recorded it.

    Args:
        nan: look for nan and infinity in gradients.
        forward: look for them in the results of the forward pass, too.

    Example:
        >>> import numpy as np, autograd
        >>> x = autograd.Variable([0.0, 1.0], requires_grad=True)
        >>> with autograd.detect_anomaly():
        ...     np.sqrt(x).sum().backward()
        Traceback (most recent call last):
        ...
        FloatingPointError: sqrt: wanted a finite gradient for operand 'x', got nan or infinity in \
1 of 2 elements; recorded at ...
    """

    def __init__(self, *, nan: bool = True, forward: bool = False) -> None:
        self._nan = nan
        self._forward = forward
        self._notes: dict[int, tuple[str, list[int]]] = {}
        self._switches: list[Any] = []

    def __repr__(self) -> str:
        return f"detect_anomaly(nan={self._nan}, forward={self._forward})"

    def __enter__(self) -> Self:
        switch = watching(self._observe, inspector=self._inspect)
        switch.__enter__()
        self._switches.append(switch)
        return self

    def __exit__(self, *error: object) -> None:
        self._switches.pop().__exit__(*error)
        if not self._switches:
            self._notes.clear()

    def __call__(self, function: F) -> F:
        """Decorate a function."""

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with detect_anomaly(nan=self._nan, forward=self._forward):
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    def _observe(self, _primitive: Any, _arguments: tuple[Any, ...], out: Any) -> None:
        node = recorded(out)
        if node is None:
            return
        where = line(user_frame())
        self._notes[node.number] = where, list(map(_checksum, _arrays(node.saved)))
        if self._forward and any(map(_broken, _arrays(unwrap_all(out)))):
            msg = (
                f"{node.plan.name}: wanted a finite result, got nan or infinity; "
                f"recorded at {where}"
            )
            raise FloatingPointError(msg)

    # -- what the backward pass calls instead of the rules ---------------------------------------

    def _inspect(
        self, node: Node, plan: Plan, parents: tuple[Node, ...], g: Any, saved: Any
    ) -> tuple[Any, ...]:
        """Run the rules of one node, and return their results as pulls."""
        where, checksums = self._notes.pop(node.number, ("a line outside the debug mode", None))
        if checksums is not None and list(map(_checksum, _arrays(saved))) != checksums:
            msg = (
                f"{plan.name}: wanted the arrays it saved in the forward pass, got one whose "
                f"contents were changed since; change a copy instead; recorded at {where}"
            )
            raise RuntimeError(msg)
        try:
            if plan.joint is not None:
                saved = plan.joint(g, saved)
            results = [g if pull is None else pull(g, saved) for pull in plan.pulls]
            for position, (gx, parent) in enumerate(zip(results, parents, strict=True)):
                if isinstance(gx, np.ndarray | np.generic | Variable):
                    results[position] = self._judged(plan, position, g, gx, parent, where)
        except Exception as error:
            error.add_note(f"{plan.name} was recorded at {where}")
            raise
        return tuple((lambda *_, gx=gx: gx) for gx in results)

    def _judged(self, plan: Plan, position: int, g: Any, gx: Any, parent: Node, where: str) -> Any:
        """Return what a rule returned, masked and in shape; raise where it is not finite."""
        if plan.elementwise and _broken(gx):
            gx = masked_by(g, gx)
        operand = plan.operands[position]
        gx = gx if plan.fit is None else plan.fit(gx, parent, operand)
        count = _broken(gx)
        if self._nan and count and not any(map(_broken, g if isinstance(g, tuple) else (g,))):
            msg = (
                f"{plan.name}: wanted a finite gradient for operand {operand!r}, "
                f"got nan or infinity in {count} of {gx.size} elements; recorded at {where}"
            )
            raise FloatingPointError(msg)
        return gx
