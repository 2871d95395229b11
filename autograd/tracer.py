"""What a recorded value is, and walking through a recorded program, under the names that HIPS
autograd has.

    >>> import autograd.numpy as np
    >>> from autograd.tracer import Node, trace
    >>> class Names(Node):
    ...     def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
    ...         self.names = [*parents[0].names, fun.__name__]
    ...
    ...     def initialize_root(self):
    ...         self.names = []
    >>> value, end = trace(Names.new_root(), lambda x: np.sin(x) * 2.0, 0.0)
    >>> end.names
    ['sin', 'multiply']

Imported on demand. Imports `extend` and what is older.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from autograd.arrays import plain_array
from autograd.engine import graph
from autograd.engine.graph import Leaf, unwrap, wrap
from autograd.engine.mode import enable_grad, watching
from autograd.extend import primitive
from autograd.staged import arguments_of, notrace_primitive
from autograd.transforms.trace import fresh
from autograd.typed import user_level
from autograd.util import toposort
from autograd.vspace import Box, VJPNode

__all__ = [
    "Box",
    "Node",
    "VJPNode",
    "getval",
    "isbox",
    "new_box",
    "notrace_primitive",
    "primitive",
    "toposort",
    "trace",
    "trace_stack",
]


def isbox(value: Any) -> bool:
    """Tell whether a value is a Variable."""
    return isinstance(value, graph.Variable)


def getval(value: Any) -> Any:
    """Return the array or number in a Variable, other values as they are."""
    return unwrap(value)


# -- a graph by hand -------------------------------------------------------------------------------


def new_box(value: Any, trace: int, node: VJPNode) -> Any:
    """Return a Variable on `value` that graphs start at: see `autograd.core.backward_pass`."""
    del trace
    if not isinstance(node, VJPNode):
        _refuse_node(node)
    data = plain_array("new_box", value)
    data = data if isinstance(data, np.generic) else np.asarray(data)[()]
    Leaf.__init__(node, data)
    return wrap(data, node)


def _refuse_node(node: Any) -> NoReturn:
    raise TypeError(
        f"new_box: wanted VJPNode.new_root() as the node, got {type(node).__name__}; "
        "autograd.tracer.trace takes nodes of every class"
    )


class _TraceStack:
    """Levels of tracing. There is one: what belongs to which derivative, nodes tell."""

    top = 0

    @contextlib.contextmanager
    def new_trace(self) -> Iterator[int]:
        """Return the level."""
        with enable_grad():
            yield self.top


trace_stack = _TraceStack()


# -- a program, call by call -----------------------------------------------------------------------


class Node:
    """One call of a program that is traced: to be subclassed.

    `__init__` gets the output, the function, its arguments without Variables, its keywords, which
    of the arguments depend on the start, and their nodes; `initialize_root` what `new_root` got.
    """

    def __init__(
        self,
        value: Any,
        fun: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        parent_argnums: tuple[int, ...],
        parents: tuple[Any, ...],
    ) -> None:
        raise NotImplementedError(f"{type(self).__name__}: define __init__")

    def initialize_root(self, *args: Any, **kwargs: Any) -> None:
        """Be the start."""
        raise NotImplementedError(f"{type(self).__name__}: define initialize_root")

    @classmethod
    def new_root(cls, *args: Any, **kwargs: Any) -> Any:
        """Make the node that a program starts from."""
        root = cls.__new__(cls)
        root.initialize_root(*args, **kwargs)
        return root


def trace(start_node: Any, fun: Callable[[Any], Any], x: Any) -> tuple[Any, Any]:
    """Call `fun(x)`, and make a node of the class of `start_node` of each call in it that depends
    on `x`.

    Returns:
        The output, and its node; None, and a warning, where it does not depend on `x`.
    """
    if isinstance(start_node, VJPNode):
        end = fun(new_box(x, 0, start_node))
        return unwrap(end), getattr(end, "_node", None)
    make = type(start_node)
    start = fresh(plain_array("trace", np.asarray(x, dtype=np.result_type(x, 0.0))[()]))
    nodes: dict[Any, Any] = {start._node: start_node}  # by what stands for a value in the graph

    def depends(value: Any) -> bool:
        return isinstance(value, graph.Variable) and value._node in nodes

    def observe(made: Any, arguments: Any, result: Any) -> None:
        if not any(map(depends, arguments)):
            return
        parts = result if type(result) is tuple else (result,)
        if made is None or made.name == "input":  # stands for what a transform was given
            node = next(nodes[a._node] for a in arguments if depends(a))
        else:
            args, kwargs = arguments_of(made, tuple(arguments))
            of = tuple(i for i, a in enumerate(args) if depends(a))
            node = make(
                tuple(map(unwrap, result)) if type(result) is tuple else unwrap(result),
                getattr(made, "call", made),
                tuple(map(unwrap, args)),
                {key: unwrap(value) for key, value in kwargs.items()},
                of,
                tuple(nodes[args[i]._node] for i in of),
            )
        nodes.update((part._node, node) for part in parts if getattr(part, "_node", None))

    with enable_grad(), watching(observe):
        end = fun(start)
    if not depends(end):
        warnings.warn(
            "trace: the result does not depend on the argument", UserWarning, user_level()
        )
    return unwrap(end), nodes.get(getattr(end, "_node", None))
