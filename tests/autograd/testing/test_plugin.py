"""The pytest plugin, run in sessions of its own."""

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]


@pytest.fixture
def session(pytester, monkeypatch):
    monkeypatch.delenv("HYPOTHESIS_PROFILE", raising=False)
    profile = settings.get_current_profile_name()

    def run(source, *arguments):
        pytester.makepyfile(source)
        return pytester.runpytest(
            "-p", "autograd.testing.plugin", "-p", "no:cacheprovider", *arguments
        )

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
    from autograd.testing.plugin import load_profile

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


def test_the_checker_needs_neither_pytest_nor_hypothesis():
    import subprocess
    import sys

    script = (
        "import sys, autograd.testing; "
        "print([name for name in ('pytest', 'hypothesis', 'scipy') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
