"""What the comparison with other libraries makes of its measurements."""

import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def compare(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import compare

    return compare


def found(turns, peak=None):
    return {"turns": turns, "peak": peak}


def test_numbers_that_differ_by_more_than_rounding_are_found(compare):
    ours = {"": [1.0, 2e-6, 3.0]}
    assert compare.disagreement(ours, {"": [1.0001, 2e-6, 3.0]}, double=False) is None
    assert compare.disagreement(ours, {"": [1.02, 2e-6, 3.0]}, double=False) == ("", 1.0, 1.02)
    assert compare.disagreement(ours, {"": [1.0001, 2e-6, 3.0]}, double=True) == ("", 1.0, 1.0001)
    assert compare.disagreement(ours, {"": [1.0, float("nan"), 3.0]}, double=True)[0] == ""
    assert compare.disagreement(ours, {"": [1.0]}, double=True) == ("", 3, 1)


def test_ratios_are_of_the_fastest_times_with_the_spread_of_the_turns(compare):
    assert compare.ratio([2.0, 3.0], [4.0, 2.0]) == (1.0, 0.5, 1.5)
    assert compare.geometric([(1.0, 1.0, 4.0), (4.0, 1.0, 1.0)]) == pytest.approx((2.0, 1.0, 2.0))


def test_rows_sum_up_the_sweep_and_compare_peaks(compare):
    cases = {"10 float32 add": [1e-6, 2e-6], "10 float32 exp": [4e-6, 4e-6]}
    results = {
        "sweep": {"gradloom": found(cases), "torch": found({c: [1e-6, 1e-6] for c in cases})},
        "GPT": {
            "gradloom": found({"": [1.0, 1.0]}, 10 << 20),
            "torch": found({"": [2.0, 4.0]}, 20 << 20),
            "jax": found({"": [1.0, 1.0]}, 1 << 20),
        },
    }
    table = compare.rows(results)
    assert set(table) == {"sweep 10 float32", "GPT"}
    seconds, ratios, _ = table["sweep 10 float32"]
    assert seconds == pytest.approx(2e-6)
    assert ratios["torch"][0] == pytest.approx(2.0)
    assert table["GPT"][1]["torch"] == (0.5, 0.25, 0.5)
    assert table["GPT"][2] == {"torch": 0.5}  # what jax keeps is too little to tell
    assert compare.worst(results)[0] == ("10 float32 exp", 4.0)
    text = compare.page_table(results)
    assert "| GPT | 1 s | 0.50 (0.25-0.50) |" in text
    assert "sweep beside PyTorch: 10 float32 exp 4.0, 10 float32 add 1.0." in text


def test_a_workload_runs_in_turns_in_processes_that_agree(compare, monkeypatch, capsys):
    monkeypatch.setattr(
        "sys.argv", ["compare.py", "--smoke", "--only", "FizzBuzz", "--repeats", "1"]
    )
    compare.main()
    line = capsys.readouterr().out
    assert line.startswith("FizzBuzz step")
    assert " numpy " in line


def test_a_process_that_computes_something_else_stops_the_comparison(compare, monkeypatch):
    answers = iter([[1.0], [2.0]])

    class Rival:
        def __init__(self, library, *_, **__):
            self.library, self.turns = library, []
            self.built = {"numbers": {"": next(answers)}, "peak": None}

    monkeypatch.setattr(compare, "Rival", Rival)
    chosen = compare.argparse.Namespace(cache=Path(), smoke=True, repeats=1, seconds=0.0)
    with pytest.raises(SystemExit, match="FizzBuzz step: gradloom and numpy disagree"):
        compare.measure("FizzBuzz step", ["gradloom", "numpy"], chosen)


def test_results_survive_json(compare):
    results = {"GPT": {"gradloom": found({"": [1.0]}, 1)}}
    assert compare.rows(json.loads(json.dumps(results))) == compare.rows(results)
