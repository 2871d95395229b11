"""Pruning: entries of a parameter that are held at 0 by a mask.

A pruned `weight` is computed from the parameter `weight_orig` and the buffer `weight_mask`, whose
entries are 1 or 0. Pruning again takes away from what is left. Names and arguments are PyTorch's.
Imports `_computed` and `autograd`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

import autograd
from autograd import new_generator
from nn._module import Module
from nn._parameter import Parameter
from nn._state import plain
from nn.functional._names import dim_is_axis
from nn.utils._computed import compute, computed, fixed, parameter_of, restore

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]

M = TypeVar("M", bound=Module)


class BasePruningMethod:
    """A way to choose what is pruned: override `compute_mask`, and call `apply`."""

    def __repr__(self) -> str:
        shown = {k: v for k, v in vars(self).items() if isinstance(v, int | float)}
        options = [f"{name}={value!r}" for name, value in shown.items()]
        return f"{type(self).__name__}({', '.join(options)})"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the new mask, of ones and zeros, of the shape of `t`.

        Args:
            t: how much each entry matters; the parameter itself unless scores were given.
            default_mask: the mask so far.

        Raises:
            NotImplementedError: where a class does not define it.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: wanted a method compute_mask(self, t, default_mask), got "
            "none; define it"
        )

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """Return `t` with the chosen entries at 0; nothing is remembered."""
        scores = plain(t if importance_scores is None else importance_scores)
        mask = np.ones_like(scores) if default_mask is None else plain(default_mask)
        return autograd.where(self.compute_mask(scores, mask) != 0, t, 0.0)

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune the parameter `name` of `module`, and return the method.

        Args:
            module: the owner.
            name: of the parameter.
            *args: what the method is made with.
            importance_scores: how much each entry matters, of the parameter's shape.
            **kwargs: what the method is made with.
        """
        method = cls(*args, **kwargs)
        weight, mask = _state(cls.__name__, module, name)
        scores = weight.data if importance_scores is None else plain(importance_scores)
        if scores.shape != weight.shape:
            raise ValueError(
                f"{cls.__name__}: wanted importance_scores of shape {weight.shape}, got "
                f"{scores.shape}"
            )
        mask = np.asarray(method.compute_mask(scores, mask), dtype=weight.dtype)
        if name in computed(module):
            setattr(module, f"{name}_mask", mask)
            return method
        delattr(module, name)
        module.register_parameter(f"{name}_orig", weight)
        module.register_buffer(f"{name}_mask", mask)
        compute(
            module,
            name,
            functools.partial(_masked, name=name),
            fixed(name, f"{name}_orig and {name}_mask"),
        )
        return method


def _masked(module: Any, name: str) -> Any:
    mask = getattr(module, f"{name}_mask")
    return autograd.where(mask != 0, getattr(module, f"{name}_orig"), 0.0)


def _state(operation: str, module: Module, name: str) -> tuple[Parameter, Any]:
    """Return the parameter behind `name`, and the mask so far."""
    entries = vars(module)
    if name in computed(module) and f"{name}_mask" in entries:
        return entries[f"{name}_orig"], entries[f"{name}_mask"]
    weight = parameter_of(operation, module, name)
    return weight, np.ones(weight.shape, weight.dtype)


