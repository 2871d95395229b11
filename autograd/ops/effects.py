"""What a function does besides computing: it draws random numbers, and it updates arrays that
outlive it (running statistics). Both go through here, so that a traced program can do them anew at
each call. Imports `calls`, `random` and NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import Many, is_foreign, moved
from autograd.engine.backward import mark_changed
from autograd.engine.graph import record, unwrap, wrap
from autograd.engine.mode import current_mode
from autograd.engine.primitive import Primitive
from autograd.random import Seed, new_generator

__all__ = ["DRAW", "OVERWRITE", "draw", "overwrite", "present", "write"]


def _drawn(seed: Seed, method: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(new_generator(seed), method)(*args, **kwargs)


DRAW = Primitive("draw", _drawn, ("args", "kwargs"), {}, plain=True)
DRAW.evaluate = lambda values: _drawn(*values[0], **values[1])  # type: ignore[method-assign]
OVERWRITE = Primitive("overwrite", np.copyto, ("target", "value"), {}, plain=True)


def draw(generator: Seed, method: str, *args: Any, **kwargs: Any) -> Any:
    """Return what a generator draws, as `new_generator(generator).normal(size=3)` does for
    `draw(generator, "normal", size=3)`: an array; while a program is traced, a Variable.
    """
    if not current_mode().tracing:
        return _drawn(generator, method, *args, **kwargs)
    out = _drawn(0, method, *args, **kwargs)  # of the same shape and dtype
    return record(DRAW.constant, (), (), np.asarray(out), ((generator, method, *args), kwargs))


def present(target: Any) -> Any:
    """Return what an array that is overwritten holds now, so that a traced program reads it anew
    each time: the array itself; while a program is traced, a Variable on it.
    """
    return wrap(target) if current_mode().tracing and isinstance(target, np.ndarray) else target


def overwrite(target: Any, value: Any) -> None:
    """Copy `value` into `target`, an array or a constant Variable; while a program is traced, have
    the program do so at the end of each run.
    """
    if current_mode().tracing:
        record(OVERWRITE.constant, (), (), unwrap(value), (target, value))
    else:
        write(target, unwrap(value))


def write(target: Any, value: Any) -> None:
    """Copy an array into `target`."""
    if isinstance(value, Many):
        raise RuntimeError(  # noqa: TRY004 - as all that is refused inside vmap
            "vmap: wanted a function that changes nothing outside, got one that updates an array "
            "for each example, such as running statistics; call model.eval() first, or make the "
            "layer with track_running_stats=False"
        )
    data = unwrap(target)
    if data is not target:
        mark_changed(data)
    if is_foreign(data):
        data[...] = moved(value, data)
    else:
        np.copyto(data, value, casting="same_kind")
