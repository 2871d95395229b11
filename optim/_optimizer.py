"""Optimizer: parameter groups, state, checkpoints and the contract of a step.

Imports `autograd` only. An algorithm is a subclass that names its options and its state and
writes one method, `update`, on arrays; everything else is here and in `_runs.py`.
"""

import copy
import html
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import InitVar
from itertools import compress
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, overload

import numpy as np

from autograd import Variable, enable_grad
from autograd._hooks import HookHandle
from autograd._writes import Writes
from autograd.arrays import is_foreign, to_numpy
from autograd.typed import user_level
from optim._checkpoint import read_entries, read_state_dict
from optim._options import (
    Declared,
    check_limits,
    check_memory,
    check_options,
    check_parameter,
    check_spelling,
    list_groups,
    plain_number,
    plain_options,
    refuse_foreign,
    split_names,
    without_loops,
)
from optim._runs import Array, Plan, Run, State, Whole, plan_runs

__all__ = ["Hook", "Optimizer", "Parameters", "penalised"]

Parameters = (
    Variable | Iterable[Variable] | Iterable[tuple[str, Variable]] | Iterable[dict[str, Any]]
)
Hook = Callable[["Optimizer", tuple[Any, ...], dict[str, Any]], None]
Loss = TypeVar("Loss")

# Work arrays handed to `update`: enough for every algorithm here, one block long each.
_SCRATCH = 3


