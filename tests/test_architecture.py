"""Facts about the whole: which way imports run, what importing pulls in, what is public."""

import ast
import functools
import importlib
import itertools
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pytest

ROOT = Path(__file__).parent.parent

# The floors of the house, from the ground up. What stands on a line may import from its own line
# and from those above it; inside a line, as inside a room, no circle may arise.
LAYERS = (
    (
        "autograd._version",
        "autograd._decorators",
        "autograd._hooks",
        "autograd._optional",
        "autograd._writes",
        "autograd.docstrings",
        "autograd.memory",
        "autograd.random",
        "autograd.typed",
    ),
    ("autograd.advice", "autograd.arrays", "autograd.blocks", "autograd.publication"),
    ("autograd.engine.mode",),
    ("autograd.engine.graph",),
    ("autograd.engine.backward",),
    ("autograd.engine.primitive",),
    ("autograd.engine.calls",),
    ("autograd.engine", "autograd.checked"),
    ("autograd.kernels",),
    ("autograd.ops",),
    ("autograd.linalg", "autograd.fft", "autograd.special"),
    ("autograd.stats", "autograd.signal", "autograd.spatial", "autograd.interpolate"),
    ("autograd.protocols", "autograd.array_api"),
    ("autograd.variable",),
    ("autograd.assignment",),
    ("autograd.filled",),
    ("autograd.batching",),
    ("autograd.transforms",),
    ("autograd.recording", "autograd.profiler"),
    ("autograd.function", "autograd.debug", "autograd._clip", "autograd._coverage"),
    ("autograd.drawing", "autograd.explaining"),
    ("autograd.seeing",),
    ("autograd.integrate", "autograd.implicit", "autograd.optimize", "autograd.compiler"),
    ("autograd.doors", "autograd.draws", "autograd.loose", "autograd.staged"),
    ("autograd.util", "autograd.wrap_util"),
    ("autograd.vspace",),
    ("autograd.extend", "autograd.numpy"),
    ("autograd.tracer",),
    ("autograd.core", "autograd.numpy.numpy_vspaces"),
    ("autograd.differential_operators", "autograd.builtins"),
    ("autograd.scipy", "autograd.misc"),
    ("autograd",),
    ("autograd.testing",),
    ("autograd.test_util", "autograd.__main__"),
    ("nn",),
    ("optim",),
    ("nn.sklearn",),
)
# What a package may import besides itself, the standard library and NumPy at module level.
PACKAGES = {"autograd": set(), "nn": {"autograd"}, "optim": {"autograd"}}
# PyTorch's address of averages of modules; estimators, which train by themselves and so choose an
# optimizer. `import optim` and `import nn` do not import them.
DOORS = {"optim.swa_utils": {"nn"}, "nn.sklearn": {"optim"}}

SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floors(module: str) -> list[tuple[str, int]]:
    """The listed prefixes of a module with their levels, the longest last."""
    return sorted(
        (
            (name, level)
            for level, names in enumerate(LAYERS)
            for name in names
            if f"{module}.".startswith(f"{name}.")
        ),
        key=lambda found: len(found[0]),
    )


def layer(module: str) -> int:
    """The layer of a module is that of its longest listed prefix."""
    return floors(module)[-1][1]


class Imports(ast.NodeVisitor):
    """Collects what a module imports: dotted names, with the line and whether it is at once or when
    a function is called.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.later = False
        self.found: list[tuple[str, int, bool]] = []

    def visit_Import(self, node: ast.Import) -> None:
        self.found += [(alias.name, node.lineno, self.later) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            package = self.path.relative_to(ROOT).parts[: -node.level]
            base = ".".join([*package, *([base] if base else [])])
        for alias in node.names:
            is_module = module_file(f"{base}.{alias.name}") is not None
            name = f"{base}.{alias.name}" if is_module else base
            self.found.append((name, node.lineno, self.later))

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            for statement in node.orelse:
                self.visit(statement)
        else:
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        before, self.later = self.later, True
        self.generic_visit(node)
        self.later = before

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name that ast asks for


def module_file(module: str) -> Path | None:
    stem = ROOT.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


def imports(path: Path) -> list[tuple[str, int, bool]]:
    visitor = Imports(path)
    visitor.visit(ast.parse(path.read_text(encoding="utf-8")))
    return visitor.found


def forbidden(path: Path) -> list[str]:
    module = module_name(path)
    package = module.partition(".")[0]
    found = []
    for imported, line, later in imports(path):
        top = imported.partition(".")[0]
        where = f"{path.relative_to(ROOT)}:{line} imports {imported}"
        if top in PACKAGES:
            if top not in {package, *PACKAGES[package], *DOORS.get(module, ())}:
                found.append(f"{where}: {package} may not import {top}")
            # The contents page of a package may import all of it; only what stands above the page,
            # and so uses the package as others do, imports it.
            elif top == package and layer(imported) > layer(module):
                found.append(f"{where}: a lower layer imports a higher one")
            elif imported == package != module and layer(module) <= layer(package):
                found.append(f"{where}: import the module that defines the name")
        elif top != "numpy" and top not in sys.stdlib_module_names and not later:
            found.append(f"{where}: optional packages are imported where they are used")
    return found


def circle(edges: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle, [] where there is none."""
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return trail[trail.index(module) :]
        if module not in done:
            for imported in sorted(edges.get(module, ())):
                if found := visit(imported, [*trail, module]):
                    return found
            done.add(module)
        return []

    return next(filter(None, (visit(module, []) for module in sorted(edges))), [])


