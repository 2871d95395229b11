"""What every test shares: hypothesis profiles and the seals on global state."""

import os

import hypothesis
import numpy as np
import pytest

# Figures are drawn without a screen; matplotlib reads this when it is first imported.
os.environ.setdefault("MPLBACKEND", "Agg")

hypothesis.settings.register_profile("dev", max_examples=20, deadline=None)
hypothesis.settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, print_blob=True
)
hypothesis.settings.register_profile("nightly", max_examples=1000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(autouse=True)
def sealed_global_state():
    """Seed before each test; after it, grad mode and NumPy's error state must be as they were."""
    import autograd

    autograd.manual_seed(0)
    errors = np.geterr()
    yield
    recording = autograd.is_grad_enabled()
    autograd.set_grad_enabled(True)
    assert recording, "this test left gradient recording switched off"
    assert np.geterr() == errors, "this test left NumPy's error state changed"
