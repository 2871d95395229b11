"""The benchmark of damaged checkpoints finds what it should."""

from pathlib import Path

import pytest

import nn

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(
    "load, found",
    [
        (lambda path, **parts: {}["x"], "KeyError"),
        (lambda path, **parts: change(path, parts), "refused, and changed something"),
        (lambda path, **parts: spoil(parts), "loaded, and the next step fails"),
    ],
)
def test_a_wrong_load_is_noticed(load, found, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from _mutations import Fuzz

    fuzz = Fuzz(tmp_path)
    monkeypatch.setattr(nn, "load", load)
    assert any(found in (fuzz.run(seed) or "") for seed in range(20))


def change(path, parts):
    if "model" in parts:
        parts["model"][0].weight.data += 1
    raise ValueError(f"{path} is damaged")


def spoil(parts):
    if "optimizer" in parts:
        parts["optimizer"].param_groups[0]["betas"] = (0.9,)
    return {}
