"""Writes docs/numpy_coverage.md from `autograd.coverage()` and the counts of the probe.

    python docs/numpy_coverage.py

Run it after adding an operation, and after `benchmarks/numpy_probe.py --json
docs/numpy_probe.json`; a test compares the page with what this makes.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from autograd import coverage  # noqa: E402 - from this checkout

PROBE = HERE / "numpy_probe.json"
PAGE = HERE / "numpy_coverage.md"

HEAD = """\
# What of NumPy can be differentiated

Every function of NumPy that takes arrays is one of four things when it is called with Variables:

- **gradient**: recorded, like the function of the same name in `autograd`;
- **zero**: recorded, with a derivative that is zero (steps such as `np.floor`);
- **none**: computed on the plain arrays, because its result could carry no gradient (comparisons,
  indices, shapes);
- **refused**: a `TypeError` that names what to write instead, because a gradient would be lost.

Nothing else happens: no function drops a gradient without a word. `autograd.coverage()` returns
the table below; it is made from the registry of operations, and the tests compare its rows with
what the functions do.

```python
import autograd

table = autograd.coverage()
assert table["np.tanh"].gradient == "gradient"
assert table["np.argmax"].gradient == "none"
assert table["np.unique"].gradient == "refused"
```

## Beside other libraries

`benchmarks/numpy_probe.py` differentiates {cases} expressions of NumPy, from `np.absolute(x)` to
`np.linalg.svd(r)`, and compares value and gradient with NumPy and finite differences. Counted is
what is right with NumPy's own functions called on the library's arrays, with those of its
namespace, and with at least one of the two.

{counts}

Made by

    python benchmarks/numpy_probe.py --hips PYTHON --jax PYTHON --json docs/numpy_probe.json

with {versions}.
HIPS autograd and this library have the same import name, so `--hips` names the Python of an
environment of its own; JAX arrays are not taken by NumPy's functions, so JAX has one column.

What is right in neither of our spellings, and who has it: {missing}

Two expressions are refused with NumPy's functions, because NumPy converts their argument without
asking it, and right with ours: `np.asarray(x)` and `np.full(shape, x)`. And what belongs to ufuncs
(`np.add.reduce`, `where=`, `dtype=`) is right with NumPy's, of which ours are functions without
those parts. All that is not right raises; nothing is silently wrong.

## Conventions

The derivative at ties, kinks and singular points is in the last column of the tables. A cotangent
that is exactly zero contributes zero, even where the local derivative is infinite or nan: the
gradient of `np.where(x > 0, np.sqrt(x), 0)` is 0 at 0. Further:

- `np.sqrt(x * x)` at 0 is nan (0 times infinity that nothing masks); `np.linalg.norm` is 0 there.
- `np.log1p(np.exp(x))` overflows for large `x`; `np.logaddexp(0, x)` and `nn.functional.softplus`
  do not.
- The gradient of a function of a symmetric matrix (Cholesky factor, eigenvalues) is symmetric.
  Differences of one element at a time step off the symmetric matrices; compare with differences
  of `f((x + x.T) / 2)`.

## Keywords and forward mode

"limits" lists keywords of NumPy that are refused with a `TypeError`; `out=` is, everywhere, because
a recorded graph cannot follow a change in place. Ufuncs take `where=` together with a plain array
as `out=`, which gives the other elements.

"forward" says where the tangent rule of forward mode comes from: the gradient rule itself
(elementwise), the gradient rule with its terms added up (reduction), the function itself (linear),
a rule of its own (own), the gradient rule transposed once more (transposed), or the functions it
is composed of (composed). "orders" is the highest derivative that the tests compare with finite
differences.
"""

TITLES = {
    "np.": "Functions of np",
    "np.linalg.": "Functions of np.linalg",
    "np.fft.": "Functions of np.fft",
    "ndarray.": "Methods of arrays",
    "ufunc.": "Methods of ufuncs",
}
LIBRARIES = {"ours": "gradloom", "hips": "HIPS autograd", "mygrad": "MyGrad", "jax": "JAX"}


def markdown(header, rows):
    """Return lines of a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(c).replace("|", "\\|") for c in r) + " |" for r in lines)


def probe():
    """Return the parts of the page that come from the probe."""
    found = json.loads(PROBE.read_text())
    columns = {name: [] for name in LIBRARIES}
    for column in found["counts"]["all"]:
        if column != "cases":
            columns[column.partition(", ")[0]].append(column)
    heads = [
        f"{LIBRARIES[name]}: {', '.join(c.split(', ')[1].replace('np.*', 'np') for c in spellings)}"
        for name, spellings in columns.items()
    ]
    rows = [
        [category, row["cases"], *(", ".join(str(row[c]) for c in s) for s in columns.values())]
        for category, row in found["counts"].items()
    ]
    versions = [f"{name} {number}" for name, number in found["versions"].items()]
    missing = [
        f"- `{expression}`: {', '.join(LIBRARIES[p] for p in peers) or 'none of the others either'}"
        for expression, peers in found["missing"].items()
    ]
    return {
        "cases": found["counts"]["all"]["cases"],
        "counts": markdown(["", "of", *heads], rows),
        "versions": ", ".join(versions).replace("hips", "HIPS autograd"),
        "missing": "\n" + "\n".join(missing) if missing else "nothing.",
    }


def section(name):
    """Return the title under which a row stands."""
    return TITLES[max((p for p in TITLES if name.startswith(p)), key=len)]


def page():
    """Return the text of the page."""
    table = coverage()
    counts = ", ".join(f"{n} {kind}" for kind, n in table.counts().items())
    parts = [HEAD.format(**probe()), f"## The table\n\nNames by what they do: {counts}.\n"]
    for title in TITLES.values():
        rows = [e for e in table if section(e.name) == title]
        body = [
            [f"`{e.name}`", e.gradient, e.limits, e.forward, e.orders or "", e.convention]
            for e in rows
        ]
        header = ["name", "gradient", "limits", "forward", "orders", "convention, or what to write"]
        parts.append(f"### {title}\n\n{markdown(header, body)}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
