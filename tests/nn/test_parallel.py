"""Training on several processes equals training on one; what goes wrong ends with a sentence.

Needs mpi4py and an mpiexec beside it (`pip install mpi4py mpich`).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn
import optim
from nn.parallel import DataParallel, DistributedSampler, ShardedOptimizer, SyncBatchNorm
from nn.parallel._data_parallel import _Seen

PROGRAM = Path(__file__).with_name("parallel_program.py")
ROOT = Path(__file__).parents[2]
BESIDE = Path(sys.executable).with_name("mpiexec")
MPIEXEC = BESIDE if BESIDE.exists() else shutil.which("mpiexec")


def run(ranks, scenario, folder, check=True):
    """Run a scenario on some ranks; return what rank 0 found, and what was printed."""
    pytest.importorskip("mpi4py")
    if not MPIEXEC:
        pytest.skip("there is no mpiexec")
    folder.mkdir(exist_ok=True)
    made = subprocess.run(
        [MPIEXEC, "-n", str(ranks), sys.executable, PROGRAM, scenario, folder],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    if not check:
        assert made.returncode
        return made.stderr
    assert made.returncode == 0, made.stderr
    with np.load(folder / "found.npz") as found:
        return dict(found), made.stdout + made.stderr


def assert_alike(found, wanted):
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["steps", "unequal", "images"])
def test_the_same_batches_give_the_same_numbers_on_1_2_and_4_ranks(scenario, tmp_path):
    wanted, _ = run(1, scenario, tmp_path / "1")
    for ranks in (2, 4):
        found, _ = run(ranks, scenario, tmp_path / str(ranks))
        if scenario == "steps":
            assert found["buckets"] > 1
        if scenario == "images":
            assert found.pop("own") < wanted["own"]  # parameters with state on rank 0
        assert_alike(found, {name: v for name, v in wanted.items() if name != "own"})


@pytest.mark.slow
def test_fit_trains_on_all_ranks_and_resumes_on_another_number_of_them(tmp_path):
    wanted, text = run(1, "training", tmp_path / "a")
    found, others = run(2, "training", tmp_path / "b")
    assert_alike(found, wanted)
    assert others.count("accuracy") == text.count("accuracy")  # one rank tells
    assert (tmp_path / "b" / "log.csv").read_text().count("\n") == 4
    wanted, _ = run(1, "training", tmp_path / "a")
    found, _ = run(4, "training", tmp_path / "b")  # from the checkpoint of two ranks
    assert len(found["loss"]) == 5
    assert_alike(found, wanted)


@pytest.mark.slow
@pytest.mark.parametrize(
    "trouble, sentence",
    [
        ("raise", "rank 1 of 2: ended by the ZeroDivisionError above, and the job with it"),
        ("hang", "rank 0: waited 1 s for the sum of gradients; missing rank: 1"),
        ("model", "got weight float32 (2, 3) on rank 0 and weight float32 (4, 3) on rank 1"),
        ("batches", "got 0, 1 for step 3 on ranks 0 to 1; read the data by nn.parallel"),
        ("drift", "got another weight on rank 1 than on rank 0"),
        ("freeze", "got a changed one (bias float32 (2,), not trained); wrap it again"),
        ("closure", "uses another Variable that requires a gradient; make that an nn.Parameter"),
    ],
)
def test_trouble_ends_the_job_with_a_sentence(trouble, sentence, tmp_path):
    assert sentence in run(2, trouble, tmp_path, check=False)


# -- one process -----------------------------------------------------------------------------------


def test_one_process_needs_no_mpi_and_gets_its_model_as_it_is():
    model = nn.Linear(2, 1)
    parallel = DataParallel(model)
    x = np.ones((3, 2), np.float32)
    parallel(x).sum().backward()
    assert (parallel.rank, parallel.size) == (0, 1)
    assert model.weight.grad.tolist() == [[3.0, 3.0]]
    assert "rank 0 of 1" in repr(parallel)
    with parallel.no_sync():
        parallel(x).sum().backward()
    assert model.weight.grad.tolist() == [[6.0, 6.0]]
    history = nn.fit(
        model,
        [(x, np.zeros((3, 1), np.float32))],
        nn.MSELoss(),
        optim.SGD(model.parameters(), lr=0.1),
        2,
        progress=False,
        parallel=True,
    )
    assert len(history) == 2


def test_orders_depend_on_seed_and_epoch_only(monkeypatch):
    def parts(size, **options):
        samplers = []
        for rank in range(size):
            monkeypatch.setattr("nn.parallel._sampler.ranks_of", lambda *_, r=rank: (r, size))
            samplers.append(DistributedSampler(range(10), seed=1, **options))
        return samplers

    (alone,) = parts(1)
    first, second = alone.order(), alone.order()
    assert sorted(first) == sorted(second) == list(range(10))
    assert first.tolist() != second.tolist()
    several = parts(4)
    orders = [one.order() for one in several]
    assert [len(one) for one in several] == [len(order) for order in orders] == [3] * 4
    assert np.stack(orders, 1).ravel()[:10].tolist() == first.tolist()
    assert np.stack([one.order() for one in several], 1).ravel()[:10].tolist() == second.tolist()
    exact = parts(4, pad=False)
    assert [len(one) for one in exact] == [3, 3, 2, 2]
    assert sorted(i for one in exact for i in one.order()) == list(range(10))
    several[0].load_state_dict(alone.state_dict() | {"epoch": 1})
    assert several[0].order().tolist() == second[::4].tolist()


def test_sharded_state_is_that_of_the_optimizer():
    model, twin = nn.Linear(3, 2), nn.Linear(3, 2)
    twin.load_state_dict(model.state_dict())
    sharded = ShardedOptimizer(optim.Adam(model.parameters(), lr=0.1))
    plain = optim.Adam(twin.parameters(), lr=0.1)
    for part, optimizer in ((model, sharded), (twin, plain)):
        part(np.ones((2, 3), np.float32)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    np.testing.assert_array_equal(model.weight.data, twin.weight.data)
    state = sharded.state_dict()
    np.testing.assert_array_equal(
        state["state"][0]["exp_avg"], plain.state_dict()["state"][0]["exp_avg"]
    )
    sharded.load_state_dict(state)


def test_conversion_keeps_parameters_statistics_and_mode():
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Sequential(nn.BatchNorm2d(3))).eval()
    before = model.state_dict()
    converted = SyncBatchNorm.convert(model)
    assert all(isinstance(m, SyncBatchNorm) for m in (converted[0], converted[1][0]))
    assert converted is model
    assert set(converted.state_dict()) == set(before)
    assert not converted[0].training
    assert isinstance(SyncBatchNorm.convert(nn.BatchNorm1d(2)), SyncBatchNorm)


@pytest.mark.parametrize(
    "make, kind, sentence",
    [
        (lambda: DataParallel(nn.Linear), TypeError, "wanted a Module, got type"),
        (lambda: DataParallel(nn.ReLU()), ValueError, "with parameters to train, got none"),
        (lambda: DataParallel(nn.Linear(1, 1), 4), TypeError, "wanted comm as an MPI communicator"),
        (
            lambda: DataParallel(nn.Linear(1, 1), reduction="max"),
            ValueError,
            "wanted reduction 'mean' or 'sum', got 'max'",
        ),
        (lambda: DistributedSampler([1], seed=-1), ValueError, "wanted a seed of at least 0"),
        (lambda: ShardedOptimizer(optim.Adam), TypeError, "wanted an optimizer with its param"),
        (
            lambda: ShardedOptimizer(optim.LBFGS(nn.Linear(1, 1).parameters())),
            TypeError,
            "treats each parameter by itself, got LBFGS",
        ),
        (
            lambda: DistributedSampler([1]).load_state_dict({"epoch": -1, "seed": 0}),
            ValueError,
            "wanted a state with the counts 'epoch' and 'seed'",
        ),
    ],
)
def test_bad_arguments_are_told(make, kind, sentence):
    with pytest.raises(kind, match=sentence):
        make()


def test_mpiexec_without_mpi4py_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", None)
    with pytest.raises(ImportError, match=r"pip install 'gradloom\[mpi\]'"):
        DataParallel(nn.Linear(1, 1))


def replace(model):
    model[0].weight = nn.Parameter(model[0].weight.data)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model[0].weight.requires_grad_(False),
        lambda model: model.append(nn.Linear(2, 2)),
        lambda model: setattr(model[0], "bias", None),
        lambda model: model.double(),
        lambda model: setattr(model[1], "extra", nn.Parameter([1.0])),
        lambda model: model[1].register_buffer("extra", np.ones(2)),
        replace,
    ],
)
def test_a_change_of_the_model_is_seen_without_writing_down_its_layout(change):
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    seen = _Seen(model)
    model(np.ones((4, 3), np.float32)).sum().backward()
    optim.SGD(model.parameters(), lr=0.1).step()
    assert seen.unchanged()
    change(model)
    assert not seen.unchanged()
