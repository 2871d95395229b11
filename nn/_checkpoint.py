"""Checkpoints: everything that continues a training, in one file, without pickle.

A checkpoint is a tree of dicts, lists and tuples whose leaves are arrays, numbers, strings and
None. Its arrays are stored by name; what is no array goes into a JSON header that refers to the
names. A flat dict of arrays, which is what a model's `state_dict` is, needs no header: then the
file is an ordinary `.npz`, or the `.safetensors` file that PyTorch's users exchange.

Imports `autograd` only; `safetensors` where such a file is read or written.
"""

import contextlib
import copy
import itertools
import json
import os
import re
import secrets
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from autograd import Variable
from autograd._optional import require

__all__ = ["load", "save"]

Array: TypeAlias = npt.NDArray[Any]

_HEADER: Final = "gradloom.header"
_FORMAT: Final = 1
# Where modules keep what is no array, a dropout layer's generator for one.
_EXTRA: Final = "extra_state"
# Other names (control characters, line breaks, ...) do not survive every archive.
_PLAIN_NAME: Final = re.compile(r"[\w./~ -]+", re.ASCII)


def save(
    path: str | os.PathLike[str], tree: Mapping[Any, Any] | None = None, /, **parts: Any
) -> None:
    """Write a checkpoint: all of it or, whatever happens meanwhile, the old file unchanged.

    The file is written beside its place, flushed to the disk and only then renamed.

    Args:
        path: Ends in ``.npz``, or in ``.safetensors`` where the ``io`` extra is installed.
        tree: A dict to be saved as it is; ``model.state_dict()`` makes a file that NumPy
            (``.npz``) and PyTorch's users (``.safetensors``) read without this library.
        **parts: Instead of ``tree``: models, optimisers, schedulers, loaders (anything with
            ``state_dict``), NumPy generators, and plain values such as ``epoch=3``. Of a model,
            the states of its random generators are saved, too.

    Raises:
        ValueError: An unknown suffix, or a tree that contains itself.
        TypeError: Something that a checkpoint cannot hold, named by its place in the tree.
        FileNotFoundError: The folder does not exist.
        ImportError: ``.safetensors`` without the package.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "run.npz")
        >>> save(path, weights=np.eye(2), epoch=3, betas=(0.9, 0.999))
        >>> load(path)["betas"]
        (0.9, 0.999)
    """
    target = Path(path)
    write = _by_suffix("nn.save", target, {".npz": _write_npz, ".safetensors": _write_safetensors})
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
    arrays, header = _flatten(tree)
    with _replacing(target) as file:
        write(file, arrays, header)


def load(path: str | os.PathLike[str], /, **parts: Any) -> dict[Any, Any]:
    """Read a checkpoint, and put the states of the parts given back into them.

    Nothing is changed unless everything fits. Loading never executes code from the file.

    Args:
        path: A file that ``save`` has written, or any ``.npz`` or ``.safetensors`` file of arrays.
        **parts: What to restore, under the names it was saved with: ``model=model``.

    Returns:
        The whole tree, also what was restored.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, is no checkpoint, or does not fit a part.
        KeyError: The file lacks one of the parts.
        TypeError: A part has no ``load_state_dict``.
    """
    tree = read_tree(path)
    restore(path, tree, parts)
    return tree


def read_tree(path: str | os.PathLike[str]) -> dict[Any, Any]:
    """Return what a checkpoint holds; the first half of `load`."""
    source = Path(path)
    read = _by_suffix("nn.load", source, {".npz": _read_npz, ".safetensors": _read_safetensors})
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
    before = {
        name: (copy.deepcopy(_state_of(part)), copy.deepcopy(_extra_of(part)))
        for name, part in parts.items()
    }
    touched: list[str] = []
    try:
        for name, part in parts.items():
            touched.append(name)
            _restore_one(part, tree[name], extra.get(name))
    except BaseException as error:
        for name in touched:
            _restore_one(parts[name], *before[name])
        error.add_note(f"nn.load: this was {touched[-1]!r} of {source}; nothing has been changed")
        raise


def _by_suffix(who: str, path: Path, choices: dict[str, Any]) -> Any:
    try:
        return choices[path.suffix.lower()]
    except KeyError:
        raise ValueError(
            f"{who}: wanted a path ending in {' or '.join(choices)}, got {path.name!r}"
        ) from None


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


def _restore_one(part: Any, state: Any, extra: Any) -> None:
    if isinstance(part, np.random.Generator):
        part.bit_generator.state = state
        return
    part.load_state_dict(state)
    if extra:
        part.load_extra_state(extra)


# -- trees and their flat form -------------------------------------------------------------------


def _flatten(tree: Mapping[Any, Any]) -> tuple[dict[str, Array], str | None]:
    """Return the arrays by name and the JSON text of the rest, None where there is no rest."""
    flat = {key: _array_of(value) for key, value in tree.items()}
    if all(
        isinstance(key, str) and array is not None and _is_plain_name(key)
        for key, array in flat.items()
    ):
        return {key: array for key, array in flat.items() if array is not None}, None
    arrays: dict[str, Array] = {}
    try:
        node = _encode(tree, "", arrays)
        return arrays, json.dumps({"format": _FORMAT, "tree": node})
    except RecursionError:
        raise ValueError("nn.save: wanted a tree, got one that contains itself") from None


