"""`python -m autograd`: what it prints, and its exit codes."""

import importlib
import subprocess
import sys

import pytest

import autograd

command = importlib.import_module("autograd.__main__")


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module in the working folder, with a right and a wrong rule."""
    text = """\
import numpy as np, autograd, nn

@autograd.primitive(x=lambda g, x: g * 2 * x)
def right(x):
    return x * x

@autograd.primitive(x=lambda g, x: g * x)
def wrong(x):
    return x * x

def both(x, w, scale=2.0):
    return np.tanh(x @ w) * scale

def nothing():
    return 1.0

model = nn.Linear(3, 2)
"""
    (tmp_path / "command_line_example.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield "command_line_example"
    sys.modules.pop("command_line_example", None)


def test_it_is_run_as_a_module_of_python():
    words = [sys.executable, "-m", "autograd", "check", "numpy:sin"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "numpy:sin: gradients agree with finite differences at random arguments of shape (3,)\n"
    )


def test_info_tells_versions_threads_and_extras(capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert command.main(["info"]) == 0
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert rows["gradloom"].startswith(autograd.__version__)
    assert rows["Python"].startswith(sys.version.split()[0])
    assert "OMP_NUM_THREADS=3" in rows["threads"]
    assert rows["BLAS"] != "unknown"


def test_a_wrong_rule_is_exit_code_1_and_the_checkers_report(capsys, mine):
    assert command.main(["check", f"{mine}:right"]) == 0
    assert command.main(["check", f"{mine}.py:wrong"]) == 1
    assert "every entry is 1/2 times what it should be" in capsys.readouterr().out


def test_shapes_are_tried_or_given(capsys, mine):
    assert command.main(["check", f"{mine}:both", "--shape", "2,3", "--shape", "3,4"]) == 0
    assert "of shape (2, 3) and (3, 4)" in capsys.readouterr().out
    assert command.main(["check", "numpy.linalg:inv"]) == 0
    assert "of shape (3, 3)" in capsys.readouterr().out
    assert command.main(["draw", "autograd:exp", "-s", "0"]) == 0
    assert capsys.readouterr().out.startswith("x  [data 0.")


def test_a_function_or_model_is_drawn_into_a_file(capsys, mine, tmp_path):
    assert command.main(["draw", f"{mine}:both", "-o", "f.svg", "-s", "2,3", "-s", "3,4"]) == 0
    assert "tanh" in (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert command.main(["draw", f"{mine}:model", "-o", "m.mmd"]) == 0
    assert "weight (2, 3)" in (tmp_path / "m.mmd").read_text(encoding="utf-8")
    assert capsys.readouterr().out.startswith("f.svg: Drawing(2 leaf, ")


@pytest.mark.parametrize(
    "words, said",
    [
        ("check sin", "wanted module:function, got 'sin', as in numpy:sin"),
        ("check no_such_module:f", "wanted a module that can be imported, got 'no_such_module'"),
        ("draw numpy:no_such", "wanted a function of numpy, got 'no_such', which it does not have"),
        ("draw numpy:pi", "wanted a function, got numpy:pi, which is of type float"),
        ("check {mine}:nothing", "wanted a function with arguments to differentiate by"),
        ("check numpy.linalg:inv -s 3", "numpy.linalg:inv failed with LinAlgError at random"),
        ("draw numpy:sin -o f.png", "wanted a path ending in .svg, .dot, .gv or .mmd, got 'f.png'"),
        ("draw numpy:sin -o no/f.svg", "No such file"),
        ("draw numpy:isnan", "draw: wanted a Variable that was computed"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(words, said, capsys, mine):
    name = words.split()[0]
    assert command.main(words.format(mine=mine).split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"python -m autograd {name}: ")
    assert said in printed.err
    assert printed.err.count("\n") == 1
