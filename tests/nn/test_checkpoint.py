import json
import os
import pickle
import stat
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from nn._checkpoint import load, save


@pytest.fixture(params=["npz", "safetensors"])
def path(request, tmp_path):
    if request.param == "safetensors":
        pytest.importorskip("safetensors")
    return tmp_path / f"run.{request.param}"


def files_in(folder):
    return [path.name for path in folder.iterdir()]


class Box:
    """Something with a state: what models, optimisers and schedulers look like from here."""

    def __init__(self, **state):
        self.state = state

    def state_dict(self):
        return dict(self.state)

    def load_state_dict(self, state):
        if set(state) != set(self.state):
            raise ValueError("keys differ")
        self.state = dict(state)


class BoxWithStreams(Box):
    def __init__(self, **state):
        super().__init__(**state)
        self.streams = {"dropout": np.random.default_rng(1).bit_generator.state}

    def extra_state(self):
        return self.streams

    def load_extra_state(self, streams):
        self.streams = streams


def assert_same(got, wanted):
    assert type(got) is type(wanted)
    if isinstance(wanted, dict):
        assert list(got) == list(wanted)
        assert [type(key) for key in got] == [type(key) for key in wanted]
        for key in wanted:
            assert_same(got[key], wanted[key])
    elif isinstance(wanted, list | tuple):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            assert_same(one, other)
    elif isinstance(wanted, np.ndarray | np.generic):
        assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
        assert got.tobytes() == wanted.tobytes()
    else:
        assert got == wanted or (got != got and wanted != wanted)


arrays = hnp.arrays(
    st.sampled_from(["f4", "f8", "f2", "i8", "u1", "?"]),
    hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
)
keys = st.text(max_size=4) | st.integers() | st.booleans() | st.none() | st.tuples(st.integers())
leaves = (
    arrays
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.floats(width=32).map(np.float32)
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(tree=st.dictionaries(keys, trees, max_size=4))
def test_every_tree_survives_the_round_trip(tree, tmp_path_factory):
    target = tmp_path_factory.mktemp("tree") / "run.npz"
    save(target, tree)
    assert_same(load(target), tree)


@settings(max_examples=10)
@given(tree=st.dictionaries(keys, trees, max_size=4))
def test_every_tree_survives_in_safetensors(tree, tmp_path_factory):
    pytest.importorskip("safetensors")
    target = tmp_path_factory.mktemp("tree") / "run.safetensors"
    save(target, tree)
    assert_same(load(target), tree)


def test_numbers_beyond_every_width_survive(path):
    tree = {"state": 2**127 + 1, "inf": -np.inf, "tiny": 5e-324, "empty": {}, "pair": ()}
    save(path, **tree)
    assert load(path) == tree


def test_names_that_clash_or_confuse_archives_are_kept_apart(path):
    tree = {
        "a/b": np.array([1]),
        "a": {"b": np.array([2]), "b.npy": np.array([3])},
        "file": np.array([4]),
        "nul\0byte": np.array([5]),
        "gradloom.header": np.array([6]),
        "../up": np.array([7]),
        "\ud800": np.array([8]),
        "": np.array([9]),
        "__metadata__": np.array([10]),
    }
    save(path, tree)
    assert_same(load(path), tree)


def test_strided_reversed_and_foreign_endian_arrays_keep_their_values(path):
    base = np.arange(12.0).reshape(3, 4)
    tree = {"t": base.T, "step": base[:, ::-2], "big": base.astype(">f4"), "zero": base[0, 0, None]}
    save(path, tree)
    loaded = load(path)
    for name, array in tree.items():
        np.testing.assert_array_equal(loaded[name], array)


def test_a_state_dict_in_npz_is_an_ordinary_npz(tmp_path):
    state = {"0.weight": np.eye(3, dtype=np.float32), "0.bias": np.zeros(3, np.float32)}
    save(tmp_path / "m.npz", state)
    with np.load(tmp_path / "m.npz", allow_pickle=False) as file:
        assert sorted(file.files) == ["0.bias", "0.weight"]
        np.testing.assert_array_equal(file["0.weight"], state["0.weight"])


def test_files_that_numpy_wrote_are_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(3), y=np.eye(2))
    np.savez_compressed(tmp_path / "b.npz", x=np.arange(3))
    assert_same(load(tmp_path / "a.npz"), {"x": np.arange(3), "y": np.eye(2)})
    assert_same(load(tmp_path / "b.npz"), {"x": np.arange(3)})


