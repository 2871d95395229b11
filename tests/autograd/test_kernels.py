"""Compiled kernels: the same numbers as NumPy's, only where they were asked for."""

import importlib
import math
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Variable
from autograd.kernels import Chunks, run_rows
from autograd.kernels import _switch as kernels

pytest.importorskip("numba")

F = nn.functional
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "dev") != "dev"
TOLERANCE = {"float32": 1e-6, "float64": 1e-13}
each_dtype = pytest.mark.parametrize("dtype", ["float32", *(["float64"] if THOROUGH else [])])


@pytest.fixture
def numba(monkeypatch):
    """Use the kernels for arrays of any size; list those that have computed something."""
    for room in kernels._ROOMS["numba"]:
        module = importlib.import_module(f"autograd.kernels.{room}")
        monkeypatch.setattr(module, "_LARGE", 1)
    ran = []

    def spied(place, kernel):
        def call(*args):
            out = kernel(*args)
            if out is not NotImplemented:
                ran.append(place)
            return out

        return call

    for place, kernel in kernels._KERNELS.items():
        monkeypatch.setitem(kernels._KERNELS, place, spied(place, kernel))
    with kernels.use_kernels("numba"):
        yield ran
    kernels.set_num_threads(1)


def draw(*shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


TARGET = np.array([3, 0, 8, 8, 1, 2, 5])
# Of an array (7, 9), a vector (9,) and another one; the names are those of the kernels.
CALLS = {
    "softmax": lambda x, w, b: autograd.softmax(x),
    "log_softmax": lambda x, w, b: autograd.log_softmax(x, 1),
    "attention_weights": lambda x, w, b: F.scaled_dot_product_attention(x, x, x, is_causal=True),
    "layer_norm": lambda x, w, b: F.layer_norm(x, 9, w, b),
    "layer_norm of three axes": lambda x, w, b: F.layer_norm(x.reshape((7, 3, 3)), (3, 3)),
    "layer_norm about zero": lambda x, w, b: F.rms_norm(x, 9, w),
    "gelu": lambda x, w, b: F.gelu(x * w),
    "gelu_tanh": lambda x, w, b: F.gelu(x * w, "tanh"),
    "silu": lambda x, w, b: F.silu(x * w),
    "_softmax_nll": lambda x, w, b: F.cross_entropy(x, TARGET),
    "_softmax_nll by class": lambda x, w, b: F.cross_entropy(x, TARGET, weight=w.data**2),
    "_softmax_nll of each": lambda x, w, b: F.cross_entropy(x, TARGET, reduction="none"),
}


def _normal(turn, back):
    """Batch normalisation of 9 channels of an array that lies in memory in another order."""
    ones = np.ones((2, 9, 4, 3))

    def call(x, w, b):
        many = (x[:2, :, None, None] * ones.astype(x.dtype) + x[:4, 0].reshape((4, 1))) ** 2
        lying = autograd.transpose(many, turn) * 1.0  # in memory as it is seen
        return F.batch_norm(autograd.transpose(lying, back), None, None, w, b, True)

    return call


CALLS |= {
    "channel_norm": _normal((0, 1, 2, 3), (0, 1, 2, 3)),
    "channel_norm, channels last": _normal((0, 2, 3, 1), (0, 3, 1, 2)),
    "channel_norm, channels first": _normal((1, 0, 2, 3), (1, 0, 2, 3)),
    "channel_norm of vectors": lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
}


def _lstm(sizes):
    """An LSTM over sequences of these lengths, whose inputs and weights come of the arrays."""

    def call(x, w, b):
        rows = autograd.concatenate([x[:4], x[:4] * 0.5, x[:4] + 1.0])  # (12, 9)
        inputs = [rows[i : i + n] for i, n in enumerate(sizes)]
        packed = nn.utils.rnn.pack_sequence(inputs, enforce_sorted=False)
        weights = autograd.concatenate([x * w, x - b, x[:2]]), autograd.concatenate([x, x, x[:2]])
        h = x[: len(sizes), :4]
        cells = [[(*(weights[0], weights[1][:, :4]), None, weights[0][:, 0], None)]]
        out, _ = F.recurrent("LSTM", packed, (h[None], h[None]), cells)
        return out.data

    return call


CALLS |= {"scan": _lstm((5, 5, 5)), "scan of three lengths": _lstm((3, 6, 4))}


# A kernel takes up to a second to compile for each dtype; all are tested in CI.
each_name = pytest.mark.parametrize(
    "name", CALLS if THOROUGH else ["softmax", "layer_norm", "gelu", "_softmax_nll"]
)


def passes(function, arrays):
    """Return the value and the gradients of a function."""
    leaves = [Variable(a, requires_grad=True) for a in arrays]
    out = function(*leaves)
    out.backward(draw(*out.shape, dtype=out.dtype, seed=1))
    return [out.data, *(leaf.grad for leaf in leaves if leaf.grad is not None)]


def assert_close(found, wanted, dtype):
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == b.dtype
        limit = TOLERANCE[str(np.dtype(dtype))] * max(1.0, np.abs(b).max(initial=0.0))
        np.testing.assert_allclose(a, b, rtol=0, atol=limit)


@each_dtype
@each_name
def test_values_and_gradients_are_those_of_numpy(name, dtype, numba):
    arrays = [draw(7, 9, dtype=dtype), draw(9, dtype=dtype, seed=2), draw(9, dtype=dtype, seed=3)]
    found = passes(CALLS[name], arrays)
    owner = name.partition(" ")[0].strip(",")
    parts = {part for made, part in numba if made == owner}
    assert parts == {part for made, part in kernels._KERNELS if made == owner}
    with kernels.use_kernels("numpy"):
        wanted = passes(CALLS[name], arrays)
    assert_close(found, wanted, dtype)


@each_name
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_where_numbers_are_not_finite_numpy_computes(name, bad, numba):
    x = draw(7, 9, dtype="float32")
    x[2, 4] = bad
    arrays = [x, draw(9, dtype="float32", seed=2), draw(9, dtype="float32", seed=3)]

    def heard():
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            return passes(CALLS[name], arrays), {str(w.message) for w in said}

    found, said = heard()
    with kernels.use_kernels("numpy"):
        wanted, said_by_numpy = heard()
    assert said == said_by_numpy
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_what_a_kernel_is_not_for_stays_with_numpy(numba):
    x = draw(4, 6, dtype="float32")
    for other in (x.astype(np.float16), x[:0], x.astype(">f4"), x.astype(int)):
        F.gelu(Variable(other))
        F.softmax(Variable(other))
    autograd.softmax(x, 0)
    autograd.softmax(x, (0, 1))
    F.cross_entropy(Variable(draw(4, 6, 2, dtype="float32")), np.zeros((4, 2), int))
    assert numba == []
    turned = autograd.softmax(Variable(draw(6, 4, dtype="float32").T))  # a copy is made
    assert numba == [("softmax", "forward")]
    with kernels.use_kernels("numpy"):
        wanted = autograd.softmax(draw(6, 4, dtype="float32").T)
    np.testing.assert_allclose(turned.data, wanted, rtol=1e-6)


def test_recorded_passes_and_transformations_are_numpys(numba):
    x = draw(3, 5)
    loss = lambda x: (autograd.softmax(F.layer_norm(F.gelu(x), 5)) * x).sum()
    both = []
    for name in ("numba", "numpy"):
        with kernels.use_kernels(name):
            both.append([
                autograd.hessian(lambda x: loss(x.reshape((3, 5))))(x.reshape(-1)),
                autograd.vmap(autograd.grad(loss))(np.stack([x, 2 * x])),
                autograd.jvp(loss, (x,), (x,))[1],
                autograd.compile(autograd.grad(loss))(x),
            ])  # fmt: skip
    assert_close(*both, "float64")


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.Adam(p, lr=0.1, weight_decay=0.01),
        lambda p: optim.AdamW(p, lr=0.1, betas=(0.8, 0.99)),
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        lambda p: optim.Adam(p, lr=0.1, amsgrad=True),  # which stays with NumPy
    ],
)
@each_dtype
def test_steps_of_optimizers_are_numpys(make, dtype, numba):
    found = []
    for name in ("numba", "numpy"):
        with kernels.use_kernels(name):
            p = Variable(draw(100, 100, dtype=dtype), requires_grad=True)
            optimizer = make([p])
            for seed in range(4):
                p.grad = draw(100, 100, dtype=dtype, seed=seed)
                optimizer.step()
            state = optimizer.state_dict()["state"][0]
            found.append([p.data, *(v for v in state.values() if isinstance(v, np.ndarray))])
    assert_close(*found, dtype)
    expected = not getattr(optimizer, "defaults", {}).get("amsgrad")
    assert (len(numba) > 0) == expected


