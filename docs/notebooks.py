"""The notebooks: pages of the docs as cells, without outputs; `python docs/notebooks.py` writes.

A test compares them with their pages, whose code the tests run.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from runner import blocks  # noqa: E402 - from this folder

PAGES = ("start", "train", "prove")


def notebook(text: str) -> str:
    """Return a page as a notebook in Jupyter's format 4.5."""
    cells: list[dict[str, object]] = []

    def add(kind: str, source: str, tags: list[str] | None = None) -> None:
        source = source.strip("\n")
        if not source:
            return
        code = {"execution_count": None, "outputs": []} if kind == "code" else {}
        cells.append(
            {
                "cell_type": kind,
                "id": f"cell-{len(cells)}",
                "metadata": {"tags": tags} if tags else {},
                **code,
                "source": source.splitlines(keepends=True),
            }
        )

    last = 0
    for block in blocks(text):
        add("markdown", linked(text[last : block.start]))
        add("code", block.code, ["raises-exception"] if block.tag.startswith("raises") else None)
        last = block.end
    add("markdown", linked(text[last:]))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def linked(text: str) -> str:
    """Return Markdown whose links to other pages start one folder lower."""
    return re.sub(r"\]\((?!https?:|#)([^)]+)\)", r"](../\1)", text)


if __name__ == "__main__":
    HERE.joinpath("notebooks").mkdir(exist_ok=True)
    for page in PAGES:
        made = notebook(HERE.joinpath(f"{page}.md").read_text(encoding="utf-8"))
        HERE.joinpath("notebooks", f"{page}.ipynb").write_text(made, encoding="utf-8")
