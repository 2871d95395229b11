import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
from autograd._optional import available, look_for_hips, require


def test_require_returns_the_module_itself():
    import xml.etree.ElementTree as ET

    assert require("xml.etree.ElementTree", extra="io") is ET


def test_a_missing_package_is_one_sentence_with_the_command():
    with pytest.raises(ImportError, match=r"no_such_pkg is not installed: run pip install 'gradlo"):
        require("no_such_pkg", extra="plot")
    with pytest.raises(ImportError, match=r"'gradloom\[plot\]'"):
        require("no_such_pkg.inner", extra="plot")


def test_a_broken_package_keeps_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "gradloom_broken_fixture.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        require("gradloom_broken_fixture", extra="plot")


def test_available_does_not_import(tmp_path, monkeypatch):
    (tmp_path / "gradloom_quiet_fixture.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert available("gradloom_quiet_fixture")
    assert "gradloom_quiet_fixture" not in sys.modules


def test_a_blocked_module_is_not_available(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert not available("tqdm")
    with pytest.raises(ImportError, match=r"gradloom\[data\]"):
        require("tqdm", extra="data")


def test_files_of_hips_autograd_among_ours_are_noticed_when_we_are_imported(tmp_path):
    """As pip leaves them, which installs both into one folder."""
    ours = Path(autograd.__file__).parent
    look_for_hips(str(ours))  # no warning, which would be an error
    shutil.copytree(ours, tmp_path / "autograd", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "autograd" / "numpy" / "numpy_wrapper.py").touch()
    (tmp_path / "user.py").write_text("import autograd\n")
    run = subprocess.run(
        [sys.executable, "-B", "user.py"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert run.stderr.startswith(f"{tmp_path}/user.py:1: UserWarning: autograd: the files of HIPS")
    assert "run pip uninstall -y autograd gradloom, then pip install gradloom" in run.stderr