def test_threads_share_the_rows(numba, monkeypatch):
    arrays = [draw(7, 9), draw(9, seed=2), draw(9, seed=3)]
    names = ("softmax", "layer_norm", *(["channel_norm, channels last"] if THOROUGH else []))
    alone = [passes(CALLS[name], arrays) for name in names]
    monkeypatch.setattr(kernels, "_LEAST", 9)
    autograd.set_num_threads(3)
    assert Chunks(7, 9).bounds == [(0, 3), (3, 6), (6, 7)]
    assert Chunks(1, 9).bounds == [(0, 1)]
    shared = [passes(CALLS[name], arrays) for name in names]
    for found, wanted in zip(shared, alone, strict=True):
        assert_close(found, wanted, "float64")
    x = draw(7, 9)
    x[6, 0] = np.nan  # in the last part
    with np.errstate(invalid="ignore"):
        assert np.isnan(autograd.softmax(x)[6]).all()
    assert not run_rows(lambda part, *_: part != 1, Chunks(7, 9))


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_a_number_of_threads_is_a_positive_integer(count):
    with pytest.raises(ValueError, match="set_num_threads: wanted an integer of at least 1, got"):
        autograd.set_num_threads(count)


def test_a_choice_holds_until_the_next_or_inside_a_with(numba):
    x = Variable(draw(4, 6))
    with autograd.use_kernels("numpy") as outer:
        assert repr(outer) == "use_kernels('numpy')"
        autograd.softmax(x)
        assert numba == []
        autograd.use_kernels("numba")
        autograd.softmax(x)
        assert numba == [("softmax", "forward")]
        autograd.use_kernels("numpy")
        autograd.softmax(x)
        assert len(numba) == 1
    autograd.softmax(x)
    assert len(numba) == 2


