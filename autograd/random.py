"""Random numbers: one generator per consumer, all derived from one seed.

Imports numpy and the standard library only. `numpy.random` loads when it is first used: NumPy
itself defers it, and it would add 8 ms to the 40 ms of `import numpy`.
"""

from __future__ import annotations

import functools
import weakref
from _thread import allocate_lock
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Seed", "manual_seed", "new_generator", "random_state", "set_random_state", "snapshot"]

Seed: TypeAlias = "int | np.random.SeedSequence | np.random.Generator | None"
"""What every ``generator`` argument of the library takes."""

_lock = allocate_lock()
# The global seed; None until it is first asked for, then as the operating system draws it.
_root: np.random.SeedSequence | None = None


# Generators of the library that are alive, for `snapshot`.
_alive: weakref.WeakSet[np.random.Generator] = weakref.WeakSet()


@functools.cache
def _generator_class() -> type[np.random.Generator]:
    """Return the class of the library's generators; a NumPy one cannot be referred to weakly."""

    class Generator(np.random.Generator):
        """A generator that can be found again while it lives, in copies, too."""

        def __reduce__(self) -> tuple[Any, ...]:
            return _tracked, (self.bit_generator,)

    return Generator


def _tracked(bit_generator: np.random.BitGenerator) -> np.random.Generator:
    generator = _generator_class()(bit_generator)
    _alive.add(generator)
    return generator


def snapshot() -> Callable[[], bool]:
    """Remember the states of all generators of the library; return what sets them back, and tells
    whether that changed anything.

    Generators that a user made and handed in are not known here.
    """
    root = random_state()
    states = [(g, g.bit_generator.state) for g in tuple(_alive)]

    def restore() -> bool:
        moved = random_state() != root
        set_random_state(root)
        for generator, state in states:
            moved = moved or generator.bit_generator.state != state
            generator.bit_generator.state = state
        return moved

    return restore


def manual_seed(seed: int) -> None:
    """Restart the global stream that generators are derived from.

    The same seed, followed by the same calls in the same order, gives the same bits. Generators
    that exist already are not touched.

    Args:
        seed: A non-negative integer of any size.

    Raises:
        TypeError: ``seed`` is not an integer.
        ValueError: ``seed`` is negative.

    Example:
        >>> manual_seed(7)
        >>> first = new_generator().random()
        >>> manual_seed(7)
        >>> new_generator().random() == first
        True
    """
    global _root  # noqa: PLW0603 - the one global seed
    root = np.random.SeedSequence(_checked_int(seed, "manual_seed"))
    with _lock:
        _root = root


def new_generator(seed: Seed = None) -> np.random.Generator:
    """Return a generator of one's own.

    Args:
        seed: ``None`` derives the next independent stream from the global seed; an integer or a
            ``SeedSequence`` starts a stream that depends on nothing else; a ``Generator`` is
            returned as it is, which lets consumers share one.

    Raises:
        TypeError: ``seed`` is none of these.
        ValueError: ``seed`` is negative.

    Example:
        >>> import numpy as np
        >>> new_generator(3).random() == np.random.default_rng(3).random()
        True
    """
    if isinstance(seed, np.random.Generator):
        return seed
    if seed is None:
        with _lock:
            (child,) = _current_root().spawn(1)
        return _tracked(np.random.PCG64(child))
    if isinstance(seed, np.random.SeedSequence):
        return _tracked(np.random.PCG64(seed))
    return _tracked(np.random.PCG64(_checked_int(seed, "new_generator")))


def random_state() -> dict[str, int]:
    """Return the state of the global stream, as integers that a checkpoint can keep.

    Example:
        >>> state = random_state()
        >>> first = new_generator().random()
        >>> set_random_state(state)
        >>> new_generator().random() == first
        True
    """
    with _lock:
        root = _current_root()
        # manual_seed and the operating system's entropy both give one integer.
        assert isinstance(root.entropy, int)
        return {"entropy": root.entropy, "spawned": root.n_children_spawned}


def set_random_state(state: Mapping[str, Any]) -> None:
    """Return the global stream to where ``random_state`` found it.

    Raises:
        ValueError: ``state`` is not what ``random_state`` returns.
    """
    global _root  # noqa: PLW0603 - the one global seed
    if set(state) != {"entropy", "spawned"}:
        raise ValueError(
            f"set_random_state: wanted what random_state() returns, got the keys {sorted(state)}"
        )
    entropy = _checked_int(state["entropy"], "set_random_state")
    spawned = _checked_int(state["spawned"], "set_random_state")
    root = np.random.SeedSequence(entropy, n_children_spawned=spawned)
    with _lock:
        _root = root


def _current_root() -> np.random.SeedSequence:
    global _root  # noqa: PLW0603 - the one global seed
    if _root is None:
        _root = np.random.SeedSequence()
    return _root


def _checked_int(seed: Any, who: str) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(
            f"{who}: wanted an int, got {type(seed).__name__}; "
            "new_generator also takes a SeedSequence or a Generator"
        )
    if seed < 0:
        raise ValueError(f"{who}: wanted a non-negative int, got {seed}")
    return int(seed)
