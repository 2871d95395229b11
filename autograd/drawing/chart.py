"""Curves over steps or epochs as SVG: what notebooks show of schedules and trainings. Imports the
style of `svg`.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from autograd.drawing.svg import ALONE, STYLE

__all__ = ["chart"]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 520.0, 190.0, 66.0, 34.0, 30.0
_COLOURS = ("#4a7fd4", "#d08a1d", "#3fa34d", "#9a63c7", "#c7505e", "#3aa3a8")


def chart(
    title: str,
    curves: Mapping[str, Sequence[float]],
    *,
    xlabel: str = "",
    first: int = 0,
    mark: tuple[float, str] | None = None,
    log: bool = False,
    alone: bool = False,
) -> str:
    """Return curves as SVG; what is not finite is left out.

    Args:
        title: stands above.
        curves: values by name, one per step.
        xlabel: what the steps are.
        first: the number of the first step.
        mark: a place on the axis, and what is there.
        log: with a logarithmic axis, where all values are positive.
        alone: as a file, with its own ground; else as part of a page.
    """
    values = [v for curve in curves.values() for v in curve if math.isfinite(v)]
    log = log and bool(values) and min(values) > 0

    def scaled(value: float) -> float:
        return math.log10(value) if log else value

    low, high = (scaled(f(values)) for f in (min, max)) if values else (0.0, 1.0)
    if high - low < 1e-12 * max(abs(high), 1e-300):
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    last = first + max(map(len, curves.values()), default=1) - 1

    def x(step: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 14) * (step - first) / max(last - first, 1)

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - scaled(value)) / (high - low)

    def text(at: float, down: float, said: str, kind: str = "dim", anchor: str = "middle") -> str:
        place = f'x="{at:.1f}" y="{down:.1f}" text-anchor="{anchor}"'
        return f'<text {place} class="{kind}">{html.escape(said)}</text>'

    style = STYLE + (ALONE if alone else "")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="gradloom" width="{_WIDTH:.0f}" '
        f'height="{_HEIGHT:.0f}" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" '
        f'aria-label="{html.escape(title)}" style="max-width: 100%">\n<style>{style}</style>'
    )
    parts = [head, text(_LEFT, 16, title, "title", "start")]
    for value in _ticks(low, high, log=log):
        at = y(value)
        parts.append(
            f'<path class="wire" opacity=".3" d="M{_LEFT:.1f} {at:.1f}H{_WIDTH - 14:.1f}"/>'
        )
        parts.append(text(_LEFT - 8, at + 4, f"{value:.4g}", anchor="end"))
    steps = dict.fromkeys((first, (first + last) // 2, last))
    parts += [text(x(step), _HEIGHT - _BOTTOM + 16, str(step)) for step in steps]
    parts.append(text((_LEFT + _WIDTH - 14) / 2, _HEIGHT - 4, xlabel))
    if mark is not None:
        at, said = mark
        down = f"M{x(at):.1f} {_TOP:.1f}V{_HEIGHT - _BOTTOM:.1f}"
        parts.append(f'<path class="wire mark" stroke-dasharray="3 3" d="{down}"/>')
        right = at > (first + last) / 2
        parts.append(
            text(x(at) + (-5 if right else 5), _TOP + 10, said, "dim", "end" if right else "start")
        )
    end = _WIDTH - 14
    for (name, curve), colour in reversed(list(zip(curves.items(), _COLOURS * 9, strict=False))):
        path, pen = [], "M"
        for step, value in enumerate(curve, first):
            known = math.isfinite(value)
            if known:
                path.append(f"{pen}{x(step):.1f} {y(value):.1f}")
            pen = "L" if known else "M"
        shape = f'fill="none" stroke="{colour}" stroke-width="1.8" stroke-linecap="round"'
        if len(path) == 1:
            path.append("h.01")
        parts.append(f'<path class="curve" {shape} d="{"".join(path)}"/>')
        if len(curves) > 1:
            parts.append(text(end, 16, name, "dim", "end"))
            parts.append(f'<path {shape} d="M{end - 7.3 * len(name) - 24:.1f} 12h16"/>')
            end -= 7.3 * len(name) + 40
    return "\n".join([*parts, "</svg>"]) + "\n"


def _ticks(low: float, high: float, *, log: bool) -> list[float]:
    """Return two to five round numbers between two others; of a logarithmic axis, powers of 10."""
    if log:
        powers = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
        many = -(-len(powers) // 5)
        return [10.0**p for p in powers[:: many or 1]] if len(powers) > 1 else [10**low, 10**high]
    rough = (high - low) / 4
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(s * scale for s in (1, 2, 2.5, 5, 10) if s * scale >= rough * 0.999)
    ticks = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [n * step for n in ticks]
