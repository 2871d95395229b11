"""SciPy with recorded functions in front: `import autograd.scipy.stats`.

`special`, `linalg`, `signal`, `integrate` and `stats` have all names of SciPy's modules. Functions
that `autograd` has, too, take Variables. Needs SciPy, the extra `special`; `autograd.special` and
its neighbours mostly do not.
"""

import importlib
import types

_ROOMS = ("integrate", "linalg", "signal", "special", "stats")

__all__: list[str] = []


def __getattr__(name: str) -> types.ModuleType:
    """Import a room when it is first asked for."""
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
