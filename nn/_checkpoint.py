"""Checkpoints: everything that continues a training, in one file, without pickle.

A checkpoint is a tree of dicts, lists and tuples whose leaves are arrays, numbers, strings and
None. Its arrays are stored by name; what is no array goes into a JSON header that refers to the
names. A flat dict of arrays, which is what a model's `state_dict` is, needs no header: then the
file is an ordinary `.npz`, or the `.safetensors` file that PyTorch's users exchange.

Imports `autograd` and `_files`, which knows the formats.
"""

import contextlib
import copy
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from autograd import Variable
from autograd._writes import Writes
from autograd.arrays import refuse_mask
from nn._files import HEADER, KINDS, Array, as_path, damaged, read, write

__all__ = ["load", "read_tree", "restore", "save"]

_FORMAT: Final = 1
# Where modules keep what is no array, a dropout layer's generator for one.
_EXTRA: Final = "extra_state"
# Other names (control characters, line breaks, ...) do not survive every archive.
_PLAIN_NAME: Final = re.compile(r"[\w./~ -]+", re.ASCII)


def save(
    path: str | os.PathLike[str],
    tree: Mapping[Any, Any] | None = None,
    /,
    *others: Any,
    **parts: Any,
) -> None:
    """Write a checkpoint: all of it or, whatever happens meanwhile, the old file unchanged.

    The file is written beside its place, flushed to the disk and only then renamed. It keeps the
    permissions of the file it replaces; what a killed save has left goes with the next one.

    Args:
        path: Ends in ``.npz``, or in ``.safetensors`` where the ``io`` extra is installed.
        tree: A dict to be saved as it is; ``model.state_dict()`` makes a file that NumPy
            (``.npz``) and PyTorch's users (``.safetensors``) read without this library.
        *others: Parts without a name are an error.
        **parts: Instead of ``tree``: models, optimisers, schedulers, loaders (anything with
            ``state_dict``), NumPy generators, and plain values such as ``epoch=3``. Of a model,
            the states of its random generators are saved, too.

    Raises:
        ValueError: An unknown suffix, or a tree that contains itself.
        TypeError: Something that a checkpoint cannot hold, named by its place in the tree.
        OSError: As the operating system says; FileNotFoundError where there is no such folder.
        ImportError: ``.safetensors`` without the package.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> path = os.path.join(tempfile.mkdtemp(), "run.npz")
        >>> save(path, weights=np.eye(2), epoch=3, betas=(0.9, 0.999))
        >>> load(path)["betas"]
        (0.9, 0.999)
    """
    if isinstance(path, Mapping) and isinstance(tree, str | os.PathLike):
        raise TypeError(
            f"nn.save: wanted the path first, got {type(path).__name__}; write "
            f"nn.save({os.fspath(tree)!r}, state)"
        )
    _refuse_unnamed("save", "model.npz", (tree,) if others else (), others)
    target = as_path("nn.save", path)
    if (tree is None) == (not parts):
        raise TypeError("nn.save: wanted either one dict or named parts, as in model=model")
    if tree is None:
        tree = {name: _state_of(part) for name, part in parts.items()}
        extra = {name: state for name, part in parts.items() if (state := _extra_of(part))}
        if extra:
            if _EXTRA in tree:
                raise ValueError(f"nn.save: wanted another name than {_EXTRA!r}, which is taken")
            tree[_EXTRA] = extra
    elif not isinstance(tree, Mapping):
        raise TypeError(
            f"nn.save: wanted a dict, got {type(tree).__name__}; "
            "write model=model, or pass model.state_dict()"
        )
    write(target, *_flatten(tree))


def load(path: str | os.PathLike[str], /, *others: Any, **parts: Any) -> dict[Any, Any]:
    """Read a checkpoint, and put the states of the parts given back into them.

    Nothing is changed unless everything fits, and a Ctrl-C leaves all parts old or all new. Loading
    executes nothing from the file, and takes memory in proportion to its size: a file that would
    inflate to more than about 16 times that is refused before it is read.

    Args:
        path: A file that ``save`` has written, or any ``.npz`` or ``.safetensors`` file of arrays.
        *others: Parts without a name are an error.
        **parts: What to restore, under the names it was saved with: ``model=model``.

    Returns:
        The whole tree, also what was restored.

    Raises:
        ValueError: The file is damaged, is no checkpoint, or does not fit a part; the message
            names the file, and the part or the array.
        OSError: As the operating system says; FileNotFoundError where there is no such file.
        KeyError: The file lacks one of the parts.
        TypeError: A part has no ``load_state_dict``.
    """
    _refuse_unnamed("load", path, (), others)
    tree = read_tree(path)
    restore(path, tree, parts)
    return tree


def _refuse_unnamed(what: str, path: Any, *unnamed: Any) -> None:
    kinds = [type(part).__name__ for part in itertools.chain(*unnamed)]
    if kinds:
        raise TypeError(
            f"nn.{what}: wanted parts by name, got {' and '.join(kinds)} without; write "
            f"nn.{what}({os.fspath(path)!r}, model=model)"
        )


