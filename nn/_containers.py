"""Containers: modules made of lists and mappings. Imports `_module` and `_parameter`."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from autograd import Variable
from nn._module import Module, bracketed
from nn._parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]

T = TypeVar("T")


class _Listed(Module):
    """What Sequential and ModuleList share: children under numbers, or names of their own."""

    def _items(self) -> list[Module]:
        # Not children(): a module that stands here twice counts twice.
        return [value for value in vars(self).values() if isinstance(value, Module)]

    def _names(self) -> list[str]:
        return [name for name, value in vars(self).items() if isinstance(value, Module)]

    def _position(self, index: int) -> int:
        count = len(self)
        position = operator.index(index)
        if not -count <= position < count:
            raise IndexError(
                f"{type(self).__name__}: wanted an index within its {count} modules, got {position}"
            )
        return position % count

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._items())

    # An empty container is a container, not None: `if self.head:` must not depend on its length.
    def __bool__(self) -> bool:
        return True

    def __contains__(self, module: object) -> bool:
        return any(module is item for item in self._items())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        if isinstance(index, slice):
            return self._of(list(zip(self._names(), self._items(), strict=True))[index])
        return self._items()[self._position(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._names()[self._position(index)], module)

    def __delitem__(self, index: int | slice) -> None:
        names, items = self._names(), self._items()
        gone = range(len(names))[index]
        positions = {gone} if isinstance(gone, int) else set(gone)
        kept = [
            (n, m) for i, (n, m) in enumerate(zip(names, items, strict=True)) if i not in positions
        ]
        self._rebuild(kept)

    def _rebuild(self, named: list[tuple[str, Module]]) -> None:
        """Hold just `named`, in this order; numbered names are counted again."""
        for name in self._names():
            delattr(self, name)
        for i, (name, module) in enumerate(named):
            self.add_module(str(i) if name.isdecimal() else name, module)

    def _of(self, named: list[tuple[str, Module]]) -> Self:
        """Return a container of the same class that shares the given modules."""
        new = type(self).__new__(type(self))
        Module.__init__(new)
        new._rebuild(named)  # noqa: SLF001 - of its own class
        return new

    def append(self, module: Module) -> Self:
        """Add `module` at the end; return this container."""
        taken = set(self._names())
        number = len(taken)
        while str(number) in taken:
            number += 1
        self.add_module(str(number), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add `modules` at the end, in order; return this container."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put `module` before position `index`; numbered names move on. Return this container."""
        named = list(zip(self._names(), self._items(), strict=True))
        named.insert(index, ("0", module))
        self._rebuild(named)
        return self

    def pop(self, index: int = -1) -> Module:
        """Remove the module at `index`, the last one by default, and return it."""
        module = self[index]
        del self[index]
        return module

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, modules: Iterable[Module]) -> Self:
        return self[:].extend(modules)

    def __repr__(self) -> str:
        # Runs of equal text are folded, as in "(0-11): 12 x Block(...)".
        runs: list[tuple[str, list[str]]] = []
        for name, module in zip(self._names(), self._items(), strict=True):
            text = repr(module)
            if runs and runs[-1][0] == text:
                runs[-1][1].append(name)
            else:
                runs.append((text, [name]))
        fold = isinstance(self, ModuleList)
        lines = []
        for text, names in runs:
            if fold and len(names) > 1:
                lines.append(f"({names[0]}-{names[-1]}): {len(names)} x {text}")
            else:
                lines.extend(f"({name}): {text}" for name in names)
        return bracketed(type(self).__name__, self.extra_repr(), lines)


class Sequential(_Listed):
    """Modules applied one after the other, the output of each the input of the next.

    Args:
        *modules: the modules, named '0', '1', ...; or one mapping of names to modules.

    Example:
        >>> import nn
        >>> nn.Sequential(nn.Linear(10, 50), nn.Tanh(), nn.Linear(50, 4))
        Sequential(
          (0): Linear(in_features=10, out_features=50, bias=True)
          (1): Tanh()
          (2): Linear(in_features=50, out_features=4, bias=True)
        )
    """

    @overload
    def __init__(self, *modules: Module) -> None: ...
    @overload
    def __init__(self, modules: Mapping[str, Module], /) -> None: ...
    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, module)
        elif len(modules) == 1 and isinstance(modules[0], (list, tuple)):
            raise TypeError(
                f"Sequential: wanted modules, got a {type(modules[0]).__name__} of them; unpack "
                "it, as in Sequential(*layers)"
            )
        else:
            for i, module in enumerate(modules):
                self.add_module(str(i), module)

    def forward(self, x: Any) -> Any:
        """Return the output of the last module; `x` itself where there is none."""
        before: Module = self
        for module in self._items():
            if x.__class__ is tuple and before is not self and _takes_one(module):
                raise TypeError(
                    f"Sequential: wanted one array from {type(before).__name__} for "
                    f"{type(module).__name__}, got a tuple of {len(x)}; write a Module whose "
                    "forward takes it apart, as in out, state = self.lstm(x)"
                )
            x, before = module(x), module
        return x


