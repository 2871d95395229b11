"""Function: a user's own differentiable operation, in the spelling that PyTorch has.

The other spelling, `primitive` with one rule per operand, is in `calls`. Both go through
`record`. Imports what is older than the transforms.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd.advice import note_on_writing
from autograd.arrays import is_array, read_only
from autograd.checked import CheckedPrimitive, guarded, shown
from autograd.engine.graph import Node, Plan, output_node, record, unwrap, wrap
from autograd.engine.mode import no_grad
from autograd.variable import Variable


class Context:
    """What `forward` hands to `backward`: arrays through `save_for_backward`, anything else as
    attributes.
    """

    saved_tensors: tuple[Any, ...]
    """What `save_for_backward` was given; while a derivative is being recorded, inputs and outputs
    are Variables here.
    """
    needs_input_grad: tuple[bool, ...]
    """Which arguments of `forward` require a gradient."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.saved_tensors = ()
        self.needs_input_grad = needs_input_grad
        self._non_differentiable: tuple[Any, ...] = ()
        self._materialize = True

    def __repr__(self) -> str:
        own = [name for name in vars(self) if name not in _PRIVATE]
        count = len(self.saved_tensors)
        return f"Context({', '.join([f'{count} saved tensors', *own])})"

    def save_for_backward(self, *values: Any) -> None:
        """Keep arrays until the backward pass. For second derivatives they must be arguments or
        outputs of `forward`.
        """
        self.saved_tensors = values

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Declare outputs that carry no gradient, such as indices."""
        self._non_differentiable = outputs

    def set_materialize_grads(self, value: bool) -> None:
        """Hand `backward` None (False) instead of zeros (True, the default) for outputs that
        nothing used.
        """
        self._materialize = value


class Function:
    """Base class of custom differentiable operations: subclass, write `forward` and `backward`,
    call `apply`.

    `forward(ctx, *arguments)` computes on plain arrays and returns an array or a tuple of
    arrays; or `forward(*arguments)` does, and `setup_context(ctx, inputs, output)` keeps what
    `backward` needs.
    `backward(ctx, *gradients)` gets one gradient per output and returns one per argument of
    `forward`, with None where there is none. It runs on arrays, or, when a derivative of higher
    order is wanted, on Variables: write it with operators and `np.*` functions. Neither may write
    into what it is given, which is read-only.

    Number, shape, dtype and type of the returned gradients are checked. Values kept in `ctx` that
    are neither arguments nor outputs of `forward` would be constants to the second derivative, so
    that derivative is refused for them.

    Example:
        >>> class Cube(Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x**3
        ...
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         (x,) = ctx.saved_tensors
        ...         return g * 3 * x**2
        >>> x = Variable(2.0, requires_grad=True)
        >>> Cube.apply(x).backward()
        >>> x.grad
        array(12.)
    """

    _signature: ClassVar[inspect.Signature | None] = None
    _opaque: ClassVar[CheckedPrimitive]

    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        """Compute the outputs from plain arrays; override this."""
        raise NotImplementedError

    @staticmethod
    def setup_context(ctx: Context, inputs: tuple[Any, ...], output: Any) -> None:
        """Keep in `ctx` what `backward` needs, where `forward` has no `ctx`; optional."""
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        """Return one gradient per argument of `forward`; override this."""
        raise NotImplementedError

    def __init__(self) -> None:
        name = type(self).__name__
        msg = (
            f"{name}: wanted a call of {name}.apply(...), got {name}(...); a Function is not "
            "instantiated"
        )
        raise TypeError(msg)

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call `forward` on the arrays of `args` and record it where one of them requires a
        gradient.
        """
        arguments, names = cls._bind(args, kwargs)
        raw = [read_only(_array(a)) if isinstance(a, Variable) else a for a in arguments]
        positions = tuple(
            i for i, a in enumerate(arguments) if isinstance(a, Variable) and a.requires_grad
        )
        ctx = Context(tuple(i in positions for i in range(len(arguments))))
        before = cls._attributes() if positions else []
        with no_grad():
            try:
                if cls._has_context():
                    result = cls.forward(ctx, *raw)
                else:
                    result = cls.forward(*raw)
                    cls.setup_context(ctx, tuple(raw), result)
            except ValueError as error:
                note_on_writing(error, f"{cls.__name__}.forward")
                raise
        several = isinstance(result, (tuple, list))
        given = {id(r): unwrap(a) for r, a in zip(raw, arguments, strict=True)}
        returned = [given.get(id(o), o) for o in (result if several else (result,))]
        outputs = tuple(_output(cls.__name__, o) for o in returned)
        if not any(isinstance(a, Variable) for a in arguments):
            return outputs if several else outputs[0]
        out = outputs if several else outputs[0]
        dead = {id(unwrap(o)) for o in ctx._non_differentiable}
        constant = [id(o) in dead or o.dtype.kind not in "fc" for o in outputs]
        if not positions or all(constant):
            return record(cls._primitive().constant, (), (), out, tuple(arguments))
        parents = tuple(arguments[i]._node for i in positions)
        left = [v for c, old in before for k, v in vars(c).items() if old.get(k) is not v]
        plan, saved = cls._plan(ctx, left, raw, outputs, positions, names)
        result = record(plan, parents, (saved,), out, tuple(arguments))
        for variable, is_constant in zip(result, constant, strict=True) if several else ():
            if is_constant:
                variable._node = None
        return result

    @classmethod
    def _primitive(cls) -> CheckedPrimitive:
        """Return what observers are told: an operation of which only the name is known."""
        if "_opaque" not in cls.__dict__:
            cls._opaque = CheckedPrimitive(cls.__name__, cls.apply, ("args",), {}, variadic=True)
        return cls._opaque

    @classmethod
    def _has_context(cls) -> bool:
        """Tell whether `forward` gets the context, or `setup_context` does."""
        return cls.setup_context is Function.setup_context

    @classmethod
    def _attributes(cls) -> list[tuple[type, dict[str, Any]]]:
        """Return the attributes of the class, where `forward` may leave what `backward` reads."""
        return [(c, {**vars(c)}) for c in cls.__mro__[:-1] if c is not Function]

    @classmethod
    def _bind(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], list[str]]:
        """Return all arguments in the order of the signature of `forward`, with their names."""
        if "_signature" not in cls.__dict__ or cls._signature is None:
            if cls.forward is Function.forward:
                raise NotImplementedError(_missing(cls.__name__, "forward(ctx, x)"))
            cls._signature = inspect.signature(cls.forward)
        try:
            leading = (None,) if cls._has_context() else ()
            bound = cls._signature.bind(*leading, *args, **kwargs)
        except TypeError as error:
            msg = (
                f"{cls.__name__}.apply: wanted the arguments of {cls.__name__}.forward, got "
                f"others: {error}"
            )
            raise TypeError(msg) from None
        bound.apply_defaults()
        arguments: list[Any] = []
        names: list[str] = []
        for name, value in list(bound.arguments.items())[len(leading) :]:
            kind = cls._signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                arguments += value
                names += [f"{name}[{i}]" for i in range(len(value))]
            elif kind in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD):
                msg = (
                    f"{cls.__name__}.forward: wanted parameters that can be given by position, got "
                    f"{name!r}; drop the * before it"
                )
                raise TypeError(msg)
            else:
                arguments.append(value)
                names.append(name)
        for name, value in zip(names, arguments, strict=True):
            if _hides_gradient(value):
                msg = (
                    f"{cls.__name__}.apply: wanted Variables that require a gradient as arguments "
                    f"of their own, got one inside of {name}; let forward take *{name}"
                )
                raise TypeError(msg)
        return arguments, names

    @classmethod
    def _plan(
        cls,
        ctx: Context,
        left: list[Any],
        raw: list[Any],
        outputs: tuple[Any, ...],
        positions: tuple[int, ...],
        names: list[str],
    ) -> tuple[Plan, tuple[Any, ...]]:
        """Return the plan of one call, which has `left` some attributes on the class, and the
        values that its node shall keep.
        """
        name = cls.__name__
        attributes = {k: v for k, v in vars(ctx).items() if k not in _PRIVATE}
        saved = (*map(unwrap, ctx.saved_tensors), *attributes.values())
        count = len(ctx.saved_tensors)
        kept = _Kept(raw, outputs, positions)
        strangers = kept.strangers(saved, left)
        metadata = [(o.shape, o.dtype) for o in outputs]
        keys = list(attributes)
        needs, materialize = ctx.needs_input_grad, ctx._materialize

        def joint(g: Any, values: tuple[Any, ...]) -> list[Any]:
            if cls.backward is Function.backward:
                raise NotImplementedError(_missing(name, "backward(ctx, g)"))
            gradients: Sequence[Any] = g if type(g) is tuple else (g,)
            recording = any(isinstance(part, Variable) for part in gradients)
            if recording and strangers:
                msg = (
                    f"{name}: wanted only arguments and outputs of forward in ctx for a derivative "
                    "of second order, got another array or number, which would count as a "
                    "constant; save arguments and compute the rest again in backward"
                )
                raise RuntimeError(msg)
            call = Context(needs)
            call.saved_tensors = shown(values[:count])
            for key, value in zip(keys, values[count:], strict=True):
                setattr(call, key, value)
            full = []
            for i, (shape, dtype) in enumerate(metadata):
                part = gradients[i] if i < len(gradients) else None
                if part is None and materialize:
                    part = np.zeros(shape, dtype)
                full.append(part if part is None or dtype.kind != "c" else part.conj())
            with np.errstate(
                divide="warn", invalid="warn"
            ):  # the user's code, under the user's usual settings
                returned = guarded(f"{name}.backward", cls.backward)(call, *full)
            if not isinstance(returned, (tuple, list)):
                returned = (returned,)
            if len(returned) != len(names):
                msg = (
                    f"{name}.backward: wanted {len(names)} gradients, one per argument of forward "
                    f"({', '.join(names)}), "
                    f"got {len(returned)}; return None for arguments without one"
                )
                raise ValueError(msg)
            return [_conjugate(returned[p]) for p in positions]

        opaque = cls._primitive()
        plan = Plan(
            opaque,
            joint=joint,
            operands=tuple(names[p] for p in positions),
            save=lambda values: values[0],
            fit=opaque.fit,
            rewrap=lambda node: tuple(kept.rewrapped(node, v) for v in node.saved),
            makes_zeros=True,
        )
        plan.pulls = tuple(map(opaque.checked, plan.pulls, plan.operands))
        return plan, saved