def _is_plain_name(name: str) -> bool:
    return (
        _PLAIN_NAME.fullmatch(name) is not None
        and name not in (_HEADER, "__metadata__")
        and not name.endswith(".npy")
    )


def _array_of(value: Any) -> Array | None:
    if isinstance(value, Variable):
        value = value.data
    return value if isinstance(value, np.ndarray) else None


def _encode(value: Any, place: str, arrays: dict[str, Array]) -> Any:
    """Return `value` as JSON: scalars and lists as they are, all else as {tag: content}."""
    array = _array_of(value)
    if array is not None or isinstance(value, np.generic):
        tag = "array" if array is not None else "scalar"
        array = np.asarray(value) if array is None else array
        if array.dtype.hasobject:
            raise TypeError(
                f"nn.save: wanted numbers or text at {place!r}, got an array of dtype object"
            )
        name = _new_name(place, arrays)
        arrays[name] = array
        return {tag: name}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {
            "dict": [
                [_encode_key(key, place), _encode(entry, _join(place, key), arrays)]
                for key, entry in value.items()
            ]
        }
    if isinstance(value, list | tuple):
        entries = [_encode(entry, _join(place, i), arrays) for i, entry in enumerate(value)]
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
        content = json.loads(header)
        version = content["format"]
        tree = _decode(content["tree"], arrays) if version == _FORMAT else None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _damaged(source, error) from error
    if not isinstance(tree, dict):
        raise _damaged(source, f"its header has format {version!r}, wanted a dict in {_FORMAT}")
    return tree


def _decode(node: Any, arrays: dict[str, Array]) -> Any:
    if isinstance(node, list):
        return [_decode(entry, arrays) for entry in node]
    if not isinstance(node, dict):
        return node
    ((tag, content),) = node.items()
    match tag:
        case "array":
            return arrays[content]
        case "scalar":
            return arrays[content][()]
        case "tuple":
            return tuple(_decode(entry, arrays) for entry in content)
        case "dict":
            return {_decode(key, arrays): _decode(entry, arrays) for key, entry in content}
    raise ValueError(f"its header has an unknown tag {tag!r}")


def _damaged(source: Path, error: BaseException | str) -> ValueError:
    reason = str(error) or type(error).__name__
    return ValueError(f"nn.load: {source} is damaged or no checkpoint: {reason}")


# -- files ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `target` when, and only when, the block succeeds."""
    # Through a symbolic link, its target is replaced and the link stays.
    target = Path(os.path.realpath(target))
    folder = target.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"nn.save: the folder {folder} does not exist; create it first")
    # Beside the target, because a rename is atomic within one file system only; created by open()
    # and not by tempfile, whose files nobody else may read.
    scratch = folder / f".{target.name}.{secrets.token_hex(6)}.tmp"
    try:
        with scratch.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        # The rename itself is on the disk only when the folder is.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_npz(file: IO[bytes], arrays: dict[str, Array], header: str | None) -> None:
    # Not np.savez: it takes array names as keywords, among them its own ("file"), and dates the
    # entries, so that equal content would not give equal bytes.
    if header is not None:
        arrays = {_HEADER: np.frombuffer(header.encode(), dtype=np.uint8), **arrays}
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


# What zipfile, zlib and NumPy raise on bytes that are not what they should be. MemoryError: a
# forged shape may ask for more than there is.
_NPZ_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    OverflowError,
)


def _read_npz(source: Path) -> tuple[dict[str, Array], str | None]:
    arrays = {}
    with source.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                for name in archive.namelist():
                    with archive.open(name) as member:
                        arrays[name.removesuffix(".npy")] = np.lib.format.read_array(
                            member, allow_pickle=False
                        )
            header = arrays.pop(_HEADER, None)
            return arrays, None if header is None else header.tobytes().decode()
        except _NPZ_DAMAGE as error:
            raise _damaged(source, error) from error


def _write_safetensors(file: IO[bytes], arrays: dict[str, Array], header: str | None) -> None:
    library = require("safetensors.numpy", extra="io")
    # The format stores little-endian C order; "pt" is how PyTorch's users recognise a file whose
    # names and layouts are PyTorch's, as those of our modules are.
    metadata = {"format": "pt"} | ({} if header is None else {_HEADER: header})
    plain = {
        name: np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
        for name, array in arrays.items()
    }
    for name, array in plain.items():
        if array.dtype.kind not in "biufc" or array.dtype.itemsize > 8:
            raise TypeError(
                f"nn.save: wanted numbers of at most 64 bits in a .safetensors file, "
                f"got {array.dtype} at {name!r}; save as .npz"
            )
    file.write(library.save(plain, metadata=metadata))


def _read_safetensors(source: Path) -> tuple[dict[str, Array], str | None]:
    library = require("safetensors", extra="io")
    with source.open("rb"):  # so that a missing or unreadable file is Python's own OSError
        pass
    try:
        with library.safe_open(source, framework="numpy") as file:
            metadata = file.metadata() or {}
            # keys() sorts by size and name; the header, or the model, knows the order it wants.
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (library.SafetensorError, OSError, ValueError, MemoryError) as error:
        raise _damaged(source, error) from error
    except (TypeError, AttributeError) as error:
        raise ValueError(
            f"nn.load: {source} holds a dtype that NumPy does not have ({error}); "
            "convert it to float32 where it was written"
        ) from error
    return arrays, metadata.get(_HEADER)
