"""How many planted bugs the tests catch: change one operator, comparison or number, run the tests.

    python benchmarks/mutants.py --record                 # once: which test calls which function
    python benchmarks/mutants.py [--smoke] [--count 40] [--seed 0] [AREA or PATH ...]

An area is one of engine, ops, nn and optim (default: all four); `--count` mutants of each are drawn
at random, the same for the same seed and sources. A mutant changes one place inside a function, the
defaults of its parameters included: an arithmetic, comparison, bitwise or boolean operator, a
condition (negated), a number (plus 1), True or False, a sign, or a call whose result is not used
(left out). Not mutated: what `raise` and f-strings say, strings, annotations, `assert` and the
`strict=` of zip, the module level and class bodies.

Each mutant is judged by the tests that call the changed function, so `--record` runs the suite
once (without the tests marked slow, the checker's own, and those of docs and benchmarks) and
notes who calls what, in build/mutants.json. First comes the mirror file with the doctests, then
the op table, then every other file, and the tests that need PyTorch last; tests that the record
does not know are run, too. A mutant is killed by the first test that fails, or by a test that takes
longer than a minute. Survivors are listed: each is equivalent to the original, or a test misses.

One process imports NumPy, SciPy, PyTorch and pytest and forks for each mutant, which finds the
changed source where it imports the module: about 2 s for a mutant that its mirror file kills.
"""

import argparse
import ast
import contextlib
import gc
import importlib
import itertools
import json
import linecache
import os
import random
import signal
import sys
import time
from collections import defaultdict
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import FunctionType

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "build" / "mutants.json"
AREAS = {
    "engine": ["autograd/engine"],
    "ops": ["autograd/ops", "autograd/linalg"],
    "nn": ["nn"],
    "optim": ["optim"],
}
TABLES = ["tests/autograd/ops/test_op_table.py", "tests/autograd/ops/test_replay.py"]
NOT_JUDGES = ["tests/autograd/testing", "tests/benchmarks", "tests/test_docs.py"]
NOT_JUDGES += ["tests/test_examples.py", "tests/test_architecture.py"]
WARM = ["numpy.testing", "scipy.linalg", "scipy.signal", "scipy.special", "scipy.stats", "torch"]
WARM += ["scipy.integrate", "scipy.optimize", "mpmath", "hypothesis.extra.numpy", "pytest"]
SECONDS = 60
SWAPS = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "//",
    ast.Pow: "*",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.And: "or",
    ast.Or: "and",
    ast.BitAnd: "|",
    ast.BitOr: "&",
}


# -- mutants ---------------------------------------------------------------------------------------


class Sites(ast.NodeVisitor):
    """Collects (node, replacement source) for everything that can be mutated in a function."""

    def __init__(self):
        self.found = []
        self.depth = 0
        self.in_signature = False

    def visit_FunctionDef(self, node):
        self.depth += 1
        self.in_signature = True
        for child in [*node.args.defaults, *node.args.kw_defaults]:
            if child is not None:
                self.visit(child)
        self.in_signature = False
        for child in node.body:
            self.visit(child)
        self.depth -= 1

    def visit_Lambda(self, node):
        self.depth += 1
        self.visit(node.body)
        self.depth -= 1

    def visit_Raise(self, node):
        """What errors say has tests of its own."""

    def visit_JoinedStr(self, node):
        """Likewise."""

    def visit_Assert(self, node):
        """A check of what is known cannot fail a test by being left out."""

    def visit_keyword(self, node):
        if node.arg != "strict":  # of zip, an assertion too
            self.visit(node.value)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)

    def add(self, node, text):
        if self.depth:
            self.found.append((node, text, self.in_signature))

    def visit_BinOp(self, node):
        swap = SWAPS.get(type(node.op))
        if swap:
            left, right = ast.unparse(node.left), ast.unparse(node.right)
            self.add(node, f"(({left}) {swap} ({right}))")
        self.generic_visit(node)

    def visit_Compare(self, node):
        swap = SWAPS.get(type(node.ops[0]))
        if swap and len(node.ops) == 1:
            left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
            self.add(node, f"(({left}) {swap} ({right}))")
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        swap = SWAPS[type(node.op)]
        self.add(node, "(" + f" {swap} ".join(f"({ast.unparse(v)})" for v in node.values) + ")")
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.USub | ast.Not):
            self.add(node, f"({ast.unparse(node.operand)})")
        self.generic_visit(node)

    def visit_If(self, node):
        if isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
            self.add(node.test, f"(not {ast.unparse(node.test)})")
        self.generic_visit(node)

    visit_IfExp = visit_If

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Call):
            self.add(node, "None")
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, bool):
            self.add(node, str(not node.value))
        elif isinstance(node.value, int | float):
            self.add(node, repr(node.value + 1))


