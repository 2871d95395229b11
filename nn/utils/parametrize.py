"""Parametrizations: a parameter computed from others by a module, whenever it is read.

`module.weight` becomes what the modules in `module.parametrizations.weight` make of its
`original`. Names are PyTorch's, in `state_dict` too. Imports `_containers` and `_computed`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd import no_grad
from nn._containers import ModuleDict, ModuleList
from nn._module import Module
from nn._parameter import Parameter
from nn._state import plain
from nn.utils._computed import compute, computed, original_class, restore

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "type_before_parametrizations",
]

# Values within `cached()`, by list; None outside.
_cache: dict[ParametrizationList, Any] | None = None


def _require_alike(before: Any, after: Any) -> None:
    if (before.shape, before.dtype) != (after.shape, after.dtype):
        raise ValueError(
            f"register_parametrization: wanted a result of shape {before.shape} and dtype "
            f"{before.dtype}, got {after.shape} and {after.dtype}; pass unsafe=True if that is "
            "meant"
        )


class ParametrizationList(ModuleList):
    """The modules that make a parameter of its original, one after the other.

    Args:
        modules: the first takes the original, or the originals that its `right_inverse` returned.
        original: the parameter, or the buffer, as it was before.
        unsafe: whether shape and dtype may differ from those of the original.

    Attributes:
        original: Parameter or buffer; or original0, original1 ... where there are several.
    """

    def __init__(self, modules: Sequence[Module], original: Any, unsafe: bool = False) -> None:
        super().__init__(modules)
        self.unsafe = unsafe
        value: Any = original
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    value = module.right_inverse(value)
            self.is_tensor = not isinstance(value, (list, tuple))
            parts = [value] if self.is_tensor else list(value)
            self.ntensors = len(parts)
            if not unsafe:
                _require_alike(original, self._through(parts))
        for name, part in zip(self._names_of_originals(), parts, strict=True):
            self._hold(name, plain(part), original)

    def _names_of_originals(self) -> list[str]:
        return ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]

    def _hold(self, name: str, array: Any, like: Any) -> None:
        if not isinstance(like, Parameter):
            self.register_buffer(name, array)
        elif self.is_tensor and array.shape == like.shape and array.dtype == like.dtype:
            if array is not like.data:
                like.data = np.array(array)
            self.register_parameter(name, like)  # the object that an optimizer may hold
        else:
            self.register_parameter(name, Parameter(np.array(array), like.requires_grad))

    def _through(self, originals: Sequence[Any]) -> Any:
        first, *others = self
        value = first(*originals)
        for module in others:
            value = module(value)
        return value

    def forward(self) -> Any:
        """Return what the modules make of the original."""
        return self._through([getattr(self, name) for name in self._names_of_originals()])

    def right_inverse(self, value: Any) -> None:
        """Change the original such that the result becomes `value`.

        Raises:
            NotImplementedError: where a module has no `right_inverse`.
            ValueError: where the number of originals, or a shape, would change.
        """
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise NotImplementedError(
                        f"right_inverse: wanted a method right_inverse(value) of "
                        f"{type(module).__name__}, got none; define it, or assign the original"
                    )
                value = module.right_inverse(value)
        parts = [value] if self.is_tensor else list(value)
        for name, part in zip(self._names_of_originals(), parts, strict=True):
            original = getattr(self, name)
            if isinstance(original, Parameter):
                original.data = np.array(plain(part), dtype=original.dtype)
            else:
                setattr(self, name, np.array(plain(part), dtype=original.dtype))


def _read(name: str) -> Any:
    def get(module: Any) -> Any:
        made = vars(module)["parametrizations"][name]
        if _cache is None:
            return made()
        if made not in _cache:
            _cache[made] = made()
        return _cache[made]

    return get


def _write(name: str) -> Any:
    def put(module: Any, value: Any) -> None:
        module.parametrizations[name].right_inverse(value)

    return put


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Compute a parameter or buffer of `module` by `parametrization`, from now on.

    A further parametrization of the same parameter takes the result of those before.

    Args:
        module: the owner.
        tensor_name: name of the parameter or buffer.
        parametrization: a module that is called with the original. Where it has a method
            `right_inverse(value)`, that makes the original (or several) of the present value, and
            assignments to the parameter are possible.
        unsafe: whether shape and dtype of the result may differ from the original's.

    Returns:
        The module.

    Raises:
        ValueError: where there is no such parameter or buffer, or the result has another shape or
            dtype; nothing has been changed then.

    Example:
        >>> import nn
        >>> class Symmetric(nn.Module):
        ...     def forward(self, x):
        ...         return (x + x.T) / 2
        >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
        >>> bool((layer.weight.data == layer.weight.data.T).all())
        True
        >>> list(layer.state_dict())
        ['bias', 'parametrizations.weight.original']
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        present: Any = vars(module)["parametrizations"][tensor_name]
        _append(present, parametrization, unsafe)
        return module
    original = vars(module).get(tensor_name)
    if not isinstance(original, Parameter) and (
        tensor_name not in module._buffers or original is None  # noqa: SLF001 - of a Module
    ):
        raise ValueError(
            f"register_parametrization: wanted the name of a parameter or buffer of "
            f"{type(module).__name__}, got {tensor_name!r}"
        )
    made = ParametrizationList([parametrization], original, unsafe)
    made.train(module.training)
    delattr(module, tensor_name)
    if "parametrizations" not in vars(module):
        module.parametrizations = ModuleDict()
    vars(module)["parametrizations"][tensor_name] = made
    compute(module, tensor_name, _read(tensor_name), _write(tensor_name), "Parametrized")
    return module


def _append(present: ParametrizationList, parametrization: Module, unsafe: bool) -> None:
    with no_grad():
        before = present()
        after = parametrization(before)
        if not unsafe:
            _require_alike(before, after)
        if hasattr(parametrization, "right_inverse"):
            value = parametrization.right_inverse(before)
            if isinstance(value, (tuple, list)):
                raise ValueError(
                    "register_parametrization: wanted one array from the right_inverse of a "
                    f"further parametrization, got {len(value)}; only the first may have several"
                )
            if all(hasattr(m, "right_inverse") for m in present):
                present.right_inverse(value)
    present.append(parametrization)
    present.unsafe = present.unsafe or unsafe


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Tell whether an attribute, or any at all, is computed by parametrizations."""
    lists = vars(module).get("parametrizations")
    if not isinstance(lists, ModuleDict) or not computed(module):
        return False
    return len(lists) > 0 if tensor_name is None else tensor_name in lists


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Make a parametrized attribute an ordinary parameter or buffer again.

    Args:
        module: the owner.
        tensor_name: name of the attribute.
        leave_parametrized: whether it keeps the computed value; else it becomes the original,
            which must be a single one.

    Returns:
        The module.

    Raises:
        ValueError: where the attribute is not parametrized, or has several originals.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(
            f"remove_parametrizations: wanted a parametrized attribute of "
            f"{type(module).__name__}, got {tensor_name!r}"
        )
    made: Any = vars(module)["parametrizations"][tensor_name]
    if not leave_parametrized and not made.is_tensor:
        raise ValueError(
            f"remove_parametrizations: wanted leave_parametrized=True for {tensor_name!r}, which "
            f"has {made.ntensors} originals, got False"
        )
    original = getattr(made, made._names_of_originals()[0])  # noqa: SLF001 - of this module
    value = original
    if leave_parametrized:
        with no_grad():
            array = np.array(plain(made()))
        value = array
        if isinstance(original, Parameter):
            value = original
            if made.is_tensor and array.shape == original.shape:
                original.data = array
            else:
                value = Parameter(array, original.requires_grad)
    restore(module, tensor_name)
    del vars(module)["parametrizations"][tensor_name]
    if not len(vars(module)["parametrizations"]):
        delattr(module, "parametrizations")
    if isinstance(value, Parameter):
        module.register_parameter(tensor_name, value)
    else:
        module.register_buffer(tensor_name, value)
    return module


def type_before_parametrizations(module: Module) -> type[Module]:
    """Return the class of a module as it was before any parametrization."""
    return original_class(module)


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized attribute once while this context is active.

    For weights that are read several times in one pass, as those of a recurrent cell. Parameters
    must not change meanwhile.
    """
    global _cache  # noqa: PLW0603 - one cache, switched on and off
    before = _cache
    _cache = {} if before is None else before
    try:
        yield
    finally:
        _cache = before
