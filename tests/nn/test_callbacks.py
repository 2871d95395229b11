"""Callbacks and what else is no Module: what they show of themselves. Training is in test_fit."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

import nn
import optim
from nn import _judging

MODEL = nn.Linear(2, 1)
OPTIMIZER = optim.SGD(MODEL.parameters())
DATA = nn.ArrayDataset(np.zeros((6, 2), np.float32), np.arange(6))
BATCHES = nn.BatchSampler(nn.SequentialSampler(DATA), 2)


class Squares(nn.Dataset):
    def __getitem__(self, index):
        return index**2

    def __len__(self):
        return 4


class Letters(nn.IterableDataset):
    def __iter__(self):
        return iter("abc")


class Backwards(nn.Sampler):
    def order(self):
        return np.arange(4)[::-1]

    def __len__(self):
        return 4


class Noisy(nn.Callback):
    def __init__(self):
        self.level, self.rng = 0.5, np.random.default_rng(0)


def numbers_on_disk():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        np.save(path, np.arange(6))
        return nn.NpyDataset(path)


SHOWN = {
    "ArrayDataset": (DATA, "ArrayDataset(6 items: float32 (2,), int64 ())"),
    "BatchSampler": (
        BATCHES,
        "BatchSampler(SequentialSampler(6 items), batch_size=2, drop_last=False)",
    ),
    "BlockSampler": (
        nn.BlockSampler(DATA, 4),
        "BlockSampler(6 items, block_size=4, window=8)",
    ),
    "Callback": (Noisy(), "Noisy(level=0.5)"),
    "Checkpoint": (
        nn.Checkpoint("a.npz", every=2),
        "Checkpoint(path='a.npz', every=2, steps=None, monitor=None, mode='min')",
    ),
    "ClipGradNorm": (nn.ClipGradNorm(1.0), "ClipGradNorm(max_norm=1.0, norm_type=2.0)"),
    "ClipGradValue": (nn.ClipGradValue(0.5), "ClipGradValue(clip_value=0.5)"),
    "CSVLogger": (nn.CSVLogger("a.csv"), "CSVLogger(path='a.csv')"),
    "DataLoader": (nn.DataLoader(DATA, 2), "DataLoader(6 items of ArrayDataset)"),
    "Dataset": (Squares(), "Squares(4 items)"),
    "EarlyStopping": (
        nn.EarlyStopping("loss", patience=3),
        """EarlyStopping(monitor='loss', patience=3, mode='min', min_delta=0.0, \
restore_best=True, best_epoch=0, waited=0)""",
    ),
    "FitState": (
        nn.FitState(MODEL, OPTIMIZER, None, DATA, [], 20, epoch=3, batch=5, loss=0.25),
        "FitState(Linear, epoch 3 of 20, batch 5, loss 0.25)",
    ),
    "History": (nn.History([{"loss": 0.5}]), "History(1 epoch, loss=0.5)"),
    "HookHandle": (
        MODEL.register_forward_hook(_judging.accuracy),
        "HookHandle(accuracy)",
    ),
    "IncompatibleKeys": (
        MODEL.load_state_dict({}, strict=False),
        "IncompatibleKeys(missing_keys=['weight', 'bias'], unexpected_keys=[])",
    ),
    "IterableDataset": (Letters(), "Letters()"),
    "NpyDataset": (numbers_on_disk(), "NpyDataset(6 items: int64 ())"),
    "RandomSampler": (
        nn.RandomSampler(DATA, replacement=True, num_samples=9),
        "RandomSampler(9 of 6 items, replacement=True)",
    ),
    "Sampler": (Backwards(), "Backwards(4 items)"),
    "SequentialSampler": (nn.SequentialSampler(DATA), "SequentialSampler(6 items)"),
    "StepSchedule": (
        nn.StepSchedule(optim.lr_scheduler.StepLR(OPTIMIZER, 2)),
        "StepSchedule(StepLR)",
    ),
    "Subset": (nn.Subset(DATA, [1, 2]), "Subset(2 of 6 items of ArrayDataset)"),
    "Summary": (
        nn.summary(nn.Linear(2, 1), np.zeros((4, 2), np.float32)),
        """\
layer   output  parameters  FLOPs  memory
Linear  (4, 1)           3    16      0 B
3 parameters; 12 B with the buffers""",
    ),
    "TensorBoardLogger": (
        nn.TensorBoardLogger("runs"),
        "TensorBoardLogger(log_dir='runs', steps=None)",
    ),
    "WorkerInfo": (
        nn.WorkerInfo(0, 2, 7, [1]),
        "WorkerInfo(id=0, num_workers=2, seed=7, dataset=[1])",
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_an_object_shows_what_it_is(name):
    shown, text = SHOWN[name]
    assert repr(shown) == text


def test_no_public_class_is_forgotten():
    classes = {
        name
        for name in nn.__all__
        if isinstance(value := getattr(nn, name), type)
        and not issubclass(value, nn.Module | nn.Parameter)
    }
    assert classes == set(SHOWN)
