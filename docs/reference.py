"""The reference: a page of Markdown for each public module, made of signatures and docstrings.

`pages()` is what the site shows and what `tests/test_reference.py` looks for public names in. A
docstring in Google's style becomes paragraphs, lists and coloured examples; a function of one array
that works element by element gets its graph beside that of its derivative, and an example, both
computed here. `python docs/reference.py FOLDER` writes the pages.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
import types
import typing
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import sample_calls

from autograd import docstrings

# What stands on each page, by the page's name: modules in the order of the menu.
CONTENTS = {
    "autograd": ["autograd"],
    "linalg": ["autograd.linalg"],
    "fft": ["autograd.fft"],
    "special": ["autograd.special"],
    "stats": ["autograd.stats", *(f"autograd.stats.{n}" for n in (
        "beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"
    ))],
    "scientific": ["autograd.integrate", "autograd.implicit", "autograd.optimize",
                   "autograd.interpolate", "autograd.signal", "autograd.spatial"],
    "extend": ["autograd.extend", "autograd.function", "autograd.debug", "autograd.drawing",
               "autograd.compiler", "autograd.profiler", "autograd.random"],
    "testing": ["autograd.testing", "autograd.testing.strategies"],
    "nn": ["nn"],
    "functional": ["nn.functional"],
    "init": ["nn.init"],
    "utils": ["nn.utils", *(f"nn.utils.{n}" for n in (
        "averaging", "fusion", "parametrizations", "parametrize", "prune", "rnn"
    ))],
    "sklearn": ["nn.sklearn"],
    "parallel": ["nn.parallel"],
    "optim": ["optim", "optim.lr_scheduler", "optim.swa_utils"],
    "doors": [
        "autograd.array_api", "autograd.array_api.fft", "autograd.array_api.linalg",
        "autograd.numpy", "autograd.numpy.fft", "autograd.numpy.linalg", "autograd.numpy.random",
        "autograd.numpy.numpy_boxes", "autograd.numpy.numpy_vjps",
        "autograd.numpy.numpy_vspaces", "autograd.core", "autograd.util", "autograd.scipy",
        *(f"autograd.scipy.{n}" for n in ("integrate", "linalg", "signal", "special", "stats")),
        "autograd.differential_operators", "autograd.builtins", "autograd.misc",
        *(f"autograd.misc.{n}" for n in ("fixed_points", "flatten", "optimizers", "tracers")),
        "autograd.test_util", "autograd.tracer", "autograd.vspace", "autograd.wrap_util",
        "autograd.testing.plugin",
    ],
}  # fmt: skip
# Rooms of the library's own: what they have for users stands in one of the modules above.
INSIDE = (
    "advice", "arrays", "assignment", "batching", "blocks", "checked", "compiler.", "docstrings",
    "doors", "drawing.", "draws", "engine", "explaining", "filled", "kernels", "loose", "memory",
    "ops", "protocols", "publication", "recording", "seeing", "special.", "staged", "transforms",
    "typed", "variable",
)  # fmt: skip
SECTIONS = ("Args", "Attributes", "Shape", "Returns", "Yields", "Raises", "Warns", "References",
            "Example", "Examples", "Note", "Notes", "Warning", "Warnings")  # fmt: skip
FIELDS = {"Args", "Attributes", "Raises", "Warns"}
ENTRY = re.compile(r"^(\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*)(?: \([^)]*\))?: ?(.*)$")
DOMAINS = ((-4.0, 4.0), (-1.0, 1.0), (0.0, 4.0), (1.0, 5.0))


# -- text ------------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """Return prose with what Markdown would read as markup made plain, code spans kept."""
    parts = re.split(r"(``[^`]+``|`[^`]+`)", text)
    parts[::2] = [re.sub(r"([*_<\[\]#|\\])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def paragraphs(lines: list[str]) -> list[str]:
    """Return the Markdown of docstring lines: prose, lists, doctests and indented code."""
    found: list[str] = []
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        flat = textwrap.dedent(block)
        if flat.lstrip().startswith(">>>"):
            found += ["", "```pycon", *flat.splitlines(), "```", ""]
        elif block.startswith("    ") and found:
            found += ["", "```text", *flat.splitlines(), "```", ""]
        else:
            text, examples, _ = flat.partition("\n>>>")  # an example right below its sentence
            found += ["", *map(escaped, text.splitlines()), ""]
            if examples:
                found += ["```pycon", *(">>>" + examples).splitlines(), "```", ""]
    return found


def fields(lines: list[str]) -> list[str]:
    """Return a list of `name`: text, as in Args and Raises."""
    found: list[str] = []
    for line in textwrap.dedent("\n".join(lines)).splitlines():
        match = None if line.startswith(" ") else ENTRY.match(line)
        if match:
            names = ", ".join(f"`{name}`" for name in match[1].split(", "))
            found.append(f"- {names}: {escaped(match[2])}")
        elif line.strip():
            found.append(f"    {escaped(line.strip())}" if found else f"- {escaped(line.strip())}")
    return found


def markdown(docstring: str) -> list[str]:
    """Return the Markdown of a docstring in Google's style."""
    title, body, found = "", [], []

    def close() -> None:
        if title.startswith("Example"):
            found.extend(paragraphs(textwrap.dedent("\n".join(body)).splitlines()))
        elif title:
            whole = textwrap.dedent("\n".join(body)).splitlines()
            found.extend(["", f"**{title}**", ""])
            found.extend(fields(body) if title in FIELDS else paragraphs(whole))
        else:
            found.extend(paragraphs(body))

    for line in docstring.splitlines():
        if line[-1:] == ":" and line[:-1] in SECTIONS:
            close()
            title, body = line[:-1], []
        else:
            body.append(line)
    close()
    # Table rows say one thing a line.
    return [re.sub(r"^(Derivative|Convention|With respect|where `)", r"\n\1", x) for x in found]


