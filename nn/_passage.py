"""What full backward hooks hang on: the gradients that pass a module. Imports `autograd` only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import Function, Variable

__all__ = ["BackwardHook", "BackwardPreHook", "Passage"]

# (module, gradients of the inputs, gradients of the outputs) -> None, or new ones of the inputs.
BackwardHook = Callable[[Any, tuple[Any, ...], tuple[Any, ...]], Any]
# (module, gradients of the outputs) -> None, or new ones.
BackwardPreHook = Callable[[Any, tuple[Any, ...]], Any]


class _Passing(Function):
    """Return the values; in the backward pass their gradients go through a function."""

    @staticmethod
    def forward(ctx: Any, function: Any, *values: Any) -> Any:
        """Return `values`."""
        ctx.set_materialize_grads(False)
        ctx.function = function
        return values

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Return what the function makes of the gradients."""
        return None, *ctx.function(gradients)


class Passage:
    """One call of a module with backward hooks: `enter` its arguments, `leave` with its outputs.

    The hooks are called when the gradients of all inputs are known, or, where no input requires
    one, those of the outputs.
    """

    def __init__(
        self, module: Any, pre_hooks: tuple[BackwardPreHook, ...], hooks: tuple[BackwardHook, ...]
    ) -> None:
        self._module, self._pre_hooks, self._hooks = module, pre_hooks, hooks
        self._grad_output: tuple[Any, ...] = ()
        self._inputs = 0
        self._entered = False

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, those that require a gradient on nodes of this passage."""
        self._inputs = len(args)
        passed = _pass(args, self._at_inputs)
        self._entered = passed is not args
        return passed

    def leave(self, out: Any) -> Any:
        """Return the outputs on nodes of this passage; a dict and the like as it is."""
        if isinstance(out, tuple):
            return _pass(out, self._at_outputs)
        return _pass((out,), self._at_outputs)[0]

    def _at_outputs(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self._pre_hooks:
            gradients = self._changed(hook(self._module, gradients), gradients)
        self._grad_output = gradients
        if not self._entered:
            for backward_hook in self._hooks:
                backward_hook(self._module, (None,) * self._inputs, gradients)
        return gradients

    def _at_inputs(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self._hooks:
            result = hook(self._module, gradients, self._grad_output)
            gradients = self._changed(result, gradients)
        return gradients

    def _changed(self, result: Any, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        if result is None:
            return gradients
        new = result if isinstance(result, tuple) else (result,)
        if len(new) != len(gradients):
            raise ValueError(
                f"{type(self._module).__name__}: wanted {len(gradients)} gradients from its "
                f"backward hook, got {len(new)}; return None to change nothing"
            )
        return new


def _pass(
    values: tuple[Any, ...], function: Callable[[tuple[Any, ...]], tuple[Any, ...]]
) -> tuple[Any, ...]:
    """Return the values; `function` gets a gradient, or None, for each of them."""
    places = [i for i, v in enumerate(values) if isinstance(v, Variable) and v.requires_grad]
    if not places:
        return values

    def spread(gradients: tuple[Any, ...]) -> list[Any]:
        known = dict(zip(places, gradients, strict=True))
        new = function(tuple(known.get(i) for i in range(len(values))))
        return [new[i] for i in places]

    passed = dict(zip(places, _Passing.apply(spread, *(values[i] for i in places)), strict=True))
    return tuple(passed.get(i, v) for i, v in enumerate(values))
