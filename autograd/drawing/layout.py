"""Where boxes and edges go: layers from top to bottom, after Sugiyama, Tagawa and Toda (1981).

An open module is laid out by itself and is then one big item of the sheet that it stands in; edges
that cross its border do so at ports, which are items of no size at its top and bottom. For one
sheet: ranks by longest paths, dummies where an edge passes a rank, orders that cross little by
sweeps of barycentres, and places by least squares. Imports `diagram`.
"""

from __future__ import annotations

import bisect
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from autograd.drawing.diagram import Box, Diagram, Edge

__all__ = ["CHARACTER", "HEADER", "LINE", "PADDING", "Wire", "arrange", "columns"]

CHARACTER, LINE, PADDING, HEADER = 7.23, 16.0, 10.0, 26.0  # pixels, of 12 px monospace
_BETWEEN, _RANK = 22.0, 38.0  # pixels between neighbours, and between ranks
_MARGIN = 16.0  # of an open module
_SWEEPS = 8


@dataclass(eq=False)
class Wire:
    """A line to be drawn: through points, vertical at each of them."""

    points: list[tuple[float, float]]
    edge: Edge
    arrow: bool  # it ends at a box, not at a port


@dataclass(eq=False)
class _Item:
    """What has a place in a sheet: a box, a port, or a dummy where an edge passes a rank."""

    width: float
    height: float
    box: Box | None = None
    rank: int = 0
    x: float = 0.0  # the middle
    y: float = 0.0  # the top
    # Where the wires of a source enter and leave an open module, from its middle.
    entries: dict[Box, float] = field(default_factory=dict)
    exits: dict[Box, float] = field(default_factory=dict)


@dataclass(eq=False)
class _Link:
    """An edge in one sheet, by way of its dummies."""

    source: _Item
    target: _Item
    edge: Edge
    chain: list[_Item] = field(default_factory=list)
    entry: float = 0.0  # where it enters the target, from its middle