def _takes_one(module: Module) -> bool:
    """Tell whether a module is a layer of this library, which takes one array first."""
    return type(module).__module__.partition(".")[0] == "nn" and not isinstance(module, _Listed)


class ModuleList(_Listed):
    """A list of modules, whose parameters are found; it has no `forward` of its own.

    Args:
        modules: the first entries.

    Example:
        >>> import nn
        >>> nn.ModuleList(nn.Linear(8, 8) for _ in range(3))
        ModuleList(
          (0-2): 3 x Linear(in_features=8, out_features=8, bias=True)
        )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())


class _Named(Module, Generic[T]):
    """What ModuleDict and ParameterDict share: entries of one type under names."""

    _type: ClassVar[type[Any]]

    def _entries(self) -> dict[str, T]:
        return {name: value for name, value in vars(self).items() if isinstance(value, self._type)}

    def __getitem__(self, name: str) -> T:
        return self._entries()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        raise NotImplementedError

    def __delitem__(self, name: str) -> None:
        self[name]  # KeyError for what is no entry
        delattr(self, name)

    def __len__(self) -> int:
        return len(self._entries())

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __contains__(self, name: object) -> bool:
        return name in self._entries()

    def keys(self) -> Iterable[str]:
        """Return the names, in order."""
        return self._entries().keys()

    def values(self) -> Iterable[T]:
        """Return the entries, in order."""
        return self._entries().values()

    def items(self) -> Iterable[tuple[str, T]]:
        """Return pairs of name and entry, in order."""
        return self._entries().items()

    def update(self, entries: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add or replace entries."""
        for name, value in dict(entries).items():
            self[name] = value

    def pop(self, name: str) -> T:
        """Remove an entry and return it."""
        value = self[name]
        del self[name]
        return value


class ModuleDict(_Named[Module]):
    """A dictionary of modules by name, whose parameters are found; it has no `forward` of its own.

    Args:
        modules: the first entries, as a mapping or as pairs.

    Example:
        >>> import nn
        >>> heads = nn.ModuleDict({"mean": nn.Linear(8, 1), "scale": nn.Linear(8, 1)})
        >>> list(heads)
        ['mean', 'scale']
    """

    _type = Module

    def __init__(
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None
    ) -> None:
        super().__init__()
        self.update(modules or {})

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)


class ParameterList(Module):
    """A list of parameters that a module finds.

    Args:
        values: the first entries; arrays become Parameters.

    Example:
        >>> import nn
        >>> len(nn.ParameterList([[1.0, 2.0], [3.0]]))
        2
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(values or ())

    def _items(self) -> list[Parameter]:
        # `functional_call` puts Variables in their places.
        return [value for value in vars(self).values() if isinstance(value, Variable)]  # type: ignore[misc]

    def __len__(self) -> int:
        return len(self._items())

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._items())

    def __getitem__(self, index: int) -> Parameter:
        return self._items()[index]

    def __setitem__(self, index: int, parameter: Any) -> None:
        position = range(len(self))[index]
        setattr(self, str(position), _as_parameter(parameter))

    def append(self, parameter: Any) -> Self:
        """Add a parameter at the end; return this list."""
        setattr(self, str(len(self)), _as_parameter(parameter))
        return self

    def extend(self, parameters: Iterable[Any]) -> Self:
        """Add parameters at the end, in order; return this list."""
        for parameter in list(parameters):
            self.append(parameter)
        return self

    def __repr__(self) -> str:
        lines = [
            f"({i}): Parameter of shape {p.shape}, {p.dtype}" for i, p in enumerate(self._items())
        ]
        return bracketed("ParameterList", "", lines)


class ParameterDict(_Named[Parameter]):
    """A dictionary of parameters by name, which are found.

    Args:
        parameters: the first entries, as a mapping or as pairs; arrays become Parameters.

    Example:
        >>> import nn
        >>> scales = nn.ParameterDict({"left": [1.0, 2.0], "right": [3.0]})
        >>> [name for name, _ in scales.named_parameters()]
        ['left', 'right']
    """

    _type = Variable

    def __init__(
        self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None
    ) -> None:
        super().__init__()
        self.update(parameters or {})

    def __setitem__(self, name: str, parameter: Any) -> None:
        self.register_parameter(name, _as_parameter(parameter))

    def __repr__(self) -> str:
        lines = [f"({n}): Parameter of shape {p.shape}, {p.dtype}" for n, p in self.items()]
        return bracketed("ParameterDict", "", lines)


def _as_parameter(value: Any) -> Parameter:
    return value if isinstance(value, Parameter) else Parameter(value)