class _Kept:
    """Which of the values that a call keeps are arguments or outputs of it, also in containers."""

    def __init__(
        self, raw: list[Any], outputs: tuple[Any, ...], positions: tuple[int, ...]
    ) -> None:
        self.constants = [r for i, r in enumerate(raw) if i not in positions]
        self.parents = {id(raw[p]): k for k, p in reversed(list(enumerate(positions)))}
        self.outputs = {id(o): (i, len(outputs)) for i, o in enumerate(outputs)}

    def strangers(self, saved: Any, left: Any) -> bool:
        """Tell whether there are numbers or arrays of numbers that are neither, or that lie where
        `rewrapped` does not reach them: in sets, objects, functions, or on the class.
        """
        reached, hidden = [saved], [left]
        seen: set[int] = set()
        while reached or hidden:
            known = bool(reached)
            value = (reached or hidden).pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if type(value) in (tuple, list) or hasattr(value, "_fields"):
                (reached if known else hidden).extend(value)
            elif type(value) is dict:
                (reached if known else hidden).extend(value.values())
            elif _is_floating(value) or isinstance(value, (float, complex)):
                mine = known and (id(value) in self.parents or id(value) in self.outputs)
                if not mine and not any(value is r for r in self.constants):
                    return True
            else:
                hidden.extend(_held_by(value))
        return False

    def rewrapped(self, node: Node, value: Any) -> Any:
        """Return a kept value with Variables for arguments and outputs."""
        if type(value) in (tuple, list):
            return type(value)(self.rewrapped(node, v) for v in value)
        if hasattr(value, "_fields"):
            return type(value)(*(self.rewrapped(node, v) for v in value))
        if type(value) is dict:
            return {key: self.rewrapped(node, v) for key, v in value.items()}
        if id(value) in self.parents:
            return wrap(value, node.parents[self.parents[id(value)]])
        if id(value) in self.outputs:
            which = self.outputs[id(value)]
            return wrap(value, output_node(node, which, value) if which[1] > 1 else node)
        return value