def test_an_unknown_name_and_a_missing_package_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="use_kernels: wanted 'numpy' or 'numba', got 'jax'"):
        autograd.use_kernels("jax")
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ImportError, match="numba is not installed: run pip install 'gradloom.fast"):
        autograd.use_kernels("numba")
    assert kernels._name == "numpy"


def test_every_kernel_has_a_place(numba):
    assert set(kernels._ORIGINALS) == set(kernels._KERNELS)


# -- polynomials -----------------------------------------------------------------------------------


@each_dtype
def test_polynomials_are_exact_to_the_last_digits(dtype):
    import mpmath

    module = importlib.import_module("polynomials_loop")
    exact = {
        "exp": mpmath.exp,
        "expm1": mpmath.expm1,
        "exp_minus_square": lambda x: mpmath.exp(-x * x),
        "expit": lambda x: 1 / (1 + mpmath.exp(-x)),
        "tanh": mpmath.tanh,
        "erf": mpmath.erf,
        "erfc": mpmath.erfc,
    }
    ends = {"float32": 9.0, "float64": 26.0}
    near = np.geomspace(1e-9, 1, 60)
    x = np.concatenate([np.linspace(-ends[dtype], ends[dtype], 301), near, -near]).astype(dtype)
    far = (np.linspace(-1, 1, 101) * {"float32": 85, "float64": 700}[dtype]).astype(dtype)
    info = np.finfo(dtype)
    with mpmath.workdps(30):
        for points in (x, far):
            outs = np.empty((len(exact), points.size), dtype)
            module.all_of_them(points, outs)
            for (name, function), out in zip(exact.items(), outs, strict=True):
                for a, b in zip(points, out, strict=True):
                    wanted = function(mpmath.mpf(float(a)))
                    error = abs(mpmath.mpf(float(b)) - wanted)
                    assert error <= 4 * info.eps * abs(wanted) + float(info.tiny), (name, a)
    special = np.array([np.nan, np.inf, -np.inf], dtype)
    outs = np.empty((len(exact), 3), dtype)
    module.all_of_them(special, outs)
    limits = [[math.inf, 0], [math.inf, -1], [0, 0], [1, 0], [1, -1], [1, -1], [0, 2]]
    assert np.isnan(outs[:, 0]).all()
    assert outs[:, 1:].tolist() == limits


# -- everything that is known, under the switch ----------------------------------------------------


@pytest.mark.skipif(not THOROUGH, reason="compiles every kernel for both dtypes")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_rows_of_the_op_table_agree(dtype, numba):
    from op_table import calls, collect

    def results(call, operands):
        inputs = [Variable(x.copy(), requires_grad=True) for x in operands]
        outputs = [o for o in call(inputs) if isinstance(o, Variable) and o.requires_grad]
        found = [o.data for o in outputs]
        if outputs:
            weights = [draw(*o.shape, seed=5).astype(o.dtype) for o in outputs]
            found += autograd.grad(outputs, inputs, weights, allow_unused=True)
        return [np.asarray(f) for f in found if f is not None]

    compared = 0
    for row in collect():
        for _, call in calls(row):
            operands = [x.astype(dtype) for x in call.operands if x.dtype.kind == "f"]
            if len(operands) != len(call.operands) or not row.float32:
                continue
            numba.clear()
            found = results(call, operands)
            if not numba:
                continue
            with kernels.use_kernels("numpy"):
                wanted = results(call, operands)
            assert_close(found, wanted, dtype)
            compared += 1
    assert compared >= 30


@pytest.mark.skipif(not THOROUGH, reason="starts Python, which imports numba")
def test_the_environment_chooses_before_anything_is_imported():
    script = (
        "import autograd, nn, optim; from autograd.kernels import _switch as kernels\n"
        "print(len(kernels._ORIGINALS) == len(kernels._KERNELS) > 0)"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True,
        cwd=Path(__file__).parents[2], env=os.environ | {"GRADLOOM_KERNELS": "numba"},
    )  # fmt: skip
    assert out.stdout.strip() == "True"
