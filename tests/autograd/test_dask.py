"""Variables over Dask's arrays: gradients are as lazy as the values, and are computed chunk by
chunk, by threads and by processes.
"""

import importlib
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from duck import compare

import autograd
import nn
import optim
from autograd import Variable, arrays

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "dev") != "dev"


def loss_of(w, x, y):
    """Return the loss of a logistic regression."""
    z = x @ w[:-1] + w[-1]
    return (np.logaddexp(0.0, z) - y * z).mean() + 0.01 * (w * w).sum()


def data(rows=60, columns=4):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, columns))
    return rng.normal(size=columns + 1), x, (rng.random(rows) < 0.5).astype(float)


def chunked(w, x, y):
    return da.from_array(w), da.from_array(x, chunks=(7, 2)), da.from_array(y, chunks=7)


class NothingComputed(dask.callbacks.Callback):
    """Raises where a graph is computed, unless it is `open`."""

    open = False

    def _start(self, graph):
        del graph
        if not self.open:
            raise AssertionError("computed before it was asked for")


def test_a_backward_pass_computes_nothing():
    w, x, y = data()
    wanted = autograd.grad(loss_of)(w, x, y)
    lazy = chunked(w, x, y)
    with NothingComputed() as watch:
        leaf = Variable(lazy[0], requires_grad=True)
        loss = loss_of(leaf, *lazy[1:])
        loss.backward()
        assert "dask.array" in repr(loss)
        gradient = autograd.grad(loss_of)(*lazy)
        value, again = autograd.value_and_grad(loss_of)(*lazy)
        product = autograd.hvp(lambda w: loss_of(w, *lazy[1:]))(lazy[0], lazy[0])
        for found in (leaf.grad, gradient, again, value, product, loss.data):
            assert isinstance(found, da.Array)
        watch.open = True
        for found in (leaf.grad, gradient, again):
            np.testing.assert_allclose(found.compute(), wanted, rtol=1e-12)
        assert float(value.compute()) == pytest.approx(loss_of(w, x, y))
        hessian = autograd.hvp(lambda w: loss_of(w, x, y))(w, w)
        np.testing.assert_allclose(product.compute(), hessian, rtol=1e-12)
        np.testing.assert_allclose(loss.detach().numpy(), loss_of(w, x, y), rtol=1e-12)


def test_parameters_of_numpy_may_meet_data_of_dask():
    w, x, y = data()
    leaf = Variable(w, requires_grad=True)
    loss_of(leaf, *chunked(w, x, y)[1:]).backward()
    assert isinstance(leaf.grad, da.Array)
    np.testing.assert_allclose(leaf.grad.compute(), autograd.grad(loss_of)(w, x, y), rtol=1e-12)


def test_a_step_that_would_change_dasks_array_in_place_is_refused():
    leaf = Variable(da.ones(3), requires_grad=True)
    (leaf * leaf).sum().backward()
    with pytest.raises(ValueError, match=r"can be changed in place, got dask.Array in parameter 0"):
        optim.SGD([leaf], lr=0.1).step()
    with autograd.no_grad():
        leaf -= 0.25 * leaf.grad
    np.testing.assert_allclose(leaf.data.compute(), 0.5)


def test_a_model_predicts_on_chunks():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    x = data()[1].astype(np.float32)
    lazy = model(da.from_array(x, chunks=(7, 4)))
    assert isinstance(lazy.data, da.Array)
    np.testing.assert_allclose(lazy.data.compute(), model(x).data, rtol=1e-5, atol=1e-6)


# Rows of the op table that Dask cannot run, in most cases because it lacks the NumPy function or a
# keyword of it, or reads with one array of places at most.
LACKING = {
    "elementwise": {"nan_to_num", "nan_to_num[replaced]"},
    "reductions": {"sum[dtype]"},
    "exponential_sums": set(),
    "statistics": set(),
    "reciprocal_trigonometry": set(),
    "joining": {"array_split"},
}


