"""Draw the pictures of "Reading the engine": `python docs/pictures.py` writes docs/images/*.svg.

A picture is text: boxes and arrows, in the reader's own light or dark colours. The house is drawn
from the layers that tests/test_architecture.py enforces.
"""

from __future__ import annotations

import html
from pathlib import Path

FOLDER = Path(__file__).parent / "images"
STYLE = """
  .box { fill: #eef2f8; stroke: #5b7aa8; } .data { fill: #fdf3dc; stroke: #b98b2e; }
  .leaf { fill: #e4f2e4; stroke: #4b8b4b; } .room { fill: #f5f5f5; stroke: #9a9a9a; }
  text { font: 14px system-ui, sans-serif; fill: #222; } .small { font-size: 12px; fill: #555; }
  .code { font: 13px ui-monospace, monospace; } .back { stroke: #b03a2e; fill: none; }
  .forth { stroke: #5b7aa8; fill: none; } .red { fill: #b03a2e; } .blue { fill: #35527d; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e6e6; } .small { fill: #b5b5b5; } .box { fill: #24324a; }
    .data { fill: #4a3c1a; } .leaf { fill: #234023; } .room { fill: #2b2b2b; }
    .back { stroke: #e07a6d; } .red { fill: #e07a6d; } .blue { fill: #9db8e0; } }
"""


class Picture:
    """An SVG drawing of a given size."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'role="img" aria-label="{html.escape(title)}">\n<style>{STYLE}</style>\n'
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            'markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" '
            'class="blue"/></marker><marker id="redtip" viewBox="0 0 10 10" refX="9" refY="5" '
            'markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
            '<path d="M0 0L10 5L0 10z" class="red"/></marker></defs>\n'
        )
        self.parts: list[str] = []

    def box(self, x: float, y: float, w: float, h: float, kind: str = "box") -> None:
        """Draw a rounded box."""
        self.parts.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="7" class="{kind}"/>')

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> None:
        """Write one line."""
        self.parts.append(
            f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{kind}">'
            f"{html.escape(text)}</text>"
        )

    def arrow(self, points: list[tuple[float, float]], *, back: bool = False) -> None:
        """Draw a line through points, with a tip at its end."""
        path = " ".join(f"{'ML'[i > 0]}{x} {y}" for i, (x, y) in enumerate(points))
        kind, tip = ("back", "redtip") if back else ("forth", "tip")
        self.parts.append(
            f'<path d="{path}" class="{kind}" stroke-width="1.6" marker-end="url(#{tip})"/>'
        )

    def save(self, name: str) -> None:
        """Write the file."""
        text = self.head + "\n".join(self.parts) + "\n</svg>\n"
        FOLDER.joinpath(name).write_text(text, encoding="utf-8")


FLOORS = [
    ("nn, optim", "layers, losses, training, checkpoints; optimizers", "room"),
    ("numpy/, scipy/, misc/, test_util.py ...", "doors for code written for others", "room"),
    ("extend.py, testing/, integrate.py, implicit.py", "doors and tools for users", "room"),
    ("function.py, debug.py", "the class-based spelling; the debug mode", "room"),
    (
        "transforms/",
        "grad, jacobian, forward mode, checkpoint: functions in, functions out",
        "room",
    ),
    ("assignment.py, filled.py", "x[i] = v; arrays to fill", "data"),
    ("variable.py", "the class, whose operators are operations", "data"),
    ("protocols/", "who answers NumPy and SciPy", "data"),
    ("ops/, linalg/, fft, special/, stats/, signal", "the calculus: forward beside rules", "leaf"),
    ("engine/calls.py", "how an operation is called, and records itself", "box"),
    ("engine/primitive.py", "what is known of an operation; plans", "box"),
    ("engine/backward.py", "the loop: the chain rule", "box"),
    ("engine/graph.py", "Node, Plan, record: the one place every call passes", "box"),
    ("engine/mode.py", "recording, observers, per thread and task", "box"),
    ("arrays.py", "what depends on the array library", "room"),
]


def house() -> None:
    """Draw the floors of the package: each imports only from those below it."""
    picture = Picture(760, 44 * len(FLOORS) + 54, "The house, floor by floor")
    for i, (name, what, kind) in enumerate(FLOORS):
        y = 12 + 44 * i
        picture.box(70, y, 670, 38, kind)
        picture.text(84, y + 24, name, "code", "start")
        picture.text(726, y + 24, what, "small", "end")
    top, bottom = 16, 44 * len(FLOORS) + 2
    picture.arrow([(40, top), (40, bottom)])
    picture.text(405, bottom + 32, "An arrow means: may import. Nothing imports upward.", "small")
    picture.save("house.svg")


def backward_pass() -> None:
    """Draw y = (sin(x) * x).sum() forward, and its backward pass with what each node keeps."""
    picture = Picture(800, 350, "One forward and one backward pass")
    y, half = 84, 70
    nodes = {
        "x": (88, "a leaf, number 1", "collects x.grad"),
        "sin": (296, "number 2", "keeps x"),
        "multiply": (504, "number 3", "keeps x and sin(x)"),
        "sum": (712, "number 4", "keeps the shape of x"),
    }
    for name, (x, number, keeps) in nodes.items():
        picture.box(x - half, y, 2 * half, 82, "leaf" if name == "x" else "box")
        picture.text(x, y + 26, name, "code")
        picture.text(x, y + 48, number, "small")
        picture.text(x, y + 68, keeps, "small")
    for (a, *_), (b, *_), slope in zip(
        list(nodes.values()), list(nodes.values())[1:], ("g cos(x)", "g x", "g"), strict=False
    ):
        picture.arrow([(a + half, y + 22), (b - half - 2, y + 22)])
        picture.arrow([(b - half, y + 60), (a + half + 2, y + 60)], back=True)
        picture.text((a + b) / 2, y + 78, slope, "code red")
    picture.arrow([(88, y), (88, 40), (504, 40), (504, y - 2)])  # the second way to the product
    picture.text(296, 32, "x, used a second time", "small blue")
    picture.arrow([(504, y + 82), (504, 214), (88, 214), (88, y + 84)], back=True)
    picture.text(296, 206, "g sin(x)", "code red")
    for i, line in enumerate(
        (
            "y = (sin(x) * x).sum()",
            "Blue: the calls, in order. A node keeps what its rules name, and nothing else.",
            "Red: sorted by number, descending, each node hands one cotangent to each parent.",
            "What reaches x from both sides is added up.",
        )
    ):
        picture.text(400, 252 + 24 * i, line, "small" if i else "code")
    picture.save("backward_pass.svg")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    house()
    backward_pass()
