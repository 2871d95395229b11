"""The debug mode: says where in the user's code a wrong gradient begins. Imports `variable` and
what is older.

While it is on, every recorded operation remembers its line of code and a checksum of what it saved.
The backward pass then finds arrays that were changed behind the library's back, the first rule that
makes nan or infinity out of finite numbers, and the forward line of any rule that fails. Off, it
costs nothing; on, a training step takes 1.3 to 1.9 times as long.

Lines are remembered here and not always: a reference to the code that calls an operation takes
0.11 us, 6 % of what an operation costs forward and backward, and finding the user's line behind a
layer 0.27 us, 16 %.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import math
import warnings
import zlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from autograd._decorators import run_inside
from autograd.engine.backward import masked_by
from autograd.engine.calls import unwrap_all
from autograd.engine.graph import Node, Plan, Pull, recorded
from autograd.engine.mode import watching
from autograd.typed import Place, ours, user_frame, user_level
from autograd.variable import Variable

__all__ = ["detect_anomaly"]

F = TypeVar("F", bound=Callable[..., Any])

_CHUNK = 4096  # elements of the weights of a checksum


def _arrays(saved: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(saved, tuple | list):
        for value in saved:
            yield from _arrays(value)
    elif isinstance(saved, np.ndarray):
        yield saved
    elif isinstance(saved, Variable):
        yield from _arrays(saved._data)


def _checksum(array: np.ndarray[Any, Any]) -> int:
    """Return a number that any change of one element changes, and others nearly always.

    Products with odd numbers, modulo 2**64, are three times as fast as the CRC of large arrays.
    """
    whole = array if array.flags.c_contiguous else np.ascontiguousarray(array.T)
    if whole.nbytes < 8 * _CHUNK:
        return zlib.crc32(whole.data)
    data = whole.reshape(-1).view(np.uint8)
    end = data.size // (8 * _CHUNK) * 8 * _CHUNK
    rows = data[:end].view(np.uint64).reshape(-1, _CHUNK) @ _weights()
    return zlib.crc32(rows.data, zlib.crc32(data[end:].data))


@functools.cache
def _weights() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 2**63, _CHUNK, np.uint64) * 2 + np.uint64(1)


def _broken(value: Any) -> int:
    """Count the elements of an array or Variable that are nan or infinite."""
    if value is None:
        return 0
    data = value._data if isinstance(value, Variable) else value
    if data.__class__ is np.float64:
        return not math.isfinite(data)
    if data.dtype.kind == "f" and math.isfinite(np.vdot(data, data)):
        return 0  # one dot product tells that all is well
    return int(np.size(data) - np.count_nonzero(np.isfinite(data)))


# What is remembered of an operation: the code and instruction that called it, and the checksums of
# what it saved.
_NOTHING: tuple[Any, int, list[int]] = None, 0, []
_float64 = np.float64


def _checksums(saved: Any) -> list[int]:
    """Return the checksums of what an operation saved: of single numbers, which cannot be changed,
    none.
    """
    if saved is None or saved.__class__ is _float64:
        return []
    if saved.__class__ is tuple:
        for value in saved:
            if value.__class__ is not _float64:
                break
        else:
            return []
    return list(map(_checksum, _arrays(saved)))


def _place(note: tuple[Any, int, list[int]]) -> Any:
    return Place(note[0], note[1]) if note[0] else "a line outside the debug mode"


class detect_anomaly:  # noqa: N801 - reads as a function, as in PyTorch
    """Find where wrong gradients begin: a context manager or decorator around forward and backward.

    Inside, in this thread, a backward pass raises

    - RuntimeError, where an array that an operation saved was changed by plain NumPy since then;
    - FloatingPointError, where a rule returns nan or infinity for a finite cotangent;
    - whatever a rule raises, with the line of the forward pass added to it;

    and every message names the operation and the user's line that recorded it. NumPy's warnings
    name the user's line, too.

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
1 of 2 elements, from g in [1, 1], out in [0, 1]; recorded at ...
    """

    def __init__(self, *, nan: bool = True, forward: bool = False) -> None:
        self._nan = nan
        self._forward = forward
        self._notes: dict[int, tuple[Any, int, list[int]]] = {}
        # Where the backward pass is, and the operands there.
        self._at: tuple[tuple[Any, int, list[int]], tuple[Node, ...]] = _NOTHING, ()
        self._watched: dict[Plan, tuple[Pull | None, ...]] = {}
        self._switches: list[contextlib.ExitStack] = []

    def __repr__(self) -> str:
        return f"detect_anomaly(nan={self._nan}, forward={self._forward})"

    def __enter__(self) -> Self:
        switch = contextlib.ExitStack()
        switch.enter_context(watching(self._observe, inspector=self._inspect))
        states = np.geterr()
        if "call" not in states.values():  # the user's own
            warned: Any = {kind: "call" for kind, state in states.items() if state == "warn"}
            switch.enter_context(np.errstate(**warned, call=_warn))
        self._switches.append(switch)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._switches.pop().__exit__(kind, error, traceback)
        if error is not None and "recorded at" not in f"{error} {getattr(error, '__notes__', '')}":
            self._tell(error, traceback)
        if not self._switches:
            self._notes.clear()
            self._watched.clear()

    def __call__(self, function: F) -> F:
        """Decorate a function, coroutine function or (asynchronous) generator function."""
        make = functools.partial(detect_anomaly, nan=self._nan, forward=self._forward)
        return run_inside(make, function)

    def _observe(self, primitive: Any, arguments: tuple[Any, ...], out: Any) -> None:
        node = out._node if out.__class__ is Variable else recorded(out)
        if node is None:
            return
        frame = user_frame(4)  # above this, `record`, and the function of the operation
        note = self._notes[node.number] = frame.f_code, frame.f_lasti, _checksums(node.saved)
        if self._forward and any(map(_broken, _arrays(unwrap_all(out)))):
            names = getattr(primitive, "parameters", ())
            told = _ranges(dict(zip(names, unwrap_all(arguments), strict=False)))
            raise FloatingPointError(
                f"{node.plan.name}: wanted a finite result, got nan or infinity{told}; "
                f"recorded at {_place(note)}"
            )

    def _tell(self, error: BaseException, traceback: TracebackType | None) -> None:
        """Add the place of the node that a backward pass was at to an error of a hook, or of memory
        that an optimizer has changed: the frames that the error went through know it.
        """
        told = ""
        while traceback is not None:
            frame, traceback = traceback.tb_frame, traceback.tb_next
            node = frame.f_locals.get("node") if ours(frame) else None
            if isinstance(node, Node) and node.number in self._notes:
                told = f"{node.plan.name} was recorded at {_place(self._notes[node.number])}"
        if told:
            error.add_note(told)

    # -- what the backward pass calls instead of the rules -----------------------------------------

    def _inspect(
        self, node: Node, plan: Plan, parents: tuple[Node, ...], g: Any, saved: Any
    ) -> tuple[Pull | None, ...]:
        """Return pulls that look at what the rules of one node return."""
        note = self._notes.pop(node.number, _NOTHING)
        self._at = note, parents
        if note[2] and _checksums(saved) != note[2]:
            raise RuntimeError(
                f"{plan.name}: wanted the arrays it saved in the forward pass, got "
                f"{_changed(plan, saved, _place(note), note[2])} changed since; change a copy "
                f"instead; recorded at {_place(note)}"
            )
        if plan.joint is None:
            return self._watched.get(plan) or self._watch(plan)
        try:
            ready = plan.joint(g, saved)
        except Exception as error:
            error.add_note(f"{plan.name} was recorded at {_place(note)}")
            raise
        parts = enumerate(plan.pulls)
        return tuple([functools.partial(self._part, plan, i, pull, ready) for i, pull in parts])

    def _part(self, plan: Plan, position: int, pull: Any, ready: Any, g: Any, saved: Any) -> Any:
        """Return what a joint rule has given one operand."""
        return self._judged(plan, position, g, pull(g, ready), saved)

    def _watch(self, plan: Plan) -> tuple[Pull | None, ...]:
        """Make the pulls of a plan that look at what they return."""

        def watched(position: int, pull: Pull) -> Pull:
            def run(g: Any, saved: Any) -> Any:
                at = self._at
                try:
                    gx = pull(g, saved)
                    self._at = at  # it may have run a backward pass of its own
                    if gx.__class__ is _float64 and math.isfinite(gx):
                        return gx
                    return self._judged(plan, position, g, gx, saved)
                except Exception as error:
                    error.add_note(f"{plan.name} was recorded at {_place(at[0])}")
                    raise

            return run

        made = tuple(pull and watched(i, pull) for i, pull in enumerate(plan.pulls))
        self._watched[plan] = made
        return made

    def _judged(self, plan: Plan, position: int, g: Any, gx: Any, saved: Any) -> Any:
        """Return what a rule returned, masked and in shape; raise where it is not finite."""
        note, parents = self._at
        if not isinstance(gx, np.ndarray | np.generic | Variable):
            return gx  # nothing, or cotangents that are not written out yet
        count = _broken(gx)
        if count and plan.elementwise:
            gx = masked_by(g, gx)
            count = _broken(gx)
        if plan.fit is not None:
            gx = plan.fit(gx, parents[position], plan.operands[position])
        if self._nan and count and not any(map(_broken, g if isinstance(g, tuple) else (g,))):
            from autograd.recording import saved_by_name  # only for messages

            told = _ranges({"g": g} | saved_by_name(plan, saved))
            raise FloatingPointError(
                f"{plan.name}: wanted a finite gradient for operand {plan.operands[position]!r}, "
                f"got nan or infinity in {count} of {gx.size} elements{told}; recorded at "
                f"{_place(note)}"
            )
        return gx


def _warn(kind: str, _: int) -> None:
    """Warn as NumPy does, at the user's line: NumPy names ours, and one line warns only once."""
    text = Place.of(user_frame()).expression
    said = f"{kind} encountered in {text}" if text else f"{kind} encountered"
    warnings.warn(said, RuntimeWarning, stacklevel=user_level())


