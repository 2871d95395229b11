"""Module: a tree of parameters, buffers and modules; long because it is one class, half docstrings.

Imports `autograd`, `_parameter`, `_passage` and `_state`.

A Module keeps nothing twice: its parameters and its children are what its instance dictionary holds
of type Parameter and Module, in order of assignment, so attribute access costs what it costs in
Python. Buffers, which are plain arrays, are the only ones whose names are written down.
"""

from __future__ import annotations

import difflib
import functools
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from autograd import Variable
from autograd._hooks import HookHandle
from autograd._writes import Writes
from autograd.advice import instead_of_member
from autograd.arrays import is_array, to_numpy
from autograd.engine.mode import current_mode
from nn._parameter import Parameter
from nn._passage import BackwardHook, BackwardPreHook, Passage
from nn._state import IncompatibleKeys, convert, join, plain, plan_load

__all__ = ["ForwardHook", "HookHandle", "Module", "PreHook", "bracketed"]

# With `with_kwargs` they get the keyword arguments behind the others.
PreHook = Callable[..., Any]
ForwardHook = Callable[..., Any]

# What is called, and what assigning a truth value to it would not do.
_SWITCHES: Final = {
    "eval": "model.train(not {})",
    "requires_grad": "model.requires_grad_({})",
    "train": "model.train({})",
}


def _nobody(_module: Module) -> None:
    """Take no note of a module: what observers do that trace no program."""


