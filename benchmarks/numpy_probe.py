"""How much of NumPy can be differentiated: 365 expressions, each against finite differences.

    python benchmarks/numpy_probe.py [--hips PYTHON] [--jax PYTHON] [--smoke] [--json FILE]

Counts the expressions of `_probe_cases.py` whose gradient is right: with NumPy's own functions
called on each library's arrays ("np.*"), and with the functions of its namespace. MyGrad takes
part where it is installed; HIPS autograd has our import name, so `--hips` names the interpreter of
an environment that has it; JAX likewise with `--jax`. Right means: the value is NumPy's and the
gradient of a weighted sum of all outputs agrees with extrapolated central differences to 1e-6.
"""

import argparse
import ast
import importlib.util
import json
import subprocess
import sys
import types
import warnings
import zlib
from pathlib import Path

import numpy as np
from _probe_cases import CASES, operands

# What an expression may take from NumPy in any case: makers of constants.
CONSTANTS = {"argsort", "array", "complex128", "float64", "inf", "ix_", "ones", "zeros"}


class Namespace:
    """A library's functions under NumPy's names, with NumPy's own constants."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        found = getattr(np if name in CONSTANTS else self._module, name)
        return Namespace(found) if isinstance(found, types.ModuleType) else found


def evaluate(expression, namespace, values):
    """Return the outputs of an expression as a list."""
    *statements, last = expression.split("; ")
    known = {"np": namespace, "X": np.array(operands()["x"]), **values}
    for statement in statements:
        exec(statement, known)
    result = eval(last, known)
    return list(result) if isinstance(result, (tuple, list)) else [result]


def used(expression):
    """List the operands that an expression names."""
    names = {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
    return sorted(names & set(operands()))


def loss(outputs, weights, real, imag, add):
    """Weigh all outputs, real and imaginary parts."""
    total = 0.0
    for out, (re, im) in zip(outputs, weights, strict=True):
        if out.dtype.kind == "c":
            total = total + add(real(out) * re) + add(imag(out) * im)
        else:
            total = total + add(out * re)
    return total


class Reference:
    """Value and gradient of one expression by NumPy and differences."""

    def __init__(self, expression):
        everything = operands()
        self.values = {name: everything[name] for name in used(expression)}
        self.outputs = [np.asarray(o) for o in evaluate(expression, np, self.values)]
        rng = np.random.default_rng(zlib.crc32(expression.encode()))
        self.weights = [rng.uniform(0.5, 1.5, (2, *o.shape)) for o in self.outputs]
        self.expression = expression
        self.gradients = [self._gradient(name) for name in self.values]

    def _loss(self, name, value):
        outputs = evaluate(self.expression, np, {**self.values, name: value})
        outputs = [np.asarray(o) for o in outputs]
        return float(loss(outputs, self.weights, np.real, np.imag, np.sum))

    def _gradient(self, name):
        x = self.values[name]
        gradient = np.zeros_like(x)
        for i in np.ndindex(x.shape):

            def at(step, i=i):
                moved = x.copy()
                moved[i] += step
                return self._loss(name, moved)

            h = 1e-3
            gradient[i] = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
        return gradient


# -- the libraries: how each records an expression and differentiates it ---------------------------


def ours():
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import autograd

    def differentiate(function, values):
        xs = [autograd.Variable(v, requires_grad=True) for v in values]
        total = function(xs)
        if isinstance(total, autograd.Variable):
            total.backward()
        return [x.grad for x in xs]

    return differentiate, autograd


def hips():
    import autograd
    import autograd.numpy

    def differentiate(function, values):
        return autograd.grad(lambda *xs: function(xs), tuple(range(len(values))))(*values)

    return differentiate, autograd.numpy


def mygrad():
    import mygrad as library

    def differentiate(function, values):
        xs = [library.tensor(v) for v in values]
        total = function(xs)
        if isinstance(total, library.Tensor):
            total.backward()
        return [x.grad for x in xs]

    return differentiate, library


def jax():
    import jax as library

    library.config.update("jax_enable_x64", True)

    def differentiate(function, values):
        return library.grad(lambda *xs: function(xs), tuple(range(len(values))))(*values)

    return differentiate, library.numpy


PEERS = {"ours": ours, "hips": hips, "mygrad": mygrad, "jax": jax}


def verdict(reference, namespace, own, differentiate):
    """Return "right", "wrong", or the error that the library raised."""
    seen = []

    def function(xs):
        outputs = evaluate(
            reference.expression, namespace, dict(zip(reference.values, xs, strict=True))
        )
        seen.append([np.shape(o) for o in outputs])
        real, imag = getattr(own, "real", None), getattr(own, "imag", None)
        return loss(outputs, reference.weights, real, imag, own.sum)

    try:
        got = differentiate(function, [v.copy() for v in reference.values.values()])
        got = [None if g is None else np.asarray(g, dtype=float) for g in got]
    except Exception as error:  # noqa: BLE001 - whatever a peer raises is its answer
        return f"{type(error).__name__}: {str(error)[:100]}"
    if seen[0] != [o.shape for o in reference.outputs]:
        return "wrong"
    scale = max([1.0, *(float(np.nanmax(np.abs(g), initial=0)) for g in reference.gradients)])
    for g, wanted in zip(got, reference.gradients, strict=True):
        full = np.zeros_like(wanted) if g is None else g
        wanted = np.nan_to_num(wanted)  # of an operand that is nan itself
        if full.shape != wanted.shape or not np.allclose(full, wanted, 0, 1e-6 * scale):
            return "wrong"
    return "right"


def _rank(answer):
    return ["right", "wrong"].index(answer) if answer in ("right", "wrong") else 2


def cases(smoke):
    return {category: names[:3] if smoke else names for category, names in CASES.items()}


def work(peer, smoke):
    """Return spelling -> expression -> verdict of one library."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    differentiate, own = PEERS[peer]()
    namespaces = {"np.*": np, "own": Namespace(own)}
    if peer == "jax":
        del namespaces["np.*"]
    found = {spelling: {} for spelling in namespaces}
    for names in cases(smoke).values():
        for expression in names:
            reference = Reference(expression)
            for spelling, namespace in namespaces.items():
                found[spelling][expression] = verdict(reference, namespace, own, differentiate)
    return found


