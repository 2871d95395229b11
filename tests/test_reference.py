"""The reference: every public name stands in it, with what it computes."""

import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import optim

ROOT = Path(__file__).parent.parent
spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

ADDRESSES = [address for page in reference.CONTENTS.values() for address in page]


def public_modules():
    """Yield every module without an underscore in its address."""
    for package in (autograd, nn, optim):
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "._" not in found.name:
                yield found.name


def test_every_public_module_is_on_a_page_or_inside():
    for name in public_modules():
        inside = name.removeprefix("autograd.").startswith(reference.INSIDE)
        assert (name in ADDRESSES) != (inside and name.startswith("autograd.")), (
            f"{name} must stand in CONTENTS or in INSIDE of docs/reference.py"
        )
    assert set(ADDRESSES) <= set(public_modules())


def test_every_public_name_stands_in_the_reference_with_its_text():
    pages = reference.pages(computed=False)
    assert set(pages) == {"index", *reference.CONTENTS}
    for page, addresses in reference.CONTENTS.items():
        text = pages[page]
        for address in addresses:
            module = importlib.import_module(address)
            for name in module.__all__:
                value, mark = getattr(module, name), f"{address}.{name}"
                listed = f'<code id="{mark}">' in text
                assert listed or f" {{ #{mark} }}" in text, mark
                if not listed and callable(value):
                    summary = (inspect.getdoc(value) or "").strip()
                    assert summary, f"{mark} has no docstring"


def test_the_reference_says_how_a_function_is_called_what_it_computes_and_shows_it():
    part = "\n".join(reference.entry(nn.functional, "gelu", computed=True))
    assert "### gelu { #nn.functional.gelu }" in part
    assert 'nn.functional.gelu(input, approximate="none")' in part.replace("'", '"')
    assert "Phi the distribution function" in part
    assert "- `ValueError`: for another `approximate`." in part
    assert "https://arxiv.org/abs/1606.08415" in part
    assert '<figure class="plot"><svg' in part
    shown = re.search(r">>> nn.functional.gelu\(x\)\n(.*)\n", part)[1]
    x = np.array(eval(re.search(r"x = np.array\((.*)\)", part)[1]))
    np.testing.assert_array_equal(
        eval(shown, {"array": np.array}), np.round(nn.functional.gelu(x), 8)
    )


@pytest.mark.parametrize(
    "function, drawn",
    [
        (autograd.tanh, True),
        (autograd.log, True),
        (nn.functional.relu, True),
        (autograd.sum, False),
        (autograd.cumsum, False),
        (autograd.add, False),
        (nn.functional.softmax, False),
        (autograd.copy, False),
    ],
)
def test_functions_of_one_array_element_by_element_are_drawn(function, drawn):
    with np.errstate(all="ignore"):
        assert (reference.elementwise(function) is not None) == drawn


def test_a_drawing_leaves_out_what_is_not_finite():
    x = np.linspace(-1.0, 1.0, 5)
    y = np.array([np.nan, 0.0, 1.0, np.inf, 2.0])
    svg = reference.graph(x, y, np.zeros(5), "f")
    path = re.search(r'class="value" d="([^"]*)"', svg)[1]
    assert len(re.findall("[ML]", path)) == 3
    assert path.count("M") == 2


@pytest.mark.parametrize(
    "address, value",
    [
        ("autograd.sum", autograd.sum),
        ("autograd.linalg.solve", autograd.linalg.solve),
        ("autograd.argsort", autograd.argsort),
        ("nn.functional.conv2d", nn.functional.conv2d),
        ("nn.BatchNorm2d", nn.BatchNorm2d),
    ],
)
def test_a_sample_call_gives_what_is_shown(address, value):
    lines = reference.sample_calls.example(address, value)[1:-1]
    code = [line.removeprefix(">>> ") for line in lines if line.startswith(">>> ")]
    names = {}
    exec("\n".join(code[:-1]), names)
    assert address in code[-1]
    assert repr(eval(code[-1], names)) == "\n".join(lines[len(code) :])


DOCSTRING = """Return `x_1` and *x_2.

Args:
    x: a_b, of
        two lines.
    **others: more.

Raises:
    ValueError: where x < 0.

Example:
    >>> 1 + 1
    2
"""


def test_docstrings_become_markdown():
    text = "\n".join(reference.markdown(DOCSTRING))
    assert r"Return `x_1` and \*x\_2." in text
    assert "- `x`: a\\_b, of\n    two lines.\n- `**others`: more." in text
    assert r"- `ValueError`: where x \< 0." in text
    assert "```pycon\n>>> 1 + 1\n2\n```" in text


def test_conventions_are_listed_by_function():
    text = reference.conventions()
    assert "| `autograd.absolute` | 0 at 0 |" in text
    assert "| `autograd.maximum` | equal operands get half each |" in text


def test_types_and_defaults_are_shown_without_annotations():
    assert reference.signature("fit", nn.Linear) == (
        "fit(in_features, out_features, bias=True, *, dtype=None, generator=None)"
    )


def test_a_long_signature_is_broken_between_parameters():
    lines = reference.signature("optim.Adam", optim.Adam).splitlines()
    assert (lines[0], lines[-1]) == ("optim.Adam(", ")")
    assert "betas=(0.9, 0.999), " in lines[1]
    assert all(line.startswith("    ") and len(line) <= 88 for line in lines[1:-1])