class Mutant:
    """One file with one change."""

    def __init__(self, file, raw, node, text, in_signature):
        starts = [0]
        for line in raw.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        before = raw[begin:end].decode()
        self.file = str(file.relative_to(ROOT))
        self.line = node.lineno
        self.in_signature = in_signature
        self.source = (raw[:begin] + text.encode() + raw[end:]).decode()
        self.said = f"{self.file}:{node.lineno}: {before!r} -> {text!r}"


def mutants(area):
    """List the mutants of an area, a file or a folder, in order."""
    found = []
    for path in [ROOT / p for p in AREAS.get(area, [area])]:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            raw = file.read_bytes()
            sites = Sites()
            sites.visit(ast.parse(raw))
            found += [Mutant(file, raw, *site) for site in sites.found]
    return found


# -- the record: which test calls which function ---------------------------------------------------


def named(code):
    """Return the name of a function in the record: its place, without line numbers."""
    file = code.co_filename.removeprefix(f"{ROOT}/")
    return f"{file}:{code.co_qualname}:{linecache.getline(code.co_filename, code.co_firstlineno)}"


class Recorder:
    """A pytest plugin that notes for each test the functions that it calls and its seconds."""

    def __init__(self):
        self.seconds, self.torch, self.callers = {}, [], defaultdict(list)
        self.seen, self.names = set(), {}
        self.sources = tuple(f"{ROOT}/{package}/" for package in ("autograd", "nn", "optim"))

    def trace(self, frame, _event, _argument):
        if frame.f_code.co_filename.startswith(self.sources):
            self.seen.add(frame.f_code)

    def pytest_runtest_logstart(self):
        self.seen, self.began = set(), time.perf_counter()
        sys.settrace(self.trace)

    def pytest_runtest_logreport(self, report):
        if report.when != "call" or not report.passed:
            return
        sys.settrace(None)
        self.seconds[report.nodeid] = round(time.perf_counter() - self.began, 4)
        if "torch" in report.keywords:
            self.torch.append(report.nodeid)
        for code in self.seen:
            if code not in self.names:
                self.names[code] = named(code)
            self.callers[self.names[code]].append(report.nodeid)


def record(paths):
    """Run the suite, or only the tests of `paths` again, under the recorder."""
    import pytest

    recorder = Recorder()
    ignored = [f"--ignore={p}" for p in NOT_JUDGES]
    pytest.main([*OPTIONS, "-m", "not slow", *ignored, *paths], [recorder])
    before = Record() if paths else None
    if before:
        again = {t.partition("::")[0] for t in recorder.seconds}
        kept = {t: s for t, s in before.seconds.items() if t.partition("::")[0] not in again}
        recorder.seconds = kept | recorder.seconds
        recorder.torch += [t for t in before.torch if t in kept]
        for function, tests in before.callers.items():
            recorder.callers[function] += [t for t in tests if t in kept]
    number = {test: i for i, test in enumerate(recorder.seconds)}
    content = {
        "seconds": recorder.seconds,
        "torch": recorder.torch,
        "callers": {f: sorted(number[t] for t in set(c)) for f, c in recorder.callers.items()},
    }
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(content), encoding="utf-8")
    print(f"{len(number)} tests call {len(recorder.callers)} functions")


class Record:
    """What the recorder noted, read back."""

    def __init__(self):
        content = json.loads(RECORD.read_text(encoding="utf-8"))
        self.seconds, self.torch = content["seconds"], set(content["torch"])
        tests = list(self.seconds)
        self.callers = {f: [tests[i] for i in c] for f, c in content["callers"].items()}


# -- judging ---------------------------------------------------------------------------------------

OPTIONS = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain", f"--rootdir={ROOT}"]


