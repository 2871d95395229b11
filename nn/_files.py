"""Files of named arrays: written at once or not at all, read without trust.

`write` and `read` know two formats, `.npz` and `.safetensors`. A file that is read may hold any
bytes: sizes are checked against the file's own before anything is allocated, nothing is evaluated
or unpickled, and whatever is wrong becomes one `ValueError` that names the file.

Imports `autograd` only; `safetensors` where such a file is written.

References:
    NEP 1, A simple file format for NumPy arrays, 2007.
    https://github.com/huggingface/safetensors, section Format.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from autograd._optional import require

if TYPE_CHECKING:
    import zipfile  # where it is used: with what it imports it takes as long as all of `nn`
if sys.platform != "win32":
    import fcntl

__all__ = [
    "HEADER",
    "KINDS",
    "Array",
    "Content",
    "as_path",
    "check_suffix",
    "damaged",
    "read",
    "write",
]

Array: TypeAlias = npt.NDArray[Any]
Content: TypeAlias = tuple[dict[str, Array], str | None]

# The name under which text stands beside the arrays.
HEADER: Final = "gradloom.header"
# Numbers, times and text: what has no references and no fields.
KINDS: Final = "biufcmMSU"


def write(target: Path, arrays: dict[str, Array], header: str | None) -> None:
    """Write arrays, and text beside them: all of it or, whatever happens, the old file unchanged.

    Raises:
        ValueError: an unknown suffix.
        TypeError: an array of a dtype that the format lacks.
        OSError: as the operating system says.
    """
    how = _format("nn.save", target).write
    with _replacing(target) as file:
        how(file, arrays, header)


def read(source: Path) -> Content:
    """Return the arrays of a file by name, and the text beside them, None where there is none.

    Raises:
        ValueError: an unknown suffix, or a file that is damaged or none of ours.
        OSError: as the operating system says, with the name of the file.
    """
    how = _format("nn.load", source).read
    with source.open("rb") as file:
        try:
            return how(file, os.fstat(file.fileno()).st_size)
        except MemoryError:  # sizes are bounded by that of the file: there is none left
            raise
        except OSError as error:
            # Nonsense in the file asks for nonsense from the system.
            if error.errno in {None, errno.EINVAL}:
                raise damaged(source, "its parts are not where it says") from error
            raise OSError(error.errno, error.strerror, str(source)) from error
        except Exception as error:
            raise damaged(source, error) from error


def damaged(source: Path, error: BaseException | str) -> ValueError:
    """Return the error for a file that cannot be read."""
    reason = str(error) or type(error).__name__
    return ValueError(f"nn.load: {source} is damaged or no checkpoint: {reason}")


def as_path(who: str, path: Any) -> Path:
    """Return a path as a Path.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{who}: wanted a path, got {type(path).__name__}")
    return Path(path)


def check_suffix(who: str, path: Path) -> None:
    """Refuse a suffix that says nothing, or the format of somebody else.

    Raises:
        ValueError: with what to do about it.
    """
    suffix, known = path.suffix.lower(), list(_formats())
    if suffix in known:
        return
    hint = ""
    if suffix in {".pt", ".pth", ".bin", ".ckpt"}:
        file, safe = path.name, f"{path.stem}.safetensors"
        hint = (
            "; convert it where PyTorch is: "
            f"safetensors.torch.save_file(torch.load({file!r}), {safe!r})"
            if who == "nn.load"
            else f"; write {path.stem + '.npz'!r}, or {safe!r} for PyTorch's users"
        )
    elif suffix == ".npy":
        hint = "; one array is written by np.save and read by np.load"
    raise ValueError(
        f"{who}: wanted a path ending in {' or '.join(known)}, got {path.name!r}{hint}"
    )


class _Format(NamedTuple):
    read: Callable[[IO[bytes], int], Content]
    write: Callable[[IO[bytes], dict[str, Array], str | None], None]


def _formats() -> dict[str, _Format]:
    return {
        ".npz": _Format(_read_npz, _write_npz),
        ".safetensors": _Format(_read_safetensors, _write_safetensors),
    }


def _format(who: str, path: Path) -> _Format:
    check_suffix(who, path)
    return _formats()[path.suffix.lower()]


def _shaped(data: Array, dtype: np.dtype[Any], shape: Sequence[int], fortran: bool) -> Array:
    """Return bytes as an array; their number has been checked.

    Raises:
        ValueError: bytes that no truth value, or no letter, is stored as.
    """
    array = data.view(dtype)
    letters = data.view(dtype.byteorder + "u4") if dtype.kind == "U" else data
    largest = {"b": 1, "U": sys.maxunicode}.get(dtype.kind)
    if largest is not None and letters.max(initial=0) > largest:
        raise ValueError(f"it holds bytes that are no {dtype}")
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _read_bytes(file: IO[bytes], count: int) -> Array:
    """Return the next bytes of a file, read block by block into their place."""
    data = np.empty(count, np.uint8)
    rest = data.data
    while rest:
        got = file.readinto(rest[: 1 << 20])  # type: ignore[attr-defined] # of every binary file
        if not got:
            raise ValueError("it ends too early")
        rest = rest[got:]
    return data


