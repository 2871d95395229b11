"""Keep the line references of the docs true: `python docs/line_references.py` rewrites them.

Two forms are kept, and the test suite fails where one is out of date:

- `name` (`path.py`, lines 10-20): the definition of `name` in that file;
- | `path.py` | ... | 120 lines, 640 words | 4 |: a row of a reading list, with the minutes that
  words of code and prose take at 200 words a minute.
"""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
REFERENCE = re.compile(r"`([\w.]+)`(\s)\(`([\w/]+\.py)`, lines \d+-\d+\)")
ROW = re.compile(r"^\| `([\w/]+\.py)` \|(.+)\| \d+ lines, \d+ words \| \d+ \|$", re.MULTILINE)
WORDS_A_MINUTE = 200


def lines_of(name: str, path: str) -> str:
    """Return "first-last" of a function or class, `Class.method` included."""
    body: list[ast.stmt] = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    node: ast.stmt | None = None
    for part in name.split("."):
        node = next(n for n in body if getattr(n, "name", None) == part)
        body = getattr(node, "body", [])
    assert node is not None
    return f"{node.lineno}-{node.end_lineno}"


def refreshed(text: str) -> str:
    """Return the text of a page with its line references, counts and minutes as they are now."""

    def row(match: re.Match[str]) -> str:
        source = (ROOT / match[1]).read_text(encoding="utf-8")
        words = len(source.split())
        minutes = math.ceil(words / WORDS_A_MINUTE)
        counts = f"{source.count(chr(10))} lines, {words} words"
        return f"| `{match[1]}` |{match[2]}| {counts} | {minutes} |"

    text = ROW.sub(row, text)
    return REFERENCE.sub(lambda m: f"`{m[1]}`{m[2]}(`{m[3]}`, lines {lines_of(m[1], m[3])})", text)


if __name__ == "__main__":
    for page in (ROOT / "docs").glob("*.md"):
        before = page.read_text(encoding="utf-8")
        after = refreshed(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