def _count(operation: str, amount: float, total: int) -> int:
    """Return how many of `total` an amount is: a number of them, or a part from 0 to 1."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float, np.number)):
        raise TypeError(f"{operation}: wanted a number as amount, got {amount!r}")
    if isinstance(amount, (int, np.integer)):
        if not 0 <= amount <= total:
            raise ValueError(f"{operation}: wanted an amount from 0 to {total}, got {amount}")
        return int(amount)
    if not 0 <= amount <= 1:
        raise ValueError(f"{operation}: wanted an amount from 0.0 to 1.0, got {amount}")
    return round(amount * total)


class Identity(BasePruningMethod):
    """Prune nothing; the parameter is computed with a mask of ones."""

    def compute_mask(self, t: Any, default_mask: Any) -> Any:  # noqa: ARG002 - of all methods
        """Return the mask so far."""
        return default_mask


class _Unstructured(BasePruningMethod):
    """Prune single entries.

    Args:
        amount: how many, or which part of those that are left.
    """

    def __init__(self, amount: float) -> None:
        self.amount = amount

    def order(self, scores: Any) -> Any:
        """Return the places of a vector in the order in which they are pruned."""
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the mask so far without the first entries in order."""
        left = np.flatnonzero(default_mask)
        count = _count(type(self).__name__, self.amount, left.size)
        mask = np.array(default_mask)
        mask.reshape(-1)[left[self.order(np.reshape(t, -1)[left])[:count]]] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Prune single entries at random.

    Args:
        amount: how many, or which part of those that are left.
        generator: a seed or np.random.Generator.
    """

    def __init__(self, amount: float, generator: Any = None) -> None:
        super().__init__(amount)
        self.generator = new_generator(generator)

    def order(self, scores: Any) -> Any:
        """Return the places in random order."""
        return self.generator.permutation(scores.size)


class L1Unstructured(_Unstructured):
    """Prune the entries that are nearest to 0.

    Args:
        amount: how many, or which part of those that are left.
    """

    def order(self, scores: Any) -> Any:
        """Return the places by absolute value."""
        return np.argsort(np.abs(scores), kind="stable")


class _Structured(BasePruningMethod):
    """Prune whole channels.

    Args:
        amount: how many, or which part of those that are left.
        axis: the axis of the channels.
    """

    def __init__(self, amount: float, axis: int) -> None:
        self.amount = amount
        self.axis = axis

    def order(self, scores: Any) -> Any:
        """Return the rows of a matrix in the order in which they are pruned."""
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the mask so far without the first channels in order."""
        name = type(self).__name__
        if t.ndim < 2 or not -t.ndim <= self.axis < t.ndim:
            raise ValueError(
                f"{name}: wanted a parameter of two or more axes, one of them {self.axis}, got "
                f"shape {t.shape}"
            )
        mask = np.array(default_mask)
        channels = np.moveaxis(mask, self.axis, 0)
        left = np.flatnonzero(channels.reshape(len(channels), -1).any(axis=1))
        count = _count(name, self.amount, left.size)
        scores = np.moveaxis(t, self.axis, 0).reshape(len(channels), -1)
        channels[left[self.order(scores[left])[:count]]] = 0
        return mask


class RandomStructured(_Structured):
    """Prune whole channels at random.

    Args:
        amount: how many, or which part of those that are left.
        axis: the axis of the channels; `dim` is taken for it.
        generator: a seed or np.random.Generator.
    """

    @dim_is_axis
    def __init__(self, amount: float, axis: int = -1, generator: Any = None) -> None:
        super().__init__(amount, axis)
        self.generator = new_generator(generator)

    def order(self, scores: Any) -> Any:
        """Return the rows in random order."""
        return self.generator.permutation(len(scores))


class LnStructured(_Structured):
    """Prune the channels of the smallest norm.

    Args:
        amount: how many, or which part of those that are left.
        n: the order of the norm.
        axis: the axis of the channels; `dim` is taken for it.
    """

    @dim_is_axis
    def __init__(self, amount: float, n: float, axis: int = -1) -> None:
        super().__init__(amount, axis)
        self.n = n

    def order(self, scores: Any) -> Any:
        """Return the rows by norm."""
        return np.argsort(np.linalg.norm(scores, self.n, axis=1), kind="stable")


class CustomFromMask(BasePruningMethod):
    """Prune where a mask is 0.

    Args:
        mask: ones and zeros of the parameter's shape.
    """

    def __init__(self, mask: Any) -> None:
        self.mask = np.asarray(plain(mask))

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the mask so far, and 0 where the given one is."""
        if self.mask.shape != t.shape:
            raise ValueError(
                f"CustomFromMask: wanted a mask of shape {t.shape}, got {self.mask.shape}"
            )
        return np.where(self.mask != 0, default_mask, 0)


# -- functions -------------------------------------------------------------------------------------


def identity(module: M, name: str) -> M:
    """Compute `module.name` with a mask of ones, which prunes nothing; return the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: M, name: str, amount: float, *, generator: Any = None) -> M:
    """Prune entries of `module.name` at random; return the module.

    Args:
        module: the owner.
        name: of the parameter.
        amount: how many, or (a float) which part of those that are left.
        generator: a seed or np.random.Generator.
    """
    RandomUnstructured.apply(module, name, amount, generator)
    return module