# -- .npz ----------------------------------------------------------------------------------------

# `nn.save` does not compress, `np.savez_compressed` does: weights by a few percent, counters and
# masks by much more. A file may hold so many times its size, and this much in any case.
_INFLATION: Final = 16
_ALLOWANCE: Final = 1 << 20
# What NumPy reads at most, too.
_LONGEST_HEADER: Final = 10_000


def _write_npz(file: IO[bytes], arrays: dict[str, Array], header: str | None) -> None:
    import zipfile

    # Not np.savez: it takes array names as keywords, among them its own ("file"), and dates the
    # entries, so that equal content would not give equal bytes.
    if header is not None:
        arrays = {HEADER: np.frombuffer(header.encode(), dtype=np.uint8), **arrays}
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _read_npz(file: IO[bytes], size: int) -> Content:
    import zipfile

    arrays: dict[str, Array] = {}
    with zipfile.ZipFile(file) as archive:
        for name, info in _members(archive.infolist(), size).items():
            with archive.open(info) as member:
                arrays[name] = _read_npy(name, member, info.file_size)
                if member.read(1):  # also where zipfile compares the checksum
                    raise ValueError(f"{name!r} is longer than it says")
    header = arrays.pop(HEADER, None)
    return arrays, None if header is None else header.tobytes().decode()


def _members(infos: list[zipfile.ZipInfo], size: int) -> dict[str, zipfile.ZipInfo]:
    """Return the members of an archive by the names of their arrays, before any is read."""
    import zipfile

    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if name in members:
            raise ValueError(f"it has two arrays named {name!r}")
        if info.flag_bits & 1:
            raise ValueError(f"{name!r} is encrypted")
        # Text is worth many times its length in memory, so it is not inflated as well.
        allowed = (
            {zipfile.ZIP_STORED} if name == HEADER else {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
        )
        if info.compress_type not in allowed:
            raise ValueError(f"{name!r} is compressed in a way that neither nn nor NumPy writes")
        members[name] = info
    total = sum(info.file_size for info in infos)
    if total > _INFLATION * size + _ALLOWANCE:
        raise ValueError(
            f"it would inflate to {total:,} bytes, {total // size} times its size; if you trust "
            "it, read it with np.load and save the arrays with nn.save"
        )
    return members


def _read_npy(name: str, member: IO[bytes], size: int) -> Array:
    """Read one array of `size` bytes with its header."""
    start = _read_bytes(member, 8).tobytes()
    if start[:6] != b"\x93NUMPY" or start[6:] not in {b"\1\0", b"\2\0", b"\3\0"}:
        raise ValueError(f"{name!r} is no array")
    field = 2 if start[6] == 1 else 4
    length = int.from_bytes(_read_bytes(member, field).tobytes(), "little")
    if length > min(_LONGEST_HEADER, size):
        raise ValueError(f"{name!r} has a header of {length:,} bytes")
    dtype, fortran, shape = _parse_header(name, _read_bytes(member, length).tobytes())
    rest = size - len(start) - field - length
    if math.prod(shape) * dtype.itemsize != rest:
        raise ValueError(
            f"{name!r} has {rest:,} bytes for the shape {shape} of {dtype.name}, which has "
            f"{math.prod(shape) * dtype.itemsize:,}"
        )
    return _shaped(_read_bytes(member, rest), dtype, shape, fortran)


def _parse_header(name: str, header: bytes) -> tuple[np.dtype[Any], bool, tuple[int, ...]]:
    """Return what the text of a header says, {'descr': ..., 'fortran_order': ..., 'shape': ...}.

    Taken apart by patterns and not evaluated: the parser of Python has errors of its own for each
    way in which a text can be wrong, and warnings.
    """
    text = header.decode("latin1").strip()
    found = [
        re.findall(rf"""['"]{key}['"]\s*:\s*{value}""", text)
        for key, value in (
            ("descr", r"""['"]([^'"]*)['"]"""),
            ("fortran_order", "(True|False)"),
            ("shape", r"\(([\s\d,L]*)\)"),  # Python 2 wrote 3L
        )
    ]
    if [len(values) for values in found] != [1, 1, 1]:
        raise ValueError(f"{name!r} has no header of an array of numbers or text: {text[:80]!r}")
    descr, fortran, shape = (values[0] for values in found)
    if descr.endswith("O"):
        raise ValueError(
            f"{name!r} holds Python objects, for which np.load(..., allow_pickle=True) would "
            "execute code from the file"
        )
    if not re.fullmatch(rf"[<>|=]?([{KINDS}]\d*|\?)(\[[\w/]+\])?", descr):
        raise ValueError(f"{name!r} is of an unknown dtype {descr[:80]!r}")
    dtype = np.dtype(descr)
    if not dtype.itemsize:
        raise ValueError(f"{name!r} has elements of no bytes")
    lengths = re.findall(r"\d+", shape)
    if max(map(len, lengths), default=0) > 20:
        raise ValueError(f"{name!r} has an absurd shape")
    return dtype, fortran == "True", tuple(map(int, lengths))


# -- .safetensors --------------------------------------------------------------------------------

_DTYPES: Final = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
    "C64": "<c8",
}
_METADATA: Final = "__metadata__"


