"""What is drawn: boxes, some with boxes inside, and edges between them. First file to read.

Values and operations are one box: an operation with its result. Parameters are lines in the box
that uses them, and a module is a box around what it computes, which folds. Imports `recording`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.engine.graph import FREED, OUTPUT, Node
from autograd.recording import SMALL, Path, Step, number, operand_names, show

__all__ = ["Box", "Diagram", "Edge", "diagram_of"]

_MANY = 60  # boxes: modules are folded where there would be more
_LIMIT = 150  # boxes: the oldest operations are left out where there would be more still
_TITLE = 34  # characters of an operation with its constants in one line
# Operations whose operands can change places: which is which need not be told.
_COMMUTATIVE = {"add", "multiply", "maximum", "minimum", "fmax", "fmin", "hypot", "logaddexp"}


@dataclass(eq=False)
class Box:
    """One box; `boxes` is what stands in it where it is an open module.

    Attributes:
        kind: "leaf", "operation", "output", "module" (folded), "open", or "more" (cut off).
        tip: what is said on pointing at it.
    """

    kind: str
    title: str
    lines: list[str] = field(default_factory=list)
    tip: str = ""
    boxes: list[Box] = field(default_factory=list)
    parent: Box | None = None
    x: float = 0.0  # the upper left corner, and the extent: set by `layout`
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    right: bool = False  # of an open module: its title stands at the right

    def walk(self) -> Iterator[Box]:
        """Yield the boxes inside, what is in them, too."""
        for box in self.boxes:
            yield box
            yield from box.walk()


@dataclass(eq=False)
class Edge:
    """A value on its way from the box that makes it to one that uses it."""

    source: Box
    target: Box
    label: str = ""  # which operand it is, where that matters


@dataclass(eq=False)
class Diagram:
    """A picture before it has places: the sheet, a box for all, and the edges."""

    sheet: Box
    edges: list[Edge]

    def count(self) -> dict[str, int]:
        """Return how many boxes there are of each kind."""
        kinds = [box.kind for box in self.sheet.walk()]
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def diagram_of(steps: Sequence[Step], roots: Sequence[Node], depth: int | None = None) -> Diagram:
    """Return the diagram of steps.

    Args:
        steps: oldest first.
        roots: whose results are the outputs.
        depth: how many levels of modules are open; None: as many as do not make it large.
    """
    deepest = max((len(step.calls) for step in steps), default=0)
    levels = range(deepest, -1, -1) if depth is None else [depth]
    for level in levels:
        found = _Builder(steps, roots, level).diagram()
        if sum(found.count().values()) <= _MANY or level == min(1, deepest):
            break
    if depth is None and sum(found.count().values()) > _LIMIT:
        return _Builder(_youngest(steps), roots, level).diagram()
    return found


def _youngest(steps: Sequence[Step]) -> list[Step]:
    """Return the youngest operations, with the leaves that they use."""
    operations = [step for step in steps if not step.is_leaf][-_LIMIT:]
    used = {parent for step in operations for parent in step.parents}
    return [*(step for step in steps if step.is_leaf and step.node in used), *operations]


class _Builder:
    """Makes the boxes of steps for one depth."""

    def __init__(self, steps: Sequence[Step], roots: Sequence[Node], depth: int) -> None:
        self.steps, self.roots, self.depth = steps, set(roots), depth
        self.sheet = Box("open", "")
        self.by_node = {step.node: step for step in steps}
        self.modules: dict[tuple[Any, ...], Box] = {(): self.sheet}
        self.boxes: dict[Node, Box] = {}
        self.inside: dict[Box, list[Step]] = {}
        self.older: Box | None = None

    def diagram(self) -> Diagram:
        """Return the whole."""
        edges: list[Edge] = []
        for step in self.steps:
            if step.plan is OUTPUT:  # part of the box of its operation
                self._add_part(step)
                continue
            if not (step.is_leaf and isinstance(step.name, Path)):
                self.boxes[step.node] = self._place(step)
            drawn = sum(parent in self.boxes for parent in step.parents)
            labelled = drawn > 1 and step.plan.name not in _COMMUTATIVE
            names = operand_names(step)
            target = self.boxes.get(step.node)
            for i, parent in enumerate(step.parents):
                source = self.boxes.get(parent)
                if parent not in self.by_node:
                    source = self.older = self.older or Box("more", "...", ["older operations"])
                if source is not None and target is not None and source is not target:
                    told = labelled and target.kind != "module" and i < len(names)
                    edges.append(Edge(source, target, names[i] if told else ""))
        if self.older is not None:
            self._put(self.older, self.sheet)
        for box, steps in self.inside.items():
            box.lines = self._summary(steps)
        for box in [box for box in self.sheet.walk() if box.kind == "open"]:
            self._without_a_box_of_its_own(box)
        seen = dict[tuple[Box, Box, str], Edge]()
        folded = [e for e in edges if e.target.kind == "module"]
        for edge in folded:
            seen.setdefault((edge.source, edge.target, ""), edge)
        kept = set(seen.values())
        return Diagram(self.sheet, [e for e in edges if e.target.kind != "module" or e in kept])

    def _place(self, step: Step) -> Box:
        calls = () if step.is_leaf else step.calls
        if len(calls) > self.depth:
            box = self._module(calls[: self.depth + 1], "module")
            self.inside.setdefault(box, []).append(step)
            return box
        box = self._box(step)
        self._put(box, self._module(calls, "open"))
        return box

    def _module(self, calls: tuple[Any, ...], kind: str) -> Box:
        if calls not in self.modules:
            call = calls[-1]
            title = f"{call.path.rpartition('.')[2]} {call.kind}".strip()
            self.modules[calls] = Box(kind, title, tip=f"{call.path} {call.kind}".strip())
            self._put(self.modules[calls], self._module(calls[:-1], "open"))
        return self.modules[calls]

    def _put(self, box: Box, parent: Box) -> None:
        box.parent = parent
        parent.boxes.append(box)

    # -- what stands in a box ----------------------------------------------------------------------

    def _box(self, step: Step) -> Box:
        tip = "" if step.place is None else f"{step.place.expression}\n{step.place}".strip()
        if step.plan is FREED:
            title = f"{step.name} = {step.saved}" if step.name else str(step.saved)
            return Box("more", title, ["freed by a backward pass"])
        if step.is_leaf:
            return Box("leaf", step.name or "leaf", list(_facts(step)), tip)
        operation, more = _called(step)
        for parent in step.parents:
            known = self.by_node.get(parent)
            if known is not None and known.is_leaf and isinstance(known.name, Path):
                more.append(f"{known.name.rpartition('.')[2]} {parent.shape}")
        title = f"{step.name} = {operation}" if step.name else operation
        kind = "output" if step.node in self.roots else "operation"
        return Box(kind, title, [*more, *_facts(step)], tip)

    def _add_part(self, step: Step) -> None:
        box = self.boxes[step.node] = self.boxes[step.parents[0]]
        if box.kind == "module":
            self.inside[box].append(step)
            return
        box.kind = "output" if step.node in self.roots else box.kind
        name = f"{step.name} = " if step.name else ""
        box.lines.append(f"{name}[{step.saved[0]}] {step.node.shape} {step.node.dtype}")

    def _summary(self, steps: list[Step]) -> list[str]:
        """Return the lines of a folded module."""
        own = {step.node for step in steps}
        used = {p for s in self.steps if s.node not in own for p in s.parents} | self.roots
        shapes = [s.node.shape for s in steps if s.node in used and s.node.shape is not None]
        sizes = {
            parent: math.prod(parent.shape)
            for step in steps
            for parent in step.parents
            if isinstance(getattr(self.by_node.get(parent), "name", ""), Path)
        }
        count = sum(sizes.values())
        operations = sum(step.plan is not OUTPUT for step in steps)
        return [
            *map(str, shapes[:2]),
            *([f"{count:,} parameters"] if count else []),
            f"{operations} operation{'s' * (operations != 1)}",
        ]

    def _without_a_box_of_its_own(self, box: Box) -> None:
        """Put a module that is a single operation into the box of that."""
        if len(box.boxes) != 1 or box.parent is None or box.boxes[0].kind in ("module", "open"):
            return
        (only,) = box.boxes
        only.lines.insert(0, only.title)
        only.title, only.parent = box.title, box.parent
        siblings = box.parent.boxes
        siblings[siblings.index(box)] = only


def _called(step: Step) -> tuple[str, list[str]]:
    """Return an operation with its constant arguments; as lines, where they are long."""
    name, constants = step.plan.name.strip("_"), list(step.constants())
    if not constants:
        return name, []
    primitive = step.plan.primitive
    positional = getattr(primitive, "positional", 0)
    defaults = getattr(primitive, "defaults", {})
    texts = dict.fromkeys(step.positions, "·")
    for i, key, value in constants:
        by_name = i >= positional or key in defaults
        texts[i] = f"{key}={show(value)}" if by_name and key else show(value)
    title = f"{name}({', '.join(texts[i] for i in sorted(texts))})"
    if len(title) <= _TITLE:
        return title, []
    return name, [f"{key} {show(value)}" for _, key, value in constants]


def _facts(step: Step) -> Iterator[str]:
    """Yield the lines of a result: shape and dtype, and small values with their gradients."""
    node = step.node
    if node.shape is None:
        return
    if node.shape or node.dtype != np.float64:
        yield f"{node.shape} {node.dtype}"
    for name, value in (("data", step.value), ("grad", step.grad)):
        if value is not None and np.size(value) <= SMALL:
            text = f"{name} {_small(np.asarray(value))}"
            yield from filter(None, text.splitlines())


def _small(value: Any) -> str:
    if value.ndim == 0:
        return number(value[()])
    return np.array2string(value, precision=4, separator=", ", suppress_small=True, prefix="data ")