@pytest.mark.torch
def test_pytorch_reads_our_state_dicts_and_we_read_its(tmp_path):
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("safetensors.torch")
    state = {"0.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "0.n": np.array(3)}
    save(tmp_path / "ours.safetensors", state)
    read = library.load_file(tmp_path / "ours.safetensors")
    assert {name: tensor.tolist() for name, tensor in read.items()} == {
        name: array.tolist() for name, array in state.items()
    }
    model = torch.nn.Linear(3, 2)
    library.save_file(model.state_dict(), tmp_path / "theirs.safetensors")
    loaded = load(tmp_path / "theirs.safetensors")
    np.testing.assert_array_equal(loaded["weight"], model.weight.detach().numpy())
    library.save_file({"x": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "half.safetensors")
    with pytest.raises(ValueError, match=r"a dtype that NumPy does not have \(.*bfloat16"):
        load(tmp_path / "half.safetensors")


def test_parts_are_restored_in_place_and_the_tree_is_returned(path):
    save(path, model=Box(w=np.ones(2)), generator=np.random.default_rng(3), epoch=4)
    model, generator = Box(w=np.zeros(2)), np.random.default_rng(0)
    tree = load(path, model=model, generator=generator)
    np.testing.assert_array_equal(model.state["w"], [1, 1])
    assert generator.random() == np.random.default_rng(3).random()
    assert tree["epoch"] == 4


def test_the_streams_of_a_model_travel_with_it_but_not_in_its_state_dict(path):
    model = BoxWithStreams(w=np.ones(2))
    model.streams = {"dropout": np.random.default_rng(77).bit_generator.state}
    save(path, model=model)
    other = BoxWithStreams(w=np.zeros(2))
    tree = load(path, model=other)
    assert other.streams == model.streams
    assert list(tree["model"]) == ["w"]


def test_nothing_is_changed_unless_everything_fits(path):
    save(path, first=BoxWithStreams(w=np.ones(2)), second=Box(a=1))
    first, second = BoxWithStreams(w=np.zeros(2)), Box(b=2)
    first.streams = {"dropout": "untouched"}
    with pytest.raises(ValueError, match="keys differ") as caught:
        load(path, first=first, second=second)
    assert "this was 'second'" in caught.value.__notes__[0]
    np.testing.assert_array_equal(first.state["w"], [0, 0])
    assert first.streams == {"dropout": "untouched"}
    assert second.state == {"b": 2}


def test_a_missing_part_is_named_before_anything_changes(path):
    save(path, model=Box(w=1))
    model = Box(w=0)
    with pytest.raises(KeyError, match="wanted 'optimizer' in .*, which holds model; a file with"):
        load(path, model=model, optimizer=Box())
    assert model.state == {"w": 0}
    with pytest.raises(TypeError, match="wanted epoch with a load_state_dict method, got int"):
        load(path, epoch=3)


@pytest.mark.parametrize("name", ["run.pkl", "run", "run.npy"])
def test_an_unknown_suffix_names_the_known_ones(name, tmp_path):
    for call in (lambda: save(tmp_path / name, x=1), lambda: load(tmp_path / name)):
        with pytest.raises(ValueError, match=r"wanted a path ending in .npz or .safetensors, got"):
            call()


@pytest.mark.parametrize(
    "value, match",
    [
        ({1, 2}, "got set at 'a/0'"),
        (np.array([object()]), "wanted numbers or text at 'a/0', got an array of dtype object"),
        (Box, "got type at 'a/0'"),
        ({frozenset(): 1}, "wanted numbers or text as the keys of 'a/0', got frozenset"),
    ],
)
def test_what_cannot_be_saved_is_named_by_its_place(value, match, path):
    with pytest.raises(TypeError, match=match):
        save(path, a=[value])
    assert files_in(path.parent) == []


def test_a_tree_in_itself_is_refused(path):
    tree = {}
    tree["self"] = tree
    with pytest.raises(ValueError, match="got one that contains itself"):
        save(path, tree)


def test_save_is_told_what_to_save(path):
    with pytest.raises(TypeError, match="wanted either one dict or named parts"):
        save(path)
    with pytest.raises(TypeError, match="wanted either one dict or named parts"):
        save(path, {"a": 1}, b=2)
    with pytest.raises(TypeError, match="wanted a dict, got Box; write model=model"):
        save(path, Box())
    with pytest.raises(FileNotFoundError, match="the folder .* does not exist; create it first"):
        save(path.parent / "nowhere" / path.name, a=1)


def test_text_arrays_need_npz(tmp_path):
    pytest.importorskip("safetensors")
    save(tmp_path / "a.npz", names=np.array(["x", "yy"]))
    assert load(tmp_path / "a.npz")["names"].tolist() == ["x", "yy"]
    with pytest.raises(TypeError, match="got <U2 at 'names'; save as .npz"):
        save(tmp_path / "a.safetensors", names=np.array(["x", "yy"]))


def test_safetensors_without_the_package_names_the_extra(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"pip install 'gradloom\[io\]'"):
        save(tmp_path / "a.safetensors", x=1)
    assert files_in(tmp_path) == []


# -- writing is atomic ---------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["fsync", "replace", "write"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_no_other(moment, error, path, monkeypatch):
    save(path, x=np.ones(3))
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise error

    if moment == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    elif moment == "replace":
        monkeypatch.setattr("pathlib.Path.replace", fail)
    else:
        monkeypatch.setattr(np.lib.format, "write_array", fail)
        if path.suffix == ".safetensors":
            import safetensors.numpy

            monkeypatch.setattr(safetensors.numpy, "save", fail)
    with pytest.raises(type(error)):
        save(path, x=np.zeros(3))
    assert path.read_bytes() == before
    assert files_in(path.parent) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions and links")
def test_a_file_has_ordinary_permissions_and_links_stay_links(path):
    link = path.with_name("link" + path.suffix)
    link.symlink_to(path)
    save(link, x=1)
    assert link.is_symlink()
    assert load(path) == {"x": 1}
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_equal_content_gives_equal_bytes(tmp_path):
    path = tmp_path / "run.npz"
    save(path, x=np.arange(3), n=1)
    first = path.read_bytes()
    save(path, x=np.arange(3), n=1)
    assert path.read_bytes() == first


# -- reading trusts nothing ----------------------------------------------------------------------


def test_a_missing_file_is_pythons_own_error(path):
    with pytest.raises(FileNotFoundError):
        load(path)


def test_a_truncated_file_is_damaged_at_any_length(path):
    save(path, x=np.arange(50.0), n={"a": 1})
    content = path.read_bytes()
    for length in [0, 1, 7, 8, len(content) // 2, len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="is damaged or no checkpoint"):
            load(path)


def test_a_flipped_bit_in_an_npz_is_noticed(tmp_path):
    path = tmp_path / "run.npz"
    save(path, x=np.arange(50.0), n=1)
    content = bytearray(path.read_bytes())
    place = content.index(np.float64(17).tobytes())
    content[place + 6] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged or no checkpoint: Bad CRC-32"):
        load(path)


class Trap:
    def __reduce__(self):
        return (os.mkdir, ("trapped",))


def test_a_pickle_inside_is_never_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("trap.npz", x=np.array([Trap()], dtype=object))
    with pytest.raises(ValueError, match="is damaged or no checkpoint: .*allow_pickle"):
        load("trap.npz")
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="is damaged or no checkpoint: File is not a zip file"):
        load("raw.npz")
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize(
    "header",
    [
        b"not json",
        b"[]",
        b"\xff\xfe",
        json.dumps({"format": 2, "tree": {"dict": []}}).encode(),
        json.dumps({"format": 1, "tree": 3}).encode(),
        json.dumps({"format": 1, "tree": {"array": "absent"}}).encode(),
        json.dumps({"format": 1, "tree": {"array": []}}).encode(),
        json.dumps({"format": 1, "tree": {"eval": "1"}}).encode(),
        json.dumps({"format": 1, "tree": {"dict": [[[], 1]]}}).encode(),
        json.dumps({"format": 1, "tree": {"dict": [], "tuple": []}}).encode(),
        b'{"format": 1, "tree": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_a_forged_header_is_refused(header, tmp_path):
    np.savez(tmp_path / "a.npz", **{"gradloom.header": np.frombuffer(header, np.uint8)})
    with pytest.raises(ValueError, match="is damaged or no checkpoint"):
        load(tmp_path / "a.npz")


def test_a_forged_shape_does_not_take_the_process_down(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with pytest.raises(ValueError, match="is damaged or no checkpoint"):
        load(tmp_path / "a.npz")
