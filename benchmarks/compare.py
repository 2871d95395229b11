"""gradloom beside its peers: time, memory and numbers of whole workloads, on one core.

    python benchmarks/compare.py                  # everything; half an hour, and 2 GB of packages
    python benchmarks/compare.py --only GPT rows  # what has one of these words in its name
    python benchmarks/compare.py --page           # everything, and the page docs/performance.md

Each peer gets an environment of its own in a folder outside of the repository (`--cache`). A
workload runs in one process per library; the processes take turns on one core, so that a slow
minute of the machine hits all of them. A ratio is our fastest time over theirs, and its spread is
that of the turns. Before anything is timed, the numbers that the libraries compute are compared.

`--smoke` needs nothing but gradloom: small sizes, held against formulas in plain NumPy.
"""

import argparse
import datetime as dt
import json
import math
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import _timing
import _workloads

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
OURS, KEPT, NUMBA = "gradloom", "gradloom, memory kept", "gradloom, numba"
PEERS = {
    "torch": ["torch==2.13.0", "numpy"],
    "jax": ["jax", "numpy"],
    "hips": ["autograd", "scipy"],  # of the same import name as ours
    "mygrad": ["mygrad"],
    "micrograd": ["micrograd", "numpy"],
    "tinygrad": ["tinygrad", "numpy"],
}
NAMES = {"torch": "PyTorch", "jax": "jax.jit", "hips": "HIPS autograd", "mygrad": "MyGrad"}
# What all libraries compute in double precision; elsewhere sums of float32 differ by their order.
DOUBLE = {
    "600 small operations", "elementwise on 1e6", "chain of 1e5", "chain of 1e6",
    "Hessian, 100 inputs", "scalar MLP",
}  # fmt: skip
# Ratios to PyTorch (the first one to micrograd) that we want to stay below.
GOALS = {
    "scalar MLP": 0.55, "600 small operations": 0.45, "LeNet, batch 64": 1.6, "residual block": 1.6,
    "GPT, width 128": 1.4, "GPT, width 512": 1.4, "LSTM, 64 steps": 1.3, "elementwise on 1e6": 1.0,
    "Hessian, 100 inputs": 0.7, "sweep 10 float32": 0.8, "sweep 10 float64": 0.8,
    "sweep 1e3 float32": 0.8, "sweep 1e3 float64": 0.8, "sweep 1e5 float32": 1.1,
    "sweep 1e5 float64": 1.1, "sweep 1e6 float32": 1.2, "sweep 1e6 float64": 1.2,
    "rows softmax": 2.0, "rows layer_norm": 3.0, "rows gelu": 2.5,
}  # fmt: skip
NUMBA_GOALS = {
    "rows softmax": 1.1, "rows log_softmax": 1.1, "rows layer_norm": 1.1, "rows gelu": 1.1,
    "rows cross_entropy": 1.1, "LeNet, batch 64": 1.1, "residual block": 1.1,
    "GPT, width 128": 1.0, "GPT, width 512": 1.0, "optimizer steps Adam 1e7": 1.0,
}  # fmt: skip
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ONE_CORE["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"


def interpreter(library, cache):
    """Return the Python of a library's environment, made where there is none yet."""
    if library not in PEERS:
        return sys.executable
    folder, done = cache / library, cache / library / "complete"
    python = folder / "bin" / "python"
    if not done.exists():
        print(f"making an environment for {library} in {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEERS[library]], check=True)
        done.touch()
    return str(python)


class Rival:
    """A library at a workload, in a process that waits for its turns."""

    def __init__(self, library, name, python, *, smoke):
        command = [python, str(Path(__file__).with_name("_workloads.py")), library, name]
        path = {"PYTHONPATH": str(ROOT)} if library not in PEERS else {}
        self.process = subprocess.Popen(
            command + ["--smoke"] * smoke, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=os.environ | ONE_CORE | path,
        )  # fmt: skip
        self.library, self.turns = library, []
        self.built = self.answer()

    def answer(self):
        """Read a line of the process."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.library} failed with status {self.process.wait()}")
        return json.loads(line)

    def turn(self, seconds):
        """Let it run for some seconds."""
        print(seconds, file=self.process.stdin, flush=True)
        self.turns.append(self.answer())

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def disagreement(ours, theirs, *, double):
    """Return the first pair of numbers that differ by more than rounding, or None."""
    tolerance = 1e-9 if double else 2e-3
    for case in ours:
        a, b = ours[case], theirs[case]
        if len(a) != len(b):
            return case, len(a), len(b)
        largest = max(map(abs, a), default=0.0)
        precise = 1e-9 if "float64" in case else tolerance
        for x, y in zip(a, b, strict=True):
            if not abs(x - y) <= precise * (abs(x) + abs(y) + 0.01 * largest):
                return case, x, y
    return None


def measure(name, libraries, chosen):
    """Return what a workload takes: library -> case -> seconds of each turn, and peaks."""
    rivals = []
    for library in libraries:
        try:
            python = interpreter(library, chosen.cache)
            rivals.append(Rival(library, name, python, smoke=chosen.smoke))
        except (RuntimeError, subprocess.CalledProcessError) as error:
            if library not in PEERS:
                raise
            print(f"  {name}: without {library}: {error}", flush=True)
    for rival in rivals[1:]:
        double = name in DOUBLE
        pair = disagreement(rivals[0].built["numbers"], rival.built["numbers"], double=double)
        if pair:
            sys.exit(f"{name}: {rivals[0].library} and {rival.library} disagree: {pair}")
    for _ in range(chosen.repeats):
        for rival in rivals:
            rival.turn(0.0 if chosen.smoke else chosen.seconds)
    for rival in rivals:
        rival.close()
    return {
        rival.library: {
            "turns": {case: [t[case] for t in rival.turns] for case in rival.turns[0]},
            "peak": rival.built["peak"],
        }
        for rival in rivals
    }


def imports(chosen):
    """Return the seconds that `import` takes in a fresh process, from compiled files."""
    modules = {OURS: "autograd", "numpy": "numpy"}
    modules |= {"torch": "torch", "jax": "jax", "hips": "autograd"} if not chosen.smoke else {}
    code = "from time import process_time as t; a = t(); import {}; print(t() - a)"
    found = {library: {"turns": {"": []}, "peak": None} for library in modules}
    with tempfile.TemporaryDirectory() as folder:
        here = os.environ | ONE_CORE | {"PYTHONPYCACHEPREFIX": folder}
        here.pop("PYTHONDONTWRITEBYTECODE", None)
        for turn in range(chosen.repeats + 1):
            for library, module in modules.items():
                path = {"PYTHONPATH": str(ROOT)} if library == OURS else {}
                out = subprocess.run(
                    [interpreter(library, chosen.cache), "-c", code.format(module)],
                    check=True, capture_output=True, text=True, env=here | path,
                )  # fmt: skip
                if turn:  # the first compiles the files
                    found[library]["turns"][""].append(float(out.stdout))
    return found


# -- what is said of it ----------------------------------------------------------------------------


def ratio(ours, theirs):
    """Return our fastest time over theirs, and the least and largest ratio of one turn."""
    of_turns = [a / b for a, b in zip(ours, theirs, strict=True)]
    return min(ours) / min(theirs), min(of_turns), max(of_turns)


def geometric(ratios):
    """Return the geometric means of ratios and of their ends."""
    return tuple(math.exp(sum(map(math.log, r)) / len(r)) for r in zip(*ratios, strict=True))


def rows(results):
    """Return label -> (our seconds, library -> ratio, library -> ratio of peaks).

    The sweep is summed up by size and dtype; what has several cases gets a row for each.
    """
    table = {}
    for name, by_library in results.items():
        cases = by_library[OURS]["turns"]
        groups = {}
        for case in cases:
            label = " ".join(case.split()[:2]) if name == "sweep" else case
            groups.setdefault(f"{name} {label}".strip(), []).append(case)
        for label, members in groups.items():
            ratios = {
                library: geometric([ratio(cases[c], found["turns"][c]) for c in members])
                for library, found in by_library.items()
                if library != OURS
            }
            ours, peaks = by_library[OURS]["peak"], {}
            for library, found in by_library.items():
                # Below 4 MB the pages of the heap decide, not the workload.
                if ours and found["peak"] and found["peak"] > 1 << 22 and library != OURS:
                    peaks[library] = ours / found["peak"]
            times = [min(cases[c]) for c in members]
            table[label] = math.exp(sum(map(math.log, times)) / len(times)), ratios, peaks
    return table


def said(seconds):
    """Return a time in a unit that suits it."""
    unit, factor = ("s", 1) if seconds >= 1 else ("ms", 1e3) if seconds >= 1e-3 else ("us", 1e6)
    return f"{seconds * factor:.3g} {unit}"


def worst(results):
    """Return the operations of the sweep that are slowest beside PyTorch."""
    found = results.get("sweep", {})
    if "torch" not in found:
        return []
    ours, theirs = found[OURS]["turns"], found["torch"]["turns"]
    ranked = sorted(((ratio(ours[c], theirs[c])[0], c) for c in ours), reverse=True)
    return [(case, r) for r, case in ranked]


def show(results):
    """Print one line per row."""
    for label, (seconds, ratios, peaks) in rows(results).items():
        cells = [
            f"{library} {r:.2f} ({low:.2f}-{high:.2f})"
            for library, (r, low, high) in ratios.items()
        ]
        cells += [f"peak/{library} {r:.2f}" for library, r in peaks.items()]
        print(f"{label:<32} {said(seconds):>9}   " + "   ".join(cells), flush=True)


def page_table(results):
    """Return the table of the page."""
    lines = [
        "| workload | time | to PyTorch | goal | numba | goal | memory kept | others | memory |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for label, (seconds, ratios, peaks) in rows(results).items():
        spread = lambda r: f"{r[0]:.2f} ({r[1]:.2f}-{r[2]:.2f})"
        torch = spread(ratios["torch"]) if "torch" in ratios else ""
        kept, numba = (
            f"{ratios['torch'][0] / ratios[ours][0]:.2f}" if ours in ratios and torch else ""
            for ours in (KEPT, NUMBA)
        )
        others = ", ".join(
            f"{NAMES.get(library, library)} {r[0]:.2f}"
            for library, r in ratios.items()
            if library not in ("torch", KEPT, NUMBA)
        )
        cells = (
            label, said(seconds), torch, GOALS.get(label, ""), numba, NUMBA_GOALS.get(label, ""),
            kept, others, f"{peaks['torch']:.2f}" if "torch" in peaks else "",
        )  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    slow = worst(results)
    if slow:
        listed = ", ".join(f"{case} {r:.1f}" for case, r in slow[:12])
        lines += ["", f"The slowest of the sweep beside PyTorch: {listed}."]
    return "\n".join(lines)


def about(results, chosen):
    """Return a sentence on date, machine and versions."""
    versions = {}
    for library, packages in PEERS.items():
        if any(library in found for found in results.values()):
            package = packages[0].partition("==")[0]
            code = f"from importlib.metadata import version as v; print(v({package!r}))"
            out = subprocess.run(
                [interpreter(library, chosen.cache), "-c", code],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            versions[NAMES.get(library, library)] = out.stdout.strip()
    machine = _timing.header()
    return (
        f"Measured on {dt.datetime.now(dt.UTC):%Y-%m-%d} on one core of an "
        f"{machine['machine']} ({machine['system']}, Python {machine['python']}, NumPy "
        f"{machine['versions']['numpy']}), beside "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f"; {chosen.repeats} turns each. A ratio is our fastest processor time over theirs, so "
        "below 1 we are faster; in brackets, the least and largest ratio of one turn. Other work "
        "ran on the machine at the same time."
    )


def bars(results):
    """Draw the ratios to PyTorch as bars on a logarithmic scale."""
    sys.path.insert(0, str(ROOT / "docs"))
    from pictures import Picture

    table = {label: r["torch"] for label, (_, r, _) in rows(results).items() if "torch" in r}
    picture = Picture(760, 24 * len(table) + 60, "Time of gradloom over that of PyTorch")
    place = lambda r: 440 + 80 * max(-2.3, min(2.9, math.log2(r)))
    for i, (label, (middle, low, high)) in enumerate(table.items()):
        y, x = 40 + 24 * i, place(middle)
        picture.text(236, y + 13, label, "small", "end")
        picture.box(min(x, 440), y, max(1, abs(x - 440)), 16, "leaf" if middle <= 1 else "data")
        picture.text(max(x, 440, place(high)) + 6, y + 13, f"{middle:.2f}", "small", "start")
        picture.arrow([(place(low), y + 8), (place(high), y + 8)])
    for r in (0.25, 0.5, 1, 2, 4):
        picture.text(place(r), 24, f"{r:g}", "small")
    picture.text(440, 24 * len(table) + 54, "time of gradloom / time of PyTorch", "small")
    picture.save("performance.svg")


def write_page(results, chosen):
    """Replace the generated part of the page."""
    begin, end = "<!-- measured: begin -->", "<!-- measured: end -->"
    head, _, rest = PAGE.read_text().partition(begin)
    tail = rest.partition(end)[2]
    body = f"{about(results, chosen)}\n\n{page_table(results)}"
    PAGE.write_text(f"{head}{begin}\n\n{body}\n\n{end}{tail}")
    bars(results)


# -- the command -----------------------------------------------------------------------------------


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    parser.add_argument("--smoke", action="store_true", help="gradloom and NumPy alone, small")
    parser.add_argument("--only", nargs="+", default=[""], help="words in names of workloads")
    parser.add_argument("--repeats", type=int, default=5, help="turns")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a case in a turn")
    parser.add_argument("--cache", type=Path, default=home / "gradloom-peers")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), help="who takes part")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md")
    chosen = parser.parse_args()
    if chosen.smoke:
        chosen.repeats, chosen.peers = 1, []
    return chosen


def main():
    chosen = parse()
    os.nice(0 if chosen.smoke else 5)
    ours = {OURS, KEPT, NUMBA} if find_spec("numba") else {OURS, KEPT}
    taking_part = ours | set(chosen.peers) if not chosen.smoke else {OURS, "numpy"}
    store = chosen.cache / "results.json"
    # What --only leaves out stays as it was measured last.
    results = {} if chosen.smoke or not store.exists() else json.loads(store.read_text())
    for name in (*_workloads.WORKLOADS, "import"):
        if not any(word in name for word in chosen.only):
            continue
        if name == "import":
            found = imports(chosen)
        else:
            known = _workloads.WORKLOADS[name]
            found = measure(name, [x for x in known if x in taking_part], chosen)
        show({name: found})
        results[name] = found
        if not chosen.smoke:
            chosen.cache.mkdir(parents=True, exist_ok=True)
            store.write_text(json.dumps(results))
    if chosen.page:
        order = [*_workloads.WORKLOADS, "import"]
        write_page({name: results[name] for name in order if name in results}, chosen)


if __name__ == "__main__":
    main()