@pytest.mark.skipif(not THOROUGH, reason="in profile ci")
@pytest.mark.parametrize("name", LACKING)
def test_rows_of_the_op_table_run_on_dasks_arrays(name, monkeypatch):
    watch = NothingComputed()

    def lazy(value):
        if isinstance(value, np.ndarray):
            return da.from_array(
                value.copy(), chunks=tuple(max(1, -(-n // 2)) for n in value.shape)
            )
        if type(value) in (tuple, list):
            return type(value)(map(lazy, value))
        if type(value) is dict:
            return {key: lazy(part) for key, part in value.items()}
        return value

    def computed(value):
        watch.open = True
        try:
            return np.asarray(value.compute(scheduler="sync"))
        finally:
            watch.open = False

    monkeypatch.setattr("duck.to_numpy", lambda g: g if isinstance(g, np.ndarray) else computed(g))
    for row in importlib.import_module(f"op_rows.{name}").ROWS:
        with watch:
            if row.name not in LACKING[name]:
                with np.errstate(all="ignore"):
                    # What Dask lacks it hands to NumPy with a warning: an error here.
                    compare(row, 1, lazy, computed, warn="error", most=2)


# A process of its own, whose memory is limited to what it has after the imports and a part of the
# data: 160 MB of numbers in chunks of 2.5 MB.
LIMITED = """
    import resource
    import numpy as np, dask, dask.array as da
    import autograd
    from autograd import Variable

    ROWS, COLUMNS, STEP = 1_000_000, 20, 15_625

    def block(i):
        return np.random.default_rng(i).random((STEP, COLUMNS))

    def loss_of(w, x):
        return (np.logaddexp(0.0, x @ w)).sum() / ROWS + 0.01 * (w * w).sum()

    def chunk(_, block_info=None):
        return block(block_info[0]["chunk-location"][0])

    def lazy(rows):
        base = da.zeros((rows, COLUMNS), chunks=(STEP, COLUMNS))
        return da.map_blocks(chunk, base, dtype=float, meta=np.empty((0, 0)))

    def computed(x):
        leaf = Variable(da.from_array(w), requires_grad=True)
        loss = loss_of(leaf, x)
        loss.backward()
        return dask.compute(loss.data, leaf.grad)[1]

    w = np.linspace(-1.0, 1.0, COLUMNS)
    with dask.config.set(scheduler="threads", num_workers=2):
        computed(lazy(8 * STEP))  # threads and their buffers are there
        pages = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (pages + 80_000_000, -1))
        try:
            np.ones((ROWS, COLUMNS))
        except MemoryError:
            print("too large for NumPy")
        gradient = computed(lazy(ROWS))
    total = sum(autograd.grad(lambda w: loss_of(w, block(i)) - 0.01 * (w * w).sum())(w)
                for i in range(ROWS // STEP))
    np.testing.assert_allclose(gradient, total + 0.02 * w, rtol=1e-10)
    print("equal")
"""


@pytest.mark.skipif(not THOROUGH, reason="in profile ci")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/statm")
def test_the_gradient_over_an_array_larger_than_the_memory():
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")
    environment = os.environ | one
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED)],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:2] == ["too large for NumPy", "equal"]


@pytest.mark.slow
@pytest.mark.skipif(not THOROUGH, reason="in profile ci")
def test_two_worker_processes_compute_the_same_gradient(tmp_path):
    distributed = pytest.importorskip("distributed")
    w, x, y = data(400)
    lazy = da.from_array(w), da.from_array(x, chunks=(100, 4)), da.from_array(y, chunks=100)
    lazy = autograd.grad(loss_of)(*lazy)
    with (
        dask.config.set({"temporary-directory": str(tmp_path)}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = set(client.run(os.getpid).values())
        assert len(pids) == 2
        assert os.getpid() not in pids
        got = client.compute(lazy).result(timeout=60)
    np.testing.assert_allclose(got, autograd.grad(loss_of)(w, x, y), rtol=1e-12)


def test_the_code_of_the_page_runs(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "other_arrays.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python no-run\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks:
        if "cupy" not in block:
            exec(block, names)
    np.testing.assert_allclose(names["slope"], names["wanted"], rtol=1e-10)


def test_dask_is_not_imported_unless_it_is_used():
    code = "import sys, autograd, nn, optim; assert not {'dask', 'cupy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_dasks_arrays_are_foreign():
    assert arrays.is_foreign(da.ones(2))
    assert arrays.kind_of(da.ones(2)) == "dask.Array"
    assert arrays.to_numpy(da.ones(2)).tolist() == [1.0, 1.0]
