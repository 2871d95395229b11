"""Every Python block of the README and of the docs runs; the blocks of a page share names.

What the pages state beside their code (tables of names, links, limits) is checked, too.
"""

import base64
import importlib
import importlib.util
import inspect
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import optim

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def script(name):
    """Import a script of the docs."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runner = script("runner")


@each_page
def test_the_code_of_a_page_runs(page, tmp_path):
    text = page.read_text(encoding="utf-8")
    runner.run(text, str(page), tmp_path)
    assert text.startswith("#"), "a page starts with its title"


PAGE = """# t
```python
x = 1
print("one")
x + 1
```
```python no-run
raise
```
```python raises AttributeError
x.y
```
"""


def test_a_page_shows_what_its_blocks_leave(tmp_path):
    assert [(block.tag, block.line) for block in runner.blocks(PAGE)] == [
        ("", 2),
        ("no-run", 7),
        ("raises AttributeError", 10),
    ]
    outputs = runner.run(PAGE, "page.md", tmp_path)
    error = "AttributeError: 'int' object has no attribute 'y'\n"
    assert [output.text for output in outputs] == ["one\n2\n", "", error]
    shown = runner.shown(PAGE, outputs)
    assert "```python raises" not in shown
    assert f"{{ .text .output .no-copy }}\n{error}```" in shown


def test_an_error_names_the_line_of_the_page(tmp_path):
    with pytest.raises(ZeroDivisionError) as found:
        runner.run(PAGE.replace("x = 1", "x = 1 / 0"), "page.md", tmp_path)
    assert (str(found.traceback[-1].path), found.traceback[-1].lineno + 1) == ("page.md", 3)


def test_a_block_that_should_raise_and_does_not_is_noticed(tmp_path):
    with pytest.raises(AssertionError, match="line 10: wanted AttributeError, got no error"):
        runner.run(PAGE.replace("x.y", "x.real"), "page.md", tmp_path)


def test_another_error_than_the_one_that_is_shown_is_an_error(tmp_path):
    with pytest.raises(AttributeError):
        runner.run(PAGE.replace("raises AttributeError", "raises TypeError"), "page.md", tmp_path)


def test_helpers_of_a_page_run_and_are_folded(tmp_path):
    text = "# t\n```python setup\ndef f():\n    return 2\n\n\nf()\n```\n```python\nf() + 1\n```\n"
    outputs = runner.run(text, "page.md", tmp_path)
    assert [output.text for output in outputs] == ["", "3\n"]
    folded = '??? note "Helpers of this page"\n\n    ```python\n    def f():\n        return 2\n\n'
    assert folded in runner.shown(text, outputs)


def test_an_unknown_tag_is_refused():
    with pytest.raises(ValueError, match="wanted 'no-run', 'quiet', .*, got 'norun'"):
        runner.blocks(PAGE.replace("no-run", "norun"))


def test_pictures_and_figures_are_shown(tmp_path):
    pytest.importorskip("matplotlib")
    text = """
