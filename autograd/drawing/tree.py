"""How treescope, a printer of models and arrays for notebooks, shows Variables, modules and
optimizers. It asks for that itself, so this is loaded only where it is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd._optional import require

__all__ = ["tree"]

_PLAIN = (bool, int, float, str, tuple, type(None), np.dtype)


def tree(value: Any, inside: Mapping[str, Any], path: str | None, renderer: Any) -> Any:
    """Return an object as its plain attributes and what is inside of it, to be unfolded.

    Args:
        value: the object.
        inside: arrays and objects by name: attributes, or items where a name is a number.
        path: how the user gets to the object.
        renderer: of treescope, for what is inside.
    """
    rendered = require("treescope.repr_lib", "test")
    kind = type(value)
    color = require("treescope.formatting_util", "test").color_from_string(kind.__qualname__)
    if any(name.isdigit() for name in inside):
        items = {int(name) if name.isdigit() else name: part for name, part in inside.items()}
        return rendered.render_dictionary_wrapper(kind, items, path, renderer, color=color)
    known = {
        name: part
        for name, part in getattr(value, "__dict__", {}).items()
        if isinstance(part, _PLAIN) and not name.startswith("_") and name not in inside
    }
    return rendered.render_object_constructor(
        kind, known | dict(inside), path, renderer, color=color
    )