def forked(seconds, work, *arguments):
    """Return what `work(say, *arguments)` says in a process of its own, and how that ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 3
        try:
            signal.alarm(int(seconds))
            silence = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(silence, stream)
            code = work(lambda text: os.write(writing, text.encode()), *arguments)
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    ended = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return said, ended


class Judge:
    """What judges have in common: which tests are asked about a mutant, in which order."""

    def __init__(self, budget):
        known = Record()
        self.seconds, self.torch, self.callers = known.seconds, known.torch, known.callers
        self.budget, self.skipped = budget, set()

    def tests(self, mutant):
        """Return the tests that call a function around a mutant, or else one of its file."""
        known = {f for f in self.callers if f.startswith(f"{mutant.file}:")}
        around = {
            named(code)
            for code in functions(compiled(mutant.file))
            if code.co_firstlineno <= mutant.line <= max(n or 0 for *_, n in code.co_lines())
        }
        called = around & known or known
        signatures = f"tests/{mutant.file.partition('/')[0]}/test_signatures.py"  # call nothing
        return {t for f in called for t in self.callers[f]} | {
            t for t in self.seconds if t.startswith(signatures)
        }

    def near(self, mutant):
        """Return the files of tests that a mutant is nearest to."""
        *parts, last = mutant.file.split("/")
        folder = [p for p in parts if p != "functional"]
        here = ROOT.joinpath("tests", *folder)
        mirror = here / f"test_{last.removesuffix('.py').lstrip('_')}.py"
        above = [ROOT.joinpath("tests", *folder[:i], f"test_{n}.py") for i, n in enumerate(folder)]
        files = [mirror] if mirror.exists() else sorted(here.glob("test_*.py"))
        files = [
            f for f in [*files, *above] if f.exists() and str(f.relative_to(ROOT)) not in TABLES
        ]
        return [mutant.file, *(str(f.relative_to(ROOT)) for f in files)]

    def ordered(self, mutant):
        """Return the tests to ask, in four stages: near, the op table, others, with PyTorch."""
        near = self.near(mutant)
        stages = [[], [], [], []]
        for test in sorted(self.tests(mutant), key=self.seconds.get):
            file = test.partition("::")[0]
            stage = 0 if file in near else 1 if file in TABLES else 2
            stages[3 if test in self.torch else stage].append(test)
        return [self.affordable(tests) for tests in stages]

    def affordable(self, tests):
        total, kept = 0.0, []
        for test in tests:
            total += self.seconds[test]
            if total > self.budget and kept:
                break
            kept.append(test)
        return kept


class Quick(Judge):
    """A pytest plugin: collects all tests once and forks for each mutant, whose code takes the
    place of the original in the functions that exist.
    """

    def __init__(self, budget, chosen, progress):
        super().__init__(budget)
        self.chosen, self.progress = chosen, progress
        self.killers, self.sound, self.broken = {}, set(), set()
        self.failed = None

    def pytest_runtestloop(self, session):
        items = {item.nodeid: item for item in session.items}
        unknown = defaultdict(list)
        for test in items.keys() - self.seconds.keys():
            unknown[test.partition("::")[0]].append(test)
        gc.collect()
        gc.freeze()
        for mutant in self.chosen:
            if mutant.in_signature:  # evaluated when the function was made
                continue
            tests = [t for file in self.near(mutant) for t in sorted(unknown[file])]
            tests += [t for stage in self.ordered(mutant) for t in stage]
            killer = self.judge(mutant, {t: items[t] for t in tests if t in items})
            if killer:
                self.killers[mutant.said] = killer
            os.write(self.progress, f"{killer or '-'}  {mutant.said}\n".encode())
        return True

    def judge(self, mutant, items):
        seconds = SECONDS + 3 * sum(self.seconds.get(t, 0) for t in items)
        while True:
            asked = [items[t] for t in items if t not in self.broken]
            said, ended = forked(seconds, self.ask, asked, mutant)
            if not said or said in self.sound:
                return said or str(ended or "")
            # What fails without a change, too, is no judge.
            alone, _ = forked(seconds, self.ask, [items[said]])
            (self.broken if alone else self.sound).add(said)

    def ask(self, say, items, mutant=None):
        if mutant:
            replace(mutant)
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                say(self.failed)
                return 1
        return 0

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed = report.nodeid


def compiled(file, source=None):
    path = ROOT / file
    return compile(source or path.read_bytes(), str(path), "exec", dont_inherit=True)


def functions(code):
    """Yield the code of every function, from the outside in."""
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield constant
            yield from functions(constant)


def replace(mutant):
    """Give the functions of a file that exist the code of the mutant."""
    new = defaultdict(list)
    for code in functions(compiled(mutant.file, mutant.source)):
        new[code.co_qualname].append(code)
    old = defaultdict(list)
    for code in functions(compiled(mutant.file)):
        old[code.co_qualname].append(code)
    instead = {
        (code.co_qualname, code.co_firstlineno, code.co_code): other
        for name, codes in old.items()
        if len(codes) == len(new[name])
        for code, other in zip(codes, new[name], strict=True)
    }
    path = str(ROOT / mutant.file)
    gc.unfreeze()  # what is frozen is not listed
    for function in gc.get_objects():
        if type(function) is FunctionType and function.__code__.co_filename == path:
            code = function.__code__
            other = instead.get((code.co_qualname, code.co_firstlineno, code.co_code))
            if other and len(other.co_freevars) == len(code.co_freevars):
                function.__code__ = other


class Fresh(Judge):
    """Forks a process that imports the module with its change: slower, and misses nothing."""

    def judge(self, mutant):
        """Return the test that killed a mutant, or None."""
        for number, tests in enumerate(self.ordered(mutant)):
            files = (
                self.near(mutant) if number == 0 else sorted({t.partition("::")[0] for t in tests})
            )
            if files:
                seconds = SECONDS + 3 * sum(self.seconds[t] for t in tests)
                marks = "not slow and torch" if number == 3 else "not slow and not torch"
                said, ended = forked(seconds, self.run, mutant, files, tests, marks)
                if said or ended not in (0, 5):  # 5: no test was selected
                    return said or f"{ended} in {' '.join(files)}"
        return None

    def run(self, say, mutant, files, tests, marks):
        import pytest

        path, original = str(ROOT / mutant.file), SourceFileLoader.get_code

        def changed(loader, name):
            if loader.path == path:
                return compiled(mutant.file, mutant.source)
            return original(loader, name)

        SourceFileLoader.get_code = changed
        selector = Selector(set(tests), self.skipped, self.seconds, say)
        return int(pytest.main([*OPTIONS, "-x", "-m", marks, *files], [selector]))


class Selector:
    """A pytest plugin that keeps the tests chosen, quickest first, and tells which one failed."""

    def __init__(self, chosen, skipped, seconds, say):
        self.chosen, self.skipped, self.seconds, self.say = chosen, skipped, seconds, say

    def pytest_collection_modifyitems(self, items):
        wanted = [i for i in items if i.nodeid in self.chosen or i.nodeid not in self.seconds]
        items[:] = [i for i in wanted if i.nodeid not in self.skipped]
        items.sort(key=lambda i: self.seconds.get(i.nodeid, 0.0))

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.say(report.nodeid)


def prepare():
    """Import what every test would, and nothing of ours."""
    sys.path.insert(0, str(ROOT))
    for module in WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    hypothesis = importlib.import_module("hypothesis")
    hypothesis.settings.register_profile(  # what one mutant found must not help with the next
        "mutants", max_examples=20, deadline=None, database=None, derandomize=True
    )
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"


def judged(chosen, budget):
    """Return mutant -> the test that killed it, or None."""
    import pytest

    progress = os.dup(2)

    def quickly(say):
        quick = Quick(budget, chosen, progress)
        ignored = [f"--ignore={p}" for p in NOT_JUDGES]
        pytest.main([*OPTIONS, "--capture=no", "-m", "not slow", *ignored], [quick])
        say(json.dumps([quick.killers, list(quick.broken)]))
        return 0

    said, _ = forked(24 * 3600, quickly)
    killers, broken = json.loads(said)
    fresh = Fresh(budget / 2)
    for test in broken:
        print(f"fails without a change: {test}", flush=True)
        fresh.skipped.add(test)
    return {m.said: killers.get(m.said) or fresh.judge(m) for m in chosen}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "areas", nargs="*", default=list(AREAS), help="engine, ops, nn, optim, PATH"
    )
    parser.add_argument("--count", type=int, default=40, help="mutants of each area")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget", type=float, default=20.0, help="seconds of tests a stage")
    parser.add_argument("--lines", type=int, nargs="*", help="only the mutants of these lines")
    parser.add_argument("--record", action="store_true", help="note which test calls what")
    parser.add_argument("--smoke", action="store_true", help="draw and compile, run no tests")
    options = parser.parse_args()
    drawn = {}
    for area in [] if options.record else options.areas:
        found = [m for m in mutants(area) if not options.lines or m.line in options.lines]
        drawn[area] = random.Random(options.seed).sample(found, min(options.count, len(found)))
        print(f"{area}: {len(found)} places to plant a bug", flush=True)
    if options.smoke:
        for mutant in itertools.chain(*drawn.values()):
            compiled(mutant.file, mutant.source)
        return
    prepare()
    if options.record:
        record([] if options.areas == list(AREAS) else options.areas)
        return
    killers = judged(list(itertools.chain(*drawn.values())), options.budget)
    torch = Record().torch
    for area, chosen in drawn.items():
        for mutant in chosen:
            by = killers[mutant.said]
            print(f"killed   {mutant.said} by {by}" if by else f"SURVIVED {mutant.said}")
        found = [killers[mutant.said] for mutant in chosen]
        print(
            f"{area}: killed {len(chosen) - found.count(None)} of {len(chosen)}, "
            f"{sum(k in torch for k in found)} of them by PyTorch alone"
        )


if __name__ == "__main__":
    main()
