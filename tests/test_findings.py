"""The table of findings is complete, and names tests and sections that exist."""

import ast
import functools
import re
from pathlib import Path

import pytest
from findings import FINDINGS, TESTS
from test_first_mistakes import MISTAKES

HERE = Path(__file__).parent
IDS = [
    *(f"B{i}" for i in range(1, 23)),
    *(f"D{i}" for i in range(1, 14)),
    *(f"F{i}" for i in range(1, 8)),
    *(f"H{i}" for i in range(1, 4)),
    *(f"C{i}" for i in range(1, 8)),
    *(f"A{i}" for i in range(1, 14)),
    *(f"S{i}" for i in range(1, 20)),
    *(f"U{i}" for i in range(1, 10)),
]


@functools.cache
def defined_in(path):
    tree = ast.parse((HERE / path).read_text())
    names = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return {name for name in names if name.startswith("test_")}


@functools.cache
def sections():
    page = (HERE.parent / "docs" / "conventions.md").read_text()
    return set(re.findall(r"^## (.*)$", page, flags=re.MULTILINE))


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_has_tests_that_exist_or_a_reason_that_is_written_down(finding):
    what, *places = FINDINGS[finding]
    assert what
    assert places
    for place in places:
        if place.startswith("# "):
            assert place.removeprefix("# ") in sections()
        else:
            file, _, words = place.partition(": ")
            assert "test_" + words.replace(" ", "_") in defined_in(TESTS[file]), place


def test_no_finding_is_forgotten():
    mistakes = {name.partition(" ")[0] for name in MISTAKES} | FINDINGS.keys()
    assert [i for i in IDS if i not in FINDINGS] == []
    assert [f"M{i}" for i in range(1, 44) if f"M{i}" not in mistakes] == []
    assert sorted(set(FINDINGS) - set(IDS)) == ["M31", "M32", "M42"]
