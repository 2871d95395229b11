"""Checkpoints with something wrong in them, and what `nn.load` must do about each.

A third of the mutations change bytes: bits flipped, ranges cut, doubled, moved or filled, fields
set to extremes, pieces of other files put in. The others change contents and pack them again, so
that checksums and lengths are right and the damage gets further in: headers of arrays, the tree of
the checkpoint, arrays of another shape or dtype, members twice, compressed, inflated or missing.
"""

import importlib.util
import io
import json
import re
import tracemalloc
import warnings
import zipfile

import numpy as np

import nn
import optim

# What a hostile file may cost: objects of Python for each byte of text, and a copy of the arrays.
TIMES, ALLOWANCE = 60, 4 << 20

EXTREMES = [0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1]
# What may stand in place of any value of a JSON text.
WRONG = [
    None, True, False, 0, 1, -1, 2**70, 1e308, -0.5, float("nan"), float("inf"), "", "x", "../x",
    [], [[]], {}, {"array": "model/0.weight"}, {"array": 3}, {"scalar": "model/0.weight"},
    {"tuple": 3}, {"tuple": []}, {"dict": 3}, {"dict": [[1]]}, {"dict": [[[], 1]]}, {"exec": "1"},
    {"dict": [["a", 1], ["a", 2]]}, {"array": "model/0.weight", "tuple": []}, "9" * 5000,
]  # fmt: skip
ARRAYS = [
    np.zeros(0), np.zeros((0, 10**6)), np.ones((4, 3), np.complex64), np.ones((4, 3), np.int8),
    np.full((4, 3), 1e300), np.full(4, np.nan, np.float32), np.array(2**63, np.uint64),
    np.array(-5), np.array(["a", "b"]), np.array(True), np.ones((3, 4), np.float32).T,
    np.array("2020-01-01", "M8[D]"), np.ones((4, 3), ">f4"), np.ones((1, 4, 3), np.float16),
]  # fmt: skip
DESCRS = [
    "<f8",
    "|O",
    "",
    "<f",
    "<U999999999",
    "<U0",
    "|S0",
    "<f4, <f4",
    "V8",
    "\\x",
    "<M8[xx]",
    ">c8",
]
SHAPES = [
    "()",
    "(True,)",
    "(-1,)",
    f"({10**15},)",
    f"(0, {10**30})",
    "(3.0,)",
    "3",
    "(3, 4" + ", 1" * 90 + ")",
    "(" * 300,
]


class Training:
    """A model, an optimizer, a schedule, a loader and a stream, as a checkpoint holds them."""

    def __init__(self):
        self.model = nn.Sequential(
            nn.Linear(3, 4, generator=0),
            nn.BatchNorm1d(4),
            nn.Dropout(0.1, generator=1),
            nn.Linear(4, 1, generator=2),
        )
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.01)
        self.schedule = optim.lr_scheduler.StepLR(self.optimizer, 2)
        self.loader = nn.DataLoader(nn.ArrayDataset(np.arange(6)), 2, shuffle=True, generator=3)
        self.stream = np.random.default_rng(4)
        for _ in range(2):
            self.step()

    def step(self):
        self.optimizer.zero_grad()
        with np.errstate(all="ignore"):
            (self.model(np.eye(5, 3, dtype=np.float32)) ** 2).sum().backward()
            self.optimizer.step()
        self.schedule.step()
        list(self.loader)

    def parts(self):
        return vars(self)

    def state(self):
        return [
            self.model.state_dict(), self.model.extra_state(), self.optimizer.state_dict(),
            self.schedule.state_dict(), self.loader.state_dict(), self.stream.bit_generator.state,
        ]  # fmt: skip


def originals(folder):
    """Write the files that are mutated; return them as (suffix, bytes)."""
    training = Training()
    found = []
    formats = [".npz", ".safetensors"] if importlib.util.find_spec("safetensors") else [".npz"]
    for suffix in formats:
        for number, (tree, parts) in enumerate(
            [(None, training.parts() | {"epoch": 3}), (training.model.state_dict(), {})]
        ):
            path = folder / f"original{number}{suffix}"
            nn.save(path, *([tree] if tree else []), **parts)
            found.append((suffix, path.read_bytes()))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **training.model.state_dict())
    return [*found, (".npz", buffer.getvalue())]


