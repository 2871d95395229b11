"""`numpy.linalg` with the functions of `autograd.linalg` in front: see `autograd.numpy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import doors as _doors
from autograd import linalg as _linalg

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...

else:
    __getattr__, __dir__, __all__ = _doors.numpys(__name__, _linalg)