def read_tree(path: str | os.PathLike[str]) -> dict[Any, Any]:
    """Return what a checkpoint holds; the first half of `load`."""
    source = as_path("nn.load", path)
    return _unflatten(source, *read(source))


def restore(source: str | os.PathLike[str], tree: dict[Any, Any], parts: dict[str, Any]) -> None:
    """Put the states of a tree back into the parts, all of them or none; the rest of `load`."""
    for name, part in parts.items():
        if not isinstance(part, np.random.Generator) and not hasattr(part, "load_state_dict"):
            raise TypeError(
                f"nn.load: wanted {name} with a load_state_dict method, got {type(part).__name__}; "
                f"plain values are in what load returns"
            )
        if name not in tree:
            held = ", ".join(map(str, list(tree)[:5])) + (", ..." if len(tree) > 5 else "")
            raise KeyError(
                f"nn.load: wanted {name!r} in {source}, which holds {held or 'nothing'}; a file "
                "with one state dict is loaded by model.load_state_dict(nn.load(path))"
            )
    extra = tree.get(_EXTRA, {})
    if not isinstance(extra, Mapping):
        raise damaged(Path(source), f"its {_EXTRA} is {type(extra).__name__}, wanted a dict")
    # Models, optimizers and schedules plan what to write. Other parts, and random streams, change
    # at once and are put back where something fails or interrupts, up to the one call that writes.
    writes = Writes()
    written: dict[str, bool] = {}
    undo: list[tuple[Any, Any]] = []
    try:
        for name, part in parts.items():
            with _naming(source, name):
                plan = _planner(part)
                if plan is not None:
                    writes.extend(plan(tree[name]))
        for name, part in parts.items():
            with _naming(source, name):
                _change_at_once(part, tree[name], extra.get(name), undo)
        writes.add(written, "all", True)
        writes.commit()
    finally:
        if not written:
            for back, state in reversed(undo):
                back(state)


@contextlib.contextmanager
def _naming(source: str | os.PathLike[str], name: str) -> Iterator[None]:
    """Turn whatever a state does not fit for into one error that names file and part."""
    try:
        yield
    except (MemoryError, OSError):
        raise
    except Exception as error:
        # The text of a KeyError is the repr of its message.
        reason = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise ValueError(
            f"nn.load: {name!r} of {source} does not fit: {reason or type(error).__name__}; "
            "nothing has been changed"
        ) from error


# -- parts: what has a state ---------------------------------------------------------------------


def _state_of(part: Any) -> Any:
    if isinstance(part, np.random.Generator):
        return part.bit_generator.state
    # A class has the attribute, too, but no state: it falls through to the refusal of its type.
    if hasattr(part, "state_dict") and not isinstance(part, type):
        return part.state_dict()
    return part


def _extra_of(part: Any) -> Any:
    return part.extra_state() if hasattr(part, "extra_state") else None


def _planner(part: Any) -> Callable[[Any], Writes] | None:
    """Return what plans the loading of a state without changing anything, where a part has that.

    A subclass with a `load_state_dict` of its own is asked by that.
    """
    mro = type(part).__mro__
    first = {
        name: next((i for i, cls in enumerate(mro) if name in vars(cls)), len(mro))
        for name in ("_plan_load", "load_state_dict")
    }
    return part._plan_load if first["_plan_load"] <= first["load_state_dict"] < len(mro) else None  # noqa: SLF001 - a protocol of nn and optim


def _change_at_once(part: Any, state: Any, extra: Any, undo: list[tuple[Any, Any]]) -> None:
    """Load what `_planner` has not planned; `undo` gets what brings the old state back."""
    if isinstance(part, np.random.Generator):
        stream = part.bit_generator
        undo.append((lambda old: setattr(stream, "state", old), stream.state))
        stream.state = state
        return
    if _planner(part) is None:
        undo.append((part.load_state_dict, copy.deepcopy(_state_of(part))))
        part.load_state_dict(state)
    if extra:
        undo.append((part.load_extra_state, copy.deepcopy(_extra_of(part))))
        part.load_extra_state(extra)


# -- trees and their flat form -------------------------------------------------------------------


def _flatten(tree: Mapping[Any, Any]) -> tuple[dict[str, Array], str | None]:
    """Return the arrays by name and the JSON text of the rest, None where there is no rest."""
    flat = {key: _array_of(value, str(key)) for key, value in tree.items()}
    once = len({id(array) for array in flat.values()}) == len(flat)
    if once and all(
        isinstance(key, str) and array is not None and _is_plain_name(key)
        for key, array in flat.items()
    ):
        return {key: array for key, array in flat.items() if array is not None}, None
    arrays: dict[str, Array] = {}
    try:
        node = _encode(tree, "", arrays, {})
        return arrays, json.dumps({"format": _FORMAT, "tree": node})
    except RecursionError:
        raise ValueError("nn.save: wanted a tree, got one that contains itself") from None


