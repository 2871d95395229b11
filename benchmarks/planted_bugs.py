"""How many planted bugs `autograd.testing` finds, and how often it reports what is right.

    OMP_NUM_THREADS=1 python benchmarks/planted_bugs.py [--smoke] [--cases 100000] [--seed 0]

First, every wrong rule of `_planted.py` is checked on random inputs, with the full Jacobian and
with projections; then correct functions are checked on as many random cases as asked for: the
originals of the planted operations, and random programs, smooth ones and ones with kinks. A case
is one call of `check_gradients` of order 2 in reverse and forward mode. Kinks are hit on purpose by
single operations (ties, bounds, zeros); where several meet at one point the chain rule itself may
be wrong, so programs get inputs in general position.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import _timing
import numpy as np
from _planted import PLANTS
from _programs import build_program

from autograd.testing import GradientError, check_gradients


def is_caught(plant, seed, **options):
    arguments = plant.make(np.random.default_rng(seed))
    try:
        plant.checker(plant.wrong, *arguments, **plant.options, **options)
    except (AssertionError, ValueError):  # ValueError: an operand is read-only
        return True
    return False


def planted(draws):
    """Return, by kind, how many bugs were planted, and which were missed in which way."""
    totals, missed = Counter(), []
    for plant in PLANTS:
        totals[plant.kind] += 1
        for fast in (False, True):
            caught = sum(is_caught(plant, seed, fast=fast) for seed in range(draws))
            if caught < draws:
                how = "projections" if fast else "full Jacobian"
                missed.append(f"{plant.kind}: {plant.name} ({how}: {caught} of {draws})")
    return totals, missed


def random_shape(rng):
    return tuple(int(n) for n in rng.integers(1, 4, rng.integers(0, 3)))


def correct_case(seed):
    """Return (what it is, function, inputs, options) of one correct case."""
    rng = np.random.default_rng(seed)
    options = {"fast": bool(rng.random() < 0.75)}
    originals = [plant for plant in PLANTS if plant.checker is check_gradients]
    if seed % 2:
        plant = originals[int(rng.integers(len(originals)))]
        return plant.name, plant.original, plant.make(rng), {**plant.options, **options}
    shapes = [random_shape(rng) for _ in range(int(rng.integers(1, 4)))]

    def pick(choices):
        return choices[int(rng.integers(len(choices)))]

    program = build_program(pick, shapes, int(rng.integers(1, 7)), kinks=seed % 4 == 0)
    return program.source, program.compile(), [rng.normal(size=s) for s in shapes], options


def false_alarms(cases, seed):
    """Return the reports of correct cases."""
    reports = []
    for i in range(cases):
        name, function, inputs, options = correct_case(seed + i)
        try:
            check_gradients(function, *inputs, **options)
        except GradientError as error:
            reports.append(f"case {seed + i}, {options}: {name}\n{error}")
    return reports


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="a pass of seconds")
    parser.add_argument("--draws", type=int, default=20, help="random inputs per planted bug")
    parser.add_argument("--cases", type=int, default=100_000, help="random correct cases")
    parser.add_argument("--seed", type=int, default=0, help="of the first correct case")
    parser.add_argument("--json", type=Path, help="append one line of JSON to this file")
    chosen = parser.parse_args()
    draws, cases = (1, 200) if chosen.smoke else (chosen.draws, chosen.cases)

    start = time.perf_counter()
    totals, missed = planted(draws)
    seconds = time.perf_counter() - start
    print(f"planted bugs: {totals.total()}, each on {draws} random inputs, in two ways")
    for kind, count in totals.items():
        print(f"  {kind:<14}{count:>4}")
    print(f"missed: {len(missed)}   ({seconds:.0f} s)")
    for line in missed:
        print("  " + line)

    start = time.perf_counter()
    reports = false_alarms(cases, chosen.seed)
    elapsed = time.perf_counter() - start
    print(f"\ncorrect cases: {cases:,}, reported: {len(reports)}   ({elapsed:.0f} s)")
    for report in reports[:20]:
        print(report)
    results = {
        "planted": totals.total(),
        "missed": missed,
        "correct_cases": cases,
        "reported": len(reports),
        "seconds": round(seconds + elapsed),
    }
    _timing.emit("planted_bugs", results, _timing.header(), chosen.json)
    return 1 if missed or reports else 0


if __name__ == "__main__":
    sys.exit(main())
