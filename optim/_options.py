"""What a user hands to an optimizer: options, declared once per algorithm, and parameters.

Imports `autograd` only. Every check raises one sentence that says what was wanted, what came, and
what to write instead.
"""

import difflib
import inspect
import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

import numpy as np

from autograd import Variable
from autograd.arrays import is_foreign, kind_of

__all__ = [
    "Declared",
    "Limits",
    "Option",
    "check_companions",
    "check_limits",
    "check_memory",
    "check_options",
    "check_parameter",
    "check_spelling",
    "list_groups",
    "option",
    "plain_number",
    "plain_options",
    "refuse_foreign",
    "split_names",
    "without_loops",
]

Limits = Mapping[str, tuple[float, float]]
Value = TypeVar("Value")

# What schedulers and users add to a group beside the options of the algorithm.
_COMPANIONS = frozenset(
    {"params", "param_names", "initial_lr", "max_lr", "min_lr", "swa_lr"}
    | {"max_momentum", "base_momentum"}
)
# How PyTorch's loops run, which says nothing about the numbers.
_LOOPS = frozenset({"capturable", "differentiable", "foreach", "fused"})
# What these options are called elsewhere.
_SYNONYMS = {
    "beta1": "betas",
    "beta2": "betas",
    "beta_1": "betas",
    "beta_2": "betas",
    "decay": "weight_decay",
    "epsilon": "eps",
    "eta": "lr",
    "l1": "weight_decay_l1",
    "l2": "weight_decay",
    "learning_rate": "lr",
    "step_size": "lr",
}


# ---- options: declared once, for the constructor, its docstring, the checks ----------------


@dataclass(frozen=True)
class Option:
    """What `option` has declared."""

    meaning: str
    default: Any
    low: float
    below: float
    kw_only: bool
    whole: bool
    choices: tuple[str, ...]

    @property
    def may_be_none(self) -> bool:
        """Whether None, or None in the tuple, is a value."""
        return self.default is None or (
            isinstance(self.default, tuple) and any(entry is None for entry in self.default)
        )


def option(
    meaning: str,
    *,
    default: Value,
    low: float = 0.0,
    below: float = math.inf,
    kw_only: bool = False,
    whole: bool = False,
    choices: tuple[str, ...] = (),
) -> Value:
    """Declare an option in the body of an optimizer: an argument, and a key of its groups.

    The kind of the default (a number, a truth value, a tuple of numbers) is what values must be;
    where the default is None, or has None in its tuple, None is a value beside numbers.

    Args:
        meaning: what it does, for the docstring.
        default: its value where none is given.
        low: the least number allowed.
        below: numbers must be less than this.
        kw_only: given by name only.
        whole: numbers must be integers.
        choices: the words that are values, instead of numbers.

    Example:
        >>> from autograd import Variable
        >>> from optim import Optimizer, option
        >>> class SignSGD(Optimizer):
        ...     lr: float = option("learning rate", default=1e-3)
        ...
        ...     def update(self, p, g, state, group, scratch):
        ...         p -= group["lr"] * np.sign(g)
        >>> SignSGD([Variable([4.0, -4.0], requires_grad=True)], lr=0.5).defaults
        {'lr': 0.5}
    """
    # A type checker sees the value; at run time the class takes the declaration away.
    return cast("Value", Option(meaning, default, low, below, kw_only, whole, choices))


