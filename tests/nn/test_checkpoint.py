import copy
import json
import os
import pickle
import stat
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nn
import optim
from nn._checkpoint import _state_of, load, restore, save


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
    generator = np.random.default_rng(3)
    save(path, first=BoxWithStreams(w=np.ones(2)), generator=generator, second=Box(a=1))
    first, second = BoxWithStreams(w=np.zeros(2)), Box(b=2)
    first.streams = {"dropout": "untouched"}
    generator = np.random.default_rng(4)
    with pytest.raises(
        ValueError, match=r"nn.load: 'second' of .*run.* does not fit: keys differ; nothing has"
    ):
        load(path, first=first, generator=generator, second=second)
    np.testing.assert_array_equal(first.state["w"], [0, 0])
    assert generator.random() == np.random.default_rng(4).random()
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
    "call, error, match",
    [
        (
            lambda: load("m.pt"),
            ValueError,
            r"got 'm.pt'; convert it where PyTorch is: .*\(torch.load\('m.pt'\), 'm.safetensors'\)",
        ),
        (
            lambda: save("m.pt", x=1),
            ValueError,
            "got 'm.pt'; write 'm.npz', or 'm.safetensors' for PyTorch's users",
        ),
        (lambda: load("a.npy"), ValueError, "got 'a.npy'; one array is written by np.save and"),
        (
            lambda: save({"w": np.ones(1)}, "a.npz"),
            TypeError,
            r"nn.save: wanted the path first, got dict; write nn.save\('a.npz', state\)",
        ),
        (lambda: save(3, {"w": np.ones(1)}), TypeError, "nn.save: wanted a path, got int"),
        (lambda: load({"w": np.ones(1)}), TypeError, "nn.load: wanted a path, got dict"),
    ],
)
def test_a_wrong_path_says_what_to_write(call, error, match):
    with pytest.raises(error, match=match):
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
        json.dumps({"format": 1, "tree": {"dict": [["a", 1], ["a", 2]]}}).encode(),
        json.dumps({"format": 1, "tree": {"dict": {"tuple": []}}}).encode(),
        json.dumps({"format": 1, "tree": {"scalar": "gradloom.header"}}).encode(),
        json.dumps({"tree": {"dict": []}, "format": 1}).encode(),
        b'{"format": 1, "tree": {"dict": []}} and more',
        b'{"format": 1, "tree": ' + b"9" * 5000 + b"}",
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


# -- states of the wrong kind: refused as a whole, by the name of the file -----------------------


def training():
    """A model, an optimizer that has made steps, a schedule, a loader and a stream."""
    model = nn.Sequential(
        nn.Linear(3, 2, generator=0), nn.BatchNorm1d(2), nn.Dropout(0.5, generator=1)
    )
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, 2)
    loader = nn.DataLoader(nn.ArrayDataset(np.arange(6)), 2, shuffle=True, generator=3)
    parts = {
        "model": model,
        "optimizer": optimizer,
        "schedule": schedule,
        "loader": loader,
        "stream": np.random.default_rng(5),
    }
    advance(parts)
    return parts


def advance(parts):
    model, optimizer = parts["model"], parts["optimizer"]
    for _ in range(2):
        optimizer.zero_grad()
        (model(np.eye(4, 3, dtype=np.float32)) ** 2).sum().backward()
        optimizer.step()
        parts["schedule"].step()
        list(parts["loader"])
        parts["stream"].random()


def state_of(parts):
    states = [part.state_dict() for name, part in parts.items() if name != "stream"]
    return [*states, parts["model"].extra_state(), parts["stream"].bit_generator.state]


def same(one, other):
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other


