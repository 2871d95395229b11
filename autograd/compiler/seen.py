"""What can be seen of a compiled function: its report, with the time of each line where it is run
once under it, and what `repr` and notebooks show. Imports `fuse`, `graph` and `source`.
"""

from __future__ import annotations

import html as text_of_html
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd.compiler.fuse import Group
from autograd.compiler.graph import Value
from autograd.compiler.source import written
from autograd.engine.graph import OUTPUT, unwrap
from autograd.transforms.containers import flatten

__all__ = ["html", "lines", "report"]

_SHOWN = 12  # lines of a program that take the most time


def report(name: str, entry: Any, leaves: Any = None) -> str:
    """Return what became of the operations of an entry, and where the time goes for `leaves`."""
    found = [f"{name}: {entry.traced} operations seen"]
    times = {} if leaves is None else _times(entry, leaves)
    for program in entry.programs:
        groups = [u for u in program.units if isinstance(u, Group)]
        fused = sum(len(g.ops) for g in groups)
        values = [v for op in program.graph.ops for v in op.outputs]
        read = {v for u in program.units for v in u.inputs}
        inside = {v for g in groups for v in g.outputs} - read
        held = [v for v in values if v not in inside or v in program.graph.outputs]
        found.append(
            f"{program.name}: {len(program.graph.ops)} operations, {fused} of them in "
            f"{len(groups)} loops over blocks; {_mebibytes(held)} MiB of arrays, "
            f"{_mebibytes(values)} MiB without the loops"
        )
        found += times.get(program, ())
    if entry.targets:
        found.append(f"kept for the gradients: {_mebibytes(entry.saved)} MiB")
    return "\n".join(found)


def _mebibytes(values: Iterable[Value]) -> str:
    return f"{sum(v.size * v.dtype.itemsize for v in values) / 2**20:.2f}"


def _times(entry: Any, leaves: Any) -> dict[Any, list[str]]:
    """Run the programs of an entry with a look at the clock after each line; list those that take
    the most time.
    """
    found, runs = {}, [(p, p.run) for p in entry.programs]
    for program in entry.programs:
        clock = _Clock()
        program.run = clock.watched(program)
        found[program] = clock
    try:
        for _ in range(2):  # the first warms up
            for clock in found.values():
                clock.spent.clear()
            results = flatten(entry(leaves))[0]
            if entry.targets:
                node = results[entry.recorded[0]]._node
                node = node.parents[0] if node.plan is OUTPUT else node
                g = tuple(np.ones_like(unwrap(results[i])) for i in entry.recorded)
                entry._pull(g if len(g) > 1 else g[0], node.saved)
    finally:
        for program, run in runs:
            program.run = run
    return {program: clock.lines(program) for program, clock in found.items()}


class _Clock:
    """Adds up the time of each unit of a program."""

    def __init__(self) -> None:
        self.spent: dict[int, float] = {}
        self.last = 0.0

    def watched(self, program: Any) -> Any:
        """Return the program as a function that looks at the clock."""
        names, text = program.names, "_clock"
        scope = {**names.objects, text: self.tick}
        outputs = program.graph.outputs
        exec(  # noqa: S102 - our own text
            written(
                program.name, program.units, program.inputs, outputs, names,
                program.threads, clock=text, kept=program.kept,
            ),
            scope,
        )  # fmt: skip
        return scope[program.name]

    def tick(self, unit: int) -> None:
        """Note that a unit has ended; -1: that the first begins."""
        now = time.perf_counter()
        self.spent[unit] = self.spent.get(unit, 0.0) + (now - self.last if unit >= 0 else 0.0)
        self.last = now

    def lines(self, program: Any) -> list[str]:
        """List the units that take the most time."""
        total = sum(self.spent.values()) or 1.0
        found = []
        for unit, spent in sorted(self.spent.items(), key=lambda item: -item[1])[:_SHOWN]:
            if spent > 0.01 * total:
                what = program.units[unit]
                group = isinstance(what, Group)
                name = f"{len(what.ops)} in blocks" if group else what.primitive.name
                line = (what.ops[0] if group else what).line
                found.append(f"  {spent / total:4.0%} {spent * 1e6:9.1f} us  {name}  # {line}")
        return found


def lines(name: str, entries: list[Any]) -> str:
    """Return one line for a compiled function, and one for each of its programs."""
    head = f"<compiled {name}: {len(entries)} program{'s' * (len(entries) != 1)}>"
    return "\n".join([head, *(f"  {_about(entry)}" for entry in entries)])


def _about(entry: Any) -> str:
    """Say what a program is for."""
    program = entry.forward
    given = [
        f"{program.names.of(v)}: {v.dtype}{[*v.shape] if v.shape else ''}"
        for v in program.inputs
        if type(v.origin) is tuple and v.origin[0] == "argument"
    ]
    outside = len(entry.captured)
    parts = [
        f"({', '.join(given)})",
        f"{outside} Variable{'s' * (outside != 1)} from outside" * (outside > 0),
        f"{sum(len(p.graph.ops) for p in entry.programs)} operations",
        f"{len(entry.targets)} gradient{'s' * (len(entry.targets) != 1)}" * bool(entry.targets),
    ]
    return ", ".join(filter(None, parts))


def html(text: str, source: str) -> str:
    """Return what a notebook shows."""
    shown = f"<pre>{text_of_html.escape(text)}</pre>"
    if source:
        inner = f"<pre>{text_of_html.escape(source)}</pre>"
        shown += f"<details><summary>program</summary>{inner}</details>"
    return shown
