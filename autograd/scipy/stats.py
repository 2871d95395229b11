"""`scipy.stats` with the distributions of `autograd.stats` in front: see `autograd.scipy`.

Each is a module, `import autograd.scipy.stats.norm as norm`, with what SciPy's has besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import doors as _doors
from autograd import stats as _stats

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...

else:
    _doors.distributions(__name__, _stats)
    __getattr__, __dir__, __all__ = _doors.scipys(__name__, _stats)
