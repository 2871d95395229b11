"""How `nn.load` takes checkpoints that are damaged or made up.

    python benchmarks/fuzz_checkpoints.py [--smoke] [--cases 50000] [--seed 0]

Every case is a file of `nn.save` or of NumPy with something wrong in it (`_mutations.py`). It must
be loaded, after which the training goes on, or be refused by a ValueError or OSError that names the
file, after which nothing has changed; both within a multiple of the memory of the file itself.
"""

import argparse
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import _timing
from _mutations import Fuzz


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="a pass of seconds")
    parser.add_argument("--cases", type=int, default=50_000, help="mutated files")
    parser.add_argument("--seed", type=int, default=0, help="of the first case")
    parser.add_argument("--json", type=Path, help="append one line of JSON to this file")
    chosen = parser.parse_args()
    cases = 300 if chosen.smoke else chosen.cases

    tracemalloc.start()
    wrong, slowest = [], 0.0
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        fuzz = Fuzz(Path(folder))
        for seed in range(chosen.seed, chosen.seed + cases):
            start = time.perf_counter()
            wrong += filter(None, [fuzz.run(seed)])
            slowest = max(slowest, time.perf_counter() - start)
    elapsed = time.perf_counter() - begin

    print(
        f"files: {cases:,}, of which loaded {fuzz.counts['loaded']:,}, "
        f"refused {fuzz.counts['refused']:,}   ({elapsed:.0f} s, the slowest {slowest:.2f} s)"
    )
    print(f"wrong: {len(wrong)}")
    for line in wrong[:20]:
        print("  " + line)
    results = {"cases": cases, **fuzz.counts, "wrong": len(wrong), "seconds": round(elapsed)}
    _timing.emit("fuzz_checkpoints", results, _timing.header(), chosen.json)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
