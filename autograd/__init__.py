"""Automatic differentiation for people who think in NumPy: the contents page.

Functions have the names, arguments and results of NumPy, and take Variables: arrays in, array out;
any Variable in, Variable out. Start with `Variable`, `grad` and `primitive`.

- `ops`: the functions of NumPy, by family (`autograd.exp` is `autograd.ops.elementwise.exp`);
- `linalg`, `fft`: those of `np.linalg` and `np.fft`; `special`, `stats`, `signal`, `integrate`,
  `interpolate`, `optimize`, `spatial`: those of SciPy; `implicit`: solutions of equations;
- `extend`: functions and rules of your own; `testing`: whether their gradients are right;
- `array_api`: the standard, for code written for any array library;
- `numpy`, `scipy`, `misc`, `test_util` ...: doors for code written for HIPS autograd.

What is listed under "imported on demand" is, when it is first used.
"""

import importlib
import itertools
import os
import sys
import typing

from numpy import e as e
from numpy import inf as inf
from numpy import nan as nan
from numpy import newaxis as newaxis
from numpy import pi as pi

from autograd import filled, ops
from autograd._optional import look_for_hips as _look_for_hips
from autograd._version import __version__ as __version__
from autograd.advice import instead_of_name as _instead_of_name
from autograd.engine import *
from autograd.filled import *
from autograd.memory import keep_memory as keep_memory
from autograd.ops import *
from autograd.publication import publish as _publish
from autograd.random import manual_seed as manual_seed
from autograd.random import new_generator as new_generator
from autograd.random import random_state as random_state
from autograd.random import set_random_state as set_random_state
from autograd.variable import Variable as Variable

if typing.TYPE_CHECKING:
    from autograd import extend as extend
    from autograd import fft as fft
    from autograd import implicit as implicit
    from autograd import integrate as integrate
    from autograd import interpolate as interpolate
    from autograd import linalg as linalg
    from autograd import optimize as optimize
    from autograd import signal as signal
    from autograd import spatial as spatial
    from autograd import special as special
    from autograd import stats as stats
    from autograd import testing as testing
    from autograd._coverage import coverage as coverage
    from autograd.compiler.compiled import compile as compile
    from autograd.debug import *
    from autograd.extend import primitive as primitive
    from autograd.function import Function as Function
    from autograd.kernels import set_num_threads as set_num_threads
    from autograd.kernels import use_kernels as use_kernels
    from autograd.profiler import profile as profile
    from autograd.seeing import *
    from autograd.special import i0 as i0
    from autograd.transforms.checkpoint import *
    from autograd.transforms.gradients import elementwise_grad as elementwise_grad
    from autograd.transforms.gradients import grad as grad
    from autograd.transforms.gradients import value_and_grad as value_and_grad
    from autograd.transforms.jacobian import hessian as hessian
    from autograd.transforms.jacobian import jacobian as jacobian
    from autograd.transforms.products import hvp as hvp
    from autograd.transforms.products import jvp as jvp
    from autograd.transforms.products import vjp as vjp
    from autograd.transforms.vmap import vmap as vmap
else:  # to type checkers star imports are public, computed lists are not
    # Imported on demand: rooms, and names by the room that has them.
    _ROOMS = (
        *("extend", "fft", "linalg", "special"),
        *("implicit", "integrate", "interpolate", "optimize", "signal", "spatial", "stats"),
        "testing",
    )
    _ON_DEMAND = {
        # functions of functions
        "transforms.gradients": ("elementwise_grad", "grad", "value_and_grad"),
        "transforms.jacobian": ("hessian", "jacobian"),
        "transforms.products": ("hvp", "jvp", "vjp"),
        "transforms.checkpoint": ("checkpoint",),
        "transforms.vmap": ("vmap",),
        "compiler.compiled": ("compile",),
        # functions of your own, and what became of them
        "extend": ("primitive",),
        "function": ("Function",),
        "_coverage": ("coverage",),
        "debug": ("detect_anomaly",),
        # where time goes, and who computes; see it
        "kernels": ("set_num_threads", "use_kernels"),
        "profiler": ("profile",),
        "seeing": ("draw", "explain", "record_values"),
        # the one function of NumPy that is made of SciPy's
        "special": ("i0",),
    }
    __all__ = [
        # the array that remembers, and when it does
        *("Variable", "enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"),
        *itertools.chain(*_ON_DEMAND.values()),
        "keep_memory",
        # NumPy's functions, and the rooms of the others
        *(*filled.__all__, *ops.__all__, "extend", "fft", "linalg", "special"),
        # numbers
        *("e", "inf", "nan", "newaxis", "pi"),
        *("manual_seed", "new_generator", "random_state", "set_random_state"),
        "__version__",
    ]

    # Names of HIPS autograd, which are no part of this page.
    _DOORS = (
        "array_api", "core", "misc", "numpy", "scipy", "test_util", "tracer", "util", "wrap_util"
    )  # fmt: skip
    _HIPS = ("differential_operators", "builtins")

    def __getattr__(name: str) -> object:
        """Import a room when it, or a name of it, is first asked for."""
        if name in _ROOMS + _DOORS + _HIPS:
            return importlib.import_module(f"autograd.{name}")
        for room, names in _ON_DEMAND.items():
            if name in names:
                opened = importlib.import_module(f"autograd.{room}")
                globals().update({each: getattr(opened, each) for each in names})
                _publish(__name__, names)
                return globals()[name]
        for door in () if name.startswith("_") else _HIPS:
            room = importlib.import_module(f"autograd.{door}")
            if name in room.__all__:
                return getattr(room, name)
        raise _instead_of_name(sys.modules[__name__], name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_ROOMS} - {*_DOORS, *_HIPS})

    _publish(__name__, promised=_ON_DEMAND)
    if os.environ.get("GRADLOOM_KERNELS"):  # whose choice holds from the start
        __getattr__("use_kernels")


_look_for_hips(__path__[0])