def run(python, peer, smoke):
    """Have another interpreter do the work: no two libraries meet in one process."""
    command = [python, "-W", "ignore", __file__, "--worker", peer] + ["--smoke"] * smoke
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        done.check_returncode()
    return json.loads(done.stdout)


def version(python, package):
    """Return the version of a package in an environment."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hips", metavar="PYTHON")
    parser.add_argument("--jax", metavar="PYTHON")
    parser.add_argument("--smoke", action="store_true", help="three expressions per category")
    parser.add_argument("--json", type=Path, help="write counts and verdicts to this file")
    parser.add_argument("--worker", choices=PEERS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        print(json.dumps(work(chosen.worker, chosen.smoke)))
        return
    mygrad = sys.executable if importlib.util.find_spec("mygrad") else None
    rivals = {"ours": sys.executable, "hips": chosen.hips, "mygrad": mygrad, "jax": chosen.jax}
    columns = {}
    versions = {"numpy": np.__version__}
    for peer, python in rivals.items():
        if python:
            spellings = run(python, peer, chosen.smoke)
            for spelling, verdicts in spellings.items():
                columns[f"{peer}, {spelling}"] = verdicts
            if len(spellings) > 1:
                columns[f"{peer}, either"] = {
                    e: min((verdicts[e] for verdicts in spellings.values()), key=_rank)
                    for e in spellings["own"]
                }
            if peer != "ours":
                versions[peer] = version(python, {"hips": "autograd"}.get(peer, peer))
    counts = {
        category: {
            column: sum(verdicts[e] == "right" for e in names)
            for column, verdicts in columns.items()
        }
        | {"cases": len(names)}
        for category, names in cases(chosen.smoke).items()
    }
    counts["all"] = {
        column: sum(row[column] for row in counts.values()) for column in [*columns, "cases"]
    }
    if chosen.json:
        missing = {
            expression: [
                peer
                for peer in rivals
                if any(v[expression] == "right" for c, v in columns.items() if c.startswith(peer))
            ]
            for expression, answer in columns["ours, either"].items()
            if answer != "right"
        }
        table = {"versions": versions, "counts": counts, "missing": missing}
        chosen.json.write_text(json.dumps(table, indent=1) + "\n")
    width = max(map(len, counts))
    print(" " * width + "".join(f"{column:>16}" for column in counts["all"]))
    for category, row in counts.items():
        print(f"{category:<{width}}" + "".join(f"{n:>16}" for n in row.values()))
    for spelling in ("np.*", "own", "either"):
        print(f"\nnot right in ours, {spelling}:")
        for expression, answer in columns[f"ours, {spelling}"].items():
            if answer != "right":
                right = [c for c, verdicts in columns.items() if verdicts[expression] == "right"]
                print(f"  {expression}\n    {answer}\n    right in: {', '.join(right) or 'none'}")


if __name__ == "__main__":
    main()