def signature(name: str, value: object) -> str:
    """Return the call of a function or class, without annotations; "" where Python has none. What
    can be called in several ways has a line for each.
    """
    known = getattr(value, "__globals__", {}).get("__name__")  # publication has changed __module__
    written = types.SimpleNamespace(__module__=known, __qualname__=getattr(value, "__name__", ""))
    ways = typing.get_overloads(written)  # type: ignore[arg-type]
    return "\n".join(called(name, way) for way in ways or [value])


def called(name: str, value: object) -> str:
    """Return one way to call a function or class."""
    try:
        found = inspect.signature(value)  # type: ignore[arg-type]
        if isinstance(value, type) and str(found).startswith("(*args"):
            own = inspect.signature(value.__init__)
            found = own.replace(parameters=list(own.parameters.values())[1:])
    except (TypeError, ValueError):
        return ""
    bare = [p.replace(annotation=p.empty) for p in found.parameters.values()]
    inside = str(found.replace(parameters=bare, return_annotation=found.empty))
    text = re.sub(r"<(?:class|function) '?([\w.]+)[^>]*>", r"\1", f"{name}{inside}")
    if len(text) < 90:
        return text
    # Between parameters a line may end, within a default it may not.
    parts = re.split(r", (?=(?:\*{0,2}\w+(?:=|, |\)$|$)|/,|\*,))", text[len(name) + 1 : -1])
    glued = ", ".join(part.replace(" ", "\0") for part in parts)
    lines = textwrap.wrap(glued, 84, break_long_words=False, break_on_hyphens=False)
    return "\n    ".join([f"{name}(", *lines]).replace("\0", " ") + "\n)"


# -- graphs ----------------------------------------------------------------------------------------


