"""Numbers written for other programs, read as those would read them."""

import csv
import struct
import sys

import numpy as np
import pytest

import nn
import optim

X = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
DATA = [(X[:4], X[:4, :1]), (X[4:], X[4:, :1])]


def train(epochs, *callbacks, **options):
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    return nn.fit(
        model,
        DATA,
        nn.MSELoss(),
        optimizer,
        epochs,
        validation_data=DATA,
        callbacks=callbacks,
        progress=False,
        **options,
    )


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def late(state):
    """A number that only later epochs have."""
    if state.epoch == 2:
        state.logs["late"] = 0.5


def test_a_csv_file_holds_all_epochs_to_the_last_digit(tmp_path):
    path = tmp_path / "log.csv"
    history = train(3, late, nn.CSVLogger(path), nn.Checkpoint(tmp_path / "a.npz", every=2))
    found = rows(path)
    assert [row["epoch"] for row in found] == ["1", "2", "3"]
    assert list(found[0]) == ["epoch", *history.names]
    assert [float(row["validation_loss"]) for row in found] == history["validation_loss"]
    assert [row["late"] for row in found] == ["", "0.5", ""]
    other = tmp_path / "resumed.csv"
    train(3, nn.CSVLogger(other))
    longer = train(5, nn.CSVLogger(other), resume=tmp_path / "a.npz")
    assert [float(row["loss"]) for row in rows(other)] == longer["loss"]
    assert len(rows(other)) == 5


def test_tensorboard_reads_what_was_logged(tmp_path):
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto.event_pb2 import Event

    history = train(2, nn.TensorBoardLogger(tmp_path, steps=3))
    (path,) = tmp_path.iterdir()
    data, found = path.read_bytes(), {}
    while data:  # records of TFRecord: length, its checksum, content, its checksum
        (length,) = struct.unpack("<Q", data[:8])
        event = Event.FromString(data[12 : 12 + length])
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
        data = data[16 + length :]
    for tag, name in {
        "loss/training": "loss",
        "loss/validation": "validation_loss",
        "learning_rate/training": "learning_rate",
    }.items():
        steps, values = zip(*found.pop(tag), strict=True)
        assert steps == (1, 2)
        np.testing.assert_allclose(values, history[name], rtol=1e-6)
    assert [step for step, _ in found.pop("loss/step")] == [3]
    assert not found


def test_without_tensorboardx_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"tensorboardX is not .*pip install 'gradloom\[log\]'"):
        train(1, nn.TensorBoardLogger(tmp_path))
    with pytest.raises(ValueError, match="TensorBoardLogger: wanted steps of at least 1, got 0"):
        nn.TensorBoardLogger(tmp_path, steps=0)