def l1_unstructured(module: M, name: str, amount: float, importance_scores: Any = None) -> M:
    """Prune the entries of `module.name` that are nearest to 0; return the module.

    Args:
        module: the owner.
        name: of the parameter.
        amount: how many, or (a float) which part of those that are left.
        importance_scores: numbers that are looked at instead of the parameter.

    Example:
        >>> import nn
        >>> layer = l1_unstructured(nn.Linear(4, 5), "weight", amount=0.25)
        >>> int((layer.weight.data == 0).sum())
        5
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


@dim_is_axis
def random_structured(
    module: M, name: str, amount: float, axis: int, *, generator: Any = None
) -> M:
    """Prune channels of `module.name` along `axis` at random; return the module.

    Args:
        module: the owner.
        name: of the parameter.
        amount: how many, or (a float) which part of those that are left.
        axis: of the channels; `dim` is taken for it.
        generator: a seed or np.random.Generator.
    """
    RandomStructured.apply(module, name, amount, axis, generator)
    return module


@dim_is_axis
def ln_structured(
    module: M, name: str, amount: float, n: float, axis: int, importance_scores: Any = None
) -> M:
    """Prune the channels of `module.name` along `axis` with the smallest norm; return the module.

    Args:
        module: the owner.
        name: of the parameter.
        amount: how many, or (a float) which part of those that are left.
        n: the order of the norm.
        axis: of the channels; `dim` is taken for it.
        importance_scores: numbers that are looked at instead of the parameter.
    """
    LnStructured.apply(module, name, amount, n, axis, importance_scores=importance_scores)
    return module


def custom_from_mask(module: M, name: str, mask: Any) -> M:
    """Prune `module.name` where `mask` is 0; return the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: Mapping[tuple[Module, str], Any] | None = None,
    **kwargs: Any,
) -> None:
    """Prune the entries of several parameters together, as if they were one.

    Args:
        parameters: pairs of a module and the name of one of its parameters.
        pruning_method: L1Unstructured or RandomUnstructured.
        importance_scores: what is looked at instead of a parameter, by pair.
        **kwargs: what the method is made with: `amount`.

    Raises:
        TypeError: for a method that prunes whole channels.
    """
    pairs = list(parameters)
    if not issubclass(pruning_method, (_Unstructured, CustomFromMask)):
        raise TypeError(
            "global_unstructured: wanted a method that prunes single entries, got "
            f"{pruning_method.__name__}; channels of different layers cannot be compared"
        )
    given = importance_scores or {}
    states = [_state("global_unstructured", module, name) for module, name in pairs]
    scores = [plain(given.get(p, w)) for p, (w, _) in zip(pairs, states, strict=True)]
    joined = np.concatenate([s.reshape(-1) for s in scores])
    before = np.concatenate([mask.reshape(-1) for _, mask in states])
    after = pruning_method(**kwargs).compute_mask(joined, before)
    start = 0
    for (module, name), (weight, _) in zip(pairs, states, strict=True):
        custom_from_mask(module, name, after[start : start + weight.size].reshape(weight.shape))
        start += weight.size


def remove(module: M, name: str) -> M:
    """Make a pruned parameter an ordinary one, zeros included; return the module.

    Raises:
        ValueError: where the parameter is not pruned.
    """
    if name not in computed(module) or f"{name}_mask" not in vars(module):
        raise ValueError(
            f"remove: wanted a pruned parameter of {type(module).__name__}, got {name!r}"
        )
    weight = vars(module)[f"{name}_orig"]
    weight.data = np.array(plain(getattr(module, name)))
    restore(module, name)
    delattr(module, f"{name}_orig")
    delattr(module, f"{name}_mask")
    module.register_parameter(name, weight)
    return module


def is_pruned(module: Module) -> bool:
    """Tell whether a parameter of `module`, or of a module below, is pruned."""
    return any(f"{name}_mask" in vars(part) for part in module.modules() for name in computed(part))
