"""What every test shares: hypothesis profiles and the seals on global state."""

import os

import pytest

# Figures are drawn without a screen; matplotlib reads this when it is first imported.
os.environ.setdefault("MPLBACKEND", "Agg")

# The entry point of the installed package has the same name, so the plugin is there once.
pytest_plugins = ["gradloom_pytest"]


def pytest_configure():
    """Load the hypothesis profile that HYPOTHESIS_PROFILE names, by default the quick one."""
    from gradloom_pytest import load_profile

    load_profile(default="dev")


@pytest.fixture(autouse=True)
def sealed_global_state(sealed_modes, request):
    """Seed before each test; after it, global modes must be as they were."""
    import autograd

    autograd.manual_seed(0)
    if request.node.get_closest_marker("torch"):
        pytest.importorskip("torch").manual_seed(0)
