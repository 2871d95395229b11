"""The pytest plugin, run in sessions of its own."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[3]

pytest_plugins = ["pytester"]


@pytest.fixture
def session(pytester, monkeypatch):
    monkeypatch.delenv("HYPOTHESIS_PROFILE", raising=False)
    profile = settings.get_current_profile_name()

    def run(source, *arguments):
        pytester.makepyfile(source)
        return pytester.runpytest("-p", "gradloom_pytest", "-p", "no:cacheprovider", *arguments)

    yield run
    settings.load_profile(profile)  # sessions run in this process


def test_seeds_depend_on_the_test_alone(session):
    source = """
        import autograd

        def test_one(seed, rng):
            drawn = rng.integers(1000), autograd.new_generator().integers(1000)
            print("drew", seed, *drawn)

        def test_two(seed, rng):
            print("drew", seed, rng.integers(1000), autograd.new_generator().integers(1000))
    """
    first, second = session(source, "-s"), session(source, "-s")
    drawn = [[line for line in r.outlines if "drew" in line] for r in (first, second)]
    assert drawn[0] == drawn[1]
    assert len({line.split("drew")[1] for line in drawn[0]}) == 2


def test_modes_left_changed_fail_and_are_restored(session):
    result = session("""
        import autograd
        import numpy as np

        def test_leaves(sealed_modes):
            autograd.set_grad_enabled(False)
            np.seterr(divide="ignore")

        def test_next(sealed_modes):
            assert autograd.is_grad_enabled()
            assert np.geterr()["divide"] == "warn"
    """)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*left the grad mode and NumPy's error state changed*"])


@pytest.mark.parametrize("profile, examples", [("dev", 20), ("ci", 100), ("nightly", 1000)])
def test_profiles_are_chosen_by_the_environment(session, monkeypatch, profile, examples):
    monkeypatch.setenv("HYPOTHESIS_PROFILE", profile)
    result = session(f"""
        from hypothesis import settings

        def test_profile():
            assert settings.default.max_examples == {examples}
    """)
    result.assert_outcomes(passed=1)


def test_profiles_are_chosen_by_the_command_line(session):
    result = session(
        """
        from hypothesis import settings

        def test_profile():
            assert settings.default.max_examples == 100
            assert settings.default.derandomize
        """,
        "--hypothesis-profile=ci",
    )
    result.assert_outcomes(passed=1)


def test_an_unknown_profile_is_explained(monkeypatch):
    from gradloom_pytest import load_profile

    monkeypatch.setenv("HYPOTHESIS_PROFILE", "weekly")
    with pytest.raises(ValueError, match="wanted 'dev', 'ci', 'nightly' or a profile of your own"):
        load_profile()


def test_properties_are_collected(session):
    result = session("""
        import numpy as np
        from autograd.testing import differentiable_property

        @differentiable_property
        def test_sine(x):
            return np.sin(x)
    """)
    result.assert_outcomes(passed=1)


def run_python(script):
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.strip()


def test_the_checker_needs_neither_pytest_nor_hypothesis():
    script = (
        "import sys, autograd.testing; "
        "print([name for name in ('pytest', 'hypothesis', 'scipy') if name in sys.modules])"
    )
    assert run_python(script) == "[]"


def test_loading_the_plugin_imports_neither_numpy_nor_autograd():
    """As pytest does, which loads it in every project of the environment."""
    script = (
        "import sys, pytest, gradloom_pytest\n"
        "manager = pytest.PytestPluginManager()\n"
        "manager.register(gradloom_pytest)\n"
        "print([name for name in ('numpy', 'autograd', 'hypothesis') if name in sys.modules])"
    )
    assert run_python(script) == "[]"


def test_a_session_that_uses_no_fixture_imports_neither_numpy_nor_autograd(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import sys\n\ndef test_it():\n"
        "    assert not {'numpy', 'autograd', 'hypothesis'} & set(sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("HYPOTHESIS_PROFILE", None)  # to name a profile is to ask for hypothesis
    options = ["-p", "gradloom_pytest", "-p", "no:cacheprovider", "-q", "--rootdir", str(tmp_path)]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path / "test_it.py")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert "1 passed" in result.stdout, result.stdout


def test_the_entry_point_is_the_module_beside_the_packages():
    settings_ = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings_["project"]["entry-points"]["pytest11"] == {
        "gradloom_pytest": "gradloom_pytest"
    }
    assert (
        "gradloom_pytest.py" in settings_["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    )


def test_the_former_name_still_loads_the_fixtures(pytester):
    pytester.makeconftest('pytest_plugins = ["autograd.testing.plugin"]')
    pytester.makepyfile("def test_it(rng, seed, sealed_modes): pass")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
