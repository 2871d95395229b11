"""Facts about the whole: which way imports run, what importing pulls in, what is public."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pytest

ROOT = Path(__file__).parent.parent

# Each line may import from its own line and from those above it.
LAYERS = (
    (
        "autograd._version",
        "autograd._hooks",
        "autograd._optional",
        "autograd._writes",
        "autograd.random",
        "autograd.typed",
    ),
    ("autograd.engine.mode",),
    ("autograd.engine.graph",),
    ("autograd.engine.backward",),
    ("autograd.engine.primitive",),
    ("autograd.engine.calls",),
    ("autograd.engine",),
    ("autograd.ops", "autograd.linalg", "autograd.fft", "autograd.special"),
    ("autograd.stats", "autograd.signal"),
    ("autograd.variable",),
    ("autograd.protocols",),
    ("autograd.transforms",),
    ("autograd.function", "autograd.debug", "autograd._coverage"),
    ("autograd.integrate", "autograd.implicit"),
    ("autograd.extend", "autograd.testing"),
    ("autograd",),
    ("nn",),
    ("optim",),
)
# What a package may import besides itself, the standard library and NumPy at module level.
PACKAGES = {"autograd": set(), "nn": {"autograd"}, "optim": {"autograd"}}

SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer(module: str) -> int:
    """The layer of a module is that of its longest listed prefix."""
    matches = [
        (len(name), level)
        for level, names in enumerate(LAYERS)
        for name in names
        if module == name or module.startswith(name + ".")
    ]
    return max(matches)[1]


class Imports(ast.NodeVisitor):
    """Collects what a module imports while it is itself imported, as dotted names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[tuple[str, int]] = []

    def visit_Import(self, node: ast.Import) -> None:
        self.found += [(alias.name, node.lineno) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            package = self.path.relative_to(ROOT).parts[: -node.level]
            base = ".".join([*package, *([base] if base else [])])
        for alias in node.names:
            is_module = module_file(f"{base}.{alias.name}") is not None
            self.found.append((f"{base}.{alias.name}" if is_module else base, node.lineno))

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) not in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """What a function imports when it is called is no edge between modules."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Likewise."""


def module_file(module: str) -> Path | None:
    stem = ROOT.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


def imports(path: Path) -> list[tuple[str, int]]:
    visitor = Imports(path)
    visitor.visit(ast.parse(path.read_text(encoding="utf-8")))
    return visitor.found


def forbidden(path: Path) -> list[str]:
    module = module_name(path)
    package = module.partition(".")[0]
    found = []
    for imported, line in imports(path):
        top = imported.partition(".")[0]
        where = f"{path.relative_to(ROOT)}:{line} imports {imported}"
        if top in PACKAGES:
            if top != package and top not in PACKAGES[package]:
                found.append(f"{where}: {package} may not import {top}")
            # The contents page of a package may import all of it; nobody in it imports the page.
            elif top == package and layer(imported) > layer(module):
                found.append(f"{where}: a lower layer imports a higher one")
            elif imported == package != module:
                found.append(f"{where}: import the module that defines the name")
        elif top != "numpy" and top not in sys.stdlib_module_names:
            found.append(f"{where}: optional packages are imported where they are used")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_run_one_way(path):
    assert forbidden(path) == []


@pytest.mark.parametrize(
    "place, text, complaint",
    [
        ("autograd/engine/graph.py", "from autograd.variable import Variable", "a lower layer"),
        ("autograd/ops/extra.py", "from ..transforms import gradients", "a lower layer"),
        ("autograd/engine/mode.py", "import autograd", "a lower layer"),
        ("autograd/engine/graph.py", "import scipy.special", "optional packages"),
        ("nn/_linear.py", "import optim", "nn may not import optim"),
        ("optim/sgd.py", "from nn import Parameter", "optim may not import nn"),
        ("autograd/variable.py", "import nn", "autograd may not import nn"),
        ("nn/_linear.py", "from nn import Module", "import the module that defines the name"),
    ],
)
def test_a_wrong_import_is_noticed(place, text, complaint, monkeypatch, tmp_path):
    """The check itself is checked, on a copy of the tree with one wrong line."""
    for source in SOURCES:
        copy = tmp_path / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    wrong = tmp_path / place
    wrong.parent.mkdir(parents=True, exist_ok=True)
    wrong.write_text(text, encoding="utf-8")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert any(complaint in found for found in forbidden(wrong))


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_pulls_in_numpy_and_the_standard_library_only(package):
    script = (
        "import sys, numpy; before = set(sys.modules); "
        f"import {package}; print(*(set(sys.modules) - before))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    known = {"numpy", package, *PACKAGES[package], *sys.stdlib_module_names}
    loaded = {name.partition(".")[0] for name in result.stdout.split()}
    assert package in loaded
    assert loaded - known == set()


def test_numpys_own_lazy_parts_stay_lazy():
    """numpy.random alone would take a fifth of the time of `import numpy`."""
    script = "import sys, autograd, nn, optim; print('numpy.random' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_optim_works_without_nn():
    script = "import sys, optim; print('nn' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def defined_here(module: ModuleType) -> set[str]:
    """Public names that a module's own statements bind, other than by import."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {
                name.id
                for target in targets
                for name in ast.walk(target)
                if isinstance(name, ast.Name)
            }
    return {
        name
        for name in names
        if not name.startswith("_") and not isinstance(getattr(module, name), TypeVar)
    }


def is_public(path: Path) -> bool:
    """The calculus in autograd.ops is reached through the contents page, so its helpers may be."""
    module = module_name(path)
    return not module.startswith("autograd.ops") and not any(
        part.startswith("_") for part in module.split(".")
    )


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_what_all_states_exists_once(path):
    module = importlib.import_module(module_name(path))
    stated = list(getattr(module, "__all__", []))
    assert len(stated) == len(set(stated))
    assert [name for name in stated if not hasattr(module, name)] == []


@pytest.mark.parametrize("path", [*filter(is_public, SOURCES)], ids=module_name)
def test_all_equals_the_public_names(path):
    module = importlib.import_module(module_name(path))
    public = defined_here(module)
    if path.name == "__init__.py":
        public |= {
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and not isinstance(value, ModuleType)
        }
    missing = public - set(module.__all__)
    assert missing == set()


def test_the_changelog_starts_with_this_version():
    from autograd._version import __version__

    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\]", changelog, flags=re.MULTILINE)
    assert headings[:2] == ["Unreleased", __version__]


def test_the_version_is_stated_once():
    from autograd import __version__
    from autograd._version import __version__ as stated

    assert __version__ == stated
    assert stated not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_readme_marks_the_two_commands_that_the_checks_run():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = dict(
        re.findall(r"^<!-- command: (\w+) -->\n```sh\n(.+?)\n```$", readme, re.MULTILINE)
    )
    assert set(commands) == {"run", "test"}
    assert "for name in run test" in script
    assert "torch" not in " ".join(commands.values())