def _held_by(value: Any) -> list[Any]:
    """Return what an object holds: elements, attributes, variables of a function."""
    if is_array(value) or isinstance(value, (str, bytes, type, types.ModuleType, Variable)):
        return []
    if isinstance(value, Collection):
        return list(value.values() if isinstance(value, Mapping) else value)
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, types.FunctionType):
        cells = []
        for cell in value.__closure__ or ():
            with contextlib.suppress(ValueError):  # of a variable that has no value yet
                cells.append(cell.cell_contents)
        return [*cells, value.__defaults__ or (), value.__kwdefaults__ or {}]
    if isinstance(value, types.MethodType):
        return [value.__func__, value.__self__]
    return [getattr(value, "__self__", None), *getattr(value, "__dict__", {}).values()]


_PRIVATE = frozenset({"saved_tensors", "needs_input_grad", "_non_differentiable", "_materialize"})


def _hides_gradient(value: Any) -> bool:
    """Tell whether a container holds a Variable that requires a gradient."""
    if isinstance(value, (tuple, list, dict)):
        inside = value.values() if isinstance(value, dict) else value
        return any(
            v.requires_grad if isinstance(v, Variable) else _hides_gradient(v) for v in inside
        )
    return False


def _is_floating(value: Any) -> bool:
    return is_array(value) and value.dtype.kind in "fc"


def _conjugate(g: Any) -> Any:
    """Cross from the convention of users to that of rules."""
    return g.conj() if getattr(getattr(g, "dtype", None), "kind", "") == "c" else g


def _array(value: Any) -> Any:
    """Return what `forward` shall see: an array for a Variable, anything else as it is."""
    data = unwrap(value)
    return np.asarray(data) if isinstance(data, np.generic) and data is not value else data


def _missing(name: str, method: str) -> str:
    return f"{name}: wanted a static method {method}, got none; define it"


def _output(name: str, value: Any) -> Any:
    value = unwrap(value)
    if is_array(value):
        return value
    if isinstance(value, (int, float, complex)):
        return np.asarray(value)
    msg = (
        f"{name}.forward: wanted an array or a tuple of arrays as output, got "
        f"{type(value).__name__}"
    )
    raise TypeError(msg)


__all__ = ["Context", "Function"]