def _is_plain_name(name: str) -> bool:
    return (
        _PLAIN_NAME.fullmatch(name) is not None
        and name not in (HEADER, "__metadata__")
        and not name.endswith(".npy")
    )


def _array_of(value: Any, place: str) -> Array | None:
    """Return the array of a Variable or an array itself, None for anything else."""
    if isinstance(value, Variable):
        value = value.data
    if not isinstance(value, np.ndarray):
        return None
    refuse_mask(f"nn.save: {place}", value)
    if value.dtype.kind not in KINDS or not value.dtype.itemsize:
        raise TypeError(
            f"nn.save: wanted numbers or text at {place!r}, got an array of dtype {value.dtype}"
        )
    return value


def _encode(value: Any, place: str, arrays: dict[str, Array], names: dict[int, str]) -> Any:
    """Return `value` as JSON: scalars and lists as they are, all else as {tag: content}."""
    tag = "array"
    if isinstance(value, np.generic):
        tag, value = "scalar", np.asarray(value)
    array = _array_of(value, place)
    if array is not None:
        # One object, as a tied weight is, is written once.
        name = names.get(id(array))
        if name is None:
            name = names[id(array)] = _new_name(place, arrays)
            arrays[name] = array
        return {tag: name}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {
            "dict": [
                [_encode_key(key, place), _encode(entry, _join(place, key), arrays, names)]
                for key, entry in value.items()
            ]
        }
    if isinstance(value, list | tuple):
        entries = [_encode(entry, _join(place, i), arrays, names) for i, entry in enumerate(value)]
        return {"tuple": entries} if isinstance(value, tuple) else entries
    raise TypeError(
        "nn.save: wanted arrays, numbers, text, None, or dicts, lists and tuples of these, "
        f"got {type(value).__name__} at {place!r}"
    )


def _new_name(place: str, arrays: dict[str, Array]) -> str:
    base = re.sub(r"[^\w./ -]", "_", place, flags=re.ASCII)
    for number in itertools.count(1):
        name = base if number == 1 else f"{base}~{number}"
        if name not in arrays and _is_plain_name(name):
            return name
    raise AssertionError  # count() never ends


def _encode_key(key: Any, place: str) -> Any:
    if isinstance(key, np.generic):
        key = key.item()
    if isinstance(key, tuple):
        return {"tuple": [_encode_key(entry, place) for entry in key]}
    if key is None or isinstance(key, bool | int | float | str):
        return key
    raise TypeError(
        f"nn.save: wanted numbers or text as the keys of {place!r}, got {type(key).__name__}"
    )


def _join(place: str, key: Any) -> str:
    return f"{place}/{key}" if place else str(key)


def _unflatten(source: Path, arrays: dict[str, Array], header: str | None) -> dict[Any, Any]:
    if header is None:
        return dict(arrays)
    try:
        return _decode(header, arrays)
    except MemoryError:
        raise
    except Exception as error:
        raise damaged(source, f"its header is none that nn.save wrote: {error}") from error


def _decode(header: str, arrays: dict[str, Array]) -> dict[Any, Any]:
    """Return the tree of a header, built while the text is read: there is no second copy of it."""
    start = re.match(r'\s*{\s*"format"\s*:\s*(\d{1,9})\s*,\s*"tree"\s*:\s*', header)
    if start is None:
        raise ValueError("it has no format and tree")
    if int(start[1]) != _FORMAT:
        raise ValueError(f"it is of format {start[1]}, and this version reads {_FORMAT}")
    decoder = json.JSONDecoder(object_pairs_hook=lambda pairs: _decode_node(pairs, arrays))
    tree, end = decoder.raw_decode(header, start.end())
    if header[end:].strip() != "}":
        raise ValueError("it goes on after the tree")
    if not isinstance(tree, dict):
        raise TypeError(f"its tree is {type(tree).__name__}, wanted a dict")
    return tree


def _decode_node(pairs: list[tuple[str, Any]], arrays: dict[str, Array]) -> Any:
    if len(pairs) != 1:
        raise ValueError("it has a value without a tag")
    ((tag, content),) = pairs
    match tag:
        case "array" | "scalar":
            if not isinstance(content, str) or content not in arrays:
                raise ValueError(f"it refers to {content!r:.80}, which is not in the file")
            if tag == "scalar" and arrays[content].ndim:
                raise ValueError(f"{content!r} is no scalar")
            return arrays[content] if tag == "array" else arrays[content][()]
        case "tuple" if isinstance(content, list):
            return tuple(content)
        case "dict" if isinstance(content, list):
            if not all(isinstance(pair, list) and len(pair) == 2 for pair in content):
                raise ValueError("a dict in it is no list of pairs")
            table = dict(content)
            if len(table) != len(content):
                raise ValueError("a dict in it has one key twice")
            return table
    raise ValueError(f"it has an unknown tag {tag!r:.40}")