def _write_safetensors(file: IO[bytes], arrays: dict[str, Array], header: str | None) -> None:
    library = require("safetensors.numpy", extra="io")
    # The format stores little-endian C order; "pt" is how PyTorch's users recognise a file whose
    # names and layouts are PyTorch's, as those of our modules are.
    metadata = {"format": "pt"} | ({} if header is None else {HEADER: header})
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


def _read_safetensors(file: IO[bytes], size: int) -> Content:
    # Not by the library: of two arrays with one name it takes the last.
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise ValueError("its header is longer than the file")
    header = _parse_table(_read_bytes(file, length).tobytes())
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError(f"its {_METADATA} are no texts")
    places = {name: _parse_entry(name, entry) for name, entry in header.items()}
    arrays: dict[str, Array] = dict.fromkeys(places, np.empty(0))
    position = 0
    for name, (dtype, shape, start, end) in sorted(places.items(), key=lambda item: item[1][2:]):
        if start != position or end - start != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"{name!r} is not where it should be: at {start:,} to {end:,}")
        position = end
        if position > size - 8 - length:
            raise ValueError("it ends too early")
        arrays[name] = _shaped(_read_bytes(file, end - start), dtype, shape, fortran=False)
    if position != size - 8 - length:
        raise ValueError(f"it has {size - 8 - length - position:,} bytes of no array")
    return arrays, metadata.get(HEADER)


def _parse_table(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode(), object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its header cannot be read: {error}") from error
    if not isinstance(header, dict):
        raise TypeError("its header is no table of arrays")
    return header


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has two entries named {twin!r}")
    return table


def _parse_entry(name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name!r} wants dtype, shape and data_offsets in the header")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    numbers = [shape, offsets]
    if not all(isinstance(n, list) and all(type(i) is int and i >= 0 for i in n) for n in numbers):
        raise ValueError(f"{name!r} has an absurd shape or place")
    if len(offsets) != 2:
        raise ValueError(f"{name!r} has an absurd place")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        known = f"{dtype}, PyTorch's bfloat16" if dtype == "BF16" else f"{dtype!r:.40}"
        raise ValueError(
            f"{name!r} is of a dtype that NumPy does not have ({known}); convert it to float32 "
            "where it was written"
        )
    return np.dtype(_DTYPES[dtype]), tuple(shape), offsets[0], offsets[1]


# -- replacing a file ----------------------------------------------------------------------------


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `target` when, and only when, the block succeeds."""
    # Through a symbolic link, its target is replaced and the link stays.
    target = Path(os.path.realpath(target))
    folder = target.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"nn.save: the folder {folder} does not exist; create it first")
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mode = None
    _remove_leftovers(target)
    scratch = None
    try:
        while scratch is None:
            # Beside the target, because a rename is atomic within one file system only; created
            # by open() and not by tempfile, whose files nobody else may read.
            scratch = _scratch(target, os.urandom(6).hex())
            opener = _opener(0o666 if mode is None else mode)
            with open(scratch, "xb", opener=opener) as file:
                if not _claim(file):
                    scratch = None
                    continue
                if mode is not None and sys.platform != "win32":
                    # Without it, the file has fewer permissions, never more.
                    with contextlib.suppress(PermissionError):
                        os.fchmod(file.fileno(), mode)
                yield file
                file.flush()
                os.fsync(file.fileno())
        scratch.replace(target)
    except BaseException:
        if scratch is not None:
            scratch.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        # The rename itself is on the disk only when the folder is.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _opener(mode: int) -> Callable[[str, int], int]:
    return lambda path, flags: os.open(path, flags, mode)


def _scratch(target: Path, token: str) -> Path:
    """Return where a file is written before it takes the place of `target`."""
    name = target.name
    if len(os.fsencode(name)) > 200:  # file systems allow 255, with what is added here
        import hashlib

        name = hashlib.blake2b(os.fsencode(name), digest_size=16).hexdigest()
    return target.with_name(f".{name}.{token}.tmp")


def _claim(file: IO[bytes]) -> bool:
    """Lock a new scratch file while it is written; False where it was removed before."""
    if sys.platform == "win32":  # where an open file cannot be removed anyway
        return True
    with contextlib.suppress(OSError):  # a file system without locks, where leftovers stay
        fcntl.flock(file, fcntl.LOCK_EX)
    return os.fstat(file.fileno()).st_nlink > 0


def _remove_leftovers(target: Path) -> None:
    """Remove what saves to `target` have left that were killed; those at work hold a lock."""
    start, end = _scratch(target, "TOKEN").name.split("TOKEN")
    leftover = re.compile(re.escape(start) + r"[0-9a-f]{12}" + re.escape(end))
    for name in os.listdir(target.parent):  # noqa: PTH208 - names are all that is looked at
        if leftover.fullmatch(name):
            path = target.with_name(name)
            with contextlib.suppress(OSError):
                if sys.platform != "win32":
                    with path.open("r+b") as file:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        path.unlink()
                else:
                    path.unlink()
