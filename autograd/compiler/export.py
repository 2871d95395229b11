"""Export: the program as a file that needs NumPy and nothing else.

What the program calls that is no function of NumPy is a kernel of the library: its text goes into
the file, and that of what it calls in turn. Imports `graph` and NumPy.
"""

from __future__ import annotations

import ast
import base64
import inspect
import textwrap
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from autograd.compiler.graph import Value

__all__ = ["exported"]


def exported(name: str, entry: Any) -> str:
    """Return the text of a module with the function `name`, which takes and returns arrays."""
    program = entry.forward
    if entry.draws:
        raise RuntimeError(
            f"export: wanted a program that draws no random numbers, got one that does at "
            f"{entry.draws[0].line}; export it in evaluation mode, or pass the numbers"
        )
    parts = _Parts()
    for key, thing in program.names.objects.items():
        if key not in ("np", name, "__builtins__"):
            parts.add(key, thing)
    text = program.source.replace('invalid="call", call=report', 'invalid="ignore"')
    text = text.replace(", report=None)", ")").replace("(report=None)", "()")
    inputs = [f"    {program.names.of(v)}: {_about(v)}" for v in program.inputs]
    head = [
        f'"""The program of {name}, exported by autograd.compile. It needs NumPy only.',
        "",
        f"{name} returns a tuple of arrays and takes, in this order:",
        *inputs,
        '"""',
        "",
        *sorted(parts.imports),
        "",
    ]
    return "\n".join([*head, *parts.texts, "", text])


def _about(value: Value) -> str:
    kind, which = value.origin
    where = f"array {which} of the arguments" if kind == "argument" else "from outside"
    named = getattr(which, "name", None)
    return f"{where}{f' ({named})' if named else ''}, {value.dtype} of shape {value.shape}"


class _Parts:
    """Texts of what a program refers to, what they need before them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.imports = {"import numpy as np"}
        self._known: dict[str, Any] = {}

    def add(self, name: str, thing: Any) -> None:
        """Define `name` as `thing`."""
        if name in self._known:
            if self._known[name] is not thing and repr(self._known[name]) != repr(thing):
                raise RuntimeError(f"export: wanted one meaning of {name!r}, got two kernels of it")
            return
        self._known[name] = thing
        if isinstance(thing, ModuleType) and thing.__name__.partition(".")[0] in ("numpy", "math"):
            self.imports.add(f"import {thing.__name__} as {name}")
        elif isinstance(thing, (np.ndarray, np.generic)):
            self.texts.append(f"{name} = {_array(np.asarray(thing))}")
        elif isinstance(thing, FunctionType):
            self._function(name, getattr(thing, "primitive", None), thing)
        elif getattr(np, getattr(thing, "__name__", ""), None) is thing:
            self.texts.append(f"{name} = np.{_name(thing)}")
        elif isinstance(getattr(thing, "__self__", None), np.ufunc):
            self.texts.append(f"{name} = np.{_name(thing, '__self__')}.{_name(thing)}")
        elif isinstance(
            thing, (int, float, str, bool, tuple, list, dict, set, frozenset, type(None))
        ):
            self.texts.append(f"{name} = {thing!r}")
        elif thing.__class__.__module__ == "builtins" and callable(thing):
            return
        else:
            raise RuntimeError(
                f"export: wanted functions, numbers and arrays, got {name!r}, a "
                f"{type(thing).__name__}, which a kernel of the program uses; write that part in "
                "functions of NumPy"
            )

    def _function(self, name: str, primitive: Any, function: Any) -> None:
        function = primitive.forward if primitive is not None else function
        if not isinstance(function, FunctionType):
            self._known.pop(name)
            self.add(name, function)
            return
        function = inspect.unwrap(function)
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        except (OSError, TypeError, SyntaxError):
            tree = ast.Module([], [])
        body = tree.body[0] if tree.body else None
        if not isinstance(body, ast.FunctionDef) or function.__closure__:
            raise RuntimeError(
                f"export: wanted kernels that are plain functions, got {function.__qualname__}, "
                "which is a lambda or has a closure; write that part in functions of NumPy"
            )
        body.decorator_list, body.name = [], name
        if (said := ast.get_docstring(body)) is not None:
            body.body[0] = ast.Expr(ast.Constant(said.partition("\n")[0]))
        for argument in ast.walk(body):
            if isinstance(argument, ast.arg):
                argument.annotation = None
            if isinstance(argument, ast.FunctionDef):
                argument.returns = None
            if isinstance(argument, ast.AnnAssign) and argument.value is None:
                argument.annotation = ast.Constant(None)
        body.returns = None
        for used in _names(function.__code__):
            if used in function.__globals__ and used not in ("Any", "Callable", "__name__"):
                self.add(used, function.__globals__[used])
        self.texts.append("\n" + ast.unparse(body) + "\n")


def _name(thing: Any, attribute: str = "") -> str:
    return str((getattr(thing, attribute) if attribute else thing).__name__)


def _names(code: Any) -> set[str]:
    """Return the global names in a function and in those inside it."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            found |= _names(constant)
    return found


def _array(x: Any) -> str:
    """Return an expression of an array."""
    if x.size <= 64:
        return f"np.array({x.tolist()!r}, np.dtype({x.dtype.str!r}))".replace(
            "nan", "np.nan"
        ).replace("inf", "np.inf")
    digits = base64.b64encode(np.ascontiguousarray(x).tobytes()).decode()
    return (
        f"np.frombuffer(__import__('base64').b64decode({digits!r}), {x.dtype.str!r})"
        f".reshape({x.shape}).copy()"
    )
