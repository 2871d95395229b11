"""A pytest plugin: seeds, sealed global modes, hypothesis profiles. Needs pytest.

It is active wherever gradloom is installed, and light: it changes nothing until a fixture is asked
for or the environment names a profile. `HYPOTHESIS_PROFILE=dev|ci|nightly` or
`--hypothesis-profile` choose 20, 100 (derandomised, with a blob to reproduce) or 1000 examples.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from autograd import random as _random
from autograd._optional import available, require
from autograd.engine.mode import is_grad_enabled, set_grad_enabled

if TYPE_CHECKING:
    import pytest
else:
    pytest = require("pytest", extra="test")

__all__ = ["load_profile", "pytest_configure", "rng", "sealed_modes", "seed"]

_VARIABLE = "HYPOTHESIS_PROFILE"


def _register_profiles() -> None:
    from hypothesis import settings

    settings.register_profile("dev", max_examples=20, deadline=None)
    settings.register_profile(
        "ci", max_examples=100, deadline=None, derandomize=True, print_blob=True
    )
    settings.register_profile("nightly", max_examples=1000, deadline=None)


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
    if available("hypothesis") and asked in ("dev", "ci", "nightly"):
        _register_profiles()
    elif available("hypothesis") and _VARIABLE in os.environ:
        load_profile()


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """An integer that depends on the name of the test alone; the global seed is set to it."""
    value = zlib.crc32(request.node.nodeid.encode())
    _random.manual_seed(value)
    return value


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    """A random generator that gives each test its own numbers, the same in every run."""
    return np.random.default_rng(seed)


@pytest.fixture
def sealed_modes() -> Iterator[None]:
    """Fail a test that leaves grad mode, NumPy's error state or its print options changed."""
    recording = is_grad_enabled()
    errors, printing = np.geterr(), np.get_printoptions()
    yield
    left = is_grad_enabled()
    set_grad_enabled(recording)
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
