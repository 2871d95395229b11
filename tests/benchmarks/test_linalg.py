"""The benchmark of products and linear algebra runs; its figures are for people to read."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "linalg.py"


def test_the_linear_algebra_benchmark_runs():
    run = subprocess.run(
        [sys.executable, SCRIPT, "--smoke"], capture_output=True, text=True, check=True
    )
    results = json.loads(run.stdout.splitlines()[-1])["results"]
    assert set(results) == {"products", "linear algebra"}
    assert all(row["gradloom"] > 0 for rows in results.values() for row in rows.values())