def columns(text: str) -> int:
    """Return how many columns of a monospace font a text takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _labelled(labels: Iterable[str]) -> float:
    """Return the room between two tips that the names beside them ask for."""
    return max((10.0 + 6.0 * len(label) for label in labels if label), default=0.0)


def arrange(diagram: Diagram) -> list[Wire]:
    """Give all boxes their places, from (0, 0); return the wires."""
    return _Sheet(diagram.sheet, diagram.edges).wires


def _inside(box: Box, sheet: Box) -> Box | None:
    """Return the box directly on `sheet` that `box` stands in or is, None outside of it."""
    at: Box | None = box
    while at is not None and at.parent is not sheet:
        at = at.parent
    return at


class _Sheet:
    """The layout of one open box."""

    def __init__(self, sheet: Box, edges: Sequence[Edge]) -> None:
        self.sheet = sheet
        self.items: dict[Box, _Item] = {}
        self.entries: dict[Box, float]
        self.exits: dict[Box, float]
        self.inner: dict[Box, _Sheet] = {}
        for box in sheet.boxes:
            item = self.items[box] = _Item(0, 0, box)
            if box.boxes:
                inner = self.inner[box] = _Sheet(box, edges)
                item.entries, item.exits = inner.entries, inner.exits
            else:
                longest = max(map(columns, [box.title, *box.lines]))
                labels = [edge.label for edge in edges if edge.target is box and edge.label]
                least = _labelled(labels) * (len(labels) + 1)
                box.width = max(longest * CHARACTER + 2 * PADDING, least)
                box.height = HEADER + LINE * len(box.lines) + (PADDING / 2 if box.lines else 0)
            item.width, item.height = box.width, box.height
        self.tops: dict[Box, _Item] = {}
        self.bottoms: dict[Box, _Item] = {}
        self.links = list(self._links(edges))
        self.rows = self._ranked()
        self._ordered()
        self._placed()
        self.wires = self._measured()

    # -- what is linked to what --------------------------------------------------------------------

    def _links(self, edges: Sequence[Edge]) -> Iterable[_Link]:
        known = set()
        for edge in edges:
            source, target = _inside(edge.source, self.sheet), _inside(edge.target, self.sheet)
            if source is target:
                continue
            start = self.items[source] if source else self._port(self.tops, edge.source)
            end = self.items[target] if target else self._port(self.bottoms, edge.source)
            # One line per value crosses a border, whoever uses it behind that.
            shared = target is None or bool(target.boxes)
            key = start, end, edge.source
            if not shared or key not in known:
                known.add(key)
                yield _Link(start, end, edge)

    def _port(self, ports: dict[Box, _Item], source: Box) -> _Item:
        return ports.setdefault(source, _Item(12.0, 0.0))

    # -- ranks -------------------------------------------------------------------------------------

    def _ranked(self) -> list[list[_Item]]:
        after: dict[_Item, list[_Item]] = {}
        waits: dict[_Item, int] = {}
        items = [*self.tops.values(), *self.items.values(), *self.bottoms.values()]
        for link in self.links:
            after.setdefault(link.source, []).append(link.target)
            waits[link.target] = waits.get(link.target, 0) + 1
        first = 1 if self.tops else 0
        for item in self.items.values():
            item.rank = first
        ready = [item for item in items if item not in waits]
        order = []
        while ready:
            item = ready.pop()
            order.append(item)
            for target in after.get(item, ()):
                target.rank = max(target.rank, item.rank + 1)
                waits[target] -= 1
                if not waits[target]:
                    ready.append(target)
        # What nothing leads to stands close to what uses it.
        led = {link.target for link in self.links}
        for item in reversed(order):
            if item not in led and item.box is not None and after.get(item):
                item.rank = min(target.rank for target in after[item]) - 1
        last = max((item.rank for item in items), default=0)
        for port in self.bottoms.values():
            port.rank = max(last, max((i.rank for i in self.items.values()), default=0) + 1)
        rows: list[list[_Item]] = [[] for _ in range(1 + max((i.rank for i in items), default=0))]
        for item in items:
            rows[item.rank].append(item)
        for link in self.links:
            dummies = [
                _Item(8.0, 0.0, rank=rank) for rank in range(link.source.rank + 1, link.target.rank)
            ]
            link.chain = [link.source, *dummies, link.target]
            for dummy in dummies:
                rows[dummy.rank].append(dummy)
        return rows

    # -- orders ------------------------------------------------------------------------------------

    def _ordered(self) -> None:
        self.steps = [
            (a, b, link)
            for link in self.links
            for a, b in zip(link.chain, link.chain[1:], strict=False)
        ]
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            near: dict[_Item, list[_Item]] = {}
            for a, b, _ in self.steps:
                near.setdefault(b if down else a, []).append(a if down else b)
            place = {item: i for row in self.rows for i, item in enumerate(row)}
            for row in self.rows if down else reversed(self.rows):
                weights = {
                    item: sum(place[n] for n in found) / len(found)
                    for item in row
                    if (found := near.get(item))
                }
                movable = sorted((item for item in row if item in weights), key=weights.__getitem__)
                turn = iter(movable)
                row[:] = [next(turn) if item in weights else item for item in row]
                place |= {item: i for i, item in enumerate(row)}
            count = self._crossings()
            if count < fewest:
                best, fewest = [list(row) for row in self.rows], count
        self.rows = best

    def _crossings(self) -> int:
        """Count how often edges cross: pairs of them whose ends stand in opposite orders."""
        place = {item: i for row in self.rows for i, item in enumerate(row)}
        between: dict[int, list[tuple[int, int]]] = {}
        for a, b, _ in self.steps:
            between.setdefault(a.rank, []).append((place[a], place[b]))
        total = 0
        for pairs in between.values():
            seen: list[int] = []
            for _, end in sorted(pairs):
                total += len(seen) - bisect.bisect_right(seen, end)
                bisect.insort(seen, end)
        return total

    # -- places ------------------------------------------------------------------------------------

    def _placed(self) -> None:
        for row in self.rows:
            x = 0.0
            for item in row:
                item.x = x + item.width / 2
                x += item.width + _BETWEEN
        self._enter()
        before: dict[_Item, list[tuple[_Item, _Link]]] = {}
        after: dict[_Item, list[tuple[_Item, _Link]]] = {}
        for a, b, link in self.steps:
            before.setdefault(b, []).append((a, link))
            after.setdefault(a, []).append((b, link))

        def wishes(item: _Item, directions: str) -> list[tuple[float, float]]:
            """Return where the neighbours want an item, and how much."""
            found = []
            if "down" in directions:
                for a, link in before.get(item, ()):
                    x = a.x + a.exits.get(link.edge.source, 0.0) - self._entry(item, link)
                    found.append((x, _pull(a, item)))
            if "up" in directions:
                for b, link in after.get(item, ()):
                    x = b.x + self._entry(b, link) - item.exits.get(link.edge.source, 0.0)
                    found.append((x, _pull(item, b)))
            return found or [(item.x, 0.01)]

        for sweep in range(_SWEEPS):
            for directions in ("down", "up") if sweep < _SWEEPS // 2 else ("down and up",) * 2:
                rows = self.rows if directions == "down" or sweep % 2 else self.rows[::-1]
                for row in rows:
                    _settle(row, [wishes(item, directions) for item in row])
                self._enter()

    def _entry(self, item: _Item, link: _Link) -> float:
        if item is not link.target:
            return 0.0
        return item.entries.get(link.edge.source, link.entry)

    def _enter(self) -> None:
        """Spread the edges that enter a box over its top, from left to right as they come."""
        arriving: dict[_Item, list[_Link]] = {}
        for link in self.links:
            if link.target.box is not None and not link.target.box.boxes:
                arriving.setdefault(link.target, []).append(link)
        for item, links in arriving.items():
            links.sort(key=lambda link: link.chain[-2].x)
            least = _labelled(link.edge.label for link in links)
            gap = min(max(40.0, least), item.width / (len(links) + 1))
            for i, link in enumerate(links):
                link.entry = (i - (len(links) - 1) / 2) * gap

    def _measured(self) -> list[Wire]:
        """Shift everything to its place from (0, 0) on; return the wires."""
        items = [item for row in self.rows for item in row]
        left = min((item.x - item.width / 2 for item in items), default=0.0)
        right = max((item.x + item.width / 2 for item in items), default=0.0)
        outer = self.sheet.parent is not None
        margin = _MARGIN if outer else 0.0
        title = columns(self.sheet.title) * CHARACTER + 2 * PADDING if outer else 0.0
        width = max(right - left + 2 * margin, title)
        shift = (width - (right - left)) / 2 - left
        heights = [max((item.height for item in row), default=0.0) for row in self.rows]
        top = 0.0
        tops = []
        for rank, height in enumerate(heights):
            tops.append(top)
            for item in self.rows[rank]:
                item.x += shift
                item.y = top + (height - item.height) / 2
            gap = _RANK + min(40.0, self._slope(rank))
            if rank == 0 and self.tops:
                gap = HEADER + _RANK / 2
            elif rank == len(heights) - 2 and self.bottoms:
                gap = max(_MARGIN, gap - _RANK / 2)
            top += height + gap
        total = tops[-1] + heights[-1] if heights else 0.0
        below = _MARGIN if outer and not self.bottoms else 0.0
        above = HEADER + _MARGIN / 2 if outer and not self.tops else 0.0
        # The title stands where no wire comes in.
        entries = [port.x for port in self.tops.values()]
        self.sheet.right = any(x < title for x in entries) and max(entries) < width - title
        self.sheet.width, self.sheet.height = width, total + below + above
        for item in items:
            item.y += above
        tops = [t + above for t in tops]
        wires = [self._wire(link, tops, heights) for link in self.links]
        for box, item in self.items.items():
            box.x, box.y = item.x - item.width / 2, item.y
            for inner in box.walk():
                inner.x, inner.y = inner.x + box.x, inner.y + box.y
            for wire in self.inner[box].wires if box in self.inner else ():
                wire.points = [(x + box.x, y + box.y) for x, y in wire.points]
                wires.append(wire)
        self.entries = {source: port.x - width / 2 for source, port in self.tops.items()}
        self.exits = {source: port.x - width / 2 for source, port in self.bottoms.items()}
        return wires

    def _slope(self, rank: int) -> float:
        """Return how much more room the steepest curve below a rank asks for."""
        return max((abs(a.x - b.x) * 0.06 for a, b, _ in self.steps if a.rank == rank), default=0.0)

    def _wire(self, link: _Link, tops: list[float], heights: list[float]) -> Wire:
        first, *dummies, last = link.chain
        x = first.x + first.exits.get(link.edge.source, 0.0)
        points = [(x, first.y + first.height), (x, tops[first.rank] + heights[first.rank])]
        for dummy in dummies:
            points.append((dummy.x, tops[dummy.rank]))
            points.append((dummy.x, tops[dummy.rank] + heights[dummy.rank]))
        x = last.x + self._entry(last, link)
        points += [(x, tops[last.rank]), (x, last.y)]
        simple = last.box is not None and not last.box.boxes
        return Wire(points, link.edge, simple)


def _pull(a: _Item, b: _Item) -> float:
    """Return how much an edge wants to be straight: long ones, between dummies, more."""
    return (1.0, 4.0, 40.0)[(a.box is None) + (b.box is None)]


def _settle(row: list[_Item], wishes: list[list[tuple[float, float]]]) -> None:
    """Move the items of a row as near as possible to where they wish to be, in their order and with
    room between them: least squares by pooling adjacent violators.
    """
    offsets, offset = [], 0.0
    for i, item in enumerate(row):
        offset += (row[i - 1].width + item.width) / 2 + _BETWEEN if i else 0.0
        offsets.append(offset)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    for wished, offset in zip(wishes, offsets, strict=True):
        weight = sum(w for _, w in wished)
        mean, count = sum(x * w for x, w in wished) / weight - offset, 1
        while blocks and blocks[-1][0] >= mean:
            before, heavy, many = blocks.pop()
            mean = (before * heavy + mean * weight) / (heavy + weight)
            weight, count = heavy + weight, count + many
        blocks.append((mean, weight, count))
    places = [mean for mean, _, count in blocks for _ in range(count)]
    for item, place, offset in zip(row, places, offsets, strict=True):
        item.x = place + offset
