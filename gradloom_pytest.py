"""The pytest plugin of gradloom: seeds, sealed global modes, hypothesis profiles.

pytest loads it in every project of an environment where gradloom is installed, so it stands beside
the packages and imports neither NumPy nor `autograd` until one of its fixtures is asked for.
`HYPOTHESIS_PROFILE=dev|ci|nightly` or `--hypothesis-profile` choose 20, 100 (derandomised, with a
blob to reproduce) or 1000 examples.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import numpy as np

__all__ = ["load_profile", "pytest_configure", "rng", "sealed_modes", "seed"]

_VARIABLE = "HYPOTHESIS_PROFILE"
_PROFILES: dict[str, dict[str, Any]] = {
    "dev": {"max_examples": 20},
    "ci": {"max_examples": 100, "derandomize": True, "print_blob": True},
    "nightly": {"max_examples": 1000},
}


def _register_profiles() -> None:
    from hypothesis import HealthCheck, settings
    from hypothesis.errors import InvalidArgument

    # Neither deadlines nor slow draws: a busy machine is no fault of a test.
    others: dict[str, Any] = {
        "deadline": None,
        "suppress_health_check": [HealthCheck.too_slow],
    }
    for name, chosen in _PROFILES.items():
        try:
            settings.get_profile(name)  # a project's own profile of that name stays
        except InvalidArgument:
            settings.register_profile(name, **others, **chosen)


def load_profile(default: str = "dev") -> None:
    """Load the hypothesis profile that the environment names, or the default; for a conftest.py.

    Raises:
        ValueError: the environment names a profile that does not exist.
    """
    from hypothesis import settings
    from hypothesis.errors import InvalidArgument

    _register_profiles()
    name = os.environ.get(_VARIABLE, default)
    try:
        settings.get_profile(name)  # load_profile would remember a name that it then refuses
    except InvalidArgument:
        raise ValueError(
            f"{_VARIABLE}: wanted 'dev', 'ci', 'nightly' or a profile of your own, got {name!r}"
        ) from None
    settings.load_profile(name)


@pytest.hookimpl(tryfirst=True)  # before hypothesis looks for the profile of --hypothesis-profile
def pytest_configure(config: pytest.Config) -> None:
    """Register the profiles where they are asked for; importing hypothesis takes 0.2 s."""
    asked = config.getoption("--hypothesis-profile", default=None)
    named = os.environ.get(_VARIABLE)
    if asked in _PROFILES and find_spec("hypothesis"):
        _register_profiles()
    elif named in _PROFILES and find_spec("hypothesis"):
        load_profile()


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """An integer that depends on the name of the test alone; the global seed is set to it."""
    import autograd

    value = zlib.crc32(request.node.nodeid.encode())
    autograd.manual_seed(value)
    return value


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    """A random generator that gives each test its own numbers, the same in every run."""
    import numpy as np

    return np.random.default_rng(seed)


@pytest.fixture
def sealed_modes() -> Iterator[None]:
    """Fail a test that leaves grad mode, NumPy's error state or its print options changed."""
    import numpy as np

    import autograd

    recording = autograd.is_grad_enabled()
    errors, printing = np.geterr(), np.get_printoptions()
    yield
    left = autograd.is_grad_enabled()
    autograd.set_grad_enabled(recording)
    changed = [
        name
        for name, same in (
            ("the grad mode", left == recording),
            ("NumPy's error state", np.geterr() == errors),
            ("NumPy's print options", np.get_printoptions() == printing),
        )
        if not same
    ]
    np.seterr(**errors)
    np.set_printoptions(**printing)
    assert not changed, f"this test left {' and '.join(changed)} changed"
