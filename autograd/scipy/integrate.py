"""`scipy.integrate` with the functions of `autograd.integrate` in front: see `autograd.scipy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import doors as _doors
from autograd import integrate as _integrate

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...

else:
    __getattr__, __dir__, __all__ = _doors.scipys(__name__, _integrate)
