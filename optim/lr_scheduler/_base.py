"""What all learning rate schedules share. Imports `optim._optimizer` only.

A schedule multiplies or sets `group["lr"]` of every parameter group, once per `step()`. Most
compute the next rate from the present one (so that several schedules, or a change by hand,
combine) and from `last_epoch`, the number of steps so far.
"""

import copy
import html
import math
import types
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from autograd._writes import Writes
from optim._optimizer import Optimizer
from optim._options import plain_number

__all__ = ["LRScheduler", "check_count", "check_functions", "check_numbers", "per_group"]

_FORESEEN = 2000  # steps that a picture shows at most
_OTHERS = ("optimizer", "last_epoch", "_step_count")


def check_count(owner: str, name: str, value: object, low: int = 1) -> None:
    """Raise ValueError unless a number of steps is a positive integer, or at least `low`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        wanted = "a positive integer" if low == 1 else f"an integer of at least {low}"
        raise ValueError(f"{owner}: wanted {wanted} as {name}, got {value!r}")


def check_numbers(owner: str, **values: object) -> None:
    """Raise TypeError unless all values are real numbers, ValueError where one is nan."""
    for name, value in values.items():
        number = plain_number(value)
        if not isinstance(number, (int, float)) or isinstance(number, bool):
            raise TypeError(
                f"{owner}: wanted a real number for {name}, got {type(value).__name__} {value!r}"
            )
        if math.isnan(number):
            raise ValueError(f"{owner}: wanted a number for {name}, got nan")


def check_functions(owner: str, **values: object) -> None:
    """Raise TypeError unless all values can be called."""
    for name, value in values.items():
        if not callable(value):
            raise TypeError(
                f"{owner}: wanted a function as {name}, got {type(value).__name__} {value!r}"
            )


def per_group(
    owner: str,
    name: str,
    value: Any,
    optimizer: Optimizer,
    check: Callable[..., None] = check_numbers,
) -> list[Any]:
    """Return one value per parameter group, from one for all or a sequence of them.

    Raises:
        TypeError: a value is not what `check` wants.
        ValueError: the sequence has another length than `optimizer.param_groups`.
    """
    count = len(optimizer.param_groups)
    values = list(value) if isinstance(value, (list, tuple)) else [value] * count
    if len(values) != count:
        raise ValueError(
            f"{owner}: wanted one {name} for all or one for each of {count} parameter groups, "
            f"got {len(values)}"
        )
    for entry in values:
        check(owner, **{name: entry})
    return values


class LRScheduler:
    """Base of the schedules: a subclass writes `get_lr`.

    Args:
        optimizer: its groups' "lr" is set; the rate at this moment is kept as "initial_lr".
        last_epoch: number of steps already made, -1 to begin; to continue a run rather use
            `load_state_dict`.

    Raises:
        TypeError: `optimizer` is no Optimizer.
        KeyError: `last_epoch` says that the run goes on, but a group has no "initial_lr".
    """

    # Everything but these is plain data and goes into `state_dict`.
    _not_saved: tuple[str, ...] = ("optimizer",)
    # What is a number of steps, at least 1, and may become the divisor of another one.
    _counts: tuple[str, ...] = ()

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self._attach(optimizer)
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", plain_number(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{self._name}: last_epoch={last_epoch} continues a run, but parameter group "
                    f"{number} has no 'initial_lr'; load the optimizer's state_dict first"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._begin()

    def _attach(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{self._name}: wanted an Optimizer as the first argument, got "
                f"{type(optimizer).__name__}"
            )
        self.optimizer = optimizer

    def _begin(self) -> None:
        """Make the step that the constructor makes; `self._beginning` is True within it."""
        self._step_count = 0
        self._beginning = True
        try:
            self._move_to(self.last_epoch + 1)
        finally:
            self._beginning = False
        self._step_count = 1

    @property
    def _name(self) -> str:
        return type(self).__name__

    def get_lr(self) -> list[float]:
        """Return the rate of each group for `last_epoch`; called by `step` only."""
        raise NotImplementedError(f"{self._name}: a subclass must define get_lr()")

    def get_last_lr(self) -> list[float]:
        """Return the present learning rate of each group, as this schedule set it."""
        return list(self._last_lr)

    def step(self) -> None:
        """Move one step on and set the learning rate; call it after `optimizer.step()`."""
        if self._step_count == 1 and self.optimizer.steps_taken == 0:
            warnings.warn(
                f"{self._name}: step() was called before optimizer.step(), which skips the first "
                "learning rate; call optimizer.step() first",
                stacklevel=2,
            )
        self._step_count += 1
        self._move_to(self.last_epoch + 1)

    def _move_to(self, epoch: int) -> None:
        self.last_epoch = epoch
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = plain_number(rate)
        self._last_lr = self._rates()

    def _restart(self) -> None:
        """Set the rate of epoch 0, whatever it is now; `SequentialLR` hands over this way."""
        for group, rate in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = rate
        self._beginning = True
        try:
            self._move_to(0)
        finally:
            self._beginning = False

    def _rates(self) -> list[float]:
        return [plain_number(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of everything but the optimizer and functions; save the optimizer, too."""
        return {
            name: copy.deepcopy(value)
            for name, value in self.__dict__.items()
            if name not in self._not_saved
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue a run; the learning rates themselves come with the optimizer's state.

        Raises:
            KeyError: `state_dict` is not one of this kind of schedule; nothing has changed.
            ValueError: a value in it is not of its kind; nothing has changed.
            TypeError: it is no dict.
        """
        self._plan_load(state_dict).commit()

    def _plan_load(self, state_dict: Mapping[str, Any]) -> Writes:
        """Return what `load_state_dict` will write, checked; nothing has changed yet."""
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"{self._name}: wanted a state_dict, got {type(state_dict).__name__} "
                f"{state_dict!r:.80}"
            )
        own = self.state_dict()
        if set(own) != set(state_dict):
            missing = sorted(set(own) - set(state_dict))
            unexpected = sorted(map(str, set(state_dict) - set(own)))
            raise KeyError(
                f"{self._name}: wanted a state_dict of a {self._name}, got one with missing keys "
                f"{missing} and unexpected keys {unexpected}"
            )
        for name, value in own.items():
            if not _alike(value, state_dict[name]):
                raise ValueError(
                    f"{self._name}: wanted {name} of the state_dict of the kind of {value!r:.80}, "
                    f"got {state_dict[name]!r:.80}"
                )
        for name in self._counts:
            check_count(self._name, name, state_dict[name])
        writes = Writes()
        for name in own:
            if name not in self._not_saved:
                writes.add(vars(self), name, copy.deepcopy(state_dict[name]))
        return writes

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if not name.startswith("_") and name not in self._not_saved
        )
        return f"{self._name}({shown})"

    def _repr_html_(self) -> str:
        """Return the text, and the learning rates from now on."""
        return f"<pre>{html.escape(repr(self))}</pre>{self._curves(alone=False)}"

    def _repr_svg_(self) -> str | None:
        """Return the learning rates from now on."""
        return self._curves(alone=True) or None

    def _curves(self, *, alone: bool) -> str:
        from autograd.drawing.chart import chart

        rates = self._foreseen()
        if len(rates) < 2:
            return ""
        curves = {f"group {i}": list(curve) for i, curve in enumerate(zip(*rates, strict=True))}
        first = getattr(self, "last_epoch", 0)
        label = "steps of the schedule, from now on"
        return chart("learning rate", curves, xlabel=label, first=first, alone=alone)

    def _foreseen(self) -> list[list[float]]:
        """Return the rates of the coming steps, as far as they can be told: those of a copy, which
        has an optimizer without parameters.
        """
        groups = [
            {name: copy.copy(v) for name, v in group.items() if name != "params"} | {"params": []}
            for group in self.optimizer.param_groups
        ]
        stand_in = types.SimpleNamespace(param_groups=groups, steps_taken=1)
        rates = [[group["lr"] for group in groups]]
        try:
            schedule = copy.deepcopy(self, {id(self.optimizer): stand_in})
            for _ in range(min(_FORESEEN, max(50, _longest(vars(self)) * 5 // 4))):
                schedule.step()
                rates.append([group["lr"] for group in groups])
        except Exception:  # noqa: BLE001 - its end, or rates that depend on a loss, a clock
            return rates
        return rates


def _longest(value: Any) -> int:
    """Return the largest number of steps that is named anywhere in a schedule."""
    if isinstance(value, LRScheduler):
        return _longest(vars(value))
    if isinstance(value, Mapping):
        return max((_longest(v) for k, v in value.items() if k not in _OTHERS), default=0)
    if isinstance(value, (list, tuple)):
        return max(map(_longest, value), default=0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _alike(own: Any, other: Any) -> bool:
    """Return whether a value of a state may take the place of one's own."""
    if isinstance(own, (list, tuple)):
        return (
            isinstance(other, (list, tuple))
            and len(own) == len(other)
            and all(map(_alike, own, other))
        )
    if isinstance(own, Mapping):
        return isinstance(other, Mapping)
    number = (int, float)
    if isinstance(own, number) and not isinstance(own, bool):
        return isinstance(other, number) and not isinstance(other, bool)
    return type(own) is type(other)
