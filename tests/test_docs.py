"""Every Python block of the README and of the docs runs; the blocks of a page share names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
FENCE = re.compile(r"^```python([^\n]*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def blocks(text: str) -> list[tuple[int, str]]:
    """Return (line, code) of each block to run; ```python no-run marks the others."""
    found = []
    for match in FENCE.finditer(text):
        tag = match[1].strip()
        assert tag in {"", "no-run"}, f"unknown tag {tag!r} on a python block"
        if not tag:
            found.append((text.count("\n", 0, match.start()) + 1, match[2]))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names = {"__name__": "docs"}
    for line, code in blocks(text):
        # Blank lines in front make a traceback point at the line of the page.
        exec(compile("\n" * line + code, str(page), "exec"), names)
    assert text.startswith("#"), "a page starts with its title"


def test_blocks_are_found_with_their_lines():
    text = (
        "# t\n```python\nx = 1\n```\n```python no-run\nraise\n```\n```python\nassert x == 1\n```\n"
    )
    assert blocks(text) == [(2, "x = 1\n"), (8, "assert x == 1\n")]
