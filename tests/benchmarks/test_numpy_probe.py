"""The probe of NumPy's surface: what it counts for this library is what its page says."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent
WRITTEN = json.loads((ROOT / "docs" / "numpy_probe.json").read_text())

pytestmark = pytest.mark.skipif(
    WRITTEN["versions"]["numpy"].split(".")[:2] != np.__version__.split(".")[:2],
    reason="the page counts the functions of another version of NumPy",
)


@pytest.fixture(scope="module")
def probe():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import numpy_probe
    finally:
        sys.path.pop(0)
    return numpy_probe


@pytest.fixture(scope="module")
def verdicts(probe):
    pytest.importorskip("scipy", reason="np.i0 has a gradient with SciPy only")
    with np.errstate():
        return probe.work("ours", smoke=False)


def test_expressions_are_counted_once(probe):
    expressions = [e for names in probe.CASES.values() for e in names]
    assert len(expressions) == len(set(expressions)) == 365
    assert WRITTEN["counts"]["all"]["cases"] == 365


def test_every_expression_is_right_but_those_that_the_page_lists(verdicts):
    wrong = {
        expression
        for expression, answer in verdicts["np.*"].items()
        if "right" not in (answer, verdicts["own"][expression])
    }
    assert wrong == set(WRITTEN["missing"])


def test_nothing_is_silently_wrong(verdicts):
    """What is not right raises."""
    answers = [answer for spelling in verdicts.values() for answer in spelling.values()]
    assert "wrong" not in answers


def test_counts_are_those_of_the_page(probe, verdicts):
    for category, names in probe.CASES.items():
        for spelling, answers in verdicts.items():
            right = sum(answers[e] == "right" for e in names)
            assert WRITTEN["counts"][category][f"ours, {spelling}"] == right


def test_a_wrong_gradient_would_be_noticed(probe):
    reference = probe.Reference("np.sin(x)")
    differentiate = lambda function, values: [np.zeros_like(v) for v in values if function(values)]
    assert probe.verdict(reference, np, np, differentiate) == "wrong"
    assert probe.verdict(reference, np, np, lambda f, v: f(v) and [np.cos(v[0])]) == "wrong"
    weights = reference.weights[0][0]
    right = lambda f, v: [f(v) * 0 + np.cos(v[0]) * weights]
    assert probe.verdict(reference, np, np, right) == "right"
