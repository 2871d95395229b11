"""Python's containers and `isinstance`, under the names that HIPS autograd has for them.

Nested structures of Python itself are differentiated, so these are Python's own; `isinstance` and
`type` look at the array inside a Variable. A dict that is recorded is a dict of Variables, so that
`DictBox` is dict, and `SequenceBox` tuple. Imported on demand.
"""

from __future__ import annotations

import builtins
from typing import Any

from autograd.tracer import getval

__all__ = ["DictBox", "SequenceBox", "dict", "isinstance", "list", "tuple", "type"]

dict: Any = builtins.dict
list: Any = builtins.list
tuple: Any = builtins.tuple
DictBox: Any = builtins.dict
SequenceBox: Any = builtins.tuple


def isinstance(value: Any, classes: Any) -> bool:
    """Tell whether a value, or the array in a Variable, is an instance of a class."""
    return builtins.isinstance(value, classes) or builtins.isinstance(getval(value), classes)


def type(value: Any) -> Any:
    """Return the type of a value, or of the array in a Variable."""
    return builtins.type(getval(value))