def elementwise(function: object) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return points, values and slopes of a function of one array, element by element; or None."""
    from autograd import elementwise_grad

    try:
        required = [
            p for p in inspect.signature(function).parameters.values()  # type: ignore[arg-type]
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]  # fmt: skip
        if len(required) != 1:
            return None
        best, most = None, 0.0
        for low, high in DOMAINS:
            x = np.linspace(low, high, 161)
            y = function(x)  # type: ignore[operator]
            if not isinstance(y, np.ndarray) or y.shape != x.shape or y.dtype != x.dtype:
                return None
            parts = np.concatenate([function(x[:60]), function(x[60:])])  # type: ignore[operator]
            if not np.array_equal(y, parts, equal_nan=True) or np.array_equal(x, y):
                return None
            slope = elementwise_grad(function)(x)  # type: ignore[arg-type]
            share = np.isfinite(y).mean()
            if share > most + 0.1:
                best, most = (x, y, np.broadcast_to(slope, x.shape)), share
            if most > 0.9:
                break
    except Exception:  # noqa: BLE001 - not a function of one array of numbers
        return None
    return best if most > 0.5 else None


def graph(x: np.ndarray, y: np.ndarray, slope: np.ndarray, name: str) -> str:
    """Return an SVG drawing of a function (full) and its derivative (dashed)."""
    width, height, edge = 300, 170, 10
    seen = np.concatenate([y, slope])
    seen = seen[np.isfinite(seen)]
    low, high = np.quantile(seen, [0.04, 0.96])
    spread = high - low or 1.0
    low, high = max(seen.min(), low - spread / 2), min(seen.max(), high + spread / 2)
    low, high = min(low, 0.0), max(high, 0.0)
    high = high if high > low else low + 1

    def place(a: np.ndarray | float, b: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        across = edge + (np.asarray(a) - x[0]) / (x[-1] - x[0]) * (width - 2 * edge)
        return across, height - edge - (np.asarray(b) - low) / (high - low) * (height - 2 * edge)

    def path(values: np.ndarray) -> str:
        across, up = place(x, values)
        steps, drawn = [], False
        for i in range(len(x)):
            inside = np.isfinite(values[i]) and -edge <= up[i] <= height + edge
            jump = drawn and abs(up[i] - up[i - 1]) > height / 2
            if inside:
                steps.append(f"{'L' if drawn and not jump else 'M'}{across[i]:.0f} {up[i]:.1f}")
            drawn = bool(inside)
        return "".join(steps)

    (left, right), base = place(np.array([x[0], x[-1]]), 0.0)
    axes = f"M{left:.0f} {base:.1f}H{right:.0f}"
    if x[0] <= 0 <= x[-1]:
        axes += f"M{place(0.0, 0.0)[0]:.0f} {edge}V{height - edge}"
    caption = f"{name} (full) and its derivative (dashed) from {x[0]:g} to {x[-1]:g}"
    return (
        f'<figure class="plot"><svg viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{caption}"><path class="axis" d="{axes}"/>'
        f'<path class="slope" d="{path(slope)}"/><path class="value" d="{path(y)}"/></svg>'
        f"<figcaption>{caption}; values from {low:.3g} to {high:.3g}</figcaption></figure>"
    )


def example(address: str, function: object, x: np.ndarray, y: np.ndarray) -> list[str]:
    """Return a call on two points of the graph, and the derivative there, as computed."""
    from autograd import elementwise_grad

    module = address.split(".", maxsplit=1)[0]
    inside = np.flatnonzero(np.isfinite(y))
    two = np.round(x[inside[[len(inside) // 4, 3 * len(inside) // 4]]], 1)
    return [
        "```pycon",
        f">>> import numpy as np, {'autograd' if module == 'autograd' else f'autograd, {module}'}",
        f">>> x = np.{two!r}",
        f">>> {address}(x)",
        repr(function(two)),  # type: ignore[operator]
        f">>> autograd.elementwise_grad({address})(x)",
        repr(elementwise_grad(function)(two)),  # type: ignore[arg-type]
        "```",
    ]


# -- pages -----------------------------------------------------------------------------------------


@functools.cache
def rooms(package: ModuleType) -> list[ModuleType]:
    """Return the modules inside a package, those in its folders included."""
    if not hasattr(package, "__path__"):
        return []
    names = [m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    loaded = (sys.modules.get(name) for name in names if ".testing." not in name)
    return [module for module in loaded if module is not None]


def home(package: ModuleType, name: str) -> ModuleType:
    """Return the room of a package in which a name is at home, or the package itself."""
    value = getattr(package, name)
    mine = [room for room in rooms(package) if vars(room).get(name) is value]
    for room in mine:
        if getattr(value, "__module__", None) == room.__name__:
            return room
    for room in mine:
        if name in getattr(room, "__all__", ()) and not hasattr(room, "__path__"):
            return room
    for room in mine:
        if getattr(value, "__globals__", {}).get("__name__") == room.__name__:
            return room
    return package


def headline(module: ModuleType) -> str:
    """Return what a room is about: the first clause of its docstring."""
    first = (module.__doc__ or module.__name__).strip().split("\n\n")[0].replace("\n", " ")
    return re.split(r"[:.](?:\s|$)|, | \(", first)[0]


def entry(module: ModuleType, name: str, computed: bool) -> list[str]:
    """Return the section of one public name, with what is computed for it or without."""
    value, address = getattr(module, name), f"{module.__name__}.{name}"
    lines = ["", f"### {name} {{ #{address} }}", ""]
    if name.startswith("__"):  # Markdown would make it bold
        return ["", f'<p><code id="{address}">{name}</code>: {value!r}</p>', ""]
    if isinstance(value, ModuleType):
        return [*lines, f"{escaped(headline(value))}: the module `{value.__name__}`.", ""]
    if not callable(value):
        what = type(value).__name__ if " object at " in repr(value) else repr(value)
        text = inspect.getdoc(value) if type(value).__module__.split(".")[0] in OURS else ""
        lines += [f"`{what}`", "", *(markdown(text) if text else []), ""]
        return lines + (sample_calls.example(address, value) if computed and text else [])
    if call := signature(address, value):
        lines += ["```python", call, "```", ""]
    own = getattr(value, "__module__", "") or ""
    text = inspect.getdoc(value) or ""
    if own.split(".")[0] not in OURS and own != "builtins":
        return [*lines, f"The function of {own.split('.')[0]}, as it is.", ""]
    lines += markdown(text)
    lines += shown(address, value, text) if computed else []
    if isinstance(value, type):
        lines += methods(value, address)
    return lines


def shown(address: str, value: object, text: str) -> list[str]:
    """Return an example where the docstring has none, and the graph of an elementwise function."""
    name = address.rpartition(".")[2]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        points = None if isinstance(value, type) else elementwise(value)
        lines: list[str] = []
        if not points:
            if ">>>" not in text:
                lines += ["", *sample_calls.example(address, value), ""]
            return [*lines, *sample_calls.picture(address)]
        if ">>>" not in text:
            lines += ["", *example(address, value, *points[:2])]
        return [*lines, "", graph(*points, name), ""]


def methods(cls: type, address: str) -> list[str]:
    """Return the public methods that a class adds to what it is made of."""
    rows, lines, others = [], [], []
    for name, value in vars(cls).items():
        told = any(name in vars(base) for base in cls.__mro__[1:] if base.__module__ != "builtins")
        if name.startswith("_") or name == "forward" or isinstance(value, type) or told:
            continue
        got = value.fget if isinstance(value, property) else getattr(cls, name)
        text = inspect.getdoc(got) or ""
        if getattr(got, "__qualname__", "").startswith(f"{cls.__qualname__}.") and text:
            call = f"`{name}`" if isinstance(value, property) else f"`{signature(name, got)}`"
            call = re.sub(r"\s+", " ", call.replace("(self, ", "(").replace("(self)", "()"))
            if "\n\n" in text:
                body = [f"    {line}" if line else "" for line in markdown(text)]
                lines += ["", f'??? note "{call}"', "", *body, ""]
            else:
                cell = escaped(text.replace("\n", " ")).replace("|", "\\|")
                rows.append(f"| {call.replace('|', chr(92) + '|')} | {cell} |")
        elif callable(got):
            others.append(f"`{name}`")
    if rows:
        lines = ["", "| | |", "|---|---|", *rows, "", *lines]
    if others:
        lines += ["", f"Methods that are functions of the same name: {', '.join(others)}.", ""]
    return lines and ["", f'<p class="methods" id="{address}--methods">Methods</p>', "", *lines]


def plain(module: ModuleType) -> list[str]:
    """Return a list of names for a door, where most are functions of somebody else."""
    ours, theirs = [], []
    for name in module.__all__:
        own = str(getattr(getattr(module, name), "__module__", ""))
        (ours if own.split(".", maxsplit=1)[0] in OURS else theirs).append(
            f'<code id="{module.__name__}.{name}">{name}</code>'
        )
    told = [f"Recorded, or ours: {' '.join(ours)}"] if ours else []
    return [*told, "", *([f"As they are: {' '.join(theirs)}"] if theirs else []), ""]


OURS = {"autograd", "nn", "optim"}


def section(address: str, mark: str, computed: bool) -> list[str]:
    """Return the part of a page that is about one module, under a heading of a given level."""
    module = importlib.import_module(address)
    text = re.sub(r"\bImports [^.]*\.", "", inspect.cleandoc(module.__doc__ or ""))
    lines = [f"{mark} {address} {{ #{address} }}", "", *markdown(text), ""]
    if address.startswith(("autograd.array_api", "autograd.numpy", "autograd.scipy")):
        return [*lines, *plain(module)]
    grouped: dict[ModuleType, list[str]] = {}
    for name in module.__all__:
        grouped.setdefault(home(module, name), []).append(name)
    for room, names in grouped.items():
        if len(grouped) > 1 and room is not module and headline(room) not in names:
            lines += ["", f'<p class="room">{headline(room).strip("`")}</p>', ""]
        for name in names:
            lines += entry(module, name, computed)
    return lines


def conventions() -> str:
    """Return the conventions of single functions, from their docstrings, as a section."""
    lines = ["", "## By function", "", "What the docstrings say of single functions:", ""]
    lines += ["| function | convention |", "|---|---|"]
    for package, entries in docstrings.TABLES.items():
        for name, told in sorted(entries.items()):
            if told.convention:
                lines.append(f"| `{package}.{name}` | {escaped(told.convention)} |")
    return "\n".join(lines) + "\n"


@functools.cache
def pages(computed: bool = True) -> dict[str, str]:
    """Return the Markdown of each page by its name; "index" is the list of them.

    Without what is computed (examples, graphs) it takes a tenth of the time.
    """
    found, table = {}, ["| page | what is there | names |", "|---|---|---|"]
    for name, addresses in CONTENTS.items():
        modules = [importlib.import_module(address) for address in addresses]
        count = sum(len(module.__all__) for module in modules)
        table.append(
            f"| [{' · '.join(f'`{a}`' for a in addresses[:3])}]({name}.md) "
            f"| {escaped(headline(modules[0]))} | {count} |"
        )
        lines = [] if len(addresses) == 1 else [f"# {', '.join(addresses[:3])}", ""]
        for address in addresses:
            lines += section(address, "##" if len(addresses) > 1 else "#", computed)
        found[name] = "\n".join(lines) + "\n"
    found["index"] = (
        "# Reference\n\nEvery public name, from the docstrings that `help` shows. Graphs and the "
        "examples beside them are computed when this page is made.\n\n" + "\n".join(table) + "\n"
    )
    return found


if __name__ == "__main__":
    for page, content in pages().items():
        Path(sys.argv[1]).joinpath(f"{page}.md").write_text(content, encoding="utf-8")