def edges() -> dict[str, set[str]]:
    """What each module imports of the three packages, in functions, too."""
    return {
        module_name(path): {
            imported
            for imported, _, _ in imports(path)
            if imported.partition(".")[0] in PACKAGES and imported != module_name(path)
        }
        for path in SOURCES
    }


def private_imports(path: Path) -> list[str]:
    """Names with an underscore that a file takes from another one; modules may have one."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno} imports {alias.name} from {node.module}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PACKAGES
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
        if module_file(f"{node.module}.{alias.name}") is None
    ]


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_run_one_way(path):
    assert forbidden(path) == []


def test_every_floor_exists():
    assert [name for names in LAYERS for name in names if module_file(name) is None] == []


def test_every_file_has_a_floor_of_its_own():
    """What is listed under no name but that of `autograd` would be judged as the contents page."""
    modules = map(module_name, SOURCES)
    assert [m for m in modules if m != "autograd" and floors(m)[-1][0] == "autograd"] == []


def test_no_import_goes_in_a_circle():
    assert circle(edges()) == []


def test_a_circle_is_noticed():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_names_with_an_underscore_stay_in_their_file(path):
    assert private_imports(path) == []


@pytest.mark.parametrize(
    "place, text, complaint",
    [
        ("autograd/engine/graph.py", "from autograd.variable import Variable", "a lower layer"),
        ("autograd/ops/extra.py", "from ..transforms import gradients", "a lower layer"),
        ("autograd/engine/mode.py", "import autograd", "a lower layer"),
        ("autograd/engine/graph.py", "import scipy.special", "optional packages"),
        ("autograd/ops/x.py", "def f():\n    from autograd import variable", "a lower layer"),
        ("nn/_x.py", "async def f():\n    import optim", "nn may not import optim"),
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


def test_testing_imports_what_a_third_party_could():
    """The tools for users' rules stand on what users have; inside their own room all is theirs."""
    room = "autograd.testing"
    found = {
        imported
        for path in (ROOT / "autograd" / "testing").glob("*.py")
        for imported, _, _ in imports(path)
        if imported.partition(".")[0] in PACKAGES and not f"{imported}.".startswith(f"{room}.")
    }
    assert found == {"autograd", "autograd.extend"}


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


def test_importing_autograd_opens_the_rooms_of_every_day_only():
    """It takes a quarter of the time of `import numpy`; with all rooms it would take twice that."""
    script = "import sys, autograd; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    later = ["batching", "compiler", "extend", "fft", "kernels", "linalg", "special", "transforms"]
    assert not {f"autograd.{room}" for room in later} & set(result.stdout.split())


def test_what_autograd_imports_on_demand_is_what_type_checkers_see():
    tree = ast.parse((ROOT / "autograd" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = set()
    for node in block.body:
        stars = node.names[0].name == "*"
        room = importlib.import_module(node.module)
        seen |= {*room.__all__} if stars else {alias.name for alias in node.names}
    autograd = importlib.import_module("autograd")
    assert seen == {*autograd._ROOMS, *itertools.chain(*autograd._ON_DEMAND.values())}
    assert seen <= {*dir(autograd)}


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
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
    return {
        name
        for name in names
        if not name.startswith("_") and not isinstance(getattr(module, name), TypeVar)
    }


@functools.cache
def importers() -> dict[str, list[str]]:
    """The texts of the files, tests included, that import each module of `autograd`."""
    found: dict[str, list[str]] = {}
    for path in [*SOURCES, *(ROOT / "tests").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        for name in {name for name, _, _ in imports(path)}:
            found.setdefault(name, []).append(text)
    return found


def used_elsewhere(path: Path, name: str) -> bool:
    """Whether another file imports the module and has the name."""
    texts = importers().get(module_name(path), [])
    return any(re.search(rf"\b{name}\b", text) for text in texts)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_what_all_states_exists_once(path):
    module = importlib.import_module(module_name(path))
    stated = list(getattr(module, "__all__", []))
    assert len(stated) == len(set(stated))
    assert [name for name in stated if not hasattr(module, name)] == []


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_all_equals_the_public_names(path):
    """What families of functions list is public in `autograd` and `nn.functional`, and what private
    modules list is so in their package. What they share among each other is not, and is shared:
    another file uses it, or the registry of primitives has it.
    """
    module = importlib.import_module(module_name(path))
    public = defined_here(module)
    if path.name == "__init__.py":
        public |= {
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and not isinstance(value, ModuleType)
        }
    missing = public - set(getattr(module, "__all__", ()))
    if path.parent.name == "ops" or path.name.startswith("_"):
        missing = {
            name
            for name in missing
            if not used_elsewhere(path, name) and not hasattr(getattr(module, name), "primitive")
        }
    assert missing == set()


@pytest.mark.parametrize("page", ["autograd", "autograd.ops"])
def test_a_contents_page_takes_over_what_its_rooms_list(page):
    """Type checkers do not see the list that the page computes: they see its star imports."""
    module = importlib.import_module(page)
    taken = set()
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and [a.name for a in node.names] == ["*"]:
            taken |= set(importlib.import_module(node.module).__all__)
    assert taken <= set(module.__all__)
    if page == "autograd.ops":
        assert taken == set(module.__all__)
        families = {p.stem for p in Path(module.__file__).parent.glob("[a-z]*.py")}
        assert families <= set(vars(module))


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
