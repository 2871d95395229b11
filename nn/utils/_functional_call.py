"""A module as a function of its parameters. Imports `_module` and `autograd`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograd import Variable
from nn._module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters: Mapping[str, Any],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Call a module with other values in the place of its parameters, which are left as they are.

    So a model is a function to differentiate: `grad`, `jacobian` and `vmap` take it, the latter for
    the gradients of each example.

    Args:
        module: a module; no other thread may use it meanwhile.
        parameters: values by the names of `named_parameters`, of the same shapes: arrays or
            Variables. Those that are not named keep theirs; a shared one is replaced everywhere.
        args: the arguments of the call, a tuple, or the only one.
        kwargs: its keyword arguments.

    Raises:
        KeyError: a name that no parameter has.
        ValueError: a value of another shape.

    Example:
        >>> import numpy as np, autograd, nn
        >>> model = nn.Linear(2, 1)
        >>> loss = lambda p, x: functional_call(model, p, x).sum()
        >>> autograd.grad(loss)(
        ...     {"weight": np.ones((1, 2)), "bias": np.zeros(1)}, np.array([3.0, 4.0])
        ... )
        {'weight': array([[3., 4.]]), 'bias': array([1.])}
    """
    known = dict(module.named_parameters(remove_duplicate=False))
    values: dict[int, Any] = {}
    for name, value in parameters.items():
        if name not in known:
            raise KeyError(
                f"functional_call: wanted names of parameters ({', '.join(known)}), got {name!r}"
            )
        new = value if isinstance(value, Variable) else Variable(value, copy=False)
        if new.shape != known[name].shape:
            raise ValueError(
                f"functional_call: wanted {name} of shape {known[name].shape}, got {new.shape}"
            )
        values[id(known[name])] = new
    places = [
        (vars(part), name, value)
        for part in module.modules()
        for name, value in vars(part).items()
        if id(value) in values
    ]
    try:
        for entries, name, value in places:
            entries[name] = values[id(value)]
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))
    finally:
        for entries, name, value in places:
            entries[name] = value