```python
class Drawn:
    def _repr_svg_(self):
        return "<svg>1\\n</svg>"

Drawn()
```
```python
import matplotlib.pyplot as plt
axes = plt.figure().gca()
```
"""
    first, second = runner.run(text, "page.md", tmp_path)
    assert (first.text, first.pictures) == ("", ["<svg>1\n</svg>"])
    assert len(second.pictures) == 1
    assert "<svg " in second.pictures[0]
    shown = runner.shown(text, [first, second])
    assert f"base64,{base64.b64encode(first.pictures[0].encode()).decode()}" in shown


@each_page
def test_line_references_and_minutes_are_true(page):
    text = page.read_text(encoding="utf-8")
    assert script("line_references").refreshed(text) == text, "run python docs/line_references.py"


def test_a_line_reference_that_is_wrong_is_noticed():
    wrong = "`record` (`autograd/engine/graph.py`, lines 1-2)"
    assert script("line_references").refreshed(wrong) != wrong


# -- notebooks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", script("notebooks").PAGES)
def test_a_notebook_is_its_page_whose_code_runs(page):
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    made = script("notebooks").notebook(text)
    path = ROOT / "docs" / "notebooks" / f"{page}.ipynb"
    code = [cell for cell in json.loads(made)["cells"] if cell["cell_type"] == "code"]
    assert ["".join(cell["source"]) for cell in code] == [
        block.code.strip("\n") for block in runner.blocks(text)
    ]
    assert path.read_text(encoding="utf-8") == made, "run python docs/notebooks.py"


# -- what the map of PyTorch is made of ------------------------------------------------------------


def test_the_map_of_pytorch_has_a_row_for_all_that_differs():
    page = script("torch_map").page()
    lists = script("torch_map").lists()
    assert set(lists) == {"RENAMED", "ABSENT", "MISSING", "DIFFERENT", "METHODS_MISSING"}
    for name, why in {**lists["MISSING"], **lists["DIFFERENT"]}.items():
        assert why == "internal" or f"{name}` | {why} |" in page, name


# -- what pages state beside their code ------------------------------------------------------------

LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")
NAME = re.compile(r"`(\w+)[`(]")


def rows(page, heading):
    """Return the cells of the first table whose header row begins with `heading`."""
    lines = iter((ROOT / "docs" / page).read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            break
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    assert found, f"{page} has no table with the heading {heading!r}"
    return found


@each_page
def test_the_links_of_a_page_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        # What is made when the site is built, the build itself checks: it is strict.
        made = target in {"changelog.md", "print.html", "torch_map.md"} or target.startswith("api/")
        if "://" not in target and not made:
            assert (page.parent / target).exists(), target


def test_every_page_can_be_found():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f": {page.name}\n" in navigation, page.name


@pytest.mark.parametrize(
    "page, heading, module",
    [
        ("nn.md", "family", nn),
        ("nn.md", "loss", nn),
        ("optim.md", "algorithm", optim),
        ("optim.md", "schedule", optim.lr_scheduler),
        ("training.md", "callback", nn),
        ("numpy_users.md", "transform", autograd),
    ],
)
def test_the_names_in_a_table_are_public(page, heading, module):
    column = 1 if heading == "family" else 0
    for row in rows(page, heading):
        names = NAME.findall(row[column])
        assert names, row
        for name in names:
            assert callable(getattr(module, name)), name


def test_the_tables_leave_no_layer_loss_or_algorithm_out():
    layers = {
        name
        for name, value in vars(nn).items()
        if inspect.isclass(value) and issubclass(value, nn.Module)
    }
    told = NAME.findall((ROOT / "docs" / "nn.md").read_text(encoding="utf-8"))
    assert layers - {"Module"} <= set(told)
    told = NAME.findall((ROOT / "docs" / "optim.md").read_text(encoding="utf-8"))
    known = {*optim.__all__, *optim.lr_scheduler.__all__}
    known -= {"LRScheduler", "Optimizer", "lr_scheduler", "option"}
    assert known <= {*told, "clip_grad_norm_", "clip_grad_value_", "get_total_norm"}
    assert set(nn.init.__all__) - {"calculate_gain"} <= set(
        NAME.findall((ROOT / "docs" / "nn.md").read_text(encoding="utf-8"))
    )


def test_optimizers_have_the_options_that_the_table_states():
    for algorithms, options, _paper in rows("optim.md", "algorithm"):
        for name in NAME.findall(algorithms):
            parameters = inspect.signature(getattr(optim, name)).parameters
            assert {"lr", *NAME.findall(options)} <= set(parameters), name
            assert ("maximize" in parameters) == (name not in {"Muon", "LBFGS"}), name


def test_extras_in_the_docs_are_those_of_the_project():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = project.split("[project.optional-dependencies]")[1].split("\n[")[0]
    extras = set(re.findall(r"^(\w+) = \[", section, flags=re.MULTILINE))
    told = {name for row in rows("index.md", "extra") for name in NAME.findall(row[0])}
    assert told == extras


def test_what_is_cited_and_tested_is_what_the_project_says():
    assert f"\nversion: {autograd.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=")
    assert f'python: ["{oldest}", ' in (ROOT / ".github/workflows/ci.yml").read_text("utf-8")


def test_the_pictures_of_the_gallery_are_shown():
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    for picture in (ROOT / "docs" / "images" / "examples").iterdir():
        assert f"](images/examples/{picture.name})" in page, picture.name


def test_the_engines_reading_order_names_existing_files():
    for name, *_rest in rows("reading_the_engine.md", "file"):
        assert (ROOT / name.strip("`")).exists(), name


def test_the_limits_in_the_readme_still_hold():
    limits = (ROOT / "README.md").read_text(encoding="utf-8").split("## Limits")[1]
    for word in ("vmap", "compile"):
        assert (f"No `{word}`" in limits) != hasattr(autograd, word)
    assert "`.pt` files" in limits
    with pytest.raises(ValueError, match="pt"):
        nn.load("weights.pt")


@pytest.mark.torch
def test_weights_of_pytorch_load_as_the_porting_page_says():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    ours = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_allclose(
        ours(x).data, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6
    )


@pytest.mark.torch
def test_pytorchs_names_in_the_porting_table_exist():
    torch = pytest.importorskip("torch")
    for theirs, _ in rows("porting_from_pytorch.md", "PyTorch"):
        for path in re.findall(r"torch\.([\w.]+)", theirs):
            target = torch
            for part in path.split("."):
                target = getattr(target, part)
            assert target is not None


def test_names_of_this_library_in_the_porting_table_exist():
    for _, ours in rows("porting_from_pytorch.md", "PyTorch"):
        for module, name in re.findall(r"\b(np|nn|autograd)\.(\w+)", ours):
            package = np if module == "np" else importlib.import_module(module)
            assert hasattr(package, name), f"{module}.{name}"