class _InGroups:
    """Stands where an option was declared: its values are in the groups, one for each."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Any, owner: type) -> Any:
        if optimizer is None:
            return self
        raise AttributeError(self._sentence(optimizer), name=self.name, obj=optimizer)

    def __set__(self, optimizer: Any, value: Any) -> None:
        raise AttributeError(
            self._sentence(optimizer, f" = {value}"), name=self.name, obj=optimizer
        )

    def _sentence(self, optimizer: Any, assigned: str = "") -> str:
        return (
            f"{type(optimizer).__name__}: wanted {self.name} in a group of parameters, got the "
            f"attribute; write optimizer.param_groups[0]['{self.name}']{assigned}"
        )


@dataclass_transform(field_specifiers=(option,))
class Declared:
    """Gives a class with options its constructor, and its docstring the arguments.

    A class that writes its own `__init__` keeps it. Options that a subclass fixes are no arguments.
    """

    options: ClassVar[Mapping[str, Option]] = {}
    limits: ClassVar[Limits] = {}
    # Options of the base class that have one value here, and are no arguments.
    fixed: ClassVar[Mapping[str, Any]] = {}
    __signature__: ClassVar[inspect.Signature | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Option)}
        for name in own:
            setattr(cls, name, _InGroups(name))
        every = {**cls.options, **own}
        cls.options = {name: every[name] for name in every if name not in cls.fixed}
        cls.limits = {**cls.limits} | {
            name: (declared.low, declared.below)
            for name, declared in own.items()
            if not (isinstance(declared.default, bool) or declared.choices)
        }
        if "__init__" in vars(cls):
            cls.__signature__ = None
        elif own:
            cls.__init__ = _declared_init  # type: ignore[assignment, method-assign]
            cls.__signature__ = _signature(cls.options)
            cls.__doc__ = cls.__doc__ and _with_arguments(cls.__doc__, cls.options)

    def set_up(self, params: Any, defaults: Mapping[str, Any]) -> None:
        """Take the parameters, and the values of all options."""
        raise NotImplementedError


def _declared_init(self: Declared, *args: Any, **kwargs: Any) -> None:
    """Bind arguments to the options of the class."""
    owner, options = type(self).__name__, type(self).options
    positional = [name for name, declared in options.items() if not declared.kw_only]
    if len(args) > 1 + len(positional):
        raise TypeError(
            f"{owner}: wanted at most {len(positional)} options by position "
            f"({', '.join(positional)}), got {len(args) - 1}; write them by name"
        )
    given = dict(zip(("params", *positional), args, strict=False))
    for name, value in without_loops(owner, kwargs, options).items():
        if name in given:
            raise TypeError(f"{owner}: wanted {name} once, got it by position and by name")
        if name not in options and name != "params":
            raise TypeError(
                f"{owner}: wanted options among {', '.join(options)}, got {name!r}"
                f"{_hint(name, options)}"
            )
        given[name] = value
    if "params" not in given:
        raise TypeError(f"{owner}: wanted parameters, got none; write {owner}(model.parameters())")
    params = given.pop("params")
    self.set_up(params, {name: one.default for name, one in options.items()} | given)


def _hint(name: str, options: Iterable[str]) -> str:
    known = list(options)
    meant = _SYNONYMS.get(name.lower())
    near = [meant] if meant in known else difflib.get_close_matches(name, known, n=1)
    return f"; write {near[0]}=" if near else ""


def _signature(options: Mapping[str, Option]) -> inspect.Signature:
    kinds = inspect.Parameter
    parameters = [
        kinds(
            name,
            kinds.KEYWORD_ONLY if declared.kw_only else kinds.POSITIONAL_OR_KEYWORD,
            default=declared.default,
        )
        for name, declared in options.items()
    ]
    first = kinds("params", kinds.POSITIONAL_OR_KEYWORD)
    return inspect.Signature([first, *sorted(parameters, key=lambda one: one.kind)])


def _with_arguments(doc: str, options: Mapping[str, Option]) -> str:
    """Return a docstring with the section of arguments before its first other section."""
    lines = ["Args:", "    params: parameters or groups of them."]
    for name, declared in options.items():
        lines += textwrap.wrap(f"    {name}: {declared.meaning}.", 92, subsequent_indent=" " * 8)
    paragraphs = inspect.cleandoc(doc).split("\n\n")
    sections = (i for i, text in enumerate(paragraphs) if re.match(r"[A-Z]\w+:\n", text))
    paragraphs.insert(next(sections, len(paragraphs)), "\n".join(lines))
    return "\n\n".join(paragraphs)


# ---- values of options ----------------------------------------------------------------------


def plain_number(value: Any) -> Any:
    """Return NumPy scalars, 0-d arrays, scalar Variables and tensors as Python numbers.

    A NumPy float64 scalar as learning rate would promote every float32 product to float64; a
    Python float takes the dtype of the array it meets.
    """
    if isinstance(value, (np.generic, Variable)) or getattr(value, "shape", None) == ():
        return value.item()
    if isinstance(value, (list, tuple)):
        return tuple(plain_number(entry) for entry in value)
    return value


def plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a group, without its parameters and their names, as plain numbers."""
    return {
        name: plain_number(value)
        for name, value in options.items()
        if name not in ("params", "param_names")
    }


def without_loops(owner: str, given: Mapping[str, Any], own: Iterable[str] = ()) -> dict[str, Any]:
    """Return options without those of PyTorch that say how its loops run.

    Which loop runs is decided here by sizes and memory, so `foreach`, `fused` and `capturable` may
    be given and are not kept.

    Args:
        owner: name of the optimizer, for the error.
        given: the options.
        own: options of the algorithm, which are kept whatever they are called.

    Raises:
        TypeError: one of them is neither a truth value nor None.
        ValueError: `differentiable` is asked for.
    """
    loops = _LOOPS.difference(own).intersection(given)
    for name in sorted(loops):
        if not isinstance(given[name], bool | None):
            raise TypeError(f"{owner}: wanted True, False or None for {name}, got {given[name]!r}")
    if "differentiable" in loops and given["differentiable"]:
        raise ValueError(
            f"{owner}: wanted differentiable=False, got True; steps change data in place and are "
            "not recorded, so write the step as an operation, w = w - lr * g, to differentiate it"
        )
    return {name: value for name, value in given.items() if name not in loops}


