"""The profiler: where time and memory of a program go, by operation, by module and by line.

Built on the one place that every call passes: an observer sees each call when it is done, and an
inspector hands out the rules of each backward pass, with a clock around them. Imports the engine.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from types import CodeType, FrameType
from typing import Any, NamedTuple, Self

from autograd.engine.graph import Node, Plan, Pull, recorded, unwrap
from autograd.engine.mode import watching
from autograd.typed import Place, ours, variables
from autograd.variable import Variable

__all__ = ["profile"]

_clock = time.perf_counter
_BETWEEN = "(between passes)"
_NOWHERE = 0
_BY = ("operation", "module", "line")


class _Row(NamedTuple):
    """What one operation, module or line took.

    Attributes:
        name: Of the operation; the path of the module; file, line number and text.
        calls: How often, forward.
        forward: Seconds of the calls.
        backward: Seconds of their rules.
        bytes: Of the results of the calls.
    """

    name: str
    calls: int
    forward: float
    backward: float
    bytes: int

    @property
    def seconds(self) -> float:
        """Forward and backward."""
        return self.forward + self.backward


class profile:  # noqa: N801 - reads as a function, as `detect_anomaly`
    """Measure where time and memory go: a context manager around some steps.

    In this thread, every operation on Variables is counted, forward and backward, with the module
    and the line that called it. `print(p)` shows a table by operation; `p.table("module")`, the
    same by module or "line"; `p.rows` gives numbers; `p.plot` draws bars; `p.export_chrome_trace`
    writes the calls in order for a trace viewer (chrome://tracing, ui.perfetto.dev).

    The clock of an operation starts where the one before ended, so Python code between two
    operations counts for the second. What happens between a backward pass and the next operation
    (the optimizer, the next batch, and that first operation) has a row of its own. Operations
    inside of a rule count for the rule. A step takes less than twice its time while it is watched.

    Example:
        >>> import numpy as np, autograd
        >>> x = autograd.Variable(np.ones((100, 100)), requires_grad=True)
        >>> with autograd.profile() as p:
        ...     np.tanh(x @ x).sum().backward()
        >>> [(row.name, row.calls, row.bytes) for row in sorted(p.rows())]
        [('matmul', 1, 80000), ('sum', 1, 8), ('tanh', 1, 80000)]
    """

    def __init__(self) -> None:
        self.elapsed = 0.0  # seconds inside of the `with`
        # (operation, place, backward, start, seconds, bytes): of numbers and strings only, which
        # the garbage collector does not look at.
        self._seen: list[tuple[str, int, bool, float, float, int]] = []
        self._where = [("", "")]  # places by their number: the path of the module, the user's line
        self._numbers: dict[Any, int] = {}
        self._places: dict[int, int] = {}  # number of a node -> place
        self._switch: Any = None
        self._base: FrameType | None = None
        self._last, self._begin = 0.0, 0.0
        self._open: tuple[str, int, float] | None = None  # the node whose rules run
        self._rule: int | None = None  # the place of the rule whose operations are its
        self._pulls: dict[Plan, tuple[Pull | None, ...]] = {}
        self._kinds: dict[CodeType, int] = {}
        self._paths: dict[int, dict[int, str]] = {}

    def __enter__(self) -> Self:
        if self._switch is not None:
            raise RuntimeError(
                "profile: wanted one `with` at a time, got a second one of the same object; make "
                "another profile()"
            )
        self._base = sys._getframe(1)
        self._switch = watching(self._observe, inspector=self._inspect)
        self._switch.__enter__()
        self._last = self._begin = _clock()
        return self

    def __exit__(self, *error: object) -> None:
        self.elapsed += _clock() - self._begin
        if self._open is not None:
            self._close()
        switch, self._switch, self._base = self._switch, None, None
        switch.__exit__(*error)
        self._places.clear()

    # -- what is seen ------------------------------------------------------------------------------

    def _observe(self, primitive: Any, _arguments: tuple[Any, ...], out: Any) -> None:
        now, node = _clock(), recorded(out)
        if self._rule is not None:
            if node is not None:
                self._places[node.number] = self._rule
            return
        name, last = primitive.name, self._last
        if self._open is not None:
            self._close()
            name, last = _BETWEEN, self._last
        place = self._place()
        if node is not None:
            self._places[node.number] = place
        if out.__class__ is Variable:
            size = out._data.nbytes
        else:
            size = sum(unwrap(part).nbytes for part in (out if type(out) is tuple else (out,)))
        self._seen.append((name, place, False, last, now - last, size))
        self._last = _clock()  # what the profiler itself takes is nobody's

    def _inspect(
        self, node: Node, plan: Plan, _parents: tuple[Node, ...], g: Any, saved: Any
    ) -> tuple[Pull | None, ...]:
        """Return the rules of a node, each of which will stop the clock that starts here."""
        outermost, place = self._rule is None, self._places.get(node.number, _NOWHERE)
        if outermost:
            if self._open is not None:
                self._close()
            self._open = plan.name, place, _clock()
        if plan.joint is not None:
            joint = self._alone(plan.joint, place) if outermost else plan.joint
            ready = joint(g, saved)
            return tuple(pull and functools.partial(_after, pull, ready) for pull in plan.pulls)
        if not outermost:  # a backward pass inside of a rule
            return plan.pulls
        if isinstance(g, Variable):
            return tuple(pull and self._alone(pull, place) for pull in plan.pulls)
        pulls = self._pulls.get(plan)
        if pulls is None:
            pulls = self._pulls[plan] = tuple(pull and self._stopping(pull) for pull in plan.pulls)
        return pulls

    def _stopping(self, pull: Pull) -> Pull:
        def stopping(g: Any, saved: Any) -> Any:
            gx = pull(g, saved)
            self._last = _clock()
            return gx

        return stopping

    def _alone(self, pull: Pull, place: int) -> Pull:
        """Return a rule whose operations, forward and backward, count for itself."""

        def alone(g: Any, saved: Any) -> Any:
            self._rule = place
            try:
                return pull(g, saved)
            finally:
                self._rule, self._last = None, _clock()

        return alone

    def _close(self) -> None:
        """Enter the node whose rules ran last."""
        assert self._open is not None
        name, place, start = self._open
        self._open = None
        self._seen.append((name, place, True, start, max(0.0, self._last - start), 0))

    def _place(self) -> int:
        """Return the number of a place: the innermost module that is called, the user's line."""
        frame: FrameType | None = sys._getframe(3)
        base, kinds, users, modules = self._base, self._kinds, None, None
        while frame is not None:
            kind = kinds.get(frame.f_code)
            if kind is None:
                kind = kinds[frame.f_code] = _kind(frame)
            if kind == _USERS:
                users = users or frame
            elif kind == _MODULE:
                modules = [*(modules or ()), variables(frame)["self"]]
            if frame is base:
                break
            frame = frame.f_back
        path = self._path(modules) if modules else ""
        key = path if users is None else (path, users.f_code, users.f_lasti)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._where)
            self._where.append((path, "" if users is None else str(Place.of(users))))
        return number

    def _path(self, modules: list[Any]) -> str:
        """Return the name that the outermost module has for the innermost one."""
        root = modules[-1]
        paths = self._paths.get(id(root))
        if paths is None or id(modules[0]) not in paths:
            name = type(root).__name__
            paths = self._paths[id(root)] = {
                id(m): f"{name}.{path}" if path else name for path, m in root.named_modules()
            }
        return paths.get(id(modules[0]), type(modules[0]).__name__)

    # -- what is said of it ------------------------------------------------------------------------

    def rows(self, by: str = "operation") -> list[_Row]:
        """Return what each operation, module or line took, the longest first.

        Args:
            by: "operation", "module" or "line".

        Raises:
            ValueError: for another `by`.
        """
        if by not in _BY:
            raise ValueError(f"profile: wanted by= one of {', '.join(_BY)}, got {by!r}")
        found: dict[str, list[Any]] = {}
        for operation, place, backward, _, seconds, size in self._seen:
            name = operation
            if operation != _BETWEEN and by != "operation":
                name = self._where[place][by == "line"] or "(elsewhere)"
            row = found.setdefault(name, [0, 0.0, 0.0, 0])
            row[0] += not backward
            row[1 + backward] += seconds
            row[3] += size
        rows = [_Row(name, *numbers) for name, numbers in found.items()]
        return sorted(rows, key=lambda row: -row.seconds)

    def table(self, by: str = "operation", limit: int = 20) -> str:
        """Return the rows as text, at most `limit` of them."""
        rows = self.rows(by)
        total = sum(row.seconds for row in rows)
        shown = [(by, "calls", "forward ms", "backward ms", "share", "MB")]
        shown += [
            (
                row.name, str(row.calls), f"{1e3 * row.forward:.3f}", f"{1e3 * row.backward:.3f}",
                f"{row.seconds / (total or 1):.1%}", f"{row.bytes / 1e6:.3f}",
            )
            for row in rows[:limit]
        ]  # fmt: skip
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(w) if i else cell.ljust(w)
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in shown
        ]
        hidden = f", {len(rows) - limit} rows not shown" if len(rows) > limit else ""
        end = f"{1e3 * total:.3f} ms of {1e3 * self.elapsed:.3f} ms{hidden}"
        return "\n".join([*lines, end])

    def __repr__(self) -> str:
        return self.table()

    def plot(self, path: str | os.PathLike[str], by: str = "operation", limit: int = 20) -> None:
        """Draw the rows as bars, forward and backward, into an SVG file."""
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes 3 ms to import
            file.write(self._picture(by, limit))

    def _repr_svg_(self) -> str:
        """Return what a notebook shows."""
        return self._picture("operation", 20)

    def _picture(self, by: str, limit: int) -> str:
        import html  # likewise

        rows = self.rows(by)[:limit]
        longest = max((row.seconds for row in rows), default=0.0) or 1.0
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {22 * len(rows) + 34}" '
            'font-family="sans-serif" font-size="12" fill="#777">'
            '<text x="240" y="16">forward and <tspan fill="#b98b2e">backward</tspan>, ms</text>'
        )
        parts = [head]
        for i, row in enumerate(rows):
            y, forward = 26 + 22 * i, 440 * row.forward / longest
            backward = 440 * row.backward / longest
            name = row.name if len(row.name) < 34 else "..." + row.name[-31:]
            parts.append(
                f'<text x="232" y="{y + 12}" text-anchor="end">{html.escape(name)}</text>'
                f'<rect x="240" y="{y}" width="{forward:.1f}" height="16" fill="#5b7aa8"/>'
                f'<rect x="{240 + forward:.1f}" y="{y}" width="{backward:.1f}" height="16" '
                f'fill="#b98b2e"/><text x="{246 + forward + backward:.1f}" y="{y + 12}">'
                f"{1e3 * row.seconds:.2f}</text>"
            )
        return "\n".join([*parts, "</svg>\n"])

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write all calls in order, as JSON in the trace event format, for a trace viewer."""
        import json  # importing the library must stay quick

        events = [
            {
                "name": operation, "cat": "backward" if backward else "forward", "ph": "X",
                "ts": 1e6 * (start - self._begin), "dur": 1e6 * seconds, "pid": 0, "tid": 0,
                "args": dict(zip(("module", "line"), self._where[place], strict=True), bytes=size),
            }
            for operation, place, backward, start, seconds, size in self._seen
        ]  # fmt: skip
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - likewise
            json.dump({"traceEvents": events}, file)


def _after(pull: Pull, ready: Any, g: Any, _saved: Any) -> Any:
    """Run a rule on what the joint rule of its node has computed."""
    return pull(g, ready)


_USERS, _MODULE, _OTHER = 1, 2, 3


def _kind(frame: FrameType) -> int:
    """Tell a frame of the user's code, the call of a module, and others apart."""
    if (
        frame.f_code.co_qualname == "Module.__call__"
        and frame.f_globals["__name__"] == "nn._module"
    ):
        return _MODULE
    return _OTHER if ours(frame) else _USERS
