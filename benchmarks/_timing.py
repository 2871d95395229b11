"""Timing shared by all benchmarks: minimum of repeats, rivals measured in turns, JSON lines out.

The minimum of many repeats estimates what the code costs; everything above it is the machine's
other work. Rivals are measured in turns, so that a slow minute of the machine hits all of them,
and what is reported is the ratio.

Set OMP_NUM_THREADS=1 (and OPENBLAS_NUM_THREADS, MKL_NUM_THREADS) before starting Python: threads
of a BLAS make small sizes erratic. `header()` says which limits were set.
"""

import argparse
import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["arguments", "best_of", "compare", "emit", "header", "optional", "table"]

# Run as `python benchmarks/x.py` from a checkout that is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

_TARGET_SECONDS = 0.02


def calibrate(function: Callable[[], object], seconds: float = _TARGET_SECONDS) -> int:
    """Return how many calls take about `seconds`."""
    number = 1
    while True:
        elapsed = _run(function, number)
        if elapsed >= seconds / 2:
            return max(1, round(number * seconds / elapsed))
        number *= 2 if elapsed <= 0 else max(2, min(16, int(seconds / elapsed)))


def _run(function: Callable[[], object], number: int) -> float:
    start = time.perf_counter()
    for _ in range(number):
        function()
    return time.perf_counter() - start


def best_of(function: Callable[[], object], repeats: int = 7, number: int | None = None) -> float:
    """Return microseconds per call: the fastest of `repeats` runs of `number` calls each.

    Args:
        function: called without arguments.
        repeats: number of runs.
        number: calls per run; None for as many as take about 20 ms.
    """
    number = calibrate(function) if number is None else number
    return min(_run(function, number) for _ in range(repeats)) / number * 1e6


def compare(
    rivals: Mapping[str, Callable[[], object]], repeats: int = 7, number: int | None = None
) -> dict[str, float]:
    """Return name -> microseconds per call, measured in turns: a b c a b c ...

    Args:
        rivals: name -> function without arguments.
        repeats: number of turns, of which each rival's fastest counts.
        number: calls per turn; None for as many as take each rival about 20 ms.
    """
    numbers = {name: calibrate(f) if number is None else number for name, f in rivals.items()}
    best = dict.fromkeys(rivals, float("inf"))
    for _ in range(repeats):
        for name, function in rivals.items():
            best[name] = min(best[name], _run(function, numbers[name]) / numbers[name])
    return {name: seconds * 1e6 for name, seconds in best.items()}


def optional(name: str) -> Any:
    """Return a module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def header(*peers: str) -> dict[str, Any]:
    """Return machine and versions; PyTorch, when it is among the peers, is set to one thread."""
    versions = {}
    for name in ("numpy", *peers):
        module = optional(name)
        versions[name] = getattr(module, "__version__", None) if module else None
        if name == "torch" and module:
            module.set_num_threads(1)
    return {
        "machine": f"{platform.machine()} {_processor()}",
        "cpus": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "threads": {
            name: os.environ.get(name)
            for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        },
        "versions": versions,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), "")


def arguments(description: str) -> argparse.Namespace:
    """Read the command line that all benchmarks share: --smoke, --repeats, --json."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--smoke", action="store_true", help="run everything once, to see it run")
    parser.add_argument("--repeats", type=int, default=7, help="turns, of which the fastest counts")
    parser.add_argument("--json", type=Path, help="append one line of JSON to this file")
    chosen = parser.parse_args()
    if chosen.smoke:
        chosen.repeats = 1
    return chosen


def table(title: str, rows: Mapping[str, Mapping[str, float]], ours: str, unit: str = "us") -> None:
    """Print one line per case: the time of each rival, and our time over theirs.

    Args:
        title: printed above.
        rows: case -> rival -> time; rivals may be missing in some rows.
        ours: name of the rival that is this library.
        unit: of the times.
    """
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    rivals = [name for name in names if name != ours]
    width = max(map(len, [*rows, title]))
    print(f"\n{title:<{width}} " + "".join(f"{n + ' ' + unit:>20}" for n in names), end="")
    print("".join(f"{ours + '/' + n:>24}" for n in rivals))
    for case, row in rows.items():
        print(f"{case:<{width}} " + "".join(_cell(row.get(name), 20) for name in names), end="")
        print("".join(_cell(row[ours] / row[n] if n in row else None, 24) for n in rivals))


def _cell(value: float | None, width: int) -> str:
    return f"{'-' if value is None else f'{value:,.2f}':>{width}}"


def emit(name: str, results: Any, about: Mapping[str, Any], path: Path | None = None) -> None:
    """Print one line of JSON, and append it to a file where one is given."""
    line = json.dumps({"benchmark": name, **about, "results": results})
    print("\n" + line)
    if path is not None:
        with path.open("a") as file:
            file.write(line + "\n")
