"""The surface for authors of differentiable functions: `primitive`, `unary`, `binary`, `Function`.

Shape, dtype and type of what their rules return are checked on every backward pass (about 0.3 us
per operand).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, overload

from autograd.engine import calls as _primitive
from autograd.engine.calls import Operation
from autograd.function import Context, Function

__all__ = ["Context", "Function", "Operation", "binary", "primitive", "unary"]


@overload
def primitive(forward: Callable[..., Any], /) -> Operation: ...


@overload
def primitive(**settings: Any) -> Callable[[Callable[..., Any]], Operation]: ...


@functools.wraps(_primitive.primitive)
def primitive(forward: Any = None, /, **settings: Any) -> Any:  # noqa: D103 - wraps copies it
    decorate: Any = _primitive.primitive
    return decorate(forward, trusted=False, **settings)


@functools.wraps(_primitive.unary)
def unary(forward: Any, **settings: Any) -> Operation:  # noqa: D103
    return _primitive.unary(forward, trusted=False, **settings)


@functools.wraps(_primitive.binary)
def binary(forward: Any, **settings: Any) -> Operation:  # noqa: D103
    return _primitive.binary(forward, trusted=False, **settings)
