"""The command line: `python -m autograd info`, `check` and `draw`.

Stands above all other rooms of the package. Errors are one sentence on standard error; the exit
code is 0 where all is well, 1 where a check has failed, 2 where the command cannot be carried out.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import inspect
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import autograd
from autograd._optional import available

__all__ = ["main"]

# The packages of the extras, by the name under which they are imported.
_EXTRAS = {
    "data": "sklearn",
    "io": "safetensors",
    "log": "tensorboardX",
    "mpi": "mpi4py",
    "plot": "matplotlib",
    "sklearn": "sklearn",
    "special": "scipy",
    "test": "hypothesis",
}
_DISTRIBUTIONS = {"sklearn": "scikit-learn"}
_SHAPES = ((3,), (3, 3), ())  # that arguments are tried with


class _Refused(Exception):  # noqa: N818 - what it says is the message
    """What cannot be carried out, in one sentence."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit code.

    Args:
        arguments: the words after `python -m autograd`; None takes those of the process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m autograd", description="Automatic differentiation for NumPy."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("info", help="versions, BLAS, threads, and which extras are installed")
    for name, text in (
        ("check", "compare the gradients of a function with finite differences"),
        ("draw", "draw the graph of a function"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("function", help="module:function, or path/to/file.py:function")
        command.add_argument(
            "-s",
            "--shape",
            action="append",
            type=_shape,
            metavar="N,M",
            help="the shape of an argument, once for each, 0 for a number; else some are tried",
        )
        command.add_argument("--seed", type=int, default=0, help="of the random arguments")
    commands.choices["draw"].add_argument(
        "-o", "--output", metavar="FILE", help=".svg, .dot or .mmd; text without it"
    )
    options = parser.parse_args(arguments)
    try:
        return _COMMANDS[options.command](options)
    except (_Refused, OSError) as refusal:
        print(f"python -m autograd {options.command}: {refusal}", file=sys.stderr)
        return 2


# -- commands --------------------------------------------------------------------------------------


def _info(_: argparse.Namespace) -> int:
    for name, told in _facts():
        print(f"{name:<16}{told}")
    return 0


def _facts() -> Iterator[tuple[str, str]]:
    yield "gradloom", f"{autograd.__version__} in {Path(autograd.__file__).parent}"
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()})"
    yield "system", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield "NumPy", np.__version__
    built: Any = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    yield "BLAS", f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    limits = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
    yield "threads", ", ".join(limits) or "as many as BLAS likes (no *_NUM_THREADS is set)"
    for extra, package in _EXTRAS.items():
        distribution = _DISTRIBUTIONS.get(package, package)
        told = f"not installed: pip install 'gradloom[{extra}]'"
        if available(package):
            told = f"{distribution} {importlib.metadata.version(distribution)}"
        yield f"extra {extra}", told


def _check(options: argparse.Namespace) -> int:
    from autograd.testing import GradientError, check_gradients

    function, inputs = _at_a_point(options)
    try:
        check_gradients(function, *inputs)
    except GradientError as error:
        print(error)
        return 1
    except (TypeError, ValueError) as error:
        raise _Refused(str(error)) from error
    print(f"{options.function}: gradients agree with finite differences at {_shapes(inputs)}")
    return 0


def _draw(options: argparse.Namespace) -> int:
    function, inputs = _at_a_point(options)
    try:
        picture = autograd.draw(function, *inputs)
        if options.output is not None:
            picture.save(options.output)
    except (TypeError, ValueError) as error:
        raise _Refused(str(error)) from error
    print(picture if options.output is None else f"{options.output}: {picture!r}")
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "check": _check,
    "draw": _draw,
    "info": _info,
}


# -- functions and their arguments -----------------------------------------------------------------


def _at_a_point(options: argparse.Namespace) -> tuple[Callable[..., Any], list[Any]]:
    """Return the function that was named, and random arguments."""
    function = _found(options.function)
    numbers = np.random.default_rng(options.seed)
    count = len(options.shape or ()) or _count(function, options.function)
    for shapes in [options.shape] if options.shape else [[shape] * count for shape in _SHAPES]:
        # Positive, and away from 0 and 1, where many functions have their edges.
        inputs = [numbers.uniform(0.2, 0.9, shape) for shape in shapes]
        try:
            function(*inputs)
        except Exception as error:  # noqa: BLE001 - of the user's function; told, if it is the last
            failed = error
        else:
            return function, inputs
    said = " ".join(str(failed).split())
    raise _Refused(
        f"{options.function} failed with {type(failed).__name__} at {_shapes(inputs)}: {said}; "
        "--shape gives them other shapes"
    ) from failed


def _found(address: str) -> Callable[..., Any]:
    place, colon, name = address.rpartition(":")
    if not colon or not place or not name:
        raise _Refused(f"wanted module:function, got {address!r}, as in numpy:sin")
    sys.path.insert(0, str(Path.cwd()))
    if place.endswith(".py"):
        path = Path(place).resolve()
        sys.path.insert(0, str(path.parent))
        place = path.stem
    try:
        found: Any = importlib.import_module(place)
    except ImportError as error:
        raise _Refused(f"wanted a module that can be imported, got {place!r} ({error})") from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise _Refused(f"wanted a function of {place}, got {name!r}, which it does not have")
        found = getattr(found, part)
    if not callable(found):
        raise _Refused(f"wanted a function, got {address}, which is of type {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def _count(function: Callable[..., Any], address: str) -> int:
    """Return how many arguments a function needs."""
    if isinstance(function, np.ufunc):
        return function.nin
    try:
        parameters = inspect.signature(getattr(function, "forward", function)).parameters.values()
    except (TypeError, ValueError):
        return 1
    needed = [p for p in parameters if p.default is p.empty and p.kind < p.VAR_POSITIONAL]
    if not needed:
        raise _Refused(
            f"wanted a function with arguments to differentiate by, got {address} without any that "
            "it needs; give their shapes with --shape"
        )
    return len(needed)


def _shape(text: str) -> tuple[int, ...]:
    """Return a shape from "2,3"; "0" is that of a number."""
    shape = tuple(int(part) for part in text.strip("(),").split(","))
    return () if shape == (0,) else shape


def _shapes(inputs: list[Any]) -> str:
    shapes = " and ".join(str(np.shape(value)) for value in inputs)
    return f"random arguments of shape {shapes}"


if __name__ == "__main__":
    sys.exit(main())