# -- bytes -----------------------------------------------------------------------------------------


def mutate_bytes(data, rng, other):
    """Return bytes with one to four things wrong."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        if not data:
            break
        at = int(rng.integers(len(data)))
        if rng.random() < 0.4:  # the directory of an archive, the length of a header
            at = int(rng.integers(min(100, len(data)))) - (
                min(100, len(data)) if rng.random() < 0.5 else 0
            )
            at %= len(data)
        length = int(2 ** rng.uniform(0, 8))
        match rng.integers(9):
            case 0:
                data[at] ^= 1 << int(rng.integers(8))
            case 1:
                data[at] = int(rng.integers(256))
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = rng.bytes(length)
            case 4:
                data[at:at] = data[at : at + length]
            case 5:
                data[at : at + length] = bytes(len(data[at : at + length]))
            case 6:
                width = int(rng.choice([1, 2, 4, 8]))
                value = EXTREMES[rng.integers(len(EXTREMES))] % 256**width
                data[at : at + width] = value.to_bytes(width, "little")
            case 7:
                del data[at:]
            case 8:
                start = int(rng.integers(len(other)))
                data[at : at + length] = other[start : start + length]
    return bytes(data)


# -- contents --------------------------------------------------------------------------------------


def pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


def mutate_json(text, rng):
    """Return a JSON text with one value replaced, taken out or doubled."""
    tree = json.loads(text)
    places, stack = [], [tree]
    while stack:
        node = stack.pop()
        entries = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in entries:
            places.append((node, key))
            if isinstance(value, dict | list):
                stack.append(value)
    if rng.random() < 0.5:  # the options and counters, which many names would hide
        places = [(node, key) for node, key in places if isinstance(node[key], int | float)]
    node, key = pick(rng, places)
    match rng.integers(5):
        case 0:
            del node[key]
        case 1 if isinstance(node, list):
            node.insert(int(rng.integers(len(node) + 1)), node[key])
        case 2 if isinstance(node[key], int | float) and not isinstance(node[key], bool):
            node[key] = pick(rng, [-node[key], node[key] * 10**9, node[key] + 0.5, str(node[key])])
        case 3 if isinstance(node, dict):
            twin = f"{json.dumps(key)}: {json.dumps(node[key])}"
            return json.dumps(tree).replace(twin, f"{twin}, {twin}", 1)
        case _:
            node[key] = pick(rng, WRONG)
    return json.dumps(tree)


def mutate_npy(data, rng):
    """Return the bytes of a .npy member with another header, or of another array."""
    length = int.from_bytes(data[8:10], "little")
    header, rest = data[10 : 10 + length].decode("latin1"), data[10 + length :]
    match rng.integers(5):
        case 0:
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, pick(rng, ARRAYS))
            return buffer.getvalue()
        case 1:
            header = re.sub("'descr': '[^']*'", lambda _: f"'descr': '{pick(rng, DESCRS)}'", header)
        case 2:
            header = re.sub(
                r"'shape': \([^)]*\)", lambda _: f"'shape': {pick(rng, SHAPES)}", header
            )
        case 3:
            header = mutate_bytes(header.encode("latin1"), rng, b"{}()[]'\"\\:,\n #").decode(
                "latin1"
            )
        case 4:
            rest = mutate_bytes(rest, rng, data) if rng.random() < 0.5 else rest[: len(rest) // 2]
    text = header.encode("latin1")
    return data[:8] + (len(text) % 2**16).to_bytes(2, "little") + text + rest


def zeros(count):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.zeros(count))
    return buffer.getvalue()


def mutate_npz(data, rng):
    """Return an archive with one member changed, and everything else as it should be."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name), zipfile.ZIP_STORED) for name in archive.namelist()]
    at = int(rng.integers(len(members)))
    if rng.random() < 0.4:
        at = 0  # where the header of a checkpoint stands
    name, content, _ = members[at]
    match rng.integers(8):
        case 0:
            del members[at]
        case 1:
            members.append(members[at])
        case 4 if rng.random() < 0.1:
            members[at] = (name, zeros(3_000_000), zipfile.ZIP_DEFLATED)
        case 2:
            members[at] = (
                name,
                content,
                pick(rng, [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
            )
        case 3:
            members[at] = (
                pick(rng, ["x", "x.npy", "../x.npy", "gradloom.header.npy", "a/"]),
                content,
                0,
            )
        case _:
            if name.startswith("gradloom.header"):
                buffer = io.BytesIO()
                text = mutate_json(content[content.index(b"\n") + 1 :], rng).encode()
                np.lib.format.write_array(buffer, np.frombuffer(text, np.uint8))
                content = buffer.getvalue()
            else:
                content = mutate_npy(content, rng)
            members[at] = (name, content, 0)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name given twice
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content, how in members:
                archive.writestr(name, content, how)
    return buffer.getvalue()


def mutate_safetensors(data, rng):
    """Return a file with one value of the header changed, or of the tree within."""
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length]
    metadata = json.loads(header)["__metadata__"]
    if "gradloom.header" in metadata and rng.random() < 0.5:
        tree = mutate_json(metadata["gradloom.header"], rng)
        table = json.loads(header)
        table["__metadata__"]["gradloom.header"] = tree
        text = json.dumps(table).encode()
    else:
        text = mutate_json(header, rng).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def mutate(suffix, data, rng, other):
    """Return bytes in which something is wrong."""
    if rng.random() < 1 / 3:
        return mutate_bytes(data, rng, other)
    data = (mutate_npz if suffix == ".npz" else mutate_safetensors)(data, rng)
    return data if rng.random() < 0.9 else mutate_bytes(data, rng, other)


# -- what must happen ------------------------------------------------------------------------------


def equal(one, other):
    if isinstance(one, dict):
        return list(one) == list(other) and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other


class Fuzz:
    """Loads mutated files into one training, and says what was wrong with how that went."""

    def __init__(self, folder):
        self.folder = folder
        self.files = originals(folder)
        self.training = Training()
        self.state = self.training.state()
        self.counts = {"loaded": 0, "refused": 0}

    def run(self, seed):
        """Load what a seed makes of a file; return what went wrong, None where nothing did."""
        rng = np.random.default_rng(seed)
        (suffix, data), (_, other) = pick(rng, self.files), pick(rng, self.files)
        path = self.folder / f"mutated{suffix}"
        content = mutate(suffix, data, rng, other)
        path.write_bytes(content)
        whole = b"gradloom.header" in data
        tracemalloc.reset_peak()  # nothing is measured where nobody has started it
        before = tracemalloc.get_traced_memory()[0]
        try:
            if whole:
                nn.load(path, **self.training.parts())
            else:
                self.training.model.load_state_dict(nn.load(path))
        except Exception as error:  # noqa: BLE001 - what comes is what is tested
            result = self.judge(error, path)
        else:
            result = self.accept()
        peak = tracemalloc.get_traced_memory()[1] - before
        if result is None and peak > TIMES * len(content) + ALLOWANCE:
            result = f"{peak:,} bytes of memory for a file of {len(content):,}"
        return result and f"seed {seed}, {suffix}: {result}"

    def judge(self, error, path):
        self.counts["refused"] += 1
        text = str(error)
        named = path.name in text or text.startswith("load_state_dict: ")
        kinds = ValueError | OSError
        if isinstance(error, KeyError) and "nn.load: wanted" in text:  # a part is missing
            kinds = KeyError
        if not isinstance(error, kinds) or not named:
            return f"{type(error).__name__}: {error}"
        if not equal(self.training.state(), self.state):
            self.training = Training()
            return f"refused, and changed something: {error}"
        return None

    def accept(self):
        self.counts["loaded"] += 1
        try:
            self.training.step()
        except Exception as error:  # noqa: BLE001 - likewise
            return f"loaded, and the next step fails: {type(error).__name__}: {error}"
        finally:
            self.training = Training()
        return None