class Module:
    """Base of layers and models: assign parameters and layers in `__init__`, compute in `forward`.

    Attributes:
        training: whether layers such as Dropout and BatchNorm behave as in training; set by
            `train()` and `eval()`.

    Example:
        >>> import nn
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.hidden, self.out = nn.Linear(10, 50), nn.Linear(50, 4)
        ...
        ...     def forward(self, x):
        ...         return self.out(nn.functional.tanh(self.hidden(x)))
        >>> sum(p.size for p in Net().parameters())
        754
    """

    training: bool
    _buffers: dict[str, bool]  # name -> whether state_dict holds it
    # Hooks live on the instance once there are any; None here keeps a call without hooks at one
    # test.
    _pre_hooks: dict[Any, Any] | None = None
    _hooks: dict[Any, Any] | None = None
    _backward_pre_hooks: dict[Any, BackwardPreHook] | None = None
    _backward_hooks: dict[Any, BackwardHook] | None = None
    _hooked = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Python's own errors name the class that defines a constructor; users know another one.
        owner = next(base for base in cls.__mro__ if "__init__" in vars(base))
        if owner.__name__.startswith("_") and owner is not cls:
            name = f"{cls.__qualname__}.__init__"
            cls.__init__ = _under_name(vars(owner)["__init__"], name)  # type: ignore[method-assign]

    def __init__(self) -> None:
        vars(self).update(training=True, _buffers={})

    # -- calling -----------------------------------------------------------------------------------

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - any arguments
        """Compute the output; to be defined by every model.

        Raises:
            NotImplementedError: where a class does not define it.
        """
        name = type(self).__name__
        near = difflib.get_close_matches("forward", set(dir(type(self))) - set(dir(Module)), n=1)
        got, fix = (near[0], "rename it to forward") if near else ("none", "define it")
        raise NotImplementedError(f"{name}: wanted a method forward(self, x), got {got}; {fix}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        mode = current_mode()
        if mode.tracing:  # the program is good for as long as this is what it is
            for observe in mode.observers:
                getattr(observe, "meet", _nobody)(self)
        try:
            if self._hooked:
                return self._call_hooked(args, kwargs)
            return self.forward(*args, **kwargs)
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            better = _explained(self, args, error)
            if better is None:
                raise
            raise better from error

    def _call_hooked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for pre_hook in tuple((self._pre_hooks or {}).values()):
            args, kwargs = pre_hook(self, args, kwargs)
        passage = None
        if self._backward_pre_hooks or self._backward_hooks:
            passage = Passage(
                self,
                tuple((self._backward_pre_hooks or {}).values()),
                tuple((self._backward_hooks or {}).values()),
            )
            args = passage.enter(args)
        out = self.forward(*args, **kwargs)
        for hook in tuple((self._hooks or {}).values()):
            changed = hook(self, args, kwargs, out)
            if changed is not None:
                out = changed
        return out if passage is None else passage.leave(out)

    def register_forward_pre_hook(
        self, hook: PreHook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call `hook(module, args)` before `forward`; args become what it returns, if any.

        Args:
            hook: the function.
            prepend: call it before the hooks that are there, not after them.
            with_kwargs: call `hook(module, args, kwargs)`, which returns both or None.
        """

        @functools.wraps(hook)
        def call(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if with_kwargs:
                changed = hook(module, args, kwargs)
                return (args, kwargs) if changed is None else changed
            changed = hook(module, args)
            if changed is None:
                return args, kwargs
            return changed if isinstance(changed, tuple) else (changed,), kwargs

        return self._add_hook("_pre_hooks", call, prepend)

    def register_forward_hook(
        self, hook: ForwardHook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call `hook(module, args, out)` after `forward`; out becomes what it returns, if any.

        Args:
            hook: the function.
            prepend: call it before the hooks that are there, not after them.
            with_kwargs: call `hook(module, args, kwargs, out)`.
        """

        @functools.wraps(hook)
        def call(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> Any:
            given = (args, kwargs) if with_kwargs else (args,)
            return hook(module, *given, out)

        return self._add_hook("_hooks", call, prepend)

    def register_full_backward_pre_hook(
        self, hook: BackwardPreHook, prepend: bool = False
    ) -> HookHandle:
        """Call `hook(module, grad_output)` when the gradients of the outputs are known.

        They are a tuple, which what the hook returns replaces, if anything.
        """
        return self._add_hook("_backward_pre_hooks", hook, prepend)

    def register_full_backward_hook(self, hook: BackwardHook, prepend: bool = False) -> HookHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the inputs are known.

        Both are tuples, with None where there is no gradient; `grad_input` is of the positional
        arguments, and becomes what the hook returns, if anything.

        Example:
            >>> import numpy as np, nn
            >>> from autograd import Variable
            >>> layer, seen = nn.Linear(2, 1), []
            >>> _ = layer.register_full_backward_hook(lambda *g: seen.append(g[1][0].shape))
            >>> layer(Variable(np.ones((3, 2)), requires_grad=True)).sum().backward()
            >>> seen
            [(3, 2)]
        """
        return self._add_hook("_backward_hooks", hook, prepend)

    def _add_hook(self, kind: str, hook: Any, prepend: bool) -> HookHandle:
        before = vars(self).setdefault(kind, {})
        others = dict(before) if prepend else {}
        if prepend:
            before.clear()
        handle = HookHandle(before, hook)
        before.update(others)
        self._hooked = True
        return handle

    # -- registration ------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        entries = vars(self)
        if isinstance(value, Module):
            self._refuse_early(entries, name, "module")
            self._refuse_cycle(name, value)
        elif isinstance(value, Parameter):
            self._refuse_early(entries, name, "parameter")
        elif value is not None and name in entries:
            old = entries[name]
            if isinstance(old, (Module, Parameter)):
                raise TypeError(self._cannot_replace(name, old, value))
            if name in entries.get("_buffers", ()):
                value = _as_buffer(type(self).__name__, name, value)
        elif type(value) is Variable and _is_trainable(value):
            cls = type(self).__name__
            warnings.warn(
                f"{cls}.{name} is a Variable that {cls}.parameters() does not find; write "
                "nn.Parameter(values), or register_buffer for what is not trained",
                stacklevel=2,
            )
        elif type(value) in (list, tuple, dict) and _hides_parameters(value):
            cls = type(self).__name__
            container = "ModuleDict" if type(value) is dict else "ModuleList or nn.ParameterList"
            warnings.warn(
                f"{cls}.{name} is a plain {type(value).__name__}, in which {cls}.parameters() "
                "finds nothing; "
                f"use nn.{container}",
                stacklevel=2,
            )
        elif isinstance(value, bool) and name in _SWITCHES:
            raise AttributeError(
                f"{type(self).__name__}.{name}: wanted a call, which reaches all parts of the "
                f"model, got an assignment; write {_SWITCHES[name].format(value)}"
            )
        if isinstance(value, (Module, Parameter)):
            entries["_buffers"].pop(name, None)
        object.__setattr__(self, name, value)

    if not TYPE_CHECKING:  # type checkers have their own words

        def __getattr__(self, name: str) -> Any:
            """Say what is written instead; called for missing attributes only."""
            if any(name in vars(cls) for cls in type(self).__mro__):
                return object.__getattribute__(self, name)  # a property, whose own error this is
            raise instead_of_member(self, name)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self._buffers.pop(name, None)

    def _refuse_early(self, entries: dict[str, Any], name: str, kind: str) -> None:
        if "_buffers" not in entries:
            raise AttributeError(
                f"{type(self).__name__}: wanted super().__init__() to run before the {kind} "
                f"{name!r} is assigned, got the "
                f"assignment first; make super().__init__() the first line of __init__"
            )

    def _refuse_cycle(self, name: str, value: Module) -> None:
        for path, module in value.named_modules():
            if module is self:
                cls = type(self).__name__
                inner = join(name, path)
                raise ValueError(
                    f"{cls}: wanted a tree of modules, got the {cls} itself as {inner!r}; keep a "
                    "reference that is "
                    f"no child as weakref.ref(module)"
                )

    def _cannot_replace(self, name: str, old: Any, value: Any) -> str:
        cls, got = type(self).__name__, type(value).__name__
        if isinstance(old, Module):
            return (
                f"{cls}.{name}: wanted a Module or None in place of a Module, got {got}; "
                f"del the attribute first"
            )
        return (
            f"{cls}.{name}: wanted a Parameter or None in place of a Parameter, got {got}; write "
            f"`.{name}.data = values` for new values, `.{name} = nn.Parameter(values)` for a new "
            "parameter"
        )

    def add_module(self, name: str, module: Module | None) -> None:
        """Assign `module` as the child `name`; the same as `setattr`, for names that are computed.

        Raises:
            TypeError: where `module` is no Module.
            ValueError: where the name is empty, contains a dot or is taken by something else.
        """
        if module is not None and not isinstance(module, Module):
            cls, got, fix = (
                type(self).__name__,
                type(module).__name__,
                "pass an instance of nn.Module",
            )
            if isinstance(module, type):
                got, fix = f"the class {module.__name__}", f"write {module.__name__}()"
            raise TypeError(f"{cls}: wanted a Module for {name!r}, got {got}; {fix}")
        self._check_name("add_module", name, Module)
        setattr(self, name, module)

    register_module = add_module

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Assign `param` as the attribute `name`; None says that there is none.

        Raises:
            TypeError: where `param` is no Parameter.
            ValueError: where the name is empty, contains a dot or is taken by something else.
        """
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"register_parameter: wanted a Parameter for {name!r}, got "
                f"{type(param).__name__}; wrap it in "
                f"nn.Parameter"
            )
        self._check_name("register_parameter", name, Parameter)
        setattr(self, name, param)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Add an array that is state but not trained, as the running mean of BatchNorm.

        Args:
            name: the attribute it becomes.
            tensor: an array (kept as it is), numbers (converted), or None for a buffer that is
                absent.
            persistent: whether `state_dict` holds it.

        Raises:
            TypeError: for a Variable that requires a gradient.
            ValueError: where the name is empty, contains a dot or is taken by something else.
        """
        self._refuse_early(vars(self), name, "buffer")
        if name not in self._buffers:
            self._check_name("register_buffer", name, type(None))
        value = _as_buffer(type(self).__name__, name, tensor)
        self._buffers[name] = persistent
        object.__setattr__(self, name, value)

    def _check_name(self, method: str, name: str, kind: type[Any]) -> None:
        if not name or "." in name:
            raise ValueError(f"{method}: wanted a name without dots, got {name!r}; choose another")
        taken = getattr(self, name, None)
        if taken is not None and not (name in vars(self) and isinstance(taken, kind)):
            raise ValueError(
                f"{method}: wanted a new name, got {name!r}, which {type(self).__name__} already "
                "uses; choose another"
            )

    # -- walks -------------------------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules directly below with their names, each once."""
        seen = set()
        for name, value in vars(self).items():
            if isinstance(value, Module) and value not in seen:
                seen.add(value)
                yield name, value

    def children(self) -> Iterator[Module]:
        """Yield the modules directly below, each once."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield this module and all below with their dotted paths, parents first.

        Args:
            prefix: path of this module itself.
            remove_duplicate: yield a module that has several paths only under the first.
        """
        seen: set[Module] = set()
        stack = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if remove_duplicate:
                if module in seen:
                    continue
                seen.add(module)
            yield path, module
            below = [(join(path, n), v) for n, v in vars(module).items() if isinstance(v, Module)]
            stack.extend(reversed(below))

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below, parents first, each once."""
        for _, module in self.named_modules():
            yield module

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters with dotted paths; a shared one once, under its first path.

        Args:
            prefix: path of this module itself.
            recurse: also those of the modules below.
            remove_duplicate: False yields a shared parameter under each of its paths.
        """
        seen: set[int] = set()
        for path, module in self._walk(prefix, recurse, remove_duplicate):
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and not (remove_duplicate and id(value) in seen):
                    seen.add(id(value))
                    yield join(path, name), value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, a shared one once: what an optimizer takes."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
        """Yield the buffers with dotted paths; a shared one once, under its first path.

        Args:
            prefix: path of this module itself.
            recurse: also those of the modules below.
            remove_duplicate: False yields a shared buffer under each of its paths.
        """
        seen: set[int] = set()
        for path, module in self._walk(prefix, recurse, remove_duplicate):
            for name in module._buffers:  # noqa: SLF001 - of a Module
                value = vars(module)[name]
                if value is not None and not (remove_duplicate and id(value) in seen):
                    seen.add(id(value))
                    yield join(path, name), value

    def buffers(self, recurse: bool = True) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the buffers, a shared one once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def _walk(
        self, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterable[tuple[str, Module]]:
        return self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]

    def get_submodule(self, target: str) -> Module:
        """Return the module at a dotted path, as `named_modules` names it.

        Raises:
            AttributeError: where there is none.
        """
        module: Any = self
        for name in target.split(".") if target else ():
            module = vars(module).get(name)
            if not isinstance(module, Module):
                known = ", ".join(repr(p) for p, _ in self.named_modules() if p) or "none"
                raise AttributeError(  # noqa: TRY004 - as getattr
                    f"get_submodule: wanted the path of a module in {type(self).__name__}, got "
                    f"{target!r}; the paths are {known}"
                )
        found: Module = module
        return found

    def set_submodule(self, target: str, module: Module) -> None:
        """Replace the module at a dotted path.

        Raises:
            AttributeError: where there is none.
        """
        self.get_submodule(target)
        path, _, name = target.rpartition(".")
        setattr(self.get_submodule(path), name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at a dotted path, as `named_parameters` names it.

        Raises:
            AttributeError: where there is none.
        """
        found: Parameter = self._at("get_parameter", target, "parameter", self.named_parameters)
        return found

    def get_buffer(self, target: str) -> np.ndarray[Any, Any]:
        """Return the buffer at a dotted path, as `named_buffers` names it.

        Raises:
            AttributeError: where there is none.
        """
        found: np.ndarray[Any, Any] = self._at("get_buffer", target, "buffer", self.named_buffers)
        return found

    def _at(self, method: str, target: str, kind: str, named: Callable[..., Any]) -> Any:
        found = dict(named(remove_duplicate=False))
        if target not in found:
            known = ", ".join(map(repr, found)) or "none"
            raise AttributeError(
                f"{method}: wanted the path of a {kind} in {type(self).__name__}, got {target!r}; "
                f"the paths are {known}"
            )
        return found[target]

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on all modules below, children first, and on this one; return it."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # -- modes -------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Switch to training behaviour, here and below, or to evaluation; return this module."""
        for module in self.modules():
            vars(module)["training"] = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation behaviour, here and below; return this module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether parameters get gradients, False to freeze them; return this module."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters; `set_to_none=False` fills them with zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = np.zeros_like(parameter.grad)

    # -- state -------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return copies of all parameters and persistent buffers by dotted path, as PyTorch does:
        arrays of NumPy, whichever library they are kept in.

        A shared parameter appears under each of its paths, as one array, which `nn.save` writes
        once. Later training does not change what was returned.
        """
        entries = list(self._state())
        copies = {id(value): to_numpy(plain(value).copy()) for _, value, _, _ in entries}
        return {path: copies[id(value)] for path, value, _, _ in entries}

    def _state(self) -> Iterator[tuple[str, Any, Module, str]]:
        """Yield (path, Parameter or buffer, owner, name in the owner)."""
        for path, module in self.named_modules(remove_duplicate=False):
            entries = vars(module)
            for name, value in entries.items():
                if isinstance(value, Parameter):
                    yield join(path, name), value, module, name
            for name, persistent in module._buffers.items():  # noqa: SLF001 - of a Module
                if persistent and entries[name] is not None:
                    yield join(path, name), entries[name], module, name

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Copy arrays into the parameters and buffers, cast to their dtypes.

        Parameters stay the objects they are, so an optimizer that holds them goes on working;
        graphs recorded before are detected as out of date. Of a shared parameter one path is
        enough.

        Args:
            state_dict: arrays, Variables or CPU tensors by dotted path.
            strict: whether missing and unexpected keys are an error; what does not fit always is.

        Returns:
            The missing and the unexpected keys.

        Raises:
            ValueError: naming all missing, unexpected, mis-shaped and mis-typed keys, and values
                that the dtype cannot hold. Nothing has been changed then, nor by a Ctrl-C.
            TypeError: `state_dict` is no dict.
        """
        writes, keys = self._plan(state_dict, strict)
        writes.commit()
        return keys

    def _plan(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> tuple[Writes, IncompatibleKeys]:
        return plan_load(list(self._state()), state_dict, strict, type(self).__name__)

    def _plan_load(self, state_dict: Mapping[str, Any]) -> Writes:
        """Return what `load_state_dict` will write, checked; nothing has changed yet."""
        return self._plan(state_dict)[0]

    def get_extra_state(self) -> Any:
        """Return state that is no array, as JSON-able values; None where there is none.

        To be overridden together with `set_extra_state`, as Dropout does for its random generator.
        """
        return None

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` returned.

        Raises:
            NotImplementedError: where a class does not define it.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: wanted a method set_extra_state(self, state) for the state "
            f"{state!r}, got none; define it"
        )

    def extra_state(self) -> dict[str, Any]:
        """Return the extra states of this module and those below, where there are any, by path."""
        states = ((path, module.get_extra_state()) for path, module in self.named_modules())
        return {path: state for path, state in states if state is not None}

    def load_extra_state(self, states: Mapping[str, Any]) -> None:
        """Hand what `extra_state` returned back to the modules.

        Raises:
            ValueError: where the paths differ from those of this module, or a state does not fit;
                nothing has been changed then.
            TypeError: `states` is no dict.
        """
        if not isinstance(states, Mapping):
            raise TypeError(
                f"load_extra_state: wanted a dict of states, got {type(states).__name__}"
            )
        modules = dict(self.named_modules())
        before = self.extra_state()
        if set(before) != set(states):
            raise ValueError(
                f"load_extra_state: wanted states for {list(before)}, got {list(states)}; build "
                "the model as it was when saved"
            )
        try:
            for path, state in states.items():
                modules[path].set_extra_state(state)
        except BaseException:
            for path, state in before.items():
                modules[path].set_extra_state(state)
            raise

    def astype(self, dtype: Any) -> Self:
        """Convert floating-point parameters and buffers to `dtype`, in place; return this module.

        Gradients are dropped. Integer buffers, such as counters, stay as they are.

        Raises:
            TypeError: where `dtype` is not a floating-point or complex dtype.
        """
        dtype = np.dtype(dtype)
        if dtype.kind not in "fc":
            raise TypeError(
                f"astype: wanted a floating-point dtype, got {dtype}; parameters need gradients"
            )
        for module in self.modules():
            for name, value in list(vars(module).items()):
                if isinstance(value, Parameter):
                    if value.dtype != dtype:
                        convert(value, value.data.astype(dtype))
                elif name in module._buffers and value is not None and value.dtype.kind in "fc":  # noqa: SLF001 - of a Module
                    object.__setattr__(module, name, value.astype(dtype, copy=False))
        return self

    def to(self, *targets: Any, device: Any = None, dtype: Any = None) -> Self:
        """Convert as `astype` where a dtype is given; "cpu", the one device, changes nothing.

        Raises:
            ValueError: for another device.
            TypeError: for what is neither a device nor a floating-point dtype.
        """
        for target in (*targets, device, dtype):
            if target is None or str(target) == "cpu":
                continue
            if re.fullmatch(r"(cuda|mps|xpu|cpu)(:\d+)?", str(target)):
                raise ValueError(
                    f"to: wanted a dtype or the device 'cpu', got {str(target)!r}; arrays are in "
                    "main memory: leave the device out"
                )
            self.astype(target)
        return self

    def to_array_module(self, module: Any) -> Self:
        """Keep parameters and buffers as arrays of another library, in place; return this module.

        Optimizers go on with the same parameters, and move their state at the next step. Gradients
        are dropped, and what is there already is left alone.

        Args:
            module: one with `asarray`, whose arrays answer NumPy's functions: `cupy` for memory of
                a GPU, `numpy` to come back.

        Raises:
            TypeError: `module` has no `asarray`, or one that makes something else.

        Example:
            >>> import numpy, nn
            >>> type(nn.Linear(2, 1).to_array_module(numpy).weight.data)
            <class 'numpy.ndarray'>
        """
        make = getattr(module, "asarray", None)
        sample = make(np.zeros(1)) if callable(make) else None
        if make is None or not is_array(sample):
            name = getattr(module, "__name__", type(module).__name__)
            raise TypeError(
                "to_array_module: wanted a module with asarray, such as cupy or numpy, whose arrays"
                f" answer NumPy's functions, got {name}; import it and pass the module itself"
            )
        placed: dict[int, Any] = {}  # by identity: what is shared stays so
        for part in self.modules():
            for name, value in list(vars(part).items()):
                is_buffer = name in part._buffers and value is not None  # noqa: SLF001 - of a Module
                data = plain(value) if is_buffer or isinstance(value, Parameter) else None
                if data is None or type(data) is type(sample):
                    continue
                if id(value) not in placed:
                    placed[id(value)] = value, make(to_numpy(data))
                if isinstance(value, Parameter):
                    convert(value, placed[id(value)][1])
                else:
                    object.__setattr__(part, name, placed[id(value)][1])
        return self

    def cpu(self) -> Self:
        """Return this module: its arrays are in main memory."""
        return self

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16; return this module."""
        return self.astype(np.float16)

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32; return this module."""
        return self.astype(np.float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64; return this module."""
        return self.astype(np.float64)

    # -- text --------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return what `repr` shows of this module itself, between its brackets."""
        return ""

    def __repr__(self) -> str:
        lines = [
            f"({name}): {child!r}"
            for name, child in vars(self).items()
            if isinstance(child, Module)
        ]
        return bracketed(self._repr_name(), self.extra_repr(), lines)

    def _repr_html_(self) -> str:
        """Return a tree that unfolds, with the shapes and counts of parameters."""
        return f"<div>{_tree('', self)}</div>"

    def __treescope_repr__(self, path: str | None, subtree_renderer: Any) -> Any:
        from autograd.drawing.tree import tree

        own = [*self.named_parameters(recurse=False), *self.named_buffers(recurse=False)]
        return tree(self, dict([*own, *self.named_children()]), path, subtree_renderer)

    def _repr_name(self) -> str:
        return type(self).__name__


def bracketed(name: str, extra: str, lines: list[str]) -> str:
    """Write `name(extra, lines...)`, one indented line per child where there are children."""
    if not lines:
        return f"{name}({extra})"
    indented = [line.replace("\n", "\n  ") for line in ([extra, *lines] if extra else lines)]
    return f"{name}(\n  " + "\n  ".join(indented) + "\n)"


def _tree(name: str, module: Module) -> str:
    """Return a module as a list item that unfolds into its parameters, buffers and children."""
    import html

    count = sum(parameter.size for parameter in module.parameters())
    told = f"{module._repr_name()}({module.extra_repr()})"  # noqa: SLF001
    head = f"<b>{html.escape(name)}</b> " if name else ""
    head += f"<code>{html.escape(told)}</code>" + (f" {count:,} parameters" if count else "")
    arrays = [
        (key, value, "" if value.requires_grad else ", frozen")
        for key, value in module.named_parameters(recurse=False)
    ] + [(key, value, ", buffer") for key, value in module.named_buffers(recurse=False)]
    items = [
        f"{html.escape(key)} <code>{np.shape(value)} {value.dtype}</code>{kind}"
        for key, value, kind in arrays
    ] + [_tree(key, child) for key, child in module.named_children()]
    if not items:
        return head
    inner = "".join(f"<li>{item}</li>" for item in items)
    state = "" if name else " open"
    return f"<details{state}><summary>{head}</summary><ul>{inner}</ul></details>"


def _explained(module: Module, args: tuple[Any, ...], error: Exception) -> TypeError | None:
    """Return what is wrong with the inputs of a layer of ours that failed, None if it is not seen.

    Looking only now costs calls that succeed nothing.
    """
    if "wanted" in str(error) or type(module).__module__.partition(".")[0] != "nn":
        return None
    name = type(module).__name__
    for i, value in enumerate(args):
        dtype = getattr(value, "dtype", None)
        if isinstance(dtype, np.dtype):
            if dtype.kind not in "biufc":
                return TypeError(
                    f"{name}: wanted numbers, got an array of dtype {dtype}; write "
                    ".astype(np.float32) where it holds numbers"
                )
        elif i == 0:
            got = type(value).__name__
            fix = "does forward end with return?" if value is None else "write np.asarray(...)"
            return TypeError(f"{name}: wanted an array or a Variable, got {got}; {fix}")
    return None


def _as_buffer(cls: str, name: str, value: Any) -> Any:
    if isinstance(value, Variable):
        if value.requires_grad:
            raise TypeError(
                f"{cls}.{name}: wanted an array as a buffer, got a Variable that requires a "
                "gradient; pass "
                f".detach() of it, or register an nn.Parameter"
            )
        value = value.data
    # Arrays of other libraries stay what they are.
    return value if value is None or hasattr(value, "__array_function__") else np.asarray(value)


def _hides_parameters(values: Any) -> bool:
    """Tell whether a plain container holds modules, by its first entry: long lists cost nothing."""
    first = next(iter(values.values() if type(values) is dict else values), None)
    return isinstance(first, (Module, Parameter)) or _is_trainable(first)


def _is_trainable(value: Any) -> bool:
    return isinstance(value, Variable) and value.requires_grad and value.is_leaf


def _under_name(function: FunctionType, qualname: str) -> Any:
    """Return a copy of a function that goes by another name."""
    named = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    named.__kwdefaults__ = function.__kwdefaults__
    named.__annotations__ = function.__annotations__
    named.__doc__ = function.__doc__
    named.__qualname__ = qualname
    return named