SPOILED = {
    "no model": ("model", lambda s: None, "'model' of .* wanted a dict of arrays, got NoneType"),
    "a number": ("optimizer", lambda s: 3, "'optimizer' of .*Adam: wanted a state_dict, got int 3"),
    "a list": ("schedule", lambda s: [], "'schedule' of .*StepLR: wanted a state_dict, got list"),
    "text": ("loader", lambda s: "x", "'loader' of .*"),
    "no stream": ("stream", lambda s: {"state": 1}, "'stream' of .*"),
    "no moment": (
        "optimizer",
        lambda s: s["state"][0].pop("exp_avg"),
        "wanted 'exp_avg' in the state of parameter 0, got 'step', 'exp_avg_sq'; the state_dict",
    ),
    "no count": ("optimizer", lambda s: s["state"][0].pop("step"), "wanted 'step' in the state of"),
    "a complex moment": (
        "optimizer",
        lambda s: s["state"][0].update(exp_avg=s["state"][0]["exp_avg"] + 1j),
        "wanted 'exp_avg' of parameter 0 of a dtype that float32 can hold, got complex",
    ),
    "a moment of text": (
        "optimizer",
        lambda s: s["state"][1].update(exp_avg=np.full(2, "x")),
        "of a dtype that float32 can hold, got <U1",
    ),
    "a moment beyond float32": (
        "optimizer",
        lambda s: s["state"][1].update(exp_avg=np.full(2, 1e300)),
        r"wanted 'exp_avg' of parameter 1 that fits, got one with 1e\+300 in it, which float32 can",
    ),
    "a negative step": (
        "optimizer",
        lambda s: s["state"][1].update(step=-5),
        "wanted a whole number of at least 0 as 'step' of parameter 1, got -5",
    ),
    "half a step": ("optimizer", lambda s: s["state"][1].update(step=2.5), "whole number.*got 2.5"),
    "a step in words": ("optimizer", lambda s: s["state"][1].update(step="2"), "whole number.*'2'"),
    "a step nan": ("optimizer", lambda s: s["state"][1].update(step=np.nan), "whole number.*nan"),
    "one beta": (
        "optimizer",
        lambda s: s["param_groups"][0].update(betas=(0.9,)),
        r"Adam: wanted 2 numbers for betas, got \(0.9,\)",
    ),
    "a beta of text": (
        "optimizer",
        lambda s: s["param_groups"][0].update(betas=("a", "b")),
        "wanted a real number for betas, got 'a'",
    ),
    "betas alone": (
        "optimizer",
        lambda s: s["param_groups"][0].update(betas=0.9),
        "wanted numbers in a tuple for betas, got float 0.9",
    ),
    "a rate of text": (
        "optimizer",
        lambda s: s["param_groups"][0].update(initial_lr="x"),
        "wanted a real number for initial_lr, got 'x'",
    ),
    "a misspelt option": (
        "optimizer",
        lambda s: s["param_groups"][0].update(weight_decai=1),
        "a parameter group has no option 'weight_decai'; did you mean 'weight_decay'",
    ),
    "an unknown option": (
        "optimizer",
        lambda s: s["param_groups"][0].update(verbosity=1),
        "a parameter group has no option 'verbosity'; its options are lr, betas",
    ),
    "another algorithm": (
        "optimizer",
        lambda s: s["param_groups"][0].update(momentum=0.9, nesterov=True),
        "a parameter group has no option 'momentum'; its options are lr, betas",
    ),
    "a group of text": ("optimizer", lambda s: s.update(param_groups=["x"]), "a dict as group 0"),
    "groups of text": ("optimizer", lambda s: s.update(param_groups="x"), "a list of dicts as"),
    "a parameter twice": (
        "optimizer",
        lambda s: s["param_groups"][0].update(params=[0, 0, 1, 2]),
        "wanted each parameter once",
    ),
    "a parameter by name": (
        "optimizer",
        lambda s: s["param_groups"][0].update(params=["a", "b", "c", "d"]),
        "wanted the numbers of parameters, got 'a'",
    ),
    "a state of text": ("optimizer", lambda s: s["state"].update({0: "x"}), "a dict as the state"),
    "a weight in words": (
        "model",
        lambda s: s.update({"0.bias": np.array(["a", "b"])}),
        "'0.bias' of dtype <U1 where float32 is wanted",
    ),
    "a weight beyond float32": (
        "model",
        lambda s: s.update({"0.bias": np.array([1e300, 0])}),
        r"'0.bias' with 1e\+300 in it, which float32 cannot hold",
    ),
    "a counter beyond int64": (
        "model",
        lambda s: s.update({"1.num_batches_tracked": np.array(2**63, np.uint64)}),
        "with 9223372036854775808 in it, which int64 cannot hold",
    ),
    "a schedule in words": (
        "schedule",
        lambda s: s.update(last_epoch="two"),
        "StepLR: wanted last_epoch of the state_dict of the kind of 2, got 'two'",
    ),
    "rates too few": ("schedule", lambda s: s.update(base_lrs=[]), "wanted base_lrs of the state"),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_state_of_the_wrong_kind_is_refused_and_changes_nothing(spoiled, tmp_path):
    name, spoil, match = SPOILED[spoiled]
    path = tmp_path / "run.npz"
    source, target = training(), training()
    advance(source)
    save(path, **source)
    tree = load(path)
    result = spoil(tree[name])
    if spoiled in {"no model", "a number", "a list", "text", "no stream"}:
        tree[name] = result
    save(path, tree)
    before = state_of(target)
    with pytest.raises(ValueError, match=match) as caught:
        load(path, **target)
    assert f"nn.load: {name!r} of {path} does not fit: " in str(caught.value)
    assert str(caught.value).endswith("nothing has been changed")
    assert same(state_of(target), before)
    assert "weight_decai" not in target["optimizer"].param_groups[0]


def test_extra_states_of_the_wrong_kind_are_refused(path):
    parts = training()
    before = state_of(parts)
    for extra, match in (
        ([1], "extra_state is list, wanted a dict"),
        ({"model": [1]}, "wanted a dict of states, got list"),
        ({"model": {"2": {"state": 3}}}, "wanted the state of a PCG64 generator"),
        ({"model": {"7": {}}}, "wanted states for"),
    ):
        save(
            path,
            {**{name: p.state_dict() for name, p in parts.items() if name == "model"}}
            | {"extra_state": extra},
        )
        with pytest.raises(ValueError, match=match):
            load(path, model=parts["model"])
        assert same(state_of(parts), before)


def test_a_key_that_a_schedule_adds_to_a_group_does_not_outlive_a_failed_load(tmp_path):
    path = tmp_path / "run.npz"
    source = training()
    save(path, optimizer=source["optimizer"], second=Box(a=1))
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    optimizer = optim.Adam(model.parameters())
    with pytest.raises(ValueError, match="'second' of"):
        load(path, optimizer=optimizer, second=Box(b=1))
    assert "initial_lr" not in optimizer.param_groups[0]


def test_a_load_state_dict_of_ones_own_is_asked_and_undone(tmp_path):
    class Renamed(nn.Linear):
        def load_state_dict(self, state_dict, strict=True):
            return super().load_state_dict({"weight": state_dict["w"]}, strict=False)

    path = tmp_path / "run.npz"
    save(path, model={"w": np.ones((2, 3))}, second=Box(a=1))
    model = Renamed(3, 2)
    load(path, model=model)
    np.testing.assert_array_equal(model.weight.data, np.ones((2, 3)))


# -- Ctrl-C --------------------------------------------------------------------------------------

PACKAGES = tuple(f"{os.sep}{name}{os.sep}" for name in ("nn", "optim", "autograd"))


class Interrupt:
    """Raises KeyboardInterrupt before the n-th line that the library executes."""

    def __init__(self, line):
        self.left = line
        self.ours = str(Path(nn.__file__).parents[1])

    def __call__(self, frame, event, argument):
        name = frame.f_code.co_filename
        if not name.startswith(self.ours) or not any(part in name for part in PACKAGES):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self

    def during(self, function):
        before = sys.gettrace()
        sys.settrace(self)
        try:
            function()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        return self.left <= 0


def interrupted_everywhere(function, parts, step):
    """Interrupt `function` at every `step`-th line; return how often it was old or new after it."""
    whole = Interrupt(10**9)
    done = copy.deepcopy(parts)
    whole.during(lambda: function(done))
    old, new = state_of(parts), state_of(done)
    assert not same(old, new)
    lines = 10**9 - whole.left
    found = []
    for line in [*range(1, lines - 10, step), *range(lines - 10, lines + 1)]:
        fresh = copy.deepcopy(parts)
        assert Interrupt(line).during(lambda: function(fresh))  # noqa: B023 - called here
        found.append(state_of(fresh))
    counts = [sum(same(state, wanted) for state in found) for wanted in (old, new)]
    assert sum(counts) == len(found)
    return counts


def test_ctrl_c_at_any_line_of_a_load_leaves_all_parts_old_or_all_new(tmp_path):
    source = training()
    advance(source)
    tree = {name: copy.deepcopy(_state_of(part)) for name, part in source.items()}
    tree["extra_state"] = {"model": source["model"].extra_state()}
    old, new = interrupted_everywhere(lambda parts: restore("a.npz", tree, parts), training(), 5)
    assert old > 100
    assert new > 0


@pytest.mark.parametrize("name", ["model", "optimizer", "schedule"])
def test_ctrl_c_at_any_line_of_load_state_dict_leaves_it_old_or_new(name):
    source = training()
    advance(source)
    state = source[name].state_dict()
    old, _ = interrupted_everywhere(lambda parts: parts[name].load_state_dict(state), training(), 1)
    assert old > 20


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_a_tied_weight_is_saved_once_and_restored_tied(suffix, tmp_path):
    if suffix == "safetensors":
        pytest.importorskip("safetensors")

    def make():
        model = nn.Sequential(nn.Embedding(50, 40), nn.Linear(40, 50, bias=False))
        model[1].weight = model[0].weight
        return model

    model, path = make(), tmp_path / f"tied.{suffix}"
    for write in (
        lambda: nn.save(path, model.state_dict()),
        lambda: nn.save(path, model=model, optimizer=optim.SGD(model.parameters(), lr=0.1)),
    ):
        write()
        assert path.stat().st_size < 1.5 * model[0].weight.nbytes
    other = make()
    nn.load(path, model=other)
    assert other[0].weight is other[1].weight
    np.testing.assert_array_equal(other[0].weight.data, model[0].weight.data)
    # Some files hold one of the paths only.
    for key in ("0.weight", "1.weight"):
        other = make()
        assert other.load_state_dict({key: model[0].weight}) == ([], [])
        np.testing.assert_array_equal(other[1].weight.data, model[0].weight.data)
    # What was tied is found under both names.
    assert list(nn.load(path)["model"]) == ["0.weight", "1.weight"]
