"""Optional packages: imported where they are used, refused in one sentence when absent.

Imports the standard library only.
"""

import importlib
import os
import sys
import warnings
from typing import Any

__all__ = ["available", "look_for_hips", "require"]


def require(module: str, extra: str) -> Any:
    """Return an imported optional module, or say how to install it.

    Args:
        module: Dotted name as an import statement spells it, e.g. ``"matplotlib.pyplot"``.
        extra: The extra of gradloom that installs it.

    Raises:
        ImportError: The package is not installed; the message names the command.

    Example:
        >>> require("json", extra="io").dumps([1, 2])
        '[1, 2]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        # A package that is there but lacks one of its own dependencies has its own story to tell.
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise ImportError(
            f"{module} is not installed: run pip install 'gradloom[{extra}]'", name=module
        ) from error


def available(module: str) -> bool:
    """Tell whether an optional top-level package can be imported, without importing it.

    Example:
        >>> available("json"), available("no_such_package")
        (True, False)
    """
    if module in sys.modules:
        # None is how a module is blocked, by the interpreter and by tests.
        return sys.modules[module] is not None
    from importlib.util import find_spec  # 0.3 ms

    return find_spec(module) is not None


def look_for_hips(folder: str) -> None:
    """Warn where HIPS autograd is installed over this package: it has the same import name, and its
    files lie among ours. One question to the file system, 2 us.
    """
    if os.path.exists(f"{folder}/numpy/numpy_wrapper.py"):  # noqa: PTH110 - a file of theirs alone
        warnings.warn(
            "autograd: the files of HIPS autograd and of gradloom lie in one folder, because both "
            "are imported as autograd; run pip uninstall -y autograd gradloom, then pip install "
            "gradloom",
            UserWarning,
            stacklevel=3,
        )
