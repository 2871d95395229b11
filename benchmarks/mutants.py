"""How many planted bugs the tests catch: change one operator, comparison or number, run the tests.

    python benchmarks/mutants.py [--smoke] [--count 60] [--seed 0] [--jobs 2] [PATH ...]

PATH is a file or folder of sources (default: engine, ops, nn, optim). Mutants are drawn at random,
the same for the same seed. Each is judged by the tests of its mirror file, then by the op table and
all tests of its package; it is killed where one fails. Survivors are listed with their lines: what
remains to do is to look at them, as some are equivalent to the original.
"""

import argparse
import ast
import concurrent.futures
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ["autograd/engine", "autograd/ops", "nn", "optim"]
SWAPS = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
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


class Sites(ast.NodeVisitor):
    """Collects (node, replacement source) for everything that can be mutated in a function."""

    def __init__(self):
        self.found = []
        self.depth = 0

    def visit_FunctionDef(self, node):
        self.depth += 1
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

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)

    def add(self, node, text):
        if self.depth:
            self.found.append((node, text))

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

    def visit_Constant(self, node):
        if isinstance(node.value, bool):
            self.add(node, str(not node.value))
        elif isinstance(node.value, int | float):
            self.add(node, repr(node.value + 1))


def mutants(paths):
    """List (file, line, before, after, mutated source) of every site, in order."""
    found = []
    for path in paths:
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        for file in files:
            source = file.read_text(encoding="utf-8")
            sites = Sites()
            sites.visit(ast.parse(source))
            lines = source.splitlines(keepends=True)
            starts = [0]
            for line in lines:
                starts.append(starts[-1] + len(line.encode()))
            raw = source.encode()
            for node, text in sites.found:
                begin = starts[node.lineno - 1] + node.col_offset
                end = starts[node.end_lineno - 1] + node.end_col_offset
                before = raw[begin:end].decode()
                mutated = (raw[:begin] + text.encode() + raw[end:]).decode()
                found.append((file, node.lineno, before, text, mutated))
    return found


def stages(file):
    """Return the test selections that judge a file, nearest first."""
    relative = file.relative_to(ROOT)
    parts = list(relative.parts)
    stem = parts[-1].removesuffix(".py").lstrip("_")
    mirror = Path("tests", *parts[:-1], f"test_{stem}.py")
    package = Path("tests", parts[0])
    nearest = mirror if (ROOT / mirror).exists() else mirror.parent
    first = [str(nearest)] if (ROOT / nearest).exists() and len(nearest.parts) > 2 else []
    table = ["tests/autograd/ops/test_op_table.py", "tests/autograd/ops/test_replay.py"]
    wide = [str(package)] if parts[0] != "autograd" else ["tests/autograd"]
    return [s for s in (first, table if parts[0] != "optim" else [], wide) if s]


def judge(mutant):
    """Return the tests that killed a mutant, or None."""
    file, _line, _before, _after, source = mutant
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "tree")
        ignore = shutil.ignore_patterns(".git", "__pycache__", "*.png", ".*_cache", ".hypothesis")
        shutil.copytree(ROOT, copy, ignore=ignore)
        (copy / file.relative_to(ROOT)).write_text(source, encoding="utf-8")
        for tests in stages(file):
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
            environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", OMP_NUM_THREADS="1")
            try:
                result = subprocess.run(
                    [*command, "-m", "not slow and not torch", "--ignore=tests/autograd/testing"],
                    cwd=copy,
                    env=environment,
                    capture_output=True,
                    timeout=900,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return f"{tests} (time)"
            if result.returncode not in (0, 5):
                return " ".join(tests)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="plant one bug, run no tests")
    options = parser.parse_args()
    paths = [ROOT / p for p in options.paths or DEFAULT]
    found = mutants(paths)
    chosen = random.Random(options.seed).sample(found, min(options.count, len(found)))
    if options.smoke:
        compile(chosen[0][-1], "mutant", "exec")
        print(f"{len(found)} places to plant a bug")
        return
    survivors = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, killer in zip(chosen, pool.map(judge, chosen), strict=True):
            file, line, before, after, _ = mutant
            said = f"{file.relative_to(ROOT)}:{line}: {before!r} -> {after!r}"
            print(
                "killed  " if killer else "SURVIVED",
                said,
                f"by {killer}" if killer else "",
                flush=True,
            )
            if not killer:
                survivors.append(said)
    killed = len(chosen) - len(survivors)
    print(
        f"killed {killed} of {len(chosen)} = {killed / len(chosen):.0%}; survivors:",
        *survivors,
        sep="\n  ",
    )


if __name__ == "__main__":
    main()
