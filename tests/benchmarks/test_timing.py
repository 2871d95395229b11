"""The clock that all benchmarks share, and that they run at all."""

import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def timing(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import _timing

    return _timing


@pytest.fixture
def takes_a_millisecond(timing, monkeypatch):
    """A function by a clock of its own, whatever else the machine is doing."""
    now = [0.0]

    def function():
        now[0] += 0.001

    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])
    return function


def test_best_of_measures_in_microseconds(timing, takes_a_millisecond):
    assert timing.best_of(takes_a_millisecond, repeats=2, number=2) == pytest.approx(1000)


def test_compare_takes_turns(timing):
    calls = []
    result = timing.compare(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=3, number=2
    )
    assert "".join(calls) == "aabb" * 3
    assert set(result) == {"a", "b"}


def test_the_number_of_calls_fits_the_time_wanted(timing, takes_a_millisecond):
    assert timing.calibrate(takes_a_millisecond, seconds=0.005) == 5


def test_results_are_one_line_of_json_with_versions(timing, tmp_path, capsys):
    path = tmp_path / "results.jsonl"
    timing.emit("x", {"case": 1.5}, timing.header(), path)
    line = json.loads(path.read_text())
    assert line["results"] == {"case": 1.5}
    assert line["versions"]["numpy"]
    assert json.loads(capsys.readouterr().out) == line


def test_a_table_shows_our_time_over_that_of_each_rival(timing, capsys):
    timing.table("title", {"case": {"ours": 3.0, "other": 2.0}}, "ours")
    header, row = capsys.readouterr().out.split("\n")[1:3]
    assert header.split()[-1] == "ours/other"
    assert row.split() == ["case", "3.00", "2.00", "1.50"]