def _ranges(values: dict[str, Any]) -> str:
    """Return what arrays and numbers range over, in words."""
    from autograd.recording import show_range  # only for messages

    told = [
        f"{name} in {show_range(value)}"
        for name, value in values.items()
        if isinstance(value, np.ndarray | np.inexact | Variable) and np.size(value)
    ]
    return f", from {', '.join(told)}" if told else ""


def _changed(plan: Plan, saved: Any, place: Any, before: list[int]) -> str:
    """Return which of the values that a node saved was changed: its name, and the user's."""
    from autograd.recording import saved_by_name

    now = map(_checksum, _arrays(saved))
    at = next(i for i, (old, new) in enumerate(zip(before, now, strict=True)) if old != new)
    count = 0
    for name, value in saved_by_name(plan, saved).items():
        count += len(list(_arrays(value)))
        if at < count:
            names = getattr(plan.primitive, "parameters", ())
            typed = _typed(place, names.index(name)) if name in names else ""
            return (
                f"operand {name!r}{f' ({typed})' if typed else ''}"
                if name != "out"
                else "its result"
            )
    return "one whose contents were"


def _typed(place: Place, position: int) -> str:
    """Return what the user wrote as an operand, in a line of one operation; else ""."""
    try:
        node = ast.parse(place.expression.strip(), mode="eval").body
    except SyntaxError:
        return ""
    operands: list[ast.expr] = []
    if isinstance(node, ast.BinOp):
        operands = [node.left, node.right]
    elif isinstance(node, ast.Call):
        operands = list(node.args)
        if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name):
            operands = [node.func.value, *operands]
    return ast.unparse(operands[position]) if position < len(operands) else ""