def check_options(owner: str, values: Mapping[str, Any], options: Mapping[str, Option]) -> None:
    """Check that each value is of the kind of its default.

    Raises:
        TypeError: a value is no number, no truth value or no tuple, where one is wanted.
        ValueError: a tuple has another number of entries, or a word is none of the choices.
    """
    for name, declared in options.items():
        value, default = values[name], declared.default
        if value is None and default is None:
            continue
        if declared.choices:
            if value not in declared.choices:
                known = ", ".join(map(repr, (*declared.choices, default)))
                raise ValueError(f"{owner}: wanted {name} among {known}, got {value!r}")
        elif isinstance(default, bool):
            if not isinstance(value, bool):
                raise TypeError(f"{owner}: wanted True or False for {name}, got {value!r}")
        elif isinstance(default, tuple):
            entries = _several(owner, name, value)
            if len(entries) != len(default):
                raise ValueError(
                    f"{owner}: wanted {len(default)} numbers for {name}, got {value!r}"
                )
            for entry, usual in zip(entries, default, strict=True):
                if not (entry is None and usual is None):
                    _check_number(owner, name, entry)
        else:
            _check_number(owner, name, value)
            if declared.whole and not isinstance(value, int):
                raise TypeError(f"{owner}: wanted a whole number for {name}, got {value!r}")


def _several(owner: str, name: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, tuple):
        raise TypeError(
            f"{owner}: wanted numbers in a tuple for {name}, got {type(value).__name__} {value!r}"
        )
    return value


def _check_number(owner: str, name: str, number: Any) -> None:
    if not isinstance(number, (int, float)) or isinstance(number, bool):
        got = f"{number!r:.40}" if isinstance(number, str) else type(number).__name__
        fix = (
            f"; write float({name})"
            if isinstance(number, str) and _is_text_of_number(number)
            else ""
        )
        raise TypeError(f"{owner}: wanted a real number for {name}, got {got}{fix}")


def _is_text_of_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_limits(
    owner: str, values: Mapping[str, Any], limits: Limits, options: Mapping[str, Option]
) -> None:
    """Check that each option lies in its half-open interval; a tuple is checked entry by entry.

    Args:
        owner: name of the optimizer, for the error.
        values: option name -> number or tuple of numbers.
        limits: option name -> (low, high), meaning low <= option < high.
        options: what has been declared, to know where None is a value.

    Raises:
        TypeError: an option is not a real number.
        ValueError: an option lies outside its interval.
    """
    for name, (low, high) in limits.items():
        value = values[name]
        for number in value if isinstance(value, tuple) else (value,):
            if number is None and name in options and options[name].may_be_none:
                continue
            _check_number(owner, name, number)
            if not low <= number < high:
                below = f"{name} < {high:g}" if math.isinf(low) else f"{low:g} <= {name} < {high:g}"
                wanted = f"{name} >= {low:g}" if math.isinf(high) else below
                if math.isinf(low) and math.isinf(high):
                    wanted = f"a finite {name}"
                raise ValueError(f"{owner}: wanted {wanted}, got {value!r}")


def check_spelling(
    owner: str, names: Iterable[str], known: Iterable[str], *, own: bool = True
) -> None:
    """Refuse the key of a group that looks like a misspelt option.

    Args:
        owner: name of the optimizer, for the error.
        names: the keys.
        known: the options.
        own: whether other keys are the user's and allowed.

    Raises:
        ValueError: a key is not an option, but nearly one, or not allowed.
    """
    known = list(known)
    for key in names:
        if key in known or key in _COMPANIONS:
            continue
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.85)
        if near or not own:
            hint = f"did you mean {near[0]!r}?" if near else f"its options are {', '.join(known)}"
            raise ValueError(f"{owner}: a parameter group has no option {key!r}; {hint}")


def check_companions(owner: str, values: Mapping[str, Any]) -> None:
    """Check what schedules have added to a group: numbers.

    Raises:
        TypeError: one of them is not.
    """
    for name in _COMPANIONS.intersection(values) - {"params", "param_names"}:
        _check_number(owner, name, values[name])


