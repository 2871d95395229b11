"""`numpy.random` as it is: draws depend on no Variable.

One that should is written by what it is made of, as `loc + scale * random.normal(size=n)`; a
Variable as a parameter is refused with that advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy import random as _random

from autograd import doors as _doors

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...

else:
    __getattr__, __dir__, __all__ = _doors.serve(
        __name__, _random, lambda name: getattr(_random, name), ()
    )
