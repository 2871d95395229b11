"""SciPy's ufuncs on Variables: `scipy.special.gamma(v)` is recorded like `special.gamma(v)`.

NumPy hands them to `ufuncs`, which asks here. SciPy is not imported: who calls its functions has
done so. Its other functions are Python, and ask for arrays: a Variable that requires a gradient is
refused there, as by `np.asarray`. Imports `special` and `ops`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.ops import elementwise

__all__ = ["advice", "counterpart", "name_of"]

# Functions that NumPy has, too: SciPy's are ufuncs of their own.
_ELEMENTARY = frozenset({"cbrt", "exp2", "expm1", "log1p", "round"})


def name_of(function: Any) -> str | None:
    """Return the name of a ufunc in `scipy.special`; None where it is none of its own."""
    name = getattr(function, "__name__", "")
    if not isinstance(function, np.ufunc) or getattr(np, name, None) is function:
        return None
    for module in ("scipy.special", "scipy.special._ufuncs"):
        if getattr(sys.modules.get(module), name, None) is function:
            return name.lstrip("_")  # zeta is a function around the ufunc _zeta
    return None


@functools.cache
def counterpart(function: Any) -> Callable[..., Any] | None:
    """Return the recorded function of the same name, if there is one."""
    name = name_of(function)
    if name is None:
        return None
    if name in _ELEMENTARY:
        return getattr(elementwise, name)  # type: ignore[no-any-return]
    from autograd import special

    return getattr(special, name) if name in special.__all__ else None


def advice(function: Any) -> str | None:
    """Say what to write instead of a function of SciPy that is not recorded."""
    name = name_of(function)
    if name is None:
        return None
    import difflib  # only for messages: importing the library must stay quick

    from autograd import special

    close = difflib.get_close_matches(name, special.__all__, 1, 0.6)
    if not close:
        return "the functions of autograd.special are recorded"
    return f"the nearest recorded function is scipy.special.{close[0]}"
