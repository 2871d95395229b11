"""Runs the Python blocks of a page, in order and with shared names: for the tests, the site and the
notebooks alike.

A block is fenced by three backticks and `python`. Its output is what it prints, the figures that it
leaves open in matplotlib or, without any, the value of its last line. After `python` may stand

    no-run   it is only shown
    raises E it ends with an error of the type E, which is its output
    quiet    it runs, and its output is not shown
    setup    likewise, and it is folded: helpers of the blocks below it
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import linecache
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Block", "Output", "blocks", "run", "shown"]

FENCE = re.compile(r"^```python([^\n]*)\n(.*?)^```$\n?", flags=re.MULTILINE | re.DOTALL)
TAG = re.compile(r"(no-run|quiet|setup|raises \w+)?")


class Block(NamedTuple):
    """One fenced block: its tag and code, the line of its fence, and where it ends in the page."""

    tag: str
    code: str
    line: int
    start: int
    end: int


class Output(NamedTuple):
    """What a block left: text, and pictures as SVG."""

    text: str
    pictures: list[str]


def blocks(text: str) -> list[Block]:
    """Return the Python blocks of a page."""
    found = []
    for match in FENCE.finditer(text):
        tag = match[1].strip()
        if not TAG.fullmatch(tag):
            raise ValueError(
                "wanted 'no-run', 'quiet', 'setup' or 'raises TypeError' after ```python, got "
                f"{tag!r}"
            )
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(tag, match[2], line, match.start(), match.end()))
    return found


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder, without a display, and without a terminal of unknown width."""
    before, backend = Path.cwd(), os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "Agg"
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        if backend is None:
            del os.environ["MPLBACKEND"]
        else:
            os.environ["MPLBACKEND"] = backend


def run(text: str, name: str, folder: Path) -> list[Output]:
    """Run the blocks of a page in a folder, and return one output for each.

    Raises:
        AssertionError: a block that should raise does not.
        Exception: whatever a block raises that should not; the traceback names the page's lines.
    """
    names: dict[str, object] = {"__name__": "docs"}
    # What shows lines of code (tracebacks, drawings, explanations) finds those of the page.
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    with inside(folder):
        return [output(block, name, names) for block in blocks(text)]


def output(block: Block, name: str, names: dict[str, object]) -> Output:
    """Run one block."""
    if block.tag == "no-run":
        return Output("", [])
    # Blank lines in front make a traceback point at the line of the page.
    body = ast.parse("\n" * block.line + block.code, name).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    wanted = block.tag.removeprefix("raises ") if block.tag.startswith("raises") else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            exec(compile(ast.Module(body, []), name, "exec"), names)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), name, "eval"), names)
        except Exception as error:
            if type(error).__name__ != wanted:
                raise
            print(f"{type(error).__name__}: {error}")
        else:
            if wanted:
                raise AssertionError(f"{name}, line {block.line}: wanted {wanted}, got no error")
    drawn = getattr(value, "_repr_svg_", None)
    pictures = figures() or ([drawn()] if drawn else [])
    if value is not None and not pictures:
        print(repr(value), file=printed)
    return Output("" if block.tag in ("quiet", "setup") else printed.getvalue(), pictures)


def figures() -> list[str]:
    """Return the open figures as SVG, and close them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    found: list[str] = []
    if pyplot is None:
        return found
    import matplotlib as mpl

    for number in pyplot.get_fignums():
        file = io.StringIO()
        with mpl.rc_context({"svg.hashsalt": "gradloom", "svg.fonttype": "none"}):
            figure = pyplot.figure(number)
            figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
        pyplot.close(number)
        found.append(file.getvalue())
    return found


def shown(text: str, outputs: list[Output]) -> str:
    """Return a page with what its blocks left below them."""
    parts, last = [], 0
    for block, left in zip(blocks(text), outputs, strict=True):
        code = f"```python\n{block.code}```\n"
        if block.tag == "setup":
            inside = "".join(f"    {line}\n" if line else "\n" for line in code.splitlines())
            code = f'??? note "Helpers of this page"\n\n{inside}'
        parts.append(text[last : block.start] + code)
        if left.text.strip():
            clean = left.text.rstrip().replace("```", "'''")
            kind = ".text .output .no-copy" + " .wrapped" * any(map(too_long, clean.splitlines()))
            parts.append(f"\n``` {{ {kind} }}\n{clean}\n```\n")
        parts += [f'\n<p class="picture">{image(picture)}</p>\n' for picture in left.pictures]
        last = block.end
    return "".join([*parts, text[last:]])


def too_long(line: str) -> bool:
    """Tell whether a line is better wrapped than scrolled: a sentence, as errors are."""
    return len(line) > 96 and ": " in line


def image(svg: str) -> str:
    """Return a drawing as an image of its own, whose styles and names stay inside."""
    data = base64.b64encode(svg[svg.index("<svg") :].encode()).decode()
    return f'<img alt="what the code above draws" src="data:image/svg+xml;base64,{data}">'