def check_parameter(owner: str, label: str, parameter: object) -> None:
    """Check that something is a leaf Variable that collects a gradient.

    Raises:
        TypeError: it is no Variable.
        ValueError: it is the result of an operation, or does not require a gradient.
    """
    if not isinstance(parameter, Variable):
        raise TypeError(
            f"{owner}: wanted Variables as parameters, got {type(parameter).__name__} as {label}; "
            "pass model.parameters(), or a list of Variables"
        )
    if not parameter.is_leaf:
        raise ValueError(
            f"{owner}: {label} is the result of an operation, and only leaves can be optimized; "
            "pass the Variables it was computed from, or make a new leaf of it with "
            "Variable(x.data, requires_grad=True)"
        )
    if not parameter.requires_grad:
        raise ValueError(
            f"{owner}: {label} does not require a gradient, so it would never change; create it "
            "with requires_grad=True or leave it out of the list"
        )


def check_memory(owner: str, labelled: Sequence[tuple[str, Variable]]) -> None:
    """Check that no two parameters lie, wholly or in part, in one memory.

    Raises:
        ValueError: two do, so the step of one would be changed by that of the other.
    """
    over: dict[int, list[tuple[str, Variable]]] = {}
    for label, parameter in labelled:
        over.setdefault(_memory(parameter.data), []).append((label, parameter))
    for together in over.values():
        for (one, p), (other, q) in combinations(together, 2):
            if _share(p.data, q.data):
                raise ValueError(
                    f"{owner}: wanted parameters with memory of their own, got {one} and {other} "
                    "over one; pass one of them, or give the other a copy: p.data = p.data.copy()"
                )


def _memory(array: Any) -> int:
    """Return the identity of what owns the memory of an array."""
    while True:
        below = array.obj if isinstance(array, memoryview) else getattr(array, "base", None)
        if below is None:
            return id(array)
        array = below


def _share(a: Any, b: Any) -> bool:
    if is_foreign(a):
        return True
    try:
        return np.shares_memory(a, b, max_work=100_000)  # type: ignore[arg-type] # any number
    except np.exceptions.TooHardError:  # slices so intricate that nobody has made them by accident
        return False


def refuse_foreign(owner: str, params: Iterable[Variable]) -> None:
    """Check that parameters are arrays of NumPy.

    Raises:
        TypeError: one is of another library.
    """
    for parameter in params:
        if is_foreign(parameter.data):
            raise TypeError(
                f"{owner}: wanted parameters of NumPy, got {kind_of(parameter.data)}; use another "
                "optimizer, such as Adam, or bring them back by model.to_array_module(numpy)"
            )


def list_groups(owner: str, params: object) -> list[dict[str, Any]]:
    """Return what a user handed to an optimizer as parameter groups, not yet checked.

    Raises:
        TypeError: a single Variable, where a list is meant.
    """
    if isinstance(params, Variable):
        raise TypeError(f"{owner}: wanted an iterable of Variables, got a single one; write [x]")
    if isinstance(params, dict):
        raise TypeError(
            f"{owner}: wanted an iterable of Variables or of groups, got a dict; for one group "
            "write [{'params': ...}], for a state_dict pass its values()"
        )
    entries = params if isinstance(params, (set, frozenset)) else _listed(owner, params)
    if entries and all(isinstance(entry, dict) for entry in entries):
        return list(entries)
    return [{"params": entries}] if entries else []


def _listed(owner: str, params: object) -> list[Any]:
    if not isinstance(params, Iterable):
        raise TypeError(
            f"{owner}: wanted an iterable of Variables, got {type(params).__name__}; "
            "pass model.parameters() or a list"
        )
    return list(params)


def split_names(owner: str, params: object) -> tuple[list[Any], list[str] | None]:
    """Return the parameters of a group as a list, with their names where pairs were given.

    Args:
        owner: name of the optimizer, for the error.
        params: a Variable, an iterable of Variables, or of (name, Variable) pairs.

    Raises:
        TypeError: `params` is not iterable, or a set, whose order changes from run to run.
        ValueError: some entries are pairs and some are not.
    """
    if isinstance(params, Variable):
        return [params], None
    if isinstance(params, (set, frozenset)):
        raise TypeError(
            f"{owner}: wanted parameters in a fixed order, got a set, whose order changes from run "
            "to run; pass a list"
        )
    entries = _listed(owner, params)
    pairs = [entry for entry in entries if isinstance(entry, tuple)]
    if not pairs:
        return entries, None
    if len(pairs) != len(entries) or any(len(p) != 2 or not isinstance(p[0], str) for p in pairs):
        raise ValueError(
            f"{owner}: wanted either Variables or (name, Variable) pairs, got a mixture; "
            "pass model.named_parameters() or model.parameters()"
        )
    return [parameter for _, parameter in pairs], [name for name, _ in pairs]