class Optimizer(Declared):
    """Change parameters in place along their gradients.

    A subclass declares its options (which gives it a constructor), the arrays (`buffers`) and
    numbers (`scalars`) it remembers for each parameter, and the arithmetic. `update` must be
    elementwise: it is called on flat blocks that may span several parameters or a part of one. An
    algorithm that needs whole parameters (their norms, say) states `elementwise = False`.

    A class may instead write an `__init__` that hands `params` and `defaults` on, and state the
    intervals of its options in `limits`.

    Args:
        params: Variables, (name, Variable) pairs, or dicts with the key "params" and options
            that differ from the defaults for that group.
        defaults: option name -> value for groups that do not state their own.

    Raises:
        TypeError: something in `params` is no Variable, or an option no number.
        ValueError: no parameters, a duplicate, two over one memory, a non-leaf, a Variable
            without `requires_grad`, an option outside its interval, a misspelt option.

    Example:
        >>> from optim import option
        >>> class SignSGD(Optimizer):
        ...     lr: float = option("learning rate", default=1e-3)
        ...
        ...     def update(self, p, g, state, group, scratch):
        ...         step = np.sign(g, out=scratch[0])
        ...         p -= np.multiply(step, group["lr"], out=step)
        >>> x = Variable([4.0, -4.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> SignSGD([x], lr=0.5).step()
        >>> x.data
        array([ 3.5, -3.5])
    """

    scalars: ClassVar[Mapping[str, float]] = {"step": 0}
    # Whether `update` takes flat blocks; otherwise each parameter in its own shape.
    elementwise: ClassVar[bool] = True
    # Whether `update` runs on arrays of other libraries.
    anywhere: ClassVar[bool] = True
    # What PyTorch's checkpoints may lack.
    assumed: ClassVar[Mapping[str, float]] = {}

    # The first argument of every constructor.
    params: InitVar[Parameters]

    def __init__(self, params: Parameters, defaults: Mapping[str, Any]) -> None:
        self.set_up(params, defaults)

    def set_up(self, params: Parameters, defaults: Mapping[str, Any]) -> None:
        """Take the parameters, and the values of all options; every constructor ends here."""
        self.defaults = plain_options({**defaults, **type(self).fixed})
        self.param_groups: list[dict[str, Any]] = []
        self.steps_taken = 0
        self._state: dict[Variable, State] = {}
        self._plans: dict[int, Plan] = {}
        self._scratch: dict[np.dtype[Any], list[Array]] = {}
        self._pre_hooks: dict[HookHandle, Hook] = {}
        self._post_hooks: dict[HookHandle, Hook] = {}
        self.check(self.defaults)
        groups = list_groups(self._name, params)
        if not groups:
            raise ValueError(
                f"{self._name}: wanted at least one parameter, got none; was the generator used "
                "up before, or does the model not register its parameters as attributes?"
            )
        for group in groups:
            self.add_param_group(group)

    # ---- what an algorithm states ---------------------------------------------------------

    def buffers(self, group: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """Return name -> initial value of the arrays kept for each parameter of this group."""
        return {}

    def shape_of(self, buffer: str, parameter: Variable) -> tuple[int, ...] | None:  # noqa: ARG002
        """Return the shape of a buffer, None where this parameter has no such one; asked only of
        algorithms that are not elementwise.
        """
        return parameter.shape

    def check_group(self, group: Mapping[str, Any]) -> None:
        """Check what `limits` cannot express; raises ValueError."""

    def check_shape(self, label: str, parameter: Variable) -> None:
        """Check that a parameter is one the algorithm can move; raises ValueError."""

    def advance(self, scalars: State, group: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Move the numbers of the state on by one step, before `update` sees them."""
        scalars["step"] += 1

    def conclude(self, scalars: State, group: Mapping[str, Any]) -> None:
        """Prepare the numbers of the state for the next step, after `update`."""

    def update(
        self, p: Array, g: Array, state: State, group: dict[str, Any], scratch: Sequence[Array]
    ) -> None:
        """Change `p` in place.

        Args:
            p: flat data, to be written.
            g: flat gradient, not to be written.
            state: the buffers as flat arrays, to be written, and the scalars.
            group: the options.
            scratch: three work arrays as long as `p`, contents undefined.

        Where `elementwise` is False, nothing is flat, and there is no scratch.
        """
        raise NotImplementedError(f"{self._name}: a subclass must define update()")

    # ---- parameter groups -----------------------------------------------------------------

    @property
    def _name(self) -> str:
        return type(self).__name__

    def add_param_group(self, param_group: Any) -> None:
        """Add parameters with options of their own, for example a layer that was frozen so far.

        Args:
            param_group: "params" (a Variable, Variables, or (name, Variable) pairs) and options;
                an option that is missing takes the optimizer's default. The dict is not kept.

        Raises:
            TypeError: the group is no dict, or holds something that is no Variable.
            ValueError: as for the optimizer itself.
        """
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(
                f"{self._name}: wanted a parameter group as a dict with the key 'params', got "
                f"{type(param_group).__name__}; write {{'params': [...], 'lr': 0.1}}"
            )
        params, names = split_names(self._name, param_group["params"])
        if not params:
            raise ValueError(f"{self._name}: wanted parameters in a group, got an empty list")
        present = self._labelled()
        known = {id(parameter) for _, parameter in present}
        new = []
        for index, parameter in enumerate(params):
            label = f"parameter {(names[index] if names else len(present) + index)!r}"
            check_parameter(self._name, label, parameter)
            self.check_shape(label, parameter)
            if id(parameter) in known:
                raise ValueError(
                    f"{self._name}: {label} appears twice, so it would be updated twice in one "
                    "step; pass each parameter once"
                )
            known.add(id(parameter))
            new.append((label, parameter))
        check_memory(self._name, present + new)
        check_spelling(self._name, param_group, self.defaults)
        options = without_loops(self._name, plain_options(param_group), self.defaults)
        group = self.defaults | options
        group["params"] = params
        if names is not None:
            group["param_names"] = names
        self.check(group)
        self.param_groups.append(group)

    def _labelled(self) -> list[tuple[str, Variable]]:
        """Return all parameters with what errors call them."""
        found: list[tuple[str, Variable]] = []
        for group in self.param_groups:
            names = group.get("param_names") or range(len(found), len(found) + len(group["params"]))
            found += [
                (f"parameter {name!r}", parameter)
                for name, parameter in zip(names, group["params"], strict=False)
            ]
        return found

    def check(self, group: Mapping[str, Any]) -> None:
        """Check all options of a group.

        Raises:
            TypeError: a value is not of the kind of its default.
            ValueError: a value lies outside its interval, or they exclude each other.
        """
        check_options(self._name, group, type(self).options)
        check_limits(self._name, group, type(self).limits, type(self).options)
        for name, value in type(self).fixed.items():
            if group[name] != value:
                raise ValueError(
                    f"{self._name}: wanted {name}={value!r}, got {group[name]!r}; it belongs to "
                    "another algorithm"
                )
        self.check_group(group)

    # ---- one step -------------------------------------------------------------------------

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: `.grad` becomes None, or zeros with `set_to_none=False`."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none or parameter.grad is None:
                    parameter.grad = None
                else:
                    parameter.grad = np.zeros_like(parameter.grad)

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], Loss]) -> Loss: ...
    def step(self, closure: Callable[[], Loss] | None = None) -> Loss | None:
        """Change every parameter that has a gradient, once.

        Args:
            closure: computes the loss, calls `backward()` and returns the loss; called once,
                before the change.

        Returns:
            What the closure returned, or None without one.
        """
        arguments = () if closure is None else (closure,)
        for hook in tuple(self._pre_hooks.values()):
            hook(self, arguments, {})
        loss = self._move(closure)
        self.steps_taken += 1
        for hook in tuple(self._post_hooks.values()):
            hook(self, arguments, {})
        return loss

    def _move(self, closure: Callable[[], Loss] | None) -> Loss | None:
        """Make a step, between its hooks."""
        loss: Loss | None = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        planned = []
        for index, group in enumerate(self.param_groups):
            grads = [p.grad for p in group["params"]]
            planned += [(run, group, grads) for run in self._plan(index, group, grads).runs]
        if not planned and not self.steps_taken:
            warnings.warn(
                f"{self._name}.step: wanted gradients, got none in any parameter, so nothing has "
                "changed; call loss.backward() first",
                stacklevel=user_level(),
            )
        # All that can fail does so before anything has changed.
        for run, _, _ in planned:
            run.take_data(self._name)
        for run, group, grads in planned:
            if run.scalars:
                self.advance(run.scalars, group)
            run.apply(self.update, group, grads)
            self.conclude(run.scalars, group)
        return loss

    def _plan(self, index: int, group: dict[str, Any], grads: list[Array | None]) -> Plan:
        """Return the runs of a group, laid out anew where parameters, gradients or options ask."""
        params = group["params"]
        for name, value in group.items():
            if isinstance(value, (np.generic, np.ndarray, Variable)):
                group[name] = plain_number(value)
        missing = [i for i, gradient in enumerate(grads) if gradient is None]
        buffers = self.buffers(group)
        key = (list(map(id, params)), missing, list(buffers))
        plan = self._plans.get(index)
        if plan is None or plan.key != key or not all(run.still_fits() for run in plan.runs):
            if plan is not None:
                self._store_scalars()
            active = {i: p for i, p in enumerate(params) if grads[i] is not None}
            # An algorithm without buffers has no history, and no state to show or to save.
            scalars = self.scalars if buffers else {}
            states = [self._state.setdefault(p, {}) if buffers else {} for p in active.values()]
            runs: list[Run | Whole]
            if not self.anywhere:
                refuse_foreign(self._name, active.values())
            whole = [not self.elementwise or is_foreign(p.data) for p in active.values()]
            runs = [
                Whole(i, p, state, buffers, scalars, self.shape_of, _SCRATCH * self.elementwise)
                for (i, p), state in compress(zip(active.items(), states, strict=True), whole)
            ]
            together = {
                i: p for (i, p), alone in zip(active.items(), whole, strict=True) if not alone
            }
            if together:
                states = [state for state, alone in zip(states, whole, strict=True) if not alone]
                runs += plan_runs(together, states, buffers, scalars, self._work_arrays)
            plan = self._plans[index] = Plan(key, runs)
        return plan

    def _work_arrays(self, dtype: np.dtype[Any], length: int) -> list[Array]:
        """Return the scratch of a dtype, shared by all runs; it grows to the longest block."""
        arrays = self._scratch.get(dtype)
        if arrays is None or len(arrays[0]) < length:
            arrays = self._scratch[dtype] = [np.empty(length, dtype) for _ in range(_SCRATCH)]
        return [array[:length] for array in arrays]

    def register_step_pre_hook(self, hook: Hook) -> HookHandle:
        """Call `hook(optimizer, args, kwargs)` before each step, while the gradients can change.

        `args` holds the closure where `step` was given one; what the hook returns is ignored.
        Returns a handle: `handle.remove()` removes the hook.
        """
        return self._register(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Hook) -> HookHandle:
        """Call `hook(optimizer, args, kwargs)` after each step; return a handle to remove it."""
        return self._register(self._post_hooks, hook)

    def _register(self, hooks: dict[HookHandle, Hook], hook: Hook) -> HookHandle:
        if not callable(hook):
            raise TypeError(f"{self._name}: wanted a callable hook, got {type(hook).__name__}")
        return HookHandle(hooks, hook)

    # ---- state and checkpoints ------------------------------------------------------------

    def _store_scalars(self) -> None:
        for plan in self._plans.values():
            for run in plan.runs:
                run.store_scalars()

    @property
    def state(self) -> Mapping[Variable, Mapping[str, Any]]:
        """Parameter -> name -> array or number, read-only; load changes with `load_state_dict`."""
        self._store_scalars()
        return MappingProxyType({p: MappingProxyType(s) for p, s in self._state.items()})

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of everything needed to continue, in PyTorch's structure; arrays of other
        libraries as NumPy's.

        Returns:
            {"state": {index: {name: array or number}}, "param_groups": [{..., "params": [index]}]},
            where an index counts the parameters through all groups.
        """
        self._store_scalars()
        state: dict[int, State] = {}
        groups = []
        index = 0
        for group in self.param_groups:
            saved = {name: value for name, value in group.items() if name != "params"}
            saved["params"] = list(range(index, index + len(group["params"])))
            groups.append(saved)
            for parameter in group["params"]:
                if parameter in self._state:
                    state[index] = {k: _own(value) for k, value in self._state[parameter].items()}
                index += 1
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a checkpoint made by `state_dict`, ours or PyTorch's (CPU tensors).

        Options of a saved group replace those of the group; options it does not have stay.
        Nothing is shared with `state_dict`, and all of it is loaded or, whatever happens
        meanwhile, nothing.

        Raises:
            ValueError: the number of groups, of parameters in a group, a shape, an option or the
                state of a parameter does not fit.
            TypeError: something is not of the kind it should be.
            KeyError: "state" or "param_groups" is missing.
        """
        self._plan_load(state_dict).commit()

    def read_entries(
        self,
        index: int,
        parameter: Variable,
        group: Mapping[str, Any],
        entries: Mapping[str, Any],
    ) -> State:
        """Return a copy of the state of a parameter from a checkpoint, checked.

        Args:
            index: number of the parameter, for errors.
            parameter: it is not changed.
            group: the options it will have.
            entries: name -> array or number.

        Raises:
            ValueError: an entry is missing or does not fit.
        """
        return read_entries(self, index, parameter, group, entries)

    def _plan_load(self, state_dict: Mapping[str, Any]) -> Writes:
        """Return what `load_state_dict` will write, checked; nothing has changed yet."""
        groups, state = read_state_dict(self, state_dict)
        writes, own = Writes(), vars(self)
        writes.add(own, "param_groups", groups)
        writes.add(own, "_state", state)
        writes.add(own, "_plans", {})
        return writes

    def __getstate__(self) -> dict[str, Any]:
        # Plans hold views shared with the state; a copy or a pickle would tear them apart.
        self._store_scalars()
        return self.__dict__ | {"_plans": {}, "_scratch": {}}

    def __repr__(self) -> str:
        lines = []
        for index, group in enumerate(self.param_groups):
            params = group["params"]
            count = f"{len(params)} parameter{'s' if len(params) != 1 else ''}"
            options = ", ".join(
                f"{k}={v!r}" for k, v in group.items() if k not in ("params", "param_names")
            )
            lines.append(
                f"  group {index}: {count}, {sum(p.size for p in params):,} elements, {options}\n"
            )
        return f"{self._name}(\n{''.join(lines)})"

    def _repr_html_(self) -> str:
        """Return a table of the parameter groups."""
        names = list(dict.fromkeys(k for group in self.param_groups for k in group))
        options = [name for name in names if name not in ("params", "param_names")]
        head = ["group", "parameters", "elements", *options]
        rows = [
            [
                str(index),
                str(len(group["params"])),
                f"{sum(p.size for p in group['params']):,}",
                *(repr(group.get(name, "")) for name in options),
            ]
            for index, group in enumerate(self.param_groups)
        ]
        cells = ["".join(f"<th>{html.escape(text)}</th>" for text in head)]
        cells += ["".join(f"<td>{html.escape(text)}</td>" for text in row) for row in rows]
        told = f"<p>{self._name}, {self.steps_taken:,} steps taken</p>"
        return f"{told}<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"

    def __treescope_repr__(self, path: str | None, subtree_renderer: Any) -> Any:
        from autograd.drawing.tree import tree

        return tree(self, {"param_groups": self.param_groups}, path, subtree_renderer)


def _own(value: Any) -> Any:
    return to_numpy(value).copy() if is_foreign(value) else copy.deepcopy(value)


def penalised(
    p: Array, g: Array, group: Mapping[str, Any], out: Array, *, decoupled: bool = False
) -> Array:
    """Return the gradient to follow: g, or -g to maximize, plus weight_decay * p.

    Args:
        p: data; written only where `decoupled`.
        g: gradient, never written: the result is `g` itself, or in `out`.
        group: the options; an algorithm without weight decay has no such key.
        out: work array.
        decoupled: decay the data itself instead, p <- p * (1 - lr * weight_decay).
    """
    decay = group.get("weight_decay", 0)
    if decay != 0 and decoupled:
        p *= 1 - group["lr"] * decay
    elif decay != 0:
        np.multiply(p, decay, out=out)
        return (np.subtract if group["maximize"] else np.add)(out, g, out=out)
    return np.negative(g, out=out) if group["maximize"] else g
