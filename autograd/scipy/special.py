"""`scipy.special` with the functions of `autograd.special` in front: see `autograd.scipy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import doors as _doors
from autograd import special as _special

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...

else:
    __getattr__, __dir__, __all__ = _doors.scipys(__name__, _special)
